#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The store after kill -9 at each of its steps, beside other commands, and after damage. The program is that of
# VARIANT=fault, which ends itself at CORDON_FAULT=store.STEP:kill.

bats_require_minimum_version 1.5.0 # run -CODE
load ../lib/cordon
load ../lib/attack
load ../lib/images
load ../lib/kept

# cordon.bash reads it.
# shellcheck disable=SC2034
CORDON=$repo/build/fault/cordon

setup() {
	images_setup
	make_tar old.tar file:old:data=1
	make_tar new.tar file:new:data=2
}

is_making() {
	[ -n "$(ls "$(store)/making")" ]
}

is_held() { # DIR
	! flock --exclusive --nonblock "$1" true
}

# Every step that the sources have.
steps() {
	# Those of projects are volumes' and roots': tests/vm/project_*.bats kill there.
	grep -ho 'store_step("[a-z-]*")' "$repo"/storage/*.c "$repo"/libexec/image/*.c | cut -d '"' -f 2 | grep -v '^project-' | sort -u
}

killed_at() { # STEP COMMAND...
	CORDON_FAULT=store.$1:kill run -137 "${@:2}"
}

@test "crash: killed at each step of an import, what was there stays, and the rest goes with the next command" {
	local step id
	gives 0 "*" image import old.tar old
	id=$(image inspect --json old | jq -r .id)
	for step in $(steps | grep -v swept); do
		killed_at "$step" image import new.tar new || { echo "$step"; return 1; }
		gives 0 "*old:latest*" image ls
		whole
		[ "$(image inspect --json old | jq -r .id)" = "$id" ]
		[ "$(cat "$(tree old)/old")" = 1 ]
		# It is there whole, or not at all.
		run image inspect --json new
		[ "$status" -eq 125 ] || [ "$(cat "$(tree new)/new")" = 2 ]
		gives 0 "*" image prune
		[ "$step" != named ] || gives 0 "new:latest" image rm new
		[ "$(n_layers)" = 1 ]
	done
	gives 0 "new:latest *" image import new.tar new
}

@test "crash: killed while a name moves to another image, it stands for one of the two" {
	local step
	for step in $(steps | grep -v swept); do
		gives 0 "*" image import old.tar x
		killed_at "$step" image import new.tar x
		gives 0 "*x:latest*" image ls
		whole
		[ "$(cat "$(tree x)"/*)" = 1 ] || [ "$(cat "$(tree x)"/*)" = 2 ]
	done
}

@test "crash: killed while it removes, nothing that a name leads to is gone" {
	gives 0 "*" image import old.tar old
	gives 0 "*" image import new.tar new
	killed_at swept image rm new
	gives 0 "*old:latest*" image ls
	[[ "$output" != *new* ]]
	gives 0 "*" image prune
	whole
	[ "$(n_layers)" = 1 ]
	[ "$(cat "$(tree old)/old")" = 1 ]
}

# The helper is killed: cordon says so.
@test "crash: killed at each step of a commit, no half layer and no name is left, and the sandbox goes on" {
	local step pause=()
	# Here a user has no group that can be frozen.
	[ "$(id -u)" -eq 0 ] || pause=(--pause=false)
	gives 0 "*" image import new.tar other
	made_of x
	kept_start box x sh -c 'echo 1 >/f; exec sleep 100'
	eventually cordon exec box cat /f
	for step in $(steps | grep -v -e swept -e volume); do
		CORDON_FAULT=store.$step:kill gives 125 "*cordon-image was ended by signal 9*" cordon commit "${pause[@]}" box y
		kept_is box running
		gives 0 "*" cordon gc
		[ -z "$(ls "$(store)/making")" ]
		run image inspect --json y
		[ "$status" -eq 125 ] || gives 0 1 cordon run -q --rm y cat /f
		[ "$status" -eq 125 ] || gives 0 "*" image rm y
		gives 0 "*" image prune
		[ "$(n_layers)" = 2 ]
	done
	gives 0 "sha256:*" cordon commit "${pause[@]}" box y
	gives 0 box cordon rm -f box
	kept_end
}

# bats test_tags=root
@test "crash: killed before a layer that was made larger takes its place, the next start makes it larger" {
	need losetup
	made_of x
	kept_start box --storage-opt size=64m x sh -c '[ -e /f ] || echo 1 >/f; exec sleep 100'
	eventually cordon exec box cat /f
	gives 0 box cordon stop -t 0 box
	gives 0 box cordon update --storage-opt size=128m box
	CORDON_FAULT=store.layer-grown:kill run -125 cordon start box
	[ "$(find "$CORDON_ROOT/state/sandboxes" -name layer.new | wc -l)" = 1 ]
	[ "$(stat -c %s "$CORDON_ROOT"/state/sandboxes/*/layer)" = $((68 << 20)) ]
	gives 0 box cordon start box
	gives 0 1 cordon exec box cat /f
	[ "$(stat -c %s "$CORDON_ROOT"/state/sandboxes/*/layer)" = $((132 << 20)) ]
	[ -z "$(find "$CORDON_ROOT/state/sandboxes" -name layer.new)" ]
	gives 0 box cordon rm -f box
	kept_end
}

