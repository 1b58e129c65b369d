/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See inspect.h: what is known of one sandbox. Its policy is resolved anew from its record, as a
 * start would, and what this host lacks for that is said beside it.
 */
#include <string.h>

#include "base/json_read.h"
#include "base/str.h"
#include "base/sys.h"
#include "cmd/document.h"
#include "cmd/explain.h"
#include "cmd/inspect.h"
#include "cmd/kept.h"
#include "cmd/look_json.h"
#include "cmd/network.h"
#include "cmd/ports.h"
#include "policy/digest.h"

/* ---- what it is doing ---- */

static void put_pid(struct json *json, const char *name, const struct process_mark *mark)
{
	look_put_number(json, name, mark->pid > 0 ? mark->pid : RESULT_NONE);
}

static void put_processes(struct json *json, const struct sandbox_status *status)
{
	static const struct live_run none = {.n_groups = 0};
	const struct live_run *live = status->has_keeper ? &status->live : &none;

	put_pid(json, "supervisor_pid", &live->keeper);
	put_pid(json, "init_pid", &live->init);
	put_pid(json, "workload_pid", &live->workload);
	look_put_text(json, "run_id", live->run_id);
	json_open(json, "cgroups", '[');
	for (size_t i = 0; i < live->n_groups; i++) {
		json_open(json, NULL, '{');
		json_text(json, "path", live->groups[i].path);
		json_number(json, "version", live->groups[i].version == CGROUP_V1 ? 1 : 2);
		json_open(json, "controllers", '[');
		for (size_t bit = 0; bit < CGROUP_CONTROLLERS; bit++)
			if (live->groups[i].controllers >> bit & 1)
				json_text(json, NULL, cgroup_controller_names[bit]);
		json_close(json, ']');
		json_close(json, '}');
	}
	json_close(json, ']');
}

/* As it was written down; null where there is none, or it is none of ours any more. */
static void put_result(struct json *json, const char *result)
{
	struct json_slice whole;

	if (result != NULL && result[0] == '{' && json_read(result, strlen(result), &whole) == 0)
		json_value(json, "result", whole.text, whole.len);
	else
		json_null(json, "result");
}

/* Processes beside one that runs, which it goes on without. */
static void put_helpers(struct json *json, const struct sandbox_status *status)
{
	const char *at = status->has_keeper ? status->live.helpers_lost : "";

	json_open(json, "helpers_lost", '[');
	while (*at != '\0') {
		size_t len = strcspn(at, " ");
		char name[32];

		str_format(name, sizeof(name), "%.*s", (int)len, at);
		json_text(json, NULL, name);
		at += len + (at[len] == ' ');
	}
	json_close(json, ']');
}

static void put_status(struct json *json, const struct look *look)
{
	const struct sandbox_status *status = &look->status;
	const struct last_run *last = &status->last;
	const struct live_run *live = &status->live;
	bool is_between = look->has_status && status->state == SANDBOX_RESTARTING;
	bool has_live_start = status->has_keeper && live->started_ms != RESULT_NONE;
	const char *reason = last->text[0] != '\0' ? last->text : look_reason(look);
	bool is_known = look->has_status;

	put_processes(json, status);
	look_put_time(json, "started_at",
		      !is_known        ? RESULT_NONE
		      : has_live_start ? live->started_ms
				       : last->started_ms);
	look_put_time(json, "finished_at",
		      !is_known    ? RESULT_NONE
		      : is_between ? live->last_finished_ms
				   : last->finished_ms);
	look_put_number(json, "exit_code",
			!is_known    ? RESULT_NONE
			: is_between ? live->last_exit_code
				     : last->exit_code);
	look_put_time(json, "next_start_at", is_between ? live->next_start_ms : RESULT_NONE);
	look_put_text(json, "kind", last->kind);
	look_put_text(json, "reason", reason);
	json_truth(json, "lost", status->is_lost);
	json_truth(json, "output_lost", last->is_output_lost);
	put_helpers(json, status);
	look_put_number(json, "restarts", is_known ? last->restarts : RESULT_NONE);
	put_result(json, last->result);
}

/* ---- what it is ---- */

