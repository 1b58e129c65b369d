/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The front doors: thin, the only code that prints and chooses exit codes. */
#ifndef CORDON_CMD_CMD_H
#define CORDON_CMD_CMD_H

#include <stdbool.h>

#include "launcher/cordon.h"

enum { EXIT_CORDON = 125 };

/* What every subcommand is given. */
struct cmd_context {
	const char *root_dir; /* --root */
	const char *const *environment;
	bool fds_closed[3];
};

struct subcommand {
	const char *name;
	const char *usage; /* behind "cordon NAME " */
	const char *help;  /* one line */
	int (*main)(const struct cmd_context *context, int argc, char **argv);
};

int cmd_run(const struct cmd_context *context, int argc, char **argv);
int cmd_explain(const struct cmd_context *context, int argc, char **argv);
int cmd_doctor(const struct cmd_context *context, int argc, char **argv);
int cmd_profile(const struct cmd_context *context, int argc, char **argv);
int cmd_gc(const struct cmd_context *context, int argc, char **argv);

/* Fills the request that every subcommand which decides something begins with. */
void cmd_request_init(const struct cmd_context *context, struct run_request *ret_request);

#endif
