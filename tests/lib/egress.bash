# SPDX-License-Identifier: LGPL-2.1-or-later
# For tests of network.egress: `load ../lib/egress` below `load ../lib/network`.
#
#	inside NAME COMMAND...		as root in the network namespace of a sandbox
#	reaches NAME EXPECTED "ADDRESS PORT"...	which of them answer it
#	far				beyond the host: a machine with several addresses, port 5000 open
#	sandbox NAME NETWORK [RULES]	one that answers on port 5000
# shellcheck shell=bash

inside() { # NAME COMMAND...
	nsenter --net="/proc/$(cordon inspect "$1" | jq -r .[0].init_pid)/ns/net" "${@:2}"
}

# Which of them answer, be it that nobody is there: "ADDRESS PORT" are one word.
# Perl's own.
# shellcheck disable=SC2016
knocks='use Errno; use Socket qw(:all SOCK_NONBLOCK); use IO::Select; my (%yes, %who, $n); my $waits = IO::Select->new;
	for (@ARGV) { my ($to, $port) = split; my $six = $to =~ /:/; socket(my $s, $six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0) or die;
		my $r = connect($s, $six ? pack_sockaddr_in6($port, inet_pton(AF_INET6, $to)) : pack_sockaddr_in($port, inet_aton($to)));
		if ($r || $!{ECONNREFUSED}) { $yes{$_} = 1 } elsif ($!{EINPROGRESS}) { $waits->add($s); $who{$s} = $_ } }
	while ($waits->count && $n++ < 20) { for my $s ($waits->can_write(0.05)) {
		$! = unpack("i", getsockopt($s, SOL_SOCKET, SO_ERROR)); $yes{$who{$s}} = 1 if !$! || $!{ECONNREFUSED}; $waits->remove($s) } }
	print join(", ", grep { $yes{$_} } @ARGV), "\n"'

reaches() { # NAME EXPECTED "ADDRESS PORT"...
	run -0 inside "$1" perl -e "$knocks" "${@:3}"
	[ "$output" = "$2" ] || { echo "$1 reaches: $output; and not: $2"; return 1; }
}

# Beyond the host: a machine with three addresses, one of which is a metadata service's.
far() {
	peer far 198.51.100.2/24 198.51.100.1
	on far ip address add 198.51.100.3/24 dev eth0
	on far ip address add 169.254.169.254/32 dev eth0
	host ip route add 169.254.169.254 via 198.51.100.2
	host ip address add 2001:db8::1/64 dev far nodad
	on far ip address add 2001:db8::2/64 dev eth0 nodad
	on far ip address add 2001:db8::3/64 dev eth0 nodad
	on far ip route add default via 2001:db8::1
	peer_serves far
}

sandbox() { # NAME NETWORK [RULES]
	cordon run -d --name "$1" --network "$2" ${3:+--set "network.egress=$3"} -- perl -e "$server" "$1" >/dev/null
	eventually says_up "$1"
}
