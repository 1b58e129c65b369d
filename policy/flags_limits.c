/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Docker's flags of limits, whose numbers and units are not those of profiles; see flags.h. Pure.
 */
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "policy/flags.h"
#include "policy/keys.h"

static const char digits[] = "0123456789";

/* "b", "k", "kb" and "kib" of a unit, in letters of any size. */
static const char *unit_of(const char *text)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	static const char letters[] = "bkmgt";
	char unit[4] = "";
	const char *at;

	for (size_t i = 0; i < sizeof(unit) - 1 && text[i] != '\0'; i++)
		unit[i] =
			(char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + ('a' - 'A') : text[i]);
	at = unit[0] != '\0' && strlen(text) < sizeof(unit) ? strchr(letters, unit[0]) : NULL;
	if (at == NULL || (unit[1] != '\0' && (at == letters || (!str_equal(unit + 1, "b") &&
								 !str_equal(unit + 1, "ib")))))
		return NULL;
	return units[at - letters];
}

const char *flags_size(struct policy_ctx *ctx, const char *text)
{
	size_t len = strspn(text, "0123456789.");
	const char *unit = len > 0 ? unit_of(text + len) : NULL;

	return unit != NULL ? ctx_format(ctx, "%.*s%s", (int)len, text, unit) : text;
}

struct policy_node *flags_memory(struct policy_ctx *ctx, struct policy_source *source,
				 const char *text)
{
	const char *size = flags_size(ctx, text);
	uint64_t bytes;

	/* 0 is Docker's word for it. */
	return flags_text_at(ctx, source, "limits.memory",
			     parse_size(size, &bytes) == 0 && bytes == 0 ? "unlimited" : size);
}

/* What the last --memory says. */
static bool find_memory(struct policy_ctx *ctx, uint64_t *ret_bytes)
{
	bool is_found = false;

	for (size_t i = 0; i < ctx->request->n_flags; i++)
		if (ctx->request->flags[i].kind == FLAG_MEMORY)
			is_found = parse_size(flags_size(ctx, ctx->request->flags[i].text),
					      ret_bytes) == 0 &&
				   *ret_bytes > 0;
	return is_found;
}

struct policy_node *flags_memory_swap(struct policy_ctx *ctx, struct policy_source *source,
				      const char *text)
{
	uint64_t memory = 0, total;

	if (str_equal(text, "-1"))
		return flags_text_at(ctx, source, "limits.swap", "unlimited");
	if (parse_size(flags_size(ctx, text), &total) < 0 || total == 0) {
		flags_refuse(ctx, source, "'%s' is not memory and swap together", text)->expected =
			"It is a size such as 128m, or -1 for any; without the flag there is no "
			"swap.";
		return NULL;
	}
	if (!find_memory(ctx, &memory)) {
		struct policy_problem *problem =
			flags_refuse(ctx, source,
				     "it counts memory, too, and no --memory says how much");

		problem->expected = "Both are said together: --memory 64m --memory-swap 128m.";
		problem->hint = "Swap alone is --set limits.swap=64MiB.";
		return NULL;
	}
	if (total < memory) {
		flags_refuse(ctx, source, "'%s' is less than --memory", text)->expected =
			"It is memory and swap together; the same as --memory is no swap.";
		return NULL;
	}
	return flags_text_at(ctx, source, "limits.swap",
			     ctx_format(ctx, "%llu", (unsigned long long)(total - memory)));
}

struct policy_node *flags_pids_limit(struct policy_ctx *ctx, struct policy_source *source,
				     const char *text)
{
	bool is_unlimited = str_equal(text, "-1") || str_equal(text, "0");

	return flags_text_at(ctx, source, "limits.pids", is_unlimited ? "unlimited" : text);
}

struct policy_node *flags_cpus(struct policy_ctx *ctx, struct policy_source *source,
			       const char *text)
{
	uint64_t millionths;
	bool is_unlimited = parse_millionths(text, &millionths) == 0 && millionths == 0;

	return flags_text_at(ctx, source, "limits.cpus", is_unlimited ? "unlimited" : text);
}

