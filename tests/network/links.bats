#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Links in the default network, as Docker's old ones: variables, lines of /etc/hosts, and where its sandboxes are kept
# apart the rules that let one reach the other (net/links.h, launcher/network_links.h).

load ../lib/cordon
load ../lib/attack
load ../lib/network

# What the program of a new sandbox with these flags has of variables that begin so, sorted.
variables() { # PREFIX FLAG...
	cordon run --network bridge "${@:2}" -- env | grep "^$1" | sort
}

# The lines of /etc/hosts behind those that are its own.
linked() { # SANDBOX
	cordon exec "$1" sed '1,/^# linked$/d' /etc/hosts
}

knows() { # SANDBOX LINE
	[ "$(linked "$1")" = "$2" ]
}

pairs() {
	nft count inet cordon linked4
}

pairs_are() { # NUMBER
	[ "$(pairs)" = "$1" ]
}

# A sandbox that answers on port 5000, which it exposes.
stands() { # NAME FLAG...
	cordon run -d --name "$1" --network bridge --expose 5000 "${@:2}" -- perl -e "$server" "$1" >/dev/null
	eventually says_up "$1"
	ip=$(address_of bridge "$1")
}

asks_from() { # SANDBOX ADDRESS
	cordon exec "$1" perl -e "$client" "$2" 2
}

# bats test_tags=root
@test "links: the variables of who is linked to, and none in the place of one that the policy says" {
	local expected
	stands db --expose 5432 --expose 7000-7002 --expose 53/udp -e COLOUR=red -e 'WORDS=two words'
	expected="WEB_DB_ENV_COLOUR=red
WEB_DB_ENV_WORDS=two words
WEB_DB_NAME=/web/web-db
WEB_DB_PORT=udp://$ip:53
WEB_DB_PORT_5000_TCP=tcp://$ip:5000
WEB_DB_PORT_5000_TCP_ADDR=$ip
WEB_DB_PORT_5000_TCP_PORT=5000
WEB_DB_PORT_5000_TCP_PROTO=tcp
WEB_DB_PORT_5432_TCP=tcp://$ip:5432
WEB_DB_PORT_5432_TCP_ADDR=$ip
WEB_DB_PORT_5432_TCP_PORT=5432
WEB_DB_PORT_5432_TCP_PROTO=tcp
WEB_DB_PORT_53_UDP=udp://$ip:53
WEB_DB_PORT_53_UDP_ADDR=$ip
WEB_DB_PORT_53_UDP_PORT=53
WEB_DB_PORT_53_UDP_PROTO=udp
WEB_DB_PORT_7000_TCP=tcp://$ip:7000
WEB_DB_PORT_7000_TCP_ADDR=$ip
WEB_DB_PORT_7000_TCP_END=tcp://$ip:7002
WEB_DB_PORT_7000_TCP_PORT=7000
WEB_DB_PORT_7000_TCP_PORT_END=7002
WEB_DB_PORT_7000_TCP_PORT_START=7000
WEB_DB_PORT_7000_TCP_PROTO=tcp
WEB_DB_PORT_7000_TCP_START=tcp://$ip:7000
WEB_DB_PORT_7001_TCP=tcp://$ip:7001
WEB_DB_PORT_7001_TCP_ADDR=$ip
WEB_DB_PORT_7001_TCP_PORT=7001
WEB_DB_PORT_7001_TCP_PROTO=tcp
WEB_DB_PORT_7002_TCP=tcp://$ip:7002
WEB_DB_PORT_7002_TCP_ADDR=$ip
WEB_DB_PORT_7002_TCP_PORT=7002
WEB_DB_PORT_7002_TCP_PROTO=tcp"
	gives 0 "$(LC_ALL=C sort <<<"$expected")" eval "LC_ALL=C variables WEB_DB --name web --link db:web-db"
	# Without the link there is none; what the policy says itself stays, and stands there once.
	gives 1 "" eval "cordon run --network bridge -- env | grep WEB_DB"
	gives 0 "DB_ENV_COLOUR=mine" eval "variables DB_ENV_COLOUR --link db -e DB_ENV_COLOUR=mine"
	gives 0 "DB_PORT=mine" eval "variables DB_PORT= --link db -e DB_PORT=mine"
	# Of two with one alias the first counts.
	stands other --expose 80
	gives 0 "X_PORT=udp://$(address_of bridge db):53" eval "variables X_PORT= --link db:x --link other:x"
	gives 0 "X_PORT=tcp://$ip:80" eval "variables X_PORT= --link other:x --link db:x"
}

