#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# `cordon commit`: a sandbox's image with what it wrote, of one that runs and of one that does not.

bats_require_minimum_version 1.5.0 # run -CODE
load ../lib/cordon
load ../lib/attack
load ../lib/images
load ../lib/kept

# Here a user has no group that can be frozen.
setup() {
	images_setup
	pause=()
	[ "$(id -u)" -eq 0 ] || pause=(--pause=false)
}
teardown() { kept_end; }

config_of() { # NAME
	image inspect --json "$1" | jq -cS .config
}

layer_of() { # NAME: the directory of its uppermost layer
	dirname "$(image inspect --json "$1" | jq -r '.layers[-1].path')"
}

@test "commit: what was written is a layer more, with what was removed, and the layers below are shared; saved it is the same" {
	made_of x "dir:lib file:lib/a file:gone/f file:kept"
	kept_start box --ulimit fsize=-1 x sh -c 'mkdir -p /new/sub; echo 1 >/new/f; ln /new/f /new/g; ln -s /kept /new/l; rm -r /gone /lib; mkdir /lib
		echo 3 >/lib/b; chmod 750 /new/sub; busybox dd if=/dev/zero of=/big bs=1 count=1 seek=4294967296 2>/dev/null; echo in >/tmp/mounted
		: >/ready; exec sleep 100'
	eventually cordon exec box cat /ready
	echo 33 >owned && cordon cp -q owned box:/new/owned
	gives 0 "sha256:*" cordon commit "${pause[@]}" -m why -a me box y:1
	[ "$(image inspect --json y:1 | jq -c '[.source, (.layers | length)]')" = '["sandbox",3]' ]
	[ "$(image inspect --json y:1 | jq -c '[.layers[].path][:2]')" = "$(image inspect --json x | jq -c '[.layers[].path]')" ]
	[ "$(n_layers)" = 3 ]
	kept_start next y:1 sh -c 'cat /new/f /new/l /lib/b /new/owned; ls /gone /lib/a /tmp/mounted; stat -c "%h %a" /new/f /new/sub
		stat -c "%s %b" /big; : >/done; exec sleep 100'
	eventually cordon exec next cat /done
	[ "$(cordon logs next 2>/dev/null)" = "$(printf '1\n3\n33\n2 644\n2 750\n4294967297 8')" ]
	[[ "$(cordon logs next 2>&1 >/dev/null)" = *gone:*lib/a:*mounted:* ]]
	# Nothing of it was written to by the next one, but what that one wrote.
	gives 0 "A /done" cordon diff next
	# It is packed as it was unpacked: what is saved has the layer's digest.
	image save -q y:1 y.tar && mkdir y && tar -xf y.tar -C y
	jq -r '.[0].Layers[2]' y/manifest.json | grep -q "$(basename "$(layer_of y:1)")"
	if command -v skopeo >/dev/null; then
		skopeo --insecure-policy copy -q oci-archive:y.tar oci:z:y
		gives 0 "z:latest *" image load -q z z
		gives 0 1 cordon run -q --rm z cat /new/f
	fi
}

@test "commit: command, variables and labels of its own, and changes as in a Dockerfile" {
	# made_of reads it.
	# shellcheck disable=SC2034
	local config='{"Env": ["A=image", "PATH=/bin"], "Entrypoint": ["/bin/sh", "-c"], "Cmd": ["ls"], "Labels": {"of": "image"}, "WorkingDir": "/etc"}'
	made_of x
	printf '# no\nF=file\nA=file\n\nCALLERS\n' >vars
	CALLERS=mine kept_start box --env-file vars -e A=flag -l own=1 -u web --stop-signal USR1 x 'exec sleep 100'
	gives 0 "sha256:*" cordon commit "${pause[@]}" box plain
	[ "$(config_of plain)" = "$(jq -cS . <<<'{"Cmd": ["exec sleep 100"], "Entrypoint": ["/bin/sh", "-c"], "User": "web", "StopSignal": "USR1",
		"Env": ["A=flag", "PATH=/bin", "F=file", "CALLERS=mine"], "Labels": {"of": "image", "own": "1"}, "WorkingDir": "/etc"}')" ]
	gives 0 "sha256:*" cordon commit "${pause[@]}" -c 'env B="b c" C=$A-${F} D='"'"'$A'"'"' A=new' -c 'ENV old  the rest' -c 'CMD ["a", "b"]' -c 'ENTRYPOINT echo $A' \
		-c 'EXPOSE 80 90-91/UDP' -c 'LABEL x.y="1 2" of=me' -c 'USER 0:50' -c 'VOLUME ["/v", "/w x"]' -c 'WORKDIR sub' -c 'STOPSIGNAL KILL' box changed
	[ "$(config_of changed)" = "$(jq -cS . <<<'{"Cmd": ["a", "b"], "Entrypoint": ["/bin/sh", "-c", "echo $A"], "User": "0:50", "StopSignal": "KILL",
		"Env": ["A=new", "PATH=/bin", "F=file", "CALLERS=mine", "B=b c", "C=flag-file", "D=$A", "old=the rest"],
		"Labels": {"of": "me", "own": "1", "x.y": "1 2"}, "WorkingDir": "/etc/sub", "ExposedPorts": {"80/tcp": {}, "90/udp": {}, "91/udp": {}},
		"Volumes": {"/v": {}, "/w x": {}}}')" ]
	# An entry point of one's own has no words of another's.
	gives 0 "sha256:*" cordon commit "${pause[@]}" -c 'ENTRYPOINT ["/bin/id"]' box other
	[ "$(config_of other | jq -c '[.Entrypoint, .Cmd]')" = '[["/bin/id"],null]' ]
	gives 125 "*--change 'RUN x': no instruction that is known*WORKDIR*" cordon commit "${pause[@]}" -c 'RUN x' box no
	gives 125 "*--change 'ENV A=\"x': a quote that does not end" cordon commit "${pause[@]}" -c 'ENV A="x' box no
	gives 125 "*--change 'ENV A=\${B:-c}': *" cordon commit "${pause[@]}" -c 'ENV A=${B:-c}' box no
	gives 125 "*--change 'EXPOSE 0': '0' is no port*" cordon commit "${pause[@]}" -c 'EXPOSE 0' box no
	gives 125 "*--change 'USER a b': one word is wanted" cordon commit "${pause[@]}" -c 'USER a b' box no
	gives 125 "*" cordon commit "${pause[@]}" box Not:A:Name
	gives 125 "*" image inspect no
	whole
}

