# SPDX-License-Identifier: LGPL-2.1-or-later
# nf_tables of the network namespace that it runs in, without nft(8):
#
#	perl nft.pl tables				their names, a line each
#	perl nft.pl rules				a line for each rule of all: its number, its comment
#	perl nft.pl names				of all chains and sets, a line each
#	perl nft.pl count FAMILY TABLE SET		how many elements the set has
#	perl nft.pl timeouts FAMILY TABLE SET		of its elements, in ms, a line each
#	perl nft.pl clear FAMILY TABLE SET		takes out its elements
#	perl nft.pl flush [FAMILY]			deletes all tables (of a family)
#	perl nft.pl empty FAMILY TABLE			takes out all rules
#	perl nft.pl sleep FAMILY TABLE			has them do nothing (dormant)
#	perl nft.pl flags FAMILY TABLE			1: that is so; 0
#	perl nft.pl swap FAMILY TABLE CHAIN VERDICT	a rule in the place of the chain's first
#	perl nft.pl chain FAMILY TABLE CHAIN POLICY	a chain of the hook forward, and its table
#	perl nft.pl rule FAMILY TABLE CHAIN VERDICT [LINK]	a rule (of what comes in by a link)
#
# FAMILY is ip, inet or bridge; POLICY and VERDICT are drop or accept.
use strict;
use warnings;
use Socket;

my %family = (all => 0, inet => 1, ip => 2, bridge => 7, ip6 => 10);
my %verdict = (drop => 0, accept => 1);
my ($command, @words) = @ARGV;
socket(my $socket, 16, SOCK_RAW, 12) or die "netlink: $!";
bind($socket, pack("SSLL", 16, 0, 0, 0)) or die "netlink: $!";

sub attribute { # TYPE, BYTES
	my ($type, $bytes) = @_;
	return pack("SS", 4 + length $bytes, $type) . $bytes . "\0" x (-length($bytes) & 3);
}

sub text { return attribute($_[0], "$_[1]\0") }
sub number { return attribute($_[0], pack("N", $_[1])) }
sub nest { return attribute($_[0] | 0x8000, $_[1]) }

sub message { # TYPE, FLAGS, FAMILY, ATTRIBUTES
	my ($type, $flags, $family, $rest) = @_;
	return pack("LSSLLCCn", 20 + length $rest, 10 << 8 | $type, $flags | 1, 7, 0, $family, 0, 0) . $rest;
}

# Each message of the answer, without its head, to what is given.
sub ask { # MESSAGE, SUB
	my ($message, $each) = @_;
	send($socket, $message, 0) or die "netlink: $!";
	while (1) {
		recv($socket, my $answer, 1 << 18, 0);
		my $at = 0;
		while ($at < length $answer) {
			my ($len, $type) = unpack("LS", substr($answer, $at));
			return if $type == 3;
			exit 1 if $type == 2;
			$each->(substr($answer, $at + 20, $len - 20));
			$at += $len + 3 & ~3;
		}
	}
}

sub attributes { # BYTES: [TYPE, BYTES] of each
	my ($bytes) = @_;
	my ($at, @list) = (0);
	while ($at + 4 <= length $bytes) {
		my ($len, $type) = unpack("SS", substr($bytes, $at));
		push @list, [$type & 0x3fff, substr($bytes, $at + 4, $len - 4)];
		$at += $len + 3 & ~3;
	}
	return @list;
}

# All of it or nothing.
sub change { # MESSAGES
	my $bound = sub { return pack("LSSLLCCn", 20, $_[0], 1, 1, 0, 0, 0, 10) };
	send($socket, $bound->(16) . join("", @_) . $bound->(17), 0) or die "netlink: $!";
	setsockopt($socket, SOL_SOCKET, SO_RCVTIMEO, pack("qq", 0, 1000)) or die;
	if (recv($socket, my $answer, 65536, 0)) {
		my ($len, $type) = unpack("LS", $answer);
		my $error = $type == 2 ? unpack("l", substr($answer, 16)) : 0;
		die "refused: " . ($! = -$error) . "\n" if $error;
	}
}

