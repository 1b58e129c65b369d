/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads policy trees by the table of keys.c: keys_check takes out of one layer all that is not in
 * order and says why; keys_apply walks the merged tree. Pure; in the process that reads the policy.
 */
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "policy/keys.h"

enum { PATH_MAX_KEY = 256, MAX_SIBLINGS = 64 };

const struct policy_key *keys_find(const char *path)
{
	for (size_t i = 0; i < policy_n_keys; i++)
		if (str_equal(policy_keys[i].path, path))
			return &policy_keys[i];
	return NULL;
}

/* The last part of a key's path. */
static const char *last_part(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot != NULL ? dot + 1 : path;
}

bool keys_is_child(const struct policy_key *key, const char *parent)
{
	size_t len = strlen(parent);
	const char *rest = key->path;

	if (len > 0) {
		if (!str_has_prefix(rest, parent) || rest[len] != '.')
			return false;
		rest += len + 1;
	}
	return strpbrk(rest, ".[*") == NULL;
}

static void child_path(char *path, const char *parent, const char *name)
{
	str_format(path, PATH_MAX_KEY, "%s%s%s", parent, parent[0] != '\0' ? "." : "", name);
}

struct policy_problem *keys_refuse_later(struct policy_ctx *ctx, struct policy_place place,
					 const char *what)
{
	struct policy_problem *problem =
		ctx_report(ctx, place, "not-enforced", "%s is not enforced by this build", what);

	problem->expected = "A policy never asks for more than it gets, so this is refused, not "
			    "ignored.";
	return problem;
}

static void report_unknown(struct policy_ctx *ctx, const struct policy_node *node,
			   const char *parent)
{
	const char *siblings[MAX_SIBLINGS];
	struct policy_problem *problem =
		ctx_report(ctx, node->key_place, "unknown-key", "unknown key '%s'%s%s", node->key,
			   parent[0] != '\0' ? " in " : "", parent);
	size_t n = 0;
	const char *list = "";

	for (size_t i = 0; i < policy_n_keys && n < MAX_SIBLINGS; i++)
		if (keys_is_child(&policy_keys[i], parent))
			siblings[n++] = last_part(policy_keys[i].path);
	for (size_t i = 0; i < n; i++)
		list = ctx_format(ctx, "%s%s%s", list, i > 0 ? ", " : "", siblings[i]);
	problem->expected = ctx_format(ctx, "Keys here are: %s.", list);
	ctx_suggest(ctx, problem, node->key, siblings, n);
	for (size_t i = 0; i < policy_n_keys; i++)
		if (problem->hint[0] == '\0' && strchr(policy_keys[i].path, '[') == NULL &&
		    str_equal(last_part(policy_keys[i].path), node->key))
			problem->hint = ctx_format(ctx, "did you mean '%s'?", policy_keys[i].path);
}

/* What a key of this type wants, as a sentence. */
static const char *expectation(struct policy_ctx *ctx, const struct policy_key *key)
{
	const char *more = key->flags & KEY_UNLIMITED ? ", or unlimited" : "";

	switch (key->type) {
	case KEY_MAP:
		return "It is a map of keys; {} is an empty one.";
	case KEY_FREE_MAP:
		return "It is a map of names and texts; {} is an empty one.";
	case KEY_LIST:
		return "It is a list; [] is an empty one.";
	case KEY_TEXT_OR_MAP:
		return key->words != NULL
			       ? ctx_format(ctx, "It is a map, or one of: %s.", key->words)
			       : "It is a text, or a map of keys.";
	case KEY_TEXT:
		return "It is a text.";
	case KEY_WORD:
		return ctx_format(ctx, "It is one of: %s.", key->words);
	case KEY_NUMBER:
		return ctx_format(ctx, "It is a whole number%s.", more);
	case KEY_SIZE:
		return ctx_format(ctx, "It is a size such as 64MiB%s.", more);
	case KEY_DURATION:
		return ctx_format(ctx, "It is a time with a unit, such as 2s or 1m30s%s.", more);
	case KEY_DECIMAL:
		return ctx_format(ctx, "It is a number such as 0.5 or 2%s.", more);
	case KEY_RATE:
		return ctx_format(ctx, "It is a size in a second, such as 50MiB/s%s.", more);
	case KEY_BIT_RATE:
		return ctx_format(ctx, "It is bits in a second, such as 10mbit%s.", more);
	case KEY_BOOL:
		return "It is true or false.";
	case KEY_MODE:
		return "It is an octal mode such as 0755.";
	case KEY_ANY:
		return "";
	}
	return "";
}