# bats test_tags=root
@test "links: somebody else's variables of more than one line are left out, whatever the program has made of its own" {
	# Its own memory of them is its program's to change: nothing of that is taken.
	cordon run -d --name db --network bridge -e $'ROWS=one\nTWO=2' -e GOOD=fine -- env FAKE=1 sleep 600 >/dev/null
	# It has them itself, which is the control.
	gives 0 "TWO=2" cordon run -e $'ROWS=one\nTWO=2' -- sh -c 'env | grep ^TWO='
	gives 0 "DB_ENV_GOOD=fine" eval "variables DB_ENV --link db"
	gives 1 "" eval "cordon run --network bridge --link db -- env | grep -E '^TWO=|FAKE'"
	# For root alone, and gone with the run.
	gives 0 "600" stat -c %a "$CORDON_ROOT"/run/runs/*/offers
	cordon rm -f db >/dev/null
	gives 1 "" eval "ls '$CORDON_ROOT'/run/runs/*/offers 2>/dev/null | grep ."
}

# bats test_tags=root
@test "links: /etc/hosts has who is linked to, follows its address, and has nobody who does not run" {
	local first
	stands db -h database
	first=$ip
	cordon run -d --name web -h front --network bridge --link db:store -- sleep 600 >/dev/null
	gives 0 "$first	store database db" linked web
	gives 0 "$first" eval "cordon exec web getent ahostsv4 store | awk '{ print \$1; exit }'"
	# The control: who is not linked.
	cordon run -d --name plain --network bridge -- sleep 600 >/dev/null
	gives 2 "" cordon exec plain getent hosts store
	# It stops: its address may be another's.
	cordon stop -t 0 db >/dev/null
	knows web ""
	gives 2 "" cordon exec web getent hosts store
	cordon start db >/dev/null
	gives 0 "$first	store database db" linked web
	# Another address.
	cordon network disconnect bridge db
	knows web ""
	cordon network connect --ip 172.17.0.99 bridge db
	gives 0 "172.17.0.99	store database db" linked web
	# What is its own stays as it is.
	gives 0 "$(address_of bridge web)" eval "cordon exec web getent ahostsv4 front | awk '{ print \$1; exit }'"
	# One of that name that is another one is nobody's.
	cordon rm -f db >/dev/null
	stands db
	knows web ""
	gives 0 "$ip	store db" eval "cordon run --network bridge --link db:store -- sed '1,/^# linked/d' /etc/hosts"
	# Its next start asks for whom the name means then.
	cordon restart -t 0 web >/dev/null
	gives 0 "$ip	store sandbox db" linked web
	cordon rm -f db web plain >/dev/null
	nothing_of_networks
}

# bats test_tags=root
@test "links: where sandboxes are kept apart the linked ones reach each other's ports, and nobody else does" {
	local db
	cordon network create --icc=false bridge
	stands db
	db=$ip
	stands other
	stands web --link db
	gives 0 "this is db" asks_from web "$db"
	# Nobody asks back, and who is not linked asks nobody; the host reaches all.
	says 3 "no answer: *" asks_from db "$ip"
	says 3 "no answer: *" asks_from other "$db"
	says 3 "no answer: *" asks_from other "$ip"
	says 3 "no answer: *" asks_from web "$(address_of bridge other)"
	gives 0 "this is db" host_asks "$db"
	# Its ports alone.
	cordon exec -d db perl -e 'use IO::Socket::IP; my $s = IO::Socket::IP->new(Listen => 8, LocalPort => 5001) or die;
		while (1) { my $c = $s->accept or next; print $c "open\n"; close $c }' >/dev/null
	eventually host perl -e "${client/5000/5001}" "$db" 2
	gives 0 "open" host perl -e "${client/5000/5001}" "$db" 2
	says 3 "no answer: *" cordon exec web perl -e "${client/5000/5001}" "$db" 2
	pairs_are 1
	cordon rm -f db other web >/dev/null
	pairs_are 0
	# The control: where they are not kept apart all of them do.
	cordon network create --icc bridge
	stands db
	stands web
	gives 0 "this is db" asks_from web "$(address_of bridge db)"
	gives 0 "this is web" asks_from db "$ip"
	pairs_are 0
}

# bats test_tags=root
@test "links: the rules end with either, come back with it, after a kill, a flush and another address" {
	local db pid
	cordon network create --icc=false bridge
	stands db
	db=$ip
	stands web --link db
	pairs_are 1
	cordon stop -t 0 db >/dev/null
	pairs_are 0
	cordon start db >/dev/null
	eventually says_up db
	eventually asks_from web "$db"
	cordon stop -t 0 web >/dev/null
	pairs_are 0
	cordon start web >/dev/null
	pairs_are 1
	# Another address, live.
	cordon network disconnect bridge db
	pairs_are 0
	cordon network connect --ip 172.17.0.99 bridge db
	gives 0 "this is db" asks_from web 172.17.0.99
	says 3 "no answer: *" asks_from web "$db"
	# Somebody flushes all of nftables: what is there again is what was.
	nft flush
	cordon gc >/dev/null
	pairs_are 1
	gives 0 "this is db" asks_from web 172.17.0.99
	# Killed: gone at the next look.
	pid=$(cordon inspect db | jq -r '.[0].supervisor_pid')
	kill -9 "$pid"
	eventually eval 'cordon gc >/dev/null; pairs_are 0'
	knows web ""
	cordon rm -f db web >/dev/null
	# With the last link the set is empty, and the host answers for nobody; gc takes the bridge itself.
	eventually no_ports
	gives 0 0 host cat /proc/sys/net/ipv4/conf/cordon0/proxy_arp_pvlan
	nothing_of_networks
}

