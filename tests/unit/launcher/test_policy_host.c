/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* launcher/policy_host.c: what a name or a path of a profile means, and whose files are believed.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/policy_host.h"
#include "tests/lib/scratch.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

struct host_case {
	struct scratch scratch;
	struct arena arena;
	char config[PATH_MAX + 32]; /* XDG_CONFIG_HOME=... */
	const char *environment[2];
	struct run_request request;
	struct policy_host_state state;
	struct policy_host host;
	/* of the last load */
	const char *path, *dir, *text;
	size_t len;
	struct err err;
};

/* As a user always: where the tests run as root, root's files count as the user's own. */
static uint32_t some_user(void)
{
	return geteuid() != 0 ? geteuid() : 1000;
}

static int setup(void **state)
{
	struct host_case *c = calloc(1, sizeof(*c));

	scratch_make(&c->scratch);
	scratch_dir(&c->scratch, "cordon", 0755);
	scratch_dir(&c->scratch, "cordon/profiles", 0755);
	snprintf(c->config, sizeof(c->config), "XDG_CONFIG_HOME=%s", c->scratch.path);
	c->environment[0] = c->config;
	c->request.environment = c->environment;
	policy_host_init(&c->state, &c->request, some_user(), &c->host);
	*state = c;
	return arena_init(&c->arena, 8 << 20, &c->err);
}

static int teardown(void **state)
{
	struct host_case *c = *state;

	arena_release(&c->arena);
	scratch_remove(&c->scratch);
	free(c);
	return 0;
}

static int load(struct host_case *c, const char *ref, const char *relative_to)
{
	c->path = c->dir = c->text = NULL;
	memset(&c->err, 0, sizeof(c->err));
	return c->host.load_profile(c->host.ctx, &c->arena, ref, relative_to, &c->path, &c->dir,
				    &c->text, &c->len, &c->err);
}

/* Loads scratch/NAME by its absolute path. */
static int load_path(struct host_case *c, const char *name)
{
	char path[PATH_MAX];

	return load(c, scratch_path(&c->scratch, name, path), "");
}

static void assert_loaded(const struct host_case *c, const char *text, const char *dir)
{
	assert_int_equal(c->len, strlen(text));
	assert_memory_equal(c->text, text, c->len);
	assert_string_equal(c->dir, dir);
}

static void assert_refused(const struct host_case *c, int result, const char *part)
{
	assert_true(result < 0);
	assert_int_equal(c->err.kind, ERR_POLICY);
	if (strstr(c->err.text, part) == NULL)
		fail_msg("'%s' does not say '%s'", c->err.text, part);
	assert_null(c->text);
}

/* ---- names ---- */

static void finds_shipped_names(void **state)
{
	struct host_case *c = *state;

	assert_true(policy_n_shipped_profiles >= 2);
	for (size_t i = 0; i < policy_n_shipped_profiles; i++) {
		const struct policy_shipped *shipped = &policy_shipped_profiles[i];
		char path[64];

		assert_int_equal(load(c, shipped->name, ""), 0);
		assert_int_equal(c->len, shipped->len);
		assert_memory_equal(c->text, shipped->text, c->len);
		assert_string_equal(c->dir, "");
		snprintf(path, sizeof(path), "profile %s", shipped->name);
		assert_string_equal(c->path, path);
	}
}

static void finds_the_users_names(void **state)
{
	struct host_case *c = *state;
	char dir[PATH_MAX];

	scratch_file(&c->scratch, "cordon/profiles/mine.yaml", 0644, "extends: base\n");
	assert_int_equal(load(c, "mine", ""), 0);
	assert_loaded(c, "extends: base\n", scratch_path(&c->scratch, "cordon/profiles", dir));
	/* The directory that refers has no say in what a name means. */
	scratch_file(&c->scratch, "mine.yaml", 0644, "other");
	assert_int_equal(load(c, "mine", c->scratch.path), 0);
	assert_loaded(c, "extends: base\n", dir);
	assert_refused(c, load(c, "mine.yaml", ""), "there is no such profile");
	assert_non_null(strstr(c->err.hint, "./mine.yaml"));
}

