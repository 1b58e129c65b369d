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

# bats test_tags=user
@test "a run root that is another user's: said in words, with what to do" {
	local hint="*hint: XDG_RUNTIME_DIR says where it is: set it to a directory of your own, unset it, or*--root DIR*"
	# A directory that nobody may write to, one below it that cannot be made, and one that nobody may look into.
	mkdir -p shut
	chmod 0500 shut
	says 125 "cordon: *$PWD/shut/cordon: make the directory: Permission denied$hint" env XDG_RUNTIME_DIR="$PWD/shut" "$CORDON" run -- true
	says 125 "cordon: *$PWD/shut/a/cordon: make its parents: Permission denied$hint" env XDG_RUNTIME_DIR="$PWD/shut/a" "$CORDON" run -d -- true
	chmod 0 shut
	cordon create --name web -- true >/dev/null
	says 125 "cordon: $PWD/shut/cordon/sandboxes: Permission denied$hint" env XDG_RUNTIME_DIR="$PWD/shut" "$CORDON" ps
	# The controls: a directory of one's own, and none.
	chmod 0700 shut
	gives 0 "" env XDG_RUNTIME_DIR="$PWD/shut" "$CORDON" run -- true
	gives 0 "" env -u XDG_RUNTIME_DIR "$CORDON" run -- true
	gives 0 web cordon rm web
}

# RUN is on a disk that outlives the boot, as that of --root is. Nothing of it was ever flushed.
@test "a run root of an earlier boot: the first command clears it, and takes nothing that runs" {
	local run=$PWD/root/run id
	cordon() { "$CORDON" --root "$BATS_TEST_TMPDIR/root" "$@"; }
	cordon run -d --name web -- sleep 60 >/dev/null 3>&-
	cordon create --name kept -- true >/dev/null
	id=$(cordon create --rm --name passing -- true)
	: >"$run/sandboxes/$id/record"
	mkdir -m 0700 "$run/runs/0123456789abcdef"
	: >"$run/runs/0123456789abcdef/journal"
	# The control: of this boot it is a record that is damaged, and nothing goes.
	says 125 "*$id*" cordon ps -a
	[ -d "$run/runs/0123456789abcdef" ]

	ln -sfn 00000000-0000-0000-0000-000000000000 "$run/boot_id"
	gives 0 $'kept\nweb' cordon ps -a --format '{{.Names}}'
	[ ! -e "$run/sandboxes/$id" ]
	[ ! -e "$run/runs/0123456789abcdef" ]
	[ "$(readlink "$run/boot_id")" = "$(cat /proc/sys/kernel/random/boot_id)" ]
	# What runs was made by this boot, whatever the link had said.
	gives 0 running cordon inspect --format '{{.state}}' web
	gives 0 inside cordon exec web echo inside
	# The same without a link: `run` is the first here.
	id=$(cordon create --rm -- true)
	rm "$run/boot_id"
	gives 0 "" cordon run -- true
	[ ! -e "$run/sandboxes/$id" ]
	id=$(cordon create --rm -- true)
	gives 0 "" cordon run -- true
	[ -e "$run/sandboxes/$id" ]
	gives 0 $'web\nkept' cordon rm -f web kept
	gives 0 "$id" cordon rm "$id"
	gives 0 "" cordon ps -aq
	[ -z "$(find "$run/runs" "$run/sandboxes" -mindepth 1)" ]
}
