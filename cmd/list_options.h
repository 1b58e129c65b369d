/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The flags of ps and inspect: one table, from which they are read and the help is printed. */
#ifndef CORDON_CMD_LIST_OPTIONS_H
#define CORDON_CMD_LIST_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "cmd/options.h"

enum { LIST_FILTERS_MAX = 64 };

struct list_options {
	bool all;
	bool quiet;
	bool no_trunc;
	bool json;
	bool help;
	uint32_t last; /* 0: all of them */
	const char *format;
	const char *filters[LIST_FILTERS_MAX]; /* KEY=VALUE */
	size_t n_filters;
	char **words; /* what is no flag, NULL-terminated */
	size_t n_words;
};

/* Reads the flags of `of` wherever they stand, up to "--"; argv's words are moved to its front.
 * command: for messages. ERR_USAGE names the flag, and the nearest known one. */
int must_check list_options_parse(const char *command, enum option_of of, char **argv,
				  struct list_options *ret, struct err *err);

/* Row `index`; name NULL behind the last one. */
struct option_view list_options_view(size_t index);
void list_options_print_help(unsigned of);

#endif
