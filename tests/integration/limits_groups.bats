#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Limits of the whole sandbox by control groups: each holds, reads back from the host's side, and is
# named in the result. tests/fault has what is left behind.

load ../lib/cordon
load ../lib/attack
load ../lib/grouped

. "$repo/tests/lib/groups.bash"

teardown() {
	own_groups_end && cordon_teardown
}

# A sandbox in the test's own group; the report is written to ./report.
limited() { # CODE TEXT FLAG... -- COMMAND...
	gives "$1" "$2" cordon run -q --report "$PWD/report" --ro "$ATTACK" --cgroup-parent "$group" "${@:3}"
}

reported() { # FILTER
	jq -c "$1" report
}

# Starts a sandbox that stays, and waits until its program runs; sets keeper.
start() { # FLAG...
	: >status
	"$CORDON" --root "$CORDON_ROOT" run -q --status-fd 4 --cgroup-parent "$group" "$@" -- sleep 60 4>status >/dev/null 2>&1 3>&- &
	keeper=$!
	eventually grep -q '"started"' status
}

# The same with a program that does nothing but work.
spin() { # FLAG...
	"$CORDON" --root "$CORDON_ROOT" run -q --timeout 20s --cgroup-parent "$group" "$@" -- \
		sh -c 'while :; do :; done' >/dev/null 2>&1 3>&- &
	keeper=$!
}

spins() {
	has_init && pgrep -P "$init" -x sh && [ -n "$(group_file cpu cpu.stat cpu.stat)" ]
}

@test "pids: with 3, exactly three processes; the end is named, with its numbers" {
	own_groups
	limited 0 "3 processes, then EAGAIN" --set limits.pids=3 -- "$ATTACK/processes" 9
	[ "$(reported '[.kind, .exit_code, .limit, .pids_peak, .pids_refused]')" = '["exited",0,null,3,1]' ]
	limited 0 "1 processes, then EAGAIN" --set limits.pids=1 -- "$ATTACK/processes" 9
	# A failure after a refusal is the limit's; without a refusal it is not.
	limited 3 "5 processes, then EAGAIN" --set limits.pids=6 -- sh -c "$ATTACK/processes 9; exit 3"
	[ "$(reported '[.kind, .exit_code, .limit]')" = '["pids",3,"limits.pids"]' ]
	limited 3 "" --set limits.pids=6 -- sh -c 'exit 3'
	[ "$(reported '[.kind, .exit_code, .limit, .pids_refused]')" = '["exited",3,null,0]' ]
	# Control: without the limit nothing is refused.
	limited 0 "9 processes" --set limits.pids=9 -- "$ATTACK/processes" 9
	gives 0 "9 processes" cordon run -- "$ATTACK/processes" 9
}

@test "pids: threads count, and what has left its session" {
	need python3
	own_groups
	limited 0 "3 threads" --set limits.pids=4 -- python3 -c '
import threading
n = 0
try:
    for i in range(9):
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        n += 1
except RuntimeError:
    pass
print(n, "threads", flush=True)
import os
os._exit(0)'
}

@test "pids: the host's side has one task more, for init" {
	own_groups
	start --set limits.pids=5
	file_is 6 pids pids.max pids.max
	stop
}

@test "memory: what is too much ends everything, and the result says so" {
	own_groups
	limited 137 "" --set limits.memory=24MiB -- sh -c 'exec 2>/dev/null; head -c 64M /dev/zero | tail -c 64M; sleep 60'
	[ "$(reported '[.kind, .exit_code, .signal, .limit]')" = '["oom",null,9,"limits.memory"]' ]
	[ "$(reported '.oom_kills > 0 and .memory_peak_bytes <= 24 * 1048576 and .memory_peak_bytes > 8 * 1048576')" = true ]
	# Control: the same with room.
	limited 0 "" --set limits.memory=256MiB -- sh -c 'head -c 64M /dev/zero | tail -c 64M >/dev/null'
	[ "$(reported '[.kind, .oom_kills, .limit, .memory_peak_bytes > 64 * 1048576]')" = '["exited",0,null,true]' ]
}

