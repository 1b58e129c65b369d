#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Limits of the whole sandbox on cgroup v2, as root (in the group "cordon" at the top) and as an
# ordinary user in a group that was delegated to it, each time in a group "cordon" there. Runs in the virtual machine only, where v2 has all
# controllers.

# bats file_tags=vm
load ../lib/cordon
load ../lib/attack
load ../lib/delegated

# bats test_tags=root
@test "v2: each limit reads back from outside, and the group is the top inside" {
	local who device limit limits=()
	for limit in pids=7 memory=64MiB swap=8MiB cpus=0.5 cpu_weight=50 cpuset=0 cpu_time=60s io.read=7MiB/s \
		io.write=3MiB/s; do
		limits+=(--set "limits.$limit")
	done
	device=$(cat /sys/block/vda/dev)
	for who in root user; do
		start_run "$who" "${limits[@]}" -- sh -c 'cat /proc/self/cgroup; exec sleep 60'
		has_value pids.max 8 # our init is one
		has_value memory.max 67108864
		has_value memory.swap.max 8388608
		has_value memory.oom.group 1
		has_value cpu.max "50000 100000"
		has_value cpu.weight 50
		has_value cpuset.cpus 0
		grep -q "^$device rbps=7340032 wbps=3145728 " "$group/io.max"
		# init and the program, and nobody else.
		[ "$(wc -l <"$group/cgroup.procs")" -eq 2 ]
		eventually grep -x 0::/ out
		end_run
	done
}

has_peak() {
	local found=1
	mkdir "$top/probe"
	[ ! -e "$top/probe/pids.peak" ] || found=0
	rmdir "$top/probe"
	return "$found"
}

# bats test_tags=root
@test "v2: pids holds, is counted, and is the reason of a failure" {
	local who peak=null
	# Linux has had the number since 6.5; before, it is not known.
	! has_peak || peak=4
	for who in root user; do
		ends "$who" 0 exited null --set limits.pids=4 -- "$ATTACK/processes" 9
		[ "$output" = "4 processes, then EAGAIN" ]
		[ "$(number pids_refused)" -ge 1 ]
		[ "$(number pids_peak)" = "$peak" ]
	done
	# The control, and the reason where the program gives up.
	ends root 0 exited null --set limits.pids=9 -- "$ATTACK/processes" 9
	[ "$output" = "9 processes" ]
	[ "$(number pids_refused)" -eq 0 ]
	ends root 9 pids limits.pids --set limits.pids=4 --ro "$ATTACK" -- sh -c '"$0" 9; exit 9' "$ATTACK/processes"
}

# Touches 16 MiB, by itself: what the kernel writes for a read() is refused without an end.
hog='BEGIN { s = "12345678"; while (length(s) < 6000000) s = s s }'

# bats test_tags=root
@test "v2: short of memory by a grandchild, the whole sandbox ends; with more it does not" {
	local who
	local hog="(awk '$hog'; echo after); echo on"
	for who in root user; do
		ends "$who" 137 oom limits.memory --set limits.memory=8MiB --set limits.swap=0 -- sh -c "$hog"
		[ -z "$output" ]
		[ "$(number oom_kills)" -ge 1 ]
		[ "$(number memory_peak_bytes)" -le 8388608 ]
		[ "$(number memory_peak_bytes)" -gt 2097152 ]
	done
	ends user 0 exited null --set limits.memory=64MiB --set limits.swap=0 -- sh -c "$hog"
	[ "$output" = $'after\non' ]
	[ "$(number memory_peak_bytes)" -gt 6000000 ]
}

# bats test_tags=root
@test "v2: swap holds: what memory has no room for goes there, as far as it may" {
	dd if=/dev/zero of=/swap bs=1M count=32 status=none
	chmod 0600 /swap
	mkswap /swap >/dev/null
	swapon /swap
	ends root 0 exited null --set limits.memory=8MiB --set limits.swap=30MiB -- awk "$hog"
	ends user 137 oom limits.memory --set limits.memory=8MiB --set limits.swap=2MiB -- awk "$hog"
	swapoff /swap
	rm /swap
}

