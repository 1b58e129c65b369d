/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See names.h. */
#include "net/book.h"

#include <errno.h>
#include <string.h>

const char book_magic[8] = {'c', 'o', 'r', 'd', 'o', 'n', 'N', '1'};

/* FNV-1a: against what was cut off, not against somebody. */
static uint64_t add(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ bytes[i]) * 0x100000001b3ULL;
	return sum;
}

uint64_t book_sum(const struct book_head *head, const char *text)
{
	uint64_t sum = 0xcbf29ce484222325ULL;

	sum = add(sum, head->magic, sizeof(head->magic));
	sum = add(sum, &head->generation, sizeof(head->generation));
	sum = add(sum, &head->length, sizeof(head->length));
	sum = add(sum, head->boot, sizeof(head->boot));
	return add(sum, text, (size_t)head->length);
}

static bool is_head(const struct book_head *head)
{
	return memcmp(head->magic, book_magic, sizeof(book_magic)) == 0 &&
	       head->length <= BOOK_TEXT_MAX;
}

static bool read_text(const struct book_file *file, const struct book_head *head, unsigned slot,
		      char *text)
{
	const uint64_t begin = (uint64_t)slot * BOOK_SLOT + sizeof(*head);
	size_t len = 0;

	while (len < head->length) {
		long n = file->read_at(file->ctx, text + len, (size_t)head->length - len,
				       begin + len);

		if (n <= 0)
			return false;
		len += (size_t)n;
	}
	return book_sum(head, text) == head->sum;
}

/* One look at both. Somebody may write meanwhile, twice even: then neither is whole. */
static int load_once(const struct book_file *file, uint64_t generation, struct book_head *ret_head,
		     char *text, unsigned *ret_slot)
{
	struct book_head heads[2];
	bool is_there = false;
	unsigned first;

	memset(heads, 0, sizeof(heads));
	for (unsigned i = 0; i < 2; i++)
		if (file->read_at(file->ctx, &heads[i], sizeof(heads[i]),
				  (uint64_t)i * BOOK_SLOT) != (long)sizeof(heads[i]) ||
		    !is_head(&heads[i]))
			memset(&heads[i], 0, sizeof(heads[i]));
	first = heads[1].generation > heads[0].generation;
	for (unsigned i = 0; i < 2; i++) {
		unsigned slot = i == 0 ? first : 1 - first;

		if (heads[slot].generation == 0)
			continue;
		if (heads[slot].generation == generation)
			return 0;
		is_there = true;
		if (heads[slot].generation < generation ||
		    !read_text(file, &heads[slot], slot, text))
			continue;
		*ret_head = heads[slot];
		*ret_slot = slot;
		return 1;
	}
	return is_there ? -EAGAIN : -ENOENT;
}

int book_load(const struct book_file *file, uint64_t generation, struct book_head *ret_head,
	      char *text, unsigned *ret_slot)
{
	enum { TIMES = 4 };

	for (int i = 0; i < TIMES; i++) {
		int r = load_once(file, generation, ret_head, text, ret_slot);

		if (r != -EAGAIN)
			return r;
	}
	return -ENOENT;
}

/* ---- words ---- */

