#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The terminal, by a program that types: tmux. terminal_ends.bats has what happens when something
# dies, terminal_bytes.bats what passes through.

load ../lib/cordon
load ../lib/attack
load ../lib/tmux

# What ^Z is to stop is a bash. A dash starts programs by vfork(2): one that is stopped between it and
# its exec leaves the dash waiting where no signal stops it, in and outside of a sandbox.

teardown() {
	tmux_stop
	cordon_teardown
}

@test "terminal: an interactive shell has a terminal of its own, and echoes" {
	tmux_start 90 25
	type_line '$C run -- sh'
	shows '^[$#]$'
	type_line 'tty; stty size; echo "$((6*7))"'
	shows '^/dev/pts/0$'
	shows '^25 90$'
	shows '^42$'
	# What was typed stands there once.
	[ "$(screen | grep -c 'stty size')" -eq 1 ]
	type_line 'exit 3'
	at_prompt
	type_line 'echo "rc=$?"'
	shows '^rc=3$'
}

@test "terminal: another size of the window is seen inside, with SIGWINCH" {
	tmux_start 80 24
	type_line '$C run -- sh -c '\''trap "stty size" WINCH; echo up; while :; do sleep 0.02; done'\'
	shows '^up$'
	tmux_run resize-window -x 71 -y 19
	shows '^19 71$'
	key C-c
	at_prompt
}

@test "terminal: ^C ends the program, and neither cordon's shell nor the rest of its line" {
	tmux_start
	type_line '$C run -- sleep 100; echo "rc=$?"'
	eventually monitor_of_shell
	eventually pgrep -P "$(pgrep -P "$keeper" -x cordon-init)" -x sleep
	key C-c
	shows '^.*rc=130$'
	at_prompt
}

@test "terminal: ^C and ^\\ are the program's to answer" {
	tmux_start
	type_line '$C run -- bash -c '\''trap "echo got INT" INT; trap "echo got QUIT; exit 7" QUIT; echo up; while :; do sleep 0.02; done'\''; echo "rc=$?"'
	shows '^up$'
	key C-c
	shows 'got INT$'
	key "C-\\"
	shows 'got QUIT$'
	shows '^rc=7$'
}

@test "terminal: ^Z stops the job, fg and bg continue it" {
	tmux_start
	type_line '$C run -- bash -c '\''while :; do printf .; sleep 0.05; done'\'
	shows '^\.\.\.'
	key C-z
	shows '^\[1\]\+ +Stopped'
	at_prompt
	modes_are_sane
	fresh
	type_line 'fg >/dev/null'
	shows '^\.\.\.'
	key C-z
	shows 'Stopped'
	fresh
	type_line 'bg >/dev/null'
	# It may print one before the prompt.
	shows '^\.*(HOST\$ )?\.\.\.'
	type_line 'fg >/dev/null'
	# Brought to the foreground without a signal.
	relayed
	key C-c
	at_prompt
	type_line 'echo "rc=$?"'
	shows 'rc=130$'
}

modes_are_sane() {
	type_line 'for m in icanon echo opost isig icrnl; do stty -a | grep -ow -e "-*$m"; done | tr "\n" "+"'
	shows '^icanon\+echo\+opost\+isig\+icrnl\+'
}

@test "terminal: ^Z stops every process of the program, fg continues them" {
	tmux_start
	type_line '$C run -- bash -c '\''(while :; do echo -n a; sleep 0.05; done) & while :; do echo -n b; sleep 0.05; done'\'
	shows 'ab|ba'
	key C-z
	shows 'Stopped'
	fresh
	sleep 0.3
	# Neither goes on.
	screen_is 'HOST$'
	type_line 'fg >/dev/null'
	shows 'ab|ba'
	shows 'a[ab]*b[ab]*a'
	key C-c
	at_prompt
}

@test "terminal: a shell inside has job control of its own" {
	tmux_start
	type_line '$C run -- bash --norc -i'
	shows '^bash-[0-9.]+[$#]$'
	# A time that nobody else sleeps.
	type_line "sleep 100.$$"
	eventually pgrep -x -f "sleep 100.$$"
	key C-z
	shows "^\[1\]\+ +Stopped +sleep 100.$$"
	type_line 'jobs; kill -9 %1; disown %1; echo "still $((6*7))"'
	shows '^still 42$'
	eventually last_line_ends '$'
	# suspend stops the shell inside, and with it cordon.
	type_line 'set +m; suspend -f'
	at_prompt
	type_line 'fg >/dev/null'
	relayed
	type_line 'echo "again $((6*7))"'
	shows '^again 42$'
	type_line 'exit 0'
	at_prompt
}

