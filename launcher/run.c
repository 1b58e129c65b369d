/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of one run, phases 6 to 16: one call a line. See docs/ARCHITECTURE.md for the whole
 * list, child.c for what happens inside at the same time, and supervise.c for the wait.
 *
 * Runs in the keeper, with the caller's privileges until the row keeper_privileges. Whatever fails,
 * the sandbox is killed first and then every applied row is undone in reverse. If the keeper itself
 * is killed, the kernel kills the sandbox (parent death signal), and `cordon gc` undoes the rows
 * from the journal.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/enter.h"
#include "launcher/launch.h"
#include "launcher/secrets.h"

/* ---- conversation ---- */

static int not_this(const struct sync_message *message, enum sync_point wanted, struct err *err)
{
	if (message->point == SYNC_ERROR) {
		*err = message->err;
		return err->sys_errno > 0 ? -err->sys_errno : -EINVAL;
	}
	if (message->point == SYNC_EOF)
		return err_set(err, ERR_SETUP, 0, "the sandbox died while it was made (before %s)",
			       sync_point_name(wanted));
	return err_set(err, ERR_BUG, EPROTO, "wait for %s, got %s", sync_point_name(wanted),
		       sync_point_name(message->point));
}

/* Test builds: the child asks for the kill that its row was told to suffer. */
static bool obeys_fault(struct launch *launch, enum sync_point point)
{
	if (!fault_is_set(&launch->fault))
		return false;
	if (point == SYNC_FAULT_KILL_KEEPER)
		kill(getpid(), SIGKILL);
	if (point == SYNC_FAULT_KILL_INIT)
		ignore_result(sys_pidfd_send_signal(launch->init_pidfd, SIGKILL, 0), "test build");
	return point == SYNC_FAULT_KILL_INIT;
}

static int await_message(const struct launch *launch, struct err *err)
{
	return launch->decision->enters ? enter_await(launch, err) : 0;
}

static int wait_for(struct launch *launch, enum sync_point wanted, struct sync_message *ret,
		    struct err *err)
{
	for (;;) {
		int r = await_message(launch, err);

		if (r < 0)
			return r;
		r = sync_receive(launch->sync_keeper, ret);
		if (r < 0)
			return err_set(err, ERR_SETUP, -r, "wait for %s", sync_point_name(wanted));
		if (ret->point == wanted)
			return 0;
		if (!obeys_fault(launch, ret->point))
			return not_this(ret, wanted, err);
	}
}

static int say(const struct launch *launch, enum sync_point point, struct err *err)
{
	int r = sync_send(launch->sync_keeper, point);
	struct sync_message message;

	if (r == 0)
		return 0;
	/* The child is gone; its last words may still be there. */
	if (sync_receive(launch->sync_keeper, &message) == 0 && message.point == SYNC_ERROR)
		return not_this(&message, point, err);
	return err_set(err, ERR_SETUP, -r, "say %s", sync_point_name(point));
}

/* Of what the keeper found wrong the sandbox's process may have said the reason before it ended. */
static int or_their_reason(struct launch *launch, int r, struct err *err)
{
	struct err theirs;

	if (r < 0 && sync_take_error(launch->sync_keeper, &theirs) == SYNC_LAST_ERROR)
		*err = theirs;
	return r;
}

/* The workload's pid, vouched for by the kernel, and a handle on it while it waits at the gate. */
static int meet_workload(struct launch *launch, struct err *err)
{
	struct sync_message ready;
	int r = wait_for(launch, SYNC_READY, &ready, err);

	if (r < 0)
		return r;
	launch->workload_pid = ready.sender;
	launch->workload_pidfd = sys_pidfd_open(ready.sender, 0);
	if (launch->workload_pidfd < 0)
		r = err_set(err, ERR_SETUP, -launch->workload_pidfd, "handle on the workload");
	return or_their_reason(launch, r, err);
}

/* Where denials are explained: the workload's process waits at the gate, under its filter. */
static int meet_listener(struct launch *launch, struct err *err)
{
	struct sync_message message;
	int r;

	if (!denials_are_explained(launch->decision))
		return 0;
	r = wait_for(launch, SYNC_LISTENER, &message, err);
	if (r == 0)
		launch->notifier.listener_number = message.number;
	return r;
}

/* What the kernel says of workload and init; then nothing is left to do but to let it go. */
static int prove(struct launch *launch, struct err *err)
{
	int r = host_steps_run(launch, PARENT_FIRST_AFTER_READY, PARENT_FIRST_AFTER_FILTER, err);

	if (r == 0)
		r = meet_listener(launch, err);
	if (r == 0)
		r = host_steps_run(launch, PARENT_FIRST_AFTER_FILTER, PARENT_ROWS, err);
	return or_their_reason(launch, r, err);
}

