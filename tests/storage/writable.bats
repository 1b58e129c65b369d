#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# rootfs.writable: what is written to the root is limited in bytes and inodes, and the host feels
# nothing of it. image: an ext4 on a loop device that goes with its sandbox, as root.

load ../lib/cordon
load ../lib/attack

image=(--set rootfs.writable.store=image)

# Loop devices of this test's, whose files lie below its root and have no name.
own_loops() {
	losetup -n -O NAME,BACK-FILE | grep -F "$CORDON_ROOT" || true
}

has_loop() { [ -n "$(own_loops)" ]; }

nothing_is_left() {
	local left
	left=$(own_loops; find "$CORDON_ROOT/state/writable" -mindepth 1 ! -path '*/templates*' 2>/dev/null)
	[ -z "$left" ] || { printf 'left behind:\n%s\n' "$left"; return 1; }
}

verdict() {
	jq -r '"\(.kind) \(.limit) \(.exit_code) \(.signal)"' report
}

# bats test_tags=root,vm
@test "writable: an image takes what is written to each kind of root, and no more than its size" {
	need losetup
	make_rootfs tree
	chown -R 61235:61235 tree
	chmod 0777 tree/home/user
	tree_state tree >before
	gives 0 text inside 'echo text >/file; cat /file' "${image[@]}"
	# What is written goes: the next one starts with an empty file system.
	gives 1 "" inside 'test -e /file' "${image[@]}"
	gives 0 text cordon run -q "${image[@]}" --set "rootfs.from=dir:$PWD/tree" -- \
		sh -c 'echo text >/home/user/file; cat /home/user/file; rm -r /home && mkdir /home'
	gives 0 ok cordon run "${image[@]}" --set rootfs.from=empty -- "$ATTACK/call" mkdir text:/made 0755
	diff before <(tree_state tree)
	says 1 "*No space left on device*cordon: rootfs.writable.size (4 MiB) was used up when the program failed (command line)" \
		inside 'dd if=/dev/zero of=/big bs=64k count=65 status=none' "${image[@]}" \
		--set rootfs.writable.size=4MiB --set rootfs.writable.inodes=64
	# The control: what fits.
	gives 0 "" inside 'dd if=/dev/zero of=/big bs=64k count=48 status=none' "${image[@]}" \
		--set rootfs.writable.size=4MiB --set rootfs.writable.inodes=64
	says 1 "*No space left on device*" cordon run -q "${image[@]}" --set "rootfs.from=dir:$PWD/tree" \
		--set rootfs.writable.size=4MiB --set rootfs.writable.inodes=64 -- \
		dd if=/dev/zero of=/home/user/big bs=65536 count=65
	nothing_is_left
}

# At its end an overlay flushes the file system below, which is the host's where there is a quota of a project.
# bats test_tags=root,vm
@test "writable: a root that is thrown away flushes nothing, one that is kept does" {
	need losetup
	make_rootfs tree
	local own=("${image[@]}" --set "rootfs.from=dir:$PWD/tree")
	cordon run "${own[@]}" -- cat /proc/self/mountinfo >thrown.mounts
	cordon run --name kept "${own[@]}" -- cat /proc/self/mountinfo >kept.mounts
	cordon rm kept
	grep -E ' - overlay .*[,=]volatile(,|$)' thrown.mounts
	grep ' / / .* - overlay ' kept.mounts
	run -1 grep volatile kept.mounts
}

# bats test_tags=root,vm
@test "writable: an image has its inodes, and the result says when they were the reason" {
	need jq
	local few=("${image[@]}" --set rootfs.writable.size=4MiB --set rootfs.writable.inodes=100)
	# The sandbox's own shell expands it.
	# shellcheck disable=SC2016
	local make='for i in $(seq $0); do : >/file$i || exit 9; done'
	says 9 "*No space left on device*cordon: rootfs.writable.inodes (100) was used up when the program failed (command line)" \
		cordon run --report report "${few[@]}" -- bash -c "$make" 120
	[ "$(verdict)" = "disk_full rootfs.writable.inodes 9 null" ]
	# The tree of the root itself has a few.
	gives 0 "" cordon run --report report "${few[@]}" -- bash -c "$make" 60
	[ "$(verdict)" = "exited null 0 null" ]
	gives 7 "" cordon run --report report "${few[@]}" -- bash -c 'exit 7'
	[ "$(verdict)" = "exited null 7 null" ]
}

