/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* records/fields.c: what is written is read again, byte for byte, and what is not whole is refused.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "records/fields.h"
#include "tests/lib/scratch.h"

static int parse(const char *text, size_t len, struct fields *ret, struct err *err)
{
	static const struct fields_form form = {.what = "thing", .format = 3, .path = "PATH"};
	char *copy = malloc(len + 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	*err = (struct err){0};
	return fields_parse(copy, len, &form, ret, err);
}

static void keeps_any_bytes(void **state)
{
	struct fields_writer writer = {0};
	struct fields fields;
	struct err err;
	char bytes[256];

	(void)state;
	for (int i = 0; i < 256; i++)
		bytes[i] = (char)i;
	fields_begin(&writer, "thing", 3);
	fields_put_bytes(&writer, "bytes", bytes, sizeof(bytes));
	fields_put(&writer, "empty", "");
	fields_put(&writer, "list", "a");
	fields_put(&writer, "list", " b ");
	fields_put_number(&writer, "least", INT64_MIN + 1);
	fields_put_number(&writer, "most", INT64_MAX);
	assert_int_equal(fields_finish(&writer), 0);
	assert_int_equal(parse(writer.text, writer.len, &fields, &err), 0);
	assert_int_equal(fields.n, 6);
	assert_int_equal(fields.list[0].len, sizeof(bytes));
	assert_memory_equal(fields.list[0].value, bytes, sizeof(bytes));
	assert_string_equal(fields_text(&fields, "empty"), "");
	assert_string_equal(fields_text(&fields, "list"), "a");
	assert_string_equal(fields.list[3].value, " b ");
	assert_int_equal(fields_number(&fields, "least", 7), INT64_MIN + 1);
	assert_int_equal(fields_number(&fields, "most", 7), INT64_MAX);
	assert_int_equal(fields_number(&fields, "list", 7), 7);
	assert_int_equal(fields_number(&fields, "none", 7), 7);
	fields_free(&fields);
	free(writer.text);
}

static void refuses_a_part(void **state)
{
	static const char whole[] = "cordon-thing 3\nname web\narg a%0ab\nend\n";
	struct fields fields;
	struct err err;

	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		assert_true(parse(whole, len, &fields, &err) < 0);
		assert_int_equal(err.kind, ERR_SETUP);
		assert_non_null(strstr(err.text, "PATH"));
	}
	assert_int_equal(parse(whole, sizeof(whole) - 1, &fields, &err), 0);
	assert_string_equal(fields_text(&fields, "arg"), "a\nb");
	fields_free(&fields);
}

static void refuses_what_is_damaged(void **state)
{
	static const char *const texts[] = {
		"cordon-other 3\nend\n",        "cordon-thing\nend\n",
		"cordon-thing x\nend\n",        "cordon-thing 3 \nend\n",
		"cordon-thing 3\nkey\nend\n",   "cordon-thing 3\n value\nend\n",
		"cordon-thing 3\n\nend\n",      "cordon-thing 3\nk a%\nend\n",
		"cordon-thing 3\nk %0\nend\n",  "cordon-thing 3\nk %0g\nend\n",
		"cordon-thing 3\nk %0A\nend\n", "cordon-thing 3\nk v\n",
		"cordon-thing 3\nend\nk v\n",   "cordon-thing 3\nend\n\n",
		"cordon-thing 3\nend",          " cordon-thing 3\nend\n",
	};
	struct fields fields;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(parse(texts[i], strlen(texts[i]), &fields, &err), -EBADMSG);
		assert_non_null(strstr(err.text, "PATH"));
	}
}

/* As a file system may leave a file whose end never reached the disk. */
static void refuses_bytes_of_nothing(void **state)
{
	static const char whole[] = "cordon-thing 3\nk v\0\nk v\nk v\nend\n";
	static const char end[] = "cordon-thing 3\nk v\nend\n\0\0";
	struct fields fields;
	struct err err;

	(void)state;
	assert_int_equal(parse(whole, sizeof(whole) - 1, &fields, &err), -EBADMSG);
	assert_int_equal(parse(end, sizeof(end) - 1, &fields, &err), -EBADMSG);
}

static void says_whose_format_it_is(void **state)
{
	struct fields fields;
	struct err err;

	(void)state;
	assert_int_equal(parse("cordon-thing 4\nend\n", 19, &fields, &err), -EPROTO);
	assert_non_null(strstr(err.text, "PATH: has format 4, and this cordon knows format 3"));
	assert_non_null(strstr(err.hint, "newer cordon"));
	assert_int_equal(parse("cordon-thing 2\nend\n", 19, &fields, &err), -EPROTO);
	assert_non_null(strstr(err.hint, "cordon rm -f"));
}

static void reads_files_alone(void **state)
{
	struct scratch scratch;
	struct fields fields;
	struct err err = {0};

	(void)state;
	scratch_make(&scratch);
	scratch_file(&scratch, "file", 0600, "cordon-thing 3\nk v\nend\n");
	scratch_link(&scratch, "link", "file");
	scratch_dir(&scratch, "dir", 0700);
	assert_int_equal(fields_read(scratch.fd, "file", "thing", 3, "P", &fields, &err), 0);
	assert_string_equal(fields_text(&fields, "k"), "v");
	fields_free(&fields);
	assert_int_equal(fields_read(scratch.fd, "none", "thing", 3, "P", &fields, &err), -ENOENT);
	assert_int_equal(fields_read(scratch.fd, "link", "thing", 3, "P", &fields, &err), -ELOOP);
	assert_int_equal(fields_read(scratch.fd, "dir", "thing", 3, "P", &fields, &err), -EINVAL);
	scratch_remove(&scratch);
}

static void has_a_greatest_size(void **state)
{
	struct fields_writer writer = {0};
	size_t len = FIELDS_MAX_BYTES;
	char *text = malloc(len + 1);

	(void)state;
	memset(text, 'x', len);
	text[len] = '\0';
	fields_begin(&writer, "thing", 3);
	fields_put(&writer, "k", text);
	assert_int_equal(fields_finish(&writer), -EFBIG);
	free(writer.text);
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_any_bytes),
		cmocka_unit_test(refuses_a_part),
		cmocka_unit_test(refuses_what_is_damaged),
		cmocka_unit_test(refuses_bytes_of_nothing),
		cmocka_unit_test(says_whose_format_it_is),
		cmocka_unit_test(reads_files_alone),
		cmocka_unit_test(has_a_greatest_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
