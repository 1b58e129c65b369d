/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration of an image that is made of another one's; see compose.c. */
#ifndef CORDON_LIBEXEC_IMAGE_COMPOSE_H
#define CORDON_LIBEXEC_IMAGE_COMPOSE_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* "config" of the document, and what was said of it. */
struct composing {
	struct json_object *config;
	bool has_cmd; /* a change said CMD: an ENTRYPOINT behind it leaves that alone */
	struct err *err;
};

/* One instruction of Docker's, as `cordon commit -c` has it (compose_change.c). */
int must_check compose_change(struct composing *c, const char *text);

/* Ports as EXPOSE has one word of them: "80", "80/udp", "8000-8010" (compose_change.c). */
int must_check compose_ports(struct composing *c, const char *word);

/* Whether a value is one that a start would take (compose_check.c). */
int must_check compose_check_signal(struct composing *c, const char *text);
int must_check compose_check_user(struct composing *c, const char *text);
int must_check compose_check_volume(struct composing *c, const char *text);

/* ---- for it: what is in the configuration ---- */

int must_check compose_set(struct composing *c, const char *key, struct json_object *value);
/* NAME=VALUE in Env, in place of that name's. */
int must_check compose_variable(struct composing *c, const char *text);
/* A value's text; NULL: there is none, or it is of another type. */
const char *compose_text(struct composing *c, const char *key);
/* The object that is there, or a new one; NULL: no memory, or it is of another type. */
struct json_object *compose_object(struct composing *c, const char *key);
/* The value of a variable of Env. "": none. */
const char *compose_value_of(struct composing *c, const char *name, size_t len);

#endif
