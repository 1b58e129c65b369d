/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kernel does with the packets of a link (tc(8)), by rtnetlink: a token bucket that lets
 * them through at a rate, and filters that send all of them through another link first. Of the
 * network namespace that the socket was opened in. Runs in the keeper and in commands. Needs:
 * CAP_NET_ADMIN over that namespace; reading needs nothing.
 */
#ifndef CORDON_NET_QDISC_H
#define CORDON_NET_QDISC_H

#include "net/link.h"

/* Which of a link's packets: those that came by it, or those that leave by it. */
enum qdisc_side { QDISC_RECEIVED, QDISC_SENT, QDISC_SIDES };

struct qdisc_bucket {
	uint64_t rate_bytes;  /* in a second */
	uint32_t burst_bytes; /* at once, after a pause */
	uint32_t queue_bytes; /* wait at most; what comes then is dropped */
};

/* As the root of what link sends: made, or changed in its place, with what waits in it. */
int must_check qdisc_set_bucket(struct netlink *netlink, const struct net_link *link,
				const struct qdisc_bucket *bucket, struct err *err);
/* 1, or 0 where its root is none. Of the burst the kernel keeps the time that it takes: what is
 * given back is near it, by a thousandth. */
int must_check qdisc_read_bucket(struct netlink *netlink, const struct net_link *link,
				 struct qdisc_bucket *ret, struct err *err);
/* One message RTM_NEWQDISC of a link's. 1; 0: it is no bucket; -EBADMSG. Pure. */
int must_check qdisc_read(const struct netlink_message *message, struct qdisc_bucket *ret);

/* A place for filters on link. It is there already: no error. */
int must_check qdisc_add_place(struct netlink *netlink, const struct net_link *link,
			       struct err *err);
/*
 * All of that side's frames, of whatever protocol and length, are sent by `through` in the place of
 * going on; where that is gone or off they are dropped. Needs: qdisc_add_place.
 */
int must_check qdisc_divert(struct netlink *netlink, const struct net_link *link,
			    enum qdisc_side side, const struct net_link *through, struct err *err);
/* Takes all filters of that side out. Idempotent. */
int must_check qdisc_go_straight(struct netlink *netlink, const struct net_link *link,
				 enum qdisc_side side, struct err *err);

/* The filters of a side, as far as they are such. */
struct qdisc_diversion {
	size_t n;       /* filters */
	int through;    /* index of the link, of the last one */
	bool takes_all; /* the last one has no condition */
};
int must_check qdisc_read_diversion(struct netlink *netlink, const struct net_link *link,
				    enum qdisc_side side, struct qdisc_diversion *ret,
				    struct err *err);
/* One message RTM_NEWTFILTER, counted in. 0 or -EBADMSG. Pure. */
int must_check qdisc_count_filter(const struct netlink_message *message,
				  struct qdisc_diversion *ret);

#endif
