/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* net/netlink*.c, net/link_read.c, net/qdisc.c: bytes of requests, answers that are cut off or
 * wrong, and one conversation with the kernel about lo. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "net/link.h"
#include "net/qdisc.h"

/* What netlink_do would send. */
static struct netlink_message sent(struct netlink_request *request)
{
	struct netlink_message message = {0};
	struct nlmsghdr head;
	size_t at = 0;

	memcpy(&head, request->bytes, sizeof(head));
	head.nlmsg_len = (uint32_t)request->len;
	memcpy(request->bytes, &head, sizeof(head));
	assert_int_equal(netlink_next(request->bytes, request->len, &at, &message), 1);
	assert_int_equal(netlink_next(request->bytes, request->len, &at, &message), 0);
	return message;
}

static void begin(struct netlink_request *request, uint16_t type, int index)
{
	struct ifinfomsg head = {.ifi_index = index};

	netlink_begin(request, type, 0, &head, sizeof(head));
}

static void writes_what_it_reads(void **state)
{
	static const uint8_t mac[MAC_LEN] = {2, 0xc0, 10, 0, 0, 2};
	const uint16_t passes_on = LINK_RESERVED_GROUPS;
	struct netlink_request request;
	struct netlink_message message;
	struct net_link link = {0};
	size_t info, data;

	(void)state;
	begin(&request, RTM_NEWLINK, 7);
	netlink_put_text(&request, IFLA_IFNAME, "cv0");
	netlink_put_u32(&request, IFLA_MTU, 1400);
	netlink_put_u32(&request, IFLA_MASTER, 3);
	netlink_put(&request, IFLA_ADDRESS, mac, sizeof(mac));
	netlink_put_text(&request, IFLA_IFALIAS, "a\033b");
	info = netlink_nest_begin(&request, IFLA_LINKINFO);
	netlink_put_text(&request, IFLA_INFO_KIND, "veth");
	netlink_put_text(&request, IFLA_INFO_SLAVE_KIND, "bridge");
	data = netlink_nest_begin(&request, IFLA_INFO_SLAVE_DATA);
	netlink_put_u8(&request, IFLA_BRPORT_LOCKED, 1);
	netlink_put_u8(&request, IFLA_BRPORT_LEARNING, 0);
	netlink_put_u8(&request, IFLA_BRPORT_ISOLATED, 1);
	netlink_put(&request, IFLA_BRPORT_GROUP_FWD_MASK, &passes_on, sizeof(passes_on));
	netlink_nest_end(&request, data);
	netlink_nest_end(&request, info);
	assert_false(request.overflow);
	message = sent(&request);
	assert_int_equal(link_read(&message, &link), 0);
	assert_int_equal(link.index, 7);
	assert_string_equal(link.name, "cv0");
	assert_int_equal(link.mtu, 1400);
	assert_int_equal(link.master, 3);
	assert_memory_equal(link.mac, mac, sizeof(mac));
	assert_string_equal(link.alias, "a?b");
	assert_string_equal(link.kind, "veth");
	assert_true(link.is_locked && link.is_isolated && !link.learns && !link.is_guarded);
	assert_int_equal(link.passes_on, LINK_RESERVED_GROUPS);
}

/* Whatever is cut off is refused, or read as less; nothing is read behind the end (asan). */
static void refuses_what_is_cut(void **state)
{
	struct netlink_request request;
	struct netlink_message message;
	struct net_link link = {.index = 99};
	size_t whole;

	(void)state;
	begin(&request, RTM_NEWLINK, 7);
	netlink_put_text(&request, IFLA_IFNAME, "cv0");
	message = sent(&request);
	whole = message.len;
	for (size_t len = 0; len < whole - 1; len++) {
		message.len = len;
		assert_int_equal(link_read(&message, &link), -EBADMSG);
		assert_int_equal(link.index, 99);
	}
	message.len = whole;
	message.type = RTM_DELLINK;
	assert_int_equal(link_read(&message, &link), -EBADMSG);
}