@test "memory: a group above that has nothing killed does not keep the sandbox from its end" {
	local top
	own_groups
	groups_is_v2 && return 0 # it has no such switch
	for top in $(groups_tops); do
		[ ! -e "$top/$group/memory.oom_control" ] || echo 1 >"$top/$group/memory.oom_control"
	done
	limited 137 "" --set limits.memory=24MiB --timeout 60s -- sh -c 'exec 2>/dev/null; head -c 64M /dev/zero | tail -c 64M'
	[ "$(reported '[.kind, .limit]')" = '["oom","limits.memory"]' ]
}

@test "memory: files on a tmpfs count; it is one sum for all processes" {
	own_groups
	limited 137 "" --set limits.memory=24MiB -- sh -c 'exec 2>/dev/null; head -c 48M /dev/zero >/tmp/a; sleep 60'
	[ "$(reported '[.kind, .limit]')" = '["oom","limits.memory"]' ]
	limited 137 "" --set limits.memory=40MiB -- sh -c 'exec 2>/dev/null; for i in 1 2 3 4; do
		{ head -c 16M /dev/zero | tail -c 16M; sleep 60; } | tail -c 1 >/dev/null & done; wait'
	[ "$(reported .kind)" = '"oom"' ]
	limited 0 alive --set limits.memory=128MiB -- sh -c 'head -c 48M /dev/zero >/tmp/a; echo alive'
}

# v1 counts it apart, and only where it has a limit. Python writes until nothing more goes, or until
# 128 MiB have gone; on v2 it may be ended as well.
@test "memory: what waits in sockets counts" {
	own_groups
	cat >sockets.py <<-'END'
		import socket
		listener = socket.create_server(("127.0.0.1", 0))
		ends, bytes = [listener], 0
		while bytes < 128 << 20 and len(ends) < 400:
		    writer = socket.create_connection(listener.getsockname())
		    ends += [writer, listener.accept()[0]]
		    writer.setblocking(False)
		    try:
		        while bytes < 128 << 20:
		            bytes += writer.send(b"x" * 65536)
		    except BlockingIOError:
		        pass
		print("room" if bytes >= 128 << 20 else "no room")
	END
	run cordon run -q --ro "$PWD" --cgroup-parent "$group" --set limits.memory=64MiB --timeout 60s -- python3 sockets.py
	[[ $status-$output == "0-no room" ]] || { groups_is_v2 && [[ $status-$output == 137-* ]]; } || { echo "$output"; false; }
	# Control.
	limited 0 room --ro "$PWD" --set limits.memory=512MiB --timeout 60s -- python3 sockets.py
}

@test "memory and swap: read back from the host's side" {
	own_groups
	start --set limits.memory=64MiB
	file_is $((64 << 20)) memory memory.limit_in_bytes memory.max
	file_is $((64 << 20)) memory memory.kmem.tcp.limit_in_bytes memory.max
	# Swap that is not said is none.
	if groups_is_v2 || [ -n "$(group_file memory memory.memsw.limit_in_bytes -)" ]; then
		file_is "$(on_version $((64 << 20)) 0)" memory memory.memsw.limit_in_bytes memory.swap.max
	fi
	! groups_is_v2 || file_is 1 - - memory.oom.group
	stop
	start --set limits.memory=64MiB --set limits.swap=8MiB
	file_is "$(on_version $((72 << 20)) $((8 << 20)))" memory memory.memsw.limit_in_bytes memory.swap.max
	stop
	start --set limits.memory=64MiB --set limits.swap=unlimited
	[ "$(group_file memory memory.memsw.limit_in_bytes memory.swap.max)" = "$(on_version 9223372036854771712 max)" ]
	stop
}

