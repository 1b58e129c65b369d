#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# --explain-denials where the kernel's audit stream can be read: what Landlock and AppArmor denied is
# listed, and nothing of it that is another's. AppArmor's records come on every kernel, Landlock's
# from version 7 on, and only while audit is on (tests/vm/run).

# bats file_tags=vm
load ../lib/cordon
load ../lib/attack

setup() {
	cordon_setup
	# cordon.bash reads it.
	# shellcheck disable=SC2034
	CORDON_ROOT=$BATS_TEST_TMPDIR.root
	[ "$(cat /proc/sys/kernel/hostname)" = vm ] || skip "not in a virtual machine of tests/vm/run"
	cd "$BATS_TEST_TMPDIR" || return
	loaded=() keeper=
	version=$(cordon doctor | awk '$2 == "Landlock" { print $4 + 0 }')
}

teardown() {
	local file
	[ -z "$keeper" ] || kill -9 "$keeper" 2>/dev/null || true
	cordon gc >/dev/null
	for file in "${loaded[@]}"; do
		apparmor_parser -R "$file"
	done
	cordon_teardown
}

load_profile() { # FILE
	need apparmor_parser
	apparmor_parser -r -K "$1"
	loaded+=("$1")
}

# Reads and executes everything, writes nothing but what a shell needs; a directory that the mounts
# let be written.
load_reader() {
	printf 'abi <abi/3.0>,\nprofile cordon-test flags=(attach_disconnected) { %s }\n' \
		'/** rmix, /dev/null rw, / r, signal, network unix,' >profile
	load_profile "$PWD/profile"
	mkdir data
	chown 12345:12345 data
}

reader=(--set apparmor=cordon-test)
by="by AppArmor's profile cordon-test (command line); to allow it, change that profile"
landlock_off="cordon: access to files is not listed: this kernel's Landlock records nothing (Linux 6.15 and later do)"

user_cordon() { # ARG...
	setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/home/user TMPDIR=/home/user/tmp \
		"$CORDON" --root /home/user/tmp/root "$@"
}

# Without what the shell itself says.
tries_to_make() { # NAME... : a script
	printf 'for name in %s; do echo >"$name"; done 2>/dev/null; exit 0' "$*"
}

start() { # FLAG... -- CMD...: in the background; sets keeper and auditor
	"$CORDON" --root "$CORDON_ROOT" run --explain-denials "$@" >out 2>&1 3>&- &
	keeper=$!
	eventually has_auditor
}

has_auditor() {
	auditor=$(pgrep -P "$keeper" -x cordon-auditor) && [ -n "$auditor" ]
}

ends_with() { # CODE
	local code=0
	wait "$keeper" || code=$?
	keeper=
	cat out
	[ "$code" -eq "$1" ]
}

# bats test_tags=root
@test "audit: AppArmor's denials are listed with a count, the path, and the line that asked for the profile" {
	load_reader
	gives 0 "cordon: no system call was denied
cordon: denied 3 times: mknod c $PWD/data/file: $by
cordon: denied 1 time: mknod c $PWD/data/other: $by" \
		cordon run --explain-denials --rw data "${reader[@]}" -- sh -c "$(tries_to_make data/{file,file,other,file})"
	[ -z "$(ls data)" ]
	# The control: without the profile they are made, and nothing is listed.
	says 0 "cordon: no system call was denied
cordon: access to files is not listed: mounts alone decide it here, *" \
		cordon run --explain-denials --rw data -- sh -c "$(tries_to_make data/{file,other})"
	[ -e data/file ] && [ -e data/other ]
	# Nothing denied is said as well.
	gives 0 "cordon: no system call was denied
cordon: nothing was denied by AppArmor" cordon run --explain-denials "${reader[@]}" -- true
	# In a profile the line has a number.
	printf 'cordon: 1\nextends: default\napparmor: cordon-test\n' >p.yaml
	says 0 "*: by AppArmor's profile cordon-test (./p.yaml:3); *" \
		cordon run --explain-denials --rw data --profile ./p.yaml -- sh -c "$(tries_to_make data/new)"
}

# bats test_tags=root
@test "audit: sockets that cordon's own profile denies are listed, and what gives the profile up" {
	load_profile "$repo/profiles/apparmor/cordon-workload"
	says 42 "*EACCES
*cordon: denied 1 time: create inet raw*: by AppArmor's profile cordon-workload* (command line); *--waive \"apparmor=REASON\"*" \
		cordon run --explain-denials --set apparmor=auto --waive "seccomp.call:socket=a test" -- "$ATTACK/call" socket 2 3 1
	# Files of the kernel, where the mounts do not hide them.
	says 42 "*cordon: denied 1 time: open r /proc/kallsyms: by AppArmor's profile cordon-workload (command line); *" \
		without kernel_paths cordon run --explain-denials --set apparmor=auto -- sh -c 'head -c 1 /proc/kallsyms || exit 42'
	# The control: the missing capability then.
	says 42 "*EPERM*mounts alone decide*" \
		cordon run --explain-denials --waive "seccomp.call:socket=a test" -- "$ATTACK/call" socket 2 3 1
}

