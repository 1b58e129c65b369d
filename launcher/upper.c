/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store of what is written to the root; see upper.h. Runs in the keeper. */
#include "launcher/upper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/own_dir.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/launch.h"
#include "launcher/preflight.h"
#include "storage/quota.h"

enum { FILE_SYSTEMS_MAX = 4096, AMOUNT_MAX = 32 };

static const char dir_name[] = "writable";

const char *upper_name(enum spec_writable writable)
{
	switch (writable) {
	case WRITABLE_NONE:
		return "none";
	case WRITABLE_TMPFS:
		return "tmpfs";
	case WRITABLE_IMAGE:
		return "image";
	case WRITABLE_PROJECT:
		return "project";
	case WRITABLE_AUTO:
		return "auto";
	}
	return "none";
}

static void place_of(const struct decision *d, char *buf, size_t size)
{
	str_format(buf, size, "%s/%s", d->kept_path, dir_name);
}

/* Of what is large the rest does not count. */
static void put_size(uint64_t bytes, char *buf, size_t size)
{
	if (bytes % (1 << 20) == 0 || bytes > 1 << 30)
		str_format(buf, size, "%llu MiB", (unsigned long long)(bytes >> 20));
	else
		str_format(buf, size, "%llu bytes", (unsigned long long)bytes);
}

/* ---- facts ---- */

static bool has_ext4(void)
{
	char text[FILE_SYSTEMS_MAX];

	return io_read_text(AT_FDCWD, "/proc/filesystems", text, sizeof(text)) > 0 &&
	       strstr(text, "\text4\n") != NULL;
}

/* A root that could take all that the host has left would be no root of limited size. What is kept
 * may have taken it before: quota_layer_mount looks when it makes one. */
static void probe_place(const struct decision *d, char *why, size_t size)
{
	char place[PATH_MAX], amount[AMOUNT_MAX];
	uint64_t free_bytes = 0;
	int r;

	place_of(d, place, sizeof(place));
	r = d->spec.rootfs.preallocates ? quota_preallocate_probe(place) : 0;
	if (r == -EOPNOTSUPP) {
		str_format(why, size,
			   "%s: its file system cannot reserve space "
			   "(rootfs.writable.preallocate)",
			   place);
		return;
	}
	r = quota_image_probe(place, &free_bytes);
	if (r < 0)
		str_format(why, size,
			   "%s: a file without a name: %s (--root DIR names another "
			   "place)",
			   place, strerrordesc_np(-r));
	else if (!d->is_kept && free_bytes < d->spec.rootfs.size_bytes) {
		put_size(free_bytes, amount, sizeof(amount));
		str_format(why, size,
			   "%s: its file system has %s left, less than the root may "
			   "take",
			   place, amount);
	}
}

void upper_probe_image(const struct decision *d, char *why, size_t size)
{
	if (!facts_can_map_block(&d->facts) || !d->facts.in_initial_userns)
		str_format(why, size, "only root may mount one, and this is not the host's root");
	else if (access("/dev/loop-control", R_OK | W_OK) != 0)
		str_format(why, size, "there is no /dev/loop-control (as root: modprobe loop)");
	else if (!has_ext4())
		str_format(why, size, "this kernel has not loaded ext4 (as root: modprobe ext4)");
	else if (quota_program_path("mke2fs") == NULL)
		str_format(why, size, "mke2fs is not installed (package e2fsprogs)");
	else if (d->spec.rootfs.size_bytes < QUOTA_SIZE_MIN)
		str_format(why, size, "one has a rootfs.writable.size of 1 MiB or more");
	else if (d->is_kept && d->spec.rootfs.size_bytes < QUOTA_KEPT_SIZE_MIN)
		str_format(why, size,
			   "one that is kept has a rootfs.writable.size of 8 MiB or "
			   "more");
	else if (d->is_kept && quota_program_path("e2fsck") == NULL)
		str_format(why, size, "e2fsck is not installed (package e2fsprogs)");
	else if (d->spec.rootfs.inodes > d->spec.rootfs.size_bytes / QUOTA_INODE_BYTES / 2)
		str_format(why, size,
			   "rootfs.writable.inodes would take more than half of "
			   "rootfs.writable.size, %d bytes each: with "
			   "--set rootfs.writable.inodes=%llu it is one",
			   QUOTA_INODE_BYTES,
			   (unsigned long long)d->spec.rootfs.size_bytes / QUOTA_BLOCK);
	if (why[0] == '\0')
		probe_place(d, why, size);
}