sub expression { return nest(1, text(1, $_[0]) . nest(2, $_[1])) }

if ($command eq "tables") {
	ask(message(1, 0x300, 0, ""), sub {
		print substr($_->[1], 0, -1), "\n" for grep { $_->[0] == 1 } attributes($_[0]);
	});
} elsif ($command eq "rules") {
	ask(message(7, 0x300, 0, ""), sub {
		my %of = map { @$_ } attributes($_[0]);
		print unpack("x4N", $of{3}), " ", defined $of{7} ? substr($of{7}, 2, -1) : "-", "\n";
	});
} elsif ($command eq "names") {
	for my $kind ([4, 3], [10, 2]) {
		ask(message($kind->[0], 0x300, 0, ""), sub {
			print substr($_->[1], 0, -1), "\n" for grep { $_->[0] == $kind->[1] } attributes($_[0]);
		});
	}
} elsif ($command eq "count") {
	my $n = 0;
	ask(message(13, 0x300, $family{$words[0]}, text(1, $words[1]) . text(2, $words[2])), sub {
		$n += () = attributes($_->[1]) for grep { $_->[0] == 3 } attributes($_[0]);
	});
	print "$n\n";
} elsif ($command eq "timeouts") {
	ask(message(13, 0x300, $family{$words[0]}, text(1, $words[1]) . text(2, $words[2])), sub {
		for my $list (grep { $_->[0] == 3 } attributes($_[0])) {
			for my $one (attributes($list->[1])) {
				print unpack("Q>", $_->[1]), "\n" for grep { $_->[0] == 4 } attributes($one->[1]);
			}
		}
	});
} elsif ($command eq "clear") {
	change(message(14, 0, $family{$words[0]}, text(1, $words[1]) . text(2, $words[2])));
} elsif ($command eq "flush") {
	change(message(2, 0, $family{$words[0] // "all"}, ""));
} elsif ($command eq "empty") {
	change(message(8, 0, $family{$words[0]}, text(1, $words[1])));
} elsif ($command eq "sleep") {
	change(message(0, 0, $family{$words[0]}, text(1, $words[1]) . number(2, 1)));
} elsif ($command eq "flags") {
	ask(message(1, 0x300, $family{$words[0]}, ""), sub {
		print unpack("N", $_->[1]), "\n" for grep { $_->[0] == 2 } attributes($_[0]);
	});
} elsif ($command eq "swap") {
	my ($family, $table, $chain, $verdict) = @words;
	my $first;
	ask(message(7, 0x300, $family{$family}, text(1, $table)), sub {
		my %of = map { @$_ } attributes($_[0]);
		$first //= $of{3} if $of{2} eq "$chain\0";
	});
	change(message(6, 0x100, $family{$family}, text(1, $table) . text(2, $chain) . attribute(3, $first) . nest(4,
		expression("immediate", number(1, 0) . nest(2, nest(2, number(1, $verdict{$verdict})))))));
} elsif ($command eq "chain") {
	my ($family, $table, $chain, $policy) = @words;
	change(message(0, 0x400, $family{$family}, text(1, $table)),
		message(3, 0x400, $family{$family}, text(1, $table) . text(3, $chain) .
			nest(4, number(1, 2) . number(2, 0)) . number(5, $verdict{$policy}) . text(7, "filter")));
} elsif ($command eq "rule") {
	my ($family, $table, $chain, $verdict, $link) = @words;
	my $match = defined $link ? expression("meta", number(1, 8) . number(2, 6)) .
		expression("cmp", number(1, 8) . number(2, 0) . nest(3, attribute(1, pack("a16", $link)))) : "";
	change(message(6, 0xc00, $family{$family}, text(1, $table) . text(2, $chain) . nest(4, $match .
		expression("immediate", number(1, 0) . nest(2, nest(2, number(1, $verdict{$verdict})))))));
} else {
	die "no such command\n";
}
