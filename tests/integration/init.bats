#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Process 1 is beyond the program's reach, and holds nothing of the caller's.

load ../lib/cordon
load ../lib/attack

# As root init has an id of its own; as a user it has the program's, and its being undumpable and
# its place as process 1 protect it.

@test "init: no signal of the program's reaches it" {
	gives 7 "" inside 'for s in $(seq 1 64); do kill -$s 1 2>/dev/null; done; exit 7'
	gives 7 "" without seccomp inside 'for s in $(seq 1 64); do kill -$s 1 2>/dev/null; done; exit 7'
	# The control: the same signals end another process.
	gives 137 Killed inside 'sleep 100 & kill -9 $!; wait $!'
}

@test "init: its memory, environment, maps and descriptors cannot be read" {
	local file
	for file in mem environ maps fd/3 auxv stack syscall root exe cwd ns/pid; do
		gives 42 EACCES cordon run -- "$ATTACK/call" open "text:/proc/1/$file" 0 0 ||
			gives 42 EPERM cordon run -- "$ATTACK/call" open "text:/proc/1/$file" 0 0
	done
	# The control: of a process of its own it can.
	gives 0 "" inside 'sleep 100 & head -c 1 /proc/$!/maps >/dev/null; ls /proc/$!/fd >/dev/null; kill $!'
	gives 0 ok cordon run -- "$ATTACK/call" open text:/proc/self/mem 2 0
}

@test "init: it cannot be traced, nor its memory copied, with the filter or without" {
	# PTRACE_ATTACH, PTRACE_SEIZE.
	answers "ptrace 16 1 0 0" EPERM EPERM
	answers "ptrace 0x4206 1 0 0" EPERM EPERM
	says 42 "EPERM" cordon run -- /usr/bin/python3 -c "$(copies_from 1)"
	says 42 "EPERM" without seccomp cordon run -- /usr/bin/python3 -c "$(copies_from 1)"
	# The control: a child of its own can be.
	gives 0 ok without seccomp inside 'sleep 100 & '"$ATTACK"'/call ptrace 0x4206 $! 0 0; kill -9 $!' --ro "$ATTACK"
	says 0 "ok" without seccomp cordon run -- /usr/bin/python3 -c "$(copies_from 'os.getpid()')"
}

copies_from() { # PID
	cat <<-EOP
		import ctypes, errno, os, sys
		libc = ctypes.CDLL(None, use_errno=True)
		class iovec(ctypes.Structure):
		    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]
		buf, page = ctypes.create_string_buffer(16), ctypes.create_string_buffer(16)
		at = ctypes.addressof(page) if $1 != 1 else 0x400000
		n = libc.process_vm_readv($1, ctypes.byref(iovec(ctypes.addressof(buf), 16)), 1, ctypes.byref(iovec(at, 16)), 1, 0)
		print("ok" if n == 16 else errno.errorcode[ctypes.get_errno()])
		sys.exit(0 if n == 16 else 42)
	EOP
}

@test "init: a handle on it sends no signal and gives no descriptor" {
	says 7 "" cordon run -- /usr/bin/python3 -c '
import os, signal, sys
fd = os.pidfd_open(1)
for s in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
    try: signal.pidfd_send_signal(fd, s)
    except PermissionError: pass
sys.exit(7)'
	gives 42 EPERM cordon run -- "$ATTACK/call" pidfd_getfd 3 0 0
}

# bats test_tags=root
@test "init: the limits of process 1 cannot be changed, nor its priority" {
	gives 42 EPERM cordon run -- "$ATTACK/call" prlimit64 1 7 buf 0
	gives 42 EPERM cordon run -- "$ATTACK/call" setpriority 0 1 19
	gives 0 ok cordon run -- "$ATTACK/call" setpriority 0 0 19
}

# Starts a sandbox that sleeps, with a marker in the caller's environment. Sets keeper and init.
start() {
	PLANTED=cordon-planted-$RANDOM$RANDOM
	# Heap and stack of the keeper have it, too: as an argument that cordon reads.
	export PLANTED
	"$CORDON" --root "$CORDON_ROOT" run --timeout 30s --report "$PWD/$PLANTED" -- sleep 20 3>&- &
	keeper=$!
	eventually has_init
	eventually pgrep -P "$init" -x sleep
}

stop() {
	kill "$keeper"
	wait "$keeper" || [ $? -eq 143 ]
}

# bats test_tags=root
@test "init: its memory holds nothing of the caller's environment and arguments, seen by the host's root" {
	start
	gives 0 "" "$ATTACK/reader" "$keeper" "$PLANTED"
	gives 42 "" "$ATTACK/reader" "$init" "$PLANTED"
	gives 42 "" "$ATTACK/reader" "$(pgrep -P "$init")" "$PLANTED"
	[ "$(tr '\0' '\n' <"/proc/$init/environ" | wc -c)" -eq 0 ]
	[ "$(tr '\0' ' ' <"/proc/$init/cmdline")" = "cordon-init 2 none " ]
	# Three descriptors and no more: the status pipe, the lifeline, and the lock of the journal.
	[ "$(find "/proc/$init/fd" -mindepth 1 -printf '%f ' | sort)" = "3 4 5 " ]
	stop
}

# bats test_tags=user
@test "init: the caller itself cannot look into it either, so that a second sandbox cannot" {
	start
	gives 0 "" "$ATTACK/reader" "$keeper" "$PLANTED"
	gives 3 "" "$ATTACK/reader" "$init" "$PLANTED"
	stop
}
