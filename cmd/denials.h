/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What --explain-denials says at the end of a run. */
#ifndef CORDON_CMD_DENIALS_H
#define CORDON_CMD_DENIALS_H

#include "launcher/cordon.h"

void denials_print(const struct sandbox_spec *spec, const struct denials *denials);

#endif
