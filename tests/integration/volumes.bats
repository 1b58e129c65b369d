#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# --ro, --rw and mount points: whose ids show, what may be written, what is refused.

load ../lib/cordon
load ../lib/attack

# A directory of the caller's own with a file; as root it is an ordinary account's.
make_data() {
	mkdir data
	echo text >data/file
	! is_root || chown -R 12345:12345 data
}

# bats test_tags=vm
@test "--ro: shown read-only at the same place; relative paths are the caller's" {
	make_data
	gives 0 text cordon run --ro data -- cat "$PWD/data/file"
	gives 0 text cordon run --ro "$PWD/data" -- cat "$PWD/data/file"
	gives 42 EROFS cordon run --ro data -- "$ATTACK/call" mkdir "text:$PWD/data/new" 0755
	gives 42 EROFS cordon run --ro data -- "$ATTACK/call" truncate "text:$PWD/data/file" 0
	gives 42 EROFS cordon run --ro data -- "$ATTACK/call" unlink "text:$PWD/data/file"
	[ "$(cat data/file)" = text ]
}

# bats test_tags=vm
@test "--rw: what is written belongs to the directory's owner on the host" {
	make_data
	gives 0 "" inside "echo new >$PWD/data/new" --rw data
	[ "$(cat data/new)" = new ]
	[ "$(stat -c %u:%g data/new)" = "$(stat -c %u:%g data)" ]
	# Inside the owner is the program's user, and nothing else of the host has a name.
	gives 0 "1000:1000 1000:1000" inside "echo \$(stat -c %u:%g $PWD/data $PWD/data/file)" --ro data
}

# bats test_tags=root,vm
@test "--rw: as root, ids other than the owner's are nobody" {
	make_data
	touch data/other data/roots
	chown 54321:54321 data/other
	chown 0:0 data/roots
	gives 0 "65534:65534 65534:65534" inside "echo \$(stat -c %u:%g $PWD/data/other $PWD/data/roots)" --rw data
	gives 42 EACCES cordon run --rw data -- "$ATTACK/call" truncate "text:$PWD/data/roots" 1
	# User 0 inside is not the directory's owner, and cannot leave a file of id 0 behind.
	gives 42 EACCES cordon run -u 7:7 --rw "$PWD/data" -- "$ATTACK/call" truncate "text:$PWD/data/roots" 1
}

# bats test_tags=root,vm
@test "--rw: a directory of root's is refused without a waiver, and works with it" {
	mkdir data
	says 125 "cordon: $PWD/data: belongs to the host's root and would be writable (asked for by command line)
cordon:   hint: Show it read-only (--ro), give it to another owner and group (chown -R), or add --waive \"host_root_write:$PWD/data=REASON\"." \
		cordon run --rw data -- true
	gives 0 "" cordon run --ro data -- true
	gives 0 "cordon: waived: host_root_write:$PWD/data (a test)" \
		cordon run --rw data --waive "host_root_write:$PWD/data=a test" -- touch "$PWD/data/new"
	[ "$(stat -c %u:%g data/new)" = 0:0 ]
}

# bats test_tags=root
@test "--rw: a directory of a user's, but of root's group, is refused: nothing could be written" {
	mkdir data
	chown 12345:0 data
	says 125 "cordon: $PWD/data: its group is the host's root, *hint: *chgrp*" cordon run --rw data -- true
	gives 0 "" cordon run --ro data -- true
	chgrp 12345 data
	gives 0 "" cordon run --rw data -- touch "$PWD/data/new"
}

@test "a source that is missing, or that holds cordon's own state, is refused" {
	says 125 "cordon: /no/such/dir: No such file or directory (asked for by command line)*" \
		cordon run --ro /no/such/dir -- true
	mkdir -p state
	says 125 "cordon: $PWD: contains or lies in cordon's own state*" \
		"$CORDON" --root "$PWD/state" run --ro . -- true
	says 125 "*lies in cordon's own state*" "$CORDON" --root "$PWD/state" run --ro "$PWD/state/run" -- true ||
		says 125 "cordon: $PWD/state/run: No such file or directory*" \
			"$CORDON" --root "$PWD/state" run --ro "$PWD/state/run" -- true
}

@test "a mount point inside a host directory must be there: nothing is made on the host" {
	make_data
	local volumes="[{source: $PWD/data, target: /data}, {type: tmpfs, target: /data/sub, size: 1MiB, inodes: 9}]"
	says 125 "cordon: step volumes: /data/sub: tmpfs: No such file or directory
cordon:   hint: Make /data/sub in the host's directory first: cordon makes nothing there." \
		cordon run --set "volumes=$volumes" -- true
	[ ! -e data/sub ]
	mkdir data/sub
	! is_root || chown 12345:12345 data/sub
	gives 0 "" cordon run --set "volumes=$volumes" -- touch /data/sub/x
	[ -z "$(ls data/sub)" ]
}

@test "mounts of the policy: noexec, modes, one target twice" {
	local tmp='[{type: tmpfs, target: /tmp, size: 1MiB, inodes: 99, mode: 700, options: [noexec]}]'
	says 126 "*Permission denied*" inside 'cp /usr/bin/true /tmp; exec /tmp/true' --set "volumes=$tmp"
	gives 0 "700 1000:1000" inside 'stat -c "%a %u:%g" /tmp' --set "volumes=$tmp"
	says 125 "*'$PWD' is mounted twice*" cordon run --ro . --rw . -- true
}

@test "start: beside what is shown by a relative path, so that the same path leads to it inside" {
	mkdir -p here/sub
	echo content >here/sub/file
	cd here
	gives 0 content cordon run --ro sub -- cat sub/file
	gives 0 content cordon run --ro sub/file -- cat sub/file
	gives 0 "$PWD" cordon run --ro sub -- pwd
	# The control: with nothing shown there is no such place.
	gives 0 /tmp cordon run -- pwd
}
