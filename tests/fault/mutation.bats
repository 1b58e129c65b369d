#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Each row of the two tables is left out. Either the launch is refused, because the row or the keeper
# reads back what should have been done, or the workload sees the difference, or the table below says
# why nobody can. A row that stands in no line of it fails the test.

load ../lib/cordon
load ../lib/fault
load ../lib/attack

setup() { fault_setup; }

# ROW, then for root and for a user: FLAGS and WHAT NOTICES IT, and why.
#
# Flags are the name of a configuration (configure). What notices:
#	refused		the launch ends with 125 to 127 and names a row; the program does not run
#	KEY		the line of tests/fault/probe.bash that changes
#	unseen		nothing can, for the reason given
#	-		never part of such a launch
#
# A dot is the reason where "refused" says it all: the row has a verify, or a later one needs it.
verdicts() {
	cat <<-'END'
		run_directory        plain   refused          plain   refused          .
		id_block             plain   refused          plain   -                .
		output_pipes         output  refused          output  refused          .
		stdio_pipes          plain   reopen           plain   -                the pipe belongs to the host's root then
		stdio_files          plain   refused          plain   -                .
		hard_limits          low     refused          low     -                the sandbox may not raise its limits itself
		session_keyring      plain   -                plain   refused          .
		sources              plain   refused          plain   -                .
		root_store           stored  refused          plain   -                as a user there is none
		placeholders         guarded refused          guarded refused          .
		cgroup               limited refused          limited refused          .
		scope                plain   -                plain   -                where systemd can be asked: tests/vm/scope.bats, system.bats
		cgroup_leaf          plain   -                plain   -                on v2, alone in a group: tests/vm/cgroup.bats
		named_volumes        plain   -                plain   -                where there is one: tests/storage/volume_run.bats
		filled_volumes       plain   -                plain   -                likewise
		network              plain   -                plain   -                where there is one: tests/network/rows.bats
		network_link         plain   -                plain   -                likewise
		egress_denials       plain   -                plain   -                where it has such rules: tests/network/egress_denials.bats
		traffic              plain   -                plain   -                where it has a rate: tests/network/traffic.bats
		network_shared       plain   -                plain   -                likewise
		name_files           plain   -                plain   -                likewise
		show_name_files      plain   -                plain   -                likewise
		relay                plain   -                plain   -                likewise
		resolver             plain   -                plain   -                likewise
		resolver_confined    plain   -                plain   -                likewise
		names                plain   -                plain   -                likewise
		cgroup_join          limited refused          limited refused          where a hierarchy of v1 has one of the controllers
		cgroup_member        limited unseen           limited unseen           a check, no protection: cgroup_join shows what it finds
		namespaces           plain   -                plain   -                of what is kept: tests/life/exec_kept.bats
		landlock_places      plain   -                plain   -                likewise
		undumpable           plain   -                plain   -                of what comes in later: likewise
		entered_death_signal plain   -                plain   -                likewise
		deny_setgroups       plain   -                plain   refused          .
		uid_map              plain   refused          plain   refused          .
		gid_map              plain   refused          plain   refused          .
		init_gone_ahead      plain   refused          plain   refused          init is slow then (fault_slow)
		monitor              tty     refused          tty     refused          .
		monitor              output  refused          output  refused          .
		notifier             denials refused          denials refused          .
		auditor              plain   -                plain   -                where something is recorded: tests/vm/audit.bats
		audit_subject        plain   -                plain   -                likewise
		read_back            plain   unseen           plain   unseen           a check, no protection: the test below shows what it finds
		keeper_privileges    plain   refused          plain   refused          .
		oom_score            plain   oom_score        plain   oom_score        .
		setup_ids            plain   refused          plain   -                .
		parent_death_signal  plain   refused          plain   refused          .
		session              plain   session          plain   session          the session leader is outside then, and shows as 0
		private_mounts       shared  refused          shared  refused          where the host shares its mounts
		open_sources         plain   -                plain   refused          .
		open_stdio_files     plain   -                plain   refused          .
		loopback             plain   loopback         plain   loopback         .
		hostname             plain   hostname         plain   hostname         .
		root                 plain   refused          plain   refused          .
		system               plain   refused          plain   refused          the program is not found
		etc                  plain   accounts         plain   accounts         .
		dev                  plain   refused          plain   refused          .
		terminal             tty     refused          tty     refused          .
		proc                 plain   refused          plain   refused          .
		forbid_userns        plain   refused          plain   refused          .
		kernel_quotas        plain   refused          plain   refused          .
		kernel_paths         plain   kernel_path      plain   kernel_path      .
		volumes              plain   refused          plain   refused          the row stores wants them
		stores               plain   refused          plain   refused          .
		protected_paths      guarded refused          guarded refused          .
		secrets              secret  refused          secret  refused          .
		seal                 plain   refused          plain   refused          .
		pivot                plain   refused          plain   refused          .
		old_root             plain   refused          plain   refused          .
		cgroup_namespace     plain   refused          plain   refused          .
		scheduling           plain   scheduling       plain   scheduling       the caller runs as SCHED_BATCH
		scheduling           plain   affinity         plain   affinity         ... on one processor
		scheduling           plain   personality      plain   personality      ... without random addresses
		scheduling           plain   umask            plain   umask            ... with another umask
		signals              plain   blocked_signals  plain   blocked_signals  the keeper blocks all
		signals              plain   ignored_signals  plain   ignored_signals  the caller ignores USR1
		process_group        plain   process_group    plain   process_group    .
		terminal_stdio       tty     refused          tty     refused          .
		terminal_foreground  tty     refused          tty     refused          .
		output_stdio         output  refused          output  refused          .
		rlimits              plain   refused          plain   refused          .
		nproc                plain   refused          plain   refused          .
		bounding_set         plain   refused          plain   refused          .
		identity             plain   refused          plain   unseen           as a user one id is mapped, and the setup process has it
		keyring              keys    key              keys    key              the caller has planted one
		capabilities         uid0    refused          plain   refused          where ids change, the kernel drops them with user 0
		no_new_privs         plain   refused          plain   refused          .
		working_dir          plain   directory        plain   directory        .
		program              plain   refused          plain   refused          .
		descriptors          plain   refused          plain   refused          .
		apparmor             plain   -                plain   -                where there is AppArmor: tests/vm/apparmor.bats
		landlock             lock    refused          lock    refused          .
		seccomp              plain   seccomp          plain   seccomp          .
		seccomp              denials refused          denials refused          there is no listener then
	END
}

