/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The wrappers of sys.h: one system call each (sys_mount_at: two), errno as a negative result. */
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

static int result_of(long value)
{
	return value < 0 ? -errno : (int)value;
}

pid_t sys_clone3(struct sys_clone_args *args)
{
	return result_of(syscall(SYS_clone3, args, sizeof(*args)));
}

pid_t sys_clone_sharing(int (*run)(void *arg), void *stack, size_t size, void *arg, int more)
{
	return result_of(clone(run, (char *)stack + size, CLONE_VM | SIGCHLD | more, arg));
}

int sys_pidfd_open(pid_t pid, unsigned flags)
{
	return result_of(syscall(SYS_pidfd_open, pid, flags));
}

int sys_pidfd_send_signal(int pidfd, int signo, unsigned flags)
{
	return result_of(syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, flags));
}

int sys_pidfd_send_value(int pidfd, int signo, uint64_t value)
{
	siginfo_t info = {.si_signo = signo, .si_code = SI_QUEUE};

	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_ptr = (void *)(uintptr_t)value; /* the union is as wide as it */
	return (int)result_of(syscall(SYS_pidfd_send_signal, pidfd, signo, &info, 0));
}

int sys_pidfd_getfd(int pidfd, int their_fd)
{
	return result_of(syscall(SYS_pidfd_getfd, pidfd, their_fd, 0));
}

int sys_waitid(idtype_t type, id_t id, siginfo_t *ret_info, int options, struct rusage *ret_usage)
{
	return result_of(syscall(SYS_waitid, type, id, ret_info, options, ret_usage));
}

int sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	enum { AT_ONCE = 64, TRIES = 256 };
	const struct timespec moment = {.tv_nsec = 100000};
	struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
	int fd = -EAGAIN;

	/* EAGAIN: a rename or a mount, anywhere on the machine, raced with the check of "..",
	 * openat2(2). Where many are made the next moment may be better. Bounded, so that nobody
	 * can keep us here. */
	for (int i = 0; fd == -EAGAIN && i < TRIES; i++) {
		if (i >= AT_ONCE)
			nanosleep(&moment, NULL);
		fd = result_of(syscall(SYS_openat2, dirfd, path, &how, sizeof(how)));
	}
	return fd;
}

int sys_open_proc(void)
{
	enum { ROOT_INO = 1 }; /* PROC_ROOT_INO in the kernel's proc_fs.h */
	int fd = sys_openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	struct statfs fs;
	struct stat st;

	if (fd < 0 || (fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC &&
		       fstat(fd, &st) == 0 && st.st_ino == ROOT_INO))
		return fd;
	close(fd);
	return -EXDEV;
}

int sys_openat(int dirfd, const char *path, int flags, mode_t mode)
{
	return result_of(openat(dirfd, path, flags, mode));
}

int sys_statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *ret_stat)
{
	return result_of(statx(dirfd, path, flags, mask, ret_stat));
}

/* Those of the kernel's linux/mount.h, 6.11, which the headers of older ones lack. */
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000U
#endif
enum {
	MOUNT_CALL = 457, /* on every architecture */
	MOUNT_ASK_ROOT = 0x8,
	MOUNT_ASK_TYPE = 0x20,
	MOUNT_ASK_OPTIONS = 0x80,
};

struct mount_question {
	uint32_t size;
	uint32_t spare;
	uint64_t mount;
	uint64_t ask;
};

struct mount_answer {
	uint32_t size;
	uint32_t options; /* where it begins in text; likewise type and root */
	uint64_t answered;
	uint32_t of_super[5];
	uint32_t type;
	uint64_t of_mount[8];
	uint32_t root;
	uint32_t point;
	uint64_t spare[50];
	char text[1024];
};
_Static_assert(offsetof(struct mount_answer, type) == 36, "struct statmount, fs_type");
_Static_assert(offsetof(struct mount_answer, root) == 104, "struct statmount, mnt_root");
_Static_assert(offsetof(struct mount_answer, text) == 512, "struct statmount, str");

static bool take_text(const struct mount_answer *answer, uint32_t place, char *buf, size_t size)
{
	size_t room = place < sizeof(answer->text) ? sizeof(answer->text) - place : 0;
	size_t len = room > 0 ? strnlen(answer->text + place, room) : 0;

	if (len >= room || len >= size)
		return false;
	memcpy(buf, answer->text + place, len + 1);
	return true;
}

