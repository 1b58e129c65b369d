/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Host ids for sandboxes; see identity.h. Runs in the keeper. */
#include "launcher/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/sys.h"

enum { SUBID_TEXT_MAX = 256 << 10, MAP_TEXT_MAX = 16 << 10, WAITER_STACK = 16 << 10 };

/* ---- the pool ---- */

/* A number as newuidmap(1) reads it, which is strtoul(3) of any base: a line that it would grant
 * must not count as free here. */
static bool read_subid(const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 0);
	return errno == 0 && end != text && *end == '\0' && strchr(text, '-') == NULL;
}

/* "name:first:count"; returns false for a line that is not of that form. */
static bool parse_subid_line(const char *line, size_t len, bool *ret_is_cordon,
			     struct id_range *ret_range)
{
	char text[512]; /* more than the longest name that an account can have, LOGIN_NAME_MAX */
	char *first, *count;

	if (len >= sizeof(text))
		return false;
	memcpy(text, line, len);
	text[len] = '\0';
	first = strchr(text, ':');
	count = first != NULL ? strchr(first + 1, ':') : NULL;
	if (count == NULL)
		return false;
	*first++ = '\0';
	*count++ = '\0';
	*ret_is_cordon = str_equal(text, "cordon");
	/* Ours are read strictly, others' leniently: in doubt an id is not free. */
	if (*ret_is_cordon)
		return parse_u64(first, &ret_range->first) == 0 &&
		       parse_u64(count, &ret_range->count) == 0;
	return read_subid(first, &ret_range->first) && read_subid(count, &ret_range->count);
}

/* Takes the part [first, first + count) out of the pool, which may split a range. */
static void pool_remove(struct id_pool *pool, struct id_range hole)
{
	uint32_t n = pool->n_ranges;
	uint64_t hole_end =
		hole.count > UINT64_MAX - hole.first ? UINT64_MAX : hole.first + hole.count;

	for (uint32_t i = 0; i < n && hole.count > 0; i++) {
		struct id_range *r = &pool->ranges[i];
		uint64_t end = r->first + r->count;

		if (hole_end <= r->first || hole.first >= end)
			continue;
		/* What is right of the hole becomes a range of its own; where there is no room it
		 * is given up, which only makes the pool smaller. */
		if (hole_end < end && pool->n_ranges < IDENTITY_RANGES_MAX)
			pool->ranges[pool->n_ranges++] =
				(struct id_range){.first = hole_end, .count = end - hole_end};
		r->count = hole.first > r->first ? hole.first - r->first : 0;
	}
}

enum scan_mode { COLLECT_OURS, REMOVE_OTHERS };

static void scan_subids(const char *text, enum scan_mode mode, struct id_pool *pool)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		struct id_range range;
		bool is_cordon;

		if (parse_subid_line(text, len, &is_cordon, &range)) {
			if (mode == REMOVE_OTHERS && !is_cordon)
				pool_remove(pool, range);
			if (mode == COLLECT_OURS && is_cordon && range.first > 0 &&
			    range.first < UINT32_MAX && range.count <= UINT32_MAX - range.first &&
			    pool->n_ranges < IDENTITY_RANGES_MAX / 2) {
				/* What an earlier line gave already would else be two blocks. */
				pool_remove(pool, range);
				pool->ranges[pool->n_ranges++] = range;
			}
		}
		text += len;
		text += *text == '\n';
	}
}

/* The first part that two lists share, for lists that are meant to be the same. */
static void pool_intersect(struct id_pool *pool, const struct id_pool *other)
{
	struct id_pool both = {0};

	for (uint32_t i = 0; i < pool->n_ranges; i++)
		for (uint32_t j = 0; j < other->n_ranges; j++) {
			struct id_range a = pool->ranges[i], b = other->ranges[j];
			uint64_t first = a.first > b.first ? a.first : b.first;
			uint64_t a_end = a.first + a.count, b_end = b.first + b.count;
			uint64_t end = a_end < b_end ? a_end : b_end;

			if (first < end && both.n_ranges < IDENTITY_RANGES_MAX / 2)
				both.ranges[both.n_ranges++] =
					(struct id_range){.first = first, .count = end - first};
		}
	*pool = both;
}

void identity_make_pool(const char *subuid, const char *subgid, struct id_pool *ret_pool)
{
	struct id_pool pool = {0}, groups = {0};

	scan_subids(subuid, COLLECT_OURS, &pool);
	scan_subids(subgid, COLLECT_OURS, &groups);
	pool_intersect(&pool, &groups);
	if (identity_pool_blocks(&pool) == 0) {
		pool = (struct id_pool){.n_ranges = 1};
		pool.ranges[0] = (struct id_range){.first = IDENTITY_FIRST,
						   .count = IDENTITY_LAST - IDENTITY_FIRST + 1};
	}
	scan_subids(subuid, REMOVE_OTHERS, &pool);
	scan_subids(subgid, REMOVE_OTHERS, &pool);
	*ret_pool = pool;
}

uint64_t identity_pool_blocks(const struct id_pool *pool)
{
	uint64_t blocks = 0;

	for (uint32_t i = 0; i < pool->n_ranges; i++)
		blocks += pool->ranges[i].count / IDENTITY_BLOCK;
	return blocks;
}