/* The limits themselves are set by the row, and read back. */
static void probe_project(const struct decision *d, char *why, size_t size)
{
	char place[PATH_MAX];
	int r;

	place_of(d, place, sizeof(place));
	if (!facts_can_map_block(&d->facts) || !d->facts.in_initial_userns) {
		str_format(why, size, "only root may set one, and this is not the host's root");
		return;
	}
	/* One that is there stays what it is, whatever the host can do at a later start. */
	if (d->is_kept && d->spec.rootfs.writable == WRITABLE_AUTO) {
		str_format(why, size, "what auto keeps of a sandbox is an image");
		return;
	}
	r = quota_project_probe(place);
	if (r < 0)
		str_format(why, size,
			   "%s: its file system has no project quotas on (ext4 and XFS "
			   "have them, mounted with prjquota)",
			   place);
}

void upper_probe(struct decision *d)
{
	struct upper_facts *facts = &d->facts.upper;
	enum spec_writable asked = d->spec.rootfs.writable;
	struct sysinfo info;

	if (asked == WRITABLE_IMAGE || asked == WRITABLE_AUTO)
		upper_probe_image(d, facts->image, sizeof(facts->image));
	if (asked == WRITABLE_PROJECT || asked == WRITABLE_AUTO)
		probe_project(d, facts->project, sizeof(facts->project));
	if (asked == WRITABLE_AUTO && sysinfo(&info) == 0)
		facts->memory_bytes = (uint64_t)info.totalram * info.mem_unit;
}

/* ---- decision ---- */

/* What was meant for a disk is not put into memory where it could take more than half of that. */
static bool is_too_much_memory(const struct decision *d)
{
	uint64_t memory = d->facts.upper.memory_bytes;

	return d->spec.rootfs.writable == WRITABLE_AUTO && d->writable == WRITABLE_TMPFS &&
	       memory != 0 && d->spec.rootfs.size_bytes > memory / 2;
}

static void report_too_much(const struct decision *d, struct misses *misses)
{
	struct miss *m =
		preflight_miss(misses, "rootfs.writable.store", d->spec.rootfs.writable_origin);
	char asked[AMOUNT_MAX], most[AMOUNT_MAX];

	put_size(d->spec.rootfs.size_bytes, asked, sizeof(asked));
	put_size(d->facts.upper.memory_bytes / 2, most, sizeof(most));
	str_format(m->text, sizeof(m->text),
		   "rootfs.writable.size: %s is more than there is room for: in memory at most %s; "
		   "as an image: %s",
		   asked, most, d->facts.upper.image);
	str_format(m->hint, sizeof(m->hint), "Ask for less: --storage-opt size=1g.");
}

/* A quota is a limit, and nothing that could be reserved. */
static enum spec_writable best_store(const struct decision *d)
{
	const struct upper_facts *facts = &d->facts.upper;

	if (facts->project[0] == '\0' && !d->spec.rootfs.preallocates)
		return WRITABLE_PROJECT;
	return facts->image[0] == '\0' ? WRITABLE_IMAGE : WRITABLE_TMPFS;
}

static void report_not_preallocated(const struct decision *d, struct misses *misses)
{
	const char *why = d->facts.upper.image;
	struct miss *m = preflight_miss(misses, "rootfs.writable.preallocate",
					d->spec.rootfs.preallocate_origin);

	str_format(m->text, sizeof(m->text),
		   "rootfs.writable.preallocate: only an image's space can be reserved, and this "
		   "is store: %s%s%s",
		   upper_name(d->writable), why[0] != '\0' ? "; not image: " : "", why);
	str_format(m->hint, sizeof(m->hint),
		   "Take `store: image` where it can be had, or leave preallocate out.");
}

