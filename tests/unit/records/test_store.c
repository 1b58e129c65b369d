/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* records/store.c, names.c, create.c: where records lie, how one is found, who gets a name. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/lib/records_fixture.h"

static void looks_without_making(void **state)
{
	struct records_case *c = *state;
	struct records records;
	struct sandbox sandbox;
	char other[PATH_MAX];
	char(*ids)[RUN_ID_LEN + 1];

	c->request.root_dir = scratch_path(&c->scratch, "other", other);
	assert_int_equal(records_open(&c->request, false, &records, &c->err), 0);
	assert_false(records.is_there);
	assert_int_equal(records_list(&records, &ids, &c->err), 0);
	free(ids);
	assert_int_equal(records_find(&records, "web", &sandbox, &c->err), -ENOENT);
	assert_int_not_equal(access(other, F_OK), 0);
	records_release(&records);
}

static void refuses_what_others_may_enter(void **state)
{
	struct records_case *c = *state;
	struct records records;
	char path[PATH_MAX];

	chmod(scratch_path(&c->scratch, "root/state", path), 0755);
	assert_true(records_open(&c->request, false, &records, &c->err) < 0);
	assert_non_null(strstr(c->err.text, path));
	chmod(path, 0700);
	assert_int_equal(records_open(&c->request, false, &records, &c->err), 0);
	records_release(&records);
}

static void wants_a_home(void **state)
{
	struct records_case *c = *state;
	struct run_request request = {.home = NULL};
	struct records records;

	/* As root it is nobody's HOME. */
	if (geteuid() == 0) {
		assert_int_equal(records_open(&request, false, &records, &c->err), 0);
		assert_string_equal(records.home, "/var/lib/cordon");
		records_release(&records);
		return;
	}
	assert_true(records_open(&request, true, &records, &c->err) < 0);
	assert_int_equal(c->err.kind, ERR_USAGE);
	assert_non_null(strstr(c->err.text, "HOME is not set"));
}

static void finds_by_name_id_and_beginning(void **state)
{
	struct records_case *c = *state;
	struct sandbox web, none, found;
	char beginning[RUN_ID_LEN];
	char(*ids)[RUN_ID_LEN + 1];

	records_case_make(c, "web", &web);
	records_case_make(c, "", &none);
	assert_int_equal(records_list(&c->records, &ids, &c->err), 2);
	free(ids);
	assert_int_equal(records_find(&c->records, "web", &found, &c->err), 0);
	assert_string_equal(found.id, web.id);
	sandbox_release(&found);
	assert_int_equal(records_find(&c->records, none.id, &found, &c->err), 0);
	assert_string_equal(found.id, none.id);
	sandbox_release(&found);
	str_format(beginning, sizeof(beginning), "%.*s", RUN_ID_LEN - 1, none.id);
	assert_int_equal(records_find(&c->records, beginning, &found, &c->err), 0);
	assert_string_equal(found.id, none.id);
	sandbox_release(&found);
	for (size_t i = 0; i < 5; i++) {
		static const char *const refs[] = {"we", "", "../web", "zzzz", "00000000000000000"};

		assert_true(records_find(&c->records, refs[i], &found, &c->err) < 0);
		assert_int_equal(c->err.kind, ERR_USAGE);
	}
	sandbox_release(&web);
	sandbox_release(&none);
}

static void refuses_a_beginning_of_two(void **state)
{
	struct records_case *c = *state;
	struct sandbox one, found;
	char other[RUN_ID_LEN + 1], name[64];

	records_case_make(c, "", &one);
	str_format(other, sizeof(other), "%s", one.id);
	other[RUN_ID_LEN - 1] = other[RUN_ID_LEN - 1] == '0' ? '1' : '0';
	str_format(name, sizeof(name), "root/state/sandboxes/%s", other);
	scratch_dir(&c->scratch, name, 0700);
	other[RUN_ID_LEN - 1] = '\0';
	assert_true(records_find(&c->records, other, &found, &c->err) < 0);
	assert_non_null(strstr(c->err.text, "begins the id of more than one sandbox"));
	sandbox_release(&one);
}

