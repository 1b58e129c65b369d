/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A policy_host made of tables; see policy_fixture.h. */
#include "tests/lib/policy_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static const char passwd_text[] = "root:x:0:0:root:/root:/bin/sh\n"
				  "sandbox:x:1000:1000::/tmp:/bin/sh\n"
				  "web:x:33:44::/srv:/bin/false\n";
static const char group_text[] = "root:x:0:\nsandbox:x:1000:\nstaff:x:50:web\n";
static const char *const environment[] = {"TERM=xterm", "SECRET=s", NULL};

static int load_profile(void *ctx, struct arena *arena, const char *ref, const char *relative_to,
			const char **ret_path, const char **ret_dir, const char **ret_text,
			size_t *ret_len, struct err *err)
{
	const struct policy_fixture *fixture = ctx;
	const char *path = ref;

	if (strchr(ref, '/') != NULL && ref[0] != '/')
		path = arena_format(arena, "%s/%s", relative_to,
				    str_has_prefix(ref, "./") ? ref + 2 : ref);
	for (size_t i = 0; i < fixture->n_profiles; i++) {
		if (!str_equal(fixture->profiles[i].path, path))
			continue;
		*ret_path = arena_strdup(arena, path);
		*ret_dir = path[0] == '/'
				   ? arena_copy(arena, path, (size_t)(strrchr(path, '/') - path))
				   : "";
		*ret_text = fixture->profiles[i].text;
		*ret_len = strlen(fixture->profiles[i].text);
		return 0;
	}
	for (size_t i = 0; i < policy_n_shipped_profiles; i++) {
		if (!str_equal(policy_shipped_profiles[i].name, ref))
			continue;
		*ret_path = arena_format(arena, "profile %s", ref);
		*ret_dir = "";
		*ret_text = policy_shipped_profiles[i].text;
		*ret_len = policy_shipped_profiles[i].len;
		return 0;
	}
	return err_set(err, ERR_POLICY, ENOENT, "profile '%s'", ref);
}

static int read_accounts(void *ctx, struct arena *arena, const struct spec_rootfs *rootfs,
			 const char *which, const char **ret_text, size_t *ret_len, struct err *err)
{
	const char *text = str_equal(which, "passwd") ? passwd_text : group_text;

	(void)ctx;
	(void)arena;
	if (str_equal(rootfs->dir, "/gone"))
		return err_set(err, ERR_POLICY, ENOENT, "%s/etc/%s", rootfs->dir, which);
	*ret_text = text;
	*ret_len = strlen(text);
	return 0;
}

static int read_file(void *ctx, struct arena *arena, const char *path, struct policy_text *ret,
		     struct err *err)
{
	const struct policy_fixture *fixture = ctx;

	(void)arena;
	for (size_t i = 0; i < fixture->n_profiles; i++) {
		if (!str_equal(fixture->profiles[i].path, path))
			continue;
		ret->text = fixture->profiles[i].text;
		ret->len = strlen(fixture->profiles[i].text);
		return 0;
	}
	return err_set(err, ERR_POLICY, ENOENT, "%s", path);
}

static int kernel_version(void *ctx, uint32_t *ret_major, uint32_t *ret_minor)
{
	const struct policy_fixture *fixture = ctx;

	*ret_major = fixture->kernel[0];
	*ret_minor = fixture->kernel[1];
	return 0;
}

void fixture_init(struct policy_fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	if (arena_init(&fixture->arena, 64U << 20, &fixture->err) < 0)
		abort();
	fixture->host = (struct policy_host){
		.ctx = fixture,
		.load_profile = load_profile,
		.read_accounts = read_accounts,
		.read_file = read_file,
		.kernel_version = kernel_version,
		.cwd = "/ward/project",
		.home = "/home/u",
		.environment = environment,
	};
	fixture->kernel[0] = 6;
	fixture->kernel[1] = 1;
	fixture->request.flags = fixture->flags;
	fixture->request.wants_values = true;
}

void fixture_release(struct policy_fixture *fixture)
{
	arena_release(&fixture->arena);
}

void fixture_profile(struct policy_fixture *fixture, const char *path, const char *text)
{
	fixture->profiles[fixture->n_profiles++] =
		(struct fixture_profile){.path = path, .text = text};
}

void fixture_flag(struct policy_fixture *fixture, int kind, const char *text)
{
	struct policy_flag *flag = &fixture->flags[fixture->request.n_flags++];

	/* The enum has no name of its own. */
	flag->kind = (__typeof__(flag->kind))kind;
	flag->text = text;
}

int fixture_resolve(struct policy_fixture *fixture, const char *text)
{
	if (text != NULL) {
		fixture_profile(fixture, "/ward/project/p.yaml", text);
		fixture->request.profile = "/ward/project/p.yaml";
	}
	return policy_resolve(&fixture->request, &fixture->host, &fixture->arena, &fixture->spec,
			      &fixture->problems, &fixture->err);
}

const struct policy_problem *fixture_problem(const struct policy_fixture *fixture, const char *rule)
{
	for (size_t i = 0; i < fixture->problems.n; i++)
		if (str_equal(fixture->problems.list[i].rule, rule))
			return &fixture->problems.list[i];
	return NULL;
}

const char *fixture_value(const struct policy_fixture *fixture, const char *key)
{
	const struct spec_provenance *provenance = &fixture->spec.provenance;

	for (size_t i = 0; i < provenance->n_values; i++)
		if (str_equal(provenance->values[i].key, key))
			return provenance->values[i].value;
	return "";
}
