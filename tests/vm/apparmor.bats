#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# AppArmor, in a virtual machine whose kernel has it: profiles of the whole host are loaded and removed.
# Each refusal by the profile with what the kernel says without it.

# bats file_tags=vm
load ../lib/cordon
load ../lib/attack

setup() {
	cordon_setup
	# cordon.bash reads it.
	# shellcheck disable=SC2034
	CORDON_ROOT=$BATS_TEST_TMPDIR.root
	[ "$(cat /proc/sys/kernel/hostname)" = vm ] || skip "not in a virtual machine of tests/vm/run"
	need apparmor_parser
	cd "$BATS_TEST_TMPDIR" || return
	loaded=()
	# The state of the ordinary user's sandboxes.
	user_root=/home/user/tmp/root
}

teardown() {
	local file how
	for how in cordon user_cordon; do
		"$how" rm -f kept bare >/dev/null 2>&1 || echo "$how: nothing left to remove"
	done
	for file in "${loaded[@]}"; do
		apparmor_parser -R "$file"
	done
	cordon_teardown
}

load_profile() { # FILE [FLAG...]
	apparmor_parser -r -K "${@:2}" "$1"
	loaded+=("$1")
}

load_own() {
	load_profile "$repo/profiles/apparmor/cordon-workload"
}

# A sandbox that is kept is entered from the directory that it was made in.
ordinary=(setpriv --reuid 1000 --regid 1000 --clear-groups env -C /home/user HOME=/home/user TMPDIR=/home/user/tmp)

user_cordon() { # ARG...
	"${ordinary[@]}" "$CORDON" --root "$user_root" "$@"
}

label=(cat /proc/self/attr/apparmor/current)
auto=(--set apparmor=auto)

# In the background. Sets client, which is cordon's own process.
client_of() { # cordon|user_cordon ARG...
	local command=("$CORDON" --root "$CORDON_ROOT" "${@:2}")
	[ "$1" = cordon ] || command=("${ordinary[@]}" "$CORDON" --root "$user_root" "${@:2}")
	"${command[@]}" >/dev/null 2>&1 </dev/null 3>&- &
	client=$!
}

# Under the profile of that name, as aa-exec(1) does it.
under() { # PROFILE COMMAND...
	# $$ is the process that is replaced.
	bash -c 'echo "exec $0" >/proc/$$/attr/apparmor/exec && exec "$@"' "$@"
}

# bats test_tags=root
@test "apparmor: auto is refused with the fix until the profile is loaded, then the program is under it" {
	local how
	for how in cordon user_cordon; do
		says 125 "cordon: apparmor: the profile cordon-workload is not loaded*hint: *cordon doctor*" \
			"$how" run "${auto[@]}" -- true
		says 0 "*MISS AppArmor*apparmor_parser -r /etc/apparmor.d/cordon-workload*" "$how" doctor
		# Nothing is asked for.
		gives 0 unconfined "$how" run -- "${label[@]}"
	done
	load_own
	for how in cordon user_cordon; do
		gives 0 "cordon-workload (enforce)" "$how" run "${auto[@]}" -- "${label[@]}"
		# Children, too, and scripts.
		gives 0 "cordon-workload (enforce)" "$how" run "${auto[@]}" -- sh -c 'sh -c "cat /proc/self/attr/current"; :'
		says 0 "*ok   AppArmor*" "$how" doctor
	done
}

# bats test_tags=root
@test "apparmor: below when_possible a missing profile is one line, and stands in the report" {
	gives 0 "cordon: not enforced here: apparmor (see cordon doctor)
unconfined" cordon run --report "$PWD/report" --set when_possible.apparmor=auto -- "${label[@]}"
	[ "$(jq -c .not_enforced report)" = '["apparmor"]' ]
	gives 0 unconfined cordon run -q --set when_possible.apparmor=auto -- "${label[@]}"
	load_own
	gives 0 "cordon-workload (enforce)" cordon run --report "$PWD/report" --set when_possible.apparmor=auto -- "${label[@]}"
	[ "$(jq -c .not_enforced report)" = '[]' ]
}

# bats test_tags=root
@test "apparmor: sockets that the profile does not name, also without the filter" {
	load_own
	# Raw and packet: without the profile it is the missing capability.
	gives 42 EACCES without seccomp cordon run "${auto[@]}" -- "$ATTACK/call" socket 2 3 1
	gives 42 EPERM without seccomp cordon run -- "$ATTACK/call" socket 2 3 1
	gives 42 EACCES without seccomp cordon run "${auto[@]}" -- "$ATTACK/call" socket 17 3 0
	gives 42 EPERM without seccomp cordon run -- "$ATTACK/call" socket 17 3 0
	# What it names works as ever.
	gives 0 ok cordon run "${auto[@]}" -- "$ATTACK/call" socket 1 1 0
	gives 0 ok cordon run "${auto[@]}" -- "$ATTACK/call" socket 2 1 0
	gives 0 ok cordon run "${auto[@]}" -- "$ATTACK/call" socket 10 2 0
	gives 0 ok cordon run "${auto[@]}" -- "$ATTACK/call" socket 16 3 0
}

