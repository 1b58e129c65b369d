/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an image says, as a layer of policy, and its part of the command line. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/lib/policy_fixture.h"

enum { SETTINGS_MAX = 1100 };

/* The image that is found under the name web. */
static struct policy_setting settings[SETTINGS_MAX];
static size_t n_settings;

static int find_image(void *ctx, struct arena *arena, const char *name, struct policy_image *ret)
{
	(void)ctx;
	(void)arena;
	if (!str_equal(name, "web"))
		return -ENOENT;
	*ret = (struct policy_image){
		.id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		.settings = settings,
		.n_settings = n_settings};
	return 0;
}

static void begin(struct policy_fixture *f)
{
	fixture_init(f);
	f->host.find_image = find_image;
	f->request.wants_values = true;
	n_settings = 0;
}

static void say(const char *key, const char *value)
{
	settings[n_settings++] = (struct policy_setting){.key = key, .value = value};
}

static const char *variable(const struct policy_fixture *f, const char *name)
{
	size_t len = strlen(name);

	for (const char *const *e = f->spec.process.envp; *e != NULL; e++)
		if (strncmp(*e, name, len) == 0 && (*e)[len] == '=')
			return *e + len + 1;
	return NULL;
}

static void settings_are_a_layer(void **state)
{
	struct policy_fixture f;

	(void)state;
	begin(&f);
	say("Env", "A=1");
	say("Env", "A=2");
	say("Env", "LANG=image");
	say("Env", "WHO=image");
	say("Env", "no");
	say("Env", "=no");
	say("User", "7:8");
	say("WorkingDir", "srv/../app");
	say("StopSignal", "USR1");
	say("Label", "role");
	say("LabelValue", "web");
	say("Label", "two\nlines");
	say("LabelValue", "x");
	assert_int_equal(
		fixture_resolve(&f, "cordon: 1\nextends: default\nrootfs: {from: 'image:web'}\n"
				    "process: {environment: {WHO: file}}\n"),
		0);
	assert_int_equal(f.spec.rootfs.kind, ROOTFS_IMAGE);
	assert_string_equal(f.spec.rootfs.image, "web");
	assert_int_equal(strlen(f.spec.rootfs.image_id), 64);
	assert_int_equal(f.spec.rootfs.writable, WRITABLE_TMPFS);
	assert_string_equal(variable(&f, "A"), "2");
	assert_string_equal(variable(&f, "LANG"), "image");
	assert_string_equal(variable(&f, "WHO"), "file");
	assert_string_equal(variable(&f, "HOME"), "/tmp");
	assert_non_null(strstr(f.spec.process.path, "/sbin"));
	assert_int_equal(f.spec.identity.uid, 7);
	assert_int_equal(f.spec.identity.gid, 8);
	assert_string_equal(f.spec.process.working_dir, "/app");
	assert_int_equal(f.spec.process.stop_signal, 10);
	assert_int_equal(f.spec.n_labels, 1);
	assert_string_equal(f.spec.labels[0].name, "role");
	assert_int_equal(f.spec.provenance.n_warnings, 3);
	assert_string_equal(f.spec.provenance.warnings[0].origin.file, "image web");
	fixture_release(&f);
}

