/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Puts a verdict table (profiles/expect/NAME.tests, on stdin) to the filter that this process runs
 * under, by making each call.
 *
 * Nothing of it happens: a child of ours puts a filter of its own on top that hands this one call
 * to a tracer. Of several filters' answers the kernel takes the strictest, and errno, trap and kill
 * are stricter than that; there is no tracer, and then it is ENOSYS. So ENOSYS means "permitted"
 * here, and a row that wants ENOSYS is tried once more without the filter on top.
 *
 * Prints the rows that differ and a sum; exits 0 or 42.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_STOPPED = 42, ARGS_MAX = 6, EXIT_NO_FILTER = 200, WORDS_MAX = 9 };

struct row {
	long number;
	unsigned long args[ARGS_MAX];
	const char *answer;
};

static bool put_on_top(long number)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 4, .filter = filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

/* In a child. Its exit code is the errno, 0 for a call that was answered with success. */
static void try(const struct row *row, bool is_on_top)
{
	const unsigned long *a = row->args;
	int code;

	if (is_on_top && !put_on_top(row->number))
		_exit(EXIT_NO_FILTER);
	code = syscall(row->number, a[0], a[1], a[2], a[3], a[4], a[5]) == -1 ? errno : 0;
	if (row->number == SYS_exit_group)
		syscall(SYS_exit, code);
	_exit(code);
}

static const char *answer_of(const struct row *row, bool is_on_top, char *buf, size_t size)
{
	const char *name;
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		try(row, is_on_top);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return "nothing: no child";
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? "kill" : "nothing: another signal";
	if (WEXITSTATUS(status) == EXIT_NO_FILTER)
		return "nothing: no filter on top";
	if (is_on_top && WEXITSTATUS(status) == ENOSYS)
		return "allow";
	name = WEXITSTATUS(status) == 0 ? "0" : strerrorname_np(WEXITSTATUS(status));
	snprintf(buf, size, "errno(%s)", name != NULL ? name : "?");
	return buf;
}

/* Returns 1 where the kernel says the same, 0 where it does not. */
static int check(const struct row *row, const char *call)
{
	bool is_on_top = strcmp(row->answer, "errno(ENOSYS)") != 0;
	char buf[64];
	const char *got = answer_of(row, is_on_top, buf, sizeof(buf));

	if (strcmp(got, row->answer) == 0)
		return 1;
	printf("%s %#lx %#lx %#lx: %s instead of %s\n", call, row->args[0], row->args[1],
	       row->args[2], got, row->answer);
	fflush(stdout);
	return 0;
}

/* -1: no row, or a call that this program has no number of. */
static int check_line(char *line)
{
	char *words[WORDS_MAX];
	char *state = NULL;
	struct row row = {0};
	size_t n = 0;

	line[strcspn(line, "#\n")] = '\0';
	for (char *word = strtok_r(line, " \t", &state); word != NULL && n < WORDS_MAX;
	     word = strtok_r(NULL, " \t", &state))
		words[n++] = word;
	if (n < 3 || n > ARGS_MAX + 3)
		return -1;
	row.number = words[0][0] >= '0' && words[0][0] <= '9'
			     ? strtol(words[0], NULL, 0)
			     : seccomp_syscall_resolve_name(words[0]);
	if (row.number < 0)
		return -1;
	for (size_t i = 1; i < n - 2; i++)
		row.args[i - 1] = strtoul(words[i], NULL, 0);
	row.answer = words[n - 1];
	return check(&row, words[0]);
}

int main(void)
{
	static char lines[1024][160];
	size_t n_same = 0, n_other = 0, n = 0;

	/* All of it first: a child that ends by exit would give back what stdio has read ahead. */
	while (n < 1024 && fgets(lines[n], sizeof(lines[n]), stdin) != NULL)
		n++;
	for (size_t i = 0; i < n; i++) {
		int r = check_line(lines[i]);

		n_same += r == 1;
		n_other += r == 0;
	}
	printf("%zu the same, %zu others\n", n_same, n_other);
	return n_other == 0 && n_same > 0 ? 0 : EXIT_STOPPED;
}
