/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* net/dns.c, net/answer.c: messages that are well made and that are not, and what is answered. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/answer.h"

static const char table[] = "at 0a web1 web in ac110002 fd000000000000000000000000000002 db Web-1\n"
			    "at 0b web1 web in ac110003 - app shared\n"
			    "at 0b open1 open out ac120002 - app\n"
			    "at 0c other1 other out ac130002 - secret\n"
			    "at 0d web1 web in ac110004 - shared\n"
			    "link 0a web1 cache app\n"
			    "link 0a web1 later nobody-yet\n";

struct message {
	uint8_t bytes[4096];
	size_t len;
};

static void put(struct message *m, const void *data, size_t len)
{
	memcpy(m->bytes + m->len, data, len);
	m->len += len;
}

static void put16(struct message *m, unsigned value)
{
	const uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};

	put(m, bytes, sizeof(bytes));
}

static void begin(struct message *m, unsigned flags, unsigned n_answers, unsigned n_more)
{
	m->len = 0;
	put16(m, 0x1234);
	put16(m, flags);
	put16(m, 1);
	put16(m, n_answers);
	put16(m, 0);
	put16(m, n_more);
}

static void put_question(struct message *m, const char *text, unsigned type)
{
	struct dns_name name;

	assert_true(dns_name_of(text, &name));
	put(m, name.bytes, name.len);
	put16(m, type);
	put16(m, DNS_IN);
}

static struct message question(const char *text, unsigned type)
{
	struct message m;

	begin(&m, DNS_RD, 0, 0);
	put_question(&m, text, type);
	return m;
}

/* ---- reading ---- */

static void reads_queries(void **state)
{
	static const uint8_t opt[] = {0, 0, 41, 0x10, 0, 0, 0, 0x80, 0, 0, 0};
	struct message m = question("Db.Web", DNS_AAAA);
	char text[DNS_TEXT_MAX];
	struct dns_query query;

	(void)state;
	assert_int_equal(dns_read_query(m.bytes, m.len, &query), 0);
	assert_int_equal(query.id, 0x1234);
	assert_int_equal(query.type, DNS_AAAA);
	assert_int_equal(query.udp_size, DNS_UDP_LEAST);
	assert_true(dns_plain_text(&query.name, text));
	assert_string_equal(text, "db.web");
	for (size_t len = DNS_HEADER; len < m.len; len++)
		assert_int_equal(dns_read_query(m.bytes, len, &query), DNS_FORMERR);
	assert_int_equal(dns_read_query(m.bytes, DNS_HEADER - 1, &query), -EBADMSG);
	m.bytes[11] = 1;
	put(&m, opt, sizeof(opt));
	assert_int_equal(dns_read_query(m.bytes, m.len, &query), 0);
	assert_true(query.has_edns && query.wants_dnssec);
	assert_int_equal(query.udp_size, DNS_UDP_MOST);
	m.bytes[m.len - 5] = 1;
	assert_int_equal(dns_read_query(m.bytes, m.len, &query), DNS_BADVERS);
	m.bytes[2] |= 0x80;
	assert_int_equal(dns_read_query(m.bytes, m.len, &query), -EBADMSG);
}

static void follows_pointers_backwards_alone(void **state)
{
	/* At 12: "db"; at 16: a pointer to 12; at 18: one to itself; at 20: "x" and one to 16. */
	static const uint8_t bytes[] = {0, 0,   0,   0, 0,    0,  0,    0,  0, 0,   0,    0,
					2, 'd', 'b', 0, 0xc0, 12, 0xc0, 18, 1, 'x', 0xc0, 16};
	struct dns_name name;
	char text[DNS_TEXT_MAX];
	size_t at = 20;

	(void)state;
	assert_int_equal(dns_read_name(bytes, sizeof(bytes), &at, &name), 0);
	assert_int_equal(at, sizeof(bytes));
	assert_true(dns_plain_text(&name, text));
	assert_string_equal(text, "x.db");
	at = 18;
	assert_int_equal(dns_read_name(bytes, sizeof(bytes), &at, &name), -EBADMSG);
	assert_int_equal(at, 18);
	at = 20;
	assert_int_equal(dns_read_name(bytes, sizeof(bytes) - 1, &at, &name), -EBADMSG);
}

