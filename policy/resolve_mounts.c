/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * volumes, --ro, --rw, and the one file of `cordon run -- ./a.out`: entries to spec_mount.
 *
 * A target never lies at or below /proc or /dev, which cordon makes itself, and a source never at,
 * below or above the host's /proc, /sys or /dev: such a bind would show the host's processes,
 * devices or kernel settings inside.
 */
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "policy/keys.h"
#include "policy/paths.h"
#include "policy/resolve.h"

enum { DEFAULT_TMPFS_BYTES = 16 << 20, DEFAULT_TMPFS_INODES = 4096, DEFAULT_TMPFS_MODE = 01777 };

static const char cwd_variable[] = "${cwd}";

/* Directories that ${cwd} may not stand for: what it would show is never what was meant. */
static const char *const system_dirs[] = {
	"/boot", "/dev",  "/etc", "/lib", "/lib32", "/lib64", "/libx32",
	"/bin",  "/proc", "/run", "/sys", "/sbin",  "/usr",   "/var/lib",
};
static const char *const system_tops[] = {"/",    "/home", "/root", "/opt",     "/srv",
					  "/tmp", "/var",  "/mnt",  "/var/tmp", "/media"};

static const char *cwd_trouble(const struct policy_ctx *ctx)
{
	const char *cwd = ctx->host->cwd;

	if (cwd[0] == '\0')
		return "the working directory is gone";
	if (ctx->host->home[0] != '\0' && str_equal(cwd, ctx->host->home))
		return "the working directory is a home directory";
	if (str_has_prefix(cwd, "/home/") && strchr(cwd + 6, '/') == NULL)
		return "the working directory is a home directory";
	for (size_t i = 0; i < sizeof(system_tops) / sizeof(system_tops[0]); i++)
		if (str_equal(cwd, system_tops[i]))
			return "the working directory is a system directory";
	for (size_t i = 0; i < sizeof(system_dirs) / sizeof(system_dirs[0]); i++)
		if (paths_is_at_or_below(cwd, system_dirs[i]))
			return "the working directory is a system directory";
	return NULL;
}

/* Whether this reading's working directory may be shown, reported at place where not. */
static bool may_use_cwd(struct policy_ctx *ctx, struct policy_place place)
{
	const char *trouble = cwd_trouble(ctx);

	if (trouble == NULL)
		return true;
	ctx_report(ctx, place, "cwd", "${cwd} is refused: %s", trouble)->hint =
		"Start cordon in the project's own directory.";
	return false;
}

/* Puts the working directory in the place of the variable; NULL where that is refused. A text
 * without a variable is returned as it is. */
static const char *expand(struct policy_ctx *ctx, struct policy_place place, const char *text)
{
	size_t len = strlen(cwd_variable);

	if (str_has_prefix(text, cwd_variable) && (text[len] == '\0' || text[len] == '/')) {
		if (!may_use_cwd(ctx, place))
			return NULL;
		return paths_absolute(ctx, ctx->host->cwd, text[len] == '/' ? text + len + 1 : "");
	}
	/* What a flag says is the path itself: the shell has had its say already. */
	if (strstr(text, "${") == NULL || (place.source->is_flag && text[0] == '/'))
		return text;
	ctx_report(ctx, place, "bad-variable", "'%s' has an unknown variable", text)->expected =
		"The only variable is ${cwd}, at the beginning.";
	return NULL;
}

const char *resolve_source(struct policy_ctx *ctx, struct policy_place place, const char *said)
{
	const char *dir = place.source->dir;
	const char *text = expand(ctx, place, said);

	if (text == NULL)
		return NULL;
	if (text[0] != '/' && dir[0] != '/') {
		ctx_report(ctx, place, "bad-path", "'%s' is relative to no directory", text)
			->expected = "Here a source is absolute.";
		return NULL;
	}
	return paths_absolute(ctx, dir, text);
}

