/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storage/: places, names, records, what is removed and what stays. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "storage/image_record.h"
#include "storage/store.h"
#include "tests/lib/scratch.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static struct scratch scratch;
static struct store store;

static int begin(void **state)
{
	struct err err = {0};
	char path[PATH_MAX];

	(void)state;
	scratch_make(&scratch);
	assert_int_equal(store_open(scratch_path(&scratch, "a/b/images", path), true, &store, &err),
			 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	store_release(&store);
	scratch_remove(&scratch);
	return 0;
}

/* 64 digits that begin so. */
static const char *hex_of(const char *digits)
{
	static char hex[4][STORE_HEX_SIZE];
	static size_t next;
	char *buf = hex[next++ % N(hex)];

	memset(buf, '0', STORE_HEX_SIZE - 1);
	buf[STORE_HEX_SIZE - 1] = '\0';
	memcpy(buf, digits, strlen(digits));
	return buf;
}

/* ---- places ---- */

static void places(void **state)
{
	static const struct {
		struct store_place place;
		uint32_t euid;
		const char *want; /* NULL: none */
	} rows[] = {
		{{"/r", "/d", "/h"}, 5, "/r/state/images"},
		{{"/r/", "/d", "/h"}, 0, "/r/state/images"},
		{{NULL, "/d", "/h"}, 0, "/var/lib/cordon/images"},
		{{NULL, NULL, NULL}, 0, "/var/lib/cordon/images"},
		{{NULL, "/d", "/h"}, 5, "/d/cordon/images"},
		{{NULL, "d", "/h"}, 5, "/h/.local/share/cordon/images"},
		{{NULL, NULL, "/h/../g"}, 5, "/g/.local/share/cordon/images"},
		{{NULL, "", "h"}, 5, NULL},
		{{NULL, NULL, NULL}, 5, NULL},
	};
	char buf[PATH_MAX];

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct err err = {0};
		int r = store_path(&rows[i].place, rows[i].euid, buf, &err);

		if (rows[i].want == NULL) {
			assert_int_equal(err.kind, ERR_USAGE);
			assert_true(r < 0);
			continue;
		}
		assert_int_equal(r, 0);
		assert_string_equal(buf, rows[i].want);
	}
}

/* ---- names ---- */

static void names(void **state)
{
	static const char *const good[][2] = {
		{"a", "a:latest"},
		{"a:1", "a:1"},
		{"a/b-c_d.e:T-1.x_", "a/b-c_d.e:T-1.x_"},
		{"host:5000/a", "host:5000/a:latest"},
		{"host:5000/a/b:c", "host:5000/a/b:c"},
	};
	static const char *const bad[] = {
		"",      "A",    "a:",  ":a",    "/a",     "a/",         "a//b", "a b",
		"a:b:c", "-a",   "a-",  "../a",  "a/../b", "a:.b",       "a:-b", "a:b/c:d",
		"a%b",   "a:b%", "a\n", "h:x/a", "h:/a",   "h:123456/a", "a@b",
	};
	char buf[STORE_NAME_MAX + 1], text[STORE_NAME_MAX + 8];
	struct err err;

	(void)state;
	for (size_t i = 0; i < N(good); i++) {
		assert_int_equal(store_name_parse(good[i][0], buf, &err), 0);
		assert_string_equal(buf, good[i][1]);
	}
	for (size_t i = 0; i < N(bad); i++) {
		err = (struct err){0};
		assert_int_equal(store_name_parse(bad[i], buf, &err), -EINVAL);
		assert_int_equal(err.kind, ERR_USAGE);
	}
	memset(text, 'a', sizeof(text));
	text[STORE_NAME_MAX - 1] = '\0';
	text[STORE_NAME_MAX - 3] = ':';
	assert_int_equal(store_name_parse(text, buf, &err), 0);
	assert_int_equal(strlen(buf), STORE_NAME_MAX - 1);
	text[STORE_NAME_MAX - 1] = 'a';
	text[STORE_NAME_MAX] = 'a';
	text[STORE_NAME_MAX + 1] = '\0';
	assert_int_equal(store_name_parse(text, buf, &err), -EINVAL);
}

