#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# `cordon profile`'s commands, help for every command, --json, and lines that fit a terminal.
# Tests with the tag `user` where it makes no difference who asks: that half runs everywhere.

load ../lib/cordon
load ../lib/attack

# A field of a command's one JSON document, whatever the command's exit code.
field() { # CODE FILTER COMMAND...
	need jq
	run "-$1" --separate-stderr "${@:3}"
	# bats sets both.
	# shellcheck disable=SC2154
	[ -z "$stderr" ] && [ "${#lines[@]}" -eq 1 ] && jq -c "$2" <<<"$output"
}

@test "ls: names, where they are and what they are for; list is the same" {
	printf 'cordon: 1\nextends: default\ndescription: mine\n' >mine.yaml
	says 0 "*default *(shipped)*An untrusted program*" cordon profile ls
	gives 0 "$(cordon profile ls)" cordon profile list
	gives 0 '{"name":"agent","path":null,"ok":true}' \
		field 0 '.profiles[0] | {name, path, ok}' cordon profile ls --json
	gives 0 '"cordon.profile-list/1"' field 0 .schema cordon profile list --json
	# Where ${cwd} may not be shown, profiles that name it are listed all the same.
	(cd / && says 0 "*build *(shipped)*A build or test step*" cordon profile ls)
}

# bats test_tags=user
@test "ls: profiles of the caller's, and one that cannot be read" {
	mkdir -p config/cordon/profiles
	printf 'cordon: 1\nextends: default\ndescription: mine\n' >config/cordon/profiles/mine.yaml
	printf 'cordon: [' >config/cordon/profiles/broken.yaml
	export XDG_CONFIG_HOME=$PWD/config
	says 0 "*broken *broken.yaml cannot be read: cordon profile check says why*mine *mine.yaml mine*" cordon profile ls
	gives 0 '{"name":"broken","path":"'"$PWD"'/config/cordon/profiles/broken.yaml","description":null,"ok":false}' \
		field 0 '.profiles[] | select(.name == "broken")' cordon profile ls --json
}

# bats test_tags=user
@test "show: the text, also as JSON; a name that is none" {
	gives 0 "$(cat "$repo/profiles/base.yaml")" cordon profile show base
	gives 0 "$(jq -Rs . "$repo/profiles/base.yaml")" field 0 .text cordon profile show --json base
	gives 0 '[null,"error"]' field 125 '[.text, .problems[0].rule]' cordon profile show nobody --json
	says 125 "cordon: usage: cordon profile show NAME" cordon profile show
}

# bats test_tags=user
@test "check: several files at once, each with all its mistakes" {
	printf 'cordon: 1\nextends: default\n' >good.yaml
	printf 'cordon: 1\nextends: default\nlimits: {nprok: 1}\nx: 1\n' >bad.yaml
	says 125 "good.yaml: ok*./bad.yaml:3:10: error: *./bad.yaml:4:1: error: *cordon: profile ./none.yaml: No such file*" \
		cordon profile check good.yaml bad.yaml none.yaml
	gives 0 '[["good.yaml",true,0],["bad.yaml",false,2],["none.yaml",false,1]]' \
		field 125 '[.files[] | [.file, .ok, (.problems | length)]]' cordon profile check --json good.yaml bad.yaml none.yaml
	gives 0 '{"file":"./bad.yaml","line":3,"column":10,"rule":"unknown-key","hint":"did you mean '"'nproc'"'?"}' \
		field 125 '.files[0].problems[0] | {file, line, column, rule, hint}' cordon profile check bad.yaml --json
	gives 0 'true' field 125 '.files[0].problems[0] | (.text | startswith("unknown key")) and (.expected | startswith("Keys here"))' \
		cordon profile check --json bad.yaml
	gives 0 '["./none.yaml",null,null,"error"]' \
		field 125 '.files[0].problems[0] | [.file, .line, .column, .rule]' cordon profile check --json none.yaml
	gives 0 'true' field 0 '.files[0].ok' cordon profile check --json good.yaml
	says 125 "cordon: usage: cordon profile check FILE...*" cordon profile check
}

