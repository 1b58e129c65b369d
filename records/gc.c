/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a crash leaves of records: half-made and half-removed directories, names and claims of
 * nobody, sandboxes whose keeper was killed. Runs in `cordon gc`, as the records' owner, while
 * nothing is being made (HOME/lock, exclusive). What is alive is not touched, and twice does no
 * harm. The runs themselves (control groups, placeholders, ids of transient runs) are
 * launcher/state.c's, and come first.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/ids.h"
#include "records/internal.h"
#include "records/record.h"
#include "records/status.h"

/* Calls each for every name in a directory; failures are collected, and never stop the walk. */
static int walk(int base,
		int (*each)(const struct records *, const char *, struct records_report *,
			    struct err *),
		const struct records *records, struct records_report *report, struct err *err)
{
	struct dirent *entry;
	int result = 0;
	DIR *dir;
	int fd;

	if (base < 0)
		return 0;
	fd = sys_openat(base, ".", RECORDS_DIR_FLAGS, 0);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (dir == NULL) {
		result = err_set(err, ERR_SETUP, fd < 0 ? -fd : errno, "list what is kept");
		close_fd(&fd);
		return result;
	}
	while ((entry = readdir(dir)) != NULL) {
		struct err theirs;
		int r;

		if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
			continue;
		r = each(records, entry->d_name, report, &theirs);
		if (r < 0) {
			result = r;
			*err = theirs;
		}
	}
	closedir(dir);
	return result;
}

/* ---- directories ---- */

static int remove_rubbish(int base, const char *name, struct records_report *report,
			  struct err *err)
{
	int r;

	if (!str_has_prefix(name, RECORDS_NEW) && !str_has_prefix(name, RECORDS_OLD))
		return 0;
	r = records_remove_dir(base, name);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "sandboxes/%s: remove", name);
	report->n_removed += r == 0;
	return 0;
}

static int add_swept(int swept, struct records_report *report, const struct sandbox *sandbox,
		     struct err *err)
{
	if (swept < 0)
		return err_set(err, ERR_SETUP, -swept, "sandboxes/%s: remove", sandbox->id);
	report->n_removed += (uint32_t)swept;
	return 0;
}

/* Files that were never whole, of a sandbox that no keeper and no other command writes to. */
static int sweep(const struct records *records, const struct sandbox *sandbox,
		 struct records_report *report, struct err *err)
{
	_cleanup_fd_ int live_fd =
		records->live_fd < 0 || !sandbox->is_kept
			? -EBADF
			: sys_openat(records->live_fd, sandbox->id, RECORDS_DIR_FLAGS, 0);
	int r = add_swept(records_sweep(sandbox->dir_fd), report, sandbox, err);

	return r < 0 ? r : add_swept(records_sweep(live_fd), report, sandbox, err);
}

/*
 * Nobody is waited for: a command that is at work on a sandbox may itself be waiting (for a keeper,
 * which waits for HOME/lock), and it settles the sandbox before it does anything. Returns 1 where
 * it was settled.
 */
static int settle(const struct records *records, const struct sandbox *sandbox,
		  struct records_report *report, struct err *err)
{
	int r = records_try_lock(records, sandbox);

	if (r == -EWOULDBLOCK || r == -ENOENT)
		return 0;
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "sandboxes/%s: lock", sandbox->id);
	if (records_is_running(sandbox))
		return 0;
	r = status_settle(records, sandbox, err);
	if (r > 0)
		report->n_settled++;
	/* The groups are gone with the run. */
	if (r >= 0 && status_is_updating(records, sandbox))
		r = status_mark_updating(records, sandbox, false, err);
	if (r < 0)
		return r;
	return sweep(records, sandbox, report, err) < 0 ? -EIO : 1;
}

static int gc_kept(const struct records *records, const char *name, struct records_report *report,
		   struct err *err)
{
	struct sandbox sandbox;
	int r;

	if (!records_is_id(name))
		return remove_rubbish(records->sandboxes_fd, name, report, err);
	r = records_open_id(records, name, &sandbox);
	if (r < 0)
		return r == -ENOENT ? 0 : err_set(err, ERR_SETUP, -r, "sandboxes/%s", name);
	r = settle(records, &sandbox, report, err);
	sandbox_release(&sandbox);
	return r < 0 ? r : 0;
}

