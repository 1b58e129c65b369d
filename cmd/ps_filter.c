/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See ps_filter.h. */
#include "cmd/ps_filter.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"

static const struct {
	const char *name;
	enum ps_filter_key key;
} keys[] = {
	{"id", PS_FILTER_ID},           {"name", PS_FILTER_NAME},
	{"label", PS_FILTER_LABEL},     {"status", PS_FILTER_STATUS},
	{"exited", PS_FILTER_EXITED},   {"before", PS_FILTER_BEFORE},
	{"since", PS_FILTER_SINCE},     {"ancestor", PS_FILTER_ANCESTOR},
	{"restart", PS_FILTER_RESTART},
};
enum { N_KEYS = sizeof(keys) / sizeof(keys[0]) };

static const char *const states[] = {"created",    "starting", "running", "paused",
				     "restarting", "exited",   "damaged"};
static const char *const restarts[] = {"no", "on-failure", "always", "unless-stopped"};

/* ---- reading ---- */

static bool is_one_of(const char *value, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_equal(value, list[i]))
			return true;
	return false;
}

static int refuse_key(const char *text, size_t len, struct err *err)
{
	const char *names[N_KEYS];
	char name[64];
	const char *nearest;

	for (size_t i = 0; i < N_KEYS; i++)
		names[i] = keys[i].name;
	str_format(name, sizeof(name), "%.*s", (int)len, text);
	nearest = str_nearest(name, names, N_KEYS);
	err_set(err, ERR_USAGE, 0, "--filter %s: unknown key", name);
	if (nearest != NULL)
		return err_hint(err, "Did you mean %s?", nearest);
	return err_hint(err, "Known are id, name, label, status, exited, before, since, ancestor, "
			     "restart.");
}

static int find_key(const char *text, struct ps_filter *ret, struct err *err)
{
	size_t len = strcspn(text, "=");

	if (text[len] != '=' || text[len + 1] == '\0') {
		err_set(err, ERR_USAGE, 0, "--filter %s: not KEY=VALUE", text);
		return err_hint(err, "--filter name=web");
	}
	for (size_t i = 0; i < N_KEYS; i++) {
		if (strlen(keys[i].name) != len || strncmp(keys[i].name, text, len) != 0)
			continue;
		*ret = (struct ps_filter){.key = keys[i].key, .value = text + len + 1};
		return 0;
	}
	return refuse_key(text, len, err);
}

/* When the sandbox that the filter names was made. */
static int find_time(const struct records *records, struct ps_filter *filter, struct err *err)
{
	struct sandbox sandbox;
	struct record record;
	int r = records_find(records, filter->value, &sandbox, err);

	if (r < 0)
		return r;
	r = record_read(records, &sandbox, &record, err);
	sandbox_release(&sandbox);
	if (r < 0)
		return r;
	filter->number = record.created_ms;
	record_free(&record);
	return 0;
}

/* What a name may hold, at the ends of which ^ and $ mean its ends, and / before it nothing. */
static int check_name(const char *value, struct err *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.-";
	const char *at = value;

	at += *at == '^';
	at += *at == '/';
	at += strspn(at, allowed);
	at += *at == '$';
	if (*at == '\0')
		return 0;
	err_set(err, ERR_USAGE, 0, "--filter name=%s: not a part of a name", value);
	return err_hint(err, "Names have letters, digits and _.-; ^ and $ stand for their ends.");
}

static int check_value(const struct records *records, struct ps_filter *filter, struct err *err)
{
	uint32_t number;

	switch (filter->key) {
	case PS_FILTER_ID:
	case PS_FILTER_LABEL:
	case PS_FILTER_ANCESTOR:
		return 0;
	case PS_FILTER_NAME:
		return check_name(filter->value, err);
	case PS_FILTER_STATUS:
		if (is_one_of(filter->value, states, sizeof(states) / sizeof(states[0])))
			return 0;
		err_set(err, ERR_USAGE, 0, "--filter status=%s: no such state", filter->value);
		return err_hint(err, "Known are created, starting, running, paused, restarting, "
				     "exited, damaged.");
	case PS_FILTER_RESTART:
		if (is_one_of(filter->value, restarts, sizeof(restarts) / sizeof(restarts[0])))
			return 0;
		err_set(err, ERR_USAGE, 0, "--filter restart=%s: no such policy", filter->value);
		return err_hint(err, "Known are no, on-failure, always, unless-stopped.");
	case PS_FILTER_EXITED:
		if (parse_u32(filter->value, &number) < 0 || number > UINT8_MAX)
			return err_set(err, ERR_USAGE, 0,
				       "--filter exited=%s: not an exit code, 0 to 255",
				       filter->value);
		filter->number = number;
		return 0;
	case PS_FILTER_BEFORE:
	case PS_FILTER_SINCE:
		return find_time(records, filter, err);
	}
	return 0;
}

