/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the second architecture's calls are not the native ones under another number: other forms
 * of a call, arguments that stand elsewhere, calls that are many in one.
 */
#ifndef CORDON_POLICY_FORMS_H
#define CORDON_POLICY_FORMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The calls of the second architecture that do what the call of that name does and have names that
 * are no native calls': a refusal of chown refuses chown32. *state is 0 at first. NULL: no more.
 */
const char *forms_next(const char *call, size_t *state);

/*
 * Whether argument arg of `form` on the second architecture is what argument arg of `call` is on
 * the native one, as wide as there or wider than any value that it can have. form may be the call
 * itself. Holds for calls on which conditions can be made (syscalls_argument_width).
 */
bool forms_compare(const char *call, const char *form, uint32_t arg);

/* One of the calls that a multiplexer is made for, chosen by its first argument. */
struct forms_part {
	const char *multiplexer;
	uint32_t number; /* in the first argument */
	uint32_t mask;   /* of that, which bits the kernel takes for the number */
	const char *call;
};

/* Those of x86's socketcall and ipc; on arm there are none. Ends with call NULL. */
const struct forms_part *forms_parts(void);

#endif
