#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Volumes in a sandbox: in all of Docker's forms, what they get from an image, and how long they live.

bats_require_minimum_version 1.5.0 # run -CODE
load ../lib/cordon
load ../lib/images

FAULTY=$repo/build/fault/cordon

setup() {
	images_setup
}

teardown() {
	local id
	for id in $(cordon ps -aq 2>/dev/null); do
		cordon rm -f -v "$id" >/dev/null
	done
	cordon_teardown
}

volumes() { echo "$CORDON_ROOT/state/volumes"; }

host() { # SCRIPT FLAG...
	cordon run -q "${@:2}" -- sh -c "$1"
}

@test "volume: made on first use, read by the next sandbox, read-only where that is said, several at once" {
	gives 0 "" host 'echo one >/data/file' -v data:/data
	gives 0 "one" host 'cat /srv/deep/file' -v data:/srv/deep:ro
	gives 2 "*Read-only file system*" host 'echo two >/data/file' -v data:/data:ro
	gives 0 "one" host 'cat /a/file; echo b >/b/file' -v data:/a -v other:/b
	gives 0 "one b" host 'echo $(cat /a/file /b/file)' --mount source=data,target=/a,readonly \
		--mount type=volume,src=other,dst=/b
	gives 0 "one one" host 'echo $(cat /a/file /b/file)' -v data:/a -v data:/b:ro
	# In a profile, in Compose's short and long form.
	cat >volumes.yaml <<-'END'
		cordon: 1
		extends: default
		volumes:
		  - data:/a:ro
		  - {type: volume, source: other, target: /b, read_only: true}
		  - /c
	END
	gives 0 "one b" host 'echo $(cat /a/file /b/file); : >/c/made' --profile ./volumes.yaml
	gives 0 "*volume      /a  *read-only, volume data*volume      /c  *writable, a volume of its own*" \
		cordon explain --profile ./volumes.yaml -- true
	# What a plain run was given without a name goes with it.
	[ "$(cordon volume ls -q | xargs)" = "data other" ]
	# Nothing of it can be a device, or give anybody rights.
	gives 0 "*/data rw,nosuid,nodev,*" host 'grep " /data " /proc/self/mountinfo | cut -d " " -f 5-' -v data:/data
	gives 1 "*Operation not permitted*" host 'cp /bin/true /data/true && chmod u+s /data/true' -v data:/data
}

@test "volume: a directory and a single file of the host, and what is no source" {
	mkdir dir && echo text >dir/file && echo alone >single
	[ "$EUID" -ne 0 ] || chown -R 47023:47023 dir single
	chmod 0755 . dir
	gives 0 "text alone" host 'echo $(cat /d/file /etc/f); echo new >/d/new' -v "$PWD/dir:/d" -v ./single:/etc/f:ro
	[ "$(cat dir/new)" = new ]
	gives 0 "text" host 'cat /d/file' --mount "type=bind,source=$PWD/dir,target=/d,readonly"
	gives 125 "cordon: $PWD/none: No such file or directory*Make it first*" host true -v "$PWD/none:/d"
	# The state that says what everybody's volumes are is never shown.
	gives 0 "" host true -v data:/data
	gives 125 "*cordon's own state*" host true -v "$CORDON_ROOT/state/volumes/data:/d:ro"
	gives 125 "*cordon's own state*" host true -v "$BATS_TEST_TMPDIR:/d:ro"
	local text flag
	while read -r text flag; do
		# Words on purpose.
		# shellcheck disable=SC2086
		gives 125 "*$text*" host true $flag
	done <<-'END'
		'..':*called*that --mount source=..,target=/d
		'a':*called*that -v a:/d
		cannot*be*a*target -v data:/proc/x
		cannot*be*a*target -v data:/dev
		cannot*be*a*target -v data:/
		cannot*be*a*target -v data:d
		is*no*volume -v :/d
		is*no*volume -v data:
		no*option*'z' -v data:/d:z
		a*mount*has*no*'consistency' --mount type=bind,source=/x,target=/d,consistency=cached
		volume-driver*cannot*be*'nfs' --mount source=data,target=/d,volume-driver=nfs
		is*mounted*twice -v data:/d -v other:/d
		a*tmpfs*has*no*'source' --mount type=tmpfs,source=a,target=/d
	END
}

