/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See records_fixture.h. */
#include "tests/lib/records_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static void must(bool is_true, const struct err *err)
{
	if (is_true)
		return;
	fprintf(stderr, "records_fixture: %s\n", err != NULL ? err->text : "a call failed");
	abort();
}

int records_case_setup(void **state)
{
	struct records_case *c = calloc(1, sizeof(*c));

	must(c != NULL, NULL);
	scratch_make(&c->scratch);
	scratch_path(&c->scratch, "root", c->root);
	c->request.root_dir = c->root;
	must(records_open(&c->request, true, &c->records, &c->err) == 0, &c->err);
	*state = c;
	return 0;
}

int records_case_teardown(void **state)
{
	struct records_case *c = *state;

	records_release(&c->records);
	scratch_remove(&c->scratch);
	free(c);
	return 0;
}

void records_case_make(struct records_case *c, const char *name, struct sandbox *ret)
{
	static const char *const argv[] = {"sleep", "60", NULL}, *const none[] = {NULL};
	struct record record = {.rootfs = "host", .restart = "no", .labels = none, .cwd = "/"};

	record.request.policy.argv = argv;
	record.request.environment = none;
	str_format(record.name, sizeof(record.name), "%s", name);
	must(records_create(&c->records, &record, false, &c->err) == 0, &c->err);
	must(records_open_id(&c->records, record.id, ret) == 0, NULL);
}

void records_case_write(const struct sandbox *sandbox, const char *name, const char *text)
{
	must(records_write(sandbox->dir_fd, name, text, strlen(text), true) == 0, NULL);
}
