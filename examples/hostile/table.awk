# SPDX-License-Identifier: LGPL-2.1-or-later
# The table of ./quickstart. Reads two runs of the hostile program, without cordon and with it.
# Set by -v: attempts (NAME|LABEL|OUTCOME=LAYER;... a line), controls (names that must work without
# cordon), width of the terminal, color (0 or 1). Exit code 1 where anything got through, or ended
# in another way than one of the layers would end it.

BEGIN {
	n = split(attempts, lines, "\n")
	for (i = 1; i <= n; i++) {
		if (lines[i] == "")
			continue
		split(lines[i], part, "|")
		names[++count] = part[1]
		label[part[1]] = part[2]
		m = split(part[3], pairs, ";")
		for (j = 1; j <= m; j++) {
			at = index(pairs[j], "=")
			layer[part[1], substr(pairs[j], 1, at - 1)] = substr(pairs[j], at + 1)
		}
	}
}

FNR == 1 { run++ }
!($1 in label) { unknown = unknown " " $1 }
{
	outcome[run, $1] = $2
	detail[run, $1] = $3
}

function paint(code, text) {
	return color ? "\033[" code "m" text "\033[0m" : text
}

function cell(text, size) {
	if (length(text) > size)
		text = substr(text, 1, size - 3) "..."
	return sprintf("%-" size "s", text)
}

# One row; in a narrow terminal three lines instead of three columns.
function row(a, b, c, code_b, code_c) {
	if (width < 72) {
		print a
		print "  without: " paint(code_b, substr(b, 1, width - 11))
		print "  with:    " paint(code_c, substr(c, 1, width - 11))
		return
	}
	print cell(a, first) "  " paint(code_b, cell(b, second)) "  " paint(code_c, substr(c, 1, third))
}

function without_text(name,    o) {
	o = outcome[1, name]
	if (o == "ok")
		return "worked" (detail[1, name] != "" ? ": " detail[1, name] : "")
	if (o == "unchanged")
		return "ran, gained nothing"
	return "refused (" o ")"
}

END {
	first = 32
	third = 34
	second = width - first - third - 4
	if (width >= 72)
		row("what it tried", "without cordon", "what stopped it with cordon", "1", "1")
	for (i = 1; i <= count; i++) {
		name = names[i]
		o = outcome[2, name]
		if ((2, name) in outcome && (name, o) in layer) {
			text = layer[name, o] " (" o ")"
			code = "32"
			stopped++
		} else {
			code = "1;31"
			bad++
			if (o == "ok")
				text = "!!! IT SUCCEEDED"
			else
				text = "!!! UNEXPECTED: " (o == "" ? "no answer" : o)
		}
		row(label[name], without_text(name), text, outcome[1, name] == "ok" ? "33" : "0", code)
		if (index(controls, " " name " ") && outcome[1, name] != "ok")
			broken = broken " " name
	}
	print ""
	if (unknown != "")
		print "!!! attempts without a row in this table:" unknown
	if (broken != "")
		print "!!! these must work without cordon, or the comparison says nothing:" broken
	if (bad || unknown != "" || broken != "") {
		print paint("1;31", (bad + 0) " of " count " attempts did not end as they must")
		exit 1
	}
	print paint("1;32", "all " stopped " attempts were stopped")
}
