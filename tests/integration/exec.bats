#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# How a program ends, and how it is found: exit codes, signals, 125 to 127, argv[0], the directory.

load ../lib/cordon
load ../lib/attack

@test "exit: every code from 0 to 255 is the program's own" {
	local code
	for ((code = 0; code < 256; code += 3)); do
		gives "$code" "" inside "exit $code"
	done
	gives 255 "" inside "exit 255"
}

@test "exit: a signal's death gives 128 and its number, and no line of cordon's" {
	local signo
	for signo in 1 2 3 4 6 8 9 10 11 13 14 15 34 64; do
		gives $((128 + signo)) "" inside "kill -$signo \$\$"
	done
}

@test "exit: what the program leaves running ends with it" {
	local start=$SECONDS
	# A time that nobody else sleeps.
	gives 3 "" inside "sleep 100.$$ & exit 3"
	[ $((SECONDS - start)) -lt 30 ]
	run -1 grep "sleep 100.$$" <<<"$(host_processes)"
}

@test "127: no such program, by name, by path, and the interpreter of a script" {
	says 127 "cordon: step program: no-such-program: not in the sandbox's PATH (/usr/local/bin:/usr/bin:/bin)*" \
		cordon run -- no-such-program
	says 127 "cordon: /no/such/program: No such file or directory*" cordon run -- /no/such/program
	printf '#!/no/such/interpreter\n' >"$PWD/script"
	chmod 755 "$PWD/script"
	says 127 "*/script: No such file or directory*interpreter or loader*" \
		cordon run -- "$PWD/script"
}

@test "126: a file that is not executable, a directory, and a file of no known format" {
	says 126 "cordon: step program: /etc/passwd: Permission denied*" cordon run -- /etc/passwd
	says 126 "cordon: step program: /usr: Permission denied*" cordon run -- /usr
	head -c 64 /dev/zero >"$PWD/zeroes"
	chmod 755 "$PWD/zeroes"
	says 126 "*/zeroes: Exec format error*" cordon run -- "$PWD/zeroes"
}

@test "125: cordon's own errors, and a program may use the number too" {
	says 125 "cordon: no program to run*" cordon run
	says 125 "cordon: no image ./a.out; to run a program of this host: cordon run -- ./a.out *" cordon run ./a.out
	gives 125 "" inside 'exit 125'
}

@test "argv: passed word for word, argv[0] as the caller wrote it" {
	gives 0 "cat|/proc/self/cmdline||a b|*|" inside "cat /proc/self/cmdline '' 'a b' '*' 2>/dev/null | tr '\\0' '|'"
	gives 0 "3 a b--" cordon run -- sh -c 'echo "$# $1$2$3"' sh 'a b' '' --
	gives 0 "/usr/bin/sh" cordon run -- /usr/bin/sh -c 'tr "\0" "\n" </proc/$$/cmdline | head -n 1; exit 0'
	gives 0 "busy" cordon run -- sh -c 'echo $0' busy
}

@test "a program named by a path is shown alone and read-only" {
	mkdir "$PWD/dir"
	cp "$ATTACK/call" "$PWD/dir/a.out"
	echo secret >"$PWD/dir/neighbour"
	cd dir
	gives 0 ok cordon run -- ./a.out getpid
	# Its own file, for writing: as root it is not even the workload's, where everybody may execute
	# it. And the file beside it, for reading.
	if [ "$(id -u)" -eq 0 ]; then
		gives 42 EACCES cordon run -- ./a.out access "text:$PWD/a.out" 2
		chmod 0700 a.out
	fi
	gives 42 EROFS cordon run -- ./a.out access "text:$PWD/a.out" 2
	gives 42 ENOENT cordon run -- ./a.out open "text:$PWD/neighbour" 0 0
	gives 0 ok cordon run --ro . -- ./a.out open "text:$PWD/neighbour" 0 0
}

@test "start directory: the policy's, else the caller's where it is visible, else /tmp" {
	gives 0 /tmp inside pwd
	gives 0 "$BATS_TEST_TMPDIR" inside pwd --ro .
	gives 0 /usr/bin inside pwd -w /usr/bin
	gives 0 /usr/bin inside pwd --ro . -w /usr/bin
	says 125 "cordon: step working_dir: process.working_dir: /nowhere: No such file or directory*" \
		inside pwd -w /nowhere
	cd /usr/lib
	gives 0 /usr/lib inside pwd
}

# bats test_tags=root
@test "start directory: one that the workload may not enter is refused, not entered with our rights" {
	mkdir -m 0700 "$PWD/closed"
	chown 12345 "$PWD/closed"
	says 125 "cordon: step working_dir: process.working_dir: */closed: Permission denied*" \
		inside pwd --ro "$BATS_TEST_TMPDIR" -w "$PWD/closed"
	chown 0 "$PWD/closed"
	gives 0 "$PWD/closed" \
		inside pwd --ro "$BATS_TEST_TMPDIR" -w "$PWD/closed"
}