# bats test_tags=root
@test "volume: an empty one gets what the image has there, as it is there; a full one keeps what it has" {
	config='{"Volumes":{"/own":{}}}' made_of x "dir:data:uid=33:gid=44:mode=2750 file:data/f:data=image:mode=640:uid=33:xattr.user.k=v \
		dir:data/deep:mode=700 file:data/deep/g:mode=400 link:data/l:to=/etc/passwd fifo:data/p \
		dir:own:mode=1777 file:own/o:data=own"
	gives 0 "image-rw-r----- 33 0 f
prw-r--r-- 0 0 p
2750 33 44
/etc/passwd own" cordon run -q -u 33:44 -v data:/data x sh -c 'cat /data/f; cd /data; for f in f p; do stat -c "%A %u %g $f" $f; done
		stat -c "%a %u %g" .; echo $(readlink l) $(cat /own/o); echo more >>f'
	[ "$(attribute "$(volumes)/data/data/f" user.k)" = v ]
	[ "$(stat -c '%u %a' "$(volumes)/data/data/f")" = "$(owner_of 33) 640" ]
	[ ! -e "$(volumes)/data/filling" ]
	gives 0 "imagemore" cordon run -q -u 33:44 -v data:/data x sh -c 'echo $(cat /data/f)'
	gives 0 "" cordon run -q -v bare:/data:nocopy x ls -A /data
	gives 0 "f" cordon run -q -u 33:44 -v ro:/data:ro x sh -c 'cd /data && ls f'
	# Somebody says what else to show there: the image's volume is that one.
	gives 0 "f" cordon run -q -u 33:44 -v data:/own x sh -c 'cd /own && ls f'
	# Where the image has nothing it is the user's.
	gives 0 "33" cordon run -q -u 33:44 -v new:/new/place x sh -c 'cd /new/place && : >mine && stat -c %u .'
	[ "$(cordon volume ls -q | sort | xargs)" = "bare data new ro" ]
}

# bats test_tags=user
@test "volume: of a user it has the user's files alone, without setuid bits" {
	config='{"Volumes":{"/own":{}}}' made_of x "dir:data:uid=33:mode=2750 file:data/f:data=image:mode=4755 dir:own file:own/o:data=own"
	gives 0 "image own 0 0" cordon run -q -v data:/data x sh -c 'echo $(cat /data/f; echo; cat /own/o; echo; stat -c %u /data /data/f)'
	[ -z "$(find "$(volumes)/data/data" ! -uid "$EUID" -o -perm /6000)" ]
	gives 0 "image" cordon run -q -v data:/data x cat /data/f
}

# bats test_tags=root
@test "volume: sandboxes with ids of their own see the same owners" {
	made_of x "dir:data:uid=33 file:data/f:data=1:uid=7"
	cordon run -d -q --name a -v data:/data x sleep 100 >/dev/null
	cordon run -d -q --name b -v data:/data x sleep 100 >/dev/null
	gives 0 "7 33" cordon exec a sh -c 'echo $(stat -c %u /data/f /data)'
	gives 0 "7 33" cordon exec b sh -c 'echo $(stat -c %u /data/f /data)'
	cordon exec -u 33:44 a sh -c 'echo from-a >/data/new'
	gives 0 "from-a" cordon exec b cat /data/new
	gives 125 "*volume data: is in use, by sandbox *" cordon volume rm data
	cordon rm -f a b >/dev/null
	gives 0 "data" cordon volume rm data
}

@test "volume: rm keeps them, rm -v and --rm take the anonymous ones; one that a record names stays" {
	config='{"Volumes":{"/own":{}}}' made_of x "dir:own"
	cordon create -q --name kept -v data:/data -v /more x true >/dev/null
	[ "$(cordon volume ls -q | wc -l)" = 3 ]
	cordon inspect kept | jq -e '.[0].volumes | length == 3 and (map(select(.target == "/data"))[0] |
		.name == "data" and .type == "volume" and (.read_only | not) and (.source | endswith("/volumes/data/data")))'
	gives 0 '*"type":"volume","name":"data"*' cordon inspect -f '{{json .Mounts}}' kept
	gives 125 "*volume data: is in use, by sandbox $(cordon inspect -f '{{.id}}' kept)*" cordon volume rm data
	gives 0 "" cordon volume prune -a -f
	# What is written to an anonymous one is there at the next start.
	cordon create -q --name writes -v /more x sh -c 'echo line >>/more/f; cat /more/f' >/dev/null
	cordon start -a writes >first && cordon start -a writes >second
	[ "$(cat first second | wc -l)" = 3 ]
	gives 0 "writes" cordon rm -v writes
	gives 0 "kept" cordon rm kept
	[ "$(cordon volume ls -q | wc -l)" = 3 ]
	cordon run -q --rm --name gone -v /more -v data:/data x sh -c ': >/more/f; : >/data/f'
	cordon run -q -v /more x true
	[ "$(cordon volume ls -q | wc -l)" = 3 ]
	[ -e "$(volumes)/data/data/f" ]
	says_n=$(cordon volume prune -f | wc -l)
	[ "$says_n" = 2 ]
	gives 0 "data" cordon volume ls -q
}

