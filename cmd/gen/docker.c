/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* docs/DOCKER.md: what becomes of each flag of `docker run` and of Docker's other commands, from
 * the tables. */
#include <stdio.h>
#include <string.h>

#include "cmd/docker.h"
#include "cmd/gen/documents.h"
#include "cmd/options.h"

static void print_name(const char *name, char letter)
{
	fputs("| `", stdout);
	if (letter != 0)
		printf("-%c, ", letter);
	printf("%s` | ", name);
}

static void print_flag(const struct option_view *flag)
{
	print_name(flag->name, flag->letter);
	if (flag->keys[0] != '\0')
		printf("`%s`", flag->keys);
	fputs(" | ", stdout);
	documents_cell(flag->help != NULL ? flag->help : "another spelling");
	puts(" |");
}

static void print_later(bool is_never)
{
	puts("| flag | instead |\n| --- | --- |");
	for (const struct option_later *row = options_later; row->name != NULL; row++) {
		if (row->is_never != is_never)
			continue;
		print_name(row->name, row->letter);
		documents_cell(row->instead);
		puts(" |");
	}
	putchar('\n');
}

static void print_commands(void)
{
	documents_paragraph(
		"Commands have Docker's names, and take its flags in front of their words and "
		"behind. "
		"What Docker calls otherwise, or has no counterpart here (`cordon NAME` says the "
		"same):");
	puts("| docker | here |\n| --- | --- |");
	for (const struct docker_command *row = docker_commands; row->name != NULL; row++) {
		printf("| `%s` | ", row->name);
		documents_cell(row->instead);
		puts(" |");
	}
	putchar('\n');
}

static void print_exit_codes(void)
{
	documents_paragraph(
		"The program's own code, 128+N after signal N, 126 and 127 where it could not be "
		"executed are as in Docker. 125 is anything wrong with cordon, where Docker has "
		"125 "
		"for `run` and for flags, and 1 for most else:");
	puts("| when | docker | here |\n| --- | --- | --- |\n"
	     "| there is no sandbox of that name, or it does not run (`stop`, `rm`, `exec`, "
	     "`logs`, "
	     "`inspect`, ...) | 1 | 125 |\n"
	     "| no such command | 1 | 125 |\n"
	     "| one of several sandboxes could not be stopped, removed, ... | 1 | 125; the others "
	     "are |\n"
	     "| a record that cannot be read, in `ps` | | 125; the list is whole |\n"
	     "| out of memory | 137 where process 1 was chosen, else it goes on | 137; all of it "
	     "is "
	     "ended |\n"
	     "| a limit of time, output or processor time | none of them | 137; `--report` and "
	     "`cordon inspect` say which |\n"
	     "| `start --all`, `stop --all`, `gc`, `doctor` | | 0, or 125 where anything went "
	     "wrong "
	     "|\n");
}

int documents_docker(void)
{
	puts("<!-- Made by `make docs` from cmd/options_table.c, cmd/options_later.c and "
	     "cmd/docker.c. -->\n\n"
	     "# Flags of `docker run`\n");
	documents_paragraph(
		"`cordon run` takes Docker's names: `--memory 64m`, `--memory=64m`, `-m 64m` and "
		"`-m64m` are the same, `-dit` is three flags, `--rm=false` is one that is not "
		"said. "
		"What belongs to the program stands behind `--`. No flag of Docker's is taken and "
		"ignored: each is in one of three tables.");
	documents_paragraph(
		"Each flag of the first table that has a key is another spelling of it, over all "
		"that "
		"the profile says; `cordon explain` with the same flags shows what comes of it. A "
		"mistake is shown with the flag as it was typed.");
	puts("## The same here\n\n| flag | key | what it does |\n| --- | --- | --- |");
	for (size_t i = 0; options_view(i).name != NULL; i++) {
		struct option_view flag = options_view(i);

		if (flag.of & OPTION_DOCKER)
			print_flag(&flag);
	}
	puts("\n## What is not as in Docker\n");
	puts("- `--cap-drop` of any one: a sandbox has no capabilities, so that all are dropped.\n"
	     "- `--cpu-shares`: 1024 is a `limits.cpu_weight` of 100, 512 of 50; the proportion "
	     "stays (at most 10000).\n"
	     "- `--link` in the default network: without a line of /etc/hosts as long as the other "
	     "one does not run, whose address may be another's by then; and a program of `cordon "
	     "exec` has none of the variables ([NETWORKS](NETWORKS.md)).\n"
	     "- `--detach-keys`: a run can be left where it has `-it` and a name, and descriptors "
	     "0 "
	     "to 2 are a terminal; with `--report`, `--status-fd`, `--fd`, `--top` or "
	     "`--explain-denials` it stays in the foreground. What can be left runs in the "
	     "background, with this client attached (`cordon start -ai`): what is printed is in "
	     "its log, and a terminal that is slower than the program by more than the log holds "
	     "misses some of it, and is told.\n"
	     "- `--env-file`, `--label-file`: NAME=VALUE where the value is the rest of the line, "
	     "or NAME; `#` begins a comment. What a flag says counts more than a file. A file is a "
	     "regular one or a pipe, at most 256 KiB.\n"
	     "- `--memory`: with no `--memory-swap` there is no swap, where Docker gives as much "
	     "again. `--memory-swap` wants `--memory` beside it.\n"
	     "- `--read-only=false`: as if it were not said; a profile's root may be read-only.\n"
	     "- `--restart` is for sandboxes that are kept, and refused of a run that is not.\n"
	     "- `--security-opt apparmor=unconfined` is a waiver, which every run prints; "
	     "`seccomp=unconfined` is one, too, which this build does not enforce.\n"
	     "- `--security-opt seccomp=FILE`: a call is answered by the stricter of FILE and the "
	     "profile.\n"
	     "- `cordon start -a` of a sandbox that runs is refused: `cordon attach` is for that.\n"
	     "- `--tmpfs`: 16 MiB and 4096 files where nothing is said.\n"
	     "- `--ulimit`: one value for the soft and the hard limit; `nproc` counts this sandbox "
	     "alone, not the user of the host.\n"
	     "- `-h` is the host name, as in Docker: help is `--help`.\n");
	puts("## Not yet\n");
	print_later(false);
	puts("## Never\n");
	print_later(true);
	puts("# Other commands\n");
	print_commands();
	puts("# Exit codes\n");
	print_exit_codes();
	return 0;
}
