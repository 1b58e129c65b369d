#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Volumes whose size is a project quota's (`volume create -o store=project`), on an ext4 and on an XFS that have
# project quotas on. Past its limits ext4 says EDQUOT, and XFS ENOSPC.
# bats file_tags=vm

load ../lib/cordon
load ../lib/project

setup() {
	cordon_setup
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	project_end
}

volumes() { echo "$CORDON_ROOT/state/volumes"; }

host() { # SCRIPT FLAG...
	cordon run -q "${@:2}" -- sh -c "$1"
}

make_db() { # SIZE INODES
	gives 0 "db" cordon volume create -o store=project --size "$1" --inodes "$2" db
}

holds_its_size() {
	local id
	make_db 4m 100
	id=$(project_of "$(volumes)/db/data")
	[ "$id" -ge 1073741824 ]
	gives 0 "project 4194304 100 0" cordon volume inspect -f '{{.Store}} {{.Size}} {{.Inodes}} {{.UsedInodes}}' db
	# Inside there is no more, and outside nothing is any fuller.
	gives 1 "*$full*" host 'head -c 5m /dev/zero >/db/big' -v db:/db
	[ "$(du -sk "$(volumes)/db/data" | cut -f 1)" -le 4096 ]
	cordon volume inspect db | jq -e '.[0] | .store == "project" and .used_inodes == 1 and .used_bytes > 3000000 and
		.used_bytes <= .size_bytes and (.mountpoint | endswith("/db/data"))'
	gives 0 "" host 'rm /db/big; head -c 3m /dev/zero >/db/fits' -v db:/db
	# The control: another volume has room.
	gives 0 "wide" cordon volume create -o store=project --size 16m wide
	gives 0 "" host 'head -c 5m /dev/zero >/wide/big' -v wide:/wide
	gives 2 "*$full*" host 'i=0; while [ $i -lt 120 ]; do : >/db/$i; i=$((i + 1)); done' -v db:/db
	gives 0 "100 100" cordon volume ls -f name=db --format '{{.Inodes}} {{.UsedInodes}}'
	gives 0 "*/db rw,nosuid,nodev,*" host 'grep " /db " /proc/self/mountinfo | cut -d " " -f 5-' -v db:/db
	gives 0 "DRIVER    VOLUME NAME   SIZE         USED
local     db            4 MiB        * KiB" cordon volume ls -f name=db
	gives 0 "db" cordon volume rm db
	project_is_free "$id"
	[ ! -e "$(volumes)/db" ]
}

# bats test_tags=root
@test "project volume: holds bytes and inodes on ext4, and says how much is used" {
	project_disk ext4
	holds_its_size
}

# bats test_tags=root
@test "project volume: holds bytes and inodes on XFS, and says how much is used" {
	project_disk xfs
	holds_its_size
}

# bats test_tags=root
@test "project volume: whatever names a workload has left in it, it is removed, and nothing keeps gc from the next" {
	local id
	project_disk ext4
	make_db 16m 400
	id=$(project_of "$(volumes)/db/data")
	# What cordon calls a directory that it lifts to the top, as files, links and directories.
	gives 0 "" host 'for i in 0 1 2 3 4 5 6 7; do : >/db/lifted.$i; done; ln -s /etc /db/lifted.8; mkdir -p /db/lifted.9/x
		for i in 0 1 2 3 4 5 6 7 8 9; do mkdir -p /db/$i/deep/er/still; : >/db/$i/deep/er/still/file; done' -v db:/db
	gives 0 "db" cordon volume rm db
	project_is_free "$id"
	[ -z "$(find "$(volumes)" -mindepth 1 ! -name .lock)" ]
	# What cannot be removed keeps nothing else.
	make_db 4m 100
	mkdir "$(volumes)/.old-0000000000000001"
	: >"$(volumes)/.old-0000000000000001/file"
	chattr +i "$(volumes)/.old-0000000000000001/file"
	mkdir -p "$(volumes)/.old-ffffffffffffffff/data"
	gives 125 "*.old-0000000000000001: remove what an ended command left*" cordon gc
	[ ! -e "$(volumes)/.old-ffffffffffffffff" ]
	chattr -i "$(volumes)/.old-0000000000000001/file"
	gives 0 "*" cordon gc
	[ ! -e "$(volumes)/.old-0000000000000001" ]
}

