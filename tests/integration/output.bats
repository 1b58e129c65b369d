#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# limits.output: exactly so many bytes of stdout and stderr together, and then the end. What comes
# before that arrives as it does without a relay.

load ../lib/cordon
load ../lib/attack

# "KIND LIMIT OUTPUT_BYTES" of the report.
verdict() {
	jq -r '"\(.kind) \(.limit) \(.output_bytes)"' report
}

counted() { # LIMIT ARG...
	cordon run --report report --set "limits.output=$1" "${@:2}"
}

# `run` would take the output for itself.
ends() { # CODE COMMAND...
	local code=0
	"${@:2}" || code=$?
	[ "$code" -eq "$1" ]
}

# A directory that the sandbox may write; as root it has another owner.
make_room() {
	mkdir room
	! is_root || chown 61235:61235 room
}

digest() {
	sha256sum | cut -d ' ' -f 1
}

line="cordon: ended by limits.output: 1000 bytes (command line)"

@test "output: the first N bytes arrive, the next ends everything: 137, the line, the report" {
	need jq
	local out script='trap "" TERM PIPE; yes & yes'
	for out in pipe file; do
		if [ "$out" = pipe ]; then
			ends 137 counted 1000 -- sh -c "$script" 2>note | cat >got
			[ "${PIPESTATUS[0]}" -eq 0 ]
		else
			ends 137 counted 1000 -- sh -c "$script" >got 2>note
		fi
		[ "$(wc -c <got)" -eq 1000 ]
		[ "$(tr -d 'y\n' <got)" = "" ]
		[ "$(cat note)" = "$line" ]
		[ "$(verdict)" = "output limits.output 1000" ]
	done
	# In a profile it is named with file and line; -q is silent.
	printf 'cordon: 1\nextends: default\nlimits:\n  output: 16KiB\n' >loud.yaml
	run -137 --separate-stderr cordon run --profile ./loud.yaml -- yes
	[ "$stderr" = "cordon: ended by limits.output: 16 KiB (./loud.yaml:4)" ]
	run -137 --separate-stderr cordon run -q --profile ./loud.yaml -- yes
	[ "$stderr" = "" ]
}

@test "output: N bytes and no more are no end; one more is, also of a program that has ended by then" {
	need jq
	local n
	for n in 0 1 4095 4096 4097 65536 100000; do
		[ "$(counted "$n" -- head -c "$n" /dev/zero | wc -c)" -eq "$n" ]
		[ "$(verdict)" = "exited null $n" ]
		[ "$(counted "$n" -- head -c "$((n + 1))" /dev/zero 2>note | wc -c)" -eq "$n" ]
		[ "$(verdict)" = "output limits.output $n" ]
	done
}

@test "output: stdout and stderr count together, each arrives where it belongs" {
	need jq
	ends 137 counted 1000 -- sh -c 'head -c 600 /dev/zero; head -c 600 /dev/zero >&2; sleep 30' >out 2>err
	[ "$(wc -c <out)" -eq 600 ]
	[ "$(head -c 400 err | wc -c)" -eq 400 ]
	[ "$(tr -d '\0' <err)" = "$line" ]
	[ "$(verdict)" = "output limits.output 1000" ]
	# Where there is none of one of them.
	ends 137 counted 1000 -- yes 2>&- >out
	[ "$(wc -c <out)" -eq 1000 ]
	ends 137 counted 1000 -- sh -c 'yes >&2' 2>err >&-
	[ "$(head -c 1000 err | tr -d 'y\n' | wc -c)" -eq 0 ]
	counted 1000 -- true >&- 2>&-
}

