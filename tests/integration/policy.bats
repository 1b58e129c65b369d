#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Mistakes in a policy, as a user meets them on the command line: file, line, column, caret, exit 125,
# and nothing has run.

load ../lib/cordon
load ../lib/attack

# Writes a profile of these lines below the two that each has.
profile() { # LINE...
	printf '%s\n' 'cordon: 1' 'extends: default' "$@" >p.yaml
}

# A mistake must stop run, explain and check alike.
refused() { # PATTERN
	says 125 "$1" cordon run --profile ./p.yaml -- touch /tmp/x
	says 125 "$1" cordon explain --profile ./p.yaml
	says 125 "$1" cordon profile check p.yaml
}

@test "an unknown key: where it stands, a caret, and the nearest known key" {
	profile 'limits:' '  nprox: 3'
	refused "./p.yaml:4:3: error: unknown key 'nprox' in limits *
      nprox: 3
      ^
*hint: did you mean 'nproc'?*"
}

@test "all mistakes of a file at once" {
	profile 'limits: {nproc: many}' 'proces: {}' 'rootfs: {from: nowhere}'
	run -125 cordon run --profile ./p.yaml -- true
	[[ "$output" == *"./p.yaml:3:"* ]]
	[[ "$output" == *"./p.yaml:4:"* ]]
	[[ "$output" == *"./p.yaml:5:"* ]]
}

@test "what this build cannot enforce is refused by name, never ignored" {
	local line
	for line in 'when_possible: {seccomp: {}}' 'devices: [/dev/kvm]'; do
		profile "$line"
		refused "./p.yaml:3:*not enforced by this build*"
	done
	says 125 "*not enforced by this build*" cordon run --set 'devices=[/dev/kvm]' -- true
}

@test "duplicate keys, anchors, tags, wrong types, cycles and a missing parent are refused" {
	profile 'limits: {nproc: 3}' 'limits: {nproc: 4}'
	refused "./p.yaml:4:1: error: *"
	profile 'limits: &a {nproc: 3}'
	refused "./p.yaml:3:*"
	profile 'limits: !x {nproc: 3}'
	refused "./p.yaml:3:*"
	profile 'limits: [3]'
	refused "./p.yaml:3:9: error: *"
	printf 'cordon: 1\nextends: ./p.yaml\n' >p.yaml
	refused "./p.yaml:2:*"
	printf 'cordon: 1\nextends: no-such\n' >p.yaml
	refused "*no-such*there is no such profile*"
}

@test "network.egress: allow where the parent denies is a waiver, with a reason; to name more is none" {
	printf '%s\n' 'cordon: 1' 'extends: default' 'network: {mode: none, egress: {default: deny, allow: [192.0.2.1]}}' >parent.yaml
	printf '%s\n' 'cordon: 1' 'extends: ./parent.yaml' 'network: {egress: {default: allow}}' >p.yaml
	refused "*./p.yaml:3:29: error: network.egress.default: allow gives up what the parent denies*waive: {network.egress:*"
	says 125 "*gives up what the parent denies*" cordon run --profile ./parent.yaml --set network.egress.default=allow -- true
	printf '%s\n' 'waive: {network.egress: ""}' >>p.yaml
	refused "*waiver network.egress has no reason*"
	sed -i 's/""/"a mirror of everything"/' p.yaml
	says 0 "*network.egress*a mirror of everything*" cordon explain --profile ./p.yaml
	says 0 "*" cordon run --profile ./parent.yaml --set network.egress.default=allow --waive network.egress=why -- true
	printf '%s\n' 'cordon: 1' 'extends: ./parent.yaml' 'network: {egress: {+allow: [192.0.2.2]}}' >p.yaml
	says 0 "*" cordon run --profile ./p.yaml -- true
	# The shipped ones, too.
	says 125 "*gives up what the parent denies*" cordon explain --profile agent --set network.egress.default=allow -- true
	says 125 "*gives up what the parent denies*" cordon explain --profile net-service --set network.egress.default=allow -- true
}

@test "network.egress: what is no rule, and what was meant" {
	profile 'network: {mode: none, egress: {default: deny, allow: [*.example.org]}}'
	refused "./p.yaml:3:*hint: What begins with \\* stands in quotes: \"\\*.example.org:443\".*"
	profile 'network: {mode: none, egress: {default: deny, allow: ["*.example.org", db]}}'
	refused "./p.yaml:3:72: error: network.egress.allow: 'db' is no name of the internet*hint: A sandbox of the same network is allowed by its address*"
	says 125 "*network.egress has no network: network.mode is none*network.mode: bridge*" \
		cordon run --set 'network.egress={default: deny, allow: [192.0.2.1]}' -- true
}

@test "a weaker protection needs a waiver with a reason" {
	profile 'seccomp: {+allow: [keyctl]}'
	refused "./p.yaml:3:*"
	profile 'seccomp: {+allow: [keyctl]}' 'waive: {"seccomp.call:keyctl": ""}'
	refused "./p.yaml:4:*no reason*"
	profile 'waive: {"seccomp.call:keyctl": "a test"}'
	gives 42 $'cordon: waived: seccomp.call:keyctl (a test)\nEOPNOTSUPP' \
		cordon run --profile ./p.yaml -- "$ATTACK/call" keyctl 0x7fff
	says 125 "*unknown waiver 'no.such'*" cordon run --waive no.such=x -- true
	says 125 "*command line*" cordon run --waive seccomp.call:keyctl= -- true
}

