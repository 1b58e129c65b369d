#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# `cordon update` of a sandbox that runs, killed or failing at each of its steps: its control groups never
# hold more than its record says, and gc, or the next update, has both say the same again.

load ../lib/cordon
load ../lib/fault
load ../lib/kept_sound

bats_require_minimum_version 1.5.0 # run -CODE

# Marked; tighter; recorded; looser.
points=(update.marked write.record wrote.record update.done)
before=(--memory 64m --pids-limit 20)

setup() {
	fault_setup
	own_groups
	cd "$BATS_TEST_TMPDIR" || return
	cordon run -d --name web --cgroup-parent "$group" "${before[@]}" "${plain[@]}" -- /usr/bin/sleep 600 >/dev/null
	mark=$(echo "$CORDON_ROOT"/run/sandboxes/*)/updating
}

teardown() {
	# One that stands still has the sandbox's lock.
	[ -z "${client:-}" ] || ! kill -9 "$client" 2>/dev/null || wait "$client" || true
	kept_remove_all && cordon gc >/dev/null || return 1
	rm -rf "$CORDON_ROOT/run/sandboxes"
	own_groups_end && cordon_teardown
}

# Never without timeout(1): it stands between the shell and what kills its parent.
hurt() { # FAULT ARG...
	code=0
	out=$(CORDON_FAULT=$1 timeout -k 1 60 "$CORDON" --root "$CORDON_ROOT" "${@:2}" </dev/null 2>&1 3>&-) ||
		code=$?
}

# What a killed one had begun to write lies there as long as the keeper writes beside it.
ends_soundly() {
	cordon stop web >/dev/null && cordon gc >/dev/null && kept_sound
}

# "MEMORY PIDS" in bytes and tasks: what is in force, and what the record gives.
in_groups() {
	local pids
	pids=$(group_file pids pids.max pids.max)
	echo "$(group_file memory memory.limit_in_bytes memory.max) $((pids - 1))"
}

in_record() {
	cordon inspect web | jq -r '[.[0].spec.limits[] | select(.key == "limits.memory" or .key == "limits.pids").value] | join(" ")' |
		while read -r a b; do
			# Pids are first in the list of limits.
			echo "$(numfmt --from=auto "${b%B}") $a"
		done
}

agree() {
	[ "$(in_groups)" = "$(in_record)" ] || { echo "groups: $(in_groups), record: $(in_record)"; return 1; }
}

never_more() {
	local memory pids record_memory record_pids
	read -r memory pids < <(in_groups)
	read -r record_memory record_pids < <(in_record)
	if [ "$memory" -gt "$record_memory" ] || [ "$pids" -gt "$record_pids" ]; then
		echo "groups: $memory $pids, record: $record_memory $record_pids"
		return 1
	fi
}

flags_of() { # DIRECTION
	case $1 in
	tighter) change=(--memory 32m --pids-limit 10) after="33554432 10" ;;
	looser) change=(--memory 128m --pids-limit 40) after="134217728 40" ;;
	both) change=(--memory 128m --pids-limit 10) after="134217728 10" ;;
	esac
}

# It is as it was, or as it was to become; nothing else.
is_whole() {
	agree && [ ! -e "$mark" ] && { [ "$(in_groups)" = "67108864 20" ] || [ "$(in_groups)" = "$after" ]; }
}

@test "update: killed at each point there is never more than the record says, and gc or the next update finishes it" {
	local point direction bad=0
	[ "$(in_groups)" = "67108864 20" ] && agree
	for direction in tighter both; do
		flags_of "$direction"
		for point in "${points[@]}"; do
			hurt "$point:kill" update "${change[@]}" web
			[ "$code" -eq 137 ] || { echo "$point: exit code $code: $out"; bad=1; }
			[ -e "$mark" ] || { echo "$point: no mark"; bad=1; }
			never_more || { echo "... $direction, killed at $point"; bad=1; }
			run -0 cordon gc
			[[ "$output" == *"1 updates that were cut off finished"* ]] || { echo "$point: gc: $output"; bad=1; }
			is_whole || { echo "... $direction, killed at $point, and gc: $(in_groups)"; bad=1; }
			run -0 cordon gc
			[[ "$output" != *"cut off"* ]] || { echo "$point: the second gc: $output"; bad=1; }
			hurt "$point:kill" update "${before[@]}" web
			out=$(cordon update "${before[@]}" web 2>&1) || bad=1
			[[ "$out" == *"sandbox web: an update of it was cut off"* ]] || { echo "$point: $out"; bad=1; }
			[ "$(in_groups)" = "67108864 20" ] && agree && [ ! -e "$mark" ] || { echo "$point: back"; bad=1; }
		done
	done
	ends_soundly && [ "$bad" -eq 0 ]
}

# A short one, for the kernels of the machines, whose groups are those of v2.
# bats test_tags=vm,root
@test "update: killed before and behind its record, on each kernel" {
	local point
	flags_of both
	for point in write.record wrote.record; do
		hurt "$point:kill" update "${change[@]}" web
		[ "$code" -eq 137 ] && [ -e "$mark" ]
		never_more
		run -0 cordon gc
		is_whole
		cordon update "${before[@]}" web >/dev/null
		[ "$(in_groups)" = "67108864 20" ]
	done
	hurt update.tighten:skip update "${change[@]}" web
	[ "$code" -eq 125 ] && [[ "$out" == *"does not say what it was set to"* ]]
	never_more
}

@test "update: where a step fails it says so, and all is as it was" {
	local point direction bad=0
	for direction in tighter both; do
		flags_of "$direction"
		for point in update.marked write.record wrote.record; do
			hurt "$point:fail" update "${change[@]}" web
			[ "$code" -eq 125 ] && [[ "$out" == *"Input/output error"* ]] || { echo "$point: exit code $code: $out"; bad=1; }
			[ ! -e "$mark" ] || { echo "$point: a mark"; bad=1; }
			[ "$(in_groups)" = "67108864 20" ] && agree || { echo "... $direction, failed at $point"; bad=1; }
		done
	done
	# All is done but the mark: that is gc's.
	hurt update.done:fail update "${change[@]}" web
	[ "$code" -eq 125 ] && [ -e "$mark" ] && [ "$(in_groups)" = "$after" ] && agree
	run -0 cordon gc
	[ "$(in_groups)" = "$after" ] && agree && [ ! -e "$mark" ]
	cordon update "${before[@]}" web >/dev/null
	# The control: without a fault it goes through.
	run -0 cordon update "${change[@]}" web
	[ "$(in_groups)" = "$after" ] && agree
	ends_soundly && [ "$bad" -eq 0 ]
}

# Each is read back. What goes back meets the same fault: what that leaves is gc's, and never more than
# the record says.
@test "update: a step that is left out is noticed, and nothing is in force that the record does not give" {
	local step direction bad=0
	for direction in tighter looser both; do
		flags_of "$direction"
		for step in mark tighten record loosen unmark; do
			hurt "update.$step:skip" update "${change[@]}" web
			case $direction.$step in
			# The control: there is nothing to tighten, or to loosen.
			looser.tighten | tighter.loosen)
				[ "$code" -eq 0 ] && [ "$(in_groups)" = "$after" ] && agree || { echo "$direction, $step: $code: $out"; bad=1; }
				;;
			*) [ "$code" -eq 125 ] && [[ "$out" == "cordon: "* ]] || { echo "$direction, $step: exit code $code: $out"; bad=1; } ;;
			esac
			never_more || { echo "... $direction, $step left out"; bad=1; }
			run -0 cordon gc
			is_whole || { echo "... $direction, $step left out, and gc: $(in_groups)"; bad=1; }
			cordon update "${before[@]}" web >/dev/null
			[ "$(in_groups)" = "67108864 20" ] && agree && [ ! -e "$mark" ] || { echo "$direction, $step: back"; bad=1; }
		done
	done
	ends_soundly && [ "$bad" -eq 0 ]
}

@test "update: one that was cut off is nobody's concern after the run, and the next start has what the record says" {
	flags_of tighter
	hurt write.record:kill update "${change[@]}" web
	[ "$code" -eq 137 ] && [ -e "$mark" ]
	cordon stop web >/dev/null
	run -0 cordon gc
	[[ "$output" != *"cut off"* ]] && [ ! -e "$mark" ]
	cordon start web >/dev/null
	[ "$(in_groups)" = "67108864 20" ] && agree
	hurt wrote.record:kill update "${change[@]}" web
	cordon stop web >/dev/null
	cordon start web >/dev/null
	[ "$(in_groups)" = "$after" ] && agree
	# The mark of the run before says nothing of this one.
	run -0 cordon gc
	[ "$(in_groups)" = "$after" ] && agree && [ ! -e "$mark" ]
}

@test "update: gc lets one that is at work be, and the sandbox goes on all the while" {
	local pid
	flags_of looser
	pid=$(sed -n 's/^workload \([0-9]*\) .*/\1/p' "$CORDON_ROOT"/run/sandboxes/*/live)
	CORDON_FAULT=wrote.record:stop "$CORDON" --root "$CORDON_ROOT" update "${change[@]}" web >/dev/null 2>&1 3>&- &
	client=$!
	eventually grep -q '^State:.*T' "/proc/$client/status"
	run -0 timeout 60 "$CORDON" --root "$CORDON_ROOT" gc
	[[ "$output" != *"cut off"* ]] && [ -e "$mark" ]
	never_more
	kill -CONT "$client"
	wait "$client"
	[ "$(in_groups)" = "$after" ] && agree && [ ! -e "$mark" ]
	kill -0 "$pid"
}

# A restart by policy waits for no command's lock.
@test "update: a sandbox that is started again meanwhile has what the record says" {
	local first direction
	workload() { sed -n 's/^workload \([1-9][0-9]*\) .*/\1/p' "$CORDON_ROOT"/run/sandboxes/*/live; }
	has_another() {
		local now
		now=$(workload)
		[ -n "$now" ] && [ "$now" != "$first" ]
	}
	cordon stop web >/dev/null
	cordon update --restart always web >/dev/null
	cordon start web >/dev/null
	for direction in tighter looser; do
		flags_of "$direction"
		cordon update "${before[@]}" web >/dev/null
		first=$(workload)
		CORDON_FAULT=write.record:stop "$CORDON" --root "$CORDON_ROOT" update "${change[@]}" web >said 2>&1 3>&- &
		client=$!
		eventually grep -q '^State:.*T' "/proc/$client/status"
		kill -9 "$first"
		eventually has_another
		[ "$(in_groups)" = "67108864 20" ]
		kill -CONT "$client"
		wait "$client"
		[ "$(in_groups)" = "$after" ] && agree && [ ! -e "$mark" ]
	done
}

@test "update: a policy that is refused by now leaves less than the record says, and says so" {
	local cwd
	flags_of tighter
	hurt write.record:kill update "${change[@]}" web
	# As if the directory that it was made in had gone.
	cwd=$(grep '^cwd ' "$CORDON_ROOT"/state/sandboxes/*/record)
	sed -i 's|^cwd .*|cwd /no/such/directory|' "$CORDON_ROOT"/state/sandboxes/*/record
	run -125 cordon gc
	[[ "$output" == *"/no/such/directory"*"its limits are less than its record's"* ]]
	[ "$(in_groups)" = "33554432 10" ] && [ -e "$mark" ]
	sed -i "s|^cwd .*|$cwd|" "$CORDON_ROOT"/state/sandboxes/*/record
	run -0 cordon gc
	[ "$(in_groups)" = "67108864 20" ] && [ ! -e "$mark" ]
}
