/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tree of a sandbox that does not run: it is started as ever, by its record, up to where its
 * program would begin, which it does not. So what is looked at is made, checked and confined by
 * what makes it for a run: the layer is checked and locked, the sandbox's namespaces and groups
 * are there.
 *
 * cordon_run takes its process over. So that is a child here (the holder), which hands out the
 * descriptors, and undoes all of it when this process has closed its end of the socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/passing.h"
#include "base/str.h"
#include "base/sys.h"
#include "cmd/inside.h"
#include "cmd/kept.h"
#include "cmd/print.h"
#include "records/status.h"

enum { N_FDS = 3, UNTOLD = 1 };

/* What the holder says, once: the descriptors of the user and the mount namespace and of what is
 * written to come with it, or why it could not be. */
struct held {
	bool is_there;
	bool has_upper;
	struct err err;
	size_t n_groups;
	struct cgroup_known groups[CGROUP_HIERARCHIES_MAX];
};

/* ---- the holder ---- */

struct holder {
	int socket;
	struct held held;
};

static void say(struct holder *holder, int fds[N_FDS])
{
	const struct passing message = {.bytes = &holder->held,
					.size = sizeof(holder->held),
					.fds = fds,
					.n = fds == NULL ? 0 : N_FDS};

	ignore_result(passing_send(holder->socket, &message, 0), "then nobody is there");
}

/* run_options.at_gate: until the other side is done, or gone. */
static void hold(void *ctx, const struct run_started *started)
{
	struct holder *holder = ctx;
	const int *fds = started->namespace_fds;
	bool has_upper = started->upper_fd >= 0;
	char byte;

	holder->held.is_there = true;
	holder->held.has_upper = has_upper;
	holder->held.n_groups = started->cgroup->n;
	for (size_t i = 0; i < started->cgroup->n; i++) {
		const struct cgroup_place *place = &started->cgroup->places[i];
		struct cgroup_known *group = &holder->held.groups[i];

		group->version = place->version;
		group->controllers = place->controllers;
		str_format(group->path, sizeof(group->path), "%s", place->path);
		str_format(group->self_path, sizeof(group->self_path), "%s", place->self_path);
	}
	say(holder, (int[N_FDS]){fds[0], fds[1], has_upper ? started->upper_fd : fds[0]});
	while (recv(holder->socket, &byte, 1, 0) < 0 && errno == EINTR)
		;
}

static int run_holder(struct holder *holder, const struct verdict *verdict,
		      const struct inside *inside)
{
	char network[PATH_MAX];
	const struct run_options options = {.at_gate = hold,
					    .ctx = holder,
					    .id_block = inside->record->id_block,
					    /* Its anonymous volumes are those of its runs. */
					    .sandbox_id = inside->sandbox->id,
					    .keeps_volumes = true,
					    .layer_dir_fd = &inside->sandbox->dir_fd,
					    .network_holder = network,
					    .attach_fd = -EBADF};
	_cleanup_fd_ int null = sys_openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);
	struct run_result result;
	int r = null < 0 ? null : 0;

	records_path(inside->records, inside->sandbox->id, true, network, sizeof(network));
	for (int fd = 0; r == 0 && fd < 3; fd++)
		r = dup2(null, fd) < 0 ? -errno : 0;
	if (r < 0)
		err_set(&holder->held.err, ERR_SETUP, -r, "descriptors 0 to 2");
	else
		r = cordon_run(&verdict->decision, &options, &result, &holder->held.err);
	if (!holder->held.is_there)
		say(holder, NULL);
	return r < 0 ? UNTOLD : 0;
}

/* ---- the client ---- */

static int receive(int socket, struct held *ret, int fds[N_FDS])
{
	const struct passing message = {.bytes = ret, .size = sizeof(*ret), .fds = fds, .n = N_FDS};
	int n = passing_receive(socket, &message);

	if (n < 0)
		return n;
	return ret->is_there == (n == N_FDS) ? 0 : -EPROTO;
}

