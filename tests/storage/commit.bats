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
	# What no start would take.
	local change
	for change in 'STOPSIGNAL FOO' 'STOPSIGNAL 65' 'STOPSIGNAL RTMIN+31' 'USER :0' 'USER a:' 'USER a:b:c' 'USER 70000' 'USER a/b' 'VOLUME v' 'VOLUME /a/..' \
		'VOLUME ["/ok", "v"]' 'VOLUME /dev/x' 'EXPOSE 80/icmp' 'EXPOSE 80:90' 'EXPOSE 90-80'; do
		gives 125 "*--change '${change//[][]/?}': '* is no *" cordon commit "${pause[@]}" -c "$change" box no
	done
	gives 0 "sha256:*" cordon commit "${pause[@]}" -c 'STOPSIGNAL RTMAX-2' -c 'USER web:50' -c 'VOLUME /a/../b' -c 'WORKDIR ../x/./y' box fit
	[ "$(config_of fit | jq -c '[.StopSignal, .User, .Volumes, .WorkingDir]')" = '["RTMAX-2","web:50",{"/a/../b":{}},"/x/y"]' ]
	gives 0 /x/y cordon run -q --rm --entrypoint pwd fit
	gives 125 "*" cordon commit "${pause[@]}" box Not:A:Name
	gives 125 "*" image inspect no
	whole
}

@test "commit: what --set said, ports that were exposed, and the last word of two" {
	made_of x
	printf 'F=file\nG=file\n' >vars
	CALLERS=mine kept_start box --env-file vars -e A=1 --set 'process.environment.A="b: c"' --set 'process.environment={G: set}' -e CALLERS --set process.user=33:44 \
		-w /etc --set process.working_dir=/bin --set process.stop_signal=INT --stop-signal QUIT --expose 80 --expose 90-91/udp --set 'network.+expose=["7/tcp"]' \
		x sleep 100
	gives 0 "sha256:*" cordon commit "${pause[@]}" box y
	[ "$(config_of y)" = "$(jq -cS . <<<'{"Cmd": ["sleep", "100"], "User": "33:44", "WorkingDir": "/bin", "StopSignal": "QUIT",
		"Env": ["F=file", "G=set", "A=b: c", "CALLERS=mine"], "ExposedPorts": {"80/tcp": {}, "90/udp": {}, "91/udp": {}, "7/tcp": {}}}')" ]
	gives 0 "33:44 /bin b: c" cordon run -q --rm y sh -c 'echo "$(id -u):$(id -g) $PWD $A"'
}

# An attribute's name in a pax header ends at '='; a name of 255 bytes has no room for .wh. in front of it.
@test "commit: attributes whose names have = stay as they are, saved and loaded as well; the longest names can be deleted" {
	local long name
	long=$(printf '%0255d' 0)
	made_of x "file:$long file:other"
	kept_start box --ro "$ATTACK" x sh -c "echo >/f; mkdir /d; $ATTACK/call setxattr text:/f text:user.a=b=c text:v=w 3 0
		$ATTACK/call setxattr text:/f text:user.%3D text:2 1 0; $ATTACK/call setxattr text:/f text:user.é text:4 1 0; $ATTACK/call setxattr text:/d text:user.= text:3 1 0; rm /$long /other; : >/ready; exec sleep 100"
	eventually cordon exec box cat /ready
	gives 0 "sha256:*" cordon commit "${pause[@]}" box y
	image save -q y y.tar
	gives 0 "z:latest *" image load -q y.tar z
	for name in y z; do
		[ "$(attribute "$(layer_of $name)/tree/f")" = $'user.%3D\nuser.a=b=c\nuser.é' ]
		[ "$(attribute "$(layer_of $name)/tree/f" user.a=b=c)" = v=w ]
		[ "$(attribute "$(layer_of $name)/tree/d")" = user.= ]
		gives 1 "*$long*No such file*other*No such file*" cordon run -q --rm $name ls "/$long" /other
	done
	# The control.
	gives 0 "/$long*/other" cordon run -q --rm x ls "/$long" /other
	whole
}

# Of version 2: its owner, user 0, its group, the mask and others.
acl=0200000001000600ffffffff020004000000000004000400ffffffff10000400ffffffff20000400ffffffff

