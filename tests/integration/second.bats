#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The second architecture (seccomp.architectures): x86's calls on x86-64, by a program of 32 bits and
# by int 0x80 of one of 64.

# bats file_tags=vm

load ../lib/cordon
load ../lib/attack

BOTH=(--set 'seccomp.architectures=[native, x86]' --waive 'seccomp.architecture:x86=a program of 32 bits')

setup() {
	[ "$(uname -m)" = x86_64 ] || skip "x86 is the second architecture of x86-64"
	cordon_setup
	# cordon.bash reads it.
	# shellcheck disable=SC2034
	CORDON_ROOT=$BATS_TEST_TMPDIR.root
	cd "$BATS_TEST_TMPDIR" || return
	# CONFIG_IA32_EMULATION, and not ia32_emulation=off.
	[ "$("$ATTACK/call_x86" 20)" = ok ] || skip "in a virtual machine: this kernel takes no calls of x86"
}

# As gives, of a run with BOTH, which says what is waived, and -q does not silence that.
tells() { # CODE TEXT COMMAND...
	gives "$1" "cordon: waived: seccomp.architecture:x86 (a program of 32 bits)${2:+$'\n'}$2" "${@:3}"
}

# What x86's call is told with the filter, and without it, in both kinds of programs.
x86_answers() { # CALL WITH WITHOUT [FLAG...]
	local words program with=42 without=42
	read -ra words <<<"$1"
	[ "$2" != ok ] || with=0
	[ "$3" != ok ] || without=0
	for program in call_x86 int80; do
		tells "$with" "$2" cordon run "${BOTH[@]}" "${@:4}" -- "$ATTACK/$program" "${words[@]}" || return 1
		tells "$without" "$3" without seccomp cordon run "${BOTH[@]}" "${@:4}" -- "$ATTACK/$program" "${words[@]}" || return 1
	done
}

@test "second: not listed, each of its calls kills" {
	local program
	for program in call_x86 int80; do
		says 137 "cordon: ended by seccomp: *" cordon run -- "$ATTACK/$program" 20
		gives 0 ok without seccomp cordon run -- "$ATTACK/$program" 20
	done
	# A waiver alone lists nothing.
	gives 137 "cordon: waived: seccomp.architecture:x86 (why)" cordon run -q --waive 'seccomp.architecture:x86=why' -- "$ATTACK/int80" 20
}

@test "second: listed, programs of 32 bits run, and x32 is killed as ever" {
	local program
	for program in call_x86 int80; do
		tells 0 ok cordon run "${BOTH[@]}" -- "$ATTACK/$program" 20
		tells 42 ENOENT cordon run "${BOTH[@]}" -- "$ATTACK/$program" 5 text:/no/such/file 0
		tells 0 ok cordon run "${BOTH[@]}" -- "$ATTACK/$program" 192 0 4096 3 0x22 0xffffffff 0
	done
	tells 0 ok cordon run "${BOTH[@]}" -- "$ATTACK/call" getpid
	tells 137 "" cordon run -q "${BOTH[@]}" -- "$ATTACK/call" 0x40000027
}

@test "second: it is asked for by name, and every run says so" {
	says 125 "*this permits calls of x86, which the parent does not*seccomp.architecture:x86=REASON*" \
		cordon run --set 'seccomp.architectures=[native, x86]' -- true
	says 0 "*waived: seccomp.architecture:x86 (why)*" \
		cordon run --set 'seccomp.architectures=[native, x86]' --waive 'seccomp.architecture:x86=why' -- true
	says 125 "*x32 is not enforced by this build*CONFIG_X86_X32_ABI*" \
		cordon run --set 'seccomp.architectures=[native, x32]' -- true
	says 125 "*seccomp.architectures lacks native*" cordon run --set 'seccomp.architectures=[]' -- true
}

@test "second: the kernel answers as the table says" {
	says 0 "*
[1-9]* the same, 0 others" verdicts cordon
	says 42 "*unshare 0 0 0: allow instead of errno(EPERM)*others" verdicts without seccomp cordon
}

# Through a pipe: a file at stdin would have setuid bits refused.
verdicts() { # COMMAND...
	"$@" run "${BOTH[@]}" -- "$ATTACK/verdicts" x86 < <(cat "$repo/profiles/expect/base-x86.tests")
}

