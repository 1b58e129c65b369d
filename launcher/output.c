/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pipes in the place of stdout and stderr; see output.h. Runs in the keeper, the last two rows
 * in the workload's process, where nothing allocates. */
#include "launcher/output.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/launch.h"
#include "launcher/preflight.h"
#include "launcher/stdio.h"

enum { FIRST_FD = STDOUT_FILENO };

/* ---- pure ---- */

bool output_is_asked_for(const struct decision *d)
{
	return d->spec.limits.total[LIMIT_OUTPUT].demand != DEMAND_NONE ||
	       d->spec.limits.total[LIMIT_IDLE_TIME].demand != DEMAND_NONE;
}

bool output_is_counted(const struct decision *d)
{
	return (d->limits.enforced & (1U << LIMIT_OUTPUT | 1U << LIMIT_IDLE_TIME)) != 0;
}

uint64_t output_limit(const struct decision *d)
{
	return (d->limits.enforced & 1U << LIMIT_OUTPUT) != 0
		       ? d->spec.limits.total[LIMIT_OUTPUT].value
		       : SPEC_UNLIMITED;
}

/* A terminal's output is counted by the terminal's relay; what cannot be written has none. */
static bool takes_output(const struct host_facts *facts, int fd)
{
	return facts->stdio[fd] == FD_USABLE && facts->stdio_is_output[fd] &&
	       !facts->stdio_is_terminal[fd];
}

int output_pipe_of(const struct decision *d, int fd)
{
	const struct host_facts *facts = &d->facts;

	/* Kept apart, wherever the keeper's lead. */
	if (d->keeps_output)
		return !d->keeps_terminal && fd >= FIRST_FD && fd < FIRST_FD + OUTPUT_PIPES_MAX
			       ? fd - FIRST_FD
			       : -1;
	if (!output_is_counted(d) || fd < FIRST_FD || fd >= FIRST_FD + OUTPUT_PIPES_MAX ||
	    !takes_output(facts, fd))
		return -1;
	return fd == STDERR_FILENO && takes_output(facts, STDOUT_FILENO) && facts->stdout_is_stderr
		       ? 0
		       : fd - FIRST_FD;
}

int output_target(size_t pipe)
{
	return FIRST_FD + (int)pipe;
}

bool output_has_pipes(const struct decision *d)
{
	return output_n_pipes(d) > 0;
}

size_t output_n_pipes(const struct decision *d)
{
	size_t n = 0;

	for (size_t i = 0; i < OUTPUT_PIPES_MAX; i++)
		n += output_pipe_of(d, output_target(i)) == (int)i;
	return n;
}

void preflight_output(const struct decision *d, struct misses *misses)
{
	const struct spec_total *total = &d->spec.limits.total[LIMIT_OUTPUT];
	int fd = d->facts.other_way_out;
	struct miss *m;

	if ((d->limits.enforced & 1U << LIMIT_OUTPUT) == 0 || fd < 0)
		return;
	m = preflight_miss(misses, "limits.output", total->origin);
	str_format(m->text, sizeof(m->text),
		   "limits.output: descriptor %d leads to where stdout or stderr does, and can be "
		   "written to past the count",
		   fd);
	if (fd == STDIN_FILENO)
		str_format(m->hint, sizeof(m->hint),
			   "Give it another stdin: cordon run ... </dev/null, or cat | cordon "
			   "run ...");
	else
		str_format(m->hint, sizeof(m->hint), "Leave out --fd %d.", fd);
}

/* ---- reading ---- */

static bool can_write(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_PATH) == 0 && (flags & O_ACCMODE) != O_RDONLY;
}

/* Whether what is written to both comes out in the order of writing: one open file description; the
 * same pipe; or a file that both append to. */
static bool keeps_order(int a, int b)
{
	long order = syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, a, b);
	int flags = fcntl(a, F_GETFL);
	struct stat x, y;

	if (order == 0)
		return true;
	if (fstat(a, &x) != 0 || fstat(b, &y) != 0 || x.st_dev != y.st_dev || x.st_ino != y.st_ino)
		return false;
	if (S_ISFIFO(x.st_mode))
		return true;
	if (S_ISREG(x.st_mode) && (flags & O_APPEND) && (fcntl(b, F_GETFL) & O_APPEND))
		return true;
	/* A kernel, or a filter around us, without kcmp(2): what is alike in all that can be seen
	 * is one. */
	return order < 0 && flags == fcntl(b, F_GETFL) &&
	       (!S_ISREG(x.st_mode) || lseek(a, 0, SEEK_CUR) == lseek(b, 0, SEEK_CUR));
}

/* Devices are left out: everybody's stdin may be /dev/null. */
static bool is_same_place(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino && !S_ISCHR(x.st_mode);
}

static bool leads_out(const struct host_facts *facts, int fd)
{
	for (int out = FIRST_FD; out < FIRST_FD + OUTPUT_PIPES_MAX; out++)
		if (takes_output(facts, out) && is_same_place(fd, out))
			return true;
	return false;
}

void output_probe(struct host_facts *facts)
{
	for (int fd = FIRST_FD; fd < FIRST_FD + OUTPUT_PIPES_MAX; fd++)
		facts->stdio_is_output[fd] = facts->stdio[fd] == FD_USABLE && can_write(fd);
	facts->stdout_is_stderr = keeps_order(STDOUT_FILENO, STDERR_FILENO);
	facts->other_way_out = -1;
	for (size_t i = 0; i < facts_n_fds(facts); i++) {
		int fd = facts_fd(facts, i);

		if ((fd < FIRST_FD || fd >= FIRST_FD + OUTPUT_PIPES_MAX) &&
		    facts->stdio[i] == FD_USABLE && can_write(fd) && leads_out(facts, fd))
			facts->other_way_out = fd;
	}
}

