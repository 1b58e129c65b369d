#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# cordon ps: which sandboxes are listed, in which form, and that it waits for nobody.

load ../lib/cordon
load ../lib/attack
load ../lib/listed

# Three sandboxes: one that runs, one that has ended with 3, one that was never started.
three() {
	cordon run -d --name web --set labels.tier=front --set labels.a=1 -- sleep 60 >/dev/null
	cordon run -d --name job --set labels.tier=back --set restart=on-failure:2 -- true >/dev/null
	cordon create --name new --set restart=always -- sleep 60 >/dev/null
	eventually is_state exited job
}

names() { # FLAG...
	cordon ps --format '{{.Names}}' "$@"
}

@test "ps: a root that is not there is another one than was meant, and is not made" {
	says 125 "cordon: --root $CORDON_ROOT: No such file or directory*hint:*cordon --root DIR create*" cordon ps
	[ ! -e "$CORDON_ROOT" ]
	echo >"$CORDON_ROOT"
	says 125 "cordon: --root $CORDON_ROOT: Not a directory*" cordon ps -aq
	rm "$CORDON_ROOT"
}

@test "ps: nothing was ever made: headings alone, and nothing is made" {
	mkdir -m 0700 "$CORDON_ROOT"
	gives 0 "ID   IMAGE   COMMAND   CREATED   STATUS   PORTS   NAMES" cordon ps -a
	gives 0 "" cordon ps -aq
	gives 0 '{"schema":"cordon.ps/1","sandboxes":[]}' cordon ps --json
	[ -z "$(ls -A "$CORDON_ROOT")" ]
}

@test "ps: what runs; with -a all, the newest first" {
	three
	gives 0 web names
	gives 0 $'new\njob\nweb' names -a
	says 0 "ID *IMAGE *COMMAND *CREATED *STATUS *PORTS *NAMES
???????????? * host * \"sleep 60\" * ago * Up * web" cordon ps
	gives 0 "$(cordon inspect --format '{{.id}}' web | cut -c 1-12)" cordon ps -q
	gives 0 "$(cordon inspect --format '{{.id}}' web)" cordon ps -q --no-trunc
}

@test "ps: STATUS says what it does, and why it ended" {
	cordon run -d --name timed --timeout 300ms -- sleep 60 >/dev/null
	cordon run -d --name three -- sh -c 'exit 3' >/dev/null
	cordon run -d --name killed -- sleep 60 >/dev/null
	cordon run -d --name again --set restart=always -- sh -c 'sleep 0.1; exit 1' >/dev/null
	cordon create --name new -- true >/dev/null
	kill -9 "$(cordon inspect --format '{{.supervisor_pid}}' killed)"
	ended timed && ended three && ended killed
	status() { cordon ps -a --format '{{.Status}}' --filter "name=^$1\$"; }
	says 0 "Exited (137) * ago: limits.wall_time" status timed
	says 0 "Exited (3) * ago" status three
	gives 0 "Exited (137): its keeper was killed" status killed
	gives 0 Created status new
	is_restarting() { [[ "$(status again)" == "Restarting (1) "*" ago" ]]; }
	eventually is_restarting
	is_up() { [[ "$(status again)" == "Up "* ]]; }
	eventually is_up
	eventually has_restarted
	cordon stop again
	says 0 "Exited (*) * ago" status again
	# What gc settles keeps its reason, and has a time.
	cordon gc >/dev/null
	says 0 "Exited (137) * ago: its keeper was killed" status killed
}

has_restarted() {
	[ "$(cordon inspect --format '{{.restarts}}' again)" -ge 2 ]
}

@test "ps: one that is paused says so" {
	local id
	cordon run -d --name web -- sleep 60 >/dev/null
	id=$(cordon inspect --format '{{.id}}' web)
	: >"$CORDON_ROOT/run/sandboxes/$id/paused"
	says 0 "Up * (Paused)" cordon ps --format '{{.Status}}'
	gives 0 web names --filter status=paused
	rm "$CORDON_ROOT/run/sandboxes/$id/paused"
	says 0 "Up *[a-z]" cordon ps --format '{{.Status}}'
}

@test "ps: --last, --latest, and flags in all their forms" {
	three
	gives 0 $'new\njob' names -n 2
	gives 0 $'new\njob' names -n2
	gives 0 $'new\njob' names --last=2
	gives 0 new names -l
	gives 0 job names -n 1 --filter label=tier=back
	[ "$(cordon ps -aq | wc -l)" -eq 3 ]
	[ "$(cordon ps --all --quiet)" = "$(cordon ps -qa)" ]
	says 125 "cordon: --last 0: not a number*" cordon ps -n 0
	says 125 "*--last wants a value*" cordon ps --last
	says 125 "*--all takes no value*" cordon ps --all=1
	says 125 "cordon: unknown flag --fromat of ps*Did you mean --format?*" cordon ps --fromat x
	says 125 "cordon: unknown flag -x of ps*cordon help ps*" cordon ps -x
	says 125 "*--size is not enforced by this build*" cordon ps -s
	says 125 "*ps takes no arguments, but was given web*" cordon ps web
	says 125 "*three forms: choose one*" cordon ps -q --json
	says 0 "Usage: cordon ps*-f, --filter FILTER*" cordon ps --help
}

