/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as the file of --env-file and of --label-file, and their first line as the value of
 * a flag that is a small language; the number of bytes says which. What is taken is what the bytes
 * say, whole: a variable of the sandbox stands in the file as it is, on one line.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "policy/problems.h"
#include "tests/lib/policy_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct harness {
	struct policy_fixture fixture; /* first: it is what the callbacks are given */
	const char *bytes;
	size_t size;
};

static int read_bytes(void *ctx, struct arena *arena, const char *path, struct policy_text *ret,
		      struct err *err)
{
	const struct harness *harness = ctx;

	(void)arena;
	(void)path;
	(void)err;
	ret->text = harness->bytes;
	ret->len = harness->size;
	return 0;
}

static void check_text(void *ctx, const char *text, size_t len)
{
	(void)ctx;
	if (strlen(text) != len)
		abort();
}

static bool is_said(const struct harness *harness, const char *text)
{
	return memmem(harness->bytes, harness->size, text, strlen(text)) != NULL;
}

/* What profile default or the caller says by itself. */
static bool is_usual(const char *entry)
{
	static const char *const names[] = {"PATH=", "HOME=", "LANG=", "TERM=", "SECRET="};
	bool found = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		found |= str_has_prefix(entry, names[i]);
	return found;
}

static void check_spec(const struct harness *harness)
{
	const struct sandbox_spec *spec = &harness->fixture.spec;

	for (size_t i = 0; spec->process.envp[i] != NULL; i++) {
		const char *entry = spec->process.envp[i];

		if (strchr(entry, '\n') != NULL || strchr(entry, '=') == NULL ||
		    (!is_usual(entry) && !is_said(harness, entry)))
			abort();
	}
	for (size_t i = 0; i < spec->n_labels; i++)
		if (!is_said(harness, spec->labels[i].name) ||
		    !is_said(harness, spec->labels[i].value) ||
		    (i > 0 && strcmp(spec->labels[i - 1].name, spec->labels[i].name) >= 0))
			abort();
	for (size_t i = 0; i < spec->n_mounts; i++)
		if (spec->mounts[i].target[0] != '/' || spec->mounts[i].size_bytes > INT64_MAX)
			abort();
}

static void try(struct harness *harness, int kind, const char *text)
{
	fixture_init(&harness->fixture);
	harness->fixture.host.read_file = read_bytes;
	/* Without the lists of system calls it is many times as fast. */
	harness->fixture.request.wants_values = false;
	fixture_flag(&harness->fixture, kind, text);
	if (fixture_resolve(&harness->fixture, "cordon: 1\n") == 0)
		check_spec(harness);
	else if (harness->fixture.err.text[0] == '\0')
		abort();
	problems_render_all(&harness->fixture.problems, check_text, NULL);
	fixture_release(&harness->fixture);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int kinds[] = {FLAG_ULIMIT,       FLAG_MEMORY, FLAG_CPUS,     FLAG_CPU_SHARES,
				    FLAG_SECURITY_OPT, FLAG_TMPFS,  FLAG_CAP_DROP, FLAG_LABEL,
				    FLAG_STOP_TIMEOUT, FLAG_RESTART};
	struct harness *harness = malloc(sizeof(*harness));
	/* No byte more than there is, so that one read beyond is seen. */
	char *bytes = malloc(size > 0 ? size : 1);
	char *line = calloc(1, size + 1);

	memcpy(bytes, data, size);
	memcpy(line, data, size);
	line[strcspn(line, "\n")] = '\0';
	harness->bytes = bytes;
	harness->size = size;
	try(harness, FLAG_ENV_FILE, "file");
	try(harness, FLAG_LABEL_FILE, "file");
	try(harness, kinds[size % (sizeof(kinds) / sizeof(kinds[0]))], line);
	free(line);
	free(bytes);
	free(harness);
	return 0;
}
