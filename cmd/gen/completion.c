/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* docs/completion/cordon.bash: from the tables of commands, flags, keys and waivers. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/gen/documents.h"
#include "cmd/options.h"

static const char head[] = "# SPDX-License-Identifier: LGPL-2.1-or-later\n"
			   "# shellcheck shell=bash\n"
			   "# Completion of cordon for bash. Made by `make docs` from the tables "
			   "of commands, flags and keys.\n"
			   "\n";

static const char body[] =
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
	"# The value of a flag. False where the word before is none that takes one.\n"
	"_cordon_value() { # FLAG\n"
	"\tcase $1 in\n"
	"\t--profile) _cordon_profiles ;;\n"
	"\t--set)\n"
	"\t\t_cordon_reply \"$_cordon_keys\"\n"
	"\t\tcompopt -o nospace 2>/dev/null || true\n"
	"\t\t;;\n"
	"\t--waive)\n"
	"\t\t_cordon_reply \"$_cordon_waivers\"\n"
	"\t\tcompopt -o nospace 2>/dev/null || true\n"
	"\t\t;;\n"
	"\t--ro | --rw | --report | -w | --root) _cordon_files ;;\n"
	"\t-e) mapfile -t COMPREPLY < <(compgen -v -- \"$cur\") ;;\n"
	"\t-u | --hostname | --timeout | --status-fd | --fd) COMPREPLY=() ;;\n"
	"\t*) return 1 ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
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
	"\t\t\tprofile | image | help) command+=\" $word\" ;;\n"
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
	"\timage | 'help image') _cordon_reply \"$_cordon_image_commands\" ;;\n"
	"\t'image import' | 'image load' | 'image save') _cordon_files ;;\n"
	"\t'image inspect' | 'image rm')\n"
	"\t\t_cordon_reply \"$(\"${COMP_WORDS[0]}\" image ls 2>/dev/null | awk 'NR > 1 { print $1 "
	"}')\"\n"
	"\t\t;;\n"
	"\thelp) _cordon_reply \"$_cordon_commands\" ;;\n"
	"\t'profile check') _cordon_files ;;\n"
	"\t'profile show' | 'profile diff') _cordon_profiles ;;\n"
	"\t'profile keys') _cordon_reply \"${_cordon_keys//=/}\" ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"complete -F _cordon cordon\n";

/* above: "", or the command that the table is below. */
static void print_names(const char *above, const struct subcommand *table)
{
	printf("_cordon_%s%scommands='", above, above[0] != '\0' ? "_" : "");
	for (const struct subcommand *row = table; row->name != NULL; row++)
		printf("%s%s", row == table ? "" : " ", row->name);
	puts("'");
}

static void print_flags_of(const char *above, const struct subcommand *row)
{
	unsigned of = command_options(row);

	printf("\t['%s%s%s']='", above, above[0] != '\0' ? " " : "", row->name);
	for (size_t i = 0; of != 0 && options_view(i).name != NULL; i++)
		if (options_view(i).help != NULL && (options_view(i).of & of))
			printf("%s ", options_view(i).name);
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
			print_flags_of(row->name, below);
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
	print_names("", commands);
	for (const struct subcommand *row = commands; row->name != NULL; row++)
		if (row->below != NULL)
			print_names(row->name, row->below);
	print_flags();
	print_keys();
	print_waivers();
	fputs(body, stdout);
	return 0;
}
