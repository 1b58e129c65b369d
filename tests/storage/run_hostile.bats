#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Images made to harm who runs them: each is refused with a clear word, or does no harm.

bats_require_minimum_version 1.5.0 # run -CODE
load ../lib/cordon
load ../lib/images

setup() {
	images_setup
	echo top-of-the-host >"$BATS_TEST_TMPDIR/secret"
	chmod 644 "$BATS_TEST_TMPDIR/secret"
}

# The base with other things in the place of some, as image x.
made_over() { # LIST
	made_of x "$1"
}

sees_nothing() { # SCRIPT
	local code
	run cordon run -q x sh -c "$1"
	code=$status
	[[ "$output" != *top-of-the-host* && "$output" != *boot* ]] || { echo "$output"; return 1; }
	[ "$code" -ne 0 ] || return 0
	[ "$code" -eq 125 ] || [ "$code" -eq 126 ] || [ "$code" -eq 127 ] || [ "$code" -eq 1 ] || { echo "$code $output"; return 1; }
}

@test "/dev and /proc as links, files, fifos: made over, or refused with a word" {
	local kind
	for kind in "link:dev:to=/etc" "link:dev:to=../../../../etc"; do
		made_over "file:.wh.dev $kind"
		gives 0 "*null*" cordon run -q x ls /dev/
	done
	made_over "file:.wh.dev link:dev:to=/nowhere"
	run cordon run -q x ls /dev/null
	[[ "$status $output" == "125 cordon: step dev: /dev: tmpfs: "* || "$status $output" == "0 /dev/null" ]]
	for kind in file:dev fifo:dev; do
		made_over "file:.wh.dev $kind"
		gives 125 "cordon: step dev: /dev: tmpfs: *The rootfs has no directory there*" cordon run -q x true
	done
	for kind in file:proc fifo:proc; do
		made_over "file:.wh.proc $kind"
		gives 125 "cordon: step proc: /proc: proc: *The rootfs has no directory there*" cordon run -q x true
	done
	made_over "file:.wh.proc link:proc:to=/etc"
	gives 0 "1" cordon run -q x sh -c 'ls /proc/ | { read -r first; echo "$first"; }'
	# Over the root itself: whoever starts is in the image all the same, or nothing starts.
	made_over "file:.wh.dev link:dev:to=/"
	run cordon run -q x sh -c 'ls /; ls /..'
	[[ "$output" != *boot* ]] && [[ "$status" =~ ^(0|125|126|127)$ ]]
	# The control.
	made_of y
	gives 0 "" cordon run -q y true
}

# Whoever reads the sandbox's /proc would read what the workload wrote (CVE-2019-16884).
@test "a link at a volume's place that leads into /proc or /dev: refused; elsewhere in the image it is followed" {
	local to
	mkdir vol && echo mine >vol/version && touch file && chmod 755 vol
	[ "$(id -u)" -ne 0 ] || chown -R 61236:61236 vol file
	for to in /proc /x/../proc /dev /dev/pts /proc/self/attr; do
		made_of x "link:data:to=$to"
		gives 125 "cordon: step volumes: /data: *into /proc or /dev*" cordon run -q --set '+volumes=[./vol:/data]' x true
	done
	made_of x "link:data:to=/dev/null"
	gives 125 "cordon: step volumes: /data: *into /proc or /dev*" cordon run -q --set '+volumes=[./file:/data]' x true
	made_of x "dir:real link:data:to=/real"
	gives 0 "mine" cordon run -q --set '+volumes=[./vol:/data]' x cat /real/version
}

@test "/etc/passwd: a link out, a fifo, a directory, a loop, one that is huge, one of garbage" {
	local outside=$BATS_TEST_TMPDIR/passwd
	echo 'outsider:x:77:77::/:/bin/sh' >"$outside"
	made_over "file:etc/.wh.passwd link:etc/passwd:to=$outside"
	gives 125 "*No such file or directory*" cordon run -q -u outsider x true
	made_over "file:etc/.wh.passwd link:etc/passwd:to=../../../../../../../..$outside"
	gives 125 "*No such file or directory*" cordon run -q -u outsider x true
	made_over "file:etc/.wh.passwd link:etc/passwd:to=/proc/self/root$outside"
	gives 125 "*No such file or directory*" cordon run -q -u outsider x true
	made_over "file:etc/.wh.passwd link:etc/passwd:to=/etc/passwd"
	gives 125 "*Too many levels of symbolic links*" cordon run -q -u web x true
	made_over "file:etc/.wh.passwd fifo:etc/passwd"
	gives 125 "*Invalid argument*" cordon run -q -u web x true
	made_over "file:etc/.wh.passwd dir:etc/passwd"
	gives 125 "*Invalid argument*" cordon run -q -u web x true
	made_over "file:etc/passwd:zeros=1073741824"
	gives 125 "*File too large*" cordon run -q -u web x true
	made_over "file:etc/passwd:zeros=1000000"
	gives 125 "*no user 'web'*" cordon run -q -u web x true
	# Nobody needs it who is named by a number.
	gives 0 "33:44" cordon run -q -u 33:44 x sh -c 'echo $(id -u):$(id -g)'
	made_over "file:.wh.etc link:etc:to=/real dir:real file:real/passwd:data=me\\:x\\:5\\:6\\:\\:/\\:/bin/sh"
	gives 0 "5:6" cordon run -q -u me x sh -c 'echo $(id -u):$(id -g)'
	# Absent, by a layer above; and hidden by one.
	made_over "file:etc/.wh.passwd"
	gives 125 "*No such file or directory*" cordon run -q -u web x true
	made_over "file:etc/.wh..wh..opq file:etc/x"
	gives 125 "*No such file or directory*" cordon run -q -u web x true
	made_of y
	gives 0 "33:44" cordon run -q -u web y sh -c 'echo $(id -u):$(id -g)'
}

