# SPDX-License-Identifier: LGPL-2.1-or-later
# Part of tests/run: counting what bats, cmocka and plain TAP scripts say. Sourced; uses and changes
# its variables passed, failed, skipped, deferred, scratch, is_terminal.
# shellcheck shell=bash

test_timeout=${TEST_TIMEOUT:-240}    # seconds, for one bats test
stage_timeout=${STAGE_TIMEOUT:-1200} # for all of a directory

# The one line that moves, on a terminal.
progress() {
	[ "$is_terminal" -eq 0 ] || printf '\r\033[K%.*s' "$((${COLUMNS:-80} - 1))" "[$passed passed, $failed failed] $1"
}

progress_clear() {
	[ "$is_terminal" -eq 0 ] || printf '\r\033[K'
}

say() {
	progress_clear
	printf '%s\n' "$1"
}

count_pass() { # NAME
	passed=$((passed + 1))
	if [ "$is_terminal" -eq 1 ]; then
		progress "$1"
	else
		printf '%s\n' "ok   $1"
	fi
}

# What failed is printed once more before the sum, with the end of what it said: a long log is read from
# its end, or is cut.
count_fail() { # NAME [FILE-WITH-OUTPUT]
	failed=$((failed + 1))
	say "FAIL $1"
	printf '%s\n' "$1" >>"$scratch/failures"
	[ $# -ge 2 ] || return 0
	sed 's/^/     /' "$2"
	tail -n 12 "$2" | sed 's/^/  /' >>"$scratch/failures"
}

report_failures() {
	[ -s "$scratch/failures" ] || return 0
	printf '%s\n' "failed:"
	sed 's/^/  /' "$scratch/failures"
}

# One test that is a command's exit code.
record() { # CODE NAME FILE-WITH-OUTPUT
	if [ "$1" -eq 0 ]; then
		count_pass "$2"
	else
		count_fail "$2" "$3"
	fi
}

# What could not be run: a failure where everything must run.
missing() { # NAME-AND-WHY
	skipped+=("$1")
	if [ "$MUST_RUN" = 1 ]; then
		count_fail "$1 (MUST_RUN=1)"
	else
		say "skip $1"
	fi
}

# What the running kernel has not got and another has: a test with the tag `vm` that says so counts where it
# has passed in a virtual machine of the same run, in the same half; else it was not run.
deferred=() # "HALF: TEST"

defer() { # NAME TEXT
	local half=user
	[[ "$1" != *" as root" ]] || half=root
	deferred+=("$half: ${2%% # skip *}")
	say "later $1: ${2%% # skip *}: ${2#* # skip }"
}

settle_deferred() {
	local text
	for text in "${deferred[@]}"; do
		if grep -qxF -- "$text" "$scratch/vm-passed" 2>/dev/null; then
			say "ran in a virtual machine: $text"
		else
			missing "in a virtual machine: $text"
		fi
	done
}

# "ok 3 - text" and "ok 3 text" without what stands before the text.
tap_text() {
	local text=${1#ok * }
	printf '%s' "${text#- }"
}

# Reads TAP. A plan that is missing or not kept is a failure, and so is an exit code that no test
# explains: a runner that dies half way must not look like one that had less to do.
count_tap_lines() { # NAME FILE-FOR-THE-EXIT-CODE
	local name=$1 line plan='' seen=0 bad=0 rc said=12
	while IFS= read -r line; do
		case $line in
		"ok "*" # skip in a virtual machine: "*)
			seen=$((seen + 1)) said=12
			defer "$name" "$(tap_text "$line")"
			;;
		"ok "*" # skip"* | "ok "*" # SKIP"*)
			seen=$((seen + 1))
			missing "$name: $(tap_text "$line")"
			;;
		"ok "*)
			seen=$((seen + 1)) said=12
			count_pass "$name: $(tap_text "$line")"
			[[ "$name" != "vm "* ]] || tap_text "$line" | sed -E 's/ in [0-9]+ms$//; s/$/\n/' >>"$scratch/vm-passed"
			;;
		"not ok "*)
			seen=$((seen + 1))
			bad=$((bad + 1))
			count_fail "$name: $(tap_text "${line#not }")"
			said=0
			;;
		1..*) plan=${line#1..} ;;
		"#"*)
			say "     ${line#\# }"
			# The lines that follow a failed test are about it.
			[ "$said" -ge 12 ] || printf '    %s\n' "${line#\# }" >>"$scratch/failures"
			said=$((said + 1))
			;;
		?*) say "     $line" ;;
		esac
	done
	rc=$(cat "$2") || rc=unknown
	if [ "$plan" != "$seen" ]; then
		count_fail "$name: planned ${plan:-nothing}, saw $seen tests"
	elif [ "$seen" -eq 0 ]; then
		missing "$name: no tests"
	elif [ "$rc" != 0 ] && [ "$bad" -eq 0 ]; then
		count_fail "$name: ended with exit code $rc and no failed test"
	fi
}

