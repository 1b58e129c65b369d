#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# kill -9 of the keeper, and of the sandbox's init, in front of each row and at any other moment.

load ../lib/cordon
load ../lib/fault

setup() { fault_setup; }

# The workload would stay for a while, with a descendant that has left its session. Both have the
# directory among their arguments, by which own_processes knows them.
stay=(/usr/bin/bash -c 'touch "$0/ran"; setsid bash -c "sleep 60; :" "$0" & sleep 60; :')

# Runs with a fault; sets code and out. Through pipes, for which there is a row; their end is waited
# for only when no process is left that could hold them open.
run_with() { # FAULT FLAG...
	local fault=$1 reader
	shift
	code=0
	CORDON_FAULT=$fault cordon run "$@" -- "${stay[@]}" "$work" \
		> >(cat >"$BATS_TEST_TMPDIR/out" 3>&-) 2>&1 <"$input" 3>&- || code=$?
	reader=$!
	gone_within 2 || { echo "... after $fault"; return 1; }
	wait "$reader" || true
	out=$(<"$BATS_TEST_TMPDIR/out")
}

# gc finishes what the keeper's death cut short.
gc_finishes() {
	cordon gc >"$BATS_TEST_TMPDIR/gc" 2>&1 || { cat "$BATS_TEST_TMPDIR/gc"; return 1; }
	nothing_left
}

keeper_killed_at() { # ROW FLAG...
	run_with "$1:kill-keeper" "${@:2}" || return 1
	[ "$code" -eq 137 ] || { echo "$1: exit code $code, wanted 137: $out"; return 1; }
	# At the last row the program may start while the kernel is about to end it.
	[ "$1" != seccomp ] || rm -f "$work/ran"
	[ ! -e "$work/ran" ] || { echo "$1: the workload ran"; rm "$work/ran"; return 1; }
	gc_finishes || { echo "... after the keeper was killed at $1, and gc"; return 1; }
}

each_row_kills_the_keeper() { # FLAG...
	local row bad=0 n=0
	for row in $(rows "$@"); do
		n=$((n + 1))
		keeper_killed_at "$row" "$@" || bad=1
	done
	[ "$n" -gt 30 ] && [ "$bad" -eq 0 ]
}

@test "kill -9 of the keeper at each row: all is gone at once, and gc frees the rest" {
	each_row_kills_the_keeper "${plain[@]}"
}

@test "kill -9 of the keeper after it has made a placeholder: gc takes it away" {
	local row bad=0
	for row in placeholders uid_map protected_paths pivot seccomp; do
		keeper_killed_at "$row" "${guarded[@]}" || bad=1
	done
	[ "$bad" -eq 0 ]
	# The control: without gc it is there.
	run_with uid_map:kill-keeper "${guarded[@]}"
	[ -d "$work/.git" ]
	gc_finishes
}

# bats test_tags=root
@test "kill -9 of the keeper of a sandbox whose root is an image: the kernel takes all of it back" {
	local row bad=0 stored=("${plain[@]}" --set rootfs.writable.store=image)
	need losetup
	own_loops() { losetup -n -O NAME,BACK-FILE | grep -F "$CORDON_ROOT"; }
	no_loops() { [ -z "$(own_loops)" ]; }
	[ "$(rows "${stored[@]}" | grep -c '^root_store$')" -eq 1 ]
	for row in root_store oom_score uid_map root volumes pivot keeper_privileges seccomp; do
		[[ $'\n'"$(rows "${stored[@]}")"$'\n' == *$'\n'"$row"$'\n'* ]] ||
			{ echo "$row: is no part of this launch"; return 1; }
		keeper_killed_at "$row" "${stored[@]}" || bad=1
		eventually no_loops || { echo "$row: $(own_loops)"; bad=1; }
		[ -z "$(find "$CORDON_ROOT/state/writable" -mindepth 1 ! -path '*/templates*')" ] || bad=1
	done
	[ "$bad" -eq 0 ]
	# The control: while it runs, there is one.
	start_and_wait "${stored[@]}"
	[ -n "$(own_loops)" ]
	kill -9 "$keeper"
	wait "$keeper" || [ $? -eq 137 ]
	gc_finishes
	eventually no_loops
}

@test "kill -9 of the keeper of a sandbox with control groups: gc removes them" {
	local row bad=0
	limit_groups
	for row in cgroup cgroup_join uid_map cgroup_member keeper_privileges seccomp; do
		[[ $'\n'"$(rows "${limited[@]}")"$'\n' == *$'\n'"$row"$'\n'* ]] || {
			groups_is_v2 && [ "$row" = cgroup_join ] && continue
			echo "$row: is no part of this launch"
			return 1
		}
		keeper_killed_at "$row" "${limited[@]}" || bad=1
	done
	[ "$bad" -eq 0 ]
	# The control: without gc they are there.
	run_with uid_map:kill-keeper "${limited[@]}"
	[ -n "$(groups_below "$group")" ]
	gc_finishes
}

@test "kill -9 of the keeper of a running workload: gc waits for its control groups to be empty" {
	limit_groups
	start_and_wait "${limited[@]}"
	[ -n "$(groups_below "$group")" ]
	kill -9 "$keeper"
	wait "$keeper" || [ $? -eq 137 ]
	gc_finishes
}

