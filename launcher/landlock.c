/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rules of the workload's Landlock domain, as data. Pure; in the keeper.
 *
 * Landlock has no "not below": a rule for a directory holds for all that lies in it, also across
 * mounts, and rules add up. So the root itself is given nothing but the listing of directories,
 * unless it is the rootfs (dir:PATH, image:NAME) or can be written to; what is hidden or protected
 * inside a mount stays the mounts' business.
 */
#include "launcher/landlock.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/path.h"
#include "base/str.h"
#include "launcher/cordon.h"
#include "launcher/preflight.h"

#define RIGHTS_READ (SYS_LANDLOCK_FS_READ_FILE | SYS_LANDLOCK_FS_READ_DIR)
/* Not MAKE_CHAR and MAKE_BLOCK: nobody inside makes a device, not even an overlay's whiteout. */
#define RIGHTS_WRITE                                                                             \
	(SYS_LANDLOCK_FS_WRITE_FILE | SYS_LANDLOCK_FS_REMOVE_DIR | SYS_LANDLOCK_FS_REMOVE_FILE | \
	 SYS_LANDLOCK_FS_MAKE_DIR | SYS_LANDLOCK_FS_MAKE_REG | SYS_LANDLOCK_FS_MAKE_SOCK |       \
	 SYS_LANDLOCK_FS_MAKE_FIFO | SYS_LANDLOCK_FS_MAKE_SYM | SYS_LANDLOCK_FS_REFER |          \
	 SYS_LANDLOCK_FS_TRUNCATE)
#define RIGHTS_EXECUTE SYS_LANDLOCK_FS_EXECUTE

bool landlock_is_wanted(const struct decision *decision)
{
	return decision->spec.landlock.demand != DEMAND_NONE &&
	       decision->facts.landlock_abi >= LANDLOCK_ABI_REFER;
}

bool landlock_is_whole(const struct decision *decision, char *ret, size_t size)
{
	const struct spec_landlock *landlock = &decision->spec.landlock;
	const struct {
		int abi;
		bool is_wanted;
		const char *what;
	} parts[] = {
		{LANDLOCK_ABI_REFER, true, "renames between directories"},
		{LANDLOCK_ABI_TRUNCATE, true, "truncate"},
		{LANDLOCK_ABI_TCP,
		 landlock->connect_tcp.is_limited || landlock->bind_tcp.is_limited, "TCP ports"},
		{LANDLOCK_ABI_IOCTL, true, "ioctl of devices"},
		{LANDLOCK_ABI_SCOPES, true, "signals and abstract sockets"},
	};
	size_t len = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].is_wanted && decision->facts.landlock_abi < parts[i].abi)
			len += str_format(ret + len, size - len, "%s%s", len > 0 ? ", " : "",
					  parts[i].what);
	return len == 0;
}

void landlock_describe(uint64_t access, char *ret, size_t size)
{
	static const struct {
		uint64_t bits;
		const char *name;
	} names[] = {
		{SYS_LANDLOCK_FS_READ_FILE, "read"},   {SYS_LANDLOCK_FS_READ_DIR, "list"},
		{SYS_LANDLOCK_FS_WRITE_FILE, "write"}, {SYS_LANDLOCK_FS_MAKE_REG, "make"},
		{SYS_LANDLOCK_FS_EXECUTE, "execute"},  {SYS_LANDLOCK_FS_IOCTL_DEV, "ioctl"},
	};
	size_t len = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((access & names[i].bits) != 0)
			len += str_format(ret + len, size - len, "%s%s", len > 0 ? ", " : "",
					  names[i].name);
}

static struct sys_landlock_ruleset handled_by(int abi, const struct spec_landlock *landlock)
{
	struct sys_landlock_ruleset handled = {
		.files = RIGHTS_READ | RIGHTS_WRITE | RIGHTS_EXECUTE | SYS_LANDLOCK_FS_MAKE_CHAR |
			 SYS_LANDLOCK_FS_MAKE_BLOCK | SYS_LANDLOCK_FS_IOCTL_DEV};

