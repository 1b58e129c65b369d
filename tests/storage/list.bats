#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The flags of `cordon image ls` and `prune`, as Docker has them.

bats_require_minimum_version 1.5.0 # run -CODE
load ../lib/cordon
load ../lib/images

setup() { images_setup; }

@test "image ls: ids alone, whole ids, by a pattern, and those that have no name any more" {
	local old new
	gives 0 "" image ls -q
	made file:a
	old=$(image ls -q --no-trunc)
	[[ "$old" =~ ^[0-9a-f]{64}$ ]]
	gives 0 "${old:0:12}" image ls -q
	gives 0 "" image ls -q --filter dangling=true
	made file:b
	new=$(image ls -q --no-trunc)
	[ "$old" != "$new" ]
	gives 0 "$old" image ls -q --no-trunc -f dangling=true
	gives 0 "$new" image ls -q --no-trunc -f dangling=false
	gives 0 "$new"$'\n'"$old" image ls -q --no-trunc -a
	gives 0 "NAME*x:latest*${new:0:12}*<none>*${old:0:12}*" image ls -a
	image ls -a --json | jq -e '[.images[].name] == ["x:latest", "<none>"]'
	gives 0 "$new" image ls -q --no-trunc -f "reference=x"
	gives 0 "$new" image ls -q --no-trunc -f "reference=*:lat?st"
	gives 0 "" image ls -q -f "reference=y*"
	gives 125 "*--filter label=a: is none of ls*reference=PATTERN*" image ls -f label=a
	# Nobody is asked, with -f or without.
	gives 0 "1 images and 1 layers removed" image prune -f
	gives 0 "$new" image ls -q --no-trunc -a
}

@test "run: slips in the place of the image have a hint each: its name, a path, -- behind it" {
	made_of base
	gives 125 "*no image bsae*Did you mean base?*" cordon run bsae true
	gives 125 "*no image base:12*Did you mean base?*" cordon run base:12 true
	gives 125 "*no image other*cordon image pull other*" cordon run other
	gives 125 "*no image /bin/true*cordon run -- /bin/true*rootfs.from=dir:PATH*" cordon run /bin/true
	gives 125 "*no image ./x*cordon run -- ./x*" cordon run ./x
	gives 125 "*-- stands behind the image base, and is no program*Leave it out: IMAGE CMD.*" cordon run base -- id
	# The controls.
	gives 0 "" cordon run -q base true
	gives 0 "--" cordon run -q base echo --
}
