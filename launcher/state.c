/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Run directories, journals and claims of id blocks; see state.h. Runs in the keeper and in `cordon
 * gc`, as the caller. Nothing is fsynced: the run root is bound to this boot, and after a crash of
 * the machine no process, mount or claim of the old boot is alive.
 */
#include "launcher/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/own_dir.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/ids.h"
#include "launcher/limits.h"
#include "launcher/placeholders.h"

enum {
	DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
	JOURNAL_MAX = 16384,
	LINE_MAX_BYTES = 2048,
};

static const char shared_name[] = "shared";

/* ---- the run root ---- */

int state_root_path(const char *root_dir, uint32_t euid, const char *runtime_dir, char *buf,
		    size_t size, struct err *err)
{
	char cwd[PATH_MAX];
	char text[PATH_MAX + 1];
	size_t len;

	if (getcwd(cwd, sizeof(cwd)) == NULL)
		cwd[0] = '\0';
	if (root_dir != NULL)
		len = str_format(text, sizeof(text), "%s/run", root_dir);
	else if (euid == 0)
		len = str_format(text, sizeof(text), "/run/cordon");
	else if (runtime_dir != NULL && runtime_dir[0] == '/')
		len = str_format(text, sizeof(text), "%s/cordon", runtime_dir);
	else
		len = str_format(text, sizeof(text), "/tmp/cordon-%u", euid);
	/* A text that fills the buffer may have been cut, to the name of another place. */
	if (len == sizeof(text) - 1 || path_normalize(buf, size, cwd, text) < 0)
		return err_set(err, ERR_USAGE, 0, "--root %s: not a usable path", text);
	return 0;
}

static const char *environment_value(const char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; environment != NULL && environment[i] != NULL; i++)
		if (strncmp(environment[i], name, len) == 0 && environment[i][len] == '=')
			return environment[i] + len + 1;
	return NULL;
}

int state_kept_path(const struct state_owner *owner, char *buf, size_t size, struct err *err)
{
	const char *data = environment_value(owner->environment, "XDG_DATA_HOME");
	char cwd[PATH_MAX], text[PATH_MAX + 1];
	size_t len;

	if (getcwd(cwd, sizeof(cwd)) == NULL)
		cwd[0] = '\0';
	if (owner->root_dir != NULL)
		len = str_format(text, sizeof(text), "%s/state", owner->root_dir);
	else if (owner->euid == 0) /* HOME and XDG_* may be another's: sudo keeps them */
		len = str_format(text, sizeof(text), "/var/lib/cordon");
	else if (data != NULL && data[0] == '/')
		len = str_format(text, sizeof(text), "%s/cordon", data);
	else if (owner->home != NULL && owner->home[0] == '/')
		len = str_format(text, sizeof(text), "%s/.local/share/cordon", owner->home);
	else
		return -ENOENT;
	if (len == sizeof(text) - 1 || path_normalize(buf, size, cwd, text) < 0)
		return err_set(err, ERR_USAGE, 0, "%s: not a usable path", text);
	return 0;
}

int state_open_own_dir(int dirfd, const char *name, struct err *err)
{
	return own_dir_open(dirfd, name, true, "Remove it, or name another place with --root DIR.",
			    err);
}

int state_root_hint(struct err *err)
{
	return geteuid() == 0 ? err_hint(err, "Name another place with --root DIR.")
			      : err_hint(err, "XDG_RUNTIME_DIR says where it is: set it to a "
					      "directory of your own, unset it, or name another "
					      "place with --root DIR.");
}

int state_root_open(const char *path, struct state_root *ret_root, struct err *err)
{
	struct state_root root = {.fd = -EBADF, .runs_fd = -EBADF};
	int r = own_dir_make_parents(path);

	if (r < 0) {
		err_set(err, ERR_SETUP, -r, "%s: make its parents", path);
		return state_root_hint(err);
	}
	str_format(root.path, sizeof(root.path), "%s", path);
	root.fd = state_open_own_dir(AT_FDCWD, path, err);
	if (root.fd < 0)
		return err->hint[0] == '\0' ? state_root_hint(err) : root.fd;
	root.runs_fd = state_open_own_dir(root.fd, "runs", err);
	r = root.runs_fd < 0 ? root.runs_fd : state_enter_boot(&root, err);
	if (r < 0) {
		state_root_release(&root);
		return r;
	}
	*ret_root = root;
	return 0;
}

void state_root_release(struct state_root *root)
{
	close_fd(&root->runs_fd);
	close_fd(&root->fd);
}

/* ---- runs ---- */