static int join(void *ctx, const char *name, const char *hex)
{
	char *text = ctx;

	str_format(text + strlen(text), 128 - strlen(text), "%s=%.*s ", name, 4, hex);
	return 0;
}

static void refs(void **state)
{
	struct store_work work;
	struct err err = {0};
	char hex[STORE_HEX_SIZE], all[128] = "";

	(void)state;
	assert_int_equal(store_work_begin(&store, &work, &err), 0);
	assert_int_equal(store_ref_set(&store, &work, "h:1/b:x", hex_of("abcdef1"), &err), 0);
	assert_int_equal(store_ref_set(&store, &work, "a:x", hex_of("abcdef2"), &err), 0);
	assert_int_equal(store_ref_set(&store, &work, "a:x", hex_of("1234567"), &err), 0);
	assert_int_equal(store_ref_each(&store, join, all, &err), 0);
	assert_string_equal(all, "a:x=1234 h:1/b:x=abcd ");
	assert_int_equal(store_ref_get(&store, "a:x", hex, &err), 0);
	assert_string_equal(hex, hex_of("1234567"));
	assert_int_equal(store_find(&store, "h:1/b:x", hex, &err), 0);
	assert_string_equal(hex, hex_of("abcdef1"));
	assert_int_equal(store_ref_remove(&store, "a:x", &err), 0);
	assert_int_equal(store_ref_get(&store, "a:x", hex, &err), -ENOENT);
	store_work_end(&store, &work);
	assert_int_equal(scratch_count(&scratch, "a/b/images/making"), 0);
}

static void ids(void **state)
{
	struct store_work work;
	struct err err = {0};
	char hex[STORE_HEX_SIZE];

	(void)state;
	assert_int_equal(store_work_begin(&store, &work, &err), 0);
	assert_int_equal(store_put(&work, store.images_fd, hex_of("abcdef1"), "x", 1), 0);
	assert_int_equal(store_put(&work, store.images_fd, hex_of("abcdef2"), "x", 1), 0);
	store_work_end(&store, &work);
	assert_int_equal(store_find(&store, "abcdef1", hex, &err), 0);
	assert_string_equal(hex, hex_of("abcdef1"));
	assert_int_equal(store_find(&store, "sha256:abcdef2", hex, &err), 0);
	assert_int_equal(store_find(&store, "abcdef", hex, &err), -EINVAL);
	assert_non_null(strstr(err.text, "the ids of 2 images begin so"));
	assert_int_equal(store_find(&store, "abcdef3", hex, &err), -ENOENT);
	/* Too few digits are a name. */
	assert_int_equal(store_find(&store, "abcde", hex, &err), -ENOENT);
}

/* ---- records ---- */

static void fill(struct image_record *record)
{
	memset(record, 0, sizeof(*record));
	str_format(record->os, sizeof(record->os), "linux");
	str_format(record->architecture, sizeof(record->architecture), "amd64");
	str_format(record->source, sizeof(record->source), "tar");
	str_format(record->summary, sizeof(record->summary), "{\"Cmd\":[\"sh\"]}");
	record->imported_s = 1700000000;
	assert_int_equal(image_settings_add(record->settings, sizeof(record->settings), "Env",
					    "A=1 %\n\x7f\xc3\xa9"),
			 0);
	assert_int_equal(image_settings_add(record->settings, sizeof(record->settings), "Cmd", ""),
			 0);
	memcpy(record->layers[0], hex_of("11"), STORE_HEX_SIZE);
	memcpy(record->layers[1], hex_of("22"), STORE_HEX_SIZE);
	record->n_layers = 2;
}

