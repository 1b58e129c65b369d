/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records below a directory of the test's own, and short ways to make one. */
#ifndef CORDON_TESTS_LIB_RECORDS_FIXTURE_H
#define CORDON_TESTS_LIB_RECORDS_FIXTURE_H

#include "records/record.h"
#include "records/store.h"
#include "tests/lib/scratch.h"

struct records_case {
	struct scratch scratch;
	char root[PATH_MAX]; /* --root */
	struct run_request request;
	struct records records;
	struct err err;
};

/* For cmocka: *state is a struct records_case, opened. */
int records_case_setup(void **state);
int records_case_teardown(void **state);

/* Makes a record with this name ("": none) and no block of ids, and opens it. */
void records_case_make(struct records_case *c, const char *name, struct sandbox *ret);

/* Replaces a file of the sandbox's directory by this text. */
void records_case_write(const struct sandbox *sandbox, const char *name, const char *text);

#endif
