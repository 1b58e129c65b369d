/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of entries; see name.h. Runs in the workers, on hostile bytes. */
#include "libexec/image/name.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/str.h"

static size_t part_max(const char *part)
{
	return NAME_PART_MAX + (str_has_prefix(part, ".wh.") ? strlen(".wh.") : 0);
}

int name_clean(const char *name, char *buf)
{
	size_t len = 0, depth = 0;

	while (*name != '\0') {
		size_t n = strcspn(name, "/");
		const char *part = name;

		name += n + (name[n] == '/');
		if (n == 0 || (n == 1 && part[0] == '.'))
			continue;
		if (n == 2 && part[0] == '.' && part[1] == '.')
			return -EXDEV;
		if (n > part_max(part) || ++depth > NAME_DEPTH_MAX || len + n + 2 > NAME_SIZE)
			return -ENAMETOOLONG;
		if (len > 0)
			buf[len++] = '/';
		memcpy(buf + len, part, n);
		len += n;
	}
	buf[len] = '\0';
	return (int)len;
}

const char *name_base(const char *clean)
{
	const char *slash = strrchr(clean, '/');

	return slash != NULL ? slash + 1 : clean;
}

static bool is_plain(unsigned char c)
{
	return c > 0x20 && c < 0x7f && c != '\\';
}

void name_escape(const char *name, char *buf, size_t size)
{
	size_t len = 0;

	for (; *name != '\0' && len + 5 <= size; name++) {
		unsigned char c = (unsigned char)*name;

		if (is_plain(c)) {
			buf[len++] = (char)c;
			continue;
		}
		buf[len++] = '\\';
		buf[len++] = (char)('0' + (c >> 6));
		buf[len++] = (char)('0' + (c >> 3 & 7));
		buf[len++] = (char)('0' + (c & 7));
	}
	buf[len] = '\0';
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

int name_unescape(const char *text, size_t len, char *buf)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (n + 1 == NAME_SIZE)
			return -EINVAL;
		if (is_plain(c)) {
			buf[n++] = (char)c;
			continue;
		}
		if (c != '\\' || len - i < 4 || !is_octal(text[i + 1]) || text[i + 1] > '3' ||
		    !is_octal(text[i + 2]) || !is_octal(text[i + 3]))
			return -EINVAL;
		c = (unsigned char)((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 |
				    (text[i + 3] - '0'));
		if (c == '\0' || is_plain(c))
			return -EINVAL;
		buf[n++] = (char)c;
		i += 3;
	}
	buf[n] = '\0';
	return 0;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that %XX stands for; 0: it is none of those that are written so. */
static char coded_byte(const char *text)
{
	int high = text[0] == '%' ? hex_digit(text[1]) : -1;
	int low = high < 0 ? -1 : hex_digit(text[2]);
	int byte = low < 0 ? 0 : high << 4 | low;

	/* Those stand for themselves. */
	if (byte > 0x20 && byte < 0x7f && byte != '%' && byte != '=')
		return '\0';
	return (char)byte;
}

int name_attribute_decode(const char *key, char *buf)
{
	size_t len = 0;

	for (; *key != '\0'; key++) {
		char byte = coded_byte(key);

		if (len == NAME_PART_MAX)
			return -ENAMETOOLONG;
		if (byte == '\0')
			byte = *key;
		else
			key += 2;
		buf[len++] = byte;
	}
	buf[len] = '\0';
	return 0;
}

void name_make_word(char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= 0x20 || *text == 0x7f)
			*text = '?';
}
