#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Where systemd is the machine's process 1: root, whose groups are at the top, or which systemd's own
# manager is asked for; and a user in a login session, whose scope is not delegated, so that the
# user's manager is asked, and the system's by that one, to move a process from there. The tests run
# in a service (tests/vm/system), whose group is not delegated either.

# bats file_tags=vm
load ../lib/cordon
load ../lib/attack

setup() {
	cordon_setup
	# cordon.bash reads it.
	# shellcheck disable=SC2034
	CORDON_ROOT=$BATS_TEST_TMPDIR.root
	[ "$(cat /proc/1/comm)" = systemd ] || skip "not in a virtual machine of VM_SYSTEMD=1 tests/vm/run"
	cd "$BATS_TEST_TMPDIR" || return
	top=/sys/fs/cgroup
	users=$top/user.slice/user-1000.slice
	manager=$users/user@1000.service
	ordinary=(setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/home/user XDG_RUNTIME_DIR=/run/user/1000)
	# Root without the right to write where root's own rights do not reach: not at the top of the groups.
	confined=(setpriv --bounding-set -dac_override --inh-caps -dac_override)
	asks=("${confined[@]}" "$CORDON" --root "$CORDON_ROOT")
	keeper=
}

teardown() {
	local name
	[ ! -e /run/systemd/private.away ] || mv -f /run/systemd/private.away /run/systemd/private
	# Of a test that failed.
	[ -z "$keeper" ] || kill -9 "$keeper" 2>/dev/null || true
	for name in box again; do
		[ ! -L "/home/user/tmp/root/state/names/$name" ] || removed "$name"
	done
	cordon_teardown
}

# ---- who asks ----

