/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys that leave a sandbox alone again, found in what is typed. Pure. */
#ifndef CORDON_CMD_DETACH_KEYS_H
#define CORDON_CMD_DETACH_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { DETACH_KEYS_MAX = 8 };

struct detach_keys {
	char keys[DETACH_KEYS_MAX];
	size_t n;
	size_t n_typed; /* so many of them were typed, and are held back */
};

/* "ctrl-p,ctrl-q", "x", "ctrl-@": letters, or ctrl- and one of a-z @ [ \ ] ^ _, as Docker has them.
 * 0 or -EINVAL. */
int must_check detach_keys_parse(const char *text, struct detach_keys *ret);

/* Puts what is to be passed on of n typed bytes into out, which has room for n + DETACH_KEYS_MAX.
 * Returns how many. *ret_detached: the keys were typed; what stands behind them is dropped. */
size_t detach_keys_take(struct detach_keys *keys, const char *typed, size_t n, char *out,
			bool *ret_detached);

#endif
