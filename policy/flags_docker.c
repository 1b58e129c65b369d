/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Docker's flags whose values are small languages of their own; see flags.h. Pure. */
#include <string.h>

#include "base/str.h"
#include "policy/docker.h"
#include "policy/flags.h"
#include "policy/keys.h"

static struct policy_node *list_of_one(struct policy_ctx *ctx, const struct policy_source *source,
				       struct policy_node *item)
{
	struct policy_node *list = doc_node(ctx, NODE_SEQUENCE, flags_place(source));

	doc_add(list, item);
	return list;
}

/* ---- capabilities ---- */

/* "net_admin" as "NET_ADMIN", without CAP_; "" where it is no capability, which is reported. */
static const char *capability(struct policy_ctx *ctx, const struct policy_source *source,
			      const char *text)
{
	char name[32] = "";

	for (size_t i = 0; i < sizeof(name) - 1 && text[i] != '\0'; i++)
		name[i] =
			(char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - ('a' - 'A') : text[i]);
	text = str_has_prefix(name, "CAP_") ? name + 4 : name;
	if (str_equal(text, "ALL") ||
	    docker_knows_capability(ctx, flags_place(source), ctx_format(ctx, "CAP_%s", text)))
		return ctx_copy(ctx, text, strlen(text));
	return "";
}

struct policy_node *flags_cap_add(struct policy_ctx *ctx, struct policy_source *source,
				  const char *text)
{
	const char *name = capability(ctx, source, text);

	if (name[0] == '\0')
		return NULL;
	return flags_nest(ctx, "capabilities.+add",
			  list_of_one(ctx, source, doc_scalar(ctx, "", name, flags_place(source))));
}

/* Whichever it is, it is dropped with all others. */
struct policy_node *flags_cap_drop(struct policy_ctx *ctx, struct policy_source *source,
				   const char *text)
{
	if (capability(ctx, source, text)[0] == '\0')
		return NULL;
	return flags_nest(ctx, "capabilities.drop",
			  list_of_one(ctx, source,
				      doc_scalar(ctx, "", "ALL", flags_place(source))));
}

/* ---- security ---- */

/* The waiver that says by what it was asked for. */
static struct policy_node *waived(struct policy_ctx *ctx, const struct policy_source *source,
				  const char *name)
{
	return flags_text_at(ctx, source, ctx_format(ctx, "waive.%s", name), source->text);
}

static struct policy_node *apparmor(struct policy_ctx *ctx, const struct policy_source *source,
				    const char *value)
{
	struct policy_node *tree = flags_text_at(ctx, source, "apparmor", value);

	if (tree != NULL && str_equal(value, "unconfined"))
		doc_add(tree, doc_get(waived(ctx, source, "apparmor"), "waive"));
	return tree;
}

static struct policy_node *seccomp(struct policy_ctx *ctx, const struct policy_source *source,
				   const char *value)
{
	if (str_equal(value, "unconfined"))
		return waived(ctx, source, "seccomp.off");
	if (str_equal(value, "builtin")) {
		flags_refuse(ctx, source, "Docker's own filter is not built in here")->hint =
			"Leave it out for the profile's filter, or name Docker's file: "
			"--security-opt seccomp=FILE.";
		return NULL;
	}
	return flags_text_at(ctx, source, "seccomp.docker_profile", value);
}

static struct policy_node *no_new_privileges(struct policy_ctx *ctx,
					     const struct policy_source *source, const char *value)
{
	if (str_equal(value, "false"))
		flags_refuse(ctx, source, "no_new_privs is always set")->expected =
			"Nothing here gains rights by executing a file: there is no way to have "
			"that.";
	else if (!str_equal(value, "true"))
		flags_refuse(ctx, source, "no-new-privileges cannot be '%s'", value)->expected =
			"It is true.";
	return NULL;
}

struct policy_node *flags_security_opt(struct policy_ctx *ctx, struct policy_source *source,
				       const char *text)
{
	static const char *const later[] = {"label", "systempaths", "proc-opts", "writable-cgroups",
					    "credentialspec"};
	static const char *const names[] = {"seccomp", "apparmor", "no-new-privileges"};
	const char *value = strchr(text, '=');
	size_t len = value != NULL ? (size_t)(value - text) : strlen(text);
	const char *name = ctx_copy(ctx, text, len);
	struct policy_problem *problem;

	value = value != NULL ? value + 1 : "";
	if (str_equal(name, "no-new-privileges"))
		return no_new_privileges(ctx, source, text[len] == '\0' ? "true" : value);
	if (str_equal(name, "seccomp") && value[0] != '\0')
		return seccomp(ctx, source, value);
	if (str_equal(name, "apparmor") && value[0] != '\0')
		return apparmor(ctx, source, value);
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		if (str_equal(name, later[i])) {
			keys_refuse_later(ctx, flags_place(source),
					  ctx_format(ctx, "the security option %s", name));
			return NULL;
		}
	problem = flags_refuse(ctx, source, "'%s' is no security option", text);
	problem->expected = "It is seccomp=FILE, seccomp=unconfined, apparmor=NAME, "
			    "apparmor=unconfined or no-new-privileges.";
	ctx_suggest(ctx, problem, name, names, sizeof(names) / sizeof(names[0]));
	return NULL;
}

/* ---- files ---- */

struct policy_node *flags_read_only(struct policy_ctx *ctx, struct policy_source *source,
				    const char *text)
{
	/* =false is as if it were not said: whether the root is writable is the profile's to say.
	 */
	return str_equal(text, "true") ? flags_text_at(ctx, source, "rootfs.writable.store", "none")
				       : NULL;
}

