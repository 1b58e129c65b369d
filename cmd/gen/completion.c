/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* docs/completion/cordon.bash: from the tables of commands, flags, keys and waivers. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/gen/documents.h"
#include "cmd/options.h"
#include "cmd/words.h"

static const char head[] = "# SPDX-License-Identifier: LGPL-2.1-or-later\n"
			   "# shellcheck shell=bash\n"
			   "# Completion of cordon for bash. Made by `make docs` from the tables "
			   "of commands, flags and keys.\n"
			   "\n";

static const char helpers[] =
	"# Those of WORDS that begin like the word at the cursor.\n"
	"_cordon_reply() { # WORDS\n"
	"\tmapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\")\n"
	"}\n"
	"\n"
	"_cordon_files() {\n"
	"\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	"\tcompopt -o filenames 2>/dev/null || true\n"
	"}\n"
	"\n"
	"# A path where it has a slash, else the names that cordon knows here.\n"
	"_cordon_profiles() {\n"
	"\tif [[ $cur == */* || $cur == .* ]]; then\n"
	"\t\t_cordon_files\n"
	"\telse\n"
	"\t\t_cordon_reply \"$(\"${COMP_WORDS[0]}\" profile ls 2>/dev/null | awk '{ print $1 "
	"}')\"\n"
	"\tfi\n"
	"}\n"
	"\n"
	"# Names and ids of what is kept.\n"
	"_cordon_sandboxes() {\n"
	"\t_cordon_reply \"$(\"${COMP_WORDS[0]}\" ps -a --format '{{.Names}} {{.ID}}' "
	"2>/dev/null)\"\n"
	"}\n"
	"\n";

static const char body[] =
	"# The program and its arguments, behind `--`.\n"
	"_cordon_program() { # INDEX-OF-THE-SEPARATOR\n"
	"\tif [ \"$COMP_CWORD\" -eq $(($1 + 1)) ]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -c -f -- \"$cur\" | sort -u)\n"
	"\telse\n"
	"\t\t_cordon_files\n"
	"\tfi\n"
	"}\n"
	"\n"
	"# Sets command (\"run\", \"profile diff\"), and separator where `--` stands before the "
	"cursor.\n"
	"_cordon_command() {\n"
	"\tlocal i word\n"
	"\tcommand='' separator=''\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\tif [ \"$word\" = -- ]; then\n"
	"\t\t\tseparator=$i\n"
	"\t\t\treturn\n"
	"\t\tfi\n"
	"\t\tif [ \"$word\" = --root ]; then\n"
	"\t\t\ti=$((i + 1))\n"
	"\t\t\t[ \"${COMP_WORDS[i]}\" != = ] || i=$((i + 1))\n"
	"\t\telif [[ $word != -* ]]; then\n"
	"\t\t\tcase $command in\n"
	"\t\t\t'') command=$word ;;\n"
	"\t\t\tprofile | help) command+=\" $word\" ;;\n"
	"\t\t\tesac\n"
	"\t\tfi\n"
	"\tdone\n"
	"}\n"
	"\n"
	"_cordon() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command "
	"separator\n"
	"\tCOMPREPLY=()\n"
	"\t_cordon_command\n"
	"\tif [ -n \"$separator\" ]; then\n"
	"\t\t_cordon_program \"$separator\"\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tif [ \"$cur\" = = ]; then\n"
	"\t\tcur=\n"
	"\telif [ \"$prev\" = = ]; then\n"
	"\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n"
	"\tfi\n"
	"\t! _cordon_value \"$prev\" || return 0\n"
	"\tif [ -z \"$command\" ]; then\n"
	"\t\t_cordon_reply \"$_cordon_commands --root --help --version\"\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tif [[ $cur == -* ]]; then\n"
	"\t\t_cordon_reply \"${_cordon_flags[$command]:---help}\"\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tcase $command in\n"
	"\tprofile | 'help profile') _cordon_reply \"$_cordon_profile_commands\" ;;\n"
	"\thelp) _cordon_reply \"$_cordon_commands\" ;;\n"
	"\tinspect | start | stop | rm) _cordon_sandboxes ;;\n"
	"\t'profile check') _cordon_files ;;\n"
	"\t'profile show' | 'profile diff') _cordon_profiles ;;\n"
	"\t'profile keys') _cordon_reply \"${_cordon_keys//=/}\" ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"complete -F _cordon cordon\n";

static void print_names(const char *variable, const struct subcommand *table)
{
	printf("%s='", variable);
	for (const struct subcommand *row = table; row->name != NULL; row++)
		printf("%s%s", row == table ? "" : " ", row->name);
	puts("'");
}

/* How the value of a flag is completed, by what the help calls it. */
static const struct completion {
	const char *values;
	const char *action;
} completions[] = {
	{"P", "_cordon_profiles"},
	{"KEY=VALUE", "_cordon_reply \"$_cordon_keys\"\n"
		      "\t\tcompopt -o nospace 2>/dev/null || true"},
	{"NAME=REASON", "_cordon_reply \"$_cordon_waivers\"\n"
			"\t\tcompopt -o nospace 2>/dev/null || true"},
	{"PATH|FILE|DIR", "_cordon_files"},
	{"NAME[=VALUE]", "mapfile -t COMPREPLY < <(compgen -v -- \"$cur\")"},
	{"WHEN", "_cordon_reply 'no on-failure always unless-stopped'"},
	{"MODE", "_cordon_reply none"},
	{"FILTER", "_cordon_reply 'id= name= label= status= exited= before= since= ancestor= "
		   "restart='\n\t\tcompopt -o nospace 2>/dev/null || true"},
	/* Of all others nothing is known. */
	{"", "COMPREPLY=()"},
};
enum { N_COMPLETIONS = sizeof(completions) / sizeof(completions[0]) };

