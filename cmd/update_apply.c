/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See update_apply.h. Runs in commands, as the groups' owner. */
#include "cmd/update_apply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/print.h"

enum { OUR_TASKS = 1 /* init, in the group beside those of limits.pids */ };

void update_release(struct update *u)
{
	if (u->has_target)
		target_release(&u->target);
	u->has_target = false;
	cgroup_release(&u->groups);
	u->groups.n = 0;
	status_release(&u->status);
	record_free(&u->record);
}

bool update_is_limit_of_group(enum spec_limit limit)
{
	return cgroup_controller_of(limit) != CGROUP_CONTROLLERS && limit != LIMIT_CPU_TIME &&
	       limit != LIMIT_IDLE_TIME;
}

static int set_mark(const struct records *records, const struct sandbox *sandbox, bool is_there,
		    struct err *err)
{
	int r = records_leaves_out(is_there ? "update.mark" : "update.unmark")
			? 0
			: status_mark_updating(records, sandbox, is_there, err);

	if (r == 0 && status_is_updating(records, sandbox) != is_there)
		r = err_set(err, ERR_SETUP, 0, "sandbox %s: the mark `updating` %s", sandbox->id,
			    is_there ? "is not there" : "is still there");
	return r;
}

/* ---- the groups ---- */

static bool has_run(const struct sandbox_status *status)
{
	return status->state == SANDBOX_RUNNING || status->state == SANDBOX_PAUSED;
}

static int open_groups(struct update *u, struct err *err)
{
	const struct live_run *live = &u->status.live;
	int r = cgroup_open(live->groups, live->n_groups, &u->groups, err);

	if (r == 0)
		cgroup_widen(&u->groups);
	return r;
}

int update_check_runs(const struct update *u, struct err *err)
{
	if (has_run(&u->status))
		return 0;
	err_set(err, ERR_USAGE, EBUSY, "sandbox %s is %s", u->ref,
		sandbox_state_name(u->status.state));
	return err_hint(err, "Try again when it runs, or stop it first.");
}

int update_open_groups(struct update *u, struct err *err)
{
	int r = update_check_runs(u, err);

	if (r == 0)
		r = open_groups(u, err);
	for (enum spec_limit limit = 0; r == 0 && limit < SPEC_LIMITS; limit++) {
		if ((u->limits & 1U << limit) == 0 || cgroup_can_limit(&u->groups, limit))
			continue;
		err_set(err, ERR_USAGE, 0,
			"limits.%s: sandbox %s has no control group for it (%s) while it runs",
			spec_limit_names[limit], u->ref,
			cgroup_controller_names[cgroup_controller_of(limit)]);
		r = err_hint(err, "Stop it, update it, and start it: then it is given one.");
	}
	return r;
}

/* Read back at once: what cannot be made tighter is noticed before anything is made looser. */
static int change_groups(struct update *u, const struct spec_limits *limits, bool looser,
			 struct err *err)
{
	uint32_t bits = 0;
	int r = 0;

	for (enum spec_limit limit = 0; limit < SPEC_LIMITS; limit++)
		if ((u->limits & 1U << limit) != 0 &&
		    cgroup_would_loosen(&u->groups, limits, limit, OUR_TASKS) == looser)
			bits |= 1U << limit;
	if (u->groups.n == 0 || bits == 0)
		return 0;
	if (!records_leaves_out(looser ? "update.loosen" : "update.tighten"))
		r = cgroup_change(&u->groups, limits, bits, OUR_TASKS, err);
	return r == 0 ? cgroup_verify_change(&u->groups, limits, bits, OUR_TASKS, err) : r;
}

/* ---- the rates ---- */

static int change_traffic(const struct update *u, const struct sandbox_spec *spec,
			  enum traffic_change change, struct err *err)
{
	return records_leaves_out(change == TRAFFIC_SET ? "update.rates" : "update.slower")
		       ? 0
		       : cordon_change_traffic(u->status.live.run_id, &spec->network, change, err);
}

/* ---- what was cut off ---- */

/* All that its groups can hold. One list of processors cannot be taken away again, nor is it
 * given without the record's saying so. */
static uint32_t limits_of_groups(const struct update *u, const struct spec_limits *limits)
{
	uint32_t bits = 0;

	for (enum spec_limit limit = 0; limit < SPEC_LIMITS; limit++)
		if (update_is_limit_of_group(limit) && cgroup_can_limit(&u->groups, limit) &&
		    (limit != LIMIT_CPUSET || limits->total[limit].demand != DEMAND_NONE))
			bits |= 1U << limit;
	return bits;
}

static int decide_by_record(const struct update *u, struct verdict *verdict)
{
	struct run_request request = u->record.request, roots;
	int r = kept_enter_directory(&u->record, &verdict->err);

	cmd_request_init(u->context, &roots);
	request.root_dir = roots.root_dir;
	request.runtime_dir = roots.runtime_dir;
	return r == 0 ? kept_decide(verdict, &request) : r;
}

