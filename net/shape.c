/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See shape.h. */
#include "net/shape.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "net/bridge.h"
#include "net/endpoint.h"
#include "net/qdisc.h"

enum {
	ID_LEN = 12,              /* of a run's or a network's, in a link's name */
	BURST_LEAST = 5 << 10,    /* three packets of the usual size */
	BURSTS_IN_A_SECOND = 250, /* a rate that comes in 4 ms pieces is even enough for TCP */
	QUEUES_IN_A_SECOND = 20,  /* what waits, waits 50 ms */
	QUEUE_LEAST = 16 << 10,
	FRAME_HEAD = 18, /* of Ethernet, with a tag of 802.1Q */
};

/* ---- names ---- */

void shape_name_links(char whose, const char *id, struct shape *ret)
{
	str_format(ret->links[SHAPE_EGRESS], IFNAMSIZ, "%ce%.*s", whose, ID_LEN, id);
	str_format(ret->links[SHAPE_INGRESS], IFNAMSIZ, "%ci%.*s", whose, ID_LEN, id);
}

void shape_of_run(const char *run_id, const struct spec_network *network, struct shape *ret)
{
	*ret = (struct shape){
		.traffic = {[SHAPE_EGRESS] = network->egress, [SHAPE_INGRESS] = network->ingress}};
	shape_name_links('c', run_id, ret);
}

bool shape_is_wanted(const struct shape *shape)
{
	return shape->traffic[SHAPE_EGRESS].rate_bits != 0 ||
	       shape->traffic[SHAPE_INGRESS].rate_bits != 0;
}

/* What a sandbox sends its port on the host receives, and so does the bridge of what leaves it. */
static enum qdisc_side side_of(enum shape_way way)
{
	return way == SHAPE_EGRESS ? QDISC_RECEIVED : QDISC_SENT;
}

/* ---- numbers ---- */

static uint64_t at_least(uint64_t number, uint64_t least)
{
	return number < least ? least : number;
}

static struct qdisc_bucket bucket_of(const struct spec_traffic *traffic)
{
	struct qdisc_bucket bucket = {.rate_bytes = traffic->rate_bits / 8};
	uint64_t burst = traffic->burst_bytes;

	if (burst == 0)
		burst = at_least(bucket.rate_bytes / BURSTS_IN_A_SECOND, BURST_LEAST);
	bucket.burst_bytes = (uint32_t)burst;
	bucket.queue_bytes =
		(uint32_t)(burst + at_least(bucket.rate_bytes / QUEUES_IN_A_SECOND, QUEUE_LEAST));
	return bucket;
}

/* A frame that is longer than the burst never passes. */
int shape_check_fits(const struct shape *shape, const struct net_link *place, struct err *err)
{
	static const char *const keys[] = {[SHAPE_EGRESS] = "egress", [SHAPE_INGRESS] = "ingress"};

	for (enum shape_way way = 0; way < SHAPE_WAYS; way++) {
		uint32_t burst = bucket_of(&shape->traffic[way]).burst_bytes;

		if (shape->traffic[way].rate_bits == 0 || burst >= place->mtu + FRAME_HEAD)
			continue;
		err_set(err, ERR_SETUP, 0,
			"link %s: a packet of %u bytes never fits in a burst of %u", place->name,
			place->mtu, burst);
		return err_hint(err, "Say %s.burst: %uKiB or more.", keys[way],
				(place->mtu + FRAME_HEAD + 1023) / 1024);
	}
	return 0;
}

/* ---- the link of a way ---- */

/* What the kernel says of a kind that it has not got. */
static int lacks(int r, struct err *err)
{
	if (r != -EOPNOTSUPP && r != -ENOENT)
		return r;
	err_hint(err, "The kernel lacks what a rate takes: ifb, sch_tbf, sch_ingress, cls_u32 and "
		      "act_mirred (`modprobe`, as root); `cordon doctor` tries them.");
	return r;
}

static int find_link(struct netlink *netlink, const char *name, struct net_link *ret,
		     struct err *err)
{
	int r = link_find(netlink, name, ret, err);

	if (r <= 0 || str_equal(ret->kind, "ifb"))
		return r;
	err_set(err, ERR_SETUP, EEXIST, "link %s: is there, and is not cordon's", name);
	return err_hint(err, "Remove or rename it: ip link show %s.", name);
}

static int set_link(struct netlink *netlink, const struct shape *shape, enum shape_way way,
		    struct net_link *ret, struct err *err)
{
	const struct qdisc_bucket bucket = bucket_of(&shape->traffic[way]);
	int r = find_link(netlink, shape->links[way], ret, err);

