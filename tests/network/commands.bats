#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# cordon network create, ls, inspect, rm, prune.

load ../lib/cordon
load ../lib/attack
load ../lib/network

# What `network inspect` says at a path of jq's.
field() { # NETWORK PATH
	cordon network inspect "$1" | jq -c ".[0] | $2"
}

# bats test_tags=user
@test "an ordinary user is told that networks take root, and may look" {
	is_root && skip "as a user"
	says 125 "*network create: takes root in this build*hint: Type it again as root*" \
		cordon network create web
	says 125 "*network rm: takes root*" cordon network rm web
	says 125 "*network bridge: takes root in this build*--network none*" cordon run --network bridge -- true
	[ "$(cordon network ls -q | wc -l)" -eq 3 ]
	[ ! -e "$CORDON_ROOT/state/networks" ]
}

# bats test_tags=root
@test "three are built in, and stay" {
	local name
	run -0 cordon network ls
	[ "${lines[0]}" = "NETWORK ID     NAME     DRIVER   SCOPE" ]
	[ "${lines[1]}" = "000000000001   bridge   bridge   local" ]
	[ "${#lines[@]}" -eq 4 ]
	for name in bridge host none; do
		says 125 "*network $name: is built in, and cannot be removed*" cordon network rm "$name"
		says 125 "*network create: $name is built in*" cordon network create "$name"
	done
	says 125 "*default cannot be a network's name*" cordon network create default
	[ "$(cordon network ls --json | jq -c 'map(.name)')" = '["bridge","host","none"]' ]
}

# bats test_tags=root
@test "create, ls, inspect, rm: a network and its bridge come and go" {
	local id bridge
	id=$(cordon network create --internal --label team=a --label empty web)
	[[ "$id" =~ ^[0-9a-f]{16}$ ]]
	[ "$(field web .id)" = "\"$id\"" ]
	[ "$(field "${id:0:5}" .name)" = '"web"' ]
	[ "$(field web .labels)" = '{"team":"a","empty":""}' ]
	[ "$(field web '[.internal,.icc,.ipv6,.mtu,.bridge_is_own]')" = '[true,true,false,1500,true]' ]
	[ "$(field web '.subnets')" = '[{"subnet":"172.17.0.0/16","gateway":"172.17.0.1","ip_range":"172.17.0.0/16"}]' ]
	bridge=$(field web .bridge | tr -d '"')
	[[ "$(host ip -br address show "$bridge")" == *" 172.17.0.1/16 " ]]
	[[ "$(host ip -o link show "$bridge")" == *"alias cordon network $id"* ]]
	[ "$(cordon network ls -q --no-trunc -f type=custom)" = "$id" ]
	[ "$(cordon network ls -q -f label=team=a -f driver=bridge)" = "${id:0:12}" ]
	[ -z "$(cordon network ls -q -f label=team=b)" ]
	[ -z "$(cordon network ls -q -f name=nothing)" ]
	says 125 "*--filter colour=red: no such filter*" cordon network ls -f colour=red
	says 125 "*network web: File exists*cordon network rm web*" cordon network create web
	gives 0 web cordon network rm web
	run -1 host ip link show "$bridge"
	says 125 "*no network is called web*" cordon network rm web
	gives 0 "" cordon network rm -f web
	[ -z "$(find "$CORDON_ROOT/state/networks" -mindepth 1 ! -name .lock)" ]
}

# bats test_tags=root
@test "flags: what is wrong is said by name" {
	says 125 "*--driver overlay: is not in this build*" cordon network create -d overlay a
	says 125 "*--driver macvlan: is not in this build*" cordon network create -d macvlan a
	says 125 "*--driver nonsense: no such driver*" cordon network create -d nonsense a
	says 125 "*--driver host: there is one such network*" cordon network create -d host a
	says 125 "*--subnet 10.9.0.0: is no subnet*" cordon network create --subnet 10.9.0.0 a
	says 125 "*--subnet 10.9.0.1/24: has bits set*" cordon network create --subnet 10.9.0.1/24 a
	says 125 "*--subnet 8.8.8.0/24: is not a private subnet*" cordon network create --subnet 8.8.8.0/24 a
	says 125 "*--subnet 10.8.0.0/24: a second one*" cordon network create --subnet 10.9.0.0/24 --subnet 10.8.0.0/24 a
	says 125 "*--gateway 10.8.0.1/32: is no host's*" cordon network create --subnet 10.9.0.0/24 --gateway 10.8.0.1 a
	says 125 "*--ip-range 10.8.0.0/25: is not within*" cordon network create --subnet 10.9.0.0/24 --ip-range 10.8.0.0/25 a
	says 125 "*take a --subnet*" cordon network create --gateway 10.8.0.1 a
	says 125 "*--mtu 100: is no number from 1280*" cordon network create --mtu 100 a
	says 125 "*--label =x: no such label*" cordon network create --label =x a
	says 125 "*../a cannot be a network's name*" cordon network create ../a
	says 125 "*takes one name*" cordon network create a b
	says 125 "*--opt of network create: not enforced by this build*" cordon network create -o a=b a
	[ "$(cordon network ls -q -f type=custom)" = "" ]
	[ -z "$(host ip -br link show type bridge)" ]
}

