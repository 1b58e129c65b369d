/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing events; see events.h. Runs in commands and in keepers, as the records' owner. */
#include "records/events.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/str.h"
#include "base/sys.h"
#include "records/fields.h"
#include "records/internal.h"
#include "records/record.h"

enum { LOOK_MS = 1, OPEN_TRIES = 20 };

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- the line ---- */

static ssize_t put_event(const struct event *event, size_t n_attributes, char *buf, size_t size)
{
	struct json json;
	ssize_t len;

	json_init(&json, buf, size);
	json_open(&json, NULL, '{');
	json_text(&json, "schema", EVENT_SCHEMA);
	json_number(&json, "time_ns", event->time_ns);
	json_text(&json, "type", event->type);
	json_text(&json, "action", event->action);
	json_text(&json, "id", event->id);
	json_text(&json, "name", event->name);
	json_open(&json, "attributes", '{');
	for (size_t i = 0; i < n_attributes; i++)
		json_text(&json, event->attributes[i].key, event->attributes[i].value);
	json_close(&json, '}');
	json_close(&json, '}');
	len = json_finish(&json);
	if (len < 0 || (size_t)len + 2 > size)
		return -ENOSPC;
	buf[len] = '\n';
	buf[len + 1] = '\0';
	return len + 1;
}

ssize_t event_to_line(const struct event *event, char *buf, size_t size)
{
	ssize_t len = put_event(event, event->n_attributes, buf, size);

	for (size_t n = event->n_attributes; len < 0 && n > 0;)
		len = put_event(event, --n, buf, size);
	return len;
}

/* ---- the file ---- */

static bool is_at(int home_fd, const char *name, int fd)
{
	struct stat ours, theirs;

	return fstat(fd, &ours) == 0 && fstatat(home_fd, name, &theirs, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

/* Whether it is ours alone. Who is stopped while it holds the lock keeps nobody waiting. */
static bool is_locked(int fd)
{
	for (int waited = 0; waited < EVENTS_WAIT_MS; waited += LOOK_MS) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		poll(NULL, 0, LOOK_MS);
	}
	return false;
}

/* The file that the line goes to: open, locked if that can be had, and not full. */
static int open_file(int home_fd, size_t len, bool *ret_is_locked)
{
	for (int i = 0; i < OPEN_TRIES; i++) {
		_cleanup_fd_ int fd = sys_openat(home_fd, EVENTS_FILE,
						 O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW |
							 O_NONBLOCK | O_CLOEXEC,
						 0600);
		struct stat st;

		if (fd < 0)
			return fd;
		*ret_is_locked = is_locked(fd);
		if (fstat(fd, &st) != 0)
			return -errno;
		if (!S_ISREG(st.st_mode))
			return -EINVAL;
		/* Renamed between the two: the next one is the file. */
		if (*ret_is_locked && !is_at(home_fd, EVENTS_FILE, fd))
			continue;
		if (!*ret_is_locked || (size_t)st.st_size + len <= EVENTS_FILE_MAX)
			return steal_fd(&fd);
		if (renameat(home_fd, EVENTS_FILE, home_fd, EVENTS_OLD_FILE) != 0)
			return -errno;
	}
	return -EBUSY;
}

/* A line that was cut off has no newline: the next one begins behind one. */
static bool ends_in_line(int fd, off_t size)
{
	char last;

	return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

static int append(int fd, bool is_alone, char *line, size_t len)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) != 0)
		return -errno;
	if (ends_in_line(fd, st.st_size)) {
		memmove(line + 1, line, len++);
		line[0] = '\n';
	}
	n = write(fd, line, len);
	if (n == (ssize_t)len)
		return 0;
	/* The disk is full: what came through is taken back. */
	if (n > 0 && is_alone)
		ignore_result(ftruncate(fd, st.st_size), "a reader passes over it");
	return n < 0 ? -errno : -ENOSPC;
}

int events_append(const struct records *records, const struct event *event)
{
	struct event stamped = *event;
	char line[EVENT_LINE_MAX + 1];
	_cleanup_fd_ int fd = -EBADF;
	bool is_alone = false;
	ssize_t len;

	if (records->home_fd < 0)
		return -ENOENT;
	if (stamped.time_ns == 0)
		stamped.time_ns = now_ns();
	len = event_to_line(&stamped, line, EVENT_LINE_MAX);
	if (len < 0)
		return (int)len;
	fd = open_file(records->home_fd, (size_t)len, &is_alone);
	return fd < 0 ? fd : append(fd, is_alone, line, (size_t)len);
}

/* ---- of a sandbox ---- */

static void take_labels(struct event *event, const struct fields *fields, char *buf, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < fields->n && event->n_attributes < EVENT_ATTRIBUTES_MAX; i++) {
		const char *value = fields->list[i].value;
		size_t len = strcspn(value, "=");

		if (!str_equal(fields->list[i].key, "label") || len + 1 > size - used)
			continue;
		str_format(buf + used, size - used, "%.*s", (int)len, value);
		event->attributes[event->n_attributes++] =
			(struct event_attribute){buf + used,
						 value[len] == '=' ? value + len + 1 : ""};
		used += len + 1;
	}
}

void events_note(const struct records *records, const struct sandbox *sandbox, const char *action,
		 const struct event_attribute *attributes, size_t n)
{
	struct event event = {.type = "container", .action = action, .id = sandbox->id, .name = ""};
	char label_names[EVENT_LINE_MAX];
	struct fields fields = {0};
	struct err err;
	int r;

	if (records->event_errno == NULL)
		return;
	for (; event.n_attributes < n; event.n_attributes++)
		event.attributes[event.n_attributes] = attributes[event.n_attributes];
	/* A damaged record has no name to tell. */
	if (fields_read(sandbox->dir_fd, "record", "record", RECORD_FORMAT, "", &fields, &err) ==
	    0) {
		event.name = fields_text(&fields, "name");
		take_labels(&event, &fields, label_names, sizeof(label_names));
	}
	r = events_append(records, &event);
	if (r < 0)
		*records->event_errno = -r;
	fields_free(&fields);
}

void events_note_id(const struct records *records, const char *id, const char *action,
		    const struct event_attribute *attributes, size_t n)
{
	struct sandbox sandbox = {.dir_fd = -EBADF};

	if (records_open_id(records, id, &sandbox) < 0)
		return;
	events_note(records, &sandbox, action, attributes, n);
	sandbox_release(&sandbox);
}

int events_trouble(const struct records *records)
{
	int trouble = records->event_errno != NULL ? *records->event_errno : 0;

	if (trouble != 0)
		*records->event_errno = 0;
	return trouble;
}
