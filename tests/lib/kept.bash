# SPDX-License-Identifier: LGPL-2.1-or-later
# Kept sandboxes for bats files: load it after lib/cordon and lib/attack.
#
#	kept_start NAME [FLAG...] -- CMD...	makes and starts one in the background
#	kept_pids NAME		sets id, keeper and workload of one that runs
#	kept_gone PID		whether that process is gone (a zombie is)
#	kept_state NAME		prints running, restarting or exited
#	kept_is NAME STATE	whether it prints that
#	kept_no_record		whether no record is left
#	kept_dir		makes $dir, which sandboxes see as /out with the flags ${out[@]}
#	kept_end		teardown: removes all that there is, and looks whether anything is left
# shellcheck shell=bash
# The variables are for the bats files.
# shellcheck disable=SC2034

kept_start() { # NAME [FLAG...] -- CMD...
	cordon run -d --name "$@" >/dev/null 2>"$BATS_TEST_TMPDIR/start" || {
		cat "$BATS_TEST_TMPDIR/start"
		return 1
	}
}

kept_pids() { # NAME
	local live
	id=$(readlink "$CORDON_ROOT/state/names/$1")
	live=$CORDON_ROOT/run/sandboxes/$id/live
	keeper=$(awk '$1 == "keeper" { print $2 }' "$live")
	workload=$(awk '$1 == "workload" { print $2 }' "$live")
}

kept_gone() { # PID
	[ ! -d "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status"
}

# As its files say; a killed keeper shows when that has been settled.
kept_state() { # NAME
	local live kept
	kept=$(readlink "$CORDON_ROOT/state/names/$1")
	live=$CORDON_ROOT/run/sandboxes/$kept/live
	if ! grep -q '^is_running 1' "$CORDON_ROOT/state/sandboxes/$kept/state" || [ ! -e "$live" ]; then
		echo exited
	elif grep -q '^next_start_ms' "$live"; then
		echo restarting
	else
		echo running
	fi
}

kept_is() { # NAME STATE
	[ "$(kept_state "$1")" = "$2" ]
}

kept_no_record() {
	local dir
	for dir in state/sandboxes run/sandboxes state/names; do
		[ -z "$(find "$CORDON_ROOT/$dir" -mindepth 1 -print -quit)" ] || return 1
	done
}

kept_dir() {
	dir=$(realpath "$BATS_TEST_TMPDIR")/out
	mkdir "$dir"
	chmod 0777 "$dir"
	# What belongs to the host's root is not shown writable.
	[ "$(id -u)" -ne 0 ] || chown 61235:61235 "$dir"
	out=(--set "+volumes=[{source: $dir, target: /out, read_only: false}]")
}

kept_end() {
	local id ids=()
	if [ -d "$CORDON_ROOT/state/sandboxes" ]; then
		for id in "$CORDON_ROOT"/state/sandboxes/* "$CORDON_ROOT"/run/sandboxes/*; do
			[ ! -e "$id/record" ] || ids+=("$(basename "$id")")
		done
	fi
	[ "${#ids[@]}" -eq 0 ] || cordon rm -f "${ids[@]}" >/dev/null || return 1
	cordon gc >/dev/null || return 1
	rmdir "$CORDON_ROOT/run/sandboxes" 2>/dev/null || [ ! -e "$CORDON_ROOT/run/sandboxes" ] || return 1
	cordon_teardown
}
