/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* network.mode: which network the sandbox joins. Pure: whether there is one of that name is looked
 * up in preflight. */
#include <string.h>

#include "base/str.h"
#include "policy/keys.h"
#include "policy/resolve.h"

enum { NAME_MAX_BYTES = 64 };

/* As net/network.c has it. */
static bool is_name(const char *text)
{
	static const char begins[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t len = strlen(text);

	return len > 0 && len <= NAME_MAX_BYTES && strchr(begins, text[0]) != NULL &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
		       len;
}

POLICY_SETTER(apply_network_mode)
{
	const char *mode = node->text;

	spec->network.origin = doc_origin(node->place);
	spec->network.name = "";
	if (str_equal(mode, "none"))
		return;
	if (str_equal(mode, "host") || str_has_prefix(mode, "container:")) {
		keys_refuse_later(ctx, node->place, ctx_format(ctx, "%s: %s", key->path, mode));
		return;
	}
	if (!is_name(mode)) {
		ctx_report(ctx, node->place, "bad-value", "%s cannot be '%s'", key->path, mode)
			->expected = "It is none, bridge, or the name of a network: letters, "
				     "digits and _.- behind a letter or digit.";
		return;
	}
	/* Docker's other word for the default network. */
	spec->network.name = str_equal(mode, "default") ? "bridge" : mode;
}