# bats test_tags=root
@test "links: what a policy lets reach nobody a link does not either; in a network that is made, by names, they are rules too" {
	cordon network create --icc=false bridge
	stands db
	cat >closed.yaml <<-'YAML'
		cordon: 1
		extends: default
		network: {mode: bridge, links: [db], egress: {default: deny}}
	YAML
	cat >open.yaml <<-YAML
		cordon: 1
		extends: default
		network: {mode: bridge, links: [db], egress: {default: deny, allow: ["$ip:5000"]}}
	YAML
	says 3 "no answer: *" cordon run --profile ./closed.yaml -- perl -e "$client" "$ip" 2
	gives 0 "this is db" cordon run --profile ./open.yaml -- perl -e "$client" "$ip" 2
	cordon rm -f db >/dev/null
	# There the other one need not run yet.
	cordon network create --icc=false apart
	cordon run -d --name web --network apart --link db:store -- sleep 600 >/dev/null
	cordon run -d --name db --network apart --expose 5000 -- perl -e "$server" db >/dev/null
	eventually says_up db
	gives 0 "this is db" asks_from web "$(address_of apart db)"
	says 3 "no answer: *" asks apart "$(address_of apart db)"
	cordon rm -f db web >/dev/null
	pairs_are 0
	cordon network rm apart >/dev/null
}

# bats test_tags=root
@test "links: who does not run, is not there, or is elsewhere is said; and links of a further network are refused" {
	cordon create --name db --network bridge -- sleep 600 >/dev/null
	says 125 "*network.links: sandbox db does not run*cordon start db*" cordon run --network bridge --link db -- true
	says 125 "*network.links*nobody*" cordon run --network bridge --link nobody -- true
	says 125 "*network.links: sandbox db does not run*" cordon run -d --network bridge --link db:x -- true
	cordon network create --internal web
	cordon run -d --name lonely --network web -- sleep 600 >/dev/null
	says 125 "*network.links: lonely: is not in the default network*" cordon run --network bridge --link lonely -- true
	says 125 "*links in the default network belong to a sandbox whose first network that is*" \
		cordon network connect --link db bridge lonely
	# The control.
	cordon start db >/dev/null
	says 0 "*" cordon run --network bridge --link db -- true
	# Of the default network that alone can be said, and only while nobody is in it.
	says 125 "*is in use*" cordon network create --icc=false bridge
	says 125 "*only --icc can be said*" cordon network create --icc=false --internal bridge
	says 125 "*bridge is built in*" cordon network create bridge
}

# bats test_tags=root
@test "ports that are exposed and not published: ps and inspect show them, while it runs" {
	stands db --expose 5432 --expose 7000-7002 --expose 53/udp -p 127.0.0.1:8080:80
	gives 0 "127.0.0.1:8080->80/tcp, 53/udp, 5000/tcp, 5432/tcp, 7000-7002/tcp" cordon ps --format '{{.Ports}}'
	gives 0 '[["tcp",80,8080],["udp",53,null],["tcp",5000,null],["tcp",5432,null],["tcp",7000,null],["tcp",7001,null],["tcp",7002,null]]' \
		eval "cordon inspect db | jq -c '.[0].ports | map([.protocol, .port, .host_port])'"
	gives 0 '7' eval "cordon ps --json | jq '.sandboxes[0].ports | length'"
	# Published they are shown once.
	cordon run -d --name two --network bridge --expose 90 -p 127.0.0.1:9090:90 -- sleep 600 >/dev/null
	gives 0 "127.0.0.1:9090->90/tcp" cordon ps --filter name=two --format '{{.Ports}}'
	cordon stop -t 0 db >/dev/null
	gives 0 "" cordon ps -a --filter name=db --format '{{.Ports}}'
	gives 0 '[]' eval "cordon inspect db | jq -c '.[0].ports'"
	# Without a network nobody could ask.
	cordon run -d --name alone --expose 90 -- sleep 600 >/dev/null
	gives 0 "" cordon ps --filter name=alone --format '{{.Ports}}'
}
