/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Thin wrappers of system calls that glibc 2.36 lacks or hides errno of. Each returns what the call
 * returns, or -errno; none takes a struct err. All gaps of the headers live here. Safe after clone.
 */
#ifndef CORDON_BASE_SYS_H
#define CORDON_BASE_SYS_H

#include <linux/openat2.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
/* linux/mount.h and sys/mount.h cannot be included together in glibc 2.36: this is the only place
 * that takes the kernel's, and it declares the two old calls itself. */
#include <linux/mount.h>

#include "base/err.h"

/* sys/mount.h, not included (see above). */
int umount2(const char *target, int flags);
#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif

/* Kernel 6.9, pidfd_send_signal(2). */
#define SYS_PIDFD_SIGNAL_PROCESS_GROUP (1U << 2)

struct sys_clone_args { /* struct clone_args of linux/sched.h, up to what kernel 5.7 has */
	uint64_t flags;
	uint64_t pidfd;
	uint64_t child_tid;
	uint64_t parent_tid;
	uint64_t exit_signal;
	uint64_t stack;
	uint64_t stack_size;
	uint64_t tls;
	uint64_t set_tid;
	uint64_t set_tid_size;
	uint64_t cgroup;
};

pid_t must_check sys_clone3(struct sys_clone_args *args);
/*
 * clone(2) with CLONE_VM: run(arg) in a process of its own that shares this one's memory, errno
 * included, until one of the two executes a program. Both go on at once; what run() returns is the
 * exit code. stack: its lowest byte; size a multiple of 16. more: CLONE_NEW*, or CLONE_VFORK, with
 * which this process waits until the other one has executed a program. Returns the pid.
 */
pid_t must_check sys_clone_sharing(int (*run)(void *arg), void *stack, size_t size, void *arg,
				   int more);
/* A stack whose process has ended, or executed a program, in the middle of its calls: a build with
 * AddressSanitizer has to be told that they are over before the memory is anything else's. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define sys_stack_is_left(stack, size) __asan_unpoison_memory_region(stack, size)
#else
#define sys_stack_is_left(stack, size) ((void)(stack), (void)(size))
#endif
int must_check sys_pidfd_open(pid_t pid, unsigned flags);
int must_check sys_pidfd_send_signal(int pidfd, int signo, unsigned flags);
/* The same with a number, as sigqueue(3) sends it (SI_QUEUE). */
int must_check sys_pidfd_send_value(int pidfd, int signo, uint64_t value);
/* A copy of another process's descriptor, CLOEXEC: pidfd_getfd(2). */
int must_check sys_pidfd_getfd(int pidfd, int their_fd);
/* waitid(2) with the kernel's fifth argument: the usage of the child and all that it waited for. */
int must_check sys_waitid(idtype_t type, id_t id, siginfo_t *ret_info, int options,
			  struct rusage *ret_usage);

/* /proc (O_PATH), if it is the root of the kernel's, whatever way leads there: -EXDEV for anything
 * else. */
int must_check sys_open_proc(void);
int must_check sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode,
			   uint64_t resolve);
int must_check sys_openat(int dirfd, const char *path, int flags, mode_t mode);
int must_check sys_statx(int dirfd, const char *path, int flags, unsigned mask,
			 struct statx *ret_stat);

/* Of a mount, as /proc/self/mountinfo has it (statmount(2), Linux 6.8; options: 6.11). */
struct sys_mount {
	char type[16];
	char root[256];    /* what of the file system is mounted */
	char options[256]; /* the file system's; "" also where the kernel does not say them */
};
/* Of the mount whose top `path` is. -EINVAL: it is no mount's; -ENOSYS and the like where the
 * kernel, or a filter, does not say; -EFBIG: half of it would be something else. */
int must_check sys_mount_at(const char *path, struct sys_mount *ret);

int must_check sys_open_tree(int dirfd, const char *path, unsigned flags);
int must_check sys_move_mount(int from_fd, const char *from, int to_fd, const char *to,
			      unsigned flags);
int must_check sys_mount_setattr(int dirfd, const char *path, unsigned flags,
				 const struct mount_attr *attr);
int must_check sys_fsopen(const char *type, unsigned flags);
int must_check sys_fspick(int dirfd, const char *path, unsigned flags);
int must_check sys_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux);
int must_check sys_fsmount(int fd, unsigned flags, unsigned attr_flags);
int must_check sys_mount(const char *source, const char *target, const char *type,
			 unsigned long flags, const void *data);
