#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# `export -o` and `image save`: a file is there when it is whole, wherever whoever writes it is cut off.

bats_require_minimum_version 1.5.0 # run -CODE
load ../lib/cordon
load ../lib/images
load ../lib/kept

setup() {
	images_setup
	made_of x "dir:d file:d/f:data=text"
	kept_start box x sh -c 'exec sleep 300'
	mkdir out
}

teardown() {
	kept_end
}

# FILE in the command is the file that it writes. No file of its own may have more than so many KiB: the kernel ends
# whoever writes more.
cut_at() { # KIB COMMAND...
	(ulimit -f "$1" && cordon "${@:2}" >/dev/null 2>&1)
}

is_cut() { # COMMAND...
	local size kib
	cordon "${@/#FILE/out/whole.tar}"
	size=$(stat -c %s out/whole.tar)
	[ "$size" -gt 65536 ]
	[ "$(stat -c %a out/whole.tar)" = 644 ]
	for kib in 0 1 2 3 5 8 $((size / 2048)) $(((size - 1) / 1024)); do
		run ! cut_at "$kib" "${@/#FILE/out/cut.tar}"
		# Under no name is anything left.
		[ "$(ls -A out)" = whole.tar ]
	done
	# The control: where it may be as large as it is, it is there.
	cut_at $((size / 1024 + 1)) "${@/#FILE/out/cut.tar}"
	cmp <(tar -tf out/cut.tar) <(tar -tf out/whole.tar)
	rm out/cut.tar
}

is_killed() { # COMMAND...
	local i pid gone=0
	for ((i = 0; i < 30; i++)); do
		setsid "$CORDON" --root "$CORDON_ROOT" "${@/#FILE/out/cut.tar}" >/dev/null 2>&1 </dev/null 3>&- &
		pid=$!
		sleep "0.0$((i % 10))$((i % 7))"
		kill -KILL -- "-$pid" 2>/dev/null || true # it may have ended
		wait "$pid" 2>/dev/null || true
		if [ -e out/cut.tar ]; then
			cmp <(tar -tf out/cut.tar) <(tar -tf out/whole.tar)
			rm out/cut.tar
		else
			gone=$((gone + 1))
		fi
		[ "$(ls -A out)" = whole.tar ]
	done
	[ "$gone" -gt 0 ]
}

@test "export: cut off at any byte, or killed, it leaves no file; a whole one is there" {
	is_cut export -o FILE box
	is_killed export -o FILE box
}

@test "save: cut off at any byte, or killed, it leaves no file; a whole one is there" {
	is_cut image save -q x:latest FILE
	is_killed image save -q x:latest FILE
}
