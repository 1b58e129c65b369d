/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making and removing records. A record is there from the rename that gives its directory the id as
 * a name, and gone with the rename that takes it away; everything else is done before the one or
 * after the other, where gc finds it after a crash.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/fault.h"
#include "launcher/ids.h"
#include "records/events.h"
#include "records/internal.h"
#include "records/record.h"
#include "records/status.h"

static enum ids_place place_of_ids(bool is_kept)
{
	return is_kept ? IDS_KEPT : IDS_UNTIL_BOOT;
}

static int claim_block(const struct records *records, struct record *record, struct err *err)
{
	char holder[RECORDS_PATH_MAX];
	struct ids_request request = {.place = place_of_ids(!record->removes_itself),
				      .holder = holder};

	records_path(records, record->id, !record->removes_itself, holder, sizeof(holder));
	return ids_claim(&request, &record->id_block, err);
}

static int release_block(const struct records *records, const char *id, bool is_kept,
			 uint32_t block, struct err *err)
{
	char holder[RECORDS_PATH_MAX];
	int r;

	if (block == 0)
		return 0;
	records_path(records, id, is_kept, holder, sizeof(holder));
	r = ids_release(place_of_ids(is_kept), holder, block, err);
	return r < 0 ? r : 0;
}

/* ---- making ---- */

/* What the store of images goes by (storage/store.h). */
static int write_image(int dir_fd, const struct record *record)
{
	char line[128];
	size_t len = str_format(line, sizeof(line), "%s\n", record->request.image_id);

	return records_write(dir_fd, RECORDS_IMAGE, line, len, !record->removes_itself);
}

/* What the store of volumes goes by (storage/volume.h). */
static int write_volumes(int dir_fd, const struct record *record)
{
	_cleanup_free_ char *text = malloc(record->n_mounts * (CORDON_VOLUME_NAME_SIZE + 1) + 1);
	size_t len = 0;

	if (text == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < record->n_mounts; i++) {
		char name[CORDON_VOLUME_NAME_SIZE];

		if (record->mounts[i].type != MOUNT_VOLUME)
			continue;
		cordon_volume_name(record->id, &record->mounts[i], name);
		len += str_format(text + len, sizeof(name) + 1, "%s\n", name);
	}
	return len == 0
		       ? 0
		       : records_write(dir_fd, RECORDS_VOLUMES, text, len, !record->removes_itself);
}

static int write_files(int dir_fd, const struct record *record)
{
	struct fields_writer writer = {0};
	int r = record_text(record, &writer);

	if (r == 0)
		r = records_write(dir_fd, "record", writer.text, writer.len,
				  !record->removes_itself);
	free(writer.text);
	if (r == 0)
		r = write_volumes(dir_fd, record);
	return r == 0 && record->request.image_id != NULL ? write_image(dir_fd, record) : r;
}

/* base/.new-ID with the record in it. */
static int make_dir(int base, const char *temporary, const struct record *record)
{
	_cleanup_fd_ int dir_fd = -EBADF;
	int r;

	if (mkdirat(base, temporary, 0700) != 0)
		return -errno;
	r = fault_point("create.made", NULL);
	dir_fd = r < 0 ? r : sys_openat(base, temporary, RECORDS_DIR_FLAGS, 0);
	return dir_fd < 0 ? dir_fd : write_files(dir_fd, record);
}

static int publish(const struct records *records, int base, const char *temporary,
		   const struct record *record, struct err *err)
{
	char path[RECORDS_PATH_MAX];
	int r = 0;

	records_path(records, record->id, !record->removes_itself, path, sizeof(path));
	if (renameat2(base, temporary, base, record->id, RENAME_NOREPLACE) != 0)
		return err_set(err, ERR_SETUP, errno, "%s", path);
	if (!record->removes_itself && fsync(base) != 0)
		r = -errno;
	if (r == 0)
		r = fault_point("create.published", NULL);
	/* The name that it has now is ours: nobody else's record is meant by it. */
	if (r < 0 && renameat(base, record->id, base, temporary) != 0)
		return err_set(err, ERR_SETUP, errno, "%s: take back", path);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s", path) : 0;
}

/* What was made before a failure. */
static void take_back(const struct records *records, int base, const char *temporary,
		      const struct record *record)
{
	struct err err;

	ignore_result(state_remove_dir(base, temporary), "gc finds it");
	if (record->name[0] != '\0')
		ignore_result(records_give_name(records, record->name, record->id, &err),
			      "gc finds it");
	ignore_result(release_block(records, record->id, !record->removes_itself, record->id_block,
				    &err),
		      "gc finds it");
}

