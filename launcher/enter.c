/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The client's and the keeper's part of entering a sandbox; see enter.h. */
#include "launcher/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/launch.h"
#include "launcher/limits_text.h"
#include "launcher/preflight.h"
#include "launcher/stdio.h"

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif

enum {
	REAP_TRIES = 100,
	REAP_MS = 5,
	AWAIT_MS = 30000, /* for one message of the program's process */
	AWAIT_LOOK_MS = 100,
};

/* ---- plan ---- */

/* All others make something that the sandbox has. */
static const enum parent_row parent_rows_entering[] = {
	PARENT_STDIO_PIPES,
	PARENT_STDIO_FILES,
	PARENT_HARD_LIMITS,
	PARENT_SESSION_KEYRING,
	PARENT_SCOPE,
	PARENT_OOM_SCORE,
	PARENT_READ_BACK,
	PARENT_CGROUP_MEMBER,
	PARENT_INIT_GONE_AHEAD,
	PARENT_MONITOR,
	PARENT_KEEPER_PRIVILEGES,
};

static const enum child_row child_rows_entering[] = {
	/* supervisor */
	CHILD_UNDUMPABLE,
	CHILD_PARENT_DEATH_SIGNAL,
	CHILD_SESSION,
	/* joiner */
	CHILD_SETUP_IDS,
	CHILD_TERMINAL,
	/* workload: these, and all from CHILD_FIRST_IN_WORKLOAD on */
	CHILD_SCHEDULING,
	CHILD_BOUNDING_SET,
};

void enter_plan(struct plan *plan)
{
	bool parent[PARENT_ROWS] = {false}, child[CHILD_ROWS] = {false};

	plan->shape = SHAPE_ENTER;
	for (size_t i = 0; i < sizeof(parent_rows_entering) / sizeof(parent_rows_entering[0]); i++)
		parent[parent_rows_entering[i]] = true;
	for (size_t i = 0; i < sizeof(child_rows_entering) / sizeof(child_rows_entering[0]); i++)
		child[child_rows_entering[i]] = true;
	for (size_t i = 0; i < PARENT_ROWS; i++)
		plan->parent_wanted[i] = plan->parent_wanted[i] && parent[i];
	for (size_t i = 0; i < CHILD_FIRST_IN_WORKLOAD; i++)
		plan->child_wanted[i] = plan->child_wanted[i] && child[i];
	plan->child_wanted[CHILD_OUTPUT_STDIO] = false;
}

static void look_at_way_in(const struct host_facts *facts, struct misses *misses)
{
	struct miss *m;

	if (facts->way_in != WAY_IN_BARRED)
		return;
	m = preflight_miss(misses, "", (struct spec_origin){.file = ""});
	str_format(m->text, sizeof(m->text),
		   "the caller may not move a process from its own control group into the "
		   "sandbox's");
	limits_text_fix_way_in(facts, m->hint, sizeof(m->hint));
}

void enter_preflight(const struct decision *decision, struct misses *misses)
{
	struct miss *m;

	look_at_way_in(&decision->facts, misses);
	/* The child freezes it by its path, in a mount namespace that has the path. */
	if (decision->plan.ids != IDS_ONE && decision->facts.euid == 0)
		return;
	if (!stdio_has_input_files(decision))
		return;
	m = preflight_miss(misses, "", (struct spec_origin){.file = ""});
	str_format(m->text, sizeof(m->text),
		   "a file at stdin cannot be passed into a sandbox that runs, as a user");
	str_format(m->hint, sizeof(m->hint), "Pipe it in: cat FILE | cordon exec -i ...");
}

/* ---- the keeper ---- */

int enter_hold_namespaces(struct launch *launch, struct err *err)
{
	for (size_t i = 0; i < FACTS_NAMESPACES; i++) {
		char path[64];

		if (!launch->decision->facts.namespaces[i])
			continue;
		str_format(path, sizeof(path), "/proc/%d/ns/%s", launch->workload_pid,
			   facts_namespace_names[i]);
		launch->namespace_fds[i] = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
		if (launch->namespace_fds[i] < 0)
			return err_set(err, ERR_SETUP, -launch->namespace_fds[i], "hold %s", path);
	}
	return 0;
}

int enter_verify_namespaces(struct launch *launch, struct err *err)
{
	for (size_t i = 0; i < FACTS_NAMESPACES; i++)
		if (launch->decision->facts.namespaces[i] && launch->namespace_fds[i] < 0)
			return err_set(err, ERR_SETUP, 0, "the %s namespace is not held",
				       facts_namespace_names[i]);
	return 0;
}

