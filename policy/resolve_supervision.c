/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the commands of kept sandboxes go by: how one is stopped, when it is started again, what is
 * kept of its output, and the labels by which it is found. Pure. */
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "policy/constants.h"
#include "policy/keys.h"
#include "policy/resolve.h"

POLICY_SETTER(apply_stop_signal)
{
	if (constants_signal(node->text, &spec->process.stop_signal) < 0)
		ctx_report(ctx, node->place, "bad-value", "%s cannot be '%s'", key->path,
			   node->text)
			->expected =
			"It is a signal's name such as TERM or RTMIN+3, or its number, 1 to 64.";
}

static bool read_restart(const char *text, struct spec_supervision *ret)
{
	static const struct {
		const char *word;
		enum spec_restart restart;
	} words[] = {{"no", RESTART_NO},
		     {"on-failure", RESTART_ON_FAILURE},
		     {"always", RESTART_ALWAYS},
		     {"unless-stopped", RESTART_UNLESS_STOPPED}};
	size_t len = strcspn(text, ":");

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i].word) != len || strncmp(words[i].word, text, len) != 0)
			continue;
		ret->restart = words[i].restart;
		ret->restart_max = 0;
		return text[len] == '\0' || (ret->restart == RESTART_ON_FAILURE &&
					     parse_u32(text + len + 1, &ret->restart_max) == 0);
	}
	return false;
}

POLICY_SETTER(apply_restart)
{
	spec->supervision.origin = doc_origin(node->place);
	if (!read_restart(node->text, &spec->supervision))
		ctx_report(ctx, node->place, "bad-value", "%s cannot be '%s'", key->path,
			   node->text)
			->expected = "It is one of: no, on-failure, on-failure:N (at most N times; "
				     "0 is no bound), always, unless-stopped.";
}

POLICY_SETTER(apply_log_size)
{
	spec->logging.max_size = keys_number(key, node);
	if (spec->logging.max_size < SPEC_LOG_SIZE_LEAST ||
	    spec->logging.max_size > SPEC_LOG_SIZE_MOST)
		ctx_report(ctx, node->place, "bad-value", "%s cannot be '%s'", key->path,
			   node->text)
			->expected = "It is 64KiB or more, and 1GiB at most.";
}

POLICY_SETTER(apply_log_files)
{
	uint64_t files = keys_number(key, node);

	if (files >= 1 && files <= SPEC_LOG_FILES_MAX)
		spec->logging.max_files = (uint32_t)files;
	else
		ctx_report(ctx, node->place, "bad-value", "%s cannot be '%s'", key->path,
			   node->text)
			->expected = "It is a number from 1 to 8.";
}

/* Whether text can be shown in one line as it is, and is no longer than max bytes. */
static bool is_plain(struct policy_ctx *ctx, const char *text, size_t max)
{
	size_t len = strlen(text);
	char *copy = len <= max ? ctx_array(ctx, len + 1, 1) : NULL;

	if (copy == NULL)
		return false;
	memcpy(copy, text, len);
	return str_make_harmless(copy, len) == len && memcmp(copy, text, len) == 0;
}

static bool is_label_name(struct policy_ctx *ctx, const char *name)
{
	return name[0] != '\0' && strpbrk(name, "= \t") == NULL &&
	       is_plain(ctx, name, SPEC_LABEL_NAME_MAX);
}

bool resolve_is_label(struct policy_ctx *ctx, const char *name, const char *value)
{
	return is_label_name(ctx, name) && is_plain(ctx, value, SPEC_LABEL_VALUE_MAX);
}

static bool check_label(struct policy_ctx *ctx, const struct policy_node *node)
{
	if (!is_label_name(ctx, node->key)) {
		ctx_report(ctx, node->key_place, "bad-value", "'%s' cannot be a label's name",
			   node->key)
			->expected = "It has 1 to 255 bytes, without '=', blanks and control "
				     "characters: com.example.role.";
		return false;
	}
	if (!is_plain(ctx, node->text, SPEC_LABEL_VALUE_MAX)) {
		ctx_report(ctx, node->place, "bad-value",
			   "label %s has a value that cannot be shown", node->key)
			->expected =
			"It is one line of text, 4096 bytes at most, without control characters.";
		return false;
	}
	return true;
}

void resolve_labels(struct policy_ctx *ctx, const struct policy_node *root,
		    struct sandbox_spec *spec)
{
	const struct policy_node *map = doc_get(root, "labels");
	struct spec_label *labels;
	size_t n = 0;

	if (map == NULL)
		return;
	labels = ctx_array(ctx, SPEC_LABELS_MAX, sizeof(*labels));
	if (labels == NULL)
		return;
	for (const struct policy_node *node = map->children; node != NULL; node = node->next) {
		size_t at = n;

		if (n == SPEC_LABELS_MAX) {
			ctx_report(ctx, node->key_place, "too-many", "more than %d labels",
				   SPEC_LABELS_MAX);
			break;
		}
		if (!check_label(ctx, node))
			continue;
		for (; at > 0 && strcmp(labels[at - 1].name, node->key) > 0; at--)
			labels[at] = labels[at - 1];
		labels[at] = (struct spec_label){.name = node->key, .value = node->text};
		n++;
	}
	spec->labels = labels;
	spec->n_labels = n;
}
