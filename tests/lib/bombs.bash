# SPDX-License-Identifier: LGPL-2.1-or-later
# Bombs in a sandbox, and a witness outside: `load ../lib/bombs` below `load ../lib/attack`. A test
# reads the limit back before the bomb goes off, and looks at the host while it has all it got.
#
#	delegated_group			sets group_flags: the sandboxes' control groups are in one of the
#					test's own; skips where there can be none (groups.bash)
#	bomb_start NAME COUNT [FLAG...]	a sandbox whose bomb waits to be set off; bomb_dir is its DIR
#	group_reads CONTROLLER N	its control group says this limit, seen from the host
#	rlimit_reads NAME N		... /proc/PID/limits of the bomb does
#	mount_reads TARGET OPTION	... the mount at TARGET has this option
#	file_reads FILE TEXT		a file inside says this
#	bomb_says PATTERN		sets it off; that is what came of it, "" where it was ended
#	host_is_fine			the witness misses nothing: now, and since it was last asked
#	host_misses TEXT		... misses exactly that, as the witness says it
#	bomb_ends CODE KIND LIMIT	gives it the sign to end; code and reason are these, and nothing
#					is left: no process, no group, no file of the run
#	bomb_is_ended CODE KIND LIMIT	the same for one that somebody else ends
#	passes NAME COUNT [FLAG...]	the positive control: the same bomb gets COUNT and ends with 0
#
# The variables are for the tests.
# shellcheck disable=SC2034
# shellcheck shell=bash

. "$repo/tests/lib/groups.bash"

bombs_setup() {
	need jq
	setup_sandbox
	# Its name marks each process of the bomb: it is the argv[0] of all of them.
	BOMB=$BATS_TEST_TMPDIR/bomb
	cp "$repo/build/bomb" "$BOMB"
	group_flags=()
	bomb_dir=()
	bomb_keeper=
	mkdir "$BATS_TEST_TMPDIR/witness"
	mkfifo to_witness
	"$repo/build/witness" "$BATS_TEST_TMPDIR/witness" <to_witness >from_witness 3>&- 4>&- &
	witness=$!
	# To read as well: so that writing to one who has died is no SIGPIPE.
	exec 8<>to_witness
	witness_lines=0
}

# What attack.bash calls setup.
setup_sandbox() {
	cordon_setup
	CORDON_ROOT=$BATS_TEST_TMPDIR.root
	cd "$BATS_TEST_TMPDIR" || return
}

bombs_teardown() {
	local left
	exec 8>&- 9>&-
	# A test that failed half way: its sandbox ends with its keeper, and gc does the rest.
	if [ -n "$bomb_keeper" ]; then
		kill -9 "$bomb_keeper" 2>/dev/null && wait "$bomb_keeper" 2>/dev/null
		eventually nothing_is_marked
		cordon gc >/dev/null
	fi
	wait "$witness" || true
	left=$(marked_processes)
	[ -z "$left" ] || { printf 'still there:\n%s\n' "$left"; return 1; }
	own_groups_end && cordon_teardown
}

delegated_group() {
	own_groups
	group_flags=(--cgroup-parent "$group")
}

# ---- the sandbox ----

# Their files below /proc, a line each.
marked_processes() {
	# grep finds what stands in a file, and so not itself.
	printf '%s\n' "$BOMB" >"$BATS_TEST_TMPDIR/mark"
	grep -lazF -f "$BATS_TEST_TMPDIR/mark" /proc/[0-9]*/cmdline 2>/dev/null
	# None is no error, nor is one that has just ended.
	return 0
}

# What the bomb has said, without cordon's lines.
own_words() {
	grep -v '^cordon: ' said
}

has_said() { # LINES
	[ "$(own_words | wc -l)" -ge "$1" ]
}

nothing_is_marked() {
	[ -z "$(marked_processes)" ]
}

has_ended() {
	! kill -0 "$bomb_keeper"
}

has_said_or_ended() { # LINES
	has_said "$1" || has_ended
}

has_workload() {
	keeper=$bomb_keeper
	has_init && workload=$(pgrep -P "$init" | head -n 1) && [ -n "$workload" ]
}

bomb_start() { # NAME COUNT [FLAG...]
	rm -f to_bomb said report
	mkfifo to_bomb
	"$CORDON" --root "$CORDON_ROOT" run -q --report "$PWD/report" "${group_flags[@]}" "${@:3}" -- \
		"$BOMB" --wait "$1" "$2" "${bomb_dir[@]}" <to_bomb >flood 2>said 3>&- 4>&- 8>&- &
	bomb_keeper=$!
	exec 9<>to_bomb
	if ! eventually has_said 1 || [ "$(own_words)" != ready ] || ! has_workload; then
		printf 'the bomb is not ready:\n%s\n' "$(cat said)"
		return 1
	fi
	find_groups
}