static void refuses_what_is_no_name(void **state)
{
	static const char *const names[] = {"", ".", "..", ".hidden", "nothing-has-this-name"};
	struct host_case *c = *state;
	char name[600];

	scratch_file(&c->scratch, "cordon/profiles/.hidden.yaml", 0644, "");
	for (size_t i = 0; i < N(names); i++)
		assert_refused(c, load(c, names[i], ""), "profile '");
	for (size_t len = 200; len < sizeof(name); len += 13) {
		memset(name, 'n', len);
		name[len] = '\0';
		assert_refused(c, load(c, name, ""), "profile '");
	}
}

/* A file cannot take the place of a shipped profile, nor be what its name means. */
static void refuses_to_shadow_a_shipped_one(void **state)
{
	struct host_case *c = *state;

	scratch_file(&c->scratch, "cordon/profiles/default.yaml", 0644, "extends: base\n");
	assert_refused(c, load(c, "default", ""), "takes the name of a shipped profile");
	assert_non_null(strstr(c->err.hint, "'default' always means the shipped one"));
	assert_int_equal(load(c, "base", ""), 0);
	/* By its path it is a file as any other. */
	assert_int_equal(load_path(c, "cordon/profiles/default.yaml"), 0);
}

/* Root reads nothing that a variable points to. */
static void root_has_no_directory_of_its_own(void **state)
{
	struct host_case *c = *state;

	scratch_file(&c->scratch, "cordon/profiles/mine.yaml", 0644, "");
	c->request.home = c->scratch.path;
	policy_host_init(&c->state, &c->request, 0, &c->host);
	assert_string_equal(c->state.user_profiles, "");
	assert_refused(c, load(c, "mine", ""), "there is no such profile");
}

static void finds_the_users_directory(void **state)
{
	static const struct {
		const char *variable, *home, *want;
	} rows[] = {
		{"XDG_CONFIG_HOME=/x", "/home/u", "/x/cordon/profiles"},
		{"XDG_CONFIG_HOME=rel", "/home/u", "/home/u/.config/cordon/profiles"},
		{"XDG_CONFIG_HOME=", "/home/u", "/home/u/.config/cordon/profiles"},
		{"XDG_CONFIG_HOMES=/x", "/home/u", "/home/u/.config/cordon/profiles"},
		{"OTHER=1", "relative", ""},
		{"OTHER=1", "", ""},
		{"OTHER=1", NULL, ""},
	};
	struct host_case *c = *state;

	for (size_t i = 0; i < N(rows); i++) {
		c->environment[0] = rows[i].variable;
		c->request.home = rows[i].home;
		policy_host_init(&c->state, &c->request, 1000, &c->host);
		assert_string_equal(c->state.user_profiles, rows[i].want);
	}
	c->request.environment = NULL;
	policy_host_init(&c->state, &c->request, 1000, &c->host);
	assert_string_equal(c->state.user_profiles, "");
}

/* ---- paths ---- */

static void finds_paths(void **state)
{
	struct host_case *c = *state;
	char dir[PATH_MAX], cwd[PATH_MAX];

	scratch_dir(&c->scratch, "sub", 0755);
	scratch_file(&c->scratch, "sub/p.yaml", 0600, "text");
	scratch_path(&c->scratch, "sub", dir);
	assert_int_equal(load_path(c, "sub/p.yaml"), 0);
	assert_loaded(c, "text", dir);
	/* Relative to the file that refers. */
	assert_int_equal(load(c, "./p.yaml", dir), 0);
	assert_loaded(c, "text", dir);
	assert_int_equal(load(c, "../sub/./p.yaml", dir), 0);
	assert_loaded(c, "text", dir);
	assert_int_equal(load(c, "sub/p.yaml", c->scratch.path), 0);
	/* Relative to the working directory; the path stays as it was written. */
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir(c->scratch.path), 0);
	policy_host_init(&c->state, &c->request, some_user(), &c->host);
	assert_int_equal(load(c, "./sub/p.yaml", ""), 0);
	assert_string_equal(c->path, "./sub/p.yaml");
	assert_loaded(c, "text", dir);
	assert_int_equal(chdir(cwd), 0);
}

