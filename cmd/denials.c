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

static void print_calls(const struct sandbox_spec *spec, const struct denials *denials)
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
}

/* ---- Landlock and AppArmor ---- */

static void print_access(const struct sandbox_spec *spec, const struct access_denial *denial)
{
	struct access_view view;
	char origin[512];

	access_describe(spec, denial, &view);
	print_note("denied %llu time%s: %s: by %s (%s); %s", (unsigned long long)denial->count,
		   denial->count == 1 ? "" : "s", view.what, view.by,
		   print_origin(view.origin, origin, sizeof(origin)), view.remedy);
}

/* Why there is no list, or none of all. NULL: there is nothing to say. */
static const char *why_not_listed(const struct decision *d, const struct access_denials *access)
{
	bool has_landlock = landlock_is_wanted(d);

	if (!has_landlock && !apparmor_is_wanted(d))
		return "access to files is not listed: mounts alone decide it here, and what they "
		       "refuse nobody records";
	if (!audit_has_landlock(d) && !audit_has_apparmor(d))
		return "access to files is not listed: this kernel's Landlock records nothing "
		       "(Linux 6.15 and later do)";
	switch (d->facts.audit) {
	case AUDIT_READABLE:
		break;
	case AUDIT_NO_KERNEL:
		return "denials by Landlock and AppArmor are not listed: this kernel has no audit "
		       "stream (CONFIG_AUDIT)";
	case AUDIT_FORBIDDEN:
		return "denials by Landlock and AppArmor are not listed: reading the kernel's "
		       "audit stream takes root (CAP_AUDIT_READ)";
	case AUDIT_ELSEWHERE:
		return "denials by Landlock and AppArmor are not listed: the audit stream is the "
		       "host's, and cordon runs in another network or pid namespace";
	}
	if (access == NULL || access->is_lost != 0)
		return "which denials there were by Landlock and AppArmor is not known: the "
		       "process that reads them was killed";
	if (audit_has_landlock(d) && access->has_domain == 0)
		return "Landlock's denials are not listed: the kernel records none while audit is "
		       "off (as root: auditctl -e 1, or boot with audit=1)";
	return NULL;
}

static void print_accesses(const struct decision *d, const struct access_denials *access,
			   const char *likely)
{
	const char *why = why_not_listed(d, access);
	bool is_listed = access != NULL && access->is_lost == 0;
	unsigned long long unlisted = is_listed ? access->others : 0;

	for (size_t i = 0; is_listed && i < access->n; i++)
		print_access(&d->spec, &access->list[i]);
	unlisted += is_listed ? access->unseen : 0;
	if (unlisted > 0)
		print_note("denied %llu times: others, for which the list of %d is too short or "
			   "which the audit stream did not have",
			   unlisted, ACCESS_DENIALS_MAX);
	if (is_listed && access->n_gaps > 0)
		print_note("the list may lack some: the kernel dropped records");
	if (why == NULL && access->n == 0)
		print_note("nothing was denied by %s", !audit_has_apparmor(d) ? "Landlock"
						       : !audit_has_landlock(d)
							       ? "AppArmor"
							       : "Landlock or AppArmor");
	if (why != NULL)
		print_note("%s%s%s", why, likely[0] != '\0' ? "; likely: " : "", likely);
	else if (likely[0] != '\0')
		print_note("%s", likely);
}

/* ---- network.egress ---- */

static void print_reached_not(const struct sandbox_spec *spec, const struct reach_denials *reach,
			      size_t i)
{
	const struct egress_denial *denial = &reach->sent.list[i];
	struct reach_view view;
	char port[16] = "", remedy_text[REACH_TEXT_MAX + 64];

	reach_describe(spec, reach, i, &view);
	if (denial->port != 0)
		str_format(port, sizeof(port), " port %u", denial->port);
	if (view.rule[0] != '\0')
		str_format(remedy_text, sizeof(remedy_text),
			   "to allow it, add \"%s\" to network.egress.allow", view.rule);
	else
		str_format(remedy_text, sizeof(remedy_text), "%s", view.why);
	print_note("denied %llu time%s: %s to %s%s%s%s%s: by network.egress; %s",
		   (unsigned long long)denial->count, denial->count == 1 ? "" : "s", view.protocol,
		   view.address, port, view.name != NULL ? " (" : "",
		   view.name != NULL ? view.name : "", view.name != NULL ? ")" : "", remedy_text);
}

static void print_names(const struct resolver_notes *notes)
{
	for (uint32_t i = 0; i < notes->n_refused; i++)
		print_note("denied %u time%s: to look up %s: by network.egress; to allow it, add "
			   "\"%s:PORT\" to network.egress.allow",
			   notes->refused[i].count, notes->refused[i].count == 1 ? "" : "s",
			   notes->refused[i].name, notes->refused[i].name);
	if (notes->others > 0)
		print_note("denied %u times: to look up others, for which the list of %d is too "
			   "short",
			   notes->others, RESOLVER_REFUSED_MAX);
}

static void print_reach(const struct sandbox_spec *spec, const struct reach_denials *reach)
{
	if (reach->is_lost) {
		print_note("what network.egress denied is not known: its rules are not there any "
			   "more");
		return;
	}
	for (size_t i = 0; i < reach->sent.n; i++)
		print_reached_not(spec, reach, i);
	if (reach->sent.others > 0)
		print_note("denied %llu times: to others, for which the list of %d is too short",
			   (unsigned long long)reach->sent.others, EGRESS_LISTED_MAX);
	print_names(&reach->names);
	if (reach->sent.n == 0 && reach->names.n_refused == 0)
		print_note("nothing was denied by network.egress");
}

void denials_print(const struct decision *decision, const struct run_result *result,
		   const char *likely)
{
	print_calls(&decision->spec, result->denials);
	print_accesses(decision, result->access, likely);
	if (result->reach != NULL)
		print_reach(&decision->spec, result->reach);
}
