# SPDX-License-Identifier: LGPL-2.1-or-later
# For tests of sandboxes that are kept; sourced after tests/lib/fault.bash.
#
#	kept_ids			the ids of all records below this test's root
#	kept_state ID|NAME KEY		a field of the sandbox's state, "" where there is none
#	kept_sound			fails with a list where names, records, claims and files do not fit
#	kept_remove_all			stops and removes each, as its owner would
#	kept_nothing_left		... and then nothing of it may be there
#	kept_many N			starts N sandboxes, checks that all run, stops and removes them
# shellcheck shell=bash

# Those of sandboxes with --rm lie in the run root.
kept_ids() {
	local file
	for file in "$CORDON_ROOT"/{state,run}/sandboxes/*/record; do
		[ ! -f "$file" ] || basename "$(dirname "$file")"
	done
}

kept_state() { # ID|NAME KEY
	local id=$1
	[ ! -h "$CORDON_ROOT/state/names/$1" ] || id=$(readlink "$CORDON_ROOT/state/names/$1")
	awk -v key="$2" '$1 == key { sub(/^[^ ]* /, ""); print }' "$CORDON_ROOT/state/sandboxes/$id/state"
}

kept_record_of() { # ID
	local file
	for file in "$CORDON_ROOT"/{state,run}/sandboxes/"$1"/record; do
		[ ! -f "$file" ] || echo "$file"
	done
}

# Claims by records; those of runs are own_claims' business, too.
kept_claims() {
	# Where root has kept nothing there are none, and others' come and go while find looks.
	find /run/cordon/ids /var/lib/cordon/ids -lname "$(realpath -m "$CORDON_ROOT")/*/sandboxes/*" \
		-printf '%p %l\n' 2>/dev/null || true
}

# After a gc, with nobody at work.
kept_faults() {
	local link id file claim holder
	for link in "$CORDON_ROOT"/state/names/*; do
		[ -h "$link" ] || [ -e "$link" ] || continue
		id=$(readlink "$link")
		file=$(kept_record_of "$id")
		[ -n "$file" ] && grep -qx "name ${link##*/}" "$file" || echo "the name ${link##*/} leads to nothing"
	done
	for id in $(kept_ids); do
		file=$(kept_record_of "$id")
		[ "$(tail -n 1 "$file")" = end ] || echo "$file is not whole"
		! grep -q '^name ' "$file" ||
			[ "$(readlink "$CORDON_ROOT/state/names/$(sed -n 's/^name //p' "$file")")" = "$id" ] ||
			echo "the name of $id leads elsewhere"
		[ "$(sed -n 's/^id_block //p' "$file")" = 0 ] ||
			kept_claims | grep -q "/$id\$" || echo "$id has no claim of its ids"
	done
	while read -r claim holder; do
		[ -z "$claim" ] || [ -n "$(kept_record_of "${holder##*/}")" ] || echo "$claim: a claim of nobody"
	done < <(kept_claims)
	find "$CORDON_ROOT"/{state,run}/sandboxes -name '.*' 2>/dev/null
}

kept_sound() {
	local faults
	faults=$(kept_faults)
	[ -z "$faults" ] || { echo "$faults"; return 1; }
}

# A keeper whose client was killed may still be at work on the start.
kept_remove_all() {
	local id i
	for id in $(kept_ids); do
		for ((i = 0; i < 100; i++)); do
			cordon stop "$id" >/dev/null 2>&1
			! cordon rm "$id" >"$BATS_TEST_TMPDIR/rm" 2>&1 || break
			[ -n "$(kept_record_of "$id")" ] || break
			sleep 0.1
		done
		[ -z "$(kept_record_of "$id")" ] || { cat "$BATS_TEST_TMPDIR/rm"; return 1; }
	done
}

kept_nothing_left() {
	local left
	kept_remove_all || return 1
	nothing_left || return 1
	left=$(find "$CORDON_ROOT"/{state,run} -mindepth 1 2>/dev/null |
		awk '!/\/(state\/(lock|names|sandboxes|events|events\.1)|run\/(runs|sandboxes|boot_id))$/')
	left+=$(kept_claims)
	[ -z "$left" ] || { printf 'left of what was kept:\n%s\n' "$left"; return 1; }
}

kept_many() { # N
	local n=$1 tasks
	tasks=$(ulimit -u)
	[ "$tasks" = unlimited ] || [ "$tasks" -gt $((n * 4)) ] || skip "no more than $tasks processes for this user"
	seq "$n" | timeout 500 xargs -P 8 -I{} "$CORDON" --root "$CORDON_ROOT" run -d --name 'many{}' "${plain[@]}" -- /usr/bin/sleep 600 \
		>"$BATS_TEST_TMPDIR/ids" 2>"$BATS_TEST_TMPDIR/said" 3>&- || { sort "$BATS_TEST_TMPDIR/said" | uniq -c | head; return 1; }
	[ "$(wc -l <"$BATS_TEST_TMPDIR/ids")" -eq "$n" ]
	[ "$(cat "$CORDON_ROOT"/run/sandboxes/*/live | grep -c '^workload [1-9]')" -eq "$n" ]
	# One block of ids for each.
	[ "$(id -u)" -ne 0 ] || [ "$(kept_claims | awk '{ print $1 }' | sort -u | wc -l)" -eq "$n" ]
	kept_memory >&3
	run -0 cordon gc
	[[ "$output" == *" $n runs alive" ]]
	xargs -P 8 -n 10 "$CORDON" --root "$CORDON_ROOT" stop <"$BATS_TEST_TMPDIR/ids" >/dev/null 3>&-
	xargs -P 8 -n 10 "$CORDON" --root "$CORDON_ROOT" rm <"$BATS_TEST_TMPDIR/ids" >/dev/null 3>&-
	kept_nothing_left
}

# Of one of the keepers, for whoever reads the output.
kept_memory() {
	local pid
	pid=$(sed -n 's/^keeper \([0-9]*\) .*/\1/p' "$CORDON_ROOT"/run/sandboxes/*/live | tail -n 1)
	awk '/^(Rss|Pss|Private_Dirty):/ { text = text " " $1 " " $2 " kB" } END { print "# a keeper:" text }' \
		"/proc/$pid/smaps_rollup" || echo "# a keeper's memory cannot be read"
}
