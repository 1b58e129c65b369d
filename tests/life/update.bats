#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# `cordon update`, `stats` and `top`: a sandbox that runs is looked at and given other limits, from outside.

load ../lib/cordon
load ../lib/attack
load ../lib/groups

setup() {
	cordon_setup
	cd "$BATS_TEST_TMPDIR" || return
	own_groups
	kept=(-d --cgroup-parent "$group")
}

teardown() {
	local id
	for id in "$CORDON_ROOT"/state/sandboxes/*; do
		[ ! -d "$id" ] || cordon stop "${id##*/}" || return 1
	done
	rm -rf "$CORDON_ROOT/run/sandboxes"
	own_groups_end && cordon_teardown
}

memory() {
	group_file memory memory.limit_in_bytes memory.max
}

memory_is() { # BYTES
	[ "$(memory)" = "$1" ]
}

pids() {
	group_file pids pids.max pids.max
}

shows() { # NAME TEXT
	[[ $(cordon top "$1") == *"$2"* ]]
}

flags_of() { # NAME
	awk '/^flag_text/ { print $2 }' "$(grep -lx "name $1" "$CORDON_ROOT"/state/sandboxes/*/record)" | tr '\n' ' '
}

starts() { # NAME COUNT
	[ "$(grep -c "\"action\":\"start\".*\"name\":\"$1\"" "$CORDON_ROOT/state/events")" -ge "$2" ]
}

ends() { # NAME COUNT
	[ "$(grep -c "\"action\":\"die\".*\"name\":\"$1\"" "$CORDON_ROOT/state/events")" -ge "$2" ]
}

# bats test_tags=vm,root
@test "update: limits of a sandbox that runs, down and up, in its groups and in its record" {
	cordon run "${kept[@]}" --name web --memory 64m --pids-limit 20 -- sleep 60
	[ "$(memory)" = 67108864 ]
	[ "$(pids)" = 21 ]
	[ "$(cordon update --memory 32m --pids-limit 10 web)" = web ]
	[ "$(memory)" = 33554432 ]
	[ "$(pids)" = 11 ]
	[ "$(flags_of web)" = "32m 10 " ]
	cordon update --memory 128m --pids-limit 40 web
	[ "$(memory)" = 134217728 ]
	[ "$(pids)" = 41 ]
	cordon update --set limits.pids=5 web
	[ "$(pids)" = 6 ]
	cordon update --pids-limit -1 --memory 0 web
	[ "$(pids)" = max ]
	[[ $(memory) = max || $(memory) -gt 4611686018427387904 ]]
	grep -q '"action":"update"' "$CORDON_ROOT/state/events"
}

# bats test_tags=vm,root
@test "update: the limit that was set later is the one that holds" {
	cordon run "${kept[@]}" --name web --pids-limit 50 -- sleep 60
	run -0 cordon exec web sh -c 'for i in 1 2 3 4 5 6; do sleep 1 & done; wait; echo six'
	[ "$output" = six ]
	cordon update --pids-limit 5 web
	run cordon exec web sh -c 'for i in 1 2 3 4 5 6; do sleep 1 & done; wait; echo six'
	[[ $output != six ]]
	cordon update --pids-limit 50 web
	run -0 cordon exec web sh -c 'for i in 1 2 3 4 5 6; do sleep 1 & done; wait; echo six'
	[ "$output" = six ]
}

# bats test_tags=vm,root
@test "update: memory that is in use and cannot be freed is a reason to refuse, and nothing is changed or killed" {
	cordon run "${kept[@]}" --name web --memory 256m --pids-limit 20 --tmpfs /big:size=200m -- \
		sh -c 'head -c 100m /dev/zero >/big/file && echo >/big/done && sleep 60'
	eventually cordon exec web test -e /big/done
	says 125 "*limits.memory: the sandbox uses more than 33554432 bytes, and they cannot be freed*" \
		cordon update --memory 32m --pids-limit 10 web
	[ "$(memory)" = 268435456 ]
	[ "$(pids)" = 21 ]
	[ "$(flags_of web)" = "256m 20 /big:size=200m " ]
	gives 0 "" cordon exec web test -e /big/done
	[ "$(cordon update --memory 200m web)" = web ]
	[ "$(memory)" = 209715200 ]
}

