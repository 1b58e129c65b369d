#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# `cordon gc` undoes what dead keepers left, and nothing else; the run root is the caller's alone.

load ../lib/cordon
load ../lib/fault

setup() {
	fault_setup
	runs=$CORDON_ROOT/run/runs
}

# A run whose keeper was killed in the middle; prints its directory.
dead_run() {
	CORDON_FAULT=pivot:kill-keeper cordon run -- /bin/true >/dev/null 2>&1 </dev/null 3>&- ||
		[ $? -eq 137 ]
	gone_within 2
	find "$runs" -mindepth 1 -maxdepth 1
}

gc_says() { # TEXT
	run cordon gc
	if [ "$status" -ne 0 ] || [[ "$output" != *"$1"* ]]; then
		printf 'exit code %s, wanted "%s", got: %s\n' "$status" "$1" "$output"
		return 1
	fi
}

@test "gc removes a dead run once, and frees its block as root" {
	local blocks=0
	[ "$(id -u)" -ne 0 ] || blocks=1
	[ -d "$(dead_run)" ]
	[ "$(own_claims | wc -l)" -eq "$blocks" ]
	gc_says "1 dead runs removed, $blocks id blocks freed, 0 runs alive"
	nothing_left
	gc_says "0 dead runs removed, 0 id blocks freed, 0 runs alive"
}

@test "gc where nothing ever ran makes no directory" {
	gc_says "0 dead runs removed"
	[ ! -e "$CORDON_ROOT" ]
}

gc_has_met_them() {
	[ "$(grep -c "^0 dead runs removed, 0 id blocks freed, " "$BATS_TEST_TMPDIR/gc")" -gt 20 ]
}

@test "gc in a loop leaves sandboxes alone that run and that start meanwhile" {
	local i code pid collector pids=()
	mkfifo "$BATS_TEST_TMPDIR/end"
	# A test that fails here is the end of its input, too: bats would wait for a sandbox that stays.
	exec 7<>"$BATS_TEST_TMPDIR/end"
	exec 6<"$BATS_TEST_TMPDIR/end"
	cordon run "${plain[@]}" -- /usr/bin/bash -c 'touch "$0/up"; read -r end; exit 43' "$work" \
		<&6 >/dev/null 2>&1 3>&- 6<&- 7>&- &
	pid=$!
	until [ -e "$work/up" ]; do sleep 0.01; done
	(
		while [ ! -e "$BATS_TEST_TMPDIR/enough" ]; do
			cordon gc || exit 1
		done
	) >"$BATS_TEST_TMPDIR/gc" 2>&1 3>&- 7>&- &
	collector=$!
	# They end with their input, and that when gc has run often enough to meet them, however slow it is.
	mkfifo "$BATS_TEST_TMPDIR/go"
	exec 8<>"$BATS_TEST_TMPDIR/go"
	exec 9<"$BATS_TEST_TMPDIR/go"
	for ((i = 0; i < 20; i++)); do
		cordon run "${plain[@]}" -- /usr/bin/sh -c 'read -r end; exit 42' <&9 \
			>"$BATS_TEST_TMPDIR/out.$i" 2>&1 3>&- 7>&- 8>&- 9<&- &
		pids+=($!)
	done
	for ((i = 0; i < 3000; i++)); do
		! gc_has_met_them || break
		sleep 0.02
	done
	exec 8>&- 9<&-
	for i in "${pids[@]}"; do
		code=0
		wait "$i" || code=$?
		[ "$code" -eq 42 ] || { cat "$BATS_TEST_TMPDIR"/out.*; return 1; }
	done
	touch "$BATS_TEST_TMPDIR/enough"
	wait "$collector"
	# It took none of them for dead.
	gc_has_met_them
	[ "$(grep -vc "^0 dead runs removed, 0 id blocks freed, " "$BATS_TEST_TMPDIR/gc")" -eq 0 ]
	gc_says "0 dead runs removed, 0 id blocks freed, 1 runs alive"
	echo end >&7
	code=0
	wait "$pid" || code=$?
	[ "$code" -eq 43 ]
	rm "$work/up"
	nothing_left
}

# bats test_tags=root
@test "gc frees no block that another run claims, whatever a journal says" {
	local dead foreign=/run/cordon/ids/cordon-test-$$
	dead=$(dead_run)
	ln -s "$CORDON_ROOT/elsewhere/runs/0123456789abcdef" "$foreign"
	printf 'begin id_block %s\n' "${foreign##*/}" 1 ../../etc 18446744073709551616 >>"$dead/journal"
	run cordon gc
	[ -h "$foreign" ]
	rm "$foreign"
	[ "$status" -eq 0 ]
	[ "$output" = "1 dead runs removed, 1 id blocks freed, 0 runs alive" ]
	nothing_left
}

