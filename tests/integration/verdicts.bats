#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The verdict tables of the shipped profiles, put to the kernel: each call is made in a sandbox.

load ../lib/cordon
load ../lib/attack

# Through a pipe: a file at stdin would have setuid bits refused.
table() { # NAME COMMAND...
	"${@:2}" "$ATTACK/verdicts" < <(cat "$repo/profiles/expect/$1.tests")
}

# The tables are for x86-64's numbers where they name none; the program resolves the others.
@test "verdicts: the kernel answers as the tables of base and default say" {
	says 0 "[1-9]* the same, 0 others" table base cordon run --
	says 0 "[1-9]* the same, 0 others" table default cordon run --
	says 0 "[1-9]* the same, 0 others" table strict cordon run --profile strict --
}

# bats test_tags=root
@test "verdicts: as that of judge says, in its control groups" {
	says 0 "[1-9]* the same, 0 others" table judge cordon run --profile judge --
}

# bats test_tags=root
@test "verdicts: as that of net-service says, in a network of the test's" {
	need unshare
	says 0 "[1-9]* the same, 0 others" table net-service unshare -n "$CORDON" --root "$CORDON_ROOT" run -q --profile net-service --
}

@test "verdicts: and as those of build and agent say, where a directory is writable" {
	mkdir data
	! is_root || chown 12345:12345 data
	cd data
	says 0 "[1-9]* the same, 0 others" table build cordon run --profile build --ro "$ATTACK/verdicts" --
	says 0 "[1-9]* the same, 0 others" table agent cordon run --profile agent --ro "$ATTACK/verdicts" --
}

@test "verdicts: without the filter they are not" {
	says 42 "*unshare 0 0 0: allow instead of errno(EPERM)*
[1-9]* the same, [1-9]* others" table base without seccomp cordon run --
	# What another profile refuses is noticed, too.
	says 42 "*mbind 0 0 0: errno(EPERM) instead of allow
*1 others" table base cordon run --set 'seccomp.deny=[mbind]' --
}
