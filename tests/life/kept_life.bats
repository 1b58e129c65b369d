#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The life of kept sandboxes: start, stop, kill, wait, restart, rename, rm and prune.

load ../lib/cordon
load ../lib/attack
load ../lib/kept

teardown() { kept_end; }

# A program that says when it is ready, and what signal ended its wait.
asks='trap "echo TERM >>/out/said; exit 7" TERM; trap "echo INT >>/out/said; exit 8" INT
	echo ready >>/out/said; while :; do sleep 0.05; done'

ready_again() { # TIMES
	[ "$(grep -c ready "$dir/said")" -eq "$1" ]
}

@test "flags: Docker's spellings, long and short, together and behind the words" {
	kept_start a -- sleep 600
	gives 0 a cordon stop a -t 3
	gives 0 a cordon start a
	gives 0 a cordon stop --time=3 -s KILL a
	gives 0 a cordon start -- a
	gives 0 a cordon rm -fv a
	says 125 "cordon: unknown flag --tiemout of stop*Did you mean --timeout?*" cordon stop --tiemout 3 a
	says 125 "cordon: unknown flag -x of stop*cordon help stop*" cordon stop -x a
	says 125 "cordon: unknown flag -fx of rm*" cordon rm -fx a
	says 125 "cordon: --timeout wants a value*" cordon stop a -t
	says 125 "cordon: --force takes no value*" cordon rm --force=yes a
	says 125 "cordon: --timeout 1.5: no number of seconds*" cordon stop -t 1.5 a
	says 125 "cordon: --signal NONE: no signal*" cordon kill -s NONE a
	says 125 "cordon: --checkpoint of start: not enforced by this build*" cordon start --checkpoint x a
	says 125 "cordon: --link of rm: not enforced by this build*" cordon rm -l a
	for command in start stop restart kill wait pause unpause rm; do
		says 125 "cordon: $command wants a sandbox*" cordon "$command"
		says 125 "cordon: no sandbox is called nobody*cordon ps -a*" cordon "$command" nobody
	done
	says 0 "Usage: cordon stop *-t, --timeout SECONDS*-s, --signal SIGNAL*" cordon help stop
	[[ "$output" != *"--time "* ]]
}

@test "several at once: what worked is printed, and one that did not makes the exit code" {
	kept_start a -- sleep 600
	kept_start b -- sleep 600
	run -125 --separate-stderr cordon stop a nobody b
	[ "$output" = $'a\nb' ]
	run -125 --separate-stderr cordon start a nobody b
	[ "$output" = $'a\nb' ]
	run -125 --separate-stderr cordon rm -f a nobody b
	[ "$output" = $'a\nb' ]
	gives 0 "" cordon prune -f
}

@test "stop: the signal of the policy, or the one that is said; SIGKILL after the grace period" {
	kept_dir
	kept_start a "${out[@]}" -- sh -c "$asks"
	eventually grep -q ready "$dir/said"
	gives 0 a cordon stop a
	[ "$(tail -n 1 "$dir/said")" = TERM ]
	gives 0 7 cordon wait a
	gives 0 a cordon start -- a
	eventually ready_again 2
	gives 0 a cordon stop -s INT a
	[ "$(tail -n 1 "$dir/said")" = INT ]
	gives 0 8 cordon wait a
	# One that takes no notice. The control above ended long before its grace period.
	kept_start deaf "${out[@]}" -- sh -c 'trap "" TERM; echo ready >>/out/said; while :; do sleep 0.05; done'
	eventually ready_again 3
	gives 0 deaf cordon stop -t 0 deaf
	gives 0 137 cordon wait deaf
	kept_start deafer --set process.stop_grace_period=100ms "${out[@]}" -- \
		sh -c 'trap "" TERM; echo ready >>/out/said; while :; do sleep 0.05; done'
	eventually ready_again 4
	gives 0 deafer cordon stop deafer
	gives 0 137 cordon wait deafer
	# Stopping what does not run is no mistake.
	gives 0 deafer cordon stop deafer
}

