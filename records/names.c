/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of sandboxes. A name is a link, made in one step: of a hundred that want the same name one
 * gets it. A link says nothing by itself, for a crash may have left it: it counts where its record
 * has that name, or may be being made.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/fault.h"
#include "records/internal.h"
#include "records/record.h"

bool records_is_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.-";
	size_t len = strlen(name);

	return len > 0 && len <= SANDBOX_NAME_MAX && strchr("_.-", name[0]) == NULL &&
	       strspn(name, allowed) == len;
}

static int read_link(const struct records *records, const char *name, char id[RUN_ID_LEN + 1])
{
	char text[RUN_ID_LEN + 2];
	ssize_t n = readlinkat(records->names_fd, name, text, sizeof(text));

	if (n < 0) /* EINVAL: no link at all, and so nobody's */
		return errno == EINVAL ? -ENOENT : -errno;
	if (n != RUN_ID_LEN)
		return -ENOENT;
	text[n] = '\0';
	str_format(id, RUN_ID_LEN + 1, "%s", text);
	return records_is_id(id) ? 0 : -ENOENT;
}

int records_open_name(const struct records *records, const char *name, struct sandbox *ret)
{
	char id[RUN_ID_LEN + 1], found[SANDBOX_NAME_MAX + 1];
	int r = records_is_name(name) ? read_link(records, name, id) : -ENOENT;

	if (r == 0)
		r = records_open_id(records, id, ret);
	if (r < 0)
		return r;
	record_read_name(ret, found, sizeof(found));
	if (str_equal(found, name))
		return 0;
	sandbox_release(ret);
	return -ENOENT;
}

/* Whether the link with this name is the name of a record, whose id is then in id. A record that
 * cannot be read may have it. */
static bool is_taken(const struct records *records, const char *name, char id[RUN_ID_LEN + 1])
{
	char found[SANDBOX_NAME_MAX + 1];
	struct sandbox sandbox;

	if (read_link(records, name, id) < 0)
		return false;
	if (records_open_id(records, id, &sandbox) < 0)
		return false;
	record_read_name(&sandbox, found, sizeof(found));
	sandbox_release(&sandbox);
	return found[0] == '\0' || str_equal(found, name);
}

bool records_link_has_record(const struct records *records, const char *name)
{
	char id[RUN_ID_LEN + 1];

	return is_taken(records, name, id);
}

static int refuse(const char *name, const char *id, struct err *err)
{
	err_set(err, ERR_USAGE, EEXIST, "the name %s is taken by sandbox %s", name, id);
	return err_hint(err, "Remove it with `cordon rm %s`, or choose another name.", name);
}

/* A link without a record is in the way: of a crash, or of what is being made. With nobody else at
 * work it is the former. */
static int replace_link(const struct records *records, const char *name, const char *id,
			int *gate_fd, struct err *err)
{
	char other[RUN_ID_LEN + 1];
	int fd;

	close_fd(gate_fd);
	fd = records_hold(records, LOCK_EX, err);
	if (fd < 0)
		return fd;
	*gate_fd = fd;
	if (is_taken(records, name, other))
		return refuse(name, other, err);
	if ((unlinkat(records->names_fd, name, 0) != 0 && errno != ENOENT) ||
	    symlinkat(id, records->names_fd, name) != 0)
		return err_set(err, ERR_SETUP, errno, "%s/names/%s", records->home, name);
	return 0;
}

int records_take_name(const struct records *records, const char *name, const char *id, int *gate_fd,
		      struct err *err)
{
	char other[RUN_ID_LEN + 1];
	int r = 0;

	if (symlinkat(id, records->names_fd, name) != 0)
		r = -errno;
	if (r == -EEXIST) {
		if (is_taken(records, name, other))
			return refuse(name, other, err);
		r = replace_link(records, name, id, gate_fd, err);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s/names/%s", records->home, name);
	r = fault_point("name.taken", NULL);
	if (r == 0 && fsync(records->names_fd) != 0)
		r = -errno;
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s/names", records->home) : 0;
}

int records_give_name(const struct records *records, const char *name, const char *id,
		      struct err *err)
{
	char holder[RUN_ID_LEN + 1];

	if (read_link(records, name, holder) < 0 || !str_equal(holder, id))
		return 0;
	if (unlinkat(records->names_fd, name, 0) != 0 && errno != ENOENT)
		return err_set(err, ERR_SETUP, errno, "%s/names/%s: remove", records->home, name);
	return 0;
}

/* ---- renaming ---- */

/* The record as it is, with another name. */
static int rewrite_name(const struct sandbox *sandbox, const struct fields *fields,
			const char *name)
{
	struct fields_writer writer = {0};
	int r;

	fields_begin(&writer, "record", RECORD_FORMAT);
	fields_put(&writer, "name", name);
	for (size_t i = 0; i < fields->n; i++)
		if (!str_equal(fields->list[i].key, "name"))
			fields_put_bytes(&writer, fields->list[i].key, fields->list[i].value,
					 fields->list[i].len);
	r = fields_finish(&writer);
	if (r == 0)
		r = records_write(sandbox->dir_fd, "record", writer.text, writer.len,
				  sandbox->is_kept);
	free(writer.text);
	return r;
}

/* The new name is taken first and the old one given back last: in between both lead to a record
 * that has one of them. */
static int move_name(const struct records *records, const struct sandbox *sandbox,
		     const struct fields *fields, const char *name, struct err *err)
{
	const char *old = fields_text(fields, "name");
	int gate_fd = records_hold(records, LOCK_SH, err);
	struct err ignored;
	int r;

	if (gate_fd < 0)
		return gate_fd;
	r = records_take_name(records, name, sandbox->id, &gate_fd, err);
	if (r == 0) {
		r = rewrite_name(sandbox, fields, name);
		if (r < 0) {
			err_set(err, ERR_SETUP, -r, "sandbox %s: write its record", sandbox->id);
			ignore_result(records_give_name(records, name, sandbox->id, &ignored),
				      "gc finds it");
		}
	}
	if (r == 0 && old[0] != '\0')
		r = records_give_name(records, old, sandbox->id, err);
	close_fd(&gate_fd);
	return r;
}

int records_rename(const struct records *records, const struct sandbox *sandbox, const char *name,
		   struct err *err)
{
	char path[RECORDS_PATH_MAX + 16];
	struct fields fields;
	size_t len;
	int r;

	if (!records_is_name(name)) {
		err_set(err, ERR_USAGE, 0, "%s: no name for a sandbox", name);
		return err_hint(err,
				"Letters, digits and _.- behind a letter or digit, at most %d.",
				SANDBOX_NAME_MAX);
	}
	records_path(records, sandbox->id, sandbox->is_kept, path, sizeof(path));
	len = strlen(path);
	str_format(path + len, sizeof(path) - len, "/record");
	r = fields_read(sandbox->dir_fd, "record", "record", RECORD_FORMAT, path, &fields, err);
	if (r < 0)
		return r;
	r = str_equal(fields_text(&fields, "name"), name)
		    ? err_set(err, ERR_USAGE, 0, "the sandbox has the name %s already", name)
		    : move_name(records, sandbox, &fields, name, err);
	fields_free(&fields);
	return r;
}
