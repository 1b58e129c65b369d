#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# cordon inspect: what it says of sandboxes in each state, that the schema knows it, and parts of it.

load ../lib/cordon
load ../lib/attack
load ../lib/listed

SCHEMA=$repo/docs/inspect.schema.json

# The document of SANDBOX... is in the file `document`, and as the schema says.
inspects() { # SANDBOX...
	cordon inspect "$@" >document && python3 "$repo/tests/lib/schema.py" "$SCHEMA" document
}

field() { # FILTER-OF-JQ
	jq -c ".[0] | $1" document
}

@test "inspect: a sandbox that was never started" {
	mkdir shown
	cordon create --name web --ro shown --set labels.tier=front --set restart=on-failure:3 -- sleep 60 >id
	inspects web
	[ "$(field .id)" = "\"$(cat id)\"" ]
	[ "$(field '[.name, .state, .error, .lost, .restarts, .restart]')" = '["web","created",null,false,0,"on-failure:3"]' ]
	[ "$(field '[.supervisor_pid, .init_pid, .started_at, .finished_at, .exit_code, .result]')" = '[null,null,null,null,null,null]' ]
	[ "$(field '[.command, .labels, .cwd, .rootfs]')" = "[[\"sleep\",\"60\"],{\"tier\":\"front\"},\"$PWD\",\"host\"]" ]
	[ "$(field '.mounts[] | select(.type == "bind") | {type, source, target, read_only}')" = "{\"type\":\"bind\",\"source\":\"$PWD/shown\",\"target\":\"$PWD/shown\",\"read_only\":true}" ]
	[ "$(field '[.volumes, .networks, .cgroups]')" = '[[],{},[]]' ]
	[ "$(field '.id_block != null')" = "$(is_root && echo true || echo false)" ]
	[ "$(field '[.spec.ok, .spec_error]')" = '[true,null]' ]
}

