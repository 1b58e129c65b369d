/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See egress_list.h. The beginnings and ends of all rules cut the addresses into pieces; within a
 * piece the same rules hold, and their ports are put together.
 */
#include "net/egress_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

enum { ADDRESS = 16 };

void egress_ranges_free(struct egress_ranges *ranges)
{
	free(ranges->list);
	*ranges = (struct egress_ranges){.list = NULL};
}

static int append(struct egress_ranges *ranges, const struct egress_range *range)
{
	if (ranges->n == EGRESS_RANGES_MAX)
		return -E2BIG;
	if (ranges->n == ranges->size) {
		size_t size = ranges->size > 0 ? 2 * ranges->size : 64;
		struct egress_range *list = realloc(ranges->list, size * sizeof(*list));

		if (list == NULL)
			return -ENOMEM;
		ranges->list = list;
		ranges->size = size;
	}
	ranges->list[ranges->n++] = *range;
	return 0;
}

static struct egress_range range_of(const struct spec_egress_rule *rule)
{
	unsigned bits = rule->family == AF_INET ? 32 : 128;
	struct egress_range range = {.first_port = rule->first,
				     .last_port = rule->last,
				     .protocol = rule->protocol};

	memcpy(range.first, rule->address, ADDRESS);
	memcpy(range.last, rule->address, ADDRESS);
	for (unsigned i = rule->length; i < bits; i++)
		range.last[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return range;
}

/* The address behind it; false: it is the last one. */
static bool next_address(const uint8_t *address, unsigned bytes, uint8_t *ret)
{
	memcpy(ret, address, ADDRESS);
	for (unsigned i = bytes; i > 0; i--)
		if (++ret[i - 1] != 0)
			return true;
	return false;
}

static void last_before(const uint8_t *address, unsigned bytes, uint8_t *ret)
{
	memcpy(ret, address, ADDRESS);
	for (unsigned i = bytes; i > 0; i--)
		if (ret[i - 1]-- != 0)
			return;
}

static int by_first(const void *a, const void *b)
{
	return memcmp(((const struct egress_range *)a)->first,
		      ((const struct egress_range *)b)->first, ADDRESS);
}

static int by_port(const void *a, const void *b)
{
	return ((const struct egress_range *)a)->first_port -
	       ((const struct egress_range *)b)->first_port;
}

static int by_address(const void *a, const void *b)
{
	return memcmp(a, b, ADDRESS);
}

struct cutting {
	struct egress_range *rules; /* sorted by their first address */
	size_t n;
	size_t begun;
	struct egress_range *now; /* those that hold in the piece */
	size_t n_now;
	uint8_t (*points)[ADDRESS]; /* where a piece begins */
	size_t n_points;
};

/* From first to last the same rules hold: their ports, together. */
static int emit(struct cutting *cut, const uint8_t *first, const uint8_t *last,
		struct egress_ranges *ret)
{
	struct egress_range piece;
	int r = 0;

	qsort(cut->now, cut->n_now, sizeof(*cut->now), by_port);
	for (size_t i = 0; r == 0 && i < cut->n_now;) {
		piece = cut->now[i];
		memcpy(piece.first, first, ADDRESS);
		memcpy(piece.last, last, ADDRESS);
		while (++i < cut->n_now && cut->now[i].first_port <= piece.last_port + 1)
			if (cut->now[i].last_port > piece.last_port)
				piece.last_port = cut->now[i].last_port;
		r = append(ret, &piece);
	}
	return r;
}

static int walk(struct cutting *cut, unsigned bytes, struct egress_ranges *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < cut->n_points; i++) {
		const uint8_t *first = cut->points[i];
		uint8_t last[ADDRESS] = {0};
		size_t n = 0;

		if (i + 1 < cut->n_points)
			last_before(cut->points[i + 1], bytes, last);
		else
			memset(last, 0xff, bytes);
		for (size_t k = 0; k < cut->n_now; k++)
			if (memcmp(cut->now[k].last, first, ADDRESS) >= 0)
				cut->now[n++] = cut->now[k];
		cut->n_now = n;
		while (cut->begun < cut->n &&
		       memcmp(cut->rules[cut->begun].first, first, ADDRESS) <= 0)
			cut->now[cut->n_now++] = cut->rules[cut->begun++];
		r = emit(cut, first, last, ret);
	}
	return r;
}

static void find_points(struct cutting *cut, unsigned bytes)
{
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < cut->n; i++) {
		memcpy(cut->points[n++], cut->rules[i].first, ADDRESS);
		n += next_address(cut->rules[i].last, bytes, cut->points[n]);
	}
	qsort(cut->points, n, ADDRESS, by_address);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || memcmp(cut->points[kept - 1], cut->points[i], ADDRESS) != 0)
			memmove(cut->points[kept++], cut->points[i], ADDRESS);
	cut->n_points = kept;
}

int egress_ranges_add(const struct spec_egress_rule *rules, size_t n_rules, int family,
		      uint8_t protocol, struct egress_ranges *ret)
{
	unsigned bytes = family == AF_INET ? 4 : ADDRESS;
	_cleanup_free_ struct egress_range *sorted = calloc(n_rules + 1, sizeof(*sorted));
	_cleanup_free_ struct egress_range *now = calloc(n_rules + 1, sizeof(*now));
	_cleanup_free_ void *points = calloc(2 * n_rules + 1, ADDRESS);
	struct cutting cut = {.rules = sorted, .now = now, .points = points};

	if (sorted == NULL || now == NULL || points == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n_rules; i++)
		if (rules[i].family == family && rules[i].protocol == protocol)
			sorted[cut.n++] = range_of(&rules[i]);
	qsort(sorted, cut.n, sizeof(*sorted), by_first);
	find_points(&cut, bytes);
	return walk(&cut, bytes, ret);
}