/* Shares are a proportion, of which 1024 is usual as 100 is of weights. */
struct policy_node *flags_cpu_shares(struct policy_ctx *ctx, struct policy_source *source,
				     const char *text)
{
	enum { USUAL_SHARES = 1024, SHARES_MOST = 262144, WEIGHT_MOST = 10000 };
	uint64_t shares, weight;

	if (parse_u64(text, &shares) < 0 || shares > SHARES_MOST || shares == 1) {
		flags_refuse(ctx, source, "'%s' are no shares", text)->expected =
			"It is 2 to 262144, where 1024 is usual; 0 leaves it so.";
		return NULL;
	}
	weight = (shares * SPEC_USUAL_WEIGHT + USUAL_SHARES / 2) / USUAL_SHARES;
	weight = weight < 1 ? 1 : weight > WEIGHT_MOST ? WEIGHT_MOST : weight;
	return flags_text_at(ctx, source, "limits.cpu_weight",
			     shares == 0 ? "unlimited"
					 : ctx_format(ctx, "%llu", (unsigned long long)weight));
}

/* The key of a ulimit, NULL where that is reported. */
static const char *ulimit_key(struct policy_ctx *ctx, struct policy_source *source,
			      const char *name)
{
	static const char *const later[] = {"locks", "nice", "rss", "rttime"};
	static const char prefix[] = "limits.ulimits.";
	const char *names[32] = {"nproc"};
	struct policy_problem *problem;
	size_t n = 1;

	if (str_equal(name, "nproc"))
		return "limits.nproc";
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		if (str_equal(name, later[i])) {
			keys_refuse_later(ctx, flags_place(source),
					  ctx_format(ctx, "the ulimit %s", name));
			return NULL;
		}
	for (size_t i = 0; i < policy_n_keys && n < sizeof(names) / sizeof(names[0]); i++) {
		if (!str_has_prefix(policy_keys[i].path, prefix))
			continue;
		names[n++] = policy_keys[i].path + strlen(prefix);
		if (str_equal(names[n - 1], name))
			return policy_keys[i].path;
	}
	problem = flags_refuse(ctx, source, "there is no ulimit '%s'", name);
	problem->expected =
		"It is NAME=VALUE, such as nproc=3; `cordon profile keys ulimits` lists "
		"the names.";
	ctx_suggest(ctx, problem, name, names, n);
	return NULL;
}

struct policy_node *flags_ulimit(struct policy_ctx *ctx, struct policy_source *source,
				 const char *text)
{
	size_t len = strcspn(text, "=");
	const char *value = text[len] == '=' ? text + len + 1 : "";
	size_t soft = strcspn(value, ":");
	const char *key;

	if (len == 0 || value[0] == '\0') {
		flags_refuse(ctx, source, "'%s' is not NAME=VALUE", text)->expected =
			"It is one such as nproc=3.";
		return NULL;
	}
	key = ulimit_key(ctx, source, ctx_copy(ctx, text, len));
	if (key == NULL)
		return NULL;
	if (value[soft] == ':' &&
	    (strlen(value + soft + 1) != soft || strncmp(value, value + soft + 1, soft) != 0)) {
		flags_refuse(ctx, source, "'%s' has two limits", text)->expected =
			"Here soft and hard limit are one: what the program may raise bounds "
			"nothing. "
			"Write one value.";
		return NULL;
	}
	value = ctx_copy(ctx, value, soft);
	if (str_equal(value, "-1"))
		value = "unlimited";
	else if (keys_find(key)->type == KEY_DURATION && value[strspn(value, digits)] == '\0')
		value = ctx_format(ctx, "%ss", value);
	return flags_text_at(ctx, source, key, value);
}

struct policy_node *flags_stop_timeout(struct policy_ctx *ctx, struct policy_source *source,
				       const char *text)
{
	if (text[0] == '-') {
		flags_refuse(ctx, source, "'%s' would wait without an end", text)->expected =
			"It is seconds, or a time with a unit such as 1m30s.";
		return NULL;
	}
	return flags_text_at(ctx, source, "process.stop_grace_period",
			     text[0] != '\0' && text[strspn(text, digits)] == '\0'
				     ? ctx_format(ctx, "%ss", text)
				     : text);
}
