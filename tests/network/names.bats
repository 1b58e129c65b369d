#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Names of sandboxes, and the resolver that each of them in a network has (launcher/resolver.h). drill (ldns) is the
# oracle. The host's name servers are the test's own, in the namespace that is its host.

load ../lib/cordon
load ../lib/attack
load ../lib/network
load ../lib/names

# bats test_tags=root
@test "names: A, AAAA, PTR, over UDP and TCP, at once, and gone at once" {
	need drill
	cordon network create --internal --ipv6 web
	says 0 "*NXDOMAIN*" asked web db
	stays web db
	answered web "$ip" db
	answered web "$ip" DB.Web
	answered web "$ip" "$(cordon inspect db | jq -r '.[0].id[:12]')"
	answered web "$ip" -t db
	answered web "$(address_of web db ip6_address)" db AAAA
	answered web db.web. -x "$ip"
	answered web db.web. -x "$(address_of web db ip6_address)"
	# What has no such record is not unknown.
	says 0 "*NOERROR*ANSWER: 0,*" asked web db MX
	# The libc's way: resolv.conf.
	gives 0 "$ip" eval "cordon run --network web -- getent ahostsv4 db | awk '{ print \$1; exit }'"
	gives 0 127.0.0.1 one_answer web localhost
	# Another start has another resolver and the same name; so has one that comes later.
	cordon restart -t 0 db
	answered web "$ip" db
	stays web later
	answered web "$ip" later
	cordon stop -t 0 later
	says 0 "*NXDOMAIN*" asked web later
	# Inside it asks as well, for itself and for those who came later.
	gives 0 "$ip" eval "cordon start later >/dev/null; cordon exec db drill @127.0.0.11 later | answers"
	cordon rm -f db later
	says 0 "*NXDOMAIN*" asked web db
}

# bats test_tags=root
@test "names end at their network, and the default bridge has none" {
	need drill
	cordon network create --internal web
	cordon network create --internal other
	stays web db
	says 0 "*NXDOMAIN*" asked other db
	says 0 "*NXDOMAIN*" asked other -x "$ip"
	# Of a network that one is not in nothing is known, not even that it is private.
	says 0 "*REFUSED*" asked other db.web
	answered web "$ip" db
	# An alias is one in its network; and who is in both has the names of both.
	cordon run -d --name two --network other --network-alias cache --network web -- sleep 600 >/dev/null
	answered other "$(address_of other two)" cache
	gives 0 "$ip" eval "cordon exec two drill @127.0.0.11 db | answers"
	gives 0 "Connection refused" inside bridge "$knocks" 127.0.0.11
	# Nor does anybody listen on the host.
	gives 0 "Connection refused" host perl -e "$knocks" 127.0.0.11
	gives 0 "Connection refused" host perl -e "$knocks" "$(gateway_of web)"
	gives 0 "an answer" inside web "$knocks" 127.0.0.11
}

# bats test_tags=root
@test "other names go to the host's name servers, where the network may leave; private ones never" {
	need drill
	upstream 127.0.0.2
	resolv_conf 127.0.0.2
	cordon network create --internal closed
	cordon network create open 2>/dev/null
	stays open db
	answered open 192.0.2.1 example.test
	answered open 192.0.2.1 -t example.test
	says 0 "*REFUSED*" asked closed example.test
	says 0 "*NXDOMAIN*" asked open nobody.example.test
	# More than a datagram holds: what drill is told is to ask again.
	says 0 "*flags: qr tc*" asked open many.example.test
	gives 0 60 eval "asked open -t many.example.test | answers | wc -l"
	: >asked
	for name in db db.open nobody nobody.open printer.local x.onion localhost; do
		asked open "$name" >/dev/null
	done
	asked open -x 10.1.2.3 >/dev/null
	asked open -x fe80::1 >/dev/null
	asked open -x 172.20.255.1 >/dev/null
	gives 0 "" cat asked
	# The control: an address that is not.
	says 0 "*NXDOMAIN*" asked open -x 192.0.2.9
	gives 0 9.2.0.192.in-addr.arpa sort -u asked
}