@test "cpu_time: all processes together, those that nobody waits for as well; sleeping is free" {
	own_groups
	limited 137 "" --set limits.cpu_time=400ms -- sh -c 'trap "" CHLD; for i in 1 2 3; do
		sh -c "while :; do :; done" & done; sleep 60'
	[ "$(reported '[.kind, .exit_code, .signal, .limit]')" = '["cpu_time",null,9,"limits.cpu_time"]' ]
	[ "$(reported '.cpu_ms >= 400')" = true ]
	# What ends by itself behind the limit has passed it, too.
	limited 137 "" --set limits.cpu_time=1ms -- sh -c 'for i in $(seq 20000); do :; done; exit 0'
	[ "$(reported .kind)" = '"cpu_time"' ]
	limited 0 "" --set limits.cpu_time=400ms -- sleep 1
	[ "$(reported '[.kind, .limit, .cpu_ms < 400]')" = '["exited",null,true]' ]
}

throttled() {
	[ "$(group_file cpu cpu.stat cpu.stat | awk '$1 == "nr_throttled" { print $2 }')" -gt 2 ]
}

@test "cpus: the quota stands on the host's side, and the kernel holds it" {
	own_groups
	start --set limits.cpus=0.25
	file_is "$(on_version 25000 "25000 100000")" cpu cpu.cfs_quota_us cpu.max
	groups_is_v2 || file_is 100000 cpu cpu.cfs_period_us -
	stop
	spin --set limits.cpus=0.05
	eventually throttled
	stop
	# Control: one that has enough is not throttled.
	spin --set limits.cpus=64
	eventually spins
	sleep 0.5
	run -1 throttled
	stop
}

@test "cpu_weight: as the kernel counts it" {
	own_groups
	start --set limits.cpu_weight=50
	file_is "$(on_version 512 50)" cpu cpu.shares cpu.weight
	stop
}

@test "cpuset: seen from inside and from the host; processors that are not there are refused" {
	own_groups
	limited 0 0 --set limits.cpuset=0 -- sh -c "awk '/^Cpus_allowed_list/ { print \$2 }' /proc/self/status"
	# It cannot be left.
	limited 0 0 --set limits.cpuset=0 -- sh -c \
		"taskset -p ffff \$\$ >/dev/null; awk '/^Cpus_allowed_list/ { print \$2 }' /proc/self/status"
	start --set limits.cpuset=0
	file_is 0 cpuset cpuset.cpus cpuset.cpus
	stop
	says 125 "cordon: step cgroup: limits.cpuset: write 1000 to */cpuset.cpus: *hint: *Cpus_allowed_list*" \
		cordon run --cgroup-parent "$group" --set limits.cpuset=1000 -- true
	[ -z "$(groups_below "$group")" ]
}

