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
