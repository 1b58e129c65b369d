#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Nothing to gain: capabilities, no_new_privs, setuid files, keyrings. The rows behind them check
# themselves, and the keeper reads the result back: a row that is left out ends the start.

load ../lib/cordon
load ../lib/attack

EMPTY=$'CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nCapAmb:\t0000000000000000'

# bats test_tags=vm
@test "capabilities: all five sets are empty, for user 1000 and for user 0 inside" {
	gives 0 "$EMPTY" cordon run -- grep ^Cap /proc/self/status
	gives 0 "$EMPTY" cordon run -u 0:0 -- grep ^Cap /proc/self/status
	gives 0 "$EMPTY" cordon run -- grep ^Cap /proc/1/status
}

@test "capabilities: libcap-ng finds none either; the control: what root has outside" {
	gives 42 none cordon run --ro "$ATTACK" -- "$ATTACK/capsets"
	gives 42 none cordon run -u 0:0 --ro "$ATTACK" -- "$ATTACK/capsets"
	# A user has a bounding set at least.
	gives 0 some "$ATTACK/capsets"
}

# bats test_tags=vm
@test "capabilities: a row that is left out is noticed, by itself or when the keeper reads back" {
	says 125 "cordon: step read_back: workload: read back: CapBnd is *, not '0000000000000000'*" \
		without bounding_set inside true
	says 125 "cordon: step capabilities: capabilities are left after all were dropped*" \
		without capabilities cordon run -u 0:0 -- true
	if is_root; then
		# The change of ids has emptied the sets already: setresuid from 0 (capabilities(7)).
		gives 0 "$EMPTY" without capabilities cordon run -- grep ^Cap /proc/self/status
	else
		says 125 "cordon: step capabilities: *" without capabilities inside true
	fi
}

# bats test_tags=vm
@test "identity: the program is 1000:1000, or who -u says, and can become nobody else" {
	gives 0 "1000 1000 1000" inside 'echo $(id -u) $(id -g) $(id -G)'
	# As a user id 0 is in no map, so that the kernel does not even know it.
	local answer
	answer=$(is_root && echo EPERM || echo EINVAL)
	gives 42 "$answer" cordon run -- "$ATTACK/call" setuid 0
	gives 42 "$answer" cordon run -- "$ATTACK/call" setgid 0
	gives 42 "$answer" cordon run -- "$ATTACK/call" setresuid 0 0 0
	gives 42 EPERM without seccomp cordon run -- "$ATTACK/call" setgroups 0 0
	gives 0 "7 8" inside 'echo $(id -u) $(id -g)' -u 7:8
	gives 0 "1 1" inside 'echo $(id -u) $(id -g)' -u daemon
	says 125 "*no user 'absent' in the rootfs's passwd*" inside true -u absent
}

# bats test_tags=root,vm
@test "identity: without its row the ids that the keeper reads back are wrong" {
	says 125 "cordon: step read_back: workload: read back: Uid is *" without identity inside true
}

# bats test_tags=vm
@test "no_new_privs: set, and a start without it fails" {
	gives 0 $'NoNewPrivs:\t1' cordon run -- grep NoNewPrivs: /proc/self/status
	gives 0 $'NoNewPrivs:\t1' cordon run -- grep NoNewPrivs: /proc/1/status
	says 125 "cordon: step no_new_privs: no_new_privs: reads back as off*" without no_new_privs inside true
}

@test "a setuid program gives nothing" {
	denied setuid-file unchanged
	# Three layers: the mounts are nosuid, no_new_privs, and no user but the caller's is mapped. On
	# the host the same attempt works.
	run -0 "$HOSTILE" only=setuid-file
	run -0 cordon run -- cat /proc/self/mountinfo
	[ "$(grep -vc nosuid <<<"$output")" -eq 0 ]
}

# bats test_tags=vm
@test "keyrings: a key of the caller's session is out of reach" {
	need keyctl
	local script='
		key=$(keyctl add user cordon-planted secret @s) && [ "$(keyctl print "$key")" = secret ] || exit 99
		"$@" -- "$ATTACK_CALL" keyctl 11 "$key" buf 64; echo "read: $?"
		"$@" -- "$ATTACK_CALL" request_key text:user text:cordon-planted 0 0; echo "found: $?"
		keyctl print "$key"'
	export ATTACK_CALL=$ATTACK/call
	# The filter answers first.
	says 0 $'*EPERM\nread: 42\nEPERM\nfound: 42\nsecret' \
		keyctl session - sh -c "$script" sh "$CORDON" --root "$CORDON_ROOT" run
}

@test "keyrings: without the filter another session keyring stands in the way" {
	need keyctl
	local script='
		key=$(keyctl add user cordon-planted secret @s) && keyctl setperm "$key" 0x3f000000 || exit 99
		"$@" -- "$ATTACK_CALL" request_key text:user text:cordon-planted 0 0
		"$@" -- "$ATTACK_CALL" keyctl 11 "$key" buf 64; exit 0'
	export ATTACK_CALL=$ATTACK/call
	CORDON_FAULT=seccomp:skip run -0 keyctl session - sh -c "$script" sh "$FAULTY" --root "$CORDON_ROOT" run
	[ "${lines[-2]}" = ENOKEY ]
	[ "${lines[-1]}" = EACCES ]
	# The control: with the calls allowed and the row for a new session left out, the key is found.
	CORDON_FAULT=keyring:skip run -0 keyctl session - sh -c "$script" sh "$FAULTY" --root "$CORDON_ROOT" run \
		-q --waive seccomp.call:keyctl=test --waive seccomp.call:request_key=test
	[ "$(grep -v '^cordon: waived: ' <<<"$output" | tail -n 2 | head -n 1)" = ok ]
}

# How many count for the quota; a user without any has no line.
keys_of_user() {
	awk -v id="$(id -u):" '$1 == id { n = $4 } END { print n + 0 }' /proc/key-users
}

# bats test_tags=user,vm
@test "a user's sandboxes take one keyring of the quota, not one each" {
	local before i
	cordon run -- true
	before=$(keys_of_user)
	for ((i = 0; i < 6; i++)); do
		cordon run -- true
	done
	[ $(($(keys_of_user) - before)) -le 2 ]
}
