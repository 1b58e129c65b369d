/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon gc`: finishes what killed runs and commands could not undo. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cmd/cmd.h"
#include "cmd/network.h"
#include "cmd/print.h"
#include "cmd/update_apply.h"
#include "cmd/volume.h"
#include "cmd/volume_freeze.h"
#include "storage/store.h"

/* What ended commands left in the store of images. Without a place for one there is none. */
static int gc_images(const struct cmd_context *context, uint32_t *ret_removed)
{
	char path[PATH_MAX];
	struct err err = {0};
	int r;

	*ret_removed = 0;
	if (cmd_image_store(context, path, &err) < 0)
		return 0;
	r = store_gc(path, ret_removed, &err);
	if (r < 0)
		print_err(&err);
	return r;
}

static int gc_writable(const struct run_request *request, uint32_t *ret_removed,
		       uint32_t *ret_templates)
{
	const struct state_owner owner = {.root_dir = request->root_dir,
					  .euid = geteuid(),
					  .environment = request->environment,
					  .home = request->home};
	char path[PATH_MAX];
	struct err err = {0};
	int r = state_kept_path(&owner, path, sizeof(path), &err);

	*ret_removed = *ret_templates = 0;
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = cordon_gc_writable(path, ret_removed, ret_templates, &err);
	if (r < 0)
		print_err(&err);
	return r;
}

struct gc_of_networks {
	uint32_t n_removed;
	uint32_t n_settled;
	char bridge[IFNAMSIZ]; /* the default network's, where it was removed; else "" */
};

/* Half-made networks, addresses of nobody, a default bridge that nobody uses, and rates that are
 * not as recorded. */
static int gc_networks(const struct cmd_context *context, struct gc_of_networks *ret)
{
	_cleanup_fd_ int lock_fd = -EBADF;
	struct network_place place;
	struct err err = {0};
	int r;

	*ret = (struct gc_of_networks){.n_removed = 0};
	/* Without a place for what is kept there are none. */
	if (context->root_dir == NULL && geteuid() != 0)
		return 0;
	r = network_place_open(context, false, &place, &err);
	if (r == 0 && place.networks.fd >= 0) {
		lock_fd = networks_lock(&place.networks, &err);
		r = lock_fd;
		if (r >= 0)
			r = network_sweep(&place, &ret->n_removed, &err);
		if (r >= 0)
			r = network_undo_default(&place.networks, ret->bridge, &err);
		if (r >= 0)
			r = network_settle_rates(&place, &ret->n_settled, &err);
		network_place_close(&place);
	}
	if (r < 0)
		print_err(&err);
	return r < 0 ? r : 0;
}

static void print_networks(const struct gc_of_networks *done)
{
	if (done->n_removed > 0)
		print_out("%u remains of networks removed\n", done->n_removed);
	if (done->bridge[0] != '\0')
		print_out("%s, the default network's link, removed: nobody is in that network\n",
			  done->bridge);
	if (done->n_settled > 0)
		print_out("%u networks given the rates that are recorded\n", done->n_settled);
}

/* Half-made and half-removed volumes. */
static int gc_volumes(const struct cmd_context *context, uint32_t *ret_removed)
{
	struct volume_place place;
	struct err err = {0};
	int r;

	*ret_removed = 0;
	/* Without a place for what is kept there are none. */
	if (context->root_dir == NULL && geteuid() != 0 && cmd_variable(context, "HOME") == NULL &&
	    cmd_variable(context, "XDG_DATA_HOME") == NULL)
		return 0;
	r = volume_place_open(context, false, &place, &err);
	if (r == 0) {
		r = volumes_sweep(&place.volumes, place.run, ret_removed, &err);
		volume_place_close(&place);
	}
	if (r < 0)
		print_err(&err);
	return r;
}

/* One that runs; nobody is waited for. Returns 1 where an update was finished. *n_thawed: one
 * more where it had stood still for a copy that was cut off. */
static int settle_update(const struct cmd_context *context, const struct records *records,
			 const char *id, int *n_thawed, struct err *err)
{
	struct sandbox sandbox;
	int r = records_open_id(records, id, &sandbox);

	if (r < 0)
		return r == -ENOENT ? 0 : err_set(err, ERR_SETUP, -r, "sandboxes/%s", id);
	if (status_is_updating(records, &sandbox)) {
		r = records_try_lock(records, &sandbox);
		if (r == -EWOULDBLOCK || r == -ENOENT)
			r = 0;
		else if (r < 0)
			err_set(err, ERR_SETUP, -r, "sandboxes/%s: lock", id);
		else
			r = update_settle(context, records, &sandbox, id, err);
	}
	if (r >= 0) {
		int thawed = volume_thaw_left(records, &sandbox, err);

		*n_thawed += thawed > 0;
		r = thawed < 0 ? thawed : r;
	}
	sandbox_release(&sandbox);
	return r;
}

/* Each by itself: what is wrong with one has been said. Returns how many, or -errno of the last. */
static int settle_updates(const struct cmd_context *context, const struct records *records,
			  int *n_thawed)
{
	_cleanup_free_ char(*ids)[RUN_ID_LEN + 1] = NULL;
	struct err err = {0};
	ssize_t n = records_list(records, &ids, &err);
	int n_settled = 0, result = n < 0 ? (int)n : 0;

	if (n < 0)
		print_err(&err);
	for (ssize_t i = 0; i < n; i++) {
		int r = settle_update(context, records, ids[i], n_thawed, &err);

		if (r < 0) {
			print_err(&err);
			result = r;
		}
		n_settled += r > 0;
	}
	return result < 0 ? result : n_settled;
}

static int gc_kept(const struct cmd_context *context, const struct run_request *request,
		   struct records_report *ret, int *ret_updates, int *ret_thawed)
{
	struct records records;
	struct err err = {0};
	int r;

	*ret = (struct records_report){0};
	*ret_updates = *ret_thawed = 0;
	r = records_open(request, false, &records, &err);
	if (r == 0) {
		r = records_gc(&records, ret, &err);
		if (records.is_there)
			*ret_updates = settle_updates(context, &records, ret_thawed);
		records_release(&records);
	}
	if (r < 0)
		print_err(&err);
	return r < 0 ? r : *ret_updates < 0 ? *ret_updates : 0;
}

int cmd_gc(const struct cmd_context *context, int argc, char **argv)
{
	struct run_request request;
	struct records_report kept;
	struct gc_report report;
	struct gc_of_networks networks;
	struct err err = {0};
	uint32_t n_images, n_projects, n_templates, n_volumes;
	bool is_json;
	int exit_code, n_updates, n_thawed;
	int r;

	(void)argc;
	if (command_no_words("gc", argv + 1, &is_json, &exit_code) < 0)
		return exit_code;
	cmd_request_init(context, &request);
	exit_code = 0;
	/* What went wrong with one does not keep the others from being undone, nor from being told.
	 */
	r = cordon_gc(request.root_dir, request.runtime_dir, &report, &err);
	if (r < 0) {
		print_err(&err);
		exit_code = EXIT_CORDON;
	}
	if (gc_kept(context, &request, &kept, &n_updates, &n_thawed) < 0)
		exit_code = EXIT_CORDON;
	if (gc_writable(&request, &n_projects, &n_templates) < 0)
		exit_code = EXIT_CORDON;
	if (gc_images(context, &n_images) < 0)
		exit_code = EXIT_CORDON;
	if (gc_networks(context, &networks) < 0)
		exit_code = EXIT_CORDON;
	if (gc_volumes(context, &n_volumes) < 0)
		exit_code = EXIT_CORDON;
	print_out("%u dead runs removed, %u id blocks freed, %u runs alive\n",
		  report.n_runs_removed, report.n_blocks_freed, report.n_runs_alive);
	if (kept.n_settled > 0)
		print_out("%u sandboxes had lost their keeper: `cordon ps -a` says why\n",
			  kept.n_settled);
	if (n_updates > 0)
		print_out("%d updates that were cut off finished\n", n_updates);
	if (n_thawed > 0)
		print_out("%d sandboxes that stood still for a copy go on\n", n_thawed);
	if (kept.n_removed > 0)
		print_out("%u remains of kept sandboxes removed\n", kept.n_removed);
	if (n_projects > 0)
		print_out("%u project quotas given back\n", n_projects);
	if (n_templates > 0)
		print_out("%u templates of writable roots removed, unused for 30 days\n",
			  n_templates);
	if (n_images > 0)
		print_out("%u half-made images removed\n", n_images);
	print_networks(&networks);
	if (n_volumes > 0)
		print_out("%u remains of volumes removed\n", n_volumes);
	return exit_code;
}
