#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Docker's default profile: what cordon makes of it beside what Debian's runc makes of it, each as the
# kernel has it, call by call in the simulator. What may differ stands in tests/oracle/differences.c.

load ../lib/cordon
load ../lib/attack

keeper=
oracle=$repo/build/oracle
docker_file=$repo/tests/bench/data/docker-default-seccomp.json
# dockerd's default for a container.
docker_caps=CHOWN,DAC_OVERRIDE,FSETID,FOWNER,MKNOD,NET_RAW,SETGID,SETUID,SETFCAP,SETPCAP
docker_caps+=,NET_BIND_SERVICE,SYS_CHROOT,KILL,AUDIT_WRITE
kernel=$(uname -r | grep -oE '^[0-9]+\.[0-9]+')

setup() {
	need jq
	[ "$(uname -m)" = x86_64 ] || skip "the list of differences is for x86-64"
	[ -e "$repo/build/peers/have/runc" ] || skip "tests/bench/fetch runc has not run"
	cordon_setup
	# cordon.bash reads it.
	# shellcheck disable=SC2034
	CORDON_ROOT=$BATS_TEST_TMPDIR.root
	cd "$BATS_TEST_TMPDIR" || return
}

# A test that fails must not leave a sandbox that waits.
teardown() {
	if [ -n "$keeper" ]; then
		kill -KILL "$keeper"
		wait "$keeper" || [ $? -eq 137 ]
		cordon gc
	fi
	cordon_teardown
}

runc_filter() { # CAPABILITIES OUT
	"$repo/tests/oracle/runc_filter" "$docker_file" "$kernel" "$1" "$2"
}

compile() { # FILE.json CAPABILITIES OUT
	"$oracle/compile" "$1" "$kernel" "$2" >"$3"
}

# The program of a running sandbox, to OUT.0. Without a regular file among its descriptors: that
# would have setuid bits refused.
cordon_filter() { # OUT FLAG...
	local line workload
	mkfifo "$1.said"
	exec {said}<>"$1.said"
	"$CORDON" --root "$CORDON_ROOT" run --profile ./p.yaml "${@:2}" -- "$ATTACK/filters" wait \
		</dev/null >&"$said" 2>&1 3>&- &
	keeper=$!
	read -r -t 60 line <&"$said"
	[ "$line" = ready ] || { echo "said: $line"; return 1; }
	has_init
	workload=$(pgrep -P "$init")
	run "$ATTACK/filters" read "$workload" "$1"
	kill -KILL "$workload"
	wait "$keeper" || [ $? -eq 137 ]
	keeper=
	exec {said}>&-
	# One program, and no other below it.
	[ "$status" -eq 0 ] && [[ "$output" =~ ^[0-9]+$ ]]
}

write_profile() {
	install -m 0644 "$docker_file" d.json
	printf '%s\n' 'cordon: 1' 'rootfs: {from: host}' 'limits: {nproc: 64}' \
		'seccomp: {docker_profile: d.json}' >p.yaml
}

same='[1-9]* the same, [1-9]* listed, 0 others, 0 rows without a difference'

# bats test_tags=root
@test "docker and runc: a sandbox has runc's filter of a container without capabilities" {
	write_profile
	runc_filter none runc
	cordon_filter cordon
	says 0 "$same" "$oracle/compare" read-only runc.0 cordon.0
	# Which is what the other tests look at, for capabilities that no sandbox has.
	compile d.json none compiled
	cmp cordon.0 compiled
}

# bats test_tags=root
@test "docker and runc: where a directory is writable, setuid bits are the difference" {
	write_profile
	mkdir data
	chown 12345:12345 data
	runc_filter none runc
	cordon_filter cordon --rw data
	says 0 "$same" "$oracle/compare" writable runc.0 cordon.0
	says 42 "*chmod, number 0x5a *: runc answers 0x7fff0000, cordon 0x50001*" \
		"$oracle/compare" read-only runc.0 cordon.0
}

# bats test_tags=root
@test "docker and runc: the same for Docker's capabilities, and with CAP_SYS_ADMIN" {
	runc_filter "$docker_caps" runc
	compile "$docker_file" "$docker_caps" fewer
	says 0 "$same" "$oracle/compare" read-only runc.0 fewer
	runc_filter "$docker_caps,SYS_ADMIN" runc
	compile "$docker_file" "$docker_caps,SYS_ADMIN" more
	says 0 "$same" "$oracle/compare" sys-admin runc.0 more
	# They are different filters, and the difference is seen.
	says 42 "*mount, number 0xa5 *: runc answers 0x7fff0000, cordon 0x50001*" \
		"$oracle/compare" sys-admin runc.0 fewer
	compile "$docker_file" none none
	run -1 cmp -s fewer none
}

# One change of the file that cordon gets, and what is said about it.
# bats test_tags=root
@test "docker and runc: a file with one call changed is told from the other" {
	local change call
	runc_filter none runc
	while read -r call change; do
		jq "$change" "$docker_file" >changed.json
		run -1 cmp -s changed.json "$docker_file"
		compile changed.json none cordon
		says 42 "$call, number *: runc answers *, [1-9]* others, *" "$oracle/compare" read-only runc.0 cordon
	done <<-'END'
		getpid .syscalls[0].names -= ["getpid"]
		mbind .syscalls[0].names += ["mbind"]
		socket .syscalls |= map(if .names == ["socket"] and .args[0].value == 40 then .args[0].value = 41 else . end)
		personality .syscalls |= map(select(.args[0].value != 131080))
		clone .syscalls |= map(if .names == ["clone"] and .args[0].index == 0 then .args[0].value -= 134217728 else . end)
		clone3 .syscalls |= map(if .names == ["clone3"] then .errnoRet = 1 else . end)
	END
	# A difference that is in the list, and is none: the file's answer for it is runc's.
	jq '.syscalls[0].names -= ["uretprobe"]' "$docker_file" >changed.json
	compile changed.json none cordon
	says 42 "*no difference any more: row *, the file permits it; *1 rows without a difference" \
		"$oracle/compare" read-only runc.0 cordon
}
