#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The table inet cordon: there as long as there is a network, in one piece, and nothing in another's.
# nft(8) is not needed: netlink is asked.

load ../lib/cordon
load ../lib/attack
load ../lib/network

# Tables of the host's network, a line each.
tables() {
	host perl -e "$netfilter" 1 | tr '\0' '\n' | grep -aoE '[a-z]+' | sort -u
}

# How many rules there are in all.
rules() {
	host perl -e "$netfilter" 7 | wc -l
}

# NFT_MSG_GETTABLE is 1, GETRULE 7, DELTABLE 2; a line for each message of the answer.
netfilter='use Socket; socket(my $s, 16, SOCK_RAW, 12) or die; bind($s, pack("SSLL", 16, 0, 0, 0)) or die;
	send($s, pack("LSSLLCCn", 20, 10 << 8 | $ARGV[0], 0x301, 7, 0, 0, 0, 0), 0) or die;
	while (1) { recv($s, my $b, 65536, 0); my $at = 0;
		while ($at < length $b) { my ($len, $type) = unpack("LS", substr($b, $at)); exit if $type == 3 || $type == 2;
			print unpack("A*", substr($b, $at + 20, $len - 20)) =~ s/\n/ /gr, "\n"; $at += $len + 3 & ~3 } }'

# One batch: begin, DELTABLE of all of the family inet, end.
flush='use Socket; socket(my $s, 16, SOCK_RAW, 12) or die; bind($s, pack("SSLL", 16, 0, 0, 0)) or die;
	send($s, pack("LSSLLCCn", 20, 16, 1, 1, 0, 0, 0, 10) . pack("LSSLLCCn", 20, 10 << 8 | 2, 1, 2, 0, 1, 0, 0) .
		pack("LSSLLCCn", 20, 17, 1, 3, 0, 0, 0, 10), 0) or die'

# bats test_tags=root
@test "the table comes with the first network and goes with the last" {
	[ -z "$(tables)" ]
	cordon network create --internal a
	[ "$(tables)" = cordon ]
	[ "$(rules)" -eq 3 ]
	cordon network create --internal b
	[ "$(rules)" -eq 3 ]
	cordon network rm a
	[ "$(tables)" = cordon ]
	cordon network rm b
	[ -z "$(tables)" ]
}

# bats test_tags=root
@test "what somebody has flushed is there again at the next start" {
	cordon network create --internal a
	host perl -e "$flush"
	[ -z "$(tables)" ]
	gives 0 "" cordon run --network a -- true
	[ "$(rules)" -eq 3 ]
	# And is removed in order where it is gone.
	host perl -e "$flush"
	gives 0 a cordon network rm a
	[ -z "$(tables)" ]
}
