/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* launcher/plan.c: which rows a run has, from facts and spec alone. */
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "launcher/cordon.h"
#include "launcher/launch.h"
#include "tests/lib/decision_fixture.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

enum {
	ALL_ROWS = (int)PARENT_ROWS + (int)CHILD_ROWS,
	CLONE_NEWTIME_FLAG = 0x80, /* not in the headers of every libc */
};

/* Rows that are not on in every sandbox. All others must be on, whatever the decision: a protection
 * that can be missing has to be added here first. */
static const char *const optional[] = {
	"id_block",
	"output_pipes",
	"output_stdio",
	"stdio_pipes",
	"stdio_files",
	"open_stdio_files",
	"hard_limits",
	"session_keyring",
	"sources",
	"root_store",
	"deny_setgroups",
	"open_sources",
	"system",
	"etc",
	"volumes",
	"stores",
	"keyring",
	"setup_ids",
	"placeholders",
	"protected_paths",
	"terminal",
	"terminal_stdio",
	"terminal_foreground",
	"monitor",
	"namespaces",
	"landlock_places",
	"undumpable",
	"entered_death_signal",
	"notifier",
	"auditor",
	"audit_subject",
	"secrets",
	"apparmor",
	"landlock",
	"cgroup",
	"scope",
	"cgroup_leaf",
	"cgroup_join",
	"cgroup_member",
	"network",
	"network_link",
	"egress_denials",
	"traffic",
	"network_shared",
	"named_volumes",
	"filled_volumes",
	"name_files",
	"show_name_files",
	"relay",
	"resolver",
	"resolver_confined",
	"names",
	"namespaces",
	"entered_death_signal",
};

static bool is_optional(const char *name)
{
	for (size_t i = 0; i < N(optional); i++)
		if (strcmp(optional[i], name) == 0)
			return true;
	return false;
}

static bool wants(const struct decision *d, const char *name)
{
	for (size_t i = 0; i < ALL_ROWS; i++)
		if (strcmp(cordon_row(d, i).name, name) == 0)
			return cordon_row(d, i).wanted;
	fail_msg("there is no row %s", name);
	return false;
}

static void assert_all_required_rows(const struct decision *d)
{
	for (size_t i = 0; i < ALL_ROWS; i++) {
		struct row_view row = cordon_row(d, i);

		if (!row.wanted && !is_optional(row.name))
			fail_msg("row %s is off", row.name);
	}
}

static void maps_a_block_as_root(void **state)
{
	struct decision d;

	(void)state;
	decision_as_root(&d);
	plan_make(&d);
	assert_int_equal(d.plan.ids, IDS_BLOCK);
	assert_int_equal(d.plan.init_uid, IDENTITY_INIT);
	assert_int_equal(d.plan.init_gid, IDENTITY_INIT);
	assert_int_equal(d.plan.nproc_limit, 64);
	assert_true(wants(&d, "id_block"));
	assert_false(wants(&d, "deny_setgroups"));
	assert_false(wants(&d, "session_keyring"));
	assert_all_required_rows(&d);
}

/* Whoever enters a sandbox makes nothing that it has, and takes on all that its program has. */
static void enters_without_making(void **state)
{
	static const char *const makes[] = {
		"run_directory", "id_block", "uid_map", "gid_map", "root",    "proc",
		"pivot",         "seal",     "cgroup",  "sources", "secrets", "hostname",
	};
	static const char *const confines[] = {
		"bounding_set", "rlimits",      "nproc",         "identity",
		"capabilities", "no_new_privs", "seccomp",       "landlock",
		"descriptors",  "read_back",    "cgroup_member", "entered_death_signal",
	};
	struct decision made, entering;

	(void)state;
	decision_as_root(&made);
	plan_make(&made);
	assert_false(wants(&made, "entered_death_signal"));
	entering = made;
	entering.enters = true;
	entering.enters_nproc_limit = 7;
	plan_make(&entering);
	assert_int_equal(entering.plan.shape, SHAPE_ENTER);
	assert_int_equal(entering.plan.nproc_limit, 7);
	for (size_t i = 0; i < N(makes); i++)
		assert_false(wants(&entering, makes[i]));
	for (size_t i = 0; i < N(confines); i++)
		if (strcmp(confines[i], "landlock") != 0 || wants(&made, "landlock"))
			assert_true(wants(&entering, confines[i]));
	assert_false(wants(&entering, "scope"));
	entering.facts.way_in = WAY_IN_BY_SCOPE;
	plan_make(&entering);
	assert_true(wants(&entering, "scope"));
}

