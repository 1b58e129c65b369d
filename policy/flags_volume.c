/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Docker's -v, --mount and --volumes-from, to an entry of `volumes`; see flags.h. Pure. */
#include <string.h>

#include "base/str.h"
#include "policy/flags.h"
#include "policy/yaml.h"

/* An entry that grows. */
struct entry {
	struct policy_ctx *ctx;
	const struct policy_source *source;
	struct policy_node *node;
};

static void put(struct entry *entry, const char *key, const char *value)
{
	doc_add(entry->node, doc_scalar(entry->ctx, key, value, flags_place(entry->source)));
}

static void put_nocopy(struct entry *entry)
{
	struct policy_node *volume = doc_node(entry->ctx, NODE_MAPPING, flags_place(entry->source));

	if (volume == NULL)
		return;
	volume->key = "volume";
	doc_add(volume, doc_scalar(entry->ctx, "nocopy", "true", flags_place(entry->source)));
	doc_add(entry->node, volume);
}

static struct policy_node *list_of(struct entry *entry)
{
	struct policy_node *list = doc_node(entry->ctx, NODE_SEQUENCE, flags_place(entry->source));

	doc_add(list, entry->node);
	return flags_nest(entry->ctx, "+volumes", list);
}

/* ---- -v ---- */

struct modes {
	bool is_read_only;
	bool has_nocopy;
};

static bool read_modes(const struct entry *entry, const char *text, struct modes *ret)
{
	while (*text != '\0') {
		size_t len = strcspn(text, ",");
		const char *mode = ctx_copy(entry->ctx, text, len);

		text += len + (text[len] == ',');
		if (str_equal(mode, "ro") || str_equal(mode, "rw")) {
			ret->is_read_only = str_equal(mode, "ro");
		} else if (str_equal(mode, "nocopy")) {
			ret->has_nocopy = true;
		} else if (!str_equal(mode, "private") && !str_equal(mode, "rprivate")) {
			flags_refuse(entry->ctx, entry->source, "a volume has no option '%s' here",
				     mode)
				->expected = "There are ro, rw and nocopy.";
			return false;
		}
	}
	return true;
}

/* [SOURCE:]TARGET[:MODE,...]. Docker's default is that it can be written to. */
struct policy_node *flags_volume(struct policy_ctx *ctx, struct policy_source *source,
				 const char *text)
{
	struct entry entry = {.ctx = ctx,
			      .source = source,
			      .node = doc_node(ctx, NODE_MAPPING, flags_place(source))};
	size_t first_len = strcspn(text, ":");
	const char *first = ctx_copy(ctx, text, first_len);
	const char *target = text[first_len] == ':' ? text + first_len + 1 : NULL;
	size_t target_len = target != NULL ? strcspn(target, ":") : 0;
	struct modes modes = {.is_read_only = false};
	bool is_path = strchr(first, '/') != NULL || first[0] == '.';

	if (entry.node == NULL)
		return NULL;
	if (first_len == 0 || (target != NULL && target_len == 0)) {
		flags_refuse(ctx, source, "'%s' is no volume", text)->expected =
			"It is [NAME:|/HOST/PATH:]/TARGET[:ro|rw].";
		return NULL;
	}
	if (target != NULL && target[target_len] == ':' &&
	    !read_modes(&entry, target + target_len + 1, &modes))
		return NULL;
	put(&entry, "type", target != NULL && is_path ? "bind" : "volume");
	if (target != NULL)
		put(&entry, "source", first);
	put(&entry, "target", target != NULL ? ctx_copy(ctx, target, target_len) : first);
	put(&entry, "read_only", modes.is_read_only ? "true" : "false");
	if (modes.has_nocopy)
		put_nocopy(&entry);
	return list_of(&entry);
}

/* ---- --mount ---- */

