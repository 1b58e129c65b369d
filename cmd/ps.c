/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `cordon ps`: lists sandboxes. Takes no lock and asks no process: what is held or stopped does not
 * keep it waiting. About thirty system calls for each sandbox.
 */
#include "cmd/ps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "cmd/kept.h"
#include "cmd/list_options.h"
#include "cmd/print.h"
#include "cmd/ps_filter.h"

/* ---- rows ---- */

static void free_row(struct ps_row *row)
{
	if (row == NULL)
		return;
	if (row->has_record)
		record_free(&row->record);
	free(row->status);
	free(row->reason);
	free(row);
}

static void free_rows(struct ps_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free_row(list->rows[i]);
	free(list->rows);
	ports_free(&list->ports);
}

static void take_times(struct ps_row *row, const struct look *look)
{
	const struct sandbox_status *status = &look->status;
	bool is_restarting = status->state == SANDBOX_RESTARTING;

	row->restarts = status->last.restarts;
	row->exit_code = is_restarting ? status->live.last_exit_code : status->last.exit_code;
	row->finished_ms = is_restarting ? status->live.last_finished_ms : status->last.finished_ms;
	row->started_ms = status->has_keeper && status->live.started_ms != RESULT_NONE
				  ? status->live.started_ms
				  : status->last.started_ms;
}

/* Takes the record over. NULL where there is no memory. */
static struct ps_row *make_row(struct look *look, int64_t now_ms)
{
	struct ps_row *row = calloc(1, sizeof(*row));
	struct page status = {0};

	if (row == NULL)
		return NULL;
	row->exit_code = row->restarts = row->started_ms = row->finished_ms = RESULT_NONE;
	str_format(row->id, sizeof(row->id), "%s", look->id);
	if (look->has_status && look->status.has_keeper)
		str_format(row->run_id, sizeof(row->run_id), "%s", look->status.live.run_id);
	row->is_damaged = look_is_damaged(look);
	row->state = look_state(look);
	row->reason = strdup(row->is_damaged ? look->damage.text : look_reason(look));
	look_status_text(look, now_ms, &status);
	row->status = status.text;
	if (look->has_status)
		take_times(row, look);
	if (look->has_record) {
		row->record = look->record;
		row->record.request.files = NULL; /* led into the other one */
		row->has_record = true;
		look->has_record = false;
	}
	if (!status.failed && row->reason != NULL)
		return row;
	free_row(row);
	return NULL;
}

static int by_age(const void *a, const void *b)
{
	const struct ps_row *one = *(struct ps_row *const *)a, *other = *(struct ps_row *const *)b;
	int64_t one_ms = one->has_record ? one->record.created_ms : -1;
	int64_t other_ms = other->has_record ? other->record.created_ms : -1;

	if (one_ms != other_ms)
		return one_ms > other_ms ? -1 : 1;
	return strcmp(one->id, other->id);
}

/* ---- which ---- */

struct ps {
	struct records records;
	const struct list_options *options;
	struct ps_filters filters;
	struct ps_list list;
	struct look look; /* the one at hand */
	int exit_code;
};

static bool wants_all(const struct ps *ps)
{
	return ps->options->all || ps->options->last > 0 || ps->filters.wants_all;
}

static int add(struct ps *ps, const char *id)
{
	struct look *look = &ps->look;
	int r = 0;

	/* Of most that do not run nothing else has to be read. */
	if (!wants_all(ps) && !records_is_id_running(&ps->records, id))
		return 0;
	if (look_read(&ps->records, id, look) == 0)
		return 0;
	if (look_is_damaged(look)) {
		print_err(&look->damage);
		ps->exit_code = EXIT_CORDON;
	}
	if ((wants_all(ps) || look->is_alive) && ps_filters_take(&ps->filters, look)) {
		struct ps_row *row = make_row(look, ps->list.now_ms);

		r = row != NULL ? 0 : -ENOMEM;
		if (row != NULL)
			ps->list.rows[ps->list.n++] = row;
	}
	look_release(look);
	return r;
}

