/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* network: which networks the sandbox joins, and what it is called there. Pure: whether there is
 * one of that name is looked up in preflight. */
#include <arpa/inet.h>
#include <string.h>

#include "base/str.h"
#include "policy/keys.h"
#include "policy/resolve.h"

enum { NAME_MAX_BYTES = 64 };

/* As net/network.c has it. */
static bool is_name(const char *text)
{
	static const char begins[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t len = strlen(text);

	return len > 0 && len <= NAME_MAX_BYTES && strchr(begins, text[0]) != NULL &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
		       len;
}

/* ---- one endpoint ---- */

static bool refuse(struct policy_ctx *ctx, const struct policy_node *node, const char *key,
		   const char *expected)
{
	ctx_report(ctx, node->place, "bad-value", "%s cannot be '%s'", key, node->text)->expected =
		expected;
	return false;
}

/* "92:d0:c6:0a:29:33" of one card, and none of those that cordon gives out itself. */
static bool read_mac(const char *text, uint8_t ret[SPEC_MAC_LEN])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < SPEC_MAC_LEN; i++) {
		uint8_t byte = 0;

		for (size_t k = 0; k < 2; k++, text++) {
			int lower = *text >= 'A' && *text <= 'F' ? *text - 'A' + 'a' : *text;
			const char *digit = lower != '\0' ? strchr(digits, lower) : NULL;

			if (digit == NULL)
				return false;
			byte = (uint8_t)(byte << 4 | (digit - digits));
		}
		if (*text != (i + 1 < SPEC_MAC_LEN ? ':' : '\0'))
			return false;
		text++;
		ret[i] = byte;
	}
	return (ret[0] & 1) == 0 && (ret[0] != 0x02 || ret[1] != 0xc0) &&
	       (ret[0] | ret[1] | ret[2] | ret[3] | ret[4] | ret[5]) != 0;
}

static bool read_aliases(struct policy_ctx *ctx, const struct policy_node *list,
			 struct spec_endpoint *endpoint)
{
	const char **aliases = ctx_array(ctx, SPEC_ALIASES_MAX, sizeof(*aliases));
	const struct policy_node *item = list != NULL ? list->children : NULL;
	size_t n = 0;

	for (; aliases != NULL && item != NULL; item = item->next) {
		if (n == SPEC_ALIASES_MAX) {
			ctx_report(ctx, item->place, "too-many", "more than %d aliases",
				   SPEC_ALIASES_MAX);
			return false;
		}
		if (!is_name(item->text) || strlen(item->text) > SPEC_HOST_NAME_MAX)
			return refuse(ctx, item, "an alias",
				      "It is a name of at most 63 letters, digits and _.- behind a "
				      "letter or digit.");
		aliases[n++] = item->text;
	}
	endpoint->aliases = aliases;
	endpoint->n_aliases = n;
	return aliases != NULL;
}

/* "db", "db:cache" */
static bool read_link(struct policy_ctx *ctx, const struct policy_node *item, struct spec_link *ret)
{
	size_t len = strcspn(item->text, ":");

	ret->source = ctx_copy(ctx, item->text, len);
	ret->alias = item->text[len] == ':' ? item->text + len + 1 : ret->source;
	if (is_name(ret->source) && is_name(ret->alias) && strlen(ret->alias) <= SPEC_HOST_NAME_MAX)
		return true;
	return refuse(ctx, item, "a link", "It is SANDBOX, or SANDBOX:ALIAS.");
}

/* is_first: it is network.mode's, and not one of network.networks. */
static bool read_links(struct policy_ctx *ctx, const struct policy_node *list, bool is_first,
		       struct spec_endpoint *endpoint)
{
	struct spec_link *links = ctx_array(ctx, SPEC_ALIASES_MAX, sizeof(*links));
	const struct policy_node *item = list != NULL ? list->children : NULL;
	size_t n = 0;

	/* They are variables of the program as well, which it has from its start on. */
	if (item != NULL && !is_first && str_equal(endpoint->network, SPEC_DEFAULT_NETWORK)) {
		ctx_report(ctx, item->place, "impossible",
			   "links in the default network belong to a sandbox whose first network "
			   "that is")
			->hint = "Start it with --network bridge --link SANDBOX, or join a network "
				 "that you make: cordon network create NETWORK.";
		return false;
	}
	for (; links != NULL && item != NULL; item = item->next) {
		if (n == SPEC_ALIASES_MAX) {
			ctx_report(ctx, item->place, "too-many", "more than %d links",
				   SPEC_ALIASES_MAX);
			return false;
		}
		if (!read_link(ctx, item, &links[n++]))
			return false;
	}
	endpoint->links = links;
	endpoint->n_links = n;
	return links != NULL;
}

