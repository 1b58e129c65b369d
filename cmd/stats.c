/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `cordon stats`: what sandboxes use, in a table. Read from their control groups, and from the
 * kernel's counters of their links, by this process; no keeper is asked, so a stuck one keeps
 * nobody waiting.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/str.h"
#include "base/sys.h"
#include "cmd/cmd.h"
#include "cmd/fill.h"
#include "cmd/kept.h"
#include "cmd/own_flags.h"
#include "cmd/print.h"
#include "cmd/table.h"
#include "cmd/usage.h"
#include "records/status.h"

enum {
	EVERY_MS = 1000,
	ONCE_MS = 250,
	CELL_MAX = 48,
	TEXT_MAX = 1024,
	US_IN_MS = 1000,
	WIDE_COLUMNS = 107
};

struct asked {
	bool all;
	bool once;
	bool json;
	const char *format;
};

#define AT(member) offsetof(struct asked, member)

const struct own_flag stats_flags[] = {
	{"--all", 'a', NULL, OWN_TRUTH, AT(all), "those that do not run, too"},
	{"--no-stream", 0, NULL, OWN_TRUTH, AT(once), "one table, then end"},
	{"--format", 0, "TEXT", OWN_TEXT, AT(format),
	 "{{.ID}} {{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.MemPerc}} {{.PIDs}} {{.BlockIO}} "
	 "{{.NetIO}}, or json"},
	{"--json", 0, NULL, OWN_TRUTH, AT(json), "a JSON document for each look"},
	{.name = NULL},
};

/* ---- one sandbox ---- */

struct sample {
	char id[RUN_ID_LEN + 1];
	char name[SANDBOX_NAME_MAX + 1];
	enum sandbox_state state;
	bool has_group;
	bool has_links;
	struct link_counts links;
	struct cgroup_usage usage;
	struct cgroup_bounds bounds;
	int64_t at_ms;          /* CLOCK_MONOTONIC */
	int64_t cpu_hundredths; /* of a per cent of one processor since the last look */
};

struct samples {
	struct sample *list;
	size_t n;
};

static void read_groups(const struct live_run *live, struct sample *ret)
{
	struct cgroup groups;
	struct err err;

	if (live->n_groups == 0 || cgroup_open(live->groups, live->n_groups, &groups, &err) < 0)
		return; /* it has just ended */
	cgroup_read_usage(&groups, CGROUP_NOW, &ret->usage);
	ret->bounds = cgroup_read_bounds(&groups);
	cgroup_release(&groups);
	ret->has_group = true;
}

/* Returns 1; 0 where it is not to be shown; -1: said. */
static int take_sample(const struct records *records, const struct sandbox *sandbox, bool all,
		       struct sample *ret)
{
	struct sandbox_status status;
	struct err err = {0};
	int is_shown;

	if (status_read(records, sandbox, &status, &err) < 0) {
		print_err(&err);
		return -1;
	}
	memset(ret, 0, sizeof(*ret));
	ret->state = status.state;
	ret->cpu_hundredths = CGROUP_UNKNOWN;
	is_shown = all || status.state == SANDBOX_RUNNING || status.state == SANDBOX_PAUSED;
	str_format(ret->id, sizeof(ret->id), "%s", sandbox->id);
	if (is_shown) {
		record_read_name(sandbox, ret->name, sizeof(ret->name));
		read_groups(&status.live, ret);
		ret->has_links = usage_read_links(&status, &ret->links);
		ret->at_ms = sys_monotonic_ms();
	}
	status_release(&status);
	return is_shown;
}

/* ---- all that are asked for ---- */

static bool add_sample(struct samples *samples, const struct sample *sample)
{
	struct sample *grown = reallocarray(samples->list, samples->n + 1, sizeof(*samples->list));

	if (grown == NULL)
		return false;
	samples->list = grown;
	samples->list[samples->n++] = *sample;
	return true;
}

static int look_at(const struct records *records, struct sandbox *sandbox, bool all,
		   struct samples *ret)
{
	struct sample sample;
	int r = take_sample(records, sandbox, all, &sample);

	sandbox_release(sandbox);
	return r > 0 && !add_sample(ret, &sample) ? -1 : r < 0 ? -1 : 0;
}

