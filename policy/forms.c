/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tables; see forms.h. Written from the kernel's (arch/x86/entry/syscalls/syscall_32.tbl,
 * arch/arm/tools/syscall.tbl, net/socket.c, ipc/syscall.c) with an attacker in mind who makes an
 * x86 call (int 0x80, from any program) for what the native list refuses. Pure.
 */
#include "policy/forms.h"

#include "base/str.h"
#include "policy/arch.h"
#include "policy/syscalls.h"

struct form {
	const char *call;
	const char *form;
	uint32_t n_same; /* so many of the first arguments are the same */
};

/* Rows for both machines: one counts where its form is a call of the second architecture, and not
 * of the native one as well, where it would be refused by its own name. */
static const struct form forms[] = {
	/* Ids of 32 bits; the call of the old name takes 16. */
	{"chown", "chown32", 3},
	{"lchown", "lchown32", 3},
	{"fchown", "fchown32", 3},
	{"getuid", "getuid32", 3},
	{"getgid", "getgid32", 3},
	{"geteuid", "geteuid32", 3},
	{"getegid", "getegid32", 3},
	{"setreuid", "setreuid32", 3},
	{"setregid", "setregid32", 3},
	{"getgroups", "getgroups32", 3},
	{"setgroups", "setgroups32", 3},
	{"setresuid", "setresuid32", 3},
	{"getresuid", "getresuid32", 3},
	{"setresgid", "setresgid32", 3},
	{"getresgid", "getresgid32", 3},
	{"setuid", "setuid32", 3},
	{"setgid", "setgid32", 3},
	{"setfsuid", "setfsuid32", 3},
	{"setfsgid", "setfsgid32", 3},
	/* Sizes and offsets of 64 bits, and what stood before them. */
	{"stat", "stat64", 4},
	{"lstat", "lstat64", 4},
	{"fstat", "fstat64", 4},
	{"newfstatat", "fstatat64", 4},
	{"stat", "oldstat", 4},
	{"lstat", "oldlstat", 4},
	{"fstat", "oldfstat", 4},
	{"statfs", "statfs64", 1},
	{"fstatfs", "fstatfs64", 1},
	{"truncate", "truncate64", 1},
	{"ftruncate", "ftruncate64", 1},
	{"fcntl", "fcntl64", 3},
	{"lseek", "_llseek", 1},
	{"sendfile", "sendfile64", 4},
	{"mmap", "mmap2", 5},
	{"fadvise64", "fadvise64_64", 1},
	{"fadvise64", "arm_fadvise64_64", 1},
	{"sync_file_range", "sync_file_range2", 1},
	{"sync_file_range", "arm_sync_file_range", 1},
	/* Times of 64 bits. */
	{"clock_gettime", "clock_gettime64", 6},
	{"clock_settime", "clock_settime64", 6},
	{"clock_adjtime", "clock_adjtime64", 6},
	{"clock_getres", "clock_getres_time64", 6},
	{"clock_nanosleep", "clock_nanosleep_time64", 6},
	{"timer_gettime", "timer_gettime64", 6},
	{"timer_settime", "timer_settime64", 6},
	{"timerfd_gettime", "timerfd_gettime64", 6},
	{"timerfd_settime", "timerfd_settime64", 6},
	{"utimensat", "utimensat_time64", 6},
	{"pselect6", "pselect6_time64", 6},
	{"ppoll", "ppoll_time64", 6},
	{"io_pgetevents", "io_pgetevents_time64", 6},
	{"recvmmsg", "recvmmsg_time64", 6},
	{"mq_timedsend", "mq_timedsend_time64", 6},
	{"mq_timedreceive", "mq_timedreceive_time64", 6},
	{"semtimedop", "semtimedop_time64", 6},
	{"rt_sigtimedwait", "rt_sigtimedwait_time64", 6},
	{"futex", "futex_time64", 6},
	{"sched_rr_get_interval", "sched_rr_get_interval_time64", 6},
	/* Older calls that x86-64 never had. */
	{"wait4", "waitpid", 3},
	{"umount2", "umount", 1},
	{"settimeofday", "stime", 0},
	{"clock_settime", "stime", 0},
	{"setpriority", "nice", 0},
	{"rt_sigaction", "signal", 1},
	{"rt_sigaction", "sigaction", 1},
	{"rt_sigprocmask", "sigprocmask", 1},
	{"rt_sigprocmask", "sgetmask", 0},
	{"rt_sigprocmask", "ssetmask", 0},
	{"rt_sigsuspend", "sigsuspend", 0},
	{"rt_sigpending", "sigpending", 0},
	{"rt_sigreturn", "sigreturn", 0},
	{"getdents", "readdir", 1},
	{"uname", "olduname", 1},
	{"uname", "oldolduname", 1},
	{"select", "_newselect", 5},
	{"getrlimit", "ugetrlimit", 2},
	{"sendto", "send", 4},
	{"recvfrom", "recv", 4},
	/* And those that aarch64 never had. */
	{"openat", "open", 0},
	{"openat", "creat", 0},
	{"mkdirat", "mkdir", 0},
	{"mknodat", "mknod", 0},
	{"unlinkat", "unlink", 0},
	{"unlinkat", "rmdir", 0},
	{"renameat", "rename", 0},
	{"linkat", "link", 0},
	{"symlinkat", "symlink", 0},
	{"readlinkat", "readlink", 0},
	{"fchmodat", "chmod", 0},
	{"fchownat", "chown", 0},
	{"fchownat", "chown32", 0},
	{"fchownat", "lchown", 0},
	{"fchownat", "lchown32", 0},
	{"faccessat", "access", 0},
	{"newfstatat", "stat", 0},
	{"newfstatat", "lstat", 0},
	{"newfstatat", "stat64", 0},
	{"newfstatat", "lstat64", 0},
	{"statfs", "ustat", 0},
	{"utimensat", "utime", 0},
	{"utimensat", "utimes", 0},
	{"utimensat", "futimesat", 0},
	{"pipe2", "pipe", 1},
	{"dup3", "dup2", 2},
	{"clone", "fork", 0},
	{"clone", "vfork", 0},
	{"ppoll", "poll", 2},
	{"pselect6", "select", 0},
	{"pselect6", "_newselect", 4},
	{"epoll_create1", "epoll_create", 0},
	{"epoll_pwait", "epoll_wait", 4},
	{"inotify_init1", "inotify_init", 0},
	{"eventfd2", "eventfd", 1},
	{"signalfd4", "signalfd", 3},
	{"getdents64", "getdents", 3},
	{"getdents64", "readdir", 1},
	{"getpgid", "getpgrp", 0},
	{"setitimer", "alarm", 0},
};