# "MAJOR:MINOR" of each that holds something.
block_devices() {
	local dir
	for dir in /sys/block/*; do
		[ "$(cat "$dir/size")" = 0 ] || cat "$dir/dev"
	done
}

@test "io.read: every block device of the host has its line, and a read takes its time" {
	local device start
	own_groups
	start --set limits.io.read=1MiB/s
	for device in $(block_devices); do
		group_file blkio blkio.throttle.read_bps_device io.max |
			grep -E "^$device (rbps=)?1048576( |\$)"
	done
	stop
	# A lower bound, so that a slow machine makes no difference: 3 MiB past the page cache.
	device=$(stat -c %d .)
	block_devices | grep -qx "$((device >> 8 & 0xfff)):$((device & 0xff))" || return 0
	head -c 3M /dev/urandom >data
	chmod 644 data
	start=$SECONDS
	limited 0 "" --ro "$PWD/data" --set limits.io.read=1MiB/s -- \
		dd if="$PWD/data" of=/dev/null bs=256k iflag=direct status=none
	[ $((SECONDS - start)) -ge 2 ]
	[ "$(reported '.io_read_bytes >= 3 * 1048576')" = true ]
}

@test "io.write: refused where the kernel does not count what it writes later, and no wish of it is kept silent" {
	own_groups
	if groups_is_v2; then
		start --set limits.io.write=1MiB/s
		group_file - - io.max | grep 'wbps=1048576'
		group_file - - memory.max
		stop
		return
	fi
	says 125 "cordon: limits.io.write: * counted for nobody, with cgroup v1*hint: Boot with cgroup v2*" \
		cordon run --cgroup-parent "$group" --set limits.io.write=1MiB/s -- true
	gives 0 "cordon: not enforced here: limits.io.write (see cordon doctor)" cordon run \
		--report "$PWD/report" --cgroup-parent "$group" --set when_possible.limits.io.write=1MiB/s -- true
	[ "$(reported .not_enforced)" = '["limits.io.write"]' ]
}

@test "all of them at once, and a sandbox without any makes no group" {
	own_groups
	limited 0 "" --set limits.pids=20 --set limits.memory=64MiB --set limits.cpus=1 --set limits.cpu_weight=10 \
		--set limits.cpuset=0 --set limits.cpu_time=30s --set limits.io.read=9MiB/s -- true
	[ "$(reported '[.cpu_ms, .memory_peak_bytes, .pids_peak, .io_read_bytes] | map(. != null) | all')" = true ]
	[ -z "$(groups_below "$group")" ]
	cordon run -q --report "$PWD/report" -- true
	[ "$(reported '[.cpu_ms, .memory_peak_bytes, .oom_kills, .pids_peak, .pids_refused, .io_read_bytes, .io_write_bytes] | unique')" = '[null]' ]
	[ "$(cordon explain --json -- true | jq -c '.steps[] | select(.name == "cgroup") | .wanted')" = false ]
}

# Whoever names a group relies on what that is bounded by.
@test "a named group holds a sandbox without limits of its own as well, in each hierarchy" {
	own_groups
	start
	[ "$(groups_below "$group" | grep -c .)" = "$(groups_tops | grep -c .)" ]
	stop
	[ -z "$(groups_below "$group")" ]
	limited 0 "" -- true
	[ "$(reported '.cpu_ms != null')" = true ]
}

@test "the group cannot be seen or left from inside" {
	own_groups
	limited 0 "/" --set limits.pids=9 --set limits.memory=64MiB -- sh -c 'cut -d: -f3 /proc/self/cgroup | sort -u | head -n 1'
	limited 0 "none" --set limits.pids=9 -- sh -c 'ls -d /sys/fs/cgroup/* 2>/dev/null || echo none'
}

# The caller's own limit is a group above: it holds, and is not taken for the sandbox's.
@test "in a nested group the caller's own limit still holds" {
	local top
	own_groups
	for top in $(groups_tops); do
		[ ! -e "$top/$group/pids.max" ] || echo 8 >"$top/$group/pids.max"
	done
	says 5 "[1-8] processes, then EAGAIN" cordon run -q --report "$PWD/report" --cgroup-parent "$group" --ro "$ATTACK" \
		--set limits.pids=50 -- sh -c "$ATTACK/processes 20; exit 5"
	[ "$(reported '[.kind, .exit_code, .limit]')" = '["exited",5,null]' ]
	[ "$(reported '.pids_refused > 0 and .pids_peak <= 8')" = true ]
	for top in $(groups_tops); do
		[ ! -e "$top/$group/memory.limit_in_bytes" ] || echo 24M >"$top/$group/memory.limit_in_bytes"
		[ ! -e "$top/$group/memory.max" ] || echo 24M >"$top/$group/memory.max"
		[ ! -e "$top/$group/pids.max" ] || echo max >"$top/$group/pids.max"
	done
	gives 137 "" cordon run -q --report "$PWD/report" --cgroup-parent "$group" --set limits.memory=200MiB -- \
		sh -c 'exec 2>/dev/null; head -c 64M /dev/zero | tail -c 64M; sleep 60'
	[ "$(reported '[.kind, .limit]')" = '["oom",null]' ]
}

# bats test_tags=root
@test "without --cgroup-parent the group is made in the caller's own (v1) or in /cordon (v2)" {
	own_groups
	# keeper: grouped.bash reads it.
	# shellcheck disable=SC2034
	if groups_is_v2; then
		"$CORDON" --root "$CORDON_ROOT" run -q --set limits.pids=7 -- sleep 60 3>&- &
		keeper=$!
		eventually grep -qx 8 "$groups_v2"/cordon/cordon-*/pids.max
	else
		# It is the shell's to expand.
		# shellcheck disable=SC2016
		bash -c 'for dir in $1; do echo $$ >"$dir/$2/cgroup.procs" || exit 1; done; shift 2; exec "$@"' bash \
			"$(groups_tops)" "$group" "$CORDON" --root "$CORDON_ROOT" run -q --set limits.pids=7 -- sleep 60 3>&- &
		keeper=$!
		eventually file_is 8 pids pids.max -
	fi
	stop
}

