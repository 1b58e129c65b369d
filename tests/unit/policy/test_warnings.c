/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/filter_warn.c and its kin: entries without effect are told, each beside one that has an
 * effect and of which nothing is said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/lib/policy_fixture.h"

/* The warnings of a policy, each as "LINE:TEXT;". */
static const char *warnings_of(const char *policy)
{
	static char text[4096];
	struct policy_fixture fixture;
	size_t len = 0;

	text[0] = '\0';
	fixture_init(&fixture);
	/* In the order of their numbers on each architecture. */
	fixture_profile(
		&fixture, "/ward/project/f.json",
		"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [\n"
		"{\"names\": [\"read\", \"ptrace\", \"bpf\", \"_newselect\",\n\"no_such\"],\n"
		"\"action\": \"SCMP_ACT_ALLOW\"}]}");
	if (fixture_resolve(&fixture, policy) != 0)
		fail_msg("%s", fixture.err.text);
	for (size_t i = 0; i < fixture.spec.provenance.n_warnings; i++) {
		const struct spec_warning *warning = &fixture.spec.provenance.warnings[i];

		len += str_format(text + len, sizeof(text) - len, "%u:%s;", warning->origin.line,
				  warning->text);
	}
	fixture_release(&fixture);
	return text;
}

#define DENY  "cordon: 1\nextends: default\nseccomp:\n  deny:\n"
#define ALLOW "cordon: 1\nseccomp:\n  default: errno(EPERM)\n  unknown: errno(ENOSYS)\n  allow:\n"

static const struct {
	const char *policy;
	const char *warnings;
} rows[] = {
	/* Refusals. */
	{DENY "  - ptrace\n", "5:ptrace is refused already, by profile base:27;"},
	{DENY "  - {call: ptrace, action: kill}\n", ""},
	{DENY "  - read\n", ""},
	{DENY "  - read\n  - read\n", "6:read is refused already, by /ward/project/p.yaml:5;"},
	{DENY "  - {call: read, action: kill}\n  - read\n",
	 "6:read is refused already, by /ward/project/p.yaml:5;"},
	{DENY "  - read\n  - {call: read, action: kill}\n", ""},
	{DENY "  - '@timer'\n", ""},
	{DENY "  - '@mount'\n", "5:@mount is refused already, by profile base:27;"},
	{DENY "  - socketcall\n", "5:socketcall: there is no such call on this architecture;"},
	{DENY "  - {call: kill, args: {1: {eq: 9}}, action: errno(EIO)}\n"
	      "  - {call: kill, args: {1: {in: [9, 10]}}, action: errno(EIO)}\n",
	 ""},
	{DENY "  - {call: kill, args: {1: {in: [9, 10]}}, action: errno(EIO)}\n"
	      "  - {call: kill, args: {0: {eq: 1}, 1: {eq: 9}}, action: kill}\n",
	 "6:kill is refused already, by /ward/project/p.yaml:5;"},
	{DENY "  - {call: kill, args: {1: {range: [5, 20]}}}\n"
	      "  - {call: kill, args: {1: {range: [6, 20]}}}\n",
	 "6:kill is refused already, by /ward/project/p.yaml:5;"},
	{DENY "  - {call: kill, args: {1: {range: [5, 20]}}}\n"
	      "  - {call: kill, args: {1: {range: [5, 21]}}}\n",
	 ""},
	{DENY "  - {call: kill, args: {1: {not_in: [5]}}}\n"
	      "  - {call: kill, args: {1: {not_in: [5, 6]}}}\n",
	 "6:kill is refused already, by /ward/project/p.yaml:5;"},
	{DENY "  - {call: kill, args: {1: {masked: {mask: 1, eq: 1}}}}\n"
	      "  - {call: kill, args: {1: {eq: 7}}}\n",
	 "6:kill is refused already, by /ward/project/p.yaml:5;"},
	/* The parent's rule is tried behind this one where it is as strict. */
	{DENY "  - {call: socket, args: {0: {eq: AF_VSOCK}}, action: errno(EIO)}\n", ""},
	{DENY "  - {call: socket, args: {0: {eq: AF_VSOCK}}, action: "
	      "errno(EAFNOSUPPORT)}\n",
	 "5:socket is refused already, by profile base:34;"},
	/* Permissions. */
	{ALLOW "  - read\n  - write\n", ""},
	{ALLOW "  - read\n  - read\n", "7:read is permitted already by an earlier entry;"},
	{ALLOW "  - '@basic-io'\n  - read\n", "7:read is permitted already by an earlier entry;"},
	{ALLOW "  - '@sandbox-default'\n  - clone\n", ""}, /* lifts the group's refusals */
	{ALLOW "  - '@sandbox-default'\n  - '@basic-io'\n",
	 "7:@basic-io is permitted already by an earlier entry;"},
	{ALLOW "  - _newselect\n", "6:_newselect: there is no such call on this architecture;"},
	{ALLOW "  - {call: kill, args: {1: {eq: 0}}}\n", ""},
	{ALLOW "  - {call: kill, args: {1: {eq: 0}}}\n  - kill\n",
	 "6:the conditions on kill do not matter: it is permitted without them, too;"},
	/* Files of Docker's. */
	{"cordon: 1\nseccomp: {docker_profile: f.json}\n",
	 "3:no_such is no call that is known here;"},
	{"cordon: 1\nextends: default\nseccomp: {docker_profile: f.json}\n",
	 "3:no_such is no call that is known here;"
	 "3:2 calls that the file permits, ptrace among them, stay refused as in the "
	 "parent;"},
};

static void each_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(warnings_of(rows[i].policy), rows[i].warnings);
}

static void none_for_shipped_ones(void **state)
{
	(void)state;
	for (size_t i = 0; i < policy_n_shipped_profiles; i++) {
		char policy[128];

		str_format(policy, sizeof(policy), "cordon: 1\nextends: %s\n",
			   policy_shipped_profiles[i].name);
		assert_string_equal(warnings_of(policy), "");
	}
}

/* A run does not look for them. */
static void not_at_run(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	fixture.request.wants_values = false;
	assert_int_equal(fixture_resolve(&fixture, DENY "  - ptrace\n"), 0);
	assert_int_equal(fixture.spec.provenance.n_warnings, 0);
	fixture_release(&fixture);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind),
		cmocka_unit_test(none_for_shipped_ones),
		cmocka_unit_test(not_at_run),
	};

	return cmocka_run_group_tests_name("policy/warnings", tests, NULL, NULL);
}
