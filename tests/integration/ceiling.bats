#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# /etc/cordon/ceiling.yaml binds every user of the host but its root. Tried with a host of its own: a
# mount namespace with another /etc.

load ../lib/cordon
load ../lib/attack

# A command as a user of a host whose /etc/cordon has what stands below etc-cordon.
on_such_a_host() { # USER COMMAND...
	# It is the inner shell's to expand.
	# shellcheck disable=SC2016
	unshare --mount --propagation private bash -c '
		mkdir -p over etc-cordon &&
		mount -t tmpfs none over && mkdir over/upper over/work &&
		mount -t overlay none -o lowerdir=/etc,upperdir=over/upper,workdir=over/work /etc &&
		cp -a etc-cordon /etc/cordon && chown -R 0:0 /etc/cordon &&
		{ [ ! -e foreign ] || chown 1 /etc/cordon/ceiling.yaml; } &&
		user=$1 && shift && cd / &&
		exec setpriv --reuid "$user" --regid "$user" --clear-groups "$@"' on_such_a_host "$@"
}

# The test's own directory is closed to other users.
set_up_host() {
	open_dir=$(mktemp -d /tmp/cordon-ceiling.XXXXXX)
	chmod 755 "$open_dir"
	mkdir etc-cordon "$open_dir/state"
	printf 'cordon: 1\nlimits: {nproc: 10}\nwaive: {}\nvolumes: [/usr]\n' >etc-cordon/ceiling.yaml
	chmod 755 etc-cordon
	chmod 644 etc-cordon/ceiling.yaml
	cp -L "$CORDON" "$open_dir/program"
	chown 61236 "$open_dir/state"
	P=("$open_dir/program" --root "$open_dir/state")
}

teardown() {
	[ -z "${open_dir:-}" ] || rm -rf "$open_dir"
	cordon_teardown
}

as_user() { on_such_a_host 61236 "${P[@]}" "$@"; }

# bats test_tags=root
@test "ceiling: a user's limits are lowered to it, and more is refused with its place" {
	set_up_host
	says 0 "*limits.nproc * 10 */etc/cordon/ceiling.yaml:2*" as_user explain
	says 125 "*error: limits.nproc: 11 is more than this host's ceiling, 10*It is said in /etc/cordon/ceiling.yaml:2.*" \
		as_user run --set limits.nproc=11 -- true
	says 125 "*the waiver seccomp.call:ptrace may not be used on this host*" \
		as_user run --waive seccomp.call:ptrace=why -- true
	says 125 "*/var may not be shown on this host*" as_user run --ro /var -- true
	gives 0 "" as_user run --ro /usr/share --set limits.nproc=9 -- true
}

# bats test_tags=root
# There nobody can say whose the file is.
@test "ceiling: the host's root is not bound; root of a user namespace does not start" {
	set_up_host
	gives 0 "" on_such_a_host 0 "${P[@]}" run --set limits.nproc=11 -- true
	says 125 "*the ceiling of this host cannot be read*" \
		on_such_a_host 61236 unshare --map-root-user "${P[@]}" run --set limits.nproc=11 -- true
}

# bats test_tags=root
@test "ceiling: the one of the README: its limits hold for who asks for none, and are required" {
	set_up_host
	awk '/^# \/etc\/cordon\/ceiling.yaml/ { inside = 1 } /^```$/ { inside = 0 } inside' "$repo/README.md" >of-readme
	sed 's/pids: 256, /&memory: 2GiB, /' of-readme >etc-cordon/ceiling.yaml
	says 125 "cordon: limits.memory: * (asked for by /etc/cordon/ceiling.yaml:3)*" \
		as_user run --cgroup-parent cordon-no-such-group -- true
	says 125 "*/var may not be shown on this host*" as_user run --ro /var -- true
	says 125 "*the waiver seccomp.call:ptrace may not be used on this host*" \
		as_user run --waive seccomp.call:ptrace=why -- true
	cp of-readme etc-cordon/ceiling.yaml
	says 0 "*limits.wall_time * 1h * */etc/cordon/ceiling.yaml:3*limits.pids * 256 *" as_user explain
	gives 0 "" as_user run --ro /usr/share -- true
}

# bats test_tags=root
@test "ceiling: one that others may write, or that is wrong, stops every start" {
	set_up_host
	touch foreign
	says 125 "*the ceiling of this host cannot be read*" as_user run -- true
	rm foreign
	gives 0 "" as_user run -- true
	echo 'limits: {nproc: many}' >>etc-cordon/ceiling.yaml
	says 125 "*/etc/cordon/ceiling.yaml:5:*" as_user run -- true
}