# Runs the command, with nothing to read, and leaves its exit code in a file before its output ends.
with_code() { # FILE COMMAND...
	local rc=0
	"${@:2}" 2>&1 </dev/null || rc=$?
	echo "$rc" >"$1"
}

count_tap() { # NAME COMMAND...
	count_tap_lines "$1" "$scratch/rc" < <(with_code "$scratch/rc" "${@:2}")
}

# ---- bats ----

has_bats() { # NAME DIR
	if ! command -v bats >/dev/null; then
		missing "$1: no bats"
		return 1
	fi
	if [ -z "$(compgen -G "$2/*.bats")" ]; then
		missing "$1: no tests"
		return 1
	fi
}

# TAP, and bats' own last line in a second report: KEY.rc and the directory KEY in $scratch are this
# run's. AS is a prefix that changes the user, or the directory for temporary files. A test that waits for
# what never comes fails, and one that even bats cannot end takes its stage along, not the whole suite.
run_bats() { # KEY DIR [BATS-ARGUMENT...]
	rm -rf "${scratch:?}/$1" "$scratch/$1.rc"
	mkdir -m 0777 "$scratch/$1"
	with_code "$scratch/$1.rc" "${AS[@]}" env BATS_TEST_TIMEOUT="$test_timeout" \
		timeout --kill-after=20 "$stage_timeout" bats --formatter tap --timing --report-formatter pretty \
		--output "$scratch/$1" "${@:3}" "$2"
}

# Counts what run_bats prints (standard input).
count_run() { # NAME KEY
	count_tap_lines "$1" "$scratch/$2.rc"
	progress_clear
	cat "$scratch/$2"/* 2>/dev/null | sed 's/\x1b\[[0-9;]*[A-Za-z]//g' | grep -E '^[0-9]+ tests?,' |
		sed "s/^/$1: /"
}

count_bats() { # NAME DIR [BATS-ARGUMENT...]
	has_bats "$1" "$2" || return 0
	count_run "$1" report < <(run_bats report "${@:2}")
}

# cmocka says on standard error how many tests it will run and how each one ended. What it planned
# and did not end well is a failure, also after a crash.
count_cmocka() { # BINARY
	local binary=$1 out=$scratch/cmocka rc=0 planned ok skip bad name=${1#build/}
	progress "$name"
	if [ ! -x "$binary" ]; then
		count_fail "$name: was not built"
		return
	fi
	timeout --kill-after=20 "$test_timeout" "$binary" >"$out" 2>&1 || rc=$?
	planned=$(sed -nE 's/^\[=+\] .*Running ([0-9]+) test.*/\1/p' "$out" | awk '{ n += $1 } END { print n + 0 }')
	ok=$(grep -c '^\[ *OK \]' "$out") || true
	skip=$(grep -c '^\[  SKIPPED \] [A-Za-z_0-9]*$' "$out") || true
	bad=$((planned - ok - skip))
	passed=$((passed + ok))
	for ((; skip > 0; skip--)); do
		missing "$name: a test skips itself"
	done
	if [ "$planned" -eq 0 ] || { [ "$rc" -ne 0 ] && [ "$bad" -le 0 ]; }; then
		bad=1
	fi
	if [ "$bad" -gt 0 ]; then
		failed=$((failed + bad))
		say "FAIL $name (exit code $rc)"
		sed -E '/^\[( RUN|       OK)/d; s/^/     /' "$out"
		{
			printf '%s\n' "$name (exit code $rc)"
			sed -E '/^\[( RUN|       OK)/d; s/^/    /' "$out" | tail -n 12
		} >>"$scratch/failures"
	else
		say "$name: $(grep -E '^\[  PASSED' "$out" | tail -n 1)"
	fi
}
