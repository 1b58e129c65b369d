/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said of a denial by Landlock or AppArmor: the line of the policy that it follows from,
 * and what to write to allow it. Pure. */
#ifndef CORDON_LAUNCHER_ACCESS_H
#define CORDON_LAUNCHER_ACCESS_H

#include <stddef.h>

#include "launcher/auditor_image.h"
#include "policy/spec.h"

enum { ACCESS_TEXT_MAX = 512 };

/* One denial, for people. */
struct access_view {
	char what[ACCESS_TEXT_MAX];   /* "fs.write_file /srv/data", "create inet raw create" */
	char by[ACCESS_TEXT_MAX];     /* "landlock.write", "AppArmor's profile cordon-workload" */
	char remedy[ACCESS_TEXT_MAX]; /* "to allow it, ..." or why nothing does */
	const char *layer;            /* "landlock", "apparmor" */
	struct spec_origin origin;
};

void access_describe(const struct sandbox_spec *spec, const struct access_denial *denial,
		     struct access_view *ret);

/* The spec's mount that decides what can be done at the path (normal, absolute, inside): the
 * nearest above it. NULL: none does. */
const struct spec_mount *access_find_mount(const struct sandbox_spec *spec, const char *path);

#endif