@test "stop and rm -f do not wait for ever for a keeper that is stuck" {
	kept_start a -- sleep 600
	kept_pids a
	kill -STOP "$keeper"
	gives 0 a timeout 60 "$CORDON" --root "$CORDON_ROOT" stop -t 0 a
	kept_gone "$keeper"
	eventually kept_gone "$workload"
	gives 0 137 cordon wait a
	[ -z "$(ls "$CORDON_ROOT/run/runs")" ]
	grep -q '^kind keeper_lost$' "$CORDON_ROOT/state/sandboxes"/*/state
	# The next command works.
	gives 0 a cordon start a
	kept_pids a
	kill -STOP "$keeper"
	gives 0 a cordon rm -f a
}

@test "kill: everything at once, or one signal to the program" {
	kept_dir
	kept_start a "${out[@]}" -- sh -c "$asks"
	eventually grep -q ready "$dir/said"
	gives 0 a cordon kill --signal=INT a
	gives 0 8 cordon wait a
	[ "$(tail -n 1 "$dir/said")" = INT ]
	says 125 "cordon: sandbox a does not run: it is exited*" cordon kill a
	says 125 "cordon: sandbox a does not run: it is exited*" cordon kill -s INT a
	kept_start b -- sh -c 'trap "" TERM; setsid sleep 600 & sleep 600'
	kept_pids b
	gives 0 b cordon kill b
	eventually kept_gone "$workload"
	gives 0 137 cordon wait b
	# A process that has the number of one that is gone is not signalled.
	kept_start c -- sleep 600
	kept_pids c
	sed -i -E "s/^workload ([0-9]+) .*/workload \1 1/" "$CORDON_ROOT/run/sandboxes/$id/live"
	says 125 "cordon: signal its program: No such process*" cordon kill -s USR1 c
	gives 0 c cordon stop c
}

@test "wait: in order, until they have ended; also for one that removes itself" {
	kept_start a -- sh -c 'sleep 0.5; exit 3'
	kept_start b -- sh -c 'exit 4'
	gives 0 $'3\n4' cordon wait a b
	kept_start c --rm -- sh -c 'sleep 3; exit 5'
	gives 0 5 cordon wait c
	[ "$(ls "$CORDON_ROOT/state/names")" = $'a\nb' ]
	cordon create --name never -- true >/dev/null 2>&1
	gives 0 0 cordon wait never
}

@test "restart: what runs is ended in order first, what does not is started" {
	kept_dir
	kept_start a "${out[@]}" -- sh -c "$asks"
	eventually grep -q ready "$dir/said"
	run -0 --separate-stderr cordon restart -t 5 a
	[ "$output" = a ]
	eventually ready_again 2
	[ "$(tr '\n' ' ' <"$dir/said")" = "ready TERM ready " ]
	gives 0 a cordon stop a
	run -0 --separate-stderr cordon restart a
	eventually ready_again 3
	gives 0 a cordon rm -f a
}

@test "start again says that what was written is gone; start of what runs does nothing" {
	kept_start a --set rootfs.writable=tmpfs -- sleep 600
	run -0 --separate-stderr cordon start a
	[ -z "$stderr" ]
	gives 0 a cordon stop a
	run -0 --separate-stderr cordon start a
	[ "$output" = a ]
	[[ "$stderr" == "cordon: sandbox a: what it had written to its root was memory, and is gone"* ]]
}

@test "rename: at once, also while it runs; no name is taken twice" {
	kept_start was --set labels.kind=x -- sleep 600
	kept_start b -- sleep 600
	says 125 "cordon: the name b is taken by sandbox *" cordon rename was b
	says 125 "cordon: the sandbox has the name was already*" cordon rename was was
	says 125 "cordon: /x: no name for a sandbox*" cordon rename was /x
	says 125 "cordon: rename wants 2 words, and was given 1*" cordon rename was
	says 125 "cordon: rename wants a sandbox and its new name, but was given d*" cordon rename was c d
	gives 0 "" cordon rename was c
	says 125 "cordon: no sandbox is called was*" cordon stop was
	[ "$(ls "$CORDON_ROOT/state/names")" = $'b\nc' ]
	kept_start was -- sleep 600
	gives 0 $'c\nwas\nb' cordon stop c was b
	# All else of the record is as it was, and it can be started.
	gives 0 "" cordon rename c d
	run -0 --separate-stderr cordon start d
	cordon gc >/dev/null
	[ "$(ls "$CORDON_ROOT/state/names")" = $'b\nd\nwas' ]
	# One without a name gets one.
	id=$(cordon create -- true 2>/dev/null)
	gives 0 "" cordon rename "$id" e
	gives 0 e cordon rm e
}

