/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* net/book_store.c: the table of names on the disk, and what a reader finds while somebody writes.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "net/book_store.h"
#include "tests/lib/scratch.h"

static struct scratch scratch;
static struct networks networks;
static struct network web = {.id = "00000000000000aa", .name = "web", .is_internal = true};
static struct network built_in = {.id = "00000000000000cc", .name = "bridge", .is_built_in = true};
static struct network open_one = {.id = "00000000000000bb", .name = "open"};
static char *text;

static int begin(void **state)
{
	char path[PATH_MAX];
	struct err err;

	(void)state;
	scratch_make(&scratch);
	text = malloc(BOOK_TEXT_MAX);
	return text == NULL ||
	       networks_open(scratch_path(&scratch, "a/state", path), true, &networks, &err) < 0;
}

static int end(void **state)
{
	(void)state;
	free(text);
	networks_release(&networks);
	scratch_remove(&scratch);
	return 0;
}

static void publish(const char *run, const struct network *network, uint8_t last, const char *name)
{
	struct names_entry entry = {.address = {10, 0, 0, last}};
	struct err err;

	strcpy(entry.run, run);
	assert_true(names_add_own(&entry, name));
	assert_true(names_add_own(&entry, "no name"));
	assert_int_equal(book_publish(&networks, network, &entry, &err), 0);
}

static long read_at(void *ctx, void *buf, size_t size, uint64_t offset)
{
	const int *fd = ctx;

	return pread(*fd, buf, size, (off_t)offset);
}

static int load(int fd, uint64_t generation, struct book_head *head)
{
	const struct book_file file = {.read_at = read_at, .ctx = &fd};
	unsigned slot;
	int r = book_load(&file, generation, head, text, &slot);

	if (r == 1)
		text[head->length] = '\0';
	return r;
}

static void comes_and_goes(void **state)
{
	struct book_head head;
	struct err err;
	_cleanup_fd_ int fd = book_open(&networks, &err);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(load(fd, 0, &head), -ENOENT);
	publish("0a", &web, 2, "db");
	publish("0b", &web, 3, "app");
	publish("0b", &open_one, 3, "app");
	assert_int_equal(load(fd, 0, &head), 1);
	assert_string_equal(text, "at 0a 00000000000000aa web in 0a000002 - db\n"
				  "at 0b 00000000000000aa web in 0a000003 - app\n"
				  "at 0b 00000000000000bb open out 0a000003 - app\n");
	assert_int_equal(load(fd, head.generation, &head), 0);
	assert_true(book_has(&networks, "0b", &open_one));
	assert_int_equal(book_forget(&networks, "0b", open_one.id, &err), 0);
	assert_false(book_has(&networks, "0b", &open_one));
	assert_true(book_has(&networks, "0b", &web));
	/* Who has the address now is who it belongs to. */
	publish("0c", &web, 2, "new");
	assert_false(book_has(&networks, "0a", &web));
	assert_int_equal(book_forget(&networks, "0b", NULL, &err), 0);
	assert_int_equal(book_forget(&networks, "0b", NULL, &err), 0);
	/* In a built-in one there are no names, but it may lead out. */
	publish("0d", &built_in, 9, "d");
	assert_int_equal(load(fd, 0, &head), 1);
	assert_string_equal(text, "at 0c 00000000000000aa web in 0a000002 - new\n"
				  "at 0d 00000000000000cc bridge out 0a000009 -\n");
}

static void another_boots_is_nobodys(void **state)
{
	struct book_head head;
	struct err err;
	_cleanup_fd_ int file = book_open(&networks, &err);
	_cleanup_fd_ int writable = openat(networks.fd, ".names", O_RDWR | O_CLOEXEC);

	(void)state;
	publish("0a", &web, 2, "db");
	assert_int_equal(load(file, 0, &head), 1);
	/* The same table, as it would have been written before. */
	head.boot[0] ^= 1;
	head.generation++;
	head.sum = book_sum(&head, text);
	for (off_t slot = 0; slot <= BOOK_SLOT; slot += BOOK_SLOT) {
		assert_int_equal(pwrite(writable, &head, sizeof(head), slot), sizeof(head));
		assert_int_equal(pwrite(writable, text, head.length, slot + (off_t)sizeof(head)),
				 head.length);
	}
	assert_int_equal(load(file, 0, &head), 1);
	assert_non_null(strstr(text, " db\n"));
	publish("0b", &web, 3, "app");
	assert_int_equal(load(file, 0, &head), 1);
	assert_string_equal(text, "at 0b 00000000000000aa web in 0a000003 - app\n");
}

static void sweeps_runs_that_are_gone(void **state)
{
	char runs[PATH_MAX];
	uint32_t n = 0;
	struct err err;

	(void)state;
	publish("0a", &web, 2, "db");
	publish("0b", &web, 3, "app");
	scratch_dir(&scratch, "runs", 0700);
	scratch_dir(&scratch, "runs/0b", 0700);
	assert_int_equal(book_sweep(&networks, scratch_path(&scratch, "runs", runs), &n, &err), 0);
	assert_int_equal(n, 1);
	assert_true(book_has(&networks, "0b", &web));
	assert_false(book_has(&networks, "0a", &web));
}

/* A writer that was killed has written to the slot that does not count. */
static void half_a_table_is_none(void **state)
{
	static const char rubbish[] = "at 0f 00000000000000aa web in 0a000007 - evil\n";
	struct book_head head, before;
	struct err err;
	_cleanup_fd_ int fd = book_open(&networks, &err);
	_cleanup_fd_ int file = openat(networks.fd, ".names", O_RDWR | O_CLOEXEC);
	off_t slot = 0;

	(void)state;
	publish("0a", &web, 2, "db");
	assert_int_equal(load(fd, 0, &before), 1);
	/* The other slot, with a head of a generation to come whose sum is not its text's. */
	assert_int_equal(pread(file, &head, sizeof(head), 0), sizeof(head));
	if (head.generation == before.generation)
		slot = BOOK_SLOT;
	head = before;
	head.generation += 5;
	assert_int_equal(pwrite(file, &head, sizeof(head), slot), sizeof(head));
	assert_true(pwrite(file, rubbish, sizeof(rubbish), slot + (off_t)sizeof(head)) > 0);
	assert_int_equal(load(fd, 0, &head), 1);
	assert_int_equal(head.generation, before.generation);
	/* Who knows the newest stays with it, and the next writer puts it right. */
	assert_int_equal(load(fd, before.generation, &head), 0);
	publish("0b", &web, 3, "app");
	assert_int_equal(load(fd, before.generation, &head), 1);
	assert_non_null(strstr(text, " db\n"));
	assert_non_null(strstr(text, " app\n"));
	assert_null(strstr(text, "evil"));
	/* Both damaged: nobody is called anything, and it is no one's error. */
	assert_int_equal(pwrite(file, "x", 1, 3), 1);
	assert_int_equal(pwrite(file, "x", 1, BOOK_SLOT + 3), 1);
	assert_int_equal(load(fd, 0, &head), -ENOENT);
	assert_false(book_has(&networks, "0a", &web));
	publish("0a", &web, 2, "db");
	assert_true(book_has(&networks, "0a", &web));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_and_goes, begin, end),
		cmocka_unit_test_setup_teardown(another_boots_is_nobodys, begin, end),
		cmocka_unit_test_setup_teardown(sweeps_runs_that_are_gone, begin, end),
		cmocka_unit_test_setup_teardown(half_a_table_is_none, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
