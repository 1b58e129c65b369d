#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a kept sandbox has written to its root, where that is an image: it is there at the next start,
# however the last one ended, and goes with `rm`.

load ../lib/cordon
load ../lib/attack
load ../lib/kept

teardown() { kept_end; }

image=(--set rootfs.writable.store=image)
# Counts its starts in a file of its root, and says how many it finds.
counts='echo x >>/starts; grep -c x /starts; exec sleep 600'

own_loops() { losetup -n -O NAME,BACK-FILE | grep -F "$CORDON_ROOT" || true; }
no_loops() { [ -z "$(own_loops)" ]; }

counted() { # NAME N
	[ "$(cordon logs "$1" | tail -n 1)" = "$2" ]
}

counted_lines() { # NAME N
	[ "$(cordon logs "$1" | wc -l)" = "$2" ]
}

layer_of() { # NAME
	echo "$CORDON_ROOT/state/sandboxes/$(readlink "$CORDON_ROOT/state/names/$1")/layer"
}

# bats test_tags=root,vm
@test "layer: what was written is there after a stop, a restart, and kill -9 of whoever it is" {
	need losetup
	kept_start a "${image[@]}" -- sh -c "$counts"
	eventually counted a 1
	gives 0 a cordon stop -t 0 a
	eventually no_loops
	gives 0 a cordon start a
	eventually counted a 2
	gives 0 a cordon restart -t 0 a
	eventually counted a 3
	# The next start comes while the kernel may still be taking the last one's mount down.
	kept_pids a
	kill -9 "$keeper"
	gives 0 a cordon start a
	eventually counted a 4
	kept_pids a
	kill -9 "$workload"
	eventually kept_is a exited
	gives 0 a cordon start a
	eventually counted a 5
	[ "$(own_loops | wc -l)" -eq 1 ]
	[ "$(stat -c '%a %h' "$(layer_of a)")" = "600 1" ]
	gives 0 a cordon rm -f a
	eventually no_loops
	kept_no_record
	[ -z "$(find "$CORDON_ROOT/state" -name layer)" ]
}

# bats test_tags=root
@test "layer: a volume's place that the workload has made a link into /proc is no place any more" {
	mkdir vol
	chown 61235:61235 vol
	kept_start a "${image[@]}" --set '+volumes=[./vol:/a/b:rw]' -- sh -c \
		'[ ! -e /done ] || exit 7; touch /done; mkdir -p /a/b/self; echo x >/a/b/self/mountinfo; mv /a /a2 && mkdir /a && ln -s /proc /a/b; echo moved'
	eventually kept_is a exited
	[ "$(cordon logs a)" = moved ]
	says 125 "cordon: step volumes: /a/b: *a link at that place which leads nowhere inside, or into /proc or /dev*" cordon start a
	cordon rm a
	# The control: left alone it is shown again.
	kept_start b "${image[@]}" --set '+volumes=[./vol:/a/b:rw]' -- sh -c '[ ! -e /done ] || exit 7; touch /done'
	eventually kept_is b exited
	gives 0 b cordon start b
	gives 0 7 cordon wait b
	cordon rm b
}

# bats test_tags=root
@test "layer: of run --name as well; of a directory's root what was changed and removed; a transient run has none" {
	make_rootfs tree
	chown -R 61235:61235 tree
	tree_state tree >before
	gives 0 1 cordon run --name b "${image[@]}" -- sh -c 'echo x >>/starts; grep -c x /starts'
	gives 0 b cordon start b
	gives 0 0 cordon wait b
	gives 0 2 cordon logs b
	cordon create --name c "${image[@]}" --set "rootfs.from=dir:$PWD/tree" -- \
		sh -c 'ls -d /home /new; rm -rf /home; mkdir -p /new; echo x >>/new/f; cat /new/f'
	gives 0 c cordon start c
	gives 0 0 cordon wait c
	gives 0 c cordon start c
	gives 0 0 cordon wait c
	says 0 "*/home*x*/new*x*x*" cordon logs c
	diff before <(tree_state tree)
	run -0 cordon run -q "${image[@]}" -- sh -c 'ls /starts 2>/dev/null; true'
	[ -z "$output" ]
	[ "$(find "$CORDON_ROOT/state" -name layer | wc -l)" -eq 2 ]
}

