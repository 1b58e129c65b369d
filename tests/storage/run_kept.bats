#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Images that are in use, and sandboxes that are kept and started from one.

bats_require_minimum_version 1.5.0 # run -CODE
load ../lib/cordon
load ../lib/images
load ../lib/kept

setup() {
	images_setup
}

teardown() {
	[ -z "${maker:-}" ] || kill -KILL "$maker" 2>/dev/null || true # it may have ended
	kept_end
}

exit_code_is() { # NAME CODE
	[ "$(cordon inspect "$1" | jq -r '.[0].result.exit_code')" = "$2" ]
}

n_images() {
	find "$(store)/images" -mindepth 1 | wc -l
}

@test "a layer that is run from stays, whatever becomes of its name" {
	local pid
	made_of x "file:last:data=here"
	mkfifo go
	cordon run -q x sh -c 'echo up; read -r _; cat /last; ls /bin/busybox' <go >out 2>&1 3>&- &
	pid=$!
	exec {fd}>go
	eventually grep -q up out
	gives 0 "*layers are in use*x:latest" image rm x
	[ "$(n_layers)" -eq 2 ]
	gives 0 "*2 layers are in use*0 images and 0 layers removed" image prune
	echo go >&"$fd"
	exec {fd}>&-
	wait "$pid"
	[ "$(cat out)" = $'up\nhere/bin/busybox' ]
	# The control: when nobody runs from it, it goes.
	gives 0 "0 images and 2 layers removed" image prune
	[ "$(n_layers)" -eq 0 ]
}

@test "a kept sandbox keeps its image, stopped as well: rm and prune leave it" {
	config='{"User":"33","WorkingDir":"/etc"}' made_of x "file:last:data=1"
	gives 0 "*" cordon create -q --name a x sh -c 'echo $(cat /last) $(id -u) $(pwd)'
	[ "$(cat "$CORDON_ROOT"/state/sandboxes/*/image)" = "$(image inspect --json x | jq -r .id)" ]
	gives 125 "cordon: image x:latest: sandbox * is started from it*cordon rm *-f*" image rm x
	gives 0 "0 images and 0 layers removed" image prune
	[ "$(n_layers)" -eq 2 ]
	# Another name of it may go, and so may this one then.
	made_of other
	gives 0 "*" image load -q x.layout second
	gives 0 "second:latest" image rm second
	gives 125 "cordon: image x:latest: sandbox *" image rm x
	gives 0 "a" cordon start a
	gives 0 "0" cordon wait a
	gives 0 "1 33 /etc" cordon logs a
	# The control: without the sandbox nothing keeps it.
	gives 0 "a" cordon rm a
	gives 0 "x:latest" image rm x
	[ "$(n_images)" -eq 1 ]
}

is_stopped() {
	grep -q '^State:.*T' "/proc/$1/status"
}

@test "a sandbox that is being made keeps its image, before there is a record" {
	made_of x "file:last:data=here"
	CORDON_FAULT=create.written:stop "$repo/build/fault/cordon" --root "$CORDON_ROOT" create -q --name a x cat /last >made 2>&1 3>&- &
	maker=$!
	eventually is_stopped "$maker"
	gives 0 "*another command is adding images*x:latest" image rm x
	[ "$(n_layers)" -eq 2 ]
	kill -CONT "$maker"
	wait "$maker"
	# And then by the record, though no name leads to it.
	gives 0 "0 images and 0 layers removed" image prune
	gives 0 "a" cordon start a
	gives 0 "0" cordon wait a
	gives 0 "here" cordon logs a
	gives 0 "a" cordon rm a
	gives 0 "1 images and 2 layers removed" image prune
}

@test "a kept sandbox is of the image that it was made from, whatever has its name later" {
	made_of x "file:last:data=1"
	gives 0 "*" cordon create -q --name a x cat /last
	mv x.layout old.layout
	made_of x "file:last:data=2"
	gives 0 "2" cordon run -q x cat /last
	gives 0 "0 images and 0 layers removed" image prune
	gives 0 "a" cordon start a
	gives 0 "0" cordon wait a
	gives 0 "1" cordon logs a
	gives 0 "image:x" sh -c '"$0" --root "$1" inspect a | jq -r ".[0].rootfs"' "$CORDON" "$CORDON_ROOT"
	# The control: one that is made now is of the other.
	gives 0 "*" cordon create -q --name b x cat /last
	gives 0 "b" cordon start b
	gives 0 "0" cordon wait b
	gives 0 "2" cordon logs b
}

@test "rm -f takes a kept sandbox's image away; start says so, and starts it when the image is back" {
	made_of x "file:last:data=1"
	gives 0 "*" cordon create -q --name a x cat /last
	gives 0 "x:latest" image rm -f x
	[ "$(n_layers)" -eq 0 ]
	gives 125 "cordon: the image that it was made from is gone: x (sha256:*Load or import*" cordon start a
	# Another image of that name is not it.
	cp -r x.layout kept.layout
	made_of x "file:last:data=2"
	gives 125 "cordon: the image that it was made from is gone: x (sha256:????????????)*" cordon start a
	gives 0 "*" image load -q kept.layout x
	gives 0 "a" cordon start a
	gives 0 "0" cordon wait a
	gives 0 "1" cordon logs a
}

