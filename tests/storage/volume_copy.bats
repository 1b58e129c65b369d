#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# `cordon volume backup`, `restore` and `clone`: what comes back is what was there, or nothing at all.

load ../lib/cordon
load ../lib/images
load ../lib/attack

setup() {
	cordon_setup
	need jq python3
	CORDON_ROOT=$BATS_TEST_TMPDIR.root
	cd "$BATS_TEST_TMPDIR" || return
}

volumes() { echo "$CORDON_ROOT/state/volumes"; }
data() { echo "$(volumes)/$1/data"; }

# All that a backup keeps of the files of a volume. Of directories the size is the file system's own affair.
listing() { # NAME
	local file
	(
		cd "$(data "$1")" || return
		find . -type d -printf '%P %y %m %U %G %T@\n' -o -printf '%P %y %m %U %G %s %n %l %T@\n' | sort
		find . -type f -exec sha256sum {} + | sort
		for file in file long; do attribute "$file"; done
		attribute file user.note
	)
}

# A volume with one of each.
filled() { # NAME
	local dir
	cordon volume create --label kept=yes "$1" >/dev/null
	dir=$(data "$1")
	echo text >"$dir/file"
	ln "$dir/file" "$dir/second"
	ln -s /etc/shadow "$dir/link"
	mkdir -p "$dir/dir/.wh.dir"
	echo hidden >"$dir/dir/.wh.file"
	truncate -s 20M "$dir/sparse"
	echo end >>"$dir/sparse"
	mkfifo "$dir/fifo"
	head -c 3000000 /dev/urandom >"$dir/long"
	echo name >"$dir/"$'a\nb \xff'
	python3 -IS -c 'import os, sys
os.setxattr(sys.argv[1], "user.note", b"kept")
os.setxattr(sys.argv[1], "user.overlay.opaque", b"y")' "$dir/file"
	chmod 01777 "$dir/dir"
	chmod 0700 "$dir"
	if is_root; then
		chown -hR 2147352576:2147352576 "$dir"
		chown 2147353576:2147418111 "$dir/file"
		chmod 06755 "$dir/file"
	fi
	touch -hd '2001-02-03 04:05:06.123456789' "$dir/link" "$dir/file" "$dir"
}

# Nothing but these is there, nor half-made.
only() { # NAME...
	[ "$(find "$(volumes)" -mindepth 1 -maxdepth 1 ! -name .lock -printf '%f\n' | sort | xargs)" = "$*" ]
}

@test "volume copy: backup, restore and clone give back owners, modes, links, holes, attributes and labels" {
	filled one
	says 0 "one sha256:* MiB" cordon volume backup one out.tar
	[ "$(stat -c %a out.tar)" = 600 ]
	[ "$(stat -c %s out.tar)" -lt 4000000 ]
	cordon volume backup one >second.tar
	cmp out.tar second.tar
	says 0 "two" cordon volume restore two out.tar
	gzip <out.tar | cordon volume restore -q three -
	gives 0 four cordon volume clone one four
	for copy in two three four; do
		diff <(listing one) <(listing "$copy")
		[ "$(stat -c %b "$(data "$copy")/sparse")" -lt 1000 ]
		cordon volume inspect "$copy" | jq -e '.[0].labels == {kept: "yes"} and (.[0].anonymous | not)'
	done
	# Others can read it as well, and check it.
	python3 -IS -c 'import sys, tarfile; print("\n".join(tarfile.open(sys.argv[1]).getnames()))' out.tar >names
	[ "$(tar -xOf out.tar .cordon-volume-sha256)" = "$(head -c -2048 out.tar | sha256sum | cut -d ' ' -f 1)" ]
	[ "$(tar -xOf out.tar file)" = text ]
	grep -Fx dir/.wh.file names
	only four one three two
}

