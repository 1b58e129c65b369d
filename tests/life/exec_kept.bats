#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# `cordon exec`: another program in a sandbox that runs. That it is confined as the sandbox's own is,
# what it counts for, how it ends, and what somebody inside can do about it before it is there.

# "exec" is a command of cordon's here, and what follows no command of the shell's.
# shellcheck disable=SC2238

load ../lib/cordon
load ../lib/attack
load ../lib/groups

# One program for all, since as a user a sandbox is not entered by another file than it was started
# by, and some of it is with a row left out.
CORDON=$FAULTY

teardown() {
	local name
	for name in "$CORDON_ROOT"/state/names/*; do
		[ -e "$name" ] || [ -L "$name" ] || continue
		cordon stop "${name##*/}" >/dev/null 2>&1 || echo "cannot stop ${name##*/}"
		cordon rm "${name##*/}" >/dev/null || return 1
	done
	[ ! -d "$CORDON_ROOT/run/sandboxes" ] || rmdir "$CORDON_ROOT/run/sandboxes" || return 1
	own_groups_end && cordon_teardown
}

# A sandbox in the background.
kept() { # NAME ARG...
	cordon run -d --name "$@" >/dev/null 3>&-
}

# A program in a sandbox, in the background. Sets client.
entered() { # NAME COMMAND...
	"$CORDON" --root "$CORDON_ROOT" exec "$@" >out 2>&1 3>&- &
	client=$!
}

# Waits for its end. "Not zero" is no assertion.
left() { # CODE
	local code=0
	wait "$client" || code=$?
	[ "$code" -eq "$1" ] || { echo "exit code $code, wanted $1"; cat out; return 1; }
}

# Here, and not in the suite's other half, which runs the same tests.
runs() { # COMMAND LINE
	local pid
	for pid in $(pgrep -x -f "$1"); do
		host_is_others "$pid" || return 0
	done
	return 1
}

runs_no_more() { # COMMAND LINE
	! runs "$1"
}

# What a program is confined by, as it reads it itself.
state='grep -E "^(Uid|Gid|Groups|NoNewPrivs|Seccomp|Seccomp_filters|Cap...|SigIgn|SigBlk|Cpus_allowed_list):" /proc/self/status
for n in user mnt pid net ipc uts cgroup time; do readlink "/proc/self/ns/$n"; done
cat /proc/self/cgroup /proc/self/limits /proc/self/oom_score_adj /proc/self/personality /proc/self/mountinfo
cat /proc/self/attr/current 2>&1
umask; pwd; env | sort; ls /proc/self/fd | wc -l; cut -d " " -f 19 /proc/self/stat'

out_directory() {
	mkdir out
	[ "$(id -u)" -ne 0 ] || chown 61235:61235 out
}

same_state() { # FLAG...
	kept same "$@" --rw "$PWD/out" -w /tmp -- sh -c "{ $state; } >out.tmp 2>&1 </dev/null; cp out.tmp $PWD/out/own; exec sleep 1000"
	eventually test -s out/own
	cordon exec same sh -c "{ $state; } >/tmp/exec.tmp 2>&1 </dev/null; cat /tmp/exec.tmp" >entered.state
	[ "$(wc -l <entered.state)" -gt 50 ]
	diff out/own entered.state
	cordon stop same >/dev/null
	cordon rm same >/dev/null
	rm -f out/own
}

# bats test_tags=vm
@test "what it is confined by is what the sandbox's own program is confined by" {
	out_directory
	same_state
	same_state --set when_possible.landlock=auto --ulimit nofile=77 --ulimit nproc=33 -e A=b
}

@test "... with control groups as well" {
	out_directory
	own_groups
	same_state --cgroup-parent "$group" --set limits.pids=20 --set limits.memory=256MiB
}

