/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Setters of the table of keys, and the steps that need only the merged tree; see resolve.h. */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "base/parse.h"
#include "base/str.h"
#include "policy/keys.h"
#include "policy/layers.h"
#include "policy/paths.h"
#include "policy/resolve.h"

enum { HOSTNAME_MAX_BYTES = 64 };

uint64_t keys_number(const struct policy_key *key, const struct policy_node *node)
{
	uint64_t value = 0;
	int r;

	if ((key->flags & KEY_UNLIMITED) && str_equal(node->text, "unlimited"))
		return SPEC_UNLIMITED;
	r = key->type == KEY_DURATION   ? parse_duration(node->text, &value)
	    : key->type == KEY_SIZE     ? parse_size(node->text, &value)
	    : key->type == KEY_RATE     ? parse_rate(node->text, &value)
	    : key->type == KEY_BIT_RATE ? parse_bit_rate(node->text, &value)
	    : key->type == KEY_DECIMAL  ? parse_millionths(node->text, &value)
					: parse_u64(node->text, &value);
	/* keys_check has read the same text; were that ever wrong, the limit is the tightest. */
	return r < 0 ? 0 : value;
}

static void bad_value(struct policy_ctx *ctx, const struct policy_key *key,
		      const struct policy_node *node, const char *expected)
{
	ctx_report(ctx, node->place, "bad-value", "%s cannot be '%s'", key->path, node->text)
		->expected = expected;
}

POLICY_SETTER(apply_number)
{
	uint64_t value = keys_number(key, node);

	if (value == 0)
		bad_value(ctx, key, node, "It is greater than 0.");
	memcpy((char *)spec + key->place, &value, sizeof(value));
}

POLICY_SETTER(apply_duration)
{
	uint64_t value = keys_number(key, node);

	(void)ctx;
	memcpy((char *)spec + key->place, &value, sizeof(value));
}

POLICY_SETTER(apply_nproc)
{
	spec->limits.nproc = keys_number(key, node);
	spec->limits.nproc_origin = doc_origin(node->place);
	if (spec->limits.nproc == 0)
		bad_value(ctx, key, node, "The program itself is one process.");
}

POLICY_SETTER(apply_wall_time)
{
	spec->limits.wall_time_ms = keys_number(key, node);
	spec->limits.wall_time_origin = doc_origin(node->place);
	if (spec->limits.wall_time_ms == 0)
		bad_value(ctx, key, node, "It is longer than 0; unlimited stands for no limit.");
}

POLICY_SETTER(apply_ulimit)
{
	struct spec_limits *limits = &spec->limits;
	uint64_t value = keys_number(key, node);

	if (key->type == KEY_DURATION && value != SPEC_UNLIMITED) {
		if (value % 1000 != 0 || value == 0)
			bad_value(ctx, key, node, "The kernel counts whole seconds, 1s or more.");
		value /= 1000;
	}
	/* With 0 a core handler behind a pipe is still started; exactly 1 stops it too (core(5)).
	 */
	if (key->place == RLIMIT_CORE && value == 0)
		value = 1;
	if (limits->n_rlimits == SPEC_RLIMITS_MAX)
		return; /* the table has fewer rows */
	limits->rlimits[limits->n_rlimits++] = (struct spec_rlimit){
		.name = strrchr(key->path, '.') + 1,
		.resource = (int32_t)key->place,
		.value = value,
		.origin = doc_origin(node->place),
	};
}

POLICY_SETTER(apply_working_dir)
{
	if (node->text[0] != '/')
		bad_value(ctx, key, node, "It is an absolute path inside.");
	spec->process.working_dir = paths_absolute(ctx, "/", node->text);
}

/* A label or a dotted name, hostname(7): letters, digits and '-', none of the latter at an end. */
static bool is_hostname(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > HOSTNAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool is_edge = i == 0 || i + 1 == len || text[i - 1] == '.' || text[i + 1] == '.';
		bool is_letter = (text[i] >= 'a' && text[i] <= 'z') ||
				 (text[i] >= 'A' && text[i] <= 'Z') ||
				 (text[i] >= '0' && text[i] <= '9');

		if (!is_letter && (is_edge || (text[i] != '-' && text[i] != '.')))
			return false;
	}
	return true;
}

POLICY_SETTER(apply_hostname)
{
	if (!is_hostname(node->text))
		bad_value(ctx, key, node,
			  "It has 1 to 64 letters, digits, '-' and '.', as hostname(7) says.");
	spec->process.hostname = node->text;
}

/* A path that a file says, made absolute against that file's directory. */
static const char *said_path(struct policy_ctx *ctx, const struct policy_node *node,
			     const char *path)
{
	const char *dir = node->place.source->dir;

	if (path[0] != '/' && dir[0] != '/') {
		ctx_report(ctx, node->place, "bad-path", "'%s' is relative to no directory", path)
			->expected = "Here a path is absolute.";
		return "/";
	}
	return paths_absolute(ctx, dir, path);
}