static void refuses_paths_that_lead_nowhere(void **state)
{
	struct host_case *c = *state;
	char path[PATH_MAX + 64];

	scratch_file(&c->scratch, "file", 0600, "");
	scratch_link(&c->scratch, "dangling", "none");
	scratch_link(&c->scratch, "loop", "loop");
	assert_refused(c, load_path(c, "none.yaml"), "No such file");
	assert_refused(c, load_path(c, "none/p.yaml"), "No such file");
	assert_refused(c, load_path(c, "file/p.yaml"), "Not a directory");
	assert_refused(c, load_path(c, "dangling"), "No such file");
	assert_refused(c, load_path(c, "loop"), "symbolic links");
	memset(path, 'p', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_refused(c, load(c, path, ""), "profile /ppp");
	assert_refused(c, load(c, path, "/"), "");
}

/* What is no regular file is refused at once: nobody waits for a writer of a FIFO. */
static void refuses_other_kinds_of_files(void **state)
{
	struct host_case *c = *state;

	scratch_fifo(&c->scratch, "fifo.yaml");
	scratch_dir(&c->scratch, "dir.yaml", 0755);
	scratch_link(&c->scratch, "null.yaml", "/dev/null");
	assert_refused(c, load_path(c, "fifo.yaml"), "is not a regular file");
	assert_refused(c, load_path(c, "dir.yaml"), "is not a regular file");
	assert_refused(c, load_path(c, "null.yaml"), "is not a regular file");
	scratch_fifo(&c->scratch, "cordon/profiles/waits.yaml");
	assert_refused(c, load(c, "waits", ""), "is not a regular file");
}

static void refuses_what_is_too_large(void **state)
{
	enum { MAX = 1 << 20 };
	struct host_case *c = *state;
	char *text = malloc(MAX + 2);

	memset(text, 'x', MAX + 1);
	text[MAX + 1] = '\0';
	scratch_file(&c->scratch, "large.yaml", 0600, text);
	assert_refused(c, load_path(c, "large.yaml"), "too large");
	text[MAX] = '\0';
	scratch_file(&c->scratch, "large.yaml", 0600, text);
	assert_int_equal(load_path(c, "large.yaml"), 0);
	assert_int_equal(c->len, MAX);
	free(text);
}

/* ---- whose files are believed ---- */

static void refuses_files_that_others_write(void **state)
{
	static const struct {
		mode_t dir, file;
		bool refused;
	} rows[] = {
		{0755, 0644, false},
		{0700, 0600, false},
		{0755, 0664, true},
		{0755, 0646, true},
		{0755, 0666, true},
		{0755, 0620, true},
		{0755, 0602, true},
		{0775, 0644, true},
		{0757, 0644, true},
		{0777, 0600, true},
		{02775, 0644, true},
		{01777, 0644, false},
		{01775, 0644, false},
		{01777, 0664, true},
		{01777, 0646, true},
		/* The sticky bit of a file means nothing. */
		{0755, 01666, true},
	};
	struct host_case *c = *state;

	scratch_dir(&c->scratch, "sub", 0755);
	for (size_t i = 0; i < N(rows); i++) {
		int r;

		scratch_file(&c->scratch, "sub/p.yaml", rows[i].file, "text");
		assert_int_equal(fchmodat(c->scratch.fd, "sub", rows[i].dir, 0), 0);
		r = load_path(c, "sub/p.yaml");
		if (!rows[i].refused) {
			assert_int_equal(r, 0);
			continue;
		}
		assert_refused(c, r, "may be written by others");
		assert_non_null(strstr(c->err.hint, "chmod go-w"));
	}
	assert_int_equal(fchmodat(c->scratch.fd, "sub", 0755, 0), 0);
}

/* The same for names, and through a link: what counts is what was opened. */
static void looks_behind_links(void **state)
{
	struct host_case *c = *state;

	scratch_file(&c->scratch, "open.yaml", 0666, "text");
	scratch_link(&c->scratch, "cordon/profiles/link.yaml", "../../open.yaml");
	assert_refused(c, load(c, "link", ""), "may be written by others");
	assert_int_equal(fchmodat(c->scratch.fd, "open.yaml", 0644, 0), 0);
	assert_int_equal(load(c, "link", ""), 0);
	assert_int_equal(fchmodat(c->scratch.fd, "cordon/profiles", 0777, 0), 0);
	assert_refused(c, load(c, "link", ""), "may be written by others");
}

static void refuses_files_of_others(void **state)
{
	struct host_case *c = *state;
	char path[PATH_MAX];

	scratch_dir(&c->scratch, "sub", 0755);
	scratch_file(&c->scratch, "sub/p.yaml", 0644, "text");
	scratch_path(&c->scratch, "sub/p.yaml", path);
	if (geteuid() != 0) {
		/* The tests' own files, as somebody else sees them. */
		policy_host_init(&c->state, &c->request, geteuid() + 1, &c->host);
		assert_refused(c, load(c, path, ""), "may be written by others");
		policy_host_init(&c->state, &c->request, geteuid(), &c->host);
		assert_int_equal(load(c, path, ""), 0);
		return;
	}
	assert_int_equal(chown(path, 12345, 0), 0);
	assert_refused(c, load(c, path, ""), "owner uid 12345");
	assert_int_equal(chown(path, some_user(), 0), 0);
	assert_int_equal(load(c, path, ""), 0);
	assert_int_equal(fchownat(c->scratch.fd, "sub", 12345, 0, 0), 0);
	assert_refused(c, load(c, path, ""), "owner uid 12345");
	/* As root a user's file is another's. */
	assert_int_equal(fchownat(c->scratch.fd, "sub", 0, 0, 0), 0);
	policy_host_init(&c->state, &c->request, 0, &c->host);
	assert_refused(c, load(c, path, ""), "owner uid 1000");
}

/* ---- listing ---- */

struct listing {
	size_t n_shipped, n_files;
	bool saw_mine;
};

static void note(void *ctx, const char *name, const char *path)
{
	struct listing *listing = ctx;

	listing->n_shipped += path[0] == '\0';
	listing->n_files += path[0] != '\0';
	listing->saw_mine = listing->saw_mine || strcmp(name, "mine") == 0;
}

static void lists_profiles(void **state)
{
	struct host_case *c = *state;
	struct listing before = {0}, after = {0};

	policy_host_list(&c->state, note, &before);
	assert_int_equal(before.n_shipped, policy_n_shipped_profiles);
	scratch_file(&c->scratch, "cordon/profiles/mine.yaml", 0644, "");
	scratch_file(&c->scratch, "cordon/profiles/.yaml", 0644, "");
	scratch_file(&c->scratch, "cordon/profiles/notes.txt", 0644, "");
	scratch_file(&c->scratch, "cordon/profiles/x.yml", 0644, "");
	policy_host_list(&c->state, note, &after);
	assert_int_equal(after.n_files, before.n_files + 1);
	assert_true(after.saw_mine);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test(finds_shipped_names),
		test(finds_the_users_names),
		test(refuses_what_is_no_name),
		test(refuses_to_shadow_a_shipped_one),
		test(root_has_no_directory_of_its_own),
		test(finds_the_users_directory),
		test(finds_paths),
		test(refuses_paths_that_lead_nowhere),
		test(refuses_other_kinds_of_files),
		test(refuses_what_is_too_large),
		test(refuses_files_that_others_write),
		test(looks_behind_links),
		test(refuses_files_of_others),
		test(lists_profiles),
	};

	umask(022);
	/* A reader that waits for a FIFO's writer would wait for ever: then SIGALRM ends us. */
	alarm(60);
	return cmocka_run_group_tests_name("launcher/policy_host", tests, NULL, NULL);
}
