/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* docs/man/cordon.1: from the tables of commands and flags. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/gen/documents.h"
#include "cmd/options.h"
#include "cmd/words.h"
#include "launcher/cordon.h"

static void print_bold(const char *text)
{
	fputs("\\fB", stdout);
	documents_man_text(text);
	fputs("\\fR", stdout);
}

static void print_tagged(const char *tag, const char *value, const char *text)
{
	puts(".TP");
	print_bold(tag);
	if (value[0] != '\0') {
		fputs(" \\fI", stdout);
		documents_man_text(value);
		fputs("\\fR", stdout);
	}
	putchar('\n');
	documents_man_text(text);
	puts(".");
}

static void print_flags(const struct subcommand *row, const char *above)
{
	unsigned of = command_options(row);
	struct words_view own;
	char full_name[64];

	str_format(full_name, sizeof(full_name), "%s%s", above, row->name);
	for (size_t i = 0; (own = words_view(full_name, i)).name != NULL; i++) {
		char tag[64];

		str_format(tag, sizeof(tag), "%s%s%s", own.letter != NULL ? own.letter : "",
			   own.letter != NULL ? ", " : "", own.name);
		print_tagged(tag, own.value != NULL ? own.value : "", own.help);
	}

	for (size_t i = 0; of != 0 && options_view(i).name != NULL; i++) {
		struct option_view flag = options_view(i);

		char tag[64];

		if (flag.letter != 0)
			str_format(tag, sizeof(tag), "-%c, %s", flag.letter, flag.name);
		else
			str_format(tag, sizeof(tag), "%s", flag.name);
		if (flag.help != NULL && (flag.of & of))
			print_tagged(tag, flag.value != NULL ? flag.value : "", flag.help);
	}
	for (const struct own_flag *mine = command_own_flags(row);
	     mine != NULL && mine->name != NULL; mine++) {
		char tag[64];

		if (mine->letter != 0)
			str_format(tag, sizeof(tag), "-%c, %s", mine->letter, mine->name);
		else
			str_format(tag, sizeof(tag), "%s", mine->name);
		print_tagged(tag, mine->value != NULL ? mine->value : "", mine->help);
	}
	if (row->flags & COMMAND_JSON)
		print_tagged("--json", "", "one JSON document instead of text");
}

static void print_commands(const struct subcommand *table, const char *above)
{
	for (const struct subcommand *row = table; row->name != NULL; row++) {
		char name[64];

		str_format(name, sizeof(name), "%s%s ", above, row->name);
		fputs(".SS \"cordon ", stdout);
		documents_man_text(name);
		documents_man_text(row->usage);
		puts("\"");
		documents_man_text(row->help);
		puts(".\n.PP");
		documents_man_text(row->more);
		print_flags(row, above);
		if (row->below != NULL)
			print_commands(row->below, name);
	}
}

static void print_ends(void)
{
	static const struct {
		const char *code;
		const char *text;
	} codes[] = {
		{"N", "the program's own"},
		{"128+N", "signal N ended the program"},
		{"137", "cordon ended it: a limit, or a system call that the policy answers with "
			"kill; a line on stderr says which"},
		{"126, 127", "the program could not be executed, or does not exist"},
		{"125", "anything wrong with cordon, the policy or the command line"},
	};

	puts(".SH EXIT STATUS");
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		print_tagged(codes[i].code, "", codes[i].text);
}

int documents_man_program(void)
{
	puts(".\\\" SPDX-License-Identifier: LGPL-2.1-or-later\n"
	     ".\\\" Made by `make docs` from cmd/commands.c and cmd/options_table.c.\n"
	     ".TH CORDON 1 \"\" \"cordon " CORDON_VERSION "\" \"User commands\"\n"
	     ".nh\n.ad l\n"
	     ".SH NAME\n"
	     "cordon \\- runs code that nobody trusts: no setuid, no daemon, safe by default\n"
	     ".SH SYNOPSIS\n"
	     "\\fBcordon\\fR [\\fB\\-\\-root\\fR \\fIDIR\\fR] \\fICOMMAND\\fR\n"
	     ".SH DESCRIPTION\n"
	     "One command and one policy file make one sandbox. Nothing of the caller's is visible "
	     "inside but\n"
	     "what is shown; there is no network, no capability, and what the policy cannot have "
	     "on "
	     "this\n"
	     "host is refused, never left out. What a profile can say is in "
	     "\\fBcordon\\-profile\\fR(5).\n"
	     ".SH OPTIONS");
	print_tagged("--root", "DIR", "keep all state below DIR");
	print_tagged("--version", "", "print the version");
	print_tagged("--help", "", "list the commands");
	puts(".SH COMMANDS");
	print_commands(commands, "");
	print_ends();
	puts(".SH EXAMPLES\n"
	     ".nf\n"
	     "cordon run \\-\\- python3 \\-c \\(aqprint(6 * 7)\\(aq\n"
	     "cordon run \\-\\-ro . \\-\\-timeout 10s \\-\\- python3 script.py\n"
	     "cordon run \\-\\-profile build \\-\\- make \\-j4\n"
	     "cordon run \\-it \\-m 64m \\-\\-pids\\-limit 50 \\-\\-tmpfs /scratch:size=16m \\-\\- "
	     "bash\n"
	     "cordon explain \\-\\-profile ./judge.yaml\n"
	     ".fi\n"
	     ".SH SEE ALSO\n"
	     "\\fBcordon\\-profile\\fR(5)");
	return 0;
}
