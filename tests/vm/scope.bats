#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Where the caller has no group to divide, systemd is asked for one. A real manager of a user's
# services runs in a group of its own, as user@1000.service does; the machine's process 1 is none.

# bats file_tags=vm
load ../lib/cordon
load ../lib/attack

setup() {
	cordon_setup
	# cordon.bash reads it.
	# shellcheck disable=SC2034
	CORDON_ROOT=$BATS_TEST_TMPDIR.root
	[ "$(cat /proc/sys/kernel/hostname)" = vm ] || skip "not in a virtual machine of tests/vm/run"
	cd "$BATS_TEST_TMPDIR" || return
	chmod 0777 .
	managed=/sys/fs/cgroup/managed
	caller=$managed/app.slice/caller.scope
	runtime=/run/user/1000
	ordinary=(setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/home/user "XDG_RUNTIME_DIR=$runtime")
	manager=
	# By this a program knows that systemd runs.
	mkdir -p /run/systemd/system "$runtime"
	chown 1000:1000 "$runtime"
	chmod 0700 "$runtime"
	echo "+memory +pids" >/sys/fs/cgroup/cgroup.subtree_control
	mkdir -p "$caller" "$managed/init.scope"
	chown -R 1000 "$managed"
	# The user's shell, say: the caller is not alone in its scope.
	sleep 300 3>&- &
	echo $! >"$caller/cgroup.procs"
}

teardown() {
	# The manager, too: it would want units that are not here for an orderly end.
	echo 1 >"$managed/cgroup.kill"
	[ -z "$manager" ] || kill "$manager"
	rm -rf /run/systemd "$runtime"
	eventually remove_managed
	cordon_teardown
}

remove_managed() {
	find "$managed" -depth -type d -exec rmdir '{}' +
	[ ! -e "$managed" ]
}

# In a group, in place of the shell that it is called from.
in_group() { # GROUP COMMAND...
	sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$1" "${ordinary[@]}" "${@:2}"
}

user_cordon() { # ARG...
	in_group "$caller" "${program:-$CORDON}" --root /home/user/tmp/root "$@"
}

start_manager() {
	in_group "$managed" /usr/lib/systemd/systemd --user --unit=basic.target >manager 2>&1 3>&- &
	eventually test -S "$runtime/systemd/private" || { cat manager; return 1; }
}

has_scope() {
	scope=$(find "$managed" -name 'cordon-*.scope')
	group=$(find "$scope/cordon" -name 'cordon-*')
	[ -n "$group" ] && [ "$(wc -l <"$group/cgroup.procs")" -eq 2 ]
}

has_no_scope() {
	[ -z "$(find "$managed" -name 'cordon-*')" ]
}

# bats test_tags=root
@test "scope: systemd makes one where the caller has no group to divide, and it goes with the run" {
	local keeper
	# The control: nobody can be asked yet.
	says 125 "cordon: limits.memory: the group in which it would be made is systemd's to arrange*hint: *systemd-run --user --scope -p Delegate=yes cordon run*" \
		user_cordon run --set limits.memory=64MiB -- true
	says 0 "*MISS limits.memory *is systemd's to arrange*note for limits by control groups: *systemd-run*" user_cordon doctor
	start_manager
	says 0 "*ok   limits.memory *cgroup v2, groups are made in a scope for which systemd will be asked*ok   a real sandbox*" \
		user_cordon doctor
	says 0 "*  + scope  *systemd is asked for a group*" user_cordon explain --set limits.memory=64MiB -- true
	# It says so and does nothing.
	has_no_scope
	in_group "$caller" "$CORDON" --root /home/user/tmp/root run --set limits.memory=64MiB -- \
		sh -c 'cat /proc/self/cgroup; exec sleep 60' >out 2>&1 3>&- &
	keeper=$!
	eventually has_scope || { cat out manager; return 1; }
	[ "$(cat "$group/memory.max")" = 67108864 ]
	[ "$(cat "$scope"/cordon-*-keeper/cgroup.procs)" = "$(pgrep -x cordon)" ]
	eventually grep -x 0::/ out
	kill "$(pgrep -x cordon)"
	wait "$keeper" || true
	eventually has_no_scope
	# The control: a keeper that asked nobody is noticed.
	says 125 "cordon: step scope: cordon is in no scope of its own*" in_group "$caller" CORDON_FAULT=scope:skip "$FAULTY" \
		--root /home/user/tmp/root run --set limits.memory=64MiB -- true
	# Without the program that asks, or where others may write it.
	mkdir /home/user/bin
	cp "$CORDON" "$repo/build/release/cordon-scope" /home/user/bin
	chown -R 1000 /home/user/bin
	program=/home/user/bin/cordon
	gives 0 "" user_cordon run --set limits.memory=64MiB -- true
	chmod g+w /home/user/bin/cordon-scope
	says 125 "cordon: limits.memory: *systemd's to arrange*" user_cordon run --set limits.memory=64MiB -- true
	says 0 "*MISS limits.memory *cordon-scope, which asks for it, is not executed where it is: *" user_cordon doctor
	rm /home/user/bin/cordon-scope
	says 125 "cordon: limits.memory: *systemd's to arrange*hint: *cordon-scope, which asks for it, is neither beside cordon nor *" \
		user_cordon run --set limits.memory=64MiB -- true
	says 0 "*MISS limits.memory *cordon-scope, which asks for it, is neither beside cordon nor *" user_cordon doctor
	# What it prints is not believed.
	cp /usr/bin/echo /home/user/bin/cordon-scope
	chown 1000 /home/user/bin/cordon-scope
	says 125 "cordon: step scope: cordon-scope: not the path of cordon-*.scope: user $runtime cordon-*" \
		user_cordon run --set limits.memory=64MiB -- true
	rm -r /home/user/bin
	eventually has_no_scope
}

# bats test_tags=root
@test "scope: a manager that does not answer is not waited for; one of another user is not asked" {
	mkdir -p "$runtime/systemd"
	chown 1000:1000 "$runtime/systemd"
	in_group "$managed/init.scope" systemd-socket-activate -l "$runtime/systemd/private" sleep 60 >/dev/null 2>&1 3>&- &
	eventually test -S "$runtime/systemd/private"
	says 125 "cordon: step scope: systemd gives no scope: *" user_cordon run --set limits.memory=64MiB -- true
	echo 1 >"$managed/init.scope/cgroup.kill"
	rm "$runtime/systemd/private"
	# By root.
	systemd-socket-activate -l "$runtime/systemd/private" sleep 60 >/dev/null 2>&1 3>&- &
	manager=$!
	eventually test -S "$runtime/systemd/private"
	chmod 0777 "$runtime/systemd/private"
	says 125 "cordon: limits.memory: *systemd's to arrange*" user_cordon run --set limits.memory=64MiB -- true
}