static int collect(struct ps *ps, struct err *err)
{
	char(*ids)[RUN_ID_LEN + 1] = NULL;
	ssize_t n = records_list(&ps->records, &ids, err);
	struct err ignored;
	int r = 0;

	if (n < 0)
		return (int)n;
	ps->list.rows = calloc((size_t)n + 1, sizeof(struct ps_row *));
	if (ps->list.rows == NULL)
		r = -ENOMEM;
	for (ssize_t i = 0; r == 0 && i < n; i++)
		r = add(ps, ids[i]);
	free(ids);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "list the sandboxes");
	if (ps->list.n > 0)
		qsort(ps->list.rows, ps->list.n, sizeof(struct ps_row *), by_age);
	/* As a user there are none. */
	if (geteuid() == 0)
		str_format(ps->list.ports.run, sizeof(ps->list.ports.run), "%s", ps->records.run);
	if (geteuid() == 0 && ps->list.n > 0)
		ignore_result(ports_read(&ps->list.ports, &ignored),
			      "where nf_tables cannot be asked nothing is published");
	while (ps->options->last > 0 && ps->list.n > ps->options->last)
		free_row(ps->list.rows[--ps->list.n]);
	return 0;
}

/* ---- the command ---- */

static int check_options(const struct list_options *options, struct err *err)
{
	int forms = options->quiet + options->json + (options->format != NULL);

	if (options->n_words > 0)
		return err_set(err, ERR_USAGE, 0, "ps takes no arguments, but was given %s",
			       options->words[0]);
	if (forms > 1)
		return err_set(err, ERR_USAGE, 0,
			       "--quiet, --json and --format are three forms: choose one");
	return 0;
}

/* "", "table" and "json" have meanings of their own. */
static const char *whole_format(const char *format)
{
	if (format == NULL || format[0] == '\0' || str_equal(format, "table"))
		return ps_default_format;
	return str_equal(format, "json") ? "{{json .}}" : format;
}

static int print_list(struct ps *ps, const struct template *template)
{
	const struct list_options *options = ps->options;
	bool is_default = str_equal(whole_format(options->format), ps_default_format);

	if (options->quiet)
		return ps_print_ids(&ps->list, ps->exit_code);
	if (options->json)
		return ps_print_json(&ps->list, ps->exit_code);
	if (template->is_table)
		return ps_print_table(&ps->list, template, is_default && !options->no_trunc,
				      ps->exit_code);
	return ps_print_lines(&ps->list, template, ps->exit_code);
}

static int list(struct ps *ps, const struct template *template)
{
	struct err err = {0};
	int r = ps_filters_read(&ps->records, ps->options, &ps->filters, &err);
	int exit_code = EXIT_CORDON;

	ps->list.now_ms = record_now_ms();
	ps->list.no_trunc = ps->options->no_trunc;
	if (r == 0)
		r = collect(ps, &err);
	if (r < 0)
		print_err(&err);
	else
		exit_code = print_list(ps, template);
	free_rows(&ps->list);
	return exit_code;
}

/* A place that is not there has no sandboxes: whoever names one means another. */
static int check_root(const struct cmd_context *context, struct err *err)
{
	struct stat st;

	if (context->root_dir == NULL)
		return 0;
	if (stat(context->root_dir, &st) != 0)
		err_set(err, ERR_USAGE, errno, "--root %s", context->root_dir);
	else if (!S_ISDIR(st.st_mode))
		err_set(err, ERR_USAGE, ENOTDIR, "--root %s", context->root_dir);
	else
		return 0;
	return err_hint(err, "Name the directory that the sandboxes were made with; the first "
			     "`cordon --root DIR create` or `run` makes it.");
}

int cmd_ps(const struct cmd_context *context, int argc, char **argv)
{
	struct list_options options;
	struct template template = {.n = 0};
	struct err err = {0};
	struct ps *ps;
	int exit_code = EXIT_CORDON;
	int r = list_options_parse("ps", OPTION_PS, argv + 1, &options, &err);

	(void)argc;
	if (r == 0 && options.help)
		return command_print_help_of("ps");
	if (r == 0)
		r = check_options(&options, &err);
	if (r == 0)
		r = template_read(whole_format(options.format), ps_known, &template, &err);
	if (r == 0)
		r = ps_check_template(&template, &err);
	if (r == 0)
		r = check_root(context, &err);
	if (r < 0) {
		print_err(&err);
		return EXIT_CORDON;
	}
	ps = calloc(1, sizeof(*ps));
	if (ps == NULL) {
		print_note("no memory");
		return EXIT_CORDON;
	}
	ps->options = &options;
	if (kept_open(context, false, &ps->records) == 0) {
		exit_code = list(ps, &template);
		records_release(&ps->records);
	}
	free(ps);
	return exit_code;
}
