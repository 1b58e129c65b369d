/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Builds the list of what the sandbox's tree consists of. Pure: runs in the keeper before any
 * process exists, touches nothing. The tables say what is shown, made, hidden and frozen, each with
 * its reason.
 */
#include "rootfs/tree.h"

#include <errno.h>
#include <linux/mount.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"
#include "rootfs/accounts.h"

enum {
	OPS_MAX = 96, /* of the fixed tables; the spec's mounts come on top */
	RO_ATTRS = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
	EMPTY_ATTRS = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
};

const char *const tree_host_paths[] = {
	/* Programs and libraries. On a merged-/usr system the short ones are links. */
	"/usr",
	"/bin",
	"/sbin",
	"/lib",
	"/lib32",
	"/lib64",
	"/libx32",
	/* The few files of /etc without which programs do not start or cannot check a certificate.
	 */
	"/etc/ld.so.cache",
	"/etc/alternatives",
	"/etc/ssl/certs",
	"/etc/localtime",
	"/etc/nsswitch.conf",
	"/etc/mime.types",
	/* What Debian moved out of /usr and programs end without. All of it is readable by every
	 * user of the host and says which packages are installed, which /usr says already.
	 * `openssl req` and `openssl ca`: their defaults. */
	"/etc/ssl/openssl.cnf",
	/* getservbyname and getprotobyname. */
	"/etc/services",
	"/etc/protocols",
	/* Which distribution it is: a link into /usr. */
	"/etc/os-release",
	/* Whatever renders text: browsers, Java, LaTeX. */
	"/etc/fonts",
	/* The security providers without which Java's cryptography does not start. What a
	 * management password file may hold is readable by its owner alone. */
	"/etc/java-11-openjdk",
	"/etc/java-17-openjdk",
	"/etc/java-21-openjdk",
	"/etc/java-25-openjdk",
	NULL,
};

/* Nodes that every program may expect and that give it nothing of the host's. No kmsg, no mem, no
 * disk, no fuse, no kvm, no tun: those are the policy key `devices`. */
static const struct {
	const char *name;
	const char *host;
	uint32_t major;
	uint32_t minor;
} devices[] = {
	{"/null", "/dev/null", 1, 3},       {"/zero", "/dev/zero", 1, 5},
	{"/full", "/dev/full", 1, 7},       {"/random", "/dev/random", 1, 8},
	{"/urandom", "/dev/urandom", 1, 9}, {"/tty", "/dev/tty", 5, 0},
};

static const struct {
	const char *name;
	const char *to;
} device_links[] = {
	{"/fd", "/proc/self/fd"},       {"/stdin", "/proc/self/fd/0"},
	{"/stdout", "/proc/self/fd/1"}, {"/stderr", "/proc/self/fd/2"},
	{"/ptmx", "pts/ptmx"},
};

/*
 * Kernel paths. Most of these belong to the host's root alone, which the sandbox never maps; the
 * rows are the second lock, for the day when one of them turns out readable. Each row is required
 * where the kernel has the file; a file that the kernel lacks needs no lock.
 */
static const struct {
	const char *name;
	enum tree_kind kind;
	const char *reason;
} kernel_paths[] = {
	{"/acpi", TREE_HIDE_DIR, "firmware tables and wake-up switches of the machine"},
	{"/asound", TREE_HIDE_DIR, "sound cards of the machine"},
	{"/scsi", TREE_HIDE_DIR, "disks of the machine"},
	{"/interrupts", TREE_HIDE_FILE, "timing of the host's devices (keystroke side channel)"},
	{"/kallsyms", TREE_HIDE_FILE, "kernel addresses"},
	{"/kcore", TREE_HIDE_FILE, "the kernel's memory"},
	{"/key-users", TREE_HIDE_FILE, "who on the host holds keys"},
	{"/keys", TREE_HIDE_FILE, "keys of the host's users"},
	{"/kmsg", TREE_HIDE_FILE, "the kernel's log"},
	{"/latency_stats", TREE_HIDE_FILE, "what the host's processes wait for"},
	{"/sched_debug", TREE_HIDE_FILE, "names and pids of the host's processes"},
	{"/timer_list", TREE_HIDE_FILE, "names and pids of the host's processes"},
	{"/bus", TREE_HIDE_DIR, "PCI devices of the machine and their configuration registers"},
	{"/fs", TREE_HIDE_DIR, "the host's file systems and their settings"},
	{"/pressure", TREE_HIDE_DIR, "load of the host; triggers on it can be set by everybody"},
	{"/cmdline", TREE_HIDE_FILE, "secrets and paths that the machine was booted with"},
	{"/diskstats", TREE_HIDE_FILE, "what the host reads and writes, and when"},
	{"/partitions", TREE_HIDE_FILE, "disks of the machine"},
	{"/irq", TREE_READ_ONLY, "routing of interrupts"},
	{"/sys", TREE_READ_ONLY,
	 "kernel settings (CVE-2022-0492 and its kin use core_pattern, modprobe)"},
	{"/sysrq-trigger", TREE_READ_ONLY, "reboots and crashes the host"},
};

