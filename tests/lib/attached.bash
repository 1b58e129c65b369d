# SPDX-License-Identifier: LGPL-2.1-or-later
# For tests of attach: `load ../lib/attached` below `load ../lib/tmux`. Removes a test's kept sandboxes.
#
#	start FLAGS SCRIPT [FLAG...]	a shell script in a sandbox, as `cordon run FLAGS`; sets id
# shellcheck shell=bash

teardown() {
	local id
	while read -r id; do
		cordon stop "$id" >/dev/null
		cordon rm "$id" >/dev/null
	done < <(find "$CORDON_ROOT/state/sandboxes" -mindepth 1 -maxdepth 1 -type d -printf '%f\n')
	tmux_stop
	[ ! -d "$CORDON_ROOT/run/sandboxes" ] || rmdir "$CORDON_ROOT/run/sandboxes"
	cordon_teardown
}

# Sets id.
start() { # FLAGS SCRIPT [FLAG...]
	id=$(cordon run "$1" "${@:3}" -- sh -c "$2")
}
