#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The profile build: what it adds to default, what it keeps out, and where it refuses to start.

load ../lib/cordon
load ../lib/attack

# A tree of a user's, below the test's own directory; the test goes on inside it.
make_tree() {
	mkdir "$BATS_TEST_TMPDIR/tree"
	cd "$BATS_TEST_TMPDIR/tree" || return
	echo 'text' >file
	! is_root || chown -R 61235:61235 .
}

build() { # COMMAND...
	cordon run --profile build -- "$@"
}

@test "build: starts in the tree, writes there and in /tmp, and nowhere else" {
	make_tree
	gives 0 "$PWD" build pwd
	gives 0 "text" build sh -c 'cat file; echo new >made; mkdir d; mv file d/'
	[ "$(cat made)" = new ]
	[ -f d/file ]
	gives 0 /tmp build sh -c 'cp /bin/true "$HOME/program" && "$HOME/program" && echo "$HOME"'
	gives 42 EROFS build "$ATTACK/call" open text:/usr/new 0101 0644
	gives 42 EROFS build "$ATTACK/call" mkdir text:/new 0755
	# The control: default shows none of it.
	says 2 "*No such file or directory*" cordon run -q -- ls "$PWD"
}

@test "build: what lies beside the tree is not there" {
	echo secret >"$BATS_TEST_TMPDIR/beside"
	make_tree
	gives 42 ENOENT build "$ATTACK/call" open text:../beside 0 0
	gives 0 tree build ls ..
}

@test "build: no network, and no setuid bit in the tree" {
	make_tree
	denied inet ENETUNREACH\|ECONNREFUSED --profile build
	# The control is the same call without the bit.
	gives 42 EPERM build "$ATTACK/call" chmod text:file 04755
	gives 0 ok build "$ATTACK/call" chmod text:file 0755
}

@test "build: the compiler variables are the caller's, where it has them; others are not" {
	make_tree
	export CFLAGS=-O3 CI=true
	unset CC
	# Variables of the shell inside.
	SECRET=x gives 0 "-O3 true unset unset" build sh -c 'echo $CFLAGS $CI ${CC-unset} ${SECRET-unset}'
}

@test "build: refused in a home directory and in a system directory, with the place in the profile" {
	cd /usr
	says 125 "profile build:*: error: \${cwd} is refused: the working directory is a system directory*" build true
	make_tree
	HOME=$PWD says 125 "profile build:*\${cwd} is refused: the working directory is a home directory*hint: *" build true
	gives 0 "" build true
}

# bats test_tags=root
@test "build: a tree of root's wants the waiver that the message names, and then works" {
	local hint
	make_tree
	chown -R 0:0 .
	run -125 build true
	hint=$(grep -o -- '--waive "[^"]*"' <<<"$output")
	[ "$hint" = "--waive \"host_root_write:$PWD=REASON\"" ]
	# Typed as it stands.
	run -0 bash -c '"$1" --root "$2" run --profile build '"$hint"' -- sh -c "echo new >made && cat file"' \
		bash "$CORDON" "$CORDON_ROOT"
	[ "$output" = "cordon: waived: host_root_write:$PWD (REASON)"$'\ntext' ]
	[ "$(stat -c %u:%g made)" = 0:0 ]
}
