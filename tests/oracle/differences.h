/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where cordon answers otherwise than runc does for the same Docker file, and why. */
#ifndef CORDON_TESTS_ORACLE_DIFFERENCES_H
#define CORDON_TESTS_ORACLE_DIFFERENCES_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of what a difference speaks: the number space that a call is made in. */
enum space { SPACE_X86_64, SPACE_X32, SPACE_I386, SPACE_OTHER };

/* What the programs are for. Some differences are of one of these alone. */
enum {
	FOR_READ_ONLY =
		1,        /* no CAP_SYS_ADMIN; nothing that the workload writes stays on the host */
	FOR_WRITABLE = 2, /* likewise, but a bind mount is writable */
	FOR_SYS_ADMIN = 4, /* read-only, with CAP_SYS_ADMIN */
	FOR_ALL = FOR_READ_ONLY | FOR_WRITABLE | FOR_SYS_ADMIN,
};

struct difference {
	unsigned policies; /* FOR_... */
	enum space space;
	/* The call, or NULL and a range of numbers. */
	const char *call;
	uint32_t first, last;
	/* Which arguments it is about; NULL: all. */
	bool (*when)(const struct seccomp_data *data);
	uint32_t theirs; /* or ANY_VERDICT */
	uint32_t ours;
	/* It stands only where libseccomp, which runc is linked with, has no such call. */
	bool is_new_call;
	const char *why;
};

/* No answer of a filter's. */
#define ANY_VERDICT 0xffffffffU

extern const struct difference differences[];
extern const size_t n_differences;

#endif
