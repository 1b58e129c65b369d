#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# --explain-denials: what is listed, that every answer is what it is without it, and that nothing is
# admitted, whatever becomes of the process that answers.

load ../lib/cordon
load ../lib/attack

FILES='cordon: access to files is not listed: mounts alone decide it here, and what they refuse nobody records'

teardown() {
	[ -z "${keeper:-}" ] || kill -9 "$keeper" 2>/dev/null || true
	cordon gc >/dev/null
	cordon_teardown
}

explained() { # CMD...
	cordon run --explain-denials -- "$@"
}

# Starts cordon in the background, its output in the file out, and waits for its notifier. Sets
# keeper and notifier.
start() { # FLAG... -- CMD...
	: >out
	set -m
	"$CORDON" --root "$CORDON_ROOT" run --explain-denials "$@" >out 2>&1 3>&- &
	keeper=$!
	set +m
	eventually has_notifier
}

has_notifier() {
	notifier=$(pgrep -P "$keeper" -x cordon-notifier) && [ -n "$notifier" ]
}

# The program runs: cordon has given its own ends of 0 and 1 up.
keeper_has_started() {
	[ "$(readlink "/proc/$keeper/fd/1")" = /dev/null ]
}

said() { # LINES
	[ "$(wc -l <out)" -ge "$1" ]
}

ends_with() { # CODE
	local code=0
	wait "$keeper" || code=$?
	keeper=
	[ "$code" -eq "$1" ] || {
		printf 'exit code %s, wanted %s\n' "$code" "$1"
		cat out
		return 1
	}
}

@test "denials: nothing is listed, and nobody answers, unless it is asked for" {
	gives 42 EPERM cordon run -- "$ATTACK/call" keyctl 0 -3 0
	gives 0 "  - notifier" echo "$(cordon explain -- true | grep -o '^  . notifier')"
	gives 0 "  + notifier" echo "$(cordon explain --explain-denials -- true | grep -o '^  . notifier')"
}

@test "denials: a run without any says so" {
	gives 0 "cordon: no system call was denied
$FILES" explained true
}

