#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Published ports by the host's own loopback: the relay that each sandbox with such ports has (launcher/relay.h).

load ../lib/cordon
load ../lib/attack
load ../lib/network
load ../lib/names

# Says how much it was told once that has ended: one way is closed, the other is not. For the strings of Perl:
# shellcheck disable=SC2016
echoes='use IO::Socket::IP; use Socket; $| = 1; $SIG{CHLD} = $SIG{PIPE} = "IGNORE";
	sub at { IO::Socket::IP->new(LocalHost => "::", V6Only => 0, @_) || IO::Socket::IP->new(LocalHost => "0.0.0.0", @_) or die "$@\n" }
	my $s = at(Listen => 128, LocalPort => 5000, ReuseAddr => 1); my $u = at(Proto => "udp", LocalPort => 5001);
	if (!fork) { while (my $from = $u->recv(my $text, 65000)) { $u->send("you said " . length $text, 0, $from) } }
	print "up\n"; while (1) { my $c = $s->accept or next; next if fork; my $n = 0;
		while (my $r = sysread $c, my $b, 65536) { $n += $r } print $c "y" x $n, " $n\n"; exit }'
# perl expands it.
# shellcheck disable=SC2016
says_much='use IO::Socket::IP; my ($to, $port, $n) = @ARGV; $SIG{ALRM} = sub { print "late\n"; exit 4 }; alarm 20;
	my $s = IO::Socket::IP->new(PeerHost => $to, PeerPort => $port, GetAddrInfoFlags => 0, Timeout => 2) or do { print "no answer: $!\n"; exit 3 };
	print $s "x" x $n; $s->shutdown(1); my ($got, $last) = (0, ""); while (my $r = sysread $s, my $b, 65536) { $got += $r; $last = $b }
	$last =~ /(\d+)\n\z/ ? print "sent $n, came $1\n" : print "nothing\n"'
# perl expands it.
# shellcheck disable=SC2016
asks_udp='use IO::Socket::IP; $SIG{ALRM} = sub { print "late\n"; exit 4 }; alarm 3;
	my $s = IO::Socket::IP->new(Proto => "udp", PeerHost => $ARGV[0], PeerPort => $ARGV[1]); $s->send("x" x $ARGV[2]);
	my $r; print defined $s->recv($r, 65000) ? "$r\n" : "$!\n"'

published() { # NAME FLAG...
	cordon run -d --name "$1" --network web "${@:2}" -- perl -e "$echoes" >/dev/null
	eventually says_up "$1"
}

keeper_of() { # NAME
	cordon inspect "$1" | jq -r '.[0].supervisor_pid'
}

told() { # ADDRESS PORT N
	gives 0 "sent $3, came $3" host perl -e "$says_much" "$@"
}

refused() { # ADDRESS PORT
	gives 3 "no answer: Connection refused" host perl -e "$says_much" "$1" "$2" 0
}

# bats test_tags=root
@test "by 127.0.0.1 and ::1, TCP and UDP, whole and each way for itself; from the host alone" {
	peer lan 10.50.0.2/24 10.50.0.1
	cordon network create --subnet 172.20.0.0/16 --subnet fd00:9::/64 web
	published a -p 8080:5000 -p 127.0.0.1:8081:5000 -p '[::1]:8082:5000' -p 127.0.0.1:8083:5001/udp -p 8084:5001/udp -p 127.0.0.1::5000
	told 127.0.0.1 8080 10
	told ::1 8080 3000000
	told 127.0.0.1 8081 3000000
	told ::1 8082 0
	gives 0 "you said 9000" host perl -e "$asks_udp" 127.0.0.1 8083 9000
	gives 0 "you said 0" host perl -e "$asks_udp" ::1 8084 0
	told 127.0.0.1 "$(cordon port a 5000 | sed -n 's/^127.0.0.1://p' | grep -v 8081)" 5
	run -0 cordon port a
	[[ "$output" == *"5000/tcp -> 127.0.0.1:8081"* && "$output" == *"5000/tcp -> [::1]:8082"* && "$output" == *"5001/udp -> 127.0.0.1:8083"* ]]
	# Nobody else, by any address.
	refused ::1 8081
	refused 127.0.0.1 8082
	gives 3 "no answer: Connection refused" on lan perl -e "$says_much" 10.50.0.1 8081 0
	says 3 "no answer: *" cordon run --network web -- perl -e "$says_much" 172.20.0.1 8080 0
	# Neighbours who say that they mean 127.0.0.1: it arrives, and one that is published to all answers.
	on lan ip address del 127.0.0.1/8 dev lo
	on lan ip route add 127.0.0.1/32 via 10.50.0.1 src 10.50.0.2
	on lan sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet; echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet'
	gives 0 "sent 5, came 5" on lan perl -e "$says_much" 127.0.0.1 8080 5
	says 3 "no answer: *" on lan perl -e "$says_much" 127.0.0.1 8081 5
	[ "$(host cat /proc/sys/net/ipv4/conf/all/route_localnet)" = 0 ]
	cordon rm -f a
	refused 127.0.0.1 8080
	nothing_of_networks
}