/* ---- life ---- */

void output_init(struct output_pipes *pipes)
{
	for (size_t i = 0; i < OUTPUT_PIPES_MAX; i++)
		pipes->read_fd[i] = pipes->write_fd[i] = -EBADF;
	pipes->input_read_fd = pipes->input_write_fd = -EBADF;
}

void output_close_write_ends(struct output_pipes *pipes)
{
	for (size_t i = 0; i < OUTPUT_PIPES_MAX; i++)
		close_fd(&pipes->write_fd[i]);
	close_fd(&pipes->input_read_fd);
}

void output_release(struct output_pipes *pipes)
{
	output_close_write_ends(pipes);
	for (size_t i = 0; i < OUTPUT_PIPES_MAX; i++)
		close_fd(&pipes->read_fd[i]);
	close_fd(&pipes->input_write_fd);
}

void output_collect(const struct launch *launch, struct run_result *result)
{
	if (!output_is_counted(launch->decision))
		return;
	result->output_bytes = launch->terminal.output_bytes;
	/* Also where it had ended by itself before anybody saw that. */
	if (!launch->terminal.is_exceeded ||
	    (result->kind != RUN_EXITED && result->kind != RUN_SIGNALLED))
		return;
	result->kind = RUN_OUTPUT;
	result->limit = limits_key(LIMIT_OUTPUT);
	result->signal = SIGKILL;
	result->exit_code = RESULT_NONE;
}

/* ---- rows ---- */

/* The end that is read does not block; the workload's does, and is an open file description of its
 * own, so that what it sets there is nobody else's. */
static int make_pipe(struct launch *launch, size_t i, struct err *err)
{
	struct output_pipes *pipes = &launch->output;
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) != 0)
		return err_set(err, ERR_SETUP, errno, "pipe for descriptor %d", output_target(i));
	pipes->read_fd[i] = pair[0];
	pipes->write_fd[i] = pair[1];
	if (fcntl(pair[0], F_SETFL, O_RDONLY | O_NONBLOCK) != 0)
		return err_set(err, ERR_SETUP, errno, "pipe for descriptor %d", output_target(i));
	return stdio_can_lend(launch->decision) ? stdio_lend_pipe(launch, pair[1], err) : 0;
}

static int make_input_pipe(struct launch *launch, struct err *err)
{
	struct output_pipes *pipes = &launch->output;
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) != 0)
		return err_set(err, ERR_SETUP, errno, "pipe for stdin");
	pipes->input_read_fd = pair[0];
	pipes->input_write_fd = pair[1];
	if (fcntl(pair[1], F_SETFL, O_WRONLY | O_NONBLOCK) != 0)
		return err_set(err, ERR_SETUP, errno, "pipe for stdin");
	return stdio_can_lend(launch->decision) ? stdio_lend_pipe(launch, pair[0], err) : 0;
}

int output_make_pipes(struct launch *launch, struct err *err)
{
	int r = launch->decision->keeps_stdin ? make_input_pipe(launch, err) : 0;

	for (size_t i = 0; r == 0 && i < OUTPUT_PIPES_MAX; i++)
		if (output_pipe_of(launch->decision, output_target(i)) == (int)i)
			r = make_pipe(launch, i, err);
	return r;
}

int output_verify_pipes(struct launch *launch, struct err *err)
{
	for (int fd = FIRST_FD; fd < FIRST_FD + OUTPUT_PIPES_MAX; fd++) {
		int pipe = output_pipe_of(launch->decision, fd);

		if (pipe >= 0 && launch->output.write_fd[pipe] < 0)
			return err_set(err, ERR_SETUP, 0, "descriptor %d has no pipe", fd);
	}
	if (launch->decision->keeps_stdin && launch->output.input_read_fd < 0)
		return err_set(err, ERR_SETUP, 0, "descriptor 0 has no pipe");
	return 0;
}

int output_replace_stdio(struct launch *launch, struct err *err)
{
	for (int fd = FIRST_FD; fd < FIRST_FD + OUTPUT_PIPES_MAX; fd++) {
		int pipe = output_pipe_of(launch->decision, fd);

		if (pipe >= 0 && dup2(launch->output.write_fd[pipe], fd) < 0)
			return err_set(err, ERR_SETUP, errno, "descriptor %d", fd);
	}
	if (launch->decision->keeps_stdin && dup2(launch->output.input_read_fd, STDIN_FILENO) < 0)
		return err_set(err, ERR_SETUP, errno, "descriptor 0");
	return 0;
}

int output_verify_stdio(struct launch *launch, struct err *err)
{
	for (int fd = FIRST_FD; fd < FIRST_FD + OUTPUT_PIPES_MAX; fd++) {
		int pipe = output_pipe_of(launch->decision, fd);

		if (pipe >= 0 && !is_same_place(fd, launch->output.write_fd[pipe]))
			return err_set(err, ERR_SETUP, 0, "descriptor %d is still the caller's",
				       fd);
	}
	if (launch->decision->keeps_stdin &&
	    !is_same_place(STDIN_FILENO, launch->output.input_read_fd))
		return err_set(err, ERR_SETUP, 0, "descriptor 0 is still the keeper's");
	return 0;
}
