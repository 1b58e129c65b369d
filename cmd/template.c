/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See template.h. Reads text; knows nothing of what the fields are. */
#include "cmd/template.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

static const char field_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_";

int template_refuse(const char *action, const char *known, struct err *err)
{
	err_set(err, ERR_USAGE, 0, "--format: %s is not known", action);
	return err_hint(err, "Known are %s.", known);
}

/* The word in the template's own memory; NULL where there is no room. */
static const char *keep(struct template *template, const char *text, size_t len)
{
	char *word = template->memory + template->used;

	if (len + 1 > sizeof(template->memory) - template->used)
		return NULL;
	memcpy(word, text, len);
	word[len] = '\0';
	template->used += len + 1;
	return word;
}

static int add(struct template *template, enum template_kind kind, const char *text, size_t len)
{
	const char *word = keep(template, text, len);

	if (word == NULL || template->n == TEMPLATE_PARTS_MAX)
		return -E2BIG;
	template->parts[template->n++] = (struct template_part){.kind = kind, .word = word};
	return 0;
}

/* \t and \n, as the shell hands them over, are a tab and a newline; \\ is nothing special. */
static int add_text(struct template *template, const char *text, size_t len)
{
	char buf[TEMPLATE_TEXT_MAX];
	size_t used = 0;

	if (len == 0)
		return 0;
	if (len > sizeof(buf))
		return -E2BIG;
	for (size_t i = 0; i < len; i++) {
		bool is_escape = text[i] == '\\' && i + 1 < len &&
				 (text[i + 1] == 't' || text[i + 1] == 'n');

		buf[used] = text[i];
		if (is_escape)
			buf[used] = "\n\t"[text[i + 1] == 't'];
		used++;
		i += is_escape;
	}
	return add(template, TEMPLATE_TEXT, buf, used);
}

/* "A.B" behind the first point; every part has a letter. */
static bool is_path(const char *text, size_t len)
{
	for (size_t at = 0; at <= len;) {
		size_t n = strspn(text + at, field_letters);

		if (n == 0 || at + n > len || (at + n < len && text[at + n] != '.'))
			return false;
		at += n + 1;
	}
	return true;
}

static size_t trim(const char **text, size_t len)
{
	while (len > 0 && **text == ' ') {
		(*text)++;
		len--;
	}
	while (len > 0 && (*text)[len - 1] == ' ')
		len--;
	return len;
}

/* The name within `.Label "NAME"`; NULL where it is nothing of the kind. */
static const char *label_name(const char *text, size_t len, size_t *ret_len)
{
	static const char word[] = ".Label ";
	size_t n = sizeof(word) - 1;

	if (len <= n || strncmp(text, word, n) != 0)
		return NULL;
	text += n;
	len = trim(&text, len - n);
	if (len < 3 || text[0] != '"' || text[len - 1] != '"' ||
	    memchr(text + 1, '"', len - 2) != NULL || memchr(text, '\\', len) != NULL)
		return NULL;
	*ret_len = len - 2;
	return text + 1;
}

/* What stands between the braces. -EINVAL: nothing that is known. */
static int add_action(struct template *template, const char *text, size_t len)
{
	static const char json[] = "json ";
	bool is_json = false;
	const char *label;
	size_t n;

	len = trim(&text, len);
	label = label_name(text, len, &n);
	if (label != NULL)
		return add(template, TEMPLATE_LABEL, label, n);
	if (len > sizeof(json) - 1 && strncmp(text, json, sizeof(json) - 1) == 0) {
		text += sizeof(json) - 1;
		len = trim(&text, len - (sizeof(json) - 1));
		is_json = true;
	}
	if (len == 0 || text[0] != '.')
		return -EINVAL;
	if (is_json && len == 1)
		return add(template, TEMPLATE_JSON, "", 0);
	if (!is_path(text + 1, len - 1))
		return -EINVAL;
	return add(template, is_json ? TEMPLATE_JSON : TEMPLATE_FIELD, text + 1, len - 1);
}

static int refuse_action(const char *begin, size_t len, const char *known, struct err *err)
{
	char action[128];

	str_format(action, sizeof(action), "%.*s", (int)len, begin);
	return template_refuse(action, known, err);
}

/* One piece, text up to the next braces or what stands in them; *at is moved on. */
static int read_piece(struct template *template, const char **at, const char *known,
		      struct err *err)
{
	const char *open = strstr(*at, "{{");
	const char *close;
	int r;

	if (open == NULL || open != *at) {
		size_t len = open != NULL ? (size_t)(open - *at) : strlen(*at);

		r = add_text(template, *at, len);
		*at += len;
		return r;
	}
	close = strstr(open, "}}");
	if (close == NULL) {
		err_set(err, ERR_USAGE, 0, "--format: {{ is not closed");
		return -EINVAL;
	}
	*at = close + 2;
	r = add_action(template, open + 2, (size_t)(close - open) - 2);
	return r == -EINVAL ? refuse_action(open, (size_t)(*at - open), known, err) : r;
}

int template_read(const char *format, const char *known, struct template *ret, struct err *err)
{
	static const char table[] = "table ";
	int r = 0;

	*ret = (struct template){.is_table = str_has_prefix(format, table)};
	if (ret->is_table) {
		format += sizeof(table) - 1;
		format += strspn(format, " ");
	}
	while (r == 0 && *format != '\0')
		r = read_piece(ret, &format, known, err);
	if (r == -E2BIG)
		return err_set(err, ERR_USAGE, 0,
			       "--format: longer than %d bytes, or more than %d parts",
			       TEMPLATE_TEXT_MAX, TEMPLATE_PARTS_MAX);
	return r;
}
