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
 * With the argument x86 the rows are about x86's calls, which are made by int 0x80.
 *
 * Prints the rows that differ and a sum; exits 0 or 42.
 */
#include <errno.h>
#include <linux/audit.h>
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
	bool is_x86;
	long number;
	unsigned long args[ARGS_MAX];
	const char *answer;
};

#ifdef __x86_64__
#define NATIVE_ARCH AUDIT_ARCH_X86_64

static long call_x86(const struct row *row)
{
	const unsigned long *a = row->args;
	long result;

	/* The sixth argument is in ebp, which the compiler may need itself. */
	__asm__ volatile("push %%rbp\n\tmov %[last], %%ebp\n\tint $0x80\n\tpop %%rbp"
			 : "=a"(result)
			 : "a"(row->number), "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]),
			   "D"(a[4]), [last] "r"((unsigned)a[5])
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}
#else
#define NATIVE_ARCH AUDIT_ARCH_AARCH64

static long call_x86(const struct row *row)
{
	(void)row;
	return -ENOSYS;
}
#endif

static bool put_on_top(const struct row *row)
{
	unsigned arch = row->is_x86 ? AUDIT_ARCH_I386 : NATIVE_ARCH;
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, arch, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)row->number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 6, .filter = filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

/* In a child. Its exit code is the errno, 0 for a call that was answered with success. */
static void try(const struct row *row, bool is_on_top)
{
	const unsigned long *a = row->args;
	int code;

	if (is_on_top && !put_on_top(row))
		_exit(EXIT_NO_FILTER);
	if (row->is_x86) {
		long result = call_x86(row);

		_exit(result < 0 && result >= -4095 ? (int)-result : 0);
	}
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

/* libseccomp has a number of its own for what x86 also does in socketcall and ipc: so by number. */
static long number_of(const char *name, bool is_x86)
{
	if (!is_x86)
		return seccomp_syscall_resolve_name(name);
	for (int number = 0; number < 512; number++) {
		char *other = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86, number);
		bool is_same = other != NULL && strcmp(other, name) == 0;

		free(other);
		if (is_same)
			return number;
	}
	return -1;
}

/* -1: no row, or a call that this program has no number of. */
static int check_line(char *line, bool is_x86)
{
	char *words[WORDS_MAX];
	char *state = NULL;
	struct row row = {.is_x86 = is_x86};
	size_t n = 0;

	line[strcspn(line, "#\n")] = '\0';
	for (char *word = strtok_r(line, " \t", &state); word != NULL && n < WORDS_MAX;
	     word = strtok_r(NULL, " \t", &state))
		words[n++] = word;
	if (n < 3 || n > ARGS_MAX + 3)
		return -1;
	row.number = words[0][0] >= '0' && words[0][0] <= '9' ? strtol(words[0], NULL, 0)
							      : number_of(words[0], is_x86);
	if (row.number < 0)
		return -1;
	for (size_t i = 1; i < n - 2; i++)
		row.args[i - 1] = strtoul(words[i], NULL, 0);
	row.answer = words[n - 1];
	return check(&row, words[0]);
}

int main(int argc, char **argv)
{
	bool is_x86 = argc > 1 && strcmp(argv[1], "x86") == 0;
	static char lines[1024][160];
	size_t n_same = 0, n_other = 0, n = 0;

	/* All of it first: a child that ends by exit would give back what stdio has read ahead. */
	while (n < 1024 && fgets(lines[n], sizeof(lines[n]), stdin) != NULL)
		n++;
	for (size_t i = 0; i < n; i++) {
		int r = check_line(lines[i], is_x86);

		n_same += r == 1;
		n_other += r == 0;
	}
	printf("%zu the same, %zu others\n", n_same, n_other);
	return n_other == 0 && n_same > 0 ? 0 : EXIT_STOPPED;
}
