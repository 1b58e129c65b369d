/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See list_options.h. */
#include "cmd/list_options.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "cmd/table.h"

enum { HELP_AT = 27, NAME_MAX_BYTES = 64 };
enum { OPTION_LISTS = OPTION_PS | OPTION_INSPECT };

enum target {
	TO_ALL,
	TO_QUIET,
	TO_LAST,
	TO_LATEST,
	TO_NO_TRUNC,
	TO_FILTER,
	TO_FORMAT,
	TO_JSON,
	TO_LATER, /* known, and nothing of it is there yet */
	TO_HELP,
};

static const struct list_flag {
	const char *name;
	char letter;       /* "-a"; 0: none */
	const char *value; /* NULL: takes none */
	enum target target;
	unsigned of;
	const char *help; /* NULL: not listed */
} flags[] = {
	{"--all", 'a', NULL, TO_ALL, OPTION_PS, "also those that do not run"},
	{"--quiet", 'q', NULL, TO_QUIET, OPTION_PS, "ids alone"},
	{"--last", 'n', "N", TO_LAST, OPTION_PS,
	 "the N that were made last, whatever they are doing"},
	{"--latest", 'l', NULL, TO_LATEST, OPTION_PS, "the one that was made last"},
	{"--no-trunc", 0, NULL, TO_NO_TRUNC, OPTION_PS, "whole ids and commands"},
	{"--filter", 'f', "FILTER", TO_FILTER, OPTION_PS,
	 "those alone of which it is true; can be given again: id, name, label, status, exited, "
	 "before, since, ancestor (the root's files), restart"},
	{"--format", 0, "TEXT", TO_FORMAT, OPTION_PS,
	 "a line for each, '{{.ID}} {{.Names}}'; behind 'table ' with headings; 'json'"},
	{"--format", 'f', "TEXT", TO_FORMAT, OPTION_INSPECT,
	 "parts of it, a line for each sandbox: '{{.state}}', '{{.result.exit_code}}', "
	 "'{{json .spec}}'"},
	{"--json", 0, NULL, TO_JSON, OPTION_PS, "one JSON document instead of text"},
	{"--json", 0, NULL, TO_JSON, OPTION_INSPECT, "JSON, which it is anyway"},
	{"--size", 's', NULL, TO_LATER, OPTION_LISTS, NULL},
	{"--help", 'h', NULL, TO_HELP, OPTION_LISTS, "this text"},
};
enum { N_FLAGS = sizeof(flags) / sizeof(flags[0]) };

struct parser {
	const char *command;
	unsigned of;
	char **next; /* the word behind this one */
	struct list_options *ret;
	struct err *err;
};

static int refuse_unknown(const struct parser *parser, const char *word, size_t len)
{
	const char *names[N_FLAGS];
	char name[NAME_MAX_BYTES];
	const char *nearest;

	for (size_t i = 0; i < N_FLAGS; i++)
		names[i] =
			(flags[i].of & parser->of) && flags[i].help != NULL ? flags[i].name : NULL;
	str_format(name, sizeof(name), "%.*s", (int)len, word);
	nearest = strlen(name) > 2 ? str_nearest(name, names, N_FLAGS) : NULL;
	err_set(parser->err, ERR_USAGE, 0, "unknown flag %s of %s", name, parser->command);
	if (nearest != NULL)
		return err_hint(parser->err, "Did you mean %s? `cordon help %s` lists all.",
				nearest, parser->command);
	return err_hint(parser->err, "`cordon help %s` lists its flags.", parser->command);
}

static int take_number(const struct list_flag *flag, const char *value, struct parser *parser)
{
	if (parse_u32(value, &parser->ret->last) == 0 && parser->ret->last > 0)
		return 0;
	err_set(parser->err, ERR_USAGE, 0, "%s %s: not a number", flag->name, value);
	return err_hint(parser->err, "How many, from 1 on: --last 5.");
}

static int take_filter(const char *value, struct parser *parser)
{
	struct list_options *ret = parser->ret;

	if (ret->n_filters == LIST_FILTERS_MAX)
		return err_set(parser->err, ERR_USAGE, 0, "more than %d filters", LIST_FILTERS_MAX);
	ret->filters[ret->n_filters++] = value;
	return 0;
}

