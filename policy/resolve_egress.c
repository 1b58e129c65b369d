/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* network.egress: what may be reached. Pure. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/str.h"
#include "policy/keys.h"
#include "policy/resolve.h"

enum { TEXT_MAX = 320, DIGITS_MAX = 5 };

static const char forms[] =
	"It is HOST[:PORT[-PORT]][/tcp|/udp]: 192.0.2.7, 10.1.0.0/16:5432, [fd00::1]:53/udp, "
	"[fd00::/64]:8000-8099.";

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

static bool read_rule(const char *said, struct spec_egress_rule *ret)
{
	struct spec_egress_rule rule = {.last = UINT16_MAX};
	char text[TEXT_MAX], *host = text, *rest;
	bool is_ipv6 = said[0] == '[';

	if (strlen(said) >= sizeof(text))
		return false;
	str_format(text, sizeof(text), "%s", said);
	cut_protocol(text, &rule);
	rest = strchr(text, is_ipv6 ? ']' : ':');
	if (is_ipv6) {
		if (rest == NULL)
			return false;
		host++;
		*rest++ = '\0';
		if (rest[0] == '\0')
			rest = NULL;
	}
	if (rest != NULL) {
		if (rest[0] != ':')
			return false;
		*rest++ = '\0';
		if (!read_ports(rest, &rule))
			return false;
	}
	if (!read_host(host, is_ipv6 ? AF_INET6 : AF_INET, &rule))
		return false;
	*ret = rule;
	return true;
}

/* A host that is no number, and that no number was meant to be. */
static bool is_name(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t n = strcspn(text, ":/");

	return text[0] != '[' && strcspn(text, letters) < n &&
	       strchr(text, ':') == strrchr(text, ':');
}

static void refuse(struct policy_ctx *ctx, const struct policy_node *node, const char *key)
{
	struct policy_problem *problem;

	if (is_name(node->text)) {
		problem =
			ctx_report(ctx, node->place, "not-enforced",
				   "%s: a rule by name is not enforced by this build", node->text);
		problem->hint = "Name its addresses, or a subnet.";
		return;
	}
	problem = ctx_report(ctx, node->place, "bad-value", "network.egress.%s cannot be '%s'", key,
			     node->text);
	problem->expected = forms;
}

static size_t count(const struct policy_node *list)
{
	size_t n = 0;

	for (const struct policy_node *item = list->children; item != NULL; item = item->next)
		n++;
	return n;
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

static const struct spec_egress_rule *
read_list(struct policy_ctx *ctx, const struct policy_node *map, const char *key, size_t *ret_n)
{
	const struct policy_node *list = doc_get(map, key), *item;
	bool is_denial = str_equal(key, "deny");
	struct spec_egress_rule *rules;
	size_t n = list != NULL ? count(list) : 0;

	*ret_n = 0;
	if (n > SPEC_EGRESS_MAX) {
		ctx_report(ctx, list->place, "too-many", "more than %d in network.egress.%s",
			   SPEC_EGRESS_MAX, key);
		return NULL;
	}
	rules = n > 0 ? ctx_array(ctx, is_denial ? 2 * n : n, sizeof(*rules)) : NULL;
	if (rules == NULL)
		return NULL;
	for (item = list->children; item != NULL; item = item->next) {
		struct spec_egress_rule *rule = &rules[*ret_n];

		if (!read_rule(item->text, rule)) {
			refuse(ctx, item, key);
			continue;
		}
		*ret_n += complete(rule, is_denial);
	}
	return rules;
}

void resolve_egress(struct policy_ctx *ctx, const struct policy_node *map,
		    struct spec_network *network)
{
	const struct policy_node *egress = doc_get(map, "egress");
	const struct policy_node *word = doc_get(egress, "default");
	struct spec_egress *to = &network->egress;

	if (egress == NULL)
		return;
	to->allow = read_list(ctx, egress, "allow", &to->n_allow);
	to->deny = read_list(ctx, egress, "deny", &to->n_deny);
	if (word == NULL) {
		if (to->n_allow + to->n_deny > 0)
			ctx_report(ctx, egress->place, "missing-key",
				   "network.egress lacks 'default'")
				->hint = "Say what becomes of all else: default: deny, or allow.";
		return;
	}
	to->is_said = true;
	to->allows = str_equal(word->text, "allow");
	to->origin = doc_origin(word->place);
	if (network->kind != NETWORK_OF_ITS_OWN)
		ctx_report(ctx, word->place, "impossible",
			   "network.egress takes a network namespace of its own")
			->expected = "network.mode is host, or container:NAME.";
}
