#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The profile for cordon itself (profiles/apparmor/cordon), where AppArmor keeps user namespaces from
# others. The switch that does so for programs without a profile is Ubuntu's alone, so it is a profile
# without the rule `userns` that does it here, in whose place cordon's own comes by its path, as it
# does for a program without one. Kernels before 6.7 do not know the rule.

# bats file_tags=vm
load ../lib/cordon
load ../lib/attack

own=/usr/bin/cordon
features=/sys/kernel/security/apparmor/features

setup() {
	cordon_setup
	# cordon.bash reads it.
	# shellcheck disable=SC2034
	CORDON_ROOT=$BATS_TEST_TMPDIR.root
	[ "$(cat /proc/sys/kernel/hostname)" = vm ] || skip "not in a virtual machine of tests/vm/run"
	need apparmor_parser4
	cd "$BATS_TEST_TMPDIR" || return
	cp "$(readlink -f "$CORDON")" "$own"
	loaded=() restricted=
}

teardown() {
	local file
	[ -z "$restricted" ] || echo "$restricted" >/proc/sys/kernel/apparmor_restrict_unprivileged_unconfined
	for file in "${loaded[@]}"; do
		apparmor_parser4 -R "$file"
	done
	rm -f "$own" /etc/apparmor.d/cordon
	cordon_teardown
}

load_profile() { # FILE
	apparmor_parser4 -r -K "$1"
	loaded+=("$1")
}

# All but user namespaces; programs that have a profile of their own go under that.
load_restricted() {
	printf 'abi <abi/4.0>,\nprofile restricted flags=(attach_disconnected) { %s %s }\n' \
		'capability, network, mount, umount, pivot_root, signal, ptrace, unix, change_profile,' \
		'file rwlkm /**, /** pix,' >restricted
	load_profile "$PWD/restricted"
}

# As the ordinary user, from a shell under a profile, to which aa-exec(1) would go likewise.
user_under() { # PROFILE COMMAND...
	# $$ is the process that is replaced.
	setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/home/user TMPDIR=/home/user/tmp \
		bash -c 'echo "exec $0" >/proc/$$/attr/apparmor/exec && exec sh -c '"'exec \"\$@\"'"' sh "$@"' "$@"
}

user_cordon() { # ARG...
	user_under restricted "$own" --root /home/user/tmp/root "$@"
}

mediates_userns() {
	[ -e "$features/namespaces/mask" ] && grep -q userns_create "$features/namespaces/mask"
}

# bats test_tags=root
@test "apparmor: cordon is refused user namespaces with the fix; the line that doctor prints is the fix" {
	local refused="the AppArmor profile that cordon is under does not let it make user namespaces" fix
	# No kernel of Debian's has the switch for programs without a profile.
	[ ! -e /proc/sys/kernel/apparmor_restrict_unprivileged_userns ]
	load_restricted
	if ! mediates_userns; then
		[ "$(uname -r | cut -d . -f 1-2)" = 6.1 ]
		gives 0 "" user_under restricted unshare -U true
		return
	fi
	# The control: the kernel does refuse, and only under that profile.
	says 1 "*Permission denied*" user_under restricted unshare -U true
	gives 0 "" user_under unconfined unshare -U true
	says 125 "cordon: $refused*hint: As root: load cordon's own AppArmor profile*" user_cordon run -- true
	user_cordon doctor --json >said || [ $? -eq 125 ]
	[ "$(jq -c '.checks[] | select(.name == "user namespaces").ok' said)" = false ]
	fix=$(jq -r '.notes[] | select(contains("/etc/apparmor.d/cordon")) | sub("^[^:]*: "; "")' said)
	echo "$fix"
	[[ "$fix" == "install -m 0644 profiles/apparmor/cordon /etc/apparmor.d/ && apparmor_parser -r /etc/apparmor.d/cordon" ]]
	# The parser of version 4 has another name here.
	(cd "$repo" && sh -c "${fix/apparmor_parser/apparmor_parser4 -K}")
	loaded+=(/etc/apparmor.d/cordon)
	gives 0 ok user_cordon run -- echo ok
	says 0 "*ok   user namespaces*made, used and gone again*" user_cordon doctor
	# Others are still refused.
	says 1 "*Permission denied*" user_under restricted unshare -U true
	cp "$own" /home/user/tmp/other
	says 125 "*$refused*" user_under restricted /home/user/tmp/other --root /home/user/tmp/root run -- true
	rm /home/user/tmp/other
}

# bats test_tags=root
@test "apparmor: a program in the sandbox does not keep the right to make user namespaces" {
	load_restricted
	load_profile "$repo/profiles/apparmor/cordon"
	load_profile "$repo/profiles/apparmor/cordon-workload"
	gives 0 "cordon (unconfined)" user_cordon run -- cat /proc/self/attr/apparmor/current
	gives 0 "cordon-workload (enforce)" user_cordon run --set apparmor=auto -- cat /proc/self/attr/apparmor/current
	# By the filter, and without it by the namespace's own limit.
	gives 42 EPERM user_cordon run -- "$ATTACK/call" unshare 0x10000000
	cp "$(readlink -f "$FAULTY")" "$own"
	gives 42 ENOSPC env CORDON_FAULT=seccomp:skip bash -c "$(declare -f user_under user_cordon); own=$own"'; user_cordon "$@"' \
		bash run -- "$ATTACK/call" unshare 0x10000000
}

# bats test_tags=root
@test "apparmor: where the kernel stacks instead of changing, both profiles hold" {
	local switch=/proc/sys/kernel/apparmor_restrict_unprivileged_unconfined
	load_profile "$repo/profiles/apparmor/cordon-workload"
	[ -e "$switch" ] || return 0
	restricted=$(cat "$switch")
	echo 1 >"$switch"
	run user_under unconfined "$own" --root /home/user/tmp/root run --set apparmor=auto -- cat /proc/self/attr/apparmor/current
	echo "$status $output"
	[ "$status" -eq 0 ]
	[[ "$output" == *"cordon-workload"* ]]
}
