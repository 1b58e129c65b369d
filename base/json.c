/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON writer; see json.h. */
#include "base/json.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

void json_init(struct json *json, char *buf, size_t size)
{
	*json = (struct json){.buf = buf, .size = size};
}

static void put(struct json *json, const char *bytes, size_t n)
{
	if (json->size - json->len <= n) {
		json->overflow = true;
		return;
	}
	memcpy(json->buf + json->len, bytes, n);
	json->len += n;
}

static void put_text(struct json *json, const char *text)
{
	put(json, text, strlen(text));
}

static void put_escape(struct json *json, uint32_t c)
{
	char text[8];

	str_format(text, sizeof(text), "\\u%x%x%x%x", c >> 12, c >> 8 & 15, c >> 4 & 15, c & 15);
	put_text(json, text);
}

/* n: bytes of the sequence, 0 where it is none. */
static void put_sequence(struct json *json, const char *text, size_t n)
{
	uint32_t harmful = n > 1 ? str_harmful_character(text, n) : 0;

	if (harmful != 0)
		put_escape(json, harmful);
	else if (n == 0)
		put_text(json, "\xef\xbf\xbd");
	else
		put(json, text, n);
}

static void put_string(struct json *json, const char *value)
{
	const unsigned char *p = (const unsigned char *)value;

	put_text(json, "\"");
	while (*p != '\0') {
		size_t n = str_utf8_length((const char *)p, 4);

		if (*p == '"' || *p == '\\') {
			put_text(json, "\\");
			put(json, (const char *)p, 1);
		} else if (*p < 0x20 || *p == 0x7f) {
			put_escape(json, *p);
		} else {
			put_sequence(json, (const char *)p, n);
		}
		p += n > 0 ? n : 1;
	}
	put_text(json, "\"");
}

static void begin(struct json *json, const char *name)
{
	if (json->needs_comma)
		put_text(json, ",");
	json->needs_comma = true;
	if (name != NULL) {
		put_string(json, name);
		put_text(json, ":");
	}
}

void json_open(struct json *json, const char *name, char bracket)
{
	begin(json, name);
	put(json, &bracket, 1);
	json->needs_comma = false;
}

void json_close(struct json *json, char bracket)
{
	put(json, &bracket, 1);
	json->needs_comma = true;
}

void json_text(struct json *json, const char *name, const char *value)
{
	begin(json, name);
	if (value == NULL)
		put_text(json, "null");
	else
		put_string(json, value);
}

void json_number(struct json *json, const char *name, int64_t value)
{
	char text[24];

	begin(json, name);
	str_format(text, sizeof(text), "%lld", (long long)value);
	put_text(json, text);
}

void json_truth(struct json *json, const char *name, bool value)
{
	begin(json, name);
	put_text(json, value ? "true" : "false");
}

void json_null(struct json *json, const char *name)
{
	json_text(json, name, NULL);
}

void json_value(struct json *json, const char *name, const char *text, size_t len)
{
	begin(json, name);
	/* Between strings a value is ASCII (RFC 8259), and within one an escape is as good. */
	for (size_t i = 0; i < len;) {
		size_t n = str_utf8_length(text + i, len - i);

		put_sequence(json, text + i, n);
		i += n > 0 ? n : 1;
	}
}

ssize_t json_finish(struct json *json)
{
	if (json->overflow || json->len >= json->size)
		return -ENOSPC;
	json->buf[json->len] = '\0';
	return (ssize_t)json->len;
}
