#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What of `cordon run IMAGE` depends on the kernel: overlay of many layers, idmapped mounts below it. The store is made by
# hand, so that it needs neither cordon-image nor what that is linked with.

bats_require_minimum_version 1.5.0 # run -CODE
load ../lib/cordon
load ../lib/images

setup() {
	cordon_setup
	cd "$BATS_TEST_TMPDIR" || return
}

# bats test_tags=vm
@test "image: layers over one another, absences, owners, a root that is written to and forgotten" {
	make_base one
	mkdir -p one/d two/d
	echo 1 | tee one/d/kept one/d/gone one/over >/dev/null
	chmod 640 one/over
	mknod two/d/gone c 0 0
	echo 2 >two/over
	store_by_hand x one two
	gives 0 "kept 2 yes 0:0" cordon run -q x sh -c 'echo $(ls /d) $(cat /over) $IN_IMAGE $(id -u):$(id -g)'
	[ "$(id -u)" -ne 0 ] || chown $((FOREIGN + 33)):$((FOREIGN + 44)) "$(store)"/layers/*/tree/d/kept
	gives 0 "0:0 $([ "$(id -u)" -ne 0 ] && echo 0:0 || echo 33:44)" \
		cordon run -q x sh -c 'echo $(stat -c %u:%g /over) $(stat -c %u:%g /d/kept)'
	gives 0 "3" cordon run -q x sh -c 'echo 3 >/over && mkdir /new && rm /d/kept && cat /over'
	gives 0 "2 kept" cordon run -q x sh -c 'echo $(cat /over) $(ls /d)'
	gives 125 "cordon: no image y;*" cordon run -q y true
}

# Without the tag: it takes a minute on an emulated processor, and showed no difference there.
@test "image: 128 layers" {
	local i dirs=()
	make_base 0
	for ((i = 1; i < 128; i++)); do
		dirs+=("$i")
	done
	mkdir "${dirs[@]}"
	for i in "${dirs[@]}"; do
		echo "$i" >"$i/last"
	done
	store_by_hand x 0 "${dirs[@]}"
	gives 0 "127" cordon run -q x cat /last
}

# bats test_tags=root,vm
@test "volume: from an image, and the same owners for sandboxes with ids of their own" {
	make_base one
	mkdir -m 1777 one/data
	echo image >one/data/f
	store_by_hand x one
	chown $((FOREIGN + 33)):$((FOREIGN + 44)) "$(store)"/layers/*/tree/data/f
	cordon run -d -q --name a -v data:/data x sleep 100
	cordon run -d -q --name b -v data:/data x sleep 100
	cordon exec -u 7:8 a sh -c 'echo from-a >/data/new'
	gives 0 "33:44 image 7:8 from-a" cordon exec b sh -c 'echo $(stat -c %u:%g /data/f) $(cat /data/f) $(stat -c %u:%g /data/new) $(cat /data/new)'
	cordon rm -f a b
	gives 0 "data" cordon volume rm data
}

# bats test_tags=root,vm
@test "volume: of limited size, by one device for all who have it" {
	cordon volume create --size 8m --inodes 300 sized >/dev/null
	cordon run -d -q --name a -v sized:/data -- sleep 100
	cordon run -d -q --name b -v sized:/data -v sized:/again:ro -- sleep 100
	[ "$(grep -l -F /volumes/sized/image /sys/block/loop*/loop/backing_file | wc -l)" -eq 1 ]
	cordon exec a sh -c 'echo from-a >/data/new'
	gives 0 "from-a" cordon exec b cat /again/new
	gives 1 "*No space left on device" cordon exec a sh -c 'head -c 9m /dev/zero >/data/big'
	cordon rm -f a b
	gives 0 "2" cordon volume inspect -f '{{.UsedInodes}}' sized
	gives 0 "sized" cordon volume rm sized
}
