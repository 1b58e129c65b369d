/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storage/volume*.c: names, records, who may remove what, and what a crash leaves. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "storage/store.h"
#include "storage/volume.h"
#include "tests/lib/scratch.h"

static struct scratch scratch;
static struct volumes volumes;

static int begin(void **state)
{
	char path[PATH_MAX];
	struct err err;

	(void)state;
	scratch_make(&scratch);
	assert_int_equal(volumes_open(scratch_path(&scratch, "a/state", path), true, &volumes,
				      &err),
			 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	volumes_release(&volumes);
	scratch_remove(&scratch);
	return 0;
}

static struct volume named(const char *name)
{
	struct volume volume = {.created_ms = 7};

	str_format(volume.name, sizeof(volume.name), "%s", name);
	return volume;
}

static void knows_names(void **state)
{
	static const char *const bad[] = {"",    "a",   ".a",  "..",   "-a",  "_a",
					  "a/b", "a b", "a\n", "../a", "a:b", "\303\244b"};
	char name[VOLUME_NAME_MAX + 2] = "";
	char own[VOLUME_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(volume_is_name(bad[i]));
	assert_true(volume_is_name("a1"));
	assert_true(volume_is_name("Web_data.1-x"));
	memset(name, 'a', VOLUME_NAME_MAX);
	assert_true(volume_is_name(name));
	memset(name, 'a', VOLUME_NAME_MAX + 1);
	assert_false(volume_is_name(name));
	assert_int_equal(volume_make_name(own), 0);
	assert_int_equal(strlen(own), VOLUME_ID_LEN);
	assert_true(store_is_hex(own) && volume_is_name(own));
}

static void reads_what_it_writes(void **state)
{
	struct volume volume = named("web"), read;
	char text[VOLUME_TEXT_MAX], spoilt[VOLUME_TEXT_MAX];
	size_t len, at = 0;

	(void)state;
	volume.is_anonymous = true;
	assert_int_equal(volume_add_pair(&volume.labels, "a=b=c"), 0);
	assert_int_equal(volume_add_pair(&volume.labels, "alone"), 0);
	assert_int_equal(volume_add_pair(&volume.options, "x=y"), 0);
	assert_int_equal(volume_add_pair(&volume.labels, "=b"), -EINVAL);
	assert_int_equal(volume_add_pair(&volume.labels, "a\nend"), -EINVAL);
	assert_int_equal(volume_add_pair(&volume.labels, "a b=c"), -EINVAL);
	len = volume_format(&volume, text);
	assert_int_equal(volume_parse(text, &read), 0);
	assert_string_equal(read.name, "web");
	assert_true(read.is_anonymous);
	assert_int_equal(read.created_ms, 7);
	assert_string_equal(volume_next_pair(&read.labels, &at), "a=b=c");
	assert_string_equal(volume_next_pair(&read.labels, &at), "alone=");
	assert_null(volume_next_pair(&read.labels, &at));
	/* No part of it is one. */
	for (size_t i = 0; i < len; i++) {
		memcpy(spoilt, text, i);
		spoilt[i] = '\0';
		assert_int_equal(volume_parse(spoilt, &read), -EBADMSG);
	}
	volume.size_bytes = 8 << 20;
	volume.inodes = 512;
	volume_format(&volume, spoilt);
	assert_int_equal(volume_parse(spoilt, &read), 0);
	assert_int_equal(read.size_bytes, 8 << 20);
	assert_int_equal(read.inodes, 512);
	assert_int_equal(read.labels.len, volume.labels.len);
	assert_false(read.is_project);
	assert_string_equal(volume_store_name(&read), "image");
	/* One in a project is a volume to nobody who does not know of them. */
	volume.is_project = true;
	volume_format(&volume, spoilt);
	assert_true(str_has_prefix(spoilt, "cordon-volume 3\n"));
	assert_int_equal(volume_parse(spoilt, &read), 0);
	assert_true(read.is_project);
	assert_false(volume_has_image(&read));
	assert_int_equal(read.size_bytes, 8 << 20);
	assert_string_equal(volume_store_name(&read), "project");
	/* Of a volume with a size the first line says that there is one. */
	spoilt[strlen("cordon-volume ")] = '1';
	assert_int_equal(volume_parse(spoilt, &read), -EBADMSG);
	str_format(spoilt, sizeof(spoilt), "%srest", text);
	assert_int_equal(volume_parse(spoilt, &read), -EBADMSG);
	assert_int_equal(volume_parse("cordon-volume 4\n", &read), -EPROTONOSUPPORT);
}

static void keeps(void **state)
{
	struct volume web = named("web"), found;
	struct volume_list list;
	struct stat st;
	struct err err;

	(void)state;
	assert_int_equal(volumes_read(&volumes, "web", &found, &err), -ENOENT);
	assert_int_equal(volumes_add(&volumes, &web, &err), 0);
	assert_int_equal(volumes_add(&volumes, &web, &err), -EEXIST);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_int_equal(fstatat(volumes.fd, "web/data", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(st.st_uid, geteuid() == 0 ? STORE_FOREIGN_FIRST : geteuid());
	assert_int_equal(fstatat(volumes.fd, "web", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	web = named("db");
	assert_int_equal(volumes_add(&volumes, &web, &err), 0);
	assert_int_equal(volumes_list(&volumes, &list, &err), 0);
	assert_int_equal(list.n, 2);
	assert_string_equal(list.list[0].name, "db");
	volume_list_free(&list);
	assert_int_equal(volumes_find(&volumes, "other", &found, &err), -ENOENT);
	assert_int_equal(volumes_remove(&volumes, "../state", NULL, &err), 0);
	assert_int_equal(volumes_remove(&volumes, "web", NULL, &err), 0);
	assert_int_equal(volumes_remove(&volumes, "web", NULL, &err), 0);
	assert_int_equal(volumes_read(&volumes, "web", &found, &err), -ENOENT);
	/* Lock, the other one, its record and data. */
	assert_int_equal(scratch_count(&scratch, "a/state/volumes"), 4);
	scratch_file(&scratch, "a/state/volumes/db/record", 0600, "cordon-volume 9\n");
	assert_int_equal(volumes_read(&volumes, "db", &found, &err), -EPROTONOSUPPORT);
	assert_int_equal(volumes_list(&volumes, &list, &err), 0);
	assert_int_equal(list.n, 0);
	assert_int_equal(list.n_damaged, 1);
	volume_list_free(&list);
}

static void replaces_as_a_whole(void **state)
{
	struct volume web = named("web");
	struct volume_work work;
	struct volume_hold hold;
	struct err err;

	(void)state;
	assert_int_equal(volumes_add(&volumes, &web, &err), 0);
	scratch_file(&scratch, "a/state/volumes/web/data/old", 0600, "old");
	assert_int_equal(volumes_begin(&volumes, &web, &work, &err), 0);
	assert_int_equal(mkdirat(work.data_fd, "new", 0700), 0);
	assert_int_equal(volumes_hold(&volumes, "web", &hold, &err), 0);
	assert_int_equal(volumes_commit(&volumes, &work, true, &err), -EBUSY);
	volume_hold_release(&hold);
	assert_int_equal(faccessat(volumes.fd, "web/data/old", F_OK, 0), 0);
	assert_int_equal(volumes_begin(&volumes, &web, &work, &err), 0);
	assert_int_equal(mkdirat(work.data_fd, "new", 0700), 0);
	assert_int_equal(volumes_commit(&volumes, &work, true, &err), 0);
	assert_int_equal(faccessat(volumes.fd, "web/data/new", F_OK, 0), 0);
	assert_int_equal(scratch_count(&scratch, "a/state/volumes"), 5);
}

static void keeps_what_is_in_use(void **state)
{
	struct volume web = named("web");
	struct volume_hold hold;
	char run[PATH_MAX];
	struct err err;

	(void)state;
	scratch_path(&scratch, "run", run);
	assert_int_equal(volumes_add(&volumes, &web, &err), 0);
	assert_false(volumes_is_held(&volumes, "web"));
	assert_int_equal(volumes_hold(&volumes, "web", &hold, &err), 0);
	assert_true(volumes_is_held(&volumes, "web"));
	assert_int_equal(volumes_remove(&volumes, "web", run, &err), -EBUSY);
	assert_non_null(strstr(err.text, "runs"));
	volume_hold_release(&hold);
	scratch_dir(&scratch, "run", 0700);
	scratch_dir(&scratch, "run/sandboxes", 0700);
	scratch_dir(&scratch, "run/sandboxes/abc", 0700);
	scratch_file(&scratch, "run/sandboxes/abc/volumes", 0600, "db\nweb\n");
	assert_int_equal(volumes_remove(&volumes, "web", run, &err), -EBUSY);
	assert_non_null(strstr(err.text, "sandbox abc"));
	scratch_file(&scratch, "run/sandboxes/abc/volumes", 0600, "db\nwebs\n");
	scratch_dir(&scratch, "a/state/sandboxes", 0700);
	scratch_dir(&scratch, "a/state/sandboxes/def", 0700);
	scratch_file(&scratch, "a/state/sandboxes/def/volumes", 0600, "web\n");
	assert_int_equal(volumes_remove(&volumes, "web", run, &err), -EBUSY);
	assert_non_null(strstr(err.text, "sandbox def"));
	/* What cannot be read may name it. */
	scratch_file(&scratch, "a/state/sandboxes/def/volumes", 0600, "../x\n");
	assert_int_equal(volumes_remove(&volumes, "web", run, &err), -EBADMSG);
	scratch_file(&scratch, "a/state/sandboxes/def/volumes", 0600, "");
	assert_int_equal(volumes_remove(&volumes, "web", run, &err), 0);
}

/* Another process begins, says whether it fills, and goes on to use it. */
static pid_t begin_another(struct volume_hold *ours, int to)
{
	pid_t pid = fork();
	struct volume_hold hold;
	bool is_filling = false;
	struct err err;
	char said;

	if (pid != 0)
		return pid;
	alarm(20); /* an assertion may have failed */
	volume_hold_release(ours);
	if (volumes_hold(&volumes, "web", &hold, &err) < 0 ||
	    volumes_fill_begin(&volumes, &hold, true, &is_filling, &err) < 0)
		_exit(1);
	said = is_filling ? 'y' : 'n';
	_exit(write(to, &said, 1) != 1 || pause() == 0);
}

static void is_filled_by_one_of_two(void **state)
{
	struct volume web = named("web");
	struct pollfd said = {.events = POLLIN};
	struct volume_hold hold;
	bool is_filling = false;
	struct err err;
	char answer = 'x';
	int ends[2];
	pid_t pid;

	(void)state;
	assert_int_equal(volumes_add(&volumes, &web, &err), 0);
	assert_int_equal(pipe(ends), 0);
	said.fd = ends[0];
	assert_int_equal(volumes_hold(&volumes, "web", &hold, &err), 0);
	pid = begin_another(&hold, ends[1]);
	assert_true(pid > 0);
	/* Time for it to come as far as it can: not to an answer. */
	assert_int_equal(poll(&said, 1, 300), 0);
	assert_int_equal(volumes_fill_begin(&volumes, &hold, true, &is_filling, &err), 0);
	assert_true(is_filling);
	assert_int_equal(poll(&said, 1, 300), 0);
	scratch_file(&scratch, "a/state/volumes/web/data/file", 0600, "x");
	assert_int_equal(volumes_fill_end(&hold, &err), 0);
	assert_int_equal(read(ends[0], &answer, 1), 1);
	assert_int_equal(answer, 'n');
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	volume_hold_release(&hold);
	close(ends[0]);
	close(ends[1]);
}

static void sweeps_what_the_dead_left(void **state)
{
	struct volume web = named("web");
	struct volume_work work;
	struct err err;
	uint32_t n = 0;

	(void)state;
	assert_int_equal(volumes_add(&volumes, &web, &err), 0);
	scratch_dir(&scratch, "a/state/volumes/.old-0123", 0700);
	scratch_file(&scratch, "a/state/volumes/.old-0123/file", 0000, "x");
	assert_int_equal(volumes_begin(&volumes, &web, &work, &err), 0);
	/* Of one that is alive nothing is removed. */
	assert_int_equal(volumes_sweep(&volumes, NULL, &n, &err), 0);
	assert_int_equal(n, 1);
	close_fd(&work.dir_fd);
	close_fd(&work.data_fd);
	assert_int_equal(volumes_sweep(&volumes, NULL, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_int_equal(scratch_count(&scratch, "a/state/volumes"), 4);
}

static void removes_what_is_deep(void **state)
{
	struct volume web = named("web");
	struct err err;
	int fd;

	(void)state;
	assert_int_equal(volumes_add(&volumes, &web, &err), 0);
	fd = openat(volumes.fd, "web/data", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 1000; i++) {
		int next;

		assert_int_equal(mkdirat(fd, ".lifted.1", 0700), 0);
		next = openat(fd, ".lifted.1", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (i % 100 == 99)
			assert_int_equal(mkdirat(fd, "other", 0), 0);
		close(fd);
		fd = next;
	}
	close(fd);
	assert_int_equal(volumes_remove(&volumes, "web", NULL, &err), 0);
	assert_int_equal(scratch_count(&scratch, "a/state/volumes"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_names),
		cmocka_unit_test(reads_what_it_writes),
		cmocka_unit_test_setup_teardown(keeps, begin, end),
		cmocka_unit_test_setup_teardown(replaces_as_a_whole, begin, end),
		cmocka_unit_test_setup_teardown(keeps_what_is_in_use, begin, end),
		cmocka_unit_test_setup_teardown(is_filled_by_one_of_two, begin, end),
		cmocka_unit_test_setup_teardown(sweeps_what_the_dead_left, begin, end),
		cmocka_unit_test_setup_teardown(removes_what_is_deep, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