uint32_t identity_pool_block(const struct id_pool *pool, uint64_t n)
{
	for (uint32_t i = 0; i < pool->n_ranges; i++) {
		uint64_t blocks = pool->ranges[i].count / IDENTITY_BLOCK;

		if (n < blocks)
			return (uint32_t)(pool->ranges[i].first + n * IDENTITY_BLOCK);
		n -= blocks;
	}
	return 0; /* never a block: callers ask for n below identity_pool_blocks */
}

static int read_optional(const char *path, char *buf, size_t size, struct err *err)
{
	ssize_t n = io_read_text(AT_FDCWD, path, buf, size);

	if (n == -ENOENT) {
		buf[0] = '\0';
		return 0;
	}
	return n < 0 ? err_set(err, ERR_PREFLIGHT, (int)-n, "%s", path) : 0;
}

int identity_read_pool(struct id_pool *ret_pool, struct err *err)
{
	_cleanup_free_ char *subuid = malloc(SUBID_TEXT_MAX);
	_cleanup_free_ char *subgid = malloc(SUBID_TEXT_MAX);
	int r;

	if (subuid == NULL || subgid == NULL)
		return err_set(err, ERR_PREFLIGHT, ENOMEM, "/etc/subuid");
	r = read_optional("/etc/subuid", subuid, SUBID_TEXT_MAX, err);
	if (r == 0)
		r = read_optional("/etc/subgid", subgid, SUBID_TEXT_MAX, err);
	if (r == 0)
		identity_make_pool(subuid, subgid, ret_pool);
	return r;
}

/* ---- our own maps ---- */

/* One line "inside outside count" of a map; moves *text behind it. */
static bool next_map_line(const char **text, uint64_t ret[3])
{
	for (int i = 0; i < 3; i++) {
		uint64_t value = 0;

		*text += strspn(*text, " \t\n");
		if (**text < '0' || **text > '9')
			return false;
		for (; **text >= '0' && **text <= '9'; (*text)++)
			value = value * 10 + (uint64_t)(**text - '0');
		ret[i] = value;
	}
	return true;
}

static bool map_covers(const char *text, uint64_t first, uint64_t last)
{
	uint64_t line[3];

	while (next_map_line(&text, line))
		if (line[0] <= first && last < line[0] + line[2])
			return true;
	return false;
}

static uint64_t map_lookup(const char *text, uint64_t id)
{
	uint64_t line[3];

	while (next_map_line(&text, line))
		if (id >= line[0] && id - line[0] < line[2])
			return line[1] + (id - line[0]);
	return UINT32_MAX;
}

int identity_read_own_maps(bool *ret_maps_all, uint32_t euid, uint32_t *ret_host_euid,
			   struct err *err)
{
	char text[MAP_TEXT_MAX];
	bool maps_uids;
	int r = read_optional("/proc/self/uid_map", text, sizeof(text), err);

	if (r < 0)
		return r;
	maps_uids = map_covers(text, IDENTITY_FIRST, IDENTITY_LAST);
	*ret_host_euid = (uint32_t)map_lookup(text, euid);
	*ret_maps_all = false;
	if (!maps_uids || euid != 0)
		return 0; /* the other map decides nothing then */
	r = read_optional("/proc/self/gid_map", text, sizeof(text), err);
	if (r == 0)
		*ret_maps_all = map_covers(text, IDENTITY_FIRST, IDENTITY_LAST);
	return r;
}

/* ---- namespaces for idmapped mounts ---- */

static int write_map(pid_t pid, const char *file, const struct identity_range *range)
{
	char path[64], text[IDENTITY_MAP_TEXT];

	str_format(path, sizeof(path), "/proc/%d/%s", pid, file);
	str_format(text, sizeof(text), "%u %u %u\n", range->inside, range->outside, range->count);
	return io_write_text(AT_FDCWD, path, text);
}

/* Says nothing of what fails: errno is the keeper's, whose memory this is. */
static int wait_to_be_killed(void *arg)
{
	const pid_t *keeper = arg;

	/* The keeper may have died before the signal was asked for: prctl(2). */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != *keeper)
		return 0;
	for (;;)
		pause();
}

int identity_range_namespace(const struct identity_range *uids, const struct identity_range *gids,
			     struct err *err)
{
	_Alignas(16) char stack[WAITER_STACK];
	pid_t keeper = getpid();
	char path[64];
	siginfo_t info;
	pid_t pid;
	int fd = -EBADF;
	int r;

	/* The namespace needs a process only until we hold its fd: one that waits to be killed, in
	 * memory of ours. A copy of it would cost more than all the rest. */
	pid = sys_clone_sharing(wait_to_be_killed, stack, sizeof(stack), &keeper, CLONE_NEWUSER);
	if (pid < 0)
		return err_set(err, ERR_SETUP, -pid, "user namespace for an idmapped mount");
	r = write_map(pid, "uid_map", uids);
	if (r == 0)
		r = write_map(pid, "gid_map", gids);
	if (r == 0) {
		str_format(path, sizeof(path), "/proc/%d/ns/user", pid);
		fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
		r = fd < 0 ? fd : 0;
	}
	kill(pid, SIGKILL);
	ignore_result(sys_waitid(P_PID, (id_t)pid, &info, WEXITED, NULL), "our own child, killed");
	sys_stack_is_left(stack, sizeof(stack));
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "id map of an idmapped mount");
	return fd;
}