static int work_on(const struct inside_work *work, const struct inside *found, int socket,
		   struct err *err)
{
	_cleanup_free_ struct held *held = calloc(1, sizeof(*held));
	int fds[N_FDS] = {-EBADF, -EBADF, -EBADF};
	struct inside inside = *found;
	struct run_target target = {.groups = {.oom_event_fd = -EBADF},
				    .id_block = found->record->id_block};
	int r = held == NULL ? -ENOMEM : receive(socket, held, fds);

	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "sandbox %s: make its root", found->ref);
	if (!held->is_there) {
		*err = held->err;
		return -EINVAL;
	}
	for (size_t i = 0; i < FACTS_NAMESPACES; i++)
		target.namespace_fds[i] = -EBADF;
	target.namespace_fds[0] = fds[0];
	target.namespace_fds[1] = fds[1];
	target.upper_fd = held->has_upper ? fds[2] : -EBADF;
	if (!held->has_upper)
		close_fd(&fds[2]);
	r = cgroup_open(held->groups, held->n_groups, &target.groups, err);
	if (r == 0) {
		inside.target = &target;
		inside.is_stopped = true;
		r = work->run(work->ctx, &inside, err);
	}
	target_release(&target);
	return r;
}

/* What is done meanwhile holds its descriptors, and is over before the sandbox is undone. */
static int fork_holder(const struct inside_work *work, const struct inside *found,
		       const struct verdict *verdict, struct err *err)
{
	_cleanup_fd_ int ours = -EBADF, theirs = -EBADF;
	siginfo_t info;
	int pair[2], r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return err_set(err, ERR_SETUP, errno, "socket pair");
	ours = pair[0];
	theirs = pair[1];
	pid = fork();
	if (pid < 0)
		return err_set(err, ERR_SETUP, errno, "fork");
	if (pid == 0) {
		struct holder *holder = calloc(1, sizeof(*holder));

		close_fd(&ours);
		if (holder == NULL)
			_exit(UNTOLD);
		holder->socket = theirs;
		_exit(run_holder(holder, verdict, found));
	}
	close_fd(&theirs);
	r = work_on(work, found, ours, err);
	close_fd(&ours);
	if (sys_waitid(P_PID, (id_t)pid, &info, WEXITED, NULL) == 0 && r == 0 &&
	    info.si_status != 0)
		r = err_set(err, ERR_SETUP, 0,
			    "sandbox %s: not all of what its root took is undone: cordon gc",
			    found->ref);
	return r;
}

/* ---- what it takes ---- */

static int decide(const struct inside *found, struct verdict *verdict, struct err *err)
{
	struct run_request request = found->record->request, now;
	int r = kept_enter_directory(found->record, err);

	if (r < 0)
		return r;
	cmd_request_init(found->context, &now);
	request.root_dir = now.root_dir;
	request.runtime_dir = now.runtime_dir;
	request.kept_dir = found->records->home;
	request.keeps_stdin = request.keeps_terminal = false;
	r = kept_decide_silent(verdict, &request);
	if (r == 0)
		return 0;
	print_refusal(&verdict->problems, &verdict->misses, &verdict->err);
	err_set(err, ERR_PREFLIGHT, 0, "sandbox %s: its root cannot be made", found->ref);
	return -EINVAL;
}

static int refuse_gone(const char *ref, struct err *err)
{
	err_set(err, ERR_USAGE, 0, "sandbox %s does not run, and nothing of its root is kept", ref);
	return err_hint(err,
			"Start it first: cordon start %s. A root that is kept takes root, an image "
			"and --storage-opt size=1g.",
			ref);
}

int inside_do_stopped(const struct inside_work *work, const struct inside *found, struct err *err)
{
	_cleanup_verdict_ struct verdict *verdict = verdict_new();
	_cleanup_fd_ int here = sys_openat(AT_FDCWD, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	int r;

	if (verdict == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "sandbox %s", found->ref);
	if (!found->sandbox->is_kept)
		return refuse_gone(found->ref, err);
	r = sandbox_lock(found->records, found->sandbox, err);
	if (r == 0 && records_is_running(found->sandbox)) {
		err_set(err, ERR_USAGE, EBUSY, "sandbox %s was started meanwhile", found->ref);
		return err_hint(err, "Try again.");
	}
	if (r == 0)
		r = status_settle(found->records, found->sandbox, err);
	if (r >= 0)
		r = decide(found, verdict, err);
	/* The caller's words are taken from where the caller is. */
	if (here >= 0 && fchdir(here) != 0)
		r = err_set(err, ERR_SETUP, errno, "the current directory");
	if (r < 0)
		return r;
	if (verdict->decision.writable != WRITABLE_IMAGE &&
	    verdict->decision.writable != WRITABLE_PROJECT)
		return refuse_gone(found->ref, err);
	return fork_holder(work, found, verdict, err);
}