# bats test_tags=root
@test "audit: another sandbox's denials under the same profile are not listed" {
	# Once is enough: the stream is the same on every kernel.
	[ "$version" -ge 7 ] || return 0
	load_reader
	"$CORDON" --root "$CORDON_ROOT" run --timeout 60s --rw data "${reader[@]}" -- \
		sh -c "while :; do echo >data/theirs; sleep 0.2; done 2>/dev/null" 3>&- &
	keeper=$!
	eventually has_init
	run -0 cordon run --explain-denials --rw data "${reader[@]}" -- sh -c "$(tries_to_make data/ours); sleep 1"
	kill "$keeper"
	wait "$keeper" || true
	keeper=
	echo "$output"
	[[ "$output" == *"data/ours: by"* ]]
	[[ "$output" != *theirs* ]]
}

# bats test_tags=root
@test "audit: what a workload puts into a name moves nobody's terminal and starts no line" {
	# Once is enough: the stream is the same on every kernel.
	[ "$version" -ge 7 ] || return 0
	local name=$'a\nb \e[31m"\\c'
	load_reader
	run -0 cordon run --explain-denials --rw data "${reader[@]}" -- sh -c 'echo >data/"$0"; exit 0' "$name"
	echo "$output"
	[[ "$output" == *"denied 1 time: mknod c $PWD/data/a\\x0ab \\x1b[31m\"\\x5cc: $by"* ]]
	[ "$(grep -c "^cordon: denied" <<<"$output")" -eq 1 ]
	# A name that is longer than the list's room.
	run -0 cordon run --explain-denials --rw data "${reader[@]}" -- sh -c "$(tries_to_make "data/$(printf '%0250d' 0)")"
	[[ "$output" == *"denied 1 time: mknod c $PWD/data/000"*"000...: $by"* ]]
}

# bats test_tags=root
@test "audit: the list has a bound, and the report holds it" {
	# Once is enough: the stream is the same on every kernel.
	[ "$version" -ge 7 ] || return 0
	load_reader
	run -0 cordon run --explain-denials --report "$PWD/report" --rw data "${reader[@]}" -- \
		sh -c 'i=0; while [ $i -lt 100 ]; do echo >data/$i; i=$((i + 1)); done 2>/dev/null; exit 0'
	[ "$(grep -c "^cordon: denied 1 time: mknod c " <<<"$output")" -eq 64 ]
	[[ "$output" == *"cordon: denied 36 times: others, for which the list of 64 is too short"* ]]
	[ "$(jq -c '[(.access_denials | length), .access_denials_not_listed]' report)" = "[64,36]" ]
	[ "$(jq -c '.access_denials[0] | [.layer, .what, .detail, .path, .count, .certain, .file]' report)" = \
		"[\"apparmor\",\"mknod\",\"c\",\"$PWD/data/0\",1,true,\"command line\"]" ]
	cordon run -q --explain-denials --report "$PWD/report" -- true
	[ "$(jq -c '.access_denials' report)" = null ]
}

# bats test_tags=root
@test "audit: who reads the stream can do nothing else; killed, the run goes on and says so" {
	load_reader
	start --timeout 60s --rw data "${reader[@]}" -- sh -c 'while [ ! -e data/go ]; do sleep 0.1; done; exit 7'
	has_status() {
		[ "$(awk '/^Seccomp:/ { print $2 }' "/proc/$auditor/status")" = 2 ]
	}
	eventually has_status
	[ "$(awk '/^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):/ { print $2 }' "/proc/$auditor/status" | sort -u | xargs)" = \
		"0000000000000000 1 2" ]
	[ "$(awk '/^Uid:/ { print $2 }' "/proc/$auditor/status")" -gt 65535 ]
	[ "$(cd "/proc/$auditor/fd" && echo *)" = "0 1" ]
	# Nobody else has the stream: sockets of that protocol, and whose they are.
	inode=$(readlink "/proc/$auditor/fd/0" | tr -dc 0-9)
	awk '{ print $10 }' /proc/net/netlink | grep -qx "$inode"
	readlink "/proc/$keeper/fd/"* >fds
	run -1 grep -F "socket:[$inode]" fds
	kill -9 "$auditor"
	: >data/go
	ends_with 7
	grep -qx 'cordon: which denials there were by Landlock and AppArmor is not known: the process that reads them was killed' out
	# The other list is there all the same.
	grep -qx 'cordon: no system call was denied' out
}

