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

static void put_escape(struct json *json, unsigned char c)
{
	char text[8];

	str_format(text, sizeof(text), "\\u00%x%x", c >> 4, c & 15);
	put_text(json, text);
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
		} else if (n == 0) {
			put_text(json, "\xef\xbf\xbd");
		} else {
			put(json, (const char *)p, n);
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

ssize_t json_finish(struct json *json)
{
	if (json->overflow || json->len >= json->size)
		return -ENOSPC;
	json->buf[json->len] = '\0';
	return (ssize_t)json->len;
}