# bats test_tags=root
@test "project volume: auto takes it where there are quotas, else an image; what cannot be is refused" {
	project_disk ext4
	gives 0 "one" cordon volume create -o store=auto --size 8m one
	gives 0 "two" cordon volume create --size 8m two
	gives 0 "project" cordon volume inspect -f '{{.Store}}' one
	gives 0 "image" cordon volume inspect -f '{{.Store}}' two
	# What is there is as good where it is what was asked for.
	gives 0 "one" cordon volume create -o store=project --size 8m one
	gives 125 "*volume one: with 8388608 bytes and 512 inodes, store=project*" cordon volume create -o store=image --size 8m one
	gives 125 "*of a volume without a size*" cordon volume create -o store=project three
	gives 125 "*size of 524288 bytes*1 MiB or more*" cordon volume create -o store=project --size 512k three
	gives 125 "*less is left than it may take*" cordon volume create -o store=project --size 900m three
	gives 125 "*--opt store=disk: no such store*" cordon volume create -o store=disk --size 8m three
	gives 125 "*--opt type=tmpfs: no such option*" cordon volume create -o type=tmpfs -o store=project --size 8m three
	project_end
	# The same without quotas.
	project_disk ext4 defaults
	gives 125 "*store=project: * has no project quotas on*prjquota*" cordon volume create -o store=project --size 8m three
	gives 0 "three" cordon volume create -o store=auto --size 8m three
	gives 0 "image" cordon volume inspect -f '{{.Store}}' three
}

# bats test_tags=root
@test "project volume: without its limits nobody starts with it" {
	local id
	project_disk ext4
	make_db 4m 100
	id=$(project_of "$(volumes)/db/data")
	gives 0 "" host ': >/db/file' -v db:/db
	project_limit "$id" 0 0
	gives 125 "*volume db: its project quota reads back as 0 bytes and 0 inodes*" host true -v db:/db
	project_limit "$id" 8388608 101
	gives 125 "*volume db: its project quota reads back as 8388608 bytes and 101 inodes*" host true -v db:/db
	project_limit "$id" 4194304 101
	gives 0 "" host true -v db:/db
	"$ATTACK/project" join "$(volumes)/db/data" 7
	gives 125 "*volume db: its project quota reads back as 0 bytes*" host true -v db:/db
	"$ATTACK/project" join "$(volumes)/db/data" "$id"
	gives 0 "" host true -v db:/db
	"$ATTACK/project" disinherit "$(volumes)/db/data"
	gives 125 "*volume db: its project quota reads back as*" host true -v db:/db
	"$ATTACK/project" join "$(volumes)/db/data" "$id"
	gives 0 "" host true -v db:/db
	umount "$CORDON_ROOT"
	mount -o loop "$CORDON_ROOT.disk" "$CORDON_ROOT"
	gives 125 "*volume db: its file system has no project quotas on*prjquota*" host true -v db:/db
}

# bats test_tags=root
@test "project volume: clone, backup and restore keep to the size; rm, prune and gc give the project back" {
	local id copy
	project_disk ext4
	make_db 4m 100
	gives 0 "" host 'echo text >/db/file; head -c 2m /dev/zero >/db/large' -v db:/db
	gives 0 "db sha256:*" cordon volume backup db db.tar
	gives 0 "copy" cordon volume clone db copy
	gives 0 "project 4194304 100" cordon volume inspect -f '{{.Store}} {{.Size}} {{.Inodes}}' copy
	id=$(project_of "$(volumes)/db/data") copy=$(project_of "$(volumes)/copy/data")
	[ "$id" -ne "$copy" ]
	gives 1 "*$full*" host 'cat /db/file && head -c 3m /dev/zero >/db/more' -v copy:/db
	gives 0 "" host 'echo other >/db/file' -v db:/db
	gives 0 "db" cordon volume restore --replace db db.tar
	gives 0 "project 4194304" cordon volume inspect -f '{{.Store}} {{.Size}}' db
	gives 0 "text" host 'cat /db/file' -v db:/db
	# It is another directory by now, and the one of before has given its project back.
	[ "$(project_of "$(volumes)/db/data")" -ne "$id" ]
	project_is_free "$id"
	# What is too large for it is refused, and nothing is left of it.
	gives 0 "little" cordon volume create -o store=project --size 1m little
	gives 125 "*" cordon volume restore --replace little db.tar
	gives 0 "0" cordon volume inspect -f '{{.UsedInodes}}' little
	gives 0 "copy" cordon volume rm copy
	project_is_free "$copy"
	id=$(project_of "$(volumes)/db/data")
	cordon volume prune -af >/dev/null
	project_is_free "$id"
	[ "$(ls -A "$(volumes)")" = .lock ]
	projects_are_free
}

# bats test_tags=root
@test "project volume: who is killed at any step leaves what gc gives back" {
	local step
	project_disk ext4
	for step in project-joined volume-project volume-whole; do
		CORDON=$repo/build/fault/cordon CORDON_FAULT=store.$step:kill run cordon volume create -o store=project --size 4m db
		[ "$status" -eq 137 ]
		gives 0 "*1 remains of volumes removed*" cordon gc
		projects_are_free
	done
	for step in volume-removed project-given; do
		make_db 4m 100
		gives 0 "" host 'mkdir -p /db/a/b; : >/db/a/b/c' -v db:/db
		CORDON=$repo/build/fault/cordon CORDON_FAULT=store.$step:kill run cordon volume rm db
		[ "$status" -eq 137 ]
		gives 0 "*1 remains of volumes removed*" cordon gc
		projects_are_free
	done
}

