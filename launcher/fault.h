/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Test builds only (VARIANT=fault): CORDON_FAULT="ROW:ACTION" makes one row fail, be skipped, or
 * kills a process in front of it. In every other build this is an empty struct and a constant.
 * What is no row of the engine's (records/) has named points: CORDON_FAULT="POINT:ACTION".
 */
#ifndef CORDON_LAUNCHER_FAULT_H
#define CORDON_LAUNCHER_FAULT_H

#include <stdbool.h>
#include <stddef.h>

enum fault_action {
	FAULT_NONE,
	FAULT_FAIL,
	FAULT_SKIP,
	FAULT_KILL_KEEPER,
	FAULT_KILL_INIT,
	FAULT_KILL,        /* at a point: whoever comes there */
	FAULT_STOP,        /* at a point, or a row inside: it waits there until it is continued */
	FAULT_KILL_PARENT, /* at a point: who waits for whoever comes there */
};

struct fault {
#ifdef CORDON_FAULTS
	const char *row;
	enum fault_action action;
#else
	char none;
#endif
};

#ifdef CORDON_FAULTS
struct fault fault_from_environment(void);
enum fault_action fault_at(const struct fault *fault, const char *row);
/* Makes slow what a row waits for, where that row is skipped: then it shows that nobody waited. */
void fault_slow(const struct fault *fault, const char *row);
/* CORDON_BENCH_FILTER=FILE: this program is loaded instead of the policy's, so that cordon can be
 * timed with the very filter that others are given. Allocated. */
bool fault_replaces_filter(void **ret_program, size_t *ret_n);
/* A point that this process has reached, "NAME" or "NAME.WHAT" (what may be NULL). Returns -EIO
 * where it is to fail, else 0. Must not: be called between clone and exec. */
int fault_point(const char *name, const char *what);
/* Whether the child may ask for a kill: never in a build that is not for tests. */
static inline bool fault_is_set(const struct fault *fault)
{
	return fault->row != NULL;
}
#else
static inline int fault_point(const char *name, const char *what)
{
	(void)name;
	(void)what;
	return 0;
}
static inline struct fault fault_from_environment(void)
{
	return (struct fault){0};
}
static inline enum fault_action fault_at(const struct fault *fault, const char *row)
{
	(void)fault;
	(void)row;
	return FAULT_NONE;
}
static inline void fault_slow(const struct fault *fault, const char *row)
{
	(void)fault;
	(void)row;
}
static inline bool fault_replaces_filter(void **ret_program, size_t *ret_n)
{
	(void)ret_program;
	(void)ret_n;
	return false;
}
static inline bool fault_is_set(const struct fault *fault)
{
	(void)fault;
	return false;
}
#endif

#endif