# bats test_tags=root
@test "apparmor: files of the kernel, also where the mounts do not hide them" {
	local file
	load_own
	for file in /proc/kallsyms /proc/key-users; do
		says 42 "*Permission denied*" without kernel_paths inside "head -c 1 $file 2>&1 || exit 42" "${auto[@]}"
		says 0 "?*" without kernel_paths inside "head -c 1 $file 2>&1 || exit 42"
	done
}

# bats test_tags=root
@test "apparmor: the program cannot leave the profile" {
	local tried='{ echo "exec unconfined" >/proc/self/attr/apparmor/exec; } 2>&1 || exit 42'
	load_own
	says 42 "*Permission denied*" inside "$tried" "${auto[@]}"
	gives 0 "" inside "$tried"
}

# bats test_tags=root
@test "apparmor: programs work under the profile: files, pipes, signals, children" {
	load_own
	local how
	for how in cordon user_cordon; do
		gives 0 "ok" "$how" run "${auto[@]}" -- bash -c 'set -e
			cd /tmp; echo text >a; mv a b; ln -s b c; cp /bin/true t; ./t; cat c | grep -q text
			sleep 100 & kill $!; wait $! || [ $? -eq 143 ]
			: </dev/null; head -c 9 /dev/urandom >/dev/shm/r; ls -l /proc/self/fd >/dev/null; echo ok'
	done
	# What lies in no tree of the sandbox: the caller's own files.
	echo input >input
	cordon run "${auto[@]}" -- cat <input >output
	[ "$(cat output)" = input ]
	# Signals from outside arrive.
	"$CORDON" --root "$CORDON_ROOT" run "${auto[@]}" -- sleep 100 3>&- &
	keeper=$!
	eventually has_init
	kill -TERM "$keeper"
	run wait "$keeper"
	gives 0 "cordon-workload (enforce)" cordon run -q --profile strict "${auto[@]}" -- "${label[@]}"
}

# bats test_tags=root
@test "apparmor: a name means that profile or no start" {
	printf 'abi <abi/3.0>,\nprofile cordon-test { file, deny /usr/bin/id rx, }\n' >profile
	says 125 "cordon: apparmor: the profile cordon-test is not loaded*" cordon run --set apparmor=cordon-test -- true
	load_profile "$PWD/profile"
	gives 0 "cordon-test (enforce)" cordon run --set apparmor=cordon-test -- "${label[@]}"
	says 126 "*id: Permission denied*" cordon run --set apparmor=cordon-test -- sh -c 'id -u'
	gives 0 1000 cordon run -- id -u
	# A profile that only complains is none.
	load_profile "$PWD/profile" -C
	says 125 "cordon: step apparmor: *'cordon-test (complain)', not cordon-test in enforce mode*" \
		cordon run --set apparmor=cordon-test -- true
}

# bats test_tags=root
@test "apparmor: where the caller is confined, both profiles hold" {
	local all='file, capability, network, mount, umount, pivot_root, signal, ptrace, unix,'
	load_own
	printf 'abi <abi/3.0>,\nprofile %s flags=(attach_disconnected) { %s %s deny /usr/bin/id rx, }\n' \
		outer "$all" 'change_profile -> &cordon-workload,' >outer
	printf 'abi <abi/3.0>,\nprofile closed flags=(attach_disconnected) { %s }\n' "$all" >closed
	load_profile "$PWD/outer"
	load_profile "$PWD/closed"
	run under outer "$CORDON" --root "$CORDON_ROOT" run "${auto[@]}" -- "${label[@]}"
	[ "$status" -eq 0 ]
	[[ "$output" == "cordon-workload//&outer (enforce)" || "$output" == "outer//&cordon-workload (enforce)" ]]
	says 126 "*id: Permission denied*" under outer "$CORDON" --root "$CORDON_ROOT" run "${auto[@]}" -- sh -c 'id -u'
	# Its own processes are within reach.
	gives 0 "" under outer "$CORDON" --root "$CORDON_ROOT" run "${auto[@]}" -- bash -c 'sleep 9 & kill $!'
	says 125 "cordon: apparmor: the profile that cordon itself is under does not let it use cordon-workload*" \
		under closed "$CORDON" --root "$CORDON_ROOT" run "${auto[@]}" -- true
	# The control: without the key its own profile goes on.
	gives 0 "closed (enforce)" under closed "$CORDON" --root "$CORDON_ROOT" run -- "${label[@]}"
}

# bats test_tags=root
@test "apparmor: the row that is left out is noticed; unconfined takes the waiver" {
	load_own
	says 125 "cordon: step apparmor: *" without apparmor cordon run "${auto[@]}" -- true
	says 125 "*needs-waiver*" cordon run --set apparmor=unconfined -- true
	gives 0 "cordon: waived: apparmor (a test)
unconfined" cordon run --set apparmor=unconfined --waive "apparmor=a test" -- "${label[@]}"
}