@test "commit: ACLs, and attributes that are an overlay's by their names, are left out and listed" {
	made_of x
	kept_start box --ro "$ATTACK" x sh -c "echo >/f; mkdir /d; $ATTACK/call setxattr text:/f text:system.posix_acl_access hex:$acl 44 0
		$ATTACK/call setxattr text:/d text:system.posix_acl_default hex:$acl 44 0; $ATTACK/call setxattr text:/f text:user.kept text:1 1 0
		: >/ready; exec sleep 100"
	eventually cordon exec box cat /ready
	[ "$(cordon logs box 2>/dev/null)" = $'ok\nok\nok' ]
	gives 0 "*box: left out: 2 sockets, ACLs, *sha256:*" cordon commit "${pause[@]}" box y
	[ "$(sort "$(layer_of y)/skipped")" = $'acl d\nacl f' ]
	[ "$(image inspect --json y | jq '.layers[-1].left_out')" = 2 ]
	[[ "$(image inspect y)" = *"left out: acl d"* ]]
	[ "$(attribute "$(layer_of y)/tree/f")" = user.kept ]
}

# Nobody inside has CAP_SETFCAP; the host's root has it there.
# bats test_tags=root
@test "commit: a file capability is in the image's books, and nowhere on the disk" {
	made_of x
	kept_start box x sh -c 'echo >/f; ln /f /g; : >/ready; exec sleep 100'
	eventually cordon exec box cat /ready
	kept_pids box
	python3 -IS - "$workload" <<-'END'
		import ctypes, os, sys
		fds = [os.open(f"/proc/{sys.argv[1]}/ns/{name}", os.O_RDONLY) for name in ("user", "mnt")]
		libc = ctypes.CDLL(None, use_errno=True)
		for fd in fds:
		    if libc.setns(fd, 0) != 0:
		        sys.exit(os.strerror(ctypes.get_errno()))
		os.setxattr("/f", "security.capability", bytes.fromhex("0100000200200000000000000000000000000000"))
	END
	gives 0 "sha256:*" cordon commit box y
	[ "$(cat "$(layer_of y)/owners")" = "0 0 644 0100000200200000000000000000000000000000 f" ]
	[ -z "$(attribute "$(layer_of y)/tree/f")" ]
	[ ! -s "$(layer_of y)/skipped" ]
	image save -q y y.tar && mkdir y && tar -xf y.tar -C y
	tar --xattrs --xattrs-include='*' -tvvf "y/$(jq -r '.[0].Layers[-1]' y/manifest.json)" | grep -q security.capability
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

@test "commit: without the image that it was made from, and of one that has as many layers as there can be, none is made" {
	local id layers=() i
	made_of x
	kept_start box x sh -c 'echo >/f; : >/ready; exec sleep 100'
	eventually cordon exec box cat /ready
	id=$(image ls -q --no-trunc)
	gives 0 "*" image rm -q -f x
	gives 125 "*box: the image that it was made from is gone*cordon export box*" cordon commit "${pause[@]}" box y
	# The control: it is here again.
	image load -q x.layout x
	[ "$(image ls -q --no-trunc)" = "$id" ]
	gives 0 "sha256:*" cordon commit "${pause[@]}" box y
	for i in {1..127}; do
		: >"file-$i"
		tar --owner 0 --group 0 --numeric-owner -cf "$i.tar" "file-$i"
		layers+=("$i.tar")
	done
	make_layout many many x.base.tar "${layers[@]}"
	image load -q many many
	kept_start full many sh -c 'echo >/f; : >/ready; exec sleep 100'
	eventually cordon exec full cat /ready
	gives 125 "*full: its image has 128 layers already*" cordon commit "${pause[@]}" full z
	gives 125 "*no image z*" image inspect z
	whole
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
	# From Linux 6.7 on an overlay keeps what is called as its own marks, under other names.
	local escaped
	escaped=$(cordon logs box 2>/dev/null | head -n 8 | grep -c '^ok$') || true
	gives 0 "*box: left out: $((4 + escaped)) *sha256:*" cordon commit --pause=false box y
	[ "$(grep -v ^attribute: "$(layer_of y)/skipped" | sort)" = "$(printf 'reserved-name %s\n' .wh..wh..opq .wh.etc below/.wh.secret bin/.wh.d)" ]
	[ "$(grep -cE '^attribute:user.overlay.(opaque|redirect|whiteout|origin) (dir|f)$' "$(layer_of y)/skipped")" = "$escaped" ]
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