static int open_gate(struct launch *launch, struct err *err)
{
	int r = sync_gate_open(launch->gate);

	return r < 0 ? err_set(err, ERR_SETUP, -r, "let the workload go") : 0;
}

/* After SYNC_EXEC, end-of-file without a frame means that exec happened. */
static int await_exec(struct launch *launch, struct err *err)
{
	struct sync_message message;
	int r = wait_for(launch, SYNC_EXEC, &message, err);

	return r < 0 ? r : wait_for(launch, SYNC_EOF, &message, err);
}

/* ---- before and after ---- */

/* All signals are blocked from here on: the child starts with them blocked and its init keeps them
 * so; the keeper reads them from a signalfd. Stop signals are left alone. */
static int block_signals(sigset_t *ret_old, struct err *err)
{
	static const int left_alone[] = {SIGTSTP, SIGTTIN, SIGTTOU};
	sigset_t all;

	sigfillset(&all);
	for (size_t i = 0; i < sizeof(left_alone) / sizeof(left_alone[0]); i++)
		sigdelset(&all, left_alone[i]);
	/* With SIGCHLD ignored the kernel reaps, and nobody learns how it ended: wait(2). */
	if (signal(SIGCHLD, SIG_DFL) == SIG_ERR)
		return err_set(err, ERR_SETUP, errno, "reset SIGCHLD");
	return sigprocmask(SIG_SETMASK, &all, ret_old) != 0
		       ? err_set(err, ERR_SETUP, errno, "block signals")
		       : 0;
}

/* 0, 1 and those of --fd are the workload's alone: who reads its output sees it being closed. */
static int give_up_stdio(const struct launch *launch, struct err *err)
{
	_cleanup_fd_ int null = sys_openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);

	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
		return err_set(err, ERR_SETUP, null < 0 ? -null : errno, "give up 0 and 1");
	for (size_t i = 0; i < launch->spec->process.n_fds; i++)
		ignore_result(close(launch->spec->process.fds[i]) != 0, "the workload has it");
	return 0;
}

/* Whether a mount shows the same path inside, and dir is that path, below it, or above it: then the
 * directory is there. The program that is shown because it was named is no reason to start beside
 * it. */
static bool leads_to(const struct sandbox_spec *spec, const struct spec_mount *mount,
		     const char *dir)
{
	return mount->type == MOUNT_BIND && str_equal(mount->source, mount->target) &&
	       (path_is_below(dir, mount->target) ||
		(path_is_below(mount->target, dir) &&
		 !str_equal(mount->source, spec->process.program)));
}

/* The caller's directory is the workload's where the same path is shown inside. */
static void find_start_dir(struct launch *launch)
{
	const struct sandbox_spec *spec = launch->spec;
	char *dir = launch->start_dir;
	bool is_visible;

	/* Everything lies below "/": being there says nothing. */
	if (getcwd(dir, sizeof(launch->start_dir)) == NULL || dir[0] != '/' || dir[1] == '\0') {
		dir[0] = '\0';
		return;
	}
	is_visible = spec->rootfs.kind == ROOTFS_HOST && path_is_below(dir, "/usr");
	for (size_t i = 0; i < spec->n_mounts; i++)
		is_visible = is_visible || leads_to(spec, &spec->mounts[i], dir);
	if (!is_visible)
		dir[0] = '\0';
}

/* A message of the setup process that brings a descriptor, which may be missing all the same. */
static int take_fd(struct launch *launch, enum sync_point wanted, int *ret_fd, struct err *err)
{
	struct sync_message message;
	int fd = -EBADF;
	int r;

	do {
		r = await_message(launch, err);
		if (r < 0)
			return r;
		r = sync_receive_with_fd(launch->sync_keeper, &message, &fd);
		if (r < 0)
			return err_set(err, ERR_SETUP, -r, "wait for %s", sync_point_name(wanted));
	} while (fd < 0 && obeys_fault(launch, message.point));
	if (message.point == wanted) {
		*ret_fd = fd;
		return 0;
	}
	close_fd(&fd);
	return not_this(&message, wanted, err);
}

/* The master of the sandbox's pty. */
static int meet_terminal(struct launch *launch, struct err *err)
{
	int fd = -EBADF;
	int r = take_fd(launch, SYNC_TERMINAL, &fd, err);

	return r == 0 ? terminal_accept_master(launch, fd, err) : r;
}

static int meet_stores(struct launch *launch, struct err *err)
{
	int r = 0;

	for (size_t n = stores_count(launch->decision); r == 0 && n > 0; n--) {
		int fd = -EBADF;

		r = take_fd(launch, SYNC_STORE, &fd, err);
		if (r == 0)
			r = stores_accept(launch, fd, err);
	}
	return r;
}

