# SPDX-License-Identifier: LGPL-2.1-or-later
# For tests that look at the control group of a running sandbox whose keeper is $keeper, with the fixture
# of cordon.bash.
# shellcheck shell=bash

stop() {
	kill -9 "$(pgrep -P "$keeper")"
	wait "$keeper" || [ $? -eq 137 ]
	rm -f status
}

# The file of the running sandbox's group has this text.
file_is() { # TEXT V1-CONTROLLER V1-FILE V2-FILE
	local text
	text=$(group_file "${@:2}") || return
	[ "$text" = "$1" ] || { printf '%s: "%s", wanted "%s"\n' "$3" "$text" "$1"; return 1; }
}

on_version() { # FOR-V1 FOR-V2
	if groups_is_v2; then echo "$2"; else echo "$1"; fi
}
