#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# ./quickstart: the table of what a hostile program tried, and that it would tell where one got through.

load ../lib/cordon

demo() { # [VARIABLE=VALUE...]
	run env CORDON="$BATS_TEST_TMPDIR/cordon" "$@" "$repo/quickstart" demo
}

# A stand-in for cordon, from a shell script's text.
stand_in() {
	printf '#!/bin/sh\n%s\n' "$1" >"$BATS_TEST_TMPDIR/cordon"
	chmod 755 "$BATS_TEST_TMPDIR/cordon"
}

real() { # PROGRAM
	stand_in "exec '$1' --root '$CORDON_ROOT' \"\$@\""
}

@test "quickstart: every attempt is stopped by a named layer, and nothing is left" {
	real "$CORDON"
	snapshot
	demo
	[ "$status" -eq 0 ]
	[[ "$output" == *"all 28 attempts were stopped" ]]
	[[ "$output" != *"!!!"* ]]
	unchanged
}

@test "quickstart: a cordon that stops nothing is noticed" {
	stand_in 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"'
	demo
	[ "$status" -eq 1 ]
	[[ "$output" == *"read a planted secret"*"!!! IT SUCCEEDED"* ]]
	[[ "$output" != *"attempts were stopped"* ]]
}

@test "quickstart: one layer that is missing is noticed" {
	[ -x "$repo/build/fault/cordon" ] || skip "no build/fault/cordon"
	real "$repo/build/fault/cordon"
	demo CORDON_FAULT=seccomp:skip
	[ "$status" -eq 1 ]
	[[ "$output" == *"set up io_uring"*"!!! IT SUCCEEDED"* ]] ||
		[[ "$output" == *"open a vsock socket"*"!!! IT SUCCEEDED"* ]]
}

@test "quickstart: a hostile program that says nothing is no success" {
	stand_in 'exit 0'
	demo
	[ "$status" -eq 1 ]
	[[ "$output" == *"!!! UNEXPECTED: no answer"* ]]
}

@test "quickstart: a cordon that cannot start ends it with 125 and cordon's words" {
	stand_in 'echo "cordon: no" >&2; exit 125'
	demo
	[ "$status" -eq 125 ]
	[[ "$output" == *"cordon: no"* ]]
}

@test "quickstart: no colors in a file, nor with NO_COLOR on a terminal; they are there on one" {
	local escape=$'\e['
	need script
	real "$CORDON"
	demo
	[[ "$output" != *"$escape"* ]]
	export CORDON_COPY=$BATS_TEST_TMPDIR/cordon
	run script -qec "TERM=xterm CORDON=$CORDON_COPY $repo/quickstart demo" /dev/null
	[[ "$output" == *"$escape"* ]]
	run script -qec "TERM=xterm NO_COLOR=1 CORDON=$CORDON_COPY $repo/quickstart demo" /dev/null
	[ "$status" -eq 0 ]
	[[ "$output" != *"$escape"* ]]
}

@test "quickstart: a narrow terminal gets lines instead of columns, none too long" {
	need script
	real "$CORDON"
	run script -qec "stty cols 50; NO_COLOR=1 CORDON=$BATS_TEST_TMPDIR/cordon $repo/quickstart demo" \
		/dev/null
	[ "$status" -eq 0 ]
	[[ "$output" == *"  without: worked"* ]]
	[ "$(tr -d '\r' <<<"$output" | awk '{ if (length($0) > n) n = length($0) } END { print n }')" -le 50 ]
}

# bats test_tags=user
@test "quickstart: without root and sudo, the missing line is printed and the exit code is 125" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\n[ "$4" != make ] || exit 1\necho installed\n' >"$BATS_TEST_TMPDIR/bin/dpkg-query"
	printf '#!/bin/sh\nexit 1\n' >"$BATS_TEST_TMPDIR/bin/sudo"
	chmod 755 "$BATS_TEST_TMPDIR/bin"/*
	run env PATH="$BATS_TEST_TMPDIR/bin:$PATH" "$repo/quickstart"
	[ "$status" -eq 125 ]
	[ "${lines[-1]}" = "apt-get install -y --no-install-recommends make" ]
}

@test "quickstart: --help, and what it does not know" {
	run "$repo/quickstart" --help
	[ "$status" -eq 0 ]
	[[ "$output" == Usage:* ]]
	run "$repo/quickstart" everything
	[ "$status" -eq 125 ]
}
