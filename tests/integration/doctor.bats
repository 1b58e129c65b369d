#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# doctor, and run, in places where something is missing that cordon needs, as containers and old hosts
# have it: each is told with what to do about it, and without it everything works.

load ../lib/cordon
load ../lib/attack

# Both commands say it, and nothing is left of the attempt.
both_say() { # PATTERN ENVIRONMENT...
	says 125 "$1" "${@:2}" "$CORDON" --root "$CORDON_ROOT" doctor || return 1
	says 125 "$1" "${@:2}" "$CORDON" --root "$CORDON_ROOT" run -- true || return 1
	[ -z "$(ls -A "$CORDON_ROOT/run/runs" 2>/dev/null)" ]
}

@test "control: with all of it both work" {
	says 0 "*made, used and gone again" cordon doctor
	gives 0 "" cordon run -- true
	gives 0 "" "$ATTACK/without" getpgid=EPERM "$CORDON" --root "$CORDON_ROOT" run -- true
}

@test "a container's filter that forbids user namespaces" {
	local says_so="*make the sandbox's namespaces: *hint: User namespaces are forbidden here, by a surrounding container's filter *--security-opt*"
	both_say "$says_so" "$ATTACK/without" userns=EPERM
	both_say "$says_so" "$ATTACK/without" clone3=EPERM
	both_say "$says_so" "$ATTACK/without" clone3=ENOSYS
}

@test "a container's filter or profile that forbids mounts" {
	local call
	for call in mount=EPERM fsopen=EPERM open_tree=EPERM mount_setattr=EPERM move_mount=EPERM pivot_root=EPERM fsopen=ENOSYS; do
		both_say "*cordon: step *hint: If this is inside a container, its filter or its security profile forbids that*" \
			"$ATTACK/without" "$call"
	done
}

@test "no seccomp filters" {
	both_say "*this kernel has no seccomp filters*CONFIG_SECCOMP_FILTER*" "$ATTACK/without" prctl=EINVAL
}

@test "no memory files" {
	both_say "*memfd for cordon-init: *hint: *" "$ATTACK/without" memfd_create=ENOSYS
}

@test "a limit of user namespaces that is 0" {
	both_say "*user.max_user_namespaces is 0*hint: This is inside a container*" \
		unshare --map-root-user sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"' sh
}

# bats test_tags=root
@test "no /proc, and a /proc that is partly covered" {
	both_say "*/proc is not mounted here*hint: As root: mount -t proc proc /proc.*" \
		unshare --mount --propagation private sh -c 'mount -t tmpfs none /proc && exec "$@"' sh
	both_say "*hint: The surrounding container hides parts of /proc*" \
		unshare --mount --propagation private sh -c 'mount --bind /dev/null /proc/interrupts && exec "$@"' sh
}

# bats test_tags=root
@test "control: the covered /proc without its cover" {
	gives 0 "" unshare --mount --propagation private sh -c 'exec "$@"' sh "$CORDON" --root "$CORDON_ROOT" run -- true
}
