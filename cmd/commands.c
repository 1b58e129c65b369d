/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of commands, and what is printed from it: help, and what is said of a mistyped one. */
#include <string.h>

#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/docker.h"
#include "cmd/options.h"
#include "cmd/print.h"
#include "cmd/table.h"
#include "cmd/words.h"

enum { COMMANDS_MAX = 48, HELP_AT = 26 };

static const struct subcommand profile_commands[] = {
	{"ls", "", "list the profiles that a name can mean",
	 "The shipped ones, those of /etc/cordon/profiles, and those of the caller's\n"
	 "~/.config/cordon/profiles (not for root).\n",
	 COMMAND_JSON, cmd_profile_ls, NULL},
	{"show", "NAME", "print a profile as it is written",
	 "NAME is looked up as by --profile: a path where it has a slash.\n",
	 COMMAND_JSON | COMMAND_TAKES_PROFILE, cmd_profile_show, NULL},
	{"check", "FILE...", "say everything that is wrong with profiles",
	 "Each mistake with file, line and column, what was expected and, where one is\n"
	 "near, the key that was meant. The exit code is 125 where there is any. What this\n"
	 "host cannot enforce is not looked at: that is `cordon explain --profile FILE`.\n",
	 COMMAND_JSON | COMMAND_TAKES_PROFILE, cmd_profile_check, NULL},
	{"diff", "A B", "print how two profiles differ once they are resolved",
	 "A and B are names or, with a slash, paths. Compared are the values with all that\n"
	 "they inherit, and what each system call is answered. The exit code is 0 where\n"
	 "nothing differs, 1 where something does, 125 where one cannot be read.\n",
	 COMMAND_JSON | COMMAND_TAKES_PROFILE, cmd_profile_diff, NULL},
	{"new", "NAME", "write a commented profile to start from: ./NAME.yaml",
	 "A file that exists is left alone.\n", 0, cmd_profile_new, NULL},
	{"keys", "[PATTERN]", "list the keys of profiles, with type and meaning",
	 "PATTERN is a part of a key, or has * for any text: limits, 'volumes*.size'.\n",
	 COMMAND_JSON, cmd_profile_keys, NULL},
	{.name = NULL},
};

static const struct subcommand image_commands[] = {
	{"import", "[FLAGS] SOURCE NAME", "make an image of a root file system",
	 "SOURCE is a directory, a tar (compressed or not), or - for standard input.\n", 0,
	 cmd_image_verb, NULL},
	{"load", "[FLAGS] SOURCE [NAME]", "take images from an archive or an OCI layout",
	 "SOURCE is what docker save, podman save or skopeo copy wrote: a tar (compressed or\n"
	 "not), an OCI image layout as a directory, or - for standard input. NAME is for an\n"
	 "archive of one image, instead of the name in it.\n",
	 0, cmd_image_verb, NULL},
	{"pull", "[FLAGS] REF [NAME]", "get an image from a registry, by skopeo",
	 "REF is what docker pull takes: debian:12, example.org/team/app:v1.\n", 0, cmd_image_verb,
	 NULL},
	{"save", "[FLAGS] NAME FILE", "write an image as an archive",
	 "FILE is a new file, or - for standard output: an OCI layout that docker load reads\n"
	 "as well.\n",
	 0, cmd_image_verb, NULL},
	{"ls", "[FLAGS]", "list the images", "", COMMAND_JSON, cmd_image_verb, NULL},
	{"inspect", "IMAGE", "say what an image is, and what of it is not on the disk",
	 "IMAGE is a name, or the first digits of an id.\n", COMMAND_JSON, cmd_image_verb, NULL},
	{"rm", "[FLAGS] IMAGE...", "remove names, and what no other name needs",
	 "A layer that is in use stays until the next `cordon image prune`. An image that a\n"
	 "sandbox is to be started from again stays, unless -f is said.\n",
	 0, cmd_image_verb, NULL},
	{"prune", "[FLAGS]", "remove images and layers that no name leads to",
	 "Says which names --all takes away.\n", 0, cmd_image_prune, NULL},
	{.name = NULL},
};

