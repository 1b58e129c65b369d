#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The shipped profiles with rules of what may be reached: agent and net-service.

load ../lib/cordon
load ../lib/attack
load ../lib/network
load ../lib/names
load ../lib/egress
load ../lib/zone

# bats test_tags=root
@test "net-service: it answers at its port, and opens no connection; without its rules it does" {
	local all=("198.51.100.2 5000" "172.17.0.1 5000")
	far
	sandbox other bridge
	all+=("$(address_of bridge other) 5000")
	cordon run -d --name s --profile net-service -p 8080:5000 -- perl -e "$server" s >/dev/null
	eventually says_up s
	gives 0 "this is s" on far perl -e "${client//PeerPort => 5000/PeerPort => 8080}" 198.51.100.1 2
	gives 0 "this is s" asks bridge "$(address_of bridge s)"
	reaches s "" "${all[@]}"
	cordon stop -t 0 s
	[ "$(cordon inspect s | jq -c '[.[0].result.egress_denials[] | select(.port == 5000) | .address] | index("198.51.100.2") != null')" = true ]
	says 125 "*gives up what the parent denies*" cordon run --profile net-service --set network.egress.default=allow -- true
	cordon run -d --name free --profile net-service --set network.egress.default=allow --waive network.egress=control -- perl -e "$server" free >/dev/null
	eventually says_up free
	reaches free "198.51.100.2 5000, ${all[2]}" "${all[@]}"
}

# bats test_tags=root
@test "agent: in a network, package indexes by their names and nothing else" {
	far
	mkdir project
	chown 1000:1000 project
	cd project || return
	zone "pypi.org A 198.51.100.2" "other.test A 198.51.100.3"
	on far perl -e "${server//LocalPort => 5000/LocalPort => 443}" index >/dev/null 2>&1 3>&- &
	hosts+=("$!")
	names_are_served
	cordon network create web
	gives 0 "this is index" cordon run -q --profile agent --network web -- perl -e "${client//PeerPort => 5000/PeerPort => 443}" pypi.org 5
	run -3 cordon run -q --profile agent --network web --report report.json -- perl -e "$client" 198.51.100.3 5
	[ "$(jq -c '[.egress_denials[].rule]' report.json)" = '["198.51.100.3:5000"]' ]
	run -3 cordon run -q --profile agent --network web -- perl -e "$client" other.test 5
	run -1 was_asked other.test
	gives 0 "this is far" cordon run -q --profile agent --network web --set 'network.egress.+allow=["198.51.100.3:5000"]' -- perl -e "$client" 198.51.100.3 5
	# The default bridge has no resolver, which is said.
	says 125 "*names in network.egress take a network that somebody has made*" cordon run --profile agent --network bridge -- true
}
