/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows of the setup process: pid 1 of the new namespaces, with every capability in its own user
 * namespace and none outside. Nothing here allocates. The order and the reasons stand in child.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/child.h"
#include "launcher/secrets.h"

static const char userns_limit[] = "sys/user/max_user_namespaces";

int child_setup_ids(struct launch *launch, struct err *err)
{
	const struct plan *plan = &launch->decision->plan;

	return child_become(launch, plan->setup_uid, plan->setup_gid, err);
}

int child_parent_death_signal(struct launch *launch, struct err *err)
{
	struct pollfd lifeline = {.fd = launch->lifeline_read, .events = POLLIN};

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return err_set(err, ERR_SETUP, errno, "parent death signal");
	/* In a new pid namespace getppid() is 0 whether the parent lives or not, so the pipe tells.
	 */
	if (poll(&lifeline, 1, 0) != 0)
		return err_set(err, ERR_SETUP, ESRCH, "the keeper died");
	return 0;
}

int child_verify_parent_death_signal(struct launch *launch, struct err *err)
{
	int signo = 0;

	(void)launch;
	return prctl(PR_GET_PDEATHSIG, &signo, 0, 0, 0) != 0 || signo != SIGKILL
		       ? err_set(err, ERR_SETUP, 0, "the keeper's death would not be noticed")
		       : 0;
}

int child_session(struct launch *launch, struct err *err)
{
	(void)launch;
	return setsid() < 0 ? err_set(err, ERR_SETUP, errno, "new session") : 0;
}

int child_private_mounts(struct launch *launch, struct err *err)
{
	(void)launch;
	return rootfs_private(err);
}

int child_sources(struct launch *launch, struct err *err)
{
	return rootfs_open_sources(&launch->rootfs, err);
}

int child_loopback(struct launch *launch, struct err *err)
{
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo"};

	(void)launch;
	if (fd < 0)
		return err_set(err, ERR_SETUP, errno, "socket for the loopback interface");
	if (ioctl(fd, SIOCGIFFLAGS, &request) != 0)
		return err_set(err, ERR_SETUP, errno, "loopback interface");
	request.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request) != 0)
		return err_set(err, ERR_SETUP, errno, "bring the loopback interface up");
	return 0;
}

int child_hostname(struct launch *launch, struct err *err)
{
	static const char no_domain[] = "(none)";
	const char *name = launch->spec->process.hostname;

	if (sethostname(name, strlen(name)) != 0)
		return err_set(err, ERR_SETUP, errno, "hostname %s", name);
	/* A new UTS namespace starts as a copy: the host's NIS domain would show. */
	if (setdomainname(no_domain, strlen(no_domain)) != 0)
		return err_set(err, ERR_SETUP, errno, "domain name");
	return 0;
}

int child_root(struct launch *launch, struct err *err)
{
	/* The modes of what is made are meant as they are written. */
	umask(0);
	return rootfs_make_root(&launch->rootfs, err);
}

int child_system(struct launch *launch, struct err *err)
{
	return rootfs_apply_stage(&launch->rootfs, TREE_SYSTEM, err);
}

int child_etc(struct launch *launch, struct err *err)
{
	return rootfs_apply_stage(&launch->rootfs, TREE_ETC, err);
}

int child_dev(struct launch *launch, struct err *err)
{
	return rootfs_apply_stage(&launch->rootfs, TREE_DEV, err);
}

int child_proc(struct launch *launch, struct err *err)
{
	return rootfs_apply_stage(&launch->rootfs, TREE_PROC, err);
}

int child_forbid_userns(struct launch *launch, struct err *err)
{
	/* Through the new /proc, before its /sys becomes read-only. The table is that of the
	 * writer's own user namespace: namespaces(7), /proc/sys/user. */
	int r = io_write_text(launch->rootfs.proc_fd, userns_limit, "0");

	return r < 0 ? err_set(err, ERR_SETUP, -r, "/proc/%s", userns_limit) : 0;
}

/* Debian's switch, which the kernel asks before it looks at any limit: EPERM to all but the host's
 * root. It goes through the sandbox's /proc, for the host's is out of reach here. */
static bool host_forbids_userns(const struct launch *launch)
{
	char text[16];

	return io_read_text(launch->rootfs.proc_fd, "sys/kernel/unprivileged_userns_clone", text,
			    sizeof(text)) >= 0 &&
	       str_equal(text, "0\n");
}

int child_verify_forbid_userns(struct launch *launch, struct err *err)
{
	char text[16];
	ssize_t n = io_read_text(launch->rootfs.proc_fd, userns_limit, text, sizeof(text));

	if (n < 0)
		return err_set(err, ERR_SETUP, (int)-n, "read back /proc/%s", userns_limit);
	/* And tried: ENOSPC is what the limit says. */
	if (str_equal(text, "0\n") && unshare(CLONE_NEWUSER) != 0 &&
	    (errno == ENOSPC || (errno == EPERM && host_forbids_userns(launch))))
		return 0;
	return err_set(err, ERR_SETUP, 0,
		       "a nested user namespace is possible after it was forbidden");
}

/*
 * What the kernel counts for a user and for all of the user's sandboxes together: without a limit
 * here one sandbox could take it all, and the user's own programs on the host would be refused. A
 * limit in a user namespace binds that namespace (kernel/ucount.c). A kernel without the feature
 * has no file.
 */
