/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes one raw system call, so that it is the kernel or a filter that answers and never libc.
 *
 *	call NAME|NUMBER [ARG...]
 *
 * ARG is a number, "buf" (the address of a zeroed page), "text:WORDS" (the address of the words) or
 * "hex:DIGITS" (of the bytes).
 * Prints "ok" or the name of the errno; exits 0 or 42.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { EXIT_STOPPED = 42, ARGS_MAX = 6 };

static char page[4096] __attribute__((aligned(4096)));

static long read_bytes(const char *digits)
{
	static unsigned char bytes[sizeof(page)];
	size_t n = 0;

	for (; digits[0] != '\0' && digits[1] != '\0' && n < sizeof(bytes); digits += 2) {
		const char pair[3] = {digits[0], digits[1], '\0'};

		bytes[n++] = (unsigned char)strtoul(pair, NULL, 16);
	}
	return (long)bytes;
}

static long read_argument(const char *text)
{
	static const char prefix[] = "text:";

	if (strncmp(text, "hex:", 4) == 0)
		return read_bytes(text + 4);

	if (strcmp(text, "buf") == 0)
		return (long)page;
	if (strncmp(text, prefix, sizeof(prefix) - 1) == 0)
		return (long)(text + sizeof(prefix) - 1);
	return (long)strtoull(text, NULL, 0);
}

static long read_number(const char *text)
{
	return text[0] >= '0' && text[0] <= '9' ? strtol(text, NULL, 0)
						: seccomp_syscall_resolve_name(text);
}

int main(int argc, char **argv)
{
	long a[ARGS_MAX] = {0};
	pid_t self = getpid();
	long number, result;
	const char *name;

	if (argc < 2 || argc > 2 + ARGS_MAX || (number = read_number(argv[1])) < 0) {
		fprintf(stderr, "usage: call NAME|NUMBER [ARG...]\n");
		return 2;
	}
	for (int i = 2; i < argc; i++)
		a[i - 2] = read_argument(argv[i]);
	result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	/* The child that clone and its kin made. */
	if (result == 0 && syscall(SYS_getpid) != self)
		_exit(0);
	if (result >= 0) {
		puts("ok");
		return 0;
	}
	name = strerrorname_np(errno);
	puts(name != NULL ? name : "unknown");
	return EXIT_STOPPED;
}
