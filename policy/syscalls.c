/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What this build knows of system calls: libseccomp's table, and the calls that are newer than it.
 *
 * Whether a call is known decides between the `default` and the `unknown` action, so the newer ones
 * are named here up to Linux 6.18: an allow list can name them whatever libseccomp the build has.
 * From 424 on all the four architectures share their numbers (asm-generic/unistd.h).
 *
 * libseccomp's own table is turned into searchable ones at build time (policy/gen/syscall_table.c):
 * its look-ups walk a list, and a filter asks for every name and every number.
 */
#include "policy/syscalls.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "policy/arch.h"

struct table_call {
	uint16_t name;      /* offset in table_names */
	int16_t numbers[2]; /* by syscalls_abi */
};

#include "policy/syscall_table.inc"

_Static_assert(sizeof(table_by_number) / sizeof(table_by_number[0]) == SYSCALLS_END &&
		       sizeof(table_by_second) / sizeof(table_by_second[0]) == SYSCALLS_END,
	       "policy/gen/syscall_table.c");

struct newer_call {
	const char *name;
	int32_t number;
};

static const struct newer_call newer_calls[] = {
	/* Of x86-64 alone. 6.11: entered by the kernel's own trampoline only; 6.18, likewise. */
	{"uretprobe", POLICY_IS_X86_64 ? 335 : SYSCALLS_FOREIGN},
	{"uprobe", POLICY_IS_X86_64 ? 336 : SYSCALLS_FOREIGN},
	{"cachestat", 451},         /* 6.5 */
	{"fchmodat2", 452},         /* 6.6 */
	{"map_shadow_stack", 453},  /* 6.6 */
	{"futex_wake", 454},        /* 6.7 */
	{"futex_wait", 455},        /* 6.7 */
	{"futex_requeue", 456},     /* 6.7 */
	{"statmount", 457},         /* 6.8 */
	{"listmount", 458},         /* 6.8 */
	{"lsm_get_self_attr", 459}, /* 6.8 */
	{"lsm_set_self_attr", 460}, /* 6.8 */
	{"lsm_list_modules", 461},  /* 6.8 */
	{"mseal", 462},             /* 6.10 */
	{"setxattrat", 463},        /* 6.13 */
	{"getxattrat", 464},        /* 6.13 */
	{"listxattrat", 465},       /* 6.13 */
	{"removexattrat", 466},     /* 6.13 */
	{"open_tree_attr", 467},    /* 6.15 */
	{"file_getattr", 468},      /* 6.17 */
	{"file_setattr", 469},      /* 6.17 */
};

enum { SHARED_FIRST = 424, N_NEWER_CALLS = sizeof(newer_calls) / sizeof(newer_calls[0]) };

static const char *name_of(const struct table_call *call)
{
	return table_names + call->name;
}

/* As policy/gen/syscall_table.c has placed them. */
static uint32_t hash_of(const char *name)
{
	uint32_t hash = 2166136261U;

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619U;
	return hash;
}

static const struct table_call *find_call(const char *name)
{
	for (size_t place = hash_of(name) % TABLE_PLACES; table_places[place] != 0;
	     place = (place + 1) % TABLE_PLACES) {
		const struct table_call *call = &table_calls[table_places[place] - 1];

		if (str_equal(name, name_of(call)))
			return call;
	}
	return NULL;
}

static int32_t newer_number(enum syscalls_abi abi, const struct newer_call *call)
{
	return abi == ABI_NATIVE || call->number >= SHARED_FIRST ? call->number : SYSCALLS_FOREIGN;
}

int32_t syscalls_number_on(enum syscalls_abi abi, const char *name)
{
	const struct table_call *call = find_call(name);

	if (call != NULL && call->numbers[abi] >= 0)
		return call->numbers[abi];
	for (size_t i = 0; i < N_NEWER_CALLS; i++)
		if (str_equal(name, newer_calls[i].name))
			return newer_number(abi, &newer_calls[i]);
	return call == NULL ? -ENOENT : SYSCALLS_FOREIGN;
}

const char *syscalls_name_on(enum syscalls_abi abi, int32_t place)
{
	const int16_t *table = abi == ABI_NATIVE ? table_by_number : table_by_second;

	if (place < 0 || place >= SYSCALLS_END)
		return NULL;
	if (table[place] >= 0)
		return name_of(&table_calls[table[place]]);
	for (size_t i = 0; i < N_NEWER_CALLS; i++)
		if (place == newer_number(abi, &newer_calls[i]))
			return newer_calls[i].name;
	return NULL;
}

int32_t syscalls_kernel_number(enum syscalls_abi abi, int32_t place)
{
	if (abi == ABI_NATIVE || place < SYSCALLS_PRIVATE || place >= SYSCALLS_END)
		return place;
	return place < SYSCALLS_PARTS ? place - SYSCALLS_PRIVATE + SYSCALLS_PRIVATE_NUMBER : -1;
}

