/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzzes what a sandbox's resolver reads: the first byte says of whom. A workload's message is
 * answered well, within its bounds, and with nobody's address of another network; a name server's
 * is passed on only where all of it can be read; of a table of names every line has its words. */
#include <stdlib.h>
#include <string.h>

#include "net/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char table[] = "at 0a web1 web in 0a000002 fd000000000000000000000000000002 db web-1\n"
			    "at 0b web1 web in 0a000003 - app\n"
			    "at 0b open1 open out 0b000003 - app\n"
			    "at 0c other1 other out 0c000004 - db secret\n"
			    "link 0a web1 cache app\n";

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* Nothing but 10 and 11.x is in a network of 0a's or 0b's, and nothing but records of the name. */
static void check_records(const uint8_t *answer, size_t len, const struct dns_query *query)
{
	struct dns_record record;
	size_t at = DNS_HEADER + query->name.len + 4;

	for (unsigned n = (unsigned)answer[6] << 8 | answer[7]; n > 0; n--) {
		check(dns_read_record(answer, len, &at, &record) == 0);
		check(dns_same_name(&record.owner, &query->name));
		check(record.type != DNS_A || answer[record.data] == 10 ||
		      answer[record.data] == 11 || answer[record.data] == 127);
	}
}

static void ask(const uint8_t *message, size_t len, const char *run, bool is_udp)
{
	const struct book names = {.text = table, .len = sizeof(table) - 1};
	const struct answer_way way = {.names = &names,
				       .run = run,
				       .has_upstream = true,
				       .is_udp = is_udp};
	struct answer answer;
	const struct dns_query *query = &answer.query;
	uint8_t again[DNS_QUERY_MAX];
	struct dns_query second;
	size_t n;

	switch (answer_query(&way, message, len, &answer)) {
	case ANSWER_SEND:
		n = answer.len;
		check(n >= DNS_HEADER && n <= (is_udp ? (size_t)DNS_UDP_MOST : ANSWER_MAX));
		check(query->name.len == 0 ||
		      dns_check_answer(answer.bytes, n, query, query->id) == (ptrdiff_t)n);
		if (query->name.len > 0)
			check_records(answer.bytes, n, query);
		break;
	case ANSWER_ASK:
		check(strcmp(run, "0b") == 0);
		n = dns_write_query(query, 7, again);
		check(n <= sizeof(again) && dns_read_query(again, n, &second) == 0);
		check(second.id == 7 && second.type == query->type &&
		      dns_same_name(&second.name, &query->name));
		break;
	case ANSWER_NOTHING:
		break;
	}
}

static void hear(uint8_t *message, size_t len)
{
	struct dns_query asked = {.id = 5, .type = DNS_A, .class = DNS_IN};
	struct answer_addresses addresses;
	uint8_t own[ANSWER_MAX];
	ptrdiff_t n;
	size_t passed;

	check(dns_name_of("example.org", &asked.name));
	n = dns_check_answer(message, len, &asked, 0x1234);
	if (n < 0)
		return;
	check((size_t)n <= len);
	if (answer_read_addresses(message, (size_t)n, &asked, &addresses)) {
		check(addresses.n <= ANSWER_ADDRESSES_MAX);
		passed = answer_say_addresses(&asked, &addresses, DNS_UDP_LEAST, own);
		check(passed <= DNS_UDP_LEAST &&
		      dns_check_answer(own, passed, &asked, 5) == (ptrdiff_t)passed);
	}
	passed = dns_pass_on(message, (size_t)n, &asked, DNS_UDP_LEAST);
	check(passed <= DNS_UDP_LEAST &&
	      dns_check_answer(message, passed, &asked, 5) == (ptrdiff_t)passed);
}

static void look(const char *text, size_t len)
{
	const struct book names = {.text = text, .len = len};
	struct book_line line;
	struct book_found found;
	size_t at = 0, before = 0;

	while (book_next(&names, &at, &line)) {
		check(at > before && at <= len && line.run.len <= len);
		before = at;
	}
	book_find(&names, "0a", "db.web", &found);
	check(found.n <= BOOK_FOUND_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (size < 1)
		return 0;
	/* Of exactly its length. */
	copy = malloc(size > 1 ? size - 1 : 1);
	memcpy(copy, data + 1, size - 1);
	if (data[0] % 4 == 0)
		hear(copy, size - 1);
	else if (data[0] % 4 == 1)
		look((const char *)copy, size - 1);
	else
		ask(copy, size - 1, data[0] % 8 < 4 ? "0a" : "0b", data[0] % 4 == 2);
	free(copy);
	return 0;
}
