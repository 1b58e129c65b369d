/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said of a store that is used up: its key and who said it; and the two limits that need a
 * relay of output. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/policy_fixture.h"

static void stores_have_names(void **state)
{
	static const char text[] = "cordon: 1\n"
				   "extends: base\n"
				   "rootfs:\n"
				   "  writable: {store: tmpfs, size: 1MiB,\n"
				   "    inodes: 9}\n"
				   "volumes:\n"
				   "  - {type: tmpfs, target: /z, size: 1MiB,\n"
				   "     inodes: 7}\n"
				   "  - ./data:/data\n"
				   "  - {type: tmpfs, target: /a}\n";
	struct policy_fixture f;
	const struct spec_store *root = &f.spec.rootfs.store;

	(void)state;
	fixture_init(&f);
	assert_int_equal(fixture_resolve(&f, text), 0);
	assert_string_equal(root->size_key, "rootfs.writable.size");
	assert_string_equal(root->inodes_key, "rootfs.writable.inodes");
	assert_int_equal(root->size_origin.line, 4);
	assert_int_equal(root->inodes_origin.line, 5);
	/* In the order of the mounts, with the numbers of the policy. */
	assert_int_equal(f.spec.n_mounts, 3);
	assert_string_equal(f.spec.mounts[0].store.size_key, "volumes[2].size");
	assert_int_equal(f.spec.mounts[0].store.size_origin.line, 10);
	assert_int_equal(f.spec.mounts[0].store.inodes_origin.line, 10);
	assert_null(f.spec.mounts[1].store.size_key);
	assert_string_equal(f.spec.mounts[2].store.inodes_key, "volumes[0].inodes");
	assert_int_equal(f.spec.mounts[2].store.size_origin.line, 7);
	assert_int_equal(f.spec.mounts[2].store.inodes_origin.line, 8);
	fixture_release(&f);
}

static int resolve(struct policy_fixture *f, const char *text)
{
	fixture_init(f);
	return fixture_resolve(f, text);
}

/* Nobody has said how many, and all of them would be most of what the size is for. */
static void small_sizes_have_fewer_inodes(void **state)
{
	static const struct {
		const char *writable;
		uint64_t inodes;
	} rows[] = {
		{"{store: auto, size: 4MiB}", 8192},
		{"{store: auto, size: 4190208}", 2046},
		{"{store: image, size: 1MiB}", 512},
		{"{store: image, size: 4KiB}", 16},
		{"{store: tmpfs, size: 1MiB}", 8192},
		{"{store: auto, size: 1MiB, inodes: 8192}", 8192},
		{"{store: auto, size: 1MiB, inodes: 3}", 3},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_fixture f;

		snprintf(text, sizeof(text), "cordon: 1\nextends: base\nrootfs:\n  writable: %s\n",
			 rows[i].writable);
		fixture_init(&f);
		assert_int_equal(fixture_resolve(&f, text), 0);
		assert_int_equal(f.spec.rootfs.inodes, rows[i].inodes);
		fixture_release(&f);
	}
}

static void output_and_idle_time_are_limits(void **state)
{
	const struct spec_total *output, *idle;
	struct policy_fixture f;

	(void)state;
	assert_int_equal(resolve(&f, "cordon: 1\nextends: base\n"
				     "limits: {output: 16MiB, idle_time: 10m}\n"),
			 0);
	output = &f.spec.limits.total[LIMIT_OUTPUT];
	idle = &f.spec.limits.total[LIMIT_IDLE_TIME];
	assert_int_equal(output->demand, DEMAND_REQUIRED);
	assert_int_equal(output->value, 16 << 20);
	assert_int_equal(idle->demand, DEMAND_REQUIRED);
	assert_int_equal(idle->value, 600000);
	fixture_release(&f);
	assert_int_equal(resolve(&f, "cordon: 1\nextends: base\n"
				     "limits: {output: unlimited, idle_time: unlimited}\n"),
			 0);
	assert_int_equal(output->demand, DEMAND_NONE);
	assert_int_equal(idle->demand, DEMAND_NONE);
	fixture_release(&f);
	/* Not a byte. */
	assert_int_equal(resolve(&f, "cordon: 1\nextends: base\nlimits: {output: 0}\n"), 0);
	assert_int_equal(output->demand, DEMAND_REQUIRED);
	assert_int_equal(output->value, 0);
	fixture_release(&f);
	assert_int_not_equal(resolve(&f, "cordon: 1\nextends: base\nlimits: {idle_time: 0}\n"), 0);
	assert_non_null(fixture_problem(&f, "bad-value"));
	fixture_release(&f);
	/* Idleness takes a control group, which a host may lack; output is counted everywhere. */
	assert_int_equal(resolve(&f, "cordon: 1\nextends: base\n"
				     "when_possible: {limits: {idle_time: 1s}}\n"),
			 0);
	assert_int_equal(idle->demand, DEMAND_WHEN_POSSIBLE);
	fixture_release(&f);
	assert_int_not_equal(resolve(&f, "cordon: 1\nextends: base\n"
					 "when_possible: {limits: {output: 1MiB}}\n"),
			     0);
	assert_non_null(fixture_problem(&f, "when-possible"));
	fixture_release(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(stores_have_names),
		cmocka_unit_test(small_sizes_have_fewer_inodes),
		cmocka_unit_test(output_and_idle_time_are_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
