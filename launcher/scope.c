/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See scope.h. Runs in the keeper. What the program prints is not believed: the kernel must say
 * that this process is in that group, and the place is looked at again as if it had been there from
 * the beginning. Nothing to undo: systemd removes a scope when its last process, this one, is gone.
 */
#include "launcher/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/program.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/limits.h"

enum { ANSWER_MAX = 1024, PATIENCE_MS = 4000 };

static const char program_name[] = "cordon-scope";
static const char init_scope[] = "/init.scope";

/* ---- the manager ---- */

/* The process that made the socket; 0 where it is not `uid`'s, or in another pid namespace. */
static pid_t peer_of(const char *path, uid_t uid)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return 0;
	str_format(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.uid != uid)
		return 0;
	return peer.pid;
}

static bool runtime_dir_of(const char *runtime_dir, const struct host_facts *facts, char *buf,
			   size_t size)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789/_.-";
	struct stat st;

	/* As root nothing of the caller's environment counts. */
	if (facts->host_euid == 0)
		str_format(buf, size, "/run");
	else if (runtime_dir != NULL && runtime_dir[0] == '/' && strlen(runtime_dir) < size)
		str_format(buf, size, "%s", runtime_dir);
	else
		str_format(buf, size, "/run/user/%u", facts->host_euid);
	/* It becomes part of a D-Bus address. */
	return buf[strspn(buf, allowed)] == '\0' && stat(buf, &st) == 0 &&
	       st.st_uid == facts->host_euid && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* The manager whose scopes are the caller's to ask for, and the directory of its sockets; 0 where
 * there is none. */
static pid_t find_manager(const char *runtime_dir, const struct host_facts *facts, char *buf,
			  size_t size)
{
	char path[sizeof(facts->scope_runtime_dir) + 32];

	if (!runtime_dir_of(runtime_dir, facts, buf, size))
		return 0;
	str_format(path, sizeof(path), "%s/systemd/private", buf);
	return peer_of(path, facts->host_euid);
}

/* The manager's own group; false where it is not shown here, and neither would its scopes be. */
static bool group_of_manager(pid_t manager, char *buf, size_t size)
{
	char number[16];

	str_format(number, sizeof(number), "%d", manager);
	return manager > 0 && cgroup_path_of(number, buf, size) && !str_has_prefix(buf, "/..");
}

/* What the manager may hand on: the controllers of the group that it manages. */
static uint32_t controllers_of(char *group, const struct cgroup_hierarchy *h)
{
	char path[CGROUP_DIR_MAX * 2 + 32];
	size_t len = strlen(group);

	if (len >= sizeof(init_scope) - 1 &&
	    str_equal(group + len - (sizeof(init_scope) - 1), init_scope))
		group[len - (sizeof(init_scope) - 1)] = '\0';
	str_format(path, sizeof(path), "%s%s", h->top, group);
	return cgroup_read_controllers(path);
}

/* On v2. */
static const uint32_t EVERY_GROUP_HAS = 1U << CGROUP_CPUACCT | 1U << CGROUP_FREEZER;

static struct cgroup_hierarchy *hierarchy_of_v2(struct cgroup_facts *facts)
{
	for (size_t i = 0; i < facts->n_hierarchies; i++)
		if (facts->hierarchies[i].version == CGROUP_V2)
			return &facts->hierarchies[i];
	return NULL;
}

static bool could_be_divided(enum cgroup_obstacle obstacle)
{
	return obstacle == CGROUP_NOT_DELEGATED || obstacle == CGROUP_BUSY ||
	       obstacle == CGROUP_MANAGED || obstacle == CGROUP_NOT_ENABLED;
}

