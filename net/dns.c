/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See dns.h. */
#include "net/dns.h"

#include <errno.h>
#include <string.h>

enum { LABEL_MAX = 63, POINTER = 0xc0, RECORD_FIXED = 10, OPCODE = 0x7800, EDNS_DO = 0x8000 };

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

/* ---- names ---- */

/* A pointer leads to before where this part of the name began, and so to fewer bytes each time.
 * What it leads to ends there as well (RFC 1035, 4.1.4: a prior occurrence), so that no record is
 * read from bytes that are not passed on. */
int dns_read_name(const uint8_t *message, size_t len, size_t *at, struct dns_name *ret)
{
	size_t from = *at, end = 0, began = *at, limit = len, n = 0;

	for (;;) {
		uint8_t size;

		if (from >= limit)
			return -EBADMSG;
		size = message[from];
		if (size >= POINTER) {
			size_t to;

			if (from + 1 >= limit)
				return -EBADMSG;
			to = get16(message + from) & 0x3fffU;
			end = end == 0 ? from + 2 : end;
			if (to < DNS_HEADER || to >= began)
				return -EBADMSG;
			limit = began;
			from = began = to;
			continue;
		}
		if (size > LABEL_MAX || from + 1 + size > limit || n + 1 + size > DNS_NAME_MAX)
			return -EBADMSG;
		memcpy(ret->bytes + n, message + from, 1U + size);
		n += 1U + size;
		from += 1U + size;
		if (size == 0)
			break;
	}
	ret->len = n;
	*at = end != 0 ? end : from;
	return 0;
}

bool dns_same_name(const struct dns_name *a, const struct dns_name *b)
{
	/* A length is below 64, so no letter. */
	for (size_t i = 0; a->len == b->len && i < a->len; i++)
		if (lower(a->bytes[i]) != lower(b->bytes[i]))
			return false;
	return a->len == b->len;
}

static bool is_plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool dns_plain_text(const struct dns_name *name, char buf[DNS_TEXT_MAX])
{
	size_t n = 0;

	for (size_t at = 0; at < name->len && name->bytes[at] != 0; at += 1U + name->bytes[at]) {
		if (n > 0)
			buf[n++] = '.';
		for (size_t i = 1; i <= name->bytes[at]; i++) {
			uint8_t c = lower(name->bytes[at + i]);

			if (!is_plain(c))
				return false;
			buf[n++] = (char)c;
		}
	}
	buf[n] = '\0';
	return true;
}

bool dns_name_of(const char *text, struct dns_name *ret)
{
	size_t n = 0;

	while (*text != '\0') {
		size_t size = 0;

		while (text[size] != '\0' && text[size] != '.')
			size++;
		if (size == 0 || size > LABEL_MAX || n + 1 + size + 1 > DNS_NAME_MAX)
			return false;
		ret->bytes[n] = (uint8_t)size;
		memcpy(ret->bytes + n + 1, text, size);
		n += 1 + size;
		text += size + (text[size] == '.');
	}
	ret->bytes[n] = 0;
	ret->len = n + 1;
	return true;
}

/* ---- addresses as names ---- */