@test "denials: each is listed with its answer, its rule and what allows it" {
	says 42 "EPERM
cordon: denied 1 time: keyctl 0: EPERM (profile base:[0-9]*); to allow it: --waive \"seccomp.call:keyctl=REASON\"
$FILES" explained "$ATTACK/call" keyctl 0 -3 0
	says 42 "EAFNOSUPPORT
cordon: denied 1 time: socket AF_VSOCK: EAFNOSUPPORT (profile base:[0-9]*); to allow all of this call: --waive *
$FILES" explained "$ATTACK/call" socket 40 1 0
	says 42 "*cordon: denied 1 time: socketpair AF_VSOCK: EAFNOSUPPORT (profile base:*" \
		explained "$ATTACK/call" socketpair 40 1 0 buf
	says 42 "*cordon: denied 1 time: socket AF_NETLINK, NETLINK_KOBJECT_UEVENT: EAFNOSUPPORT (profile base:*" \
		explained "$ATTACK/call" socket 16 3 15
	says 42 "*cordon: denied 1 time: ioctl TIOCSTI: EPERM (profile base:*" explained "$ATTACK/call" ioctl 0 0x5412 buf
	says 42 "*cordon: denied 1 time: clone 0x20011: EPERM (profile base:*" explained "$ATTACK/call" clone 0x20011
	says 42 "*cordon: denied 1 time: numbers from 512 on: ENOSYS (profile base:*); no waiver lifts this*" \
		explained "$ATTACK/call" 999
	says 0 "ok
cordon: denied 1 time: prlimit64 4: nothing done, success said (profile base:*" \
		explained "$ATTACK/call" prlimit64 0 4 buf 0
}

@test "denials: the rule is the line that refuses it" {
	cat >p.yaml <<-'END'
		cordon: 1
		extends: default
		seccomp:
		  deny:
		    - {call: getpgid, action: errno(EACCES)}
	END
	says 42 "*cordon: denied 1 time: getpgid: EACCES (./p.yaml:5); to allow it: --waive \"seccomp.call:getpgid=REASON\"*" \
		cordon run --explain-denials --profile ./p.yaml -- "$ATTACK/call" getpgid 0
	# Without a parent the list itself decides. The launcher's own calls are admitted anyway.
	cat >own.yaml <<-'END'
		cordon: 1
		limits: {nproc: 64}
		rootfs: {from: host}
		seccomp:
		  default: errno(EIO)
		  allow: ["@system-service"]
	END
	says 42 "*cordon: denied 1 time: mount: EIO (./own.yaml:5); to allow it, add mount to seccomp.allow there*" \
		cordon run --explain-denials --profile ./own.yaml -- "$ATTACK/call" mount 0 0 0 0 0
	# What follows from a writable bind is not the list's.
	mkdir data
	! is_root || chown 12345:12345 data
	says 42 "*cordon: denied 1 time: fchmod 0x9ed: EPERM (command line); no waiver lifts this*" \
		cordon run --explain-denials --rw data -- "$ATTACK/call" fchmod 0 04755
}

@test "denials: what the list says to write allows the call" {
	gives 0 "cordon: waived: seccomp.call:keyctl (a test)
ok
cordon: no system call was denied
$FILES" cordon run --explain-denials --waive "seccomp.call:keyctl=a test" -- "$ATTACK/call" keyctl 0 -3 0
	says 0 "*ok
cordon: no system call was denied*" \
		cordon run --explain-denials --waive "seccomp.call:socket=a test" -- "$ATTACK/call" socket 16 3 15
}

@test "denials: every answer is the one that the filter gives without it" {
	local words with without
	while read -ra words; do
		with=$(cordon run -q --explain-denials -- "$ATTACK/call" "${words[@]}") || with+=" $?"
		without=$(cordon run -q -- "$ATTACK/call" "${words[@]}") || without+=" $?"
		[ "$with" = "$without" ] || { echo "${words[*]}: $with, without it: $without"; return 1; }
		echo "${words[*]}: $with" >>answers
	done <<-'END'
		keyctl 0 -3 0
		socket 1 1 0
		socket 16 3 0
		socket 16 3 15
		socket 38 5 0
		socket 0x100000028 1 0
		ioctl 0 0x100005412 buf
		clone3 buf 64
		clone 17
		clone 0x20011
		io_uring_setup 1 buf
		personality 0x0400000
		personality 0xffffffff
		prlimit64 0 4 buf 0
		setrlimit 4 buf
		470
		511
		999
		1000000
		0xffffffff
		seccomp 1 0 buf
		seccomp 3 0 buf
	END
	# Some of both.
	grep -q ': ok$' answers
	grep -q ': EPERM 42$' answers
	grep -q ': ENOSYS 42$' answers
	grep -q ': EAFNOSUPPORT 42$' answers
}

@test "denials: kill and trap stay what they are" {
	says 137 "cordon: ended by seccomp: *" cordon run --explain-denials \
		--set 'seccomp.deny=[{call: bpf, action: kill}]' -- "$ATTACK/call" bpf 0 0 0
	says 137 "cordon: ended by seccomp: *" cordon run --explain-denials \
		--set 'seccomp.deny=[{call: bpf, action: trap}]' -- "$ATTACK/call" bpf 0 0 0
	[ "$(uname -m)" != x86_64 ] || says 137 "cordon: ended by seccomp: *" explained "$ATTACK/call" 0x40000027
}

@test "denials: calls of many processes are counted, one line for each kind" {
	says 0 "*cordon: denied 30 times: keyctl 0: EPERM (*" cordon run --explain-denials --ro "$ATTACK" -- sh -c '
		for i in 1 2 3; do "$0" count 10 & done; wait' "$ATTACK/deny"
	[ "$(grep -c '^cordon: denied' <<<"$output")" -eq "$(grep '^cordon: denied' <<<"$output" | sort -u | wc -l)" ]
	[ "$(grep -c '^EPERM$' <<<"$output")" -eq 30 ]
}

@test "denials: one call with many arguments does not take the others' places" {
	run -0 cordon run --explain-denials --ro "$ATTACK" -- sh -c '"$0" families 500; "$0" count 1' "$ATTACK/deny"
	[ "$(grep -c 'socket ' <<<"$output")" -eq 32 ]
	[[ "$output" == *"times: socket (others): EAFNOSUPPORT"* ]]
	[[ "$output" == *"denied 1 time: keyctl 0: EPERM"* ]]
	# None is lost: 500 families, of which three are sockets, and netlink's first protocol.
	[ "$(grep 'socket ' <<<"$output" | awk '{ n += $3 } END { print n }')" -eq 496 ]
}

@test "denials: the list has a bound, and the report holds it" {
	need jq
	# What a static program begins with.
	cat >p.yaml <<-'END'
		cordon: 1
		extends: default
		seccomp: {allow: [brk, arch_prctl, set_tid_address, set_robust_list, rseq, mprotect, mmap, munmap, getrandom]}
	END
	run -0 cordon run --explain-denials --profile ./p.yaml --report report -- "$ATTACK/deny" every
	[ "$(grep -c '^cordon: denied .*; ' <<<"$output")" -eq 256 ]
	[[ "$output" == *"times: others, for which the list of 256 is too short"* ]]
	jq -e '(.denials | length) == 256 and .denials_not_listed > 50' report
}

@test "denials: the report has them, also with -q" {
	need jq
	gives 42 EAFNOSUPPORT cordon run -q --explain-denials --report report -- "$ATTACK/call" socket 40 1 0
	jq -e '.denials | length == 1' report
	[ "$(jq -c '.denials[0] | [.call, .argument, .answer, .count, .file, .waiver]' report)" = \
		'["socket","AF_VSOCK","EAFNOSUPPORT",1,"profile base","seccomp.call:socket"]' ]
	jq -e '.denials[0].line > 0 and .denials_not_listed == 0' report
	run -0 cordon run --report report -- true
	jq -e 'has("denials") and .denials == null and .denials_not_listed == null' report
	run -0 cordon run --explain-denials --report report -- true
	jq -e '.denials == []' report
}

@test "denials: who answers can do nothing else" {
	start --timeout 60s -- sleep 60
	# The program runs: whoever answers is confined by then.
	eventually has_init
	eventually pgrep -P "$init" -x sleep
	[ "$(awk '/^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs|Seccomp):/ { print $2 }' "/proc/$notifier/status" | sort -u | xargs)" = \
		"0000000000000000 1 2" ]
	[ "$(ps -o ni= -p "$notifier" | xargs)" = 10 ]
	# A session of its own, as root an id of its own.
	[ "$(ps -o sid= -p "$notifier" | xargs)" = "$notifier" ]
	if is_root; then
		[ "$(awk '/^CapBnd:/ { print $2 }' "/proc/$notifier/status")" = 0000000000000000 ]
		[ "$(cd "/proc/$notifier/fd" && echo *)" = "0 1" ]
		[[ "$(readlink "/proc/$notifier/fd/0")" == *"seccomp notify"* ]]
		[ "$(awk '/^Uid:/ { print $2 }' "/proc/$notifier/status")" -gt 65535 ]
		# Nobody else has it.
		eventually keeper_has_started
		readlink "/proc/$keeper/fd/"* "/proc/$init/fd/"* >fds
		run -1 grep 'seccomp notify' fds
	else
		# Not to be read by its own user.
		[ -z "$(ls "/proc/$notifier/fd" 2>/dev/null)" ]
	fi
	kill "$keeper"
	ends_with 143
	[ ! -d "/proc/$notifier" ]
}

@test "denials: kill -9 of who answers: denied calls get ENOSYS, the run goes on and says so" {
	need jq
	start --ro "$ATTACK" --report report -- sh -c '"$0" count 20; exit 7' "$ATTACK/deny"
	eventually said 2
	kill -9 "$notifier"
	ends_with 7
	# Never "ok".
	[ "$(grep -cxE 'EPERM|ENOSYS' out)" -eq 20 ]
	[ "$(head -n 1 out)" = EPERM ]
	grep -qx ENOSYS out
	grep -qx 'cordon: which calls were denied is not known: the process that answers them was killed (since then the answer was ENOSYS)' out
	[ "$(grep -c 'cordon: denied' out)" -eq 0 ]
	jq -e '.exit_code == 7 and .denials == null' report
	# Control: alive.
	start -- "$ATTACK/deny" count 20
	ends_with 0
	[ "$(grep -cx EPERM out)" -eq 20 ]
	grep -q 'cordon: denied 20 times: keyctl 0' out
}

@test "denials: a workload has no listener of its own, which could let a denied call go on" {
	local go=$PWD/go
	mkfifo "$go"
	# Controls: with the call allowed by both filters the program's own listener lets it go on;
	# and where the filter answers by itself, nobody asks the program's.
	says 0 "*ok" cordon run --waive "seccomp.call:keyctl=a test" -- "$ATTACK/deny" listener
	gives 42 EPERM cordon run -- "$ATTACK/deny" listener
	says 42 "no listener: EBUSY
*" explained "$ATTACK/deny" listener
	# The same when nobody is left who answers: the kernel would give it one then.
	start --ro "$ATTACK" -- sh -c 'read -r word; exec "$0" listener' "$ATTACK/deny" <>"$go"
	kill -9 "$notifier"
	eventually eval '[ ! -d "/proc/$notifier" ] || grep -q "^State:.Z" "/proc/$notifier/status"'
	echo go >"$go"
	ends_with 42
	[ "$(head -n 1 out)" = "no listener: EBUSY" ]
}

@test "denials: the timeout ends a flood of denied calls, which are counted" {
	local before=$SECONDS
	says 137 "cordon: ended by limits.wall_time: 1 s (command line)
cordon: denied [0-9]* times: keyctl 0: EPERM (profile base:*" \
		cordon run --explain-denials --timeout 1s -- "$ATTACK/deny" flood 20
	[ "$((SECONDS - before))" -le 60 ]
	[ "$(awk '/denied/ { print $3 }' <<<"$output")" -gt 100 ]
}

flood_of_four() {
	[ "$(pgrep -fc "^$ATTACK/deny flood 4$")" -eq 4 ]
}

@test "denials: signals end a flood of denied calls" {
	local name
	for name in INT TERM KILL; do
		start --timeout 60s -- "$ATTACK/deny" flood 4
		eventually flood_of_four
		sleep 0.2
		# As ^C and others: to cordon. KILL is for the program itself.
		if [ "$name" = KILL ]; then
			pkill -KILL -f "^$ATTACK/deny flood 4$"
		else
			kill "-$name" "$keeper"
		fi
		ends_with $((128 + $(kill -l "$name")))
		grep -q 'cordon: denied [0-9]* times: keyctl 0' out
		[ ! -d "/proc/$notifier" ]
	done
}

@test "denials: kill -9 of the keeper in a flood of denied calls leaves nobody behind" {
	start --timeout 60s -- "$ATTACK/deny" flood 4
	eventually has_init
	eventually flood_of_four
	kill -9 "$keeper"
	wait "$keeper" || true
	keeper=
	eventually eval '[ ! -d "/proc/$init" ] && [ ! -d "/proc/$notifier" ]'
}

@test "denials: a program that could not be executed, and a failed start, list nothing" {
	says 127 "cordon: *no-such-program*" explained no-such-program
	[[ "$output" != *denied* ]]
	says 125 "cordon: *" explained --no-such-flag || says 127 "cordon: *" explained --no-such-flag
}

@test "denials: cordon that runs under somebody's listener refuses, with the reason" {
	says 125 "cordon: step seccomp: load the system call filter with a listener: *
cordon:   hint: cordon itself runs under a filter that has one*" \
		"$ATTACK/deny" under "$CORDON" --root "$CORDON_ROOT" run --explain-denials -- true
	gives 0 "" "$ATTACK/deny" under "$CORDON" --root "$CORDON_ROOT" run -- true
}

# Landlock's and AppArmor's records are looked at in virtual machines: tests/vm/audit.bats.
@test "denials: where Landlock's cannot be listed one line says why" {
	local version why
	version=$(cordon doctor | awk '$2 == "Landlock" { print $4 + 0 }')
	[ "$version" -ge 6 ] || skip "Landlock of version 6 is of Linux 6.12"
	if [ "$version" -lt 7 ]; then
		why="cordon: access to files is not listed: this kernel's Landlock records nothing*"
	elif ! is_root; then
		why="cordon: denials by Landlock and AppArmor are not listed: *(CAP_AUDIT_READ)*"
	else
		# As root it depends on the machine, down to a list.
		why="cordon: *Landlock*"
	fi
	says 42 "*cordon: no system call was denied
$why" cordon run --explain-denials --set landlock=auto -- sh -c 'echo 999 >/proc/self/oom_score_adj || exit 42'
	gives 42 "" cordon run -q --explain-denials --set landlock=auto -- sh -c '{ echo 999 >/proc/self/oom_score_adj; } 2>/dev/null || exit 42'
}

@test "denials: the line says what of the policy an argument runs into, where the program fails" {
	mkdir ro
	echo text >ro/file
	gives 3 "cordon: no system call was denied
$FILES; likely: ro/file is not visible inside; add --ro ro" explained sh -c 'exit 3' sh ro/file
	gives 3 "cordon: no system call was denied
$FILES; likely: $PWD/ro/file is read-only inside: $PWD/ro is mounted so (command line); --rw $PWD/ro" \
		cordon run --explain-denials --ro ro -- sh -c 'exit 3' sh "$PWD/ro/file"
	cat >p.yaml <<-END
		cordon: 1
		extends: default
		volumes:
		  - {source: ./ro, target: $PWD/ro, read_only: true}
	END
	gives 3 "cordon: no system call was denied
$FILES; likely: $PWD/ro/file is read-only inside: $PWD/ro is mounted so (./p.yaml:4); --rw $PWD/ro" \
		cordon run --explain-denials --profile ./p.yaml -- sh -c 'exit 3' sh "$PWD/ro/file"
	# The control: nothing stands in its way, or it did not fail.
	! is_root || chown -R 12345:12345 ro
	gives 3 "cordon: no system call was denied
$FILES" cordon run --explain-denials --rw ro -- sh -c 'exit 3' sh "$PWD/ro/file"
	gives 0 "cordon: no system call was denied
$FILES" cordon run --explain-denials --ro ro -- true "$PWD/ro/file"
}
