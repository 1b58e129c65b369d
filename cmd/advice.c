/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See advice.h. The program is known by its name alone, as the caller wrote it: what a script or a
 * build starts inside is not seen here. Nothing is decided by this table; it only explains.
 */
#include "cmd/advice.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"

struct advice {
	const char *names;   /* between spaces */
	const char *call;    /* the row is silent where the policy allows it; NULL: no such call */
	const char *without; /* the row is silent where the program has this argument; NULL: none */
	bool always;         /* also where the program ended with 0 */
	const char *text;    /* NULL: the sentence about `call` */
};

static const struct advice rows[] = {
	/* gdb ends with 0 also where it could trace nothing, unless it is run with -batch. */
	{" gdb gdb-multiarch gdbserver lldb lldb-server rr ", "ptrace", "--version", true, NULL},
	{" strace ltrace ", "ptrace", NULL, false, NULL},
	{" perf ", "perf_event_open", NULL, false, NULL},
	/* It gives up capabilities, which it has not, and ends without a word where it cannot. */
	{" ip ", "capset", NULL, false, NULL},
	{" ping ping4 ping6 fping arping traceroute mtr tcpdump ", NULL, NULL, false,
	 "there is no network inside but the sandbox's own loopback, and neither raw nor ICMP "
	 "sockets: to see whether a service of the sandbox answers, connect to its port"},
	{" curl wget ssh scp sftp apt apt-get ", NULL, NULL, false,
	 "there is no network inside but the sandbox's own loopback (network.mode: none): fetch "
	 "before, and show the result with --ro"},
	{" chrome chromium chromium-browser chromium-shell chrome-headless-shell google-chrome "
	 "headless_shell electron ",
	 NULL, "--no-sandbox", false,
	 "a browser's own sandbox makes user namespaces, which are denied inside: start it with "
	 "--no-sandbox --no-zygote; cordon is its sandbox then"},
	/* The zygote gives up capabilities, which it has not, and ends where capset fails. */
	{" chrome chromium chromium-browser chromium-shell chrome-headless-shell google-chrome "
	 "headless_shell electron ",
	 "capset", "--no-zygote", false,
	 "the zygote of a browser ends where capset is denied: start it with --no-sandbox "
	 "--no-zygote"},
	{" firefox firefox-esr ", NULL, NULL, false,
	 "a browser's own sandbox makes user namespaces, which are denied inside: start it with "
	 "-e MOZ_DISABLE_CONTENT_SANDBOX=1; cordon is its sandbox then"},
	{" bwrap firejail nsjail minijail0 unshare nsenter runc crun podman buildah flatpak "
	 "systemd-nspawn cordon ",
	 NULL, NULL, false,
	 "a sandbox inside this one would need namespaces of its own, which are denied inside: "
	 "start it beside this one, not in it"},
	{" docker nerdctl ctr ", NULL, NULL, false,
	 "its daemon is not reachable from inside, and showing the daemon's socket would give away "
	 "the host"},
	{" sudo su doas pkexec newgrp passwd chsh chfn ", NULL, NULL, false,
	 "setuid programs gain nothing inside (no_new_privs); to be user 0 of the sandbox, which "
	 "is nobody on the host: -u 0:0"},
	{" mount umount fusermount fusermount3 losetup ", NULL, NULL, false,
	 "nothing can be mounted from inside: name it in the policy (volumes), or use --ro and "
	 "--rw"},
	{" systemctl service journalctl loginctl ", NULL, NULL, false,
	 "the host's service manager is not reachable from inside"},
};

static bool is_allowed(const struct sandbox_spec *spec, const char *call)
{
	const struct spec_seccomp *s = &spec->seccomp;

	for (size_t i = 0; i < s->n_calls; i++)
		if (str_equal(s->calls[i].name, call))
			return s->calls[i].otherwise.kind == ACT_ALLOW;
	return s->default_action.kind == ACT_ALLOW;
}

/* Said of a sandbox without one alone. */
static bool is_of_no_network(const char *text)
{
	return text != NULL && str_has_prefix(text, "there is no network inside");
}

static bool has_argument(const char *const *argv, const char *word)
{
	for (; word != NULL && *argv != NULL; argv++)
		if (str_equal(*argv, word))
			return true;
	return false;
}

/* The name without its directory and without a version: lldb-14 is lldb. */
static void name_of(const char *program, char *buf, size_t size)
{
	const char *slash = strrchr(program, '/');
	const char *name = slash != NULL ? slash + 1 : program;
	const char *dash = strrchr(name, '-');
	size_t len = strlen(name);

	if (dash != NULL && isdigit((unsigned char)dash[1]) &&
	    dash[1 + strspn(dash + 1, "0123456789.")] == '\0')
		len = (size_t)(dash - name);
	str_format(buf, size, " %.*s ", (int)len, name);
}

static bool has_network(const struct sandbox_spec *spec)
{
	return spec->network.n_endpoints > 0 || spec->network.kind != NETWORK_OF_ITS_OWN;
}

bool advice_text(const struct sandbox_spec *spec, const char *const *argv, bool failed, char *buf,
		 size_t size)
{
	char name[64];

	if (argv[0] == NULL || strlen(argv[0]) > 4096)
		return false;
	name_of(argv[0], name, sizeof(name));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct advice *row = &rows[i];

		if (strstr(row->names, name) == NULL ||
		    (is_of_no_network(row->text) && has_network(spec)) ||
		    (!failed && !row->always) || has_argument(argv, row->without) ||
		    (row->call != NULL && is_allowed(spec, row->call)))
			continue;
		if (row->text != NULL)
			str_format(buf, size, "%s", row->text);
		else
			str_format(buf, size,
				   "%s is denied by the policy; %.*s needs --waive "
				   "\"seccomp.call:%s=REASON\"",
				   row->call, (int)strlen(name) - 2, name + 1, row->call);
		return true;
	}
	return false;
}
