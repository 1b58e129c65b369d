#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# `cordon image import`: what of a tar or a directory ends on the disk, and what is refused.

bats_require_minimum_version 1.5.0 # run -CODE
load ../lib/cordon
load ../lib/images

setup() {
	images_setup
}

@test "import: files, directories, links of both kinds, a fifo, modes and times" {
	local t
	made dir:.:mode=711 dir:d:mode=750:mtime=5 file:d/f:data=hello:mode=640:mtime=7 link:l:to=/etc/passwd \
		hard:h:to=d/f fifo:p:mode=600 file:/abs/./x//y:data=1 dir:t:mode=1777
	t=$(tree x)
	[ "$(cat "$t/d/f")" = hello ]
	[ "$(stat -c '%a %Y' "$t/d/f")" = "640 7" ]
	[ "$(stat -c '%a %Y' "$t/d")" = "750 5" ]
	[ "$(stat -c %a "$t")" = 711 ]
	[ "$(stat -c %a "$t/t")" = 1777 ]
	[ "$(readlink "$t/l")" = /etc/passwd ]
	[ "$t/h" -ef "$t/d/f" ]
	[ "$(stat -c '%F %a' "$t/p")" = "fifo 600" ]
	[ "$(cat "$t/abs/x/y")" = 1 ]
	whole
}

@test "import: a directory without a right for its owner can be filled, and be removed with its image" {
	made dir:a:mode=0 dir:a/b:mode=500 file:a/b/c:data=1:mode=0
	[ "$(stat -c %a "$(tree x)/a")" = 0 ]
	image rm -q x
	[ -z "$(ls "$(store)/layers")" ]
	whole
}

@test "import: a sparse file stays one" {
	mkdir dir
	truncate -s 64M dir/hole
	echo end >>dir/hole
	gives 0 "x:latest *" image import dir x
	[ "$(stat -c %s "$(tree x)/hole")" = $((64 * 1024 * 1024 + 4)) ]
	[ "$(stat -c %b "$(tree x)/hole")" -lt 1000 ]
	cmp dir/hole "$(tree x)/hole"
}

@test "import: a directory is the image that its tar is, twice the same, whatever it is called" {
	mkdir -p dir/sub
	echo 1 >dir/sub/a
	ln dir/sub/a dir/z
	ln -s sub dir/l
	image import dir one
	cp -a dir other
	image import other two
	[ "$(image inspect --json one | jq -r .id)" = "$(image inspect --json two | jq -r .id)" ]
	[ "$(n_layers)" = 1 ]
	image save one one.tar
	image load one.tar three
	[ "$(image inspect --json one | jq -r .id)" = "$(image inspect --json three | jq -r .id)" ]
}

@test "import: every compression, and standard input" {
	local way
	need gzip bzip2 xz zstd
	make_tar x.tar file:f:data=1
	for way in gzip bzip2 xz zstd; do
		"$way" -k <x.tar >x.tar.z
		gives 0 "x:$way *" image import x.tar.z "x:$way"
	done
	gives 0 "x:in *" image import - x:in <x.tar.z
	[ "$(n_layers)" = 1 ]
}