int ps_filters_read(const struct records *records, const struct list_options *options,
		    struct ps_filters *ret, struct err *err)
{
	*ret = (struct ps_filters){.n = 0};
	for (size_t i = 0; i < options->n_filters; i++) {
		struct ps_filter *filter = &ret->list[ret->n];
		int r = find_key(options->filters[i], filter, err);

		if (r == 0)
			r = check_value(records, filter, err);
		if (r < 0)
			return r;
		ret->n++;
		if (filter->key == PS_FILTER_STATUS || filter->key == PS_FILTER_EXITED)
			ret->wants_all = true;
	}
	return 0;
}

/* ---- asking ---- */

/* "^web$", "we". */
static bool has_part(const char *name, const char *part)
{
	bool from_start = part[0] == '^';
	size_t len;

	part += from_start;
	part += part[0] == '/';
	len = strcspn(part, "$");
	for (const char *at = name;; at++) {
		if (strncmp(at, part, len) == 0 && (part[len] == '\0' || at[len] == '\0'))
			return true;
		if (from_start || *at == '\0')
			return false;
	}
}

/* "NAME" or "NAME=VALUE". */
static bool has_label(const struct record *record, const char *wanted)
{
	size_t len = strlen(wanted);
	bool has_value = strchr(wanted, '=') != NULL;

	for (const char *const *label = record->labels; *label != NULL; label++)
		if (strncmp(*label, wanted, len) == 0 &&
		    ((*label)[len] == '\0' || (!has_value && (*label)[len] == '=')))
			return true;
	return false;
}

/* "image:NAME", "NAME", or "NAME" of what is "NAME:latest"; other roots as they are listed. */
static bool is_of_root(const char *rootfs, const char *text)
{
	static const char prefix[] = "image:", latest[] = ":latest";
	const char *name = rootfs + strlen(prefix);
	size_t len = strlen(text);

	if (str_equal(rootfs, text) || !str_has_prefix(rootfs, prefix))
		return str_equal(rootfs, text);
	return str_equal(name, text) ||
	       (str_has_prefix(name, text) && str_equal(name + len, latest)) ||
	       (str_has_prefix(text, name) && str_equal(text + strlen(name), latest));
}

/* "on-failure" is also "on-failure:3". */
static bool is_policy(const char *policy, const char *wanted)
{
	size_t len = strlen(wanted);

	return strncmp(policy, wanted, len) == 0 && (policy[len] == '\0' || policy[len] == ':');
}

static bool is_true(const struct ps_filter *filter, const struct look *look)
{
	const struct record *record = &look->record;

	if (filter->key == PS_FILTER_ID)
		return str_has_prefix(look->id, filter->value);
	if (filter->key == PS_FILTER_STATUS)
		return str_equal(look_state(look), filter->value);
	if (look_is_damaged(look))
		return false;
	switch (filter->key) {
	case PS_FILTER_ID:
	case PS_FILTER_STATUS:
		return false;
	case PS_FILTER_NAME:
		return has_part(record->name, filter->value);
	case PS_FILTER_LABEL:
		return has_label(record, filter->value);
	case PS_FILTER_EXITED:
		return look->status.state == SANDBOX_EXITED &&
		       look->status.last.exit_code == filter->number;
	case PS_FILTER_BEFORE:
		return record->created_ms < filter->number;
	case PS_FILTER_SINCE:
		return record->created_ms > filter->number;
	case PS_FILTER_ANCESTOR:
		return is_of_root(record->rootfs, filter->value);
	case PS_FILTER_RESTART:
		return is_policy(record->restart, filter->value);
	}
	return false;
}

bool ps_filters_take(const struct ps_filters *filters, const struct look *look)
{
	for (size_t i = 0; i < filters->n; i++) {
		const struct ps_filter *filter = &filters->list[i];
		bool takes = is_true(filter, look);

		/* Any other value of the same key does as well. */
		for (size_t k = 0; !takes && filter->key != PS_FILTER_LABEL && k < filters->n; k++)
			takes = filters->list[k].key == filter->key &&
				is_true(&filters->list[k], look);
		if (!takes)
			return false;
	}
	return true;
}
