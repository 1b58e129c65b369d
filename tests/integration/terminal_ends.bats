#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The caller's terminal is as it was, whatever died.

load ../lib/cordon
load ../lib/attack
load ../lib/tmux

. "$repo/tests/lib/groups.bash"

teardown() {
	tmux_stop
	own_groups_end
	# What was killed with -9 is gc's.
	cordon gc >/dev/null
	cordon_teardown
}

cooked() {
	[[ "$(pane_modes)" == *" icanon "* ]]
}

# bash changes the modes while it reads a line: sh does not. Sets before, the modes.
start_sh() {
	tmux_start
	type_line "PS1='HOST\$ ' exec sh"
	# The prompt may still be bash's.
	at_prompt
	eventually cooked
	before=$(pane_modes)
}

sane_again() {
	[ "$(pane_modes)" = "$before" ]
}

is_raw() {
	[[ "$(pane_modes)" == *" -icanon "* ]]
}

# Starts CMD and waits until the terminal is relayed.
start_raw() { # CMD [FLAG...]
	start_sh
	type_line "\$C run ${*:2} -- $1; echo \"rc=\$?\""
	eventually is_raw
	keeper_of_shell
	monitor_of_shell
}

# Nothing of cordon's is left below the shell, nor a monitor without a keeper.
all_gone() {
	! pgrep -P "$tmux_shell" -x cordon && [ ! -d "/proc/$monitor" ]
}

sandbox_gone() {
	[ ! -d "/proc/$monitor" ] && ! pgrep -P "$keeper"
}

@test "terminal: a normal end, and the control: in between it is raw" {
	start_raw 'sh -c "read x; exit 4"'
	type_line ''
	shows '^rc=4$'
	sane_again
	all_gone
}

@test "terminal: a program that leaves its terminal raw leaves the caller's as it was" {
	start_sh
	type_line '$C run -- sh -c "stty raw -echo; exit 5"; echo "rc=$?"'
	shows '^ *rc=5$'
	sane_again
}

@test "terminal: failed starts, 125, 126 and 127, never touch it, and their message stands at the left" {
	start_sh
	type_line '$C run -- /usr/bin/no-such-program; echo "rc=$?"'
	shows '^rc=127$'
	shows '^cordon: '
	sane_again
	type_line '$C run -- /etc/passwd; echo "rc=$?"'
	shows '^rc=126$'
	sane_again
	CORDON=$FAULTY
	type_line "CORDON_FAULT=seccomp:fail $FAULTY --root $CORDON_ROOT run -- true; echo \"rc=\$?\""
	shows '^rc=125$'
	shows '^cordon: step seccomp: injected fault'
	sane_again
}

@test "terminal: the timeout, with the message on a line of its own" {
	start_raw 'sleep 100' --timeout 4s
	shows '^rc=137$'
	shows '^cordon: ended by limits.wall_time'
	sane_again
	all_gone
}

@test "terminal: kill -9 of the keeper" {
	start_raw 'sleep 100'
	kill -9 "$keeper"
	shows '^.*rc=137$'
	eventually sane_again
	eventually all_gone
}

@test "terminal: kill -9 of the keeper's whole group" {
	start_raw 'sleep 100'
	# dash without job control here: the group is the shell's job.
	kill -9 -- "-$(ps -o pgid= -p "$keeper" | tr -d ' ')" || true
	eventually sane_again
	eventually all_gone
}

@test "terminal: kill -9 of the monitor ends the run with 125 and a reason" {
	start_raw 'sleep 100'
	kill -9 "$monitor"
	shows '^rc=125$'
	shows "^cordon: the terminal's relay ended unexpectedly"
	sane_again
	all_gone
}

@test "terminal: kill -9 of init" {
	start_raw 'sleep 100'
	kill -9 "$(pgrep -P "$keeper" -x cordon-init)"
	shows '^rc=137$'
	sane_again
	all_gone
}

@test "terminal: a hang-up reaches the program, and nothing is left" {
	mkdir shown
	! is_root || chown 61235:61235 shown
	start_raw 'bash -c "trap \"echo hup >$T/shown/hup; exit\" HUP; while :; do sleep 0.02; done"' --rw "$PWD/shown"
	tmux_run kill-server
	eventually no_keeper_of_test
	eventually all_gone
	[ "$(cat shown/hup)" = hup ]
}

@test "terminal: what answers an untrusted program is not typed at the shell" {
	start_raw 'bash -c "printf \"\033[6n\"; sleep 4"'
	# In front of it stands the answer, which the sandbox's own terminal has echoed.
	shows 'rc=0$'
	type_line 'clear; echo clean'
	shows '^clean$'
	[ "$(screen | tail -n 2 | head -n 1)" = clean ]
	run -1 grep '\[[0-9]*;[0-9]*R' <(screen)
}

