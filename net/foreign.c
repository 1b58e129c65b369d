/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See foreign.h. Reads only. */
#include "net/foreign.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "net/nft_message.h"

enum { CHAINS_MAX = 16, NAME_MAX_SHOWN = 64 };

static const char what[] = "nftables: list of the host's chains";

struct chain {
	uint8_t family;
	char table[NAME_MAX_SHOWN];
	char name[NAME_MAX_SHOWN];
	bool drops; /* by its policy, or by its last rule */
	bool names; /* a rule of its table names the bridge */
};

struct looking {
	const struct network *network;
	struct chain chains[CHAINS_MAX];
	size_t n;
	struct chain *chain; /* whose table's rules are read */
};

/* ---- nf_tables ---- */

static uint32_t number_in(const struct netlink_attribute *a)
{
	uint32_t number = 0;

	return netlink_get_u32(a, &number) ? ntohl(number) : UINT32_MAX;
}

static bool is_forward(const struct netlink_attribute *hook)
{
	struct netlink_attribute number;

	return netlink_find(hook->data, hook->len, NFTA_HOOK_HOOKNUM, &number) > 0 &&
	       number_in(&number) == NF_INET_FORWARD;
}

static bool read_chain(const struct netlink_message *message, struct chain *ret)
{
	bool forwards = false, filters = false;
	struct netlink_attribute a;
	struct nfgenmsg head;
	size_t at = 0;

	if (message->len < sizeof(head))
		return false;
	memcpy(&head, message->payload, sizeof(head));
	*ret = (struct chain){.family = head.nfgen_family};
	while (netlink_next_attribute(message->payload + sizeof(head), message->len - sizeof(head),
				      &at, &a) > 0) {
		if (a.type == NFTA_CHAIN_TABLE)
			ignore_result(netlink_get_text(&a, ret->table, sizeof(ret->table)), "\"\"");
		else if (a.type == NFTA_CHAIN_NAME)
			ignore_result(netlink_get_text(&a, ret->name, sizeof(ret->name)), "\"\"");
		else if (a.type == NFTA_CHAIN_HOOK)
			forwards = is_forward(&a);
		else if (a.type == NFTA_CHAIN_POLICY)
			ret->drops = number_in(&a) == NF_DROP;
		else if (a.type == NFTA_CHAIN_TYPE)
			filters = a.len >= 6 && memcmp(a.data, "filter", 6) == 0;
	}
	return forwards && filters && !str_equal(ret->table, nft_table_name);
}

static int take_chain(void *ctx, const struct netlink_message *message, struct err *err)
{
	struct looking *looking = ctx;
	struct chain chain;
	bool matters = read_chain(message, &chain) &&
		       (chain.family == NFPROTO_IPV4 || chain.family == NFPROTO_INET ||
			(chain.family == NFPROTO_IPV6 && looking->network->subnet6.family != 0));

	if (!matters)
		return 0;
	if (looking->n == CHAINS_MAX)
		return err_set(err, ERR_SETUP, ENOBUFS, "%s: more than %d", what, CHAINS_MAX);
	looking->chains[looking->n++] = chain;
	return 0;
}

/* As a whole name, or as the beginning that all of cordon's networks have. */
static bool names_bridge(const void *bytes, size_t len, const struct network *network)
{
	static const char prefix[] = "cd-";
	struct nlattr head = {.nla_len = sizeof(head) + sizeof(prefix) - 1,
			      .nla_type = NFTA_DATA_VALUE};
	char start[sizeof(head) + sizeof(prefix)];

	memcpy(start, &head, sizeof(head));
	memcpy(start + sizeof(head), prefix, sizeof(prefix));
	return memmem(bytes, len, network->bridge, strlen(network->bridge) + 1) != NULL ||
	       (str_has_prefix(network->bridge, prefix) &&
		memmem(bytes, len, start, sizeof(start) - 1) != NULL);
}

static bool is_drop(const struct netlink_attribute *data)
{
	struct netlink_attribute value, verdict, code;

	return netlink_find(data->data, data->len, NFTA_IMMEDIATE_DATA, &value) > 0 &&
	       netlink_find(value.data, value.len, NFTA_DATA_VERDICT, &verdict) > 0 &&
	       netlink_find(verdict.data, verdict.len, NFTA_VERDICT_CODE, &code) > 0 &&
	       number_in(&code) == NF_DROP;
}

/* Whether the rule drops or rejects whatever comes to it. */
static bool refuses_all(const struct netlink_attribute *list)
{
	struct netlink_attribute one, name, data;
	bool refuses = false;
	size_t at = 0;

	while (netlink_next_attribute(list->data, list->len, &at, &one) > 0) {
		char text[16];

		if (netlink_find(one.data, one.len, NFTA_EXPR_NAME, &name) <= 0 ||
		    !netlink_get_text(&name, text, sizeof(text)))
			return false;
		if (str_equal(text, "counter") || str_equal(text, "log"))
			continue;
		if (!str_equal(text, "reject") &&
		    (!str_equal(text, "immediate") ||
		     netlink_find(one.data, one.len, NFTA_EXPR_DATA, &data) <= 0 ||
		     !is_drop(&data)))
			return false;
		refuses = true;
	}
	return refuses;
}

