# SPDX-License-Identifier: LGPL-2.1-or-later
# Part of tests/bench/run: writes docs/PERFORMANCE.md and docs/performance.svg from what was measured. Sourced.
# shellcheck shell=bash

set_title() { # SET
	case $1 in
	same) echo 'The same filter' ;;
	own) echo "Each tool's own filter" ;;
	esac
}

# Rows of NAME, median, minimum, both divided by those of bwrap and bare; rates divided by fork+exec's; RSS.
set_table() { # HALF SET
	local dir=$work/result/$1
	echo "| launch | median ms | minimum ms | median: of bwrap | of bare | minimum: of bwrap | of bare | /s, 1 worker | 2 | 8 | 8 workers: of fork+exec | peak RSS KiB |"
	echo '| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |'
	awk -F '\t' '
		function opener() {
			if ("opener" in median) {
				median[bwrap] -= median["opener"] - median["fork+exec"]
				least[bwrap] -= least["opener"] - least["fork+exec"]
				delete median["opener"]
			}
		}
		function of(a, b) { return b > 0 ? sprintf("%.2f", a / b) : "-" }
		FILENAME ~ /times/ { median[$1] = $2 * 1000; least[$1] = $3 * 1000
			if ($1 ~ /^bwrap/) bwrap = $1; if ($1 ~ /^bare/) bare = $1; next }
		FILENAME ~ /pace/ { opener()
			 one[$1] = $2; two[$1] = $3; eight[$1] = $4; rss[$1] = $5; next }
		$1 in median { printf "| %s | %.2f | %.2f | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", $1, median[$1], least[$1],
			of(median[$1], median[bwrap]), of(median[$1], median[bare]), of(least[$1], least[bwrap]), of(least[$1], least[bare]),
			one[$1], two[$1], eight[$1], of(eight[$1] + 0, eight["fork+exec"] + 0), rss[$1] }
	' "$dir/times.$2" "$dir/pace.$2" "$dir/commands.$2"
}

half_text() { # HALF
	local set
	echo
	if [ "$1" = root ]; then echo '## As root'; else echo '## As an ordinary user'; fi
	if [ ! -e "$work/result/$1/times.own" ]; then
		printf '\nNot measured: the command was not run by root.\n'
		return
	fi
	for set in same own; do
		printf '\n### %s\n\n' "$(set_title "$set")"
		set_table "$1" "$set"
	done
	[ ! -s "$work/result/$1/left_out" ] || {
		printf '\nLeft out, since it could not run:\n\n'
		awk -F '\t' '{ printf "- %s: `%s`\n", $1, $2 }' "$work/result/$1/left_out"
	}
}

versions_text() {
	echo "- kernel $(uname -r), $(uname -m), $(nproc) processors"
	echo "- cordon $(git -C "$repo" rev-parse --short HEAD 2>/dev/null || echo 'without a git tree')$([ -z "$(git -C "$repo" status --porcelain --untracked-files=no 2>/dev/null)" ] || echo ', with changes')"
	echo "- $(hyperfine --version), $(unshare --version | sed 's/^unshare from //')"
	sed 's/ *$//; s/^/- /' "$work/result/versions"
}

