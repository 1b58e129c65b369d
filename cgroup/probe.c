/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a group may be made. Reads /proc/self/cgroup (which group the caller is in, in each
 * hierarchy) and /proc/self/mountinfo (where hierarchies are mounted, and from which group on),
 * then looks at the directories. Makes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "cgroup/table.h"

enum { FILE_MAX_BYTES = 4 << 20, LINE_MAX_BYTES = 8192, USUAL_MAX_BYTES = 4096 };

/* ---- text ---- */

/* The word up to the next separator, into buf; "" at the end of the line, and where it is longer
 * than buf: half a path is another path. Returns what follows. */
static const char *take(const char *text, char separator, char *buf, size_t size)
{
	size_t len = 0;

	while (text[len] != '\0' && text[len] != '\n' && text[len] != separator)
		len++;
	str_format(buf, size, "%.*s", len < size ? (int)len : 0, text);
	return text[len] == separator ? text + len + 1 : text + len;
}

static const char *next_line(const char *text)
{
	text += strcspn(text, "\n");
	return *text == '\n' ? text + 1 : text;
}

/* Whether word is one of a list "a,b,c" or "a b c". */
static bool lists(const char *list, const char *word)
{
	size_t n = strlen(word);

	while (*list != '\0' && *list != '\n') {
		size_t len = strcspn(list, ", \n");

		if (len == n && strncmp(list, word, n) == 0)
			return true;
		list += len + (list[len] == ',' || list[len] == ' ' ? 1 : 0);
	}
	return false;
}

/* The controllers of ours that a list names. */
uint32_t cgroup_controllers_in(const char *list, enum cgroup_version version)
{
	uint32_t bits = 0;

	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++) {
		const char *name = cgroup_controller_name(c, version);

		if (name != NULL && lists(list, name))
			bits |= 1U << c;
	}
	return bits;
}

/* The caller's group in the hierarchy of these controllers (v2: 0), "" where there is none. */
static void own_group(const char *self_cgroup, uint32_t controllers, char *buf, size_t size)
{
	char number[16], names[LINE_MAX_BYTES];

	buf[0] = '\0';
	for (const char *line = self_cgroup; *line != '\0'; line = next_line(line)) {
		const char *rest = take(line, ':', number, sizeof(number));
		bool is_v2;

		rest = take(rest, ':', names, sizeof(names));
		is_v2 = names[0] == '\0' && str_equal(number, "0");
		if (controllers == 0
			    ? is_v2
			    : !is_v2 && cgroup_controllers_in(names, CGROUP_V1) == controllers) {
			take(rest, '\n', buf, size);
			return;
		}
	}
}

static bool join_path(const char *dir, const char *below, char *buf, size_t size)
{
	const char *separator = below[0] == '/' || below[0] == '\0' ? "" : "/";

	if (str_equal(dir, "/"))
		dir = "";
	if (strlen(dir) + strlen(separator) + strlen(below) >= size)
		return false;
	str_format(buf, size, "%s%s%s", dir, separator, str_equal(below, "/") ? "" : below);
	return true;
}

/* `path` as seen below a mount whose root is `root`; NULL where it lies elsewhere. */
static const char *below_root(const char *path, const char *root)
{
	size_t len = strlen(root);

	if (str_equal(root, "/"))
		return path;
	if (strncmp(path, root, len) != 0 || (path[len] != '/' && path[len] != '\0'))
		return NULL;
	return path + len;
}

/* h.top: where it is mounted; h.parent_path: the group to make groups in. */
static void add_hierarchy(struct cgroup_facts *facts, struct cgroup_hierarchy h,
			  const char *mount_root)
{
	const char *inside = below_root(h.parent_path, mount_root);

	for (size_t i = 0; i < facts->n_hierarchies; i++)
		if (facts->hierarchies[i].version == h.version &&
		    facts->hierarchies[i].controllers == h.controllers)
			return; /* mounted twice */
	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++)
		if ((h.controllers & 1U << c) != 0) {
			facts->obstacle[c] = CGROUP_NOT_SHOWN;
			facts->version[c] = CGROUP_V1;
		}
	if (h.parent_path[0] != '/' || strstr(h.parent_path, "/..") != NULL || inside == NULL ||
	    !join_path(h.top, inside, h.parent, sizeof(h.parent)) ||
	    facts->n_hierarchies == CGROUP_HIERARCHIES_MAX)
		return;
	facts->hierarchies[facts->n_hierarchies++] = h;
}

