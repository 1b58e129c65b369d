/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* network.publish: ports of the host's that are the sandbox's, in the forms that Docker's -p has.
 * Pure: whether somebody has them is found out when they are taken. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "policy/keys.h"
#include "policy/resolve.h"

enum { TEXT_MAX = 256 };

static const char forms[] =
	"It is [[HOST-ADDRESS:]HOST-PORT:]PORT[/tcp|/udp]: 80, 8080:80, 10.0.0.1:8080:80, "
	"[fd00::1]:53:53/udp, 10.0.0.1::80, or ranges of one length: 8000-8009:9000-9009.";

struct range {
	uint16_t first;
	uint16_t n; /* 0: none was said */
};

static bool read_port(const char *text, size_t len, uint16_t *ret)
{
	uint32_t number = 0;

	if (len == 0 || len > 5 || strspn(text, "0123456789") < len)
		return false;
	for (size_t i = 0; i < len; i++)
		number = number * 10 + (uint32_t)(text[i] - '0');
	*ret = (uint16_t)number;
	return number >= 1 && number <= UINT16_MAX;
}

static bool read_range(const char *text, struct range *ret)
{
	size_t first = strcspn(text, "-");
	uint16_t last;

	if (!read_port(text, first, &ret->first))
		return false;
	last = ret->first;
	if (text[first] == '-' && !read_port(text + first + 1, strlen(text + first + 1), &last))
		return false;
	ret->n = (uint16_t)(last - ret->first + 1);
	return last >= ret->first && (last - ret->first) < SPEC_PUBLISH_MAX;
}

/* "1.2.3.4", "[fd00::1]"; "": any. */
static bool read_address(char *text, struct spec_publish *publish)
{
	size_t len = strlen(text);

	if (len == 0)
		return true;
	if (text[0] != '[') {
		publish->family = AF_INET;
		return inet_pton(AF_INET, text, publish->address) == 1;
	}
	if (text[len - 1] != ']')
		return false;
	text[len - 1] = '\0';
	publish->family = AF_INET6;
	return inet_pton(AF_INET6, text + 1, publish->address) == 1;
}

/* Cuts text at its last colon that stands in no brackets; returns what is behind it. */
static char *cut_last(char *text)
{
	char *colon = strrchr(text, ':'), *bracket = strrchr(text, ']');

	if (colon == NULL || (bracket != NULL && bracket > colon))
		return NULL;
	*colon = '\0';
	return colon + 1;
}

static bool read_protocol(char *text, struct spec_publish *publish)
{
	char *slash = strchr(text, '/');

	publish->protocol = IPPROTO_TCP;
	if (slash == NULL)
		return true;
	*slash = '\0';
	if (str_equal(slash + 1, "udp"))
		publish->protocol = IPPROTO_UDP;
	return str_equal(slash + 1, "udp") || str_equal(slash + 1, "tcp");
}

struct reading {
	struct spec_publish first;
	struct range host;
	struct range inside;
};

static bool read_text(const char *said, struct reading *ret)
{
	char text[TEXT_MAX], *inside, *host;

	*ret = (struct reading){.host = {.n = 0}};
	if (strlen(said) >= sizeof(text))
		return false;
	str_format(text, sizeof(text), "%s", said);
	if (!read_protocol(text, &ret->first))
		return false;
	inside = cut_last(text);
	if (inside == NULL)
		return read_range(text, &ret->inside);
	if (!read_range(inside, &ret->inside))
		return false;
	host = cut_last(text);
	if (host != NULL && !read_address(text, &ret->first))
		return false;
	if (host == NULL)
		host = text;
	/* Only behind an address may it be left out: "10.0.0.1::80". */
	if (host[0] == '\0')
		return host != text;
	return read_range(host, &ret->host) && ret->host.n == ret->inside.n;
}

/* False: there is no room for it, which is reported. */
static bool append(struct policy_ctx *ctx, const struct policy_node *node,
		   const struct spec_publish *port, struct spec_network *network)
{
	struct spec_publish *list = (struct spec_publish *)network->publish;

	if (network->n_publish == SPEC_PUBLISH_MAX) {
		ctx_report(ctx, node->place, "too-many", "more than %d published ports",
			   SPEC_PUBLISH_MAX);
		return false;
	}
	list[network->n_publish++] = *port;
	return true;
}

static void add(struct policy_ctx *ctx, const struct policy_node *node,
		struct spec_network *network)
{
	struct reading reading;

	if (!read_text(node->text, &reading)) {
		ctx_report(ctx, node->place, "bad-value", "network.publish cannot be '%s'",
			   node->text)
			->expected = forms;
		return;
	}
	for (uint16_t i = 0; i < reading.inside.n; i++) {
		struct spec_publish one = reading.first;

		one.inside = (uint16_t)(reading.inside.first + i);
		one.host = reading.host.n > 0 ? (uint16_t)(reading.host.first + i) : 0;
		one.origin = doc_origin(node->place);
		if (!append(ctx, node, &one, network))
			return;
	}
}

