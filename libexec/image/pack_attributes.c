/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Extended attributes of what is packed; see pack.h. */
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "libexec/image/pack.h"

enum { XATTRS_MAX = 64 << 10 };

bool pack_is_volume(const struct packing *p)
{
	return p->kind == PACK_VOLUME || p->kind == PACK_VOLUME_LIVE;
}

static bool is_packed(const struct packing *p, const char *attribute)
{
	if (pack_is_volume(p))
		return str_has_prefix(attribute, "user.");
	if (str_equal(attribute, "security.capability"))
		return p->kind == PACK_HOST;
	return str_has_prefix(attribute, "user.") && !str_has_prefix(attribute, "user.overlay.");
}

/* What this host's policy gives to every file is none of a volume's. */
static bool is_loss(const char *attribute)
{
	return !str_equal(attribute, "security.selinux") &&
	       !str_has_prefix(attribute, "security.SMACK");
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_attribute(struct packing *p, int fd, const char *name, struct archive_entry *entry)
{
	ssize_t n = fgetxattr(fd, name, p->block, XATTRS_MAX);

	if (n < 0)
		return -errno;
	archive_entry_xattr_add_entry(entry, name, p->block, (size_t)n);
	return 0;
}

int pack_attributes(struct packing *p, int fd, struct archive_entry *entry)
{
	_cleanup_free_ char *list = malloc(XATTRS_MAX);
	const char *names[256];
	ssize_t n = list == NULL ? -1 : flistxattr(fd, list, XATTRS_MAX);
	size_t count = 0;
	int r = 0;

	if (n < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (char *at = list; at < list + n; at += strlen(at) + 1) {
		if (!is_packed(p, at)) {
			p->report->n_skipped += pack_is_volume(p) && is_loss(at);
			continue;
		}
		if (count == sizeof(names) / sizeof(names[0]))
			return -E2BIG;
		names[count++] = at;
	}
	qsort(names, count, sizeof(*names), by_text);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = add_attribute(p, fd, names[i], entry);
	return r;
}