/* Ports of which cordon could publish none are left out, and so is what is published already. */
static void exposed_ports_are_published_by_P(void **state)
{
	struct policy_fixture f;

	(void)state;
	begin(&f);
	say("ExposedPort", "80/tcp");
	say("ExposedPort", "53/udp");
	say("ExposedPort", "443");
	say("ExposedPort", "9/sctp");
	say("ExposedPort", "http");
	fixture_flag(&f, FLAG_IMAGE, "web");
	fixture_flag(&f, FLAG_EXPOSE, "8000-8001");
	assert_int_equal(fixture_resolve(&f, NULL), 0);
	assert_int_equal(f.spec.network.n_publish, 0);
	/* What it has, whoever asks for it: by number. */
	assert_int_equal(f.spec.network.n_exposed, 5);
	assert_int_equal(f.spec.network.exposed[0].port, 53);
	assert_int_equal(f.spec.network.exposed[0].protocol, IPPROTO_UDP);
	assert_int_equal(f.spec.network.exposed[1].port, 80);
	assert_int_equal(f.spec.network.exposed[4].port, 8001);
	assert_int_equal(f.spec.provenance.n_warnings, 2);
	fixture_release(&f);

	begin(&f);
	say("ExposedPort", "80/tcp");
	say("ExposedPort", "80/udp");
	say("ExposedPort", "80");
	fixture_flag(&f, FLAG_IMAGE, "web");
	fixture_flag(&f, FLAG_NETWORK, "bridge");
	fixture_flag(&f, FLAG_PUBLISH_ALL, "true");
	fixture_flag(&f, FLAG_PUBLISH, "8080:80");
	fixture_flag(&f, FLAG_EXPOSE, "8000-8001");
	assert_int_equal(fixture_resolve(&f, NULL), 0);
	assert_int_equal(f.spec.network.n_publish, 4);
	/* What is published is among them, TCP first. */
	assert_int_equal(f.spec.network.n_exposed, 4);
	assert_int_equal(f.spec.network.exposed[0].port, 80);
	assert_int_equal(f.spec.network.exposed[0].protocol, IPPROTO_TCP);
	assert_int_equal(f.spec.network.exposed[1].protocol, IPPROTO_UDP);
	assert_int_equal(f.spec.network.publish[0].host, 8080);
	assert_int_equal(f.spec.network.publish[1].inside, 80);
	assert_int_equal(f.spec.network.publish[1].protocol, 17);
	assert_int_equal(f.spec.network.publish[1].host, 0);
	assert_int_equal(f.spec.network.publish[3].inside, 8001);
	fixture_release(&f);

	/* Nothing to publish is said. */
	begin(&f);
	fixture_flag(&f, FLAG_NETWORK, "bridge");
	fixture_flag(&f, FLAG_PUBLISH_ALL, "true");
	assert_int_equal(fixture_resolve(&f, NULL), 0);
	assert_int_equal(f.spec.provenance.n_warnings, 1);
	fixture_release(&f);
}

static void nothing_said_is_root(void **state)
{
	struct policy_fixture f;

	(void)state;
	begin(&f);
	fixture_flag(&f, FLAG_IMAGE, "web");
	assert_int_equal(fixture_resolve(&f, "cordon: 1\nextends: strict\n"), 0);
	assert_int_equal(f.spec.identity.uid, 0);
	assert_string_equal(f.spec.process.working_dir, "");
	assert_string_equal(fixture_value(&f, "rootfs.from"), "image:web");
	fixture_release(&f);
	/* What the caller wrote counts more than what is usual. */
	begin(&f);
	fixture_flag(&f, FLAG_IMAGE, "web");
	assert_int_equal(fixture_resolve(&f, "cordon: 1\nextends: base\nprocess: {user: '5:6'}\n"
					     "rootfs: {writable: none}\n"),
			 0);
	assert_int_equal(f.spec.identity.uid, 5);
	assert_int_equal(f.spec.rootfs.writable, WRITABLE_NONE);
	fixture_release(&f);
	/* One that is not here is no mistake of the policy's. */
	begin(&f);
	fixture_flag(&f, FLAG_IMAGE, "nowhere");
	assert_int_equal(fixture_resolve(&f, "cordon: 1\nextends: base\nprocess: {user: nobody}\n"),
			 0);
	assert_int_equal(f.spec.rootfs.kind, ROOTFS_IMAGE);
	assert_string_equal(f.spec.rootfs.image_id, "");
	fixture_release(&f);
}