# A host that has both versions, where v1 does not carry cpuacct: every group of v2 counts time.
# bats test_tags=root
@test "v2 beside v1: made in /cordon, entered by clone, and both are gone afterwards" {
	local unified
	! groups_is_v2 || return 0 # all other tests have shown it
	unified=$(awk '$(NF - 2) == "cgroup2" { print $5; exit }' /proc/self/mountinfo)
	[ -n "$unified" ] || skip "no cgroup v2 on this host"
	# It is the inner shell's to expand.
	# shellcheck disable=SC2016
	run -0 unshare --mount --propagation private bash -c '
		umount "$(awk "\$(NF - 2) == \"cgroup\" && \$NF ~ /cpuacct/ { print \$5; exit }" /proc/self/mountinfo)" || exit 9
		"$1" --root "$2" explain --set limits.cpu_time=300ms -- true | grep -E "limits.cpu_time .*cgroup v2|cgroup_join"
		"$1" --root "$2" run -q --report report --set limits.cpu_time=300ms -- sh -c "while :; do :; done"
		echo $?' bash "$CORDON" "$CORDON_ROOT"
	[[ "$output" == *"cgroup v2, cpuacct, a group of its own in $unified/cordon"*"  - cgroup_join "*$'\n137' ]]
	[ "$(reported '[.kind, .limit, .cpu_ms >= 300]')" = '["cpu_time","limits.cpu_time",true]' ]
	[ ! -e "$unified/cordon" ] || [ -n "$(ls -d "$unified"/cordon/cordon-*)" ]
}

# ---- who may not make groups ----

# A user of this host that has been given nothing, in a directory that it may enter.
as_stranger() { # COMMAND...
	setpriv --reuid 61237 --regid 61237 --clear-groups "$@"
}

set_up_stranger() {
	open_dir=$(mktemp -d /tmp/cordon-limits.XXXXXX)
	chmod 755 "$open_dir"
	mkdir "$open_dir/state"
	cp -L "$CORDON" "$open_dir/program"
	chown 61237 "$open_dir/state"
	P=("$open_dir/program" --root "$open_dir/state")
}

