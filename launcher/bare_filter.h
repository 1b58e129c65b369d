/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words of which the filters of programs without libc are made (bare_watch.h). Each leaves the
 * number of the call where the next one looks for it. */
#ifndef CORDON_LAUNCHER_BARE_FILTER_H
#define CORDON_LAUNCHER_BARE_FILTER_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define BARE_NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define BARE_NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "no system call convention for this architecture"
#endif

#define BARE_LOOK_AT_CALL                                                        \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)), \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BARE_NATIVE_ARCH, 1, 0),     \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),             \
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))

#define BARE_ALLOW(call)                                   \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

#define BARE_KILL BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

/* The lower half of an argument, and the upper one. */
#define BARE_ARG(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[n]))
#define BARE_ARG_HIGH(n) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[n]) + 4)

/*
 * A socket of UDP that is connected sends to whomever it is told to all the same (udp(7)), and
 * those that a worker is handed are the host's. So it names nobody but by descriptors below `own`,
 * with which it began, and closes none below `all`: what it is handed next would have that number.
 * That is why it has sendto(2): within what sendmsg(2) is given no filter can look.
 */
#define BARE_ALLOW_SEND(own)                                                    \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendto, 0, 8), BARE_ARG(0),     \
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (own), 0, 5), BARE_ARG(4),  \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2), BARE_ARG_HIGH(4), \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), BARE_KILL,        \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define BARE_ALLOW_CLOSE(all)                                                \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close, 0, 4), BARE_ARG(0),   \
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (all), 1, 0), BARE_KILL, \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

#endif
