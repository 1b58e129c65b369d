/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * landlock, said outright or below when_possible. The layers are read one by one, for none may ask
 * for less than its parent: a list takes away from what the layers before it leave, `auto` adds
 * nothing to them, and what a layer requires stays required. A layer with the waiver begins anew.
 */
#include "base/parse.h"
#include "base/str.h"
#include "policy/resolve.h"

enum { LISTS_MAX = 3 * 2 * LAYERS_MAX, PORT_MAX = 65535 };

static const struct {
	const char *key;
	enum spec_path_right right;
} path_keys[] = {
	{"read", PATH_READ},
	{"write", PATH_WRITE},
	{"execute", PATH_EXECUTE},
};

static size_t count_items(const struct policy_node *list)
{
	size_t n = 0;

	for (const struct policy_node *item = list->children; item != NULL; item = item->next)
		n++;
	return n;
}

/* "+read" would ask for more than the parent has. */
static bool may_be_said(struct policy_ctx *ctx, const struct policy_node *list)
{
	if (!list->appends)
		return true;
	ctx_report(ctx, list->key_place, "append", "'+%s': nothing can be added to it", list->key)
		->hint =
		"A list says what is left of what the parent allows; write it without '+'.";
	return false;
}

static void read_paths(struct policy_ctx *ctx, const struct policy_node *list,
		       enum spec_path_right right, struct spec_path_list *ret_list)
{
	const char **paths = ctx_array(ctx, count_items(list) + 1, sizeof(*paths));
	size_t n = 0;

	for (const struct policy_node *item = list->children; paths != NULL && item != NULL;
	     item = item->next) {
		const char *path = resolve_inside(ctx, item->place, item->text);

		if (path != NULL)
			paths[n++] = path;
	}
	*ret_list = (struct spec_path_list){.right = right,
					    .paths = paths,
					    .n_paths = n,
					    .origin = doc_origin(list->key_place)};
}

static bool has_port(const struct spec_port_list *list, uint16_t port)
{
	for (size_t i = 0; i < list->n_ports; i++)
		if (list->ports[i] == port)
			return true;
	return false;
}

/* The ports of this layer that the layers before it have left. */
static void read_ports(struct policy_ctx *ctx, const struct policy_node *list, uint64_t lowest,
		       struct spec_port_list *ports)
{
	uint16_t *left = ctx_array(ctx, count_items(list) + 1, sizeof(*left));
	size_t n = 0;

	for (const struct policy_node *item = list->children; left != NULL && item != NULL;
	     item = item->next) {
		uint64_t port = 0;

		/* The table has checked that it is a number. */
		if (parse_u64(item->text, &port) < 0 || port < lowest || port > PORT_MAX)
			ctx_report(ctx, item->place, "bad-value", "landlock.%s cannot have '%s'",
				   list->key, item->text)
				->expected = ctx_format(ctx, "A port is a number of %u to %u.",
							(unsigned)lowest, (unsigned)PORT_MAX);
		else if (!ports->is_limited || has_port(ports, (uint16_t)port))
			left[n++] = (uint16_t)port;
	}
	*ports = (struct spec_port_list){.is_limited = true,
					 .ports = left,
					 .n_ports = n,
					 .origin = doc_origin(list->key_place)};
}

static void read_said(struct policy_ctx *ctx, const struct policy_node *node,
		      enum spec_demand demand, struct spec_path_list *lists,
		      struct spec_landlock *landlock)
{
	const struct policy_node *list;

	if (node == NULL)
		return;
	if (demand >= landlock->demand) {
		landlock->demand = demand;
		landlock->origin = doc_origin(node->key_place);
	}
	for (size_t i = 0; i < sizeof(path_keys) / sizeof(path_keys[0]); i++) {
		list = doc_get(node, path_keys[i].key);
		if (list != NULL && may_be_said(ctx, list))
			read_paths(ctx, list, path_keys[i].right, &lists[landlock->n_lists++]);
	}
	list = doc_get(node, "connect_tcp");
	if (list != NULL && may_be_said(ctx, list))
		read_ports(ctx, list, 1, &landlock->connect_tcp);
	list = doc_get(node, "bind_tcp");
	if (list != NULL && may_be_said(ctx, list))
		read_ports(ctx, list, 0, &landlock->bind_tcp);
}

void resolve_landlock(struct policy_ctx *ctx, const struct policy_layers *layers,
		      struct sandbox_spec *spec)
{
	struct spec_landlock landlock = spec->landlock;
	struct spec_path_list *lists = NULL;

	for (size_t i = 0; i < layers->n; i++) {
		const struct policy_node *root = layers->roots[i];
		const struct policy_node *said = doc_get(root, "landlock");
		const struct policy_node *wished = doc_find(root, "when_possible.landlock");

		if (doc_get(doc_get(root, "waive"), "landlock") != NULL)
			landlock = spec->landlock;
		if (said == NULL && wished == NULL)
			continue;
		if (lists == NULL)
			lists = ctx_array(ctx, LISTS_MAX, sizeof(*lists));
		if (lists == NULL)
			return;
		read_said(ctx, wished, DEMAND_WHEN_POSSIBLE, lists, &landlock);
		read_said(ctx, said, DEMAND_REQUIRED, lists, &landlock);
	}
	landlock.lists = lists;
	spec->landlock = landlock;
}
