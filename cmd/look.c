/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See look.h. */
#include "cmd/look.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/json_read.h"
#include "base/str.h"

enum { SECOND_MS = 1000, MINUTE_S = 60, HOUR_S = 3600, DAY_S = 24 * HOUR_S };

/* ---- looking ---- */

static void find_limit(struct look *look)
{
	const char *result = look->status.last.result;
	struct json_slice whole, limit;

	look->limit[0] = '\0';
	if (result == NULL || json_read(result, strlen(result), &whole) < 0 ||
	    json_find(whole, "limit", strlen("limit"), &limit) < 0 || limit.text[0] != '"')
		return;
	json_copy_text(limit, look->limit, sizeof(look->limit));
}

static void read_both(const struct records *records, const struct sandbox *sandbox,
		      struct look *ret)
{
	struct err err;

	ret->is_alive = records_is_running(sandbox);
	ret->has_record = record_read(records, sandbox, &ret->record, &ret->damage) == 0;
	ret->has_status = status_read(records, sandbox, &ret->status, &err) == 0;
	if (!ret->has_status && ret->has_record)
		ret->damage = err;
	if (!ret->has_status)
		return;
	ret->is_alive = ret->status.has_keeper;
	find_limit(ret);
}

int look_read(const struct records *records, const char *id, struct look *ret)
{
	struct sandbox sandbox;
	int r = records_open_id(records, id, &sandbox);

	memset(ret, 0, sizeof(*ret));
	str_format(ret->id, sizeof(ret->id), "%s", id);
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		err_set(&ret->damage, ERR_SETUP, -r, "sandbox %s", id);
		return 1;
	}
	ret->is_kept = sandbox.is_kept;
	read_both(records, &sandbox, ret);
	sandbox_release(&sandbox);
	if (ret->has_record && ret->has_status)
		return 1;
	/* Damaged, or removed while it was read. */
	r = records_open_id(records, id, &sandbox);
	if (r == 0)
		sandbox_release(&sandbox);
	if (r != -ENOENT)
		return 1;
	look_release(ret);
	return 0;
}

void look_release(struct look *look)
{
	if (look->has_record)
		record_free(&look->record);
	if (look->has_status)
		status_release(&look->status);
	look->has_record = look->has_status = false;
}

bool look_is_damaged(const struct look *look)
{
	return !look->has_record || !look->has_status;
}

const char *look_state(const struct look *look)
{
	return look_is_damaged(look) ? "damaged" : sandbox_state_name(look->status.state);
}

/* ---- words ---- */

const char *look_reason(const struct look *look)
{
	static const struct {
		const char *kind, *words;
	} reasons[] = {
		{"keeper_lost", "its keeper was killed"},
		{"power_lost", "the machine went down"},
		{"setup_failed", "could not be started"},
		{"policy_kill", "a system call that its policy forbids"},
		{"oom", "out of memory"},
	};

	if (!look->has_status || look->status.state != SANDBOX_EXITED)
		return "";
	if (look->limit[0] != '\0' && !look->status.is_lost)
		return look->limit;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (str_equal(reasons[i].kind, look->status.last.kind))
			return reasons[i].words;
	return "";
}

static void put_since(struct page *page, int64_t since_ms, int64_t now_ms, const char *behind)
{
	char text[64];

	if (since_ms == RESULT_NONE)
		return;
	look_duration(now_ms - since_ms, text, sizeof(text));
	page_format(page, " %s%s", text, behind);
}

static void put_exit(struct page *page, const char *word, int64_t exit_code)
{
	if (exit_code == RESULT_NONE)
		page_text(page, word);
	else
		page_format(page, "%s (%lld)", word, (long long)exit_code);
}

