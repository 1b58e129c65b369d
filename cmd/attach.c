/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `cordon attach`: what a sandbox in the background prints from now on, and what is typed for it.
 * The first comes out of its log (logs.h), the second goes by a socket to its recorder
 * (records/attach.h), which shows by its end that the run is over.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "cmd/detach_keys.h"
#include "cmd/kept.h"
#include "cmd/logs.h"
#include "cmd/print.h"
#include "records/attach.h"

enum { LOOK_MS = 1000, END_MS = 5000, TYPED_MAX = 1024 };

struct attached {
	const struct options *options;
	struct log_reader reader;
	struct detach_keys keys;
	int socket_fd;
	int signal_fd;
	int workload_fd; /* pidfd, for signals; -ESRCH: it has ended */
	bool has_stdin;  /* what is typed is passed on */
	bool has_terminal;
	bool is_raw;
	bool is_over;
	bool is_detached;
	struct termios saved;
	char typed[TYPED_MAX + DETACH_KEYS_MAX]; /* not sent yet */
	size_t n_typed;
};

/* ---- the caller's terminal ---- */

static void send_size(const struct attached *a)
{
	struct winsize size;

	if (a->has_terminal && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		ignore_result(attach_send_size(a->socket_fd, size.ws_row, size.ws_col),
			      "the next change tells it again");
}

static int make_raw(struct attached *a)
{
	struct termios raw;

	if (!a->has_terminal || !a->has_stdin || tcgetattr(STDIN_FILENO, &a->saved) != 0)
		return 0;
	raw = a->saved;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) != 0)
		return -errno;
	a->is_raw = true;
	return 0;
}

/* What a terminal answers to an untrusted program's questions is not for the shell. */
static void restore(struct attached *a)
{
	if (!a->is_raw)
		return;
	tcsetattr(STDIN_FILENO, TCSANOW, &a->saved);
	tcflush(STDIN_FILENO, TCIFLUSH);
}

/* ---- what is printed ---- */

/* is_shown: else it is what was there before. 0 or -errno. */
static int walk(struct attached *a, bool is_shown)
{
	struct log_piece piece;
	int r;

	while ((r = log_reader_next(&a->reader, &piece)) == 1) {
		int fd = piece.stream == LOG_STDERR ? STDERR_FILENO : STDOUT_FILENO;

		if (is_shown && piece.stream != LOG_LOST)
			r = io_write_all(fd, piece.bytes, piece.len);
		if (r < 0)
			break;
	}
	return r;
}

/* ---- what is typed ---- */

static void send_typed(struct attached *a)
{
	int r = attach_send_input(a->socket_fd, a->typed, a->n_typed);

	if (r == 0)
		a->n_typed = 0;
	else if (r != -EAGAIN)
		a->is_over = true;
}

static void on_typed(struct attached *a)
{
	char bytes[TYPED_MAX];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		a->has_stdin = false;
		ignore_result(attach_send_end(a->socket_fd), "it has ended");
		return;
	}
	if (a->is_raw) {
		a->n_typed =
			detach_keys_take(&a->keys, bytes, (size_t)n, a->typed, &a->is_detached);
	} else {
		memcpy(a->typed, bytes, (size_t)n);
		a->n_typed = (size_t)n;
	}
	if (a->n_typed > 0)
		send_typed(a);
}

/* ---- signals ---- */

