/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waivers: the one way for a layer to make a protection of its parent weaker, by name and with a
 * reason that every run prints.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "policy/keys.h"
#include "policy/resolve.h"
#include "policy/syscalls.h"

struct waiver_row {
	const char *name; /* with ':' at the end where an argument follows */
	bool is_here;     /* false: known, but the protection is not in this build */
};

static const struct waiver_row waiver_rows[] = {
	{"seccomp.call:", true}, {"seccomp.architecture:", true}, {"host_root_write:", true},
	{"seccomp.off", false},  {"capability:", false},          {"apparmor", true},
	{"landlock", true},      {"namespace.", false},           {"nested_userns", false},
	{"mask:", false},        {"network.host", true},          {"network.egress", true},
};

enum { N_WAIVER_ROWS = sizeof(waiver_rows) / sizeof(waiver_rows[0]), MAX_WAIVERS = 64 };

const char *waivers_name(size_t index, bool *ret_is_enforced)
{
	if (index >= N_WAIVER_ROWS)
		return NULL;
	*ret_is_enforced = waiver_rows[index].is_here;
	return waiver_rows[index].name;
}

static bool takes_argument(const struct waiver_row *row)
{
	char last = row->name[strlen(row->name) - 1];

	return last == ':' || last == '.';
}

static const struct waiver_row *find_row(const char *name)
{
	for (size_t i = 0; i < N_WAIVER_ROWS; i++) {
		const struct waiver_row *row = &waiver_rows[i];
		size_t len = strlen(row->name);

		if (takes_argument(row) ? str_has_prefix(name, row->name) && name[len] != '\0'
					: str_equal(name, row->name))
			return row;
	}
	return NULL;
}

static void report_unknown(struct policy_ctx *ctx, const struct policy_node *node)
{
	const char *names[N_WAIVER_ROWS];
	const char *list = "";
	struct policy_problem *problem = ctx_report(ctx, node->key_place, "unknown-waiver",
						    "unknown waiver '%s'", node->key);
	size_t head = strcspn(node->key, ":");

	for (size_t i = 0; i < N_WAIVER_ROWS; i++) {
		names[i] = waiver_rows[i].name;
		list = ctx_format(ctx, "%s%s%s%s", list, i > 0 ? ", " : "", names[i],
				  takes_argument(&waiver_rows[i]) ? "NAME" : "");
	}
	problem->expected = ctx_format(ctx, "Waivers are: %s.", list);
	ctx_suggest(ctx, problem, ctx_format(ctx, "%.*s:", (int)head, node->key), names,
		    N_WAIVER_ROWS);
	if (problem->hint[0] == '\0')
		ctx_suggest(ctx, problem, node->key, names, N_WAIVER_ROWS);
}

static bool check_waiver(struct policy_ctx *ctx, const struct policy_node *node)
{
	const struct waiver_row *row = find_row(node->key);
	const char *argument;

	if (row == NULL) {
		report_unknown(ctx, node);
		return false;
	}
	if (!row->is_here) {
		struct policy_problem *problem =
			keys_refuse_later(ctx, node->key_place,
					  ctx_format(ctx, "the waiver %s", node->key));

		if (str_equal(row->name, "seccomp.off"))
			problem->hint = "Allow what is missing by name: --waive "
					"'seccomp.call:NAME=why'. `cordon run "
					"--explain-denials` says which calls were denied.";
		return false;
	}
	if (strspn(node->text, " \t\n") == strlen(node->text)) {
		ctx_report(ctx, node->place, "no-reason", "waiver %s has no reason", node->key)
			->expected = "A waiver says why; every run prints it.";
		return false;
	}
	argument = node->key + strlen(row->name);
	if (str_equal(row->name, "seccomp.call:") && syscalls_number(argument) == -ENOENT) {
		ctx_report(ctx, node->key_place, "unknown-call", "unknown system call '%s'",
			   argument);
		return false;
	}
	if (str_equal(row->name, "seccomp.architecture:") &&
	    (str_equal(argument, "native") ||
	     !keys_has_word(keys_find("seccomp.architectures[]")->words, argument))) {
		ctx_report(ctx, node->key_place, "bad-value", "no architecture '%s'", argument)
			->expected = "It is x86 or arm.";
		return false;
	}
	if (str_equal(row->name, "host_root_write:") && argument[0] != '/') {
		ctx_report(ctx, node->key_place, "bad-path", "'%s' is not an absolute path",
			   argument);
		return false;
	}
	return true;
}

void resolve_waivers(struct policy_ctx *ctx, const struct policy_node *root,
		     struct sandbox_spec *spec)
{
	const struct policy_node *map = doc_get(root, "waive");
	struct spec_waiver *waivers = ctx_array(ctx, MAX_WAIVERS, sizeof(*waivers));
	size_t n = 0;

	if (map == NULL || waivers == NULL)
		return;
	for (const struct policy_node *node = map->children; node != NULL; node = node->next) {
		size_t at = n;

		if (n == MAX_WAIVERS) {
			ctx_report(ctx, node->key_place, "too-many", "more than %d waivers",
				   MAX_WAIVERS);
			break;
		}
		if (!check_waiver(ctx, node))
			continue;
		for (; at > 0 && strcmp(waivers[at - 1].name, node->key) > 0; at--)
			waivers[at] = waivers[at - 1];
		waivers[at] = (struct spec_waiver){.name = node->key,
						   .reason = node->text,
						   .origin = doc_origin(node->key_place)};
		n++;
	}
	spec->provenance.waivers = waivers;
	spec->provenance.n_waivers = n;
}

const struct spec_waiver *resolve_find_waiver(const struct sandbox_spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->provenance.n_waivers; i++)
		if (str_equal(spec->provenance.waivers[i].name, name))
			return &spec->provenance.waivers[i];
	return NULL;
}