@test "commit: a sandbox that runs is paused meanwhile and goes on; --pause=false leaves it; what has nothing to make a layer of is refused" {
	made_of x
	kept_start box x sh -c 'echo >/f; exec sleep 100'
	kept_pids box
	if [ "$(id -u)" -eq 0 ]; then
		gives 0 "sha256:*" cordon commit box a
		[ "$(cordon events --since 1h --until 0s | grep -cE ' (un)?pause ')" = 2 ]
		gives 0 box cordon pause box
		gives 0 "sha256:*" cordon commit box a
		[ "$(cordon ps --format '{{.State}}')" = paused ]
		gives 0 box cordon unpause box
	else
		gives 125 "*cannot be paused: it has no control group*--pause=false*" cordon commit box a
	fi
	gives 0 "sha256:*" cordon commit --pause=false box b
	kept_is box running
	[ "$(cordon events --since 1h --until 0s | grep -cE ' (un)?pause ')" -le 4 ]
	gives 0 box cordon stop -t 0 box
	gives 125 "*box does not run, and nothing of its root is kept*" cordon commit box c
	kept_start host -- sleep 100
	gives 125 "*its root is host, and no image*cordon export host*" cordon commit host c
	kept_start ro --read-only x sleep 100
	gives 125 "*its root is read-only*" cordon commit ro c
	gives 125 "*commit wants one sandbox*" cordon commit
}

two_children() { [ "$(pgrep -c -P "$1")" = 2 ]; }

# bats test_tags=root
@test "commit: where somebody lets the sandbox go on meanwhile no image is made" {
	local pid rc=0
	made_of x
	kept_start box x sh -c 'i=0; while [ $i -lt 5000 ]; do echo >/$i; i=$((i + 1)); done; : >/ready; exec sleep 100'
	eventually cordon exec box cat /ready
	"$CORDON" --root "$CORDON_ROOT" commit box y >out 2>&1 3>&- &
	pid=$!
	# The one that packs, and the one that lets the sandbox go on where this is killed.
	eventually two_children "$pid"
	pkill -STOP -P "$pid"
	gives 0 box cordon unpause box
	pkill -CONT -P "$pid"
	wait "$pid" || rc=$?
	[ "$rc" -eq 125 ]
	grep -q 'box: it went on, or ended, while it was packed' out
	gives 125 "*no image y*" image inspect y
	kept_is box running
	# The control.
	gives 0 "sha256:*" cordon commit box y
}

# bats test_tags=root
@test "commit: of one that does not run, and with the owners that files have inside" {
	need losetup
	made_of x
	kept_start box --storage-opt size=64m x sh -c 'echo ran >/ran; : >/ready; exec sleep 100'
	eventually cordon exec box cat /ready
	mkdir d && echo 1 >d/f && chown 33:44 d d/f
	cordon cp -q -a d box:/
	gives 0 box cordon stop -t 0 box
	gives 0 "sha256:*" cordon commit box y
	[ "$(cordon ps -a --format '{{.State}}')" = exited ]
	gives 0 "33 44*33 44*ran" cordon run -q --rm y sh -c 'stat -c "%u %g" /d /d/f; cat /ran'
	[ "$(stat -c %u "$(layer_of y)/tree/d/f")" = "$(owner_of 33)" ]
}

