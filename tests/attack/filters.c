/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The seccomp programs that a process runs under, as the kernel has them.
 *
 *	filters wait		the process to look at: says "ready" and waits for its end
 *	filters read PID FILE	its programs to FILE.0 (the newest), FILE.1, ...: struct
 *sock_filter, as they were loaded; prints how many instructions each has
 *
 * Reading needs CAP_SYS_ADMIN in the first user namespace and no filter of one's own
 * (PTRACE_SECCOMP_GET_FILTER in ptrace(2)). Exits 0, or 42 with what failed.
 */
#include <errno.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_STOPPED = 42 };

static int failed(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	return EXIT_STOPPED;
}

static bool save(const char *file, long index, const struct sock_filter *program, size_t n)
{
	char path[4096];
	FILE *out;
	bool is_good;

	snprintf(path, sizeof(path), "%s.%ld", file, index);
	out = fopen(path, "we");
	if (out == NULL)
		return false;
	is_good = fwrite(program, sizeof(*program), n, out) == n;
	return fclose(out) == 0 && is_good;
}

/* One program of the stopped process. Returns its length, 0 where there is none of that index, or
 * -1. */
static long read_one(pid_t pid, long index, const char *file)
{
	static struct sock_filter program[BPF_MAXINSNS];
	long n = ptrace(PTRACE_SECCOMP_GET_FILTER, pid, (void *)index, NULL);

	if (n < 0)
		return errno == ENOENT ? 0 : -1;
	if (n > BPF_MAXINSNS ||
	    ptrace(PTRACE_SECCOMP_GET_FILTER, pid, (void *)index, program) != n ||
	    !save(file, index, program, (size_t)n))
		return -1;
	return n;
}

static int read_all(pid_t pid, const char *file)
{
	long index = 0, n;
	int status;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0 ||
	    ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) != 0 || waitpid(pid, &status, __WALL) != pid)
		return failed("cannot stop it");
	while ((n = read_one(pid, index, file)) > 0) {
		printf("%ld\n", n);
		index++;
	}
	if (n < 0)
		return failed("cannot read a program");
	if (index == 0) {
		puts("it has none");
		return EXIT_STOPPED;
	}
	if (ptrace(PTRACE_DETACH, pid, NULL, NULL) != 0)
		return failed("cannot let it go");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "wait") == 0) {
		puts("ready");
		fflush(stdout);
		pause();
		return 0;
	}
	if (argc == 4 && strcmp(argv[1], "read") == 0)
		return read_all((pid_t)strtol(argv[2], NULL, 10), argv[3]);
	return 100;
}