static int take(const struct list_flag *flag, const char *value, struct parser *parser)
{
	struct list_options *ret = parser->ret;

	switch (flag->target) {
	case TO_ALL:
		ret->all = true;
		return 0;
	case TO_QUIET:
		ret->quiet = true;
		return 0;
	case TO_LAST:
		return take_number(flag, value, parser);
	case TO_LATEST:
		ret->last = 1;
		return 0;
	case TO_NO_TRUNC:
		ret->no_trunc = true;
		return 0;
	case TO_FILTER:
		return take_filter(value, parser);
	case TO_FORMAT:
		ret->format = value;
		return 0;
	case TO_JSON:
		ret->json = true;
		return 0;
	case TO_LATER:
		return err_set(parser->err, ERR_USAGE, 0,
			       "%s is not enforced by this build: cordon exec SANDBOX df / says it",
			       flag->name);
	case TO_HELP:
		ret->help = true;
		return 0;
	}
	return 0;
}

/* value: what is joined to the flag, NULL for nothing. */
static int take_with_value(const struct list_flag *flag, const char *value, struct parser *parser)
{
	if (flag->value == NULL && value != NULL)
		return err_set(parser->err, ERR_USAGE, 0, "%s takes no value", flag->name);
	if (flag->value != NULL && value == NULL) {
		value = *parser->next;
		if (value == NULL) {
			err_set(parser->err, ERR_USAGE, 0, "%s wants a value", flag->name);
			return err_hint(parser->err, "%s %s", flag->name, flag->value);
		}
		parser->next++;
	}
	return take(flag, value, parser);
}

static int take_long(const char *word, struct parser *parser)
{
	size_t len = strcspn(word, "=");

	for (size_t i = 0; i < N_FLAGS; i++)
		if ((flags[i].of & parser->of) && strlen(flags[i].name) == len &&
		    strncmp(flags[i].name, word, len) == 0)
			return take_with_value(&flags[i], word[len] == '=' ? word + len + 1 : NULL,
					       parser);
	return refuse_unknown(parser, word, len);
}

static const struct list_flag *find_letter(const struct parser *parser, char letter)
{
	for (size_t i = 0; i < N_FLAGS; i++)
		if ((flags[i].of & parser->of) && flags[i].letter == letter)
			return &flags[i];
	return NULL;
}

/* "-aq", "-n5", "-f x". */
static int take_letters(const char *word, struct parser *parser)
{
	for (const char *letter = word + 1; *letter != '\0'; letter++) {
		const struct list_flag *flag = find_letter(parser, *letter);
		int r;

		if (flag == NULL)
			return refuse_unknown(parser, word, strlen(word));
		if (flag->value != NULL && letter[1] != '\0')
			return take_with_value(flag, letter + 1 + (letter[1] == '='), parser);
		r = take_with_value(flag, NULL, parser);
		if (r < 0)
			return r;
	}
	return 0;
}

int list_options_parse(const char *command, enum option_of of, char **argv,
		       struct list_options *ret, struct err *err)
{
	struct parser parser = {.command = command, .of = of, .next = argv, .ret = ret, .err = err};
	bool only_words = false;
	int r = 0;

	*ret = (struct list_options){.words = argv};
	while (r == 0 && *parser.next != NULL) {
		char *word = *parser.next++;

		if (only_words || word[0] != '-' || word[1] == '\0')
			ret->words[ret->n_words++] = word;
		else if (str_equal(word, "--"))
			only_words = true;
		else if (word[1] == '-')
			r = take_long(word, &parser);
		else
			r = take_letters(word, &parser);
	}
	ret->words[ret->n_words] = NULL;
	return r;
}

struct option_view list_options_view(size_t index)
{
	if (index >= N_FLAGS)
		return (struct option_view){.name = NULL};
	return (struct option_view){.name = flags[index].name,
				    .letter = flags[index].letter,
				    .value = flags[index].value,
				    .keys = "",
				    .help = flags[index].help,
				    .of = flags[index].of};
}

void list_options_print_help(unsigned of)
{
	for (size_t i = 0; i < N_FLAGS; i++) {
		char letter[8] = "", left[NAME_MAX_BYTES];

		if (flags[i].help == NULL || (flags[i].of & of) == 0)
			continue;
		if (flags[i].letter != 0)
			str_format(letter, sizeof(letter), "-%c, ", flags[i].letter);
		str_format(left, sizeof(left), "  %s%s %s", letter, flags[i].name,
			   flags[i].value != NULL ? flags[i].value : "");
		table_row(TABLE_HELP_COLUMNS, HELP_AT, left, flags[i].help);
	}
}