static const struct subcommand network_commands[] = {
	{"create", "[FLAGS] NAME", "make a network of its own",
	 "Prints its id. Its subnet collides with no route of the host's. Sandboxes in it\n"
	 "reach one another, and beyond the host what the host reaches, with the host's\n"
	 "address; no other network, and none of the host's services. Takes root.\n",
	 0, cmd_network_create, NULL},
	{"ls", "[FLAGS]", "list the networks", "", COMMAND_JSON, cmd_network_ls, NULL},
	{"inspect", "NETWORK...", "print all that is known of networks, as JSON",
	 "NETWORK is a name, or the first digits of an id. An array with an object for\n"
	 "each, with who has which address.\n",
	 0, cmd_network_inspect, NULL},
	{"connect", "[FLAGS] NETWORK SANDBOX", "let a sandbox join a network",
	 "Also while it runs: a further link appears, at once. Of one that is stopped the\n"
	 "record is changed. Takes root.\n",
	 0, cmd_network_connect, NULL},
	{"disconnect", "[FLAGS] NETWORK SANDBOX", "let a sandbox leave a network",
	 "Also while it runs; its address there is given back. Takes root.\n", 0,
	 cmd_network_disconnect, NULL},
	{"update", "FLAGS NETWORK...", "change the rates of networks",
	 "Also while sandboxes are in them: what is on its way goes on, at the new rate. What\n"
	 "is not said stays. Kept until the next update. Prints the names. Takes root.\n",
	 0, cmd_network_update, NULL},
	{"rm", "[FLAGS] NETWORK...", "remove networks that nobody is in",
	 "bridge, host and none are built in, and stay.\n", 0, cmd_network_rm, NULL},
	{"prune", "[FLAGS]", "remove all networks that nobody is in",
	 "Asks first; where there is no terminal to ask at it takes -f. Prints the names.\n"
	 "Of bridge the link alone, and what forwards for it, which the next sandbox makes\n"
	 "anew.\n",
	 0, cmd_network_prune, NULL},
	{.name = NULL},
};

static const struct subcommand volume_commands[] = {
	{"create", "[FLAGS] [NAME]", "make a volume, which outlives sandboxes",
	 "Prints its name; without NAME it gets one of its own. One that is there already\n"
	 "is left as it is.\n",
	 0, cmd_volume_create, NULL},
	{"ls", "[FLAGS]", "list the volumes", "", COMMAND_JSON, cmd_volume_ls, NULL},
	{"inspect", "[FLAGS] VOLUME...", "print all that is known of volumes, as JSON",
	 "An array with an object for each, with where its files lie and which sandboxes\n"
	 "use it.\n",
	 0, cmd_volume_inspect, NULL},
	{"rm", "[FLAGS] VOLUME...", "remove volumes, with all that is in them",
	 "One that a sandbox uses stays, whether that runs or not.\n", 0, cmd_volume_rm, NULL},
	{"prune", "[FLAGS]", "remove the anonymous volumes that no sandbox uses",
	 "Asks first; where there is no terminal to ask at it takes -f. Prints the names.\n", 0,
	 cmd_volume_prune, NULL},
	{"backup", "[FLAGS] VOLUME [FILE|-]", "write what is in a volume to an archive",
	 "A tar with a SHA-256 at its end; without FILE on stdout. Who uses the volume stands\n"
	 "still meanwhile. A FILE that is there is left alone.\n",
	 0, cmd_volume_backup, NULL},
	{"restore", "[FLAGS] VOLUME [FILE|-]", "make a volume of an archive",
	 "Without FILE from stdin. An archive that was cut short or changed is refused, and\n"
	 "then nothing is changed.\n",
	 0, cmd_volume_restore, NULL},
	{"clone", "[FLAGS] VOLUME NEW", "make a volume of another one's files",
	 "With its labels. Who uses VOLUME stands still meanwhile.\n", 0, cmd_volume_clone, NULL},
	{.name = NULL},
};

