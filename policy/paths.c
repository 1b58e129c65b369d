/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths as text; see paths.h. */
#include "policy/paths.h"

#include <string.h>

#include "base/str.h"

/* Appends the parts of path to out, which holds an absolute normal path ("" is the root). */
static void append_parts(char *out, const char *path)
{
	size_t len = strlen(out);

	while (*path != '\0') {
		size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.') {
			while (len > 0 && out[len - 1] != '/')
				len--;
			len -= len > 0 ? 1 : 0;
		} else if (n > 0 && !(n == 1 && path[0] == '.')) {
			out[len++] = '/';
			memcpy(out + len, path, n);
			len += n;
		}
		out[len] = '\0';
		path += n + (path[n] == '/' ? 1 : 0);
	}
}

const char *paths_absolute(struct policy_ctx *ctx, const char *base, const char *path)
{
	char *out = ctx_array(ctx, strlen(base) + strlen(path) + 4, 1);

	if (out == NULL)
		return "/";
	if (path[0] != '/')
		append_parts(out, base);
	append_parts(out, path);
	return out[0] != '\0' ? out : "/";
}

bool paths_is_at_or_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (str_equal(dir, "/"))
		return true;
	return str_has_prefix(path, dir) && (path[len] == '\0' || path[len] == '/');
}

int paths_compare(const char *a, const char *b)
{
	while (*a == *b && *a != '\0') {
		a++;
		b++;
	}
	if (*a == *b)
		return 0;
	if (*a == '\0' || *b == '\0')
		return *a == '\0' ? -1 : 1;
	/* '/' before any other byte, or "/a.b" would stand between "/a" and "/a/x". */
	if (*a == '/' || *b == '/')
		return *a == '/' ? -1 : 1;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}
