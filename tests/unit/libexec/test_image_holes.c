/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libexec/image/holes.c: where a file has content, also of one that grows or shrinks meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "libexec/image/pack.h"

#define PART ((off_t)1 << 20)

static void put(int fd, off_t at)
{
	static char part[PART];

	memset(part, 'x', sizeof(part));
	assert_int_equal(pwrite(fd, part, sizeof(part), at), PART);
}

/* Content, a hole, content. */
static int make(FILE **ret)
{
	int fd;

	*ret = tmpfile();
	assert_non_null(*ret);
	fd = fileno(*ret);
	put(fd, 0);
	put(fd, 2 * PART);
	return fd;
}

static void is_stretch(int fd, off_t at, off_t size, off_t from, off_t to)
{
	struct pack_stretch got = {0};

	assert_true(pack_next_data(fd, at, size, &got));
	assert_int_equal(got.from, from);
	assert_int_equal(got.to, to);
}

static void as_it_is(void **state)
{
	struct pack_stretch none;
	FILE *file;
	int fd = make(&file);

	(void)state;
	is_stretch(fd, 0, 3 * PART, 0, PART);
	is_stretch(fd, PART, 3 * PART, 2 * PART, 3 * PART);
	assert_false(pack_next_data(fd, 3 * PART, 3 * PART, &none));
	fclose(file);
}

/* The size is what it was when the header was begun: a stretch that goes beyond it is left out of
 * the tar's list as a whole, and what is in it would be zeros. */
static void grows(void **state)
{
	struct pack_stretch none;
	FILE *file;
	int fd = make(&file);

	(void)state;
	put(fd, 3 * PART);
	put(fd, 6 * PART);
	is_stretch(fd, PART, 3 * PART, 2 * PART, 3 * PART);
	assert_false(pack_next_data(fd, 3 * PART, 3 * PART, &none));
	assert_false(pack_next_data(fd, 4 * PART, 5 * PART, &none));
	fclose(file);
}

static void shrinks(void **state)
{
	struct pack_stretch none;
	FILE *file;
	int fd = make(&file);

	(void)state;
	assert_int_equal(ftruncate(fd, PART), 0);
	is_stretch(fd, 0, 3 * PART, 0, PART);
	assert_false(pack_next_data(fd, PART, 3 * PART, &none));
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_it_is),
		cmocka_unit_test(grows),
		cmocka_unit_test(shrinks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
