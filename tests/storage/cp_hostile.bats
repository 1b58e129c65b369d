#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Sandboxes and archives that would have `cordon cp` read or write what is the host's.

bats_require_minimum_version 1.5.0 # run -CODE
load ../lib/cordon
load ../lib/attack
load ../lib/images
load ../lib/kept

setup() {
	images_setup
	mkdir host
	echo secret-of-the-host >host/secret
	chmod 755 host
	made_of x
}

teardown() { kept_end; }

# CVE-2018-15664: a link that is one thing when it is looked at and another one when it is used.
@test "links of the sandbox's to where only the host has something lead nowhere, also while they are swapped" {
	local i landed=0
	mkdir safe
	kept_start box x sh -c "mkdir /safe; echo mine >/safe/secret; ln -s /safe /x; ln -s $PWD/host /to-host; ln -s / /up
		while :; do ln -sfn $PWD/host /x; ln -sfn /safe /x; done"
	kept_pids box
	eventually cordon exec box ls /up
	gives 125 "*box: /to-host/secret: No such file or directory" cordon cp box:/to-host/secret got
	gives 125 "*box: /up/../../to-host/../host/secret: No such file*" cordon cp box:/up/../../to-host/../host/secret got
	echo planted >planted
	gives 125 "*box: /to-host/planted: No such file or directory" cordon cp planted box:/to-host/planted
	for i in {1..20}; do
		rm -f got
		! cordon cp -q box:/x/secret got 2>/dev/null || landed=$((landed + 1))
		[ ! -e got ] || [ "$(cat got)" = mine ]
		! cordon cp -q planted "box:/x/planted$i" 2>/dev/null || landed=$((landed + 1))
	done
	[ "$(ls host)" = secret ]
	[ "$landed" -gt 0 ]
	# The control: by a path of the host's the same link leads to the host's.
	[ "$(cat "/proc/$workload/root/to-host/secret")" = secret-of-the-host ]
	cp planted "/proc/$workload/root/to-host/"
	[ -e host/planted ]
}

# The worker that has begun with a tar whose end has not come. Sets worker.
is_at_work() {
	worker=$(pgrep -P "$(pgrep -P "$client" -f transfer)" | tail -n 1) && [ -n "$worker" ] &&
		grep -q '^Seccomp:.*2' "/proc/$worker/status" && cordon exec box ls /tmp/first
}

# CVE-2019-14271: a program with the host's rights loaded a library of the container's.
@test "whoever writes in the sandbox has its ids, groups and rights, and loads nothing of it" {
	local worker='' client
	kept_start box x sleep 100
	kept_pids box
	mkfifo pipe
	cordon cp - box:/tmp <pipe >said 2>&1 3>&- &
	client=$!
	exec {to_pipe}>pipe
	make_tar part.tar file:first:data=1 file:zeros:zeros=400000
	head -c 300000 part.tar >&"$to_pipe"
	client=$(pgrep -P "$client" || echo "$client")
	eventually is_at_work
	# In its user namespace, not in its mounts.
	[ "$(readlink "/proc/$worker/ns/user")" = "$(readlink "/proc/$workload/ns/user")" ]
	[ "$(readlink "/proc/$worker/ns/mnt")" = "$(readlink /proc/self/ns/mnt)" ]
	[ "$(readlink "/proc/$workload/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ]
	[ "$(awk '/^Uid/ { print $2 }' "/proc/$worker/status")" = "$(stat -c %u "/proc/$workload/root/tmp")" ]
	[ "$(awk '/^NoNewPrivs/ { print $2 }' "/proc/$worker/status")" = 1 ]
	# CHOWN, DAC_OVERRIDE, FOWNER: of the sandbox's user namespace.
	[ "$(awk '/^CapEff/ { print $2 }' "/proc/$worker/status")" = 000000000000000b ]
	if grep -q cordon- "/proc/$workload/cgroup"; then
		diff "/proc/$worker/cgroup" "/proc/$workload/cgroup"
	fi
	tail -c +300001 part.tar >&"$to_pipe"
	exec {to_pipe}>&-
	eventually kept_gone "$worker"
	gives 0 400000 cordon exec box stat -c %s /tmp/zeros
	# Who looks paths up is in its mounts: it is linked with nothing that could be looked for there.
	run -1 grep -aq /lib64/ld-linux "$CORDON"
	grep -aq ld-linux "$(dirname "$CORDON")/cordon-image"
}

# What a packer that was taken over would send: names beside the one that was asked for.
unpacked() { # TEXT ENTRY...
	rm -rf into && mkdir into
	make_tar hostile.tar "${@:2}"
	run -125 "$(dirname "$CORDON")/cordon-image" - transfer -- from=0 to=9 archive as=asked <hostile.tar 9<into
	# TEXT is a pattern on purpose.
	# shellcheck disable=SC2053
	[[ "$output" == "cordon: "$1 ]] || { echo "$output"; return 1; }
	[ ! -e evil ] && [ ! -e into/evil ] && [ "$(cat host/secret)" = secret-of-the-host ]
}