static void reads_routes_and_addresses(void **state)
{
	struct rtmsg route_head = {.rtm_family = AF_INET, .rtm_dst_len = 16, .rtm_table = 254};
	struct ifaddrmsg head = {.ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = 4};
	static const uint8_t to[4] = {172, 17, 0, 0}, local[4] = {10, 0, 0, 1},
			     peer[4] = {10, 0, 0, 9};
	struct netlink_request request;
	struct netlink_message message;
	struct net_route route;
	struct net_prefix address;
	char text[ADDRESS_TEXT_MAX];
	int link;

	(void)state;
	netlink_begin(&request, RTM_NEWROUTE, 0, &route_head, sizeof(route_head));
	netlink_put(&request, RTA_DST, to, sizeof(to));
	netlink_put_u32(&request, RTA_OIF, 5);
	message = sent(&request);
	assert_int_equal(link_read_route(&message, &route), 0);
	address_format_prefix(&route.to, text);
	assert_string_equal(text, "172.17.0.0/16");
	assert_int_equal(route.link, 5);
	assert_int_equal(route.table, 254);

	/* A length without a destination is no default route. */
	netlink_begin(&request, RTM_NEWROUTE, 0, &route_head, sizeof(route_head));
	message = sent(&request);
	assert_int_equal(link_read_route(&message, &route), -EBADMSG);
	route_head.rtm_dst_len = 33;
	netlink_begin(&request, RTM_NEWROUTE, 0, &route_head, sizeof(route_head));
	netlink_put(&request, RTA_DST, to, sizeof(to));
	message = sent(&request);
	assert_int_equal(link_read_route(&message, &route), -EBADMSG);
	route_head.rtm_family = AF_BRIDGE;
	netlink_begin(&request, RTM_NEWROUTE, 0, &route_head, sizeof(route_head));
	message = sent(&request);
	assert_int_equal(link_read_route(&message, &route), -EAFNOSUPPORT);

	netlink_begin(&request, RTM_NEWADDR, 0, &head, sizeof(head));
	netlink_put(&request, IFA_LOCAL, local, sizeof(local));
	netlink_put(&request, IFA_ADDRESS, peer, sizeof(peer));
	message = sent(&request);
	assert_int_equal(link_read_address(&message, &link, &address), 0);
	address_format_prefix(&address, text);
	assert_string_equal(text, "10.0.0.1/24");
	assert_int_equal(link, 4);
}

/* Cut off anywhere it is nothing, or refused; asan sees what is read behind the end. */
static void reads_buckets(void **state)
{
	const struct tcmsg head = {.tcm_ifindex = 3};
	/* 5120 bytes at 1250000 in a second are 4.096 ms, in ticks of 64 ns. */
	const struct tc_tbf_qopt options = {.rate = {.rate = 1250000},
					    .limit = 70000,
					    .buffer = 64000};
	struct qdisc_bucket bucket = {.rate_bytes = 1};
	struct netlink_request request;
	struct netlink_message message;
	uint64_t fast = 12500000000;
	size_t nest, whole;

	(void)state;
	netlink_begin(&request, RTM_NEWQDISC, 0, &head, sizeof(head));
	netlink_put_text(&request, TCA_KIND, "tbf");
	nest = netlink_nest_begin(&request, TCA_OPTIONS);
	netlink_put(&request, TCA_TBF_PARMS, &options, sizeof(options));
	netlink_nest_end(&request, nest);
	message = sent(&request);
	whole = message.len;
	for (message.len = 0; message.len < whole; message.len++)
		assert_true(qdisc_read(&message, &bucket) <= 0 && bucket.rate_bytes == 1);
	assert_int_equal(qdisc_read(&message, &bucket), 1);
	assert_int_equal(bucket.rate_bytes, 1250000);
	assert_int_equal(bucket.burst_bytes, 5120);
	assert_int_equal(bucket.queue_bytes, 70000);
	netlink_put(&request, TCA_TBF_RATE64, &fast, sizeof(fast));
	netlink_nest_end(&request, nest);
	message = sent(&request);
	assert_int_equal(qdisc_read(&message, &bucket), 1);
	assert_int_equal(bucket.rate_bytes, fast);
	netlink_begin(&request, RTM_NEWQDISC, 0, &head, sizeof(head));
	netlink_put_text(&request, TCA_KIND, "noqueue");
	message = sent(&request);
	assert_int_equal(qdisc_read(&message, &bucket), 0);
}

