#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# cordon network connect and disconnect: of one that runs and of one that does not, and what a kill
# in between leaves.

load ../lib/cordon
load ../lib/attack
load ../lib/network

networks_of() { # SANDBOX
	cordon inspect "$1" | jq -c '.[0].networks | map_values(.interface)'
}

own_lines() { # SANDBOX
	cordon exec "$1" grep '^1[07]' /etc/hosts
}

# bats test_tags=root
@test "one that runs joins a second network, live, and leaves it again" {
	local pid
	cordon network create --internal backend
	cordon network create --internal --subnet 10.9.0.0/24 frontend
	serve backend a
	serve frontend b
	cordon run -d --name both --hostname both --network backend -- sleep 60 >/dev/null
	pid=$(cordon inspect both | jq -r '.[0].pid')
	says 3 "no answer: *" cordon exec both perl -e "$client" "$ip" 2
	gives 0 "" cordon network connect --ip 10.9.0.77 --alias cache frontend both
	gives 0 "this is b" cordon exec both perl -e "$client" "$ip" 2
	gives 0 "this is a" cordon exec both perl -e "$client" "$(address_of backend a)" 2
	[ "$(networks_of both)" = '{"backend":"eth0","frontend":"eth1"}' ]
	[ "$(cordon network inspect frontend | jq -r '.[0].leases[] | select(.ip_address == "10.9.0.77/24") | .aliases | index("cache") != null')" = true ]
	gives 0 "172.17.0.3	both
10.9.0.77	both" own_lines both
	# The same process, and nobody's start.
	[ "$(cordon inspect both | jq -r '.[0].pid')" = "$pid" ]
	says 125 "*sandbox both is in network frontend already*" cordon network connect frontend both
	says 125 "*is in use*" cordon network rm frontend
	# What its port takes is held back as at a start.
	[[ "$(host ip -d -o link show "$(host ip -o link | grep -o 'cv[0-9a-f]*1@' | head -1 | tr -d @)")" == *locked\ on* ]]
	gives 0 "" cordon network disconnect frontend both
	says 3 "no answer: *" cordon exec both perl -e "$client" "$ip" 2
	[ "$(networks_of both)" = '{"backend":"eth0"}' ]
	gives 0 "172.17.0.3	both" own_lines both
	# The address is free at once.
	gives 0 10.9.0.77 cordon run --network frontend --ip 10.9.0.77 -- sh -c 'grep -o "10\.9\.0\.77" /proc/net/fib_trie | head -1'
	says 125 "*sandbox both is not in network frontend*" cordon network disconnect frontend both
	gives 0 "" cordon network disconnect -f frontend both
	cordon rm -f a b both
	cordon gc
	nothing_of_networks
}

# bats test_tags=root
@test "of one that does not run the record changes; one without a network joins one, live" {
	local address
	cordon network create --internal web
	cordon network create --internal two
	cordon create --name a --network web -- sleep 60 >/dev/null
	gives 0 "" cordon network connect two a
	gives 0 "" cordon network disconnect web a
	cordon start a >/dev/null
	[ "$(networks_of a)" = '{"two":"eth0"}' ]
	# It stays so.
	gives 0 "" cordon network connect --alias x web a
	address=$(address_of web a)
	cordon stop -t 0 a
	cordon start a >/dev/null
	[ "$(networks_of a)" = '{"two":"eth0","web":"eth1"}' ]
	[ "$(address_of web a)" = "$address" ]
	cordon run -d --rm --name none -- sleep 60 >/dev/null
	gives 0 "" cordon network connect web none
	gives 0 "eth0:" cordon exec none sh -c 'grep -o "eth0:" /proc/net/dev'
	cordon run -d --name h --network host --waive network.host=test -- sleep 60 >/dev/null
	says 125 "*sandbox h is in a network that is not its own*" cordon network connect web h
	says 125 "*network none: no sandbox that is there joins or leaves it*" cordon network connect none a
	cordon network disconnect two a
	says 125 "*10.8.0.1: is not in its subnet*" cordon network connect --ip 10.8.0.1 two a
	says 125 "*--alias a\"]: is no name or address*" cordon network connect --alias 'a"]' two a
	gives 0 "" cordon network connect two a
	cordon rm -f a none h
	cordon gc
	nothing_of_networks
}

