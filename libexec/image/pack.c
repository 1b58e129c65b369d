/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The packer: see worker.h. Walks one tree, sorted, and writes it as a tar whose bytes depend on
 * nothing but the tree. Mount points below it stay empty (but with PACK_COPY).
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "libexec/image/name.h"
#include "libexec/image/owners.h"
#include "libexec/image/pack.h"
#include "libexec/image/seal.h"
#include "libexec/image/stages.h"
#include "storage/store.h"

#ifndef NSFS_MAGIC
#define NSFS_MAGIC 0x6e736673
#endif

static const char opaque_attribute[] = "user.overlay.opaque";

/* What an entry is, where it lies, and how it is called. */
struct item {
	int dir;
	const char *base;
	const char *name; /* from the tree's root */
	struct stat st;
	int fd; /* of a file or a directory, else -EBADF */
};

static int refuse(struct packing *p, const struct item *item, int code, const char *why)
{
	return err_set(&p->report->err, ERR_SETUP, code, "%s: %s",
		       item->name[0] != '\0' ? item->name : ".", why);
}

static int refuse_archive(struct packing *p, const struct item *item)
{
	const char *text = archive_error_string(p->archive);

	return refuse(p, item, 0, text != NULL ? text : "cannot be written");
}

static bool is_utf8(const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0, n = 1;

	for (; len > 0 && n > 0; text += n, len -= n)
		n = str_utf8_length(text, len);
	return n > 0;
}

/* Names are bytes. One that is no UTF-8 is written as it is (hdrcharset=BINARY), with a warning. */
static int write_header(struct packing *p, const struct item *item, struct archive_entry *entry)
{
	const char *link = archive_entry_hardlink(entry);
	int r = archive_write_header(p->archive, entry);

	if (link == NULL)
		link = archive_entry_symlink(entry);
	if (r == ARCHIVE_OK ||
	    (r == ARCHIVE_WARN && !(is_utf8(archive_entry_pathname(entry)) && is_utf8(link))))
		return 0;
	return refuse_archive(p, item);
}

/* ---- what stands in the header ---- */

/* Of a file with several names, whichever of them it was noted for. */
static const struct owner *owner_of(const struct packing *p, const struct item *item)
{
	const struct owner *owner = owners_find(&p->owners, item->name);

	if (owner != NULL || S_ISDIR(item->st.st_mode) || item->st.st_nlink < 2)
		return owner;
	return owners_find_inode(&p->owners, item->st.st_ino);
}

static void set_owner(struct packing *p, const struct item *item, struct archive_entry *entry)
{
	const struct owner *owner = owner_of(p, item);
	uint32_t uid = item->st.st_uid, gid = item->st.st_gid, mode = item->st.st_mode & 07777;

	switch (p->kind) {
	case PACK_HOST:
		/* A user's own files are the image's root's. */
		uid = !p->is_root && uid == geteuid() ? 0 : uid;
		gid = !p->is_root && gid == getegid() ? 0 : gid;
		break;
	case PACK_LAYER:
	case PACK_VOLUME:
	case PACK_VOLUME_LIVE:
		uid = p->is_root ? uid - STORE_FOREIGN_FIRST : 0;
		gid = p->is_root ? gid - STORE_FOREIGN_FIRST : 0;
		break;
	case PACK_COPY:
	case PACK_ROOT:
	case PACK_UPPER:
		break;
	case PACK_OUTER:
		uid = gid = 0;
		mode = S_ISDIR(item->st.st_mode) ? 0755 : 0644;
		break;
	}
	archive_entry_set_uid(entry, owner != NULL ? owner->uid : uid);
	archive_entry_set_gid(entry, owner != NULL ? owner->gid : gid);
	mode = owner != NULL ? owner->mode : mode;
	archive_entry_set_perm(entry, S_ISLNK(item->st.st_mode) ? 0777 : mode);
	if (owner != NULL && owner->n_caps > 0)
		archive_entry_xattr_add_entry(entry, "security.capability", owner->caps,
					      owner->n_caps);
}

/* ---- content ---- */

static bool may_change(const struct packing *p)
{
	return p->kind == PACK_VOLUME_LIVE || p->kind == PACK_UPPER;
}

