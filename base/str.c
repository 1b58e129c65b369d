/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text helpers; see str.h. No heap, no stdio, no locale. */
#include "base/str.h"

#include <stdint.h>
#include <string.h>
#include <sys/types.h>

struct out {
	char *buf;
	size_t size;
	size_t len; /* bytes written, always < size when size > 0 */
};

static void out_char(struct out *out, char c)
{
	if (out->len + 1 < out->size)
		out->buf[out->len++] = c;
}

static void out_text(struct out *out, const char *text, size_t max)
{
	for (size_t i = 0; i < max && text[i] != '\0'; i++)
		out_char(out, text[i]);
}

static void out_number(struct out *out, uint64_t value, unsigned base)
{
	char digits[24]; /* 2^64 in octal has 22 */
	size_t n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	while (n > 0)
		out_char(out, digits[--n]);
}

/* The length modifiers that printf(3) gives an argument: 0 int, 1 long, 2 long long, 3 size_t. */
static uint64_t next_unsigned(va_list *ap, int length)
{
	switch (length) {
	case 1:
		return va_arg(*ap, unsigned long);
	case 2:
		return va_arg(*ap, unsigned long long);
	case 3:
		return va_arg(*ap, size_t);
	default:
		return va_arg(*ap, unsigned int);
	}
}

static int64_t next_signed(va_list *ap, int length)
{
	switch (length) {
	case 1:
		return va_arg(*ap, long);
	case 2:
		return va_arg(*ap, long long);
	case 3:
		return va_arg(*ap, ssize_t);
	default:
		return va_arg(*ap, int);
	}
}

static void out_signed(struct out *out, int64_t value)
{
	if (value < 0) {
		out_char(out, '-');
		out_number(out, -(uint64_t)value, 10);
	} else {
		out_number(out, (uint64_t)value, 10);
	}
}

static void out_string(struct out *out, const char *text, size_t max)
{
	out_text(out, text != NULL ? text : "(none)", max);
}

/* Formats one conversion; *fmt points behind the '%' and is moved behind the conversion. */
static void out_conversion(struct out *out, const char **fmt, va_list *ap)
{
	size_t max = SIZE_MAX;
	int length = 0;

	if (str_has_prefix(*fmt, ".*")) {
		int precision = va_arg(*ap, int);

		max = precision < 0 ? 0 : (size_t)precision;
		*fmt += 2;
	}
	for (; **fmt == 'l' || **fmt == 'z'; (*fmt)++)
		length = **fmt == 'z' ? 3 : length + 1;
	switch (**fmt) {
	case 's':
		out_string(out, va_arg(*ap, const char *), max);
		break;
	case 'c':
		out_char(out, (char)va_arg(*ap, int));
		break;
	case 'd':
	case 'i':
		out_signed(out, next_signed(ap, length));
		break;
	case 'u':
		out_number(out, next_unsigned(ap, length), 10);
		break;
	case 'x':
		out_number(out, next_unsigned(ap, length), 16);
		break;
	case 'o':
		out_number(out, next_unsigned(ap, length), 8);
		break;
	case '\0':
		return; /* a lone '%' at the end */
	default:
		out_char(out, **fmt);
		break;
	}
	(*fmt)++;
}

size_t str_vformat(char *buf, size_t size, const char *fmt, va_list args)
{
	struct out out = {.buf = buf, .size = size};
	va_list ap;

	if (size == 0)
		return 0;
	va_copy(ap, args);
	while (*fmt != '\0') {
		if (*fmt != '%') {
			out_char(&out, *fmt++);
			continue;
		}
		fmt++;
		out_conversion(&out, &fmt, &ap);
	}
	va_end(ap);
	buf[out.len] = '\0';
	return out.len;
}

size_t str_format(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	len = str_vformat(buf, size, fmt, ap);
	va_end(ap);
	return len;
}

bool str_equal(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

bool str_has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

enum { NEAREST_MAX = 64 };

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein distance of two words of at most NEAREST_MAX bytes, one row at a time. */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t row[NEAREST_MAX + 1];

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t above = row[j];

			row[j] = min3(row[j] + 1, row[j - 1] + 1,
				      diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
			diagonal = above;
		}
	}
	return row[b_len];
}

const char *str_nearest(const char *word, const char *const *names, size_t n)
{
	size_t word_len = strlen(word);
	size_t best = 1 + word_len / 3;
	const char *found = NULL;

	if (word_len > NEAREST_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t len = names[i] != NULL ? strlen(names[i]) : SIZE_MAX;
		size_t distance;

		if (len > NEAREST_MAX)
			continue;
		distance = edit_distance(word, word_len, names[i], len);
		if (distance < best || (distance == best && found == NULL)) {
			best = distance;
			found = names[i];
		}
	}
	return found;
}

size_t str_utf8_length(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t n = p[0] < 0x80   ? 1
		   : p[0] < 0xc2 ? 0
		   : p[0] < 0xe0 ? 2
		   : p[0] < 0xf0 ? 3
		   : p[0] < 0xf5 ? 4
				 : 0;

	if (n > len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

/* The character of a well-formed sequence of n bytes. */
static uint32_t utf8_character(const char *text, size_t n)
{
	static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t c = (unsigned char)text[0] & first_bits[n];

	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)text[i] & 0x3f);
	return c;
}

static bool is_harmful(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{0, '\t' - 1},    {'\t' + 1, 0x1f}, {0x7f, 0x9f},     {0x061c, 0x061c},
		{0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069},
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

uint32_t str_harmful_character(const char *text, size_t n)
{
	uint32_t c = utf8_character(text, n);

	return is_harmful(c) ? c : 0;
}

size_t str_make_harmless(char *text, size_t len)
{
	size_t to = 0;

	for (size_t from = 0; from < len;) {
		size_t n = str_utf8_length(text + from, len - from);

		if (n == 0 || is_harmful(utf8_character(text + from, n))) {
			text[to++] = '?';
		} else {
			memmove(text + to, text + from, n);
			to += n;
		}
		from += n > 0 ? n : 1;
	}
	return to;
}
