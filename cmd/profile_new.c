/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon profile new NAME`: ./NAME.yaml, with comments, to start from. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "cmd/cmd.h"
#include "cmd/print.h"

enum { NAME_MAX_BYTES = 64, TEXT_MAX = 8192 };

/* A line of `#key: value`, without a space, is one that holds once its '#' is gone: a test takes
 * all of them away and checks the rest. */
static const char template[] =
	"# %s: say here what it is for.\n"
	"#\n"
	"# Try it:    cordon run --profile ./%s.yaml -- CMD\n"
	"# Check it:  cordon profile check %s.yaml\n"
	"# All keys:  cordon profile keys, or cordon-profile(5)\n"
	"#\n"
	"# What stands here is put over the parent. Maps merge by key, a list replaces the "
	"parent's, and\n"
	"# +volumes: adds to it. Take the # away where you want a line to hold.\n"
	"cordon: 1\n"
	"description: What %s is for, in one line.\n"
	"extends: default                  # host's programs, no network, a private /tmp\n"
	"\n"
	"#process:\n"
	"#  hostname: box\n"
	"#  working_dir: /tmp\n"
	"#  environment: {LANG: C.UTF-8, EDITOR: }   # no value: the caller's is passed\n"
	"\n"
	"# What the program finds beside the host's programs. Sources are relative to this file.\n"
	"#+volumes:\n"
	"#  - {type: tmpfs, target: /scratch, size: 16MiB, inodes: 1024, options: [noexec]}\n"
	"#  - {source: ./input, target: /input}                       # read-only unless said "
	"otherwise\n"
	"#  - {source: ./output, target: /output, read_only: false}\n"
	"\n"
	"# Shown from memory, to the program's user alone, as /run/secrets/api.key.\n"
	"#secrets: [./api.key]\n"
	"\n"
	"# A child's deny is added to its parent's; making a protection weaker takes a waiver with "
	"its\n"
	"# reason, which every run prints.\n"
	"#seccomp:\n"
	"#  deny:\n"
	"#    - personality\n"
	"#    - {call: socket, args: {0: {in: [AF_INET, AF_INET6]}}, action: errno(EAFNOSUPPORT)}\n"
	"#waive: {\"seccomp.call:ptrace\": a debugger runs inside}\n"
	"\n"
	"#limits:\n"
	"#  nproc: 16                       # processes of this sandbox alone\n"
	"#  wall_time: 10s                  # then everything inside is ended\n"
	"#  output: 16MiB                   # stdout and stderr together\n"
	"#  pids: 64                        # processes and threads in all\n"
	"#  ulimits: {nofile: 64, fsize: 16MiB}\n"
	"#\n"
	"# By control groups (cordon doctor): required below limits, wished for here.\n"
	"#when_possible:\n"
	"#  limits: {memory: 512MiB, cpus: 1.5, cpu_time: 1m}\n";

static bool is_name(const char *text)
{
	size_t len = strlen(text);
	size_t good = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "-_.");

	return len > 0 && len <= NAME_MAX_BYTES && good == len && text[0] != '-' && text[0] != '.';
}

static bool is_shipped(const char *name)
{
	for (size_t i = 0; i < policy_n_shipped_profiles; i++)
		if (str_equal(policy_shipped_profiles[i].name, name))
			return true;
	return false;
}

/* Never through a link, never over a file; not writable for others, which a profile may not be. */
static int write_new(const char *path, const char *text, size_t len)
{
	_cleanup_fd_ int fd =
		sys_openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			   0644);
	int r;

	if (fd < 0)
		return fd;
	r = io_write_all(fd, text, len);
	if (r < 0)
		ignore_result(unlink(path), "the first error is the one that counts");
	return r;
}

static int write_profile(const char *name)
{
	char path[NAME_MAX_BYTES + sizeof("./.yaml")];
	char text[TEXT_MAX];
	size_t len = str_format(text, sizeof(text), template, name, name, name, name);
	int r;

	str_format(path, sizeof(path), "./%s.yaml", name);
	r = write_new(path, text, len);
	if (r == -EEXIST) {
		print_note("%s: exists, and is left alone", path);
		return EXIT_CORDON;
	}
	if (r < 0) {
		print_note("%s: %s", path, strerror(-r));
		return EXIT_CORDON;
	}
	print_out("%s\n", path);
	return 0;
}

int cmd_profile_new(const struct cmd_context *context, int argc, char **argv)
{
	bool is_json;
	int exit_code;
	int n = command_words("profile new", argv + 1, &is_json, &exit_code);

	(void)context;
	(void)argc;
	if (n < 0)
		return exit_code;
	if (n != 1) {
		print_note("usage: cordon profile new NAME");
		return EXIT_CORDON;
	}
	if (!is_name(argv[1])) {
		print_note("'%s' is no name for a profile", argv[1]);
		print_note("  hint: Letters, digits, '-', '_' and '.', and a letter or digit "
			   "first. The "
			   "file is made here: ./NAME.yaml.");
		return EXIT_CORDON;
	}
	if (is_shipped(argv[1])) {
		print_note("%s is the name of a shipped profile", argv[1]);
		print_note("  hint: Take another one, and write `extends: %s` in it.", argv[1]);
		return EXIT_CORDON;
	}
	return write_profile(argv[1]);
}
