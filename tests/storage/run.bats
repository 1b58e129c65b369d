#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# `cordon run IMAGE`: what a program finds that runs from an image, and whose word counts how much.

bats_require_minimum_version 1.5.0 # run -CODE
load ../lib/cordon
load ../lib/images

setup() {
	images_setup
}

is_root() {
	[ "$(id -u)" -eq 0 ]
}

@test "run: the image is the root, as user 0, can be written to, and stays what it is" {
	local before
	made_of x "file:etc/from-image:data=yes"
	before=$(find "$(store)/layers" -printf '%P %m %U:%G %s %T@\n' | sort)
	gives 0 "0:0 / yes" cordon run -q x sh -c 'echo $(id -u):$(id -g) $(pwd) $(cat /etc/from-image)'
	# Nothing of the host's but the kernel's files.
	gives 0 "bin dev etc proc root tmp" cordon run -q x sh -c 'echo $(ls /)'
	gives 0 "mine" cordon run -q x sh -c 'echo mine >/etc/from-image && mkdir /new && rm /bin/env && cat /etc/from-image'
	gives 0 "yes /bin/env" cordon run -q x sh -c 'echo $(cat /etc/from-image) $(ls /bin/env)'
	[ "$(find "$(store)/layers" -printf '%P %m %U:%G %s %T@\n' | sort)" = "$before" ]
	# --read-only is a flag like any other.
	gives 1 "*Read-only file system*" cordon run -q --read-only x touch /x
	# A bound, and the control below it.
	gives 1 "*rootfs.writable.size (1 MiB) was used up*" cordon run --set rootfs.writable.size=1MiB x sh -c 'cat /dev/zero >/big'
	gives 0 "" cordon run -q --set rootfs.writable.size=64MiB x sh -c 'cat /bin/busybox /bin/busybox >/big'
}

@test "run: what has been asked for is an image, or it is said what to write" {
	made_of x
	gives 125 "cordon: no image ./a.out; to run a program of this host: cordon run -- ./a.out*" cordon run ./a.out
	gives 125 "cordon: no image y *" cordon run --set rootfs.from=image:y -- true
	gives 125 "cordon: no image y*" cordon create y
	gives 125 "cordon: no image y*" cordon explain y
	gives 125 "cordon: no image x;*" env -C / "$CORDON" --root "$BATS_TEST_TMPDIR/none" run x true
	[ ! -e "$BATS_TEST_TMPDIR/none/state" ]
	gives 125 "cordon: no program to run*cordon run -- CMD*" cordon run
	gives 125 "cordon: image x names no program to run*cordon run x CMD*" cordon run x
	gives 125 "cordon: image x names no program to run*" cordon create x
	gives 127 "cordon: step program: nothing: not in the sandbox's PATH*" cordon run -q x nothing
	gives 127 "cordon: step program: /nothing: *The image has no such program*" cordon run -q x /nothing
	gives 125 "*rootfs.from cannot be 'image:'*" cordon run --set 'rootfs.from="image:"' -- true
	# By its id, and by the beginning of it.
	local id
	id=$(image inspect --json x | jq -r .id)
	gives 0 "0" cordon run -q "${id:0:12}" id -u
	gives 0 "0" cordon run -q "sha256:$id" id -u
	# Behind `--` the whole command stands, whatever the image says.
	gives 0 "0" cordon run -q --set rootfs.from=image:x -- id -u
}

@test "layers: what is above counts; absences, opaque directories, files over directories and back" {
	mkdir lower && (cd lower && mkdir -p a b c d/e && touch a/gone a/kept b/hidden c/file d/e/f)
	tar -C lower --owner 0 --group 0 -cf lower.tar .
	made_of x "dir:a file:a/gone file:a/kept:data=1 dir:b file:b/hidden dir:c file:c/f file:d:data=file dir:e dir:e/f" \
		"file:a/.wh.gone file:a/kept:data=2 file:b/.wh..wh..opq file:b/new file:c:data=file dir:d file:d/x file:.wh.e dir:e"
	gives 0 "kept 2 new file x ." cordon run -q x sh -c 'echo $(ls /a) $(cat /a/kept) $(ls /b) $(cat /c) $(ls /d) .$(ls /e)'
	# The root is the uppermost layer's too, where it says something of it.
	made_of z "dir:.:mode=700:uid=3" "dir:.:mode=751:uid=5:gid=6"
	gives 0 "751 $(is_root && echo 5:6 || echo 0:0)" cordon run -q z stat -c "%a %u:%g" /
	# The control: without the upper layer all of it is there.
	made_of y "dir:a file:a/gone file:a/kept:data=1 dir:b file:b/hidden dir:c file:c/f file:d:data=file dir:e dir:e/f"
	gives 0 "gone kept 1 hidden f file f" cordon run -q y sh -c 'echo $(ls /a) $(cat /a/kept) $(ls /b) $(ls /c) $(cat /d) $(ls /e)'
}

