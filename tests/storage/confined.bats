#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a process of cordon-image that was taken over by an archive could do: tests/storage/confined.c tries it.

bats_require_minimum_version 1.5.0 # run -CODE
load ../lib/cordon
load ../lib/images

setup() {
	images_setup
	mkdir dir
	echo 1 >dir/file
	: >victim
}

tries() { # KIND WANTED
	run -0 "$repo/build/tests/confined" "$1" dir
	diff <(echo "$output") <(tr ',' '\n' <<<"$2")
}

@test "confined: without it each attempt gets through" {
	tries none 'read-host ok,write-host ok,make-inside ok,read-inside ok,socket ok,exec ok,fork ok,signal ok,map-code ok,chown-host ok'
}

@test "confined: decompressor and parser can open nothing" {
	tries pure 'read-host killed,write-host killed,make-inside killed,read-inside killed,socket killed,exec killed,fork killed,signal killed,map-code killed,chown-host killed'
	[ ! -e outside ]
}

@test "confined: the unpacker makes files below its directory, and neither reads there nor goes elsewhere" {
	tries unpack 'read-host EACCES,write-host EACCES,make-inside ok,read-inside EACCES,socket killed,exec killed,fork killed,signal killed,map-code killed,chown-host ok'
	[ ! -e outside ]
}

@test "confined: the packer reads below its directory, and nothing else" {
	tries pack 'read-host EACCES,write-host EACCES,make-inside killed,read-inside ok,socket killed,exec killed,fork killed,signal killed,map-code killed,chown-host killed'
	[ ! -e outside ]
}

# The capabilities that they are given are those of a sandbox's user namespace, whose root is the caller here.
# bats test_tags=root
@test "confined: those of cp have the same bounds" {
	tries inside-unpack 'read-host EACCES,write-host EACCES,make-inside ok,read-inside EACCES,socket killed,exec killed,fork killed,signal killed,map-code killed,chown-host ok'
	rmdir dir/made
	# With the host's capability to change owners, and its directory as the root of all paths.
	tries caller 'read-host ENOENT,write-host ok,make-inside ok,read-inside EACCES,socket killed,exec killed,fork killed,signal killed,map-code killed,chown-host ENOENT'
	[ -e dir/outside ]
	tries inside-pack 'read-host EACCES,write-host EACCES,make-inside killed,read-inside ok,socket killed,exec killed,fork killed,signal killed,map-code killed,chown-host killed'
	[ ! -e outside ]
}

# bats test_tags=root
@test "confined: as root the workers are nobody's, in ids and capabilities" {
	local status_of=() pid worker rc=0
	mkfifo pipe
	make_tar x.tar file:zeros:zeros=40000000
	{ head -c 30000000 x.tar; exec sleep 100; } >pipe 3>&- &
	local feeder=$!
	"$CORDON" --root "$CORDON_ROOT" image import pipe x 3>&- &
	pid=$!
	eventually is_unpacking zeros
	for worker in $(pgrep -P "$pid"); do
		status_of+=("$(awk '/^(Uid|CapEff|NoNewPrivs|Seccomp):/ { printf "%s%s ", $1, $2 }' "/proc/$worker/status")")
	done
	kill -TERM "$pid"
	kill "$feeder"
	wait "$pid" || rc=$?
	[ "$rc" = 143 ]
	printf '%s\n' "${status_of[@]}"
	# The decompressor; the unpacker, whose capabilities are of its own user namespace.
	diff <(printf '%s\n' "${status_of[@]% }" | sort) - <<-END
		Uid:$FOREIGN CapEff:000000000000001b NoNewPrivs:1 Seccomp:2
		Uid:$((FOREIGN + 65534)) CapEff:0000000000000000 NoNewPrivs:1 Seccomp:2
	END
}
