/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layers and images into the store; see importer.h. Runs in the importer. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "libexec/image/importer.h"
#include "libexec/image/patient.h"

enum { DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

int importer_init(struct importer *im, struct store *store, const struct image_limits *limits,
		  bool is_quiet, struct err *err)
{
	*im = (struct importer){.store = store,
				.limits = *limits,
				.is_root = geteuid() == 0,
				.shows_progress = !is_quiet && isatty(STDERR_FILENO) == 1,
				.what = "",
				.work = {.fd = -EBADF}};
	return store_work_begin(store, &im->work, err);
}

void importer_release(struct importer *im)
{
	store_work_end(im->store, &im->work);
}

bool importer_is_interrupted(void)
{
	sigset_t pending, ends;

	patient_signals(&ends);
	return sigpending(&pending) == 0 && sigandset(&ends, &ends, &pending) == 0 &&
	       sigisemptyset(&ends) == 0;
}

/* ---- a layer ---- */

static int make_file(int dir, const char *name)
{
	return sys_openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
			  0600);
}

int layer_dir_make(struct importer *im, const char *name, struct layer_dir *ret, struct err *err)
{
	struct layer_dir layer = {.fd = -EBADF,
				  .tree = -EBADF,
				  .owners = -EBADF,
				  .skipped = -EBADF};
	int r = store_remove_tree(im->work.fd, name);

	if (r == 0 && mkdirat(im->work.fd, name, 0700) != 0)
		r = -errno;
	if (r == 0) {
		layer.fd = sys_openat(im->work.fd, name, DIR_FLAGS, 0);
		r = layer.fd < 0 ? layer.fd : 0;
	}
	if (r == 0 && mkdirat(layer.fd, "tree", 0755) != 0)
		r = -errno;
	if (r == 0) {
		layer.tree = sys_openat(layer.fd, "tree", DIR_FLAGS, 0);
		layer.owners = make_file(layer.fd, "owners");
		layer.skipped = make_file(layer.fd, "skipped");
		r = layer.tree < 0      ? layer.tree
		    : layer.owners < 0  ? layer.owners
		    : layer.skipped < 0 ? layer.skipped
					: 0;
	}
	if (r == 0 && fchmod(layer.tree, 0755) != 0)
		r = -errno;
	/* The unpacker's: it is no root of this host. */
	if (r == 0 && im->is_root &&
	    fchown(layer.tree, STORE_FOREIGN_FIRST, STORE_FOREIGN_FIRST) != 0)
		r = -errno;
	if (r < 0) {
		layer_dir_release(&layer);
		return err_set(err, ERR_SETUP, -r, "%s/making/%s: make a layer", im->store->path,
			       im->work.id);
	}
	*ret = layer;
	return 0;
}

void layer_dir_release(struct layer_dir *layer)
{
	close_fd(&layer->tree);
	close_fd(&layer->owners);
	close_fd(&layer->skipped);
	close_fd(&layer->fd);
}

static int check_result(struct importer *im, const struct flow_result *result, const char *expected,
			struct err *err)
{
	if (expected != NULL && !str_equal(expected, result->hex))
		return err_set(err, ERR_SETUP, 0,
			       "%s: its digest is sha256:%s, and should be sha256:%s", im->what,
			       result->hex, expected);
	if (expected == NULL && !result->has_end) {
		err_set(err, ERR_SETUP, 0, "%s: it ends without the mark of a tar's end", im->what);
		return err_hint(err, "It was cut short: get it once more.");
	}
	return 0;
}

static int write_record(struct layer_dir *layer, const struct worker_report *report,
			struct err *err)
{
	const struct layer_record record = {.n_entries = report->n_entries,
					    .n_bytes = report->n_bytes,
					    .n_skipped = report->n_skipped,
					    .n_owners = report->n_owners};
	char text[512];
	size_t len = layer_record_format(&record, text, sizeof(text));

	return store_write_file(layer->fd, "record", text, len, err);
}

int layer_import(struct importer *im, const struct layer_input *input, char ret_hex[STORE_HEX_SIZE],
		 struct err *err)
{
	struct layer_dir layer = {.fd = -EBADF};
	struct flow_result result;
	struct flow flow = {.input = input->fd, .is_dir = input->is_dir, .ends = input->ends};
	int r = layer_dir_make(im, "layer", &layer, err);

	if (r < 0)
		return r;
	store_step("layer-begun");
	flow.into = layer.tree;
	flow.owners = layer.owners;
	flow.skipped = layer.skipped;
	r = flow_run(im, &flow, &result, err);
	if (r < 0)
		err_wrap(err, "%s", im->what);
	if (r == 0)
		r = check_result(im, &result, input->expected, err);
	/* Those that its packer noted. */
	if (input->is_dir)
		result.report.n_skipped += result.n_left_out;
	if (r == 0)
		r = write_record(&layer, &result.report, err);
	layer_dir_release(&layer);
	store_step("layer-unpacked");
	if (r == 0)
		r = store_commit_layer(im->store, &im->work, "layer", result.hex, err);
	if (r == 0)
		memcpy(ret_hex, result.hex, STORE_HEX_SIZE);
	return r;
}

/* ---- an image ---- */

int layer_add_name(struct importer *im, const char *name, const char *hex, struct err *err)
{
	int r = store_ref_set(im->store, &im->work, name, hex, err);

	store_step("named");
	return r;
}

int layer_take_name(struct importer *im, const char *name, const char *hex, struct err *err)
{
	char before[STORE_HEX_SIZE];
	struct err none;
	bool is_taken =
		store_ref_get(im->store, name, before, &none) == 0 && !str_equal(before, hex);
	int r = layer_add_name(im, name, hex, err);

	if (r == 0 && is_taken && !im->is_quiet)
		say_note("%s was the name of sha256:%.*s until now", name, 12, before);
	return r;
}

int layer_add_image(struct importer *im, const struct new_image *image,
		    char ret_hex[STORE_HEX_SIZE], struct err *err)
{
	_cleanup_free_ char *text = malloc(RECORD_TEXT_MAX);
	char hex[STORE_HEX_SIZE];
	size_t len;
	int r;

	if (text == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "%s", im->what);
	len = image_record_format(image->record, text, RECORD_TEXT_MAX);
	flow_digest_text(image->config, image->config_len, hex);
	if (!store_is_hex(hex))
		return err_set(err, ERR_SETUP, EIO, "%s: digest", im->what);
	r = store_put(&im->work, im->store->configs_fd, hex, image->config, image->config_len);
	store_step("config");
	if (r == 0)
		r = store_put(&im->work, im->store->images_fd, hex, text, len);
	store_step("record");
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "image %s: write", hex);
	memcpy(ret_hex, hex, STORE_HEX_SIZE);
	return image->name != NULL ? layer_add_name(im, image->name, hex, err) : 0;
}