@test "update: a sandbox that is stopped takes any limit, and its next start has it" {
	cordon create --cgroup-parent "$group" --name web --memory 64m -- sh -c 'ulimit -n; sleep 60'
	cordon update --memory 96m --set limits.ulimits.nofile=77 --restart on-failure:2 web
	[ "$(flags_of web)" = "96m limits.ulimits.nofile=77 on-failure:2 " ]
	grep -qx 'restart on-failure:2' "$CORDON_ROOT"/state/sandboxes/*/record
	cordon start web
	[ "$(memory)" = 100663296 ]
	run -0 cordon exec web sh -c 'ulimit -n'
	[ "$output" = 77 ]
	says 125 "*limits.ulimits.nofile cannot be changed while sandbox web runs*cordon stop web*" \
		cordon update --set limits.ulimits.nofile=99 web
	says 125 "*limits.wall_time cannot be changed while sandbox web runs*" cordon update --set limits.wall_time=1h web
	[ "$(flags_of web)" = "96m limits.ulimits.nofile=77 on-failure:2 " ]
}

@test "update: a restart by policy goes by the record as it is then" {
	cordon run "${kept[@]}" --name web --memory 64m --restart always -- sh -c 'sleep 2; exit 3'
	cordon update --memory 96m web
	eventually starts web 2
	eventually memory_is 100663296
	cordon update --restart no web
	ends web 1
	eventually ends web 2
	[ "$(cordon start web)" = web ]
}

@test "update: what is no limit is refused, and so is what a sandbox cannot have" {
	cordon create --cgroup-parent "$group" --name web --memory 64m -- sleep 60
	says 125 "*--set volumes is no limit*make another one*" cordon update --set volumes=x web
	says 125 "*--hostname is not a flag of update*" cordon update --hostname x web
	says 125 "*nothing to change*" cordon update web
	says 125 "*update wants a sandbox*" cordon update --memory 64m
	says 125 "*limits.memory cannot be 'lots'*" cordon update --memory lots web
	says 125 "*less than --memory*" cordon update --memory-swap 32m web
	says 125 "*no sandbox is called nobody*" cordon update --memory 64m nobody
	[ "$(flags_of web)" = "64m " ]
}

@test "update: of several sandboxes each is tried, and the exit code tells" {
	cordon create --cgroup-parent "$group" --name one -- sleep 60
	cordon create --cgroup-parent "$group" --name two -- sleep 60
	run -125 --separate-stderr cordon update --memory 80m one nobody two
	[ "$output" = $'one\ntwo' ]
	[ "$(flags_of one)$(flags_of two)" = "80m 80m " ]
}

@test "stats: what is used and of how much, in text and as JSON" {
	cordon run "${kept[@]}" --name busy --memory 64m --pids-limit 20 -- sh -c 'while :; do :; done'
	cordon create --name idle -- sleep 60
	run -0 cordon stats
	[[ ${lines[0]} =~ ^NAME\ +CPU\ %\ +MEM\ USAGE\ /\ LIMIT ]]
	[[ ${lines[1]} =~ ^busy\ +[0-9.]+%\ +[0-9.]+[KM]iB\ /\ 64.0MiB\ .*\ 1\ /\ 20\  ]]
	[ "${#lines[@]}" -eq 2 ]
	run -0 cordon stats -a
	[[ $output == *$'\n'idle\ * ]]
	run -0 cordon stats --no-stream --json busy
	[ "$(jq -c '.sandboxes[0] | [.name, .state, .memory_limit_bytes, .pids, .pids_limit]' <<<"$output")" = \
		'["busy","running",67108864,1,20]' ]
	jq -e '.sandboxes[0] | .cpu_us > 0 and .cpu_percent_hundredths > 0 and .memory_bytes > 0' <<<"$output"
	run -0 cordon stats --format '{{.Name}}:{{.PIDs}}'
	[ "$output" = "busy:1 / 20" ]
	# No link but its loopback's.
	gives 0 "0B / 0B" cordon stats --format '{{.NetIO}}' busy
	run -0 cordon stats --no-stream --json busy
	[ "$(jq -c '.sandboxes[0] | [.net_received_bytes, .net_sent_bytes]' <<<"$output")" = '[0,0]' ]
	gives 0 "-" cordon stats --format '{{.NetIO}}' idle
	says 125 "*there is no field .Nam*" cordon stats --format '{{.Nam}}'
	says 125 "*no sandbox is called nobody*" cordon stats nobody
}

@test "stats and ps: on a terminal of 80 columns no line is longer, and columns stand below each other" {
	need script
	cordon run "${kept[@]}" --name a-name-that-is-quite-long --memory 64m -- sh -c "sleep 61; : a long line"
	cordon run "${kept[@]}" --name web -- sleep 62
	script -qec "stty cols 80; timeout 3 '$CORDON' --root '$CORDON_ROOT' stats; stty cols 140; timeout 3 '$CORDON' --root '$CORDON_ROOT' stats" \
		/dev/null </dev/null 3>&- | tr -d '\r' | sed -E 's/\x1b\[[HJ]//g' >seen
	grep -q '^a-name-tha… .* 64.0MiB ' seen
	# The control: where there is room nothing is cut.
	grep -q '^a-name-that-is-quite-long .* 64.0MiB ' seen
	awk '/NET I\/O/ { exit } { if (length($0) > 80 + 2 * /…/) { print; bad = 1 } } END { exit bad }' seen
	run -0 cordon ps
	[[ "$output" == *…* ]]
	# Each line's STATUS begins where the header's does.
	at=$(awk 'NR == 1 { print index($0, "STATUS") }' <<<"$output")
	[ "$(tail -n +2 <<<"$output" | sed 's/…/./g' | cut -c "$at-$((at + 1))" | sort -u)" = Up ]
}

@test "stats: a sandbox without limits is counted where a group can be had" {
	cordon run "${kept[@]}" --name web -- sleep 60
	run -0 cordon stats --no-stream --json web
	[ "$(jq -c '.sandboxes[0] | [.has_group, .pids, .pids_limit]' <<<"$output")" = '[true,1,null]' ]
}

@test "top: the processes of a sandbox, those of exec too, and no other" {
	cordon run "${kept[@]}" --name web -- sh -c 'sleep 61 & sleep 62'
	cordon run "${kept[@]}" --name other -- sleep 63
	cordon exec web sleep 64 3>&- &
	eventually shows web 'sleep 64'
	eventually shows web 'sleep 61'
	run -0 cordon top web
	[[ ${lines[0]} =~ ^USER\ +PID\ +INSIDE\ +PPID\ +TIME\ +COMMAND$ ]]
	[ "$(tail -n +2 <<<"$output" | sed 's/.*:[0-9][0-9] *//' | sort | tr '\n' '|')" = "sh -c sleep 61 & sleep 62|sleep 61|sleep 62|sleep 64|" ]
	run -0 cordon top -o pid,inside,comm web
	[[ ${lines[1]} =~ ^[0-9]+\ +2\ +sh$ ]]
	[ "$(cat "/proc/${lines[1]%% *}/comm")" = sh ]
	says 125 "*there is no column 'foo'*" cordon top -o foo web
	cordon stop web
	says 125 "*sandbox web is exited*cordon start web*" cordon top web
}

@test "top: a command line that drives the terminal is harmless" {
	cordon run "${kept[@]}" --name web -- sh -c 'sleep 60; :' $'\e[2J\nfake 1 2 3'
	run -0 cordon top web
	[[ $output == *"?[2J?fake"* ]]
	[[ $output != *$'\e'* ]]
}

@test "top: without a control group as well" {
	cordon run -d --name web -- sh -c 'sleep 61 & sleep 62'
	# As if there had never been one.
	sed -i '/^group/d' "$CORDON_ROOT"/run/sandboxes/*/live
	eventually shows web 'sleep 61'
	run -0 cordon top -o command web
	[ "$(tail -n +2 <<<"$output" | sort | tr '\n' '|')" = "sh -c sleep 61 & sleep 62|sleep 61|sleep 62|" ]
	run -0 --separate-stderr cordon stats web
	[[ ${lines[1]} =~ ^web\ +-\ +-\  ]]
	[[ $stderr == *"sandbox web has no control group to read from"* ]]
	says 125 "*limits.memory: *control group*" \
		cordon update --memory 64m web
	[ "$(flags_of web)" = "" ]
}
