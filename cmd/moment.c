/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See moment.h. */
#include "cmd/moment.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "base/str.h"

enum { NS_IN_MS = 1000000, NS_IN_S = 1000000000, FRACTION_DIGITS = 9, WORD_MAX = 64 };

int64_t moment_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * NS_IN_S + now.tv_nsec;
}

/* ".25" of a second; "" is none. -EINVAL. */
static int64_t read_fraction(const char *text, size_t len)
{
	int64_t ns = 0;

	if (len == 0)
		return 0;
	if (len < 2 || len > FRACTION_DIGITS + 1 || strspn(text + 1, "0123456789") < len - 1)
		return -EINVAL;
	for (size_t i = 1; i <= FRACTION_DIGITS; i++)
		ns = 10 * ns + (i < len ? text[i] - '0' : 0);
	return ns;
}

static int read_unix(const char *text, int64_t *ret_ns)
{
	char seconds[24];
	size_t len = strcspn(text, ".");
	int64_t fraction = read_fraction(text + len, strlen(text + len));
	uint64_t value;

	str_format(seconds, sizeof(seconds), "%.*s", (int)len, text);
	if (len >= sizeof(seconds) || fraction < 0 || parse_u64(seconds, &value) < 0 ||
	    value > INT64_MAX / NS_IN_S - 1)
		return -EINVAL;
	*ret_ns = (int64_t)value * NS_IN_S + fraction;
	return 0;
}

/* "Z", "+01:00": seconds east. */
static int read_zone(const char *text, long *ret_east)
{
	const char *digits = "0123456789";

	if (str_equal(text, "Z")) {
		*ret_east = 0;
		return 0;
	}
	if (strlen(text) != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':' ||
	    strspn(text + 1, digits) < 2 || strspn(text + 4, digits) < 2)
		return -EINVAL;
	*ret_east = ((text[1] - '0') * 10 + (text[2] - '0')) * 3600L +
		    ((text[4] - '0') * 10 + (text[5] - '0')) * 60L;
	if (text[0] == '-')
		*ret_east = -*ret_east;
	return 0;
}

static int read_date(const char *text, int64_t *ret_ns)
{
	struct tm tm = {.tm_isdst = -1};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t fraction;
	long east = 0;
	size_t len;
	time_t seconds;

	if (rest == NULL) {
		tm = (struct tm){.tm_isdst = -1};
		rest = strptime(text, "%Y-%m-%d", &tm);
	}
	if (rest == NULL)
		return -EINVAL;
	len = *rest == '.' ? 1 + strspn(rest + 1, "0123456789") : 0;
	fraction = read_fraction(rest, len);
	rest += len;
	if (fraction < 0 || (*rest != '\0' && read_zone(rest, &east) < 0))
		return -EINVAL;
	tm.tm_isdst = -1;
	seconds = *rest != '\0' ? timegm(&tm) - east : mktime(&tm);
	if (seconds < 0 || seconds > INT64_MAX / NS_IN_S - 1)
		return -EINVAL;
	*ret_ns = (int64_t)seconds * NS_IN_S + fraction;
	return 0;
}

int moment_read(const char *text, int64_t now_ns, int64_t *ret_ns)
{
	uint64_t ms;

	if (read_unix(text, ret_ns) == 0 || read_date(text, ret_ns) == 0)
		return 0;
	if (parse_duration(text, &ms) < 0 || ms > INT64_MAX / NS_IN_MS)
		return -EINVAL;
	*ret_ns = now_ns - (int64_t)ms * NS_IN_MS;
	return 0;
}

void moment_text(int64_t ns, char *buf, size_t size)
{
	time_t seconds = ns / NS_IN_S;
	char date[WORD_MAX], zone[16], fraction[16];
	struct tm tm;

	if (localtime_r(&seconds, &tm) == NULL ||
	    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm) == 0 ||
	    strftime(zone, sizeof(zone), "%z", &tm) != 5) {
		str_format(buf, size, "%lld", (long long)ns);
		return;
	}
	/* With its leading zeros. */
	str_format(fraction, sizeof(fraction), "%lld", (long long)(NS_IN_S + ns % NS_IN_S));
	str_format(buf, size, "%s.%s%.*s:%s", date, fraction + 1, 3, zone, zone + 3);
}
