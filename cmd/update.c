/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `cordon update`: other limits, and another restart policy, for sandboxes that are there. The
 * flags become the last ones of the record, which is decided anew with them, today's ceiling
 * included. Where it runs, its groups are changed as well (update_apply.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "cmd/print.h"
#include "cmd/update_apply.h"
#include "records/events.h"

/* ---- which flags ---- */

static uint32_t limit_of_key(const char *key, size_t len)
{
	for (enum spec_limit limit = 0; limit < SPEC_LIMITS; limit++)
		if (update_is_limit_of_group(limit) && strlen(spec_limit_names[limit]) == len &&
		    strncmp(spec_limit_names[limit], key, len) == 0)
			return 1U << limit;
	return 0;
}

struct change {
	uint32_t limits;      /* bits */
	bool restart;         /* the restart policy */
	bool size;            /* how much its root may take */
	bool traffic;         /* how fast it may send and receive */
	const char *at_start; /* a flag that counts from the next start on; NULL: none */
};

static bool is_of_traffic(const char *key, size_t len)
{
	static const char *const keys[] = {"network.egress.rate", "network.egress.burst",
					   "network.ingress.rate", "network.ingress.burst"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strlen(keys[i]) == len && strncmp(keys[i], key, len) == 0)
			return true;
	return false;
}

static int take_key(const struct policy_flag *flag, struct change *ret, struct err *err)
{
	static const char below[] = "limits.", size_key[] = "rootfs.writable.size";
	size_t len = strcspn(flag->text, "=");
	uint32_t bit;

	if (len == strlen("restart") && str_has_prefix(flag->text, "restart")) {
		ret->restart = true;
		return 0;
	}
	if (len == strlen(size_key) && str_has_prefix(flag->text, size_key)) {
		ret->size = true;
		return 0;
	}
	if (is_of_traffic(flag->text, len)) {
		ret->traffic = true;
		return 0;
	}
	if (!str_has_prefix(flag->text, below)) {
		err_set(err, ERR_USAGE, 0, "--set %.*s is no limit", (int)len, flag->text);
		return err_hint(err, "update changes limits, rates, restart and "
				     "rootfs.writable.size. What else a sandbox is stays: make "
				     "another one.");
	}
	bit = limit_of_key(flag->text + strlen(below), len - strlen(below));
	ret->limits |= bit;
	if (bit == 0)
		ret->at_start = flag->text;
	return 0;
}

static int take_storage(const struct policy_flag *flag, struct change *ret, struct err *err)
{
	if (!str_has_prefix(flag->text, "size=")) {
		err_set(err, ERR_USAGE, 0, "--storage-opt %s cannot be changed later", flag->text);
		return err_hint(err, "update takes size=SIZE. What else a sandbox is stays: make "
				     "another one.");
	}
	ret->size = true;
	return 0;
}

static int read_change(const struct options *o, struct change *ret, struct err *err)
{
	static const struct {
		enum policy_flag_kind kind;
		uint32_t limits;
	} kinds[] = {
		{FLAG_MEMORY, 1U << LIMIT_MEMORY | 1U << LIMIT_SWAP},
		{FLAG_MEMORY_SWAP, 1U << LIMIT_MEMORY | 1U << LIMIT_SWAP},
		{FLAG_PIDS_LIMIT, 1U << LIMIT_PIDS},
		{FLAG_CPUS, 1U << LIMIT_CPUS},
		{FLAG_CPUSET_CPUS, 1U << LIMIT_CPUSET},
		{FLAG_CPU_SHARES, 1U << LIMIT_CPU_WEIGHT},
	};
	int r = 0;

	*ret = (struct change){.limits = 0};
	for (size_t i = 0; r == 0 && i < o->n_flags; i++) {
		if (o->flags[i].kind == FLAG_SET)
			r = take_key(&o->flags[i], ret, err);
		if (o->flags[i].kind == FLAG_RESTART)
			ret->restart = true;
		if (r == 0 && o->flags[i].kind == FLAG_STORAGE_OPT)
			r = take_storage(&o->flags[i], ret, err);
		if (o->flags[i].kind == FLAG_EGRESS_RATE || o->flags[i].kind == FLAG_EGRESS_BURST ||
		    o->flags[i].kind == FLAG_INGRESS_RATE || o->flags[i].kind == FLAG_INGRESS_BURST)
			ret->traffic = true;
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			if (o->flags[i].kind == kinds[k].kind)
				ret->limits |= kinds[k].limits;
	}
	if (r == 0 && o->n_flags == 0) {
		err_set(err, ERR_USAGE, 0, "nothing to change");
		return err_hint(err, "cordon update --memory 256m SANDBOX.");
	}
	return r;
}

/* Said again: the later one counts alone. */
static bool says_the_same(const struct policy_flag *a, const struct policy_flag *b)
{
	size_t len = strcspn(a->text, "=");

	if (a->kind != b->kind)
		return false;
	return (a->kind != FLAG_SET && a->kind != FLAG_STORAGE_OPT) ||
	       (len == strcspn(b->text, "=") && strncmp(a->text, b->text, len) == 0);
}

/* The record's flags without those that are said again, then these. malloc, the caller's. */
static struct policy_flag *join_flags(const struct record *record, const struct options *o,
				      size_t *ret_n)
{
	const struct policy_request *policy = &record->request.policy;
	struct policy_flag *flags = calloc(policy->n_flags + o->n_flags + 1, sizeof(*flags));
	size_t n = 0;

	for (size_t i = 0; flags != NULL && i < policy->n_flags; i++) {
		bool is_again = false;

		for (size_t k = 0; k < o->n_flags; k++)
			is_again = is_again || says_the_same(&policy->flags[i], &o->flags[k]);
		if (!is_again)
			flags[n++] = policy->flags[i];
	}
	for (size_t i = 0; flags != NULL && i < o->n_flags; i++)
		flags[n++] = o->flags[i];
	*ret_n = n;
	return flags;
}

/* ---- one sandbox ---- */

/* Of one that runs: that this can be changed meanwhile. */
static int open_groups(struct update *u, const struct change *change, struct err *err)
{
	if (change->at_start != NULL) {
		err_set(err, ERR_USAGE, 0, "%.*s cannot be changed while sandbox %s runs",
			(int)strcspn(change->at_start, "="), change->at_start, u->ref);
		return err_hint(err, "Stop it first: cordon stop %s.", u->ref);
	}
	u->traffic = change->traffic;
	if (change->limits != 0)
		return update_open_groups(u, err);
	return change->traffic ? update_check_runs(u, err) : 0;
}

/* A keeper that waits for the end reads the record then; one that is the run's own has nobody
 * behind it. */
static void note_restart(const struct update *u, const struct change *change)
{
	const struct live_run *live = &u->status.live;

	if (change->restart && u->status.has_keeper && live->launcher.pid == live->keeper.pid)
		print_note("sandbox %s: the restart policy counts from its next start on", u->ref);
}

/* How much its root may take: of one that runs now, of one that does not at its next start. */
static int check_size(struct update *u, const struct decision *decision, struct err *err)
{
	const struct target_request request = {.record = &u->record,
					       .status = &u->status,
					       .ref = u->ref,
					       .use = TARGET_READ};
	const int layer_dir_fd = u->sandbox->is_kept ? u->sandbox->dir_fd : -EBADF;
	int r;

	u->grows_layer = u->status.has_keeper && layer_dir_fd >= 0 &&
			 cordon_layer_grows_live(decision, layer_dir_fd);
	if (u->status.has_keeper && !u->grows_layer) {
		r = target_open(&request, &u->target, err);
		u->has_target = r == 0;
		if (r == 0)
			r = grow_check(&u->target, decision->spec.rootfs.size_bytes, err);
	} else {
		r = cordon_check_layer_size(decision, u->sandbox->dir_fd, err);
	}
	return r < 0 ? err_wrap(err, "sandbox %s", u->ref) : 0;
}

/* Behind the record: who is killed in between leaves it with less than that says. */
static int grow(const struct update *u, const struct decision *decision, struct err *err)
{
	int r = u->grows_layer ? cordon_grow_layer(decision, u->sandbox->dir_fd, err)
			       : grow_root(&u->target, decision->spec.rootfs.size_bytes, err);

	if (r == 0)
		return 0;
	err_wrap(err, "sandbox %s", u->ref);
	return err_hint(err, "Its record is changed: it has the new size from its next start on.");
}

static int decide_and_apply(struct verdict *verdict, struct update *u, const struct change *change)
{
	_cleanup_free_ struct policy_flag *flags = NULL;
	struct record changed = u->record;
	struct run_request roots;
	char restart[64];
	int r;

	cmd_request_init(u->context, &roots);
	flags = join_flags(&u->record, &verdict->options, &changed.request.policy.n_flags);
	if (flags == NULL)
		return err_set(&verdict->err, ERR_SETUP, ENOMEM, "flags");
	changed.request.policy.flags = flags;
	changed.request.root_dir = roots.root_dir;
	changed.request.runtime_dir = roots.runtime_dir;
	r = kept_enter_directory(&u->record, &verdict->err);
	if (r == 0)
		r = kept_decide(verdict, &changed.request);
	if (r < 0)
		return r;
	kept_restart_text(&verdict->decision.spec.supervision, restart, sizeof(restart));
	changed.restart = restart;
	r = u->status.has_keeper ? open_groups(u, change, &verdict->err) : 0;
	if (r == 0 && change->size)
		r = check_size(u, &verdict->decision, &verdict->err);
	if (r == 0)
		r = update_apply(u, &changed, &verdict->decision.spec, &verdict->err);
	if (r == 0 && (u->has_target || u->grows_layer))
		r = grow(u, &verdict->decision, &verdict->err);
	return r;
}

static int look_and_update(struct verdict *verdict, struct update *u, const struct change *change)
{
	int r = sandbox_lock(u->records, u->sandbox, &verdict->err);

	if (r == 0)
		r = status_settle(u->records, u->sandbox, &verdict->err);
	if (r >= 0)
		r = update_settle(u->context, u->records, u->sandbox, u->ref, &verdict->err);
	if (r > 0)
		print_note("sandbox %s: an update of it was cut off; its groups have the limits of "
			   "its record again",
			   u->ref);
	if (r >= 0)
		r = record_read(u->records, u->sandbox, &u->record, &verdict->err);
	if (r == 0)
		r = status_read(u->records, u->sandbox, &u->status, &verdict->err);
	if (r == 0)
		r = decide_and_apply(verdict, u, change);
	if (r == 0) {
		events_note(u->records, u->sandbox, "update", NULL, 0);
		note_restart(u, change);
	}
	return r;
}

/* Each is decided by itself. Returns the exit code; what is wrong has been said. */
static int update_one(const struct cmd_context *context, const struct records *records, char **argv,
		      const char *ref)
{
	_cleanup_verdict_ struct verdict *verdict = verdict_new();
	struct sandbox sandbox = {.dir_fd = -EBADF};
	struct update u = {.context = context,
			   .records = records,
			   .sandbox = &sandbox,
			   .ref = ref,
			   .groups = {.n = 0}};
	struct change change = {.limits = 0};
	int r;

	if (verdict == NULL)
		return EXIT_CORDON;
	r = options_parse_for(OPTION_UPDATE, argv, &verdict->options, &verdict->err);
	if (r == 0)
		r = read_change(&verdict->options, &change, &verdict->err);
	u.limits = change.limits;
	if (r == 0)
		r = records_find(records, ref, &sandbox, &verdict->err);
	if (r == 0)
		r = look_and_update(verdict, &u, &change);
	if (r < 0)
		verdict_print_refusal(verdict);
	else
		print_out("%s\n", ref);
	update_release(&u);
	sandbox_release(&sandbox);
	return r < 0 ? err_exit_code(&verdict->err) : 0;
}

static int check(const struct options *o, struct err *err)
{
	struct change change;
	int r = options_check_command(o, OPTION_UPDATE, "update", err);

	if (r == 0 && o->rest[0] == NULL) {
		err_set(err, ERR_USAGE, 0, "update wants a sandbox");
		return err_hint(err, "cordon update --memory 256m SANDBOX.");
	}
	return r == 0 ? read_change(o, &change, err) : r;
}

int cmd_update(const struct cmd_context *context, int argc, char **argv)
{
	_cleanup_verdict_ struct verdict *verdict = verdict_new();
	struct records records;
	int exit_code = 0;

	(void)argc;
	if (verdict == NULL)
		return EXIT_CORDON;
	if (options_parse_for(OPTION_UPDATE, argv + 1, &verdict->options, &verdict->err) < 0 ||
	    (!verdict->options.help && check(&verdict->options, &verdict->err) < 0)) {
		print_err(&verdict->err);
		return EXIT_CORDON;
	}
	if (verdict->options.help)
		return command_print_help_of("update");
	if (kept_open(context, false, &records) < 0)
		return EXIT_CORDON;
	for (char **word = verdict->options.rest; *word != NULL; word++) {
		int code = update_one(context, &records, argv + 1, *word);

		exit_code = code != 0 ? code : exit_code;
	}
	kept_close(&records);
	return exit_code;
}