static void put_filter(struct netlink_request *request, uint8_t n_keys, uint32_t action)
{
	const struct tcmsg head = {.tcm_info = htons(0x0003)};
	const struct tc_u32_sel selector = {.nkeys = n_keys};
	const struct tc_mirred mirred = {.action = TC_ACT_STOLEN,
					 .eaction = (int)action,
					 .ifindex = 9};
	size_t nests[4];

	netlink_begin(request, RTM_NEWTFILTER, 0, &head, sizeof(head));
	netlink_put_text(request, TCA_KIND, "u32");
	nests[0] = netlink_nest_begin(request, TCA_OPTIONS);
	netlink_put(request, TCA_U32_SEL, &selector, sizeof(selector));
	nests[1] = netlink_nest_begin(request, TCA_U32_ACT);
	nests[2] = netlink_nest_begin(request, 1);
	netlink_put_text(request, TCA_ACT_KIND, "mirred");
	nests[3] = netlink_nest_begin(request, TCA_ACT_OPTIONS);
	netlink_put(request, TCA_MIRRED_PARMS, &mirred, sizeof(mirred));
	for (size_t i = 4; i > 0; i--)
		netlink_nest_end(request, nests[i - 1]);
}

static void reads_diversions(void **state)
{
	struct qdisc_diversion diversion = {.n = 0};
	struct netlink_request request;
	struct netlink_message message;

	(void)state;
	put_filter(&request, 0, TCA_EGRESS_REDIR);
	message = sent(&request);
	assert_int_equal(qdisc_count_filter(&message, &diversion), 0);
	assert_int_equal(diversion.n, 1);
	assert_int_equal(diversion.through, 9);
	assert_true(diversion.takes_all);
	/* A condition, and a copy in the place of the frame. */
	put_filter(&request, 1, TCA_EGRESS_REDIR);
	message = sent(&request);
	assert_int_equal(qdisc_count_filter(&message, &diversion), 0);
	assert_false(diversion.takes_all);
	put_filter(&request, 0, TCA_EGRESS_MIRROR);
	message = sent(&request);
	assert_int_equal(qdisc_count_filter(&message, &diversion), 0);
	assert_int_equal(diversion.through, 0);
	assert_int_equal(diversion.n, 3);
	for (size_t whole = message.len; message.len > 0; message.len--) {
		diversion = (struct qdisc_diversion){.n = 0};
		assert_true(qdisc_count_filter(&message, &diversion) <= 0);
		assert_true(diversion.through == 0 || message.len == whole);
	}
}

static void notices_what_does_not_fit(void **state)
{
	static const char big[NETLINK_REQUEST_MAX];
	struct netlink_request request;
	size_t nest;

	(void)state;
	begin(&request, RTM_NEWLINK, 1);
	netlink_put(&request, IFLA_IFNAME, big, sizeof(big));
	assert_true(request.overflow);
	/* And stays so. */
	netlink_put_u8(&request, IFLA_IFNAME, 1);
	assert_true(request.overflow);
	begin(&request, RTM_NEWLINK, 1);
	assert_false(request.overflow);
	for (int i = 0; i < NETLINK_REQUEST_MAX; i++)
		nest = netlink_nest_begin(&request, IFLA_LINKINFO);
	netlink_nest_end(&request, nest);
	assert_true(request.overflow);
	netlink_put(&request, IFLA_IFNAME, big, SIZE_MAX);
	assert_true(request.overflow);
}

