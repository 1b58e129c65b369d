#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Volumes of limited size: what they take and no more, shared by several sandboxes, and after a crash.

bats_require_minimum_version 1.5.0 # run -CODE
load ../lib/cordon
load ../lib/images

FAULTY=$repo/build/fault/cordon

setup() {
	images_setup
}

# What is mounted nowhere has no loop device any more.
teardown() {
	local id
	for id in $(cordon ps -aq 2>/dev/null); do
		cordon rm -f -v "$id" >/dev/null
	done
	eventually no_devices && cordon_teardown
}

volumes() { echo "$CORDON_ROOT/state/volumes"; }

devices() {
	grep -l -F "$(volumes)/" /sys/block/loop*/loop/backing_file 2>/dev/null | wc -l
}

no_devices() { [ "$(devices)" -eq 0 ]; }

host() { # SCRIPT FLAG...
	cordon run -q "${@:2}" -- sh -c "$1"
}

# bats test_tags=root
@test "volume size: no more bytes and no more files go into it, and it says how much is used" {
	gives 0 "db" cordon volume create --size 8m --inodes 500 db
	gives 0 "8388608 500 4096 0" cordon volume inspect -f '{{.Size}} {{.Inodes}} {{.Used}} {{.UsedInodes}}' db
	[ "$(stat -c '%a %u' "$(volumes)/db/image")" = "600 2147418111" ]
	gives 1 "*No space left on device" host 'head -c 9m /dev/zero >/db/big' -v db:/db
	[ "$(du -k "$(volumes)/db/image" | cut -f 1)" -le $((12 * 1024)) ]
	cordon volume inspect db | jq -e '.[0] | .size_bytes == 8388608 and .inodes == 500 and .used_inodes == 1 and
		.used_bytes > 7000000 and .used_bytes <= .size_bytes'
	gives 0 "" host 'rm /db/big' -v db:/db
	# The host has the room back.
	eventually no_devices
	[ "$(du -k "$(volumes)/db/image" | cut -f 1)" -le 1024 ]
	gives 2 "*No space left on device" host 'i=0; while : >/db/$i; do i=$((i + 1)); done' -v db:/db
	gives 0 "5?? 5??" cordon volume ls --format '{{.Inodes}} {{.UsedInodes}}'
	# Nothing more than files can be made there, and it is what was asked for.
	gives 0 "*/db rw,nosuid,nodev,*" host 'grep " /db " /proc/self/mountinfo | cut -d " " -f 5-' -v db:/db
	gives 1 "*Operation not permitted*" host 'rm /db/*; cp /bin/true /db/true && chmod u+s /db/true' -v db:/db
	gives 0 "bare" cordon volume create bare
	cordon volume inspect bare | jq -e '.[0] | .size_bytes == null and .used_bytes == null'
	gives 0 "bare :" cordon volume ls -f name=bare --format '{{.Name}} {{.Size}}:{{.Used}}'
	gives 0 "DRIVER    VOLUME NAME   SIZE         USED
local     bare          -            -
local     db            8 MiB        * KiB" cordon volume ls
	gives 0 "DRIVER    VOLUME NAME
local     bare" cordon volume ls -f name=bare
	# A limit that somebody believes in has to be there.
	gives 0 "db" cordon volume create db
	gives 0 "db" cordon volume create --opt size=8m -o inodes=500 db
	gives 125 "*volume db: with 8388608 bytes and 500 inodes*" cordon volume create --size 16m db
	gives 125 "*volume bare: without a size*" cordon volume create --size 16m bare
}

# bats test_tags=root
@test "volume size: what it cannot be is refused by name" {
	gives 125 "*size of 4194304 bytes*8 MiB or more*" cordon volume create --size 4m web
	gives 125 "*size of 8388609 bytes*" cordon volume create --size 8388609 web
	gives 125 "*--size big: no such size*" cordon volume create --size big web
	gives 125 "*--inodes: of a volume without a size*" cordon volume create --inodes 7 web
	gives 125 "*100000 inodes*not more than half*" cordon volume create --size 8m --inodes 100000 web
	gives 125 "*--opt type=tmpfs: no such option*--tmpfs*" cordon volume create -o type=tmpfs web
	gives 125 "*--opt device=/dev/sda1*" cordon volume create -o device=/dev/sda1 web
	gives 125 "*it may take 1048576000 MiB, and its file system has * left*" cordon volume create --size 1000t web
	[ -z "$(cordon volume ls -q)" ]
	[ "$(ls -A "$(volumes)")" = .lock ]
}

# bats test_tags=user
@test "volume size: as a user it is refused, with the reason" {
	gives 125 "*only root may mount one*--tmpfs*" cordon volume create --size 8m web
	gives 125 "*only root may mount one*" cordon volume create -o size=8m web
	gives 0 "web" cordon volume create web
}