# bats test_tags=root
@test "one whose keeper was killed leaves a network with all that it had there, and the next has its address" {
	local address
	cordon network create --subnet 10.9.0.0/24 web
	cordon network create more
	cordon run -d --name a --network web --network more -p 8080:80 -- sleep 60 >/dev/null
	address=$(address_of web a)
	kill -9 "$(cordon inspect a | jq '.[0].supervisor_pid')"
	eventually gone_wrong a
	gives 0 "" cordon network disconnect web a
	[ "$(names_known | grep -c .)" -eq 0 ]
	[ "$(nft count inet cordon any4)" -eq 0 ]
	cordon run -d --name b --network web --mac-address 92:d0:c6:0a:29:33 -- sleep 60 >/dev/null
	[ "$(address_of web b)" = "$address" ]
	# As well by its link address alone.
	kill -9 "$(cordon inspect b | jq '.[0].supervisor_pid')"
	eventually gone_wrong b
	says 125 "*sandbox b has the link address 92:d0:c6:0a:29:33*hint: Of one that does not run any more*cordon gc*" \
		cordon run --rm --network web --ip 10.9.0.77 --mac-address 92:d0:c6:0a:29:33 -- true
	cordon gc
	gives 0 "" cordon run --rm --network web --ip 10.9.0.77 --mac-address 92:d0:c6:0a:29:33 -- true
	cordon rm -f a b
	cordon gc
	nothing_of_networks
}

gone_wrong() { # NAME
	[ "$(cordon ps -a --filter "name=$1" --format '{{.State}}')" != running ]
}

# bats test_tags=root
@test "what cannot be had is as if it had not been asked for" {
	cordon network create --internal --subnet 10.9.0.0/24 web
	cordon run -d --name a --network web --ip 10.9.0.9 -- sleep 60 >/dev/null
	cordon run -d --name b -- sleep 60 >/dev/null
	says 125 "*address 10.9.0.9: *has it*" cordon network connect --ip 10.9.0.9 web b
	[ "$(networks_of b)" = '{}' ]
	cordon stop -t 0 b
	cordon start b >/dev/null
	[ "$(networks_of b)" = '{}' ]
	cordon rm -f a b
}

# bats test_tags=root
@test "kill -9 at each step: the same command again makes it whole" {
	local point
	cordon network create --internal web
	cordon run -d --name a -- sleep 60 >/dev/null
	for point in connect.decided connect.written connect.placed; do
		run -137 host env CORDON_FAULT="$point:kill" "$FAULTY" --root "$CORDON_ROOT" network connect web a
		cordon network disconnect -f web a
		[ "$(networks_of a)" = '{}' ]
		run -137 host env CORDON_FAULT="$point:kill" "$FAULTY" --root "$CORDON_ROOT" network connect web a
		run cordon network connect web a
		[ "$(networks_of a)" = '{"web":"eth0"}' ]
		gives 0 "eth0:" cordon exec a sh -c 'grep -o "eth0:" /proc/net/dev'
		cordon network disconnect web a
	done
	for point in connect.written disconnect.unlinked; do
		cordon network connect web a
		run -137 host env CORDON_FAULT="$point:kill" "$FAULTY" --root "$CORDON_ROOT" network disconnect web a
		cordon network disconnect -f web a
		[ "$(networks_of a)" = '{}' ]
		says 1 "" cordon exec a grep eth0 /proc/net/dev
	done
	cordon rm -f a
	nothing_of_networks
}
