#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Published ports: from other machines and from the host, and from nobody else.

load ../lib/cordon
load ../lib/attack
load ../lib/network

# A kept sandbox that answers on port 5000 as serve's, with more flags.
published() { # NAME FLAG...
	cordon run -d --name "$1" "${@:2}" -- perl -e "$server" "$1" >/dev/null
	eventually says_up "$1"
}


port_asks="${client/5000/\$ARGV[2]}"

elements() {
	local set n=0
	for set in any4 any6 published4 published6; do
		n=$((n + $(nft count inet cordon "$set")))
	done
	echo "$n"
}

# bats test_tags=root
@test "a published port is reached from other machines and from the host; not from sandboxes, nor without being published" {
	peer lan 10.50.0.2/24 10.50.0.1
	host ip address add fd50::1/64 dev lan nodad
	on lan ip address add fd50::2/64 dev eth0 nodad
	cordon network create --subnet 172.20.0.0/16 --subnet fd00:9::/64 web
	published a --network web -p 8080:5000 -p 10.50.0.1:8081:5000 -p '[fd50::1]:8082:5000' -p 5000 -p 9000-9001:5000-5001/udp
	gives 0 "this is a" on lan perl -e "$port_asks" 10.50.0.1 2 8080
	gives 0 "this is a" on lan perl -e "$port_asks" 10.50.0.1 2 8081
	gives 0 "this is a" on lan perl -e "$port_asks" fd50::1 2 8080
	gives 0 "this is a" host perl -e "$port_asks" 10.50.0.1 2 8080
	gives 0 "this is a" host perl -e "$port_asks" fd50::1 2 8082
	# By an address of its own alone; by the loopback where none is said (relay.bats).
	says 3 "no answer: *" host perl -e "$port_asks" 172.20.0.1 2 8081
	says 3 "no answer: *" host perl -e "$port_asks" 127.0.0.1 2 8081
	gives 0 "this is a" host perl -e "$port_asks" 127.0.0.1 2 8080
	says 3 "no answer: *" on lan perl -e "$port_asks" 10.50.0.1 2 5000
	# Whoever goes round the translation.
	on lan ip route replace 172.20.0.2 via 10.50.0.1
	says 3 "no answer: *" peer_asks lan 172.20.0.2
	# Of its own network and of another.
	cordon network create other
	says 3 "no answer: *" cordon run --network web -- perl -e "$port_asks" 10.50.0.1 2 8080
	says 3 "no answer: *" cordon run --network other -- perl -e "$port_asks" 10.50.0.1 2 8080
	run -0 cordon port a
	[[ "$output" == *"5000/tcp -> 0.0.0.0:8080"* && "$output" == *"5000/tcp -> 10.50.0.1:8081"* ]]
	[[ "$output" == *"5000/tcp -> [fd50::1]:8082"* && "$output" == *"5001/udp -> 0.0.0.0:9001"* ]]
	run -0 cordon port a 5001/udp
	[[ "$output" == *"0.0.0.0:9001"* && "$output" != *9000* ]]
	says 125 "*sandbox a: port 81/tcp is not published*" cordon port a 81
	# The one that nobody chose.
	local port
	port=$(cordon port a 5000 | grep '^0.0.0.0:' | grep -v ':8080$' | cut -d: -f2)
	gives 0 "this is a" on lan perl -e "$port_asks" 10.50.0.1 2 "$port"
	run -0 cordon ps --format '{{.Ports}}'
	[[ "$output" == *"0.0.0.0:8080->5000/tcp"*"0.0.0.0:9000->5000/udp, 0.0.0.0:9001->5001/udp"*"10.50.0.1:8081->5000/tcp"* ]]
	[[ "$output" == *"[::]:8080->5000/tcp"*"[fd50::1]:8082->5000/tcp"* ]]
	[[ "$(cordon ps --json | jq -c '.sandboxes[0].ports[]')" == *'{"port":5000,"protocol":"tcp","host_address":"fd50::1","host_port":8082}'* ]]
	cordon stop -t 0 a
	[ "$(elements)" -eq 0 ]
	gives 0 "" cordon ps -a --format '{{.Ports}}'
	says 3 "no answer: *" on lan perl -e "$port_asks" 10.50.0.1 2 8080
	cordon start a
	eventually on lan perl -e "$port_asks" 10.50.0.1 2 8080
	cordon rm -f a
	nothing_of_networks
}

