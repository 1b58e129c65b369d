#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# As many sandboxes as a machine is asked to bear. Only `make check-long` runs it: it takes minutes.

load ../lib/cordon
load ../lib/fault
load ../lib/kept_sound

bats_require_minimum_version 1.5.0 # run -CODE

# kept.bash reads it.
# shellcheck disable=SC2034
CORDON=$repo/build/release/cordon

setup() { fault_setup; }

# Nothing of a test that failed in the middle runs on.
teardown() {
	kept_remove_all
	own_groups_end && cordon_teardown
}

@test "eight hundred sandboxes at once: all run, each with ids of its own, and all go" {
	kept_many 800
}
