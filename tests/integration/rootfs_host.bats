#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# rootfs.from: host. What of the host is shown, and that the rest is not there.

load ../lib/cordon
load ../lib/attack

@test "root: exactly these names; nothing of the host's other directories" {
	local name want="dev etc proc tmp usr"
	for name in bin sbin lib lib32 lib64 libx32; do
		[ ! -e "/$name" ] || want+=" $name"
	done
	gives 0 "$(tr ' ' '\n' <<<"$want" | sort)" cordon run -- ls /
	for name in home root var opt srv run sys mnt boot media; do
		gives 42 ENOENT cordon run -- "$ATTACK/call" access "text:/$name" 0
	done
}

@test "/etc: the allow list and the made files, nothing else" {
	local name want="group hosts passwd"
	for name in alternatives fonts ld.so.cache localtime mime.types nsswitch.conf os-release protocols services \
		java-11-openjdk java-17-openjdk java-21-openjdk java-25-openjdk; do
		[ ! -e "/etc/$name" ] || want+=" $name"
	done
	[ ! -e /etc/ssl/certs ] || want+=" ssl"
	gives 0 "$(tr ' ' '\n' <<<"$want" | sort)" cordon run -- ls -A /etc
	want=certs
	[ ! -e /etc/ssl/openssl.cnf ] || want+=$'\nopenssl.cnf'
	gives 0 "$want" cordon run -- ls -A /etc/ssl
	for name in shadow hostname resolv.conf machine-id ssh; do
		gives 42 ENOENT cordon run -- "$ATTACK/call" access "text:/etc/$name" 0
	done
	gives 0 "sandbox:x:1000:1000:sandbox:/tmp:/bin/sh" cordon run -- grep ^sandbox /etc/passwd
}

@test "the tree is read-only, and /dev is" {
	local path
	for path in /x /etc/x /usr/x /dev/x /usr/bin/x; do
		gives 42 EROFS cordon run -- "$ATTACK/call" mkdir "text:$path" 0755
		gives 42 EROFS cordon run -u 0:0 -- "$ATTACK/call" mkdir "text:$path" 0755
	done
	gives 0 ok cordon run -- "$ATTACK/call" mkdir text:/tmp/x 0755
	# The row that seals reads back what it did.
	says 125 "cordon: step seal: /dev: is writable after it was made read-only*" without seal inside true
	# With a writable root the same call succeeds.
	gives 0 ok cordon run --set rootfs.writable.store=tmpfs -- "$ATTACK/call" mkdir text:/x 0755
	gives 42 EROFS cordon run --set rootfs.writable.store=tmpfs -- "$ATTACK/call" mkdir text:/usr/x 0755
}