# Sets from: a user's command in this group, without a process in between, so that $! is its own.
come_from() { # GROUP
	from=(sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$1" "${ordinary[@]}")
}

# A login, as sshd's is: by PAM. systemd-logind makes the session's scope, and starts the user's
# manager with the first one. Sets session.
log_in() {
	if ! has_session; then
		# Not Type=exec: the process that waits to close the session keeps that from being seen.
		systemd-run -q --uid=1000 -p PAMName=cordon-session --unit=login sleep infinity
		eventually has_session || { systemctl status login.service user@1000.service; return 1; }
	fi
	# Neither the scope nor what is above it is the user's to write to.
	[ "$(stat -c %u "$session" "$users/cgroup.procs" | sort -u)" = 0 ]
	[ "$(stat -c %u "$manager/cgroup.procs")" = 1000 ]
	come_from "$session"
	# The user gets there, as a sandbox's directory wants it.
	cd /home/user/tmp || return
}

has_session() {
	session=$(find "$users" -maxdepth 1 -name 'session-*.scope' 2>/dev/null | head -n 1)
	[ -n "$session" ] && [ -S /run/user/1000/systemd/private ]
}

user_cordon() { # ARG...
	"${from[@]}" "$CORDON" --root /home/user/tmp/root "$@"
}

# ---- what is there ----

# Sets group: that of the one sandbox below this directory, once somebody is in it.
has_group() { # DIR
	group=$(find "$1" -path '*/cordon/cordon-*' -type d | head -n 1)
	[ -n "$group" ] && grep -q 'populated 1' "$group/cgroup.events"
}

no_groups() {
	[ -z "$(find "$top" -name 'cordon*' ! -name cordon-tests.service)" ] ||
		{ find "$top" -name 'cordon*'; return 1; }
}

has_value() { # FILE TEXT
	[ "$(cat "$group/$1")" = "$2" ] || { echo "$1: $(cat "$group/$1"), wanted $2"; return 1; }
}

# That a run in the background has its limits, held by a group below DIR.
starts_below() { # DIR CORDON...
	"${@:2}" run --set limits.pids=5 --set limits.memory=64MiB -- sleep 1000 >out 2>&1 3>&- &
	keeper=$!
	eventually has_group "$1" || { cat out; return 1; }
	has_limits
}

has_limits() {
	# Our init is one.
	has_value pids.max 6
	has_value memory.max 67108864
}

ends() { # [SIGNAL]
	kill "${1:--TERM}" "$keeper"
	wait "$keeper" || true
	keeper=
}

# ---- root ----

# bats test_tags=system
@test "system: as root a sandbox's group is at the top, and systemd leaves it as it is" {
	gives 0 "4 processes, then EAGAIN" cordon run -q --set limits.pids=4 -- "$ATTACK/processes" 9
	# The control.
	gives 0 "9 processes" cordon run -q --set limits.pids=9 -- "$ATTACK/processes" 9
	starts_below "$top/cordon" "$CORDON" --root "$CORDON_ROOT"
	# What makes it go through its groups: controllers on and off, beside ours and above.
	systemctl daemon-reload
	systemctl set-property --runtime cordon-tests.service MemoryHigh=900M CPUWeight=50
	systemd-run -q --scope -p MemoryMax=100M true
	systemctl set-property --runtime cordon-tests.service MemoryHigh=infinity CPUWeight=100
	has_limits
	ends
	no_groups
}

# bats test_tags=system
@test "system: alone in a service, the sandbox's group is below the service's own, until the service ends" {
	systemd-run -q --unit=alone "$CORDON" --root "$CORDON_ROOT" run --set limits.pids=5 --set limits.memory=64MiB -- \
		sleep 1000
	eventually has_group "$top/system.slice/alone.service"
	has_limits
	# It is not delegated, and still what the kernel lets nobody take away.
	systemctl daemon-reload
	systemctl set-property --runtime alone.service MemoryMax=500M
	has_limits
	systemctl stop alone.service
	eventually test ! -e "$top/system.slice/alone.service"
	cordon gc >/dev/null
	no_groups
}

# bats test_tags=system
@test "system: root who may make no group itself asks the system's manager for a scope" {
	says 0 "*  + scope  *systemd is asked for a group*" "${asks[@]}" explain --set limits.memory=64MiB -- true
	no_groups
	gives 0 "4 processes, then EAGAIN" "${asks[@]}" run -q --set limits.pids=4 --set limits.memory=64MiB -- \
		"$ATTACK/processes" 9
	gives 0 "9 processes" "${asks[@]}" run -q --set limits.pids=9 --set limits.memory=64MiB -- "$ATTACK/processes" 9
	eventually no_groups
	starts_below "$top/system.slice" "${asks[@]}"
	[[ "$group" == "$top/system.slice/cordon-"*.scope/cordon/cordon-* ]]
	# What it may not have taken along.
	[[ "$(cat /proc/self/cgroup)" == 0::/system.slice/cordon-tests.service ]]
	systemctl daemon-reload
	has_limits
	ends
	eventually no_groups
	# Killed: systemd ends the scope, gc the rest.
	starts_below "$top/system.slice" "${asks[@]}"
	ends -KILL
	cordon gc >/dev/null
	eventually no_groups
	# The control: a keeper that asked nobody.
	says 125 "cordon: step scope: cordon is in no scope of its own*" "${confined[@]}" env CORDON_FAULT=scope:skip "$FAULTY" \
		--root "$CORDON_ROOT" run --set limits.memory=64MiB -- true
}

# bats test_tags=system
@test "system: as root: a manager that is not there, and one that does not answer" {
	local silent
	asks+=(run --set limits.memory=64MiB -- true)
	mv /run/systemd/private /run/systemd/private.away
	says 125 "cordon: limits.memory: *systemd's to arrange*hint: *systemd-run --scope -p Delegate=yes cordon run*" "${asks[@]}"
	systemd-socket-activate -l /run/systemd/private sleep 1000 >/dev/null 2>&1 3>&- &
	silent=$!
	eventually test -S /run/systemd/private
	says 125 "cordon: step scope: systemd gives no scope: *hint: *systemd-run --scope*" "${asks[@]}"
	kill "$silent"
	mv -f /run/systemd/private.away /run/systemd/private
	no_groups
	# The control.
	gives 0 "" "${asks[@]}"
}

# ---- a user in a session ----

# bats test_tags=system
@test "system: from a login session the user's manager is asked, and the limits hold" {
	log_in
	says 0 "*ok   limits.memory *cgroup v2, groups are made in a scope for which systemd will be asked*" user_cordon doctor
	gives 0 "4 processes, then EAGAIN" user_cordon run -q --set limits.pids=4 --set limits.memory=64MiB -- \
		"$ATTACK/processes" 9
	gives 0 "9 processes" user_cordon run -q --set limits.pids=9 --set limits.memory=64MiB -- "$ATTACK/processes" 9
	eventually no_groups
	starts_below "$manager" "${from[@]}" "$CORDON" --root /home/user/tmp/root
	[[ "$group" == "$manager/"*/cordon-*.scope/cordon/cordon-* ]]
	"${from[@]}" systemctl --user daemon-reload
	has_limits
	# Whoever asked is still in the session.
	grep -q 'populated 1' "$session/cgroup.events"
	ends
	eventually no_groups
	starts_below "$manager" "${from[@]}" "$CORDON" --root /home/user/tmp/root
	ends -KILL
	user_cordon gc >/dev/null
	eventually no_groups
}

# A sandbox in the background, of the user's, from the session.
kept() { # NAME ARG...
	user_cordon run -d --name "$1" --set limits.pids=2 --set limits.memory=64MiB "${@:2}" >/dev/null 3>&-
	eventually has_group "$manager"
}

removed() { # NAME
	user_cordon stop "$1" >/dev/null
	user_cordon rm "$1" >/dev/null
	eventually no_groups
}

# bats test_tags=system
@test "system: exec from a login session goes by a scope of its own, and counts in the sandbox" {
	local client
	log_in
	kept box -- sleep 1000
	gives 0 "0::/" user_cordon exec box cat /proc/self/cgroup
	"${from[@]}" "$CORDON" --root /home/user/tmp/root exec box sleep 2000 3>&- &
	client=$!
	eventually has_processes 3
	[ -n "$(find "$manager" -name 'cordon-exec-*.scope')" ]
	# The sandbox's own sleep and this one are as many as there may be.
	says 125 "cordon: *he sandbox has as many *" user_cordon exec box true
	kill "$client"
	wait "$client" || true
	eventually has_processes 2
	eventually has_no_client
	gives 0 "" user_cordon exec box true
	# From beside the sandbox's scope it needs none of its own.
	come_from "$manager/init.scope"
	gives 0 "" user_cordon exec box true
	come_from "$session"
	# The controls: a client that asked nobody; and one that may not be moved at all.
	says 125 "cordon: step scope: cordon is in no scope from which the sandbox's group can be entered" \
		"${from[@]}" env CORDON_FAULT=scope:skip "$FAULTY" --root /home/user/tmp/root exec box true
	mkdir /opt/alone
	cp "$CORDON" /opt/alone/cordon
	says 125 \
		"cordon: the caller may not move a process from its own control group into the sandbox's*hint: *cordon-scope, which asks for it, is neither beside cordon nor *systemd-run --user --scope cordon exec*" \
		"${from[@]}" /opt/alone/cordon --root /home/user/tmp/root exec box true
	rm -r /opt/alone
	removed box
}

has_processes() { # N
	[ "$(wc -l <"$group/cgroup.procs")" -eq "$1" ]
}

has_no_client() {
	[ -z "$(find "$manager" -name 'cordon-exec-*')" ]
}

# bats test_tags=system
@test "system: a sandbox that is started again from a session has a scope anew, and its limits" {
	local first
	log_in
	kept again --restart always -- sleep 1000
	first=$group
	pkill -U 1000 -x -f 'sleep 1000'
	eventually has_other_group "$first"
	has_value memory.max 67108864
	gives 0 "0::/" user_cordon exec again cat /proc/self/cgroup
	removed again
}

has_other_group() { # GROUP
	has_group "$manager" && [ "$group" != "$1" ]
}

# The last one: nobody can log in any more.
# bats test_tags=system
@test "system: without the system's bus a session's processes cannot be moved, which is said" {
	log_in
	kept box -- sleep 1000
	systemctl stop dbus.socket dbus.service
	says 125 "cordon: step scope: systemd gives no scope: cordon-*.scope: it could not be started (*): the manager could not move cordon into it; from a login session *(dbus.service)*hint: *systemd-run --user --scope*" \
		user_cordon run --set limits.memory=64MiB -- true
	says 125 "cordon: step scope: systemd gives no scope: cordon-exec-*: the manager could not move cordon into it*hint: *systemd-run --user --scope cordon exec*" \
		user_cordon exec box true
	# The controls: from where the manager may do it alone.
	come_from "$manager/init.scope"
	gives 0 "" user_cordon exec box true
	gives 0 "" user_cordon run --set limits.memory=64MiB -- true
	removed box
}
