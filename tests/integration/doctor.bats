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

# ---- a group from systemd ----

# A host with systemd, as far as a look goes: a tree of v2 in which the caller shares its group with others
# and the group above is a slice, and somebody who listens where the system's manager does.
fake_systemd() {
	local group
	need systemd-socket-activate
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree/user.slice/caller.scope" run/systemd/system
	for group in "$tree" "$tree/user.slice" "$tree/user.slice/caller.scope"; do
		echo domain >"$group/cgroup.type"
		echo "cpuset cpu io memory pids" | tee "$group/cgroup.controllers" >"$group/cgroup.subtree_control"
		printf '1\n2\n' >"$group/cgroup.procs"
	done
	echo "30 23 0:28 / $tree rw - cgroup2 cgroup2 rw" >mountinfo
	echo 0::/user.slice/caller.scope >caller
	echo 0::/init.scope >manager
	printf 'Filename Type Size Used Priority\n/swap file 1 0 -1\n' >swaps
}

# There, with the manager or without it. program: another cordon than the one that is tested.
with_systemd() { # yes|no ARG...
	# In it are the arguments.
	# shellcheck disable=SC2016
	unshare --mount --propagation private sh -ec '
		mount -t tmpfs -o mode=0755 none /run
		mkdir -p /run/systemd/system
		mount --bind swaps /proc/swaps
		manager= code=0
		if [ "$1" = yes ]; then
			systemd-socket-activate -l /run/systemd/private sleep 60 >/dev/null 2>&1 3>&- &
			manager=$!
			timeout 10 sh -c "until [ -S /run/systemd/private ]; do sleep 0.02; done"
			mount --bind manager "/proc/$manager/cgroup"
		fi
		shift
		sh -ec "mount --bind caller /proc/\$\$/cgroup
			mount --bind mountinfo /proc/\$\$/mountinfo
			exec \"\$@\"" sh "$@" || code=$?
		[ -z "$manager" ] || kill "$manager"
		exit "$code"' sh "$1" "${program:-$CORDON}" --root "$CORDON_ROOT" "${@:2}"
}

# The sandbox that doctor tries does not work where a file of /proc is covered: 125.
# bats test_tags=root
@test "control groups that systemd would give: doctor says so, as explain does" {
	local limit promise="groups are made in a scope for which systemd will be asked"
	fake_systemd
	# The control: nobody can be asked.
	says 125 "*MISS limits.memory *cgroup v2: the group in which it would be made is systemd's to arrange*note for limits by control groups: *systemd-run --user --scope*" \
		with_systemd no doctor
	[[ $output != *"be asked"* ]]
	says 125 "*ok   limits.pids  *by RLIMIT_NPROC; with another of these limits *in its scope*" with_systemd yes doctor
	for limit in memory cpus cpu_time cpuset io; do
		[[ $output == *"ok   limits.$limit "*"cgroup v2, $promise"* ]]
	done
	[[ $output == *"ok   limits.swap "*"counted, so that limits.memory holds"* ]]
	[[ $output == *"note systemd is asked for a scope when"* ]]
	[[ $output != *"by control groups: "* ]]
	says 0 "*limits.memory *64MiB *a group of its own in a scope for which systemd will be asked*  + scope *" \
		with_systemd yes explain --set limits.memory=64MiB -- true
	run -125 --separate-stderr with_systemd yes doctor --json
	need jq
	[ "$(jq -r '.checks[] | select(.name == "limits.memory") | "\(.ok) \(.text)"' <<<"$output")" = "true cgroup v2, $promise" ]
	[[ "$(jq -r '.notes[]' <<<"$output")" == *"whether it agrees is known only then"* ]]
	# A group that was named is the one that is used.
	says 125 "*MISS limits.memory *there is no control group of the name*" with_systemd yes doctor --cgroup-parent a
}

# bats test_tags=root
@test "control groups that systemd would give, and the program that asks for them is missing or anybody's" {
	fake_systemd
	mkdir -m 0755 bin
	cp "$CORDON" bin/cordon
	program=$BATS_TEST_TMPDIR/bin/cordon
	missing_program="*cordon-scope, which asks for it, is neither beside cordon nor in ../libexec/cordon from there: make install puts it there; or *systemd-run*"
	says 125 "*MISS limits.memory *note for limits by control groups: systemd would give a group, and $missing_program" \
		with_systemd yes doctor
	says 125 "cordon: limits.memory: *hint: systemd would give a group, and $missing_program" \
		with_systemd yes run --set limits.memory=64MiB -- true
	# Where nobody would be asked, it is not missed.
	says 125 "*MISS limits.memory *" with_systemd no doctor
	[[ $output != *cordon-scope* ]]
	# Beside it, or where it is installed; but not where others may write it.
	cp "$(type -P true)" bin/cordon-scope
	says 125 "*ok   limits.memory *" with_systemd yes doctor
	chmod g+w bin/cordon-scope
	says 125 "*MISS limits.memory *cordon-scope, which asks for it, is not executed where it is: *(chmod go-w)*" \
		with_systemd yes doctor
	mkdir -m 0755 libexec libexec/cordon
	mv bin/cordon-scope libexec/cordon/
	says 125 "*(chmod go-w)*" with_systemd yes doctor
	chmod g-w libexec/cordon/cordon-scope
	says 125 "*ok   limits.memory *" with_systemd yes doctor
	chmod g+w libexec/cordon
	says 125 "*(chmod go-w)*" with_systemd yes doctor
}
