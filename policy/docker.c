/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Docker's and OCI's seccomp JSON to one answer for each call; see docker.h.
 *
 * Where the two forms leave something open it is done as runc and libseccomp do it, or more
 * strictly:
 * - An entry whose action is the default's says nothing (runc leaves it out).
 * - Several entries for one call are alternatives. An entry without conditions speaks for the whole
 *   call; of two of them the stricter one holds.
 * - Two conditions of one entry on the same argument are alternatives, on different ones all must
 *   hold (runc and crun both).
 * - A refusal with conditions holds beside a permission without them, which libseccomp would let
 *   swallow it.
 * - SCMP_ACT_KILL ends the process, not only the thread.
 * What is not enforced here is refused: tracing, notification, logging by flag, conditions on
 * arguments whose width is not known. `architectures` and `archMap` permit nothing: that is said
 * by seccomp.architectures, and what the file says of the calls holds on each that it lists.
 */
#include "policy/docker.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "policy/constants.h"
#include "policy/forms.h"
#include "policy/keys.h"

enum { ERRNO_MAX = 4095 };

static const char *const profile_keys[] = {"defaultAction",    "defaultErrnoRet",
					   "defaultErrno",     "architectures",
					   "archMap",          "flags",
					   "syscalls",         "listenerPath",
					   "listenerMetadata", NULL};
static const char *const entry_keys[] = {"names", "name",     "action",   "args",    "errnoRet",
					 "errno", "includes", "excludes", "comment", NULL};
static const char *const condition_keys[] = {"index", "value", "valueTwo", "op", NULL};

/* ---- actions ---- */

static const struct {
	const char *name;
	bool is_here;
	enum spec_action_kind kind;
} action_words[] = {
	{"SCMP_ACT_ALLOW", true, ACT_ALLOW},       {"SCMP_ACT_ERRNO", true, ACT_ERRNO},
	{"SCMP_ACT_KILL", true, ACT_KILL},         {"SCMP_ACT_KILL_THREAD", true, ACT_KILL},
	{"SCMP_ACT_KILL_PROCESS", true, ACT_KILL}, {"SCMP_ACT_TRAP", true, ACT_TRAP},
	{"SCMP_ACT_LOG", true, ACT_LOG},           {"SCMP_ACT_NOTIFY", false, ACT_KILL},
	{"SCMP_ACT_TRACE", false, ACT_KILL},
};

enum { N_ACTION_WORDS = sizeof(action_words) / sizeof(action_words[0]) };

static bool read_word(struct policy_ctx *ctx, const struct policy_node *node,
		      struct spec_action *action)
{
	const char *names[N_ACTION_WORDS];

	for (size_t i = 0; i < N_ACTION_WORDS; i++) {
		names[i] = action_words[i].name;
		if (!str_equal(node->text, names[i]))
			continue;
		*action = (struct spec_action){.kind = action_words[i].kind};
		if (!action_words[i].is_here)
			keys_refuse_later(ctx, node->place, names[i]);
		return action_words[i].is_here;
	}
	ctx_suggest(ctx,
		    ctx_report(ctx, node->place, "bad-value", "unknown action '%s'", node->text),
		    node->text, names, N_ACTION_WORDS);
	return false;
}

/* The errno by number (Docker, OCI), by name (containers-common), or both. */
static bool read_errno(struct policy_ctx *ctx, const struct policy_node *number,
		       const struct policy_node *name, struct spec_action *action)
{
	uint64_t value = EPERM;
	uint32_t named;

	if (number != NULL && !docker_read_number(ctx, number, &value))
		return false;
	if (value > ERRNO_MAX) {
		ctx_report(ctx, number->place, "bad-value", "no errno is as large as %s",
			   number->text);
		return false;
	}
	if (name != NULL && name->text[0] != '\0') {
		if (constants_errno(name->text, &named) < 0 || (number != NULL && named != value)) {
			ctx_report(ctx, name->place, "bad-value", "'%s' is no errno, or another",
				   name->text);
			return false;
		}
		value = named;
	}
	action->errno_value = (uint32_t)value;
	return true;
}

