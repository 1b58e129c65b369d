#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# rootfs.writable.store: project, on an ext4 that has project quotas on.
# bats file_tags=vm

load ../lib/cordon
load ../lib/attack

project=(--set rootfs.writable.store=project)

setup() {
	cordon_setup
	cd "$BATS_TEST_TMPDIR" || return
	# ext4 and its quotas are modules there.
	truncate -s 128M "$CORDON_ROOT.disk"
	mke2fs -q -t ext4 -O quota,project -E quotatype=prjquota "$CORDON_ROOT.disk"
	mkdir "$CORDON_ROOT"
	mount -o loop,prjquota "$CORDON_ROOT.disk" "$CORDON_ROOT"
	chmod 0700 "$CORDON_ROOT"
	projects=$CORDON_ROOT/state/writable/projects
}

teardown() {
	umount "$CORDON_ROOT"
	rm "$CORDON_ROOT.disk"
}

nothing_is_left() {
	cordon gc >/dev/null
	[ -z "$(find "$projects" -mindepth 1)" ]
}

verdict() {
	jq -r '"\(.kind) \(.limit) \(.exit_code) \(.signal)"' report
}

# bats test_tags=root
@test "project: holds bytes and inodes, and the result says so" {
	# The sandbox's own shell expands it.
	# shellcheck disable=SC2016
	local make='for i in $(seq $0); do : >/file$i || exit 9; done'
	says 1 "*Disk quota exceeded*cordon: rootfs.writable.size (4 MiB) was used up when the program failed (command line)" \
		cordon run --report report "${project[@]}" --set rootfs.writable.size=4MiB -- \
		dd if=/dev/zero of=/big bs=64k count=65 status=none
	[ "$(verdict)" = "disk_full rootfs.writable.size 1 null" ]
	# The control: what fits; and without the quota more does.
	gives 0 "" cordon run "${project[@]}" --set rootfs.writable.size=4MiB -- \
		dd if=/dev/zero of=/big bs=64k count=48 status=none
	gives 0 "" cordon run "${project[@]}" --set rootfs.writable.size=16MiB -- \
		dd if=/dev/zero of=/big bs=64k count=65 status=none
	says 9 "*Disk quota exceeded*cordon: rootfs.writable.inodes (100) was used up when the program failed (command line)" \
		cordon run --report report "${project[@]}" --set rootfs.writable.inodes=100 -- bash -c "$make" 120
	[ "$(verdict)" = "disk_full rootfs.writable.inodes 9 null" ]
	gives 0 "" cordon run "${project[@]}" --set rootfs.writable.inodes=100 -- bash -c "$make" 60
	nothing_is_left
}

# bats test_tags=root
@test "project: an overlay's upper layer is bound as well; the host's directory takes none of it" {
	make_rootfs tree
	chown -R 61235:61235 tree
	chmod 0777 tree/home/user
	tree_state tree >before
	says 1 "*Disk quota exceeded*" cordon run -q "${project[@]}" --set rootfs.writable.size=4MiB \
		--set "rootfs.from=dir:$PWD/tree" -- dd if=/dev/zero of=/home/user/big bs=65536 count=65
	gives 0 x cordon run -q "${project[@]}" --set "rootfs.from=dir:$PWD/tree" -- \
		sh -c 'echo x >/home/user/f; cat /home/user/f; rm -r /home/user'
	diff before <(tree_state tree)
	nothing_is_left
}

# bats test_tags=root
@test "project: auto takes it; ids are used again, and gc gives them back" {
	local id
	says 0 "*writable root *project: 16 MiB and 8192 inodes; a directory with a project quota, in $CORDON_ROOT/state/writable*" \
		env COLUMNS=0 "$CORDON" --root "$CORDON_ROOT" explain --set rootfs.writable=auto -- true
	[ ! -e "$CORDON_ROOT/state" ]
	gives 0 "" cordon run --set rootfs.writable=auto -- touch /file
	id=$(ls "$projects")
	[ -n "$id" ]
	# Nothing is in it, and the next one has the same.
	[ -z "$(find "$projects/$id" -mindepth 1)" ]
	gives 1 "" inside 'test -e /file' --set rootfs.writable=auto
	[ "$(ls "$projects")" = "$id" ]
	says 0 "*1 project quotas given back*" cordon gc
	[ -z "$(ls "$projects")" ]
}

# bats test_tags=root
@test "project: a tree of any depth goes, and what kill -9 leaves goes with gc; not that of one that runs" {
	# Deeper than a process may have files open.
	# shellcheck disable=SC2016
	gives 0 "" inside 'cd / && mkdir -p "$(printf "d/%.0s" $(seq 1500))"' "${project[@]}"
	[ -z "$(find "$projects" -mindepth 2)" ]
	"$CORDON" --root "$CORDON_ROOT" run "${project[@]}" -- sh -c 'echo text >/file; mkdir -p /a/b; chmod 0 /a; sleep 600' \
		>out 2>&1 </dev/null 3>&- &
	keeper=$!
	in_use() { [ -n "$(find "$projects" -name file)" ]; }
	eventually in_use
	cordon gc
	in_use
	kill -9 "$keeper"
	wait "$keeper" || [ $? -eq 137 ]
	in_use
	eventually nothing_is_left
}

# bats test_tags=root
@test "project: the workload cannot leave its project" {
	need chattr
	says 1 "*" inside 'touch /f && chattr -p 0 /f' "${project[@]}"
	[ "$status" -eq 1 ]
	# What it moves or makes stays counted.
	says 1 "*Disk quota exceeded*" inside 'mkdir /d && chattr -P /d; cd /d && dd if=/dev/zero of=f bs=64k count=65 status=none' \
		"${project[@]}" --set rootfs.writable.size=4MiB
	nothing_is_left
}
