#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Programs that usually break in sandboxes: they work under the profile build, or one line says what
# they want and that line is true.

load ../lib/cordon
load ../lib/attack
load ../lib/jobs

@test "git: init, add, commit, log, gc, fsck, and a clone of a local repository" {
	need git
	job_tree
	build_says 0 "*one commit*1*clean" sh -ec '
		git init -q r; cd r; echo a >a; git add a
		git -c user.name=n -c user.email=n@example.org commit -qm "one commit"
		git log --format=%s; git gc -q; git fsck --no-progress; git clone -q . ../copy
		git -C ../copy rev-list --count HEAD; test -z "$(git -C ../copy status --short)" && echo clean'
	[ -d r/.git/objects ]
}

# bats test_tags=root
@test "git: in a tree of root's, too, the repository is the program's own" {
	need git
	job_tree
	git init -q .
	git config --list --local >/dev/null
	says 0 "*waived: host_root_write:*No commits yet*" cordon run --profile build \
		--waive "host_root_write:$PWD=a test" -- git status
}

@test "gcc -pipe under make -j4" {
	need gcc make
	job_tree
	local i
	for i in 1 2 3 4 5 6 7 8; do
		echo "int f$i(void) { return $i; }" >"f$i.c"
	done
	echo 'int main(void) { return 0; }' >main.c
	# Tabs and variables of make.
	printf 'a.out: main.o f1.o f2.o f3.o f4.o f5.o f6.o f7.o f8.o\n\tgcc -pipe $^ -o $@\n%%.o: %%.c\n\tgcc -pipe -O2 -c $< -o $@\n' >Makefile
	build_says 0 "*gcc -pipe*" make -j4
	./a.out
	build_says 0 "" sh -ec 'gcc -pipe main.c f*.c -o /tmp/b; /tmp/b'
}

@test "python: multiprocessing pools, queues, semaphores, shared memory, each start method" {
	need python3
	job_tree
	cp "$repo/tests/jobs/processes.py" .
	build_says 0 $'fork 328350 42 7\nspawn 328350 42 7\nforkserver 328350 42 7' /usr/bin/python3 processes.py
	# Without the room in /dev/shm there is no shared memory: the end is the limit's.
	build_says 0 "No space left on device" /usr/bin/python3 -c '
import os
fd = os.open("/dev/shm/x", os.O_RDWR | os.O_CREAT)
try: os.posix_fallocate(fd, 0, 65 << 20)
except OSError as e: print(e.strerror)'
}

@test "sqlite: WAL mode, a writer locks the other out, and the command line tool" {
	need python3 sqlite3
	job_tree
	build_says 0 $'wal\ndatabase is locked\n3' /usr/bin/python3 -c '
import sqlite3
a = sqlite3.connect("t.db", isolation_level=None)
print(a.execute("pragma journal_mode=wal").fetchone()[0])
a.execute("create table t(a)")
a.execute("begin immediate")
a.execute("insert into t values (1), (2)")
b = sqlite3.connect("t.db", timeout=0.1, isolation_level=None)
try: b.execute("begin immediate")
except sqlite3.OperationalError as e: print(e)
a.execute("commit")
print(b.execute("select sum(a) from t").fetchone()[0])'
	build_says 0 $'wal\n3' sqlite3 t.db 'pragma journal_mode=wal; select sum(a) from t'
}

@test "gdb: does not trace, the line says what it wants, and with that it works" {
	need gdb gcc
	job_tree
	local waiver='--waive "seccomp.call:ptrace=REASON"'
	local line="cordon: ptrace is denied by the policy; gdb needs $waiver"
	printf '#include <stdio.h>\nint f(int x)\n{\n\treturn x + 1;\n}\nint main(void)\n{\n\tprintf("%%d\\n", f(41));\n\treturn 3;\n}\n' >g.c
	gcc -g -O0 g.c -o g
	local session=(gdb -nx -batch -ex 'break f' -ex run -ex bt -ex continue ./g)
	build_says 1 "*Operation not permitted*$line" "${session[@]}"
	# Without -batch gdb ends with 0, and the line is there all the same.
	build_says 0 "*Operation not permitted*$line" gdb -nx -q -ex run -ex 'quit 0' ./g
	# The line, typed as it stands.
	run -0 bash -c '"$1" --root "$2" run --profile build '"$waiver"' -- "${@:3}"' bash "$CORDON" "$CORDON_ROOT" "${session[@]}"
	[[ "$output" == *"waived: seccomp.call:ptrace (REASON)"*"Breakpoint 1, f (x=41)"*"#0  f (x=41)"*"#1 "*" in main ()"*42*"exited with code 03"* ]]
	[[ "$output" != *"is denied by the policy"* ]]
}

@test "strace: the same" {
	need strace
	job_tree
	build_says 1 "*Operation not permitted*cordon: ptrace is denied by the policy; strace needs *" strace true
	says 0 "*execve(*exited with 0*" cordon run --profile build --waive "seccomp.call:ptrace=a test" -- \
		strace -f -o /dev/stdout true
}

@test "ping: one line says that there are no such sockets; a port on loopback answers" {
	need ping
	job_tree
	! is_root || chown 61235:61235 .
	run cordon run --profile build -- "$(command -v ping)" -c 1 -W 1 127.0.0.1
	[ "$status" -ne 0 ]
	[[ "$output" == *"cordon: there is no network inside but the sandbox's own loopback"*"connect to its port" ]]
	build_says 0 "answers" /usr/bin/python3 -c '
import socket
a = socket.create_server(("127.0.0.1", 0))
socket.create_connection(a.getsockname())
print("answers")'
}

@test "the network, setuid programs, mount and a sandbox inside: each has its line" {
	need curl su mount unshare
	job_tree
	run cordon run -- curl -sS http://192.0.2.1/
	[[ "$status" -ne 0 && "$output" == *"cordon: there is no network inside"*"network.mode: none"* ]]
	run cordon run -- su -c true
	[[ "$status" -ne 0 && "$output" == *"cordon: setuid programs gain nothing inside"* ]]
	run cordon run -- mount -t tmpfs none /tmp
	[[ "$status" -ne 0 && "$output" == *"cordon: nothing can be mounted from inside"* ]]
	run cordon run -- unshare -r true
	[[ "$status" -ne 0 && "$output" == *"cordon: a sandbox inside this one"* ]]
	# -q, a program that works, and one of another name: silence.
	run cordon run -q -- su -c true
	[[ "$output" != *cordon:* ]]
	says 0 "su from *" cordon run -- su --version
	gives 3 "" inside 'exit 3'
}
