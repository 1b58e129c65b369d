/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ports of the host's that are a sandbox's: sockets that hold them, and elements of maps by which
 * nf_tables translate what comes for them (nft_rules.c).
 *
 * The sockets are bound before the sandbox is made, and neither listen nor are read: nobody else on
 * the host can take the port meanwhile, and one that somebody has is found before the start. They
 * go with the keeper. The host's own loopback is not translated: packets to 127.0.0.0/8 leave by no
 * other link (route_localnet would let neighbours in, CVE-2020-8558). There a socket of its own
 * listens, for the relay (launcher/relay/relay.c).
 */
#ifndef CORDON_NET_PUBLISH_H
#define CORDON_NET_PUBLISH_H

#include "net/network.h"
#include "net/nft.h"
#include "policy/spec.h"

enum { PUBLISH_OWNER_MAX = 64 };

struct publish_port {
	struct net_prefix address; /* of the host's; family 0: any of IPv4, and of IPv6 where the
				      sandbox has it */
	uint8_t protocol;          /* IPPROTO_TCP, IPPROTO_UDP */
	uint16_t host;
	uint16_t inside;
	/* Of IPv4, IPv6; -EBADF: none. Those of the host's loopback listen: the relay's. */
	int fds[2];
	int loop_fds[2];
};

struct publish {
	struct publish_port list[SPEC_PUBLISH_MAX];
	size_t n;
	struct net_prefix target;  /* the sandbox's */
	struct net_prefix target6; /* family 0: none */
};

void publish_init(struct publish *publish);
/* Closes the sockets. */
void publish_release(struct publish *publish);
void publish_release_loops(struct publish *publish);

/* Whether any of them is to be reached by the host's loopback. */
bool publish_is_looped(const struct spec_network *network);

/* Takes the ports that network says. Errors: ERR_SETUP (EADDRINUSE), naming who has it where that
 * can be found; an address that the host has not. */
int must_check publish_hold(struct publish *publish, const struct spec_network *network,
			    const struct lease *lease, struct err *err);

/* owner: the name of the port of its bridge, by which gc knows what is left, and behind a blank the
 * sandbox's for people. All in one transaction. */
int must_check publish_begin(struct netlink *nft, const struct publish *publish, const char *owner,
			     struct err *err);
int must_check publish_verify(struct netlink *nft, const struct publish *publish, struct err *err);
/* Idempotent. */
int must_check publish_end(struct netlink *nft, const struct publish *publish, struct err *err);

/* What is published, by whoever. owner: as of publish_begin; the address of port has a family. */
struct publish_reader {
	void (*each)(void *ctx, const char *owner, const struct publish_port *port);
	void *ctx;
};
int must_check publish_walk(struct netlink *nft, const struct publish_reader *reader,
			    struct err *err);

enum { PUBLISH_TEXT_MAX = ADDRESS_TEXT_MAX + 16 };
/* "0.0.0.0:8080", "[::1]:8080" */
void publish_outside(const struct publish_port *port, char buf[PUBLISH_TEXT_MAX]);
/* "tcp", "udp" */
const char *publish_protocol(uint8_t protocol);

#endif
