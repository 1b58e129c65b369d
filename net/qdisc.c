/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See qdisc.h. */
#include "net/qdisc.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <string.h>

#include "base/str.h"

enum {
	ROOT_HANDLE = 0x10000, /* "1:" */
	/* tc(8)'s unit of time, which the kernel says as the second number of /proc/net/psched: 64
	 * ns (PSCHED_SHIFT of include/net/pkt_sched.h). */
	NS_OF_TICK = 64,
};

static const uint64_t ns_per_s = 1000000000;

static uint32_t parent_of(enum qdisc_side side)
{
	return TC_H_MAKE(TC_H_CLSACT, side == QDISC_RECEIVED ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
}

/* In front of any other. Not the same on both sides: of a link's filters u32 tells by their
 * priority alone (u32_walk of net/sched/cls_u32.c). */
static uint32_t priority_of(enum qdisc_side side)
{
	return side == QDISC_RECEIVED ? 1 : 2;
}

static void describe(const struct net_link *link, const char *doing, char buf[64])
{
	str_format(buf, 64, "link %s: %s", link->name, doing);
}

/* ---- the bucket ---- */

int qdisc_set_bucket(struct netlink *netlink, const struct net_link *link,
		     const struct qdisc_bucket *bucket, struct err *err)
{
	const struct tcmsg head = {.tcm_family = AF_UNSPEC,
				   .tcm_ifindex = link->index,
				   .tcm_handle = ROOT_HANDLE,
				   .tcm_parent = TC_H_ROOT};
	/* By the length of Ethernet frames; no table of rates is asked for then. */
	const struct tc_tbf_qopt options = {.rate = {.rate = bucket->rate_bytes < UINT32_MAX
								     ? (uint32_t)bucket->rate_bytes
								     : UINT32_MAX,
						     .linklayer = TC_LINKLAYER_ETHERNET},
					    .limit = bucket->queue_bytes};
	struct netlink_request request;
	size_t nest;
	char what[64];

	describe(link, "set a rate", what);
	netlink_begin(&request, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &head, sizeof(head));
	netlink_put_text(&request, TCA_KIND, "tbf");
	nest = netlink_nest_begin(&request, TCA_OPTIONS);
	netlink_put(&request, TCA_TBF_PARMS, &options, sizeof(options));
	netlink_put_u32(&request, TCA_TBF_BURST, bucket->burst_bytes);
	if (bucket->rate_bytes >= UINT32_MAX)
		netlink_put(&request, TCA_TBF_RATE64, &bucket->rate_bytes,
			    sizeof(bucket->rate_bytes));
	netlink_nest_end(&request, nest);
	return netlink_do(netlink, &request, what, err);
}

static bool is_kind(const struct netlink_message *message, size_t head, const char *kind)
{
	struct netlink_attribute a;
	char text[16];

	return netlink_find(message->payload + head, message->len - head, TCA_KIND, &a) > 0 &&
	       netlink_get_text(&a, text, sizeof(text)) && str_equal(text, kind);
}

static int read_options(const struct netlink_attribute *options, struct qdisc_bucket *ret)
{
	struct netlink_attribute a;
	struct tc_tbf_qopt parameters;
	struct qdisc_bucket bucket;
	unsigned __int128 burst;
	int r = netlink_find(options->data, options->len, TCA_TBF_PARMS, &a);

	if (r <= 0 || a.len < sizeof(parameters))
		return -EBADMSG;
	memcpy(&parameters, a.data, sizeof(parameters));
	bucket = (struct qdisc_bucket){.rate_bytes = parameters.rate.rate,
				       .queue_bytes = parameters.limit};
	r = netlink_find(options->data, options->len, TCA_TBF_RATE64, &a);
	if (r < 0 || (r > 0 && a.len != sizeof(bucket.rate_bytes)))
		return -EBADMSG;
	if (r > 0)
		memcpy(&bucket.rate_bytes, a.data, sizeof(bucket.rate_bytes));
	burst = (unsigned __int128)parameters.buffer * NS_OF_TICK * bucket.rate_bytes / ns_per_s;
	bucket.burst_bytes = burst < UINT32_MAX ? (uint32_t)burst : UINT32_MAX;
	*ret = bucket;
	return 1;
}

int qdisc_read(const struct netlink_message *message, struct qdisc_bucket *ret)
{
	struct netlink_attribute options;

	if (message->type != RTM_NEWQDISC || message->len < sizeof(struct tcmsg))
		return -EBADMSG;
	if (!is_kind(message, sizeof(struct tcmsg), "tbf"))
		return 0;
	if (netlink_find(message->payload + sizeof(struct tcmsg),
			 message->len - sizeof(struct tcmsg), TCA_OPTIONS, &options) <= 0)
		return -EBADMSG;
	return read_options(&options, ret);
}

struct looking {
	const char *what;
	struct qdisc_bucket *bucket;
	struct qdisc_diversion *diversion;
	bool is_found;
};

static int damaged(int r, const char *what, struct err *err)
{
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s: the kernel's answer", what) : 0;
}

static int take_bucket(void *ctx, const struct netlink_message *message, struct err *err)
{
	struct looking *looking = ctx;
	int r = qdisc_read(message, looking->bucket);

	looking->is_found = looking->is_found || r > 0;
	return damaged(r, looking->what, err);
}

int qdisc_read_bucket(struct netlink *netlink, const struct net_link *link,
		      struct qdisc_bucket *ret, struct err *err)
{
	const struct tcmsg head = {.tcm_family = AF_UNSPEC,
				   .tcm_ifindex = link->index,
				   .tcm_parent = TC_H_ROOT};
	char what[64];
	struct looking looking = {.what = what, .bucket = ret};
	const struct netlink_reader reader = {.each = take_bucket, .ctx = &looking};
	struct netlink_request request;
	int r;

	describe(link, "read its rate", what);
	/* Older kernels answer by what they tell everybody, and whoever asks by ECHO alone. */
	netlink_begin(&request, RTM_GETQDISC, NLM_F_ECHO, &head, sizeof(head));
	r = netlink_ask(netlink, &request, what, &reader, err);
	return r == -ENOENT ? 0 : r < 0 ? r : looking.is_found;
}

/* ---- filters ---- */

int qdisc_add_place(struct netlink *netlink, const struct net_link *link, struct err *err)
{
	const struct tcmsg head = {.tcm_family = AF_UNSPEC,
				   .tcm_ifindex = link->index,
				   .tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
				   .tcm_parent = TC_H_CLSACT};
	struct netlink_request request;
	char what[64];
	int r;

	describe(link, "make a place for filters", what);
	netlink_begin(&request, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head));
	netlink_put_text(&request, TCA_KIND, "clsact");
	r = netlink_do(netlink, &request, what, err);
	return r == -EEXIST ? 0 : r;
}