# bats test_tags=root
@test "a name server that is dead keeps up nothing else, and the next one is asked" {
	need drill
	deaf 127.0.0.3
	upstream 127.0.0.2
	resolv_conf 127.0.0.3
	cordon network create open 2>/dev/null
	stays open db
	# On one socket: first a name that nobody answers, then db. In this order they come back:
	gives 0 "db NOERROR
example.test SERVFAIL" inside open "$questions" example.test db
	resolv_conf 127.0.0.3 127.0.0.2
	answered open 192.0.2.1 example.test
	# Answers to something else, of the right server, are not passed on.
	resolv_conf 127.0.0.2
	gives 0 "example.test NOERROR
spoilt.example.test SERVFAIL
wrong.example.test SERVFAIL" eval 'inside open "$questions" {wrong,spoilt}.example.test example.test | sort'
	resolv_conf
	says 0 "*REFUSED*" asked open example.test
}

# bats test_tags=root
@test "killed, it is there again; and it ends with its sandbox, whoever was killed" {
	local watcher worker keeper
	need drill
	cordon network create --internal web
	stays web db
	keeper=$(cordon inspect db | jq -r '.[0].supervisor_pid')
	watcher=$(child_of "$keeper" cordon-resolver)
	worker=$(child_of "$watcher" cordon-dns)
	kill -9 "$worker"
	eventually has_another "$watcher" "$worker"
	gives 0 "$ip" eval "cordon exec db drill @127.0.0.11 db | answers"
	# It runs on without one.
	worker=$(child_of "$watcher" cordon-dns)
	gives 0 "" lost db
	kill -9 "$watcher"
	eventually is_gone "$worker"
	# That it goes on without is said: its start ends it.
	eventually eval '[ "$(lost db)" = resolver ]'
	gives 0 "db resolver" losses
	gives 0 "Connection refused" cordon exec db perl -e "$knocks" 127.0.0.11
	answered web "$ip" db
	cordon restart -t 0 db
	gives 0 "" lost db
	gives 0 "$ip" eval "cordon exec db drill @127.0.0.11 db | answers"
	keeper=$(cordon inspect db | jq -r '.[0].supervisor_pid')
	watcher=$(child_of "$keeper" cordon-resolver)
	worker=$(child_of "$watcher" cordon-dns)
	kill -9 "$keeper"
	eventually is_gone "$watcher"
	eventually is_gone "$worker"
	eventually no_ports
	cordon gc
	says 0 "*NXDOMAIN*" asked web db
}

# bats test_tags=root
@test "it has no privilege, no file but of names, and no socket but the sandbox's" {
	local pid keeper watcher files="$CORDON_ROOT/state/networks/.names"$'\n/memfd:cordon-names (deleted)\n/memfd:cordon-notes (deleted)'
	cordon network create --internal web
	stays web db
	keeper=$(cordon inspect db | jq -r '.[0].supervisor_pid')
	watcher=$(child_of "$keeper" cordon-resolver)
	for pid in "$watcher" "$(child_of "$watcher" cordon-dns)"; do
		gives 0 "0000000000000000 1 2" status_of "$pid" CapPrm NoNewPrivs Seccomp
		[ "$(status_of "$pid" Uid)" -ge 65536 ]
		gives 0 "$files" eval "readlink /proc/$pid/fd/* | grep -v '^socket:'"
		gives 0 0 limit_of "$pid" "Max file size"
	done
	gives 0 0 limit_of "$pid" "Max processes"
}