@test "second: int 0x80 reaches nothing that the native list refuses" {
	# keyctl, io_uring_setup, clone with CLONE_NEWUSER, userfaultfd, bpf, clone3, personality, ioctl TIOCSTI.
	x86_answers "288 0 0xfffffffd 0" EPERM ok
	x86_answers "425 0 buf" EPERM EINVAL
	x86_answers "120 0x10000011" EPERM ENOSPC
	x86_answers "435 buf 64" ENOSYS ok
	x86_answers "136 0x0400000" EPERM ok
	x86_answers "54 99 0x5412 buf" EPERM EBADF
	# umount, the one that only x86 has; and socket families.
	x86_answers "22 text:/tmp" EPERM EPERM
	x86_answers "359 16 3 0" ok ok
	x86_answers "359 16 3 15" EAFNOSUPPORT ok
	# seccomp's number: a listener of its own.
	tells 42 EFAULT cordon run "${BOTH[@]}" -- "$ATTACK/int80" 354 1 0 0
}

# int 0x80 takes 32 bits of each register and shows a filter all of them.
@test "second: nor with high bits set in a register" {
	says 0 "*
2 the same, 0 others" high_bits cordon
	says 42 "*mprotect 0 0 0x100000007: allow instead of errno(EPERM)*
0 the same, 2 others" high_bits without seccomp cordon
}

high_bits() { # COMMAND...
	printf 'mprotect 0 0 %s -> errno(EPERM)\n' 7 0x100000007 | "$@" run "${BOTH[@]}" \
		--set 'seccomp.deny=[{call: mprotect, args: {2: {eq: 7}}}]' -- "$ATTACK/verdicts" x86
}

@test "second: socketcall and ipc do what their parts may" {
	# socket and socketpair: the family lies in memory. listen, on what is no socket.
	x86_answers "102 1 buf" ENOSYS EAFNOSUPPORT
	x86_answers "102 8 buf" ENOSYS EFAULT
	x86_answers "102 4 buf" ENOTSOCK ENOTSOCK
	x86_answers "102 4 buf" EACCES ENOTSOCK --set 'seccomp.deny=[{call: listen, action: errno(EACCES)}]'
	# msgget, with and without the version that stands above its number.
	x86_answers "117 13 0 01600" ok ok
	x86_answers "117 13 0 01600" EPERM ok --set 'seccomp.deny=[msgget]'
	x86_answers "117 0x1000d 0 01600" EPERM ok --set 'seccomp.deny=[msgget]'
	x86_answers "399 0 01600" EPERM ok --set 'seccomp.deny=[msgget]'
}

@test "second: a refusal is one of every form of the call" {
	local deny='seccomp.deny=[chown, {call: mmap, args: {2: {masked: {mask: 4, ne: 0}}}, action: errno(EACCES)}]'
	# chown of 16 bits, and chown32.
	x86_answers "182 text:/no/such/file 0 0" EPERM ENOENT --set "$deny"
	x86_answers "212 text:/no/such/file 0 0" EPERM ENOENT --set "$deny"
	x86_answers "207 99 0 0" EBADF EBADF --set "$deny"
	# mmap's protection lies in memory, mmap2's does not.
	x86_answers "90 buf" ENOSYS EINVAL --set "$deny"
	x86_answers "192 0 4096 5 0x22 0xffffffff 0" EACCES ok --set "$deny"
	x86_answers "192 0 4096 3 0x22 0xffffffff 0" ok ok --set "$deny"
}

@test "second: setuid and setgid bits cannot be set where writes stay on the host" {
	local program
	mkdir data
	touch data/file
	! is_root || chown -R 12345:12345 data
	for program in call_x86 int80; do
		tells 42 EPERM cordon run "${BOTH[@]}" --rw data -- "$ATTACK/$program" 15 "text:$PWD/data/file" 04755
		tells 42 EPERM cordon run "${BOTH[@]}" --rw data -- "$ATTACK/$program" 5 "text:$PWD/data/new" 0101 02755
		tells 42 EPERM cordon run "${BOTH[@]}" --rw data -- "$ATTACK/$program" 14 "text:$PWD/data/new" 04755 0
		tells 0 ok cordon run "${BOTH[@]}" --rw data -- "$ATTACK/$program" 15 "text:$PWD/data/file" 0700
		[ "$(stat -c %a data/file)" = 700 ]
		tells 0 ok without seccomp cordon run "${BOTH[@]}" --rw data -- "$ATTACK/$program" 15 "text:$PWD/data/file" 04700
		[ "$(stat -c %a data/file)" = 4700 ]
	done
}

