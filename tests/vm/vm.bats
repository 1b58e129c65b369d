#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What needs a machine of its own: settings of the whole host are changed here. Runs in the virtual
# machine only (tests/vm/guest).

# bats file_tags=vm
load ../lib/cordon
load ../lib/attack

setup() {
	cordon_setup
	# cordon.bash reads it.
	# shellcheck disable=SC2034
	CORDON_ROOT=$BATS_TEST_TMPDIR.root
	[ "$(cat /proc/sys/kernel/hostname)" = vm ] || skip "not in a virtual machine of tests/vm/run"
	cd "$BATS_TEST_TMPDIR" || return
	sysctls=()
	core_pattern=
}

teardown() {
	local entry
	for entry in "${sysctls[@]}"; do
		sysctl_write "${entry%%=*}" "${entry#*=}"
	done
	[ -z "$core_pattern" ] || printf '%s\n' "$core_pattern" >/proc/sys/kernel/core_pattern
	cordon_teardown
}

sysctl_path() { # NAME
	printf '/proc/sys/%s' "${1//./\/}"
}

sysctl_write() { # NAME VALUE
	printf '%s\n' "$2" >"$(sysctl_path "$1")"
}

# For this test.
sysctl_set() { # NAME VALUE
	sysctls+=("$1=$(cat "$(sysctl_path "$1")")")
	sysctl_write "$1" "$2"
}

# The ordinary user, where the test itself is root's: settings of the host want both.
as_ordinary() { # COMMAND...
	setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/home/user TMPDIR=/home/user/tmp "$@"
}

user_cordon() { # ARG...
	as_ordinary "$CORDON" --root /home/user/tmp/root "$@"
}

# Refused by run and by doctor, each with the line that lifts it; after that line it works.
restricted() { # TEXT SYSCTL VALUE
	local fix="sysctl -w $2=$3"
	says 125 "cordon: $1*hint: As root: $fix*" user_cordon run -- true
	says 125 "*MISS user namespaces*what stands in the way*$1*As root: $fix*" user_cordon doctor
	sysctl_write "$2" "$3"
	gives 0 ok user_cordon run -- echo ok
	says 0 "*ok   user namespaces*made, used and gone again" user_cordon doctor
}

# bats test_tags=root
@test "the machine has what the tests come here for" {
	local controller
	for controller in cpu memory pids io cpuset; do
		grep -qw "$controller" /sys/fs/cgroup/cgroup.controllers
	done
	grep -q apparmor /sys/kernel/security/lsm
	grep -q landlock /sys/kernel/security/lsm
	[ "$(cat /sys/module/apparmor/parameters/enabled)" = Y ]
	# Root has all of its capabilities.
	grep -q $'^CapEff:\t000001ffffffffff' /proc/self/status
	# Project quotas.
	truncate -s 16M disk
	mke2fs -q -t ext4 -O quota,project -E quotatype=prjquota disk
	mkdir mounted
	mount -o loop,prjquota disk mounted
	umount mounted
}

# bats test_tags=root
@test "userns: kernel.unprivileged_userns_clone=0: a user is refused with the fix, root is not" {
	sysctl_set kernel.unprivileged_userns_clone 0
	# The control: the kernel does refuse.
	says 1 "*Operation not permitted*" as_ordinary unshare -U true
	gives 0 ok cordon run -- echo ok
	restricted "kernel.unprivileged_userns_clone is 0: only root may make a user namespace" \
		kernel.unprivileged_userns_clone 1
}

# bats test_tags=root
@test "userns: user.max_user_namespaces=0: everybody is refused with the fix" {
	sysctl_set user.max_user_namespaces 0
	says 1 "*No space left on device*" as_ordinary unshare -U true
	says 125 "cordon: user.max_user_namespaces is 0*hint: As root: sysctl -w user.max_user_namespaces=15000*" \
		cordon run -- true
	restricted "user.max_user_namespaces is 0: no user namespace may be made" user.max_user_namespaces 15000
}