/* Whether text ends with suffix, and where that begins. */
static bool ends_with(const char *text, const char *suffix, size_t *ret_at)
{
	size_t len = strlen(text), n = strlen(suffix);

	if (len < n || memcmp(text + len - n, suffix, n) != 0 ||
	    (len > n && text[len - n - 1] != '.'))
		return false;
	*ret_at = len - n;
	return true;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The label that ends in front of *at, as a number of base 10 below 256, or of one hex digit. */
static int number_before(const char *text, size_t *at, bool is_ipv6)
{
	size_t end = *at, begin;
	int value = 0;

	for (begin = end; begin > 0 && text[begin - 1] != '.'; begin--)
		if (end - begin == 3)
			return -1;
	if (begin == end || (is_ipv6 && end - begin != 1))
		return -1;
	for (size_t i = begin; i < end; i++) {
		int digit = digit_of(text[i]);

		if (digit < 0 || (!is_ipv6 && digit > 9))
			return -1;
		value = value * 10 + digit;
	}
	*at = begin > 0 ? begin - 1 : 0;
	return value <= 255 ? value : -1;
}

bool dns_read_reverse(const char *text, struct dns_reverse *ret)
{
	const unsigned bits[] = {8, 4}, most[] = {32, 128};
	size_t at;

	memset(ret, 0, sizeof(*ret));
	ret->is_ipv6 = ends_with(text, "ip6.arpa", &at);
	if (!ret->is_ipv6 && !ends_with(text, "in-addr.arpa", &at))
		return false;
	at -= at > 0;
	while (at > 0 && ret->n_bits < most[ret->is_ipv6]) {
		int value = number_before(text, &at, ret->is_ipv6);

		if (value < 0)
			break;
		if (ret->is_ipv6 && ret->n_bits % 8 == 0)
			value <<= 4;
		ret->bytes[ret->n_bits / 8] |= (uint8_t)value;
		ret->n_bits += bits[ret->is_ipv6];
	}
	/* Something is in front of an address that is whole: it is not that address's name. */
	if (at > 0 && ret->n_bits == most[ret->is_ipv6])
		ret->n_bits -= bits[ret->is_ipv6];
	return true;
}

/* ---- records ---- */

int dns_read_record(const uint8_t *message, size_t len, size_t *at, struct dns_record *ret)
{
	size_t to = *at;
	int r = dns_read_name(message, len, &to, &ret->owner);

	if (r < 0 || len - to < RECORD_FIXED)
		return -EBADMSG;
	ret->type = get16(message + to);
	ret->class = get16(message + to + 2);
	ret->ttl = (uint32_t)get16(message + to + 4) << 16 | get16(message + to + 6);
	ret->data_len = get16(message + to + 8);
	ret->data = to + RECORD_FIXED;
	if (len - ret->data < ret->data_len)
		return -EBADMSG;
	*at = ret->data + ret->data_len;
	return 0;
}

static int read_question(const uint8_t *message, size_t len, size_t *at, struct dns_query *ret)
{
	int r = dns_read_name(message, len, at, &ret->name);

	if (r < 0 || len - *at < 4)
		return -EBADMSG;
	ret->type = get16(message + *at);
	ret->class = get16(message + *at + 2);
	*at += 4;
	return 0;
}

/* ---- a client's query ---- */

/* RFC 6891: one OPT record, of the root, anywhere among the additional ones. */
static int read_edns(const uint8_t *message, size_t len, size_t at, struct dns_query *ret)
{
	uint16_t n = get16(message + 10);

	for (uint16_t i = 0; i < n; i++) {
		struct dns_record record;

		if (dns_read_record(message, len, &at, &record) < 0)
			return DNS_FORMERR;
		if (record.type != DNS_OPT)
			continue;
		if (ret->has_edns || record.owner.len != 1)
			return DNS_FORMERR;
		ret->has_edns = true;
		ret->wants_dnssec = (record.ttl & EDNS_DO) != 0;
		ret->udp_size = record.class;
		if ((record.ttl >> 16 & 0xff) != 0)
			return DNS_BADVERS;
	}
	return 0;
}

int dns_read_query(const uint8_t *message, size_t len, struct dns_query *ret)
{
	size_t at = DNS_HEADER;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (len < DNS_HEADER || (get16(message + 2) & DNS_QR) != 0)
		return -EBADMSG;
	ret->id = get16(message);
	ret->flags = get16(message + 2);
	ret->udp_size = DNS_UDP_LEAST;
	if ((ret->flags & OPCODE) != 0)
		return DNS_NOTIMP;
	if (get16(message + 4) != 1 || get16(message + 6) != 0 || get16(message + 8) != 0 ||
	    read_question(message, len, &at, ret) < 0) {
		ret->name.len = 0;
		return DNS_FORMERR;
	}
	r = read_edns(message, len, at, ret);
	if (ret->udp_size < DNS_UDP_LEAST)
		ret->udp_size = DNS_UDP_LEAST;
	if (ret->udp_size > DNS_UDP_MOST)
		ret->udp_size = DNS_UDP_MOST;
	return r;
}

/* ---- a name server's answer ---- */

ptrdiff_t dns_check_answer(const uint8_t *message, size_t len, const struct dns_query *asked,
			   uint16_t id)
{
	struct dns_query question;
	struct dns_record record;
	size_t at = DNS_HEADER;
	uint32_t n;

	if (len < DNS_HEADER || get16(message) != id || get16(message + 4) != 1 ||
	    (get16(message + 2) & (DNS_QR | OPCODE)) != DNS_QR ||
	    read_question(message, len, &at, &question) < 0 || question.type != asked->type ||
	    question.class != asked->class || !dns_same_name(&question.name, &asked->name))
		return -EBADMSG;
	n = (uint32_t)get16(message + 6) + get16(message + 8) + get16(message + 10);
	for (uint32_t i = 0; i < n; i++)
		if (dns_read_record(message, len, &at, &record) < 0)
			return -EBADMSG;
	return (ptrdiff_t)at;
}

/* ---- writing ---- */

static size_t put_question(uint8_t *buf, const struct dns_query *query)
{
	memcpy(buf, query->name.bytes, query->name.len);
	put16(buf + query->name.len, query->type);
	put16(buf + query->name.len + 2, query->class);
	return query->name.len + 4;
}

enum { OPT_SIZE = 11 };

static size_t put_edns(uint8_t *buf, bool wants_dnssec, unsigned rcode)
{
	memset(buf, 0, OPT_SIZE);
	put16(buf + 1, DNS_OPT);
	put16(buf + 3, DNS_UDP_MOST);
	buf[5] = (uint8_t)(rcode >> 4);
	put16(buf + 7, wants_dnssec ? EDNS_DO : 0);
	return OPT_SIZE;
}

size_t dns_write_query(const struct dns_query *query, uint16_t id, uint8_t *buf)
{
	enum { CHECKING_DISABLED = 0x0010 };
	size_t len = DNS_HEADER;

	memset(buf, 0, DNS_HEADER);
	put16(buf, id);
	put16(buf + 2, DNS_RD | (query->flags & CHECKING_DISABLED));
	put16(buf + 4, 1);
	len += put_question(buf + len, query);
	if (query->has_edns) {
		put16(buf + 10, 1);
		len += put_edns(buf + len, query->wants_dnssec, 0);
	}
	return len;
}

void dns_begin_answer(struct dns_answer *answer, const struct dns_query *query, uint8_t *buf,
		      size_t size)
{
	memset(answer, 0, sizeof(*answer));
	answer->bytes = buf;
	answer->size = size - (query->has_edns ? OPT_SIZE : 0);
	answer->query = query;
	memset(buf, 0, DNS_HEADER);
	put16(buf, query->id);
	answer->len = DNS_HEADER;
	if (query->name.len > 0) {
		put16(buf + 4, 1);
		answer->len += put_question(buf + answer->len, query);
	}
}

void dns_put_record(struct dns_answer *answer, enum dns_type type, uint32_t ttl, const void *data,
		    size_t len)
{
	uint8_t *to = answer->bytes + answer->len;

	if (answer->is_cut || answer->size - answer->len < 2 + RECORD_FIXED + len) {
		answer->is_cut = true;
		return;
	}
	put16(to, POINTER << 8 | DNS_HEADER);
	put16(to + 2, type);
	put16(to + 4, DNS_IN);
	put16(to + 6, ttl >> 16);
	put16(to + 8, ttl & 0xffff);
	put16(to + 10, (unsigned)len);
	memcpy(to + 2 + RECORD_FIXED, data, len);
	answer->len += 2 + RECORD_FIXED + len;
	answer->n_answers++;
}

size_t dns_end_answer(struct dns_answer *answer, enum dns_rcode rcode, bool is_own)
{
	const struct dns_query *query = answer->query;

	put16(answer->bytes + 2, DNS_QR | DNS_RA | (query->flags & (DNS_RD | OPCODE)) |
					 (is_own ? DNS_AA : 0U) | (answer->is_cut ? DNS_TC : 0U) |
					 ((unsigned)rcode & 0xf));
	put16(answer->bytes + 6, answer->n_answers);
	if (query->has_edns) {
		put16(answer->bytes + 10, 1);
		answer->len += put_edns(answer->bytes + answer->len, query->wants_dnssec, rcode);
	}
	return answer->len;
}

size_t dns_pass_on(uint8_t *message, size_t len, const struct dns_query *query, size_t most)
{
	unsigned flags = get16(message + 2);

	put16(message, query->id);
	if (len <= most)
		return len;
	put16(message + 2, flags | DNS_TC);
	memset(message + 6, 0, 6);
	return DNS_HEADER + query->name.len + 4;
}
