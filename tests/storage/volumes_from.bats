#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# --volumes-from: what of another sandbox is shown, what counts more, and whose the volumes are then.

bats_require_minimum_version 1.5.0 # run -CODE
load ../lib/cordon
load ../lib/images

setup() {
	images_setup
}

teardown() {
	local id
	for id in $(cordon ps -aq 2>/dev/null); do
		cordon rm -f -v "$id" >/dev/null
	done
	cordon_teardown
}

host() { # SCRIPT FLAG...
	cordon run -q "${@:2}" -- sh -c "$1"
}

anonymous() { # SANDBOX
	cordon inspect -f '{{json .volumes}}' "$1" | jq -re '[.[].name | select(length == 64)] | join(" ")'
}

only() { # VOLUME
	[ "$(cordon volume ls -q)" = "$1" ]
}

# A directory of the host's that a workload may write to.
make_data() {
	mkdir -p data/sub
	echo host >data/file
	[ "$EUID" -ne 0 ] || chown -R 47032:47032 data
	chmod 0755 .
}

@test "volumes-from: the same mounts in the same places, from one that never ran and along a chain" {
	make_data
	cp /bin/true prog
	cordon create --name first -v /own -v named:/named:ro -v "$PWD/data:/d" --tmpfs /memory -- ./prog >/dev/null
	gives 0 "host" host 'echo of second >/own/file; cat /d/file; echo new >/d/new' --name second --volumes-from first
	[ "$(cat data/new)" = new ]
	# The second has it from the first. A tmpfs is no volume, and a program that the first was to run neither.
	gives 0 "of second" host "cat /own/file; [ ! -e /memory ] && [ ! -e $PWD/prog ]" --volumes-from second
	gives 0 "" host "[ -e $PWD/prog ]" --ro prog
	[ "$(anonymous second)" = "$(anonymous first)" ]
	# Read-only stays so, and :ro is for all.
	gives 2 "*Read-only file system" host 'echo x >/named/x' --volumes-from first:rw
	gives 2 "*/own/x: Read-only file system" host 'echo x >/own/x' --volumes-from first:ro
	gives 2 "*/d/x: Read-only file system" host 'echo x >/d/x' --volumes-from first:ro
	gives 0 "" host 'echo x >/own/x; echo x >/d/x' --volumes-from first:rw
	# What is said for this sandbox counts more, wherever it stands; of two others the last.
	cordon create --name other -v other:/own -- true >/dev/null
	gives 0 "" host 'ls /own' -v fresh:/own --volumes-from first
	gives 0 "" host 'ls /own' --volumes-from first --mount source=fresh,target=/own
	gives 0 "" host 'ls /own; [ -e /d/file ]' --volumes-from first --volumes-from other
	gives 0 "file*x" host 'ls /own; [ -e /d/file ]' --volumes-from other --volumes-from first
	gives 0 "*volume      /own *writable, volume $(anonymous first)*" cordon explain --volumes-from first -- true
}

@test "volumes-from: what is protected, and not to be executed, stays so" {
	make_data
	local volumes="[{source: $PWD/data, target: /d, read_only: false, read_only_below: [sub], hide_below: [file], options: [noexec]}]"
	cordon create --name first --set "volumes=$volumes" -- true >/dev/null
	gives 0 "" host 'cp /bin/true /d/true' --volumes-from first
	gives 126 "*Permission denied*" cordon run -q --volumes-from first -- /d/true
	gives 2 "*Read-only file system" host 'echo x >/d/sub/x' --volumes-from first
	gives 1 "*/d/file: Permission denied" host 'cat /d/file' --volumes-from first
	# Without them all of that can be done.
	gives 0 "host" host 'cat /d/file; echo x >/d/sub/x; /d/true' -v "$PWD/data:/d"
	gives 125 "*'/d' is mounted already, with protected paths*" host true --volumes-from first -v "$PWD/data:/d"
}

@test "volumes-from: an anonymous one is everybody's who has it, and goes with the last" {
	local name
	cordon create --name first -v /own -- true >/dev/null
	name=$(anonymous first)
	cordon create --name second --volumes-from first -- sh -c 'echo again >>/own/file; cat /own/file' >/dev/null
	gives 0 "" host 'true' --rm --volumes-from first
	gives 0 "first" cordon rm -v first
	[ "$(cordon volume ls -q)" = "$name" ]
	# The first is gone, and the second needs it not.
	gives 0 "again" cordon start -a second
	gives 0 "again*again" cordon start -a second
	gives 125 "*volume $name: is in use, by sandbox $(cordon ps -aq)*" cordon volume rm "$name"
	# One that removes itself takes it along where nobody else has it.
	gives 0 "again*again" host 'cat /own/file' --rm --volumes-from second
	[ "$(cordon volume ls -q)" = "$name" ]
	gives 0 "second" cordon rm -v second
	[ -z "$(cordon volume ls -q)" ]
	cordon create --name first -v /own -v kept:/kept -- true >/dev/null
	cordon run -d --rm --name second --volumes-from first -- sleep 60 >/dev/null
	gives 0 "first" cordon rm first
	[ "$(cordon volume ls -q | wc -l)" -eq 2 ]
	gives 0 "second" cordon rm -f second
	eventually only kept
}

@test "volumes-from: a volume that is gone is not made anew, empty" {
	local name
	cordon create --rm --name first -v /own -- true >/dev/null
	name=$(anonymous first)
	gives 125 "cordon: *volume $name, of another sandbox: No such file*cordon volume create $name*" \
		host true --volumes-from first
	gives 125 "*volume $name, of another sandbox*" cordon create --name second --volumes-from first -- true
	[ "$(cordon ps -aq | wc -l)" -eq 1 ]
	gives 0 "$name" cordon volume create "$name"
	gives 0 "" host true --volumes-from first
}

@test "volumes-from: what it cannot be is refused by name" {
	gives 125 "cordon: --volumes-from none: no sandbox is called none*cordon ps -a*" host true --volumes-from none
	cordon create --name first -v /own -- true >/dev/null
	gives 125 "cordon: --volumes-from first:z: it has no mode 'z'*ro, and rw*" host true --volumes-from first:z
	gives 125 "*--volumes-from none:*" cordon create --volumes-from none -- true
	gives 125 "*--volumes-from none:*" cordon explain --volumes-from none -- true
	mkdir there
	(cd there && cordon create --name lost -v /own -- true >/dev/null)
	rmdir there
	gives 125 "cordon: --volumes-from lost: $PWD/there, where*Make that directory again*" host true --volumes-from lost
}

@test "volumes-from: of two sandboxes of an image its volume is the first one's, with what the image has there" {
	config='{"Volumes":{"/own":{}}}' made_of x "dir:own:mode=1777 file:own/of:data=image"
	cordon create --name data x true >/dev/null
	# What was only created gets it when somebody begins with it.
	gives 0 "image" cordon run -q --volumes-from data x sh -c 'cat /own/of; echo; echo more >/own/more'
	gives 0 "image more" cordon run -q --name second --volumes-from data x sh -c 'cd /own; echo $(cat of; echo; cat more)'
	[ "$(cordon volume ls -q | wc -l)" -eq 1 ]
	[ "$(anonymous second)" = "$(anonymous data)" ]
	# A profile's counts less as well.
	printf 'cordon: 1\nextends: default\nvolumes: [{type: volume, source: other, target: /own}]\n' >other.yaml
	gives 0 "more of" cordon run -q --profile ./other.yaml --volumes-from data x sh -c 'echo $(ls /own)'
	gives 0 "of" cordon run -q --profile ./other.yaml x ls /own
}