# Lines "CONTROLLERS DIRECTORY" of the groups that the bomb is in and this shell is not; the
# hierarchies are those of this host.
find_groups() {
	local number controllers path dir
	groups=()
	while IFS=: read -r number controllers path; do
		[[ $path == */cordon-* ]] || continue
		if [ -n "$controllers" ]; then
			dir=$(awk -v c=",$controllers," '$(NF - 2) == "cgroup" && index("," $NF ",", c) { print $5 }' \
				/proc/self/mountinfo)
		else
			dir=$(awk '$(NF - 2) == "cgroup2" { print $5 }' /proc/self/mountinfo)
		fi
		groups+=("${controllers:-v2} ${dir%%$'\n'*}$path")
	done <"/proc/$workload/cgroup"
}

# The file's path, in v1 or v2.
limit_file() { # CONTROLLER V1-FILE V2-FILE
	local group
	for group in "${groups[@]}"; do
		case ",${group%% *}," in
		*",$1,"*) echo "${group#* }/$2" ;;
		,v2,) [ ! -e "${group#* }/$3" ] || echo "${group#* }/$3" ;;
		esac
	done
}

reads() { # WHAT FOUND WANTED
	[ "$2" = "$3" ] || { printf '%s reads back as %s, not %s\n' "$1" "${2:-nothing}" "$3"; return 1; }
}

group_reads() { # CONTROLLER NUMBER
	local file
	case $1 in
	pids) file=$(limit_file pids pids.max pids.max) ;;
	memory) file=$(limit_file memory memory.limit_in_bytes memory.max) ;;
	cpu) file=$(limit_file cpu cpu.cfs_quota_us cpu.max) ;;
	esac
	reads "$1 of the group" "$(cut -d ' ' -f 1 "$file")" "$2"
}

rlimit_reads() { # NAME NUMBER
	reads "$1" "$(sed -n "s/^$1  *[^ ]*  *\([^ ]*\) .*/\1/p" "/proc/$workload/limits")" "$2"
}

mount_reads() { # TARGET OPTION
	reads "mount $1" "$(awk -v target="$1" '$5 == target { print $NF }' "/proc/$workload/mountinfo" |
		tr , '\n' | grep "^${2%=*}=" | head -n 1)" "$2"
}

# The kernel shows each reader the file of the reader's own user namespace, so another sandbox looks.
file_reads() { # FILE TEXT
	reads "$1" "$(cordon run -- cat "$1")" "$2"
}

bomb_says() { # PATTERN
	echo >&9
	# A pattern on purpose.
	# shellcheck disable=SC2053
	if ! eventually has_said_or_ended 2 || [[ $(own_words) != ready${1:+$'\n'$1} ]]; then
		printf 'the bomb said:\n%s\nwanted: %s\n' "$(cat said)" "$1"
		return 1
	fi
}

bomb_ends() { # CODE KIND LIMIT
	exec 9>&-
	bomb_is_ended "$@"
}

bomb_is_ended() { # CODE KIND LIMIT
	local code=0 found left group
	wait "$bomb_keeper" || code=$?
	bomb_keeper=
	found="$code $(jq -r '"\(.kind) \(.limit)"' report)"
	left=$(
		marked_processes
		for group in "${groups[@]}"; do
			[ ! -e "${group#* }" ] || echo "${group#* }"
		done
		find "$CORDON_ROOT/run/runs" -mindepth 1 2>/dev/null
	)
	# Patterns on purpose.
	# shellcheck disable=SC2053
	if [[ $found != $1\ $2\ $3 ]] || [ -n "$left" ]; then
		printf 'ended with %s, wanted %s\n%s\nleft:\n%s\n' "$found" "$1 $2 $3" "$(cat said report)" "$left"
		return 1
	fi
}

passes() { # NAME COUNT [FLAG...]
	# It exits with 42 where it was refused anything.
	says 0 "*" cordon run -q "${group_flags[@]}" "${@:3}" -- "$BOMB" "$1" "$2" "${bomb_dir[@]}"
}

# ---- the witness ----

witness_has_answered() {
	[ "$(wc -l <from_witness)" -ge "$witness_lines" ]
}

host_misses() { # TEXT
	witness_lines=$((witness_lines + 1))
	echo >&8
	eventually witness_has_answered || return 1
	reads "the witness" "$(tail -n 1 from_witness)" "$1"
}

host_is_fine() {
	host_misses ok
}