@test "crash: cordon gc removes what was left, and says so" {
	killed_at layer-unpacked image import new.tar new
	[ -n "$(ls "$(store)/making")" ]
	gives 0 "*1 half-made images removed*" cordon gc
	[ -z "$(ls "$(store)/making")" ]
	gives 0 "0 dead runs removed, 0 id blocks freed, 0 runs alive" cordon gc
}

@test "store: two imports of the same at once, and one beside a removal" {
	local a b
	image import new.tar a >a.out 2>&1 &
	a=$!
	image import new.tar b >b.out 2>&1 &
	b=$!
	wait "$a"
	wait "$b"
	[ "$(n_layers)" = 1 ]
	whole
}

@test "store: while somebody adds an image, a removal leaves layers alone and says so" {
	local pid rc=0
	gives 0 "*" image import new.tar new
	mkfifo pipe
	sleep 100 >pipe 3>&- &
	pid=$!
	image import pipe slow >slow.out 2>&1 3>&- &
	local importer=$!
	eventually is_making
	gives 0 "*another command is adding images*" image rm new
	[ "$(n_layers)" = 1 ]
	kill "$pid"
	wait "$importer" || rc=$?
	[ "$rc" = 125 ]
	gives 0 "1 images and 1 layers removed" image prune
	[ "$(n_layers)" = 0 ]
}

@test "store: a layer that is held stays" {
	need flock
	gives 0 "*" image import new.tar new
	flock --no-fork --shared "$(dirname "$(tree new)")" sleep 100 3>&- &
	local pid=$! rc=0
	eventually is_held "$(dirname "$(tree new)")"
	gives 0 "*1 layers are in use*" image rm new
	[ "$(n_layers)" = 1 ]
	kill "$pid"
	wait "$pid" || rc=$?
	[ "$rc" = 143 ]
	gives 0 "0 images and 1 layers removed" image prune
}

@test "store: one of another format, of another owner, or open to others is refused" {
	gives 0 "*" image import new.tar new
	chmod 755 "$(store)"
	gives 125 "*belongs to uid * with mode 755, not to you alone*" image ls
	chmod 700 "$(store)"
	echo "cordon-images 2" >"$(store)/format"
	gives 125 "*its format is 'cordon-images 2'*" image ls
	gives 125 "*its format is 'cordon-images 2'*" image import new.tar new
	echo "cordon-images 1" >"$(store)/format"
	gives 0 "*new:latest*" image ls
	mv "$(store)" elsewhere
	ln -s "$PWD/elsewhere" "$(store)"
	gives 125 "cordon: *open the directory*" image ls
}

@test "store: a record that cordon did not write is refused" {
	local id
	gives 0 "*" image import new.tar new
	id=$(image inspect --json new | jq -r .id)
	sed -i 's/^layer .*/layer ..\/..\/x/' "$(store)/images/$id"
	gives 125 "*$id: not a record of an image that cordon wrote" image inspect new
	gives 125 "*not a record*" image prune
	[ "$(n_layers)" = 1 ]
	echo "sha256:../../x" >"$(store)/refs/new:latest"
	gives 125 "*refs/new:latest: not what cordon wrote" image ls
}
