# SPDX-License-Identifier: LGPL-2.1-or-later
# What tests/bench/life, exec, images, network, volumes and compare-docker share: docker and podman from Debian's packages, unpacked below build/peers and
# never installed, in mount, process, network and IPC namespaces of the benchmark's own, with directories of its own; all that
# they do ends there. Needs: $here, $repo; $work and $group once they are made. Sourced.
# shellcheck shell=bash

engine_packages=(docker.io containerd runc podman conmon crun libsubid4 libgpgme11 libassuan0 golang-github-containers-common libyajl2)
# For bridges, which the others are started without.
network_packages=(iptables libip4tc2 libip6tc2 libxtables12 libnetfilter-conntrack3 libnfnetlink0 libnftnl11 netavark aardvark-dns)
engines=(docker podman)
docker_network=(--iptables=false --ip6tables=false --bridge=none)

say() {
	echo "bench: $*" >&2
}

# ---- outside ----

# What was killed takes a moment to leave its groups.
engines_cleanup() {
	local dir i
	[ -z "$group" ] || for dir in /sys/fs/cgroup/*/"$group"; do
		for ((i = 0; i < 50; i++)); do
			[ -d "$dir" ] || break
			find "$dir" -depth -type d -exec rmdir {} + 2>"$work/groups" || sleep 0.1
		done
		[ ! -d "$dir" ] || say "left: $dir"
	done
	[ -z "$work" ] || rm -rf --one-file-system "$work"
}

# Sets work and group. PROGRAM: of this directory, built without libraries.
engines_begin() { # NAME PROGRAM...
	local program flags
	"$here/fetch" "${engine_packages[@]}" >&2 || say "what could not be fetched is left out"
	work=$(mktemp -d "/var/tmp/cordon-$1.XXXXXX")
	group=cordon-$1-$$
	trap engines_cleanup EXIT
	trap 'exit 130' INT TERM
	chmod 0755 "$work"
	for program in "${@:2}"; do
		flags=(-D_GNU_SOURCE)
		case $program in true | stamp) flags+=(-nostartfiles) ;; esac
		gcc -std=gnu17 "${flags[@]}" -O2 -Wall -Wextra -Werror -static "$here/$program.c" -o "$work/$program"
	done
	cp -L "$repo/build/cordon" "$work/cordon"
}

fetch_bridges() {
	"$here/fetch" "${network_packages[@]}" >&2 || say "docker has no bridge without iptables, podman none without netavark"
}

engines_inside() { # ARGUMENT...
	unshare --mount --propagation private --pid --fork --kill-child --net --ipc --uts "$here/${0##*/}" --inside "$work" "$group" "$@"
}

engines_versions() { # PACKAGE...
	(cd "$repo/build/peers/deb" && printf '%s\n' *.deb) | grep -E "^($(IFS='|' && echo "${*//./\\.}"))_" |
		sed -E 's/_[a-z0-9]*\.deb//; s/_/ /; s/%3a/:/' | paste -sd , | sed 's/,/, /g'
}

# ---- in the namespaces ----

# Where it is without --root: what lives with the boot on the tmpfs, as the others have theirs, the rest on the disk.
cordon() { "$work/cordon" "$@"; }
podman() { "${podman[@]}" "$@"; }

# What could not be had is left out, with what it said last.
left_out() { # TOOL LOG
	echo "$1: $(tail -n 1 "$2" | tr -d '\t' | sed "s|$work/||g" | cut -c 1-200)" >>"$work/left_out"
	say "$(tail -n 1 "$work/left_out")"
}

image() { # PROGRAM...
	mkdir -p "$work/image"
	cp "${@/#/$work/}" "$work/image/"
	tar -C "$work/image" -c . >"$work/image.tar"
}

start_docker() {
	local i
	"$peers/usr/sbin/dockerd" --data-root "$work/docker" --exec-root /run/docker --host unix:///run/docker.sock \
		--pidfile /run/docker.pid "${docker_network[@]}" --cgroup-parent "/$group" >"$work/dockerd.log" 2>&1 &
	for ((i = 0; i < 100; i++)); do
		! docker version >"$work/docker.log" 2>&1 || break
		sleep 0.2
	done
	docker import - box <"$work/image.tar" >"$work/docker.log" 2>&1
	docker run --rm --network none box /until_told --help >"$work/docker.log" 2>&1 &
	docker run -d --name first --network none box /until_told >"$work/docker.log" 2>&1 && docker rm -f first >"$work/docker.log" 2>&1
}

start_podman() {
	podman=("$peers/usr/bin/podman" --root "$work/podman" --runroot /run/podman --cgroup-manager cgroupfs --events-backend file
		--runtime "$peers/usr/sbin/runc" --conmon "$peers/usr/bin/conmon" --tmpdir /run/podman-tmp --network-config-dir "$work/podman-networks")
	mkdir -p "$HOME/.config/containers"
	echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$HOME/.config/containers/policy.json"
	podman import - box <"$work/image.tar" >"$work/podman.log" 2>&1 &&
		podman run -d --name first --network none --cgroup-parent "/$group" box /until_told >"$work/podman.log" 2>&1 &&
		podman rm -f first >"$work/podman.log" 2>&1
}

# Before they are started: docker has its bridge and its rules, and podman finds netavark.
with_bridges() {
	local name root=$repo/build/peers/root/usr
	mkdir -p "$work/bin" "$work/.config/containers"
	for name in ip{,6}tables{,-save,-restore}; do
		ln -s "$root/sbin/xtables-nft-multi" "$work/bin/$name"
	done
	PATH=$work/bin:$PATH
	XTABLES_LIBDIR=$root/lib/$(uname -m)-linux-gnu/xtables
	export XTABLES_LIBDIR CONTAINERS_CONF=$work/.config/containers/containers.conf
	printf '[network]\nnetwork_backend = "netavark"\n[engine]\nhelper_binaries_dir = ["%s"]\n' \
		"$root/lib/podman" >"$CONTAINERS_CONF"
	docker_network=()
}

# Sets tools, and what each of them looks for. PROGRAM: of $work, which sandboxes and containers run.
engines_start() { # PROGRAM...
	local engine
	tools=(cordon)
	peers=$repo/build/peers/root
	LD_LIBRARY_PATH=$peers/usr/lib/$(uname -m)-linux-gnu
	export LD_LIBRARY_PATH PATH=$peers/usr/sbin:$peers/usr/bin:$PATH
	export DOCKER_HOST=unix:///run/docker.sock HOME=$work
	# For what is started without LD_LIBRARY_PATH: conmon has podman tidy up behind each container, and podman waits 20 s for it.
	ldconfig -X -C "$work/ld.so.cache" "${LD_LIBRARY_PATH}"
	mount --bind "$work/ld.so.cache" /etc/ld.so.cache
	mount -t tmpfs bench /run
	mount -t proc proc /proc
	ip link set lo up
	# Records and claims of ids, on the same file system as all else, and not among the host's.
	mount -t tmpfs bench /var/lib
	mkdir -p /run/lock /run/cordon /var/lib/cordon "$work/state"
	chmod 0700 "$work/state"
	mount --bind "$work/state" /var/lib/cordon
	chmod 0700 /run/cordon
	image "$@"
	: >"$work/left_out"
	for engine in "${engines[@]}"; do
		if "start_$engine"; then tools+=("$engine"); else left_out "$engine" "$work/$engine.log"; fi
	done
}