@test "kill -9 of the keeper, and of init, where who answers denied calls is about to start" {
	local row bad=0
	for row in notifier seccomp keeper_privileges; do
		keeper_killed_at "$row" "${denials[@]}" || bad=1
	done
	for row in notifier seccomp keeper_privileges; do
		run_with "$row:kill-init" "${denials[@]}" || bad=1
		[ "$code" -eq 125 ] || [ "$code" -eq 137 ] || { echo "$row: exit code $code: $out"; bad=1; }
		rm -f "$work/ran"
		nothing_left || bad=1
	done
	[ "$bad" -eq 0 ]
}

@test "control: without gc the run of a killed keeper is still there" {
	run_with pivot:kill-keeper "${plain[@]}"
	run nothing_left
	[ "$status" -eq 1 ]
	gc_finishes
}

# Before there is an init nothing can be killed, and the run goes its way (a workload that ends).
# From then on until the workload may start, the launch has failed: 125. At the keeper's last rows it
# can also be the end of a run, by SIGKILL, 137: the keeper goes on while init dies.
init_killed_at() { # ROW
	local wanted="125"
	case $1 in
	init_gone_ahead | read_back | keeper_privileges) wanted="125 137" ;;
	esac
	run_with "$1:kill-init" "${plain[@]}" || return 1
	[[ " $wanted " == *" $code "* ]] ||
		{ echo "$1: exit code $code, wanted $wanted: $out"; return 1; }
	[ "$code" -ne 125 ] || [[ "$out" == "cordon: "?* ]] || { echo "$1: 125 without a word"; return 1; }
	# In the same moment in which the kernel ends the workload it may have done its first step.
	case $1 in
	init_gone_ahead | read_back | keeper_privileges) rm -f "$work/ran" ;;
	esac
	nothing_left || { echo "... after init was killed at $1"; return 1; }
}

@test "kill -9 of init at each row: 125 or 137, and nothing is left without gc" {
	local row bad=0 n=0
	local before
	before=" $(rows_before_spawn "${plain[@]}" | tr '\n' ' ') "
	for row in $(rows "${plain[@]}"); do
		[[ "$before" != *" $row "* ]] || continue
		n=$((n + 1))
		init_killed_at "$row" || bad=1
	done
	[ "$n" -gt 30 ] && [ "$bad" -eq 0 ]
}

# Starts a run in the background and waits until its workload has written; sets keeper.
start_and_wait() { # FLAG...
	"$CORDON" --root "$CORDON_ROOT" run "$@" -- "${stay[@]}" "$work" \
		>"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null 3>&- &
	keeper=$!
	until [ -e "$work/ran" ] && own_processes | grep -q "bash -c sleep"; do
		kill -0 "$keeper" || { cat "$BATS_TEST_TMPDIR/out"; return 1; }
		sleep 0.01
	done
	rm "$work/ran"
}

@test "kill -9 of the keeper of a running workload ends it, and what has left its session" {
	start_and_wait "${plain[@]}"
	[ "$(own_processes | grep -c "bash -c sleep")" -eq 1 ]
	kill -9 "$keeper"
	wait "$keeper" || [ $? -eq 137 ]
	gone_within 2
	gc_finishes
}

@test "kill -9 of init of a running workload: 137, and nothing is left" {
	local code=0
	start_and_wait "${plain[@]}"
	# As root init has the sandbox's id, as a user the caller's: both may send it.
	kill -9 "$(pgrep -P "$keeper")"
	wait "$keeper" || code=$?
	[ "$code" -eq 137 ]
	nothing_left
}

# Each shown directory makes a helper process for a moment (launcher/identity.c).
@test "kill -9 of the keeper at any moment: no helper, init or workload survives" {
	local i keeper flags=("${plain[@]}")
	for i in 1 2 3 4 5 6 7 8; do
		mkdir "$BATS_TEST_TMPDIR/shown$i"
		flags+=(--ro "$BATS_TEST_TMPDIR/shown$i")
	done
	for ((i = 0; i < 100; i++)); do
		"$CORDON" --root "$CORDON_ROOT" run "${flags[@]}" -- "${stay[@]}" "$work" \
			>"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null 3>&- &
		keeper=$!
		sleep "0.0$((i / 40))$((i % 10))$((RANDOM % 10))"
		kill -9 "$keeper"
		wait "$keeper" || [ $? -eq 137 ]
	done
	gone_within 2
	rm -f "$work/ran"
	gc_finishes
}

has_helper() {
	keeper=$(pgrep -P "$tracer" -x cordon) && helper=$(pgrep -P "$keeper")
}

# strace holds the keeper in front of the kill that ends a helper, and the keeper is killed instead.
# bats test_tags=root
@test "a helper for the ids of a shown directory ends with its keeper" {
	need strace
	local tracer keeper helper=
	mkdir "$BATS_TEST_TMPDIR/shown"
	strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=kill -e inject=kill:delay_enter=3000000 \
		"$CORDON" --root "$CORDON_ROOT" run "${plain[@]}" --ro "$BATS_TEST_TMPDIR/shown" -- \
		"${stay[@]}" "$work" >"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null 3>&- &
	tracer=$!
	eventually has_helper
	[ "$(readlink "/proc/$helper/ns/user")" != "$(readlink /proc/self/ns/user)" ]
	kill -9 "$keeper"
	wait "$tracer" || true
	gone_within 2
	gc_finishes
}
