/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See commit_edits.h. As with Docker what a sandbox was started with is what its image's next one
 * is: flags of its own command line. What a profile says stays the profile's.
 */
#include "cmd/commit_edits.h"

#include <errno.h>
#include <linux/memfd.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"

static void put_bytes(struct edits *e, const char *key, const char *value, size_t len)
{
	if (e->result == 0)
		e->result = io_write_all(e->fd, key, strlen(key));
	if (e->result == 0)
		e->result = io_write_all(e->fd, "=", 1);
	if (e->result == 0)
		e->result = io_write_all(e->fd, value, len);
	if (e->result == 0)
		e->result = io_write_all(e->fd, "", 1);
}

void edits_put(struct edits *e, const char *key, const char *value)
{
	put_bytes(e, key, value, strlen(value));
}

static void put_each(struct edits *e, const char *key, const char *const *list)
{
	for (; *list != NULL; list++)
		edits_put(e, key, *list);
}

/* ---- variables ---- */

void edits_put_callers(struct edits *e, const struct record *record, const char *name, size_t len)
{
	for (const char *const *v = record->request.environment; v != NULL && *v != NULL; v++)
		if (strncmp(*v, name, len) == 0 && (*v)[len] == '=')
			edits_put(e, "Env", *v);
}

/* A name alone is the caller's variable, as it was then. */
static void put_variable(struct edits *e, const struct record *record, const char *text, size_t len)
{
	if (memchr(text, '=', len) != NULL) {
		put_bytes(e, "Env", text, len);
		return;
	}
	edits_put_callers(e, record, text, len);
}

/* The text was read when the sandbox was made, and is one that the policy took. */
static void put_file(struct edits *e, const struct record *record, const char *text, size_t size)
{
	static const char mark[] = "\xef\xbb\xbf";
	const char *end = text + size;

	if (size >= strlen(mark) && memcmp(text, mark, strlen(mark)) == 0)
		text += strlen(mark);
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *last = newline != NULL ? newline : end;

		while (text < last && strchr(" \t\v\f\r", *text) != NULL)
			text++;
		if (text < last && *text != '#')
			put_variable(e, record, text, (size_t)(last - text) - (last[-1] == '\r'));
		text = newline != NULL ? newline + 1 : end;
	}
}

static void put_env_file(struct edits *e, const struct record *record, const char *name)
{
	const struct policy_files *files = &record->files;
	char path[PATH_MAX];

	if (path_normalize(path, sizeof(path), record->cwd, name) < 0) {
		e->result = -ENAMETOOLONG;
		return;
	}
	for (size_t i = 0; i < files->n; i++)
		if (str_equal(files->list[i].ref, path)) {
			put_file(e, record, files->list[i].text, files->list[i].len);
			return;
		}
	e->result = -ENOENT;
}

/* ---- all that the command line said ---- */

static void put_volumes(struct edits *e, const struct policy_request *policy)
{
	for (size_t i = 0; i < policy->n_flags; i++) {
		const struct policy_flag *flag = &policy->flags[i];

		if (flag->kind == FLAG_VOLUME && strchr(flag->text, ':') == NULL)
			edits_put(e, "Volume", flag->text);
	}
}

/* What stands behind `--` is the whole command line (policy/image.c). */
static void put_command(struct edits *e, const struct policy_request *policy)
{
	bool names_image = false, has_words = policy->argv[0] != NULL;

	for (size_t i = 0; i < policy->n_flags; i++)
		names_image |= policy->flags[i].kind == FLAG_IMAGE;
	if (policy->entrypoint != NULL || (has_words && !names_image)) {
		edits_put(e, "reset", "Entrypoint");
		edits_put(e, "reset", "Cmd");
	}
	if (policy->entrypoint != NULL && policy->entrypoint[0] != '\0')
		edits_put(e, "Entrypoint", policy->entrypoint);
	if (has_words)
		edits_put(e, "reset", "Cmd");
	put_each(e, "Cmd", policy->argv);
}

static void put_history(struct edits *e, const struct record *record, const struct words *words)
{
	const char *author = words_value(words, "--author");
	const char *message = words_value(words, "--message");
	char line[4096] = "";
	size_t len = 0;

	for (const char *const *word = record->command; *word != NULL; word++)
		len += str_format(line + len, sizeof(line) - len, "%s%s", len > 0 ? " " : "",
				  *word);
	edits_put(e, "created_by", line);
	if (author != NULL)
		edits_put(e, "author", author);
	if (message != NULL)
		edits_put(e, "comment", message);
}

int commit_edits(const struct record *record, const struct words *words, struct err *err)
{
	const struct policy_request *policy = &record->request.policy;
	_cleanup_fd_ int fd = sys_memfd_create("edits", MFD_CLOEXEC);
	struct edits e = {.fd = fd, .result = fd < 0 ? fd : 0};
	int r;

	put_command(&e, policy);
	/* What a file says counts less than any flag. */
	for (size_t i = 0; i < policy->n_flags; i++)
		if (policy->flags[i].kind == FLAG_ENV_FILE)
			put_env_file(&e, record, policy->flags[i].text);
	r = edits_put_said(&e, record, err);
	put_volumes(&e, policy);
	put_each(&e, "Label", record->labels);
	put_history(&e, record, words);
	for (size_t i = 0; i < words->n_flags; i++)
		if (str_equal(words->flags[i].name, "--change"))
			edits_put(&e, "change", words->flags[i].value);
	if (r < 0)
		return r;
	return e.result < 0 ? err_set(err, ERR_SETUP, -e.result, "what its command line said")
			    : steal_fd(&fd);
}
