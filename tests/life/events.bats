#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# `cordon events`: what is told of sandboxes, to whom, and what cannot stop them.

load ../lib/cordon
load ../lib/attack

setup() {
	cordon_setup
	cd "$BATS_TEST_TMPDIR" || return
	follower=
}

# What a failed test has left running ends with it.
teardown() {
	local id
	[ -z "$follower" ] || kill "$follower" 2>/dev/null || true
	for id in "$CORDON_ROOT"/state/sandboxes/*; do
		[ ! -d "$id" ] || cordon stop "${id##*/}" || return 1
	done
	rm -rf "$CORDON_ROOT/run/sandboxes"
	cordon_teardown
}

# What there is until now, a word each.
actions() { # [FLAG...]
	cordon events --since 0 --until 0s --format '{{.Action}}' "$@" | tr '\n' ' '
}

follows() {
	[[ $(readlink "/proc/$follower/fd/"*) == *"/state/events"* ]]
}

# A keeper's locks go one after the other: what one command still took for alive, the next removes.
cordon_has_no_run() {
	cordon gc >gc.out && [ -z "$(ls "$CORDON_ROOT/run/runs")" ]
}

has_died() {
	[ "$(actions --filter event=die | wc -w)" -ge "${1:-1}" ]
}

# bats test_tags=vm
@test "events: the life of a sandbox, an exec in it, and its labels" {
	local id
	id=$(cordon create --name web --label tier=front --label 'note=a b' -- sleep 300)
	cordon start web
	run -3 cordon exec web sh -c 'exit 3'
	cordon stop web
	cordon rm web
	[ "$(actions)" = "create start exec_start exec_die die stop destroy " ]
	cordon events --since 0 --until 0s --json >lines
	[ "$(jq -r 'select(.action == "die") | [.schema, .type, .id, .name, .attributes.exitCode, .attributes.reason,
		.attributes.tier, .attributes.note] | join("|")' lines)" = "cordon.event/1|container|$id|web|143|signalled|front|a b" ]
	[ "$(jq -r 'select(.action == "exec_die") | .attributes.exitCode' lines)" = 3 ]
	jq -e -s 'map(.time_ns) == (map(.time_ns) | sort)' lines
	cmp lines "$CORDON_ROOT/state/events"
	run -0 cordon events --since 0 --until 0s --filter event=create
	[[ $output =~ ^20[0-9-]+T[0-9:]+\.[0-9]{9}[+-][0-9:]{5}\ container\ create\ $id\ \(name=web,\ note=a\ b,\ tier=front\)$ ]]
}

@test "events: filters; of one key any, of different keys all" {
	cordon create --name a1 --label x=1 -- true
	cordon create --name b1 --label x=2 --label y -- true
	cordon rm a1
	[ "$(actions --filter name=a1)" = "create destroy " ]
	[ "$(actions -f container=b1 -f event=create)" = "create " ]
	[ "$(actions -f event=create -f event=destroy)" = "create create destroy " ]
	[ "$(actions --filter=event=destroy -f name=b1)" = "" ]
	[ "$(actions -f label=x=1)" = "create destroy " ]
	[ "$(actions -f label=x)" = "create create destroy " ]
	[ "$(actions -f label=x -f label=y)" = "create " ]
	[ "$(actions -f type=container)" = "create create destroy " ]
	[ "$(actions -f type=image)" = "" ]
	[ "$(actions -f "sandbox=$(cordon events --since 0 --until 0s -f name=b1 --format '{{.ID}}' | cut -c 1-8)")" = "create " ]
	says 125 "*--filter evnt=die: not a filter of events*" cordon events --filter evnt=die
	says 125 "*unknown flag --filtr of events*--filter*" cordon events --filtr a
	says 125 "*there is no field .Acton*" cordon events --format '{{.Acton}}'
	says 125 "*--since yesterday: not a time*" cordon events --since yesterday
}

@test "events: who follows is told at once, of what begins after it alone" {
	cordon create --name old -- true
	"$CORDON" --root "$CORDON_ROOT" events --format '{{.Action}} {{.Name}}' >out 3>&- &
	follower=$!
	eventually follows
	cordon create --name new -- true
	eventually grep -qx 'create new' out
	run -1 grep old out
	kill "$follower"
}

@test "events: a restart by policy tells of each end and start; --rm of its removal" {
	cordon run -d --name again --restart on-failure:1 -- sh -c 'exit 7'
	eventually has_died 2
	[ "$(actions -f name=again)" = "create start die start die " ]
	cordon run -d --rm --name once -- true
	eventually grep -q destroy "$CORDON_ROOT/state/events"
	[ "$(actions -f name=once)" = "create start die destroy " ]
}

@test "events: a keeper that was killed is told of by whoever finds it" {
	cordon run -d --name web -- sleep 300
	kill -9 "$(sed -n 's/^keeper \([0-9]*\) .*/\1/p' "$CORDON_ROOT"/run/sandboxes/*/live)"
	eventually cordon rm web
	eventually cordon_has_no_run
	[ "$(actions)" = "create start die destroy " ]
	[ "$(cordon events --since 0 --until 0s -f event=die --format '{{.Actor.Attributes.reason}} {{.Actor.Attributes.exitCode}}')" = "keeper_lost 137" ]
}

@test "events: what cannot be written stops nothing, and is said once" {
	cordon create --name a1 -- true
	rm "$CORDON_ROOT/state/events"
	mkdir "$CORDON_ROOT/state/events"
	run -0 --separate-stderr cordon create --name b1 -- true
	[[ $stderr == *"/state/events: an event is missing there: "* ]]
	[ "$(grep -c 'an event is missing' <<<"$stderr")" -eq 1 ]
	run -0 --separate-stderr cordon rm a1 b1
	[ "$output" = $'a1\nb1' ]
	[ "$(grep -c 'an event is missing' <<<"$stderr")" -eq 1 ]
	rmdir "$CORDON_ROOT/state/events"
	run -0 --separate-stderr cordon create --name c1 -- true
	[ -z "$stderr" ]
}

# bats test_tags=vm
@test "events: each command of a sandbox's life" {
	cordon run -d --name web -- sleep 300
	cordon kill -s CONT web
	cordon rename web two
	cordon restart -t 0 two
	cordon update --restart no two
	cordon kill two
	cordon start two
	cordon stop two
	[ "$(actions)" = "create start kill rename die start restart update die kill start die stop " ]
	[ "$(cordon events --since 0 --until 0s -f event=kill --format '{{.Actor.Attributes.signal}} {{.Name}}' | tr '\n' ' ')" = "18 web 9 two " ]
}

@test "events: labels that drive a terminal are harmless in it" {
	cordon create --name web -- true
	printf '{"schema":"cordon.event/1","time_ns":5,"type":"container","action":"die","id":"0","name":"a\\u001b[2Jb","attributes":{}}\n' \
		>>"$CORDON_ROOT/state/events"
	run -0 cordon events --since 0 --until 0s -f event=die
	[[ $output == *"name=a?[2Jb"* ]]
	run -0 cordon events --since 0 --until 0s -f event=die --format '{{.Name}}'
	[ "$output" = "a?[2Jb" ]
}

@test "events: lines that are none are left out, and counted" {
	cordon create --name web -- true
	printf 'rubbish\n{"schema":"cordon.event/1","time_ns":5' >>"$CORDON_ROOT/state/events"
	cordon rm web
	run -0 --separate-stderr cordon events --since 0 --until 0s --format '{{.Action}}'
	[ "$output" = $'create\ndestroy' ]
	[[ $stderr == *"2 lines of "*" are none, and were left out"* ]]
}
