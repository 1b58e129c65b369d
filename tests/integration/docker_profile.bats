#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# seccomp.docker_profile: Docker's own file in force, each refusal with what is said without it.

load ../lib/cordon
load ../lib/attack

# A profile of these lines, with Docker's file beside it as d.json.
profile() { # LINE...
	install -m 0644 "$repo/tests/bench/data/docker-default-seccomp.json" d.json
	printf '%s\n' 'cordon: 1' "$@" >p.yaml
}

# What Docker's profile takes from ours, and ours from Docker's.
@test "docker_profile: a child of default is what both permit" {
	profile 'extends: default' 'seccomp: {docker_profile: d.json}'
	answers "getpid" ok ok --profile ./p.yaml
	gives 0 hello cordon run --profile ./p.yaml -- sh -c 'cat </dev/null; echo hello'
	# mbind stands in Docker's file for CAP_SYS_NICE only; ptrace is not in default.
	answers "mbind 0 0 0 0 0 0" EPERM ok --profile ./p.yaml
	answers "mbind 0 0 0 0 0 0" ok ok
	answers "ptrace 0 0 0 0" EPERM ok --profile ./p.yaml
	answers "personality 0x0040000" EPERM ok --profile ./p.yaml
	answers "personality 0x0040000" ok ok
	answers "personality 8" EPERM ok --profile ./p.yaml
	answers "999" ENOSYS ENOSYS --profile ./p.yaml
}

@test "docker_profile: alone it is what the file says" {
	profile 'rootfs: {from: host}' 'limits: {nproc: 64}' 'seccomp: {docker_profile: d.json, unknown: errno(EXDEV)}'
	answers "ptrace 0 0 0 0" ok ok --profile ./p.yaml
	answers "personality 8" ok ok --profile ./p.yaml
	answers "personality 9" EPERM ok --profile ./p.yaml
	answers "clone3 buf 64" ENOSYS ok --profile ./p.yaml
	answers "clone 17" ok ok --profile ./p.yaml
	answers "socket 1 1 0" ok ok --profile ./p.yaml
	# AF_VSOCK, also with high bits, where 64 bits compared would let it through.
	gives 42 EPERM cordon run --profile ./p.yaml -- "$ATTACK/call" socket 40 1 0
	gives 42 EPERM cordon run --profile ./p.yaml -- "$ATTACK/call" socket 0x100000028 1 0
	gives 42 EXDEV cordon run --profile ./p.yaml -- "$ATTACK/call" 999
}

@test "docker_profile: by flag, relative to where cordon is started" {
	profile 'extends: default'
	gives 42 EPERM cordon run --set seccomp.docker_profile=d.json -- "$ATTACK/call" mbind 0 0 0 0 0 0
	gives 0 ok cordon run -- "$ATTACK/call" mbind 0 0 0 0 0 0
}

@test "docker_profile: explain names the file and the line, and the report its digest" {
	local line digest
	profile 'extends: default' 'seccomp: {docker_profile: d.json}'
	line=$(grep -n '"getpid"' d.json)
	run -0 cordon explain --calls --profile ./p.yaml
	[[ "$output" == *"  getpid "*" allow "*"$PWD/d.json:${line%%:*}"* ]]
	run -0 cordon explain --profile ./p.yaml
	[[ "$output" == *"p.yaml:3: warning: "*" calls that the file permits, ptrace among them, stay refused"* ]]
	digest=sha256:$(sha256sum <d.json | cut -d ' ' -f 1)
	run -0 cordon run --report r.json --profile ./p.yaml -- true
	[ "$(jq -r --arg path "$PWD/d.json" '.profiles[] | select(.path == $path).digest' r.json)" = "$digest" ]
}

@test "docker_profile: mistakes in it stop everything, at their place" {
	profile 'extends: default' 'seccomp: {docker_profile: d.json}'
	sed -i '2s/SCMP_ACT_ERRNO/SCMP_ACT_ERNO/' d.json
	says 125 "$PWD/d.json:2:19: error: unknown action 'SCMP_ACT_ERNO'*hint: did you mean 'SCMP_ACT_ERRNO'?*" \
		cordon run --profile ./p.yaml -- true
	echo '{"defaultAction": "SCMP_ACT_ALLOW",}' >d.json
	says 125 "$PWD/d.json:1:36: error: not valid JSON: *" cordon profile check p.yaml
	rm d.json
	says 125 "./p.yaml:3:*: error: profile $PWD/d.json: No such file or directory*" cordon explain --profile ./p.yaml
}

@test "docker_profile: a file that others may write is not believed" {
	profile 'extends: default' 'seccomp: {docker_profile: d.json}'
	chmod 0664 d.json
	says 125 "*may be written by others*" cordon run --profile ./p.yaml -- true
	chmod 0644 d.json
	gives 0 "" cordon run --profile ./p.yaml -- true
}

@test "docker_profile: what the file would refuse and cordon cannot is refused" {
	profile 'extends: default' 'seccomp: {docker_profile: d.json}'
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["execve"], "action": "SCMP_ACT_KILL"}]}' >d.json
	says 125 "*execve cannot be denied*" cordon run --profile ./p.yaml -- true
	echo '{"defaultAction": "SCMP_ACT_NOTIFY"}' >d.json
	says 125 "*SCMP_ACT_NOTIFY is not enforced by this build*" cordon run --profile ./p.yaml -- true
}
