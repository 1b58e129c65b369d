/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * seccomp.docker_profile: what is no JSON, no seccomp file, or asks for what is not enforced is
 * refused at its line and column, and so is a layer that says its list twice.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/policy_fixture.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const char only_docker[] = "cordon: 1\nseccomp: {docker_profile: ./f.json}\n";

static int resolve(struct policy_fixture *fixture, const char *policy, const char *json)
{
	fixture_init(fixture);
	fixture_profile(fixture, "/ward/project/f.json", json);
	return fixture_resolve(fixture, policy);
}

#define ENTRY(text) "{\"defaultAction\": \"SCMP_ACT_ERRNO\",\n\"syscalls\": [" text "]}"
#define ALLOWS(names, rest) \
	ENTRY("{\"names\": [" names "], \"action\": \"SCMP_ACT_ALLOW\"" rest "}")
#define ARGS(text) ALLOWS("\"kill\"", ", \"args\": [" text "]")

struct mistake {
	const char *json;
	const char *rule;
	uint32_t line, column;
};

static const struct mistake mistakes[] = {
	{"", "json-syntax", 1, 1},
	{"{", "json-syntax", 1, 2},
	{"{'defaultAction': 1}", "json-syntax", 1, 2},
	{"{\"defaultAction\": SCMP_ACT_ALLOW}", "json-syntax", 1, 19},
	{"{\"defaultAction\": \"SCMP_ACT_ALLOW\",}", "json-syntax", 1, 36},
	{"{\"defaultAction\": \"SCMP_ACT_ALLOW\"} x", "json-syntax", 1, 37},
	{"{\"defaultAction\": \"SCMP_ACT_ALLOW\" // x\n}", "json-syntax", 1, 36},
	{"{\"a\": \"\\ud800\"}", "json-syntax", 1, 14},
	{"{\"a\": \"\\u0000\"}", "json-syntax", 1, 9},
	{"{\"a\": \"\x01\"}", "json-syntax", 1, 8},
	{"{\"a\": \"\xff\"}", "json-syntax", 1, 8},
	{"{\"a\": 01}", "json-syntax", 1, 7},
	{"{\"a\": [1 2]}", "json-syntax", 1, 10},
	{"{\"a\": 1,\n \"a\": 2}", "duplicate-key", 2, 2},
	{"[]", "bad-type", 1, 1},
	{"null", "bad-type", 1, 1},
	{"{}", "missing-key", 1, 1},
	{"{\"defaultAction\": \"SCMP_ACT_NO\"}", "bad-value", 1, 19},
	{"{\"defaultAction\": \"SCMP_ACT_NOTIFY\"}", "not-enforced", 1, 19},
	{"{\"defaultAction\": \"SCMP_ACT_TRACE\"}", "not-enforced", 1, 19},
	{"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 4096}", "bad-value", 1, 56},
	{"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": -1}", "bad-value", 1, 56},
	{"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"sycalls\": []}", "unknown-key", 1, 37},
	{"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": {}}", "bad-type", 1, 49},
	{"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"flags\": [\"SECCOMP_FILTER_FLAG_LOG\"]}",
	 "not-enforced", 1, 47},
	{"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"listenerPath\": \"/x\"}", "not-enforced", 1,
	 37},
	{ENTRY("1"), "bad-type", 2, 14},
	{ENTRY("{\"action\": \"SCMP_ACT_ALLOW\"}"), "missing-key", 2, 14},
	{ENTRY("{\"names\": [\"read\"]}"), "missing-key", 2, 14},
	{ALLOWS("1", ""), "bad-type", 2, 25},
	{ALLOWS("\"read\"", ", \"excludes\": {\"cap\": []}"), "unknown-key", 2, 75},
	{ALLOWS("\"read\"", ", \"includes\": {\"caps\": [\"CAP_NO\"]}"), "bad-value", 2, 84},
	{ALLOWS("\"read\"", ", \"includes\": {\"minKernel\": \"4\"}"), "bad-value", 2, 88},
	{ALLOWS("\"read\"", ", \"argz\": []"), "unknown-key", 2, 62},
	/* read's arguments are in no table of widths, and of kill's there are two. */
	{ALLOWS("\"read\"", ", \"args\": [{\"index\": 0, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"}]"),
	 "argument-width", 2, 71},
	{ARGS("{\"index\": 2, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"}"), "argument-width", 2, 71},
	{ARGS("{\"index\": 6, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"}"), "bad-value", 2, 81},
	{ARGS("{\"index\": 0, \"value\": 1, \"op\": \"EQ\"}"), "bad-value", 2, 102},
	{ARGS("{\"index\": 0, \"value\": 1.5, \"op\": \"SCMP_CMP_EQ\"}"), "bad-value", 2, 93},
	{ARGS("{\"index\": 0, \"value\": 4294967296, \"op\": \"SCMP_CMP_EQ\"}"), "bad-value", 2,
	 93},
	{ARGS("{\"index\": 0, \"value\": 0, \"op\": \"SCMP_CMP_LT\"}"), "impossible", 2, 71},
	{ARGS("{\"index\": 0, \"op\": \"SCMP_CMP_LT\"}"), "missing-key", 2, 71},
	{ENTRY("{\"names\": [\"execve\"], \"action\": \"SCMP_ACT_KILL\"}"), "own-call", 2, 25},
};

static void refused_files(void **state)
{
	size_t n_bad = 0;

	(void)state;
	for (size_t i = 0; i < N(mistakes); i++) {
		struct policy_fixture fixture;
		const struct policy_problem *problem;

		assert_int_equal(resolve(&fixture, only_docker, mistakes[i].json), -EINVAL);
		problem = fixture_problem(&fixture, mistakes[i].rule);
		if (problem == NULL || fixture.problems.n != 1 ||
		    problem->origin.line != mistakes[i].line ||
		    problem->origin.column != mistakes[i].column) {
			print_error("row %zu: %s\n", i, fixture.err.text);
			n_bad++;
		}
		fixture_release(&fixture);
	}
	assert_int_equal(n_bad, 0);
}

static void refused_policies(void **state)
{
	static const char *const policies[] = {
		"cordon: 1\nseccomp: {docker_profile: f.json, allow: [read]}\n",
		"cordon: 1\nseccomp: {docker_profile: f.json, default: kill}\n",
		"cordon: 1\nseccomp: {docker_profile: none.json}\n",
		"cordon: 1\nseccomp: {docker_profile: f.json, deny: [execve]}\n",
		/* What it refuses it could not refuse: the number is not known. */
		"cordon: 1\nseccomp: {docker_profile: f.json, unknown: allow}\n",
	};
	static const char json[] = "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{"
				   "\"name\": \"no_such\", \"action\": \"SCMP_ACT_KILL\"}]}";
	struct policy_fixture fixture;

	(void)state;
	for (size_t i = 0; i < N(policies); i++) {
		assert_int_equal(resolve(&fixture, policies[i], json), -EINVAL);
		assert_int_equal(fixture.problems.n, 1);
		fixture_release(&fixture);
	}
	/* The positive control. */
	assert_int_equal(resolve(&fixture,
				 "cordon: 1\nseccomp: {docker_profile: f.json, deny: [read]}\n",
				 json),
			 0);
	fixture_release(&fixture);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_files),
		cmocka_unit_test(refused_policies),
	};

	return cmocka_run_group_tests_name("policy/docker_refused", tests, NULL, NULL);
}