static struct tcmsg filters_of(const struct net_link *link, enum qdisc_side side)
{
	return (struct tcmsg){.tcm_family = AF_UNSPEC,
			      .tcm_ifindex = link->index,
			      .tcm_parent = parent_of(side)};
}

static void put_mirred(struct netlink_request *request, int through)
{
	const struct tc_mirred parameters = {.action = TC_ACT_STOLEN,
					     .eaction = TCA_EGRESS_REDIR,
					     .ifindex = (uint32_t)through};
	size_t actions = netlink_nest_begin(request, TCA_U32_ACT);
	size_t action = netlink_nest_begin(request, 1);
	size_t options;

	netlink_put_text(request, TCA_ACT_KIND, "mirred");
	options = netlink_nest_begin(request, TCA_ACT_OPTIONS);
	netlink_put(request, TCA_MIRRED_PARMS, &parameters, sizeof(parameters));
	netlink_nest_end(request, options);
	netlink_nest_end(request, action);
	netlink_nest_end(request, actions);
}

/* Without a key: one at an offset would let through what is too short for it. */
int qdisc_divert(struct netlink *netlink, const struct net_link *link, enum qdisc_side side,
		 const struct net_link *through, struct err *err)
{
	const struct tc_u32_sel selector = {.flags = TC_U32_TERMINAL, .nkeys = 0};
	struct tcmsg head = filters_of(link, side);
	struct netlink_request request;
	char what[64];
	size_t nest;

	str_format(what, sizeof(what), "link %s: send all through %s", link->name, through->name);
	head.tcm_info = TC_H_MAKE(priority_of(side) << 16, __builtin_bswap16(ETH_P_ALL));
	netlink_begin(&request, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head));
	netlink_put_text(&request, TCA_KIND, "u32");
	nest = netlink_nest_begin(&request, TCA_OPTIONS);
	netlink_put(&request, TCA_U32_SEL, &selector, sizeof(selector));
	put_mirred(&request, through->index);
	netlink_nest_end(&request, nest);
	return netlink_do(netlink, &request, what, err);
}

