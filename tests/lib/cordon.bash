# SPDX-License-Identifier: LGPL-2.1-or-later
# Shared by the bats files: `load ../lib/cordon` at the top. Each test gets its own --root.
#
#	cordon ARG...			the program of $VARIANT with this test's --root
#	denied NAME OUTCOME [FLAG...]	the hostile program's attempt is stopped, with that errno
#	allowed NAME [FLAG...]		... gets through: the positive control
#	sentinel CODE ARG...		cordon ends with exactly that code
#	snapshot, unchanged		what the host looks like, and that it still does
#	eventually COMMAND...		waits until it is true
#
# A test that makes sense for root or for an ordinary user only says so by a tag in the line above
# it: `# bats test_tags=root` or `user`. A skip is for what the machine lacks.
# shellcheck shell=bash

repo=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
CORDON=${CORDON:-$repo/build/${VARIANT:-release}/cordon}
HOSTILE=$repo/build/hostile
. "$repo/tests/lib/host.bash"

# A child between clone and exec cannot run the leak check.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0}

# bats calls these for every test; a file that has its own calls cordon_setup and cordon_teardown.
setup() { cordon_setup; }
teardown() { cordon_teardown; }

cordon_setup() {
	CORDON_ROOT=$BATS_TEST_TMPDIR/root
	decoy_pid=
}

# What a test leaves behind is a failure of that test; the run root may stay, but empty.
cordon_teardown() {
	decoy_stop
	if [ -d "$CORDON_ROOT" ] && left=$(cd "$CORDON_ROOT" && find . -path './run/*' ! -path ./run/runs ! -path ./run/sandboxes ! -path ./run/boot_id -print) &&
		[ -n "$left" ]; then
		printf 'left in the run root:\n%s\n' "$left"
		return 1
	fi
}

cordon() {
	"$CORDON" --root "$CORDON_ROOT" "$@"
}

snapshot() {
	host_snapshot >"$BATS_TEST_TMPDIR/host"
}

unchanged() {
	host_unchanged "$BATS_TEST_TMPDIR/host"
}

# Runs cordon and demands one exit code. "Not zero" is no assertion: a launcher that falls over is
# not a sandbox that holds.
sentinel() { # CODE ARG...
	local want=$1
	shift
	run cordon "$@"
	[ "$status" -eq "$want" ] || {
		printf 'exit code %s, wanted %s\n%s\n' "$status" "$want" "$output"
		return 1
	}
}

# A victim process with a listener on loopback, an abstract socket and shared memory. Sets
# decoy_plan, the arguments by which the hostile program finds it. Ends when the test does.
decoy_start() {
	local fifo=$BATS_TEST_TMPDIR/decoy decoy_name=cordon-decoy-$$-$RANDOM
	mkfifo "$fifo" "$fifo.out"
	# A name of its own: the attempt looks for argv[0].
	(exec -a "$decoy_name" "$HOSTILE" decoy "$decoy_name" <"$fifo" >"$fifo.out" 3>&-) &
	decoy_pid=$!
	exec {decoy_fd}>"$fifo"
	read -r decoy_plan <"$fifo.out"
	decoy_plan+=" name=$decoy_name"
}

decoy_stop() {
	[ -n "$decoy_pid" ] || return 0
	exec {decoy_fd}>&-
	wait "$decoy_pid" || true
	decoy_pid=
}

# One attempt of the hostile program, as cordon's workload. Sets status and outcome.
attempt() { # NAME [FLAG...]
	local name=$1
	shift
	# The plan is words on purpose.
	# shellcheck disable=SC2086
	run cordon run "$@" -- "$HOSTILE" "only=$name" ${decoy_plan:-} ${plan:-}
	outcome=$(awk -F '\t' -v name="$name" '$1 == name { print $2 }' <<<"$output")
}

denied() { # NAME OUTCOME [FLAG...]; OUTCOME may be several, split by "|"
	local name=$1 want=$2
	attempt "$name" "${@:3}"
	if [ "$status" -ne 42 ] || [[ "|$want|" != *"|$outcome|"* ]]; then
		printf '%s: exit code %s, outcome "%s"; wanted 42 and %s\n%s\n' \
			"$name" "$status" "$outcome" "$want" "$output"
		return 1
	fi
}

allowed() { # NAME [FLAG...]
	attempt "$@"
	if [ "$status" -ne 0 ] || [ "$outcome" != ok ]; then
		printf '%s: exit code %s, outcome "%s"; wanted 0 and ok\n%s\n' \
			"$1" "$status" "$outcome" "$output"
		return 1
	fi
}

# Waits for a command to be true: fifty seconds, and 500 tries where they take longer. Not for what
# comes true by itself in that time.
eventually() { # COMMAND...
	local i until=$((SECONDS + 50))
	for ((i = 0; i < 500 || SECONDS < until; i++)); do
		! "$@" >/dev/null 2>&1 || return 0
		sleep 0.02
	done
	printf 'never came true: %s\n' "$*"
	return 1
}

# A tool that the test cannot do without.
need() { # TOOL...
	local tool
	for tool; do
		command -v "$tool" >/dev/null || skip "no $tool"
	done
}