static int open_signals(void)
{
	static const int wanted[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		sigaddset(&set, wanted[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return -errno;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void on_signal(struct attached *a, int signo)
{
	if (signo == SIGWINCH)
		send_size(a);
	else if (a->options->no_sig_proxy || signo == SIGHUP)
		a->is_detached = true;
	else if (a->workload_fd >= 0)
		ignore_result(sys_pidfd_send_signal(a->workload_fd, signo, 0), "it has just ended");
}

/* ---- the wait ---- */

static int wait_for_something(struct attached *a, int watch_fd)
{
	char events[4096];
	struct signalfd_siginfo info;
	struct pollfd fds[] = {
		{.fd = a->has_stdin && a->n_typed == 0 ? STDIN_FILENO : -1, .events = POLLIN},
		{.fd = a->socket_fd, .events = (short)(POLLIN | (a->n_typed > 0 ? POLLOUT : 0))},
		{.fd = a->signal_fd, .events = POLLIN},
		{.fd = watch_fd, .events = POLLIN},
		{.fd = STDOUT_FILENO, .events = 0},
	};

	if (poll(fds, sizeof(fds) / sizeof(fds[0]), LOOK_MS) < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[0].revents != 0)
		on_typed(a);
	if (fds[1].revents & POLLOUT)
		send_typed(a);
	/* Nothing is ever sent from there: it is the end. */
	a->is_over = a->is_over || (fds[1].revents & ~POLLOUT) != 0;
	while (read(a->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		on_signal(a, (int)info.ssi_signo);
	while (watch_fd >= 0 && read(watch_fd, events, sizeof(events)) > 0)
		continue;
	return fds[4].revents & POLLERR ? -EPIPE : 0;
}

static int relay(struct attached *a, const struct sandbox *sandbox)
{
	_cleanup_fd_ int watch_fd = logs_watch(sandbox);
	int r = make_raw(a);

	send_size(a);
	while (r == 0 && !a->is_over && !a->is_detached) {
		r = wait_for_something(a, watch_fd);
		if (r == 0)
			r = walk(a, true);
	}
	/* The recorder wrote the last of it before it closed. */
	if (r == 0 && a->is_over)
		r = walk(a, true);
	restore(a);
	return r;
}

/* ---- its end ---- */

/* The program's exit code, which its keeper writes down. */
static int exit_code_of(const struct records *records, const struct sandbox *sandbox,
			const struct live_run *live)
{
	_cleanup_fd_ int keeper_fd = process_open(&live->keeper);
	struct pollfd fd = {.fd = keeper_fd, .events = POLLIN};
	struct sandbox_status status;
	struct err err;
	int exit_code = EXIT_CORDON;

	if (keeper_fd >= 0 && poll(&fd, 1, END_MS) == 0) {
		print_note("its run has ended; its keeper goes on, and may start it again");
		return 0;
	}
	if (status_read(records, sandbox, &status, &err) < 0) {
		print_err(&err);
		return EXIT_CORDON;
	}
	if (status.last.exit_code != RESULT_NONE)
		exit_code = (int)status.last.exit_code;
	status_release(&status);
	return exit_code;
}

/* ---- what is asked for ---- */

static int begin(struct attached *a, const struct records *records, const struct sandbox *sandbox,
		 const struct live_run *live, struct err *err)
{
	struct record record;
	int r = record_read(records, sandbox, &record, err);

	if (r < 0)
		return r;
	a->has_terminal = record.request.keeps_terminal && isatty(STDIN_FILENO) == 1;
	a->has_stdin = !a->options->no_stdin &&
		       (record.request.keeps_stdin || record.request.keeps_terminal);
	record_free(&record);
	log_reader_init(&a->reader, sandbox->dir_fd);
	/* Before the connection: what is printed once it is there is shown. */
	r = walk(a, false);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "log of sandbox %s", sandbox->id);
	a->socket_fd = attach_connect(records, sandbox, err);
	if (a->socket_fd < 0)
		return a->socket_fd;
	a->workload_fd = process_open(&live->workload);
	a->signal_fd = open_signals();
	return a->signal_fd < 0 ? err_set(err, ERR_SETUP, errno, "signals") : 0;
}

static int attach(const struct options *o, const struct records *records,
		  const struct sandbox *sandbox, const struct live_run *live)
{
	struct attached *a = calloc(1, sizeof(*a));
	struct err err = {0};
	int exit_code = 0;
	int r;

	if (a == NULL)
		return EXIT_CORDON;
	a->options = o;
	a->socket_fd = a->signal_fd = a->workload_fd = a->reader.fd = -EBADF;
	r = detach_keys_parse(o->detach_keys != NULL ? o->detach_keys : "ctrl-p,ctrl-q", &a->keys);
	if (r < 0) {
		err_set(&err, ERR_USAGE, 0, "--detach-keys %s: no keys", o->detach_keys);
		err_hint(&err, "Letters, or ctrl- and a letter, with commas between: ctrl-x,x.");
	} else {
		r = begin(a, records, sandbox, live, &err);
	}
	if (r == 0)
		r = relay(a, sandbox);
	close_fd(&a->socket_fd);
	if (r < 0 && r != -EPIPE) {
		if (err.kind == ERR_NONE)
			err_set(&err, ERR_SETUP, -r, "attach to sandbox %s", sandbox->id);
		print_err(&err);
		exit_code = err_exit_code(&err);
	} else if (r == 0 && !a->is_detached) {
		exit_code = exit_code_of(records, sandbox, live);
	}
	close_fd(&a->signal_fd);
	close_fd(&a->workload_fd);
	log_reader_release(&a->reader);
	free(a);
	return exit_code;
}

static int check(const struct options *o, struct err *err)
{
	int r = options_check_command(o, OPTION_ATTACH, "attach", err);

	if (r < 0)
		return r;
	if (o->rest[0] != NULL && o->rest[1] == NULL)
		return 0;
	err_set(err, ERR_USAGE, 0, "attach wants one sandbox");
	return err_hint(err, "cordon attach SANDBOX.");
}

static int find_and_attach(const struct options *o, const struct records *records)
{
	struct sandbox sandbox = {.dir_fd = -EBADF};
	struct sandbox_status status = {.last = {.result = NULL}};
	struct err err = {0};
	int exit_code = EXIT_CORDON;
	int r = records_find(records, o->rest[0], &sandbox, &err);

	if (r == 0)
		r = status_read(records, &sandbox, &status, &err);
	if (r == 0 && (!status.has_keeper || status.live.workload.pid == 0)) {
		r = err_set(&err, ERR_USAGE, 0, "sandbox %s does not run", o->rest[0]);
		err_hint(&err, "What it printed: cordon logs %s.", o->rest[0]);
	}
	if (r < 0)
		print_err(&err);
	else
		exit_code = attach(o, records, &sandbox, &status.live);
	status_release(&status);
	sandbox_release(&sandbox);
	return exit_code;
}

int cmd_attach(const struct cmd_context *context, int argc, char **argv)
{
	struct options options;
	struct records records;
	struct err err = {0};
	int exit_code;

	(void)argc;
	if (options_parse_for(OPTION_ATTACH, argv + 1, &options, &err) < 0 ||
	    (!options.help && check(&options, &err) < 0)) {
		print_err(&err);
		return EXIT_CORDON;
	}
	if (options.help)
		return command_print_help_of("attach");
	if (kept_open(context, false, &records) < 0)
		return EXIT_CORDON;
	exit_code = find_and_attach(&options, &records);
	records_release(&records);
	return exit_code;
}