@test "second: denials name the architecture" {
	says 42 "*EPERM
cordon: denied 1 time: x86 keyctl 0: EPERM (profile base:*); to allow it: --waive \"seccomp.call:keyctl=REASON\"
*" cordon run --explain-denials "${BOTH[@]}" --report "$PWD/report" -- "$ATTACK/call_x86" 288 0 0xfffffffd 0
	[ "$(jq -c '[.denials[] | [.call, .architecture, .count]]' report)" = '[["keyctl","x86",1]]' ]
	says 42 "*ENOSYS
*denied 1 time: x86 socketcall socket: ENOSYS (profile base:*); to allow all of this call: --waive \"seccomp.call:socket=REASON\"
*" cordon run --explain-denials "${BOTH[@]}" -- "$ATTACK/int80" 102 1 buf
	says 42 "*EAFNOSUPPORT" cordon run "${BOTH[@]}" --waive 'seccomp.call:socket=why' -- "$ATTACK/int80" 102 1 buf
	# The same number natively is another call.
	says 42 "*EPERM
*denied 1 time: keyctl 0: EPERM *" cordon run --explain-denials "${BOTH[@]}" --report "$PWD/report" -- "$ATTACK/call" keyctl 0 -3 0
	[ "$(jq -c '[.denials[] | [.call, .architecture]]' report)" = '[["keyctl","native"]]' ]
	# Ranges of values, which the process that answers must know, too: within, and above.
	local ranges='seccomp.deny=[{call: kill, args: {1: {range: [60, 62]}}, action: errno(EACCES)}, {call: kill, args: {1: {eq: 63}}, action: errno(EIO)}]'
	says 42 "*EACCES
*denied 1 time: x86 kill *: EACCES *" cordon run --explain-denials "${BOTH[@]}" --set "$ranges" -- "$ATTACK/int80" 37 99 61
	says 42 "*EIO
*denied 1 time: x86 kill *: EIO *" cordon run --explain-denials "${BOTH[@]}" --set "$ranges" -- "$ATTACK/int80" 37 99 63
}

@test "second: a Docker file's list of architectures permits nothing, the policy's does" {
	cat >d.json <<-'END'
		{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
		 "syscalls": [{"names": ["chown"], "action": "SCMP_ACT_ERRNO"}]}
	END
	echo "{cordon: 1, extends: default, seccomp: {docker_profile: d.json}}" >p.yaml
	chmod 600 d.json p.yaml
	gives 137 "" cordon run -q --profile ./p.yaml -- "$ATTACK/int80" 20
	tells 0 ok cordon run --profile ./p.yaml "${BOTH[@]}" -- "$ATTACK/int80" 20
	tells 42 EPERM cordon run --profile ./p.yaml "${BOTH[@]}" -- "$ATTACK/int80" 212 text:/no/such/file 0 0
	tells 42 ENOENT cordon run "${BOTH[@]}" -- "$ATTACK/int80" 212 text:/no/such/file 0 0
}

@test "second: explain shows its calls" {
	says 0 "*system calls of x86
  [1-9]* allowed, [1-9]* of all decided by their arguments*  socketcall *" cordon explain "${BOTH[@]}"
	run -0 cordon explain
	[[ $output != *"calls of x86"* ]]
	[ "$(cordon explain --json "${BOTH[@]}" | jq -r '.system_calls.second.architecture')" = x86 ]
	[ "$(cordon explain --json | jq '.system_calls.second')" = null ]
	[ "$(cordon explain --json "${BOTH[@]}" | jq '.system_calls.allowed')" = "$(cordon explain --json | jq '.system_calls.allowed')" ]
	# What differs, where both list it.
	echo '{cordon: 1, extends: default, seccomp: {architectures: [native, x86]}, waive: {"seccomp.architecture:x86": a}}' >a.yaml
	echo '{cordon: 1, extends: ./a.yaml, seccomp: {deny: [chown]}}' >b.yaml
	chmod 600 a.yaml b.yaml
	says 1 "*  x86 chown32
    - allow *
    + errno(EPERM) *" cordon profile diff ./a.yaml ./b.yaml
}