static int write_content(struct packing *p, const struct item *item)
{
	off_t at = 0;

	while (at < item->st.st_size) {
		const char *data = p->zeros;
		ssize_t n = pack_read(p, item->fd, &item->st, at, &data);

		if (n < 0)
			return refuse(p, item, errno, "read");
		if (n == 0 && may_change(p)) {
			data = p->zeros;
			n = item->st.st_size - at > PACK_BLOCK ? PACK_BLOCK : item->st.st_size - at;
		}
		if (n == 0)
			return refuse(p, item, 0, "became shorter while it was read");
		if (archive_write_data(p->archive, data, (size_t)n) < 0)
			return refuse_archive(p, item);
		at += n;
	}
	return 0;
}

static void set_link(const struct item *item, struct archive_entry *entry, char *target)
{
	ssize_t n = readlinkat(item->dir, item->base, target, PATH_MAX);

	target[n > 0 && n < PATH_MAX ? n : 0] = '\0';
	archive_entry_set_symlink(entry, target);
}

/* Whether it was written already, under another name. */
static const char *first_name(struct packing *p, const struct item *item)
{
	return S_ISDIR(item->st.st_mode) || item->st.st_nlink < 2 || p->kind == PACK_OUTER
		       ? NULL
		       : pack_link(&p->links, item->st.st_dev, item->st.st_ino, item->name);
}

static int write_entry(struct packing *p, const struct item *item, struct archive_entry *entry)
{
	const char *first = first_name(p, item);
	char target[PATH_MAX];
	int r = 0;

	archive_entry_set_pathname(entry, item->name[0] != '\0' ? item->name : "./");
	archive_entry_set_filetype(entry, item->st.st_mode & S_IFMT);
	set_owner(p, item, entry);
	if (p->kind != PACK_OUTER)
		archive_entry_set_mtime(entry, item->st.st_mtim.tv_sec, item->st.st_mtim.tv_nsec);
	if (first != NULL) {
		archive_entry_set_hardlink(entry, first);
	} else if (S_ISREG(item->st.st_mode)) {
		archive_entry_set_size(entry, item->st.st_size);
		if (p->kind != PACK_OUTER)
			pack_add_holes(item->fd, &item->st, entry);
	} else if (S_ISLNK(item->st.st_mode)) {
		set_link(item, entry, target);
	} else if (S_ISCHR(item->st.st_mode) || S_ISBLK(item->st.st_mode)) {
		archive_entry_set_rdev(entry, item->st.st_rdev);
	}
	if (first == NULL && item->fd >= 0 && p->kind != PACK_OUTER)
		r = pack_attributes(p, item->fd, item->name, entry);
	if (r < 0)
		return refuse(p, item, -r, "its attributes");
	r = write_header(p, item, entry);
	if (r < 0)
		return r;
	p->report->n_entries++;
	return first == NULL && S_ISREG(item->st.st_mode) ? write_content(p, item) : 0;
}

/* An empty file that stands for an absence: OCI image specification, "Whiteouts". */
static int write_mark(struct packing *p, const char *dir, const char *prefix, const char *base)
{
	struct archive_entry *entry = archive_entry_new();
	struct item item = {.name = dir};
	char name[NAME_SIZE + 32];
	int r;

	if (entry == NULL)
		return refuse(p, &item, ENOMEM, "pack");
	str_format(name, sizeof(name), "%s%s%s%s", dir, dir[0] != '\0' ? "/" : "", prefix, base);
	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0);
	archive_entry_set_size(entry, 0);
	r = write_header(p, &item, entry);
	archive_entry_free(entry);
	return r;
}

static bool is_opaque(const struct item *item)
{
	char value[2];

	return fgetxattr(item->fd, opaque_attribute, value, sizeof(value)) == 1 && value[0] == 'y';
}

static bool has_absences(const struct packing *p)
{
	return p->kind == PACK_LAYER || p->kind == PACK_UPPER;
}

/* ---- mounts ---- */

/* What a kernel makes up when it is read. */
static bool is_made_up(int fd)
{
	static const unsigned long kinds[] = {
		PROC_SUPER_MAGIC, SYSFS_MAGIC,    CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
		DEBUGFS_MAGIC,    TRACEFS_MAGIC,  SECURITYFS_MAGIC,   BPF_FS_MAGIC,
		NSFS_MAGIC,       EFIVARFS_MAGIC, DEVPTS_SUPER_MAGIC, SELINUX_MAGIC,
	};
	struct statfs fs;

	if (fstatfs(fd, &fs) != 0)
		return true;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if ((unsigned long)fs.f_type == kinds[i])
			return true;
	return false;
}

