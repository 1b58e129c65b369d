#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# `cordon image load`, `save` and `pull`: OCI layouts and Docker's archives, made by hand, by skopeo and by umoci.

bats_require_minimum_version 1.5.0 # run -CODE
load ../lib/cordon
load ../lib/images

setup() {
	images_setup
	tools=$repo/build/images/root
	make_tar one.tar dir:d file:d/a:data=a file:d/b:data=b file:gone:data=x dir:o file:o/low:data=1
	make_tar two.tar file:d/a:data=A file:.wh.gone dir:o file:o/.wh..wh..opq file:o/high:data=2
}

# A program that tests/storage/fetch has unpacked, with the libraries that came along.
real() { # PROGRAM ARGUMENT...
	[ -x "$tools/usr/bin/$1" ] || skip "no $1 (tests/storage/fetch)"
	LD_LIBRARY_PATH=$(echo "$tools"/usr/lib/*-linux-gnu) "$tools/usr/bin/$1" "${@:2}"
}

paths() { # NAME
	image inspect --json "$1" | jq -r '.layers[].path'
}

# Runs a script in the tree that overlay makes of an image's layers, as `root`.
stacked() { # NAME SCRIPT
	local lower
	lower=$(paths "$1" | tac | paste -sd :)
	mkdir -p merged nothing
	# The script is expanded there.
	# shellcheck disable=SC2016
	unshare -Urm sh -c 'mount -t overlay -o "userxattr,lowerdir=$0" none merged && cd merged && eval "$1"' "$lower:$PWD/nothing" "$2"
}

@test "load: an OCI layout, as a directory and as a tar; its layers are stacked by overlay as they stand" {
	make_layout lay example.org/x:1 one.tar two.tar
	gives 0 "example.org/x:1 sha256:*" image load lay
	tar -C lay -cf lay.tar .
	gives 0 "example.org/x:1 sha256:*" image load lay.tar
	gzip lay.tar
	gives 0 "y:2 sha256:*" image load lay.tar.gz y:2
	[ "$(n_layers)" = 2 ]
	run -0 stacked y:2 'find . | sort | tr "\n" " "; cat d/a d/b o/high'
	[ "$output" = ". ./d ./d/a ./d/b ./o ./o/high Ab2" ]
	whole
}

@test "load: Docker's archive, of old and of today, from standard input, with links to layers" {
	make_layout lay x one.tar two.tar
	make_docker lay example.org/d:1
	tar -C lay -cf - . | gives 0 "example.org/d:1 sha256:*" image load -
	rm -r lay/index.json lay/oci-layout
	gives 0 "example.org/d:1 sha256:*" image load lay
	# As Docker's flags say it.
	gives 0 "" image save -q -o saved.tar example.org/d:1
	gives 0 "e:2 sha256:*" image load -i saved.tar e:2
	gives 125 "*" image save -q --output=saved.tar example.org/d:1
	gives 125 "*wants*" image load
	# Docker had such names, and links where two layers were the same.
	mkdir old old/1 old/2
	cp one.tar old/1/layer.tar
	ln -s ../1/layer.tar old/2/layer.tar
	jq '.rootfs.diff_ids[1] = .rootfs.diff_ids[0]' lay.config >config
	cp config "old/$(digest config).json"
	jq -n --arg c "$(digest config).json" '[{Config: $c, RepoTags: ["old:1", "old:2"], Layers: ["1/layer.tar", "2/layer.tar"]}]' >old/manifest.json
	tar -C old -cf old.tar .
	gives 0 "old:1 sha256:*old:2 sha256:*" image load old.tar
	[ "$(image inspect --json old:2 | jq -r .id)" = "$(digest config)" ]
	whole
}

@test "load: a name that the archive takes from another image is said" {
	local before
	make_layout lay x:1 one.tar
	run -0 image load lay
	[[ "$output" != *"until now"* ]]
	# The same once more takes nothing.
	run -0 image load lay
	[[ "$output" != *"until now"* ]]
	before=$(image inspect --json x:1 | jq -r .id)
	make_layout other x:1 two.tar
	gives 0 "cordon: x:1 was the name of sha256:${before:0:12} until now
x:1 sha256:*" image load other
	run -0 image load -q lay
	[[ "$output" != *"until now"* ]]
}

@test "load: what the configuration says is kept" {
	config='{"config": {"Env": ["A=b c"], "Cmd": ["sh", "-c", "echo \"x\""], "User": "1:2", "Volumes": {"/v": {}}, "Labels": {"l": "é\n"}, "StopSignal": "SIGINT", "Memory": 5}}' \
		make_layout lay x:1 one.tar
	image load lay
	[ "$(image inspect --json x:1 | jq -cS .config)" = \
		'{"Cmd":["sh","-c","echo \"x\""],"Env":["A=b c"],"Labels":{"l":"é\n"},"StopSignal":"SIGINT","User":"1:2","Volumes":{"/v":{}}}' ]
	config='{"config": {"Cmd": "sh"}}' make_layout other y:1 one.tar
	gives 125 "*Cmd is not of its type*" image load other
}

@test "load: whatever has another digest than it says is refused, and nothing of it stays" {
	local hex
	make_layout lay x:1 one.tar two.tar
	for hex in $(cd lay/blobs/sha256 && ls); do
		cp -r lay bad
		printf x >>"bad/blobs/sha256/$hex"
		gives 125 "*digest*should*" image load bad
		whole
		# Of the same length.
		cp lay/blobs/sha256/"$hex" bad/blobs/sha256/"$hex"
		printf x | dd of="bad/blobs/sha256/$hex" bs=1 seek=20 conv=notrunc status=none
		gives 125 "*digest*should*" image load bad
		rm -r bad
	done
	# A layer that is what its descriptor says, and not what the configuration says.
	config='{"rootfs": {"diff_ids": ["sha256:'$(digest two.tar)'", "sha256:'$(digest two.tar)'"]}}' make_layout bad x:1 one.tar two.tar
	gives 125 "*its digest is sha256:$(digest one.tar), and should be sha256:$(digest two.tar)*" image load bad
	gives 0 "x:1 *" image load lay
	whole
}

@test "load: a configuration and a manifest of another number of layers" {
	config='{"rootfs": {"diff_ids": ["sha256:'$(digest one.tar)'"]}}' make_layout lay x:1 one.tar two.tar
	gives 125 "*the configuration names 1 layers, the manifest 2*" image load lay
	make_docker lay x:1
	gives 125 "*names 1 layers, and the archive has 2 for it*" image load lay
}

@test "load: a layer that an archive names and has not, and one that the store has already" {
	make_layout lay x:1 one.tar two.tar
	rm "lay/blobs/sha256/$(digest two.tar)"
	gives 125 "*blobs/sha256/$(digest two.tar): No such file*" image load lay
	# Nor is the first one there any more.
	[ "$(n_layers)" = 0 ]
	# Of other images all are, of one that has lost its name as well.
	make_layout first x:1 one.tar
	gives 0 "x:1 *" image load first
	make_layout second x:1 two.tar
	gives 0 "*x:1 sha256:*" image load second
	echo three >three && tar -cf three.tar three
	echo four >four && tar -cf four.tar four
	rm -r lay
	make_layout lay y:1 three.tar four.tar
	rm "lay/blobs/sha256/$(digest four.tar)"
	gives 125 "*blobs/sha256/$(digest four.tar): No such file*" image load lay
	[ "$(n_layers)" = 2 ]
	whole
	gives 0 "1 images and 1 layers removed" image prune
	[ "$(n_layers)" = 1 ]
	# What one that was killed has added goes with gc.
	rm -r lay
	make_layout lay y:1 three.tar four.tar
	CORDON=$repo/build/fault/cordon CORDON_FAULT=store.layer-renamed:kill run -137 image load lay
	[ "$(n_layers)" -gt 1 ]
	cordon gc
	[ "$(n_layers)" = 1 ]
	whole
}

@test "load: paths that lead out of the archive" {
	echo secret >secret.json
	make_layout lay x:1 one.tar
	make_docker lay x:1
	jq -c '.[0].Layers[0] = "../one.tar"' lay/manifest.json >m && cp m lay/manifest.json
	gives 125 "*../one.tar: Invalid cross-device link*" image load lay
	jq -c --arg p "$PWD/secret.json" '.[0].Config = $p' lay/manifest.json >m && cp m lay/manifest.json
	gives 125 "*secret.json: Invalid cross-device link*" image load lay
	make_docker lay x:1
	ln -sf "$PWD/one.tar" "lay/blobs/sha256/$(digest one.tar)"
	gives 125 "*Invalid cross-device link*" image load lay
	# The control: the same link where it stays inside.
	rm "lay/blobs/sha256/$(digest one.tar)"
	cp one.tar lay/in
	ln -s ../../in "lay/blobs/sha256/$(digest one.tar)"
	gives 0 "x:1 *" image load lay
}

@test "load: JSON that is none, that is too deep, or that says something else" {
	local text
	make_layout lay x:1 one.tar
	for text in '' '{' '[]' '{"manifests": 1}' '{"manifests": [{"digest": "md5:1", "size": 1}]}' \
		'{"manifests": [{"digest": "sha256:'"$(digest one.tar)"'"}]}' '{"manifests": []} x' \
		"$(printf '[%.0s' {1..100})" '{"manifests": [{"digest": "sha256:../../../../etc/passwd", "size": 1}]}' $'{"manifests": [], "\xff": 1}'; do
		printf %s "$text" >lay/index.json
		gives 125 "cordon: index.json: *" image load lay || { echo "$text"; return 1; }
	done
	head -c 5000000 /dev/zero | tr '\0' ' ' >lay/index.json
	gives 125 "*index.json: File too large*" image load lay
	printf '{"manifests": []}' >lay/index.json
	gives 125 "*no image in it is for this machine*" image load lay
	whole
}

@test "load: of several machines' images the one for this machine" {
	local arch
	arch=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
	make_layout lay x:1 one.tar
	jq --arg a "$arch" '.manifests[0] as $m | .manifests = [$m + {platform: {os: "linux", architecture: "s390x"}, digest: ("sha256:" + "0" * 64)},
		$m + {platform: {os: "linux", architecture: $a}}]' lay/index.json >i && cp i lay/index.json
	gives 0 "x:1 *" image load lay
}

@test "load: a name is asked for where the archive has none" {
	make_layout lay latest one.tar
	gives 125 "*gives its image no name*cordon image load SOURCE NAME*" image load lay
	gives 0 "n:latest *" image load lay n
	make_layout lay2 x:1 one.tar
	jq '.manifests += .manifests' lay2/index.json >i && cp i lay2/index.json
	gives 125 "*one name for an archive of several images*" image load lay2 n
	mkdir empty
	gives 125 "*neither manifest.json nor index.json*cordon image import*" image load empty
}

@test "load: more than 128 layers" {
	local layers=() i
	for ((i = 0; i < 129; i++)); do
		layers+=(one.tar)
	done
	make_layout lay x:1 "${layers[@]}"
	gives 125 "*more than 128 layers*" image load lay
	make_layout lay2 x:1 "${layers[@]:1}"
	gives 0 "x:1 *" image load lay2
}

@test "save: what was packed by another comes back with all that the disk has not got" {
	make_tar three.tar file:s:mode=4755:uid=7:gid=8 hard:a:to=s file:c:uid=70000:hexattr.security.capability=0100000200200000000000000000000000000000 \
		dir:e:uid=5:mode=2755 link:l:to=s:uid=9 file:f:xattr.user.x=y
	make_layout lay x:1 one.tar two.tar three.tar
	image load lay
	gives 0 "" image save x:1 out.tar
	mkdir out
	tar -C out -xf out.tar
	# What tar says of the last layer.
	tar -tvf "out/$(jq -r '.[0].Layers[2]' out/manifest.json)" --numeric-owner | sed -E 's/ +/ /g' | cut -d ' ' -f 1,2,6- >list
	diff list - <<-'END'
		drwxr-xr-x 0/0 ./
		-rwsr-xr-x 7/8 a
		-rw-r--r-- 70000/0 c
		drwxr-sr-x 5/0 e/
		-rw-r--r-- 0/0 f
		lrwxrwxrwx 9/0 l -> s
		hrwsr-xr-x 7/8 s link to a
	END
	tar -tf "out/$(jq -r '.[0].Layers[1]' out/manifest.json)" | grep -qx .wh.gone
	tar -tf "out/$(jq -r '.[0].Layers[1]' out/manifest.json)" | grep -qx o/.wh..wh..opq
	# From now on nothing changes any more.
	image load out.tar y:1
	image save y:1 again.tar
	[ "$(jq -r '.[0].Layers' out/manifest.json)" = "$(tar -xOf again.tar manifest.json | jq -r '.[0].Layers')" ]
	[ "$(paths y:1 | xargs -n 1 dirname | tail -n 1 | xargs -I{} cat {}/owners | grep -c 0100000200)" = 1 ]
	gives 125 "*out.tar: File exists" image save x:1 out.tar
	gives 125 "*no image none:latest*" image save none none.tar
	[ ! -e none.tar ]
	whole
}

@test "save: history and all else that the configuration says come along, whatever the layers are packed by; commit adds to them" {
	local history='[{"created": "2026-01-02T03:04:05Z", "created_by": "ADD base /", "comment": "first"},
		{"created_by": "ENV A=b", "empty_layer": true}, {"created_by": "RUN two", "author": "somebody"}]'
	config="{\"created\": \"2026-01-02T03:04:05Z\", \"author\": \"somebody\", \"history\": $history,
		\"config\": {\"Env\": [\"A=b\"], \"Healthcheck\": {\"Interval\": 5000000000}, \"OnBuild\": [\"RUN x\"]}}" \
		make_layout lay x:1 one.tar two.tar
	gives 0 "x:1 *" image load lay
	image save x:1 out.tar
	mkdir out && tar -C out -xf out.tar
	saved() { cat "$1/$(jq -r '.[0].Config' "$1/manifest.json")"; }
	# The layers are packed anew, and have other digests.
	[ "$(saved out | jq -c '.rootfs.diff_ids')" != "$(jq -c '.rootfs.diff_ids' lay.config)" ]
	[ "$(saved out | jq -cS 'del(.rootfs)')" = "$(jq -cS 'del(.rootfs)' lay.config)" ]
	[ "$(saved out | jq -c '[.rootfs.diff_ids[] | sub("sha256:"; "blobs/sha256/")]')" = "$(jq -c '.[0].Layers' out/manifest.json)" ]
	# And back: what was saved says the same once more, and nothing changes any more.
	gives 0 "y:1 *" image load out.tar y:1
	image save y:1 again.tar && mkdir again && tar -C again -xf again.tar
	cmp <(saved out) <(saved again)
	if command -v skopeo >/dev/null; then
		[ "$(skopeo inspect --config docker-archive:out.tar | jq '.history | length')" = 3 ]
		[ "$(skopeo inspect --config oci-archive:out.tar | jq '.history | length')" = 3 ]
	fi
	# A history that is not that of so many layers is none; one that says too little is filled up.
	config="{\"history\": $(jq -c '. + [{}]' <<<"$history")}" make_layout more m:1 one.tar two.tar
	config="{\"history\": $(jq -c '.[:2]' <<<"$history")}" make_layout less l:1 one.tar two.tar
	image load -q more && image save m:1 m.tar && mkdir m && tar -C m -xf m.tar
	[ "$(saved m | jq .history)" = null ]
	image load -q less && image save l:1 l.tar && mkdir l && tar -C l -xf l.tar
	[ "$(saved l | jq -c '[.history[].comment]')" = '["first",null,"not known"]' ]
}

@test "real: what skopeo and umoci make, and what cordon makes for them" {
	mkdir -p files/bin
	cp "$(command -v busybox)" files/bin/busybox
	ln -s busybox files/bin/sh
	real umoci init --layout l
	real umoci new --image l:base
	real umoci unpack --rootless --image l:base bundle
	cp -a files/. bundle/rootfs/
	real umoci repack --image l:one bundle
	rm -r bundle/rootfs/bin
	mkdir bundle/rootfs/bin
	echo x >bundle/rootfs/bin/x
	real umoci repack --image l:two bundle
	real umoci config --image l:two --config.cmd /bin/sh --config.env A=b
	gives 125 "*one name for an archive of several images*" image load l u:1
	real skopeo --insecure-policy copy -q oci:l:two docker-archive:docker.tar:example.org/two:1
	real skopeo --insecure-policy copy -q oci:l:two oci-archive:oci.tar:example.org/two:2
	real skopeo --insecure-policy copy -q oci:l:two oci:layout:two
	gives 0 "example.org/two:1 *" image load docker.tar
	gives 0 "example.org/two:2 *" image load oci.tar
	gives 0 "two:3 *" image load layout two:3
	[ "$(image ls --json | jq -r '.images[] | select(.name | contains("two")) | .id' | sort -u | wc -l)" = 1 ]
	run -0 stacked two:3 'find . | sort | tr "\n" " "; cat bin/x'
	[ "$output" = ". ./bin ./bin/x x" ]
	image save two:3 out.tar
	[ "$(real skopeo inspect --config docker-archive:out.tar | jq -c .config.Cmd)" = '["/bin/sh"]' ]
	real skopeo --insecure-policy copy -q oci-archive:out.tar oci:back:x
	gives 0 "back:1 *" image load back back:1
	whole
}

@test "real: a Debian root file system" {
	local tar=$repo/build/images/debian.tar.xz
	[ -e "$tar" ] || skip "no root file system (tests/storage/fetch)"
	gives 0 "*debian:12 sha256:*" image import "$tar" debian:12
	stacked debian:12 '. etc/os-release && [ "$ID" = debian ] && [ -x bin/bash ]'
	# As many names as the archive has, without its devices.
	tar -tvf "$tar" | grep -v '^[cb]' | awk '{ sub("/$", "", $6); print $6 }' | sort -u >names
	[ -s names ]
	[ "$(find "$(tree debian:12)" | wc -l)" -ge "$(wc -l <names)" ]
	image rm -q debian:12
	[ "$(n_layers)" = 0 ]
}

@test "pull: skopeo gets it, and it is loaded like any other" {
	make_layout lay image one.tar
	mkdir bin
	# As skopeo copies: docker://REF oci:pull:image.
	printf '#!/bin/sh\n[ "$1 $2 $3" = "copy docker://example.org/x:1 oci:pull:image" ] || exit 3\ncp -r "%s/lay" pull\n' "$PWD" >bin/skopeo
	chmod +x bin/skopeo
	PATH=$PWD/bin:$PATH gives 0 "example.org/x:1 sha256:*" image pull example.org/x:1
	PATH=$PWD/bin:$PATH gives 125 "*skopeo could not get example.org/y:1" image pull example.org/y:1
	PATH=$PWD/bin:$PATH gives 125 "*not the name of an image in a registry" image pull oci:///etc
	mkdir none
	PATH=$PWD/none gives 125 "*skopeo, which gets images from registries, is not in PATH*" "$CORDON" --root "$CORDON_ROOT" image pull x:1
	whole
}
