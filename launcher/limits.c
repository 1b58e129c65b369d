/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sandbox's control groups, from the first row to the last, and what the keeper does while the
 * sandbox runs: it looks at processor time when that can have run out, and ends everything where
 * memory was short. Runs in the keeper.
 */
#include "launcher/limits.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/str.h"

/* How a group stands in the journal. The second: its parent is ours, too. */
static const char *const journal_words[] = {"cgroup ", "cgroup_below_ours "};
static const char journal_leaf[] = "cgroup_leaf "; /* controllers as bits, path */

enum { OUR_TASKS = 1, MEMORY_PAUSE_MS = 2, MEMORY_WAIT_MS = 2000, US_IN_MS = 1000 };

/* Looks at a sandbox that may be idle, and what is no work: 0.2 % of a processor. A JVM that waits
 * takes less, a request that is answered more. */
enum {
	IDLE_LOOKS = 8,
	IDLE_PAUSE_LEAST_MS = 10,
	IDLE_PAUSE_MOST_MS = 1000,
	TIMERS_US_IN_MS = 2,
	TIMERS_LEAST_US = 500,
};

/* ---- hard limits ---- */

static uint64_t wanted_limit(const struct decision *d, size_t i)
{
	return i < d->spec.limits.n_rlimits ? d->spec.limits.rlimits[i].value : d->plan.nproc_limit;
}

static int limit_resource(const struct decision *d, size_t i)
{
	return i < d->spec.limits.n_rlimits ? d->spec.limits.rlimits[i].resource : RLIMIT_NPROC;
}

bool limits_exceed_hard(const struct decision *d)
{
	for (size_t i = 0; i <= d->spec.limits.n_rlimits; i++)
		if (wanted_limit(d, i) > d->facts.rlimit_hard[limit_resource(d, i)])
			return true;
	return false;
}

/* Only the hard limits are raised, never the soft ones lowered: the soft RLIMIT_NPROC of the moment
 * of clone would bind the whole user namespace (user_namespaces(7) and kernel/ucount.c). */
int limits_raise_hard(struct launch *launch, struct err *err)
{
	const struct decision *d = launch->decision;

	for (size_t i = 0; i <= d->spec.limits.n_rlimits; i++) {
		uint64_t wanted = wanted_limit(d, i);
		int resource = limit_resource(d, i);
		struct rlimit limit;

		if (wanted <= d->facts.rlimit_hard[resource])
			continue;
		if (getrlimit((__rlimit_resource_t)resource, &limit) != 0)
			return err_set(err, ERR_SETUP, errno, "read limit %d", resource);
		limit.rlim_max = wanted == SPEC_UNLIMITED ? RLIM_INFINITY : wanted;
		if (setrlimit((__rlimit_resource_t)resource, &limit) != 0)
			return err_set(err, ERR_SETUP, errno, "raise hard limit %d", resource);
	}
	return 0;
}

/* ---- the group's rows ---- */

bool limits_has_group(const struct decision *decision)
{
	return decision->limits.controllers != 0;
}

bool limits_has_v1_group(const struct decision *decision)
{
	const struct cgroup_facts *facts = &decision->facts.cgroup;

	for (size_t i = 0; i < facts->n_hierarchies; i++)
		if (facts->hierarchies[i].version == CGROUP_V1 &&
		    (facts->hierarchies[i].controllers & decision->limits.controllers) != 0)
			return true;
	return false;
}

int limits_make_group(struct launch *launch, struct err *err)
{
	const struct decision *d = launch->decision;
	int r = 0;

	cgroup_plan(launch->cgroup_facts, d->limits.controllers, launch->run.id, &launch->cgroup);
	for (size_t i = 0; r == 0 && i < launch->cgroup.n; i++) {
		const struct cgroup_place *place = &launch->cgroup.places[i];
		char line[sizeof(place->path) + 32];

		str_format(line, sizeof(line), "%s%s", journal_words[place->parent_is_ours],
			   place->path);
		r = state_journal(&launch->run, line, err);
	}
	if (r == 0)
		r = cgroup_make(launch->cgroup_facts, &launch->cgroup, err);
	if (r == 0)
		r = cgroup_limit(&launch->cgroup, &d->spec.limits, d->limits.enforced, OUR_TASKS,
				 err);
	return r;
}

