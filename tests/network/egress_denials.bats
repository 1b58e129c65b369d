#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What network.egress denied: it stands in the result and in --explain-denials, whoever was asked for
# and however often; the list has a bound; and a list that could not be set up is no start.

load ../lib/cordon
load ../lib/attack
load ../lib/network
load ../lib/names
load ../lib/egress

# In a run of its own: its result is report.json.
tries() { # RULES "ADDRESS PORT"...
	# perl's own.
	# shellcheck disable=SC2154
	run cordon run -q --network web --set "network.egress=$1" --report report.json -- perl -e "$knocks" "${@:2}"
}

denials() { # [FILTER]
	jq -c ".egress_denials | sort_by(.address, .port)[] | ${1:-[.address, .port, .protocol, .name, .rule]}" report.json
}

# bats test_tags=root
@test "what was denied stands in the result: where to, and the rule that allows it" {
	far
	cordon network create --ipv6 web
	tries '{default: deny, allow: ["198.51.100.2:5000"], deny: ["198.51.100.4:7/tcp"]}' "198.51.100.2 5000" "198.51.100.2 5001" \
		"198.51.100.3 5000" "198.51.100.4 7" "2001:db8::2 5000"
	[ "$output" = "198.51.100.2 5000" ]
	[ "$(denials)" = '["198.51.100.2",5001,"tcp",null,"198.51.100.2:5001"]
["198.51.100.3",5000,"tcp",null,"198.51.100.3:5000"]
["198.51.100.4",7,"tcp",null,null]
["2001:db8::2",5000,"tcp",null,"[2001:db8::2]:5000"]' ] || { denials; return 1; }
	[ "$(jq -c '[.egress_denials_not_listed, .egress_names_denied, .egress_names_denied_not_listed]' report.json)" = '[0,[],0]' ]
	# The rules that it says are those that were missing.
	tries "{default: deny, allow: $(jq -c '[.egress_denials[].rule | values] + ["198.51.100.2:5000"]' report.json)}" \
		"198.51.100.2 5000" "198.51.100.2 5001" "198.51.100.3 5000" "2001:db8::2 5000"
	[ "$output" = "198.51.100.2 5000, 198.51.100.2 5001, 198.51.100.3 5000, 2001:db8::2 5000" ]
	[ "$(denials)" = "" ]
	# Nothing of it without rules.
	cordon run -q --network web --report report.json -- true
	[ "$(jq -c '[.egress_denials, .egress_denials_not_listed, .egress_names_denied]' report.json)" = '[null,null,null]' ]
	# And nothing stays behind.
	[ "$(nft names | grep -c '^cv')" = 0 ]
}

# bats test_tags=root
@test "datagrams and their number, neighbours, other protocols; a sandbox that is kept says it at its end" {
	far
	cordon network create web
	sandbox free web
	sandbox few web '{default: deny}'
	ip=$(address_of web free)
	inside few perl -e 'use IO::Socket::IP; for (@ARGV) { my ($to, $port) = split / /; my $s = IO::Socket::IP->new(Proto => "udp", PeerHost => $to, PeerPort => $port);
		for (1 .. 5) { $s->send("x"); $s->send("x") if $! } }' "198.51.100.2 53" "$ip 5001"
	run -1 inside few ping -c 1 -W 1 198.51.100.2
	run -1 inside few ping -c 1 -W 1 "$ip"
	# One that is joined later counts in the same list.
	cordon network create more
	cordon network connect more few
	reaches few "" "198.51.100.3 5000"
	cordon stop -t 0 few
	cordon inspect few | jq '.[0].result' >report.json
	[ "$(denials '[.address, .port, .protocol, .rule]' | grep -v "\"$ip\"")" = '["198.51.100.2",null,"icmp",null]
["198.51.100.2",53,"udp","198.51.100.2:53/udp"]
["198.51.100.3",5000,"tcp","198.51.100.3:5000"]' ] || { denials; return 1; }
	[ "$(denials '[.address, .port, .protocol, .rule]' | grep "\"$ip\"")" = "[\"$ip\",null,\"icmp\",null]
[\"$ip\",5001,\"udp\",\"$ip:5001/udp\"]" ] || { denials; return 1; }
	[ "$(denials 'select(.port == 53 or .port == 5001) | .count' | sort -u)" = 5 ] || { denials .; return 1; }
}

# bats test_tags=root
@test "what the rules that hold for everybody refuse stands there too, and no rule is said to lift it" {
	local gateway gateway6 other refused
	far
	cordon network create --ipv6 web
	cordon network create apart
	cordon network create --internal ends
	serve apart other
	other=$ip
	gateway=$(cordon network inspect web | jq -r '.[0].subnets[0].gateway')
	# The control: they are there for the host.
	gives 0 "this is other" host_asks "$other"
	tries '{default: allow}' "$gateway 22" "$other 5000" "198.51.100.2 5000" "169.254.169.254 5000"
	[ "$output" = "198.51.100.2 5000" ] || { echo "reached: $output"; return 1; }
	refused="the host's services, other networks, and what an internal network does not lead to are out of reach, whatever is allowed"
	[ "$(denials '[.address, .port, .rule]')" = "$(jq -nc --arg g "$gateway" --arg o "$other" \
		'[[$g, 22, null], [$o, 5000, null], ["169.254.169.254", 5000, "169.254.169.254:5000"]] | sort[]')" ] || { denials; return 1; }
	# The same where nothing is allowed that is not named: the last one is the control.
	gateway6=$(cordon network inspect web | jq -r '.[0].subnets[1].gateway')
	tries '{default: deny}' "$gateway 22" "$gateway6 22" "$other 5000" "198.51.100.2 5000" "2001:db8::2 5000"
	[ "$output" = "" ]
	[ "$(denials '[.address, .port, .rule]')" = "$(jq -nc --arg g "$gateway" --arg o "$other" \
		--arg s "$gateway6" '[[$g, 22, null], [$s, 22, null], [$o, 5000, null], ["198.51.100.2", 5000, "198.51.100.2:5000"],
		["2001:db8::2", 5000, "[2001:db8::2]:5000"]] | sort[]')" ] || { denials; return 1; }
	# Named or not; and in words.
	says 0 "*tcp to $other port 5000: by network.egress; $refused*" \
		cordon run --explain-denials --network web --set "network.egress={default: deny, allow: [\"$other\"]}" -- perl -e "$knocks" "$other 5000"
	says 0 "*tcp to $gateway port 22: by network.egress; $refused*" \
		cordon run --explain-denials --network web --set "network.egress={default: allow}" -- perl -e "$knocks" "$gateway 22"
	# From a network that ends at its bridge.
	gateway=$(cordon network inspect ends | jq -r '.[0].subnets[0].gateway')
	run -0 cordon run -q --network ends --set 'network.egress={default: allow}' --report report.json -- perl -e "$knocks" "$gateway 22"
	[ "$(denials '[.address, .port, .rule]')" = "[\"$gateway\",22,null]" ] || { denials; return 1; }
	# Whoever sets a route there is told the same of what lies beyond, where the host forwards for all.
	sandbox routed ends '{default: deny}'
	inside routed ip route add default via "$gateway"
	host sysctl -qw "net.ipv4.conf.$(cordon network inspect ends | jq -r .[0].bridge).forwarding=1"
	reaches routed "" "198.51.100.2 5000"
	cordon stop -t 0 routed
	cordon inspect routed | jq '.[0].result' >report.json
	[ "$(denials '[.address, .port, .rule]')" = '["198.51.100.2",5000,null]' ] || { denials; return 1; }
	cordon rm routed
	gateway=$(cordon network inspect web | jq -r '.[0].subnets[0].gateway')
	# Who has no rules is refused as before, and has no list.
	run -0 cordon run -q --network web --report report.json -- perl -e "$knocks" "$gateway 22" "$other 5000"
	[ "$output" = "" ]
	[ "$(jq -c .egress_denials report.json)" = null ]
	[ "$(nft names | grep -c '^cv')" = 0 ]
}

# bats test_tags=root
@test "in words, by --explain-denials" {
	far
	cordon network create web
	says 0 '*cordon: denied 1 time: tcp to 198.51.100.3 port 5000: by network.egress; to allow it, add "198.51.100.3:5000" to network.egress.allow*' \
		cordon run --explain-denials --network web --set 'network.egress={default: deny}' -- perl -e "$knocks" "198.51.100.3 5000"
	says 0 "*denied 1 time: tcp to 198.51.100.3 port 5000: by network.egress; network.egress.deny names it*" \
		cordon run --explain-denials --network web --set 'network.egress={default: allow, deny: [198.51.100.3]}' -- perl -e "$knocks" "198.51.100.3 5000"
	says 0 "*cordon: nothing was denied by network.egress*" \
		cordon run --explain-denials --network web --set 'network.egress={default: deny}' -- true
	run -0 cordon run --explain-denials --network web -- true
	[[ "$output" != *network.egress* ]]
}

# bats test_tags=root
@test "a scan of many ports fills its list and no more: what finds no place is counted" {
	local sum
	far
	cordon network create web
	sandbox few web '{default: deny}'
	inside few perl -e 'use IO::Socket::IP; use Socket qw(pack_sockaddr_in inet_aton); socket(my $s, AF_INET, SOCK_DGRAM, 0);
		for my $p (1 .. 1000) { send($s, "x", 0, pack_sockaddr_in($p, inet_aton("198.51.100.2"))) or send($s, "x", 0, pack_sockaddr_in($p, inet_aton("198.51.100.2"))) }'
	few=cv$(cordon inspect few | jq -r '.[0].run_id' | cut -c 1-12)
	[ "$(nft count inet cordon "$few-no4")" = 64 ]
	[ "$(nft count inet cordon "$few-rest")" = 1 ]
	cordon stop -t 0 few
	cordon inspect few | jq '.[0].result' >report.json
	[ "$(jq '.egress_denials | length' report.json)" = 64 ]
	sum=$(jq '.egress_denials_not_listed + ([.egress_denials[].count] | add)' report.json)
	[ "$sum" = 1000 ] || { echo "$sum"; return 1; }
}

faulty() { # FAULT ARG...
	host env CORDON_FAULT="$1" "$FAULTY" --root "$CORDON_ROOT" "${@:2}"
}

# bats test_tags=root
@test "a list that could not be set up, or was left out, is no start" {
	cordon network create --internal web
	for rules in '{default: deny}' '{default: allow, deny: [198.51.100.3]}'; do
		says 125 "*step egress_denials: injected fault*" faulty egress_denials:fail run --network web --set "network.egress=$rules" -- echo ran
		says 125 "*step egress_denials: *read back: other rules than were written*" \
			faulty egress_denials:skip run --network web --set "network.egress=$rules" -- echo ran
		nothing_of_networks
		gives 0 ran faulty none run --network web --set "network.egress=$rules" -- echo ran
	done
	# Where there are no rules there is no such row.
	gives 0 ran faulty egress_denials:fail run --network web -- echo ran
	run -137 faulty egress_denials:kill-keeper run -q --network web --set 'network.egress={default: deny}' -- true
	eventually gc_removes_all
	nothing_of_networks
	[ "$(nft names | grep -c '^cv')" = 0 ]
}

gc_removes_all() {
	cordon gc >/dev/null
	[ -z "$(ls "$CORDON_ROOT/run/runs")" ] && [ -z "$(names_known)" ]
}
