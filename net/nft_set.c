/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets and maps as messages; see nft_message.h. */
#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#include "net/nft_message.h"

enum { TYPE_BITS = 6 };

static size_t type_size(enum nft_type type)
{
	if (type == NFT_TYPE_IFNAME || type == NFT_TYPE_IPV6)
		return 16;
	return type == NFT_TYPE_ETHER ? 8 : 4;
}

static uint32_t part_size(enum nft_type type)
{
	if (type == NFT_TYPE_PROTOCOL)
		return 1;
	return type == NFT_TYPE_PORT ? 2 : (uint32_t)type_size(type);
}

/* Several parts are one number and one length. */
static uint32_t type_of(const enum nft_type parts[NFT_PARTS_MAX], uint32_t *ret_len)
{
	uint32_t type = 0;

	*ret_len = 0;
	for (size_t i = 0; i < NFT_PARTS_MAX && parts[i] != NFT_TYPE_NONE; i++) {
		type = type << TYPE_BITS | (uint32_t)parts[i];
		*ret_len += (uint32_t)type_size(parts[i]);
	}
	return type;
}

/* Of each part by itself: how many bytes of its words count. */
static void put_parts(struct netlink_request *request, const struct nft_set *set)
{
	size_t desc = netlink_nest_begin(request, NFTA_SET_DESC), one;
	size_t list = netlink_nest_begin(request, NFTA_SET_DESC_CONCAT);

	for (size_t i = 0; i < NFT_PARTS_MAX && set->key[i] != NFT_TYPE_NONE; i++) {
		one = netlink_nest_begin(request, NFTA_LIST_ELEM);
		nft_put_number(request, NFTA_SET_FIELD_LEN, part_size(set->key[i]));
		netlink_nest_end(request, one);
	}
	netlink_nest_end(request, list);
	netlink_nest_end(request, desc);
}

static void put_bound(struct netlink_request *request, const struct nft_set *set)
{
	size_t desc = netlink_nest_begin(request, NFTA_SET_DESC);

	nft_put_number(request, NFTA_SET_DESC_SIZE, set->most);
	netlink_nest_end(request, desc);
}

static void put_data_type(struct netlink_request *request, const struct nft_set *set)
{
	uint32_t len, type = type_of(set->data, &len);

	if (set->data[0] == NFT_TYPE_VERDICT) {
		nft_put_number(request, NFTA_SET_DATA_TYPE, NFT_DATA_VERDICT);
		return;
	}
	nft_put_number(request, NFTA_SET_DATA_TYPE, type);
	nft_put_number(request, NFTA_SET_DATA_LEN, len);
}

void nft_add_set(struct netlink_batch *batch, uint8_t family, const struct nft_set *set,
		 uint32_t id)
{
	/* What `nft list` goes by alone: of what byte order the key is (libnftnl's, the host's). */
	static const uint8_t order[] = {0, 4, 1, 0, 0, 0};
	static const uint8_t order_swapped[] = {0, 4, 0, 0, 0, 1};
	bool is_little = htons(1) != 1, is_map = set->data[0] != NFT_TYPE_NONE;
	struct netlink_request request;
	uint32_t len, type = type_of(set->key, &len);

	nft_begin(&request, NFT_MSG_NEWSET, NLM_F_CREATE, family);
	netlink_put_text(&request, NFTA_SET_TABLE, nft_table_name);
	netlink_put_text(&request, NFTA_SET_NAME, set->name);
	nft_put_number(&request, NFTA_SET_FLAGS,
		       (is_map ? NFT_SET_MAP : 0U) |
			       (set->has_ranges ? NFT_SET_INTERVAL | NFT_SET_CONCAT : 0U) |
			       (set->is_counted ? NFT_SET_EVAL
				: set->most > 0 ? NFT_SET_TIMEOUT
						: 0U));
	nft_put_number(&request, NFTA_SET_KEY_TYPE, type);
	nft_put_number(&request, NFTA_SET_KEY_LEN, len);
	nft_put_number(&request, NFTA_SET_ID, id);
	if (set->has_ranges)
		put_parts(&request, set);
	else if (set->most > 0)
		put_bound(&request, set);
	if (is_map) {
		put_data_type(&request, set);
	} else if (set->key[1] == NFT_TYPE_NONE && set->key[0] == NFT_TYPE_IFNAME) {
		netlink_put(&request, NFTA_SET_USERDATA, is_little ? order : order_swapped,
			    sizeof(order));
	}
	netlink_batch_add(batch, &request, false);
}
