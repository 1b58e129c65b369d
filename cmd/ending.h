/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one line about a run that a limit or the policy ended, or that failed at a limit. */
#ifndef CORDON_CMD_ENDING_H
#define CORDON_CMD_ENDING_H

#include <stddef.h>
#include <stdint.h>

#include "launcher/cordon.h"

enum { ENDING_TEXT_MAX = 1024, ENDING_AMOUNT_MAX = 32 };

/* "16 MiB", "1000 bytes": exact, in the largest unit that divides it. */
void ending_size(uint64_t bytes, char *buf, size_t size);
/* "2 s", "1500 ms", "10 min": likewise. */
void ending_duration(uint64_t ms, char *buf, size_t size);

/* "ended by limits.memory: 64 MiB (judge.yaml:12)"; "" where it was the program's own end.
 * cpu_limit: of result_find_cpu_limit. */
void ending_text(const struct run_result *result, const struct spec_rlimit *cpu_limit,
		 const struct sandbox_spec *spec, char *buf, size_t size);

#endif
