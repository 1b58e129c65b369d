#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is kept of a sandbox's root in a directory with a project quota, on an ext4 and on an XFS that have them on.
# bats file_tags=vm

load ../lib/cordon
load ../lib/attack
load ../lib/project

kept=(--set rootfs.writable.store=project --set rootfs.writable.inodes=200)

setup() {
	cordon_setup
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	project_end
}

create() { # NAME SCRIPT FLAG...
	gives 0 "*" cordon create -q --name "$1" "${kept[@]}" "${@:3}" -- sh -c "$2"
}

# Starts it, and waits for its end.
start() { # NAME: its output and exit code
	cordon start "$1" >/dev/null && cordon wait "$1"
}

layer() {
	echo "$CORDON_ROOT"/state/sandboxes/*/layer.project
}

survives() {
	local id
	make_rootfs tree
	chown -R 61235:61235 tree
	chmod 0777 tree/home/user
	create box 'cat /home/user/file 2>/dev/null; echo more >>/home/user/file' --storage-opt size=4m --set "rootfs.from=dir:$PWD/tree"
	gives 0 "0" start box
	id=$(project_of "$(layer)")
	[ "$id" -ge 1073741824 ]
	gives 0 "4194304 204 *" "$ATTACK/project" read "$CORDON_ROOT" "$id"
	gives 0 "0" start box
	gives 0 "more" cordon logs -n 1 box
	# gc has no eye on it, and the disk that goes away and comes back has it still.
	cordon gc >/dev/null
	umount "$CORDON_ROOT"
	mount -o loop,prjquota "$CORDON_ROOT.disk" "$CORDON_ROOT"
	gives 0 "0" start box
	gives 0 "*more*more*" cordon logs box
	gives 0 "*A /home/user/file*" cordon diff box
	gives 0 "*" cordon cp box:/home/user/file out
	[ "$(wc -l <out)" -eq 3 ]
	[ "$(project_of "$(layer)")" = "$id" ]
	gives 0 "box" cordon rm box
	project_is_free "$id"
	[ -z "$(ls "$CORDON_ROOT/state/sandboxes")" ]
}

# bats test_tags=root
@test "project kept: on ext4 it survives the sandbox's end and the disk's coming and going; rm gives the project back" {
	project_disk ext4
	survives
}

# bats test_tags=root
@test "project kept: on XFS it survives the sandbox's end and the disk's coming and going; rm gives the project back" {
	project_disk xfs
	survives
}

# bats test_tags=root
@test "project kept: holds its size, and grows while it runs; never smaller" {
	local id
	project_disk ext4
	# Of one stream, which is in the order of the lines.
	create box 'exec 2>&1; cat /big* 2>/dev/null | wc -c; head -c 5m /dev/zero >/big; echo $?; : >/tried; while [ ! -e /go ]; do sleep 0.1; done
		head -c 5m /dev/zero >/big2; echo $?' --storage-opt size=4m
	gives 0 "box" cordon start box
	eventually cordon exec box test -e /tried
	gives 0 $'0\n*quota exceeded*\n1' cordon logs box
	id=$(project_of "$(layer)")
	gives 125 "*its root has 4 MiB already, and cannot be made smaller*" cordon update --storage-opt size=2m box
	gives 125 "*less is left than it may take*" cordon update --storage-opt size=900m box
	gives 0 "*" cordon update --storage-opt size=16m box
	gives 0 "16777216 204 *" "$ATTACK/project" read "$CORDON_ROOT" "$id"
	cordon exec box sh -c ': >/go'
	gives 0 "0" cordon wait box
	gives 0 "0" cordon logs -n 1 box
	# Its record has it: the next start as well.
	cordon exec box true 2>/dev/null || true
	gives 125 "*its root has 16 MiB already, and cannot be made smaller*" cordon update --storage-opt size=8m box
	gives 0 "*" cordon update --storage-opt size=20m box
	gives 0 "box" cordon start box
	gives 0 "0" cordon wait box
	gives 0 "20971520 204 *" "$ATTACK/project" read "$CORDON_ROOT" "$id"
}

# bats test_tags=root
@test "project kept: after kill -9 of its keeper it is whole, has its limits, and no second project" {
	local id pid
	project_disk ext4
	create box 'echo line >>/file; wc -l </file; sleep 600' --storage-opt size=4m
	for i in 1 2 3; do
		gives 0 "box" cordon start box
		eventually sh -c '"$0" --root "$1" logs -n 1 box | grep -qx "$2"' "$CORDON" "$CORDON_ROOT" "$i"
		[ -z "${id:-}" ] || [ "$id" = "$(project_of "$(layer)")" ]
		id=$(project_of "$(layer)")
		pid=$(sed -n 's/^keeper \([0-9]*\).*/\1/p' "$CORDON_ROOT"/run/sandboxes/*/live)
		kill -9 "$pid"
		cordon gc >/dev/null
	done
	gives 0 "4194304 204 *" "$ATTACK/project" read "$CORDON_ROOT" "$id"
	gives 0 "$id" "$ATTACK/project" list "$CORDON_ROOT"
	gives 0 "box" cordon rm -f box
	projects_are_free
}

