/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The filter of a sandbox: the layers' seccomp sections one over the other (filter.c), then what
 * follows from the rest of the policy, then the spec. All of it once more for the second
 * architecture, where seccomp.architectures lists it (resolve_architectures.c).
 *
 * Setuid bits. A file that the workload makes on a writable bind outlives it and may be owned by
 * an id that means something on the host. The same holds for a file at descriptors 0 to 2, whose
 * mode can be changed through whatever descriptor it is open at (`cordon run -- CMD >FILE`). So
 * where there is such a bind or such a file the calls that set the setuid or setgid bit are
 * refused:
 * - chmod, fchmod, fchmodat, fchmodat2, creat, mknod, mknodat: where the mode has one of the bits
 * - open, openat: likewise, when the flags make a file (O_CREAT, O_TMPFILE); else the argument is
 *   not read by the kernel and may be anything
 * - openat2, io_uring_setup: their modes lie in memory, where a filter cannot look; ENOSYS makes
 *   programs fall back
 * - mkdir and mkdirat need nothing: the kernel masks the bits out of their mode (vfs_mkdir), and
 *   file capabilities (setxattr of security.capability) cannot be told apart by a filter but need
 *   CAP_SETFCAP, which no sandbox has.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "policy/filter.h"

/* ---- setuid bits ---- */

static const uint64_t no_bits[] = {0};

#define MODE_HAS_SETID(n)                                                                      \
	{                                                                                      \
		.arg = (n), .is_32bit = true, .op = COND_MASKED_NE, .mask = S_ISUID | S_ISGID, \
		.values = no_bits, .n_values = 1                                               \
	}
/* O_TMPFILE without the O_DIRECTORY that the macro contains, which alone makes no file. */
#define FLAGS_MAKE_FILE(n)                                                                     \
	{                                                                                      \
		.arg = (n), .is_32bit = true, .op = COND_MASKED_NE,                            \
		.mask = O_CREAT | (O_TMPFILE & ~O_DIRECTORY), .values = no_bits, .n_values = 1 \
	}

struct setid_row {
	const char *call;
	size_t n_conds; /* 0: refused as a whole */
	struct spec_cond conds[2];
};

static const struct setid_row setid_rows[] = {
	{"chmod", 1, {MODE_HAS_SETID(1)}},
	{"fchmod", 1, {MODE_HAS_SETID(1)}},
	{"fchmodat", 1, {MODE_HAS_SETID(2)}},
	{"fchmodat2", 1, {MODE_HAS_SETID(2)}},
	{"creat", 1, {MODE_HAS_SETID(1)}},
	{"mknod", 1, {MODE_HAS_SETID(1)}},
	{"mknodat", 1, {MODE_HAS_SETID(2)}},
	{"open", 2, {FLAGS_MAKE_FILE(1), MODE_HAS_SETID(2)}},
	{"openat", 2, {FLAGS_MAKE_FILE(2), MODE_HAS_SETID(3)}},
	{"openat2", 0, {{0}}},
	{"io_uring_setup", 0, {{0}}},
};

static const struct spec_mount *first_writable_bind(const struct sandbox_spec *spec)
{
	for (size_t i = 0; i < spec->n_mounts; i++)
		if (spec->mounts[i].type != MOUNT_TMPFS && !spec->mounts[i].read_only)
			return &spec->mounts[i];
	return NULL;
}

static void refuse_setid_row(struct policy_ctx *ctx, const struct setid_row *row,
			     struct spec_origin origin, struct filter_call *call)
{
	struct spec_call_rule *rule;

	if (!filter_is_permission(call->otherwise))
		return; /* refused as a whole */
	if (row->n_conds == 0) {
		call->n_rules = 0;
		call->otherwise = (struct spec_action){.kind = ACT_ERRNO, .errno_value = ENOSYS};
		call->is_default = false;
		call->is_fixed = true;
		call->origin = origin;
		return;
	}
	rule = ctx_array(ctx, 1, sizeof(*rule));
	if (rule == NULL)
		return;
	*rule = (struct spec_call_rule){
		.conds = row->conds,
		.n_conds = row->n_conds,
		.action = {.kind = ACT_ERRNO, .errno_value = EPERM},
		.origin = origin,
		.is_fixed = true,
	};
	/* Last: every rule refuses, and one of the policy's may be stricter. */
	filter_insert_rule(ctx, call, call->n_rules, rule, false);
}

