#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# limits.idle_time: no processor used and no output for so long. A user needs a control group for
# it, which somebody else has to make: root's half has the tests.

load ../lib/cordon
load ../lib/attack

verdict() {
	jq -r '"\(.kind) \(.limit)"' report
}

idle() { # TIME ARG...
	cordon run --report report --timeout 60s --set "limits.idle_time=$1" "${@:2}"
}

# bats test_tags=root
@test "idle_time: a program that sleeps is ended: 137, the line, the report" {
	need jq
	gives 137 "cordon: ended by limits.idle_time: 500 ms (command line)" idle 500ms -- sleep 50
	[ "$(verdict)" = "idle_time limits.idle_time" ]
	jq -e '.wall_ms >= 500 and .output_bytes == 0' report
	# Children that wait for each other, and one that is stopped.
	gives 137 "" idle 500ms -q -- sh -c 'sleep 50 | sleep 50 & kill -STOP $!; wait'
	[ "$(verdict)" = "idle_time limits.idle_time" ]
}

# Without a fork, which is work.
writes='import os, sys, time
for i in range(8):
    time.sleep(0.5)
    os.write(int(sys.argv[1]), b"x")
sys.exit(3)'

writes_to() { # FD
	run -3 idle 2s -- /usr/bin/python3 -c "$writes" "$1"
	[ "$(verdict)" = "exited null" ]
	jq -e '.output_bytes == 8' report
}

writes_to_stdout() {
	writes_to 1
}

writes_to_stderr() {
	writes_to 2
}

# The control: the same, and what it says goes nowhere.
writes_elsewhere() {
	gives 137 "" idle 2s -q --fd 9 -- /usr/bin/python3 -c "$writes" 9 9>/dev/null
	[ "$(verdict)" = "idle_time limits.idle_time" ]
}

# bats test_tags=root
@test "idle_time: output is no idleness, wherever it goes" {
	need jq python3
	together writes_to_stdout writes_to_stderr writes_elsewhere
}

pieces='import sys, time
end = time.monotonic() + 4
while time.monotonic() < end:
    begin = time.process_time()
    while time.process_time() - begin < float(sys.argv[1]):
        pass
    time.sleep(0.1)
sys.exit(3)'

# 20 ms of each 120 are at least a twelfth; 2 s without them would be its end.
works_in_pieces() {
	run -3 idle 2s -- /usr/bin/python3 -c "$pieces" 0.02
	[ "$(verdict)" = "exited null" ]
}

# A wake-up and nothing else, ten times a second.
wakes_up() {
	gives 137 "" idle 1s -q -- /usr/bin/python3 -c "$pieces" 0
	[ "$(verdict)" = "idle_time limits.idle_time" ]
}

# bats test_tags=root
@test "idle_time: work is no idleness, also in little pieces; the timers of one that sleeps are" {
	need jq python3
	together works_in_pieces wakes_up
}

is_not_read() { # COMMAND...
	local code=0
	mkfifo never
	exec 7<>never
	fill never
	idle 1s -- "$@" >never 2>/dev/null || code=$?
	[ "$code" -eq 137 ]
	[ "$(verdict)" = "idle_time limits.idle_time" ]
}

goes_on_writing() {
	is_not_read yes
}

# Also where the program has ended: the sandbox's own pipe holds it all.
has_written() {
	is_not_read head -c 60000 /dev/zero
}

is_read_slowly() {
	idle 4s -- head -c 200000 /dev/zero |
		for _ in 1 2 3 4 5; do sleep 1; head -c 40000; done | wc -c >got
	[ "$(verdict)" = "exited null" ]
}

# bats test_tags=root
@test "idle_time: a reader that takes nothing for so long ends the run, one that takes a little does not" {
	need jq
	together goes_on_writing has_written is_read_slowly
}

# bats test_tags=user
@test "idle_time: without a control group it is refused, with the way to one" {
	says 125 "cordon: limits.idle_time: *cpuacct*hint: *" cordon run --set limits.idle_time=1s -- true
	says 0 "*not enforced here: limits.idle_time*" cordon run --set when_possible.limits.idle_time=1s -- true
}
