#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# secrets: the content of a file of the caller's, shown from memory to the program's user alone.

load ../lib/cordon
load ../lib/attack

# A word that stands nowhere else: it is put together here.
secret_file() {
	word=s3cret-$RANDOM-
	word+=$RANDOM-$$
	printf '%s\n' "$word" >api.key
	chmod 0600 api.key
}

# bats test_tags=vm
@test "a secret is there, its user's alone, and cannot be changed" {
	secret_file
	gives 0 "$word" inside 'cat /run/secrets/api.key' --set 'secrets=[./api.key]'
	gives 0 "$word" inside 'cat /run/secrets/api.key' --set "secrets=[$PWD/api.key]"
	gives 0 "400 1000:1000 tmpfs" inside \
		'echo $(stat -c "%a %u:%g" /run/secrets/api.key; stat -f -c %T /run/secrets/api.key)' \
		--set "secrets=[$PWD/api.key]"
	local shown=(--set "secrets=[{file: $PWD/api.key, target: /etc/app/key}]")
	gives 0 "$word" inside 'cat /etc/app/key' "${shown[@]}"
	gives 42 EROFS cordon run "${shown[@]}" -- "$ATTACK/call" chmod text:/etc/app/key 0600
	# Which of the two is asked first depends on the kernel.
	says 42 'E@(ACCES|ROFS)' cordon run "${shown[@]}" -- "$ATTACK/call" truncate text:/etc/app/key 0
	gives 42 EBUSY cordon run --set "secrets=[{file: $PWD/api.key, target: /tmp/key}]" -- \
		"$ATTACK/call" unlink text:/tmp/key
	says 0 "* /etc/app/key ro,nosuid,nodev,noexec,*" inside 'grep " /etc/app/key " /proc/self/mountinfo' \
		"${shown[@]}"
	[ "$(stat -c %a api.key)" = 600 ]
}

@test "a relative file is that of the profile's directory; the content goes nowhere else" {
	secret_file
	mkdir -p profiles/keys elsewhere
	mv api.key profiles/keys/
	printf 'cordon: 1\nextends: default\nsecrets: [./keys/api.key]\n' >profiles/p.yaml
	cd elsewhere
	gives 0 "$word" inside 'cat /run/secrets/api.key' --profile ../profiles/p.yaml
	inside 'cat /run/secrets/api.key >&2; env; cat /proc/self/environ /proc/1/environ; exit 3' \
		--profile ../profiles/p.yaml --report report >out 2>/dev/null || [ $? -eq 3 ]
	run -1 grep -rF "$word" out report "$CORDON_ROOT"
	run -0 cordon explain --profile ../profiles/p.yaml -- true
	[[ "$output" == *"  secret      /run/secrets/api.key "* ]]
	[[ "$output" == *"secrets[0] "*"./keys/api.key"*"p.yaml:3"* ]]
	[[ "$output" != *"$word"* ]]
	run -125 inside true --profile ../profiles/p.yaml --set 'rootfs.from=dir:/none' --set "secrets=[../api.key]"
	[[ "$output" != *"$word"* ]]
}

@test "an empty secret, every byte value, and 1 MiB come through; one byte more is refused" {
	: >empty
	head -c 1048576 /dev/urandom >large
	[ "$(inside 'cat /run/secrets/*' --set "secrets=[$PWD/empty, $PWD/large]" | sha256sum)" = \
		"$(sha256sum <large)" ]
	echo >>large
	says 125 "cordon: $PWD/large: has 1048577 bytes; a secret has at most 1048576 (asked for by command line)*" \
		inside true --set "secrets=[$PWD/large]"
}

@test "what is no file that the caller can read is refused, with the line that asks for it" {
	printf 'cordon: 1\nextends: default\nsecrets:\n  - ./none\n  - ./dir\n  - ./pipe\n  - {file: ./link}\n' >p.yaml
	mkdir dir
	mkfifo pipe
	secret_file
	ln -s api.key link
	! is_root || chown -h 12345 link
	run -125 inside true --profile ./p.yaml
	[[ "$output" == *"cordon: $PWD/none: No such file or directory (asked for by ./p.yaml:4)"* ]]
	[[ "$output" == *"cordon: $PWD/dir: is not a regular file (asked for by ./p.yaml:5)"* ]]
	[[ "$output" == *"cordon: $PWD/pipe: is not a regular file (asked for by ./p.yaml:6)"* ]]
	[[ "$output" == *"cordon: $PWD/link: $PWD/link is a link that root did not make (asked for by ./p.yaml:7)"* ]]
}

