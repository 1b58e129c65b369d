#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A user's sandboxes by commands that have another run root: XDG_RUNTIME_DIR is one thing in a login, and another,
# or nothing, in cron and behind su. Where the records are is the same.

load ../lib/cordon
load ../lib/attack

setup() {
	cordon_setup
	cd "$BATS_TEST_TMPDIR" || return
	export HOME=$PWD/home XDG_RUNTIME_DIR=$PWD/login
	mkdir -m 0700 home login cron
	unset XDG_DATA_HOME XDG_CONFIG_HOME
}

teardown() {
	XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/login "$CORDON" stop --all >/dev/null
	cordon_teardown
}

cordon() { "$CORDON" "$@"; }

elsewhere() { XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/cron "$@"; }

# bats test_tags=user
@test "another run root: what runs is seen, entered, stopped, and never taken for dead" {
	cordon run -d -i --name web -- sh -c 'read -r l; echo "got $l"; sleep 60' >/dev/null 3>&-
	gives 0 web elsewhere cordon ps --format '{{.Names}}'
	gives 0 running elsewhere cordon inspect --format '{{.state}}' web
	gives 0 inside elsewhere cordon exec web echo inside
	# What would be wrong for one whose keeper was killed.
	says 125 "*sandbox web*runs*" elsewhere cordon rm web
	elsewhere cordon gc >/dev/null
	says 125 "cordon: *web*" elsewhere cordon run --name web -- true
	gives 0 running cordon inspect --format '{{.state}}' web
	echo typed | elsewhere timeout 5 "$CORDON" attach web >seen 2>&1 || [ $? -eq 124 ]
	grep -qx 'got typed' seen
	gives 0 web elsewhere cordon stop -t 0 web
	gives 0 exited cordon inspect --format '{{.state}}' web
	gives 0 web elsewhere cordon rm web
	gives 0 "" cordon ps -aq
}

# bats test_tags=user
@test "a run root that was removed: what runs is seen, and can be stopped and removed" {
	cordon run -d --name web -- sleep 60 >/dev/null 3>&-
	rm -r login/cordon
	gives 0 running cordon inspect --format '{{.state}}' web
	cordon gc >/dev/null
	gives 0 running cordon inspect --format '{{.state}}' web
	says 125 "cordon: *" cordon exec web true
	gives 0 web cordon stop -t 0 web
	gives 0 exited cordon inspect --format '{{.state}}' web
	gives 0 web cordon rm web
}

# bats test_tags=user
@test "another run root: a keeper that was killed is settled where it was" {
	local keeper
	cordon run -d --name web -- sleep 60 >/dev/null 3>&-
	keeper=$(sed -n 's/^keeper \([0-9]*\) .*/\1/p' login/cordon/sandboxes/*/live)
	kill -9 "$keeper"
	eventually eval '[ "$(elsewhere cordon inspect --format "{{.state}}" web)" = exited ]'
	elsewhere cordon start web >/dev/null 3>&-
	# Nothing of the run before is left, neither here nor there.
	[ -z "$(ls login/cordon/runs)" ]
	[ ! -e "$(echo login/cordon/sandboxes/*/live)" ]
	gives 0 running cordon inspect --format '{{.state}}' web
	gives 0 web cordon stop -t 0 web
	gives 0 web cordon rm web
}
