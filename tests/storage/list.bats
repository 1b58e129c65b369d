#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The flags of `cordon image ls` and `prune`, as Docker has them.

bats_require_minimum_version 1.5.0 # run -CODE
load ../lib/cordon
load ../lib/images
load ../lib/kept

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

# Makes x of another file, so that the one before has no name any more.
nameless() { # LABEL
	config="{\"Labels\": {\"of\": \"$1\"}}" made_of x "file:$1"
}

@test "image prune: by label and time only what is meant; -a names as well, but of what a sandbox is of or runs from" {
	local pid
	nameless a && nameless b && nameless c
	[ "$(image ls -aq | wc -l)" = 3 ]
	gives 125 "*--filter size=1: is none of prune*label=NAME*" image prune --filter size=1
	gives 125 "*until=soon: is no time*" image prune --filter until=soon
	gives 125 "*until= is said twice*" image prune --filter until=1h --filter until=0s
	gives 0 "0 images and 0 layers removed" image prune --filter until=1h
	gives 0 "0 images and 0 layers removed" image prune --filter label=none
	gives 0 "1 images and 1 layers removed" image prune --filter label=of=a
	gives 0 "0 images and 0 layers removed" image prune --filter label!=of
	gives 0 "1 images and 1 layers removed" image prune --filter until=0s --filter label!=of=c
	[ "$(image ls -aq | wc -l)" = 1 ]

	for name in kept used "free"; do
		rm -f "$name.base.tar"
		made_of "$name" "file:$name"
	done
	kept_start box kept sleep 100
	mkfifo go
	cordon run -q used sh -c 'echo up; read -r _' <go >out 2>&1 3>&- &
	pid=$!
	exec {fd}>go
	eventually grep -q up out
	gives 125 "*image prune asks before it removes, and stdin is no terminal*image prune -f*" image prune -a </dev/null
	gives 0 "free:latest*x:latest*2 images and * layers removed" image prune -af
	gives 0 "$(printf 'kept:latest\nused:latest')" jq -r '.images[].name' <(image ls --json)
	gives 0 ok cordon exec box echo ok
	exec {fd}>&-
	wait "$pid" || true # read finds the end
	gives 0 "used:latest*1 images and * removed" image prune -af --filter label!=x
	gives 0 box cordon rm -f box
	gives 0 "kept:latest*1 images and * removed" image prune -af
	[ "$(n_layers)" = 0 ]
	kept_end
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
