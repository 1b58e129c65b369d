# SPDX-License-Identifier: LGPL-2.1-or-later
# What tests/vm/guest prints becomes one TAP stream. A half whose plan is not kept is a failed test;
# the plan comes last, and only where the machine got to its end.
function result(ok, text) {
	printf "%s %d %s\n", ok ? "ok" : "not ok", ++n, text
	fflush()
}
function half_ends(code) {
	if (plan != seen || seen == 0)
		result(0, half ": planned " (plan == "" ? "nothing" : plan) ", saw " seen " tests")
	else if (code != 0 && !bad)
		result(0, half ": ended with exit code " code " and no failed test")
}
{ sub(/\r$/, "") }
/^# half ends / { half_ends($4); half = ""; next }
/^# half / { half = $3; plan = ""; seen = bad = 0; print; fflush(); next }
/^# vm ends$/ { ended = 1; next }
/^1\.\.[0-9]+$/ { plan = substr($0, 4); next }
/^(not )?ok [0-9]+ / {
	is_ok = /^ok/
	seen++
	bad += !is_ok
	sub(/^(not )?ok [0-9]+ (- )?/, "")
	result(is_ok, half ": " $0)
	next
}
{ print; fflush() }
END {
	if (ended)
		printf "1..%d\n", n
}