static bool refuse(struct policy_ctx *ctx, const struct policy_key *key,
		   const struct policy_node *node, const char *rule, const char *why)
{
	/* An empty value has no place of its own that one would look at. */
	struct policy_place place =
		node->key[0] != '\0' && doc_has_no_value(node) ? node->key_place : node->place;
	const char *name = str_equal(last_part(key->path), "*") ? node->key : key->path;

	ctx_report(ctx, place, rule, "%s %s", name, why)->expected = expectation(ctx, key);
	return false;
}

bool keys_has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	while (words != NULL && *words != '\0') {
		size_t n = strcspn(words, "|");

		if (n == len && strncmp(words, word, n) == 0)
			return true;
		words += n + (words[n] == '|' ? 1 : 0);
	}
	return false;
}

/* Why a word is not there yet, where that says more than that it is not. */
static const struct {
	const char *word, *why;
} reasons[] = {
	{"x32", "Few kernels take its calls (CONFIG_X86_X32_ABI), so that no filter of them could "
		"be tried out: they stay killed."},
};

/* What to do instead of a value that is not there yet, by its key. */
static const struct {
	const char *path, *hint;
} remedies[] = {
	{"capabilities.add",
	 "Leave it out: no capability can be had. `cordon run --explain-denials` says what the "
	 "program is denied, and what would allow it: a system call, --waive "
	 "'seccomp.call:NAME=why'."},
};

static void add_remedy(struct policy_problem *problem, const char *path)
{
	for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++)
		if (str_equal(remedies[i].path, path))
			problem->hint = remedies[i].hint;
}

static bool check_word(struct policy_ctx *ctx, const struct policy_key *key,
		       const struct policy_node *node)
{
	if (keys_has_word(key->words, node->text))
		return true;
	if (keys_has_word(key->later, node->text) ||
	    (key->later != NULL && str_equal(key->later, "*"))) {
		struct policy_problem *problem =
			keys_refuse_later(ctx, node->place,
					  ctx_format(ctx, "%s: %s", key->path, node->text));

		for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
			if (str_equal(reasons[i].word, node->text))
				problem->expected = reasons[i].why;
		add_remedy(problem, key->path);
		return false;
	}
	return refuse(ctx, key, node, "bad-value", ctx_format(ctx, "cannot be '%s'", node->text));
}

static bool check_scalar(struct policy_ctx *ctx, const struct policy_key *key,
			 const struct policy_node *node)
{
	uint64_t number;
	uint32_t mode;
	bool truth;
	int r = 0;

	if (doc_has_no_value(node) && !str_equal(key->path, "process.environment.*"))
		return refuse(ctx, key, node, "no-value", "has no value");
	if ((key->flags & KEY_UNLIMITED) && str_equal(node->text, "unlimited"))
		return true;
	switch (key->type) {
	case KEY_WORD:
		return check_word(ctx, key, node);
	case KEY_NUMBER:
		r = parse_u64(node->text, &number);
		break;
	case KEY_SIZE:
		r = parse_size(node->text, &number);
		break;
	case KEY_DURATION:
		r = parse_duration(node->text, &number);
		break;
	case KEY_DECIMAL:
		r = parse_millionths(node->text, &number);
		break;
	case KEY_RATE:
		r = parse_rate(node->text, &number);
		break;
	case KEY_BIT_RATE:
		r = parse_bit_rate(node->text, &number);
		break;
	case KEY_BOOL:
		r = parse_bool(node->text, &truth);
		break;
	case KEY_MODE:
		r = parse_mode(node->text, &mode);
		break;
	case KEY_TEXT_OR_MAP:
		return key->words == NULL || check_word(ctx, key, node);
	case KEY_MAP:
	case KEY_FREE_MAP:
	case KEY_LIST:
	case KEY_TEXT:
	case KEY_ANY:
		break;
	}
	if (r < 0)
		return refuse(ctx, key, node, "bad-value",
			      ctx_format(ctx, "cannot be '%s'%s", node->text,
					 r == -ERANGE ? ": too large" : ""));
	return true;
}

static bool check_node(struct policy_ctx *ctx, const struct policy_key *key,
		       struct policy_node *node);

/* Below when_possible stand keys of the top, by the same rules. */
static const struct policy_key *find_when_possible(struct policy_ctx *ctx,
						   const struct policy_node *node)
{
	const struct policy_key *key = keys_find(node->key);

	if (key != NULL && (key->flags & KEY_WHEN_POSSIBLE) == 0) {
		keys_refuse_later(ctx, node->key_place,
				  ctx_format(ctx, "%s below when_possible", node->key));
		return NULL;
	}
	if (key == NULL)
		ctx_report(ctx, node->key_place, "unknown-key", "unknown key '%s' in when_possible",
			   node->key)
			->expected = "Keys here are: apparmor, landlock, limits.";
	return key;
}

