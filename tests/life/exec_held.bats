#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# `cordon exec` into a sandbox where somebody stops whatever comes in.

# "exec" is a command of cordon's here, and what follows no command of the shell's.
# shellcheck disable=SC2238

load ../lib/cordon
load ../lib/attack
load ../lib/kept

teardown() { kept_end; }

CORDON=$FAULTY

# Its process is stopped in front of a row, and the caller asks for its end.
held_at() { # ROW
	local code=0 client held
	CORDON_FAULT=$1:stop "$CORDON" --root "$CORDON_ROOT" exec box true >said 2>&1 3>&- &
	client=$!
	eventually is_held
	# The control: it does wait.
	sleep 0.3
	kill -0 "$client"
	kill -TERM "$client"
	wait "$client" || code=$?
	[ "$code" -eq 143 ] || { echo "$1: exit code $code"; cat said; return 1; }
	eventually kept_gone "$held" || { echo "$1: its process is still there"; return 1; }
}

# Sets held: the one process of the client's supervisor.
is_held() {
	local supervisor
	supervisor=$(pgrep -P "$client") && held=$(pgrep -P "$supervisor") && grep -q '^State:.T' "/proc/$held/status"
}

# bats test_tags=vm
@test "exec: stopped from inside before its program is there it ends when its caller says so, and leaves nothing" {
	local row
	kept_start box -- sleep 60
	for row in signals capabilities no_new_privs descriptors seccomp; do
		held_at "$row"
	done
	gives 0 in cordon exec box echo in
	gives 0 box cordon stop -t 0 box
}

# bats test_tags=vm
@test "exec: somebody inside who stops whatever there is holds up nobody for ever" {
	local code
	kept_start box -- sh -c 'while :; do kill -STOP -1; done'
	for _ in 1 2 3 4; do
		code=0
		timeout -k 60 1 "$CORDON" --root "$CORDON_ROOT" exec box true >said 2>&1 || code=$?
		# 137: timeout(1) had to kill it.
		[ "$code" -eq 0 ] || [ "$code" -eq 124 ] || { echo "exit code $code"; cat said; return 1; }
	done
	gives 0 box cordon stop -t 0 box
}
