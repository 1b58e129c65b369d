/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See logs.h. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "base/str.h"
#include "cmd/logs.h"

enum { NS_IN_SECOND = 1000000000, NS_IN_MS = 1000000, FRACTION_DIGITS = 9 };

/* ---- times ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ".25" as nanoseconds, at *at, which is moved on. -1: a dot without digits. */
static int64_t take_fraction(const char **at)
{
	int64_t ns = 0;
	int n = 0;

	if (**at != '.')
		return 0;
	for (++*at; is_digit(**at); ++*at, n++)
		if (n < FRACTION_DIGITS)
			ns = ns * 10 + (**at - '0');
	for (int i = n; i < FRACTION_DIGITS; i++)
		ns *= 10;
	return n > 0 ? ns : -1;
}

/* Two digits or four; -1 where they are not there. */
static int take_digits(const char **at, int n)
{
	int value = 0;

	for (; n > 0; n--, ++*at) {
		if (!is_digit(**at))
			return -1;
		value = value * 10 + (**at - '0');
	}
	return value;
}

static bool take_char(const char **at, char c)
{
	if (**at != c)
		return false;
	++*at;
	return true;
}

static bool take_date(const char **at, struct tm *ret)
{
	int year = take_digits(at, 4);
	bool first = year >= 1970 && take_char(at, '-');
	int month = first ? take_digits(at, 2) : -1;
	int day = month >= 1 && month <= 12 && take_char(at, '-') ? take_digits(at, 2) : -1;

	ret->tm_year = year - 1900;
	ret->tm_mon = month - 1;
	ret->tm_mday = day;
	return day >= 1 && day <= 31;
}

/* Behind the date: "T10:00", "T10:00:05", "T10:00:05.5". */
static bool take_clock(const char **at, struct tm *tm, int64_t *ret_fraction)
{
	int hour, minute, second = 0;

	*ret_fraction = 0;
	if (!take_char(at, 'T'))
		return true;
	hour = take_digits(at, 2);
	minute = hour >= 0 && hour < 24 && take_char(at, ':') ? take_digits(at, 2) : -1;
	if (minute >= 0 && take_char(at, ':')) {
		second = take_digits(at, 2);
		*ret_fraction = take_fraction(at);
	}
	tm->tm_hour = hour;
	tm->tm_min = minute;
	tm->tm_sec = second;
	return minute >= 0 && minute < 60 && second >= 0 && second <= 60 && *ret_fraction >= 0;
}

/* "Z" or "+02:00", in seconds east; nothing: the caller's zone. */
static bool take_zone(const char **at, struct tm *tm, time_t *ret_seconds)
{
	bool is_west = **at == '-';
	int hours, minutes;

	if (**at == '\0') {
		tm->tm_isdst = -1;
		*ret_seconds = mktime(tm);
		return true;
	}
	*ret_seconds = timegm(tm);
	if (take_char(at, 'Z'))
		return true;
	if (!take_char(at, '+') && !take_char(at, '-'))
		return false;
	hours = take_digits(at, 2);
	minutes = hours >= 0 && hours < 24 && take_char(at, ':') ? take_digits(at, 2) : -1;
	if (minutes < 0 || minutes >= 60)
		return false;
	*ret_seconds += (time_t)(is_west ? 1 : -1) * ((time_t)hours * 3600 + (time_t)minutes * 60);
	return true;
}

static bool read_date(const char *text, int64_t *ret_ns)
{
	struct tm tm = {.tm_year = 0};
	int64_t fraction;
	time_t seconds;

	if (!take_date(&text, &tm) || !take_clock(&text, &tm, &fraction) ||
	    !take_zone(&text, &tm, &seconds) || *text != '\0' || seconds < 0 ||
	    seconds > INT64_MAX / NS_IN_SECOND - 1)
		return false;
	*ret_ns = (int64_t)seconds * NS_IN_SECOND + fraction;
	return true;
}

