/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `cordon commit`: what a sandbox wrote, as one more layer of an image like its own.
 *
 *	cordon-image STORE commit [FLAGS] -- from=FD userns=FD [block] image=HEX edits=FD
 *		[name=NAME] [mark=FD] shown=TEXT
 *
 * from is the directory that the overlay wrote to. It is packed by a process with the sandbox's ids
 * (worker.h), and unpacked as every other layer; the layers below are those that are there already.
 * edits: what is different in the configuration, items of the composer's (compose.c), which reads
 * the other image's: no JSON is read here. What it says is taken only where its layers are those of
 * the other image and the new one. mark: a file that goes when somebody lets the sandbox go on that
 * was paused for this; then no image is made.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"
#include "libexec/image/importer.h"

enum { OURS_MAX = 256 };

static const char no_layer[] = "0000000000000000000000000000000000000000000000000000000000000000";

struct commit {
	int from;
	int edits;
	int mark; /* -EBADF: it was not to be paused */
	const char *image;
	const char *name; /* NULL: none */
	const char *shown;
	struct worker_inside inside;
	char created[32];
	struct document base; /* of the other image */
	struct image_record *record;
	struct image_record *made; /* of the new one */
};

static int read_fd(const char *text, int *ret)
{
	uint32_t fd;

	if (parse_u32(text, &fd) < 0 || fd > INT32_MAX)
		return -EINVAL;
	*ret = (int)fd;
	return 0;
}

static int read_word(const char *word, struct commit *c)
{
	const char *value = strchr(word, '=');

	if (str_equal(word, "block")) {
		c->inside.has_block = true;
		return 0;
	}
	if (value++ == NULL)
		return -EINVAL;
	if (str_has_prefix(word, "from="))
		return read_fd(value, &c->from);
	if (str_has_prefix(word, "edits="))
		return read_fd(value, &c->edits);
	if (str_has_prefix(word, "mark="))
		return read_fd(value, &c->mark);
	if (str_has_prefix(word, "userns="))
		return read_fd(value, &c->inside.userns);
	if (str_has_prefix(word, "image="))
		c->image = value;
	else if (str_has_prefix(word, "name="))
		c->name = value;
	else if (str_has_prefix(word, "shown="))
		c->shown = value;
	else
		return -EINVAL;
	return 0;
}

static int read_words(const struct command *command, struct commit *c, struct err *err)
{
	for (size_t i = 0; i < command->n_words; i++)
		if (read_word(command->words[i], c) < 0)
			return err_set(err, ERR_BUG, EINVAL, "commit: %s", command->words[i]);
	return c->from < 0 || c->edits < 0 || c->inside.userns < 0 || !store_is_hex(c->image)
		       ? err_set(err, ERR_BUG, EINVAL, "commit: words are missing")
		       : 0;
}

/* ---- the other image ---- */

static int read_base(struct importer *im, struct commit *c, struct err *err)
{
	const struct document_place place = {.dir = im->store->configs_fd,
					     .path = c->image,
					     .expected = c->image,
					     .kind = PARSE_CONFIG};
	int r = image_record_read(im->store, c->image, c->record, err);

	if (r == -ENOENT) {
		err_set(err, ERR_USAGE, 0, "the image that it was made from is gone");
		return err_hint(err, "Load or import it once more, or: cordon export %s", c->shown);
	}
	if (r == 0 && c->record->n_layers == RECORD_LAYERS_MAX)
		r = err_set(err, ERR_USAGE, 0, "its image has %d layers already, and no more fit",
			    RECORD_LAYERS_MAX);
	return r < 0 ? r : document_read(im, &place, &c->base, err);
}

/* ---- the configuration ---- */

/* An item, with its end. */
static size_t put_item(char *text, size_t len, size_t size, const char *key, const char *value)
{
	return len + str_format(text + len, size - len, "%s=%s", key, value) + 1;
}

/* Ours are the last ones, which count. */
static int make_input(const struct commit *c, const char *hex, struct document *ret,
		      struct err *err)
{
	size_t size = COMPOSE_MAX_BYTES + OURS_MAX + c->base.len;
	char *text = malloc(size);
	ssize_t got = text == NULL ? -1 : pread(c->edits, text, COMPOSE_MAX_BYTES - OURS_MAX, 0);
	size_t len = got > 0 ? (size_t)got : 0;

	if (got < 0 || len == COMPOSE_MAX_BYTES - OURS_MAX) {
		free(text);
		return err_set(err, ERR_USAGE, got < 0 ? errno : E2BIG,
			       "its command, variables, labels and changes");
	}
	len = put_item(text, len, size, "diff", hex);
	len = put_item(text, len, size, "created", c->created);
	text[len++] = '\0';
	memcpy(text + len, c->base.text, c->base.len);
	ret->text = text;
	ret->len = len + c->base.len;
	return 0;
}

