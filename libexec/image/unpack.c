/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The unpacker: see worker.h. libarchive reads the tar, tree.c makes the files. What an image
 * cannot have is skipped and listed (device nodes, attributes that only a kernel's owner may set);
 * what no honest archive has is refused with the entry's name.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "libexec/image/seal.h"
#include "libexec/image/stages.h"
#include "libexec/image/tree.h"
#include "storage/store.h"

enum { BLOCK = 1 << 18, XATTR_MAX = 64 << 10, TARGET_MAX = 4095 };

static const char whiteout[] = ".wh.";
static const char opaque[] = ".wh..wh..opq";
static const char aufs[] = ".wh..wh.";

struct unpacking {
	struct archive *archive;
	struct tree tree;
	const char *only; /* what names have to begin with; NULL: anything */
	struct image_limits limits;
	struct worker_report *report;
	enum unpack_kind kind;
	/* Of the entry at hand. */
	struct archive_entry *entry;
	char name[NAME_SIZE];
	struct tree_meta meta;
	struct tree_caps caps;
};

static int refuse(struct unpacking *u, int code, const char *why)
{
	const char *name = archive_entry_pathname(u->entry);

	return err_set(&u->report->err, ERR_SETUP, code, "entry %s: %s", name != NULL ? name : "?",
		       why);
}

/* What tree.c said, in words. */
static int explain(struct unpacking *u, int r)
{
	switch (-r) {
	case EEXIST:
		return refuse(u, 0, "there is an entry of that name already");
	case ELOOP:
		return refuse(u, 0, "leads through a link that an earlier entry made");
	case ENOTDIR:
		return refuse(u, 0, "lies below an entry that is no directory");
	case EISDIR:
		return refuse(u, 0, "there is a directory in its place");
	case EXDEV:
		return refuse(u, 0, "leads out of the image");
	case ENAMETOOLONG:
		return refuse(u, 0, "its name is too long or too deep");
	case EOPNOTSUPP:
		refuse(u, 0, "the store's file system keeps no attributes of files");
		return err_hint(&u->report->err, "Keep images on ext4, xfs or btrfs: cordon --root "
						 "DIR image ...");
	default:
		return refuse(u, -r, "cannot be made");
	}
}

static int refuse_archive(struct unpacking *u)
{
	const char *text = archive_error_string(u->archive);

	return err_set(&u->report->err, ERR_SETUP, 0, "not a readable tar: %s",
		       text != NULL ? text : "?");
}

/* ---- attributes ---- */

static bool is_kept(const struct unpacking *u, const char *name)
{
	if (u->kind == UNPACK_VOLUME)
		return str_has_prefix(name, "user.");
	return str_has_prefix(name, "user.") && !str_has_prefix(name, "user.overlay.") &&
	       !str_has_prefix(name, "user.cordon.");
}

/* fd: the file's, or -EBADF for what cannot have any. */
static int set_attributes(struct unpacking *u, int fd)
{
	const char *key;
	const void *value;
	size_t size;
	int r = 0;

	archive_entry_xattr_reset(u->entry);
	while (r == 0 && archive_entry_xattr_next(u->entry, &key, &value, &size) == ARCHIVE_OK) {
		char what[NAME_PART_MAX + 16], name[NAME_PART_MAX + 1];

		if (key == NULL || (value == NULL && size > 0) || size > XATTR_MAX ||
		    name_attribute_decode(key, name) < 0)
			return -E2BIG;
		if (is_kept(u, name) && fd >= 0) {
			r = fsetxattr(fd, name, value, size, 0) != 0 ? -errno : 0;
			continue;
		}
		if (str_equal(name, "security.capability")) {
			u->caps = (struct tree_caps){.data = value, .size = size};
			continue;
		}
		str_format(what, sizeof(what), "attribute:%s", name);
		name_make_word(what);
		r = tree_skip(&u->tree, what, u->name);
	}
	if (r == 0 && archive_entry_acl_count(u->entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS |
								ARCHIVE_ENTRY_ACL_TYPE_DEFAULT) > 0)
		r = tree_skip(&u->tree, "acl", u->name);
	return r;
}

/* ---- one entry ---- */

/* Whatever writes the archive, it gets one place: what was asked for. */
static bool is_asked_for(const struct unpacking *u, const char *name)
{
	size_t n = strcspn(name, "/");

	return u->only == NULL || (strlen(u->only) == n && strncmp(u->only, name, n) == 0);
}

static int copy_data(struct unpacking *u, int fd, uint64_t size)
{
	const void *block;
	size_t n;
	la_int64_t offset;

	for (;;) {
		int r = archive_read_data_block(u->archive, &block, &n, &offset);

		if (r == ARCHIVE_EOF)
			return 0;
		if (r != ARCHIVE_OK)
			return refuse_archive(u);
		if (offset < 0 || (uint64_t)offset > size || n > size - (uint64_t)offset)
			return refuse(u, 0, "has more content than it says");
		for (const char *at = block; n > 0;) {
			ssize_t w = pwrite(fd, at, n, offset);

			if (w < 0 && errno == EINTR)
				continue;
			if (w < 0)
				return refuse(u, errno, "write");
			at += w;
			offset += w;
			n -= (size_t)w;
		}
	}
}

static int unpack_file(struct unpacking *u)
{
	la_int64_t size = archive_entry_size_is_set(u->entry) ? archive_entry_size(u->entry) : 0;
	_cleanup_fd_ int fd = -EBADF;
	int r;

	if (size < 0 || (uint64_t)size > u->limits.max_bytes - u->report->n_bytes) {
		refuse(u, 0, "the files of this layer take more room than is allowed");
		return err_hint(&u->report->err, "Where you trust it: --max-size SIZE.");
	}
	u->report->n_bytes += (uint64_t)size;
	fd = tree_file(&u->tree, u->name);
	if (fd < 0)
		return explain(u, fd);
	r = copy_data(u, fd, (uint64_t)size);
	if (r < 0)
		return r;
	r = set_attributes(u, fd);
	if (r == 0)
		r = tree_file_end(&u->tree, u->name, steal_fd(&fd), (uint64_t)size, &u->meta);
	return r < 0 ? explain(u, r) : 0;
}

static int unpack_dir(struct unpacking *u)
{
	_cleanup_fd_ int fd = -EBADF;
	int r = tree_mkdir(&u->tree, u->name, &u->meta);

	if (r == 0) {
		fd = tree_open_dir(&u->tree, u->name);
		r = fd < 0 ? fd : set_attributes(u, fd);
	}
	return r < 0 ? explain(u, r) : 0;
}

static int unpack_link(struct unpacking *u, const char *link)
{
	char target[NAME_SIZE];
	int r = name_clean(link, target);

	if (archive_entry_size_is_set(u->entry) && archive_entry_size(u->entry) > 0)
		return refuse(u, 0, "is a hard link with content of its own");
	if (r == 0)
		return refuse(u, 0, "is a hard link to nothing");
	if (r > 0 && !is_asked_for(u, target))
		return refuse(u, 0, "is a hard link to what was not asked for");
	if (r > 0)
		r = tree_link(&u->tree, u->name, target);
	if (r == -ENOENT)
		return refuse(u, 0, "is a hard link to what no earlier entry made");
	if (r == -EPERM)
		return refuse(u, 0, "is a hard link to what is no file");
	return r < 0 ? explain(u, r) : 0;
}

static int unpack_symlink(struct unpacking *u)
{
	const char *target = archive_entry_symlink(u->entry);
	int r;

	if (target == NULL || target[0] == '\0' || strlen(target) > TARGET_MAX)
		return refuse(u, 0, "is a link without a target that can be kept");
	r = tree_symlink(&u->tree, u->name, target, &u->meta);
	if (r == 0)
		r = set_attributes(u, -EBADF);
	return r < 0 ? explain(u, r) : 0;
}

static int unpack_whiteout(struct unpacking *u, char *base)
{
	int r;

	if (str_equal(base, opaque)) {
		*(base > u->name ? base - 1 : base) = '\0';
		r = tree_opaque(&u->tree, u->name);
	} else if (str_has_prefix(base, aufs)) {
		return 0; /* bookkeeping of aufs */
	} else if (base[strlen(whiteout)] == '\0' || str_equal(base, ".wh..") ||
		   str_equal(base, ".wh...")) {
		return refuse(u, 0, "stands for the absence of nothing");
	} else {
		memmove(base, base + strlen(whiteout), strlen(base + strlen(whiteout)) + 1);
		r = tree_whiteout(&u->tree, u->name);
	}
	return r < 0 ? explain(u, r) : 0;
}

static int unpack_typed(struct unpacking *u)
{
	int r;

	switch (archive_entry_filetype(u->entry)) {
	case AE_IFREG:
		return unpack_file(u);
	case AE_IFDIR:
		return unpack_dir(u);
	case AE_IFLNK:
		return unpack_symlink(u);
	case AE_IFIFO:
		r = tree_fifo(&u->tree, u->name, &u->meta);
		if (r == 0)
			r = set_attributes(u, -EBADF);
		return r < 0 ? explain(u, r) : 0;
	case AE_IFCHR:
	case AE_IFBLK:
		r = tree_skip(&u->tree, "device", u->name);
		return r < 0 ? explain(u, r) : 1;
	default:
		return refuse(u, 0, "is of a kind that no image has");
	}
}

static int read_meta(struct unpacking *u)
{
	la_int64_t uid = archive_entry_uid(u->entry), gid = archive_entry_gid(u->entry);

	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return refuse(u, 0, "has an owner that is no id");
	u->meta = (struct tree_meta){
		.uid = (uint32_t)uid,
		.gid = (uint32_t)gid,
		.mode = archive_entry_perm(u->entry) & 07777,
		.mtime = {.tv_sec = archive_entry_mtime(u->entry),
			  .tv_nsec = archive_entry_mtime_nsec(u->entry)},
	};
	u->caps = (struct tree_caps){0};
	return 0;
}

static int unpack_entry(struct unpacking *u)
{
	const char *name = archive_entry_pathname(u->entry);
	const char *link = archive_entry_hardlink(u->entry);
	char *base;
	int r;

	if (name == NULL)
		return refuse(u, 0, "its name is not UTF-8");
	if (++u->report->n_entries > u->limits.max_entries) {
		refuse(u, 0, "this layer has more entries than are allowed");
		return err_hint(&u->report->err, "Where you trust it: --max-entries N.");
	}
	r = name_clean(name, u->name);
	if (r < 0)
		return explain(u, r);
	if (!is_asked_for(u, u->name))
		return refuse(u, 0, "is not what was asked for");
	r = read_meta(u);
	if (r < 0)
		return r;
	if (u->name[0] == '\0' && (link != NULL || archive_entry_filetype(u->entry) != AE_IFDIR))
		return refuse(u, 0, "is the image's root, and no directory");
	if (u->kind == UNPACK_VOLUME && str_equal(u->name, SEAL_NAME))
		return 0;
	base = u->name + (name_base(u->name) - u->name);
	if (u->tree.use == TREE_STORE && u->kind == UNPACK_LAYER && str_has_prefix(base, whiteout))
		return unpack_whiteout(u, base);
	r = link != NULL ? unpack_link(u, link) : unpack_typed(u);
	/* A link's owner is that of the file. */
	if (r != 0 || link != NULL)
		return r < 0 ? r : 0;
	r = tree_note_owner(&u->tree, u->name, &u->meta, u->caps);
	return r < 0 ? explain(u, r) : 0;
}

/* ---- all of them ---- */

static int unpack_all(struct unpacking *u)
{
	int r;

	for (;;) {
		int a = archive_read_next_header(u->archive, &u->entry);

		if (a == ARCHIVE_EOF)
			break;
		if (a != ARCHIVE_OK)
			return refuse_archive(u);
		r = unpack_entry(u);
		if (r < 0)
			return r;
	}
	r = tree_finish(&u->tree);
	return r < 0 ? err_set(&u->report->err, ERR_SETUP, -r, "modes of directories") : 0;
}

/* What stands behind the archive's end belongs to its digest. */
static int drain(struct err *err)
{
	_cleanup_free_ char *block = malloc(BLOCK);
	ssize_t n = block == NULL ? -1 : 1;

	while (n > 0)
		n = read(WORKER_IN, block, BLOCK);
	return n < 0 ? err_set(err, ERR_SETUP, errno, "the end of the archive") : 0;
}

int stage_unpack(const struct worker_job *job, struct worker_report *report)
{
	struct unpacking *u = calloc(1, sizeof(*u));
	int r = 0;

	if (u == NULL)
		return err_set(&report->err, ERR_SETUP, ENOMEM, "the unpacker");
	u->archive = archive_read_new();
	u->limits = job->limits;
	u->report = report;
	u->kind = (enum unpack_kind)job->argument;
	tree_init(&u->tree, WORKER_DIR, job->is_root,
		  job->fds[WORKER_OWNERS] < 0 ? -EBADF : WORKER_OWNERS, WORKER_SKIPPED);
	if (job->kind != CONFINE_UNPACK) {
		u->tree.use = job->kind == CONFINE_UNPACK_INSIDE ? TREE_INSIDE : TREE_CALLER;
		u->tree.keeps_owners = job->keeps_owners;
		u->only = job->only;
	}
	if (u->archive == NULL)
		r = err_set(&report->err, ERR_SETUP, ENOMEM, "the unpacker");
	if (r == 0 && (archive_read_support_filter_none(u->archive) != ARCHIVE_OK ||
		       archive_read_support_format_tar(u->archive) != ARCHIVE_OK ||
		       archive_read_open_fd(u->archive, WORKER_IN, BLOCK) != ARCHIVE_OK))
		r = refuse_archive(u);
	if (r == 0)
		r = unpack_all(u);
	if (r == 0)
		r = drain(&report->err);
	report->n_skipped = u->tree.n_skipped;
	report->n_owners = u->tree.n_owners;
	if (u->archive != NULL)
		archive_read_free(u->archive);
	tree_release(&u->tree);
	free(u);
	return r;
}
