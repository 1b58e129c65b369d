/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon doctor`: what this host can enforce, and how to fix what it cannot. Ends with a real
 * sandbox. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/print.h"
#include "cmd/verdict.h"

enum { LEFT = 24, GROUP_FILE_MAX = 256 << 10 };

static void line(const char *what, bool ok, const char *text)
{
	print_out("  %s ", ok ? "ok  " : "MISS");
	print_padded(what, LEFT);
	print_out("%s\n", text);
}

/* Groups whose members are root by another name: a sandbox of such a user could open what the group
 * may. */
static void warn_of_groups(const struct host_facts *facts)
{
	static const char *const risky[] = {"docker", "disk", "adm",   "lxd",
					    "kvm",    "sudo", "shadow"};
	_cleanup_free_ char *text = malloc(GROUP_FILE_MAX);

	if (text == NULL || io_read_text(AT_FDCWD, "/etc/group", text, GROUP_FILE_MAX) < 0)
		return;
	for (char *entry = strtok(text, "\n"); entry != NULL; entry = strtok(NULL, "\n")) {
		char *name_end = strchr(entry, ':');
		char *id = name_end != NULL ? strchr(name_end + 1, ':') : NULL;
		uint64_t gid = 0;

		if (id == NULL)
			continue;
		*name_end = '\0';
		for (id++; *id >= '0' && *id <= '9' && gid < UINT32_MAX; id++)
			gid = gid * 10 + (uint64_t)(*id - '0');
		for (size_t i = 0; i < sizeof(risky) / sizeof(risky[0]); i++)
			for (size_t g = 0; str_equal(entry, risky[i]) && g < facts->n_groups; g++)
				if (facts->groups[g] == gid)
					print_out("  note a sandbox of yours keeps your group %s: "
						  "it cannot be "
						  "dropped without root, and files of that group "
						  "stay readable "
						  "where they are shown\n",
						  entry);
	}
}

static void print_landlock(void)
{
	int abi = facts_landlock_abi();
	char text[128];

	if (abi == -ENOSYS)
		str_format(text, sizeof(text), "not in this kernel (CONFIG_SECURITY_LANDLOCK)");
	else if (abi < 0)
		str_format(text, sizeof(text), "off: add landlock to the kernel's parameter lsm=");
	else
		str_format(text, sizeof(text), "version %d%s", abi,
			   abi < LANDLOCK_ABI_SCOPES ? ": landlock: auto wants 6, of Linux 6.12"
						     : "");
	line("Landlock", abi >= LANDLOCK_ABI_SCOPES, text);
}

static void print_facts(const struct decision *d)
{
	const struct host_facts *f = &d->facts;
	char text[128];

	str_format(text, sizeof(text), "%u.%u", f->kernel_major, f->kernel_minor);
	line("kernel", f->kernel_major > 6 || (f->kernel_major == 6 && f->kernel_minor >= 1), text);
	line("user namespaces", f->userns == USERNS_OK,
	     f->userns == USERNS_OK ? "may be made" : "may not be made, see below");
	line("seccomp filters", f->seccomp_filter, "system call lists");
	line("overlayfs", facts_has_overlay(), "rootfs.from: dir:PATH");
	if (facts_can_map_block(f))
		line("host ids", true, "a block of 65,536 ids for each sandbox");
	else
		line("host ids", f->host_euid != 0,
		     "the caller's one id (a block each takes root)");
	line("raised hard limits", true,
	     facts_can_raise_limits(f) ? "possible"
				       : "not possible (no CAP_SYS_RESOURCE): the caller's bound");
	print_landlock();
	print_out("  --   not in this build: cgroup limits, AppArmor, networks, images\n");
	if (facts_can_map_block(f)) {
		char subuid[4096];

		if (io_read_text(AT_FDCWD, "/etc/subuid", subuid, sizeof(subuid)) < 0 ||
		    strstr(subuid, "cordon:") == NULL)
			print_out("  note to reserve ids for sandboxes, so that no account ever "
				  "gets them, add "
				  "to /etc/subuid and to /etc/subgid: cordon:%d:%d\n",
				  IDENTITY_FIRST, IDENTITY_BLOCK * 1024);
	} else {
		warn_of_groups(f);
	}
}

/* The proof: one real sandbox under the default profile, in a child, for cordon_run takes its
 * process over. */
static bool try_one(const struct decision *decision)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		struct run_options options = {.started = NULL};
		struct run_result result;
		struct err err = {0};

		if (cordon_run(decision, &options, &result, &err) < 0) {
			print_err(&err);
			_exit(EXIT_CORDON);
		}
		_exit(result_exit_code(&result));
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

int cmd_doctor(const struct cmd_context *context, int argc, char **argv)
{
	_cleanup_verdict_ struct verdict *verdict = NULL;
	static const char *const program[] = {"true", NULL};
	bool works;
	int r;

	if (argc > 1) {
		print_note("doctor takes no arguments, but was given %s", argv[1]);
		return EXIT_CORDON;
	}
	verdict = verdict_new();
	if (verdict == NULL)
		return EXIT_CORDON;
	r = verdict_decide(verdict, context, &(struct policy_request){.argv = program});
	print_out("this host\n");
	print_facts(&verdict->decision);
	if (r < 0) {
		print_out("\nwhat stands in the way\n");
		verdict_print_refusal(verdict);
		return EXIT_CORDON;
	}
	works = try_one(&verdict->decision);
	print_out("\n");
	line("a real sandbox", works, works ? "made, used and gone again" : "failed, see above");
	return works ? 0 : EXIT_CORDON;
}