# bats test_tags=root,vm
@test "writable: an image gives no device, no setuid bit, and no way to the rest of its file system" {
	need losetup
	says 1 "*Operation not permitted*" inside 'mknod /null c 1 3' "${image[@]}"
	gives 0 "rw,nosuid,nodev,relatime" inside \
		'awk "\$5 == \"/\" { print \$6 }" /proc/self/mountinfo' "${image[@]}"
	# Its upper directory is the root: beside it nothing shows, whatever way is taken.
	gives 0 "/upper" inside 'awk "\$5 == \"/\" { print \$4 }" /proc/self/mountinfo' "${image[@]}"
	says 2 "*/lost+found': No such*/../lost+found': No such*/../../lost+found': No such*" inside 'ls -d /lost+found /../lost+found /../../lost+found' "${image[@]}"
	gives 0 "" inside 'ls /dev | grep loop; true' "${image[@]}"
	# The root belongs to the program's user, what it makes to an id of the sandbox's.
	gives 0 "1000:1000 1000:1000" inside 'echo >/f; stat -c %u:%g / /f | paste -sd " "' "${image[@]}"
}

# bats test_tags=root
@test "writable: kill -9 of whoever it is leaves no loop device, mount, file or process" {
	need losetup
	local victim pid
	for victim in keeper init; do
		mkfifo "end.$victim"
		# A test that fails here is the end of its input, too: it has one end of the pipe.
		# shellcheck disable=SC2094
		exec 7<>"end.$victim" 6<"end.$victim"
		"$CORDON" --root "$CORDON_ROOT" run "${image[@]}" -- sh -c 'echo up >/up; cat' \
			<&6 >out 2>&1 3>&- 6<&- 7>&- &
		keeper=$!
		eventually has_init
		eventually has_loop
		# The file has no name: nobody can open it by one.
		[ -z "$(find "$CORDON_ROOT/state/writable" -type f ! -path '*/templates/*')" ]
		[[ "$(own_loops)" == *" (deleted)" ]]
		pid=$keeper
		[ "$victim" = keeper ] || pid=$init
		kill -9 "$pid"
		wait "$keeper" || [ $? -eq 137 ]
		eventually nothing_is_left
		exec 7>&- 6<&-
		cordon gc
	done
	nothing_is_left
}

# bats test_tags=root
@test "writable: the template is made once for each size, and anew where it is not one" {
	local template=$BATS_TEST_TMPDIR.root/state/writable/templates first
	gives 0 "" cordon run "${image[@]}" -- true
	first=$(stat -c '%i %Y' "$template/16777216.8192")
	gives 0 "" cordon run "${image[@]}" -- touch /file
	[ "$(stat -c '%i %Y' "$template/16777216.8192")" = "$first" ]
	[ "$(stat -c '%a %u' "$template/16777216.8192")" = "600 0" ]
	gives 0 "" cordon run "${image[@]}" --set rootfs.writable.size=20MiB -- true
	[ "$(find "$template" -type f | wc -l)" -eq 2 ]
	truncate -s 5000 "$template/16777216.8192"
	gives 0 "" cordon run "${image[@]}" -- touch /file
	[ "$(stat -c %s "$template/16777216.8192")" -eq 16777216 ]
	# One that was written over is no ext4, and is not mounted.
	dd if=/dev/urandom of="$template/16777216.8192" bs=1M count=1 conv=notrunc status=none
	says 125 "*mount its ext4*" cordon run "${image[@]}" -- true
	nothing_is_left
	rm "$template/16777216.8192"
	# A link is not followed.
	ln -s /etc/passwd "$template/16777216.8192"
	says 125 "*templates/16777216.8192: *" cordon run "${image[@]}" -- true
	rm "$template/16777216.8192"
	chmod 0755 "$template"
	says 125 "*is not the caller's alone*" cordon run "${image[@]}" -- true
	chmod 0700 "$template"
	gives 0 "" cordon run "${image[@]}" -- true
}