/* What a pointer leads to is whole in front of the name: what is read is passed on. */
static void reads_nothing_behind_the_name(void **state)
{
	/* At 12: a label of three bytes, of which two are the pointer at 14; at 16: the root. */
	static const uint8_t over[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 'a', 0xc0, 12, 0};
	/* The same label in front of it. */
	static const uint8_t before[] = {0, 0, 0, 0,   0,   0,   0, 0,    0, 0,
					 0, 0, 3, 'a', 'b', 'c', 0, 0xc0, 12};
	struct dns_name name;
	size_t at = 14;

	(void)state;
	assert_int_equal(dns_read_name(over, sizeof(over), &at, &name), -EBADMSG);
	at = 17;
	assert_int_equal(dns_read_name(before, sizeof(before), &at, &name), 0);
	assert_int_equal(name.len, 5);
}

static void book_have_their_length(void **state)
{
	char text[DNS_TEXT_MAX + 8];
	struct dns_name name;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[63] = text[127] = text[191] = '.';
	text[253] = '\0';
	assert_true(dns_name_of(text, &name));
	assert_int_equal(name.len, DNS_NAME_MAX);
	text[253] = 'a';
	text[254] = '\0';
	assert_false(dns_name_of(text, &name));
	text[63] = 'a';
	text[64] = '\0';
	assert_false(dns_name_of(text, &name));
	assert_false(dns_name_of("a..b", &name));
	/* A dot within a label is no other name's end. */
	memcpy(name.bytes, "\6db.web", 8);
	name.len = 8;
	assert_false(dns_plain_text(&name, text));
}

static void reads_addresses(void **state)
{
	struct dns_reverse address;

	(void)state;
	assert_true(dns_read_reverse("4.3.2.10.in-addr.arpa", &address));
	assert_int_equal(address.n_bits, 32);
	assert_memory_equal(address.bytes, "\x0a\2\3\4", 4);
	assert_true(dns_read_reverse("10.in-addr.arpa", &address));
	assert_int_equal(address.n_bits, 8);
	assert_true(dns_read_reverse("in-addr.arpa", &address));
	assert_int_equal(address.n_bits, 0);
	assert_true(dns_read_reverse("9.4.3.2.10.in-addr.arpa", &address));
	assert_int_equal(address.n_bits, 24);
	assert_true(dns_read_reverse("256.10.in-addr.arpa", &address));
	assert_int_equal(address.n_bits, 8);
	assert_true(dns_read_reverse("8.e.f.ip6.arpa", &address));
	assert_int_equal(address.n_bits, 12);
	assert_memory_equal(address.bytes, "\xfe\x80", 2);
	assert_false(dns_read_reverse("xin-addr.arpa", &address));
	assert_false(dns_read_reverse("10.example", &address));
}

/* ---- a name server's ---- */

static struct message good_answer(void)
{
	static const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1};
	struct message m;

	begin(&m, DNS_QR | DNS_RD | DNS_RA, 1, 0);
	put_question(&m, "Example.org", DNS_A);
	put(&m, record, sizeof(record));
	return m;
}

static void checks_answers(void **state)
{
	struct dns_query asked = {.id = 7, .type = DNS_A, .class = DNS_IN};
	struct message m = good_answer();
	uint8_t changed[4096];
	/* id, an answer's flag, a letter of the question, its type, how long the data is */
	const size_t at[] = {0, 2, 13, 26, m.len - 5};

	(void)state;
	assert_true(dns_name_of("example.org", &asked.name));
	assert_int_equal(dns_check_answer(m.bytes, m.len, &asked, 0x1234), m.len);
	assert_int_equal(dns_check_answer(m.bytes, m.len + 9, &asked, 0x1234), m.len);
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		memcpy(changed, m.bytes, m.len);
		changed[at[i]] ^= 0x81;
		assert_int_equal(dns_check_answer(changed, m.len, &asked, 0x1234), -EBADMSG);
	}
	for (size_t len = 0; len < m.len; len++)
		assert_int_equal(dns_check_answer(m.bytes, len, &asked, 0x1234), -EBADMSG);
	assert_int_equal(dns_pass_on(m.bytes, m.len, &asked, DNS_UDP_LEAST), m.len);
	assert_memory_equal(m.bytes, "\0\7", 2);
	/* Longer than may be: the question alone, and the word that there is more. */
	assert_int_equal(dns_pass_on(m.bytes, m.len, &asked, m.len - 1), 12 + 13 + 4);
	assert_int_equal(m.bytes[2] & (DNS_TC >> 8), DNS_TC >> 8);
	assert_int_equal(dns_check_answer(m.bytes, 29, &asked, 7), 29);
}

/* ---- answers ---- */

