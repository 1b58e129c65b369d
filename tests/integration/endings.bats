#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Why a run ended, or failed: one line with the key, its value and who set it, the same in the
# report, and the right exit code.

load ../lib/cordon
load ../lib/attack

verdict() {
	jq -r '"\(.kind) \(.limit) \(.exit_code) \(.signal)"' report
}

@test "fsize: a file that grows too large: SIGXFSZ has its reason, where the policy set the limit" {
	need jq
	gives 137 "cordon: ended by limits.ulimits.fsize: 64 KiB (command line)" \
		cordon run --report report --set limits.ulimits.fsize=64KiB -- \
		dd if=/dev/zero of=/tmp/file bs=1k count=65 status=none
	[ "$(verdict)" = "fsize limits.ulimits.fsize null 25" ]
	gives 0 "" cordon run --report report --set limits.ulimits.fsize=64KiB -- \
		dd if=/dev/zero of=/tmp/file bs=1k count=64 status=none
	[ "$(verdict)" = "exited null 0 null" ]
	# The same signal without such a limit is a signal.
	gives 153 "" inside 'kill -XFSZ $$' --report report --set limits.ulimits.fsize=unlimited
	[ "$(verdict)" = "signalled null null 25" ]
	# A program that ignores it is told by an errno, and its end is its own.
	says 1 "*File too large*" inside 'trap "" XFSZ; dd if=/dev/zero of=/tmp/f bs=1k count=65 status=none' \
		--report report --set limits.ulimits.fsize=64KiB
	[ "$(verdict)" = "exited null 1 null" ]
}

@test "disk_full: a failure with a store that is full keeps its exit code and has its reason" {
	need jq
	local small='[{type: tmpfs, target: /data, size: 1MiB, inodes: 20}]'
	says 1 "*No space left on device*cordon: volumes\[0\].size (1 MiB) was used up when the program failed (command line)" \
		cordon run --report report --set "volumes=$small" -- dd if=/dev/zero of=/data/file bs=64k count=17 status=none
	[ "$(verdict)" = "disk_full volumes[0].size 1 null" ]
	# The sandbox's own shell expands it.
	# shellcheck disable=SC2016
	says 9 "*No space left on device*cordon: volumes\[0\].inodes (20) was used up when the program failed (command line)" \
		inside 'for i in $(seq 20); do touch /data/$i || exit 9; done' --report report --set "volumes=$small"
	[ "$(verdict)" = "disk_full volumes[0].inodes 9 null" ]
	# The sandbox's own shell expands it.
	# shellcheck disable=SC2016
	run -0 inside 'for i in $(seq 19); do touch /data/$i || exit 9; done' --report report --set "volumes=$small"
	printf 'cordon: 1\nextends: default\nrootfs:\n  writable:\n    store: tmpfs\n    size: 1MiB\n' >small.yaml
	says 1 "*cordon: rootfs.writable.size (1 MiB) was used up when the program failed (./small.yaml:6)" \
		cordon run --report report --profile ./small.yaml -- dd if=/dev/zero of=/file bs=64k count=17 status=none
	[ "$(verdict)" = "disk_full rootfs.writable.size 1 null" ]
	# It is the failure that is explained: by a signal as well.
	run -134 inside 'dd if=/dev/zero of=/data/f bs=64k count=17 status=none || kill -ABRT $$' -q --report report \
		--set "volumes=$small"
	[ "$(verdict)" = "disk_full volumes[0].size null 6" ]
	# A program that lives with it, and one that fails with room left.
	says 0 "*No space left on device*" inside 'dd if=/dev/zero of=/data/f bs=64k count=17 status=none; true' \
		--report report --set "volumes=$small"
	[ "$(verdict)" = "exited null 0 null" ]
	gives 1 "" inside 'dd if=/dev/zero of=/data/f bs=64k count=15 status=none; exit 1' --report report --set "volumes=$small"
	[ "$(verdict)" = "exited null 1 null" ]
}

@test "disk_full: the right one of several, in the order of the policy; more than are watched start as well" {
	need jq
	local i flag two='[{type: tmpfs, target: /z, size: 1MiB}, {type: tmpfs, target: /a, size: 1MiB}, {type: tmpfs, target: /m, size: 1MiB, read_only: true}]'
	run -1 cordon run -q --report report --set "volumes=$two" -- dd if=/dev/zero of=/z/f bs=64k count=17 status=none
	[ "$(verdict)" = "disk_full volumes[0].size 1 null" ]
	run -1 cordon run -q --report report --set "volumes=$two" -- dd if=/dev/zero of=/a/f bs=64k count=17 status=none
	[ "$(verdict)" = "disk_full volumes[1].size 1 null" ]
	two='['
	for ((i = 0; i < 40; i++)); do
		two+="{type: tmpfs, target: /v$i, size: 64KiB},"
	done
	for flag in rootfs.writable=none rootfs.writable=tmpfs; do
		gives 7 "" inside 'exit 7' --report report --set "volumes=${two%,}]" --set "$flag"
	done
}

@test "disk_full: the keeper has no more of a store than a name, and lets go of it" {
	local pid file n=0
	mkfifo gate
	exec 7<>gate
	"$CORDON" --root "$CORDON_ROOT" run -- cat <gate 3>&- 7>&- &
	pid=$!
	eventually pgrep -P "$pid"
	eventually pgrep -x -P "$(pgrep -P "$pid")" cat
	# O_PATH, in octal: the store of /tmp, which is all that the profile default has.
	for file in "/proc/$pid/fdinfo"/*; do
		n=$((n + (($(awk '/^flags:/ { print $2 }' "$file") & 010000000) != 0)))
	done
	[ "$n" -eq 1 ]
	exec 7>&-
	wait "$pid"
}

in_seconds() {
	says 137 "cordon: ended by limits.wall_time: 1 s (command line)" cordon run --timeout 1s -- sleep 50
}

in_milliseconds() {
	says 137 "cordon: ended by limits.wall_time: 1100 ms (command line)" cordon run --timeout 1.1s -- sleep 50
}

@test "times and sizes are said in units" {
	together in_seconds in_milliseconds
}

# bats test_tags=root
@test "control groups: memory, cpu_time and pids have their line" {
	says 137 "cordon: ended by limits.memory: 32 MiB (command line)" \
		cordon run --set limits.memory=32MiB -- tail /dev/zero
	says 137 "cordon: ended by limits.cpu_time: 200 ms (command line)" \
		inside 'while :; do :; done' --set limits.cpu_time=200ms
	says 5 "*cordon: limits.pids (2) refused [1-9] fork* (command line)" \
		cordon run --set limits.pids=2 -- sh -c '(sleep 1 & sleep 1 & wait) 2>/dev/null; exit 5'
	says 0 "*" cordon run --set limits.pids=2 -- sh -c '(sleep 1 & sleep 1 & wait) 2>/dev/null; exit 0'
	[[ "$output" != *limits.pids* ]]
}
