/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading events; see events.h. Runs in `cordon events`, as the records' owner. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/sys.h"
#include "records/events.h"

/* ---- one line ---- */

/* What is left of it. Nothing is read at or behind end. */
struct cursor {
	char *at;
	char *end;
};

static bool take(struct cursor *c, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(c->end - c->at) < len || memcmp(c->at, word, len) != 0)
		return false;
	c->at += len;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* UTF-8 of a character below U+10000 that is no NUL and no surrogate; its length, -1 for others. */
static int put_character(uint32_t character, char *to)
{
	if (character == 0 || (character >= 0xd800 && character < 0xe000))
		return -1;
	if (character < 0x80) {
		to[0] = (char)character;
		return 1;
	}
	if (character < 0x800) {
		to[0] = (char)(0xc0 | character >> 6);
		to[1] = (char)(0x80 | (character & 0x3f));
		return 2;
	}
	to[0] = (char)(0xe0 | character >> 12);
	to[1] = (char)(0x80 | (character >> 6 & 0x3f));
	to[2] = (char)(0x80 | (character & 0x3f));
	return 3;
}

/* Behind a backslash: the quote, another one, or "uXXXX". What it stands for goes to `to`, and is
 * never longer. Returns its length, -1: none. */
static int take_escape(struct cursor *c, char *to)
{
	uint32_t character = 0;

	if (c->at == c->end)
		return -1;
	if (*c->at == '"' || *c->at == '\\') {
		*to = *c->at++;
		return 1;
	}
	if (c->end - c->at < 5 || *c->at != 'u')
		return -1;
	for (int i = 1; i < 5; i++) {
		int digit = hex_digit(c->at[i]);

		if (digit < 0)
			return -1;
		character = character << 4 | (uint32_t)digit;
	}
	c->at += 5;
	return put_character(character, to);
}

/* A text in quotes, unescaped in place. NULL: there is none. */
static const char *take_text(struct cursor *c)
{
	char *text, *to;

	if (!take(c, "\""))
		return NULL;
	for (text = to = c->at; c->at < c->end && *c->at != '"';) {
		unsigned char byte = (unsigned char)*c->at++;
		int n = 1;

		if (byte == '\\')
			n = take_escape(c, to);
		else
			*to = (char)byte;
		if (n < 0 || byte < ' ' || byte == 0x7f)
			return NULL;
		to += n;
	}
	if (!take(c, "\""))
		return NULL;
	*to = '\0'; /* where the quote was, or before it */
	return text;
}

static bool take_named(struct cursor *c, const char *name, const char **ret)
{
	if (!take(c, ",\"") || !take(c, name) || !take(c, "\":"))
		return false;
	*ret = take_text(c);
	return *ret != NULL;
}

static bool take_time(struct cursor *c, int64_t *ret)
{
	char number[24];
	uint64_t value;
	size_t len = 0;

	if (!take(c, ",\"time_ns\":"))
		return false;
	while (c->at < c->end && *c->at >= '0' && *c->at <= '9' && len < sizeof(number) - 1)
		number[len++] = *c->at++;
	number[len] = '\0';
	if (parse_u64(number, &value) < 0 || value > INT64_MAX)
		return false;
	*ret = (int64_t)value;
	return true;
}

static bool take_attributes(struct cursor *c, struct event *event)
{
	if (!take(c, ",\"attributes\":{"))
		return false;
	while (!take(c, "}")) {
		struct event_attribute *attribute = &event->attributes[event->n_attributes];

		if (event->n_attributes == EVENT_ATTRIBUTES_MAX ||
		    (event->n_attributes > 0 && !take(c, ",")))
			return false;
		attribute->key = take_text(c);
		if (attribute->key == NULL || !take(c, ":"))
			return false;
		attribute->value = take_text(c);
		if (attribute->value == NULL)
			return false;
		event->n_attributes++;
	}
	return true;
}

int event_from_line(char *line, size_t len, struct event *ret)
{
	struct cursor c = {.at = line, .end = line + len};

	ret->n_attributes = 0;
	return take(&c, "{\"schema\":\"" EVENT_SCHEMA "\"") && take_time(&c, &ret->time_ns) &&
			       take_named(&c, "type", &ret->type) &&
			       take_named(&c, "action", &ret->action) &&
			       take_named(&c, "id", &ret->id) &&
			       take_named(&c, "name", &ret->name) && take_attributes(&c, ret) &&
			       take(&c, "}") && c.at == c.end
		       ? 0
		       : -EBADMSG;
}

/* ---- the files ---- */

