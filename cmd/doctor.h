/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon doctor`: what is found out, before it is printed. */
#ifndef CORDON_CMD_DOCTOR_H
#define CORDON_CMD_DOCTOR_H

#include <stddef.h>

#include "base/err.h"
#include "launcher/cordon.h"

enum { CHECKS_MAX = 48 };

enum check_kind { CHECK_OK, CHECK_MISS, CHECK_NOTE, CHECK_NOT_HERE };

struct check {
	enum check_kind kind;
	const char *name; /* NULL: a note */
	char text[LIMITS_TEXT_MAX + 64];
	char command[LIMITS_COMMAND_MAX]; /* for a shell, below the text; "" for none */
};

/* All that is said, before it is printed as text or as a document. */
struct checkup {
	struct check list[CHECKS_MAX];
	size_t n;
};

/* Adds a line. name lives as long as the checkup. */
void doctor_say(struct checkup *checkup, enum check_kind kind, const char *name, const char *fmt,
		...) printf_like(4, 5);

/* The command that the last line speaks of. */
void doctor_command(struct checkup *checkup, const char *command);

/* Control groups: a line for each controller, and what to do where one cannot be used. Of the
 * request cgroup_parent and runtime_dir count. */
void doctor_groups(struct checkup *checkup, const struct host_facts *known,
		   const struct run_request *request);

#endif
