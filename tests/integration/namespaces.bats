#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Eight namespaces of its own, and what each of them keeps out.

load ../lib/cordon
load ../lib/attack

USERNS=0x10000000 # CLONE_NEWUSER

# bats test_tags=vm
@test "namespaces: all eight are others than the caller's, for the program and for init" {
	local name here
	run -0 inside 'for n in user mnt pid net ipc uts cgroup time; do readlink /proc/self/ns/$n; done'
	[ "${#lines[@]}" -eq 8 ]
	for name in user mnt pid net ipc uts cgroup time; do
		here=$(readlink "/proc/self/ns/$name")
		[[ "$output" == *"$name:["* ]]
		[[ "$output" != *"$here"* ]]
	done
}

@test "namespaces: one that was not made is noticed before the program runs" {
	says 125 "cordon: step read_back: read back: the workload is in the caller's cgroup namespace*" \
		without cgroup_namespace inside true
}

@test "pid namespace: only the sandbox's own processes are in /proc" {
	decoy_start
	read -ra plan_words <<<"$decoy_plan"
	denied see-process ENOENT
	denied signal ESRCH
	gives 0 "1 2 " inside 'cd /proc; for p in [0-9]*; do printf "%s " $p; done; exit 0'
	# The control: the attempts work where nothing stands in the way.
	run -0 "$HOSTILE" only=see-process "${plan_words[@]}"
	run -0 "$HOSTILE" only=signal "${plan_words[@]}"
}

@test "pid namespace: the attempts on a neighbour find nothing, whatever its number" {
	decoy_start
	read -ra plan_words <<<"$decoy_plan"
	denied ptrace EPERM
	CORDON=$FAULTY CORDON_FAULT=seccomp:skip denied ptrace ESRCH
	run -0 "$HOSTILE" only=ptrace "${plan_words[@]}"
}

@test "ipc namespace: shared memory of the host cannot be attached" {
	decoy_start
	read -ra plan_words <<<"$decoy_plan"
	denied shared-memory 'EINVAL|EIDRM'
	run -0 "$HOSTILE" only=shared-memory "${plan_words[@]}"
}

@test "net namespace: only lo, which is up; neither the host's loopback nor abstract sockets" {
	gives 0 "lo " inside 'sed -n "3,\$s/: .*//p" /proc/net/dev | tr -d " " | tr "\n" " "'
	gives 0 "127.0.0.1 up" cordon run -- /usr/bin/python3 -c \
		'import socket as s; a = s.socket(); a.bind(("127.0.0.1", 0)); a.listen(); b = s.create_connection(a.getsockname()); print(b.getpeername()[0], "up")'
	says 1 "*Network is unreachable*" without loopback cordon run -- /usr/bin/python3 -c \
		'import socket as s; a = s.socket(); a.bind(("127.0.0.1", 0)); a.listen(); b = s.create_connection(a.getsockname())'
	decoy_start
	read -ra plan_words <<<"$decoy_plan"
	denied inet ECONNREFUSED
	denied abstract ECONNREFUSED
	run -0 "$HOSTILE" only=inet "${plan_words[@]}"
	run -0 "$HOSTILE" only=abstract "${plan_words[@]}"
}

# bats test_tags=vm
@test "user namespace: the host's uid 0 is in no map" {
	local inside outside count
	run -0 cordon run -- cat /proc/self/uid_map /proc/self/gid_map
	while read -r inside outside count; do
		if is_root; then
			[ "$inside $count" = "0 65536" ]
			[ "$outside" -ge 603979776 ]
			[ "$outside" -le 1879048191 ]
		else
			[ "$inside $outside $count" = "1000 $(id -u) 1" ]
		fi
	done <<<"$output"
	[ "${#lines[@]}" -eq 2 ]
}

# bats test_tags=root,vm
@test "user namespace: two sandboxes at once have two blocks of ids" {
	local blocks i pids=()
	for i in 1 2 3 4; do
		"$CORDON" --root "$CORDON_ROOT" run -- sh -c 'cat /proc/self/uid_map; sleep 0.5' >"map.$i" 3>&- &
		pids+=("$!")
	done
	wait "${pids[@]}"
	blocks=$(cat map.* | awk '{ print $2 }' | sort -u | wc -l)
	[ "$blocks" -eq 4 ]
}

# bats test_tags=vm
@test "nested user namespaces: the filter says EPERM, the kernel's limit ENOSPC behind it" {
	answers "unshare $USERNS" EPERM ENOSPC
	answers "clone $((USERNS | 17))" EPERM ENOSPC
	# With the call waived it is the limit that answers.
	gives 42 $'cordon: waived: seccomp.call:unshare (test)\nENOSPC' \
		cordon run --waive seccomp.call:unshare=test -- "$ATTACK/call" unshare "$USERNS"
	# The limit itself is tried out before the program runs.
	says 125 "cordon: step forbid_userns: a nested user namespace is possible after it was forbidden" \
		without forbid_userns inside true
	gives 0 ok "$ATTACK/call" unshare "$USERNS"
}

# bats test_tags=vm
@test "other namespaces: the filter says EPERM, and without it there is no capability for them" {
	local flag
	for flag in 0x00020000 0x02000000 0x04000000 0x08000000 0x20000000 0x40000000 0x00000080; do
		answers "unshare $flag" EPERM EPERM
	done
	answers "setns 0 0" EPERM EINVAL
}

# bats test_tags=root
@test "groups: as root the caller's supplementary groups are gone" {
	says 0 "Groups:*" setpriv --groups 27,42 "$CORDON" --root "$CORDON_ROOT" run -- grep Groups: /proc/self/status
	[[ "$output" != *[0-9]* ]]
	# The rows identity and setup_ids both drop them; without one the other does, and at the end the
	# keeper reads back that none is left.
	for row in setup_ids identity; do
		CORDON_FAULT=$row:skip run setpriv --groups 27,42 "$FAULTY" --root "$CORDON_ROOT" run -- \
			grep Groups: /proc/self/status
		[[ "$output" == "cordon: step read_back: "* && $status -eq 125 ]] || [[ "$output" != *[0-9]* ]]
	done
}

@test "groups: setgroups is refused inside" {
	gives 0 "$(is_root && echo allow || echo deny)" cordon run -- cat /proc/self/setgroups
	gives 42 EPERM cordon run -- "$ATTACK/call" setgroups 0 0
}

# bats test_tags=vm
@test "cgroup namespace: the host's path does not show" {
	run -0 cordon run -- cat /proc/self/cgroup
	[ -n "$output" ]
	for line in "${lines[@]}"; do
		[[ "$line" == *:/ ]]
	done
}
