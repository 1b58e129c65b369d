/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows of the workload's process that follow paths of the sandbox's, and its exec. Whoever can
 * write inside may have made these paths: what cordon has open is closed before. Nothing here
 * allocates. The order and the reasons stand in child.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/child.h"

/* ---- descriptors ---- */

static bool is_passed_on(const struct spec_process *process, int fd)
{
	for (size_t i = 0; i < process->n_fds; i++)
		if (process->fds[i] == fd)
			return true;
	return false;
}

/* What this process needs until its exec, and through which no path leads: sockets, pipes, and a
 * set of Landlock's rules. */
static bool is_conversation(const struct launch *launch, int fd)
{
	return fd == launch->sync_child || fd == launch->gate || fd == launch->lifeline_read ||
	       fd == launch->landlock_ruleset;
}

static bool stays_open(const struct launch *launch, int fd)
{
	return is_passed_on(&launch->spec->process, fd) || is_conversation(launch, fd);
}

/* The lowest from `from` on that stays, or -1. */
static int next_that_stays(const struct launch *launch, int from)
{
	const struct spec_process *process = &launch->spec->process;
	const int own[] = {launch->sync_child, launch->gate, launch->lifeline_read,
			   launch->landlock_ruleset};
	int next = -1;

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]) + process->n_fds; i++) {
		int fd = i < process->n_fds ? process->fds[i] : own[i - process->n_fds];

		if (fd >= from && (next < 0 || fd < next))
			next = fd;
	}
	return next;
}

/* What stands where the caller had none (facts_guard_stdio) is the host's root: the sandbox's takes
 * its place. */
static int guard_closed(const struct launch *launch)
{
	for (int fd = 0; fd < 3; fd++) {
		_cleanup_fd_ int root = -EBADF;

		if (launch->decision->facts.stdio[fd] != FD_CLOSED)
			continue;
		root = sys_openat(AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0);
		if (root < 0)
			return root;
		if (dup3(root, fd, O_CLOEXEC) < 0)
			return -errno;
	}
	return 0;
}

/*
 * Really closed: a descriptor that is merely to be closed at the exec leads to the host's tree
 * until then, and the working directory, the program and its interpreter are paths that whoever can
 * write inside may have made a link to /proc/self/fd/N (CVE-2024-21626). The table is this
 * process's own; the numbers, which the setup process reads, stay as they are.
 */
int child_descriptors(struct launch *launch, struct err *err)
{
	const struct spec_process *process = &launch->spec->process;
	int from = 3, r = guard_closed(launch);

	for (int stays; r == 0 && (stays = next_that_stays(launch, from)) >= 0; from = stays + 1)
		if (stays > from)
			r = sys_close_range((unsigned)from, (unsigned)stays - 1, 0);
	if (r == 0)
		r = sys_close_range((unsigned)from, ~0U, 0);
	if (r == 0)
		r = sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	/* They were open before cordon opened anything, so none of its own has such a number. */
	for (size_t i = 0; r == 0 && i < process->n_fds; i++)
		if (fcntl(process->fds[i], F_SETFD, 0) != 0)
			return err_set(err, ERR_SETUP, errno, "pass descriptor %d on",
				       process->fds[i]);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "close inherited descriptors") : 0;
}

/* Where cordon's own lie: it opens the lowest free numbers, and few. */
int child_verify_descriptors(struct launch *launch, struct err *err)
{
	enum { OWN_DESCRIPTORS_MAX = 64 };

	for (int fd = 3; fd < OWN_DESCRIPTORS_MAX; fd++)
		if (!stays_open(launch, fd) && fcntl(fd, F_GETFD) >= 0)
			return err_set(err, ERR_SETUP, 0, "descriptor %d is still open", fd);
	return 0;
}

/* ---- the program ---- */

/* Through links, which are the sandbox's business, but through none of /proc's that leads to what a
 * process has open. */
static int enter_directory(const char *path)
{
	_cleanup_fd_ int fd = sys_openat2(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
					  RESOLVE_NO_MAGICLINKS);

	if (fd < 0)
		return fd;
	return fchdir(fd) != 0 ? -errno : 0;
}

