/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --network and its kin; see flags.h. Pure. */
#include <string.h>

#include "base/str.h"
#include "policy/flags.h"

static struct policy_node *list_with(struct policy_ctx *ctx, const struct policy_source *source,
				     const char *key, struct policy_node *item)
{
	struct policy_node *list = doc_node(ctx, NODE_SEQUENCE, flags_place(source));

	if (list == NULL)
		return NULL;
	list->key = key;
	doc_add(list, item);
	return list;
}

/* Of --network that was said again the texts are told apart by where they lie. */
static bool is_first(const struct policy_ctx *ctx, const char *text)
{
	const struct policy_request *request = ctx->request;

	for (size_t i = 0; i < request->n_flags; i++)
		if (request->flags[i].kind == FLAG_NETWORK)
			return request->flags[i].text == text;
	return true;
}

/* "ip=10.0.0.9" into the map of an endpoint; false: reported. */
static bool put_option(struct policy_ctx *ctx, const struct policy_source *source,
		       const char *option, struct policy_node *map)
{
	static const struct {
		const char *name, *key;
	} known[] = {{"name=", "name"}, {"ip=", "ip"}, {"ip6=", "ip6"}, {"mac-address=", "mac"}};
	struct policy_place place = flags_place(source);

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (str_has_prefix(option, known[i].name)) {
			doc_add(map, doc_scalar(ctx, known[i].key, option + strlen(known[i].name),
						place));
			return true;
		}
	if (str_has_prefix(option, "alias=")) {
		struct policy_node *alias = doc_scalar(ctx, "", option + 6, place);
		struct policy_node *list = doc_get(map, "aliases");

		if (list != NULL)
			doc_add(list, alias);
		else
			doc_add(map, list_with(ctx, source, "aliases", alias));
		return true;
	}
	flags_refuse(ctx, source, "a network has no option '%s' here", option)->expected =
		"There are name=, alias=, ip=, ip6= and mac-address=.";
	return false;
}

/* "name=web,alias=db", or the name alone. */
static struct policy_node *read_map(struct policy_ctx *ctx, const struct policy_source *source,
				    const char *text)
{
	struct policy_node *map = doc_node(ctx, NODE_MAPPING, flags_place(source));

	if (strchr(text, '=') == NULL) {
		doc_add(map, doc_scalar(ctx, "name", text, flags_place(source)));
		return map;
	}
	while (*text != '\0') {
		size_t n = strcspn(text, ",");

		if (!put_option(ctx, source, ctx_copy(ctx, text, n), map))
			return NULL;
		text += n + (text[n] == ',' ? 1 : 0);
	}
	if (doc_get(map, "name") == NULL) {
		flags_refuse(ctx, source, "the network has no name")->expected =
			"It is "
			"name=NAME[,alias=NAME][,ip=ADDRESS][,ip6=ADDRESS][,mac-address=MAC].";
		return NULL;
	}
	return map;
}

struct policy_node *flags_network(struct policy_ctx *ctx, struct policy_source *source,
				  const char *text)
{
	struct policy_node *map = read_map(ctx, source, text);

	if (map == NULL)
		return NULL;
	if (!is_first(ctx, text))
		return flags_nest(ctx, "network.+networks", list_with(ctx, source, "", map));
	/* What the first is belongs to the map above. */
	doc_get(map, "name")->key = "mode";
	return flags_nest(ctx, "network", map);
}

/* One more of the list at path. */
static struct policy_node *item_at(struct policy_ctx *ctx, const struct policy_source *source,
				   const char *path, const char *text)
{
	struct policy_node *item = doc_scalar(ctx, "", text, flags_place(source));

	return flags_nest(ctx, path, list_with(ctx, source, "", item));
}

struct policy_node *flags_network_alias(struct policy_ctx *ctx, struct policy_source *source,
					const char *text)
{
	return item_at(ctx, source, "network.+aliases", text);
}

struct policy_node *flags_link(struct policy_ctx *ctx, struct policy_source *source,
			       const char *text)
{
	return item_at(ctx, source, "network.+links", text);
}

struct policy_node *flags_add_host(struct policy_ctx *ctx, struct policy_source *source,
				   const char *text)
{
	size_t len = strcspn(text, ":=");

	/* Docker takes both; a name has neither. */
	if (text[len] == '=')
		text = ctx_format(ctx, "%.*s:%s", (int)len, text, text + len + 1);
	return item_at(ctx, source, "network.+hosts", text);
}

struct policy_node *flags_dns(struct policy_ctx *ctx, struct policy_source *source,
			      const char *text)
{
	return item_at(ctx, source, "network.+dns", text);
}

struct policy_node *flags_dns_search(struct policy_ctx *ctx, struct policy_source *source,
				     const char *text)
{
	return item_at(ctx, source, "network.+dns_search", text);
}

struct policy_node *flags_dns_option(struct policy_ctx *ctx, struct policy_source *source,
				     const char *text)
{
	return item_at(ctx, source, "network.+dns_options", text);
}

struct policy_node *flags_publish(struct policy_ctx *ctx, struct policy_source *source,
				  const char *text)
{
	return item_at(ctx, source, "network.+publish", text);
}

struct policy_node *flags_expose(struct policy_ctx *ctx, struct policy_source *source,
				 const char *text)
{
	return item_at(ctx, source, "network.+expose", text);
}
