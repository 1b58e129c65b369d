/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Errors are values. Every function above base/sys.h that can fail takes a `struct err *` last,
 * fills it, and returns a negative errno. The engine never prints and never exits.
 *
 * The struct is of fixed size, holds no pointers and fits one pipe or socket message (PIPE_BUF,
 * pipe(7)), so that a child between clone and exec hands its error to the keeper in one write.
 */
#ifndef CORDON_BASE_ERR_H
#define CORDON_BASE_ERR_H

#include <stddef.h>

#define must_check             __attribute__((warn_unused_result))
#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))

/* A result that is dropped on purpose; the reason stands beside it. */
#define ignore_result(call, reason)                                                      \
	do {                                                                             \
		_Static_assert(sizeof(reason) > 1, "a dropped result needs its reason"); \
		if (call) {                                                              \
		}                                                                        \
	} while (0)

enum err_kind {
	ERR_NONE,
	ERR_USAGE,     /* the command line; exit 125 */
	ERR_POLICY,    /* a policy file or key; exit 125 */
	ERR_PREFLIGHT, /* this host cannot give what was asked for; exit 125 */
	ERR_SETUP,     /* a row failed; exit 125 */
	ERR_EXEC,      /* the program: 127 where it does not exist, else 126 */
	ERR_BUG,       /* cordon itself; exit 125 */
};

struct err {
	enum err_kind kind;
	int sys_errno;   /* 0: no system call failed */
	char step[32];   /* name of the row that failed, "" outside the tables */
	char text[1536]; /* "outermost: ...: innermost: strerror" */
	char hint[512];  /* one thing the user can do, a full sentence; "" for none */
};

/*
 * Fills *err (overwriting what was there) with a formatted text. Where sys_errno is not 0 its
 * description is appended after ": ". Formats follow str_format (base/str.h), not printf: %s %d
 * %u %x %o %c with l, ll and z lengths. Runs in: any process, also after clone.
 * Returns -sys_errno, or -EINVAL where sys_errno is 0, to be returned by the caller. err may be
 * NULL.
 */
int err_set(struct err *err, enum err_kind kind, int sys_errno, const char *fmt, ...)
	printf_like(4, 5);

/* Puts "formatted: " before the text. Returns the negative errno that err already stands for. */
int err_wrap(struct err *err, const char *fmt, ...) printf_like(2, 3);

/* Sets the hint, a full sentence. Returns as err_wrap does. */
int err_hint(struct err *err, const char *fmt, ...) printf_like(2, 3);

/* The exit code that cordon itself ends with for this error: 125, 126 or 127. */
int err_exit_code(const struct err *err);

#endif
