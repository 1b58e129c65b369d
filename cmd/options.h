/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The flags of run, explain and profile check: one table. */
#ifndef CORDON_CMD_OPTIONS_H
#define CORDON_CMD_OPTIONS_H

#include <stdbool.h>

#include "base/err.h"
#include "policy/policy.h"

enum { OPTIONS_FLAGS_MAX = 256, OPTIONS_NAME_MAX = 64, OPTIONS_ROWS_MAX = 128 };

struct options {
	const char *profile;
	struct policy_flag flags[OPTIONS_FLAGS_MAX];
	size_t n_flags;
	int status_fd;         /* -EBADF: none */
	int fds[SPEC_FDS_MAX]; /* --fd */
	size_t n_fds;
	const char *report;
	const char *cgroup_parent;
	const char *entrypoint; /* NULL: the image's */
	const char *name;       /* of a kept sandbox; checked, NULL: none said */
	uint64_t sample_ms;     /* 0: none */
	bool top;
	bool quiet;
	bool json; /* explain: one document */
	bool explains_denials;
	bool rm;          /* --rm */
	bool detach;      /* -d */
	bool interactive; /* -i */
	bool tty;         /* -t: stdin must be one */
	bool calls;       /* --calls, of explain */
	bool follow;      /* -f, of logs, as the next ones */
	bool timestamps;
	bool only_stdout;
	bool only_stderr;
	const char *tail; /* NULL: all */
	const char *since;
	const char *until;
	const char *detach_keys; /* of attach, as the next ones; NULL: the usual ones */
	bool no_stdin;
	bool no_sig_proxy; /* --sig-proxy=false */
	bool help;
	bool saw_separator; /* "--" */
	unsigned of;        /* options_parse_for */
	/* Row n of the table was said; see options_check_command. */
	bool said[OPTIONS_ROWS_MAX];
	char **rest; /* what is left behind the flags, NULL-terminated */
};

/* Reads flags until the first other word or "--": --NAME VALUE, --NAME=VALUE, -N VALUE, -NVALUE,
 * letters together, and =true or =false behind what takes no value. ERR_USAGE names the flag, the
 * nearest known one and what it wants, or what takes the place of a flag of Docker's. */
int must_check options_parse(char **argv, struct options *ret, struct err *err);

/* As options_parse, for a command that has flags of its own (OPTIONS_OWN): they are known to it
 * alone, and of two with one letter it gets its own. of: an enum option_of. */
int must_check options_parse_for(unsigned of, char **argv, struct options *ret, struct err *err);

/* Which command a flag is of. Run and explain read all of them, so that a command line of run's can
 * be explained as it is. */
enum option_of {
	OPTION_RUN = 1 << 0,
	OPTION_EXPLAIN = 1 << 1,
	OPTION_DOCTOR = 1 << 2,
	OPTION_CREATE = 1 << 3,
	OPTION_EXEC = 1 << 5,
	OPTION_UPDATE = 1 << 12,
	OPTION_DOCKER = 1 << 4, /* no command: Docker has a flag of that name */
	OPTION_PS = 1 << 6,     /* list_options.h, as the next one */
	OPTION_INSPECT = 1 << 7,
	OPTION_LOGS = 1 << 8,
	OPTION_ATTACH = 1 << 9,
	/* Commands whose flags are known to no other */
	OPTIONS_OWN = OPTION_LOGS | OPTION_ATTACH,
	/* Commands whose words are sandboxes: flags are taken in front of them and behind */
	OPTIONS_ANYWHERE = OPTION_LOGS | OPTION_ATTACH | OPTION_UPDATE,
};

/* Refuses what was said and is no flag of the command; its name is for the message. ERR_USAGE. */
int must_check options_check_command(const struct options *options, enum option_of of,
				     const char *command, struct err *err);

/* Without "--" the first word behind the flags is an image: takes it off rest, as a flag of the
 * policy. ERR_USAGE where --entrypoint stands without an image. */
int must_check options_take_image(struct options *options, struct err *err);

/* Refuses what is no name as Docker has them: letters, digits, '_', '.' and '-', one to
 * OPTIONS_NAME_MAX, the first a letter or digit. ERR_USAGE. */
int must_check options_check_name(const char *value, struct err *err);

/* Refuses what is no group's path as /proc/PID/cgroup has it, with or without the first slash;
 * NULL, too. ERR_USAGE. */
int must_check options_check_cgroup_parent(const char *value, struct err *err);

/* A row of the table as the help, the documents and the completion need it. */
struct option_view {
	const char *name;
	char letter;       /* 'e' of -e; 0: none */
	const char *value; /* NULL: takes none */
	const char *help;  /* NULL: another spelling, not listed */
	const char *keys;  /* of the policy that it sets; "" for none */
	unsigned of;       /* enum option_of */
};

/* Row `index`; name NULL behind the last one. */
struct option_view options_view(size_t index);

/* A flag of `docker run` that is none here. */
struct option_later {
	const char *name; /* "--publish"; NULL behind the last row */
	char letter;
	bool is_never;       /* else: not enforced by this build */
	const char *instead; /* a sentence: what to do, or why there is none; "" for nothing */
};

/* (options_later.c) */
extern const struct option_later options_later[];

/* The table as text for --help. */
void options_print_help(unsigned of);

#endif
