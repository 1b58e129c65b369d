# SPDX-License-Identifier: LGPL-2.1-or-later
# For tests of networks: `load ../lib/network` below `load ../lib/attack`. Nothing here touches the
# network of this machine: what a test takes for the host's is a namespace that it made.
#
#	host COMMAND...			in that namespace
#	cordon ARG...			there as well
#	peer NAME ADDRESS GATEWAY	another machine, on a cable of its own: host has GATEWAY on it
#	on NAME COMMAND...		there
#	within SANDBOX COMMAND...	in its network namespace, as who may do anything there
#	peer_serves NAME		it answers TCP on port 5000 with its name
#	serve NETWORK NAME		a kept sandbox that answers TCP on port 5000 with its name; sets ip
#	asks NETWORK ADDRESS		what a new sandbox of the network is answered there, or why not
#	nft COMMAND...			nf_tables of the host's (nft.pl)
#	names_known			the table of names (net/book.h), whoever may be dead by now
#	lost SANDBOX			processes beside it that it goes on without
#	losses				of which sandboxes the events say so, and which
#	nothing_of_networks		the host has no link, address, lease, name of a network any more
# shellcheck shell=bash

hosts=()

# A namespace that lives as long as the test; sets ns to the process that holds it.
namespace() {
	unshare --net sleep 600 >/dev/null 2>&1 3>&- &
	ns=$!
	hosts+=("$ns")
	eventually different_namespace "$ns"
	nsenter --net="/proc/$ns/ns/net" ip link set lo up
}

different_namespace() { # PID
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ] &&
		[ "$(cat "/proc/$1/comm")" = sleep ]
}

setup() {
	cordon_setup
	# cordon.bash reads it.
	# shellcheck disable=SC2034
	CORDON_ROOT=$BATS_TEST_TMPDIR.root
	cd "$BATS_TEST_TMPDIR" || return
	is_root || return 0
	need ip nsenter perl
	namespace
	the_host=$ns
}

teardown() {
	local pid id
	for id in $(cordon ps -aq); do
		cordon rm -f "$id" >/dev/null
	done
	for pid in "${hosts[@]}"; do
		# Behind a function it is bash, and the program is its child.
		pkill -P "$pid" || true
		kill "$pid" || true
		wait "$pid" || true
	done
	cordon_teardown
}

host() {
	nsenter --net="/proc/$the_host/ns/net" "$@"
}

cordon() {
	if is_root; then
		host "$CORDON" --root "$CORDON_ROOT" "$@"
	else
		"$CORDON" --root "$CORDON_ROOT" "$@"
	fi
}

# -g: bats loads this within a function.
declare -gA peers=()
peer() { # NAME ADDRESS/LENGTH GATEWAY
	namespace
	peers[$1]=$ns
	host ip link add "$1" type veth peer name eth0 netns "$ns"
	host ip address add "$3/${2#*/}" dev "$1"
	host ip link set "$1" up
	on "$1" ip address add "$2" dev eth0
	on "$1" ip link set eth0 up
	on "$1" ip route add default via "$3"
}

on() { # NAME COMMAND...
	nsenter --net="/proc/${peers[$1]}/ns/net" "${@:2}"
}

within() { # SANDBOX COMMAND...
	nsenter --net="/proc/$(cordon inspect "$1" | jq -r .[0].init_pid)/ns/net" "${@:2}"
}

peer_serves() { # NAME
	nsenter --net="/proc/${peers[$1]}/ns/net" perl -e "$server" "$1" >/dev/null 2>&1 3>&- &
	hosts+=("$!")
	eventually on "$1" perl -e "$client" 127.0.0.1 2
}

lost() { # SANDBOX
	cordon inspect "$1" | jq -r '.[0].helpers_lost | join(" ")'
}

losses() {
	cordon events --since 0 --until 0s --filter event=helper_lost --format '{{.Name}} {{.Actor.Attributes.helper}}'
}

# Perl's are in every Debian.
server='use IO::Socket::IP; $| = 1;
	my $s = IO::Socket::IP->new(Listen => 8, LocalPort => 5000, LocalHost => "::", V6Only => 0, ReuseAddr => 1) ||
		IO::Socket::IP->new(Listen => 8, LocalPort => 5000, ReuseAddr => 1) or die "$@\n";
	print "up\n"; $SIG{PIPE} = "IGNORE"; while (1) { my $c = $s->accept or next; print $c "this is $ARGV[0]\n"; close $c }'
