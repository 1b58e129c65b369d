#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# network.egress by address: what may be reached, and what not, whoever sends it and however it is
# packed. Each that does not arrive does so from a sandbox of the same network without such rules.

load ../lib/cordon
load ../lib/attack
load ../lib/network
load ../lib/egress

# bats test_tags=root
@test "addresses, ports and protocols: what is named, what is not, and what a denial takes away" {
	local all=("198.51.100.2 5000" "198.51.100.2 5001" "198.51.100.2 5002" "198.51.100.3 5000" "2001:db8::2 5000"
		"2001:db8::3 5000" "169.254.169.254 5000")
	far
	cordon network create --ipv6 web
	sandbox free web
	ip=$(address_of web free)
	reaches free "$(printf '%s, ' "${all[@]}")$ip 5000" "${all[@]}" "$ip 5000"
	sandbox few web '{default: deny, allow: ["198.51.100.2:5000-5001", "198.51.100.3:5000/udp", "[2001:db8::2]:5000"]}'
	reaches few "198.51.100.2 5000, 198.51.100.2 5001, 2001:db8::2 5000" "${all[@]}" "$ip 5000"
	# It is told at once.
	run -0 inside few perl -e 'use IO::Socket::IP; IO::Socket::IP->new(PeerHost => "198.51.100.3", PeerPort => 5000) or print "$!"'
	[ "$output" = "No route to host" ]
	# It answers, and is answered: by a neighbour and by the host; pings nobody.
	ip=$(address_of web few)
	reaches free "$ip 5000" "$ip 5000"
	gives 0 "this is few" host_asks "$ip"
	run -1 inside few ping -c 1 -W 1 198.51.100.2
	run -0 inside free ping -c 1 -W 1 198.51.100.2
	# A denial wins, with any protocol; metadata services have to be named.
	sandbox most web '{default: allow, allow: ["198.51.100.0/24"], deny: [198.51.100.3, "198.51.100.2:5001", "[2001:db8::/126]:5000"]}'
	reaches most "198.51.100.2 5000, 198.51.100.2 5002, $ip 5000" "${all[@]}" "$ip 5000"
	run -1 inside most ping -c 1 -W 1 198.51.100.3
	run -0 inside most ping -c 1 -W 1 198.51.100.2
	sandbox cloud web '{default: deny, allow: ["169.254.169.254:5000", "10.0.0.0/8", "'"$ip"':5000"]}'
	reaches cloud "169.254.169.254 5000, $ip 5000" "${all[@]}" "$ip 5000"
	# Gone with its sandbox.
	[ "$(nft count inet cordon ruled4) $(nft count inet cordon ruled6) $(nft count bridge cordon ruled)" = "3 6 3" ]
	cordon rm -f few most cloud
	[ "$(nft count inet cordon ruled4) $(nft count inet cordon ruled6) $(nft count bridge cordon ruled)" = "0 0 0" ]
	[ "$(nft names | grep -c '^cv')" = 0 ]
}

sends_frame() { # NAME TEXT WORD=VALUE...
	inside "$1" perl "$repo/tests/lib/frame.pl" send "${@:2}"
}

seen() { # TEXT
	grep -aq "$1" seen.far
}

# The same from the one with rules and from the one without; what is allowed arrives behind it.
only_without_rules() { # WORD=VALUE...
	n=$((n + 1))
	for name in few free; do
		sends_frame "$name" "$name-$n-text." "to_mac=$gate" "$@"
	done
	sends_frame few "own-$n-text." "to_mac=$gate" kind=udp to=198.51.100.2
	eventually seen "own-$n-text\." || { echo "what is allowed does not arrive: $*"; return 1; }
	eventually seen "free-$n-text\." || { echo "does not arrive without the rules either: $*"; return 1; }
	run seen "few-$n-text\."
	[ "$status" -eq 1 ] || { echo "arrives: $*"; return 1; }
}

