#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a program finds around it: environment, limits, scheduling, host name. Nothing of the caller's
# that the policy does not name.

load ../lib/cordon
load ../lib/attack

@test "environment: what the policy names and nothing else" {
	SECRET=x LD_PRELOAD='' TERM=vt100 run -0 cordon run -- env
	[ "$(sort <<<"$output")" = $'HOME=/tmp\nLANG=C.UTF-8\nPATH=/usr/local/bin:/usr/bin:/bin\nTERM=vt100' ]
}

@test "environment: -e sets a variable, passes the caller's, and says nothing where it has none" {
	SECRET=x gives 0 "x" inside 'echo "$SECRET"' -e SECRET
	gives 0 "a=b c" inside 'echo "$NEW"' -e 'NEW=a=b c'
	gives 0 "unset" inside 'echo "${ABSENT-unset}"' -e ABSENT
	gives 0 "" inside 'echo "$EMPTY"' -e EMPTY=
}

@test "umask is 022, also where the caller has another" {
	(umask 077 && gives 0 0022 inside umask)
	(umask 0 && gives 0 0022 inside umask)
	# Without the row it is what the tree was made with.
	gives 0 0000 without scheduling inside umask
}

@test "scheduling: policy, affinity, personality and timer slack are reset; nice stays raised" {
	local script='nice; taskset -cp $$ | sed "s/.*: //"; cat /proc/self/personality; chrt -p $$ | head -n 1 | sed "s/.*: //"; exit 0'
	need taskset chrt setarch
	local all
	all=$(taskset -cp $$ | sed 's/.*: //')
	gives 0 $'5\n'"$all"$'\n00000000\nSCHED_OTHER' \
		nice -n 5 taskset -c 0 setarch -R chrt -b 0 "$CORDON" --root "$CORDON_ROOT" run -- sh -c "$script"
	# Without the row the caller's show.
	CORDON_FAULT=scheduling:skip gives 0 $'5\n0\n00040000\nSCHED_BATCH' \
		nice -n 5 taskset -c 0 setarch -R chrt -b 0 "$FAULTY" --root "$CORDON_ROOT" run -- sh -c "$script"
}

# bats test_tags=root
@test "scheduling: a caller's negative nice value is taken back" {
	gives 0 0 nice -n -5 "$CORDON" --root "$CORDON_ROOT" run -- nice
}

@test "oom score: the sandbox goes first" {
	gives 0 500 cordon run -- cat /proc/self/oom_score_adj
	(echo 700 >/proc/self/oom_score_adj && gives 0 700 cordon run -- cat /proc/self/oom_score_adj)
	gives 0 "$(cat /proc/self/oom_score_adj)" without oom_score cordon run -- cat /proc/self/oom_score_adj
}

@test "limits: each is what explain says, soft and hard" {
	local key value name soft hard rest limits expected
	limits=$(cordon run -- cat /proc/self/limits)
	declare -A label=([nofile]="Max open files" [fsize]="Max file size" [core]="Max core file size"
		[stack]="Max stack size" [memlock]="Max locked memory" [msgqueue]="Max msgqueue size"
		[sigpending]="Max pending signals" [rtprio]="Max realtime priority")
	run -0 cordon explain -- true
	[ "$(grep -c "^  limits.ulimits" <<<"$output")" -eq 8 ]
	while read -r key value rest; do
		name=${key#limits.ulimits.}
		[[ $key != limits.ulimits.* ]] || {
			expected=$(numfmt --from=auto "${value%B}")
			# explain says so: with 0 a core handler behind a pipe would be started.
			[ "$name" != core ] || expected=1
			read -r soft hard _ <<<"$(grep "^${label[$name]} " <<<"$limits" | sed "s/^${label[$name]}//")"
			[ "$soft" = "$expected" ] && [ "$hard" = "$expected" ] || {
				echo "$name: $soft $hard, explain says $value"
				return 1
			}
		}
	done <<<"$output"
}

# bats test_tags=vm
@test "limits: --set changes them, unlimited is possible, and more than the hard limit is refused" {
	gives 0 64 inside 'ulimit -n' --set limits.ulimits.nofile=64
	gives 0 unlimited inside 'ulimit -t' --set limits.ulimits.cpu=unlimited
	local bounded=()
	! is_root || bounded=(setpriv --bounding-set -sys_resource)
	(
		ulimit -n 512
		says 125 "cordon: limits.ulimits.nofile: this process may not have more than 512 (asked for by profile base:*" \
			"${bounded[@]}" "$CORDON" --root "$CORDON_ROOT" run -- true
	)
	# The kernel enforces them: 64 KiB of file, then SIGXFSZ, and that is a limit's end.
	says 137 "cordon: ended by limits.ulimits.fsize: 64 KiB (command line)" cordon run --set limits.ulimits.fsize=64KiB -- \
		dd if=/dev/zero of=/tmp/file bs=65537 count=1 status=none
	gives 0 "" cordon run --set limits.ulimits.fsize=64KiB -- \
		dd if=/dev/zero of=/tmp/file bs=65536 count=1 status=none
}

@test "host name: the policy's, never the host's; no NIS domain" {
	gives 0 $'sandbox\n(none)' inside 'cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname'
	gives 0 "box-1.example" inside 'uname -n' --hostname box-1.example
	says 125 "*command line*process.hostname cannot be '-x'*" inside true --hostname=-x
	gives 0 "$(uname -n)" without hostname inside 'uname -n'
}

@test "time: the clocks are the host's in a namespace of its own" {
	local up=$SECONDS
	read -r up _ </proc/uptime
	run -0 cordon run -- cat /proc/uptime
	[ "${output%%.*}" -ge "${up%%.*}" ] && [ "${output%%.*}" -le $((${up%%.*} + 60)) ]
}
