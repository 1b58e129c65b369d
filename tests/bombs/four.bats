#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Four sandboxes of one user at once: what is counted for a user is counted for each of them alone.

load ../lib/cordon
load ../lib/attack
load ../lib/bombs

setup() { bombs_setup; }
teardown() {
	[ -z "${dir:-}" ] || rm -rf "$dir"
	bombs_teardown
}

four_bomb=(fork 10)

four_start() { # PREFIX...
	local i
	four=()
	for i in 1 2 3 4; do
		rm -f "to.$i" "said.$i"
		mkfifo "to.$i"
		"$@" "$BOMB" --wait "${four_bomb[@]}" <"to.$i" >"said.$i" 2>&1 3>&- 4>&- 8>&- &
		four+=($!)
	done
	exec 4<>to.1 5<>to.2 6<>to.3 7<>to.4
}

four_have_said() { # LINES
	[ "$(cat said.? | wc -l)" -ge $((4 * $1)) ]
}

four_say() { # PATTERN PROCESSES-IN-ALL [COMMAND...], which is run while all hold what they have
	local i
	eventually four_have_said 1
	for i in 4 5 6 7; do
		echo >&"$i"
	done
	eventually four_have_said 2
	for i in 1 2 3 4; do
		# A pattern on purpose.
		# shellcheck disable=SC2053
		[[ $(sed -n 2p "said.$i") == $1 ]] || { tail said.?; return 1; }
	done
	# Without cordon's keepers, whose argument the bomb is.
	reads "processes at once" "$(marked_processes | xargs grep -La -e --root | wc -l)" "$2" || return 1
	"${@:3}" || return 1
	exec 4>&- 5>&- 6>&- 7>&-
	for i in "${four[@]}"; do
		wait "$i" || [ $? -eq 42 ]
	done
	[ -z "$(marked_processes)" ]
}

three='2 processes, then EAGAIN'

# bats test_tags=vm
@test "four sandboxes of one user inside, nproc 3: each has three processes, the fourth gets EAGAIN" {
	# As root each has host ids of its own; as a user all have the same one.
	four_start "$CORDON" --root "$CORDON_ROOT" run -q -u daemon --set limits.nproc=3 --
	four_say "$three" 12 host_is_fine
	# Control: with room for one more there is one more.
	four_start "$CORDON" --root "$CORDON_ROOT" run -q -u daemon --set limits.nproc=4 --
	four_say "3 ${three#2 }" 16
}

# bats test_tags=root
@test "four sandboxes that the host's user daemon starts, with one host id: the same" {
	local as
	# By number: the account has it everywhere.
	as=(setpriv --reuid 1 --regid 1 --clear-groups env -i PATH="$PATH")
	dir=$(mktemp -d /tmp/cordon-daemon.XXXXXX)
	cp "$CORDON" "$dir/cordon"
	cp "$BOMB" "$dir/bomb"
	chown -R 1:1 "$dir"
	BOMB=$dir/bomb
	# Control: without cordon the limit is that of the host's user. One has its three; of four at once
	# each finds it used up.
	[ "$(pgrep -c -U 1)" -eq 0 ] || skip "the user daemon has processes of its own here"
	run -42 "${as[@]}" prlimit --nproc=3 "$BOMB" fork 10
	[ "$output" = "$three" ]
	four_start "${as[@]}" prlimit --nproc=3
	four_say "0 ${three#2 }" 4
	four_start "${as[@]}" "$dir/cordon" --root "$dir/root" run -q --set limits.nproc=3 --
	four_say "$three" 12 host_is_fine
}

# The kernel counts for the sandbox and for its user; cordon can bound the first alone.
# bats test_tags=user
@test "four sandboxes that each take their share of inotify leave none to their user: known" {
	[ "$(cat /proc/sys/fs/inotify/max_user_instances)" -eq 128 ] || skip "this host gives a user more than 128"
	four_bomb=(inotify 32)
	four_start "$CORDON" --root "$CORDON_ROOT" run -q --
	four_say "3[012] instances*" 4 host_misses "inotify EMFILE"
	eventually host_is_fine
}

@test "walkthrough: limits prints what its README says, and leaves nothing" {
	local who row=' +3, then EAGAIN +3, then EAGAIN +3, then EAGAIN +3, then EAGAIN$'
	# The user daemon must be able to go there.
	dir=$(mktemp -d /tmp/cordon-walk.XXXXXX)
	chmod 0755 "$dir"
	TMPDIR=$dir run -0 "$repo/examples/walkthrough/limits/run"
	who=$(is_root && echo daemon || id -u)
	[ "${#lines[@]}" -eq 4 ]
	[[ ${lines[1]} == "ulimit, as"*" 1, then EAGAIN   1, then EAGAIN   1, then EAGAIN   1, then EAGAIN" ]]
	grep -qE "^cordon, daemon inside$row" <<<"$output"
	grep -qE "^cordon, started by $who$row" <<<"$output"
	[ -z "$(ls -A "$dir")" ]
	! is_root || diff <(echo "$output") <(sed -n '/^at most/,/^```/p' "$repo/examples/walkthrough/limits/README.md" | head -n 4)
}
