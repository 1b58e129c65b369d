/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The flags of the command line as a layer of policy. Each flag becomes the small tree that a
 * profile would have said it with, goes through the same table of keys, and keeps the flag's own
 * text for messages. There is no second way into the spec.
 */
#include <string.h>

#include "base/str.h"
#include "policy/flags.h"
#include "policy/keys.h"
#include "policy/layers.h"
#include "policy/merge.h"
#include "policy/paths.h"
#include "policy/yaml.h"

enum { KEY_PATH_MAX = 256 };

struct policy_place flags_place(const struct policy_source *source)
{
	return (struct policy_place){.source = source,
				     .line = 1,
				     .column = source->column_base + 1};
}

/* Takes the first part of a dotted path off *path. Below a map of free names the rest is one name:
 * the name of a waiver or a variable may hold dots. */
static const char *next_part(struct policy_ctx *ctx, const char **path, char *so_far)
{
	const struct policy_key *key = keys_find(so_far);
	size_t len = key != NULL && key->type == KEY_FREE_MAP ? strlen(*path) : strcspn(*path, ".");
	const char *part = ctx_copy(ctx, *path, len);
	size_t used = strlen(so_far);

	str_format(so_far + used, KEY_PATH_MAX - used, "%s%s", used > 0 ? "." : "",
		   part[0] == '+' ? part + 1 : part);
	*path += len + ((*path)[len] == '.' ? 1 : 0);
	return part;
}

/* value below a map for each part of path. */
struct policy_node *flags_nest(struct policy_ctx *ctx, const char *path, struct policy_node *value)
{
	struct policy_node *root, *map;
	char so_far[KEY_PATH_MAX] = "";

	if (value == NULL)
		return NULL;
	root = map = doc_node(ctx, NODE_MAPPING, flags_place(value->place.source));
	while (map != NULL && *path != '\0') {
		const char *part = next_part(ctx, &path, so_far);
		struct policy_node *child =
			*path == '\0'
				? value
				: doc_node(ctx, NODE_MAPPING, flags_place(value->place.source));

		if (child == NULL)
			return NULL;
		child->appends = part[0] == '+';
		child->key = child->appends ? part + 1 : part;
		/* The key itself begins behind "--set ". */
		child->key_place = flags_place(value->place.source);
		doc_add(map, child);
		map = child;
	}
	return root;
}

struct policy_node *flags_text_at(struct policy_ctx *ctx, const struct policy_source *source,
				  const char *path, const char *text)
{
	return flags_nest(ctx, path, doc_scalar(ctx, "", text, flags_place(source)));
}

/* The part of "NAME=VALUE" before '=', NULL (and reported) where there is none. */
static const char *name_of(struct policy_ctx *ctx, const struct policy_source *source,
			   const char *text, const char *form)
{
	const char *equals = strchr(text, '=');

	if (equals == NULL || equals == text) {
		ctx_report(ctx, flags_place(source), "bad-flag", "'%s' is not %s", text, form);
		return NULL;
	}
	return ctx_copy(ctx, text, (size_t)(equals - text));
}

static struct policy_node *set_tree(struct policy_ctx *ctx, struct policy_source *source,
				    const char *text)
{
	const char *key = name_of(ctx, source, text, "KEY=VALUE");
	const char *value;
	struct policy_node *node, *tree;
	uint32_t key_base = source->column_base;

	if (key == NULL)
		return NULL;
	if (str_equal(key, "extends")) {
		ctx_report(ctx, flags_place(source), "bad-flag", "extends cannot be set by a flag")
			->hint = "Use --profile.";
		return NULL;
	}
	value = text + strlen(key) + 1;
	/* An empty text is no YAML document, but it is a value that keys can judge. */
	if (*value == '\0') {
		node = doc_node(ctx, NODE_SCALAR, flags_place(source));
		/* The empty text, as of `-e NAME=`; "no value" has no '=' on a command line. */
		if (node != NULL)
			node->is_quoted = true;
	} else {
		source->column_base += (uint32_t)strlen(key) + 1;
		node = yaml_parse(ctx, source, value, strlen(value));
		source->column_base = key_base;
	}
	tree = flags_nest(ctx, key, node);
	return tree;
}

static struct policy_node *env_tree(struct policy_ctx *ctx, struct policy_source *source,
				    const char *text)
{
	size_t len = strcspn(text, "=");
	const char *path;
	struct policy_node *node;

	if (len == 0) {
		ctx_report(ctx, flags_place(source), "bad-flag", "'%s' names no variable", text);
		return NULL;
	}
	path = ctx_format(ctx, "process.environment.%.*s", (int)len, text);
	node = doc_scalar(ctx, "", text[len] == '=' ? text + len + 1 : "", flags_place(source));
	if (node != NULL)
		node->is_quoted = text[len] == '=';
	return flags_nest(ctx, path, node);
}

