/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Programs without libc: pid 1 of a sandbox (init/init.c) and the terminal's relay
 * (monitor/monitor.c). Each is one file that includes this, and begins in bare_main with the stack
 * as the kernel made it: argc, argv, NULL, environment (psABI, "Process Initialization").
 */
#ifndef CORDON_LAUNCHER_BARE_H
#define CORDON_LAUNCHER_BARE_H

#include <sys/syscall.h>

#include "launcher/bare_filter.h"

_Noreturn void bare_main(long *stack);

#if defined(__x86_64__)
static inline long bare_call6(long n, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
static inline long bare_call(long n, long a, long b, long c, long d, long e)
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
__asm__(".global _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall "
	"bare_main\n\thlt\n");
#elif defined(__aarch64__)
static inline long bare_call6(long n, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
static inline long bare_call(long n, long a, long b, long c, long d, long e)
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
__asm__(".global _start\n_start:\n\tmov x0, sp\n\tbl bare_main\n");

/* Copying a structure may become a call of this, also where there is no libc ("Standards" in gcc's
 * manual); on x86-64 the copy is written in place. */
void *memcpy(void *to, const void *from, unsigned long size);
void *memcpy(void *to, const void *from, unsigned long size)
{
	for (unsigned long i = 0; i < size; i++)
		((char *)to)[i] = ((const char *)from)[i];
	return to;
}
#else
#error "no system call convention for this architecture"
#endif

static inline _Noreturn void bare_exit(int code)
{
	for (;;)
		bare_call(SYS_exit_group, code, 0, 0, 0, 0);
}

#endif
