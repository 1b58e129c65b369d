#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# `cordon cp` and `cordon export`: Docker's rules of what is copied to where, and to whom it belongs. What a sandbox
# does against it: cp_hostile.bats.

bats_require_minimum_version 1.5.0 # run -CODE
load ../lib/cordon
load ../lib/attack
load ../lib/images
load ../lib/kept

setup() { images_setup; }
teardown() { kept_end; }

# A sandbox box of image x, with a tree /d in it.
box() { # FLAG...
	made_of x
	kept_start box "$@" x sh -c 'mkdir -p /d/sub && echo one >/d/f && echo two >/d/sub/g && ln -s f /d/l && ln -s sub /d/s &&
		chmod 4751 /d/f && : >/d/ready && exec sleep 100'
	eventually cordon exec box cat /d/ready
}

copied() { # SOURCE DEST
	gives 0 "cordon: copied $1 to $2" cordon cp "$1" "$2"
}

inside() { # COMMAND...
	cordon exec box "$@"
}

@test "cp out: into a directory, under a name, the content, links as links or followed; the caller's, without setuid" {
	box
	mkdir there
	copied box:/d there
	diff <(cd there && find . | LC_ALL=C sort) <(printf '%s\n' . ./d ./d/f ./d/l ./d/ready ./d/s ./d/sub ./d/sub/g)
	[ "$(stat -c '%u %a' there/d/f)" = "$(id -u) 751" ]
	# Relative paths begin at its root, as Docker has it.
	copied box:d/f g
	[ "$(cat g)" = one ]
	copied box:/d/sub/g g
	[ "$(cat g)" = two ]
	copied box:/d/. content
	[ "$(cat content/sub/g)" = two ]
	copied box:/d/sub/. content
	[ "$(cat content/g) $(cat content/f)" = "two one" ]
	copied box:/d/l .
	[ "$(readlink l)" = f ]
	rm l
	gives 0 "" cordon cp -q -L box:/d/l .
	[ ! -L l ]
	[ "$(cat l)" = one ]
	# A slash behind it is what the link leads to.
	copied box:/d/s/ sub2
	[ "$(cat sub2/g)" = two ]
	cordon cp box:/d/sub - 2>/dev/null | tar tf - >listed
	diff listed <(printf '%s\n' sub/ sub/g)
}

@test "cp in: the sandbox's root's, what is there is replaced, a directory that is there keeps its mode" {
	box
	mkdir -p tree/deep
	echo new >tree/deep/file
	chmod 700 tree
	copied tree box:/d/tree
	copied tree box:/d/sub
	gives 0 $'new\nnew' inside cat /d/tree/deep/file /d/sub/tree/deep/file
	gives 0 "0 700" inside stat -c '%u %a' /d/tree
	copied tree/. box:/d/sub
	gives 0 "new" inside cat /d/sub/deep/file
	gives 0 "755" inside stat -c '%a' /d/sub
	# By the links of the sandbox's own, and over one.
	copied tree/deep/file box:/d/s/g
	copied tree/deep/file box:/d/l
	gives 0 $'new\nnew\nf' inside sh -c 'cat /d/sub/g /d/f; readlink /d/l'
	tar cf - -C tree deep | cordon cp -q - box:/d/tree/..
	gives 0 "new" inside cat /d/deep/file
	# What was held open by others stays what it was: it is another file.
	[ "$(inside stat -c %h /d/f)" = 1 ]
}

@test "cp: a path may be as long as a path can be" {
	local long
	long=$(printf '%0250d/' {1..14})
	box
	mkdir -p "tree/$long"
	echo deep >"tree/${long}file"
	copied tree/. box:/d/sub
	gives 0 "" cordon cp -q "tree/${long}file" "box:/d/sub/${long}two"
	gives 0 "" cordon cp -q "box:/d/sub/${long}two" .
	[ "$(cat two)" = deep ]
}

