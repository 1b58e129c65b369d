/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See fields.h. Runs in commands and in keepers. */
#include "records/fields.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/sys.h"

enum { LINE_ROOM = 4096 };

/* ---- reading ---- */

static int read_whole(int dir_fd, const char *name, char **ret_text, size_t *ret_len)
{
	/* What is no file is refused, and not waited for. */
	_cleanup_fd_ int fd =
		sys_openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
			   0);
	_cleanup_free_ char *text = NULL;
	size_t len = 0, size;
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > FIELDS_MAX_BYTES)
		return -EFBIG;
	size = (size_t)st.st_size;
	text = malloc(size + 1);
	if (text == NULL)
		return -ENOMEM;
	while (len < size) {
		ssize_t n = read(fd, text + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	text[len] = '\0';
	*ret_text = steal_ptr(&text);
	*ret_len = len;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place. Returns the new length, or -EBADMSG. */
static ssize_t unescape(char *text, size_t len)
{
	size_t to = 0;

	for (size_t from = 0; from < len; from++) {
		int high, low;

		if (text[from] != '%') {
			text[to++] = text[from];
			continue;
		}
		if (len - from < 3)
			return -EBADMSG;
		high = hex_digit(text[from + 1]);
		low = hex_digit(text[from + 2]);
		if (high < 0 || low < 0)
			return -EBADMSG;
		text[to++] = (char)(high << 4 | low);
		from += 2;
	}
	text[to] = '\0';
	return (ssize_t)to;
}

static int read_line(char *line, size_t len, struct field *ret)
{
	char *blank = memchr(line, ' ', len);
	ssize_t n;

	if (blank == NULL || blank == line)
		return -EBADMSG;
	*blank = '\0';
	n = unescape(blank + 1, len - (size_t)(blank + 1 - line));
	if (n < 0)
		return (int)n;
	*ret = (struct field){.key = line, .value = blank + 1, .len = (size_t)n};
	return 0;
}

static size_t count_lines(const char *text)
{
	size_t n = 1;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

/* Takes the lines between the first one and "end" apart. */
static int read_lines(struct fields *fields, size_t len)
{
	char *line = memchr(fields->text, '\n', len);
	const char *stop = fields->text + len;

	if (line == NULL)
		return -EBADMSG;
	for (line++; line < stop;) {
		char *newline = memchr(line, '\n', (size_t)(stop - line));
		int r;

		if (newline == NULL)
			return -EBADMSG;
		*newline = '\0';
		if (str_equal(line, "end"))
			return newline + 1 == stop ? 0 : -EBADMSG;
		r = read_line(line, (size_t)(newline - line), &fields->list[fields->n]);
		if (r < 0)
			return r;
		fields->n++;
		line = newline + 1;
	}
	return -EBADMSG;
}

static int check_first_line(const char *text, const char *what, uint32_t format, const char *path,
			    struct err *err)
{
	char first[64], number[16];
	uint32_t found;

	str_format(first, sizeof(first), "cordon-%s ", what);
	if (!str_has_prefix(text, first))
		return err_set(err, ERR_SETUP, EBADMSG, "%s", path);
	text += strlen(first);
	str_format(number, sizeof(number), "%.*s", (int)strcspn(text, "\n"), text);
	if (parse_u32(number, &found) < 0)
		return err_set(err, ERR_SETUP, EBADMSG, "%s", path);
	if (found == format)
		return 0;
	err_set(err, ERR_SETUP, EPROTO, "%s: has format %u, and this cordon knows format %u", path,
		found, format);
	return err_hint(err, found > format
				     ? "It was written by a newer cordon: use that one."
				     : "It was written by an older cordon: remove the sandbox with "
				       "`cordon rm -f`, and make it anew.");
}

int fields_parse(char *text, size_t len, const struct fields_form *form, struct fields *ret,
		 struct err *err)
{
	struct fields fields = {.text = text};
	int r = check_first_line(fields.text, form->what, form->format, form->path, err);

	if (r == 0) {
		/* No such byte is ever written; a file system that lost power may have left some.
		 */
		bool has_nul = strlen(fields.text) != len;

		fields.list = calloc(count_lines(fields.text), sizeof(*fields.list));
		r = fields.list == NULL ? -ENOMEM : has_nul ? -EBADMSG : read_lines(&fields, len);
		if (r < 0) {
			err_set(err, ERR_SETUP, -r, "%s: is damaged", form->path);
			err_hint(err, "`cordon rm -f` removes the sandbox.");
		}
	}
	if (r < 0)
		fields_free(&fields);
	else
		*ret = fields;
	return r;
}

int fields_read(int dir_fd, const char *name, const char *what, uint32_t format, const char *path,
		struct fields *ret, struct err *err)
{
	const struct fields_form form = {.what = what, .format = format, .path = path};
	size_t len = 0;
	char *text = NULL;
	int r = read_whole(dir_fd, name, &text, &len);

	if (r < 0 || text == NULL)
		return err_set(err, ERR_SETUP, -r, "%s", path);
	return fields_parse(text, len, &form, ret, err);
}

void fields_free(struct fields *fields)
{
	free(fields->text);
	free(fields->list);
	*fields = (struct fields){0};
}

const char *fields_text(const struct fields *fields, const char *key)
{
	for (size_t i = 0; i < fields->n; i++)
		if (str_equal(fields->list[i].key, key))
			return fields->list[i].value;
	return "";
}

int64_t fields_number(const struct fields *fields, const char *key, int64_t otherwise)
{
	const char *text = fields_text(fields, key);
	bool is_negative = text[0] == '-';
	uint64_t value;

	if (parse_u64(text + is_negative, &value) < 0 || value > INT64_MAX)
		return otherwise;
	return is_negative ? -(int64_t)value : (int64_t)value;
}

/* ---- writing ---- */

static void append(struct fields_writer *writer, const char *bytes, size_t len)
{
	if (writer->failed == 0 && writer->len + len + 1 > writer->size) {
		size_t size = 2 * (writer->len + len + LINE_ROOM);
		char *text = size <= FIELDS_MAX_BYTES ? realloc(writer->text, size) : NULL;

		writer->failed = size > FIELDS_MAX_BYTES ? -EFBIG : text == NULL ? -ENOMEM : 0;
		if (text != NULL) {
			writer->text = text;
			writer->size = size;
		}
	}
	if (writer->failed != 0)
		return;
	memcpy(writer->text + writer->len, bytes, len);
	writer->len += len;
	writer->text[writer->len] = '\0';
}

static void append_text(struct fields_writer *writer, const char *text)
{
	append(writer, text, strlen(text));
}

void fields_begin(struct fields_writer *writer, const char *what, uint32_t format)
{
	char line[64];

	str_format(line, sizeof(line), "cordon-%s %u\n", what, format);
	append_text(writer, line);
}

void fields_put_bytes(struct fields_writer *writer, const char *key, const char *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	append_text(writer, key);
	append_text(writer, " ");
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];
		char escaped[] = {'%', digits[c >> 4], digits[c & 15]};

		if (c < ' ' || c == 0x7f || c == '%')
			append(writer, escaped, sizeof(escaped));
		else
			append(writer, &bytes[i], 1);
	}
	append_text(writer, "\n");
}

void fields_put(struct fields_writer *writer, const char *key, const char *value)
{
	fields_put_bytes(writer, key, value, strlen(value));
}

void fields_put_number(struct fields_writer *writer, const char *key, int64_t value)
{
	char text[32];

	str_format(text, sizeof(text), "%lld", (long long)value);
	fields_put(writer, key, text);
}

int fields_finish(struct fields_writer *writer)
{
	append_text(writer, "end\n");
	return writer->failed;
}