/* What stands in map beside the name: of network itself, or of one of network.networks. */
static bool read_endpoint(struct policy_ctx *ctx, const struct policy_node *map, bool is_first,
			  struct spec_endpoint *endpoint)
{
	const struct policy_node *ip = doc_get(map, "ip");
	const struct policy_node *ip6 = doc_get(map, "ip6");
	const struct policy_node *mac = doc_get(map, "mac");
	uint8_t bytes[16];

	if (ip != NULL && inet_pton(AF_INET, ip->text, bytes) != 1)
		return refuse(ctx, ip, "ip", "It is an address of IPv4: 172.20.0.9.");
	if (ip6 != NULL && inet_pton(AF_INET6, ip6->text, bytes) != 1)
		return refuse(ctx, ip6, "ip6", "It is an address of IPv6: fd00::9.");
	if (mac != NULL && !read_mac(mac->text, endpoint->mac))
		return refuse(ctx, mac, "mac",
			      "It is the link address of one card, such as 92:d0:c6:0a:29:33; "
			      "02:c0:... are those that cordon gives out.");
	endpoint->ip = ip != NULL ? ip->text : "";
	endpoint->ip6 = ip6 != NULL ? ip6->text : "";
	endpoint->has_mac = mac != NULL;
	return read_aliases(ctx, doc_get(map, "aliases"), endpoint) &&
	       read_links(ctx, doc_get(map, "links"), is_first, endpoint);
}

static void add_endpoint(struct policy_ctx *ctx, const struct policy_node *map,
			 const struct policy_node *name, struct spec_network *network)
{
	struct spec_endpoint endpoint = {.origin = doc_origin(name->place)};

	if (!is_name(name->text)) {
		refuse(ctx, name, "a network's name",
		       "It is none, bridge, or the name of a network: letters, digits and _.- "
		       "behind a letter or digit; container:NAME; or host, with a waiver.");
		return;
	}
	/* Docker's other word for the default network. */
	endpoint.network = str_equal(name->text, "default") ? SPEC_DEFAULT_NETWORK : name->text;
	for (size_t i = 0; i < network->n_endpoints; i++)
		if (str_equal(network->endpoints[i].network, endpoint.network)) {
			ctx_report(ctx, name->place, "twice", "network %s is joined twice",
				   endpoint.network);
			return;
		}
	if (network->n_endpoints == SPEC_NETWORKS_MAX) {
		ctx_report(ctx, name->place, "too-many", "more than %d networks",
			   SPEC_NETWORKS_MAX);
		return;
	}
	if (read_endpoint(ctx, map, name == doc_get(map, "mode"), &endpoint))
		network->endpoints[network->n_endpoints++] = endpoint;
}

/* ---- files of names ---- */

enum { WORDS_MAX = 8, HOSTS_MAX = 128 };