	if (abi < LANDLOCK_ABI_TRUNCATE)
		handled.files &= ~SYS_LANDLOCK_FS_TRUNCATE;
	if (abi < LANDLOCK_ABI_IOCTL)
		handled.files &= ~SYS_LANDLOCK_FS_IOCTL_DEV;
	if (abi >= LANDLOCK_ABI_TCP && landlock->connect_tcp.is_limited)
		handled.network |= SYS_LANDLOCK_NET_CONNECT_TCP;
	if (abi >= LANDLOCK_ABI_TCP && landlock->bind_tcp.is_limited)
		handled.network |= SYS_LANDLOCK_NET_BIND_TCP;
	if (abi >= LANDLOCK_ABI_SCOPES)
		handled.scoped = SYS_LANDLOCK_SCOPE_ABSTRACT | SYS_LANDLOCK_SCOPE_SIGNAL;
	return handled;
}

/* ---- what the mounts are for ---- */

struct builder {
	struct decision *decision;
	struct misses *misses;
	struct landlock_rule *rules;
	size_t n;
};

static void add(struct builder *b, const char *path, uint64_t access)
{
	for (size_t i = 0; i < b->n; i++)
		if (str_equal(b->rules[i].path, path)) {
			b->rules[i].access |= access;
			return;
		}
	b->rules[b->n++] = (struct landlock_rule){.path = path, .access = access};
}

static uint64_t rights_of_mount(const struct tree_op *op)
{
	uint64_t rights = RIGHTS_READ;

	if ((op->attrs & MOUNT_ATTR_RDONLY) == 0)
		rights |= RIGHTS_WRITE;
	if ((op->attrs & MOUNT_ATTR_NOEXEC) == 0)
		rights |= RIGHTS_EXECUTE;
	return rights;
}

static void add_root(struct builder *b)
{
	const struct spec_rootfs *rootfs = &b->decision->spec.rootfs;
	uint64_t rights = SYS_LANDLOCK_FS_READ_DIR;

	if (rootfs->kind == ROOTFS_DIR || rootfs->kind == ROOTFS_IMAGE ||
	    rootfs->writable != WRITABLE_NONE)
		rights |= RIGHTS_READ | RIGHTS_EXECUTE;
	if (rootfs->writable != WRITABLE_NONE)
		rights |= RIGHTS_WRITE;
	add(b, "/", rights);
}

/* Targets of this stage are below /dev, where it is not /dev itself. */
static int add_device_op(struct builder *b, const struct tree_op *op)
{
	const char *path;

	if (op->kind != TREE_TMPFS)
		return 0;
	if (str_equal(op->target, "/dev")) {
		add(b, "/dev",
		    RIGHTS_READ | SYS_LANDLOCK_FS_WRITE_FILE | SYS_LANDLOCK_FS_IOCTL_DEV);
		return 0;
	}
	path = arena_format(&b->decision->arena, "/dev%s", op->target);
	if (path == NULL)
		return -ENOMEM;
	add(b, path, rights_of_mount(op));
	return 0;
}

static int add_op(struct builder *b, const struct tree_op *op)
{
	switch (op->stage) {
	case TREE_SYSTEM:
		if (op->kind == TREE_HOST_BIND)
			add(b, op->target, RIGHTS_READ | RIGHTS_EXECUTE);
		break;
	case TREE_ETC:
		/* One rule for all that was put there. */
		if (str_has_prefix(op->target, "/etc/"))
			add(b, "/etc", RIGHTS_READ);
		break;
	case TREE_DEV:
		return add_device_op(b, op);
	case TREE_PROC:
		add(b, op->target, RIGHTS_READ);
		break;
	case TREE_VOLUMES:
		add(b, op->target, rights_of_mount(op));
		break;
	case TREE_SECRETS:
		add(b, op->target, SYS_LANDLOCK_FS_READ_FILE);
		break;
	case TREE_KERNEL_PATHS:
	case TREE_PROTECTED:
		break;
	}
	return 0;
}

/* ---- lists ---- */

static uint64_t rights_of(enum spec_path_right right, const char **ret_name)
{
	switch (right) {
	case PATH_READ:
		*ret_name = "read";
		return RIGHTS_READ;
	case PATH_WRITE:
		*ret_name = "write";
		return RIGHTS_WRITE;
	case PATH_EXECUTE:
		*ret_name = "execute";
		return RIGHTS_EXECUTE;
	}
	*ret_name = "";
	return 0;
}

static bool is_in_list(const struct spec_path_list *list, const char *path)
{
	for (size_t i = 0; i < list->n_paths; i++)
		if (path_is_below(path, list->paths[i]))
			return true;
	return false;
}

