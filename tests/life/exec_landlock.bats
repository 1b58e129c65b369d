#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# `cordon exec` and Landlock: what comes in later has the rules of the sandbox's start. What lies at a
# rule's path by then may be something else, put there by whoever can write beside it.

# "exec" is a command of cordon's here, and what follows no command of the shell's.
# shellcheck disable=SC2238

load ../lib/cordon
load ../lib/attack
load ../lib/kept

setup() {
	cordon_setup
	CORDON_ROOT=$BATS_TEST_TMPDIR.root
	cd "$BATS_TEST_TMPDIR" || return
	[ "$(cordon doctor | awk '$2 == "Landlock" { print $3 == "version" ? $4 + 0 : 0 }')" -ge 6 ] ||
		skip "Landlock of version 6 is of Linux 6.12"
}

teardown() { kept_end; }

# A directory with a program that may be executed, one that may not, and a file that may be written.
with_places() {
	kept_dir
	mkdir "$dir/bin" "$dir/other" "$dir/notes" "$dir/others"
	cp "$(command -v busybox)" "$dir/bin/busybox"
	cp "$(command -v busybox)" "$dir/other/busybox"
	echo note >"$dir/notes/file"
	echo other >"$dir/others/file"
	echo other >"$dir/others/second"
	[ "$(id -u)" -ne 0 ] || chown -R 61235:61235 "$dir"
}

reads() { # FILE
	cordon exec box cat "$1"
}

@test "exec: a directory that the sandbox has put in the place of a rule's is not the rule's" {
	need busybox
	with_places
	kept_start box "${out[@]}" --set 'landlock={execute: [/usr, /out/bin]}' -- sh -c \
		'while [ ! -e /out/go ]; do sleep 0.1; done; /out/bin/busybox echo own >/out/own 2>&1; sleep 600'
	gives 0 yes cordon exec box /out/bin/busybox echo yes
	says 126 "*" cordon exec box /out/other/busybox echo never
	# By a program inside, as what runs there could: to rename within one directory takes no right that the
	# rules do not give to all of /out.
	gives 0 '' cordon exec box sh -c 'mv /out/bin /out/old && mv /out/other /out/bin'
	says 126 "*" cordon exec box /out/bin/busybox echo never
	# As it is for the sandbox's own program.
	gives 0 '' cordon exec box sh -c ': >/out/go'
	eventually grep -q 'Permission denied' "$dir/own"
	# What was there goes on being the rule's.
	gives 0 moved cordon exec box /out/old/busybox echo moved
	# The control: a new start looks at the paths anew.
	cordon restart -t 0 box >/dev/null
	gives 0 new cordon exec box /out/bin/busybox echo new
	says 126 "*" cordon exec box /out/old/busybox echo never
}

# Somebody else who can write to the directory: another sandbox, or the host.
@test "exec: a file that was put in the place of a rule's is not the rule's, by a rename, a link or anew" {
	need busybox
	local usual='/usr, /etc, /dev, /proc'
	with_places
	kept_start box "${out[@]}" --set "landlock={read: [$usual, /out/notes/file], write: [/dev, /out/notes/file]}" -- sleep 600
	gives 0 note reads /out/notes/file
	says 1 "*Permission denied*" reads /out/others/file
	gives 0 '' cordon exec box sh -c 'echo written >/out/notes/file'
	mv "$dir/notes/file" "$dir/notes/kept"
	mv "$dir/others/file" "$dir/notes/file"
	says 1 "*Permission denied*" reads /out/notes/file
	says 2 "*Permission denied*" cordon exec box sh -c 'echo never >/out/notes/file'
	[ "$(cat "$dir/notes/file")" = other ]
	gives 0 written reads /out/notes/kept
	ln -sfn ../others/second "$dir/notes/file"
	says 1 "*Permission denied*" reads /out/notes/file
	rm "$dir/notes/file"
	cp "$dir/notes/kept" "$dir/notes/file"
	[ "$(id -u)" -ne 0 ] || chown 61235:61235 "$dir/notes/file"
	says 1 "*Permission denied*" reads /out/notes/file
	# Nothing of it stands in the way of what the rules are for.
	rm -r "$dir/notes"
	gives 0 root cordon exec box sh -c 'echo root </etc/passwd'
}

@test "exec: its own descriptors can be opened again, as those of a start" {
	with_places
	kept_start box "${out[@]}" --set "landlock={write: [/dev]}" -- sleep 600
	: >told
	chmod 0666 told
	cordon exec box sh -c 'echo told >/dev/stderr' 2>told
	[ "$(cat told)" = told ]
	# The control: a file that is not passed on.
	says 2 "*Permission denied*" cordon exec box sh -c 'echo never >/out/others/file'
}

@test "exec: a keeper that holds no places is no reason to make the rules anew" {
	local live
	with_places
	kept_start box "${out[@]}" --set landlock=auto -- sleep 600
	kept_pids box
	live=$CORDON_ROOT/run/sandboxes/$id/live
	gives 0 here cordon exec box echo here
	cp "$live" saved
	sed -i '/^landlock_/d' "$live"
	says 125 "*keeper holds no place that Landlock's rules are for*cordon restart*" cordon exec box echo never
	# One that is out of order is as good as none.
	sed '0,/^landlock_access/{/^landlock_access/d}' saved >"$live"
	says 125 "*keeper holds no place*" cordon exec box echo never
	cat saved >"$live"
	gives 0 here cordon exec box echo here
}

@test "run: more rules than a keeper can hold are refused before anything is made" {
	local i list=
	kept_dir
	for ((i = 0; i < 130; i++)); do
		: >"$dir/$i"
		list+="/out/$i, "
	done
	says 125 "*more than the 128 that a sandbox that is kept can have*" \
		cordon run -d --name box "${out[@]}" --set "landlock={write: [$list/dev]}" -- true
	# The control: one that is not kept has them.
	gives 0 '' cordon run "${out[@]}" --set "landlock={write: [$list/dev]}" -- true
	kept_no_record
}