int sys_mount_at(const char *path, struct sys_mount *ret)
{
	const uint64_t needed = MOUNT_ASK_ROOT | MOUNT_ASK_TYPE;
	struct mount_question question = {.size = sizeof(question),
					  .ask = needed | MOUNT_ASK_OPTIONS};
	struct mount_answer answer;
	struct statx st;
	int r = sys_statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_MNT_ID_UNIQUE, &st);

	if (r < 0)
		return r;
	if ((st.stx_mask & STATX_MNT_ID_UNIQUE) == 0)
		return -ENOSYS;
	if ((st.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0)
		return -EINVAL;
	question.mount = st.stx_mnt_id;
	r = result_of(syscall(MOUNT_CALL, &question, &answer, sizeof(answer), 0));
	if (r < 0)
		return r;
	if ((answer.answered & needed) != needed)
		return -ENOSYS;
	ret->options[0] = '\0';
	return take_text(&answer, answer.type, ret->type, sizeof(ret->type)) &&
			       take_text(&answer, answer.root, ret->root, sizeof(ret->root)) &&
			       ((answer.answered & MOUNT_ASK_OPTIONS) == 0 ||
				take_text(&answer, answer.options, ret->options,
					  sizeof(ret->options)))
		       ? 0
		       : -EFBIG;
}

int sys_open_tree(int dirfd, const char *path, unsigned flags)
{
	return result_of(syscall(SYS_open_tree, dirfd, path, flags));
}

int sys_move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
	return result_of(syscall(SYS_move_mount, from_fd, from, to_fd, to, flags));
}

int sys_mount_setattr(int dirfd, const char *path, unsigned flags, const struct mount_attr *attr)
{
	return result_of(syscall(SYS_mount_setattr, dirfd, path, flags, attr, sizeof(*attr)));
}

int sys_fsopen(const char *type, unsigned flags)
{
	return result_of(syscall(SYS_fsopen, type, flags));
}

int sys_fspick(int dirfd, const char *path, unsigned flags)
{
	return result_of(syscall(SYS_fspick, dirfd, path, flags));
}

int sys_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux)
{
	return result_of(syscall(SYS_fsconfig, fd, cmd, key, value, aux));
}

int sys_fsmount(int fd, unsigned flags, unsigned attr_flags)
{
	return result_of(syscall(SYS_fsmount, fd, flags, attr_flags));
}

int sys_mount(const char *source, const char *target, const char *type, unsigned long flags,
	      const void *data)
{
	return result_of(syscall(SYS_mount, source, target, type, flags, data));
}

int sys_pivot_root(const char *new_root, const char *put_old)
{
	return result_of(syscall(SYS_pivot_root, new_root, put_old));
}

int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	return result_of(syscall(SYS_close_range, first, last, flags));
}

int sys_memfd_create(const char *name, unsigned flags)
{
	return result_of(syscall(SYS_memfd_create, name, flags));
}

int sys_execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags)
{
	return result_of(syscall(SYS_execveat, fd, path, argv, envp, flags));
}

long sys_keyctl(int op, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	long value = syscall(SYS_keyctl, op, a, b, c, d);

	return value < 0 ? -errno : value;
}

int sys_seccomp(unsigned op, unsigned flags, const void *args)
{
	return result_of(syscall(SYS_seccomp, op, flags, args));
}

int sys_ioprio_set(int which, int who, int value)
{
	return result_of(syscall(SYS_ioprio_set, which, who, value));
}

int sys_landlock_create_ruleset(const struct sys_landlock_ruleset *ruleset, size_t size,
				unsigned flags)
{
	return result_of(syscall(SYS_landlock_create_ruleset, ruleset, size, flags));
}

int sys_landlock_add_rule(int ruleset_fd, enum sys_landlock_rule kind, const void *rule)
{
	return result_of(syscall(SYS_landlock_add_rule, ruleset_fd, (int)kind, rule, 0));
}

int sys_landlock_restrict_self(int ruleset_fd, unsigned flags)
{
	return result_of(syscall(SYS_landlock_restrict_self, ruleset_fd, flags));
}

int sys_capset(const struct sys_caps *caps)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	for (unsigned i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(caps->effective >> (32 * i));
		data[i].permitted = (uint32_t)(caps->permitted >> (32 * i));
		data[i].inheritable = (uint32_t)(caps->inheritable >> (32 * i));
	}
	return result_of(syscall(SYS_capset, &header, data));
}

int sys_capget(struct sys_caps *ret_caps)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	int r = result_of(syscall(SYS_capget, &header, data));

	if (r < 0)
		return r;
	*ret_caps = (struct sys_caps){
		.effective = data[0].effective | (uint64_t)data[1].effective << 32,
		.permitted = data[0].permitted | (uint64_t)data[1].permitted << 32,
		.inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32,
	};
	return 0;
}

int64_t sys_monotonic_ms(void)
{
	struct timespec now;

	/* With that clock and memory of our own it cannot fail: clock_gettime(2). */
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
