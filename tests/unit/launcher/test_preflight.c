/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* launcher/preflight.c: each thing that a host lacks is said, with a remedy, and all of them at
 * once. */
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/preflight.h"
#include "tests/lib/decision_fixture.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct spec_origin somewhere = {.file = "p.yaml", .line = 7, .column = 3};

/* Calls preflight_host; the answer is kept where the stack need not hold it. */
static const struct misses *look(const struct decision *d)
{
	static struct misses misses;

	memset(&misses, 0, sizeof(misses));
	preflight_host(d, &misses);
	return &misses;
}

static void a_good_host_misses_nothing(void **state)
{
	struct decision d;

	(void)state;
	decision_as_root(&d);
	assert_int_equal(look(&d)->n, 0);
	decision_as_user(&d);
	assert_int_equal(look(&d)->n, 0);
}

/* ---- one miss at a time: what breaks the host, and what is said ---- */

static void old_major(struct decision *d)
{
	d->facts.kernel_major = 5;
	d->facts.kernel_minor = 19;
}

static void old_minor(struct decision *d)
{
	d->facts.kernel_minor = 0;
}

static void writable_program(struct decision *d)
{
	decision_as_user(d);
	d->facts.program_is_writable = true;
}

static void no_userns(struct decision *d)
{
	d->facts.userns = USERNS_NO_KERNEL;
}

static void userns_max_zero(struct decision *d)
{
	d->facts.userns = USERNS_MAX_ZERO;
}

static void userns_nested(struct decision *d)
{
	d->facts.userns = USERNS_MAX_ZERO;
	d->facts.in_initial_userns = false;
}

static void userns_sysctl(struct decision *d)
{
	d->facts.userns = USERNS_CLONE_SYSCTL;
}

static void userns_apparmor(struct decision *d)
{
	d->facts.userns = USERNS_APPARMOR;
}

static void userns_apparmor_profile(struct decision *d)
{
	d->facts.userns = USERNS_APPARMOR_PROFILE;
}

static void no_proc(struct decision *d)
{
	for (size_t i = 0; i < FACTS_NAMESPACES; i++)
		d->facts.namespaces[i] = false;
	d->facts.userns = USERNS_NO_KERNEL;
}

static void no_mnt(struct decision *d)
{
	d->facts.namespaces[1] = false;
}

static void no_time(struct decision *d)
{
	d->facts.namespaces[7] = false;
}

static void no_seccomp(struct decision *d)
{
	d->facts.seccomp_filter = false;
}

static void stdin_is_a_directory(struct decision *d)
{
	d->facts.stdio[0] = FD_DIRECTORY;
}

static void stderr_is_a_path(struct decision *d)
{
	d->facts.stdio[2] = FD_PATH_ONLY;
}

static void uid_is_inits(struct decision *d)
{
	d->spec.identity.uid = IDENTITY_INIT;
}

static void gid_is_beyond(struct decision *d)
{
	d->spec.identity.gid = UINT32_MAX - 1;
}

static void root_that_may_not_map(struct decision *d)
{
	d->facts.maps_all_ids = false;
}

static void root_without_setuid(struct decision *d)
{
	d->facts.caps_effective &= ~(1ULL << CAP_SETUID);
}

static void overlay_is_not_loaded(struct decision *d)
{
	d->spec.rootfs.kind = ROOTFS_DIR;
	d->spec.rootfs.dir = "/srv/root";
	d->spec.rootfs.origin = somewhere;
	d->facts.overlay = false;
}

static void core_to_a_pipe(struct decision *d)
{
	d->facts.core_is_piped = true;
	d->spec.limits.n_rlimits = 1;
	d->spec.limits.rlimits[0] = (struct spec_rlimit){.name = "core",
							 .resource = RLIMIT_CORE,
							 .value = 0,
							 .origin = somewhere};
}

