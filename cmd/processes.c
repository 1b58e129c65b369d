/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `cordon top`: the processes of a sandbox, seen from the host. Which they are its control group
 * says; without one, whose pid namespace they are in, or (as a user, of those that cannot be looked
 * at) whose children they are.
 *
 * What a process calls itself it has written itself: it is made harmless. To read its command line
 * is to read its memory, which it can have arranged so that the reader waits (userfaultfd(2)): a
 * child reads, and is killed where it takes too long.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/sys.h"
#include "cmd/cmd.h"
#include "cmd/kept.h"
#include "cmd/own_flags.h"
#include "cmd/print.h"
#include "cmd/table.h"
#include "records/status.h"

enum {
	STATUS_MAX = 8192,
	COMMAND_MAX = 2048,
	WORD_MAX = 32,
	COLUMNS_MAX = 16,
	LONGEST_MS = 5000,
	DEPTH_MAX = 64, /* of parents */
};

struct asked {
	const char *columns;
};

const struct own_flag top_flags[] = {
	{"--columns", 'o', "LIST", OWN_TEXT, offsetof(struct asked, columns),
	 "which, with commas: user, pid, inside, ppid, state, rss, time, comm, command"},
	{.name = NULL},
};

/* ---- one process ---- */

struct process {
	pid_t pid;
	pid_t parent;
	char inside[WORD_MAX]; /* its number there */
	bool is_nested;        /* it is in another pid namespace than we are */
	char user[WORD_MAX];
	char state[WORD_MAX];
	char rss[WORD_MAX];
	char name[64];
};

/* The words behind "KEY:" of /proc/PID/status. */
static bool status_word(const char *text, const char *key, char *buf, size_t size)
{
	size_t len = strlen(key);

	for (const char *line = text; *line != '\0';
	     line += strcspn(line, "\n"), line += *line == '\n') {
		const char *value = line + len + 1;

		if (strncmp(line, key, len) != 0 || line[len] != ':')
			continue;
		value += strspn(value, " \t");
		str_format(buf, size, "%.*s", (int)strcspn(value, "\n"), value);
		return true;
	}
	buf[0] = '\0';
	return false;
}

static bool read_process(pid_t pid, struct process *ret)
{
	char path[64], text[STATUS_MAX], words[512];
	const char *last;
	uint32_t parent;

	str_format(path, sizeof(path), "/proc/%d/status", pid);
	if (io_read_text(AT_FDCWD, path, text, sizeof(text)) < 0)
		return false;
	*ret = (struct process){.pid = pid};
	if (!status_word(text, "PPid", words, sizeof(words)) || parse_u32(words, &parent) < 0)
		return false;
	ret->parent = (pid_t)parent;
	status_word(text, "Name", ret->name, sizeof(ret->name));
	status_word(text, "State", ret->state, sizeof(ret->state));
	ret->state[1] = '\0';
	status_word(text, "VmRSS", ret->rss, sizeof(ret->rss));
	ret->rss[strcspn(ret->rss, " ")] = '\0';
	status_word(text, "Uid", words, sizeof(words));
	str_format(ret->user, sizeof(ret->user), "%.*s", (int)strcspn(words, "\t"), words);
	status_word(text, "NSpid", words, sizeof(words));
	last = strrchr(words, '\t');
	ret->is_nested = last != NULL;
	str_format(ret->inside, sizeof(ret->inside), "%s", last != NULL ? last + 1 : words);
	return true;
}

/* Processor time, "MM:SS" or "H:MM:SS". */
static void time_text(pid_t pid, char *buf, size_t size)
{
	enum { UTIME_FIELD = 14 };
	char path[64], text[1024];
	const char *at;
	unsigned long long user = 0, system = 0, seconds;

	buf[0] = '\0';
	str_format(path, sizeof(path), "/proc/%d/stat", pid);
	if (io_read_text(AT_FDCWD, path, text, sizeof(text)) < 0)
		return;
	at = strrchr(text, ')');
	for (int field = 2; at != NULL && field < UTIME_FIELD; field++)
		at = strchr(at + 1, ' ');
	if (at == NULL)
		return;
	user = strtoull(at, NULL, 10);
	at = strchr(at + 1, ' ');
	system = at != NULL ? strtoull(at, NULL, 10) : 0;
	seconds = (user + system) / (unsigned long long)sysconf(_SC_CLK_TCK);
	str_format(buf, size, "%llu:%llu%llu:%llu%llu", seconds / 3600, seconds / 600 % 6,
		   seconds / 60 % 10, seconds / 10 % 6, seconds % 10);
}

