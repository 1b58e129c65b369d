/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The shipped profiles as part of the program: `default` must start wherever the program is, and a
 * file beside it could be another one than the one that was tested. The Makefile writes each
 * profile as C string literals into $(O)/policy/profile_NAME.inc and rebuilds this when it changes.
 */
#include "policy/policy.h"

static const char base_text[] =
#include "policy/profile_base.inc"
	;

static const char default_text[] =
#include "policy/profile_default.inc"
	;

const struct policy_shipped policy_shipped_profiles[] = {
	{"base", base_text, sizeof(base_text) - 1},
	{"default", default_text, sizeof(default_text) - 1},
};

const size_t policy_n_shipped_profiles =
	sizeof(policy_shipped_profiles) / sizeof(policy_shipped_profiles[0]);
