/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Probes the host by reading; changes nothing. Runs in the keeper, with the caller's privileges. */
#include "launcher/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/identity.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* kernel 6.3 */
#endif

const char *const facts_namespace_names[FACTS_NAMESPACES] = {"user", "mnt", "pid",    "net",
							     "ipc",  "uts", "cgroup", "time"};

int facts_guard_stdio(bool ret_closed[3])
{
	for (int fd = 0; fd < 3; fd++) {
		int opened;

		ret_closed[fd] = fcntl(fd, F_GETFD) < 0;
		if (!ret_closed[fd])
			continue;
		/* The lowest free number is fd itself, for those below are taken. O_PATH: it cannot
		 * be read or written, so a slip of ours stays an error. */
		opened = sys_openat(AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0);
		if (opened != fd)
			return opened < 0 ? opened : -EBADF;
	}
	return 0;
}

static void probe_kernel(struct host_facts *facts)
{
	struct utsname name;
	const char *p;

	if (uname(&name) != 0)
		return;
	p = name.release;
	for (; *p >= '0' && *p <= '9'; p++)
		facts->kernel_major = facts->kernel_major * 10 + (uint32_t)(*p - '0');
	if (*p++ != '.')
		return;
	for (; *p >= '0' && *p <= '9'; p++)
		facts->kernel_minor = facts->kernel_minor * 10 + (uint32_t)(*p - '0');
}

/* Reads a sysctl with one number; absent where the file is not there. */
static bool read_number(const char *path, uint64_t *ret)
{
	char text[64];

	if (io_read_text(AT_FDCWD, path, text, sizeof(text)) < 0)
		return false;
	io_chomp(text);
	return parse_u64(text, ret) == 0;
}

/* AppArmor says EACCES (apparmor_userns_create, Linux 6.7); other reasons are told apart elsewhere.
 */
static bool refuses_userns(void)
{
	struct sys_clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
	pid_t pid = sys_clone3(&args);
	siginfo_t info;

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		ignore_result(sys_waitid(P_PID, (id_t)pid, &info, WEXITED | __WALL, NULL),
			      "where SIGCHLD is ignored it is gone");
	return pid == -EACCES;
}

static enum userns_state probe_userns(const struct host_facts *facts)
{
	bool is_privileged = facts_has_cap(facts, CAP_SYS_ADMIN);
	uint64_t value;

	if (!facts->namespaces[0])
		return USERNS_NO_KERNEL;
	if (read_number("/proc/sys/user/max_user_namespaces", &value) && value == 0)
		return USERNS_MAX_ZERO;
	/* The two switches that distributions add for users without privileges. */
	if (!is_privileged && read_number("/proc/sys/kernel/unprivileged_userns_clone", &value) &&
	    value == 0)
		return USERNS_CLONE_SYSCTL;
	/* A program with a profile, such as profiles/apparmor/cordon, is judged by that. */
	if (!is_privileged &&
	    read_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", &value) &&
	    value == 1 && !apparmor_has_label())
		return USERNS_APPARMOR;
	/* Which rules a profile has cannot be read: it is tried, where there is one. */
	if (apparmor_is_confined() && refuses_userns())
		return USERNS_APPARMOR_PROFILE;
	return USERNS_OK;
}

static bool file_has_word(const char *path, const char *word)
{
	char text[4096];

	return io_read_text(AT_FDCWD, path, text, sizeof(text)) >= 0 && strstr(text, word) != NULL;
}

static void probe_namespaces(struct host_facts *facts)
{
	_cleanup_fd_ int dir = sys_openat(AT_FDCWD, "/proc/self/ns", O_PATH | O_CLOEXEC, 0);

	for (size_t i = 0; i < FACTS_NAMESPACES; i++) {
		ssize_t n = readlinkat(dir, facts_namespace_names[i], facts->own_namespaces[i],
				       FACTS_LINK_MAX - 1);

		facts->namespaces[i] = n > 0;
		facts->own_namespaces[i][n > 0 ? n : 0] = '\0';
	}
	/* It has a fixed inode number, PROC_USER_INIT_INO of the kernel's linux/proc_ns.h. */
	facts->in_initial_userns = str_equal(facts->own_namespaces[0], "user:[4026531837]");
}