# It has opened the volume, and is at its lock.
has_come_to() { # NAME
	[ -n "$(find "/proc/$client/fd" -lname "*/volumes/$1")" ]
}

has_ended() {
	! grep -qs '^State:[[:space:]]*[^Z]' "/proc/$client/status"
}

# Runs that with the volume aa locked by somebody else. Sets client, and lock.
begins() { # ARG...
	cordon volume create aa >/dev/null
	exec {lock}<"$(volumes)/aa"
	flock -x "$lock"
	"$CORDON" --root "$CORDON_ROOT" run -q "$@" >said 2>&1 {lock}<&- 3>&- &
	client=$!
	eventually has_come_to aa
}

# Each fills one and waits for the other one, without an end.
@test "volume: two sandboxes that begin with the same new ones fill them in one order" {
	local lock client i
	made_of x "dir:one file:one/f:data=1 dir:two file:two/f:data=2"
	begins -v bb:/one -v aa:/two x cat /one/f /two/f
	# By their names, not by the places where they are shown.
	[ ! -e "$(volumes)/bb" ]
	exec {lock}<&-
	wait "$client"
	[ "$(cat said)" = 12 ]
	for i in 1 2 3 4; do
		timeout -s KILL 60 "$CORDON" --root "$CORDON_ROOT" run -q -v "c$i:/one" -v "d$i:/two" x true 3>&- &
		client=$!
		timeout -s KILL 60 "$CORDON" --root "$CORDON_ROOT" run -q -v "d$i:/one" -v "c$i:/two" x true 3>&-
		wait "$client"
	done
}

@test "volume: who waits for one that another copies can be ended, and leaves nothing" {
	local lock client signo code
	made_of x "dir:one"
	for signo in TERM HUP; do
		begins -v aa:/one x true
		kill "-$signo" "$client"
		eventually has_ended
		code=0
		wait "$client" || code=$?
		[ "$code" -ge 125 ]
		[ -z "$(ls "$CORDON_ROOT/run/runs")" ]
		exec {lock}<&-
	done
	# The control: it goes on when it has it.
	begins -v aa:/one x echo went on
	exec {lock}<&-
	wait "$client"
	[ "$(cat said)" = "went on" ]
}

@test "volume: killed while it is filled, it is filled anew; a run that was killed leaves none" {
	local row
	made_of x "dir:data file:data/a:data=1 file:data/b:data=2"
	for row in named_volumes filled_volumes keeper_privileges; do
		CORDON=$FAULTY CORDON_FAULT=$row:kill-keeper run -137 cordon run -q -v data:/data -v /anon x true
		if [ "$row" = filled_volumes ]; then
			[ -e "$(volumes)/data/filling" ]
			# Whatever was left of it.
			rm "$(volumes)/data/data/a" && : >"$(volumes)/data/data/half"
		fi
		cordon gc >/dev/null
		[ "$(cordon volume ls -q | wc -l)" -eq "$(cordon volume ls -q -f name=data | wc -l)" ]
		gives 0 "a b" cordon run -q -v data:/data x sh -c 'echo $(ls /data)'
		[ ! -e "$(volumes)/data/filling" ]
		cordon volume rm data >/dev/null
	done
}

@test "volume: what an image and a workload may plant at its place and in it does no harm" {
	made_of x "link:data:to=/etc link:proc-link:to=/proc link:out:to=../../../../etc file:file:data=1"
	# A link is followed inside, and only there.
	gives 0 "mine" cordon run -q -v data:/data:nocopy x sh -c 'echo mine >/etc/planted; cat /data/planted'
	[ ! -e /etc/planted ]
	gives 125 "*/proc-link*a link at that place*" cordon run -q -v data:/proc-link x true
	gives 125 "*/proc-link/self*" cordon run -q -v data:/proc-link/self x true
	gives 0 "" cordon run -q -v fresh:/out:nocopy x ls /out
	gives 125 "*/file*" cordon run -q -v data:/file x true
	# Devices are not made, and nothing that lies there is one.
	gives 1 "*Operation not permitted*" cordon run -q -v data:/data:nocopy x busybox mknod /data/null c 1 3
	gives 0 "" cordon run -q -v data:/data:nocopy x busybox mkfifo /data/fifo
	[ -z "$(find "$(volumes)/data" -type c -o -type b -o -perm /6000)" ]
}