void upper_decide(struct decision *d, struct misses *misses)
{
	const struct spec_rootfs *rootfs = &d->spec.rootfs;
	const char *why = rootfs->writable == WRITABLE_IMAGE     ? d->facts.upper.image
			  : rootfs->writable == WRITABLE_PROJECT ? d->facts.upper.project
								 : "";
	struct miss *m;

	d->writable = rootfs->writable;
	if (rootfs->writable == WRITABLE_AUTO)
		d->writable = best_store(d);
	if (rootfs->preallocates && d->writable != WRITABLE_NONE && d->writable != WRITABLE_IMAGE) {
		report_not_preallocated(d, misses);
		return;
	}
	if (is_too_much_memory(d)) {
		report_too_much(d, misses);
		return;
	}
	if (why[0] == '\0')
		return;
	m = preflight_miss(misses, "rootfs.writable.store", rootfs->writable_origin);
	str_format(m->text, sizeof(m->text), "rootfs.writable.store: %s: %s",
		   upper_name(rootfs->writable), why);
	str_format(m->hint, sizeof(m->hint),
		   "Take `store: tmpfs` (memory, with the same size and inodes), or `store: auto`, "
		   "which is the best that there is here.");
}

size_t upper_text(const struct decision *d, char *buf, size_t size)
{
	const struct spec_rootfs *rootfs = &d->spec.rootfs;
	const char *what = "";
	char amount[AMOUNT_MAX], place[PATH_MAX];
	size_t len;

	put_size(rootfs->size_bytes, amount, sizeof(amount));
	place_of(d, place, sizeof(place));
	if (d->writable == WRITABLE_NONE)
		return str_format(buf, size, "read-only");
	if (d->writable == WRITABLE_TMPFS)
		what = "memory, which counts to limits.memory";
	if (d->writable == WRITABLE_IMAGE)
		what = rootfs->preallocates ? "reserved, an ext4 in a file without a name, in "
					    : "an ext4 in a file without a name, in ";
	if (d->writable == WRITABLE_PROJECT)
		what = "a directory with a project quota, in ";
	len = str_format(buf, size, "%s: %s and %llu inodes; %s%s", upper_name(d->writable), amount,
			 (unsigned long long)rootfs->inodes, what,
			 d->writable != WRITABLE_TMPFS ? place : "");
	if (rootfs->writable == WRITABLE_AUTO && d->writable == WRITABLE_TMPFS)
		len += str_format(buf + len, size - len, "; not image: %s", d->facts.upper.image);
	return len;
}

/* ---- row ---- */

bool upper_is_made(const struct decision *d)
{
	return d->writable == WRITABLE_IMAGE || d->writable == WRITABLE_PROJECT;
}

bool upper_is_removed_by_us(const struct launch *launch)
{
	return launch->decision->writable == WRITABLE_PROJECT && launch->layer_dir_fd == NULL;
}

static int open_place(const struct decision *d, struct err *err)
{
	_cleanup_fd_ int kept = -EBADF;
	int fd, r = own_dir_make_parents(d->kept_path);

	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: make its parents", d->kept_path);
	kept = state_open_own_dir(AT_FDCWD, d->kept_path, err);
	if (kept < 0)
		return kept;
	fd = state_open_own_dir(kept, dir_name, err);
	return fd < 0 ? err_wrap(err, "%s", d->kept_path) : fd;
}

/* Of the one that is kept of the sandbox, or of one that is gone with it. */
static int make_store(struct launch *launch, struct quota_request *request, struct err *err)
{
	struct upper_store *store = &launch->upper;
	bool is_project = launch->decision->writable == WRITABLE_PROJECT;
	bool *is_old = &launch->rootfs.is_store_old;

	if (is_project && request->is_kept) {
		request->layer_name = LAYER_PROJECT;
		return quota_directory_mount(request, &store->project_fd, &store->mount_fd, is_old,
					     err);
	}
	if (is_project)
		return quota_project_make(request, &store->project_fd, &store->mount_fd, err);
	if (request->is_kept)
		return quota_layer_mount(request, &store->mount_fd, is_old, err);
	return quota_image_make(request, &store->mount_fd, err);
}

int upper_make(struct launch *launch, struct err *err)
{
	const struct decision *d = launch->decision;
	const struct spec_identity *id = &launch->spec->identity;
	struct upper_store *store = &launch->upper;
	char place[PATH_MAX];
	struct quota_request request = {
		.dir_path = place,
		.size_bytes = launch->spec->rootfs.size_bytes / QUOTA_BLOCK * QUOTA_BLOCK,
		.inodes = launch->spec->rootfs.inodes,
		.uid = launch->run.block_first + id->uid,
		.gid = launch->run.block_first + id->gid,
		.is_kept = launch->layer_dir_fd != NULL,
		.preallocates = launch->spec->rootfs.preallocates,
		.layer_dir_fd = launch->layer_dir_fd != NULL ? *launch->layer_dir_fd : -EBADF,
		.layer_name = LAYER_IMAGE,
		.layer_what = "the sandbox's layer",
		.layer_anew = "Make the sandbox anew: cordon rm, and cordon create.",
		.checker_id = launch->run.block_first + IDENTITY_INIT,
	};
	int r;

	place_of(d, place, sizeof(place));
	store->place_fd = open_place(d, err);
	if (store->place_fd < 0)
		return store->place_fd;
	request.dir_fd = store->place_fd;
	r = make_store(launch, &request, err);
	if (r == 0)
		launch->rootfs.store_fd = store->mount_fd;
	launch->rootfs.is_store_kept = request.is_kept;
	return r;
}