const struct subcommand commands[] = {
	{"run", "[FLAGS] {IMAGE [CMD...] | -- CMD...}", "run a program in a sandbox of its own",
	 "Runs CMD in a sandbox: from IMAGE, or behind `--` with the host's own programs,\n"
	 "unless the profile says otherwise (rootfs.from). Without CMD an image runs what\n"
	 "it was made for. The exit code is CMD's own, 128+N after signal N, 137 where\n"
	 "cordon ended it, 126 or 127 where it could not be executed, 125 for anything\n"
	 "wrong with cordon. At a terminal a run with -it and --name can be left by\n"
	 "ctrl-p ctrl-q (exit code 0): it goes on, and `cordon attach` comes back.\n",
	 COMMAND_RUN_FLAGS, cmd_run, NULL},
	{"explain", "[FLAGS] [IMAGE [CMD...] | -- CMD...]",
	 "print the plan of a run, with where each value comes from; change nothing",
	 "Prints what `cordon run` with the same flags would do.\n", COMMAND_EXPLAIN_FLAGS,
	 cmd_explain, NULL},
	{"create", "[FLAGS] {IMAGE [CMD...] | -- CMD...}",
	 "make a sandbox that is kept, without starting it",
	 "Prints its id. `cordon start` starts it; `cordon rm` removes it.\n", COMMAND_CREATE_FLAGS,
	 cmd_create, NULL},
	{"start", "[FLAGS] SANDBOX...", "start sandboxes that are kept",
	 "Returns when their programs run. With -a, of one sandbox, when it has ended:\n"
	 "with its program's exit code, or 0 after the keys that detach. Where its restart\n"
	 "policy starts it again that is the first end, and it goes on without this\n"
	 "client.\n",
	 0, cmd_start, NULL},
	{"stop", "[FLAGS] SANDBOX...", "end sandboxes in order",
	 "Sends the stop signal, and SIGKILL after the grace period. A paused one goes on\n"
	 "first. It is not started again, by its restart policy or by `start --all`.\n",
	 0, cmd_stop, NULL},
	{"exec", "[FLAGS] SANDBOX CMD...", "run another program in a sandbox that runs",
	 "CMD is confined as the sandbox's own program is. Its exit code is CMD's own, as\n"
	 "with run; 125 where the sandbox does not run, or has as many processes as it\n"
	 "may, 137 where it ended with CMD in it. What ends this command ends CMD. With -d\n"
	 "it goes on in the background: 0 once CMD runs, which ends with the sandbox.\n",
	 COMMAND_EXEC_FLAGS, cmd_exec, NULL},
	{"cp", "[FLAGS] {SANDBOX:PATH DEST | SOURCE SANDBOX:PATH}",
	 "copy files out of a sandbox, or into one",
	 "SOURCE and DEST are of this host; - is a tar, on stdin or stdout. Docker's rules:\n"
	 "DEST is a directory to copy into, or the copy's own name; SOURCE/. is what is in\n"
	 "a directory. PATH is looked up inside, with the sandbox's rights. What comes out\n"
	 "belongs to the caller and has no setuid or setgid bit; with -a root keeps the\n"
	 "numbers of its owners. What goes in belongs to the sandbox's root, has no such\n"
	 "bit either, and counts to its limits. A directory that is there keeps its owner\n"
	 "and mode.\n",
	 0, cmd_cp, NULL},
	{"diff", "SANDBOX", "list what a sandbox wrote to its root",
	 "Beside the image, or the directory, that it was made of: A for what is new, C for\n"
	 "what was changed, or a directory in which something was, D for what is gone.\n",
	 COMMAND_JSON, cmd_diff, NULL},
	{"commit", "[FLAGS] SANDBOX [NAME]", "make an image of a sandbox",
	 "Its own image, and what it wrote to its root as one layer more; not what is\n"
	 "mounted on it. Its command, variables, user, directory, labels and stop signal\n"
	 "are the image's, as far as flags said them, and --change what is to be\n"
	 "otherwise. Prints the image's id.\n",
	 0, cmd_commit, NULL},
	{"export", "[FLAGS] SANDBOX", "write the root of a sandbox as a tar",
	 "As the sandbox sees it; what is mounted on it (volumes, /proc, /dev) is empty.\n", 0,
	 cmd_export, NULL},
	{"events", "[FLAGS]", "print what happens to sandboxes, as it happens",
	 "Goes on until --until, or ^C. Two files of 1 MiB are kept, below the state root.\n", 0,
	 cmd_events, NULL},
	{"stats", "[FLAGS] [SANDBOX...]", "show what sandboxes use, live",
	 "All that run, or these. On a terminal the table is drawn anew each second;\n"
	 "elsewhere it is printed once. What has no control group is shown as -.\n",
	 0, cmd_stats, NULL},
	{"top", "[FLAGS] SANDBOX", "list the processes of a sandbox that runs",
	 "Seen from the host: PID is the host's number, INSIDE the one that they know.\n", 0,
	 cmd_top, NULL},
	{"update", "FLAGS SANDBOX...", "change limits and restart policy, also while it runs",
	 "What is below a limit stays; memory in use that cannot be freed is a reason to\n"
	 "refuse. Limits of time, output and single processes take a stopped sandbox, and\n"
	 "so does --storage-opt size= of a root that is an image, which can become larger.\n"
	 "Of a project, and of memory, it is so at once.\n",
	 COMMAND_UPDATE_FLAGS, cmd_update, NULL},
	{"restart", "[FLAGS] SANDBOX...", "end sandboxes in order, and start them again",
	 "One that does not run is started; one that could not be started again is not\n"
	 "ended.\n",
	 0, cmd_restart, NULL},
	{"kill", "[FLAGS] SANDBOX...", "kill sandboxes, or send their programs a signal",
	 "After KILL it is not started again, as after `stop`.\n", 0, cmd_kill, NULL},
	{"wait", "SANDBOX...", "wait until sandboxes have ended, and print their exit codes",
	 "One that its restart policy will start again has not ended.\n", 0, cmd_wait, NULL},
	{"pause", "SANDBOX...", "freeze all processes of sandboxes",
	 "limits.wall_time goes on meanwhile, limits.idle_time does not.\n", 0, cmd_pause, NULL},
	{"unpause", "SANDBOX...", "let paused sandboxes go on", "", 0, cmd_unpause, NULL},
	{"port", "SANDBOX [PORT[/udp]]", "say which ports of the host's are a sandbox's",
	 "Of one of its ports, or of all that are published. Takes root.\n", 0, cmd_port, NULL},
	{"rename", "SANDBOX NAME", "give a sandbox another name", "Also while it runs.\n", 0,
	 cmd_rename, NULL},
	{"rm", "[FLAGS] SANDBOX...", "remove sandboxes that do not run",
	 "Its name, its ids, its record, and what is kept of its root.\n", 0, cmd_rm, NULL},
	{"prune", "[FLAGS]", "remove all sandboxes that do not run",
	 "Asks first; where there is no terminal to ask at it takes -f. Prints the ids.\n", 0,
	 cmd_prune, NULL},
	{"ps", "[FLAGS]", "list the sandboxes that run, or all of them",
	 "The newest first. A record that cannot be read is a line that says so, and an\n"
	 "error on stderr; the exit code is 125 then, and the list is whole. Waits for\n"
	 "nobody.\n"
	 "Filters of one key are alternatives (but label), of different keys all must be\n"
	 "true; before and since name a sandbox, status and exited also find what does not\n"
	 "run. Fields of --format: .ID .Names .Image .Command .CreatedAt .RunningFor\n"
	 ".Ports .Status .State .Labels and .Label \"NAME\"; {{json .}} is all of them.\n",
	 COMMAND_PS_FLAGS, cmd_ps, NULL},
	{"inspect", "[FLAGS] SANDBOX...", "print all that is known of sandboxes, as JSON",
	 "An array with an object for each; docs/JSON.md says what is in it. Waits for\n"
	 "nobody, and needs no more of the host than to read the records.\n",
	 COMMAND_INSPECT_FLAGS, cmd_inspect, NULL},
	{"attach", "[FLAGS] SANDBOX", "see and type what a sandbox in the background does",
	 "Shows what it prints from now on, and passes on what is typed where it was made\n"
	 "with -i or -t. Others may do so at the same time. Its exit code is the\n"
	 "program's, or 0 after the keys that detach.\n",
	 COMMAND_ATTACH_FLAGS, cmd_attach, NULL},
	{"logs", "[FLAGS] SANDBOX", "print what a sandbox in the background has printed",
	 "Its stdout to stdout, its stderr to stderr, of all its starts. As much is kept\n"
	 "as its policy's logging says.\n",
	 COMMAND_LOGS_FLAGS, cmd_logs, NULL},
	{"doctor", "[FLAGS]", "what this host can enforce, and how to fix what it cannot",
	 "Looks, then makes one real sandbox. The exit code is 0 where that worked, else\n"
	 "125. With --cgroup-parent it says what can be limited in a group that was made\n"
	 "for the caller.\n",
	 COMMAND_DOCTOR_FLAGS, cmd_doctor, NULL},
	{"profile", "COMMAND", "list, print, check, compare and begin policy profiles",
	 "The keys of a profile are in cordon-profile(5), and in `cordon profile keys`.\n", 0,
	 cmd_profile, profile_commands},
	{"image", "COMMAND", "import, load, list, save and remove images",
	 "Where they are kept and what becomes of owners: docs/IMAGES.md. To run one:\n"
	 "cordon run IMAGE.\n",
	 0, cmd_image, image_commands},
	{"network", "COMMAND", "make, list and remove networks",
	 "A sandbox joins one with --network NAME, or `network: {mode: NAME}` of a profile.\n", 0,
	 cmd_network, network_commands},
	{"volume", "COMMAND", "make, list, copy and remove volumes",
	 "What is in one stays when the sandboxes that it was shown to are gone.\n", 0, cmd_volume,
	 volume_commands},
	{"gc", "", "finish what killed runs and commands could not undo",
	 "Removes the journals of runs whose keeper is gone, after undoing what they name.\n"
	 "Of sandboxes that are kept: writes down why one ended whose keeper was killed,\n"
	 "and removes what a killed command left half-made or half-removed. What is alive,\n"
	 "and what another command is at work on, is not touched. Of images: removes what\n"
	 "is half made. Of networks: likewise, gives back addresses of nobody, gives\n"
	 "networks the rates that are recorded, and takes out the link of the default one\n"
	 "where nobody is in it. Of volumes: likewise.\n",
	 0, cmd_gc, NULL},
	{"help", "[COMMAND]", "say what a command does and takes", "Also: cordon COMMAND --help.\n",
	 0, cmd_help, NULL},
	{.name = NULL},
};