static int look_at_all(const struct records *records, bool all, struct samples *ret)
{
	_cleanup_free_ char(*ids)[RUN_ID_LEN + 1] = NULL;
	struct err err = {0};
	ssize_t n = records_list(records, &ids, &err);

	if (n < 0)
		print_err(&err);
	for (ssize_t i = 0; i < n; i++) {
		struct sandbox sandbox = {.dir_fd = -EBADF};

		/* A damaged one has been said, and is in nobody's way. */
		if (records_open_id(records, ids[i], &sandbox) == 0)
			ignore_result(look_at(records, &sandbox, all, ret), "it was said");
	}
	return n < 0 ? -1 : 0;
}

/* Those that were named are shown whatever they do. */
static int look(const struct records *records, char *const *words, bool all, struct samples *ret)
{
	int result = 0;

	if (*words == NULL)
		return records->is_there ? look_at_all(records, all, ret) : 0;
	for (; *words != NULL; words++) {
		struct sandbox sandbox = {.dir_fd = -EBADF};
		struct err err = {0};

		if (records_find(records, *words, &sandbox, &err) < 0) {
			print_err(&err);
			result = -1;
		} else if (look_at(records, &sandbox, true, ret) < 0) {
			result = -1;
		}
	}
	return result;
}

/* What it has used of processors since the last look. */
static void compare(const struct samples *last, struct samples *now)
{
	for (size_t i = 0; i < now->n; i++)
		for (size_t k = 0; k < last->n; k++) {
			struct sample *a = &now->list[i];
			const struct sample *b = &last->list[k];

			if (!str_equal(a->id, b->id) || !a->has_group || !b->has_group ||
			    a->usage.cpu_us == CGROUP_UNKNOWN ||
			    b->usage.cpu_us == CGROUP_UNKNOWN || a->at_ms <= b->at_ms ||
			    a->usage.cpu_us < b->usage.cpu_us)
				continue;
			a->cpu_hundredths =
				(a->usage.cpu_us - b->usage.cpu_us) * 10 / (a->at_ms - b->at_ms);
		}
}

/* ---- texts ---- */

/* What it has where nothing limits it: the host's. */
static int64_t memory_limit(const struct sample *s)
{
	struct sysinfo info;

	if (s->bounds.memory_bytes != CGROUP_UNLIMITED || sysinfo(&info) != 0)
		return s->bounds.memory_bytes;
	return (int64_t)info.totalram * info.mem_unit;
}

/* Our init is no task of the sandbox's. */
static int64_t without_ours(int64_t tasks)
{
	return tasks == CGROUP_UNLIMITED ? tasks : tasks > 0 ? tasks - 1 : CGROUP_UNKNOWN;
}

static void count_text(int64_t n, char *buf, size_t size)
{
	if (n == CGROUP_UNLIMITED)
		str_format(buf, size, "max");
	else if (n < 0)
		str_format(buf, size, "-");
	else
		str_format(buf, size, "%lld", (long long)n);
}

enum { CELL_NAME, CELL_CPU, CELL_MEMORY, CELL_PERCENT, CELL_PIDS, CELL_BLOCK, CELL_NET, CELLS };

struct cells {
	char text[CELLS][SANDBOX_NAME_MAX + 1];
	const struct sample *sample;
};