/* Whether another flag says where that goes: then a size changes nothing of it. */
static bool names_store(const struct policy_ctx *ctx)
{
	static const char key[] = "rootfs.writable.store=";

	for (size_t i = 0; i < ctx->request->n_flags; i++) {
		const struct policy_flag *flag = &ctx->request->flags[i];

		if (flag->kind == FLAG_STORAGE_OPT && str_has_prefix(flag->text, "store="))
			return true;
		if (flag->kind == FLAG_SET && str_has_prefix(flag->text, key) &&
		    !str_equal(flag->text + strlen(key), "none"))
			return true;
	}
	return false;
}

/* As in Docker the root can be written to then, wherever that goes. */
struct policy_node *flags_storage_opt(struct policy_ctx *ctx, struct policy_source *source,
				      const char *text)
{
	struct policy_place place = flags_place(source);
	struct policy_node *writable = doc_node(ctx, NODE_MAPPING, place);

	for (size_t i = 0; i < ctx->request->n_flags; i++)
		if (ctx->request->flags[i].kind == FLAG_READ_ONLY &&
		    str_equal(ctx->request->flags[i].text, "true")) {
			flags_refuse(ctx, source, "--read-only says that nothing is written")
				->hint = "Leave one of the two out.";
			return NULL;
		}
	if (!names_store(ctx))
		doc_add(writable, doc_scalar(ctx, "store", "auto", place));
	if (str_has_prefix(text, "store=") && text[6] != '\0') {
		doc_add(writable, doc_scalar(ctx, "store", text + 6, place));
	} else if (str_has_prefix(text, "size=") && text[5] != '\0') {
		doc_add(writable, doc_scalar(ctx, "size", flags_size(ctx, text + 5), place));
	} else if (str_equal(text, "preallocate=true") || str_equal(text, "preallocate=false")) {
		doc_add(writable,
			doc_scalar(ctx, "preallocate", text + strlen("preallocate="), place));
	} else {
		flags_refuse(ctx, source, "'%s' is no storage option here", text)->expected =
			"It is size=SIZE: what the root may take, such as size=1g; "
			"store=auto, tmpfs, image or project; or preallocate=true.";
		return NULL;
	}
	return flags_nest(ctx, "rootfs.writable", writable);
}

/* An option of a tmpfs into its map; false: reported. */
static bool tmpfs_option(struct policy_ctx *ctx, const struct policy_source *source,
			 const char *option, struct policy_node *tmpfs, bool *is_noexec)
{
	static const char *const held[] = {"nosuid", "nodev", "rw"};
	struct policy_place place = flags_place(source);
	struct policy_problem *problem;

	for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++)
		if (str_equal(option, held[i]))
			return true;
	if (str_equal(option, "noexec") || str_equal(option, "exec")) {
		*is_noexec = option[0] == 'n';
		return true;
	}
	if (str_equal(option, "ro")) {
		doc_add(tmpfs, doc_scalar(ctx, "read_only", "true", place));
		return true;
	}
	if (str_has_prefix(option, "size=")) {
		doc_add(tmpfs, doc_scalar(ctx, "size", flags_size(ctx, option + 5), place));
		return true;
	}
	if (str_has_prefix(option, "mode=")) {
		doc_add(tmpfs, doc_scalar(ctx, "mode", option + 5, place));
		return true;
	}
	if (str_has_prefix(option, "nr_inodes=")) {
		doc_add(tmpfs, doc_scalar(ctx, "inodes", option + 10, place));
		return true;
	}
	problem = flags_refuse(ctx, source, "a tmpfs has no option '%s' here", option);
	problem->expected = "There are size=, mode=, nr_inodes=, exec, noexec and ro; noexec holds "
			    "unless exec is said, nosuid and nodev always.";
	return false;
}

struct policy_node *flags_tmpfs(struct policy_ctx *ctx, struct policy_source *source,
				const char *text)
{
	struct policy_place place = flags_place(source);
	struct policy_node *tmpfs = doc_node(ctx, NODE_MAPPING, place);
	size_t len = strcspn(text, ":");
	const char *rest = text[len] == ':' ? text + len + 1 : "";
	bool is_noexec = true;

	doc_add(tmpfs, doc_scalar(ctx, "type", "tmpfs", place));
	doc_add(tmpfs, doc_scalar(ctx, "target", ctx_copy(ctx, text, len), place));
	while (*rest != '\0') {
		size_t n = strcspn(rest, ",");

		if (!tmpfs_option(ctx, source, ctx_copy(ctx, rest, n), tmpfs, &is_noexec))
			return NULL;
		rest += n + (rest[n] == ',' ? 1 : 0);
	}
	if (is_noexec) {
		struct policy_node *options =
			list_of_one(ctx, source, doc_scalar(ctx, "", "noexec", place));

		if (options == NULL)
			return NULL;
		options->key = "options";
		doc_add(tmpfs, options);
	}
	return flags_nest(ctx, "+volumes", list_of_one(ctx, source, tmpfs));
}

/* ---- labels ---- */

struct policy_node *flags_label(struct policy_ctx *ctx, struct policy_source *source,
				const char *text)
{
	size_t len = strcspn(text, "=");
	struct policy_node *value =
		doc_scalar(ctx, "", text[len] == '=' ? text + len + 1 : "", flags_place(source));

	if (len == 0) {
		flags_refuse(ctx, source, "'%s' names no label", text)->expected =
			"It is NAME=VALUE, or NAME.";
		return NULL;
	}
	if (value != NULL)
		value->is_quoted = true;
	return flags_nest(ctx, ctx_format(ctx, "labels.%.*s", (int)len, text), value);
}
