#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Signals to cordon are the program's; what the caller had set of its own is not.

load ../lib/cordon
load ../lib/attack

# Starts a program that says "ready", and waits for that. Sets pid; its output goes to out.
start() { # SCRIPT [FLAG...]
	# Before it starts: what the last one said is not the next one's word.
	: >out
	# With job control: else bash starts it with INT and QUIT ignored.
	set -m
	"$CORDON" --root "$CORDON_ROOT" run --timeout 100s "${@:2}" -- sh -c "$1" >out 2>&1 3>&- &
	pid=$!
	set +m
	wait_for ready
}

wait_for() { # TEXT
	eventually grep -q "$1" out || { cat out; return 1; }
}

ends_with() { # CODE
	local code=0
	wait "$pid" || code=$?
	[ "$code" -eq "$1" ] || {
		printf 'exit code %s, wanted %s\n' "$code" "$1"
		cat out
		return 1
	}
}

@test "signals: TERM, INT, HUP, USR1, USR2, QUIT, ALRM and CONT reach the program" {
	local name
	for name in TERM INT HUP USR1 USR2 QUIT ALRM CONT; do
		start "trap 'echo got $name; exit 7' $name; echo ready; while :; do sleep 0.02; done"
		kill "-$name" "$pid"
		ends_with 7
		grep -qx "got $name" out
	done
}

@test "signals: without a handler the program dies of it, and cordon says 128 and the number" {
	local name
	for name in TERM HUP USR1 ALRM; do
		start 'echo ready; while :; do sleep 0.02; done'
		kill "-$name" "$pid"
		ends_with $((128 + $(kill -l "$name")))
	done
}

@test "signals: the result says whether the caller sent what ended it" {
	need jq
	start 'echo ready; while :; do sleep 0.02; done' --report result.json
	kill -TERM "$pid"
	ends_with 143
	[ "$(jq -c '[.kind, .signal, .caller_signal]' result.json)" = '["signalled",15,15]' ]
	# One of its own; and one of the caller's that it took for something else.
	start 'trap "kill -KILL \$\$" USR1; echo ready; while :; do sleep 0.02; done' --report result.json
	kill -USR1 "$pid"
	ends_with 137
	[ "$(jq -c '[.kind, .signal, .caller_signal]' result.json)" = '["signalled",9,10]' ]
	run -143 inside 'kill -TERM $$' --report result.json
	[ "$(jq -c '[.kind, .signal, .caller_signal]' result.json)" = '["signalled",15,null]' ]
}

@test "signals: a caller that ignores HUP (nohup) keeps it from the program" {
	(
		trap '' HUP
		start "trap 'echo got HUP; exit 7' HUP; echo ready; sleep 2; exit 5"
		kill -HUP "$pid"
		ends_with 5
	)
}

@test "signals: a stopped cordon goes on where it was" {
	start 'echo ready; sleep 2; exit 5'
	kill -STOP "$pid"
	kill -CONT "$pid"
	ends_with 5
}

@test "signals: dispositions and mask are reset, whatever the caller had" {
	local blocks='import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
for s in (1, 10, 12, 13, 15, 17): signal.signal(s, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])'
	need python3
	run -0 /usr/bin/python3 -c "$blocks" "$CORDON" --root "$CORDON_ROOT" run -- cat /proc/self/status
	[ "$(grep -E '^Sig(Blk|Ign|Cgt)' <<<"$output")" = \
		$'SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nSigCgt:\t0000000000000000' ]
	# Without the row the mask is the keeper's, and what the caller ignored (HUP, USR1, USR2, PIPE,
	# TERM, and Python's XFSZ) is ignored.
	CORDON_FAULT=signals:skip run -0 /usr/bin/python3 -c "$blocks" "$FAULTY" --root "$CORDON_ROOT" \
		run -- cat /proc/self/status
	[ "$(grep -E '^Sig(Blk|Ign|Cgt)' <<<"$output")" = \
		$'SigBlk:\tfffffffe7fc3feff\nSigIgn:\t0000000001005a01\nSigCgt:\t0000000000000000' ]
}

@test "signals: the program leads a group of its own, so that a signal can be meant for all of it" {
	gives 0 "2 2" inside 'read -r a b c d group rest </proc/self/stat; echo "$$ $group"; exit 0'
	says 0 "2 1" without process_group inside 'read -r a b c d group rest </proc/self/stat; echo "$$ $group"; exit 0'
}
