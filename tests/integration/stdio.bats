#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Descriptors 0, 1 and 2 are the program's as if it ran directly; nothing else is passed on.

load ../lib/cordon
load ../lib/attack

digest() {
	sha256sum | cut -d ' ' -f 1
}

# The descriptors named by letters of "012" are closed for the command.
closed() { # LETTERS COMMAND...
	(
		[[ $1 != *0* ]] || exec 0<&-
		[[ $1 != *1* ]] || exec 1>&-
		[[ $1 != *2* ]] || exec 2>&-
		exec 3>&-
		"${@:2}"
	)
}

@test "stdin and stdout: every byte value, and 64 MiB, come through unchanged" {
	local all=$BATS_TEST_TMPDIR/all
	head -c 67108864 /dev/urandom >"$all"
	[ "$(cordon run -- cat <"$all" | digest)" = "$(digest <"$all")" ]
	[ "$(tee <"$all" | cordon run -- cat | digest)" = "$(digest <"$all")" ]
}

@test "stdout and stderr are two, in files, pipes and where both are one" {
	inside 'echo out; echo err >&2' >"$PWD/out" 2>"$PWD/err"
	[ "$(cat "$PWD/out")" = out ]
	[ "$(cat "$PWD/err")" = err ]
	[ "$(inside 'echo out; echo err >&2' 2>/dev/null)" = out ]
	[ "$(inside 'echo out; echo err >&2' 2>&1)" = $'out\nerr' ]
	# A file opened to append stays so.
	echo first >"$PWD/log"
	inside 'echo second' >>"$PWD/log"
	[ "$(cat "$PWD/log")" = $'first\nsecond' ]
}

# bats test_tags=vm
@test "descriptors 0, 1 and 2, closed in every combination, are closed for the program" {
	local letters direct sandboxed
	for letters in "" 0 1 2 01 02 12 012; do
		direct=0 sandboxed=0
		closed "$letters" "$ATTACK/descriptors" </dev/null || direct=$?
		closed "$letters" cordon run -- "$ATTACK/descriptors" </dev/null || sandboxed=$?
		[ "$direct" -ge 64 ] && [ "$direct" -eq "$sandboxed" ] || {
			echo "closed '$letters': directly $direct, in a sandbox $sandboxed"
			return 1
		}
	done
	[ "$direct" -eq 71 ]
}

@test "a reader sees the end when the program closes its output, not when it ends" {
	local line pid reader start=$SECONDS
	mkfifo pipe
	"$CORDON" --root "$CORDON_ROOT" run --timeout 40s -- sh -c 'echo first; exec >&-; sleep 30' >pipe 3>&- &
	pid=$!
	exec {reader}<pipe
	read -r line <&"$reader"
	[ "$line" = first ]
	run -1 read -r line <&"$reader"
	[ $((SECONDS - start)) -lt 20 ]
	kill "$pid"
	wait "$pid" || [ $? -eq 143 ]
}

@test "SIGPIPE: a program whose reader has gone dies of it" {
	# With SIGPIPE ignored in cordon's caller, too: dispositions are reset.
	(
		trap '' PIPE
		cordon run -- yes || echo $? >code
	) | head -n 1 >/dev/null
	[ "$(cat code)" -eq 141 ]
	# The control: directly, yes has the caller's disposition, and a write that fails.
	(
		trap '' PIPE
		yes 2>/dev/null || echo $? >code
	) | head -n 1 >/dev/null
	[ "$(cat code)" -eq 1 ]
}

@test "inherited descriptors from 3 on do not reach the program" {
	echo secret >"$PWD/secret"
	local script='ls /proc/self/fd | tr "\n" " "; cat <&7'
	says 2 "0 1 2 3 *7: Bad file descriptor" inside "$script" 5<"$PWD/secret" 7<"$PWD/secret"
	# The control: without cordon it reads the secret.
	says 0 "0 1 *secret" sh -c "$script" 7<"$PWD/secret"
	# The row descriptors closes them, and sees where it has not.
	says 125 "cordon: step descriptors: descriptor * is still open" without descriptors inside "$script" 7<"$PWD/secret"
}

@test "--status-fd's descriptor is cordon's alone" {
	says 2 "*Bad file descriptor" inside 'echo x >&7' --status-fd 7 7>"$PWD/status"
	[ "$(grep -c event "$PWD/status")" -eq 1 ]
}

@test "a directory as stdin, stdout or stderr is refused: it would lead out" {
	says 125 "cordon: stdin (descriptor 0) is a directory: it would lead out of the sandbox*" \
		cordon run -- true </
	run -125 bash -c '"$@" 2</usr; exit $?' bash "$CORDON" --root "$CORDON_ROOT" run -- true
	gives 0 "" cordon run -- true </dev/null
}

@test "an O_PATH descriptor as stdin is refused" {
	need python3
	local opens='import os, sys; fd = os.open("/etc/hostname", os.O_PATH); os.dup2(fd, 0); os.execv(sys.argv[1], sys.argv[1:])'
	says 125 "cordon: stdin (descriptor 0) is an O_PATH descriptor: it would lead out of the sandbox*" \
		/usr/bin/python3 -c "$opens" "$CORDON" --root "$CORDON_ROOT" run -- true
	gives 0 "" /usr/bin/python3 -c "${opens/os.O_PATH/os.O_RDONLY}" \
		"$CORDON" --root "$CORDON_ROOT" run -- true
}
