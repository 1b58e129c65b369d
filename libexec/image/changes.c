/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `cordon diff`: what a sandbox wrote to its root, beside what that was made of.
 *
 *	cordon-image STORE changes [--json] -- from=FD userns=FD [block] {image=HEX | lower=FD}
 *
 * A lister (confined as a packer, with the sandbox's ids) walks the directory that the overlay
 *wrote to and says what it finds in lines. Whether the same name was there before is looked up
 *here, in the layers below, which nobody has written to since.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/json.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/sys.h"
#include "libexec/image/importer.h"
#include "libexec/image/name.h"

enum { LINE_SIZE = NAME_ESCAPED + 4 };

/* What the lister says of a name: one letter, a blank, the name as name_escape has it. */
enum listed { LISTED_ENTRY = 'e', LISTED_OPAQUE = 'o', LISTED_ABSENCE = 'a', LISTED_PLACE = 'p' };

static const char opaque_attribute[] = "user.overlay.opaque";

static bool is_absence(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

static bool is_opaque(int fd)
{
	char value[2];

	return fgetxattr(fd, opaque_attribute, value, sizeof(value)) == 1 && value[0] == 'y';
}

/* ---- the lister ---- */

static int say(char letter, const char *name)
{
	char line[LINE_SIZE], escaped[NAME_ESCAPED];
	size_t len;

	name_escape(name, escaped, sizeof(escaped));
	len = str_format(line, sizeof(line), "%c %s\n", letter, escaped);
	return io_write_all(WORKER_OUT, line, len);
}

static int list_dir(int fd, const char *above, unsigned depth);

/* Where cordon mounts what every sandbox has (rootfs/tree.c): a directory that it makes where the
 * root has none, and that nobody inside can write to below the mount. */
static bool is_own_place(int fd, const char *name)
{
	static const char *const places[] = {"dev", "proc", "tmp"};
	struct store_names names = {0};
	bool is_one = false;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		is_one |= str_equal(name, places[i]);
	if (!is_one || is_opaque(fd) || store_names_read(fd, true, &names) < 0)
		return false;
	is_one = names.n == 0;
	store_names_release(&names);
	return is_one;
}

static int list_name(int dir, const char *above, const char *base, unsigned depth)
{
	_cleanup_fd_ int fd = -EBADF;
	char name[NAME_SIZE];
	struct stat st;
	int r;

	if (str_format(name, sizeof(name), "%s%s%s", above, above[0] != '\0' ? "/" : "", base) >=
	    sizeof(name) - 1)
		return -ENAMETOOLONG;
	if (fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -errno; /* gone meanwhile: it runs */
	if (!S_ISDIR(st.st_mode))
		return say(is_absence(&st) ? LISTED_ABSENCE : LISTED_ENTRY, name);
	fd = sys_openat(dir, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (is_opaque(fd))
		r = say(LISTED_OPAQUE, name);
	else
		r = say(is_own_place(fd, name) ? LISTED_PLACE : LISTED_ENTRY, name);
	return r < 0 ? r : list_dir(fd, name, depth + 1);
}

static int list_dir(int fd, const char *above, unsigned depth)
{
	struct store_names names = {0};
	int r = depth > NAME_DEPTH_MAX ? -ENAMETOOLONG : store_names_read(fd, true, &names);

	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = list_name(fd, above, names.list[i], depth);
	store_names_release(&names);
	return r;
}

static int stage_list(const struct worker_job *job, struct worker_report *report)
{
	int r = list_dir(WORKER_DIR, "", 0);

	(void)job;
	return r < 0 ? err_set(&report->err, ERR_SETUP, -r, "list what was written") : 0;
}

/* ---- what was there before ---- */

struct below {
	int fds[RECORD_LAYERS_MAX]; /* lowest first */
	size_t n;
};

/* Whether name is in one layer: 1; 0: it says nothing; -ENOENT: it hides what lies below it. */
static int is_in_layer(int layer, const char *name)
{
	_cleanup_fd_ int dir = fcntl(layer, F_DUPFD_CLOEXEC, 3);
	int absent = 0;

	while (dir >= 0) {
		size_t len = strcspn(name, "/");
		char part[NAME_PART_MAX + 1];
		struct stat st;
		int next;

		str_format(part, sizeof(part), "%.*s", (int)len, name);
		if (fstatat(dir, part, &st, AT_SYMLINK_NOFOLLOW) != 0)
			return absent;
		if (is_absence(&st))
			return -ENOENT;
		if (name[len] == '\0')
			return 1;
		if (!S_ISDIR(st.st_mode))
			return -ENOENT;
		next = sys_openat(dir, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
		close_fd(&dir);
		dir = next;
		if (dir >= 0 && is_opaque(dir))
			absent = -ENOENT;
		name += len + 1;
	}
	return absent;
}

static bool was_there(const struct below *below, const char *name)
{
	for (size_t i = below->n; i > 0; i--) {
		int r = is_in_layer(below->fds[i - 1], name);

		if (r != 0)
			return r > 0;
	}
	return false;
}

/* ---- what is said ---- */

struct saying {
	const struct below *below;
	bool is_json;
	size_t n;
	/* What is below it is new: an opaque directory. */
	char fresh[NAME_SIZE];
};

static void print(struct saying *s, const char *kind, const char *name)
{
	char shown[NAME_SIZE + 1];
	char buf[6 * NAME_SIZE + 64];
	struct json json;

	str_format(shown, sizeof(shown), "/%s", name);
	if (!s->is_json) {
		shown[str_make_harmless(shown, strlen(shown))] = '\0';
		printf("%c %s\n", kind[0] == 'a' ? 'A' : kind[0] == 'c' ? 'C' : 'D', shown);
		return;
	}
	json_init(&json, buf, sizeof(buf));
	json_open(&json, NULL, '{');
	json_text(&json, "kind", kind);
	json_text(&json, "path", shown);
	json_close(&json, '}');
	if (json_finish(&json) >= 0)
		printf("%s%s", s->n++ > 0 ? "," : "", buf);
}

static bool is_below(const char *name, const char *dir)
{
	size_t len = strlen(dir);

	return len > 0 && strncmp(name, dir, len) == 0 && name[len] == '/';
}

static int take_line(struct saying *s, const char *line)
{
	char name[NAME_SIZE];
	bool was, is_new;

	if (line[0] == '\0' || line[1] != ' ' ||
	    name_unescape(line + 2, strlen(line + 2), name) < 0)
		return -EBADMSG;
	was = was_there(s->below, name);
	is_new = !was || is_below(name, s->fresh);
	if (line[0] == LISTED_ABSENCE) {
		if (!is_new)
			print(s, "deleted", name);
		return 0;
	}
	if (line[0] == LISTED_PLACE && is_new)
		return 0;
	/* One that was removed and made anew. */
	if (line[0] == LISTED_OPAQUE && !is_new) {
		print(s, "deleted", name);
		is_new = true;
	}
	if (line[0] == LISTED_OPAQUE && !is_below(name, s->fresh))
		str_format(s->fresh, sizeof(s->fresh), "%s", name);
	print(s, is_new ? "added" : "changed", name);
	return 0;
}

static int take_lines(struct saying *s, int from, struct err *err)
{
	FILE *file = fdopen(from, "re");
	char *line = malloc(LINE_SIZE);
	int r = file == NULL || line == NULL ? -ENOMEM : 0;

	while (r == 0 && fgets(line, LINE_SIZE, file) != NULL) {
		size_t len = strlen(line);

		if (importer_is_interrupted())
			r = -EINTR;
		else if (len == 0 || line[len - 1] != '\n')
			r = -EBADMSG;
		else {
			line[len - 1] = '\0';
			r = take_line(s, line);
		}
	}
	free(line);
	if (file != NULL)
		ignore_result(fclose(file), "read-only");
	else
		close(from);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "what the lister says") : 0;
}

/* ---- the command ---- */

static int open_each(const struct store *store, const struct image_record *record,
		     struct below *ret, struct err *err)
{
	for (size_t i = 0; i < record->n_layers; i++) {
		char path[STORE_HEX_SIZE + 16];

		str_format(path, sizeof(path), "%s/tree", record->layers[i]);
		ret->fds[i] = sys_openat(store->layers_fd, path,
					 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
		if (ret->fds[i] < 0)
			return err_set(err, ERR_SETUP, -ret->fds[i], "layer %s", record->layers[i]);
		ret->n++;
	}
	return 0;
}

static int open_layers(const struct command *command, const char *hex, struct below *ret,
		       struct err *err)
{
	struct image_record *record;
	struct store store;
	int r = command_open_store(command, &store, err);

	if (r != 0)
		return r < 0 ? r : err_set(err, ERR_SETUP, ENOENT, "image %s", hex);
	record = calloc(1, sizeof(*record));
	if (record == NULL) {
		store_release(&store);
		return err_set(err, ERR_SETUP, ENOMEM, "image %s", hex);
	}
	r = store_is_hex(hex) ? image_record_read(&store, hex, record, err)
			      : err_set(err, ERR_BUG, EINVAL, "image %s", hex);
	if (r == 0)
		r = open_each(&store, record, ret, err);
	free(record);
	store_release(&store);
	return r;
}

struct changes {
	int from;
	struct worker_inside inside;
	const char *image;
	int lower;
};

static int read_words(const struct command *command, struct changes *c, struct err *err)
{
	for (size_t i = 0; i < command->n_words; i++) {
		const char *word = command->words[i];
		const char *value = strchr(word, '=');
		uint32_t fd = 0;

		if (str_equal(word, "block"))
			c->inside.has_block = true;
		else if (str_has_prefix(word, "image="))
			c->image = value + 1;
		else if (value == NULL || parse_u32(value + 1, &fd) < 0 || fd > INT32_MAX)
			return err_set(err, ERR_BUG, EINVAL, "changes: %s", word);
		else if (str_has_prefix(word, "from="))
			c->from = (int)fd;
		else if (str_has_prefix(word, "userns="))
			c->inside.userns = (int)fd;
		else if (str_has_prefix(word, "lower="))
			c->lower = (int)fd;
	}
	return c->from < 0 || c->inside.userns < 0 || (c->image == NULL && c->lower < 0)
		       ? err_set(err, ERR_BUG, EINVAL, "changes: words are missing")
		       : 0;
}

static int run_lister(const struct changes *c, struct saying *s, struct err *err)
{
	struct worker_job job = {.what = "the lister",
				 .kind = CONFINE_PACK_INSIDE,
				 .is_root = geteuid() == 0,
				 .inside = &c->inside,
				 .run = stage_list};
	struct worker worker = {.pid = -1, .report_fd = -EBADF};
	struct worker_report report;
	int ends[2], r;

	for (int i = 0; i < WORKER_FDS; i++)
		job.fds[i] = -EBADF;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set(err, ERR_SETUP, errno, "a pipe");
	job.fds[WORKER_DIR] = c->from;
	job.fds[WORKER_OUT] = ends[1];
	r = worker_start(&job, &worker, err);
	close(ends[1]);
	if (r < 0) {
		close(ends[0]);
		return r;
	}
	r = take_lines(s, ends[0], err);
	if (r < 0) {
		worker_stop(&worker);
		return r;
	}
	return worker_finish(&worker, &report, err);
}

int command_changes(const struct command *command, struct err *err)
{
	struct changes c = {.from = -EBADF, .lower = -EBADF, .inside = {.userns = -EBADF}};
	struct below below = {.n = 0};
	struct saying s = {.below = &below, .is_json = command->is_json};
	int r = read_words(command, &c, err);

	if (r == 0 && c.image != NULL)
		r = open_layers(command, c.image, &below, err);
	else if (r == 0)
		below.fds[below.n++] = c.lower;
	if (r == 0 && s.is_json)
		printf("{\"schema\":\"cordon.changes/1\",\"changes\":[");
	if (r == 0)
		r = run_lister(&c, &s, err);
	if (r == 0 && s.is_json)
		printf("]}\n");
	for (size_t i = 0; i < below.n; i++)
		close_fd(&below.fds[i]);
	return r;
}