# bats test_tags=root
@test "a user who may not make groups is told what to do, and after that it works" {
	local fix checkup json
	groups_is_v2 && skip "on v2 the remedy is a login session's: tests/vm"
	set_up_stranger
	says 125 "cordon: limits.memory: the caller may not make a control group here (memory)*hint: As root; then start with --cgroup-parent cordon-61237:*    for d in *" \
		as_stranger "${P[@]}" run --set limits.memory=64MiB --set limits.cpuset=0 -- true
	[[ "$output" == *"cordon: limits.cpuset: "* ]]
	# What is to be pasted is the lines that are moved in, as they stand, and none is wider than a terminal.
	fix=$(grep '^    ' <<<"$output")
	[ "$(wc -l <<<"$fix")" -gt 2 ]
	[ "$(wc -L <<<"$fix")" -le 80 ]
	bash -c "$fix"
	run as_stranger "${P[@]}" run --cgroup-parent cordon-61237 --set limits.memory=64MiB --set limits.cpuset=0 -- true
	checkup=$(as_stranger "${P[@]}" doctor --cgroup-parent cordon-61237 || true)
	json=$(as_stranger "${P[@]}" doctor --json --cgroup-parent=cordon-61237 | jq -c '[.checks[] | select(.name == "limits.memory") | .ok]')
	groups_remove cordon-61237
	rm -rf "$open_dir"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	# doctor looks at the named place: only what was made is there.
	grep -Eq '^  ok   limits\.memory +cgroup v1, groups are made in /.*/cordon-61237$' <<<"$checkup"
	grep -Eq '^  MISS limits\.io +cgroup v1: there is no control group of the name that --cgroup-parent gives$' <<<"$checkup"
	[ "$json" = '[true]' ]
}

# bats test_tags=root
@test "a user who may not make groups: a wish is left out and said; pids is held all the same" {
	set_up_stranger
	gives 0 "cordon: not enforced here: limits.memory, limits.cpus (see cordon doctor)" \
		as_stranger "${P[@]}" run --set when_possible.limits.memory=64MiB --set when_possible.limits.cpus=1 -- true
	gives 0 "3 processes, then EAGAIN" as_stranger "${P[@]}" run --ro "$ATTACK" --set limits.pids=3 -- \
		"$ATTACK/processes" 9
	rm -rf "$open_dir"
}

@test "a parent that is not there, or that is none, is refused" {
	# Also where no limit asks for a group, or one is held without.
	says 125 "cordon: --cgroup-parent: there is no control group of the name that --cgroup-parent gives (pids)*hint: *cordon-none*" \
		cordon run --cgroup-parent cordon-none/x -- true
	says 125 "cordon: --cgroup-parent: there is no control group *" cordon run --cgroup-parent cordon-none/x --set limits.pids=9 -- true
	says 125 "cordon: limits.memory: there is no control group of the name that --cgroup-parent gives (memory)*hint: *cordon-none*" \
		cordon run --cgroup-parent cordon-none/x --set limits.memory=64MiB -- true
	says 125 "cordon: --cgroup-parent ../x: not the path of a control group such as judges/a*" \
		cordon run --cgroup-parent ../x -- true
	says 125 "cordon: --cgroup-parent /: *" cordon run --cgroup-parent / -- true
}

# bats test_tags=root
@test "control groups that are hidden, or mounted read-only" {
	local run=("$CORDON" --root "$CORDON_ROOT" run --set limits.memory=64MiB -- true)
	says 125 "cordon: limits.memory: the caller's control group is not shown here (memory)*hint: Mount the control groups*" \
		unshare --mount --propagation private sh -c 'mount -t tmpfs none /sys/fs/cgroup && exec "$@"' sh "${run[@]}"
	says 125 "cordon: limits.memory: this host has no such control group (memory)*" \
		unshare --mount --propagation private sh -c 'umount -R /sys/fs/cgroup && exec "$@"' sh "${run[@]}"
	says 125 "cordon: limits.memory: control groups are mounted read-only here (memory)*hint: As root (in a container: start it with its control groups writable):*    mount -o remount,bind,rw /sys/fs/cgroup*" \
		unshare --mount --propagation private sh -c 'for d in /sys/fs/cgroup /sys/fs/cgroup/*/; do
			mountpoint -q "$d" && mount -o remount,bind,ro "$d"; done; exec "$@"' sh "${run[@]}"
	gives 0 "" unshare --mount --propagation private "${run[@]}"
}

# ---- what explain and doctor say ----

