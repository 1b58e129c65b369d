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
	bool quiet;
	bool terminal; /* -t: stdin must be one */
	bool help;
	bool saw_separator; /* "--" */
	char **rest;        /* what is left behind the flags, NULL-terminated */
};

/* Reads flags until the first other word or "--". ERR_USAGE names the flag, the nearest known one
 * and what it wants. */
int must_check options_parse(char **argv, struct options *ret, struct err *err);

/* The table as text for --help. */
void options_print_help(void);

#endif
