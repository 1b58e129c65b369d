#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Sandboxes that are kept: at each named point of records/ the process that comes there fails, is killed,
# or its parent is. After that and `cordon gc` each sandbox is whole or gone, the next command works,
# and with the last sandbox all that was theirs goes.

load ../lib/cordon
load ../lib/fault
load ../lib/kept_sound

bats_require_minimum_version 1.5.0 # run -CODE

setup() { fault_setup; }

create_points=(create.made write.record create.written name.taken create.published)
[ "$(id -u)" -ne 0 ] || create_points+=(create.claimed)
remove_points=(remove.renamed remove.named remove.released remove.removed)
begin_points=(keep.locked write.live write.state keep.begun)
# Both have the directory among their arguments, by which own_processes knows them.
stay=(/usr/bin/sleep 60)
brief=(/usr/bin/true)

# Never without timeout(1): it stands between the shell and what kills its parent.
hurt() { # FAULT ARG...
	code=0
	out=$(CORDON_FAULT=$1 timeout -k 1 60 "$CORDON" --root "$CORDON_ROOT" "${@:2}" </dev/null 2>&1 3>&-) ||
		code=$?
}

# What must hold whatever happened: gc finishes, and what is there is whole.
settles() { # WHAT
	local said
	said=$(cordon gc 2>&1) || { echo "$1: gc: $said"; return 1; }
	said=$(cordon gc 2>&1) || { echo "$1: the second gc: $said"; return 1; }
	[ "$said" = "${said/lost their keeper/}" ] || { echo "$1: the second gc: $said"; return 1; }
	kept_sound || { echo "... $1"; return 1; }
}

# ... and that nothing of it stays.
goes() { # WHAT
	settles "$1" || return 1
	kept_nothing_left || { echo "... $1"; return 1; }
}

expect() { # WHAT CODE...
	local want
	for want in "${@:2}"; do
		[ "$code" -ne "$want" ] || return 0
	done
	echo "$1: exit code $code, wanted ${*:2}: $out"
	return 1
}

# The name is free, or its sandbox is there and says so.
name_is_usable() { # WHAT
	local said
	if said=$(cordon create --name web -- "${stay[@]}" 2>&1); then
		return 0
	fi
	[[ "$said" == *"the name web is taken by sandbox "* ]] && cordon rm web >/dev/null &&
		cordon create --name web -- "${stay[@]}" >/dev/null
}

@test "create: killed at each point, the next create of the name works, before gc and after it" {
	local point bad=0
	for point in "${create_points[@]}"; do
		hurt "$point:kill" create --name web -- "${stay[@]}"
		expect "$point" 137 || bad=1
		name_is_usable || { echo "$point: the name is lost"; bad=1; }
		goes "create, killed at $point" || bad=1
		hurt "$point:kill" create --name web -- "${stay[@]}"
		cordon gc >/dev/null
		name_is_usable || { echo "$point: the name is lost after gc"; bad=1; }
		goes "create, killed at $point, and gc" || bad=1
	done
	[ "$bad" -eq 0 ]
}

@test "create: where a point fails nothing is left, without gc" {
	local point bad=0
	for point in "${create_points[@]}"; do
		hurt "$point:fail" create --name web -- "${stay[@]}"
		expect "$point" 125 || bad=1
		kept_sound && [ -z "$(kept_ids)" ] || { echo "$point: left"; bad=1; }
		kept_nothing_left || bad=1
	done
	[ "$bad" -eq 0 ]
	# The control: what is killed there does leave something.
	hurt create.written:kill create --name web -- "${stay[@]}"
	run -1 kept_nothing_left
	goes "the control"
}

@test "run -d: the client killed at each point: the sandbox runs, or nothing does" {
	local point bad=0
	for point in "${create_points[@]}" write.wanted client.forked client.told; do
		hurt "$point:kill" run -d --name web "${plain[@]}" -- "${stay[@]}"
		expect "$point" 137 || bad=1
		goes "run -d, the client killed at $point" || bad=1
	done
	[ "$bad" -eq 0 ]
}

