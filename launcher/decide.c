/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Phases 2 to 5 of a run: policy, preflight, plan. Runs in the keeper; reads only, changes nothing.
 */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/str.h"
#include "launcher/cordon.h"
#include "launcher/enter.h"
#include "launcher/images.h"
#include "launcher/limits.h"
#include "launcher/network.h"
#include "launcher/output.h"
#include "launcher/placeholders.h"
#include "launcher/policy_host.h"
#include "launcher/preflight.h"
#include "launcher/scope.h"
#include "launcher/secrets.h"
#include "launcher/volumes.h"

enum { ARENA_SIZE = 64 << 20 }; /* address space; only what is used costs memory */

static int decide_sources(struct decision *d, struct misses *misses, struct err *err)
{
	struct source_fact *sources =
		arena_array(&d->arena, d->spec.n_mounts + 1, sizeof(*sources));
	struct tree_source *shown = arena_array(&d->arena, d->spec.n_mounts + 1, sizeof(*shown));
	int r;

	if (sources == NULL || shown == NULL)
		return err_set(err, ERR_BUG, ENOMEM, "facts of the mounts");
	r = images_look(d, misses, err);
	if (r < 0)
		return r;
	volumes_look(d, sources, misses);
	preflight_sources(d, sources, misses);
	secrets_look(d, misses);
	for (size_t i = 0; i < d->spec.n_mounts; i++)
		shown[i] = (struct tree_source){.is_dir = sources[i].is_dir,
						.protected = sources[i].protected};
	d->sources = sources;
	if (misses->n == 0 && placeholders_count(d) > PLACEHOLDERS_MAX) {
		struct miss *m =
			preflight_miss(misses, "volumes", (struct spec_origin){.file = ""});

		str_format(m->text, sizeof(m->text),
			   "more than %d protected paths do not exist: each needs a placeholder",
			   PLACEHOLDERS_MAX);
		str_format(m->hint, sizeof(m->hint),
			   "Name directories that hold them, or make "
			   "them first.");
	}
	/* Without the facts of a source there is no tree; misses say why. */
	if (misses->n > 0)
		return 0;
	r = tree_build(&d->spec, &d->facts.layout, shown, &d->arena, &d->tree, err);
	return r == 0 && landlock_is_wanted(d) ? landlock_build(d, misses, err) : r;
}

static bool wants_core_file(const struct spec_limits *limits)
{
	for (size_t i = 0; i < limits->n_rlimits; i++)
		if (limits->rlimits[i].resource == RLIMIT_CORE && limits->rlimits[i].value != 1)
			return true;
	return false;
}

int cordon_probe_groups(struct host_facts *facts, const char *parent, uint32_t controllers,
			struct err *err)
{
	facts->has_systemd = access("/run/systemd/system", F_OK) == 0;
	return cgroup_probe(parent, controllers, &facts->cgroup, err);
}

void cordon_probe_scope(const struct run_request *request, uint32_t controllers,
			struct host_facts *facts)
{
	if (facts->has_systemd && request->cgroup_parent == NULL)
		scope_probe(request->runtime_dir, controllers, facts);
}

/* Facts that few specs need. */
static int probe_for_spec(struct decision *d, const struct run_request *request, struct err *err)
{
	bool has_overlay = d->spec.rootfs.kind == ROOTFS_DIR || d->spec.rootfs.kind == ROOTFS_IMAGE;
	int r;

	if (has_overlay)
		d->facts.overlay = facts_has_overlay();
	if (!d->enters)
		upper_probe(d);
	if (has_overlay && d->spec.rootfs.writable != WRITABLE_NONE)
		d->facts.tmpfs_attributes = facts_has_tmpfs_attributes();
	if (wants_core_file(&d->spec.limits))
		d->facts.core_is_piped = facts_core_is_piped();
	if (d->spec.apparmor.demand != DEMAND_NONE)
		apparmor_probe(d->spec.apparmor.profile, &d->facts);
	if (d->spec.landlock.demand != DEMAND_NONE)
		d->facts.landlock_abi = facts_landlock_abi();
	if (d->explains_denials)
		d->facts.audit = audit_probe(&d->facts);
	/* Limits are the sandbox's, which has them. */
	if (d->enters) {
		scope_probe_way_in(request->runtime_dir, request->enters_groups, &d->facts);
		return 0;
	}
	if (output_is_asked_for(d))
		output_probe(&d->facts);
	if (!limits_want_group(d))
		return 0;
	r = cordon_probe_groups(&d->facts, request->cgroup_parent, limits_asked(d), err);
	if (r == 0 && limits_need_group(d))
		cordon_probe_scope(request, limits_asked(d), &d->facts);
	return r;
}