# bats test_tags=user
@test "diff: values and system calls with where they come from; 0, 1 and 125" {
	printf 'cordon: 1\nextends: default\nlimits: {nproc: 7}\nseccomp: {deny: [ptrace, personality]}\n' >a.yaml
	says 0 "*no difference*system calls*no difference" cordon profile diff default default
	says 1 "--- default
+++ ./a.yaml
values
  limits.nproc
    - 512 *profile base:*
    + 7 *./a.yaml:3*
system calls*
  personality
    - *errno(EPERM) where argument 0 *
    + errno(EPERM) *./a.yaml:4*" cordon profile diff default ./a.yaml
	# Already refused by the parent: no difference.
	[[ "$output" != *$'\n'"  ptrace"* ]]
	# Conditions are said as explain says them.
	printf 'cordon: 1\nextends: default\nseccomp: {deny: [{call: socket, args: {0: {range: [3, 7]}}}]}\n' >r.yaml
	says 1 "*  socket
*errno(EPERM) where argument 0 is 3 to 7; else *" cordon profile diff default ./r.yaml
	says 0 "*socket * errno(EPERM) where argument 0 is 3 to 7 *" cordon explain --profile ./r.yaml
	gives 0 '{"name":"limits.nproc","a":"512","b":"7","line":3}' \
		field 1 '.values[] | select(.name == "limits.nproc") | {name, a: .a.value, b: .b.value, line: .b.line}' \
		cordon profile diff --json default ./a.yaml
	gives 0 '["personality"]' field 1 '[.system_calls[].name]' cordon profile diff --json default ./a.yaml
	# What one of them has not got at all.
	printf 'cordon: 1\nextends: default\nlimits: {wall_time: 5s}\n' >b.yaml
	gives 1 "--- ./b.yaml
+++ default
values
  limits.wall_time
    - 5s                                    ./b.yaml:3
system calls
  no difference" cordon profile diff ./b.yaml default
	gives 0 '{"name":"limits.wall_time","a":{"value":"5s","file":"./b.yaml","line":3},"b":null}' \
		field 1 '.values[0]' cordon profile diff --json ./b.yaml default
	says 125 "cordon: profile 'nobody'*" cordon profile diff default nobody
	gives 0 '[0,1]' field 125 '[(.a.problems | length), (.b.problems | length)]' cordon profile diff default nobody --json
	says 125 "cordon: usage: cordon profile diff A B" cordon profile diff default
}

# bats test_tags=user
@test "new: passes check as it is and with every line taken in; nothing is written over" {
	gives 0 "./mine.yaml" cordon profile new mine
	gives 0 "mine.yaml: ok" cordon profile check mine.yaml
	sed -i 's/^#\([a-z+]\|  \)/\1/' mine.yaml
	grep -q '^+volumes:' mine.yaml
	gives 0 "mine.yaml: ok" cordon profile check mine.yaml
	cp mine.yaml kept.yaml
	says 125 "cordon: ./mine.yaml: exists, and is left alone" cordon profile new mine
	cmp mine.yaml kept.yaml
	ln -s nowhere link.yaml
	says 125 "cordon: ./link.yaml: exists, and is left alone" cordon profile new link
	[ ! -e nowhere ]
	for name in ../up a/b -x '' .hidden $'a\nb'; do
		says 125 "cordon: *" cordon profile new -- "$name"
	done
	says 125 "cordon: default is the name of a shipped profile*" cordon profile new default
	[ "$(find . -mindepth 1 | wc -l)" -eq 3 ]
}

# bats test_tags=user
@test "keys: all of them, and those that a pattern names" {
	[ "$(cordon profile keys | wc -l)" -gt 80 ]
	gives 0 "limits.nproc
limits.ulimits.nofile" sh -c "'$CORDON' profile keys 'limits.*n*o*' | awk '{ print \$1 }' | grep -E 'nproc|nofile'"
	says 0 "limits.nproc *number | unlimited *processes of the user inside*" cordon profile keys nproc
	says 125 "cordon: no key matches 'nothing'" cordon profile keys nothing
	gives 0 '{"key":"limits.nproc","type":"number","unlimited":true,"enforced":true}' \
		field 0 '.keys[] | {key, type, unlimited, enforced}' cordon profile keys --json limits.nproc
	gives 0 '[]' field 0 .keys cordon profile keys --json nothing
}

