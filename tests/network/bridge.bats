#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Sandboxes on bridges: who reaches whom, and who does not.

load ../lib/cordon
load ../lib/attack
load ../lib/network

# bats test_tags=root
@test "without a network there is none; with one there is a link with an address of it" {
	gives 0 "" cordon run -- sh -c 'tail -n +3 /proc/net/dev | grep -v "lo:" || true'
	gives 125 "cordon: no network is called web (asked for by command line)
cordon:   hint: \`cordon network create web\` makes it; \`cordon network ls\` lists those that there are." \
		cordon run --network web -- true
	cordon network create --internal --mtu 1400 web
	run -0 cordon run --network web -- sh -c 'tail -n +3 /proc/net/dev | grep -o "[a-z0-9]*:"; cat /proc/net/fib_trie /proc/net/if_inet6'
	[[ "$output" == *"eth0:"* && "$output" == *"172.17.0.2"* ]]
	[[ "$output" != *" eth0"* ]] # no address of IPv6
	gives 0 "02:c0:ac:11:00:02 1400" cordon run --network web -- sh -c \
		'echo "$(perl -e "$1" 0x8927) $(perl -e "$1" 0x8921)"' sh \
		'use Socket; socket(my $s, AF_INET, SOCK_DGRAM, 0); my $r = pack("a16x16", "eth0"); ioctl($s, hex($ARGV[0]), $r) or die;
		print hex($ARGV[0]) == 0x8927 ? join(":", map { sprintf "%02x", $_ } unpack("x18C6", $r)) : unpack("x16i", $r)'
	nothing_of_networks
}

# bats test_tags=root
@test "a port below 1024 can be listened to in a network, without a capability" {
	local listens='use IO::Socket::INET; print IO::Socket::INET->new(Listen => 1, LocalPort => 80) ? "80" : "$!"'
	cordon network create web
	gives 0 80 cordon run --network web -- perl -e "$listens"
	# The control: elsewhere it takes one.
	gives 0 "Permission denied" cordon run -- perl -e "$listens"
	cordon network rm web
}

# bats test_tags=root
@test "two in one network reach each other, the gateway and the host; another network they do not" {
	local a
	# A host that forwards: what keeps networks apart is not its lack.
	host sysctl -qw net.ipv4.ip_forward=1
	cordon network create --internal backend
	cordon network create --internal frontend
	serve backend a
	a=$ip
	gives 0 "this is a" asks backend "$a"
	gives 0 "this is a" host_asks "$a"
	serve frontend b
	gives 0 "this is b" asks frontend "$ip"
	says 3 "no answer: *" asks frontend "$a"
	says 3 "no answer: *" asks backend "$ip"
	cordon rm -f a b
}

# bats test_tags=root
@test "nothing beyond the host is reached, nor reaches in" {
	local a
	peer lan 10.50.0.2/24 10.50.0.1
	host sysctl -qw net.ipv4.ip_forward=1
	peer_serves lan
	cordon network create --internal web
	serve web a
	a=$ip
	says 3 "no answer: *" asks web 10.50.0.2
	on lan ip route replace "$a" via 10.50.0.1
	says 3 "no answer: *" peer_asks lan "$a"
	# An admin's own bridge is the admin's: that one does.
	host ip link add br0 type bridge
	host ip address add 10.77.0.1/24 dev br0
	host ip link set br0 up
	cordon network create --bridge br0 own
	gives 0 "this is lan" asks own 10.50.0.2
	cordon rm -f a
}

# bats test_tags=root
@test "icc=false: neighbours do not reach each other, the host reaches all" {
	cordon network create --internal --icc=false apart
	serve apart a
	gives 0 "this is a" host_asks "$ip"
	says 3 "no answer: *" asks apart "$ip"
	cordon network create --internal together
	serve together b
	gives 0 "this is b" asks together "$ip"
	cordon rm -f a b
}

# bats test_tags=root
@test "icc=false: neighbours do not reach each other by the host either, whatever routes they have" {
	local first second name
	# One with a way out: its bridge forwards.
	cordon network create --icc=false apart
	cordon network create together
	for name in apart together; do
		serve "$name" "$name-1"
		first=$ip
		serve "$name" "$name-2"
		second=$ip
		within "$name-1" ip route add "$second/32" via "${first%.*}.1"
		within "$name-2" ip route add "$first/32" via "${first%.*}.1"
	done
	gives 0 "this is together-2" within together-1 perl -e "$client" "$second" 2
	second=$(address_of apart apart-2)
	says 3 "no answer: *" within apart-1 perl -e "$client" "$second" 2
	gives 0 "this is apart-2" host_asks "$second"
	cordon rm -f apart-1 apart-2 together-1 together-2
}

# bats test_tags=root
@test "IPv6 between neighbours and from the host" {
	local address
	cordon network create --internal --subnet fd00:9::/64 six
	serve six a
	address=$(address_of six a ip6_address)
	[ "$address" = fd00:9::2 ]
	gives 0 "this is a" host_asks "$address"
	gives 0 "this is a" asks six "$address"
	gives 0 0 cordon run --network six -- cat /proc/sys/net/ipv6/conf/eth0/accept_ra
	cordon rm -f a
}

# bats test_tags=root
@test "addresses: the lowest free one, the same again for one that is kept, back at the end" {
	local a
	cordon network create --internal --subnet 10.9.0.0/24 --ip-range 10.9.0.128/25 web
	serve web a
	a=$ip
	[ "$a" = 10.9.0.128 ]
	[ "$(cordon inspect a | jq -c '.[0].networks | map_values({ip_address, ip6_address, mac_address, interface})')" = \
		'{"web":{"ip_address":"10.9.0.128/24","ip6_address":null,"mac_address":"02:c0:0a:09:00:80","interface":"eth0"}}' ]
	serve web b
	[ "$ip" = 10.9.0.129 ]
	cordon stop -t 0 a
	serve web c
	[ "$ip" = 10.9.0.130 ]
	cordon start a
	[ "$(address_of web a)" = "$a" ]
	[ "$(address_of web a mac_address)" = 02:c0:0a:09:00:80 ]
	cordon rm -f a b
	cordon gc
	serve web d
	[ "$ip" = 10.9.0.128 ]
	cordon rm -f c d
	says 0 "*2 remains of networks removed*" cordon gc
	nothing_of_networks
}

# bats test_tags=root
@test "who is left without a bridge reaches nothing of the host, not by what is sent to all either" {
	local sends='use Socket; socket(my $s, 2, 2, 0); setsockopt($s, SOL_SOCKET, SO_BROADCAST, 1);
		send($s, $ARGV[0], 0, pack_sockaddr_in(5001, inet_aton($_))) for "255.255.255.255", "224.0.0.1"'
	cordon network create web
	serve web a
	host perl -e 'use IO::Socket::IP; $| = 1; my $s = IO::Socket::IP->new(Proto => "udp", LocalPort => 5001) or die "$@\n";
		print "up\n"; while ($s->recv(my $text, 99)) { print "got $text\n" }' >heard 3>&- &
	hosts+=("$!")
	eventually grep -q up heard
	host ip link delete "$(cordon network inspect web | jq -r '.[0].bridge')"
	cordon exec a perl -e "$sends" alone
	nft empty inet cordon
	cordon exec a perl -e "$sends" last
	eventually grep -q 'got last' heard
	run -1 grep 'got alone' heard
	cordon rm -f a
}

# bats test_tags=root
@test "the bridge is made again where it is gone: as after a boot" {
	cordon network create --internal web
	serve web a
	cordon stop -t 0 a
	host ip link delete "$(cordon network inspect web | jq -r '.[0].bridge')"
	cordon start a
	eventually host_asks "$(address_of web a)"
	cordon rm -f a
}

# bats test_tags=root
@test "the default bridge is made by who needs it first, and by both of its names" {
	gives 0 "" cordon run --network bridge -- true
	gives 0 "" cordon run --net default -- true
	[[ "$(host ip -br address show cordon0)" == *" 172.17.0.1/16 " ]]
	[ "$(cordon network inspect bridge | jq -c '.[0] | [.built_in, .bridge]')" = '[true,"cordon0"]' ]
	says 125 "*is built in*" cordon network rm bridge
}

default_bridge_forwards() {
	[ "$(host cat /proc/sys/net/ipv4/conf/lan/forwarding)" = "$1" ]
}

default_bridge_is_there() {
	[[ "$(host ip -o link show type bridge)" == *" cordon0: "* ]]
}

# bats test_tags=root
@test "the default bridge, and what forwards for it, is undone by prune and gc when nobody is in it, and they say so" {
	local how said="*network bridge: nobody is in it, and its link cordon0 is removed*"
	peer lan 10.50.0.2/24 10.50.0.1
	for how in "network prune -f" gc; do
		cordon run -d --name a --network bridge -- sleep 100
		default_bridge_forwards 1
		# Who runs, and who is kept, is in it.
		# shellcheck disable=SC2086
		cordon $how
		default_bridge_is_there
		cordon stop -t 0 a
		# Words on purpose.
		# shellcheck disable=SC2086
		cordon $how
		default_bridge_is_there
		default_bridge_forwards 1
		cordon rm a
		cordon network prune -f --filter label=mine
		default_bridge_is_there
		# Words on purpose.
		# shellcheck disable=SC2086
		says 0 "$said" cordon $how
		run -1 default_bridge_is_there
		default_bridge_forwards 0
		[ -z "$(nft names)" ]
		[ ! -e "$CORDON_ROOT/state/networks/bridge" ]
		# Once.
		# shellcheck disable=SC2086
		run -0 cordon $how
		[[ "$output" != *cordon0* ]]
		said="*cordon0, the default network's link, removed: nobody is in that network*"
	done
	# What has been said of it stays.
	cordon network update --ingress-rate 50mbit bridge
	cordon run -q --network bridge -- true
	cordon network prune -f
	run -1 default_bridge_is_there
	[ -z "$(host ip -o link show type ifb)" ]
	[ "$(cordon network inspect bridge | jq '.[0].ingress.rate_bits')" = 50000000 ]
	# Another state root has the same link.
	cordon network update --ingress-rate none bridge
	host "$CORDON" --root "$CORDON_ROOT.other" run -d --name b --network bridge -- sleep 100
	cordon run -q --network bridge -- true
	cordon network prune -f
	default_bridge_is_there
	host "$CORDON" --root "$CORDON_ROOT.other" rm -f b
	says 0 "*cordon0 is removed*" cordon network prune -f
	rm -rf "$CORDON_ROOT.other"
}

# bats test_tags=root
@test "a policy names its network" {
	cordon network create --internal web
	printf 'cordon: 1\nextends: default\nnetwork: {mode: web}\n' >p.yaml
	gives 0 "eth0:" cordon run --profile ./p.yaml -- sh -c 'grep -o "eth0:" /proc/net/dev'
	printf 'cordon: 1\nextends: default\nnetwork: {mode: wen}\n' >p.yaml
	says 125 "*no network is called wen*p.yaml:3*" cordon run --profile ./p.yaml -- true
}

# bats test_tags=root
@test "forwarding that is switched on later, and for all, lets nothing in" {
	local a bridge
	peer lan 10.50.0.2/24 10.50.0.1
	cordon network create --internal web
	bridge=$(cordon network inspect web | jq -r '.[0].bridge')
	listens web a
	a=$ip
	host ip link add br0 type bridge
	host ip address add 10.77.0.1/24 dev br0
	host ip link set br0 up
	cordon network create --bridge br0 own
	listens own b
	host sysctl -qw net.ipv4.ip_forward=0
	host sysctl -qw net.ipv4.ip_forward=1
	# The first layer is gone.
	[ "$(host cat "/proc/sys/net/ipv4/conf/$bridge/forwarding")" = 1 ]
	on lan perl -e "$sends" "$a" lan
	# The same to a sandbox behind an admin's own bridge arrives, and so does the host's to ours.
	on lan perl -e "$sends" "$ip" lan
	eventually got b lan
	host perl -e "$sends" "$a" host
	eventually got a host
	run got a lan
	[ "$status" -eq 1 ]
	# The next start has both layers again.
	cordon run --network web -- true
	[ "$(host cat "/proc/sys/net/ipv4/conf/$bridge/forwarding")" = 0 ]
	cordon rm -f a b
}
