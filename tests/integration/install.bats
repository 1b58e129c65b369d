#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# `make install`: what lands where, and that nothing of it gives a privilege to anybody.

load ../lib/cordon

install_to() {
	make -C "$repo" --no-print-directory install DESTDIR="$1" "${@:2}"
}

# Prints every file below DIR that is setuid, setgid or carries capabilities.
privileged_files() { # DIR
	find "$1" -type f -perm /6000
	# getcap says nothing of files without capabilities.
	getcap -r "$1"
}

@test "install: the program lands below DESTDIR and the prefix, and runs from there" {
	install_to "$BATS_TEST_TMPDIR/dest" PREFIX=/opt/cordon
	[ -x "$BATS_TEST_TMPDIR/dest/opt/cordon/bin/cordon" ]
	run "$BATS_TEST_TMPDIR/dest/opt/cordon/bin/cordon" --version
	[ "$status" -eq 0 ]
	[[ "$output" == cordon\ * ]]
	for file in man/man1/cordon.1 man/man5/cordon-profile.5 bash-completion/completions/cordon \
		cordon/profile.schema.json; do
		[ -s "$BATS_TEST_TMPDIR/dest/opt/cordon/share/$file" ]
	done
}

@test "install: the program that asks systemd lies where cordon looks for it" {
	local prefix=$BATS_TEST_TMPDIR/usr
	install_to "" "PREFIX=$prefix"
	[ -x "$prefix/libexec/cordon/cordon-scope" ]
	[ -x "$prefix/libexec/cordon/cordon-image" ]
	run "$prefix/libexec/cordon/cordon-scope" user /nonexistent x.scope
	[ "$status" -eq 1 ]
	[ "$output" = "systemd cannot be reached: No such file or directory" ]
	# Nothing of systemd's is loaded into cordon itself.
	run ldd "$prefix/bin/cordon"
	[[ "$output" != *libsystemd* ]]
	run ldd "$prefix/libexec/cordon/cordon-scope"
	[[ "$output" == *libsystemd* ]]
}

@test "install: the units of systemd are in order, start what is there, and nothing enables them" {
	need systemd-analyze
	local prefix=$BATS_TEST_TMPDIR/usr dir
	install_to "" "PREFIX=$prefix"
	for dir in system user; do
		grep -q "^ExecStart=$prefix/bin/cordon start --all$" "$prefix/lib/systemd/$dir/cordon.service"
		grep -q "^ExecStop=$prefix/bin/cordon stop --all$" "$prefix/lib/systemd/$dir/cordon.service"
		run env "XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR" systemd-analyze "--$dir" --man=no verify "$prefix/lib/systemd/$dir/cordon.service"
		[ "$status" -eq 0 ]
		[[ "$output" != *cordon.service* ]]
		# The check notices a unit that is wrong.
		sed 's|^ExecStart=.*|ExecStart=/no/such/cordon start --all|' "$prefix/lib/systemd/$dir/cordon.service" \
			>"$BATS_TEST_TMPDIR/wrong.service"
		run env "XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR" systemd-analyze "--$dir" --man=no verify "$BATS_TEST_TMPDIR/wrong.service"
		[[ "$output" == *"/no/such/cordon is not executable"* ]]
	done
	[ -z "$(find "$prefix" -name '*.wants')" ]
}

@test "uninstall: removes what install brought, and nothing of anybody else's" {
	local prefix=$BATS_TEST_TMPDIR/usr
	install_to "" "PREFIX=$prefix"
	[ "$(find "$prefix" -type f | wc -l)" -ge 9 ]
	touch "$prefix/bin/other" "$prefix/share/cordon/mine"
	make -C "$repo" --no-print-directory uninstall "PREFIX=$prefix"
	[ "$(cd "$prefix" && find . -type f | sort)" = $'./bin/other\n./share/cordon/mine' ]
	[ ! -e "$prefix/libexec/cordon" ]
	[ ! -e "$prefix/share/cordon/apparmor" ]
	# Again, where there is nothing; and with a DESTDIR.
	rm "$prefix/share/cordon/mine"
	make -C "$repo" --no-print-directory uninstall "PREFIX=$prefix"
	[ ! -e "$prefix/share/cordon" ]
	install_to "$BATS_TEST_TMPDIR/dest" PREFIX=/opt/cordon
	make -C "$repo" --no-print-directory uninstall "DESTDIR=$BATS_TEST_TMPDIR/dest" PREFIX=/opt/cordon
	[ -z "$(find "$BATS_TEST_TMPDIR/dest" -type f)" ]
}

@test "install: AppArmor profiles lie where nothing loads them by itself" {
	install_to "$BATS_TEST_TMPDIR/dest" PREFIX=/usr
	diff -r "$repo/profiles/apparmor" "$BATS_TEST_TMPDIR/dest/usr/share/cordon/apparmor"
	[ ! -e "$BATS_TEST_TMPDIR/dest/etc" ]
}

@test "install: nothing is setuid, setgid or carries file capabilities" {
	need getcap
	install_to "$BATS_TEST_TMPDIR/dest"
	[ -n "$(find "$BATS_TEST_TMPDIR/dest" -type f)" ]
	run privileged_files "$BATS_TEST_TMPDIR/dest"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "install: nothing can be written by others" {
	install_to "$BATS_TEST_TMPDIR/dest"
	[ -z "$(find "$BATS_TEST_TMPDIR/dest" ! -type l -perm /022 -print)" ]
}

@test "control: the check notices a setuid file and a setgid file" {
	need getcap
	mkdir "$BATS_TEST_TMPDIR/dest"
	install -m 4755 /bin/true "$BATS_TEST_TMPDIR/dest/one"
	install -m 2755 /bin/true "$BATS_TEST_TMPDIR/dest/two"
	run privileged_files "$BATS_TEST_TMPDIR/dest"
	[ "${#lines[@]}" -eq 2 ]
}

# bats test_tags=root
@test "control: the check notices a file with capabilities" {
	need getcap setcap
	mkdir "$BATS_TEST_TMPDIR/dest"
	install -m 0755 /bin/true "$BATS_TEST_TMPDIR/dest/one"
	setcap cap_net_raw+ep "$BATS_TEST_TMPDIR/dest/one"
	run privileged_files "$BATS_TEST_TMPDIR/dest"
	[[ "$output" == *one\ cap_net_raw* ]]
}
