#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The filter of system calls: each refusal with what the kernel would have said without it.

load ../lib/cordon
load ../lib/attack

# bats test_tags=vm
@test "seccomp: it is loaded, in mode 2" {
	gives 0 $'Seccomp:\t2' cordon run -- grep Seccomp: /proc/self/status
	gives 0 $'Seccomp:\t0' without seccomp cordon run -- grep Seccomp: /proc/self/status
}

@test "seccomp: socket families are an allow list" {
	answers "socket 1 1 0" ok ok
	answers "socket 2 1 0" ok ok
	answers "socket 10 1 0" ok ok
	answers "socket 16 3 0" ok ok
	# NETLINK_KOBJECT_UEVENT, AF_ALG, AF_VSOCK.
	answers "socket 16 3 15" EAFNOSUPPORT ok
	answers "socket 38 5 0" EAFNOSUPPORT "$(host_says socket 38 5 0)"
	answers "socket 40 1 0" EAFNOSUPPORT "$(host_says socket 40 1 0)"
	# AF_PACKET and raw sockets: the filter, then the missing capability.
	answers "socket 17 3 0" EAFNOSUPPORT EPERM
	answers "socket 2 3 1" EPERM EPERM
	# The kernel takes the family as 32 bits: more of them do not help.
	answers "socket 0x100000028 1 0" EAFNOSUPPORT "$(host_says socket 40 1 0)"
	answers "socketpair 1 1 0 buf" ok ok
	answers "socketpair 40 1 0 buf" EAFNOSUPPORT "$(host_says socketpair 40 1 0 buf)"
}

# What the kernel answers to somebody without capabilities on the host.
host_says() { # CALL...
	if is_root; then
		setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps -all -- "$(readable call)" "$@" || true
	else
		"$ATTACK/call" "$@" || true
	fi
}

readable() { # PROGRAM
	install -m 0755 "$ATTACK/$1" "/tmp/cordon-test.$$.$1"
	echo "/tmp/cordon-test.$$.$1"
}

teardown() {
	rm -f "/tmp/cordon-test.$$."*
	cordon_teardown
}

@test "seccomp: clone3 is unknown, clone makes no namespaces, unknown calls do not exist" {
	answers "clone3 buf 64" ENOSYS ok
	answers "clone 17" ok ok
	answers "clone 0x20011" EPERM EPERM
	answers "999" ENOSYS ENOSYS
	gives 42 EPERM cordon run --set seccomp.unknown='errno(EPERM)' -- "$ATTACK/call" 999
}

@test "seccomp: calls with a kernel's history are refused" {
	answers "io_uring_setup 1 buf" EPERM "$(host_says io_uring_setup 1 buf)"
	answers "bpf 0 buf 64" EPERM "$(host_says bpf 0 buf 64)"
	answers "userfaultfd 1" EPERM "$(host_says userfaultfd 1)"
	answers "keyctl 0 -3 0" EPERM ok
	answers "add_key text:user text:name text:x 1 -3" EPERM ok
	answers "request_key text:user text:no-such-key 0 0" EPERM ENOKEY
	answers "perf_event_open buf 0 -1 -1 0" EPERM "$(host_says perf_event_open buf 0 -1 -1 0)"
	answers "name_to_handle_at -100 text:/ buf buf 0" EPERM EOVERFLOW
	answers "open_by_handle_at 0 buf 0" EPERM EINVAL
	answers "pidfd_getfd 0 0 0" EPERM EBADF
	answers "ptrace 0 0 0 0" EPERM ok
	answers "modify_ldt 0 buf 1" EPERM "$(host_says modify_ldt 0 buf 1)"
	answers "personality 0x0400000" EPERM ok
	answers "personality 0xffffffff" ok ok
}

@test "seccomp: calls of a privileged user are refused, and without the filter there is no capability" {
	local words
	for words in "mount text:x text:/tmp text:tmpfs 0 0" "umount2 text:/tmp 0" "pivot_root text:/tmp text:/tmp" \
		"chroot text:/tmp" "fsopen text:tmpfs 0" "open_tree -100 text:/usr 1" "swapon text:/tmp 0" \
		"reboot 0 0 0 0" "syslog 3 buf 10" "sethostname text:x 1" "settimeofday buf 0" "acct 0" \
		"vhangup" "mknod text:/tmp/x 020600 0x103" "mknod text:/tmp/x 060600 0x800" "setgroups 0 0" \
		"capset buf buf" "fanotify_init 0 0"; do
		case $words in
		"capset "*) answers "$words" EPERM EINVAL ;;
		*) answers "$words" EPERM EPERM ;;
		esac
	done
}

@test "seccomp: nothing can be typed into a terminal" {
	denied tiocsti EPERM
	CORDON=$FAULTY CORDON_FAULT=seccomp:skip attempt tiocsti
	# From 6.2 on dev.tty.legacy_tiocsti may forbid it to those without CAP_SYS_ADMIN.
	[ "$outcome" = ok ] || [ "$outcome" = EIO ]
	# TIOCLINUX, and both with high bits set.
	answers "ioctl 0 0x541c buf" EPERM ENOTTY
	answers "ioctl 0 0x15412 buf" ENOTTY ENOTTY
	answers "ioctl 0 0x100005412 buf" EPERM ENOTTY
}

@test "seccomp: kill ends the program with 137, a line, and kind policy_kill" {
	# bpf is refused by errno; a layer may make it stricter.
	says 137 "cordon: ended by seccomp: the program made a system call that the policy answers with kill" \
		cordon run --report "$PWD/report" --set 'seccomp.deny=[{call: bpf, action: kill}]' -- "$ATTACK/call" bpf 0 0 0
	[ "$(jq -c '[.kind, .signal, .exit_code, .limit]' report)" = '["policy_kill",31,null,"seccomp"]' ]
	gives 137 "" cordon run -q --set 'seccomp.deny=[{call: bpf, action: kill}]' -- "$ATTACK/call" bpf 0 0 0
}

# bats test_tags=vm
@test "seccomp: an x32 call and a 32-bit call kill" {
	[ "$(uname -m)" = x86_64 ] || skip "x32 is of x86-64"
	says 137 "cordon: ended by seccomp: *" cordon run -- "$ATTACK/call" 0x40000027
	gives 42 ENOSYS without seccomp cordon run -- "$ATTACK/call" 0x40000027
}

@test "seccomp: setuid and setgid bits cannot be set where writes stay on the host" {
	local mode
	mkdir data
	touch data/file
	! is_root || chown -R 12345:12345 data
	for mode in 04755 02755 06755; do
		gives 42 EPERM cordon run --rw data -- "$ATTACK/call" chmod "text:$PWD/data/file" "$mode"
		gives 42 EPERM cordon run --rw data -- "$ATTACK/call" fchmodat -100 "text:$PWD/data/file" "$mode"
		gives 42 EPERM cordon run --rw data -- "$ATTACK/call" mknod "text:$PWD/data/new" "$mode" 0
		gives 42 EPERM cordon run --rw data -- "$ATTACK/call" open "text:$PWD/data/new" 0101 "$mode"
	done
	gives 0 ok cordon run --rw data -- "$ATTACK/call" chmod "text:$PWD/data/file" 0700
	[ "$(stat -c %a data/file)" = 700 ]
	gives 0 ok without seccomp cordon run --rw data -- "$ATTACK/call" chmod "text:$PWD/data/file" 04700
	[ "$(stat -c %a data/file)" = 4700 ]
	# On a tmpfs of its own nothing stays, and nosuid takes the bit its meaning.
	gives 0 ok cordon run -- "$ATTACK/call" mknod text:/tmp/new 0104755 0
}
