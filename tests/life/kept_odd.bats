#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Kept sandboxes where something is wrong: files that are damaged, disks that are full, other runs that cannot be
# undone. What runs can be ended, and what is kept is not lost.

load ../lib/cordon
load ../lib/attack
load ../lib/kept
load ../lib/groups

teardown() { kept_end && own_groups_end; }

@test "one whose state is damaged while it runs can be stopped, or removed by force" {
	kept_start a -- sleep 60
	kept_pids a
	cp "$CORDON_ROOT/state/sandboxes/$id/state" whole
	echo damaged >"$CORDON_ROOT/state/sandboxes/$id/state"
	gives 0 a cordon stop -t 0 a
	eventually kept_gone "$workload"
	kept_is a exited
	cordon start a >/dev/null 3>&-
	kept_pids a
	echo damaged >"$CORDON_ROOT/state/sandboxes/$id/state"
	gives 0 a cordon rm -f a
	eventually kept_gone "$workload"
	kept_no_record
}

@test "restart: one that removes itself at its end is not ended" {
	id=$(cordon run -d --rm --name a -- sleep 60 3>&-)
	says 125 "cordon: sandbox a removes itself at its end (--rm)*cordon stop a*" cordon restart a
	gives 0 running cordon inspect --format '{{.state}}' a
	# The control.
	kept_start b -- sleep 60
	gives 0 b cordon restart -t 0 b
	gives 0 $'a\nb' cordon rm -f a b
}

@test "restart: one that could not be started again is not ended" {
	mkdir "$BATS_TEST_TMPDIR/shown"
	kept_start a --ro "$BATS_TEST_TMPDIR/shown" -- sleep 60
	kept_pids a
	rmdir "$BATS_TEST_TMPDIR/shown"
	says 125 "*$BATS_TEST_TMPDIR/shown*sandbox a could not be started again, so it was not ended*" cordon restart -t 0 a
	[ -d "/proc/$workload" ]
	gives 0 running cordon inspect --format '{{.state}}' a
	# The control.
	mkdir "$BATS_TEST_TMPDIR/shown"
	gives 0 a cordon restart -t 0 a
	eventually kept_gone "$workload"
	gives 0 running cordon inspect --format '{{.state}}' a
	gives 0 a cordon rm -f a
}

@test "after an update a restart by policy keeps output, input and pausing as they were" {
	own_groups
	kept_start a --cgroup-parent "$group" --memory 64m --restart always -i -- \
		sh -c 'echo "start $(cat /proc/uptime)"; read -r l; echo "got $l"'
	eventually eval '[ "$(cordon logs a | grep -c ^start)" -eq 1 ]'
	cordon update --memory 96m a >/dev/null
	printf 'one\n' | "$CORDON" --root "$CORDON_ROOT" attach a >/dev/null 2>&1 3>&-
	eventually eval '[ "$(cordon logs a | grep -c ^start)" -eq 2 ]'
	# Its own recorder is there again: it reads, and what it prints is kept.
	eventually kept_is a running
	printf 'two\n' | timeout 20 "$CORDON" --root "$CORDON_ROOT" attach a >/dev/null 2>&1 3>&-
	eventually eval '[ "$(cordon logs a | grep -cx "got two")" -eq 1 ]'
	eventually eval '[ "$(cordon logs a | grep -c ^start)" -eq 3 ]'
	gives 0 a cordon pause a
	gives 0 paused cordon inspect --format '{{.state}}' a
	gives 0 a cordon rm -f a
}

@test "a run before that a limit ended while it was paused: the next one is not" {
	own_groups
	kept_start a --cgroup-parent "$group" --memory 64m --restart always --set limits.wall_time=3s -- sleep 60
	gives 0 a cordon pause a
	gives 0 paused cordon inspect --format '{{.state}}' a
	eventually eval '[ "$(cordon inspect --format "{{.restarts}} {{.state}}" a)" = "1 running" ]'
	gives 0 a cordon rm -f a
}

@test "an end that could not be written to the disk is known all the same, until the boot" {
	CORDON=$FAULTY
	CORDON_FAULT=keep.ending:fail kept_start a -- sh -c 'sleep 0.3; exit 5'
	gives 0 5 cordon wait a
	gives 0 "exited 5 exited false" cordon inspect --format '{{.state}} {{.exit_code}} {{.kind}} {{.lost}}' a
	cordon gc >/dev/null
	gives 0 "exited 5" cordon inspect --format '{{.state}} {{.exit_code}}' a
	gives 0 a cordon start a
	gives 0 5 cordon wait a
}

@test "another run that cannot be undone holds up no start, and is still told of by gc" {
	local stuck
	kept_start a -- sleep 60
	kept_pids a
	stuck=$CORDON_ROOT/run/runs/0123456789abcdef
	mkdir -p "$stuck/journal"
	kill -9 "$keeper"
	eventually kept_gone "$workload"
	gives 0 a cordon start a
	says 125 "*0123456789abcdef/journal: is no file*" cordon gc
	rm -r "$stuck"
	gives 0 a cordon rm -f a
}

@test "a run whose last process does not end is not taken for one that has: no second one, and no removal" {
	local holder
	kept_start a -- sleep 60
	kept_pids a
	# As a process would that hangs in the kernel: it gets the lock when init is gone.
	flock "$(echo "$CORDON_ROOT"/run/runs/*/journal)" sleep 60 3>&- &
	holder=$!
	sleep 0.3
	kill -9 "$keeper"
	eventually kept_gone "$workload"
	says 125 "*not all of its processes have ended*" cordon start a
	says 125 "*not all of its processes have ended*" cordon rm a
	pkill -P "$holder"
	wait "$holder" || true
	gives 0 a cordon start a
	gives 0 a cordon rm -f a
}
