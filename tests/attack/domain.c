/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For the tests of listed denials: a workload that takes a Landlock domain on by itself. What that
 * denies is its own doing and none of cordon's.
 *
 *	domain FILE	gives up all writing, then tries to write FILE; prints the outcome
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct landlock_ruleset_attr rules = {.handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE};
	int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);

	if (argc != 2 || fd < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    syscall(SYS_landlock_restrict_self, fd, 0) != 0) {
		printf("no domain: %s\n", strerrorname_np(errno));
		return 1;
	}
	fd = open(argv[1], O_WRONLY);
	printf("%s\n", fd < 0 ? strerrorname_np(errno) : "ok");
	return fd < 0 ? 42 : 0;
}
