/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon run --top`: one line at the bottom of the terminal, live. */
#ifndef CORDON_CMD_TOP_H
#define CORDON_CMD_TOP_H

#include "launcher/cordon.h"

enum { TOP_LINE_MAX = 256, TOP_EVERY_MS = 250 };

struct top {
	int fd; /* the terminal; -EBADF: none */
	unsigned rows;
	unsigned columns;
	struct run_sample last;
	bool has_last;
};

/* Whether fd is a terminal with room for the line. */
int must_check top_check(int fd, struct err *err);
void top_start(struct top *top, int fd);
/* Draws, where that can be done without waiting. */
void top_draw(struct top *top, const struct run_sample *sample, const struct sandbox_spec *spec);
/* Gives the line back. */
void top_stop(struct top *top);

/* The line as text: what is used, and of how much. last: the sample before, NULL for none. Returns
 * its length. Pure. */
size_t top_text(const struct run_sample *sample, const struct run_sample *last,
		const struct sandbox_spec *spec, char *buf, size_t size);

#endif
