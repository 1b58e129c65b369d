/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the compiler and net/ may call, for programs of one file that have no libc; string.h has the
 * names. To be included once in each. */
#ifndef CORDON_LAUNCHER_BARE_STRING_H
#define CORDON_LAUNCHER_BARE_STRING_H

#include <string.h>

#if defined(__x86_64__)
void *memcpy(void *dest, const void *src, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((char *)dest)[i] = ((const char *)src)[i];
	return dest;
}
#endif

void *memset(void *s, int c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((char *)s)[i] = (char)c;
	return s;
}

int memcmp(const void *s1, const void *s2, size_t n)
{
	const unsigned char *left = s1, *right = s2;

	for (size_t i = 0; i < n; i++)
		if (left[i] != right[i])
			return left[i] - right[i];
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	const unsigned char *bytes = s;

	for (size_t i = 0; i < n; i++)
		if (bytes[i] == (unsigned char)c)
			return (void *)(bytes + i);
	return NULL;
}

size_t strlen(const char *s)
{
	size_t len = 0;

	while (s[len] != '\0')
		len++;
	return len;
}

#endif