static bool is_named(const struct subcommand *row, const char *name)
{
	/* `list` is another word for `ls` wherever there is one. */
	return str_equal(row->name, name) ||
	       (str_equal(row->name, "ls") && str_equal(name, "list"));
}

const struct subcommand *command_find(const struct subcommand *table, const char *name)
{
	for (; table != NULL && table->name != NULL; table++)
		if (is_named(table, name))
			return table;
	return NULL;
}

static void print_commands(const struct subcommand *table, const char *above)
{
	for (; table->name != NULL; table++) {
		char left[96];

		str_format(left, sizeof(left), "  cordon %s%s %s", above, table->name,
			   table->usage);
		if (above[0] == '\0' && table->below != NULL)
			str_format(left, sizeof(left), "  cordon %s ...", table->name);
		table_row(TABLE_HELP_COLUMNS, 37, left, table->help);
	}
}

int command_print_overview(void)
{
	print_out("Usage: cordon [--root DIR] COMMAND\n\n"
		  "Runs code that nobody trusts: no setuid, no daemon, safe by default.\n\n");
	print_commands(commands, "");
	print_out("\n  --root DIR    keep all state below DIR\n"
		  "  --version     print the version\n\n"
		  "`cordon help COMMAND` says more. Try: cordon run -- python3 -c 'print(1)'\n");
	return 0;
}

