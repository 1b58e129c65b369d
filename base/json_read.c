/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See json_read.h. */
#include "base/json_read.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

static size_t skip_white(const char *text, size_t len, size_t at)
{
	while (at < len && text[at] != '\0' && strchr(" \t\n\r", text[at]) != NULL)
		at++;
	return at;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits at text; -1 where there are no four. */
static int32_t read_hex4(const char *text, size_t len)
{
	int32_t value = 0;

	for (size_t i = 0; i < 4; i++) {
		int digit = i < len ? hex_digit(text[i]) : -1;

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/* Each of the following returns the length of what begins at text, or 0. */

static size_t escape_length(const char *text, size_t len)
{
	if (len < 2 || text[1] == '\0')
		return 0;
	if (text[1] == 'u')
		return read_hex4(text + 2, len - 2) < 0 ? 0 : 6;
	return strchr("\"\\/bfnrt", text[1]) != NULL ? 2 : 0;
}

static size_t string_length(const char *text, size_t len)
{
	size_t at = 1;

	if (len == 0 || text[0] != '"')
		return 0;
	while (at < len && text[at] != '"') {
		size_t n = text[at] == '\\'                ? escape_length(text + at, len - at)
			   : (unsigned char)text[at] < ' ' ? 0
							   : str_utf8_length(text + at, len - at);

		if (n == 0)
			return 0;
		at += n;
	}
	return at < len ? at + 1 : 0;
}

static size_t digits(const char *text, size_t len, size_t at)
{
	size_t begin = at;

	while (at < len && text[at] >= '0' && text[at] <= '9')
		at++;
	return at - begin;
}

static size_t number_length(const char *text, size_t len)
{
	size_t at = len > 0 && text[0] == '-';
	size_t n = digits(text, len, at);

	if (n == 0 || (n > 1 && text[at] == '0'))
		return 0;
	at += n;
	if (at < len && text[at] == '.') {
		n = digits(text, len, at + 1);
		if (n == 0)
			return 0;
		at += 1 + n;
	}
	if (at < len && (text[at] == 'e' || text[at] == 'E')) {
		at++;
		at += at < len && (text[at] == '+' || text[at] == '-');
		n = digits(text, len, at);
		if (n == 0)
			return 0;
		at += n;
	}
	return at;
}

static size_t word_length(const char *text, size_t len)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (len >= strlen(words[i]) && memcmp(text, words[i], strlen(words[i])) == 0)
			return strlen(words[i]);
	return 0;
}

static size_t scalar_length(const char *text, size_t len)
{
	size_t n = string_length(text, len);

	if (n == 0)
		n = number_length(text, len);
	return n > 0 ? n : word_length(text, len);
}

/* ---- values ---- */

/* What may come next. */
enum expected { A_VALUE, A_VALUE_OR_END, A_NAME, A_NAME_OR_END, A_COMMA_OR_END };

struct scan {
	const char *text;
	size_t len;
	size_t at;
	enum expected expected;
	char open[JSON_DEPTH_MAX]; /* the brackets around this place */
	size_t depth;
};

static bool scan_open(struct scan *scan)
{
	char bracket = scan->text[scan->at];

	if (scan->depth == JSON_DEPTH_MAX)
		return false;
	scan->open[scan->depth++] = bracket;
	scan->expected = bracket == '{' ? A_NAME_OR_END : A_VALUE_OR_END;
	scan->at++;
	return true;
}

static bool scan_close(struct scan *scan)
{
	bool is_object = scan->text[scan->at] == '}';

	if (scan->depth == 0 || (scan->open[scan->depth - 1] == '{') != is_object ||
	    (scan->expected != A_COMMA_OR_END &&
	     scan->expected != (is_object ? A_NAME_OR_END : A_VALUE_OR_END)))
		return false;
	scan->depth--;
	scan->expected = A_COMMA_OR_END;
	scan->at++;
	return true;
}

static bool scan_comma(struct scan *scan)
{
	if (scan->expected != A_COMMA_OR_END || scan->depth == 0)
		return false;
	scan->expected = scan->open[scan->depth - 1] == '{' ? A_NAME : A_VALUE;
	scan->at++;
	return true;
}

static bool scan_name(struct scan *scan)
{
	size_t n = string_length(scan->text + scan->at, scan->len - scan->at);

	scan->at = skip_white(scan->text, scan->len, scan->at + n);
	if (n == 0 || scan->at == scan->len || scan->text[scan->at] != ':')
		return false;
	scan->at++;
	scan->expected = A_VALUE;
	return true;
}

static bool scan_scalar(struct scan *scan)
{
	size_t n = scalar_length(scan->text + scan->at, scan->len - scan->at);

	scan->at += n;
	scan->expected = A_COMMA_OR_END;
	return n > 0;
}

/* One step: a bracket, a comma, a name with its colon, a value. */
static bool scan_step(struct scan *scan)
{
	char c = scan->text[scan->at];

	if (c == '}' || c == ']')
		return scan_close(scan);
	if (c == ',')
		return scan_comma(scan);
	switch (scan->expected) {
	case A_NAME:
	case A_NAME_OR_END:
		return scan_name(scan);
	case A_VALUE:
	case A_VALUE_OR_END:
		return c == '{' || c == '[' ? scan_open(scan) : scan_scalar(scan);
	case A_COMMA_OR_END:
		return false;
	}
	return false;
}

ssize_t json_value_length(const char *text, size_t len)
{
	struct scan scan = {.text = text, .len = len, .expected = A_VALUE};

	for (;;) {
		scan.at = skip_white(text, len, scan.at);
		if (scan.at == len || !scan_step(&scan))
			return -EBADMSG;
		if (scan.depth == 0 && scan.expected == A_COMMA_OR_END)
			return (ssize_t)scan.at;
	}
}

int json_read(const char *text, size_t len, struct json_slice *ret)
{
	size_t begin = skip_white(text, len, 0);
	ssize_t n = json_value_length(text + begin, len - begin);

	if (n < 0)
		return (int)n;
	if (skip_white(text, len, begin + (size_t)n) != len)
		return -EBADMSG;
	*ret = (struct json_slice){.text = text + begin, .len = (size_t)n};
	return 0;
}

/* ---- members ---- */

int json_next(struct json_slice value, size_t *at, struct json_slice *ret_name,
	      struct json_slice *ret)
{
	size_t i = *at;
	ssize_t n;

	if (value.len == 0 || value.text[0] != '{')
		return 0;
	/* Behind the bracket, or behind the member before and its comma. */
	i = skip_white(value.text, value.len, i == 0 ? 1 : i);
	if (i < value.len && value.text[i] == ',')
		i = skip_white(value.text, value.len, i + 1);
	*ret_name = (struct json_slice){.text = value.text + i,
					.len = string_length(value.text + i, value.len - i)};
	if (ret_name->len == 0)
		return 0;
	i = skip_white(value.text, value.len, i + ret_name->len);
	i = skip_white(value.text, value.len, i + 1);
	n = i < value.len ? json_value_length(value.text + i, value.len - i) : -EBADMSG;
	if (n < 0)
		return 0;
	*ret = (struct json_slice){.text = value.text + i, .len = (size_t)n};
	*at = i + (size_t)n;
	return 1;
}

int json_find(struct json_slice value, const char *name, size_t len, struct json_slice *ret)
{
	struct json_slice found, member;
	size_t at = 0;

	while (json_next(value, &at, &found, &member) > 0) {
		if (found.len != len + 2 || memcmp(found.text + 1, name, len) != 0)
			continue;
		*ret = member;
		return 0;
	}
	return -ENOENT;
}

/* ---- strings ---- */

static size_t encode_utf8(uint32_t c, char buf[4])
{
	if (c < 0x80) {
		buf[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		buf[0] = (char)(0xc0 | c >> 6);
		buf[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		buf[0] = (char)(0xe0 | c >> 12);
		buf[1] = (char)(0x80 | (c >> 6 & 0x3f));
		buf[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	buf[0] = (char)(0xf0 | c >> 18);
	buf[1] = (char)(0x80 | (c >> 12 & 0x3f));
	buf[2] = (char)(0x80 | (c >> 6 & 0x3f));
	buf[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* \uXXXX, or two of them that are one character. Returns how many bytes they take. */
static size_t decode_hex(const char *text, size_t len, uint32_t *ret)
{
	uint32_t c = (uint32_t)read_hex4(text + 2, len - 2);
	int32_t low = -1;

	if (c >= 0xd800 && c < 0xdc00 && len >= 12 && text[6] == '\\' && text[7] == 'u')
		low = read_hex4(text + 8, len - 8);
	if (low >= 0xdc00 && low < 0xe000) {
		*ret = 0x10000 + ((c - 0xd800) << 10 | ((uint32_t)low - 0xdc00));
		return 12;
	}
	/* Half of a pair, and the end of a C string, are no characters here. */
	*ret = c == 0 || (c >= 0xd800 && c < 0xe000) ? 0xfffd : c;
	return 6;
}

static size_t decode(const char *text, size_t len, char ret[4], size_t *ret_len)
{
	static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
	const char *name;
	uint32_t c;

	if (text[0] != '\\') {
		*ret_len = str_utf8_length(text, len);
		memcpy(ret, text, *ret_len);
		return *ret_len;
	}
	if (text[1] == 'u') {
		size_t n = decode_hex(text, len, &c);

		*ret_len = encode_utf8(c, ret);
		return n;
	}
	name = strchr(names, text[1]);
	ret[0] = text[1];
	if (name != NULL)
		ret[0] = values[name - names];
	*ret_len = 1;
	return 2;
}

size_t json_copy_text(struct json_slice value, char *buf, size_t size)
{
	size_t used = 0;

	if (value.len == 0 || value.text[0] != '"')
		return str_format(buf, size, "%.*s", (int)value.len, value.text);
	for (size_t i = 1; i + 1 < value.len;) {
		char bytes[4];
		size_t n = 0, taken = decode(value.text + i, value.len - 1 - i, bytes, &n);

		if (taken == 0 || used + n + 1 > size)
			break;
		memcpy(buf + used, bytes, n);
		used += n;
		i += taken;
	}
	if (size > 0)
		buf[used] = '\0';
	return used;
}
