/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * launcher/identity.c: which host ids sandboxes may have. Whatever the two files say, no block
 * holds id 0, an id that the files give to somebody else, an id beyond 32 bits, or an id of another
 * block.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/identity.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

enum { DEFAULT_BLOCKS = (IDENTITY_LAST - IDENTITY_FIRST + 1) / IDENTITY_BLOCK };

/* What holds for every pool. Blocks are few enough to compare each with each only where the pool is
 * not the default one, whose ranges are. */
static void assert_sound(const struct id_pool *pool)
{
	uint64_t blocks = identity_pool_blocks(pool);

	assert_true(pool->n_ranges <= IDENTITY_RANGES_MAX);
	for (uint32_t i = 0; i < pool->n_ranges; i++) {
		struct id_range a = pool->ranges[i];

		if (a.count == 0)
			continue;
		assert_true(a.first > 0);
		assert_true(a.first + a.count <= UINT32_MAX); /* 2^32-1 is no id: chown(2) */
		for (uint32_t j = 0; j < i; j++) {
			struct id_range b = pool->ranges[j];

			assert_true(b.count == 0 || a.first >= b.first + b.count ||
				    b.first >= a.first + a.count);
		}
	}
	for (uint64_t n = 0; n < blocks; n++) {
		uint64_t first = identity_pool_block(pool, n);
		bool inside = false;

		for (uint32_t i = 0; i < pool->n_ranges; i++)
			inside = inside || (first >= pool->ranges[i].first &&
					    first + IDENTITY_BLOCK <=
						    pool->ranges[i].first + pool->ranges[i].count);
		assert_true(inside);
		if (n > 0)
			assert_int_not_equal(first, identity_pool_block(pool, n - 1));
	}
	assert_int_equal(identity_pool_block(pool, blocks), 0);
}

static bool holds(const struct id_pool *pool, uint64_t id)
{
	for (uint32_t i = 0; i < pool->n_ranges; i++)
		if (id >= pool->ranges[i].first &&
		    id - pool->ranges[i].first < pool->ranges[i].count)
			return true;
	return false;
}

/* first: of block 0. */
struct pool_row {
	const char *name;
	const char *subuid, *subgid; /* NULL: as subuid */
	uint64_t blocks;
	uint32_t first;
};

static void check_rows(const struct pool_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct id_pool pool;

		print_message("%s\n", rows[i].name);
		memset(&pool, 0xff, sizeof(pool));
		identity_make_pool(rows[i].subuid,
				   rows[i].subgid != NULL ? rows[i].subgid : rows[i].subuid, &pool);
		assert_sound(&pool);
		assert_int_equal(identity_pool_blocks(&pool), rows[i].blocks);
		assert_int_equal(identity_pool_block(&pool, 0), rows[i].first);
	}
}

static void takes_its_own_ranges(void **state)
{
	static const struct pool_row rows[] = {
		{"one block", "cordon:100000:65536\n", NULL, 1, 100000},
		{"no newline at the end", "cordon:100000:65536", NULL, 1, 100000},
		{"a part of a block is none", "cordon:100000:131071\n", NULL, 1, 100000},
		{"several ranges", "cordon:100000:65536\nx:1:1\ncordon:500000:131072\n", NULL, 3,
		 100000},
		{"the common part", "cordon:100000:200000\n", "cordon:200000:200000\n", 1, 200000},
		{"common parts of two ranges", "cordon:100000:400000\n",
		 "cordon:100000:65536\ncordon:300000:65536\n", 2, 100000},
		{"the last ids of all", "cordon:4294901759:65536\n", NULL, 1, 4294901759},
		{"the first ids", "cordon:1:65536\n", NULL, 1, 1},
		{"less what others have", "cordon:100000:131072\nu:165536:65536\n", NULL, 1,
		 100000},
		{"less what others have in the other file", "cordon:100000:131072\n",
		 "cordon:100000:131072\nu:100000:65536\n", 1, 165536},
		{"a hole in the middle", "cordon:100000:196608\nu:170000:1\n", NULL, 2, 100000},
		{"all of it is somebody's", "cordon:100000:65536\nu:1:4294967294\n", NULL, 0, 0},
	};

	(void)state;
	check_rows(rows, N(rows));
}

/* The same ids said twice are one block: two sandboxes must not share them. */
static void gives_no_id_twice(void **state)
{
	static const struct pool_row rows[] = {
		{"twice", "cordon:100000:65536\ncordon:100000:65536\n", NULL, 1, 100000},
		{"four times in one file",
		 "cordon:100000:65536\ncordon:100000:65536\ncordon:100000:65536\n",
		 "cordon:100000:65536\n", 1, 100000},
		{"overlapping by a block", "cordon:100000:131072\ncordon:165536:131072\n", NULL, 3,
		 100000},
		{"one in the other", "cordon:100000:196608\ncordon:165536:65536\n", NULL, 3,
		 100000},
		{"overlapping by one id", "cordon:100000:65536\ncordon:165535:65537\n", NULL, 1,
		 165535},
	};

	(void)state;
	check_rows(rows, N(rows));
}

