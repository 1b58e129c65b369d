/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Detached mounts of new file systems; see fs.h. Safe after clone. */
#include "rootfs/fs.h"

#include <fcntl.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"

int fs_set_attrs(int fd, uint64_t attrs, unsigned flags)
{
	struct mount_attr attr = {.attr_set = attrs};

	return sys_mount_setattr(fd, "", AT_EMPTY_PATH | flags, &attr);
}

static int set_number(int fs, const char *key, uint64_t value)
{
	char text[24];

	str_format(text, sizeof(text), "%llu", (unsigned long long)value);
	return sys_fsconfig(fs, FSCONFIG_SET_STRING, key, text, 0);
}

int fs_tmpfs(const struct tree_op *op, uint32_t uid, uint32_t gid)
{
	_cleanup_fd_ int fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
	char mode[16];
	int r;

	if (fs < 0)
		return fs;
	str_format(mode, sizeof(mode), "%o", op->mode);
	r = set_number(fs, "size", op->size_bytes);
	if (r == 0)
		r = set_number(fs, "nr_inodes", op->inodes);
	if (r == 0)
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", mode, 0);
	if (r == 0 && op->for_user)
		r = set_number(fs, "uid", uid);
	if (r == 0 && op->for_user)
		r = set_number(fs, "gid", gid);
	if (r == 0)
		r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r < 0)
		return r;
	return sys_fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)op->attrs);
}

int fs_simple(const char *type, const char *const options[][2], uint64_t attrs)
{
	_cleanup_fd_ int fs = sys_fsopen(type, FSOPEN_CLOEXEC);
	int r = 0;

	if (fs < 0)
		return fs;
	for (size_t i = 0; r == 0 && options[i][0] != NULL; i++)
		r = options[i][1] == NULL
			    ? sys_fsconfig(fs, FSCONFIG_SET_FLAG, options[i][0], NULL, 0)
			    : sys_fsconfig(fs, FSCONFIG_SET_STRING, options[i][0], options[i][1],
					   0);
	if (r == 0)
		r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r < 0)
		return r;
	return sys_fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attrs);
}