static void names_are_narrow(void **state)
{
	static const char *const good[] = {"a", "Z9_.-", "0"};
	static const char *const bad[] = {"", ".a", "-a", "_a", "a/b", "a b", "a\n", "\xc3\xa4"};
	char text[SANDBOX_NAME_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(records_is_name(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(records_is_name(bad[i]));
	memset(text, 'a', sizeof(text));
	text[SANDBOX_NAME_MAX + 1] = '\0';
	assert_false(records_is_name(text));
	text[SANDBOX_NAME_MAX] = '\0';
	assert_true(records_is_name(text));
}

static int take(struct records_case *c, const char *name, const char *id)
{
	int gate = records_hold(&c->records, LOCK_SH, &c->err);
	int r = records_take_name(&c->records, name, id, &gate, &c->err);

	close(gate);
	return r;
}

static void a_name_is_given_once(void **state)
{
	struct records_case *c = *state;
	struct sandbox web, found;

	records_case_make(c, "web", &web);
	assert_true(take(c, "web", "1111111111111111") < 0);
	assert_int_equal(c->err.kind, ERR_USAGE);
	assert_non_null(strstr(c->err.text, web.id));
	/* Somebody else's is not given back. */
	assert_int_equal(records_give_name(&c->records, "web", "1111111111111111", &c->err), 0);
	assert_int_equal(records_find(&c->records, "web", &found, &c->err), 0);
	sandbox_release(&found);
	/* One whose record cannot be read may be its name. */
	records_case_write(&web, "record", "");
	assert_true(take(c, "web", "1111111111111111") < 0);
	assert_int_equal(records_remove(&c->records, &web, &c->err), 0);
	sandbox_release(&web);
}

static void a_link_of_a_crash_is_taken_over(void **state)
{
	struct records_case *c = *state;
	struct sandbox other;

	records_case_make(c, "other", &other);
	/* Of no record, of one that has another name, of none that could be. */
	scratch_link(&c->scratch, "root/state/names/a", "2222222222222222");
	scratch_link(&c->scratch, "root/state/names/b", other.id);
	scratch_link(&c->scratch, "root/state/names/c", "../../etc");
	assert_int_equal(take(c, "a", "1111111111111111"), 0);
	assert_int_equal(take(c, "b", "1111111111111111"), 0);
	assert_int_equal(take(c, "c", "1111111111111111"), 0);
	/* Of one that was being made: who makes one holds HOME/lock. */
	scratch_link(&c->scratch, "root/state/names/d", "3333333333333333");
	scratch_dir(&c->scratch, "root/state/sandboxes/.new-3333333333333333", 0700);
	assert_int_equal(take(c, "d", "1111111111111111"), 0);
	sandbox_release(&other);
}

static void removing_gives_all_back(void **state)
{
	struct records_case *c = *state;
	struct sandbox web, found;

	records_case_make(c, "web", &web);
	assert_int_equal(sandbox_lock(&c->records, &web, &c->err), 0);
	assert_int_equal(records_remove(&c->records, &web, &c->err), 0);
	assert_int_equal(scratch_count(&c->scratch, "root/state/sandboxes"), 0);
	assert_int_equal(scratch_count(&c->scratch, "root/state/names"), 0);
	assert_true(records_find(&c->records, "web", &found, &c->err) < 0);
	/* Whoever had it open is told. */
	assert_true(sandbox_lock(&c->records, &web, &c->err) < 0);
	assert_non_null(strstr(c->err.text, "was removed meanwhile"));
	sandbox_release(&web);
}

static void locks_hold(void **state)
{
	struct records_case *c = *state;
	struct sandbox web, again;
	int shared = records_hold(&c->records, LOCK_SH, &c->err);
	int other = records_hold(&c->records, LOCK_SH, &c->err);
	char path[PATH_MAX];
	int fd = open(scratch_path(&c->scratch, "root/state/lock", path), O_RDWR | O_CLOEXEC);

	assert_true(shared >= 0 && other >= 0 && fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
	close(shared);
	close(other);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	close(fd);
	records_case_make(c, "web", &web);
	assert_int_equal(records_open_id(&c->records, web.id, &again), 0);
	assert_int_equal(sandbox_lock(&c->records, &web, &c->err), 0);
	assert_int_equal(flock(again.dir_fd, LOCK_EX | LOCK_NB), -1);
	sandbox_unlock(&web);
	assert_int_equal(flock(again.dir_fd, LOCK_EX | LOCK_NB), 0);
	sandbox_release(&again);
	sandbox_release(&web);
}

static void writes_whole_files(void **state)
{
	struct records_case *c = *state;
	char text[8] = "";
	int fd;

	scratch_dir(&c->scratch, "dir", 0700);
	scratch_link(&c->scratch, "file", "dir");
	assert_int_equal(records_write(c->scratch.fd, "file", "one", 3, true), 0);
	assert_int_equal(records_write(c->scratch.fd, "file", "two", 3, false), 0);
	fd = openat(c->scratch.fd, "file", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	assert_int_equal(read(fd, text, sizeof(text)), 3);
	assert_string_equal(text, "two");
	close(fd);
	/* Nothing else is left, also where it cannot be done. */
	assert_int_equal(records_write(c->scratch.fd, "dir", "x", 1, true), -EISDIR);
	assert_int_equal(scratch_count(&c->scratch, "dir"), 0);
	assert_int_equal(scratch_count(&c->scratch, "."),
			 2 + 1 + scratch_count(&c->scratch, "root"));
}

int main(void)
{
#define test(function) \
	cmocka_unit_test_setup_teardown(function, records_case_setup, records_case_teardown)
	static const struct CMUnitTest tests[] = {
		test(looks_without_making),
		test(refuses_what_others_may_enter),
		test(wants_a_home),
		test(finds_by_name_id_and_beginning),
		test(refuses_a_beginning_of_two),
		cmocka_unit_test(names_are_narrow),
		test(a_name_is_given_once),
		test(a_link_of_a_crash_is_taken_over),
		test(removing_gives_all_back),
		test(locks_hold),
		test(writes_whole_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