static void refuse_setid_bits(struct policy_ctx *ctx, struct sandbox_spec *spec,
			      struct filter *filter)
{
	const struct spec_mount *bind = first_writable_bind(spec);
	struct spec_origin origin =
		bind != NULL ? bind->origin : (struct spec_origin){.file = "built-in"};

	if (bind == NULL && !ctx->host->stdio_is_file)
		return;
	spec->seccomp.denies_setid_bits = true;
	for (size_t i = 0; i < sizeof(setid_rows) / sizeof(setid_rows[0]); i++) {
		int32_t place = syscalls_number_on(filter->abi, setid_rows[i].call);

		if (place >= 0)
			refuse_setid_row(ctx, &setid_rows[i], origin, &filter->calls[place]);
	}
}

/* ---- filter to spec ---- */

/* Without a word about system calls everything is refused, the launcher's last calls excepted. */
static struct filter *new_filter(struct policy_ctx *ctx, enum syscalls_abi abi)
{
	struct filter *filter = ctx_array(ctx, 1, sizeof(*filter));

	if (filter == NULL)
		return NULL;
	filter->abi = abi;
	filter->default_action = (struct spec_action){.kind = ACT_ERRNO, .errno_value = EPERM};
	filter->unknown_action = (struct spec_action){.kind = ACT_ERRNO, .errno_value = ENOSYS};
	filter->default_origin = (struct spec_origin){.file = "built-in"};
	filter->unknown_origin = filter->default_origin;
	for (int32_t number = 0; number < SYSCALLS_END; number++) {
		struct filter_call *call = &filter->calls[number];

		call->name = syscalls_name_on(abi, number);
		call->otherwise = filter->default_action;
		call->is_default = true;
		call->origin = filter->default_origin;
	}
	return filter;
}

/* execve, write, exit_group: the launcher's last calls, whatever the lists say. It makes native
 * ones. */
static void admit_own_calls(struct filter *filter)
{
	if (filter->abi != ABI_NATIVE)
		return;
	for (const char *const *name = policy_seccomp_always_admitted(); *name != NULL; name++) {
		struct filter_call *call = &filter->calls[syscalls_number(*name)];

		call->n_rules = 0;
		if (filter_is_permission(call->otherwise))
			continue;
		call->otherwise = (struct spec_action){.kind = ACT_ALLOW};
		call->is_default = false;
		call->origin = (struct spec_origin){.file = "built-in"};
	}
}

static const struct spec_call_rule *flat_rules(struct policy_ctx *ctx, enum syscalls_abi abi,
					       const struct filter_call *call)
{
	struct spec_call_rule *rules = ctx_array(ctx, call->n_rules, sizeof(*rules));

	for (size_t i = 0; rules != NULL && i < call->n_rules; i++)
		rules[i] = *call->rules[i].rule;
	for (size_t i = 0; rules != NULL && abi == ABI_SECOND && i < call->n_rules; i++)
		rules[i].conds = filter_narrow(ctx, &rules[i]);
	return rules;
}

static bool is_same_origin(struct spec_origin a, struct spec_origin b)
{
	return str_equal(a.file, b.file) && a.line == b.line && a.column == b.column;
}

/* Whether the spec says it by default_action alone. */
static bool is_left_out(const struct policy_ctx *ctx, const struct filter *filter,
			const struct filter_call *call)
{
	return call->n_rules == 0 &&
	       filter_is_same_action(call->otherwise, filter->default_action) &&
	       !ctx->request->wants_values &&
	       (!ctx->request->wants_origins ||
		is_same_origin(call->origin, filter->default_origin));
}

/* Sorted by the kernel's numbers, as places are. Parts of another call are in its rules. */
static struct spec_calls spec_calls_of(struct policy_ctx *ctx, const struct filter *filter)
{
	struct spec_call *calls = ctx_array(ctx, SYSCALLS_END, sizeof(*calls));
	struct spec_calls list = {.calls = calls};

	for (int32_t place = 0; calls != NULL && place < SYSCALLS_END; place++) {
		const struct filter_call *call = &filter->calls[place];
		int32_t number = syscalls_kernel_number(filter->abi, place);

		if (call->name == NULL || number < 0 || is_left_out(ctx, filter, call))
			continue;
		calls[list.n++] = (struct spec_call){
			.name = call->name,
			.number = number,
			.rules = call->n_rules > 0 ? flat_rules(ctx, filter->abi, call) : NULL,
			.n_rules = call->n_rules,
			.otherwise = call->otherwise,
			.origin = call->origin,
			.is_fixed = call->is_fixed,
		};
	}
	return list;
}