# bats test_tags=root
@test "project kept: who is killed while it begins or ends leaves what the next command finishes" {
	local step
	project_disk ext4
	create box ': >/file'
	CORDON=$repo/build/fault/cordon CORDON_FAULT=store.project-joined:kill run cordon start box
	[ "$status" -ne 0 ]
	cordon gc >/dev/null
	gives 0 "0" start box
	[ "$("$ATTACK/project" list "$CORDON_ROOT" | wc -l)" -eq 1 ]
	for step in remove.renamed remove.released store.project-given remove.removed; do
		[ -L "$CORDON_ROOT/state/names/box" ] || create box ': >/file'
		gives 0 "0" start box
		CORDON=$repo/build/fault/cordon CORDON_FAULT=$step:kill run cordon rm box
		[ "$status" -eq 137 ]
		cordon gc >/dev/null
		projects_are_free
		[ -z "$(ls -A "$CORDON_ROOT/state/sandboxes")" ]
	done
}

# bats test_tags=root
@test "project kept: an image stays an image and a project a project; without its limits it does not start" {
	local id
	project_disk ext4
	create box ': >/file'
	gives 0 "0" start box
	id=$(project_of "$(layer)")
	# auto keeps an image.
	gives 0 "*" cordon create -q --name other --storage-opt size=8m -- sh -c ': >/file'
	gives 0 "0" start other
	[ "$(find "$CORDON_ROOT/state/sandboxes" -name layer -type f | wc -l)" -eq 1 ]
	# The same by the option.
	gives 0 "*" cordon create -q --name third --storage-opt store=project --storage-opt size=8m -- sh -c ': >/file'
	gives 0 "0" start third
	[ "$(find "$CORDON_ROOT/state/sandboxes" -name layer.project | wc -l)" -eq 2 ]
	gives 0 "third" cordon rm third
	project_limit "$id" 0 0
	gives 125 "*the sandbox's layer has lost the limits of its project quota*" cordon start box
	project_limit "$id" 16777216 204
	gives 0 "0" start box
	"$ATTACK/project" join "$(layer)" 7
	gives 125 "*the sandbox's layer has lost its project quota*" cordon start box
	"$ATTACK/project" join "$(layer)" "$id"
	gives 0 "0" start box
	sed -i 's/rootfs.writable.store=project/rootfs.writable.store=image/' "$(dirname "$(layer)")/record"
	gives 125 "*has written to its root before*directory with a project quota*" cordon start box
	# One that has lost its project for good, as a copy of the state has, is removed all the same.
	"$ATTACK/project" join "$(layer)" 0
	gives 0 "box" cordon rm box
	[ -z "$(find "$CORDON_ROOT/state/sandboxes" -name layer.project)" ]
	gives 0 "*" cordon gc
}

# bats test_tags=root
@test "project kept: the workload cannot leave its project; planted setuid files serve nobody" {
	local id layer
	project_disk ext4
	gives 0 "*" cordon create -q --name box "${kept[@]}" --storage-opt size=8m --ro "$ATTACK" -- sh -c 'mkdir /d; for what in "join /d 7" "join /d 0" "disinherit /d"; do
		"$0" $what; echo $?; done; : >/done; sleep 600' "$ATTACK/project"
	gives 0 "box" cordon start box
	eventually cordon exec box test -e /done
	gives 0 $'EINVAL\n42\nEINVAL\n42\nEINVAL\n42' cordon logs box
	layer=$(layer)
	id=$(project_of "$layer")
	[ "$(project_of "$layer/upper/d")" = "$id" ]
	gives 1 "*quota exceeded*" cordon exec box sh -c 'head -c 9m /dev/zero >/d/big'
	# The control: who may do the same is not held by it any more.
	"$ATTACK/project" join "$layer/upper/d" 7
	gives 0 "" cordon exec box sh -c 'rm /d/big; head -c 9m /dev/zero >/d/big; rm /d/big'
	"$ATTACK/project" join "$layer/upper/d" "$id"
	project_is_inert "$layer/upper" "$layer/upper"
	# Inside neither is more than a file.
	gives 0 "0" cordon exec box /caps effective
	chmod 0711 "$CORDON_ROOT" "$CORDON_ROOT"/state "$CORDON_ROOT"/state/sandboxes "$CORDON_ROOT"/state/sandboxes/*
	# The control: the way is all that kept the stranger from it.
	gives 0 "2147352576" as_stranger "$layer/upper/id" -u
}