static void too_many_files(struct decision *d)
{
	d->facts.caps_effective &= ~(1ULL << CAP_SYS_RESOURCE);
	d->facts.rlimit_hard[RLIMIT_NOFILE] = 4096;
	d->spec.limits.n_rlimits = 1;
	d->spec.limits.rlimits[0] = (struct spec_rlimit){.name = "nofile",
							 .resource = RLIMIT_NOFILE,
							 .value = 4097,
							 .origin = somewhere};
}

/* Root of a nested user namespace has the capability, but not where the kernel asks for it. */
static void too_many_files_in_a_container(struct decision *d)
{
	too_many_files(d);
	d->facts.caps_effective |= 1ULL << CAP_SYS_RESOURCE;
	d->facts.in_initial_userns = false;
}

static void too_many_processes(struct decision *d)
{
	d->facts.caps_effective &= ~(1ULL << CAP_SYS_RESOURCE);
	d->facts.rlimit_hard[RLIMIT_NPROC] = 63;
	d->spec.limits.nproc_origin = somewhere;
}

static const struct {
	void (*breaks)(struct decision *d);
	const char *key;
	const char *text;
	const char *hint; /* a part of it: what to do */
} single[] = {
	{no_proc, "", "/proc is not mounted here", "mount -t proc"},
	{old_major, "", "kernel 5.19 is older than 6.1", "Boot a kernel of 6.1"},
	{old_minor, "", "kernel 6.0 is older than 6.1", "Boot a kernel of 6.1"},
	{writable_program, "",
	 "this kernel lets a program be written to while it runs, and uid 1000 may write to "
	 "cordon's: what runs in a sandbox could change it",
	 "chown root and chmod go-w"},
	{no_userns, "", "this kernel has no user namespaces", "CONFIG_USER_NS=y"},
	{userns_nested, "", "user.max_user_namespaces is 0: no user namespace may be made",
	 "start cordon outside, beside it"},
	{userns_max_zero, "", "user.max_user_namespaces is 0: no user namespace may be made",
	 "sysctl -w user.max_user_namespaces="},
	{userns_sysctl, "",
	 "kernel.unprivileged_userns_clone is 0: only root may make a user namespace",
	 "sysctl -w kernel.unprivileged_userns_clone=1"},
	{userns_apparmor, "",
	 "kernel.apparmor_restrict_unprivileged_userns is 1: AppArmor takes a user "
	 "namespace's capabilities away",
	 "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
	{userns_apparmor_profile, "",
	 "the AppArmor profile that cordon is under does not let it make user namespaces",
	 "load cordon's own AppArmor profile"},
	{no_mnt, "", "/proc/self/ns/mnt is missing: no such namespace here", "mnt namespaces"},
	{no_time, "", "/proc/self/ns/time is missing: no such namespace here", "time namespaces"},
	{no_seccomp, "seccomp", "this kernel has no seccomp filters", "CONFIG_SECCOMP_FILTER=y"},
	{stdin_is_a_directory, "",
	 "stdin (descriptor 0) is a directory: it would lead out of the sandbox", "/dev/null"},
	{stderr_is_a_path, "",
	 "stderr (descriptor 2) is an O_PATH descriptor: it would lead out of the sandbox",
	 "/dev/null"},
	{uid_is_inits, "process.user",
	 "process.user: 65535:600 is beyond a sandbox's ids 0 to 65534", "below 65535"},
	{gid_is_beyond, "process.user",
	 "process.user: 500:4294967294 is beyond a sandbox's ids 0 to 65534", "below 65535"},
	{root_that_may_not_map, "", "the caller is the host's uid 0 but may not map other ids",
	 "Run as an ordinary user"},
	{root_without_setuid, "", "the caller is the host's uid 0 but may not map other ids",
	 "CAP_SETUID"},
	{core_to_a_pipe, "limits.ulimits.core",
	 "limits.ulimits.core: kernel.core_pattern is a pipe here, and its program would be "
	 "started "
	 "outside, as root",
	 "Leave core at 0"},
	{overlay_is_not_loaded, "rootfs.from",
	 "rootfs.from: dir: needs overlayfs, which this kernel has not loaded", "modprobe overlay"},
	{too_many_files, "limits.ulimits.nofile",
	 "limits.ulimits.nofile: this process may not have more than 4096",
	 "--set limits.ulimits.nofile=4096"},
	{too_many_files_in_a_container, "limits.ulimits.nofile",
	 "limits.ulimits.nofile: this process may not have more than 4096",
	 "--set limits.ulimits.nofile=4096"},
	{too_many_processes, "limits.nproc", "limits.nproc: this process may not have more than 63",
	 "--set limits.nproc=63"},
};

static void says_each_miss(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(single); i++) {
		const struct misses *misses;
		struct decision d;

		print_message("%s\n", single[i].text);
		decision_as_root(&d);
		single[i].breaks(&d);
		misses = look(&d);
		assert_int_equal(misses->n, 1);
		assert_string_equal(misses->list[0].key, single[i].key);
		assert_string_equal(misses->list[0].text, single[i].text);
		assert_non_null(strstr(misses->list[0].hint, single[i].hint));
		/* A hint is a sentence. */
		assert_int_equal(misses->list[0].hint[strlen(misses->list[0].hint) - 1], '.');
		if (d.spec.limits.n_rlimits > 0 || d.spec.rootfs.kind == ROOTFS_DIR)
			assert_int_equal(misses->list[0].origin.line, somewhere.line);
	}
}

