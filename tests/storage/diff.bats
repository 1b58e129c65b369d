#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# `cordon diff`, and what cp, diff and export say of a sandbox that does not run.

# "diff" and the like are commands of cordon's here, and what follows no command of the shell's.
# shellcheck disable=SC2238

bats_require_minimum_version 1.5.0 # run -CODE
load ../lib/cordon
load ../lib/attack
load ../lib/images
load ../lib/kept

setup() { images_setup; }
teardown() { kept_end; }

own_loops() { losetup -n -O NAME,BACK-FILE | grep -F "$CORDON_ROOT" || true; }
no_loops() { [ -z "$(own_loops)" ]; }

changes='mkdir -p /new/sub; echo 1 >/new/f; rm /bin/touch; echo 2 >>/etc/group; rm -r /lib; mkdir /lib; echo 3 >/lib/b;
	rm -r /gone; ln -s /etc "/new/a
b"; : >/ready; exec sleep 100'

changed=$'C /bin\nD /bin/touch\nC /etc\nC /etc/group\nD /gone\nD /lib\nA /lib\nA /lib/b\nA /new\nA /new/a?b\nA /new/f\nA /new/sub\nA /ready'

@test "diff: what is new, changed, gone, and gone and made anew; of an image of two layers, and of a directory" {
	made_of x "dir:lib file:lib/a file:gone/deep/f file:old" "file:.wh.old"
	kept_start box x sh -c "$changes; echo"
	eventually cordon exec box cat /ready
	gives 0 "$changed" cordon diff box
	cordon diff --json box >json
	jq -e '.schema == "cordon.changes/1" and (.changes | length) == 13 and .changes[1] == {kind: "deleted", path: "/bin/touch"} and
		.changes[9].path == "/new/a\nb"' json
	# What one layer has and another one hides was not there.
	gives 0 "" cordon exec box sh -c 'echo >/old'
	[[ "$(cordon diff box)" == *$'\nA /old\n'* ]]
	gives 0 box cordon rm -f box

	make_base dir && mkdir -p dir/lib dir/gone && : >dir/lib/a
	kept_start box --set "rootfs.from=dir:$PWD/dir" --set rootfs.writable.store=tmpfs -- sh -c "$changes"
	eventually cordon exec box cat /ready
	gives 0 "$changed" cordon diff box
	gives 0 box cordon rm -f box

	# What has nothing that it could be compared with.
	kept_start box -- sleep 100
	gives 125 "*its root is host, put together at each start*" cordon diff box
	gives 0 box cordon rm -f box
	kept_start box --read-only x sleep 100
	gives 125 "*its root is read-only*" cordon diff box
}

@test "diff: places that cordon itself made for what it mounts are nothing that the sandbox wrote" {
	mkdir -p small/bin && cp "$(command -v busybox)" small/bin/busybox && ln -s busybox small/bin/sh
	image import -q small small
	kept_start box small sh -c ': >/ready; exec /bin/busybox sleep 100'
	eventually cordon exec box /bin/busybox cat /ready
	gives 0 "A /ready" cordon diff box
	gives 0 '{*"changes":?{"kind":"added","path":"/ready"}]}' cordon diff --json box
	# They are there, and so are those below a name of another place.
	gives 0 $'dev\nproc\ntmp' cordon exec box sh -c 'PATH=/bin; busybox ls / | busybox grep -E "^(dev|proc|tmp)$"; busybox mkdir -p /a/dev /a/tmp'
	gives 0 $'A /a\nA /a/dev\nA /a/tmp\nA /ready' cordon diff box
}

# bats test_tags=root
@test "cp, diff and export of one that does not run: what is kept of its root, and no program of it runs" {
	need losetup
	made_of x
	kept_start box --storage-opt size=64m x sh -c 'echo ran >>/starts; exec sleep 100'
	eventually cordon exec box cat /starts
	gives 0 box cordon stop -t 0 box
	gives 0 $'A /starts' cordon diff box
	echo more >more
	gives 0 "cordon: copied more to box:/more" cordon cp more box:/more
	gives 0 "cordon: copied box:/starts to starts" cordon cp box:/starts starts
	[ "$(cat starts)" = ran ]
	cordon export box | tar tf - | grep -qx more
	[ "$(cordon ps -a --format '{{.State}}')" = exited ]
	eventually no_loops
	gives 0 box cordon start box
	eventually cordon exec box sh -c '[ "$(cat /starts)" = "ran
ran" ]'
	gives 0 more cordon exec box cat /more
	gives 0 box cordon rm -f box
	# One that has never run is written to before it does.
	cordon create --name box --storage-opt size=64m x cat /more >/dev/null
	gives 0 "cordon: copied more to box:/more" cordon cp more box:/more
	gives 0 "more" cordon start -a box
}

# bats test_tags=root
@test "cp of one that does not run: its anonymous volume is the one that it wrote to" {
	need losetup
	made_of x
	kept_start box --storage-opt size=64m -v /data x sh -c 'cat /data/more; echo wrote >/data/file; exec sleep 100'
	eventually cordon exec box cat /data/file
	gives 0 box cordon stop -t 0 box
	gives 0 "cordon: copied box:/data/file to file" cordon cp box:/data/file file
	[ "$(cat file)" = wrote ]
	echo more >more
	gives 0 "cordon: copied more to box:/data/more" cordon cp more box:/data/more
	[ "$(cordon volume ls -q | wc -l)" = 1 ]
	gives 0 box cordon start box
	eventually cordon exec box cat /data/more
	[ "$(cordon volume ls -q | wc -l)" = 1 ]
	gives 0 box cordon rm -f -v box
	[ -z "$(cordon volume ls -q)" ]
	# One that has never run gets it then.
	cordon create --name box --storage-opt size=64m -v /data x cat /data/more >/dev/null
	gives 0 "cordon: copied more to box:/data/more" cordon cp more box:/data/more
	gives 0 more cordon start -a box
}

@test "cp and diff of one that does not run and whose root was memory: refused, with what to do" {
	made_of x
	kept_start box x sleep 100
	gives 0 box cordon stop -t 0 box
	gives 125 "*box does not run, and nothing of its root is kept*cordon start box*--storage-opt size=1g*" cordon cp box:/etc .
	gives 125 "*box does not run, and nothing of its root is kept*" cordon diff box
	[ ! -e etc ]
}

is_packing() { helper=$(pgrep -P "$client") && worker=$(pgrep -P "$helper"); }

@test "export: whoever is ended takes those with it who work for it" {
	local client helper='' worker='' out signo code
	made_of x
	kept_start box x sh -c 'i=0; while [ $i -lt 80 ]; do cat /bin/busybox; i=$((i + 1)); done >/large; : >/ready; exec sleep 100'
	eventually cordon exec box ls /ready
	mkfifo pipe
	for signo in KILL TERM; do
		"$CORDON" --root "$CORDON_ROOT" export box >pipe 3>&- &
		client=$!
		exec {out}<pipe
		eventually is_packing
		kill "-$signo" "$client"
		code=0
		wait "$client" || code=$?
		[ "$code" -gt 128 ]
		eventually kept_gone "$helper"
		eventually kept_gone "$worker"
		exec {out}<&-
	done
}
