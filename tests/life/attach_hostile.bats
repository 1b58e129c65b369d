#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Attached while something goes wrong: the recorder dies or hangs, the keeper dies, the program does not
# want what is typed; and ^C.

load ../lib/cordon
load ../lib/attack
load ../lib/tmux

teardown() {
	local id
	while read -r id; do
		cordon stop "$id" >/dev/null
		cordon rm "$id" >/dev/null
	done < <(find "$CORDON_ROOT/state/sandboxes" -mindepth 1 -maxdepth 1 -type d -printf '%f\n')
	tmux_stop
	[ ! -d "$CORDON_ROOT/run/sandboxes" ] || rmdir "$CORDON_ROOT/run/sandboxes"
	cordon_teardown
}

# Sets id.
start() { # FLAGS SCRIPT [FLAG...]
	id=$(cordon run "$1" "${@:3}" -- sh -c "$2")
}

live() { # KEY
	sed -n "s/^$1 \([0-9]*\) .*/\1/p" "$CORDON_ROOT/run/sandboxes/$id/live"
}

recorder() {
	pgrep -P "$(live launcher)" -f cordon-recorder
}

# In the background. Sets client.
attached() {
	"$CORDON" --root "$CORDON_ROOT" attach "$id" >seen 2>&1 3>&- &
	client=$!
	eventually sh -c "ls -l /proc/$client/fd | grep -q signalfd"
	eventually grep -q . seen
}

# Waits for its end.
leaves() { # CODE
	local code=0
	wait "$client" || code=$?
	[ "$code" -eq "$1" ] || { echo "exit code $code, wanted $1"; tail -n 3 seen; return 1; }
}

state_says() { # LINE
	grep -qx "$1" "$CORDON_ROOT/state/sandboxes/$id/state"
}

has_ended() {
	[ ! -e "$CORDON_ROOT/run/sandboxes/$id/live" ]
}

# Its recorder is not there any more: the program goes on, everybody is told, and what was written stays.
goes_on_without() { # COMMAND...
	local workload
	workload=$(live workload)
	leaves 125
	grep -q "sandbox $id goes on, but its recorder" seen
	eventually state_says 'is_output_lost 1'
	kill -0 "$workload"
	grep -q '^State:.[RS]' "/proc/$workload/status"
	cordon inspect "$id" | jq -e '.[0].output_lost == true and .[0].state == "running"'
	"$@"
	touch stop
	eventually has_ended
	state_says 'exit_code 7'
	says 0 $'first\n*cordon: what it printed last was not kept*' cordon logs "$id"
}

prints="echo first; while [ ! -e \"\$OLDPWD/stop\" ]; do echo more; sleep 0.01; done; exit 7"

shown() {
	printf '%s\n' --ro "$PWD" -e "OLDPWD=$PWD"
}

@test "attach: the recorder is killed while the program prints" {
	local flags
	mapfile -t flags < <(shown)
	start -d "$prints" "${flags[@]}"
	attached
	kill -9 "$(recorder)"
	# Nobody is told that it ended, whoever comes now.
	goes_on_without says 125 "*sandbox $id goes on, but its recorder*" cordon attach --no-stdin "$id"
}

@test "attach: the recorder hangs while the program prints, and somebody types without an end" {
	local flags
	CORDON=$FAULTY
	mapfile -t flags < <(shown)
	start -di "$prints" "${flags[@]}"
	"$CORDON" --root "$CORDON_ROOT" attach "$id" >seen 2>&1 </dev/zero 3>&- &
	client=$!
	eventually grep -q . seen
	kill -STOP "$(recorder)"
	goes_on_without true
}

@test "attach: where the output counts for a limit the recorder's end is the sandbox's, and the client ends with it" {
	local flags
	mapfile -t flags < <(shown)
	start -d "$prints" "${flags[@]}" --set limits.output=10MiB
	attached
	kill -9 "$(recorder)"
	leaves 125
	eventually has_ended
	state_says 'kind setup_failed'
	cordon logs "$id" | grep -qx first
}

