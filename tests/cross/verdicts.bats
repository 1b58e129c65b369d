#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# On aarch64 alone (tests/vm/image): the verdict tables, put to a kernel of that architecture.

load ../lib/cordon
load ../lib/attack

table() { # NAME COMMAND...
	"${@:2}" "$ATTACK/verdicts" < <(cat "$repo/profiles/expect/$1.tests")
}

# bats test_tags=vm
@test "aarch64: the kernel answers as the table of default says, and without the filter it does not" {
	says 0 "[1-9]* the same, 0 others" table default cordon run --
	says 42 "*unshare*: allow instead of errno(EPERM)*" table default without seccomp cordon run --
}

# bats test_tags=vm
@test "aarch64: and as that of base says, which names every call" {
	says 0 "[1-9]* the same, 0 others" table base cordon run --
}
