/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd/ending.c: each kind of end in words. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "cmd/ending.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct spec_mount mounts[] = {
	{.type = MOUNT_BIND},
	{.type = MOUNT_TMPFS,
	 .size_bytes = 1 << 20,
	 .inodes = 10,
	 .store = {.size_key = "volumes[3].size",
		   .inodes_key = "volumes[3].inodes",
		   .size_origin = {.file = "p.yaml", .line = 8},
		   .inodes_origin = {.file = "command line"}}},
};

static const struct sandbox_spec spec = {
	.rootfs = {.size_bytes = 64 << 20,
		   .inodes = 4096,
		   .store = {.size_key = "rootfs.writable.size",
			     .inodes_key = "rootfs.writable.inodes",
			     .size_origin = {.file = "p.yaml", .line = 7},
			     .inodes_origin = {.file = ""}}},
	.mounts = mounts,
	.n_mounts = N(mounts),
	.limits = {.rlimits = {{.name = "nofile", .resource = RLIMIT_NOFILE, .value = 1},
			       {.name = "fsize",
				.resource = RLIMIT_FSIZE,
				.value = 3 << 10,
				.origin = {.file = "p.yaml", .line = 1}}},
		   .n_rlimits = 2,
		   .wall_time_ms = 6000,
		   .wall_time_origin = {.file = "p.yaml", .line = 2},
		   .total = {[LIMIT_PIDS] = {.value = 16, .origin = {.file = "p.yaml", .line = 3}},
			     [LIMIT_MEMORY] = {.value = 256ULL << 20,
					       .origin = {.file = "p.yaml", .line = 4}},
			     [LIMIT_CPU_TIME] = {.value = 1500, .origin = {.file = "command line"}},
			     [LIMIT_IDLE_TIME] = {.value = 600000,
						  .origin = {.file = "p.yaml", .line = 5}},
			     [LIMIT_OUTPUT] = {.value = 16 << 20,
					       .origin = {.file = "p.yaml", .line = 6}}}},
};

static void every_end_has_its_line(void **state)
{
	static const struct {
		enum run_kind kind;
		const char *limit;
		const char *want;
	} rows[] = {
		{RUN_SETUP_FAILED, NULL, ""},
		{RUN_EXITED, NULL, ""},
		{RUN_SIGNALLED, NULL, ""},
		{RUN_WALL_TIME, "limits.wall_time", "ended by limits.wall_time: 6 s (p.yaml:2)"},
		{RUN_POLICY_KILL, "seccomp",
		 "ended by seccomp: the program made a system call that the policy answers with "
		 "kill"},
		{RUN_CPU_TIME, "limits.cpu_time",
		 "ended by limits.cpu_time: 1500 ms (command line)"},
		{RUN_IDLE_TIME, "limits.idle_time", "ended by limits.idle_time: 10 min (p.yaml:5)"},
		{RUN_OUTPUT, "limits.output", "ended by limits.output: 16 MiB (p.yaml:6)"},
		{RUN_OOM, "limits.memory", "ended by limits.memory: 256 MiB (p.yaml:4)"},
		{RUN_OOM, NULL,
		 "ended by the kernel for want of memory: the host's, or that of a control group "
		 "above the sandbox's"},
		{RUN_PIDS, "limits.pids", "limits.pids (16) refused 3 forks (p.yaml:3)"},
		{RUN_FSIZE, "limits.ulimits.fsize",
		 "ended by limits.ulimits.fsize: 3 KiB (p.yaml:1)"},
		{RUN_DISK_FULL, "rootfs.writable.size",
		 "rootfs.writable.size (64 MiB) was used up when the program failed (p.yaml:7)"},
		{RUN_DISK_FULL, "rootfs.writable.inodes",
		 "rootfs.writable.inodes (4096) was used up when the program failed (built in)"},
		{RUN_DISK_FULL, NULL,
		 "the host's file system, on which rootfs.writable lies, was used up when the "
		 "program failed"},
		{RUN_DISK_FULL, "volumes[3].size",
		 "volumes[3].size (1 MiB) was used up when the program failed (p.yaml:8)"},
		{RUN_DISK_FULL, "volumes[3].inodes",
		 "volumes[3].inodes (10) was used up when the program failed (command line)"},
	};
	char text[ENDING_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct run_result r = {.kind = rows[i].kind,
				       .limit = rows[i].limit,
				       .pids_refused = 3};

		ending_text(&r, NULL, &spec, text, sizeof(text));
		assert_string_equal(text, rows[i].want);
	}
}

static void one_fork_and_one_process(void **state)
{
	const struct spec_rlimit cpu = {.value = 2, .origin = {.file = "p.yaml", .line = 9}};
	struct run_result r = {.kind = RUN_PIDS, .limit = "limits.pids", .pids_refused = 1};
	char text[ENDING_TEXT_MAX];

	(void)state;
	ending_text(&r, NULL, &spec, text, sizeof(text));
	assert_string_equal(text, "limits.pids (16) refused 1 fork (p.yaml:3)");
	r = (struct run_result){.kind = RUN_SIGNALLED, .limit = "limits.ulimits.cpu"};
	ending_text(&r, &cpu, &spec, text, sizeof(text));
	assert_string_equal(text, "ended by limits.ulimits.cpu: 2 s (p.yaml:9)");
}

static void amounts_are_exact(void **state)
{
	static const struct {
		uint64_t value;
		const char *size;
		const char *duration;
	} rows[] = {
		{0, "0 bytes", "0 ms"},
		{1, "1 bytes", "1 ms"},
		{1000, "1000 bytes", "1 s"},
		{1024, "1 KiB", "1024 ms"},
		{1536, "1536 bytes", "1536 ms"},
		{60000, "60000 bytes", "1 min"},
		{3600000, "3600000 bytes", "1 h"},
		{1ULL << 40, "1 TiB", "1099511627776 ms"},
		{3ULL << 29, "1536 MiB", "1610612736 ms"},
		{INT64_MAX, "9223372036854775807 bytes", "9223372036854775807 ms"},
	};
	char text[ENDING_AMOUNT_MAX];

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		ending_size(rows[i].value, text, sizeof(text));
		assert_string_equal(text, rows[i].size);
		ending_duration(rows[i].value, text, sizeof(text));
		assert_string_equal(text, rows[i].duration);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_end_has_its_line),
		cmocka_unit_test(one_fork_and_one_process),
		cmocka_unit_test(amounts_are_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
