#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# `cordon exec` into a sandbox whose tree is somebody's who means harm, and into one that ends meanwhile.

# "exec" is a command of cordon's here, and what follows no command of the shell's.
# shellcheck disable=SC2238

load ../lib/cordon
load ../lib/attack
load ../lib/kept

teardown() {
	kept_end
}

# Not the function: timeout(1) wants a program. What hangs is a failure.
quickly() { # ARG...
	timeout -k 1 60 "$CORDON" --root "$CORDON_ROOT" "$@"
}

tree_start() { # NAME FLAG... -- CMD...
	kept_start "$1" --set "rootfs.from=dir:$PWD/tree" "${@:2}"
}

refuses() {
	says 125 "*$PWD/tree/etc/passwd: *" quickly exec box id -u
}

# The account files are read anew for each program, by the caller, outside of every sandbox.
@test "exec: account files that are a pipe, a directory, without an end, or lead out of the tree" {
	local target
	make_rootfs tree
	tree_start box -u user -- sleep 600
	gives 0 1000 quickly exec box id -u
	mv tree/etc/passwd kept
	mkfifo tree/etc/passwd
	refuses
	rm tree/etc/passwd
	mkdir tree/etc/passwd
	refuses
	rmdir tree/etc/passwd
	truncate -s 1T tree/etc/passwd
	refuses
	truncate -s 0 tree/etc/passwd
	says 125 "*no user 'user' in the rootfs's passwd*" quickly exec box id -u
	for target in /proc/1/root/etc/passwd /proc/self/environ /dev/zero passwd /etc/shadow; do
		ln -sf "$target" tree/etc/passwd
		refuses
	done
	rm tree/etc/passwd
	mv kept tree/etc/passwd
	gives 0 1000 quickly exec box id -u
	rm -r tree/etc
	ln -s /etc tree/etc
	refuses
}

# The loader of every program with libraries opens the file, and would wait there. Nothing between
# cordon's own files and the program does.
@test "exec: a list of libraries to load first is read by the program inside alone" {
	local library
	make_rootfs tree
	mkfifo tree/etc/ld.so.preload
	cp "$(type -P true)" tree/dynamic
	while read -r library; do
		mkdir -p "tree$(dirname "$library")"
		cp -L "$library" "tree$library"
	done < <(ldd tree/dynamic | grep -o '/[^ ]*')
	tree_start box -- sleep 600
	gives 0 here quickly exec box echo here
	gives 0 here quickly exec -e LD_PRELOAD=/etc/ld.so.preload -e LD_LIBRARY_PATH=/tmp -e LD_AUDIT=/tmp/x box echo here
	# The control: whoever reads it does wait.
	run -124 timeout -k 5 2 "$CORDON" --root "$CORDON_ROOT" exec box /dynamic
	# Nothing of it is left inside.
	gives 0 "" quickly exec box sh -c 'for d in /proc/[0-9]*; do ! [ "$(cat "$d/cmdline")" = /dynamic ] || echo "$d"; done'
	rm tree/etc/ld.so.preload
	tree_start other -- sleep 600
	gives 0 "" quickly exec other /dynamic
}

# What it writes in its own /proc, /dev and /tmp is not looked at by whoever comes in.
@test "exec: links in place of /dev and /proc are not followed by what comes in" {
	make_rootfs tree
	tree_start box -- sh -c 'ln -s /proc/1/root /tmp/out; ln -s /proc/1/fd/0 /tmp/fd; sleep 600'
	gives 0 here quickly exec box echo here
	says 125 "cordon: *working_dir: /tmp/out: *" quickly exec -w /tmp/out box true
	says 126 "cordon: *" quickly exec box /tmp/fd
	gives 0 here quickly exec box echo here
}

# Either the program has ended by itself, or it is said that the sandbox has.
is_an_answer() { # CODE SAID
	case $1 in
	7) [ "$2" = ran ] ;;
	137) [[ "$2" == "" || "$2" == ran || "$2" == *"the sandbox box has ended, and the program with it" ]] ;;
	125 | 126 | 127) [[ "$2" == *"sandbox box is "* || "$2" == *"sandbox box has ended meanwhile"* ]] ;;
	*) false ;;
	esac
}

@test "exec: 200 times while the sandbox ends: its own code or one clear answer, and nothing is left" {
	local i k code pids bad=0
	declare -A seen=()
	cordon create --name box -- sleep 600 >/dev/null
	for i in {1..50}; do
		cordon start box >/dev/null
		kept_pids box
		pids=()
		for k in 1 2 3 4; do
			timeout -k 1 60 "$CORDON" --root "$CORDON_ROOT" exec box sh -c 'echo ran; exit 7' >"said.$k" 2>&1 </dev/null 3>&- &
			pids+=($!)
		done
		sleep "0.0$((i * 97 % 90 + 10))"
		kill -9 "$workload"
		for k in 1 2 3 4; do
			code=0
			wait "${pids[k - 1]}" || code=$?
			seen[$code]=$((${seen[$code]:-0} + 1))
			is_an_answer "$code" "$(<"said.$k")" || { echo "exit code $code: $(<"said.$k")"; bad=1; }
		done
		eventually kept_is box exited
		[ "$(awk '$1 == "exit_code" { print $2 }' "$CORDON_ROOT"/state/sandboxes/*/state)" = 137 ]
	done
	for code in "${!seen[@]}"; do echo "# exit code $code: ${seen[$code]} times" >&3; done
	run -1 pgrep -f -- "--root $CORDON_ROOT "
	run -0 cordon gc
	[[ "$output" == "0 dead runs removed, 0 id blocks freed, 0 runs alive" ]]
	[ "$bad" -eq 0 ]
}
