/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The flags of commands that look at sandboxes: a small table for each, from which follow parsing,
 * help, man page and completion. Flags and words may stand in any order, as with Docker.
 */
#ifndef CORDON_CMD_OWN_FLAGS_H
#define CORDON_CMD_OWN_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum own_flag_target {
	OWN_TRUTH, /* at: a bool; takes no value, or =true or =false */
	OWN_TEXT,  /* at: a const char *; the last one counts */
	OWN_LIST,  /* at: a struct own_list */
};

enum { OWN_LIST_MAX = 64 };

struct own_list {
	const char *list[OWN_LIST_MAX];
	size_t n;
};

struct own_flag {
	const char *name; /* NULL behind the last row */
	char letter;      /* 0: none */
	const char *value;
	enum own_flag_target target;
	size_t at; /* offset in what own_flags_parse is given */
	const char *help;
};

extern const struct own_flag events_flags[];
extern const struct own_flag stats_flags[];
extern const struct own_flag top_flags[];

/*
 * Reads argv (without the command's name): flags into *into, the other words to the front of argv.
 * --help prints the help of the command. Returns how many words there are, or -1 where *ret_exit
 * says how to end; what is wrong has been said.
 */
int must_check own_flags_parse(const char *command, const struct own_flag *table, char **argv,
			       void *into, int *ret_exit);

/* The table as text for --help. */
void own_flags_print_help(const struct own_flag *table);

#endif