# Its program runs, and that is the last that its keeper writes.
has_begun() {
	grep -q '^workload [1-9]' "$CORDON_ROOT"/run/sandboxes/*/live
}

@test "run -d: the client killed by its keeper at each point: it goes on alone" {
	local point bad=0
	for point in keeper.left "${begin_points[@]}" keep.runs keep.started; do
		hurt "$point:kill-parent" run -d --name web "${plain[@]}" -- "${stay[@]}"
		expect "$point" 137 || bad=1
		# Nobody may take it away from a keeper that is about to begin.
		{ eventually has_begun && [ -n "$(own_processes)" ]; } || { echo "$point: it did not go on"; bad=1; }
		settles "run -d, alone since $point" || bad=1
		cordon stop web >/dev/null || bad=1
		goes "run -d, alone since $point" || bad=1
	done
	[ "$bad" -eq 0 ]
}

@test "run -d: the keeper killed at each point of the start: the client says so, and nothing is left" {
	local point bad=0
	for point in keeper.left "${begin_points[@]}" keep.runs keep.started; do
		hurt "$point:kill" run -d --name web "${plain[@]}" -- "${stay[@]}"
		expect "$point" 125 || bad=1
		[[ "$out" == *"its keeper was killed"*"hint: Run "* ]] || { echo "$point: $out"; bad=1; }
		# Its id was told to nobody.
		[ -z "$(kept_ids)" ] || { echo "$point: the record is still there"; bad=1; }
		goes "run -d, the keeper killed at $point" || bad=1
	done
	[ "$bad" -eq 0 ]
}

@test "run -d: where a point of the start fails, it says so and nothing is left" {
	local point bad=0
	for point in write.wanted keeper.left "${begin_points[@]}"; do
		hurt "$point:fail" run -d --name web "${plain[@]}" -- "${stay[@]}"
		expect "$point" 125 || bad=1
		[[ "$out" == *"Input/output error"* ]] || { echo "$point: $out"; bad=1; }
		[ -z "$(kept_ids)" ] || { echo "$point: the record is still there"; bad=1; }
		goes "run -d, failed at $point" || bad=1
	done
	[ "$bad" -eq 0 ]
}

@test "run -d: the keeper killed at the end, at each point: the sandbox is stopped, and says why" {
	local point kind bad=0
	for point in keep.ending keep.ended keep.gone; do
		hurt "$point:kill" run -d --name web "${plain[@]}" -- "${brief[@]}"
		expect "$point" 0 || bad=1
		gone_within 3 || bad=1
		settles "the keeper killed at $point" || bad=1
		kind=keeper_lost
		[ "$point" = keep.ending ] || kind=exited
		[ "$(kept_state web kind)" = "$kind" ] || { echo "$point: $(kept_state web kind)"; bad=1; }
		CORDON_FAULT='' cordon start web >/dev/null || bad=1
		goes "the keeper killed at $point" || bad=1
	done
	[ "$bad" -eq 0 ]
}

@test "run -d --rm: the keeper killed at each point of the end: gc removes the sandbox" {
	local point bad=0
	for point in keep.ending "${remove_points[@]}"; do
		hurt "$point:kill" run -d --rm --name web "${plain[@]}" -- "${brief[@]}"
		expect "$point" 0 || bad=1
		gone_within 3 || bad=1
		settles "--rm, the keeper killed at $point" || bad=1
		[ -z "$(kept_ids)" ] || { echo "$point: it is still there"; bad=1; }
		goes "--rm, the keeper killed at $point" || bad=1
	done
	[ "$bad" -eq 0 ]
}

@test "run --name: killed at each point: whole or gone" {
	local point bad=0
	for point in "${create_points[@]}" "${begin_points[@]}" keep.runs keep.started keep.ending keep.ended; do
		hurt "$point:kill" run --name web "${plain[@]}" -- "${brief[@]}"
		expect "$point" 137 || bad=1
		goes "run --name, killed at $point" || bad=1
	done
	for point in keep.locked keep.ending "${remove_points[@]}"; do
		hurt "$point:kill" run --rm --name web "${plain[@]}" -- "${brief[@]}"
		expect "--rm $point" 137 || bad=1
		goes "run --rm --name, killed at $point" || bad=1
	done
	[ "$bad" -eq 0 ]
}

# Sandboxes whose policy asks for another start have a process that waits.
again=(--set 'restart=on-failure:2')

@test "restarts: the process of one start killed at each point: the one that waits starts it again, or ends" {
	local point bad=0
	for point in start.begins keep.runs keep.started; do
		hurt "$point:kill" run -d --name web "${again[@]}" "${plain[@]}" -- "${stay[@]}"
		expect "$point" 125 || bad=1
		[ -z "$(kept_ids)" ] || { echo "$point: the record is still there"; bad=1; }
		goes "the start killed at $point" || bad=1
	done
	# It ran: the caller hears so, and the policy is asked. Each start is killed there, three in all.
	hurt start.said:kill run -d --name web "${again[@]}" "${plain[@]}" -- "${stay[@]}"
	expect start.said 0 || bad=1
	gone_within 5 || bad=1
	[ "$(kept_state web restarts) $(kept_state web kind)" = "2 setup_failed" ] || {
		cat "$CORDON_ROOT"/state/sandboxes/*/state
		bad=1
	}
	goes "the start killed at start.said" || bad=1
	[ "$bad" -eq 0 ]
}

