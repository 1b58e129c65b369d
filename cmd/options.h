/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The flags of run, explain and profile check: one table. */
#ifndef CORDON_CMD_OPTIONS_H
#define CORDON_CMD_OPTIONS_H

#include <stdbool.h>

#include "base/err.h"
#include "policy/policy.h"

enum { OPTIONS_FLAGS_MAX = 256 };

struct options {
	const char *profile;
	struct policy_flag flags[OPTIONS_FLAGS_MAX];
	size_t n_flags;
	int status_fd;         /* -EBADF: none */
	int fds[SPEC_FDS_MAX]; /* --fd */
	size_t n_fds;
	const char *report;
	const char *cgroup_parent;
	uint64_t sample_ms; /* 0: none */
	bool top;
	bool quiet;
	bool json; /* explain: one document */
	bool explains_denials;
	bool terminal; /* -t: stdin must be one */
	bool calls;    /* --calls, of explain */
	bool help;
	bool saw_separator; /* "--" */
	char **rest;        /* what is left behind the flags, NULL-terminated */
};

/* Reads flags until the first other word or "--". ERR_USAGE names the flag, the nearest known one
 * and what it wants. */
int must_check options_parse(char **argv, struct options *ret, struct err *err);

/* Which command a flag is of. Run and explain read all of them, so that a command line of run's can
 * be explained as it is. */
enum option_of {
	OPTION_RUN = 1 << 0,
	OPTION_EXPLAIN = 1 << 1,
	OPTION_DOCTOR = 1 << 2,
	OPTION_IMAGE = 1 << 3,
	OPTION_QUIET = 1 << 4
};

/* Refuses what is no group's path as /proc/PID/cgroup has it, with or without the first slash;
 * NULL, too. ERR_USAGE. */
int must_check options_check_cgroup_parent(const char *value, struct err *err);

/* A row of the table as the help and the completion need it. */
struct option_view {
	const char *name;
	const char *value; /* NULL: takes none */
	const char *help;  /* NULL: another spelling, not listed */
	unsigned of;       /* enum option_of */
};

/* Row `index`; name NULL behind the last one. */
struct option_view options_view(size_t index);

/* The table as text for --help. */
void options_print_help(unsigned of);

#endif