# bats test_tags=root
@test "audit: kill -9 of the keeper leaves no reader behind" {
	# Once is enough: the stream is the same on every kernel.
	[ "$version" -ge 7 ] || return 0
	load_reader
	start --timeout 60s "${reader[@]}" -- sleep 60
	kill -9 "$keeper"
	wait "$keeper" || true
	keeper=
	eventually eval '[ ! -d "/proc/$auditor" ] || grep -q "^State:.Z" "/proc/$auditor/status"'
}

# bats test_tags=root
@test "audit: an ordinary user, and root in a network namespace of its own, are told why there is no list" {
	load_reader
	gives 0 "cordon: no system call was denied
cordon: denials by Landlock and AppArmor are not listed: reading the kernel's audit stream takes root (CAP_AUDIT_READ)" \
		user_cordon run --explain-denials "${reader[@]}" -- true
	says 0 "*the audit stream is the host's, and cordon runs in another network or pid namespace" \
		unshare -n "$CORDON" --root "$CORDON_ROOT" run --explain-denials "${reader[@]}" -- true
}

# bats test_tags=root
@test "audit: Landlock's denials are listed with the list or the mount that they follow from" {
	local tried='echo 1 >/proc/self/oom_score_adj; echo >/tmp/a; echo >/tmp/a; exit 0'
	printf 'cordon: 1\nextends: default\nlandlock:\n  write: [/dev]\n  connect_tcp: [443]\n' >p.yaml
	if [ "$version" -lt 7 ]; then
		says 0 "*$landlock_off" cordon run --explain-denials --set when_possible.landlock=auto -- true
		return
	fi
	run -0 cordon run --explain-denials --profile ./p.yaml -- sh -c "$tried"
	echo "$output"
	grep -qx "cordon: denied 2 times: fs.make_reg /tmp: by landlock.write (./p.yaml:4); to allow it, add /tmp to landlock.write there" <<<"$output"
	# No list gives what the mounts do not.
	[[ "$output" == *"cordon: denied 1 time: fs.write_file /proc/"*"/oom_score_adj: by Landlock (./p.yaml:3); no key gives it "* ]]
	# The read-back's own refusal is not in it, and the program is denied nothing more.
	gives 0 "cordon: no system call was denied
cordon: nothing was denied by Landlock" cordon run --explain-denials --set landlock=auto -- true
	says 0 "*denied 1 time: fs.write_file*oom_score_adj: by Landlock (command line); no key gives it while Landlock is on; to do without: *" \
		cordon run --explain-denials --set landlock=auto -- sh -c "$tried"
	says 42 "*denied 1 time: fs.execute /tmp/t: by landlock.execute (command line); to allow it, add /tmp/t to *" \
		cordon run --explain-denials --set 'landlock={execute: [/usr]}' -- sh -c 'cp /bin/true /tmp/t; /tmp/t || exit 42'
	# The control: without the key nothing of this is denied.
	says 0 "*mounts alone decide it here*" cordon run --explain-denials -- sh -c "$tried"
}

# bats test_tags=root
@test "audit: what a workload's own Landlock domain denies is not the policy's" {
	[ "$version" -ge 7 ] || return 0
	gives 42 "EACCES
cordon: no system call was denied
cordon: nothing was denied by Landlock" cordon run --explain-denials --set landlock=auto -- "$ATTACK/domain" /dev/null
	# The same by cordon's.
	says 2 "*denied 1 time: fs.write_file /dev/null: by landlock.write (command line); *" \
		cordon run --explain-denials --set 'landlock={write: [/tmp]}' -- sh -c 'echo >/dev/null'
}

# bats test_tags=root
@test "audit: a reader that did not start, or was not told whose denials are asked for, ends the launch" {
	local row
	[ "$version" -ge 7 ] || return 0
	for row in auditor audit_subject; do
		says 125 "cordon: step $row: *" without "$row" cordon run --explain-denials --set landlock=auto -- true
		says 125 "cordon: step $row: injected fault*" \
			env CORDON_FAULT="$row:fail" "$FAULTY" --root "$CORDON_ROOT" run --explain-denials --set landlock=auto -- true
		CORDON_FAULT=$row:kill-keeper "$FAULTY" --root "$CORDON_ROOT" run --explain-denials --set landlock=auto -- true || [ $? -eq 137 ]
		none_left() {
			! pgrep -x cordon-auditor
		}
		eventually none_left
	done
	# The control.
	CORDON=$FAULTY gives 0 "cordon: no system call was denied
cordon: nothing was denied by Landlock" cordon run --explain-denials --set landlock=auto -- true
}

# bats test_tags=user
@test "audit: an ordinary user's denials by Landlock are not listed, and the line says why" {
	local why=$landlock_off
	[ "$version" -lt 7 ] || why="cordon: denials by Landlock and AppArmor are not listed: reading the kernel's audit stream takes root (CAP_AUDIT_READ)"
	says 0 "*cordon: no system call was denied
$why" cordon run --explain-denials --set when_possible.landlock=auto -- true
}