static struct policy_node *bind_tree(struct policy_ctx *ctx, const struct policy_source *source,
				     const char *text, bool is_read_only)
{
	struct policy_place place = flags_place(source);
	struct policy_node *list = doc_node(ctx, NODE_SEQUENCE, place);
	struct policy_node *bind = doc_node(ctx, NODE_MAPPING, place);
	const char *path;

	if (text[0] == '\0' || (text[0] != '/' && ctx->host->cwd[0] == '\0')) {
		ctx_report(ctx, place, "bad-flag", "'%s' is not a path that can be resolved", text);
		return NULL;
	}
	path = paths_absolute(ctx, ctx->host->cwd, text);
	doc_add(bind, doc_scalar(ctx, "type", "bind", place));
	doc_add(bind, doc_scalar(ctx, "source", path, place));
	doc_add(bind, doc_scalar(ctx, "target", path, place));
	doc_add(bind, doc_scalar(ctx, "read_only", is_read_only ? "true" : "false", place));
	doc_add(list, bind);
	return flags_nest(ctx, "+volumes", list);
}

static struct policy_node *waive_tree(struct policy_ctx *ctx, struct policy_source *source,
				      const char *text)
{
	const char *name = name_of(ctx, source, text, "NAME=REASON");

	if (name == NULL)
		return NULL;
	return flags_text_at(ctx, source, ctx_format(ctx, "waive.%s", name),
			     text + strlen(name) + 1);
}

static struct policy_node *ro_tree(struct policy_ctx *ctx, struct policy_source *source,
				   const char *text)
{
	return bind_tree(ctx, source, text, true);
}

static struct policy_node *rw_tree(struct policy_ctx *ctx, struct policy_source *source,
				   const char *text)
{
	return bind_tree(ctx, source, text, false);
}

static struct policy_node *image_tree(struct policy_ctx *ctx, struct policy_source *source,
				      const char *text)
{
	return flags_text_at(ctx, source, "rootfs.from", ctx_format(ctx, "image:%s", text));
}

struct policy_problem *flags_refuse(struct policy_ctx *ctx, const struct policy_source *source,
				    const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	str_vformat(text, sizeof(text), fmt, ap);
	va_end(ap);
	return ctx_report(ctx, flags_place(source), "bad-flag", "%s", text);
}

static const struct flag_def {
	const char *name;
	const char *keys;   /* that it sets, for people; of one without a reader the one */
	flags_reader *read; /* NULL: the text is the key's value */
} flag_defs[POLICY_FLAG_KINDS] = {
	[FLAG_SET] = {"--set", "", set_tree},
	[FLAG_WAIVE] = {"--waive", "waive", waive_tree},
	[FLAG_RO] = {"--ro", "volumes", ro_tree},
	[FLAG_RW] = {"--rw", "volumes", rw_tree},
	[FLAG_ENV] = {"-e", "process.environment", env_tree},
	[FLAG_WORKING_DIR] = {"-w", "process.working_dir", NULL},
	[FLAG_USER] = {"-u", "process.user", NULL},
	[FLAG_HOSTNAME] = {"--hostname", "process.hostname", NULL},
	[FLAG_TIMEOUT] = {"--timeout", "limits.wall_time", NULL},
	[FLAG_ENV_FILE] = {"--env-file", "process.environment", flags_env_file},
	[FLAG_LABEL] = {"--label", "labels", flags_label},
	[FLAG_LABEL_FILE] = {"--label-file", "labels", flags_label_file},
	[FLAG_ULIMIT] = {"--ulimit", "limits.nproc, limits.ulimits", flags_ulimit},
	[FLAG_MEMORY] = {"--memory", "limits.memory", flags_memory},
	[FLAG_MEMORY_SWAP] = {"--memory-swap", "limits.swap", flags_memory_swap},
	[FLAG_PIDS_LIMIT] = {"--pids-limit", "limits.pids", flags_pids_limit},
	[FLAG_CPUS] = {"--cpus", "limits.cpus", flags_cpus},
	[FLAG_CPUSET_CPUS] = {"--cpuset-cpus", "limits.cpuset", NULL},
	[FLAG_CPU_SHARES] = {"--cpu-shares", "limits.cpu_weight", flags_cpu_shares},
	[FLAG_CAP_ADD] = {"--cap-add", "capabilities.add", flags_cap_add},
	[FLAG_CAP_DROP] = {"--cap-drop", "capabilities.drop", flags_cap_drop},
	[FLAG_SECURITY_OPT] = {"--security-opt", "seccomp.docker_profile, apparmor",
			       flags_security_opt},
	[FLAG_READ_ONLY] = {"--read-only", "rootfs.writable", flags_read_only},
	[FLAG_TMPFS] = {"--tmpfs", "volumes", flags_tmpfs},
	[FLAG_NETWORK] = {"--network", "network.mode, network.networks", flags_network},
	[FLAG_NETWORK_ALIAS] = {"--network-alias", "network.aliases", flags_network_alias},
	[FLAG_LINK] = {"--link", "network.links", flags_link},
	[FLAG_IP] = {"--ip", "network.ip", NULL},
	[FLAG_IP6] = {"--ip6", "network.ip6", NULL},
	[FLAG_ADD_HOST] = {"--add-host", "network.hosts", flags_add_host},
	[FLAG_DNS] = {"--dns", "network.dns", flags_dns},
	[FLAG_DNS_SEARCH] = {"--dns-search", "network.dns_search", flags_dns_search},
	[FLAG_DNS_OPTION] = {"--dns-option", "network.dns_options", flags_dns_option},
	[FLAG_EGRESS_RATE] = {"--egress-rate", "network.egress.rate", NULL},
	[FLAG_EGRESS_BURST] = {"--egress-burst", "network.egress.burst", NULL},
	[FLAG_INGRESS_RATE] = {"--ingress-rate", "network.ingress.rate", NULL},
	[FLAG_INGRESS_BURST] = {"--ingress-burst", "network.ingress.burst", NULL},
	[FLAG_MAC_ADDRESS] = {"--mac-address", "network.mac", NULL},
	[FLAG_VOLUME] = {"-v", "volumes", flags_volume},
	[FLAG_MOUNT] = {"--mount", "volumes", flags_mount},
	[FLAG_VOLUMES_FROM] = {"--volumes-from", "volumes", flags_taken},
	[FLAG_PUBLISH] = {"-p", "network.publish", flags_publish},
	[FLAG_PUBLISH_ALL] = {"-P", "network.publish_all", NULL},
	[FLAG_EXPOSE] = {"--expose", "network.expose", flags_expose},
	[FLAG_RESTART] = {"--restart", "restart", NULL},
	[FLAG_STOP_SIGNAL] = {"--stop-signal", "process.stop_signal", NULL},
	[FLAG_STOP_TIMEOUT] = {"--stop-timeout", "process.stop_grace_period", flags_stop_timeout},
	[FLAG_INIT] = {"--init", "process.init", NULL},
	[FLAG_IMAGE] = {"image", "rootfs.from", image_tree},
	[FLAG_STORAGE_OPT] = {"--storage-opt", "rootfs.writable", flags_storage_opt},
};

