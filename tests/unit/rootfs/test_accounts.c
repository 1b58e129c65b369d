/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rootfs/accounts.c: made account files, as libc's own readers see them. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rootfs/accounts.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static int setup(void **state)
{
	static struct arena arena;
	struct err err;

	*state = &arena;
	return arena_init(&arena, 1 << 20, &err);
}

static int teardown(void **state)
{
	arena_release(*state);
	return 0;
}

static FILE *stream_of(const char *text)
{
	FILE *stream = fmemopen((char *)text, strlen(text), "r");

	assert_non_null(stream);
	return stream;
}

/* Every id has one line, whichever the workload's is, and no name is there twice. */
static void passwd_has_the_user_once(void **state)
{
	static const struct {
		uint32_t uid;
		const char *name;
	} rows[] = {
		{0, "root"},       {1, "daemon"},     {2, "sandbox"},
		{1000, "sandbox"}, {65534, "nobody"}, {4294967294, "sandbox"},
	};

	for (size_t i = 0; i < N(rows); i++) {
		const char *text = accounts_passwd(*state, rows[i].uid, 77, "/home/x");
		size_t n = 0, n_user = 0;
		struct passwd *entry;
		FILE *stream;

		assert_non_null(text);
		stream = stream_of(text);
		while ((entry = fgetpwent(stream)) != NULL) {
			n++;
			if (entry->pw_uid != rows[i].uid)
				continue;
			n_user++;
			assert_string_equal(entry->pw_name, rows[i].name);
			if (strcmp(rows[i].name, "sandbox") == 0) {
				assert_int_equal(entry->pw_gid, 77);
				assert_string_equal(entry->pw_dir, "/home/x");
			}
		}
		fclose(stream);
		assert_int_equal(n_user, 1);
		assert_int_equal(n, strcmp(rows[i].name, "sandbox") == 0 ? 4 : 3);
	}
}

static void group_has_the_group_once(void **state)
{
	static const struct {
		uint32_t gid;
		const char *name;
	} rows[] = {
		{0, "root"},       {1, "daemon"},      {5, "tty"},
		{1000, "sandbox"}, {65534, "nogroup"}, {4294967294, "sandbox"},
	};

	for (size_t i = 0; i < N(rows); i++) {
		const char *text = accounts_group(*state, rows[i].gid);
		size_t n_group = 0;
		struct group *entry;
		FILE *stream;

		assert_non_null(text);
		stream = stream_of(text);
		while ((entry = fgetgrent(stream)) != NULL) {
			assert_null(entry->gr_mem[0]);
			if (entry->gr_gid != rows[i].gid)
				continue;
			n_group++;
			assert_string_equal(entry->gr_name, rows[i].name);
		}
		fclose(stream);
		assert_int_equal(n_group, 1);
	}
}

static void hosts_names_the_sandbox(void **state)
{
	const char *text = accounts_hosts(*state, "box-1");

	assert_string_equal(text, "127.0.0.1\tlocalhost\n"
				  "::1\tlocalhost ip6-localhost ip6-loopback\n"
				  "127.0.1.1\tbox-1\n");
}

/* A full arena is NULL, not a shorter file. */
static void says_when_the_arena_is_full(void **state)
{
	struct arena *arena = *state;
	const char *whole = accounts_passwd(arena, 1000, 1000, "/");

	for (size_t left = 0; left < 512; left += 16) {
		size_t used = arena->used;
		const char *text;

		arena->used = arena->size - left;
		text = accounts_passwd(arena, 1000, 1000, "/");
		if (text != NULL)
			assert_string_equal(text, whole);
		if (left < strlen(whole))
			assert_null(text);
		arena->used = arena->size;
		assert_null(accounts_group(arena, 1000));
		assert_null(accounts_hosts(arena, "h"));
		arena->used = used;
	}
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test(passwd_has_the_user_once),
		test(group_has_the_group_once),
		test(hosts_names_the_sandbox),
		test(says_when_the_arena_is_full),
	};

	return cmocka_run_group_tests_name("rootfs/accounts", tests, NULL, NULL);
}
