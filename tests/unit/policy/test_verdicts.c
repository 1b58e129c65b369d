/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The verdict tables of the shipped profiles: profiles/expect/NAME.tests, a line for each
 *
 *	CALL [ARGUMENT...] -> ANSWER        # remark
 *
 * CALL is a name or a number, ANSWER an action as in a policy. Names that the architecture has not
 * are passed over. The base's table names every call there is. NAME-x86.tests and NAME-arm.tests
 * say the same of the second architecture's calls, where seccomp.architectures lists it. Built
 * twice, for each machine (policy/arch.h); tests/attack/verdicts.c puts the same tables to the
 * running kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/str.h"
#include "policy/arch.h"
#include "policy/constants.h"
#include "policy/syscalls.h"
#include "tests/lib/bpf_sim.h"
#include "tests/lib/policy_fixture.h"

enum { TABLE_MAX = 128 << 10, WORDS_MAX = 9 };

struct table {
	const char *name;
	enum syscalls_abi abi;
	char text[TABLE_MAX];
	bool is_named[SYSCALLS_END];
	void *program;
	size_t n;
	size_t n_rows, n_bad;
};

static uint32_t answer_of(const char *word)
{
	uint32_t value = 0;
	char name[32];

	if (str_equal(word, "allow"))
		return SECCOMP_RET_ALLOW;
	if (str_equal(word, "log"))
		return SECCOMP_RET_LOG;
	if (str_equal(word, "trap"))
		return SECCOMP_RET_TRAP;
	if (str_equal(word, "kill"))
		return SECCOMP_RET_KILL_PROCESS;
	if (!str_has_prefix(word, "errno("))
		fail_msg("no answer: %s", word);
	str_format(name, sizeof(name), "%.*s", (int)strcspn(word + 6, ")"), word + 6);
	if (!str_equal(name, "0") && constants_errno(name, &value) < 0)
		fail_msg("no errno: %s", name);
	return SECCOMP_RET_ERRNO | value;
}

static void run_row(struct table *table, char *const *words, size_t n, size_t line)
{
	struct seccomp_data data = {.arch = table->abi == ABI_NATIVE ? POLICY_AUDIT_ARCH
								     : POLICY_SECOND_AUDIT_ARCH};
	int32_t place = -1;
	uint64_t number;
	uint32_t got;

	if (n < 3 || !str_equal(words[n - 2], "->"))
		fail_msg("%s:%zu: no row", table->name, line);
	if (words[0][0] >= '0' && words[0][0] <= '9' && constants_argument(words[0], &number) == 0)
		data.nr = (int)number;
	else
		place = data.nr = syscalls_number_on(table->abi, words[0]);
	if (data.nr == -ENOENT)
		fail_msg("%s:%zu: unknown call %s", table->name, line, words[0]);
	if (data.nr < 0)
		return;
	if (place >= 0) {
		table->is_named[place] = true;
		data.nr = syscalls_kernel_number(table->abi, place);
	}
	for (size_t i = 1; i < n - 2; i++) {
		uint64_t value;

		if (constants_argument(words[i], &value) < 0)
			fail_msg("%s:%zu: %s", table->name, line, words[i]);
		data.args[i - 1] = value;
	}
	table->n_rows++;
	got = bpf_sim_run(table->program, table->n, &data);
	if (got == answer_of(words[n - 1]))
		return;
	table->n_bad++;
	print_error("%s:%zu: %s: the filter says %x\n", table->name, line, words[0], got);
}

static void run_line(struct table *table, char *text, size_t line)
{
	char *words[WORDS_MAX] = {NULL};
	char *state = NULL;
	size_t n = 0;

	text[strcspn(text, "#")] = '\0';
	for (char *word = strtok_r(text, " \t", &state); word != NULL;
	     word = strtok_r(NULL, " \t", &state)) {
		if (n == WORDS_MAX)
			fail_msg("%s:%zu: too many words", table->name, line);
		words[n++] = word;
	}
	if (n > 0)
		run_row(table, words, n, line);
}

static void compile(struct table *table)
{
	struct policy_fixture fixture;

	fixture_init(&fixture);
	fixture.request.wants_values = false;
	fixture.request.profile = table->name;
	if (table->abi == ABI_SECOND) {
		fixture_flag(&fixture, FLAG_SET,
			     "seccomp.architectures=[native, " POLICY_SECOND_NAME "]");
		fixture_flag(&fixture, FLAG_WAIVE,
			     "seccomp.architecture:" POLICY_SECOND_NAME "=the table");
	}
	assert_int_equal(fixture_resolve(&fixture, NULL), 0);
	assert_int_equal(policy_seccomp_compile(&fixture.spec.seccomp, &table->program, &table->n,
						&fixture.err),
			 0);
	fixture_release(&fixture);
}

static void run_table(struct table *table)
{
	char path[256];
	size_t line = 0;
	char *text = table->text;

	compile(table);
	str_format(path, sizeof(path), "profiles/expect/%s%s.tests", table->name,
		   table->abi == ABI_NATIVE ? "" : "-" POLICY_SECOND_NAME);
	if (io_read_text(AT_FDCWD, path, text, TABLE_MAX) <= 0)
		fail_msg("%s cannot be read", path);
	while (*text != '\0') {
		char *end = text + strcspn(text, "\n");
		char *next = *end != '\0' ? end + 1 : end;

		*end = '\0';
		run_line(table, text, ++line);
		text = next;
	}
	free(table->program);
	assert_int_equal(table->n_bad, 0);
	assert_true(table->n_rows > 0);
}

static void shipped(void **state)
{
	(void)state;
	for (size_t i = 0; i < policy_n_shipped_profiles; i++) {
		struct table *table = calloc(1, sizeof(*table));

		table->name = policy_shipped_profiles[i].name;
		run_table(table);
		for (int32_t number = 0; number < SYSCALLS_END; number++)
			if (str_equal(table->name, "base") && syscalls_is_known(number) &&
			    !table->is_named[number])
				fail_msg("base.tests says nothing of %s", syscalls_name(number));
		free(table);
	}
}

static void second(void **state)
{
	struct table *table = calloc(1, sizeof(*table));

	(void)state;
	table->name = "base";
	table->abi = ABI_SECOND;
	run_table(table);
	for (int32_t place = 0; place < SYSCALLS_END; place++)
		if (syscalls_name_on(ABI_SECOND, place) != NULL &&
		    syscalls_kernel_number(ABI_SECOND, place) >= 0 && !table->is_named[place])
			fail_msg("base-" POLICY_SECOND_NAME ".tests says nothing of %s",
				 syscalls_name_on(ABI_SECOND, place));
	free(table);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(shipped),
						  cmocka_unit_test(second)};

	return cmocka_run_group_tests_name(POLICY_IS_X86_64 ? "policy/verdicts, x86-64"
							    : "policy/verdicts, aarch64",
					   tests, NULL, NULL);
}