@test "terminal: the timeout ends a program that floods it" {
	start_raw 'yes' --timeout 4s
	shows '^rc=137$'
	sane_again
	all_gone
}

@test "terminal: the timeout ends a run whose terminal is held by ^S" {
	start_sh
	type_line '$C run --timeout 4s -- sh -c "while :; do echo x; sleep 0.01; done" </dev/null; echo "rc=$?"'
	shows '^x$'
	monitor_of_shell
	key C-s
	# The relay gives up two seconds after the end of the sandbox; cordon itself has to say why it
	# ended, as any program it waits with that for ^Q.
	eventually sandbox_gone
	[ -d "/proc/$keeper" ]
	key C-q
	shows '^rc=137$'
	sane_again
}

@test "terminal: limits.wall_time ends a job that is stopped" {
	tmux_start
	type_line '$C run --timeout 5s -- sleep 100'
	eventually monitor_of_shell
	eventually pgrep -P "$(pgrep -P "$keeper" -x cordon-init)" -x sleep
	key C-z
	shows 'Stopped'
	[ "$(awk '/^State:/ { print $2 }' "/proc/$keeper/status")" = T ]
	eventually all_gone
	shows 'cordon: ended by limits.wall_time'
}

# The workload stops itself again and again, so that cordon would be stopped when its time is up.
stops='while :; do kill -STOP $$; done'

stops_again_and_again() {
	gives 137 "cordon: ended by limits.wall_time: 1 s (command line)" \
		timeout 20 "$CORDON" --root "$CORDON_ROOT" run --timeout 1s -- sh -c "$stops" </dev/null
}

stops_once() {
	gives 137 "cordon: ended by limits.wall_time: 1 s (command line)" \
		timeout 20 "$CORDON" --root "$CORDON_ROOT" run --timeout 1s -- sh -c 'kill -STOP $$' </dev/null
}

stops_on_a_terminal_without_job_control() {
	says 137 "*cordon: ended by limits.wall_time: 1 s (command line)*" \
		timeout 20 "$ATTACK/terminal" "$CORDON" --root "$CORDON_ROOT" run --timeout 1s -- sh -c "$stops" </dev/null
}

@test "terminal: a program that stops itself does not dodge limits.wall_time" {
	together stops_again_and_again stops_once stops_on_a_terminal_without_job_control
	# In a shell with job control it is stopped, and ended all the same.
	tmux_start
	type_line '$C run --timeout 1s -- sh -c "sleep 100 & kill -STOP \$\$"'
	shows 'Stopped'
	eventually no_keeper_of_test
}

# The signal that continues the keeper comes before the one that stops it: the clock runs out while it
# waits for the monitor to put the modes back.
@test "terminal: a program that stops itself when its time is up does not dodge limits.wall_time" {
	tmux_start
	type_line '$C run --timeout 3s -- sh -c "sleep 2; sleep 100 & kill -STOP \$\$"'
	eventually monitor_of_shell
	sleep 1
	kill -STOP "$monitor"
	sleep 2.5
	# On a busy machine the run may have ended before.
	kill -CONT "$monitor" || true
	eventually no_keeper_of_test
}

# Others of its processes go on while cordon is stopped.
@test "terminal: a program that stops itself does not dodge limits.cpu_time" {
	own_groups
	tmux_start
	type_line "clear; \$C run --cgroup-parent $group --set limits.cpu_time=1s -- sh -c '(while :; do :; done) & kill -STOP \$\$'"
	shows 'Stopped'
	eventually no_keeper_of_test
	shows 'cordon: ended by limits.cpu_time: 1 s'
	# Control: one that uses none stays stopped, and goes on.
	type_line "clear; \$C run --cgroup-parent $group --set limits.cpu_time=1s -- sh -c 'kill -STOP \$\$; echo went-''on'"
	shows 'Stopped'
	sleep 1.5
	keeper_of_shell
	[ "$(awk '/^State:/ { print $2 }' "/proc/$keeper/status")" = T ]
	type_line fg
	shows '^went-on'
	eventually no_keeper_of_test
}

@test "terminal: the program floods while the keeper is killed: nothing is left, the modes are back" {
	local i
	for i in 1 2 3 4 5; do
		[ "$i" -eq 1 ] && start_raw yes || {
			type_line '$C run -- yes; echo "rc=$?"'
			eventually is_raw
			monitor_of_shell
		}
		kill -9 "$keeper"
		eventually sane_again
		eventually all_gone
		# The prompt may stand before the last lines of the flood.
		key Enter
		fresh
	done
}
