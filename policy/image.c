/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an image says of how it is run, as a layer of policy: user, directory, environment, signal,
 * labels, volumes, ports; and its part of the command line. Its maker is nobody that is trusted:
 * each value goes through the table of keys as if a profile had said it, and no key stands here by
 * which anything could be weakened. Pure.
 *
 * Source: OCI image-spec 1.1, config.md.
 */
#include <string.h>

#include "base/str.h"
#include "policy/keys.h"
#include "policy/layers.h"
#include "policy/resolve.h"

enum {
	VARIABLES_MAX = 1024,
	LABELS_MAX = 64,
	VOLUMES_MAX = 64,
	PORTS_MAX = 64,
	ARGS_MAX = 4096,
	ALL_ARGS_MAX = 2 * ARGS_MAX,
	SHOWN_MAX = 200
};

struct layer {
	struct policy_ctx *ctx;
	const char *path; /* "image NAME" */
	struct policy_node *process;
	struct policy_node *environment;
	struct policy_node *labels;
	struct policy_node *volumes; /* NULL: it declares none */
	struct policy_node *ports;   /* likewise */
	size_t n_variables;
	size_t n_labels;
	size_t n_volumes;
	size_t n_ports;
};

/* By whom something is said, and in which words. */
static struct policy_place said(struct policy_ctx *ctx, const char *path, const char *text)
{
	static const struct policy_source nobody = {.path = "", .text = "", .is_flag = true};
	struct policy_source *source = ctx_array(ctx, 1, sizeof(*source));
	const size_t len = strlen(text);

	if (source != NULL)
		*source = (struct policy_source){.path = path,
						 .dir = "",
						 .text = text,
						 .len = len,
						 .is_flag = true,
						 .digest = ""};
	return (struct policy_place){.source = source != NULL ? source : &nobody,
				     .line = 1,
				     .column = 1};
}

static struct policy_place place_of(const struct layer *layer, const struct policy_setting *setting)
{
	return said(layer->ctx, layer->path,
		    ctx_format(layer->ctx, "%s %.*s", setting->key, SHOWN_MAX, setting->value));
}

/* A map below another; NULL where memory ran out. */
static struct policy_node *map_below(struct policy_ctx *ctx, struct policy_node *parent,
				     const char *key, struct policy_place place)
{
	struct policy_node *map = doc_node(ctx, NODE_MAPPING, place);

	if (map != NULL)
		map->key = key;
	doc_add(parent, map);
	return map;
}

/* The last one of a name counts. */
static void put(struct layer *layer, struct policy_node *map, struct policy_place place,
		const char *key, const char *value)
{
	struct policy_node *node = doc_get(map, key);

	if (node == NULL) {
		doc_add(map, doc_scalar(layer->ctx, key, value, place));
		return;
	}
	node->text = value;
	node->place = node->key_place = place;
}

/* ---- its settings ---- */

static void add_variable(struct layer *layer, const struct policy_setting *setting)
{
	struct policy_place place = place_of(layer, setting);
	const char *equals = strchr(setting->value, '=');

	if (equals == NULL || equals == setting->value) {
		ctx_warn(layer->ctx, place,
			 "the image's variable '%.*s' is left out: it is not NAME=VALUE", SHOWN_MAX,
			 setting->value);
		return;
	}
	if (++layer->n_variables > VARIABLES_MAX) {
		if (layer->n_variables == VARIABLES_MAX + 1)
			ctx_report(layer->ctx, place, "too-many", "more than %d variables",
				   VARIABLES_MAX);
		return;
	}
	put(layer, layer->environment, place,
	    ctx_copy(layer->ctx, setting->value, (size_t)(equals - setting->value)), equals + 1);
}