static int is_whole(const struct records *records, const struct sandbox *sandbox, struct err *err)
{
	struct record record;
	int r = record_read(records, sandbox, &record, err);

	if (r == 0)
		record_free(&record);
	return r;
}

/* What has ended of a sandbox that removes itself. */
static int remove_ended(const struct records *records, struct sandbox *sandbox,
			struct records_report *report, struct err *err)
{
	struct sandbox_status status = {0};
	uint32_t n_settled = report->n_settled;
	int r = settle(records, sandbox, report, err);

	report->n_settled = n_settled; /* it is removed, and nobody asks why it ended */
	if (r <= 0 && r != -EBADMSG)
		return r;
	if (r > 0)
		r = status_read(records, sandbox, &status, err);
	status_release(&status);
	/* Never flushed: with a run root on a disk the end of the power may have left any of it. */
	if (r >= 0)
		r = is_whole(records, sandbox, err);
	if (r < 0 && r != -EBADMSG)
		return r;
	if (r >= 0 && (status.has_keeper || status.state != SANDBOX_EXITED))
		return 0;
	report->n_removed++;
	return records_remove(records, sandbox, err);
}

static int gc_live(const struct records *records, const char *name, struct records_report *report,
		   struct err *err)
{
	struct sandbox sandbox;
	int r;

	if (!records_is_id(name))
		return remove_rubbish(records->live_fd, name, report, err);
	if (records_is_alive(records, name))
		return 0;
	r = records_open_id(records, name, &sandbox);
	if (r == 0) {
		r = sandbox.is_kept ? 0 : remove_ended(records, &sandbox, report, err);
		sandbox_release(&sandbox);
		return r;
	}
	if (r != -ENOENT)
		return err_set(err, ERR_SETUP, -r, "sandboxes/%s", name);
	/* The lock of a kept one that was removed. */
	r = state_remove_dir(records->live_fd, name);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "sandboxes/%s: remove", name);
	report->n_removed++;
	return 0;
}

/* ---- names and claims ---- */

static int gc_name(const struct records *records, const char *name, struct records_report *report,
		   struct err *err)
{
	struct sandbox sandbox;
	int r = records_open_name(records, name, &sandbox);

	if (r == 0) {
		sandbox_release(&sandbox);
		return 0;
	}
	/* A record that is damaged may have it. */
	if (r != -ENOENT || records_link_has_record(records, name))
		return 0;
	if (unlinkat(records->names_fd, name, 0) != 0 && errno != ENOENT)
		return err_set(err, ERR_SETUP, errno, "%s/names/%s: remove", records->home, name);
	report->n_removed++;
	return 0;
}

static int gc_claims(const struct records *records, bool is_kept, struct records_report *report,
		     struct err *err)
{
	char prefix[RECORDS_PATH_MAX];

	if (records_base(records, is_kept) < 0)
		return 0;
	records_path(records, "", is_kept, prefix, sizeof(prefix));
	return ids_release_orphans(is_kept ? IDS_KEPT : IDS_UNTIL_BOOT, prefix,
				   records_base(records, is_kept), &report->n_removed, err);
}

int records_gc(const struct records *records, struct records_report *ret, struct err *err)
{
	struct records_report report = {0};
	_cleanup_fd_ int gate = -EBADF;
	int result = 0;
	int r;

	*ret = report;
	if (!records->is_there)
		return 0;
	gate = records_hold(records, LOCK_EX, err);
	if (gate < 0)
		return gate;
	r = walk(records->sandboxes_fd, gc_kept, records, &report, err);
	result = r < 0 ? r : result;
	r = walk(records->live_fd, gc_live, records, &report, err);
	result = r < 0 ? r : result;
	r = walk(records->names_fd, gc_name, records, &report, err);
	result = r < 0 ? r : result;
	r = gc_claims(records, true, &report, err);
	result = r < 0 ? r : result;
	r = gc_claims(records, false, &report, err);
	*ret = report;
	return r < 0 ? r : result;
}
