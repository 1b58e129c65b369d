/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* launcher/sources.c: which host paths may be shown, and with whose rights. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/preflight.h"
#include "tests/lib/decision_fixture.h"
#include "tests/lib/scratch.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct spec_origin somewhere = {.file = "p.yaml", .line = 7, .column = 3};

struct source_case {
	struct scratch scratch;
	struct decision decision;
	struct misses misses;
	struct spec_mount mount;
	struct source_fact fact;
	char path[PATH_MAX];
};

static int setup(void **state)
{
	struct source_case *c = calloc(1, sizeof(*c));

	struct err err;

	scratch_make(&c->scratch);
	decision_as_user(&c->decision);
	assert_int_equal(arena_init(&c->decision.arena, 1 << 20, &err), 0);
	scratch_dir(&c->scratch, "state", 0700);
	scratch_dir(&c->scratch, "shown", 0755);
	scratch_path(&c->scratch, "state", c->decision.state_path);
	c->mount = (struct spec_mount){.type = MOUNT_BIND,
				       .source = c->path,
				       .target = "/data",
				       .read_only = true,
				       .origin = somewhere};
	c->decision.spec.mounts = &c->mount;
	c->decision.spec.n_mounts = 1;
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	struct source_case *c = *state;

	scratch_remove(&c->scratch);
	arena_release(&c->decision.arena);
	free(c);
	return 0;
}

static size_t look_at(struct source_case *c, const char *name)
{
	scratch_path(&c->scratch, name, c->path);
	memset(&c->misses, 0, sizeof(c->misses));
	memset(&c->fact, 0, sizeof(c->fact));
	preflight_sources(&c->decision, &c->fact, &c->misses);
	return c->misses.n;
}

static void looks_at_sources(void **state)
{
	struct source_case *c = *state;

	scratch_file(&c->scratch, "file", 0600, "");
	scratch_fifo(&c->scratch, "fifo");
	assert_int_equal(look_at(c, "shown"), 0);
	assert_true(c->fact.is_dir);
	assert_int_equal(c->fact.uid, geteuid());
	assert_true(c->fact.ino != 0);
	assert_int_equal(look_at(c, "file"), 0);
	assert_false(c->fact.is_dir);
	assert_int_equal(look_at(c, "fifo"), 0);
	assert_int_equal(look_at(c, "none"), 1);
	assert_string_equal(c->misses.list[0].key, "volumes");
	assert_int_equal(c->misses.list[0].origin.line, somewhere.line);
	assert_non_null(strstr(c->misses.list[0].text, "No such file or directory"));
	assert_non_null(strstr(c->misses.list[0].hint, "Make it first"));
	assert_int_equal(look_at(c, "file/below"), 1);
	assert_non_null(strstr(c->misses.list[0].text, "Not a directory"));
}

/* cordon's own state is never shown: not it, not what is in it, not what holds it, by no name. */
static void hides_the_state(void **state)
{
	static const char *const names[] = {"state",      "state/runs", "",        "link",
					    "link/runs",  "deep/link",  "deep/up", "kept",
					    "kept/house", "elsewhere"};
	struct source_case *c = *state;

	scratch_dir(&c->scratch, "state/runs", 0700);
	scratch_dir(&c->scratch, "deep", 0700);
	scratch_dir(&c->scratch, "kept", 0700);
	scratch_dir(&c->scratch, "kept/house", 0700);
	/* What will be made below a link of the user's, and is not there yet. */
	scratch_dir(&c->scratch, "elsewhere", 0700);
	scratch_link(&c->scratch, "kept/house/share", "../../elsewhere");
	scratch_path(&c->scratch, "kept/house/share/cordon", c->decision.kept_path);
	scratch_link(&c->scratch, "link", "state");
	scratch_link(&c->scratch, "deep/link", c->decision.state_path);
	scratch_link(&c->scratch, "deep/up", "..");
	for (size_t i = 0; i < N(names); i++) {
		assert_int_equal(look_at(c, names[i]), 1);
		/* A user's own links are not followed in the first place. */
		if (geteuid() != 0 && strstr(c->misses.list[0].text, "is a link") != NULL)
			continue;
		assert_non_null(
			strstr(c->misses.list[0].text, "contains or lies in cordon's own state"));
		assert_non_null(strstr(c->misses.list[0].hint, "--root"));
	}
	assert_int_equal(look_at(c, "shown"), 0);
}