	if (r == 0) {
		r = link_add_ifb(netlink, shape->links[way], err);
		if (r == 0)
			r = find_link(netlink, shape->links[way], ret, err);
		if (r == 0)
			r = err_set(err, ERR_SETUP, ENODEV, "link %s: read back",
				    shape->links[way]);
	}
	/* Before it is up: until then all that is sent through it is dropped. */
	if (r > 0)
		r = qdisc_set_bucket(netlink, ret, &bucket, err);
	if (r == 0 && (ret->flags & IFF_UP) == 0)
		r = link_up(netlink, ret, err);
	return r;
}

/* ---- places ---- */

static int divert(struct netlink *netlink, const struct net_link *place, enum shape_way way,
		  const struct net_link *through, struct err *err)
{
	struct qdisc_diversion now = {.n = 0};
	int r = qdisc_add_place(netlink, place, err);

	if (r == 0)
		r = qdisc_read_diversion(netlink, place, side_of(way), &now, err);
	if (r < 0 || (now.n == 1 && now.through == through->index))
		return r;
	/* Through a link that is gone: nothing passed since then. */
	if (now.n > 0)
		r = qdisc_go_straight(netlink, place, side_of(way), err);
	return r == 0 ? qdisc_divert(netlink, place, side_of(way), through, err) : r;
}

static int remove_link(struct netlink *netlink, const char *name, struct err *err)
{
	struct net_link link;
	int r = find_link(netlink, name, &link, err);

	if (r > 0)
		r = link_remove(netlink, &link, err);
	return r == -ENODEV ? 0 : r;
}

struct places {
	const struct net_link *list;
	size_t n;
};

static int set_way(struct netlink *netlink, const struct shape *shape, enum shape_way way,
		   const struct places *places, struct err *err)
{
	struct net_link through;
	int r;

	if (shape->traffic[way].rate_bits == 0) {
		r = 0;
		for (size_t i = 0; r == 0 && i < places->n; i++)
			r = qdisc_go_straight(netlink, &places->list[i], side_of(way), err);
		return r == 0 ? remove_link(netlink, shape->links[way], err) : r;
	}
	r = set_link(netlink, shape, way, &through, err);
	for (size_t i = 0; r == 0 && i < places->n; i++)
		r = divert(netlink, &places->list[i], way, &through, err);
	return r;
}

/* 1: as it is now, it holds more than it is to. */
static int would_loosen(struct netlink *netlink, const struct shape *shape, enum shape_way way,
			struct err *err)
{
	struct qdisc_bucket now;
	struct net_link link;
	int r = find_link(netlink, shape->links[way], &link, err);

	if (r > 0)
		r = qdisc_read_bucket(netlink, &link, &now, err);
	return r <= 0 ? r : now.rate_bytes <= shape->traffic[way].rate_bits / 8;
}

int shape_tighten(struct netlink *netlink, const struct shape *shape, const struct net_link *places,
		  size_t n, struct err *err)
{
	const struct places all = {.list = places, .n = n};
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = shape_check_fits(shape, &places[i], err);
	for (enum shape_way way = 0; r >= 0 && way < SHAPE_WAYS; way++) {
		if (shape->traffic[way].rate_bits == 0)
			continue;
		r = would_loosen(netlink, shape, way, err);
		if (r == 0)
			r = lacks(set_way(netlink, shape, way, &all, err), err);
	}
	return r < 0 ? r : 0;
}

int shape_set(struct netlink *netlink, const struct shape *shape, const struct net_link *places,
	      size_t n, struct err *err)
{
	const struct places all = {.list = places, .n = n};
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = shape_check_fits(shape, &places[i], err);
	for (enum shape_way way = 0; r == 0 && way < SHAPE_WAYS; way++)
		r = lacks(set_way(netlink, shape, way, &all, err), err);
	return r == 0 ? shape_verify(netlink, shape, places, n, err) : r;
}

/* ---- reading back ---- */

static int differs(const char *name, const char *what, struct err *err)
{
	return err_set(err, ERR_SETUP, 0, "link %s: read back: %s", name, what);
}

static bool is_bucket(const struct qdisc_bucket *now, const struct qdisc_bucket *wanted)
{
	uint32_t slack = wanted->burst_bytes / 1000 + 1;

	/* The kernel rounds the time of a burst. */
	return now->rate_bytes == wanted->rate_bytes && now->queue_bytes == wanted->queue_bytes &&
	       now->burst_bytes + slack >= wanted->burst_bytes &&
	       now->burst_bytes <= wanted->burst_bytes + slack;
}

static int verify_way(struct netlink *netlink, const struct shape *shape, enum shape_way way,
		      struct net_link *ret, struct err *err)
{
	const char *name = shape->links[way];
	const struct qdisc_bucket wanted = bucket_of(&shape->traffic[way]);
	struct qdisc_bucket now;
	int r = find_link(netlink, name, ret, err);

