#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A keeper in the background has nothing of its caller's, whatever that is like; and no command waits for
# one that is stuck.

load ../lib/cordon
load ../lib/fault
load ../lib/kept_sound

bats_require_minimum_version 1.5.0 # run -CODE

setup() { fault_setup; }

# Nothing of a test that failed in the middle stands still, or runs on.
teardown() {
	[ -z "${keeper:-}" ] || [ ! -d "/proc/$keeper" ] || kill -CONT "$keeper"
	kept_remove_all
	own_groups_end && cordon_teardown
}

stay=(/usr/bin/sleep 60)

live() { # KEY
	sed -n "s/^$1 \([0-9]*\) .*/\1/p" "$CORDON_ROOT"/run/sandboxes/*/live
}

stops_in_order() {
	timeout 15 "$CORDON" --root "$CORDON_ROOT" stop web >/dev/null || return 1
	[ "$(kept_state web kind) $(kept_state web exit_code)" = "signalled 143" ] || {
		echo "ended by $(kept_state web kind) $(kept_state web exit_code)"
		return 1
	}
}

@test "who reads run -d's output, and a descriptor that it was given, sees the end at once" {
	local out
	# The substitution and the cat wait for the end of their pipes.
	out=$(cordon run -d --name web "${plain[@]}" -- "${stay[@]}" 2>&1 9>&1 3>&-)
	[[ "$out" =~ ^[0-9a-f]{16}$ ]]
	[ -d "/proc/$(live keeper)" ]
	# 0 to 2 are /dev/null; it is in nobody's directory or session.
	[ "$(readlink "/proc/$(live keeper)"/fd/{0,1,2} | sort -u)" = /dev/null ]
	[ "$(readlink "/proc/$(live keeper)/cwd")" = / ]
	[ "$(ps -o sid= -p "$(live keeper)" | tr -d ' ')" = "$(live keeper)" ]
	stops_in_order
	kept_nothing_left
}

@test "a caller that ignores signals: the keeper is told to end all the same, and learns how it ended" {
	local flags
	for flags in '' --set=restart=on-failure; do
		(
			trap '' TERM HUP CHLD PIPE INT QUIT USR1
			# No flag is none.
			exec "$CORDON" --root "$CORDON_ROOT" run -d --name web "${plain[@]}" ${flags:+"$flags"} -- "${stay[@]}"
		) >/dev/null 3>&-
		stops_in_order
		cordon rm web >/dev/null
	done
	kept_nothing_left
}

@test "a session that ends, and a terminal's hangup, are not the keeper's business" {
	setsid -w bash -c '"$0" --root "$1" run -d --name web --rw "$2" -- /usr/bin/sleep 60; kill -HUP 0' \
		"$CORDON" "$CORDON_ROOT" "$work" >/dev/null 2>&1 3>&- || [ $? -eq 129 ]
	[ -d "/proc/$(live workload)" ]
	stops_in_order
	kept_nothing_left
}

@test "descriptors 0 to 2 closed, and output that nobody reads: the sandbox runs" {
	"$CORDON" --root "$CORDON_ROOT" run -d --name web "${plain[@]}" -- "${stay[@]}" <&- >&- 2>&- 3>&-
	[ -d "/proc/$(live workload)" ]
	stops_in_order
	cordon rm web >/dev/null
	cordon run -d --name web "${plain[@]}" -- "${stay[@]}" 3>&- | true
	[ -d "/proc/$(live workload)" ]
	stops_in_order
	kept_nothing_left
}

@test "few descriptors: it runs, or says why and leaves nothing" {
	local n code ran=0
	for n in 4 6 8 10 11 12 13 14 16 20 24 32 64; do
		code=0
		(
			ulimit -Sn "$n" || exit 9
			exec "$CORDON" --root "$CORDON_ROOT" run -d --name web "${plain[@]}" -- "${stay[@]}"
		) >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- || code=$?
		if [ "$code" -eq 0 ]; then
			ran=$((ran + 1))
			[ -d "/proc/$(live workload)" ]
		else
			[ "$code" -ne 9 ]
			[ -z "$(kept_ids)" ] || { echo "$n: left a record: $(<"$BATS_TEST_TMPDIR/out")"; return 1; }
			[ "$n" -lt 10 ] || grep -q "Too many open files" "$BATS_TEST_TMPDIR/out" || {
				echo "$n: $code $(<"$BATS_TEST_TMPDIR/out")"
				return 1
			}
		fi
		cordon gc >/dev/null
		kept_nothing_left || { echo "... with $n descriptors"; return 1; }
	done
	[ "$ran" -gt 0 ]
}

# A client whose keeper stands still before it has a lock of its own. Sets client and keeper.
standing_start() { # COMMAND...
	CORDON_FAULT=keeper.left:stop "$CORDON" --root "$CORDON_ROOT" "$@" >"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null 3>&- &
	client=$!
	eventually keeper_stands
}

keeper_stands() {
	keeper=$(pgrep -P "$client") && [ "$(ps -o stat= -p "$keeper" | cut -c1)" = T ]
}

is_gone() { # PID
	[ ! -d "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"
}

@test "a start whose client was killed keeps its sandbox: rm does not take it away" {
	standing_start run -d --name web "${plain[@]}" -- "${stay[@]}"
	kill -9 "$client"
	wait "$client" || [ $? -eq 137 ]
	run -124 timeout 1 "$CORDON" --root "$CORDON_ROOT" rm web
	kill -CONT "$keeper"
	run -125 cordon rm web
	[[ "$output" == *"sandbox web runs"* ]]
	cordon stop web >/dev/null
	kept_nothing_left
}

@test "gc waits for no sandbox: not for one whose start stands still, nor for a lock that somebody holds" {
	local other holder lost
	standing_start run -d --name web "${plain[@]}" -- "${stay[@]}"
	# One that lost its keeper meanwhile is settled all the same.
	cordon run -d --name lost "${plain[@]}" -- "${stay[@]}" >/dev/null
	other=$(readlink "$CORDON_ROOT/state/names/lost")
	lost=$(sed -n 's/^keeper \([0-9]*\) .*/\1/p' "$CORDON_ROOT/run/sandboxes/$other/live")
	kill -9 "$lost"
	eventually is_gone "$lost"
	run -0 timeout 10 "$CORDON" --root "$CORDON_ROOT" gc
	[[ "$output" == *"1 sandboxes had lost their keeper"* ]]
	[ "$(kept_state lost kind)" = keeper_lost ]
	kill -CONT "$keeper"
	wait "$client"
	cordon stop web >/dev/null
	# Somebody has the lock, for as long as they like.
	flock "$CORDON_ROOT/state/sandboxes/$other" sleep 30 3>&- &
	holder=$!
	run -0 timeout 10 "$CORDON" --root "$CORDON_ROOT" gc
	run -0 timeout 10 "$CORDON" --root "$CORDON_ROOT" create --name third -- /usr/bin/true
	pkill -P "$holder" sleep
	wait "$holder" || [ $? -eq 143 ]
	kept_nothing_left
}

