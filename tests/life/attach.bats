#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Attached to a sandbox in the background: what it prints, what is typed, who may.

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

logged() { # TEXT
	[ "$(cordon logs "$id" 2>&1)" = "$1" ]
}

has_ended() {
	[ ! -e "$CORDON_ROOT/run/sandboxes/$id/live" ]
}

socket_of() {
	echo "$CORDON_ROOT/run/sandboxes/$id/attach"
}

# It is connected, and then waits for signals as well.
is_attached() { # CLIENT
	readlink "/proc/$1/fd/"* | grep -q signalfd
}

echoes='while read -r l; do echo "got $l"; done; echo over; exit 3'

@test "attach: what is typed arrives, what is printed is shown, and the exit code is the program's" {
	start -di "$echoes"
	printf 'one\ntwo\n' >typed
	run -3 cordon attach "$id" <typed
	[ "$output" = $'got one\ngot two\nover' ]
	says 125 "cordon: sandbox $id does not run*" cordon attach "$id"
}

@test "attach: without -i nothing is read, and stdin is empty inside" {
	start -d 'cat; echo none; sleep 60'
	eventually logged none
	printf 'unread' | (timeout 1 "$CORDON" --root "$CORDON_ROOT" attach "$id" || [ $? -eq 124 ] || true
		[ "$(cat)" = unread ])
}

@test "attach: several at once, and one that does not read keeps nobody waiting" {
	local stuck reader
	mkfifo blocked
	start -di "$echoes"
	# Somebody holds it open, and reads nothing. Not a shell: it would say there that its client was killed.
	exec 8<>blocked
	"$CORDON" --root "$CORDON_ROOT" attach --no-stdin "$id" >blocked 2>&1 3>&- 8>&- &
	stuck=$!
	"$CORDON" --root "$CORDON_ROOT" attach --no-stdin "$id" >seen 2>&1 3>&- 8>&- &
	reader=$!
	eventually is_attached "$stuck"
	eventually is_attached "$reader"
	head -c 300000 /dev/zero | tr '\0' 'x' | fold -w 99 >typed
	run -3 cordon attach "$id" <typed
	[ "$(wc -l <<<"$output")" -eq $(($(wc -l <typed) + 1)) ]
	wait "$reader" || [ $? -eq 3 ]
	[ "$(tail -n 1 seen)" = over ]
	kill -9 "$stuck"
	wait "$stuck" || true
	exec 8<&-
}

@test "attach: signals are passed on, or detach" {
	start -d 'trap "echo asked; exit 5" TERM; echo ready; while :; do sleep 0.05; done'
	eventually logged ready
	"$CORDON" --root "$CORDON_ROOT" attach --sig-proxy=false "$id" 3>&- &
	eventually sh -c "grep -q '^SigBlk:.*4' /proc/$!/status"
	kill -TERM $!
	wait $!
	"$CORDON" --root "$CORDON_ROOT" attach "$id" >out 3>&- &
	eventually is_attached $!
	kill -TERM $!
	wait $! || [ $? -eq 5 ]
	grep -qx asked out
}

@test "attach: a terminal: echo, size, ^C, detach keys, again, exit code" {
	start -dit 'trap "echo caught" INT; echo begin; while read -r l; do echo "got $l"; stty size; [ "$l" != bye ] || exit 9; done; exit 1'
	tmux_start 91 27
	type_line "\$C attach $id"
	relayed
	type_line 'word'
	shows '^got word$'
	shows '^27 91$'
	tmux_run resize-window -x 71 -y 19
	type_line 'smaller'
	shows '^19 71$'
	key C-p
	key C-q
	at_prompt
	type_line 'echo "rc=$?"'
	shows '^rc=0$'
	type_line "\$C attach --detach-keys ctrl-x,x $id"
	relayed
	key C-x
	type_line 'x'
	shows '^rc=0$'
	at_prompt
	type_line "\$C attach $id"
	relayed
	type_line 'bye'
	at_prompt
	type_line 'echo "rc=$?"'
	shows '^rc=9$'
}

