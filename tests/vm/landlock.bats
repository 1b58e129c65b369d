#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Landlock of other versions than the host's: what an older one lacks is said, and what it has holds.

# bats file_tags=vm
load ../lib/cordon
load ../lib/attack

setup() {
	cordon_setup
	# cordon.bash reads it.
	# shellcheck disable=SC2034
	CORDON_ROOT=$BATS_TEST_TMPDIR.root
	[ "$(cat /proc/sys/kernel/hostname)" = vm ] || skip "not in a virtual machine of tests/vm/run"
	cd "$BATS_TEST_TMPDIR" || return
	version=$(cordon doctor | awk '$2 == "Landlock" { print $4 + 0 }')
}

@test "landlock: a version below 6 is refused with the reason, or said where it is wished for" {
	local write='{ echo 999 >/proc/self/oom_score_adj; } 2>&1 || exit 42'
	[ "$version" -ge 2 ]
	if [ "$version" -ge 6 ]; then
		gives 0 "" cordon run --set landlock=auto -- true
		gives 0 "" cordon run --profile strict -- true
	else
		says 125 "cordon: landlock: version $version of this kernel's Landlock cannot restrict *hint: Boot a kernel of 6.12*" \
			cordon run --set landlock=auto -- true
		gives 0 "cordon: not enforced here: landlock (see cordon doctor)" cordon run --profile strict -- true
	fi
	# What it has holds all the same.
	says 42 "*Permission denied*" inside "$write" -q --set when_possible.landlock=auto
	gives 0 "" inside "$write"
	gives 0 "" inside 'mkdir /tmp/d; echo x >/tmp/a; mv /tmp/a /tmp/d/' -q --set when_possible.landlock=auto
}
