#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# --status-fd and --report: what a machine reads.

load ../lib/cordon
load ../lib/attack

FIELDS='["access_denials","access_denials_not_listed","caller_signal","cpu_ms","cpu_system_ms","cpu_user_ms","denials","denials_not_listed","egress_denials","egress_denials_not_listed","egress_names_denied","egress_names_denied_not_listed","error","exit_code","io_read_bytes","io_write_bytes","kind","limit","memory_peak_bytes","not_enforced","oom_kills","output_bytes","pids_peak","pids_refused","profiles","schema","signal","waivers","wall_ms"]'

@test "report: valid JSON with every field, null for what was not measured" {
	need jq
	run -7 inside 'exit 7' --report report
	[ "$(jq -c keys report)" = "$FIELDS" ]
	[ "$(jq -c '[.schema, .kind, .exit_code, .signal, .limit, .error]' report)" = \
		'["cordon.result/1","exited",7,null,null,null]' ]
	[ "$(jq -c '[.memory_peak_bytes, .pids_peak, .waivers, .not_enforced]' report)" = '[null,null,[],[]]' ]
	jq -e '.wall_ms >= 0 and .cpu_user_ms >= 0 and .cpu_system_ms >= 0' report
	[ "$(jq -c '[.profiles[].path]' report)" = '["profile base","profile default"]' ]
	jq -e '.profiles | all(.digest | test("^sha256:[0-9a-f]{64}$"))' report
}

@test "report: how it ended: signal, wall_time, setup_failed" {
	need jq
	run -139 inside 'kill -SEGV $$' --report report
	[ "$(jq -c '[.kind, .exit_code, .signal, .limit]' report)" = '["signalled",null,11,null]' ]
	run -137 cordon run --report report --timeout 300ms -- sleep 20
	[ "$(jq -c '[.kind, .exit_code, .signal, .limit]' report)" = '["wall_time",null,9,"limits.wall_time"]' ]
	jq -e '.wall_ms >= 300 and .wall_ms < 10000' report
	run -125 cordon run --report report --ro /no/such/path -- true
	[ "$(jq -c '[.kind, .exit_code, .wall_ms, .cpu_user_ms]' report)" = '["setup_failed",125,null,null]' ]
	[[ "$(jq -r .error report)" == "/no/such/path: No such file or directory"* ]]
	run -125 cordon run --report report --set limits.nprox=1 -- true
	[ "$(jq -c '[.kind, .exit_code]' report)" = '["setup_failed",125]' ]
	run -127 cordon run --report report -- no-such-program
	[ "$(jq -c '[.kind, .exit_code]' report)" = '["setup_failed",127]' ]
	run -127 cordon run --report report -- /no/such/program
	[ "$(jq -c '[.kind, .exit_code]' report)" = '["setup_failed",127]' ]
}

@test "report: takes the place of an older report and of nothing else" {
	mkfifo fifo
	ln -s old link
	for taken in fifo link /dev/stdout . - ./; do
		says 125 "cordon: --report $taken: that is no regular file*--status-fd*" \
			cordon run --report "$taken" -- true
	done
	[ -p fifo ] && [ -L link ] && [ ! -e old ] && [ ! -e - ]
	echo old >old
	run -0 cordon run --report old -- true
	[ "$(jq -r .kind old)" = exited ]
}

@test "report: time is measured: a program that computes has used its processor" {
	need jq
	run -0 inside 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done' --report report
	jq -e '.cpu_user_ms >= 20 and .wall_ms >= .cpu_user_ms - 20' report
}

@test "report: waivers stand in it, and are printed" {
	need jq
	gives 0 "cordon: waived: seccomp.call:unshare (a test)" \
		cordon run --report report --waive 'seccomp.call:unshare=a test' -- true
	[ "$(jq -c .waivers report)" = '[{"name":"seccomp.call:unshare","reason":"a test"}]' ]
	# What was given up is never silent.
	gives 0 "cordon: waived: seccomp.call:unshare (a test)" \
		cordon run -q --waive 'seccomp.call:unshare=a test' -- true
}

@test "report: it appears whole and at once, and replaces an older one" {
	need jq
	echo old >report
	"$CORDON" --root "$CORDON_ROOT" run --report report -- sleep 3 3>&- &
	sleep 0.3
	[ "$(ls -A)" = report ]
	[ "$(cat report)" = old ]
	wait $!
	[ "$(jq -r .kind report)" = exited ]
	[ "$(ls -A)" = report ]
}

@test "report: a path that cannot be written is refused before anything runs" {
	local path
	for path in /no/such/dir/report "$PWD/" /proc/report; do
		says 125 "cordon: --report $path: *" cordon run --report "$path" --rw . -- touch "$PWD/ran"
		[ ! -e ran ]
	done
	mkdir closed
	chmod 0555 closed
	is_root || says 125 "cordon: --report closed/report: Permission denied" \
		cordon run --report closed/report -- true
}

@test "status: started with the program's pid, then the result, one JSON document a line" {
	need jq
	run -3 inside 'exit 3' --status-fd 7 7>status
	[ "$(wc -l <status)" -eq 2 ]
	[ "$(head -n 1 status | jq -c '[.event, (.pid > 1)]')" = '["started",true]' ]
	[ "$(tail -n 1 status | jq -c '[.schema, .kind, .exit_code]')" = '["cordon.result/1","exited",3]' ]
	[ "$(tail -n 1 status | jq -c keys)" = "$FIELDS" ]
	# The pid is the program's as the caller sees it.
	: >status
	"$CORDON" --root "$CORDON_ROOT" run --status-fd 7 -- sleep 20 7>status 3>&- &
	eventually grep -q '"started"' status
	[ "$(cat "/proc/$(jq .pid status)/comm")" = sleep ]
	kill $!
	wait $! || [ $? -eq 143 ]
}

@test "status: a program that does not start has no started event" {
	need jq
	run -127 cordon run --status-fd 7 -- no-such-program 7>status
	[ "$(jq -c '[.kind, .exit_code]' status)" = '["setup_failed",127]' ]
}

@test "status: a descriptor that is not open is refused" {
	says 125 "cordon: --status-fd 9: not an open descriptor*" cordon run --status-fd 9 -- true
	says 125 "cordon: --status-fd x: not an open descriptor*" cordon run --status-fd x -- true
}

@test "report: a mistake of the command line replaces an older one; before --report it cannot" {
	gives 0 "" cordon run --report "$PWD/report" -- true
	says 125 "cordon: unknown flag --timout*" cordon run --report "$PWD/report" --timout 5s -- true
	[ "$(jq -c '[.kind, .exit_code]' report)" = '["setup_failed",125]' ] ||
		{ cat report; return 1; }
	[[ "$(jq -r .error report)" == "unknown flag --timout"* ]]
	says 125 "cordon: no program to run*" cordon run --report "$PWD/report"
	[ "$(jq -r .error report)" = "no program to run" ]
}
