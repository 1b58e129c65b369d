/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * apparmor, said outright or below when_possible. Which of two profiles is the stronger cannot be
 * told by their names, so a layer that says another than its parent gives the parent's up, and that
 * takes the waiver, which makes a layer begin anew.
 */
#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "policy/resolve.h"

enum { NAME_BYTES_MAX = 200 };

/* What the kernel would read as one name: no "&" of a stack, no namespace of AppArmor's. */
static bool is_name(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > NAME_BYTES_MAX || strchr("&:", text[0]) != NULL ||
	    strstr(text, "//&") != NULL)
		return false;
	for (const char *p = text; *p != '\0'; p++)
		if (!isgraph((unsigned char)*p))
			return false;
	return true;
}

static bool is_same(const struct spec_apparmor *a, const struct spec_apparmor *b)
{
	return a->is_auto == b->is_auto && str_equal(a->profile, b->profile);
}

/* One layer's word, over what the layers before it have left. */
static void take(struct policy_ctx *ctx, const struct policy_node *node, enum spec_demand demand,
		 bool is_waived, struct spec_apparmor *apparmor)
{
	struct spec_apparmor said = {.demand = demand,
				     .is_auto = str_equal(node->text, "auto"),
				     .profile = node->text,
				     .origin = doc_origin(node->place)};
	bool is_off = str_equal(node->text, "unconfined");

	if (!is_off && !is_name(node->text)) {
		ctx_report(ctx, node->place, "bad-value", "apparmor cannot be '%s'", node->text)
			->expected = "It is auto, unconfined, or the name of one profile.";
		return;
	}
	if (said.is_auto)
		said.profile = APPARMOR_OWN_PROFILE;
	if (!is_waived &&
	    (is_off || (apparmor->demand != DEMAND_NONE && !is_same(apparmor, &said)))) {
		struct policy_problem *problem = ctx_report(
			ctx, node->place, "needs-waiver",
			is_off ? "apparmor: unconfined wants a waiver"
			       : "apparmor: %s takes the place of what the parent asks for",
			node->text);

		problem->expected = "A weaker protection is given up by name and with a reason.";
		problem->hint = "waive: {apparmor: \"the reason\"}";
		return;
	}
	if (is_off)
		said = (struct spec_apparmor){.profile = "", .origin = said.origin};
	else if (is_same(apparmor, &said) && apparmor->demand > demand)
		said.demand = apparmor->demand;
	*apparmor = said;
}

void resolve_apparmor(struct policy_ctx *ctx, const struct policy_layers *layers,
		      struct sandbox_spec *spec)
{
	const struct spec_apparmor nothing = spec->apparmor;

	for (size_t i = 0; i < layers->n; i++) {
		const struct policy_node *root = layers->roots[i];
		const struct policy_node *said = doc_get(root, "apparmor");
		const struct policy_node *wished = doc_find(root, "when_possible.apparmor");
		bool is_waived = doc_get(doc_get(root, "waive"), "apparmor") != NULL;

		if (is_waived)
			spec->apparmor = nothing;
		if (wished != NULL)
			take(ctx, wished, DEMAND_WHEN_POSSIBLE, is_waived, &spec->apparmor);
		if (said != NULL)
			take(ctx, said, DEMAND_REQUIRED, is_waived, &spec->apparmor);
	}
}
