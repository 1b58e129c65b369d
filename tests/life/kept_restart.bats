#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Restart policies, and what is started again when nobody was there to do it: `start --all`.

load ../lib/cordon
load ../lib/attack
load ../lib/kept

teardown() { kept_end; }

starts() {
	wc -l <"$dir/starts"
}

has_started() { # TIMES
	[ -e "$dir/starts" ] && [ "$(starts)" -ge "$1" ]
}

# Says that it starts, and ends as CODE says; "stay" stays.
program() { # CODE
	local end="exit $1"
	[ "$1" != stay ] || end='exec sleep 600'
	printf 'echo x >>/out/starts; %s' "$end"
}

policy() { # NAME POLICY CODE
	kept_dir
	kept_start "$1" "${out[@]}" --set "restart=$2" -- sh -c "$(program "$3")"
}

ends() { # NAME
	eventually kept_is "$1" exited
}

count_of() { # NAME
	sed -n 's/^restarts //p' "$CORDON_ROOT/state/sandboxes/$(readlink "$CORDON_ROOT/state/names/$1")/state"
}

wanted() { # NAME
	local file
	file=$CORDON_ROOT/state/sandboxes/$(readlink "$CORDON_ROOT/state/names/$1")/wanted
	if [ -e "$file" ]; then cat "$file"; else echo stopped; fi
}

@test "no: it is started once" {
	policy a no 3
	ends a
	gives 0 3 cordon wait a
	[ "$(starts)" -eq 1 ]
	[ "$(count_of a)" -eq 0 ]
}

@test "on-failure: until it ends with 0" {
	kept_dir
	kept_start a "${out[@]}" --set restart=on-failure -- \
		sh -c 'echo x >>/out/starts; [ "$(wc -l </out/starts)" -ge 3 ]'
	gives 0 0 cordon wait a
	[ "$(starts)" -eq 3 ]
	[ "$(count_of a)" -eq 2 ]
}

@test "on-failure:N: N times, and the last exit code stays" {
	policy a on-failure:2 4
	gives 0 4 cordon wait a
	[ "$(starts)" -eq 3 ]
	[ "$(count_of a)" -eq 2 ]
	# A start by command counts anew.
	gives 0 a cordon start a
	gives 0 4 cordon wait a
	[ "$(starts)" -eq 6 ]
	[ "$(count_of a)" -eq 2 ]
}

@test "always and unless-stopped: also after 0, with the count in the state; a stop ends it" {
	local policy
	for policy in always unless-stopped; do
		rm -rf "$BATS_TEST_TMPDIR/out"
		policy "$policy" "$policy" 0
		eventually has_started 3
		[ "$(count_of "$policy")" -ge 2 ]
		gives 0 "$policy" cordon stop "$policy"
		[ "$(kept_state "$policy")" = exited ]
		n=$(starts)
		sleep 1
		[ "$(starts)" -eq "$n" ]
		[ "$(wanted "$policy")" = stopped ]
	done
}

@test "a program that is killed from inside is started again, one that cordon kill ends is not" {
	policy a always stay
	eventually has_started 1
	kept_pids a
	gives 0 a cordon kill -s INT a
	eventually has_started 2
	eventually kept_is a running
	gives 0 a cordon kill a
	ends a
	sleep 0.5
	[ "$(starts)" -eq 2 ]
	gives 0 137 cordon wait a
	[ "$(wanted a)" = stopped ]
	run -0 --separate-stderr cordon start --all
	[ "$output" = "" ]
	[ "$stderr" = "cordon: 0 started, 0 failed" ]
}

@test "between two starts it can be stopped, killed and removed at once" {
	local end
	policy a always 1
	for end in "stop -t 30" "kill" "rm -f"; do
		run -0 --separate-stderr cordon start a
		# The sixth pause is of 3.2 s: none of these waits for its end.
		eventually is_restarting a 5
		# Words on purpose.
		# shellcheck disable=SC2086
		gives 0 a timeout 20 "$CORDON" --root "$CORDON_ROOT" $end a
		[ "$end" = "rm -f" ] || [ "$(kept_state a)" = exited ]
	done
	kept_no_record
}

is_restarting() { # NAME LEAST
	[ "$(kept_state "$1")" = restarting ] && [ "$(count_of "$1")" -ge "$2" ]
}

