/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* launcher/facts.c: what is read of this host agrees with what it says by other ways. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/facts.h"

static const bool none_closed[3];

static void agrees_with_the_host(void **state)
{
	static struct host_facts facts;
	struct utsname name;
	struct rlimit limit;
	char release[64];
	struct err err;

	(void)state;
	assert_int_equal(facts_probe(none_closed, &facts, &err), 0);
	assert_int_equal(uname(&name), 0);
	snprintf(release, sizeof(release), "%u.%u", facts.kernel_major, facts.kernel_minor);
	assert_memory_equal(name.release, release, strlen(release));
	assert_int_equal(facts.euid, geteuid());
	assert_int_equal(facts.egid, getegid());
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_true(facts.rlimit_hard[RLIMIT_NOFILE] ==
		    (limit.rlim_max == RLIM_INFINITY ? SPEC_UNLIMITED : limit.rlim_max));
	for (size_t i = 0; i < FACTS_NAMESPACES; i++) {
		char path[64], link[64];

		snprintf(path, sizeof(path), "/proc/self/ns/%s", facts_namespace_names[i]);
		assert_int_equal(facts.namespaces[i], readlink(path, link, sizeof(link)) > 0);
	}
	assert_true(facts.n_groups <= FACTS_GROUPS_MAX);
}

/* Each entry of the allow list is described as the host has it. */
static void describes_the_layout(void **state)
{
	static struct host_facts facts;
	struct err err;
	size_t n = 0;

	(void)state;
	assert_int_equal(facts_probe(none_closed, &facts, &err), 0);
	for (; tree_host_paths[n] != NULL; n++) {
		const struct host_entry *e = &facts.layout.entries[n];
		struct stat st;
		bool there = lstat(tree_host_paths[n], &st) == 0;
		char *real;

		assert_string_equal(e->path, tree_host_paths[n]);
		real = realpath(e->path, NULL);
		if (!there || real == NULL)
			assert_int_equal(e->kind, HOST_ABSENT);
		else if (S_ISLNK(st.st_mode))
			assert_int_equal(e->kind, HOST_SYMLINK);
		else
			assert_int_equal(e->kind, S_ISDIR(st.st_mode) ? HOST_DIRECTORY : HOST_FILE);
		if (e->kind == HOST_SYMLINK)
			assert_int_equal(strlen(e->link), st.st_size);
		free(real);
	}
	assert_int_equal(facts.layout.n_entries, n);
	assert_true(n <= HOST_ENTRIES_MAX);
}

/* Runs in a child, whose descriptors it may change; returns what the child found. */
static int in_child(int (*body)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(body());
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Every combination of closed descriptors: each closed one is said and filled, by what cannot be
 * read, written or passed on; the open ones stay. */
static int guard_each_combination(void)
{
	int null = fcntl(open("/dev/null", O_RDWR | O_CLOEXEC), F_DUPFD_CLOEXEC, 3);

	for (unsigned closed = 0; closed < 8; closed++) {
		bool said[3];
		char byte;

		for (int fd = 0; fd < 3; fd++)
			if (dup2(null, fd) != fd)
				return 1;
		for (int fd = 0; fd < 3; fd++)
			if (closed >> fd & 1)
				close(fd);
		if (facts_guard_stdio(said) != 0)
			return 2;
		for (int fd = 0; fd < 3; fd++) {
			bool was_closed = (closed >> fd & 1) != 0;
			int flags = fcntl(fd, F_GETFD);

			if (said[fd] != was_closed || flags < 0)
				return 3;
			if (was_closed != ((flags & FD_CLOEXEC) != 0))
				return 4;
			if (was_closed && (read(fd, &byte, 1) != -1 || errno != EBADF))
				return 5;
			if (was_closed && (write(fd, "x", 1) != -1 || errno != EBADF))
				return 6;
		}
	}
	return 0;
}

static void guards_closed_descriptors(void **state)
{
	(void)state;
	assert_int_equal(in_child(guard_each_combination), 0);
}

static int probe_each_kind(void)
{
	static struct host_facts facts;
	static const bool two_is_closed[3] = {false, false, true};
	struct err err;
	int dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int path = open("/dev/null", O_PATH | O_CLOEXEC);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (dup2(dir, 0) != 0 || dup2(path, 1) != 1 || dup2(null, 2) != 2)
		return 1;
	if (facts_probe(none_closed, &facts, &err) != 0)
		return 2;
	if (facts.stdio[0] != FD_DIRECTORY || facts.stdio[1] != FD_PATH_ONLY ||
	    facts.stdio[2] != FD_USABLE)
		return 3;
	if (facts_probe(two_is_closed, &facts, &err) != 0 || facts.stdio[2] != FD_CLOSED)
		return 4;
	close(0);
	return facts_probe(none_closed, &facts, &err) == 0 && facts.stdio[0] == FD_CLOSED ? 0 : 5;
}

static void tells_descriptors_apart(void **state)
{
	(void)state;
	assert_int_equal(in_child(probe_each_kind), 0);
}

static void tests_single_capabilities(void **state)
{
	struct host_facts facts = {0};

	(void)state;
	for (int i = 0; i < 64; i++) {
		facts.caps_effective = 1ULL << i;
		for (int j = 0; j < 64; j++)
			assert_int_equal(facts_has_cap(&facts, j), i == j);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_host),
		cmocka_unit_test(describes_the_layout),
		cmocka_unit_test(guards_closed_descriptors),
		cmocka_unit_test(tells_descriptors_apart),
		cmocka_unit_test(tests_single_capabilities),
	};

	return cmocka_run_group_tests_name("launcher/facts", tests, NULL, NULL);
}
