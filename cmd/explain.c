/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon explain`: the plan of a run, and for each value the file and line that set it. Changes
 * nothing. */
#include <string.h>

#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/explain.h"
#include "cmd/explain_calls.h"
#include "cmd/print.h"
#include "cmd/table.h"
#include "cmd/verdict.h"
#include "cmd/volumes_from.h"

enum { KEY_WIDTH = 34, VALUE_WIDTH = 40, ROW_WIDTH = 22, HEAD_AT = 15, TREE_KIND_WIDTH = 12 };
/* On a terminal, where lines are wrapped. */
enum { KEY_NARROW = 28, VALUE_NARROW = 26, TARGET_NARROW = 26 };

/* Lines under one heading: "NAME           text". */
struct head {
	size_t columns;
	char text[1024];
	size_t len;
};

static void head_add(struct head *head, const char *fmt, ...) printf_like(2, 3);

static void head_add(struct head *head, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	head->len += str_vformat(head->text + head->len, sizeof(head->text) - head->len, fmt, ap);
	va_end(ap);
}

/* Prints what was added and begins anew. */
static void head_end(struct head *head, const char *name)
{
	table_row(head->columns, HEAD_AT, name, head->text);
	head->text[0] = '\0';
	head->len = 0;
}

static void print_groups(struct head *head, const struct host_facts *facts)
{
	for (size_t i = 0; i < facts->n_groups; i++)
		head_add(head, "%s%u", i > 0 ? " " : "", facts->groups[i]);
	if (facts->has_more_groups)
		head_add(head, "more than %d", FACTS_GROUPS_MAX);
	head_add(head, "%s",
		 facts->n_groups > 0 || facts->has_more_groups
			 ? ": the caller's supplementary groups, which cannot be dropped"
			 : "the caller has no supplementary groups");
	head_end(head, "groups");
}

static void print_ids(struct head *head, const struct decision *d)
{
	const struct spec_identity *id = &d->spec.identity;

	if (d->plan.ids == IDS_BLOCK) {
		head_add(head, "a block of %d host ids of its own; inside %u:%u, init %u",
			 IDENTITY_BLOCK, id->uid, id->gid, d->plan.init_uid);
		head_end(head, "ids");
		head_add(head, "the caller's supplementary groups are dropped");
		head_end(head, "groups");
		return;
	}
	head_add(head, "inside %u:%u is the caller's %u:%u; nobody else is mapped", id->uid,
		 id->gid, d->facts.euid, d->facts.egid);
	head_end(head, "ids");
	print_groups(head, &d->facts);
}

static void print_image(struct head *head, const struct decision *d)
{
	if (d->spec.rootfs.kind != ROOTFS_IMAGE)
		return;
	head_add(head, "%s, sha256:%s, %zu layers", d->spec.rootfs.image, d->spec.rootfs.image_id,
		 d->n_layers);
	head_end(head, "image");
	if (d->image_owners == 0)
		return;
	head_add(head,
		 "%llu entries of the image have an owner, a setuid bit or a capability that is "
		 "in the store's books and not given inside",
		 (unsigned long long)d->image_owners);
	head_end(head, "owners");
}

static void print_writable(struct head *head, const struct decision *d)
{
	char text[UPPER_TEXT_MAX];

	upper_text(d, text, sizeof(text));
	head_add(head, "%s", text);
	head_end(head, "writable root");
}

static void print_head(const struct decision *d)
{
	const struct spec_process *process = &d->spec.process;
	struct head head = {.columns = table_columns()};

	for (size_t i = 0; process->argv[i] != NULL; i++)
		head_add(&head, "%s%s", i > 0 ? " " : "", process->argv[i]);
	if (process->argv[0] == NULL)
		head_add(&head, "(none given)");
	head_end(&head, "program");
	print_image(&head, d);
	head_add(&head, "single: one clone3 makes all namespaces but cgroup");
	head_end(&head, "launch shape");
	print_ids(&head, d);
	print_writable(&head, d);
	for (size_t i = 0; i < process->n_fds; i++)
		head_add(&head, "%s, %d", i == 0 ? "0, 1, 2" : "", process->fds[i]);
	if (process->n_fds > 0) {
		head_add(&head, " (--fd) are passed on, no others");
		head_end(&head, "descriptors");
	}
	if (d->spec.limits.nproc != SPEC_UNLIMITED) {
		head_add(&head, "%llu of the workload's user%s",
			 (unsigned long long)d->spec.limits.nproc,
			 d->plan.nproc_limit != d->spec.limits.nproc
				 ? " (RLIMIT_NPROC is one more: init has the same id)"
				 : "");
		head_end(&head, "processes");
	} else {
		head_add(&head, "as many as the caller may have");
		head_end(&head, "processes");
	}
}

static void print_values(const struct decision *d)
{
	const struct spec_provenance *p = &d->spec.provenance;
	size_t columns = table_columns();
	const struct table_widths widths = {
		.columns = columns,
		.first = columns > 0 ? KEY_NARROW : KEY_WIDTH,
		.second = columns > 0 ? VALUE_NARROW : VALUE_WIDTH,
	};

	print_out("\nvalues\n");
	for (size_t i = 0; i < p->n_values; i++) {
		const struct spec_value *value = &p->values[i];
		char origin[512];

		print_origin(value->origin, origin, sizeof(origin));
		table_triple(widths, value->key, value->value, origin);
	}
	for (size_t i = 0; i < p->n_waivers; i++) {
		char text[2048];

		str_format(text, sizeof(text), "%s (%s)", p->waivers[i].name, p->waivers[i].reason);
		table_row(columns, 10, "  waived:", text);
	}
}

void explain_target(const struct tree_op *op, char *buf, size_t size)
{
	const char *where = op->stage == TREE_KERNEL_PATHS                            ? "/proc"
			    : op->stage == TREE_DEV && !str_equal(op->target, "/dev") ? "/dev"
										      : "";

	str_format(buf, size, "%s%s", where, op->target);
}

static void explain_volume(const struct spec_mount *mount, char *buf, size_t size)
{
	str_format(buf, size, "%s, %s%s", mount->read_only ? "read-only" : "writable",
		   mount->source[0] != '\0' ? "volume " : "a volume of its own", mount->source);
}

static void print_tree(const struct decision *d)
{
	size_t columns = table_columns();
	size_t target_width = columns > 0 ? TARGET_NARROW : KEY_WIDTH;

	print_out("\nfile tree\n");
	for (size_t i = 0; i < d->tree.n_ops; i++) {
		const struct tree_op *op = &d->tree.ops[i];
		char target[256], left[512] = "  ", text[4200];
		size_t len = table_cell(left, sizeof(left), 2, tree_kind_name(op->kind),
					TREE_KIND_WIDTH);

		explain_target(op, target, sizeof(target));
		table_cell(left, sizeof(left), len, target, target_width);
		if (op->kind == TREE_VOLUME)
			explain_volume(&d->spec.mounts[op->source], text, sizeof(text));
		else if (op->kind == TREE_SOURCE)
			str_format(text, sizeof(text), "%s from %s",
				   d->spec.mounts[op->source].read_only ? "read-only" : "writable",
				   d->spec.mounts[op->source].source);
		else if (op->kind == TREE_TMPFS)
			str_format(text, sizeof(text), "%llu bytes, %llu inodes",
				   (unsigned long long)op->size_bytes,
				   (unsigned long long)op->inodes);
		else
			str_format(text, sizeof(text), "%s",
				   op->kind == TREE_SYMLINK ? op->text
				   : op->reason != NULL     ? op->reason
							    : "");
		table_row(columns, 2 + TREE_KIND_WIDTH + target_width, left, text);
	}
}

static void print_ports(size_t columns, const char *what, const struct spec_port_list *list)
{
	char left[64], text[1024] = "none";
	size_t len = 0;

	if (!list->is_limited)
		return;
	for (size_t i = 0; i < list->n_ports; i++)
		len += str_format(text + len, sizeof(text) - len, "%s%u", i > 0 ? ", " : "",
				  list->ports[i]);
	str_format(left, sizeof(left), "  %s", what);
	table_row(columns, 2 + KEY_NARROW, left, text);
}

static void print_landlock(const struct decision *d)
{
	size_t columns = table_columns();

	if (!landlock_is_wanted(d))
		return;
	print_out("\nlandlock (version %d), also for all that lies below\n", d->facts.landlock_abi);
	for (size_t i = 0; i < d->landlock.n; i++) {
		char text[128], left[512] = "  ";

		landlock_describe(d->landlock.list[i].access, text, sizeof(text));
		table_cell(left, sizeof(left), 2, d->landlock.list[i].path, KEY_NARROW);
		table_row(columns, 2 + KEY_NARROW, left, text);
	}
	if ((d->landlock.handled.network & SYS_LANDLOCK_NET_CONNECT_TCP) != 0)
		print_ports(columns, "TCP ports to connect to", &d->spec.landlock.connect_tcp);
	if ((d->landlock.handled.network & SYS_LANDLOCK_NET_BIND_TCP) != 0)
		print_ports(columns, "TCP ports to bind", &d->spec.landlock.bind_tcp);
}

static void print_not_enforced(const struct decision *d)
{
	for (size_t i = 0; i < d->n_not_enforced; i++)
		print_out("%s%s%s", i == 0 ? "\nnot enforced here: " : ", ", d->not_enforced[i],
			  i + 1 == d->n_not_enforced ? "\n" : "");
}

static void print_rows(const struct decision *d)
{
	size_t columns = table_columns();
	const char *process = "";

	print_out("\nsteps, in order (- is not needed for this run)\n");
	for (size_t i = 0;; i++) {
		struct row_view row = cordon_row(d, i);
		char left[128];

		if (row.name == NULL)
			return;
		if (!str_equal(row.process, process))
			print_out(" %s\n", row.process);
		process = row.process;
		str_format(left, sizeof(left), "  %s %s", row.wanted ? "+" : "-", row.name);
		table_row(columns, 4 + ROW_WIDTH, left, row.why);
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
					.argv = command[0] != NULL ? command : no_command,
					.entrypoint = o->entrypoint};

	int r = verdict_decide(verdict, context, &policy);

	if (o->json)
		return explain_document(verdict, r == 0);
	if (r < 0) {
		verdict_print_refusal(verdict);
		return EXIT_CORDON;
	}
	print_warnings(&verdict->decision.spec.provenance);
	print_head(&verdict->decision);
	print_values(&verdict->decision);
	explain_limits(&verdict->decision);
	print_tree(&verdict->decision);
	explain_calls(&verdict->decision.spec.seccomp, o->calls);
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
	if (options_parse(argv + 1, &verdict->options, &verdict->err) < 0 ||
	    (!verdict->options.help && (options_take_image(&verdict->options, &verdict->err) < 0 ||
					volumes_from_take(context, verdict) < 0))) {
		print_err(&verdict->err);
		return EXIT_CORDON;
	}
	if (verdict->options.help)
		return command_print_help_of("explain");
	return explain(verdict, context);
}
