/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See attached.h. Runs in a command, as the record's owner. */
#include "cmd/attached.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/sys.h"
#include "cmd/cmd.h"
#include "cmd/detach_keys.h"
#include "cmd/logs.h"
#include "cmd/print.h"
#include "records/attach.h"
#include "records/status.h"

enum { LOOK_MS = 1000, END_MS = 5000, LOOK_AGAIN_MS = 10, TYPED_MAX = 1024 };
enum { STARTED_TRIES = END_MS / LOOK_AGAIN_MS, ENDING_TRIES = 20 };

struct attached {
	struct attached_how how;
	const struct sandbox *sandbox;
	struct run_logs held; /* of one that removes itself */
	struct log_reader reader;
	struct detach_keys keys;
	int socket_fd;
	int signal_fd;
	int workload_fd; /* pidfd, for signals; -ESRCH: it has ended */
	int left_fd;     /* where one that removes itself leaves its exit code; -EBADF: it stays */
	int64_t life;    /* live_run.restarts of the run that it is attached to */
	bool has_stdin;  /* what is typed is passed on */
	bool has_terminal;
	bool is_raw;
	bool is_over;
	bool is_detached;
	struct termios saved;
	char typed[TYPED_MAX + DETACH_KEYS_MAX]; /* not sent yet */
	size_t n_typed;
	bool end_due; /* stdin has ended, which is not said yet */
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

/* A recorder whose reader is slow takes it later, as it does what is typed. */
static void send_end(struct attached *a)
{
	a->end_due = attach_send_end(a->socket_fd) == -EAGAIN;
}

static void on_typed(struct attached *a)
{
	char bytes[TYPED_MAX];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		a->has_stdin = false;
		send_end(a);
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
	else if (a->how.no_sig_proxy || signo == SIGHUP)
		a->is_detached = true;
	else if (a->workload_fd >= 0)
		ignore_result(sys_pidfd_send_signal(a->workload_fd, signo, 0), "it has just ended");
}

/* ---- the wait ---- */

static int wait_for_something(struct attached *a, int watch_fd)
{
	char events[4096];
	struct signalfd_siginfo info;
	bool is_due = a->n_typed > 0 || a->end_due;
	struct pollfd fds[] = {
		{.fd = a->has_stdin && a->n_typed == 0 ? STDIN_FILENO : -1, .events = POLLIN},
		{.fd = a->socket_fd, .events = (short)(POLLIN | (is_due ? POLLOUT : 0))},
		{.fd = a->signal_fd, .events = POLLIN},
		{.fd = watch_fd, .events = POLLIN},
		{.fd = STDOUT_FILENO, .events = 0},
	};

	if (poll(fds, sizeof(fds) / sizeof(fds[0]), LOOK_MS) < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[0].revents != 0)
		on_typed(a);
	if ((fds[1].revents & POLLOUT) && a->n_typed > 0)
		send_typed(a);
	else if ((fds[1].revents & POLLOUT) && a->end_due)
		send_end(a);
	/* Nothing is ever sent from there: it is the end. */
	a->is_over = a->is_over || (fds[1].revents & ~POLLOUT) != 0;
	while (read(a->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		on_signal(a, (int)info.ssi_signo);
	while (watch_fd >= 0 && read(watch_fd, events, sizeof(events)) > 0)
		continue;
	return fds[4].revents & POLLERR ? -EPIPE : 0;
}

static int relay(struct attached *a)
{
	_cleanup_fd_ int watch_fd = logs_watch(a->sandbox);
	int r = make_raw(a);

	send_size(a);
	if (r == 0)
		r = walk(a, true);
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

/* One that has removed itself has left its code. */
static bool read_left(const struct attached *a, int *ret_code)
{
	char text[16];
	ssize_t n = a->left_fd >= 0 ? pread(a->left_fd, text, sizeof(text) - 1, 0) : -1;
	uint32_t code;

	text[n > 0 ? n : 0] = '\0';
	io_chomp(text);
	if (parse_u32(text, &code) < 0)
		return false;
	*ret_code = (int)code;
	return true;
}

static bool is_removed(const struct attached *a)
{
	return faccessat(a->sandbox->dir_fd, "record", F_OK, AT_SYMLINK_NOFOLLOW) != 0;
}

/* Which of its lives last_exit_code is of; -1: of none. */
static int64_t ended_life(const struct live_run *live)
{
	if (live->last_exit_code == RESULT_NONE)
		return -1;
	return live->next_start_ms != RESULT_NONE ? live->restarts : live->restarts - 1;
}

/* What the code does not tell. */
static void tell_end(const struct attached *a, const struct sandbox_status *status)
{
	const struct last_run *last = &status->last;
	const char *id = a->sandbox->id;

	if (a->how.is_quiet)
		return;
	if (status->state != SANDBOX_EXITED)
		print_note("sandbox %s: this run of it has ended; its restart policy may start it "
			   "again",
			   id);
	else if (last->text[0] != '\0')
		print_note("sandbox %s: %s", id, last->text);
	else if (!str_equal(last->kind, result_kind_name(RUN_EXITED)) &&
		 !str_equal(last->kind, result_kind_name(RUN_SIGNALLED)))
		print_note("sandbox %s ended by %s: `cordon inspect %s` says more", id, last->kind,
			   id);
}

/* One look at what its keeper has written. False: not that yet. */
static bool has_said_end(const struct attached *a, const struct sandbox_status *status,
			 int *ret_code)
{
	int64_t code = status->state == SANDBOX_EXITED        ? status->last.exit_code
		       : ended_life(&status->live) >= a->life ? status->live.last_exit_code
							      : RESULT_NONE;

	if (code == RESULT_NONE)
		return false;
	*ret_code = (int)code;
	tell_end(a, status);
	return true;
}

/* Looks once. Returns 1 with the program's exit code, 0 for not yet, or a negative errno. */
static int look_for_end(const struct attached *a, const struct records *records, int *ret_code,
			struct err *err)
{
	struct sandbox_status status = {.last = {.result = NULL}};
	bool was_removed = is_removed(a);
	int r = status_read(records, a->sandbox, &status, err);

	if (read_left(a, ret_code))
		r = 1;
	else if (was_removed)
		r = err_set(err, ERR_SETUP, 0, "sandbox %s: was removed, and its exit code with it",
			    a->sandbox->id);
	else if (r == 0)
		r = has_said_end(a, &status, ret_code);
	else if (is_removed(a))
		r = 0;
	status_release(&status);
	return r;
}

/* Its connection may have ended before it did. */
static bool goes_on(const struct attached *a)
{
	struct pollfd fd = {.fd = a->workload_fd, .events = POLLIN};

	return a->workload_fd >= 0 && poll(&fd, 1, END_MS) == 0;
}

/* The program's exit code, which its keeper writes down. */
static int exit_code_of(const struct attached *a, const struct records *records)
{
	const char *id = a->sandbox->id;
	struct err err = {0};
	int exit_code = EXIT_CORDON;
	int r = 0;

	if (goes_on(a)) {
		print_note("sandbox %s goes on, but its recorder has sent this client away, or is "
			   "gone",
			   id);
		print_note("  hint: `cordon logs -f %s` shows what is kept of its output.", id);
		return EXIT_CORDON;
	}
	for (int waited = 0; r == 0 && waited < END_MS; waited += LOOK_AGAIN_MS) {
		r = look_for_end(a, records, &exit_code, &err);
		if (r == 0)
			poll(NULL, 0, LOOK_AGAIN_MS);
	}
	if (r < 0)
		print_err(&err);
	else if (r == 0)
		print_note("sandbox %s: its keeper has not said how it ended; cordon wait %s", id,
			   id);
	return exit_code;
}

/* ---- its beginning ---- */

static int read_keys(const struct attached_how *how, struct detach_keys *ret, struct err *err)
{
	const char *text = how->detach_keys != NULL ? how->detach_keys : "ctrl-p,ctrl-q";

	if (detach_keys_parse(text, ret) == 0)
		return 0;
	err_set(err, ERR_USAGE, 0, "--detach-keys %s: no keys", text);
	return err_hint(err, "Letters, or ctrl- and a letter, with commas between: ctrl-x,x.");
}

static int read_request(struct attached *a, const struct records *records, struct err *err)
{
	struct record record;
	int r = record_read(records, a->sandbox, &record, err);

	if (r < 0)
		return r;
	a->has_terminal = record.request.keeps_terminal && isatty(STDIN_FILENO) == 1;
	a->has_stdin =
		a->how.reads_stdin && (record.request.keeps_stdin || record.request.keeps_terminal);
	if (a->how.is_starting && a->how.reads_stdin && !a->has_stdin && !a->how.is_quiet)
		print_note("sandbox %s was made without -i: nothing of stdin is passed on",
			   a->sandbox->id);
	record_free(&record);
	return 0;
}

/* What it prints, and its end, also where it removes itself before this client has looked. */
static int open_log(struct attached *a, struct err *err)
{
	int r = 0;

	log_reader_init(&a->reader, a->sandbox->dir_fd);
	if (!a->sandbox->is_kept) {
		r = logs_hold(a->sandbox, a->how.is_starting, &a->held, err);
		a->reader.held = &a->held;
		a->left_fd = status_open_left(a->sandbox);
	}
	if (r < 0)
		return r;
	r = walk(a, false);
	a->reader.has_missed = false;
	a->reader.is_first = a->how.is_starting;
	return r < 0 ? err_set(err, ERR_SETUP, -r, "log of sandbox %s", a->sandbox->id) : 0;
}

int attached_open(const struct attached_how *how, const struct records *records,
		  const struct sandbox *sandbox, struct attached **ret, struct err *err)
{
	struct attached *a = calloc(1, sizeof(*a));
	int r;

	if (a == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "attach to sandbox %s", sandbox->id);
	a->how = *how;
	a->sandbox = sandbox;
	a->life = how->is_starting ? 0 : how->life;
	a->socket_fd = a->signal_fd = a->workload_fd = a->left_fd = a->reader.fd = -EBADF;
	r = read_keys(how, &a->keys, err);
	if (r == 0)
		r = read_request(a, records, err);
	if (r == 0)
		r = open_log(a, err);
	if (r == 0) {
		a->signal_fd = open_signals();
		if (a->signal_fd < 0)
			r = err_set(err, ERR_SETUP, errno, "signals");
	}
	if (r < 0)
		attached_free(a);
	else
		*ret = a;
	return r;
}

void attached_free(struct attached *a)
{
	if (a == NULL)
		return;
	close_fd(&a->socket_fd);
	close_fd(&a->signal_fd);
	close_fd(&a->workload_fd);
	close_fd(&a->left_fd);
	log_reader_release(&a->reader);
	logs_release(&a->held);
	free(a);
}

/* Whether the run that is asked for is over by now, and the process to watch where it is not. */
static int look(struct attached *a, const struct records *records, struct err *err)
{
	struct sandbox_status status = {.last = {.result = NULL}};
	int r = status_read(records, a->sandbox, &status, err);

	if (r < 0 && !is_removed(a))
		return r;
	a->is_over = r < 0 || status.live.restarts != a->life || !status.has_keeper ||
		     status.state == SANDBOX_EXITED || status.state == SANDBOX_RESTARTING;
	if (!a->is_over && a->workload_fd < 0)
		a->workload_fd = process_open(&status.live.workload);
	status_release(&status);
	return 0;
}

/*
 * One whose run has ended meanwhile has its end before it. Its socket goes a moment before that can
 * be read; of one that this command has started it is a matter of time, and of another one that has
 * no socket for longer than a moment it never had any.
 */
static int connect_to(struct attached *a, const struct records *records, struct err *err)
{
	const struct timespec moment = {.tv_nsec = LOOK_AGAIN_MS * 1000000L};
	int tries = a->how.is_starting ? STARTED_TRIES : ENDING_TRIES;
	int r;

	a->socket_fd = attach_connect(records, a->sandbox, err);
	r = look(a, records, err);
	for (; r == 0 && !a->is_over && a->socket_fd == -ENOENT && tries > 0; tries--) {
		nanosleep(&moment, NULL);
		r = look(a, records, err);
	}
	if (r == 0 && !a->is_over && a->socket_fd == -ENOENT) {
		r = err_set(err, ERR_USAGE, 0, "sandbox %s runs in the foreground", a->sandbox->id);
		err_hint(err, "It has its caller's descriptors, and nobody else can attach.");
	}
	a->is_over = a->is_over || a->socket_fd < 0;
	return r;
}

int attached_go(struct attached *a, const struct records *records)
{
	struct err err = {0};
	int r = connect_to(a, records, &err);

	if (r == 0)
		r = relay(a);
	close_fd(&a->socket_fd);
	if (a->reader.has_missed && !a->how.is_quiet)
		print_note("some output was overwritten before it was read");
	if (r < 0 && r != -EPIPE) {
		if (err.kind == ERR_NONE)
			err_set(&err, ERR_SETUP, -r, "attach to sandbox %s", a->sandbox->id);
		print_err(&err);
		return err_exit_code(&err);
	}
	return r == 0 && !a->is_detached ? exit_code_of(a, records) : 0;
}
