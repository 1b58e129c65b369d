/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fills error values. No heap, no stdio: also runs between clone and exec. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/str.h"

static int err_value(const struct err *err)
{
	return err->sys_errno > 0 ? -err->sys_errno : -EINVAL;
}

int err_set(struct err *err, enum err_kind kind, int sys_errno, const char *fmt, ...)
{
	int result = sys_errno > 0 ? -sys_errno : -EINVAL;
	va_list ap;
	size_t len;

	if (err == NULL)
		return result;
	memset(err, 0, sizeof(*err));
	err->kind = kind;
	err->sys_errno = sys_errno;
	va_start(ap, fmt);
	len = str_vformat(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	if (sys_errno > 0) {
		const char *why = strerrordesc_np(sys_errno);

		str_format(err->text + len, sizeof(err->text) - len, ": %s",
			   why != NULL ? why : "unknown error");
	}
	return result;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char old[sizeof(err->text)];
	va_list ap;
	size_t len;

	if (err == NULL)
		return -EINVAL;
	memcpy(old, err->text, sizeof(old));
	va_start(ap, fmt);
	len = str_vformat(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	str_format(err->text + len, sizeof(err->text) - len, ": %s", old);
	return err_value(err);
}

int err_hint(struct err *err, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return -EINVAL;
	va_start(ap, fmt);
	str_vformat(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
	return err_value(err);
}

int err_exit_code(const struct err *err)
{
	if (err->kind != ERR_EXEC)
		return 125;
	return err->sys_errno == ENOENT ? 127 : 126;
}
