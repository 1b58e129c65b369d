#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Two whole profiles with keys that this build has and keys that it has not. Which ones it has not is
# asked of the table, so that a key that joins is looked at here from that day on.

load ../lib/cordon
load ../lib/attack

# The keys of FILE as paths, maps and lists as well, one a line.
keys_of() { # FILE
	"$repo/build/gen/documents" tree "$1" | jq -r 'paths(true) | map(if type == "number" then "[]" else "." + . end)
		| add | ltrimstr(".") | gsub("\\.\\+"; ".") | ltrimstr("+") | select(test("^waive\\.") | not)' | sort -u
}

later_in() { # FILE
	cordon profile keys --json | jq -r '.keys[] | select(.enforced | not) | .key' | sort | comm -12 - <(keys_of "$1")
}

# Those that the check refuses as not enforced, by the key that it names.
refused_in() { # FILE
	cordon profile check --json "$1" | jq -r '.files[].problems[] | select(.rule == "not-enforced")
		| .text | split(" is not enforced")[0]' | sort
}

@test "judge.yaml: each key that is not enforced is refused by its name, and nothing else is" {
	need jq
	cp "$repo/tests/integration/examples/judge.yaml" .
	[ "$(refused_in judge.yaml)" = "$(later_in judge.yaml)" ]
	[ -z "$(cordon profile check --json judge.yaml | jq -r '.files[].problems[] | select(.rule != "not-enforced")')" ]
}

@test "judge.yaml: without them it is right, starts, and does what it says" {
	local key
	need jq
	cp "$repo/tests/integration/examples/judge.yaml" .
	for key in $(later_in judge.yaml); do
		sed -i "/^  ${key##*.}:/d" judge.yaml
	done
	# What this host cannot have (a controller, a profile) is another's test.
	for key in $(cordon explain --json --profile ./judge.yaml | jq -r '.missing[].key'); do
		sed -i "/^  ${key##*.}:/d" judge.yaml
	done
	gives 0 "judge.yaml: ok" cordon profile check judge.yaml
	gives 0 "/box box 64" cordon run --profile ./judge.yaml -- sh -c 'echo $(pwd) $(hostname) $(ulimit -n)'
	says 1 "*Address family not supported*" cordon run --profile ./judge.yaml -- \
		python3 -c 'import socket; socket.socket(socket.AF_INET)'
	gives 0 "16 processes, then EAGAIN" cordon run --profile ./judge.yaml --ro "$ATTACK" -- "$ATTACK/processes" 30
}

@test "web.yaml: refused key by key, each with its name and its line" {
	local key
	need jq
	cp "$repo/tests/integration/examples/web.yaml" .
	run -125 cordon profile check web.yaml
	for key in $(later_in web.yaml); do
		grep -qE "^\./web\.yaml:[0-9]+:[0-9]+: error: $key is not enforced by this build \[not-enforced\]$" <<<"$output"
	done
	# Every problem is of that kind.
	run -1 grep -v 'not-enforced' <(grep 'error:' <<<"$output")
}