@test "output: every byte value and 16 MiB come through unchanged, to a pipe, a file, a socket, /dev/null" {
	need python3
	local all=$BATS_TEST_TMPDIR/all
	head -c 16777216 /dev/urandom >"$all"
	[ "$(counted 1GiB -- cat <"$all" | digest)" = "$(digest <"$all")" ]
	counted 1GiB -- cat <"$all" >copy
	cmp "$all" copy
	counted 1GiB -- cat <"$all" >/dev/null
	/usr/bin/python3 -c '
import hashlib, socket, subprocess, sys
ours, theirs = socket.socketpair()
child = subprocess.Popen(sys.argv[1:], stdout=theirs, stdin=open("'"$all"'"))
theirs.close()
digest = hashlib.sha256()
while True:
    data = ours.recv(65536)
    if not data:
        break
    digest.update(data)
print(digest.hexdigest(), child.wait())' "$CORDON" --root "$CORDON_ROOT" run --set limits.output=1GiB -- cat >socket
	[ "$(cat socket)" = "$(digest <"$all") 0" ]
}

@test "output: a file that was opened to append stays so; /dev/stdout and /dev/stderr can be opened anew" {
	echo first >log
	counted 1KiB -- sh -c 'echo second; echo third >&2' >>log 2>>log
	[ "$(cat log)" = $'first\nsecond\nthird' ]
	# Without the relay the file is root's, and cannot be opened anew.
	counted 1KiB -- sh -c 'echo a >/dev/stdout; echo b >/dev/stderr' >out 2>err
	[ "$(cat out) $(cat err)" = "a b" ]
	[ "$(counted 1KiB -- sh -c 'echo a >/dev/stdout; echo b >>/dev/stderr' 2>&1)" = $'a\nb' ]
}

@test "output: where stdout and stderr are one, what is written comes in that order" {
	# Outside of single quotes it would be this shell's.
	# shellcheck disable=SC2016
	local script='for ((i = 0; i < 3000; i += 2)); do echo $i; echo $((i + 1)) >&2; done'
	seq 0 2999 >want
	counted 1MiB -- bash -c "$script" 2>&1 | cmp - want
	counted 1MiB -- bash -c "$script" >got 2>&1
	cmp got want
	rm got
	counted 1MiB -- bash -c "$script" >>got 2>>got
	cmp got want
}

@test "output: the reader that leaves is noticed: SIGPIPE, and EPIPE where that is ignored" {
	{ counted 1GiB -- yes || echo $? >code; } | head -n 1 >/dev/null
	[ "$(cat code)" -eq 141 ]
	{ ends 1 counted 1GiB -- sh -c 'trap "" PIPE; exec yes 2>/dev/null' && touch ignored; } | head -n 1 >/dev/null
	[ -e ignored ]
	# Also by the first write after that, which a reader that is looked for too late would swallow.
	mkfifo gate
	exec 7<>gate
	{ counted 1GiB -- sh -c 'echo one; read -r go; echo two' <gate || echo $? >second; } |
		{ head -n 1 >/dev/null; exec 0<&-; sleep 1; echo go >&7; }
	[ "$(cat second)" -eq 141 ]
	# The control: a reader that stays.
	rm second
	{ counted 1GiB -- sh -c 'echo one; read -r go; echo two' <gate || echo $? >second; } |
		{ head -n 1 >/dev/null; sleep 1; echo go >&7; cat >/dev/null; }
	[ ! -e second ]
	exec 7<&-
}

@test "output: a reader sees the end when the program closes its output, not when it ends" {
	local text pid reader start=$SECONDS
	mkfifo pipe
	"$CORDON" --root "$CORDON_ROOT" run --timeout 40s --set limits.output=1KiB -- \
		sh -c 'echo first; exec >&-; sleep 30' >pipe 3>&- &
	pid=$!
	exec {reader}<pipe
	read -r text <&"$reader"
	[ "$text" = first ]
	run -1 read -r text <&"$reader"
	[ $((SECONDS - start)) -lt 20 ]
	kill "$pid"
	wait "$pid" || [ $? -eq 143 ]
}

# Two pipes of 64 KiB and a buffer stand between them: it cannot have written much more.
waits_for_its_reader() {
	make_room
	counted 1GiB --rw room -- sh -c "head -c 300000 /dev/zero; touch $PWD/room/written" |
		{ sleep 1; [ ! -e room/written ] && cat >got; }
	[ "$(wc -c <got)" -eq 300000 ]
	[ "$(verdict)" = "exited null 300000" ]
	[ -e room/written ]
}