@test "layers: 128 of them are one root" {
	local i lists=()
	for ((i = 1; i < 128; i++)); do
		lists+=("file:n/$i:data=$i file:last:data=$i")
	done
	made_of x "${lists[@]}"
	gives 0 "127 127" cordon run -q x sh -c 'echo $(ls /n | { n=0; while read -r f; do n=$((n + 1)); done; echo $n; }) $(cat /last)'
}

@test "configuration: environment, program, user by name, directory, signal, labels" {
	config='{"Env":["A=1","PATH=/opt:/bin","B=two words and %20","A=2","C="],"Entrypoint":["/bin/sh","-c","echo $0 $1 $A,$B,$C,$PATH $(pwd) $(id -u):$(id -g)"],
		"Cmd":["cmd","of it"],"User":"web:staff","WorkingDir":"/srv","StopSignal":"SIGUSR1","Labels":{"role":"a b","org.x.y":"z"}}' \
		made_of x "dir:srv dir:opt"
	gives 0 "cmd of it 2,two words and %20,,/opt:/bin /srv 33:50" cordon run -q x
	gives 0 "mine 2,two words and %20,,/opt:/bin /srv 33:50" cordon run -q x mine
	# An empty value of the image's is one, and not the caller's, as it is where a profile says none.
	C=callers gives 0 "mine 2,two words and %20,,/opt:/bin /srv 33:50" cordon run -q x mine
	C=callers gives 0 "mine 2,two words and %20,callers,/opt:/bin /srv 33:50" cordon run -q -e C x mine
	run -0 cordon explain -q x
	grep -qE '^program +/bin/sh -c echo .* cmd of it$' <<<"$output"
	grep -qE "^image +x, sha256:$(image inspect --json x | jq -r .id), 2 layers$" <<<"$output"
	grep -qE '^  process\.user +web:staff +image x$' <<<"$output"
	grep -qE '^  process\.stop_signal +SIGUSR1 +image x$' <<<"$output"
	grep -qE '^  process\.environment\.A +2 +image x$' <<<"$output"
	grep -qE '^  labels\.role +a b +image x$' <<<"$output"
	grep -qE '^  rootfs\.writable\.store +tmpfs +built-in, for images$' <<<"$output"
	grep -qE '^  process\.hostname +sandbox +profile base:[0-9]+$' <<<"$output"
	[ "$(cordon explain --json x | jq -c '[.image.name, .image.layers, .program[0]]')" = '["x",2,"/bin/sh"]' ]
	# By number, of a user who has a line, and of one who has none.
	gives 0 "33:44" cordon run -q -u 33 --entrypoint sh x -c 'echo $(id -u):$(id -g)'
	gives 0 "7:7" cordon run -q -u 7 --entrypoint sh x -c 'echo $(id -u):$(id -g)'
	gives 125 "*no user 'nobody' in the rootfs's passwd*" cordon run -q -u nobody x
	# An image without accounts: a number is enough.
	made_of x "file:etc/.wh.passwd"
	gives 0 "7:7" cordon run -q -u 7 --entrypoint sh x -c 'echo $(id -u):$(id -g)'
	gives 125 "*/etc/passwd of the image: No such file*" cordon run -q -u web x
}

@test "configuration: flags count more than a profile of the caller's, that more than the image, that more than a shipped one" {
	config='{"Env":["WHO=image","LANG=image"],"User":"33","WorkingDir":"/etc","Cmd":["sh","-c","echo $WHO $LANG $(id -u) $(pwd)"]}' \
		made_of x
	gives 0 "image image 33 /etc" cordon run -q x
	gives 0 "image image 33 /etc" cordon run -q --profile strict x
	printf 'cordon: 1\nextends: default\nprocess: {user: 50:50, environment: {WHO: file}}\n' >p.yaml
	gives 0 "file image 50 /etc" cordon run -q --profile ./p.yaml x
	gives 0 "flag image 51 /bin" cordon run -q --profile ./p.yaml -e WHO=flag -u 51:51 -w /bin x
	# A profile that says the image itself, and with it the program.
	printf 'cordon: 1\nextends: default\nrootfs: {from: "image:x"}\nprocess: {environment: {WHO: file}}\n' >q.yaml
	gives 0 "file image 33 /etc" cordon run -q --profile ./q.yaml
	gives 0 "q.yaml: ok" cordon profile check q.yaml
	# One whose image is not here is right all the same.
	sed -i s/image:x/image:nowhere/ q.yaml
	gives 0 "q.yaml: ok" cordon profile check q.yaml
}

