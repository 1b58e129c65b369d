/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Phase 6: everything that can be made ready without a change of the host. Runs in the keeper.
 * Afterwards the child finds only finished data: a filter, an image of init, a list of mounts.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/sys.h"
#include "launcher/init_image.h"
#include "launcher/launch.h"
#include "launcher/secrets.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* kernel 6.3 */
#endif

enum { GUARD = 4096 };

/* Makes a sealed, unreadable copy of a program. Mode 0111: a process that executes
 * a file which it may not read is not dumpable from its first instruction on, so that nobody inside
 * can look into it (would_dump in the kernel's fs/exec.c). */
int prepare_image(const char *name, const char *bytes, size_t size, struct err *err)
{
	_cleanup_fd_ int fd = sys_memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	int r;

	if (fd == -EINVAL) /* before 6.3 every memfd is executable */
		fd = sys_memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0) {
		err_set(err, ERR_PREFLIGHT, -fd, "memfd for %s", name);
		return err_hint(err, "Where vm.memfd_noexec is 2, set it to 1 as root.");
	}
	r = io_write_all(fd, bytes, size);
	if (r == 0 && (fchmod(fd, 0111) != 0 || fcntl(fd, F_ADD_SEALS, seals) != 0))
		r = -errno;
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "image of %s", name);
	return steal_fd(&fd);
}

static struct rootfs_source source_from(const struct source_fact *fact)
{
	return (struct rootfs_source){.tree_fd = -EBADF,
				      .dev_major = fact->dev_major,
				      .dev_minor = fact->dev_minor,
				      .ino = fact->ino,
				      .is_dir = fact->is_dir,
				      .path = fact->path};
}

/* A copy that the row placeholders can write to: what it makes has no identity before. */
static int copy_protected(struct launch *launch)
{
	const struct sandbox_spec *spec = launch->spec;
	size_t n = 0;

	for (size_t i = 0; i < spec->n_mounts; i++)
		n += spec->mounts[i].n_protected;
	launch->protected = calloc(n + 1, sizeof(*launch->protected));
	if (launch->protected == NULL)
		return -ENOMEM;
	n = 0;
	for (size_t i = 0; i < spec->n_mounts; i++) {
		launch->sources[i].protected = launch->protected + n;
		for (size_t k = 0; k < spec->mounts[i].n_protected; k++)
			launch->protected[n++] = launch->decision->sources[i].protected[k];
	}
	return 0;
}

static int prepare_sources(struct launch *launch, struct err *err)
{
	const struct decision *d = launch->decision;

	launch->sources = calloc(launch->spec->n_mounts + 1, sizeof(*launch->sources));
	launch->own_mounts = calloc(d->tree.n_ops + 2, sizeof(*launch->own_mounts));
	if (launch->sources == NULL || launch->own_mounts == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "mount sources");
	for (size_t i = 0; i < launch->spec->n_mounts; i++)
		launch->sources[i] = source_from(&d->sources[i]);
	if (copy_protected(launch) < 0)
		return err_set(err, ERR_SETUP, ENOMEM, "protected paths");
	launch->root_source = source_from(&d->root_source);
	launch->layers = calloc(d->n_layers + 1, sizeof(*launch->layers));
	if (launch->layers == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "layers of the image");
	launch->n_layers = d->n_layers;
	for (size_t i = 0; i < d->n_layers; i++)
		launch->layers[i] = source_from(&d->layers[i]);
	launch->rootfs = (struct rootfs_run){
		.spec = launch->spec,
		.tree = &d->tree,
		.sources = launch->sources,
		.secrets = launch->secrets,
		.own_mounts = launch->own_mounts,
		.lowers = launch->spec->rootfs.kind == ROOTFS_DIR ? &launch->root_source
								  : launch->layers,
		.n_lowers = launch->spec->rootfs.kind == ROOTFS_DIR ? 1 : launch->n_layers,
		.staging_fd = -EBADF,
		.store_fd = -EBADF,
		.root_fd = -EBADF,
		.dev_fd = -EBADF,
		.proc_fd = -EBADF,
		.etc_fd = -EBADF,
		.empty_dir_fd = -EBADF,
		.empty_file_fd = -EBADF,
	};
	return 0;
}

static int make_pipe(int *ret_read, int *ret_write, struct err *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_set(err, ERR_SETUP, errno, "pipe");
	*ret_read = fds[0];
	*ret_write = fds[1];
	return 0;
}

