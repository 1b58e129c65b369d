# SPDX-License-Identifier: LGPL-2.1-or-later
# Words for tests of project quotas, in the virtual machines: `load ../lib/project` below `load ../lib/cordon`.
#
#	project_disk ext4|xfs [OPTION]	this test's --root is a file system of that kind, mounted with prjquota or OPTION; sets
#					full, what a write past the limit is told
#	project_end			it is not there any more
#	project_of PATH			the project of a file
#	project_limit ID BYTES INODES	its limits
#	project_is_free ID		nobody has files of it, nor limits
#	projects_are_free		of no project that a file of this --root ever had anything is left
#	gives CODE PATTERN COMMAND...	as says of tests/lib/attack.bash
#	as_stranger COMMAND...		as an account of the host's that has nothing to do with it
#	project_is_inert DATA DIR	a setuid file and one with capabilities are put into DATA; a stranger cannot reach them by DIR
# shellcheck shell=bash

bats_require_minimum_version 1.5.0 # run -CODE

ATTACK=$repo/build/tests

project_disk() { # ext4|xfs [OPTION]
	# ext4 and its quotas are modules there.
	truncate -s 320M "$CORDON_ROOT.disk"
	case $1 in
	ext4) mke2fs -q -F -t ext4 -O quota,project -E quotatype=prjquota "$CORDON_ROOT.disk" ;;
	xfs) mkfs.xfs -q -f "$CORDON_ROOT.disk" ;;
	esac
	# The tests read it.
	# shellcheck disable=SC2034
	case $1 in
	ext4) full="Disk quota exceeded" ;;
	xfs) full="No space left on device" ;;
	esac
	mkdir -p "$CORDON_ROOT"
	mount -o "loop,${2:-prjquota}" "$CORDON_ROOT.disk" "$CORDON_ROOT"
	chmod 0700 "$CORDON_ROOT"
}

project_end() {
	local id
	# As they are to be: a test may have let a stranger in.
	chmod -f 0700 "$CORDON_ROOT" "$CORDON_ROOT"/state "$CORDON_ROOT"/state/{sandboxes,volumes} "$CORDON_ROOT"/state/{sandboxes,volumes}/* || true
	for id in $(cordon ps -aq); do
		cordon rm -f -v "$id" >/dev/null
	done
	# Who still runs has it open.
	! mountpoint -q "$CORDON_ROOT" || umount "$CORDON_ROOT" || return 1
	rm -f "$CORDON_ROOT.disk"
}

gives() { # CODE PATTERN COMMAND...
	# A pattern on purpose.
	# shellcheck disable=SC2053
	if ! run "-$1" "${@:3}" || [[ "$output" != $2 ]]; then
		printf '%s\nexit code %s, wanted %s\n%s\nwanted:\n%s\n' "${*:3}" "$status" "$1" "$output" "$2"
		return 1
	fi
}

project_of() {
	"$ATTACK/project" of "$1"
}

project_limit() { # ID BYTES INODES
	"$ATTACK/project" limit "$CORDON_ROOT" "$@"
}

# Limits and use, of bytes and of inodes.
project_is_free() { # ID
	[ "$("$ATTACK/project" read "$CORDON_ROOT" "$1")" = "0 0 0 0" ]
}

# The kernel has each that it knows of.
projects_are_free() {
	[ -z "$("$ATTACK/project" list "$CORDON_ROOT")" ]
}

as_stranger() {
	setpriv --reuid 47032 --regid 47032 --clear-groups "$@"
}

project_is_inert() { # DATA DIR
	cp /usr/bin/id "$1/id"
	cp "$ATTACK/project" "$1/caps"
	chown 2147352576:2147352576 "$1/id" "$1/caps"
	chmod 4755 "$1/id"
	"$ATTACK/project" give "$1/caps"
	gives 126 "*Permission denied*" as_stranger sh -c '"$0" -u' "$2/id"
	gives 126 "*Permission denied*" as_stranger sh -c '"$0" effective' "$2/caps"
}