# bats test_tags=vm
@test "pivot: no mount of the host's beyond the list, and the old root is gone" {
	local target
	run -0 cordon run -- cat /proc/self/mountinfo
	while read -r _ _ _ _ target _; do
		case $target in
		/ | /usr | /usr/* | /bin | /sbin | /lib | /lib32 | /lib64 | /libx32) ;;
		/etc/ld.so.cache | /etc/alternatives | /etc/ssl/certs | /etc/localtime | /etc/nsswitch.conf | /etc/mime.types) ;;
		/etc/ssl/openssl.cnf | /etc/services | /etc/protocols | /etc/os-release | /etc/fonts | /etc/java-*-openjdk) ;;
		/dev | /dev/null | /dev/zero | /dev/full | /dev/random | /dev/urandom | /dev/tty | /dev/pts | /dev/shm) ;;
		/proc | /proc/* | /tmp) ;;
		*)
			echo "not on the list: $target"
			return 1
			;;
		esac
	done <<<"$output"
	says 125 "cordon: step old_root: *" without pivot inside true
	says 125 "cordon: step old_root: /..: is not the new root after the pivot*" without old_root inside true
	gives 0 "$(cordon run -- ls /)" cordon run -- ls /../../..
}

@test "/dev: six devices, links, terminals of its own, shared memory" {
	gives 0 $'fd\nfull\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero' cordon run -- ls /dev
	gives 0 "ptmx" cordon run -- ls /dev/pts
	gives 0 "/dev/pts/0" cordon run -- /usr/bin/python3 -c 'import os; print(os.ttyname(os.openpty()[1]))'
	says 1 "*No space left on device*" inside 'head -c 1 /dev/zero >/dev/full'
	gives 42 EACCES cordon run -- "$ATTACK/call" open text:/dev/null/x 0 0 ||
		gives 42 ENOTDIR cordon run -- "$ATTACK/call" open text:/dev/null/x 0 0
	# nodev elsewhere, noexec here.
	says 126 "*Permission denied*" inside 'cp /usr/bin/true /dev/shm/; exec /dev/shm/true'
	gives 0 "" inside 'cp /usr/bin/true /tmp/; exec /tmp/true'
}

hidden=(acpi asound scsi interrupts kallsyms kcore key-users keys kmsg latency_stats sched_debug timer_list)
frozen=(bus fs irq sys sysrq-trigger)

@test "kernel paths: what is hidden is empty, row by row" {
	local name
	for name in "${hidden[@]}"; do
		if [ -d "/proc/$name" ]; then
			gives 0 "" cordon run -- ls -A "/proc/$name"
		elif [ -e "/proc/$name" ]; then
			gives 42 EACCES cordon run -- "$ATTACK/call" open "text:/proc/$name" 0 0 ||
				gives 0 "" cordon run -- head -c 1 "/proc/$name"
		fi
	done
	# The control: without the row they are what the kernel shows.
	run -0 without kernel_paths cordon run -- cat /proc/key-users
	[ -n "$output" ]
}

@test "kernel paths: what is frozen cannot be written, row by row" {
	local name
	run -0 cordon run -- cat /proc/self/mountinfo
	for name in "${frozen[@]}"; do
		[ ! -e "/proc/$name" ] || grep -q " /proc/$name ro," <<<"$output"
	done
	run -0 without kernel_paths cordon run -- cat /proc/self/mountinfo
	[[ "$output" != *" /proc/sys "* ]]
	# Behind it stand the kernel's own permissions: host settings belong to the host's uid 0.
	gives 42 EACCES without kernel_paths cordon run -u 0:0 -- "$ATTACK/call" open text:/proc/sys/kernel/core_pattern 1 0
	gives 0 ok cordon run -- "$ATTACK/call" open text:/proc/self/comm 1 0
}

@test "python3 script.py: a hint without --ro, and it runs with it" {
	echo 'print("hello")' >script.py
	says 2 "*cordon: script.py is not visible inside; add --ro ." cordon run -- /usr/bin/python3 script.py
	gives 0 hello cordon run --ro . -- /usr/bin/python3 script.py
	says 2 "*No such file or directory" cordon run -q -- /usr/bin/python3 script.py
}

@test "the hint names no argument that was not meant as a file to read" {
	mkdir build sub
	echo text >file
	echo text >out
	# A target, the root, a file to be written, what is no file, and what is shown.
	gives 3 "" inside 'exit 3' # the control of silence
	gives 3 "" cordon run -- sh -c 'exit 3' sh build
	gives 3 "" cordon run -- sh -c 'exit 3' sh / /tmp /home
	gives 3 "" cordon run -- sh -c 'exit 3' sh -o out --output out -O out
	gives 3 "" cordon run -- sh -c 'exit 3' sh absent '' /dev/null /usr/bin/env
	gives 3 "" cordon run --ro . -- sh -c 'exit 3' sh file
	gives 0 "" cordon run -- sh -c 'exit 0' sh file
	# The control: each of these can be what was missed.
	says 3 "cordon: file is not visible inside; add --ro ." cordon run -- sh -c 'exit 3' sh build file
	says 3 "cordon: ./sub is not visible inside; add --ro ." cordon run -- sh -c 'exit 3' sh ./sub
	says 3 "cordon: $PWD/file is not visible inside; add --ro $PWD" cordon run -- sh -c 'exit 3' sh -o out "$PWD/file"
}

@test "the hint names an output that cannot be written, and the rule" {
	mkdir dir
	echo text >dir/file
	says 3 "cordon: $PWD/dir/out is not visible inside; add --rw $PWD/dir" cordon run -- sh -c 'exit 3' sh -o "$PWD/dir/out"
	says 3 "cordon: out is read-only inside: $PWD is mounted so (command line); --rw $PWD" \
		cordon run --ro . -- sh -c 'exit 3' sh -o out
	says 3 "cordon: /usr/out is read-only inside: it belongs to the host's own programs" \
		cordon run -- sh -c 'exit 3' sh --output /usr/out
	! is_root || chown -R 12345:12345 dir
	says 3 "cordon: $PWD/dir/file is read-only inside by read_only_below (command line)" cordon run \
		--set "volumes=[{source: $PWD/dir, target: $PWD/dir, read_only: false, read_only_below: [file]}]" -- \
		sh -c 'exit 3' sh -o "$PWD/dir/file"
	says 3 "cordon: $PWD/dir/file is hidden inside by hide_below (command line)" cordon run \
		--set "volumes=[{source: $PWD/dir, target: $PWD/dir, read_only: false, hide_below: [file]}]" -- \
		sh -c 'exit 3' sh "$PWD/dir/file"
	# The controls: what can be written, what is only read, and what the sandbox has of its own.
	gives 3 "" cordon run --rw dir -- sh -c 'exit 3' sh -o "$PWD/dir/out"
	gives 3 "" cordon run --ro dir -- sh -c 'exit 3' sh "$PWD/dir/file"
	gives 3 "" cordon run -- sh -c 'exit 3' sh -o /tmp/out -o /dev/null
}