int upper_verify(struct launch *launch, struct err *err)
{
	const struct spec_rootfs *rootfs = &launch->spec->rootfs;
	struct quota_size size;
	bool is_old = launch->rootfs.is_store_old;
	uint64_t least, most;
	int r;

	if (launch->upper.mount_fd < 0)
		return err_set(err, ERR_SETUP, 0, "rootfs.writable: there is no store");
	if (launch->decision->writable == WRITABLE_PROJECT)
		return quota_project_verify(launch->upper.project_fd,
					    &(struct quota_request){.size_bytes =
									    rootfs->size_bytes /
									    QUOTA_BLOCK *
									    QUOTA_BLOCK,
								    .inodes = rootfs->inodes},
					    err);
	r = quota_image_size(launch->upper.mount_fd, &size, err);
	if (r < 0)
		return r;
	/* mke2fs fills the last block of each table of inodes. One that was made before has those
	 * that it was made with, and where it was made larger those for its size. */
	most = is_old ? UINT64_MAX : rootfs->inodes + rootfs->inodes / 8 + QUOTA_INODES_IN_BLOCK;
	least = is_old ? 0 : rootfs->inodes;
	if (size.size_bytes > rootfs->size_bytes || size.inodes < least || size.inodes > most)
		return err_set(err, ERR_SETUP, 0,
			       "rootfs.writable: reads back as %llu bytes and %llu inodes",
			       (unsigned long long)size.size_bytes,
			       (unsigned long long)size.inodes);
	return 0;
}

/* The sandbox's namespace is gone: of an image the last descriptor takes mount, device and file
 * along. */
int upper_undo(struct launch *launch, struct err *err)
{
	struct upper_store *store = &launch->upper;
	int r = store->project_fd >= 0 && upper_is_removed_by_us(launch)
			? quota_project_end(store->project_fd, err)
			: 0;

	launch->rootfs.store_fd = -EBADF;
	close_fd(&store->mount_fd);
	close_fd(&store->project_fd);
	close_fd(&store->place_fd);
	return r;
}

int cordon_gc_writable(const char *kept_path, uint32_t *ret_removed, uint32_t *ret_templates,
		       struct err *err)
{
	struct err other = {0};
	int r = quota_project_gc(kept_path, dir_name, ret_removed, err);
	int t = quota_template_gc(kept_path, dir_name, ret_templates, r < 0 ? &other : err);

	return r < 0 ? r : t;
}

/* What a write can still get. ext4 asks for the room of one call at once (up to a large folio, 2
 * MiB), and a write that finds less is refused as a whole. */
static uint64_t upper_blocks_left(const struct statfs *fs)
{
	uint64_t sixteenth = fs->f_blocks / 16, folio = (2 << 20) / QUOTA_BLOCK;
	uint64_t slack = sixteenth < folio ? sixteenth : folio;

	return fs->f_bavail > slack ? fs->f_bavail : 0;
}

void upper_collect(const struct launch *launch, struct run_result *result)
{
	const struct upper_store *store = &launch->upper;
	/* Of a program that was started in it later: the sandbox's, which may be memory. */
	int fd = launch->target != NULL ? launch->target->upper_fd : store->mount_fd;
	struct statfs fs;

	if (fd < 0)
		return;
	if (fstatfs(fd, &fs) == 0)
		stores_explain(&launch->spec->rootfs.store,
			       fs.f_type == TMPFS_MAGIC ? fs.f_bfree : upper_blocks_left(&fs),
			       fs.f_ffree, result);
	if (launch->target == NULL && fstatfs(store->place_fd, &fs) == 0)
		stores_explain_host(fs.f_bavail, result);
}