int32_t syscalls_place(enum syscalls_abi abi, int32_t number)
{
	if (abi == ABI_NATIVE || number < SYSCALLS_PRIVATE)
		return number >= 0 && number < SYSCALLS_END ? number : -1;
	if (number < SYSCALLS_PRIVATE_NUMBER ||
	    number >= SYSCALLS_PRIVATE_NUMBER + SYSCALLS_PARTS - SYSCALLS_PRIVATE)
		return -1;
	return number - SYSCALLS_PRIVATE_NUMBER + SYSCALLS_PRIVATE;
}

int32_t syscalls_number(const char *name)
{
	return syscalls_number_on(ABI_NATIVE, name);
}

const char *syscalls_name(int32_t number)
{
	return syscalls_name_on(ABI_NATIVE, number);
}

bool syscalls_is_known(int32_t number)
{
	return syscalls_name(number) != NULL;
}

/*
 * One letter for each argument: 'w' where the kernel's prototype (include/linux/syscalls.h) has an
 * int, unsigned int or smaller type, 'l' where it has a long, a pointer or a size. Only calls on
 * whose arguments a condition makes sense are listed.
 */
struct call_widths {
	const char *name;
	const char *widths;
};

static const struct call_widths call_widths[] = {
	{"accept4", "wllw"},
	{"arch_prctl", "wl"},
	{"bind", "wlw"},
	{"bpf", "wlw"},
	{"chmod", "lw"},
	{"chown", "lww"},
	{"clock_adjtime", "wl"},
	{"clock_gettime", "wl"},
	{"clock_nanosleep", "wwll"},
	{"clock_settime", "wl"},
	/* clone(2): flags are an unsigned long, of which the kernel uses the lower 32 bits
	 * (kernel/fork.c, lower_32_bits). s390 and cris swap the first two; neither is supported.
	 */
	{"clone", "wllll"},
	{"close_range", "www"},
	{"connect", "wlw"},
	{"creat", "lw"},
	{"epoll_create1", "w"},
	{"eventfd2", "ww"},
	{"faccessat2", "wlww"},
	{"fallocate", "wwll"},
	{"fanotify_init", "ww"},
	{"fchmod", "ww"},
	{"fchmodat", "wlw"},
	{"fchmodat2", "wlww"},
	{"fchown", "www"},
	{"fchownat", "wlwww"},
	{"fcntl", "wwl"},
	{"flock", "ww"},
	{"futex", "lwwllw"},
	{"getpriority", "ww"},
	{"getsockopt", "wwwll"},
	{"inotify_init1", "w"},
	{"ioctl", "wwl"},
	{"ioprio_set", "www"},
	{"kcmp", "wwwll"},
	{"keyctl", "wllll"},
	{"kill", "ww"},
	{"lchown", "lww"},
	{"listen", "ww"},
	{"lseek", "wlw"},
	{"madvise", "llw"},
	{"memfd_create", "lw"},
	{"mkdir", "lw"},
	{"mkdirat", "wlw"},
	{"mknod", "lww"},
	{"mknodat", "wlww"},
	{"mlockall", "w"},
	{"mmap", "llllll"},
	{"mprotect", "lll"},
	{"mremap", "lllll"},
	{"msgget", "ww"},
	{"open", "lww"},
	{"openat", "wlww"},
	{"perf_event_open", "lwwwl"},
	{"personality", "w"},
	{"pidfd_open", "ww"},
	{"pidfd_send_signal", "wwlw"},
	{"pipe2", "lw"},
	{"prctl", "wllll"},
	{"prlimit64", "wwll"},
	{"ptrace", "llll"},
	{"quotactl", "wlwl"},
	{"recvfrom", "wllwll"},
	{"renameat2", "wlwlw"},
	{"sched_setscheduler", "wwl"},
	{"seccomp", "wwl"},
	{"semget", "www"},
	{"sendto", "wllwlw"},
	{"setns", "ww"},
	{"setpriority", "www"},
	{"setrlimit", "wl"},
	{"setsockopt", "wwwlw"},
	{"shmat", "wlw"},
	{"shmget", "wlw"},
	{"signalfd4", "wllw"},
	{"socket", "www"},
	{"socketpair", "wwwl"},
	{"syslog", "wlw"},
	{"tgkill", "www"},
	{"timerfd_create", "ww"},
	{"tkill", "ww"},
	{"umount2", "lw"},
	{"unlinkat", "wlw"},
	{"unshare", "l"},
	{"userfaultfd", "w"},
	{"waitid", "wwlwl"},
};

int syscalls_argument_width(const char *name, uint32_t arg, bool *ret_is_32bit)
{
	for (size_t i = 0; i < sizeof(call_widths) / sizeof(call_widths[0]); i++) {
		const char *widths = call_widths[i].widths;

		if (!str_equal(name, call_widths[i].name))
			continue;
		if (arg >= strlen(widths))
			return -ENOENT;
		*ret_is_32bit = widths[arg] == 'w';
		return 0;
	}
	return -ENOENT;
}
