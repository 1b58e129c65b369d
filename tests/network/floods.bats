#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a sandbox could fill of the host's: the table of neighbours on its bridge, and that of connections.

load ../lib/cordon
load ../lib/attack
load ../lib/network

# Root, in the sandbox's network namespace: whoever could send anything at all.
inside() { # NAME COMMAND...
	nsenter --net="/proc/$(cordon inspect "$1" | jq -r .[0].init_pid)/ns/net" "${@:2}"
}

# Asks for the gateway in the name of 200 others, by ARP and by IPv6: each would be a neighbour of the host's. It is fewer
# than this machine's own table begins to clean up at (gc_thresh3 of all namespaces is 1024).
# shellcheck disable=SC2016
crowd='use Socket qw(:DEFAULT inet_pton AF_INET6); my ($gateway, $gateway6) = @ARGV;
	socket(my $s, 17, SOCK_RAW, unpack "S", pack "n", 3) or die; my ($index) = `ip -o link show eth0` =~ /^(\d+):/;
	bind $s, pack("SnlSCCa8", 17, 3, $index, 0, 0, 0, "") or die "bind: $!"; my ($mac) = `ip -o link show eth0` =~ /ether ([0-9a-f:]+)/;
	my $own = pack "H*", $mac =~ s/://gr; my $target = inet_pton(AF_INET6, $gateway6);
	sub sum { my $sum = 0; $sum += $_ for unpack "n*", $_[0]; $sum = ($sum & 0xffff) + ($sum >> 16) for 1, 2; ~$sum & 0xffff }
	for my $i (1 .. 200) { my $from = inet_aton("172.17.9.$i"); my $from6 = inet_pton(AF_INET6, "fd00:9::9:$i");
		send $s, ("\xff" x 6) . $own . pack("nnnCCna6a4a6a4", 0x0806, 1, 0x0800, 6, 4, 1, $own, $from, "", inet_aton($gateway)) . "\0" x 18, 0;
		my $ask = pack("CCnN", 135, 0, 0, 0) . $target . pack("CC", 1, 1) . $own;
		substr($ask, 2, 2) = pack "n", sum($from6 . $target . pack("NN", length $ask, 58) . $ask);
		send $s, ("\x33\x33\xff" . substr $target, 13) . $own . pack("nNnCC", 0x86dd, 6 << 28, length $ask, 58, 255) . $from6 . $target . $ask, 0 }'

neighbours() {
	host ip neigh show dev "$bridge" | wc -l
}

are_many() {
	[ "$(neighbours)" -ge 300 ]
}

# bats test_tags=root
@test "the host's neighbours: a sandbox adds none but itself, and without the rules hundreds" {
	local bridge gateway6
	cordon network create --internal --subnet 172.17.0.0/16 --subnet fd00:9::/64 web
	serve web a
	bridge=$(cordon network inspect web | jq -r '.[0].bridge')
	gateway6=$(host ip -o -6 address show dev "$bridge" scope global | awk '{ sub("/.*", "", $4); print $4; exit }')
	inside a perl -e "$crowd" 172.17.0.1 "$gateway6"
	# What was sent last is seen last: the host has had all of it.
	gives 0 "this is a" host_asks "$ip"
	[ "$(neighbours)" -le 4 ]
	nft empty bridge cordon
	inside a perl -e "$crowd" 172.17.0.1 "$gateway6"
	eventually are_many
	cordon rm -f a
}

# A datagram to each of 2000 ports of an address: as many connections, for who counts them.
# shellcheck disable=SC2016
scatter='use Socket; my $to = inet_aton(shift); socket(my $s, AF_INET, SOCK_DGRAM, 0) or die;
	for (1 .. 2000) { send $s, "x", 0, pack_sockaddr_in(20000 + $_, $to); select undef, undef, undef, 0.001 if $_ % 50 == 0 }'

tracked() {
	host cat /proc/sys/net/netfilter/nf_conntrack_count
}

# From a new sandbox of the network, with these flags; sets more to how many connections the host knows more then.
scatters() { # NETWORK ADDRESS FLAG...
	local before
	before=$(tracked)
	cordon run --network "$1" "${@:3}" -- perl -e "$scatter" "$2"
	more=$(($(tracked) - before))
}

# bats test_tags=root
@test "the host's connections: what leaves is counted there, up to its bound; what may not leave is not" {
	local more
	peer lan 192.0.2.2/24 192.0.2.1
	cordon network create --internal closed
	cordon network create open
	# Nothing that is not let through: neither to the host, nor out.
	scatters closed 172.17.0.1
	[ "$more" -lt 100 ]
	scatters open 192.0.2.2 --set 'network.egress={default: deny, allow: ["192.0.2.2:5000"]}'
	[ "$more" -lt 100 ]
	# The control, and the effect that THREAT-MODEL.md tells of: an entry for each.
	scatters open 192.0.2.2
	[ "$more" -ge 1900 ]
}