/* A call that the kernel has (preflight knows its version), or that the sandbox's own namespaces
 * permit, is refused: then something around cordon does it. */
static int explain_refusal(int result, struct err *err)
{
	if (err->kind != ERR_SETUP || err->hint[0] != '\0')
		return result;
	if (err->sys_errno == ENOSYS || err->sys_errno == EPERM)
		return err_hint(err,
				"If this is inside a container, its filter or its security "
				"profile forbids that: start cordon outside it, or the container "
				"with --security-opt seccomp=unconfined --security-opt "
				"apparmor=unconfined.");
	return result;
}

/* Which of its descriptors has what is written to the root beside what it was made of. */
static int upper_of(const struct launch *launch)
{
	enum spec_rootfs_kind kind = launch->spec->rootfs.kind;

	if (kind != ROOTFS_DIR && kind != ROOTFS_IMAGE)
		return -EBADF;
	if (launch->decision->writable == WRITABLE_TMPFS && launch->stores.n > 0)
		return launch->stores.fds[0];
	return upper_is_made(launch->decision) ? launch->upper.mount_fd : -EBADF;
}

static struct run_started describe(const struct launch *launch)
{
	return (struct run_started){
		.workload_pid = launch->workload_pid,
		.init_pid = launch->init_pid,
		.run_id = launch->run.id,
		.cgroup = &launch->cgroup,
		.nproc_limit = launch->decision->plan.nproc_limit,
		.stop_grace_ms = launch->spec->process.stop_grace_period_ms,
		.namespace_fds = launch->namespace_fds,
		.places = &launch->places,
		.lent_links = launch->network.lent,
		.upper_fd = upper_of(launch),
	};
}

static int let_go(struct launch *launch, struct err *err)
{
	int r = open_gate(launch, err);

	if (r == 0)
		r = await_exec(launch, err);
	return r == 0 ? give_up_stdio(launch, err) : explain_refusal(r, err);
}

/* What the child needs for none of its rows, while it builds the tree; the gate waits for both. */
static int run_beside_child(struct launch *launch, struct err *err)
{
	int r = host_steps_run(launch, PARENT_FIRST_AFTER_MAPPED, PARENT_FIRST_AFTER_READY, err);
	enum sync_last last = SYNC_LAST_NONE;
	struct err theirs = {0};

	if (r < 0)
		last = sync_take_error(launch->sync_keeper, &theirs);
	if (last == SYNC_LAST_ERROR)
		*err = theirs;
	if (last == SYNC_LAST_EOF)
		return not_this(&(struct sync_message){.point = SYNC_EOF}, SYNC_READY, err);
	return r;
}

static int launch_sandbox(struct launch *launch, struct err *err)
{
	int r = prepare_launch(launch, err);

	if (r == 0)
		r = host_steps_run(launch, PARENT_FIRST, PARENT_FIRST_AFTER_SPAWN, err);
	if (r == 0)
		r = launch->decision->enters ? enter_spawn(launch, err)
					     : spawn_sandbox(launch, err);
	if (r == 0)
		r = host_steps_run(launch, PARENT_FIRST_AFTER_SPAWN, PARENT_FIRST_AFTER_MAPPED,
				   err);
	if (r == 0)
		r = say(launch, SYNC_MAPPED, err);
	if (r == 0)
		r = run_beside_child(launch, err);
	if (r == 0 && launch->decision->plan.child_wanted[CHILD_TERMINAL])
		r = meet_terminal(launch, err);
	if (r == 0 && launch->decision->plan.child_wanted[CHILD_STORES])
		r = meet_stores(launch, err);
	if (r == 0)
		r = meet_workload(launch, err);
	/* They stand on the sandbox's tmpfs. */
	secrets_wipe(launch);
	if (r == 0)
		r = prove(launch, err);
	return r == 0 ? 0 : explain_refusal(r, err);
}

static int run_to_end(struct launch *launch, const struct run_options *options,
		      struct run_result *ret_result, struct err *err)
{
	struct run_started started;
	int r = launch_sandbox(launch, err);

	if (r < 0)
		return r;
	started = describe(launch);
	if (options->at_gate != NULL) {
		options->at_gate(options->ctx, &started);
		return 0;
	}
	r = let_go(launch, err);
	if (r < 0)
		return r;
	if (options->started != NULL)
		options->started(options->ctx, &started);
	return supervise(launch, options, ret_result, err);
}

/* Nothing of the sandbox is left after this, and what its helpers know is in the result. */
static void finish(struct launch *launch, bool has_run, const struct run_options *options,
		   struct run_result *result)
{
	const struct decision *decision = launch->decision;