static bool check_source(struct policy_ctx *ctx, struct policy_place place, const char *source)
{
	static const char *const kernel_dirs[] = {"/proc", "/sys", "/dev"};

	for (size_t i = 0; i < sizeof(kernel_dirs) / sizeof(kernel_dirs[0]); i++) {
		if (!paths_is_at_or_below(source, kernel_dirs[i]) &&
		    !paths_is_at_or_below(kernel_dirs[i], source))
			continue;
		ctx_report(ctx, place, "bad-source", "'%s' would show the host's %s", source,
			   kernel_dirs[i])
			->expected = "A source is neither /proc, /sys or /dev nor below or above.";
		return false;
	}
	return true;
}

const char *resolve_inside(struct policy_ctx *ctx, struct policy_place place, const char *said)
{
	const char *text = expand(ctx, place, said);

	if (text == NULL)
		return NULL;
	if (text[0] == '/')
		return paths_absolute(ctx, "/", text);
	ctx_report(ctx, place, "bad-path", "'%s' is not an absolute path", said)->expected =
		"It is a path inside, or ${cwd}.";
	return NULL;
}

bool resolve_target(struct policy_ctx *ctx, struct policy_place place, const char *said,
		    const char **ret_target)
{
	const char *text = expand(ctx, place, said);
	const char *target;
	const char *why = NULL;

	if (text == NULL)
		return false;
	target = paths_absolute(ctx, "/", text);
	if (text[0] != '/')
		why = "it is absolute";
	else if (str_equal(target, "/"))
		why = "it is below the root";
	else if (paths_is_at_or_below(target, "/proc") || paths_is_at_or_below(target, "/dev"))
		why = "it is not at or below /proc or /dev, which cordon makes itself";
	if (why != NULL) {
		ctx_report(ctx, place, "bad-target", "'%s' cannot be a target", text)->expected =
			ctx_format(ctx, "A target is a path inside: %s.", why);
		return false;
	}
	*ret_target = target;
	return true;
}

/* A directory of the host, not the name of a volume (as in Compose). */
static bool is_path(const char *source)
{
	return strchr(source, '/') != NULL || str_equal(source, cwd_variable) ||
	       str_equal(source, ".") || str_equal(source, "..");
}

/* "[SOURCE:]TARGET[:ro|rw]" */
static bool read_short(struct policy_ctx *ctx, const struct policy_node *node,
		       struct spec_mount *mount)
{
	const char *text = node->text;
	size_t source_len = strcspn(text, ":");
	const char *target = text[source_len] == ':' ? text + source_len + 1 : NULL;
	size_t target_len = target != NULL ? strcspn(target, ":") : 0;
	const char *source = ctx_copy(ctx, text, source_len);
	bool is_volume = target == NULL ? source[0] == '/' : !is_path(source);
	const char *mode = target != NULL && target[target_len] == ':' ? target + target_len + 1
			   : is_volume                                 ? "rw"
								       : "ro";

	if ((target == NULL && !is_volume) || source_len == 0 ||
	    (!str_equal(mode, "ro") && !str_equal(mode, "rw"))) {
		ctx_report(ctx, node->place, "bad-value", "volumes cannot have '%s'", text)
			->expected = "It is SOURCE:TARGET, SOURCE:TARGET:ro or SOURCE:TARGET:rw, "
				     "where SOURCE is a path or a volume's name; or TARGET.";
		return false;
	}
	mount->read_only = str_equal(mode, "ro");
	if (is_volume) {
		mount->type = MOUNT_VOLUME;
		mount->is_copied_to = true;
		mount->source = target != NULL ? source : "";
		return resolve_target(ctx, node->place,
				      target != NULL ? ctx_copy(ctx, target, target_len) : source,
				      &mount->target);
	}
	mount->type = MOUNT_BIND;
	mount->source = resolve_source(ctx, node->place, source);
	return mount->source != NULL && check_source(ctx, node->place, mount->source) &&
	       resolve_target(ctx, node->place, ctx_copy(ctx, target, target_len), &mount->target);
}