static void wrong_ones_are_refused_by_name(void **state)
{
	static const struct {
		const char *key, *value, *rule;
	} rows[] = {
		{"User", "70000:1", "bad-value"}, {"User", "nobody-has-it", "no-user"},
		{"User", ":", "bad-value"},       {"StopSignal", "SIGNONE", "bad-value"},
		{"Env", "A B=1", "bad-value"},    {"Env", "A\n=1", "bad-value"},
	};
	struct policy_fixture f;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct policy_problem *problem;

		begin(&f);
		say(rows[i].key, rows[i].value);
		fixture_flag(&f, FLAG_IMAGE, "web");
		assert_true(fixture_resolve(&f, "cordon: 1\nextends: base\n") < 0);
		problem = fixture_problem(&f, rows[i].rule);
		assert_non_null(problem);
		assert_string_equal(problem->origin.file, "image web");
		fixture_release(&f);
	}
	for (int more = 0; more < 2; more++) {
		static char names[SETTINGS_MAX][16];

		begin(&f);
		for (size_t i = 0; i < 1024 + (size_t)more; i++) {
			str_format(names[i], sizeof(names[i]), "V%zu=1", i);
			say("Env", names[i]);
		}
		fixture_flag(&f, FLAG_IMAGE, "web");
		assert_int_equal(fixture_resolve(&f, "cordon: 1\nextends: base\n") < 0, more);
		assert_int_equal(fixture_problem(&f, "too-many") != NULL, more);
		fixture_release(&f);
	}
}

/* The words of argv, with a blank behind each. */
static const char *command(struct policy_fixture *f, const char *const *words,
			   const char *entrypoint, bool by_flag)
{
	static char text[256];
	size_t len = 0;

	begin(f);
	say("Entrypoint", "entry");
	say("Entrypoint", "");
	say("Cmd", "cmd");
	f->request.argv = words;
	f->request.entrypoint = entrypoint;
	if (by_flag)
		fixture_flag(f, FLAG_IMAGE, "web");
	assert_int_equal(fixture_resolve(f,
					 "cordon: 1\nextends: base\nrootfs: {from: 'image:web'}\n"),
			 0);
	text[0] = '\0';
	for (const char *const *arg = f->spec.process.argv; *arg != NULL; arg++)
		len += str_format(text + len, sizeof(text) - len, "%s ", *arg);
	return text;
}

static void command_lines(void **state)
{
	static const char *const none[] = {NULL}, *const word[] = {"word", NULL};
	static const struct {
		const char *const *words;
		const char *entrypoint;
		bool by_flag;
		const char *wanted;
	} rows[] = {
		{none, NULL, true, "entry  cmd "},
		{word, NULL, true, "entry  word "},
		{none, "other", true, "other "},
		{word, "other", true, "other word "},
		{none, "", true, ""},
		{word, "", true, "word "},
		/* Behind `--`; and of a profile that names an image. */
		{word, NULL, false, "word "},
		{none, NULL, false, "entry  cmd "},
	};
	struct policy_fixture f;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(command(&f, rows[i].words, rows[i].entrypoint, rows[i].by_flag),
				    rows[i].wanted);
		/* None of the host's programs is shown for it. */
		assert_int_equal(f.spec.n_mounts, 0);
		fixture_release(&f);
	}
}

/* A relative path is one inside. */
static void programs_are_inside(void **state)
{
	static const char *const words[] = {"./run", NULL};
	struct policy_fixture f;

	(void)state;
	begin(&f);
	say("WorkingDir", "/app");
	f.request.argv = words;
	fixture_flag(&f, FLAG_IMAGE, "web");
	assert_int_equal(fixture_resolve(&f, "cordon: 1\nextends: base\n"), 0);
	assert_string_equal(f.spec.process.program, "/app/run");
	assert_int_equal(f.spec.n_mounts, 0);
	fixture_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_are_a_layer),
		cmocka_unit_test(exposed_ports_are_published_by_P),
		cmocka_unit_test(nothing_said_is_root),
		cmocka_unit_test(wrong_ones_are_refused_by_name),
		cmocka_unit_test(command_lines),
		cmocka_unit_test(programs_are_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
