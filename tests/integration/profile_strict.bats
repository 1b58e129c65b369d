#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The profile strict: a finished program that computes, and nothing beyond.

load ../lib/cordon
load ../lib/attack

strict() { # COMMAND...
	cordon run --profile strict "$@"
}

@test "strict: a compiled program reads stdin and prints" {
	cat >sum.c <<-'END'
		#include <stdio.h>
		int main(void) { long a, sum = 0; while (scanf("%ld", &a) == 1) sum += a; printf("%ld\n", sum); return 0; }
	END
	gcc -O1 -o sum sum.c
	chmod 755 sum
	gives 0 5050 strict -- ./sum < <(seq 100)
}

@test "strict: Python computes, with processes and sqlite in memory" {
	need python3
	printf '%s\n' 'import multiprocessing, sqlite3' 'if __name__ == "__main__":' \
		'    c = sqlite3.connect(":memory:")' '    c.execute("create table t(x)")' \
		'    c.executemany("insert into t values (?)", [(x,) for x in multiprocessing.Pool(3).map(abs, [-1, -2, -3])])' \
		'    print(c.execute("select sum(x) from t").fetchone()[0])' >p.py
	chmod 644 p.py
	gives 0 6 strict --ro "$PWD/p.py" -- python3 "$PWD/p.py"
}

@test "strict: a shell pipeline with temporary files, and node" {
	gives 0 "3 c" strict -- bash -c 'printf "%s\n" a c b c c >/tmp/in; sort /tmp/in | uniq -c | sort -rn | head -n 1 | sed "s/^ *//"'
	need node
	gives 0 42 strict -- node -e 'console.log(6 * 7)'
}

@test "strict: what it wrote is not executed: not from /tmp, not from memory" {
	gives 126 "bash: line 1: /tmp/true: Permission denied" strict -q -- bash -c 'cp /bin/true /tmp/true; /tmp/true'
	gives 42 ENOSYS strict -- "$ATTACK/call" memfd_create text:x 0
	gives 42 ENOSYS strict -- "$ATTACK/call" execveat -100 text:/bin/true 0 0 0
	# The control: default does either.
	gives 0 "" cordon run -- bash -c 'cp /bin/true /tmp/true; /tmp/true'
	gives 0 ok cordon run -- "$ATTACK/call" memfd_create text:x 0
}

@test "strict: no socket family but AF_UNIX" {
	gives 42 EAFNOSUPPORT strict -- "$ATTACK/call" socket 2 1 0
	gives 42 EAFNOSUPPORT strict -- "$ATTACK/call" socket 10 2 0
	gives 42 EAFNOSUPPORT strict -- "$ATTACK/call" socket 16 3 0
	gives 0 ok strict -- "$ATTACK/call" socket 1 1 0
	gives 0 ok cordon run -- "$ATTACK/call" socket 2 1 0
}

@test "strict: its processes end at 64" {
	gives 0 "64 processes, then EAGAIN" strict -- "$ATTACK/processes" 100
	gives 0 "100 processes" cordon run -- "$ATTACK/processes" 100
}