# A pty whose last master is closed hangs up; and one that nobody reads is full at 4 KiB.
@test "attach: a terminal outlives its recorder, and what is printed is thrown away" {
	# Held open: where the sandbox is dead, nobody waits for its other end.
	mkfifo go
	exec 6<>go
	start -dt 'trap "echo hung up; exit 1" HUP; echo begin; read -r x <go; yes | head -c 100000; exit 7' --ro "$PWD"
	eventually logged $'begin\r'
	kill -9 "$(pgrep -P "$(sed -n 's/^launcher \([0-9]*\) .*/\1/p' "$CORDON_ROOT/run/sandboxes/$id/live")" -f cordon-recorder)"
	eventually grep -qx 'is_output_lost 1' "$CORDON_ROOT/state/sandboxes/$id/state"
	echo >&6
	eventually has_ended
	grep -qx 'exit_code 7' "$CORDON_ROOT/state/sandboxes/$id/state"
}

@test "attach: flags and names that are wrong" {
	start -di "$echoes"
	says 125 "cordon: --detach-keys ctrl-: no keys*" cordon attach --detach-keys ctrl- "$id"
	says 125 "cordon: attach wants one sandbox*" cordon attach
	says 125 "cordon: no sandbox is called nobody*" cordon attach nobody
}

@test "attach: hostile messages end the connection and nothing else" {
	local message
	start -di "$echoes"
	for message in x e%0 s s%0%0%0 s%0%0%0%0%0 %0 "$(printf 'e%.0s' {1..5000})"; do
		gives 42 closed "$ATTACK/attach" "$(socket_of)" "$message"
	done
	# The control: what keeps to the form stays, and arrives.
	gives 0 open "$ATTACK/attach" "$(socket_of)" "s%0%0%0%0" "ihello
"
	eventually logged "got hello"
}

@test "attach: more clients than there is room for are sent away, and those who are there stay" {
	local i pids=()
	start -di "$echoes"
	for i in 1 2 3 4 5 6 7 8; do
		(sleep 60 3>&- | cordon attach "$id" >/dev/null 2>&1 3>&-) &
		pids+=($!)
	done
	has_eight() { [ "$(find "/proc/$recorder/fd" -mindepth 1 | wc -l)" -eq "$1" ]; }
	recorder=$(pgrep -P "$(sed -n 's/^launcher \([0-9]*\) .*/\1/p' "$CORDON_ROOT/run/sandboxes/$id/live")" -f cordon-recorder)
	if is_root; then
		eventually has_eight 14
	else
		sleep 1
	fi
	gives 42 closed "$ATTACK/attach" "$(socket_of)" x
	says 125 "cordon: sandbox $id goes on, but its recorder has sent this client away*cordon logs -f $id*" \
		cordon attach --no-stdin "$id"
	cordon stop "$id" >/dev/null
	for i in "${pids[@]}"; do
		pkill -P "$i" || true
		wait "$i" || true
	done
}

# A user's workload has the user's id. As root the socket is shown as the workload's own, but the
# kernel tells the keeper whose id it has on the host.
@test "attach: a peer inside is refused, even where the socket was shown to it" {
	start -di "$echoes"
	mkdir shown
	ln "$(socket_of)" shown/socket
	# The control: the same program, the same socket, outside.
	gives 0 open "$ATTACK/attach" shown/socket "ioutside
"
	eventually logged "got outside"
	gives 42 closed cordon run --ro "$PWD/shown" --ro "$ATTACK" -- "$ATTACK/attach" "$PWD/shown/socket" "iinside
" "s%0%0%0%0"
	# Whatever came before it has been read.
	gives 0 open "$ATTACK/attach" shown/socket "iagain
"
	eventually logged $'got outside\ngot again'
}

# bats test_tags=root
@test "attach: root of another user namespace, and of another pid namespace, is refused" {
	need unshare
	start -di "$echoes"
	gives 42 closed unshare --user --map-root-user "$ATTACK/attach" "$(socket_of)" "iuser
" "s%0%0%0%0"
	gives 42 closed unshare --pid --fork "$ATTACK/attach" "$(socket_of)" "ipid
" "s%0%0%0%0"
	gives 0 open unshare --net "$ATTACK/attach" "$(socket_of)" "inet
"
	eventually logged "got net"
}
