/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results as exit codes and as JSON; see result.h. Pure. */
#include "launcher/result.h"

#include <signal.h>
#include <sys/resource.h>

#include "base/json.h"
#include "launcher/access.h"

enum { KILLED_BY_CORDON = 137 };

int result_exit_code(const struct run_result *result)
{
	switch (result->kind) {
	case RUN_EXITED:
		return (int)result->exit_code;
	case RUN_PIDS:
	case RUN_DISK_FULL: /* its own end */
		return result->signal != RESULT_NONE ? 128 + (int)result->signal
						     : (int)result->exit_code;
	case RUN_SIGNALLED:
		return 128 + (int)result->signal;
	case RUN_WALL_TIME:
	case RUN_POLICY_KILL:
	case RUN_CPU_TIME:
	case RUN_IDLE_TIME:
	case RUN_OUTPUT:
	case RUN_OOM:
	case RUN_FSIZE:
		return KILLED_BY_CORDON;
	case RUN_SETUP_FAILED:
		break;
	}
	return 125;
}

const struct spec_rlimit *result_find_cpu_limit(struct run_result *ret,
						const struct spec_limits *limits)
{
	/* The kernel counts in ticks, getrusage(2) scales: for one second it has said 950 ms. */
	enum { COUNTED_OF_SECOND_MS = 800 };
	bool is_counted = ret->cpu_user_ms != RESULT_NONE && ret->cpu_system_ms != RESULT_NONE;

	if (ret->kind != RUN_SIGNALLED || !is_counted)
		return NULL;
	for (size_t i = 0; i < limits->n_rlimits; i++) {
		const struct spec_rlimit *limit = &limits->rlimits[i];
		uint64_t used_ms = (uint64_t)(ret->cpu_user_ms + ret->cpu_system_ms);

		if (limit->resource != RLIMIT_CPU || limit->value == SPEC_UNLIMITED)
			continue;
		if (ret->signal != SIGXCPU &&
		    (ret->signal != SIGKILL || used_ms < limit->value * COUNTED_OF_SECOND_MS))
			continue;
		ret->limit = "limits.ulimits.cpu";
		return limit;
	}
	return NULL;
}

void result_explain_fsize(struct run_result *ret, const struct spec_limits *limits)
{
	if (ret->kind != RUN_SIGNALLED || ret->signal != SIGXFSZ)
		return;
	for (size_t i = 0; i < limits->n_rlimits; i++) {
		if (limits->rlimits[i].resource != RLIMIT_FSIZE ||
		    limits->rlimits[i].value == SPEC_UNLIMITED)
			continue;
		ret->kind = RUN_FSIZE;
		ret->limit = "limits.ulimits.fsize";
	}
}

const char *result_kind_name(enum run_kind kind)
{
	switch (kind) {
	case RUN_SETUP_FAILED:
		return "setup_failed";
	case RUN_EXITED:
		return "exited";
	case RUN_SIGNALLED:
		return "signalled";
	case RUN_WALL_TIME:
		return "wall_time";
	case RUN_POLICY_KILL:
		return "policy_kill";
	case RUN_CPU_TIME:
		return "cpu_time";
	case RUN_IDLE_TIME:
		return "idle_time";
	case RUN_OUTPUT:
		return "output";
	case RUN_OOM:
		return "oom";
	case RUN_PIDS:
		return "pids";
	case RUN_FSIZE:
		return "fsize";
	case RUN_DISK_FULL:
		return "disk_full";
	}
	return "unknown";
}

static void number_or_null(struct json *json, const char *name, int64_t value)
{
	if (value == RESULT_NONE)
		json_null(json, name);
	else
		json_number(json, name, value);
}

