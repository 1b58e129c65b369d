/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Digests that name the exact bytes of a profile. */
#ifndef CORDON_POLICY_DIGEST_H
#define CORDON_POLICY_DIGEST_H

#include <stddef.h>

#include "policy/ctx.h"

/* "sha256:" and 64 hex digits, in the arena. */
const char *digest_sha256(struct policy_ctx *ctx, const void *data, size_t len);

#endif
