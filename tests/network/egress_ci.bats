#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# examples/ci/fetch: a step that fetches from a package index, which is a machine of the test's own
# here, and from nowhere else; and says what else it tried.

load ../lib/cordon
load ../lib/attack
load ../lib/network
load ../lib/names
load ../lib/egress
load ../lib/zone

# The index is 198.51.100.2, by the name index.test; another machine is 198.51.100.3, other.test.
index_is_there() {
	far
	zone "index.test A 198.51.100.2" "other.test A 198.51.100.3"
	names_are_served
	sed 's/"pypi.org:443", "files.pythonhosted.org:443"/"index.test:5000"/' "$repo/examples/ci/fetch.yaml" >fetch.yaml
	grep -q index.test fetch.yaml
	# The shell's own.
	# shellcheck disable=SC2016
	printf '#!/bin/sh\nexec nsenter --net=/proc/%s/ns/net unshare --mount sh -c %s sh "$@"\n' "$the_host" \
		"'mount --bind $own_resolv_conf /etc/resolv.conf && exec \"$CORDON\" --root \"$CORDON_ROOT\" \"\$@\"'" >in-host
	chmod +x in-host
}

fetch() { # COMMAND...
	CORDON=$PWD/in-host FETCH_PROFILE=$PWD/fetch.yaml run "$repo/examples/ci/fetch" "$@"
}

# bats test_tags=root
@test "the step has what the index gives, and nothing of anybody else's; which is said" {
	index_is_there
	# As the step would; it says what it switches on of the host's.
	./in-host network create fetch
	# perl's own, and the step's.
	# shellcheck disable=SC2154
	fetch perl -e "$client" index.test 5
	[ "$status" -eq 0 ] && [ "$output" = "this is far" ] || { echo "$status $output"; return 1; }
	# The other one by its address, at another port, by its name; the name was asked of nobody.
	fetch perl -e "$client" 198.51.100.3 5
	[ "$status" -eq 3 ]
	[[ "$output" == *"fetch: denied: tcp to 198.51.100.3 port 5000, "*" times; a rule: 198.51.100.3:5000"* ]] || { echo "$output"; return 1; }
	fetch perl -e "$client" other.test 5
	[ "$status" -eq 3 ]
	[[ "$output" == *"fetch: denied: the name other.test, "*" times"* ]] || { echo "$output"; return 1; }
	run -1 was_asked other.test
	# One that does not mind fails the step all the same.
	fetch perl -e "$client; IO::Socket::IP->new(PeerHost => '198.51.100.2', PeerPort => 22)" index.test 5
	[ "$status" -eq 1 ]
	[[ "$output" == *"this is far"*"fetch: denied: tcp to 198.51.100.2 port 22, "*" times; a rule: index.test:22"* ]] || { echo "$output"; return 1; }
	# The same without the rules.
	sed -i '/^  egress:/,/^    allow:/d' fetch.yaml
	run -0 ./in-host run -q --profile ./fetch.yaml -- perl -e "$client" other.test 5
	[ "$output" = "this is far" ]
	was_asked other.test
}

@test "the profile is right as it stands" {
	says 0 "*" "$CORDON" profile check "$repo/examples/ci/fetch.yaml"
}