	memcpy(result->not_enforced, decision->not_enforced, sizeof(decision->not_enforced));
	result->n_not_enforced = decision->n_not_enforced;
	launch_kill(launch);
	/* The mounts go with the last of these. */
	for (size_t i = 0; i < FACTS_NAMESPACES; i++)
		close_fd(&launch->namespace_fds[i]);
	landlock_release_places(&launch->places);
	close_fd(&launch->landlock_ruleset);
	stores_release(&launch->stores);
	/* Before anybody prints: the terminal may still be raw. */
	terminal_finish(launch);
	if (has_run)
		output_collect(launch, result);
	supervise_tell_loss(launch, options);
	denials_finish(launch, has_run ? options->denials : NULL);
	audit_finish(launch, has_run ? options->access : NULL);
	resolver_finish(launch);
	reach_finish(launch, has_run ? options->reach : NULL);
	relay_finish(launch);
	if (has_run && denials_are_explained(decision))
		result->denials = options->denials;
	if (has_run && reach_is_listed(decision))
		result->reach = options->reach;
	if (has_run && audit_is_wanted(decision))
		result->access = options->access;
	if (decision->enters)
		enter_reap();
}

/* A failed undo is an error of its own where nothing worse happened: something was left behind. */
static int undo(struct launch *launch, int result, struct err *err)
{
	struct err undo_err = {0};

	if (host_steps_undo(launch, &undo_err) >= 0 || result < 0)
		return result;
	*err = undo_err;
	return err_hint(err, "Run `cordon gc` to finish what could not be undone.");
}

static void take_options(struct launch *launch, const struct run_options *options)
{
	launch->keeps_file_rights = options->keeps_file_rights;
	launch->id_block = options->id_block;
	launch->target = options->target;
	launch->logs = options->logs;
	launch->terminal_size = options->terminal_size;
	launch->layer_dir_fd = options->layer_dir_fd;
	launch->network_holder = options->network_holder;
	launch->sandbox_name = options->sandbox_name;
	launch->shared_network_fd = options->shared_network_fd;
	launch->linked = options->links;
}

int cordon_run(const struct decision *decision, const struct run_options *options,
	       struct run_result *ret_result, struct err *err)
{
	struct launch launch = {
		.decision = decision,
		.spec = &decision->spec,
		.init_image_fd = -EBADF,
		.root_source = {.tree_fd = -EBADF},
		.state = {.fd = -EBADF, .runs_fd = -EBADF},
		.run = {.journal_fd = -EBADF},
		.sync_keeper = -EBADF,
		.sync_child = -EBADF,
		.gate = -EBADF,
		.status_read = -EBADF,
		.status_write = -EBADF,
		.lifeline_read = -EBADF,
		.lifeline_write = -EBADF,
		.init_gone_read = -EBADF,
		.init_gone_write = -EBADF,
		.init_pidfd = -EBADF,
		.workload_pidfd = -EBADF,
		.terminal_slave = -EBADF,
		.cgroup = {.oom_event_fd = -EBADF},
		.cgroup_facts = &decision->facts.cgroup,
		.notifier = {.pidfd = -EBADF, .control_fd = -EBADF, .listener_fd = -EBADF},
		.auditor = {.pidfd = -EBADF, .control_fd = -EBADF},
		.resolver = {.notes_fd = -EBADF},
		.listener_inside = -EBADF,
		.landlock_ruleset = -EBADF,
		.upper = {.mount_fd = -EBADF, .place_fd = -EBADF, .project_fd = -EBADF},
		.fault = fault_from_environment(),
	};
	sigset_t old_signals;
	int r = block_signals(&old_signals, err);

	if (r < 0)
		return r;
	take_options(&launch, options);
	cordon_let_images_go(decision);
	for (size_t i = 0; i < FACTS_NAMESPACES; i++)
		launch.namespace_fds[i] = -EBADF;
	if (decision->enters)
		enter_init(&launch);
	find_start_dir(&launch);
	terminal_init(&launch.terminal);
	network_init(&launch.network);
	volumes_init(&launch.volumes, options);
	output_init(&launch.output);
	*ret_result = (struct run_result){.kind = RUN_SETUP_FAILED};
	r = run_to_end(&launch, options, ret_result, err);
	finish(&launch, r == 0 && options->at_gate == NULL, options, ret_result);
	r = undo(&launch, r, err);
	launch_release(&launch);
	if (sigprocmask(SIG_SETMASK, &old_signals, NULL) != 0 && r == 0)
		r = err_set(err, ERR_BUG, errno, "restore the signal mask");
	return r;
}