static void make_cells(const struct sample *s, struct cells *ret)
{
	char a[CELL_MAX], b[CELL_MAX];
	int64_t limit = memory_limit(s);

	ret->sample = s;
	str_format(ret->text[CELL_NAME], sizeof(ret->text[0]), "%s",
		   s->name[0] != '\0' ? s->name : s->id);
	for (size_t i = CELL_CPU; i < CELLS; i++)
		str_format(ret->text[i], sizeof(ret->text[i]), "-");
	if (s->has_links) {
		usage_size_text(s->links.received_bytes, a, sizeof(a));
		usage_size_text(s->links.sent_bytes, b, sizeof(b));
		str_format(ret->text[CELL_NET], sizeof(ret->text[0]), "%s / %s", a, b);
	}
	if (!s->has_group)
		return;
	usage_percent_text(s->cpu_hundredths, ret->text[CELL_CPU], sizeof(ret->text[0]));
	usage_size_text(s->usage.memory_bytes, a, sizeof(a));
	usage_size_text(limit, b, sizeof(b));
	str_format(ret->text[CELL_MEMORY], sizeof(ret->text[0]), "%s / %s", a, b);
	if (s->usage.memory_bytes >= 0 && limit > 0)
		usage_percent_text(s->usage.memory_bytes * 100 / (limit / 100 + 1),
				   ret->text[CELL_PERCENT], sizeof(ret->text[0]));
	count_text(without_ours(s->usage.pids), a, sizeof(a));
	count_text(without_ours(s->bounds.pids), b, sizeof(b));
	str_format(ret->text[CELL_PIDS], sizeof(ret->text[0]), "%s / %s", a, b);
	usage_size_text(s->usage.io_read_bytes, a, sizeof(a));
	usage_size_text(s->usage.io_write_bytes, b, sizeof(b));
	if (s->usage.io_read_bytes >= 0)
		str_format(ret->text[CELL_BLOCK], sizeof(ret->text[0]), "%s / %s", a, b);
}

static const char *look_up(void *ctx, const char *field)
{
	static const char *const names[CELLS] = {"Name", "CPUPerc", "MemUsage", "MemPerc",
						 "PIDs", "BlockIO", "NetIO"};
	struct cells *cells = ctx;

	if (str_equal(field, "ID") || str_equal(field, "Container"))
		return cells->sample->id;
	for (size_t i = 0; i < CELLS; i++)
		if (str_equal(field, names[i]))
			return cells->text[i];
	return NULL;
}

/* ---- output ---- */

static void print_row(const char *const *texts)
{
	static const size_t wide[CELLS] = {24, 9, 22, 8, 13, 22, 0};
	static const size_t narrow[CELLS] = {12, 9, 22, 8, 11, 22};
	size_t columns = table_columns();

	/* On a narrow terminal the last is left out, and nothing goes on below. */
	if (columns > 0 && columns < WIDE_COLUMNS)
		table_cells(texts, narrow, CELL_NET, columns);
	else
		table_cells(texts, wide, CELLS, 0);
}

static void print_table(const struct samples *samples)
{
	static const char *const heads[CELLS] = {"NAME",   "CPU %",      "MEM USAGE / LIMIT",
						 "MEM %",  "PIDS / MAX", "BLOCK I/O",
						 "NET I/O"};

	print_row(heads);
	for (size_t i = 0; i < samples->n; i++) {
		const char *texts[CELLS];
		struct cells cells;

		make_cells(&samples->list[i], &cells);
		for (size_t k = 0; k < CELLS; k++)
			texts[k] = cells.text[k];
		print_row(texts);
	}
}

static void put_known(struct json *json, const char *name, int64_t value)
{
	if (value < 0 || value == CGROUP_UNLIMITED)
		json_null(json, name);
	else
		json_number(json, name, value);
}

static void put_sample(struct json *json, const struct sample *s)
{
	bool has = s->has_group;

	json_open(json, NULL, '{');
	json_text(json, "id", s->id);
	json_text(json, "name", s->name);
	json_text(json, "state", sandbox_state_name(s->state));
	json_truth(json, "has_group", has);
	put_known(json, "cpu_us", has ? s->usage.cpu_us : CGROUP_UNKNOWN);
	put_known(json, "cpu_percent_hundredths", s->cpu_hundredths);
	put_known(json, "memory_bytes", has ? s->usage.memory_bytes : CGROUP_UNKNOWN);
	put_known(json, "memory_limit_bytes", has ? s->bounds.memory_bytes : CGROUP_UNKNOWN);
	put_known(json, "swap_bytes", has ? s->usage.swap_bytes : CGROUP_UNKNOWN);
	put_known(json, "pids", has ? without_ours(s->usage.pids) : CGROUP_UNKNOWN);
	put_known(json, "pids_limit", has ? without_ours(s->bounds.pids) : CGROUP_UNKNOWN);
	put_known(json, "io_read_bytes", has ? s->usage.io_read_bytes : CGROUP_UNKNOWN);
	put_known(json, "io_write_bytes", has ? s->usage.io_write_bytes : CGROUP_UNKNOWN);
	put_known(json, "net_received_bytes",
		  s->has_links ? s->links.received_bytes : CGROUP_UNKNOWN);
	put_known(json, "net_sent_bytes", s->has_links ? s->links.sent_bytes : CGROUP_UNKNOWN);
	json_close(json, '}');
}

