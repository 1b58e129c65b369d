#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# network.egress by name: what the resolver is asked, what it lets a sandbox reach, and what a name
# server that lies gets out of it.

load ../lib/cordon
load ../lib/attack
load ../lib/network
load ../lib/names
load ../lib/egress

# A name server that says what the file `zone` says at that moment: NAME A ADDRESS [SECONDS], NAME CNAME OTHER [SECONDS],
# or NAME OF OTHER ADDRESS, the address of somebody who was not asked for. It notes what it was asked.
name_server='use IO::Socket::IP; use Socket qw(inet_aton); $| = 1; my ($at, $dir) = @ARGV;
	my $s = IO::Socket::IP->new(Proto => "udp", LocalHost => $at, LocalPort => 53) or die "$@\n";
	open my $up, ">", "$dir/up"; close $up;
	sub wire { return join("", map { chr(length) . $_ } split /\./, $_[0]) . "\0" }
	while (my $from = $s->recv(my $q, 2000)) {
		my ($i, @labels) = (12); while (my $n = ord substr $q, $i, 1) { push @labels, substr $q, $i + 1, $n; $i += $n + 1 }
		my $name = lc join ".", @labels; my $type = unpack "n", substr $q, $i + 1, 2; my ($rr, $n, %seen) = ("", 0);
		open my $log, ">>", "$dir/asked"; print $log "$name $type\n"; close $log;
		open my $zone, "<", "$dir/zone"; my @zone = map { [split] } <$zone>;
		my $record = sub { $rr .= wire($_[0]) . pack("nnNn", $_[1], 1, $_[3] // 1, length $_[2]) . $_[2]; $n++ };
		while (!$seen{$name}++) { for my $z (grep { $_->[0] eq $name } @zone) {
			$record->($name, 1, inet_aton($z->[2]), $z->[3]) if $z->[1] eq "A" && $type == 1;
			$record->($z->[2], 1, inet_aton($z->[3])) if $z->[1] eq "OF" && $type == 1;
			if ($z->[1] eq "CNAME") { $record->($name, 5, wire($z->[2]), $z->[3]); $name = $z->[2] } } }
		$s->send(pack("nnnnnn", unpack("n", $q), 0x8180 | ($n ? 0 : 3), 1, $n, 0, 0) . substr($q, 12, $i + 5 - 12) . $rr, 0, $from) }'

zone() { # LINE...
	printf '%s\n' "$@" >zone.new
	mv zone.new zone
}

names_are_served() {
	nsenter --net="/proc/$the_host/ns/net" perl -e "$name_server" 127.0.0.2 "$PWD" >/dev/null 2>&1 3>&- &
	hosts+=("$!")
	eventually test -e up
	resolv_conf 127.0.0.2
}

# The address that a name has for it; "": none.
finds() { # NAME WHAT EXPECTED
	run cordon exec "$1" getent ahostsv4 "$2"
	[ "$(awk '{ print $1; exit }' <<<"$output")" = "$3" ] || { echo "$1 finds for $2: $output; and not: $3"; return 1; }
}

was_asked() { # NAME
	grep -q "^$1 " asked
}

# bats test_tags=root
@test "only names that are allowed are asked for, and their addresses can be reached from then on" {
	local few
	far
	zone "good.test A 198.51.100.2" "a.sub.test A 198.51.100.3" "bad.test A 198.51.100.3" "sub.test A 198.51.100.3"
	names_are_served
	cordon network create web
	sandbox free web
	sandbox few web '{default: deny, allow: ["GOOD.test:5000-5001", "*.sub.test:5000"]}'
	few=cv$(cordon inspect few | jq -r '.[0].run_id' | cut -c 1-12)
	reaches few "" "198.51.100.2 5000" "198.51.100.3 5000"
	finds few good.test 198.51.100.2
	reaches few "198.51.100.2 5000, 198.51.100.2 5001" "198.51.100.2 5000" "198.51.100.2 5001" "198.51.100.2 5002" "198.51.100.3 5000"
	# A minute at least, whatever the name server says.
	[ "$(nft timeouts inet cordon "$few-name0-4")" = 60000 ]
	# What was not named is not even asked for; the other sandbox is answered.
	finds few bad.test ""
	finds few sub.test ""
	finds few secret.good.test ""
	run -1 was_asked bad.test
	run -1 was_asked sub.test
	run -1 was_asked secret.good.test
	finds free bad.test 198.51.100.3
	was_asked bad.test
	finds few a.sub.test 198.51.100.3
	reaches few "198.51.100.3 5000" "198.51.100.3 5000" "198.51.100.3 5001"
	# Kinds of questions that carry something else.
	run cordon exec few perl -e 'use IO::Socket::IP; my $s = IO::Socket::IP->new(Proto => "udp", PeerHost => "127.0.0.11", PeerPort => 53);
		$s->send(pack("nnnnnn", 7, 0x100, 1, 0, 0, 0) . "\4good\4test\0" . pack("nn", 16, 1)); $s->recv(my $a, 999); print ord(substr $a, 3, 1) & 15'
	[ "$output" = 5 ]
	run -1 grep -q "^good.test 16" asked
	# Another name server is as far as anything else.
	reaches few "" "198.51.100.2 53" "198.51.100.2 853"
	reaches free "198.51.100.2 53, 198.51.100.2 853" "198.51.100.2 53" "198.51.100.2 853"
	# When its time is over: what is open goes on, and nothing new is opened.
	on far perl -e 'use IO::Socket::IP; my $s = IO::Socket::IP->new(Listen => 8, LocalHost => "0.0.0.0", LocalPort => 5001) or die;
		my $c = $s->accept; while (<$c>) { print $c "again: $_"; $c->flush }' >/dev/null 2>&1 3>&- &
	hosts+=("$!")
	inside few perl -e 'use IO::Socket::IP; $| = 1; my $s; $s = IO::Socket::IP->new(PeerHost => "198.51.100.2", PeerPort => 5001) or sleep 1 until $s;
		print "open\n"; select undef, undef, undef, 0.1 until -e "expired"; print $s "hello\n"; $s->flush; print scalar <$s>' >went-on 2>&1 3>&- &
	eventually grep -q open went-on
	nft clear inet cordon "$few-name0-4"
	reaches few "" "198.51.100.2 5000"
	touch expired
	eventually grep -q "again: hello" went-on
	finds few good.test 198.51.100.2
	reaches few "198.51.100.2 5000" "198.51.100.2 5000"
}

# bats test_tags=root
@test "a name server that lies: private addresses, somebody else's, and chains of aliases" {
	far
	peer lan 10.50.0.2/24 10.50.0.1
	on lan ip address add 10.50.0.3/24 dev eth0
	peer_serves lan
	names_are_served
	cordon network create web
	sandbox few web '{default: deny, allow: ["good.test:5000", "alias.test:5000", "10.50.0.3:5000"]}'
	sandbox free web
	# It turns to another address: of a private network, the host, a metadata service, a neighbour.
	for ip in 10.50.0.2 127.0.0.1 169.254.169.254 "$(address_of web free)" 0.0.0.0 224.0.0.1 172.17.0.1; do
		zone "good.test A $ip"
		finds few good.test ""
		[ "$ip" = 0.0.0.0 ] || finds free good.test "$ip"
	done
	reaches few "" "10.50.0.2 5000" "169.254.169.254 5000" "$(address_of web free) 5000"
	# One of several is enough.
	zone "good.test A 198.51.100.2" "good.test A 10.50.0.2"
	finds few good.test ""
	reaches few "" "10.50.0.2 5000"
	# A private one that has a rule of its own.
	zone "good.test A 10.50.0.3"
	finds few good.test 10.50.0.3
	reaches few "10.50.0.3 5000" "10.50.0.3 5000" "10.50.0.3 5001"
	# An address of somebody who was not asked for.
	zone "good.test OF victim.test 198.51.100.3"
	finds few good.test ""
	reaches few "" "198.51.100.3 5000"
	# Whoever has the name says where it leads, and what that one is called is not to be asked for.
	zone "alias.test CNAME cdn.elsewhere" "cdn.elsewhere A 198.51.100.3"
	finds few alias.test 198.51.100.3
	reaches few "198.51.100.3 5000" "198.51.100.3 5000"
	finds few cdn.elsewhere ""
	# To a private one it leads nowhere, nor does it in a circle.
	zone "alias.test CNAME cdn.elsewhere" "cdn.elsewhere A 10.50.0.2"
	finds few alias.test ""
	zone "alias.test CNAME cdn.elsewhere" "cdn.elsewhere CNAME alias.test"
	finds few alias.test ""
	# Ten thousand of them.
	{
		printf 'cordon: 1\nextends: default\nnetwork:\n  mode: web\n  egress:\n    default: deny\n    allow:\n'
		perl -e 'printf "      - n%d.many.test:5000\n", $_ for 1 .. 10000'
	} >many.yaml
	zone "n10000.many.test A 198.51.100.2" "n10001.many.test A 198.51.100.2"
	cordon run -d --name many --profile ./many.yaml -- sleep 60
	finds many n10001.many.test ""
	finds many n10000.many.test 198.51.100.2
	reaches many "198.51.100.2 5000" "198.51.100.2 5000" "198.51.100.2 5001"
}

# A resolver that somebody has taken over asks the keeper as often as it can. perl expands it.
# shellcheck disable=SC2016
floods='use Time::HiRes qw(time); my ($pid, $n) = @ARGV; kill "STOP", $pid;
	my $fd = syscall 438, syscall(434, $pid, 0), 4, 0; $fd >= 0 or die "pidfd_getfd: $!"; open my $keeper, "+<&=", $fd or die;
	my ($began, $answer) = time; for (1 .. $n) { syswrite $keeper, pack "LLCa16x3", 9, 60, 0, "x"; sysread($keeper, $answer, 4) == 4 or die "no answer" }
	printf "%d %d\n", unpack("l", $answer), 1000 * (time - $began); kill "CONT", $pid'

# bats test_tags=root
@test "the keeper answers a few hundred questions at once, and then so many a second" {
	local pid home watcher verdict ms
	cordon network create web
	sandbox few web '{default: deny, allow: ["good.test:5000"]}'
	home=$(readlink "/proc/$the_host/ns/net")
	for pid in $(pgrep -x cordon-resolver); do
		[ "$(readlink "/proc/$pid/ns/net")" != "$home" ] || watcher=$pid
	done
	run -0 perl -e "$floods" "$watcher" 400
	read -r verdict ms <<<"$output"
	[ "$verdict" -eq 0 ]
	[ "$ms" -ge 1000 ] || { echo "400 questions within $ms ms"; return 1; }
}

# MS: for so long the address of good.test can be reached once it has been asked for. A little of it is over by then.
stays() { # MS
	local left
	nft clear inet cordon "$few-name0-4"
	reaches few "" "198.51.100.2 5000"
	finds few good.test 198.51.100.2
	reaches few "198.51.100.2 5000" "198.51.100.2 5000"
	left=$(nft timeouts inet cordon "$few-name0-4")
	[ "$left" = "$1" ] || { echo "stays for $left, and not for $1"; return 1; }
}

# bats test_tags=root
@test "an address can be reached for as long as its name says, by the shortest of its chain: a minute at least, and a day at most" {
	local few
	far
	zone "good.test A 198.51.100.2"
	names_are_served
	cordon network create web
	sandbox few web '{default: deny, allow: ["good.test:5000"]}'
	few=cv$(cordon inspect few | jq -r '.[0].run_id' | cut -c 1-12)
	stays 60000
	zone "good.test A 198.51.100.2 300"
	stays 300000
	zone "good.test A 198.51.100.2 2147483647"
	stays 86400000
	zone "good.test CNAME cdn.elsewhere 120" "cdn.elsewhere A 198.51.100.2 9999"
	stays 120000
	zone "good.test CNAME cdn.elsewhere 9999" "cdn.elsewhere CNAME far.elsewhere 5000" "far.elsewhere A 198.51.100.2 100"
	stays 100000
	zone "good.test CNAME cdn.elsewhere" "cdn.elsewhere A 198.51.100.2"
	stays 60000
}
