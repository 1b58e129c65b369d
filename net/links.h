/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What links come to, of who runs right now: the table of names says who has which (names.h), and
 * each run's offers which ports it has (offers.h). What is there is made what follows from these,
 * whoever began, ended or was killed meanwhile.
 *
 * - In the default network, lines in /etc/hosts of who is linked to somebody, behind those that are
 *   its own. None of somebody who does not run: its address may be another's.
 * - In a network whose ports are kept apart (--icc=false) and that has a way out, an element of the
 *   set linked4 for each port of who is linked to, and the host answers ARP in the place of its
 *   neighbours (proxy_arp_pvlan): the bridge carries nothing from one port to another, so what may
 *   pass is routed by the host, through the rules of `inet cordon`. Of IPv4 alone: the kernel
 *   answers for no neighbours of IPv6 on the link that they are on.
 *
 * Runs in the keeper and in commands. Needs: the store's lock, CAP_NET_ADMIN.
 */
#ifndef CORDON_NET_LINKS_H
#define CORDON_NET_LINKS_H

#include "net/store.h"

/* Of one network. Idempotent; the rules are read back. */
int must_check links_follow(const char *run, const struct network *network, struct err *err);
/* Of all of them. */
int must_check links_follow_all(const char *run, const struct networks *networks, struct err *err);

#endif