# bats test_tags=root
@test "writable: gc removes templates that were not used for a month, and no others" {
	local templates=$BATS_TEST_TMPDIR.root/state/writable/templates
	gives 0 "" cordon run "${image[@]}" -- true
	gives 0 "" cordon run "${image[@]}" --set rootfs.writable.size=20MiB -- true
	touch -d '-31 days' "$templates"/*
	# A use is noted.
	gives 0 "" cordon run "${image[@]}" -- true
	says 0 "*1 templates of writable roots removed, unused for 30 days*" cordon gc
	[ "$(ls "$templates")" = 16777216.8192 ]
	touch -d '-29 days' "$templates/16777216.8192"
	cordon gc
	[ "$(ls "$templates")" = 16777216.8192 ]
	# A link is removed, and nothing behind it.
	touch -d '-31 days' old
	ln -s "$PWD/old" "$templates/1.1"
	touch -h -d '-31 days' "$templates/1.1"
	says 0 "*1 templates*" cordon gc
	[ -e old ]
	[ ! -L "$templates/1.1" ]
}

# bats test_tags=root
@test "writable: several at once, each with its own" {
	local i pids=()
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		inside "echo $i >/file; cat /file" "${image[@]}" >"said.$i" 2>&1 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		[ "$(cat "said.$i")" = "$i" ]
	done
	nothing_is_left
}

# What the place of the store is on, in a mount namespace of the test's own.
on_a_small_disk() { # SIZE SCRIPT
	mkdir -p "$CORDON_ROOT"
	unshare --mount --propagation private bash -c '
		set -e
		mount -t tmpfs -o size="$1",mode=0700 small "$2"
		cd "$4"
		root=$2 program=$3
		cordon() { "$program" --root "$root" "$@"; }
		eval "$5"' - "$1" "$CORDON_ROOT" "$CORDON" "$PWD" "$2"
}

# bats test_tags=root
@test "writable: no image where the host has less left than it may take; auto takes memory then" {
	says 125 "cordon: rootfs.writable.store: image: $CORDON_ROOT/state/writable: its file system has 8 MiB left, less than the root may take*" \
		on_a_small_disk 8m 'cordon run --set rootfs.writable.store=image -- true'
	says 0 "*writable root *tmpfs: 16 MiB and 8192 inodes; memory*not image:*8 MiB left*" \
		on_a_small_disk 8m 'COLUMNS=0 cordon explain --set rootfs.writable.store=auto -- true'
	gives 0 text on_a_small_disk 40m 'cordon run --set rootfs.writable.store=image -- sh -c "echo text >/f; cat /f"'
}

# bats test_tags=root
@test "writable: the host's disk full meanwhile: errors inside, an end, and the reason" {
	need jq
	# Others fill it while the program waits.
	says 5 "*fsync failed*host's file system, on which rootfs.writable lies, was used up when the program failed" \
		on_a_small_disk 24m '
		mkfifo go
		exec 7<>go 6<go
		cordon run --report report --set rootfs.writable.store=image -- sh -c "
			read -r go
			dd if=/dev/urandom of=/f bs=1M count=12 conv=fsync status=none
			exit 5" <&6 6<&- 7>&- &
		while [ -z "$(losetup -n -O BACK-FILE | grep -F "$root")" ]; do sleep 0.05; done
		dd if=/dev/zero of="$root/filler" bs=64k status=none 2>/dev/null || true
		echo go >&7
		wait $!'
	[ "$(verdict)" = "disk_full null 5 null" ]
	eventually nothing_is_left
}

# bats test_tags=root
@test "writable: preallocated, the host's disk may become full; what cannot be reserved is refused" {
	# The control is the test above: without it the same ends with errors inside.
	says 0 "written" on_a_small_disk 24m '
		mkfifo go
		exec 7<>go 6<go
		cordon run --storage-opt preallocate=true --storage-opt size=16m -- sh -c "
			read -r go
			dd if=/dev/urandom of=/f bs=1M count=12 conv=fsync status=none && echo written" <&6 6<&- 7>&- &
		while [ -z "$(losetup -n -O BACK-FILE | grep -F "$root")" ]; do sleep 0.05; done
		dd if=/dev/zero of="$root/filler" bs=64k status=none 2>/dev/null || true
		echo go >&7
		wait $!'
	eventually nothing_is_left
	says 0 "*writable root *image: 16 MiB and 8192 inodes; reserved, an ext4 in a file without a name*" \
		env COLUMNS=0 "$CORDON" --root "$CORDON_ROOT" explain --storage-opt size=16m --storage-opt preallocate=true -- true
	says 125 "*rootfs.writable.preallocate: only an image's space can be reserved, and this is store: tmpfs*" \
		cordon run --set rootfs.writable.store=tmpfs --set rootfs.writable.preallocate=true -- true
	says 125 "*'preallocate=maybe' is no storage option here*preallocate=true*" \
		cordon run --storage-opt preallocate=maybe -- true
}

# bats test_tags=user
@test "writable: as a user nothing can be preallocated, and the reason is said" {
	says 125 "*rootfs.writable.preallocate: only an image's space can be reserved, and this is store: tmpfs; not image: only root may mount one*" \
		cordon run --storage-opt size=16m --storage-opt preallocate=true -- true
}

# bats test_tags=root
@test "writable: auto is an image as root, and explain says where and how much" {
	says 0 "*writable root *image: 16 MiB and 8192 inodes; an ext4 in a file without a name*" \
		env COLUMNS=0 "$CORDON" --root "$CORDON_ROOT" explain --set rootfs.writable=auto -- true
	# Nothing was made.
	[ ! -e "$CORDON_ROOT/state" ]
	gives 0 "/upper" inside 'awk "\$5 == \"/\" { print \$4 }" /proc/self/mountinfo' --set rootfs.writable=auto
}

# What it does is shown in a virtual machine: tests/vm/project.bats.
@test "writable: a project quota is refused with the reason where there is none" {
	local why="its file system has no project quotas on"
	is_root || why="only root may set one"
	! findmnt -n -o OPTIONS -T "$BATS_TEST_TMPDIR" | grep -qw prjquota || skip "here are project quotas"
	says 125 "*rootfs.writable.store: project: *$why*store: auto*" \
		cordon run --set rootfs.writable.store=project -- true
	[ ! -e "$CORDON_ROOT/state" ]
}

# bats test_tags=user
@test "writable: as a user an image is refused with the remedy, and auto is memory" {
	says 125 "cordon: rootfs.writable.store: image: only root may mount one*store: tmpfs*" \
		cordon run "${image[@]}" -- true
	says 0 "*writable root *tmpfs: 16 MiB and 8192 inodes; memory, which counts to limits.memory; not image: only root*" \
		env COLUMNS=0 "$CORDON" --root "$CORDON_ROOT" explain --set rootfs.writable=auto -- true
	gives 0 text inside 'echo text >/f; cat /f' --set rootfs.writable=auto
	[ ! -e "$CORDON_ROOT/state" ]
}

# bats test_tags=root
@test "writable: a small size has as many inodes as leave room in it, where nobody says how many; what is said counts" {
	local config size
	need losetup
	load ../lib/images
	cd "$BATS_TEST_TMPDIR"
	made_of x
	for size in 1m 16m 31m; do
		gives 0 "image: ${size%m} MiB and $((${size%m} << 9)) inodes; an ext4*" shown --storage-opt "size=$size" x
		gives 0 "ok" cordon run -q --storage-opt "size=$size" x echo ok
	done
	gives 0 "image: 32 MiB and 65536 inodes; an ext4*" shown --storage-opt size=32m x
	gives 0 "tmpfs: 16 MiB and 65536 inodes; memory*" shown --set rootfs.writable.size=16MiB x
	gives 0 "tmpfs: 16 MiB and 60000 inodes; *more than half of rootfs.writable.size*" shown --storage-opt size=16m --set rootfs.writable.inodes=60000 x
	gives 0 "image: 16 MiB and 100 inodes; *" shown --storage-opt size=16m --set rootfs.writable.inodes=100 x
	# A kept one that was small keeps its inodes when it is made larger.
	cordon create --name box --storage-opt size=16m x sh -c 'echo x >>/n; cat /n; exec sleep 100' >/dev/null
	gives 0 box cordon start box
	gives 0 box cordon stop -t 0 box
	gives 0 box cordon update --storage-opt size=64m box
	gives 0 box cordon start box
	gives 0 "*x*x" cordon logs box
	gives 0 box cordon rm -f box
	gives 0 "*" cordon create --name box --storage-opt size=900g x true
	gives 125 "*the sandbox's layer: it may take 921600 MiB, and its file system has * left*" cordon start box
	gives 0 box cordon rm -f box
}

shown() { # FLAG...
	COLUMNS=0 "$CORDON" --root "$CORDON_ROOT" explain "$@" | sed -n 's/^ *writable root *//p'
}

