/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon explain`: the limits of the sandbox as a whole, and by what each is held. */
#include <string.h>

#include "base/str.h"
#include "cmd/explain.h"
#include "cmd/print.h"
#include "cmd/table.h"

enum { KEY_WIDTH = 21, VALUE_WIDTH = 14, VALUE_MAX = 512 };

static bool is_asked_for(const struct decision *d, enum spec_limit limit)
{
	return d->spec.limits.total[limit].demand != DEMAND_NONE;
}

/* ---- rates ---- */

struct rate {
	const char *key;
	const struct spec_traffic *traffic;
};

/* "10mbit", "1500kbit, 64000 bytes at once" */
static void rate_text(const struct spec_traffic *traffic, char *buf, size_t size)
{
	static const struct {
		const char *name;
		uint64_t factor;
	} units[] = {{"gbit", 1000000000}, {"mbit", 1000000}, {"kbit", 1000}, {"bit", 1}};
	size_t i = 0, len;

	while (traffic->rate_bits % units[i].factor != 0)
		i++;
	len = str_format(buf, size, "%llu%s",
			 (unsigned long long)(traffic->rate_bits / units[i].factor), units[i].name);
	if (traffic->burst_bytes != 0)
		str_format(buf + len, size - len, ", %llu bytes at once",
			   (unsigned long long)traffic->burst_bytes);
}

static const char *rate_carrier(const struct decision *d)
{
	return d->spec.network.n_endpoints > 0
		       ? "a token bucket on the host, of all its links together"
		       : "there is no link yet";
}

/* ---- both ---- */

static void print_one(const char *key, const char *value, const char *by, bool *is_first)
{
	char left[VALUE_MAX + 64] = "  ";
	size_t len;

	if (*is_first)
		print_out("\nlimits of the whole sandbox\n");
	*is_first = false;
	len = table_cell(left, sizeof(left), 2, key, KEY_WIDTH);
	table_cell(left, sizeof(left), len, value, VALUE_WIDTH);
	table_row(table_columns(), 2 + KEY_WIDTH + VALUE_WIDTH, left, by);
}

void explain_limits(const struct decision *d)
{
	const struct rate rates[] = {{"network.egress.rate", &d->spec.network.egress},
				     {"network.ingress.rate", &d->spec.network.ingress}};
	char value[VALUE_MAX], by[LIMITS_TEXT_MAX];
	bool is_first = true;

	for (enum spec_limit limit = 0; limit < SPEC_LIMITS; limit++) {
		if (!is_asked_for(d, limit))
			continue;
		limits_text_value(&d->spec.limits, limit, value, sizeof(value));
		limits_text_carrier(d, limit, by, sizeof(by));
		print_one(limits_key(limit), value, by, &is_first);
	}
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		if (rates[i].traffic->rate_bits == 0)
			continue;
		rate_text(rates[i].traffic, value, sizeof(value));
		print_one(rates[i].key, value, rate_carrier(d), &is_first);
	}
}

static void put_one(struct json *json, const char *key, const char *value, const char *by)
{
	json_open(json, NULL, '{');
	json_text(json, "key", key);
	json_text(json, "value", value);
	json_text(json, "by", by);
}

static void put_rates(struct json *json, const struct decision *d)
{
	const struct rate rates[] = {{"network.egress.rate", &d->spec.network.egress},
				     {"network.ingress.rate", &d->spec.network.ingress}};
	char value[VALUE_MAX];

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		if (rates[i].traffic->rate_bits == 0)
			continue;
		rate_text(rates[i].traffic, value, sizeof(value));
		put_one(json, rates[i].key, value, rate_carrier(d));
		json_truth(json, "required", true);
		json_truth(json, "enforced", true);
		json_close(json, '}');
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
		put_one(json, limits_key(limit), value, by);
		json_truth(json, "required", d->spec.limits.total[limit].demand == DEMAND_REQUIRED);
		json_truth(json, "enforced", holds);
		json_close(json, '}');
	}
	put_rates(json, d);
	json_close(json, ']');
}
