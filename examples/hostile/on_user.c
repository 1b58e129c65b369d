/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hostile program's attempts on what belongs to the user: files, processes, services, keys. */
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "examples/hostile/plan.h"

/* Says only how much was read: a secret does not belong on the terminal. */
static int read_some(int fd, char *detail, size_t size)
{
	char text[256];
	ssize_t n = pread(fd, text, sizeof(text), 0);

	if (n < 0)
		return errno;
	snprintf(detail, size, "%zd bytes read", n);
	return 0;
}

static int read_file(const char *path, char *detail, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? errno : read_some(fd, detail, size);
}

static int read_secret(const struct plan *plan, char *detail, size_t size)
{
	return read_file(plan->secret, detail, size);
}

static int read_shadow(const struct plan *plan, char *detail, size_t size)
{
	(void)plan;
	return read_file("/etc/shadow", detail, size);
}

static int list_home(const struct plan *plan, char *detail, size_t size)
{
	DIR *dir = opendir(plan->home);
	int names = 0;

	if (dir == NULL)
		return errno;
	while (readdir(dir) != NULL)
		names++;
	closedir(dir);
	snprintf(detail, size, "%d names in %s", names - 2, plan->home);
	return 0;
}

static int read_token(const struct plan *plan, char *detail, size_t size)
{
	const char *value = getenv(plan->token);

	if (value == NULL)
		return ENOENT;
	snprintf(detail, size, "%zu bytes read", strlen(value));
	return 0;
}

static int read_inherited(const struct plan *plan, char *detail, size_t size)
{
	return read_some(plan->fd, detail, size);
}

static int read_init_memory(const struct plan *plan, char *detail, size_t size)
{
	int fd = open("/proc/1/mem", O_RDONLY | O_CLOEXEC);

	(void)plan;
	if (fd < 0)
		return errno;
	snprintf(detail, size, "/proc/1/mem opened");
	return 0;
}

static int is_decoy(const char *pid, const char *name)
{
	char path[288], text[256] = "";
	int fd, found = 0;

	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) > 0)
		found = strcmp(text, name) == 0; /* argv[0] ends with a NUL */
	close(fd);
	return found;
}

/* By its name and not by its number, which may be somebody else's in another pid namespace. */
static int see_process(const struct plan *plan, char *detail, size_t size)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	int result = ENOENT;

	if (dir == NULL)
		return errno;
	while (result != 0 && (entry = readdir(dir)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    !is_decoy(entry->d_name, plan->name))
			continue;
		snprintf(detail, size, "process %s", entry->d_name);
		result = 0;
	}
	closedir(dir);
	return result;
}

static int signal_process(const struct plan *plan, char *detail, size_t size)
{
	if (plan->pid <= 0)
		return ESRCH;
	snprintf(detail, size, "signal 0");
	return kill(plan->pid, 0) == 0 ? 0 : errno;
}

/* SEIZE does not stop the process, and the end of the tracer detaches (ptrace(2)). */
static int trace_process(const struct plan *plan, char *detail, size_t size)
{
	snprintf(detail, size, "PTRACE_SEIZE");
	return ptrace(PTRACE_SEIZE, plan->pid, NULL, NULL) == 0 ? 0 : errno;
}

static int attach_memory(const struct plan *plan, char *detail, size_t size)
{
	void *memory = shmat(plan->shm, NULL, SHM_RDONLY);

	if (memory == (void *)-1)
		return errno;
	snprintf(detail, size, "segment %d attached", plan->shm);
	shmdt(memory);
	return 0;
}

static int connect_loopback(const struct plan *plan, char *detail, size_t size)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	address.sin_port = htons((uint16_t)plan->port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return errno;
	snprintf(detail, size, "127.0.0.1:%d", plan->port);
	return 0;
}

static int connect_abstract(const struct plan *plan, char *detail, size_t size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(plan->name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	if (len >= sizeof(address.sun_path))
		return ENAMETOOLONG;
	memcpy(address.sun_path + 1, plan->name, len);
	if (connect(fd, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len)) != 0)
		return errno;
	snprintf(detail, size, "@%s", plan->name);
	return 0;
}

static int read_keyring(const struct plan *plan, char *detail, size_t size)
{
	long n = syscall(SYS_keyctl, KEYCTL_READ, KEY_SPEC_SESSION_KEYRING, NULL, 0, 0);

	(void)plan;
	if (n < 0)
		return errno;
	snprintf(detail, size, "%ld keys", n / (long)sizeof(int));
	return 0;
}

/* On a terminal made for it: a letter pushed into the user's own would be typed at the shell. */
static int type_into_terminal(const struct plan *plan, char *detail, size_t size)
{
	int leader = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char name[64];
	int terminal;

	(void)plan;
	if (leader < 0 || grantpt(leader) != 0 || unlockpt(leader) != 0 ||
	    ptsname_r(leader, name, sizeof(name)) != 0 || setsid() < 0)
		return errno;
	terminal = open(name, O_RDWR | O_CLOEXEC);
	if (terminal < 0)
		return errno;
	snprintf(detail, size, "TIOCSTI on %s", name);
	return ioctl(terminal, TIOCSTI, "x") == 0 ? 0 : errno;
}

const struct attempt attempts_on_user[] = {
	{"secret", read_secret},
	{"shadow", read_shadow},
	{"home", list_home},
	{"environment", read_token},
	{"inherited-fd", read_inherited},
	{"see-process", see_process},
	{"signal", signal_process},
	{"ptrace", trace_process},
	{"init-memory", read_init_memory},
	{"shared-memory", attach_memory},
	{"inet", connect_loopback},
	{"abstract", connect_abstract},
	{"keyring", read_keyring},
	{"tiocsti", type_into_terminal},
	{NULL, NULL},
};