static void falls_back_to_the_default(void **state)
{
	static const struct pool_row rows[] = {
		{"no files", "", "", DEFAULT_BLOCKS, IDENTITY_FIRST},
		{"others below it", "u:100000:65536\nv:165536:65536\n", NULL, DEFAULT_BLOCKS,
		 IDENTITY_FIRST},
		{"only in subuid", "cordon:100000:65536\n", "", DEFAULT_BLOCKS, IDENTITY_FIRST},
		{"only in subgid", "", "cordon:100000:65536\n", DEFAULT_BLOCKS, IDENTITY_FIRST},
		{"nothing in common", "cordon:100000:65536\n", "cordon:200000:65536\n",
		 DEFAULT_BLOCKS, IDENTITY_FIRST},
		{"too small for a block", "cordon:100000:65535\n", NULL, DEFAULT_BLOCKS,
		 IDENTITY_FIRST},
		{"others at its start", "u:603979776:65536\n", "", DEFAULT_BLOCKS - 1,
		 IDENTITY_FIRST + IDENTITY_BLOCK},
		{"others across its start", "u:1:603979777\n", "", DEFAULT_BLOCKS - 1,
		 IDENTITY_FIRST + 2},
		{"others at its end", "", "u:1879048191:1\n", DEFAULT_BLOCKS - 1, IDENTITY_FIRST},
		{"others just behind it", "u:1879048192:65536\n", NULL, DEFAULT_BLOCKS,
		 IDENTITY_FIRST},
		{"others just before it", "u:603979775:1\n", NULL, DEFAULT_BLOCKS, IDENTITY_FIRST},
		{"another has everything", "u:0:4294967295\n", "", 0, 0},
		{"another has more than everything", "u:0:18446744073709551615\n", "", 0, 0},
		{"another's range goes round", "u:1000000000:18446744073709551615\n", "",
		 (1000000000 - IDENTITY_FIRST) / IDENTITY_BLOCK, IDENTITY_FIRST},
		{"another has nothing", "u:700000000:0\n", "", DEFAULT_BLOCKS, IDENTITY_FIRST},
	};

	(void)state;
	check_rows(rows, N(rows));
}

/* Lines that are no lines of ours give no ids. */
static void ignores_garbage(void **state)
{
	static const char *const lines[] = {
		"cordon",
		"cordon:",
		"cordon::",
		"cordon:100000",
		"cordon:100000:",
		"cordon::65536",
		"cordon:x:65536",
		"cordon:100000:x",
		"cordon:-1:65536",
		"cordon:+100000:65536",
		"cordon:0x186a0:65536",
		"cordon: 100000:65536",
		"cordon:100000:65536 ",
		"cordon:100000:65536\r",
		"cordon:100000:65536:",
		"cordon:100000:65536:1",
		"cordon:100000:99999999999999999999",
		"cordon:99999999999999999999:65536",
		"cordon:0:65536",
		"cordon:0:4294967295",
		"cordon:4294901760:65536",
		"cordon:4294967295:65536",
		"cordon:4294967296:65536",
		"cordon:100000:4294967295",
		"cordon:100000:18446744073709551615",
		"cordon:18446744073709551615:65536",
		" cordon:100000:65536",
		"#cordon:100000:65536",
		"cordon2:100000:65536",
		"Cordon:100000:65536",
		"cordo:100000:65536",
		":100000:65536",
		":::",
		"\n\n\n",
	};

	(void)state;
	for (size_t i = 0; i < N(lines); i++) {
		struct id_pool pool;
		char text[128];

		print_message("%s\n", lines[i]);
		snprintf(text, sizeof(text), "%s\n", lines[i]);
		identity_make_pool(text, text, &pool);
		assert_sound(&pool);
		assert_int_equal(identity_pool_block(&pool, 0), IDENTITY_FIRST);
		/* A line of ours behind it still counts. */
		snprintf(text, sizeof(text), "%s\ncordon:200000:65536\n", lines[i]);
		identity_make_pool(text, text, &pool);
		assert_sound(&pool);
		assert_int_equal(identity_pool_blocks(&pool), 1);
		assert_int_equal(identity_pool_block(&pool, 0), 200000);
	}
}

/* newuidmap(1) reads numbers of any base: what it would grant is not free. */
static void respects_numbers_of_any_base(void **state)
{
	static const char *const lines[] = {"u:0x24000000:0x10000\n", "u: 603979776:65536\n",
					    "u:04400000000:0200000\n"};

	(void)state;
	for (size_t i = 0; i < N(lines); i++) {
		struct id_pool pool;

		identity_make_pool(lines[i], "", &pool);
		assert_sound(&pool);
		assert_int_equal(identity_pool_block(&pool, 0), IDENTITY_FIRST + 65536);
	}
}