# One that has ended long before it is read.
is_read_late() {
	counted 1GiB -- head -c 100000 /dev/zero | { sleep 4; wc -c >got; }
	[ "$(cat got)" -eq 100000 ]
	[ "$(verdict)" = "exited null 100000" ]
}

@test "output: a reader that is slow makes the program wait, and gets every byte" {
	need jq
	together waits_for_its_reader is_read_late
}

is_not_read() { # COMMAND...
	local start=$SECONDS
	mkfifo never
	exec 7<>never
	fill never
	ends 137 counted 1GiB --timeout 1s -- "$@" >never 2>/dev/null
	[ $((SECONDS - start)) -lt 40 ]
	[ "$(jq -r '"\(.kind) \(.limit) \(.exit_code)"' report)" = "wall_time limits.wall_time null" ]
}

goes_on_writing() {
	is_not_read yes
}

# Not more than the sandbox's own pipe holds.
has_written() {
	is_not_read head -c 60000 /dev/zero
}

# What was written before is delivered all the same: the reader begins after the end has come.
is_read_after_the_end() {
	counted 1GiB --timeout 500ms -- sh -c 'head -c 70000 /dev/zero; sleep 30' 2>&1 | { sleep 1; head -c 70000 | wc -c >got; }
	[ "$(cat got)" -eq 70000 ]
}

@test "output: wall_time holds where nobody reads, and where the program has ended long before" {
	need jq
	together goes_on_writing has_written is_read_after_the_end
}

@test "output: a signal ends the wait for a reader" {
	need jq
	local pid
	mkfifo never
	exec 7<>never
	make_room
	"$CORDON" --root "$CORDON_ROOT" run --report report --rw room --set limits.output=1GiB -- \
		sh -c "head -c 100000 /dev/zero; touch $PWD/room/written" >never 3>&- &
	pid=$!
	eventually test -e room/written
	kill "$pid"
	wait "$pid" || [ $? -eq 143 ]
	[ "$(jq -r '"\(.kind) \(.signal)"' report)" = "signalled 15" ]
	exec 7<&-
}

@test "output: what cannot be written is an error of the run, with its reason" {
	need jq
	[ -c /dev/full ] || skip "no /dev/full"
	ends 125 counted 1KiB -- echo lost >/dev/full 2>note
	[[ "$(cat note)" == "cordon: write what the program prints to where stdout or stderr leads: No space left on device"* ]]
	[ "$(jq -r .kind report)" = setup_failed ]
}

@test "output: a way past the count is refused" {
	need python3
	local opens='import socket, subprocess, sys
ours, theirs = socket.socketpair()
sys.exit(subprocess.call(sys.argv[2:], stdout=theirs, stdin=theirs if sys.argv[1] == "same" else subprocess.DEVNULL))'
	says 125 "cordon: limits.output: descriptor 0 leads to where stdout or stderr does*</dev/null*" \
		/usr/bin/python3 -c "$opens" same "$CORDON" --root "$CORDON_ROOT" run --set limits.output=1KiB -- echo text
	gives 0 "" /usr/bin/python3 -c "$opens" other "$CORDON" --root "$CORDON_ROOT" run --set limits.output=1KiB -- echo text
	# Without the limit nothing is counted.
	gives 0 "" /usr/bin/python3 -c "$opens" same "$CORDON" --root "$CORDON_ROOT" run -- echo text
	ends 125 counted 1KiB --fd 5 -- true 5>file >>file 2>note
	[[ "$(cat note)" == *"descriptor 5 leads to where stdout"*"Leave out --fd 5."* ]]
	counted 1KiB --fd 5 -- true 5>other >>file
}

