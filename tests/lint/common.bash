# SPDX-License-Identifier: LGPL-2.1-or-later
# Shared by the lint checks. Each check is `tests/lint/NAME [TREE]`: it prints findings as
# "file:line: text" and exits 1 where there are any, 0 where there are none, 2 where it cannot run.
# TREE is the repository unless the self-test hands in one of its own. Needs: bash, coreutils, find.
# shellcheck shell=bash

set -euo pipefail
export LC_ALL=C

# The names are used by the checks that source this file.
# shellcheck disable=SC2034
lint_home=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=${1:-$lint_home/../..}
cd "$tree"

layers=(base policy rootfs storage cgroup net launcher records libexec cmd)

# What the compilers need beyond the warnings; the generated headers lie below build/release.
# shellcheck disable=SC2034
cflags=(-std=gnu17 -D_GNU_SOURCE -I. -Ibuild/release)

need() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null || { echo "missing tool: $tool" >&2; exit 2; }
	done
}

# Files of the tree by find(1) expression, without what is built and without ./ in front.
files() {
	find . -name .git -prune -o -path ./build -prune -o -type f \( "$@" \) -print | sed 's|^\./||' | sort
}

# Sources and headers of cordon itself: what ends in the program.
program_files() {
	local dir
	for dir in "${layers[@]}"; do
		[ ! -d "$dir" ] || find "$dir" -type f \( "$@" \) -print
	done | sort
}

c_files() {
	files -name '*.c' -o -name '*.h'
}

# Shell scripts: by name, or by what the first line says.
shell_files() {
	{
		files -name '*.bash' -o -name '*.bats'
		files ! -name '*.*' -size -200k -exec sh -c 'head -c 64 "$1" | head -n 1 |
			grep -qE "^#!.*(bash|/sh|bats)( |$)"' sh '{}' ';'
	} | sort -u
}

# Runs "$@" with each file of standard input as the last argument, as many at a time as there are
# processors. Prints what the failing ones print; fails where one did.
each_file() {
	xargs -r -P "$(nproc)" -n 1 sh -c \
		'out=$("$@" 2>&1) || { printf "%s\n" "$out"; exit 1; }' each "$@" || return 1
}
