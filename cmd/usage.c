/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See usage.h. */
#include "cmd/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"

enum { LINKS_TEXT_MAX = 16384, RECEIVED = 0, SENT = 8, NUMBERS };

/* ---- links ---- */

/* "  eth0: RECEIVED packets errs drop fifo frame compressed multicast SENT ..." */
static bool add_line(const char *line, struct link_counts *sum)
{
	const char *colon = strchr(line, ':');
	uint64_t numbers[NUMBERS];
	const char *at;

	if (colon == NULL)
		return false;
	line += strspn(line, " ");
	if (colon - line == 2 && strncmp(line, "lo", 2) == 0)
		return true;
	at = colon + 1;
	for (size_t i = 0; i < NUMBERS; i++) {
		char *end;

		numbers[i] = strtoull(at, &end, 10);
		if (end == at)
			return false;
		at = end;
	}
	sum->received_bytes += (int64_t)numbers[RECEIVED];
	sum->sent_bytes += (int64_t)numbers[SENT];
	return true;
}

bool usage_sum_links(const char *text, struct link_counts *ret)
{
	struct link_counts sum = {0};

	/* Two lines of heads. */
	for (int i = 0; text != NULL && i < 2; i++) {
		text = strchr(text, '\n');
		text = text != NULL ? text + 1 : NULL;
	}
	if (text == NULL)
		return false;
	while (*text != '\0') {
		const char *end = strchr(text, '\n');

		if (end == NULL || !add_line(text, &sum))
			return false;
		text = end + 1;
	}
	*ret = sum;
	return true;
}

/* Each network namespace has files of its own. */
static bool is_own_network(int proc)
{
	struct stat theirs, own;

	return fstatat(proc, "net/dev", &theirs, 0) != 0 || stat("/proc/self/net/dev", &own) != 0 ||
	       (theirs.st_dev == own.st_dev && theirs.st_ino == own.st_ino);
}

bool usage_read_links(const struct sandbox_status *status, struct link_counts *ret)
{
	const struct process_mark *init = &status->live.init;
	_cleanup_fd_ int pidfd = init->pid > 0 ? process_open(init) : -ESRCH;
	_cleanup_fd_ int proc = -EBADF;
	char text[LINKS_TEXT_MAX];

	if (pidfd < 0)
		return false;
	str_format(text, sizeof(text), "/proc/%d", init->pid);
	proc = sys_openat(AT_FDCWD, text, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	/* Opened between two looks at the one process: it is that one's. */
	if (proc < 0 || sys_pidfd_send_signal(pidfd, 0, 0) < 0 || is_own_network(proc))
		return false;
	return io_read_text(proc, "net/dev", text, sizeof(text)) > 0 && usage_sum_links(text, ret);
}

/* ---- texts ---- */

void usage_percent_text(int64_t hundredths, char *buf, size_t size)
{
	if (hundredths < 0)
		str_format(buf, size, "-");
	else
		str_format(buf, size, "%lld.%lld%lld%%", (long long)(hundredths / 100),
			   (long long)(hundredths / 10 % 10), (long long)(hundredths % 10));
}

void usage_size_text(int64_t bytes, char *buf, size_t size)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	int64_t tenths;
	size_t unit = 0;

	if (bytes < 0) {
		str_format(buf, size, "-");
		return;
	}
	if (bytes < 1024) {
		str_format(buf, size, "%lldB", (long long)bytes);
		return;
	}
	for (tenths = bytes; tenths >= 1 << 20 && unit < 4; unit++)
		tenths /= 1024;
	tenths = tenths * 10 / 1024;
	str_format(buf, size, "%lld.%lld%s", (long long)(tenths / 10), (long long)(tenths % 10),
		   units[unit + 1]);
}
