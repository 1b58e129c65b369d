/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See denials.h. */
#include "cmd/denials.h"

#include "base/str.h"
#include "cmd/print.h"

/* How to allow it, as one would write it. */
static void remedy(const struct denial_view *view, char *buf, size_t size)
{
	if (view->waiver[0] == '\0')
		str_format(buf, size, "no waiver lifts this");
	else if (view->is_listable)
		str_format(buf, size, "to allow it, add %s to seccomp.allow there", view->call);
	else
		str_format(buf, size, "to allow %s: --waive \"%s=REASON\"",
			   view->has_rules ? "all of this call" : "it", view->waiver);
}

static void print_one(const struct sandbox_spec *spec, const struct denial *denial)
{
	struct denial_view view;
	char origin[512], text[512];

	denial_describe(spec, denial, &view);
	remedy(&view, text, sizeof(text));
	print_note("denied %llu time%s: %s%s%s%s%s: %s (%s); %s", (unsigned long long)denial->count,
		   denial->count == 1 ? "" : "s", view.architecture,
		   view.architecture[0] != '\0' ? " " : "", view.call,
		   view.argument[0] != '\0' ? " " : "", view.argument,
		   denial->error == 0 ? "nothing done, success said" : view.answer,
		   print_origin(view.origin, origin, sizeof(origin)), text);
}

void denials_print(const struct sandbox_spec *spec, const struct denials *denials)
{
	if (denials->is_lost != 0) {
		print_note("which calls were denied is not known: the process that answers them "
			   "was killed (since then the answer was ENOSYS)");
		return;
	}
	for (size_t i = 0; i < denials->n; i++)
		print_one(spec, &denials->list[i]);
	if (denials->others > 0)
		print_note("denied %llu times: others, for which the list of %d is too short",
			   (unsigned long long)denials->others, DENIALS_MAX);
	if (denials->n == 0)
		print_note("no system call was denied");
	print_note("access to files is not listed: the kernel tells only root");
}
