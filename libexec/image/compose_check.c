/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a change of `cordon commit -c` may say: what no start would take is refused while it can
 * still be said otherwise. Whether the image has a user of that name is seen at its start alone.
 * Runs in the composer (compose.c).
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "libexec/image/compose.h"

enum { ID_LAST = 65535, ACCOUNT_MAX = 63 };

/* ---- signals ---- */

/* "RTMIN", "RTMIN+3", "RTMAX-2" */
static bool is_realtime(const char *text)
{
	bool is_first = str_has_prefix(text, "RTMIN");
	uint32_t distance = 0;

	if (!is_first && !str_has_prefix(text, "RTMAX"))
		return false;
	text += strlen("RTMIN");
	if (*text == '\0')
		return true;
	return *text == (is_first ? '+' : '-') && parse_u32(text + 1, &distance) == 0 &&
	       distance <= (uint32_t)(SIGRTMAX - SIGRTMIN);
}

static bool is_signal(const char *text)
{
	uint32_t number;

	if (parse_u32(text, &number) == 0)
		return number > 0 && number < (uint32_t)NSIG;
	if (str_has_prefix(text, "SIG"))
		text += strlen("SIG");
	for (int i = 1; i < NSIG; i++) {
		const char *name = sigabbrev_np(i);

		if (name != NULL && str_equal(text, name))
			return true;
	}
	return is_realtime(text);
}

int compose_check_signal(struct composing *c, const char *text)
{
	return is_signal(text) ? 0
			       : err_set(c->err, ERR_USAGE, 0,
					 "'%s' is no signal: TERM, SIGTERM, 15, RTMIN+3", text);
}

/* ---- users ---- */

/* An id, or a name as a passwd file can have it. */
static bool is_account(const char *text, size_t len)
{
	char name[ACCOUNT_MAX + 1];
	uint32_t id;

	if (len == 0 || len > ACCOUNT_MAX)
		return false;
	str_format(name, sizeof(name), "%.*s", (int)len, text);
	if (parse_u32(name, &id) == 0)
		return id <= ID_LAST;
	if (name[strspn(name, "0123456789")] == '\0' || name[0] == '-')
		return false;
	for (const char *at = name; *at != '\0'; at++)
		if ((unsigned char)*at <= 0x20 || *at == 0x7f || *at == ':' || *at == '/')
			return false;
	return true;
}

int compose_check_user(struct composing *c, const char *text)
{
	size_t len = strcspn(text, ":");
	const char *group = text[len] == ':' ? text + len + 1 : NULL;

	if (is_account(text, len) && (group == NULL || is_account(group, strlen(group))))
		return 0;
	return err_set(c->err, ERR_USAGE, 0,
		       "'%s' is no user: USER or USER:GROUP, each a name or an id of 0 to %d", text,
		       ID_LAST);
}

/* ---- volumes ---- */

int compose_check_volume(struct composing *c, const char *text)
{
	char path[PATH_MAX];

	if (text[0] == '/' && path_normalize(path, sizeof(path), "/", text) > 0 &&
	    !str_equal(path, "/") && !path_is_below(path, "/proc") && !path_is_below(path, "/dev"))
		return 0;
	return err_set(c->err, ERR_USAGE, 0,
		       "'%s' is no place of a volume: an absolute path, not / and not below /proc "
		       "or /dev",
		       text);
}
