/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon ps`: a row for each sandbox, and the forms in which they are printed. */
#ifndef CORDON_CMD_PS_H
#define CORDON_CMD_PS_H

#include "cmd/look.h"
#include "cmd/ports.h"
#include "cmd/template.h"

/* What is listed of one sandbox. */
struct ps_row {
	char id[RUN_ID_LEN + 1];
	char run_id[RUN_ID_LEN + 1]; /* "": it does not run */
	bool is_damaged;
	bool has_record;
	struct record record; /* where has_record */
	const char *state;
	char *status; /* look_status_text */
	char *reason; /* look_reason, or why it cannot be read */
	int64_t exit_code;
	int64_t restarts;
	int64_t started_ms;
	int64_t finished_ms;
};

struct ps_list {
	struct ps_row **rows;
	size_t n;
	int64_t now_ms;
	struct ports ports; /* of all */
	bool no_trunc;
};

/* The fields that --format knows, for messages. */
extern const char ps_known[];

/* What is printed where --format says nothing: a table. */
extern const char ps_default_format[];

/* Refuses a template with a field that there is none of. 0 or ERR_USAGE. */
int must_check ps_check_template(const struct template *template, struct err *err);

/* Each of the following returns the exit code: exit_code, or 125 where it could not be printed. */
int ps_print_ids(const struct ps_list *list, int exit_code);
int ps_print_lines(const struct ps_list *list, const struct template *template, int exit_code);
/* fits: on a terminal, in its columns; for the default table. */
int ps_print_table(const struct ps_list *list, const struct template *template, bool fits,
		   int exit_code);
int ps_print_json(const struct ps_list *list, int exit_code);

#endif