/* "/a/b" of "a//b/": as /proc/PID/cgroup has it, with which it is compared. */
static void put_named(const char *parent, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (const char *word = parent + strspn(parent, "/"); *word != '\0';
	     word += strspn(word, "/")) {
		int word_len = (int)strcspn(word, "/");

		len += str_format(buf + len, size - len, "/%.*s", word_len, word);
		word += word_len;
	}
}

static void read_mounts(const char *self_cgroup, const char *mountinfo, const char *parent,
			struct cgroup_facts *ret)
{
	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++)
		ret->obstacle[c] = CGROUP_ABSENT;
	for (const char *line = mountinfo; *line != '\0'; line = next_line(line)) {
		char word[LINE_MAX_BYTES], root[CGROUP_DIR_MAX], point[CGROUP_DIR_MAX];
		char type[32];
		struct cgroup_hierarchy h = {0};
		const char *rest = line;

		for (int i = 0; i < 3; i++)
			rest = take(rest, ' ', word, sizeof(word));
		rest = take(rest, ' ', root, sizeof(root));
		rest = take(rest, ' ', point, sizeof(point));
		do
			rest = take(rest, ' ', word, sizeof(word));
		while (word[0] != '\0' && !str_equal(word, "-"));
		rest = take(rest, ' ', type, sizeof(type));
		rest = take(rest, ' ', word, sizeof(word)); /* source */
		take(rest, '\n', word, sizeof(word));       /* options */
		/* A backslash stands for a byte that no hierarchy of an ordinary host has. */
		if (point[0] != '/' || root[0] != '/' || strchr(point, '\\') != NULL ||
		    strchr(root, '\\') != NULL)
			continue;
		if (str_equal(type, "cgroup2")) {
			h.version = CGROUP_V2;
		} else if (str_equal(type, "cgroup")) {
			h.version = CGROUP_V1;
			h.present = h.controllers = cgroup_controllers_in(word, CGROUP_V1);
			if (h.controllers == 0)
				continue; /* devices, name=systemd: not needed */
		} else {
			continue;
		}
		str_format(h.top, sizeof(h.top), "%s", point);
		own_group(self_cgroup, h.controllers, h.own_path, sizeof(h.own_path));
		if (parent != NULL)
			put_named(parent, h.parent_path, sizeof(h.parent_path));
		else
			str_format(h.parent_path, sizeof(h.parent_path), "%s", h.own_path);
		add_hierarchy(ret, h, root);
	}
}

/* ---- directories ---- */

/* A group of v1's cpuset that has no processors can be made, but not entered. */
static bool has_cpuset(const char *dir)
{
	char path[CGROUP_DIR_MAX + 64], text[LINE_MAX_BYTES];

	str_format(path, sizeof(path), "%s/cpuset.cpus", dir);
	return io_read_text(AT_FDCWD, path, text, sizeof(text)) > 0 && text[0] != '\n';
}

static void look_at_v1(struct cgroup_facts *facts, struct cgroup_hierarchy *h, bool is_named)
{
	enum cgroup_obstacle obstacle = cgroup_obstacle_in(h->parent, is_named);

	if (obstacle == CGROUP_USABLE && (h->present & 1U << CGROUP_CPUSET) != 0 &&
	    !has_cpuset(h->parent))
		obstacle = CGROUP_NOT_ENABLED;
	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++)
		if ((h->present & 1U << c) != 0)
			facts->obstacle[c] = obstacle;
	if (obstacle != CGROUP_USABLE)
		h->controllers = 0;
}

/* The kernel's heading, then a line for each; without swap in the kernel no such file. Where it
 * cannot be read there may be some. */
static bool has_swap(void)
{
	char text[LINE_MAX_BYTES];
	ssize_t n = io_read_text(AT_FDCWD, "/proc/swaps", text, sizeof(text));

	return n > 0 ? *next_line(text) != '\0' : n != -ENOENT;
}

