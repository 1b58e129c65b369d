#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whole jobs under the profile build, as CI runs them: zlib, node, a virtual environment of Python's,
# a pipeline, a static program, Java.

load ../lib/cordon
load ../lib/attack
load ../lib/jobs

@test "zlib: configured, compiled and tested; nothing but the tree changes" {
	fetched
	need gcc make python3
	job_tree
	/usr/bin/python3 -m tarfile -e "$jobs_dir"/src/zlib_*.orig.tar.* .
	cd zlib-*/
	build_says 0 "*Building shared library libz.so*" ./configure
	build_says 0 "*gcc*libz.a*" make -j2
	[ -f libz.a ]
	build_says 0 "*\*\*\* zlib test OK \*\*\**\*\*\* zlib shared test OK \*\*\**\*\*\* zlib 64-bit test OK \*\*\**" make test
	[[ "$output" != *FAILED* ]]
	# The installation's own step would write where it must not.
	build_says 2 "*Read-only file system*" make install
	beside_is_unchanged
	# What was built is the host's to use: the same library, linked and run outside.
	printf '#include "zlib.h"\nint main(void) { return zlibVersion()[0] != 49; }\n' >use.c
	gcc use.c -I. libz.a -o use
	./use
}

@test "node: threads, child processes, a local server, and no other network" {
	need node
	job_tree
	cp "$repo/tests/jobs/job.js" .
	build_says 0 "node ok" node job.js
	[ "$(wc -l <made.txt)" -eq 4 ]
	beside_is_unchanged
}

@test "python: a virtual environment is made inside, a package installed, its tests run" {
	need python3
	/usr/bin/python3 -c 'import ensurepip' || skip "no python3-venv"
	job_tree
	cp -r "$repo/tests/jobs/package/." .
	build_says 0 "" /usr/bin/python3 -m venv venv
	# Without an index: there is no network, and pip says so.
	build_says 0 "*Successfully installed word-count-1.0*" \
		venv/bin/pip install --no-index --no-build-isolation --disable-pip-version-check .
	build_says 0 "*Ran 3 tests*OK" venv/bin/python -I -m unittest discover -s tests
	build_says 0 "3 words" venv/bin/word-count one two three
	build_says 1 "*No matching distribution found*" \
		venv/bin/pip install --retries 0 --timeout 2 --disable-pip-version-check requests
	beside_is_unchanged
}

@test "shell: a pipeline of sort, uniq, awk and xargs -P" {
	job_tree
	local i
	for i in {1..300}; do
		echo "line $((i % 7))"
	done >input
	build_says 0 $'line 1 43\nline 6 43\nline 0 42' sh -c '
		sort input | uniq -c | sort -k1,1nr -k3,3 | awk "\$1 == 43 && (\$3 == 1 || \$3 == 6) || \$3 == 0 {print \$2, \$3, \$1}"'
	build_says 0 "300" sh -ec '
		mkdir parts; split -l 10 input parts/
		ls parts | xargs -P 4 -I{} sh -c "tr a-z A-Z <parts/{} >parts/{}.up"
		cat parts/*.up | grep -c LINE'
	beside_is_unchanged
}

@test "a static program, compiled inside, runs in a tree of its own and in an empty one" {
	need gcc
	job_tree
	printf '#include <stdio.h>\nint main(void) { return puts("static") < 0; }\n' >s.c
	build_says 0 "" gcc -static -O2 s.c -o s
	build_says 0 "static" ./s
	gives 0 static cordon run -- ./s
	gives 0 static cordon run --set rootfs.from=empty -- "$PWD/s"
	beside_is_unchanged
}

@test "java: threads, files, a child process, a socket, cryptography, and 800 MB of garbage" {
	fetched
	local jvm
	jvm=$(echo "$jobs_root"/usr/lib/jvm/java-17-openjdk-*)
	job_tree
	base64 -d "$repo/tests/jobs/Job.class.base64" >Job.class
	# Its settings are where the package has them. build_says reads the flags.
	# shellcheck disable=SC2034
	build_flags=(--ro "$jobs_root"
		--set "+volumes=[{source: $jobs_root/etc/java-17-openjdk, target: /etc/java-17-openjdk}]")
	build_says 0 "java ok" "$jvm/bin/java" -Xmx256m Job
	cmp made.txt copy.txt
	beside_is_unchanged
}

@test "control: a file beside the tree is noticed" {
	job_tree
	beside_is_unchanged
	echo >"$BATS_TEST_TMPDIR/new"
	run -1 beside_is_unchanged
	[[ "$output" == *"> $BATS_TEST_TMPDIR/new "* ]]
}
