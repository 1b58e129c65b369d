# SPDX-License-Identifier: LGPL-2.1-or-later
# A bats file as plain bash for tests/vm/runner: each test with the tag `vm` becomes a function that
# is named by its line, the others become empty lines. What is run where: "both", "root" or "user"; or
# "system" for the tag of that name, as root where systemd is process 1, and nowhere else.
/^# bats file_tags=.*vm/ { all = 1 }
/^# bats test_tags=/ { tags = "," substr($0, index($0, "=") + 1) "," }
/^@test / {
	dropped = !all && tags !~ /,vm,/
	if (!dropped) {
		name = $0
		sub(/^@test +/, "", name)
		sub(/ *{$/, "", name)
		n++
		line[n] = NR
		title[n] = name
		half[n] = tags ~ /,system,/ ? "system" : tags ~ /,root,/ ? "root" : tags ~ /,user,/ ? "user" : "both"
		print "test_" NR "() {"
	}
	tags = ""
	if (!dropped)
		next
}
{ print dropped ? "" : $0 }
/^}/ { dropped = 0 }
END {
	for (i = 1; i <= n; i++)
		printf "add_test %d %s %s\n", line[i], half[i], title[i]
}