unsigned command_options(const struct subcommand *row)
{
	return row->flags & COMMAND_RUN_FLAGS       ? OPTION_RUN
	       : row->flags & COMMAND_EXPLAIN_FLAGS ? OPTION_EXPLAIN
	       : row->flags & COMMAND_CREATE_FLAGS  ? OPTION_CREATE
	       : row->flags & COMMAND_EXEC_FLAGS    ? OPTION_EXEC
	       : row->flags & COMMAND_LOGS_FLAGS    ? OPTION_LOGS
	       : row->flags & COMMAND_ATTACH_FLAGS  ? OPTION_ATTACH
	       : row->flags & COMMAND_UPDATE_FLAGS  ? OPTION_UPDATE
	       : row->flags & COMMAND_DOCTOR_FLAGS  ? OPTION_DOCTOR
	       : row->flags & COMMAND_PS_FLAGS      ? OPTION_PS
	       : row->flags & COMMAND_INSPECT_FLAGS ? OPTION_INSPECT
						    : 0;
}

const struct own_flag *command_own_flags(const struct subcommand *row)
{
	return row->main == cmd_events  ? events_flags
	       : row->main == cmd_stats ? stats_flags
	       : row->main == cmd_top   ? top_flags
					: NULL;
}

static void print_own_flags(const char *full_name)
{
	struct words_view flag;

	for (size_t i = 0; (flag = words_view(full_name, i)).name != NULL; i++) {
		char left[96];

		str_format(left, sizeof(left), "  %s%s%s%s%s",
			   flag.letter != NULL ? flag.letter : "", flag.letter != NULL ? ", " : "",
			   flag.name, flag.value != NULL ? " " : "",
			   flag.value != NULL ? flag.value : "");
		table_row(TABLE_HELP_COLUMNS, HELP_AT, left, flag.help);
	}
}