# bats test_tags=root
@test "UDP; a port that somebody has is found before the start, with who has it; kill -9 leaves nothing after gc" {
	local pid
	peer lan 10.50.0.2/24 10.50.0.1
	cordon network create --subnet 172.20.0.0/16 web
	cordon run -d --name u --network web -p 5001:5001/udp -- perl -e 'use IO::Socket::IP; $| = 1;
		my $s = IO::Socket::IP->new(Proto => "udp", LocalPort => 5001) or die "$@\n";
		print "up\n"; while ($s->recv(my $text, 99)) { print "got $text\n" }' >/dev/null
	eventually says_up u
	on lan perl -e "$sends" 10.50.0.1 hello
	eventually got u hello
	says 125 "*step network: port 0.0.0.0:5001/udp: Address already in use*published by sandbox u.*" \
		cordon run --network web -p 5001:80/udp -- true
	nsenter --net="/proc/$the_host/ns/net" perl -e "$server" host >/dev/null 2>&1 3>&- &
	pid=$!
	hosts+=("$pid")
	eventually host_asks 127.0.0.1
	says 125 "*port 0.0.0.0:5000/tcp: Address already in use*taken by process $pid (perl).*" \
		cordon run --network web -p 5000:80 -- true
	says 125 "*port 0.0.0.0:5002/tcp: *It is named twice*" cordon run --network web -p 5002:80 -p 5002:81 -- true
	gives 0 "" cordon run --network web -p 5002:80 -p 5002:80/udp -- true
	says 125 "*port 10.9.9.9:80/tcp: *The host has no such address*" cordon run --network web -p 10.9.9.9:80:80 -- true
	# Nobody on the host takes it meanwhile.
	run -1 host perl -e 'use IO::Socket::IP; exit(IO::Socket::IP->new(Proto => "udp", LocalPort => 5001, LocalHost => "0.0.0.0") ? 0 : 1)'
	cordon network create --internal inner
	says 125 "*network.publish: none of its networks has a way in*" cordon run --network inner -p 80:80 -- true
	[ "$(elements)" -eq 1 ]
	kill -9 "$(cordon inspect u | jq -r '.[0].supervisor_pid')"
	eventually no_ports
	# Started again at once, what was left is no conflict.
	eventually cordon start u
	eventually got u ''
	[ "$(elements)" -eq 1 ]
	kill -9 "$(cordon inspect u | jq -r '.[0].supervisor_pid')"
	eventually no_ports
	cordon gc
	[ "$(elements)" -eq 0 ]
	cordon rm -f u
	nothing_of_networks
}

# bats test_tags=root
@test "-P: each port that is exposed and not published yet, at any free port; ps has ranges of one number" {
	local port
	peer lan 10.50.0.2/24 10.50.0.1
	cordon network create --subnet 172.20.0.0/16 web
	published a --network web -P --expose 5000 --expose 6000-6001/udp -p 7001:6001/udp -p 8000-8002:8000-8002
	[ "$(elements)" -eq 6 ]
	run -0 cordon port a 6001/udp
	[ "$output" = 0.0.0.0:7001 ]
	port=$(cordon port a 5000)
	port=${port#0.0.0.0:}
	gives 0 "this is a" on lan perl -e "$port_asks" 10.50.0.1 2 "$port"
	run -0 cordon ps --format '{{.Ports}}'
	[[ ", $output," == *", 0.0.0.0:8000-8002->8000-8002/tcp,"* && ", $output," == *", 0.0.0.0:7001->6001/udp,"* ]]
	[ "$(cordon inspect a | jq '.[0].ports | length')" -eq 6 ]
	[ "$(cordon inspect a | jq -c --argjson port "$port" '.[0].ports[] | select(.host_port == $port)')" = \
		"{\"port\":5000,\"protocol\":\"tcp\",\"host_address\":\"0.0.0.0\",\"host_port\":$port}" ]
	# The control: exposed alone is not published.
	published b --network web --expose 5000
	gives 0 "" cordon port b
	says 125 "*network.publish_all takes a network*"$'\n'"    -P"$'\n'"    ^"$'\n'"*--network bridge*as root*" cordon run -P --expose 80 -- true
	says 125 "*network.publish takes a network*"$'\n'"    -p 80:80"$'\n'"*--network bridge*as root*" cordon run -p 80:80 -- true
	# What stands behind the image is the program, as its flags are.
	says 127 "*-p: not in the sandbox's PATH*It looks like a flag: those of cordon stand before the image*" cordon run -- -p 80:80 true
	says 127 "*nothing: not in the sandbox's PATH*Only the rootfs is visible*" cordon run -- nothing
	says 0 "*nothing is published: neither the image nor --expose names a port*" cordon explain --network web -P -- true
	cordon rm -f a b
	nothing_of_networks
}

# bats test_tags=root
@test "commit: ports that were published or exposed are exposed by the image, and nothing is published for it" {
	load ../lib/images
	cordon network create --subnet 172.20.0.0/16 web
	made_of x
	cordon run -d -q --name box --network web -p 8080:80 -p 127.0.0.1::90/udp -p 9000-9001:5000-5001 --expose 7 x sleep 100 >/dev/null
	cordon commit -q box y
	[ "$(image inspect --json y | jq -c '.config.ExposedPorts | keys')" = '["5000/tcp","5001/tcp","7/tcp","80/tcp","90/udp"]' ]
	cordon run -d -q --name next --network web y >/dev/null
	run -0 cordon port next
	[ -z "$output" ]
	# The control: -P publishes them.
	cordon run -d -q --name all --network web -P y >/dev/null
	[ "$(cordon inspect all | jq '.[0].ports | length')" -eq 5 ]
	cordon rm -f box next all
	nothing_of_networks
}