/* Which mount an item is on: of an overlay's files the device says nothing. */
static int read_mount(int dir, const char *base, uint64_t *ret)
{
	struct statx st;
	int r = sys_statx(dir, base, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &st);

	*ret = r == 0 ? st.stx_mnt_id : 0;
	return r;
}

/* 1: something is mounted there, which is not packed. */
static int is_left_empty(struct packing *p, const struct item *item)
{
	uint64_t mount;
	int r;

	if (p->kind == PACK_COPY)
		return item->st.st_dev != p->device && is_made_up(item->fd);
	if (p->kind != PACK_ROOT)
		return item->st.st_dev != p->device;
	r = read_mount(item->fd, "", &mount);
	return r < 0 ? refuse(p, item, -r, "stat") : mount != p->mount;
}

/* ---- the walk ---- */

static int note(struct packing *p, const struct item *item, const char *what)
{
	int r = pack_skip(p, item->name, what);

	return r < 0 ? refuse(p, item, -r, "note that it is left out") : 0;
}

static int pack_dir(struct packing *p, int fd, const char *name, unsigned depth);

static int pack_item(struct packing *p, struct item *item, unsigned depth)
{
	struct archive_entry *entry = archive_entry_new();
	int r = entry == NULL ? refuse(p, item, ENOMEM, "pack") : write_entry(p, item, entry);

	archive_entry_free(entry);
	if (r < 0 || !S_ISDIR(item->st.st_mode))
		return r;
	if (has_absences(p) && is_opaque(item))
		r = write_mark(p, item->name, ".wh..wh..opq", "");
	if (r == 0)
		r = is_left_empty(p, item);
	if (r == 0)
		return pack_dir(p, item->fd, item->name, depth);
	return r > 0 ? note(p, item, "mount") : r;
}

/* It was there when the directory was read. */
static int skip_gone(struct packing *p, const struct item *item)
{
	if (!may_change(p))
		return refuse(p, item, ENOENT, "was removed while it was read");
	p->report->n_skipped += p->kind != PACK_UPPER;
	return 0;
}

/* What cannot be had. In a sandbox's layer a name that would stand for an absence would take away
 * what a layer below has. */
static const char *is_left_out(const struct packing *p, const struct item *item)
{
	if (p->kind == PACK_UPPER && str_has_prefix(item->base, ".wh."))
		return "reserved-name";
	return S_ISSOCK(item->st.st_mode) ? "socket" : NULL;
}

