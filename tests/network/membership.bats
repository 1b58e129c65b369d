#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Several networks, addresses that are asked for, another's network, and the host's.

load ../lib/cordon
load ../lib/attack
load ../lib/network

links='tail -n +3 /proc/net/dev | grep -o "[a-z0-9]*:" | sort | tr -d "\n"'

# What `inspect` says of a sandbox's network.
joined() { # SANDBOX NETWORK FIELD
	cordon inspect "$1" | jq -c --arg n "$2" --arg f "$3" '.[0].networks[$n][$f]'
}

# bats test_tags=root
@test "one in two networks has eth0 and eth1, and reaches both; those of each do not reach each other" {
	local back front
	cordon network create --internal backend
	cordon network create --internal frontend
	serve backend back
	back=$ip
	serve frontend front
	front=$ip
	gives 0 "eth0:eth1:lo:" cordon run --network backend --network frontend -- sh -c "$links"
	gives 0 "this is back
this is front" cordon run --network backend --network frontend -- sh -c \
		'for ip in "$@"; do perl -e "$0" "$ip" 2 || exit; done' "$client" "$back" "$front"
	says 3 "no answer: *" asks backend "$front"
	# By a policy, and what others find it by.
	printf 'cordon: 1\nextends: default\nnetwork: {networks: [frontend, {name: backend, aliases: [cache]}]}\n' >p.yaml
	cordon run -d --name both --profile ./p.yaml -- sleep 60 >/dev/null
	[ "$(joined both frontend interface)" = '"eth0"' ]
	[ "$(joined both backend interface)" = '"eth1"' ]
	[ "$(joined both backend gateway)" = '"172.17.0.1"' ]
	[ "$(joined both backend aliases | jq -r '.[0], .[2]' | xargs)" = "both cache" ]
	cordon stop -t 0 both
	[ "$(joined both backend interface)" = null ]
	cordon rm -f back front both
	cordon gc
	nothing_of_networks
}

# bats test_tags=root
@test "an address and a link address that are asked for; taken ones are refused" {
	local own='socket(my $s, 2, 2, 0); my $r = pack("a16x16", "eth0"); ioctl($s, 0x8927, $r); print join(":", map { sprintf "%02x", $_ } unpack("x18C6", $r)), "\n"'
	cordon network create --internal --subnet 10.9.0.0/24 --subnet fd00:9::/64 web
	cordon run -d --name a --network web --ip 10.9.0.77 --mac-address 92:d0:c6:0a:29:33 \
		--network-alias db -- perl -e "$server" a >/dev/null
	eventually says_up a
	[ "$(address_of web a)" = 10.9.0.77 ]
	[ "$(address_of web a ip6_address)" = fd00:9::4d ]
	[ "$(address_of web a mac_address)" = 92:d0:c6:0a:29:33 ]
	gives 0 92:d0:c6:0a:29:33 cordon exec a perl -e "$own"
	# Its frames pass, with that address.
	gives 0 "this is a" host_asks 10.9.0.77
	says 125 "*address 10.9.0.77: *has it*" cordon run --network web --ip 10.9.0.77 -- true
	says 125 "*address 10.9.0.77: *has it*" cordon run --network web --ip6 fd00:9::4d -- true
	says 125 "*sandbox a has the link address 92:d0:c6:0a:29:33*" \
		cordon run --network web --mac-address 92:d0:c6:0a:29:33 -- true
	says 125 "*10.8.0.1: is not in its subnet 10.9.0.0/16:*" cordon run --network web --ip 10.8.0.1 -- true
	says 125 "*10.9.0.1: *the gateway's*" cordon run --network web --ip 10.9.0.1 -- true
	gives 0 10.9.0.9 cordon run --network name=web,ip=10.9.0.9 -- sh -c \
		'grep -o "10\.9\.0\.9" /proc/net/fib_trie | head -1'
	cordon rm -f a
}

# bats test_tags=root
@test "container:NAME: in another's network, with no right over it" {
	cordon network create --internal web
	serve web who
	gives 0 "this is who" cordon run --network container:who -- perl -e "$client" 127.0.0.1 2
	gives 0 "eth0:lo:" cordon run --network container:who -- sh -c "$links"
	[ "$(cordon run --network container:who -- readlink /proc/self/ns/net)" = "$(cordon exec who readlink /proc/self/ns/net)" ]
	# One that is kept, and what is started in it.
	cordon run -d --name b --network container:who -- sleep 60 >/dev/null
	gives 0 "this is who" cordon exec b perl -e "$client" 127.0.0.1 2
	cordon rm -f who
	says 125 "*no sandbox is called who*" cordon run --network container:who -- true
	cordon create --name c -- true >/dev/null
	says 125 "*container:c: that sandbox does not run*cordon start c*" cordon run --network container:c -- true
	# The host's needs its waiver, by whatever way.
	cordon run -d --name h --network host --waive network.host=test -- sleep 60 >/dev/null
	says 125 "*container:h: is the caller's own*" cordon run --network container:h -- true
	says 125 "*read back: the workload is in the caller's net namespace*" \
		host env CORDON_FAULT=network_shared:skip "$FAULTY" --root "$CORDON_ROOT" run --network container:b -- true
	cordon rm -f b c h
}