/* What rules that hold at the path give it, and whether any gives as much below it. */
static uint64_t given_at(const struct builder *b, const char *path, uint64_t rights,
			 bool *ret_is_below)
{
	uint64_t given = 0;

	*ret_is_below = false;
	for (size_t i = 0; i < b->n; i++) {
		if (path_is_below(path, b->rules[i].path))
			given |= b->rules[i].access & rights;
		else if (path_is_below(b->rules[i].path, path) &&
			 (b->rules[i].access & rights) != 0)
			*ret_is_below = true;
	}
	return given;
}

static void report_nothing_there(struct builder *b, const struct spec_path_list *list,
				 const char *name, const char *path)
{
	char key[64];
	struct miss *m;

	str_format(key, sizeof(key), "landlock.%s", name);
	m = preflight_miss(b->misses, key, list->origin);
	str_format(m->text, sizeof(m->text), "%s: %s cannot be %s in the first place", key, path,
		   list->right == PATH_READ    ? "read"
		   : list->right == PATH_WRITE ? "written"
					       : "executed");
	str_format(m->hint, sizeof(m->hint),
		   "A list only takes away from what the mounts and the parent's lists give. Leave "
		   "%s out, or mount something there; for a link name what it leads to.",
		   path);
}

/* The keeper holds each of them open for `cordon exec` (landlock_places.c). */
static void report_too_many(struct builder *b, size_t n)
{
	struct miss *m = preflight_miss(b->misses, "landlock", b->decision->spec.landlock.origin);

	str_format(m->text, sizeof(m->text),
		   "landlock: %zu rules are more than the %d that a sandbox that is kept can have",
		   n, LANDLOCK_PLACES_MAX);
	str_format(m->hint, sizeof(m->hint),
		   "Name directories that hold the files of its lists, or mount fewer places.");
}

/* Leaves the list's right where both the rules and the list have it. */
static void tighten(struct builder *b, const struct spec_path_list *list)
{
	const char *name;
	uint64_t rights = rights_of(list->right, &name);
	size_t n_before = b->n;

	/* At the list's own places first, while the rules above them still have it. */
	for (size_t i = 0; i < list->n_paths; i++) {
		size_t n = b->n;
		bool is_below;
		uint64_t given;

		b->n = n_before;
		given = given_at(b, list->paths[i], rights, &is_below);
		b->n = n;
		if (given == 0 && !is_below)
			report_nothing_there(b, list, name, list->paths[i]);
		if (given != 0)
			add(b, list->paths[i], given);
	}
	for (size_t i = 0; i < b->n; i++)
		if (!is_in_list(list, b->rules[i].path))
			b->rules[i].access &= ~rights;
}

int landlock_build(struct decision *decision, struct misses *misses, struct err *err)
{
	const struct spec_landlock *landlock = &decision->spec.landlock;
	struct builder b = {.decision = decision, .misses = misses};
	size_t max = decision->tree.n_ops + 2;
	size_t kept = 0;
	int r = 0;

	for (size_t i = 0; i < landlock->n_lists; i++)
		max += landlock->lists[i].n_paths;
	b.rules = arena_array(&decision->arena, max, sizeof(*b.rules));
	if (b.rules == NULL)
		return err_set(err, ERR_BUG, ENOMEM, "Landlock rules");
	add_root(&b);
	for (size_t i = 0; r == 0 && i < decision->tree.n_ops; i++)
		r = add_op(&b, &decision->tree.ops[i]);
	if (r < 0)
		return err_set(err, ERR_BUG, -r, "Landlock rules");
	for (size_t i = 0; i < landlock->n_lists; i++)
		tighten(&b, &landlock->lists[i]);
	decision->landlock.handled = handled_by(decision->facts.landlock_abi, landlock);
	/* A rule without rights is none: the kernel refuses it (ENOMSG). */
	for (size_t i = 0; i < b.n; i++) {
		b.rules[i].access &= decision->landlock.handled.files;
		if (b.rules[i].access != 0)
			b.rules[kept++] = b.rules[i];
	}
	if (decision->is_kept && kept > LANDLOCK_PLACES_MAX)
		report_too_many(&b, kept);
	decision->landlock.list = b.rules;
	decision->landlock.n = kept;
	return 0;
}
