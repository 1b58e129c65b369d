#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A volume that is copied while sandboxes use it: they stand still meanwhile, and go on whatever happens.

load ../lib/cordon
load ../lib/attack
load ../lib/groups
load ../lib/kept

setup() {
	cordon_setup
	CORDON_ROOT=$BATS_TEST_TMPDIR.root
	cd "$BATS_TEST_TMPDIR" || return
	own_groups
}

teardown() { release && kept_end && own_groups_end; }

counts='i=0; while :; do i=$((i + 1)); echo $i >/vol/n.new; mv /vol/n.new /vol/n; echo $i >/out/n.new; mv /out/n.new /out/n; sleep 0.02; done'
volume_dir() { echo "$CORDON_ROOT/state/volumes/one"; }
state_of() { cordon inspect --format '{{.state}}' a; }
is_paused() { [ "$(state_of)" = paused ]; }
is_running() { [ "$(state_of)" = running ]; }

counts_on() {
	local before
	before=$(<"$dir/n")
	sleep 0.3
	[ "$(<"$dir/n")" != "$before" ]
}

# A volume with more in it than a pipe holds, and a sandbox that uses it.
in_use() {
	cordon run -q -v one:/vol -- sh -c 'head -c 3000000 /dev/zero >/vol/long'
	kept_dir
	kept_start a --cgroup-parent "$group" "${out[@]}" -v one:/vol -- sh -c "$counts"
	kept_pids a
	eventually counts_on
}

# Who runs with a volume has it open and locked so.
hold() { # FILE
	flock -s "$(volume_dir)" -c 'echo >locked; exec sleep 1000' 3>&- &
	echo $! >>"$1"
	eventually test -e locked
	rm locked
}

release() {
	local pid
	[ ! -e holders ] || while read -r pid; do
		pkill -P "$pid" sleep || true
		kill "$pid" 2>/dev/null || true
	done <holders
	rm -f holders
}

# A backup that waits in the middle until somebody reads on. Sets copier.
begin_backup() {
	mkfifo pipe
	"$CORDON" --root "$CORDON_ROOT" volume backup one - >pipe 2>backup.err 3>&- &
	copier=$!
	exec {reader}<pipe
	rm pipe
	head -c 1000 <&"$reader" >part
}

end_backup() { # sets code and out.tar
	cat <&"$reader" >>part
	exec {reader}<&-
	code=0
	wait "$copier" || code=$?
}

# bats test_tags=root
@test "volume in use: from another pid namespace, which sees no holder, nothing is taken for consistent" {
	in_use
	says 125 "*volumes/one: see who uses it: No such process*hint: Type it where the sandboxes were started*" \
		unshare --pid --fork --mount-proc "$CORDON" --root "$CORDON_ROOT" volume backup -q one out.tar
	[ ! -e out.tar ]
	# The control: where it is seen it is paused, and where nobody has it nobody is asked for.
	gives 0 "" cordon volume backup -q one out.tar
	cordon rm -f a >/dev/null
	gives 0 "" unshare --pid --fork --mount-proc "$CORDON" --root "$CORDON_ROOT" volume backup -q one again.tar
}

@test "volume in use: its sandboxes stand still while it is copied, and nobody else begins to use it" {
	in_use
	begin_backup
	eventually is_paused
	run -1 counts_on
	# Whoever is about to start with it waits.
	run -1 flock -n -s "$(volume_dir)/record" true
	says 125 "*in use*" cordon volume rm one
	end_backup
	[ "$code" = 0 ]
	is_running
	eventually counts_on
	flock -n -s "$(volume_dir)/record" true
	gives 0 two cordon volume restore two part
	[ -s "$CORDON_ROOT/state/volumes/two/data/n" ]
	[ "$(stat -c %s "$CORDON_ROOT/state/volumes/two/data/long")" = 3000000 ]
	gives 0 three cordon volume clone one three
	is_running
	eventually counts_on
	# One that was paused before stays so.
	cordon pause a
	cordon volume backup one four.tar
	is_paused
	says 125 "cordon: volume two: File exists*" cordon volume restore two part
	says 125 "cordon: volume one: is in use by a sandbox that runs: $id*" cordon volume restore --replace one part
}

