#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# read_only_below and hide_below: what a bind protects, against a workload that owns everything else
# in it, and against other sandboxes on the same directory.

load ../lib/cordon
load ../lib/attack

# A project of the caller's own; as root it is an ordinary account's.
project() {
	mkdir -p p/.git/hooks p/private
	echo config >p/.git/config
	echo secret >p/.env
	echo secret >p/private/key
	echo hook >p/.git/hooks/pre-commit
	own p
}

own() {
	! is_root || chown -R 12345:12345 "$@"
}

# The project as /src, writable unless the text says otherwise. Sets shown.
bind() { # KEYS
	shown=(--set "+volumes=[{source: $PWD/p, target: /src, read_only: false, $1}]")
}

run_in() { # SCRIPT
	cordon run "${shown[@]}" -- sh -c "cd /src; $1"
}

# One system call is refused with that errno.
refuses() { # ERRNO CALL...
	gives 42 "$1" cordon run "${shown[@]}" -- "$ATTACK/call" "${@:2}"
}

host() { # PATH...
	(cd p && stat -c '%n %F' "$@")
}

# bats test_tags=vm
@test "read_only_below: an existing directory and file cannot be changed, all around them can" {
	project
	bind 'read_only_below: [.git, .env]'
	gives 0 secret run_in 'cat .env'
	refuses EROFS truncate text:/src/.env 0
	refuses EROFS unlink text:/src/.git/config
	refuses EROFS mkdir text:/src/.git/new 0755
	refuses EBUSY unlink text:/src/.env
	refuses EBUSY rmdir text:/src/.git
	refuses EBUSY rename text:/src/.env text:/src/x
	refuses EBUSY rename text:/src/private/key text:/src/.env
	gives 0 "" run_in 'echo x >new; mkdir dir; rm private/key'
	[ "$(cat p/.env p/.git/config)" = $'secret\nconfig' ]
	[ -e p/new ]
	# The control: without the key each of them is the workload's.
	bind 'hide_below: []'
	gives 0 "" run_in 'rm -r .git; echo mine >.env; mv .env x; mv x .env'
	[ "$(cat p/.env)" = mine ]
	[ ! -e p/.git ]
}

# bats test_tags=vm
@test "hide_below: neither the content of a file nor what is in a directory shows" {
	project
	bind 'hide_below: [.env, private]'
	says 1 "*.env: Permission denied" run_in 'cat .env'
	gives 0 "" run_in 'ls -A private'
	refuses EACCES open text:/src/.env 0 0
	refuses ENOENT truncate text:/src/private/key 0
	refuses EROFS mkdir text:/src/private/new 0755
	refuses EBUSY rename text:/src/private text:/src/x
	refuses EBUSY unlink text:/src/.env
	[ "$(cat p/.env p/private/key)" = $'secret\nsecret' ]
	# Also where the whole bind is read-only.
	bind 'read_only: true, hide_below: [.env, none]'
	shown=("${shown[0]}" "${shown[1]/read_only: false, /}")
	says 1 "*.env: Permission denied" run_in 'cat .env'
	says 0 "*as it is*/src/none*hide_below: not there, and nothing is made in what is read-only*" \
		cordon explain "${shown[@]}" -- true
	[ ! -e p/none ]
	# The control.
	bind 'hide_below: []'
	gives 0 $'secret\nsecret' run_in 'cat .env private/key'
}

@test "hide_below inside read_only_below" {
	project
	bind 'read_only_below: [.git], hide_below: [.git/config, .git/none]'
	says 1 "*Permission denied" run_in 'cat .git/config'
	gives 0 hook run_in 'cat .git/hooks/pre-commit'
	refuses EROFS mkdir text:/src/.git/none 0755
	[ "$(host .git/config)" = ".git/config regular file" ]
	[ ! -e p/.git/none ]
}

# The attack on a nested path: the parent is moved away, and another one made in its place.
plant='mv .git g && mkdir -p .git/hooks && echo planted >.git/hooks/pre-commit'

@test "a directory that leads to a protected path cannot be renamed: no hook is planted" {
	project
	bind 'read_only_below: [.git/hooks]'
	says 1 "*Device or resource busy" run_in "$plant"
	refuses EBUSY rename text:/src/.git text:/src/g
	refuses EBUSY rmdir text:/src/.git
	[ "$(cat p/.git/hooks/pre-commit)" = hook ]
	# The way there stays writable.
	gives 0 "" run_in 'echo x >.git/index; mv .git/index .git/index2'
	# The control: without the key the hook is there, on the host.
	bind 'read_only_below: []'
	gives 0 "" run_in "$plant"
	[ "$(cat p/.git/hooks/pre-commit)" = planted ]
}

