/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon explain --json`: what explain.c prints as text, as one document. */
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/document.h"
#include "cmd/explain.h"
#include "cmd/explain_calls.h"
#include "policy/arch.h"

static void put_program(struct json *json, const struct decision *d)
{
	const struct spec_process *process = &d->spec.process;

	json_open(json, "program", '[');
	for (size_t i = 0; process->argv[i] != NULL; i++)
		json_text(json, NULL, process->argv[i]);
	json_close(json, ']');
	json_open(json, "descriptors", '[');
	for (size_t i = 0; i < process->n_fds; i++)
		json_number(json, NULL, process->fds[i]);
	json_close(json, ']');
}

static void put_image(struct json *json, const struct decision *d)
{
	if (d->spec.rootfs.kind != ROOTFS_IMAGE) {
		json_null(json, "image");
		return;
	}
	json_open(json, "image", '{');
	json_text(json, "name", d->spec.rootfs.image);
	json_text(json, "id", d->spec.rootfs.image_id);
	json_number(json, "layers", (int64_t)d->n_layers);
	json_number(json, "owners_noted", (int64_t)d->image_owners);
	json_close(json, '}');
}

static void put_ids(struct json *json, const struct decision *d)
{
	json_open(json, "ids", '{');
	json_text(json, "kind", d->plan.ids == IDS_BLOCK ? "block" : "one");
	json_number(json, "uid", d->spec.identity.uid);
	json_number(json, "gid", d->spec.identity.gid);
	json_number(json, "caller_uid", d->facts.euid);
	json_number(json, "caller_gid", d->facts.egid);
	json_open(json, "groups_kept", '[');
	for (size_t i = 0; d->plan.ids != IDS_BLOCK && i < d->facts.n_groups; i++)
		json_number(json, NULL, d->facts.groups[i]);
	json_close(json, ']');
	json_close(json, '}');
}

static void put_writable(struct json *json, const struct decision *d)
{
	char text[UPPER_TEXT_MAX];

	upper_text(d, text, sizeof(text));
	json_open(json, "writable", '{');
	json_text(json, "asked", upper_name(d->spec.rootfs.writable));
	json_text(json, "store", upper_name(d->writable));
	json_text(json, "text", text);
	json_close(json, '}');
}

static void put_values(struct json *json, const struct spec_provenance *p)
{
	json_open(json, "values", '[');
	for (size_t i = 0; i < p->n_values; i++) {
		json_open(json, NULL, '{');
		json_text(json, "key", p->values[i].key);
		json_text(json, "value", p->values[i].value);
		document_origin(json, p->values[i].origin);
		json_close(json, '}');
	}
	json_close(json, ']');
	json_open(json, "profiles", '[');
	for (size_t i = 0; i < p->n_profiles; i++) {
		json_open(json, NULL, '{');
		json_text(json, "path", p->profiles[i].path);
		json_text(json, "digest", p->profiles[i].digest);
		json_close(json, '}');
	}
	json_close(json, ']');
	json_open(json, "waivers", '[');
	for (size_t i = 0; i < p->n_waivers; i++) {
		json_open(json, NULL, '{');
		json_text(json, "name", p->waivers[i].name);
		json_text(json, "reason", p->waivers[i].reason);
		document_origin(json, p->waivers[i].origin);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void put_tree(struct json *json, const struct decision *d)
{
	json_open(json, "tree", '[');
	for (size_t i = 0; i < d->tree.n_ops; i++) {
		const struct tree_op *op = &d->tree.ops[i];
		const struct spec_mount *mount = op->kind == TREE_SOURCE || op->kind == TREE_VOLUME
							 ? &d->spec.mounts[op->source]
							 : NULL;
		char target[4096];

		explain_target(op, target, sizeof(target));
		json_open(json, NULL, '{');
		json_text(json, "kind", tree_kind_name(op->kind));
		json_text(json, "target", target);
		json_text(json, "source", mount != NULL ? mount->source : NULL);
		if (mount != NULL)
			json_truth(json, "read_only", mount->read_only);
		else
			json_null(json, "read_only");
		json_text(json, "reason", op->reason);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void put_counts(struct json *json, struct spec_calls list)
{
	struct explain_counts counts = explain_count(list);

	json_number(json, "allowed", (int64_t)counts.allowed);
	json_number(json, "by_arguments", (int64_t)counts.by_arguments);
}

static void put_seccomp(struct json *json, const struct decision *d)
{
	const struct spec_seccomp *s = &d->spec.seccomp;

	json_open(json, "system_calls", '{');
	put_counts(json, (struct spec_calls){.calls = s->calls, .n = s->n_calls});
	if (s->has_second) {
		json_open(json, "second", '{');
		json_text(json, "architecture", POLICY_SECOND_NAME);
		put_counts(json, s->second);
		json_close(json, '}');
	} else {
		json_null(json, "second");
	}
	json_truth(json, "denies_setid_bits", s->denies_setid_bits);
	json_open(json, "always_admitted", '[');
	for (const char *const *name = policy_seccomp_always_admitted(); *name != NULL; name++)
		json_text(json, NULL, *name);
	json_close(json, ']');
	json_close(json, '}');
}

static void put_ports(struct json *json, const char *name, const struct spec_port_list *list,
		      bool is_handled)
{
	if (!is_handled) {
		json_null(json, name);
		return;
	}
	json_open(json, name, '[');
	for (size_t i = 0; i < list->n_ports; i++)
		json_number(json, NULL, list->ports[i]);
	json_close(json, ']');
}

/* null where the program is in no domain. */
static void put_landlock(struct json *json, const struct decision *d)
{
	if (!landlock_is_wanted(d)) {
		json_null(json, "landlock");
		return;
	}
	json_open(json, "landlock", '{');
	json_number(json, "version", d->facts.landlock_abi);
	json_open(json, "rules", '[');
	for (size_t i = 0; i < d->landlock.n; i++) {
		char text[128];

		landlock_describe(d->landlock.list[i].access, text, sizeof(text));
		json_open(json, NULL, '{');
		json_text(json, "path", d->landlock.list[i].path);
		json_text(json, "rights", text);
		json_close(json, '}');
	}
	json_close(json, ']');
	put_ports(json, "connect_tcp", &d->spec.landlock.connect_tcp,
		  (d->landlock.handled.network & SYS_LANDLOCK_NET_CONNECT_TCP) != 0);
	put_ports(json, "bind_tcp", &d->spec.landlock.bind_tcp,
		  (d->landlock.handled.network & SYS_LANDLOCK_NET_BIND_TCP) != 0);
	json_close(json, '}');
}

static void put_not_enforced(struct json *json, const struct decision *d)
{
	json_open(json, "not_enforced", '[');
	for (size_t i = 0; i < d->n_not_enforced; i++)
		json_text(json, NULL, d->not_enforced[i]);
	json_close(json, ']');
}

static void put_steps(struct json *json, const struct decision *d)
{
	json_open(json, "steps", '[');
	for (size_t i = 0;; i++) {
		struct row_view row = cordon_row(d, i);

		if (row.name == NULL)
			break;
		json_open(json, NULL, '{');
		json_text(json, "process", row.process);
		json_text(json, "name", row.name);
		json_text(json, "why", row.why);
		json_truth(json, "wanted", row.wanted);
		json_close(json, '}');
	}
	json_close(json, ']');
}

void explain_put_decision(struct json *json, const struct decision *d)
{
	put_program(json, d);
	put_image(json, d);
	put_ids(json, d);
	put_writable(json, d);
	put_values(json, &d->spec.provenance);
	explain_limits_document(json, d);
	put_tree(json, d);
	put_seccomp(json, d);
	put_landlock(json, d);
	put_not_enforced(json, d);
	put_steps(json, d);
}

int explain_document(const struct verdict *verdict, bool decided)
{
	struct document document;
	struct json *json = &document.json;

	if (document_begin(&document, "cordon.explain/1") < 0)
		return EXIT_CORDON;
	json_truth(json, "ok", decided);
	document_refusal(json, verdict, NULL);
	if (!decided)
		return document_end(&document, EXIT_CORDON);
	explain_put_decision(json, &verdict->decision);
	return document_end(&document, 0);
}
