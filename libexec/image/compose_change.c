/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Instructions of Docker's, as `cordon commit -c` takes them: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL,
 * STOPSIGNAL, USER, VOLUME, WORKDIR. Runs in the composer (compose.c).
 *
 * Source: "Dockerfile reference" (exec and shell forms, ENV and LABEL with and without '=',
 * variables).
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "libexec/image/compose.h"

enum { WORD_MAX = 32 << 10, PORT_LAST = 65535 };

/* ---- words ---- */

/* A word being read: quotes and variables are taken in. */
struct reading {
	struct composing *c;
	const char *at;
	char *word; /* WORD_MAX */
	size_t len;
};

static int put(struct reading *r, const char *text, size_t n)
{
	if (n >= WORD_MAX - r->len)
		return err_set(r->c->err, ERR_USAGE, 0, "more than %d bytes", WORD_MAX);
	memcpy(r->word + r->len, text, n);
	r->len += n;
	r->word[r->len] = '\0';
	return 0;
}

static size_t name_length(const char *text)
{
	size_t n = 0;

	while (isalnum((unsigned char)text[n]) || text[n] == '_')
		n++;
	return n;
}

/* $NAME and ${NAME}, of what Env says by then. */
static int put_variable(struct reading *r)
{
	bool is_braced = r->at[1] == '{';
	const char *name = r->at + 1 + is_braced;
	size_t n = name_length(name);
	const char *value;

	if (n == 0 && !is_braced) {
		r->at++;
		return put(r, "$", 1);
	}
	if (n == 0 || (is_braced && name[n] != '}'))
		return err_set(r->c->err, ERR_USAGE, 0,
			       "${NAME} and $NAME are variables here, and nothing else in ${}");
	r->at = name + n + is_braced;
	value = compose_value_of(r->c, name, n);
	return put(r, value, strlen(value));
}

/* One sign, in a quote or out of one. */
static int put_next(struct reading *r, char quote)
{
	if (*r->at == '\\' && quote != '\'' && r->at[1] != '\0') {
		/* In a quote it is for what has a meaning there. */
		size_t skipped = quote == '\0' || strchr("\"$\\", r->at[1]) != NULL;

		r->at += 2;
		return put(r, r->at - 2 + skipped, 2 - skipped);
	}
	if (*r->at == '$' && quote != '\'')
		return put_variable(r);
	r->at++;
	return put(r, r->at - 1, 1);
}

/* ends: signs at which it ends, out of quotes; "": with the text. */
static int read_word(struct reading *r, const char *ends)
{
	char quote = '\0';
	int result = 0;

	r->len = 0;
	r->word[0] = '\0';
	while (result == 0 && *r->at != '\0') {
		if (quote == '\0' && strchr(ends, *r->at) != NULL)
			return 0;
		if (quote == '\0' ? *r->at == '"' || *r->at == '\'' : *r->at == quote) {
			if (quote == '\0')
				quote = *r->at;
			else
				quote = '\0';
			r->at++;
			continue;
		}
		result = put_next(r, quote);
	}
	return result == 0 && quote != '\0'
		       ? err_set(r->c->err, ERR_USAGE, 0, "a quote that does not end")
		       : result;
}

static void skip_blanks(struct reading *r)
{
	r->at += strspn(r->at, " \t\n");
}

/* ---- lists ---- */

/* ["a", "b"] as an array of texts; NULL: it is none. */
static struct json_object *exec_form(const char *text)
{
	struct json_object *list = text[0] == '[' ? json_tokener_parse(text) : NULL;
	bool is_list = json_object_is_type(list, json_type_array);

	for (size_t i = 0; is_list && i < json_object_array_length(list); i++)
		is_list = json_object_is_type(json_object_array_get_idx(list, i), json_type_string);
	if (is_list)
		return list;
	json_object_put(list);
	return NULL;
}

/* What is no list is a line of a shell's. */
static int set_command(struct composing *c, const char *key, const char *text)
{
	struct json_object *list = exec_form(text);

	if (list == NULL) {
		list = json_object_new_array();
		json_object_array_add(list, json_object_new_string("/bin/sh"));
		json_object_array_add(list, json_object_new_string("-c"));
		json_object_array_add(list, json_object_new_string(text));
	}
	return compose_set(c, key, list);
}

static int change_cmd(struct composing *c, const char *text, char *word)
{
	(void)word;
	c->has_cmd = true;
	return set_command(c, "Cmd", text);
}

/* The words of another entry point are none of this one's. */
static int change_entrypoint(struct composing *c, const char *text, char *word)
{
	(void)word;
	if (!c->has_cmd)
		json_object_object_del(c->config, "Cmd");
	return set_command(c, "Entrypoint", text);
}

