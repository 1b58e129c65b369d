# SPDX-License-Identifier: LGPL-2.1-or-later
# For tests of names: `load ../lib/names` below `load ../lib/network`.
#
#	stays NETWORK NAME		a kept sandbox that only is there; sets ip
#	asked NETWORK ARG...		what drill prints in a new sandbox of the network
#	answers				of that, its answers alone: their data
#	answered NETWORK DATA ARG...	there is exactly that answer
#	one_answer NETWORK NAME		the first address that the libc finds there
#	inside NETWORK SCRIPT ARG...	a Perl script in a new sandbox of the network
#	upstream ADDRESS		a name server on the host: example.test and the like; notes in the file
#					`asked` what it was asked
#	deaf ADDRESS			one that never answers
#	resolv_conf ADDRESS...		the host's from now on: its name servers
#	child_of PID NAME		the child that is called that
# shellcheck shell=bash

own_resolv_conf=

cordon() {
	if [ -n "$own_resolv_conf" ]; then
		# The shell's own arguments.
		# shellcheck disable=SC2016
		host unshare --mount sh -c 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"' sh \
			"$own_resolv_conf" "$CORDON" --root "$CORDON_ROOT" "$@"
	else
		host "$CORDON" --root "$CORDON_ROOT" "$@"
	fi
}

stays() { # NETWORK NAME
	cordon run -d --name "$2" --network "$1" -- sleep 600 >/dev/null
	# For the test.
	# shellcheck disable=SC2034
	ip=$(address_of "$1" "$2")
}

asked() { # NETWORK ARG...
	cordon run --network "$1" -- drill "${@:2}" @127.0.0.11
}

answers() {
	awk '/^;; ANSWER/ { on = 1; next } /^;;/ { on = 0 } on && NF { print $NF }'
}

answered() { # NETWORK DATA ARG...
	gives 0 "$2" eval "asked $1 ${*:3} | answers"
}

one_answer() { # NETWORK NAME
	cordon run --network "$1" -- getent ahostsv4 "$2" | awk '{ print $1; exit }'
}

inside() { # NETWORK SCRIPT ARG...
	cordon run --network "$1" -- perl -e "${@:2}"
}

resolv_conf() { # ADDRESS...
	own_resolv_conf=$BATS_TEST_TMPDIR/resolv.conf
	printf '# none\n' >"$own_resolv_conf.new"
	[ $# -eq 0 ] || printf 'nameserver %s\n' "$@" >>"$own_resolv_conf.new"
	# A new file: who has the old one mounted keeps it.
	mv "$own_resolv_conf.new" "$own_resolv_conf"
}

# wrong: another id; spoilt: another question. many: 60 addresses, and not over UDP.
name_server='use IO::Select; use IO::Socket::IP; $| = 1; my ($at, $log) = @ARGV;
	my $udp = IO::Socket::IP->new(Proto => "udp", LocalHost => $at, LocalPort => 53) or die "$@\n";
	my $tcp = IO::Socket::IP->new(Listen => 8, LocalHost => $at, LocalPort => 53, ReuseAddr => 1) or die "$@\n";
	open my $out, ">", "$log.up"; close $out;
	sub reply { my ($q, $is_tcp) = @_; my ($id, $flags) = unpack "nn", $q;
		my ($i, @labels) = (12); while (my $n = ord substr $q, $i, 1) { push @labels, substr $q, $i + 1, $n; $i += $n + 1 }
		my $name = lc join ".", @labels; my $question = substr $q, 12, $i + 5 - 12;
		open my $out, ">>", $log; print $out "$name\n"; close $out;
		my $n = $name =~ /^many/ ? 60 : $name =~ /^nobody|arpa$/ ? 0 : 1; my $tc = $n > 1 && !$is_tcp; $n = 0 if $tc;
		$id ^= 1 if $name =~ /^wrong/; $question =~ s/example/exbmple/ if $name =~ /^spoilt/;
		my $rr = join "", map { "\xc0\x0c" . pack "nnNnC4", 1, 1, 60, 4, 192, 0, 2, $_ } 1 .. $n;
		pack("nnnnnn", $id, 0x8180 | ($tc ? 0x200 : 0) | ($n || $tc ? 0 : 3), 1, $n, 0, 0) . $question . $rr }
	while (my @ready = IO::Select->new($udp, $tcp)->can_read) { for (@ready) {
		if ($_ == $udp) { my $from = $udp->recv(my $q, 2000); $udp->send(reply($q, 0), 0, $from) }
		else { my $c = $tcp->accept or next; read $c, my $len, 2; read $c, my $q, unpack "n", $len;
			print $c pack "n/a*", reply($q, 1); close $c } } }'

upstream() { # ADDRESS
	host perl -e "$name_server" "$1" "$BATS_TEST_TMPDIR/asked" >/dev/null 2>&1 3>&- &
	hosts+=("$!")
	eventually test -e "$BATS_TEST_TMPDIR/asked.up"
}

deaf() { # ADDRESS
	# Perl's own.
	# shellcheck disable=SC2016
	host perl -e 'use IO::Socket::IP; my $s = IO::Socket::IP->new(Proto => "udp", LocalHost => $ARGV[0],
		LocalPort => 53) or die; open my $out, ">", $ARGV[1]; sleep 600' "$1" "$BATS_TEST_TMPDIR/deaf.up" \
		>/dev/null 2>&1 3>&- &
	hosts+=("$!")
	eventually test -e "$BATS_TEST_TMPDIR/deaf.up"
}