# bats test_tags=vm
@test "what does not exist cannot be made, and nothing stays on the host" {
	local before
	mkdir p
	own p
	before=$(tree_state p | sed 's/ [^ ]* [^ ]*$//')
	bind 'read_only_below: [.git/hooks], hide_below: [.env, a/b/c]'
	refuses EROFS mkdir text:/src/.git/hooks 0755
	refuses EROFS mkdir text:/src/.env/x 0755
	refuses EEXIST mkdir text:/src/.git 0755
	refuses EBUSY rmdir text:/src/.git
	refuses EBUSY rmdir text:/src/.env
	refuses EBUSY rename text:/src/a text:/src/x
	gives 0 "empty" run_in '[ -z "$(ls -A .git .env a | grep -v : )" ] && echo empty'
	gives 0 $'.env directory\n.git directory\na directory' \
		run_in 'stat -c "%n %F" .env .git a'
	[ "$(tree_state p | sed 's/ [^ ]* [^ ]*$//')" = "$before" ]
	# The control.
	bind 'hide_below: []'
	gives 0 "" run_in 'mkdir -p .git/hooks .env a/b/c'
	[ -d p/.git/hooks ]
}

@test "a placeholder in a directory on the way keeps that directory in its place" {
	mkdir -p p/a
	own p
	bind 'read_only_below: [a/b]'
	says 1 "*Device or resource busy" run_in 'mv a x && mkdir -p a/b'
	gives 0 "" run_in 'touch a/other'
	[ "$(ls -A p/a)" = other ]
}

@test "a placeholder is marked, and its owner's" {
	mkdir p
	own p
	bind 'read_only_below: [.git]'
	start one
	[ "$(stat -c '%a %u %F' p/.git)" = "1400 $(stat -c %u p) directory" ]
	finish one "$pid"
	[ ! -e p/.git ]
}

# A sandbox on the project that stays until its file is gone. Sets pid.
start() { # NAME
	touch "p/$1"
	own "p/$1"
	"$CORDON" --root "$CORDON_ROOT" run "${shown[@]}" -- sh -c "cd /src; touch $1.up
		while [ -e $1 ]; do sleep 0.05; done
		mkdir .git/hooks 2>$1.err || mkdir .git 2>>$1.err
		echo done >$1.done" >/dev/null 2>&1 3>&- &
	pid=$!
	eventually test -e "p/$1.up"
}

finish() { # NAME PID
	rm "p/$1"
	wait "$2"
	grep -q "Read-only file system" "p/$1.err"
	[ -e "p/$1.done" ]
}

@test "two sandboxes on one placeholder: the first to end leaves it to the other" {
	local one two
	mkdir p
	own p
	bind 'read_only_below: [.git]'
	start one
	one=$pid
	start two
	two=$pid
	finish one "$one"
	# Still there, and still covered in the other.
	[ -d p/.git ]
	finish two "$two"
	[ ! -e p/.git ]
}

@test "control: a placeholder that is removed on the host lifts the other sandbox's protection" {
	local one
	mkdir p
	own p
	bind 'read_only_below: [.git]'
	start one
	one=$pid
	rmdir p/.git
	rm p/one
	wait "$one"
	# The workload has made a real one on the host, which is not taken away.
	[ "$(stat -c %a p/.git)" = 755 ]
	[ -e p/one.done ]
}

@test "kill -9 of one of two: gc leaves the placeholder to the other, which removes it" {
	local one two
	mkdir p
	own p
	bind 'read_only_below: [.git]'
	start one
	one=$pid
	start two
	two=$pid
	kill -9 "$one"
	wait "$one" || [ $? -eq 137 ]
	eventually cordon_gc_says "1 dead runs removed"
	[ -d p/.git ]
	finish two "$two"
	[ ! -e p/.git ]
}

cordon_gc_says() {
	[[ "$(cordon gc)" == *"$1"* ]]
}

@test "kill -9 of the only one: gc removes the placeholder" {
	mkdir p
	own p
	bind 'read_only_below: [.git], hide_below: ["new\nline"]'
	start one
	[ "$(find p -mindepth 1 -type d -printf .)" = .. ]
	kill -9 "$pid"
	wait "$pid" || [ $? -eq 137 ]
	[ -d p/.git ]
	eventually cordon_gc_says "1 dead runs removed"
	[ -z "$(find p -mindepth 1 -type d)" ]
}

@test "gc removes no directory that is something else by now" {
	mkdir p
	own p
	bind 'read_only_below: [b, c, d]'
	start one
	kill -9 "$pid"
	wait "$pid" || [ $? -eq 137 ]
	chmod 0700 p/b && touch p/b/file && chmod 1400 p/b
	chmod 0755 p/c
	rmdir p/d && ln -s / p/d
	eventually cordon_gc_says "1 dead runs removed"
	[ "$(find p -mindepth 1 ! -name 'one*' -printf '%P\n' | sort | tr '\n' ' ')" = "b b/file c d " ]
	chmod 0700 p/b
}

@test "a placeholder that a killed run left is found, used and removed by the next" {
	mkdir p
	own p
	bind 'read_only_below: [.git]'
	start one
	kill -9 "$pid"
	wait "$pid" || [ $? -eq 137 ]
	eventually cordon_gc_says "0 runs alive"
	mkdir -m 1400 p/.git
	own p/.git
	refuses EROFS mkdir text:/src/.git/hooks 0755
	[ ! -e p/.git ]
}

