/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* net/names.c: who is in a network, and that a reader never sees half of a change. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "net/names.h"
#include "tests/lib/scratch.h"

static struct scratch scratch;
static char run[PATH_MAX];
static struct network web = {.id = "aa00000000000001", .name = "web"};

static int begin(void **state)
{
	(void)state;
	scratch_make(&scratch);
	scratch_dir(&scratch, "run", 0700);
	scratch_path(&scratch, "run", run);
	return 0;
}

static int end(void **state)
{
	(void)state;
	scratch_remove(&scratch);
	return 0;
}

static struct names_entry entry_of(const char *id, uint8_t last)
{
	static const char *const aliases[] = {"one", "two"};
	const struct spec_endpoint endpoint = {.network = "web",
					       .aliases = aliases,
					       .n_aliases = 2};
	const struct lease lease = {.address = {.family = 2, .bytes = {10, 1, 0, last}},
				    .mac = {2, 0xc0, 10, 1, 0, last}};
	char holder[64];
	const struct names_identity who = {.holder = holder, .run_id = id, .name = "db"};
	struct names_entry entry;
	struct err err;

	str_format(holder, sizeof(holder), "/state/sandboxes/%s", id);
	assert_int_equal(names_describe(&endpoint, &who, &lease, &entry, &err), 0);
	return entry;
}

static void describes(void **state)
{
	struct names_entry entry = entry_of("0123456789abcdef", 2);
	size_t at = 0;

	(void)state;
	assert_string_equal(entry.id, "0123456789abcdef");
	assert_string_equal(names_next(entry.names, sizeof(entry.names), &at), "db");
	assert_string_equal(names_next(entry.names, sizeof(entry.names), &at), "0123456789ab");
	assert_string_equal(names_next(entry.names, sizeof(entry.names), &at), "one");
	assert_string_equal(names_next(entry.names, sizeof(entry.names), &at), "two");
	assert_null(names_next(entry.names, sizeof(entry.names), &at));
	/* As many as there is room for, and a whole pair or none. */
	while (names_add_link(&entry, "alias", "a-target"))
		;
	at = 0;
	while (names_next(entry.links, sizeof(entry.links), &at) != NULL)
		assert_non_null(names_next(entry.links, sizeof(entry.links), &at));
}

static void comes_and_goes(void **state)
{
	struct names_entry a = entry_of("aaaaaaaaaaaaaaaa", 2), b = entry_of("bbbbbbbbbbbbbbbb", 3);
	struct names names;
	struct err err;
	char path[PATH_MAX];

	(void)state;
	assert_int_equal(names_read(run, &web, &names, &err), 0);
	assert_int_equal(names.n, 0);
	assert_int_equal(names_put(run, &web, &a, &err), 0);
	assert_int_equal(names_put(run, &web, &b, &err), 0);
	a.number = 1;
	assert_int_equal(names_put(run, &web, &a, &err), 0);
	assert_int_equal(names_read(run, &web, &names, &err), 0);
	assert_int_equal(names.n, 2);
	assert_int_equal(names_find(&names, a.id)->number, 1);
	assert_null(names_find(&names, "cccc"));
	names_free(&names);
	/* Two cards with one address would take each other's frames. */
	memcpy(b.mac, a.mac, sizeof(b.mac));
	str_format(b.id, sizeof(b.id), "cccccccccccccccc");
	assert_int_equal(names_put(run, &web, &b, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, "sandbox db has the link address 02:c0:0a:01:00:02"));
	assert_int_equal(names_drop(run, &web, "nobody", &err), 0);
	assert_int_equal(names_drop(run, &web, a.run, &err), 0);
	assert_int_equal(names_read(run, &web, &names, &err), 0);
	assert_int_equal(names.n, 1);
	names_free(&names);
	assert_int_equal(names_drop(run, &web, "bbbbbbbbbbbbbbbb", &err), 0);
	assert_int_equal(access(scratch_path(&scratch, "run/networks", path), F_OK), -1);
}

/* A writer that was killed before it wrote the head has written to the other half alone. */
static void survives_half_a_change(void **state)
{
	struct names_entry a = entry_of("aaaaaaaaaaaaaaaa", 2);
	struct names names;
	struct err err;
	char path[PATH_MAX], rubbish[4096];
	int fd;

	(void)state;
	assert_int_equal(names_put(run, &web, &a, &err), 0);
	fd = open(scratch_path(&scratch, "run/networks/aa00000000000001", path), O_RDWR);
	memset(rubbish, 'x', sizeof(rubbish));
	/* The first change went to half 1. */
	assert_int_equal(pwrite(fd, rubbish, sizeof(rubbish), NAMES_PAGE), sizeof(rubbish));
	assert_int_equal(names_read(run, &web, &names, &err), 0);
	assert_int_equal(names.n, 1);
	names_free(&names);
	/* Damage is damage. */
	assert_int_equal(pwrite(fd, rubbish, sizeof(rubbish),
				NAMES_PAGE + NAMES_MAX * sizeof(struct names_entry)),
			 sizeof(rubbish));
	assert_int_equal(names_read(run, &web, &names, &err), -EBADMSG);
	assert_int_equal(pwrite(fd, rubbish, 16, 0), 16);
	assert_int_equal(names_read(run, &web, &names, &err), -EBADMSG);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(describes),
		cmocka_unit_test_setup_teardown(comes_and_goes, begin, end),
		cmocka_unit_test_setup_teardown(survives_half_a_change, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