@test "hostile: names that would delete on unpacking are left out and listed, marks made by hand mean nothing, a sparse file stays sparse" {
	made_of x "file:below/secret"
	kept_start box --ulimit fsize=-1 --ro "$ATTACK" x sh -c 'echo >/.wh.etc; echo >/.wh..wh..opq; mkdir /bin/.wh.d; echo >/bin/.wh.d/x; ln /bin/.wh.d/x /linked
		echo >/below/.wh.secret; echo >/f; mkdir /dir; for mark in opaque redirect whiteout origin; do
			'"$ATTACK"'/call setxattr text:/dir text:user.overlay.$mark text:y 1 0
			'"$ATTACK"'/call setxattr text:/f text:user.overlay.$mark text:y 1 0; done
		'"$ATTACK"'/call setxattr text:/f text:user.mine text:y 1 0
		'"$ATTACK"'/call mknod text:/below/secret2 0020644 0; '"$ATTACK"'/call mknod text:/etc/gone 0020644 0
		busybox dd if=/dev/zero of=/huge bs=1 count=1 seek=30000000000 2>/dev/null; : >/ready; exec sleep 100'
	eventually cordon exec box cat /ready
	[ "$(cordon exec box stat -c %s /huge)" = 30000000001 ]
	gives 0 "*box: left out: 4 *sha256:*" cordon commit --pause=false box y
	[ "$(sort "$(layer_of y)/skipped")" = "$(printf 'reserved-name %s\n' .wh..wh..opq .wh.etc below/.wh.secret bin/.wh.d)" ]
	# The control: what they stand for is there.
	gives 0 "*secret*group*passwd*30000000001 *" cordon run -q --rm y sh -c 'ls /etc /below /linked /bin/sh; stat -c "%s %b" /huge'
	[ "$(attribute "$(layer_of y)/tree/f")" = user.mine ]
	[[ "$(attribute "$(layer_of y)/tree/dir")" != *overlay* ]]
	[ "$(du -k "$(layer_of y)/tree/huge" | cut -f 1)" -le 8 ]
	# More than is allowed is refused by its name, and nothing is left.
	gives 125 "*box: *huge*--max-size*" cordon commit --pause=false --max-size 1GiB box big
	gives 125 "*more entries than are allowed*" cordon commit --pause=false --max-entries 3 box big
	whole
}

# Each of them takes a few bytes of a directory, and would be a line with all of its name.
@test "hostile: what is left out is counted, and the list of it has an end" {
	made_of x
	kept_start box x sh -c 'i=0; for d in 1 2 3 4 5 6 7 8 9 10; do n=$(printf %0240d $d); mkdir $n && cd $n; done
		while [ $i -lt 600 ]; do echo >.wh.$i; i=$((i + 1)); done; : >/ready; exec sleep 100'
	eventually cordon exec box cat /ready
	gives 0 "*box: left out: 600 *sha256:*" cordon commit --pause=false box y
	[[ "$(head -n 1 "$(layer_of y)/skipped")" = "reserved-name "*/.wh.0 ]]
	[ "$(tail -n 1 "$(layer_of y)/skipped")" = "and more" ]
	[ "$(stat -c %s "$(layer_of y)/skipped")" -le 1048585 ]
	whole
}

@test "hostile: what is swapped while it is packed leads nowhere but below what was written" {
	local i made=0
	mkdir host && echo secret-of-the-host >host/secret
	made_of x
	kept_start box x sh -c "mkdir /a /b; echo mine >/a/secret; echo mine >/b/secret; : >/ready
		while :; do mv /a /c; ln -s $PWD/host /a; rm /a; mv /c /a; rm /b/secret; ln -s $PWD/host/secret /b/secret
			rm /b/secret; echo mine >/b/secret; done"
	eventually cordon exec box cat /ready
	for i in {1..8}; do
		run cordon commit -q --pause=false box "y:$i"
		[ "$status" -eq 0 ] || [[ "$output" = *box:* ]]
		[ "$status" -ne 0 ] || made=$((made + 1))
	done
	[ "$made" -gt 0 ]
	run -1 grep -rqs secret-of-the-host "$(store)/layers"
	# The control: it is found where it is.
	grep -rq secret-of-the-host host
	whole
}

@test "run: an image that has the same layer twice is what its upper one makes of it" {
	make_base_tar base.tar
	make_tar a.tar file:f:data=a
	make_tar b.tar file:.wh.f
	make_layout layout twice base.tar a.tar b.tar a.tar
	gives 0 "*twice:latest*" image load -q layout twice
	gives 0 a cordon run -q --rm twice cat /f
}
