/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See own_flags.h. */
#include "cmd/own_flags.h"

#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/print.h"
#include "cmd/table.h"

enum { NAMES_MAX = 32, WORD_MAX = 64, HELP_AT = 26 };

static const struct own_flag *find(const struct own_flag *table, const char *word)
{
	size_t len = strcspn(word, "=");

	for (; table->name != NULL; table++)
		if (word[1] == '-'
			    ? strlen(table->name) == len && strncmp(word, table->name, len) == 0
			    : table->letter != 0 && word[1] == table->letter)
			return table;
	return NULL;
}

static int refuse(const char *command, const struct own_flag *table, const char *word)
{
	const char *names[NAMES_MAX], *nearest;
	char name[WORD_MAX];
	size_t n = 0;

	str_format(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
	for (; n < NAMES_MAX && table[n].name != NULL; n++)
		names[n] = table[n].name;
	nearest = str_nearest(name, names, n);
	print_note("unknown flag %s of %s", word, command);
	if (nearest != NULL)
		print_note("  hint: Did you mean %s? `cordon help %s` lists all.", nearest,
			   command);
	else
		print_note("  hint: `cordon help %s` lists its flags.", command);
	return -1;
}

static int take_truth(const struct own_flag *flag, const char *value, void *place)
{
	bool truth = true;

	if (value != NULL && parse_bool(value, &truth) < 0) {
		print_note("%s takes no value but =true or =false", flag->name);
		return -1;
	}
	*(bool *)place = truth;
	return 0;
}

static int take(const struct own_flag *flag, const char *value, void *into)
{
	void *place = (char *)into + flag->at;
	struct own_list *list = place;

	switch (flag->target) {
	case OWN_TRUTH:
		return take_truth(flag, value, place);
	case OWN_TEXT:
		memcpy(place, &value, sizeof(value));
		return 0;
	case OWN_LIST:
		if (list->n == OWN_LIST_MAX) {
			print_note("%s: more than %d", flag->name, OWN_LIST_MAX);
			return -1;
		}
		list->list[list->n++] = value;
		return 0;
	}
	return -1;
}

/* "--name VALUE", "--name=VALUE", "-n VALUE", "-nVALUE", "-n=VALUE", "-ab". *word is the last one
 * that belongs to it afterwards. */
static int take_word(const char *command, const struct own_flag *table, char ***word, void *into)
{
	const char *text = **word;

	for (;;) {
		const struct own_flag *flag = find(table, text);
		const char *value = text[1] == '-'    ? strchr(text, '=')
				    : text[2] != '\0' ? text + 2 - (text[2] != '=')
						      : NULL;

		if (flag == NULL)
			return refuse(command, table, text);
		if (flag->value == NULL && text[1] != '-' && value != NULL && *value != '=') {
			/* Letters together. */
			if (take(flag, NULL, into) < 0)
				return -1;
			text++;
			continue;
		}
		if (value != NULL)
			value++;
		else if (flag->value != NULL)
			value = *++*word;
		if (flag->value != NULL && value == NULL) {
			--*word;
			print_note("%s wants a value: %s %s", flag->name, flag->name, flag->value);
			return -1;
		}
		return take(flag, value, into);
	}
}

int own_flags_parse(const char *command, const struct own_flag *table, char **argv, void *into,
		    int *ret_exit)
{
	bool only_words = false;
	int n = 0;

	*ret_exit = EXIT_CORDON;
	for (char **word = argv; *word != NULL; word++) {
		if (only_words || (*word)[0] != '-' || (*word)[1] == '\0') {
			argv[n++] = *word;
		} else if (str_equal(*word, "--")) {
			only_words = true;
		} else if (str_equal(*word, "--help") || str_equal(*word, "-h")) {
			*ret_exit = command_print_help_of(command);
			return -1;
		} else if (take_word(command, table, &word, into) < 0) {
			return -1;
		}
	}
	argv[n] = NULL;
	return n;
}

void own_flags_print_help(const struct own_flag *table)
{
	for (; table->name != NULL; table++) {
		char left[64];
		size_t len = str_format(left, sizeof(left), "  ");

		if (table->letter != 0)
			len += str_format(left + len, sizeof(left) - len, "-%c, ", table->letter);
		str_format(left + len, sizeof(left) - len, "%s %s", table->name,
			   table->value != NULL ? table->value : "");
		table_row(TABLE_HELP_COLUMNS, HELP_AT, left, table->help);
	}
}