@test "ps: each filter takes what it says, and no other" {
	local id
	three
	id=$(cordon inspect --format '{{.id}}' job)
	gives 0 job names -a --filter "id=${id:0:10}"
	gives 0 web names -a --filter name=we
	gives 0 "" names -a --filter 'name=^e'
	gives 0 web names -a --filter 'name=^/web$'
	gives 0 $'job\nweb' names -a --filter label=tier
	gives 0 web names -a -f label=tier=front
	gives 0 "" names -a --filter label=tie
	gives 0 "" names -a --filter label=tier --filter label=none
	gives 0 job names --filter status=exited
	gives 0 $'new\njob' names --filter status=exited --filter status=created
	gives 0 job names --filter exited=0
	gives 0 "" names --filter exited=1
	gives 0 web names -a --filter before=job
	gives 0 new names -a --filter since=job
	gives 0 $'new\njob\nweb' names -a --filter ancestor=host
	gives 0 "" names -a --filter ancestor=empty
	gives 0 job names -a --filter restart=on-failure
	gives 0 new names -a --filter restart=always
	gives 0 "" names -a --filter name=web --filter status=exited
	says 125 "*--filter stats: unknown key*Did you mean status?*" cordon ps --filter stats=x
	says 125 "*--filter status=dead: no such state*Known are created*" cordon ps --filter status=dead
	says 125 "*--filter exited=x: not an exit code*" cordon ps --filter exited=x
	says 125 "*no sandbox is called nobody*" cordon ps --filter before=nobody
	says 125 "*--filter name=a\*: not a part of a name*" cordon ps --filter 'name=a*'
	says 125 "*--filter web: not KEY=VALUE*" cordon ps --filter web
	says 125 "*--filter restart=never: no such policy*" cordon ps --filter restart=never
}

@test "ps: --format" {
	three
	gives 0 $'new\t"sleep 60"|always\njob\t"true"|\nweb\t"sleep 60"|' \
		sh -c "'$CORDON' --root '$CORDON_ROOT' ps -a --format '{{ .Names }}\\t{{.Command}}|{{.Label \"x\"}}' | sed '1s/\$/always/'"
	gives 0 "a=1,tier=front front host running" cordon ps --format '{{.Labels}} {{.Label "tier"}} {{.Image}} {{.State}}'
	gives 0 $'NAMES   tier    STATE\nweb     front   running' cordon ps --format 'table {{.Names}}\t{{.Label "tier"}}\t{{.State}}'
	says 0 "20??-??-?? ??:??:?? +0000 UTC *ago" cordon ps --format '{{.CreatedAt}} {{.RunningFor}}'
	gives 0 '"web"' cordon ps --format '{{json .Names}}'
	gives 0 $'a\nb' cordon ps --format 'a\nb'
	[ "$(cordon ps --format '{{json .}}' | jq -r '.Names + .State + .Image')" = webrunninghost ]
	[ "$(cordon ps --format json | jq -r .ID)" = "$(cordon ps -q)" ]
	# Which second it is may change in between.
	eventually eval '[ "$(cordon ps --format table)" = "$(cordon ps)" ]'
	[ "$(cordon ps -a --json | jq -c '[.sandboxes[] | [.name, .state, .exit_code, .restart, .command[0]]]')" = \
		'[["new","created",null,"always","sleep"],["job","exited",0,"on-failure:2","true"],["web","running",null,"no","sleep"]]' ]
	for word in '{{.Nmes}}' '{{json .Nmes}}' '{{range .}}' '{{.Names | upper}}' '{{index .Labels "a"}}' '{{}}' '{{.}}'; do
		says 125 "cordon: --format: $word is not known*Known are {{.ID}}, {{.Names}}*" cordon ps --format "$word"
	done
	says 125 "*{{ is not closed*" cordon ps --format '{{.Names'
}

@test "ps: on a terminal the table keeps to its columns" {
	need script
	cordon create --name a-very-long-name-of-a-sandbox-that-nobody-would-type -- \
		sh -c 'echo a command that is longer than the line of a terminal, and goes on' >/dev/null
	script -qec "stty cols 80; '$CORDON' --root '$CORDON_ROOT' ps -a" /dev/null | tr -d '\r' >out
	[ "$(wc -l <out)" -eq 2 ]
	longest=$(python3 -c 'print(max(len(line.rstrip("\n")) for line in open("out", encoding="utf-8")))')
	[ "$longest" -le 80 ]
	[ "$longest" -gt 70 ]
	# Into a pipe nothing is cut but ids and commands.
	says 0 "*a-very-long-name-of-a-sandbox-that-nobody-would-type" cordon ps -a
	says 0 "*, and goes on\"*" cordon ps -a --no-trunc
}

