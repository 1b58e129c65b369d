/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a program without libc that stands outside of the sandbox (monitor/monitor.c,
 * notifier/notifier.c, auditor/auditor.c) gives up everything before it reads its first byte.
 * Whatever fails ends it, and with it the launch.
 */
#ifndef CORDON_LAUNCHER_BARE_CONFINE_H
#define CORDON_LAUNCHER_BARE_CONFINE_H

#include <errno.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/resource.h>

#include "launcher/bare.h"

struct bare_ruleset { /* struct landlock_ruleset_attr of kernel 6.12 */
	uint64_t files;
	uint64_t network;
	uint64_t scope;
};

/* What each version of Landlock can forbid: landlock(7). */
static inline struct bare_ruleset bare_ruleset_of(long version)
{
	struct bare_ruleset rules = {.files = (1U << 13) - 1};

	if (version >= 2)
		rules.files = (1U << 14) - 1; /* REFER */
	if (version >= 3)
		rules.files = (1U << 15) - 1; /* TRUNCATE */
	if (version >= 4)
		rules.network = 3; /* BIND_TCP, CONNECT_TCP */
	if (version >= 5)
		rules.files = (1U << 16) - 1; /* IOCTL_DEV, of devices opened from now on */
	if (version >= 6)
		rules.scope = 3; /* abstract sockets, signals */
	return rules;
}

struct bare_port_rule { /* struct landlock_net_port_attr of kernel 6.7 */
	uint64_t access;
	uint64_t port;
};

struct bare_ports {
	const uint16_t *list;
	unsigned n;
};

static inline void bare_allow_ports(long ruleset, const struct bare_ports *ports)
{
	enum { RULE_NET_PORT = 2, CONNECT_TCP = 2 };

	for (unsigned i = 0; i < ports->n; i++) {
		const struct bare_port_rule rule = {.access = CONNECT_TCP, .port = ports->list[i]};

		if (bare_call(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, (long)&rule, 0, 0) !=
		    0)
			bare_exit(125);
	}
}

/* A domain in which nothing is allowed but to connect to these ports of TCP. A kernel without
 * Landlock says so by its version. */
static inline void bare_forbid_files(const struct bare_ports *ports)
{
	long version =
		bare_call(SYS_landlock_create_ruleset, 0, 0, LANDLOCK_CREATE_RULESET_VERSION, 0, 0);
	struct bare_ruleset rules;
	long fd;

	if (version == -ENOSYS || version == -EOPNOTSUPP)
		return;
	if (version < 1)
		bare_exit(125);
	rules = bare_ruleset_of(version);
	fd = bare_call(SYS_landlock_create_ruleset, (long)&rules, sizeof(rules), 0, 0, 0);
	if (fd >= 0 && rules.network != 0)
		bare_allow_ports(fd, ports);
	if (fd < 0 || bare_call(SYS_landlock_restrict_self, fd, 0, 0, 0, 0) != 0)
		bare_exit(125);
	bare_call(SYS_close, fd, 0, 0, 0, 0);
}

static inline void bare_no_more_of(int resource, uint64_t than)
{
	const uint64_t limit[2] = {than, than};

	if (bare_call(SYS_prlimit64, 0, resource, (long)limit, 0, 0) != 0)
		bare_exit(125);
}

/* Behind whoever keeps it busy. */
static inline void bare_lower_priority(void)
{
	enum { NICE = 10, NICE_ZERO = 20 }; /* getpriority(2), the system call: 20 - nice */
	long now = bare_call(SYS_getpriority, PRIO_PROCESS, 0, 0, 0, 0);

	if (now > NICE_ZERO - NICE && bare_call(SYS_setpriority, PRIO_PROCESS, 0, NICE, 0, 0) != 0)
		bare_exit(125);
}

/* Leaves n_fds descriptors, which are 0 to n_fds - 1, and the calls of the filter. How far a file
 * that is among them may grow is the program's own to say (RLIMIT_FSIZE). */
static inline void bare_confine(const char *name, uint64_t n_fds, const struct sock_fprog *filter)
{
	const struct bare_ports none = {.n = 0};

	if (bare_call(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    bare_call(SYS_prctl, PR_SET_NAME, (long)name, 0, 0, 0) != 0 ||
	    bare_call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		bare_exit(125);
	bare_forbid_files(&none);
	bare_no_more_of(RLIMIT_NPROC, 0);
	bare_no_more_of(RLIMIT_NOFILE, n_fds); /* ppoll refuses to look at more */
	if (bare_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long)filter, 0, 0) != 0)
		bare_exit(125);
}

#endif
