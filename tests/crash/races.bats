#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Many commands at once on the same names: one wins, and afterwards every name leads to a record, every
# claim of ids to one, and no process is without.

load ../lib/cordon
load ../lib/fault
load ../lib/kept_sound

bats_require_minimum_version 1.5.0 # run -CODE

CORDON=$repo/build/release/cordon

setup() { fault_setup; }

# Nothing of a test that failed in the middle runs on.
teardown() {
	kept_remove_all
	own_groups_end && cordon_teardown
}

# Runs the same command N times at once. What each said is in said.N, its code in code.N.
at_once() { # N ARG...
	local i n=$1 pids=()
	rm -f "$BATS_TEST_TMPDIR"/said.* "$BATS_TEST_TMPDIR"/code.*
	for ((i = 0; i < n; i++)); do
		(
			code=0
			timeout -k 1 100 "$CORDON" --root "$CORDON_ROOT" "${@:2}" >"$BATS_TEST_TMPDIR/said.$i" 2>&1 </dev/null || code=$?
			echo "$code" >"$BATS_TEST_TMPDIR/code.$i"
		) 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
}

# How many ended with this code.
ended_with() { # CODE
	cat "$BATS_TEST_TMPDIR"/code.* | grep -cx "$1" || [ $? -eq 1 ]
}

@test "a hundred creates of one name: one wins, and 99 are told who has it" {
	local winner
	at_once 100 create --name web -- /usr/bin/true
	[ "$(ended_with 0) $(ended_with 125)" = "1 99" ]
	winner=$(kept_ids)
	[ "$(cat "$BATS_TEST_TMPDIR"/said.* | grep -cx "$winner")" -eq 1 ]
	[ "$(cat "$BATS_TEST_TMPDIR"/said.* | grep -c "the name web is taken by sandbox $winner")" -eq 99 ]
	kept_sound
	kept_nothing_left
}

@test "a hundred creates of a name that a crash has left: one wins" {
	CORDON_FAULT=name.taken:kill "$repo/build/fault/cordon" --root "$CORDON_ROOT" create --name web -- /usr/bin/true ||
		[ $? -eq 137 ]
	[ -h "$CORDON_ROOT/state/names/web" ]
	at_once 100 create --name web -- /usr/bin/true
	[ "$(ended_with 0) $(ended_with 125)" = "1 99" ]
	cordon gc >/dev/null
	kept_sound
	kept_nothing_left
}

@test "fifty rm of one sandbox: it goes once; fifty starts of one: it runs once" {
	cordon create --name web -- /usr/bin/true >/dev/null
	at_once 50 rm web
	[ "$(ended_with 0) $(ended_with 125)" = "1 49" ]
	[ "$(grep -lE 'no sandbox is called web|was removed meanwhile' "$BATS_TEST_TMPDIR"/said.* | wc -l)" -eq 49 ]
	cordon create --name web "${plain[@]}" -- /usr/bin/sh -c 'echo >>"$0/started"; exec sleep 60' "$work" >/dev/null
	at_once 50 start web
	[ "$(ended_with 0)" -eq 50 ]
	sleep 0.3
	[ "$(wc -l <"$work/started")" -eq 1 ]
	rm "$work/started"
	at_once 20 stop web
	[ "$(ended_with 0)" -eq 20 ]
	kept_nothing_left
}

# One of the storm's clients: random commands on three names until the time is up. Some are killed.
storm_client() { # SEED SECONDS
	local name until=$((SECONDS + $2))
	# Most of them are refused: that is what a storm is.
	set +e
	RANDOM=$1
	while [ "$SECONDS" -lt "$until" ]; do
		name=n$((RANDOM % 3))
		case $((RANDOM % 9)) in
		0) cordon create --name "$name" "${plain[@]}" -- /usr/bin/sleep 60 ;;
		1) cordon run -d --name "$name" "${plain[@]}" -- /usr/bin/sleep 60 ;;
		2) cordon run -d --rm --name "$name" "${plain[@]}" -- /usr/bin/true ;;
		3) cordon run -d --set restart=on-failure --name "$name" "${plain[@]}" -- /usr/bin/sleep 60 ;;
		4) cordon start "$name" ;;
		5) cordon stop "$name" ;;
		6) cordon rm "$name" ;;
		7) cordon gc ;;
		8) timeout -s KILL "0.0$((RANDOM % 10))" "$CORDON" --root "$CORDON_ROOT" run -d --name "$name" "${plain[@]}" -- /usr/bin/sleep 60 ;;
		esac
	done
}

@test "a storm of create, run, start, stop, rm, gc and kill -9: what is there afterwards is sound" {
	local i pids=() left
	for i in 1 2 3 4 5 6; do
		storm_client "$i" 10 >"$BATS_TEST_TMPDIR/storm.$i" 2>&1 </dev/null 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		# The last command of each may have been refused.
		wait "$i" || [ $? -le 137 ]
	done
	# Something has happened in it.
	[ "$(cat "$BATS_TEST_TMPDIR"/storm.* | grep -cE '^[0-9a-f]{16}$')" -gt 5 ]
	[ "$(cat "$BATS_TEST_TMPDIR"/storm.* | grep -cE 'dead runs removed')" -gt 5 ]
	# What nobody could have meant.
	left=$(cat "$BATS_TEST_TMPDIR"/storm.* | grep -iE 'is damaged|bug|Bad file|No such process|Invalid arg' || [ $? -eq 1 ])
	[ -z "$left" ] || { echo "$left"; return 1; }
	cordon gc
	run -0 cordon gc
	[[ "$output" == "0 dead runs removed, 0 id blocks freed, "* ]]
	kept_sound
	kept_nothing_left
}

@test "a hundred sandboxes at once: all run, each with ids of its own, and all go" {
	kept_many 100
}
