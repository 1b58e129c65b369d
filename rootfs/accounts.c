/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Made account files; see accounts.h. The names are those that programs commonly look up. */
#include "rootfs/accounts.h"

#include <stdbool.h>

static bool has_own_line(uint32_t id)
{
	return id == 0 || id == 1 || id == 65534;
}

const char *accounts_passwd(struct arena *arena, uint32_t uid, uint32_t gid, const char *home)
{
	char *user = arena_format(arena, "sandbox:x:%u:%u:sandbox:%s:/bin/sh\n", uid, gid, home);

	if (user == NULL)
		return NULL;
	return arena_format(arena,
			    "root:x:0:0:root:/:/bin/sh\n"
			    "daemon:x:1:1:daemon:/:/usr/sbin/nologin\n"
			    "%s"
			    "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
			    has_own_line(uid) ? "" : user);
}

const char *accounts_group(struct arena *arena, uint32_t gid)
{
	char *group = arena_format(arena, "sandbox:x:%u:\n", gid);

	if (group == NULL)
		return NULL;
	return arena_format(arena, "root:x:0:\ndaemon:x:1:\ntty:x:5:\n%snogroup:x:65534:\n",
			    has_own_line(gid) || gid == 5 ? "" : group);
}

const char *accounts_hosts(struct arena *arena, const char *hostname)
{
	return arena_format(arena,
			    "127.0.0.1\tlocalhost\n"
			    "::1\tlocalhost ip6-localhost ip6-loopback\n"
			    "127.0.1.1\t%s\n",
			    hostname);
}
