/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon explain`: the limits of the sandbox as a whole, and by what each is held. */
#include <string.h>

#include "cmd/explain.h"
#include "cmd/print.h"
#include "cmd/table.h"

enum { KEY_WIDTH = 20, VALUE_WIDTH = 14, VALUE_MAX = 512 };

static bool is_asked_for(const struct decision *d, enum spec_limit limit)
{
	return d->spec.limits.total[limit].demand != DEMAND_NONE;
}

void explain_limits(const struct decision *d)
{
	size_t columns = table_columns();
	bool is_first = true;

	for (enum spec_limit limit = 0; limit < SPEC_LIMITS; limit++) {
		char value[VALUE_MAX], by[LIMITS_TEXT_MAX], left[VALUE_MAX + 64] = "  ";
		size_t len;

		if (!is_asked_for(d, limit))
			continue;
		if (is_first)
			print_out("\nlimits of the whole sandbox\n");
		is_first = false;
		limits_text_value(&d->spec.limits, limit, value, sizeof(value));
		limits_text_carrier(d, limit, by, sizeof(by));
		len = table_cell(left, sizeof(left), 2, limits_key(limit), KEY_WIDTH);
		table_cell(left, sizeof(left), len, value, VALUE_WIDTH);
		table_row(columns, 2 + KEY_WIDTH + VALUE_WIDTH, left, by);
	}
}

void explain_limits_document(struct json *json, const struct decision *d)
{
	json_open(json, "limits", '[');
	for (enum spec_limit limit = 0; limit < SPEC_LIMITS; limit++) {
		char value[VALUE_MAX], by[LIMITS_TEXT_MAX];
		bool holds;

		if (!is_asked_for(d, limit))
			continue;
		limits_text_value(&d->spec.limits, limit, value, sizeof(value));
		holds = limits_text_carrier(d, limit, by, sizeof(by));
		json_open(json, NULL, '{');
		json_text(json, "key", limits_key(limit));
		json_text(json, "value", value);
		json_truth(json, "required", d->spec.limits.total[limit].demand == DEMAND_REQUIRED);
		json_truth(json, "enforced", holds);
		json_text(json, "by", by);
		json_close(json, '}');
	}
	json_close(json, ']');
}