@test "attach: the keeper is killed while the program prints" {
	local flags workload
	mapfile -t flags < <(shown)
	start -d "$prints" "${flags[@]}"
	attached
	workload=$(live workload)
	kill -9 "$(live keeper)"
	leaves 137
	eventually test ! -d "/proc/$workload"
	cordon logs "$id" | grep -qx first
	run -0 cordon gc
}

@test "attach: a program that has closed its stdin is typed to, and its output goes on" {
	local flags
	mapfile -t flags < <(shown)
	start -di 'exec <&-; echo first; while [ ! -e "$OLDPWD/stop" ]; do sleep 0.05; done; echo over; exit 7' "${flags[@]}"
	eventually sh -c "$CORDON --root $CORDON_ROOT logs $id | grep -qx first"
	head -c 200000 /dev/zero | "$CORDON" --root "$CORDON_ROOT" attach "$id" >seen 2>&1 3>&- &
	client=$!
	eventually sh -c "ls -l /proc/$client/fd | grep -q signalfd"
	sleep 0.3
	touch stop
	leaves 7
	grep -qx over seen
	run -1 state_says 'is_output_lost 1'
}

@test "attach: a message that is one byte too long ends the connection, and none of it arrives" {
	local long
	start -di 'while read -r l; do echo "got $l"; done'
	long=$(printf 'i%.0s' {1..4097})
	gives 42 closed "$ATTACK/attach" "$CORDON_ROOT/run/sandboxes/$id/attach" "i$long"
	# The control: one byte less.
	gives 0 open "$ATTACK/attach" "$CORDON_ROOT/run/sandboxes/$id/attach" "$long" "i
"
	got() { [ "$(cordon logs "$id")" = "got ${long:1}" ]; }
	eventually got
}

# What a terminal sends to a client that has left it its signals.
@test "attach: ^C at a client without a terminal inside is the program's, or ends the client alone" {
	local ticks='while :; do echo tick; sleep 0.05; done'
	tmux_start
	start -di "trap 'echo caught; exit 4' INT; $ticks"
	type_line "\$C attach $id"
	shows '^tick$'
	key C-c
	at_prompt
	type_line 'echo "rc=$?"'
	shows '^rc=4$'
	cordon logs "$id" | grep -qx caught
	fresh
	start -di "$ticks"
	type_line "\$C attach $id"
	shows '^tick$'
	key C-c
	at_prompt
	type_line 'echo "rc=$?"'
	shows '^rc=130$'
	fresh
	start -di "$ticks"
	type_line "\$C attach --sig-proxy=false $id"
	shows '^tick$'
	key C-c
	at_prompt
	type_line 'echo "rc=$?"'
	shows '^rc=0$'
	kill -0 "$(live workload)"
}

@test "attach: ^C at a client with a terminal is a byte for the program's terminal, whose it is then" {
	local ticks='while :; do echo tick; sleep 0.05; done'
	tmux_start
	start -dit "trap 'echo caught; exit 4' INT; $ticks"
	type_line "\$C attach $id"
	shows '^tick$'
	key C-c
	at_prompt
	type_line 'echo "rc=$?"'
	shows '^rc=4$'
	cordon logs "$id" | grep -q 'caught'
	fresh
	start -dit "$ticks"
	type_line "\$C attach $id"
	shows '^tick$'
	key C-c
	at_prompt
	type_line 'echo "rc=$?"'
	shows '^rc=130$'
	fresh
	# One that asks for the byte itself gets it.
	start -dit "stty -isig -icanon -echo; echo ready; head -c 1 | od -An -tx1; exit 5"
	type_line "\$C attach $id"
	eventually sh -c "stty -a -F $(tmux_run display-message -p '#{pane_tty}') | grep -q -- -icanon"
	key C-c
	at_prompt
	type_line 'echo "rc=$?"'
	shows '^rc=5$'
	cordon logs "$id" | grep -q '^ 03'
}
