/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When an entry of Docker's file holds: `includes` (all of it must be so) and `excludes` (none of
 * it may) name architectures, capabilities and a lowest kernel. OCI's form has neither.
 */
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "policy/arch.h"
#include "policy/docker.h"

/* By number: linux/capability.h of 6.18. */
static const char *const capability_names[] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
};

enum { N_CAPABILITIES = sizeof(capability_names) / sizeof(capability_names[0]) };

/* How many of a list there are, and how many of them are so here. */
struct tally {
	size_t n;
	size_t n_true;
};

static bool count_arch(struct policy_ctx *ctx, const struct policy_node *item, uint64_t unused,
		       struct tally *tally)
{
	(void)ctx;
	(void)unused;
	tally->n++;
	tally->n_true += str_equal(item->text, POLICY_GO_NAME);
	return true;
}

/* Its number; -1: reported. */
static int find_capability(struct policy_ctx *ctx, struct policy_place place, const char *name)
{
	for (size_t i = 0; i < N_CAPABILITIES; i++)
		if (str_equal(name, capability_names[i]))
			return (int)i;
	ctx_suggest(ctx, ctx_report(ctx, place, "bad-value", "unknown capability '%s'", name), name,
		    capability_names, N_CAPABILITIES);
	return -1;
}

bool docker_knows_capability(struct policy_ctx *ctx, struct policy_place place, const char *name)
{
	return find_capability(ctx, place, name) >= 0;
}

static bool count_capability(struct policy_ctx *ctx, const struct policy_node *item, uint64_t held,
			     struct tally *tally)
{
	int number = find_capability(ctx, item->place, item->text);

	if (number < 0)
		return false;
	tally->n++;
	tally->n_true += (held >> number & 1) != 0;
	return true;
}

static bool count_list(struct policy_ctx *ctx, const struct policy_node *list, uint64_t held,
		       bool (*count)(struct policy_ctx *, const struct policy_node *, uint64_t,
				     struct tally *),
		       struct tally *ret)
{
	*ret = (struct tally){.n = 0};
	for (const struct policy_node *item = list != NULL ? list->children : NULL; item != NULL;
	     item = item->next) {
		if (item->kind != NODE_SCALAR || !item->is_quoted) {
			ctx_report(ctx, item->place, "bad-type", "a text is wanted here");
			return false;
		}
		if (!count(ctx, item, held, ret))
			return false;
	}
	return true;
}

/* "4.8" against the running kernel. */
static bool is_kernel_reached(struct policy_ctx *ctx, const struct policy_node *node, bool *is_good)
{
	const char *dot = strchr(node->text, '.');
	uint32_t major = 0, minor = 0, wanted_major, wanted_minor;

	if (!node->is_quoted || dot == NULL ||
	    parse_u32(ctx_copy(ctx, node->text, (size_t)(dot - node->text)), &wanted_major) < 0 ||
	    parse_u32(dot + 1, &wanted_minor) < 0) {
		ctx_report(ctx, node->place, "bad-value", "'%s' is no kernel version", node->text)
			->expected = "It is a text such as \"4.8\".";
		*is_good = false;
		return false;
	}
	if (ctx->host->kernel_version == NULL ||
	    ctx->host->kernel_version(ctx->host->ctx, &major, &minor) < 0) {
		ctx_report(ctx, node->place, "kernel-version",
			   "the running kernel does not say its version");
		*is_good = false;
		return false;
	}
	return major != wanted_major ? major > wanted_major : minor >= wanted_minor;
}

struct tallies {
	struct tally arches;
	struct tally capabilities;
	struct tally kernels;
};

static bool count_all(struct policy_ctx *ctx, const struct policy_node *when, uint64_t capabilities,
		      struct tallies *ret)
{
	static const char *const keys[] = {"arches", "caps", "minKernel", NULL};
	bool is_good = docker_check_keys(ctx, when, keys);
	const struct policy_node *arches = docker_get(ctx, when, "arches", NODE_SEQUENCE, &is_good);
	const struct policy_node *caps = docker_get(ctx, when, "caps", NODE_SEQUENCE, &is_good);
	const struct policy_node *kernel =
		docker_get(ctx, when, "minKernel", NODE_SCALAR, &is_good);

	is_good = is_good && count_list(ctx, arches, 0, count_arch, &ret->arches);
	is_good = is_good &&
		  count_list(ctx, caps, capabilities, count_capability, &ret->capabilities);
	if (is_good && kernel != NULL) {
		ret->kernels.n = 1;
		ret->kernels.n_true = is_kernel_reached(ctx, kernel, &is_good);
	}
	return is_good;
}

bool docker_holds(struct policy_ctx *ctx, const struct policy_node *entry, uint64_t capabilities,
		  bool *is_good)
{
	const struct policy_node *includes =
		docker_get(ctx, entry, "includes", NODE_MAPPING, is_good);
	const struct policy_node *excludes =
		docker_get(ctx, entry, "excludes", NODE_MAPPING, is_good);
	struct tallies in = {.arches = {0}}, out = {.arches = {0}};

	if (includes != NULL && !count_all(ctx, includes, capabilities, &in))
		*is_good = false;
	if (excludes != NULL && !count_all(ctx, excludes, capabilities, &out))
		*is_good = false;
	/* One of the architectures, but all of the capabilities. */
	return *is_good && (in.arches.n == 0 || in.arches.n_true > 0) &&
	       in.capabilities.n_true == in.capabilities.n && in.kernels.n_true == in.kernels.n &&
	       out.arches.n_true == 0 && out.capabilities.n_true == 0 && out.kernels.n_true == 0;
}