@test "working directory, program and libraries that lead out end in the image" {
	config='{"WorkingDir":"/out"}' made_of x "link:out:to=$BATS_TEST_TMPDIR"
	# It leads to the sandbox's /tmp, which is no place to make anything in.
	gives 125 "cordon: step working_dir: process.working_dir: /out: No such file or directory*" cordon run -q x true
	config='{"WorkingDir":"/out"}' made_of x "link:out:to=/proc/self/fd/3"
	gives 125 "cordon: step working_dir: process.working_dir: /out: *" cordon run -q x true
	config='{"WorkingDir":"../../../../etc"}' made_of x
	gives 0 "/etc" cordon run -q x pwd
	config='{"Cmd":["/prog"]}' made_of x "link:prog:to=$(command -v true)"
	gives 127 "cordon: step program: /prog: No such file or directory*" cordon run -q x
	config='{"Cmd":["/prog"]}' made_of x "fifo:prog:mode=755"
	gives 126 "cordon: step program: /prog: Permission denied*" cordon run -q x
	config='{"Cmd":["../../bin/echo","in"]}' made_of x
	gives 0 "in" cordon run -q x
	made_of x "char:lib/libc.so.6:dev=1.3 fifo:lib64"
	gives 0 "" cordon run -q x true
}

@test "a root of odd mode or owner" {
	local mode
	for mode in 0 111 1777 700; do
		made_of x "dir:.:mode=$mode:uid=12:gid=13"
		sees_nothing 'cat /../secret; ls /..'
		# As a user user 0 inside owns it, and has no more rights by that than anybody who owns something.
		run cordon run -q x true
		[[ "$status $output" == "0 " || "$status $output" == "125 cordon: step working_dir: enter /: Permission denied"* ]]
	done
}

@test "a configuration that asks for too much, or for what there is not" {
	local many
	config='{"User":"nobody"}' made_of x
	gives 125 "image x: error: no user 'nobody' in the rootfs's passwd*" cordon run -q x true
	config='{"User":"99999"}' made_of x
	gives 125 "image x: error: process.user cannot be '99999'*" cordon run -q x true
	config='{"User":"a:b:c\nd"}' made_of x
	gives 125 "image x: error: *" cordon run -q x true
	config='{"StopSignal":"SIGNONE"}' made_of x
	gives 125 "image x: error: process.stop_signal cannot be 'SIGNONE'*" cordon run -q x true
	config='{"Env":["A B=1"]}' made_of x
	gives 125 "image x: error: 'A B' cannot be a variable's name*" cordon run -q x true
	config='{"Env":["=x","novalue","+A=1","limits.memory=1","A.B=2"]}' made_of x
	gives 0 "*+A=1"$'\n'"limits.memory=1"$'\n'"A.B=2*" cordon run -q x env
	run -0 cordon explain x
	[[ "$output" == *"the image's variable 'novalue' is left out"* ]]
	many=$(jq -cn '{Env: [range(1025) | "V\(.)=1"]}')
	config=$many made_of x
	gives 125 "image x: error: more than 1024 variables*" cordon run -q x true
	config=$(jq -cn '{Labels: {"a b": "1", "long": ("x" * 5000), "multi": "1\n2", "good": "1"}}') made_of x
	gives 0 "" cordon run -q x true
	run -0 cordon explain x
	[[ "$output" == *"label 'long' is left out"* && "$output" == *"labels.good "* ]]
	# What would weaken something is no part of an image.
	config='{"Env":["LD_PRELOAD=/evil.so"],"Privileged":true,"SecurityOpt":["seccomp=unconfined"],"Volumes":{"/data":{}},"ExposedPorts":{"80/tcp":{}}}' \
		made_of x
	gives 0 "*" cordon run -q x true
	# What -P would publish; without it nothing is.
	gives 0 "*network.expose*80/tcp*image x*" cordon explain x
	run -0 image inspect x
	[[ "$output" == *'"Volumes":{"/data":{}}'* && "$output" == *'"ExposedPorts":{"80/tcp":{}}'* ]]
}

@test "nothing of the host's is to be found from inside" {
	made_of x "link:up:to=../../../../../../../.. link:abs:to=$BATS_TEST_TMPDIR link:store:to=$CORDON_ROOT"
	gives 0 "abs" cordon run -q x sh -c 'ls /up/ | { read -r first; echo $first; }'
	gives 1 "*No such file or directory*" cordon run -q x cat /abs/secret
	gives 1 "*No such file or directory*" cordon run -q x ls /store/
	run cordon run -q x cat /proc/self/mountinfo
	[ "$status" -eq 0 ]
	[[ "$output" != *"$CORDON_ROOT"* ]]
	[[ "$output" != *" shared:"* && "$output" != *" master:"* ]]
	# A tree of the store's cannot be shown either.
	gives 125 "*cordon's own state*" cordon run -q --ro "$(store)" x true
}
