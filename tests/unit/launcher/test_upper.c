/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* launcher/upper.c: which store a writable root has, from spec and facts alone, and what is said of
 * it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/cordon.h"
#include "launcher/launch.h"
#include "tests/lib/decision_fixture.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static struct misses misses;

static void decide(struct decision *d, enum spec_writable asked, const char *image,
		   const char *project)
{
	memset(&misses, 0, sizeof(misses));
	decision_as_root(d);
	strcpy(d->kept_path, "/var/lib/cordon");
	d->spec.rootfs.writable = asked;
	d->spec.rootfs.writable_origin = (struct spec_origin){.file = "p.yaml", .line = 3};
	d->spec.rootfs.size_bytes = 64 << 20;
	d->spec.rootfs.inodes = 4096;
	strcpy(d->facts.upper.image, image);
	strcpy(d->facts.upper.project, project);
	upper_decide(d, &misses);
	plan_make(d);
}

static void chooses(void **state)
{
	static const struct {
		enum spec_writable asked;
		const char *image, *project;
		enum spec_writable want;
		bool is_made;
	} rows[] = {
		{WRITABLE_NONE, "", "", WRITABLE_NONE, false},
		{WRITABLE_TMPFS, "", "", WRITABLE_TMPFS, false},
		{WRITABLE_IMAGE, "", "no", WRITABLE_IMAGE, true},
		{WRITABLE_AUTO, "", "no", WRITABLE_IMAGE, true},
		{WRITABLE_PROJECT, "no", "", WRITABLE_PROJECT, true},
		{WRITABLE_AUTO, "", "", WRITABLE_PROJECT, true},
		{WRITABLE_AUTO, "no", "no", WRITABLE_TMPFS, false},
	};
	struct decision d;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		decide(&d, rows[i].asked, rows[i].image, rows[i].project);
		assert_int_equal(misses.n, 0);
		assert_int_equal(d.writable, rows[i].want);
		assert_int_equal(d.plan.parent_wanted[PARENT_ROOT_STORE], rows[i].is_made);
	}
}

/* What cannot be reserved is no store for what is to be. */
static void preallocates(void **state)
{
	static const struct {
		enum spec_writable asked;
		const char *image;
		enum spec_writable want;
		const char *miss; /* NULL: none */
	} rows[] = {
		{WRITABLE_AUTO, "", WRITABLE_IMAGE, NULL},
		{WRITABLE_IMAGE, "", WRITABLE_IMAGE, NULL},
		{WRITABLE_NONE, "", WRITABLE_NONE, NULL},
		{WRITABLE_AUTO, "no loop", WRITABLE_TMPFS, "tmpfs; not image: no loop"},
		{WRITABLE_TMPFS, "", WRITABLE_TMPFS, "tmpfs"},
		{WRITABLE_PROJECT, "", WRITABLE_PROJECT, "project"},
	};
	char text[256];
	struct decision d;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		decide(&d, rows[i].asked, rows[i].image, "");
		d.spec.rootfs.preallocates = true;
		upper_decide(&d, &misses);
		assert_int_equal(d.writable, rows[i].want);
		assert_int_equal(misses.n, rows[i].miss != NULL);
		snprintf(text, sizeof(text),
			 "rootfs.writable.preallocate: only an image's space can be reserved, and "
			 "this is store: %s",
			 rows[i].miss != NULL ? rows[i].miss : "");
		if (rows[i].miss != NULL)
			assert_string_equal(misses.list[0].text, text);
	}
}

/* A word of the policy's is that store or no start. */
static void refuses(void **state)
{
	static const struct {
		enum spec_writable asked;
		const char *want;
	} rows[] = {
		{WRITABLE_IMAGE, "rootfs.writable.store: image: no loop"},
		{WRITABLE_PROJECT, "rootfs.writable.store: project: no quota"},
	};
	struct decision d;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		decide(&d, rows[i].asked, "no loop", "no quota");
		assert_int_equal(misses.n, 1);
		assert_string_equal(misses.list[0].text, rows[i].want);
		assert_string_equal(misses.list[0].key, "rootfs.writable.store");
		assert_int_equal(misses.list[0].origin.line, 3);
		assert_non_null(strstr(misses.list[0].hint, "store: tmpfs"));
	}
}

static void describes(void **state)
{
	static const struct {
		enum spec_writable asked;
		const char *image, *want;
	} rows[] = {
		{WRITABLE_NONE, "", "read-only"},
		{WRITABLE_TMPFS, "",
		 "tmpfs: 64 MiB and 4096 inodes; memory, which counts to limits.memory"},
		{WRITABLE_IMAGE, "",
		 "image: 64 MiB and 4096 inodes; an ext4 in a file without a name, in "
		 "/var/lib/cordon/writable"},
		{WRITABLE_AUTO, "no loop",
		 "tmpfs: 64 MiB and 4096 inodes; memory, which counts to limits.memory; not "
		 "image: no loop"},
	};
	char text[UPPER_TEXT_MAX];
	struct decision d;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		decide(&d, rows[i].asked, rows[i].image, "no quota");
		upper_text(&d, text, sizeof(text));
		assert_string_equal(text, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses),
		cmocka_unit_test(preallocates),
		cmocka_unit_test(refuses),
		cmocka_unit_test(describes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
