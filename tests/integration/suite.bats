#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The suite's own counting (tests/lib/run_count.bash): what failed, was cut short or did not run must
# never look like success. Who counts makes no difference: with the tag `user`, for that half runs everywhere.

load ../lib/cordon

bats_require_minimum_version 1.5.0 # run -CODE

setup() {
	cordon_setup
	passed=0 failed=0 is_terminal=0 MUST_RUN=0 skipped=()
	scratch=$BATS_TEST_TMPDIR
	. "$repo/tests/lib/run_count.bash"
}

# A runner that prints TEXT on both channels and ends with CODE.
runner() { # CODE TEXT
	printf '#!/bin/sh\nprintf %s\nexit %s\n' "'$2'" "$1" >"$scratch/runner"
	chmod 755 "$scratch/runner"
}

tap() { # CODE TEXT PASSED FAILED SKIPPED
	passed=0 failed=0 skipped=()
	runner "$1" "$2"
	count_tap name "$scratch/runner"
	echo "passed $passed, failed $failed, skipped ${#skipped[@]}"
	[ "$passed $failed ${#skipped[@]}" = "$3 $4 $5" ]
}

cmocka() { # CODE TEXT PASSED FAILED
	passed=0 failed=0 skipped=()
	runner "$1" "$2"
	count_cmocka "$scratch/runner"
	echo "passed $passed, failed $failed"
	[ "$passed $failed" = "$3 $4" ]
}

# bats test_tags=user
@test "suite: TAP is counted" {
	tap 0 '1..2\nok 1 - a\nok 2 b\n' 2 0 0
	tap 1 '1..2\nok 1 a\nnot ok 2 b\n# why\n' 1 1 0
	tap 0 'ok 1 a\n1..1\n' 1 0 0
}

# bats test_tags=user
@test "suite: TAP that stops half way, or has nothing to say, is a failure" {
	tap 0 '1..3\nok 1 a\n' 1 1 0
	tap 1 '' 0 1 0
	tap 0 '' 0 1 0
	tap 1 '1..1\nok 1 a\n' 1 1 0
	tap 127 'no such file\n' 0 1 0
}

# bats test_tags=user
@test "suite: a skip is told apart, and is a failure where everything must run" {
	tap 0 '1..2\nok 1 a\nok 2 b # skip no nft\n' 1 0 1
	MUST_RUN=1
	tap 0 '1..2\nok 1 a\nok 2 b # skip no nft\n' 1 1 1
}

# bats test_tags=user
@test "suite: what this kernel has not got counts where it passed in a virtual machine, in the same half" {
	cd "$scratch"
	local skip='# skip in a virtual machine: no calls of x86'
	MUST_RUN=1
	count_tap "some as root" printf '%s\n' 1..2 "ok 1 - a $skip" "ok 2 b $skip"
	count_tap "some as a user" printf '%s\n' 1..1 "ok 1 - a $skip"
	[ "$passed $failed ${#deferred[@]}" = "0 0 3" ]
	count_tap "vm 6.1" printf '%s\n' 1..3 'ok 1 root: a in 20ms' 'not ok 2 root: b in 20ms' 'ok 3 root: user: a in 3ms'
	settle_deferred >said
	cat said
	# With b, which failed there.
	[ "$passed $failed" = "2 3" ]
	[ "${skipped[*]}" = "in a virtual machine: root: b in a virtual machine: user: a" ]
}

# bats test_tags=user
@test "suite: no tests at all are a skip, and a failure where everything must run" {
	tap 0 '1..0\n' 0 0 1
	MUST_RUN=1
	tap 0 '1..0\n' 0 1 1
	count_bats empty "$BATS_TEST_TMPDIR"
	[ "$failed" -eq 2 ]
}

# bats test_tags=user
@test "suite: cmocka is counted, also where it crashes" {
	local begin='[==========] Running 2 test(s).\n[       OK ] a\n'
	cmocka 0 "$begin"'[       OK ] b\n[  PASSED  ] 2 test(s).\n' 2 0
	cmocka 1 "$begin"'[  FAILED  ] b\n[  FAILED  ] 1 test(s), listed below:\n' 1 1
	cmocka 139 "$begin" 1 1
	cmocka 1 '' 0 1
	cmocka 0 '' 0 1
	cmocka 1 "$begin"'[       OK ] b\n[  PASSED  ] 2 test(s).\nleak\n' 2 1
}

# bats test_tags=user
@test "suite: what failed is said once more at the end, with its lines and no others" {
	cd "$scratch"
	report_failures >said
	[ ! -s said ]
	tap 1 '1..3\n# before\nnot ok 1 - a\n# why\nok 2 b\n# of b\nnot ok 3 c\n' 1 2 0
	cmocka 1 '[==========] Running 1 test(s).\n[  FAILED  ] d\n' 0 1
	echo 'of e' >of-e
	record 1 e of-e
	report_failures >said
	cat said
	diff - said <<-END
		failed:
		  name: a
		      why
		  name: c
		  $scratch/runner (exit code 1)
		      [==========] Running 1 test(s).
		      [  FAILED  ] d
		  e
		    of e
	END
}

