/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* docs/completion/cordon.bash: from the tables of commands, flags, keys and waivers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/gen/documents.h"
#include "cmd/options.h"
#include "cmd/words.h"

enum { PATTERNS_MAX = 128, NAME_SIZE = 64 };

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
	"_cordon_sandboxes() { # FLAG-OF-PS...\n"
	"\t_cordon_reply \"$(\"${COMP_WORDS[0]}\" \"${root[@]}\" ps \"$@\" --format "
	"'{{.Names}} {{.ID}}' 2>/dev/null)\"\n"
	"}\n"
	"\n"
	"# Those that the command can do something with.\n"
	"_cordon_sandboxes_of() { # COMMAND\n"
	"\tcase $1 in\n"
	"\texec | stop | kill | pause | attach | top) _cordon_sandboxes ;;\n"
	"\tunpause) _cordon_sandboxes --filter status=paused ;;\n"
	"\t*) _cordon_sandboxes -a ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"_cordon_is_valued() { # FLAG\n"
	"\t[[ $1 == --root || \" ${_cordon_valued[${command:-help}]:-} \" == *\" $1 \"* ]]\n"
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
	"# Sets command (\"run\", \"profile diff\"), root (its flag), n_words behind the command, "
	"and "
	"separator,\n"
	"# behind which the program stands, where that is before the cursor.\n"
	"_cordon_command() {\n"
	"\tlocal i word\n"
	"\tcommand='' separator='' n_words=0 root=()\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\tif [ \"$word\" = -- ]; then\n"
	"\t\t\tseparator=$i\n"
	"\t\t\treturn\n"
	"\t\tfi\n"
	"\t\tif _cordon_is_valued \"$word\"; then\n"
	"\t\t\ti=$((i + 1))\n"
	"\t\t\t[ \"${COMP_WORDS[i]}\" != = ] || i=$((i + 1))\n"
	"\t\t\t[ \"$word\" != --root ] || root=(--root \"${COMP_WORDS[i]}\")\n"
	"\t\telif [[ $word != -* && $word != = ]]; then\n"
	"\t\t\tcase $command in\n"
	"\t\t\t'') command=$word ;;\n"
	"\t\t\tprofile | image | help) command+=\" $word\" ;;\n"
	"\t\t\t*) n_words=$((n_words + 1)) ;;\n"
	"\t\t\tesac\n"
	"\t\t\tif [[ -n $command && ${_cordon_words[$command]:-} == program && $n_words -eq 1 ]]; "
	"then\n"
	"\t\t\t\tseparator=$i\n"
	"\t\t\t\treturn\n"
	"\t\t\tfi\n"
	"\t\tfi\n"
	"\tdone\n"
	"}\n"
	"\n"
	"_cordon() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command "
	"separator n_words root\n"
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
	"\tif _cordon_is_valued \"$prev\"; then\n"
	"\t\t_cordon_value \"$prev\"\n"
	"\t\treturn 0\n"
	"\tfi\n"
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
	"\t\t_cordon_reply \"$(\"${COMP_WORDS[0]}\" \"${root[@]}\" image ls 2>/dev/null | awk 'NR "
	"> 1 { "
	"print $1 }')\"\n"
	"\t\t;;\n"
	"\thelp) _cordon_reply \"$_cordon_commands\" ;;\n"
	"\t'profile check') _cordon_files ;;\n"
	"\t'profile show' | 'profile diff') _cordon_profiles ;;\n"
	"\t'profile keys') _cordon_reply \"${_cordon_keys//=/}\" ;;\n"
	"\t*)\n"
	"\t\tcase ${_cordon_words[$command]:-}$n_words in\n"
	"\t\tmany* | program0 | one0) _cordon_sandboxes_of \"$command\" ;;\n"
	"\t\tesac\n"
	"\t\t;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"complete -F _cordon cordon\n";

/* above: "", or the command that the table or row is below. */
static void name_fully(const char *above, const struct subcommand *row, char buf[NAME_SIZE])
{
	str_format(buf, NAME_SIZE, "%s%s%s", above, above[0] != '\0' ? " " : "", row->name);
}

static void print_names(const char *above, const struct subcommand *table)
{
	printf("_cordon_%s%scommands='", above, above[0] != '\0' ? "_" : "");
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
	{"SIGNAL", "_cordon_reply 'TERM KILL HUP INT QUIT USR1 USR2 STOP CONT WINCH'"},
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

/* The shell's patterns, of all cases: each name stands once, in the first of them. */
struct patterns {
	const char *names[PATTERNS_MAX];
	size_t n;
};

static void add_pattern(struct patterns *patterns, const char *name)
{
	for (size_t i = 0; i < patterns->n; i++)
		if (str_equal(patterns->names[i], name))
			return;
	if (patterns->n == PATTERNS_MAX) {
		fputs("documents: more than PATTERNS_MAX flags\n", stderr);
		exit(1);
	}
	patterns->names[patterns->n++] = name;
}

static bool is_completed_by(const char *value, size_t completion)
{
	return value != NULL && completion_of(value) == completion;
}

static void add_words(struct patterns *patterns, const char *above, const struct subcommand *row,
		      size_t completion)
{
	char full_name[NAME_SIZE];
	struct words_view flag;

	name_fully(above, row, full_name);
	for (size_t i = 0; (flag = words_view(full_name, i)).name != NULL; i++) {
		if (!is_completed_by(flag.value, completion))
			continue;
		if (flag.letter != NULL)
			add_pattern(patterns, flag.letter);
		add_pattern(patterns, flag.name);
	}
	for (const struct subcommand *below = row->below; below != NULL && below->name != NULL;
	     below++)
		add_words(patterns, row->name, below, completion);
}

static void print_case(struct patterns *patterns, char (*letters)[3], size_t completion)
{
	size_t first = patterns->n;

	for (size_t i = 0; options_view(i).name != NULL && i < PATTERNS_MAX; i++) {
		struct option_view flag = options_view(i);

		if (!is_completed_by(flag.value, completion))
			continue;
		str_format(letters[i], sizeof(*letters), "-%c", flag.letter);
		if (flag.letter != 0)
			add_pattern(patterns, letters[i]);
		add_pattern(patterns, flag.name);
	}
	for (const struct subcommand *row = commands; row->name != NULL; row++)
		add_words(patterns, "", row, completion);
	if (keys_has_word(completions[completion].values, "DIR"))
		add_pattern(patterns, "--root");
	if (patterns->n == first)
		return;
	putchar('\t');
	for (size_t i = first; i < patterns->n; i++)
		printf("%s%s", i > first ? " | " : "", patterns->names[i]);
	printf(")\n\t\t%s\n\t\t;;\n", completions[completion].action);
}

static void print_values(void)
{
	struct patterns patterns = {.n = 0};
	char letters[PATTERNS_MAX][3];

	puts("# The value of a flag that takes one.\n"
	     "_cordon_value() { # FLAG\n"
	     "\tcase $1 in");
	for (size_t i = 0; i < N_COMPLETIONS; i++)
		print_case(&patterns, letters, i);
	puts("\tesac\n"
	     "}\n");
}

/* Which flags of a command take a value: of the same letter one may be a command's, another not. */
static void print_valued_of(const char *above, const struct subcommand *row)
{
	unsigned of = command_options(row);
	const char *separator = "";
	char full_name[NAME_SIZE];
	struct words_view own;

	name_fully(above, row, full_name);
	printf("\t['%s']='", full_name);
	for (size_t i = 0; (own = words_view(full_name, i)).name != NULL; i++) {
		if (own.value == NULL)
			continue;
		if (own.letter != NULL)
			printf("%s%s", separator, own.letter);
		printf("%s%s", own.letter != NULL ? " " : separator, own.name);
		separator = " ";
	}
	for (size_t i = 0; of != 0 && options_view(i).name != NULL; i++) {
		struct option_view flag = options_view(i);

		if (!(flag.of & of) || flag.value == NULL)
			continue;
		if (flag.letter != 0)
			printf("%s-%c", separator, flag.letter);
		printf("%s%s", flag.letter != 0 ? " " : separator, flag.name);
		separator = " ";
	}
	for (const struct own_flag *flag = command_own_flags(row);
	     flag != NULL && flag->name != NULL; flag++) {
		if (flag->value == NULL)
			continue;
		if (flag->letter != 0)
			printf("%s-%c", separator, flag->letter);
		printf("%s%s", flag->letter != 0 ? " " : separator, flag->name);
		separator = " ";
	}
	puts("'");
}

static void print_valued(void)
{
	puts("declare -gA _cordon_valued=(");
	for (const struct subcommand *row = commands; row->name != NULL; row++) {
		print_valued_of("", row);
		for (const struct subcommand *below = row->below;
		     below != NULL && below->name != NULL; below++)
			print_valued_of(row->name, below);
	}
	puts(")");
}

/* Which commands take sandboxes, from what their help says. */
static void print_words(void)
{
	puts("declare -gA _cordon_words=(");
	for (const struct subcommand *row = commands; row->name != NULL; row++) {
		const char *words = strstr(row->usage, "SANDBOX");

		if (words != NULL)
			printf("\t['%s']=%s\n", row->name,
			       str_has_prefix(words, "SANDBOX...")    ? "many"
			       : str_has_prefix(words, "SANDBOX CMD") ? "program"
								      : "one");
	}
	puts(")");
}

static void print_flags_of(const char *above, const struct subcommand *row)
{
	unsigned of = command_options(row);
	char full_name[NAME_SIZE];

	name_fully(above, row, full_name);
	printf("\t['%s']='", full_name);
	for (size_t i = 0; words_view(full_name, i).name != NULL; i++) {
		if (words_view(full_name, i).letter != NULL)
			printf("%s ", words_view(full_name, i).letter);
		printf("%s ", words_view(full_name, i).name);
	}
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
	print_valued();
	print_words();
	print_keys();
	print_waivers();
	fputs(helpers, stdout);
	print_values();
	fputs(body, stdout);
	return 0;
}
