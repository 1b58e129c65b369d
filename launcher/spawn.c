/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Phase 8: makes the child by the plan's shape, with a pidfd. Runs in the keeper. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "launcher/launch.h"

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif

static int refuse(pid_t result, struct err *err)
{
	err_set(err, ERR_SETUP, -result, "make the sandbox's namespaces");
	if (result == -ENOSPC)
		return err_hint(err,
				"A limit below /proc/sys/user is reached (max_user_namespaces, "
				"max_net_namespaces, ...), or namespaces are nested too deep.");
	if (result == -EPERM || result == -ENOSYS)
		return err_hint(
			err,
			"User namespaces are forbidden here, by a surrounding container's filter "
			"or a security module: start cordon outside it, or the container with "
			"--security-opt seccomp=unconfined --security-opt apparmor=unconfined.");
	if (result == -EAGAIN)
		return err_hint(err,
				"The caller's own limit of processes (ulimit -u, or a cgroup) is "
				"reached.");
	return result;
}

int spawn_sandbox(struct launch *launch, struct err *err)
{
	int pidfd = -EBADF;
	struct sys_clone_args args = {
		.flags = launch->decision->plan.namespaces | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	int group = cgroup_clone_fd(&launch->cgroup);
	int home = -EBADF;
	pid_t pid;
	int r = network_enter_shared(launch, &home, err);

	if (r < 0)
		return r;
	if (group >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)group;
	}
	pid = sys_clone3(&args);
	if (pid == 0)
		child_main(launch);
	r = network_return_home(&home, err);
	if (pid < 0)
		return refuse(pid, err);
	launch->init_pid = pid;
	launch->init_pidfd = pidfd;
	if (r < 0)
		return r;
	spawn_close_childs_ends(launch);
	return 0;
}

void spawn_close_childs_ends(struct launch *launch)
{
	/* The child's ends: as long as the keeper held them, their end-of-file would never come. */
	close_fd(&launch->sync_child);
	close_fd(&launch->status_write);
	close_fd(&launch->lifeline_read);
	close_fd(&launch->init_gone_write);
	close_fd(&launch->init_image_fd);
	output_close_write_ends(&launch->output);
	/* The child attaches its own copies. The last one to close a mount that lies nowhere waits
	 * until the kernel has forgotten it: not at the end of the run. */
	close_fd(&launch->root_source.tree_fd);
	for (size_t i = 0; i < NAME_FILES; i++)
		close_fd(&launch->network.file_fds[i]);
	for (size_t i = 0; i < launch->n_layers; i++)
		close_fd(&launch->layers[i].tree_fd);
	for (size_t i = 0; i < launch->spec->n_mounts; i++)
		close_fd(&launch->sources[i].tree_fd);
}
