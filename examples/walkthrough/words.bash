# SPDX-License-Identifier: LGPL-2.1-or-later
# What the walk-throughs of volumes and networks are written with. Sourced.
#
#	chapter TITLE
#	step COMMAND PATTERN [CODE]	COMMAND as it is typed; what it prints (both outputs) has to match PATTERN, a glob,
#					and its exit code to be CODE (0)
#	in_docker COMMAND		of the next step: what asks Docker the same; - where Docker has nothing of the kind
#	differs REASON			Docker's answer to the next step is another one, for that reason
#	eventually_step ...		a step whose answer may come within ten seconds
#
# Each step prints its command, what that printed, and ok or FAIL. The commands say `cordon`, which is this build's, with a state of
# the walk-through's own that is removed at its end. With WALK_FIRST=yes the first FAIL is the end. tests/bench/compare-docker sets
# WALK_ENGINE=docker and plays the same with docker; WALK_ANSWERS is then a directory, and each step leaves files there.
# shellcheck shell=bash

walk_engine=${WALK_ENGINE:-cordon}
walk_steps=0
walk_failed=0
walk_other=
walk_reason=
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=${CORDON:-$repo/build/cordon}

# Makes a directory, goes there, and sees to it that nothing is left.
walk_begin() {
	[ -x "$program" ] || { echo "${0##*/}: there is no $program yet: make" >&2; exit 2; }
	[ -n "$(command -v busybox)" ] || { echo "${0##*/}: needs busybox: apt-get install busybox-static" >&2; exit 2; }
	walk_dir=$(mktemp -d "${TMPDIR:-/tmp}/walkthrough.XXXXXX")
	chmod 0755 "$walk_dir"
	mkdir "$walk_dir/here"
	cd "$walk_dir/here" || exit
	trap walk_clean EXIT
	trap 'exit 130' INT TERM
}

# What root shows to a sandbox has to belong to another account before it can be written to.
directory() { # NAME
	mkdir "$1"
	[ "$EUID" -ne 0 ] || chown 1:1 "$1"
}

cordon() {
	case $walk_engine in
	cordon) "$program" --root "$walk_dir/root" "$@" ;;
	*) "$walk_engine" "$@" ;;
	esac
}

walk_clean() {
	local id
	for id in $(cordon ps -aq); do
		cordon rm -f -v "$id"
	done >/dev/null
	cd /
	case $walk_engine in
	cordon) "$program" --root "$walk_dir/root" gc >/dev/null ;;
	*) cordon volume ls -q | xargs -r "$walk_engine" volume rm >/dev/null ;;
	esac
	rm -rf --one-file-system "$walk_dir"
}

# An image of busybox alone, as `docker save` writes one. ENTRIES are directories and files of it, beside the program.
walk_image() { # NAME CONFIG ENTRIES
	local dir=$walk_dir/image applet layer
	mkdir -p "$dir/root"/{bin,etc,tmp,proc,dev,sys} "$dir/out"
	cp -L "$(command -v busybox)" "$dir/root/bin/busybox"
	for applet in $(busybox --list); do
		[ "$applet" = busybox ] || ln -s busybox "$dir/root/bin/$applet"
	done
	echo 'root:x:0:0::/:/bin/sh' >"$dir/root/etc/passwd"
	echo 'root:x:0:' >"$dir/root/etc/group"
	(cd "$dir/root" && eval "$3")
	tar -C "$dir/root" --owner 0 --group 0 --numeric-owner -cf "$dir/out/layer.tar" .
	layer=$(sha256sum "$dir/out/layer.tar")
	printf '{"architecture":"%s","os":"linux","config":%s,"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
		"$(dpkg --print-architecture)" "$2" "${layer%% *}" >"$dir/out/config.json"
	printf '[{"Config":"config.json","RepoTags":["%s:latest"],"Layers":["layer.tar"]}]' "$1" >"$dir/out/manifest.json"
	tar -C "$dir/out" -cf "$dir/image.tar" config.json layer.tar manifest.json
	case $walk_engine in
	cordon) cordon image load -q "$dir/image.tar" >/dev/null ;;
	*) cordon image load -q -i "$dir/image.tar" >/dev/null ;;
	esac
	rm -rf "$dir"
}

chapter() { # TITLE
	printf '\n%s\n\n' "$1"
}

in_docker() { # COMMAND
	walk_other=$1
}

differs() { # REASON
	walk_reason=$1
}

# Sets said and code.
walk_ask() { # COMMAND
	code=0
	said=$(eval "$1" 2>&1 </dev/null) || code=$?
}

# Whoever refuses has an exit code of its own.
walk_fits() { # PATTERN CODE
	# A pattern on purpose.
	# shellcheck disable=SC2053
	[[ $said == $1 ]] || return
	[ "$code" = "$2" ] || { [ "$walk_engine" != cordon ] && [ "$2" != 0 ] && [ "$code" != 0 ]; }
}

walk_answer() { # COMMAND FITS
	local file
	printf -v file '%s/%03d' "$WALK_ANSWERS" "$walk_steps"
	printf '%s\n' "$1" >"$file.command"
	printf '%s\n' "$2" >"$file.fits"
	printf '%s\n' "$said" >"$file.said"
	printf '%s\n' "$walk_reason" >"$file.reason"
}

walk_say() {
	[ -z "$said" ] || printf '%s\n' "$said" | cut -c 1-160 | sed 's/^/    /'
}

step() { # COMMAND PATTERN [CODE [TRIES]]
	local command=$1 tries=${4:-1} said code fits=no
	walk_steps=$((walk_steps + 1))
	[ "$walk_engine" = cordon ] || [ -z "$walk_other" ] || command=$walk_other
	printf '  $ %s\n' "$command"
	if [ "$command" = - ]; then
		said='nothing of the kind' code=0 fits=none
	else
		walk_ask "$command"
		while ! walk_fits "$2" "${3:-0}" && [ "$((tries -= 1))" -gt 0 ]; do
			sleep 0.2
			walk_ask "$command"
		done
		! walk_fits "$2" "${3:-0}" || fits=yes
	fi
	walk_say
	[ -z "${WALK_ANSWERS:-}" ] || walk_answer "$1" "$fits"
	walk_other=
	walk_reason=
	if [ "$fits" = yes ]; then
		echo '  ok'
	elif [ "$walk_engine" = cordon ]; then
		printf '  FAIL: exit code %s, wanted %s and an answer like: %s\n' "$code" "${3:-0}" "$2"
		walk_failed=$((walk_failed + 1))
		[ "${WALK_FIRST:-}" != yes ] || walk_end || exit 1
	fi
}

eventually_step() { # COMMAND PATTERN [CODE]
	step "$1" "$2" "${3:-0}" 50
}

walk_end() {
	printf '\n%d steps, %d failed\n' "$walk_steps" "$walk_failed"
	[ "$walk_failed" -eq 0 ]
}
