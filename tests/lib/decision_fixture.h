/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A decision made of made-up facts: a host that can give everything, and a small spec. Tests change
 * one thing and look at what follows. */
#ifndef CORDON_TESTS_LIB_DECISION_FIXTURE_H
#define CORDON_TESTS_LIB_DECISION_FIXTURE_H

#include "launcher/cordon.h"

/* As the host's root with all capabilities, where a block of ids can be mapped. */
void decision_as_root(struct decision *ret_decision);

/* As uid 1000 without capabilities. */
void decision_as_user(struct decision *ret_decision);

#endif
