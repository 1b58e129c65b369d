/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon ps --filter`: which sandboxes are listed. */
#ifndef CORDON_CMD_PS_FILTER_H
#define CORDON_CMD_PS_FILTER_H

#include "cmd/list_options.h"
#include "cmd/look.h"

enum ps_filter_key {
	PS_FILTER_ID,
	PS_FILTER_NAME,
	PS_FILTER_LABEL,
	PS_FILTER_STATUS,
	PS_FILTER_EXITED,
	PS_FILTER_BEFORE,
	PS_FILTER_SINCE,
	PS_FILTER_ANCESTOR,
	PS_FILTER_RESTART,
};

struct ps_filter {
	enum ps_filter_key key;
	const char *value;
	int64_t number; /* exited: the code; before, since: when that sandbox was made */
};

struct ps_filters {
	struct ps_filter list[LIST_FILTERS_MAX];
	size_t n;
	bool wants_all; /* they ask for sandboxes that do not run */
};

/* Reads them, and looks up the sandboxes of before and since. ERR_USAGE: an unknown key or value, a
 * sandbox that is not there. */
int must_check ps_filters_read(const struct records *records, const struct list_options *options,
			       struct ps_filters *ret, struct err *err);

/* Values of one key are alternatives, labels excepted; different keys must all be true. Of a
 * damaged sandbox only id and status are known: any other filter is not true of it. */
bool ps_filters_take(const struct ps_filters *filters, const struct look *look);

#endif