# A program's filter is read by somebody who has none and is root on the host.
# bats test_tags=root
@test "the filter is the same, instruction by instruction" {
	local own other
	kept same -- "$ATTACK/filters" wait
	eventually pgrep -f "$ATTACK/filters wait"
	own=$(pgrep -f "$ATTACK/filters wait" | tail -n 1)
	# A host file at 1 or 2 is a reason of its own to refuse setuid bits.
	"$CORDON" --root "$CORDON_ROOT" exec same sleep 7654321 >/dev/null 2>&1 </dev/null 3>&- &
	client=$!
	eventually runs "sleep 7654321"
	other=$(pgrep -x -f "sleep 7654321")
	"$ATTACK/filters" read "$own" "$PWD/own"
	"$ATTACK/filters" read "$other" "$PWD/other"
	[ "$(stat -c %s own.0)" -gt 800 ]
	cmp own.0 other.0
	[ ! -e own.1 ] && [ ! -e other.1 ]
	kill "$client"
	left 143
}

# bats test_tags=vm
@test "exit codes are the program's, signals give 128 and the number, and cordon's own are 125 to 127" {
	local code
	kept ends -- sleep 1000
	for code in 0 1 2 42 124 125 126 127 128 200 255; do
		gives "$code" "" cordon exec ends sh -c "exit $code"
	done
	for code in 1 2 9 15 64; do
		gives $((128 + code)) "" cordon exec ends sh -c "kill -$code \$\$"
	done
	says 127 "cordon: step program: no-such: not in the sandbox's PATH*" cordon exec ends no-such
	says 126 "cordon: step program: /etc/passwd: Permission denied*" cordon exec ends /etc/passwd
	says 125 "*exec wants a sandbox and a program*" cordon exec ends
	says 125 "*no sandbox is called nobody*" cordon exec nobody true
	says 125 "*working_dir: /no/such*" cordon exec -w /no/such ends true
	gives 0 alive cordon exec ends echo alive
}

@test "-e, --env-file, -w and what is piped in" {
	echo "B=from a file" >env
	kept flags -e A=first -- sleep 1000
	gives 0 "first|from a file|mine|/usr" env C=mine "$CORDON" --root "$CORDON_ROOT" exec \
		--env-file env -e C -w /usr flags sh -c 'echo "$A|$B|$C|$PWD"'
	gives 0 "second" cordon exec --env A=second flags sh -c 'echo "$A"'
	gives 0 "12" sh -c "printf 12 | $CORDON --root $CORDON_ROOT exec -i flags cat"
	gives 0 "" cordon exec -q flags cat </dev/null
	if is_root; then
		gives 0 "B=from a file" cordon exec flags cat <env
		gives 0 "0:0" cordon exec -u 0:0 flags sh -c 'echo "$(id -u):$(id -g)"'
	else
		says 125 "*a file at stdin cannot be passed into a sandbox that runs*cat FILE*" cordon exec flags cat <env
	fi
	says 125 "*--rw*" cordon exec --rw /tmp flags true
}

@test "no descriptor but 0, 1 and 2" {
	kept fds -- sleep 1000
	exec 7</etc/hostname 9>"$PWD/nine"
	gives 0 "0 1 2 3" cordon exec fds sh -c 'echo $(ls /proc/self/fd)' </dev/null
	exec 7<&- 9>&-
}

# bats test_tags=vm
@test "signals are passed on, and the client's kill -9 is the program's end" {
	kept signals -- sleep 1000
	entered signals sh -c 'trap "echo got; exit 9" USR1; echo up; while :; do sleep 0.05; done'
	eventually grep -q up out
	kill -USR1 "$client"
	left 9
	grep -q got out
	entered signals sleep 7654322
	eventually runs "sleep 7654322"
	kill -9 "$client"
	left 137
	eventually runs_no_more "sleep 7654322"
	gives 0 alive cordon exec signals echo alive
}

# bats test_tags=vm
@test "it ends with the sandbox, and says so" {
	kept short -- sleep 1000
	entered short sleep 7654323
	eventually runs "sleep 7654323"
	cordon stop short >/dev/null
	left 137
	grep -q "the sandbox short has ended, and the program with it" out
	says 125 "*sandbox short is exited*cordon start short*" cordon exec short true
}

