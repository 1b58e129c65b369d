#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Beyond the host: what leaves has the host's address, the host becomes no router, its own services
# and other networks are out of reach.

load ../lib/cordon
load ../lib/attack
load ../lib/network

# Another machine that answers with who it was asked by.
peer_echoes() { # NAME ADDRESS
	nsenter --net="/proc/${peers[$1]}/ns/net" perl -e 'use IO::Socket::IP;
		my $s = IO::Socket::IP->new(Listen => 8, LocalPort => 5000, LocalHost => $ARGV[0], ReuseAddr => 1) or die "$@\n";
		$SIG{PIPE} = "IGNORE"; while (1) { my $c = $s->accept or next; print $c "asked by " . $c->peerhost . "\n"; close $c }' "$2" >/dev/null 2>&1 3>&- &
	hosts+=("$!")
	eventually on "$1" perl -e "$client" "$2" 2
}

host_serves() {
	nsenter --net="/proc/$the_host/ns/net" perl -e "$server" host >/dev/null 2>&1 3>&- &
	hosts+=("$!")
	eventually host_asks 127.0.0.1
}

# A name server of the administrator's, on all addresses.
host_has_names() {
	nsenter --net="/proc/$the_host/ns/net" perl -e 'use IO::Socket::IP;
		my $s = IO::Socket::IP->new(Listen => 8, LocalHost => "0.0.0.0", LocalPort => 53) or die; sleep 600' >/dev/null 2>&1 3>&- &
	hosts+=("$!")
	eventually host perl -e "$knocks" 127.0.0.1
}

knocks='use IO::Socket::IP; exit !IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => 53, Timeout => 2)'

from() { # SANDBOX ADDRESS
	cordon exec "$1" perl -e "$client" "$2" 2
}

# bats test_tags=root
@test "what leaves has the host's address; forwarding is switched on for the links concerned, said, and off at the end" {
	local bridge
	peer lan 10.50.0.2/24 10.50.0.1
	peer wan 10.60.0.2/24 10.60.0.1
	peer_echoes lan 10.50.0.2
	peer_serves wan
	host ip link add unused type veth peer name other
	says 0 "*forwarding was off, and is switched on for lan, wan: for networks of cordon's alone*" cordon network create web
	bridge=$(cordon network inspect web | jq -r '.[0].bridge')
	forwards lan 1 && forwards wan 1 && forwards "$bridge" 1 && forwards unused 0 && forwards all 0
	gives 0 "asked by 10.50.0.1" asks web 10.50.0.2
	gives 0 "this is wan" asks web 10.60.0.2
	# The host is no router for lan and wan, as it was none before.
	says 3 "no answer: *" peer_asks lan 10.60.0.2
	nft empty inet cordon
	gives 0 "this is wan" peer_asks lan 10.60.0.2
	# As after a boot: the next start says it again, and says it once.
	host sysctl -qw net.ipv4.conf.lan.forwarding=0
	says 0 "*is switched on for lan: *" cordon run --network web -- true
	gives 0 "" cordon run --network web -- true
	says 3 "no answer: *" peer_asks lan 10.60.0.2
	# Nor for good after somebody has flushed what is known of the links.
	nft flush
	gives 0 "this is wan" peer_asks lan 10.60.0.2
	cordon gc
	says 3 "no answer: *" peer_asks lan 10.60.0.2
	cordon network create --internal inner
	nft flush
	cordon network rm web
	forwards lan 0 && forwards wan 0
	# A host that forwards already is left as it is, and may go on.
	host sysctl -qw net.ipv4.ip_forward=1
	run -0 --separate-stderr cordon network create web
	# run sets it.
	# shellcheck disable=SC2154
	[ -z "$stderr" ]
	gives 0 "this is wan" peer_asks lan 10.60.0.2
	gives 0 "asked by 10.50.0.1" asks web 10.50.0.2
	cordon network rm web
	forwards lan 1
}

forwards() { # LINK VALUE
	[ "$(host cat "/proc/sys/net/ipv4/conf/$1/forwarding")" = "$2" ] || { echo "$1 has not $2"; return 1; }
}

# bats test_tags=root
@test "IPv6 as well: a unique local address leaves as the host's" {
	[ -e /proc/sys/net/ipv6/conf/lo/force_forwarding ] || skip "the kernel has no force_forwarding (Linux 6.17)"
	peer lan 10.50.0.2/24 10.50.0.1
	host ip address add fd50::1/64 dev lan nodad
	on lan ip address add fd50::2/64 dev eth0 nodad
	peer_echoes lan fd50::2
	cordon network create --subnet fd00:9::/64 web
	gives 0 "asked by fd50::1" asks web fd50::2
	[ "$(host cat /proc/sys/net/ipv6/conf/lan/force_forwarding)" = 1 ]
	[ "$(host cat /proc/sys/net/ipv6/conf/lan/forwarding)" = 0 ]
	cordon network rm web
	[ "$(host cat /proc/sys/net/ipv6/conf/lan/force_forwarding)" = 0 ]
}

# bats test_tags=root
@test "the host's services, other networks and what comes from elsewhere: out of reach, and reached without the rules" {
	local a b
	peer lan 10.50.0.2/24 10.50.0.1
	peer_serves lan
	host_serves
	host_has_names
	cordon network create one
	cordon network create two
	serve one a
	a=$ip
	serve two b
	b=$ip
	on lan ip route replace "$a" via 10.50.0.1
	out_of_reach() {
		says 3 "no answer: *" from a 172.17.0.1
		says 3 "no answer: *" from a 10.50.0.1
		run -1 cordon exec a perl -e "$knocks" 172.17.0.1
		says 3 "no answer: *" from a "$b"
		says 3 "no answer: *" peer_asks lan "$a"
	}
	out_of_reach
	gives 0 "this is lan" from a 10.50.0.2
	gives 0 "this is a" host_asks "$a"
	nft empty inet cordon
	gives 0 "this is host" from a 172.17.0.1
	run -0 cordon exec a perl -e "$knocks" 172.17.0.1
	gives 0 "this is host" from a 10.50.0.1
	gives 0 "this is b" from a "$b"
	gives 0 "this is a" peer_asks lan "$a"
	# Also where the host forwards for everybody.
	host sysctl -qw net.ipv4.ip_forward=1
	cordon run --network one -- true
	out_of_reach
	cordon rm -f a b
	nothing_of_networks
}
