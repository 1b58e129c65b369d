/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The flags of the small commands, those that start no program: one table, from which parsing,
 * --help, the man page and the completion are made. Flags and words may stand in any order, as
 * Docker has it: `cordon stop web -t 3`; behind `--` all are words. What takes no value takes =true
 * or =false.
 */
#ifndef CORDON_CMD_WORDS_H
#define CORDON_CMD_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { WORDS_FLAGS_MAX = 64 };

/* A row of the table as the help and the completion need it. */
struct words_view {
	const char *name;   /* "--signal" */
	const char *letter; /* "-s", or NULL */
	const char *value;  /* NULL: takes none */
	const char *help;
};

/* Row `index` of a command's flags that are listed, by its full name; name NULL behind the last. */
struct words_view words_view(const char *command, size_t index);

/* What was given. The texts are argv's. */
struct words {
	struct {
		const char *name; /* the first spelling of the table, however it was typed */
		const char *value;
		bool is_off; /* of one that takes none: =false was said */
	} flags[WORDS_FLAGS_MAX];
	size_t n_flags;
	bool wants_help;
	bool wants_json;
	int n; /* words that are no flags, at the front of argv, which NULL ends */
};

/*
 * Reads a command line of the command with this full name, without the command itself. ERR_USAGE: a
 * flag that is unknown (with the nearest known one), that this build does not enforce, that lacks
 * its value, or is given one that it does not take. has_json: --json is taken.
 */
int must_check words_parse(const char *command, bool has_json, char **argv, struct words *ret,
			   struct err *err);

/* The last time it was said counts: --force --force=false is not. */
bool words_has(const struct words *words, const char *name);
/* Said at all, =false as well. */
bool words_said(const struct words *words, const char *name);
/* The last value of a flag, NULL where it is not given. */
const char *words_value(const struct words *words, const char *name);

#endif
