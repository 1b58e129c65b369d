/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --status-fd and --report; see report.h. */
#include "cmd/report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "base/sys.h"

enum { SAMPLE_MAX = 512 };

/* The report is put in the place of an older one, and of nothing else: not of a device, a FIFO or a
 * link. */
static bool is_taken(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode);
}

static int open_file(struct report *report, struct err *err)
{
	const char *path = report->path;
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX] = ".";

	if (slash != NULL)
		str_format(dir, sizeof(dir), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	report->name = slash != NULL ? slash + 1 : path;
	report->dir_fd = sys_openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (report->dir_fd < 0)
		return err_set(err, ERR_USAGE, -report->dir_fd, "--report %s", path);
	if (report->name[0] == '\0' || str_equal(path, "-") ||
	    is_taken(report->dir_fd, report->name)) {
		err_set(err, ERR_USAGE, 0, "--report %s: that is no regular file", path);
		return err_hint(err, "A report is a file of its own. To write to a descriptor: "
				     "--status-fd 3 ... 3>&1.");
	}
	report->file_fd = sys_openat(report->dir_fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
	return report->file_fd < 0 ? err_set(err, ERR_USAGE, -report->file_fd, "--report %s", path)
				   : 0;
}

int report_open(struct report *ret, int status_fd, const char *path, struct err *err)
{
	struct report report = {.status_fd = status_fd,
				.dir_fd = -EBADF,
				.file_fd = -EBADF,
				.path = path};
	int r;

	if (status_fd >= 0 && fcntl(status_fd, F_SETFD, FD_CLOEXEC) != 0)
		return err_set(err, ERR_USAGE, errno, "--status-fd %d", status_fd);
	r = path != NULL ? open_file(&report, err) : 0;
	if (r < 0)
		report_release(&report);
	else
		*ret = report;
	return r;
}

void report_started(const struct report *report, pid_t pid)
{
	char line[64];
	size_t len = str_format(line, sizeof(line), "{\"event\":\"started\",\"pid\":%d}\n", pid);

	if (report->status_fd >= 0)
		ignore_result(io_write_all(report->status_fd, line, len), "a reader that left");
}

static void put_number(struct json *json, const char *name, int64_t value)
{
	if (value == RESULT_NONE)
		json_null(json, name);
	else
		json_number(json, name, value);
}

void report_sample(const struct report *report, const struct run_sample *sample)
{
	struct pollfd out = {.fd = report->status_fd, .events = POLLOUT};
	char line[SAMPLE_MAX]; /* below PIPE_BUF: a pipe that is writable takes it whole */
	struct json json;
	ssize_t len;

	json_init(&json, line, sizeof(line) - 1);
	json_open(&json, NULL, '{');
	json_text(&json, "event", "sample");
	put_number(&json, "wall_ms", sample->wall_ms);
	put_number(&json, "memory_bytes", sample->memory_bytes);
	put_number(&json, "swap_bytes", sample->swap_bytes);
	put_number(&json, "pids", sample->pids);
	put_number(&json, "cpu_us", sample->cpu_us);
	put_number(&json, "io_read_bytes", sample->io_read_bytes);
	put_number(&json, "io_write_bytes", sample->io_write_bytes);
	json_close(&json, '}');
	len = json_finish(&json);
	if (len < 0 || poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0)
		return;
	line[len] = '\n';
	ignore_result(io_write_all(report->status_fd, line, (size_t)len + 1), "a reader that left");
}

/* Gives the unnamed file its name in one step. link(2) does not replace, so an older report is
 * replaced by a rename. */
static int publish(const struct report *report)
{
	char from[64], temporary[NAME_MAX + 32];

	str_format(from, sizeof(from), "/proc/self/fd/%d", report->file_fd);
	if (linkat(AT_FDCWD, from, report->dir_fd, report->name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno != EEXIST || is_taken(report->dir_fd, report->name))
		return -errno;
	str_format(temporary, sizeof(temporary), ".%.*s.%d", 200, report->name, getpid());
	if (linkat(AT_FDCWD, from, report->dir_fd, temporary, AT_SYMLINK_FOLLOW) != 0)
		return -errno;
	if (renameat(report->dir_fd, temporary, report->dir_fd, report->name) == 0)
		return 0;
	unlinkat(report->dir_fd, temporary, 0);
	return -errno;
}

static int write_document(int fd, const char *json, size_t len)
{
	int r = io_write_all(fd, json, len);

	return r == 0 ? io_write_all(fd, "\n", 1) : r;
}

bool report_is_wanted(const struct report *report)
{
	return report->status_fd >= 0 || report->file_fd >= 0;
}

int report_finish(struct report *report, const char *json, size_t len, struct err *err)
{
	int r;

	if (report->status_fd >= 0) {
		ignore_result(write_document(report->status_fd, json, len),
			      "a reader that left is no failure of the run");
	}
	if (report->file_fd < 0)
		return 0;
	r = write_document(report->file_fd, json, len);
	if (r == 0)
		r = publish(report);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "--report %s", report->path) : 0;
}

void report_release(struct report *report)
{
	close_fd(&report->file_fd);
	close_fd(&report->dir_fd);
}
