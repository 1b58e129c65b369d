/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon explain --json`. */
#ifndef CORDON_CMD_EXPLAIN_H
#define CORDON_CMD_EXPLAIN_H

#include "base/json.h"
#include "cmd/verdict.h"

/* The path inside that an operation of the file tree makes. */
void explain_target(const struct tree_op *op, char *buf, size_t size);

/* The limits of the whole sandbox, and by what each is held; nothing where there are none. */
void explain_limits(const struct decision *d);
void explain_limits_document(struct json *json, const struct decision *d);

/* The fields of what was decided, which the host may lack something for: then the file tree may be
 * empty. */
void explain_put_decision(struct json *json, const struct decision *d);

/* Prints what was decided, or why it was refused (decided false). Returns the exit code. */
int explain_document(const struct verdict *verdict, bool decided);

#endif
