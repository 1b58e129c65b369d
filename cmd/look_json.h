/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fields of a sandbox that `ps --json` and `inspect` have in common. record NULL: it cannot be
 * read. */
#ifndef CORDON_CMD_LOOK_JSON_H
#define CORDON_CMD_LOOK_JSON_H

#include "base/json.h"
#include "cmd/look.h"

/* RESULT_NONE: null. */
void look_put_number(struct json *json, const char *name, int64_t value);
void look_put_time(struct json *json, const char *name, int64_t ms);

/* "": null. */
void look_put_text(struct json *json, const char *name, const char *text);

/* "command", an array, and "labels", an object. */
void look_put_command(struct json *json, const struct record *record);
void look_put_labels(struct json *json, const struct record *record);

#endif
