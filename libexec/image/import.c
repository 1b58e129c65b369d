/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon image import SOURCE NAME`: a directory, or a tar of a root file system, as one layer. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "libexec/image/importer.h"

enum { CONFIG_MAX = 1024 };

static const char *architecture(const struct utsname *name)
{
	if (str_equal(name->machine, "x86_64"))
		return "amd64";
	return str_equal(name->machine, "aarch64") ? "arm64" : name->machine;
}

/* Equal content gives an equal image: nothing of today is in it. */
static size_t make_config(const char *hex, char *buf, struct image_record *ret_record)
{
	struct utsname name = {0};
	struct image_record *record = ret_record;

	ignore_result(uname(&name), "an empty architecture is refused by the record");
	memset(record, 0, sizeof(*record));
	str_format(record->os, sizeof(record->os), "linux");
	str_format(record->architecture, sizeof(record->architecture), "%s", architecture(&name));
	str_format(record->summary, sizeof(record->summary), "{}");
	memcpy(record->layers[0], hex, STORE_HEX_SIZE);
	record->n_layers = 1;
	return str_format(buf, CONFIG_MAX,
			  "{\"architecture\":\"%s\",\"os\":\"linux\",\"config\":{},\"rootfs\":{"
			  "\"type\":\"layers\",\"diff_ids\":[\"sha256:%s\"]}}",
			  record->architecture, hex);
}

int command_open(const char *path, bool *ret_is_dir, struct err *err)
{
	int fd = str_equal(path, "-")
			 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
			 : sys_openat(AT_FDCWD, path, O_RDONLY | O_NOCTTY | O_CLOEXEC, 0);
	struct stat st;

	if (fd < 0)
		return err_set(err, ERR_USAGE, fd == -1 ? errno : -fd, "%s", path);
	if (fstat(fd, &st) != 0) {
		close(fd);
		return err_set(err, ERR_USAGE, errno, "%s", path);
	}
	*ret_is_dir = S_ISDIR(st.st_mode);
	return fd;
}

/* The last n parts of a path. */
static const char *tail_of(const char *path, unsigned n)
{
	const char *tail = path + strlen(path);

	while (tail > path && n > 0)
		n -= *--tail == '/';
	return tail;
}

static int refuse_own(const char *path, const char *store, unsigned depth, struct err *err)
{
	err_set(err, ERR_USAGE, 0, "%s: the store of images is in it: %s", path, store);
	return err_hint(err,
			"Leave that out: tar -C %s --exclude .%s -c . | cordon image import - NAME",
			path, tail_of(store, depth));
}

/* A directory that the store is in would be packed with what is being made of it, without an end.
 */
static int check_source(const struct store *store, int source, const char *path, struct err *err)
{
	int fd = sys_openat(store->fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	struct stat from, st, above;

	if (fstat(source, &from) != 0)
		return err_set(err, ERR_USAGE, errno, "%s", path);
	for (unsigned depth = 0;; depth++) {
		_cleanup_fd_ int at = fd;

		if (at < 0 || fstat(at, &st) != 0 || fstatat(at, "..", &above, 0) != 0)
			return err_set(err, ERR_SETUP, at < 0 ? -at : errno, "above %s",
				       store->path);
		if (st.st_dev == from.st_dev && st.st_ino == from.st_ino)
			return refuse_own(path, store->path, depth, err);
		if (above.st_dev == st.st_dev && above.st_ino == st.st_ino)
			return 0;
		fd = sys_openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	}
}

static int import_source(struct importer *im, int source, bool is_dir, const char *name,
			 struct err *err)
{
	_cleanup_free_ struct image_record *record = malloc(sizeof(*record));
	char hex[STORE_HEX_SIZE], config[CONFIG_MAX];
	struct new_image image = {.config = config, .record = record, .name = name};
	const struct layer_input input = {.fd = source, .is_dir = is_dir};
	int r;

	if (record == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "import");
	r = layer_import(im, &input, hex, err);
	if (r < 0)
		return r;
	image.config_len = make_config(hex, config, record);
	str_format(record->source, sizeof(record->source), is_dir ? "directory" : "tar");
	record->imported_s = (uint64_t)time(NULL);
	return layer_add_image(im, &image, hex, err);
}

int command_import(const struct command *command, struct err *err)
{
	char name[STORE_NAME_MAX + 1];
	struct store store;
	struct importer im;
	_cleanup_fd_ int source = -EBADF;
	bool is_dir = false;
	int r = store_name_parse(command->words[1], name, err);

	if (r < 0)
		return r;
	source = command_open(command->words[0], &is_dir, err);
	if (source < 0)
		return source;
	r = store_open(command->state, true, &store, err);
	if (r < 0)
		return r;
	r = importer_init(&im, &store, &command->limits, command->is_quiet, err);
	if (r == 0) {
		im.what = command->words[0];
		im.is_quiet = command->is_quiet;
		if (is_dir)
			r = check_source(&store, source, command->words[0], err);
		if (r == 0)
			r = import_source(&im, source, is_dir, name, err);
		if (r == 0)
			r = say_loaded(&im, name, err);
		importer_release(&im);
	}
	if (r < 0)
		store_sweep_failed(&store);
	store_release(&store);
	return r;
}