int child_working_dir(struct launch *launch, struct err *err)
{
	const char *wanted = launch->spec->process.working_dir;
	int r;

	if (wanted[0] != '\0') {
		r = enter_directory(wanted);
		if (r == 0)
			return 0;
		err_set(err, ERR_SETUP, -r, "process.working_dir: %s", wanted);
		if (r == -ELOOP)
			return err_hint(err, "A link on its way leads in a circle, or to what a "
					     "process has open (/proc/self/fd): through that "
					     "nothing is entered.");
		return err_hint(
			err,
			"It must exist inside: show it with --ro or --rw, or choose another with "
			"--set process.working_dir=PATH.");
	}
	if (launch->start_dir[0] != '\0' && enter_directory(launch->start_dir) == 0)
		return 0;
	/* Of an image the root, as elsewhere. */
	if ((launch->spec->rootfs.kind == ROOTFS_IMAGE || enter_directory("/tmp") != 0) &&
	    enter_directory("/") != 0)
		return err_set(err, ERR_SETUP, errno, "enter /");
	return 0;
}

/* The kernel's own word: what is not below the root is said as "(unreachable)" (getcwd(3)). */
int child_verify_working_dir(struct launch *launch, struct err *err)
{
	char path[4096];
	long n = syscall(SYS_getcwd, path, sizeof(path));

	(void)launch;
	return n > 0 && path[0] == '/'
		       ? 0
		       : err_set(err, ERR_SETUP, n < 0 ? errno : 0,
				 "the working directory is not one of the sandbox's");
}

static bool is_runnable(const char *path, int *ret_errno)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		*ret_errno = errno;
		return false;
	}
	if (!S_ISREG(st.st_mode) || faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0) {
		*ret_errno = EACCES;
		return false;
	}
	return true;
}

/* Looks the name up in the sandbox's PATH, as execvp(3) does. */
static int search_path(struct launch *launch, const char *name, struct err *err)
{
	int worst = ENOENT;

	for (const char *dir = launch->spec->process.path; *dir != '\0';) {
		size_t len = strcspn(dir, ":");
		int error = ENOENT;

		str_format(launch->program_path, sizeof(launch->program_path), "%.*s/%s", (int)len,
			   dir, name);
		/* A relative part would find programs that the workload's files put there. */
		if (dir[0] == '/' && is_runnable(launch->program_path, &error))
			return 0;
		if (error == EACCES)
			worst = EACCES;
		dir += len;
		dir += *dir == ':';
	}
	err_set(err, ERR_EXEC, worst, "%s: not in the sandbox's PATH (%s)", name,
		launch->spec->process.path);
	/* No program of anybody's begins so: it was meant for cordon. */
	if (name[0] == '-')
		return err_hint(err,
				"It looks like a flag: those of cordon stand before the image, "
				"or before `--`, and what follows is the program.");
	return err_hint(
		err, "Only the rootfs is visible inside: show another directory with --ro DIR and "
		     "name the program by its path.");
}

int child_program(struct launch *launch, struct err *err)
{
	const char *program = launch->spec->process.program;
	int error = 0;

	if (program[0] != '/')
		return search_path(launch, program, err);
	str_format(launch->program_path, sizeof(launch->program_path), "%s", program);
	if (is_runnable(launch->program_path, &error))
		return 0;
	err_set(err, ERR_EXEC, error, "%s", program);
	if (error == ENOENT && launch->spec->rootfs.kind == ROOTFS_IMAGE)
		return err_hint(err, "The image has no such program.");
	return error == ENOENT
		       ? err_hint(err, "It is not visible inside: show it with --ro %s.", program)
		       : -error;
}

int child_execute(struct launch *launch, struct err *err)
{
	const struct spec_process *process = &launch->spec->process;
	int error;

	execve(launch->program_path, (char *const *)process->argv,
	       (char *const *)network_links_envp(launch));
	error = errno;
	err_set(err, ERR_EXEC, error, "%s", launch->program_path);
	if (error == ENOENT)
		return err_hint(
			err,
			"The file is there, but the interpreter or loader that it names is not "
			"visible inside.");
	if (error == EACCES && launch->decision->plan.child_wanted[CHILD_LANDLOCK])
		return err_hint(err, "Landlock may keep it, or its loader, from being executed: "
				     "`cordon explain` shows the rules.");
	if (error == ENOEXEC)
		return err_hint(err,
				"It is neither a program of this machine nor a script that begins "
				"with #!.");
	return -error;
}