void look_status_text(const struct look *look, int64_t now_ms, struct page *ret)
{
	const struct last_run *last = &look->status.last;
	const struct live_run *live = &look->status.live;

	if (look_is_damaged(look)) {
		page_format(ret, "damaged: cordon rm -f %s", look->id);
		return;
	}
	switch (look->status.state) {
	case SANDBOX_CREATED:
		page_text(ret, "Created");
		return;
	case SANDBOX_STARTING:
		page_text(ret, "Starting");
		return;
	case SANDBOX_RUNNING:
	case SANDBOX_PAUSED:
		page_text(ret, "Up");
		put_since(ret, live->started_ms, now_ms, "");
		if (look->status.state == SANDBOX_PAUSED)
			page_text(ret, " (Paused)");
		return;
	case SANDBOX_RESTARTING:
		put_exit(ret, "Restarting", live->last_exit_code);
		put_since(ret, live->last_finished_ms, now_ms, " ago");
		return;
	case SANDBOX_EXITED:
		put_exit(ret, "Exited", last->exit_code);
		put_since(ret, last->finished_ms, now_ms, " ago");
		if (look_reason(look)[0] != '\0')
			page_format(ret, ": %s", look_reason(look));
		return;
	}
}

void look_command(const struct look *look, struct page *ret)
{
	const char *const *argv = look->has_record ? look->record.command : NULL;

	for (size_t i = 0; argv != NULL && argv[i] != NULL; i++) {
		page_text(ret, i > 0 ? " " : "");
		page_text(ret, argv[i]);
	}
}

/* ---- times ---- */

void look_duration(int64_t ms, char *buf, size_t size)
{
	static const struct {
		int64_t below_s, unit_s;
		const char *unit;
	} units[] = {
		{MINUTE_S, 1, "seconds"},
		{HOUR_S, MINUTE_S, "minutes"},
		{2LL * DAY_S, HOUR_S, "hours"},
		{14LL * DAY_S, DAY_S, "days"},
		{60LL * DAY_S, 7LL * DAY_S, "weeks"},
		{730LL * DAY_S, 30LL * DAY_S, "months"},
		{INT64_MAX, 365LL * DAY_S, "years"},
	};
	/* A clock that was set back is no reason for a time in the future. */
	int64_t s = ms > 0 ? ms / SECOND_MS : 0;
	size_t i = 0;

	while (s >= units[i].below_s)
		i++;
	if (s == 0)
		str_format(buf, size, "Less than a second");
	else if (s == 1)
		str_format(buf, size, "1 second");
	else if (s >= MINUTE_S && s < 2LL * MINUTE_S)
		str_format(buf, size, "About a minute");
	else if (s >= HOUR_S && s < 2LL * HOUR_S)
		str_format(buf, size, "About an hour");
	else
		str_format(buf, size, "%lld %s", (long long)(s / units[i].unit_s), units[i].unit);
}

static void put_two(char *buf, size_t size, int number)
{
	str_format(buf, size, "%d%d", number / 10 % 10, number % 10);
}

/* "2026-11-29" and "10:47:22" with a text between them. In UTC: what is listed is the same for
 * everybody who looks. */
static size_t put_date(int64_t ms, const char *between, char *buf, size_t size)
{
	time_t seconds = (time_t)(ms / SECOND_MS);
	char two[5][3];
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	put_two(two[0], sizeof(two[0]), tm.tm_mon + 1);
	put_two(two[1], sizeof(two[1]), tm.tm_mday);
	put_two(two[2], sizeof(two[2]), tm.tm_hour);
	put_two(two[3], sizeof(two[3]), tm.tm_min);
	put_two(two[4], sizeof(two[4]), tm.tm_sec);
	return str_format(buf, size, "%d-%s-%s%s%s:%s:%s", tm.tm_year + 1900, two[0], two[1],
			  between, two[2], two[3], two[4]);
}

void look_date(int64_t ms, char *buf, size_t size)
{
	size_t len = put_date(ms, " ", buf, size);

	str_format(buf + len, size - len, " +0000 UTC");
}

void look_timestamp(int64_t ms, char *buf, size_t size)
{
	size_t len = put_date(ms, "T", buf, size);
	int rest = (int)(ms % SECOND_MS);

	str_format(buf + len, size - len, ".%d%d%dZ", rest / 100, rest / 10 % 10, rest % 10);
}