/* ---- pairs ---- */

static int put_pair(struct composing *c, const char *key, const char *word)
{
	struct json_object *labels;
	size_t n = strcspn(word, "=");
	_cleanup_free_ char *name = strndup(word, n);

	if (n == 0)
		return err_set(c->err, ERR_USAGE, 0, "a name is missing before '='");
	if (str_equal(key, "Env"))
		return compose_variable(c, word);
	labels = compose_object(c, key);
	if (labels == NULL)
		return -EINVAL;
	return name == NULL || json_object_object_add(labels, name,
						      json_object_new_string(word + n + 1)) != 0
		       ? err_set(c->err, ERR_SETUP, ENOMEM, "%s", key)
		       : 0;
}

/* "NAME VALUE", of old: the value is all that follows. */
static int put_old_pair(struct reading *r, const char *key)
{
	size_t n = strcspn(r->at, " \t");
	_cleanup_free_ char *name = strndup(r->at, n);
	_cleanup_free_ char *pair = NULL;
	int result;

	if (name == NULL)
		return err_set(r->c->err, ERR_SETUP, ENOMEM, "%s", key);
	r->at += n;
	skip_blanks(r);
	if (*r->at == '\0')
		return err_set(r->c->err, ERR_USAGE, 0, "NAME=VALUE, or NAME VALUE");
	result = read_word(r, "");
	if (result < 0)
		return result;
	pair = malloc(n + r->len + 2);
	if (pair == NULL)
		return err_set(r->c->err, ERR_SETUP, ENOMEM, "%s", key);
	str_format(pair, n + r->len + 2, "%s=%s", name, r->word);
	return put_pair(r->c, key, pair);
}

static int put_pairs(struct composing *c, const char *key, const char *text, char *word)
{
	struct reading r = {.c = c, .at = text, .word = word};
	int result = 0;

	if (text[strcspn(text, "= \t")] != '=')
		return put_old_pair(&r, key);
	while (result == 0 && *r.at != '\0') {
		result = read_word(&r, " \t\n");
		if (result == 0 && strchr(word, '=') == NULL)
			result = err_set(c->err, ERR_USAGE, 0, "'%s' is not NAME=VALUE", word);
		if (result == 0)
			result = put_pair(c, key, word);
		skip_blanks(&r);
	}
	return result;
}

static int change_env(struct composing *c, const char *text, char *word)
{
	return put_pairs(c, "Env", text, word);
}

static int change_label(struct composing *c, const char *text, char *word)
{
	return put_pairs(c, "Labels", text, word);
}

/* ---- sets ---- */

static int put_key(struct composing *c, const char *set, const char *name)
{
	struct json_object *object = compose_object(c, set);

	if (object == NULL)
		return -EINVAL;
	return json_object_object_add(object, name, json_object_new_object()) != 0
		       ? err_set(c->err, ERR_SETUP, ENOMEM, "%s", set)
		       : 0;
}

static bool read_port(const char *text, size_t len, uint32_t *ret)
{
	char number[8];

	if (len == 0 || len >= sizeof(number))
		return false;
	str_format(number, sizeof(number), "%.*s", (int)len, text);
	return parse_u32(number, ret) == 0 && *ret > 0 && *ret <= PORT_LAST;
}

int compose_ports(struct composing *c, const char *word)
{
	size_t all = strcspn(word, "/"), first = strcspn(word, "-/");
	const char *kind = word[all] == '/' ? word + all + 1 : "tcp";
	uint32_t from, to;
	int r = 0;

	if (!read_port(word, first, &from) ||
	    !(first == all ? read_port(word, first, &to)
			   : read_port(word + first + 1, all - first - 1, &to)) ||
	    from > to ||
	    (strcasecmp(kind, "tcp") != 0 && strcasecmp(kind, "udp") != 0 &&
	     strcasecmp(kind, "sctp") != 0))
		return err_set(c->err, ERR_USAGE, 0, "'%s' is no port: 80, 80/udp, 8000-8010",
			       word);
	for (uint32_t port = from; r == 0 && port <= to; port++) {
		char name[32];

		str_format(name, sizeof(name), "%u/%c%c%c%s", port, tolower((unsigned char)kind[0]),
			   tolower((unsigned char)kind[1]), tolower((unsigned char)kind[2]),
			   kind[3] != '\0' ? "p" : "");
		r = put_key(c, "ExposedPorts", name);
	}
	return r;
}

static int put_volume(struct composing *c, const char *word)
{
	int r = compose_check_volume(c, word);

	return r < 0 ? r : put_key(c, "Volumes", word);
}