# bats test_tags=root
@test "subnets collide with no route of the host's, and with no other network" {
	peer lan 172.17.5.2/24 172.17.5.1
	host ip route add 172.18.0.0/15 via 172.17.5.2
	host ip route add 172.20.0.0/16 dev lan table 77
	cordon network create --internal one
	[ "$(field one '.subnets[0].subnet')" = '"172.21.0.0/16"' ]
	cordon network create --internal two
	[ "$(field two '.subnets[0].subnet')" = '"172.22.0.0/16"' ]
	says 125 "*--subnet 172.17.0.0/16: collides with the host's route 172.17.5.*" \
		cordon network create --subnet 172.17.0.0/16 a
	says 125 "*--subnet 172.20.3.0/24: collides with the host's route 172.20.0.0/16*" \
		cordon network create --subnet 172.20.3.0/24 a
	# Its bridge is gone, its subnet is not.
	host ip link delete "$(field two .bridge | tr -d '"')"
	says 125 "*--subnet 172.22.1.0/24: collides with network two, 172.22.0.0/16*" \
		cordon network create --subnet 172.22.1.0/24 a
	# What comes later is found at the next start.
	host ip route add 172.22.9.0/24 dev lan
	says 125 "*subnet 172.22.0.0/16: collides with the host's route 172.22.9.0/24*came after network two*" \
		cordon run --network two -- true
	host ip route delete 172.22.9.0/24 dev lan
	gives 0 "" cordon run --network two -- true
}

# bats test_tags=root
@test "IPv6: a subnet of its own where it is asked for, and none else" {
	cordon network create --internal --ipv6 six
	[[ "$(field six '.subnets[1].subnet')" == '"fd'*'::/64"' ]]
	cordon network create --internal --subnet fd00:9::/64 nine
	[ "$(field nine '.subnets[1]')" = '{"subnet":"fd00:9::/64","gateway":"fd00:9::1","ip_range":"fd00:9::/64"}' ]
	cordon network create --internal four
	[ "$(host cat "/proc/sys/net/ipv6/conf/$(field four .bridge | tr -d '"')/disable_ipv6")" = 1 ]
	[ "$(host cat "/proc/sys/net/ipv6/conf/$(field six .bridge | tr -d '"')/disable_ipv6")" = 0 ]
}

# bats test_tags=root
@test "an admin's own bridge is used as it is, and stays" {
	says 125 "*bridge br0: there is no such link*ip link add br0 type bridge*" cordon network create --bridge br0 own
	host ip link add br0 type bridge
	says 125 "*bridge br0: is switched off*" cordon network create --bridge br0 own
	host ip link set br0 up
	says 125 "*bridge br0: has no private address*" cordon network create --bridge br0 own
	says 125 "*bridge lo: is no bridge*" cordon network create --bridge lo own
	host ip address add 10.77.0.1/24 dev br0
	says 125 "*leave --subnet and --gateway out*" cordon network create --bridge br0 --subnet 10.9.0.0/24 own
	cordon network create --bridge br0 own
	[ "$(field own '[.bridge,.bridge_is_own,.subnets[0].subnet,.subnets[0].gateway]')" = \
		'["br0",false,"10.77.0.0/24","10.77.0.1"]' ]
	serve own a
	[ "$ip" = 10.77.0.2 ]
	gives 0 "this is a" host_asks "$ip"
	cordon rm -f a
	# Where nothing is cordon's, nothing is changed.
	[ "$(host cat /proc/sys/net/ipv4/conf/br0/rp_filter)" = "$(host cat /proc/sys/net/ipv4/conf/default/rp_filter)" ]
	gives 0 own cordon network rm own
	host ip link show br0
}

# bats test_tags=root
@test "a link of somebody else's that has the bridge's name is not touched" {
	local bridge
	cordon network create --internal web
	bridge=$(field web .bridge | tr -d '"')
	host ip link delete "$bridge"
	host ip link add "$bridge" type bridge
	says 125 "*link $bridge: is there, and is not of network web*" cordon run --network web -- true
	cordon network rm web
	host ip link show "$bridge"
}

# bats test_tags=root
@test "one in use cannot be removed; prune removes the others" {
	cordon network create --internal --label keep=no used
	cordon network create --internal --label keep=no unused
	cordon network create --internal other
	serve used a
	says 125 "*network used: is in use, by sandbox $(cordon inspect a | jq -r '.[0].id')*" cordon network rm used
	# Also while it is stopped: it has its address again.
	cordon stop -t 0 a
	says 125 "*network used: is in use*" cordon network rm used
	says 125 "*network prune asks before it removes*" cordon network prune </dev/null
	gives 0 unused cordon network prune -f --filter label=keep=no
	gives 0 other cordon network prune -f
	cordon rm -f a
	gives 0 used cordon network rm used
}