@test "import: attributes of users are kept, those of kernels and of overlay are left out and listed" {
	made file:f:xattr.user.a=1:xattr.trusted.b=2:xattr.user.overlay.opaque=y:xattr.security.selinux=c dir:d:xattr.user.c=3 \
		dir:e:xattr.user.overlay.opaque=y
	[ "$(attribute "$(tree x)/f" user.a)" = 1 ]
	[ "$(attribute "$(tree x)/d" user.c)" = 3 ]
	[ "$(attribute "$(tree x)/f")" = user.a ]
	[ -z "$(attribute "$(tree x)/e")" ]
	[ "$(layer_file x skipped | sort)" = "attribute:security.selinux f
attribute:trusted.b f
attribute:user.overlay.opaque e
attribute:user.overlay.opaque f" ]
}

# As Linux has it in a file's attribute: of its owner, user 0, its group, the mask and others.
acl=0200000001000600ffffffff020004000000000004000400ffffffff10000400ffffffff20000400ffffffff

@test "import: of a directory ACLs, sockets and the like are left out and listed; names with = and % stay" {
	mkdir -p dir/d
	python3 -IS - "$acl" <<-'END'
		import os, socket, sys
		open("dir/f", "w").close()
		os.setxattr("dir/f", "system.posix_acl_access", bytes.fromhex(sys.argv[1]))
		os.setxattr("dir/d", "system.posix_acl_default", bytes.fromhex(sys.argv[1]))
		os.setxattr("dir/d", "user.overlay.redirect", b"x")
		for name in ("user.a=b", "user.%3D", "user.%", "user.kept"):
		    os.setxattr("dir/f", name, b"1")
		socket.socket(socket.AF_UNIX).bind("dir/s")
	END
	gives 0 "*x:latest: left out: 4 device nodes, *" image import dir x
	[ "$(layer_file x skipped | sort)" = $'acl d\nacl f\nattribute:user.overlay.redirect d\nsocket s' ]
	[ "$(attribute "$(tree x)/f")" = $'user.%\nuser.%3D\nuser.a=b\nuser.kept' ]
	[ -z "$(attribute "$(tree x)/d")" ]
	# An archive of GNU tar's says such names in the same way.
	made 'file:f:xattr.user.c%3Dd=1'
	[ "$(attribute "$(tree x)/f")" = user.c=d ]
}

@test "import: devices are left out and listed, also 0:0, which overlay would take for an absence" {
	made char:dev/null block:dev/sda:dev=8.0 char:dev/zero:dev=0.0 file:dev/x
	[ "$(ls "$(tree x)/dev")" = x ]
	[ "$(layer_file x skipped)" = "device dev/null
device dev/sda
device dev/zero" ]
	gives 0 "*left out: device dev/null*" image inspect x
}

# Each of them takes a few bytes of an archive, and would be a line with all of its name.
@test "import: what is left out is counted, and the list of it has an end" {
	local name
	name=$(printf '%0240d/' {1..16})x
	make_tar x.tar "file:$name$(printf ':xattr.trusted.%d=' {1..600})" char:null
	gives 0 "*x:latest: left out: 601 device nodes*" image import x.tar x
	[[ "$(layer_file x skipped | head -n 1)" = "attribute:trusted."*" $name" ]]
	[ "$(layer_file x skipped | tail -n 1)" = "and more" ]
	[ "$(layer_file x skipped | wc -c)" -le 1048576 ]
}

# bats test_tags=root
@test "import: as root ids are those of the image, in a range that no account has" {
	made file:a:uid=0:gid=0 file:b:uid=1000:gid=65535 file:c:uid=65536:gid=7 link:d:to=a:uid=5:gid=6
	[ "$(stat -c '%u %g' "$(tree x)/a")" = "$FOREIGN $FOREIGN" ]
	[ "$(stat -c '%u %g' "$(tree x)/b")" = "$((FOREIGN + 1000)) $((FOREIGN + 65535))" ]
	[ "$(stat -c '%u %g' "$(tree x)/c")" = "$((FOREIGN + 65534)) $((FOREIGN + 7))" ]
	[ "$(stat -c '%u %g' "$(tree x)/d")" = "$((FOREIGN + 5)) $((FOREIGN + 6))" ]
	# What does not fit is in the books.
	[ "$(layer_file x owners)" = "65536 7 644 - c" ]
	[ -z "$(find "$(tree x)" -uid -65536)" ]
}

# bats test_tags=user
@test "import: as a user all is his, and who it was of is in the books" {
	made file:a file:b:uid=1000:gid=100:mode=600 "file:with blank:uid=1" dir:.:uid=3
	[ -z "$(find "$(tree x)" ! -uid "$(id -u)")" ]
	[ "$(layer_file x owners)" = '1000 100 600 - b
1 0 644 - with\040blank
3 0 755 - .' ]
}

@test "import: setuid bits and capabilities are kept, and none of them is of use on the host" {
	made file:s:mode=4755 file:g:mode=2755 file:c:hexattr.security.capability=0100000200200000000000000000000000000000
	[ "$(stat -c %a "$(store)")" = 700 ]
	[ "$(stat -c %u "$(tree x)/s")" = "$(owner_of 0)" ]
	if [ "$(id -u)" -eq 0 ]; then
		[ "$(stat -c %a "$(tree x)/s")" = 4755 ]
	else
		[ "$(stat -c %a "$(tree x)/s")" = 755 ]
		[ "$(layer_file x owners | head -n 2)" = "0 0 4755 - s
0 0 2755 - g" ]
	fi
	[ "$(layer_file x owners | tail -n 1)" = "0 0 644 0100000200200000000000000000000000000000 c" ]
	[ -z "$(getcap -r "$(tree x)" 2>&1)" ]
}

@test "import: ids may not be negative or beyond 32 bits" {
	refused "entry f: has an owner that is no id" file:f:uid=4294967295
	refused "entry f: has an owner that is no id" file:f:gid=99999999999
}

@test "import: names that lead out are refused, by whatever way" {
	refused "entry ../f: leads out of the image" file:../f
	refused "entry a/../../f: leads out of the image" dir:a file:a/../../f
	refused "entry ../: leads out of the image" dir:..
	refused "entry l/f: leads through a link that an earlier entry made" link:l:to=/tmp file:l/f
	refused "entry l/f: leads through a link that an earlier entry made" link:l:to=.. file:l/f
	refused "entry l/d/f: leads through a link that an earlier entry made" link:l:to=/tmp dir:l/d file:l/d/f \
		|| refused "entry l/d/: leads through a link that an earlier entry made" link:l:to=/tmp dir:l/d
	refused "entry h: leads out of the image" hard:h:to=../../etc/passwd
	refused "entry h: leads through a link that an earlier entry made" link:l:to=/etc hard:h:to=l/passwd
	refused "entry h: is a hard link to what no earlier entry made" hard:h:to=/etc/passwd
	refused "entry l: there is an entry of that name already" link:l:to=/tmp/out file:l:data=1
	# The control: the same names where nothing leads out.
	made dir:l file:l/f dir:a file:a/..f
}

@test "import: a link is made as it is, and never followed" {
	mkdir out
	made "link:l:to=$PWD/out" hard:h:to=l dir:.
	[ "$(readlink "$(tree x)/h")" = "$PWD/out" ]
	image rm -q x
	refused "entry l/: there is an entry of that name already" "link:l:to=$PWD/out" dir:l:mode=777
	[ -z "$(ls out)" ]
	[ "$(stat -c %a out)" != 777 ]
}

@test "import: an entry said twice is refused, but for a directory" {
	refused "entry f: there is an entry of that name already" file:f:data=1 file:f:data=2
	refused "entry f: there is an entry of that name already" file:f:data=1 link:f:to=x
	refused "entry f: there is an entry of that name already" file:f:data=1 fifo:f
	refused "entry f/: there is an entry of that name already" file:f:data=1 dir:f
	refused "entry f/g: lies below an entry that is no directory" file:f:data=1 file:f/g
	made dir:d:mode=700 file:d/f dir:d:mode=711
	[ "$(stat -c %a "$(tree x)/d")" = 711 ]
}

@test "import: hard links to what is no file are refused" {
	refused "entry h: is a hard link to what is no file" dir:d hard:h:to=d
	refused "entry h: is a hard link to nothing" hard:h:to=.
	refused "entry h: is a hard link to what no earlier entry made" hard:h:to=h
}

@test "import: absences are devices 0:0 and opaque directories, in any order" {
	made file:.wh.gone dir:d file:d/.wh..wh..opq file:d/f dir:e file:.wh.e file:.wh.g dir:g file:.wh.h file:h:data=1 \
		file:.wh.i link:i:to=x file:n/.wh.m file:.wh..wh.plnk
	[ "$(stat -c '%F %t %T' "$(tree x)/gone")" = "character special file 0 0" ]
	[ "$(stat -c '%F %t %T' "$(tree x)/n/m")" = "character special file 0 0" ]
	for dir in d e g; do
		[ "$(attribute "$(tree x)/$dir" user.overlay.opaque)" = y ]
	done
	[ "$(cat "$(tree x)/h")" = 1 ]
	[ "$(readlink "$(tree x)/i")" = x ]
	[ "$(find "$(tree x)" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tr '\n' ' ')" = "d e g gone h i n " ]
	image rm -q x
	refused "entry .wh.: stands for the absence of nothing" file:.wh.
	refused "entry .wh...: stands for the absence of nothing" file:.wh...
	refused "entry d/.wh..: stands for the absence of nothing" file:d/.wh..
}

@test "import: bounds of count, size, depth and names, each with the way to move it" {
	make_tar x.tar many:f:n=20
	gives 125 "*entry f10: this layer has more entries than are allowed*--max-entries N*" image import --max-entries 10 x.tar x
	gives 0 "x:latest *" image import --max-entries 20 x.tar x
	make_tar x.tar file:big:zeros=2000000
	gives 125 "*x.tar: *allowed*--max-size SIZE*" image import --max-size 1MiB x.tar y
	gives 0 "y:latest *" image import --max-size 4MiB x.tar y
	image rm -q x y
	refused "entry d/*: its name is too long or too deep" deep:f:n=256
	refused "entry x*: its name is too long or too deep" "file:$(printf 'x%.0s' {1..256})"
	made many:f:n=300 deep:f:n=255 "file:$(printf 'x%.0s' {1..255})"
	whole
}

# The header of a file, its content, and the mark of a tar's end.
bomb() { # N
	local i
	make_tar - "file:zeros:zeros=$(($1 * 16 * 1024 * 1024))" 2>/dev/null | head -c 512 | gzip -1 >x.tgz
	for ((i = 0; i < $1; i++)); do
		cat zeros.gz
	done >>x.tgz
	head -c 10240 /dev/zero | gzip -1 >>x.tgz
}

by_pipe() { # FILE
	tail -c +1 "$1" | image import - x
}

@test "import: a bomb of compression is refused" {
	need gzip
	head -c 16M /dev/zero | gzip -1 >zeros.gz
	# Its file in the tar is 17 or 10 of these, one behind another, as gzip can have them.
	bomb 17
	gives 125 "*x.tgz: more than 200 times as large as it was compressed*" image import x.tgz x
	whole
	gives 125 "*: more than 200 times as large as it was compressed*" by_pipe x.tgz
	whole
	bomb 10
	gives 0 "x:latest *" image import x.tgz x
	gives 0 "x:latest *" by_pipe x.tgz
}

@test "import: what was cut short, is damaged, or is no tar is refused" {
	need gzip
	make_tar x.tar file:f:data=hello file:g:zeros=100000
	head -c 50000 x.tar >short.tar
	gives 125 "*short.tar: *" image import short.tar x
	# Cut between two entries: libarchive reads that to its end.
	head -c 1024 x.tar >short.tar
	gives 125 "*short.tar: it ends without the mark of a tar's end*" image import short.tar x
	gzip -c x.tar | head -c 150 >short.tgz
	gives 125 "*short.tgz: decompress: *" image import short.tgz x
	echo "this is no archive, and no compression either" >text
	gives 125 "*text: not a readable tar: *" image import text x
	: >empty
	gives 125 "*empty: *" image import empty x
	gives 125 "*x.tar.none: No such file*" image import x.tar.none x
	whole
	[ -z "$(ls "$(store)/layers")" ]
}

@test "import: a name that drives a terminal does not" {
	refused "entry ?[31mred/../x: leads out of the image" $'file:\e[31mred/../x'
}

@test "import: names of images" {
	local name
	make_tar x.tar file:f
	for name in a a/b host:5000/a.b/c_d-e:T.1-x a.b/c; do
		gives 0 "*" image import x.tar "$name"
	done
	for name in "" A a/ /a a:b:c a..b/ -a a: ../x a/../b "a b" "$(printf 'x%.0s' {1..260})"; do
		gives 125 "cordon: *" image import -- x.tar "$name"
	done
	[ "$(image ls --json | jq -r '.images[].name' | wc -l)" = 4 ]
}

@test "import: ^C leaves nothing" {
	mkfifo pipe
	make_tar - file:a:data=1 file:zeros:zeros=100000000 >x.tar
	{ head -c 30000000 x.tar; exec sleep 100; } >pipe 3>&- &
	local feeder=$! pid rc=0
	"$CORDON" --root "$CORDON_ROOT" image import pipe x 3>&- &
	pid=$!
	eventually is_unpacking zeros
	kill -TERM "$pid"
	kill "$feeder"
	wait "$pid" || rc=$?
	[ "$rc" = 143 ]
	whole
	[ -z "$(ls "$(store)/layers")" ]
}

@test "import: a directory that the store is in is refused, with a word that works" {
	mkdir -p from/a && echo 1 >from/a/f
	CORDON_ROOT=$PWD/from/root
	gives 125 "cordon: from: the store of images is in it: */from/root/state/images*tar -C from --exclude ./root/state/images -c .*" image import from x
	gives 125 "*the store of images is in it*" image import from/root/state x
	tar -C from --exclude ./root/state/images -c . | image import - x
	[ "$(cat "$(tree x)/a/f")" = 1 ]
	gives 0 "*" image import from/a y
	whole
}

@test "import: a directory that somebody swaps for a link meanwhile: nothing of what the link leads to" {
	local i found swapper
	local -A met=()
	mkdir -p from/d/deep outside && echo mine >from/d/deep/file && echo of-the-host >outside/secret
	mkdir from/d/{0..99} && ln -s "$PWD/outside" link
	grep -q of-the-host link/secret # the control: who follows it is there
	"$repo/build/tests/swap" from/d link 2>swapped 3>&- &
	swapper=$!
	for ((i = 0; i < 150; i++)); do
		kill -0 "$swapper"
		if image import -q from x >said 2>&1; then
			[ ! -L "$(tree x)/d" ] || met[link]=1
			[ ! -e "$(tree x)/d/deep/file" ] || met[directory]=1
			found=$(grep -rl of-the-host "$(tree x)") || [ $? -eq 1 ]
			[ -z "$found" ] || break
		fi
		[ ${#met[@]} -lt 2 ] || break
	done
	kill "$swapper"
	wait "$swapper" || true # killed
	[ -z "$found" ]
	# Both were met: the test would say nothing otherwise.
	[ ${#met[@]} -eq 2 ]
	whole
}
