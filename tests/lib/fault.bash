# SPDX-License-Identifier: LGPL-2.1-or-later
# Shared by tests/fault: rows of the engine's tables, and what a run may leave behind. Sourced after
# tests/lib/cordon.bash; the program is the one that obeys CORDON_FAULT="ROW:ACTION".
#
#	rows FLAG...			the rows that a run with these flags has, in their order
#	own_processes			what is alive of this test's sandboxes
#	nothing_left			fails with a list where anything of a run is still there
#	limit_groups			sets limited, the flags of a sandbox with control groups
#	gone_within SECONDS		waits for the processes to end; four times as long, for busy machines
# shellcheck shell=bash
# The variables are for the bats files.
# shellcheck disable=SC2034

CORDON=$repo/build/fault/cordon
. "$repo/tests/lib/groups.bash"

teardown() {
	own_groups_end && cordon_teardown
}

# Flags of a sandbox with control groups, in $limited. They have a parent of the test's own: whatever
# is in it has been left.
limit_groups() {
	own_groups
	limited=("${plain[@]}" --cgroup-parent "$group" --set limits.memory=256MiB
		--set limits.pids=64 --set limits.cpus=1 --set limits.cpu_time=50s)
}

# A directory that the sandbox may write. As root it has another owner: what belongs to the host's
# root is not shown writable.
fault_setup() {
	cordon_setup
	# Not below a link: the paths are compared as text.
	work=$(realpath "$BATS_TEST_TMPDIR")/work
	policies=$BATS_TEST_TMPDIR/policies
	mkdir -p "$work" "$policies"
	[ "$(id -u)" -ne 0 ] || chown 61235:61235 "$work"
	# A file at descriptor 0 has rows of its own.
	input=$BATS_TEST_TMPDIR/input
	echo text >"$input"
	plain=(--rw "$work")
	# Admits the calls for keys: then each sandbox has a keyring of its own.
	cat >"$policies/keys.yaml" <<-'END'
		cordon: 1
		description: A sandbox that may use keys.
		extends: default
		seccomp:
		  allow: ["@sandbox-default", keyctl, add_key, request_key]
		waive:
		  "seccomp.call:keyctl": "the test looks for the caller's keys"
		  "seccomp.call:add_key": "the test looks for the caller's keys"
		  "seccomp.call:request_key": "the test looks for the caller's keys"
	END
	# The same directory with a path that does not exist and stays so.
	guarded=(--set "+volumes=[{source: $work, target: $work, read_only: false, read_only_below: [.git]}]")
	# Without the list, which would stand behind what the workload says.
	denials=("${plain[@]}" -q --explain-denials)
	keys=(--rw "$work" --profile "$policies/keys.yaml")
	# grep finds what stands in a file, and so not itself.
	printf '%s\n' "$CORDON_ROOT" "$work" >"$BATS_TEST_TMPDIR/pattern"
	mounts_before=$(mounts)
	links_before=$(links)
}

# Without those of another run of the tests at the same time.
mounts() {
	awk -v own="$BATS_RUN_TMPDIR" '!/\/bats-run-/ || index($0, own)' /proc/self/mountinfo | sort
}

links() {
	[ -z "$(command -v ip)" ] || ip -o link | sed -E 's/^[0-9]+: ([^:@]+).*/\1/' | sort
}

rows() { # FLAG...
	cordon explain "$@" -- /bin/true <"$input" | awk '/^  \+ / { print $2 }'
}

# Whether wanted or not.
all_rows() {
	cordon explain "${plain[@]}" -- /bin/true <"$input" | awk '/^  [+-] / { print $2 }'
}

# The rows that are done before there is a child.
rows_before_spawn() { # FLAG...
	rows "$@" | sed -E '/^(deny_setgroups|uid_map)$/,$d'
}

# Processes that have this test's --root or work directory among their arguments: keepers, children
# before exec, helpers, workloads. And each init, monitor, notifier and auditor whose keeper is gone: they have
# no arguments to know them by.
own_processes() {
	local file pid parent
	while read -r file; do
		pid=${file//[^0-9]/}
		echo "$pid $(tr '\0' ' ' 2>/dev/null <"$file")"
	done < <(grep -lazF -f "$BATS_TEST_TMPDIR/pattern" /proc/[0-9]*/cmdline 2>/dev/null)
	while read -r file; do
		pid=${file//[^0-9]/}
		# A dead one that waits to be reaped is the host's own init's business.
		parent=$(awk '/^State:\tZ/ { exit 1 } /^PPid:/ { print $2 }' "/proc/$pid/status" \
			2>/dev/null) || continue
		! host_is_others "$pid" || continue
		[ "$(cat "/proc/$parent/comm" 2>/dev/null)" = cordon ] || [ ! -d "/proc/$pid" ] ||
			echo "$pid $(cat "$file" 2>/dev/null) without a keeper"
	done < <(grep -lxE 'cordon-(init|monitor|notifier|auditor)' /proc/[0-9]*/comm 2>/dev/null)
}

gone_within() { # SECONDS
	local limit=$(($1 * 4)) left
	local deadline=$((SECONDS + limit + 1))
	while left=$(own_processes) && [ -n "$left" ]; do
		if [ "$SECONDS" -ge "$deadline" ]; then
			printf 'alive after %s s:\n%s\n' "$limit" "$left"
			return 1
		fi
		sleep 0.02
	done
}

# Claims of id blocks by runs below this test's root.
own_claims() {
	# Where nothing has run as root there are none, and others' come and go while find looks.
	find /run/cordon/ids -lname "$(realpath -m "$CORDON_ROOT")/*" 2>/dev/null || true
}

own_run_files() {
	find "$CORDON_ROOT/run/runs" -mindepth 1 2>/dev/null
}

nothing_left() {
	local i left
	gone_within 3 || return 1
	# The machine's other programs mount, too: what goes away by itself is not ours.
	for ((i = 0; i < 20; i++)); do
		left=$(
			own_run_files
			own_claims
			[ -z "${group:-}" ] || groups_below "$group"
			find "$work" -mindepth 1
			diff <(echo "$mounts_before") <(mounts)
			diff <(echo "$links_before") <(links)
		)
		[ -n "$left" ] || return 0
		sleep 0.05
	done
	printf 'left behind:\n%s\n' "$left"
	return 1
}
