/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon restart`: ends a sandbox and starts it again, where it can be started. */
#include "cmd/life.h"
#include "cmd/print.h"
#include "records/events.h"

static int refuse_passing(const char *ref)
{
	struct err err = {0};

	err_set(&err, ERR_USAGE, 0,
		"sandbox %s removes itself at its end (--rm): nothing would be left to start", ref);
	err_hint(&err, "`cordon stop %s` ends it.", ref);
	return life_say(&err);
}

static int restart_one(const struct life *life, struct sandbox *sandbox, const char *ref)
{
	struct err err = {0};
	int exit_code;

	if (!sandbox->is_kept)
		return refuse_passing(ref);
	/* What could not be started again is better left as it is. */
	exit_code = kept_check(life->context, life->records, sandbox);
	if (exit_code != 0) {
		print_note("sandbox %s could not be started again, so it was not ended", ref);
		return exit_code;
	}
	if (life_end(life->records, sandbox, life->how, &err) < 0)
		return life_say(&err);
	exit_code = kept_start(life->context, life->records, sandbox);
	if (exit_code == 0)
		events_note(life->records, sandbox, "restart", NULL, 0);
	return exit_code;
}

int cmd_restart(const struct cmd_context *context, int argc, char **argv)
{
	struct life_end how = {.keeps_wanted = true};
	struct words words;
	struct err err = {0};
	int exit_code;

	(void)argc;
	if (life_parse("restart", argv, 1, &words, &exit_code) < 0)
		return exit_code;
	if (life_read_how(&words, &how, &err) < 0)
		return life_say(&err);
	return life_for_each(context, argv + 1, restart_one, &how, false);
}