static const struct {
	const char *file;
	const char *value;
} kernel_quotas[] = {
	{"sys/user/max_inotify_instances", "32"}, /* of 128 */
	{"sys/user/max_inotify_watches", "16384"},
	{"sys/user/max_fanotify_groups", "0"}, /* reports what others open */
	{"sys/user/max_fanotify_marks", "0"},
};
enum { N_KERNEL_QUOTAS = sizeof(kernel_quotas) / sizeof(kernel_quotas[0]) };

int child_kernel_quotas(struct launch *launch, struct err *err)
{
	for (size_t i = 0; i < N_KERNEL_QUOTAS; i++) {
		int r = io_write_text(launch->rootfs.proc_fd, kernel_quotas[i].file,
				      kernel_quotas[i].value);

		if (r < 0 && r != -ENOENT)
			return err_set(err, ERR_SETUP, -r, "/proc/%s", kernel_quotas[i].file);
	}
	return 0;
}

int child_verify_kernel_quotas(struct launch *launch, struct err *err)
{
	for (size_t i = 0; i < N_KERNEL_QUOTAS; i++) {
		char text[32];
		ssize_t n = io_read_text(launch->rootfs.proc_fd, kernel_quotas[i].file, text,
					 sizeof(text));

		if (n == -ENOENT)
			continue;
		if (n < 0)
			return err_set(err, ERR_SETUP, (int)-n, "/proc/%s", kernel_quotas[i].file);
		io_chomp(text);
		if (!str_equal(text, kernel_quotas[i].value))
			return err_set(err, ERR_SETUP, 0, "/proc/%s: reads back as %s",
				       kernel_quotas[i].file, text);
	}
	return 0;
}

int child_kernel_paths(struct launch *launch, struct err *err)
{
	return rootfs_apply_stage(&launch->rootfs, TREE_KERNEL_PATHS, err);
}

int child_volumes(struct launch *launch, struct err *err)
{
	return rootfs_apply_stage(&launch->rootfs, TREE_VOLUMES, err);
}

int child_protected(struct launch *launch, struct err *err)
{
	return rootfs_protect(&launch->rootfs, err);
}

int child_verify_protected(struct launch *launch, struct err *err)
{
	return rootfs_verify_protected(&launch->rootfs, err);
}

int child_secrets(struct launch *launch, struct err *err)
{
	int r = rootfs_show_secrets(&launch->rootfs, err);

	/* Before the fork: the workload's process never has them in its memory. */
	secrets_wipe(launch);
	return r;
}

int child_verify_secrets(struct launch *launch, struct err *err)
{
	return rootfs_verify_secrets(&launch->rootfs, err);
}

int child_seal(struct launch *launch, struct err *err)
{
	return rootfs_seal(&launch->rootfs, err);
}

int child_verify_seal(struct launch *launch, struct err *err)
{
	return rootfs_verify_seal(&launch->rootfs, err);
}

int child_pivot(struct launch *launch, struct err *err)
{
	return rootfs_pivot(&launch->rootfs, err);
}

int child_old_root(struct launch *launch, struct err *err)
{
	(void)launch;
	return rootfs_detach_old_root(err);
}

int child_verify_old_root(struct launch *launch, struct err *err)
{
	int r = rootfs_verify_pivot(&launch->rootfs, err);

	return r < 0 ? r : rootfs_verify_private(err);
}

int child_cgroup_namespace(struct launch *launch, struct err *err)
{
	(void)launch;
	return unshare(CLONE_NEWCGROUP) != 0 ? err_set(err, ERR_SETUP, errno, "cgroup namespace")
					     : 0;
}

/* A nice value above 0 stays: only more privilege than a sandbox has may lower it, and it binds the
 * sandbox tighter. */
static int reset_nice(void)
{
	errno = 0;
	if (getpriority(PRIO_PROCESS, 0) >= 0 || errno != 0)
		return -errno;
	return setpriority(PRIO_PROCESS, 0, 0) != 0 ? -errno : 0;
}

int child_scheduling(struct launch *launch, struct err *err)
{
	struct sched_param normal = {0};
	cpu_set_t all;
	int r;

	(void)launch;
	if (sched_setscheduler(0, SCHED_OTHER, &normal) != 0)
		return err_set(err, ERR_SETUP, errno, "scheduling policy");
	r = reset_nice();
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "nice value");
	/* All processors that the caller's cpuset has: the kernel takes the intersection. */
	memset(&all, 0xff, sizeof(all));
	if (sched_setaffinity(0, sizeof(all), &all) != 0)
		return err_set(err, ERR_SETUP, errno, "processor affinity");
	r = sys_ioprio_set(1 /* IOPRIO_WHO_PROCESS */, 0, 0);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "input/output priority");
	if (personality(PER_LINUX) < 0)
		return err_set(err, ERR_SETUP, errno, "personality");
	if (prctl(PR_SET_TIMERSLACK, 0, 0, 0, 0) != 0)
		return err_set(err, ERR_SETUP, errno, "timer slack");
	umask(022);
	return 0;
}

int child_drop_bounding_set(struct err *err)
{
	const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
				   SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

	/* Also those that are newer than our headers: the kernel says EINVAL past its last. */
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
			return err_set(err, ERR_SETUP, errno,
				       "drop capability %lu from the bounding set", cap);
	/* User 0 inside gets nothing by being 0. */
	if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) != 0)
		return err_set(err, ERR_SETUP, errno, "secure bits");
	return 0;
}

int child_bounding_set(struct launch *launch, struct err *err)
{
	(void)launch;
	return child_drop_bounding_set(err);
}
