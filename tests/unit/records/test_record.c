/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* records/record.c: all of a record comes back as it was, and one that does not fit is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/records_fixture.h"

#define ID "0123456789abcdef"

static void assert_list(const char *const *list, const char *const *want)
{
	size_t i = 0;

	for (; want[i] != NULL; i++)
		assert_string_equal(list[i], want[i]);
	assert_null(list[i]);
}

static const char *const argv[] = {"sh", "-c", "echo a\nb %41 \xff", "", NULL};
static const char *const environment[] = {"A=b c", "LANG=\x1b[1m", NULL};
static const char *const labels[] = {"a=", "tier=front", NULL};
static const struct policy_flag flags[] = {
	{FLAG_SET, NULL, "limits.nproc=5"},
	{FLAG_RO, NULL, "/a b"},
};

static const struct record whole = {
	.id = ID,
	.name = "web",
	.created_ms = 1234567890123,
	.id_block = 4294901760U,
	.removes_itself = true,
	.rootfs = "dir:/srv/%",
	.restart = "on-failure:3",
	.labels = labels,
	.cwd = "/home/a b",
	.request = {.policy = {.profile = "./p.yaml", .flags = flags, .n_flags = 2, .argv = argv},
		    .environment = environment,
		    .home = "/home/a",
		    .cgroup_parent = "/g"},
	.files = {.list = {{"p", "", "/p.yaml", "/", "a\0b\n%", 5}, {"base", "/", "", "", "", 0}},
		  .n = 2},
};

/* Writes a record and reads it again. */
static void read_again(const struct record *record, struct record *ret)
{
	static const struct fields_form form = {.what = "record",
						.format = RECORD_FORMAT,
						.path = "PATH"};
	struct fields_writer writer = {0};
	struct fields fields;
	struct err err;

	assert_int_equal(record_text(record, &writer), 0);
	assert_int_equal(fields_parse(writer.text, writer.len, &form, &fields, &err), 0);
	assert_int_equal(record_take(&fields, ID, ret), 0);
}

static void comes_back_whole(void **state)
{
	struct record record;

	(void)state;
	read_again(&whole, &record);
	assert_string_equal(record.id, ID);
	assert_string_equal(record.name, "web");
	assert_int_equal(record.created_ms, 1234567890123);
	assert_int_equal(record.id_block, 4294901760U);
	assert_true(record.removes_itself);
	assert_string_equal(record.rootfs, "dir:/srv/%");
	assert_string_equal(record.restart, "on-failure:3");
	assert_string_equal(record.cwd, "/home/a b");
	assert_list(record.labels, labels);
	assert_list(record.request.policy.argv, argv);
	assert_list(record.request.environment, environment);
	assert_string_equal(record.request.policy.profile, "./p.yaml");
	assert_string_equal(record.request.home, "/home/a");
	assert_string_equal(record.request.cgroup_parent, "/g");
	assert_int_equal(record.request.policy.n_flags, 2);
	assert_int_equal(record.request.policy.flags[0].kind, FLAG_SET);
	assert_string_equal(record.request.policy.flags[0].text, "limits.nproc=5");
	assert_int_equal(record.request.policy.flags[1].kind, FLAG_RO);
	assert_string_equal(record.request.policy.flags[1].text, "/a b");
	assert_int_equal(record.files.n, 2);
	assert_string_equal(record.files.list[0].path, "/p.yaml");
	assert_int_equal(record.files.list[0].len, 5);
	assert_memory_equal(record.files.list[0].text, "a\0b\n%", 5);
	assert_string_equal(record.files.list[1].ref, "base");
	assert_int_equal(record.files.list[1].len, 0);
	record_free(&record);
}

static void comes_back_empty(void **state)
{
	static const char *const none[] = {NULL};
	struct record least = {.id = ID, .rootfs = "", .restart = "", .labels = none, .cwd = ""};
	struct record record;

	(void)state;
	least.request.policy.argv = none;
	read_again(&least, &record);
	assert_string_equal(record.name, "");
	assert_null(record.request.policy.profile);
	assert_null(record.request.home);
	assert_null(record.request.cgroup_parent);
	assert_list(record.labels, none);
	assert_list(record.request.policy.argv, none);
	assert_int_equal(record.files.n, 0);
	record_free(&record);
}

static void refuses_what_does_not_fit(void **state)
{
#define HEAD "cordon-record 1\nid " ID "\n"
	static const struct {
		const char *text;
		int want;
	} rows[] = {
		{HEAD "created_ms 1\nid_block 0\nend\n", 0},
		/* Of a later build, in the same format. */
		{HEAD "created_ms 1\nid_block 0\nlater x\nend\n", 0},
		{HEAD "id_block 0\nend\n", -EBADMSG},
		{HEAD "created_ms 1\nend\n", -EBADMSG},
		{HEAD "created_ms -1\nid_block 0\nend\n", -EBADMSG},
		{HEAD "created_ms 1\nid_block -1\nend\n", -EBADMSG},
		{HEAD "created_ms 1\nid_block 4294967296\nend\n", -EBADMSG},
		{HEAD "created_ms 1\nid_block 0\nname ../x\nend\n", -EBADMSG},
		{HEAD "created_ms 1\nid_block 0\nflag_text x\nend\n", -EBADMSG},
		{HEAD "created_ms 1\nid_block 0\nflag --none\nend\n", -EBADMSG},
		{HEAD "created_ms 1\nid_block 0\nfile_text x\nend\n", -EBADMSG},
		{"cordon-record 1\nid 1123456789abcdef\ncreated_ms 1\nid_block 0\nend\n", -EBADMSG},
		{"cordon-record 1\ncreated_ms 1\nid_block 0\nend\n", -EBADMSG},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct records_case *c = *state;
		struct sandbox sandbox = {.id = ID, .is_kept = true, .dir_fd = c->scratch.fd};
		struct record record;
		int r;

		scratch_file(&c->scratch, "record", 0600, rows[i].text);
		r = record_read(&c->records, &sandbox, &record, &c->err);
		assert_int_equal(r < 0 ? -EBADMSG : 0, rows[i].want);
		if (r == 0) {
			record_free(&record);
			continue;
		}
		assert_non_null(strstr(c->err.text, "/" ID "/record: is damaged"));
		assert_non_null(strstr(c->err.hint, "cordon rm -f " ID));
	}
}

static void has_room_for_so_many_files(void **state)
{
	struct record record = whole;
	struct record again;

	(void)state;
	record.files.n = POLICY_FILES_MAX;
	for (size_t i = 0; i < POLICY_FILES_MAX; i++)
		record.files.list[i] = whole.files.list[0];
	read_again(&record, &again);
	assert_int_equal(again.files.n, POLICY_FILES_MAX);
	record_free(&again);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back_whole),
		cmocka_unit_test(comes_back_empty),
		cmocka_unit_test_setup_teardown(refuses_what_does_not_fit, records_case_setup,
						records_case_teardown),
		cmocka_unit_test(has_room_for_so_many_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