@test "ps: no value drives the terminal, or looks like another row" {
	local bad=$'\e]0;x\a \e[2J\r\n\tb\xc2\x9b1m\xe2\x80\xae\xff'
	cordon create --name x --set labels.l=z -- sh -c "$bad" >/dev/null
	# A policy has no such label; a record that somebody wrote may.
	sed -i 's/^label l=z/label l=%1b[1m%0a%09z/' "$(record_dir x)/record"
	local form forms=(-a --no-trunc '--format={{.Command}}{{.Labels}}{{.Label "l"}}' '--format={{json .}}' --json
		'--format=table {{.Command}}\t{{.Labels}}')
	for form in "${forms[@]}"; do
		cordon ps -a "$form" >out
		[ "$(wc -l <out)" -le 2 ]
		run -1 env LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' out
		run -1 env LC_ALL=C grep -q $'\xc2[\x80-\x9f]\|\xe2\x80\xae\|\xff' out
	done
	# And nothing is lost of it in JSON, but what is no UTF-8.
	[ "$(cordon ps -a --json | jq -r '.sandboxes[0].command[2]' | od -c)" = "$(printf '%s\n' "${bad%?}"$'\xef\xbf\xbd' | od -c)" ]
	[ "$(cordon ps -a --json | jq -r '.sandboxes[0].labels.l')" = $'\e[1m\n\tz' ]
}

@test "ps: a damaged record is a line, never the end of the list; the exit code is 125" {
	local id dir
	three
	dir=$(record_dir job)
	id=$(basename "$dir")
	cp "$dir/record" kept
	sed -i '/^end$/d' "$dir/record"
	run -125 --separate-stderr cordon ps -a
	[ "${#lines[@]}" -eq 4 ]
	[[ "$output" == *" web"* && "$output" == *" new"* && "$output" == *"${id:0:12} "*"damaged: cordon rm -f $id"* ]]
	[[ "$stderr" == "cordon: $dir/record: is damaged"*"cordon rm -f"* ]]
	# What runs is listed without it: it does not run.
	gives 0 web names
	run -125 --separate-stderr cordon ps -aq
	[[ "$output" == *"${id:0:12}"* ]]
	run -125 --separate-stderr cordon ps -a --json
	[ "$(jq -c '[.sandboxes[] | select(.state == "damaged") | [.id, .name, .command]]' <<<"$output")" = "[[\"$id\",null,[]]]" ]
	# A filter that it cannot answer does not take it; its id and its state do.
	run -125 --separate-stderr names --filter label=tier -a
	[ "$output" = web ]
	run -125 --separate-stderr cordon ps -q --filter status=damaged
	[ "$output" = "${id:0:12}" ]
	# A record of another cordon.
	sed 's/^cordon-record 1$/cordon-record 2/' kept >"$dir/record"
	run -125 --separate-stderr cordon ps -aq
	[[ "$stderr" == *"has format 2, and this cordon knows format 1"*"newer cordon"* ]]
	# A state that cannot be read.
	cp kept "$dir/record"
	cp "$dir/state" state
	: >"$dir/state"
	run -125 --separate-stderr cordon ps -aq
	[[ "$stderr" == *"$dir/state"* ]]
	cp state "$dir/state"
	gives 0 $'new\njob\nweb' names -a
}

@test "ps: one that is damaged and runs is listed with those that run" {
	local dir
	cordon run -d --name web -- sleep 60 >/dev/null
	dir=$(record_dir web)
	cp "$dir/record" kept
	: >"$dir/record"
	run -125 --separate-stderr cordon ps -q
	[ "$output" = "$(basename "$dir" | cut -c 1-12)" ]
	cp kept "$dir/record"
}

@test "ps and inspect wait for nobody: stopped keeper, stopped sandbox, locks held" {
	start_stuck web
	cordon create --name new -- true >/dev/null
	waits_for_nobody ps -a
	[[ "$output" == *" Up "*web* && "$output" == *Created*new* ]]
	waits_for_nobody inspect web new
	[ "$(jq -c '[.[].state]' <<<"$output")" = '["running","created"]' ]
}

@test "ps: about as many system calls for a thousand sandboxes as for one, each" {
	need strace
	local id i name
	cordon create --name first -- sleep 1 >/dev/null
	id=$(basename "$(record_dir first)")
	count() { strace -f -o calls "$CORDON" --root "$CORDON_ROOT" ps -a >/dev/null && wc -l <calls; }
	one=$(count)
	for ((i = 1; i <= 200; i++)); do
		name=$(printf '%016x' "$i")
		mkdir "$CORDON_ROOT/state/sandboxes/$name"
		sed "s/^id .*/id $name/; /^name /d; s/^id_block .*/id_block 0/" "$CORDON_ROOT/state/sandboxes/$id/record" \
			>"$CORDON_ROOT/state/sandboxes/$name/record"
	done
	many=$(count)
	[ "$(cordon ps -aq | wc -l)" -eq 201 ]
	[ $(((many - one) / 200)) -le 20 ]
	rm -rf "$CORDON_ROOT"/state/sandboxes/0000*
}