# CVE-2021-41089 and its kind: an archive that writes beside its destination.
@test "what comes out of a sandbox is the one name that was asked for, below the one directory" {
	unpacked "entry evil: is not what was asked for" file:evil
	unpacked "entry asked/../evil: leads out of the image" file:asked/../evil
	unpacked "entry ../evil: leads out of the image" file:../evil
	unpacked "entry /evil: is not what was asked for" file:/evil
	unpacked "entry asked/l/secret: leads through a link*" dir:asked "link:asked/l:to=$PWD/host" file:asked/l/secret:data=changed
	unpacked "entry asked/h: is a hard link to what was not asked for" dir:asked hard:asked/h:to=evil
	# What the caller has there is a way no more than what an entry made.
	make_tar hostile.tar dir:asked file:asked/l/secret:data=changed
	mkdir -p into/asked && ln -s "$PWD/host" into/asked/l
	run -125 "$(dirname "$CORDON")/cordon-image" - transfer -- from=0 to=9 archive as=asked <hostile.tar 9<into
	[ "$(cat host/secret)" = secret-of-the-host ]
	# The controls: the same for what was asked for, and a reader that believes the archive.
	make_tar fine.tar dir:asked file:asked/f:data=1
	rm -rf into && mkdir into
	run -0 "$(dirname "$CORDON")/cordon-image" - transfer -- from=0 to=9 archive as=asked <fine.tar 9<into
	[ "$(cat into/asked/f)" = 1 ]
	make_tar hostile.tar file:../evil
	tar -P -C into -xf hostile.tar
	[ -e evil ]
}

@test "a tar that is written into a sandbox stays below its directory there, and in the sandbox" {
	kept_start box x sh -c 'mkdir /a /b; echo 1 >/b/f; ln -s /b /a/l; : >/ready; exec sleep 100'
	eventually cordon exec box cat /ready
	make_tar hostile.tar file:../b/f:data=2
	gives 125 "*entry ../b/f: leads out of the image" cordon cp - box:/a <hostile.tar
	make_tar hostile.tar file:l/f:data=2
	gives 125 "*entry l/f: leads through a link*" cordon cp - box:/a <hostile.tar
	make_tar hostile.tar link:m:to=/b file:m/f:data=2
	gives 125 "*entry m/f: leads through a link*" cordon cp - box:/a <hostile.tar
	gives 0 1 cordon exec box cat /b/f
	make_tar fine.tar file:f:data=2 file:.wh.f
	gives 0 "cordon: copied *" cordon cp - box:/b <fine.tar
	# A name that means an absence in a layer is a name here.
	gives 0 "2 /b/.wh.f" cordon exec box sh -c 'echo $(cat /b/f) $(ls /b/.wh.f)'
}

# The workload owns what is put there, and changes it by memory, which takes no bit away.
@test "what is written into a sandbox has no setuid bit, in a directory of the host's and in a volume" {
	mkdir shown
	[ "$(id -u)" -ne 0 ] || chown 1234:1234 shown
	kept_start box -v ./shown:/v -v vol:/w x sleep 100
	cp /bin/true one
	chmod 6755 one
	mkdir dir
	cp -p one dir/two
	chmod 2755 dir
	gives 0 "" cordon cp -q one box:/v
	gives 0 "" cordon cp -q -a dir box:/w
	tar cf - dir | cordon cp -q - box:/v
	cmp one shown/one
	cmp one "$CORDON_ROOT/state/volumes/vol/data/dir/two"
	[ "$(stat -c %a shown/one shown/dir shown/dir/two | sort -u)" = 755 ]
	[ -z "$(find shown "$CORDON_ROOT/state/volumes" -perm /6000)" ]
	# The control: the file system would have them.
	cp -p one shown/by-hand
	[ "$(find shown -perm /6000)" = shown/by-hand ]
}

# A name is bytes: one that is no text keeps nobody from all the others.
@test "names that are no UTF-8 are copied, exported and saved as they are" {
	local odd=$'odd\377\n\303' name
	kept_start box x sh -c 'mkdir /d; cd /d; echo 1 >"$1"; ln "$1" "$1.hard"; ln -s "$1" "$1.link"; mkdir "$1.d"
		echo 2 >"$1.d/plain"; echo 3 >z; : >ready; exec sleep 100' sh "$odd"
	eventually cordon exec box ls /d/ready
	gives 0 "" cordon cp -q box:/d got
	cordon export -o all.tar box
	tar xf all.tar d
	for name in got d; do
		[ "$(cat "$name/$odd" "$name/$odd.hard" "$name/$odd.link" "$name/$odd.d/plain" "$name/z" | xargs)" = "1 1 1 2 3" ]
		[ "$(stat -c %h "$name/$odd")" = 2 ]
	done
	gives 0 "" cordon cp -q "got/$odd" box:/d/z
	gives 0 1 cordon exec box cat /d/z
	image import all.tar odd >/dev/null 2>&1
	image save odd saved.tar
	image rm odd
	gives 0 "*odd:latest*" image load saved.tar
	gives 0 1 cordon run -q --rm odd cat "/d/$odd"
}
