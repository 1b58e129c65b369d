#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Hosts share their mounts between namespaces (systemd does from the start). What the host mounts
# while a sandbox runs must not show inside, below a directory that is shown there either.

load ../lib/cordon

# Runs cordon in a mount namespace of that propagation, mounts a tmpfs below the shown directory
# while the sandbox looks on, and prints what the sandbox found there.
mount_while_running() { # PROPAGATION COMMAND...
	local propagation=$1 work=$BATS_TEST_TMPDIR/work
	shift
	mkdir -p "$work/below"
	mkfifo "$BATS_TEST_TMPDIR/go"
	unshare --mount --propagation "$propagation" bash -c '
		work=$1 go=$2
		shift 2
		exec 7<>"$go"
		"$@" sh -c "echo ready >&2; read -r go; ls \"\$0/below\"; echo end" "$work" <&7 2>"$go.err" &
		until grep -qs ready "$go.err"; do sleep 0.02; done
		mount -t tmpfs none "$work/below"
		touch "$work/below/late"
		echo go >&7
		wait $!
	' bash "$work" "$BATS_TEST_TMPDIR/go" "$@"
}

# bats test_tags=root
@test "a host mount made later below a shown directory does not show inside" {
	run mount_while_running shared "$CORDON" --root "$CORDON_ROOT" run --ro "$BATS_TEST_TMPDIR/work" --
	[ "$status" -eq 0 ]
	[ "$output" = end ]
}

# bats test_tags=root
@test "control: a namespace that is a slave of the host's sees it" {
	run mount_while_running shared unshare --mount --propagation slave
	[ "$status" -eq 0 ]
	[ "$output" = $'late\nend' ]
}