static void print_flags(const struct subcommand *row, const char *full_name)
{
	if (command_options(row) != 0)
		options_print_help(command_options(row));
	print_own_flags(full_name);
	if (command_own_flags(row) != NULL)
		own_flags_print_help(command_own_flags(row));
	if (row->flags & COMMAND_JSON)
		table_row(TABLE_HELP_COLUMNS, HELP_AT, "  --json",
			  "one JSON document instead of text");
}

static void print_help(const struct subcommand *row, const char *above)
{
	char prefix[64], full_name[64];

	str_format(prefix, sizeof(prefix), "%s%s ", above, row->name);
	str_format(full_name, sizeof(full_name), "%s%s", above, row->name);
	print_out("Usage: cordon %s%s%s%s\n\n", prefix, row->flags & COMMAND_JSON ? "[--json]" : "",
		  row->flags & COMMAND_JSON && row->usage[0] != '\0' ? " " : "", row->usage);
	print_lines(row->more);
	if (row->below != NULL) {
		print_lines("\n");
		print_commands(row->below, prefix);
	}
	if (command_options(row) != 0 || command_own_flags(row) != NULL ||
	    (row->flags & COMMAND_JSON) || words_view(full_name, 0).name != NULL) {
		print_lines("\n");
		print_flags(row, full_name);
	}
}