/* A descriptor of --fd that is closed is a miss, where 0 to 2 may be; and so is a terminal. */
static void judges_passed_descriptors(void **state)
{
	static const enum fd_state bad[] = {FD_CLOSED, FD_DIRECTORY, FD_PATH_ONLY, FD_KERNEL_OBJECT,
					    FD_TERMINAL};
	struct decision d;

	(void)state;
	decision_as_user(&d);
	d.facts.passed[0] = 7;
	d.facts.n_passed = 1;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct misses *misses;

		d.facts.stdio[3] = bad[i];
		misses = look(&d);
		assert_int_equal(misses->n, 1);
		assert_non_null(strstr(misses->list[0].text, "--fd 7 is "));
	}
}

/* Three states of stdio that are no miss, and what is at the edge of each check. */
static void lets_pass_what_is_enough(void **state)
{
	struct decision d;

	(void)state;
	decision_as_root(&d);
	d.facts.kernel_major = 7;
	d.facts.kernel_minor = 0;
	d.facts.stdio[0] = FD_CLOSED;
	d.spec.identity = (struct spec_identity){IDENTITY_INIT - 1, IDENTITY_INIT - 1};
	d.facts.rlimit_hard[RLIMIT_NPROC] = 1; /* root may raise it */
	d.facts.overlay = false;               /* needed for rootfs dir: alone */
	assert_int_equal(look(&d)->n, 0);
	decision_as_user(&d);
	d.spec.identity = (struct spec_identity){UINT32_MAX - 1, UINT32_MAX - 1};
	assert_int_equal(look(&d)->n, 0);
	d.facts.passed[0] = 7;
	d.facts.n_passed = 1;
	d.facts.stdio[3] = FD_USABLE;
	assert_int_equal(look(&d)->n, 0);
	/* In a user namespace whose root is an ordinary user outside. */
	decision_as_user(&d);
	d.facts.euid = d.facts.egid = 0;
	assert_int_equal(look(&d)->n, 0);
}

/* As a user init has the workload's id and is counted with it, so one process of the hard limit is
 * not for the workload. */