/* The action at `key`, with its errno at two others. False: reported. */
static bool read_action(struct policy_ctx *ctx, const struct policy_node *object,
			const char *const *keys, struct spec_action *action)
{
	bool is_good = true;
	const struct policy_node *word = docker_get(ctx, object, keys[0], NODE_SCALAR, &is_good);
	const struct policy_node *number = docker_get(ctx, object, keys[1], NODE_SCALAR, &is_good);
	const struct policy_node *name = docker_get(ctx, object, keys[2], NODE_SCALAR, &is_good);

	if (word == NULL && is_good)
		ctx_report(ctx, object->place, "missing-key", "'%s' is missing", keys[0]);
	if (word == NULL || !is_good || !read_word(ctx, word, action))
		return false;
	return action->kind != ACT_ERRNO || read_errno(ctx, number, name, action);
}

/* ---- entries ---- */

/* One element of `syscalls`, while its names are gone through. */
struct entry {
	const struct policy_node *node;
	const struct policy_node *args; /* NULL: no conditions */
	struct spec_action action;
	bool has_alternatives; /* two conditions on one argument */
};

static void add_always(const struct entry *entry, const struct policy_node *name,
		       struct docker_call *call)
{
	if (call->has_always && filter_strictness(entry->action) <= filter_strictness(call->always))
		return;
	call->has_always = true;
	call->always = entry->action;
	call->origin = doc_origin(name->place);
}

static void add_some(struct policy_ctx *ctx, const struct filter_entry *like,
		     struct docker_call *call)
{
	struct filter_entry *some = ctx_array(ctx, 1, sizeof(*some));

	if (call->some == NULL)
		call->some = ctx_array(ctx, 1, sizeof(*call->some));
	if (call->some == NULL || some == NULL)
		return;
	if (call->some->n == FILTER_CHOICES_MAX) {
		ctx_report(ctx, like->node->place, "too-many",
			   "more than %d entries with conditions for %s", FILTER_CHOICES_MAX,
			   like->name);
		return;
	}
	*some = *like;
	some->conds = ctx_array(ctx, like->n_conds, sizeof(*some->conds));
	if (some->conds == NULL)
		return;
	memcpy(some->conds, like->conds, like->n_conds * sizeof(*some->conds));
	call->some->entries[call->some->n++] = some;
}

/* Where they cannot be put to this call's arguments a permission is none, and a refusal is one of
 * all of it. */
static void add_undecided(const struct entry *entry, const struct policy_node *name,
			  struct docker_call *call)
{
	struct entry whole = {.node = entry->node, .action = filter_undecided()};

	if (!filter_is_permission(entry->action))
		add_always(&whole, name, call);
}

static bool can_compare(const struct entry *entry, const char *name, const char *form)
{
	for (const struct policy_node *arg = entry->args->children; arg != NULL; arg = arg->next) {
		const struct policy_node *index = doc_get(arg, "index");
		uint32_t at;

		if (index != NULL && parse_u32(index->text, &at) == 0 &&
		    !forms_compare(name, form, at))
			return false;
	}
	return true;
}

static void add_conditions(struct policy_ctx *ctx, const struct entry *entry,
			   const struct policy_node *name, enum syscalls_abi abi,
			   struct docker_call *call)
{
	struct spec_cond conds[FILTER_CONDS_MAX];
	struct filter_entry like = {.node = entry->node,
				    .name = name->text,
				    .conds = conds,
				    .action = entry->action};

	for (const struct policy_node *arg = entry->args->children; arg != NULL; arg = arg->next) {
		/* There are six arguments, and each stands once where there are no alternatives. */
		if (like.n_conds == FILTER_CONDS_MAX ||
		    !docker_read_condition(ctx, name->text, arg, &conds[like.n_conds]) ||
		    !filter_check_values(ctx, arg, abi, &conds[like.n_conds]))
			return;
		like.n_conds++;
		if (entry->has_alternatives) {
			add_some(ctx, &like, call);
			like.n_conds = 0;
		}
	}
	if (like.n_conds > 0)
		add_some(ctx, &like, call);
}