# bats test_tags=root
@test "layer: is limited, and is full again after the next start" {
	cordon create --name a "${image[@]}" --set rootfs.writable.size=8MiB --set rootfs.writable.inodes=512 -- \
		dd if=/dev/zero of=/big bs=64k count=200 status=none
	for _ in 1 2; do
		gives 0 a cordon start a
		gives 0 1 cordon wait a
		says 0 "*No space left on device*" cordon logs a
		cordon inspect a | jq -e '.. | .limit? // empty | select(. == "rootfs.writable.size")'
	done
	[ "$(stat -c %s "$(layer_of a)")" -eq $((12 << 20)) ]
	says 125 "*one that is kept has a rootfs.writable.size of 8 MiB or more*" \
		cordon create --name b "${image[@]}" --set rootfs.writable.size=4MiB --set rootfs.writable.inodes=64 -- true
}

allocated() { # NAME
	echo $(($(stat -c %b "$(layer_of "$1")") * 512))
}

# bats test_tags=root
@test "layer: a preallocated one has its space, whatever is removed in it; without it, that is given back" {
	local fills='dd if=/dev/urandom of=/big bs=1M count=8 conv=fsync status=none; rm /big; sync; echo x >>/starts; grep -c x /starts'
	cordon create --name a --storage-opt size=16m -- sh -c "$fills"
	cordon create --name b --storage-opt size=16m --storage-opt preallocate=true -- sh -c "$fills"
	for _ in 1 2; do
		gives 0 a cordon start a
		gives 0 b cordon start b
		gives 0 0 cordon wait a
		gives 0 0 cordon wait b
	done
	counted b 2
	[ "$(allocated a)" -lt $((8 << 20)) ]
	[ "$(allocated b)" -ge $((20 << 20)) ]
}

# What a loss of power leaves: a file system that was not unmounted, and whose journal is to be replayed.
# bats test_tags=root
@test "layer: after a loss of power the journal is replayed before it is mounted; what is damaged is not mounted" {
	kept_start a "${image[@]}" -- sh -c 'echo x >>/starts; sync; grep -c x /starts; exec sleep 600'
	eventually counted a 1
	# As the disk has it now, while it is mounted.
	cp --sparse=always "$(layer_of a)" as_it_was
	/usr/sbin/dumpe2fs -h as_it_was 2>/dev/null | grep -q needs_recovery
	gives 0 a cordon stop -t 0 a
	cat as_it_was >"$(layer_of a)"
	gives 0 a cordon start a
	eventually counted a 2
	gives 0 a cordon stop -t 0 a
	# The control: a superblock and tables of noise.
	dd if=/dev/urandom of="$(layer_of a)" bs=4096 seek=1 count=400 conv=notrunc status=none
	says 125 "*the sandbox's layer is damaged (e2fsck: *cordon rm*" cordon start a
	[ -z "$(own_loops)" ]
}

# bats test_tags=root
@test "layer: what is not the file that cordon made is refused" {
	local layer
	cordon create --name a "${image[@]}" -- true
	layer=$(dirname "$(layer_of a)")/layer
	ln -s /etc/passwd "$layer"
	says 125 "*the sandbox's layer: *" cordon start a
	rm "$layer"
	mkfifo "$layer"
	says 125 "*is not the file that cordon made*" cordon start a
	rm "$layer"
	truncate -s 20M "$layer"
	says 125 "*is not the file that cordon made*" cordon start a
	rm "$layer"
	gives 0 a cordon start a
	gives 0 0 cordon wait a
	truncate -s +4096 "$layer"
	says 125 "*is larger than its size*" cordon start a
	truncate -s -4096 "$layer"
	ln "$layer" "$layer.2"
	says 125 "*is not the file that cordon made*" cordon start a
	rm "$layer.2"
	gives 0 a cordon start a
}

room() { # NAME: MiB of its root
	cordon exec "$1" sh -c 'df -Pm / | tail -n 1' | awk '{ print $2 }'
}