@test "volume copy: an archive that was cut short or changed is refused, and nothing is changed" {
	local size cut
	filled one
	cordon volume create old >/dev/null
	echo old >"$(data old)/file"
	cordon volume backup -q one whole.tar
	size=$(stat -c %s whole.tar)
	for cut in 0 511 512 1024 5000 $((size / 2)) $((size - 2048)) $((size - 1024)) $((size - 512)) $((size - 1)); do
		head -c "$cut" whole.tar >cut.tar
		says 125 "cordon: volume new: *" cordon volume restore new cut.tar
		says 125 "cordon: volume old: *" cordon volume restore --replace old cut.tar
		only old one
	done
	# In the head, in a header, in a file, in the digest, behind the end.
	for cut in 600 2200 2000000 $((size - 1530)) $((size - 2)); do
		cp whole.tar changed.tar
		printf '\x05' | dd of=changed.tar bs=1 seek="$cut" conv=notrunc status=none
		says 125 "cordon: volume old: *" cordon volume restore --replace old changed.tar
	done
	cp whole.tar changed.tar
	echo >>changed.tar
	says 125 "cordon: volume old: *--no-verify*" cordon volume restore --replace old changed.tar
	only old one
	[ "$(cat "$(data old)/file")" = old ]
	# The control.
	gives 0 old cordon volume restore --replace old whole.tar
	diff <(listing one) <(listing old)
	only old one
}

@test "volume copy: what it is not meant for is refused by name" {
	filled one
	says 125 "cordon: no volume is called two*" cordon volume backup two
	says 125 "cordon: no volume is called two*" cordon volume clone two three
	says 125 "cordon: volume one: File exists*--replace*" cordon volume restore one /dev/null
	says 125 "cordon: volume one: *exists*" cordon volume clone one one
	says 125 "cordon: ..: no volume can be called that*" cordon volume restore .. /dev/null
	says 125 "cordon: a/b: no volume can be called that*" cordon volume clone one a/b
	says 125 "cordon: volume backup takes other words*" cordon volume backup
	says 125 "cordon: volume clone takes other words*" cordon volume clone one
	echo mine >there
	says 125 "cordon: there: File exists*" cordon volume backup one there
	[ "$(cat there)" = mine ]
	says 125 "cordon: none/x: No such file*" cordon volume backup one none/x
	says 125 "cordon: none: No such file*" cordon volume restore two none
	says 125 "cordon: *: Is a directory*" cordon volume restore two .
	says 125 "*an archive is not for a terminal*" script -qec "$CORDON --root $CORDON_ROOT volume backup one" /dev/null
	says 125 "*than *allowed*--max-size*" bash -c '"$0" "$@" | "$0" "${@:1:2}" volume restore --max-size 1MiB two' \
		"$CORDON" --root "$CORDON_ROOT" volume backup one
	only one
}

@test "volume copy: a tar of another program is taken where that is said, and a cut one is not" {
	mkdir tree
	echo text >tree/file
	tar -C tree -cf plain.tar --owner=5 --group=6 .
	says 125 "cordon: volume new: *--no-verify*" cordon volume restore new plain.tar
	only
	says 0 "*new" cordon volume restore --no-verify new plain.tar
	[ "$(cat "$(data new)/file")" = text ]
	if is_root; then
		[ "$(stat -c %u:%g "$(data new)/file")" = 2147352581:2147352582 ]
	else
		[ "$(stat -c %u "$(data new)/file")" = "$(id -u)" ]
	fi
	head -c 1024 plain.tar >cut.tar
	says 125 "cordon: volume cut: *" cordon volume restore --no-verify cut cut.tar
	only new
}

@test "volume copy: a hostile archive makes nothing outside, and nothing that is more than a file" {
	local entry
	mkdir outside
	for entry in "file:../x:data=1" "file:/../../x:data=1" "hard:x:to=../../record" \
		"link:out:to=$PWD/outside file:out/x:data=1" "link:out:to=/ file:out/x:data=1" \
		"file:record:data=1 file:record:data=2" "link:.:to=/" "file:d:data=1 file:d/x:data=2"; do
		# The entries are words on purpose.
		# shellcheck disable=SC2086
		make_tar x.tar $entry
		says 125 "cordon: volume bad: *" cordon volume restore --no-verify bad x.tar
		only
		[ -z "$(ls outside)" ]
	done
	make_tar x.tar char:null:dev=1.3 block:disk:dev=8.0 char:white:dev=0.0 file:su:mode=6755:data=1 \
		'file:caps:data=1:hexattr.security.capability=0100000200040000000000000000000000000000' link:abs:to=/etc/shadow
	says 0 "*left out: device null*left out: device disk*" cordon volume restore --no-verify odd x.tar
	[ "$(cd "$(data odd)" && echo *)" = "abs caps su" ]
	[ -z "$(attribute "$(data odd)/caps")" ]
	# Behind directories that are the caller's alone, and of nobody.
	[ "$(stat -c %a "$(volumes)/odd")" = 700 ]
	if is_root; then
		[ "$(stat -c %u:%a "$(data odd)/su")" = 2147352576:6755 ]
	else
		[ "$(stat -c %a "$(data odd)/su")" = 755 ]
	fi
}

