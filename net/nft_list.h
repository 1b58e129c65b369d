/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What there is in nf_tables: questions, and the removal of what nobody has any more. Internal to
 * net/. All answer -ENOENT where there is no such table. */
#ifndef CORDON_NET_NFT_LIST_H
#define CORDON_NET_NFT_LIST_H

#include "net/nft.h"
#include "net/nft_message.h"

/* A number that each change of nf_tables gives another value. */
int must_check nft_generation(struct netlink *netlink, uint32_t *ret, struct err *err);

/* Whether the table is there, awake, and has exactly these rules in this order: 1, 0. */
int must_check nft_is_whole(struct netlink *netlink, const struct nft_table *table,
			    struct err *err);
/* Of the table cordon. */
int must_check nft_count_elements(struct netlink *netlink, uint8_t family, const char *set,
				  size_t *ret, struct err *err);
/* 1 or 0. */
int must_check nft_has_element(struct netlink *netlink, const struct nft_element *element,
			       struct err *err);

/* Each element of a set; element->owner is NULL, or a text that ends with the call. */
struct nft_visitor {
	void (*each)(void *ctx, const struct nft_element *element);
	void *ctx;
};
int must_check nft_walk(struct netlink *netlink, uint8_t family, const char *set,
			const struct nft_visitor *visitor, struct err *err);

/* The names of its chains (message: NFT_MSG_GETCHAIN), or sets (NFT_MSG_GETSET). */
struct nft_name_visitor {
	void (*each)(void *ctx, const char *name);
	void *ctx;
};
int must_check nft_walk_names(struct netlink *netlink, uint8_t family, uint16_t message,
			      const struct nft_name_visitor *visitor, struct err *err);

/* Of a set of names of links. */
int must_check nft_list_names(struct netlink *netlink, uint8_t family, const char *set,
			      struct nft_links *ret, struct err *err);

/* What a link makes of its own link address: RFC 4291, appendix A. (nft.c) */
struct net_prefix nft_link_local(const uint8_t mac[MAC_LEN]);

/* Removes those elements of kind's set whose owner (the first word of it), or where they have none
 * the link that their key begins with, is no link of the host's. Adds to *n_removed. */
int must_check nft_remove_orphans(struct netlink *netlink, const struct nft_element *kind,
				  uint32_t *n_removed, struct err *err);

#endif
