#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The documents that follow from the tables: they are what the tables give, the schema says what
# `profile check` says, the completion completes. Who asks makes no difference: the user half runs
# everywhere.

# bats file_tags=user
load ../lib/cordon
load ../lib/attack

DOCUMENTS=$repo/build/gen/documents
SCHEMA=$repo/profiles/schema.json

# Whether the schema accepts a profile. Prints why not.
schema_takes() { # FILE
	"$DOCUMENTS" tree "$1" >"$1.json" && python3 "$repo/tests/lib/schema.py" "$SCHEMA" "$1.json"
}

# Both the schema and cordon.
both_take() { # FILE
	gives 0 "" schema_takes "$1" && says 0 "*: ok" cordon profile check "$1"
}

both_refuse() { # PATTERN-OF-THE-SCHEMA LINE...
	printf '%s\n' "cordon: 1" "extends: default" "${@:2}" >bad.yaml
	says 1 "$1" schema_takes bad.yaml && says 125 "*bad.yaml:*error*" cordon profile check bad.yaml
}

@test "documents: each is what the tables give; if not: make docs, and look at the difference" {
	local row n=0
	for row in $(make -s -C "$repo" documents-list); do
		"$DOCUMENTS" "${row#*=}" >now
		diff -u "$repo/${row%=*}" now
		n=$((n + 1))
	done
	[ "$n" -eq 7 ]
}

@test "schema: accepts each shipped profile" {
	local profile
	for profile in "$repo"/profiles/*.yaml; do
		cp "$profile" .
		gives 0 "" schema_takes "${profile##*/}"
	done
	[ -e build.yaml.json ]
}

@test "schema: accepts the examples of the README, and so does cordon" {
	local example n=0
	# Pieces of a profile get their first lines here.
	awk '/^```yaml$/ { n++; name = "example" n ".yaml"; next } /^```$/ { name = "" } name { print > name }' \
		"$repo/README.md"
	# A ceiling is no profile: tests/integration/ceiling.bats.
	rm "$(grep -l '^# /etc/cordon/ceiling.yaml' example*.yaml)"
	for example in example*.yaml; do
		grep -q '^cordon:' "$example" || sed -i '1i cordon: 1\nextends: default' "$example"
		both_take "$example"
		n=$((n + 1))
	done
	[ "$n" -ge 3 ]
	cp "$repo/tests/golden/judge.yaml" .
	both_take judge.yaml
}

@test "schema: one value has many spellings" {
	printf '%s\n' "cordon: \"1\"" "extends: default" "process: {user: 1000, environment: {A: 1, B: true, C: , D: \"\"}}" \
		"limits: {nproc: \"16\", wall_time: unlimited, ulimits: {fsize: 1.5MiB, core: 0, nofile: unlimited}}" \
		"rootfs: {from: host, writable: tmpfs}" \
		"+volumes: [\"/usr/share:/srv:ro\", {type: tmpfs, target: /box, mode: 1777, read_only: \"false\"}]" \
		"capabilities: {add: []}" >good.yaml
	both_take good.yaml
}

@test "schema: refuses what cordon refuses" {
	both_refuse "*.proces: may not be here*" "proces: {user: 1000}"
	both_refuse "*.limits.nproc: 'many' is not of the form*" "limits: {nproc: many}"
	both_refuse "*.limits.nproc: '-1' is not*" "limits: {nproc: -1}"
	both_refuse "*.limits.wall_time: 6 is too large*" "limits: {wall_time: 6}"
	both_refuse "*.limits.wall_time: '6 seconds' is not*" "limits: {wall_time: 6 seconds}"
	both_refuse "*.limits.ulimits.fsize: '1XiB' is not*" "limits: {ulimits: {fsize: 1XiB}}"
	both_refuse "*.limits: is none of object*" "limits: []"
	both_refuse "*.volumes: is none of array*" "volumes: {}"
	both_refuse "*.process.hostname: is none of*" "process: {hostname: }"
	both_refuse "*.volumes[[]0]: is none of the forms*" "volumes: [{type: tmpfs, target: /x, read_only: yes}]"
	both_refuse "*.volumes[[]0]: is none of the forms*" "volumes: [{type: tmpfs, target: /x, sise: 1}]"
	both_refuse "*.rootfs.writable: is none of the forms*" "rootfs: {writable: disk}"
	both_refuse "*.+process: may not be here*" "+process: {hostname: x}"
	both_refuse "*.capabilities.add: too many items*" "capabilities: {add: [SYS_ADMIN]}"
	printf 'extends: default\n' >none.yaml
	says 1 "*'cordon' is missing*" schema_takes none.yaml
	says 125 "*none.yaml:*" cordon profile check none.yaml
}