# Ubuntu's kernels have the switch, Debian's do not: it is put where a program would look for it.
# bats test_tags=root
@test "userns: AppArmor's restriction, where a kernel has it: a user is refused with the fix" {
	local fix="As root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or load cordon's AppArmor profile"
	mkdir kernel
	cp /proc/sys/kernel/core_pattern kernel
	echo 1 >kernel/apparmor_restrict_unprivileged_userns
	mount --bind kernel /proc/sys/kernel
	run user_cordon run -- true
	first=$status:$output
	run user_cordon doctor
	umount /proc/sys/kernel
	printf '%s\n' "$first" "$output"
	[[ "$first" == "125:cordon: kernel.apparmor_restrict_unprivileged_userns is 1: "*"$fix"* ]]
	[[ "$status:$output" == "125:"*"what stands in the way"*"$fix"* ]]
	gives 0 ok user_cordon run -- echo ok
}

# The first of a sandbox's host ids.
first_of_block() {
	"$CORDON" --root "$CORDON_ROOT" run -- sleep 30 3>&- &
	keeper=$!
	eventually has_init
	first=$(awk 'NR == 1 { print $2 }' "/proc/$init/uid_map")
	kill "$keeper"
	wait "$keeper" || true
}

# bats test_tags=root
@test "sub-ids: a block keeps clear of what /etc/subuid and /etc/subgid give to others" {
	local first
	grep -q '^user:' /etc/subuid
	cp /etc/subuid /etc/subgid .
	# All that sandboxes may have, but for one block; the files are one in what they give away.
	echo other:603979776:96020224 >>/etc/subuid
	echo another:700065536:1178982656 >>/etc/subgid
	first_of_block
	cp subuid subgid /etc
	[ "$first" -eq 700000000 ]
	# The control: without the entries it is another, but for one chance in 19,000.
	first_of_block
	[ "$first" -ne 700000000 ]
}

# A program that the kernel starts for a core dump, outside and as root.
core_handler() {
	core_pattern=$(cat /proc/sys/kernel/core_pattern)
	handled=/tmp/handled.$$
	rm -f "$handled"
	printf '#!/bin/sh\nexec >%s.new\nid -u\ncat >/dev/null\nmv %s.new %s\n' "$handled" "$handled" "$handled" >handler
	chmod 755 handler
	printf '|%s/handler %%p\n' "$PWD" >/proc/sys/kernel/core_pattern
}

# bats test_tags=root
@test "core: a crash inside starts no handler of the host's; the control: outside it does" {
	local crash='ulimit -c unlimited 2>/dev/null; kill -SEGV $$'
	core_handler
	gives 139 "" cordon run -q -- sh -c "$crash"
	says 139 "*" user_cordon run -q -- sh -c "$crash"
	# A limit that the program lowers to 0 would have it started.
	gives 139 "" cordon run -q -- sh -c 'ulimit -c 0; kill -SEGV $$'
	says 139 "*" user_cordon run -q -- sh -c 'ulimit -c 0 2>/dev/null; kill -SEGV $$'
	sleep 1
	[ ! -e "$handled" ] && [ ! -e "$handled.new" ]
	# The control, last: after it there is such a file.
	run as_ordinary sh -c "$crash"
	eventually test -e "$handled"
	[ "$(cat "$handled")" = 0 ]
}

# bats test_tags=root
@test "core: a core file is refused where the pattern is a pipe, and can be had where it is a file" {
	core_handler
	says 125 "cordon: limits.ulimits.core: kernel.core_pattern is a pipe here*hint: Leave core at 0*" \
		cordon run --set limits.ulimits.core=1MiB -- true
	printf 'core\n' >/proc/sys/kernel/core_pattern
	says 0 "*core dumped*core" inside 'cd /tmp; sh -c "kill -SEGV \$\$"; ls /tmp' -q --set limits.ulimits.core=1MiB
}

# bats test_tags=root
@test "hard limits: root may raise them, a user is refused; a row that is left out is noticed" {
	local limits=(--set limits.ulimits.nofile=700)
	gives 0 700 prlimit --nofile=512:512 "$CORDON" --root "$CORDON_ROOT" run "${limits[@]}" -- sh -c 'ulimit -Hn'
	CORDON_FAULT=hard_limits:skip says 125 "cordon: step *nofile*" \
		prlimit --nofile=512:512 "$FAULTY" --root "$CORDON_ROOT" run "${limits[@]}" -- true
	# A user is told; with less it works.
	says 125 "cordon: limits.ulimits.nofile: this process may not have more than 512*hint: *" \
		as_ordinary prlimit --nofile=512:512 "$CORDON" --root /home/user/tmp/root run "${limits[@]}" -- true
	gives 0 500 as_ordinary prlimit --nofile=512:512 "$CORDON" --root /home/user/tmp/root run \
		--set limits.ulimits.nofile=500 -- sh -c 'ulimit -Hn'
	# Only of the sandbox: the caller's are what they were.
	[ "$(ulimit -Hn)" -ge 700 ]
}