static int create(const struct records *records, struct record *record, int *gate_fd,
		  bool wants_block, struct err *err)
{
	int base = records_base(records, !record->removes_itself);
	char temporary[RUN_ID_LEN + 16];
	int r;

	str_format(temporary, sizeof(temporary), RECORDS_NEW "%s", record->id);
	r = wants_block ? claim_block(records, record, err) : 0;
	if (r < 0)
		return r;
	r = fault_point("create.claimed", NULL);
	if (r == 0)
		r = make_dir(base, temporary, record);
	if (r == 0)
		r = fault_point("create.written", NULL);
	if (r < 0)
		err_set(err, ERR_SETUP, -r, "%s/sandboxes/%s", records->home, record->id);
	if (r == 0 && record->name[0] != '\0')
		r = records_take_name(records, record->name, record->id, gate_fd, err);
	if (r == 0)
		r = publish(records, base, temporary, record, err);
	if (r < 0)
		take_back(records, base, temporary, record);
	return r;
}

int records_create(const struct records *records, struct record *record, bool wants_block,
		   struct err *err)
{
	int gate_fd = records_hold(records, LOCK_SH, err);
	int r;

	if (gate_fd < 0)
		return gate_fd;
	r = state_make_id(record->id);
	record->created_ms = record_now_ms();
	record->id_block = 0;
	r = r < 0 ? err_set(err, ERR_SETUP, -r, "random number")
		  : create(records, record, &gate_fd, wants_block, err);
	close_fd(&gate_fd);
	if (r == 0)
		events_note_id(records, record->id, "create", NULL, 0);
	return r;
}

/* ---- removing ---- */

int records_sweep(int dir_fd)
{
	int copy = dir_fd < 0 ? -EBADF : sys_openat(dir_fd, ".", RECORDS_DIR_FLAGS, 0);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	int n = 0;

	if (dir == NULL) {
		close_fd(&copy);
		return dir_fd < 0 || copy == -ENOENT ? 0 : -EIO;
	}
	while (n >= 0 && (entry = readdir(dir)) != NULL) {
		if (!str_has_prefix(entry->d_name, RECORDS_TEMPORARY) ||
		    str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
			continue;
		if (unlinkat(dir_fd, entry->d_name, 0) == 0)
			n++;
		else if (errno != ENOENT)
			n = -errno;
	}
	closedir(dir);
	return n;
}

/* The record may be damaged: then its block and name are found by what they lead to (gc). */
static void read_holdings(const struct sandbox *sandbox, char name[SANDBOX_NAME_MAX + 1],
			  uint32_t *ret_block)
{
	struct fields fields;
	struct err err;
	int64_t block;

	name[0] = '\0';
	*ret_block = 0;
	if (fields_read(sandbox->dir_fd, "record", "record", RECORD_FORMAT, "", &fields, &err) < 0)
		return;
	str_format(name, SANDBOX_NAME_MAX + 1, "%s", fields_text(&fields, "name"));
	block = fields_number(&fields, "id_block", 0);
	*ret_block = block > 0 && block <= UINT32_MAX ? (uint32_t)block : 0;
	fields_free(&fields);
}

int records_remove_dir(int base, const char *name)
{
	int r = cordon_remove_layer(base, name);

	return r == 0 ? state_remove_dir(base, name) : r;
}

int records_remove(const struct records *records, struct sandbox *sandbox, struct err *err)
{
	int base = records_base(records, sandbox->is_kept);
	char name[SANDBOX_NAME_MAX + 1], old[RUN_ID_LEN + 16];
	uint32_t block;
	int r = 0;

	read_holdings(sandbox, name, &block);
	str_format(old, sizeof(old), RECORDS_OLD "%s", sandbox->id);
	if (renameat(base, sandbox->id, base, old) != 0 || (sandbox->is_kept && fsync(base) != 0))
		return err_set(err, ERR_SETUP, errno, "%s/sandboxes/%s: remove", records->home,
			       sandbox->id);
	events_note(records, sandbox, "destroy", NULL, 0);
	r = fault_point("remove.renamed", NULL);
	if (r == 0 && name[0] != '\0')
		r = records_give_name(records, name, sandbox->id, err);
	if (r == 0)
		r = fault_point("remove.named", NULL);
	if (r == 0)
		r = release_block(records, sandbox->id, sandbox->is_kept, block, err);
	if (r < 0)
		return r;
	r = fault_point("remove.released", NULL);
	if (r == 0)
		r = records_remove_dir(base, old);
	if (r >= 0)
		r = fault_point("remove.removed", NULL);
	if (r == 0 && sandbox->is_kept && records->live_fd >= 0)
		r = state_remove_dir(records->live_fd, sandbox->id);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s/sandboxes/%s: remove", records->home, old)
		     : 0;
}
