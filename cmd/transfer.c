/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See transfer.h. */
#include "cmd/transfer.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/program.h"
#include "base/str.h"
#include "base/sys.h"
#include "cmd/cmd.h"

enum { WORDS_MAX = 24, WORD_SIZE = 320, FDS_MAX = CGROUP_HIERARCHIES_MAX + 4 };

static const char program_name[] = "cordon-image";

struct words_of {
	char text[WORDS_MAX][WORD_SIZE];
	char *argv[WORDS_MAX + 1];
	size_t n;
	int fds[FDS_MAX];
	size_t n_fds;
};

static void put(struct words_of *w, const char *key, const char *value)
{
	str_format(w->text[w->n], WORD_SIZE, "%s%s", key, value);
	w->argv[w->n] = w->text[w->n];
	w->n++;
}

static void put_truth(struct words_of *w, const char *key, bool truth)
{
	if (truth)
		put(w, key, "");
}

static void put_fd(struct words_of *w, const char *key, int fd)
{
	char number[16];

	str_format(number, sizeof(number), "%d", fd);
	put(w, key, number);
	if (fd > STDERR_FILENO)
		w->fds[w->n_fds++] = fd;
}

/* What is written counts to the sandbox's limits, what is read does not. */
static void put_groups(struct words_of *w, const struct transfer *t)
{
	char list[WORD_SIZE];
	size_t len = 0;

	if (!t->to_inside || t->target->groups.n == 0)
		return;
	for (size_t i = 0; i < t->target->groups.n; i++) {
		int fd = t->target->groups.places[i].tasks_fd;

		len += str_format(list + len, sizeof(list) - len, "%s%d", i > 0 ? "," : "", fd);
		w->fds[w->n_fds++] = fd;
	}
	put(w, "groups=", list);
}

static void put_all(struct words_of *w, const struct transfer *t)
{
	put(w, program_name, "");
	put(w, "-", "");
	put(w, "transfer", "");
	put_truth(w, "--quiet", t->is_quiet);
	put(w, "--", "");
	put_fd(w, "from=", t->from);
	put_fd(w, "to=", t->to);
	put_truth(w, "archive", t->is_archive);
	put_truth(w, "output", t->is_output);
	put_truth(w, "root", t->only_root);
	put_truth(w, "from-inside", t->from_inside);
	put_truth(w, "to-inside", t->to_inside);
	put_truth(w, "owners", t->keeps_owners);
	put_truth(w, "block", t->target->id_block != 0);
	put_fd(w, "userns=", t->target->namespace_fds[0]);
	put_groups(w, t);
	put(w, "as=", t->as);
	put(w, "shown=", t->shown);
}

int transfer_run(const struct transfer *transfer, struct err *err)
{
	struct words_of w = {.n = 0};
	char *none[] = {NULL};
	_cleanup_fd_ int program = program_open(program_name);
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
	put_all(&w, transfer);
	pid = fork();
	if (pid < 0)
		return err_set(err, ERR_SETUP, errno, "fork");
	if (pid == 0) {
		ignore_result(program_exec_with(program, w.argv, none, w.fds, w.n_fds),
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
