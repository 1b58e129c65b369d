#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Bombs (examples/bombs): each is set off only after the limit that is to stop it has been read back,
# stops there with the right reason, is not felt by the witness outside, and leaves nothing. Below
# the limit the same bomb passes.

load ../lib/cordon
load ../lib/attack
load ../lib/bombs

setup() { bombs_setup; }
teardown() { bombs_teardown; }

mib=1048576

# ---- tasks ----

stop_at_pids() { # BOMB UNIT...
	while [ $# -gt 0 ]; do
		bomb_start "$1" 100 --set limits.pids=16
		# cordon's init is one of them; the bomb itself is, too.
		group_reads pids 17
		bomb_says "15 $2, then EAGAIN"
		host_is_fine
		bomb_ends 42 pids limits.pids
		passes "$1" 15 --set limits.pids=16
		shift 2
	done
}

# bats test_tags=root
@test "bomb: processes stop at limits.pids" {
	delegated_group
	stop_at_pids fork processes
}

@test "bomb: processes, threads and the unreaped stop at limits.pids" {
	delegated_group
	stop_at_pids fork processes threads threads zombies zombies
}

@test "bomb: processes, threads and the unreaped stop at limits.nproc" {
	local name unit
	while read -r name unit; do
		bomb_start "$name" 100 --set limits.nproc=16
		# As a user init has the same id, and counts.
		rlimit_reads 'Max processes' "$(is_root && echo 16 || echo 17)"
		bomb_says "15 $unit, then EAGAIN"
		host_is_fine
		bomb_ends 42 exited null
		passes "$name" 15 --set limits.nproc=16
	done < <(printf '%s\n' 'fork processes' 'threads threads' 'zombies zombies')
}

# Orphans in sessions of their own that ignore every signal; and all of the group, where there is one.
no_survivor() { # [FLAG...]
	local seconds
	# Ended by the clock: on a slow machine it may be before all are there, so it gets more time then.
	for seconds in 2 10 50; do
		bomb_start survivors 100 --timeout "${seconds}s" "$@" && bomb_says "100 orphans" &&
			[ "$(marked_processes | wc -l)" -ge 101 ] && break
		bomb_is_ended 137 wall_time limits.wall_time
	done
	bomb_is_ended 137 wall_time limits.wall_time
}

@test "bomb: what ignores every signal is dead when wall_time ends the sandbox" {
	no_survivor
	passes survivors 100
}

# bats test_tags=vm,root
@test "bomb: what ignores every signal is dead when wall_time ends the sandbox, and its groups are gone" {
	delegated_group
	no_survivor --set limits.pids=200 --set limits.memory=512MiB
	[ "${#groups[@]}" -gt 0 ]
}

@test "bomb: what ignores every signal is dead when its parent ends, and when the keeper is killed" {
	local marked
	passes survivors 100
	[ -z "$(marked_processes)" ]
	bomb_start survivors 100
	bomb_says "100 orphans"
	kill -9 "$bomb_keeper"
	eventually test ! -e "/proc/$init"
	marked=$(marked_processes)
	reads "what is left" "$marked" ""
	wait "$bomb_keeper" || [ $? -eq 137 ]
	bomb_keeper=
	cordon gc
}

# ---- memory ----

# "BOMB COUNT LIMIT PASSES": it is ended at the limit, which is in MiB; PASSES units are below it.
memory_bombs() {
	cat <<-'END'
		memfd    96    32 16
		tmpfs    60    32 16
		shm      96    32 16
		pipes    500   24 100
		sockets  500   64 50
		messages 1000  12 200
		mappings 60000 4  1000
	END
}

stop_at_memory() { # reads the lines
	local name count limit below
	while read -r name count limit below; do
		bomb_start "$name" "$count" --set "limits.memory=${limit}MiB" --set limits.swap=0
		group_reads memory $((limit * mib))
		bomb_says ""
		host_is_fine
		bomb_ends 137 oom limits.memory
		[ "$(jq .memory_peak_bytes report)" -le $((limit * mib)) ]
		passes "$name" "$below" --set "limits.memory=${limit}MiB" --set limits.swap=0
	done
}

# bats test_tags=root
@test "bomb: a program's own memory stops at limits.memory" {
	delegated_group
	stop_at_memory <<<"touch 96 32 16"
}

@test "bomb: memory of every kind stops at limits.memory: own, files, shared, buffers, records" {
	delegated_group
	stop_at_memory < <(echo "touch 96 32 16"; memory_bombs)
}

# What the kernel keeps and can give up is no reason to end anybody.
@test "bomb: caches of file contents and of names are bounded by limits.memory, and give way" {
	local cache=$BATS_TEST_TMPDIR/cache
	delegated_group
	mkdir "$cache"
	! is_root || chown 61235:61235 "$cache"
	bomb_dir=("$cache")
	bomb_start pagecache 96 --rw "$cache" --set limits.memory=32MiB --set limits.swap=0
	group_reads memory $((32 * mib))
	bomb_says "96 MiB"
	host_is_fine
	bomb_ends 0 exited null
	[ "$(jq .memory_peak_bytes report)" -le $((32 * mib)) ]
	[ -z "$(ls -A "$cache")" ]
	bomb_dir=(/usr)
	bomb_start dentries 100000 --set limits.memory=16MiB --set limits.swap=0
	group_reads memory $((16 * mib))
	bomb_says "100000 names"
	host_is_fine
	bomb_ends 0 exited null
	[ "$(jq .memory_peak_bytes report)" -le $((16 * mib)) ]
	# Control: they do take more than that where they may.
	bomb_start dentries 100000 --set limits.memory=256MiB --set limits.swap=0
	group_reads memory $((256 * mib))
	bomb_says "100000 names"
	bomb_ends 0 exited null
	[ "$(jq .memory_peak_bytes report)" -gt $((16 * mib)) ]
}

@test "bomb: address space, locked memory and records of mappings stop at their limits" {
	bomb_start map 256 --set limits.ulimits.as=64MiB
	rlimit_reads 'Max address space' $((64 * mib))
	bomb_says "[56]? MiB, then ENOMEM"
	host_is_fine
	bomb_ends 42 exited null
	passes map 32 --set limits.ulimits.as=64MiB
	bomb_start lock 4096
	rlimit_reads 'Max locked memory' 65536
	bomb_says "16 pages, then ENOMEM"
	host_is_fine
	bomb_ends 42 exited null
	passes lock 16
}

# ---- files ----

@test "bomb: a tmpfs and the root stop at their size and their inodes, also by depth" {
	local small='volumes=[{type: tmpfs, target: /box, size: 16MiB, inodes: 1024, mode: 1777}]'
	# Not below /tmp, where the bomb itself may be shown. The functions read it.
	# shellcheck disable=SC2034
	bomb_dir=(/box)
	bomb_start tmpfs 128 --set "$small"
	mount_reads /box size=16384k
	bomb_says "16 MiB, then ENOSPC"
	host_is_fine
	bomb_ends 42 exited null
	passes tmpfs 16 --set "$small"
	bomb_start inodes 5000 --set "$small"
	mount_reads /box nr_inodes=1024
	bomb_says "1023 files, then ENOSPC"
	host_is_fine
	bomb_ends 42 exited null
	passes inodes 1023 --set "$small"
	bomb_start depth 5000 --set "$small"
	mount_reads /box nr_inodes=1024
	bomb_says "1023 levels, then ENOSPC"
	host_is_fine
	bomb_ends 42 exited null
	passes depth 1023 --set "$small"
	bomb_dir=()
	bomb_start disk 128 --set rootfs.writable.store=tmpfs
	mount_reads / size=16384k
	bomb_says "1[56] MiB, then ENOSPC"
	host_is_fine
	bomb_ends 42 exited null
	passes disk 12 --set rootfs.writable.store=tmpfs
	# The functions read it.
	# shellcheck disable=SC2034
	bomb_dir=(/dev/shm)
	bomb_start tmpfs 128
	mount_reads /dev/shm size=65536k
	bomb_says "64 MiB, then ENOSPC"
	host_is_fine
	bomb_ends 42 exited null
	passes tmpfs 60
}

@test "bomb: open files and the size of a file stop at their ulimits" {
	bomb_start fds 1000 --set limits.ulimits.nofile=64
	rlimit_reads 'Max open files' 64
	bomb_says "61 files, then EMFILE"
	host_is_fine
	bomb_ends 42 exited null
	passes fds 61 --set limits.ulimits.nofile=64
	bomb_start filesize 64 --set limits.ulimits.fsize=8MiB
	rlimit_reads 'Max file size' $((8 * mib))
	bomb_says "8 MiB, then EFBIG"
	host_is_fine
	bomb_ends 42 exited null
	passes filesize 8 --set limits.ulimits.fsize=8MiB
	local name
	for name in pipes sockets; do
		bomb_start "$name" 100 --set limits.ulimits.nofile=64
		rlimit_reads 'Max open files' 64
		bomb_says "30 *, then EMFILE"
		host_is_fine
		bomb_ends 42 exited null
		passes "$name" 30 --set limits.ulimits.nofile=64
	done
}

@test "bomb: a flood of output ends at limits.output, after exactly that many bytes" {
	bomb_start output 65536 --set limits.output=1MiB
	# There is nothing of the kernel's to be read: the plan says it.
	[[ $(cordon explain --set limits.output=1MiB -- true) == *limits.output*1MiB* ]]
	bomb_says ""
	host_is_fine
	bomb_ends 137 output limits.output
	[ "$(($(wc -c <flood) + $(wc -c <said)))" -eq "$mib" ]
	passes output 1000 --set limits.output=1MiB
}

@test "bomb: a flood of output ends with its reader, and with the sandbox" {
	# 64 MiB, of which one is read: the writer is told by SIGPIPE.
	run -0 bash -c '"$@" | head -c 1048576 | wc -c; exit $((PIPESTATUS[0] == 141 ? 0 : 1))' bash \
		"$CORDON" --root "$CORDON_ROOT" run -q -- "$BOMB" output 65536
	[ "$output" = 1048576 ]
	# Nobody reads, and the writer waits: wall_time holds.
	mkfifo unread
	exec 7<>unread
	"$CORDON" --root "$CORDON_ROOT" run -q --timeout 2s --report "$PWD/report" -- "$BOMB" output 65536 >&7 ||
		[ $? -eq 137 ]
	exec 7>&-
	[ "$(jq -r .kind report)" = wall_time ]
	gives 0 "1024" bash -c '"$@" 2>/dev/null | wc -c' bash "$CORDON" --root "$CORDON_ROOT" run -q -- "$BOMB" output 1
}

# ---- processor ----

@test "bomb: processor time of all processes together ends at limits.cpu_time, and limits.cpus slows it" {
	delegated_group
	bomb_start spin 8000 --set limits.cpu_time=500ms
	[ "${#groups[@]}" -gt 0 ]
	bomb_says ""
	host_is_fine
	bomb_ends 137 cpu_time limits.cpu_time
	[ "$(jq .cpu_ms report)" -ge 500 ]
	passes spin 50 --set limits.cpu_time=2s
	# So little that it is used up on a busy machine as well.
	bomb_start spin 50 --set limits.cpus=0.05
	group_reads cpu 5000
	bomb_says "[5-9]? ms"
	[ "$(sed -n 's/^nr_throttled //p' "$(limit_file cpu cpu.stat cpu.stat)")" -gt 0 ]
	host_is_fine
	bomb_ends 0 exited null
}

@test "bomb: processor time of one process ends at ulimits.cpu" {
	bomb_start spin 8000 --set limits.ulimits.cpu=1s
	rlimit_reads 'Max cpu time' 1
	bomb_says ""
	host_is_fine
	# Which limit it was is told by the time used, and the kernel counts in ticks (launcher/result.c).
	bomb_ends 137 signalled '*'
	jq -e '.limit == "limits.ulimits.cpu" or .cpu_user_ms + .cpu_system_ms < 800' report
	passes spin 100 --set limits.ulimits.cpu=1s
}

# ---- what the kernel counts for a user ----

@test "bomb: inotify, terminals, timers, signals and message queues stop at the sandbox's own limits" {
	local many='volumes=[{type: tmpfs, target: /tmp, size: 64MiB, inodes: 30000}]'
	bomb_start inotify 100
	file_reads /proc/sys/user/max_inotify_instances 32
	bomb_says "32 instances, then EMFILE"
	host_is_fine
	bomb_ends 42 exited null
	passes inotify 32
	bomb_start watches 20000 --set "$many"
	file_reads /proc/sys/user/max_inotify_watches 16384
	bomb_says "16384 watches, then ENOSPC"
	host_is_fine
	bomb_ends 42 exited null
	passes watches 16384 --set "$many"
	bomb_start pty 100
	mount_reads /dev/pts max=64
	bomb_says "64 terminals, then ENOSPC"
	host_is_fine
	bomb_ends 42 exited null
	passes pty 64
	local name
	for name in timers signals; do
		bomb_start "$name" 500 --set limits.ulimits.sigpending=100
		rlimit_reads 'Max pending signals' 100
		bomb_says "100 $name, then EAGAIN"
		host_is_fine
		bomb_ends 42 exited null
		passes "$name" 100 --set limits.ulimits.sigpending=100
	done
	bomb_start mqueues 100
	rlimit_reads 'Max msgqueue size' 65536
	bomb_says "5 queues, then EMFILE"
	host_is_fine
	bomb_ends 42 exited null
	passes mqueues 5
}

# A profile that lets keys be made.
keys_profile() {
	cat >keys.yaml <<-'END'
		cordon: 1
		extends: default
		seccomp: {allow: ["@sandbox-default", add_key]}
		waive: {"seccomp.call:add_key": "the bomb makes keys"}
	END
}

@test "bomb: keys are refused by the filter; a profile that admits them has the quota of the user" {
	keys_profile
	bomb_start keys 150
	bomb_says "0 keys, then EPERM"
	host_is_fine
	bomb_ends 42 exited null
	bomb_start keys 300 --profile ./keys.yaml
	file_reads /proc/sys/kernel/keys/maxkeys "$(cat /proc/sys/kernel/keys/maxkeys)"
	bomb_says "1?? keys, then EDQUOT"
	# The quota is the host user's: root's sandboxes have a user of their own, another's have not
	# (docs/THREAT-MODEL.md).
	if is_root; then
		host_is_fine
	else
		host_misses "keys EDQUOT"
	fi
	bomb_ends 42 exited null
	# The kernel gives the room back some time after the keys are gone.
	eventually passes keys 50 --profile ./keys.yaml
	eventually host_is_fine
}

@test "bomb: buffers of pipes and descriptors in messages are counted for the host's user" {
	bomb_start pipes 1400 --set limits.ulimits.nofile=3000
	rlimit_reads 'Max open files' 3000
	bomb_says "1400 pipes"
	# Beyond the soft limit new pipes are small: known, for a user (docs/THREAT-MODEL.md).
	if is_root; then
		host_is_fine
	else
		host_misses "pipe ENOBUFS"
	fi
	bomb_ends 0 exited null
	host_is_fine
	bomb_start inflight 2000 --set limits.ulimits.nofile=64
	rlimit_reads 'Max open files' 64
	bomb_says "65 files, then ETOOMANYREFS"
	host_is_fine
	# A program whose own limit is lower than what waits in all of its user's sockets.
	prlimit --pid "$witness" --nofile=32:
	if is_root; then
		host_is_fine
	else
		host_misses "passing ETOOMANYREFS"
	fi
	bomb_ends 42 exited null
	host_is_fine
	passes inflight 60 --set limits.ulimits.nofile=64
}