static void maps_one_id_as_a_user(void **state)
{
	struct decision d;

	(void)state;
	decision_as_user(&d);
	plan_make(&d);
	assert_int_equal(d.plan.ids, IDS_ONE);
	assert_int_equal(d.plan.init_uid, 500);
	assert_int_equal(d.plan.init_gid, 600);
	assert_int_equal(d.plan.setup_uid, 500);
	assert_int_equal(d.plan.setup_gid, 600);
	assert_false(wants(&d, "id_block"));
	assert_true(wants(&d, "deny_setgroups"));
	assert_true(wants(&d, "session_keyring"));
	assert_all_required_rows(&d);
	/* init is counted with the workload. */
	assert_int_equal(d.plan.nproc_limit, 65);
	d.spec.limits.nproc = SPEC_UNLIMITED;
	plan_make(&d);
	assert_true(d.plan.nproc_limit == SPEC_UNLIMITED);
}

/* As many as the caller may have, which is what it can raise its own limit to. */
static void unlimited_processes_are_the_callers(void **state)
{
	struct decision d;

	(void)state;
	decision_as_user(&d);
	d.spec.limits.nproc = SPEC_UNLIMITED;
	d.facts.rlimit_hard[RLIMIT_NPROC] = 77;
	plan_make(&d);
	assert_int_equal(d.plan.nproc_limit, 77);
	assert_true(wants(&d, "nproc"));
	assert_false(wants(&d, "hard_limits"));
	decision_as_root(&d);
	d.spec.limits.nproc = SPEC_UNLIMITED;
	d.facts.rlimit_hard[RLIMIT_NPROC] = 77;
	plan_make(&d);
	assert_true(d.plan.nproc_limit == SPEC_UNLIMITED);
	assert_true(wants(&d, "hard_limits"));
}

/* Each of the things that make root able to map a block, missing in turn. */
static void needs_all_of_root_for_a_block(void **state)
{
	static const int caps[] = {CAP_SETUID, CAP_SETGID, CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_KILL};
	struct decision d;

	(void)state;
	for (size_t i = 0; i < N(caps); i++) {
		decision_as_root(&d);
		d.facts.caps_effective &= ~(1ULL << caps[i]);
		assert_false(facts_can_map_block(&d.facts));
		d.facts.caps_effective = 1ULL << CAP_SETUID | 1ULL << CAP_SETGID |
					 1ULL << CAP_SYS_ADMIN | 1ULL << CAP_SYS_PTRACE |
					 1ULL << CAP_KILL;
		assert_true(facts_can_map_block(&d.facts));
	}
	decision_as_root(&d);
	d.facts.maps_all_ids = false;
	plan_make(&d);
	assert_int_equal(d.plan.ids, IDS_ONE);
	decision_as_root(&d);
	d.facts.euid = 1;
	plan_make(&d);
	assert_int_equal(d.plan.ids, IDS_ONE);
}

static void makes_six_namespaces_at_once(void **state)
{
	struct decision d;

	(void)state;
	for (int as_user = 0; as_user < 2; as_user++) {
		if (as_user)
			decision_as_user(&d);
		else
			decision_as_root(&d);
		plan_make(&d);
		assert_int_equal(d.plan.shape, SHAPE_SINGLE);
		assert_int_equal(d.plan.namespaces, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID |
							    CLONE_NEWNET | CLONE_NEWIPC |
							    CLONE_NEWUTS | CLONE_NEWTIME_FLAG);
		assert_true(wants(&d, "cgroup_namespace"));
		d.facts.namespaces[FACTS_NAMESPACES - 1] = false;
		plan_make(&d);
		assert_int_equal(d.plan.namespaces & CLONE_NEWTIME_FLAG, 0);
	}
}