/* Whether a configuration has these layers, and one more. */
static bool has_layers(const struct image_record *new, const struct image_record *base,
		       const char *hex)
{
	if (new->n_layers != base->n_layers + 1 || !str_equal(new->layers[base->n_layers], hex))
		return false;
	for (size_t i = 0; i < base->n_layers; i++)
		if (!str_equal(new->layers[i], base->layers[i]))
			return false;
	return true;
}

/* And the new record. */
static int compose(struct importer *im, const struct commit *c, const char *hex,
		   struct document *ret, struct err *err)
{
	struct document input = {0};
	int r = make_input(c, hex, &input, err);

	if (r == 0)
		r = document_compose(im, &input, ret, err);
	document_release(&input);
	if (r == 0)
		r = document_config(ret, c->made, err);
	if (r == 0 && !has_layers(c->made, c->record, hex))
		r = err_set(err, ERR_SETUP, 0, "the composer says other layers than there are");
	return r;
}

/* What was said wrongly is said before anything is packed. */
static int try_changes(struct importer *im, const struct commit *c, struct err *err)
{
	struct document document = {0};
	int r = compose(im, c, no_layer, &document, err);

	document_release(&document);
	return r;
}

/* ---- all of it ---- */

static int pack(struct importer *im, const struct commit *c, char ret_hex[STORE_HEX_SIZE],
		struct err *err)
{
	const struct flow_ends ends = {.pack = CONFINE_PACK_INSIDE,
				       .packs = PACK_UPPER,
				       .from_inside = &c->inside,
				       .unpack = CONFINE_UNPACK};
	const struct layer_input input = {.fd = c->from, .is_dir = true, .ends = &ends};

	return layer_import(im, &input, ret_hex, err);
}

/* Whether it was paused until all was packed. */
static int check_mark(const struct commit *c, struct err *err)
{
	struct stat st;

	if (c->mark < 0 || (fstat(c->mark, &st) == 0 && st.st_nlink > 0))
		return 0;
	err_set(err, ERR_SETUP, 0, "%s: it went on, or ended, while it was packed", c->shown);
	return err_hint(err, "No image is made. Do it again, and let the sandbox be; or "
			     "--pause=false.");
}

static int add(struct importer *im, const struct commit *c, const char *hex, struct err *err)
{
	struct document document = {0};
	struct new_image image = {.record = c->made, .name = c->name};
	struct layer_record layer = {0};
	char id[STORE_HEX_SIZE];
	int r = compose(im, c, hex, &document, err);

	image.config = document.text;
	image.config_len = document.len;
	str_format(c->made->source, sizeof(c->made->source), "sandbox");
	c->made->imported_s = (uint64_t)time(NULL);
	if (r == 0)
		r = layer_record_read(im->store, hex, &layer, err);
	if (r == 0)
		r = layer_add_image(im, &image, id, err);
	document_release(&document);
	if (r < 0)
		return r;
	printf("sha256:%s\n", id);
	if (layer.n_skipped > 0 && !im->is_quiet)
		say_note(
			"%s: left out: %llu sockets, ACLs, names that begin with .wh. and the like "
			"(cordon image inspect %.*s)",
			c->shown, (unsigned long long)layer.n_skipped, 12, id);
	return 0;
}

static int run(struct importer *im, struct commit *c, struct err *err)
{
	char hex[STORE_HEX_SIZE];
	int r;

	c->record = calloc(1, sizeof(*c->record));
	c->made = calloc(1, sizeof(*c->made));
	if (c->made == NULL || c->record == NULL)
		r = err_set(err, ERR_SETUP, ENOMEM, "commit");
	else
		r = read_base(im, c, err) < 0 ? err_wrap(err, "sandbox %s", c->shown) : 0;
	if (r == 0)
		r = try_changes(im, c, err);
	if (r == 0)
		r = pack(im, c, hex, err);
	if (r == 0)
		r = check_mark(c, err);
	if (r == 0)
		r = add(im, c, hex, err);
	document_release(&c->base);
	free(c->record);
	free(c->made);
	return r;
}

int command_commit(const struct command *command, struct err *err)
{
	struct commit c = {.from = -EBADF,
			   .edits = -EBADF,
			   .mark = -EBADF,
			   .image = "",
			   .inside = {.userns = -EBADF}};
	time_t now = time(NULL);
	struct importer im;
	struct store store;
	struct tm tm;
	int r = read_words(command, &c, err);

	if (r < 0)
		return r;
	r = store_open(command->state, false, &store, err);
	if (r < 0)
		return r;
	if (gmtime_r(&now, &tm) == NULL ||
	    strftime(c.created, sizeof(c.created), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		c.created[0] = '\0';
	r = importer_init(&im, &store, &command->limits, command->is_quiet, err);
	if (r == 0) {
		im.what = c.shown;
		im.is_quiet = command->is_quiet;
		r = run(&im, &c, err);
		importer_release(&im);
	}
	if (r < 0)
		store_sweep_failed(&store);
	store_release(&store);
	return r;
}