/* What cordon calls itself under the filter cannot be refused, which a file must not seem to do. */
static bool is_own_call(struct policy_ctx *ctx, const struct entry *entry,
			const struct policy_node *name, int32_t number)
{
	if (!policy_seccomp_admits_always(number))
		return false;
	if (entry->args != NULL || !filter_is_permission(entry->action))
		ctx_report(ctx, name->place, "own-call", "%s cannot be denied", name->text)
			->expected = "execve, write and exit_group are cordon's own last calls, "
				     "made under the filter.";
	return true;
}

/* The entry for one call: that of its name, or another form of it. */
static void add_form(struct policy_ctx *ctx, const struct entry *entry,
		     const struct policy_node *name, const char *form,
		     struct docker_profile *profile)
{
	int32_t place = syscalls_number_on(profile->abi, form);

	if (place < 0 || (profile->abi == ABI_NATIVE && is_own_call(ctx, entry, name, place)))
		return;
	if (entry->args == NULL)
		add_always(entry, name, &profile->calls[place]);
	else if (profile->abi == ABI_NATIVE || can_compare(entry, name->text, form))
		add_conditions(ctx, entry, name, profile->abi, &profile->calls[place]);
	else
		add_undecided(entry, name, &profile->calls[place]);
}

static void add_name(struct policy_ctx *ctx, const struct entry *entry,
		     const struct policy_node *name, struct docker_profile *profile)
{
	bool refuses = !filter_is_permission(entry->action);
	size_t state = 0;

	if (name->kind != NODE_SCALAR || !name->is_quoted) {
		ctx_report(ctx, name->place, "bad-type", "the name of a call is wanted here");
		return;
	}
	if (syscalls_number(name->text) == -ENOENT) {
		if (profile->n_unknown++ == 0)
			profile->unknown = name;
		profile->refuses_unknown |= refuses;
	}
	add_form(ctx, entry, name, name->text, profile);
	if (profile->abi == ABI_NATIVE || !refuses)
		return;
	for (const char *form; (form = forms_next(name->text, &state)) != NULL;)
		add_form(ctx, entry, name, form, profile);
}

/* Each condition has the right form; which arguments they are about. */
static bool check_args(struct policy_ctx *ctx, struct entry *entry)
{
	const struct policy_node *indices[FILTER_CONDS_MAX] = {NULL};

	for (const struct policy_node *arg = entry->args->children; arg != NULL; arg = arg->next) {
		const struct policy_node *index = doc_get(arg, "index");
		uint64_t at;

		if (arg->kind != NODE_MAPPING) {
			ctx_report(ctx, arg->place, "bad-type", "a condition is an object");
			return false;
		}
		if (!docker_check_keys(ctx, arg, condition_keys))
			return false;
		if (index == NULL)
			continue; /* reported with the first call that it is for */
		if (!docker_read_number(ctx, index, &at))
			return false;
		if (at >= FILTER_CONDS_MAX) {
			ctx_report(ctx, index->place, "bad-value", "no argument '%s'", index->text)
				->expected = "Arguments are counted from 0 to 5.";
			return false;
		}
		entry->has_alternatives |= indices[at] != NULL;
		indices[at] = index;
	}
	return true;
}

static void add_names(struct policy_ctx *ctx, const struct entry *entry,
		      struct docker_profile *profile, bool is_good)
{
	const struct policy_node *names =
		docker_get(ctx, entry->node, "names", NODE_SEQUENCE, &is_good);
	const struct policy_node *name =
		docker_get(ctx, entry->node, "name", NODE_SCALAR, &is_good);

