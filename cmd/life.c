/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the commands of a sandbox's life share, and `cordon start`. */
#include "cmd/life.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "cmd/attached.h"
#include "cmd/print.h"
#include "policy/constants.h"

/* ---- one after another ---- */

int life_say(const struct err *err)
{
	print_err(err);
	return err_exit_code(err);
}

int life_print_json(struct json *json)
{
	struct err err = {0};

	if (json_finish(json) < 0) {
		err_set(&err, ERR_SETUP, 0, "more than can be printed");
		return life_say(&err);
	}
	print_out("%s\n", json->buf);
	return 0;
}

int life_for_each(const struct cmd_context *context, char **words, life_fn one, const void *how,
		  bool is_quiet)
{
	struct records records;
	struct life life = {.context = context, .records = &records, .how = how};
	int exit_code = 0;

	if (kept_open(context, false, &records) < 0)
		return EXIT_CORDON;
	for (; *words != NULL; words++) {
		struct sandbox sandbox = {.dir_fd = -EBADF};
		struct err err = {0};
		int code;

		code = records_find(&records, *words, &sandbox, &err) < 0
			       ? life_say(&err)
			       : one(&life, &sandbox, *words);
		if (code != 0)
			exit_code = code;
		else if (!is_quiet)
			print_out("%s\n", *words);
		sandbox_release(&sandbox);
	}
	kept_close(&records);
	return exit_code;
}

int life_parse(const char *command, char **argv, int least, struct words *ret, int *ret_exit)
{
	int n = command_parse(command, argv + 1, ret, ret_exit);

	if (n < 0 || n >= least)
		return n;
	life_refuse_few(command, least, n);
	return -1;
}

void life_refuse_few(const char *command, int least, int n)
{
	static const struct {
		const char *of;
		const char *wants;
		const char *lists;
	} others[] = {
		{"network create", "a network's name, such as backend", "network ls"},
		{"network ", "a network: its name, its id, or the id's beginning", "network ls"},
		{"volume ", "a volume: its name", "volume ls"},
	};

	for (size_t i = 0; least == 1 && i < sizeof(others) / sizeof(others[0]); i++) {
		if (!str_has_prefix(command, others[i].of))
			continue;
		print_note("%s wants %s", command, others[i].wants);
		print_note("  hint: `cordon %s` lists those that there are; `cordon help %s` says "
			   "more.",
			   others[i].lists, command);
		return;
	}
	if (least == 1)
		print_note("%s wants a sandbox: its name, its id, or the id's beginning", command);
	else
		print_note("%s wants %d words, and was given %d", command, least, n);
	print_note("  hint: `cordon ps -a` lists them; `cordon help %s` says more.", command);
}

int life_check_all(const char *command, const struct words *words, char *const *argv)
{
	bool is_all = words_has(words, "--all");

	if (is_all != (words->n > 0))
		return 0;
	if (is_all)
		print_note("%s --all takes no sandboxes, but was given %s", command, argv[1]);
	else
		life_refuse_few(command, 1, 0);
	return -1;
}

int life_signal(const struct words *words, uint32_t otherwise, uint32_t *ret_signo, struct err *err)
{
	const char *text = words_value(words, "--signal");

	if (text == NULL) {
		*ret_signo = otherwise;
		return 0;
	}
	if (constants_signal(text, ret_signo) == 0)
		return 0;
	err_set(err, ERR_USAGE, 0, "--signal %s: no signal", text);
	return err_hint(err, "TERM, SIGTERM, 15 or RTMIN+3; `kill -l` lists them.");
}

/* ---- start ---- */

static int start_one(const struct life *life, struct sandbox *sandbox, const char *ref)
{
	struct sandbox_status status = {0};
	struct err err = {0};
	bool is_alive;
	int r;

	(void)ref;
	kept_await_end(life->records, sandbox);
	r = sandbox_lock(life->records, sandbox, &err);
	if (r == 0)
		r = status_read(life->records, sandbox, &status, &err);
	if (r < 0)
		return life_say(&err);
	is_alive = status.has_keeper;
	status_release(&status);
	/* As Docker has it: what runs already was started. */
	return is_alive ? 0 : kept_start(life->context, life->records, sandbox);
}

/* ---- start --all ---- */

struct start_count {
	size_t started;
	size_t failed;
};

static bool is_kept_up(const char *restart)
{
	return str_equal(restart, "always") || str_equal(restart, "unless-stopped");
}

/* One that is wanted, kept up by its policy, and does not run. What cannot be read is a failure of
 * its own: it may have been one. */
static void start_wanted(const struct life *life, struct sandbox *sandbox,
			 struct start_count *count)
{
	struct record record = {0};
	struct err err = {0};
	char name[SANDBOX_NAME_MAX + 1];
	bool is_meant;

