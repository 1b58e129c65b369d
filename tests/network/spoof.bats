#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A sandbox sends with its own addresses, and nothing that only a network's owner says. Whoever could
# send anything at all is asked: root, in the sandbox's network namespace. Each frame that does not
# arrive does so once the rules of the ports are taken out.

load ../lib/cordon
load ../lib/attack
load ../lib/network

# What arrives at the sandbox from now on is in the file seen.NAME.
sees() { # NAME
	nsenter --net="/proc/$(cordon inspect "$1" | jq -r .[0].init_pid)/ns/net" \
		perl "$repo/tests/lib/frame.pl" see "$PWD/seen.$1" >/dev/null 2>&1 3>&- &
	hosts+=("$!")
	eventually grep -q ready "seen.$1"
}

sends_frame() { # TEXT WORD=VALUE...
	within a perl "$repo/tests/lib/frame.pl" send "$@"
}

seen() { # TEXT
	grep -aq "$1" seen.b
}

# The same frame, once with the rules and once without; what is sent last arrives last.
only_without_rules() { # WORD=VALUE...
	n=$((n + 1))
	sends_frame "with-$n." "$@"
	sends_frame "own-$n." kind=udp
	eventually seen "own-$n\." || { echo "its own frame does not arrive: $*"; return 1; }
	run seen "with-$n\."
	[ "$status" -eq 1 ] || { echo "arrives: $*"; return 1; }
	spoofs+=("$*")
}

without_rules_they_arrive() {
	local words n=0
	nft empty bridge cordon
	for words in "${spoofs[@]}"; do
		n=$((n + 1))
		# Several words.
		# shellcheck disable=SC2086
		sends_frame "bare-$n." $words
		eventually seen "bare-$n\." || { echo "does not arrive without the rules either: $words"; return 1; }
	done
}

# bats test_tags=root
@test "spoofed packets, neighbours, routers and servers do not arrive; its own do" {
	local n=0 own=02:c0:ac:11:00:02 local_own=fe80::c0:acff:fe11:2
	spoofs=()
	cordon network create --internal --subnet 172.17.0.0/16 --subnet fd00:9::/64 web
	serve web a
	serve web b
	sees b
	only_without_rules kind=udp ip=172.17.0.3
	only_without_rules kind=udp ip=10.1.1.1
	only_without_rules kind=udp port=67
	only_without_rules kind=udp tag=1
	only_without_rules kind=arp ip=172.17.0.1
	only_without_rules kind=arp ip=172.17.0.3
	only_without_rules kind=arp arp_mac=02:c0:ac:11:00:03
	only_without_rules kind=udp6 ip=fd00:9::3 to=ff02::1
	only_without_rules kind=udp6 ip=fe80::1 to=ff02::1
	only_without_rules kind=udp6 ip=fd00:9::2 to=ff02::1 port=547
	only_without_rules kind=icmp6 "ip=$local_own" to=ff02::1 type=134
	only_without_rules kind=icmp6 "ip=$local_own" to=ff02::1 type=137
	only_without_rules kind=icmp6 "ip=$local_own" to=ff02::1 type=136 about=fd00:9::1
	only_without_rules kind=other
	# To all bridges, which are not to forward it.
	only_without_rules kind=udp to_mac=01:80:c2:00:00:0e
	only_without_rules kind=udp to_mac=01:80:c2:00:00:00
	# What it may say.
	sends_frame own-arp. kind=arp
	sends_frame own-six. kind=udp6 ip=fd00:9::2 to=ff02::1
	sends_frame own-local. kind=udp6 "ip=$local_own" to=ff02::1
	sends_frame own-here. kind=icmp6 ip=fd00:9::2 to=ff02::1 type=136 about=fd00:9::2
	for text in arp six local here; do
		eventually seen "own-$text\." || { echo "own-$text does not arrive"; return 1; }
	done
	without_rules_they_arrive
	# Another link address is the port's own to refuse, whatever the rules.
	sends_frame other-mac. kind=udp mac=02:c0:ac:11:00:03
	sends_frame last. kind=udp "mac=$own"
	eventually seen 'last\.'
	run -1 seen 'other-mac\.'
	# The next start has the rules again.
	gives 0 "" cordon run --network web -- true
	n=99
	only_without_rules kind=udp ip=172.17.0.3
	cordon rm -f a b
	[ "$(nft count bridge cordon own4)" -eq 0 ]
}

# Such frames are for the next bridge: it hands them to the host as what has come by the port, and not
# by the bridge, whose name the rules know.
# bats test_tags=root
@test "the host hears nothing of frames that bridges do not forward" {
	local port to
	cordon network create --subnet 10.9.0.0/24 web
	serve web a
	port=$(host ip -o link | grep -o 'cv[0-9a-f]*')
	host perl -e 'use IO::Socket::IP; $| = 1; my $s = IO::Socket::IP->new(Proto => "udp", LocalPort => 5001) or die "$@\n";
		print "up\n"; while ($s->recv(my $text, 99)) { print "got $text\n" }' >heard 3>&- &
	hosts+=("$!")
	eventually grep -q up heard
	for to in 00 02 03 0e 0f; do
		sends_frame "by-$to." kind=udp to=10.9.0.1 "to_mac=01:80:c2:00:00:$to"
	done
	# Handed to the host they are what comes by the port, and that is nobody's.
	host ip link set dev "$port" type bridge_slave group_fwd_mask 0
	sends_frame by-port. kind=udp to=10.9.0.1 to_mac=01:80:c2:00:00:0e
	nft empty inet cordon
	sends_frame last. kind=udp to=10.9.0.1 to_mac=01:80:c2:00:00:0e
	eventually grep -aq 'got last\.' heard
	run -1 grep -a 'got by-' heard
	cordon rm -f a
}
