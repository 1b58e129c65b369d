/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See look_json.h. */
#include "cmd/look_json.h"

#include <stdlib.h>
#include <string.h>

void look_put_number(struct json *json, const char *name, int64_t value)
{
	if (value == RESULT_NONE)
		json_null(json, name);
	else
		json_number(json, name, value);
}

void look_put_time(struct json *json, const char *name, int64_t ms)
{
	char text[64];

	if (ms != RESULT_NONE)
		look_timestamp(ms, text, sizeof(text));
	json_text(json, name, ms != RESULT_NONE ? text : NULL);
}

void look_put_text(struct json *json, const char *name, const char *text)
{
	json_text(json, name, text[0] != '\0' ? text : NULL);
}

void look_put_command(struct json *json, const struct record *record)
{
	json_open(json, "command", '[');
	for (size_t i = 0; record != NULL && record->command[i] != NULL; i++)
		json_text(json, NULL, record->command[i]);
	json_close(json, ']');
}

static void put_label(struct json *json, const char *label)
{
	size_t len = strcspn(label, "=");
	char *name = strndup(label, len);

	if (name == NULL) {
		json->overflow = true;
		return;
	}
	json_text(json, name, label + len + (label[len] == '='));
	free(name);
}

void look_put_labels(struct json *json, const struct record *record)
{
	json_open(json, "labels", '{');
	for (size_t i = 0; record != NULL && record->labels[i] != NULL; i++)
		put_label(json, record->labels[i]);
	json_close(json, '}');
}