# A sandbox in the background under the profile, and one that is not. Each with a program that is found
# by its command line.
keep_two() { # HOW
	"$1" run -d --name kept "${auto[@]}" -- sleep 7654401 >/dev/null 3>&-
	"$1" run -d --name bare -- sleep 7654402 >/dev/null 3>&-
	eventually pgrep -x -f "sleep 7654401"
	eventually pgrep -x -f "sleep 7654402"
}

# What the kernel says of a program from outside.
label_of() { # COMMAND LINE
	local pid
	pid=$(pgrep -x -f "$1") && cat "/proc/$pid/attr/apparmor/current"
}

runs_no_more() { # COMMAND LINE
	! pgrep -x -f "$1" >/dev/null
}

remove_two() { # HOW
	"$1" rm -f kept bare >/dev/null
}

# bats test_tags=root
@test "apparmor: what exec brings in is under the profile that the sandbox's own program is under" {
	local how client tried='{ echo "exec unconfined" >/proc/self/attr/apparmor/exec; } 2>&1 || exit 42'
	load_own
	for how in cordon user_cordon; do
		keep_two "$how"
		client_of "$how" exec kept sleep 7654403
		eventually pgrep -x -f "sleep 7654403"
		"$how" exec -d bare sleep 7654404
		gives 0 "cordon-workload (enforce)" label_of "sleep 7654401"
		gives 0 "cordon-workload (enforce)" label_of "sleep 7654403"
		gives 0 "cordon-workload (enforce)" "$how" exec kept "${label[@]}"
		gives 0 "cordon-workload (enforce)" "$how" exec kept sh -c 'sh -c "cat /proc/self/attr/current"; :'
		says 42 "*Permission denied*" "$how" exec kept sh -c "$tried"
		# A signal that a parent's death sends is one that the profile may refuse.
		kill -9 "$client"
		run wait "$client"
		eventually runs_no_more "sleep 7654403"
		# It works all the same, with its own processes and with those of the other program.
		gives 0 ok "$how" exec kept sh -c 'sleep 9 & kill $! && pkill -CONT -x -f "sleep 7654401" && echo ok'
		# The control: a sandbox whose policy does not ask for it.
		gives 0 unconfined label_of "sleep 7654402"
		gives 0 unconfined label_of "sleep 7654404"
		gives 0 unconfined "$how" exec bare "${label[@]}"
		gives 0 "" "$how" exec bare sh -c "$tried"
		remove_two "$how"
	done
}

# bats test_tags=root
@test "apparmor: where the profile cannot be had, exec starts nothing" {
	# One program for all: as a user a sandbox is not entered by another file than it was started by.
	CORDON=$FAULTY
	load_own
	keep_two user_cordon
	says 125 "cordon: step apparmor: apparmor: read back what exec will bring*" without apparmor user_cordon exec kept echo never
	CORDON_FAULT=apparmor:fail says 125 "cordon: step apparmor: *" user_cordon exec kept echo never
	# Only complaining it is none.
	load_profile "$repo/profiles/apparmor/cordon-workload" -C
	says 125 "cordon: step apparmor: *'cordon-workload (complain)', not cordon-workload in enforce mode*" \
		user_cordon exec kept echo never
	apparmor_parser -R "$repo/profiles/apparmor/cordon-workload"
	loaded=()
	says 125 "cordon: apparmor: the profile cordon-workload is not loaded*" user_cordon exec kept echo never
	# The controls: who does not ask for it, and the same sandbox once it is there.
	gives 0 here user_cordon exec bare echo here
	load_own
	gives 0 here user_cordon exec kept echo here
}

# bats test_tags=root
@test "apparmor: where the client of exec is confined, both profiles hold" {
	local all='file, capability, network, mount, umount, pivot_root, signal, ptrace, unix,'
	load_own
	printf 'abi <abi/3.0>,\nprofile %s flags=(attach_disconnected) { %s %s deny /usr/bin/id rx, }\n' \
		outer "$all" 'change_profile -> &cordon-workload,' >outer
	printf 'abi <abi/3.0>,\nprofile closed flags=(attach_disconnected) { %s }\n' "$all" >closed
	load_profile "$PWD/outer"
	load_profile "$PWD/closed"
	keep_two cordon
	run under outer "$CORDON" --root "$CORDON_ROOT" exec kept "${label[@]}"
	[ "$status" -eq 0 ]
	[[ "$output" == "cordon-workload//&outer (enforce)" || "$output" == "outer//&cordon-workload (enforce)" ]]
	says 126 "*id: Permission denied*" under outer "$CORDON" --root "$CORDON_ROOT" exec kept sh -c 'id -u'
	gives 0 1000 cordon exec kept id -u
	says 125 "cordon: apparmor: the profile that cordon itself is under does not let it use cordon-workload*" \
		under closed "$CORDON" --root "$CORDON_ROOT" exec kept echo never
	gives 0 "closed (enforce)" under closed "$CORDON" --root "$CORDON_ROOT" exec bare "${label[@]}"
}
