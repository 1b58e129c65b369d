#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Landlock: each refusal with what the mounts alone would have let through.

load ../lib/cordon
load ../lib/attack

setup() {
	cordon_setup
	CORDON_ROOT=$BATS_TEST_TMPDIR.root
	cd "$BATS_TEST_TMPDIR" || return
	# Of the file system, TCP ports, signals: all of it.
	[ "$(version)" -ge 6 ] || skip "Landlock of version 6 is of Linux 6.12"
}

version() {
	cordon doctor | awk '$2 == "Landlock" { print $3 == "version" ? $4 + 0 : 0 }'
}

# The script ends with 42 and says "Permission denied" under FLAGS, and with 0 without them: what it
# tries is a command of the shell whose message ends in the errno's text.
refused() { # TRIED [FLAG...]
	local script="{ $1; } 2>&1 || exit 42"
	[ $# -gt 1 ] || set -- "$1" --set landlock=auto
	says 42 "*Permission denied*" inside "$script" "${@:2}" || return 1
	gives 0 "" inside "$script"
}

@test "landlock: auto leaves programs all that the mounts are for" {
	gives 0 "" inside 'set -e
		ls / /usr /etc /dev /proc >/dev/null
		echo text >/tmp/a; cat /tmp/a >/dev/null; : >>/tmp/a; : >/tmp/a
		mkdir /tmp/d; mv /tmp/a /tmp/d/b; ln /tmp/d/b /tmp/c; ln -s c /tmp/e; mkfifo /tmp/f
		rm -r /tmp/d /tmp/e /tmp/f
		cp /bin/true /tmp/t; /tmp/t
		cat /proc/self/status /etc/passwd >/dev/null
		head -c 9 /dev/urandom >/dev/shm/r; truncate -s 3 /dev/shm/r
		sleep 0 & wait; kill -0 $$' --set landlock=auto
}

@test "landlock: auto reaches binds as they are bound" {
	mkdir ro rw
	echo text >ro/file
	! is_root || chown 12345:12345 rw
	gives 0 text inside "cat $PWD/ro/file && echo made >$PWD/rw/file" --set landlock=auto --ro ro --rw rw
	[ "$(cat rw/file)" = made ]
	# What is read-only is so by the mount, as ever.
	says 42 "*Read-only file system*" inside "{ echo x >$PWD/ro/file; } 2>&1 || exit 42" --set landlock=auto --ro ro
}

@test "landlock: nothing of /proc can be written" {
	refused 'echo 999 >/proc/self/oom_score_adj'
	refused 'echo 999 >/proc/self/oom_score_adj' --profile strict
}

# As root init has an id of its own.
# bats test_tags=user
@test "landlock: nobody inside can signal what is outside the domain" {
	# Process 1 is init.
	says 42 "*not permitted*" inside 'kill -0 1 2>&1 || exit 42' --set landlock=auto
	gives 0 "" inside 'kill -0 1 2>&1 || exit 42'
}

@test "landlock: lists take away what the mounts give" {
	refused 'echo x >/tmp/a' --set 'landlock={write: [/dev]}'
	refused 'cp /bin/true /tmp/t && /tmp/t' --set 'landlock={execute: [/usr]}'
	refused 'echo x >/tmp/a && cat /tmp/a >/dev/null' --set 'landlock={read: [/usr, /dev, /etc]}'
	refused ': >/tmp/a && mv /tmp/a /dev/shm' --set 'landlock={write: [/tmp, /dev/null]}'
	gives 0 "" inside 'echo x >/tmp/a && cp /bin/true /dev/shm/t' --set 'landlock={write: [/tmp, /dev]}'
}

@test "landlock: a list holds for truncate, which opens nothing" {
	mkdir rw
	echo text >rw/file
	! is_root || chown -R 12345:12345 rw
	local tried=("$ATTACK/call" truncate "text:$PWD/rw/file" 0)
	gives 42 EACCES cordon run --rw rw --set 'landlock={write: [/dev]}' -- "${tried[@]}"
	[ "$(cat rw/file)" = text ]
	gives 0 ok cordon run --rw rw --set landlock=auto -- "${tried[@]}"
	[ -z "$(cat rw/file)" ]
}

@test "landlock: a program that may not be executed ends with 126" {
	cp /bin/true a.out
	says 126 "*a.out: Permission denied*hint: Landlock may keep it*" cordon run --set 'landlock={execute: [/usr]}' -- "$PWD/a.out"
	gives 0 "" cordon run --set landlock=auto -- "$PWD/a.out"
}

# Prints "ok" or the errno's text.
tcp='use Socket; socket(S, AF_INET, SOCK_STREAM, 0) or die; my ($call, $port) = @ARGV;
	my $to = sockaddr_in($port, INADDR_LOOPBACK);
	print +($call eq "bind" ? bind(S, $to) : connect(S, $to)) ? "ok" : "$!"'

@test "landlock: TCP ports that are not listed can be neither bound nor connected to" {
	need perl
	local lists='landlock={bind_tcp: [8080], connect_tcp: [443]}'
	gives 0 ok cordon run --set "$lists" -- perl -e "$tcp" bind 8080
	gives 0 "Permission denied" cordon run --set "$lists" -- perl -e "$tcp" bind 8081
	gives 0 ok cordon run -- perl -e "$tcp" bind 8081
	# Nobody listens on either.
	gives 0 "Connection refused" cordon run --set "$lists" -- perl -e "$tcp" connect 443
	gives 0 "Permission denied" cordon run --set "$lists" -- perl -e "$tcp" connect 80
	gives 0 "Connection refused" cordon run -- perl -e "$tcp" connect 80
	# auto is no list.
	gives 0 "Connection refused" cordon run --set landlock=auto -- perl -e "$tcp" connect 80
	gives 0 "Permission denied" cordon run --set 'landlock={bind_tcp: []}' -- perl -e "$tcp" bind 8080
}

@test "landlock: a child's lists give nothing back, only the waiver does" {
	cat >parent.yaml <<-'END'
		cordon: 1
		extends: default
		landlock: {write: [/dev]}
	END
	local script='echo x >/tmp/a || exit 42'
	says 42 "*Permission denied*" inside "$script" --profile ./parent.yaml
	says 42 "*Permission denied*" inside "$script" --profile ./parent.yaml --set landlock=auto
	says 42 "*Permission denied*" inside "$script" --profile ./parent.yaml --set 'landlock.write=[/]'
	says 125 "*landlock.write: /tmp cannot be written*" inside "$script" --profile ./parent.yaml \
		--set 'landlock.write=[/dev, /tmp]'
	says 42 "*Permission denied*" inside "$script" --profile ./parent.yaml --set when_possible.landlock=auto
	says 125 "*nothing can be added*" inside "$script" --profile ./parent.yaml --set 'landlock={+write: [/tmp]}'
	gives 0 "cordon: waived: landlock (a test)" inside "$script" --profile ./parent.yaml --waive 'landlock=a test'
}

@test "landlock: a list that would give something, a path that is not there, and a link are refused" {
	says 125 "*/usr cannot be written in the first place*" cordon run --set 'landlock={write: [/usr]}' -- true
	says 125 "*/usr/no-such: No such file*" cordon run --set 'landlock={read: [/usr, /usr/no-such]}' -- true
	ln -s /usr/bin link
	says 125 "*landlock: $PWD/link: *" cordon run --ro . --set "landlock={read: [/, $PWD/link]}" -- true
}

@test "landlock: what is passed on can be opened again for what it is open for, and no more" {
	echo text >input
	is_root || {
		inside 'echo "to stderr" >/dev/stderr; echo "to stdout" >/dev/stdout' --set landlock=auto >out 2>err
		[ "$(cat out err)" = "to stdout"$'\n'"to stderr" ]
	}
	says 0 text inside 'cat /dev/stdin' --set landlock=auto <input
	# Pipes have no place in any tree.
	[ "$(inside 'echo piped >/dev/stdout' --set landlock=auto | cat)" = piped ]
	exec 7<input
	says 0 text inside 'cat <&7' --set landlock=auto --fd 7
	exec 7<&-
}

@test "landlock: a rootfs of one's own, a writable root, a secret and an empty root" {
	make_rootfs tree
	echo key >secret
	gives 0 "key" cordon run --set "rootfs.from=dir:$PWD/tree" --set rootfs.writable=tmpfs --set landlock=auto \
		--set "secrets=[{file: $PWD/secret}]" -- sh -c 'echo x >/made && cat /run/secrets/secret'
	says 42 "*Read-only*" cordon run --set "rootfs.from=dir:$PWD/tree" --set rootfs.writable=none \
		--set landlock=auto -- sh -c '{ echo x >/made; } 2>&1 || exit 42'
	gives 0 ok cordon run --set rootfs.from=empty --set landlock=auto --ro "$ATTACK" -- \
		"$ATTACK/call" getpid
}

@test "landlock: what an older kernel cannot do is refused, or said where it is only wished for" {
	local none=("$ATTACK/without" landlock_create_ruleset=ENOSYS)
	says 125 "*this kernel has no Landlock*--waive landlock=REASON*" \
		"${none[@]}" "$CORDON" --root "$CORDON_ROOT" run --set landlock=auto -- true
	gives 0 "cordon: not enforced here: landlock (see cordon doctor)" \
		"${none[@]}" "$CORDON" --root "$CORDON_ROOT" run --report "$PWD/report" --set when_possible.landlock=auto -- true
	[ "$(jq -c .not_enforced report)" = '["landlock"]' ]
	gives 0 "" "${none[@]}" "$CORDON" --root "$CORDON_ROOT" run -q --set when_possible.landlock=auto -- true
	gives 0 "" cordon run --report "$PWD/report" --set when_possible.landlock=auto -- true
	[ "$(jq -c .not_enforced report)" = '[]' ]
	says 0 "*not enforced here: landlock*- landlock *" "${none[@]}" "$CORDON" --root "$CORDON_ROOT" explain \
		--set when_possible.landlock=auto
	says 125 "*when_possible: {landlock: auto}*" "$ATTACK/without" landlock_create_ruleset=EOPNOTSUPP \
		"$CORDON" --root "$CORDON_ROOT" run --set landlock=auto -- true
}

@test "landlock: explain shows the rules" {
	says 0 "*landlock (version *)*/usr *read, list, execute*/tmp *read, list, write, make*+ landlock *" \
		cordon explain --set landlock=auto -- true
	explain_json() {
		cordon explain --json "$@" -- true | jq -c '[.not_enforced, .landlock.bind_tcp,
			([.landlock.rules[]?.path] | contains(["/", "/usr", "/tmp"]))]'
	}
	gives 0 '[[],null,true]' explain_json --set landlock=auto
	gives 0 '[[],[80],true]' explain_json --set 'landlock={bind_tcp: [80]}'
	gives 0 '[[],null,false]' explain_json
}
