/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A sandbox that is there and a network, for `connect` and `disconnect`. */
#ifndef CORDON_CMD_NETWORK_LIVE_H
#define CORDON_CMD_NETWORK_LIVE_H

#include "cmd/kept.h"
#include "cmd/network.h"
#include "net/names.h"
#include "records/status.h"

struct member {
	const struct cmd_context *context;
	const char *ref; /* the sandbox, as it was called */
	struct network_place place;
	struct network network;
	struct records records;
	struct sandbox sandbox; /* its lock is held */
	struct record record;
	struct sandbox_status status;
};

/* Whether it runs, or is paused. */
bool network_live_runs(const struct member *member);
/* Whether it is in the network right now, whole: what is there is read back. */
bool network_live_is_in(struct member *member, const struct sandbox_spec *spec);
/* Whether not even a part of that is there. */
bool network_live_has_left_nothing(const struct member *member);

/*
 * Gives one that runs its place: lease, names, bridge, link, and its /etc/hosts. spec: what its
 * record says now, of which endpoint is a part. Where it fails nothing of it stays.
 */
int must_check network_live_join(struct member *member, const struct sandbox_spec *spec,
				 const struct spec_endpoint *endpoint, struct err *err);
/* 1: its published ports lead to the link that it has there now; 0, or an error. */
int must_check network_live_has_ports(const struct member *member, struct err *err);
/* Takes it away, where it has one, and gives the address back. Idempotent. */
int must_check network_live_leave(struct member *member, const struct sandbox_spec *spec,
				  struct err *err);

#endif
