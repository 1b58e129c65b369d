#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The suite's own counting (tests/lib/run_count.bash): what failed, was cut short or did not run must
# never look like success.

load ../lib/cordon

setup() {
	cordon_setup
	passed=0 failed=0 is_terminal=0 MUST_RUN=0 skipped=()
	scratch=$BATS_TEST_TMPDIR
	. "$repo/tests/lib/run_count.bash"
}

# A runner that prints TEXT on both channels and ends with CODE.
runner() { # CODE TEXT
	printf '#!/bin/sh\nprintf %s\nexit %s\n' "'$2'" "$1" >"$scratch/runner"
	chmod 755 "$scratch/runner"
}

tap() { # CODE TEXT PASSED FAILED SKIPPED
	passed=0 failed=0 skipped=()
	runner "$1" "$2"
	count_tap name "$scratch/runner"
	echo "passed $passed, failed $failed, skipped ${#skipped[@]}"
	[ "$passed $failed ${#skipped[@]}" = "$3 $4 $5" ]
}

cmocka() { # CODE TEXT PASSED FAILED
	passed=0 failed=0 skipped=()
	runner "$1" "$2"
	count_cmocka "$scratch/runner"
	echo "passed $passed, failed $failed"
	[ "$passed $failed" = "$3 $4" ]
}

@test "suite: TAP is counted" {
	tap 0 '1..2\nok 1 - a\nok 2 b\n' 2 0 0
	tap 1 '1..2\nok 1 a\nnot ok 2 b\n# why\n' 1 1 0
	tap 0 'ok 1 a\n1..1\n' 1 0 0
}

@test "suite: TAP that stops half way, or has nothing to say, is a failure" {
	tap 0 '1..3\nok 1 a\n' 1 1 0
	tap 1 '' 0 1 0
	tap 0 '' 0 1 0
	tap 1 '1..1\nok 1 a\n' 1 1 0
	tap 127 'no such file\n' 0 1 0
}

@test "suite: a skip is told apart, and is a failure where everything must run" {
	tap 0 '1..2\nok 1 a\nok 2 b # skip no nft\n' 1 0 1
	MUST_RUN=1
	tap 0 '1..2\nok 1 a\nok 2 b # skip no nft\n' 1 1 1
}

@test "suite: no tests at all are a skip, and a failure where everything must run" {
	tap 0 '1..0\n' 0 0 1
	MUST_RUN=1
	tap 0 '1..0\n' 0 1 1
	count_bats empty "$BATS_TEST_TMPDIR"
	[ "$failed" -eq 2 ]
}

@test "suite: cmocka is counted, also where it crashes" {
	local begin='[==========] Running 2 test(s).\n[       OK ] a\n'
	cmocka 0 "$begin"'[       OK ] b\n[  PASSED  ] 2 test(s).\n' 2 0
	cmocka 1 "$begin"'[  FAILED  ] b\n[  FAILED  ] 1 test(s), listed below:\n' 1 1
	cmocka 139 "$begin" 1 1
	cmocka 1 '' 0 1
	cmocka 0 '' 0 1
	cmocka 1 "$begin"'[       OK ] b\n[  PASSED  ] 2 test(s).\nleak\n' 2 1
}

@test "suite: a program that was not built is a failure" {
	count_cmocka "$scratch/nothing"
	[ "$failed" -eq 1 ]
}

@test "suite: a process, a mount or a file that is left is seen" {
	host_snapshot >"$scratch/before"
	host_unchanged "$scratch/before"
	mkdir "/tmp/hostile.$$"
	run host_unchanged "$scratch/before"
	rmdir "/tmp/hostile.$$"
	[ "$status" -eq 1 ]
	[[ "$output" == *"file /tmp/hostile.$$"* ]]
	bash -c 'exec -a cordon-left sleep 60' 3>&- &
	local left=$!
	cp "$(command -v sleep)" "$scratch/cordon-left"
	"$scratch/cordon-left" 60 3>&- &
	run host_unchanged "$scratch/before"
	kill "$left" $!
	[ "$status" -eq 1 ]
	[[ "$output" == *"cordon-left 60"* ]]
}

# bats test_tags=root
@test "suite: a mount that is left is seen" {
	host_snapshot >"$scratch/before"
	mkdir "$scratch/mount"
	mount -t tmpfs left "$scratch/mount"
	run host_unchanged "$scratch/before"
	umount "$scratch/mount"
	[ "$status" -eq 1 ]
	[[ "$output" == *"$scratch/mount"* ]]
}
