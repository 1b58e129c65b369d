/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See copy_rules.h. Docker's are in its documentation, "docker container cp". */
#include "cmd/copy_rules.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

static bool is_itself(const char *part, size_t len)
{
	return len == 0 || (len == 1 && part[0] == '.');
}

static int parse_path(const char *path, bool is_host, struct copy_place *ret)
{
	size_t len = strlen(path), base;

	if (len >= sizeof(ret->path))
		return -ENAMETOOLONG;
	/* A slash, and a point behind a slash, say what is wanted and name nothing. */
	for (;;) {
		size_t last = len;

		while (last > 0 && path[last - 1] != '/')
			last--;
		if (len == 0 || !is_itself(path + last, len - last))
			break;
		ret->is_content = ret->is_content || len - last == 1;
		ret->wants_directory = true;
		len = last > 0 ? last - 1 : 0;
	}
	base = len;
	while (base > 0 && path[base - 1] != '/')
		base--;
	if (len - base > NAME_MAX)
		return -ENAMETOOLONG;
	if (len == 0)
		str_format(ret->path, sizeof(ret->path), "%s",
			   path[0] == '/' || !is_host ? "/" : ".");
	else
		str_format(ret->path, sizeof(ret->path), "%.*s", (int)len, path);
	str_format(ret->base, sizeof(ret->base), "%.*s", (int)(len - base), path + base);
	if (str_equal(ret->base, ".."))
		ret->base[0] = '\0';
	ret->is_content = ret->is_content || ret->base[0] == '\0';
	return 0;
}

int copy_parse(const char *word, struct copy_place *ret)
{
	const char *colon = strchr(word, ':');
	size_t len = colon != NULL ? (size_t)(colon - word) : 0;

	memset(ret, 0, sizeof(*ret));
	ret->is_stream = str_equal(word, "-");
	/* What begins so is a path of this host, colons and all. */
	if (ret->is_stream || word[0] == '/' || word[0] == '.' || colon == NULL || len == 0)
		return ret->is_stream ? 0 : parse_path(word, true, ret);
	if (len >= sizeof(ret->sandbox))
		return -ENAMETOOLONG;
	str_format(ret->sandbox, sizeof(ret->sandbox), "%.*s", (int)len, word);
	return parse_path(colon + 1, false, ret);
}

const char *copy_plan(const struct copy_place *source, enum visit_type source_type,
		      const struct copy_place *sink, const struct visit_found *found,
		      const char **ret_as)
{
	bool is_directory = source_type == VISIT_DIRECTORY;

	if (source->wants_directory && !is_directory && !source->is_stream)
		return "is no directory";
	if (found->type == VISIT_DIRECTORY) {
		*ret_as = source->is_content || source->is_stream ? "" : source->base;
		return NULL;
	}
	if (source->is_stream)
		return "a tar is unpacked in a directory that is there";
	if (found->type != VISIT_NOTHING && is_directory)
		return "a directory cannot take the place of a file";
	if (found->type != VISIT_NOTHING && sink->wants_directory)
		return "is no directory";
	if (sink->wants_directory && !is_directory)
		return "there is no such directory";
	*ret_as = found->base;
	return NULL;
}
