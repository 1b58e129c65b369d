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
	python3 -IS "$repo/tests/storage/tar.py" "$@"
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
	# TEXT is a pattern on purpose.
	# shellcheck disable=SC2053
	if ! run "-$1" "${@:3}" || [[ "$output" != $2 ]]; then
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

# Whether the unpacker has begun with a file of that name.
is_unpacking() { # NAME
	[ -n "$(find "$CORDON_ROOT" -name "$1" 2>/dev/null)" ]
}

# An extended attribute of a file; without a name the names of all that it has, one a line.
attribute() { # FILE [NAME]
	python3 -IS -c 'import os, sys
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

# ---- archives of several layers, made by hand ----

digest() { # FILE
	sha256sum <"$1" | cut -d ' ' -f 1
}

# Puts a file where an OCI layout has it. Prints its digest and its size.
blob() { # DIR FILE
	local hex
	hex=$(digest "$2")
	cp "$2" "$1/blobs/sha256/$hex"
	echo "$hex $(stat -c %s "$2")"
}

# What a line of blob's is in a manifest.
descriptor='def descriptor(type): split(" ") | {mediaType: type, digest: ("sha256:" + .[0]), size: (.[1] | tonumber)};'

# An OCI layout DIR of the given layers, tars, as image NAME. $config: what is merged into the configuration.
make_layout() { # DIR NAME LAYER...
	local dir=$1 name=$2 layer
	local -A lines=()
	shift 2
	mkdir -p "$dir/blobs/sha256"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$dir/oci-layout"
	for layer; do
		[ -n "${lines[$layer]:-}" ] || lines[$layer]=$(blob "$dir" "$layer")
		echo "${lines[$layer]}"
	done >"$dir.layers"
	jq -Rn --argjson more "${config:-{\}}" '{architecture: "amd64", os: "linux",
		rootfs: {type: "layers", diff_ids: [inputs | "sha256:" + split(" ")[0]]}} * $more' "$dir.layers" >"$dir.config"
	jq -Rn --arg c "$(blob "$dir" "$dir.config")" "$descriptor"'{schemaVersion: 2,
		config: ($c | descriptor("application/vnd.oci.image.config.v1+json")),
		layers: [inputs | descriptor("application/vnd.oci.image.layer.v1.tar")]}' "$dir.layers" >"$dir.manifest"
	jq -n --arg n "$name" --arg m "$(blob "$dir" "$dir.manifest")" "$descriptor"'{schemaVersion: 2,
		manifests: [($m | descriptor("application/vnd.oci.image.manifest.v1+json")) +
			{annotations: {"org.opencontainers.image.ref.name": $n}}]}' >"$dir/index.json"
}

# What `docker save` of today writes is a layout with a manifest.json beside it; that one alone is an archive of
# old. DIR: a layout of make_layout.
make_docker() { # DIR NAME
	jq -c --arg n "$2" --arg c "blobs/sha256/$(digest "$1.config")" \
		'[{Config: $c, RepoTags: [$n], Layers: [.layers[].digest | sub("sha256:"; "blobs/sha256/")]}]' \
		"$1.manifest" >"$1/manifest.json"
}

# ---- images to run from ----

# The tree of a small image: busybox by the names that the tests call it by, and two accounts.
make_base() { # DIR
	local applet
	need busybox
	mkdir -p "$1"/{bin,etc,dev,proc,tmp,root}
	cp "$(command -v busybox)" "$1/bin/busybox"
	for applet in sh cat ls echo id touch mkdir rm rmdir readlink stat sleep env pwd kill true; do
		ln -sf busybox "$1/bin/$applet"
	done
	printf 'root:x:0:0::/root:/bin/sh\nweb:x:33:44::/:/bin/sh\n' >"$1/etc/passwd"
	printf 'root:x:0:\nstaff:x:50:\nweb:x:44:\n' >"$1/etc/group"
}

# The same as an archive of one layer, whose owner is 0.
make_base_tar() { # FILE
	make_base "$1.dir"
	tar -C "$1.dir" --owner 0 --group 0 --numeric-owner -cf "$1" .
}

# An image NAME of that layer and of a tar for each LIST, whose words are the entries of one layer. $config is
# its configuration as JSON.
made_of() { # NAME [LIST...]
	local name=$1 list layers=("$PWD/$1.base.tar")
	shift
	[ -e "$PWD/$name.base.tar" ] || make_base_tar "$PWD/$name.base.tar"
	rm -rf "$PWD/$name.layout"
	for list; do
		layers+=("$PWD/$name.${#layers[@]}.tar")
		# Words on purpose.
		# shellcheck disable=SC2086
		make_tar "${layers[-1]}" $list
	done
	config=$(jq -cn --argjson c "${config:-{\}}" '{config: $c}') make_layout "$PWD/$name.layout" "$name" "${layers[@]}"
	gives 0 "*$name:latest sha256:*" image load -q "$PWD/$name.layout" "$name"
}

# A store with an image NAME of those directories, the lowest first, without cordon-image: for machines that have no
# libraries for it. The directories are taken over.
store_by_hand() { # NAME DIR...
	local name=$1 dir store hex id list='' n=0
	store=$(store)
	shift
	(umask 077 && mkdir -p "$store"/{making,configs,images,layers,refs})
	echo 'cordon-images 1' >"$store/format"
	for dir; do
		# No digest: few programs are started here, for these machines are slow.
		printf -v hex '%064x' "$((++n))"
		mkdir "$store/layers/$hex"
		mv "$dir" "$store/layers/$hex/tree"
		printf 'cordon-layer 1\nentries 1\nbytes 1\nskipped 0\nowners 0\n' >"$store/layers/$hex/record"
		: >"$store/layers/$hex/owners"
		: >"$store/layers/$hex/skipped"
		list+="layer $hex"$'\n'
	done
	[ "$(id -u)" -ne 0 ] || find "$store"/layers/*/tree -exec chown -h "$FOREIGN:$FOREIGN" {} +
	printf -v id '%064x' 15
	printf 'cordon-image 2\nos linux\narchitecture amd64\nsource oci\nimported 1\n%sset Env IN_IMAGE=yes\nconfig {}\n' \
		"$list" >"$store/images/$id"
	echo '{}' >"$store/configs/$id"
	echo "sha256:$id" >"$store/refs/$name:latest"
}