static void counts_init_among_a_users_processes(void **state)
{
	const struct misses *misses;
	struct decision d;

	(void)state;
	decision_as_user(&d);
	d.spec.limits.nproc = 64;
	d.facts.rlimit_hard[RLIMIT_NPROC] = 65;
	assert_int_equal(look(&d)->n, 0);
	d.facts.rlimit_hard[RLIMIT_NPROC] = 64;
	misses = look(&d);
	assert_int_equal(misses->n, 1);
	assert_string_equal(misses->list[0].key, "limits.nproc");
	assert_non_null(strstr(misses->list[0].hint, "--set limits.nproc=63"));
	d.spec.limits.nproc = SPEC_UNLIMITED;
	/* As many as the caller may have: that is there, however few they are. */
	assert_int_equal(look(&d)->n, 0);
	d.facts.rlimit_hard[RLIMIT_NPROC] = SPEC_UNLIMITED;
	assert_int_equal(look(&d)->n, 0);
}

static void says_all_at_once(void **state)
{
	const struct misses *misses;
	struct decision d;
	size_t n = 0;

	(void)state;
	decision_as_root(&d);
	old_major(&d);
	userns_max_zero(&d);
	for (size_t i = 1; i < FACTS_NAMESPACES; i++)
		d.facts.namespaces[i] = false;
	no_seccomp(&d);
	for (int i = 0; i < 3; i++)
		d.facts.stdio[i] = FD_DIRECTORY;
	root_that_may_not_map(&d);
	too_many_files(&d);
	too_many_processes(&d);
	overlay_is_not_loaded(&d);
	misses = look(&d);
	/* kernel, user namespace, seven others, seccomp, three descriptors, ids, two limits,
	 * overlay */
	n = 1 + 1 + 7 + 1 + 3 + 1 + 2 + 1;
	assert_int_equal(misses->n, n);
	assert_int_equal(misses->n_dropped, 0);
	for (size_t i = 0; i < n; i++) {
		assert_string_not_equal(misses->list[i].text, "");
		assert_string_not_equal(misses->list[i].hint, "");
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(misses->list[i].text, misses->list[j].text);
	}
}

/* More than the list has room for: counted, never written behind it. */
static void counts_what_does_not_fit(void **state)
{
	struct {
		struct misses misses;
		unsigned char guard[64];
	} *own = calloc(1, sizeof(*own));

	(void)state;
	memset(own->guard, 0x5a, sizeof(own->guard));
	for (int i = 0; i < MISSES_MAX + 5; i++) {
		struct miss *miss = preflight_miss(&own->misses, "some.key", somewhere);

		assert_string_equal(miss->text, "");
		snprintf(miss->text, sizeof(miss->text), "number %d", i);
	}
	assert_int_equal(own->misses.n, MISSES_MAX);
	assert_int_equal(own->misses.n_dropped, 5);
	assert_string_equal(own->misses.list[0].text, "number 0");
	assert_string_equal(own->misses.list[MISSES_MAX - 1].text, "number 36");
	for (size_t i = 0; i < sizeof(own->guard); i++)
		assert_int_equal(own->guard[i], 0x5a);
	free(own);
}

/* A key that is too long for its field is cut. */
static void cuts_long_keys(void **state)
{
	static struct misses misses;
	char key[200];

	(void)state;
	memset(&misses, 0, sizeof(misses));
	memset(key, 'k', sizeof(key));
	key[sizeof(key) - 1] = '\0';
	preflight_miss(&misses, key, somewhere);
	assert_int_equal(strlen(misses.list[0].key), sizeof(misses.list[0].key) - 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_passed_descriptors),
		cmocka_unit_test(a_good_host_misses_nothing),
		cmocka_unit_test(says_each_miss),
		cmocka_unit_test(lets_pass_what_is_enough),
		cmocka_unit_test(counts_init_among_a_users_processes),
		cmocka_unit_test(says_all_at_once),
		cmocka_unit_test(counts_what_does_not_fit),
		cmocka_unit_test(cuts_long_keys),
	};

	return cmocka_run_group_tests_name("launcher/preflight", tests, NULL, NULL);
}
