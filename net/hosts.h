/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The texts of /etc/hosts and /etc/resolv.conf of a sandbox that is in a network. Pure, and no
 * allocation. */
#ifndef CORDON_NET_HOSTS_H
#define CORDON_NET_HOSTS_H

#include "net/address.h"
#include "policy/spec.h"

enum { HOSTS_TEXT_MAX = 16 << 10, RESOLV_TEXT_MAX = 4096 };

/* Its address in one of its networks; family 0: none. */
struct hosts_own {
	struct net_prefix address;
	struct net_prefix address6;
};

struct hosts_input {
	const struct sandbox_spec *spec;
	struct hosts_own own[SPEC_NETWORKS_MAX];
	size_t n_own;
	struct net_prefix gateway; /* what host-gateway stands for */
};

/* Returns the length. */
size_t hosts_format(const struct hosts_input *input, char buf[HOSTS_TEXT_MAX]);

/* host: the host's own /etc/resolv.conf, whose servers are asked where the policy names none; those
 * of a loopback cannot be reached from inside and are left out. has_way_out: anything beyond the
 * network is reached. */
size_t hosts_format_resolv(const struct spec_network *network, const char *host, bool has_way_out,
			   char buf[RESOLV_TEXT_MAX]);

#endif
