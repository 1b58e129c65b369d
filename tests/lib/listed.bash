# SPDX-License-Identifier: LGPL-2.1-or-later
# For tests of ps and inspect: `load ../lib/listed` below `load ../lib/attack`. Removes a test's kept sandboxes.
#
#	ended NAME		the sandbox is not running (any more)
#	start_stuck NAME	a sandbox whose processes and keeper are all stopped
#	record_dir NAME		the directory of its record
#	waits_for_nobody ARG...	cordon ARG... ends though everything that could be held is held
# shellcheck shell=bash

teardown() {
	listed_end && cordon_teardown
}

listed_end() {
	local dir pid
	[ -d "$CORDON_ROOT/state" ] || return 0
	for pid in ${stopped_pids:-}; do
		kill -CONT "$pid" 2>/dev/null || echo "# $pid is gone"
	done
	for dir in "$CORDON_ROOT"/run/sandboxes/*/; do
		pid=$(awk '$1 == "keeper" { print $2 }' "$dir/live" 2>/dev/null) || continue
		[ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null || echo "# keeper $pid is gone"
		eventually is_free "$dir/lock"
	done
	cordon gc >/dev/null
	# As root the ids are of the machine's: they go with the records.
	for dir in "$CORDON_ROOT"/state/sandboxes/*/; do
		[ ! -d "$dir" ] || cordon rm "$(basename "$dir")" >/dev/null || return 1
	done
	cordon gc >/dev/null
	rm -rf "$CORDON_ROOT/state"
	rmdir "$CORDON_ROOT/run/sandboxes" 2>/dev/null || [ ! -d "$CORDON_ROOT/run/sandboxes" ]
}

# Nobody holds the lock of fcntl(2) on it.
is_free() { # FILE
	[ ! -e "$1" ] || python3 - "$1" <<-'END'
		import fcntl, sys
		with open(sys.argv[1], "r+") as file:
		    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
	END
}

record_dir() { # NAME
	echo "$CORDON_ROOT/state/sandboxes/$(readlink "$CORDON_ROOT/state/names/$1")"
}

state_of() { # NAME
	cordon inspect --format '{{.state}}' "$1"
}

is_state() { # STATE NAME
	[ "$(state_of "$2")" = "$1" ]
}

ended() { # NAME
	eventually is_state exited "$1"
}

start_stuck() { # NAME
	local pids
	cordon run -d --name "$1" -- sleep 60 >/dev/null
	pids=$(cordon inspect --format '{{.supervisor_pid}} {{.init_pid}} {{.workload_pid}}' "$1")
	for pid in $pids; do
		kill -STOP "$pid"
	done
	stopped_pids=$pids
}

# The locks of the records and of all that is made, held by somebody else for as long as cordon runs.
waits_for_nobody() { # ARG...
	local dir held=() result=0
	for dir in "$CORDON_ROOT"/state/sandboxes/*/ "$CORDON_ROOT/state/lock"; do
		[ -e "$dir" ] || continue
		exec {fd}<"$dir"
		flock -x -n "$fd"
		held+=("$fd")
	done
	[ "${#held[@]}" -ge 2 ]
	# The control: it is held.
	run -1 flock -x -n "$CORDON_ROOT/state/lock" true
	run -0 timeout 10 "$CORDON" --root "$CORDON_ROOT" "$@" || result=1
	for fd in "${held[@]}"; do
		exec {fd}<&-
	done
	return "$result"
}