void cgroup_look_at_swap(struct cgroup_facts *facts)
{
	for (size_t i = 0; i < facts->n_hierarchies; i++) {
		const struct cgroup_hierarchy *h = &facts->hierarchies[i];

		if ((h->controllers & 1U << CGROUP_MEMORY) == 0)
			continue;
		/* The files are in every group but the root of v2. */
		facts->counts_swap =
			h->version == CGROUP_V1
				? cgroup_has_file(h->parent, "memory.memsw.limit_in_bytes")
				: access("/proc/swaps", F_OK) == 0;
	}
	facts->has_uncounted_swap = !facts->counts_swap && has_swap();
}

static char *read_whole(const char *path, struct err *err)
{
	_cleanup_free_ char *text = NULL;

	for (size_t size = 64 << 10; size <= FILE_MAX_BYTES; size *= 4) {
		ssize_t n;

		free(text);
		text = malloc(size);
		if (text == NULL)
			break;
		n = io_read_text(AT_FDCWD, path, text, size);
		if (n >= 0) {
			char *whole = text;

			text = NULL;
			return whole;
		}
		if (n != -EFBIG) {
			err_set(err, ERR_PREFLIGHT, (int)-n, "%s", path);
			return NULL;
		}
	}
	err_set(err, ERR_PREFLIGHT, ENOMEM, "%s: too large", path);
	return NULL;
}

/* Of which nothing is known. */
static void leave_out(struct cgroup_hierarchy *h)
{
	h->controllers = h->present = 0;
}

static void look_at_hierarchies(struct cgroup_facts *facts, bool is_named, uint32_t wanted)
{
	uint32_t on_v1 = 0;

	for (size_t i = 0; i < facts->n_hierarchies; i++) {
		struct cgroup_hierarchy *h = &facts->hierarchies[i];

		if (h->version != CGROUP_V1)
			continue;
		on_v1 |= h->present;
		if ((h->present & wanted) != 0)
			look_at_v1(facts, h, is_named);
		else
			leave_out(h);
	}
	for (size_t i = 0; i < facts->n_hierarchies; i++) {
		struct cgroup_hierarchy *h = &facts->hierarchies[i];

		if (h->version == CGROUP_V2 && (wanted & ~on_v1) != 0)
			cgroup_look_at_v2(facts, h, is_named);
	}
}

void cgroup_probe_texts(const char *self_cgroup, const char *mountinfo, const char *parent,
			uint32_t wanted, struct cgroup_facts *ret)
{
	memset(ret, 0, offsetof(struct cgroup_facts, hierarchies));
	ret->caller = getppid();
	read_mounts(self_cgroup, mountinfo, parent, ret);
	look_at_hierarchies(ret, parent != NULL, wanted);
	if ((wanted & 1U << CGROUP_MEMORY) != 0)
		cgroup_look_at_swap(ret);
	if ((wanted & 1U << CGROUP_CPUACCT) != 0) {
		long n_cpus = sysconf(_SC_NPROCESSORS_ONLN);

		ret->n_cpus = n_cpus > 0 ? (uint32_t)n_cpus : 1;
	}
}

/* Else another mount may show more, and the reason is given as all of them have it. */
static bool has_all(const struct cgroup_facts *facts, uint32_t wanted)
{
	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++)
		if ((wanted & 1U << c) != 0 && facts->obstacle[c] != CGROUP_USABLE)
			return false;
	return true;
}

int cgroup_probe(const char *parent, uint32_t wanted, struct cgroup_facts *ret, struct err *err)
{
	_cleanup_free_ char *self = read_whole("/proc/self/cgroup", err);
	_cleanup_free_ char *mounts = NULL;
	char usual[USUAL_MAX_BYTES];

	ret->n_hierarchies = 0;
	if (self == NULL)
		return -EIO;
	if (parent == NULL && wanted != CGROUP_ALL &&
	    cgroup_usual_mounts(self, wanted, sys_mount_at, usual, sizeof(usual))) {
		cgroup_probe_texts(self, usual, parent, wanted, ret);
		if (has_all(ret, wanted))
			return 0;
	}
	mounts = read_whole("/proc/self/mountinfo", err);
	if (mounts == NULL)
		return -EIO;
	cgroup_probe_texts(self, mounts, parent, wanted, ret);
	return 0;
}

const struct cgroup_hierarchy *cgroup_hierarchy_of(const struct cgroup_facts *facts,
						   enum cgroup_controller controller)
{
	for (size_t i = 0; i < facts->n_hierarchies; i++)
		if ((facts->hierarchies[i].present & 1U << controller) != 0)
			return &facts->hierarchies[i];
	return NULL;
}
