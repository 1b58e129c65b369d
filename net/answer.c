/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See answer.h. */
#include "net/answer.h"

#include <errno.h>
#include <string.h>

/* ---- what stays here ---- */

/* RFC 6303: addresses that mean something else everywhere, and so are nobody's beyond the host. */
static const struct {
	uint8_t bytes[2];
	uint8_t n_bits;
	bool is_ipv6;
} private_prefixes[] = {
	{{10}, 8, false},        {{172, 16}, 12, false}, {{192, 168}, 16, false},
	{{169, 254}, 16, false}, {{127}, 8, false},      {{0}, 8, false},
	{{100, 64}, 10, false},  {{0xfc}, 7, true},      {{0xfe, 0x80}, 10, true},
	{{0, 0}, 16, true},
};

static bool is_within(const struct dns_reverse *address, const uint8_t *bytes, unsigned n_bits)
{
	unsigned first = n_bits < 8 ? n_bits : 8, second = n_bits - first;

	return ((address->bytes[0] ^ bytes[0]) & (0xff00U >> first) & 0xff) == 0 &&
	       ((address->bytes[1] ^ bytes[1]) & (0xff00U >> second) & 0xff) == 0;
}

static bool is_private_address(const struct dns_reverse *address)
{
	for (size_t i = 0; i < sizeof(private_prefixes) / sizeof(private_prefixes[0]); i++)
		if (private_prefixes[i].is_ipv6 == address->is_ipv6 &&
		    address->n_bits >= private_prefixes[i].n_bits &&
		    is_within(address, private_prefixes[i].bytes, private_prefixes[i].n_bits))
			return true;
	return false;
}

/* Whether the last label is that, or the name is nothing else. */
static bool is_below(const char *name, const char *label)
{
	size_t len = strlen(name), n = strlen(label);

	return len >= n && memcmp(name + len - n, label, n) == 0 &&
	       (len == n || name[len - n - 1] == '.');
}

/* RFC 6761, 6762, 7686: no name server knows them, and none shall hear of them. */
static bool is_special(const char *name)
{
	return is_below(name, "local") || is_below(name, "invalid") || is_below(name, "onion");
}

/* ---- answers ---- */

size_t answer_say(const struct dns_query *query, enum dns_rcode rcode, uint8_t buf[ANSWER_MAX])
{
	struct dns_answer answer;

	dns_begin_answer(&answer, query, buf, DNS_UDP_LEAST);
	return dns_end_answer(&answer, rcode, false);
}

static bool wants(const struct dns_query *query, enum dns_type type)
{
	return query->type == type || query->type == DNS_ANY;
}

static size_t say_found(const struct dns_query *query, const struct book_found *found, size_t most,
			uint8_t *buf)
{
	struct dns_answer answer;

	dns_begin_answer(&answer, query, buf, most);
	for (size_t i = 0; i < found->n && wants(query, DNS_A); i++)
		dns_put_record(&answer, DNS_A, ANSWER_TTL, found->list[i].ip, 4);
	for (size_t i = 0; i < found->n && wants(query, DNS_AAAA); i++)
		if (found->list[i].has_ipv6)
			dns_put_record(&answer, DNS_AAAA, ANSWER_TTL, found->list[i].ip6, 16);
	return dns_end_answer(&answer, DNS_NOERROR, true);
}

static size_t say_pointer(const struct dns_query *query, const char *text, size_t most,
			  uint8_t *buf)
{
	struct dns_answer answer;
	struct dns_name name;

	if (!dns_name_of(text, &name))
		return answer_say(query, DNS_SERVFAIL, buf);
	dns_begin_answer(&answer, query, buf, most);
	if (wants(query, DNS_PTR))
		dns_put_record(&answer, DNS_PTR, ANSWER_TTL, name.bytes, name.len);
	return dns_end_answer(&answer, DNS_NOERROR, true);
}

static void find_localhost(struct book_found *ret)
{
	static const uint8_t ip[4] = {127, 0, 0, 1};

	memset(ret, 0, sizeof(*ret));
	memcpy(ret->list[0].ip, ip, sizeof(ip));
	ret->list[0].has_ipv6 = true;
	ret->list[0].ip6[15] = 1;
	ret->n = 1;
}

/* The length of what is answered; 0: it is none of ours. */
static size_t answer_here(const struct answer_way *way, const struct dns_query *query, size_t most,
			  uint8_t *buf)
{
	char text[DNS_TEXT_MAX], name[DNS_TEXT_MAX];
	struct dns_reverse address;
	struct book_found found;

	/* A host's name has no other letters, and whole zones are nobody's to ask for here. */
	if (query->class != DNS_IN || !dns_plain_text(&query->name, text) ||
	    (query->type >= DNS_IXFR && query->type < DNS_ANY))
		return answer_say(query, DNS_REFUSED, buf);
	if (text[0] == '\0')
		return 0;
	if (dns_read_reverse(text, &address)) {
		if (book_find_address(way->names, way->run, &address, name))
			return say_pointer(query, name, most, buf);
		return is_private_address(&address) ? answer_say(query, DNS_NXDOMAIN, buf) : 0;
	}
	if (is_below(text, "localhost")) {
		find_localhost(&found);
		return say_found(query, &found, most, buf);
	}
	if (book_find(way->names, way->run, text, &found) || is_special(text))
		return found.n > 0 ? say_found(query, &found, most, buf)
				   : answer_say(query, DNS_NXDOMAIN, buf);
	return 0;
}

/* ---- names that may be asked for ---- */

/* "pypi.org" of itself, "*.example.org" of what is below it. */
static bool is_named(const char *rule, size_t len, const char *name)
{
	size_t n = strlen(name);

	if (len > 1 && rule[0] == '*')
		return n > len - 1 && memcmp(name + n - (len - 1), rule + 1, len - 1) == 0;
	return n == len && memcmp(name, rule, len) == 0;
}