# bats test_tags=vm
@test "limits.pids counts it: the last place is its, and one more is refused" {
	kept full --set limits.pids=4 -- sh -c 'sleep 1000 & sleep 1000 & wait'
	eventually cordon exec full test -e /proc/4
	entered full sleep 7654324
	eventually runs "sleep 7654324"
	says 125 "*limits.pids*nd something in it first*" cordon exec -q full echo never
	runs "sleep 7654324"
	kill "$client"
	left 143
	eventually cordon exec full true
}

# bats test_tags=vm
@test "limits.nproc counts it" {
	kept full --ulimit nproc=4 -- sh -c 'sleep 1000 & sleep 1000 & wait'
	eventually cordon exec full test -e /proc/4
	entered full sleep 7654325
	eventually runs "sleep 7654325"
	run cordon exec full echo never
	[ "$status" -eq 125 ] || [ "$status" -eq 126 ]
	[[ "$output" == *"Resource temporarily unavailable"* ]]
	kill "$client"
	left 143
	eventually cordon exec full true
}

# Who waits inside for what comes in; the sandbox itself runs without a filter, or that would answer.
# Sets code, and said to what the attacker got.
grab_while() { # FAULT
	local name=grab$RANDOM end
	CORDON=$FAULTY CORDON_FAULT=seccomp:skip cordon run --name "$name" -- "$ATTACK/grab" 150 stop >said 2>&1 3>&- &
	eventually grep -q waits said
	eventually cordon exec "$name" true
	# One alone may be done between two of its looks; where all is slow some will do.
	end=$((SECONDS + 5))
	for _ in {1..12}; do
		[ "$SECONDS" -le "$end" ] || break
		CORDON_FAULT=$1 cordon exec -e SECRET=hunter2 "$name" true
	done
	# The file ends the attacker, the sandbox, and whoever has made it: nobody waits for that one.
	cordon exec -d "$name" touch /tmp/enough
	code=0
	wait $! || code=$?
	said=$(grep -o "met.*" said)
	cordon rm "$name" >/dev/null
}

# bats test_tags=vm
@test "nobody inside gets hold of it before its program is there: not its memory, descriptors, arguments" {
	grab_while none:skip
	echo "$said"
	[ "$code" -eq 42 ]
	[[ "$said" =~ ^met\ [1-9][0-9]*$ ]]
}

# As root the kernel takes the dumpability of whoever changes ids, too (fs.suid_dumpable).
# bats test_tags=user
@test "control: without the row undumpable all of it is there to be taken" {
	local way
	grab_while enter.blind:skip
	echo "$said"
	[ "$code" -eq 0 ]
	for way in mem environ fd root seize process_vm_readv pidfd_getfd; do
		[[ "$said" == *" $way "* ]]
	done
}

is_stopped() {
	pgrep -u "$(id -u)" -r T -x cordon >/dev/null
}

# Whichever comes first.
stopped_or_done() {
	local i
	for ((i = 0; i < 300; i++)); do
		! is_stopped || return 0
		kill -0 "$client" 2>kill.err || return 1
		sleep 0.1
	done
	return 1
}

# As root it has other ids than what runs inside, until it is about to execute.
# bats test_tags=user
@test "who is stopped by what runs inside, before its program is there, does not keep its client" {
	local i
	# The first may be done between two looks of the other's: then the next one comes.
	kept stops -- sh -c 'while :; do for n in 3 4 5 6 7 8 9 10 11 12 13; do kill -STOP $n 2>/dev/null; done; done'
	for ((i = 0; i < 9; i++)); do
		entered stops echo never
		! stopped_or_done || break
	done
	is_stopped
	kill "$client"
	left 143
	[ ! -s out ]
	cordon stop stops >/dev/null
	[ -z "$(pgrep -u "$(id -u)" -r T -x cordon)" ]
}