# bats test_tags=root
@test "raw packets: source ports, fragments, options, extension headers, other protocols" {
	local n=0 gate bridge first
	far
	cordon network create --subnet 172.17.0.0/16 --subnet fd00:9::/64 web
	bridge=$(cordon network inspect web | jq -r '.[0].bridge')
	gate=$(host ip -o link show "$bridge" | sed 's/.*ether \([0-9a-f:]*\).*/\1/')
	sandbox free web
	sandbox few web '{default: deny, allow: ["198.51.100.2:5001/udp", "[2001:db8::2]:5001/udp"]}'
	# They are to be seen on the far machine.
	on far perl "$repo/tests/lib/frame.pl" see "$PWD/seen.far" >/dev/null 2>&1 3>&- &
	hosts+=("$!")
	eventually grep -q ready seen.far
	only_without_rules kind=udp to=198.51.100.3
	only_without_rules kind=udp to=198.51.100.3 port=53
	only_without_rules kind=udp to=198.51.100.2 at=53
	only_without_rules kind=udp to=198.51.100.2 carries=253
	only_without_rules kind=udp to=198.51.100.2 options=1
	only_without_rules kind=udp6 to=2001:db8::3
	only_without_rules kind=udp6 to=2001:db8::3 before=60
	only_without_rules kind=udp6 to=2001:db8::2 before=60
	only_without_rules kind=udp6 to=2001:db8::3 before=44
	# The second half of a datagram has no port.
	for first in few free; do
		sends_frame "$first" "$first-one" "to_mac=$gate" kind=udp to=198.51.100.3 flags=8192 more=8
		sends_frame "$first" "$first-two" "to_mac=$gate" kind=udp to=198.51.100.3 flags=2 bare=1
	done
	eventually seen free-two
	run -1 seen few-two
	run -1 seen few-one
}

# A datagram from a port to another machine's; over each way that there was before.
sends_udp='use IO::Socket::IP; IO::Socket::IP->new(Proto => "udp", LocalPort => 4000, PeerHost => $ARGV[0], PeerPort => 5001)->send($ARGV[1])'

# bats test_tags=root
@test "every link has the rules, one that is joined later too; and a connection of who had the address before is worth nothing" {
	local id
	far
	on far perl -e 'use IO::Socket::IP; $| = 1; my $s = IO::Socket::IP->new(Proto => "udp", LocalHost => "0.0.0.0", LocalPort => 5001) or die;
		print "up\n"; while ($s->recv(my $text, 99)) { print "$text\n"; $s->send("heard") }' >seen.far 2>&1 3>&- &
	hosts+=("$!")
	eventually seen up
	cordon network create a
	cordon network create --internal b
	cordon network create --internal c
	for id in a b c; do
		sandbox "free-$id" "$id"
	done
	# Twice, and answered: an open connection that outlives its sandbox.
	sandbox old a
	inside old perl -e "$sends_udp" 198.51.100.2 old-1
	eventually seen old-1
	cordon rm -f old
	cordon gc
	cordon run -d --name few --network a --network b --set 'network.egress={default: deny, allow: ["198.51.100.2:5000"]}' -- perl -e "$server" few >/dev/null
	eventually says_up few
	[ "$(address_of a few)" = 172.17.0.3 ]
	inside few perl -e "$sends_udp" 198.51.100.2 few-1
	cordon network connect c few
	reaches few "198.51.100.2 5000" "198.51.100.2 5000" "$(address_of a free-a) 5000" "$(address_of b free-b) 5000" "$(address_of c free-c) 5000"
	run -1 seen few-1
	# As it would, had it no rules: the same port, to the same place.
	sandbox new a
	inside new perl -e "$sends_udp" 198.51.100.2 new-1
	eventually seen new-1
	cordon network disconnect a few
	cordon network connect a few
	reaches few "198.51.100.2 5000" "198.51.100.2 5000" "$(address_of a free-a) 5000" "$(address_of b free-b) 5000" "$(address_of c free-c) 5000"
	# Somebody else's start leaves them as they are; what a kill leaves, gc takes out.
	gives 0 "" cordon run --network a -- true
	reaches few "198.51.100.2 5000" "198.51.100.2 5000" "$(address_of b free-b) 5000"
	id=$(cordon inspect few | jq -r '.[0].supervisor_pid')
	kill -9 "$id"
	eventually gc_takes_out
	[ "$(nft count inet cordon ruled4) $(nft count bridge cordon ruled)" = "0 0" ]
}

