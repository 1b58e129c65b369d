# SPDX-License-Identifier: LGPL-2.1-or-later
# For the tests that run real programs: `load ../lib/jobs` below `load ../lib/attack`.
#
#	job_tree			makes a tree of a user's and enters it
#	build_says CODE PATTERN CMD...	the command under the profile build, in the current directory;
#					more flags in the array build_flags
#	fetched				what tests/jobs/fetch has fetched, or the test is skipped
#	beside_is_unchanged		nothing but the tree has changed since job_tree
# shellcheck shell=bash

# The bats files read them.
# shellcheck disable=SC2034
jobs_dir=$repo/build/jobs
jobs_root=$jobs_dir/root
build_flags=()

job_tree() {
	mkdir "$BATS_TEST_TMPDIR/tree"
	cd "$BATS_TEST_TMPDIR/tree" || return
	# What a program that got out of its tree would meet first.
	echo beside >"$BATS_TEST_TMPDIR/beside"
	places_state >"$BATS_TEST_TMPDIR/places"
}

# The tree's surroundings and the places that builds write to where they may. Not /tmp itself and not
# what others change meanwhile: there a name of this test's would have to appear.
places_state() {
	tree_state "$BATS_TEST_TMPDIR" | grep -v -e "^$BATS_TEST_TMPDIR\(/tree\|/places\| \)"
	[ ! -d "$HOME" ] || find "$HOME" -maxdepth 1 -printf '%p %y %m %s\n' | sort
	find /usr/local /etc -xdev -newer "$BATS_TEST_TMPDIR/beside" 2>/dev/null | sort
}

beside_is_unchanged() {
	diff "$BATS_TEST_TMPDIR/places" <(places_state)
}

# As root the tree has another owner: what belongs to the host's root is not writable inside.
build_says() { # CODE PATTERN COMMAND...
	! is_root || chown -R 61235:61235 .
	says "$1" "$2" cordon run --profile build "${build_flags[@]}" -- "${@:3}"
}

fetched() {
	[ -e "$jobs_dir/done" ] || skip "tests/jobs/fetch has not run"
}
