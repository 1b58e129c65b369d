#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A launch opens no file and loads no library that it does not need: each that it opens stands here
# with its reason.

load ../lib/cordon
load ../lib/attack

# What is opened for reading or writing by its whole path, until the program is executed, and by
# cordon after that.
opened() { # [CORDON-RUN-FLAG...]
	strace -f -o trace -e trace=open,openat,openat2,execve "$CORDON" --root "$CORDON_ROOT" run "$@" -- /usr/bin/true \
		</dev/null || return
	# The program's own process counts until its exec.
	awk '$2 ~ /^execve\("\/usr\/bin\/true"/ { program = $1 }
		program == $1 { next }
		/ = -1 / || /O_PATH/ { next }
		match($0, /AT_FDCWD, "[^"]*"/) { print substr($0, RSTART + 11, RLENGTH - 12) }' trace |
		sed -e "s|^$CORDON_ROOT|STATE|" -e 's|^/proc/[0-9][0-9]*/|/proc/PID/|' | sort -u
}

# FILE, for whom, and why.
needed() {
	cat <<-'END'
		/dev/null                                  both  takes the place of 0 and 1, which are the workload's
		/etc/subgid                                root  id blocks that are somebody else's
		/etc/subuid                                root  likewise
		/proc/PID/gid_map                          both  the sandbox's ids
		/proc/PID/oom_score_adj                    both  the sandbox goes first
		/proc/PID/setgroups                        user  user_namespaces(7): before the gid map
		/proc/PID/status                           both  reading back workload and init
		/proc/PID/uid_map                          both  the sandbox's ids
		/proc/self/gid_map                         root  whether a block of ids can be mapped
		/proc/self/uid_map                         both  whether a block of ids can be mapped
		/proc/sys/kernel/random/boot_id            both  whether the run root is of this boot
		/proc/sys/user/max_user_namespaces         both  whether there can be a sandbox
		STATE/run                                  both  the run's journal
		/run/cordon                                root  claims of id blocks
		/run/cordon/ids                            root  likewise
	END
}

@test "a launch opens these files and no others" {
	need strace
	local whom=user
	! is_root || whom=root
	"$CORDON" --root "$CORDON_ROOT" run -- true
	# Looked at where sandboxes have ever been kept: claims of id blocks, as /run/cordon/ids.
	opened | { ! is_root && cat || grep -vx /var/lib/cordon/ids; } >found
	diff <(needed | awk -v whom="$whom" '$2 == whom || $2 == "both" { print $1 }' | sort) found
}

@test "control: a file more is seen" {
	need strace
	echo 1 >file
	"$CORDON" --root "$CORDON_ROOT" run -- true
	printf 'cordon: 1\nextends: default\n' >p.yaml
	opened --profile ./p.yaml >found
	grep -x "/proc/self/fd/[0-9]*" found
}

@test "the program has no interpreter and needs no library" {
	local program
	run -0 readelf --wide --program-headers --dynamic "$CORDON"
	[[ "$output" != *INTERP* && "$output" != *NEEDED* ]]
	# The control: another program.
	program=$(readlink -f /usr/bin/env)
	run -0 readelf --wide --program-headers --dynamic "$program"
	[[ "$output" == *INTERP* && "$output" == *NEEDED* ]]
}