gc_takes_out() {
	cordon gc >/dev/null
	[ "$(nft names | grep -c '^cv')" = 0 ]
}

# bats test_tags=root
@test "a hypervisor's sockets, which are no network's: refused by the filter, whatever the rules" {
	cordon network create web
	# What the kernel has for who is not filtered.
	plain=$(host "$ATTACK/call" socket 40 1 0 || true)
	[ "$plain" = ok ] || skip "this kernel has no AF_VSOCK: $plain"
	says 0 "*ok" cordon run -q --network web --set "network.egress={default: deny}" --waive seccomp.call:socket=control --ro "$ATTACK" -- "$ATTACK/call" socket 40 1 0
	mkdir project
	chown 1000:1000 project
	cd project || return
	for flags in "--network web" "--profile agent --network web" "--profile net-service"; do
		# Words.
		# shellcheck disable=SC2086
		gives 42 EAFNOSUPPORT cordon run -q $flags --ro "$ATTACK" -- "$ATTACK/call" socket 40 1 0
	done
}

# bats test_tags=root
@test "a neighbour is not reached by the gateway either, whatever routes there are inside; answers are" {
	local free few
	cordon network create web
	sandbox free web
	sandbox few web '{default: deny, allow: ["192.0.2.1"]}'
	sandbox some web '{default: deny, allow: ["172.16.0.0/12:5000", "10.0.0.0/8:5000", "192.168.0.0/16:5000"]}'
	free=$(address_of web free) few=$(address_of web few)
	inside few ip route add "$free/32" via "${few%.*}.1"
	inside some ip route add "$free/32" via "${few%.*}.1"
	inside free ip route add "$few/32" via "${few%.*}.1"
	# The control: the way is one, for who is allowed to ask.
	reaches some "$free 5000" "$free 5000" "$free 5001"
	reaches few "" "$free 5000" "$free 5001"
	# Who asks is answered, by the gateway both ways.
	reaches free "$few 5000" "$few 5000"
	cordon rm -f free few some >/dev/null
}

says_to_far() { # NAME TYPE
	inside "$1" perl "$repo/tests/lib/frame.pl" send "$1-$2." kind=icmp6 sum=1 "type=$2" "about=2001:db8::2" \
		"ip=$(address_of web "$1" ip6_address)" to=2001:db8::2 "to_mac=$bridge_mac"
}

# bats test_tags=root
@test "neighbour discovery ends at the bridge, with rules and without" {
	local type bridge_mac
	far
	cordon network create --ipv6 web
	sandbox free web
	sandbox few web '{default: deny}'
	bridge_mac=$(host ip -o link show "$(cordon network inspect web | jq -r '.[0].bridge')" | grep -oE 'ether [0-9a-f:]+' | cut -d ' ' -f 2)
	on far perl "$repo/tests/lib/frame.pl" see "$PWD/seen" >/dev/null 2>&1 3>&- &
	hosts+=("$!")
	eventually grep -q ready seen
	for type in 133 134 135 136 137 143; do
		says_to_far few "$type"
		says_to_far free "$type"
	done
	# The control, and the last: what may go out does.
	says_to_far free 128
	eventually grep -aq 'free-128\.' seen
	run -1 grep -aoE '(few|free)-1[34][0-9]\.' seen
	cordon rm -f free few >/dev/null
}