static void add_label(struct layer *layer, const struct policy_setting *name, const char *value)
{
	struct policy_place place = place_of(layer, name);

	/* They are marks for listings: one that cannot be shown is missed by nothing else. */
	if (layer->n_labels == LABELS_MAX || !resolve_is_label(layer->ctx, name->value, value)) {
		ctx_warn(layer->ctx, place,
			 "the image's label '%.*s' is left out: it is too long for a listing, or "
			 "one of more than %d",
			 SHOWN_MAX, name->value, LABELS_MAX);
		return;
	}
	layer->n_labels++;
	put(layer, layer->labels, place, name->value, value);
}

/* An anonymous volume, unless somebody says what else to show there. */
static void add_volume(struct layer *layer, struct policy_node *root,
		       const struct policy_setting *setting)
{
	struct policy_place place = place_of(layer, setting);
	struct policy_node *volume = doc_node(layer->ctx, NODE_MAPPING, place);

	if (++layer->n_volumes > VOLUMES_MAX) {
		if (layer->n_volumes == VOLUMES_MAX + 1)
			ctx_report(layer->ctx, place, "too-many", "more than %d volumes",
				   VOLUMES_MAX);
		return;
	}
	if (layer->volumes == NULL) {
		layer->volumes = doc_node(layer->ctx, NODE_SEQUENCE, place);
		if (layer->volumes == NULL)
			return;
		layer->volumes->key = "volumes";
		layer->volumes->appends = true;
		doc_add(root, layer->volumes);
	}
	doc_add(volume, doc_scalar(layer->ctx, "type", "volume", place));
	doc_add(volume, doc_scalar(layer->ctx, "target", setting->value, place));
	doc_add(layer->volumes, volume);
}

/* For -P, and for who is linked to it: one that cordon could not publish is missed by nothing else.
 */
static void add_port(struct layer *layer, struct policy_node *root,
		     const struct policy_setting *setting)
{
	struct policy_place place = place_of(layer, setting);

	if (layer->n_ports == PORTS_MAX || !resolve_is_exposed(setting->value)) {
		ctx_warn(layer->ctx, place,
			 "the image's port '%.*s' is left out: it is not PORT/tcp or PORT/udp, or "
			 "one of more than %d",
			 SHOWN_MAX, setting->value, PORTS_MAX);
		return;
	}
	layer->n_ports++;
	if (layer->ports == NULL) {
		layer->ports = doc_node(layer->ctx, NODE_SEQUENCE, place);
		if (layer->ports == NULL)
			return;
		layer->ports->key = "expose";
		layer->ports->appends = true;
		doc_add(map_below(layer->ctx, root, "network", place), layer->ports);
	}
	doc_add(layer->ports, doc_scalar(layer->ctx, "", setting->value, place));
}

static void add_setting(struct layer *layer, const struct policy_setting *setting)
{
	static const struct {
		const char *setting;
		const char *key;
	} texts[] = {{"User", "user"},
		     {"WorkingDir", "working_dir"},
		     {"StopSignal", "stop_signal"}};
	const char *value = setting->value;

	if (str_equal(setting->key, "Env"))
		add_variable(layer, setting);
	if (value[0] == '\0')
		return;
	/* Some say it relative to the root. */
	if (str_equal(setting->key, "WorkingDir") && value[0] != '/')
		value = ctx_format(layer->ctx, "/%s", value);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (str_equal(setting->key, texts[i].setting))
			put(layer, layer->process, place_of(layer, setting), texts[i].key, value);
}

static const char usual_path[] = "built-in, for images";

bool image_is_usual(const struct policy_source *source)
{
	return source->path == usual_path;
}

/* What every other runtime of images does where nothing is said: user 0, a PATH with the tools of
 * such a user, and a root that can be written to. */
