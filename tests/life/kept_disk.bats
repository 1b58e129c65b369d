#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a kept sandbox has on the disk before its command returns, and what a loss of power leaves half
# written. tests/vm/power cuts real machines off; a file system that orders more than it has to hides
# what is missing there, and the list of what was flushed does not.

load ../lib/cordon
load ../lib/attack

UNSYNCED_CORDON=$repo/build/tests/unsynced

setup() {
	cordon_setup
	cd "$BATS_TEST_TMPDIR" || return
	need_file "$UNSYNCED_CORDON"
	state=$CORDON_ROOT/state
}

teardown() {
	local dir
	for dir in "$state"/sandboxes/*; do
		[ -d "$dir" ] || continue
		cordon stop "${dir##*/}" >/dev/null
		cordon rm "${dir##*/}" >/dev/null
	done
	cordon gc >/dev/null
	# The two directories may stay, but empty.
	left=$(find "$CORDON_ROOT/run/runs" "$CORDON_ROOT/run/sandboxes" "$state/sandboxes" "$state/names" -mindepth 1)
	[ -z "$left" ] || {
		echo "left: $left"
		return 1
	}
}

# The lock of a keeper goes when the kernel is done with it.
gone() { # DIRECTORY
	cordon gc
	[ ! -e "$1" ]
}

need_file() { # FILE
	[ -e "$1" ] || {
		echo "make attack-build"
		return 1
	}
}

# In order; an id as ID, the number of a process as PID.
flushed() { # ARG...
	rm -f list
	SYNCED_LIST=$PWD/list "$UNSYNCED_CORDON" --root "$CORDON_ROOT" "$@" >said
	sed -E "s|[0-9a-f]{16}|ID|; s|\.[0-9]+\$|.PID|; s|^$CORDON_ROOT/||" list
}

@test "create has flushed the record, its directory, its name, and its place, in this order" {
	local block=
	# The claim comes first: a record never names ids that are not its own.
	[ "$(id -u)" -ne 0 ] || block=$'/var/lib/cordon/ids\n'
	cordon create -- true
	[ "$(flushed create --name web -- true)" = "${block}state/sandboxes/.new-ID/.record.PID
state/sandboxes/.new-ID
state/names
state/sandboxes" ]
}

@test "the first of all flushes the directories that were made for it, up to the root" {
	local first
	first=$(flushed create -- true)
	# Of HOME, what lies above it, and nothing twice.
	[[ "$first" == state$'\n'"$CORDON_ROOT"$'\n'"${CORDON_ROOT%/*}"$'\n'*$'\n/\n'* ]]
	[[ "$(flushed create -- true)" != *$'\n/\n'* ]]
}

@test "what is wanted is flushed before a start, and before stop returns; a removal before its files go" {
	local id said
	id=$(cordon create -- sleep 100)
	said=$(flushed start "$id")
	[[ "$said" == "state/sandboxes/ID/.wanted.PID
state/sandboxes/ID/.state.PID
state/sandboxes/ID"* ]]
	said=$(flushed stop "$id")
	# That it is not wanted is a file less, which goes to the disk while the program ends; its keeper's word of
	# the end is a file and the same directory once more.
	[ "$(sort <<<"$said")" = "state/sandboxes/ID
state/sandboxes/ID
state/sandboxes/ID/.state.PID" ]
	[ "$(tail -n 1 <<<"$said")" = state/sandboxes/ID ]
	# Also where nobody has to be told: a stop before this one may have been killed in between.
	[ "$(flushed stop "$id")" = state/sandboxes/ID ]
	[ "$(flushed rm "$id")" = state/sandboxes ]
}

@test "files that were half written are removed by gc, and not while the keeper lives" {
	local id
	id=$(cordon create -- sleep 100)
	touch "$state/sandboxes/$id"/{.record.77,.state.77}
	cordon gc
	[ "$(ls -A "$state/sandboxes/$id")" = record ]
	cordon start "$id"
	touch "$state/sandboxes/$id/.state.77"
	cordon gc
	[ -e "$state/sandboxes/$id/.state.77" ]
	cordon stop "$id"
	cordon gc
	[ ! -e "$state/sandboxes/$id/.state.77" ]
}

@test "what a sandbox that removes itself has on the disk was never flushed: damaged or not, gc removes it with its name" {
	local file id dir
	for file in record state; do
		id=$(cordon run -d --rm --name passing -- sleep 100)
		dir=$CORDON_ROOT/run/sandboxes/$id
		: >"$dir/$file"
		# While it runs nothing is removed.
		cordon gc
		[ -e "$dir/$file" ]
		kill -9 "$(awk '$1 == "keeper" { print $2 }' "$dir/live")"
		eventually gone "$dir"
		[ -z "$(ls "$state/names")" ]
	done
}