@test "rename: of twelve at the same time one gets the name" {
	local i n=0 pids=()
	for ((i = 0; i < 12; i++)); do
		cordon create --name "s$i" -- true >/dev/null 2>&1
	done
	for ((i = 0; i < 12; i++)); do
		cordon rename "s$i" one 2>/dev/null 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		! wait "$i" || n=$((n + 1))
	done
	[ "$n" -eq 1 ]
	local names=("$CORDON_ROOT"/state/names/*)
	[ "${#names[@]}" -eq 12 ]
	[ "$(cat "$CORDON_ROOT"/state/sandboxes/*/record | grep -cx 'name one')" -eq 1 ]
	gives 0 one cordon rm one
}

@test "rm: what runs stays, but for -f; a damaged record can be removed" {
	kept_start a -- sleep 600
	kept_pids a
	says 125 "cordon: sandbox a runs*cordon rm -f a*" cordon rm a
	[ -d "/proc/$workload" ]
	gives 0 a cordon rm -f a
	eventually kept_gone "$workload"
	says 125 "cordon: no sandbox is called a*" cordon rm -f a
	kept_start b --rm -- sleep 600
	gives 0 b cordon rm -f b
	id=$(cordon create -- true 2>/dev/null)
	echo cordon-record 99 >"$CORDON_ROOT/state/sandboxes/$id/record"
	gives 0 "$id" cordon rm -f "$id"
	kept_no_record
}

@test "prune: asks on a terminal, and takes no for an answer" {
	need script
	cordon create --name a -- true >/dev/null 2>&1
	run script -qec "'$CORDON' --root '$CORDON_ROOT' prune" /dev/null <<<n
	[[ "$output" == *"remove all sandboxes that do not run"*"[y/N]"* ]]
	[ -e "$CORDON_ROOT/state/names/a" ] || [ -L "$CORDON_ROOT/state/names/a" ]
	run script -qec "'$CORDON' --root '$CORDON_ROOT' prune" /dev/null <<<y
	kept_no_record
}

@test "stop and kill: also one that runs in the foreground under its name" {
	local end code
	kept_dir
	for end in "stop -t 20" kill; do
		"$CORDON" --root "$CORDON_ROOT" run --name a "${out[@]}" -- \
			sh -c 'trap "exit 9" TERM; echo >/out/ready; while :; do sleep 0.05; done' 3>&- &
		eventually test -e "$dir/ready"
		rm "$dir/ready"
		# Words on purpose.
		# shellcheck disable=SC2086
		gives 0 a cordon $end a
		code=0
		wait $! || code=$?
		[ "$code" -eq "$([ "$end" = kill ] && echo 137 || echo 9)" ]
		gives 0 a cordon rm a
	done
}

@test "prune: what does not run and passes the filters; asks, or takes -f" {
	cordon create --name old --set labels.kind=job --set labels.stage=1 -- true >/dev/null 2>&1
	cordon create --name plain -- true >/dev/null 2>&1
	kept_start runs --set labels.kind=job -- sleep 600
	says 125 "cordon: prune asks*cordon prune -f*" cordon prune </dev/null
	says 125 "cordon: prune takes no arguments*" cordon prune old
	says 125 "cordon: --filter colour=red: no filter of prune*" cordon prune -f --filter colour=red
	says 125 "cordon: --filter until=soon: no filter of prune*" cordon prune -f --filter until=soon
	gives 0 "" cordon prune -f --filter until=1h
	gives 0 "" cordon prune -f --filter until=2020-01-01T00:00:00
	gives 0 "" cordon prune -f --filter label=kind=other
	gives 0 "" cordon prune -f --filter label=kind --filter label=stage=2
	old=$(readlink "$CORDON_ROOT/state/names/old") plain=$(readlink "$CORDON_ROOT/state/names/plain")
	gives 0 "$plain" cordon prune -f --filter 'label!=kind'
	gives 0 "$old" cordon prune --force --filter label=kind=job --filter until=1ms
	gives 0 "" cordon prune -f
	gives 0 runs cordon stop runs
	run -0 cordon prune -f
	kept_no_record
}