	if (!is_good)
		return;
	if ((names == NULL) == (name == NULL)) {
		ctx_report(ctx, entry->node->place, "missing-key",
			   "an entry has either 'names' or 'name'");
		return;
	}
	if (name != NULL)
		add_name(ctx, entry, name, profile);
	for (const struct policy_node *one = names != NULL ? names->children : NULL; one != NULL;
	     one = one->next)
		add_name(ctx, entry, one, profile);
}

static void add_entry(struct policy_ctx *ctx, const struct policy_node *node, uint64_t capabilities,
		      struct docker_profile *profile)
{
	static const char *const keys[] = {"action", "errnoRet", "errno"};
	struct entry entry = {.node = node};
	bool is_good = true, holds;

	if (node->kind != NODE_MAPPING) {
		ctx_report(ctx, node->place, "bad-type", "an entry is an object");
		return;
	}
	is_good = docker_check_keys(ctx, node, entry_keys);
	is_good = read_action(ctx, node, keys, &entry.action) && is_good;
	entry.args = docker_get(ctx, node, "args", NODE_SEQUENCE, &is_good);
	if (entry.args != NULL && entry.args->children == NULL)
		entry.args = NULL;
	if (entry.args != NULL)
		is_good = check_args(ctx, &entry) && is_good;
	holds = docker_holds(ctx, node, capabilities, &is_good);
	if (holds && !filter_is_same_action(entry.action, profile->default_action))
		add_names(ctx, &entry, profile, is_good);
}

/* ---- the file ---- */

/* Two flags ask for no more than is done anyway: the filter is loaded by the only thread, and the
 * kernel's guard against speculation stays as it is. */
static bool check_flags(struct policy_ctx *ctx, const struct policy_node *list)
{
	bool is_good = true;

	for (const struct policy_node *flag = list != NULL ? list->children : NULL; flag != NULL;
	     flag = flag->next) {
		if (str_equal(flag->text, "SECCOMP_FILTER_FLAG_TSYNC") ||
		    str_equal(flag->text, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"))
			continue;
		keys_refuse_later(ctx, flag->place, ctx_format(ctx, "the flag '%s'", flag->text));
		is_good = false;
	}
	return is_good;
}

static bool check_head(struct policy_ctx *ctx, const struct policy_node *root)
{
	static const char *const later[] = {"listenerPath", "listenerMetadata"};
	bool is_good = docker_check_keys(ctx, root, profile_keys);

	docker_get(ctx, root, "architectures", NODE_SEQUENCE, &is_good);
	docker_get(ctx, root, "archMap", NODE_SEQUENCE, &is_good);
	is_good = check_flags(ctx, docker_get(ctx, root, "flags", NODE_SEQUENCE, &is_good)) &&
		  is_good;
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		const struct policy_node *node = doc_get(root, later[i]);

		if (node == NULL || (node->kind == NODE_SCALAR && node->text[0] == '\0'))
			continue;
		keys_refuse_later(ctx, node->key_place, later[i]);
		is_good = false;
	}
	return is_good;
}

bool docker_read(struct policy_ctx *ctx, const struct policy_node *root, uint64_t capabilities,
		 struct docker_profile *ret_profile)
{
	static const char *const keys[] = {"defaultAction", "defaultErrnoRet", "defaultErrno"};
	const struct policy_node *entries;
	size_t n_before = ctx->problems->n + ctx->problems->n_dropped;
	bool is_good;

	if (root->kind != NODE_MAPPING) {
		ctx_report(ctx, root->place, "bad-type", "a seccomp file is an object");
		return false;
	}
	is_good = check_head(ctx, root);
	if (!read_action(ctx, root, keys, &ret_profile->default_action))
		return false;
	ret_profile->origin = doc_origin(doc_get(root, keys[0])->place);
	entries = docker_get(ctx, root, "syscalls", NODE_SEQUENCE, &is_good);
	for (const struct policy_node *node = entries != NULL ? entries->children : NULL;
	     node != NULL; node = node->next)
		add_entry(ctx, node, capabilities, ret_profile);
	return is_good && ctx->problems->n + ctx->problems->n_dropped == n_before;
}
