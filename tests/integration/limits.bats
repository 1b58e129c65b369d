#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# limits.wall_time ends everything; limits.nproc is each sandbox's own.

load ../lib/cordon
load ../lib/attack

# bats test_tags=vm
@test "timeout: ends 20 processes that ignore TERM, in time, with 137 and the line that says why" {
	local start=$SECONDS
	says 137 $'20 processes\ncordon: ended by limits.wall_time: 700 ms (command line)' \
		cordon run --timeout 700ms -- "$ATTACK/processes" 20 60
	[ $((SECONDS - start)) -lt 50 ]
}

@test "timeout: in a profile it is named with file and line; -q is silent" {
	printf 'cordon: 1\nextends: default\nlimits:\n  wall_time: 300ms\n' >slow.yaml
	says 137 "cordon: ended by limits.wall_time: 300 ms (./slow.yaml:4)" \
		cordon run --profile ./slow.yaml -- sleep 20
	gives 137 "" cordon run -q --profile ./slow.yaml -- sleep 20
	# The flag is the last layer.
	gives 0 "" cordon run --timeout 20s --profile ./slow.yaml -- sleep 0.5
}

@test "timeout: a program that ends in time keeps its code" {
	gives 9 "" inside 'exit 9' --timeout 20s
	says 125 "*limits.wall_time*" inside true --timeout 5parsecs
}

@test "timeout: processes that are stopped end, too" {
	gives 137 "" cordon run -q --timeout 500ms -- sh -c 'sleep 100 & kill -STOP $!; kill -STOP $$'
}

# bats test_tags=vm
@test "nproc: with 3, exactly three processes can exist; the fourth fork gets EAGAIN" {
	gives 0 "3 processes, then EAGAIN" cordon run --set limits.nproc=3 -- "$ATTACK/processes" 9
	gives 0 "1 processes, then EAGAIN" cordon run --set limits.nproc=1 -- "$ATTACK/processes" 9
	gives 0 "9 processes" cordon run --set limits.nproc=9 -- "$ATTACK/processes" 9
	says 125 "cordon: step nproc: limits.nproc: reads back as something else*" \
		without nproc cordon run --set limits.nproc=3 -- true
}

@test "nproc: unlimited is as many as the caller may have, without a privilege" {
	local hard
	# The soft limit is lower: what the program gets is what the caller could raise it to.
	gives 0 "1234 1234" bash -c 'ulimit -Su 1200; ulimit -Hu 1234; "$@"' bash "$CORDON" --root "$CORDON_ROOT" \
		run --set limits.nproc=unlimited -- bash -c 'echo $(ulimit -Hu) $(ulimit -Su)' ||
		[[ $output == "unlimited unlimited" ]]
	says 0 "*processes *as many as the caller may have*" cordon explain --set limits.nproc=unlimited -- true
	hard=$(ulimit -Hu)
	# Control: a number that is more than that is refused where it cannot be had.
	if [ "$hard" != unlimited ] && ! [[ $(cordon doctor) == *"hard limits"*possible* ]]; then
		says 125 "cordon: limits.nproc: this process may not have more than *" \
			cordon run --set "limits.nproc=$((hard + 1))" -- true
	fi
	without nproc says 125 "cordon: step nproc: limits.nproc: reads back*" bash -c 'ulimit -Su 1200; "$@"' bash \
		"$FAULTY" --root "$CORDON_ROOT" run --set limits.nproc=unlimited -- true
}

# bats test_tags=vm
@test "nproc: user 0 inside is bound by it as well" {
	gives 0 "3 processes, then EAGAIN" cordon run -u 0:0 --set limits.nproc=3 -- "$ATTACK/processes" 9
}

# bats test_tags=vm
@test "nproc: four sandboxes at once have their own three each" {
	local i pids=()
	for i in 1 2 3 4; do
		"$CORDON" --root "$CORDON_ROOT" run --set limits.nproc=3 -- "$ATTACK/processes" 9 1 >"out.$i" 2>&1 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	[ "$(cat out.*)" = "$(printf '3 processes, then EAGAIN\n%.0s' 1 2 3 4)" ]
}

@test "nproc: a fork bomb stays at its limit and its end is clean" {
	gives 137 "" cordon run -q --timeout 1s --set limits.nproc=20 -- \
		sh -c 'b() { b | b & b; }; b 2>/dev/null & exec sleep 60'
}

# bats test_tags=vm
@test "tmpfs: bytes and inodes end where the policy says, ENOSPC and not before" {
	local mib=1048576
	gives 0 "" inside "head -c $((63 * mib)) /dev/zero >/tmp/a"
	says 1 $'*No space left on device\ncordon: volumes?0?.size (64 MiB) was used up when the program failed (profile default:*)' \
		inside "head -c $((65 * mib)) /dev/zero >/tmp/a"
	gives 0 "" inside "head -c $((15 * mib)) /dev/zero >/big" --set rootfs.writable.store=tmpfs
	says 1 "*No space left on device"* inside "head -c $((17 * mib)) /dev/zero >/big" --set rootfs.writable.store=tmpfs
	says 1 "*No space left on device" inside "head -c $((65 * mib)) /dev/zero >/dev/shm/a"
	# The root of the file system takes one inode.
	gives 0 "" inside 'cd /tmp; for i in $(seq 9); do : >f$i || exit 1; done' \
		--set 'volumes=[{type: tmpfs, target: /tmp, size: 1MiB, inodes: 10}]'
	says 2 "*No space left on device"* inside 'cd /tmp; for i in $(seq 10); do : >f$i || exit 1; done' \
		--set 'volumes=[{type: tmpfs, target: /tmp, size: 1MiB, inodes: 10}]'
}

@test "ulimits.cpu: the end has its line and its key in the report; another SIGKILL has neither" {
	run -137 cordon run --report "$PWD/report" --set limits.ulimits.cpu=1s -- sh -c 'while :; do :; done'
	[ "$(jq -c '[.kind, .signal]' report)" = '["signalled",9]' ]
	# Which limit it was is told by the time used, and the kernel counts in ticks (launcher/result.c).
	if jq -e '.limit == null and .cpu_user_ms + .cpu_system_ms < 800' report; then
		[ -z "$output" ]
	else
		[ "$(jq -r .limit report)" = limits.ulimits.cpu ]
		[ "$output" = "cordon: ended by limits.ulimits.cpu: 1 s (command line)" ]
	fi
	gives 137 "" cordon run -q --set limits.ulimits.cpu=1s -- sh -c 'while :; do :; done'
	# A limit that no machine is slow enough to reach meanwhile.
	gives 137 "" cordon run --report "$PWD/report" --set limits.ulimits.cpu=60s -- sh -c 'kill -9 $$'
	[ "$(jq -c .limit report)" = null ]
}