# bats test_tags=root
@test "without IPv6 ::1 leads there as well; a port that somebody has on the loopback is found before the start" {
	local pid
	cordon network create --subnet 172.20.0.0/16 web
	published a -p '[::1]:8082:5000' -p 8080:5000 -p 127.0.0.1:8081:5000
	told ::1 8082 7
	says 125 "*port 127.0.0.1:8081/tcp: Address already in use*published by sandbox a.*" cordon run --network web -p 127.0.0.1:8081:80 -- true
	says 125 "*port 127.0.0.1:8080/tcp: Address already in use*published by sandbox a.*" cordon run --network web -p 127.0.0.1:8080:80 -- true
	says 125 "*port 0.0.0.0:8081/tcp: Address already in use*published by sandbox a.*" cordon run --network web -p 8081:80 -- true
	# Nobody takes it meanwhile, also not who would share it.
	for at in 127.0.0.1 0.0.0.0; do
		run -1 host perl -e 'use IO::Socket::IP; exit(IO::Socket::IP->new(Listen => 1, LocalHost => $ARGV[0], LocalPort => 8080, ReuseAddr => 1) ? 0 : 1)' "$at"
	done
	nsenter --net="/proc/$the_host/ns/net" perl -e 'use IO::Socket::IP; my $s = IO::Socket::IP->new(Listen => 1,
		LocalHost => "127.0.0.1", LocalPort => 5000) or die; sleep 600' >/dev/null 2>&1 3>&- &
	pid=$!
	hosts+=("$pid")
	eventually host grep -q ' 0100007F:1388 ' /proc/net/tcp
	says 125 "*port 0.0.0.0:5000/tcp: Address already in use*taken by process $pid (perl).*" cordon run --network web -p 5000:80 -- true
	cordon rm -f a
	nothing_of_networks
}

# bats test_tags=root
@test "killed, it is there again; it can do nothing else; whoever is killed, nothing is left" {
	local keeper watcher worker pid
	cordon network create --subnet 172.20.0.0/16 web
	published a -p 8080:5000 -p 127.0.0.1:8081:5000
	keeper=$(keeper_of a)
	watcher=$(child_of "$keeper" cordon-relay)
	worker=$(child_of "$watcher" cordon-ports)
	for pid in "$watcher" "$worker"; do
		gives 0 "0000000000000000 1 2" status_of "$pid" CapPrm NoNewPrivs Seccomp
		[ "$(status_of "$pid" Uid)" -ge 65536 ]
		run -1 eval "readlink /proc/$pid/fd/* | grep -v '^socket:'"
		gives 0 0 limit_of "$pid" "Max file size"
	done
	gives 0 0 limit_of "$worker" "Max processes"
	kill -9 "$worker"
	eventually has_another "$watcher" "$worker" cordon-ports
	told 127.0.0.1 8081 100
	# Without it nobody is kept waiting, and the sandbox runs on.
	worker=$(child_of "$watcher" cordon-ports)
	gives 0 "" lost a
	kill -9 "$watcher"
	eventually is_gone "$worker"
	eventually eval '[ "$(lost a)" = "relay" ]'
	says 0 "*a relay*" losses
	refused 127.0.0.1 8081
	refused 127.0.0.1 8080
	cordon exec a true
	cordon restart -t 0 a
	eventually says_up a
	eventually host perl -e "$says_much" 127.0.0.1 8081 100
	keeper=$(keeper_of a)
	watcher=$(child_of "$keeper" cordon-relay)
	worker=$(child_of "$watcher" cordon-ports)
	kill -9 "$keeper"
	eventually is_gone "$watcher"
	eventually is_gone "$worker"
	eventually no_ports
	cordon gc
	[ "$(nft count inet cordon relayed4)" = 0 ]
	refused 127.0.0.1 8081
	cordon rm -f a
	nothing_of_networks
}

# Connections of the host's that stay: so many that none is left for others, or until the program ends.
# shellcheck disable=SC2016
crowd='use IO::Socket::IP; $| = 1; my @all;
	for (1 .. $ARGV[0]) { my $s = IO::Socket::IP->new(PeerHost => "127.0.0.1", PeerPort => 8080, Timeout => 2) or last; push @all, $s }
	print "up ", scalar @all, "\n"; sleep 60'
