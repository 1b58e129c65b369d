/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/groups*.c and syscalls.c: what the groups hold, and what is known of calls. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "policy/groups.h"
#include "policy/groups_systemd.h"

static bool holds(const char *group, const char *call)
{
	struct syscall_set set = {.abi = ABI_NATIVE};

	assert_int_equal(groups_add(group, &set), 0);
	assert_true(syscalls_number(call) >= 0);
	return set.has[syscalls_number(call)];
}

static void systemd_groups(void **state)
{
	(void)state;
	assert_true(holds("@basic-io", "read"));
	assert_true(holds("@mount", "mount"));
	assert_false(holds("@basic-io", "mount"));
	assert_true(holds("@system-service", "read")); /* by a nested group */
	assert_true(holds("@system-service", "setns"));
	assert_false(holds("@system-service", "mount"));
	assert_true(holds("@privileged", "init_module"));
	assert_true(holds("@known", "mount"));
}

/* Every word of every group is a call, of this or of another architecture, or a group. */
static void words_are_known(void **state)
{
	size_t n = 0;

	(void)state;
	for (const struct group_row *row = groups_systemd; row->name != NULL; row++) {
		const char *p = row->members;

		while (*p != '\0') {
			size_t len = strcspn(p, " ");
			char word[64];
			struct syscall_set set = {.abi = ABI_NATIVE};

			str_format(word, sizeof(word), "%.*s", (int)len, p);
			if (word[0] == '@')
				assert_int_equal(groups_add(word, &set), 0);
			else if (syscalls_number(word) >= 0)
				n++;
			assert_true(len > 0 && len < sizeof(word));
			p += len + (p[len] == ' ' ? 1 : 0);
		}
	}
	assert_true(n > 300);
}

static const char *const calls_out[] = {
	"io_uring_setup",
	"io_uring_enter",
	"io_uring_register",
	"add_key",
	"keyctl",
	"request_key",
	"setns",
	"unshare",
	"userfaultfd",
	"name_to_handle_at",
	"open_by_handle_at",
	"capset",
	"bpf",
	"perf_event_open",
	"ptrace",
	"mount",
	"umount2",
	"open_tree",
	"move_mount",
	"fsopen",
	"fsmount",
	"fsconfig",
	"fspick",
	"mount_setattr",
	"pivot_root",
	"chroot",
	"statmount",
	"listmount",
	"init_module",
	"finit_module",
	"kexec_load",
	"reboot",
	"swapon",
	"acct",
	"quotactl",
	"syslog",
	"pidfd_getfd",
	"cachestat",
	"lsm_set_self_attr",
	"settimeofday",
	"clock_settime",
	"open_tree_attr",
	"file_setattr",
	"kcmp",
	"process_madvise",
	"process_vm_readv",
	"process_vm_writev",
	"migrate_pages",
	"move_pages",
	"set_mempolicy_home_node",
	"remap_file_pages",
};
static const char *const calls_in[] = {
	"read",          "openat",
	"execve",        "clone",
	"futex",         "mmap",
	"socket",        "wait4",
	"prctl",         "kill",
	"fchmodat2",     "futex_waitv",
	"mseal",         "landlock_add_rule",
	"seccomp",       "mbind",
	"get_mempolicy", "set_mempolicy",
};

static void sandbox_default(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(calls_out) / sizeof(calls_out[0]); i++)
		if (holds("@sandbox-default", calls_out[i]))
			fail_msg("%s is in", calls_out[i]);
	for (size_t i = 0; i < sizeof(calls_in) / sizeof(calls_in[0]); i++)
		if (!holds("@sandbox-default", calls_in[i]))
			fail_msg("%s is out", calls_in[i]);
}

static void unknown_group(void **state)
{
	struct syscall_set set = {.abi = ABI_NATIVE};

	(void)state;
	assert_int_equal(groups_add("@basic", &set), -ENOENT);
	assert_int_equal(groups_add("read", &set), -ENOENT);
}

static void numbers(void **state)
{
	(void)state;
	assert_int_equal(syscalls_number("file_setattr"), 469);
	assert_int_equal(syscalls_number("cachestat"), 451);
	assert_int_equal(syscalls_number("no_such_call"), -ENOENT);
	assert_int_equal(syscalls_number(""), -ENOENT);
	assert_string_equal(syscalls_name(462), "mseal");
	assert_string_equal(syscalls_name(syscalls_number("read")), "read");
	assert_null(syscalls_name(470));
	assert_true(syscalls_is_known(469));
	assert_false(syscalls_is_known(470));
#ifdef __x86_64__
	assert_int_equal(syscalls_number("sync_file_range2"), SYSCALLS_FOREIGN);
	assert_false(syscalls_is_known(400));
#endif
	assert_null(syscalls_name(-1));
	assert_null(syscalls_name(SYSCALLS_END));
}

static void widths(void **state)
{
	bool is_32bit = false;

	(void)state;
	assert_int_equal(syscalls_argument_width("ioctl", 1, &is_32bit), 0);
	assert_true(is_32bit);
	assert_int_equal(syscalls_argument_width("mmap", 2, &is_32bit), 0);
	assert_false(is_32bit);
	assert_int_equal(syscalls_argument_width("ioctl", 3, &is_32bit), -ENOENT);
	assert_int_equal(syscalls_argument_width("read", 0, &is_32bit), -ENOENT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(systemd_groups),  cmocka_unit_test(words_are_known),
		cmocka_unit_test(sandbox_default), cmocka_unit_test(unknown_group),
		cmocka_unit_test(numbers),         cmocka_unit_test(widths),
	};

	return cmocka_run_group_tests_name("policy/groups", tests, NULL, NULL);
}
