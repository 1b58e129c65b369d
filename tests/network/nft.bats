#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The tables called cordon: there as long as there is a network, in one piece, and nothing in another's.

load ../lib/cordon
load ../lib/attack
load ../lib/network

# bats test_tags=root
@test "the tables come with the first network and go with the last; the rules are the same for any number" {
	local n
	[ -z "$(nft tables)" ]
	cordon network create --internal a
	[ "$(nft tables | sort -u)" = cordon ]
	[ "$(nft tables | wc -l)" -eq 2 ]
	n=$(nft rules | wc -l)
	[ "$n" -gt 20 ]
	cordon network create b
	[ "$(nft rules | wc -l)" -eq "$n" ]
	[ "$(nft count inet cordon bridges) $(nft count inet cordon ends) $(nft count inet cordon ways)" = "2 1 1" ]
	cordon network rm a
	[ "$(nft tables | wc -l)" -eq 2 ]
	cordon network rm b
	[ -z "$(nft tables)" ]
}

# bats test_tags=root
@test "what somebody has flushed or changed is there again at the next start, which else writes nothing" {
	local n before
	cordon network create --internal a
	n=$(nft rules | wc -l)
	nft flush
	[ -z "$(nft tables)" ]
	gives 0 "" cordon run --network a -- true
	[ "$(nft rules | wc -l)" -eq "$n" ]
	# One rule less, or one more.
	nft empty bridge cordon
	nft rule inet cordon forward accept
	gives 0 "" cordon run --network a -- true
	[ "$(nft rules | wc -l)" -eq "$n" ]
	# A start that finds all of them writes none.
	before=$(nft rules)
	gives 0 "" cordon run --network a -- true
	[ "$(nft rules)" = "$before" ]
	# As many rules, and one of them another's; and all of them asleep.
	nft swap bridge cordon prerouting accept
	[ "$(nft rules | grep -c ' -$') $(nft rules | wc -l)" = "1 $n" ]
	gives 0 "" cordon run --network a -- true
	[ "$(nft rules | cut -d ' ' -f 2-)" = "$(cut -d ' ' -f 2- <<<"$before")" ]
	nft sleep inet cordon
	[ "$(nft flags inet cordon)" = 1 ]
	gives 0 "" cordon run --network a -- true
	[ "$(nft flags inet cordon)" = 0 ]
	# And is removed in order where it is gone.
	nft flush
	gives 0 a cordon network rm a
	[ -z "$(nft tables)" ]
}

# bats test_tags=root
@test "what somebody has flushed is there again for all networks, and for who runs" {
	local way
	cordon network create one
	cordon network create two
	serve one first
	cordon run -d --name second --network two -- sleep 60 >/dev/null
	for way in "run --network two -- true" "network create three" "network connect two first" gc; do
		gives 0 "this is first" host_asks "$ip"
		nft flush
		gives 0 "this is first" within second perl -e "$client" "$ip" 2
		# Several words.
		# shellcheck disable=SC2086
		cordon $way
		says 3 "no answer: *" within second perl -e "$client" "$ip" 2
		[ "$(nft count inet cordon bridges)" -ge 2 ]
		[ "$(nft count bridge cordon ports)" -ge 2 ]
	done
	# One table alone; and all of it, where somebody with another --root comes first.
	nft flush bridge
	cordon run --network two -- true
	[ "$(nft count bridge cordon ports)" -ge 2 ]
	says 3 "no answer: *" within second perl -e "$client" "$ip" 2
	nft flush
	host "$CORDON" --root "$CORDON_ROOT.other" network create --internal elsewhere >/dev/null
	[ "$(nft count bridge cordon ports)" = 0 ]
	cordon run --network one -- true
	cordon run --network two -- true
	[ "$(nft count bridge cordon ports)" = 3 ]
	host "$CORDON" --root "$CORDON_ROOT.other" network rm elsewhere >/dev/null
	cordon rm -f first second
}

# bats test_tags=root
@test "another's chain that would drop what is forwarded is found before the start, with the line to add" {
	local bridge
	cordon network create web
	bridge=$(cordon network inspect web | jq -r '.[0].bridge')
	gives 0 "" cordon run --network web -- true
	nft chain ip filter FORWARD drop
	says 125 "*step network: network web: the host's chain FORWARD (table ip filter) drops what is forwarded*hint: Let it through: iptables -I FORWARD -i $bridge -j ACCEPT; iptables -I FORWARD -o $bridge -j ACCEPT.*" \
		cordon run --network web -- true
	says 125 "*network more: the host's chain FORWARD*" cordon network create more
	# Nothing of theirs is needed where nothing is forwarded.
	cordon network create --internal inner
	gives 0 "" cordon run --network inner -- true
	nft rule ip filter FORWARD accept "$bridge"
	gives 0 "" cordon run --network web -- true
	nft flush ip
	# A chain that lets by, and refuses in its last rule.
	nft chain inet firewalld filter_FORWARD accept
	gives 0 "" cordon run --network web -- true
	nft rule inet firewalld filter_FORWARD drop lan
	gives 0 "" cordon run --network web -- true
	nft rule inet firewalld filter_FORWARD drop
	says 125 "*chain filter_FORWARD (table inet firewalld)*firewall-cmd --zone=trusted --add-interface=$bridge.*" \
		cordon run --network web -- true
	[ "$(nft tables | sort | uniq -c | tr -s ' \n' ' ')" = " 2 cordon 1 firewalld " ]
}