	if (r < 0)
		return r;
	if (shape->traffic[way].rate_bits == 0)
		return r == 0 ? 0 : differs(name, "it is still there", err);
	if (r == 0)
		return differs(name, "it is not there", err);
	if ((ret->flags & IFF_UP) == 0)
		return differs(name, "it is switched off", err);
	r = qdisc_read_bucket(netlink, ret, &now, err);
	if (r < 0)
		return r;
	return r > 0 && is_bucket(&now, &wanted) ? 0 : differs(name, "it has another rate", err);
}

static int verify_place(struct netlink *netlink, const struct net_link *place, enum shape_way way,
			const struct net_link *through, struct err *err)
{
	struct qdisc_diversion now;
	int r = qdisc_read_diversion(netlink, place, side_of(way), &now, err);

	if (r < 0)
		return r;
	if (through == NULL)
		return now.n == 0 ? 0 : differs(place->name, "a filter is still there", err);
	return now.n == 1 && now.takes_all && now.through == through->index
		       ? 0
		       : differs(place->name, "not all of it goes through its rate", err);
}

int shape_verify(struct netlink *netlink, const struct shape *shape, const struct net_link *places,
		 size_t n, struct err *err)
{
	int r = 0;

	for (enum shape_way way = 0; r == 0 && way < SHAPE_WAYS; way++) {
		struct net_link through;
		bool is_wanted = shape->traffic[way].rate_bits != 0;

		r = verify_way(netlink, shape, way, &through, err);
		for (size_t i = 0; r == 0 && i < n; i++)
			r = verify_place(netlink, &places[i], way, is_wanted ? &through : NULL,
					 err);
	}
	return r;
}

/* ---- the end ---- */

int shape_remove(struct netlink *netlink, const struct shape *shape, struct err *err)
{
	int result = 0;

	for (enum shape_way way = 0; way < SHAPE_WAYS; way++) {
		int r = remove_link(netlink, shape->links[way], err);

		result = r < 0 ? r : result;
	}
	return result;
}

int shape_find_ports(struct netlink *netlink, const char *run_id,
		     struct net_link ret[SPEC_NETWORKS_MAX], struct err *err)
{
	int n = 0;

	for (unsigned i = 0; i < SPEC_NETWORKS_MAX; i++) {
		char name[IFNAMSIZ];
		int r;

		endpoint_host_name(run_id, i, name);
		r = link_find(netlink, name, &ret[n], err);
		if (r < 0)
			return r;
		n += r;
	}
	return n;
}

struct sweeping {
	char names[64][IFNAMSIZ];
	size_t n;
};

static void note(void *ctx, const struct net_link *link)
{
	struct sweeping *sweeping = ctx;
	const char *name = link->name;
	bool is_ours = (name[0] == 'c' || name[0] == 'n') && (name[1] == 'e' || name[1] == 'i') &&
		       strlen(name) == 2 + ID_LEN && strspn(name + 2, "0123456789abcdef") == ID_LEN;

	/* What does not fit comes with the next sweep. */
	if (is_ours && sweeping->n < sizeof(sweeping->names) / sizeof(sweeping->names[0]))
		str_format(sweeping->names[sweeping->n++], IFNAMSIZ, "%s", name);
}

/* The default network's bridge has a name of its own. */
static void name_bridge(const char *id, char buf[IFNAMSIZ])
{
	const struct network *own;

	bridge_name(id, buf);
	for (size_t i = 0; (own = network_built_in_at(i)) != NULL; i++)
		if (own->driver == NETWORK_BRIDGE && strncmp(own->id, id, ID_LEN) == 0)
			str_format(buf, IFNAMSIZ, "%s", NETWORK_DEFAULT_BRIDGE);
}

/* Whether there is something that sends through it. */
static int is_used(struct netlink *netlink, const char *name, struct err *err)
{
	struct net_link links[SPEC_NETWORKS_MAX];
	char bridge[IFNAMSIZ];

	if (name[0] == 'c')
		return shape_find_ports(netlink, name + 2, links, err);
	name_bridge(name + 2, bridge);
	return link_find(netlink, bridge, &links[0], err);
}

int shape_sweep(struct netlink *netlink, uint32_t *n_removed, struct err *err)
{
	struct sweeping sweeping = {.n = 0};
	int r = link_walk(netlink, "ifb", note, &sweeping, err);

	for (size_t i = 0; r >= 0 && i < sweeping.n; i++) {
		r = is_used(netlink, sweeping.names[i], err);
		if (r != 0)
			continue;
		r = remove_link(netlink, sweeping.names[i], err);
		*n_removed += r == 0;
	}
	return r < 0 ? r : 0;
}
