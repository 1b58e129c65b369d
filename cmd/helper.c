/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See helper.h. */
#include "cmd/helper.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/program.h"
#include "base/str.h"
#include "base/sys.h"
#include "cmd/cmd.h"

static const char program_name[] = "cordon-image";

void helper_init(struct helper *h, const char *store, const char *verb)
{
	*h = (struct helper){.n = 0};
	helper_put(h, program_name, "");
	str_format(h->store, sizeof(h->store), "%s", store);
	h->argv[h->n++] = h->store;
	helper_put(h, verb, "");
}

void helper_put(struct helper *h, const char *key, const char *value)
{
	if (h->n == HELPER_WORDS_MAX || str_format(h->text[h->n], HELPER_WORD_SIZE, "%s%s", key,
						   value) >= HELPER_WORD_SIZE - 1) {
		h->is_short = true;
		return;
	}
	h->argv[h->n] = h->text[h->n];
	h->n++;
}

void helper_put_truth(struct helper *h, const char *key, bool truth)
{
	if (truth)
		helper_put(h, key, "");
}

void helper_put_fd(struct helper *h, const char *key, int fd)
{
	char number[16];

	str_format(number, sizeof(number), "%d", fd);
	helper_put(h, key, number);
	if (fd > STDERR_FILENO)
		h->fds[h->n_fds++] = fd;
}

int helper_run(struct helper *h, struct err *err)
{
	char *const none[] = {NULL};
	char *const *environment = none;
	_cleanup_fd_ int program = program_open(program_name);
	const pid_t parent = getpid();
	siginfo_t info;
	pid_t pid;
	int r;

	if (program < 0) {
		err_set(err, ERR_SETUP, -program, "%s", program_name);
		return err_hint(err,
				"It is built with libarchive-dev, libssl-dev and libjson-c-dev, "
				"and lies beside cordon or in libexec/cordon, writable for "
				"nobody else.");
	}
	if (h->is_short)
		return err_set(err, ERR_USAGE, E2BIG, "%s: a word of the command line",
			       program_name);
#ifdef CORDON_FAULTS
	environment = environ;
#endif
	pid = fork();
	if (pid < 0)
		return err_set(err, ERR_SETUP, errno, "fork");
	if (pid == 0) {
		/* Else it would go on with what nobody waits for, in a sandbox that is undone. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
			_exit(127);
		ignore_result(program_exec_with(program, h->argv, environment, h->fds, h->n_fds),
			      "the exit code says it");
		_exit(127);
	}
	r = sys_waitid(P_PID, (id_t)pid, &info, WEXITED, NULL);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "wait for %s", program_name);
	if (info.si_code != CLD_EXITED)
		return err_set(err, ERR_SETUP, 0, "%s was ended by signal %d", program_name,
			       info.si_status);
	if (info.si_status != 0 && info.si_status != EXIT_CORDON)
		return err_set(err, ERR_SETUP, 0, "%s could not be executed", program_name);
	return info.si_status;
}