static void put_files(struct json *json, const struct record *record)
{
	json_open(json, "files", '[');
	for (size_t i = 0; record != NULL && i < record->files.n; i++) {
		const struct policy_file *file = &record->files.list[i];
		char digest[DIGEST_TEXT_SIZE];

		digest_text(file->text, file->len, digest);
		json_open(json, NULL, '{');
		json_text(json, "ref", file->ref);
		look_put_text(json, "path", file->path);
		json_text(json, "digest", digest);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void put_record(struct json *json, const struct look *look)
{
	const struct record *record = look->has_record ? &look->record : NULL;
	const char *profile = record != NULL ? record->request.policy.profile : NULL;
	const char *parent = record != NULL ? record->request.cgroup_parent : NULL;

	look_put_time(json, "created_at", record != NULL ? record->created_ms : RESULT_NONE);
	json_text(json, "rootfs", record != NULL ? record->rootfs : NULL);
	look_put_command(json, record);
	json_text(json, "cwd", record != NULL ? record->cwd : NULL);
	look_put_labels(json, record);
	json_text(json, "restart", record != NULL ? record->restart : NULL);
	json_truth(json, "removes_itself",
		   record != NULL ? record->removes_itself : !look->is_kept);
	look_put_number(json, "id_block",
			record != NULL && record->id_block != 0 ? record->id_block : RESULT_NONE);
	json_text(json, "profile", profile);
	json_text(json, "cgroup_parent", parent);
	put_files(json, record);
}

/* ---- its policy ---- */

static const char *const mount_types[] = {
	[MOUNT_BIND] = "bind", [MOUNT_TMPFS] = "tmpfs", [MOUNT_VOLUME] = "volume"};

/* name: of a volume, else NULL. */
static void put_mount(struct json *json, const struct decision *d, const struct spec_mount *mount,
		      const char *name)
{
	char path[PATH_MAX + CORDON_VOLUME_NAME_SIZE];

	str_format(path, sizeof(path), "%s/volumes/%s/data", d->kept_path,
		   name != NULL ? name : "");
	json_open(json, NULL, '{');
	json_text(json, "type", mount_types[mount->type]);
	json_text(json, "name", name);
	look_put_text(json, "source", name != NULL ? path : mount->source);
	json_text(json, "target", mount->target);
	json_truth(json, "read_only", mount->read_only);
	json_close(json, '}');
}

/* Those of one type, or all. */
static void put_list(struct json *json, const char *key, const struct decision *d, const char *id,
		     bool only_volumes)
{
	json_open(json, key, '[');
	for (size_t i = 0; d != NULL && i < d->spec.n_mounts; i++) {
		const struct spec_mount *mount = &d->spec.mounts[i];
		char name[CORDON_VOLUME_NAME_SIZE];

		cordon_volume_name(id, mount, name);
		if (mount->type == MOUNT_VOLUME || !only_volumes)
			put_mount(json, d, mount, mount->type == MOUNT_VOLUME ? name : NULL);
	}
	json_close(json, ']');
}

/* d: NULL: nothing is known of them. */
static void put_mounts(struct json *json, const struct decision *d, const char *id)
{
	put_list(json, "mounts", d, id, false);
	put_list(json, "volumes", d, id, true);
}

static void put_spec(struct json *json, const struct verdict *verdict, int r, const char *id)
{
	const struct policy_problems *problems = &verdict->problems;

	if (!verdict_is_resolved(verdict, r)) {
		put_mounts(json, NULL, id);
		json_null(json, "spec");
		json_text(json, "spec_error",
			  problems->n > 0 ? problems->list[0].text : verdict->err.text);
		return;
	}
	put_mounts(json, &verdict->decision, id);
	json_open(json, "spec", '{');
	json_truth(json, "ok", r == 0);
	document_refusal(json, verdict, NULL);
	explain_put_decision(json, &verdict->decision);
	json_close(json, '}');
	json_null(json, "spec_error");
}

static void put_policy(const struct cmd_context *context, const struct look *look,
		       struct json *json)
{
	_cleanup_verdict_ struct verdict *verdict = look->has_record ? verdict_new() : NULL;

	if (verdict == NULL) {
		put_mounts(json, NULL, look->id);
		json_null(json, "spec");
		json_text(json, "spec_error", "its record cannot be read");
		return;
	}
	put_spec(json, verdict, kept_decide_record(context, &look->record, verdict), look->id);
}

/* As a user there are none. */
static void put_ports(const struct look *look, struct json *json)
{
	bool runs = look->has_status && look->status.has_keeper;
	struct ports ports = {.n = 0};
	struct err ignored;

	if (runs && geteuid() == 0)
		str_format(ports.run, sizeof(ports.run), "%s", look->status.last.run);
	if (runs && geteuid() == 0)
		ignore_result(ports_read(&ports, &ignored),
			      "where nf_tables cannot be asked nothing is published");
	ports_put_json(&ports, runs ? look->status.live.run_id : "", json);
	ports_free(&ports);
}

void inspect_put(const struct cmd_context *context, const struct look *look, struct json *json)
{
	json_open(json, NULL, '{');
	json_text(json, "id", look->id);
	look_put_text(json, "name", look->has_record ? look->record.name : "");
	json_text(json, "state", look_state(look));
	look_put_text(json, "error", look_is_damaged(look) ? look->damage.text : "");
	put_status(json, look);
	put_record(json, look);
	put_policy(context, look, json);
	network_put_joined(context, look->id, json);
	put_ports(look, json);
	json_close(json, '}');
}
