/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Landlock as the second lock on the file tree: what each mount is for, and nothing else, whatever
 * the mount itself would let through. The rules are data, made from spec and tree before any
 * process exists (landlock.c); the workload's process takes them on as its row `landlock`
 * (landlock_child.c). Internal to launcher/.
 */
#ifndef CORDON_LAUNCHER_LANDLOCK_H
#define CORDON_LAUNCHER_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sys.h"
#include "policy/spec.h"

struct decision;
struct launch;
struct misses;

enum { LANDLOCK_PLACES_MAX = 128 };

/* What a rule is for, by a descriptor, and what it allows. */
struct landlock_place {
	int fd;
	uint64_t access;
};

struct landlock_places {
	struct landlock_place list[LANDLOCK_PLACES_MAX];
	size_t n;
};

enum {
	LANDLOCK_ABI_REFER = 2, /* before it nothing can be renamed from one directory to another */
	LANDLOCK_ABI_TRUNCATE = 3,
	LANDLOCK_ABI_TCP = 4,
	LANDLOCK_ABI_IOCTL = 5,
	LANDLOCK_ABI_SCOPES = 6,
	LANDLOCK_ABI_LOG = 7,
};

struct landlock_rule {
	const char *path; /* absolute inside */
	uint64_t access;  /* SYS_LANDLOCK_FS_* */
};

struct landlock_rules {
	struct sys_landlock_ruleset handled; /* what is refused unless a rule allows it */
	const struct landlock_rule *list;
	size_t n;
};

/* Whether the workload takes a domain on: asked for, and there is a kernel for the least of it. */
bool landlock_is_wanted(const struct decision *decision);

/* Whether this kernel can do all that the spec asks for. What it cannot is said in ret, "" else. */
bool landlock_is_whole(const struct decision *decision, char *ret, size_t size);

/* What each part of an access mask is called, for `explain`: "read, execute". */
void landlock_describe(uint64_t access, char *ret, size_t size);

/*
 * Fills decision->landlock from spec, tree and facts.landlock_abi. Misses for a list that names
 * what is not there in the first place. Returns 0 or -ENOMEM.
 */
int must_check landlock_build(struct decision *decision, struct misses *misses, struct err *err);

/* What is wrong with a rule's path; result: -errno, which it returns. */
int landlock_explain_path(const char *path, int result, struct err *err);

/* A rule for what place (O_PATH is enough) is, or is above; what: how an error calls it. */
int must_check landlock_allow(int ruleset, int place, uint64_t access, const char *what,
			      struct err *err);

/* ---- landlock_places.c ---- */

/* The row landlock_places; Runs in: the keeper. After: SYNC_READY; before the gate is opened. */
int must_check landlock_hold_places(struct launch *launch, struct err *err);
int must_check landlock_verify_places(struct launch *launch, struct err *err);
void landlock_release_places(struct landlock_places *places);

/* Before the first fork of an exec: the set of rules, with those of the sandbox's start in it. A
 * set leads to no file, so it may stay open where paths are looked up. */
int must_check landlock_begin_entering(struct launch *launch, struct err *err);

/* The row; Runs in: the workload's process. After: pivot, no_new_privs. */
int must_check landlock_restrict(struct launch *launch, struct err *err);
int must_check landlock_verify(struct launch *launch, struct err *err);

#endif
