#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Each row of the two tables is made to fail. The rows come from `cordon explain`, so that a new one
# is covered without a word here.

load ../lib/cordon
load ../lib/fault

setup() { fault_setup; }

# One row fails: 125, its name, no trace of the workload and none of the run.
fails() { # ROW FLAG...
	local row=$1 out code=0
	shift
	out=$(CORDON_FAULT=$row:fail cordon run "$@" -- /usr/bin/touch "$work/ran" <"$input" 2>&1) ||
		code=$?
	[ "$code" -eq 125 ] || { echo "$row: exit code $code, wanted 125: $out"; return 1; }
	[[ "$out" == *"step $row: injected fault"* ]] || { echo "$row: not named in: $out"; return 1; }
	[ "$(grep -vc "^cordon: waived: " <<<"$out")" -eq 1 ] ||
		{ echo "$row: more than one line: $out"; return 1; }
	nothing_left || { echo "... after $row failed"; return 1; }
}

each_row_fails() { # FLAG...
	local row bad=0 n=0
	for row in $(rows "$@"); do
		n=$((n + 1))
		fails "$row" "$@" || bad=1
	done
	# An empty list would be no test.
	[ "$n" -gt 30 ] && [ "$bad" -eq 0 ]
}

@test "control: without a fault the sentinel is written" {
	cordon run "${plain[@]}" -- /usr/bin/touch "$work/ran"
	[ -e "$work/ran" ]
}

@test "control: what is left behind is noticed" {
	touch "$work/ran"
	run nothing_left
	[ "$status" -eq 1 ]
	rm "$work/ran"
	mkdir -p "$CORDON_ROOT/run/runs/0123"
	run nothing_left
	[ "$status" -eq 1 ]
	rmdir "$CORDON_ROOT/run/runs/0123"
	(exec -a "$CORDON_ROOT" sleep 60) 3>&- &
	run nothing_left
	kill $!
	[ "$status" -eq 1 ]
}

@test "each row that fails ends the run with 125 and its name, and leaves nothing" {
	each_row_fails "${plain[@]}"
}

@test "each row that fails: a sandbox with keys of its own" {
	[ "$(rows "${keys[@]}" | grep -c '^keyring$')" -eq 1 ]
	each_row_fails "${keys[@]}"
}

# bats test_tags=root
@test "each row that fails: a sandbox whose root is an image" {
	[ "$(rows "${plain[@]}" --set rootfs.writable=image | grep -c '^root_store$')" -eq 1 ]
	each_row_fails "${plain[@]}" --set rootfs.writable=image
}

@test "each row that fails: who answers denied calls, and the filter that asks" {
	local row bad=0
	for row in notifier seccomp; do
		[ "$(rows "${denials[@]}" | grep -c "^$row\$")" -eq 1 ]
		fails "$row" "${denials[@]}" || bad=1
	done
	[ "$bad" -eq 0 ]
}

@test "each row that fails: a sandbox with control groups" {
	local row
	limit_groups
	for row in cgroup cgroup_member; do
		[ "$(rows "${limited[@]}" | grep -c "^$row\$")" -eq 1 ]
	done
	each_row_fails "${limited[@]}"
}

@test "control: a control group that is left behind is noticed" {
	limit_groups
	nothing_left
	groups_make "$group/cordon-0123456789abcdef"
	run nothing_left
	[ "$status" -eq 1 ]
	[[ "$output" == *"/$group/cordon-0123456789abcdef"* ]]
	groups_remove "$group/cordon-0123456789abcdef"
}

@test "a failed run tells --status-fd that the setup failed" {
	local code=0
	CORDON_FAULT=pivot:fail cordon run --status-fd 4 "${plain[@]}" -- /bin/true \
		4>"$BATS_TEST_TMPDIR/status" || code=$?
	[ "$code" -eq 125 ]
	grep -q setup_failed "$BATS_TEST_TMPDIR/status"
}