	if (!sandbox->is_kept || !status_is_wanted(sandbox) || records_is_running(sandbox))
		return;
	if (record_read(life->records, sandbox, &record, &err) < 0) {
		ignore_result(life_say(&err), "counted instead");
		count->failed++;
		return;
	}
	is_meant = is_kept_up(record.restart);
	str_format(name, sizeof(name), "%s", record.name[0] != '\0' ? record.name : record.id);
	record_free(&record);
	if (!is_meant)
		return;
	if (start_one(life, sandbox, name) == 0) {
		print_out("%s\n", name);
		count->started++;
		return;
	}
	print_note("sandbox %s: not started", name);
	count->failed++;
}

static int start_all(const struct cmd_context *context)
{
	_cleanup_free_ char(*ids)[RUN_ID_LEN + 1] = NULL;
	struct start_count count = {0};
	struct records records;
	struct life life = {.context = context, .records = &records};
	struct err err = {0};
	ssize_t n;

	if (kept_open(context, false, &records) < 0)
		return EXIT_CORDON;
	n = records.is_there ? records_list(&records, &ids, &err) : 0;
	for (ssize_t i = 0; i < n; i++) {
		struct sandbox sandbox = {.dir_fd = -EBADF};

		if (records_open_id(&records, ids[i], &sandbox) < 0)
			continue; /* removed meanwhile */
		start_wanted(&life, &sandbox, &count);
		sandbox_release(&sandbox);
	}
	kept_close(&records);
	if (n < 0)
		return life_say(&err);
	print_note("%zu started, %zu failed", count.started, count.failed);
	return count.failed > 0 ? EXIT_CORDON : 0;
}

/* ---- start --attach ---- */

/* Its records are opened anew: what lies below the run root may be there only now. */
static int go(const struct life *life, struct attached *attached)
{
	struct records records;
	int exit_code;

	if (kept_open(life->context, false, &records) < 0)
		return EXIT_CORDON;
	exit_code = attached_go(attached, &records);
	records_release(&records);
	return exit_code;
}

/* Attached first: its log is at its place, and all that it prints comes behind that. */
static int start_attached(const struct life *life, struct sandbox *sandbox, const char *ref)
{
	struct attached *attached = NULL;
	struct err err = {0};
	int exit_code;
	int r;

	kept_await_end(life->records, sandbox);
	r = sandbox_lock(life->records, sandbox, &err);
	if (r == 0 && records_is_running(sandbox)) {
		err_set(&err, ERR_USAGE, 0, "sandbox %s runs already", ref);
		err_hint(&err, "What it prints from now on: cordon attach %s.", ref);
		return life_say(&err);
	}
	if (r == 0)
		r = attached_open(life->how, life->records, sandbox, &attached, &err);
	if (r < 0)
		return life_say(&err);
	exit_code = kept_start(life->context, life->records, sandbox);
	/* Others may stop it. */
	sandbox_unlock(sandbox);
	if (exit_code == 0)
		exit_code = go(life, attached);
	attached_free(attached);
	return exit_code;
}

/* False, and it has been said: they contradict each other. */
static bool check_attached(const struct words *words, bool attaches, int n)
{
	const char *flag = words_value(words, "--detach-keys") != NULL ? "--detach-keys"
			   : words_said(words, "--sig-proxy")          ? "--sig-proxy"
								       : NULL;

	if (!attaches && flag != NULL) {
		print_note("%s is for a start that is attached to", flag);
		print_note("  hint: Say -a or -i as well: cordon start -ai SANDBOX.");
		return false;
	}
	if (!attaches)
		return true;
	if (words_has(words, "--all"))
		print_note("start --all goes on in the background: nothing is attached to it");
	else if (n == 1)
		return true;
	else if (n == 0)
		life_refuse_few("start", 1, n);
	else
		print_note("start --attach takes one sandbox, and was given %d", n);
	if (n > 0 || words_has(words, "--all"))
		print_note("  hint: Start them without it; then cordon attach SANDBOX.");
	return false;
}

int cmd_start(const struct cmd_context *context, int argc, char **argv)
{
	struct attached_how how = {.is_starting = true};
	struct words words;
	bool attaches;
	int exit_code;
	int n;

	(void)argc;
	n = command_parse("start", argv + 1, &words, &exit_code);
	if (n < 0)
		return exit_code;
	how.detach_keys = words_value(&words, "--detach-keys");
	how.reads_stdin = words_has(&words, "--interactive");
	how.no_sig_proxy = words_said(&words, "--sig-proxy") && !words_has(&words, "--sig-proxy");
	attaches = how.reads_stdin || words_has(&words, "--attach");
	if (!check_attached(&words, attaches, n))
		return EXIT_CORDON;
	if (attaches)
		return life_for_each(context, argv + 1, start_attached, &how, true);
	if (life_check_all("start", &words, argv) < 0)
		return EXIT_CORDON;
	return n == 0 ? start_all(context)
		      : life_for_each(context, argv + 1, start_one, NULL, false);
}
