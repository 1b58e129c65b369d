# SPDX-License-Identifier: LGPL-2.1-or-later
# Control groups for the tests, of v1 and of v2. Sourced by tests/run, which gives the user half of the
# suite a group of its own ($CORDON_CGROUP), and by bats files.
#
#	groups_make PATH [UID]		makes this group in every hierarchy that has limits, for UID
#	groups_remove PATH		removes it, and what is below; fails where something lives there
#	groups_below PATH		the directories below it
#	groups_enter PATH		puts this shell into it (v2 alone: there a user's processes must
#					be where they are to move from)
#	own_groups			for a bats file: sets $group, a parent for the test's sandboxes, made;
#					skips where an ordinary user has been given none
#	own_groups_end			removes it; what a sandbox has left there makes that fail
#	group_file V1-CONTROLLER V1-FILE V2-FILE	prints the file of the one sandbox in $group
# shellcheck shell=bash

groups_v2=/sys/fs/cgroup

groups_is_v2() {
	[ -e "$groups_v2/cgroup.controllers" ]
}

groups_tops() {
	if groups_is_v2; then
		echo "$groups_v2"
	else
		awk '$(NF - 2) == "cgroup" && $NF ~ /(^|,)(pids|memory|cpu|cpuacct|cpuset|blkio|freezer)(,|$)/ { print $5 }' \
			/proc/self/mountinfo | sort -u
	fi
}

# One directory; a new group of v1's cpuset has no processors.
groups_make_one() { # DIR
	local file
	[ ! -d "$1" ] || return 0
	mkdir "$1" || return 1
	for file in cpuset.cpus cpuset.mems; do
		! [ -e "$1/$file" ] || groups_is_v2 || cat "$(dirname "$1")/$file" >"$1/$file" || return 1
	done
}

# v2: hands all controllers that a group has on to its children.
groups_hand_on() { # DIR
	local name names
	read -ra names <"$1/cgroup.controllers"
	for name in "${names[@]}"; do
		echo "+$name" >"$1/cgroup.subtree_control" || return 1
	done
}

groups_make() { # PATH [UID]
	local top dir word
	for top in $(groups_tops); do
		dir=$top
		for word in ${1//\// }; do
			! groups_is_v2 || groups_hand_on "$dir" || return 1
			dir=$dir/$word
			groups_make_one "$dir" || return 1
		done
		! groups_is_v2 || groups_hand_on "$dir" || return 1
		[ -z "${2:-}" ] || chown "$2" "$dir" "$dir"/cgroup.{procs,threads,subtree_control} 2>/dev/null ||
			chown "$2" "$dir" "$dir/cgroup.procs" || return 1
	done
}

groups_below() { # PATH
	local top
	for top in $(groups_tops); do
		[ ! -d "$top/$1" ] || find "$top/$1" -mindepth 1 -type d
	done
}

groups_remove() { # PATH
	local top rc=0
	for top in $(groups_tops); do
		[ ! -d "$top/$1" ] || find "$top/$1" -depth -type d -exec rmdir {} + || rc=1
	done
	return "$rc"
}

groups_enter() { # PATH
	! groups_is_v2 || echo "$BASHPID" >"$groups_v2/$1/cgroup.procs"
}

own_groups() {
	group=cordon-test-$$-${BATS_TEST_NUMBER:-0}
	if [ "$(id -u)" -ne 0 ]; then
		[ -n "${CORDON_CGROUP:-}" ] || skip "no control group is delegated to this user: tests/run does that"
		group=$CORDON_CGROUP/$group
	fi
	groups_make "$group"
}

own_groups_end() {
	local left
	[ -n "${group:-}" ] || return 0
	left=$(groups_below "$group")
	groups_remove "$group"
	[ -z "$left" ] || { printf 'left control groups:\n%s\n' "$left"; return 1; }
}

group_file() { # V1-CONTROLLER V1-FILE V2-FILE
	local top
	if groups_is_v2; then
		cat "$groups_v2/$group"/cordon-*/"$3"
		return
	fi
	for top in $(groups_tops); do
		[[ ",$(basename "$top")," != *",$1,"* ]] || cat "$top/$group"/cordon-*/"$2"
	done
}
