#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a sandbox in the background prints is kept, and `cordon logs` shows it.

load ../lib/cordon
load ../lib/attack

# The records lie below the root; only its run half has to be empty.
teardown() {
	local id
	for id in $(kept_ids); do
		cordon stop "$id" >/dev/null
		[ ! -d "$CORDON_ROOT/state/sandboxes/$id" ] || cordon rm "$id" >/dev/null
	done
	[ ! -d "$CORDON_ROOT/run/sandboxes" ] || rmdir "$CORDON_ROOT/run/sandboxes"
	cordon_teardown
}

kept_ids() {
	find "$CORDON_ROOT"/state/sandboxes "$CORDON_ROOT"/run/sandboxes -mindepth 1 -maxdepth 1 -type d \
		-printf '%f\n' 2>/dev/null | sort -u
}

# Sets id.
start() { # SCRIPT [FLAG...]
	id=$(cordon run -d "${@:2}" -- sh -c "$1")
}

has_ended() {
	[ ! -e "$CORDON_ROOT/run/sandboxes/$id/live" ]
}

# A fifo, open at 6: where the sandbox is dead, nobody waits for its other end.
hold() { # FIFO
	mkfifo "$1"
	exec 6<>"$1"
}

recorder() {
	local pid
	pid=$(pgrep -P "$(sed -n 's/^launcher \([0-9]*\) .*/\1/p' "$CORDON_ROOT/run/sandboxes/$id/live")" -f cordon-recorder)
	echo "$pid"
}

@test "logs: stdout to stdout, stderr to stderr, in order, while it runs and afterwards" {
	start 'echo one; echo two >&2; echo three; cat'
	eventually has_ended
	[ "$(cordon logs "$id" 2>/dev/null)" = $'one\nthree' ]
	[ "$(cordon logs "$id" 2>&1 >/dev/null)" = two ]
	# Two pipes: between them there is no order.
	[ "$(cordon logs "$id" 2>&1 | sort)" = $'one\nthree\ntwo' ]
	[ "$(cordon logs --stderr "$id" 2>&1)" = two ]
	[ "$(cordon logs --stdout "$id" 2>&1)" = $'one\nthree' ]
}

@test "logs: a sandbox that runs is looked at without waiting for it" {
	start 'echo first; sleep 60'
	eventually cordon_says first
	run -0 timeout 10 "$CORDON" --root "$CORDON_ROOT" logs "$id"
	[ "$output" = first ]
}

cordon_says() { # TEXT
	[ "$(cordon logs "$id" 2>&1)" = "$1" ]
}

@test "logs: binary output is intact" {
	start 'head -c 300000 /dev/urandom >/tmp/bytes; cat /tmp/bytes >&2; sha256sum </tmp/bytes >&2' --tmpfs /tmp
	eventually has_ended
	cordon logs "$id" >out 2>err
	# What it said of its own bytes stands behind them.
	[ "$(wc -c <err)" -gt 300000 ]
	head -c 300000 err >bytes
	[ "$(sha256sum <bytes)" = "$(tail -c +300001 err)" ]
}

@test "logs: --tail, --since, --until, --timestamps" {
	start 'for i in 1 2 3; do echo "line $i"; done; printf half'
	eventually has_ended
	gives 0 $'line 3\nhalf' cordon logs --tail 2 "$id"
	gives 0 $'line 3\nhalf' cordon logs -n2 "$id"
	gives 0 "" cordon logs --tail=0 "$id"
	gives 0 $'line 1\nline 2\nline 3\nhalf' cordon logs --tail all "$id"
	gives 0 $'line 1\nline 2\nline 3\nhalf' cordon logs --since 10m "$id"
	gives 0 "" cordon logs --since "$(($(date +%s) + 100))" "$id"
	gives 0 "" cordon logs --until 10m "$id"
	run -0 cordon logs -t -n 1 "$id"
	[[ "$output" =~ ^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{9}Z\ half$ ]]
	says 125 "cordon: --since yesterday: not a moment*" cordon logs --since yesterday "$id"
	says 125 "cordon: --tail some: not a number of lines*" cordon logs --tail some "$id"
	says 125 "cordon: logs wants one sandbox*" cordon logs
	says 125 "cordon: no sandbox is called nobody*" cordon logs nobody
	says 125 "cordon: --env is not a flag of logs*" cordon logs -e A=b "$id"
	says 125 "cordon: unknown flag --tail*" cordon run --tail 5 -- true
}

@test "logs -f: shows what comes until the sandbox has ended" {
	hold go
	start 'echo before; read -r x <go; echo after' --ro "$PWD"
	(cordon logs -f "$id" >followed 2>&1 3>&- 6>&-) &
	eventually grep -q before followed
	run -1 grep after followed
	echo >&6
	wait $!
	[ "$(cat followed)" = $'before\nafter' ]
}

@test "logs: another start goes on in the same files; rm removes them" {
	start 'echo again'
	eventually has_ended
	gives 0 "$id" cordon start "$id"
	eventually cordon_says $'again\nagain'
	eventually has_ended
	[ "$(stat -c %a "$CORDON_ROOT/state/sandboxes/$id/log.0")" = 600 ]
	cordon rm "$id"
	[ ! -e "$CORDON_ROOT/state/sandboxes/$id" ]
}