static bool is_server(const char *text)
{
	uint8_t bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* A domain; "." is that none is looked in. */
static bool is_domain(const char *text)
{
	return str_equal(text, ".") || is_name(text);
}

static bool is_option(const char *text)
{
	return text[0] != '\0' && strlen(text) <= NAME_MAX_BYTES &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789:-_") == strlen(text);
}

static const struct {
	const char *key;
	bool (*is_good)(const char *text);
	const char *expected;
} word_lists[] = {
	{"dns", is_server, "It is an address: 192.0.2.53."},
	{"dns_search", is_domain, "It is a domain: example.org."},
	{"dns_options", is_option, "It is an option of resolv.conf(5): ndots:2."},
};

static const char *const *read_words(struct policy_ctx *ctx, const struct policy_node *map,
				     size_t which, size_t *ret_n)
{
	const struct policy_node *list = doc_get(map, word_lists[which].key);
	const char **words = ctx_array(ctx, WORDS_MAX, sizeof(*words));
	const struct policy_node *item = list != NULL ? list->children : NULL;
	size_t n = 0;

	for (; words != NULL && item != NULL; item = item->next) {
		if (n == WORDS_MAX)
			ctx_report(ctx, item->place, "too-many", "more than %d in network.%s",
				   WORDS_MAX, word_lists[which].key);
		else if (!word_lists[which].is_good(item->text))
			refuse(ctx, item, word_lists[which].key, word_lists[which].expected);
		else
			words[n++] = item->text;
	}
	*ret_n = n;
	return words;
}

static void read_hosts(struct policy_ctx *ctx, const struct policy_node *list,
		       struct spec_network *network)
{
	struct spec_host *hosts = ctx_array(ctx, HOSTS_MAX, sizeof(*hosts));
	const struct policy_node *item = list != NULL ? list->children : NULL;
	size_t n = 0;

	for (; hosts != NULL && item != NULL; item = item->next) {
		size_t len = strcspn(item->text, ":");
		const char *name = ctx_copy(ctx, item->text, len);
		const char *address = item->text + len + (item->text[len] == ':');

		if (n == HOSTS_MAX) {
			ctx_report(ctx, item->place, "too-many", "more than %d hosts", HOSTS_MAX);
			return;
		}
		if (!is_name(name) ||
		    (!is_server(address) && !str_equal(address, SPEC_HOST_GATEWAY)))
			refuse(ctx, item, "network.hosts",
			       "It is NAME:ADDRESS, or NAME:host-gateway.");
		else
			hosts[n++] = (struct spec_host){.name = name, .address = address};
	}
	network->hosts = hosts;
	network->n_hosts = n;
}

/* ---- which ---- */

static void take_mode(struct policy_ctx *ctx, const struct policy_node *map,
		      const struct policy_node *mode, struct sandbox_spec *spec)
{
	struct spec_network *network = &spec->network;

	if (str_has_prefix(mode->text, "container:")) {
		network->kind = NETWORK_OF_A_SANDBOX;
		network->sandbox = mode->text + strlen("container:");
		if (!is_name(network->sandbox))
			refuse(ctx, mode, "network.mode", "It is container:NAME, or container:ID.");
	} else if (str_equal(mode->text, "host")) {
		network->kind = NETWORK_OF_THE_HOST;
		if (resolve_find_waiver(spec, "network.host") == NULL)
			ctx_report(ctx, mode->place, "not-waived",
				   "the host's network is a protection less")
				->hint = "Say why: --waive 'network.host=REASON'.";
	} else if (!str_equal(mode->text, "none")) {
		add_endpoint(ctx, map, mode, network);
	}
}

/* What belongs to a network, where mode says that there is none. */
static void refuse_leftovers(struct policy_ctx *ctx, const struct policy_node *map,
			     const struct policy_node *mode, const struct spec_network *network)
{
	/* Those of the files belong to the sandbox, the first five to the network of mode. */
	enum { N_OF_MODE = 5 };
	static const char *const keys[] = {"ip",    "ip6", "mac",        "aliases",    "links",
					   "hosts", "dns", "dns_search", "dns_options"};

	for (size_t i = 0;
	     i < (network->n_endpoints > 0 ? (size_t)N_OF_MODE : sizeof(keys) / sizeof(keys[0]));
	     i++) {
		const struct policy_node *node = doc_get(map, keys[i]);

		if (node == NULL || (node->kind == NODE_SEQUENCE && node->children == NULL))
			continue;
		ctx_report(ctx, node->place, "impossible", "network.%s takes a network", keys[i])
			->expected = mode == NULL ? "Say which one: network.mode."
						  : "network.mode is none, host or container:NAME.";
	}
}

static void take_further(struct policy_ctx *ctx, const struct policy_node *list,
			 struct spec_network *network)
{
	const struct policy_node *item = list != NULL ? list->children : NULL;

	if (item != NULL && network->kind != NETWORK_OF_ITS_OWN) {
		ctx_report(ctx, item->place, "impossible",
			   "a sandbox in another's network joins no further one");
		return;
	}
	for (; item != NULL; item = item->next) {
		const struct policy_node *name =
			item->kind == NODE_SCALAR ? item : doc_get(item, "name");
		static const char *const modes[] = {"none", "host"};

		if (name == NULL) {
			if (!item->is_damaged)
				ctx_report(ctx, item->place, "missing-key",
					   "this network lacks 'name'");
			continue;
		}
		for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
			if (str_equal(name->text, modes[i])) {
				ctx_report(ctx, name->place, "impossible",
					   "%s cannot be joined beside other networks", modes[i]);
				return;
			}
		add_endpoint(ctx, item, name, network);
	}
}

void resolve_network(struct policy_ctx *ctx, const struct policy_node *root,
		     struct sandbox_spec *spec)
{
	const struct policy_node *map = doc_get(root, "network");
	const struct policy_node *mode = doc_get(map, "mode");
	struct spec_network *network = &spec->network;

	if (map == NULL)
		return;
	if (mode != NULL) {
		network->origin = doc_origin(mode->place);
		take_mode(ctx, map, mode, spec);
	}
	take_further(ctx, doc_get(map, "networks"), network);
	if (mode == NULL || network->kind != NETWORK_OF_ITS_OWN || str_equal(mode->text, "none"))
		refuse_leftovers(ctx, map, mode, network);
	network->dns = read_words(ctx, map, 0, &network->n_dns);
	network->dns_search = read_words(ctx, map, 1, &network->n_dns_search);
	network->dns_options = read_words(ctx, map, 2, &network->n_dns_options);
	read_hosts(ctx, doc_get(map, "hosts"), network);
	if (network->n_endpoints > 0)
		network->origin = network->endpoints[0].origin;
	resolve_publish(ctx, map, network);
	resolve_egress(ctx, map, network);
	resolve_traffic(ctx, map, network);
}