static void fill_spec(struct policy_ctx *ctx, const struct filter *filter,
		      struct spec_seccomp *seccomp)
{
	struct spec_calls list = spec_calls_of(ctx, filter);

	seccomp->default_origin = filter->default_origin;
	seccomp->unknown_origin = filter->unknown_origin;
	seccomp->default_action = filter->default_action;
	seccomp->unknown_action = filter->unknown_action;
	seccomp->calls = list.calls;
	seccomp->n_calls = list.n;
}

/* Of the native filter: no call of the second architecture is permitted where that of its name is
 * not. */
static bool admits_key_calls(const struct filter *filter)
{
	static const char *const names[] = {"add_key", "keyctl", "request_key"};
	bool admits = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		admits |= filter_is_permission(filter->calls[syscalls_number(names[i])].otherwise);
	return admits;
}

/* ---- the layers ---- */

static void apply_layers(struct policy_ctx *ctx, const struct policy_layers *layers,
			 struct sandbox_spec *spec, struct filter *filter)
{
	filter->capabilities = spec->capabilities;
	for (size_t i = 0; i < layers->n; i++)
		filter_apply_layer(ctx, layers->roots[i], filter);
	refuse_setid_bits(ctx, spec, filter);
	filter_apply_parts(ctx, filter);
	admit_own_calls(filter);
}

/* Of the warnings from `first` on those that are among the others, too: an entry that does nothing
 * on one architecture may be there for the other one. */
static void keep_common_warnings(struct policy_ctx *ctx, size_t first,
				 const struct spec_warning *others, size_t n_others)
{
	size_t n = first;

	for (size_t i = first; i < ctx->n_warnings; i++) {
		bool is_common = false;

		for (size_t j = 0; j < n_others; j++)
			is_common |= is_same_origin(ctx->warnings[i].origin, others[j].origin);
		if (is_common)
			ctx->warnings[n++] = ctx->warnings[i];
	}
	ctx->n_warnings = n;
}

/* The same layers once more, for the other numbers. Only where they were right for the native ones:
 * no mistake is told twice. first_warning: of the native filter's. */
static void resolve_second(struct policy_ctx *ctx, const struct policy_layers *layers,
			   struct sandbox_spec *spec, const struct filter *native,
			   size_t first_warning)
{
	struct filter *filter = new_filter(ctx, ABI_SECOND);
	struct spec_warning *warnings = ctx->warnings, *others;
	size_t n_warnings = ctx->n_warnings, n_others;

	if (filter == NULL)
		return;
	memcpy(filter->files, native->files, sizeof(filter->files));
	filter->n_files = native->n_files;
	ctx->warnings = NULL;
	ctx->n_warnings = 0;
	apply_layers(ctx, layers, spec, filter);
	others = ctx->warnings;
	n_others = ctx->n_warnings;
	ctx->warnings = warnings;
	ctx->n_warnings = n_warnings;
	keep_common_warnings(ctx, first_warning, others, n_others);
	spec->seccomp.second = spec_calls_of(ctx, filter);
	spec->seccomp.has_second = true;
}

void resolve_seccomp(struct policy_ctx *ctx, const struct policy_layers *layers,
		     struct sandbox_spec *spec)
{
	struct filter *filter = new_filter(ctx, ABI_NATIVE);
	size_t n_problems = ctx->problems->n + ctx->problems->n_dropped;
	bool wants_second = resolve_architectures(ctx, layers);
	size_t first_warning = ctx->n_warnings;

	if (filter == NULL)
		return;
	if (doc_get(layers->roots[0], "seccomp") == NULL && !layers->roots[0]->is_damaged)
		ctx_report(ctx, layers->roots[0]->place, "no-seccomp", "'seccomp' is missing")
			->expected =
			"A profile without a parent says its own list of system calls; "
			"others write 'extends: default'.";
	apply_layers(ctx, layers, spec, filter);
	fill_spec(ctx, filter, &spec->seccomp);
	spec->seccomp.admits_key_calls = admits_key_calls(filter);
	if (wants_second && ctx->problems->n + ctx->problems->n_dropped == n_problems)
		resolve_second(ctx, layers, spec, filter, first_warning);
}
