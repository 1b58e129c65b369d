# SPDX-License-Identifier: LGPL-2.1-or-later
# For the integration tests: `load ../lib/attack` below `load ../lib/cordon`.
#
#	gives CODE TEXT COMMAND...	the command ends with that code and prints exactly that
#	says CODE PATTERN COMMAND...	... and prints something that the glob matches
#	inside SCRIPT [FLAG...]		a shell script in a sandbox
#	without ROW inside SCRIPT ...	the same with one row of the plan left out: the control of a denial
#	without ROW cordon ARG...
#	answers CALL WITH WITHOUT	what a raw system call is told with the filter, and without it
#	make_rootfs DIR			a small tree with busybox, for rootfs.from: dir:DIR
#	fill FIFO			so that its next writer waits
#	together FUNCTION...		all at the same time, each in a directory of its own: for what waits
#					for a clock
#
# `without` runs the program of VARIANT=fault; row names are those of `cordon explain`.
# shellcheck shell=bash

bats_require_minimum_version 1.5.0 # run -CODE

ATTACK=$repo/build/tests
FAULTY=$repo/build/fault/cordon

# The state lies beside the test's own directory, which tests show to their sandboxes.
setup() {
	cordon_setup
	# cordon.bash reads it.
	# shellcheck disable=SC2034
	CORDON_ROOT=$BATS_TEST_TMPDIR.root
	cd "$BATS_TEST_TMPDIR" || return
}

is_root() {
	[ "$(id -u)" -eq 0 ]
}

gives() { # CODE TEXT COMMAND...
	local code=$1 text=$2
	shift 2
	if ! run "-$code" "$@" || [ "$output" != "$text" ]; then
		printf '%s\nexit code %s, wanted %s\n%s\nwanted:\n%s\n' "$*" "$status" "$code" "$output" "$text"
		return 1
	fi
}

says() { # CODE PATTERN COMMAND...
	local code=$1 pattern=$2
	shift 2
	# A pattern on purpose.
	# shellcheck disable=SC2053
	if ! run "-$code" "$@" || [[ $output != $pattern ]]; then
		printf '%s\nexit code %s, wanted %s\n%s\nwanted:\n%s\n' "$*" "$status" "$code" "$output" "$pattern"
		return 1
	fi
}

inside() { # SCRIPT [FLAG...]
	cordon run "${@:2}" -- sh -c "$1"
}

without() { # ROW COMMAND...
	CORDON=$FAULTY CORDON_FAULT=$1:skip "${@:2}"
}

# CALL is the words of a call, WITH and WITHOUT what it prints: "ok" or the name of an errno.
answers() { # CALL WITH WITHOUT [FLAG...]
	local words code=42
	read -ra words <<<"$1"
	[ "$2" != ok ] || code=0
	gives "$code" "$2" cordon run "${@:4}" -- "$ATTACK/call" "${words[@]}" || return 1
	code=42
	[ "$3" != ok ] || code=0
	gives "$code" "$3" without seccomp cordon run "${@:4}" -- "$ATTACK/call" "${words[@]}"
}

# A pipe that somebody has open to read: no byte more goes in.
fill() { # FIFO
	run -1 dd if=/dev/zero of="$1" oflag=nonblock bs=4096 status=none
	[[ "$output" == *"Resource temporarily unavailable"* ]]
}

# Fails where one of them does, at its first command that fails, and prints what those said.
together() { # FUNCTION...
	local name rc=0 own
	local -A pids
	for name; do
		own=$BATS_TEST_TMPDIR/$name
		mkdir "$own"
		(set -eE && cd "$own" && "$name") >"$own.said" 2>&1 3>&- &
		pids[$name]=$!
	done
	for name; do
		wait "${pids[$name]}" && continue
		rc=1
		printf '%s failed:\n' "$name"
		cat "$BATS_TEST_TMPDIR/$name.said"
	done
	return "$rc"
}

# Sets init, the process 1 of the sandbox whose keeper has the pid $keeper.
has_init() {
	init=$(pgrep -P "$keeper" | head -n 1)
	[ -n "$init" ] && [ "$(cat "/proc/$init/comm")" = cordon-init ]
}

make_rootfs() { # DIR
	local applet
	need busybox
	mkdir -p "$1"/{bin,etc,dev,proc,tmp,home/user}
	cp "$(command -v busybox)" "$1/bin/busybox"
	for applet in sh cat ls echo id touch mkdir rm readlink stat sleep dd mount env; do
		ln -s busybox "$1/bin/$applet"
	done
	echo 'root:x:0:0::/:/bin/sh
user:x:1000:1000::/home/user:/bin/sh' >"$1/etc/passwd"
	echo 'root:x:0:
user:x:1000:' >"$1/etc/group"
}

# A tree as text: names, types, modes, owners, sizes, links and times of change. For "nothing of it
# was touched".
tree_state() { # DIR
	find "$1" -printf '%p %y %m %U:%G %s %l %T@ %C@\n' | sort
}