# bats test_tags=user
@test "suite: a program that was not built is a failure" {
	count_cmocka "$scratch/nothing"
	[ "$failed" -eq 1 ]
}

# Two halves whose bats is another program here: each is one script.
# Its functions are called from run_user.bash.
# shellcheck disable=SC2317
halves() { # ROOT-SCRIPT USER-SCRIPT FUNCTION "PASSED FAILED"
	. "$repo/tests/lib/run_user.bash"
	mkdir -p tests/two bin
	touch tests/two/a.bats
	id() { echo 0; }
	user_half_begin() { user_id=4711; }
	as_user() { "$@"; }
	cat >bin/bats <<-'END'
		#!/bin/sh
		case " $* " in
		*" !user "*) exec bash -c "$ROOT_SCRIPT" root ;;
		*) exec bash -c "$USER_SCRIPT" user ;;
		esac
	END
	chmod 755 bin/bats
	ROOT_SCRIPT=$1 USER_SCRIPT=$2 PATH=$PWD/bin:$PATH "$3" two >said
	unset -f id
	cat said
	[ "$passed $failed" = "$4" ]
}

# bats test_tags=user
@test "suite: the two halves run at the same time, and one's output follows the other's" {
	cd "$BATS_TEST_TMPDIR"
	# Each waits for the other. A pipe has no end that is missed.
	mkfifo to_root to_user
	halves 'echo 1..2; echo "ok 1 a"; echo >to_user; read -r x <to_root; echo "ok 2 $CORDON_OTHER_UID"' \
		'echo 1..2; echo "ok 1 c"; read -r x <to_user; echo >to_root; echo "ok 2 d"' both_halves "4 0"
	[ "$(cat said)" = $'ok   two as root: a\nok   two as root: 4711\nok   two as a user: c\nok   two as a user: d' ]
}

# bats test_tags=user
@test "suite: a half that fails, breaks off or cannot be is a failure, whichever it is" {
	cd "$BATS_TEST_TMPDIR"
	local good='echo 1..1; echo "ok 1 a"' bad
	for bad in 'echo 1..1; echo "not ok 1 b"; exit 1' 'echo 1..1' 'echo 1..1; echo "ok 1 b"; exit 3'; do
		for how in both_halves halves_in_turn; do
			passed=0 failed=0
			halves "$good" "$bad" "$how" "$([[ $bad != *'"ok'* ]] && echo 1 1 || echo 2 1)"
			passed=0 failed=0
			halves "$bad" "$good" "$how" "$([[ $bad != *'"ok'* ]] && echo 1 1 || echo 2 1)"
		done
	done
	# What is left of the half before counts for nothing.
	passed=0 failed=0
	echo 0 >user.rc
	# Between the script and who writes its code is timeout(1).
	halves "$good" 'kill -9 $(ps -o ppid= $PPID)' both_halves "1 1"
}

# bats test_tags=user
@test "suite: what waits for ever is ended, and is a failure" {
	cd "$BATS_TEST_TMPDIR"
	test_timeout=1 stage_timeout=5
	halves 'echo 1..1; echo "ok 1 a"' 'echo 1..2; echo "ok 1 b"; sleep 60' both_halves "2 1"
	runner 0 ''
	printf 'sleep 60\n' >>"$scratch/runner"
	sed -i '/^exit/d' "$scratch/runner"
	passed=0 failed=0
	count_cmocka "$scratch/runner"
	[ "$passed $failed" = "0 1" ]
}

@test "suite: a process, a mount or a file that is left is seen" {
	host_snapshot >"$scratch/before"
	host_unchanged "$scratch/before"
	mkdir "/tmp/hostile.$$"
	run host_unchanged "$scratch/before" 0
	rmdir "/tmp/hostile.$$"
	[ "$status" -eq 1 ]
	[[ "$output" == *"file /tmp/hostile.$$"* ]]
	bash -c 'exec -a cordon-left sleep 60' 3>&- &
	local left=$!
	cp "$(command -v sleep)" "$scratch/cordon-left"
	"$scratch/cordon-left" 60 3>&- &
	run host_unchanged "$scratch/before" 0
	kill "$left" $!
	[ "$status" -eq 1 ]
	[[ "$output" == *"cordon-left 60"* ]]
}

vm_tap() { # TEXT WANTED
	run "$repo/tests/vm/tap" < <(printf '%b' "$1")
	[ "$output" = "$2" ] || { printf '%s\nwanted:\n%s\n' "$output" "$2"; return 1; }
}

