/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See fill.h. Pure. */
#include "cmd/fill.h"

#include <string.h>

#include "base/str.h"

enum { FIELD_MAX = 128 };

bool fill_is_json(const char *format)
{
	return str_equal(format, "json") || str_equal(format, "{{json .}}");
}

/* The name between "{{." and "}}", blanks around it. Returns what is behind it, NULL: none. */
static const char *take_field(const char *text, char *buf, size_t size)
{
	size_t len;

	text += 2;
	text += strspn(text, " ");
	if (*text != '.')
		return NULL;
	text++;
	len = strcspn(text, " }");
	if (len == 0 || len >= size)
		return NULL;
	str_format(buf, size, "%.*s", (int)len, text);
	text += len;
	text += strspn(text, " ");
	return str_has_prefix(text, "}}") ? text + 2 : NULL;
}

static const char *take_plain(const char *text, char *ret)
{
	*ret = *text;
	if (str_has_prefix(text, "\\t") || str_has_prefix(text, "\\n")) {
		*ret = text[1] == 't' ? '\t' : '\n';
		return text + 2;
	}
	return text + 1;
}

int fill(const char *format, const struct fill_fields *fields, char *buf, size_t size,
	 struct err *err)
{
	size_t len = 0;

	for (const char *at = format; *at != '\0';) {
		char field[FIELD_MAX], plain;
		const char *value;

		if (!str_has_prefix(at, "{{")) {
			at = take_plain(at, &plain);
			len += str_format(buf + len, size - len, "%c", plain);
			continue;
		}
		at = take_field(at, field, sizeof(field));
		value = at != NULL ? fields->look_up(fields->ctx, field) : NULL;
		if (value == NULL && at != NULL)
			return err_set(err, ERR_USAGE, 0, "--format: there is no field .%s", field);
		if (value == NULL)
			return err_set(err, ERR_USAGE, 0,
				       "--format %s: {{.Field}} and text are what it takes, or "
				       "json",
				       format);
		/* A value may be anything: it neither starts a line nor drives the terminal. */
		str_format(buf + len, size - len, "%s", value);
		len += str_make_harmless(buf + len, strlen(buf + len));
	}
	len += str_format(buf + len, size - len, "\n");
	return (int)len;
}
