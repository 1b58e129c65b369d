/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One reading of a policy: where its memory comes from, whom it asks, and the mistakes found so
 * far. Inside policy/ a mistake does not end the reading: it is reported here and the reading goes
 * on without the value, so that all the mistakes of a file are told at once.
 */
#ifndef CORDON_POLICY_CTX_H
#define CORDON_POLICY_CTX_H

#include <stdarg.h>
#include <stdbool.h>

#include "base/err.h"
#include "policy/doc.h"
#include "policy/policy.h"

enum { CTX_FILES_MAX = 16, CTX_WARNINGS_MAX = 32 };

struct policy_ctx {
	struct arena *arena;
	const struct policy_request *request;
	const struct policy_host *host;
	struct policy_problems *problems;
	uint32_t ranks[POLICY_PROBLEMS_MAX]; /* source rank of each problem, for sorting */
	struct policy_problem dropped;       /* takes what is written about problems not kept */
	/* Files that profiles name (seccomp.docker_profile), for provenance. */
	const struct policy_source *files[CTX_FILES_MAX];
	size_t n_files;
	const struct policy_image *image; /* that the rootfs is of; NULL: none */
	struct spec_warning *warnings;    /* up to CTX_WARNINGS_MAX; NULL: none */
	size_t n_warnings;
	bool out_of_memory;
};

/* Zeroed memory in the arena; NULL marks the reading as out of memory, which policy_resolve turns
 * into -ENOMEM. */
void *ctx_array(struct policy_ctx *ctx, size_t n, size_t size);

/* Text in the arena. Never NULL: "" where memory ran out. */
const char *ctx_copy(struct policy_ctx *ctx, const char *text, size_t len);
const char *ctx_format(struct policy_ctx *ctx, const char *fmt, ...) printf_like(2, 3);

/*
 * Reports a mistake. rule is its stable id. Returns the problem, never NULL, so that the caller can
 * add `expected` and `hint`.
 */
struct policy_problem *ctx_report(struct policy_ctx *ctx, struct policy_place place,
				  const char *rule, const char *fmt, ...) printf_like(4, 5);

/* Notes what is no mistake but has no effect, where the request wants to know; at most
 * CTX_WARNINGS_MAX. */
void ctx_warn(struct policy_ctx *ctx, struct policy_place place, const char *fmt, ...)
	printf_like(3, 4);

/* Sets problem->hint to "did you mean '...'?" where one of the n names is near to word. */
void ctx_suggest(struct policy_ctx *ctx, struct policy_problem *problem, const char *word,
		 const char *const *names, size_t n);

/* Puts the problems into the order of their files and lines. */
void ctx_sort_problems(struct policy_ctx *ctx);

#endif