# Those that are refused by their name whatever they say.
later_keys() {
	cordon profile keys --json | jq -r '.keys[] | select(.enforced | not) | .key | select(contains("[") | not)'
}

@test "schema: refuses each key that is not enforced yet, as cordon does" {
	local key n=0
	need jq
	for key in $(later_keys); do
		printf 'cordon: 1\nextends: default\n%s\n' "$(nested "$key")" >later.yaml
		says 1 "*document.$key: is not accepted*" schema_takes later.yaml
		says 125 "*error: $key is not enforced by this build*" cordon profile check later.yaml
		n=$((n + 1))
	done
	[ "$n" -eq "$(grep -c 'not enforced yet)\*\* |' "$repo/docs/PROFILES.md")" ]
}

# "a.b" as "a: {b: x}".
nested() {
	local rest=${1#*.}
	if [ "$rest" = "$1" ]; then
		echo "$1: x"
	else
		echo "${1%%.*}: {$(nested "$rest")}"
	fi
}

@test "control: the validator finds a word that it does not know" {
	echo '{"oneOf": []}' >schema.json
	echo 1 >document.json
	says 1 "schema.py: document: the word {'oneOf'} is not known" \
		python3 "$repo/tests/lib/schema.py" schema.json document.json
}

@test "man page and reference: every key is there" {
	local key
	need jq
	for key in $(cordon profile keys --json | jq -r '.keys[].key'); do
		grep -qF "| \`$key\` |" "$repo/docs/PROFILES.md"
		sed 's/\\-/-/g' "$repo/docs/man/cordon-profile.5" | grep -qF "\\fB$key\\fR ("
	done
	for key in --timeout --profile --json 'profile diff' 126; do
		sed 's/\\-/-/g' "$repo/docs/man/cordon.1" | grep -qF -e "$key"
	done
	# Nothing that roff would take for a request of its own.
	run -1 grep -nE "^'|^\.[^A-Znaf\\\\]" "$repo"/docs/man/*.[15]
}

@test "COMMANDS.md: every command has its section, and in it each flag of its help" {
	local command flag n=0
	for command in $(cordon --help | awk '$1 == "cordon" { print $2 }'); do
		awk -v head="## cordon $command" '/^## / { on = $0 == head } on' "$repo/docs/COMMANDS.md" >section
		grep -qF "(#cordon-$command)" "$repo/docs/COMMANDS.md"
		grep -q '^cordon ' section
		for flag in $(cordon help "$command" | grep -oE '^  (-[a-z], )?--[a-z-]+' | grep -oE -e '--[a-z-]+'); do
			grep -qE "^\| \`(-[a-z], )?${flag}[ \`]" section || { echo "$command: $flag"; return 1; }
			n=$((n + 1))
		done
	done
	[ "$n" -ge 100 ]
}

# What the shell would offer behind these words; the last one is being typed.
completed() { # WORD...
	bash -c 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cordon; printf "%s\n" "${COMPREPLY[@]}"' \
		bash "$repo/docs/completion/cordon.bash" "$CORDON" "$@" 2>&1
}

@test "JUDGE.md: every kind of end has its line, and the profile in it is one" {
	local kind
	for kind in $(jq -r '.properties.kind.enum[]' "$repo/docs/result.schema.json"); do
		grep -q "^| .* | \`$kind\` |" "$repo/docs/JUDGE.md"
	done
	# And no other, the header aside.
	[ "$(grep -c '^| .* | `[a-z_]*` | .* |$' "$repo/docs/JUDGE.md")" = \
		"$(jq '.properties.kind.enum | length + 1' "$repo/docs/result.schema.json")" ]
	awk '/^```yaml$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$repo/docs/JUDGE.md" >round1.yaml
	both_take round1.yaml
}

@test "documents: each link leads somewhere, and the number of a decision is one decision's" {
	local file target n=0
	while IFS=: read -r file target; do
		n=$((n + 1))
		[ -e "$repo/$(dirname "$file")/${target%%#*}" ] || { echo "$file: $target"; return 1; }
	done < <(cd "$repo" && grep -oE '\]\([^)#:]+(#[^)]*)?\)' README.md SECURITY.md docs/*.md docs/decisions/*.md \
		examples/walkthrough/*/README.md | sed -E 's/\]\(([^)]*)\)$/\1/')
	[ "$n" -ge 30 ]
	[ "$(cd "$repo/docs/decisions" && printf '%.5s\n' ./*.md | sort | uniq -d)" = "" ]
	for file in "$repo"/docs/decisions/*.md; do
		[ "$(basename "$file" | cut -c 1-3)" = "$(head -n 1 "$file" | cut -c 3-5)" ]
	done
}

# jq takes the last of two fields of one name in silence.
@test "schemas: no field stands twice" {
	python3 -c '
import json, sys
def once(pairs):
    names = [name for name, _ in pairs]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        sys.exit(f"twice: {sorted(twice)}")
    return dict(pairs)
for name in sys.argv[1:]:
    json.load(open(name), object_pairs_hook=once)' "$repo/docs/result.schema.json" "$repo/profiles/schema.json"
}

@test "completion: commands, flags, profiles, keys, waivers, files" {
	gives 0 $'explain\nexec\nexport' completed ex
	gives 0 "diff" completed profile d
	gives 0 "gc" completed --root /x g
	gives 0 "--timeout" completed run --ti
	gives 0 $'--memory\n--memory-swap' completed run --memo
	gives 0 "always" completed run --restart al
	gives 0 "" completed run -m 6
	gives 0 "--json" completed profile ls --j
	gives 0 "" completed run --json
	gives 0 $'base\nbuild' completed run --profile b
	gives 0 "build" completed run --profile = bu
	gives 0 "default" completed profile diff build d
	gives 0 "limits.nproc=" completed run --set limits.np
	gives 0 "limits.nproc" completed profile keys limits.np
	gives 0 "limits.memory=" completed run --set limits.memor
	gives 0 "limits.io.read=" completed run --set limits.io.r
	gives 0 "" completed run --set storag
	gives 0 "seccomp.call:
seccomp.architecture:" completed explain --waive sec
	touch here.yaml
	gives 0 "here.yaml" completed profile check he
	gives 0 "./here.yaml" completed run --profile ./he
	gives 0 "here.yaml" completed run --ro he
	gives 0 "here.yaml" completed run -- cat he
	says 0 "*true*" completed run -- tru
	gives 0 "" completed run -- --prof
}

@test "completion: names of sandboxes, those that the command can do something with" {
	local command
	cordon create -q --name waiting -- true >/dev/null
	cordon run -q -d --name web-1 -- sleep 600 >/dev/null
	for command in start rm inspect wait restart rename; do
		gives 0 "waiting" completed --root "$CORDON_ROOT" $command wai
		gives 0 "web-1" completed --root "$CORDON_ROOT" $command we
	done
	for command in stop kill exec pause; do
		gives 0 "" completed --root "$CORDON_ROOT" $command wai
		gives 0 "web-1" completed --root = "$CORDON_ROOT" $command we
	done
	gives 0 "" completed --root "$CORDON_ROOT" unpause we
	# Another root's.
	gives 0 "" completed --root "$CORDON_ROOT.other" rm we
	# A flag's letter takes a value here, and none there.
	gives 0 "waiting" completed --root "$CORDON_ROOT" rm -f wai
	gives 0 "status=" completed --root "$CORDON_ROOT" ps -f sta
	gives 0 "" completed --root "$CORDON_ROOT" stop -t we
	gives 0 "web-1" completed --root "$CORDON_ROOT" stop -t 3 we
	gives 0 "USR1
USR2" completed kill -s US
	gives 0 "--signal" completed stop --si
	# The second word: another sandbox, a new name, a program.
	gives 0 "web-1" completed --root "$CORDON_ROOT" rm waiting we
	gives 0 "" completed --root "$CORDON_ROOT" rename waiting we
	touch here.yaml
	says 0 "*true*" completed --root "$CORDON_ROOT" exec -e A=1 web-1 tru
	gives 0 "here.yaml" completed --root "$CORDON_ROOT" exec web-1 cat he
	cordon rm -f waiting web-1 >/dev/null
}