static const char *const type_names[] = {
	[MOUNT_BIND] = "bind", [MOUNT_TMPFS] = "tmpfs", [MOUNT_VOLUME] = "volume"};

/* Keys that belong to another kind of mount are mistakes, not noise. */
static bool check_keys_of_type(struct policy_ctx *ctx, const struct policy_node *node,
			       enum spec_mount_type type)
{
	static const struct {
		const char *key;
		bool is_of[3]; /* by type */
	} keys[] = {
		{"source", {[MOUNT_BIND] = true, [MOUNT_VOLUME] = true}},
		{"read_only_below", {[MOUNT_BIND] = true}},
		{"hide_below", {[MOUNT_BIND] = true}},
		{"size", {[MOUNT_TMPFS] = true}},
		{"inodes", {[MOUNT_TMPFS] = true}},
		{"mode", {[MOUNT_TMPFS] = true}},
		{"volume", {[MOUNT_VOLUME] = true}},
	};
	bool is_good = true;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct policy_node *child = doc_get(node, keys[i].key);

		if (child == NULL || keys[i].is_of[type])
			continue;
		ctx_report(ctx, child->key_place, "impossible", "a %s has no '%s'",
			   type_names[type], keys[i].key);
		is_good = false;
	}
	return is_good;
}

static void read_options(const struct policy_node *node, struct spec_mount *mount)
{
	const struct policy_node *options = doc_get(node, "options");
	const struct policy_node *read_only = doc_get(node, "read_only");

	/* noexec is the only word that the table lets through. */
	mount->noexec = options != NULL && options->children != NULL;
	mount->read_only =
		read_only != NULL ? str_equal(read_only->text, "true") : mount->type == MOUNT_BIND;
}

/* To tmpfs 0 means "no limit", which here it shall never mean by accident. */
static bool read_amount(struct policy_ctx *ctx, const struct policy_node *node,
			int (*parse)(const char *, uint64_t *), uint64_t *amount)
{
	/* The table has checked the form. */
	if (node == NULL || (parse(node->text, amount) == 0 && *amount > 0))
		return true;
	ctx_report(ctx, node->place, "bad-value", "%s of a tmpfs cannot be '%s'", node->key,
		   node->text)
		->expected = "It is greater than 0.";
	return false;
}

static bool read_tmpfs(struct policy_ctx *ctx, const struct policy_node *node,
		       struct spec_mount *mount)
{
	const struct policy_node *mode = doc_get(node, "mode");

	mount->size_bytes = DEFAULT_TMPFS_BYTES;
	mount->inodes = DEFAULT_TMPFS_INODES;
	mount->mode = DEFAULT_TMPFS_MODE;
	if (mode != NULL && parse_mode(mode->text, &mount->mode) < 0)
		return false; /* the table has checked it */
	return read_amount(ctx, doc_get(node, "size"), parse_size, &mount->size_bytes) &&
	       read_amount(ctx, doc_get(node, "inodes"), parse_u64, &mount->inodes);
}

/* What its name may be the store says. */
static bool read_volume(const struct policy_node *node, const struct policy_node *source,
			struct spec_mount *mount)
{
	const struct policy_node *own = doc_get(node, "volume");
	const struct policy_node *nocopy = own != NULL ? doc_get(own, "nocopy") : NULL;

	mount->source = source != NULL ? source->text : "";
	mount->is_copied_to = nocopy == NULL || !str_equal(nocopy->text, "true");
	return true;
}

static bool read_map(struct policy_ctx *ctx, const struct policy_node *node,
		     struct spec_mount *mount)
{
	const struct policy_node *type = doc_get(node, "type");
	const struct policy_node *source = doc_get(node, "source");
	const struct policy_node *target = doc_get(node, "target");
	bool is_bind = type != NULL ? str_equal(type->text, "bind") : source != NULL;
	bool is_volume = type != NULL && str_equal(type->text, "volume");

