/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Strict readers for the small languages of policy values and flags. Each takes the whole text:
 * no leading or trailing space, no sign, nothing behind the value. Outputs are untouched on
 * failure. Returns 0, -EINVAL (not of that form) or -ERANGE (of that form, too large).
 */
#ifndef CORDON_BASE_PARSE_H
#define CORDON_BASE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

int must_check parse_u64(const char *text, uint64_t *ret_value);
int must_check parse_u32(const char *text, uint32_t *ret_value);

/* Octal file mode of 3 or 4 digits, as chmod(1) takes it, at most 07777. */
int must_check parse_mode(const char *text, uint32_t *ret_mode);

/* "true" or "false". */
int must_check parse_bool(const char *text, bool *ret_value);

/* "64MiB", "1.5GiB", "4096", "4096B", "10k": bytes. KiB MiB GiB TiB and k m g t (as Docker) are
 * powers of 1024; kB KB MB GB TB are powers of 1000. A fraction must come out as whole bytes. */
int must_check parse_size(const char *text, uint64_t *ret_bytes);

/* "2s", "1.5s", "500ms", "10m", "1h", "1m30s": milliseconds. A number without a unit is refused,
 * but for "0". */
int must_check parse_duration(const char *text, uint64_t *ret_ms);

/* "50MiB/s": a size with "/s" behind it, bytes in a second. */
int must_check parse_rate(const char *text, uint64_t *ret_bytes);

/* "10mbit", "1.5gbit", "64kbit", "8000bit": bits in a second; powers of 1000, and the first letter
 * may be a capital. */
int must_check parse_bit_rate(const char *text, uint64_t *ret_bits);

/* "0.5", "2", "1.25": in millionths. Six digits behind the point at most. */
int must_check parse_millionths(const char *text, uint64_t *ret_value);

/* "0-1,4" as cpuset(7) has it: sets those bits of words[max_cpus / 64] and clears all others. At
 * least one; each below max_cpus, else -ERANGE. */
int must_check parse_cpu_list(const char *text, uint64_t *words, size_t max_cpus);

/* "uid" or "uid:gid" of decimal numbers below 2^32-1. *ret_has_gid says which. */
int must_check parse_ids(const char *text, uint32_t *ret_uid, uint32_t *ret_gid, bool *ret_has_gid);

#endif
