/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Labels and options as they are kept: "name=value", each with a NUL, one behind the other. */
#ifndef CORDON_BASE_PAIRS_H
#define CORDON_BASE_PAIRS_H

#include <stddef.h>

#include "base/err.h"

/* The pair at *at of len bytes, *at moved on; NULL behind the last. */
const char *pairs_next(const char *text, size_t len, size_t *at);
/* Appends one to the *len of size bytes, "name=" where it has no value. -EINVAL: no name, a blank
 * in it, or nothing that a line can show; -ENOSPC. *len is untouched then. */
int must_check pairs_add(char *text, size_t size, size_t *len, const char *pair);

#endif