# bats test_tags=root
@test "rules that somebody has flushed: who had them is cut off, and not free, until they are there again" {
	local rules='{default: deny, allow: ["198.51.100.2:5000"]}'
	far
	cordon network create --ipv6 web
	sandbox free web
	sandbox few web "$rules"
	reaches few "198.51.100.2 5000" "198.51.100.2 5000" "198.51.100.3 5000" "$(address_of web free) 5000"
	nft flush
	# The next start puts back all that there is to know of by then.
	gives 0 "" cordon run --network web -- true
	reaches free "198.51.100.3 5000, 2001:db8::3 5000" "198.51.100.3 5000" "2001:db8::3 5000"
	reaches few "" "198.51.100.2 5000" "198.51.100.3 5000" "2001:db8::3 5000" "$(address_of web free) 5000" "172.17.0.1 5000"
	cordon network disconnect web few
	cordon network connect web few
	reaches few "198.51.100.2 5000" "198.51.100.2 5000" "198.51.100.3 5000"
	# Half of it, and one that has joined while it ran.
	nft flush inet
	cordon gc >/dev/null
	reaches free "198.51.100.3 5000" "198.51.100.3 5000"
	reaches few "" "198.51.100.2 5000" "198.51.100.3 5000"
	cordon restart few >/dev/null
	eventually says_up few
	reaches few "198.51.100.2 5000" "198.51.100.2 5000" "198.51.100.3 5000"
}

# bats test_tags=root
@test "a sandbox starts again where an earlier run of it has left its rules; those of many are swept" {
	local rules='{default: deny, allow: ["198.51.100.2:5000"]}' i
	far
	cordon network create web
	# Its keeper was in no network, and has no right to take them out.
	cordon run -d --name late --network none --set "network.egress=$rules" -- perl -e "$server" late >/dev/null
	eventually says_up late
	cordon network connect web late
	cordon restart late >/dev/null
	reaches late "198.51.100.2 5000" "198.51.100.2 5000" "198.51.100.3 5000"
	sandbox few web "$rules"
	kill -9 "$(cordon inspect few | jq -r '.[0].supervisor_pid')"
	eventually no_link_of few
	cordon start few >/dev/null
	reaches few "198.51.100.2 5000" "198.51.100.2 5000" "198.51.100.3 5000"
	for ((i = 0; i < 33; i++)); do
		cordon run -d --network web --set "network.egress=$rules" -- sleep 600 >/dev/null
	done
	# One word for each of them.
	# shellcheck disable=SC2046
	kill -9 $(cordon inspect $(cordon ps -q) | jq -r '.[].supervisor_pid')
	eventually gc_takes_out
	[ "$(nft count inet cordon ruled4) $(nft count bridge cordon ruled)" = "0 0" ]
}

# A table that comes and goes, some thousand times a second: as does each name that a resolver asks for.
changes='use Socket; alarm 120; socket(my $s, 16, SOCK_RAW, 12) or die; bind($s, pack("SSLL", 16, 0, 0, 0)) or die; my $answer;
	sub message { my ($type, $flags, $family, $id, $rest) = @_; pack("LSSLLCCn", 20 + length $rest, $type, $flags | 1, 7, 0, $family, 0, $id) . $rest }
	my $name = pack("SS", 10, 1) . "other\0\0\0";
	while (1) { for my $type (0, 2) {
		send $s, message(16, 0, 0, 10, "") . message(10 << 8 | $type, 0x404, 1, 0, $name) . message(17, 0, 0, 10, ""), 0, pack("SSLL", 16, 0, 0, 0);
		1 while defined recv($s, $answer, 9999, MSG_DONTWAIT) && length $answer } }'

# bats test_tags=root
@test "others change tables meanwhile: what is to be swept is found all the same" {
	local i
	cordon network create web
	cordon run --network web -- true
	# Not by host: what is to be ended is the program itself.
	nsenter --net="/proc/$the_host/ns/net" perl -e "$changes" >/dev/null 2>&1 3>&- &
	hosts+=("$!")
	for ((i = 0; i < 60; i++)); do
		cordon gc >/dev/null
	done
}

