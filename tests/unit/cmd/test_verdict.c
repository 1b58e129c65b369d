/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd/verdict.c and the subcommands that use it: they do with a small stack. */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd/verdict.h"
#include "tests/lib/scratch.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* As after `ulimit -s 64`. The sanitizers' frames are many times as large. */
#ifdef __SANITIZE_ADDRESS__
enum { STACK_BYTES = 8 << 20 };
#elif defined(__aarch64__)
enum { STACK_BYTES = 128 << 10 }; /* glibc makes no thread with less (PTHREAD_STACK_MIN) */
#else
enum { STACK_BYTES = 64 << 10 };
#endif

static const char *root_dir;

struct job {
	int (*main)(const struct cmd_context *context, int argc, char **argv);
	const char *argv[6];
};

static void *run_job(void *arg)
{
	static const char *const environment[] = {NULL};
	const struct job *job = arg;
	struct cmd_context context = {.root_dir = root_dir, .environment = environment};
	int argc = 0;

	while (job->argv[argc] != NULL)
		argc++;
	_exit(job->main(&context, argc, (char **)job->argv));
}

/* The exit code of a subcommand in a process and a thread of its own; a signal fails the test. */
static int exit_code_of(struct job *job)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		pthread_attr_t attr;
		pthread_t thread;

		for (int fd = 0; fd < 3; fd++)
			if (dup2(null, fd) != fd)
				_exit(1);
		pthread_attr_init(&attr);
		if (pthread_attr_setstacksize(&attr, STACK_BYTES) != 0 ||
		    pthread_create(&thread, &attr, run_job, job) != 0)
			_exit(1);
		pthread_join(thread, NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status))
		fail_msg("%s: signal %d", job->argv[0], WTERMSIG(status));
	return WEXITSTATUS(status);
}

static void small_stack(void **state)
{
	char root[PATH_MAX], good[PATH_MAX], bad[PATH_MAX];
	struct job rows[] = {
		{cmd_explain, {"explain", "--profile", bad, NULL}},
		{cmd_explain, {"explain", "--profile", "nobody-has-this-name", NULL}},
		{cmd_run, {"run", "--profile", bad, "--", "true", NULL}},
		{cmd_run, {"run", "--profile", "nobody-has-this-name", "--", "true", NULL}},
		{cmd_profile, {"profile", "check", bad, NULL}},
	};
	struct job check = {cmd_profile, {"profile", "check", good, NULL}};
	struct job explain = {cmd_explain, {"explain", "--profile", good, NULL}};
	struct scratch scratch;
	int code;

	(void)state;
	scratch_make(&scratch);
	scratch_dir(&scratch, "root", 0700);
	root_dir = scratch_path(&scratch, "root", root);
	scratch_path(&scratch, "good.yaml", good);
	scratch_path(&scratch, "bad.yaml", bad);
	scratch_file(&scratch, "good.yaml", 0600, "cordon: 1\nextends: default\n");
	scratch_file(&scratch, "bad.yaml", 0600, "cordon: 1\nextends: default\nx: 1\n");
	for (size_t i = 0; i < N(rows); i++)
		assert_int_equal(exit_code_of(&rows[i]), EXIT_CORDON);
	assert_int_equal(exit_code_of(&check), 0);
	/* Whether this host can do it all is another's test. */
	code = exit_code_of(&explain);
	assert_true(code == 0 || code == EXIT_CORDON);
	scratch_remove(&scratch);
}

static void frees_half_built_ones(void **state)
{
	struct verdict *verdict = verdict_new();

	(void)state;
	verdict_free(NULL);
	assert_non_null(verdict);
	assert_int_equal(verdict->problems.n, 0);
	verdict_free(verdict);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_stack),
		cmocka_unit_test(frees_half_built_ones),
	};

	return cmocka_run_group_tests_name("cmd/verdict", tests, NULL, NULL);
}
