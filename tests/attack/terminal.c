/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * terminal [-r] [-k FILE] [-012] COMMAND...: runs a command on a terminal of its own that controls
 * its session, in which there is no job control, and copies what it prints to stdout, byte for
 * byte.
 *
 *     -r       the terminal is raw from the beginning
 *     -k FILE  when FILE is there, the terminal is hung up
 *     -0 -1 -2 that descriptor is ours, not the terminal
 *
 * Our stdin is typed. Ends as the command does: its exit code, or 128 and the signal.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(125);
}

static void run(int slave, const bool own[3], char **argv)
{
	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) != 0)
		die("controlling terminal");
	for (int fd = 0; fd < 3; fd++)
		if (!own[fd] && dup2(slave, fd) < 0)
			die("dup2");
	close(slave);
	execvp(argv[0], argv);
	die(argv[0]);
}

static int open_pty(bool raw, int *ret_slave)
{
	struct winsize size = {.ws_row = 25, .ws_col = 80};
	struct termios modes;
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int slave;

	if (master < 0 || unlockpt(master) != 0)
		die("pty");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || tcgetattr(slave, &modes) != 0 || ioctl(slave, TIOCSWINSZ, &size) != 0)
		die("pty");
	if (raw)
		cfmakeraw(&modes);
	if (tcsetattr(slave, TCSANOW, &modes) != 0)
		die("modes");
	*ret_slave = slave;
	return master;
}

static void write_all(int fd, const char *bytes, ssize_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, bytes, (size_t)n);

		if (done < 0)
			die("write");
		bytes += done;
		n -= done;
	}
}

/* Until the command has ended and all that it printed is here, or the file is. As a shell would, we
 * keep the terminal's other end open: a terminal that nobody holds is hung up. */
static void copy(int master, int command, const char *kill_file)
{
	struct pollfd fds[3] = {{.fd = master, .events = POLLIN},
				{.fd = 0, .events = POLLIN},
				{.fd = command, .events = POLLIN}};
	static char bytes[65536];

	while (kill_file == NULL || access(kill_file, F_OK) != 0) {
		ssize_t n;

		if (poll(fds, 3, 50) < 0)
			die("poll");
		if (fds[0].revents != 0) {
			n = read(master, bytes, sizeof(bytes));
			if (n <= 0)
				return;
			write_all(1, bytes, n);
		} else if (fds[2].revents != 0) {
			return;
		}
		if (fds[1].fd == 0 && fds[1].revents != 0) {
			n = read(0, bytes, 1024);
			if (n <= 0)
				fds[1].fd = -1;
			else
				write_all(master, bytes, n);
		}
	}
}

int main(int argc, char **argv)
{
	bool own[3] = {false}, raw = false;
	const char *kill_file = NULL;
	int slave, master, command, status, option;
	pid_t pid;

	while ((option = getopt(argc, argv, "+rk:012")) >= 0) {
		if (option == 'r')
			raw = true;
		else if (option == 'k')
			kill_file = optarg;
		else if (option >= '0' && option <= '2')
			own[option - '0'] = true;
		else
			return 125;
	}
	if (argv[optind] == NULL)
		return 125;
	master = open_pty(raw, &slave);
	pid = fork();
	if (pid == 0)
		run(slave, own, argv + optind);
	if (pid < 0)
		die("fork");
	command = (int)syscall(SYS_pidfd_open, pid, 0);
	if (command < 0)
		die("pidfd_open");
	copy(master, command, kill_file);
	close(master);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