/* A long account name is an account all the same. */
static void respects_long_names(void **state)
{
	struct id_pool pool;
	char text[512];

	(void)state;
	for (size_t len = 1; len <= 256; len++) {
		memset(text, 'n', len);
		snprintf(text + len, sizeof(text) - len, ":603979776:65536\n");
		identity_make_pool(text, "", &pool);
		assert_sound(&pool);
		assert_false(holds(&pool, IDENTITY_FIRST));
		assert_false(holds(&pool, IDENTITY_FIRST + IDENTITY_BLOCK - 1));
		assert_true(holds(&pool, IDENTITY_FIRST + IDENTITY_BLOCK));
	}
}

/* More lines than the pool has room for: it gets smaller, never wrong. */
static void runs_out_of_ranges_safely(void **state)
{
	enum { LINES = 3 * IDENTITY_RANGES_MAX };
	char *text = calloc(LINES, 32);
	struct id_pool pool;
	size_t len = 0;

	(void)state;
	for (unsigned i = 0; i < LINES; i++)
		len += (size_t)sprintf(text + len, "u:%u:7\n",
				       IDENTITY_FIRST + 1 + i * 3 * IDENTITY_BLOCK / 2);
	identity_make_pool(text, "", &pool);
	assert_sound(&pool);
	assert_true(identity_pool_blocks(&pool) > 0);
	for (unsigned i = 0; i < LINES; i++)
		for (unsigned k = 0; k < 7; k++)
			assert_false(
				holds(&pool, IDENTITY_FIRST + 1 + i * 3 * IDENTITY_BLOCK / 2 + k));
	len = 0;
	for (unsigned i = 0; i < LINES; i++)
		len += (size_t)sprintf(text + len, "cordon:%u:65536\n", 1000000 + i * 100000);
	identity_make_pool(text, text, &pool);
	assert_sound(&pool);
	assert_true(identity_pool_blocks(&pool) > 0);
	free(text);
}

/* Texts at random (always the same ones), with numbers at the edges: every pool is sound, and holds
 * nothing of another's line. */
static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 33);
}

static void is_sound_for_any_text(void **state)
{
	static const uint64_t edges[] = {
		0,
		1,
		65535,
		65536,
		131072,
		IDENTITY_FIRST - 1,
		IDENTITY_FIRST,
		IDENTITY_FIRST + 1,
		IDENTITY_LAST,
		IDENTITY_LAST + 1ULL,
		700000000,
		4294901759,
		4294901760,
		4294967294,
		UINT32_MAX,
		4294967296,
		UINT64_MAX,
	};
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct id_range others[8];
		size_t n_others = 0, len[2] = {0};
		char text[2][512] = {"", ""};
		struct id_pool pool;

		for (int line = 0; line < 8; line++) {
			bool is_ours = next_random(&seed) % 2 == 0;
			uint64_t first = edges[next_random(&seed) % N(edges)];
			uint64_t count = edges[next_random(&seed) % N(edges)];
			unsigned file = next_random(&seed) % 2;

			len[file] += (size_t)sprintf(text[file] + len[file],
						     "%s:%" PRIu64 ":%" PRIu64 "\n",
						     is_ours ? "cordon" : "u", first, count);
			if (!is_ours)
				others[n_others++] = (struct id_range){first, count};
		}
		identity_make_pool(text[0], text[1], &pool);
		assert_true(pool.n_ranges <= IDENTITY_RANGES_MAX);
		assert_false(holds(&pool, 0));
		for (size_t i = 0; i < n_others; i++) {
			uint64_t last = others[i].count > UINT64_MAX - others[i].first
						? UINT64_MAX
						: others[i].first + others[i].count - 1;

			if (others[i].count == 0)
				continue;
			assert_false(holds(&pool, others[i].first));
			assert_false(holds(&pool, last));
		}
	}
}

/* ---- this process's own maps ---- */

static void reads_own_maps(void **state)
{
	uint32_t host_euid = 12345;
	bool maps_all;
	struct err err;

	(void)state;
	assert_int_equal(identity_read_own_maps(&maps_all, geteuid(), &host_euid, &err), 0);
	/* In a user namespace with an empty line there is no such id. */
	assert_int_equal(identity_read_own_maps(&maps_all, UINT32_MAX, &host_euid, &err), 0);
	assert_int_equal(host_euid, UINT32_MAX);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_its_own_ranges),
		cmocka_unit_test(gives_no_id_twice),
		cmocka_unit_test(falls_back_to_the_default),
		cmocka_unit_test(ignores_garbage),
		cmocka_unit_test(respects_long_names),
		cmocka_unit_test(respects_numbers_of_any_base),
		cmocka_unit_test(runs_out_of_ranges_safely),
		cmocka_unit_test(is_sound_for_any_text),
		cmocka_unit_test(reads_own_maps),
	};

	return cmocka_run_group_tests_name("launcher/identity", tests, NULL, NULL);
}