int command_refuse(const struct subcommand *table, const char *above, const char *word)
{
	const char *names[COMMANDS_MAX];
	const char *space = above[0] != '\0' ? " " : "";
	const char *nearest;
	size_t n = 0;

	for (; n < COMMANDS_MAX && table[n].name != NULL; n++)
		names[n] = table[n].name;
	nearest = str_nearest(word, names, n);
	print_note("unknown command '%s%s%s'", above, space, word);
	if (nearest != NULL)
		print_note("  hint: Did you mean `cordon %s%s%s`?", above, space, nearest);
	else if (above[0] != '\0')
		print_note("  hint: `cordon help %s` lists its commands.", above);
	else
		print_note("  hint: `cordon --help` lists the commands; a program is run with "
			   "`cordon run -- %s`.",
			   word);
	return EXIT_CORDON;
}

int command_print_help(char *const *words, size_t n)
{
	const struct subcommand *row = n > 0 ? command_find(commands, words[0]) : NULL;
	const struct subcommand *below;
	char above[64];

	if (n == 0)
		return command_print_overview();
	if (row == NULL)
		return docker_refuse(words, n) ? EXIT_CORDON
					       : command_refuse(commands, "", words[0]);
	if (n == 1 || row->below == NULL) {
		print_help(row, "");
		return 0;
	}
	below = command_find(row->below, words[1]);
	if (below == NULL)
		return command_refuse(row->below, row->name, words[1]);
	str_format(above, sizeof(above), "%s ", row->name);
	print_help(below, above);
	return 0;
}

/* The row of "NAME" or "NAME BELOW", and "" or "NAME " in above. */
static const struct subcommand *find_full(const char *name, char *above, size_t size)
{
	size_t len = strcspn(name, " ");

	str_format(above, size, "%.*s", (int)len, name);
	if (name[len] == '\0') {
		const struct subcommand *row = command_find(commands, name);

		above[0] = '\0';
		return row;
	}
	for (const struct subcommand *row = commands; row->name != NULL; row++) {
		if (!str_equal(row->name, above))
			continue;
		str_format(above, size, "%s ", row->name);
		return command_find(row->below, name + len + 1);
	}
	return NULL;
}

int command_print_help_of(const char *name)
{
	char above[64];
	const struct subcommand *row = find_full(name, above, sizeof(above));

	if (row != NULL)
		print_help(row, above);
	return 0;
}

int command_parse(const char *name, char **argv, struct words *ret, int *ret_exit)
{
	char above[64];
	const struct subcommand *self = find_full(name, above, sizeof(above));
	bool has_json = self != NULL && (self->flags & (COMMAND_JSON | COMMAND_DOCTOR_FLAGS));
	struct err err = {0};

	*ret_exit = EXIT_CORDON;
	if (words_parse(name, has_json, argv, ret, &err) < 0) {
		print_err(&err);
		return -1;
	}
	if (!ret->wants_help)
		return ret->n;
	*ret_exit = command_print_help_of(name);
	return -1;
}

int command_words(const char *name, char **argv, bool *ret_json, int *ret_exit)
{
	struct words words;
	int n = command_parse(name, argv, &words, ret_exit);

	*ret_json = n >= 0 && words.wants_json;
	return n;
}

int command_no_words(const char *name, char **argv, bool *ret_json, int *ret_exit)
{
	int n = command_words(name, argv, ret_json, ret_exit);

	if (n > 0)
		print_note("%s takes no arguments, but was given %s", name, argv[0]);
	return n > 0 ? -1 : n;
}

int cmd_help(const struct cmd_context *context, int argc, char **argv)
{
	(void)context;
	return command_print_help(argv + 1, (size_t)argc - 1);
}
