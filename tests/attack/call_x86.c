/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes one raw system call of x86's, by int 0x80, so that it is the kernel or a filter that
 * answers.
 *
 *	call_x86 NUMBER [ARG...]        as a program of 32 bits
 *	int80 NUMBER [ARG...]           the same as one of 64 bits, which reaches the same calls
 *
 * ARG is a number, "buf" (the address of a zeroed page) or "text:WORDS" (the address of the words).
 * Prints "ok" or the errno's name; exits 0 or 42. Without libc: one of 32 bits is a package of its
 * own on most machines. Everything is done by int 0x80, and what it points to lies below 4 GiB.
 */
#include <asm-generic/errno.h>
#include <stddef.h>
#include <stdint.h>

enum { EXIT_STOPPED = 42, EXIT_USAGE = 2, ARGS_MAX = 6, NR_EXIT = 1, NR_WRITE = 4, NR_GETPID = 20 };

static char page[4096] __attribute__((aligned(4096)));
static char texts[1024];

/* The number and six arguments. */
uint32_t int80(const uint32_t *words);
void start(char **stack);

#ifdef __i386__
__asm__(".globl _start\n"
	"_start:\n"
	"	mov %esp, %eax\n"
	"	and $-16, %esp\n"
	"	sub $12, %esp\n"
	"	push %eax\n"
	"	call start\n"
	"int80:\n"
	"	push %ebx\n	push %esi\n	push %edi\n	push %ebp\n"
	"	mov 20(%esp), %ebp\n"
	"	mov (%ebp), %eax\n	mov 4(%ebp), %ebx\n	mov 8(%ebp), %ecx\n"
	"	mov 12(%ebp), %edx\n	mov 16(%ebp), %esi\n	mov 20(%ebp), %edi\n"
	"	mov 24(%ebp), %ebp\n"
	"	int $0x80\n"
	"	pop %ebp\n	pop %edi\n	pop %esi\n	pop %ebx\n"
	"	ret\n");
#else
__asm__(".globl _start\n"
	"_start:\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call start\n"
	"int80:\n"
	"	push %rbx\n	push %rbp\n"
	"	mov %rdi, %rbp\n"
	"	mov (%rbp), %eax\n	mov 4(%rbp), %ebx\n	mov 8(%rbp), %ecx\n"
	"	mov 12(%rbp), %edx\n	mov 16(%rbp), %esi\n	mov 20(%rbp), %edi\n"
	"	mov 24(%rbp), %ebp\n"
	"	int $0x80\n"
	"	pop %rbp\n	pop %rbx\n"
	"	ret\n");
#endif

static uint32_t call(uint32_t number, uint32_t a, uint32_t b, uint32_t c)
{
	const uint32_t words[7] = {number, a, b, c};

	return int80(words);
}

static _Noreturn void end(int code)
{
	for (;;)
		call(NR_EXIT, (uint32_t)code, 0, 0);
}

static size_t length(const char *text)
{
	size_t n = 0;

	while (text[n] != '\0')
		n++;
	return n;
}

static void say(const char *text)
{
	static char line[64];
	size_t n = length(text);

	for (size_t i = 0; i < n; i++)
		line[i] = text[i];
	line[n] = '\n';
	call(NR_WRITE, 1, (uint32_t)(uintptr_t)line, (uint32_t)n + 1);
}

static const char *name_of(uint32_t error)
{
	switch (error) {
	case EPERM:
		return "EPERM";
	case ENOENT:
		return "ENOENT";
	case EIO:
		return "EIO";
	case EBADF:
		return "EBADF";
	case EACCES:
		return "EACCES";
	case EFAULT:
		return "EFAULT";
	case EINVAL:
		return "EINVAL";
	case ENOTTY:
		return "ENOTTY";
	case ENOSYS:
		return "ENOSYS";
	case ENOSPC:
		return "ENOSPC";
	case ENOTSOCK:
		return "ENOTSOCK";
	case EAFNOSUPPORT:
		return "EAFNOSUPPORT";
	default:
		return "another";
	}
}

static uint32_t read_number(const char *text)
{
	uint32_t base = 10, value = 0;

	if (text[0] == '0' && text[1] == 'x') {
		base = 16;
		text += 2;
	} else if (text[0] == '0') {
		base = 8;
	}
	for (; *text != '\0'; text++)
		value = value * base + (uint32_t)(*text >= 'a' ? *text - 'a' + 10 : *text - '0');
	return value;
}

/* Its address, where an int 0x80 of a program of 64 bits can name it. */
static uint32_t copy_text(const char *text, size_t *used)
{
	char *copy = texts + *used;

	if (*used + length(text) >= sizeof(texts))
		end(EXIT_USAGE);
	*used += length(text) + 1;
	for (size_t i = 0; text[i] != '\0'; i++)
		copy[i] = text[i];
	return (uint32_t)(uintptr_t)copy;
}

static uint32_t read_argument(const char *text, size_t *used)
{
	static const char prefix[] = "text:";
	size_t n = 0;

	while (prefix[n] != '\0' && text[n] == prefix[n])
		n++;
	if (prefix[n] == '\0')
		return copy_text(text + n, used);
	if (text[0] == 'b')
		return (uint32_t)(uintptr_t)page;
	return read_number(text);
}

void start(char **stack)
{
	long argc = (long)(intptr_t)stack[0];
	char **argv = stack + 1;
	uint32_t words[7] = {0};
	uint32_t self = call(NR_GETPID, 0, 0, 0);
	uint32_t result;
	size_t used = 0;

	if (argc < 2 || argc > 2 + ARGS_MAX)
		end(EXIT_USAGE);
	for (long i = 1; i < argc; i++)
		words[i - 1] = read_argument(argv[i], &used);
	result = int80(words);
	/* The child that clone and its kin made. */
	if (result == 0 && call(NR_GETPID, 0, 0, 0) != self)
		end(0);
	say(result < (uint32_t)-4095 ? "ok" : name_of(-result));
	end(result < (uint32_t)-4095 ? 0 : EXIT_STOPPED);
}
