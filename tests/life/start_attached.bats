#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A sandbox that is started by who is attached to it: nothing that it prints is missed, its exit code is
# the client's, and it can be left and come back to.

load ../lib/cordon
load ../lib/attack
load ../lib/kept
load ../lib/tmux

teardown() {
	tmux_stop
	kept_end
}

create() { # NAME SCRIPT [FLAG...]
	cordon create --name "$1" "${@:3}" -- sh -c "$2" >/dev/null 2>&1
}

logged() { # NAME TEXT
	[ "$(cordon logs "$1" 2>&1)" = "$2" ]
}

ends_with() { # CODE PID
	local code=0
	wait "$2" || code=$?
	[ "$code" -eq "$1" ]
}

is_gone() { # NAME
	[ -z "$(cordon ps -aq --filter "name=$1")" ]
}

is_raw() {
	stty -a -F "$(tmux_run display-message -p '#{pane_tty}')" | grep -q -- -icanon
}

echoes='echo ready; while read -r l; do echo "got $l"; done; echo over; exit 3'

@test "start -a: the first byte and the last, both streams, and the program's exit code" {
	create a 'echo out; echo err >&2; exit 7'
	run -7 --separate-stderr cordon start -a a
	[ "$output" = out ]
	[ "$stderr" = err ]
	run -7 --separate-stderr cordon start --attach a
	# The second time: what it printed the first time is not shown again.
	[ "$output" = out ]
	[ "$stderr" = err ]
	[ "$(cordon logs --stdout a)" = $'out\nout' ]
	# The control: without -a nothing of it is shown.
	gives 0 a cordon start a
}

@test "start -a: what ends at once, and what cannot be executed, end as they do" {
	cordon create --name none -- true >/dev/null
	cordon create --name one -- false >/dev/null
	for _ in 1 2 3 4 5; do
		gives 0 '' cordon start -a none
		gives 1 '' cordon start -a one
	done
	mkdir box
	printf 'no program' >box/file
	chmod 755 box
	chmod 644 box/file
	cordon create --name file --ro "$PWD/box" -- "$PWD/box/file" >/dev/null
	says 126 'cordon: *' cordon start file
	says 126 'cordon: *' cordon start -a file
}

@test "start -a: all of it comes, in order, also from a sandbox that removes itself at once" {
	create a 'seq 1 300000; exit 5'
	seq 1 300000 >wanted
	cordon start -a a >seen && return 1
	[ "$?" -eq 5 ]
	cmp wanted seen
	create gone 'seq 1 90000; exit 6' --rm
	seq 1 90000 >wanted
	cordon start -a gone >seen && return 1
	[ "$?" -eq 6 ]
	cmp wanted seen
	eventually is_gone gone
	says 125 'cordon: no sandbox is called gone*' cordon start -a gone
}

@test "start -a: a client that is too slow keeps nobody waiting, and is told what it has missed" {
	local client reader
	create flood 'seq 1 100000; exit 5' --set 'logging={max_size: 64KiB, max_files: 2}'
	mkfifo slow
	exec 8<>slow
	"$CORDON" --root "$CORDON_ROOT" start -a flood >slow 2>said 3>&- &
	client=$!
	eventually grep -qx 'exit_code 5' "$CORDON_ROOT/state/sandboxes/$(readlink "$CORDON_ROOT/state/names/flood")/state"
	cat slow >seen 3>&- 8>&- &
	reader=$!
	# Once there is another reader.
	eventually test -s seen
	exec 8>&-
	ends_with 5 "$client"
	wait "$reader"
	[ "$(tail -n 1 seen)" = 100000 ]
	[ "$(wc -l <seen)" -lt 100000 ]
	grep -q 'some output was overwritten before it was read' said
}

@test "start -a: what a sandbox that has removed itself left in its second file is read all the same" {
	local client reader
	create gone 'seq 1 180000; exit 5' --rm
	seq 1 180000 >wanted
	mkfifo slow
	exec 8<>slow
	"$CORDON" --root "$CORDON_ROOT" start -a gone >slow 3>&- &
	client=$!
	eventually is_gone gone
	cat slow >seen 3>&- 8>&- &
	reader=$!
	eventually test -s seen
	exec 8>&-
	ends_with 5 "$client"
	wait "$reader"
	cmp wanted seen
}

@test "start -ai: stdin is the program's; without -i, or of one made without, none of it is read" {
	create e "$echoes" -i
	# As after a boot.
	rm -r "$CORDON_ROOT/run"
	printf 'one\ntwo\n' >typed
	run -3 cordon start -ai e <typed
	[ "$output" = $'ready\ngot one\ngot two\nover' ]
	# -i attaches as well.
	run -3 cordon start -i e <typed
	[ "$output" = $'ready\ngot one\ngot two\nover' ]
	create without 'cat; echo none; exit 4'
	printf 'unread' | (run -4 cordon start -a without
		[ "$output" = none ] && [ "$(cat)" = unread ])
	run -4 --separate-stderr cordon start -i without <typed
	[ "$output" = none ]
	[[ "$stderr" == *"was made without -i"* ]]
}