/* Its arguments with blanks between them; "[name]" where it has none. */
static void command_text(const struct process *process, char *buf, size_t size)
{
	char path[64];
	_cleanup_fd_ int fd = -EBADF;
	ssize_t n;

	str_format(path, sizeof(path), "/proc/%d/cmdline", process->pid);
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	n = fd < 0 ? fd : read(fd, buf, size - 1);
	if (n <= 0) {
		str_format(buf, size, "[%s]", process->name);
		return;
	}
	while (n > 0 && buf[n - 1] == '\0')
		n--;
	for (ssize_t i = 0; i < n; i++)
		if (buf[i] == '\0')
			buf[i] = ' ';
	buf[n] = '\0';
}

/* ---- which processes ---- */

/* The pid namespace, or 0 where the kernel does not let us look. */
static ino_t namespace_of(pid_t pid)
{
	char path[64];
	struct stat st;

	str_format(path, sizeof(path), "/proc/%d/ns/pid", pid);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

static bool descends_from(const struct process *process, pid_t ancestor)
{
	struct process above = *process;

	for (int depth = 0; depth < DEPTH_MAX && above.parent > 1; depth++) {
		if (above.parent == ancestor)
			return true;
		if (!read_process(above.parent, &above))
			return false;
	}
	return false;
}

struct pids {
	pid_t *list;
	ssize_t n;
};

static bool add_pid(struct pids *pids, pid_t pid)
{
	pid_t *grown = reallocarray(pids->list, (size_t)pids->n + 1, sizeof(*pids->list));

	if (grown == NULL)
		return false;
	pids->list = grown;
	pids->list[pids->n++] = pid;
	return true;
}

static int walk_proc(const struct live_run *live, struct pids *ret)
{
	ino_t wanted = namespace_of(live->workload.pid);
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int r = 0;

	if (proc == NULL)
		return -errno;
	while (r == 0 && (entry = readdir(proc)) != NULL) {
		struct process process;
		uint32_t pid;
		ino_t found;

		if (parse_u32(entry->d_name, &pid) < 0 || !read_process((pid_t)pid, &process) ||
		    !process.is_nested)
			continue;
		found = namespace_of(process.pid);
		if (found != 0 && wanted != 0 ? found == wanted
					      : descends_from(&process, live->init.pid))
			r = add_pid(ret, process.pid) ? 0 : -ENOMEM;
	}
	closedir(proc);
	return r;
}

/* Of the sandbox whose processes `live` marks. */
static int find_pids(const struct live_run *live, struct pids *ret, struct err *err)
{
	struct cgroup groups;
	int r = -ENOENT;

	if (live->n_groups > 0 && cgroup_open(live->groups, live->n_groups, &groups, err) == 0) {
		ret->n = cgroup_list(&groups, &ret->list);
		cgroup_release(&groups);
		r = ret->n < 0 ? (int)ret->n : 0;
	}
	if (r < 0) {
		ret->n = 0;
		r = walk_proc(live, ret);
	}
	return r < 0 ? err_set(err, ERR_SETUP, -r, "look for the processes") : 0;
}

/* ---- the table ---- */

static const struct column {
	const char *name;
	const char *head;
	size_t width;
} columns[] = {
	{"user", "USER", 11}, {"pid", "PID", 9},     {"inside", "INSIDE", 8},
	{"ppid", "PPID", 9},  {"state", "STATE", 7}, {"rss", "RSS KIB", 9},
	{"time", "TIME", 9},  {"comm", "COMM", 17},  {"command", "COMMAND", 0},
};
enum { N_COLUMNS = sizeof(columns) / sizeof(columns[0]) };

struct chosen {
	const struct column *list[COLUMNS_MAX];
	size_t n;
};

static int choose(const char *text, struct chosen *ret, struct err *err)
{
	ret->n = 0;
	for (const char *at = text; ret->n < COLUMNS_MAX;) {
		size_t len = strcspn(at, ","), i = 0;

		while (i < N_COLUMNS &&
		       (strlen(columns[i].name) != len || strncmp(columns[i].name, at, len) != 0))
			i++;
		if (i == N_COLUMNS) {
			err_set(err, ERR_USAGE, 0, "-o %s: there is no column '%.*s'", text,
				(int)len, at);
			return err_hint(err, "There are user, pid, inside, ppid, state, rss, time, "
					     "comm and command.");
		}
		ret->list[ret->n++] = &columns[i];
		if (at[len] == '\0')
			return 0;
		at += len + 1;
	}
	return err_set(err, ERR_USAGE, 0, "-o: more than %d columns", COLUMNS_MAX);
}

static void cell_text(const struct process *p, const struct column *column, char *buf, size_t size)
{
	const char *text = str_equal(column->name, "user")     ? p->user
			   : str_equal(column->name, "inside") ? p->inside
			   : str_equal(column->name, "state")  ? p->state
			   : str_equal(column->name, "rss")    ? p->rss
			   : str_equal(column->name, "comm")   ? p->name
							       : "";

	str_format(buf, size, "%s", text);
	if (str_equal(column->name, "pid"))
		str_format(buf, size, "%d", p->pid);
	else if (str_equal(column->name, "ppid"))
		str_format(buf, size, "%d", p->parent);
	else if (str_equal(column->name, "time"))
		time_text(p->pid, buf, size);
	else if (str_equal(column->name, "command"))
		command_text(p, buf, size);
}

/* Values are made harmless by print_out. */
static void print_row(const struct chosen *chosen, const struct process *process)
{
	char line[COMMAND_MAX + 512], text[COMMAND_MAX];
	size_t len = 0;

	for (size_t i = 0; i < chosen->n; i++) {
		const struct column *column = chosen->list[i];

		if (process != NULL)
			cell_text(process, column, text, sizeof(text));
		else
			str_format(text, sizeof(text), "%s", column->head);
		len = table_cell(line, sizeof(line), len, text,
				 i + 1 < chosen->n ? column->width : 0);
	}
	while (len > 0 && line[len - 1] == ' ')
		line[--len] = '\0';
	print_out("%s\n", line);
}

static int print_processes(const struct live_run *live, const struct chosen *chosen)
{
	struct pids pids = {0};
	struct err err = {0};
	int r = find_pids(live, &pids, &err);

	if (r < 0)
		print_err(&err);
	else
		print_row(chosen, NULL);
	for (ssize_t i = 0; i < pids.n; i++) {
		struct process process;

		/* init is ours. One that has ended meanwhile may have left its number to another,
		 * which is in no namespace of this depth. */
		if (pids.list[i] != live->init.pid && read_process(pids.list[i], &process) &&
		    process.is_nested)
			print_row(chosen, &process);
	}
	free(pids.list);
	return r;
}

/* In a child, which may have to wait for a hostile process. */
static int print_in_time(const struct live_run *live, const struct chosen *chosen, struct err *err)
{
	_cleanup_fd_ int pidfd = -EBADF;
	struct pollfd fd;
	siginfo_t info = {.si_pid = 0};
	pid_t pid = fork();

	if (pid == 0)
		_exit(print_processes(live, chosen) < 0 ? EXIT_CORDON : 0);
	pidfd = pid > 0 ? sys_pidfd_open(pid, 0) : -errno;
	if (pidfd < 0)
		return err_set(err, ERR_SETUP, -pidfd, "fork");
	fd = (struct pollfd){.fd = pidfd, .events = POLLIN};
	if (poll(&fd, 1, LONGEST_MS) != 1) {
		ignore_result(sys_pidfd_send_signal(pidfd, SIGKILL, 0), "it may have ended");
		err_set(err, ERR_SETUP, ETIMEDOUT, "a process keeps its command line from us");
		err_hint(err, "Without it: cordon top -o user,pid,inside,ppid,time,comm SANDBOX.");
	}
	ignore_result(sys_waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED, NULL), "our own child");
	if (err->sys_errno == ETIMEDOUT)
		return -ETIMEDOUT;
	return info.si_code == CLD_EXITED && info.si_status == 0
		       ? 0
		       : err_set(err, ERR_SETUP, 0, "the list is not whole");
}

