/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon image ls --format`. */
#ifndef CORDON_CMD_IMAGE_H
#define CORDON_CMD_IMAGE_H

#include "cmd/cmd.h"
#include "cmd/words.h"

/* Prints the images as --format says. Returns the exit code, or a negative errno with err filled. */
int must_check image_list(const struct cmd_context *context, const struct words *words,
			  struct err *err);

#endif
