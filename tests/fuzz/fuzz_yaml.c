/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as a profile: they resolve and compile, or are refused with problems that can be shown.
 * The text also stands in for a flag's value, which is read by the same parser from another place.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "policy/problems.h"
#include "tests/lib/policy_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(void *ctx, const char *text, size_t len)
{
	(void)ctx;
	if (strlen(text) != len)
		abort();
}

static void check(struct policy_fixture *fixture, const char *text)
{
	const char *argv[] = {"./a.out", NULL};
	void *program = NULL;
	size_t n;

	fixture->request.argv = argv;
	if (fixture_resolve(fixture, text) == 0) {
		int r = policy_seccomp_compile(&fixture->spec.seccomp, &program, &n, &fixture->err);

		/* Whatever resolves must compile; only its length may stand against it. */
		if (r != 0 && r != -E2BIG)
			abort();
		free(program);
	} else if (fixture->err.text[0] == '\0') {
		abort();
	}
	problems_render_all(&fixture->problems, check_text, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy_fixture *fixture = malloc(sizeof(*fixture));
	char *text = calloc(1, size + sizeof("volumes="));

	memcpy(text, data, size);
	fixture_init(fixture);
	check(fixture, text);
	fixture_release(fixture);
	memcpy(text + str_format(text, size + sizeof("volumes="), "volumes="), data, size);
	fixture_init(fixture);
	fixture_flag(fixture, FLAG_SET, text);
	check(fixture, NULL);
	fixture_release(fixture);
	free(text);
	free(fixture);
	return 0;
}
