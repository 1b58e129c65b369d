# SPDX-License-Identifier: LGPL-2.1-or-later
# For tests of names beyond the host: `load ../lib/zone` below `load ../lib/names`.
#
#	zone LINE...			what the name server says from now on
#	names_are_served		it is there, and the host's
#	was_asked NAME			whether it was
# shellcheck shell=bash

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

was_asked() { # NAME
	grep -q "^$1 " asked
}