# bats test_tags=root
@test "volume size: several have it at once, on one device, with the same owners; it goes with the last" {
	made_of x "dir:data:uid=33:mode=750 file:data/f:data=image:mode=640:uid=33"
	cordon volume create --size 8m db >/dev/null
	cordon run -d -q --name a -v db:/data x sleep 100 >/dev/null
	[ "$(devices)" -eq 1 ]
	# What the image has there is in it, with its owners.
	cordon run -d -q --name b -v db:/data -v db:/again:ro x sleep 100 >/dev/null
	[ "$(devices)" -eq 1 ]
	gives 0 "33 750 image" cordon exec -u 33:33 b sh -c 'echo $(stat -c "%u %a" /data) $(cat /again/f)'
	cordon exec -u 33:33 a sh -c 'echo from a >/data/new; ls -A /data >/data/names'
	gives 0 "from a f names new" cordon exec -u 33:33 b sh -c 'echo $(cat /again/new /data/names)'
	gives 1 "*Read-only file system*" cordon exec -u 33:33 b sh -c ': >/again/x'
	# A copy of it is made as of any other: they stand still, and the copy has the size.
	gives 0 "db sha256:*" cordon volume backup db db.tar
	gives 0 "copy" cordon volume clone db copy
	gives 0 "8388608 512" cordon volume inspect -f '{{.Size}} {{.Inodes}}' copy
	gives 0 "imagefrom a" cordon run -q -u 33:33 -v copy:/data x sh -c 'echo $(cat /data/f /data/new)'
	gives 125 "*is in use*" cordon volume rm db
	cordon rm -f a >/dev/null
	gives 0 "from a" cordon exec -u 33:33 b cat /data/new
	cordon exec -u 33:33 b rm /data/new
	cordon rm -f b >/dev/null
	eventually no_devices
	gives 0 "db" cordon volume restore --replace db db.tar
	gives 0 "8388608" cordon volume inspect -f '{{.Size}}' db
	gives 0 "from a" cordon run -q -u 33:33 -v db:/data x cat /data/new
	gives 1 "*No space left on device*" cordon run -q -u 33:33 -v db:/data x busybox dd if=/dev/zero of=/data/big bs=64k
	gives 0 "db" cordon volume rm db
}

# bats test_tags=root
@test "volume size: begun and ended by several at the same moment, all of it is there" {
	local i k pids=()
	cordon volume create --size 8m db >/dev/null
	for i in 1 2 3 4; do
		for k in 1 2 3; do
			host ": >/db/$i.$k" -v db:/db &
			pids+=($!)
		done
		# The last of them may be about to end by now.
		sleep 0.1
	done
	for i in "${pids[@]}"; do wait "$i"; done
	gives 0 "12" host 'ls /db | wc -l' -v db:/db
	eventually no_devices
	gives 0 "*/image: *" e2fsck -fn "$(volumes)/db/image"
}

# bats test_tags=root
@test "volume size: after a crash it is whole, what was written to the disk is there; damage is refused" {
	local step
	cordon volume create --size 8m db >/dev/null
	# A file system as a loss of power leaves it: never unmounted, its journal not replayed.
	cordon run -d -q --name a -v db:/db -- sh -c 'echo saved >/db/file; sync /db/file /db; : >/db/done; sleep 100' >/dev/null
	eventually cordon exec a test -e /db/done
	cp --sparse=always "$(volumes)/db/image" torn
	cordon rm -f a >/dev/null
	gives 0 "" host 'rm /db/file' -v db:/db
	eventually no_devices
	dumpe2fs -h torn 2>/dev/null | grep -q needs_recovery
	cat torn >"$(volumes)/db/image"
	gives 0 "saved" host 'cat /db/file' -v db:/db
	eventually no_devices
	dumpe2fs -h "$(volumes)/db/image" 2>/dev/null | run -1 grep needs_recovery
	# Whoever is killed at any step of making one leaves no device, and gc no files.
	for step in volume-mounted volume-whole; do
		CORDON=$FAULTY CORDON_FAULT=store.$step:kill run -137 cordon volume create --size 8m web
		eventually no_devices
		gives 0 "*1 remains of volumes removed*" cordon gc
	done
	CORDON=$FAULTY CORDON_FAULT=named_volumes:kill-keeper run -137 cordon run -q -v db:/db -- true
	eventually no_devices
	cordon gc >/dev/null
	gives 0 "saved" host 'cat /db/file' -v db:/db
	eventually no_devices
	# A record that says something else than the file system has.
	cp "$(volumes)/db/record" record
	sed -i 's/^inodes 512$/inodes 4096/' "$(volumes)/db/record"
	gives 125 "*reads back as 8??????* bytes and 5?? inodes*" host true -v db:/db
	sed 's/^size 8388608$/size 9437184/' record >"$(volumes)/db/record"
	gives 125 "*volume db is smaller than its size*" host true -v db:/db
	cp record "$(volumes)/db/record"
	gives 0 "saved" host 'cat /db/file' -v db:/db
	eventually no_devices
	# What e2fsck would have to guess at is left as it is.
	head -c 8000000 /dev/urandom | dd of="$(volumes)/db/image" bs=4096 seek=1 conv=notrunc status=none
	gives 125 "*volume db is damaged (e2fsck: *cordon volume restore --replace*" host true -v db:/db
	chmod 0644 "$(volumes)/db/image"
	gives 125 "*volume db is not the file that cordon made*" host true -v db:/db
	gives 0 "db::" cordon volume ls --format '{{.Name}}:{{.Used}}:'
	gives 0 "db" cordon volume rm db
}

# bats test_tags=root
@test "volume size: with a root on a tmpfs they lie in memory, shared and limited as ever" {
	# The script is expanded there.
	# shellcheck disable=SC2016
	CORDON_ROOT=$BATS_TEST_TMPDIR/memory
	mkdir "$CORDON_ROOT"
	run -0 unshare --mount bash -c 'mount -t tmpfs -o mode=755,size=64m none "$1" && "$0" --root "$1" volume create --size 8m one >/dev/null &&
		"$0" --root "$1" run -q -v one:/data -- sh -c "echo text >/data/file; head -c 20000000 /dev/zero >/data/big || echo full" 2>/dev/null &&
		"$0" --root "$1" run -q -v one:/data -- cat /data/file && "$0" --root "$1" volume rm one' "$CORDON" "$CORDON_ROOT"
	[ "$output" = "full
text
one" ]
	gives 125 "*no such store*--tmpfs*" cordon volume create -o store=tmpfs --size 1m two
}
