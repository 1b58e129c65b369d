#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Disks on cgroup v2, and what is shown of a sandbox that runs. In the virtual machine only, where v2 has all
# controllers and the disk is one that has limits.

# bats file_tags=vm
load ../lib/cordon
load ../lib/attack
load ../lib/delegated

# A program that moves 2 MiB is held back by 512 KiB/s for four seconds: at least three, for the first of its pieces
# may go at once, and with a limit twice as high it would be two. The control comes first, so that the program
# itself has been read: its limit is one that it does not come near, and it moves as much.
io_holds() { # KEY COUNTED COMMAND...
	local free
	ends user 0 exited null --rw "$data" --set "limits.io.$1=1000MiB/s" -- "${@:3}"
	free=$(number wall_ms)
	[ "$(number "$2")" -ge 2097152 ]
	ends user 0 exited null --rw "$data" --set "limits.io.$1=512KiB/s" -- "${@:3}"
	[ "$(number "$2")" -ge 2097152 ]
	echo "$*: $(number wall_ms) ms, without a limit $free ms"
	[ "$(number wall_ms)" -ge 3000 ]
	[ $((free * 2)) -lt "$(number wall_ms)" ]
}

make_data() {
	# Where the user gets to, too.
	data=/home/user/data
	mkdir "$data"
	head -c 2M /dev/urandom >"$data/in"
	: >"$data/out"
	chown -R 1000:1000 "$data"
	chmod 0666 "$data"/*
	chmod 0777 "$data"
	sync
}

# bats test_tags=root
@test "v2: io.write holds a program back, past the page cache and through it, and is counted" {
	local data
	make_data
	io_holds write io_write_bytes dd if=/dev/zero "of=$data/out" bs=256k count=8 oflag=direct status=none
	# The kernel writes it later, for who has made the file.
	io_holds write io_write_bytes sh -c 'rm -f "$0" && exec dd if=/dev/zero "of=$0" bs=256k count=8 conv=fsync status=none' \
		"$data/later"
	rm -r "$data"
}

# bats test_tags=root
@test "v2: io.read holds a program back, and is counted" {
	local data
	make_data
	io_holds read io_read_bytes dd "if=$data/in" of=/dev/null bs=256k iflag=direct status=none
	rm -r "$data"
}

# bats test_tags=root
@test "v2: stats and top show a sandbox that runs, by its groups" {
	local who said data
	make_data
	for who in root user; do
		kept_of "$who" run -d --name busy --rw "$data" --memory 64m --pids-limit 20 \
			--set limits.io.write=1000MiB/s -- sleep 6162
		kept_of "$who" exec -d busy sh -c 'head -c 8M /dev/zero >/dev/shm/file && : >/tmp/ready && exec sleep 6161'
		eventually kept_of "$who" exec busy test -e /tmp/ready
		kept_of "$who" exec busy dd if=/dev/zero "of=$data/out" bs=256k count=4 oflag=direct status=none
		said=$(kept_of "$who" stats --no-stream --json busy)
		echo "$said"
		jq -e '.sandboxes | length == 1' <<<"$said"
		jq -e '.sandboxes[0] | .name == "busy" and .state == "running" and .has_group' <<<"$said"
		jq -e '.sandboxes[0] | .pids == 2 and .pids_limit == 20 and .memory_limit_bytes == 67108864' <<<"$said"
		jq -e '.sandboxes[0] | .memory_bytes >= 8388608 and .memory_bytes <= 67108864' <<<"$said"
		jq -e '.sandboxes[0] | .cpu_us > 0 and .cpu_percent_hundredths >= 0' <<<"$said"
		jq -e '.sandboxes[0] | .io_write_bytes >= 1048576' <<<"$said"
		said=$(kept_of "$who" top -o command busy)
		[ "$(tail -n +2 <<<"$said" | sort)" = $'sleep 6161\nsleep 6162' ]
		kept_of "$who" stop busy
		# The control: what has ended uses nothing.
		said=$(kept_of "$who" stats --no-stream --json busy)
		jq -e '.sandboxes[0] | .state == "exited" and (.has_group | not) and .pids == null and .memory_bytes == null' <<<"$said"
		kept_of "$who" rm busy
		eventually no_groups
	done
	rm -r "$data"
}

kept_of() { # root|user ARG...
	local root=$CORDON_ROOT
	[ "$1" = root ] || root=/home/user/tmp/root
	# From a directory that is there for the user, too.
	(cd "$data" && as "$1" "$CORDON" --root "$root" "${@:2}" 3>&-)
}