/* Any bytes come back as they were; what no importer writes is damage. */
static void settings(void **state)
{
	static const char *const bad[] = {
		"set Env",      "set Env x",     "set Evn x\n",   "set  x\n",
		"Env x\n",      "set Env %0a\n", "set Env %41\n", "set Env %00\n",
		"set Env %2\n", "set Env x y\n", "set Env %\n",   "set Env \x01\n",
		"\n",
	};
	struct image_setting *setting = malloc(sizeof(*setting));
	struct image_record *record = malloc(sizeof(*record));
	char small[24] = "";
	const char *at;

	(void)state;
	assert_true(setting != NULL && record != NULL);
	fill(record);
	assert_string_equal(record->settings, "set Env A=1%20%25%0A%7F\xc3\xa9\nset Cmd \n");
	at = record->settings;
	assert_int_equal(image_settings_next(&at, setting), 1);
	assert_string_equal(setting->key, "Env");
	assert_string_equal(setting->value, "A=1 %\n\x7f\xc3\xa9");
	assert_int_equal(image_settings_next(&at, setting), 1);
	assert_string_equal(setting->key, "Cmd");
	assert_string_equal(setting->value, "");
	assert_int_equal(image_settings_next(&at, setting), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		at = bad[i];
		assert_int_equal(image_settings_next(&at, setting), -EBADMSG);
		assert_ptr_equal(at, bad[i]);
	}
	/* What does not fit is not cut. */
	assert_int_equal(image_settings_add(small, sizeof(small), "Env", "1234567890\n"), 0);
	assert_string_equal(small, "set Env 1234567890%0A\n");
	assert_int_equal(image_settings_add(small, sizeof(small), "Env", ""), -E2BIG);
	small[0] = '\0';
	assert_int_equal(image_settings_add(small, sizeof(small), "Env", "123456789012\n"), -E2BIG);
	assert_int_equal(image_settings_add(small, sizeof(small), "Volumes", "x"), -EINVAL);
	assert_string_equal(small, "");
	free(setting);
	free(record);
}

static void records(void **state)
{
	struct image_record *record = malloc(sizeof(*record)), *back = malloc(sizeof(*back));
	char *text = malloc(RECORD_TEXT_MAX);
	struct err err = {0};
	size_t len;

	(void)state;
	assert_true(record != NULL && back != NULL && text != NULL);
	fill(record);
	len = image_record_format(record, text, RECORD_TEXT_MAX);
	assert_int_equal(image_record_parse(text, back, &err), 0);
	assert_int_equal(back->n_layers, 2);
	assert_string_equal(back->layers[1], record->layers[1]);
	assert_string_equal(back->summary, record->summary);
	assert_string_equal(back->settings, record->settings);
	assert_int_equal(back->imported_s, record->imported_s);
	/* Whatever is missing at its end, or is another byte that says something. */
	for (size_t i = 0; i < len; i++) {
		char kept = text[i];

		text[i] = '\0';
		assert_true(image_record_parse(text, back, &err) < 0);
		text[i] = '\n';
		assert_int_equal(image_record_parse(text, back, &err), kept == '\n' ? 0 : -EINVAL);
		text[i] = kept;
	}
	text[len] = '\n';
	text[len + 1] = '\0';
	assert_true(image_record_parse(text, back, &err) < 0);
	free(record);
	free(back);
	free(text);
}

/* ---- what nothing needs ---- */

static void put_layer(struct store_work *work, const char *hex)
{
	struct err err = {0};

	assert_int_equal(mkdirat(work->fd, "layer", 0700), 0);
	assert_int_equal(mkdirat(work->fd, "layer/tree", 0), 0);
	assert_int_equal(store_write_file(work->fd, "layer/record", "x", 1, &err), 0);
	assert_int_equal(store_commit_layer(&store, work, "layer", hex, &err), 0);
}