/* The stack on which the workload's process runs its rows. */
static int make_workload_stack(struct launch *launch, struct err *err)
{
	void *guard = mmap(NULL, GUARD + WORKLOAD_STACK, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (guard == MAP_FAILED)
		return err_set(err, ERR_SETUP, errno, "stack of the workload's process");
	launch->workload_stack = (char *)guard + GUARD;
	if (mprotect(launch->workload_stack, WORKLOAD_STACK, PROT_READ | PROT_WRITE) != 0)
		return err_set(err, ERR_SETUP, errno, "stack of the workload's process");
	return 0;
}

static int prepare_filter(struct launch *launch, struct err *err)
{
	int r;

	if (fault_replaces_filter(&launch->filter, &launch->n_filter))
		return 0;
	r = policy_seccomp_compile(&launch->spec->seccomp, &launch->filter, &launch->n_filter, err);
	if (r < 0 || !denials_are_explained(launch->decision))
		return r;
	return policy_seccomp_compile_notifying(&launch->spec->seccomp, &launch->asking_filter,
						&launch->n_asking_filter, err);
}

int prepare_launch(struct launch *launch, struct err *err)
{
	int pair[2];
	int r = upper_check_layer(launch, err);

	if (r == 0)
		r = prepare_filter(launch, err);

	if (r == 0)
		r = prepare_sources(launch, err);
	if (r == 0)
		r = make_workload_stack(launch, err);
	if (r == 0 && launch->decision->plan.child_wanted[CHILD_SECRETS])
		r = secrets_read(launch, err);
	if (r < 0)
		return r;
	launch->init_image_fd = prepare_image("cordon-init", init_image, init_image_size, err);
	if (launch->init_image_fd < 0)
		return launch->init_image_fd;
	r = sync_pair(pair);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "socket pair");
	launch->sync_keeper = pair[0];
	launch->sync_child = pair[1];
	launch->gate = sync_gate_make();
	if (launch->gate < 0)
		return err_set(err, ERR_SETUP, -launch->gate, "eventfd");
	r = make_pipe(&launch->status_read, &launch->status_write, err);
	if (r == 0)
		r = make_pipe(&launch->lifeline_read, &launch->lifeline_write, err);
	if (r == 0)
		r = make_pipe(&launch->init_gone_read, &launch->init_gone_write, err);
	return r;
}

static void close_all(int *const fds[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		close_fd(fds[i]);
}

void launch_release(struct launch *launch)
{
	int *const fds[] = {
		&launch->init_image_fd,        &launch->sync_keeper,
		&launch->sync_child,           &launch->gate,
		&launch->status_read,          &launch->status_write,
		&launch->lifeline_read,        &launch->lifeline_write,
		&launch->init_gone_read,       &launch->init_gone_write,
		&launch->init_pidfd,           &launch->workload_pidfd,
		&launch->run.journal_fd,       &launch->root_source.tree_fd,
		&launch->notifier.pidfd,       &launch->notifier.control_fd,
		&launch->notifier.listener_fd, &launch->auditor.pidfd,
		&launch->auditor.control_fd,   &launch->upper.mount_fd,
		&launch->upper.place_fd,       &launch->upper.project_fd,
	};

	close_all(fds, sizeof(fds) / sizeof(fds[0]));
	for (size_t i = 0; launch->sources != NULL && i < launch->spec->n_mounts; i++)
		close_fd(&launch->sources[i].tree_fd);
	for (size_t i = 0; i < launch->n_layers; i++)
		close_fd(&launch->layers[i].tree_fd);
	free(launch->layers);
	launch->layers = NULL;
	launch->n_layers = 0;
	state_root_release(&launch->state);
	if (launch->workload_stack != NULL)
		munmap(launch->workload_stack - GUARD, GUARD + WORKLOAD_STACK);
	launch->workload_stack = NULL;
	free(launch->sources);
	secrets_release(launch);
	placeholders_release(launch->placeholders, launch->n_placeholders);
	free(launch->protected);
	launch->protected = NULL;
	free(launch->own_mounts);
	launch->own_mounts = NULL;
	terminal_release(&launch->terminal);
	output_release(&launch->output);
	stores_release(&launch->stores);
	free(launch->filter);
	free(launch->asking_filter);
	launch->sources = NULL;
	launch->filter = NULL;
	launch->asking_filter = NULL;
	network_release(&launch->network);
	network_links_release(&launch->links);
	volumes_end(&launch->volumes);
}