int qdisc_go_straight(struct netlink *netlink, const struct net_link *link, enum qdisc_side side,
		      struct err *err)
{
	const struct tcmsg head = filters_of(link, side);
	struct netlink_request request;
	char what[64];
	int r;

	describe(link, "take its filters out", what);
	netlink_begin(&request, RTM_DELTFILTER, 0, &head, sizeof(head));
	r = netlink_do(netlink, &request, what, err);
	/* No place for any, or none there. */
	return r == -EINVAL || r == -ENOENT ? 0 : r;
}

/* The first of its actions, where that is mirred's. */
static int read_action(const struct netlink_attribute *actions, struct qdisc_diversion *ret)
{
	struct netlink_attribute action, kind, options, parameters;
	struct tc_mirred mirred;
	char text[16];

	if (netlink_find(actions->data, actions->len, 1, &action) <= 0 ||
	    netlink_find(action.data, action.len, TCA_ACT_KIND, &kind) <= 0 ||
	    netlink_find(action.data, action.len, TCA_ACT_OPTIONS, &options) <= 0 ||
	    !netlink_get_text(&kind, text, sizeof(text)))
		return -EBADMSG;
	if (!str_equal(text, "mirred"))
		return 0;
	if (netlink_find(options.data, options.len, TCA_MIRRED_PARMS, &parameters) <= 0 ||
	    parameters.len < sizeof(mirred))
		return -EBADMSG;
	memcpy(&mirred, parameters.data, sizeof(mirred));
	if (mirred.eaction == TCA_EGRESS_REDIR && mirred.action == TC_ACT_STOLEN)
		ret->through = (int)mirred.ifindex;
	return 0;
}

/* Of a u32 the kernel tells of its tables as well, which have no selector. */
int qdisc_count_filter(const struct netlink_message *message, struct qdisc_diversion *ret)
{
	const size_t head_len = sizeof(struct tcmsg);
	struct netlink_attribute options, a;
	struct tc_u32_sel selector;
	struct tcmsg head;

	if (message->type != RTM_NEWTFILTER || message->len < head_len)
		return -EBADMSG;
	memcpy(&head, message->payload, sizeof(head));
	if (!is_kind(message, head_len, "u32")) {
		ret->n++;
		return 0;
	}
	if (netlink_find(message->payload + head_len, message->len - head_len, TCA_OPTIONS,
			 &options) <= 0 ||
	    netlink_find(options.data, options.len, TCA_U32_SEL, &a) <= 0)
		return 0;
	if (a.len < sizeof(selector))
		return -EBADMSG;
	memcpy(&selector, a.data, sizeof(selector));
	ret->n++;
	ret->takes_all =
		selector.nkeys == 0 && TC_H_MIN(head.tcm_info) == __builtin_bswap16(ETH_P_ALL);
	ret->through = 0;
	return netlink_find(options.data, options.len, TCA_U32_ACT, &a) > 0 ? read_action(&a, ret)
									    : 0;
}

static int take_filter(void *ctx, const struct netlink_message *message, struct err *err)
{
	struct looking *looking = ctx;

	return damaged(qdisc_count_filter(message, looking->diversion), looking->what, err);
}

int qdisc_read_diversion(struct netlink *netlink, const struct net_link *link, enum qdisc_side side,
			 struct qdisc_diversion *ret, struct err *err)
{
	const struct tcmsg head = filters_of(link, side);
	char what[64];
	struct looking looking = {.what = what, .diversion = ret};
	const struct netlink_reader reader = {.each = take_filter, .ctx = &looking};
	struct netlink_request request;
	int r;

	*ret = (struct qdisc_diversion){.n = 0};
	describe(link, "read its filters", what);
	netlink_begin(&request, RTM_GETTFILTER, NLM_F_DUMP, &head, sizeof(head));
	r = netlink_ask(netlink, &request, what, &reader, err);
	/* No place for any. */
	return r == -EINVAL ? 0 : r;
}
