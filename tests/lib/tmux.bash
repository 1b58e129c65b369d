# SPDX-License-Identifier: LGPL-2.1-or-later
# A person at a terminal, for the integration tests: `load ../lib/tmux` below `load ../lib/attack`.
#
#	tmux_start [COLUMNS LINES]	a private server with an interactive bash, whose prompt is HOST$
#	type_line TEXT			types it, and Enter
#	key NAME			one key, as tmux names it: C-c
#	shows PATTERN			waits until a line of the screen matches (grep -E)
#	at_prompt			waits until the shell's prompt is the last line
#	relayed				waits until what is typed is cordon's, not the shell's
#	tmux_stop			ends it; part of the teardown
#
# In the shell, $C is cordon with this test's --root. Each waits as long as `eventually`.
# shellcheck shell=bash

tmux_run() {
	# The socket's path must be short. Without the variable tmux thinks that it is within itself.
	env -u TMUX TMUX_TMPDIR="$tmux_dir" tmux -L t -f /dev/null "$@" 3>&- 4>&-
}

tmux_start() { # [COLUMNS LINES]
	need tmux
	tmux_dir=$(mktemp -d /tmp/cordon-tmux.XXXXXX)
	tmux_run new-session -d -x "${1:-80}" -y "${2:-24}" \
		env -i PATH="$PATH" HOME="$BATS_TEST_TMPDIR" TERM=screen LANG=C.UTF-8 PS1='HOST$ ' \
		ASAN_OPTIONS="$ASAN_OPTIONS" C="$CORDON --root $CORDON_ROOT" T="$BATS_TEST_TMPDIR" \
		bash --norc --noprofile -i
	at_prompt
	tmux_shell=$(tmux_run display-message -p '#{pane_pid}')
}

type_line() { # TEXT
	tmux_run send-keys -l -- "$1"
	tmux_run send-keys Enter
}

key() { # NAME
	tmux_run send-keys "$1"
}

screen() {
	tmux_run capture-pane -pJ | sed 's/ *$//' | grep -v '^$'
}

has_line() { # PATTERN
	screen | grep -qE -- "$1"
}

shows() { # PATTERN
	eventually has_line "$1" || { screen; return 1; }
}

last_line_ends() { # TEXT
	[[ "$(screen | tail -n 1)" == *"$1" ]]
}

at_prompt() {
	eventually last_line_ends 'HOST$' || { screen; return 1; }
}

# The terminal's modes, read by us through the pane's device.
pane_modes() {
	stty -a -F "$(tmux_run display-message -p '#{pane_tty}')"
}

# Its modes are raw then. The shell's own, while it reads a line, are but for isig, and what is typed
# then the terminal echoes.
is_relayed() {
	[[ "$(pane_modes)" == *-isig* ]]
}

relayed() {
	eventually is_relayed
}

# An empty screen, so that what it shows is new.
fresh() {
	at_prompt || return 1
	type_line clear
	eventually screen_is 'HOST$'
}

screen_is() { # TEXT
	[ "$(screen)" = "$1" ]
}

no_keeper_of_test() {
	! pgrep -x cordon -a | grep -F -- "--root $CORDON_ROOT "
}

# The keeper that the terminal's shell runs.
keeper_of_shell() {
	keeper=$(pgrep -P "$tmux_shell" -x cordon | head -n 1)
	[ -n "$keeper" ]
}

monitor_of_shell() {
	keeper_of_shell && monitor=$(pgrep -P "$keeper" -x cordon-monitor) && [ -n "$monitor" ]
}

tmux_stop() {
	[ -n "${tmux_dir:-}" ] || return 0
	tmux_run kill-server || true
	# What ran there is told by a hang-up, and needs its moment.
	eventually no_keeper_of_test
	rm -rf "$tmux_dir"
	tmux_dir=
}