/* ---- the client ---- */

void enter_init(struct launch *launch)
{
	launch->run.has_block = launch->id_block != 0;
	launch->run.block_first = launch->id_block;
}

/* Where ids change the kernel makes a process dumpable by this switch (commit_creds in
 * kernel/cred.c), and 1 is dumpable. */
static int check_stays_undumpable(const struct launch *launch, struct err *err)
{
	static const char path[] = "/proc/sys/fs/suid_dumpable";
	char text[16];
	ssize_t n;

	if (launch->decision->plan.ids == IDS_ONE)
		return 0;
	n = io_read_text(AT_FDCWD, path, text, sizeof(text));
	if (n < 0)
		return err_set(err, ERR_SETUP, (int)-n, "%s", path);
	if (text[0] != '1')
		return 0;
	err_set(err, ERR_SETUP, 0, "%s is 1: what runs in the sandbox could look into cordon",
		path);
	return err_hint(err, "Set it to 0 or 2: sysctl fs.suid_dumpable=0.");
}

int enter_spawn(struct launch *launch, struct err *err)
{
	int pidfd = -EBADF;
	struct sys_clone_args args = {.flags = CLONE_PIDFD,
				      .pidfd = (uint64_t)(uintptr_t)&pidfd,
				      .exit_signal = SIGCHLD};
	pid_t pid;
	int r = check_stays_undumpable(launch, err);

	if (r == 0)
		r = landlock_begin_entering(launch, err);
	if (r < 0)
		return r;
	/* What is left by the supervisor comes back here, not to the host's init: a dead process
	 * counts for the sandbox's limits until it is reaped. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return err_set(err, ERR_SETUP, errno, "subreaper");
	pid = sys_clone3(&args);
	if (pid == 0)
		enter_main(launch);
	if (pid < 0)
		return err_set(err, ERR_SETUP, -pid, "fork the supervisor");
	launch->init_pid = pid;
	launch->init_pidfd = pidfd;
	spawn_close_childs_ends(launch);
	return 0;
}

/* One of those by which a caller ends a command; all signals are blocked (run.c). */
static bool is_asked_to_end(void)
{
	static const int asking[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
	sigset_t pending;

	if (sigpending(&pending) != 0)
		return true;
	for (size_t i = 0; i < sizeof(asking) / sizeof(asking[0]); i++) {
		struct sigaction action;

		if (sigismember(&pending, asking[i]) == 1 &&
		    sigaction(asking[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			return true;
	}
	return false;
}

int enter_await(const struct launch *launch, struct err *err)
{
	struct pollfd message = {.fd = launch->sync_keeper, .events = POLLIN};

	for (int waited = 0; waited < AWAIT_MS; waited += AWAIT_LOOK_MS) {
		int n = poll(&message, 1, AWAIT_LOOK_MS);

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_set(err, ERR_SETUP, errno, "wait for the program's process");
		if (is_asked_to_end())
			return err_set(err, ERR_SETUP, EINTR,
				       "ended by the caller before the program had begun");
	}
	err_set(err, ERR_SETUP, ETIMEDOUT, "the program's process did not get ready");
	return err_hint(err, "Something that runs in the sandbox holds it up, or it is paused: "
			     "`cordon top` shows what runs, `cordon stop` ends it.");
}

/* What was stopped in the sandbox before its death signal was set does not end by itself. These are
 * children that have not been waited for: their numbers are their own. */
static void kill_children(void)
{
	char path[64], text[1024];

	str_format(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	if (io_read_text(AT_FDCWD, path, text, sizeof(text)) < 0)
		return;
	for (char *at = text; *at != '\0';) {
		size_t len = strcspn(at, " ");
		bool is_last = at[len] == '\0';
		uint32_t pid;

		at[len] = '\0';
		if (parse_u32(at, &pid) == 0 && pid > 1 && pid <= INT32_MAX)
			kill((pid_t)pid, SIGKILL);
		at += is_last ? len : len + 1;
	}
}

void enter_reap(void)
{
	siginfo_t info;

	kill_children();
	/* One that is frozen does not end: not for longer than this. */
	for (int i = 0; i < REAP_TRIES; i++) {
		info.si_pid = 0;
		if (sys_waitid(P_ALL, 0, &info, WEXITED | WNOHANG | __WALL, NULL) < 0)
			return;
		if (info.si_pid != 0)
			continue;
		poll(NULL, 0, REAP_MS);
		kill_children();
	}
}

int enter_verify_member(struct launch *launch, struct err *err)
{
	return cgroup_verify_member(&launch->target->groups, launch->workload_pid, err);
}
