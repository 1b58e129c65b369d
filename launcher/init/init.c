/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pid 1 of a sandbox: reaps, and reports how the workload ended.
 *
 * Theory of operation. The setup process executes this from a sealed memfd of mode 0111, so nothing
 * of the caller's memory or environment is left, and the kernel makes it undumpable before its
 * first instruction: the workload cannot read, write or trace it, also where both have the same id.
 * All signals are blocked and none has a handler; a signal to pid 1 from inside its own namespace
 * does nothing. It runs with no capabilities, no_new_privs, a system call filter of its own, three
 * descriptors (four where there is a terminal), and no libc. When the workload's first process
 * stops, init reports that. When it ends, init reports that and exits, and the kernel kills
 * everything that is left in the pid namespace.
 *
 * argv[1] is the workload's pid; argv[2] is "terminal" where there is one, whose session init
 * leads. argv[3] is there for a program that has come into a sandbox that runs (enter.h): then this
 * is no pid 1, stands outside, and is the one that sees the client's death. The program does not in
 * each case, for AppArmor takes its death signal away where it changes profiles
 * (apparmor_bprm_committing_creds in the kernel's security/apparmor/domain.c); so it is killed from
 * here. Descriptors: init_image.h.
 */
#include <asm/ioctls.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "launcher/bare.h"
#include "launcher/init_image.h"

/* Of the client's death; nobody else sends it. All are blocked. */
enum { CLIENT_DIED = SIGPWR, SIGNAL_SET_SIZE = 8 };

/* All that init does from here on. Anything else is a hijacked init: kill it, and the sandbox with
 * it. */
static void load_filter(int workload)
{
	const struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BARE_NATIVE_ARCH, 0, 14),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_waitid, 13, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 12, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 11, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigtimedwait, 10, 0),
		/* With one request, with one signal, and with SIGKILL for one process, alone. */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kill, 2, 7),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCSPGRP, 6, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SIGCONT, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SIGKILL, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)workload, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]),
					   .filter = (struct sock_filter *)filter};

	if (bare_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long)&program, 0, 0) != 0)
		bare_exit(125);
}

static void confine(int workload, bool is_entered)
{
	if (bare_call(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    bare_call(SYS_prctl, PR_SET_PDEATHSIG, is_entered ? CLIENT_DIED : SIGKILL, 0, 0, 0) !=
		    0 ||
	    bare_call(SYS_prctl, PR_SET_NAME, (long)"cordon-init", 0, 0, 0) != 0)
		bare_exit(125);
	/* The keeper may have died before the death signal was set: the lifeline then reads as hung
	 * up. */
	struct pollfd lifeline = {.fd = INIT_LIFELINE_FD, .events = POLLIN};
	struct timespec now = {0, 0};

	if (bare_call(SYS_ppoll, (long)&lifeline, 1, (long)&now, 0, 0) != 0)
		bare_exit(125);
	load_filter(workload);
}

static int parse_pid(const char *text)
{
	int pid = 0;

	for (; *text >= '0' && *text <= '9' && pid < 100000000; text++)
		pid = pid * 10 + (*text - '0');
	return pid;
}

/*
 * The first process stopped. Where it wanted the terminal it gets it: in a pipeline its group
 * begins in the background, so that it does not take keys that are meant for another program, and
 * the kernel stops it here when it asks for them. Any other stop is the keeper's to answer.
 */
static void on_stopped(int workload, bool has_terminal, int signo)
{
	struct init_status status = {.code = CLD_STOPPED, .status = signo};

	if (has_terminal && (signo == SIGTTIN || signo == SIGTTOU)) {
		bare_call(SYS_ioctl, INIT_TERMINAL_FD, TIOCSPGRP, (long)&workload, 0, 0);
		bare_call(SYS_kill, -workload, SIGCONT, 0, 0, 0);
	}
	bare_call(SYS_write, INIT_STATUS_FD, (long)&status, sizeof(status), 0, 0);
}

static _Noreturn void on_ended(const siginfo_t *info)
{
	struct init_status status = {.code = info->si_code, .status = info->si_status};

	bare_call(SYS_write, INIT_STATUS_FD, (long)&status, sizeof(status), 0, 0);
	bare_exit(0);
}

/* Until a child has something to say, or the client is dead: then the workload is killed. */
static void await_signal(int workload)
{
	const unsigned long set = 1UL << (SIGCHLD - 1) | 1UL << (CLIENT_DIED - 1);

	if (bare_call(SYS_rt_sigtimedwait, (long)&set, 0, 0, SIGNAL_SET_SIZE, 0) != CLIENT_DIED)
		return;
	bare_call(SYS_kill, workload, SIGKILL, 0, 0, 0);
	bare_exit(125);
}

_Noreturn void bare_main(long *stack)
{
	int workload = stack[0] >= 2 ? parse_pid((const char *)stack[2]) : 0;
	bool has_terminal = stack[0] >= 3 && *(const char *)stack[3] == 't';
	bool is_entered = stack[0] == 4;
	siginfo_t info;

	if (workload == 0)
		bare_exit(125);
	confine(workload, is_entered);
	for (;;) {
		long r;

		info.si_pid = 0;
		r = bare_call(SYS_waitid, P_ALL, 0, (long)&info,
			      WEXITED | WSTOPPED | WCONTINUED | __WALL | (is_entered ? WNOHANG : 0),
			      0);
		/* Only ECHILD can be: the workload is gone unseen, which cannot happen. */
		if (r < 0)
			bare_exit(125);
		if (info.si_pid == 0)
			await_signal(workload);
		if (info.si_pid != workload)
			continue;
		if (info.si_code == CLD_STOPPED)
			on_stopped(workload, has_terminal, info.si_status);
		else if (info.si_code == CLD_CONTINUED)
			/* Before kernel 6.9 the keeper reaches the first process alone: ^Z had
			 * stopped its whole group. */
			bare_call(SYS_kill, -workload, SIGCONT, 0, 0, 0);
		else
			on_ended(&info);
	}
}
