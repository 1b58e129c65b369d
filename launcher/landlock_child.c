/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The row `landlock`: the workload's process puts itself into a domain. Only there, as the last but
 * the filter: whoever is in a domain can no longer mount, nor be looked into by what is in another
 * one (landlock(7), ptrace), and pid 1 has nothing to lock. Nothing here allocates.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "launcher/landlock.h"
#include "launcher/launch.h"

/* A file that is no directory has no others: EINVAL. */
#define RIGHTS_OF_FILES                                                                     \
	(SYS_LANDLOCK_FS_EXECUTE | SYS_LANDLOCK_FS_WRITE_FILE | SYS_LANDLOCK_FS_READ_FILE | \
	 SYS_LANDLOCK_FS_TRUNCATE | SYS_LANDLOCK_FS_IOCTL_DEV)

int landlock_explain_path(const char *path, int result, struct err *err)
{
	err_set(err, ERR_SETUP, -result, "landlock: %s", path);
	if (result == -ELOOP)
		return err_hint(err, "A rule is not made through a link: write the place that the "
				     "link leads to.");
	if (result == -ENOENT)
		return err_hint(err, "It is not there inside: leave it out of landlock's lists.");
	return result;
}

int landlock_allow(int ruleset, int place, uint64_t access, const char *what, struct err *err)
{
	struct sys_landlock_path_beneath beneath = {.access = access, .parent_fd = place};
	struct stat st;
	int r;

	if (fstat(place, &st) != 0)
		return landlock_explain_path(what, -errno, err);
	if (!S_ISDIR(st.st_mode))
		beneath.access &= RIGHTS_OF_FILES;
	if (beneath.access == 0)
		return 0;
	r = sys_landlock_add_rule(ruleset, SYS_LANDLOCK_RULE_PATH_BENEATH, &beneath);
	return r < 0 ? landlock_explain_path(what, r, err) : 0;
}

static int allow_path(int ruleset, const struct landlock_rule *rule, struct err *err)
{
	_cleanup_fd_ int place = sys_openat2(AT_FDCWD, rule->path, O_PATH | O_CLOEXEC, 0,
					     RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);

	/* Where the workload may not even go it needs no rule. */
	if (place == -EACCES)
		return 0;
	if (place < 0)
		return landlock_explain_path(rule->path, place, err);
	return landlock_allow(ruleset, place, rule->access, rule->path, err);
}

/* Of a file system that can be mounted nowhere. Asked, and not left to the refusal (EBADFD): errno
 * is shared with the setup process (child.c). */
static bool has_no_name(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (fs.f_type == PIPEFS_MAGIC || fs.f_type == SOCKFS_MAGIC);
}

/*
 * What the caller passes on can be opened again under its name in /proc, as `echo >/dev/stderr`
 * does, for what it is open for and no more. Pipes and sockets have no name and need no rule.
 */
static int allow_descriptor(const struct launch *launch, int ruleset, int fd, struct err *err)
{
	struct sys_landlock_path_beneath beneath = {.parent_fd = fd};
	int flags = fcntl(fd, F_GETFL);
	int mode = flags & O_ACCMODE;
	int r;

	if (flags < 0 || has_no_name(fd))
		return 0; /* closed: nothing to open again */
	if (mode != O_WRONLY)
		beneath.access |= SYS_LANDLOCK_FS_READ_FILE;
	if (mode != O_RDONLY)
		beneath.access |= SYS_LANDLOCK_FS_WRITE_FILE | SYS_LANDLOCK_FS_TRUNCATE;
	beneath.access &= launch->decision->landlock.handled.files;
	r = sys_landlock_add_rule(ruleset, SYS_LANDLOCK_RULE_PATH_BENEATH, &beneath);
	return r < 0 && r != -EBADFD ? err_set(err, ERR_SETUP, -r, "landlock: descriptor %d", fd)
				     : 0;
}

static int allow_ports(int ruleset, const struct spec_port_list *list, uint64_t access,
		       struct err *err)
{
	for (size_t i = 0; i < list->n_ports; i++) {
		struct sys_landlock_net_port port = {.access = access, .port = list->ports[i]};
		int r = sys_landlock_add_rule(ruleset, SYS_LANDLOCK_RULE_NET_PORT, &port);

		if (r < 0)
			return err_set(err, ERR_SETUP, -r, "landlock: TCP port %u", list->ports[i]);
	}
	return 0;
}

static int add_rules(const struct launch *launch, int ruleset, struct err *err)
{
	const struct landlock_rules *rules = &launch->decision->landlock;
	const struct spec_landlock *spec = &launch->spec->landlock;
	const struct spec_process *process = &launch->spec->process;
	int r = 0;

	/* Who enters has those of the sandbox's start (landlock_begin_entering). */
	for (size_t i = 0; launch->target == NULL && r == 0 && i < rules->n; i++)
		r = allow_path(ruleset, &rules->list[i], err);
	for (int fd = 0; r == 0 && fd < 3; fd++)
		r = allow_descriptor(launch, ruleset, fd, err);
	for (size_t i = 0; r == 0 && i < process->n_fds; i++)
		r = allow_descriptor(launch, ruleset, process->fds[i], err);
	if (r == 0 && (rules->handled.network & SYS_LANDLOCK_NET_CONNECT_TCP) != 0)
		r = allow_ports(ruleset, &spec->connect_tcp, SYS_LANDLOCK_NET_CONNECT_TCP, err);
	if (r == 0 && (rules->handled.network & SYS_LANDLOCK_NET_BIND_TCP) != 0)
		r = allow_ports(ruleset, &spec->bind_tcp, SYS_LANDLOCK_NET_BIND_TCP, err);
	return r;
}

/* What is logged: by default what this process is refused, but not what its program will be. The
 * refusal that verify asks for is nothing that an administrator should read of; the auditor needs
 * it, for it names the domain before the program can. */
static unsigned log_flags(const struct decision *d)
{
	if (audit_is_wanted(d) && audit_has_landlock(d))
		return SYS_LANDLOCK_LOG_NEW_EXEC_ON;
	return d->facts.landlock_abi >= LANDLOCK_ABI_LOG ? SYS_LANDLOCK_LOG_SAME_EXEC_OFF : 0;
}

int landlock_restrict(struct launch *launch, struct err *err)
{
	const struct decision *d = launch->decision;
	_cleanup_fd_ int ruleset =
		launch->target != NULL
			? steal_fd(&launch->landlock_ruleset)
			: sys_landlock_create_ruleset(&d->landlock.handled,
						      sizeof(d->landlock.handled), 0);
	unsigned flags = log_flags(d);
	int r;

	if (ruleset < 0)
		return err_set(err, ERR_SETUP, -ruleset, "landlock: create a set of rules");
	r = add_rules(launch, ruleset, err);
	if (r < 0)
		return r;
	r = sys_landlock_restrict_self(ruleset, flags);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "landlock: restrict the workload") : 0;
}

/* No rule ever allows a device to be made. Without a domain it is the missing capability that
 * refuses it, by another errno (vfs_mknod in the kernel's fs/namei.c, after the hook). */
int landlock_verify(struct launch *launch, struct err *err)
{
	(void)launch;
	if (mknod("/dev/shm/.cordon-landlock", S_IFCHR | 0600, makedev(1, 3)) != 0 &&
	    errno == EACCES)
		return 0;
	return err_set(err, ERR_SETUP, 0, "landlock: what no rule allows is not refused");
}
