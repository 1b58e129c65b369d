/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* process.user: ids, or names of the rootfs's own passwd and group files. */
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "policy/resolve.h"

enum { MAX_ID = 65535, NAME_MAX_BYTES = 64, LINE_MAX_BYTES = 1024, FIELDS_MAX = 8 };

/* One passwd or group file. */
struct accounts {
	const char *text;
	size_t len;
	bool may_be_absent; /* for who reads it: then it is no error that there is none */
};

/* Splits the next line of the text at ':'; false at its end. Fields point into line. */
static bool next_record(struct accounts *accounts, char *line, const char **fields)
{
	const char *newline;
	size_t len;

	if (accounts->len == 0)
		return false;
	newline = memchr(accounts->text, '\n', accounts->len);
	len = newline != NULL ? (size_t)(newline - accounts->text) : accounts->len;
	str_format(line, LINE_MAX_BYTES, "%.*s", (int)(len < LINE_MAX_BYTES ? len : 0),
		   accounts->text);
	accounts->text += len + (newline != NULL ? 1 : 0);
	accounts->len -= len + (newline != NULL ? 1 : 0);
	for (size_t i = 0; i < FIELDS_MAX; i++) {
		fields[i] = line;
		line += strcspn(line, ":");
		if (*line == ':')
			*line++ = '\0';
	}
	return true;
}

/* False: there is nothing to look in; where that is an error it has been said. */
static bool read_accounts(struct policy_ctx *ctx, const struct sandbox_spec *spec,
			  const char *which, struct policy_place place, struct accounts *ret)
{
	const struct policy_host *host = ctx->host;
	struct err err = {0};
	int r = host->read_accounts(host->ctx, ctx->arena, &spec->rootfs, which, &ret->text,
				    &ret->len, &err);

	if (r < 0 && !(r == -ENOENT && ret->may_be_absent))
		ctx_report(ctx, place, "no-accounts", "%s", err.text)->hint =
			"Write ids instead of names.";
	return r >= 0;
}

/* Finds a user by name, or by id for its group. Returns false where there is none. */
static bool find_user(struct accounts accounts, const char *name, uint32_t *uid, uint32_t *gid)
{
	char line[LINE_MAX_BYTES];
	const char *fields[FIELDS_MAX];

	while (next_record(&accounts, line, fields)) {
		uint32_t found_uid, found_gid;

		if (parse_u32(fields[2], &found_uid) < 0 || parse_u32(fields[3], &found_gid) < 0)
			continue;
		if (name != NULL ? !str_equal(fields[0], name) : found_uid != *uid)
			continue;
		*uid = found_uid;
		*gid = found_gid;
		return true;
	}
	return false;
}

static bool find_group(struct accounts accounts, const char *name, uint32_t *gid)
{
	char line[LINE_MAX_BYTES];
	const char *fields[FIELDS_MAX];

	while (next_record(&accounts, line, fields))
		if (str_equal(fields[0], name) && parse_u32(fields[2], gid) == 0)
			return true;
	return false;
}

static void resolve_user(struct policy_ctx *ctx, const struct policy_node *node, const char *name,
			 struct sandbox_spec *spec)
{
	struct spec_identity *identity = &spec->identity;
	bool is_number = parse_u32(name, &identity->uid) == 0;
	struct accounts accounts = {.may_be_absent = is_number};

	/* An id without a group: the group of its passwd entry, else the same number; images of
	 * one program have no such file. */
	identity->gid = identity->uid;
	if (!read_accounts(ctx, spec, "passwd", node->place, &accounts))
		return;
	if (find_user(accounts, is_number ? NULL : name, &identity->uid, &identity->gid) ||
	    is_number)
		return;
	ctx_report(ctx, node->place, "no-user", "no user '%s' in the rootfs's passwd", name)->hint =
		"Write its ids instead, such as 1000:1000.";
}

static void resolve_group(struct policy_ctx *ctx, const struct policy_node *node, const char *name,
			  struct sandbox_spec *spec)
{
	struct accounts accounts = {.may_be_absent = false};

	if (parse_u32(name, &spec->identity.gid) == 0)
		return;
	if (read_accounts(ctx, spec, "group", node->place, &accounts) &&
	    !find_group(accounts, name, &spec->identity.gid))
		ctx_report(ctx, node->place, "no-group", "no group '%s' in the rootfs's group",
			   name);
}

void resolve_identity(struct policy_ctx *ctx, const struct policy_node *root,
		      struct sandbox_spec *spec)
{
	const struct policy_node *node = doc_find(root, "process.user");
	const char *colon;
	char user[NAME_MAX_BYTES];
	size_t len;

	/* Without the image there is nothing to look a name up in, nor anything to run. */
	if (node == NULL || (spec->rootfs.kind == ROOTFS_IMAGE && ctx->image == NULL))
		return;
	len = strcspn(node->text, ":");
	colon = node->text[len] == ':' ? node->text + len : NULL;
	if (len == 0 || len >= sizeof(user) || (colon != NULL && colon[1] == '\0')) {
		ctx_report(ctx, node->place, "bad-value", "process.user cannot be '%s'", node->text)
			->expected = "It is user or user:group, each an id or a name.";
		return;
	}
	str_format(user, sizeof(user), "%.*s", (int)len, node->text);
	/* Both are numbers for nearly everybody: then no file is read. */
	if (colon == NULL || parse_u32(user, &spec->identity.uid) < 0)
		resolve_user(ctx, node, user, spec);
	if (colon != NULL)
		resolve_group(ctx, node, colon + 1, spec);
	if (spec->identity.uid > MAX_ID || spec->identity.gid > MAX_ID)
		ctx_report(ctx, node->place, "bad-value", "process.user cannot be '%s'", node->text)
			->expected = "Ids inside are 0 to 65535.";
}