no_link_of() { # NAME
	! host ip -o link | grep -q " cv$(cordon inspect "$1" | jq -r '.[0].run_id' | cut -c 1-12)"
}

# bats test_tags=root
@test "an administrator's own bridge is refused, ten thousand rules are not, and hold" {
	far
	host ip link add own type bridge
	host ip address add 172.30.0.1/24 dev own
	host ip link set own up
	cordon network create --bridge own theirs
	says 125 "*step network_link: network theirs: network.egress: it is an administrator's own bridge*" \
		cordon run --network theirs --set 'network.egress={default: deny}' -- true
	cordon network create web
	{
		printf 'cordon: 1\nextends: default\nnetwork:\n  mode: web\n  egress:\n    default: deny\n    allow:\n'
		perl -e 'printf "      - 203.%d.%d.%d:%d\n", $_ & 127, $_ >> 7, $_ & 63, 1 + $_ for 0 .. 9997'
		printf '      - 198.51.100.2:5000\n      - 198.51.0.0/16:5001\n'
	} >many.yaml
	cordon run -d --name many --profile ./many.yaml -- sleep 60
	reaches many "198.51.100.2 5000, 198.51.100.2 5001, 198.51.100.3 5001" \
		"198.51.100.2 5000" "198.51.100.2 5001" "198.51.100.2 5002" "198.51.100.3 5000" "198.51.100.3 5001"
	printf '      - 198.51.100.3\n' >>many.yaml
	says 125 "*more than 10000 in network.egress.allow*" cordon run --profile ./many.yaml -- true
	# It takes a default, and no name yet.
	says 125 "*network.egress lacks 'default'*" cordon run --network web --set 'network.egress.allow=[198.51.100.2]' -- true
}

# bats test_tags=root
@test "what no rule opens: the host's own services, by whatever address; nor pings of it without a rule" {
	local name places=("172.17.0.1 5000" "198.51.100.1 5000" "fd00:9::1 5000" "2001:db8::1 5000")
	local named='"172.17.0.1", "198.51.100.1", "[fd00:9::1]", "[2001:db8::1]"'
	far
	cordon network create --subnet 172.17.0.0/16 --subnet fd00:9::/64 web
	nsenter --net="/proc/$the_host/ns/net" perl -e "$server" "the host" >/dev/null 2>&1 3>&- &
	hosts+=("$!")
	eventually host_asks 172.17.0.1
	gives 0 "this is the host" peer_asks far 198.51.100.1
	sandbox free web
	sandbox most web "{default: allow, allow: [$named]}"
	sandbox few web "{default: deny, allow: [$named, \"198.51.100.2:5000\"]}"
	for name in free most few; do
		reaches "$name" "198.51.100.2 5000" "${places[@]}" "198.51.100.2 5000"
		run -1 inside "$name" perl -e 'use IO::Socket::IP; $SIG{ALRM} = sub { exit 1 }; alarm 1;
			my $s = IO::Socket::IP->new(Proto => "udp", PeerHost => "172.17.0.1", PeerPort => 53); $s->send("x"); $s->recv(my $a, 9) // exit(!$!{ECONNREFUSED})'
	done
	for ip in 172.17.0.1 fd00:9::1; do
		run -0 inside free ping -c 1 -W 1 "$ip"
		run -0 inside most ping -c 1 -W 1 "$ip"
		run -1 inside few ping -c 1 -W 1 "$ip"
	done
}

heard() { # TEXT
	grep -aq "$1" seen.third
}