void scope_probe(const char *runtime_dir, uint32_t wanted, struct host_facts *facts)
{
	struct cgroup_hierarchy *h = hierarchy_of_v2(&facts->cgroup);
	char dir[sizeof(facts->scope_runtime_dir)], group[CGROUP_DIR_MAX];
	_cleanup_fd_ int program = -EBADF;
	uint32_t controllers, missing = 0;

	for (enum cgroup_controller c = 0; h != NULL && c < CGROUP_CONTROLLERS; c++)
		if ((h->present & wanted & 1U << c) != 0 &&
		    could_be_divided(facts->cgroup.obstacle[c]))
			missing |= 1U << c;
	if (missing == 0 || !group_of_manager(find_manager(runtime_dir, facts, dir, sizeof(dir)),
					      group, sizeof(group)))
		return;
	controllers = controllers_of(group, h) | EVERY_GROUP_HAS;
	/* One group for all of them: nothing that can be had already is given up for it. */
	if ((missing & controllers) == 0 || (h->controllers & ~controllers) != 0)
		return;
	program = program_open(program_name);
	if (program < 0) {
		facts->scope_lost = missing & controllers;
		facts->scope_errno = -program;
		return;
	}
	str_format(facts->scope_runtime_dir, sizeof(facts->scope_runtime_dir), "%s", dir);
	h->asks_scope = h->steps_aside = true;
	h->controllers = controllers & h->present;
	h->to_enable = h->controllers & ~EVERY_GROUP_HAS;
	str_format(h->parent, sizeof(h->parent), "a scope for which systemd will be asked");
	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++)
		if ((h->present & 1U << c) != 0)
			facts->cgroup.obstacle[c] =
				(controllers & 1U << c) != 0 ? CGROUP_USABLE : CGROUP_NOT_ENABLED;
	cgroup_look_at_swap(&facts->cgroup);
}

void scope_probe_way_in(const char *runtime_dir, const struct cgroup *groups,
			struct host_facts *facts)
{
	char dir[sizeof(facts->scope_runtime_dir)], own[CGROUP_DIR_MAX], group[CGROUP_DIR_MAX];
	_cleanup_fd_ int program = -EBADF;

	if (groups->n == 0 || !cgroup_path_of("self", own, sizeof(own)) ||
	    cgroup_may_enter(groups, own))
		return;
	facts->way_in = WAY_IN_BARRED;
	/* Its scopes lie beside its own group. */
	if (!group_of_manager(find_manager(runtime_dir, facts, dir, sizeof(dir)), group,
			      sizeof(group)) ||
	    !cgroup_may_enter(groups, group))
		return;
	program = program_open(program_name);
	if (program < 0) {
		facts->scope_errno = -program;
		return;
	}
	str_format(facts->scope_runtime_dir, sizeof(facts->scope_runtime_dir), "%s", dir);
	facts->way_in = WAY_IN_BY_SCOPE;
}

/* ---- the rows ---- */

bool scope_is_wanted(const struct decision *d)
{
	const struct cgroup_facts *facts = &d->facts.cgroup;

	if (d->enters)
		return d->facts.way_in == WAY_IN_BY_SCOPE;
	for (size_t i = 0; i < facts->n_hierarchies; i++)
		if (facts->hierarchies[i].asks_scope &&
		    (facts->hierarchies[i].controllers & d->limits.controllers) != 0)
			return true;
	return false;
}

static _Noreturn void execute(int program, int output, const struct host_facts *facts, char *unit)
{
	char *argv[] = {(char *)program_name, (char *)(facts->host_euid == 0 ? "system" : "user"),
			(char *)facts->scope_runtime_dir, unit, NULL};
	char *envp[] = {NULL};
	sigset_t none;

	sigemptyset(&none);
	if (dup2(output, 1) < 0 || dup2(1, 2) < 0 || chdir("/") != 0 ||
	    sigprocmask(SIG_SETMASK, &none, NULL) != 0)
		_exit(126);
	ignore_result(program_exec(program, argv, envp), "it returns only on failure");
	_exit(127);
}

/* All that it prints, until it closes its end or the time is over. */
static int read_answer(int fd, char *buf, size_t size)
{
	int64_t until = sys_monotonic_ms() + PATIENCE_MS;
	size_t len = 0;

	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		int64_t left = until - sys_monotonic_ms();
		ssize_t n;

		if (left <= 0 || poll(&ready, 1, (int)left) == 0)
			return -ETIMEDOUT;
		if (len + 1 >= size)
			return -EFBIG;
		n = read(fd, buf + len, size - 1 - len);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	buf[len] = '\0';
	return 0;
}

/* One line. */
static int run_program(const struct host_facts *facts, char *unit, char *answer, size_t size,
		       struct err *err)
{
	_cleanup_fd_ int program = program_open(program_name);
	_cleanup_fd_ int ours = -EBADF, theirs = -EBADF;
	siginfo_t info = {0};
	int ends[2];
	pid_t pid;
	int r;