/* Namespaces, pidfds, epoll sets and files of /proc and the like are handles on the kernel, not
 * input or output. */
static bool is_kernel_object(int fd, const struct stat *st)
{
	static const unsigned long magics[] = {PROC_SUPER_MAGIC, SYSFS_MAGIC, NSFS_MAGIC,
					       CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC};
	struct statfs fs;

	if ((st->st_mode & S_IFMT) == 0 || fstatfs(fd, &fs) != 0)
		return true;
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if ((unsigned long)fs.f_type == magics[i])
			return true;
	return false;
}

static enum fd_state probe_fd(int fd, bool was_closed)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	if (was_closed || flags < 0)
		return FD_CLOSED;
	if (flags & O_PATH)
		return FD_PATH_ONLY;
	if (fstat(fd, &st) != 0 || is_kernel_object(fd, &st))
		return FD_KERNEL_OBJECT;
	return S_ISDIR(st.st_mode) ? FD_DIRECTORY : FD_USABLE;
}

static bool is_input_file(int fd)
{
	struct stat st;

	return (fcntl(fd, F_GETFL) & (O_ACCMODE | O_PATH)) == O_RDONLY && fstat(fd, &st) == 0 &&
	       S_ISREG(st.st_mode) && st.st_nlink > 0;
}

static bool is_anonymous_pipe(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == PIPEFS_MAGIC;
}

/* By TIOCGDEV, for /dev/tty is another name of the same terminal. */
static bool is_terminal(int fd, uint32_t *ret_device)
{
	unsigned device = 0;

	if (isatty(fd) != 1)
		return false;
	*ret_device = ioctl(fd, TIOCGDEV, &device) == 0 ? device : 0;
	return true;
}

void facts_probe_passed(struct host_facts *facts, const int *fds, size_t n)
{
	for (size_t i = 0; i < n && i < SPEC_FDS_MAX; i++) {
		enum fd_state state = probe_fd(fds[i], false);

		if (state == FD_USABLE && isatty(fds[i]))
			state = FD_TERMINAL;
		facts->passed[i] = fds[i];
		facts->n_passed = i + 1;
		facts->stdio[3 + i] = state;
		facts->stdio_is_pipe[3 + i] = state == FD_USABLE && is_anonymous_pipe(fds[i]);
		facts->stdio_is_input_file[3 + i] = state == FD_USABLE && is_input_file(fds[i]);
	}
}

size_t facts_n_fds(const struct host_facts *facts)
{
	return 3 + facts->n_passed;
}

int facts_fd(const struct host_facts *facts, size_t i)
{
	return i < 3 ? (int)i : facts->passed[i - 3];
}

static void probe_layout(struct host_layout *layout)
{
	for (size_t i = 0; i < HOST_ENTRIES_MAX && tree_host_paths[i] != NULL; i++) {
		struct host_entry *e = &layout->entries[layout->n_entries++];
		struct stat st;

		e->path = tree_host_paths[i];
		e->kind = HOST_ABSENT;
		if (lstat(e->path, &st) != 0)
			continue;
		if (S_ISDIR(st.st_mode))
			e->kind = HOST_DIRECTORY;
		else if (S_ISREG(st.st_mode))
			e->kind = HOST_FILE;
		else if (S_ISLNK(st.st_mode)) {
			ssize_t n = readlink(e->path, e->link, sizeof(e->link) - 1);

			/* A link that is too long, or that leads nowhere, is shown as what it leads
			 * to, or not at all. */
			e->link[n > 0 ? n : 0] = '\0';
			e->kind = access(e->path, F_OK) == 0 ? HOST_SYMLINK : HOST_ABSENT;
		}
	}
}

static void probe_limits(struct host_facts *facts)
{
	for (int i = 0; i < FACTS_RLIMITS; i++) {
		struct rlimit limit;

		facts->rlimit_hard[i] = 0;
		if (getrlimit((__rlimit_resource_t)i, &limit) == 0)
			facts->rlimit_hard[i] =
				limit.rlim_max == RLIM_INFINITY ? SPEC_UNLIMITED : limit.rlim_max;
	}
}