@test "start -a: signals are passed on, or detach" {
	local client
	create s 'trap "echo asked; exit 5" TERM; echo ready; while :; do sleep 0.05; done'
	"$CORDON" --root "$CORDON_ROOT" start -a s >seen 3>&- &
	client=$!
	eventually grep -qx ready seen
	kill -TERM "$client"
	ends_with 5 "$client"
	grep -qx asked seen
	"$CORDON" --root "$CORDON_ROOT" start -a --sig-proxy=false s >seen 3>&- &
	client=$!
	eventually grep -qx ready seen
	kill -TERM "$client"
	ends_with 0 "$client"
	kept_is s running
	run -1 grep -qx asked seen
}

@test "start -a: others may stop it meanwhile, and a limit's end is named" {
	local client
	create s 'echo ready; exec sleep 60'
	"$CORDON" --root "$CORDON_ROOT" start -a s >seen 3>&- &
	client=$!
	eventually grep -qx ready seen
	cordon stop -t 0 s >/dev/null
	ends_with 137 "$client"
	create limited 'exec sleep 60' --timeout 300ms
	says 137 'cordon: sandbox * ended by wall_time: *' cordon start -a limited
}

@test "start -a: with a restart policy it is the first end, and the sandbox goes on" {
	kept_dir
	create again 'echo x >>/out/starts; echo begun; [ "$(wc -l </out/starts)" -lt 2 ] || exec sleep 60; exit 9' \
		"${out[@]}" --restart always
	run -9 --separate-stderr cordon start -a again
	[ "${lines[0]}" = begun ]
	[[ "$stderr" == *"may start it again"* ]]
	eventually kept_is again running
	eventually logged again $'begun\nbegun'
}

@test "attach: with a restart policy the exit code is that of the run that it was attached to" {
	local code woken
	create again 'read -r code; exit "$code"' -i --restart always
	# Each ends one run; the next one begins after its pause.
	run -5 cordon start -ai again <<<5
	for code in 6 7; do
		eventually kept_is again running
		run "-$code" cordon attach again <<<"$code"
		[[ "$output" == *"may start it again"* ]]
	done
	# How the run before ended is not taken for it while its keeper has not said so.
	eventually kept_is again running
	kept_pids again
	(exec 3>&-
		sleep 1.5
		kill -CONT "$keeper") &
	woken=$!
	kill -STOP "$keeper"
	run -8 cordon attach again <<<8
	wait "$woken"
}

@test "start -a: what contradicts itself is refused, and nothing is started" {
	create a true
	create b true
	says 125 'cordon: start --attach takes one sandbox, and was given 2*' cordon start -a a b
	says 125 'cordon: start wants a sandbox*' cordon start -a
	says 125 'cordon: start --all goes on in the background*' cordon start -a --all
	says 125 'cordon: start --all goes on in the background*' cordon start -a --all a
	says 125 'cordon: --detach-keys is for a start that is attached to*' cordon start --detach-keys x a
	says 125 'cordon: --sig-proxy is for a start that is attached to*' cordon start --sig-proxy=false a
	says 125 'cordon: --detach-keys ctrl-: no keys*' cordon start -a --detach-keys ctrl- a
	says 125 'cordon: no sandbox is called nobody*' cordon start -a nobody
	gives 0 $'a: created\nb: created' sh -c "'$CORDON' --root '$CORDON_ROOT' ps -a --format '{{.Names}}: {{.State}}' | sort"
	# The control.
	gives 0 '' cordon start -a a
	create runs 'exec sleep 60'
	cordon start runs
	says 125 'cordon: sandbox runs runs already*cordon attach runs*' cordon start -a runs
	kept_is runs running
}

@test "start -ai: a terminal: what is typed, detach keys, back again, exit code" {
	create t 'echo begin; while read -r l; do echo "got $l"; stty size; [ "$l" != bye ] || exit 9; done; exit 1' -it
	tmux_start 91 27
	type_line '$C start -ai t'
	shows '^begin$'
	eventually is_raw
	type_line 'word'
	shows '^got word$'
	shows '^27 91$'
	key C-p
	key C-q
	at_prompt
	type_line 'echo "rc=$?"'
	shows '^rc=0$'
	kept_is t running
	type_line '$C attach t'
	eventually is_raw
	type_line 'bye'
	at_prompt
	type_line 'echo "rc=$?"'
	shows '^rc=9$'
	type_line '$C start -ai --detach-keys ctrl-x,x t; echo "left=$?"'
	eventually is_raw
	key C-x
	type_line 'x'
	shows '^left=0$'
	# The end of the test waits for keepers.
	cordon rm -f t >/dev/null
}

