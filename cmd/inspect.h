/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon inspect`: one object for each sandbox. */
#ifndef CORDON_CMD_INSPECT_H
#define CORDON_CMD_INSPECT_H

#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/look.h"

/* Adds the object of a sandbox. The directory of the process is another one meanwhile. */
void inspect_put(const struct cmd_context *context, const struct look *look, struct json *json);

#endif