/* ---- ports that are exposed ---- */

static bool read_exposed(const char *said, struct reading *ret)
{
	char text[TEXT_MAX];

	*ret = (struct reading){.host = {.n = 0}};
	if (strlen(said) >= sizeof(text))
		return false;
	str_format(text, sizeof(text), "%s", said);
	return read_protocol(text, &ret->first) && read_range(text, &ret->inside);
}

bool resolve_is_exposed(const char *text)
{
	struct reading reading;

	return read_exposed(text, &reading);
}

static bool is_published(const struct spec_network *network, const struct spec_publish *port)
{
	for (size_t i = 0; i < network->n_publish; i++)
		if (network->publish[i].inside == port->inside &&
		    network->publish[i].protocol == port->protocol)
			return true;
	return false;
}

/* Those that are published already stay as that was said. */
static void add_exposed(struct policy_ctx *ctx, const struct policy_node *node,
			const struct reading *reading, struct spec_network *network)
{
	for (uint16_t i = 0; i < reading->inside.n; i++) {
		struct spec_publish one = reading->first;

		one.inside = (uint16_t)(reading->inside.first + i);
		one.origin = doc_origin(node->place);
		if (!is_published(network, &one) && !append(ctx, node, &one, network))
			return;
	}
}

static bool add_port(struct policy_ctx *ctx, const struct policy_place *place, uint16_t port,
		     uint8_t protocol, struct spec_network *network)
{
	struct spec_exposed *list = (struct spec_exposed *)network->exposed;
	size_t at = 0;

	while (at < network->n_exposed &&
	       (list[at].port < port || (list[at].port == port && list[at].protocol < protocol)))
		at++;
	if (at < network->n_exposed && list[at].port == port && list[at].protocol == protocol)
		return true;
	if (network->n_exposed == SPEC_EXPOSED_MAX) {
		ctx_report(ctx, *place, "too-many", "more than %d ports that it has",
			   SPEC_EXPOSED_MAX);
		return false;
	}
	memmove(&list[at + 1], &list[at], (network->n_exposed - at) * sizeof(*list));
	list[at] = (struct spec_exposed){.port = port, .protocol = protocol};
	network->n_exposed++;
	return true;
}

static void read_expose(struct policy_ctx *ctx, const struct policy_node *map, bool publishes,
			struct spec_network *network)
{
	const struct policy_node *list = doc_get(map, "expose");
	const struct policy_node *item = list != NULL ? list->children : NULL;
	struct reading reading;

	for (; item != NULL; item = item->next) {
		if (!read_exposed(item->text, &reading))
			ctx_report(ctx, item->place, "bad-value", "network.expose cannot be '%s'",
				   item->text)
				->expected = "It is PORT[/tcp|/udp], or a range: 8000-8009.";
		else if (publishes)
			add_exposed(ctx, item, &reading, network);
	}
}

/* What is published is one of them too, as Docker has it. */
static void list_exposed(struct policy_ctx *ctx, const struct policy_node *map,
			 struct spec_network *network)
{
	const struct policy_node *list = doc_get(map, "expose");
	const struct policy_node *item = list != NULL ? list->children : NULL;
	struct reading reading;

	network->exposed = ctx_array(ctx, SPEC_EXPOSED_MAX, sizeof(*network->exposed));
	if (network->exposed == NULL)
		return;
	for (size_t i = 0; i < network->n_publish; i++)
		if (!add_port(ctx, &map->place, network->publish[i].inside,
			      network->publish[i].protocol, network))
			return;
	for (; item != NULL; item = item->next) {
		if (!read_exposed(item->text, &reading))
			continue;
		for (uint16_t i = 0; i < reading.inside.n; i++)
			if (!add_port(ctx, &item->place, (uint16_t)(reading.inside.first + i),
				      reading.first.protocol, network))
				return;
	}
}

void resolve_publish(struct policy_ctx *ctx, const struct policy_node *map,
		     struct spec_network *network)
{
	const struct policy_node *list = doc_get(map, "publish");
	const struct policy_node *all = doc_get(map, "publish_all");
	const struct policy_node *item = list != NULL ? list->children : NULL;
	bool publishes_all = all != NULL && str_equal(all->text, "true");

	if ((item != NULL || publishes_all) && network->n_endpoints == 0) {
		ctx_report(ctx, item != NULL ? item->place : all->place, "impossible",
			   "network.%s takes a network", item != NULL ? "publish" : "publish_all")
			->expected =
			"Say which one: --network bridge (network.mode: bridge), or the "
			"name of another; as root.";
		return;
	}
	network->publish = ctx_array(ctx, SPEC_PUBLISH_MAX, sizeof(*network->publish));
	if (network->publish == NULL)
		return;
	for (; item != NULL; item = item->next)
		add(ctx, item, network);
	read_expose(ctx, map, publishes_all, network);
	list_exposed(ctx, map, network);
	if (publishes_all && network->n_publish == 0)
		ctx_warn(ctx, all->place,
			 "nothing is published: neither the image nor --expose names a port");
}