# bats test_tags=user
@test "HOME not set: gc does what it can, and says what it cannot look at" {
	run -125 env -u HOME XDG_RUNTIME_DIR="$BATS_TEST_TMPDIR" "$CORDON" gc
	[[ "$output" == *"HOME is not set"*"0 dead runs removed"* ]]
}

# bats test_tags=root
@test "a disk that is full: what lost its keeper can be removed, and nothing is half-made" {
	need unshare mount
	unshare -m bash -c '
		set -e
		mkdir -p "$1" && mount -t tmpfs -o size=256k,mode=0755 none "$1" && mkdir "$1/state" && chmod 0700 "$1/state"
		mkdir "$1/run" && mount -t tmpfs none "$1/run" && chmod 0700 "$1/run"
		"$0" --root "$1" run -d --name web -- /usr/bin/sleep 60
		keeper=$(sed -n "s/^keeper \([0-9]*\) .*/\1/p" "$1"/run/sandboxes/*/live)
		kill -9 "$keeper"
		cat /dev/zero >"$1/full" 2>/dev/null || [ $? -eq 1 ]
		! "$0" --root "$1" create --name more -- /usr/bin/true 2>"$2" || exit 20
		grep -q "No space left on device" "$2" || exit 21
		[ "$(ls "$1/state/names")" = web ] || exit 22
		[ "$(ls -A "$1/state/sandboxes" | wc -l)" = 1 ] || exit 23
		"$0" --root "$1" gc || exit 24
		"$0" --root "$1" rm web || exit 25
		[ -z "$(ls "$1/state/names")$(ls -A "$1/state/sandboxes")" ] || exit 26
	' "$CORDON" "$CORDON_ROOT" "$BATS_TEST_TMPDIR/said" 3>&-
	nothing_left
	[ -z "$(kept_claims)" ]
}

# Between the last word of its keeper and the end of that.
@test "start of one whose keeper has said its end and has not ended yet: waits for that, and starts it" {
	local keeper client code=0
	CORDON_FAULT=keep.gone:stop cordon run -d --name web "${plain[@]}" -- sh -c 'sleep 0.3; exit 5' >/dev/null
	id=$(readlink "$CORDON_ROOT/state/names/web")
	eventually grep -qx 'exit_code 5' "$CORDON_ROOT/state/sandboxes/$id/state"
	keeper=$(awk '$1 == "keeper" { print $2 }' "$CORDON_ROOT/state/sandboxes/$id/state")
	eventually stands "$keeper"
	[ "$(cordon ps -a --format '{{.State}}')" = exited ]
	"$CORDON" --root "$CORDON_ROOT" start web >"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null 3>&- &
	client=$!
	sleep 0.5
	kill -0 "$client"
	kill -CONT "$keeper"
	wait "$client" || code=$?
	[ "$code" -eq 0 ]
	[ "$(cordon wait web)" = 5 ]
	[ "$(grep -c '"action":"start"' "$CORDON_ROOT"/state/events*)" -eq 2 ]
	cordon rm web >/dev/null
	kept_nothing_left
}

stands() { # PID
	[ "$(ps -o stat= -p "$1" | cut -c1)" = T ]
}
