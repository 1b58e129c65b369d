#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# rootfs.from: dir:PATH and empty. The directory is never written to, and no link in it leads out.

load ../lib/cordon
load ../lib/attack

# What hostile links point to: a directory of the host's that must stay as it is.
make_outside() {
	mkdir outside
	echo secret >outside/secret
	chmod 0777 outside
	tree_state outside >outside.before
}

outside_unchanged() {
	diff outside.before <(tree_state outside)
}

run_tree() { # FLAG... -- CMD...
	cordon run --set "rootfs.from=dir:$PWD/tree" "$@"
}

# bats test_tags=vm
@test "dir: the tree is the root, read-only, and the host's programs are not there" {
	make_rootfs tree
	tree_state tree >before
	gives 0 $'bin\ndev\netc\nhome\nproc\ntmp' run_tree -- ls /
	says 0 "uid=1000(user) gid=1000(user)*" run_tree -- id
	says 1 "*Read-only file system" run_tree -- touch /bin/x
	says 127 "*" run_tree -- python3
	gives 0 "" run_tree -- touch /tmp/x
	diff before <(tree_state tree)
}

# bats test_tags=vm
@test "dir: writable tmpfs takes every change, and the host's directory none" {
	make_rootfs tree
	chmod 0777 tree/home/user tree/etc
	tree_state tree >before
	gives 0 "changed" run_tree -q --set rootfs.writable.store=tmpfs -- \
		sh -c 'echo changed >/home/user/x && rm /etc/group && cat /home/user/x'
	says 1 "*No space left on device*" run_tree --set rootfs.writable.store=tmpfs --set rootfs.writable.size=1MiB -- \
		dd if=/dev/zero of=/home/user/big bs=65536 count=64
	diff before <(tree_state tree)
	gives 0 "user" run_tree -u user -- sh -c 'id -un 2>/dev/null || echo user'
}

@test "empty: a root with nothing but /dev, /proc and what is mounted" {
	gives 0 ok cordon run --set rootfs.from=empty -- "$ATTACK/call" getpid
	gives 42 ENOENT cordon run --set rootfs.from=empty -- "$ATTACK/call" access text:/usr 0
	gives 42 ENOENT cordon run --set rootfs.from=empty -- "$ATTACK/call" access text:/etc 0
	says 127 "*" cordon run --set rootfs.from=empty -- sh
}

@test "dir: that is not there, is a file, or is the host's root is refused" {
	touch file
	says 125 "cordon: /no/such: No such file or directory*" cordon run --set rootfs.from=dir:/no/such -- true
	says 125 "cordon: $PWD/file: is not a directory*" cordon run --set "rootfs.from=dir:$PWD/file" -- true
	says 125 "*the host's root is not a rootfs*" cordon run --set rootfs.from=dir:/ -- true
}

@test "dir: places that are links are never followed out of the tree" {
	local place
	make_outside
	for place in dev proc tmp; do
		rm -rf tree
		make_rootfs tree
		rm -rf "tree/$place"
		ln -s "$PWD/outside" "tree/$place"
		says 125 "cordon: step *: /$place: *" run_tree -- id -u
		outside_unchanged
		# This one ends at the tree's own /etc.
		rm "tree/$place"
		ln -s ../../../../../../../../etc "tree/$place"
		gives 0 1000 run_tree -- id -u
	done
}

@test "dir: an account file that is a link is read inside the tree alone" {
	make_rootfs tree
	rm tree/etc/passwd
	ln -s /etc/shadow tree/etc/passwd
	says 125 "*$PWD/tree/etc/passwd: No such file or directory*" run_tree -u user -- id
	# The same link with its target in the tree.
	echo 'user:x:77:88::/:/bin/sh' >tree/etc/shadow
	gives 0 77 run_tree -u user -- id -u
}

@test "dir: a mount target whose way is a link stays in the tree" {
	make_outside
	make_rootfs tree
	ln -s "$PWD/outside" tree/data
	says 125 "cordon: step volumes: /data/new: tmpfs: *" run_tree \
		--set "volumes=[{type: tmpfs, target: /data/new, size: 1MiB, inodes: 9}]" -- id -u
	outside_unchanged
	# Where the link leads to a directory of the tree's own, it is that one.
	rm tree/data
	mkdir tree/real
	ln -s /real tree/data
	gives 0 x run_tree --set "volumes=[{type: tmpfs, target: /data, size: 1MiB, inodes: 9}]" -- \
		sh -c 'touch /real/x; ls /data'
	[ -z "$(ls tree/real)" ]
}

@test "dir: while another process swaps a directory and a link, 200 launches never touch the outside" {
	local i codes
	make_outside
	make_rootfs tree
	mkdir tree/data
	ln -s "$PWD/outside" tree/swapped
	"$ATTACK/swap" tree/data tree/swapped 3>&- &
	swapper=$!
	for ((i = 0; i < 200; i++)); do
		run run_tree --set "volumes=[{type: tmpfs, target: /data, size: 1MiB, inodes: 9, mode: 777}]" -- \
			touch /data/landed
		codes+="$status "
		[ ! -e outside/landed ] || break
	done
	kill "$swapper"
	wait "$swapper" || true
	outside_unchanged
	# It started at least sometimes: the test would say nothing otherwise.
	[[ "$codes" == *"0 "* ]]
	[[ "$codes" =~ ^((0|1|125)\ )+$ ]]
}
