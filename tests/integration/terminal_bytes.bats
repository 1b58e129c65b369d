#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What passes through the terminal, which of 0 to 2 it stands at, and who passes it on.

load ../lib/cordon
load ../lib/attack

# On a terminal, at which tests/attack/terminal.c is the caller's other end.
on_terminal() { # [-r] [-k FILE] [-012] -- COMMAND...
	timeout 60 "$ATTACK/terminal" "$@"
}

sandbox_on_terminal() { # OPTION CORDON-ARG...
	on_terminal "$1" "$CORDON" --root "$CORDON_ROOT" run "${@:2}"
}

# The names of what stands at 0 to 2, each where it is a terminal.
which_terminals='for fd in 0 1 2; do [ -t $fd ] && echo "$fd $(readlink /proc/$$/fd/$fd)"; done; true'

# bats test_tags=vm
@test "terminal: each of 0 to 2 is replaced alone; the others are the caller's own" {
	local own fd wanted
	for own in r r0 r1 r2 r01 r02 r12; do
		wanted=
		for fd in 0 1 2; do
			[[ "$own" == *$fd* ]] || wanted+="$fd /dev/pts/0 "
		done
		run -0 sandbox_on_terminal "-$own" -- sh -c "$which_terminals" </dev/null
		[ "$(tr '\n' ' ' <<<"$output")" = "$wanted" ] || {
			printf 'with -%s:\n%s\nwanted:\n%s\n' "$own" "$output" "$wanted"
			return 1
		}
	done
	# The control: without any, none is made.
	gives 0 ptmx cordon run -- sh -c "$which_terminals; ls /dev/pts" </dev/null
}

@test "terminal: every byte comes out as it went in, 4 MiB, where both ends are raw" {
	head -c 4M /dev/urandom >bytes
	chmod 644 bytes
	sandbox_on_terminal -r --ro "$PWD/bytes" -- cat "$PWD/bytes" </dev/null >out
	cmp bytes out
}

@test "terminal: every byte that is typed goes in, 1 MiB, where both ends are raw" {
	local sum
	head -c 1M /dev/urandom >bytes
	sum=$(sha256sum <bytes)
	run -0 sandbox_on_terminal -r -- sh -c 'head -c 1048576 | sha256sum' <bytes
	[ "$output" = "$sum" ]
}

@test "terminal: the modes are the workload's own: what it sets, it finds, and lines end once" {
	run -0 sandbox_on_terminal -1 -- sh -c 'stty -echo -icanon; stty -a' </dev/null
	[[ "$output" == *" -icanon "*" -echo "* ]]
	# The caller's in the control, and the caller's line discipline turns no byte twice.
	run -0 sandbox_on_terminal -0 -- sh -c 'stty -a <&1; printf "a\nb\n"' </dev/null
	[[ "$output" == *" icanon "*" echo "*$'\r\na\r\nb\r'* ]]
	[[ "$output" != *$'\r\r'* ]]
}

@test "terminal: /dev/tty is the sandbox's own, and the caller's is nowhere" {
	local caller
	caller=$(on_terminal -1 sh -c 'stat -L -c %d:%r /dev/tty <&0; stat -c %d:%r "$(tty)"' </dev/null | tail -n 1)
	[ -n "$caller" ]
	run -0 sandbox_on_terminal -1 -- sh -c \
		'for f in 0 2; do stat -L -c %d:%r /proc/$$/fd/$f; done; tty; echo x >/dev/tty && echo opened; ls /dev/pts' </dev/null
	[[ "$output" == *"/dev/pts/0"*opened*0*ptmx* ]]
	[[ "$output" != *"$caller"* ]]
}

has_monitor() {
	keeper=$(pgrep -f -- "^$CORDON --root $CORDON_ROOT run" | head -n 1) &&
		monitor=$(pgrep -P "$keeper" -x cordon-monitor)
}

# Of the monitor whose keeper is $keeper: what it could do if its memory were the workload's.
# bats test_tags=vm
@test "terminal: the monitor is confined before it reads a byte" {
	local terminal keeper monitor
	mkfifo keys
	exec 7<>keys
	on_terminal -1 "$CORDON" --root "$CORDON_ROOT" run -- cat <keys >out 3>&- 7>&- &
	terminal=$!
	eventually has_monitor
	printf 'through\n' >&7
	eventually grep -q through out
	local status
	status=$(cat "/proc/$monitor/status")
	local name value
	while read -r name value; do
		[ "$(awk -v n="$name:" '$1 == n { print $2 }' <<<"$status")" = "$value" ] ||
			{ echo "$name is not $value"; echo "$status"; return 1; }
	done <<-END
		CapInh 0000000000000000
		CapPrm 0000000000000000
		CapEff 0000000000000000
		CapAmb 0000000000000000
		NoNewPrivs 1
		Seccomp 2
	END
	[ "$(awk '{ print $6 }' "/proc/$monitor/stat")" = "$monitor" ]
	if is_root; then
		# No account's id, no group; and only root may look.
		[ "$(awk '/^Uid:/ { print $2 }' <<<"$status")" -gt 65535 ]
		[ "$(awk '/^CapBnd:/ { print $2 }' <<<"$status")" = 0000000000000000 ]
		[ "$(awk '/^Groups:/ { print NF }' <<<"$status")" -eq 1 ]
		[ "$(cd "/proc/$monitor/fd" && echo *)" = "0 1 2" ]
		[ "$(awk '/^Max (file size|open files|processes)/ { print $(NF - 1) }' "/proc/$monitor/limits" | sort -u | tr '\n' ' ')" != "" ]
	else
		# Undumpable: not even its own user can look into it.
		run -1 cat "/proc/$monitor/environ"
		[ "$(stat -c %u "/proc/$monitor/fd")" -eq 0 ]
	fi
	kill -TERM "$keeper"
	wait "$terminal" || true
	exec 7>&-
}