@test "terminal: started in the background it types nothing and reads nothing, until fg" {
	tmux_start
	type_line '$C run -- sh -c '\''echo up; read -r x; echo "inside <$x>"; stty -a | grep -o -w -e icanon -e -icanon'\'' &'
	shows '^(HOST\$ )?up$'
	type_line 'echo "outside $((6*7))"'
	shows '^outside 42$'
	type_line 'fg >/dev/null'
	relayed
	type_line 'some words'
	shows '^inside <some words>$'
	# The modes are those of the terminal in the foreground, not of the shell's prompt.
	shows '^icanon$'
	at_prompt
}

@test "terminal: a stopped cordon (kill -STOP) takes none of what is typed at the shell" {
	tmux_start
	type_line '$C run -- cat'
	eventually monitor_of_shell
	type_line 'to the sandbox'
	eventually two_of 'to the sandbox'
	kill -STOP "$keeper"
	shows 'Stopped'
	at_prompt
	type_line 'echo "to the shell $((6*7))"'
	shows '^to the shell 42$'
	type_line 'fg >/dev/null'
	# Before that the terminal would echo it, too.
	relayed
	type_line 'to the sandbox again'
	eventually two_of 'to the sandbox again'
	key C-d
	at_prompt
	run -1 two_of 'to the shell'
}

# Typed, and said by cat.
two_of() { # LINE
	[ "$(screen | grep -cx -- "$1")" -eq 2 ]
}

@test "terminal: a full-screen program draws, is typed to, and leaves the screen as it was" {
	need vim.tiny
	tmux_start
	echo 'first line' >text
	[ "$(id -u)" -ne 0 ] || chown 61235:61235 text .
	type_line "\$C run --rw $PWD -- vim.tiny -u NONE -n text; echo \"rc=\$?\""
	shows '^~'
	type_line 'Osecond line'
	key Escape
	type_line ':wq'
	shows '^rc=0$'
	at_prompt
	[ "$(cat text)" = "second line" ] || [ "$(head -n 1 text)" = "second line" ]
	run -1 grep '^~' <(screen)
}

@test "terminal: in front of less nothing is taken from less" {
	need less
	tmux_start 80 24
	type_line '$C run -- seq 1000 | less'
	shows '^:$'
	key G
	shows '^1000$'
	key g
	shows '^1$'
	key q
	at_prompt
}

@test "terminal: behind a pipe, less in the sandbox gets its keys" {
	need less
	tmux_start 80 24
	type_line 'seq 1000 | $C run -- less; echo "rc=$?"'
	shows '^:$'
	key G
	shows '^1000$'
	key q
	shows '^rc=0$'
	at_prompt
}

@test "terminal: ^Z and ^C of a pipeline that is not relayed" {
	tmux_start
	# With a trap: without one bash goes on where the signal came to a child of its own before that was sleep.
	type_line '$C run -- bash -c '\''trap "exit 130" INT; while :; do echo -n . >&2; sleep 0.05; done'\'' | cat; echo "rc=${PIPESTATUS[0]}"'
	shows '^\.\.\.'
	key C-z
	shows 'Stopped'
	fresh
	sleep 0.3
	screen_is 'HOST$'
	type_line 'fg >/dev/null'
	shows '^\.\.\.'
	key C-c
	at_prompt
	eventually no_keeper
}

no_keeper() {
	! keeper_of_shell
}

@test "terminal: kill -TSTP of cordon stops the program, then cordon" {
	tmux_start
	type_line '$C run -- sh -c '\''trap "echo caught" TSTP; echo up; while :; do sleep 0.05; done'\'
	shows '^up$'
	keeper_of_shell
	# It catches the signal: nothing stops.
	kill -TSTP "$keeper"
	shows '^caught$'
	key C-c
	at_prompt
	type_line '$C run -- sleep 100'
	eventually monitor_of_shell
	eventually pgrep -P "$(pgrep -P "$keeper" -x cordon-init)" -x sleep
	kill -TSTP "$keeper"
	shows 'Stopped'
	[ "$(awk '/^State:/ { print $2 }' "/proc/$(pgrep -P "$(pgrep -P "$keeper" -x cordon-init)" -x sleep)/status")" = T ]
	type_line 'fg >/dev/null'
	key C-c
	at_prompt
}

@test "terminal: -t insists on one, -i and -it are taken" {
	says 125 "cordon: stdin (descriptor 0) is not a terminal, and -t insists on one*hint: *" \
		cordon run -t -- true </dev/null
	says 125 "cordon: stdin *" cordon run -it -- true </dev/null
	gives 0 hello cordon run -i -- cat <<<hello
	tmux_start
	type_line '$C run -ti -- tty'
	shows '^/dev/pts/0$'
}