@test "writable: --storage-opt size= is Docker's word for it" {
	run -1 cordon run -q --storage-opt size=2m --set rootfs.writable.inodes=64 -- \
		dd if=/dev/zero of=/f bs=64k count=33 status=none
	[[ "$output" == *"No space left on device"* ]]
	gives 0 "" cordon run --storage-opt size=2m --set rootfs.writable.inodes=64 -- \
		dd if=/dev/zero of=/f bs=64k count=20 status=none
	says 125 "*--read-only says that nothing is written*--storage-opt size=2m*" cordon run --storage-opt size=2m --read-only -- true
	says 125 "*rootfs.writable.size: 943718400 MiB is more than there is room for: in memory at most * MiB; as an image: *Ask for less*" cordon run --storage-opt size=900t -- true
	says 125 "*'overlay2.size=1g' is no storage option here*size=SIZE*" cordon run --storage-opt overlay2.size=1g -- true
	# A size leaves it where another word puts it.
	says 0 "*writable root *tmpfs: 4 MiB and *" env COLUMNS=0 "$CORDON" --root "$CORDON_ROOT" explain --storage-opt store=tmpfs --storage-opt size=4m -- true
	says 0 "*writable root *tmpfs: 4 MiB and *" env COLUMNS=0 "$CORDON" --root "$CORDON_ROOT" explain --set rootfs.writable.store=tmpfs --storage-opt size=4m -- true
	says 125 "*rootfs.writable.store: project: *" cordon run --storage-opt store=project --storage-opt size=4m -- true
	says 125 "*disk*" cordon run --storage-opt store=disk -- true
}

