# SPDX-License-Identifier: LGPL-2.1-or-later
# For the tests of tests/vm that make control groups: `load ../lib/delegated` below `load ../lib/attack`. As root
# sandboxes are in the group "cordon" at the top, as an ordinary user in one of a group that was
# delegated. What other files call:
#
#	as root|user COMMAND...		as the user in a group below the delegated one
#	start_run root|user FLAG... -- COMMAND...	sets keeper and group; end_run ends it
#	ends root|user CODE KIND LIMIT FLAG... -- COMMAND...	a run with a report; number KEY reads that
#	no_groups			none is left
# shellcheck shell=bash disable=SC2034 # who reads this file uses what it sets

setup() {
	cordon_setup
	# cordon.bash reads it.
	# shellcheck disable=SC2034
	CORDON_ROOT=$BATS_TEST_TMPDIR.root
	[ "$(cat /proc/sys/kernel/hostname)" = vm ] || skip "not in a virtual machine of tests/vm/run"
	cd "$BATS_TEST_TMPDIR" || return
	chmod 0777 .
	top=/sys/fs/cgroup
	delegated=$top/vm
	keeper=
	ordinary=(setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/home/user TMPDIR=/home/user/tmp)
	user_cordon=("${ordinary[@]}" "$CORDON" --root /home/user/tmp/root)
}

teardown() {
	# Of a test that failed.
	pkill -x cordon && sleep 1
	remove_groups "$delegated"
	cordon_teardown
}

remove_groups() { # GROUP
	[ ! -d "$1" ] || find "$1" -depth -type d -exec rmdir '{}' +
}

# As an administrator does it: the group and three of its files, and the caller in a group below it.
delegate() {
	mkdir -p "$delegated/session"
	chown 1000 "$delegated" "$delegated"/cgroup.{procs,threads,subtree_control}
}

# Sets command: what COMMAND is as root, or as the user in a group below the delegated one. Without a
# process in between, so that $! is cordon's.
command_as() { # root|user COMMAND...
	command=("${@:2}")
	[ "$1" = user ] || return 0
	delegate
	command=(sh -c 'echo $$ >"$0" && exec "$@"' "$delegated/session/cgroup.procs" "${ordinary[@]}" "${@:2}")
}

as() { # root|user COMMAND...
	local command
	command_as "$@"
	"${command[@]}"
}

# Where the tests have something of either.
parent_of() { # root|user
	if [ "$1" = root ]; then
		echo "$top/cordon"
	else
		echo "$delegated/cordon"
	fi
}

start_run() { # root|user FLAG... -- COMMAND...
	local command root=$CORDON_ROOT
	[ "$1" = root ] || root=/home/user/tmp/root
	command_as "$1" "$CORDON" --root "$root" run "${@:2}"
	"${command[@]}" >out 2>&1 3>&- &
	keeper=$!
	who=$1
	eventually has_group || { cat out; return 1; }
}

# Sets group: that of the sandbox of $who, once somebody is in it.
has_group() {
	group=$(find "$(parent_of "$who")" -mindepth 1 -maxdepth 1 -name 'cordon-*')
	[ -n "$group" ] && grep -q 'populated 1' "$group/cgroup.events"
}

gc_of() { # root|user
	if [ "$1" = root ]; then
		cordon gc
	else
		"${user_cordon[@]}" gc
	fi
}

# The keeper is told to stop; its sandbox's group must go.
end_run() {
	kill "$keeper"
	wait "$keeper" || true
	keeper=
	no_groups
}

no_groups() {
	[ -z "$(find "$top" -name 'cordon*')" ] || { find "$top" -name 'cordon*'; return 1; }
}

has_value() { # FILE TEXT
	[ "$(cat "$group/$1")" = "$2" ] || { echo "$1: $(cat "$group/$1"), wanted $2"; return 1; }
}

# A run with a report: ends with CODE, for a reason, because of a limit ("null": none).
ends() { # root|user CODE KIND LIMIT FLAG... -- COMMAND...
	local root=$CORDON_ROOT
	[ "$1" = root ] || root=/home/user/tmp/root
	rm -f report
	run as "$1" "$CORDON" --root "$root" run -q --report report "${@:5}"
	[ "$status" -eq "$2" ] || { echo "$status, wanted $2: $output"; cat report; return 1; }
	[ "$(jq -r '"\(.kind) \(.limit)"' report)" = "$3 $4" ] || { cat report; return 1; }
	no_groups
}

number() { # KEY
	jq -r ".$1" report
}