# bats test_tags=root,vm
@test "layer: update makes it larger at its next start, with what is in it, and never smaller" {
	kept_start a "${image[@]}" --set rootfs.writable.size=32MiB --set rootfs.writable.inodes=1000 -- sh -c \
		'[ -e /big ] || head -c 8M /dev/urandom >/big; sha256sum </big; exec sleep 600'
	eventually counted_lines a 1
	[ "$(room a)" -le 32 ]
	says 125 "*sandbox a: its root does not grow while it runs*cordon stop*" cordon update --storage-opt size=64m a
	gives 0 a cordon stop -t 0 a
	says 125 "*its root has 32 MiB already, and cannot be made smaller*" cordon update --storage-opt size=31m a
	says 125 "*preallocate=true cannot be changed later*" cordon update --storage-opt preallocate=true a
	says 125 "*less is left than it may take*" cordon update --storage-opt size=900000g a
	gives 0 a cordon update --storage-opt size=400m a
	[ "$(stat -c %s "$(layer_of a)")" = $((36 << 20)) ]
	gives 0 a cordon start a
	eventually counted_lines a 2
	[ "$(cordon logs a | sort -u | wc -l)" = 1 ]
	[ "$(room a)" -gt 350 ] && [ "$(room a)" -le 400 ]
	gives 0 "" cordon exec a sh -c 'head -c 40M /dev/zero >/more && sync'
	# It stays so, and what it was made of is gone.
	gives 0 a cordon restart -t 0 a
	[ "$(room a)" -gt 350 ]
	[ "$(find "$CORDON_ROOT/state/sandboxes" -name 'layer*' | wc -l)" = 1 ]
	gives 0 a cordon rm -f a
	[ -z "$(find "$CORDON_ROOT/state/sandboxes" -name 'layer*')" ]
}

# Two mounts of one file system would destroy it.
# bats test_tags=root
@test "layer: a file that a loop device still has is not mounted a second time" {
	need losetup flock
	cordon create --name a "${image[@]}" -- true
	gives 0 a cordon start a
	gives 0 0 cordon wait a
	exec 7<>"$(layer_of a)"
	flock -x 7
	cordon start a >out 2>&1 7>&- &
	sleep 1
	[ -z "$(own_loops)" ]
	exec 7>&-
	wait $!
	gives 0 0 cordon wait a
	# And the lock is the device's own: it holds although nobody else has the file open.
	kept_start b "${image[@]}" -- sleep 600
	run -1 flock -n "$(layer_of b)" true
}

# bats test_tags=root
@test "layer: what the workload puts in the place of the root's own files leads nowhere" {
	echo secret >"$CORDON_ROOT.secret"
	cordon create --name a "${image[@]}" -- sh -c '[ ! -e /old ] || exec id -un
		mv /etc /old; mkdir /etc; ln -s "$0" /etc/group; mkfifo /etc/passwd' "$CORDON_ROOT.secret"
	gives 0 a cordon start a
	gives 0 0 cordon wait a
	gives 0 a cordon start a
	gives 0 0 cordon wait a
	# Files that follow from the policy are made anew.
	gives 0 sandbox cordon logs a
	[ "$(cat "$CORDON_ROOT.secret")" = secret ]
	# A link where /etc was: the start is refused, and nothing outside is touched.
	cordon create --name b "${image[@]}" -- sh -c 'mv /etc /old; ln -s /tmp /etc'
	gives 0 b cordon start b
	gives 0 0 cordon wait b
	says 125 "*step etc: *Not a directory*The sandbox itself may have put something else there*" cordon start b
}

# bats test_tags=root
@test "layer: create says nothing of it; of memory it says what becomes of it" {
	run -0 --separate-stderr cordon create --name a "${image[@]}" -- true
	[ -z "$stderr" ]
	run -0 --separate-stderr cordon create --name b --set rootfs.writable.store=tmpfs -- true
	[[ "$stderr" == "cordon: what is written to its root is memory, and gone when it stops; to keep it: --storage-opt size=1g" ]]
}

# bats test_tags=root
@test "layer: kill -9 of the keeper in front of any row: what was written is there, and the next start works" {
	local row n=1 rows
	need losetup
	# cordon.bash reads it.
	# shellcheck disable=SC2034
	CORDON=$FAULTY
	cordon create --name a "${image[@]}" -- sh -c "$counts"
	rows=$(cordon explain "${image[@]}" -- true | awk '/^  \+ / { print $2 }')
	[[ $'\n'$rows$'\n' == *$'\n'root_store$'\n'* ]]
	gives 0 a cordon start a
	eventually counted a 1
	gives 0 a cordon stop -t 0 a
	for row in root_store uid_map root volumes seal pivot keeper_privileges; do
		CORDON_FAULT=$row:kill-keeper run -125 cordon start a
		cordon gc >/dev/null
		n=$((n + 1))
		gives 0 a cordon start a
		eventually counted a "$n" || { echo "after $row: $(cordon logs a)"; return 1; }
		gives 0 a cordon stop -t 0 a
	done
	eventually no_loops
}

# bats test_tags=user
@test "layer: a user has none, and is told so" {
	says 125 "*rootfs.writable.store: image: only root may mount one*" cordon create --name a "${image[@]}" -- true
	run -0 --separate-stderr cordon create --name a --set rootfs.writable.store=auto -- true
	[[ "$stderr" == "cordon: what is written to its root is memory, and gone when it stops; "* ]]
}