# Of those who come the first says nothing, ever; the second dribbles, the third resets, the fourth reads nothing, the
# fifth has no more to say but listens.
# shellcheck disable=SC2016
odd='use IO::Socket::IP; use Socket; $| = 1; $SIG{PIPE} = $SIG{CHLD} = "IGNORE";
	my $s = IO::Socket::IP->new(Listen => 128, LocalPort => 5000, ReuseAddr => 1) or die "$@\n"; print "up\n"; my $i = 0;
	while (1) { my $c = $s->accept or next; my $how = $i++ % 5; next if fork;
		if ($how == 1) { while (print $c "d") { $c->flush; select undef, undef, undef, 0.05 } }
		if ($how == 2) { setsockopt $c, SOL_SOCKET, SO_LINGER, pack "ii", 1, 0; close $c; exit }
		if ($how == 4) { $c->shutdown(1); while (sysread $c, my $b, 65536) {} exit }
		sleep 60; exit }'

# bats test_tags=root
@test "what dribbles, resets, is silent or takes all connections: bounded, and nobody else's" {
	local worker
	cordon network create --subnet 172.20.0.0/16 web
	cordon run -d --name odd --network web -p 8080:5000 -- perl -e "$odd" >/dev/null
	eventually says_up odd
	published fine -p 8090:5000
	worker=$(child_of "$(child_of "$(keeper_of odd)" cordon-relay)" cordon-ports)
	nsenter --net="/proc/$the_host/ns/net" perl -e "$crowd" 300 >noted 2>&1 3>&- &
	hosts+=("$!")
	# 256 connections have two ends each; others wait.
	eventually grep -q up noted
	eventually has_descriptors "$worker" 300
	[ "$(find "/proc/$worker/fd" -type l | wc -l)" -le 530 ]
	[ "$(status_of "$worker" VmRSS)" -le 12288 ]
	told 127.0.0.1 8090 1000000
	gives 0 "$(address_of web fine)" eval "cordon exec odd getent ahostsv4 fine | awk '{ print \$1; exit }'"
	# Of those who have left it keeps what the sandbox has not ended, for a minute.
	kill "${hosts[-1]}"
	eventually has_few_descriptors "$worker"
	[ "$(child_of "$(child_of "$(keeper_of odd)" cordon-relay)" cordon-ports)" = "$worker" ]
	cordon rm -f odd fine
	nothing_of_networks
}

has_few_descriptors() { # PID
	[ "$(find "/proc/$1/fd" -type l | wc -l)" -le 260 ]
}

# bats test_tags=root
@test "the network that published ports lead to is not left: another sandbox would be given the address" {
	cordon network create web
	cordon network create other
	published a --network other -p 8080:5000
	says 125 "*sandbox a: its published ports lead by network web*" cordon network disconnect web a
	cordon network disconnect other a
	told 127.0.0.1 8080 10
	cordon network connect other a
	cordon stop a >/dev/null
	cordon network disconnect web a
	published b
	cordon start a >/dev/null
	eventually says_up a
	told 127.0.0.1 8080 10
	cordon rm -f a b
	nothing_of_networks
}

# bats test_tags=root
@test "workers that hear nothing any more: they end with a keeper that is killed" {
	local pid home n=0
	cordon network create web
	published a -p 8080:5000
	home=$(readlink "/proc/$the_host/ns/net")
	for pid in $(pgrep -x 'cordon-dns|cordon-ports'); do
		[ "$(readlink "/proc/$pid/ns/net")" != "$home" ] || { kill -STOP "$pid"; n=$((n + 1)); }
	done
	[ "$n" -eq 2 ]
	kill -9 "$(keeper_of a)"
	cordon rm -f a
	nothing_of_networks
}

# bats test_tags=root
@test "the row fails, is left out, or the keeper is killed there: no sandbox, and nothing is left" {
	cordon network create web
	for fault in fail skip; do
		says 125 "*step relay: *" host env CORDON_FAULT="relay:$fault" "$FAULTY" --root "$CORDON_ROOT" run --network web -p 8080:80 -- echo ran
		nothing_of_networks
	done
	run -137 host env CORDON_FAULT=relay:kill-keeper "$FAULTY" --root "$CORDON_ROOT" run -q --network web -p 8080:80 -- true
	eventually gc_removes_ports
	nothing_of_networks
	gives 0 ran host env CORDON_FAULT=none "$FAULTY" --root "$CORDON_ROOT" run --network web -p 8080:80 -- echo ran
}

gc_removes_ports() {
	cordon gc >/dev/null
	[ "$(nft count inet cordon any4)" = 0 ] && [ -z "$(ls "$CORDON_ROOT/run/runs")" ]
}