static void reads_the_kernels_words(void **state)
{
	struct {
		int32_t error;
		struct nlmsghdr ours;
	} head = {-EBUSY, {.nlmsg_len = 64}};
	struct netlink_request request;
	struct netlink_message message;
	struct netlink_verdict verdict;

	(void)state;
	netlink_begin(&request, NLMSG_ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS, &head, sizeof(head));
	netlink_put_text(&request, NLMSGERR_ATTR_MSG, "no, you may not");
	message = sent(&request);
	assert_int_equal(netlink_read_verdict(&message, &verdict), 0);
	assert_int_equal(verdict.error, EBUSY);
	assert_string_equal(verdict.text, "no, you may not");
	/* Not capped: what is told again is longer than the message. */
	message.flags = NLM_F_ACK_TLVS;
	assert_int_equal(netlink_read_verdict(&message, &verdict), 0);
	assert_string_equal(verdict.text, "");
	message.len = 3;
	assert_int_equal(netlink_read_verdict(&message, &verdict), -EBADMSG);
	head.error = 1;
	netlink_begin(&request, NLMSG_ERROR, 0, &head, sizeof(head));
	message = sent(&request);
	assert_int_equal(netlink_read_verdict(&message, &verdict), -EBADMSG);
}

static void numbers_batches(void **state)
{
	struct netlink_batch batch = {.len = 0};
	struct netlink_request request;
	struct netlink_message message;
	size_t at = 0;

	(void)state;
	for (int i = 0; i < 3; i++) {
		begin(&request, RTM_NEWLINK, i);
		netlink_batch_add(&batch, &request, i == 1);
	}
	assert_int_equal(batch.n, 3);
	assert_int_equal(batch.n_asks, 1);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(netlink_next(batch.bytes, batch.len, &at, &message), 1);
		assert_int_equal(message.sequence, i);
		assert_int_equal((message.flags & NLM_F_ACK) != 0, i == 1);
	}
	while (!batch.overflow)
		netlink_batch_add(&batch, &request, true);
	assert_true(batch.len <= sizeof(batch.bytes));
	request.overflow = true;
	batch = (struct netlink_batch){.len = 0};
	netlink_batch_add(&batch, &request, true);
	assert_true(batch.overflow);
}

/* Every namespace has lo, and nobody needs a privilege to look. */
static void talks(void **state)
{
	struct netlink netlink = {.fd = -EBADF};
	struct netlink_request request;
	struct net_addresses addresses;
	struct net_link link;
	struct err err = {0};
	uint8_t nonsense = 0;

	(void)state;
	assert_int_equal(netlink_open(NETLINK_ROUTE, &netlink, &err), 0);
	assert_int_equal(link_find(&netlink, "lo", &link, &err), 1);
	assert_int_equal(link.index, 1);
	assert_int_equal(link_find(&netlink, "nolinkofthat", &link, &err), 0);
	assert_int_equal(link_addresses(&netlink, 1, &addresses, &err), 0);
	/* A refusal is told with the name of what was asked for. */
	netlink_begin(&request, RTM_GETLINK, 0, &nonsense, sizeof(nonsense));
	assert_int_equal(netlink_do(&netlink, &request, "this", &err), -EINVAL);
	assert_non_null(strstr(err.text, "this: "));
	/* And the next answer is the next request's. */
	assert_int_equal(link_find(&netlink, "lo", &link, &err), 1);
	netlink_close(&netlink);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_what_it_reads),
		cmocka_unit_test(refuses_what_is_cut),
		cmocka_unit_test(reads_routes_and_addresses),
		cmocka_unit_test(reads_buckets),
		cmocka_unit_test(reads_diversions),
		cmocka_unit_test(notices_what_does_not_fit),
		cmocka_unit_test(reads_the_kernels_words),
		cmocka_unit_test(numbers_batches),
		cmocka_unit_test(talks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
