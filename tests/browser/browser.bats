#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A browser engine with its helper processes renders a page under the profile build.

load ../lib/cordon
load ../lib/attack
load ../lib/jobs

chromium() { # FLAG...
	local root=$jobs_dir/browser libs
	libs=$(echo "$root"/usr/lib/*-linux-gnu*)
	! is_root || chown -R 61235:61235 .
	cordon run --profile build --timeout 60s --ro "$root" -e "LD_LIBRARY_PATH=$libs:$libs/pulseaudio" -- \
		"$root/usr/lib/chromium/chromium" --headless --disable-gpu "$@"
}

browser_tree() {
	[ -d "$jobs_dir/browser" ] || skip "tests/jobs/fetch browser has not run"
	job_tree
	cat >page.html <<-'END'
		<h1 id="a">no script</h1>
		<script>document.getElementById("a").textContent = 6 * 7 + " rendered"</script>
	END
}

@test "chromium: scripts of a page run, by a renderer and helpers of its own" {
	browser_tree
	says 0 '*<h1 id="a">42 rendered</h1>*' chromium --no-sandbox --no-zygote --dump-dom "file://$PWD/page.html"
	[[ "$output" != *cordon:* ]]
	says 0 "*" chromium --no-sandbox --no-zygote --screenshot="$PWD/page.png" "file://$PWD/page.html"
	[ "$(head -c 4 page.png | tail -c 3)" = PNG ]
	beside_is_unchanged
}

@test "chromium: without the flags it ends, and the line names them" {
	browser_tree
	run chromium --dump-dom "file://$PWD/page.html"
	[ "$status" -ne 0 ]
	[[ "$output" == *"cordon: a browser's own sandbox"*"--no-sandbox --no-zygote; cordon is its sandbox then" ]]
	run chromium --no-sandbox --dump-dom "file://$PWD/page.html"
	[ "$status" -ne 0 ]
	[[ "$output" == *"cordon: the zygote of a browser ends where capset is denied: start it with --no-sandbox --no-zygote" ]]
}

@test "chromium: neither a page of the host's nor the network" {
	browser_tree
	echo '<p>beside</p>' >"$BATS_TEST_TMPDIR/beside.html"
	run chromium --no-sandbox --no-zygote --dump-dom "file://$BATS_TEST_TMPDIR/beside.html"
	[[ "$output" != *"<p>beside</p>"* ]]
	[[ "$output" == *ERR_FILE_NOT_FOUND* ]]
	run chromium --no-sandbox --no-zygote --dump-dom http://192.0.2.1/
	[[ "$output" == *ERR_INTERNET_DISCONNECTED* || "$output" == *ERR_ADDRESS_UNREACHABLE* ]]
}
