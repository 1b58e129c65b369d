/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A policy_host made of tables, and short ways to resolve a text with it. */
#ifndef CORDON_TESTS_LIB_POLICY_FIXTURE_H
#define CORDON_TESTS_LIB_POLICY_FIXTURE_H

#include "policy/policy.h"

struct fixture_profile {
	const char *path; /* found by this as a name or an absolute path */
	const char *text;
};

struct policy_fixture {
	struct arena arena;
	struct policy_host host;
	struct policy_request request;
	struct fixture_profile profiles[12];
	size_t n_profiles;
	struct policy_flag flags[16];
	struct sandbox_spec spec;
	uint32_t kernel[2]; /* version of the running one */
	struct policy_problems problems;
	struct err err;
};

/* cwd /ward/project, home /home/u, environment TERM=xterm SECRET=s; the shipped profiles are found.
 */
void fixture_init(struct policy_fixture *fixture);
void fixture_release(struct policy_fixture *fixture);
void fixture_profile(struct policy_fixture *fixture, const char *path, const char *text);
void fixture_flag(struct policy_fixture *fixture, int kind, const char *text);

/* policy_resolve of /ward/project/p.yaml with that text (NULL: request.profile as it is). */
int fixture_resolve(struct policy_fixture *fixture, const char *text);

/* The problem with that rule, or NULL. */
const struct policy_problem *fixture_problem(const struct policy_fixture *fixture,
					     const char *rule);

/* The value that provenance has for key, "" where there is none. */
const char *fixture_value(const struct policy_fixture *fixture, const char *key);

#endif