bool book_next_word(const struct book_word *words, size_t *at, struct book_word *ret)
{
	size_t end;

	if (*at >= words->len)
		return false;
	for (end = *at; end < words->len && words->at[end] != ' '; end++)
		;
	ret->at = words->at + *at;
	ret->len = end - *at;
	*at = end + 1;
	return true;
}

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool is_text(const struct book_word *word, const char *text, size_t len)
{
	if (word->len != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (lower(word->at[i]) != lower(text[i]))
			return false;
	return true;
}

bool book_word_is(const struct book_word *word, const char *text)
{
	return is_text(word, text, strlen(text));
}

static bool is_same(const struct book_word *a, const struct book_word *b)
{
	return is_text(a, b->at, b->len);
}

static bool read_hex(const struct book_word *word, uint8_t *ret, size_t n)
{
	if (word->len != 2 * n)
		return false;
	for (size_t i = 0; i < word->len; i++) {
		char c = word->at[i];
		bool is_digit = c >= '0' && c <= '9';

		if (!is_digit && (c < 'a' || c > 'f'))
			return false;
		ret[i / 2] = (uint8_t)(ret[i / 2] << 4 | (is_digit ? c - '0' : c - 'a' + 10));
	}
	return true;
}

/* ---- lines ---- */

static bool read_at(const struct book_word *line, size_t at, struct book_line *ret)
{
	struct book_word way, ip, ip6;

	if (!book_next_word(line, &at, &ret->network_name) || !book_next_word(line, &at, &way) ||
	    !book_next_word(line, &at, &ip) || !book_next_word(line, &at, &ip6) ||
	    !read_hex(&ip, ret->ip, sizeof(ret->ip)))
		return false;
	ret->may_leave = book_word_is(&way, "out");
	ret->has_ipv6 = !book_word_is(&ip6, "-");
	if (ret->has_ipv6 && !read_hex(&ip6, ret->ip6, sizeof(ret->ip6)))
		return false;
	ret->names.at = line->at + at;
	ret->names.len = at < line->len ? line->len - at : 0;
	return true;
}

static bool read_line(const struct book_word *line, struct book_line *ret)
{
	struct book_word kind;
	size_t at = 0;

	memset(ret, 0, sizeof(*ret));
	if (!book_next_word(line, &at, &kind) || !book_next_word(line, &at, &ret->run) ||
	    !book_next_word(line, &at, &ret->network))
		return false;
	ret->is_link = book_word_is(&kind, "link");
	if (!ret->is_link)
		return book_word_is(&kind, "at") && read_at(line, at, ret);
	return book_next_word(line, &at, &ret->alias) && book_next_word(line, &at, &ret->target);
}

bool book_next(const struct book *names, size_t *at, struct book_line *ret)
{
	while (*at < names->len) {
		struct book_word line = {.at = names->text + *at};

		while (*at + line.len < names->len && line.at[line.len] != '\n')
			line.len++;
		*at += line.len + (*at + line.len < names->len);
		if (read_line(&line, ret))
			return true;
	}
	return false;
}

/* ---- questions ---- */

void book_own_of(const struct book *names, const char *run, struct book_own *ret)
{
	struct book_line line;
	size_t at = 0;

	memset(ret, 0, sizeof(*ret));
	while (ret->n < BOOK_OWN_MAX && book_next(names, &at, &line)) {
		if (line.is_link || !book_word_is(&line.run, run))
			continue;
		ret->list[ret->n].id = line.network;
		ret->list[ret->n].name = line.network_name;
		ret->list[ret->n++].may_leave = line.may_leave;
		ret->may_leave = ret->may_leave || line.may_leave;
	}
}

static bool has_network(const struct book_own *own, const struct book_word *id)
{
	for (size_t i = 0; i < own->n; i++)
		if (is_same(&own->list[i].id, id))
			return true;
	return false;
}

static bool has_name(const struct book_line *line, const char *name, size_t len)
{
	struct book_word word;
	size_t at = 0;

	while (book_next_word(&line->names, &at, &word))
		if (is_text(&word, name, len))
			return true;
	return false;
}

static void take(const struct book_line *line, struct book_found *ret)
{
	if (ret->n == BOOK_FOUND_MAX)
		return;
	memcpy(ret->list[ret->n].ip, line->ip, sizeof(line->ip));
	memcpy(ret->list[ret->n].ip6, line->ip6, sizeof(line->ip6));
	ret->list[ret->n++].has_ipv6 = line->has_ipv6;
}

/* How much of name is in front of ".NETWORK"; 0: it does not end with that. */
static size_t in_front_of(const char *name, const struct book_word *network)
{
	size_t len = strlen(name);

	if (len < network->len + 2 || name[len - network->len - 1] != '.' ||
	    !is_text(network, name + len - network->len, network->len))
		return 0;
	return len - network->len - 1;
}

/* All that have the name, or the one that an alias means (id), in one network or in any of own. */
static void find(const struct book *names, const struct book_own *own, const struct book_word *id,
		 const struct book_word *name, struct book_found *ret)
{
	struct book_line line;
	size_t at = 0;

	while (book_next(names, &at, &line)) {
		if (line.is_link || !has_network(own, &line.network) ||
		    (id != NULL && !is_same(id, &line.network)))
			continue;
		if (has_name(&line, name->at, name->len))
			take(&line, ret);
		else if (id == NULL && name->at[name->len] == '\0') {
			size_t front = in_front_of(name->at, &line.network_name);

			if (front > 0 && has_name(&line, name->at, front))
				take(&line, ret);
		}
	}
}

/* Returns whether the run has such an alias. */
static bool find_alias(const struct book *names, const char *run, const char *name,
		       const struct book_own *own, struct book_found *ret)
{
	struct book_line line;
	bool is_alias = false;
	size_t at = 0;

	while (book_next(names, &at, &line)) {
		if (!line.is_link || !book_word_is(&line.run, run) ||
		    !book_word_is(&line.alias, name))
			continue;
		is_alias = true;
		find(names, own, &line.network, &line.target, ret);
	}
	return is_alias;
}

bool book_find(const struct book *names, const char *run, const char *name, struct book_found *ret)
{
	const struct book_word word = {.at = name, .len = strlen(name)};
	struct book_own own;
	bool is_private;

	memset(ret, 0, sizeof(*ret));
	book_own_of(names, run, &own);
	is_private = find_alias(names, run, name, &own, ret);
	if (ret->n == 0)
		find(names, &own, NULL, &word, ret);
	/* One label alone, or a network's name at the end. */
	is_private = is_private || ret->n > 0 || memchr(name, '.', word.len) == NULL;
	for (size_t i = 0; i < own.n; i++)
		is_private = is_private || in_front_of(name, &own.list[i].name) > 0;
	return is_private;
}

static bool has_address(const struct book_line *line, const struct dns_reverse *address)
{
	if (address->is_ipv6)
		return line->has_ipv6 && address->n_bits == 128 &&
		       memcmp(line->ip6, address->bytes, sizeof(line->ip6)) == 0;
	return address->n_bits == 32 && memcmp(line->ip, address->bytes, sizeof(line->ip)) == 0;
}

bool book_find_address(const struct book *names, const char *run, const struct dns_reverse *address,
		       char buf[DNS_TEXT_MAX])
{
	struct book_line line;
	struct book_own own;
	struct book_word name;
	size_t at = 0, first = 0;

	book_own_of(names, run, &own);
	while (book_next(names, &at, &line)) {
		if (line.is_link || !has_network(&own, &line.network) ||
		    !has_address(&line, address) || !book_next_word(&line.names, &first, &name))
			continue;
		if (name.len + 1 + line.network_name.len >= DNS_TEXT_MAX)
			return false;
		memcpy(buf, name.at, name.len);
		buf[name.len] = '.';
		memcpy(buf + name.len + 1, line.network_name.at, line.network_name.len);
		buf[name.len + 1 + line.network_name.len] = '\0';
		return true;
	}
	return false;
}
