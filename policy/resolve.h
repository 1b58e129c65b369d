/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps of policy_resolve (resolve.c), and the setters that the table of keys calls. */
#ifndef CORDON_POLICY_RESOLVE_H
#define CORDON_POLICY_RESOLVE_H

#include "policy/ctx.h"
#include "policy/doc.h"
#include "policy/layers.h"
#include "policy/spec.h"

struct policy_key;

#define POLICY_SETTER(name)                                             \
	void name(struct policy_ctx *ctx, const struct policy_key *key, \
		  const struct policy_node *node, struct sandbox_spec *spec)

/* Setters, called by keys_apply with values whose form keys_check has checked. */
POLICY_SETTER(apply_number);   /* KEY_NUMBER and KEY_SIZE into the uint64_t at key->place */
POLICY_SETTER(apply_duration); /* milliseconds into the uint64_t at key->place */
POLICY_SETTER(apply_working_dir);
POLICY_SETTER(apply_hostname);
POLICY_SETTER(apply_stop_signal);
POLICY_SETTER(apply_restart);
POLICY_SETTER(apply_log_size);
POLICY_SETTER(apply_log_files);
POLICY_SETTER(apply_nproc);
POLICY_SETTER(apply_wall_time);
POLICY_SETTER(apply_traffic_rate); /* key->place is the struct spec_traffic */
POLICY_SETTER(apply_traffic_burst);
POLICY_SETTER(apply_ulimit); /* key->place is the RLIMIT_* */

/* What the image that root names says, as a layer; notes the image in ctx. has_usual_root: with the
 * root that can be written to, as elsewhere. NULL: none is named, or there is no such image here.
 * (image.c) */
struct policy_node *image_layer(struct policy_ctx *ctx, const struct policy_node *root,
				bool has_usual_root);
/* The command line, NULL-terminated: the request's words, with the image's where it is asked for.
 */
const char *const *image_command(struct policy_ctx *ctx);

/* Whether a label can be shown in a listing. */
bool resolve_is_label(struct policy_ctx *ctx, const char *name, const char *value);

/* Steps; each reads the merged tree and reports what is wrong. */
void resolve_rootfs(struct policy_ctx *ctx, const struct policy_node *root,
		    struct sandbox_spec *spec);
void resolve_identity(struct policy_ctx *ctx, const struct policy_node *root,
		      struct sandbox_spec *spec);
/* policy_request.entering_argv in the place of the program. */
void resolve_entering(struct policy_ctx *ctx, struct sandbox_spec *spec);
void resolve_process(struct policy_ctx *ctx, const struct policy_node *root,
		     struct sandbox_spec *spec);
void resolve_mounts(struct policy_ctx *ctx, const struct policy_node *root,
		    struct sandbox_spec *spec);
void resolve_capabilities(struct policy_ctx *ctx, const struct policy_node *root,
			  struct sandbox_spec *spec);
void resolve_waivers(struct policy_ctx *ctx, const struct policy_node *root,
		     struct sandbox_spec *spec);
/* Whether seccomp.architectures lists the second architecture. (resolve_architectures.c) */
bool resolve_architectures(struct policy_ctx *ctx, const struct policy_layers *layers);
/* Reads the layers one by one: what one may do depends on its parent's result. */
void resolve_seccomp(struct policy_ctx *ctx, const struct policy_layers *layers,
		     struct sandbox_spec *spec);
void resolve_landlock(struct policy_ctx *ctx, const struct policy_layers *layers,
		      struct sandbox_spec *spec);
void resolve_apparmor(struct policy_ctx *ctx, const struct policy_layers *layers,
		      struct sandbox_spec *spec);
void resolve_limits(struct policy_ctx *ctx, const struct policy_node *root,
		    struct sandbox_spec *spec);
/* Which networks it joins; after the waivers. */
void resolve_publish(struct policy_ctx *ctx, const struct policy_node *map,
		     struct spec_network *network);
/* A layer that allows what its parent denied says why. */
void resolve_egress_waivers(struct policy_ctx *ctx, const struct policy_layers *layers);
void resolve_egress(struct policy_ctx *ctx, const struct policy_node *map,
		    struct spec_network *network);
/* Whether network.expose takes it. */
bool resolve_is_exposed(const char *text);
/* How fast; after the mode. */
void resolve_traffic(struct policy_ctx *ctx, const struct policy_node *map,
		     const struct spec_network *network);
void resolve_network(struct policy_ctx *ctx, const struct policy_node *root,
		     struct sandbox_spec *spec);
void resolve_labels(struct policy_ctx *ctx, const struct policy_node *root,
		    struct sandbox_spec *spec);
void resolve_provenance(struct policy_ctx *ctx, const struct policy_layers *layers,
			const struct policy_node *root, struct sandbox_spec *spec);

/* read_only_below and hide_below of one volume into mount->protected. False where one is wrong. */
bool resolve_protected(struct policy_ctx *ctx, const struct policy_node *volume,
		       struct spec_mount *mount);
/* Whether a mount on target would cover, or lie below, what a bind protects; reported at place. */
bool resolve_covers_protected(struct policy_ctx *ctx, struct policy_place place, const char *target,
			      const struct spec_mount *bind);

void resolve_secrets(struct policy_ctx *ctx, const struct policy_node *root,
		     struct sandbox_spec *spec);

/* A source as an absolute host path; NULL where it is refused. */
const char *resolve_source(struct policy_ctx *ctx, struct policy_place place, const char *said);
/* A path inside, or ${cwd}, made absolute and normal; NULL where it is refused. */
const char *resolve_inside(struct policy_ctx *ctx, struct policy_place place, const char *said);
/* A target as a normal absolute path; false where it is refused. */
bool resolve_target(struct policy_ctx *ctx, struct policy_place place, const char *said,
		    const char **ret_target);

/* The waiver of that name, or NULL. */
const struct spec_waiver *resolve_find_waiver(const struct sandbox_spec *spec, const char *name);

#endif