# "ROW FLAGS WHAT" of the user that runs the test.
own_verdicts() {
	verdicts | awk -v user="$(id -u)" '{ print $1, user ? $4 : $2, user ? $5 : $3 }'
}

# Sets flags, input, and around, what the launch is run under.
configure() { # NAME
	around=(env)
	input=$BATS_TEST_TMPDIR/input
	flags=("${plain[@]}")
	case $1 in
	keys) flags=("${keys[@]}") ;;
	guarded) flags=("${guarded[@]}") ;;
	denials) flags=("${denials[@]}") ;;
	limited) flags=("${limited[@]}") ;;
	secret) flags=("${plain[@]}" --set "secrets=[$BATS_TEST_TMPDIR/input]") ;;
	lock) flags=("${plain[@]}" --set landlock=auto) ;;
	stored) flags=("${plain[@]}" --set rootfs.writable=image) ;;
	uid0) flags=("${plain[@]}" -u 0:0) ;;
	output) flags=("${plain[@]}" --set limits.output=1MiB) ;;
	low) around=(prlimit --nofile=512:512) ;;
	# Raw: what is printed arrives byte for byte.
	tty) around=("$ATTACK/terminal" -r) ;;
	# As root and as a user: a mount namespace whose mounts belong to a peer group.
	shared)
		around=(unshare --mount --propagation shared)
		# A file that was opened in another mount namespace would be refused for that.
		input=/dev/null
		[ "$(id -u)" -eq 0 ] || around=(unshare --map-current-user --mount --propagation shared)
		;;
	esac
}

# A launch from a caller with all that the rows must keep from the workload.
probe() ( # ROW
	umask 077
	trap '' USR1
	cd /
	exec 9</etc/hostname
	export CORDON_FAULT=$1:skip
	keyctl session - sh -c 'keyctl add user cordon-planted value @s >/dev/null && exec "$@"' sh \
		"${around[@]}" setarch -R chrt -b 0 taskset -c 0 "$CORDON" --root "$CORDON_ROOT" \
		run "${flags[@]}" -- /bin/bash -c "$(cat "$BATS_TEST_DIRNAME/probe.bash")" "$work" \
		2>&1 <"$input" | cat
	exit "${PIPESTATUS[0]}"
)

