/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --volumes-from SANDBOX[:ro|rw]: what mounts another sandbox has is decided anew from its record,
 * and each becomes a flag of its own with all that there is to say of it. So a record that is made
 * with them needs that sandbox no more.
 */
#ifndef CORDON_CMD_VOLUMES_FROM_H
#define CORDON_CMD_VOLUMES_FROM_H

#include "cmd/verdict.h"

/* Puts them in the place of those flags of the verdict's. Errors: in verdict->err. */
int must_check volumes_from_take(const struct cmd_context *context, struct verdict *verdict);

#endif