static int open_one(int home_fd, const char *name)
{
	_cleanup_fd_ int fd =
		sys_openat(home_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	struct stat st;

	if (fd < 0)
		return fd == -ENOENT ? -EBADF : fd;
	if (fstat(fd, &st) != 0)
		return -errno;
	return S_ISREG(st.st_mode) ? steal_fd(&fd) : -EINVAL;
}

static bool is_same(int a, int b)
{
	struct stat first, second;

	return a >= 0 && b >= 0 && fstat(a, &first) == 0 && fstat(b, &second) == 0 &&
	       first.st_ino == second.st_ino && first.st_dev == second.st_dev;
}

/* What is to be read: the older file, then the newer. `read_fd`: what has been read, -EBADF for
 * nothing. Returns how many have come, or -errno. */
static int open_files(struct events_reader *reader, int read_fd)
{
	/* The newer one first: where it is renamed between the two, it is met twice, and none is
	 * missed. */
	_cleanup_fd_ int newer = open_one(reader->home_fd, EVENTS_FILE);
	_cleanup_fd_ int older = open_one(reader->home_fd, EVENTS_OLD_FILE);
	int n = 0;

	if (newer < 0 && newer != -EBADF)
		return newer;
	if (older < 0 && older != -EBADF)
		return older;
	if (is_same(newer, older))
		close_fd(&newer);
	if (is_same(newer, read_fd))
		return 0; /* there is nothing behind it */
	if (is_same(older, read_fd))
		close_fd(&older);
	if (older >= 0)
		reader->fds[n++] = steal_fd(&older);
	if (newer >= 0)
		reader->fds[n++] = steal_fd(&newer);
	return n;
}

int events_open(const struct records *records, bool only_new, struct events_reader *ret)
{
	int r;

	ret->home_fd = records->home_fd;
	ret->fds[0] = ret->fds[1] = -EBADF;
	ret->since_ns = 0;
	ret->n_broken = 0;
	ret->begin = ret->end = 0;
	if (ret->home_fd < 0)
		return 0;
	r = open_files(ret, -EBADF);
	if (r < 0 || !only_new)
		return r < 0 ? r : 0;
	if (ret->fds[1] >= 0) {
		close_fd(&ret->fds[0]);
		ret->fds[0] = steal_fd(&ret->fds[1]);
	}
	return ret->fds[0] >= 0 && lseek(ret->fds[0], 0, SEEK_END) < 0 ? -errno : 0;
}

void events_close(struct events_reader *reader)
{
	close_fd(&reader->fds[0]);
	close_fd(&reader->fds[1]);
}

/* Whether something was written to it since it was read to its end. */
static bool has_more(int fd)
{
	off_t at = fd >= 0 ? lseek(fd, 0, SEEK_CUR) : -1;
	struct stat st;

	return at >= 0 && fstat(fd, &st) == 0 && st.st_size > at;
}

enum { SAME_FILE, NEXT_FILE, NO_FILE };

/* On to the next file, if there is one. Returns one of the three, or -errno. */
static int go_on(struct events_reader *reader)
{
	_cleanup_fd_ int read_fd = steal_fd(&reader->fds[0]);
	int r;

	if (reader->fds[1] >= 0) {
		reader->fds[0] = steal_fd(&reader->fds[1]);
		return NEXT_FILE;
	}
	r = open_files(reader, read_fd);
	if (r < 0)
		return r;
	/* Between its end and its new name: behind that nobody writes to it. */
	if (r > 0 && !has_more(read_fd))
		return NEXT_FILE;
	events_close(reader);
	reader->fds[0] = steal_fd(&read_fd);
	return r > 0 ? SAME_FILE : NO_FILE;
}

/* More text behind what is unread. Returns 1; 0: none now; or -errno. */
static int fill(struct events_reader *reader)
{
	size_t left = reader->end - reader->begin;
	int r;

	memmove(reader->text, reader->text + reader->begin, left);
	reader->begin = 0;
	reader->end = left;
	if (left == EVENTS_BUFFER) { /* that is no line */
		reader->n_broken++;
		reader->end = left = 0;
	}
	for (;;) {
		ssize_t n = reader->fds[0] < 0 ? 0
					       : read(reader->fds[0], reader->text + left,
						      EVENTS_BUFFER - left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n > 0) {
			reader->end += (size_t)n;
			return 1;
		}
		r = reader->home_fd >= 0 ? go_on(reader) : NO_FILE;
		if (r < 0 || r == NO_FILE)
			return r < 0 ? r : 0;
		/* What has no newline at the end of a file that is full was cut off. */
		if (r == NEXT_FILE && left > 0) {
			reader->n_broken++;
			reader->end = left = 0;
		}
	}
}

int events_next(struct events_reader *reader, struct event *ret)
{
	for (;;) {
		char *line = reader->text + reader->begin;
		char *newline = memchr(line, '\n', reader->end - reader->begin);
		int r;

		if (newline == NULL) {
			r = fill(reader);
			if (r <= 0)
				return r;
			continue;
		}
		reader->begin = (size_t)(newline + 1 - reader->text);
		if (newline == line)
			continue; /* behind a line that was cut off */
		if (event_from_line(line, (size_t)(newline - line), ret) < 0)
			reader->n_broken++;
		else if (ret->time_ns >= reader->since_ns)
			return 1;
	}
}