	if (target == NULL || (is_bind && source == NULL) || (!is_bind && type == NULL)) {
		/* Where a key was refused already, its absence is no second mistake. */
		if (!node->is_damaged)
			ctx_report(ctx, node->place, "missing-key", "this volume lacks '%s'",
				   target == NULL ? "target" : (is_bind ? "source" : "type"));
		return false;
	}
	mount->type = is_bind ? MOUNT_BIND : is_volume ? MOUNT_VOLUME : MOUNT_TMPFS;
	if (!check_keys_of_type(ctx, node, mount->type))
		return false;
	read_options(node, mount);
	if (!resolve_target(ctx, target->place, target->text, &mount->target))
		return false;
	if (is_volume)
		return read_volume(node, source, mount);
	if (!is_bind)
		return read_tmpfs(ctx, node, mount);
	mount->source = resolve_source(ctx, source->place, source->text);
	return mount->source != NULL && check_source(ctx, source->place, mount->source) &&
	       resolve_protected(ctx, node, mount);
}

/* What is not said itself is said by the volume, which has the usual amount then. */
static struct spec_origin origin_of(const struct policy_node *volume, const char *key)
{
	const struct policy_node *node = doc_get(volume, key);

	return doc_origin(node != NULL ? node->place : volume->place);
}

static void name_store(struct policy_ctx *ctx, const struct policy_node *node, size_t index,
		       struct spec_store *store)
{
	*store = (struct spec_store){
		.size_key = ctx_format(ctx, "volumes[%zu].size", index),
		.inodes_key = ctx_format(ctx, "volumes[%zu].inodes", index),
		.size_origin = origin_of(node, "size"),
		.inodes_origin = origin_of(node, "inodes"),
	};
}

struct mount_list {
	struct spec_mount *mounts;
	struct policy_place *places; /* of each */
	size_t n;
};

/* What is protected stays so until its own list is written anew: a flag is no waiver. */
static bool replaces_protected(struct policy_ctx *ctx, struct policy_place place,
			       const struct spec_mount *old)
{
	if (old->n_protected == 0)
		return false;
	ctx_report(ctx, place, "duplicate-target", "'%s' is mounted already, with protected paths",
		   old->target)
		->expected = ctx_format(ctx, "They are said in %s, line %u.", old->origin.file,
					old->origin.line);
	return true;
}

/* Puts the mount at its place in the order. A later layer's mount takes the place of an earlier
 * one's on the same target (`--ro .` in /tmp), and any one that of a mount that was taken from
 * another sandbox; two of one layer are a mistake. */
static void insert_mount(struct policy_ctx *ctx, struct mount_list *list, struct policy_place place,
			 const struct spec_mount *mount)
{
	size_t at = list->n;

	for (; at > 0 && paths_compare(list->mounts[at - 1].target, mount->target) > 0; at--) {
	}
	if (at > 0 && str_equal(list->mounts[at - 1].target, mount->target) &&
	    (list->mounts[at - 1].is_taken ||
	     !str_equal(list->mounts[at - 1].origin.file, mount->origin.file))) {
		if (replaces_protected(ctx, place, &list->mounts[at - 1]))
			return;
		list->mounts[at - 1] = *mount;
		list->places[at - 1] = place;
		return;
	}
	if (at > 0 && str_equal(list->mounts[at - 1].target, mount->target)) {
		ctx_report(ctx, place, "duplicate-target", "'%s' is mounted twice", mount->target)
			->expected = list->mounts[at - 1].origin.line == 0
					     ? "Another flag says it already."
					     : ctx_format(ctx, "It is first said in %s, line %u.",
							  list->mounts[at - 1].origin.file,
							  list->mounts[at - 1].origin.line);
		return;
	}
	memmove(&list->mounts[at + 1], &list->mounts[at], (list->n - at) * sizeof(list->mounts[0]));
	memmove(&list->places[at + 1], &list->places[at], (list->n - at) * sizeof(list->places[0]));
	list->mounts[at] = *mount;
	list->places[at] = place;
	list->n++;
}

