/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See ports.h. */
#include "cmd/ports.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "net/endpoint.h"
#include "net/offers.h"

/* ---- reading ---- */

struct reading {
	struct ports *ports;
	size_t size;
	bool failed;
};

static void take(void *ctx, const char *owner, const struct publish_port *port)
{
	struct reading *reading = ctx;
	struct ports *ports = reading->ports;
	struct ports_line *line;

	if (ports->n == reading->size) {
		size_t size = reading->size == 0 ? 16 : reading->size * 2;
		struct ports_line *list = reallocarray(ports->list, size, sizeof(*list));

		reading->failed = reading->failed || list == NULL;
		if (list == NULL)
			return;
		ports->list = list;
		reading->size = size;
	}
	line = &ports->list[ports->n++];
	line->port = *port;
	str_format(line->owner, sizeof(line->owner), "%.*s", (int)strcspn(owner, " "), owner);
}

static bool is_alike(const struct ports_line *one, const struct ports_line *other)
{
	return one->port.protocol == other->port.protocol &&
	       one->port.address.family == other->port.address.family &&
	       memcmp(one->port.address.bytes, other->port.address.bytes, 16) == 0;
}

static int compare(const void *a, const void *b)
{
	const struct publish_port *one = &((const struct ports_line *)a)->port;
	const struct publish_port *other = &((const struct ports_line *)b)->port;
	const int differ[] = {one->address.family - other->address.family,
			      memcmp(one->address.bytes, other->address.bytes, 16),
			      one->protocol - other->protocol, one->inside - other->inside,
			      one->host - other->host};
	size_t i = 0;

	while (i + 1 < sizeof(differ) / sizeof(differ[0]) && differ[i] == 0)
		i++;
	return differ[i];
}

int ports_read(struct ports *ret, struct err *err)
{
	struct reading reading = {.ports = ret};
	const struct publish_reader reader = {.each = take, .ctx = &reading};
	struct netlink nft = {.fd = -EBADF};
	int r;

	ret->list = NULL;
	ret->n = 0;
	r = netlink_open(NETLINK_NETFILTER, &nft, err);
	if (r == 0)
		r = publish_walk(&nft, &reader, err);
	netlink_close(&nft);
	if (r == 0 && reading.failed)
		r = err_set(err, ERR_SETUP, ENOMEM, "published ports");
	if (ret->n > 0)
		qsort(ret->list, ret->n, sizeof(*ret->list), compare);
	return r;
}

void ports_free(struct ports *ports)
{
	free(ports->list);
	ports->list = NULL;
	ports->n = 0;
}

const struct ports_line *ports_next(const struct ports *ports, const char *run_id,
				    const struct ports_line *at)
{
	char owner[IFNAMSIZ];

	/* Of whichever of its networks: all but the last digit is the run's. */
	endpoint_host_name(run_id, 0, owner);
	owner[strlen(owner) - 1] = '\0';
	/* One that does not run has none. */
	if (run_id[0] == '\0')
		return NULL;
	for (size_t i = at != NULL ? (size_t)(at - ports->list) + 1 : 0; i < ports->n; i++)
		if (str_has_prefix(ports->list[i].owner, owner))
			return &ports->list[i];
	return NULL;
}

/* ---- those that are not published ---- */

struct exposed {
	struct spec_exposed list[SPEC_EXPOSED_MAX];
	size_t n;
};

static bool is_published(const struct ports *ports, const char *run_id,
			 const struct spec_exposed *port)
{
	for (const struct ports_line *line = ports_next(ports, run_id, NULL); line != NULL;
	     line = ports_next(ports, run_id, line))
		if (line->port.inside == port->port && line->port.protocol == port->protocol)
			return true;
	return false;
}

/* By what the run has said of itself at its start; none where it is in no network. */
static void find_exposed(const struct ports *ports, const char *run_id, struct exposed *ret)
{
	struct offers offers;
	size_t at;

	ret->n = 0;
	if (run_id[0] == '\0' || ports->run[0] == '\0' ||
	    offers_read(ports->run, run_id, &offers) < 0)
		return;
	at = offers.ports;
	while (ret->n < SPEC_EXPOSED_MAX && offers_next_port(&offers, &at, &ret->list[ret->n]))
		if (!is_published(ports, run_id, &ret->list[ret->n]))
			ret->n++;
	offers_free(&offers);
}

/* ---- printing ---- */

static void put_exposed_text(const struct ports *ports, const char *run_id, const char *between,
			     struct page *page)
{
	struct exposed exposed;

	find_exposed(ports, run_id, &exposed);
	for (size_t i = 0, last; i < exposed.n; i = last + 1) {
		const struct spec_exposed *list = exposed.list;

		for (last = i; last + 1 < exposed.n &&
			       list[last + 1].protocol == list[i].protocol &&
			       list[last + 1].port == list[last].port + 1;)
			last++;
		page_format(page, "%s%u", between, list[i].port);
		if (last > i)
			page_format(page, "-%u", list[last].port);
		page_format(page, "/%s", offers_protocol(list[i].protocol));
		between = ", ";
	}
}

/* The last of those that follow each other from first on, with the same numbers inside. */
static const struct ports_line *end_of_range(const struct ports *ports, const char *run_id,
					     const struct ports_line *first)
{
	const struct ports_line *last = first;

	for (const struct ports_line *line = ports_next(ports, run_id, first);
	     line != NULL && first->port.host == first->port.inside && is_alike(line, first) &&
	     line->port.host == line->port.inside && line->port.inside == last->port.inside + 1;
	     line = ports_next(ports, run_id, line))
		last = line;
	return last;
}

void ports_put_text(const struct ports *ports, const char *run_id, struct page *page)
{
	const struct ports_line *line = ports_next(ports, run_id, NULL);
	const char *between = "";

	while (line != NULL) {
		const struct ports_line *last = end_of_range(ports, run_id, line);
		char outside[PUBLISH_TEXT_MAX];

		publish_outside(&line->port, outside);
		page_format(page, "%s%s", between, outside);
		if (last == line)
			page_format(page, "->%u/", line->port.inside);
		else
			page_format(page, "-%u->%u-%u/", last->port.host, line->port.inside,
				    last->port.inside);
		page_text(page, publish_protocol(line->port.protocol));
		between = ", ";
		line = ports_next(ports, run_id, last);
	}
	put_exposed_text(ports, run_id, between, page);
}

static void put_exposed_json(const struct ports *ports, const char *run_id, struct json *json)
{
	struct exposed exposed;

	find_exposed(ports, run_id, &exposed);
	for (size_t i = 0; i < exposed.n; i++) {
		json_open(json, NULL, '{');
		json_number(json, "port", exposed.list[i].port);
		json_text(json, "protocol", offers_protocol(exposed.list[i].protocol));
		json_null(json, "host_address");
		json_null(json, "host_port");
		json_close(json, '}');
	}
}

void ports_put_json(const struct ports *ports, const char *run_id, struct json *json)
{
	json_open(json, "ports", '[');
	for (const struct ports_line *line = ports_next(ports, run_id, NULL); line != NULL;
	     line = ports_next(ports, run_id, line)) {
		char address[ADDRESS_TEXT_MAX];

		address_format(&line->port.address, address);
		json_open(json, NULL, '{');
		json_number(json, "port", line->port.inside);
		json_text(json, "protocol", publish_protocol(line->port.protocol));
		json_text(json, "host_address", address);
		json_number(json, "host_port", line->port.host);
		json_close(json, '}');
	}
	put_exposed_json(ports, run_id, json);
	json_close(json, ']');
}