static void follows_the_spec(void **state)
{
	struct spec_mount mount = {.type = MOUNT_BIND, .source = "/a", .target = "/a"};
	struct decision d;

	(void)state;
	decision_as_root(&d);
	plan_make(&d);
	assert_true(wants(&d, "system"));
	assert_true(wants(&d, "etc"));
	assert_true(wants(&d, "nproc"));
	assert_false(wants(&d, "volumes"));
	assert_false(wants(&d, "sources"));
	assert_false(wants(&d, "hard_limits"));

	d.spec.mounts = &mount;
	d.spec.n_mounts = 1;
	plan_make(&d);
	assert_true(wants(&d, "volumes"));
	assert_true(wants(&d, "sources"));
	assert_all_required_rows(&d);

	d.spec.n_mounts = 0;
	d.spec.rootfs.kind = ROOTFS_DIR;
	plan_make(&d);
	assert_false(wants(&d, "system"));
	assert_false(wants(&d, "etc"));
	assert_true(wants(&d, "sources"));
	assert_all_required_rows(&d);

	d.spec.rootfs.kind = ROOTFS_EMPTY;
	plan_make(&d);
	assert_false(wants(&d, "system"));
	assert_false(wants(&d, "sources"));
	assert_all_required_rows(&d);
}

/* Never by default. */
static void answers_denied_calls_where_asked(void **state)
{
	struct decision d;

	(void)state;
	for (int i = 0; i < 4; i++) {
		if ((i & 1) != 0)
			decision_as_user(&d);
		else
			decision_as_root(&d);
		d.explains_denials = (i & 2) != 0;
		plan_make(&d);
		assert_int_equal(wants(&d, "notifier"), (i & 2) != 0);
		assert_true(wants(&d, "seccomp"));
		assert_all_required_rows(&d);
	}
}

/* Where somebody asks, something records, and the caller may read it. */
static void reads_the_audit_stream_where_it_says_something(void **state)
{
	static const struct {
		bool asks, has_landlock, has_apparmor;
		int landlock_abi;
		enum audit_state audit;
		bool reads;
	} cases[] = {
		{true, true, false, LANDLOCK_ABI_LOG, AUDIT_READABLE, true},
		{true, false, true, 0, AUDIT_READABLE, true},
		{true, true, true, LANDLOCK_ABI_SCOPES, AUDIT_READABLE, true},
		{false, true, true, LANDLOCK_ABI_LOG, AUDIT_READABLE, false},
		{true, false, false, LANDLOCK_ABI_LOG, AUDIT_READABLE, false},
		{true, true, false, LANDLOCK_ABI_SCOPES, AUDIT_READABLE, false},
		{true, true, true, LANDLOCK_ABI_LOG, AUDIT_FORBIDDEN, false},
		{true, true, true, LANDLOCK_ABI_LOG, AUDIT_ELSEWHERE, false},
		{true, true, true, LANDLOCK_ABI_LOG, AUDIT_NO_KERNEL, false},
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct decision d;

		decision_as_root(&d);
		d.explains_denials = cases[i].asks;
		d.facts.audit = cases[i].audit;
		d.facts.landlock_abi = cases[i].landlock_abi;
		d.spec.landlock.demand = cases[i].has_landlock ? DEMAND_REQUIRED : DEMAND_NONE;
		d.facts.apparmor = cases[i].has_apparmor;
		d.spec.apparmor.demand = cases[i].has_apparmor ? DEMAND_REQUIRED : DEMAND_NONE;
		plan_make(&d);
		assert_int_equal(wants(&d, "auditor"), cases[i].reads);
		assert_int_equal(wants(&d, "audit_subject"), cases[i].reads);
		assert_all_required_rows(&d);
	}
}