of_small_files() (
	ulimit -f 1100
	cordon "$@"
)

# In memory, which no limit of a process counts: memory that outlives whoever filled it.
@test "volume copy: what is said of an archive does not grow with it" {
	local name odd=()
	name=$(printf '%0240d/' {1..16})
	for i in {1..300}; do
		odd+=("file:$name$i:uid=100000")
	done
	make_tar x.tar "file:${name}x$(printf ':xattr.trusted.%d=' {1..600})" "${odd[@]}"
	says 0 "*volume odd: 600 things in all*volume odd: 300 files have other owners*" \
		of_small_files volume restore --no-verify odd x.tar
	# The control: a file of the archive's own that is as large as the limit.
	make_tar y.tar file:large:zeros=2000000
	run -125 of_small_files volume restore --no-verify more y.tar
	only odd
}

# A workload makes one by a seek, and those who use the volume stand still while it is read.
@test "volume copy: a hole of terabytes takes neither time nor room" {
	cordon volume create one >/dev/null
	truncate -s 12T "$(data one)/hole"
	truncate -s 12T "$(data one)/end"
	echo end >>"$(data one)/end"
	timeout -k 5 60 "$CORDON" --root "$CORDON_ROOT" volume backup -q one x.tar
	[ "$(stat -c %s x.tar)" -lt 100000 ]
	says 0 "*two" cordon volume restore two x.tar
	[ "$(stat -c %s "$(data two)/hole" "$(data two)/end" | xargs)" = "13194139533312 13194139533316" ]
	[ "$(tail -c 4 "$(data two)/end")" = end ]
	[ "$(du -k "$(data two)" | cut -f 1)" -lt 100 ]
}

is_begun() { [ "$(find "$(volumes)" -mindepth 1 -maxdepth 1 ! -name .lock | wc -l)" = 2 ]; }

@test "volume copy: told to end while nobody writes on, it ends, and leaves nothing" {
	local signal pid code
	filled one
	cordon volume backup -q one whole.tar
	for signal in TERM HUP; do
		mkfifo pipe
		"$CORDON" --root "$CORDON_ROOT" volume restore new - <pipe 3>&- &
		pid=$!
		exec {writer}>pipe
		rm pipe
		head -c 100000 whole.tar >&"$writer"
		eventually is_begun
		kill "-$signal" "$pid"
		code=0
		wait "$pid" || code=$?
		[ "$code" = $((128 + $(kill -l "$signal"))) ] || { echo "$signal: $code"; return 1; }
		exec {writer}>&-
		only one
	done
	gives 0 new cordon volume restore new whole.tar
}

@test "volume copy: killed at any step, what was there stays, and gc takes what is left" {
	local step
	filled one
	cordon volume create old >/dev/null
	echo old >"$(data old)/file"
	cordon volume backup -q one whole.tar
	mkdir out
	for step in volume-opened volume-archived; do
		CORDON=$FAULTY CORDON_FAULT=store.$step:kill run -137 cordon volume backup one out/x
		[ -z "$(ls -A out)" ]
	done
	for step in volume-begun volume-whole volume-unpacked volume-copied volume-named; do
		CORDON=$FAULTY CORDON_FAULT=store.$step:kill run -137 cordon volume restore --replace old whole.tar
		gives 0 "old
one" cordon volume ls -q
		if [ "$step" = volume-named ]; then
			diff <(listing one) <(listing old)
		else
			[ "$(cat "$(data old)/file")" = old ]
		fi
		says 0 "*1 remains of volumes removed*" cordon gc
		only old one
	done
	for step in volume-begun volume-whole volume-copied; do
		CORDON=$FAULTY CORDON_FAULT=store.$step:kill run -137 cordon volume clone one new
		says 0 "*1 remains of volumes removed*" cordon gc
		only old one
	done
	gives 0 new cordon volume clone one new
}