/* As root: what the host's root owns is not shown writable, unless that was waived. */
static void keeps_roots_files_from_being_written(void **state)
{
	struct source_case *c = *state;
	struct decision *d = &c->decision;

	d->facts.euid = d->facts.host_euid = 0;
	d->facts.caps_effective = UINT64_MAX;
	d->facts.maps_all_ids = true;
	c->mount.source = "/usr";
	assert_int_equal(look_at(c, ""), 0);
	c->mount.read_only = false;
	c->mount.host_root_write_waived = true;
	assert_int_equal(look_at(c, ""), 0);
	c->mount.host_root_write_waived = false;
	assert_int_equal(look_at(c, ""), 1);
	assert_string_equal(c->misses.list[0].text,
			    "/usr: belongs to the host's root and would be writable");
	assert_non_null(strstr(c->misses.list[0].hint, "--waive \"host_root_write:/usr="));
	/* As a user the kernel decides: the one id that is mapped is not root's. */
	d->facts.euid = d->facts.host_euid = 1000;
	assert_int_equal(look_at(c, ""), 0);
}

/* Whose rights a source is shown with, as root. */
static void shows_the_owner_where_it_may(void **state)
{
	struct source_case *c = *state;
	struct decision *d = &c->decision;

	d->facts.euid = d->facts.host_euid = 0;
	d->facts.caps_effective = UINT64_MAX;
	d->facts.maps_all_ids = true;
	/* A place of the system's that belongs to root: with nobody's rights but by a waiver. */
	c->mount.source = "/usr";
	assert_int_equal(look_at(c, ""), 0);
	assert_false(c->fact.shows_owner);
	c->mount.read_only = false;
	c->mount.host_root_write_waived = true;
	assert_int_equal(look_at(c, ""), 0);
	assert_true(c->fact.shows_owner);
	/* Elsewhere with the owner's. */
	c->mount.source = c->path;
	c->mount.read_only = true;
	c->mount.host_root_write_waived = false;
	assert_int_equal(look_at(c, "shown"), 0);
	assert_true(c->fact.shows_owner);
}

/* Windows into the kernel are not shown, by no name and not below anything. */
static void refuses_kernel_file_systems(void **state)
{
	static const char *const paths[] = {"/proc", "/proc/self", "/dev/pts", "/dev", "/"};
	struct source_case *c = *state;

	for (size_t i = 0; i < N(paths); i++) {
		c->mount.source = paths[i];
		assert_true(look_at(c, "") > 0);
	}
	c->mount.source = "/usr";
	assert_int_equal(look_at(c, ""), 0);
}

static void looks_at_the_rootfs(void **state)
{
	struct source_case *c = *state;
	char dir[PATH_MAX];

	c->decision.spec.n_mounts = 0;
	c->decision.spec.rootfs.kind = ROOTFS_DIR;
	c->decision.spec.rootfs.dir = dir;
	scratch_file(&c->scratch, "file", 0600, "");
	scratch_path(&c->scratch, "shown", dir);
	assert_int_equal(look_at(c, "unused"), 0);
	assert_true(c->decision.root_source.is_dir);
	scratch_path(&c->scratch, "none", dir);
	assert_int_equal(look_at(c, "unused"), 1);
	assert_string_equal(c->misses.list[0].key, "rootfs.from");
	scratch_path(&c->scratch, "file", dir);
	assert_int_equal(look_at(c, "unused"), 1);
	assert_non_null(strstr(c->misses.list[0].text, "is not a directory"));
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test(looks_at_sources),
		test(hides_the_state),
		test(shows_the_owner_where_it_may),
		test(refuses_kernel_file_systems),
		test(keeps_roots_files_from_being_written),
		test(looks_at_the_rootfs),
	};

	return cmocka_run_group_tests_name("launcher/sources", tests, NULL, NULL);
}
