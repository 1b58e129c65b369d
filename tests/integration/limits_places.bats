#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Where control groups are mounted: the usual places are asked for first, and nothing is taken for
# granted there.

load ../lib/cordon
load ../lib/attack

. "$repo/tests/lib/groups.bash"

below=
teardown() {
	[ -z "$below" ] || rmdir "$below"
	cordon_teardown
}

# In mounts of its own, after the shell's commands; $1 there is an empty directory.
with_mounts() { # SHELL COMMAND...
	mkdir -p elsewhere
	unshare --mount --propagation private sh -c "set -e; $1; shift; exec \"\$@\"" sh "$PWD/elsewhere" "${@:2}"
}

# bats test_tags=root
@test "places: a hierarchy that is elsewhere is found, and one that stands in its place is not taken for it" {
	local flags=(--set limits.pids=3) move usual
	if groups_is_v2; then
		usual=/sys/fs/cgroup
		move='mount --bind /sys/fs/cgroup "$1"; umount -R /sys/fs/cgroup; mount -t tmpfs none /sys/fs/cgroup'
	else
		usual=/sys/fs/cgroup/pids
		move='mount --bind /sys/fs/cgroup/pids "$1"; umount /sys/fs/cgroup/pids; mount --bind /sys/fs/cgroup/memory /sys/fs/cgroup/pids'
	fi
	says 0 "*a group of its own in $usual*" cordon explain "${flags[@]}" -- true
	gives 0 "3 processes, then EAGAIN" cordon run -q "${flags[@]}" --ro "$ATTACK" -- "$ATTACK/processes" 9
	says 0 "*a group of its own in $PWD/elsewhere*" with_mounts "$move" "$CORDON" --root "$CORDON_ROOT" explain "${flags[@]}" -- true
	gives 0 "3 processes, then EAGAIN" with_mounts "$move" "$CORDON" --root "$CORDON_ROOT" run -q "${flags[@]}" \
		--ro "$ATTACK" -- "$ATTACK/processes" 9
}

# What is mounted at the usual place may begin at a group, as in a container: the caller's own is
# below it, or is not shown.
# bats test_tags=root
@test "places: a mount that begins at a group is one for who lives there alone" {
	groups_is_v2 || below=/sys/fs/cgroup/memory
	below=${below:-/sys/fs/cgroup}/cordon-places-$$
	mkdir "$below"
	says 125 "*limits.memory: the caller's control group is not shown here*" with_mounts \
		"mount --bind $below ${below%/*}" "$CORDON" --root "$CORDON_ROOT" run --set limits.memory=64MiB -- true
	if ! groups_is_v2; then
		# Control: who lives there.
		gives 0 "" sh -c "echo 0 >$below/cgroup.procs && exec \"\$@\"" sh unshare --mount --propagation private \
			sh -c "mount --bind $below ${below%/*} && exec \"\$@\"" sh "$CORDON" --root "$CORDON_ROOT" run \
			--set limits.memory=64MiB -- true
	fi
}
