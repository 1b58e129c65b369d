/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which tables, sets and rules there are: whatever the number of networks and sandboxes, the rules
 * are these. Who they are about stands in sets and maps. Pure; internal to net/.
 */
#ifndef CORDON_NET_NFT_RULES_H
#define CORDON_NET_NFT_RULES_H

#include "net/nft_message.h"

enum nft_table_number { NFT_TABLE_HOST, NFT_TABLE_PORTS, NFT_TABLES };

extern const struct nft_table nft_tables[NFT_TABLES];

#define NFT_FAMILY_HOST  NFPROTO_INET
#define NFT_FAMILY_PORTS NFPROTO_BRIDGE

/* Of the table inet cordon. */
#define NFT_BRIDGES "bridges" /* cordon's own bridges */
#define NFT_ENDS    "ends"    /* of which these have no way out */
#define NFT_WAYS    "ways"    /* and these have one */
#define NFT_SAME    "same"    /* each with itself */
#define NFT_APART   "apart" /* each of those whose ports are kept apart (--icc=false) with itself */
#define NFT_LENT4   "lent4" /* links that forward for the sake of sandboxes alone */
#define NFT_LENT6   "lent6"

/* Maps to the chain of a sandbox that has rules of its own (egress.h), from its bridge and address.
 */
#define NFT_RULED4 "ruled4"
#define NFT_RULED6 "ruled6"
/* Maps to where such a sandbox's denials are counted, for what the rules that hold for everybody
 * refuse. */
#define NFT_REFUSED4 "refused4"
#define NFT_REFUSED6 "refused6"

/* Who is linked to whom within one of NFT_APART: address of who asks, address, protocol and port of
 * who is asked (links.h). */
#define NFT_LINKED4 "linked4"

/* Maps to the sandbox's address and port, from protocol, the host's address and port; and from
 * protocol and port at any of the host's addresses. */
#define NFT_PUBLISHED4 "published4"
#define NFT_PUBLISHED6 "published6"
#define NFT_ANY4       "any4"
#define NFT_ANY6       "any6"
/* Alike, and no rule looks there: the host's loopback, whose packets are the relay's. */
#define NFT_RELAYED4 "relayed4"
#define NFT_RELAYED6 "relayed6"

/* Of the table bridge cordon. */
#define NFT_PORTS "ports" /* the host's ends of sandboxes' links */
#define NFT_OWN4  "own4"  /* port, link address, address */
#define NFT_OWN6  "own6"
#define NFT_RULED "ruled" /* as above, from its port */

#endif
