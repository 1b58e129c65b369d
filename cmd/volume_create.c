/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon volume create`: flags to a volume, which is made on the disk. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"
#include "cmd/life.h"
#include "cmd/print.h"
#include "cmd/volume.h"

struct wanted {
	struct volume volume;
	enum volume_store store;
	bool has_store; /* it was said */
};

static int take_label(struct volume *volume, const char *value, struct err *err)
{
	int r = volume_add_pair(&volume->labels, value);

	if (r == -ENOSPC)
		return err_set(err, ERR_USAGE, 0, "--label: more than %d bytes of them",
			       VOLUME_PAIRS_MAX);
	if (r < 0) {
		err_set(err, ERR_USAGE, 0, "--label %s: no such label", value);
		return err_hint(err, "NAME=VALUE, one line; the name has no blanks.");
	}
	return 0;
}

static int take_driver(const char *value, struct err *err)
{
	if (str_equal(value, "local"))
		return 0;
	err_set(err, ERR_USAGE, 0, "--driver %s: no such driver", value);
	return err_hint(err, "There is local: a directory of cordon's own on this host.");
}

static int take_size(struct volume *volume, const char *value, struct err *err)
{
	if (parse_size(value, &volume->size_bytes) == 0 && volume->size_bytes > 0)
		return 0;
	err_set(err, ERR_USAGE, 0, "--size %s: no such size", value);
	return err_hint(err, "Write it with its unit: 64m, 10g.");
}

static int take_inodes(struct volume *volume, const char *value, struct err *err)
{
	if (parse_u64(value, &volume->inodes) == 0 && volume->inodes > 0)
		return 0;
	return err_set(err, ERR_USAGE, 0, "--inodes %s: no such number", value);
}

static int take_store(struct wanted *wanted, const char *value, struct err *err)
{
	static const char *const names[] = {
		[VOLUME_STORE_IMAGE] = "image",
		[VOLUME_STORE_PROJECT] = "project",
		[VOLUME_STORE_AUTO] = "auto",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!str_equal(value, names[i]))
			continue;
		wanted->store = (enum volume_store)i;
		wanted->has_store = true;
		return 0;
	}
	err_set(err, ERR_USAGE, 0, "--opt store=%s: no such store", value);
	return err_hint(err,
			"image: an ext4 in a file. project: a project quota of the disk's file "
			"system. auto: that where there are any, else an image. In memory: "
			"--tmpfs, which is of one sandbox.");
}

/* Those that mount something are known by what Docker's driver takes. */
static int take_option(struct wanted *wanted, const char *value, struct err *err)
{
	if (str_has_prefix(value, "size="))
		return take_size(&wanted->volume, value + strlen("size="), err);
	if (str_has_prefix(value, "inodes="))
		return take_inodes(&wanted->volume, value + strlen("inodes="), err);
	if (str_has_prefix(value, "store="))
		return take_store(wanted, value + strlen("store="), err);
	err_set(err, ERR_USAGE, 0, "--opt %s: no such option", value);
	if (str_equal(value, "type=tmpfs") || str_equal(value, "device=tmpfs"))
		return err_hint(err, "Memory has nobody here who would keep it between two "
				     "sandboxes: --tmpfs is of one.");
	return err_hint(err,
			"There are size=SIZE, inodes=N and store=image, project or auto. A file "
			"system of the host's is mounted there, and shown with -v "
			"/PATH:/TARGET.");
}

/* What was not said, and what cannot be, wherever it lies. */
static int finish_size(struct wanted *wanted, struct err *err)
{
	struct volume *volume = &wanted->volume;

	if (volume->size_bytes == 0 && volume->inodes == 0 && !wanted->has_store)
		return 0;
	if (volume->size_bytes == 0) {
		err_set(err, ERR_USAGE, 0, "%s: of a volume without a size",
			volume->inodes != 0 ? "--inodes" : "--opt store=");
		return err_hint(err, "Both are said together: --size 1g --inodes 10000.");
	}
	if (volume->inodes == 0)
		volume->inodes = volume->size_bytes / VOLUME_INODE_RATIO;
	return wanted->store == VOLUME_STORE_IMAGE || geteuid() != 0
		       ? volume_check_size(volume, err)
		       : 0;
}

static int take_flags(struct wanted *wanted, const struct words *words, struct err *err)
{
	struct volume *volume = &wanted->volume;
	int r = 0;

	for (size_t i = 0; r == 0 && i < words->n_flags; i++) {
		const char *name = words->flags[i].name, *value = words->flags[i].value;

		if (str_equal(name, "--label"))
			r = take_label(volume, value, err);
		else if (str_equal(name, "--driver"))
			r = take_driver(value, err);
		else if (str_equal(name, "--size"))
			r = take_size(volume, value, err);
		else if (str_equal(name, "--inodes"))
			r = take_inodes(volume, value, err);
		else if (str_equal(name, "--opt"))
			r = take_option(wanted, value, err);
	}
	return r == 0 ? finish_size(wanted, err) : r;
}

static int take_name(struct volume *volume, const char *name, struct err *err)
{
	if (name == NULL) {
		int r = volume_make_name(volume->name);

		volume->is_anonymous = true;
		return r < 0 ? err_set(err, ERR_SETUP, -r, "random number") : 0;
	}
	if (!volume_is_name(name)) {
		err_set(err, ERR_USAGE, 0, "%s: no volume can be called that", name);
		return err_hint(err,
				"A letter or digit, and then at least one more of letters, digits, "
				"_ . and -; %d in all.",
				VOLUME_NAME_MAX);
	}
	str_format(volume->name, sizeof(volume->name), "%s", name);
	return 0;
}

/* A limit that somebody believes in has to be there. */
static int refuse_size(const struct volume *found, struct err *err)
{
	if (found->size_bytes == 0)
		err_set(err, ERR_USAGE, EEXIST, "volume %s: without a size", found->name);
	else
		err_set(err, ERR_USAGE, EEXIST,
			"volume %s: with %llu bytes and %llu inodes, store=%s", found->name,
			(unsigned long long)found->size_bytes, (unsigned long long)found->inodes,
			volume_store_name(found));
	return err_hint(err, "Make one of another name, restore a backup of this one into it: "
			     "cordon volume restore --replace.");
}

static bool is_as_asked(const struct volume *found, const struct wanted *wanted)
{
	const struct volume *volume = &wanted->volume;

	return volume->size_bytes == 0 ||
	       (found->size_bytes == volume->size_bytes && found->inodes == volume->inodes &&
		(!wanted->has_store || wanted->store == VOLUME_STORE_AUTO ||
		 found->is_project == (wanted->store == VOLUME_STORE_PROJECT)));
}

/* One that is there already is as good, as Docker has it. */
static int make(const struct volume_place *place, struct wanted *wanted, struct err *err)
{
	struct volume *volume = &wanted->volume;
	struct volume found;
	int r = volumes_read(&place->volumes, volume->name, &found, err);

	if (r == -ENOENT) {
		r = volume->size_bytes == 0
			    ? 0
			    : volumes_choose_store(&place->volumes, wanted->store, volume, err);
		if (r == 0)
			r = volumes_add(&place->volumes, volume, err);
		if (r != -EEXIST)
			return r;
		r = volumes_read(&place->volumes, volume->name, &found, err);
	}
	if (r == 0 && volume->labels.len > 0 &&
	    (found.labels.len != volume->labels.len ||
	     memcmp(found.labels.text, volume->labels.text, found.labels.len) != 0))
		print_note("volume %s is there already, and keeps its own labels", volume->name);
	if (r == 0 && !is_as_asked(&found, wanted))
		return refuse_size(&found, err);
	return r;
}

int cmd_volume_create(const struct cmd_context *context, int argc, char **argv)
{
	struct wanted wanted = {.volume = {.created_ms = record_now_ms()}};
	struct volume_place place;
	struct words words;
	struct err err = {0};
	int exit_code, n, r;

	(void)argc;
	n = life_parse("volume create", argv, 0, &words, &exit_code);
	if (n < 0)
		return exit_code;
	if (n > 1) {
		print_note("volume create takes one name, but was given %s as well", argv[2]);
		return EXIT_CORDON;
	}
	r = take_name(&wanted.volume, n == 1 ? argv[1] : NULL, &err);
	if (r == 0)
		r = take_flags(&wanted, &words, &err);
	if (r == 0)
		r = volume_place_open(context, true, &place, &err);
	if (r < 0)
		return life_say(&err);
	r = make(&place, &wanted, &err);
	volume_place_close(&place);
	if (r < 0)
		return life_say(&err);
	print_out("%s\n", wanted.volume.name);
	return 0;
}
