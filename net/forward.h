/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Forwarding, where the host has it switched off. Answers to what a sandbox sends come in by the
 * links that the host's routes name: these forward as well then, each by its own setting, never the
 * host as a whole (net.ipv4.ip_forward stays as it is). So that the host becomes no router for its
 * neighbours, such a link is lent: nf_tables drop what comes in by it and leaves by anything but a
 * bridge of ours (nft_rules.c). It stands in that set before it is switched on, and is switched off
 * with the last network that has a way out.
 *
 * A host that forwards already is left as it is. Runs in the keeper and in commands, as root.
 */
#ifndef CORDON_NET_FORWARD_H
#define CORDON_NET_FORWARD_H

#include "net/network.h"
#include "net/nft.h"

enum { FORWARD_TEXT_MAX = 256 };

/* Switches on what the network's way out takes, its bridge last. ret_links: the names of those that
 * were switched on now are added, for people. After: nft_keep. Errors: a kernel that forwards IPv6
 * for all links or for none. */
int must_check forward_begin(struct netlink *nft, const struct network *network,
			     char ret_links[FORWARD_TEXT_MAX], struct err *err);

/* Switches off what was lent, where no network with a way out is left. After: nft_forget of the
 * bridge's elements. Idempotent. */
int must_check forward_end(struct netlink *nft, struct err *err);

/*
 * What is lent, as a file in the directory of networks: who flushes nf_tables takes the set along,
 * and the links would forward for good, for anybody. note: after a change of it. restore: lends
 * again what the file names and forwards still, after nft_keep. Of this boot.
 */
int must_check forward_note(struct netlink *nft, int dir_fd, struct err *err);
int must_check forward_restore(struct netlink *nft, int dir_fd, struct err *err);

#endif