static int take_rule(void *ctx, const struct netlink_message *message, struct err *err)
{
	const size_t head = sizeof(struct nfgenmsg);
	struct looking *looking = ctx;
	struct netlink_attribute chain, list;
	char name[NAME_MAX_SHOWN];

	(void)err;
	if (message->len < head)
		return 0;
	if (names_bridge(message->payload, message->len, looking->network))
		looking->chain->names = true;
	/* The last one of the chain itself: none comes behind it. */
	if (netlink_find(message->payload + head, message->len - head, NFTA_RULE_CHAIN, &chain) >
		    0 &&
	    netlink_get_text(&chain, name, sizeof(name)) && str_equal(name, looking->chain->name) &&
	    netlink_find(message->payload + head, message->len - head, NFTA_RULE_EXPRESSIONS,
			 &list) > 0 &&
	    refuses_all(&list))
		looking->chain->drops = true;
	return 0;
}

static const char *family_name(uint8_t family)
{
	return family == NFPROTO_IPV4 ? "ip" : family == NFPROTO_IPV6 ? "ip6" : "inet";
}

static int refuse(const struct chain *chain, const struct network *network, struct err *err)
{
	const char *family = family_name(chain->family), *bridge = network->bridge;

	err_set(err, ERR_SETUP, EPERM,
		"network %s: the host's chain %s (table %s %s) drops what is forwarded, and no "
		"rule there names %s",
		network->name, chain->name, family, chain->table, bridge);
	if (str_equal(chain->table, "firewalld"))
		return err_hint(err,
				"Let it through: firewall-cmd --zone=trusted "
				"--add-interface=%s.",
				bridge);
	if (str_equal(chain->name, "FORWARD"))
		return err_hint(err,
				"Let it through: %stables -I FORWARD -i %s -j ACCEPT; %stables -I "
				"FORWARD -o %s -j ACCEPT.",
				family, bridge, family, bridge);
	return err_hint(err,
			"Let it through: nft insert rule %s %s %s iifname %s accept; nft insert "
			"rule %s %s %s oifname %s accept.",
			family, chain->table, chain->name, bridge, family, chain->table,
			chain->name, bridge);
}

static int check_chain(struct netlink *nft, struct looking *looking, struct err *err)
{
	const struct netlink_reader reader = {.each = take_rule, .ctx = looking};
	struct netlink_request request;
	int r;

	nft_begin(&request, NFT_MSG_GETRULE, NLM_F_DUMP, looking->chain->family);
	netlink_put_text(&request, NFTA_RULE_TABLE, looking->chain->table);
	r = netlink_ask(nft, &request, what, &reader, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return looking->chain->drops && !looking->chain->names
		       ? refuse(looking->chain, looking->network, err)
		       : 0;
}

static int check_nft(struct netlink *nft, struct looking *looking, struct err *err)
{
	const struct netlink_reader reader = {.each = take_chain, .ctx = looking};
	struct netlink_request request;
	int r;

	looking->n = 0;
	nft_begin(&request, NFT_MSG_GETCHAIN, NLM_F_DUMP, NFPROTO_UNSPEC);
	r = netlink_ask(nft, &request, what, &reader, err);
	for (size_t i = 0; r == 0 && i < looking->n; i++) {
		looking->chain = &looking->chains[i];
		r = check_chain(nft, looking, err);
	}
	return r;
}

/* ---- the older iptables ---- */

/* Asking for a table makes it; only those that are there are in this list. */
static bool has_legacy_filter(void)
{
	char text[256];
	ssize_t n = io_read_text(AT_FDCWD, "/proc/self/net/ip_tables_names", text, sizeof(text));

	return n > 0 && strstr(text, "filter\n") != NULL;
}

/* The policy is the chain's last entry, with the standard target. */
static bool policy_drops(const struct ipt_getinfo *info, const struct ipt_get_entries *entries)
{
	size_t at = info->underflow[NF_INET_FORWARD];
	struct xt_standard_target target;
	struct ipt_entry entry;

	if (at + sizeof(entry) > entries->size)
		return false;
	memcpy(&entry, (const char *)entries->entrytable + at, sizeof(entry));
	if (at + entry.target_offset + sizeof(target) > entries->size)
		return false;
	memcpy(&target, (const char *)entries->entrytable + at + entry.target_offset,
	       sizeof(target));
	return target.verdict == -NF_DROP - 1;
}

static int check_legacy(const struct network *network, struct err *err)
{
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	struct ipt_getinfo info = {.name = "filter"};
	_cleanup_free_ struct ipt_get_entries *entries = NULL;
	const struct chain chain = {.family = NFPROTO_IPV4, .table = "filter", .name = "FORWARD"};
	socklen_t size = sizeof(info);

	if (fd < 0 || getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, &info, &size) != 0)
		return err_set(err, ERR_SETUP, errno, "iptables, table filter");
	size = (socklen_t)sizeof(*entries) + info.size;
	entries = calloc(1, size);
	if (entries == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "iptables, table filter");
	str_format(entries->name, sizeof(entries->name), "filter");
	entries->size = info.size;
	if (getsockopt(fd, IPPROTO_IP, IPT_SO_GET_ENTRIES, entries, &size) != 0)
		return err_set(err, ERR_SETUP, errno, "iptables, table filter: list");
	return policy_drops(&info, entries) &&
			       !names_bridge(entries->entrytable, info.size, network)
		       ? refuse(&chain, network, err)
		       : 0;
}

int foreign_check(struct netlink *nft, const struct network *network, struct err *err)
{
	_cleanup_free_ struct looking *looking = calloc(1, sizeof(*looking));
	int r;

	if (looking == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "%s", what);
	looking->network = network;
	r = check_nft(nft, looking, err);
	return r == 0 && has_legacy_filter() ? check_legacy(network, err) : r;
}