# Processor time used by the sandbox's group, in milliseconds.
used_ms() { # GROUP
	awk '$1 == "usage_usec" { print int($2 / 1000) }' "$1/cpu.stat"
}

has_used() { # GROUP MS
	[ "$(used_ms "$1")" -ge "$2" ]
}

is_throttled() {
	[ "$(awk '$1 == "nr_throttled" { print $2 }' "$group/cpu.stat")" -ge 2 ]
}

# bats test_tags=root
@test "v2: cpus holds the sandbox back, cpu_time ends it, and counts all of its processes" {
	start_run user --set limits.cpus=0.2 -- sh -c 'while :; do :; done'
	eventually is_throttled
	end_run
	ends root 137 cpu_time limits.cpu_time --set limits.cpu_time=300ms -- sh -c 'while :; do (:); done'
	[ "$(number cpu_ms)" -ge 300 ]
	ends user 137 cpu_time limits.cpu_time --set limits.cpu_time=300ms -- sh -c 'while :; do :; done'
	ends user 0 exited null --set limits.cpu_time=60s -- true
	[ "$(number cpu_ms)" -lt 60000 ]
}

# bats test_tags=root
@test "v2: by weight, one sandbox gets far more of the processor than another" {
	local heavy light keepers=() before light_before
	start_run root --set limits.cpu_weight=1000 -- sh -c 'while :; do :; done'
	keepers+=("$keeper")
	heavy=$group
	"$CORDON" --root "$CORDON_ROOT.light" run --set limits.cpu_weight=10 -- sh -c 'while :; do :; done' 3>&- &
	keepers+=("$!")
	eventually has_light
	before=$(used_ms "$heavy") light_before=$(used_ms "$light")
	eventually has_used "$heavy" $((before + 500))
	[ $(($(used_ms "$light") - light_before)) -lt 250 ]
	kill "${keepers[@]}"
	wait "${keepers[@]}" || true
	keeper=
	no_groups
}

