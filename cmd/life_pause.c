/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `cordon pause` and `unpause`: the group of the sandbox is frozen, so that nobody inside can do
 * anything about it. That it is meant to be stands in RUN/sandboxes/ID/paused, which is written
 * before and removed behind: what is frozen is never shown as running.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "cmd/life.h"
#include "cmd/print.h"
#include "records/events.h"

/* The group that can be frozen; -1: there is none. */
static int freezer_of(const struct live_run *live)
{
	for (size_t i = 0; i < live->n_groups; i++)
		if ((live->groups[i].controllers & 1U << CGROUP_FREEZER) != 0)
			return (int)i;
	return -1;
}

static int set_frozen(const struct live_run *live, int group, bool freezes, struct err *err)
{
	return cgroup_freeze(live->groups[group].path, live->groups[group].version, freezes, err);
}

int life_unpause(const struct records *records, const struct sandbox *sandbox,
		 const struct sandbox_status *status, struct err *err)
{
	int group = freezer_of(&status->live);
	int r;

	if (status->state != SANDBOX_PAUSED)
		return 0;
	r = group < 0 ? 0 : set_frozen(&status->live, group, false, err);
	return r < 0 ? r : status_mark_paused(records, sandbox, false, err);
}

/* What stands in the way of a group for this sandbox, on this host. */
static int probe(const struct life *life, const struct sandbox *sandbox, struct host_facts *facts,
		 struct err *err)
{
	struct record record = {0};
	int r = record_read(life->records, sandbox, &record, err);

	if (r < 0)
		return r;
	r = facts_probe(life->context->fds_closed, facts, err);
	if (r == 0)
		r = cordon_probe_groups(facts, record.request.cgroup_parent, 1U << CGROUP_FREEZER,
					err);
	record_free(&record);
	return r;
}

/* It has none: why, and the remedy. */
static int refuse_pause(const struct life *life, const struct sandbox *sandbox, const char *ref,
			struct err *err)
{
	_cleanup_free_ struct host_facts *facts = calloc(1, sizeof(*facts));
	struct limits_fix fix;
	const char *obstacle;
	int r = facts == NULL ? err_set(err, ERR_SETUP, ENOMEM, "control groups")
			      : probe(life, sandbox, facts, err);

	if (r < 0)
		return r;
	obstacle = limits_text_obstacle(facts, CGROUP_FREEZER);
	limits_text_fix(facts, 1U << CGROUP_FREEZER, &fix);
	err_set(err, ERR_PREFLIGHT, 0,
		"sandbox %s cannot be paused: it has no control group for "
		"that%s%s (freezer)",
		ref, obstacle[0] != '\0' ? ": " : "", obstacle);
	if (fix.text[0] != '\0')
		err_hint(err, "%s%s%s", fix.text, fix.command[0] != '\0' ? " " : "", fix.command);
	else
		err_hint(err, "Start it again: now such a group can be made.");
	return -EOPNOTSUPP;
}

static int pause_one(const struct life *life, struct sandbox *sandbox, const char *ref)
{
	struct sandbox_status status = {0};
	struct err err = {0}, undone;
	int group;
	int r = sandbox_lock(life->records, sandbox, &err);

	if (r == 0)
		r = status_settle(life->records, sandbox, &err);
	if (r >= 0)
		r = status_read(life->records, sandbox, &status, &err);
	if (r < 0)
		return life_say(&err);
	group = freezer_of(&status.live);
	if (status.state != SANDBOX_RUNNING)
		r = err_set(&err, ERR_USAGE, EINVAL, "sandbox %s does not run: it is %s", ref,
			    sandbox_state_name(status.state));
	else if (group < 0)
		r = refuse_pause(life, sandbox, ref, &err);
	else
		r = status_mark_paused(life->records, sandbox, true, &err);
	if (r == 0) {
		r = set_frozen(&status.live, group, true, &err);
		if (r < 0)
			ignore_result(status_mark_paused(life->records, sandbox, false, &undone),
				      "the first failure is the one to hear of");
	}
	if (r == 0)
		events_note(life->records, sandbox, "pause", NULL, 0);
	status_release(&status);
	return r < 0 ? life_say(&err) : 0;
}

static int unpause_one(const struct life *life, struct sandbox *sandbox, const char *ref)
{
	struct sandbox_status status = {0};
	struct err err = {0};
	int r = sandbox_lock(life->records, sandbox, &err);

	if (r == 0)
		r = status_settle(life->records, sandbox, &err);
	if (r >= 0)
		r = status_read(life->records, sandbox, &status, &err);
	if (r < 0)
		return life_say(&err);
	r = status.state == SANDBOX_PAUSED
		    ? life_unpause(life->records, sandbox, &status, &err)
		    : err_set(&err, ERR_USAGE, EINVAL, "sandbox %s is not paused: it is %s", ref,
			      sandbox_state_name(status.state));
	if (r == 0)
		events_note(life->records, sandbox, "unpause", NULL, 0);
	status_release(&status);
	return r < 0 ? life_say(&err) : 0;
}

static int each(const char *command, const struct cmd_context *context, char **argv, life_fn one)
{
	struct words words;
	int exit_code;

	if (life_parse(command, argv, 1, &words, &exit_code) < 0)
		return exit_code;
	return life_for_each(context, argv + 1, one, NULL, false);
}

int cmd_pause(const struct cmd_context *context, int argc, char **argv)
{
	(void)argc;
	return each("pause", context, argv, pause_one);
}

int cmd_unpause(const struct cmd_context *context, int argc, char **argv)
{
	(void)argc;
	return each("unpause", context, argv, unpause_one);
}
