#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# How fast a sandbox, or a network, sends and receives. Only upper bounds are checked, and that much more was there
# to be sent: a slow machine sends less, and nothing here fails. How near it comes to them is tests/bench/traffic's.

load ../lib/cordon
load ../lib/attack
load ../lib/network

rate=1000000 # the rate of most tests, in bits: 1mbit

# -g: bats loads this within a function.
declare -gA pids=()

# Once for each start.
started() { # NAME...
	local name
	for name in "$@"; do
		pids[$name]=$(cordon inspect "$name" | jq -r .[0].init_pid)
	done
}

start() { # NAME FLAG...
	cordon run -d --name "$1" "${@:2}" -- sleep 100 >/dev/null
	started "$1"
}

# As root of the sandbox's own user namespace, with all capabilities over its network namespace: more than any program
# in it has, and docs/decisions/041 says what it could do beyond this.
inside() { # NAME COMMAND...
	nsenter --target "${pids[$1]}" --user --net --setuid 0 --setgid 0 --no-fork "${@:2}"
}

# What a sandbox, or a peer, has received by all its links.
counter() { # NAME
	awk '$1 ~ /^eth/ { sum += $2 } END { print sum + 0 }' "/proc/${pids[$1]:-${peers[$1]}}/net/dev"
}

# Sets passed to the bits in a second that NAME gets while COMMAND runs.
passes_to() { # NAME COMMAND...
	local before began after now
	before=$(counter "$1")
	began=$EPOCHREALTIME
	"${@:2}" >/dev/null
	now=$EPOCHREALTIME
	after=$(counter "$1")
	passed=$(((after - before) * 8 * 1000000 / (${now/./} - ${began/./})))
}

frames() { # NAME WORD=VALUE...
	inside "$1" perl "$repo/tests/lib/frame.pl" send "$(printf '%01000d' 0)" for=0.4 "${@:2}"
}

# Frames of that kind from a to b, and from b to a.
flood() { # WORD=VALUE...
	passes_to b frames a "$@"
}

flood_back() {
	passes_to a frames b kind=udp
}

# By all its links at once.
flood_twice() {
	frames a link=eth1 kind=udp to=10.9.0.255 &
	frames a kind=udp
	wait $!
}

# Both by the gateway to the peer.
both_send() { # MAC
	frames a kind=udp "to_mac=$1" to=192.0.2.2 &
	frames b kind=udp "to_mac=$1" to=192.0.2.2
	wait $!
}

host_sends() { # ADDRESS
	host perl -e 'use IO::Socket::IP; use Time::HiRes "time"; my $end = time + 0.4;
		my $s = IO::Socket::IP->new(Proto => "udp", PeerHost => $ARGV[0], PeerPort => 9);
		while (time < $end) { $s->send("x" x 1000) for 1 .. 50 }' "$1"
}

# Something, and no more than the rate, the burst and what waited.
held() {
	((passed > rate / 20 && passed < rate * 13 / 10)) || { echo "passed: $passed"; return 1; }
}

not_held() {
	((passed > rate * 3 / 2)) || { echo "passed: $passed"; return 1; }
}

# bats test_tags=root
@test "what it sends is held to its rate, by all its links together, through update, connect and a restart" {
	cordon network create --internal web
	cordon network create --internal --subnet 10.9.0.0/24 two
	start a --network web
	start b --network web --network two
	flood kind=udp
	not_held
	gives 0 a cordon update --egress-rate 1mbit a
	flood kind=udp
	held
	cordon network connect two a
	passes_to b flood_twice
	held
	cordon network disconnect web a
	flood link=eth1 kind=udp to=10.9.0.255
	held
	cordon network connect web a
	cordon restart -t 0 a
	started a
	flood link=eth1 kind=udp
	held
	# What it receives is not.
	flood_back
	not_held
	gives 0 a cordon update --set network.ingress.rate=1mbit --egress-rate unlimited a
	flood link=eth1 kind=udp
	not_held
	flood_back
	held
	gives 0 a cordon update --ingress-rate unlimited a
	[ -z "$(host ip -o link show type ifb)" ]
	cordon rm -f a b
	nothing_of_networks
}