has_light() {
	light=$(grep -lx 10 "$top"/cordon/*/cpu.weight)
	light=${light%/*}
	[ -n "$light" ] && [ "$(used_ms "$light")" -gt 0 ]
}

# bats test_tags=root
@test "v2: cpuset holds; a processor that is not there is refused" {
	ends root 0 exited null --set limits.cpuset=0 -- sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status
	[ "$output" = 0 ]
	run -125 as user "$CORDON" --root /home/user/tmp/root run --set limits.cpuset=700 -- true
	[[ "$output" == *"limits.cpuset: "*"hint: Some of these processors are not there"* ]]
	no_groups
}

# bats test_tags=root
@test "v2: the end of a sandbox takes all of it along, whatever it ignores" {
	local who
	for who in root user; do
		# They ignore TERM, and are sessions of their own.
		start_run "$who" --set limits.pids=60 --ro "$ATTACK" -- sh -c 'for i in 1 2 3 4; do setsid "$0" 5 60 & done; wait' \
			"$ATTACK/processes"
		eventually has_pids 22
		kill -9 "$keeper"
		eventually has_pids_no_more
		wait "$keeper" || true
		keeper=
		gc_of "$who"
		no_groups
		ends "$who" 137 wall_time limits.wall_time --timeout 1s --set limits.pids=60 -- "$ATTACK/processes" 50 60
	done
}

has_pids_no_more() {
	! grep -q 'populated 1' "$group/cgroup.events"
}

has_pids() { # N
	[ "$(cat "$group/pids.current")" -ge "$1" ]
}

# bats test_tags=root
@test "v2: after kill -9 of the keeper gc removes the group" {
	local who
	for who in root user; do
		start_run "$who" --set limits.pids=9 -- sleep 60
		kill -9 "$keeper"
		wait "$keeper" || true
		keeper=
		# The control: it is there, empty.
		[ -d "$group" ]
		gc_of "$who"
		no_groups
	done
}

# bats test_tags=root
@test "v2: two runs at once make and remove the group at the top" {
	local i pids=() bad=0
	for i in 1 2 3; do
		for _ in 1 2 3; do
			"$CORDON" --root "$CORDON_ROOT" run --set limits.pids=9 -- true || exit 1
		done >"out.$i" 2>&1 3>&- &
		pids+=("$!")
	done
	for i in "${pids[@]}"; do
		wait "$i" || bad=1
	done
	cat out.*
	[ "$bad" -eq 0 ]
	no_groups
}

# bats test_tags=root
@test "v2: an ordinary user without a group is refused; after the printed fix it works" {
	local fix
	run -125 "${user_cordon[@]}" run --set limits.memory=64MiB -- true
	[[ "$output" == *"limits.memory: the caller may not make a control group here (memory)"* ]]
	# As one line; below the hint it has several.
	fix=$(sed -n 's/^    //p' <<<"$output" | sed -e ':a' -e 'N;$!ba' -e 's/\\\n//g')
	# It names who started cordon.
	[[ "$output" == *"hint: As root ("[1-9]*" is who started cordon):"* ]]
	[[ "$fix" =~ \;\ echo\ [1-9][0-9]*\ \>.D/caller/cgroup.procs$ ]] || { echo "$fix"; return 1; }
	# What is required but has another way is not refused: limits.pids.
	gives 0 "3 processes, then EAGAIN" "${user_cordon[@]}" run --set limits.pids=3 -- "$ATTACK/processes" 9
	# A wish is left out and said.
	gives 0 "cordon: not enforced here: limits.memory (see cordon doctor)" \
		"${user_cordon[@]}" run --set when_possible.limits.memory=64MiB -- true
	sh -c "${fix/echo [0-9]* >/echo \$\$ >}; exec \"\$@\"" sh "${user_cordon[@]}" run -q --report report \
		--set limits.memory=64MiB -- true
	[ "$(number memory_peak_bytes)" -gt 0 ]
	rmdir "$top/cordon-1000/caller"
	rmdir "$top/cordon-1000"
	no_groups
}

# bats test_tags=root
@test "v2: a group that the caller names: inside of what it may divide it works, elsewhere it is refused" {
	delegate
	mkdir -p "$delegated/box" "$top/elsewhere"
	chown 1000 "$delegated/box" "$delegated"/box/cgroup.{procs,threads,subtree_control} \
		"$top/elsewhere" "$top"/elsewhere/cgroup.{procs,threads,subtree_control}
	echo "+memory +pids" >"$delegated/cgroup.subtree_control"
	run -0 as user "$CORDON" --root /home/user/tmp/root run -q --cgroup-parent vm/box --set limits.memory=64MiB -- true
	# No way leads there from the caller's own group.
	run -125 as user "$CORDON" --root /home/user/tmp/root run -q --cgroup-parent elsewhere --set limits.memory=64MiB -- true
	[[ "$output" == *"limits.memory: the caller may not make a control group here"* ]]
	# A controller that was not handed on to it.
	run -125 as user "$CORDON" --root /home/user/tmp/root run -q --cgroup-parent vm/box --set limits.cpus=1 -- true
	[[ "$output" == *"limits.cpus: the group in which it would be made has not got this controller (cpu)"* ]]
	# Named by root it stays where it is, whatever it is called.
	mkdir "$top/cordon"
	run -0 cordon run -q --cgroup-parent cordon --set limits.memory=64MiB -- true
	[ -d "$top/cordon" ]
	rmdir "$top/cordon" "$top/elsewhere"
}

# bats test_tags=root
@test "v2: the caller's own limit holds for what it starts" {
	delegate
	echo +pids >"$top/cgroup.subtree_control"
	echo 7 >"$delegated/pids.max"
	# sh, cordon, its helpers and init are in it as well.
	run -0 as user "$CORDON" --root /home/user/tmp/root run -q --set limits.pids=50 -- "$ATTACK/processes" 40
	[[ "$output" == [1-5]" processes, then EAGAIN" ]]
	echo max >"$delegated/pids.max"
	run -0 as user "$CORDON" --root /home/user/tmp/root run -q --set limits.pids=50 -- "$ATTACK/processes" 40
	[ "$output" = "40 processes" ]
}

# Starts a run alone in a group of the user's, as systemd-run --scope -p Delegate=yes does.
start_alone() { # FLAG... -- COMMAND...
	sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$delegated" "${user_cordon[@]}" run "$@" >out 2>&1 3>&- &
	keeper=$!
	who=user
	eventually has_leaf || { cat out; return 1; }
}

has_leaf() {
	leaf=$(find "$delegated" -name 'cordon-*-keeper') group=$(find "$delegated/cordon" -name 'cordon-*')
	[ -n "$leaf" ] && [ -n "$group" ] && [ "$(wc -l <"$group/cgroup.procs")" -eq 2 ]
}

# bats test_tags=root
@test "v2: alone in its own group, the keeper steps aside for the run and comes back" {
	delegate
	rmdir "$delegated/session"
	start_alone --set limits.memory=64MiB -- sleep 60
	has_value memory.max 67108864
	[ "$(cat "$leaf/cgroup.procs")" = "$keeper" ]
	[ -z "$(cat "$delegated/cgroup.procs")" ]
	[ "$(cat "$delegated/cgroup.subtree_control")" = memory ]
	end_run
	[ -z "$(cat "$delegated/cgroup.subtree_control")" ]
	# The control: a keeper that stays is noticed before anything is handed on.
	run -125 sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$delegated" "${ordinary[@]}" CORDON_FAULT=cgroup_leaf:skip \
		"$FAULTY" --root /home/user/tmp/root run --set limits.memory=64MiB -- true
	[[ "$output" == "cordon: step cgroup_leaf: "* ]]
	no_groups
	# Afterwards it is where it was: what follows in the same process's group is no leaf.
	gives 0 "0::/vm" sh -c 'echo $$ >"$0/cgroup.procs"; "$@" & wait $!; cat /proc/self/cgroup' "$delegated" true
}

# bats test_tags=root
@test "v2: alone in its own group: after kill -9 gc takes the leaf and the controllers away" {
	delegate
	rmdir "$delegated/session"
	start_alone --set limits.memory=64MiB -- sleep 60
	kill -9 "$keeper"
	wait "$keeper" || true
	keeper=
	[ "$(cat "$delegated/cgroup.subtree_control")" = memory ]
	# Not while somebody else has a group there, whose limits would go with them.
	mkdir "$delegated/other"
	cp -a /home/user/tmp/root kept
	"${user_cordon[@]}" gc
	[ "$(cat "$delegated/cgroup.subtree_control")" = memory ]
	no_groups
	rmdir "$delegated/other"
	cp -a kept/. /home/user/tmp/root
	"${user_cordon[@]}" gc
	[ -z "$(cat "$delegated/cgroup.subtree_control")" ]
}

# bats test_tags=root
@test "v2: in its own group with others it is refused with the reason" {
	delegate
	rmdir "$delegated/session"
	sleep 60 3>&- &
	echo $! >"$delegated/cgroup.procs"
	run -125 sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$delegated" "${user_cordon[@]}" run \
		--set limits.memory=64MiB -- true
	kill $!
	wait $! || true
	[[ "$output" == *"limits.memory: the group in which it would be made has processes of its own (memory)"*"Start cordon alone in it"* ]]
}

# bats test_tags=root
@test "v2: a machine that has both: pids by v1, memory by v2" {
	local controller
for controller in cpu memory pids io cpuset; do
		echo "-$controller" >"$top/cgroup.subtree_control"
	done
	mkdir v1
	eventually mount -t cgroup -o pids pids v1
	ends root 0 exited null --set limits.pids=4 --set limits.memory=64MiB -- "$ATTACK/processes" 9
	[ "$output" = "4 processes, then EAGAIN" ]
	[ "$(number memory_peak_bytes)" -gt 0 ]
	[ -z "$(find v1 -name 'cordon*')" ]
	umount v1
	eventually grep -qw pids "$top/cgroup.controllers"
	echo "+cpu +memory +pids +io +cpuset" >"$top/cgroup.subtree_control"
}