# bats test_tags=user
@test "help: of every command, by both ways, within 80 columns" {
	local command
	for command in run explain doctor profile gc help create start stop restart kill wait pause unpause rename rm prune \
		ps inspect exec "profile ls" "profile show" "profile check" "profile diff" \
		"profile new" "profile keys"; do
		# Words on purpose.
		# shellcheck disable=SC2086
		says 0 "Usage: cordon $command*" cordon help $command
		[ "$(awk 'length > 80' <<<"$output")" = "" ]
		# Words on purpose.
		# shellcheck disable=SC2086
		[ "$command" = help ] || gives 0 "$output" cordon $command --help
	done
	gives 0 "$(cordon --help)" cordon help
	says 125 "cordon: unknown command 'rum'*" cordon help rum
	says 125 "cordon: unknown command 'profile lss'*" cordon help profile lss
	says 125 "cordon: unknown flag --jsn of profile ls*" cordon profile ls --jsn
	says 125 "cordon: unknown flag --json of gc*" cordon gc --json
	says 125 "cordon: --json is not a flag of run*" cordon run --json -- true
}

@test "explain --json: what explain prints" {
	gives 0 '["cordon.explain/1",true,["true"]]' field 0 '[.schema, .ok, .program]' cordon explain --json -- true
	gives 0 '{"key":"limits.nproc","value":"3","file":"command line","line":null}' \
		field 0 '.values[] | select(.key == "limits.nproc")' cordon explain --json --set limits.nproc=3 -- true
	gives 0 "$(cordon explain -- true </dev/null | grep -Ec '^  [+-] ')" field 0 '.steps | length' cordon explain --json -- true
	gives 0 '[false,"unknown-key"]' field 125 '[.ok, .problems[0].rule]' cordon explain --json --set limits.x=3 -- true
	gives 0 '[false,"/no/such/dir"]' \
		field 125 '[.ok, (.missing[0].text | split(":")[0])]' cordon explain --json --ro /no/such/dir -- true
	[ ! -e "$CORDON_ROOT" ]
}

@test "doctor --json: checks and the proof" {
	gives 0 '["cordon.doctor/1",true,true]' \
		field 0 '[.schema, .sandbox_works, ([.checks[] | select(.name == "seccomp filters")][0].ok)]' cordon doctor --json
	unshare -Ur true || skip "no user namespaces for the test itself"
	gives 0 '[null,"user.max_user_namespaces is 0"]' \
		field 125 '[.sandbox_works, (.missing[0].text | split(":")[0])]' \
		unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"' sh \
		"$CORDON" --root "$CORDON_ROOT" doctor --json
}

# What a command prints on a terminal of COLUMNS.
on_terminal() { # COLUMNS ARG...
	script -qec "stty cols $1; '$CORDON' --root '$CORDON_ROOT' ${*:2}" /dev/null </dev/null | tr -d '\r'
}

all_words() { # FILE
	tr -s ' ' '\n' <"$1" | sort -u
}

@test "a terminal of 80 columns: no line is longer, and nothing is lost" {
	local command words
	need script
	for command in "explain -- true" "doctor" "profile ls" "profile keys" "profile diff default base" "help run"; do
		# Words on purpose.
		# shellcheck disable=SC2086
		on_terminal 80 $command >narrow
		# Words on purpose.
		# shellcheck disable=SC2086
		on_terminal 300 $command >wide
		[ "$(awk 'length > 80' narrow)" = "" ]
		[ "$(wc -l <narrow)" -ge 3 ]
		# The same words, but where one was too long for any line.
		words=$(diff <(all_words wide) <(all_words narrow) | grep -c '^<') || true
		[ "$words" -le 3 ] || { echo "$command: $words words differ"; false; }
	done
	# Control: into a pipe the lines stay whole.
	cordon explain -- true | awk 'length > 80 { n++ } END { exit n == 0 }'
}

# bats test_tags=user
@test "--json: every field and every schema is in docs/JSON.md" {
	local name command n=0
	need jq
	printf 'cordon: 1\nextends: default\nx: 1\nlimits: {nproc: 3}\n' >bad.yaml
	for command in "explain --json --waive seccomp.call:ptrace=x --ro . -- true" "explain --json --ro /no/such -- true" \
		"doctor --json" "profile ls --json" "profile show --json base" "profile check --json bad.yaml" \
		"profile diff --json default build" "profile keys --json"; do
		# Words on purpose.
		# shellcheck disable=SC2086
		run --separate-stderr cordon $command
		for name in $(jq -r '[.. | objects | keys[]] | unique[]' <<<"$output"); do
			grep -q "\`$name\`" "$repo/docs/JSON.md" || { echo "$command: $name"; false; }
			n=$((n + 1))
		done
		grep -qF "\`$(jq -r .schema <<<"$output")\`" "$repo/docs/JSON.md"
	done
	[ "$n" -gt 60 ]
}