int limits_verify_group(struct launch *launch, struct err *err)
{
	uint32_t controllers = 0;

	/* Each limit was read back when it was set. */
	for (size_t i = 0; i < launch->cgroup.n; i++)
		controllers |= launch->cgroup.places[i].controllers;
	return controllers != launch->decision->limits.controllers
		       ? err_set(err, ERR_SETUP, 0, "the sandbox has no group for each limit")
		       : 0;
}

int limits_remove_group(struct launch *launch, struct err *err)
{
	int result = 0;

	cgroup_release(&launch->cgroup);
	for (size_t i = 0; i < launch->cgroup.n; i++) {
		int r = cgroup_remove(launch->cgroup.places[i].path,
				      launch->cgroup.places[i].parent_is_ours, err);

		result = r < 0 ? r : result;
	}
	launch->cgroup.n = 0;
	return result;
}

int limits_join_group(struct launch *launch, struct err *err)
{
	return cgroup_join(&launch->cgroup, err);
}

int limits_verify_member(struct launch *launch, struct err *err)
{
	return cgroup_verify_member(&launch->cgroup, launch->workload_pid, err);
}

/* ---- the leaf of the keeper ---- */

bool limits_wants_leaf(const struct decision *decision)
{
	return cgroup_wants_leaf(&decision->facts.cgroup, decision->limits.controllers);
}

int limits_enter_leaf(struct launch *launch, struct err *err)
{
	const struct decision *d = launch->decision;
	struct cgroup_leaf leaf;
	char line[sizeof(leaf.path) + 48];
	int r;

	cgroup_leaf_plan(launch->cgroup_facts, d->limits.controllers, launch->run.id, &leaf);
	str_format(line, sizeof(line), "%s%u %s", journal_leaf, leaf.controllers, leaf.path);
	r = state_journal(&launch->run, line, err);
	if (r < 0)
		return r;
	launch->cgroup_leaf = leaf;
	return cgroup_leaf_enter(&launch->cgroup_leaf, err);
}

int limits_verify_leaf(struct launch *launch, struct err *err)
{
	return launch->cgroup_leaf.path[0] == '\0'
		       ? err_set(err, ERR_SETUP, 0, "cordon is in the group of the sandbox's group")
		       : cgroup_leaf_verify(&launch->cgroup_leaf, err);
}

int limits_leave_leaf(struct launch *launch, struct err *err)
{
	return cgroup_leaf_leave(&launch->cgroup_leaf, true, err);
}

/* ---- gc ---- */

/* What follows "begin WORD" on a line of the journal, into buf; false where it is another line. */
static bool take_entry(const char *line, const char *word, char *buf, size_t size)
{
	static const char begin[] = "begin ";
	size_t len = strcspn(line, "\n"), skipped = sizeof(begin) - 1 + strlen(word);

	if (!str_has_prefix(line, begin) || !str_has_prefix(line + sizeof(begin) - 1, word) ||
	    len <= skipped || len - skipped >= size)
		return false;
	str_format(buf, size, "%.*s", (int)(len - skipped), line + skipped);
	return true;
}

static int gc_groups(const char *line, struct err *err)
{
	char path[CGROUP_DIR_MAX + CGROUP_NAME_MAX];

	for (size_t ours = 0; ours < sizeof(journal_words) / sizeof(journal_words[0]); ours++)
		if (take_entry(line, journal_words[ours], path, sizeof(path)))
			return cgroup_remove(path, ours != 0, err);
	return 0;
}

static int gc_leaf(const char *line, struct err *err)
{
	struct cgroup_leaf leaf = {0};
	char entry[sizeof(leaf.path) + 16], number[16];
	size_t len;
	uint64_t bits;

	if (!take_entry(line, journal_leaf, entry, sizeof(entry)))
		return 0;
	len = strcspn(entry, " ");
	str_format(number, sizeof(number), "%.*s", (int)len, entry);
	if (parse_u64(number, &bits) < 0 || entry[len] != ' ' || entry[len + 1] != '/')
		return 0; /* the keeper died while it wrote: nothing was made */
	leaf.controllers = (uint32_t)bits & ((1U << CGROUP_CONTROLLERS) - 1);
	str_format(leaf.path, sizeof(leaf.path), "%s", entry + len + 1);
	return cgroup_leaf_leave(&leaf, false, err);
}

