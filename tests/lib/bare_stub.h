/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In the place of launcher/bare.h, for tests of what programs without libc are made of: the same
 * call, by libc. To be included before anything of launcher/. */
#ifndef CORDON_LAUNCHER_BARE_H
#define CORDON_LAUNCHER_BARE_H

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline long bare_call(long n, long a, long b, long c, long d, long e)
{
	long result = syscall(n, a, b, c, d, e);

	return result < 0 ? -errno : result;
}

#endif