static int put_each(struct composing *c, const char *text, char *word,
		    int (*fn)(struct composing *c, const char *word))
{
	struct reading r = {.c = c, .at = text, .word = word};
	int result = 0;

	while (result == 0 && *r.at != '\0') {
		result = read_word(&r, " \t\n");
		if (result == 0)
			result = fn(c, word);
		skip_blanks(&r);
	}
	return result;
}

static int change_expose(struct composing *c, const char *text, char *word)
{
	return put_each(c, text, word, compose_ports);
}

static int change_volume(struct composing *c, const char *text, char *word)
{
	struct json_object *list = exec_form(text);
	size_t n = list != NULL ? json_object_array_length(list) : 0;
	int r = 0;

	if (list == NULL)
		return put_each(c, text, word, put_volume);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = put_volume(c, json_object_get_string(json_object_array_get_idx(list, i)));
	json_object_put(list);
	return r;
}

/* ---- single texts ---- */

static int put_one(struct composing *c, const char *key, const char *text, char *word,
		   int (*check)(struct composing *c, const char *word))
{
	struct reading r = {.c = c, .at = text, .word = word};
	int result = read_word(&r, " \t\n");

	skip_blanks(&r);
	if (result == 0 && (*r.at != '\0' || word[0] == '\0'))
		result = err_set(c->err, ERR_USAGE, 0, "one word is wanted");
	if (result == 0)
		result = check(c, word);
	return result < 0 ? result : compose_set(c, key, json_object_new_string(word));
}

static int change_user(struct composing *c, const char *text, char *word)
{
	return put_one(c, "User", text, word, compose_check_user);
}

static int change_signal(struct composing *c, const char *text, char *word)
{
	return put_one(c, "StopSignal", text, word, compose_check_signal);
}

/* A relative one is below the one before. */
static int change_directory(struct composing *c, const char *text, char *word)
{
	struct reading r = {.c = c, .at = text, .word = word};
	const char *above = compose_text(c, "WorkingDir");
	char from[PATH_MAX], path[PATH_MAX];
	int result = read_word(&r, "");

	if (result < 0)
		return result;
	/* Some images say theirs relative to the root. */
	if (path_normalize(from, sizeof(from), "/", above != NULL ? above : "/") < 0 ||
	    path_normalize(path, sizeof(path), from, word) < 0)
		return err_set(c->err, ERR_USAGE, ENAMETOOLONG, "a directory");
	return compose_set(c, "WorkingDir", json_object_new_string(path));
}

/* ---- one of them ---- */

static const struct instruction {
	const char *name;
	int (*run)(struct composing *c, const char *text, char *word);
} instructions[] = {
	{"CMD", change_cmd},       {"ENTRYPOINT", change_entrypoint}, {"ENV", change_env},
	{"EXPOSE", change_expose}, {"LABEL", change_label},           {"STOPSIGNAL", change_signal},
	{"USER", change_user},     {"VOLUME", change_volume},         {"WORKDIR", change_directory},
};

static int run_instruction(struct composing *c, const struct instruction *instruction,
			   const char *text)
{
	char *word;
	int r;

	if (*text == '\0')
		return err_set(c->err, ERR_USAGE, 0, "it says nothing");
	word = malloc(WORD_MAX);
	r = word == NULL ? err_set(c->err, ERR_SETUP, ENOMEM, "%s", instruction->name)
			 : instruction->run(c, text, word);
	free(word);
	return r;
}

int compose_change(struct composing *c, const char *text)
{
	const char *name = text + strspn(text, " \t\n");
	size_t len = strcspn(name, " \t\n");
	const char *rest = name + len + strspn(name + len, " \t\n");
	size_t n = strlen(rest);
	_cleanup_free_ char *trimmed = NULL;

	while (n > 0 && strchr(" \t\n", rest[n - 1]) != NULL)
		n--;
	trimmed = strndup(rest, n);
	if (trimmed == NULL)
		return err_set(c->err, ERR_SETUP, ENOMEM, "change");
	for (size_t i = 0; i < sizeof(instructions) / sizeof(instructions[0]); i++) {
		if (strlen(instructions[i].name) != len ||
		    strncasecmp(instructions[i].name, name, len) != 0)
			continue;
		return run_instruction(c, &instructions[i], trimmed) < 0
			       ? err_wrap(c->err, "--change '%s'", text)
			       : 0;
	}
	err_set(c->err, ERR_USAGE, 0, "--change '%s': no instruction that is known", text);
	return err_hint(c->err, "CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or "
				"WORKDIR, as in a Dockerfile.");
}
