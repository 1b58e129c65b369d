#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Each user and root have a world of their own: nobody sees, stops, removes or plants another's sandboxes,
# and what stands where a file should be is neither followed nor waited for.

load ../lib/cordon
load ../lib/fault
load ../lib/kept_sound

bats_require_minimum_version 1.5.0 # run -CODE

CORDON=$repo/build/release/cordon
other=61236

setup() { fault_setup; }

# Nothing may hang: what is waited for ends the test.
quick() { # ARG...
	timeout -k 1 20 "$CORDON" --root "$CORDON_ROOT" "$@" </dev/null 3>&-
}

# ARG... by another user, without --root. It has a copy of the program: the tree may be closed to it.
as_other() {
	setpriv --reuid "$other" --regid "$other" --clear-groups env -i PATH="$PATH" HOME="$home" \
		timeout -k 1 20 "$@" </dev/null 3>&-
}

other_setup() {
	local base
	# What a test that failed has left.
	rm -rf "/tmp/cordon-$other"
	base=$(mktemp -d /tmp/cordon-worlds.XXXXXX)
	chmod 0755 "$base"
	home=$base/home
	mkdir "$home"
	cp "$CORDON" "$base/cordon"
	chown "$other:$other" "$home"
	theirs=$base/cordon
}

other_end() {
	rm -rf "$(dirname "$home")"
	[ ! -d "/tmp/cordon-$other" ] || rm -rf "/tmp/cordon-$other"
}

# bats test_tags=root
@test "another user's cordon sees and touches nothing of root's, whatever it is told" {
	local id bad=0 words
	other_setup
	id=$(quick run -d --name web "${plain[@]}" -- /usr/bin/sleep 60)
	for words in "stop web" "rm web" "start web" "stop $id" "rm $id"; do
		# Words on purpose.
		# shellcheck disable=SC2086
		run -125 as_other "$theirs" $words
		[[ "$output" == *"no sandbox is called"* ]] || { echo "$words: $output"; bad=1; }
		# Told where it is, it is refused at the door.
		# shellcheck disable=SC2086
		run -125 as_other "$theirs" --root "$CORDON_ROOT" $words
		[[ "$output" == *"belongs to uid 0"* || "$output" == *"Permission denied"* ]] ||
			{ echo "--root, $words: $output"; bad=1; }
	done
	run -0 as_other "$theirs" gc
	# The control: it can do all that with its own, under the same name.
	run -0 as_other "$theirs" create --name web -- /usr/bin/sleep 60
	run -0 as_other "$theirs" rm web
	quick stop web
	other_end
	kept_nothing_left && [ "$bad" -eq 0 ]
}

# bats test_tags=root
@test "root with another user's HOME and XDG directories keeps to its own" {
	local bad=0
	other_setup
	run -0 as_other "$theirs" create --name theirs -- /usr/bin/true
	for command in "start theirs" "stop theirs" "rm theirs"; do
		# Words on purpose.
		# shellcheck disable=SC2086
		HOME=$home XDG_DATA_HOME=$home/.local/share XDG_RUNTIME_DIR=/tmp run -125 \
			timeout 20 "$CORDON" $command
		[[ "$output" == *"no sandbox is called theirs"* ]] || { echo "$command: $output"; bad=1; }
	done
	HOME=$home XDG_DATA_HOME=$home/.local/share run -0 timeout 20 "$CORDON" gc
	# The control: it is there, for its owner.
	run -0 as_other "$theirs" rm theirs
	other_end
	[ "$bad" -eq 0 ]
}

# bats test_tags=root
@test "roots that somebody else has planted are refused: directories, links, in /tmp and in HOME" {
	local planted=/tmp/cordon-$other
	other_setup
	# By root, where the user's run root would be: as another user would, and open to it.
	mkdir "$planted"
	run -125 as_other "$theirs" run -d -- /usr/bin/true
	[[ "$output" == *"$planted: belongs to uid 0 with mode 755, not to you alone"*"hint: "* ]]
	chmod 0777 "$planted"
	run -125 as_other "$theirs" run -d -- /usr/bin/true
	[ -z "$(ls -A "$planted")" ]
	rmdir "$planted"
	mkdir -m 0777 "$home/behind"
	chown "$other:$other" "$home/behind"
	ln -s "$home/behind" "$planted"
	run -125 as_other "$theirs" run -d -- /usr/bin/true
	[ -z "$(ls -A "$home/behind")" ]
	rm "$planted"
	# The state root.
	rm -rf "$home/.local"
	as_other mkdir -p "$home/.local/share"
	ln -s "$home/behind" "$home/.local/share/cordon"
	run -125 as_other "$theirs" create -- /usr/bin/true
	[[ "$output" == *"$home/.local/share/cordon: open the directory: "* ]]
	[ -z "$(ls -A "$home/behind")" ]
	rm "$home/.local/share/cordon"
	mkdir -m 0700 "$home/.local/share/cordon"
	run -125 as_other "$theirs" create -- /usr/bin/true
	rmdir "$home/.local/share/cordon"
	# The control.
	run -0 as_other "$theirs" create -- /usr/bin/true
	other_end
}

@test "the state root is shown to no sandbox: not it, nor what holds it or lies in it, --ro and --rw" {
	local state=$CORDON_ROOT/state where how bad=0
	quick create --name web -- /usr/bin/true
	for where in "$CORDON_ROOT" "$state" "$state/sandboxes" "$state/names" "$CORDON_ROOT/run"; do
		for how in --ro --rw; do
			run -125 quick run "$how" "$where" -- /usr/bin/true
			[[ "$output" == *"contains or lies in cordon's own state, "* ]] || { echo "$where: $output"; bad=1; }
		done
	done
	run -125 quick run --set "rootfs.from=dir:$CORDON_ROOT" -- /usr/bin/true
	[[ "$output" == *"contains or lies in cordon's own state, "* ]]
	# Also where nothing was ever kept, and a start of what was made before the state lay there.
	mkdir -p "$work/home/.local"
	HOME=$work/home XDG_DATA_HOME='' run -125 timeout 20 "$CORDON" --root "$work/x" run --ro "$work" -- /usr/bin/true
	rmdir "$work/home/.local" "$work/home"
	# The control.
	run -0 quick run --ro "$work" -- /usr/bin/true
	[ "$bad" -eq 0 ]
	kept_nothing_left
}