/* Calls whose own arguments are others on the second architecture, from `arg` on. */
struct difference {
	const char *call;
	uint32_t arg;
};

static const struct difference differences[] = {
	/* Ids of 16 bits: the kernel does not look at the others, so that a comparison of 32 can
	 * be dodged. */
	{"chown", 1},
	{"fchown", 1},
	{"lchown", 1},
	/* Offset and length are two arguments each. */
	{"fallocate", 2},
	/* x86: the address of a structure that holds the arguments. */
	{"mmap", 0},
};

const char *forms_next(const char *call, size_t *state)
{
	while (*state < sizeof(forms) / sizeof(forms[0])) {
		const struct form *row = &forms[(*state)++];

		if (str_equal(row->call, call) && syscalls_number(row->form) < 0 &&
		    syscalls_number_on(ABI_SECOND, row->form) >= 0)
			return row->form;
	}
	return NULL;
}

bool forms_compare(const char *call, const char *form, uint32_t arg)
{
	if (str_equal(call, form)) {
		for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++)
			if (str_equal(differences[i].call, call))
				return arg < differences[i].arg;
		return true;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (str_equal(forms[i].call, call) && str_equal(forms[i].form, form))
			return arg < forms[i].n_same;
	return false;
}

#define SOCKETCALL(number, call)                           \
	{                                                  \
		"socketcall", (number), UINT32_MAX, (call) \
	}
/* The upper half is a version, which says how msgrcv's arguments are passed. */
#define IPC(number, call)                       \
	{                                       \
		"ipc", (number), 0xffff, (call) \
	}

static const struct forms_part parts[] = {
#if POLICY_IS_X86_64
	SOCKETCALL(1, "socket"),
	SOCKETCALL(2, "bind"),
	SOCKETCALL(3, "connect"),
	SOCKETCALL(4, "listen"),
	SOCKETCALL(5, "accept"),
	SOCKETCALL(6, "getsockname"),
	SOCKETCALL(7, "getpeername"),
	SOCKETCALL(8, "socketpair"),
	SOCKETCALL(9, "send"),
	SOCKETCALL(10, "recv"),
	SOCKETCALL(11, "sendto"),
	SOCKETCALL(12, "recvfrom"),
	SOCKETCALL(13, "shutdown"),
	SOCKETCALL(14, "setsockopt"),
	SOCKETCALL(15, "getsockopt"),
	SOCKETCALL(16, "sendmsg"),
	SOCKETCALL(17, "recvmsg"),
	SOCKETCALL(18, "accept4"),
	SOCKETCALL(19, "recvmmsg"),
	SOCKETCALL(20, "sendmmsg"),
	IPC(1, "semop"),
	IPC(2, "semget"),
	IPC(3, "semctl"),
	IPC(4, "semtimedop"),
	IPC(11, "msgsnd"),
	IPC(12, "msgrcv"),
	IPC(13, "msgget"),
	IPC(14, "msgctl"),
	IPC(21, "shmat"),
	IPC(22, "shmdt"),
	IPC(23, "shmget"),
	IPC(24, "shmctl"),
#endif
	{.call = NULL},
};

const struct forms_part *forms_parts(void)
{
	return parts;
}