const char *policy_flag_name(enum policy_flag_kind kind)
{
	return (unsigned)kind < POLICY_FLAG_KINDS ? flag_defs[kind].name : "";
}

const char *policy_flag_keys(enum policy_flag_kind kind)
{
	return flag_defs[kind].keys;
}

static struct policy_node *flag_tree(struct policy_ctx *ctx, const struct policy_flag *flag,
				     struct policy_source *source)
{
	const struct flag_def *def = &flag_defs[flag->kind];

	return def->read != NULL ? def->read(ctx, source, flag->text)
				 : flags_text_at(ctx, source, def->keys, flag->text);
}

static bool counts_less(const struct policy_flag *flag)
{
	return flag->kind == FLAG_ENV_FILE || flag->kind == FLAG_LABEL_FILE ||
	       flag->kind == FLAG_VOLUMES_FROM;
}

/* The flag's tree, checked; NULL where it has none. */
static struct policy_node *read_flag(struct policy_ctx *ctx, const struct policy_flag *flag)
{
	const char *name = flag->name != NULL ? flag->name : flag_defs[flag->kind].name;
	bool is_switch = flag->kind == FLAG_READ_ONLY || flag->kind == FLAG_INIT ||
			 flag->kind == FLAG_PUBLISH_ALL;
	/* As most type it: then it is the flag that is pointed to, and no value. */
	bool is_bare = is_switch && str_equal(flag->text, "true");
	struct policy_source *source = ctx_array(ctx, 1, sizeof(*source));
	struct policy_node *tree;

	if (source == NULL)
		return NULL;
	*source = (struct policy_source){
		.path = "command line",
		.dir = ctx->host->cwd,
		.text = is_bare ? ctx_format(ctx, "%s", name)
				: ctx_format(ctx, "%s%s%s", name, is_switch ? "=" : " ",
					     flag->text),
		.rank = LAYERS_MAX,
		.column_base = is_bare ? 0 : (uint32_t)strlen(name) + 1,
		.is_flag = true,
		.is_taken = flag->kind == FLAG_VOLUMES_FROM,
		.digest = "",
	};
	source->len = strlen(source->text);
	tree = flag_tree(ctx, flag, source);
	if (tree != NULL)
		keys_check(ctx, tree);
	return tree;
}

struct policy_node *layers_from_flags(struct policy_ctx *ctx)
{
	const struct policy_request *request = ctx->request;
	struct policy_node *all = NULL;

	/* As in Docker, what a file says, or another sandbox has, counts less than any flag,
	 * wherever they stand. */
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < request->n_flags; i++) {
			struct policy_node *tree = counts_less(&request->flags[i]) == (pass == 0)
							   ? read_flag(ctx, &request->flags[i])
							   : NULL;

			if (tree != NULL)
				all = merge_trees(ctx, all, tree);
		}
	return all;
}
