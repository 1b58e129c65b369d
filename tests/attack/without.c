/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * without CALL=ERRNO[,CALL=ERRNO...] COMMAND...: runs a command in a place where these system calls
 * are refused, as a container's filter or an older kernel does. CALL may be "userns": clone and
 * unshare with CLONE_NEWUSER are refused, clone3 is ENOSYS.
 */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "without: %s\n", what);
	exit(2);
}

static int errno_of(const char *name)
{
	for (int i = 1; i < 134; i++) {
		const char *known = strerrorname_np(i);

		if (known != NULL && strcmp(known, name) == 0)
			return i;
	}
	die(name);
	return 0;
}

static void refuse_userns(scmp_filter_ctx filter, int result)
{
	const struct scmp_arg_cmp asks = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER);

	if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) < 0 ||
	    seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned)result), SCMP_SYS(clone), 1, asks) <
		    0 ||
	    seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned)result), SCMP_SYS(unshare), 1, asks) <
		    0)
		die("userns");
}

static void refuse(scmp_filter_ctx filter, char *entry)
{
	char *equals = strchr(entry, '=');
	int result, number;

	if (equals == NULL)
		die(entry);
	*equals = '\0';
	result = errno_of(equals + 1);
	if (strcmp(entry, "userns") == 0) {
		refuse_userns(filter, result);
		return;
	}
	number = seccomp_syscall_resolve_name(entry);
	if (number < 0 || seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned)result), number, 0) < 0)
		die(entry);
}

int main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	char *rest = NULL;

	if (argc < 3 || filter == NULL)
		die("CALL=ERRNO[,...] COMMAND...");
	for (char *entry = strtok_r(argv[1], ",", &rest); entry != NULL;
	     entry = strtok_r(NULL, ",", &rest))
		refuse(filter, entry);
	if (seccomp_load(filter) < 0)
		die("load the filter");
	seccomp_release(filter);
	execvp(argv[2], argv + 2);
	die(argv[2]);
}