unsigned answer_find_rules(const struct answer_rules *rules, const char *name)
{
	unsigned groups = 0;
	size_t at = 0;

	while (at + 2 < rules->len) {
		const char *line = rules->text + at;
		const char *end = memchr(line, '\n', rules->len - at);
		size_t len = end != NULL ? (size_t)(end - line) : rules->len - at;

		if (len > 2 && line[0] >= '0' && line[0] <= '7' &&
		    is_named(line + 2, len - 2, name))
			groups |= 1U << (line[0] - '0');
		at += len + 1;
	}
	return groups;
}

/* Addresses of allowed names: a question of any other kind could carry what nobody has looked at.
 */
static bool may_ask(const struct answer_way *way, const struct dns_query *query)
{
	char name[DNS_TEXT_MAX];

	return way->rules == NULL ||
	       ((query->type == DNS_A || query->type == DNS_AAAA) &&
		dns_plain_text(&query->name, name) && answer_find_rules(way->rules, name) != 0);
}

/* ---- addresses ---- */

enum { ALIASES_MAX = 16 };

static uint16_t count_answers(const uint8_t *message)
{
	return (uint16_t)(message[6] << 8 | message[7]);
}

static size_t behind_question(const struct dns_query *query)
{
	return DNS_HEADER + query->name.len + 4;
}

static void note_ttl(struct answer_addresses *addresses, uint32_t ttl)
{
	if (ttl < addresses->ttl)
		addresses->ttl = ttl;
}

/* Where name leads: 1, with the name in its place; 0: it is nobody's alias; -EBADMSG. */
static int follow(const uint8_t *message, size_t len, const struct dns_query *query,
		  struct dns_name *name, struct answer_addresses *addresses)
{
	size_t at = behind_question(query), to;
	struct dns_record record;

	for (uint16_t i = 0; i < count_answers(message); i++) {
		if (dns_read_record(message, len, &at, &record) < 0)
			return -EBADMSG;
		if (record.type != DNS_CNAME || record.class != DNS_IN ||
		    !dns_same_name(&record.owner, name))
			continue;
		to = record.data;
		if (dns_read_name(message, len, &to, name) < 0)
			return -EBADMSG;
		note_ttl(addresses, record.ttl);
		return 1;
	}
	return 0;
}

static bool take_addresses(const uint8_t *message, size_t len, const struct dns_query *query,
			   const struct dns_name *owner, struct answer_addresses *ret)
{
	size_t at = behind_question(query), size = query->type == DNS_AAAA ? 16 : 4;
	struct dns_record record;

	for (uint16_t i = 0; i < count_answers(message); i++) {
		if (dns_read_record(message, len, &at, &record) < 0)
			return false;
		if (record.type != query->type || record.class != DNS_IN)
			continue;
		if (record.data_len != size || !dns_same_name(&record.owner, owner))
			return false;
		note_ttl(ret, record.ttl);
		if (ret->n < ANSWER_ADDRESSES_MAX)
			memcpy(ret->list[ret->n++], message + record.data, size);
	}
	return true;
}

bool answer_read_addresses(const uint8_t *message, size_t len, const struct dns_query *query,
			   struct answer_addresses *ret)
{
	struct dns_name name = query->name;
	int r = 1;

	memset(ret, 0, sizeof(*ret));
	ret->ttl = UINT32_MAX;
	ret->is_ipv6 = query->type == DNS_AAAA;
	for (int i = 0; r > 0 && i < ALIASES_MAX; i++)
		r = follow(message, len, query, &name, ret);
	return r == 0 && take_addresses(message, len, query, &name, ret);
}

size_t answer_say_addresses(const struct dns_query *query, const struct answer_addresses *addresses,
			    size_t most, uint8_t buf[ANSWER_MAX])
{
	struct dns_answer answer;

	dns_begin_answer(&answer, query, buf, most < ANSWER_MAX ? most : ANSWER_MAX);
	for (size_t i = 0; i < addresses->n; i++)
		dns_put_record(&answer, addresses->is_ipv6 ? DNS_AAAA : DNS_A, addresses->ttl,
			       addresses->list[i], addresses->is_ipv6 ? 16 : 4);
	return dns_end_answer(&answer, DNS_NOERROR, false);
}

/* ---- questions ---- */

/* Whether it is the rules that refuse it, and not only the kind of the question. */
static bool is_forbidden(const struct answer_way *way, const struct dns_query *query)
{
	char name[DNS_TEXT_MAX];

	if (way->rules == NULL || !dns_plain_text(&query->name, name))
		return !way->has_upstream;
	return answer_find_rules(way->rules, name) == 0;
}

enum answer_kind answer_query(const struct answer_way *way, const uint8_t *message, size_t len,
			      struct answer *ret)
{
	struct book_own own;
	int r = dns_read_query(message, len, &ret->query);

	ret->is_forbidden = false;

	if (r == -EBADMSG)
		return ANSWER_NOTHING;
	if (r != 0) {
		ret->len = answer_say(&ret->query, (enum dns_rcode)r, ret->bytes);
		return ANSWER_SEND;
	}
	ret->len = answer_here(way, &ret->query, way->is_udp ? ret->query.udp_size : ANSWER_MAX,
			       ret->bytes);
	if (ret->len > 0)
		return ANSWER_SEND;
	book_own_of(way->names, way->run, &own);
	if (own.may_leave && way->has_upstream && may_ask(way, &ret->query))
		return ANSWER_ASK;
	ret->is_forbidden = own.may_leave && is_forbidden(way, &ret->query);
	ret->len = answer_say(&ret->query, DNS_REFUSED, ret->bytes);
	return ANSWER_SEND;
}
