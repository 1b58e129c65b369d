/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Links of runs that have ended. A link goes with its network namespace, and that may outlive the
 * sandbox whose it was: another one is in it by container:NAME. So the link is taken away before
 * its address is another's and before nf_tables forget the port, which would then send what it
 * likes. Runs in the keeper and in commands, as root, in the host's network namespace.
 *
 * Needs: the store's lock, as names.h.
 */
#ifndef CORDON_NET_MEMBERS_H
#define CORDON_NET_MEMBERS_H

#include "net/names.h"

/* The link of that name on the host, if there is one, and what nf_tables know of it. */
int must_check members_remove_link(const char *host_name, struct err *err);

/* Takes the run out of all networks that it is in by now; is_shared: with its links. Where the
 * caller may not remove one that is there its entry stays, for members_remove_lost. As the last of
 * a run. */
int must_check members_forget(const char *run, const char *run_id, bool is_shared, struct err *err);

/* The link that an earlier run of the same sandbox has left. Idempotent. */
int must_check members_remove_earlier(const char *run, const struct network *network,
				      const struct names_identity *who, struct err *err);

/* Links of runs that are gone. Before their addresses are given back. */
int must_check members_remove_lost(const char *run, const struct networks *networks,
				   struct err *err);

/* Where nf_tables know of no network any more, for somebody has flushed them: what they knew of all
 * that are there and of the ports of whoever runs, but for published ports. Before a network is
 * used: else its rules would stand alone, and take the others for somebody's. */
int must_check members_restore(const char *run, const struct networks *networks, struct err *err);
/* The same of one network, whose rules bridge_ensure has written anew. */
int must_check members_restore_ports(const char *run, const struct network *network,
				     struct err *err);
/* After links were lent or taken back: forward_note. */
int must_check members_note_lent(const struct networks *networks, struct err *err);

#endif
