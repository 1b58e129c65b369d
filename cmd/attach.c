/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon attach`: what a sandbox in the background prints from now on, and what is typed for it
 * (attached.h). */
#include <errno.h>

#include "cmd/attached.h"
#include "cmd/kept.h"
#include "cmd/print.h"

static int check(const struct options *o, struct err *err)
{
	int r = options_check_command(o, OPTION_ATTACH, "attach", err);

	if (r < 0)
		return r;
	if (o->rest[0] != NULL && o->rest[1] == NULL)
		return 0;
	err_set(err, ERR_USAGE, 0, "attach wants one sandbox");
	return err_hint(err, "cordon attach SANDBOX.");
}

static int find_and_attach(const struct options *o, const struct records *records)
{
	struct attached_how how = {.detach_keys = o->detach_keys,
				   .reads_stdin = !o->no_stdin,
				   .no_sig_proxy = o->no_sig_proxy};
	struct sandbox sandbox = {.dir_fd = -EBADF};
	struct sandbox_status status = {.last = {.result = NULL}};
	struct attached *attached = NULL;
	struct err err = {0};
	int exit_code = EXIT_CORDON;
	int r = records_find(records, o->rest[0], &sandbox, &err);

	if (r == 0)
		r = status_read(records, &sandbox, &status, &err);
	if (r == 0 && (!status.has_keeper || status.live.workload.pid == 0)) {
		r = err_set(&err, ERR_USAGE, 0, "sandbox %s does not run", o->rest[0]);
		err_hint(&err, "What it printed: cordon logs %s.", o->rest[0]);
	}
	how.life = status.live.restarts;
	if (r == 0)
		r = attached_open(&how, records, &sandbox, &attached, &err);
	if (r < 0)
		print_err(&err);
	else
		exit_code = attached_go(attached, records);
	attached_free(attached);
	status_release(&status);
	sandbox_release(&sandbox);
	return exit_code;
}

int cmd_attach(const struct cmd_context *context, int argc, char **argv)
{
	struct options options;
	struct records records;
	struct err err = {0};
	int exit_code;

	(void)argc;
	if (options_parse_for(OPTION_ATTACH, argv + 1, &options, &err) < 0 ||
	    (!options.help && check(&options, &err) < 0)) {
		print_err(&err);
		return EXIT_CORDON;
	}
	if (options.help)
		return command_print_help_of("attach");
	if (kept_open(context, false, &records) < 0)
		return EXIT_CORDON;
	exit_code = find_and_attach(&options, &records);
	records_release(&records);
	return exit_code;
}
