/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See commit_edits.h. The flags are read as at each start, by the policy's own reader: a value of
 * --set is YAML, and of two flags of one key the last one counts.
 */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "cmd/commit_edits.h"
#include "policy/layers.h"

enum { ARENA_SIZE = 16 << 20, VARIABLE_MAX = 128 << 10 };

static bool is_image_s(enum policy_flag_kind kind)
{
	static const enum policy_flag_kind kinds[] = {FLAG_SET,         FLAG_ENV,
						      FLAG_USER,        FLAG_WORKING_DIR,
						      FLAG_STOP_SIGNAL, FLAG_PUBLISH,
						      FLAG_EXPOSE};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i] == kind)
			return true;
	return false;
}

static void put_text(struct edits *e, const struct policy_node *node, const char *key)
{
	if (node != NULL && node->kind == NODE_SCALAR && node->text[0] != '\0')
		edits_put(e, key, node->text);
}

static void put_variables(struct edits *e, const struct record *record,
			  const struct policy_node *map, char *text)
{
	const struct policy_node *node = map != NULL ? map->children : NULL;

	for (; node != NULL; node = node->next) {
		if (doc_has_no_value(node)) {
			edits_put_callers(e, record, node->key, strlen(node->key));
			continue;
		}
		if (str_format(text, VARIABLE_MAX, "%s=%s", node->key, node->text) >=
			    VARIABLE_MAX - 1 &&
		    e->result == 0)
			e->result = -E2BIG;
		edits_put(e, "Env", text);
	}
}

/* Of a published one what is inside: it stands behind the last ':'. */
static void put_ports(struct edits *e, const struct policy_node *list)
{
	const struct policy_node *node = list != NULL ? list->children : NULL;

	for (; node != NULL; node = node->next) {
		const char *colon = strrchr(node->text, ':');

		edits_put(e, "Port", colon != NULL ? colon + 1 : node->text);
	}
}

static int put_tree(struct edits *e, const struct record *record, const struct policy_node *root,
		    struct err *err)
{
	_cleanup_free_ char *text = malloc(VARIABLE_MAX);

	if (text == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "what its command line said");
	put_text(e, doc_find(root, "process.user"), "User");
	put_text(e, doc_find(root, "process.working_dir"), "WorkingDir");
	put_text(e, doc_find(root, "process.stop_signal"), "StopSignal");
	put_variables(e, record, doc_find(root, "process.environment"), text);
	put_ports(e, doc_find(root, "network.publish"));
	put_ports(e, doc_find(root, "network.expose"));
	return 0;
}

/* The request, with the flags that an image has a place for. */
static int choose(struct arena *arena, const struct policy_request *all, struct policy_request *ret)
{
	struct policy_flag *flags = arena_array(arena, all->n_flags + 1, sizeof(*flags));

	if (flags == NULL)
		return -ENOMEM;
	*ret = *all;
	ret->flags = flags;
	ret->n_flags = 0;
	for (size_t i = 0; i < all->n_flags; i++)
		if (is_image_s(all->flags[i].kind))
			flags[ret->n_flags++] = all->flags[i];
	return 0;
}

int edits_put_said(struct edits *e, const struct record *record, struct err *err)
{
	struct arena arena = {0};
	struct policy_request request;
	const struct policy_host host = {.cwd = record->cwd, .home = ""};
	struct policy_problems problems = {.n = 0};
	struct policy_ctx ctx = {.arena = &arena,
				 .request = &request,
				 .host = &host,
				 .problems = &problems};
	const struct policy_node *root;
	int r = arena_init(&arena, ARENA_SIZE, err);

	if (r < 0)
		return r;
	r = choose(&arena, &record->request.policy, &request);
	root = r == 0 ? layers_from_flags(&ctx) : NULL;
	if (r < 0 || ctx.out_of_memory)
		r = err_set(err, ERR_SETUP, ENOMEM, "what its command line said");
	else if (problems.n > 0)
		r = err_set(err, ERR_SETUP, 0, "what its command line said: %s",
			    problems.list[0].text);
	else
		r = put_tree(e, record, root, err);
	arena_release(&arena);
	return r;
}
