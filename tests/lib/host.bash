# SPDX-License-Identifier: LGPL-2.1-or-later
# What the tests must leave as they found it. Sourced by tests/run and by the bats helpers.
# shellcheck shell=bash

# Prints the host's state, one fact a line: mounts, cgroup directories of cordon's, links, nftables
# tables, loop devices, processes in other pid namespaces, and cordon's files in shared places.
host_snapshot() {
	awk '{ sub(/ [0-9]+:[0-9]+ /, " "); $1 = $2 = ""; print "mount" $0 }' /proc/self/mountinfo | sort
	find /sys/fs/cgroup -type d -name '*cordon*' 2>/dev/null | sed 's/^/cgroup /' | sort
	if command -v ip >/dev/null; then
		ip -o link | sed -E 's/^[0-9]+: ([^:]+):.*/link \1/' | sort
	fi
	if command -v nft >/dev/null; then
		nft list tables 2>/dev/null | sed 's/^/nft /' | sort
	fi
	if command -v losetup >/dev/null; then
		losetup -n -O NAME,BACK-FILE 2>/dev/null | sed 's/^/loop /' | sort
	fi
	host_processes
	# Transient runs without --root, and files of the shared directories.
	find /run/cordon /tmp/cordon-[0-9]* \( -path '*/runs/*' -o -path '*/ids/*' \) 2>/dev/null |
		sed 's/^/file /' | sort
	find /tmp -maxdepth 1 -name 'hostile.*' 2>/dev/null | sed 's/^/file /' | sort
}

# Processes that are in another pid namespace than this one, or are cordon itself: what a sandbox
# that did not end would look like.
host_processes() {
	local own ns dir pid
	own=$(readlink /proc/self/ns/pid)
	for dir in /proc/[0-9]*; do
		pid=${dir#/proc/}
		ns=$(readlink "$dir/ns/pid" 2>/dev/null) || continue
		if [ "$ns" != "$own" ] || [[ "$(cat "$dir/comm" 2>/dev/null)" == cordon* ]]; then
			echo "process $pid $(tr '\0' ' ' <"$dir/cmdline" 2>/dev/null)"
		fi
	done | sort
}

# Compares with the snapshot in FILE; prints the difference and fails where there is one. Processes and
# files that are gone are no fault: they were left by somebody else. The end of a net namespace and of
# its processes is not waited for by the kernel, so it looks again for some seconds.
host_unchanged() { # FILE
	local until=$((SECONDS + 4)) difference=
	while :; do
		difference=$(diff "$1" <(host_snapshot) | grep '^[<>]' | grep -vE '^< (process|file) ') ||
			return 0
		[ "$SECONDS" -lt "$until" ] || break
		sleep 0.2
	done
	printf 'the host was left in another state (< before, > now):\n%s\n' "$difference"
	return 1
}