@test "--set is the last layer, and explain says where each value is from" {
	profile 'limits: {nproc: 5}'
	gives 0 "5 processes, then EAGAIN" cordon run --profile ./p.yaml -- "$ATTACK/processes" 9
	gives 0 "4 processes, then EAGAIN" cordon run --set limits.nproc=4 --profile ./p.yaml -- "$ATTACK/processes" 9
	run -0 cordon explain --profile ./p.yaml --set limits.ulimits.nofile=77
	grep -Eq '^  limits.nproc +5 +./p.yaml:3$' <<<"$output"
	grep -Eq '^  limits.ulimits.nofile +77 +command line$' <<<"$output"
	grep -Eq '^  process.hostname +sandbox +profile base:15$' <<<"$output"
	says 125 "*command line*limits.nprox*" cordon run --set limits.nprox=1 -- true
	says 125 "*" cordon run --set limits.nproc -- true
}

@test "a profile that others may write is refused, and so is one in a directory of theirs" {
	profile
	chmod 0666 p.yaml
	refused "cordon: ./p.yaml: may be written by others*"
	chmod 0644 p.yaml
	gives 0 "" cordon run --profile ./p.yaml -- true
	chmod 0777 .
	refused "cordon: .: may be written by others*"
	chmod 1777 .
	gives 0 "" cordon run --profile ./p.yaml -- true
	chmod 0700 .
}

# bats test_tags=root
@test "a profile that belongs to somebody else is refused" {
	profile
	chown 12345 p.yaml
	refused "cordon: ./p.yaml: may be written by others (owner uid 12345*"
}

# bats test_tags=user
@test "names: shipped, then the user's own; a file with a shipped name is an error" {
	export XDG_CONFIG_HOME=$PWD/config
	mkdir -p config/cordon/profiles
	profile 'limits: {nproc: 5}'
	cp p.yaml config/cordon/profiles/mine.yaml
	gives 0 "5 processes, then EAGAIN" cordon run --profile mine -- "$ATTACK/processes" 9
	cp p.yaml config/cordon/profiles/default.yaml
	says 125 "cordon: $PWD/config/cordon/profiles/default.yaml: takes the name of a shipped profile*" \
		cordon run -- true
}

@test "names: never looked up in the working directory" {
	profile
	says 125 "cordon: profile 'p': there is no such profile*" cordon run --profile p -- true
	says 125 "cordon: profile 'p.yaml': there is no such profile*" cordon run --profile p.yaml -- true
}

# bats test_tags=root
@test "names: root reads nothing that a variable points to" {
	export XDG_CONFIG_HOME=$PWD/config
	mkdir -p config/cordon/profiles
	profile
	cp p.yaml config/cordon/profiles/mine.yaml
	says 125 "cordon: profile 'mine': there is no such profile*" cordon run --profile mine -- true
}

@test "an empty variable: -e NAME= and --set mean the same, -e NAME is the caller's" {
	export NAME=callers
	gives 0 "[]" cordon run -e NAME= -- sh -c 'echo "[${NAME-unset}]"'
	gives 0 "[]" cordon run --set process.environment.NAME= -- sh -c 'echo "[${NAME-unset}]"'
	gives 0 "[callers]" cordon run -e NAME -- sh -c 'echo "[${NAME-unset}]"'
	gives 0 "[unset]" cordon run -- sh -c 'echo "[${NAME-unset}]"'
}

@test "a flag that permits more is told the flag that allows it, and that one works" {
	says 125 "*permits what the parent does not: keyctl*--waive \"seccomp.call:keyctl=REASON\"" \
		cordon run --set 'seccomp.+allow=[keyctl]' -- true
	gives 0 "cordon: waived: seccomp.call:keyctl (REASON)" cordon run --waive "seccomp.call:keyctl=REASON" -- true
}

@test "entries without effect: a warning of check and explain, not of run, and no mistake" {
	local warnings
	profile 'seccomp:' '  deny:' '  - ptrace' '  - getpid' '  - {call: getpid, action: errno(EPERM)}'
	warnings='cordon: ./p.yaml:5: warning: ptrace is refused already, by profile base:27
cordon: ./p.yaml:7: warning: getpid is refused already, by ./p.yaml:6'
	gives 0 "$warnings
p.yaml: ok" cordon profile check p.yaml
	run -0 --separate-stderr cordon explain --profile ./p.yaml
	# Set by run.
	# shellcheck disable=SC2154
	[ "$stderr" = "$warnings" ]
	gives 0 "" cordon run --profile ./p.yaml -- true
}

@test "explain says what a system call is answered and by which line; --calls says it of each" {
	profile 'seccomp:' '  deny:' '  - {call: kill, args: {1: {range: [9, 15]}}, action: errno(EIO)}' '  - getppid'
	run -0 cordon explain --profile ./p.yaml
	[[ "$output" == *"  kill "*" errno(EIO) where argument 1 is 9 to 15 "*" ./p.yaml:5"* ]]
	[[ "$output" == *"  errno(EPERM) "*" getppid "*" ./p.yaml:6"* ]]
	[[ "$output" != *"  getuid "* ]]
	run -0 cordon explain --calls --profile ./p.yaml
	[[ "$output" == *"  getuid "*" allow "*" profile base:30"* ]]
	says 125 "cordon: --calls is a flag of explain*" cordon run --calls -- true
	gives 42 EIO cordon run --profile ./p.yaml -- "$ATTACK/call" kill 1 9
	gives 42 EIO cordon run --profile ./p.yaml -- "$ATTACK/call" kill 1 0x10000000f
	gives 0 ok cordon run --profile ./p.yaml -- "$ATTACK/call" kill 2 0
}