# Who may reach all that is not denied reaches this no more than who may reach nothing; who has no rules does.
only_free() { # WORD=VALUE...
	local name
	n=$((n + 1))
	for name in most few free; do
		sends_frame "$name" "$name-$n-text." "$@"
	done
	sends_frame most "own-$n-text." "to_mac=$mac" kind=udp "to=$ip"
	eventually heard "own-$n-text\." || { echo "what is allowed does not arrive: $*"; return 1; }
	eventually heard "free-$n-text\." || { echo "does not arrive without the rules either: $*"; return 1; }
	for name in most few; do
		run heard "$name-$n-text\."
		[ "$status" -eq 1 ] || { echo "arrives from $name: $*"; return 1; }
	done
}

# bats test_tags=root
@test "among neighbours: multicast, broadcast, the addresses of links and fragments are nobody's by default, whatever that is" {
	local n=0 mac
	cordon network create --internal --subnet 172.17.0.0/16 --subnet fd00:9::/64 web
	sandbox third web
	ip=$(address_of web third)
	mac=$(address_of web third mac_address)
	sandbox free web
	sandbox most web '{default: allow, deny: ["192.0.2.1"]}'
	sandbox few web "{default: deny, allow: [\"$ip:5001/udp\"]}"
	inside third perl "$repo/tests/lib/frame.pl" see "$PWD/seen.third" >/dev/null 2>&1 3>&- &
	hosts+=("$!")
	eventually grep -q ready seen.third
	only_free kind=udp to=224.0.0.251 to_mac=01:00:5e:00:00:fb
	only_free kind=udp to=239.255.255.250 to_mac=01:00:5e:7f:ff:fa
	only_free kind=udp to=240.0.0.1 "to_mac=$mac"
	only_free kind=udp to=255.255.255.255
	only_free kind=udp to=169.254.169.254 "to_mac=$mac"
	only_free kind=udp to=169.254.0.9 "to_mac=$mac"
	only_free kind=udp6 to=ff02::fb to_mac=33:33:00:00:00:fb
	only_free kind=udp6 to=ff0e::9 to_mac=33:33:00:00:00:09
	only_free kind=udp6 to=fe80::9 "to_mac=$mac"
	only_free kind=udp6 to=febf::9 "to_mac=$mac"
	# br_netfilter, where there is one, would wait for the rest of them. The first piece says the port that is allowed.
	host sh -c 'for name in iptables ip6tables; do name=/proc/sys/net/bridge/bridge-nf-call-$name; [ ! -e "$name" ] || echo 0 >"$name"; done'
	only_free kind=udp "to=$ip" flags=8192 more=8 "to_mac=$mac"
	only_free kind=udp "to=$ip" flags=1 bare=1 "to_mac=$mac"
	only_free kind=udp "to=$ip" options=1 "to_mac=$mac"
	# The control: beside 224.0.0.0 and 169.254.0.0/16 there is what is as any other.
	sends_frame most "beside-1." kind=udp to=223.0.0.1 "to_mac=$mac"
	sends_frame most "beside-2." kind=udp to=169.253.0.1 "to_mac=$mac"
	sends_frame most "beside-3." kind=udp6 to=fec0::9 "to_mac=$mac"
	eventually heard "beside-1\."
	eventually heard "beside-2\."
	eventually heard "beside-3\."
	# And he who has rules hears as much as anybody: they are about what he sends.
	sends_frame few "named." kind=udp "to=$ip" "to_mac=$mac"
	eventually heard "named\."
}

# bats test_tags=root
@test "who may reach nothing answers at a published port, and opens nothing by it" {
	far
	cordon network create web
	cordon run -d --name few --network web -p 8080:5000 --set 'network.egress={default: deny}' -- perl -e "$server" few >/dev/null
	eventually says_up few
	run -0 on far perl -MIO::Socket::IP -e 'my $s = IO::Socket::IP->new(PeerHost => "198.51.100.1", PeerPort => 8080, Timeout => 2) or die "$@\n"; print <$s>'
	[ "$output" = "this is few" ]
	reaches few "" "198.51.100.2 5000" "198.51.100.1 8080"
}
