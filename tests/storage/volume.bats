#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# `cordon volume`: what there is, who may have it, and that it stays whole.

load ../lib/cordon
load ../lib/attack

FAULTY=$repo/build/fault/cordon

volumes() { echo "$CORDON_ROOT/state/volumes"; }

@test "volume: one is made, listed, inspected and removed; its files are nobody's of the host" {
	need jq
	gives 0 web cordon volume create --label tier=front --label plain web
	says 0 "????????????????????????????????????????????????????????????????" cordon volume create
	anonymous=$output
	# As Docker: one that is there is left as it is.
	gives 0 web cordon volume create web
	[ "$(cordon volume ls -q | sort)" = "$(printf '%s\nweb\n' "$anonymous" | sort)" ]
	gives 0 "DRIVER    VOLUME NAME
local     web" cordon volume ls -f name=we
	gives 0 "web local $(volumes)/web/data front" \
		cordon volume ls -f label=tier=front --format '{{.Name}} {{.Driver}} {{.Mountpoint}} {{.Label "tier"}}'
	gives 0 "" cordon volume ls -q -f label=tier=back
	gives 0 web cordon volume ls -q -f dangling=true -f 'label!=none' -f label=plain
	cordon volume inspect web "$anonymous" >found
	listed=$(jq -c 'map(.name) | sort' found)
	jq -e '.[0].name == "web" and .[0].labels == {tier: "front", plain: ""} and .[0].used_by == []
		and (.[0].in_use or .[0].anonymous | not) and .[1].anonymous' found
	[ "$(cordon volume ls --json | jq -c 'map(.name) | sort')" = "$listed" ]
	case $EUID in
	0) owner=2147352576:2147352576 ;;
	*) owner=$EUID:$(id -g) ;;
	esac
	[ "$(stat -c %u:%g "$(volumes)/web/data")" = "$owner" ]
	[ "$(stat -c %a "$(volumes)" "$(volumes)/web" "$(volumes)/web/data" | xargs)" = "700 700 755" ]
	gives 0 web cordon volume rm web
	says 125 "cordon: no volume is called web*cordon volume create web*" cordon volume rm web
	says 125 "cordon: no volume is called web*" cordon volume inspect web
	gives 0 "" cordon volume rm -f web
	[ "$(cordon volume ls -q)" = "$anonymous" ]
}

@test "volume: what it cannot be is refused by name" {
	local name
	for name in .. a .hidden a/b ../x "a b"; do
		says 125 "cordon: $name: no volume can be called that*" cordon volume create "$name"
	done
	says 125 "cordon: --driver nfs: no such driver*" cordon volume create -d nfs web
	says 125 "cordon: volume web: a *size*" cordon volume create --size 1m web
	says 125 "cordon: *--opt*" cordon volume create -o type=nfs web
	says 125 "cordon: --label a b=c: no such label*" cordon volume create --label "a b=c" web
	says 125 "cordon: --filter size=1: no such filter*" cordon volume ls -f size=1
	says 125 "cordon: --filter dangling=2: no such filter*" cordon volume ls -f dangling=2
	says 125 "cordon: --format: Bytes is not known*" cordon volume ls --format '{{.Bytes}}'
	says 125 "cordon: no volume is called ..*" cordon volume rm ..
	[ ! -e "$(volumes)" ]
	mkdir -p "$CORDON_ROOT/state/elsewhere" && chmod 0700 "$CORDON_ROOT/state" "$CORDON_ROOT/state/elsewhere"
	ln -s elsewhere "$(volumes)"
	says 125 "*volumes*" cordon volume create web
	rm "$(volumes)"
	mkdir "$(volumes)" && chmod 0755 "$(volumes)"
	says 125 "cordon: volumes: belongs to uid *" cordon volume create web
	[ -z "$(find "$(volumes)" "$CORDON_ROOT/state/elsewhere" -mindepth 1)" ]
}

@test "volume: prune takes what nobody uses, and asks" {
	cordon volume create --label keep web
	anonymous=$(cordon volume create)
	cordon volume create --label keep >/dev/null
	says 125 "*volume prune*" cordon volume prune
	gives 0 "$anonymous" cordon volume prune -f --filter 'label!=keep'
	[ "$(cordon volume ls -q | wc -l)" = 2 ]
	says 0 "????????????????????????????????????????????????????????????????" cordon volume prune -f
	gives 0 web cordon volume prune -a -f
	gives 0 "" cordon volume ls -q
}

@test "volume: killed at any step it is there as a whole or not at all, and gc takes what is left" {
	local step
	cordon volume create old >/dev/null
	for step in volume-begun volume-whole volume-named; do
		CORDON=$FAULTY CORDON_FAULT=store.$step:kill run -137 cordon volume create web
		if [ "$step" = volume-named ]; then
			gives 0 web cordon volume ls -q -f name=web
			gives 0 web cordon volume rm web
		else
			gives 0 old cordon volume ls -q
			says 0 "*1 remains of volumes removed*" cordon gc
		fi
	done
	CORDON=$FAULTY CORDON_FAULT=store.volume-removed:kill run -137 cordon volume rm old
	gives 0 "" cordon volume ls -q
	says 0 "*1 remains of volumes removed*" cordon gc
	[ "$(ls -A "$(volumes)")" = .lock ]
}
