/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See logs.h. Runs in keepers, and in `cordon logs`, as the record's owner. */
#include "records/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"

enum { NAP_MS = 20, NAPS = 250 };

static void file_name(char *buf, size_t size, size_t i)
{
	str_format(buf, size, "log.%zu", i);
}

/* ---- writing ---- */

/* The recorder has a copy of the descriptor, and with it the lock, until its end. */
static int lock(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct timespec nap = {.tv_nsec = NAP_MS * 1000000L};

	for (int i = 0; i < NAPS; i++) {
		if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
			return 0;
		if (errno != EAGAIN && errno != EACCES)
			return -errno;
		nanosleep(&nap, NULL);
	}
	return -EBUSY;
}

void logs_release(struct run_logs *logs)
{
	for (size_t i = 0; i < logs->n; i++)
		close_fd(&logs->fds[i]);
	logs->n = 0;
}

int logs_open(const struct sandbox *sandbox, const struct spec_logging *logging,
	      struct run_logs *ret, struct err *err)
{
	struct run_logs logs = {.max_size = logging->max_size};
	size_t n = logging->max_files;
	char name[16];
	int r = 0;

	if (!sandbox->is_kept && logs.max_size > LOGS_BOOT_SIZE)
		logs.max_size = LOGS_BOOT_SIZE;
	if (!sandbox->is_kept && n > LOGS_BOOT_FILES)
		n = LOGS_BOOT_FILES;
	while (r == 0 && logs.n < n && logs.n < LOG_FILES_MAX) {
		int fd;

		file_name(name, sizeof(name), logs.n);
		fd = sys_openat(sandbox->dir_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
				0600);
		r = fd < 0 ? fd : 0;
		if (r == 0)
			logs.fds[logs.n++] = fd;
	}
	if (r == 0)
		r = lock(logs.fds[0]);
	if (r < 0) {
		logs_release(&logs);
		return err_set(err, ERR_SETUP, -r, "sandbox %s: %s", sandbox->id, name);
	}
	*ret = logs;
	return 0;
}

int logs_hold(const struct sandbox *sandbox, bool makes, struct run_logs *ret, struct err *err)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (makes ? O_CREAT : 0);
	struct run_logs logs = {.n = 0};

	for (size_t i = 0; i < LOGS_BOOT_FILES; i++) {
		char name[16];
		int fd;

		file_name(name, sizeof(name), i);
		fd = sys_openat(sandbox->dir_fd, name, flags, 0600);
		if (fd == -ENOENT)
			break;
		if (fd < 0) {
			logs_release(&logs);
			return err_set(err, ERR_SETUP, -fd, "sandbox %s: %s", sandbox->id, name);
		}
		logs.fds[logs.n++] = fd;
	}
	*ret = logs;
	return 0;
}

/* ---- reading ---- */

void log_reader_init(struct log_reader *reader, int dir_fd)
{
	reader->dir_fd = dir_fd;
	reader->held = NULL;
	reader->fd = -EBADF;
	reader->number = reader->offset = 0;
	reader->start = reader->end = 0;
	reader->has_missed = false;
}

void log_reader_release(struct log_reader *reader)
{
	close_fd(&reader->fd);
}

/* Number 0 for a file that has none (yet). */
static struct log_head head_of(int fd)
{
	struct log_head head = {0};

	return pread(fd, &head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
			       log_head_is_valid(&head)
		       ? head
		       : (struct log_head){.number = 0};
}

static int open_file(const struct log_reader *reader, size_t i)
{
	const struct run_logs *held = reader->held;
	char name[16];
	int fd;

	file_name(name, sizeof(name), i);
	if (held == NULL)
		return sys_openat(reader->dir_fd, name,
				  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	if (i >= held->n)
		return -ENOENT;
	fd = fcntl(held->fds[i], F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

/* Opens the file with the lowest number above the reader's. Returns it, -ENOENT, or -errno. */
static int open_next(const struct log_reader *reader, struct log_head *ret)
{
	_cleanup_fd_ int best = -EBADF;
	struct log_head best_head = {.number = 0};

	for (size_t i = 0; i < LOG_FILES_MAX; i++) {
		_cleanup_fd_ int fd = open_file(reader, i);
		struct log_head head;

		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			return fd;
		head = head_of(fd);
		if (head.number <= reader->number || (best >= 0 && head.number >= best_head.number))
			continue;
		best_head = head;
		close_fd(&best);
		best = steal_fd(&fd);
	}
	*ret = best_head;
	return best >= 0 ? steal_fd(&best) : -ENOENT;
}

static void go_to(struct log_reader *reader, int fd, const struct log_head *head)
{
	bool follows = head->number == reader->number + 1 && head->previous == reader->offset;

	reader->has_missed = reader->has_missed || (reader->number != 0 && !follows);
	close_fd(&reader->fd);
	reader->fd = fd;
	reader->number = head->number;
	reader->offset = sizeof(struct log_head);
	reader->start = reader->end = 0;
}

static bool has_whole_frame(const struct log_reader *reader)
{
	struct log_frame frame = {0};
	size_t n = reader->end - reader->start;

	if (n < sizeof(frame))
		return false;
	memcpy(&frame, reader->bytes + reader->start, sizeof(frame));
	return log_frame_is_valid(&frame) && n - sizeof(frame) >= frame.len;
}

/* Reads on. Returns 1, 0 where the file was emptied meanwhile, or -errno. */
static int fill(struct log_reader *reader)
{
	ssize_t n;

	n = pread(reader->fd, reader->bytes, sizeof(reader->bytes), (off_t)reader->offset);
	if (n < 0)
		return -errno;
	/* What is emptied afterwards does no harm: these bytes were the file's. */
	if (head_of(reader->fd).number != reader->number)
		return 0;
	reader->start = 0;
	reader->end = (size_t)n;
	return 1;
}

/* Without a whole frame in hand: reads on, in the next file where this one is over. Returns 1 where
 * there is a frame now, 0, or -errno. */
static int advance(struct log_reader *reader)
{
	struct log_head head;
	int next;
	int r = reader->fd >= 0 ? fill(reader) : 0;

	if (r < 0 || (r == 1 && has_whole_frame(reader)))
		return r;
	next = open_next(reader, &head);
	if (next < 0)
		return next == -ENOENT ? 0 : next;
	/* It was full before there was a next one: what came in between is there now. */
	if (r == 1)
		r = fill(reader);
	if (r == 1 && has_whole_frame(reader)) {
		close_fd(&next);
		return 1;
	}
	go_to(reader, next, &head);
	r = fill(reader);
	return r == 1 ? has_whole_frame(reader) : r;
}

int log_reader_next(struct log_reader *reader, struct log_piece *ret)
{
	struct log_frame frame = {0};
	int r = has_whole_frame(reader) ? 1 : advance(reader);

	if (r <= 0)
		return r;
	memcpy(&frame, reader->bytes + reader->start, sizeof(frame));
	*ret = (struct log_piece){.stream = (enum log_stream)(frame.mark & 0xff),
				  .time_ns = frame.time_ns,
				  .bytes = reader->bytes + reader->start + sizeof(frame),
				  .len = frame.len};
	reader->start += sizeof(frame) + frame.len;
	reader->offset += sizeof(frame) + frame.len;
	return 1;
}
