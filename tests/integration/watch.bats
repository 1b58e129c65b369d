#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is used, while it runs: --sample and --top.

load ../lib/cordon
load ../lib/attack
load ../lib/tmux

. "$repo/tests/lib/groups.bash"

teardown() {
	tmux_stop
	cordon_teardown
}

# bats test_tags=root
@test "sample: a line every 20 ms that says what is used, between started and the result" {
	cordon run --sample 20ms --status-fd 3 --timeout 20s -- \
		python3 -c 'x = bytearray(40 << 20)
import time; time.sleep(0.5)' 3>events
	[ "$(jq -r .event events | head -n 1)" = started ]
	[ "$(tail -n 1 events | jq -r .schema)" = cordon.result/1 ]
	jq -se 'map(select(.event == "sample")) | length >= 5' events
	# It rises with what the program takes, in time's order.
	jq -se 'map(select(.event == "sample")) | (map(.memory_bytes) | max) >= (40 * 1048576)' events
	jq -se 'map(select(.event == "sample")) | map(.wall_ms) | . == sort' events
	jq -se 'map(select(.event == "sample")) | map(.cpu_us) | . == sort and .[-1] > 0' events
	jq -se 'map(select(.event == "sample")) | map(.pids) | max == 1' events
	# The control: without the flag there is none.
	cordon run --status-fd 3 -- true 3>events
	[ "$(grep -c sample events)" = 0 ]
}

# bats test_tags=root
@test "sample: a reader that does not read holds nothing up: the limits are kept" {
	mkfifo pipe
	{ exec 5<pipe; exec sleep 20; } 3>&- &
	sleeper=$!
	gives 137 "" cordon run -q --sample 5ms --status-fd 3 --timeout 2s -- sleep 15 3<>pipe
	kill "$sleeper"
}

@test "sample, top: what cannot be is refused, with what to write" {
	says 125 $'cordon: --sample writes to --status-fd, and there is none\ncordon:   hint: *' \
		cordon run --sample 50ms -- true
	says 125 "cordon: --sample soon: not a time of 5 ms or more*" \
		cordon run --sample soon --status-fd 3 -- true 3>/dev/null
	says 125 "cordon: --top draws on the terminal at stderr, and there is none*" \
		cordon run --top -- true
}

# bats test_tags=user
@test "sample: without a control group nothing can be measured, and it is refused with the remedy" {
	says 125 $'cordon: --sample and --top cannot measure the number of tasks: *\ncordon: * memory: *\ncordon: * processor time: *\ncordon:   hint: *' \
		cordon run --sample 50ms --status-fd 3 -- true 3>/dev/null
	# One remedy covers all, and is said once.
	[ "$(grep -c 'hint: ' <<<"$output")" -eq 1 ]
	groups_is_v2 || [[ "$output" == *" /sys/fs/cgroup/"*"memory"*"pids"*"do "*"mkdir "* ]]
	gives 0 "" cordon run --status-fd 3 -- true 3>/dev/null
}

# bats test_tags=root
@test "top: the last line shows what is used and of how much; the program's own lines scroll above" {
	tmux_start 80 12
	type_line "\$C run --top --set limits.pids=9 --set limits.memory=64MiB -- sh -c 'seq 30; sleep 60'; echo rc=\$?"
	shows '^[0-9.]+ s \| memory [0-9.]+ [KM]iB/64 MiB \| tasks [12]/9 \| cpu '
	[[ "$(screen | tail -n 1)" == *"/64 MiB"* ]]
	# The program's lines are whole, and stand above it.
	[ "$(screen | tail -n 3 | head -n 2)" = $'29\n30' ]
	key C-c
	shows 'rc=130$'
	# The whole screen scrolls again, and the line has gone.
	type_line 'seq 40'
	shows '^40$'
	[ "$(screen | grep -c '/64 MiB')" = 0 ]
}
