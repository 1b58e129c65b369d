/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* base/sys.c: every wrapper hands errno back as a negative result, and what it returns is what the
 * kernel says. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sys.h"

/* Calls that cannot succeed, each with the errno that the manual gives for it. */
static void returns_negative_errno(void **state)
{
	static char *const argv[] = {"none", NULL};
	struct statx st;
	siginfo_t info;

	(void)state;
	assert_int_equal(sys_openat2(AT_FDCWD, "/none", O_RDONLY, 0, 0), -ENOENT);
	assert_int_equal(sys_openat2(AT_FDCWD, "/", UINT64_MAX, 0, 0), -EINVAL);
	assert_int_equal(sys_openat2(AT_FDCWD, "/proc/self/exe", O_PATH, 0, RESOLVE_NO_MAGICLINKS),
			 -ELOOP);
	assert_int_equal(sys_openat(AT_FDCWD, "/none", O_RDONLY, 0), -ENOENT);
	assert_int_equal(sys_statx(AT_FDCWD, "/none", 0, STATX_INO, &st), -ENOENT);
	assert_int_equal(sys_pidfd_open(-1, 0), -EINVAL);
	assert_int_equal(sys_pidfd_send_signal(-EBADF, 0, 0), -EBADF);
	assert_int_equal(sys_waitid(P_PID, (id_t)getppid(), &info, WEXITED, NULL), -ECHILD);
	assert_int_equal(sys_close_range(2, 1, 0), -EINVAL);
	assert_int_equal(sys_memfd_create("x", UINT32_MAX), -EINVAL);
	assert_int_equal(sys_execveat(AT_FDCWD, "/none", argv, argv + 1, 0), -ENOENT);
	assert_int_equal(sys_seccomp(UINT32_MAX, 0, NULL), -EINVAL);
	assert_int_equal(sys_ioprio_set(-1, 0, 0), -EINVAL);
	assert_int_equal(sys_pivot_root("/none", "/none") < 0, 1);
	assert_int_equal(sys_open_tree(-EBADF, "none", 0), -EBADF);
	assert_true(sys_keyctl(-1, 0, 0, 0, 0) < 0);
}

static void clones_and_waits(void **state)
{
	struct sys_clone_args args = {.exit_signal = SIGCHLD};
	struct rusage usage;
	siginfo_t info;
	pid_t pid;
	int pidfd;

	(void)state;
	pid = sys_clone3(&args);
	if (pid == 0)
		for (;;)
			pause();
	assert_true(pid > 0);
	pidfd = sys_pidfd_open(pid, 0);
	assert_true(pidfd >= 0);
	assert_int_equal(fcntl(pidfd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(sys_pidfd_send_signal(pidfd, SIGKILL, 0), 0);
	assert_int_equal(sys_waitid(P_PID, (id_t)pid, &info, WEXITED, &usage), 0);
	assert_int_equal(info.si_pid, pid);
	assert_int_equal(info.si_status, SIGKILL);
	assert_int_equal(sys_pidfd_send_signal(pidfd, 0, 0), -ESRCH);
	close(pidfd);
}

/* What comes from elsewhere than here: the fields of /proc/self/status. */
static uint64_t status_mask(const char *field)
{
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long long value = 0;
	char line[256];
	bool found = false;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, field, strlen(field)) == 0) {
			value = strtoull(line + strlen(field) + 1, NULL, 16);
			found = true;
		}
	fclose(file);
	assert_true(found);
	return value;
}

static void reads_capabilities(void **state)
{
	struct sys_caps caps;

	(void)state;
	assert_int_equal(sys_capget(&caps), 0);
	assert_int_equal(caps.effective, status_mask("CapEff"));
	assert_int_equal(caps.permitted, status_mask("CapPrm"));
	assert_int_equal(caps.inheritable, status_mask("CapInh"));
}

/* Both halves of the 64 bits arrive: each single capability that this process has can be kept
 * alone. In a child, for there is no way back. */
static void sets_capabilities(void **state)
{
	struct sys_caps have;

	(void)state;
	assert_int_equal(sys_capget(&have), 0);
	for (int bit = 0; bit <= CAP_LAST_CAP; bit++) {
		struct sys_clone_args args = {.exit_signal = SIGCHLD};
		struct sys_caps want = {.effective = 1ULL << bit, .permitted = 1ULL << bit};
		struct sys_caps now = {0};
		bool has = (have.permitted >> bit & 1) != 0;
		siginfo_t info;
		pid_t pid = sys_clone3(&args);

		if (pid == 0) {
			int r = sys_capset(&want);

			if (!has)
				_exit(r == 0 ? 1 : 0);
			_exit(r == 0 && sys_capget(&now) == 0 &&
					      memcmp(&now, &want, sizeof(now)) == 0
				      ? 0
				      : 2);
		}
		assert_true(pid > 0);
		assert_int_equal(sys_waitid(P_PID, (id_t)pid, &info, WEXITED, NULL), 0);
		assert_int_equal(info.si_code, CLD_EXITED);
		assert_int_equal(info.si_status, 0);
	}
}

/* Of /proc, which is mounted wherever the tests run. */
static void asks_for_a_mount(void **state)
{
	struct sys_mount mount = {.type = "none"};
	int r = sys_mount_at("/proc", &mount);

	(void)state;
	assert_int_equal(sys_mount_at("/none", &mount), -ENOENT);
	if (r == -ENOSYS || r == -EPERM) /* before Linux 6.8, or a filter around the tests */
		skip();
	assert_int_equal(r, 0);
	assert_string_equal(mount.type, "proc");
	assert_string_equal(mount.root, "/");
	/* A directory that is no mount, and a link to one that is. */
	assert_int_equal(sys_mount_at("/proc/self/fdinfo", &mount), -EINVAL);
	assert_int_equal(sys_mount_at("/proc/self/root", &mount), -EINVAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(returns_negative_errno), cmocka_unit_test(clones_and_waits),
		cmocka_unit_test(reads_capabilities),     cmocka_unit_test(sets_capabilities),
		cmocka_unit_test(asks_for_a_mount),
	};

	return cmocka_run_group_tests_name("base/sys", tests, NULL, NULL);
}