@test "logs: a flood fills what logging allows and no more, and its end is there" {
	local size
	start 'yes 0123456789 | head -n 1000000; echo the end' --set 'logging={max_size: 64KiB, max_files: 3}'
	eventually has_ended
	size=$(cat "$CORDON_ROOT/state/sandboxes/$id"/log.* | wc -c)
	[ "$size" -gt 100000 ]
	[ "$size" -le $((3 * 65536)) ]
	[ "$(find "$CORDON_ROOT/state/sandboxes/$id" -name 'log.*' | wc -l)" -eq 3 ]
	[ "$(cordon logs --tail 1 "$id")" = "the end" ]
}

@test "logs: sizes that make no sense are refused" {
	says 125 "*logging.max_size cannot be '1KiB'*64KiB or more*" cordon run --set logging.max_size=1KiB -- true
	says 125 "*logging.max_size cannot be '2GiB'*" cordon run --set logging.max_size=2GiB -- true
	says 125 "*logging.max_files cannot be '0'*1 to 8*" cordon run --set logging.max_files=0 -- true
	says 125 "*logging.max_files cannot be '9'*" cordon run --set logging.max_files=9 -- true
	gives 0 "" cordon run --set logging.max_files=8 --set logging.max_size=1GiB -- true
}

@test "logs: limits.output counts what goes to a log" {
	start 'yes' --set limits.output=10000
	eventually has_ended
	grep -qx 'kind output' "$CORDON_ROOT/state/sandboxes/$id/state"
	[ "$(cordon logs "$id" | wc -c)" -eq 10000 ]
}

@test "logs: the recorder has no right that a program could want" {
	local pid
	start 'sleep 60'
	pid=$(recorder)
	[ "$(awk '/^(CapEff|CapPrm|CapBnd|NoNewPrivs|Seccomp):/ { print $2 }' "/proc/$pid/status" | tr '\n' ' ')" = \
		"0000000000000000 0000000000000000 $(is_root && echo 0000000000000000 || awk '/^CapBnd:/ { print $2 }' /proc/self/status) 1 2 " ]
	[ "$(awk '/^VmRSS:/ { print $2 }' "/proc/$pid/status")" -lt 1024 ]
	if is_root; then
		[ "$(awk '/^Uid:/ { print $2 }' "/proc/$pid/status")" -gt 100000 ]
		[ "$(find "/proc/$pid/fd" -mindepth 1 | wc -l)" -eq 5 ]
	fi
}

@test "logs: a recorder that dies neither ends nor stops the program, and that is written down" {
	hold go
	# More than a pipe holds: without somebody who takes it, it would wait for ever.
	start 'echo kept; read -r x <go; yes | head -c 300000; read -r x <go; exit 7' --ro "$PWD"
	eventually cordon_says kept
	kill -9 "$(recorder)"
	eventually grep -qx 'is_output_lost 1' "$CORDON_ROOT/state/sandboxes/$id/state"
	cordon inspect "$id" | jq -e '.[0].output_lost == true and .[0].state == "running"' >/dev/null
	printf '\n\n' >&6
	eventually has_ended
	grep -qx 'exit_code 7' "$CORDON_ROOT/state/sandboxes/$id/state"
	says 0 $'kept\ncordon: what it printed last was not kept*' cordon logs "$id"
	# It is kept again with the next start.
	gives 0 "$id" cordon start "$id"
	eventually grep -qx 'is_running 1' "$CORDON_ROOT/state/sandboxes/$id/state"
	eventually cordon_says $'kept\nkept'
	printf '\n\n' >&6
	eventually has_ended
	run -1 grep is_output_lost "$CORDON_ROOT/state/sandboxes/$id/state"
}

@test "logs: where it counts for limits.output, its death is the end" {
	start 'sleep 60' --set limits.output=1MiB
	kill -9 "$(recorder)"
	eventually has_ended
	grep -qx 'kind setup_failed' "$CORDON_ROOT/state/sandboxes/$id/state"
	grep -q "^text .*recorder ended unexpectedly" "$CORDON_ROOT/state/sandboxes/$id/state"
}

@test "logs: a recorder that hangs is given up, and the program goes on" {
	CORDON=$FAULTY
	hold go
	start 'read -r x <go; yes | head -c 300000; exit 7' --ro "$PWD"
	kill -STOP "$(recorder)"
	echo >&6
	eventually has_ended
	grep -qx 'exit_code 7' "$CORDON_ROOT/state/sandboxes/$id/state"
	grep -qx 'is_output_lost 1' "$CORDON_ROOT/state/sandboxes/$id/state"
}

@test "logs: kill -9 of the keeper loses nothing of what was printed" {
	start 'echo printed; sleep 60'
	eventually cordon_says printed
	kill -9 "$(sed -n 's/^keeper \([0-9]*\) .*/\1/p' "$CORDON_ROOT/run/sandboxes/$id/live")"
	run -0 --separate-stderr cordon logs "$id"
	[ "$output" = printed ]
	run -0 cordon gc
}

@test "logs: of --rm they lie in the run root, and go with it" {
	start 'echo short; sleep 60' --rm
	[ -e "$CORDON_ROOT/run/sandboxes/$id/log.0" ]
	[ ! -e "$CORDON_ROOT/state/sandboxes/$id" ]
}

# bats test_tags=root
@test "logs: a full disk stops nobody, and what is missing is said" {
	mkdir small
	mount -t tmpfs -o size=64k,mode=0700 none small
	CORDON_ROOT=$PWD/small/root
	run -0 cordon run -d --name full -- sh -c 'yes | head -c 400000; echo the end; exit 5'
	id=full
	eventually sh -c "! [ -e '$PWD'/small/root/run/sandboxes/*/live ]"
	run -0 cordon logs --tail 1 full
	[[ "$output" == *"could not be written to the log, whose disk was full"* ]]
	cordon rm full
	eventually umount small
}
