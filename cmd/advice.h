/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Well-known programs that need what a sandbox does not give, and the one line that says so. */
#ifndef CORDON_CMD_ADVICE_H
#define CORDON_CMD_ADVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "policy/spec.h"

/*
 * Writes what the program argv[0] is known to need and the spec does not give it. A row whose
 * system call the spec allows says nothing. Pure. failed: the program ended with another code than
 * 0, or by a signal; a few (debuggers) hide that. Returns false, with buf untouched, where there is
 * nothing to say.
 */
bool must_check advice_text(const struct sandbox_spec *spec, const char *const *argv, bool failed,
			    char *buf, size_t size);

#endif
