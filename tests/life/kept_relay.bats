#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Who passes a sandbox's output on (monitor or recorder) dies, or hangs: what ps and inspect say of it, and
# that commands and limits hold all the same.

load ../lib/cordon
load ../lib/attack
load ../lib/kept
load ../lib/tmux

teardown() {
	local rc=0
	kept_end || rc=1
	tmux_stop || rc=1
	return "$rc"
}

# A run in the foreground whose output is counted. Sets client and monitor.
counted() { # FLAG...
	"$CORDON" --root "$CORDON_ROOT" run --name f --set limits.output=1GiB "$@" -- sh -c 'echo ready; exec yes' >out 2>note 3>&- &
	client=$!
	eventually grep -qx ready out
	monitor=$(pgrep -P "$client" cordon-monitor)
}

ends_with() { # CODE
	local code=0
	wait "$client" || code=$?
	[ "$code" -eq "$1" ] || { echo "exit code $code, wanted $1"; cat note; return 1; }
}

# FIELDS of `cordon inspect`, in one line.
inspected() { # NAME FIELDS
	cordon inspect "$1" | jq -c ".[0] | [$2]"
}

says_of() { # NAME FIELDS WANTED
	[ "$(inspected "$1" "$2")" = "$3" ] || { inspected "$1" "$2"; return 1; }
}

listed() { # NAME
	cordon ps -a --filter "name=$1" --format '{{.State}}: {{.Status}}'
}

recorder() { # NAME
	kept_pids "$1"
	pgrep -P "$(sed -n 's/^launcher \([0-9]*\) .*/\1/p' "$CORDON_ROOT/run/sandboxes/$id/live")" -f cordon-recorder
}

stands_still() { # FILE
	local size
	size=$(stat -c %s "$1")
	sleep 0.5
	[ "$(stat -c %s "$1")" -eq "$size" ]
}

@test "relay: a monitor that dies is the end of the run, and the record says why" {
	need jq
	counted
	says_of f '.state, .exit_code' '["running",null]'
	kill -9 "$monitor"
	ends_with 125
	grep -q "^cordon: the output's relay ended unexpectedly" note
	says_of f '.state, .exit_code, (.error // .reason | test("relay ended unexpectedly"))' '["exited",125,true]'
	[[ "$(listed f)" == "exited: Exited (125)"* ]]
}

@test "relay: a monitor that hangs lets nothing through, and stop, kill and limits.wall_time hold" {
	need jq
	local way code
	for way in 'stop -t 1' kill; do
		code=143
		[ "$way" != kill ] || code=137
		counted
		kill -STOP "$monitor"
		# What is not counted does not pass. The program waits, and the sandbox is what it was.
		eventually stands_still out
		says_of f '.state' '["running"]'
		[[ "$(listed f)" == "running: Up "* ]]
		# Words on purpose.
		# shellcheck disable=SC2086
		cordon $way f >/dev/null
		# By its keeper, which nobody had to kill.
		ends_with "$code"
		kept_gone "$monitor"
		says_of f '.state, .exit_code, .lost' "[\"exited\",$code,false]"
		cordon rm f >/dev/null
	done
	counted --timeout 3s
	kill -STOP "$monitor"
	ends_with 137
	kept_gone "$monitor"
	says_of f '.kind' '["wall_time"]'
}

@test "relay: a monitor that hangs leaves the terminal as it was, when the sandbox is stopped" {
	tmux_start
	# In the foreground, since it has a report.
	type_line '$C run -it --name f --report $T/report -- sh -c "echo ready; exec sleep 60"; echo "rc=$?"'
	shows '^ready$'
	relayed
	monitor_of_shell
	kill -STOP "$monitor"
	cordon stop -t 1 f >/dev/null
	shows '^rc=143$'
	at_prompt
	[[ "$(pane_modes)" != *-isig* ]]
	kept_gone "$monitor"
}

# The test build asks more often.
@test "relay: a recorder that dies or hangs is told of by inspect while the sandbox goes on" {
	need jq
	local how
	CORDON=$FAULTY
	for how in KILL STOP; do
		kept_start "$how" -- sh -c 'echo ready; exec sleep 60'
		says_of "$how" '.state, .output_lost' '["running",false]'
		kill "-$how" "$(recorder "$how")"
		eventually says_of "$how" '.state, .output_lost' '["running",true]'
		[[ "$(listed "$how")" == "running: Up "* ]]
	done
	# The control: one whose recorder is there.
	kept_start well -- sleep 60
	says_of well '.state, .output_lost' '["running",false]'
}