static int refuse(const struct misses *misses, struct err *err)
{
	const struct miss *first = &misses->list[0];

	err_set(err, ERR_PREFLIGHT, 0, "%s", first->text);
	/* Nothing else is wrong: it ends as an execve of it would, with 126 or 127. */
	if (misses->n == 1 && first->exec_errno != 0) {
		err->kind = ERR_EXEC;
		err->sys_errno = first->exec_errno;
	}
	return err_hint(err, "%s%s%s", first->hint, first->command[0] != '\0' ? " " : "",
			first->command);
}

static int find_kept_path(const struct run_request *request, struct decision *ret, struct err *err)
{
	const struct state_owner owner = {.root_dir = request->root_dir,
					  .euid = ret->facts.euid,
					  .environment = request->environment,
					  .home = request->home};
	int r;

	if (request->kept_dir != NULL) {
		str_format(ret->kept_path, sizeof(ret->kept_path), "%s", request->kept_dir);
		return 0;
	}
	r = state_kept_path(&owner, ret->kept_path, sizeof(ret->kept_path), err);
	return r == -ENOENT ? 0 : r;
}

int cordon_decide(const struct run_request *request, struct decision *ret,
		  struct policy_problems *problems, struct misses *misses, struct err *err)
{
	struct policy_host_state host_state;
	struct policy_host host;
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->explains_denials = request->explains_denials;
	ret->wants_usage = request->wants_usage;
	ret->counts_usage = request->counts_usage && !request->enters;
	ret->is_kept = request->is_kept;
	ret->keeps_output = request->keeps_output;
	ret->keeps_terminal = request->keeps_output && request->keeps_terminal;
	ret->keeps_stdin = request->keeps_output && request->keeps_stdin && !ret->keeps_terminal;
	ret->enters = request->enters;
	ret->enters_nproc_limit = request->enters_nproc_limit;
	ret->wants_pause = request->wants_pause;
	ret->names_group = request->cgroup_parent != NULL;
	for (size_t i = 0; i < request->policy.n_flags; i++)
		ret->names_image |= request->policy.flags[i].kind == FLAG_IMAGE;
	misses->n = misses->n_dropped = 0;
	problems->n = problems->n_dropped = 0;
	r = arena_init(&ret->arena, ARENA_SIZE, err);
	if (r == 0)
		r = facts_probe(request->fds_closed, &ret->facts, err);
	if (r == 0)
		facts_probe_passed(&ret->facts, request->policy.fds, request->policy.n_fds);
	for (int fd = 0; r == 0 && ret->keeps_terminal && fd < 3; fd++)
		ret->facts.stdio_is_terminal[fd] = true;
	if (r == 0)
		r = state_root_path(request->root_dir, ret->facts.euid, request->runtime_dir,
				    ret->state_path, sizeof(ret->state_path), err);
	if (r == 0)
		r = find_kept_path(request, ret, err);
	if (r < 0)
		return r;
	policy_host_init(&host_state, request, ret->facts.euid, &host);
	/* Root of a user namespace is a user of the host. */
	host_state.is_bound = ret->facts.host_euid != 0;
	host_state.files = &ret->files;
	host_state.decision = ret;
	r = policy_resolve(&request->policy, &host, &ret->arena, &ret->spec, problems, err);
	if (r == 0)
		r = probe_for_spec(ret, request, err);
	if (r == 0)
		r = decide_sources(ret, misses, err);
	if (r < 0)
		return r;
	upper_decide(ret, misses);
	preflight_host(ret, misses);
	preflight_lsm(ret, misses);
	if (ret->enters) {
		enter_preflight(ret, misses);
	} else {
		preflight_limits(ret, misses);
		preflight_output(ret, misses);
		network_preflight(ret, misses);
	}
	plan_make(ret);
	if (misses->n > 0)
		return refuse(misses, err);
	return arena_freeze(&ret->arena, err);
}

void cordon_release(struct decision *decision)
{
	held_image_free(decision->image);
	decision->image = NULL;
	arena_release(&decision->arena);
}