struct told {
	enum answer_kind kind;
	unsigned rcode;
	unsigned n;
	uint8_t data[16]; /* of the first record */
};

static struct told ask_as(const char *run, const char *text, unsigned type, bool has_upstream)
{
	const struct book names = {.text = table, .len = sizeof(table) - 1};
	const struct answer_way way = {.names = &names,
				       .run = run,
				       .has_upstream = has_upstream,
				       .is_udp = true};
	struct message m = question(text, type);
	struct told told = {.rcode = 99};
	struct answer answer;
	struct dns_record record;
	size_t at;

	told.kind = answer_query(&way, m.bytes, m.len, &answer);
	if (told.kind != ANSWER_SEND)
		return told;
	assert_int_equal(dns_check_answer(answer.bytes, answer.len, &answer.query, 0x1234),
			 answer.len);
	told.rcode = answer.bytes[3] & 0xf;
	told.n = answer.bytes[7];
	at = DNS_HEADER + answer.query.name.len + 4;
	if (told.n > 0 && dns_read_record(answer.bytes, answer.len, &at, &record) == 0 &&
	    record.data_len <= 16)
		memcpy(told.data, answer.bytes + record.data, record.data_len);
	return told;
}

static void says(const char *run, const char *text, unsigned type, unsigned rcode, unsigned n)
{
	struct told told = ask_as(run, text, type, true);

	if (told.kind != ANSWER_SEND || told.rcode != rcode || told.n != n)
		fail_msg("%s asks %s: kind %d, rcode %u, %u records", run, text, (int)told.kind,
			 told.rcode, told.n);
}

static void finds_names(void **state)
{
	(void)state;
	says("0b", "db", DNS_A, DNS_NOERROR, 1);
	says("0b", "DB.WEB", DNS_A, DNS_NOERROR, 1);
	says("0b", "web-1", DNS_AAAA, DNS_NOERROR, 1);
	says("0b", "db", DNS_ANY, DNS_NOERROR, 2);
	says("0b", "db", 15, DNS_NOERROR, 0);
	says("0a", "app", DNS_AAAA, DNS_NOERROR, 0);
	says("0a", "shared", DNS_A, DNS_NOERROR, 2);
	/* In two networks: both addresses for who is in both. */
	says("0b", "app", DNS_A, DNS_NOERROR, 2);
	says("0a", "app", DNS_A, DNS_NOERROR, 1);
	assert_memory_equal(ask_as("0a", "app", DNS_A, true).data, "\xac\x11\0\3", 4);
	says("0b", "2.0.17.172.in-addr.arpa", DNS_PTR, DNS_NOERROR, 1);
	says("0a", "localhost", DNS_A, DNS_NOERROR, 1);
}

static void aliases_are_ones_own(void **state)
{
	(void)state;
	says("0a", "cache", DNS_A, DNS_NOERROR, 1);
	says("0b", "cache", DNS_A, DNS_NXDOMAIN, 0);
	/* Nobody has that name yet. */
	says("0a", "later", DNS_A, DNS_NXDOMAIN, 0);
}

static void others_networks_do_not_exist(void **state)
{
	(void)state;
	says("0b", "secret", DNS_A, DNS_NXDOMAIN, 0);
	says("0c", "secret", DNS_A, DNS_NOERROR, 1);
	says("0c", "db", DNS_A, DNS_NXDOMAIN, 0);
	says("0b", "2.0.19.172.in-addr.arpa", DNS_PTR, DNS_NXDOMAIN, 0);
	says("ff", "db", DNS_A, DNS_NXDOMAIN, 0);
	says("ff", "example.org", DNS_A, DNS_REFUSED, 0);
}

static void what_leaves(void **state)
{
	static const char *const stays[] = {"db",
					    "nobody",
					    "nobody.open",
					    "x.web",
					    "printer.local",
					    "x.onion",
					    "x.invalid",
					    "9.9.168.192.in-addr.arpa",
					    "1.0.0.127.in-addr.arpa",
					    "5.31.172.in-addr.arpa",
					    "d.f.ip6.arpa",
					    "1.b.e.f.ip6.arpa"};
	static const char *const leaves[] = {"example.org", "x.web.org", "9.9.32.172.in-addr.arpa",
					     "1.2.0.192.in-addr.arpa", "1.0.0.2.ip6.arpa"};

	(void)state;
	for (size_t i = 0; i < sizeof(stays) / sizeof(stays[0]); i++)
		if (ask_as("0b", stays[i], DNS_PTR, true).kind != ANSWER_SEND)
			fail_msg("%s leaves the host", stays[i]);
	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
		if (ask_as("0b", leaves[i], DNS_A, true).kind != ANSWER_ASK)
			fail_msg("%s is answered here", leaves[i]);
		/* An internal network, or nobody to ask. */
		says("0a", leaves[i], DNS_A, DNS_REFUSED, 0);
		assert_int_equal(ask_as("0b", leaves[i], DNS_A, false).rcode, DNS_REFUSED);
	}
	says("0b", "example.org", 252, DNS_REFUSED, 0);
}

