/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON documents of an archive: read once into memory, their digest checked, and handed to a parser
 * that is confined. What it says is checked here as if it had been hostile. Runs in the importer.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "libexec/image/importer.h"

enum { LINES_MAX = RECORD_SUMMARY_MAX + RECORD_SETTINGS_MAX + (128 << 10) };

void document_release(struct document *document)
{
	free(document->text);
	free(document->lines);
	document->text = document->lines = NULL;
}

int document_open(int dir, const char *path, struct err *err)
{
	/* An archive of Docker's may have links to its layers. */
	int fd = sys_openat2(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0,
			     RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
	struct stat st;

	if (fd < 0)
		return err_set(err, ERR_SETUP, -fd, "%s", path);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return err_set(err, ERR_SETUP, 0, "%s: not a file", path);
}

/* All that a descriptor gives, at most max bytes, NUL-terminated. */
static int read_all(int fd, size_t max, char **ret, size_t *ret_len)
{
	_cleanup_free_ char *text = malloc(max + 1);
	size_t len = 0;
	ssize_t n = 1;

	if (text == NULL)
		return -ENOMEM;
	while (n > 0 && len < max + 1) {
		n = read(fd, text + len, max + 1 - len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else
			len += n > 0 ? (size_t)n : 0;
	}
	if (n < 0 || len > max)
		return n < 0 ? -errno : -EFBIG;
	text[len] = '\0';
	*ret = steal_ptr(&text);
	*ret_len = len;
	return 0;
}

struct said {
	size_t max; /* bytes */
	char *text;
	size_t len;
};

/* A file of its own, so that the parser gets the bytes whose digest was taken. */
static int text_fd(const struct document *document)
{
	_cleanup_fd_ int fd = sys_memfd_create("document", MFD_CLOEXEC);
	int r = fd < 0 ? fd : io_write_all(fd, document->text, document->len);

	if (r < 0)
		return r;
	return lseek(fd, 0, SEEK_SET) != 0 ? -errno : steal_fd(&fd);
}

/* What a confined process says of a document. */
static int ask(struct importer *im, struct worker_job *job, const struct document *document,
	       struct said *ret, struct err *err)
{
	struct worker worker = {.pid = -1, .report_fd = -EBADF};
	_cleanup_fd_ int text = text_fd(document), ours = -EBADF, theirs = -EBADF;
	struct worker_report report;
	int ends[2];
	int r = text < 0 ? text : 0;

	if (r == 0 && pipe2(ends, O_CLOEXEC) != 0)
		r = -errno;
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s", im->what);
	ours = ends[0];
	theirs = ends[1];
	job->kind = CONFINE_PURE;
	job->is_root = im->is_root;
	for (int i = 0; i < WORKER_FDS; i++)
		job->fds[i] = -EBADF;
	job->fds[WORKER_IN] = text;
	job->fds[WORKER_OUT] = theirs;
	r = worker_start(job, &worker, err);
	close_fd(&theirs);
	if (r < 0)
		return r;
	r = read_all(ours, ret->max, &ret->text, &ret->len);
	if (r < 0) {
		worker_stop(&worker);
		return err_set(err, ERR_SETUP, -r, "%s: what %s says", im->what, job->what);
	}
	return worker_finish(&worker, &report, err);
}

int document_parse(struct importer *im, enum parse_kind kind, struct document *document,
		   struct err *err)
{
	struct worker_job job = {.what = "the parser", .argument = (int)kind, .run = stage_parse};
	struct said said = {.max = LINES_MAX};
	int r = ask(im, &job, document, &said, err);

	document->lines = said.text;
	if (r == 0 && (said.text == NULL || strlen(said.text) != said.len ||
		       (said.len > 0 && said.text[said.len - 1] != '\n')))
		r = err_set(err, ERR_SETUP, 0, "%s: the parser does not say lines", im->what);
	return r;
}

int document_compose(struct importer *im, const struct document *input, struct document *ret,
		     struct err *err)
{
	struct worker_job job = {.what = "the composer", .run = stage_compose};
	struct document document = {0};
	struct said said = {.max = PARSE_MAX_BYTES};
	int r = ask(im, &job, input, &said, err);

	document.text = said.text;
	document.len = said.len;
	if (r == 0) {
		flow_digest_text(document.text, document.len, document.hex);
		r = document_parse(im, PARSE_CONFIG, &document, err);
	}
	if (r < 0)
		document_release(&document);
	else
		*ret = document;
	return r;
}

int document_read(struct importer *im, const struct document_place *place, struct document *ret,
		  struct err *err)
{
	const char *path = place->path, *expected = place->expected;
	_cleanup_fd_ int fd = document_open(place->dir, path, err);
	struct document document = {0};
	int r;

	if (fd < 0)
		return fd;
	r = read_all(fd, PARSE_MAX_BYTES, &document.text, &document.len);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s", path);
	flow_digest_text(document.text, document.len, document.hex);
	if (expected != NULL && !str_equal(expected, document.hex))
		r = err_set(err, ERR_SETUP, 0,
			    "%s: its digest is sha256:%s, and should be sha256:%s", path,
			    document.hex, expected);
	if (r == 0) {
		r = document_parse(im, place->kind, &document, err);
		if (r < 0)
			err_wrap(err, "%s", path);
	}
	if (r < 0) {
		document_release(&document);
		return r;
	}
	*ret = document;
	return 0;
}

char *document_next(char **at, char **ret_value)
{
	char *line = strsep(at, "\n");
	char *space;

	if (line == NULL || line[0] == '\0')
		return NULL;
	space = strchr(line, ' ');
	if (space != NULL)
		*space = '\0';
	*ret_value = space != NULL ? space + 1 : line + strlen(line);
	return line;
}

static bool is_word(const char *text)
{
	static const char all[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				  "._-";

	return text[0] != '\0' && strlen(text) < RECORD_WORD_MAX && text[strspn(text, all)] == '\0';
}

/* "KEY VALUE" as the record has it. */
static int take_setting(const char *line, struct image_record *ret)
{
	size_t len = strlen(ret->settings);
	const char *at = ret->settings + len;
	struct image_setting *setting;
	bool is_one;

	if (strlen(line) + 8 > sizeof(ret->settings) - len)
		return -E2BIG;
	setting = malloc(sizeof(*setting));
	if (setting == NULL)
		return -ENOMEM;
	str_format(ret->settings + len, sizeof(ret->settings) - len, "set %s\n", line);
	is_one = image_settings_next(&at, setting) == 1 && *at == '\0';
	free(setting);
	return is_one ? 0 : -EINVAL;
}

static int take_line(const char *key, const char *value, struct image_record *ret)
{
	if (str_equal(key, "os") && is_word(value)) {
		str_format(ret->os, sizeof(ret->os), "%s", value);
	} else if (str_equal(key, "architecture") && is_word(value)) {
		str_format(ret->architecture, sizeof(ret->architecture), "%s", value);
	} else if (str_equal(key, "diff") && store_is_hex(value)) {
		if (ret->n_layers == RECORD_LAYERS_MAX)
			return -E2BIG;
		memcpy(ret->layers[ret->n_layers++], value, STORE_HEX_SIZE);
	} else if (str_equal(key, "set")) {
		return take_setting(value, ret);
	} else if (str_equal(key, "summary") && strlen(value) < sizeof(ret->summary)) {
		str_format(ret->summary, sizeof(ret->summary), "%s", value);
	} else {
		return -EINVAL;
	}
	return 0;
}

int document_config(struct document *config, struct image_record *ret, struct err *err)
{
	char *at = config->lines, *key, *value;
	int r = 0;

	memset(ret, 0, sizeof(*ret));
	while (r == 0 && (key = document_next(&at, &value)) != NULL)
		r = take_line(key, value, ret);
	if (r == -E2BIG)
		return err_set(err, ERR_SETUP, 0,
			       ret->n_layers == RECORD_LAYERS_MAX
				       ? "the image has more than %d layers"
				       : "the image's configuration is too long (%d layers)",
			       RECORD_LAYERS_MAX);
	if (r < 0 || ret->os[0] == '\0' || ret->architecture[0] == '\0' || ret->summary[0] != '{')
		return err_set(err, ERR_SETUP, 0, "the image's configuration cannot be used");
	return 0;
}
