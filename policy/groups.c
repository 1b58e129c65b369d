/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Groups of system calls and @sandbox-default; see groups.h.
 *
 * @sandbox-default is what an ordinary program needs when everything that it is not shown is
 * already gone from its namespaces: @system-service without the calls that reach around that, or
 * whose history of kernel bugs is longer than the list of programs that miss them.
 */
#include "policy/groups.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>

#include "base/str.h"
#include "policy/forms.h"
#include "policy/groups_systemd.h"

static const struct group_row own_groups[] = {
	{"@sandbox-default",
	 "@system-service "
	 /* io_uring: its requests pass the filter by (the work is described in shared memory). */
	 "-io_uring_setup -io_uring_enter -io_uring_register "
	 /* Keyrings are not namespaced by everything that uses them. */
	 "-add_key -keyctl -request_key "
	 /* No joining of namespaces and no new ones: a user namespace gives the kernel's
	  * privileged half as a target. */
	 "-setns -unshare "
	 /* Lets an attacker stop the kernel in the middle of a copy. */
	 "-userfaultfd "
	 /* Handles reach files that no mount shows (CVE-2014-3519 and the like). */
	 "-name_to_handle_at -open_by_handle_at "
	 /* There are no capabilities to set. */
	 "-capset "
	 /* Other processes' memory, as by ptrace, which is out. */
	 "-process_vm_readv -process_vm_writev -process_madvise "
	 /* Compares kernel objects of two processes: for checkpoints and debuggers. */
	 "-kcmp "
	 /* Moves pages of processes between nodes of memory: for those who administrate a machine
	  * (CVE-2010-0415 read the kernel's memory). mbind, get_mempolicy and set_mempolicy, which
	  * are about one's own memory, stay for runtimes. */
	 "-migrate_pages -move_pages "
	 /* mbind's newest helper, without users among libraries so far. */
	 "-set_mempolicy_home_node "
	 /* Deprecated and emulated since Linux 4.0 (remap_file_pages(2)). */
	 "-remap_file_pages "
	 /* Not in @system-service of systemd 252; said so that they stay out. */
	 "-bpf -perf_event_open -ptrace -pidfd_getfd -quotactl -quotactl_fd -syslog "
	 /* Programs that confine themselves further: these only take rights away. */
	 "landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp "
	 /* Newer forms of calls that @system-service has. cachestat and statmount, listmount:
	  * out, they tell about files and mounts beyond what is shown. lsm_*: out, nothing needs
	  * them yet. map_shadow_stack: libc makes shadow stacks with it. */
	 "fchmodat2 futex_wake futex_wait futex_requeue mseal map_shadow_stack "
	 "setxattrat getxattrat listxattrat removexattrat file_getattr "
	 /* Which of one's own pages are in memory; from 5.0 on only those of files that one may
	  * write. Runtimes use it to size stacks. */
	 "mincore"},
	{NULL, NULL},
};

static const char *group_members(const char *group)
{
	for (const struct group_row *row = own_groups; row->name != NULL; row++)
		if (str_equal(group, row->name))
			return row->members;
	for (const struct group_row *row = groups_systemd; row->name != NULL; row++)
		if (str_equal(group, row->name))
			return row->members;
	return NULL;
}

void groups_put(struct syscall_set *set, const char *name, bool value)
{
	int32_t place = syscalls_number_on(set->abi, name);
	size_t state = 0;

	if (place >= 0)
		set->has[place] = value;
	if (!set->with_forms)
		return;
	for (const char *form; (form = forms_next(name, &state)) != NULL;)
		set->has[syscalls_number_on(set->abi, form)] = value;
}

static void set_word(const char *word, size_t len, struct syscall_set *set)
{
	char name[64];
	bool value = word[0] != '-';
	size_t skip = value ? 0 : 1;

	if (len - skip >= sizeof(name))
		return; /* no name is that long */
	memcpy(name, word + skip, len - skip);
	name[len - skip] = '\0';
	if (name[0] == '@') {
		/* Nested groups are rows of the same tables and nest three deep at most. */
		ignore_result(groups_add(name, set), "the table names only groups that it has");
		return;
	}
	groups_put(set, name, value);
}