@test "cp: what cannot be, with the reason, and nothing is written" {
	box
	mkdir dir
	echo 1 >file
	gives 125 "*box:/d to file: a directory cannot take the place of a file" cordon cp box:/d file
	gives 125 "*box:/d/f to new/: there is no such directory" cordon cp box:/d/f new/
	gives 125 "*box: /nowhere: No such file or directory" cordon cp box:/nowhere .
	gives 125 "*box: /no/where: No such file or directory" cordon cp file box:/no/where
	gives 125 "*box:/d/f/ to .: is no directory" cordon cp box:/d/f/ .
	gives 125 "*file to box:/d/f/: is no directory" cordon cp file box:/d/f/
	make_tar x.tar file:sub
	gives 125 "*entry sub: there is a directory in its place" cordon cp - box:/d <x.tar
	make_tar x.tar file:f/g
	gives 125 "*entry f/g: lies below an entry that is no directory" cordon cp - box:/d <x.tar
	gives 125 "*/proc/1/status*made up by the kernel, and not copied" cordon cp box:/proc/1/status .
	gives 125 "*/dev/null*is no file, no directory and no link" cordon cp box:/dev/null .
	gives 125 "*unpacked in a directory that is there" cordon cp - box:/d/f <file
	gives 125 "*neither of the two is in a sandbox*" cordon cp file dir
	gives 125 "*between two sandboxes*" cordon cp box:/d box:/e
	gives 125 "*no sandbox*other*" cordon cp other:/d .
	# The place is one of this host's: it begins with a point.
	gives 125 "*neither of the two*" cordon cp ./box:/d dir
	[ -z "$(ls dir)" ] && [ "$(cat file)" = 1 ]
	[ ! -e status ] && [ ! -e null ] && [ ! -e new ]
}

@test "cp in: what is written counts to the size of the sandbox's root" {
	box --set rootfs.writable.size=4MiB
	head -c 1000000 /dev/zero >small
	head -c 8000000 /dev/zero >large
	copied small box:/d
	run -125 cordon cp large box:/d
	[[ "$output" == *"No space left on device"* ]]
	gives 0 1000000 inside stat -c %s /d/small
}

@test "cp: volumes are as the sandbox sees them" {
	mkdir shown
	echo mine >shown/file
	box --set "+volumes=[{source: $PWD/shown, target: /v}]"
	copied box:/v/file out
	[ "$(cat out)" = mine ]
	gives 125 "*Read-only file system" cordon cp out box:/v/new
	[ ! -e shown/new ]
	gives 0 "cordon: box:/.: left out: *device nodes*cordon: copied box:/. to all" cordon cp box:/. all
	[ "$(cat all/v/file)" = mine ]
	[ -z "$(ls all/proc)" ]
	# export: what is mounted is empty.
	cordon export -o all.tar box
	gives 125 "*all.tar: File exists" cordon export -o all.tar box
	tar tf all.tar >listed
	grep -qx d/sub/g listed
	grep -qx v/ listed
	[ "$(grep -c '^proc/' listed) $(grep -c '^v/' listed)" = "1 1" ]
	cordon export box | cmp - all.tar
	tar tvf all.tar d/f | grep -q '^-rwsr-x--x 0/0'
}

# bats test_tags=root
@test "cp as root: ids are those inside; -a keeps them, and files of a volume are no more open than inside" {
	mkdir shown
	echo mine >shown/file
	echo hidden >shown/secret
	chown 1234 shown/secret
	chmod 600 shown/secret
	box --set "+volumes=[{source: $PWD/shown, target: /v}]"
	echo 5 >of5
	chown 5:6 of5
	chmod 6755 of5
	gives 0 "" cordon cp -q -a of5 box:/d/of5
	gives 0 "5:6 755" inside stat -c '%u:%g %a' /d/of5
	copied box:/d/of5 plain
	gives 0 "" cordon cp -q -a box:/d/of5 kept
	[ "$(stat -c '%u:%g %a' plain) $(stat -c '%u:%g %a' kept)" = "0:0 755 5:6 755" ]
	gives 0 "" cordon cp -q -a kept box:/d/back
	gives 0 "" cordon cp -q kept box:/d/roots
	gives 0 $'5:6\n0:0' inside stat -c %u:%g /d/back /d/roots
	gives 1 "*Permission denied" inside cat /v/secret
	gives 125 "*/v/secret: Permission denied" cordon cp box:/v/secret out
	# The control.
	copied box:/v/file out
	# One that is paused is read and not written to.
	gives 0 box cordon pause box
	copied box:/d/f paused
	gives 125 "*box is paused*cordon unpause box*" cordon cp paused box:/d
	gives 0 box cordon unpause box
	copied paused box:/d
}