static void raises_hard_limits_where_needed(void **state)
{
	static const struct {
		uint64_t wanted, hard;
		bool raises;
	} rows[] = {
		{64, 64, false},
		{65, 64, true},
		{0, 0, false},
		{SPEC_UNLIMITED, 64, true},
		{64, SPEC_UNLIMITED, false},
		{SPEC_UNLIMITED, SPEC_UNLIMITED, false},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct decision d;

		decision_as_root(&d);
		d.spec.limits.nproc = rows[i].wanted;
		d.facts.rlimit_hard[RLIMIT_NPROC] = rows[i].hard;
		plan_make(&d);
		assert_int_equal(wants(&d, "hard_limits"), rows[i].raises);
		decision_as_root(&d);
		d.spec.limits.n_rlimits = 1;
		d.spec.limits.rlimits[0] = (struct spec_rlimit){.name = "core",
								.resource = RLIMIT_CORE,
								.value = rows[i].wanted};
		d.facts.rlimit_hard[RLIMIT_CORE] = rows[i].hard;
		plan_make(&d);
		assert_int_equal(wants(&d, "hard_limits"), rows[i].raises);
	}
}

/* One session keyring: the shared one for a user whose filter admits no key calls, else one of the
 * sandbox's own; none only where the kernel has no keys. */
static void always_leaves_the_callers_keyring(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		bool as_user = (i & 1) != 0, admits = (i & 2) != 0, has_keys = (i & 4) != 0;
		struct decision d;

		if (as_user)
			decision_as_user(&d);
		else
			decision_as_root(&d);
		d.spec.seccomp.admits_key_calls = admits;
		d.facts.keyrings = has_keys;
		plan_make(&d);
		assert_int_equal(wants(&d, "session_keyring"), has_keys && as_user && !admits);
		assert_int_equal(wants(&d, "keyring"), has_keys && (!as_user || admits));
	}
}

/* Every row has a name of its own and a reason; the list ends. */
static void shows_every_row(void **state)
{
	struct decision d;

	(void)state;
	decision_as_root(&d);
	plan_make(&d);
	for (size_t i = 0; i < ALL_ROWS; i++) {
		struct row_view row = cordon_row(&d, i);

		assert_non_null(row.name);
		assert_non_null(row.process);
		assert_string_not_equal(row.why, "");
		/* Errors carry the name in struct err. */
		assert_true(strlen(row.name) < sizeof(((struct err *)0)->step));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(row.name, cordon_row(&d, j).name);
		assert_string_equal(row.process,
				    i < (size_t)PARENT_ROWS ? "keeper"
				    : i < (size_t)PARENT_ROWS + (size_t)CHILD_FIRST_IN_WORKLOAD
					    ? "setup"
					    : "workload");
	}
	assert_null(cordon_row(&d, ALL_ROWS).name);
	assert_null(cordon_row(&d, SIZE_MAX).name);
	for (size_t i = 0; i < N(optional); i++)
		wants(&d, optional[i]); /* exists */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_a_block_as_root),
		cmocka_unit_test(maps_one_id_as_a_user),
		cmocka_unit_test(enters_without_making),
		cmocka_unit_test(unlimited_processes_are_the_callers),
		cmocka_unit_test(needs_all_of_root_for_a_block),
		cmocka_unit_test(makes_six_namespaces_at_once),
		cmocka_unit_test(follows_the_spec),
		cmocka_unit_test(answers_denied_calls_where_asked),
		cmocka_unit_test(reads_the_audit_stream_where_it_says_something),
		cmocka_unit_test(raises_hard_limits_where_needed),
		cmocka_unit_test(always_leaves_the_callers_keyring),
		cmocka_unit_test(shows_every_row),
	};

	return cmocka_run_group_tests_name("launcher/plan", tests, NULL, NULL);
}