# bats test_tags=user
@test "HOME is shown to no sandbox, for what is kept lies in it; a narrower directory is" {
	local home=$BATS_TEST_TMPDIR/home
	mkdir -p "$home/project"
	HOME=$home run -125 timeout 20 "$CORDON" run --rw "$home" -- /usr/bin/true
	[[ "$output" == *"contains or lies in cordon's own state, $home/.local/share/cordon"*"hint: Name a narrower directory"* ]]
	HOME=$home XDG_DATA_HOME=$home/data run -125 timeout 20 "$CORDON" run --ro "$home/data" -- /usr/bin/true
	HOME=$home run -0 timeout 20 "$CORDON" run --rw "$home/project" -- /usr/bin/true
}

# What stands in a record's place, or in that of one of its files, at the owner's own risk: each command
# ends, says something, and reads or changes nothing behind it.
@test "fifos, links and directories where files should be: no command hangs or follows" {
	local id record file what command bad=0 behind=$BATS_TEST_TMPDIR/behind
	mkdir "$behind"
	echo untouched >"$behind/file"
	for file in record state wanted; do
		for what in fifo link directory; do
			id=$(quick create --name web -- /usr/bin/sleep 60)
			record=$CORDON_ROOT/state/sandboxes/$id
			rm -f "$record/$file"
			case $what in
			fifo) mkfifo "$record/$file" ;;
			link) ln -s "$behind/file" "$record/$file" ;;
			directory) mkdir "$record/$file" ;;
			esac
			for command in "start $id" "stop $id" gc "rm $id"; do
				# Words on purpose.
				# shellcheck disable=SC2086
				run quick $command
				[ "$status" -eq 0 ] || [ "$status" -eq 125 ] || {
					echo "$file is a $what: $command: $status $output"
					bad=1
				}
			done
			quick stop "$id" >/dev/null 2>&1 || [ $? -eq 125 ]
			rm -rf "$CORDON_ROOT/state/sandboxes/$id" "$CORDON_ROOT"/state/sandboxes/.old-*
		done
	done
	[ "$(cat "$behind/file")" = untouched ] && [ "$(ls "$behind")" = file ] || bad=1
	run -0 quick gc
	kept_nothing_left && [ "$bad" -eq 0 ]
}

@test "links and other things among the names and records: gc removes the names of nobody, and follows none" {
	local behind=$BATS_TEST_TMPDIR/behind id=0123456789abcdef
	quick create --name web -- /usr/bin/true
	mkdir -p "$behind/sandbox"
	echo untouched >"$behind/sandbox/record"
	ln -s "$behind/sandbox" "$CORDON_ROOT/state/names/out"
	ln -s ../sandboxes/0000000000000000 "$CORDON_ROOT/state/names/up"
	ln -s fedcba9876543210 "$CORDON_ROOT/state/names/gone"
	echo text >"$CORDON_ROOT/state/names/file"
	mkfifo "$CORDON_ROOT/state/names/fifo"
	local name
	for name in out up gone file fifo; do
		run -125 quick rm "$name"
		[[ "$output" == *"no sandbox is called $name"* ]]
	done
	# A name that nobody has can be taken, whatever stands there.
	quick create --name file -- /usr/bin/true
	quick rm file
	run -0 quick gc
	[ "$(ls "$CORDON_ROOT/state/names")" = web ]
	# A link in a record's place.
	ln -s "$behind/sandbox" "$CORDON_ROOT/state/sandboxes/$id"
	run -125 quick rm "$id"
	run -125 quick start "$id"
	run -125 quick gc
	[[ "$output" == *"sandboxes/$id: "* ]] || { echo "$output"; return 1; }
	[ "$(cat "$behind/sandbox/record")" = untouched ]
	rm "$CORDON_ROOT/state/sandboxes/$id"
	kept_nothing_left
}

@test "gc takes a journal that is a fifo for no journal, and does not wait for it" {
	quick run -d --name web "${plain[@]}" -- /usr/bin/true
	mkdir "$CORDON_ROOT/run/runs/00112233445566ff"
	mkfifo "$CORDON_ROOT/run/runs/00112233445566ff/journal"
	run -125 quick gc
	[[ "$output" == *"00112233445566ff/journal: "* ]]
	rm -r "$CORDON_ROOT/run/runs/00112233445566ff"
	kept_nothing_left
}

# bats test_tags=root
@test "records that belong to somebody else: a root that others own or may enter is refused at each level" {
	local dir
	quick create --name web -- /usr/bin/true
	for dir in state state/sandboxes state/names run/sandboxes; do
		chown "$other" "$CORDON_ROOT/$dir"
		run -125 quick rm web
		[[ "$output" == *"belongs to uid $other with mode 700, not to you alone"* ]] || { echo "$dir: $output"; return 1; }
		chown 0 "$CORDON_ROOT/$dir"
		chmod 0711 "$CORDON_ROOT/$dir"
		run -125 quick rm web
		[[ "$output" == *"with mode 711, not to you alone"* ]] || { echo "$dir: $output"; return 1; }
		chmod 0700 "$CORDON_ROOT/$dir"
	done
	kept_nothing_left
}