# bats test_tags=root
@test "project volume: a project that somebody has, by files or by limits, is never taken" {
	local taken=1073745000
	project_disk ext4
	mkdir -m 0700 "$CORDON_ROOT/theirs"
	"$ATTACK/project" join "$CORDON_ROOT/theirs" $taken
	CORDON=$repo/build/fault/cordon CORDON_PROJECT_ID=$taken gives 0 "db" cordon volume create -o store=project --size 4m db
	[ "$(project_of "$(volumes)/db/data")" -ne $taken ]
	gives 0 "db" cordon volume rm db
	rmdir "$CORDON_ROOT/theirs"
	project_limit $taken 409600 100
	CORDON=$repo/build/fault/cordon CORDON_PROJECT_ID=$taken gives 0 "db" cordon volume create -o store=project --size 4m db
	[ "$(project_of "$(volumes)/db/data")" -ne $taken ]
	gives 0 "db" cordon volume rm db
	# The control: when it is nobody's, it is taken.
	project_limit $taken 0 0
	CORDON=$repo/build/fault/cordon CORDON_PROJECT_ID=$taken gives 0 "db" cordon volume create -o store=project --size 4m db
	[ "$(project_of "$(volumes)/db/data")" -eq $taken ]
}

# bats test_tags=root
@test "project volume: a file that somebody has open keeps the limit and the project; gc gives them back later" {
	local id
	project_disk ext4
	make_db 4m 100
	id=$(project_of "$(volumes)/db/data")
	gives 0 "" host 'echo text >/db/file' -v db:/db
	exec {fd}<"$(volumes)/db/data/file"
	gives 0 "db" cordon volume rm db
	cordon gc >/dev/null
	gives 0 "4194304 101 *" "$ATTACK/project" read "$CORDON_ROOT" "$id"
	gives 0 "" cordon volume ls -q
	exec {fd}<&-
	gives 0 "*1 remains of volumes removed*" cordon gc
	project_is_free "$id"
	[ "$(ls -A "$(volumes)")" = .lock ]
}

# bats test_tags=root
@test "project volume: the workload cannot leave its project" {
	local id data=$CORDON_ROOT/state/volumes/db/data
	project_disk ext4
	make_db 4m 100
	id=$(project_of "$data")
	gives 0 "" host ': >/db/f; mkdir /db/d' -v db:/db
	# By the call itself, as the owner: another project, none, and one that is not inherited.
	gives 42 "EINVAL" cordon run -q -v db:/db -- "$ATTACK/project" join /db/f 0
	gives 42 "EINVAL" cordon run -q -v db:/db -- "$ATTACK/project" join /db/d 7
	gives 42 "EINVAL" cordon run -q -v db:/db -- "$ATTACK/project" disinherit /db/d
	gives 42 "E*" cordon run -q -v db:/db -- "$ATTACK/project" join /db 7
	gives 42 "E*" cordon run -q -v db:/db -- "$ATTACK/project" limit /db "$id" 0 0
	[ "$(project_of "$data/d")" = "$id" ]
	gives 1 "*$full*" host 'head -c 5m /dev/zero >/db/d/f' -v db:/db
	# The control: who may do the same is not held by it any more.
	gives 0 "" "$ATTACK/project" join "$data/d" 7
	gives 0 "" host 'rm /db/d/f; head -c 5m /dev/zero >/db/d/f' -v db:/db
}

# bats test_tags=root
@test "project volume: a planted setuid file and one with capabilities serve nobody" {
	local data=$CORDON_ROOT/state/volumes/db/data
	project_disk ext4
	make_db 8m 100
	gives 1 "*Operation not permitted*" host 'cp /bin/true /db/true && chmod u+s /db/true' -v db:/db
	project_is_inert "$data" "$data"
	# Inside neither is more than a file.
	gives 0 "33" cordon run -q -u 33:33 -v db:/db -- /db/id -u
	gives 0 "0" cordon run -q -u 33:33 -v db:/db -- /db/caps effective
	# The control: where the mount allows it, both are what they are elsewhere.
	chmod 0711 "$CORDON_ROOT" "$CORDON_ROOT"/state "$CORDON_ROOT"/state/volumes "$CORDON_ROOT"/state/volumes/db
	gives 0 "2147352576" as_stranger "$data/id" -u
	gives 0 "1" as_stranger "$data/caps" effective
}
