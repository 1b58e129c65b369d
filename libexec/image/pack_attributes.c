/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Extended attributes of what is packed, and the list of what is left out; see pack.h. */
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "libexec/image/name.h"
#include "libexec/image/pack.h"

enum { XATTRS_MAX = 64 << 10, LISTED_MAX = 1 << 20 };

static const char overlays_own[] = "user.overlay.";
/* As an overlay keeps user.overlay.X that somebody inside has set (from 6.7 on: "Nesting
 * overlayfs mounts" in Documentation/filesystems/overlayfs.rst). */
static const char escaped_own[] = "user.overlay.overlay.";

int pack_skip(struct packing *p, const char *name, const char *what)
{
	char line[NAME_ESCAPED + NAME_PART_MAX + 32], escaped[NAME_ESCAPED];
	size_t len;

	p->report->n_skipped++;
	/* A name costs a workload less than its line, which no bound of a layer's counts. */
	if (!p->lists || p->listed > LISTED_MAX)
		return 0;
	name_escape(name, escaped, sizeof(escaped));
	len = str_format(line, sizeof(line), "%s %s\n", what, escaped[0] != '\0' ? escaped : ".");
	p->listed += len;
	if (p->listed > LISTED_MAX)
		len = str_format(line, sizeof(line), "and more\n");
	return io_write_all(WORKER_SKIPPED, line, len);
}

bool pack_is_volume(const struct packing *p)
{
	return p->kind == PACK_VOLUME || p->kind == PACK_VOLUME_LIVE;
}

static bool is_packed(const struct packing *p, const char *attribute)
{
	if (pack_is_volume(p))
		return str_has_prefix(attribute, "user.");
	/* A layer's are in its books. */
	if (str_equal(attribute, "security.capability"))
		return p->kind == PACK_HOST || p->kind == PACK_UPPER;
	return str_has_prefix(attribute, "user.") && !str_has_prefix(attribute, overlays_own);
}

/* What this host's policy gives to every file is none of the tree's, nor is what the overlay that
 * wrote it keeps there. */
static bool is_loss(const struct packing *p, const char *attribute)
{
	if (str_equal(attribute, "security.selinux") || str_has_prefix(attribute, "security.SMACK"))
		return false;
	return pack_is_volume(p) ||
	       (p->lists && (!str_has_prefix(attribute, overlays_own) || p->kind == PACK_HOST ||
			     str_has_prefix(attribute, escaped_own)));
}

static int leave_out(struct packing *p, const char *name, const char *attribute)
{
	char what[NAME_PART_MAX + 16];
	bool is_escaped = p->kind == PACK_UPPER && str_has_prefix(attribute, escaped_own);

	if (!is_loss(p, attribute))
		return 0;
	if (str_equal(attribute, "system.posix_acl_access") ||
	    str_equal(attribute, "system.posix_acl_default"))
		str_format(what, sizeof(what), "acl");
	else
		str_format(what, sizeof(what), "attribute:%s%s", is_escaped ? overlays_own : "",
			   attribute + (is_escaped ? strlen(escaped_own) : 0));
	name_make_word(what);
	return pack_skip(p, name, what);
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

int pack_attributes(struct packing *p, int fd, const char *name, struct archive_entry *entry)
{
	_cleanup_free_ char *list = malloc(XATTRS_MAX);
	const char *names[256];
	ssize_t n = list == NULL ? -1 : flistxattr(fd, list, XATTRS_MAX);
	size_t count = 0;
	int r = 0;

	if (n < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (char *at = list; r == 0 && at < list + n; at += strlen(at) + 1) {
		if (!is_packed(p, at)) {
			r = leave_out(p, name, at);
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