@test "gc takes a journal that is no text" {
	head -c 3000 /dev/urandom >"$(dead_run)/journal"
	run cordon gc
	[ "$status" -eq 0 ]
	[[ "$output" == "1 dead runs removed"* ]]
	[ -z "$(own_run_files)" ]
	# Only the journal knew which block was claimed: the claim holds its ids until the next boot.
	own_claims | xargs -r rm
	nothing_left
}

@test "gc: a journal that is too long is an error, and the other runs are still undone" {
	local dead
	dead=$(dead_run)
	mkdir -p "$runs/0000000000000000"
	yes 'begin something' | head -c 100000 >"$runs/0000000000000000/journal"
	run cordon gc
	[ "$status" -eq 125 ]
	[[ "$output" == *"0000000000000000/journal"* ]]
	[ ! -d "$dead" ]
	rm -r "$runs/0000000000000000"
	nothing_left
}

@test "gc removes a directory without a journal" {
	dead_run >/dev/null
	gc_says "1 dead runs removed"
	mkdir "$runs/00112233445566ff"
	gc_says "1 dead runs removed"
	nothing_left
}

@test "gc follows no link that stands for a run, and removes nothing behind it" {
	dead_run >/dev/null
	mkdir "$BATS_TEST_TMPDIR/behind"
	touch "$BATS_TEST_TMPDIR/behind/journal"
	ln -s "$BATS_TEST_TMPDIR/behind" "$runs/00112233445566ff"
	run cordon gc
	[ "$status" -eq 125 ]
	[[ "$output" == *"runs/00112233445566ff: "* ]]
	[ -e "$BATS_TEST_TMPDIR/behind/journal" ]
	# Only the link is in the way: the dead run is gone.
	[ "$(own_run_files)" = "$runs/00112233445566ff" ]
	rm "$runs/00112233445566ff"
	nothing_left
}

@test "gc follows no link that stands for a journal" {
	local dead
	dead=$(dead_run)
	mv "$dead/journal" "$BATS_TEST_TMPDIR/behind"
	ln -s "$BATS_TEST_TMPDIR/behind" "$dead/journal"
	run cordon gc
	[ "$status" -eq 125 ]
	[[ "$output" == *"${dead##*/}/journal: open: "* ]]
	[ -s "$BATS_TEST_TMPDIR/behind" ]
	mv "$BATS_TEST_TMPDIR/behind" "$dead/journal"
	gc_says "1 dead runs removed"
	nothing_left
}

# What a run says of a run root that is not its own.
refused_root() { # TEXT
	sentinel 125 run -- /bin/true
	[[ "$output" == *"$1"* ]] || { echo "run: wanted '$1': $output"; return 1; }
	sentinel 125 gc
	[[ "$output" == *"$1"* ]] || { echo "gc: wanted '$1': $output"; return 1; }
}

@test "a run root that others may enter is refused" {
	mkdir -p "$CORDON_ROOT/run"
	chmod 0750 "$CORDON_ROOT/run"
	refused_root "belongs to uid $(id -u) with mode 750, not to you alone"
	[[ "$output" == *"hint: "*"--root DIR"* ]]
	chmod 0700 "$CORDON_ROOT/run"
	cordon run -- /bin/true
}

@test "a directory of runs that others may enter is refused" {
	mkdir -p "$runs"
	chmod 0700 "$CORDON_ROOT/run"
	chmod 0701 "$runs"
	refused_root "runs: belongs to uid $(id -u) with mode 701, not to you alone"
}

# bats test_tags=root
@test "a run root of another user is refused" {
	mkdir -p "$CORDON_ROOT/run"
	chmod 0700 "$CORDON_ROOT/run"
	chown 61235 "$CORDON_ROOT/run"
	refused_root "belongs to uid 61235 with mode 700, not to you alone"
}

@test "a run root that is a link is refused" {
	mkdir -m 0700 "$BATS_TEST_TMPDIR/behind"
	mkdir "$CORDON_ROOT"
	ln -s "$BATS_TEST_TMPDIR/behind" "$CORDON_ROOT/run"
	refused_root "$CORDON_ROOT/run: open the directory: "
	[ -z "$(ls -A "$BATS_TEST_TMPDIR/behind")" ]
}