	if (program < 0)
		return err_set(err, ERR_SETUP, -program, "%s", program_name);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set(err, ERR_SETUP, errno, "pipe of %s", program_name);
	ours = ends[0];
	theirs = ends[1];
	pid = fork();
	if (pid == 0)
		execute(program, theirs, facts, unit);
	if (pid < 0)
		return err_set(err, ERR_SETUP, errno, "fork %s", program_name);
	close_fd(&theirs);
	r = read_answer(ours, answer, size);
	if (r < 0)
		kill(pid, SIGKILL);
	ignore_result(sys_waitid(P_PID, (id_t)pid, &info, WEXITED, NULL), "our own child");
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: its answer", program_name);
	io_chomp(answer);
	str_make_harmless(answer, strlen(answer));
	if (info.si_code == CLD_EXITED && info.si_status == 0)
		return 0;
	return err_set(err, ERR_SETUP, 0, "systemd gives no scope: %s",
		       answer[0] != '\0' ? answer : "no answer in time");
}

/* Whether the answer is a path that ends with the unit, and the kernel says the same of this
 * process. */
static int check_answer(const char *answer, const char *unit, struct err *err)
{
	char own[CGROUP_DIR_MAX];
	size_t len = strlen(answer), n = strlen(unit);

	if (answer[0] != '/' || len <= n || !str_equal(answer + len - n, unit) ||
	    answer[len - n - 1] != '/')
		return err_set(err, ERR_SETUP, 0, "%s: not the path of %s: %s", program_name, unit,
			       answer);
	if (!cgroup_path_of("self", own, sizeof(own)) || !str_equal(own, answer))
		return err_set(err, ERR_SETUP, 0, "systemd has not moved cordon into %s", answer);
	return 0;
}

static int ask(struct launch *launch, struct err *err)
{
	char unit[64], answer[ANSWER_MAX] = "";
	int r;

	/* Whoever enters has no run of its own. */
	if (launch->decision->enters)
		str_format(unit, sizeof(unit), "cordon-exec-%d.scope", (int)getpid());
	else
		str_format(unit, sizeof(unit), "cordon-%s.scope", launch->run.id);
	r = run_program(&launch->decision->facts, unit, answer, sizeof(answer), err);
	return r == 0 ? check_answer(answer, unit, err) : r;
}

static int hint_at_own_scope(const struct decision *d, struct err *err)
{
	const char *user = d->facts.host_euid == 0 ? "" : "--user ";

	if (d->enters)
		return err_hint(err,
				"Start it in a scope of the same manager's: systemd-run %s--scope "
				"cordon exec ...",
				user);
	return err_hint(err,
			"Start it in a scope of your own: systemd-run %s--scope -p Delegate=yes "
			"cordon run ...; or name a group with --cgroup-parent.",
			user);
}

int scope_ask(struct launch *launch, struct err *err)
{
	int r = ask(launch, err);

	if (r < 0)
		return hint_at_own_scope(launch->decision, err);
	if (launch->decision->enters)
		return 0;
	r = cgroup_probe(NULL, CGROUP_ALL, &launch->scope_facts, err);
	if (r == 0)
		launch->cgroup_facts = &launch->scope_facts;
	return r;
}

static int verify_way_in(const struct launch *launch, struct err *err)
{
	char own[CGROUP_DIR_MAX];

	if (cgroup_path_of("self", own, sizeof(own)) &&
	    cgroup_may_enter(&launch->target->groups, own))
		return 0;
	return err_set(err, ERR_SETUP, 0,
		       "cordon is in no scope from which the sandbox's group can be entered");
}

int scope_verify(struct launch *launch, struct err *err)
{
	const struct cgroup_hierarchy *h = hierarchy_of_v2(&launch->scope_facts);
	uint32_t wanted = launch->decision->limits.controllers;

	if (launch->decision->enters)
		return verify_way_in(launch, err);
	if (h == NULL || !h->steps_aside)
		return err_set(err, ERR_SETUP, 0, "cordon is in no scope of its own");
	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++)
		if ((wanted & 1U << c) != 0 && launch->scope_facts.obstacle[c] != CGROUP_USABLE)
			return err_set(err, ERR_SETUP, 0, "systemd's scope has not got %s",
				       cgroup_controller_names[c]);
	return 0;
}
