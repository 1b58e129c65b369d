# SPDX-License-Identifier: LGPL-2.1-or-later
# A bats file without the tests that have not the tag `vm`. Bats reads every line of a file several
# times, which takes long in a virtual machine; the lines keep their numbers.
/^# bats file_tags=.*vm/ { all = 1 }
/^# bats test_tags=/ { tagged = /[=,]vm(,|$)/ }
/^@test / {
	dropped = !all && !tagged
	tagged = 0
}
{ print dropped ? "" : $0 }
/^}/ { dropped = 0 }
