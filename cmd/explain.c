/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon explain`: the plan of a run, and for each value the file and line that set it. Changes
 * nothing. */
#include <string.h>

#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/print.h"
#include "cmd/verdict.h"

enum { KEY_WIDTH = 34, VALUE_WIDTH = 40, ROW_WIDTH = 22 };

static void print_groups(const struct host_facts *facts)
{
	print_out("groups         ");
	for (size_t i = 0; i < facts->n_groups; i++)
		print_out("%s%u", i > 0 ? " " : "", facts->groups[i]);
	if (facts->has_more_groups)
		print_out("more than %d", FACTS_GROUPS_MAX);
	print_out(facts->n_groups > 0 || facts->has_more_groups
			  ? ": the caller's supplementary groups, which cannot be dropped\n"
			  : "the caller has no supplementary groups\n");
}

static void print_head(const struct decision *d)
{
	const struct spec_process *process = &d->spec.process;
	const struct spec_identity *id = &d->spec.identity;

	print_out("program        ");
	for (size_t i = 0; process->argv[i] != NULL; i++)
		print_out("%s%s", i > 0 ? " " : "", process->argv[i]);
	print_out("%s\n", process->argv[0] == NULL ? "(none given)" : "");
	print_out("launch shape   single: one clone3 makes all namespaces but cgroup\n");
	if (d->plan.ids == IDS_BLOCK) {
		print_out(
			"ids            a block of %d host ids of its own; inside %u:%u, init %u\n",
			IDENTITY_BLOCK, id->uid, id->gid, d->plan.init_uid);
		print_out("groups         the caller's supplementary groups are dropped\n");
	} else {
		print_out("ids            inside %u:%u is the caller's %u:%u; nobody else is "
			  "mapped\n",
			  id->uid, id->gid, d->facts.euid, d->facts.egid);
		print_groups(&d->facts);
	}
	if (process->n_fds > 0)
		print_out("descriptors    0, 1, 2");
	for (size_t i = 0; i < process->n_fds; i++)
		print_out(", %d", process->fds[i]);
	if (process->n_fds > 0)
		print_out(" (--fd) are passed on, no others\n");
	if (d->plan.nproc_limit != SPEC_UNLIMITED)
		print_out("processes      %llu of the workload's user%s\n",
			  (unsigned long long)d->spec.limits.nproc,
			  d->plan.nproc_limit != d->spec.limits.nproc
				  ? " (RLIMIT_NPROC is one more: init has the same id)"
				  : "");
}

static void print_values(const struct decision *d)
{
	const struct spec_provenance *p = &d->spec.provenance;

	print_out("\nvalues\n");
	for (size_t i = 0; i < p->n_values; i++) {
		char origin[512];

		print_out("  ");
		print_padded(p->values[i].key, KEY_WIDTH);
		print_padded(p->values[i].value, VALUE_WIDTH);
		print_out("%s\n", print_origin(p->values[i].origin, origin, sizeof(origin)));
	}
	for (size_t i = 0; i < p->n_waivers; i++)
		print_out("  waived: %s (%s)\n", p->waivers[i].name, p->waivers[i].reason);
}

static void print_tree(const struct decision *d)
{
	print_out("\nfile tree\n");
	for (size_t i = 0; i < d->tree.n_ops; i++) {
		const struct tree_op *op = &d->tree.ops[i];
		char target[256];
		const char *where = op->stage == TREE_KERNEL_PATHS ? "/proc"
				    : op->stage == TREE_DEV && !str_equal(op->target, "/dev")
					    ? "/dev"
					    : "";

		str_format(target, sizeof(target), "%s%s", where, op->target);
		print_out("  ");
		print_padded(tree_kind_name(op->kind), 12);
		print_padded(target, KEY_WIDTH);
		if (op->kind == TREE_SOURCE)
			print_out("%s from %s\n",
				  d->spec.mounts[op->source].read_only ? "read-only" : "writable",
				  d->spec.mounts[op->source].source);
		else if (op->kind == TREE_TMPFS)
			print_out("%llu bytes, %llu inodes\n", (unsigned long long)op->size_bytes,
				  (unsigned long long)op->inodes);
		else
			print_out("%s\n", op->kind == TREE_SYMLINK ? op->text
					  : op->reason != NULL     ? op->reason
								   : "");
	}
}

static void print_seccomp(const struct decision *d)
{
	const char *const *always = policy_seccomp_always_admitted();
	const struct spec_seccomp *s = &d->spec.seccomp;
	size_t allowed = 0, conditional = 0;

	for (size_t i = 0; i < s->n_calls; i++) {
		allowed += s->calls[i].otherwise.kind == ACT_ALLOW;
		conditional += s->calls[i].n_rules > 0;
	}
	print_out("\nsystem calls\n");
	print_out(
		"  %zu allowed, %zu of all decided by their arguments; setuid and setgid bits %s\n",
		allowed, conditional, s->denies_setid_bits ? "refused" : "not filtered");
	print_out("  always admitted for the launcher's last steps:");
	for (; *always != NULL; always++)
		print_out(" %s", *always);
	print_out("\n");
}

static void print_ports(const char *what, const struct spec_port_list *list)
{
	if (!list->is_limited)
		return;
	print_out("  ");
	print_padded(what, KEY_WIDTH);
	for (size_t i = 0; i < list->n_ports; i++)
		print_out("%s%u", i > 0 ? ", " : "", list->ports[i]);
	print_out(list->n_ports > 0 ? "\n" : "none\n");
}

static void print_landlock(const struct decision *d)
{
	if (!landlock_is_wanted(d))
		return;
	print_out("\nlandlock (version %d), also for all that lies below\n", d->facts.landlock_abi);
	for (size_t i = 0; i < d->landlock.n; i++) {
		char text[128];

		landlock_describe(d->landlock.list[i].access, text, sizeof(text));
		print_out("  ");
		print_padded(d->landlock.list[i].path, KEY_WIDTH);
		print_out("%s\n", text);
	}
	if ((d->landlock.handled.network & SYS_LANDLOCK_NET_CONNECT_TCP) != 0)
		print_ports("TCP ports to connect to", &d->spec.landlock.connect_tcp);
	if ((d->landlock.handled.network & SYS_LANDLOCK_NET_BIND_TCP) != 0)
		print_ports("TCP ports to bind", &d->spec.landlock.bind_tcp);
}

static void print_not_enforced(const struct decision *d)
{
	for (size_t i = 0; i < d->n_not_enforced; i++)
		print_out("%s%s%s", i == 0 ? "\nnot enforced here: " : ", ", d->not_enforced[i],
			  i + 1 == d->n_not_enforced ? "\n" : "");
}

static void print_rows(const struct decision *d)
{
	const char *process = "";

	print_out("\nsteps, in order (- is not needed for this run)\n");
	for (size_t i = 0;; i++) {
		struct row_view row = cordon_row(d, i);

		if (row.name == NULL)
			return;
		if (!str_equal(row.process, process))
			print_out(" %s\n", row.process);
		process = row.process;
		print_out("  %s ", row.wanted ? "+" : "-");
		print_padded(row.name, ROW_WIDTH);
		print_out("%s\n", row.why);
	}
}

static int explain(struct verdict *verdict, const struct cmd_context *context)
{
	static const char *const no_command[] = {NULL};
	const struct options *o = &verdict->options;
	const char *const *command = (const char *const *)o->rest;
	struct policy_request policy = {.profile = o->profile,
					.flags = o->flags,
					.n_flags = o->n_flags,
					.fds = o->fds,
					.n_fds = o->n_fds,
					.wants_values = true,
					.argv = command[0] != NULL ? command : no_command};

	if (verdict_decide(verdict, context, &policy) < 0) {
		verdict_print_refusal(verdict);
		return EXIT_CORDON;
	}
	print_head(&verdict->decision);
	print_values(&verdict->decision);
	print_tree(&verdict->decision);
	print_seccomp(&verdict->decision);
	print_landlock(&verdict->decision);
	print_not_enforced(&verdict->decision);
	print_rows(&verdict->decision);
	return 0;
}

int cmd_explain(const struct cmd_context *context, int argc, char **argv)
{
	_cleanup_verdict_ struct verdict *verdict = verdict_new();

	(void)argc;
	if (verdict == NULL)
		return EXIT_CORDON;
	if (options_parse(argv + 1, &verdict->options, &verdict->err) < 0) {
		print_err(&verdict->err);
		return EXIT_CORDON;
	}
	if (verdict->options.help) {
		print_out("Usage: cordon explain [FLAGS] [-- CMD...]\n\n"
			  "Prints what `cordon run` with the same flags would do.\n\n");
		options_print_help();
		return 0;
	}
	return explain(verdict, context);
}