int limits_gc(const char *journal, struct err *err)
{
	int result = 0;

	/* The leaf last, as in an undo. */
	for (int pass = 0; pass < 2; pass++) {
		for (const char *line = journal; *line != '\0';
		     line += strcspn(line, "\n"), line += *line == '\n') {
			int r = pass == 0 ? gc_groups(line, err) : gc_leaf(line, err);

			result = r < 0 ? r : result;
		}
	}
	return result;
}

/* ---- supervision ---- */

void limits_watch_init(const struct launch *launch, int64_t now_ms, struct limits_watch *ret)
{
	const struct decision *d = launch->decision;

	*ret = (struct limits_watch){.cpu_limit_us = INT64_MAX,
				     .next_cpu_ms = INT64_MAX,
				     .idle_limit_ms = INT64_MAX,
				     .next_idle_ms = INT64_MAX};
	if ((d->limits.enforced & 1U << LIMIT_IDLE_TIME) != 0) {
		ret->idle_limit_ms = (int64_t)d->spec.limits.total[LIMIT_IDLE_TIME].value;
		ret->active_ms = ret->looked_ms = now_ms;
		ret->looked_cpu_us = cgroup_read_cpu_us(&launch->cgroup);
		ret->next_idle_ms = now_ms + limits_idle_pause(ret->idle_limit_ms);
		ret->wants_output = true;
	}
	if ((d->limits.enforced & 1U << LIMIT_CPU_TIME) == 0)
		return;
	ret->cpu_limit_us = (int64_t)d->spec.limits.total[LIMIT_CPU_TIME].value * US_IN_MS;
	ret->next_cpu_ms = now_ms;
}

int64_t limits_idle_pause(int64_t idle_limit_ms)
{
	int64_t pause = idle_limit_ms / IDLE_LOOKS;

	if (pause < IDLE_PAUSE_LEAST_MS)
		return IDLE_PAUSE_LEAST_MS;
	return pause > IDLE_PAUSE_MOST_MS ? IDLE_PAUSE_MOST_MS : pause;
}

bool limits_is_work(int64_t used_us, int64_t elapsed_ms)
{
	int64_t timers = elapsed_ms * TIMERS_US_IN_MS;

	return used_us > (timers < TIMERS_LEAST_US ? TIMERS_LEAST_US : timers);
}

void limits_note_activity(struct limits_watch *watch, int64_t now_ms)
{
	watch->active_ms = now_ms;
}

