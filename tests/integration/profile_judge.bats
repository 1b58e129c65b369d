#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The profile judge: submissions as a contest gets them; each verdict is read from the result alone.

load ../lib/cordon
load ../lib/attack

. "$repo/tests/lib/groups.bash"

teardown() {
	own_groups_end && cordon_teardown
}

# Compiles a submission in C from stdin.
submission() { # NAME
	gcc -O1 -pthread -x c -o "$1" - && chmod 755 "$1"
}

# Prints "KIND CODE LIMIT" of a run, as a grader would find it, and the program's output before.
judge() { # [FLAG...] -- COMMAND...
	cordon run --profile judge -q --report result.json --cgroup-parent "$group" "$@"
	jq -r '"\(.kind) \(.exit_code) \(.limit)"' result.json
}

@test "judge: a correct submission: its output, exited 0, and what it used" {
	own_groups
	submission sum <<<'#include <stdio.h>
int main(void) { long a, sum = 0; while (scanf("%ld", &a) == 1) sum += a; printf("%ld\n", sum); return 0; }'
	gives 0 $'500500\nexited 0 null' judge -- ./sum < <(seq 1000)
	jq -e '.memory_peak_bytes > 0 and .pids_peak == 1 and .cpu_ms >= 0 and .cpu_ms < 2000 and .oom_kills == 0' result.json
	# A failure of its own is its own.
	gives 0 "exited 3 null" judge -- sh -c 'exit 3'
}

@test "judge: a slow one, whether it computes in one process or in many, or sleeps" {
	own_groups
	gives 0 "cpu_time null limits.cpu_time" judge --set limits.cpu_time=300ms -- sh -c 'while :; do :; done'
	jq -e '.cpu_ms >= 300 and .signal == 9' result.json
	# Children count, also those that nobody waits for.
	gives 0 "cpu_time null limits.cpu_time" judge --set limits.cpu_time=300ms -- \
		sh -c 'for i in 1 2 3; do (trap "" INT TERM HUP; while :; do :; done) & done; trap "" CHLD; sleep 100'
	gives 0 "wall_time null limits.wall_time" judge --set limits.wall_time=500ms -- sleep 100
	# The control: a program that is quick enough.
	gives 0 "exited 0 null" judge --set limits.cpu_time=20s -- sh -c 'i=0; while [ $i -lt 1000 ]; do i=$((i+1)); done'
}

@test "judge: a greedy one, itself or its grandchild, by memory and by files" {
	own_groups
	submission greedy <<<'#include <stdlib.h>
#include <string.h>
int main(int n, char **v) { size_t s = strtoul(v[1], 0, 10) << 20; char *p = malloc(s); if (!p) return 9; memset(p, 1, s); return p[s / 2] == n ? 7 : 0; }'
	gives 0 "exited 0 null" judge --set limits.memory=64MiB -- ./greedy 40
	gives 0 "oom null limits.memory" judge --set limits.memory=64MiB -- ./greedy 80
	jq -e '.oom_kills >= 1 and .memory_peak_bytes <= (64 * 1048576)' result.json
	# A grandchild; its parents would have ended well.
	gives 0 "oom null limits.memory" judge --set limits.memory=64MiB --ro "$PWD/greedy" -- \
		sh -c "sh -c '$PWD/greedy 80; true' & sleep 100"
	# Its files are memory.
	gives 0 "oom null limits.memory" judge --set limits.memory=8MiB -- dd if=/dev/zero of=/tmp/x bs=1M count=15 status=none
}

@test "judge: a forking one is refused at 16, and that is told" {
	own_groups
	gives 0 $'16 processes, then EAGAIN\nexited 0 null' judge -- "$ATTACK/processes" 50
	jq -e '.pids_peak == 16 and .pids_refused >= 1' result.json
	# One that fails for it.
	gives 0 $'sh: 0: Cannot fork\npids 2 limits.pids' judge -- sh -c 'for i in $(seq 40); do sleep 9 & done'
	# Threads count.
	submission threads <<<'#include <pthread.h>
#include <unistd.h>
static void *f(void *a) { sleep(100); return a; }
int main(void) { pthread_t t; int n = 0; while (n < 99 && !pthread_create(&t, 0, f, 0)) n++; return n; }'
	gives 0 "pids 15 limits.pids" judge -- ./threads
	gives 0 "exited 15 null" judge -- sh -c 'exit 15'
}

@test "judge: a flooding one is ended at its limit, and exactly so much has come out" {
	own_groups
	local code=0
	cordon run --profile judge -q --report result.json --cgroup-parent "$group" --set limits.output=2000 -- yes >all || code=$?
	[ "$code $(wc -c <all)" = '137 2000' ]
	[ "$(jq -r '"\(.kind) \(.limit)"' result.json)" = 'output limits.output' ]
	jq -e '.output_bytes == 2000 and .signal == 9' result.json
	# A file has a limit of its own.
	gives 0 "fsize null limits.ulimits.fsize" judge --set limits.ulimits.fsize=64KiB -- dd if=/dev/zero of=/tmp/x bs=8K count=20 status=none
	# The control: up to the limit.
	gives 0 "exited 0 null" judge --set limits.output=2000 -- sh -c 'printf "%0999d\n%0999d\n" 1 2 >/dev/null'
}

@test "judge: a crashing one says its signal" {
	own_groups
	submission crash <<<'int main(void) { volatile int *p = 0; return *p; }'
	gives 0 "signalled null null" judge -- ./crash
	[ "$(jq .signal result.json)" = 11 ]
	submission deep <<<'int f(int n) { volatile char c[4096]; c[0] = (char)n; return f(n + 1) + c[0]; }
int main(void) { return f(0); }'
	gives 0 "signalled null null" judge -- ./deep
	gives 0 "signalled null null" judge -- sh -c 'kill -ABRT $$'
}

# bats test_tags=user
@test "judge: where a limit cannot be had nothing is run, and each is named with its remedy" {
	run -125 cordon run --profile judge -- touch ran
	[ ! -e ran ]
	for key in memory cpus cpu_time; do
		[[ "$output" == *"limits.$key: the caller may not make a control group here"*"(asked for by profile judge:"* ]]
	done
	# One remedy covers all, and is said once.
	[ "$(grep -c 'hint: ' <<<"$output")" -eq 1 ]
	[[ "$output" == *"hint: As root; then start with --cgroup-parent cordon-"*":"*"    for d in "* || "$output" == *"hint: Start it in a group of your own"* ]]
	# The control.
	gives 0 "" cordon run --profile strict -q -- true
}
