#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# pause and unpause: what is paused does nothing, and can still be ended by everything that ends a sandbox.

load ../lib/cordon
load ../lib/attack
load ../lib/groups
load ../lib/kept

# The groups of the test are looked at as well: whatever is in them has been left.
teardown() { kept_end && own_groups_end; }

counts='i=0; while :; do i=$((i + 1)); echo $i >/out/n.new; mv /out/n.new /out/n; sleep 0.02; done'

# Starts one that counts, in a group that can be frozen.
start_counting() { # NAME [FLAG...]
	local name=$1
	shift
	own_groups
	kept_dir
	kept_start "$name" --cgroup-parent "$group" "${out[@]}" "$@" -- sh -c "$counts"
	kept_pids "$name"
	eventually test -s "$dir/n"
}

counts_on() {
	local before
	before=$(<"$dir/n")
	sleep 0.3
	[ "$(<"$dir/n")" != "$before" ]
}


@test "pause stops every process, unpause lets them go on, and each says where there is nothing to do" {
	start_counting a
	eventually counts_on
	says 125 "cordon: sandbox a is not paused: it is running*" cordon unpause a
	gives 0 a cordon pause a
	run -1 counts_on
	says 125 "cordon: sandbox a does not run: it is paused*" cordon pause a
	gives 0 a cordon unpause a
	eventually counts_on
	gives 0 a cordon stop a
	says 125 "cordon: sandbox a does not run: it is exited*" cordon pause a
	says 125 "cordon: sandbox a is not paused: it is exited*" cordon unpause a
}

@test "a paused sandbox ends by stop, kill, rm -f and restart as any other" {
	start_counting a
	cordon pause a
	gives 0 a cordon stop -t 20 a
	eventually kept_gone "$workload"
	for end in kill "stop -t 0" restart "rm -f"; do
		kept_is a running || cordon start a
		kept_pids a
		cordon pause a
		run -1 counts_on
		# Words on purpose.
		# shellcheck disable=SC2086
		gives 0 a cordon $end a
		eventually kept_gone "$workload"
		if [ "$end" = restart ]; then
			eventually counts_on
		fi
	done
	[ -z "$(groups_below "$group")" ]
}

@test "SIGTERM to the keeper of a paused sandbox ends it in order, and it stays wanted" {
	start_counting a --set restart=always
	cordon pause a
	run -1 counts_on
	kill -TERM "$keeper"
	eventually kept_gone "$workload"
	eventually kept_is a exited
	# By the signal, and not at the end of its grace period.
	gives 0 143 cordon wait a
	run -0 --separate-stderr cordon start --all
	[ "$output" = a ]
	eventually counts_on
}

@test "a paused sandbox whose keeper is killed is gone after gc, or after the next command" {
	local ends
	for ends in gc "stop a" "start a" "rm a"; do
		[ -n "${group:-}" ] || start_counting a
		kept_is a running || cordon start a
		kept_pids a
		eventually counts_on
		cordon pause a
		run -1 counts_on
		kill -9 "$keeper"
		eventually kept_gone "$keeper"
		# The control: of itself it does not go where what is frozen does not die.
		if ! groups_is_v2; then
			sleep 0.3
			run -1 kept_gone "$workload"
		fi
		# Words on purpose.
		# shellcheck disable=SC2086
		run -0 cordon $ends
		eventually kept_gone "$workload"
		[ "$ends" = "start a" ] || [ -z "$(groups_below "$group")" ]
		[ "$ends" != "start a" ] || gives 0 a cordon stop a
	done
}

@test "limits.wall_time goes on while it is paused" {
	start_counting a --timeout 4s
	cordon pause a
	eventually kept_gone "$workload"
	gives 0 137 cordon wait a
	grep -q '^kind wall-time\|^kind wall_time' "$CORDON_ROOT"/state/sandboxes/*/state
}

@test "limits.idle_time does not count what is paused; the same sandbox is idle when it goes on" {
	own_groups
	kept_start a --cgroup-parent "$group" --set limits.idle_time=3s -- sleep 600
	kept_pids a
	cordon pause a
	sleep 5
	[ -d "/proc/$workload" ]
	gives 0 a cordon unpause a
	eventually kept_gone "$workload"
	eventually grep -q '^kind idle' "$CORDON_ROOT"/state/sandboxes/*/state
}

# bats test_tags=user
@test "pause is refused with what to do where no group can be frozen; the sandbox runs all the same" {
	[ -z "${CORDON_CGROUP:-}" ] || ! groups_is_v2 || skip "this user has a group everywhere"
	kept_start a -- sleep 600
	kept_pids a
	says 125 "cordon: sandbox a cannot be paused: it has no control group for that: *(freezer)*hint: *" \
		cordon pause a
	[ -d "/proc/$workload" ]
	gives 0 a cordon stop a
}

# Runs cordon where these hierarchies of v1 are not mounted.
without_mounts() { # MOUNT-POINTS ARG...
	local points=$1
	shift
	# Words on purpose.
	# shellcheck disable=SC2016
	unshare -m sh -ec 'for point in $0; do umount "$point"; done; exec "$@"' "$points" \
		"$CORDON" --root "$CORDON_ROOT" "$@"
}

# bats test_tags=root
@test "pause is refused with what to do where no hierarchy has it" {
	! groups_is_v2 || skip "v2 has it in every group"
	local points=/sys/fs/cgroup/freezer
	[ ! -d /sys/fs/cgroup/unified ] || points+=" /sys/fs/cgroup/unified"
	without_mounts "$points" run -d --name a -- sleep 600
	kept_pids a
	says 125 "cordon: sandbox a cannot be paused: it has no control group for that (freezer)*Start it again*" \
		cordon pause a
	says 125 "cordon: sandbox a cannot be paused*this host has no such control group (freezer)*Boot a kernel*" \
		without_mounts "$points" pause a
	[ -d "/proc/$workload" ]
	gives 0 a cordon stop a
	# The control: it is by the group alone.
	gives 0 a cordon start a
	gives 0 a cordon pause a
}

# bats test_tags=root
@test "where v1 has no freezer beside a v2, v2 does it" {
	[ -d /sys/fs/cgroup/unified ] || skip "one hierarchy of v2, or none"
	kept_dir
	without_mounts /sys/fs/cgroup/freezer run -d --name a "${out[@]}" -- sh -c "$counts"
	kept_pids a
	grep -q '^group /sys/fs/cgroup/unified/' "$CORDON_ROOT/run/sandboxes/$id/live"
	eventually test -s "$dir/n"
	gives 0 a cordon pause a
	run -1 counts_on
	gives 0 a cordon unpause a
	eventually counts_on
	cordon pause a
	gives 0 a cordon kill a
	eventually kept_gone "$workload"
}