@test "inspect: one that runs, and has ended" {
	cordon run -d --name web -- sh -c 'sleep 60; exit 4' >/dev/null
	inspects web
	[ "$(field '[.state, .exit_code, .finished_at]')" = '["running",null,null]' ]
	[ "$(cat "/proc/$(field .workload_pid)/comm")" = sh ]
	[ "$(ps -o ppid= -p "$(field .workload_pid)" | tr -d ' ')" -eq "$(field .init_pid)" ]
	[[ "$(cat "/proc/$(field .supervisor_pid)/comm")" == cordon* ]]
	[ -d "$CORDON_ROOT/run/runs/$(field .run_id | tr -d '"')" ]
	pkill -P "$(field .workload_pid)" -x sleep
	ended web
	inspects web
	[ "$(field '[.state, .exit_code, .kind, .reason, .supervisor_pid]')" = '["exited",4,"exited",null,null]' ]
	[ "$(field '.finished_at >= .started_at and .started_at >= .created_at')" = true ]
	field .result >result
	python3 "$repo/tests/lib/schema.py" "$repo/docs/result.schema.json" result
}

@test "inspect: why it ended" {
	cordon run -d --name timed --timeout 200ms -- sleep 60 >/dev/null
	cordon run -d --name killed -- sleep 60 >/dev/null
	kill -9 "$(cordon inspect --format '{{.supervisor_pid}}' killed)"
	ended timed && ended killed
	inspects timed
	[ "$(field '[.exit_code, .kind, .reason, .lost]')" = '[137,"wall_time","limits.wall_time",false]' ]
	inspects killed
	[ "$(field '[.exit_code, .kind, .reason, .lost]')" = '[137,"keeper_lost","its keeper was killed, and the sandbox with it",true]' ]
	# The machine went down: the state is of another boot.
	sed -i "s/^boot_id .*/boot_id 00000000-0000-0000-0000-000000000000/" "$(record_dir killed)/state"
	inspects killed
	[ "$(field '[.kind, .reason, .lost]')" = '["power_lost","the machine went down while it ran",true]' ]
}

@test "inspect: one between two starts" {
	cordon run -d --name again --set restart=always -- sh -c 'exit 3' >/dev/null
	eventually is_state restarting again
	is_between() { inspects again && [ "$(field '[.state, .exit_code, .next_start_at > .finished_at]')" = '["restarting",3,true]' ]; }
	eventually is_between
	has_restarted() { [ "$(cordon inspect --format '{{.restarts}}' again)" -ge 2 ]; }
	eventually has_restarted
}

@test "inspect: by name, id, the beginning of an id; what is not there is an error, and the rest is printed" {
	local id other
	cordon create --name web -- true >/dev/null
	cordon create -- true >/dev/null
	id=$(cordon inspect --format '{{.id}}' web)
	gives 0 web cordon inspect --format '{{.name}}' "$id"
	gives 0 web cordon inspect --format '{{.name}}' "${id:0:8}"
	run -125 --separate-stderr cordon inspect nobody web
	[ "$(jq -r '.[].name' <<<"$output")" = web ]
	[[ "$stderr" == "cordon: no sandbox is called nobody"* ]]
	run -125 --separate-stderr cordon inspect nobody
	[ "$output" = "[]" ]
	says 125 "cordon: inspect wants a sandbox*" cordon inspect
	# Of an id's beginning that two have.
	other=${id:0:15}$([[ $id == *0 ]] && echo 1 || echo 0)
	mkdir "$CORDON_ROOT/state/sandboxes/$other"
	says 125 "*begins the id of more than one sandbox*" cordon inspect "${id:0:15}"
	rmdir "$CORDON_ROOT/state/sandboxes/$other"
}

@test "inspect: spec is what explain --json says" {
	mkdir shown
	cordon create --name web --ro shown --profile strict -e A=b -- sleep 60 >/dev/null
	inspects web
	# With descriptors 0 to 2 that are no files, as a keeper has them; rows of the monitor's apart.
	cordon explain --json --ro shown --profile strict -e A=b -- sleep 60 </dev/null 2>/dev/null | cat >explained
	diff <(jq -S 'del(.schema, .steps)' explained) <(jq -S '.[0].spec | del(.steps)' document)
	[ "$(field '.files[-1].digest')" = "$(field '.spec.profiles[0].digest')" ]
	[ "$(field '[.files[].path] | sort')" = "$(field '[.spec.profiles[].path] | sort')" ]
}

@test "inspect: one that this host could not start any more" {
	mkdir shown there
	(cd there && cordon create --name web --ro ../shown -- sleep 60 >/dev/null)
	rmdir shown
	inspects web
	[ "$(field '.spec.ok')" = false ]
	[[ "$(field '.spec.missing[0].text')" == *"$PWD/shown"* ]]
	[ "$(field '.spec.values | length > 10')" = true ]
	# The directory that relative paths began in is gone: nothing can be resolved.
	rmdir there
	inspects web
	[ "$(field '.spec')" = null ]
	[[ "$(field '.spec_error')" == *"$PWD/there, where sandbox"* ]]
	[ "$(field '.mounts')" = '[]' ]
}

@test "inspect: a damaged record, state, result" {
	local dir
	cordon run -d --name web -- sh -c 'exit 3' >/dev/null
	ended web
	dir=$(record_dir web)
	cp "$dir/record" record
	cp "$dir/state" state
	: >"$dir/record"
	run -125 --separate-stderr cordon inspect "$(basename "$dir")"
	printf '%s\n' "$output" >document
	python3 "$repo/tests/lib/schema.py" "$SCHEMA" document
	[ "$(field '[.state, .name, .exit_code, .spec, .spec_error]')" = '["damaged",null,3,null,"its record cannot be read"]' ]
	[[ "$(field .error)" == *"$dir/record"* && "$stderr" == "cordon: $dir/record"* ]]
	cp record "$dir/record"
	head -n 3 state >"$dir/state"
	run -125 --separate-stderr cordon inspect web
	printf '%s\n' "$output" >document
	python3 "$repo/tests/lib/schema.py" "$SCHEMA" document
	[ "$(field '[.state, .name, .exit_code, .started_at]')" = '["damaged","web",null,null]' ]
	# No text of a file gets into the document but as JSON.
	sed 's/^result .*/result {"limit": "x"}, "evil": 1/' state >"$dir/state"
	inspects web
	[ "$(field '[.result, .reason]')" = '[null,null]' ]
	sed 's/^result .*/result {"limit": "%c2%9b1m"}/' state >"$dir/state"
	inspects web
	run -1 env LC_ALL=C grep -q $'\xc2\x9b' document
	[ "$(jq -r '.[0].result.limit' document)" = $'\xc2\x9b1m' ]
	cp state "$dir/state"
}

@test "inspect: --format" {
	cordon create --name web --set labels.a=b -- true $'\e[1m' >/dev/null
	cordon run -d --name job -- sh -c 'exit 3' >/dev/null
	ended job
	gives 0 $'web created \njob exited 3' sh -c "'$CORDON' --root '$CORDON_ROOT' inspect --format '{{.name}} {{.state}} {{.result.exit_code}}' web job |
		sed 's/ null\$/ /'"
	gives 0 '{"a":"b"}' cordon inspect -f '{{json .labels}}' web
	gives 0 $'true\tb' cordon inspect -f '{{.spec.ok}}\t{{.labels.a}}' web
	gives 0 '["true","\u001b[1m"]' cordon inspect -f '{{.command}}' web
	[ "$(cordon inspect -f '{{json .}}' web | jq -r .name)" = web ]
	[ "$(cordon inspect --json web | jq -c .)" = "$(cordon inspect web | jq -c .)" ]
	says 125 "cordon: --format: there is no .Stage*Known there: id, name, state*" cordon inspect -f '{{.Stage.Pid}}' web
	says 125 "cordon: --format: there is no .spec.oak*Known there: ok, problems*" cordon inspect -f '{{.spec.oak}}' web
	says 125 "cordon: --format: there is no .name.x*it has no parts*" cordon inspect -f '{{.name.x}}' web
	says 125 "cordon: --format: {{index .command 0}} is not known*" cordon inspect -f '{{index .command 0}}' web
	says 125 "cordon: --format: {{.Label}} is not known*" cordon inspect -f '{{.Label "a"}}' web
	says 125 "cordon: unknown flag --fromat of inspect*Did you mean --format*" cordon inspect --fromat x web
	says 0 "Usage: cordon inspect*-f, --format TEXT*" cordon help inspect
}

@test "inspect --format: Docker's names of fields that are here" {
	local field ours
	id=$(cordon run -d --name web --label a=b -- sleep 60 3>&-)
	for field in Id=id Name=name State.Status=state State.Pid=workload_pid State.StartedAt=started_at RestartCount=restarts \
		Created=created_at State.ExitCode=exit_code State.FinishedAt=finished_at State.Error=reason; do
		ours=$(cordon inspect --format "{{.${field#*=}}}" web)
		gives 0 "$ours" cordon inspect --format "{{.${field%%=*}}}" web
	done
	gives 0 '{"a":"b"} ["sleep","60"]' cordon inspect --format '{{json .Config.Labels}} {{json .Config.Cmd}}' web
	gives 0 "true false false false" cordon inspect --format \
		'{{.State.Running}} {{.State.Paused}} {{.State.Restarting}} {{.State.OOMKilled}}' web
	cordon stop -t 0 web >/dev/null
	gives 0 "exited false 137" cordon inspect --format '{{.State.Status}} {{.State.Running}} {{.State.ExitCode}}' web
	# What there is not is still said.
	says 125 "cordon: --format: there is no .State*" cordon inspect --format '{{.State.Health}}' web
	gives 0 web cordon rm web
}
