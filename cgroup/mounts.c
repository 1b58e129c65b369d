/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where hierarchies usually are: /sys/fs/cgroup/LIST on v1, LIST being the controllers as
 * /proc/self/cgroup has them, and /sys/fs/cgroup itself on v2. The kernel is asked what is mounted
 * at each of these (statmount(2)), which takes as long as one path does, where /proc/self/mountinfo
 * takes longer with each mount of the host. What it says goes through the reader of that file, in
 * the same form. Wherever something is not as usual the answer is no, and all of it is read.
 */
#include <string.h>

#include "base/str.h"
#include "cgroup/table.h"

#define USUAL "/sys/fs/cgroup"

/* Of the forms that usual ones have: others would have to be escaped. */
static bool is_plain(const char *text)
{
	return text[0] != '\0' &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 "/_.,:=@+-")] == '\0';
}

/* One line of mountinfo; the length, 0 where something else is there. */
static size_t put_mount(cgroup_ask_mount *ask, const char *path, const char *type, char *buf,
			size_t size)
{
	struct sys_mount mount;
	size_t len;

	if (ask(path, &mount) < 0 || !str_equal(mount.type, type) || !is_plain(mount.root) ||
	    (mount.options[0] != '\0' && !is_plain(mount.options)))
		return 0;
	len = str_format(buf, size, "0 0 0:0 %s %s rw - %s none rw,%s\n", mount.root, path, type,
			 mount.options);
	return len + 1 < size ? len : 0;
}

bool cgroup_usual_mounts(const char *self_cgroup, uint32_t wanted, cgroup_ask_mount *ask, char *buf,
			 size_t size)
{
	uint32_t on_v1 = 0;
	size_t len = 0;

	buf[0] = '\0';
	for (const char *line = self_cgroup; *line != '\0';
	     line += strcspn(line, "\n"), line += *line == '\n') {
		const char *names = line + strcspn(line, ":\n");
		char list[128], path[sizeof(USUAL) + sizeof(list)];
		uint32_t here;
		size_t n;

		names += *names == ':';
		str_format(list, sizeof(list), "%.*s", (int)strcspn(names, ":\n"), names);
		here = cgroup_controllers_in(list, CGROUP_V1);
		on_v1 |= here;
		if ((here & wanted) == 0)
			continue;
		str_format(path, sizeof(path), USUAL "/%s", list);
		n = put_mount(ask, path, "cgroup", buf + len, size - len);
		if (n == 0)
			return false;
		len += n;
	}
	/* A machine that has some on v1 and others on v2 is none of the usual ones. */
	if ((wanted & ~on_v1) == 0)
		return true;
	return on_v1 == 0 && put_mount(ask, USUAL, "cgroup2", buf, size) > 0;
}
