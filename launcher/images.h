/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rootfs.from: image:NAME, from its name to mounts. Runs in the keeper. Internal to launcher/. */
#ifndef CORDON_LAUNCHER_IMAGES_H
#define CORDON_LAUNCHER_IMAGES_H

#include "launcher/launch.h"
#include "launcher/policy_host.h"
#include "storage/held.h"

/* policy_host.find_image: what it finds is held by the decision until cordon_release. */
int must_check images_find(struct policy_host_state *state, struct arena *arena, const char *name,
			   struct policy_image *ret);

/* A file of the image that was found, for reading: see held_image_open. */
int must_check images_open_file(const struct policy_host_state *state, const char *path);

/* Preflight: the facts of the image's layers, or why there is no image. */
int must_check images_look(struct decision *decision, struct misses *misses, struct err *err);

/* As root: each layer as a detached mount that shows its ids as those of the sandbox's block. */
int must_check images_open_layers(struct launch *launch, struct err *err);

#endif
