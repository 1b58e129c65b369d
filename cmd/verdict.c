/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See verdict.h. */
#include "cmd/verdict.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/str.h"
#include "cmd/print.h"

struct verdict *verdict_new(void)
{
	/* Not by calloc, which writes all of it: most launches touch a small part. */
	struct verdict *verdict = mmap(NULL, sizeof(*verdict), PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (verdict == MAP_FAILED) {
		print_note("no memory for %zu bytes", sizeof(*verdict));
		return NULL;
	}
	return verdict;
}

void verdict_free(struct verdict *verdict)
{
	int saved = errno;

	if (verdict == NULL)
		return;
	cordon_release(&verdict->decision);
	arena_release(&verdict->taken);
	munmap(verdict, sizeof(*verdict));
	errno = saved;
}

int verdict_decide(struct verdict *verdict, const struct cmd_context *context,
		   const struct policy_request *policy)
{
	struct run_request request;

	cmd_request_init(context, &request);
	request.policy = *policy;
	request.wants_usage = verdict->options.top || verdict->options.sample_ms > 0;
	request.is_kept = request.counts_usage = verdict->options.name != NULL;
	request.cgroup_parent = verdict->options.cgroup_parent;
	request.wants_pause = verdict->options.name != NULL;
	request.explains_denials = verdict->options.explains_denials;
	request.policy.wants_origins = verdict->options.explains_denials;
	return cordon_decide(&request, &verdict->decision, &verdict->problems, &verdict->misses,
			     &verdict->err);
}

int verdict_read_profile(struct verdict *verdict, const struct cmd_context *context,
			 const char *profile)
{
	static const char *const no_command[] = {NULL};
	struct policy_request policy = {.profile = profile,
					.wants_values = true,
					.argv = no_command};
	int r = verdict_decide(verdict, context, &policy);

	if (r == 0 || verdict->err.kind != ERR_PREFLIGHT)
		return r;
	verdict->misses.n = verdict->misses.n_dropped = 0;
	verdict->err.kind = ERR_NONE;
	return 0;
}

bool verdict_is_resolved(const struct verdict *verdict, int r)
{
	return r == 0 || verdict->err.kind == ERR_PREFLIGHT || verdict->misses.n > 0;
}

static void print_waivers(const struct sandbox_spec *spec)
{
	for (size_t i = 0; i < spec->provenance.n_waivers; i++)
		print_note("waived: %s (%s)", spec->provenance.waivers[i].name,
			   spec->provenance.waivers[i].reason);
}

static void print_not_enforced(const struct decision *decision)
{
	char text[256] = "";
	size_t len = 0;

	for (size_t i = 0; i < decision->n_not_enforced; i++)
		len += str_format(text + len, sizeof(text) - len, "%s%s", i > 0 ? ", " : "",
				  decision->not_enforced[i]);
	if (len > 0)
		print_note("not enforced here: %s (see cordon doctor)", text);
}

int verdict_check_program(struct verdict *verdict, const char *command)
{
	const struct sandbox_spec *spec = &verdict->decision.spec;

	if (spec->process.argv[0] != NULL)
		return 0;
	if (spec->rootfs.kind != ROOTFS_IMAGE) {
		err_set(&verdict->err, ERR_USAGE, 0, "no program to run");
		return err_hint(&verdict->err, "cordon %s -- CMD...", command);
	}
	err_set(&verdict->err, ERR_USAGE, 0, "image %s names no program to run",
		spec->rootfs.image);
	return err_hint(&verdict->err, "cordon %s %s CMD...", command, spec->rootfs.image);
}

/* A user has one id to give: what the image has of others is in the store's books. */
static void print_owners(const struct decision *decision)
{
	if (decision->image_owners > 0 && decision->plan.ids == IDS_ONE)
		print_note(
			"image %s: %llu entries have another owner, a setuid bit or a capability "
			"there, which as a user they have not inside (cordon image inspect)",
			decision->spec.rootfs.image, (unsigned long long)decision->image_owners);
}

/* No protection is weaker for it, but a program that fails for it should not be searched. */
static void print_degraded(const struct decision *decision)
{
	const struct spec_rootfs *rootfs = &decision->spec.rootfs;

	if ((rootfs->kind == ROOTFS_DIR || rootfs->kind == ROOTFS_IMAGE) &&
	    decision->writable == WRITABLE_TMPFS && !decision->facts.tmpfs_attributes)
		print_note("directories of %s cannot be removed or replaced inside: this kernel's "
			   "tmpfs keeps no user attributes (Linux 6.6 and later do)",
			   rootfs->kind == ROOTFS_DIR ? rootfs->dir : rootfs->image);
}

void verdict_print_notes(const struct verdict *verdict)
{
	/* Also with -q: what was given up is never silent. */
	print_waivers(&verdict->decision.spec);
	if (verdict->options.quiet)
		return;
	print_not_enforced(&verdict->decision);
	print_degraded(&verdict->decision);
	print_owners(&verdict->decision);
}

void verdict_print_refusal(const struct verdict *verdict)
{
	print_refusal(&verdict->problems, &verdict->misses, &verdict->err);
}