static bool check_entry(struct policy_ctx *ctx, const char *parent, struct policy_node *node)
{
	char path[PATH_MAX_KEY];
	const struct policy_key *key;
	bool is_when_possible = str_equal(parent, "when_possible");

	child_path(path, parent, node->key);
	if (is_when_possible)
		key = find_when_possible(ctx, node);
	else
		key = strpbrk(node->key, ".[*") == NULL ? keys_find(path) : NULL;
	if (key == NULL && is_when_possible)
		return false;
	if (key == NULL) {
		report_unknown(ctx, node, parent);
		return false;
	}
	if (key->flags & KEY_LATER) {
		keys_refuse_later(ctx, node->key_place, key->path);
		return false;
	}
	if (node->appends && key->type != KEY_LIST) {
		ctx_report(ctx, node->key_place, "append", "'+%s': only lists can be appended to",
			   node->key)
			->hint = "Maps merge by key as they are; write it without '+'.";
		return false;
	}
	return check_node(ctx, key, node);
}

/* Checks each child of a node and takes out those that are not in order. */
static void check_children(struct policy_ctx *ctx, const char *path, const struct policy_key *each,
			   struct policy_node *node)
{
	for (struct policy_node **link = &node->children; *link != NULL;) {
		bool is_good =
			each != NULL ? check_node(ctx, each, *link) : check_entry(ctx, path, *link);

		if (is_good)
			link = &(*link)->next;
		else
			*link = (*link)->next;
		node->is_damaged |= !is_good;
	}
}

static bool check_list(struct policy_ctx *ctx, const struct policy_key *key,
		       struct policy_node *node)
{
	char path[PATH_MAX_KEY];

	if ((key->flags & KEY_ONLY_EMPTY) && node->children != NULL) {
		add_remedy(keys_refuse_later(ctx, node->place,
					     ctx_format(ctx, "%s with anything in it", key->path)),
			   key->path);
		return false;
	}
	str_format(path, sizeof(path), "%s[]", key->path);
	check_children(ctx, path, keys_find(path), node);
	return true;
}

static bool check_free_map(struct policy_ctx *ctx, const struct policy_key *key,
			   struct policy_node *node)
{
	char path[PATH_MAX_KEY];

	child_path(path, key->path, "*");
	check_children(ctx, path, keys_find(path), node);
	return true;
}

static bool check_node(struct policy_ctx *ctx, const struct policy_key *key,
		       struct policy_node *node)
{
	bool wants_map = key->type == KEY_MAP || key->type == KEY_FREE_MAP;

	if (key->type == KEY_ANY)
		return true;
	if (node->kind == NODE_SEQUENCE) {
		if (key->type != KEY_LIST)
			return refuse(ctx, key, node, "bad-type", "is a list here");
		return check_list(ctx, key, node);
	}
	if (node->kind == NODE_MAPPING) {
		if (!wants_map && key->type != KEY_TEXT_OR_MAP)
			return refuse(ctx, key, node, "bad-type", "is a map here");
		if (key->type == KEY_FREE_MAP)
			return check_free_map(ctx, key, node);
		check_children(ctx, key->path, NULL, node);
		return true;
	}
	if (wants_map || key->type == KEY_LIST)
		return refuse(ctx, key, node, doc_has_no_value(node) ? "no-value" : "bad-type",
			      doc_has_no_value(node) ? "has no value" : "is a text here");
	return check_scalar(ctx, key, node);
}

void keys_check(struct policy_ctx *ctx, struct policy_node *root)
{
	if (root->kind != NODE_MAPPING) {
		ctx_report(ctx, root->place, "bad-type", "a profile is a map of keys")->expected =
			"It begins with 'cordon: 1'.";
		root->kind = NODE_MAPPING;
		root->children = NULL;
		return;
	}
	check_children(ctx, "", NULL, root);
}

static void apply_below(struct policy_ctx *ctx, const char *parent, const struct policy_node *node,
			struct sandbox_spec *spec)
{
	for (const struct policy_node *child = node->children; child != NULL; child = child->next) {
		char path[PATH_MAX_KEY];
		const struct policy_key *key;

		child_path(path, parent, child->key);
		key = keys_find(path);
		if (key == NULL)
			continue;
		if (child->kind == NODE_MAPPING && key->type != KEY_FREE_MAP)
			apply_below(ctx, path, child, spec);
		else if (key->apply != NULL)
			key->apply(ctx, key, child, spec);
	}
}

void keys_apply(struct policy_ctx *ctx, const struct policy_node *root, struct sandbox_spec *spec)
{
	apply_below(ctx, "", root, spec);
}