static void read_root_kind(struct policy_ctx *ctx, const struct policy_node *from,
			   struct spec_rootfs *rootfs)
{
	rootfs->origin = doc_origin(from->place);
	if (str_equal(from->text, "host")) {
		rootfs->kind = ROOTFS_HOST;
	} else if (str_equal(from->text, "empty")) {
		rootfs->kind = ROOTFS_EMPTY;
	} else if (str_has_prefix(from->text, "dir:") && from->text[4] != '\0') {
		rootfs->kind = ROOTFS_DIR;
		rootfs->dir = said_path(ctx, from, from->text + 4);
		if (str_equal(rootfs->dir, "/"))
			ctx_report(ctx, from->place, "bad-path", "the host's root is not a rootfs")
				->hint = "Write 'from: host' for the host's programs.";
	} else if (str_has_prefix(from->text, "image:") && from->text[6] != '\0') {
		rootfs->kind = ROOTFS_IMAGE;
		rootfs->image = from->text + strlen("image:");
		rootfs->image_id = ctx->image != NULL ? ctx->image->id : "";
	} else {
		ctx_report(ctx, from->place, "bad-value", "rootfs.from cannot be '%s'", from->text)
			->expected = "It is one of: host, dir:PATH, image:NAME, empty.";
	}
}

static struct spec_origin said_at(const struct policy_node *root, const char *key)
{
	const struct policy_node *node = doc_find(root, key);

	return node != NULL ? doc_origin(node->place) : (struct spec_origin){.file = ""};
}

/* keys_check has seen to it that it is one of them. */
static enum spec_writable writable_kind(const char *word)
{
	static const struct {
		const char *word;
		enum spec_writable kind;
	} kinds[] = {{"tmpfs", WRITABLE_TMPFS},
		     {"image", WRITABLE_IMAGE},
		     {"project", WRITABLE_PROJECT},
		     {"auto", WRITABLE_AUTO}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (str_equal(word, kinds[i].word))
			return kinds[i].kind;
	return WRITABLE_NONE;
}

/*
 * How many files there may be where nobody but cordon has said it: as many as leave most of a small
 * size for what is in them. An ext4 has a table of 256 bytes for each (storage/quota.h), which no
 * store is given more than half of its size for.
 */
static void fit_inodes(const struct policy_node *root, struct spec_rootfs *rootfs)
{
	enum { MOST_SHARE = 2 * 256, SHARE = 8 * 256, LEAST = 16 };
	const struct policy_node *inodes = doc_find(root, "rootfs.writable.inodes");
	uint64_t fitting = rootfs->size_bytes / SHARE;

	if (inodes != NULL && !image_is_usual(inodes->place.source) &&
	    !layers_is_shipped(inodes->place.source))
		return;
	if (rootfs->writable != WRITABLE_AUTO && rootfs->writable != WRITABLE_IMAGE)
		return;
	if (rootfs->inodes > rootfs->size_bytes / MOST_SHARE)
		rootfs->inodes = fitting > LEAST ? fitting : LEAST;
}

void resolve_rootfs(struct policy_ctx *ctx, const struct policy_node *root,
		    struct sandbox_spec *spec)
{
	const struct policy_node *from = doc_find(root, "rootfs.from");
	const struct policy_node *writable = doc_find(root, "rootfs.writable");
	const struct policy_node *preallocate = doc_find(root, "rootfs.writable.preallocate");

	if (from != NULL)
		read_root_kind(ctx, from, &spec->rootfs);
	if (writable != NULL && writable->kind == NODE_MAPPING)
		writable = doc_get(writable, "store");
	if (writable != NULL) {
		spec->rootfs.writable = writable_kind(writable->text);
		spec->rootfs.writable_origin = doc_origin(writable->place);
	}
	spec->rootfs.preallocates = preallocate != NULL && str_equal(preallocate->text, "true");
	spec->rootfs.preallocate_origin = said_at(root, "rootfs.writable.preallocate");
	spec->rootfs.store = (struct spec_store){
		.size_key = "rootfs.writable.size",
		.inodes_key = "rootfs.writable.inodes",
		.size_origin = said_at(root, "rootfs.writable.size"),
		.inodes_origin = said_at(root, "rootfs.writable.inodes"),
	};
	fit_inodes(root, &spec->rootfs);
}

void resolve_capabilities(struct policy_ctx *ctx, const struct policy_node *root,
			  struct sandbox_spec *spec)
{
	const struct policy_node *drop = doc_find(root, "capabilities.drop");
	bool drops_all = drop == NULL; /* nothing said: nothing kept */

	for (const struct policy_node *item = drop != NULL ? drop->children : NULL; item != NULL;
	     item = item->next)
		drops_all |= str_equal(item->text, "ALL");
	if (!drops_all)
		keys_refuse_later(ctx, drop->place, "keeping capabilities (a drop without ALL)")
			->hint = "Write 'drop: [ALL]'.";
	spec->capabilities = 0;
}
