/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moments as flags take them and lines show them. */
#ifndef CORDON_CMD_MOMENT_H
#define CORDON_CMD_MOMENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Reads "10m" (so long before now), "1795952324" or "1795952324.5" (seconds since 1970),
 * "2026-11-29", "2026-11-29T11:38:44" (local), with ".25" and "Z" or "+01:00" behind it: in
 * nanoseconds since 1970. -EINVAL.
 */
int must_check moment_read(const char *text, int64_t now_ns, int64_t *ret_ns);

/* "2026-11-29T11:38:44.512320517+00:00", in the local time zone. */
void moment_text(int64_t ns, char *buf, size_t size);

int64_t moment_now_ns(void);

#endif
