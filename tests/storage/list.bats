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

@test "image ls --format: fields, with headings, JSON; what is unknown is refused, and so are two forms at once" {
	local id
	gives 0 "" image ls --format '{{.Name}}'
	gives 0 "NAME   ID   SIZE   IMPORTED" image ls --format table
	made_of x
	image load -q x.layout reg.example:5000/team/app
	id=$(image ls -q --no-trunc --filter reference=x)
	gives 0 $'reg.example:5000/team/app latest\nx latest' image ls --format '{{.Repository}} {{.Tag}}'
	gives 0 "x:latest ${id:0:12} sha256:$id 1 amd64 oci" image ls --filter reference=x --format '{{.Name}} {{.ID}} {{.Digest}} {{.Layers}} {{.Architecture}} {{.Source}}'
	gives 0 "$id [0-9]*.[0-9] ?iB * ago [0-9]*-*-* *:*" image ls --no-trunc --filter reference=x --format '{{.ID}} {{.Size}} {{.CreatedSince}} {{.CreatedAt}}'
	gives 0 $'REPOSITORY                  ID\nreg.example:5000/team/app   '"${id:0:12}"$'\nx                           '"${id:0:12}" \
		image ls --format 'table {{.Repository}}\t{{.ID}}'
	image ls --format json | jq -se --arg id "${id:0:12}" '[.[].Name] == ["reg.example:5000/team/app:latest", "x:latest"] and .[1].ID == $id and .[1].Layers == "1"'
	gives 0 '"x:latest"' image ls --filter reference=x --format '{{json .Name}}'
	# One that has lost its name.
	made_of y file:1
	id=$(image ls -q --no-trunc --filter reference=y)
	made_of y file:2
	gives 0 "<none>:<none>:${id:0:12}" image ls --filter dangling=true --format '{{.Repository}}:{{.Tag}}:{{.ID}}'
	gives 125 "*--format: *Containers*{{.ID}}*" image ls --format '{{.Containers}}'
	gives 125 "*--format: *" image ls --format '{{.Label "x"}}'
	gives 125 "*three forms: choose one*" image ls -q --format '{{.ID}}'
	gives 125 "*three forms: choose one*" image ls --json --format '{{.ID}}'
	gives 125 "*--filter label=a: is none of ls*" image ls --format '{{.ID}}' --filter label=a
	gives 125 "*image ls wants no words*" image ls --format '{{.ID}}' x
}

@test "image prune -a and rm: an image that a sandbox waits to be started from, which removes itself, stays" {
	made_of x
	made_of y file:y
	gives 0 "*" cordon create --rm --name box x echo started
	gives 0 "y:latest*1 images and * layers removed" image prune -af
	gives 125 "*image x:latest: sandbox * is started from it*" image rm x
	gives 0 "started" cordon start -a box
	# The control: it is gone, and needs its image no more.
	gives 0 "x:latest*1 images and * layers removed" image prune -af
	kept_end
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
	gives 125 "*image prune -a asks before it removes, and stdin is no terminal*cordon image prune -a -f does not ask*" image prune -a </dev/null
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
