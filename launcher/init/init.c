/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pid 1 of a sandbox: reaps, and reports how the workload ended.
 *
 * Theory of operation. The setup process executes this from a sealed memfd of mode 0111, so nothing
 * of the caller's memory or environment is left, and the kernel makes it undumpable before its
 * first instruction: the workload cannot read, write or trace it, also where both have the same id.
 * All signals are blocked and none has a handler; a signal to pid 1 from inside its own namespace
 * does nothing. It runs with no capabilities, no_new_privs, a system call filter of its own, three
 * descriptors, and no libc. When the workload's first process ends, init reports that and exits,
 * and the kernel kills everything that is left in the pid namespace.
 *
 * argv[1] is the workload's pid. Descriptors: init_image.h.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "launcher/init_image.h"

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
static long call(long n, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}
/* The stack at entry holds argc, argv: psABI, "Process Initialization". */
__asm__(".global _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall "
	"init_main\n\thlt\n");
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
static long call(long n, long a, long b, long c, long d, long e)
{
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	return x0;
}
__asm__(".global _start\n_start:\n\tmov x0, sp\n\tbl init_main\n");
#else
#error "init has no system call convention for this architecture"
#endif

_Noreturn void init_main(long *stack);

static _Noreturn void leave(int code)
{
	for (;;)
		call(SYS_exit_group, code, 0, 0, 0, 0);
}

/* All that init does from here on. Anything else is a hijacked init: kill it, and the sandbox with
 * it. */
static const struct sock_filter filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 0, 4),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_waitid, 3, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static void confine(void)
{
	const struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]),
					   .filter = (struct sock_filter *)filter};

	if (call(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 ||
	    call(SYS_prctl, PR_SET_NAME, (long)"cordon-init", 0, 0, 0) != 0)
		leave(125);
	/* The keeper may have died before the death signal was set: the lifeline then reads as hung
	 * up. */
	struct pollfd lifeline = {.fd = INIT_LIFELINE_FD, .events = POLLIN};
	struct timespec now = {0, 0};

	if (call(SYS_ppoll, (long)&lifeline, 1, (long)&now, 0, 0) != 0)
		leave(125);
	if (call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long)&program, 0, 0) != 0)
		leave(125);
}

static int parse_pid(const char *text)
{
	int pid = 0;

	for (; *text >= '0' && *text <= '9' && pid < 100000000; text++)
		pid = pid * 10 + (*text - '0');
	return pid;
}

_Noreturn void init_main(long *stack)
{
	int workload = stack[0] == 2 ? parse_pid((const char *)stack[2]) : 0;
	siginfo_t info;

	if (workload == 0)
		leave(125);
	confine();
	for (;;) {
		long r;

		info.si_pid = 0;
		r = call(SYS_waitid, P_ALL, 0, (long)&info, WEXITED | __WALL, 0);
		/* Only ECHILD can be: the workload is gone unseen, which cannot happen. */
		if (r < 0)
			leave(125);
		if (info.si_pid == workload) {
			struct init_status status = {.code = info.si_code,
						     .status = info.si_status};

			call(SYS_write, INIT_STATUS_FD, (long)&status, sizeof(status), 0, 0);
			leave(0);
		}
	}
}
