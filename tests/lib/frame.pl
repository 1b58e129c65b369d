# SPDX-License-Identifier: LGPL-2.1-or-later
# Frames as nobody well-behaved sends them, and who sees them; in the network namespace that it runs in.
#
#	perl frame.pl send TEXT WORD=VALUE...	one frame by eth0, with TEXT at its end. The words, all but
#						the first with what eth0 would say itself:
#		kind=udp|arp|icmp6|udp6|other|head	what it is; head: nothing but 14 bytes
#		mac= to_mac=			link addresses (to_mac: of all)
#		ip= to=				addresses
#		arp_mac=			what ARP says (mac)
#		port= type= about=		the port it comes from; the type of ICMPv6; the address behind its head
#		sum=1				ICMPv6 with its checksum
#		ether=				the type of frame (0x88b5 of other)
#		tag=1				in a VLAN's tag
#		at=				the port that it is for
#		flags= more=			of IPv4: of fragments; behind this one come so many bytes
#		bare=1				without a header of UDP
#		options=1			of IPv4: with options
#		carries=			what IP says that it carries
#		before=				of IPv6: an extension header of that number
#		link=				by another than eth0
#		for=				again and again, for so many seconds
#	perl frame.pl see FILE			appends what arrives at eth0 to FILE
use strict;
use warnings;
use Time::HiRes qw(time);
use Socket qw(:DEFAULT inet_pton AF_INET6);

my ($command, $text, @words) = @ARGV;
socket(my $socket, 17, SOCK_RAW, unpack("S", pack("n", 3))) or die "socket: $!";
my ($link) = (map { /^link=(.*)/ } @words, "link=eth0");
my ($index) = `ip -o link show $link` =~ /^(\d+):/ or die "no $link";
bind($socket, pack("SnlSCCa8", 17, 3, $index, 0, 0, 0, "")) or die "bind: $!";

if ($command eq "see") {
	open(my $file, ">>", $text) or die "$text: $!";
	$file->autoflush(1);
	print $file "ready\n";
	while (defined recv($socket, my $frame, 65536, 0)) { print $file $frame, "\n" }
	exit 1;
}

my ($mac) = `ip -o link show $link` =~ /ether ([0-9a-f:]+)/;
my ($ip) = `ip -o -4 address show $link` =~ /inet ([0-9.]+)/;
my ($ip6) = `ip -o -6 address show $link scope global` =~ /inet6 ([0-9a-f:]+)/;
$ip = $ip6 if grep { /^kind=udp6/ } @words;
my %word = (mac => $mac, to_mac => "ff:ff:ff:ff:ff:ff", ip => $ip, to => "172.17.0.255", port => 5001, at => 5001, type => 128,
	flags => 0, more => 0, carries => 17,
	about => "::", map { split /=/, $_, 2 } @words);
my $bytes_of = sub { return pack("H*", $_[0] =~ s/://gr) };
my $checksum = sub { my $sum = 0; $sum += $_ for unpack("n*", $_[0] . "\0"); $sum = ($sum & 0xffff) + ($sum >> 16) for 1, 2; return ~$sum & 0xffff };
my $of_six = sub { my ($next, $body) = @_;
	if (defined $word{before}) {
		$body = pack("CCCCN", $next, 0, $word{before} == 44 ? (0, 0, 7) : (1, 4, 0)) . $body;
		$next = $word{before} % 256;
	}
	return pack("NnCC", 6 << 28, length($body) + length($text), $next, 255) .
		inet_pton(AF_INET6, $word{ip}) . inet_pton(AF_INET6, $word{to}) . $body };
my $datagram = $word{bare} ? "" : pack("nnnn", $word{port}, $word{at}, 8 + $word{more} + length $text, 0);
my $options = $word{options} ? "\1" x 4 : "";
my %kind = (
	udp => sub { return (0x0800, pack("CCnnnCCna4a4", $options ? 0x46 : 0x45, 0, 20 + length($options . $datagram . $text), 7,
		$word{flags}, 64, $word{carries}, 0, inet_aton($word{ip}), inet_aton($word{to})) . $options . $datagram) },
	arp => sub { return (0x0806, pack("nnCCna6a4a6a4", 1, 0x0800, 6, 4, 2, $bytes_of->($word{arp_mac} // $word{mac}),
		inet_aton($word{ip}), $bytes_of->($word{to_mac}), inet_aton($word{to}))) },
	icmp6 => sub {
		my $body = pack("CCnN", $word{type}, 0, 0, 0) . inet_pton(AF_INET6, $word{about});
		my $said = inet_pton(AF_INET6, $word{ip}) . inet_pton(AF_INET6, $word{to}) . pack("NN", length($body . $text), 58);
		substr($body, 2, 2) = pack("n", $checksum->($said . $body . $text)) if $word{sum};
		return (0x86dd, $of_six->(58, $body)) },
	udp6 => sub {
		my $said = inet_pton(AF_INET6, $word{ip}) . inet_pton(AF_INET6, $word{to}) . pack("NN", length($datagram . $text), 17);
		substr($datagram, 6, 2) = pack("n", $checksum->($said . $datagram . $text));
		return (0x86dd, $of_six->(17, $datagram)) },
	other => sub { return (oct($word{ether} // "0x88b5"), "other") },
	head => sub { $text = ""; return (0x88b5, "") },
);
my ($ether, $packet) = $kind{$word{kind}}->();
substr($packet, 10, 2) = pack("n", $checksum->(substr($packet, 0, 20 + length $options))) if $word{kind} eq "udp";
my $tag = $word{tag} ? pack("nn", 0x8100, 7) : "";
my $frame = $bytes_of->($word{to_mac}) . $bytes_of->($word{mac}) . $tag . pack("n", $ether) . $packet . $text;
$frame .= "\0" x (60 - length $frame) if length $frame < 60 && $word{kind} ne "head";
send($socket, $frame, 0) or die "send: $!";
if ($word{for}) {
	my $end = time + $word{for};
	while (time < $end) { send($socket, $frame, 0) for 1 .. 50 }
}