# bats test_tags=root
@test "whatever it sends, and whatever queues and links it makes inside, it sends no faster" {
	local words kinds=() rate=500000 # of frames of 14 bytes a slow machine sends not much more
	need tc
	cordon network create --internal web
	start a --network web --egress-rate 500kbit --ingress-rate 500kbit
	start b --network web
	# Nothing but its own link is there, and nothing on it.
	[ "$(inside a ip -o link | grep -vc ' lo:')" = 1 ]
	inside a tc qdisc replace dev eth0 root tbf rate 10gbit burst 1mb limit 10mb
	inside a tc qdisc del dev eth0 root
	inside a tc qdisc add dev eth0 clsact
	inside a ip link set eth0 mtu 65535
	inside a ip link add other type veth peer name side
	inside a ip link set eth0 txqueuelen 100000
	# Those that its port would drop as well.
	nft empty bridge cordon
	for words in kind=udp kind=arp "kind=udp tag=1" kind=other "kind=udp6 ip=fe80::1 to=ff02::1" kind=head; do
		# Several words.
		# shellcheck disable=SC2086
		flood $words
		held || { echo "... of $words"; return 1; }
		kinds+=("$words")
	done
	flood_back
	held
	cordon update --egress-rate unlimited a
	for words in "${kinds[@]}"; do
		# Likewise.
		# shellcheck disable=SC2086
		flood $words
		not_held || { echo "... of $words without a rate"; return 1; }
	done
}