/* ---- the command ---- */

static int look(const struct records *records, const char *ref, const struct chosen *chosen,
		struct err *err)
{
	struct sandbox sandbox = {.dir_fd = -EBADF};
	struct sandbox_status status = {.last = {.result = NULL}};
	int r = records_find(records, ref, &sandbox, err);

	if (r == 0)
		r = status_read(records, &sandbox, &status, err);
	if (r == 0 && status.state != SANDBOX_RUNNING && status.state != SANDBOX_PAUSED) {
		err_set(err, ERR_USAGE, 0, "sandbox %s is %s", ref,
			sandbox_state_name(status.state));
		r = err_hint(err, "Start it first: cordon start %s.", ref);
	}
	if (r == 0)
		r = print_in_time(&status.live, chosen, err);
	status_release(&status);
	sandbox_release(&sandbox);
	return r;
}

int cmd_top(const struct cmd_context *context, int argc, char **argv)
{
	struct asked asked = {.columns = "user,pid,inside,ppid,time,command"};
	struct chosen chosen;
	struct records records;
	struct err err = {0};
	int exit_code, n, r;

	(void)argc;
	n = own_flags_parse("top", top_flags, argv + 1, &asked, &exit_code);
	if (n < 0)
		return exit_code;
	if (n != 1) {
		print_note("top wants one sandbox: cordon top SANDBOX");
		return EXIT_CORDON;
	}
	r = choose(asked.columns, &chosen, &err);
	if (r == 0 && kept_open(context, false, &records) < 0)
		return EXIT_CORDON;
	if (r == 0) {
		r = look(&records, argv[1], &chosen, &err);
		kept_close(&records);
	}
	if (r < 0)
		print_err(&err);
	return r < 0 ? err_exit_code(&err) : 0;
}
