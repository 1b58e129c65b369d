/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* docs/COMMANDS.md: a section for each command, from the tables that --help is made from. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/gen/documents.h"
#include "cmd/options.h"
#include "cmd/words.h"

enum { NAME_MAX_BYTES = 64 };

/* "profile ls" as the link that the heading "cordon profile ls" has on the usual servers. */
static void print_link(const char *full_name)
{
	char link[NAME_MAX_BYTES];

	str_format(link, sizeof(link), "%s", full_name);
	for (char *at = link; *at != '\0'; at++)
		if (*at == ' ')
			*at = '-';
	printf("[%s](#cordon-%s)", full_name, link);
}

static void print_index(const struct subcommand *table, const char *above)
{
	for (const struct subcommand *row = table; row->name != NULL; row++) {
		char name[NAME_MAX_BYTES];

		str_format(name, sizeof(name), "%s%s", above, row->name);
		fputs("| ", stdout);
		print_link(name);
		fputs(" | ", stdout);
		documents_cell(row->help);
		puts(" |");
		str_format(name, sizeof(name), "%s%s ", above, row->name);
		if (row->below != NULL)
			print_index(row->below, name);
	}
}

static void print_flag(const char *letter, const char *name, const char *value, const char *help)
{
	fputs("| `", stdout);
	printf("%s%s%s", letter, letter[0] != '\0' ? ", " : "", name);
	if (value != NULL) {
		putchar(' ');
		documents_cell(value);
	}
	fputs("` | ", stdout);
	documents_cell(help);
	puts(" |");
}

static bool has_flags(const struct subcommand *row, const char *full_name)
{
	return command_options(row) != 0 || words_view(full_name, 0).name != NULL ||
	       command_own_flags(row) != NULL || (row->flags & COMMAND_JSON);
}

static void print_flags(const struct subcommand *row, const char *full_name)
{
	unsigned of = command_options(row);
	struct option_view flag;
	struct words_view own;

	if (!has_flags(row, full_name))
		return;
	puts("| flag | what it does |\n| --- | --- |");
	for (size_t i = 0; of != 0 && (flag = options_view(i)).name != NULL; i++) {
		char letter[] = {'-', flag.letter, '\0'};

		if (flag.help != NULL && (flag.of & of))
			print_flag(flag.letter != 0 ? letter : "", flag.name, flag.value,
				   flag.help);
	}
	for (size_t i = 0; (own = words_view(full_name, i)).name != NULL; i++)
		print_flag(own.letter != NULL ? own.letter : "", own.name, own.value, own.help);
	for (const struct own_flag *one = command_own_flags(row); one != NULL && one->name != NULL;
	     one++) {
		char letter[] = {'-', one->letter, '\0'};

		print_flag(one->letter != 0 ? letter : "", one->name, one->value, one->help);
	}
	if (row->flags & COMMAND_JSON)
		print_flag("", "--json", NULL, "one JSON document instead of text");
	putchar('\n');
}

/* Whole lines of the help as one paragraph. What could be taken for HTML or a link stays text. */
static void print_more(const char *text)
{
	char flat[2048];

	str_format(flat, sizeof(flat), "%s", text);
	for (char *at = flat; *at != '\0'; at++)
		if (*at == '\n')
			*at = ' ';
	documents_paragraph(flat);
}

static void print_commands(const struct subcommand *table, const char *above)
{
	for (const struct subcommand *row = table; row->name != NULL; row++) {
		char name[NAME_MAX_BYTES], prefix[NAME_MAX_BYTES];

		str_format(name, sizeof(name), "%s%s", above, row->name);
		str_format(prefix, sizeof(prefix), "%s ", name);
		printf("## cordon %s\n\n```\ncordon %s%s%s\n```\n\n", name, name,
		       row->usage[0] != '\0' ? " " : "", row->usage);
		printf("%c%s.%s",
		       row->help[0] >= 'a' && row->help[0] <= 'z' ? row->help[0] - 'a' + 'A'
								  : row->help[0],
		       row->help + 1, row->more[0] != '\0' ? "\n" : "\n\n");
		if (row->more[0] != '\0')
			print_more(row->more);
		print_flags(row, name);
		if (row->below != NULL)
			print_commands(row->below, prefix);
	}
}

int documents_commands(void)
{
	puts("<!-- Made by `make docs` from cmd/commands.c and the tables of flags. -->\n\n"
	     "# Commands\n");
	documents_paragraph(
		"Each command with all of its flags: what `cordon help COMMAND` says, and "
		"cordon(1). A first "
		"walk through them is in [TUTORIAL.md](TUTORIAL.md), what becomes of Docker's "
		"flags in "
		"[DOCKER.md](DOCKER.md), what a profile can say in [PROFILES.md](PROFILES.md). "
		"SANDBOX is a name, an id, or the beginning of an id.");
	documents_paragraph(
		"All take `--root DIR` before the command's name: everything is kept below DIR "
		"then, and what is kept elsewhere is not seen. An unknown flag is an error that "
		"names the nearest known one.");
	puts("| command | what it does |\n| --- | --- |");
	print_index(commands, "");
	putchar('\n');
	print_commands(commands, "");
	return 0;
}
