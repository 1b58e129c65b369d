/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon logs`: what a sandbox in the background has printed. Reads files that its recorder may be
 * writing at that time, and is in nobody's way. */
#include "cmd/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "cmd/kept.h"
#include "cmd/print.h"

/* Also without a message of inotify's: a network's file system sends none. */
enum { LOOK_MS = 1000 };

struct logs {
	struct log_reader reader;
	struct logs_filter filter;
	const struct records *records;
	struct sandbox *sandbox;
	uint64_t lost;  /* bytes that could not be kept */
	bool is_silent; /* its lines are counted */
};

/* ---- one look ---- */

static int write_out(void *ctx, enum log_stream stream, const char *bytes, size_t len)
{
	const struct logs *logs = ctx;

	if (logs->is_silent)
		return 0;
	return io_write_all(stream == LOG_STDERR ? STDERR_FILENO : STDOUT_FILENO, bytes, len);
}

/* All that is there. 0 or -errno. */
static int walk(struct logs *logs)
{
	struct log_piece piece;
	uint64_t lost;
	int r;

	while ((r = log_reader_next(&logs->reader, &piece)) == 1) {
		if (piece.stream == LOG_LOST && piece.len == sizeof(lost)) {
			memcpy(&lost, piece.bytes, sizeof(lost));
			logs->lost += lost;
			continue;
		}
		r = logs_filter_piece(&logs->filter, &piece, write_out, logs);
		if (r < 0)
			break;
	}
	return r;
}

/* How many lines are to be left out, so that the last n are shown. */
static int count_lines(struct logs *logs, uint64_t n)
{
	struct logs_filter as_asked = logs->filter;
	int r;

	logs->is_silent = true;
	r = walk(logs);
	logs->is_silent = false;
	if (r == 0 && logs->filter.n_lines > n)
		as_asked.skip = logs->filter.n_lines - n;
	logs->filter = as_asked;
	logs->lost = 0;
	log_reader_release(&logs->reader);
	log_reader_init(&logs->reader, logs->sandbox->dir_fd);
	return r;
}

/* ---- following ---- */

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int logs_watch(const struct sandbox *sandbox)
{
	_cleanup_fd_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[32];

	str_format(path, sizeof(path), "/proc/self/fd/%d", sandbox->dir_fd);
	if (fd < 0 || inotify_add_watch(fd, path, IN_MODIFY | IN_DELETE_SELF) < 0)
		return -EBADF; /* the clock will do */
	return steal_fd(&fd);
}

static int keeper_of(const struct logs *logs)
{
	struct sandbox_status status;
	struct err err;
	int fd = -ESRCH;

	if (status_read(logs->records, logs->sandbox, &status, &err) == 0 && status.has_keeper)
		fd = process_open(&status.live.keeper);
	status_release(&status);
	return fd;
}

/* What has been asked for may be of the past. */
static bool is_over(const struct logs *logs)
{
	return now_ns() >= logs->filter.until_ns;
}

/* Until the sandbox has ended, and what it printed last is shown. */
static int follow(struct logs *logs)
{
	_cleanup_fd_ int watch_fd = logs_watch(logs->sandbox);
	_cleanup_fd_ int keeper_fd = keeper_of(logs);
	char events[4096];
	int r = walk(logs);

	while (r == 0 && keeper_fd >= 0 && !is_over(logs)) {
		struct pollfd fds[] = {{.fd = watch_fd, .events = POLLIN},
				       {.fd = keeper_fd, .events = POLLIN},
				       {.fd = STDOUT_FILENO, .events = 0}};

		if (poll(fds, sizeof(fds) / sizeof(fds[0]), LOOK_MS) < 0 && errno != EINTR)
			return -errno;
		while (watch_fd >= 0 && read(watch_fd, events, sizeof(events)) > 0)
			continue;
		if (fds[2].revents & POLLERR)
			return -EPIPE;
		r = walk(logs);
		if (fds[1].revents != 0)
			break;
	}
	return r;
}

/* ---- what is asked for ---- */

static int read_moment(const char *flag, const char *text, int64_t *ret, struct err *err)
{
	if (text == NULL || logs_parse_time(text, now_ns(), ret) == 0)
		return 0;
	err_set(err, ERR_USAGE, 0, "%s %s: not a moment", flag, text);
	return err_hint(err,
			"A time before now (%s 10m), a date (%s 2026-01-31T10:00:00Z) or seconds "
			"since 1970.",
			flag, flag);
}

/* *ret_tail: UINT64_MAX for all. */
static int read_options(const struct options *o, struct logs_filter *filter, uint64_t *ret_tail,
			struct err *err)
{
	int r = read_moment("--since", o->since, &filter->since_ns, err);

	if (r == 0)
		r = read_moment("--until", o->until, &filter->until_ns, err);
	if (r < 0)
		return r;
	filter->timestamps = o->timestamps;
	if (o->only_stdout || o->only_stderr) {
		filter->streams[LOG_STDOUT] = o->only_stdout;
		filter->streams[LOG_STDERR] = o->only_stderr;
	}
	*ret_tail = UINT64_MAX;
	if (o->tail == NULL || str_equal(o->tail, "all") || parse_u64(o->tail, ret_tail) == 0)
		return 0;
	err_set(err, ERR_USAGE, 0, "--tail %s: not a number of lines", o->tail);
	return err_hint(err, "It is a number, or all: --tail 100.");
}

/* Nothing is left out in silence. */
static void tell_gaps(const struct logs *logs)
{
	struct sandbox_status status;
	struct err err;

	if (logs->reader.has_missed)
		print_note("some output was overwritten before it was read");
	if (logs->lost > 0)
		print_note("%llu bytes of output could not be written to the log, whose disk was "
			   "full",
			   (unsigned long long)logs->lost);
	if (status_read(logs->records, logs->sandbox, &status, &err) < 0)
		return;
	if (status.last.is_output_lost)
		print_note("what it printed last was not kept: the process that keeps it died, or "
			   "did not answer");
	if (logs->reader.number == 0 && status.last.started_ms != RESULT_NONE &&
	    faccessat(logs->sandbox->dir_fd, "log.0", F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		print_note("it ran in the foreground: what it printed went to its caller");
	status_release(&status);
}

static int show(const struct options *o, const struct records *records, struct sandbox *sandbox,
		struct err *err)
{
	struct logs *logs = calloc(1, sizeof(*logs));
	uint64_t tail;
	int r;

	if (logs == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "log");
	logs->records = records;
	logs->sandbox = sandbox;
	logs_filter_init(&logs->filter);
	log_reader_init(&logs->reader, sandbox->dir_fd);
	r = read_options(o, &logs->filter, &tail, err);
	if (r == 0) {
		r = tail != UINT64_MAX ? count_lines(logs, tail) : 0;
		if (r == 0)
			r = o->follow ? follow(logs) : walk(logs);
		/* Whoever reads no more has seen enough. */
		if (r == -EPIPE)
			r = 0;
		else if (r == 0)
			tell_gaps(logs);
		else
			err_set(err, ERR_SETUP, -r, "log of sandbox %s", sandbox->id);
	}
	log_reader_release(&logs->reader);
	free(logs);
	return r;
}

static int check(const struct options *o, struct err *err)
{
	int r = options_check_command(o, OPTION_LOGS, "logs", err);

	if (r < 0)
		return r;
	if (o->rest[0] != NULL && o->rest[1] == NULL)
		return 0;
	err_set(err, ERR_USAGE, 0, "logs wants one sandbox");
	return err_hint(err, "cordon logs -f SANDBOX. `cordon ps -a` lists them.");
}

int cmd_logs(const struct cmd_context *context, int argc, char **argv)
{
	struct sandbox sandbox = {.dir_fd = -EBADF};
	struct options options;
	struct records records;
	struct err err = {0};
	int r;

	(void)argc;
	if (options_parse_for(OPTION_LOGS, argv + 1, &options, &err) < 0 ||
	    (!options.help && check(&options, &err) < 0)) {
		print_err(&err);
		return EXIT_CORDON;
	}
	if (options.help)
		return command_print_help_of("logs");
	if (kept_open(context, false, &records) < 0)
		return EXIT_CORDON;
	r = records_find(&records, options.rest[0], &sandbox, &err);
	if (r == 0)
		r = show(&options, &records, &sandbox, &err);
	if (r < 0)
		print_err(&err);
	sandbox_release(&sandbox);
	records_release(&records);
	return r < 0 ? err_exit_code(&err) : 0;
}