@test "volume in use: killed, the sandboxes go on at once; with the process for that killed as well, gc lets them" {
	in_use
	begin_backup
	eventually is_paused
	kill -KILL "$copier"
	eventually is_running
	eventually counts_on
	exec {reader}<&-
	# The same where it is told to end while nobody reads on.
	begin_backup
	eventually is_paused
	kill -TERM "$copier"
	eventually is_running
	code=0
	wait "$copier" || code=$?
	[ "$code" = 143 ]
	exec {reader}<&-
	says 0 "0 dead runs removed*" cordon gc
	[[ "$output" != *"stood still"* ]]

	begin_backup
	eventually is_paused
	# Nothing is done behind the back of one that lives.
	cordon gc
	is_paused
	pkill -KILL -P "$copier" -f "volume backup"
	kill -KILL "$copier"
	exec {reader}<&-
	eventually flock -n "$CORDON_ROOT/run/sandboxes/$id/paused" true
	is_paused
	says 0 "*1 sandboxes that stood still for a copy go on*" cordon gc
	is_running
	eventually counts_on
}

@test "volume in use: a copy during which a sandbox went on is none" {
	in_use
	begin_backup
	eventually is_paused
	gives 0 a cordon unpause a
	eventually counts_on
	end_backup
	[ "$code" = 125 ]
	[[ "$(<backup.err)" == *"cordon: volume one: a sandbox that was paused for the copy went on"* ]] || {
		cat backup.err
		return 1
	}
	says 125 "cordon: volume two: *" cordon volume restore two part
	# That is what is said also where a file was gone therefore.
	cordon exec a sh -c 'mkdir /vol/a; cd /vol/a; seq 2000 | xargs touch'
	begin_backup
	eventually is_paused
	gives 0 a cordon unpause a
	eventually counts_on
	cordon exec a sh -c 'cd /vol/a; rm 1*'
	end_backup
	[ "$code" = 125 ]
	[[ "$(<backup.err)" == *"a sandbox that was paused for the copy went on"* ]] || { cat backup.err; return 1; }
	# Paused by somebody else since then: it stays so.
	begin_backup
	eventually is_paused
	cordon unpause a
	cordon pause a
	end_backup
	[ "$code" = 125 ]
	is_paused
}

# It does not run, and a command has its lock.
is_begun() {
	! is_running && ! is_paused && ! flock -n "$CORDON_ROOT/state/sandboxes/$id" true
}

@test "volume in use: one that is started anew meanwhile waits for the copy, and is not waited for" {
	local restarter
	cordon volume create one >/dev/null
	head -c 3000000 /dev/zero >"$(volume_dir)/data/long"
	! is_root || chown 2147352576:2147352576 "$(volume_dir)/data/long"
	kept_start a --cgroup-parent "$group" -v one:/data -- sleep 100
	kept_pids a
	begin_backup
	eventually is_paused
	"$CORDON" --root "$CORDON_ROOT" restart -t 0 a >restarted 2>&1 3>&- &
	restarter=$!
	eventually is_begun
	end_backup
	[ "$code" = 125 ]
	[[ "$(<backup.err)" == *"cordon: volume one: a sandbox that was paused for the copy went on"* ]]
	[[ "$(<backup.err)" != *"may still be paused"* ]]
	wait "$restarter"
	is_running
}

@test "volume in use: where nobody can be paused it is refused, or copied as it is and marked" {
	in_use
	hold holders
	says 125 "cordon: volume one: in use by a run that has no record*--live*" cordon volume backup one out.tar
	[ ! -e out.tar ]
	is_running
	says 0 "*the backup is not consistent*" cordon volume backup --live one out.tar
	is_running
	grep -a -q '^consistent 0$' out.tar
	says 0 "*is not consistent*" cordon volume restore two out.tar
	says 0 "*the copy is not consistent*" cordon volume clone --live one three
	release
	cordon stop -t 0 a >/dev/null
	says 0 "one sha256:*" cordon volume backup --live one still.tar
	grep -a -q '^consistent 1$' still.tar
}
