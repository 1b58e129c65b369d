#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# rootfs.writable.store: project, on an XFS that has project quotas on. Past its limits XFS says ENOSPC
# where ext4 says EDQUOT: xfs_trans_dqresv in fs/xfs/xfs_trans_dquot.c.
# bats file_tags=vm

load ../lib/cordon
load ../lib/attack

project=(--set rootfs.writable.store=project)

setup() {
	cordon_setup
	cd "$BATS_TEST_TMPDIR" || return
	# The least that mkfs.xfs makes is 300 MB; sparse.
	truncate -s 320M "$CORDON_ROOT.disk"
	mkfs.xfs -q "$CORDON_ROOT.disk"
	mkdir "$CORDON_ROOT"
	mount -o loop,prjquota "$CORDON_ROOT.disk" "$CORDON_ROOT"
	chmod 0700 "$CORDON_ROOT"
	projects=$CORDON_ROOT/state/writable/projects
}

teardown() {
	umount "$CORDON_ROOT"
	rm "$CORDON_ROOT.disk"
}

verdict() {
	jq -r '"\(.kind) \(.limit) \(.exit_code) \(.signal)"' report
}

# bats test_tags=root
@test "project on XFS: holds bytes and inodes, ids are used again, kill -9 leaves nothing to gc" {
	local id make
	says 1 "*No space left on device*cordon: rootfs.writable.size (4 MiB) was used up when the program failed (command line)" \
		cordon run --report report "${project[@]}" --set rootfs.writable.size=4MiB -- \
		dd if=/dev/zero of=/big bs=64k count=65 status=none
	[ "$(verdict)" = "disk_full rootfs.writable.size 1 null" ]
	id=$(ls "$projects")
	[ -n "$id" ]
	[ -z "$(find "$projects/$id" -mindepth 1)" ]
	# The control: more than that, where the limit is higher, with the same id.
	gives 0 "" cordon run "${project[@]}" --set rootfs.writable.size=16MiB -- \
		dd if=/dev/zero of=/big bs=64k count=65 status=none
	[ "$(ls "$projects")" = "$id" ]
	# The sandbox's own shell expands it.
	# shellcheck disable=SC2016
	make='for i in $(seq $0); do : >/file$i || exit 9; done'
	says 9 "*No space left on device*cordon: rootfs.writable.inodes (100) was used up when the program failed (command line)" \
		cordon run "${project[@]}" --set rootfs.writable.inodes=100 -- bash -c "$make" 120
	gives 0 "" cordon run "${project[@]}" --set rootfs.writable.inodes=100 -- bash -c "$make" 60
	"$CORDON" --root "$CORDON_ROOT" run --set rootfs.writable=auto -- sh -c 'echo text >/file; sleep 600' >out 2>&1 </dev/null 3>&- &
	keeper=$!
	in_use() { [ -n "$(find "$projects" -name file)" ]; }
	eventually in_use
	cordon gc
	in_use
	kill -9 "$keeper"
	wait "$keeper" || [ $? -eq 137 ]
	nothing_is_left() { cordon gc >/dev/null && [ -z "$(find "$projects" -mindepth 1)" ]; }
	eventually nothing_is_left
}