static int print_json(const struct samples *samples)
{
	size_t size = (size_t)TEXT_MAX * (samples->n + 1);
	_cleanup_free_ char *buf = malloc(size);
	struct json json;

	if (buf == NULL)
		return -1;
	json_init(&json, buf, size);
	json_open(&json, NULL, '{');
	json_text(&json, "schema", "cordon.stats/1");
	json_open(&json, "sandboxes", '[');
	for (size_t i = 0; i < samples->n; i++)
		put_sample(&json, &samples->list[i]);
	json_close(&json, ']');
	json_close(&json, '}');
	if (json_finish(&json) < 0)
		return -1;
	print_lines(buf);
	print_lines("\n");
	return 0;
}

static int print_format(const struct samples *samples, const char *format)
{
	for (size_t i = 0; i < samples->n; i++) {
		struct cells cells;
		struct err err = {0};
		char text[TEXT_MAX];

		make_cells(&samples->list[i], &cells);
		if (fill(format, &(struct fill_fields){look_up, &cells}, text, sizeof(text), &err) <
		    0)
			return -1;
		print_lines(text);
	}
	return 0;
}

/* How a sandbox comes to have a group. */
static void print_remedy(const struct samples *samples)
{
	for (size_t i = 0; i < samples->n; i++)
		if (samples->list[i].state == SANDBOX_RUNNING && !samples->list[i].has_group) {
			print_note("sandbox %s has no control group to read from",
				   samples->list[i].name[0] != '\0' ? samples->list[i].name
								    : samples->list[i].id);
			print_note("  hint: `cordon doctor` says how this host gives one; it is "
				   "made at the next start.");
			return;
		}
}

static int print_samples(const struct samples *samples, const struct asked *asked)
{
	if (asked->json)
		return print_json(samples);
	if (asked->format != NULL)
		return print_format(samples, asked->format);
	if (!asked->once) /* home, and clear what is below */
		print_lines("\x1b[H\x1b[J");
	print_table(samples);
	return 0;
}

/* ---- the command ---- */

static int run(struct records *records, char *const *words, struct asked *asked)
{
	struct samples last = {0}, now = {0};
	int r = look(records, words, asked->all, &last);
	int pause = ONCE_MS;
	bool is_first = true;

	while (r == 0) {
		poll(NULL, 0, pause);
		pause = EVERY_MS;
		r = look(records, words, asked->all, &now);
		compare(&last, &now);
		if (r == 0)
			r = print_samples(&now, asked);
		if (r == 0 && is_first && asked->once && !asked->json)
			print_remedy(&now);
		is_first = false;
		free(last.list);
		last = now;
		now = (struct samples){0};
		if (asked->once)
			break;
	}
	free(last.list);
	free(now.list);
	return r;
}

int cmd_stats(const struct cmd_context *context, int argc, char **argv)
{
	struct asked asked = {.all = false};
	struct cells none = {.sample = &(struct sample){.id = ""}};
	struct records records;
	struct err err = {0};
	char text[TEXT_MAX];
	int exit_code, r;

	(void)argc;
	if (own_flags_parse("stats", stats_flags, argv + 1, &asked, &exit_code) < 0)
		return exit_code;
	if (asked.format != NULL && fill_is_json(asked.format))
		asked.json = true;
	if (asked.format != NULL && !asked.json &&
	    fill(asked.format, &(struct fill_fields){look_up, &none}, text, sizeof(text), &err) <
		    0) {
		print_err(&err);
		return EXIT_CORDON;
	}
	/* Into a pipe it is no film, unless it is one of documents. */
	if (isatty(STDOUT_FILENO) != 1 && !asked.json)
		asked.once = true;
	if (kept_open(context, false, &records) < 0)
		return EXIT_CORDON;
	r = run(&records, argv + 1, &asked);
	kept_close(&records);
	return r < 0 ? EXIT_CORDON : 0;
}
