/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * confined none|pure|unpack|pack|inside-unpack|inside-pack|caller DIR: confines itself as a worker
 * of cordon-image does (or not: the control), and tries what an archive would have it do. Each
 * attempt is a process of its own. Prints "ATTEMPT ok", "ATTEMPT ERRNO" or "ATTEMPT killed".
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libexec/image/worker.h"

enum { BROKEN = 120 };

static int read_host(int dir)
{
	(void)dir;
	return openat(AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static int write_host(int dir)
{
	return openat(dir, "../outside", O_WRONLY | O_CREAT, 0600);
}

static int make_inside(int dir)
{
	return mkdirat(dir, "made", 0700);
}

static int read_inside(int dir)
{
	return openat(dir, "file", O_RDONLY);
}

static int make_socket(int dir)
{
	(void)dir;
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int execute(int dir)
{
	char *const argv[] = {(char *)"true", NULL};

	(void)dir;
	return execv("/bin/true", argv);
}

static int start_process(int dir)
{
	pid_t pid = fork();

	(void)dir;
	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : 0;
}

static int send_signal(int dir)
{
	(void)dir;
	return kill(getppid(), 0);
}

static int map_code(int dir)
{
	(void)dir;
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			       MAP_FAILED
		       ? -1
		       : 0;
}

static int chown_host(int dir)
{
	struct stat st;

	return fstatat(dir, "../victim", &st, 0) < 0
		       ? -1
		       : fchownat(dir, "../victim", st.st_uid, st.st_gid, 0);
}

static const struct {
	const char *name;
	int (*run)(int dir);
} attempts[] = {
	{"read-host", read_host},     {"write-host", write_host}, {"make-inside", make_inside},
	{"read-inside", read_inside}, {"socket", make_socket},    {"exec", execute},
	{"fork", start_process},      {"signal", send_signal},    {"map-code", map_code},
	{"chown-host", chown_host},
};

static int attempt(int (*run)(int dir), int kind, int dir)
{
	struct err err = {0};

	if (kind >= 0 && confine((enum confine_kind)kind, dir, geteuid() == 0, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return BROKEN;
	}
	return run(dir) < 0 ? errno : 0;
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = {"pure",          "unpack",      "pack",
					    "inside-unpack", "inside-pack", "caller"};
	int kind = -1, dir = argc == 3 ? open(argv[2], O_RDONLY | O_DIRECTORY) : -1;

	for (int i = 0; argc == 3 && i < (int)(sizeof(kinds) / sizeof(kinds[0])); i++)
		kind = strcmp(argv[1], kinds[i]) == 0 ? i : kind;
	if (dir < 0)
		return 2;
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		int status = 0;
		pid_t pid = fork();

		if (pid == 0)
			_exit(attempt(attempts[i].run, kind, dir));
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			return 2;
		if (WIFSIGNALED(status))
			printf("%s %s\n", attempts[i].name,
			       WTERMSIG(status) == SIGSYS ? "killed" : "crashed");
		else if (WEXITSTATUS(status) == BROKEN)
			return 2;
		else
			printf("%s %s\n", attempts[i].name,
			       WEXITSTATUS(status) == 0 ? "ok"
							: strerrorname_np(WEXITSTATUS(status)));
	}
	return 0;
}