# A question as bytes, and what a reply says. For the scripts below:
dns='use IO::Socket::IP; my $s = IO::Socket::IP->new(Proto => "udp", PeerHost => "127.0.0.11", PeerPort => 53);
	my @rcodes = qw(NOERROR FORMERR SERVFAIL NXDOMAIN NOTIMP REFUSED);
	sub name { join("", map { pack "C/a*", $_ } @_) . "\0" }
	sub ask { my ($id, @labels) = @_; pack("nnnnnn", $id, 0x100, 1, 0, 0, 0) . name(@labels) . pack "nn", 1, 1 }
	sub reply { my $wait = ""; vec($wait, fileno $s, 1) = 1; select($wait, undef, undef, $_[0]) or return;
		$s->recv(my $r, 2000); my ($id, $flags) = unpack "nn", $r;
		my $more = length $r > 22 && substr($r, -11, 3) eq "\0\0\x29" ? ord substr $r, -6, 1 : 0;
		($id, $more ? "BADVERS" : $rcodes[$flags & 15]) } '

# For the tests:
# shellcheck disable=SC2034
questions=$dns'$s->send(ask($_, split /[.]/, $ARGV[$_])) for 0 .. $#ARGV;
	for (@ARGV) { my ($id, $rcode) = reply(60); print "$ARGV[$id] $rcode\n" }'

# For the tests.
# shellcheck disable=SC2034
knocks='use IO::Socket::IP; my $s = IO::Socket::IP->new(Proto => "udp", PeerHost => $ARGV[0], PeerPort => 53);
	$s->send(pack("nnnnnn", 1, 0x100, 1, 0, 0, 0) . "\2db\0" . pack "nn", 1, 1);
	print defined $s->recv(my $r, 2000) ? "an answer\n" : "$!\n"'

# For the tests.
# shellcheck disable=SC2034
flood=$dns'$| = 1; print "up\n"; my $n = 0;
	while (1) { $s->send(ask($n & 65535, "n$n", "example", "test")); $n++; reply(0) for 1 .. 2; select undef, undef, undef, 0.0005 }'

# For the tests.
# shellcheck disable=SC2034
hostile_messages=$dns'my $head = pack "nnnnnn", 7, 0x100, 1, 0, 0, 0; my $tail = pack "nn", 1, 1;
	my @all = (["self", $head . "\xc0\x0c" . $tail], ["ahead", $head . "\xc0\x0e" . name("db") . $tail],
		["behind", $head . "\xc1\xff" . $tail], ["two", pack("nnnnnn", 7, 0x100, 2, 0, 0, 0) . (name("db") . $tail) x 2],
		["answer", pack("nnnnnn", 7, 0x8180, 1, 0, 0, 0) . name("db") . $tail], ["dot", ask(7, "db.web")],
		["control", ask(7, "d\0\n\e[2Jb")], ["short", "abc"], ["long", $head . name(("a" x 63) x 4, "b") . $tail],
		["status", pack("nnnnnn", 7, 0x1000, 1, 0, 0, 0) . name("db") . $tail],
		["version", pack("nnnnnn", 7, 0x100, 1, 0, 0, 1) . name("db") . $tail . "\0" . pack("nnNn", 41, 1232, 1 << 16, 0)],
		["chaos", $head . name("version", "bind") . pack("nn", 16, 3)],
		["transfer", $head . name("web") . pack("nn", 252, 1)], ["db", ask(7, "db")]);
	for (@all) { $s->send($_->[1]); my ($id, $rcode) = reply($_->[0] =~ /answer|short/ ? 0.3 : 60);
		print "$_->[0] ", defined $id ? $rcode : "nothing", "\n" }'

# What breaks is looked for by tests/fuzz; this is the way there.
# shellcheck disable=SC2034
random_messages=$dns'for (1 .. 2000) { my $m = ask($_, "db", "web"); my $n = int rand 8;
	substr($m, rand length $m, 1) = chr rand 256 for 0 .. $n; $s->send(substr $m, 0, 12 + rand length $m); reply(0) }'

child_of() { # PID NAME
	pgrep -x -P "$1" "$2"
}

has_another() { # WATCHER WORKER [NAME]
	local now
	now=$(child_of "$1" "${3:-cordon-dns}")
	[ -n "$now" ] && [ "$now" != "$2" ]
}

is_gone() { # PID
	[ ! -e "/proc/$1" ] || [ "$(awk '/^State/ { print $2 }' "/proc/$1/status")" = Z ]
}

has_descriptors() { # PID N
	[ "$(find "/proc/$1/fd" -type l | wc -l)" -ge "$2" ]
}

limit_of() { # PID NAME
	sed -n "s/^$2  *\([^ ]*\).*/\1/p" "/proc/$1/limits"
}

status_of() { # PID FIELD...
	awk -v fields="${*:2}" 'BEGIN { n = split(fields, names, " ") } { at[$1] = $2 }
		END { for (i = 1; i <= n; i++) printf "%s%s", at[names[i] ":"], i < n ? " " : "\n" }' "/proc/$1/status"
}

gateway_of() { # NETWORK
	host ip -o -4 address show "$(cordon network inspect "$1" | jq -r '.[0].bridge')" | awk '{ sub("/.*", "", $4); print $4 }'
}
