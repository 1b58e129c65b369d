/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preflight of what binds protect (read_only_below, hide_below). Internal to launcher/. */
#ifndef CORDON_LAUNCHER_PROTECTED_H
#define CORDON_LAUNCHER_PROTECTED_H

#include <sys/stat.h>

#include "launcher/cordon.h"

/*
 * Looks at each protected path of a bind whose source has been looked at (fact), and fills
 * fact->protected. Misses: a link at the path or on the way to it; a file on the way; a source that
 * is no directory; something to be kept read-only that is neither a file nor a directory.
 */
void protected_look(struct decision *decision, const struct spec_mount *mount,
		    struct source_fact *fact, struct misses *misses);

/* Misses for each mount that shows what another one protects. After all sources are looked at. */
void protected_check_holes(const struct decision *decision, const struct source_fact *sources,
			   struct misses *misses);

/*
 * A placeholder: an empty directory that cordon makes where a protected path is missing, for a
 * mount wants a place. Known by its mode, which nobody gives a directory by accident: its owner can
 * list (and lock) it, and nothing else. Here: whether the mode says so; who looks for certain takes
 * the lock first (placeholders.c).
 */
enum { PLACEHOLDER_MODE = 01400 };
bool protected_is_marked(const struct stat *st);
/* Whether the directory has no entry. dir_fd is open for reading; its offset changes. */
bool protected_is_empty(int dir_fd);

#endif