# bats test_tags=root
@test "a flood is bounded, and is nobody else's" {
	local worker
	need drill
	deaf 127.0.0.3
	resolv_conf 127.0.0.3
	cordon network create open 2>/dev/null
	stays open db
	cordon run -d --name flood --network open -- perl -e "$flood" >/dev/null
	eventually says_up flood
	worker=$(child_of "$(child_of "$(cordon inspect flood | jq -r '.[0].supervisor_pid')" cordon-resolver)" cordon-dns)
	# 64 questions wait for a name server, and no more; the rest is told so.
	eventually has_descriptors "$worker" 60
	[ "$(find "/proc/$worker/fd" -type l | wc -l)" -le 80 ]
	answered open "$ip" db
	gives 0 "$ip" eval "cordon exec db drill @127.0.0.11 db | answers"
	# And the one that floods is served again.
	eventually serves_flood
	[ "$(find "/proc/$worker/fd" -type l | wc -l)" -le 80 ]
}

serves_flood() {
	[ "$(cordon exec flood drill @127.0.0.11 db | answers)" = "$ip" ]
}

# bats test_tags=root
@test "hostile messages and names: it answers those that can be, and lives on" {
	local watcher worker
	need drill
	cordon network create --internal web
	stays web db
	cordon run -d --name asks --network web -- sleep 600 >/dev/null
	watcher=$(child_of "$(cordon inspect asks | jq -r '.[0].supervisor_pid')" cordon-resolver)
	worker=$(child_of "$watcher" cordon-dns)
	# Each is a message: a name that points to itself, ahead, or behind the end; two questions; an answer; a label
	# that holds a dot; a NUL, a newline, an escape in a name; nothing; more than there may be.
	gives 0 "self FORMERR
ahead FORMERR
behind FORMERR
two FORMERR
answer nothing
dot REFUSED
control REFUSED
short nothing
long FORMERR
status NOTIMP
version BADVERS
chaos REFUSED
transfer REFUSED
db NOERROR" eval "cordon exec asks perl -e '$hostile_messages'"
	cordon exec asks perl -e "$random_messages"
	gives 0 "$ip" eval "cordon exec asks drill @127.0.0.11 db | answers"
	# It is the one that it was.
	[ "$(child_of "$watcher" cordon-dns)" = "$worker" ]
}

# bats test_tags=root
@test "links: what one calls another, who need not be there yet, is its own; connect has them" {
	local id
	need drill
	cordon network create --internal web
	cordon network create --internal other
	cordon run -d --name app --network web --link db:Cache --link later -- sleep 600 >/dev/null
	says 0 "*NXDOMAIN*" cordon exec app drill @127.0.0.11 cache
	stays web db
	gives 0 "$ip" eval "cordon exec app drill @127.0.0.11 cache | answers"
	gives 0 "$ip" eval "cordon exec app getent ahostsv4 cache | awk '{ print \$1; exit }'"
	# Nobody else's: the control has it by its own name.
	says 0 "*NXDOMAIN*" asked web cache
	answered web "$ip" db
	# Another address is another answer, at once.
	cordon rm -f db >/dev/null
	says 0 "*NXDOMAIN*" cordon exec app drill @127.0.0.11 cache
	cordon run -d --name db --network name=web,ip=172.17.0.99 -- sleep 600 >/dev/null
	gives 0 "172.17.0.99" eval "cordon exec app drill @127.0.0.11 cache | answers"
	# By the id that run prints; of a further network; and after another start.
	id=$(cordon run -d --network other -- sleep 600)
	cordon network connect --link "$id:store" other app
	gives 0 "$(address_of other "$id")" eval "cordon exec app drill @127.0.0.11 store | answers"
	cordon restart -t 0 app
	gives 0 "$(address_of other "$id")" eval "cordon exec app drill @127.0.0.11 store | answers"
	gives 0 "172.17.0.99" eval "cordon exec app drill @127.0.0.11 cache | answers"
	cordon network disconnect other app
	says 0 "*NXDOMAIN*" cordon exec app drill @127.0.0.11 store
	says 125 "*network.links takes a network*" cordon run --link db -- true
	says 125 "*a link cannot be 'db:'*SANDBOX:ALIAS*" cordon run --network web --link db: -- true
}
