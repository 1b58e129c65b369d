/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What --explain-denials says at the end of a run. */
#ifndef CORDON_CMD_DENIALS_H
#define CORDON_CMD_DENIALS_H

#include "launcher/cordon.h"

/* result->denials must be there. likely: what of the policy an argument runs into, "" for none. */
void denials_print(const struct decision *decision, const struct run_result *result,
		   const char *likely);

#endif