@test "explain says for each limit its value and by what it is held, as text and as JSON" {
	local by v
	own_groups
	v=$(on_version 1 2)
	says 0 "*limits of the whole sandbox
  limits.pids * 5 * cgroup v$v, pids, a group of its own in /*/$group
  limits.memory * 64MiB * cgroup v$v, memory, a group of its own in /*/$group
  limits.swap * 0 *
  limits.cpus * 0.50 * cgroup v$v, cpu, a group of its own in /*/$group
  limits.cpuset * 0 * cgroup v$v, cpuset, a group of its own in /*/$group
  limits.cpu_time * 1500ms * the keeper, by cgroup v$v, *$group*" \
		cordon explain --cgroup-parent "$group" --set limits.pids=5 --set limits.memory=64MiB \
		--set limits.cpus=0.5 --set limits.cpuset=0 --set limits.cpu_time=1.5s -- true
	[[ "$output" == *"limits.swap "*" 0 (beside limits.memory; unlimited lets it swap) "*"command line"* ]]
	run -0 cordon explain --json --cgroup-parent "$group" --set limits.memory=64MiB \
		--set when_possible.limits.io.write=3MiB/s -- true
	by=$(jq -c '.limits | map([.key, .value, .required, .enforced])' <<<"$output")
	[ "$by" = "[[\"limits.memory\",\"64MiB\",true,true],[\"limits.swap\",\"0\",true,true],$(
		on_version '["limits.io.write","3MiB/s",false,false]' '["limits.io.write","3MiB/s",false,true]')]" ]
	# Nothing is made by asking, and where nothing is asked for nothing is said.
	[ -z "$(groups_below "$group")" ]
	run -0 cordon explain --json -- true
	[ "$(jq -c .limits <<<"$output")" = '[]' ]
}

# bats test_tags=root
@test "explain: pids without a control group is RLIMIT_NPROC, and that is said" {
	set_up_stranger
	says 0 "*limits.pids * 7 * RLIMIT_NPROC, without a control group (the caller may not make a control group here): *" \
		as_stranger "${P[@]}" explain --set limits.pids=7 -- true
	rm -rf "$open_dir"
}

# bats test_tags=root
@test "doctor: which version carries each limit and where, and what a user has to do" {
	local name
	set_up_stranger
	run -0 cordon doctor
	for name in pids memory cpus cpu_time cpuset io; do
		grep -Eq "^  ok   limits\.$name +cgroup v$(on_version 1 2), groups are made in /" <<<"$output"
	done
	grep -Eq '^  (ok  |MISS) limits\.swap ' <<<"$output"
	run -0 cordon doctor --json
	[ "$(jq -c '[.checks[] | select(.name | startswith("limits.")) | select(.name != "limits.swap") | .ok] | unique' <<<"$output")" = '[true]' ]
	run -0 as_stranger "${P[@]}" doctor
	rm -rf "$open_dir"
	grep -Eq '^  ok   limits\.pids +by RLIMIT_NPROC \(' <<<"$output"
	grep -Eq '^  MISS limits\.memory +cgroup v[12]: the caller may not make a control group here$' <<<"$output"
	grep -Eq '^  note for limits by control groups: (As root; then start with --cgroup-parent cordon-61237:|Start it in a group of your own)' <<<"$output"
	groups_is_v2 || [ "$(grep -c 'chown 61237' <<<"$output")" -eq 1 ]
}

# bats test_tags=root
@test "doctor: control groups that are hidden, or mounted read-only" {
	local doctor=("$CORDON" --root "$CORDON_ROOT" doctor)
	says 0 "*MISS limits.memory * the caller's control group is not shown here*note for limits by control groups: Mount the *" \
		unshare --mount --propagation private sh -c 'mount -t tmpfs none /sys/fs/cgroup && exec "$@"' sh "${doctor[@]}"
	says 0 "*MISS limits.memory * control groups are mounted read-only here*mount -o remount,bind,rw *" \
		unshare --mount --propagation private sh -c 'for d in /sys/fs/cgroup /sys/fs/cgroup/*/; do
			mountpoint -q "$d" && mount -o remount,bind,ro "$d"; done; exec "$@"' sh "${doctor[@]}"
}