# bats test_tags=user
@test "a file that the caller cannot read is refused" {
	secret_file
	chmod 0 api.key
	says 125 "cordon: $PWD/api.key: Permission denied (asked for by command line)*" \
		inside true --set "secrets=[$PWD/api.key]"
}

@test "mistakes in the list are told with their place" {
	printf 'cordon: 1\nextends: default\nsecrets: [{target: /a}, ./b, x/b, {file: ./c, target: d}]\n' >p.yaml
	run -125 inside true --profile ./p.yaml
	[[ "$output" == *"./p.yaml:3:11: error: this secret lacks 'file'"* ]]
	[[ "$output" == *"./p.yaml:3:30: error: '/run/secrets/b' and '/run/secrets/b' overlap"* ]]
	[[ "$output" == *"./p.yaml:3:55: error: 'd' cannot be a target"* ]]
}

@test "in a directory that is shown the place must be there; in a tmpfs it is made" {
	secret_file
	mkdir dir
	! is_root || chown 12345:12345 dir
	local shown=(--rw "$PWD/dir" --set "secrets=[{file: $PWD/api.key, target: $PWD/dir/key}]")
	says 125 "cordon: step secrets: $PWD/dir/key: show the secret: No such file or directory
cordon:   hint: Make an empty file $PWD/dir/key in the host's directory first*" inside true "${shown[@]}"
	[ -z "$(ls -A dir)" ]
	touch dir/key
	gives 0 "$word" inside "cat $PWD/dir/key" "${shown[@]}"
	[ ! -s dir/key ]
	gives 0 "$word" inside 'cat /tmp/a/key' --set "secrets=[{file: $PWD/api.key, target: /tmp/a/key}]"
}

@test "rootfs dir: a secret beside what the tree has" {
	secret_file
	make_rootfs tree
	local before
	before=$(tree_state tree | sed 's/ [^ ]* [^ ]*$//')
	says 0 "$word*passwd*" cordon run --set "rootfs.from=dir:$PWD/tree" \
		--set "secrets=[{file: $PWD/api.key, target: /etc/app.key}]" -- \
		/bin/sh -c 'cat /etc/app.key; ls /etc'
	[ "$(tree_state tree | sed 's/ [^ ]* [^ ]*$//')" = "$before" ]
}

@test "over what hide_below hides" {
	secret_file
	mkdir p
	echo other >p/.env
	! is_root || chown -R 12345 p
	gives 0 "$word" inside 'cat /src/.env' --set "secrets=[{file: $PWD/api.key, target: /src/.env}]" \
		--set "+volumes=[{source: $PWD/p, target: /src, hide_below: [.env]}]"
	[ "$(cat p/.env)" = other ]
}

# Memory of a process that holds the word. The word stands in no argument of this search.
holds() { # PID
	WORD=$word /usr/bin/python3 -c '
import os, sys
word = os.environ["WORD"].encode()
found = False
with open(f"/proc/{sys.argv[1]}/mem", "rb", 0) as mem:
	for line in open(f"/proc/{sys.argv[1]}/maps"):
		first, last = (int(x, 16) for x in line.split()[0].split("-"))
		try:
			mem.seek(first)
			found |= word in mem.read(last - first)
		except (OSError, ValueError, OverflowError):
			pass
sys.exit(0 if found else 1)' "$1"
}

# bats test_tags=root
@test "neither cordon nor init has it in memory once the program runs; the program has" {
	need python3
	secret_file
	"$CORDON" --root "$CORDON_ROOT" run --set "secrets=[$PWD/api.key]" -- \
		sh -c 'key=$(cat /run/secrets/api.key); echo up >&2; sleep 30; : "$key"' 2>up 3>&- &
	keeper=$!
	eventually grep -q up up
	eventually has_init
	workload=$(pgrep -P "$init" | head -n 1)
	holds "$workload"
	run -1 holds "$keeper"
	run -1 holds "$init"
	# What was there is marked as no part of a core dump.
	grep -q '^VmFlags:.* dd' "/proc/$keeper/smaps"
	kill "$keeper"
	wait "$keeper" || [ $? -eq 143 ]
}

@test "without its row a secret is missed" {
	secret_file
	says 125 "cordon: step secrets: *" without secrets inside true --set "secrets=[$PWD/api.key]"
}
