/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The real struct policy_host: looks up profiles, checks who may write them, reads account files.
 */
#ifndef CORDON_LAUNCHER_POLICY_HOST_H
#define CORDON_LAUNCHER_POLICY_HOST_H

#include "launcher/cordon.h"
#include "policy/policy.h"

struct policy_host_state {
	const struct run_request *request;
	uint32_t euid;
	bool is_bound; /* by the host's ceiling: everybody but the host's root */
	char cwd[4096];
	struct policy_files *files; /* notes what is read; NULL: nobody asks */
	struct decision *decision;  /* takes the image; NULL: there is none */
	char user_profiles[4096];   /* $XDG_CONFIG_HOME/cordon/profiles, "" for root */
};

/* Fills both; *ret_host points into *ret_state and request, which must outlive it. */
void policy_host_init(struct policy_host_state *ret_state, const struct run_request *request,
		      uint32_t euid, struct policy_host *ret_host);

/* Calls each(ctx, name, path) for every profile that a name can mean: shipped ones (path ""), then
 * those of /etc/cordon/profiles and of the user. */
void policy_host_list(const struct policy_host_state *state,
		      void (*each)(void *ctx, const char *name, const char *path), void *ctx);

#endif
