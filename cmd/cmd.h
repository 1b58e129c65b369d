/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The front doors: thin, the only code that prints and chooses exit codes. */
#ifndef CORDON_CMD_CMD_H
#define CORDON_CMD_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/own_flags.h"
#include "launcher/cordon.h"

enum { EXIT_CORDON = 125 };

/* What every subcommand is given. */
struct cmd_context {
	const char *root_dir; /* --root */
	const char *const *environment;
	bool fds_closed[3];
	char *command_line; /* all words of it, one after another */
	size_t command_line_size;
};

/* Which flags a command takes, besides --help. */
enum command_flag {
	COMMAND_RUN_FLAGS = 1 << 0,     /* those of `run` (options.h) */
	COMMAND_EXPLAIN_FLAGS = 1 << 1, /* those of them that decide something, and --json */
	COMMAND_JSON = 1 << 2,          /* --json alone */
	COMMAND_TAKES_PROFILE = 1 << 3, /* its words are profiles: names or files */
	COMMAND_DOCTOR_FLAGS = 1 << 4,  /* --cgroup-parent and --json */
	COMMAND_CREATE_FLAGS = 1 << 5,
	COMMAND_EXEC_FLAGS = 1 << 6,
	COMMAND_UPDATE_FLAGS = 1 << 12,
	COMMAND_PS_FLAGS = 1 << 7,      /* those of `ps` (list_options.h) */
	COMMAND_INSPECT_FLAGS = 1 << 8, /* those of `inspect` (list_options.h) */
	COMMAND_LOGS_FLAGS = 1 << 9,
	COMMAND_ATTACH_FLAGS = 1 << 10,
};

/* A command, or a command's own one: a row of the tables in commands.c, from which the help and
 * the completion are made. */
struct subcommand {
	const char *name;
	const char *usage; /* behind "cordon NAME "; "" for none */
	const char *help;  /* one line */
	const char *more;  /* what `cordon help NAME` adds, whole lines; "" for nothing */
	unsigned flags;
	int (*main)(const struct cmd_context *context, int argc, char **argv);
	const struct subcommand *below; /* ends with name NULL; NULL: none */
};

/* Ends with name NULL. */
extern const struct subcommand commands[];

/* Which rows of the table of flags are the command's: enum option_of (options.h), 0 for none. */
unsigned command_options(const struct subcommand *row);

/* The small table of a command that has flags of its own (own_flags.h); NULL: none. */
const struct own_flag *command_own_flags(const struct subcommand *row);

/* The row with that name or alias, NULL where there is none. */
const struct subcommand *command_find(const struct subcommand *table, const char *name);

/* `cordon --help`. Returns 0. */
int command_print_overview(void);

/* `cordon help WORD...`. Returns the exit code. */
int command_print_help(char *const *words, size_t n);

/* The help of one command, by its full name: "profile ls". Returns 0. */
int command_print_help_of(const char *name);

/* Says that a word is no command of the table, and which one is near. above: "", or the command
 * that the table is below. Returns the exit code. */
int command_refuse(const struct subcommand *table, const char *above, const char *word);

/*
 * What the small commands share: --help prints the help, --json is taken where the command has it,
 * any other flag is refused. The words that are no flags are moved to the front of argv. name: the
 * command's full one. Returns how many words there are, or -1 where *ret_exit says how to end.
 */
int command_words(const char *name, char **argv, bool *ret_json, int *ret_exit);

/* As command_words, for a command with flags of its own (words.h), which are in *ret. */
struct words;
int command_parse(const char *name, char **argv, struct words *ret, int *ret_exit);

/* As command_words, and any word is refused as well. Returns 0 or -1. */
int command_no_words(const char *name, char **argv, bool *ret_json, int *ret_exit);