int must_check sys_pivot_root(const char *new_root, const char *put_old);

int must_check sys_close_range(unsigned first, unsigned last, unsigned flags);
int must_check sys_memfd_create(const char *name, unsigned flags);
int must_check sys_execveat(int fd, const char *path, char *const argv[], char *const envp[],
			    int flags);
long must_check sys_keyctl(int op, unsigned long a, unsigned long b, unsigned long c,
			   unsigned long d);
int must_check sys_seccomp(unsigned op, unsigned flags, const void *args);
int must_check sys_ioprio_set(int which, int who, int value);

/*
 * landlock(7) as of kernel 6.15; older headers have less. The kernel takes a longer struct than its
 * own where the rest is zero.
 */
#define SYS_LANDLOCK_FS_EXECUTE        (1ULL << 0)
#define SYS_LANDLOCK_FS_WRITE_FILE     (1ULL << 1)
#define SYS_LANDLOCK_FS_READ_FILE      (1ULL << 2)
#define SYS_LANDLOCK_FS_READ_DIR       (1ULL << 3)
#define SYS_LANDLOCK_FS_REMOVE_DIR     (1ULL << 4)
#define SYS_LANDLOCK_FS_REMOVE_FILE    (1ULL << 5)
#define SYS_LANDLOCK_FS_MAKE_CHAR      (1ULL << 6)
#define SYS_LANDLOCK_FS_MAKE_DIR       (1ULL << 7)
#define SYS_LANDLOCK_FS_MAKE_REG       (1ULL << 8)
#define SYS_LANDLOCK_FS_MAKE_SOCK      (1ULL << 9)
#define SYS_LANDLOCK_FS_MAKE_FIFO      (1ULL << 10)
#define SYS_LANDLOCK_FS_MAKE_BLOCK     (1ULL << 11)
#define SYS_LANDLOCK_FS_MAKE_SYM       (1ULL << 12)
#define SYS_LANDLOCK_FS_REFER          (1ULL << 13) /* version 2 */
#define SYS_LANDLOCK_FS_TRUNCATE       (1ULL << 14) /* 3 */
#define SYS_LANDLOCK_FS_IOCTL_DEV      (1ULL << 15) /* 5 */
#define SYS_LANDLOCK_NET_BIND_TCP      (1ULL << 0)  /* 4 */
#define SYS_LANDLOCK_NET_CONNECT_TCP   (1ULL << 1)
#define SYS_LANDLOCK_SCOPE_ABSTRACT    (1ULL << 0) /* 6 */
#define SYS_LANDLOCK_SCOPE_SIGNAL      (1ULL << 1)
#define SYS_LANDLOCK_LOG_SAME_EXEC_OFF (1U << 0) /* 7 */
#define SYS_LANDLOCK_LOG_NEW_EXEC_ON   (1U << 1)
#define SYS_LANDLOCK_VERSION           (1U << 0)

struct sys_landlock_ruleset {
	uint64_t files;
	uint64_t network;
	uint64_t scoped;
};
struct sys_landlock_path_beneath {
	uint64_t access;
	int32_t parent_fd;
} __attribute__((packed));
struct sys_landlock_net_port {
	uint64_t access;
	uint64_t port;
};
enum sys_landlock_rule { SYS_LANDLOCK_RULE_PATH_BENEATH = 1, SYS_LANDLOCK_RULE_NET_PORT = 2 };

/* With NULL, 0 and SYS_LANDLOCK_VERSION: which version the kernel has. ENOSYS: built without;
 * EOPNOTSUPP: not in the list of its lsm= parameter. */
int must_check sys_landlock_create_ruleset(const struct sys_landlock_ruleset *ruleset, size_t size,
					   unsigned flags);
int must_check sys_landlock_add_rule(int ruleset_fd, enum sys_landlock_rule kind, const void *rule);
int must_check sys_landlock_restrict_self(int ruleset_fd, unsigned flags);

/* Capabilities by the raw calls: libcap-ng's capng_apply fails in a cloned child and leaves every
 * set full. The three sets as 64-bit masks, bit n for capability n. */
struct sys_caps {
	uint64_t effective;
	uint64_t permitted;
	uint64_t inheritable;
};
int must_check sys_capset(const struct sys_caps *caps);
int must_check sys_capget(struct sys_caps *ret_caps);

/* Milliseconds of CLOCK_MONOTONIC: not the time of day, which somebody may set. */
int64_t sys_monotonic_ms(void);

#endif