@test "output: nothing of the caller's is left at 1 and 2, and each row is needed" {
	local script='readlink /proc/self/fd/1'
	counted 1KiB -- sh -c "$script" >got
	[[ "$(cat got)" == pipe:* ]]
	# The control: without the limit it is the file itself.
	inside "$script" >got
	[[ "$(cat got)" != pipe:* ]]
	says 125 "cordon: step output_stdio: descriptor 1 is still the caller's*" \
		without output_stdio cordon run --set limits.output=1KiB -- true
	says 125 "cordon: step output_pipes: descriptor 1 has no pipe*" \
		without output_pipes cordon run --set limits.output=1KiB -- true
	says 125 "cordon: step monitor: the output's relay was not started*" \
		without monitor cordon run --set limits.output=1KiB -- true
	# And without the limit none of them is there.
	run -0 cordon explain -- true </dev/null
	[[ "$output" == *"- output_pipes "* && "$output" == *"- output_stdio "* ]]
}

is_confined() { # PID
	[ "$(awk '/^NoNewPrivs|^Seccomp:/ { print $2 }' "/proc/$1/status" | tr '\n' ' ')" = "1 2 " ]
}

@test "output: the relay's process can do nothing else" {
	local pid relay
	mkfifo gate
	exec 7<>gate
	"$CORDON" --root "$CORDON_ROOT" run --set limits.output=1KiB -- cat <gate >/dev/null 3>&- 7>&- &
	pid=$!
	eventually pgrep -P "$pid" cordon-monitor
	relay=$(pgrep -P "$pid" cordon-monitor)
	eventually is_confined "$relay"
	[ "$(awk '/^CapEff|^CapPrm|^CapInh|^CapAmb/ { print $2 }' "/proc/$relay/status" | sort -u)" = 0000000000000000 ]
	if is_root; then
		[ "$(awk '/^Uid/ { print ($2 >= 65536) }' "/proc/$relay/status")" = 1 ]
		# Its pipe, where that leads, and the keeper. As a user they cannot be seen: it is undumpable.
		[ "$(find "/proc/$relay/fd" -mindepth 1 | wc -l)" -eq 5 ]
	fi
	exec 7>&-
	wait "$pid"
	# Its death is the run's end: nobody would count.
	exec 7<>gate
	"$CORDON" --root "$CORDON_ROOT" run --set limits.output=1KiB -- cat <gate >/dev/null 2>note 3>&- 7>&- &
	pid=$!
	eventually pgrep -P "$pid" cordon-monitor
	eventually pgrep -x -P "$(pgrep -P "$pid" cordon-init)" cat
	kill -KILL "$(pgrep -P "$pid" cordon-monitor)"
	wait "$pid" || [ $? -eq 125 ]
	[[ "$(cat note)" == "cordon: the output's relay ended unexpectedly"* ]]
	exec 7>&-
}

holds_600() {
	[ "$(wc -c <file)" -eq 600 ]
}

@test "output: a terminal's counts as well, together with a pipe's" {
	need jq
	# All three are the terminal; then stdout is a file, and stderr the terminal.
	ends 137 "$ATTACK/terminal" -r "$CORDON" --root "$CORDON_ROOT" run -q --report report --set limits.output=1000 -- \
		yes </dev/null >got
	[ "$(wc -c <got)" -eq 1000 ]
	[ "$(verdict)" = "output limits.output 1000" ]
	ends 0 "$ATTACK/terminal" -r "$CORDON" --root "$CORDON_ROOT" run -q --report report --set limits.output=1000 -- \
		head -c 1000 /dev/zero </dev/null >got
	[ "$(wc -c <got)" -eq 1000 ]
	[ "$(verdict)" = "exited null 1000" ]
	# Two channels: the first is read before there is anything in the second.
	make_room
	{ eventually holds_600 && touch room/go; } 3>&- &
	ends 137 "$ATTACK/terminal" -r bash -c '"$@" >file' bash "$CORDON" --root "$CORDON_ROOT" run -q --report report \
		--set limits.output=1000 --ro "$PWD/room" -- sh -c "head -c 600 /dev/zero
			until [ -e '$PWD/room/go' ]; do sleep 0.02; done; head -c 600 /dev/zero >&2; sleep 30" </dev/null >got
	wait $!
	[ "$(wc -c <file)" -eq 600 ]
	[ "$(wc -c <got)" -eq 400 ]
	[ "$(verdict)" = "output limits.output 1000" ]
}
