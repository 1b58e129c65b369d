/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See verdict_rows.h. */
#include "tests/lib/verdict_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "policy/syscalls.h"
#include "tests/lib/bpf_sim.h"

void verdict_rows_check(const void *filter, size_t n, const struct row *rows, size_t n_rows)
{
	for (size_t i = 0; i < n_rows; i++) {
		struct seccomp_data data = {.arch = NATIVE, .nr = syscalls_number(rows[i].call)};
		uint32_t got;

		if (data.nr < 0)
			continue;
		memcpy(data.args, rows[i].args, sizeof(data.args));
		got = bpf_sim_run(filter, n, &data);
		if (got != rows[i].verdict)
			fail_msg("row %zu, %s: %x instead of %x", i, rows[i].call, got,
				 rows[i].verdict);
	}
}
