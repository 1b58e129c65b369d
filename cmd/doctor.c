/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon doctor`: what this host can enforce, and how to fix what it cannot. Ends with a real
 * sandbox. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/doctor.h"
#include "cmd/document.h"
#include "cmd/print.h"
#include "cmd/table.h"
#include "cmd/verdict.h"

enum { GROUP_FILE_MAX = 256 << 10, NAME_AT = 7, TEXT_AT = 31 };

void doctor_say(struct checkup *checkup, enum check_kind kind, const char *name, const char *fmt,
		...)
{
	struct check *check = &checkup->list[checkup->n];
	va_list ap;

	if (checkup->n == CHECKS_MAX)
		return;
	checkup->n++;
	check->kind = kind;
	check->name = name;
	va_start(ap, fmt);
	str_vformat(check->text, sizeof(check->text), fmt, ap);
	va_end(ap);
}

void doctor_command(struct checkup *checkup, const char *command)
{
	struct check *last = &checkup->list[checkup->n - 1];

	str_format(last->command, sizeof(last->command), "%s", command);
}

static void line(struct checkup *checkup, const char *name, bool ok, const char *text)
{
	doctor_say(checkup, ok ? CHECK_OK : CHECK_MISS, name, "%s", text);
}

/* Groups whose members are root by another name: a sandbox of such a user could open what the group
 * may. */
static void warn_of_groups(struct checkup *checkup, const struct host_facts *facts)
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
					doctor_say(checkup, CHECK_NOTE, NULL,
						   "a sandbox of yours keeps your group %s: it "
						   "cannot be "
						   "dropped without root, and files of that group "
						   "stay "
						   "readable where they are shown",
						   entry);
	}
}

static void check_landlock(struct checkup *checkup)
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
	line(checkup, "Landlock", abi >= LANDLOCK_ABI_SCOPES, text);
}

/* Where `make install` has put the profiles, seen from the program; else where the source has them.
 */
static void profile_path(const char *name, char *ret, size_t size)
{
	char dir[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	char *slash;

	dir[n > 0 ? n : 0] = '\0';
	for (int i = 0; i < 2 && (slash = strrchr(dir, '/')) != NULL; i++)
		*slash = '\0';
	str_format(ret, size, "%s/share/cordon/apparmor/%s", dir, name);
	if (access(ret, R_OK) != 0)
		str_format(ret, size, "profiles/apparmor/%s", name);
}

static void check_apparmor(struct checkup *checkup)
{
	struct host_facts facts = {.apparmor = false};
	char path[PATH_MAX];

	apparmor_probe(APPARMOR_OWN_PROFILE, &facts);
	if (!facts.apparmor) {
		doctor_say(checkup, CHECK_NOT_HERE, NULL,
			   "no AppArmor in this kernel: apparmor: auto asks for nothing");
		return;
	}
	if (facts.apparmor_profile == APPARMOR_LOADED) {
		line(checkup, "AppArmor", true, "the profile " APPARMOR_OWN_PROFILE " is loaded");
		return;
	}
	if (facts.apparmor_profile == APPARMOR_FORBIDDEN) {
		line(checkup, "AppArmor", false,
		     "the profile that cordon is under does not let it use another");
		return;
	}
	profile_path(APPARMOR_OWN_PROFILE, path, sizeof(path));
	doctor_say(checkup, CHECK_MISS, "AppArmor",
		   "for apparmor: auto, as root: install -m 0644 %s /etc/apparmor.d/ && "
		   "apparmor_parser -r /etc/apparmor.d/" APPARMOR_OWN_PROFILE,
		   path);
}

/* What lets an ordinary user make user namespaces where AppArmor keeps them from programs without a
 * profile. */
static void note_userns_profile(struct checkup *checkup, const struct host_facts *facts)
{
	char path[PATH_MAX];

	if (facts->userns != USERNS_APPARMOR && facts->userns != USERNS_APPARMOR_PROFILE)
		return;
	profile_path("cordon", path, sizeof(path));
	doctor_say(checkup, CHECK_NOTE, NULL,
		   "to let cordon alone make user namespaces, as root: install -m 0644 %s "
		   "/etc/apparmor.d/ && apparmor_parser -r /etc/apparmor.d/cordon",
		   path);
}

static void check_writable(struct checkup *checkup, const struct decision *d)
{
	char why[256] = "";

	upper_probe_image(d, why, sizeof(why));
	line(checkup, "writable root on disk", why[0] == '\0' || !facts_can_map_block(&d->facts),
	     why[0] == '\0' ? "an ext4 of limited size (rootfs.writable.store: image)" : why);
}

static void check_rates(struct checkup *checkup, const struct host_facts *facts)
{
	struct err err;
	int r;

	/* Networks take root. */
	if (facts->host_euid != 0 || !facts_has_cap(facts, CAP_NET_ADMIN) ||
	    !facts_has_cap(facts, CAP_SYS_ADMIN))
		return;
	r = cordon_probe_traffic(&err);
	line(checkup, "rates", r == 0,
	     r == 0 ? "network.egress.rate, network.ingress.rate" : err.text);
}

static void check_facts(struct checkup *checkup, const struct decision *d,
			const struct run_request *request)
{
	const struct host_facts *f = &d->facts;
	char text[128];

	str_format(text, sizeof(text), "%u.%u", f->kernel_major, f->kernel_minor);
	line(checkup, "kernel",
	     f->kernel_major > 6 || (f->kernel_major == 6 && f->kernel_minor >= 1), text);
	line(checkup, "user namespaces", f->userns == USERNS_OK,
	     f->userns == USERNS_OK ? "may be made" : "may not be made, see below");
	note_userns_profile(checkup, f);
	line(checkup, "seccomp filters", f->seccomp_filter, "system call lists");
	line(checkup, "overlayfs", facts_has_overlay(), "rootfs.from: dir:PATH");
	if (!facts_has_tmpfs_attributes())
		doctor_say(checkup, CHECK_NOTE, NULL,
			   "in a writable root on tmpfs, directories of rootfs.from: dir:PATH "
			   "cannot be "
			   "removed or replaced: that takes Linux 6.6");
	check_writable(checkup, d);
	if (facts_can_map_block(f))
		line(checkup, "host ids", true, "a block of 65,536 ids for each sandbox");
	else
		line(checkup, "host ids", f->host_euid != 0,
		     "the caller's one id (a block each takes root)");
	line(checkup, "raised hard limits", true,
	     facts_can_raise_limits(f) ? "possible"
				       : "not possible (no CAP_SYS_RESOURCE): the caller's bound");
	check_landlock(checkup);
	check_apparmor(checkup);
	doctor_groups(checkup, f, request);
	check_rates(checkup, f);
	doctor_say(checkup, CHECK_NOT_HERE, NULL,
		   "not in this build: networks of an ordinary user, and drivers other "
		   "than bridge");
	if (facts_can_map_block(f)) {
		char subuid[4096];

		if (io_read_text(AT_FDCWD, "/etc/subuid", subuid, sizeof(subuid)) < 0 ||
		    strstr(subuid, "cordon:") == NULL)
			doctor_say(checkup, CHECK_NOTE, NULL,
				   "to reserve ids for sandboxes, so that no account ever gets "
				   "them, add "
				   "to /etc/subuid and to /etc/subgid: cordon:%d:%d",
				   IDENTITY_FIRST, IDENTITY_BLOCK * 1024);
	} else {
		warn_of_groups(checkup, f);
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

static void print_check(const struct check *check)
{
	static const char *const signs[] = {[CHECK_OK] = "ok",
					    [CHECK_MISS] = "MISS",
					    [CHECK_NOTE] = "note",
					    [CHECK_NOT_HERE] = "--"};
	char left[64];

	if (check->name == NULL) {
		str_format(left, sizeof(left), "  %s", signs[check->kind]);
		table_row(table_columns(), NAME_AT, left, check->text);
		if (check->command[0] != '\0')
			print_command(STDOUT_FILENO, check->command);
		return;
	}
	str_format(left, sizeof(left), "  %s%s %s", signs[check->kind],
		   check->kind == CHECK_OK ? "  " : "", check->name);
	table_row(table_columns(), TEXT_AT, left, check->text);
}

/* One text: what is to be done, and the command. */
static void put_note(struct json *json, const struct check *check)
{
	char text[sizeof(check->text) + sizeof(check->command)];

	str_format(text, sizeof(text), "%s%s%s", check->text, check->command[0] != '\0' ? " " : "",
		   check->command);
	json_text(json, NULL, text);
}

static void put_checks(struct json *json, const struct checkup *checkup)
{
	json_open(json, "checks", '[');
	for (size_t i = 0; i < checkup->n; i++) {
		const struct check *check = &checkup->list[i];

		if (check->name == NULL)
			continue;
		json_open(json, NULL, '{');
		json_text(json, "name", check->name);
		json_truth(json, "ok", check->kind == CHECK_OK);
		json_text(json, "text", check->text);
		json_close(json, '}');
	}
	json_close(json, ']');
	json_open(json, "notes", '[');
	for (size_t i = 0; i < checkup->n; i++)
		if (checkup->list[i].name == NULL)
			put_note(json, &checkup->list[i]);
	json_close(json, ']');
}

static int doctor_document(const struct checkup *checkup, const struct verdict *verdict,
			   bool decided)
{
	struct document document;
	bool works = decided && try_one(&verdict->decision);

	if (document_begin(&document, "cordon.doctor/1") < 0)
		return EXIT_CORDON;
	put_checks(&document.json, checkup);
	document_refusal(&document.json, verdict, NULL);
	if (decided)
		json_truth(&document.json, "sandbox_works", works);
	else
		json_null(&document.json, "sandbox_works");
	return document_end(&document, works ? 0 : EXIT_CORDON);
}

static int doctor_text(const struct checkup *checkup, const struct verdict *verdict, bool decided)
{
	struct check proof = {.name = "a real sandbox"};
	bool works;

	print_out("this host\n");
	for (size_t i = 0; i < checkup->n; i++)
		print_check(&checkup->list[i]);
	if (!decided) {
		print_out("\nwhat stands in the way\n");
		verdict_print_refusal(verdict);
		return EXIT_CORDON;
	}
	works = try_one(&verdict->decision);
	proof.kind = works ? CHECK_OK : CHECK_MISS;
	str_format(proof.text, sizeof(proof.text), "%s",
		   works ? "made, used and gone again" : "failed, see above");
	print_out("\n");
	print_check(&proof);
	return works ? 0 : EXIT_CORDON;
}

/* Takes --cgroup-parent out of the words. -EINVAL: it is said what is wrong with it. */
static int take_parent(char **argv, const char **ret_parent)
{
	static const char flag[] = "--cgroup-parent";
	struct err err = {0};
	char **kept = argv;
	int r = 0;

	for (; *argv != NULL && r == 0; argv++) {
		const char *value = str_has_prefix(*argv, flag) ? *argv + strlen(flag) : NULL;

		if (value == NULL || (*value != '\0' && *value != '=')) {
			*kept++ = *argv;
			continue;
		}
		value = *value == '=' ? value + 1 : *++argv;
		r = options_check_cgroup_parent(value, &err);
		*ret_parent = value;
		if (value == NULL)
			break;
	}
	*kept = NULL;
	if (r < 0)
		print_err(&err);
	return r;
}

int cmd_doctor(const struct cmd_context *context, int argc, char **argv)
{
	_cleanup_verdict_ struct verdict *verdict = verdict_new();
	static const char *const program[] = {"true", NULL};
	struct checkup checkup = {.n = 0};
	struct run_request request;
	bool is_json;
	int exit_code;
	bool decided;

	(void)argc;
	if (verdict == NULL || take_parent(argv + 1, &verdict->options.cgroup_parent) < 0)
		return EXIT_CORDON;
	if (command_no_words("doctor", argv + 1, &is_json, &exit_code) < 0)
		return exit_code;
	decided = verdict_decide(verdict, context, &(struct policy_request){.argv = program}) == 0;
	cmd_request_init(context, &request);
	request.cgroup_parent = verdict->options.cgroup_parent;
	check_facts(&checkup, &verdict->decision, &request);
	return is_json ? doctor_document(&checkup, verdict, decided)
		       : doctor_text(&checkup, verdict, decided);
}