report_text() {
	cat <<-'END'
		# Performance

		Written by `make bench`; the chart is [performance.svg](performance.svg). Read the ratios: the times depend on the
		machine and drift with its load. One launch is from fork to the end of a program that does nothing, not even libc's
		start-up, in all namespaces with net. Smaller is better, but for launches per second.

		![Median launch, of bwrap's](performance.svg)
	END
	half_text root
	half_text user
	cat <<-END

		## How it was measured

		$(date -u +%F), hyperfine without a shell, $runs launches of each command in $rounds rounds, so that drift meets all alike;
		median and minimum are of all rounds. Launches per second: $seconds s for each number of workers, each of which
		launches again and again (tests/bench/pace.c); a \`!\` means that some of them failed. Peak RSS is the largest process
		of a launch that wait4(2) tells of.

		- **The tree** is the one that \`cordon explain\` prints for the default profile; peers get the same binds, links, tmpfs,
		  /proc, /dev and hidden paths as far as they can be told. \`unshare\` has namespaces and /proc alone. firejail has a tree
		  of its own. systemd-nspawn hides nothing of /proc but what it does by itself. crun and runc have a directory as root, and run as user 0 inside. crun runs without cgroups;
		  a version 2 hierarchy beside version 1 is hidden from all, since crun refuses both at once.
		- **bare** (tests/bench/bare.c) makes the kernel calls of cordon's launch and nothing else: namespaces, id map, mounts,
		  pivot, limits, capabilities, no_new_privs, the filter, exec of an init and of the program. It checks nothing,
		  reads nothing back, and keeps no journal: it is the floor, not a sandbox.
		- **The same filter**: Docker's default as one BPF program (tests/bench/data), byte for byte the same for all.
		  cordon takes no ready-made BPF: it stands there as the build that takes one (VARIANT=fault, CORDON_BENCH_FILTER); it
		  reads and resolves its policy all the same. bwrap
		  wants the open file and gets it from a program before it (tests/bench/opener.c); what that costs was measured in the
		  same run and is taken off. In the other table crun and runc get a name for each launch from it; it is not taken off.
		- **Each tool's own filter**: cordon's default profile; Docker's default for crun and runc, which they get as policy and
		  compile; what firejail and systemd-nspawn bring; none for bwrap, unshare and bare.
		- Peers are Debian packages, unpacked below build/peers, never installed, without setuid bits.

		Versions (of packages, Debian's):

	END
	versions_text
}

# A bar for each command, the median of bwrap being 1; both halves' own filters.
report_svg() {
	local half
	for half in root user; do
		[ -e "$work/result/$half/times.own" ] || continue
		awk -F '\t' -v half="$half" '
			NR == FNR { median[$1] = $2; if ($1 ~ /^bwrap/) base = $2; next }
			$1 in median && base > 0 { printf "%s\t%s\t%.3f\n", half, $1, median[$1] / base }
		' "$work/result/$half/times.own" "$work/result/$half/commands.own"
	done | awk -F '\t' '
		{ half[NR] = $1; name[NR] = $2; ratio[NR] = $3; if ($3 > most) most = $3 }
		END {
			if (most > 3) most = 3
			for (i = 1; i <= NR; i++) rows += half[i] != half[i - 1] ? 2 : 1
			high = rows * 24 + 24
			printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"%d\" font-family=\"sans-serif\" font-size=\"13\">\n", high
			print "<title>Median launch, each tool with its own filter; bwrap is 1</title>"
			printf "<rect width=\"760\" height=\"%d\" fill=\"#ffffff\"/>\n", high
			for (i = 1; i <= NR; i++) {
				if (half[i] != half[i - 1]) {
					y += 24
					printf "<text x=\"10\" y=\"%d\" font-weight=\"bold\">%s: median launch, bwrap = 1</text>\n", y - 6, (half[i] == "root" ? "As root" : "As an ordinary user")
				}
				y += 24
				wide = (ratio[i] > most ? most : ratio[i]) / most * 500
				printf "<text x=\"150\" y=\"%d\" text-anchor=\"end\">%s</text>\n", y - 6, name[i]
				printf "<rect x=\"160\" y=\"%d\" width=\"%.1f\" height=\"18\" fill=\"%s\"/>\n", y - 20, wide, (name[i] ~ /^cordon/ ? "#c2410c" : "#64748b")
				printf "<text x=\"%.1f\" y=\"%d\">%s%.2f</text>\n", 166 + wide, y - 6, (ratio[i] > most ? "\342\200\246 " : ""), ratio[i]
			}
			print "</svg>"
		}'
}

report() {
	report_text >"$work/PERFORMANCE.md"
	report_svg >"$work/performance.svg"
	cat "$work/PERFORMANCE.md" >"$repo/docs/PERFORMANCE.md"
	cat "$work/performance.svg" >"$repo/docs/performance.svg"
	echo "bench: wrote docs/PERFORMANCE.md and docs/performance.svg" >&2
}