@test "in the background, restarted, entered: all of it from the image" {
	config='{"Env":["FROM=image"],"StopSignal":"USR1","Cmd":["sh","-c","trap \"exit 9\" USR1; echo up; while :; do sleep 0.05; done"]}' \
		made_of x "file:last:data=here"
	gives 0 "*" cordon run -q -d --name a x
	eventually sh -c '"$0" --root "$1" logs a | grep -q up' "$CORDON" "$CORDON_ROOT"
	gives 0 '* x  *"sh -c trap*' cordon ps
	for name in x x:latest image:x; do
		gives 0 a cordon ps --format '{{.Names}}' --filter "ancestor=$name"
	done
	gives 0 "" cordon ps -q --filter ancestor=y
	gives 0 "here image 0" cordon exec a sh -c 'echo $(cat /last) $FROM $(id -u)'
	# A user's sandbox has one id.
	[ "$(id -u)" -ne 0 ] || gives 0 "33:44" cordon exec -u web a sh -c 'echo $(id -u):$(id -g)'
	gives 125 "*no user 'nobody'*" cordon exec -u nobody a true
	# The keeper holds it, whoever started it.
	gives 0 "*2 layers are in use*x:latest" image rm -f x
	[ "$(n_layers)" -eq 2 ]
	gives 125 "*the image that it was made from is gone*" cordon exec a cat /last
	gives 0 "a" cordon stop a
	exit_code_is a 9
	gives 0 "*2 layers removed" image prune
}

@test "a sandbox that is removed at its end holds its image until then" {
	made_of x "file:last:data=here"
	gives 0 "*" cordon run -q -d --rm --name a x sleep 600
	gives 125 "*image x:latest: sandbox * is started from it*" image rm x
	gives 0 "*layers are in use*x:latest" image rm -f x
	[ "$(n_layers)" -eq 2 ]
	gives 0 "a" cordon rm -f a
	eventually sh -c '"$0" --root "$1" image prune | grep -q "2 layers removed"' "$CORDON" "$CORDON_ROOT"
}

# The directory is the sandbox's root's, and no other's.
@test "a directory to start in that the image has not is made, on a root that is written to and nowhere else" {
	mkdir shown
	config='{"WorkingDir":"/srv/app"}' made_of x file:a
	gives 0 "/srv/app 755" cordon run -q x sh -c 'echo $(pwd) $(stat -c %a .)'
	gives 0 "/b/c" cordon run -q -w /b/c x pwd
	gives 125 "*process.working_dir: /srv/app: No such file or directory*" cordon run -q --read-only x pwd
	gives 125 "*process.working_dir: /a*Not a directory*" cordon run -q -w /a x pwd
	gives 125 "*process.working_dir: /v/new: No such file or directory*" cordon run -q --set "+volumes=[{source: $PWD/shown, target: /v}]" -w /v/new x pwd
	[ ! -e shown/new ]
	# The host's own tree is none to make anything in.
	gives 125 "*process.working_dir: /b/c: No such file or directory*" cordon run -q -w /b/c -- pwd
}

room() { # NAME: KiB of its root
	cordon exec "$1" busybox df -k / | awk 'END { print $2 }'
}

@test "update: a root in memory gets more room while it runs, and at its next start; less it gets when it does not run" {
	made_of x
	kept_start box --set rootfs.writable.size=8MiB x sh -c 'echo kept >/f; exec sleep 100'
	eventually cordon exec box cat /f
	[ "$(room box)" = 8192 ]
	# The control: more than that does not fit.
	gives 1 "*No space left*rootfs.writable.size (8 MiB) was used up when the program failed*" cordon exec box busybox dd if=/dev/zero of=/big bs=1M count=20
	# The controls: one that does not fail, and one that fails with room left.
	gives 0 kept cordon exec box cat /f
	gives 0 "" cordon exec box rm /big
	gives 3 "" cordon exec box sh -c 'exit 3'
	gives 0 box cordon update --set rootfs.writable.size=32MiB box
	[ "$(room box)" = 32768 ]
	gives 0 "*" cordon exec box busybox dd if=/dev/zero of=/big bs=1M count=20
	gives 0 kept cordon exec box cat /f
	gives 125 "*its root may take 33554432 bytes, and gets no less while it runs*" cordon update --set rootfs.writable.size=16MiB box
	gives 125 "*--set rootfs.writable.inodes is no limit*" cordon update --set rootfs.writable.inodes=5 box
	[ "$(room box)" = 32768 ]
	gives 0 "*box" cordon restart -t 0 box
	[ "$(room box)" = 32768 ]
	gives 0 box cordon stop -t 0 box
	gives 0 box cordon update --set rootfs.writable.size=16MiB box
	gives 0 "*box" cordon start box
	[ "$(room box)" = 16384 ]
	kept_start ro --read-only x sleep 100
	gives 125 "*" cordon update --set rootfs.writable.size=16MiB ro
}

# bats test_tags=root
@test "update: a root on the disk is not made larger while it runs" {
	need losetup
	made_of x
	kept_start box --storage-opt size=64m x sleep 100
	gives 1 "*No space left*rootfs.writable.size (64 MiB) was used up when the program failed*" cordon exec box busybox dd if=/dev/zero of=/big bs=1M count=99
	gives 125 "*sandbox box: its root does not grow while it runs*cordon stop*" cordon update --storage-opt size=128m box
	gives 0 box cordon stop -t 0 box
	gives 0 box cordon update --storage-opt size=128m box
}