client='use IO::Socket::IP;
	my $s = IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => 5000, Timeout => $ARGV[1])
		or do { print "no answer: $!\n"; exit 3 };
	print <$s>'

serve() { # NETWORK NAME
	cordon run -d --name "$2" --network "$1" -- perl -e "$server" "$2" >/dev/null
	eventually says_up "$2"
	# For the test.
	# shellcheck disable=SC2034
	ip=$(address_of "$1" "$2")
}

says_up() { # NAME
	[[ "$(cordon logs "$1")" == *up* ]]
}

address_of() { # NETWORK NAME [FIELD]
	local id
	id=$(cordon inspect "$2" | jq -r '.[0].id')
	cordon network inspect "$1" | jq -r --arg id "$id" --arg field "${3:-ip_address}" \
		'.[0].leases[] | select(.sandbox == $id) | .[$field] | sub("/.*"; "")'
}

asks() { # NETWORK ADDRESS
	cordon run --network "$1" -- perl -e "$client" "$2" 2
}

# A sandbox that prints each datagram that arrives on port 5001; sets ip.
listens() { # NETWORK NAME
	cordon run -d --name "$2" --network "$1" -- perl -e 'use IO::Socket::IP; $| = 1;
		my $s = IO::Socket::IP->new(Proto => "udp", LocalPort => 5001) or die "$@\n";
		print "up\n"; while ($s->recv(my $text, 99)) { print "got $text\n" }' >/dev/null
	eventually says_up "$2"
	# For the test.
	# shellcheck disable=SC2034
	ip=$(address_of "$1" "$2")
}

# Sends one, as `host` or `on NAME` is put before it. For the tests:
# shellcheck disable=SC2034
sends='use IO::Socket::IP; IO::Socket::IP->new(Proto => "udp", PeerHost => $ARGV[0], PeerPort => 5001)->send($ARGV[1])'

got() { # NAME TEXT
	[[ "$(cordon logs "$1")" == *"got $2"* ]]
}

nft() { # COMMAND...
	# cordon.bash sets it.
	# shellcheck disable=SC2154
	host perl "$repo/tests/lib/nft.pl" "$@"
}

host_asks() { # ADDRESS
	host perl -e "$client" "$1" 2
}

peer_asks() { # NAME ADDRESS
	on "$1" perl -e "$client" "$2" 2
}

# The end of a namespace is not waited for by the kernel.
no_ports() {
	! host ip -o link | grep -q ' cv'
}

names_known() {
	# Perl's own.
	# shellcheck disable=SC2016
	perl -e 'open my $in, "<", $ARGV[0] or exit; binmode $in; my ($best, $text) = (0, "");
		for (0, 1) { seek $in, $_ << 22, 0; read $in, my $head, 72; my ($magic, $n, $len) = unpack "a8QQ", $head;
			if ($magic eq "cordonN1" && $n > $best) { read $in, $text, $len; $best = $n } } print $text' \
		"$CORDON_ROOT/state/networks/.names"
}

# Resolvers and relays run in the namespace that cordon was started in.
no_resolvers() {
	local pid home
	home=$(readlink "/proc/$the_host/ns/net")
	for pid in $(pgrep -x 'cordon-resolver|cordon-dns|cordon-relay|cordon-ports'); do
		[ "$(readlink "/proc/$pid/ns/net")" != "$home" ] || return 1
	done
}

nothing_of_networks() {
	local left
	eventually no_resolvers || return 1
	eventually no_ports || { host ip -br link; return 1; }
	# What went with its link after gc has looked.
	cordon gc >/dev/null
	! host ip -o link show type ifb | grep -q . || { host ip -br link; return 1; }
	# The tables go with the last bridge that there is.
	for left in ports own4 own6; do
		! nft tables | grep -qx cordon || [ "$(nft count bridge cordon "$left")" = 0 ] || { echo "elements are left in $left"; return 1; }
	done
	left=$(names_known)
	[ -z "$left" ] || { printf 'left: %s\n' "$left"; return 1; }
	left=$(find "$CORDON_ROOT/state/networks" -mindepth 2 \( -type l -o -name '.*' \))
	[ -z "$left" ] || { printf 'left: %s\n' "$left"; return 1; }
	[ ! -e "$CORDON_ROOT/networks" ] || { ls "$CORDON_ROOT/networks"; return 1; }
}
