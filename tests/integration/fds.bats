#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# --fd: descriptors of the caller's that the program gets at the same number, and no others.

load ../lib/cordon
load ../lib/attack

@test "--fd: a file, a pipe and a socket arrive at their numbers, and nothing else does" {
	echo content >file
	gives 0 content inside 'cat <&7' --fd 7 7<file
	gives 0 $'content\nmore' inside 'cat <&7; cat <&9' --fd 7 --fd=9 7<file 9< <(echo more)
	inside 'echo out >&8' --fd 8 8>out
	[ "$(cat out)" = out ]
	[ "$(inside 'echo piped >&8' --fd 8 8> >(cat))" = piped ]
	# The canary: all others of the caller's are closed, and cordon's own have no place there.
	gives 0 7 cordon run --fd 7 -- "$ATTACK/descriptors" list 3<file 4<file 5<file 6<file 7<file \
		8<file 9<file 10<file 11<file 12<file 13<file 20<file 99<file 200<file
	gives 0 "" cordon run -- "$ATTACK/descriptors" list 3<file 4<file 7<file 99<file
	# The control: the same program run directly has them.
	says 0 "*"$'7\n'"*99*" "$ATTACK/descriptors" list 7<file 99<file
}

@test "--fd at the numbers that cordon and init use themselves" {
	local fd
	echo content >file
	for fd in 3 4 5 10 11 12; do
		eval "gives 0 content cordon run --fd $fd -- bash -c 'cat <&$fd' $fd<file"
		eval "gives 0 $fd cordon run --fd $fd -- '$ATTACK/descriptors' list $fd<file"
	done
}

@test "a reader sees the end when the program closes the descriptor, not when cordon ends" {
	local reader line pid
	mkfifo pipe
	"$CORDON" --root "$CORDON_ROOT" run --timeout 40s --fd 7 -- \
		sh -c 'echo first >&7; exec 7>&-; sleep 30' 7>pipe >/dev/null 2>&1 3>&- &
	pid=$!
	exec {reader}<pipe
	read -r line <&"$reader"
	[ "$line" = first ]
	run -1 read -r -t 20 line <&"$reader"
	kill "$pid"
	wait "$pid" || [ $? -eq 143 ]
}

@test "a file that is read cannot be opened for writing; one that is written carries no setuid bit" {
	echo text >file
	chmod 0666 file
	says 2 "*cannot create /proc/self/fd/7: Read-only file system" inside 'echo x >/proc/self/fd/7' --fd 7 7<file
	[ "$(cat file)" = text ]
	# The control: opened for both it can.
	inside 'echo x >/proc/self/fd/7' --fd 7 7<>file
	[ "$(cat file)" = x ]
	# The file is opened for each program anew.
	# shellcheck disable=SC2129
	says 0 "*setuid and setgid bits refused*" cordon explain --fd 7 -- true 7>>file </dev/null
	says 0 "*setuid and setgid bits not filtered*" cordon explain -- true 7>>file </dev/null
	gives 42 EPERM cordon run --fd 7 -- "$ATTACK/call" fchmod 7 04755 7>>file
	[ "$(stat -c %a file)" = 666 ]
}

@test "the offset of a file is kept" {
	printf 'one\ntwo\n' >file
	exec {fd}<file
	read -r -u "$fd"
	gives 0 two cordon run --fd "$fd" -- bash -c "cat <&$fd"
}

# bats test_tags=root
@test "a pipe can be opened anew in its own direction" {
	[ "$(inside 'echo again >/proc/self/fd/8' --fd 8 8> >(cat))" = again ]
	# The control: without the row it belongs to the host's root.
	says 2 "*Permission denied" without stdio_pipes inside 'echo again >/proc/self/fd/8' --fd 8 8> >(cat)
}

@test "what is not open, not the program's, or said twice, is refused" {
	says 125 "cordon: --fd 77: not an open descriptor*hint: Open it first*" inside true --fd 77
	says 125 "cordon: --fd x: not an open descriptor*" inside true --fd x
	says 125 "cordon: --fd 1: descriptors 0 to 2 are the program's*" inside true --fd 1
	says 125 "cordon: --fd 7: said twice" inside true --fd 7 --fd 7 7</dev/null
	says 125 "cordon: --fd 7: is --status-fd's, which is cordon's alone" \
		inside true --fd 7 --status-fd 7 7>out
	says 125 "cordon: --fd 7: is --status-fd's, which is cordon's alone" \
		inside true --status-fd 7 --fd 7 7>out
}

@test "a directory, an O_PATH descriptor, a handle on the kernel and a terminal are refused" {
	need python3 script
	says 125 "cordon: --fd 7 is a directory: it would lead out of the sandbox*" inside true --fd 7 7</usr
	says 125 "cordon: --fd 7 is a handle on the kernel: it would lead out of the sandbox*" \
		inside true --fd 7 7</proc/self/status
	says 125 "cordon: --fd 7 is a handle on the kernel*" inside true --fd 7 7</proc/self/ns/mnt
	local opens='import os, sys; fd = os.open("/etc/hostname", os.O_PATH); os.dup2(fd, 7); os.execv(sys.argv[1], sys.argv[1:])'
	says 125 "cordon: --fd 7 is an O_PATH descriptor: it would lead out of the sandbox*" \
		/usr/bin/python3 -c "$opens" "$CORDON" --root "$CORDON_ROOT" run --fd 7 -- true
	gives 0 "" /usr/bin/python3 -c "${opens/os.O_PATH/os.O_RDONLY}" \
		"$CORDON" --root "$CORDON_ROOT" run --fd 7 -- true
	says 125 "*cordon: --fd 7 is a terminal: it would give the program the caller's terminal*" \
		script -qec "'$CORDON' --root '$CORDON_ROOT' run --fd 7 -- true 7<>/dev/tty" /dev/null </dev/null
}

@test "a connected unix socket is passed: the two ends can talk" {
	need python3
	gives 0 "from inside" /usr/bin/python3 -c '
import os, socket, subprocess, sys
ours, theirs = socket.socketpair()
os.dup2(theirs.fileno(), 7)
subprocess.run(sys.argv[1:], pass_fds=[7], check=True, stdin=subprocess.DEVNULL)
print(ours.recv(100).decode(), end="")' \
		"$CORDON" --root "$CORDON_ROOT" run --fd 7 -- sh -c 'printf "from inside" >&7'
}

@test "explain names what is passed on" {
	says 0 "*descriptors    0, 1, 2, 7, 9 (--fd) are passed on, no others*" \
		cordon explain --fd 7 --fd 9 -- true 7</dev/null 9</dev/null
}
