#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# `cordon exec -it`, by a program that types: the terminal of what is started in a sandbox that runs.

load ../lib/cordon
load ../lib/attack
load ../lib/kept
load ../lib/tmux

# What ^Z is to stop is a bash. A dash starts programs by vfork(2): one that is stopped between it and
# its exec leaves the dash waiting where no signal stops it, in and outside of a sandbox.

setup() {
	cordon_setup
	kept_start web -- sleep 600
}

# The sandbox first: its keeper is one of those that the end of the terminal waits for.
teardown() {
	local rc=0
	kept_end || rc=1
	tmux_stop || rc=1
	return "$rc"
}

@test "exec -it: a shell has a terminal of its own, of this one's size, and its exit code is exec's" {
	tmux_start 90 25
	type_line '$C exec -it web sh'
	shows '^[$#]$'
	type_line 'tty; stty size; echo "$((6*7))"'
	shows '^/dev/pts/[0-9]+$'
	shows '^25 90$'
	shows '^42$'
	type_line 'exit 3'
	at_prompt
	type_line 'echo "rc=$?"'
	shows '^rc=3$'
}

@test "exec -it: another size of the window is seen inside, with SIGWINCH" {
	tmux_start 80 24
	type_line '$C exec -it web sh -c '\''trap "stty size" WINCH; echo up; while :; do sleep 0.02; done'\'
	shows '^up$'
	tmux_run resize-window -x 71 -y 19
	shows '^19 71$'
	key C-c
	at_prompt
}

@test "exec -it: ^C ends the program alone, ^Z stops it and exec, fg continues both" {
	tmux_start
	type_line '$C exec -it web bash -c '\''while :; do printf .; sleep 0.05; done'\'
	shows '^\.\.\.'
	key C-z
	shows '^\[1\]\+ +Stopped'
	at_prompt
	fresh
	type_line 'fg >/dev/null'
	shows '^\.\.\.'
	key C-c
	at_prompt
	type_line 'echo "rc=$?"'
	shows '^rc=130$'
	# The sandbox's own program was not meant.
	run -0 cordon exec web true
}

@test "exec -it: a shell inside has job control of its own" {
	tmux_start
	type_line '$C exec -it web bash --norc --noprofile'
	shows '^bash-.*\$$'
	# A time that nobody else sleeps.
	type_line "sleep 100.$$"
	eventually pgrep -x -f "sleep 100.$$"
	key C-z
	shows "^\[1\]\+ +Stopped +sleep 100.$$"
	# Without a job that bash could still hold for stopped, for which it would not leave.
	type_line 'kill -9 %1; disown %1; exit 5'
	at_prompt
	type_line 'echo "rc=$?"'
	shows '^rc=5$'
}

# As a user nobody can make such a device. Somebody who is root on the host can, and mounts it there.
# bats test_tags=root
@test "exec -t: a terminal that is of no devpts is not taken" {
	need nsenter
	kept_pids web
	there() { nsenter -t "$workload" -m "$@"; }
	gives 0 $'/dev/pts/0\r' "$ATTACK/terminal" "$CORDON" --root "$CORDON_ROOT" exec -t web tty
	there sh -c 'umask 0; mount -t tmpfs other /dev/pts && mknod /dev/pts/ptmx c 5 2 && mkdir /dev/pts/pts &&
		mount -t devpts -o newinstance,ptmxmode=0666,mode=0666 other /dev/pts/pts'
	says 125 "*/dev/pts/ptmx is of no devpts*" "$ATTACK/terminal" "$CORDON" --root "$CORDON_ROOT" exec -t web tty
	# The control: what stands there would have served as a terminal.
	there sh -c 'exec 5<>/dev/pts/ptmx && stty -F /dev/pts/ptmx -a >/dev/null'
	there umount /dev/pts/pts /dev/pts
	gives 0 $'/dev/pts/0\r' "$ATTACK/terminal" "$CORDON" --root "$CORDON_ROOT" exec -t web tty
}