static int set_by_record(struct update *u, struct err *err)
{
	_cleanup_verdict_ struct verdict *verdict = verdict_new();
	const struct spec_limits *limits;
	int r;

	if (verdict == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "sandbox %s", u->ref);
	r = decide_by_record(u, verdict);
	if (r < 0) {
		verdict_print_refusal(verdict);
		err_set(err, ERR_SETUP, 0, "sandbox %s: its limits are less than its record's",
			u->ref);
		return err_hint(err, "An update of it was cut off. What stands above is in the "
				     "way of `cordon gc`, which gives it back what it had.");
	}
	limits = &verdict->decision.spec.limits;
	r = open_groups(u, err);
	u->limits = r == 0 ? limits_of_groups(u, limits) : 0;
	if (r == 0)
		r = change_groups(u, limits, false, err);
	if (r == 0)
		r = change_groups(u, limits, true, err);
	return r == 0 ? change_traffic(u, &verdict->decision.spec, TRAFFIC_SET, err) : r;
}

int update_settle(const struct cmd_context *context, const struct records *records,
		  const struct sandbox *sandbox, const char *ref, struct err *err)
{
	struct update u = {.context = context, .records = records, .sandbox = sandbox, .ref = ref};
	bool has_set = false;
	int r;

	if (!status_is_updating(records, sandbox))
		return 0;
	r = record_read(records, sandbox, &u.record, err);
	if (r == 0)
		r = status_read(records, sandbox, &u.status, err);
	if (r == 0 && has_run(&u.status)) {
		r = set_by_record(&u, err);
		has_set = r == 0;
	}
	/* With the run the groups are gone. One that is being started may have read the record of
	 * before: that shows when it runs. */
	if (r == 0 && (has_set || !u.status.has_keeper))
		r = set_mark(records, sandbox, false, err);
	update_release(&u);
	return r < 0 ? r : has_set;
}

/* ---- an update ---- */

static int write_record(const struct update *u, const struct record *record, struct err *err)
{
	struct fields_writer writer = {0};
	int r = record_text(record, &writer);

	if (r == 0 && !records_leaves_out("update.record"))
		r = records_write(u->sandbox->dir_fd, "record", writer.text, writer.len,
				  u->sandbox->is_kept);
	free(writer.text);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "sandbox %s: write its record", u->ref) : 0;
}

static bool is_record(const struct update *u, const struct record *record)
{
	struct fields_writer wanted = {0}, found = {0};
	struct record now = {0};
	struct err err;
	bool result = record_read(u->records, u->sandbox, &now, &err) == 0 &&
		      record_text(record, &wanted) == 0 && record_text(&now, &found) == 0 &&
		      wanted.len == found.len && memcmp(wanted.text, found.text, found.len) == 0;

	free(wanted.text);
	free(found.text);
	record_free(&now);
	return result;
}

/* As it was: the error that is told of came first. */
static void go_back(struct update *u)
{
	struct err second;

	/* Where writing it failed it may be there all the same. */
	if (!is_record(u, &u->record) && write_record(u, &u->record, &second) < 0)
		print_err(&second);
	if (update_settle(u->context, u->records, u->sandbox, u->ref, &second) < 0)
		print_err(&second);
}

/* Its restart policy does not wait for the lock: another run may have begun by the record of
 * before, in groups of its own. */
static int follow_run(const struct update *u, struct err *err)
{
	struct sandbox_status now;
	bool is_same;
	int r = status_read(u->records, u->sandbox, &now, err);

	if (r < 0)
		return r;
	is_same = now.live.workload.pid == u->status.live.workload.pid &&
		  now.live.workload.start_ticks == u->status.live.workload.start_ticks;
	status_release(&now);
	if (is_same)
		return set_mark(u->records, u->sandbox, false, err);
	r = update_settle(u->context, u->records, u->sandbox, u->ref, err);
	if (r < 0 || !status_is_updating(u->records, u->sandbox))
		return r < 0 ? r : 0;
	err_set(err, ERR_SETUP, EBUSY,
		"sandbox %s was started again meanwhile, maybe with the limits of before", u->ref);
	return err_hint(err, "The record is changed. `cordon gc` sets its limits by it when it "
			     "runs.");
}

int update_apply(struct update *u, const struct record *changed, const struct sandbox_spec *spec,
		 struct err *err)
{
	int r;

	/* One file, which is the old one or the new one. */
	if (u->groups.n == 0 && !u->traffic)
		return write_record(u, changed, err);
	r = set_mark(u->records, u->sandbox, true, err);
	if (r == 0)
		r = change_groups(u, &spec->limits, false, err);
	if (r == 0 && u->traffic)
		r = change_traffic(u, spec, TRAFFIC_TIGHTEN, err);
	if (r == 0)
		r = write_record(u, changed, err);
	if (r == 0 && !is_record(u, changed))
		r = err_set(err, ERR_SETUP, 0, "sandbox %s: its record is not what was written",
			    u->ref);
	if (r == 0)
		r = change_groups(u, &spec->limits, true, err);
	if (r == 0 && u->traffic)
		r = change_traffic(u, spec, TRAFFIC_SET, err);
	if (r == 0)
		return follow_run(u, err);
	go_back(u);
	return r;
}
