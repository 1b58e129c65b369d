# SPDX-License-Identifier: LGPL-2.1-or-later
# Part of tests/run: the same bats files as root and as an ordinary user. A test that makes sense
# for one of them only carries the bats tag `root` or `user`. Sourced; uses tests/run's variables.
# shellcheck shell=bash
# AS is read in run_count.bash.
# shellcheck disable=SC2034

AS=() # what runs the next bats as another user
beside='' # the half that runs in the background
user_groups='' # the control group that belongs to it

# A numeric id that nobody has and nothing runs as.
unused_id() {
	local id
	for ((id = 61234; id < 61334; id++)); do
		if ! getent passwd "$id" >/dev/null && ! getent group "$id" >/dev/null &&
			[ -z "$(processes_of "$id")" ]; then
			echo "$id"
			return
		fi
	done
	return 1
}

processes_of() { # UID
	local status
	for status in /proc/[0-9]*/status; do
		awk -v id="$1" '/^Pid:/ { pid = $2 } /^Uid:/ && $2 == id { print pid }' "$status" 2>/dev/null
	done
}

# A copy of the tree that belongs to the user, in a directory of its own.
user_half_begin() {
	[ -z "$user_dir" ] || return 0
	user_id=$(unused_id) || { missing "as a user: no free user id"; return 1; }
	# Not below $TMPDIR: that may be closed to others.
	user_dir=$(mktemp -d /tmp/cordon-user.XXXXXX)
	chmod 0755 "$user_dir"
	mkdir -m 0755 "$user_dir/repo"
	mkdir -m 0700 "$user_dir/home" "$user_dir/tmp"
	tar -C "$repo" --exclude=./.git --exclude=./build/vm --exclude=./build/peers --exclude=./build/cross \
		--exclude='./build/asan/*.o' --exclude='./build/fault/*.o' --exclude='./build/fuzz*' -cf - . | tar -C "$user_dir/repo" -xf -
	chown -R "$user_id:$user_id" "$user_dir"
	delegate_groups
}

# As an administrator would do it. On v2 the user's processes live in one group and the sandboxes in
# others.
delegate_groups() {
	user_groups=cordon-test-$user_id
	if groups_make "$user_groups" "$user_id" >"$scratch/groups" 2>&1 &&
		{ ! groups_is_v2 || groups_make "$user_groups/caller" "$user_id"; } >>"$scratch/groups" 2>&1; then
		return
	fi
	missing "as a user: no control groups of its own: $(tail -n 1 "$scratch/groups")"
	groups_remove "$user_groups"
	user_groups=
}

# Whatever still runs as the user some seconds after its tests was left behind: say what it is, end it.
user_half_end() {
	local pid left until=$((SECONDS + 3))
	[ -n "$user_dir" ] || return 0
	while left=$(processes_of "$user_id") && [ -n "$left" ] && [ "$SECONDS" -lt "$until" ]; do
		sleep 0.2
	done
	if [ -n "$left" ]; then
		for pid in $left; do
			ps -o pid,ppid,stat,etimes,args -p "$pid" | tail -n 1
			kill -9 "$pid" 2>/dev/null
		done >"$scratch/left"
		record 1 "as a user: no process is left behind" "$scratch/left"
	fi
	if [ -n "$user_groups" ] && ! groups_remove "$user_groups" >"$scratch/groups" 2>&1; then
		record 1 "as a user: no control group is left in use" "$scratch/groups"
	fi
	user_groups=
	rm -rf "$user_dir"
	user_dir=
}

as_user() { # COMMAND...
	(
		cd "$user_dir/repo" || exit 2
		[ -z "$user_groups" ] || groups_enter "$user_groups/caller" || exit 2
		exec setpriv --reuid "$user_id" --regid "$user_id" --clear-groups \
			env -i PATH="$PATH" HOME="$user_dir/home" TMPDIR="$user_dir/tmp" LANG=C.UTF-8 \
			TERM="${TERM:-dumb}" MUST_RUN="$MUST_RUN" VARIANT="$VARIANT" \
			${user_groups:+CORDON_CGROUP="$user_groups"} "$@"
	)
}

# By the id its tests know what is the other half's (host.bash).
as_here() {
	TMPDIR=$scratch CORDON_OTHER_UID=$user_id "$@"
}

half_as_root() { # STAGE
	AS=(as_here)
	count_bats "$1 as root" "tests/$1" --filter-tags '!user'
}

# Without root there is one half.
can_do_both() { # STAGE
	[ "$(id -u)" -ne 0 ] || return 0
	missing "$1 as root: not run: needs root"
	AS=(as_here)
	count_bats "$1" "tests/$1" --filter-tags '!root'
	return 1
}

# Side by side. What the second half prints comes after the first one's.
both_halves() { # STAGE
	can_do_both "$1" || return 0
	if ! has_bats "$1 as a user" "tests/$1" || ! user_half_begin; then
		half_as_root "$1"
		return
	fi
	chmod 0755 "$scratch"
	AS=(as_user)
	run_bats user "tests/$1" --filter-tags '!root' >"$scratch/user.tap" &
	beside=$!
	half_as_root "$1"
	progress "$1 as a user"
	# bats' own code is in the file already; this one says that nobody was left to write it.
	wait "$beside" || echo "$?" >"$scratch/user.rc"
	beside=
	count_run "$1 as a user" user <"$scratch/user.tap"
}

# One after the other: where what the tests measure is the whole machine's.
halves_in_turn() { # STAGE
	can_do_both "$1" || return 0
	half_as_root "$1"
	user_half_begin || return
	AS=(as_user)
	chmod 0755 "$scratch"
	count_bats "$1 as a user" "tests/$1" --filter-tags '!root'
}