@test "restarts: the one that waits killed at each point: the sandbox goes with it" {
	local point bad=0
	# By itself, and by its child.
	for point in waiter.forked:kill start.begins:kill-parent keep.runs:kill-parent start.said:kill-parent; do
		hurt "$point" run -d --name web "${again[@]}" "${plain[@]}" -- "${stay[@]}"
		expect "$point" 0 125 || bad=1
		gone_within 3 || bad=1
		goes "$point" || bad=1
	done
	for point in start.ended:kill-parent waiter.read:kill waiter.pauses:kill; do
		hurt "$point" run -d --name web "${again[@]}" "${plain[@]}" -- /usr/bin/sh -c 'exit 3'
		expect "$point" 0 || bad=1
		gone_within 3 || bad=1
		settles "$point" || bad=1
		[ "$(kept_state web kind)" = keeper_lost ] || { echo "$point: $(kept_state web kind)"; bad=1; }
		goes "$point" || bad=1
	done
	[ "$bad" -eq 0 ]
}

# A sandbox whose keeper was killed while it ran.
lose() {
	local keeper
	cordon run -d --name web "${plain[@]}" -- "${stay[@]}" >/dev/null
	keeper=$(sed -n 's/^keeper \([0-9]*\) .*/\1/p' "$CORDON_ROOT"/run/sandboxes/*/live)
	[ "$keeper" -gt 1 ] || return 1
	kill -9 "$keeper"
	gone_within 3
}

@test "start, rm and gc of a sandbox that lost its keeper: killed at each point, they can be done again" {
	local point bad=0
	for point in settle.gone write.state settle.written; do
		lose || bad=1
		hurt "$point:kill" gc
		expect "gc $point" 137 || bad=1
		settles "gc, killed at $point" || bad=1
		[ "$(kept_state web kind)" = keeper_lost ] || bad=1
		hurt "$point:kill" start web
		cordon gc >/dev/null
		cordon stop web >/dev/null
		goes "start, killed at $point" || bad=1
		lose || bad=1
		hurt "$point:kill" start web
		expect "start $point" 137 || bad=1
		settles "start, killed at $point" || bad=1
		cordon start web >/dev/null || bad=1
		cordon stop web >/dev/null || bad=1
		goes "started after $point" || bad=1
		lose || bad=1
		hurt "$point:kill" rm web
		expect "rm $point" 137 || bad=1
		goes "rm, killed at $point" || bad=1
	done
	[ "$bad" -eq 0 ]
}

@test "start: the client and the keeper killed at each point, and a start that fails" {
	local point bad=0
	cordon create --name web "${plain[@]}" -- "${stay[@]}" >/dev/null
	for point in write.wanted client.forked client.told; do
		hurt "$point:kill" start web
		expect "$point" 137 || bad=1
		settles "start, the client killed at $point" || bad=1
		cordon start web >/dev/null || { echo "$point: the next start"; bad=1; }
		cordon stop web >/dev/null || bad=1
		hurt write.wanted:fail start web
		gone_within 3 || bad=1
	done
	for point in keeper.left "${begin_points[@]}" keep.runs keep.started; do
		hurt "$point:kill" start web
		expect "$point" 125 || bad=1
		gone_within 3 || bad=1
		settles "start, the keeper killed at $point" || bad=1
		# What was made stays: it had its id before.
		[ -n "$(kept_ids)" ] || { echo "$point: the record is gone"; bad=1; }
		cordon start web >/dev/null || { echo "$point: the next start"; bad=1; }
		cordon stop web >/dev/null || bad=1
	done
	goes "start" && [ "$bad" -eq 0 ]
}

@test "stop: killed where it notes what is wanted, and where the keeper is killed that it waits for" {
	local bad=0
	cordon run -d --name web "${plain[@]}" -- "${stay[@]}" >/dev/null
	hurt write.wanted:kill stop web
	expect "the client" 137 || bad=1
	# The file that it did not finish lies there as long as the keeper writes beside it.
	cordon gc >/dev/null || bad=1
	cordon stop web >/dev/null || bad=1
	gone_within 3 || bad=1
	settles "stop, killed" || bad=1
	# The keeper has the fault from its own start.
	hurt keep.ending:kill start web
	expect "start" 0 || bad=1
	cordon stop web >/dev/null || bad=1
	gone_within 3 || bad=1
	goes "stop" && [ "$bad" -eq 0 ]
}

@test "rm: killed at each point: the name is free at once, and gc removes the rest" {
	local point bad=0
	for point in "${remove_points[@]}"; do
		cordon create --name web -- "${stay[@]}" >/dev/null
		hurt "$point:kill" rm web
		expect "$point" 137 || bad=1
		cordon create --name web -- "${stay[@]}" >/dev/null || { echo "$point: the name"; bad=1; }
		goes "rm, killed at $point" || bad=1
		cordon create --name web -- "${stay[@]}" >/dev/null
		hurt "$point:fail" rm web
		expect "$point" 125 || bad=1
		goes "rm, failed at $point" || bad=1
	done
	[ "$bad" -eq 0 ]
}

@test "the sandbox's init killed while it runs, and its program: an end like any other" {
	local what pid bad=0
	for what in init workload; do
		cordon run -d --name web "${plain[@]}" -- "${stay[@]}" >/dev/null
		pid=$(sed -n "s/^$what \([0-9]*\) .*/\1/p" "$CORDON_ROOT"/run/sandboxes/*/live)
		kill -9 "$pid"
		gone_within 3 || bad=1
		[ "$(kept_state web kind) $(kept_state web exit_code)" = "signalled 137" ] || {
			echo "$what: $(kept_state web kind) $(kept_state web exit_code)"
			bad=1
		}
		goes "$what killed" || bad=1
	done
	[ "$bad" -eq 0 ]
}

# Of the run root of another boot; its sandbox of --rm is cut off, as by a loss of power.
another_boot() {
	cordon create --rm --name passing -- "${stay[@]}" >/dev/null || return
	: >"$CORDON_ROOT/run/sandboxes/$(readlink "$CORDON_ROOT/state/names/passing")/record"
	ln -sfn 00000000-0000-0000-0000-000000000000 "$CORDON_ROOT/run/boot_id"
}

@test "after a boot: killed and failed while the run root is cleared, the next command begins again" {
	local fault bad=0
	for fault in boot.cleared:kill boot.cleared:fail; do
		another_boot || bad=1
		hurt "$fault" ps -a
		expect "$fault" "$([[ "$fault" == *:kill ]] && echo 137 || echo 125)" || bad=1
		# Still not of this boot.
		[[ "$(readlink "$CORDON_ROOT/run/boot_id")" == 00000000-* ]] || { echo "$fault: noted too early"; bad=1; }
		out=$(cordon ps -aq 2>&1) && [ -z "$out" ] || { echo "$fault: ps: $out"; bad=1; }
		[ "$(readlink "$CORDON_ROOT/run/boot_id")" = "$(cat /proc/sys/kernel/random/boot_id)" ] || bad=1
		goes "$fault" || bad=1
	done
	[ "$bad" -eq 0 ]
}
