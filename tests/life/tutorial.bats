#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# docs/TUTORIAL.md, typed line by line: each command of a `console` block is given to one shell, and what
# it prints is what stands below it. Blocks of `console root` and `console user` are for one of the two.
# What is different each time stands there as ID, AGO and PWD.

load ../lib/cordon
load ../lib/attack
load ../lib/kept

teardown() { kept_end; }

# Lines of COMMAND<tab>ANSWER..., of the blocks that are for root or a user.
commands_of() { # root|user
	awk -v who="$1" '
		/^```/ { on = $1 == "```console" && ($2 == "" || $2 == who); next }
		on && /^\$ / { printf "%s%s", n++ ? "\n" : "", substr($0, 3); next }
		on { printf "\t%s", $0 }
		END { print "" }' "$repo/docs/TUTORIAL.md"
}

# Ids, ages and the directory as the tutorial has them, and one blank for many.
plain() {
	sed -E -e "s#$PWD#PWD#g" -e 's/\b([0-9a-f]{16}|[0-9a-f]{12})\b/ID/g' \
		-e 's/(Less than a second|About a minute|[0-9]+ seconds?)( ago)?/AGO/g' -e 's/ +/ /g'
}

# A program `cordon` with this test's --root, as it would stand in PATH.
cordon_in_path() {
	mkdir "$BATS_TEST_TMPDIR.bin"
	printf '#!/bin/sh\nexec "%s" --root "%s" "$@"\n' "$CORDON" "$CORDON_ROOT" >"$BATS_TEST_TMPDIR.bin/cordon"
	chmod 755 "$BATS_TEST_TMPDIR.bin/cordon"
	PATH=$BATS_TEST_TMPDIR.bin:$PATH
	# The function of that name would be called instead.
	unset -f cordon
}

@test "tutorial: every command does what stands there" {
	local command answer who=user n=0
	! is_root || who=root
	commands_of "$who" >commands
	cordon_in_path
	while IFS=$'\t' read -r command answer; do
		n=$((n + 1))
		# In this shell, for `cd`. Some are to fail; what they say is what counts.
		eval "$command" >"$BATS_TEST_TMPDIR.answer" 2>&1 </dev/null 3>&- || true
		tr "\t" "\n" <<<"$answer" | grep -v "^$" | plain >"$BATS_TEST_TMPDIR.wanted"
		plain <"$BATS_TEST_TMPDIR.answer" | diff - "$BATS_TEST_TMPDIR.wanted" || {
			echo "typed: $command"
			return 1
		}
	done <commands
	[ "$n" -ge 40 ]
	cordon() { "$CORDON" --root "$CORDON_ROOT" "$@"; }
	kept_no_record
}

# What no test can type: each line has been looked at, and what it names is there.
@test "tutorial: what is typed into no sandbox is what this tree has" {
	[ "$(awk '/^```/ { on = $0 == "```sh"; next } on' "$repo/docs/TUTORIAL.md" | sed -E 's/ *#.*//')" = \
		"git clone https://example.org/cordon && cd cordon
./quickstart
sudo make install PREFIX=/usr
cordon doctor
sudo systemctl enable --now cordon.service
systemctl --user enable --now cordon.service
loginctl enable-linger" ]
	[ -x "$repo/quickstart" ]
	[ -e "$repo/packaging/cordon.service" ] && [ -e "$repo/packaging/cordon-user.service" ]
	# No other kind of block, none that is left open.
	[ "$(grep '^```' "$repo/docs/TUTORIAL.md" | sort | uniq -c | awk '{ n[$2 " " $3] = $1 } END {
		print n["``` "] == n["```sh "] + n["```console "] + n["```console root"] + n["```console user"] }')" = 1 ]
}
