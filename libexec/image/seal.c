/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See seal.h. Source: pax(1), "ustar Interchange Format" and "pax Interchange Format". */
#include "libexec/image/seal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"

/* Of a ustar header. */
enum {
	RECORD = 512,
	MODE_AT = 100,
	OWNER_AT = 108,
	GROUP_AT = 116,
	SIZE_AT = 124,
	TIME_AT = 136,
	SUM_AT = 148,
	SUM_LEN = 8,
	TYPE_AT = 156,
	MAGIC_AT = 257,
	VERSION_AT = 263,
};

static const char keyword[] = " comment=";
static const char first_word[] = "cordon-volume-backup 1\n";

/* ---- headers ---- */

static void put_field(char *record, size_t at, const char *text)
{
	size_t len = strlen(text);

	/* A field that is full has no NUL. */
	for (size_t i = 0; i < len; i++)
		record[at + i] = text[i];
}

/* In octal, with leading zeros, and a NUL behind. */
static void put_number(char *record, size_t at, size_t digits, size_t number)
{
	for (size_t i = digits; i > 0; i--, number /= 8)
		record[at + i - 1] = (char)('0' + number % 8);
}

static void put_record(char record[RECORD], const char *name, char type, size_t size)
{
	size_t sum = (size_t)SUM_LEN * ' ';

	memset(record, 0, RECORD);
	put_field(record, 0, name);
	put_number(record, MODE_AT, 7, 0644);
	put_number(record, OWNER_AT, 7, 0);
	put_number(record, GROUP_AT, 7, 0);
	put_number(record, SIZE_AT, 11, size);
	put_number(record, TIME_AT, 11, 0);
	record[TYPE_AT] = type;
	put_field(record, MAGIC_AT, "ustar");
	put_field(record, VERSION_AT, "00");
	for (size_t i = 0; i < RECORD; i++)
		sum += (unsigned char)record[i];
	put_number(record, SUM_AT, SUM_LEN - 2, sum);
	record[SUM_AT + SUM_LEN - 1] = ' ';
}

/* "LENGTH comment=TEXT\n", where the length is that of all of it. Returns the length. */
static size_t put_comment(const char *text, char *buf, size_t size)
{
	size_t len = strlen(keyword) + strlen(text) + 1, digits = 1;
	char number[16];

	while (str_format(number, sizeof(number), "%zu", len + digits) > digits)
		digits++;
	return str_format(buf, size, "%zu%s%s\n", len + digits, keyword, text);
}

/* Returns the length, a multiple of the record's. */
static size_t put_header(const char *text, char *buf, size_t size)
{
	size_t len = put_comment(text, buf + RECORD, size - RECORD);
	size_t all = RECORD + (len + RECORD - 1) / RECORD * RECORD;

	put_record(buf, "pax_global_header", 'g', len); /* the name that git gives its own */
	memset(buf + RECORD + len, 0, all - RECORD - len);
	return all;
}

/* ---- the two of them ---- */

size_t seal_put_head(const struct seal_head *head, char buf[SEAL_HEAD_MAX])
{
	char text[VOLUME_TEXT_MAX + 64];
	size_t len = str_format(text, sizeof(text), "%sconsistent %d\n", first_word,
				head->is_consistent);

	volume_format(&head->volume, text + len);
	return put_header(text, buf, SEAL_HEAD_MAX);
}

/* The text of the comment, which ends with NUL afterwards; NULL: it is none. */
static char *find_text(char buf[SEAL_HEAD_MAX])
{
	char *body = buf + RECORD;
	size_t digits = strspn(body, "0123456789");
	uint32_t len;
	char number[16];

	str_format(number, sizeof(number), "%.*s", (int)digits, body);
	if (parse_u32(number, &len) < 0 || len < digits + sizeof(keyword) ||
	    len > SEAL_HEAD_MAX - RECORD || !str_has_prefix(body + digits, keyword) ||
	    body[len - 1] != '\n')
		return NULL;
	body[len - 1] = '\0';
	return body + digits + strlen(keyword);
}

int seal_read_head(const char *buf, size_t len, struct seal_head *ret)
{
	_cleanup_free_ char *copy = calloc(1, SEAL_HEAD_MAX + 1);
	_cleanup_free_ char *again = NULL;
	static const char consistent[] = "consistent ";
	struct seal_head head;
	const char *text;
	size_t n;

	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, buf, len < SEAL_HEAD_MAX ? len : SEAL_HEAD_MAX);
	text = find_text(copy);
	/* What ends early is a shorter text: the comparison tells. */
	if (text == NULL || !str_has_prefix(text, first_word))
		return -EBADMSG;
	text += strlen(first_word);
	if (!str_has_prefix(text, consistent))
		return -EBADMSG;
	text += strlen(consistent);
	head.is_consistent = text[0] == '1';
	if (text[0] == '\0' || text[1] != '\n' || volume_parse(text + 2, &head.volume) < 0)
		return -EBADMSG;
	again = calloc(1, SEAL_HEAD_MAX);
	if (again == NULL)
		return -ENOMEM;
	n = seal_put_head(&head, again);
	if (n > len || memcmp(buf, again, n) != 0)
		return -EBADMSG;
	*ret = head;
	return 0;
}

void seal_put_tail(const char hex[STORE_HEX_SIZE], char buf[SEAL_TAIL])
{
	memset(buf, 0, SEAL_TAIL);
	put_record(buf, SEAL_NAME, '0', STORE_HEX_SIZE);
	str_format(buf + RECORD, STORE_HEX_SIZE + 1, "%s\n", hex);
}

bool seal_is_end(const char *buf, size_t len)
{
	static const char zeros[SEAL_END];

	return len == SEAL_END && memcmp(buf, zeros, SEAL_END) == 0;
}