static const struct {
	const char *word;
	const char *key; /* of the entry; "": what is done with it is said below */
} mount_words[] = {
	{"type", "type"},          {"source", "source"},      {"src", "source"},
	{"target", "target"},      {"destination", "target"}, {"dst", "target"},
	{"readonly", "read_only"}, {"ro", "read_only"},       {"tmpfs-mode", "mode"},
	{"tmpfs-size", "size"},    {"volume-nocopy", ""},     {"volume-driver", ""},
	{"bind-propagation", ""},
};
enum { N_MOUNT_WORDS = sizeof(mount_words) / sizeof(mount_words[0]) };

static bool is_truth(const char *value, bool *ret)
{
	bool is_true = str_equal(value, "") || str_equal(value, "true") || str_equal(value, "1");

	*ret = is_true;
	return is_true || str_equal(value, "false") || str_equal(value, "0");
}

/* What has no key of its own. False: reported. */
static bool put_other(struct entry *entry, const char *word, const char *value)
{
	bool is_true;

	if (str_equal(word, "volume-nocopy") && is_truth(value, &is_true)) {
		if (is_true)
			put_nocopy(entry);
		return true;
	}
	if ((str_equal(word, "volume-driver") && str_equal(value, "local")) ||
	    (str_equal(word, "bind-propagation") &&
	     (str_equal(value, "private") || str_equal(value, "rprivate"))))
		return true;
	flags_refuse(entry->ctx, entry->source, "%s cannot be '%s' here", word, value);
	return false;
}

static bool put_word(struct entry *entry, const char *text, bool *has_type)
{
	size_t len = strcspn(text, "=");
	const char *word = ctx_copy(entry->ctx, text, len);
	const char *value = text[len] == '=' ? text + len + 1 : "";
	size_t i = 0;
	bool is_true;

	while (i < N_MOUNT_WORDS && !str_equal(mount_words[i].word, word))
		i++;
	if (i == N_MOUNT_WORDS) {
		flags_refuse(entry->ctx, entry->source, "a mount has no '%s' here", word)
			->expected = "There are type, source, target, readonly, tmpfs-size, "
				     "tmpfs-mode and volume-nocopy.";
		return false;
	}
	if (mount_words[i].key[0] == '\0')
		return put_other(entry, word, value);
	if (doc_get(entry->node, mount_words[i].key) != NULL) {
		flags_refuse(entry->ctx, entry->source, "%s is said twice", mount_words[i].key);
		return false;
	}
	*has_type = *has_type || str_equal(word, "type");
	if (str_equal(mount_words[i].key, "size")) {
		value = flags_size(entry->ctx, value);
	} else if (str_equal(mount_words[i].key, "read_only")) {
		if (!is_truth(value, &is_true)) {
			flags_refuse(entry->ctx, entry->source, "%s cannot be '%s'", word, value);
			return false;
		}
		value = is_true ? "true" : "false";
	}
	put(entry, mount_words[i].key, value);
	return true;
}

/* KEY=VALUE,... */
struct policy_node *flags_mount(struct policy_ctx *ctx, struct policy_source *source,
				const char *text)
{
	struct entry entry = {.ctx = ctx,
			      .source = source,
			      .node = doc_node(ctx, NODE_MAPPING, flags_place(source))};
	bool has_type = false;

	if (entry.node == NULL)
		return NULL;
	while (*text != '\0') {
		size_t len = strcspn(text, ",");

		if (!put_word(&entry, ctx_copy(ctx, text, len), &has_type))
			return NULL;
		text += len + (text[len] == ',');
	}
	if (!has_type)
		put(&entry, "type", "volume");
	if (doc_get(entry.node, "read_only") == NULL)
		put(&entry, "read_only", "false");
	return list_of(&entry);
}

/* ---- --volumes-from ---- */

/* An entry of `volumes` as it is. */
struct policy_node *flags_taken(struct policy_ctx *ctx, struct policy_source *source,
				const char *text)
{
	struct entry entry = {.ctx = ctx,
			      .source = source,
			      .node = yaml_parse(ctx, source, text, strlen(text))};

	return entry.node != NULL ? list_of(&entry) : NULL;
}
