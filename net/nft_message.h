/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tables of nf_tables as values, and as messages of nfnetlink. Pure: net/nft_rules.c says which
 * tables there are, net/nft.c sends them. Internal to net/.
 *
 * Registers are counted in words of four bytes, 0 to 15. What is loaded takes as many as it has
 * bytes: a name of a link four, a link address two, an IPv6 address four. A key of several parts is
 * what stands in the words from its first on.
 */
#ifndef CORDON_NET_NFT_MESSAGE_H
#define CORDON_NET_NFT_MESSAGE_H

#include <stdint.h>

#include "net/address.h"
#include "net/netlink.h"

enum nft_op {
	NFT_OP_END,
	NFT_OP_META,       /* number: NFT_META_*; to */
	NFT_OP_CT,         /* number: NFT_CT_*; to */
	NFT_OP_LOAD,       /* number: NFT_PAYLOAD_*_HEADER; offset, len; to */
	NFT_OP_DADDR_TYPE, /* RTN_*; to */
	NFT_OP_IS,         /* from, len; number: in network byte order where len is 2 */
	NFT_OP_IS_NOT,     /* likewise */
	NFT_OP_LEAST,      /* likewise: it is that, or more */
	NFT_OP_MOST,       /* likewise, or less */
	NFT_OP_MASK,       /* from, len; number: the bits that are kept */
	NFT_OP_IN,         /* from, set */
	NFT_OP_NOT_IN,     /* likewise */
	NFT_OP_MAP,        /* from, set; to */
	NFT_OP_JUMP,       /* from, set: a map of verdicts */
	NFT_OP_PUT,        /* to; number */
	NFT_OP_LABEL,      /* the connection gets the labels of the four words from `from` on */
	NFT_OP_GOTO,       /* set: the chain */
	NFT_OP_COUNT,   /* from, set: the key's own counter there; ends the rule where it is full */
	NFT_OP_REJECT,  /* whoever sent it is told by ICMP that it is forbidden */
	NFT_OP_VERDICT, /* number: NF_ACCEPT, NF_DROP, NFT_RETURN */
	NFT_OP_DNAT,    /* number: NFPROTO_*; from: the address, and behind it the port */
	NFT_OP_MASQUERADE,
};

struct nft_term {
	enum nft_op op;
	uint8_t from;
	uint8_t to;
	uint8_t offset;
	uint8_t len;
	uint32_t number;
	const char *set;
};

enum { NFT_TERMS_MAX = 16 };

struct nft_rule {
	const char *chain;
	struct nft_term terms[NFT_TERMS_MAX]; /* until NFT_OP_END */
};

struct nft_chain {
	const char *name;
	const char *type; /* "filter", "nat"; NULL: no hook's, somebody jumps there */
	uint32_t hook;
	int priority;
};

/* nft's numbers of types (datatype.h), so that `nft list` shows them as what they are. */
enum nft_type {
	NFT_TYPE_NONE,
	NFT_TYPE_IPV4 = 7,
	NFT_TYPE_IPV6 = 8,
	NFT_TYPE_ETHER = 9,
	NFT_TYPE_PROTOCOL = 12,
	NFT_TYPE_PORT = 13,
	NFT_TYPE_IFNAME = 41,
	NFT_TYPE_VERDICT, /* no number of nft's: data alone */
};

enum { NFT_PARTS_MAX = 4 };

struct nft_set {
	const char *name;
	enum nft_type key[NFT_PARTS_MAX];
	enum nft_type data[NFT_PARTS_MAX]; /* of a map, else none */
	bool has_ranges;                   /* of each part; they do not overlap */
	uint32_t most;                     /* elements, each for a time; 0: no bound, for ever */
	bool is_counted; /* rules put the elements there (NFT_OP_COUNT), at most that many, for ever
			  */
};

struct nft_table {
	uint8_t family; /* NFPROTO_* */
	const struct nft_set *sets;
	size_t n_sets;
	const struct nft_chain *chains;
	size_t n_chains;
	const struct nft_rule *rules;
	size_t n_rules;
};

/* All tables have this name. */
extern const char nft_table_name[];

/* ---- elements ---- */

enum { NFT_KEY_MAX = 48, NFT_OWNER_MAX = 64 };

struct nft_value {
	uint8_t bytes[NFT_KEY_MAX];
	size_t len;
};

/* Each appends a part; what does not fit is a mistake that the kernel refuses. */
void nft_value_name(struct nft_value *value, const char *link);
void nft_value_mac(struct nft_value *value, const uint8_t mac[MAC_LEN]);
void nft_value_address(struct nft_value *value, const struct net_prefix *address);
void nft_value_protocol(struct nft_value *value, uint8_t protocol);
void nft_value_port(struct nft_value *value, uint16_t port);

struct nft_element {
	uint8_t family; /* of the table */
	const char *set;
	struct nft_value key;
	struct nft_value end;  /* of a range, with key; else empty */
	struct nft_value data; /* of a map's */
	const char *jump;      /* of a map of verdicts: the chain */
	uint64_t timeout_ms;   /* 0: none */
	const char *owner;     /* a text that it carries, NULL: none */
	uint64_t packets;      /* of one with a counter, as it was read */
};

/* ---- messages ---- */

/* message: NFT_MSG_*. */
void nft_begin(struct netlink_request *request, uint16_t message, uint16_t flags, uint8_t family);
/* In network byte order, as those of nf_tables are. */
void nft_put_number(struct netlink_request *request, uint16_t type, uint32_t value);
/* NFNL_MSG_BATCH_BEGIN, ..._END. generation: refused where anybody has changed anything since. */
void nft_add_bound(struct netlink_batch *batch, uint16_t type, const uint32_t *generation);
/* What of it is missing, and its rules anew. */
void nft_add_table(struct netlink_batch *batch, const struct nft_table *table);
void nft_add_set(struct netlink_batch *batch, uint8_t family, const struct nft_set *set,
		 uint32_t id);
void nft_add_chain(struct netlink_batch *batch, uint8_t family, const struct nft_chain *chain);
/* Takes out the chain's rules. */
void nft_empty_chain(struct netlink_batch *batch, uint8_t family, const char *chain);
void nft_add_rule(struct netlink_batch *batch, uint8_t family, const struct nft_rule *rule);
/* Each rule carries a number that follows from all that is in it, as a comment: whoever puts
 * another rule in its place does not know it. Not against root, who may know what it wants. */
enum { NFT_COMMENT_LEN = 2 + 24 };
void nft_rule_comment(uint8_t family, const struct nft_rule *rule, uint8_t ret[NFT_COMMENT_LEN]);
/* message: NFT_MSG_NEWSETELEM, ..._DELSETELEM, ..._GETSETELEM. */
void nft_begin_element(struct netlink_request *request, uint16_t message, uint16_t flags,
		       const struct nft_element *element);
void nft_add_element(struct netlink_batch *batch, uint16_t message, uint16_t flags,
		     const struct nft_element *element);

/* Many elements of one set: each message has as many as fit into it. */
struct nft_packing {
	struct netlink_batch *batch;
	struct netlink_request request;
	size_t list;
	size_t n; /* in the message that is being written */
};
void nft_pack(struct nft_packing *packing, const struct nft_element *element);
void nft_pack_end(struct nft_packing *packing);

#endif