@test "run -it --name: it is left by ctrl-p ctrl-q, lives on, is come back to, and outlives its terminal" {
	tmux_start 91 27
	# What asks for the size at once is told.
	type_line '$C run -it --name n -- sh -c '\''stty size; while read -r l; do echo "got $l"; [ "$l" != bye ] || exit 9; done'\'''
	shows '^27 91$'
	eventually is_raw
	type_line 'word'
	shows '^got word$'
	key C-p
	key C-q
	at_prompt
	type_line 'echo "rc=$?"'
	shows '^rc=0$'
	kept_is n running
	type_line '$C attach n'
	eventually is_raw
	type_line 'again'
	shows '^got again$'
	tmux_run kill-server
	rm -rf "$tmux_dir"
	kept_is n running
	tmux_start
	type_line '$C attach n'
	eventually is_raw
	type_line 'bye'
	at_prompt
	type_line 'echo "rc=$?"'
	shows '^rc=9$'
	# With a restart policy as well: it is one in the background. What is shown is its first run.
	type_line '$C run -it --name r --restart on-failure:1 -- sh -c "echo hello; exit 7"; echo "end=$?"'
	shows '^hello'
	shows '^end=7$'
}

@test "run -it --name: what only the foreground can do keeps it there, and the keys are the program's" {
	local all=('--report $T/out/report' '--status-fd 9' '--fd 9' '--explain-denials') flags
	# As a user it takes a control group.
	! is_root || all+=('--top')
	mkdir out
	tmux_start
	for flags in "${all[@]}"; do
		type_line "\$C run -it --name f $flags -- sh -c 'stty raw; echo ready; head -c 2 | od -An -tx1; exit 4' 9>\$T/out/fd"
		shows '^ *ready'
		says 125 'cordon: sandbox * runs in the foreground*' cordon attach f
		key C-p
		key C-q
		shows '10 11'
		type_line 'echo "rc=$?"'
		shows '^rc=4$'
		kept_is f exited
		cordon rm f
		fresh
	done
	# And where its output is not for the terminal.
	type_line '$C run -it --name f -- sh -c "echo ready; echo error >&2; read -r l" >$T/out/stdout'
	eventually grep -qx ready out/stdout
	says 125 'cordon: sandbox * runs in the foreground*' cordon attach f
	type_line ''
	at_prompt
	[ "$(cat out/stdout)" = ready ]
	cordon rm f
}

@test "run --detach-keys: a run at a terminal is left, lives on, and is come back to" {
	tmux_start
	type_line '$C run -it --name n --detach-keys ctrl-p,ctrl-q -- sh -c '\''echo begin; while read -r l; do echo "got $l"; [ "$l" != bye ] || exit 9; done'\'''
	shows '^begin$'
	eventually is_raw
	type_line 'word'
	shows '^got word$'
	key C-p
	key C-q
	at_prompt
	type_line 'echo "rc=$?"'
	shows '^rc=0$'
	kept_is n running
	type_line '$C attach n'
	eventually is_raw
	type_line 'bye'
	at_prompt
	type_line 'echo "rc=$?"'
	shows '^rc=9$'
	cordon logs n | grep -q '^got bye'
	# Not left: its exit code is the program's. With --rm nothing is kept of it.
	type_line '$C run -it --rm --name r --detach-keys x -- sh -c "echo hello; exit 7"; echo "end=$?"'
	shows '^hello$'
	shows '^end=7$'
}

@test "run --detach-keys: without a way back, a terminal, or itself it is refused" {
	says 125 'cordon: --detach-keys is for a sandbox at a terminal that has a name*--name NAME*' cordon run -it --detach-keys x -- true
	says 125 'cordon: --detach-keys is for a sandbox at a terminal*' cordon run -i --name n --detach-keys x -- true
	says 125 'cordon: --detach-keys and -d contradict*cordon attach*' cordon run -dit --name n --detach-keys x -- true
	says 125 'cordon: stdin (descriptor 0) is not a terminal*' cordon run -it --name n --detach-keys x -- true </dev/null
	says 125 'cordon: --detach-keys is not a flag of create*' cordon create --detach-keys x -- true
	kept_no_record
	tmux_start
	type_line '$C run -it --name n --detach-keys ctrl- -- true; echo "rc=$?"'
	shows '--detach-keys ctrl-: no keys'
	shows '^rc=125$'
	type_line '$C run -it --name n --report $T/report --detach-keys x -- true; echo "again=$?"'
	shows '--report is a flag of a run in the foreground'
	shows '^again=125$'
	kept_no_record
}

@test "attach: to a run in the foreground it is refused" {
	local client
	"$CORDON" --root "$CORDON_ROOT" run --name f -- sh -c 'echo ready; exec sleep 60' >seen 3>&- &
	client=$!
	eventually grep -qx ready seen
	says 125 'cordon: sandbox * runs in the foreground*' cordon attach f
	cordon stop -t 0 f >/dev/null
	ends_with 137 "$client"
}