/* Tried, since that is what a workload of the same user could: ETXTBSY says no, or the file's mode.
 */
static bool can_write_own_program(void)
{
	_cleanup_fd_ int fd =
		sys_openat(AT_FDCWD, "/proc/self/exe", O_WRONLY | O_CLOEXEC | O_NOCTTY, 0);

	return fd >= 0;
}

int facts_probe(const bool fds_closed[3], struct host_facts *ret, struct err *err)
{
	struct sys_caps caps;
	int n;
	int r = sys_capget(&caps);

	*ret = (struct host_facts){.euid = geteuid(), .egid = getegid()};
	if (r < 0)
		return err_set(err, ERR_PREFLIGHT, -r, "read own capabilities");
	ret->caps_effective = caps.effective;
	n = getgroups(FACTS_GROUPS_MAX, ret->groups);
	ret->n_groups = n > 0 ? (size_t)n : 0;
	ret->has_more_groups = n < 0;
	probe_kernel(ret);
	probe_namespaces(ret);
	ret->userns = probe_userns(ret);
	ret->seccomp_filter = prctl(PR_GET_SECCOMP) >= 0;
	/* KEYCTL_GET_KEYRING_ID of the thread keyring, not created: ENOSYS without CONFIG_KEYS. */
	ret->keyrings = sys_keyctl(0, (unsigned long)-1, 0, 0, 0) != -ENOSYS;
	for (int fd = 0; fd < 3; fd++) {
		ret->stdio[fd] = probe_fd(fd, fds_closed[fd]);
		ret->stdio_is_pipe[fd] = is_anonymous_pipe(fd);
		ret->stdio_is_input_file[fd] = ret->stdio[fd] == FD_USABLE && is_input_file(fd);
		ret->stdio_is_terminal[fd] =
			ret->stdio[fd] == FD_USABLE && is_terminal(fd, &ret->stdio_terminal[fd]);
	}
	/* As root what runs inside is nobody's user on the host. */
	ret->program_is_writable = ret->euid != 0 && can_write_own_program();
	probe_limits(ret);
	probe_layout(&ret->layout);
	return identity_read_own_maps(&ret->maps_all_ids, ret->euid, &ret->host_euid, err);
}

bool facts_core_is_piped(void)
{
	char text[256];

	return io_read_text(AT_FDCWD, "/proc/sys/kernel/core_pattern", text, sizeof(text)) > 0 &&
	       text[0] == '|';
}

bool facts_has_overlay(void)
{
	return file_has_word("/proc/filesystems", "\toverlay\n");
}

/* A memfd is a file of the same file system: mm/shmem.c. */
bool facts_has_tmpfs_attributes(void)
{
	_cleanup_fd_ int fd = sys_memfd_create("attributes", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (fd == -EINVAL) /* before 6.3 there is no such flag */
		fd = sys_memfd_create("attributes", MFD_CLOEXEC);
	return fd >= 0 && fsetxattr(fd, "user.cordon", "y", 1, 0) == 0;
}

bool facts_can_raise_limits(const struct host_facts *facts)
{
	return facts->in_initial_userns && facts_has_cap(facts, CAP_SYS_RESOURCE);
}

int facts_landlock_abi(void)
{
	return sys_landlock_create_ruleset(NULL, 0, SYS_LANDLOCK_VERSION);
}

bool facts_has_cap(const struct host_facts *facts, int capability)
{
	return (facts->caps_effective >> capability & 1) != 0;
}

bool facts_can_map_block(const struct host_facts *facts)
{
	static const int needed[] = {
		CAP_SETUID,     /* maps of ids that are not one's own */
		CAP_SETGID,     /* likewise */
		CAP_SYS_ADMIN,  /* idmapped mounts of what is bound */
		CAP_SYS_PTRACE, /* reading back the namespaces of a process with other ids */
		CAP_KILL,       /* signals to it */
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!facts_has_cap(facts, needed[i]))
			return false;
	return facts->euid == 0 && facts->maps_all_ids;
}