static int pack_name(struct packing *p, int dir, const char *above, const char *base,
		     unsigned depth)
{
	_cleanup_fd_ int fd = -EBADF;
	char name[NAME_SIZE];
	struct item item = {.dir = dir, .base = base, .name = name, .fd = -EBADF};
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	const char *what;

	if (str_format(name, sizeof(name), "%s%s%s", above, above[0] != '\0' ? "/" : "", base) >=
	    sizeof(name) - 1)
		return refuse(p, &item, ENAMETOOLONG, "pack");
	if (pack_is_volume(p) && str_equal(name, SEAL_NAME)) {
		p->report->n_skipped++;
		return 0;
	}
	if (fstatat(dir, base, &item.st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? skip_gone(p, &item) : refuse(p, &item, errno, "stat");
	what = is_left_out(p, &item);
	if (what != NULL)
		return note(p, &item, what);
	if (has_absences(p) && S_ISCHR(item.st.st_mode) && item.st.st_rdev == makedev(0, 0))
		return write_mark(p, above, ".wh.", base);
	if (S_ISREG(item.st.st_mode) || S_ISDIR(item.st.st_mode)) {
		fd = sys_openat(dir, base, flags, 0);
		/* Or something else took its place. */
		if (fd == -ENOENT || (may_change(p) && (fd == -ELOOP || fd == -ENXIO)))
			return skip_gone(p, &item);
		if (fd < 0)
			return refuse(p, &item, -fd, "open");
		if (fstat(fd, &item.st) != 0)
			return refuse(p, &item, errno, "stat");
		item.fd = fd;
	}
	if (S_ISREG(item.st.st_mode) && (uint64_t)item.st.st_size > p->max_bytes)
		return refuse(p, &item, 0, "more bytes than are allowed (--max-size)");
	if (p->kind == PACK_ROOT && S_ISREG(item.st.st_mode)) {
		int r = is_left_empty(p, &item);

		if (r < 0)
			return r;
		item.st.st_size = r > 0 ? 0 : item.st.st_size;
		p->report->n_skipped += r > 0;
	}
	return pack_item(p, &item, depth);
}

static int pack_dir(struct packing *p, int fd, const char *name, unsigned depth)
{
	const struct item item = {.name = name};
	struct store_names names = {0};
	int r = depth > NAME_DEPTH_MAX ? -ENAMETOOLONG : store_names_read(fd, true, &names);

	if (r < 0)
		r = refuse(p, &item, -r, "list");
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = pack_name(p, fd, name, names.list[i], depth + 1);
	store_names_release(&names);
	return r;
}

static la_ssize_t write_out(struct archive *archive, void *ctx, const void *data, size_t n)
{
	(void)archive;
	(void)ctx;
	return io_write_all(WORKER_OUT, data, n) < 0 ? -1 : (la_ssize_t)n;
}

/* A file, a link, or what a process makes up for whoever reads it. */
static int check_object(struct packing *p, const struct item *item)
{
	int r;

	if (p->kind == PACK_ROOT)
		return (r = read_mount(WORKER_DIR, "", &p->mount)) < 0 ? refuse(p, item, -r, "stat")
								       : 0;
	if (p->kind != PACK_COPY)
		return 0;
	if (!S_ISDIR(item->st.st_mode) && !S_ISREG(item->st.st_mode) && !S_ISLNK(item->st.st_mode))
		return refuse(p, item, 0, "is no file, no directory and no link");
	return !S_ISLNK(item->st.st_mode) && is_made_up(WORKER_DIR)
		       ? refuse(p, item, 0, "is made up by the kernel, and not copied")
		       : 0;
}

static int pack_tree(struct packing *p, const char *as)
{
	struct item root = {.name = as, .fd = WORKER_DIR, .dir = WORKER_DIR, .base = ""};
	int r;

	if (fstat(WORKER_DIR, &root.st) != 0)
		return refuse(p, &root, errno, "stat");
	p->device = root.st.st_dev;
	r = check_object(p, &root);
	if (r < 0)
		return r;
	if (S_ISLNK(root.st.st_mode))
		root.fd = -EBADF;
	/* Restricted: without extensions where an entry needs none; times are whole seconds then.
	 */
	if ((pack_is_volume(p)
		     ? archive_write_set_format_pax(p->archive)
		     : archive_write_set_format_pax_restricted(p->archive)) != ARCHIVE_OK ||
	    archive_write_set_format_option(p->archive, "pax", "xattrheader", "SCHILY") !=
		    ARCHIVE_OK ||
	    (pack_is_volume(p) &&
	     (archive_write_set_bytes_per_block(p->archive, PACK_BLOCK) != ARCHIVE_OK ||
	      archive_write_set_bytes_in_last_block(p->archive, 1) != ARCHIVE_OK ||
	      /* Names are bytes. */
	      archive_write_set_format_option(p->archive, "pax", "hdrcharset", "BINARY") !=
		      ARCHIVE_OK)) ||
	    archive_write_open(p->archive, NULL, NULL, write_out, NULL) != ARCHIVE_OK)
		return refuse_archive(p, &root);
	r = p->kind == PACK_OUTER ? pack_dir(p, WORKER_DIR, "", 0) : pack_item(p, &root, 0);
	if (r == 0 && archive_write_close(p->archive) != ARCHIVE_OK)
		r = refuse_archive(p, &root);
	return r;
}

int stage_pack(const struct worker_job *job, struct worker_report *report)
{
	struct packing p = {.kind = (enum pack_kind)job->argument,
			    .is_root = job->is_root,
			    .max_bytes = job->limits.max_bytes,
			    .report = report,
			    .lists = job->fds[WORKER_SKIPPED] >= 0,
			    .archive = archive_write_new(),
			    .block = malloc(PACK_BLOCK)};
	int r = 0;

	if (p.archive == NULL || p.block == NULL || pack_make_zeros(&p) < 0)
		r = err_set(&report->err, ERR_SETUP, ENOMEM, "the packer");
	if (r == 0 && job->fds[WORKER_OWNERS] >= 0) {
		r = owners_read(WORKER_OWNERS, &p.owners);
		if (r == 0)
			r = owners_index(&p.owners, WORKER_DIR);
		if (r < 0)
			err_set(&report->err, ERR_SETUP, -r, "owners of a layer");
	}
	if (r == 0)
		r = pack_tree(&p, job->as != NULL ? job->as : "");
	if (p.archive != NULL)
		archive_write_free(p.archive);
	pack_links_release(&p.links);
	owners_release(&p.owners);
	free(p.block);
	return r;
}
