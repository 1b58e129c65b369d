#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The rows network, network_link, resolver and names: failed, left out, and kill -9 in front of each row; then gc, and
# no link, address, lease, name or process is left.

load ../lib/cordon
load ../lib/attack
load ../lib/network

faulty() { # FAULT ARG...
	host env CORDON_FAULT="$1" "$FAULTY" --root "$CORDON_ROOT" "${@:2}"
}

rows() {
	cordon explain --network web -- /bin/true | awk '/^  \+ / { print $2 }'
}

# bats test_tags=root
@test "the rows fail, or are left out: the sandbox does not start" {
	local row
	cordon network create --internal web
	for row in network resolver network_link resolver_confined names; do
		says 125 "*step $row: injected fault*" faulty "$row:fail" run --network web -- echo ran
		nothing_of_networks
	done
	says 125 "*step resolver:*" faulty network:skip run --network web -- echo ran
	says 125 "*step network_link: the sandbox has no link*" faulty network_link:skip run --network web -- echo ran
	says 125 "*step resolver_confined: the sandbox's resolver was not started*" faulty resolver:skip run --network web -- echo ran
	says 125 "*step resolver_confined: the sandbox's resolver has not said that it is confined*" \
		faulty resolver_confined:skip run --network web -- echo ran
	says 125 "*step names: nobody would find the sandbox by its name*" faulty names:skip run --network web -- echo ran
	nothing_of_networks
	gives 0 ran faulty none run --network web -- echo ran
}

# bats test_tags=root
@test "kill -9 of the keeper and of init in front of each row, and gc: nothing is left" {
	local row n=0
	cordon network create --internal web
	for row in $(rows); do
		run -137 faulty "$row:kill-keeper" run -q --network web -- true
		# What it has started dies behind it.
		eventually gc_removes_all
		nothing_of_networks || { echo "... after the keeper was killed at $row"; return 1; }
		n=$((n + 1))
	done
	[ "$n" -gt 30 ]
	for row in resolver network_link resolver_confined names read_back root seccomp; do
		# At read_back the keeper goes on while init dies, and it can be the end of a run: tests/fault/kill.bats.
		run faulty "$row:kill-init" run -q --network web -- true
		[[ "$status" -eq 125 || "$row $status" == "read_back 137" ]]
		nothing_of_networks || { echo "... after init was killed at $row"; return 1; }
	done
	# What was left would keep the network.
	gives 0 web cordon network rm web
}

gc_removes_all() {
	cordon gc >/dev/null
	[ -z "$(ls "$CORDON_ROOT/run/runs")" ] && [ -z "$(names_known)" ]
}

# bats test_tags=root
@test "kill -9 while it runs: the address is given back by gc, that of a kept one stays" {
	local pid
	cordon network create --internal web
	serve web a
	pid=$(cordon inspect a | jq -r '.[0].supervisor_pid')
	cordon run -d --rm --name b --network web -- sleep 60
	lease_count 2
	kill -9 "$pid" "$(cordon inspect b | jq -r '.[0].supervisor_pid')"
	eventually no_ports
	cordon gc
	lease_count 1
	cordon start a
	[ "$(address_of web a)" = "$ip" ]
	eventually host_asks "$ip"
	cordon rm -f a
}

lease_count() { # N
	[ "$(find "$CORDON_ROOT/state/networks/web/leases" -type l | wc -l)" -eq "$1" ]
}
