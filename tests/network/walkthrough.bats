#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# examples/walkthrough/networks: every answer is what it says, a wrong one is noticed, and nothing is left.

bats_require_minimum_version 1.5.0 # run -CODE
load ../lib/cordon

# bats test_tags=root
@test "walkthrough: networks, each step as it says, and one that cordon gets wrong is told" {
	need busybox ip nsenter
	cd "$BATS_TEST_TMPDIR"
	mkdir tmp
	snapshot
	TMPDIR=$PWD/tmp run -0 timeout 120 "$repo/examples/walkthrough/networks"
	[[ ${lines[-1]} == *" steps, 0 failed" ]]
	[ "$(grep -c '^  ok$' <<<"$output")" = "${lines[-1]%% *}" ]
	[ -z "$(ls -A tmp)" ]
	# A launcher that connects nobody, and does not say so.
	cat >deaf <<-END
		#!/usr/bin/env bash
		[[ " \$* " == *" network connect "* ]] || exec "$CORDON" "\$@"
	END
	chmod +x deaf
	CORDON=$PWD/deaf WALK_FIRST=yes TMPDIR=$PWD/tmp run -1 timeout 120 "$repo/examples/walkthrough/networks"
	[[ $output == *"container2 ip -o -4 address show eth1"*"  FAIL: exit code 1, wanted 0 "* ]]
	[[ ${lines[-1]} == *" steps, 1 failed" ]]
	[ -z "$(ls -A tmp)" ]
	unchanged
}