struct builder {
	const struct sandbox_spec *spec;
	const struct host_layout *layout;
	struct arena *arena;
	struct tree_op *ops;
	size_t n;
	size_t max;
};

static void add(struct builder *b, struct tree_op op)
{
	if (b->n < b->max)
		b->ops[b->n] = op;
	b->n++; /* counted all the same: tree_build reports an overflow */
}

/* A link is shown as a link where it leads into /usr, which the sandbox sees; else its target is
 * bound. */
static bool leads_into_usr(const char *link)
{
	return (str_has_prefix(link, "usr/") || str_has_prefix(link, "/usr/")) &&
	       strstr(link, "..") == NULL;
}

static void add_host_entries(struct builder *b)
{
	for (size_t i = 0; i < b->layout->n_entries; i++) {
		const struct host_entry *e = &b->layout->entries[i];
		struct tree_op op = {.stage = str_has_prefix(e->path, "/etc/") ? TREE_ETC
									       : TREE_SYSTEM,
				     .target = e->path,
				     .attrs = RO_ATTRS,
				     .reason = "host path of the allow list"};

		if (e->kind == HOST_ABSENT)
			continue;
		if (e->kind == HOST_SYMLINK && leads_into_usr(e->link)) {
			op.kind = TREE_SYMLINK;
			op.text = e->link;
		} else {
			op.kind = TREE_HOST_BIND;
			op.text = e->path;
			op.is_dir = e->kind == HOST_DIRECTORY;
		}
		add(b, op);
	}
}

static const char *home_of(const struct sandbox_spec *spec)
{
	for (size_t i = 0; spec->process.envp[i] != NULL; i++)
		if (str_has_prefix(spec->process.envp[i], "HOME=/") &&
		    strpbrk(spec->process.envp[i], ":\n") == NULL)
			return spec->process.envp[i] + strlen("HOME=");
	return "/";
}

static void add_made_file(struct builder *b, const char *target, const char *text)
{
	/* An arena that is full shows as a list that is too long. */
	if (text == NULL)
		b->n = b->max + 1;
	add(b, (struct tree_op){.stage = TREE_ETC,
				.kind = TREE_FILE,
				.target = target,
				.text = text,
				.mode = 0644,
				.reason = "made by cordon"});
}

static void add_system(struct builder *b)
{
	const struct spec_identity *id = &b->spec->identity;

	if (b->spec->rootfs.kind != ROOTFS_HOST)
		return;
	add_host_entries(b);
	add_made_file(b, "/etc/passwd",
		      accounts_passwd(b->arena, id->uid, id->gid, home_of(b->spec)));
	add_made_file(b, "/etc/group", accounts_group(b->arena, id->gid));
	add_made_file(b, "/etc/hosts", accounts_hosts(b->arena, b->spec->process.hostname));
	add(b, (struct tree_op){.stage = TREE_ETC,
				.kind = TREE_DIR,
				.target = "/tmp",
				.mode = 0755,
				.reason = "where programs start that have no other place"});
}

/* As elsewhere an image's WorkingDir, or -w, is made where it is missing: on the root alone, and
 * where that is written to. */
static void add_start_dir(struct builder *b)
{
	const char *dir = b->spec->process.working_dir;

	if (b->spec->rootfs.kind != ROOTFS_IMAGE || b->spec->rootfs.writable == WRITABLE_NONE ||
	    dir[0] != '/' || dir[1] == '\0')
		return;
	add(b,
	    (struct tree_op){.stage = TREE_VOLUMES,
			     .kind = TREE_START_DIR,
			     .target = dir,
			     .mode = 0755,
			     .reason = "where the program starts: made, if the image has it not"});
}

