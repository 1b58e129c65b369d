/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/yaml.c: what is refused beyond YAML's own rules, and where the message points. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "policy/ctx.h"
#include "policy/yaml.h"
#include "tests/lib/policy_fixture.h"

struct row {
	const char *text;
	uint32_t line;
	uint32_t column;
	const char *rule;
};

static void refused(void **state)
{
	static const struct row rows[] = {
		{"", 1, 1, "yaml-empty"},
		{"# only a comment\n", 1, 1, "yaml-empty"},
		{"cordon: &a 1\n", 1, 9, "yaml-anchor"},
		{"cordon: 1\nextends: *a\n", 2, 10, "yaml-anchor"},
		{"cordon: !!int 1\n", 1, 9, "yaml-tag"},
		{"cordon: ! 1\n", 1, 9, "yaml-tag"},
		{"cordon: 1\nlimits: &l {nproc: 1}\n", 2, 9, "yaml-anchor"},
		{"cordon: 1\nvolumes: !x []\n", 2, 10, "yaml-tag"},
		{"cordon: 1\n<<: {a: b}\n", 2, 1, "yaml-merge"},
		{"cordon: 1\ncordon: 1\n", 2, 1, "duplicate-key"},
		{"cordon: 1\nlimits: {nproc: 1, nproc: 2}\n", 2, 20, "duplicate-key"},
		{"cordon: 1\nvolumes: []\n+volumes: []\n", 3, 1, "duplicate-key"},
		{"cordon: 1\n[a]: b\n", 2, 1, "yaml-key"},
		{"cordon: 1\n? {a: b}\n: c\n", 2, 3, "yaml-key"},
		{"cordon: 1\n---\ncordon: 1\n", 2, 1, "yaml-documents"},
		{"cordon: [1\n", 2, 1, "yaml-syntax"},
		{"cordon: \"1\n", 2, 1, "yaml-syntax"},
		{"cordon: 1\n\textends: x\n", 2, 1, "yaml-syntax"},
		{"cordon: 1\ndescription: \"a\\0b\"\n", 2, 14, "yaml-nul"},
		{"cordon: 1\ndescription: \xff\n", 2, 14, "yaml-utf8"},
		{"cordon: 1\ndescription: \xc0\xaf\n", 2, 14, "yaml-utf8"},
		{"cordon: 1\ndescription: \xed\xa0\x80\n", 2, 14, "yaml-utf8"},
		{"a: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]\n", 1, 19, "yaml-depth"},
		{"- cordon: 1\n", 1, 1, "bad-type"},
		{"just text\n", 1, 1, "bad-type"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_fixture fixture;
		const struct policy_problem *problem;

		fixture_init(&fixture);
		assert_int_equal(fixture_resolve(&fixture, rows[i].text), -EINVAL);
		problem = fixture_problem(&fixture, rows[i].rule);
		if (problem == NULL) {
			fail_msg("row %zu: no %s: %s", i, rows[i].rule, fixture.err.text);
			return;
		}
		assert_int_equal(problem->origin.line, rows[i].line);
		assert_int_equal(problem->origin.column, rows[i].column);
		fixture_release(&fixture);
	}
}

/* A text that holds a NUL byte, is too long, or has too many values. */
static void refused_by_bytes(void **state)
{
	static char text[YAML_MAX_BYTES + 64];
	struct policy_fixture fixture;
	size_t len = 0;

	(void)state;
	fixture_init(&fixture);
	memset(text, '#', YAML_MAX_BYTES + 1);
	assert_int_equal(fixture_resolve(&fixture, text), -EINVAL);
	assert_non_null(fixture_problem(&fixture, "yaml-size"));
	fixture_release(&fixture);

	fixture_init(&fixture);
	len = str_format(text, sizeof(text), "a: [");
	for (size_t i = 0; i < YAML_MAX_NODES; i++)
		len += str_format(text + len, sizeof(text) - len, "1,");
	str_format(text + len, sizeof(text) - len, "1]\n");
	assert_int_equal(fixture_resolve(&fixture, text), -EINVAL);
	assert_non_null(fixture_problem(&fixture, "yaml-size"));
	fixture_release(&fixture);
}

/* Words that other readers of YAML turn into something else stay text. */
static void scalars_are_text(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	assert_int_equal(fixture_resolve(&fixture,
					 "cordon: 1\nextends: default\n"
					 "process: {hostname: no, environment: {A: yes, B: 1:30, "
					 "C: 0x10, D: ~, E: '', F: null, G: 1e3}}\n"),
			 0);
	assert_string_equal(fixture.spec.process.hostname, "no");
	assert_string_equal(fixture_value(&fixture, "process.environment.A"), "yes");
	assert_string_equal(fixture_value(&fixture, "process.environment.B"), "1:30");
	assert_string_equal(fixture_value(&fixture, "process.environment.C"), "0x10");
	assert_string_equal(fixture_value(&fixture, "process.environment.D"), "~");
	assert_string_equal(fixture_value(&fixture, "process.environment.E"), "\"\"");
	assert_string_equal(fixture_value(&fixture, "process.environment.F"), "null");
	assert_string_equal(fixture_value(&fixture, "process.environment.G"), "1e3");
	fixture_release(&fixture);
}

/* The commonest slip of all gets its own words. */
static void names_tabs(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	assert_int_equal(fixture_resolve(&fixture, "cordon: 1\nlimits:\n\tnproc: 3\n"), -EINVAL);
	assert_int_equal(fixture.problems.list[0].origin.line, 3);
	assert_non_null(strstr(fixture.problems.list[0].hint, "never with tabs"));
	fixture_release(&fixture);
}

static void assert_same_tree(const struct policy_node *a, const struct policy_node *b)
{
	for (; a != NULL && b != NULL; a = a->next, b = b->next) {
		assert_int_equal(a->kind, b->kind);
		assert_int_equal(a->is_quoted, b->is_quoted);
		assert_int_equal(a->appends, b->appends);
		assert_int_equal(a->is_damaged, b->is_damaged);
		assert_string_equal(a->key, b->key);
		assert_string_equal(a->text, b->text);
		assert_memory_equal(&a->place, &b->place, sizeof(a->place));
		assert_memory_equal(&a->key_place, &b->key_place, sizeof(a->key_place));
		assert_same_tree(a->children, b->children);
	}
	assert_null(a);
	assert_null(b);
}

/* The tables of policy/gen/profile_nodes.c against the texts. */
static void shipped_trees(void **state)
{
	(void)state;
	for (size_t i = 0; i < policy_n_shipped_profiles; i++) {
		const struct policy_shipped *shipped = &policy_shipped_profiles[i];
		struct policy_source source = {.path = "p",
					       .dir = "",
					       .text = shipped->text,
					       .len = shipped->len};
		struct policy_fixture fixture;
		struct policy_ctx ctx = {.arena = &fixture.arena, .problems = &fixture.problems};
		const struct policy_node *read, *made;

		fixture_init(&fixture);
		read = yaml_parse(&ctx, &source, shipped->text, shipped->len);
		made = doc_of_shipped(&ctx, &source, shipped);
		assert_non_null(read);
		assert_true(shipped->n_nodes > 5);
		assert_same_tree(read, made);
		fixture_release(&fixture);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_tabs),       cmocka_unit_test(refused),
		cmocka_unit_test(shipped_trees),    cmocka_unit_test(refused_by_bytes),
		cmocka_unit_test(scalars_are_text),
	};

	return cmocka_run_group_tests_name("policy/yaml", tests, NULL, NULL);
}
