#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The end of the processes around the program: keeper and init killed, and what gc finds after that.

load ../lib/cordon
load ../lib/attack

# Starts a sandbox in the background. Sets keeper and init.
start() { # ARG...
	"$CORDON" --root "$CORDON_ROOT" run --timeout 30s "$@" >out 2>&1 3>&- &
	keeper=$!
	eventually has_init
}

gone() { # PID
	[ ! -d "/proc/$1" ]
}

# bats test_tags=vm
@test "kill -9 of the keeper ends the whole sandbox at once; gc cleans up behind it" {
	local children
	start -- "$ATTACK/processes" 10 200
	eventually grep -q processes out
	children=$(pgrep -P "$init" | head -n 1)
	kill -9 "$keeper"
	wait "$keeper" || [ $? -eq 137 ]
	eventually gone "$init"
	eventually gone "$children"
	[ -n "$(ls "$CORDON_ROOT/run/runs")" ]
	gives 0 "1 dead runs removed, $(is_root && echo 1 || echo 0) id blocks freed, 0 runs alive" cordon gc
	[ -z "$(ls "$CORDON_ROOT/run/runs")" ]
	gives 0 "0 dead runs removed, 0 id blocks freed, 0 runs alive" cordon gc
}

@test "a sandbox that would outlive a killed keeper is not started" {
	says 125 "cordon: step parent_death_signal: the keeper's death would not be noticed*" \
		without parent_death_signal inside true
}

@test "gc leaves what is alive alone" {
	start -- sleep 20
	says 0 "0 dead runs removed, 0 id blocks freed, 1 runs alive" cordon gc
	kill "$keeper"
	wait "$keeper" || [ $? -eq 143 ]
	says 0 "0 dead runs removed, 0 id blocks freed, 0 runs alive" cordon gc
}

# bats test_tags=vm
@test "kill -9 of init gives 137 and a result" {
	start --report "$PWD/report" -- sleep 20
	eventually pgrep -P "$init" -x sleep
	kill -9 "$init"
	wait "$keeper" || [ $? -eq 137 ]
	[ "$(jq -c '[.kind, .signal, .exit_code, .limit]' report)" = '["signalled",9,null,null]' ]
	[ -z "$(ls "$CORDON_ROOT/run/runs")" ]
}

@test "--root keeps all state below it, and gc of a root that never was makes nothing" {
	gives 0 "0 dead runs removed, 0 id blocks freed, 0 runs alive" "$CORDON" --root "$PWD/never" gc
	[ ! -e never ]
	gives 0 "" "$CORDON" --root "$PWD/here" run -- true
	[ -d here/run ]
	[ "$(stat -c %a here/run)" = 700 ]
	gives 0 "" "$CORDON" "--root=$PWD/there" run -- true
	[ -d there/run ]
}

@test "a run root that belongs to somebody else, or that others may write, is refused" {
	mkdir -p open/run
	chmod 0777 open/run
	says 125 "cordon: *open/run*" "$CORDON" --root "$PWD/open" run -- true
	chmod 0700 open/run
	gives 0 "" "$CORDON" --root "$PWD/open" run -- true
	# A link instead of the directory.
	mkdir linked
	ln -s ../open/run linked/run
	says 125 "cordon: *linked/run*" "$CORDON" --root "$PWD/linked" run -- true
}

@test "fifty at once, all with their own result, and nothing is left" {
	local i pids=()
	for ((i = 0; i < 50; i++)); do
		"$CORDON" --root "$CORDON_ROOT" run -- sh -c "exit $i" 3>&- &
		pids+=($!)
	done
	for i in "${!pids[@]}"; do
		code=0
		wait "${pids[i]}" || code=$?
		[ "$code" -eq "$i" ]
	done
	[ -z "$(ls "$CORDON_ROOT/run/runs")" ]
}
