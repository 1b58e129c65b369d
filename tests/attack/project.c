/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Projects of files and their limits, by the calls themselves:
 *
 *	project of PATH				prints the project of a file
 *	project read PATH ID			prints its limits and use: bytes, inodes, bytes,
 *inodes project list PATH			prints those of 2^30 and more that have limits or
 *use project limit PATH ID BYTES INODES	sets its limits project join PATH ID
 *gives a file to it
 *	project disinherit PATH			what is made in a directory is not of its project
 *	project give PATH			gives a file the capability CAP_SETUID
 *	project effective			prints how many capabilities this process has
 *
 * Exit code 42 and the errno's name where the kernel refuses. Sources: quotactl(2),
 * ioctl_fsxattr(2), capabilities(7).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { REFUSED = 42, WRONG = 2, BASIC_BLOCK = 512 };

static int refused(void)
{
	puts(strerrorname_np(errno));
	return REFUSED;
}

static long quota(int fd, unsigned cmd, unsigned id, void *data)
{
	return syscall(SYS_quotactl_fd, fd, QCMD(cmd, PRJQUOTA), id, data);
}

static unsigned number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

static int show(int fd, unsigned id)
{
	struct fs_disk_quota now = {.d_version = FS_DQUOT_VERSION};

	if (quota(fd, Q_XGETQUOTA, id, &now) != 0 && errno != ENOENT && errno != ESRCH)
		return refused();
	printf("%llu %llu %llu %llu\n", (unsigned long long)now.d_blk_hardlimit * BASIC_BLOCK,
	       (unsigned long long)now.d_ino_hardlimit,
	       (unsigned long long)now.d_bcount * BASIC_BLOCK, (unsigned long long)now.d_icount);
	return 0;
}

/* Ids whose files and limits are gone stay in ext4's tree for a while. */
static int list(int fd)
{
	struct fs_disk_quota now = {.d_version = FS_DQUOT_VERSION};
	unsigned id = 1U << 30;

	while (quota(fd, Q_XGETNEXTQUOTA, id, &now) == 0) {
		if (now.d_blk_hardlimit != 0 || now.d_ino_hardlimit != 0 || now.d_icount != 0)
			printf("%u\n", now.d_id);
		id = now.d_id + 1;
	}
	return errno == ENOENT || errno == ESRCH ? 0 : refused();
}

static int set_limit(int fd, unsigned id, const char *bytes, const char *inodes)
{
	struct fs_disk_quota limits = {
		.d_version = FS_DQUOT_VERSION,
		.d_flags = FS_PROJ_QUOTA,
		.d_fieldmask = FS_DQ_BHARD | FS_DQ_BSOFT | FS_DQ_IHARD | FS_DQ_ISOFT,
		.d_id = id,
		.d_blk_hardlimit = strtoull(bytes, NULL, 10) / BASIC_BLOCK,
		.d_ino_hardlimit = strtoull(inodes, NULL, 10),
	};

	return quota(fd, Q_XSETQLIM, id, &limits) != 0 ? refused() : 0;
}

static int change(int fd, const char *id)
{
	struct fsxattr attr;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &attr) != 0)
		return refused();
	if (id != NULL) {
		attr.fsx_projid = number(id);
		attr.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	} else {
		attr.fsx_xflags &= ~(unsigned)FS_XFLAG_PROJINHERIT;
	}
	return ioctl(fd, FS_IOC_FSSETXATTR, &attr) != 0 ? refused() : 0;
}

static int show_project(int fd)
{
	struct fsxattr attr;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &attr) != 0)
		return refused();
	printf("%u\n", attr.fsx_projid);
	return 0;
}

static int give(int fd)
{
	const struct vfs_cap_data caps = {
		.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data = {{.permitted = 1U << CAP_SETUID}},
	};

	return fsetxattr(fd, "security.capability", &caps, sizeof(caps), 0) != 0 ? refused() : 0;
}

static int show_effective(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) != 0)
		return refused();
	printf("%d\n",
	       __builtin_popcount(data[0].effective) + __builtin_popcount(data[1].effective));
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	int fd;

	if (strcmp(verb, "effective") == 0)
		return show_effective();
	fd = argc > 2 ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return WRONG;
	if (strcmp(verb, "of") == 0)
		return show_project(fd);
	if (strcmp(verb, "list") == 0)
		return list(fd);
	if (strcmp(verb, "give") == 0)
		return give(fd);
	if (strcmp(verb, "disinherit") == 0)
		return change(fd, NULL);
	if (strcmp(verb, "join") == 0 && argc > 3)
		return change(fd, argv[3]);
	if (strcmp(verb, "read") == 0 && argc > 3)
		return show(fd, number(argv[3]));
	if (strcmp(verb, "limit") == 0 && argc > 5)
		return set_limit(fd, number(argv[3]), argv[4], argv[5]);
	return WRONG;
}