int cmd_help(const struct cmd_context *context, int argc, char **argv);
int cmd_run(const struct cmd_context *context, int argc, char **argv);
int cmd_cp(const struct cmd_context *context, int argc, char **argv);
int cmd_commit(const struct cmd_context *context, int argc, char **argv);
int cmd_diff(const struct cmd_context *context, int argc, char **argv);
int cmd_export(const struct cmd_context *context, int argc, char **argv);
int cmd_exec(const struct cmd_context *context, int argc, char **argv);
int cmd_create(const struct cmd_context *context, int argc, char **argv);
int cmd_start(const struct cmd_context *context, int argc, char **argv);
int cmd_attach(const struct cmd_context *context, int argc, char **argv);
int cmd_logs(const struct cmd_context *context, int argc, char **argv);
int cmd_stop(const struct cmd_context *context, int argc, char **argv);
int cmd_events(const struct cmd_context *context, int argc, char **argv);
int cmd_stats(const struct cmd_context *context, int argc, char **argv);
int cmd_top(const struct cmd_context *context, int argc, char **argv);
int cmd_update(const struct cmd_context *context, int argc, char **argv);
int cmd_restart(const struct cmd_context *context, int argc, char **argv);
int cmd_kill(const struct cmd_context *context, int argc, char **argv);
int cmd_wait(const struct cmd_context *context, int argc, char **argv);
int cmd_pause(const struct cmd_context *context, int argc, char **argv);
int cmd_unpause(const struct cmd_context *context, int argc, char **argv);
int cmd_port(const struct cmd_context *context, int argc, char **argv);
int cmd_rename(const struct cmd_context *context, int argc, char **argv);
int cmd_prune(const struct cmd_context *context, int argc, char **argv);
int cmd_rm(const struct cmd_context *context, int argc, char **argv);
int cmd_ps(const struct cmd_context *context, int argc, char **argv);
int cmd_inspect(const struct cmd_context *context, int argc, char **argv);
int cmd_explain(const struct cmd_context *context, int argc, char **argv);
int cmd_doctor(const struct cmd_context *context, int argc, char **argv);
int cmd_profile(const struct cmd_context *context, int argc, char **argv);
int cmd_profile_ls(const struct cmd_context *context, int argc, char **argv);
int cmd_profile_show(const struct cmd_context *context, int argc, char **argv);
int cmd_profile_check(const struct cmd_context *context, int argc, char **argv);
int cmd_profile_diff(const struct cmd_context *context, int argc, char **argv);
int cmd_profile_new(const struct cmd_context *context, int argc, char **argv);
int cmd_profile_keys(const struct cmd_context *context, int argc, char **argv);
int cmd_image_prune(const struct cmd_context *context, int argc, char **argv);
int cmd_image_verb(const struct cmd_context *context, int argc, char **argv);
int cmd_image(const struct cmd_context *context, int argc, char **argv);
int cmd_network(const struct cmd_context *context, int argc, char **argv);
int cmd_network_create(const struct cmd_context *context, int argc, char **argv);
int cmd_network_ls(const struct cmd_context *context, int argc, char **argv);
int cmd_network_inspect(const struct cmd_context *context, int argc, char **argv);
int cmd_network_connect(const struct cmd_context *context, int argc, char **argv);
int cmd_network_disconnect(const struct cmd_context *context, int argc, char **argv);
int cmd_network_update(const struct cmd_context *context, int argc, char **argv);
int cmd_network_rm(const struct cmd_context *context, int argc, char **argv);
int cmd_network_prune(const struct cmd_context *context, int argc, char **argv);
int cmd_volume(const struct cmd_context *context, int argc, char **argv);
int cmd_volume_create(const struct cmd_context *context, int argc, char **argv);
int cmd_volume_ls(const struct cmd_context *context, int argc, char **argv);
int cmd_volume_inspect(const struct cmd_context *context, int argc, char **argv);
int cmd_volume_rm(const struct cmd_context *context, int argc, char **argv);
int cmd_volume_backup(const struct cmd_context *context, int argc, char **argv);
int cmd_volume_restore(const struct cmd_context *context, int argc, char **argv);
int cmd_volume_clone(const struct cmd_context *context, int argc, char **argv);
int cmd_volume_prune(const struct cmd_context *context, int argc, char **argv);
int cmd_gc(const struct cmd_context *context, int argc, char **argv);

/* Where the images are: the store's path, into buf of PATH_MAX bytes. */
int must_check cmd_image_store(const struct cmd_context *context, char *buf, struct err *err);

/* The value of the caller's variable, NULL where it has none. */
const char *cmd_variable(const struct cmd_context *context, const char *name);

/* Fills the request that every subcommand which decides something begins with. */
void cmd_request_init(const struct cmd_context *context, struct run_request *ret_request);

#endif