/* A mount over a protected path, or over what leads to it, would make the protection hold for
 * something else than what was meant. */
static void check_covered(struct policy_ctx *ctx, const struct mount_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		for (size_t k = 0; k < list->n; k++)
			if (i != k &&
			    resolve_covers_protected(ctx, list->places[k], list->mounts[k].target,
						     &list->mounts[i]))
				break;
}

/* Whether the rootfs or a mount shows the host's file at path inside already. */
static bool is_visible(const struct sandbox_spec *spec, const struct mount_list *list,
		       const char *path)
{
	static const char *const host_dirs[] = {"/usr",   "/bin",   "/sbin",  "/lib",
						"/lib32", "/lib64", "/libx32"};
	const struct spec_mount *above = NULL;

	/* Parents stand first, so the last one that holds it is the nearest. */
	for (size_t i = 0; i < list->n; i++)
		if (paths_is_at_or_below(path, list->mounts[i].target))
			above = &list->mounts[i];
	if (above != NULL)
		return above->type != MOUNT_TMPFS;
	for (size_t i = 0; i < sizeof(host_dirs) / sizeof(host_dirs[0]); i++)
		if (spec->rootfs.kind == ROOTFS_HOST && paths_is_at_or_below(path, host_dirs[i]))
			return true;
	return false;
}

/* `cordon run -- ./a.out` shows that one file, read-only. */
static void add_program(struct policy_ctx *ctx, const struct sandbox_spec *spec,
			struct mount_list *list)
{
	const char *path = spec->process.program;
	struct policy_source source = {.path = "command line", .is_flag = true, .text = ""};
	struct spec_mount mount = {
		.type = MOUNT_BIND,
		.source = path,
		.target = path,
		.read_only = true,
		.is_program = true,
		.origin = {.file = "command line"},
	};

	if (path[0] != '/' || spec->rootfs.kind == ROOTFS_DIR ||
	    spec->rootfs.kind == ROOTFS_IMAGE || is_visible(spec, list, path))
		return;
	/* A path that cannot be mounted fails as a program that is not there: exit code 127. */
	if (str_equal(path, "/") || paths_is_at_or_below(path, "/proc") ||
	    paths_is_at_or_below(path, "/dev") || paths_is_at_or_below(path, "/sys"))
		return;
	insert_mount(ctx, list, (struct policy_place){.source = &source}, &mount);
}

void resolve_mounts(struct policy_ctx *ctx, const struct policy_node *root,
		    struct sandbox_spec *spec)
{
	const struct policy_node *volumes = doc_get(root, "volumes");
	struct mount_list list = {.n = 0};
	size_t n = 1; /* the program's own */
	size_t index = 0;

	for (const struct policy_node *node = volumes != NULL ? volumes->children : NULL;
	     node != NULL; node = node->next)
		n++;
	list.mounts = ctx_array(ctx, n, sizeof(*list.mounts));
	list.places = ctx_array(ctx, n, sizeof(*list.places));
	if (list.mounts == NULL || list.places == NULL)
		return;
	for (const struct policy_node *node = volumes != NULL ? volumes->children : NULL;
	     node != NULL; node = node->next, index++) {
		struct spec_mount mount = {.source = "",
					   .is_taken = node->place.source->is_taken,
					   .origin = doc_origin(node->place)};
		const char *waiver;

		if (node->kind == NODE_MAPPING ? !read_map(ctx, node, &mount)
					       : !read_short(ctx, node, &mount))
			continue;
		if (mount.type == MOUNT_TMPFS)
			name_store(ctx, node, index, &mount.store);
		waiver = ctx_format(ctx, "host_root_write:%s", mount.source);
		mount.host_root_write_waived =
			mount.type == MOUNT_BIND && resolve_find_waiver(spec, waiver) != NULL;
		insert_mount(ctx, &list, node->place, &mount);
	}
	add_program(ctx, spec, &list);
	check_covered(ctx, &list);
	spec->mounts = list.mounts;
	spec->n_mounts = list.n;
}
