/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* launcher/readback.c: a status text passes only where every field is as it must be. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/readback.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

enum { UID, GID, GROUPS, CAP_INH, CAP_PRM, CAP_EFF, CAP_BND, CAP_AMB, NO_NEW_PRIVS, FIELDS };

static const struct {
	const char *name, *right;
} fields[FIELDS] = {
	[UID] = {"Uid", "1000\t1000\t1000\t1000"},
	[GID] = {"Gid", "2000\t2000\t2000\t2000"},
	[GROUPS] = {"Groups", " "},
	[CAP_INH] = {"CapInh", "0000000000000000"},
	[CAP_PRM] = {"CapPrm", "0000000000000000"},
	[CAP_EFF] = {"CapEff", "0000000000000000"},
	[CAP_BND] = {"CapBnd", "0000000000000000"},
	[CAP_AMB] = {"CapAmb", "0000000000000000"},
	[NO_NEW_PRIVS] = {"NoNewPrivs", "1"},
};

static const struct readback_want want = {.uid = 1000, .gid = 2000, .no_groups = true};

/* A text as the kernel writes it (proc_pid_status(5)), with field `index` as `value` says; NULL
 * leaves the line out. */
static const char *text_with(int index, const char *value, char *buf, size_t size)
{
	size_t len = (size_t)snprintf(buf, size,
				      "Name:\tcat\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t7\n");

	for (int i = 0; i < FIELDS; i++) {
		const char *text = i == index ? value : fields[i].right;

		if (text != NULL)
			len += (size_t)snprintf(buf + len, size - len, "%s:\t%s\n", fields[i].name,
						text);
	}
	snprintf(buf + len, size - len, "Seccomp:\t0\nThreads:\t1\n");
	return buf;
}

static void passes_what_is_right(void **state)
{
	struct readback_want other = want;
	struct err err;
	char buf[1024];

	(void)state;
	assert_int_equal(readback_status(text_with(-1, NULL, buf, sizeof(buf)), &want, &err), 0);
	/* The kernel ends the list of groups with a space, or not. */
	assert_int_equal(readback_status(text_with(GROUPS, "", buf, sizeof(buf)), &want, &err), 0);
	/* As a user the groups cannot be dropped. */
	other.no_groups = false;
	text_with(GROUPS, "4 27 1000 ", buf, sizeof(buf));
	assert_int_equal(readback_status(buf, &other, &err), 0);
	/* The last field without a newline. */
	text_with(-1, NULL, buf, sizeof(buf));
	*strstr(buf, "\nSeccomp") = '\0';
	assert_int_equal(readback_status(buf, &want, &err), 0);
}

static void assert_refused(const char *text, const char *field)
{
	char begin[64];
	struct err err;

	memset(&err, 0, sizeof(err));
	assert_int_equal(readback_status(text, &want, &err), -EPERM);
	assert_int_equal(err.kind, ERR_SETUP);
	snprintf(begin, sizeof(begin), "read back: %s is ", field);
	assert_memory_equal(err.text, begin, strlen(begin));
}

/* What has ended has the ids and sets that it had. */
static void refuses_the_dead(void **state)
{
	static const char *const states[] = {"Z (zombie)", "X (dead)", ""};
	struct err err;

	(void)state;
	for (size_t i = 0; i < N(states); i++) {
		char buf[1024], text[1100];

		text_with(-1, NULL, buf, sizeof(buf));
		snprintf(text, sizeof(text), "State:\t%s\n%s", states[i], buf);
		assert_int_equal(readback_status(text, &want, &err), -ESRCH);
	}
}

static void refuses_each_wrong_field(void **state)
{
	static const struct {
		int field;
		const char *value;
	} rows[] = {
		/* Each of the four ids alone: real, effective, saved, file system. */
		{UID, "0\t1000\t1000\t1000"},
		{UID, "1000\t0\t1000\t1000"},
		{UID, "1000\t1000\t0\t1000"},
		{UID, "1000\t1000\t1000\t0"},
		{UID, "1000\t1000\t1000"},
		{UID, "1000\t1000\t1000\t10000"},
		{UID, "1000\t1000\t1000\t1000\t1000"},
		{UID, "2000\t2000\t2000\t2000"},
		{UID, "0\t0\t0\t0"},
		{UID, ""},
		{GID, "0\t2000\t2000\t2000"},
		{GID, "2000\t0\t2000\t2000"},
		{GID, "2000\t2000\t0\t2000"},
		{GID, "2000\t2000\t2000\t0"},
		{GID, "1000\t1000\t1000\t1000"},
		{GID, ""},
		{GROUPS, "0 "},
		{GROUPS, "0"},
		{GROUPS, "2000 "},
		{GROUPS, "4 24 27"},
		{NO_NEW_PRIVS, "0"},
		{NO_NEW_PRIVS, "10"},
		{NO_NEW_PRIVS, "01"},
		{NO_NEW_PRIVS, ""},
	};
	char buf[1024];

	(void)state;
	for (size_t i = 0; i < N(rows); i++)
		assert_refused(text_with(rows[i].field, rows[i].value, buf, sizeof(buf)),
			       fields[rows[i].field].name);
}

/* Each capability in each set, alone. */
static void refuses_each_capability(void **state)
{
	char buf[1024], value[32];

	(void)state;
	for (int set = CAP_INH; set <= CAP_AMB; set++) {
		for (int bit = 0; bit < 64; bit++) {
			snprintf(value, sizeof(value), "%016llx", 1ULL << bit);
			assert_refused(text_with(set, value, buf, sizeof(buf)), fields[set].name);
		}
		assert_refused(text_with(set, "", buf, sizeof(buf)), fields[set].name);
		assert_refused(text_with(set, "0", buf, sizeof(buf)), fields[set].name);
		assert_refused(text_with(set, "00000000000000000", buf, sizeof(buf)),
			       fields[set].name);
	}
}

static void refuses_a_missing_field(void **state)
{
	char buf[1024];

	(void)state;
	for (int i = 0; i < FIELDS; i++)
		assert_refused(text_with(i, NULL, buf, sizeof(buf)), fields[i].name);
	assert_refused("State:\tR\n", "Uid");
	assert_refused("\nState:\tR\n\n\n", "Uid");
	assert_refused("State:\tR\nUid", "Uid");
}

/* The only text of the workload's own in the file is its name, in which the kernel writes a newline
 * as \n: what stands in it is no field. */
static void is_not_fooled_by_the_name(void **state)
{
	char buf[1024], text[2048];

	(void)state;
	text_with(UID, "0\t0\t0\t0", buf, sizeof(buf));
	snprintf(text, sizeof(text), "Name:\tUid:\t1000\t1000\t1000\t1000\\nUid:\n%s",
		 strchr(buf, '\n') + 1);
	assert_refused(text, "Uid");
	/* A longer name of a field is another field. */
	text_with(UID, NULL, buf, sizeof(buf));
	snprintf(text, sizeof(text),
		 "Uids:\t1000\t1000\t1000\t1000\nXUid:\t1000\t1000\t1000\t1000\n%s", buf);
	assert_refused(text, "Uid");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_what_is_right),
		cmocka_unit_test(refuses_the_dead),
		cmocka_unit_test(refuses_each_wrong_field),
		cmocka_unit_test(refuses_each_capability),
		cmocka_unit_test(refuses_a_missing_field),
		cmocka_unit_test(is_not_fooled_by_the_name),
	};

	return cmocka_run_group_tests_name("launcher/readback", tests, NULL, NULL);
}
