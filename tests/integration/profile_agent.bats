#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The profile agent: one project, in which .git, .envrc and .env are not the agent's.

load ../lib/cordon
load ../lib/attack

# A project of a user's; the test goes on inside it.
make_project() {
	mkdir "$BATS_TEST_TMPDIR/project"
	cd "$BATS_TEST_TMPDIR/project" || return
	export HOME=$BATS_TEST_TMPDIR GIT_CONFIG_GLOBAL=/dev/null
	git init -q -b main .
	printf 'TOKEN=secret\n' >.env
	printf 'def double(x):\n    return 2 * x\n' >code.py
	cat >test_code.py <<-'END'
		import unittest, code
		class T(unittest.TestCase):
		    def test(self):
		        self.assertEqual(code.double(2), 4)
	END
	git add code.py test_code.py
	git -c user.name=u -c user.email=u@example.org commit -q -m first
	! is_root || chown -R 61235:61235 .
}

agent() { # COMMAND...
	cordon run --profile agent -- "$@"
}

@test "agent: git reads, and reports what was changed" {
	need git
	make_project
	gives 0 " M code.py" agent sh -c 'echo "# more" >>code.py; git status --short --untracked-files=no'
	says 0 "*+# more*" agent git diff
	says 0 "* first" agent git log --oneline
}

@test "agent: the project's tests run, and what they find out can be mended" {
	need python3
	make_project
	says 0 "*OK" agent python3 -m unittest -q
	agent sed -i 's/2 \*/30 */' code.py
	says 1 "*AssertionError: 60 != 4*" agent python3 -m unittest -q
}

@test "agent: a compiler's output runs, in the project and in /tmp" {
	make_project
	printf 'int main(void) { return 7; }\n' >a.c
	gives 7 "" agent sh -c 'gcc -o a a.c && ./a'
	gives 7 "" agent sh -c 'gcc -o /tmp/a a.c && /tmp/a'
}

@test "agent: hooks, git's configuration and .envrc cannot be changed or made" {
	make_project
	gives 42 EROFS agent "$ATTACK/call" open text:.git/hooks/pre-commit 0101 0755
	gives 42 EROFS agent "$ATTACK/call" open text:.git/config 01 0
	gives 42 EBUSY agent "$ATTACK/call" rename text:.git text:old
	gives 42 EEXIST agent "$ATTACK/call" open text:.envrc 0301 0644
	says 128 "*Read-only file system*" agent git -c user.name=u -c user.email=u@example.org commit -q --allow-empty -m x
	[ ! -e .envrc ]
	# The control: what stands beside them can be.
	gives 0 ok agent "$ATTACK/call" mkdir text:.github 0755
}

@test "agent: .env is not shown, nor the caller's variables" {
	make_project
	export TOKEN=secret
	run -2 agent grep -r secret .
	[[ "$output" != *secret* ]]
	gives 0 "" agent sh -c 'env | grep -i -e token -e secret; true'
	# The control: build shows both file and tree.
	says 0 "*TOKEN=secret*" cordon run --profile build -- cat .env
}

@test "agent: no network, and nothing beside the project" {
	make_project
	echo x >../beside
	gives 42 ENOENT agent "$ATTACK/call" open text:../beside 0 0
	denied inet ENETUNREACH\|ECONNREFUSED --profile agent
}