@test "links are refused: at the place, and on the way" {
	project
	ln -s .git/hooks p/link
	ln -s .git p/way
	bind 'read_only_below: [link]'
	says 125 "cordon: $PWD/p/link: is a link, and a link cannot be protected (asked for by*
cordon:   hint: Name what it leads to (.git/hooks), where that lies below the source." run_in true
	bind 'hide_below: [way/hooks]'
	says 125 "cordon: $PWD/p/way: is a link*" run_in true
	bind 'hide_below: [.env/x]'
	says 125 "cordon: $PWD/p/.env: Not a directory*" run_in true
	bind 'hide_below: [dangling/x]'
	ln -s nowhere p/dangling
	says 125 "cordon: $PWD/p/dangling: is a link*" run_in true
	bind 'read_only_below: [socket]'
	mkfifo p/socket
	says 125 "cordon: $PWD/p/socket: is neither a file nor a directory*" run_in true
	shown=(--set "+volumes=[{source: $PWD/p/.env, target: /src, hide_below: [x]}]")
	says 125 "cordon: $PWD/p/.env: is not a directory*" run_in true
}

@test "another bind that shows the same is refused, unless it protects it, too" {
	project
	mkdir -p up
	bind 'read_only_below: [.git/hooks], hide_below: [private]'
	says 125 "cordon: $PWD/p: shows $PWD/p/private, which the bind on /src hides*" \
		cordon run "${shown[@]}" --ro p -- true
	says 125 "cordon: $PWD/p/private: shows $PWD/p/private, which the bind on /src hides*" \
		cordon run "${shown[@]}" --ro p/private -- true
	says 125 "cordon: $PWD/p/private/key: shows $PWD/p/private, which *" \
		cordon run "${shown[@]}" --ro p/private/key -- true
	bind 'read_only_below: [.git/hooks]'
	says 125 "cordon: $PWD/p/.git: can write to $PWD/p/.git/hooks, which the bind on /src keeps read-only*" \
		cordon run "${shown[@]}" --rw p/.git -- true
	gives 0 "" cordon run "${shown[@]}" --ro p -- true
	gives 0 "" cordon run "${shown[@]}" --rw p/private -- true
	gives 0 "" cordon run --set "+volumes=[
		{source: $PWD/p, target: /src, read_only: false, read_only_below: [.git/hooks]},
		{source: $PWD/p/.git, target: /git, read_only: false, read_only_below: [hooks]}]" -- true
	says 125 "*can write to*" cordon run --set "+volumes=[
		{source: $PWD/p, target: /src, read_only: false, read_only_below: [.git/hooks]},
		{source: $PWD/p/.git, target: /git, read_only: false, read_only_below: [hooks/x]}]" -- true
}

# bats test_tags=root
@test "another bind of the same directory by another name of the host is refused" {
	project
	mkdir alias
	mount --bind p alias
	bind 'hide_below: [private]'
	run cordon run "${shown[@]}" --ro alias -- true
	umount alias
	[ "$status" -eq 125 ]
	[[ "$output" == "cordon: $PWD/alias: shows $PWD/p/private, which the bind on /src hides"* ]]
}

@test "explain shows each place, and changes nothing" {
	project
	bind 'read_only_below: [.git/hooks, .envrc], hide_below: [.env, private]'
	run -0 cordon explain "${shown[@]}" -- true
	[[ "$output" == *"  fixed       /src/.git "*"leads to a protected path: cannot be renamed"* ]]
	[[ "$output" == *"  read-only   /src/.git/hooks "*"read_only_below"* ]]
	[[ "$output" == *"  placeholder /src/.envrc "*"cannot be made"* ]]
	[[ "$output" == *"  hidden      /src/.env "*"hide_below"* ]]
	[[ "$output" == *"  + placeholders "* ]]
	[[ "$output" == *"  + protected_paths "* ]]
	[ ! -e p/.envrc ]
}

# What THREAT-MODEL.md says of a file's cover: the mount is on the file, not on the name.
@test "limit: a file that the host replaces by rename is not covered any more; a directory's cover stays" {
	project
	bind 'hide_below: [.env, private]'
	touch p/one
	own p/one
	"$CORDON" --root "$CORDON_ROOT" run "${shown[@]}" -- sh -c 'cd /src; cat .env >before 2>&1; touch up
		while [ -e one ]; do sleep 0.05; done; cat .env private/key >after 2>&1' >/dev/null 2>&1 3>&- &
	pid=$!
	eventually test -e p/up
	echo second >p/.new
	own p/.new
	mv p/.new p/.env
	echo second >p/private/.new
	own p/private
	mv p/private/.new p/private/key
	rm p/one
	wait "$pid" || [ $? -eq 1 ]
	[[ "$(cat p/before)" == *"Permission denied"* ]]
	[[ "$(cat p/after)" == "second"*"private/key: No such file or directory" ]]
}

@test "a place that is made between the look and the row is refused; so is one that is replaced later" {
	mkdir p
	own p
	bind 'read_only_below: [.git]'
	gives 0 "" run_in true
	says 125 "*step protected_paths: /src/.git: *" without placeholders run_in true
	says 125 "*step protected_paths: /src/.git: is not protected*" without protected_paths run_in true
	[ ! -e p/.git ]
}
