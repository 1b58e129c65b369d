# SPDX-License-Identifier: LGPL-2.1-or-later
# What tests/bench/limits and tests/bench/limits_guest share: which launches are compared, and with
# what. Needs: $work, with the programs pairs and true.
# shellcheck shell=bash
# shellcheck disable=SC2034 # the tables are read by whoever has sourced this

# NAME and the limits that are added to a launch with none.
limit_rows=(
	'pids|limits.pids=64'
	'memory|limits.memory=64MiB'
	'pids, memory|limits.pids=64 limits.memory=64MiB'
	'pids, memory, cpu_time|limits.pids=64 limits.memory=64MiB limits.cpu_time=60s'
	'pids, memory, cpu_time, cpus|limits.pids=64 limits.memory=64MiB limits.cpu_time=60s limits.cpus=1'
)

make_pairs() { # DIR
	gcc -std=gnu17 -D_GNU_SOURCE -O2 -static "$here/pairs.c" -o "$1/pairs"
	gcc -std=gnu17 -Os -static -nostartfiles "$here/true.c" -o "$1/true"
}

launch_of() { # LIMITS; after pair_cases
	local words=("$cordon" --root "$work/root" run) limit
	for limit in $1; do
		words+=(--set "$limit")
	done
	echo "${words[*]} -- $work/true"
}

# The groups of `pairs` for these controllers, with the limits that cordon sets: v1 in the caller's
# own group, v2 in the group $v2_parent.
groups_of() { # CONTROLLER...
	local name dir file values='' out=''
	for name; do
		case $name in
		pids) values=:pids.max=65 ;;
		memory) values= ;;
		esac
		if [ -n "${v2_parent:-}" ]; then
			[ "$name" != memory ] || values=:memory.max=67108864:memory.swap.max=0:memory.oom.group=1
			out+=$values
			continue
		fi
		dir=/sys/fs/cgroup/$name$(awk -F: -v name="$name" '$2 == name { print $3 }' /proc/self/cgroup)
		if [ "$name" = memory ]; then
			for file in memory.limit_in_bytes memory.kmem.tcp.limit_in_bytes memory.memsw.limit_in_bytes; do
				[ ! -e "$dir/$file" ] || values+=:$file=67108864
			done
		fi
		out+="${out:+ }${dir%/}$values"
	done
	echo "${v2_parent:-}$out"
}

# The launches, as `pairs` wants them. 0 is fork+exec, 4 a launch without limits.
pair_cases() { # CORDON
	local row
	cordon=$1
	cases=(
		"fork+exec=0=@in -- $work/true"
		"fork+exec, pids=0=@in $(groups_of pids) -- $work/true"
		"fork+exec, memory=0=@in $(groups_of memory) -- $work/true"
		"fork+exec, pids and memory=0=@in $(groups_of pids memory) -- $work/true"
		"none=4=$(launch_of '')"
		"the launch without limits, pids and memory=4=@in $(groups_of pids memory) -- $(launch_of '')"
	)
	for row in "${limit_rows[@]}"; do
		cases+=("${row%%|*}=4=$(launch_of "${row#*|}")")
	done
}