static size_t completion_of(const char *value)
{
	size_t i = 0;

	while (i + 1 < N_COMPLETIONS && !keys_has_word(completions[i].values, value))
		i++;
	return i;
}

/* Several commands have a flag of one name: the first way of completing it is the one. A shell's
 * pattern that can never match is a mistake to its linter. */
static bool comes_first(size_t row, size_t completion, char letter, const char *name)
{
	for (size_t i = 0; options_view(i).name != NULL; i++) {
		struct option_view other = options_view(i);
		size_t its = other.value != NULL ? completion_of(other.value) : N_COMPLETIONS;

		if (other.value == NULL || its > completion || (its == completion && i >= row))
			continue;
		if (name != NULL ? str_equal(other.name, name) : other.letter == letter)
			return false;
	}
	return true;
}

static void print_case(size_t completion)
{
	const char *separator = "\t";

	for (size_t i = 0; options_view(i).name != NULL; i++) {
		struct option_view flag = options_view(i);

		if (flag.value == NULL || completion_of(flag.value) != completion)
			continue;
		if (flag.letter != 0 && comes_first(i, completion, flag.letter, NULL)) {
			printf("%s-%c", separator, flag.letter);
			separator = " | ";
		}
		if (comes_first(i, completion, 0, flag.name)) {
			printf("%s%s", separator, flag.name);
			separator = " | ";
		}
	}
	if (keys_has_word(completions[completion].values, "DIR"))
		fputs(" | --root", stdout);
	printf(")\n\t\t%s\n\t\t;;\n", completions[completion].action);
}

static void print_values(void)
{
	puts("# The value of a flag. False where the word before is none that takes one.\n"
	     "_cordon_value() { # FLAG\n"
	     "\tcase $1 in");
	for (size_t i = 0; i < N_COMPLETIONS; i++)
		print_case(i);
	puts("\t*) return 1 ;;\n"
	     "\tesac\n"
	     "}\n");
}

static void print_flags_of(const char *above, const struct subcommand *row)
{
	unsigned of = command_options(row);
	char full_name[64];

	str_format(full_name, sizeof(full_name), "%s%s", above, row->name);
	printf("\t['%s']='", full_name);
	for (size_t i = 0; words_view(full_name, i).name != NULL; i++)
		printf("%s ", words_view(full_name, i).name);
	for (size_t i = 0; of != 0 && options_view(i).name != NULL; i++)
		if (options_view(i).help != NULL && (options_view(i).of & of)) {
			if (options_view(i).letter != 0)
				printf("-%c ", options_view(i).letter);
			printf("%s ", options_view(i).name);
		}
	for (const struct own_flag *own = command_own_flags(row); own != NULL && own->name != NULL;
	     own++) {
		if (own->letter != 0)
			printf("-%c ", own->letter);
		printf("%s ", own->name);
	}
	printf("%s%s'\n", row->flags & COMMAND_JSON ? "--json " : "",
	       of == 0               ? "--help"
	       : of == OPTION_DOCTOR ? ""
				     : "--");
}

static void print_flags(void)
{
	puts("declare -gA _cordon_flags=(");
	for (const struct subcommand *row = commands; row->name != NULL; row++) {
		print_flags_of("", row);
		for (const struct subcommand *below = row->below;
		     below != NULL && below->name != NULL; below++)
			print_flags_of("profile ", below);
	}
	puts(")");
}

/* Keys that --set can name: those with a value of their own. */
static void print_keys(void)
{
	fputs("_cordon_keys='", stdout);
	for (size_t i = 0, n = 0; i < policy_n_keys; i++) {
		const struct policy_key *key = &policy_keys[i];

		if (strpbrk(key->path, "[*") != NULL || (key->flags & KEY_LATER) ||
		    key->type == KEY_MAP || str_equal(key->path, "extends") ||
		    str_equal(key->path, "cordon"))
			continue;
		printf("%s%s%s", n++ > 0 ? " " : "", key->path,
		       key->type == KEY_FREE_MAP ? "." : "=");
	}
	puts("'");
}

static void print_waivers(void)
{
	bool is_enforced = false;
	const char *name;
	size_t n = 0;

	fputs("_cordon_waivers='", stdout);
	for (size_t i = 0; (name = waivers_name(i, &is_enforced)) != NULL; i++)
		if (is_enforced)
			printf("%s%s%s", n++ > 0 ? " " : "", name,
			       strpbrk(name + strlen(name) - 1, ":.") != NULL ? "" : "=");
	puts("'\n");
}

int documents_completion(void)
{
	fputs(head, stdout);
	print_names("_cordon_commands", commands);
	for (const struct subcommand *row = commands; row->name != NULL; row++)
		if (row->below != NULL)
			print_names("_cordon_profile_commands", row->below);
	print_flags();
	print_keys();
	print_waivers();
	fputs(helpers, stdout);
	print_values();
	fputs(body, stdout);
	return 0;
}
