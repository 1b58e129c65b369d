#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# `cordon image` as a command: which program it becomes, its flags, and what this build has not got.

bats_require_minimum_version 1.5.0 # run -CODE
load ../lib/cordon
load ../lib/images

setup() {
	images_setup
	make_tar x.tar file:f:data=1
}

@test "program: beside cordon, else in ../libexec/cordon; one that others may write is not executed" {
	local own=$CORDON
	mkdir -m 755 bin libexec libexec/cordon
	cp "$own" bin/cordon
	CORDON=$PWD/bin/cordon gives 125 "cordon: cordon-image: No such file*lies beside cordon or in libexec/cordon*" image ls
	cp "$(dirname "$(realpath "$own")")/cordon-image" bin/
	chmod 775 bin/cordon-image
	CORDON=$PWD/bin/cordon gives 125 "cordon: cordon-image: Operation not permitted*writable for nobody else*" image ls
	# The control.
	chmod 755 bin/cordon-image
	CORDON=$PWD/bin/cordon gives 0 "x:latest *" image import x.tar x
	# Beside cordon nobody looks at it where the directory is another's as well: the next place counts.
	chmod 775 bin
	CORDON=$PWD/bin/cordon gives 125 "cordon: cordon-image: Operation not permitted*" image ls
	mv bin/cordon-image libexec/cordon/
	CORDON=$PWD/bin/cordon gives 0 "*x:latest*" image ls
	ln -s "$PWD/libexec/cordon/cordon-image" bin/cordon-image
	CORDON=$PWD/bin/cordon gives 0 "*x:latest*" image ls
	rm libexec/cordon/cordon-image
	CORDON=$PWD/bin/cordon gives 125 "cordon: cordon-image: *" image ls
}

@test "program: cordon has nothing of what reads archives, JSON and digests of images" {
	local dir
	dir=$(dirname "$(realpath "$CORDON")")
	run -0 ldd "$dir/cordon-image"
	[[ $output == *libarchive* && $output == *libcrypto* && $output == *libjson-c* ]]
	for name in archive_read_new EVP_DigestInit_ex json_tokener_parse_ex; do
		grep -q "$name" "$dir/cordon-image"
		run -1 grep -q "$name" "$dir/cordon"
	done
}

@test "program: it has none of the caller's descriptors and variables" {
	mkdir -m 755 bin
	mkdir -p "$CORDON_ROOT/state"
	cp "$CORDON" bin/cordon
	# It executes its first word, which is the store's path.
	cp "$(type -P env)" bin/cordon-image
	printf '#!/bin/sh\nls /proc/self/fd\nenv\necho "$@"\n' >"$(store)"
	chmod 755 bin/cordon-image "$(store)"
	exec 9<x.tar
	SECRET=1 CORDON=$PWD/bin/cordon gives 0 "*" image import -q --max-entries=5 x.tar x
	exec 9<&-
	[ "${lines[-1]}" = "import --run $CORDON_ROOT/run --quiet --max-entries 5 -- x.tar x" ]
	[[ $output == 0$'\n'1$'\n'2$'\n'* && $output != *SECRET* && $output != *$'\n'9$'\n'* ]]
}

@test "flags: before and behind the words, in all their spellings; what Docker has and cordon has not is said" {
	gives 0 "x:latest *" image import x.tar x --max-size 1MiB --max-entries=9 -q
	gives 0 "x:latest *" image import --max-size=1MiB -- x.tar x
	gives 125 "cordon: unknown flag --max-siz of image import*Did you mean --max-size?*" image import --max-siz 1 x.tar x
	gives 125 "cordon: --max-size wants a value*" image import x.tar x --max-size
	gives 125 "cordon: --max-size x: not of that form*64GiB*" image import x.tar x --max-size x
	gives 125 "cordon: --max-entries x: not of that form*" image import x.tar x --max-entries x
	gives 125 "cordon: --platform of image load: not enforced by this build*" image load --platform linux x.tar
	gives 125 "cordon: --no-prune of image rm: not enforced by this build*" image rm --no-prune x
	gives 125 "cordon: unknown flag --json of image import*" image import --json x.tar x
	gives 125 "cordon: image import wants a SOURCE and a NAME*cordon image import rootfs.tar.xz debian:12*" image import x.tar
	gives 125 "cordon: image ls wants no words*--filter*" image ls x
	gives 125 "cordon: unknown command 'image imports'*cordon image import*" image imports
	gives 0 "Usage: cordon image import *--max-size SIZE*" image import --help
	gives 0 "*x:latest*" image list
}

@test "inspect: what an image says of itself drives no terminal, in text or JSON" {
	config='{"config": {"Labels": {"l": "a\u202eb\u009bc\u001b[31md"}}}' make_layout lay x:1 x.tar
	gives 0 "x:1 *" image load lay
	run -0 image inspect --json x:1
	[[ $output == *'"l":"a\u202eb\u009bc\u001b[31md"'* ]]
	[ "$(jq -j .config.Labels.l <<<"$output" | od -An -tx1 | tr -d ' \n')" = 61e280ae62c29b631b5b33316d64 ]
	run -0 image inspect x:1
	[[ $output == *'"l":"a?b?c\u001b[31md"'* ]]
}
