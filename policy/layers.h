/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The layers of one policy: the profile's ancestors, the profile, and the flags. */
#ifndef CORDON_POLICY_LAYERS_H
#define CORDON_POLICY_LAYERS_H

#include "policy/ctx.h"
#include "policy/doc.h"

enum { LAYERS_MAX_PROFILES = 8, LAYERS_MAX = LAYERS_MAX_PROFILES + 1 };

struct policy_layers {
	const struct policy_source *sources[LAYERS_MAX]; /* of the profiles */
	struct policy_node *roots[LAYERS_MAX];           /* from the first ancestor; checked */
	size_t n_profiles;
	size_t n;       /* n_profiles, and one more where there are flags */
	bool is_broken; /* a profile of the chain could not be read at all */
};

/*
 * Reads the profile that the request names and its ancestors, and turns the flags into a last
 * layer. Mistakes are reported to ctx. Returns 0, or the host's error for the profile itself.
 */
int must_check layers_load(struct policy_ctx *ctx, struct policy_layers *layers, struct err *err);

/* Whether the text is that of a shipped profile: the caller's own files and flags are not. */
bool layers_is_shipped(const struct policy_source *source);

/* Whether it is what cordon itself says of every image. (image.c) */
bool image_is_usual(const struct policy_source *source);

/* The flags of the request as one tree; NULL where there are none. (flags.c) */
struct policy_node *layers_from_flags(struct policy_ctx *ctx);

#endif