# What runs inside can get at the file that a process before its exec runs from (a script whose
# interpreter is /proc/self/exe). It cannot be written to while the keeper runs from the same one.
# bats test_tags=user
@test "a program of cordon that the keeper does not run from, and that its user can write to, is refused" {
	cp "$CORDON" "$PWD/other"
	kept file -- sleep 1000
	says 125 "*runs by another file than*cordon stop file*" "$PWD/other" --root "$CORDON_ROOT" exec file true
	gives 0 here cordon exec file echo here
}

left_out() { # ROW TEXT
	local code=0
	CORDON_FAULT=$1:skip "$FAULTY" --root "$CORDON_ROOT" exec rows echo never >said 2>&1 </dev/null || code=$?
	# TEXT is a pattern.
	# shellcheck disable=SC2053
	[ "$code" -ge 125 ] && [ "$code" -le 127 ] && [[ "$(<said)" == cordon:\ $2 ]] && ! grep -q never said && return 0
	echo "$1: exit code $code"
	cat said
	return 1
}

@test "a row that is left out is refused" {
	local row
	kept rows --set landlock=auto -- sleep 1000
	for row in undumpable parent_death_signal entered_death_signal rlimits nproc no_new_privs program landlock keeper_privileges; do
		left_out "$row" "*"
	done
	# What makes a process dumpable after that row, at each of the two places that look again.
	left_out enter.joined "what runs in the sandbox could look into cordon*"
	left_out enter.taken "step entered_death_signal: what runs in the sandbox could look into cordon*"
	gives 0 here env CORDON_FAULT=none:skip "$FAULTY" --root "$CORDON_ROOT" exec rows echo here
}

@test "a keeper that does not hold what exec goes by is refused at the start" {
	local row code
	for row in namespaces landlock_places; do
		code=0
		CORDON_FAULT=$row:skip "$FAULTY" --root "$CORDON_ROOT" run -d --name held --set landlock=auto -- sleep 1000 \
			>said 2>&1 </dev/null 3>&- || code=$?
		[ "$code" -eq 125 ] && grep -q "^cordon: step $row: .* held" said || { echo "$row: exit code $code"; cat said; return 1; }
	done
	kept held --set landlock=auto -- sleep 1000
	gives 0 here cordon exec held echo here
}

@test "the client is killed in front of each row: nothing of it is left inside" {
	local row code
	kept rows -- sleep 1000
	for row in oom_score undumpable parent_death_signal session scheduling rlimits identity \
		entered_death_signal program read_back keeper_privileges seccomp; do
		code=0
		CORDON_FAULT=$row:kill-keeper "$FAULTY" --root "$CORDON_ROOT" exec rows sleep 7654326 \
			>/dev/null 2>&1 </dev/null 3>&- || code=$?
		[ "$code" -eq 137 ] || { echo "$row: exit code $code"; return 1; }
		eventually runs_no_more "sleep 7654326"
	done
	# A process of cordon's would be there by that name; dead ones wait for the host's init.
	gives 0 "" cordon exec rows sh -c 'grep -lx cordon /proc/[0-9]*/comm | while read -r file; do
		grep -q "^State:.Z" "${file%comm}status" || echo "$file"; done'
}

@test "-d: nothing is printed, the program goes on, and ends with the sandbox" {
	kept back -- sleep 1000
	gives 0 "" cordon exec -d back sleep 7654327
	runs "sleep 7654327"
	says 127 "*no-such: not in the sandbox's PATH*" cordon exec -d back no-such
	says 125 "*no sandbox is called nobody*" cordon exec -d nobody true
	says 125 "*-d has no terminal*" cordon exec -d -i back true
	cordon stop back >/dev/null
	eventually runs_no_more "sleep 7654327"
	says 125 "*sandbox back is exited*" cordon exec -d back true
}

@test "-t without a terminal is refused" {
	kept term -- sleep 1000
	says 125 "*not a terminal, and -t insists on one*" cordon exec -t term true </dev/null
}