# The namespace outlives the sandbox whose it was, and with it the link would: with an address that is
# another's next, and no rule for its port.
# bats test_tags=root
@test "container:NAME: when that one ends its links go, whoever is in its network still" {
	local b
	cordon network create --internal web
	cordon network create --internal two
	cordon run -d --name a --network web --mac-address 92:d0:c6:0a:29:33 -- sleep 60 >/dev/null
	cordon network connect two a
	cordon run -d --name b --network container:a -- sleep 60 >/dev/null
	b=$(cordon inspect b | jq -r .[0].init_pid)
	[ "$(nsenter --net="/proc/$b/ns/net" ip -o link | wc -l)" -eq 3 ]
	[ "$(nft count bridge cordon ports)" -eq 2 ]
	cordon rm -f a
	[ "$(nsenter --net="/proc/$b/ns/net" ip -o link | wc -l)" -eq 1 ]
	[ "$(nft count bridge cordon ports)" -eq 0 ]
	# Nor after a kill: gc takes them away before it gives their addresses back.
	cordon run -d --name a --network web --mac-address 92:d0:c6:0a:29:33 -- sleep 60 >/dev/null
	cordon run -d --name c --network container:a -- sleep 60 >/dev/null
	b=$(cordon inspect c | jq -r .[0].init_pid)
	kill -9 "$(cordon inspect a | jq -r .[0].supervisor_pid)"
	eventually ended a
	[ "$(nsenter --net="/proc/$b/ns/net" ip -o link | wc -l)" -eq 2 ]
	cordon gc
	[ "$(nsenter --net="/proc/$b/ns/net" ip -o link | wc -l)" -eq 1 ]
	[ "$(nft count bridge cordon ports)" -eq 0 ]
	# Or by its next start.
	cordon start a >/dev/null
	cordon run -d --name d --network container:a -- sleep 60 >/dev/null
	b=$(cordon inspect d | jq -r .[0].init_pid)
	kill -9 "$(cordon inspect a | jq -r .[0].supervisor_pid)"
	eventually ended a
	cordon start a >/dev/null
	[ "$(nsenter --net="/proc/$b/ns/net" ip -o link | wc -l)" -eq 1 ]
	[ "$(nft count bridge cordon ports)" -eq 1 ]
	cordon rm -f a b c d
	cordon gc
	nothing_of_networks
}

ended() { # SANDBOX
	[ "$(cordon inspect "$1" | jq -r .[0].state)" != running ]
}

@test "host: by a waiver that is printed, and by none else" {
	local theirs in_host=
	says 125 "*the host's network is a protection less*--waive 'network.host=REASON'*" cordon run --network host -- true
	says 0 "*network.host (test)*" cordon explain --network host --waive network.host=test -- true
	is_root && in_host=host
	theirs=$($in_host readlink /proc/self/ns/net)
	[ "$(cordon run -q --network host --waive network.host=test -- readlink /proc/self/ns/net 2>/dev/null)" = "$theirs" ]
	# Without it there is none of the host's.
	[ "$(cordon run -- readlink /proc/self/ns/net)" != "$theirs" ]
	cordon run -d --name h --network host --waive network.host=test -- sleep 60 >/dev/null
	gives 0 "$theirs" cordon exec h readlink /proc/self/ns/net
	cordon rm -f h
}

# bats test_tags=user
@test "as a user another's network takes root, and that is said" {
	is_root && skip "as a user"
	says 125 "*network container:a: takes root in this build*" cordon run --network container:a -- true
}

# bats test_tags=root
@test "/etc/hosts and /etc/resolv.conf are its own, and nobody inside changes them" {
	local what
	cordon network create --internal web
	cordon network create --internal two
	gives 0 "127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
10.0.0.9	cache
172.17.0.1	gw
172.17.0.2	me
172.18.0.2	me" cordon run --network web --network two --hostname me --add-host cache:10.0.0.9 \
		--add-host gw=host-gateway -- cat /etc/hosts
	# Of a network that somebody made: the resolver asks what --dns names. The default bridge has none.
	gives 0 "nameserver 127.0.0.11
options ndots:0" cordon run --network web --dns 192.0.2.53 -- cat /etc/resolv.conf
	gives 0 "nameserver 192.0.2.53
search example.org
options ndots:2 edns0" cordon run --network bridge --dns 192.0.2.53 --dns-search example.org \
		--dns-option ndots:2 --dns-opt edns0 -- cat /etc/resolv.conf
	# Not even as the one who could be their owner.
	for what in /etc/hosts /etc/resolv.conf; do
		gives 0 "appended: Permission denied" cordon run -q --network web --tmpfs /t -u 0 -- sh -c \
			'for f in /t/f "$1"; do perl -e "open(F, q(>>), shift) or print qq(: \$!)" $f; [ $f = /t/f ] && printf appended; done; true' sh "$what"
		says 1 "*rm: cannot remove '$what': *" cordon run --network web -u 0 -- rm -f "$what"
	done
	# What the policy mounts there is what is there.
	echo "192.0.2.1 mine" >hosts
	gives 0 "192.0.2.1 mine" cordon run --network web --set '+volumes=[./hosts:/etc/hosts]' -- cat /etc/hosts
	# Kept: the same at the next start, and nothing is left behind.
	cordon run -d --name a --network web --hostname a -- sleep 60 >/dev/null
	cordon stop -t 0 a
	cordon start a >/dev/null
	gives 0 "172.17.0.2	a" cordon exec a grep '^172' /etc/hosts
	cordon rm -f a
	cordon gc
	nothing_of_networks
	[ -z "$(ls "$CORDON_ROOT/runs")" ]
	says 125 "*step show_name_files: */etc/hosts: read back: it is another file*" \
		host env CORDON_FAULT=show_name_files:skip "$FAULTY" --root "$CORDON_ROOT" run --network web -- true
	says 125 "*step show_name_files: mount /etc/hosts*" \
		host env CORDON_FAULT=name_files:skip "$FAULTY" --root "$CORDON_ROOT" run --network web -- true
	says 125 "*network.hosts takes a network*" cordon run --add-host a:10.0.0.1 -- true
}
