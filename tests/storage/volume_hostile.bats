#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Who plants something in a volume, who exchanges what is to be shown, and who is killed while it is filled.

bats_require_minimum_version 1.5.0 # run -CODE
load ../lib/cordon
load ../lib/images

FAULTY=$repo/build/fault/cordon

setup() {
	images_setup
	chmod 0755 .
}

teardown() {
	[ -z "${pid:-}" ] || kill -KILL "$pid" 2>/dev/null || true
	cordon gc >/dev/null
	cordon_teardown
}

volumes() { echo "$CORDON_ROOT/state/volumes"; }

stands_still() { grep -q '^State:.*stopped' "/proc/$pid/status"; }

# A run that stops before it opens what it has looked at. Goes on after COMMAND... Sets code, output.
between() { # FLAGS(-v VALUE) COMMAND...
	CORDON_FAULT=run_directory:stop "$FAULTY" --root "$CORDON_ROOT" run -q -v "$1" -- cat /d/file >out 2>&1 3>&- &
	pid=$!
	eventually stands_still
	"${@:2}"
	kill -CONT "$pid"
	code=0
	wait "$pid" || code=$?
	pid=
	output=$(<out)
}

make_sources() {
	rm -rf good secret
	mkdir good secret
	echo good >good/file
	echo secret >secret/file
	[ "$EUID" -ne 0 ] || chown -R 47032:47032 good secret
}

exchange() { mv good gone && ln -s secret good; }
exchange_dir() { mv good gone && mv secret good; }
remove() { rm -r good; }

@test "volume hostile: a source that is exchanged after it was looked at is not shown" {
	local how
	make_sources
	between "$PWD/good:/d" true
	[ "$code" = 0 ] && [ "$output" = good ]
	for how in exchange exchange_dir remove; do
		make_sources
		between "$PWD/good:/d" "$how"
		[ "$code" = 125 ]
		[[ "$output" == *"$PWD/good"* && "$output" != *secret ]]
		rm -rf gone good
	done
}

# bats test_tags=root
@test "volume hostile: a setuid file and a device node that lie in one serve nobody" {
	local data outside
	# setpriv itself has capabilities until its exec.
	outside=(setpriv --reuid 47032 --regid 47032 --clear-groups sh -c 'exec "$0" -u')
	cordon volume create data >/dev/null
	data=$(volumes)/data/data
	cp /usr/bin/id "$data/id"
	mknod "$data/null" c 1 3
	chown 2147352576:2147352576 "$data"/*
	chmod 4755 "$data/id"
	chmod 0666 "$data/null"
	# Inside neither is more than a file.
	gives 0 "33" cordon run -q -u 33:33 -v data:/data -- /data/id -u
	gives 2 "*/data/null: Permission denied" cordon run -q -v data:/data -- sh -c 'echo x >/data/null'
	# No account of the host comes there. Who stood in it already would get nobody's rights by it.
	cd "$CORDON_ROOT"
	run -126 "${outside[@]}" ./state/volumes/data/data/id
	[[ "$output" == *"Permission denied"* ]]
	cd "$data"
	gives 0 "2147352576" "${outside[@]}" ./id
	gives 0 "" sh -c "echo x >./null"
}

@test "volume hostile: killed inside of the copy of what the image has, it is copied anew, as a whole" {
	local i=0 entries=() seen=0
	while [ $((i += 1)) -le 500 ]; do entries+=("file:data/f$i:data=$i"); done
	made_of x "dir:data ${entries[*]}"
	for ((i = 0; i < 20 && seen < 2; i++)); do
		"$CORDON" --root "$CORDON_ROOT" run -q -v data:/data x true >/dev/null 2>&1 3>&- &
		pid=$!
		until [ -e "$(volumes)/data/data/f1" ] || ! kill -0 "$pid" 2>/dev/null; do :; done
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" || true
		pid=
		! [ -e "$(volumes)/data/filling" ] || seen=$((seen + 1))
		# Nobody is shown a half, and no backup has one.
		if [ "$seen" -eq 1 ] && [ -e "$(volumes)/data/filling" ]; then
			gives 125 "*is not whole*" cordon volume backup data half.tar
			[ ! -e half.tar ]
			gives 0 "" cordon run -q -v data:/data:nocopy x ls /data
			cordon gc >/dev/null
			cordon volume rm data >/dev/null
			continue
		fi
		gives 0 "500 500" cordon run -q -v data:/data x sh -c 'echo $(ls /data | busybox wc -l) $(cat /data/f500)'
		[ ! -e "$(volumes)/data/filling" ]
		cordon gc >/dev/null
		cordon volume rm data >/dev/null
	done
	[ "$seen" -eq 2 ]
}