static void add_devices(struct builder *b)
{
	add(b, (struct tree_op){.stage = TREE_DEV,
				.kind = TREE_TMPFS,
				.target = "/dev",
				.mode = 0755,
				.size_bytes = 64 << 10,
				.inodes = 64,
				.attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
				.reason = "nothing of the host's /dev or of the rootfs's"});
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		add(b, (struct tree_op){.stage = TREE_DEV,
					.kind = TREE_DEVICE,
					.target = devices[i].name,
					.text = devices[i].host,
					.dev_major = devices[i].major,
					.dev_minor = devices[i].minor,
					.attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC});
	for (size_t i = 0; i < sizeof(device_links) / sizeof(device_links[0]); i++)
		add(b, (struct tree_op){.stage = TREE_DEV,
					.kind = TREE_SYMLINK,
					.target = device_links[i].name,
					.text = device_links[i].to});
	add(b, (struct tree_op){.stage = TREE_DEV,
				.kind = TREE_DEVPTS,
				.target = "/pts",
				.mode = 0755,
				.attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
				.reason = "terminals of the sandbox's own"});
	add(b, (struct tree_op){.stage = TREE_DEV,
				.kind = TREE_TMPFS,
				.target = "/shm",
				.mode = 01777,
				.size_bytes = 64 << 20,
				.inodes = 4096,
				.attrs = EMPTY_ATTRS,
				.reason = "POSIX shared memory, as large as Docker's"});
}

static void add_proc(struct builder *b)
{
	add(b, (struct tree_op){.stage = TREE_PROC,
				.kind = TREE_PROC_FS,
				.target = "/proc",
				.attrs = EMPTY_ATTRS,
				.reason = "processes of the sandbox alone"});
	for (size_t i = 0; i < sizeof(kernel_paths) / sizeof(kernel_paths[0]); i++) {
		uint64_t attrs = RO_ATTRS | MOUNT_ATTR_NOEXEC;

		add(b, (struct tree_op){.stage = TREE_KERNEL_PATHS,
					.kind = kernel_paths[i].kind,
					.target = kernel_paths[i].name,
					.attrs = attrs,
					.reason = kernel_paths[i].reason});
	}
}

/* True where the place lies in a host directory that one of the first n mounts shows: there nothing
 * may be made, for it would stay on the host. */
static bool lies_in_host_directory(const struct builder *b, const char *target, size_t n_mounts)
{
	const struct sandbox_spec *spec = b->spec;
	bool in_host = false;

	for (size_t i = 0; spec->rootfs.kind == ROOTFS_HOST && i < b->layout->n_entries; i++)
		if (b->layout->entries[i].kind != HOST_ABSENT &&
		    path_is_below(target, b->layout->entries[i].path))
			in_host = true;
	for (size_t i = 0; i < n_mounts; i++)
		if (path_is_below(target, spec->mounts[i].target))
			in_host = spec->mounts[i].type == MOUNT_BIND;
	return in_host;
}

static void add_volumes(struct builder *b, const struct tree_source *sources)
{
	for (size_t i = 0; i < b->spec->n_mounts; i++) {
		const struct spec_mount *m = &b->spec->mounts[i];
		struct tree_op op = {.stage = TREE_VOLUMES,
				     .target = m->target,
				     .source = i,
				     .size_bytes = m->size_bytes,
				     .inodes = m->inodes,
				     .mode = m->mode,
				     .for_user = true,
				     .must_exist = lies_in_host_directory(b, m->target, i),
				     .attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};

		op.kind = m->type == MOUNT_TMPFS    ? TREE_TMPFS
			  : m->type == MOUNT_VOLUME ? TREE_VOLUME
						    : TREE_SOURCE;
		op.is_dir = m->type == MOUNT_TMPFS || sources[i].is_dir;
		if (m->read_only)
			op.attrs |= MOUNT_ATTR_RDONLY;
		if (m->noexec)
			op.attrs |= MOUNT_ATTR_NOEXEC;
		add(b, op);
	}
}

static void add_secrets(struct builder *b)
{
	const struct sandbox_spec *spec = b->spec;

	for (size_t i = 0; i < spec->n_secrets; i++)
		add(b, (struct tree_op){.stage = TREE_SECRETS,
					.kind = TREE_SECRET,
					.target = spec->secrets[i].target,
					.source = i,
					.mode = 0400,
					.attrs = RO_ATTRS | MOUNT_ATTR_NOEXEC,
					.must_exist =
						lies_in_host_directory(b, spec->secrets[i].target,
								       spec->n_mounts),
					.reason = "from memory, for the program's user alone"});
}

/* ---- protected paths ---- */

/* An entry is at most one mount for itself and one for each directory that leads to it. */
static size_t protect_ops_max(const struct sandbox_spec *spec)
{
	size_t n = 0;

	for (size_t i = 0; i < spec->n_mounts; i++)
		for (size_t k = 0; k < spec->mounts[i].n_protected; k++) {
			const char *p = spec->mounts[i].protected[k].path;

			for (n++; *p != '\0'; p++)
				n += *p == '/';
		}
	return n;
}

static const struct tree_op *find_protected(const struct builder *b, size_t source,
					    const char *below)
{
	for (size_t i = 0; i < b->n && i < b->max; i++)
		if (b->ops[i].stage == TREE_PROTECTED && b->ops[i].source == source &&
		    str_equal(b->ops[i].text, below))
			return &b->ops[i];
	return NULL;
}

