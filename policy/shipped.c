/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The shipped profiles as part of the program: `default` must start wherever the program is, and a
 * file beside it could be another one than the one that was tested. The Makefile writes each
 * profile's text and tree into $(O)/policy/profile_NAME.inc and rebuilds this when it changes.
 */
#include "policy/policy.h"

#include "policy/profile_agent.inc"
#include "policy/profile_base.inc"
#include "policy/profile_build.inc"
#include "policy/profile_default.inc"
#include "policy/profile_judge.inc"
#include "policy/profile_net-service.inc"
#include "policy/profile_strict.inc"

/* A name that C has no word for has another one there. */
#define SHIPPED(profile) SHIPPED_AS(profile, #profile)
#define SHIPPED_AS(profile, said)                                                                \
	{                                                                                        \
		.name = (said), .text = profile_##profile, .len = sizeof(profile_##profile) - 1, \
		.digest = digest_##profile, .nodes = nodes_##profile,                            \
		.n_nodes = sizeof(nodes_##profile) / sizeof(nodes_##profile[0]),                 \
		.strings = strings_##profile                                                     \
	}

const struct policy_shipped policy_shipped_profiles[] = {
	SHIPPED(agent),   SHIPPED(base),  SHIPPED(build),
	SHIPPED(default), SHIPPED(judge), SHIPPED_AS(net_service, "net-service"),
	SHIPPED(strict),
};

const size_t policy_n_shipped_profiles =
	sizeof(policy_shipped_profiles) / sizeof(policy_shipped_profiles[0]);
