/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* network.egress: what may be reached. Pure. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/str.h"
#include "policy/keys.h"
#include "policy/resolve.h"

enum { TEXT_MAX = 320, DIGITS_MAX = 5, NAME_MOST = 253 };

static const char forms[] =
	"It is HOST[:PORT[-PORT]][/tcp|/udp]: 192.0.2.7, 10.1.0.0/16:5432, [fd00::1]:53/udp, "
	"[fd00::/64]:8000-8099, pypi.org:443, *.example.org.";

/* All of the text's n bytes. */
static bool read_number(const char *text, size_t n, uint32_t most, uint32_t *ret)
{
	uint32_t number = 0;

	if (n == 0 || n > DIGITS_MAX || strspn(text, "0123456789") < n)
		return false;
	for (size_t i = 0; i < n; i++)
		number = number * 10 + (uint32_t)(text[i] - '0');
	*ret = number;
	return number <= most;
}

/* "443", "8000-8099". */
static bool read_ports(const char *text, struct spec_egress_rule *rule)
{
	size_t n = strcspn(text, "-");
	uint32_t first, last;

	if (!read_number(text, n, UINT16_MAX, &first))
		return false;
	last = first;
	if (text[n] == '-' && !read_number(text + n + 1, strlen(text + n + 1), UINT16_MAX, &last))
		return false;
	rule->first = (uint16_t)first;
	rule->last = (uint16_t)last;
	return first > 0 && last >= first;
}

/* Whether the bits behind the length are zero. */
static bool is_network(const struct spec_egress_rule *rule)
{
	for (unsigned i = rule->length; i < 128; i++)
		if ((rule->address[i / 8] >> (7 - i % 8) & 1) != 0)
			return false;
	return true;
}

/* "192.0.2.7", "10.1.0.0/16", and of IPv6 likewise. */
static bool read_host(char *text, int family, struct spec_egress_rule *rule)
{
	char *slash = strchr(text, '/');
	uint32_t most = family == AF_INET ? 32 : 128, length = most;

	if (slash != NULL) {
		*slash = '\0';
		if (!read_number(slash + 1, strlen(slash + 1), most, &length))
			return false;
	}
	rule->family = family;
	rule->length = (uint8_t)length;
	return inet_pton(family, text, rule->address) == 1 && is_network(rule);
}

/* The protocol is cut off; a subnet's length is a number. */
static void cut_protocol(char *text, struct spec_egress_rule *rule)
{
	char *slash = strrchr(text, '/');

	if (slash != NULL && str_equal(slash, "/tcp"))
		rule->protocol = IPPROTO_TCP;
	else if (slash != NULL && str_equal(slash, "/udp"))
		rule->protocol = IPPROTO_UDP;
	else
		return;
	*slash = '\0';
}

/* Takes protocol and ports off the text, in which the host is left. */
static bool read_ends(char *text, struct spec_egress_rule *rule)
{
	bool is_ipv6 = text[0] == '[';
	char *rest;

	cut_protocol(text, rule);
	rest = strchr(text, is_ipv6 ? ']' : ':');
	if (is_ipv6 && rest == NULL)
		return false;
	if (is_ipv6)
		*rest++ = '\0';
	if (rest == NULL || (is_ipv6 && rest[0] == '\0'))
		return true;
	if (rest[0] != ':')
		return false;
	*rest++ = '\0';
	return read_ports(rest, rule);
}

/* Where no protocol was said: TCP may be reached, and either is denied, or without a port all there
 * is. Returns how many rules it has become. */
static size_t complete(struct spec_egress_rule *rule, bool is_denial)
{
	bool has_ports = rule->first > 0 || rule->last < UINT16_MAX;

	if (rule->protocol != 0 || (is_denial && !has_ports))
		return 1;
	rule->protocol = IPPROTO_TCP;
	if (!is_denial)
		return 1;
	rule[1] = rule[0];
	rule[1].protocol = IPPROTO_UDP;
	return 2;
}

/* ---- names ---- */