int limits_patience(const struct limits_watch *watch, int64_t now_ms)
{
	int64_t next =
		watch->next_cpu_ms < watch->next_idle_ms ? watch->next_cpu_ms : watch->next_idle_ms;
	int64_t left;

	if (now_ms < watch->short_until_ms)
		return MEMORY_PAUSE_MS;
	if (next == INT64_MAX)
		return -1;
	left = next - now_ms;
	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

static bool memory_ran_out(const struct launch *launch)
{
	struct cgroup_usage usage;

	cgroup_read_usage(&launch->cgroup, CGROUP_TOTALS, &usage);
	return usage.oom_kills > 0;
}

void limits_on_memory_event(const struct launch *launch, struct limits_watch *watch, int64_t now_ms)
{
	uint64_t count;

	/* The event comes before the kernel has chosen its victim; there may be none, where a
	 * process is on its way out anyway. */
	if (read(launch->cgroup.oom_event_fd, &count, sizeof(count)) > 0)
		watch->short_until_ms = now_ms + MEMORY_WAIT_MS;
}

bool limits_want_looks(const struct launch *launch, const struct limits_watch *watch)
{
	return watch->next_cpu_ms != INT64_MAX || launch->cgroup.oom_event_fd >= 0;
}

void limits_forget_idle(struct limits_watch *watch)
{
	watch->idle_limit_ms = watch->next_idle_ms = INT64_MAX;
}

void limits_go_on(const struct launch *launch, struct limits_watch *watch, int64_t now_ms)
{
	limits_note_activity(watch, now_ms);
	/* The event may have been taken. */
	if (launch->cgroup.oom_event_fd >= 0)
		watch->short_until_ms = now_ms + MEMORY_WAIT_MS;
}

/* Whether it has been idle for too long. */
static bool is_idle(const struct launch *launch, struct limits_watch *watch, int64_t now_ms)
{
	int64_t used;

	if (now_ms < watch->next_idle_ms)
		return false;
	/* What is paused is not idle. */
	if (cgroup_is_frozen(&launch->cgroup))
		watch->active_ms = now_ms;
	used = cgroup_read_cpu_us(&launch->cgroup);
	if (used == CGROUP_UNKNOWN)
		return true; /* as for processor time: it cannot be promised any more */
	if (limits_is_work(used - watch->looked_cpu_us, now_ms - watch->looked_ms))
		watch->active_ms = now_ms;
	watch->looked_ms = now_ms;
	watch->looked_cpu_us = used;
	watch->next_idle_ms = now_ms + limits_idle_pause(watch->idle_limit_ms);
	watch->wants_output = true;
	return now_ms - watch->active_ms >= watch->idle_limit_ms;
}

enum spec_limit limits_check(const struct launch *launch, struct limits_watch *watch,
			     int64_t now_ms)
{
	int64_t used, left_ms;

	if (now_ms < watch->short_until_ms && memory_ran_out(launch))
		return LIMIT_MEMORY;
	if (is_idle(launch, watch, now_ms))
		return LIMIT_IDLE_TIME;
	if (now_ms < watch->next_cpu_ms)
		return SPEC_LIMITS;
	used = cgroup_read_cpu_us(&launch->cgroup);
	/* What cannot be read any more cannot be promised any more. */
	if (used == CGROUP_UNKNOWN || used >= watch->cpu_limit_us)
		return LIMIT_CPU_TIME;
	/* It cannot run out before all processors have worked for it. Rounded up: no spin. */
	left_ms = (watch->cpu_limit_us - used) / US_IN_MS /
		  (int64_t)launch->decision->facts.cgroup.n_cpus;
	watch->next_cpu_ms = now_ms + (left_ms < 1 ? 1 : left_ms);
	return SPEC_LIMITS;
}

/* ---- the end ---- */

static int64_t to_ms(int64_t us, int64_t otherwise)
{
	return us == CGROUP_UNKNOWN ? otherwise : us / US_IN_MS;
}

static int64_t known(int64_t value)
{
	return value == CGROUP_UNKNOWN ? RESULT_NONE : value;
}

void limits_sample(const struct launch *launch, struct run_sample *ret)
{
	struct cgroup_usage usage;

	cgroup_read_usage(&launch->cgroup, CGROUP_NOW, &usage);
	*ret = (struct run_sample){
		.memory_bytes = known(usage.memory_bytes),
		.swap_bytes = known(usage.swap_bytes),
		.pids = usage.pids < OUR_TASKS ? RESULT_NONE : usage.pids - OUR_TASKS,
		.cpu_us = known(usage.cpu_us),
		.io_read_bytes = known(usage.io_read_bytes),
		.io_write_bytes = known(usage.io_write_bytes),
	};
}

static bool has_failed(const struct run_result *result)
{
	return result->kind == RUN_SIGNALLED ||
	       (result->kind == RUN_EXITED && result->exit_code != 0);
}

/* Else it was the host, or a group above, that ran out. v1 does not say: its failcnt counts what
 * was reclaimed in time, and stays 0 where memory and swap together have the same limit. What was
 * killed for the limit has come up to it, but for what the kernel charges at once (mm/memcontrol.c,
 * MEMCG_CHARGE_BATCH: 64 pages). */
static bool memory_reached(const struct launch *launch, const struct cgroup_usage *usage)
{
	bool is_limited = (launch->decision->limits.enforced & 1U << LIMIT_MEMORY) != 0;
	uint64_t limit = launch->spec->limits.total[LIMIT_MEMORY].value;
	struct cgroup_bounds bounds = cgroup_read_bounds(&launch->cgroup);

	if (bounds.memory_bytes != CGROUP_UNKNOWN) {
		is_limited = bounds.memory_bytes != CGROUP_UNLIMITED;
		limit = (uint64_t)bounds.memory_bytes;
	}
	if (usage->memory_limit_hits != CGROUP_UNKNOWN || !is_limited)
		return is_limited && usage->memory_limit_hits > 0;
	return usage->memory_peak_bytes == CGROUP_UNKNOWN ||
	       (uint64_t)usage->memory_peak_bytes + 64 * (uint64_t)sysconf(_SC_PAGESIZE) >= limit;
}

/* v1, and v2 before Linux 6.11, count a refusal where the fork was tried, though the limit was that
 * of a group above. */
static bool pids_reached(const struct launch *launch, const struct cgroup_usage *usage)
{
	bool is_limited = (launch->decision->limits.enforced & 1U << LIMIT_PIDS) != 0;
	uint64_t limit = launch->spec->limits.total[LIMIT_PIDS].value + OUR_TASKS;
	struct cgroup_bounds bounds = cgroup_read_bounds(&launch->cgroup);

	if (bounds.pids != CGROUP_UNKNOWN) {
		is_limited = bounds.pids != CGROUP_UNLIMITED;
		limit = (uint64_t)bounds.pids;
	}
	return is_limited &&
	       (usage->pids_peak == CGROUP_UNKNOWN || (uint64_t)usage->pids_peak >= limit);
}

static void find_reason(const struct launch *launch, const struct cgroup_usage *usage,
			struct run_result *result)
{
	uint32_t enforced = launch->decision->limits.enforced;
	const struct spec_limits *limits = &launch->spec->limits;

	if (usage->oom_kills > 0) {
		result->kind = RUN_OOM;
		result->signal = SIGKILL;
		result->exit_code = RESULT_NONE;
		result->limit = memory_reached(launch, usage) ? limits_key(LIMIT_MEMORY) : NULL;
		return;
	}
	/* It ended by itself between two looks at the clock. */
	if ((enforced & 1U << LIMIT_CPU_TIME) != 0 && usage->cpu_us != CGROUP_UNKNOWN &&
	    (result->kind == RUN_EXITED || result->kind == RUN_SIGNALLED) &&
	    usage->cpu_us / US_IN_MS >= (int64_t)limits->total[LIMIT_CPU_TIME].value) {
		result->kind = RUN_CPU_TIME;
		result->signal = SIGKILL;
		result->exit_code = RESULT_NONE;
		result->limit = limits_key(LIMIT_CPU_TIME);
		return;
	}
	if (has_failed(result) && usage->pids_refused > 0 && pids_reached(launch, usage)) {
		result->kind = RUN_PIDS;
		result->limit = limits_key(LIMIT_PIDS);
	}
}

void limits_collect(const struct launch *launch, struct run_result *result)
{
	struct cgroup_usage usage;

	if (launch->cgroup.n == 0)
		return;
	cgroup_read_usage(&launch->cgroup, CGROUP_TOTALS, &usage);
	/* cpuacct of v1 has no split where it was never scheduled on a tick. */
	result->cpu_user_ms = to_ms(usage.cpu_user_us, result->cpu_user_ms);
	result->cpu_system_ms = to_ms(usage.cpu_system_us, result->cpu_system_ms);
	result->cpu_ms = to_ms(usage.cpu_us, RESULT_NONE);
	result->memory_peak_bytes = known(usage.memory_peak_bytes);
	result->oom_kills = known(usage.oom_kills);
	result->pids_peak = usage.pids_peak < OUR_TASKS ? RESULT_NONE : usage.pids_peak - OUR_TASKS;
	result->pids_refused = known(usage.pids_refused);
	result->io_read_bytes = known(usage.io_read_bytes);
	result->io_write_bytes = known(usage.io_write_bytes);
	find_reason(launch, &usage, result);
}