static void add_numbers(struct json *json, const struct run_result *r)
{
	number_or_null(json, "wall_ms", r->wall_ms);
	number_or_null(json, "cpu_user_ms", r->cpu_user_ms);
	number_or_null(json, "cpu_system_ms", r->cpu_system_ms);
	number_or_null(json, "cpu_ms", r->cpu_ms);
	number_or_null(json, "memory_peak_bytes", r->memory_peak_bytes);
	number_or_null(json, "oom_kills", r->oom_kills);
	number_or_null(json, "pids_peak", r->pids_peak);
	number_or_null(json, "pids_refused", r->pids_refused);
	number_or_null(json, "io_read_bytes", r->io_read_bytes);
	number_or_null(json, "io_write_bytes", r->io_write_bytes);
	number_or_null(json, "output_bytes", r->output_bytes);
}

static void add_provenance(struct json *json, const struct run_result *result,
			   const struct sandbox_spec *spec)
{
	json_open(json, "waivers", '[');
	for (size_t i = 0; spec != NULL && i < spec->provenance.n_waivers; i++) {
		json_open(json, NULL, '{');
		json_text(json, "name", spec->provenance.waivers[i].name);
		json_text(json, "reason", spec->provenance.waivers[i].reason);
		json_close(json, '}');
	}
	json_close(json, ']');
	json_open(json, "not_enforced", '[');
	for (size_t i = 0; result != NULL && i < result->n_not_enforced; i++)
		json_text(json, NULL, result->not_enforced[i]);
	json_close(json, ']');
	json_open(json, "profiles", '[');
	for (size_t i = 0; spec != NULL && i < spec->provenance.n_profiles; i++) {
		json_open(json, NULL, '{');
		json_text(json, "path", spec->provenance.profiles[i].path);
		json_text(json, "digest", spec->provenance.profiles[i].digest);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void add_denial(struct json *json, const struct sandbox_spec *spec,
		       const struct denial *denial)
{
	struct denial_view view;

	denial_describe(spec, denial, &view);
	json_open(json, NULL, '{');
	json_text(json, "call", view.call);
	json_text(json, "architecture",
		  view.architecture[0] != '\0' ? view.architecture : "native");
	json_text(json, "argument", view.argument[0] != '\0' ? view.argument : NULL);
	json_text(json, "answer", view.answer);
	json_number(json, "count", (int64_t)denial->count);
	json_text(json, "file", view.origin.file);
	json_number(json, "line", view.origin.line);
	json_text(json, "waiver", view.waiver[0] != '\0' ? view.waiver : NULL);
	json_close(json, '}');
}

static void add_denials(struct json *json, const struct denials *denials,
			const struct sandbox_spec *spec)
{
	if (denials == NULL || spec == NULL || denials->is_lost != 0) {
		json_null(json, "denials");
		json_null(json, "denials_not_listed");
		return;
	}
	json_open(json, "denials", '[');
	for (size_t i = 0; i < denials->n; i++)
		add_denial(json, spec, &denials->list[i]);
	json_close(json, ']');
	json_number(json, "denials_not_listed", (int64_t)denials->others);
}

static void add_access(struct json *json, const struct sandbox_spec *spec,
		       const struct access_denial *denial)
{
	struct access_view view;

	access_describe(spec, denial, &view);
	json_open(json, NULL, '{');
	json_text(json, "layer", view.layer);
	json_text(json, "what", denial->what);
	json_text(json, "detail", denial->detail[0] != '\0' ? denial->detail : NULL);
	json_text(json, "path", denial->path[0] != '\0' ? denial->path : NULL);
	number_or_null(json, "port",
		       denial->port <= INT64_MAX ? (int64_t)denial->port : RESULT_NONE);
	json_number(json, "count", (int64_t)denial->count);
	json_truth(json, "certain", denial->is_certain != 0);
	json_text(json, "file", view.origin.file);
	json_number(json, "line", view.origin.line);
	json_close(json, '}');
}

/* Null, too, where Landlock is on and nothing is recorded of it: an empty list would be a word. */
static void add_accesses(struct json *json, const struct access_denials *access,
			 const struct sandbox_spec *spec)
{
	if (access == NULL || spec == NULL || access->is_lost != 0 ||
	    (access->n == 0 && access->has_domain == 0 && spec->landlock.demand != DEMAND_NONE)) {
		json_null(json, "access_denials");
		json_null(json, "access_denials_not_listed");
		return;
	}
	json_open(json, "access_denials", '[');
	for (size_t i = 0; i < access->n; i++)
		add_access(json, spec, &access->list[i]);
	json_close(json, ']');
	json_number(json, "access_denials_not_listed", (int64_t)(access->others + access->unseen));
}

static void add_reached_not(struct json *json, const struct sandbox_spec *spec,
			    const struct reach_denials *reach, size_t i)
{
	const struct egress_denial *denial = &reach->sent.list[i];
	struct reach_view view;

	reach_describe(spec, reach, i, &view);
	json_open(json, NULL, '{');
	json_text(json, "address", view.address);
	number_or_null(json, "port", denial->port != 0 ? denial->port : RESULT_NONE);
	json_text(json, "protocol", view.protocol);
	json_text(json, "name", view.name);
	json_number(json, "count", (int64_t)denial->count);
	json_text(json, "rule", view.rule[0] != '\0' ? view.rule : NULL);
	json_close(json, '}');
}

static void add_names_refused(struct json *json, const struct resolver_notes *notes)
{
	json_open(json, "egress_names_denied", '[');
	for (uint32_t i = 0; i < notes->n_refused; i++) {
		json_open(json, NULL, '{');
		json_text(json, "name", notes->refused[i].name);
		json_number(json, "count", notes->refused[i].count);
		json_close(json, '}');
	}
	json_close(json, ']');
	json_number(json, "egress_names_denied_not_listed", notes->others);
}

static void add_reach(struct json *json, const struct reach_denials *reach,
		      const struct sandbox_spec *spec)
{
	bool is_known = reach != NULL && spec != NULL && !reach->is_lost;

	if (!is_known) {
		json_null(json, "egress_denials");
		json_null(json, "egress_denials_not_listed");
		json_null(json, "egress_names_denied");
		json_null(json, "egress_names_denied_not_listed");
		return;
	}
	json_open(json, "egress_denials", '[');
	for (size_t i = 0; i < reach->sent.n; i++)
		add_reached_not(json, spec, reach, i);
	json_close(json, ']');
	json_number(json, "egress_denials_not_listed", (int64_t)reach->sent.others);
	add_names_refused(json, &reach->names);
}

ssize_t result_to_json(const struct run_result *result, const struct sandbox_spec *spec,
		       const char *setup_error, int setup_exit_code, char *buf, size_t size)
{
	static const struct run_result nothing = {.exit_code = RESULT_NONE,
						  .signal = RESULT_NONE,
						  .wall_ms = RESULT_NONE,
						  .cpu_user_ms = RESULT_NONE,
						  .cpu_system_ms = RESULT_NONE,
						  RESULT_UNMEASURED};
	const struct run_result *r = setup_error != NULL ? &nothing : result;
	struct json json;

	json_init(&json, buf, size);
	json_open(&json, NULL, '{');
	json_text(&json, "schema", "cordon.result/1");
	json_text(&json, "kind", result_kind_name(r->kind));
	if (setup_error != NULL)
		json_number(&json, "exit_code", setup_exit_code);
	else
		number_or_null(&json, "exit_code", r->exit_code);
	number_or_null(&json, "signal", r->signal);
	number_or_null(&json, "caller_signal", r->caller_signal);
	json_text(&json, "limit", r->limit);
	json_text(&json, "error", setup_error);
	add_numbers(&json, r);
	add_provenance(&json, result, spec);
	add_denials(&json, r->denials, spec);
	add_accesses(&json, r->access, spec);
	add_reach(&json, r->reach, spec);
	json_close(&json, '}');
	return json_finish(&json);
}
