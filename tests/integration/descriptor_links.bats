#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Paths of the sandbox's that are links to what cordon, or its caller, has open (CVE-2024-21626): as working
# directory, as program, as interpreter. They lead nowhere, whatever number they name.

load ../lib/cordon
load ../lib/attack

up=../../../../../../../../../../..

hidden=
teardown() {
	[ -z "$hidden" ] || rm -r "$hidden"
	cordon_teardown
}

make_links() {
	mkdir show show/real
	# Not shown inside, and open to everybody: nothing but the way is missing.
	hidden=$(mktemp -d /tmp/cordon-hidden.XXXXXX)
	cp "$(command -v busybox)" "$hidden/busybox"
	printf '#!/bin/sh\necho reached\n' >"$hidden/script"
	chmod 0755 "$hidden" "$hidden/script"
	for fd in {0..40}; do
		ln -s "/proc/self/fd/$fd" "show/dir$fd"
		ln -s "/proc/self/fd/$fd/$up$hidden/script" "show/script$fd"
		printf '#!/proc/self/fd/%s/%s%s/busybox sh\necho reached\n' "$fd" "$up" "$hidden" >"show/interpreted$fd"
		chmod 0755 "show/interpreted$fd"
	done
	ln -s real show/link
	ln -s /proc/self/cwd show/magic
	printf '#!%s sh\necho reached\n' /bin/busybox >show/interpreted
}

# With directories open that lead everywhere.
holding_roots() { # COMMAND...
	"$@" 3</ 7</ 9</ 12</ 33</ 40</
}

# A sandbox that is kept: then cordon has its records open as well. Sets code and output. Not run(): these
# codes are what is expected.
tried() { # ARG...
	code=0
	output=$(holding_roots cordon run --name box "$@" 2>&1) || code=$?
	# One that was not started is gone already.
	[ -z "$(cordon ps -aq)" ] || cordon rm box >/dev/null
}

# bats test_tags=vm
@test "a working directory that is a link to a descriptor is refused, whatever number it names" {
	local fd
	make_links
	for fd in {0..40}; do
		tried --ro "$PWD/show" -w "$PWD/show/dir$fd" -- ls /proc/self/cwd/
		[ "$code" -eq 125 ]
		[[ "$output" == "cordon: step working_dir: process.working_dir: $PWD/show/dir$fd: "* ]] || { echo "$output"; return 1; }
	done
	says 125 "cordon: step working_dir: process.working_dir: $PWD/show/magic: Too many levels*" \
		cordon run --ro "$PWD/show" -w "$PWD/show/magic" -- true
	# The controls: a link of another kind is followed, and from a process that holds / the link is a way to it.
	gives 0 "$PWD/show/real" cordon run --ro "$PWD/show" -w "$PWD/show/link" -- sh -c 'pwd -P'
	holding_roots sh -c 'cd "$1" && [ -e "./$2/script" ]' sh "$PWD/show/dir9" "$hidden"
}

# bats test_tags=vm
@test "a program, or its interpreter, that is reached through a descriptor is not" {
	local fd kind
	make_links
	for kind in script interpreted; do
		for fd in {0..40}; do
			tried --ro "$PWD/show" -- "$PWD/show/$kind$fd"
			[ "$code" -eq 126 ] || [ "$code" -eq 127 ] || { echo "$kind$fd: $code: $output"; return 1; }
			[[ "$output" != *reached* ]]
		done
		# Where 0 to 2 are closed nothing of the host's stands there either.
		tried --ro "$PWD/show" -- "$PWD/show/${kind}0" <&-
		[ "$code" -eq 126 ] || [ "$code" -eq 127 ]
		[[ "$output" != *reached* ]]
	done
	# The controls: without cordon they are.
	gives 0 reached holding_roots "$PWD/show/script9"
	gives 0 reached holding_roots "$PWD/show/interpreted9"
}
