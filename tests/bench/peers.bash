# SPDX-License-Identifier: LGPL-2.1-or-later
# Part of tests/bench/run: the peers, and how each is asked for cordon's namespaces and mounts. Sourced.
# shellcheck shell=bash

peer_packages=(bubblewrap crun runc firejail systemd-container libsystemd-shared libyajl2)

peers_fetch() {
	local dir=$repo/build/peers deb
	mkdir -p "$dir"/{deb,root}
	"$here/fetch" "${peer_packages[@]}" || echo "bench: what could not be fetched is left out" >&2
	mkdir "$work/peers"
	cp -a "$dir/root/." "$work/peers/"
	for deb in "$dir"/deb/*.deb; do
		[ ! -e "$deb" ] || dpkg-deb -f "$deb" Package Version | awk '{ printf "%s ", $2 } END { print "" }'
	done >"$work/result/versions"
}

# As an OCI runtime's config.json. own: with Docker's default filter, resolved for no capabilities.
oci_bundle() { # HALF DIR
	local kind place source
	mkdir -p "$2"/rootfs/{dev,proc,run,sys,tmp}
	while read -r kind place source; do
		mkdir -p "$2/rootfs$(dirname "$place")"
		case $kind in
		link) ln -s "$source" "$2/rootfs$place" ;;
		file) : >"$2/rootfs$place" ;;
		bind) if [ -d "$source" ]; then mkdir -p "$2/rootfs$place"; else : >"$2/rootfs$place"; fi ;;
		esac
	done <"$work/tree"
	chmod -R a+rX "$2"
	jq -n --arg half "$1" --arg true "$work/bin/true" --argjson ids "$host_ids" --argjson uid "$(id -u)" \
		--argjson gid "$(id -g)" --rawfile tree "$work/tree" --slurpfile docker "$here/data/docker-default-seccomp.json" '
		($tree | split("\n") | map(select(. != "") | split(" "))) as $tree |
		(if $half == "root" then {host: $ids, size: 65536} else {host: null, size: 1} end) as $map |
		def tmpfs($place; $size): {destination: $place, type: "tmpfs", source: "tmpfs",
			options: ["nosuid", "nodev", "mode=1777", "size=\($size)"]};
		{ociVersion: "1.0.2", hostname: "sandbox", root: {path: "rootfs", readonly: true},
		process: {terminal: false, user: {uid: 0, gid: 0}, args: [$true], env: ["PATH=/usr/bin:/bin"], cwd: "/tmp",
			noNewPrivileges: true, capabilities: {bounding: [], effective: [], permitted: [], inheritable: []},
			rlimits: [{type: "RLIMIT_NOFILE", soft: 1024, hard: 1024}]},
		mounts: ([{destination: "/proc", type: "proc", source: "proc"},
			{destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755", "size=65536k"]},
			{destination: "/dev/pts", type: "devpts", source: "devpts", options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666"]},
			tmpfs("/dev/shm"; "65536k"), tmpfs("/tmp"; "65536k")] +
			[$tree[] | select(.[0] == "bind" or .[0] == "show") | {destination: .[1], type: "bind", source: .[2],
				options: ["rbind", "ro", "nosuid", "nodev"]}]),
		linux: {namespaces: [("user", "pid", "mount", "network", "ipc", "uts", "cgroup") | {type: .}],
			uidMappings: [{containerID: 0, hostID: ($map.host // $uid), size: $map.size}],
			gidMappings: [{containerID: 0, hostID: ($map.host // $gid), size: $map.size}],
			maskedPaths: [$tree[] | select(.[0] == "hidden" or .[0] == "hide") | .[1]],
			readonlyPaths: [$tree[] | select(.[0] == "read-only") | .[1]],
			seccomp: {defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 1, architectures: ["SCMP_ARCH_X86_64"],
				syscalls: [$docker[0].syscalls[]
					| select((.includes.caps // []) == [])
					| select((.includes.arches // ["amd64"]) | index("amd64"))
					| select((.excludes.arches // []) | index("amd64") | not)
					| {names, action} + (if (.args // []) == [] then {} else {args} end)
					+ (if .errnoRet then {errnoRet} else {} end)]}}}' >"$2/config.json"
}

bare_command() { # HALF [FILTER]
	local kind place source
	printf '%s' "$work/bin/bare"
	[ "$1" = user ] || printf ' -u %s' "$host_ids"
	printf ' -i %s%s' "$work/bin/init" "${2:+ -f $2}"
	while read -r kind place source; do
		case $kind in
		bind | show | link) printf ' %s %s %s' "$kind" "$source" "$place" ;;
		file) printf ' file %s' "$place" ;;
		hidden) printf ' null %s' "$place" ;;
		hide) printf ' hide %s' "$place" ;;
		read-only) printf ' ro %s' "$place" ;;
		esac
	done <"$work/tree"
	printf ' -- %s' "$work/bin/true"
}

bwrap_command() { # [--seccomp FD]
	local kind place source
	printf '%s' "$work/peers/usr/bin/bwrap $* --unshare-user --unshare-ipc --unshare-pid --unshare-net --unshare-uts"
	printf ' %s' --unshare-cgroup --uid 1000 --gid 1000 --hostname sandbox --die-with-parent --new-session --clearenv \
		--cap-drop ALL --dev /dev --proc /proc --tmpfs /tmp
	while read -r kind place source; do
		case $kind in
		bind | show) printf ' --ro-bind %s %s' "$source" "$place" ;;
		link) printf ' --symlink %s %s' "$source" "$place" ;;
		file) printf ' --ro-bind %s %s' "$work/empty" "$place" ;;
		hidden) printf ' --ro-bind /dev/null %s' "$place" ;;
		hide) printf ' --tmpfs %s --remount-ro %s' "$place" "$place" ;;
		esac
	done <"$work/tree"
	printf ' --remount-ro / --chdir /tmp %s' "$work/bin/true"
}

firejail_command() {
	local kind place source
	printf '%s' "$work/peers/usr/bin/firejail --quiet --noprofile --net=none --private-dev --private-tmp --seccomp"
	printf ' %s' --caps.drop=all --nonewprivs --hostname=sandbox --ipc-namespace --read-only=/usr
	while read -r kind place source; do
		case $kind in hidden | hide) printf ' --blacklist=%s' "$place" ;; esac
	done <"$work/tree"
	printf ' %s' /usr/bin/true
}

nspawn_command() { # DIR
	local kind place source libs=$work/peers/usr/lib/x86_64-linux-gnu
	printf '%s' "/lib64/ld-linux-x86-64.so.2 --library-path $libs:$libs/systemd:$work/peers/lib/x86_64-linux-gnu"
	printf ' %s' "$work/peers/usr/bin/systemd-nspawn" --quiet --register=no --keep-unit -D "$1/rootfs" --read-only \
		"--private-users=$host_ids:65536" --private-users-ownership=off --private-network --as-pid2 --console=pipe \
		--drop-capability=all --no-new-privileges=yes --tmpfs=/tmp --hostname=sandbox --timezone=off --resolv-conf=off
	while read -r kind place source; do
		case $kind in
		bind | show) printf ' --bind-ro=%s:%s' "$source" "$place" ;;
		esac
	done <"$work/tree"
	printf ' %s' "$work/bin/true"
}

# same: byte-identical BPF where a tool takes it; own: what each comes with. bwrap alone wants an open
# descriptor: what the opener costs is measured in the same run, and report.bash takes it off.
peers_commands() { # HALF
	local true=$work/bin/true filter=$work/filter.bpf opener bundle=$work/$1/bundle
	local cordon="run -q -- $true" unshare
	opener="$work/bin/opener $filter"
	unshare="$(command -v unshare) --user --map-root-user --mount --pid --fork --mount-proc --net --ipc --uts --cgroup $true"
	oci_bundle "$1" "$bundle"
	admit same 'opener' "$opener $true"
	admit same 'fork+exec' "$true"
	admit same 'bare, same filter' "$(bare_command "$1" "$filter")"
	admit same 'bwrap, same filter' "$opener $(bwrap_command --seccomp 9)"
	admit same 'cordon, same filter' "$work/bin/cordon-bench $cordon"
	admit own 'fork+exec' "$true"
	admit own 'unshare, no filter' "$unshare"
	admit own 'bare, no filter' "$(bare_command "$1")"
	admit own 'cordon' "$work/bin/cordon $cordon"
	admit own 'bwrap, no filter' "$(bwrap_command)"
	admit own 'crun' "$opener /lib64/ld-linux-x86-64.so.2 --library-path $work/peers/usr/lib/x86_64-linux-gnu $work/peers/usr/bin/crun --root $work/$1/crun --cgroup-manager=disabled run --bundle $bundle @"
	admit own 'runc' "$opener $work/peers/usr/sbin/runc --root $work/$1/runc run --bundle $bundle @"
	admit own 'firejail' "$(firejail_command)"
	admit own 'systemd-nspawn' "$(nspawn_command "$bundle")"
}
