/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of the keeper that write to the new process's files in /proc; see host_proc.h. */
#include "launcher/host_proc.h"

#include <fcntl.h>

#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "launcher/launch.h"

/* ---- id maps ---- */

static int write_proc(const struct launch *launch, const char *file, const char *text,
		      struct err *err)
{
	char path[64];
	int r;

	str_format(path, sizeof(path), "/proc/%d/%s", launch->init_pid, file);
	r = io_write_text(AT_FDCWD, path, text);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "write the sandbox's %s", file) : 0;
}

int host_proc_deny_setgroups(struct launch *launch, struct err *err)
{
	/* The kernel wants this before an unprivileged gid_map: user_namespaces(7). */
	return write_proc(launch, "setgroups", "deny", err);
}

static void map_text(const struct launch *launch, uint32_t inside, uint32_t outside, char *buf,
		     size_t size)
{
	if (launch->decision->plan.ids == IDS_BLOCK)
		str_format(buf, size, "0 %u %d\n", launch->run.block_first, IDENTITY_BLOCK);
	else
		str_format(buf, size, "%u %u 1\n", inside, outside);
}

int host_proc_uid_map(struct launch *launch, struct err *err)
{
	char text[IDENTITY_MAP_TEXT];

	map_text(launch, launch->spec->identity.uid, launch->decision->facts.euid, text,
		 sizeof(text));
	return write_proc(launch, "uid_map", text, err);
}

int host_proc_gid_map(struct launch *launch, struct err *err)
{
	char text[IDENTITY_MAP_TEXT];

	map_text(launch, launch->spec->identity.gid, launch->decision->facts.egid, text,
		 sizeof(text));
	return write_proc(launch, "gid_map", text, err);
}

/* ---- oom score ---- */

enum { OOM_SCORE = 500 }; /* of 1000: the kernel takes a sandbox before the host's own programs */

int host_proc_oom_score(struct launch *launch, struct err *err)
{
	char text[16], path[64];
	uint64_t current;
	ssize_t n;

	str_format(path, sizeof(path), "/proc/%d/oom_score_adj", launch->init_pid);
	n = io_read_text(AT_FDCWD, path, text, sizeof(text));
	if (n < 0)
		return err_set(err, ERR_SETUP, (int)-n, "%s", path);
	io_chomp(text);
	/* A caller that is offered up already stays so; a negative number is no u64. */
	if (parse_u64(text, &current) == 0 && current >= OOM_SCORE)
		return 0;
	str_format(text, sizeof(text), "%d", OOM_SCORE);
	return write_proc(launch, "oom_score_adj", text, err);
}
