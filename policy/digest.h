/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Digests that name the exact bytes of a profile. */
#ifndef CORDON_POLICY_DIGEST_H
#define CORDON_POLICY_DIGEST_H

#include <stddef.h>

#include "policy/ctx.h"

enum { DIGEST_TEXT_SIZE = sizeof("sha256:") + 64 };

/* "sha256:" and 64 hex digits. */
void digest_text(const void *data, size_t len, char buf[DIGEST_TEXT_SIZE]);

/* The same, in the arena. */
const char *digest_sha256(struct policy_ctx *ctx, const void *data, size_t len);

#endif