static void add_protected_op(struct builder *b, struct tree_op op)
{
	const char *mount = b->spec->mounts[op.source].target;

	op.stage = TREE_PROTECTED;
	op.attrs |= MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	op.target = op.text != NULL ? arena_format(b->arena, "%s/%s", mount, op.text) : NULL;
	if (op.target == NULL) {
		b->n = b->max + 1;
		return;
	}
	/* Two missing paths may have the same first part. */
	if (find_protected(b, op.source, op.text) == NULL)
		add(b, op);
}

/* Whoever can rename a directory can put another in its place: those that lead to a protected path
 * become mount points, which the kernel does not rename. */
static void add_pins(struct builder *b, size_t source, const char *path)
{
	for (const char *p = strchr(path, '/'); p != NULL; p = strchr(p + 1, '/'))
		add_protected_op(b, (struct tree_op){.kind = TREE_PIN,
						     .source = source,
						     .is_dir = true,
						     .text = arena_copy(b->arena, path,
									(size_t)(p - path)),
						     .reason = "leads to a protected path: cannot "
							       "be renamed"});
}

static void add_protected(struct builder *b, size_t source, size_t index,
			  const struct tree_protected *host)
{
	const struct spec_mount *mount = &b->spec->mounts[source];
	bool hides = mount->protected[index].protection == PROTECT_HIDDEN;
	struct tree_op op = {.source = source,
			     .protected = index,
			     .text = host->path,
			     .is_dir = host->place != PLACE_FILE,
			     .attrs = MOUNT_ATTR_RDONLY,
			     .reason = hides ? "hide_below" : "read_only_below"};

	switch (host->place) {
	case PLACE_SAFE:
		op.kind = TREE_AS_IT_IS;
		op.reason = hides ? "hide_below: not there, and nothing is made in what is "
				    "read-only"
				  : "read_only_below: the whole bind is read-only";
		break;
	case PLACE_DIR:
		op.kind = hides ? TREE_HIDE_DIR : TREE_READ_ONLY;
		break;
	case PLACE_FILE:
		op.kind = hides ? TREE_HIDE_FILE : TREE_READ_ONLY;
		break;
	case PLACE_MISSING:
		op.kind = TREE_PLACEHOLDER;
		op.reason = "not there, and cannot be made: an empty directory keeps its place";
		break;
	}
	if (!mount->read_only && host->place != PLACE_SAFE)
		add_pins(b, source, host->path);
	add_protected_op(b, op);
}

int tree_build(const struct sandbox_spec *spec, const struct host_layout *layout,
	       const struct tree_source *sources, struct arena *arena, struct tree *ret_tree,
	       struct err *err)
{
	struct builder b = {.spec = spec,
			    .layout = layout,
			    .arena = arena,
			    .max = OPS_MAX + spec->n_mounts + spec->n_secrets +
				   protect_ops_max(spec)};

	b.ops = arena_array(arena, b.max, sizeof(*b.ops));
	if (b.ops == NULL)
		return err_set(err, ERR_BUG, ENOMEM, "list of mounts");
	add_system(&b);
	add_devices(&b);
	add_proc(&b);
	add_volumes(&b, sources);
	add_start_dir(&b);
	for (size_t i = 0; i < spec->n_mounts; i++)
		for (size_t k = 0; k < spec->mounts[i].n_protected; k++)
			add_protected(&b, i, k, &sources[i].protected[k]);
	add_secrets(&b);
	if (b.n > b.max)
		return err_set(err, ERR_BUG, ENOMEM, "list of mounts");
	*ret_tree = (struct tree){.ops = b.ops, .n_ops = b.n};
	return 0;
}

const char *tree_kind_name(enum tree_kind kind)
{
	switch (kind) {
	case TREE_DIR:
	case TREE_START_DIR:
		return "directory";
	case TREE_SYMLINK:
		return "link";
	case TREE_FILE:
		return "file";
	case TREE_HOST_BIND:
		return "host path";
	case TREE_DEVICE:
		return "device";
	case TREE_TMPFS:
		return "tmpfs";
	case TREE_DEVPTS:
		return "devpts";
	case TREE_PROC_FS:
		return "proc";
	case TREE_HIDE_FILE:
	case TREE_HIDE_DIR:
		return "hidden";
	case TREE_READ_ONLY:
		return "read-only";
	case TREE_SOURCE:
		return "bind";
	case TREE_VOLUME:
		return "volume";
	case TREE_SECRET:
		return "secret";
	case TREE_PIN:
		return "fixed";
	case TREE_PLACEHOLDER:
		return "placeholder";
	case TREE_AS_IT_IS:
		return "as it is";
	}
	return "unknown";
}