static void names_that_may_be_asked_for(void **state)
{
	static const char text[] = "0 pypi.org\n1 *.example.org\n2 pypi.org\n1 a\n";
	const struct answer_rules rules = {.text = text, .len = sizeof(text) - 1};
	const struct answer_rules none = {.text = "", .len = 0};
	static const struct {
		const char *name;
		unsigned groups;
	} rows[] = {{"pypi.org", 5},
		    {"example.org", 0},
		    {"a.example.org", 2},
		    {"b.a.example.org", 2},
		    {"aexample.org", 0},
		    {".example.org", 0},
		    {"xpypi.org", 0},
		    {"pypi.org.evil", 0},
		    {"a", 2},
		    {"files.pypi.org", 0},
		    {"", 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(answer_find_rules(&rules, rows[i].name), rows[i].groups);
	assert_int_equal(answer_find_rules(&none, "pypi.org"), 0);
}

static void put_record(struct message *m, const char *owner, unsigned type, const void *data,
		       unsigned len)
{
	put_question(m, owner, type);
	put16(m, 0);
	put16(m, type == DNS_CNAME ? 9 : 300);
	put16(m, len);
	put(m, data, len);
}

static void put_alias(struct message *m, const char *owner, const char *target)
{
	struct dns_name name;

	assert_true(dns_name_of(target, &name));
	put_record(m, owner, DNS_CNAME, name.bytes, (unsigned)name.len);
}

static void reads_addresses_of_who_was_asked_for(void **state)
{
	static const uint8_t one[] = {192, 0, 2, 1}, two[] = {192, 0, 2, 2};
	struct dns_query query = {.type = DNS_A, .class = DNS_IN};
	struct answer_addresses addresses;
	struct message m;

	(void)state;
	assert_true(dns_name_of("a.test", &query.name));
	/* In whatever order, over two aliases. */
	begin(&m, DNS_QR, 4, 0);
	put_question(&m, "a.test", DNS_A);
	put_record(&m, "c.test", DNS_A, one, 4);
	put_alias(&m, "b.test", "c.test");
	put_alias(&m, "a.test", "b.test");
	put_record(&m, "c.test", DNS_A, two, 4);
	assert_true(answer_read_addresses(m.bytes, m.len, &query, &addresses));
	assert_int_equal(addresses.n, 2);
	assert_int_equal(addresses.ttl, 9);
	assert_memory_equal(addresses.list[1], two, 4);
	/* Of an alias that is not on the way; of a wrong length; in a circle. */
	begin(&m, DNS_QR, 2, 0);
	put_question(&m, "a.test", DNS_A);
	put_record(&m, "a.test", DNS_A, one, 4);
	put_record(&m, "b.test", DNS_A, two, 4);
	assert_false(answer_read_addresses(m.bytes, m.len, &query, &addresses));
	begin(&m, DNS_QR, 1, 0);
	put_question(&m, "a.test", DNS_A);
	put_record(&m, "a.test", DNS_A, one, 3);
	assert_false(answer_read_addresses(m.bytes, m.len, &query, &addresses));
	begin(&m, DNS_QR, 2, 0);
	put_question(&m, "a.test", DNS_A);
	put_alias(&m, "a.test", "b.test");
	put_alias(&m, "b.test", "a.test");
	assert_false(answer_read_addresses(m.bytes, m.len, &query, &addresses));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_queries),
		cmocka_unit_test(follows_pointers_backwards_alone),
		cmocka_unit_test(reads_nothing_behind_the_name),
		cmocka_unit_test(book_have_their_length),
		cmocka_unit_test(reads_addresses),
		cmocka_unit_test(checks_answers),
		cmocka_unit_test(finds_names),
		cmocka_unit_test(aliases_are_ones_own),
		cmocka_unit_test(others_networks_do_not_exist),
		cmocka_unit_test(what_leaves),
		cmocka_unit_test(names_that_may_be_asked_for),
		cmocka_unit_test(reads_addresses_of_who_was_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
