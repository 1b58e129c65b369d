#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# examples/walkthrough/volumes: every answer is what it says, a wrong one is noticed, and nothing is left.

bats_require_minimum_version 1.5.0 # run -CODE
load ../lib/cordon

@test "walkthrough: volumes, each step as it says, and one that cordon gets wrong is told" {
	need busybox
	cd "$BATS_TEST_TMPDIR"
	chmod 0755 .
	mkdir tmp
	TMPDIR=$PWD/tmp run -0 timeout 120 "$repo/examples/walkthrough/volumes"
	[[ ${lines[-1]} == *" steps, 0 failed" ]]
	[ "$(grep -c '^  ok$' <<<"$output")" = "${lines[-1]%% *}" ]
	[ -z "$(ls -A tmp)" ]
	# A launcher that does not know read-only.
	cat >writes <<-END
		#!/usr/bin/env bash
		exec "$CORDON" "\${@/%:ro/}"
	END
	chmod +x writes
	CORDON=$PWD/writes WALK_FIRST=yes TMPDIR=$PWD/tmp run -1 timeout 120 "$repo/examples/walkthrough/volumes"
	[[ $output == *'notes:/srv:ro box touch /srv/other
  FAIL: exit code 0, wanted 1 '* ]]
	[[ ${lines[-1]} == *" steps, 1 failed" ]]
	[ -z "$(ls -A tmp)" ]
}
