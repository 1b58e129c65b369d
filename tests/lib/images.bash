# SPDX-License-Identifier: LGPL-2.1-or-later
# Words for tests of images, beside those of tests/lib/cordon.bash.
#
#	image ARG...			cordon image with this test's --root
#	made ENTRY...			an archive of those entries (tests/storage/tar.py) becomes image x
#	refused TEXT ENTRY...		it does not, with exit code 125 and that text (a glob), and nothing is left
#	tree NAME			the directory of an image's only layer
#	whole				the store has nothing half made, and nothing that a name leads to is missing
# shellcheck shell=bash

# The names are used by the tests.
# shellcheck disable=SC2034
FOREIGN=2147352576

images_setup() {
	cordon_setup
	need jq python3
	cd "$BATS_TEST_TMPDIR" || return
}

image() {
	cordon image "$@"
}

store() {
	echo "$CORDON_ROOT/state/images"
}

make_tar() { # FILE ENTRY...
	python3 "$repo/tests/storage/tar.py" "$@"
}

made() {
	make_tar "$BATS_TEST_TMPDIR/x.tar" "$@"
	gives 0 "*x:latest sha256:*" image import "$BATS_TEST_TMPDIR/x.tar" x
}

refused() {
	make_tar "$BATS_TEST_TMPDIR/x.tar" "${@:2}"
	gives 125 "cordon: $BATS_TEST_TMPDIR/x.tar: $1" image import "$BATS_TEST_TMPDIR/x.tar" x
	whole
	[ -z "$(ls "$(store)/layers")" ]
}

gives() { # CODE TEXT COMMAND...
	run "${@:3}"
	# TEXT is a pattern on purpose.
	# shellcheck disable=SC2053
	if [ "$status" -ne "$1" ] || [[ "$output" != $2 ]]; then
		printf 'exit code %s, wanted %s and %s\n%s\n' "$status" "$1" "$2" "$output"
		return 1
	fi
}

tree() { # NAME
	image inspect --json "$1" | jq -re '.layers | if length == 1 then .[0].path else error end'
}

layer_file() { # NAME FILE
	cat "$(dirname "$(tree "$1")")/$2"
}

whole() {
	local name
	[ -d "$(store)" ] || return 0
	[ -z "$(ls "$(store)/making")" ] || { ls -R "$(store)/making"; return 1; }
	while read -r name; do
		image inspect --json "$name" | jq -re '.layers[].path' | while read -r path; do
			[ -d "$path" ] || { echo "$name: no $path"; return 1; }
		done || return 1
	done < <(image ls --json | jq -r '.images[].name')
}

# An extended attribute of a file; without a name the names of all that it has, one a line.
attribute() { # FILE [NAME]
	python3 -c 'import os, sys
if len(sys.argv) > 2:
    print(os.getxattr(sys.argv[1], sys.argv[2], follow_symlinks=False).decode())
else:
    print("\n".join(sorted(os.listxattr(sys.argv[1], follow_symlinks=False))))' "$@"
}

n_layers() {
	find "$(store)/layers" -mindepth 1 -maxdepth 1 | wc -l
}

# Who files are as a layer's entry 0:0, on the disk.
owner_of() { # ID
	if [ "$(id -u)" -eq 0 ]; then
		echo $((FOREIGN + $1))
	else
		id -u
	fi
}