@test "--entrypoint: takes the place of the image's Entrypoint and Cmd" {
	config='{"Entrypoint":["/bin/echo","entry"],"Cmd":["cmd"]}' made_of x
	gives 0 "entry cmd" cordon run -q x
	gives 0 "entry word" cordon run -q x word
	gives 0 "" cordon run -q --entrypoint true x
	gives 0 "word" cordon run -q --entrypoint /bin/echo x word
	gives 0 "0" cordon run -q --entrypoint "" x id -u
	gives 125 "cordon: image x names no program to run*" cordon run -q --entrypoint "" x
	gives 125 "cordon: --entrypoint is for an image*" cordon run --entrypoint sh -- true
	gives 125 "cordon: --entrypoint is for an image*" cordon run --entrypoint sh
	gives 0 "*program        true*" cordon explain --entrypoint true x
}

# bats test_tags=root
@test "as root: owners are those of the image, in ids of the sandbox's own" {
	made_of x "file:own:uid=33:gid=44:mode=600:data=secret dir:d:uid=33:gid=44:mode=700 file:d/f:uid=33:data=1 file:far:uid=70000:gid=70001"
	gives 0 "33:44 0:0 65534:65534" cordon run -q x sh -c 'echo $(stat -c %u:%g /own) $(stat -c %u:%g /bin) $(stat -c %u:%g /far)'
	gives 0 "secret" cordon run -q -u 33:44 x sh -c 'cat /own && echo new >/own && echo 2 >/d/g'
	# The control: another user of the image's cannot.
	gives 1 "*Permission denied*" cordon run -q -u 34:44 x cat /own
	gives 1 "*Permission denied*" cordon run -q -u 1000:1000 x ls /d
	# And no note: they are given.
	gives 0 "" cordon run x true
}

# bats test_tags=user
@test "as a user: what cannot be given is said once, and not with -q" {
	made_of x "file:own:uid=33:gid=44:mode=600:data=secret file:s:mode=4755"
	gives 0 "cordon: image x: 2 entries have another owner, a setuid bit or a capability there*" cordon run x true
	gives 0 "" cordon run -q x true
	gives 0 "0:0" cordon run -q x stat -c %u:%g /own
	run -0 cordon explain x
	grep -qE '^owners +2 entries of the image' <<<"$output"
	made_of y
	gives 0 "" cordon run y true
}

@test "setuid bits and device files of an image do nothing" {
	made_of x "file:s:mode=6755:data=x char:dev/sda:dev=8.0 char:null:dev=1.3"
	cp -r "$BATS_TEST_TMPDIR/x.base.tar.dir" d
	mkdir d/suid
	cp d/bin/busybox d/suid/id
	chmod 4755 d/suid/id
	gives 0 "*" image import -q d y
	gives 0 "33" cordon run -q -u 33:33 y /suid/id -u
	gives 0 "null urandom" cordon run -q x sh -c 'echo $(ls /dev/null /dev/urandom /dev/sda /null 2>/dev/null | { while read -r p; do echo ${p##*/}; done; })'
}

@test "strict runs from an image as well, behind Landlock" {
	made_of x
	gives 0 "0" cordon run -q --profile strict x id -u
	# What it promises holds for an image too: nothing that it wrote is executed. The control is the profile default.
	gives 1 "*Read-only file system*" cordon run -q --profile strict x sh -c 'cp /bin/busybox /echo && /echo wrote'
	gives 126 "*Permission denied*" cordon run -q --profile strict x sh -c 'cp /bin/busybox /tmp/echo && /tmp/echo wrote'
	gives 0 "wrote" cordon run -q x sh -c 'cp /bin/busybox /echo && /echo wrote'
	gives 0 "" cordon run -q --profile strict --set rootfs.writable.store=tmpfs x touch /x
	gives 0 "" cordon run -q --profile strict --set 'landlock={write: [/tmp]}' x touch /tmp/x
	gives 1 "*Permission denied*" cordon run -q --profile strict --set rootfs.writable.store=tmpfs --set 'landlock={write: [/tmp]}' x touch /x
}