# bats test_tags=user
@test "suite: what a virtual machine says is one TAP stream, and has no plan where it broke off" {
	local good='# half root (x)\n1..1\r\nok 1 a\r\n# half ends 0\n'
	vm_tap "$good# half user (x)\nnot ok 1 b\n1..1\n# half ends 1\n# vm ends\n" \
		$'# half root (x)\nok 1 root: a\n# half user (x)\nnot ok 2 user: b\n1..2'
	vm_tap "$good" $'# half root (x)\nok 1 root: a'
	vm_tap "$good# half user (x)\n# vm ends\n" $'# half root (x)\nok 1 root: a\n# half user (x)'
	vm_tap '# half root (x)\nok 1 a\n# half ends 1\n# vm ends\n' \
		$'# half root (x)\nok 1 root: a\nnot ok 2 root: planned nothing, saw 1 tests\n1..2'
	vm_tap '# half root (x)\n1..0\n# half ends 0\n# vm ends\n' \
		$'# half root (x)\nnot ok 1 root: planned 0, saw 0 tests\n1..1'
	vm_tap '# half root (x)\nok 1 a\n1..1\n# half ends 3\n# vm ends\n' \
		$'# half root (x)\nok 1 root: a\nnot ok 2 root: ended with exit code 3 and no failed test\n1..2'
}

# A file of tests as the runner of the virtual machines gets it. In capitals, so that bats does not take
# its tests for tests of this file.
vm_file() {
	sed 's/^TEST/@test/; s/^# BATS/# bats/' >"$BATS_TEST_TMPDIR/file.bats"
	awk -f "$repo/tests/vm/plain.awk" "$BATS_TEST_TMPDIR/file.bats" >"$BATS_TEST_TMPDIR/plain.bats"
}

vm_runner() { # HALF PATTERN
	TMPDIR=$BATS_TEST_TMPDIR "$repo/tests/vm/runner" "$1" "$2" "$BATS_TEST_TMPDIR/plain.bats" |
		sed -E 's/ in [0-9]+ms$//'
	return "${PIPESTATUS[0]}"
}

# bats test_tags=user
@test "suite: the runner of the virtual machines takes the tests with the tag, and sees what fails" {
	vm_file <<-'END'
		setup() { x=1; }
		teardown() { [ ! -e "$BATS_TEST_TMPDIR/left" ]; }
		# BATS test_tags=vm
		TEST "passes" {
			run -3 sh -c 'echo a; exit 3'
			[ "$output $status $x" = "a 3 1" ]
		}
		TEST "has no tag" {
			false
		}
		# BATS test_tags=vm,user
		TEST "a command in the middle" {
			false
			true
		}
		# BATS test_tags=user,vm
		TEST "another code" {
			run -3 true
			true
		}
		# BATS test_tags=vm,user
		TEST "left" {
			touch "$BATS_TEST_TMPDIR/left"
		}
		# BATS test_tags=vm,system
		TEST "where systemd is process 1" {
			run -0 true
		}
		# BATS test_tags=vm,root
		TEST "skipped" {
			skip "a reason"
			false
		}
	END
	run -0 vm_runner root .
	[ "$output" = $'ok 1 passes\nok 2 skipped # skip a reason\n1..2' ]
	run -1 vm_runner user .
	[ "$(grep -v '^#' <<<"$output")" = \
		$'ok 1 passes\nnot ok 2 a command in the middle\nnot ok 3 another code\nnot ok 4 left\n1..4' ]
	run -0 vm_runner user passes
	run -0 vm_runner system .
	[ "$output" = $'ok 1 where systemd is process 1\n1..1' ]
}

# bats test_tags=root
@test "suite: a mount that is left is seen" {
	host_snapshot >"$scratch/before"
	mkdir "$scratch/mount"
	mount -t tmpfs left "$scratch/mount"
	run host_unchanged "$scratch/before" 0
	umount "$scratch/mount"
	[ "$status" -eq 1 ]
	[[ "$output" == *"$scratch/mount"* ]]
}

# bats test_tags=root
@test "suite: what belongs to the other half is left out, and nothing else" {
	local uid left
	mkfifo "$scratch/gate"
	exec 7<>"$scratch/gate"
	setpriv --reuid 4711 --regid 4711 --clear-groups \
		bash -c 'echo cordon-left >/proc/self/comm; read -r -t 60 x' <&7 3>&- &
	left=$!
	mkdir "/tmp/hostile.$$"
	chown 4711 "/tmp/hostile.$$"
	eventually grep -x cordon-left "/proc/$left/comm"
	for uid in 4711 4712; do
		CORDON_OTHER_UID=$uid host_snapshot >"$scratch/seen.$uid"
	done
	kill "$left"
	rmdir "/tmp/hostile.$$"
	grep -q "^process $left .*cordon-left" "$scratch/seen.4712"
	grep -qx "file /tmp/hostile.$$" "$scratch/seen.4712"
	run -1 grep -e "^process $left " -e "/tmp/hostile.$$\$" "$scratch/seen.4711"
}
