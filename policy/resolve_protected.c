/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read_only_below and hide_below: what stays protected inside a bind. Here only the text is judged;
 * what the host has at the paths is preflight's (launcher/protected.c).
 */
#include <limits.h>
#include <string.h>

#include "base/str.h"
#include "policy/paths.h"
#include "policy/resolve.h"

/* Relative, and written the one way that it can be compared: no empty part, no "." and "..". */
static bool is_plain_path(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len >= PATH_MAX / 4)
		return false;
	for (const char *part = text;; part += strcspn(part, "/") + 1) {
		size_t n = strcspn(part, "/");

		if (n == 0 || n > NAME_MAX || (n == 1 && part[0] == '.') ||
		    (n == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		if (part[n] == '\0')
			return true;
	}
}

struct protected_list {
	struct spec_protected *list;
	size_t n;
};

static const char *name_of(enum spec_protection protection)
{
	return protection == PROTECT_HIDDEN ? "hidden" : "read-only";
}

/* Whether the path may stand beside what the list has; else the mistake is reported. */
static bool fits(struct policy_ctx *ctx, const struct protected_list *list,
		 const struct policy_node *node, enum spec_protection protection)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct spec_protected *other = &list->list[i];
		bool is_same = str_equal(other->path, node->text);

		if (is_same) {
			ctx_report(ctx, node->place, "duplicate", "'%s' is %s already", node->text,
				   name_of(other->protection))
				->hint = "What is hidden cannot be changed either.";
			return false;
		}
		/* A hidden path below a read-only one is the one pair that says two things. */
		if (paths_is_at_or_below(node->text, other->path) &&
		    (other->protection == PROTECT_HIDDEN || protection == PROTECT_READ_ONLY)) {
			ctx_report(ctx, node->place, "duplicate", "'%s' lies below '%s'",
				   node->text, other->path)
				->expected = ctx_format(ctx, "That is %s, with all that is in it.",
							name_of(other->protection));
			return false;
		}
		if (paths_is_at_or_below(other->path, node->text) &&
		    (protection == PROTECT_HIDDEN || other->protection == PROTECT_READ_ONLY)) {
			ctx_report(ctx, node->place, "duplicate", "'%s' holds '%s'", node->text,
				   other->path)
				->expected = "Of the two, the one above is enough.";
			return false;
		}
	}
	return true;
}

static void insert(struct protected_list *list, const struct spec_protected *entry)
{
	size_t at = list->n;

	for (; at > 0 && paths_compare(list->list[at - 1].path, entry->path) > 0; at--)
		list->list[at] = list->list[at - 1];
	list->list[at] = *entry;
	list->n++;
}

static bool read_list(struct policy_ctx *ctx, const struct policy_node *node,
		      enum spec_protection protection, struct protected_list *list)
{
	bool is_good = true;

	for (const struct policy_node *item = node != NULL ? node->children : NULL; item != NULL;
	     item = item->next) {
		struct spec_protected entry = {.path = item->text,
					       .protection = protection,
					       .origin = doc_origin(item->place)};

		if (!is_plain_path(item->text)) {
			ctx_report(ctx, item->place, "bad-path", "%s cannot have '%s'", node->key,
				   item->text)
				->expected = "It is a path below the source, such as .git or "
					     "a/b, without '.', '..' and empty parts.";
			is_good = false;
		} else if (fits(ctx, list, item, protection)) {
			insert(list, &entry);
		} else {
			is_good = false;
		}
	}
	return is_good;
}

static size_t count(const struct policy_node *node)
{
	size_t n = 0;

	for (const struct policy_node *item = node != NULL ? node->children : NULL; item != NULL;
	     item = item->next)
		n++;
	return n;
}

bool resolve_protected(struct policy_ctx *ctx, const struct policy_node *volume,
		       struct spec_mount *mount)
{
	const struct policy_node *read_only = doc_get(volume, "read_only_below");
	const struct policy_node *hidden = doc_get(volume, "hide_below");
	struct protected_list list = {.n = 0};
	bool is_good;

	list.list = ctx_array(ctx, count(read_only) + count(hidden) + 1, sizeof(*list.list));
	if (list.list == NULL)
		return false;
	is_good = read_list(ctx, read_only, PROTECT_READ_ONLY, &list);
	is_good = read_list(ctx, hidden, PROTECT_HIDDEN, &list) && is_good;
	mount->protected = list.list;
	mount->n_protected = list.n;
	return is_good;
}

bool resolve_covers_protected(struct policy_ctx *ctx, struct policy_place place, const char *target,
			      const struct spec_mount *bind)
{
	size_t len = strlen(bind->target);

	if (!paths_is_at_or_below(target, bind->target) || str_equal(target, bind->target))
		return false;
	for (size_t i = 0; i < bind->n_protected; i++) {
		const char *below = target + len + 1;

		if (!paths_is_at_or_below(below, bind->protected[i].path) &&
		    !paths_is_at_or_below(bind->protected[i].path, below))
			continue;
		ctx_report(ctx, place, "covers-protected", "'%s' and the protected '%s/%s' overlap",
			   target, bind->target, bind->protected[i].path)
			->expected =
			ctx_format(ctx, "Nothing is mounted on, above or below a path that is %s.",
				   name_of(bind->protected[i].protection));
		return true;
	}
	return false;
}
