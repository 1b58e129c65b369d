#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The other commands: explain, doctor, profile, and what is said to a mistyped one.

load ../lib/cordon
load ../lib/attack

# Ids, digests and what differs between hosts are replaced.
neutral() {
	sed -E -e "s/caller's [0-9]+:[0-9]+/caller's ID:ID/" -e 's|/usr/share/zoneinfo/.*|ZONE|' -e 's/[ \t]+$//' \
		-e '/^  (host path|link) +\/(bin|sbin|lib|lib32|lib64|libx32|etc\/[a-z0-9.\/-]+) /d'
}

# bats test_tags=user
@test "explain: the whole plan of default, as a user, is the golden file" {
	local golden=$repo/tests/golden/explain-default-user.txt
	# What stands at 0 to 2 is part of the plan, so it is chosen here.
	cordon explain -- true </dev/null 2>/dev/null | neutral >explained
	[ "${GOLDEN_UPDATE:-0}" != 1 ] || cp explained "$golden"
	diff -u "$golden" explained
}

@test "explain: changes nothing, and says no where run would" {
	gives 0 "$(cordon explain -- true 2>&1)" cordon explain -- true
	[ ! -e "$CORDON_ROOT" ]
	says 125 "cordon: /no/such/dir: No such file or directory*" cordon explain --ro /no/such/dir -- true
}

@test "explain: every row that run takes, in order" {
	run -0 cordon explain -- true
	[ "$(grep -Ec '^  [+-] ' <<<"$output")" -ge 40 ]
	grep -q '^  + seccomp ' <<<"$output"
	[ "$(grep -E '^  [+-] ' <<<"$output" | tail -n 1 | cut -c 5-11)" = seccomp ]
}

@test "profile: ls, show and check" {
	says 0 "*base *(shipped)*default *(shipped)*" cordon profile ls
	gives 0 "$(cordon profile ls)" cordon profile list
	gives 0 "$(cat "$repo/profiles/default.yaml")" cordon profile show default
	says 125 "cordon: profile 'none': there is no such profile*" cordon profile show none
	printf 'cordon: 1\nextends: default\n' >good.yaml
	printf 'cordon: 1\nextends: default\nx: 1\n' >bad.yaml
	gives 0 "good.yaml: ok" cordon profile check good.yaml
	says 125 "good.yaml: ok*./bad.yaml:3:1: error: *" cordon profile check good.yaml bad.yaml
	says 125 "Usage: cordon profile COMMAND*" cordon profile
	says 125 "cordon: unknown command 'profile chek'*Did you mean \`cordon profile check\`?*" cordon profile chek x
}

# bats test_tags=vm
@test "doctor: 0 where a sandbox can be made, with the proof" {
	says 0 "this host*kernel*user namespaces*a real sandbox *made, used and gone again" cordon doctor
	says 125 "cordon: doctor takes no arguments*" cordon doctor now
	says 125 "cordon: unknown flag --profile of doctor*" cordon doctor --profile judge
	says 125 "cordon: --cgroup-parent ../a: not the path of a control group*" cordon doctor --cgroup-parent ../a
	says 125 "cordon: --cgroup-parent : not the path of a control group*" cordon doctor --json --cgroup-parent
	says 0 "Usage: cordon doctor *--cgroup-parent GROUP *" cordon doctor --help
	says 125 "cordon: gc takes no arguments*" cordon gc now
}

# bats test_tags=vm
@test "doctor: 125 where none can be made, and what stands in the way" {
	# In a user namespace whose own limit of namespaces is 0.
	unshare -Ur true || skip "no user namespaces for the test itself"
	says 125 "*what stands in the way*user.max_user_namespaces is 0*hint: This is inside a container or a sandbox*" \
		unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"' sh \
		"$CORDON" --root "$CORDON_ROOT" doctor
	says 125 "cordon: user.max_user_namespaces is 0*hint: *" \
		unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"' sh \
		"$CORDON" --root "$CORDON_ROOT" run -- true
}

@test "mistyped: the nearest command and flag are named" {
	says 125 "cordon: unknown command 'explian'*Did you mean \`cordon explain\`?*" cordon explian
	says 125 "cordon: unknown command 'frobnicate'*cordon run -- frobnicate*" cordon frobnicate
	says 125 "cordon: unknown flag --timout*Did you mean --timeout?*" cordon run --timout 1s -- true
	says 125 "cordon: unknown flag -z*" cordon run -z -- true
	says 125 "cordon: unknown flag -q in front of the command*" cordon -q run -- true
	says 125 "cordon: --ro wants a value: --ro PATH" cordon run --ro
	says 125 "cordon: -q takes no value but =true or =false" cordon run -q=1 -- true
}

@test "help and version" {
	says 0 "Usage: cordon *" cordon --help
	says 0 "cordon [0-9]*" cordon --version
	says 0 "Usage: cordon run *--timeout *" cordon run --help
	says 125 "Usage: cordon *" cordon
}

# bats test_tags=vm
@test "cordon inside cordon: refused, and told to go outside" {
	says 125 "*user.max_user_namespaces is 0*hint: This is inside a container or a sandbox*outside, beside it*" \
		cordon run --ro "$(dirname "$(realpath "$CORDON")")" -- "$(realpath "$CORDON")" run -- true
	[[ "$output" != *sysctl* ]]
}

# bats test_tags=user
@test "commands of Docker's that have another name here: which one it is, also in help" {
	local row
	for row in "pull=cordon image pull REF" "images=cordon image ls" "rmi=cordon image rm IMAGE" "build=There is no build" \
		"info=cordon doctor" "version=cordon --version" "login=skopeo login" \
		"push=skopeo copy oci-archive:FILE" "container ls=cordon ps" "container stop=cordon stop" "container cp=cordon cp" \
		"image push=skopeo copy" "system prune=cordon image prune"; do
		# Words on purpose.
		# shellcheck disable=SC2086
		says 125 "cordon: '${row%%=*}' is a command of Docker's*hint: *${row#*=}*" cordon ${row%%=*}
	done
	says 125 "cordon: 'pull' is a command of Docker's*" cordon help pull
	# The controls: what is none of Docker's, and what both have.
	says 125 "cordon: unknown command 'imagse'*Did you mean \`cordon image\`?*" cordon imagse
	says 125 "cordon: unknown command 'container'*" cordon container
	mkdir -m 0700 "$CORDON_ROOT"
	gives 0 "" cordon ps -q
}

# bats test_tags=user
@test "flags of logs, update and attach stand in front of the sandbox or behind; hints name the command" {
	cordon create --name web --set labels.a=b -- true >/dev/null 2>&1
	gives 0 "" cordon logs web --tail 3
	gives 0 web cordon update web --restart always
	[ "$(cordon inspect --format '{{.restart}}' web)" = always ]
	gives 0 web cordon update --restart no web
	says 125 "cordon: no sandbox is called -f*" cordon logs -- -f
	says 125 "cordon: logs wants one sandbox*" cordon logs web web -f
	says 125 "cordon: unknown flag --folow*Did you mean --follow? \`cordon logs --help\`*" cordon logs web --folow
	says 125 "cordon: unknown flag --memry*Did you mean --memory? \`cordon update --help\`*" cordon update web --memry 1
	says 125 "cordon: unknown flag --memry*Did you mean --memory? \`cordon create --help\`*" cordon create --memry 1 -- true
	says 125 "cordon: unknown flag --memry*Did you mean --memory? \`cordon run --help\`*" cordon run --memry 1 -- true
	# What belongs to a program is not read.
	gives 0 "--memry" cordon run -- echo --memry
	gives 0 web cordon rm web
}
