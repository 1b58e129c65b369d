#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A thousand runs one after another and two hundred at once: all of them succeed, and the host is
# as before. The caller has a session keyring that holds a key, as after a login.

load ../lib/cordon
load ../lib/fault

CORDON=$repo/build/${VARIANT:-release}/cordon

setup() {
	fault_setup
	need keyctl
}

# Runs the test's body with a session keyring of its own: that is a new process, so it is a script.
in_session() { # SCRIPT [ARG...]
	keyctl session - bash -c '
		keyctl add user cordon-planted value @s >/dev/null || exit 1
		cordon=$1 root=$2
		shift 2
		eval "$0"' "$1" "$CORDON" "$CORDON_ROOT" "${@:2}" 2>&1 </dev/null 3>&- |
		grep -v '^Joined session keyring: '
	return "${PIPESTATUS[0]}"
}

# Open files and keys, which no list of the test's own shows.
open_files() { cut -f 1 /proc/sys/fs/file-nr; }
own_keys() { awk -v id="$(id -u):" '$1 == id { split($4, n, "/"); print n[1] }' /proc/key-users; }
# What other places a run could leave something in.
shared_files() {
	find /run/cordon "/tmp/cordon-$(id -u)" /dev/shm "${TMPDIR:-/tmp}" -mindepth 1 -maxdepth 2 \
		! -path '*bats-run-*' ! -path '*/cordon-check.*' 2>/dev/null | grep -F cordon | sort
}

remember() {
	files_before=$(open_files) keys_before=$(own_keys)
	shared_files >"$BATS_TEST_TMPDIR/shared"
}

fewer_files_than() { # N
	[ "$(open_files)" -lt "$1" ]
}

# N runs have been: a leak of one of anything for each would be seen. The kernel counts the open files of
# everybody, so it is asked again: what others have open comes and goes, what has leaked stays.
as_before() { # N
	local count
	nothing_left || return 1
	eventually fewer_files_than $((files_before + $1 / 2)) ||
		{ echo "open files: $files_before before, $(open_files) now"; return 1; }
	count=$(own_keys)
	# The session's keyring and its key, and the one keyring that a user's sandboxes share. Keys of
	# a session that has ended are collected later.
	[ "${count:-0}" -le $((${keys_before:-0} + 6)) ] ||
		{ echo "keys: ${keys_before:-0} before, $count now"; return 1; }
	diff "$BATS_TEST_TMPDIR/shared" <(shared_files)
}

@test "1,000 runs one after another" {
	remember
	run in_session '
		for ((i = 0; i < 1000; i++)); do
			"$cordon" --root "$root" run -- /usr/bin/true || { echo "run $i: $?"; exit 1; }
		done
		keyctl print %user:cordon-planted'
	[ "$status" -eq 0 ]
	[ "$output" = value ]
	as_before 1000
}

@test "200 runs one after another with control groups" {
	limit_groups
	remember
	run in_session '
		for ((i = 0; i < 200; i++)); do
			"$cordon" --root "$root" run "$@" -- /usr/bin/true || { echo "run $i: $?"; exit 1; }
		done' "${limited[@]}"
	[ "$status" -eq 0 ]
	as_before 200
}

@test "200 runs at once" {
	mkfifo "$BATS_TEST_TMPDIR/gate"
	remember
	# Each waits for the end of its input, which comes when all of them are there.
	run in_session '
		exec 7<>"$1" 8<"$1"
		pids=()
		for ((i = 0; i < 200; i++)); do
			"$cordon" --root "$root" run -- /usr/bin/cat <&8 7>&- &
			pids+=($!)
		done
		for ((i = 0; i < 600; i++)); do
			alive=$("$cordon" --root "$root" gc) || exit 1
			# A run has its directory a little before it has its program.
			[[ "$alive" != *", 200 runs alive" ]] || break
			sleep 0.05
		done
		echo "$alive"
		exec 7>&- 8<&-
		for pid in "${pids[@]}"; do
			wait "$pid" || { echo "one of them: $?"; exit 1; }
		done' "$BATS_TEST_TMPDIR/gate"
	[ "$status" -eq 0 ]
	[ "$output" = "0 dead runs removed, 0 id blocks freed, 200 runs alive" ]
	as_before 200
}

# Without the keyring that they share, a user's quota of 200 keys would end the 200 above.
# bats test_tags=user
@test "control: a sandbox with a keyring of its own counts" {
	local before count i
	before=$(own_keys)
	"$CORDON" --root "$CORDON_ROOT" run "${keys[@]}" -- \
		/usr/bin/sh -c 'touch "$0/up"; sleep 3' "$work" >/dev/null 2>&1 </dev/null 3>&- &
	for ((i = 0; i < 1000; i++)); do
		[ ! -e "$work/up" ] || break
		sleep 0.02
	done
	count=$(own_keys)
	wait $!
	rm "$work/up"
	[ "${count:-0}" -gt "${before:-0}" ]
}