# bats test_tags=root
@test "oom score: root's is final, the program cannot lower it" {
	says 0 "*echo: I/O error*500" inside 'echo 499 >/proc/$$/oom_score_adj; cat /proc/$$/oom_score_adj'
	gives 0 600 inside 'echo 600 >/proc/self/oom_score_adj; cat /proc/self/oom_score_adj'
}

# bats test_tags=root
@test "volumes: a tmpfs of the host's can be shown, or is refused with the reason" {
	local can_map
	# Where the ordinary user gets to, too.
	cd /home/user
	mkdir -p tmpfs
	mount -t tmpfs none tmpfs
	mkdir tmpfs/data
	echo text >tmpfs/data/file
	chown -R 12345:12345 tmpfs/data
	# Since Linux 6.3 a tmpfs can be idmapped.
	can_map=$(uname -r | awk -F . '{ print ($1 > 6 || ($1 == 6 && $2 >= 3)) ? 1 : 0 }')
	if [ "$can_map" -eq 1 ]; then
		gives 0 text cordon run --rw "$PWD/tmpfs/data" -- cat "$PWD/tmpfs/data/file"
	else
		says 125 "*$PWD/tmpfs/data: show it with the sandbox's ids*hint: *cannot be idmapped: copy it *" \
			cordon run --rw "$PWD/tmpfs/data" -- true
	fi
	# As a user no ids are mapped.
	chown -R 1000:1000 tmpfs/data
	run user_cordon run --rw "$PWD/tmpfs/data" -- cat "$PWD/tmpfs/data/file"
	umount tmpfs
	[ "$status $output" = "0 text" ]
}

@test "network: nothing but an own loopback that is up" {
	gives 0 "lo" inside 'sed -n "3,\$s/: .*//p" /proc/net/dev | tr -d " "'
	says 1 "*Connection refused" cordon run -- bash -c ': </dev/tcp/127.0.0.1/9'
	says 1 "*Network is unreachable" cordon run -- bash -c ': </dev/tcp/192.0.2.1/9'
	# The control of what a loopback that is down would say.
	says 1 "*Network is unreachable" without loopback cordon run -- bash -c ': </dev/tcp/127.0.0.1/9'
}

@test "overlay: a directory can be removed and made again in a writable root" {
	make_rootfs tree
	mkdir tree/d
	touch tree/d/file
	chmod -R a+rwX tree
	run cordon run --set "rootfs.from=dir:$PWD/tree" --set rootfs.writable.store=tmpfs -- \
		sh -c 'rm -r /d && mkdir /d && ls -A /d'
	# Before 6.6 it cannot, and that is said, also by doctor.
	if [[ "$output" == "cordon: directories of $PWD/tree cannot be removed or replaced inside: "* ]]; then
		[[ "$status $output" == "1 "*"Input/output error" ]]
		says 0 "*note in a writable root on tmpfs, *" cordon doctor
	else
		[ "$status $output" = "0 " ]
		run -0 cordon doctor
		[[ "$output" != *"note in a writable root"* ]]
	fi
	[ -e tree/d/file ]
}

nothing_runs() {
	! pgrep '^(cordon|sleep)'
}

@test "a run leaves no process, no mount and no file" {
	local before
	before=$(cat /proc/self/mountinfo)
	gives 7 "" inside 'sleep 100 & exit 7'
	[ "$(cat /proc/self/mountinfo)" = "$before" ]
	# What ends with a pid namespace is reaped by process 1, in a moment.
	eventually nothing_runs || { pgrep -a '^(cordon|sleep)'; return 1; }
	[ -z "$(find "$CORDON_ROOT" -path '*/runs/*')" ]
}
