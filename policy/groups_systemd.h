/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rows of systemd's groups; read through policy/groups.h. */
#ifndef CORDON_POLICY_GROUPS_SYSTEMD_H
#define CORDON_POLICY_GROUPS_SYSTEMD_H

#include <stddef.h>

/* members: names of calls and groups, one space between them. A name behind '-' is taken out again;
 * later words win. */
struct group_row {
	const char *name;
	const char *members;
};

/* Ends with name NULL. */
extern const struct group_row groups_systemd[];

#endif
