/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See network.h. A record is text of ours, so what differs from what is written here is damage:
 * every line has its place, and the last one says that it is whole. */
#include "net/network.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/pairs.h"
#include "base/parse.h"
#include "base/str.h"

static const char first_line[] = "cordon-network 1\n";
static const char first_word[] = "cordon-network ";

const struct network_driver_row network_drivers[NETWORK_DRIVERS] = {
	[NETWORK_BRIDGE] = {"bridge", true},
	[NETWORK_HOST] = {"host", false},
	[NETWORK_NONE] = {"null", false},
};

const char *network_driver_of_docker(const char *name)
{
	static const char *const others[] = {"overlay", "macvlan", "ipvlan", "remote"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (str_equal(name, others[i]))
			return others[i];
	return NULL;
}

static const struct network built_in[] = {
	{.id = "0000000000010000",
	 .name = "bridge",
	 .driver = NETWORK_BRIDGE,
	 .is_built_in = true,
	 .is_own = true,
	 .icc = true,
	 .mtu = NETWORK_MTU_DEFAULT},
	{.id = "0000000000020000", .name = "host", .driver = NETWORK_HOST, .is_built_in = true},
	{.id = "0000000000030000", .name = "none", .driver = NETWORK_NONE, .is_built_in = true},
};

const struct network *network_built_in_at(size_t index)
{
	return index < sizeof(built_in) / sizeof(built_in[0]) ? &built_in[index] : NULL;
}

const struct network *network_built_in(const char *name)
{
	for (size_t i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++)
		if (str_equal(built_in[i].name, name))
			return &built_in[i];
	return NULL;
}

bool network_is_name(const char *text)
{
	static const char begins[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t len = strlen(text);

	return len > 0 && len <= NETWORK_NAME_MAX && strchr(begins, text[0]) != NULL &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
		       len;
}

/* ---- labels ---- */

const char *network_next_label(const struct network *network, size_t *at)
{
	return pairs_next(network->labels, network->labels_len, at);
}

int network_add_label(struct network *network, const char *label)
{
	return pairs_add(network->labels, sizeof(network->labels), &network->labels_len, label);
}

/* ---- writing ---- */

static size_t put_prefix(char *buf, size_t size, const char *key, const struct net_prefix *prefix)
{
	char text[ADDRESS_TEXT_MAX] = "-";

	if (prefix->family != 0)
		address_format_prefix(prefix, text);
	return str_format(buf, size, "%s %s\n", key, text);
}

/* Those without one have no such line, as they had before there were rates. */
static size_t put_rate(char *buf, size_t size, const char *key, const struct spec_traffic *traffic)
{
	return traffic->rate_bits == 0 ? 0
				       : str_format(buf, size, "%s_rate %llu\n%s_burst %llu\n", key,
						    (unsigned long long)traffic->rate_bits, key,
						    (unsigned long long)traffic->burst_bytes);
}

size_t network_format(const struct network *network, char buf[NETWORK_TEXT_MAX])
{
	const struct {
		const char *key;
		const struct net_prefix *prefix;
	} prefixes[] = {{"subnet", &network->subnet},
			{"gateway", &network->gateway},
			{"range", &network->range},
			{"subnet6", &network->subnet6},
			{"gateway6", &network->gateway6}};
	const size_t size = NETWORK_TEXT_MAX;
	const char *label;
	size_t at = 0, len;

	len = str_format(buf, size, "%sid %s\nname %s\ndriver %s\nbuilt_in %d\nbridge %s\nown %d\n",
			 first_line, network->id, network->name,
			 network_drivers[network->driver].name, network->is_built_in,
			 network->bridge, network->is_own);
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		len += put_prefix(buf + len, size - len, prefixes[i].key, prefixes[i].prefix);
	len += str_format(buf + len, size - len, "internal %d\nicc %d\nmtu %u\ncreated_ms %llu\n",
			  network->is_internal, network->icc, network->mtu,
			  (unsigned long long)network->created_ms);
	len += put_rate(buf + len, size - len, "egress", &network->egress);
	len += put_rate(buf + len, size - len, "ingress", &network->ingress);
	while ((label = network_next_label(network, &at)) != NULL)
		len += str_format(buf + len, size - len, "label %s\n", label);
	return len + str_format(buf + len, size - len, "end\n");
}

/* ---- reading ---- */

struct reader {
	const char *at;
	bool failed;
};

/* "KEY VALUE\n" */
static void take(struct reader *reader, const char *key, char *buf, size_t size)
{
	size_t key_len = strlen(key), len;

	buf[0] = '\0';
	if (reader->failed || strncmp(reader->at, key, key_len) != 0 ||
	    reader->at[key_len] != ' ') {
		reader->failed = true;
		return;
	}
	reader->at += key_len + 1;
	len = strcspn(reader->at, "\n");
	if (reader->at[len] != '\n' || len >= size) {
		reader->failed = true;
		return;
	}
	memcpy(buf, reader->at, len);
	buf[len] = '\0';
	reader->at += len + 1;
}

static uint64_t take_number(struct reader *reader, const char *key, uint64_t most)
{
	char text[24];
	uint64_t number = 0;

	take(reader, key, text, sizeof(text));
	if (parse_u64(text, &number) < 0 || number > most)
		reader->failed = true;
	return number;
}

static void take_prefix(struct reader *reader, const char *key, int family, struct net_prefix *ret)
{
	char text[ADDRESS_TEXT_MAX];

	take(reader, key, text, sizeof(text));
	if (str_equal(text, "-"))
		*ret = (struct net_prefix){0};
	else if (address_parse_prefix(text, ret) < 0 || ret->family != family)
		reader->failed = true;
}

static void take_driver(struct reader *reader, enum network_driver *ret)
{
	char text[16];

	take(reader, "driver", text, sizeof(text));
	for (int i = 0; i < NETWORK_DRIVERS; i++)
		if (str_equal(network_drivers[i].name, text)) {
			*ret = (enum network_driver)i;
			return;
		}
	reader->failed = true;
}

static bool is_of_traffic(const struct spec_traffic *traffic)
{
	return traffic->rate_bits >= SPEC_RATE_LEAST &&
	       (traffic->burst_bytes == 0 || traffic->burst_bytes >= SPEC_BURST_LEAST) &&
	       traffic->burst_bytes <= traffic->rate_bits / 8 * SPEC_BURST_SECONDS;
}

static void take_rate(struct reader *reader, const char *rate, const char *burst,
		      struct spec_traffic *ret)
{
	if (reader->failed || !str_has_prefix(reader->at, rate))
		return;
	ret->rate_bits = take_number(reader, rate, SPEC_RATE_MOST);
	ret->burst_bytes = take_number(reader, burst, SPEC_BURST_MOST);
	reader->failed = reader->failed || !is_of_traffic(ret);
}

static void take_labels(struct reader *reader, struct network *network)
{
	char label[NETWORK_LABELS_MAX];

	while (!reader->failed && str_has_prefix(reader->at, "label ")) {
		take(reader, "label", label, sizeof(label));
		if (!reader->failed && network_add_label(network, label) < 0)
			reader->failed = true;
	}
}

/* That nothing in it leads elsewhere: its name is a directory, its bridge a link. */
static bool is_sound(const struct network *network)
{
	struct network copy = *network;
	struct err ignored;

	return network_is_name(network->name) && strlen(network->id) == NETWORK_ID_LEN &&
	       strspn(network->id, "0123456789abcdef") == NETWORK_ID_LEN &&
	       network->driver == NETWORK_BRIDGE && network->bridge[0] != '\0' &&
	       strpbrk(network->bridge, "/ \t") == NULL && network->bridge[0] != '.' &&
	       network->subnet.family != 0 && network->range.family != 0 &&
	       network->gateway.family != 0 && network_complete(&copy, &ignored) == 0;
}

/* A whole first line, with another number. */
static bool is_of_other_format(const char *text)
{
	size_t n;

	if (!str_has_prefix(text, first_word))
		return false;
	text += sizeof(first_word) - 1;
	n = strspn(text, "0123456789");
	return n > 0 && text[n] == '\n';
}

int network_parse(const char *text, struct network *ret)
{
	struct network network = {0};
	struct reader reader = {.at = text + sizeof(first_line) - 1};

	if (!str_has_prefix(text, first_line))
		return is_of_other_format(text) ? -EPROTONOSUPPORT : -EBADMSG;
	take(&reader, "id", network.id, sizeof(network.id));
	take(&reader, "name", network.name, sizeof(network.name));
	take_driver(&reader, &network.driver);
	network.is_built_in = take_number(&reader, "built_in", 1) != 0;
	take(&reader, "bridge", network.bridge, sizeof(network.bridge));
	network.is_own = take_number(&reader, "own", 1) != 0;
	take_prefix(&reader, "subnet", AF_INET, &network.subnet);
	take_prefix(&reader, "gateway", AF_INET, &network.gateway);
	take_prefix(&reader, "range", AF_INET, &network.range);
	take_prefix(&reader, "subnet6", AF_INET6, &network.subnet6);
	take_prefix(&reader, "gateway6", AF_INET6, &network.gateway6);
	network.is_internal = take_number(&reader, "internal", 1) != 0;
	network.icc = take_number(&reader, "icc", 1) != 0;
	network.mtu = (uint32_t)take_number(&reader, "mtu", UINT16_MAX);
	network.created_ms = (int64_t)take_number(&reader, "created_ms", INT64_MAX);
	take_rate(&reader, "egress_rate", "egress_burst", &network.egress);
	take_rate(&reader, "ingress_rate", "ingress_burst", &network.ingress);
	take_labels(&reader, &network);
	if (reader.failed || !str_equal(reader.at, "end\n") || !is_sound(&network))
		return -EBADMSG;
	*ret = network;
	return 0;
}

/* ---- rules ---- */

static int refuse(const char *flag, const struct net_prefix *value, const char *why,
		  struct err *err)
{
	char text[ADDRESS_TEXT_MAX];

	address_format_prefix(value, text);
	return err_set(err, ERR_USAGE, 0, "%s %s: %s", flag, text, why);
}

/* Only addresses that are nobody's elsewhere: another's would be cut off from the host. */
static int check_subnet(const struct net_prefix *subnet, const char *flag, struct err *err)
{
	int r;

	if (!address_is_network(subnet))
		return refuse(flag, subnet, "has bits set behind its length", err);
	if (subnet->length < 8 || (subnet->family == AF_INET && subnet->length > 29) ||
	    (subnet->family == AF_INET6 && (subnet->length < 16 || subnet->length > 112)))
		return refuse(flag, subnet, "is too large or too small for a network", err);
	if (address_is_private(subnet))
		return 0;
	r = refuse(flag, subnet, "is not a private subnet", err);
	err_hint(err, "It lies in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10 or "
		      "fc00::/7.");
	return r;
}

/* Neither the first address, which is the subnet's own, nor the last, which is broadcast. */
static int check_gateway(const struct net_prefix *subnet, struct net_prefix *gateway,
			 const char *flag, struct err *err)
{
	uint64_t number;

	if (gateway->family == 0 && !address_nth(subnet, 1, gateway))
		return refuse(flag, subnet, "has no room for a gateway", err);
	number = address_number(subnet, gateway);
	if (number == UINT64_MAX || number == 0 || number == address_count(subnet) - 1)
		return refuse(flag, gateway, "is no host's address of the subnet", err);
	return 0;
}

int network_complete(struct network *network, struct err *err)
{
	int r = 0;

	if (network->subnet.family != 0)
		r = check_subnet(&network->subnet, "--subnet", err);
	if (r == 0 && network->subnet.family != 0)
		r = check_gateway(&network->subnet, &network->gateway, "--gateway", err);
	if (r == 0 && network->subnet6.family != 0)
		r = check_subnet(&network->subnet6, "--subnet", err);
	if (r == 0 && network->subnet6.family != 0)
		r = check_gateway(&network->subnet6, &network->gateway6, "--gateway", err);
	if (r < 0)
		return r;
	if (network->subnet.family == 0 && (network->gateway.family | network->range.family) != 0)
		return err_set(err, ERR_USAGE, 0, "--gateway and --ip-range take a --subnet");
	if (network->subnet6.family == 0 && network->gateway6.family != 0)
		return err_set(err, ERR_USAGE, 0, "--gateway of IPv6 takes a --subnet of IPv6");
	if (network->range.family == 0)
		network->range = network->subnet;
	if (network->subnet.family != 0 && !address_is_within(&network->range, &network->subnet))
		return refuse("--ip-range", &network->range, "is not within the subnet", err);
	if (network->range.family != 0 && !address_is_network(&network->range))
		return refuse("--ip-range", &network->range, "has bits set behind its length", err);
	if (network->mtu < 1280 || network->mtu > 65535)
		return err_set(err, ERR_USAGE, 0, "--mtu %u: is not between 1280 and 65535",
			       network->mtu);
	return 0;
}
