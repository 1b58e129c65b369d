/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A condition on a system call's argument, for people. */
#ifndef CORDON_CMD_CONDITION_H
#define CORDON_CMD_CONDITION_H

#include <stddef.h>

#include "policy/spec.h"

enum { CONDITION_TEXT_MAX = 1024 };

/* "argument 0 is none of 1 2 10": into buf, cut where it does not fit. */
void condition_text(const struct spec_cond *cond, char *buf, size_t size);

#endif