static void make_lower(char *text)
{
	for (; *text != '\0'; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

/* Labels of RFC 1123, of which the last is no number; "*." may be in front. */
static bool is_name(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
	const char *label = text + (str_has_prefix(text, "*.") ? 2 : 0);

	if (strlen(text) > NAME_MOST)
		return false;
	for (;;) {
		size_t n = strspn(label, letters);

		if (n == 0 || n > SPEC_HOST_NAME_MAX || label[0] == '-')
			return false;
		if (label[n] == '\0')
			return strspn(label, "0123456789") < n;
		if (label[n] != '.')
			return false;
		label += n + 1;
	}
}

/* The number of its ports' group; SPEC_EGRESS_GROUPS_MAX: there are too many. */
static size_t find_group(struct spec_egress *egress, const struct spec_egress_rule *rule)
{
	size_t i = 0;

	while (i < egress->n_groups &&
	       (egress->groups[i].protocol != rule->protocol ||
		egress->groups[i].first != rule->first || egress->groups[i].last != rule->last))
		i++;
	if (i == egress->n_groups && i < SPEC_EGRESS_GROUPS_MAX)
		egress->groups[egress->n_groups++] =
			(struct spec_egress_group){.protocol = rule->protocol,
						   .first = rule->first,
						   .last = rule->last};
	return i;
}

struct reading {
	struct policy_ctx *ctx;
	struct spec_egress *egress;
	struct spec_egress_rule *rules;
	struct spec_egress_name *names;
	size_t n;
	bool is_denial;
};

/* What nobody's name server is asked for (net/answer.c), and what only a network's sandboxes are
 * called: the resolver answers it, and no address of it is ever let through by its name. */
static const char *why_not_beyond(const char *name)
{
	static const char *const special[] = {"local", "localhost", "invalid", "onion"};
	const char *last = strrchr(name, '.');

	if (last == NULL)
		return "A sandbox of the same network is allowed by its address: give it one "
		       "(network.ip there), or name the network's subnet: 10.1.0.0/16:5432.";
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (str_equal(last + 1, special[i]))
			return "No name server is asked for such a name: name the address.";
	return NULL;
}

static void add_name(struct reading *reading, const struct policy_node *item, const char *name,
		     struct spec_egress_rule *rule)
{
	struct spec_egress *egress = reading->egress;
	size_t group;

	if (reading->is_denial) {
		ctx_report(reading->ctx, item->place, "impossible",
			   "network.egress.deny has no names")
			->hint = "An address may have many: deny the address.";
		return;
	}
	if (why_not_beyond(name) != NULL) {
		ctx_report(reading->ctx, item->place, "impossible",
			   "network.egress.allow: '%s' is no name of the internet", name)
			->hint = why_not_beyond(name);
		return;
	}
	complete(rule, false);
	group = find_group(egress, rule);
	if (group == SPEC_EGRESS_GROUPS_MAX) {
		ctx_report(reading->ctx, item->place, "too-many",
			   "names with more than %d different ports", SPEC_EGRESS_GROUPS_MAX)
			->hint = "A range counts once: NAME:8000-8099.";
		return;
	}
	reading->names[egress->n_names++] =
		(struct spec_egress_name){.name = ctx_copy(reading->ctx, name, strlen(name)),
					  .group = (uint8_t)group};
}

/* ---- lists ---- */

/* What is meant by what is often written; NULL: no idea. */
static const char *hint_for(const char *text)
{
	struct in6_addr ipv6;
	size_t host = strcspn(text, "/");
	const char *slash = strrchr(text, '/');

	if (strstr(text, "://") != NULL)
		return "A rule has no scheme and no path: pypi.org:443.";
	if (str_equal(text, "*"))
		return "All that no rule names is network.egress.default.";
	if (inet_pton(AF_INET6, text, &ipv6) == 1 ||
	    (text[0] != '[' && strchr(text, ':') != strrchr(text, ':')))
		return "An address of IPv6 stands in brackets: [fd00::1]:443.";
	if (slash != NULL && strspn(text, "0123456789.") == host && slash[1] >= '0' &&
	    slash[1] <= '9')
		return "The bits behind a subnet's length are 0: 10.1.0.0/16.";
	if (strchr(text, ':') != NULL && strspn(strchr(text, ':') + 1, "0123456789-/tcpud") == 0)
		return "Ports are numbers: pypi.org:443.";
	return NULL;
}

static void read_item(struct reading *reading, const struct policy_node *item)
{
	struct spec_egress_rule rule = {.last = UINT16_MAX}, *to = &reading->rules[reading->n];
	bool is_ipv6 = item->text[0] == '[';
	char text[TEXT_MAX];
	bool is_good = strlen(item->text) < sizeof(text);
	struct policy_problem *problem;

	str_format(text, sizeof(text), "%s", item->text);
	is_good = is_good && read_ends(text, &rule);
	make_lower(text);
	if (is_good && !is_ipv6 && is_name(text)) {
		add_name(reading, item, text, &rule);
		return;
	}
	if (is_good && read_host(text + is_ipv6, is_ipv6 ? AF_INET6 : AF_INET, &rule)) {
		*to = rule;
		reading->n += complete(to, reading->is_denial);
		return;
	}
	problem = ctx_report(reading->ctx, item->place, "bad-value",
			     "network.egress.%s cannot be '%s'",
			     reading->is_denial ? "deny" : "allow", item->text);
	problem->expected = forms;
	if (hint_for(item->text) != NULL)
		problem->hint = hint_for(item->text);
}

static size_t count(const struct policy_node *list)
{
	size_t n = 0;

	for (const struct policy_node *item = list->children; item != NULL; item = item->next)
		n++;
	return n;
}

static void read_list(struct policy_ctx *ctx, const struct policy_node *list, bool is_denial,
		      struct spec_egress *egress)
{
	size_t n = list != NULL ? count(list) : 0;
	struct reading reading = {.ctx = ctx, .egress = egress, .is_denial = is_denial};

	if (n > SPEC_EGRESS_MAX)
		ctx_report(ctx, list->place, "too-many", "more than %d in network.egress.%s",
			   SPEC_EGRESS_MAX, is_denial ? "deny" : "allow");
	if (n == 0 || n > SPEC_EGRESS_MAX)
		return;
	/* A denial may become two. */
	reading.rules = ctx_array(ctx, 2 * n, sizeof(*reading.rules));
	reading.names = ctx_array(ctx, n, sizeof(*reading.names));
	if (reading.rules == NULL || reading.names == NULL)
		return;
	for (const struct policy_node *item = list->children; item != NULL; item = item->next)
		read_item(&reading, item);
	if (is_denial) {
		egress->deny = reading.rules;
		egress->n_deny = reading.n;
		return;
	}
	egress->names = reading.names;
	egress->allow = reading.rules;
	egress->n_allow = reading.n;
}

/* Names are the resolver's, which the default bridge has not. */
static void check_names(struct policy_ctx *ctx, const struct policy_node *egress,
			const struct spec_network *network)
{
	bool has_resolver = network->n_endpoints == 0;

	if (network->reach.n_names == 0)
		return;
	if (network->reach.allows)
		ctx_report(ctx, egress->place, "impossible",
			   "names in network.egress take 'default: deny'")
			->hint =
			"With default: allow every name is asked for, and nothing has to be "
			"allowed: leave them out, or say default: deny.";
	for (size_t i = 0; i < network->n_endpoints; i++)
		has_resolver = has_resolver || !str_equal(network->endpoints[i].network, "bridge");
	if (!has_resolver)
		ctx_report(ctx, egress->place, "impossible",
			   "names in network.egress take a network that somebody has made: the "
			   "default bridge has no resolver")
			->hint = "`cordon network create web`, and --network web.";
}

/* Nothing is reached where there is no network, and the rules would say what they do not do. Who
 * says `mode: none` by himself means those who add one: --network, a child, `network connect`. */
static void check_network(struct policy_ctx *ctx, const struct policy_node *map,
			  const struct policy_node *word, const struct spec_network *network)
{
	const struct policy_node *mode = doc_get(map, "mode");
	const struct spec_egress *reach = &network->reach;
	bool is_said = mode != NULL && !str_equal(mode->place.source->path, "profile base");

	if (network->kind != NETWORK_OF_ITS_OWN || network->n_endpoints > 0 || is_said ||
	    reach->n_allow + reach->n_deny + reach->n_names == 0)
		return;
	ctx_report(ctx, word->place, "impossible",
		   "network.egress has no network: network.mode is none")
		->hint = reach->n_names > 0
				 ? "Names take a network that somebody has made: `cordon network "
				   "create web`, and network.mode: web (--network web)."
				 : "Say which one: network.mode: bridge (--network bridge), or the "
				   "name of another; or mode: none beside the rules, for whoever "
				   "adds a network.";
}

void resolve_egress_waivers(struct policy_ctx *ctx, const struct policy_layers *layers)
{
	bool is_denied = false;

	for (size_t i = 0; i < layers->n; i++) {
		const struct policy_node *root = layers->roots[i];
		const struct policy_node *word = doc_find(root, "network.egress.default");
		bool is_waived = doc_get(doc_get(root, "waive"), "network.egress") != NULL;
		struct policy_problem *problem;

		if (word == NULL)
			continue;
		if (str_equal(word->text, "allow") && is_denied && !is_waived) {
			problem = ctx_report(ctx, word->place, "needs-waiver",
					     "network.egress.default: allow gives up what the "
					     "parent denies");
			problem->expected = "A weaker protection is given up by name and with a "
					    "reason.";
			problem->hint = "waive: {network.egress: \"the reason\"}, or --waive "
					"'network.egress=REASON'; what is missing can be named in "
					"network.egress.+allow instead.";
		}
		is_denied = str_equal(word->text, "deny");
	}
}

void resolve_egress(struct policy_ctx *ctx, const struct policy_node *map,
		    struct spec_network *network)
{
	const struct policy_node *egress = doc_get(map, "egress");
	const struct policy_node *word = doc_get(egress, "default");
	struct spec_egress *to = &network->reach;

	if (egress == NULL)
		return;
	read_list(ctx, doc_get(egress, "allow"), false, to);
	read_list(ctx, doc_get(egress, "deny"), true, to);
	if (word == NULL) {
		if (to->n_allow + to->n_deny + to->n_names > 0)
			ctx_report(ctx, egress->place, "missing-key",
				   "network.egress lacks 'default'")
				->hint = "Say what becomes of all else: default: deny, or allow.";
		return;
	}
	to->is_said = true;
	to->allows = str_equal(word->text, "allow");
	check_names(ctx, egress, network);
	check_network(ctx, map, word, network);
	if (network->kind != NETWORK_OF_ITS_OWN)
		ctx_report(ctx, word->place, "impossible",
			   "network.egress takes a network namespace of its own")
			->expected = "network.mode is host, or container:NAME.";
}