# The lines of the probe alone: keyctl and cordon have notes.
lines_of() { # TEXT
	grep -vE '^(Joined session keyring: |cordon: waived: )' <<<"$1"
}

# What a launch with all its rows shows, by configuration.
control() { # NAME
	local file=$BATS_TEST_TMPDIR/control.$1
	[ -e "$file" ] || lines_of "$(probe none)" >"$file"
	cat "$file"
}

wanted_here() { # ROW
	"${around[@]}" "$CORDON" --root "$CORDON_ROOT" explain "${flags[@]}" -- /bin/true <"$input" 2>&1 |
		grep "^  + $1 " >/dev/null
}

skipped_row_is() { # ROW FLAGS WHAT
	local row=$1 what=$3 out code=0 lines
	configure "$2"
	if [ "$what" = - ]; then
		! wanted_here "$row" || { echo "$row: is part of this launch"; return 1; }
		return 0
	fi
	# hard_limits wants a capability that some machines' root does not have.
	if ! wanted_here "$row" && [ "$row" = hard_limits ]; then
		echo "# $row: not here, root may not raise limits (tests/vm/vm.bats: there it may)" >&3
		return 0
	fi
	if [ "$row" = cgroup_join ] && groups_is_v2; then
		echo "# $row: not here, on v2 the child is made in its group" >&3
		return 0
	fi
	wanted_here "$row" || { echo "$row: is no part of this launch"; return 1; }
	out=$(probe "$row") || code=$?
	lines=$(lines_of "$out")
	# What is refused anyway proves nothing.
	[ "$(control "$2" | tail -n 1)" = end ] || { echo "$row: its control run: $(control "$2")"; return 1; }
	case $what in
	refused)
		[ "$code" -ge 125 ] && [ "$code" -le 127 ] && [[ "$lines" == "cordon: "* ]] &&
			[[ "$lines" != *$'\nend'* ]] && return 0
		;;
	unseen)
		[ "$lines" = "$(control "$2")" ] && return 0
		echo "$row: somebody sees it now: say so in the table"
		;;
	*)
		grep -q "^$what " <<<"$lines" && [ "$(tail -n 1 <<<"$lines")" = end ] &&
			[ "$(grep "^$what " <<<"$lines")" != "$(control "$2" | grep "^$what ")" ] && return 0
		;;
	esac
	printf '%s left out, wanted %s, exit code %s; against the control run:\n%s\n' "$row" "$what" \
		"$code" "$(diff <(control "$2") - <<<"$lines")"
	return 1
}

# A block that is never claimed leaves nothing to be found later either.
@test "each row that is left out is noticed" {
	local row flags_name what bad=0
	limit_groups
	while read -r row flags_name what; do
		skipped_row_is "$row" "$flags_name" "$what" || bad=1
		nothing_left || { echo "... after $row was left out"; bad=1; }
	done < <(own_verdicts)
	[ "$bad" -eq 0 ]
}

@test "each row of the tables has a line, and each line a row" {
	diff <(all_rows | sort) <(own_verdicts | awk '{ print $1 }' | sort -u)
}

@test "control: with all rows in place the probe sees what is promised" {
	local name
	limit_groups
	for name in plain keys guarded denials limited secret shared uid0 lock output tty; do
		configure "$name"
		diff - <(control "$name") <<-END
			accounts yes
			affinity $(awk '/^Cpus_allowed_list:/ { print $2 }' /proc/self/status)
			blocked_signals 0000000000000000
			descriptors none
			directory /tmp
			hostname sandbox
			ignored_signals 0000000000000000
			kernel_path no
			key no
			loopback yes
			oom_score 500
			personality 00000000
			process_group own
			propagation no
			reopen yes
			scheduling SCHED_OTHER
			seccomp 2
			session 1
			umask 0022
			volume yes
			end
		END
	done
}

@test "the keeper's reading back names what is missing" {
	local row
	configure plain
	for row in bounding_set cgroup_namespace; do
		run probe "$row"
		[ "$status" -eq 125 ]
		[[ "$output" == *"step read_back: "* ]]
	done
}