static void sweeps(void **state)
{
	struct image_record *record = malloc(sizeof(*record));
	char *text = malloc(RECORD_TEXT_MAX);
	struct store_sweep sweep;
	struct store_work work;
	struct err err = {0};
	size_t len;
	int held;

	(void)state;
	assert_true(record != NULL && text != NULL);
	fill(record);
	len = image_record_format(record, text, RECORD_TEXT_MAX);
	assert_int_equal(store_work_begin(&store, &work, &err), 0);
	put_layer(&work, hex_of("11"));
	put_layer(&work, hex_of("22"));
	put_layer(&work, hex_of("33"));
	put_layer(&work, hex_of("44"));
	assert_int_equal(store_put(&work, store.images_fd, hex_of("aa"), text, len), 0);
	assert_int_equal(store_put(&work, store.configs_fd, hex_of("aa"), "{}", 2), 0);
	assert_int_equal(store_put(&work, store.images_fd, hex_of("bb"), text, len), 0);
	assert_int_equal(store_ref_set(&store, &work, "a:x", hex_of("aa"), &err), 0);
	store_work_end(&store, &work);
	held = openat(store.layers_fd, hex_of("44"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(held >= 0);
	assert_int_equal(flock(held, LOCK_SH), 0);

	assert_int_equal(store_sweep(&store, NULL, &sweep, &err), 0);
	assert_int_equal(sweep.n_images, 1);
	assert_int_equal(sweep.n_layers, 1);
	assert_int_equal(sweep.n_in_use, 1);
	assert_false(sweep.is_busy);
	assert_true(store_has(store.layers_fd, hex_of("11")));
	assert_true(store_has(store.layers_fd, hex_of("22")));
	assert_false(store_has(store.layers_fd, hex_of("33")));
	assert_true(store_has(store.layers_fd, hex_of("44")));
	assert_true(store_has(store.images_fd, hex_of("aa")));
	assert_false(store_has(store.images_fd, hex_of("bb")));

	close(held);
	assert_int_equal(store_ref_remove(&store, "a:x", &err), 0);
	assert_int_equal(store_sweep(&store, NULL, &sweep, &err), 0);
	assert_int_equal(sweep.n_layers, 3);
	assert_int_equal(scratch_count(&scratch, "a/b/images/layers"), 0);
	assert_int_equal(scratch_count(&scratch, "a/b/images/configs"), 0);
	free(record);
	free(text);
}

/* What cannot be read is no reason to remove what it may lead to. */
static void unreadable(void **state)
{
	struct store_sweep sweep;
	struct store_work work;
	struct err err = {0};

	(void)state;
	assert_int_equal(store_work_begin(&store, &work, &err), 0);
	put_layer(&work, hex_of("11"));
	assert_int_equal(store_put(&work, store.refs_fd, "a:x", "sha256:..\n", 10), 0);
	store_work_end(&store, &work);
	assert_true(store_sweep(&store, NULL, &sweep, &err) < 0);
	assert_true(store_has(store.layers_fd, hex_of("11")));
	assert_int_equal(unlinkat(store.refs_fd, "a:x", 0), 0);
	assert_int_equal(store_sweep(&store, NULL, &sweep, &err), 0);
	assert_false(store_has(store.layers_fd, hex_of("11")));
}

/* ---- lists ---- */

static void lists(void **state)
{
	struct store_names list;
	char name[16];

	(void)state;
	assert_int_equal(mkdirat(scratch.fd, "l", 0700), 0);
	for (int i = 399; i >= 100; i--) {
		str_format(name, sizeof(name), "l/%s%d", i % 2 == 0 ? "." : "", i);
		scratch_file(&scratch, name, 0600, "");
	}
	for (int has_hidden = 0; has_hidden <= 1; has_hidden++) {
		int fd = openat(scratch.fd, "l", O_PATH | O_CLOEXEC);

		assert_int_equal(store_names_read(fd, has_hidden == 1, &list), 0);
		assert_int_equal(list.n, has_hidden == 1 ? 300 : 150);
		assert_string_equal(list.list[0], has_hidden == 1 ? ".100" : "101");
		assert_string_equal(list.list[list.n - 1], "399");
		store_names_release(&list);
		close(fd);
	}
	assert_int_equal(store_names_read(-EBADF, true, &list), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(names),
		cmocka_unit_test(settings),
		cmocka_unit_test(records),
		cmocka_unit_test_setup_teardown(refs, begin, end),
		cmocka_unit_test_setup_teardown(ids, begin, end),
		cmocka_unit_test_setup_teardown(sweeps, begin, end),
		cmocka_unit_test_setup_teardown(unreadable, begin, end),
		cmocka_unit_test_setup_teardown(lists, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