int state_make_id(char id[RUN_ID_LEN + 1])
{
	unsigned char bytes[RUN_ID_LEN / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -EIO;
	for (size_t i = 0; i < sizeof(bytes); i++)
		str_format(id + 2 * i, 3, "%x%x", bytes[i] >> 4, bytes[i] & 15);
	return 0;
}

int state_lock(int fd, int how)
{
	int r;

	do
		r = flock(fd, how);
	while (r != 0 && errno == EINTR);
	return r != 0 ? -errno : 0;
}

/* Makes the directory and its journal, under a shared lock that keeps gc away from a half-made one.
 */
static int create_locked(int runs_fd, struct state_run *run)
{
	_cleanup_fd_ int dir = -EBADF;

	if (mkdirat(runs_fd, run->id, 0700) != 0)
		return -errno;
	dir = sys_openat(runs_fd, run->id, DIR_FLAGS, 0);
	if (dir < 0)
		return dir;
	run->journal_fd = sys_openat(dir, "journal",
				     O_CREAT | O_EXCL | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
	return run->journal_fd < 0 ? run->journal_fd
				   : state_lock(run->journal_fd, LOCK_EX | LOCK_NB);
}

int state_run_create(struct state_root *root, struct state_run *ret_run, struct err *err)
{
	struct state_run run = {.journal_fd = -EBADF};
	/* A lock belongs to an open file: ours alone, not shared with a child. */
	_cleanup_fd_ int gate = sys_openat(root->runs_fd, ".", DIR_FLAGS, 0);
	int r = gate < 0 ? gate : state_make_id(run.id);

	if (r == 0)
		r = state_lock(gate, LOCK_SH);
	if (r == 0)
		r = create_locked(root->runs_fd, &run);
	if (r < 0) {
		close_fd(&run.journal_fd);
		return err_set(err, ERR_SETUP, -r, "%s/runs/%s: make the run directory", root->path,
			       run.id);
	}
	*ret_run = run;
	return state_journal(ret_run, "run_directory", err);
}

int state_run_share(const char *run, const char *id)
{
	char path[PATH_MAX + 64];
	int fd;

	str_format(path, sizeof(path), "%s/runs/%s/%s", run, id, shared_name);
	fd = sys_openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fd;
	ignore_result(close(fd), "nothing was written");
	return 0;
}

bool state_run_is_shared(const struct state_root *root, const char *id)
{
	char path[64];

	str_format(path, sizeof(path), "%s/%s", id, shared_name);
	return faccessat(root->runs_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int state_run_remove(struct state_root *root, const char *id, bool has_links, struct err *err)
{
	/* Those of names are launcher/network_files.c's. The journal last: by it gc comes again. */
	static const char *const files[] = {"hosts", "resolv.conf", "offers", shared_name,
					    "journal"};
	_cleanup_fd_ int dir = sys_openat(root->runs_fd, id, DIR_FLAGS, 0);
	int r;

	if (dir == -ENOENT)
		return 0;
	if (dir < 0)
		return err_set(err, ERR_SETUP, -dir, "%s/runs/%s: open", root->path, id);
	r = has_links ? placeholders_forget(dir) : 0;
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s/runs/%s: remove its links", root->path, id);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (unlinkat(dir, files[i], 0) != 0 && errno != ENOENT)
			return err_set(err, ERR_SETUP, errno, "%s/runs/%s/%s: remove", root->path,
				       id, files[i]);
	if (unlinkat(root->runs_fd, id, AT_REMOVEDIR) != 0 && errno != ENOENT)
		return err_set(err, ERR_SETUP, errno, "%s/runs/%s: remove", root->path, id);
	return 0;
}

int state_journal(struct state_run *run, const char *what, struct err *err)
{
	char line[LINE_MAX_BYTES];
	size_t len = str_format(line, sizeof(line), "begin %s\n", what);
	int r = io_write_all(run->journal_fd, line, len);

	return r < 0 ? err_set(err, ERR_SETUP, -r, "journal of run %s", run->id) : 0;
}

int state_note_path(struct state_root *root, const struct state_run *run, const char *name,
		    const char *path, struct err *err)
{
	_cleanup_fd_ int dir = sys_openat(root->runs_fd, run->id, DIR_FLAGS, 0);
	int r = dir;

	if (dir >= 0)
		r = symlinkat(path, dir, name) != 0 ? -errno : 0;
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s/runs/%s/%s: note %s", root->path, run->id,
			       name, path)
		     : 0;
}

/* ---- blocks of host ids ---- */

static void claim_text(const struct state_root *root, const char *id, char *buf, size_t size)
{
	str_format(buf, size, "%s/runs/%s", root->path, id);
}

static int note_block(void *ctx, uint32_t first, struct err *err)
{
	char line[64];

	str_format(line, sizeof(line), "id_block %u", first);
	return state_journal(ctx, line, err);
}

int state_block_claim(struct state_root *root, struct state_run *run, struct err *err)
{
	char holder[PATH_MAX + 32];
	struct ids_request request = {.place = IDS_UNTIL_BOOT,
				      .holder = holder,
				      .note = note_block,
				      .ctx = run};
	int r;

	claim_text(root, run->id, holder, sizeof(holder));
	r = ids_claim(&request, &run->block_first, err);
	if (r < 0)
		return r;
	run->has_block = true;
	run->block_number = run->block_first;
	return 0;
}

int state_block_release(const struct state_root *root, const char *id, uint64_t block_number,
			struct err *err)
{
	char holder[PATH_MAX + 32];

	claim_text(root, id, holder, sizeof(holder));
	return ids_release(IDS_UNTIL_BOOT, holder, block_number, err);
}

/* ---- gc ---- */

/* Undoes what a journal names. The file is the caller's own (its directory was checked), but only
 * the two known entries are acted on. */
static int undo_journal(const struct state_root *root, const char *id, const char *text,
			struct gc_report *report, struct err *err)
{
	static const char block[] = "begin id_block ";
	int result = 0;

	for (const char *line = text; *line != '\0';
	     line += strcspn(line, "\n"), line += *line == '\n') {
		char number[24];
		uint64_t value;
		int r;

		if (!str_has_prefix(line, block))
			continue;
		str_format(number, sizeof(number), "%.*s",
			   (int)strcspn(line + sizeof(block) - 1, "\n"), line + sizeof(block) - 1);
		if (parse_u64(number, &value) < 0)
			continue;
		r = state_block_release(root, id, value, err);
		if (r < 0)
			result = r;
		else
			report->n_blocks_freed += (uint32_t)r;
	}
	return result;
}

static bool is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static int gc_run(struct state_root *root, const char *id, struct gc_report *report,
		  struct err *err)
{
	_cleanup_fd_ int dir = sys_openat(root->runs_fd, id, DIR_FLAGS, 0);
	_cleanup_fd_ int journal = -EBADF;
	char text[JOURNAL_MAX];
	ssize_t n;
	int r;

	if (dir == -ENOENT)
		return 0;
	if (dir < 0)
		return err_set(err, ERR_SETUP, -dir, "%s/runs/%s: open", root->path, id);
	journal = sys_openat(dir, "journal", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	/* Only where there is none was the run never complete. Any other failure says nothing about
	 * the keeper, which may be alive. */
	if (journal < 0 && journal != -ENOENT)
		return err_set(err, ERR_SETUP, -journal, "%s/runs/%s/journal: open", root->path,
			       id);
	if (journal >= 0 && !is_file(journal))
		return err_set(err, ERR_SETUP, EINVAL, "%s/runs/%s/journal: is no file", root->path,
			       id);
	if (journal >= 0 && state_lock(journal, LOCK_EX | LOCK_NB) < 0) {
		report->n_runs_alive++;
		return 0;
	}
	if (journal >= 0) {
		n = io_read_text(dir, "journal", text, sizeof(text));
		if (n < 0)
			return err_set(err, ERR_SETUP, (int)-n, "%s/runs/%s/journal", root->path,
				       id);
		r = placeholders_gc(dir, text, err);
		if (r == 0)
			r = limits_gc(text, err);
		if (r == 0)
			r = undo_journal(root, id, text, report, err);
		if (r < 0)
			return r;
	}
	r = state_run_remove(root, id, true, err);
	if (r == 0)
		report->n_runs_removed++;
	return r;
}

/* New runs wait: one that is being made has no journal yet. */
static int hold_runs(const struct state_root *root, struct err *err)
{
	_cleanup_fd_ int gate = sys_openat(root->runs_fd, ".", DIR_FLAGS, 0);
	int r = gate < 0 ? gate : state_lock(gate, LOCK_EX);

	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s/runs: lock", root->path) : steal_fd(&gate);
}

int state_gc_run(struct state_root *root, const char *id, struct gc_report *report, struct err *err)
{
	_cleanup_fd_ int gate = hold_runs(root, err);

	return gate < 0 ? gate : gc_run(root, id, report, err);
}

int state_gc(struct state_root *root, struct gc_report *ret_report, struct err *err)
{
	_cleanup_fd_ int gate = hold_runs(root, err);
	struct gc_report report = {0};
	char prefix[PATH_MAX + 32];
	struct dirent *entry;
	int result = 0;
	DIR *runs;
	int r;

	if (gate < 0)
		return gate;
	runs = fdopendir(fcntl(gate, F_DUPFD_CLOEXEC, 0));
	if (runs == NULL)
		return err_set(err, ERR_SETUP, errno, "%s/runs: list", root->path);
	/* One failure does not keep the rest from being undone. */
	while ((entry = readdir(runs)) != NULL)
		if (entry->d_name[0] != '.') {
			r = gc_run(root, entry->d_name, &report, err);
			result = r < 0 ? r : result;
		}
	closedir(runs);
	claim_text(root, "", prefix, sizeof(prefix));
	r = ids_release_orphans(IDS_UNTIL_BOOT, prefix, root->runs_fd, &report.n_blocks_freed, err);
	*ret_report = report;
	return r < 0 ? r : result;
}