@test "the process of a start is killed: its run is undone, and it is started again" {
	policy a always stay
	eventually has_started 1
	kept_pids a
	child=$(pgrep -P "$keeper" | head -n 1)
	[ -n "$child" ]
	before=$(ls "$CORDON_ROOT/run/runs")
	kill -9 "$child"
	eventually kept_gone "$workload"
	eventually has_started 2
	eventually kept_is a running
	local runs=("$CORDON_ROOT"/run/runs/*)
	[ "${#runs[@]}" -eq 1 ]
	[ "$(basename "${runs[0]}")" != "$before" ]
	[ "$(count_of a)" -eq 1 ]
	gives 0 a cordon stop a
	[ -z "$(ls "$CORDON_ROOT/run/runs")" ]
}

@test "start --all: what is wanted and to be kept up, after its keeper was lost, and nothing else" {
	local name
	for name in always unless-stopped on-failure no; do
		cordon create --name "$name" --set "restart=$name" -- sleep 600 >/dev/null 2>&1
		cordon start "$name" >/dev/null
	done
	cordon create --name never --set restart=always -- sleep 600 >/dev/null 2>&1
	kept_start stopped --set restart=always -- sleep 600
	cordon stop stopped >/dev/null
	kept_start runs --set restart=always -- sleep 600
	for name in always unless-stopped on-failure no; do
		kept_pids "$name"
		kill -9 "$keeper"
		eventually kept_gone "$workload"
	done
	run -0 --separate-stderr cordon start --all
	[ "$(sort <<<"$output")" = $'always\nunless-stopped' ]
	[ "$stderr" = "cordon: 2 started, 0 failed" ]
	for name in always unless-stopped runs; do
		kept_pids "$name"
		[ -d "/proc/$workload" ]
	done
	# Twice is as good as once.
	run -0 --separate-stderr cordon start --all
	[ "$output$stderr" = "cordon: 0 started, 0 failed" ]
	says 125 "cordon: start --all takes no sandboxes, but was given no*" cordon start --all no
	gives 0 "cordon: 0 started, 0 failed" "$CORDON" --root "$PWD/never" start --all
	[ ! -e never ]
}

@test "start --all: one that cannot be started is told, and the others are started" {
	mkdir gone
	(cd gone && kept_start a --set restart=always -- sleep 600)
	kept_start b --set restart=always -- sleep 600
	kept_start c --set restart=always -- sleep 600
	for name in a b c; do
		kept_pids "$name"
		kill -9 "$keeper"
		eventually kept_gone "$workload"
	done
	rmdir gone
	echo cordon-record 99 >"$CORDON_ROOT/state/sandboxes/$id/record"
	run -125 --separate-stderr cordon start --all
	[ "$output" = b ]
	[[ "$stderr" == *"/gone, where sandbox "*"cordon: sandbox a: not started"* ]]
	[[ "$stderr" == *"record: has format 99"* ]]
	[[ "$stderr" == *"cordon: 1 started, 2 failed" ]]
}

@test "stop --all ends all that run, in order, and start --all brings back what is to be kept up" {
	kept_dir
	kept_start a "${out[@]}" --set restart=always -- \
		sh -c 'trap "echo TERM >>/out/said; exit 0" TERM; echo x >>/out/starts; while :; do sleep 0.05; done'
	kept_start b -- sleep 600
	cordon create --name c -- sleep 600 >/dev/null 2>&1
	eventually has_started 1
	a=$(readlink "$CORDON_ROOT/state/names/a") b=$(readlink "$CORDON_ROOT/state/names/b")
	run -0 cordon stop --all -t 20
	[ "$(sort <<<"$output")" = "$(printf '%s\n' "$a" "$b" | sort)" ]
	[ "$(<"$dir/said")" = TERM ]
	kept_is a exited
	kept_is b exited
	gives 0 "" cordon stop --all
	run -0 --separate-stderr cordon start --all
	[ "$output" = a ]
	eventually has_started 2
	says 125 "cordon: stop --all takes no sandboxes, but was given a*" cordon stop --all a
}

@test "SIGTERM to the keeper ends it in order, whatever its policy, and leaves it wanted" {
	policy a always stay
	eventually has_started 1
	kept_pids a
	kill -TERM "$keeper"
	ends a
	[ "$(starts)" -eq 1 ]
	[ "$(wanted a)" = running ]
	run -0 --separate-stderr cordon start --all
	[ "$output" = a ]
}