static bool read_seconds(const char *text, int64_t *ret_ns)
{
	char whole[24];
	const char *at = text + strcspn(text, ".");
	int64_t fraction = take_fraction(&at);
	uint64_t seconds;

	str_format(whole, sizeof(whole), "%.*s", (int)strcspn(text, "."), text);
	if (*at != '\0' || fraction < 0 || parse_u64(whole, &seconds) < 0 ||
	    seconds > INT64_MAX / NS_IN_SECOND - 1)
		return false;
	*ret_ns = (int64_t)seconds * NS_IN_SECOND + fraction;
	return true;
}

/* One unit after the other, the way Docker has it: 1h30m. */
static bool read_ago(const char *text, int64_t now_ns, int64_t *ret_ns)
{
	int64_t left = now_ns;

	while (*text != '\0') {
		char part[24];
		size_t len = strspn(text, "0123456789.");
		uint64_t ms;

		len += strspn(text + len, "abcdefghijklmnopqrstuvwxyz");
		str_format(part, sizeof(part), "%.*s", (int)len, text);
		if (len == 0 || len >= sizeof(part) || parse_duration(part, &ms) < 0 ||
		    ms > (uint64_t)(left / NS_IN_MS))
			return false;
		left -= (int64_t)ms * NS_IN_MS;
		text += len;
	}
	*ret_ns = left;
	return true;
}

int logs_parse_time(const char *text, int64_t now_ns, int64_t *ret_ns)
{
	if (text[0] == '\0')
		return -EINVAL;
	return read_seconds(text, ret_ns) || read_date(text, ret_ns) ||
			       read_ago(text, now_ns, ret_ns)
		       ? 0
		       : -EINVAL;
}

size_t logs_format_time(int64_t ns, char buf[LOGS_TIME_MAX])
{
	time_t seconds = (time_t)(ns / NS_IN_SECOND);
	struct tm tm = {.tm_year = 0};
	int64_t fraction = ns % NS_IN_SECOND;
	size_t len;

	gmtime_r(&seconds, &tm);
	len = strftime(buf, LOGS_TIME_MAX - FRACTION_DIGITS - 2, "%Y-%m-%dT%H:%M:%S.", &tm);
	for (int i = FRACTION_DIGITS - 1; i >= 0; i--, fraction /= 10)
		buf[len + (size_t)i] = (char)('0' + fraction % 10);
	len += FRACTION_DIGITS;
	buf[len++] = 'Z';
	buf[len] = '\0';
	return len;
}

/* ---- lines ---- */

void logs_filter_init(struct logs_filter *filter)
{
	*filter = (struct logs_filter){.since_ns = INT64_MIN, .until_ns = INT64_MAX};
	filter->streams[LOG_STDOUT] = filter->streams[LOG_STDERR] = true;
}

static bool begin_line(struct logs_filter *filter, const struct log_piece *piece)
{
	if (piece->time_ns < filter->since_ns || piece->time_ns >= filter->until_ns)
		return false;
	return filter->n_lines++ >= filter->skip;
}

int logs_filter_piece(struct logs_filter *filter, const struct log_piece *piece,
		      int (*show)(void *ctx, enum log_stream stream, const char *bytes, size_t len),
		      void *ctx)
{
	const char *at = piece->bytes, *end = piece->bytes + piece->len;
	int r = 0;

	if ((int)piece->stream >= (int)LOGS_STREAMS || !filter->streams[piece->stream])
		return 0;
	while (r == 0 && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((newline != NULL ? newline + 1 : end) - at);
		bool begins = !filter->at[piece->stream].is_in_line;
		char time[LOGS_TIME_MAX];

		if (begins)
			filter->at[piece->stream].is_shown = begin_line(filter, piece);
		filter->at[piece->stream].is_in_line = newline == NULL;
		if (filter->at[piece->stream].is_shown && begins && filter->timestamps) {
			size_t n = logs_format_time(piece->time_ns, time);

			time[n++] = ' ';
			r = show(ctx, piece->stream, time, n);
		}
		if (r == 0 && filter->at[piece->stream].is_shown)
			r = show(ctx, piece->stream, at, len);
		at += len;
	}
	return r;
}