# bats test_tags=root
@test "writable: sizes that no file system can have are refused before anything is made" {
	says 125 "*1 MiB or more*" cordon run "${image[@]}" --set rootfs.writable.size=1023KiB -- true
	says 125 "*more than half of rootfs.writable.size*" \
		cordon run "${image[@]}" --set rootfs.writable.inodes=40000 -- true
	gives 0 "" cordon run "${image[@]}" --set rootfs.writable.size=1MiB --set rootfs.writable.inodes=64 -- true
	# A size that is no multiple of a block.
	gives 0 "" cordon run "${image[@]}" --set rootfs.writable.size=1234567 --set rootfs.writable.inodes=64 -- true
}

# A place that somebody else may write to can lead anywhere.
# bats test_tags=root
@test "writable: gc as root follows no link in another user's --root, and empties nothing that is not root's alone" {
	local other=$BATS_TEST_TMPDIR/other victim=$BATS_TEST_TMPDIR/victim id=1700000000
	mkdir -p "$other/state" "$victim/projects/$id/deep"
	chmod 700 "$other" "$other/state" "$victim" "$victim/projects"
	chown -R 61237 "$other"
	ln -s "$victim" "$other/state/writable"
	run "$CORDON" --root "$other" gc
	[ -d "$victim/projects/$id/deep" ]
	# Root's alone, but for one of the directories.
	mkdir -p "$BATS_TEST_TMPDIR/own/state/writable/projects/$id/deep"
	chmod -R go= "$BATS_TEST_TMPDIR/own"
	chmod 0755 "$BATS_TEST_TMPDIR/own/state/writable"
	says 125 "*writable: belongs to uid 0 with mode 755, not to you alone*" "$CORDON" --root "$BATS_TEST_TMPDIR/own" gc
	# The control: then it is looked at. What is of no project of ours is not emptied.
	chmod 0700 "$BATS_TEST_TMPDIR/own/state/writable"
	run "$CORDON" --root "$BATS_TEST_TMPDIR/own" gc
	[[ "$output" != *"not to you alone"* ]]
	[ -d "$BATS_TEST_TMPDIR/own/state/writable/projects/$id/deep" ]
}
