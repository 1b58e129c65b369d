#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# `cordon exec` and later starts, where the sandbox has made its own paths links to what cordon has open
# (CVE-2024-21626; tests/integration/descriptor_links.bats has the first start).

# "exec" is a command of cordon's here, and what follows no command of the shell's.
# shellcheck disable=SC2238

load ../lib/cordon
load ../lib/attack
load ../lib/kept

teardown() { kept_end; }

# By a program inside, as what runs there could.
swap() { # LINK
	cordon exec -w / box ln -sfn "$1" /out/now
}

# bats test_tags=vm
@test "exec and start: a working directory that the sandbox has made a link to a descriptor is refused" {
	local fd
	kept_dir
	mkdir "$dir/src"
	chmod 0777 "$dir/src"
	ln -s src "$dir/now"
	[ "$(id -u)" -ne 0 ] || chown -h 61235:61235 "$dir/now" "$dir/src"
	kept_start box "${out[@]}" -w /out/now -- sleep 600
	# The control: it is entered through a link of another kind.
	gives 0 /out/src cordon exec box sh -c 'pwd -P'
	for fd in {0..40}; do
		swap "/proc/self/fd/$fd"
		says 125 "cordon: step working_dir: process.working_dir: /out/now: *" cordon exec box ls /proc/self/cwd/
	done
	cordon stop -t 0 box >/dev/null
	says 125 "*step working_dir: process.working_dir: /out/now: *" cordon start box
	ln -sfn src "$dir/now"
	gives 0 box cordon start box
}

# bats test_tags=vm
@test "exec: a program, or an interpreter, that is reached through a descriptor is not started" {
	local fd kind up=../../../../../../../../../../.. hidden
	kept_dir
	hidden=$(mktemp -d /tmp/cordon-hidden.XXXXXX)
	cp "$(command -v busybox)" "$hidden/busybox"
	printf '#!/bin/sh\necho reached\n' >"$hidden/script"
	chmod 0755 "$hidden" "$hidden/script"
	for fd in {0..40}; do
		ln -s "/proc/self/fd/$fd/$up$hidden/script" "$dir/script$fd"
		printf '#!/proc/self/fd/%s/%s%s/busybox sh\necho reached\n' "$fd" "$up" "$hidden" >"$dir/interpreted$fd"
		chmod 0755 "$dir/interpreted$fd"
	done
	kept_start box --set "+volumes=[{source: $dir, target: /out}]" -- sleep 600
	for fd in {0..40}; do
		for kind in script interpreted; do
			code=0
			output=$(cordon exec box "/out/$kind$fd" 2>&1) || code=$?
			[ "$code" -eq 126 ] || [ "$code" -eq 127 ] || { echo "$kind$fd: $code: $output"; rm -r "$hidden"; return 1; }
		done
	done
	rm -r "$hidden"
}
