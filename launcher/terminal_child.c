/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sandbox's own terminal: rows of the setup process and of the workload; see terminal.h.
 * Nothing here allocates.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "launcher/launch.h"

/* ---- setup process ---- */

/* In the background there is none: who starts it or attaches tells a size, and the modes of a new
 * pty are the usual ones. */
static int set_size(const struct terminal_size *from, int to, struct err *err)
{
	const struct winsize size = {.ws_row = from->rows, .ws_col = from->columns};

	if (ioctl(to, TIOCSWINSZ, &size) != 0)
		return err_set(err, ERR_SETUP, errno, "size of the terminal");
	return 0;
}

/* The pty begins as the caller's terminal is. */
static int copy_settings(int from, int to, struct err *err)
{
	struct termios modes;
	struct winsize size;

	if (tcgetattr(from, &modes) != 0 || tcsetattr(to, TCSANOW, &modes) != 0)
		return err_set(err, ERR_SETUP, errno, "modes of the terminal");
	if (ioctl(from, TIOCGWINSZ, &size) != 0 || ioctl(to, TIOCSWINSZ, &size) != 0)
		return err_set(err, ERR_SETUP, errno, "size of the terminal");
	return 0;
}

static bool is_of_devpts(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == DEVPTS_SUPER_MAGIC;
}

/* The pair, in the sandbox's devpts, so that its name means the same inside: in one that runs
 * already, something else may have come to stand there. By TIOCGPTPEER: the name could lead
 * elsewhere. */
static int open_pair(const struct launch *launch, int *ret_slave, struct err *err)
{
	_cleanup_fd_ int master =
		sys_openat(launch->rootfs.dev_fd, "pts/ptmx",
			   O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW, 0);
	int unlocked = 0;
	int slave;

	if (master < 0)
		return err_set(err, ERR_SETUP, -master, "open the sandbox's ptmx");
	if (!is_of_devpts(master))
		return err_set(err, ERR_SETUP, 0, "the sandbox's /dev/pts/ptmx is of no devpts");
	if (ioctl(master, TIOCSPTLCK, &unlocked) != 0)
		return err_set(err, ERR_SETUP, errno, "unlock the sandbox's terminal");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return err_set(err, ERR_SETUP, errno, "open the sandbox's terminal");
	*ret_slave = slave;
	return steal_fd(&master);
}

int terminal_make_pair(struct launch *launch, struct err *err)
{
	const struct spec_identity *id = &launch->spec->identity;
	_cleanup_fd_ int slave = -EBADF;
	_cleanup_fd_ int master = open_pair(launch, &slave, err);
	int r;

	if (master < 0)
		return master;
	r = launch->decision->keeps_terminal
		    ? set_size(&launch->terminal_size, slave, err)
		    : copy_settings(terminal_descriptor(launch->decision), slave, err);
	if (r < 0)
		return r;
	if (fchown(slave, id->uid, id->gid) != 0 || fchmod(slave, 0600) != 0)
		return err_set(err, ERR_SETUP, errno, "give the terminal to the workload");
	r = sync_send_with_fd(launch->sync_child, SYNC_TERMINAL, master);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "send the terminal's other end to the keeper");
	launch->terminal_slave = steal_fd(&slave);
	return 0;
}

int terminal_make(struct launch *launch, struct err *err)
{
	int r = terminal_make_pair(launch, err);

	if (r == 0 && ioctl(launch->terminal_slave, TIOCSCTTY, 0) != 0)
		r = err_set(err, ERR_SETUP, errno, "controlling terminal");
	return r;
}

int terminal_verify_made(struct launch *launch, struct err *err)
{
	const struct spec_identity *id = &launch->spec->identity;
	struct stat st;

	if (fstat(launch->terminal_slave, &st) != 0 || st.st_uid != id->uid ||
	    st.st_gid != id->gid || (st.st_mode & 07777) != 0600 ||
	    tcgetsid(launch->terminal_slave) != getsid(0))
		return err_set(err, ERR_SETUP, 0, "the sandbox has no terminal of its own");
	return 0;
}

/* ---- workload process ---- */

int terminal_replace_stdio(struct launch *launch, struct err *err)
{
	for (int fd = 0; fd < 3; fd++)
		if (launch->decision->facts.stdio_is_terminal[fd] &&
		    dup2(launch->terminal_slave, fd) < 0)
			return err_set(err, ERR_SETUP, errno, "descriptor %d", fd);
	return 0;
}

static bool is_same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino && S_ISCHR(x.st_mode);
}

int terminal_verify_stdio(struct launch *launch, struct err *err)
{
	_cleanup_fd_ int own = sys_openat(AT_FDCWD, "/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC, 0);
	unsigned controlling = 0, slave = 0;

	for (int fd = 0; fd < 3; fd++)
		if (launch->decision->facts.stdio_is_terminal[fd] &&
		    !is_same_file(fd, launch->terminal_slave))
			return err_set(err, ERR_SETUP, 0,
				       "descriptor %d is still the caller's terminal", fd);
	/* And the other way to a terminal: the controlling one. */
	if (own < 0 || ioctl(own, TIOCGDEV, &controlling) != 0 ||
	    ioctl(launch->terminal_slave, TIOCGDEV, &slave) != 0 || controlling != slave)
		return err_set(err, ERR_SETUP, 0, "/dev/tty is not the sandbox's own terminal");
	return 0;
}

int terminal_take_foreground(struct launch *launch, struct err *err)
{
	sigset_t ttou, old;
	int r;

	/* From a group in the background it is answered with SIGTTOU: tcsetpgrp(3). */
	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	if (sigprocmask(SIG_BLOCK, &ttou, &old) != 0)
		return err_set(err, ERR_SETUP, errno, "block SIGTTOU");
	r = tcsetpgrp(launch->terminal_slave, getpid()) != 0 ? -errno : 0;
	if (sigprocmask(SIG_SETMASK, &old, NULL) != 0)
		return err_set(err, ERR_SETUP, errno, "reset the signal mask");
	return r < 0 ? err_set(err, ERR_SETUP, -r, "foreground group of the terminal") : 0;
}

int terminal_verify_foreground(struct launch *launch, struct err *err)
{
	return tcgetpgrp(launch->terminal_slave) == getpid()
		       ? 0
		       : err_set(err, ERR_SETUP, 0, "the program is not in the foreground");
}
