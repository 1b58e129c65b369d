# SPDX-License-Identifier: LGPL-2.1-or-later
# What the tests must leave as they found it. Sourced by tests/run and by the bats helpers.
# shellcheck shell=bash

# While a half of the suite runs beside another one (run_user.bash), the other half's is not the
# host's: for root that is what belongs to $CORDON_OTHER_UID; an ordinary user looks at his own alone.

# What find is to look for.
host_whose() {
	if [ "$(id -u)" -ne 0 ]; then
		echo "-uid $(id -u)"
	elif [ -n "${CORDON_OTHER_UID:-}" ]; then
		echo "! -uid $CORDON_OTHER_UID"
	fi
}

host_is_others() { # PID
	local uid
	uid=$(awk '/^Uid:/ { print $2 }' "/proc/$1/status" 2>/dev/null)
	if [ "$(id -u)" -ne 0 ]; then
		[ "$uid" != "$(id -u)" ]
	else
		[ "$uid" = "${CORDON_OTHER_UID:-}" ]
	fi
}

# Prints the host's state, one fact a line: mounts, cgroup directories of cordon's, links, nftables
# tables, loop devices, processes in other pid namespaces, and cordon's files in shared places.
host_snapshot() {
	local whose
	read -ra whose <<<"$(host_whose)"
	# Within a test without those of another run of bats at the same time.
	awk -v own="${BATS_RUN_TMPDIR:-/bats-run-}" '!/\/bats-run-/ || index($0, own) {
		sub(/ [0-9]+:[0-9]+ /, " "); $1 = $2 = ""; print "mount" $0 }' /proc/self/mountinfo | sort
	find /sys/fs/cgroup -type d -name '*cordon*' "${whose[@]}" 2>/dev/null | sed 's/^/cgroup /' | sort
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
	find /run/cordon /tmp/cordon-[0-9]* \( -path '*/runs/*' -o -path '*/ids/*' \) "${whose[@]}" 2>/dev/null |
		sed 's/^/file /' | sort
	find /tmp -maxdepth 1 -name 'hostile.*' "${whose[@]}" 2>/dev/null | sed 's/^/file /' | sort
}

# Processes that are in another pid namespace than this one, or are cordon itself: what a sandbox
# that did not end would look like.
host_processes() {
	local own ns dir pid comm
	own=$(readlink /proc/self/ns/pid)
	while read -r dir ns; do
		# A user is not told of others' namespaces.
		[ -n "$ns" ] || continue
		pid=${dir//[^0-9]/}
		{ read -r comm <"/proc/$pid/comm"; } 2>/dev/null || continue
		if { [ "$ns" != "$own" ] || [[ "$comm" == cordon* ]]; } && ! host_is_others "$pid"; then
			echo "process $pid $(tr '\0\n' '  ' 2>/dev/null <"/proc/$pid/cmdline")"
		fi
	done < <(find /proc/[0-9]*/ns/pid -maxdepth 0 -printf '%h %l\n' 2>/dev/null) | sort
}

# Compares with the snapshot in FILE; prints the difference and fails where there is one. Processes and
# files that are gone are no fault: they were left by somebody else. The end of a net namespace and of
# its processes is not waited for by the kernel, so it looks again for some seconds.
host_unchanged() { # FILE [SECONDS]
	local until=$((SECONDS + ${2:-4})) difference=
	while :; do
		difference=$(diff "$1" <(host_snapshot) | grep '^[<>]' | grep -vE '^< (process|file) ') ||
			return 0
		[ "$SECONDS" -lt "$until" ] || break
		sleep 0.2
	done
	printf 'the host was left in another state (< before, > now):\n%s\n' "$difference"
	return 1
}