bridge_netfilter() { # [VALUE]
	local name
	for name in iptables ip6tables; do
		if [ $# = 1 ]; then
			host sh -c 'echo "$2" >"/proc/sys/net/bridge/bridge-nf-call-$1"' - "$name" "$1"
		elif host test -e "/proc/sys/net/bridge/bridge-nf-call-$name"; then
			host cat "/proc/sys/net/bridge/bridge-nf-call-$name"
			return
		fi
	done
}

# bats test_tags=root
@test "a network's rates are those of all its sandboxes together, beyond it" {
	local mac
	peer out 192.0.2.2/24 192.0.2.1
	if [ "$(bridge_netfilter)" = 1 ]; then
		says 125 "*br_netfilter, and a rate*exclude each other*bridge-nf-call-iptables=0*" \
			cordon network create --egress-rate 1mbit web
		bridge_netfilter 0
	fi
	cordon network create --egress-rate 1mbit --ingress-rate 1mbit web
	[ "$(cordon network inspect web | jq -c '.[0].egress, .[0].ingress')" = '{"rate_bits":1000000,"burst_bytes":null}
{"rate_bits":1000000,"burst_bytes":null}' ]
	start a --network web
	start b --network web
	# Among themselves they are not held.
	flood kind=udp
	not_held
	mac=02:c0:ac:11:00:01 # the bridge's, of its address
	passes_to out both_send "$mac"
	held
	passes_to a host_sends 172.17.0.2
	held
	cordon rm -f a b
	cordon network rm web
	cordon network create web
	start a --network web
	start b --network web
	passes_to out both_send "$mac"
	not_held
	passes_to a host_sends 172.17.0.2
	not_held
	cordon rm -f a b
	cordon network rm web
	[ -z "$(host ip -o link show type ifb)" ]
}

# bats test_tags=root
@test "what no rate can be is refused, with what to do" {
	cordon network create --internal web
	cordon network create --internal --mtu 9000 jumbo
	says 125 "*network.egress.rate cannot be '10'*such as 10mbit, or unlimited*" cordon run --egress-rate 10 -- true
	says 125 "*network.ingress has a burst, and no rate*" cordon run --ingress-burst 64KiB -- true
	says 125 "*a packet of 9000 bytes never fits in a burst of 5120*Say egress.burst: 9KiB or more*" \
		cordon run --network jumbo --egress-rate 1mbit -- true
	gives 0 ran cordon run --network jumbo --egress-rate 1mbit --egress-burst 9KiB -- echo ran
	says 0 "*network.egress.rate  10mbit *a token bucket on the host*+ traffic *" \
		cordon explain --network web --egress-rate 10mbit -- true
	says 125 "*--ingress-rate 1: is no rate*" cordon network create --ingress-rate 1 x
	says 125 "*a burst takes a rate*" cordon network create --ingress-burst 9KiB x
	says 125 "*--bridge: it is left as it is*" cordon network create --bridge br9 --egress-rate 1mbit x
	nothing_of_networks
}

# bats test_tags=root
@test "its row fails, or is left out, or is where the keeper or init is killed: nothing is left" {
	local faulty=(host env "CORDON_FAULT=none" "$FAULTY" --root "$CORDON_ROOT")
	local run=(run -q --network web --egress-rate 1mbit --ingress-rate 1mbit -- echo ran) row
	cordon network create --internal web
	gives 0 ran "${faulty[@]}" "${run[@]}"
	faulty[2]=CORDON_FAULT=traffic:fail
	says 125 "*step traffic: injected fault*" "${faulty[@]}" "${run[@]}"
	nothing_of_networks
	faulty[2]=CORDON_FAULT=traffic:skip
	says 125 "*step traffic: link ce*: read back: it is not there*" "${faulty[@]}" "${run[@]}"
	nothing_of_networks
	for row in traffic resolver names read_back; do
		faulty[2]=CORDON_FAULT=$row:kill-keeper
		run -137 "${faulty[@]}" "${run[@]}"
		eventually no_ports
		nothing_of_networks || { echo "... after the keeper was killed at $row"; return 1; }
		faulty[2]=CORDON_FAULT=$row:kill-init
		run "${faulty[@]}" "${run[@]}"
		[[ "$status" -eq 125 || "$row $status" == "read_back 137" ]] # as in tests/network/rows.bats
		nothing_of_networks || { echo "... after init was killed at $row"; return 1; }
	done
	start a --network web --egress-rate 1mbit
	kill -9 "$(cordon inspect a | jq -r '.[0].supervisor_pid')"
	eventually no_ports
	cordon gc
	[ -z "$(host ip -o link show type ifb)" ]
	cordon rm -f a
	nothing_of_networks
	gives 0 web cordon network rm web
}

netns_without_bridge_netfilter() {
	[ "$(bridge_netfilter)" != 1 ] || bridge_netfilter 0
}

rates_of() { # NETWORK
	cordon network inspect "$1" | jq -c '.[0] | [.egress.rate_bits, .egress.burst_bytes, .ingress.rate_bits, .ingress.burst_bytes]'
}

out_is() { # held|not_held
	passes_to out both_send "$mac"
	"$1"
}

in_is() {
	passes_to a host_sends 172.17.0.2
	"$1"
}

# bats test_tags=root
@test "a network's rates are changed while sandboxes are in it, and are kept by what comes and goes, until they are taken away" {
	local mac=02:c0:ac:11:00:01 # as above
	peer out 192.0.2.2/24 192.0.2.1
	netns_without_bridge_netfilter
	cordon network create web
	start a --network web
	start b --network web
	out_is not_held
	in_is not_held
	gives 0 web cordon network update --egress-rate 1mbit web
	out_is held
	in_is not_held
	[ "$(rates_of web)" = '[1000000,null,null,null]' ]
	gives 0 web cordon network update --ingress-rate 1mbit --ingress-burst 8KiB web
	out_is held
	in_is held
	# Among themselves they are as before.
	flood kind=udp
	not_held
	cordon network disconnect web b
	cordon network connect web b
	started b
	cordon restart -t 0 a
	started a
	out_is held
	in_is held
	# A rate is changed in its place, and what is not said stays.
	gives 0 web cordon network update --egress-rate 50mbit web
	out_is not_held
	[ "$(rates_of web)" = '[50000000,null,1000000,8192]' ]
	gives 0 web cordon network update --egress-rate 1mbit --ingress-rate 0 web
	out_is held
	in_is not_held
	gives 0 web cordon network update --egress-rate none web
	out_is not_held
	[ "$(rates_of web)" = '[null,null,null,null]' ]
	[ -z "$(host ip -o link show type ifb)" ]
	# The default one has them before it has a bridge.
	gives 0 bridge cordon network update --egress-rate 1mbit bridge
	[ "$(rates_of bridge)" = '[1000000,null,null,null]' ]
	cordon run -q --network bridge -- true
	[ "$(host ip -o link show type ifb | wc -l)" = 1 ]
	# What sweeps leaves them, as long as somebody is in it.
	cordon run -d --name d --network bridge -- sleep 60 >/dev/null
	cordon gc >/dev/null
	cordon network create passing >/dev/null
	cordon network connect passing a
	cordon network disconnect passing a
	cordon network rm passing >/dev/null
	[ "$(host ip -o link show type ifb | wc -l)" = 1 ]
	gives 0 bridge cordon network update --egress-rate unlimited bridge
	cordon rm -f a b d
	nothing_of_networks
}

# bats test_tags=root
@test "an update of a network that is killed between its record and the host is finished by gc, the next sandbox, or the command" {
	local mac=02:c0:ac:11:00:01 how faulty=(host env CORDON_FAULT=network_update.recorded:kill "$FAULTY" --root "$CORDON_ROOT")
	local settle=("cordon gc" "cordon run -q --network web -- true" "cordon network update --egress-rate 1mbit web")
	peer out 192.0.2.2/24 192.0.2.1
	netns_without_bridge_netfilter
	cordon network create web
	start a --network web
	start b --network web
	for how in "${settle[@]}"; do
		run -137 "${faulty[@]}" network update --egress-rate 1mbit web
		[ "$(rates_of web)" = '[1000000,null,null,null]' ]
		out_is not_held
		# Words.
		# shellcheck disable=SC2086
		run -0 $how
		[ "$how" != "cordon gc" ] || [[ "$output" == *"1 networks given the rates that are recorded"* ]]
		out_is held || { echo "... behind $how"; return 1; }
		# Likewise one that takes the rate away.
		run -137 "${faulty[@]}" network update --egress-rate none web
		out_is held
		# Words on purpose.
		# shellcheck disable=SC2086
		run -0 ${how/--egress-rate 1mbit/--egress-rate none}
		out_is not_held || { echo "... behind $how, without a rate"; return 1; }
		[ -z "$(host ip -o link show type ifb)" ]
	done
	# Nothing is left of a network that is removed then, and a record that is half written counts for nothing.
	run -137 "${faulty[@]}" network update --egress-rate 1mbit web
	echo half >"$CORDON_ROOT/state/networks/web/.record-new"
	cordon gc
	[ ! -e "$CORDON_ROOT/state/networks/web/.record-new" ]
	cordon rm -f a b
	cordon network rm web
	[ -z "$(host ip -o link show type ifb)" ]
	# One that fails leaves record and host as they were.
	cordon network create --egress-rate 1mbit web
	faulty[2]=CORDON_FAULT=network_update.recorded:fail
	says 125 "*network_update.recorded*" "${faulty[@]}" network update --egress-rate 9mbit web
	[ "$(rates_of web)" = '[1000000,null,null,null]' ]
	gives 0 "" cordon network prune -f --filter label=none
	[ "$(cordon gc | grep -c 'given the rates')" = 0 ]
	cordon network rm web
}

# bats test_tags=root
@test "an update of a network that cannot be is refused, and changes nothing" {
	cordon network create --mtu 9000 jumbo
	says 125 "*network create wants a network's name*network ls*" cordon network create
	says 125 "*network rm wants a network: its name*" cordon network rm
	says 125 "*nothing is said that could change*" cordon network update jumbo
	says 125 "*network update wants a network: its name*" cordon network update --egress-rate 1mbit
	says 125 "*--egress-rate 10: is no rate*10mbit, or unlimited*" cordon network update --egress-rate 10 jumbo
	says 125 "*--ingress-burst 1: is no size*64KiB, or default*" cordon network update --ingress-burst 1 jumbo
	says 125 "*a burst takes a rate*" cordon network update --egress-burst 64KiB jumbo
	says 125 "*a packet of 9000 bytes never fits in a burst of 5120*" cordon network update --egress-rate 1mbit jumbo
	says 125 "*more than * seconds*smaller --egress-burst*" cordon network update --egress-rate 8kbit --egress-burst 256MiB jumbo
	says 125 "*network host: has no bridge that could have a rate*" cordon network update --egress-rate 1mbit host
	says 125 "*no network is called nobody*" cordon network update --egress-rate 1mbit nobody
	[ "$(rates_of jumbo)" = '[null,null,null,null]' ]
	host ip link add br9 type bridge
	host ip address add 10.7.0.1/24 dev br9
	host ip link set br9 up
	cordon network create --bridge br9 theirs
	says 125 "*it is left as it is*" cordon network update --egress-rate 1mbit theirs
	cordon network rm jumbo theirs
}

# bats test_tags=root
@test "stats: what has come and gone by a sandbox's links, and not by the host's" {
	local before after
	cordon network create --internal web
	start a --network web
	start b --network web
	cordon run -d --name c --network container:b -- sleep 100
	cordon run -d --name h --network host --waive "network.host=its counters" -- sleep 100
	before=$(cordon stats --no-stream --json a b | jq -c '[.sandboxes[] | {(.name): [.net_received_bytes, .net_sent_bytes]}] | add')
	flood kind=udp
	after=$(cordon stats --no-stream --json a b c h | jq -c '[.sandboxes[] | {(.name): [.net_received_bytes, .net_sent_bytes]}] | add')
	# More than 100 kB from a to b, and what b has c has.
	jq -ne --argjson before "$before" --argjson after "$after" \
		'$after.a[1] - $before.a[1] > 100000 and $after.b[0] - $before.b[0] > 100000 and $after.b[1] - $before.b[1] < 100000'
	jq -ne --argjson after "$after" '$after.c == $after.b and $after.h == [null, null]'
	run -0 cordon stats --format '{{.NetIO}}' a h
	[[ "${lines[0]}" =~ ^[0-9.]+(B|KiB)\ /\ [0-9.]+[KM]iB$ && "${lines[1]}" = - ]]
	cordon rm -f a c b h
}