int groups_add(const char *group, struct syscall_set *set)
{
	const char *members = group_members(group);

	if (members == NULL)
		return -ENOENT;
	while (*members != '\0') {
		size_t len = strcspn(members, " ");

		set_word(members, len, set);
		members += len;
		if (*members == ' ')
			members++;
	}
	return 0;
}

size_t groups_names(const char **ret_names, size_t max)
{
	size_t n = 0;

	for (const struct group_row *row = own_groups; row->name != NULL && n < max; row++)
		ret_names[n++] = row->name;
	for (const struct group_row *row = groups_systemd; row->name != NULL && n < max; row++)
		ret_names[n++] = row->name;
	return n;
}

static const uint64_t no_bits[] = {0};
static const uint64_t null_pointer[] = {0};
static const uint64_t core_limit[] = {RLIMIT_CORE};
static const uint64_t terminal_injection[] = {TIOCSTI, TIOCLINUX, TIOCSETD};

/*
 * The personalities that are let through: asking (0xffffffff), the plain one, and the plain one
 * without address randomisation, which debuggers and sanitizers set for themselves and which
 * weakens nobody else. READ_IMPLIES_EXEC, ADDR_COMPAT_LAYOUT and the emulations of other systems
 * change how the kernel loads and maps (personality(2)) and stay out.
 */
static const uint64_t personalities[] = {PER_LINUX, 0xffffffff, ADDR_NO_RANDOMIZE};

enum {
	CLONE_NEWTIME_FLAG = 0x80, /* CLONE_NEWTIME; in clone(2) it is part of the exit signal */
	NAMESPACE_FLAGS = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
			  CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME_FLAG,
};

static const struct group_refusal sandbox_default_refusals[] = {
	{
		.call = "clone",
		.n_conds = 1,
		.conds = {{.arg = 0,
			   .is_32bit = true,
			   .op = COND_MASKED_NE,
			   .mask = NAMESPACE_FLAGS,
			   .values = no_bits,
			   .n_values = 1}},
		.action = {.kind = ACT_ERRNO, .errno_value = EPERM},
	},
	{
		/* Its flags lie in memory. On ENOSYS every libc falls back to clone. */
		.call = "clone3",
		.action = {.kind = ACT_ERRNO, .errno_value = ENOSYS},
	},
	{
		/* Typing into the terminal that one was started from (CVE-2005-4890 and many
		 * after it); the kernel takes the request as 32 bits (CVE-2019-10063). TIOCSETD
		 * loads line disciplines, old kernel code (CVE-2017-2636). */
		.call = "ioctl",
		.n_conds = 1,
		.conds = {{.arg = 1,
			   .is_32bit = true,
			   .op = COND_IN,
			   .values = terminal_injection,
			   .n_values = 3}},
		.action = {.kind = ACT_ERRNO, .errno_value = EPERM},
	},
	{
		.call = "personality",
		.n_conds = 1,
		.conds = {{.arg = 0,
			   .is_32bit = true,
			   .op = COND_NOT_IN,
			   .values = personalities,
			   .n_values = 3}},
		.action = {.kind = ACT_ERRNO, .errno_value = EPERM},
	},
	/* A limit of exactly 1 keeps a core handler behind a pipe from being started, as root and
	 * outside; 0 does not (core(5)), and everybody may lower a limit. Programs that guard a
	 * secret (gpg, ssh-agent) set it to 0 and end where that fails: the answer is success, and
	 * nothing changes. With prlimit64, which also tells the limit, only where there is a new
	 * one; the old one is not filled in then. */
	{
		.call = "setrlimit",
		.n_conds = 1,
		.conds = {{.arg = 0,
			   .is_32bit = true,
			   .op = COND_IN,
			   .values = core_limit,
			   .n_values = 1}},
		.action = {.kind = ACT_ERRNO, .errno_value = 0},
	},
	{
		.call = "prlimit64",
		.n_conds = 2,
		.conds = {{.arg = 1,
			   .is_32bit = true,
			   .op = COND_IN,
			   .values = core_limit,
			   .n_values = 1},
			  {.arg = 2, .op = COND_NOT_IN, .values = null_pointer, .n_values = 1}},
		.action = {.kind = ACT_ERRNO, .errno_value = 0},
	},
	{.call = NULL},
};

const struct group_refusal *groups_sandbox_default_refusals(void)
{
	return sandbox_default_refusals;
}