static void add_usual(struct layer *layer, struct policy_node *root, bool has_usual_root)
{
	struct policy_ctx *ctx = layer->ctx;
	struct policy_place place = said(ctx, usual_path, "");
	struct policy_node *writable;

	put(layer, layer->process, place, "user", "0:0");
	put(layer, layer->environment, place, "PATH",
	    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	if (!has_usual_root)
		return;
	writable = map_below(ctx, map_below(ctx, root, "rootfs", place), "writable", place);
	put(layer, writable, place, "store", "tmpfs");
	put(layer, writable, place, "size", "256MiB");
	put(layer, writable, place, "inodes", "65536");
}

static struct policy_node *build(struct policy_ctx *ctx, const char *name, bool has_usual_root)
{
	const struct policy_image *image = ctx->image;
	struct layer layer = {.ctx = ctx, .path = ctx_format(ctx, "image %s", name)};
	struct policy_place place = said(ctx, layer.path, "");
	struct policy_node *root = doc_node(ctx, NODE_MAPPING, place);

	layer.process = map_below(ctx, root, "process", place);
	layer.environment = map_below(ctx, layer.process, "environment", place);
	layer.labels = map_below(ctx, root, "labels", place);
	if (layer.labels == NULL || layer.environment == NULL)
		return NULL;
	add_usual(&layer, root, has_usual_root);
	for (size_t i = 0; i < image->n_settings; i++) {
		const struct policy_setting *setting = &image->settings[i];

		if (str_equal(setting->key, "Volume"))
			add_volume(&layer, root, setting);
		else if (str_equal(setting->key, "ExposedPort"))
			add_port(&layer, root, setting);
		else if (!str_equal(setting->key, "Label"))
			add_setting(&layer, setting);
		else if (i + 1 < image->n_settings)
			add_label(&layer, setting, image->settings[i + 1].value);
	}
	keys_check(ctx, root);
	return root;
}

struct policy_node *image_layer(struct policy_ctx *ctx, const struct policy_node *root,
				bool has_usual_root)
{
	const struct policy_node *from = doc_find(root, "rootfs.from");
	const struct policy_host *host = ctx->host;
	struct policy_image *image;

	if (from == NULL || !str_has_prefix(from->text, "image:") || host->find_image == NULL)
		return NULL;
	image = ctx_array(ctx, 1, sizeof(*image));
	if (image == NULL ||
	    host->find_image(host->ctx, ctx->arena, from->text + strlen("image:"), image) < 0)
		return NULL;
	ctx->image = image;
	return build(ctx, from->text + strlen("image:"), has_usual_root);
}

/* ---- its part of the command line ---- */

static bool is_asked_for(const struct policy_ctx *ctx)
{
	const struct policy_request *request = ctx->request;

	for (size_t i = 0; i < request->n_flags; i++)
		if (request->flags[i].kind == FLAG_IMAGE)
			return true;
	return false;
}

static size_t add_items(const struct policy_image *image, const char *key, const char **argv,
			size_t n)
{
	for (size_t i = 0; i < image->n_settings; i++)
		if (str_equal(image->settings[i].key, key) && n < ARGS_MAX)
			argv[n++] = image->settings[i].value;
	return n;
}

const char *const *image_command(struct policy_ctx *ctx)
{
	static const char *const none[] = {NULL};
	const struct policy_request *request = ctx->request;
	const char *const *words = request->argv != NULL ? request->argv : none;
	const char *entrypoint = request->entrypoint;
	const char **argv;
	size_t n = 0;

	/* What stands behind `--` is the whole command line. */
	if (ctx->image == NULL || (words[0] != NULL && !is_asked_for(ctx)))
		return words;
	argv = ctx_array(ctx, ALL_ARGS_MAX + 1, sizeof(*argv));
	if (argv == NULL)
		return none;
	if (entrypoint == NULL)
		n = add_items(ctx->image, "Entrypoint", argv, n);
	else if (entrypoint[0] != '\0')
		argv[n++] = entrypoint;
	if (entrypoint == NULL && words[0] == NULL)
		n = add_items(ctx->image, "Cmd", argv, n);
	for (; *words != NULL && n < ALL_ARGS_MAX; words++)
		argv[n++] = *words;
	return argv;
}
