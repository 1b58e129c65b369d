/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a worker gives up before it reads the first byte; see worker.h. Each part is read back where
 * the kernel lets it, and a part that cannot be had is an error: nothing is unpacked with less.
 *
 * Sources: landlock(7), seccomp(2), capabilities(7).
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "libexec/image/worker.h"
#include "storage/store.h"

enum { LANDLOCK_LEAST = 2, NOFILE = 600, MEMORY_MAX = 1 << 30 };

#define CAP(name) (1ULL << CAP_##name)

/* ---- Landlock ---- */

#define ALL_OF_2 ((1ULL << 14) - 1)

static const uint64_t unpack_rights =
	SYS_LANDLOCK_FS_WRITE_FILE | SYS_LANDLOCK_FS_READ_DIR | SYS_LANDLOCK_FS_REMOVE_FILE |
	SYS_LANDLOCK_FS_MAKE_CHAR | SYS_LANDLOCK_FS_MAKE_DIR | SYS_LANDLOCK_FS_MAKE_REG |
	SYS_LANDLOCK_FS_MAKE_FIFO | SYS_LANDLOCK_FS_MAKE_SYM | SYS_LANDLOCK_FS_REFER;
static const uint64_t pack_rights = SYS_LANDLOCK_FS_READ_FILE | SYS_LANDLOCK_FS_READ_DIR;

/* Nothing of the host's can be opened any more. */
static int check_landlock(struct err *err)
{
	int fd = sys_openat(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd == -EACCES)
		return 0;
	if (fd >= 0)
		close(fd);
	return err_set(err, ERR_SETUP, 0, "Landlock was set, and does not hold");
}

static int refuse_landlock(int code, struct err *err)
{
	err_set(err, ERR_SETUP, code, "Landlock, without which no archive is unpacked");
	return err_hint(err, "Boot a kernel of 6.1 or later with landlock in lsm=; `cordon doctor` "
			     "says more.");
}

static bool is_directory(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

static int confine_files(enum confine_kind kind, int dir_fd, struct err *err)
{
	int version = sys_landlock_create_ruleset(NULL, 0, SYS_LANDLOCK_VERSION);
	struct sys_landlock_ruleset ruleset = {.files = ALL_OF_2};
	struct sys_landlock_path_beneath rule = {
		.access = confine_unpacks(kind) ? unpack_rights : pack_rights,
		.parent_fd = dir_fd,
	};
	_cleanup_fd_ int fd = -EBADF;
	/* A file that is open already needs no rule, nor does a link that is read. */
	bool has_dir = kind != CONFINE_PURE && is_directory(dir_fd);
	int r;

	if (version < LANDLOCK_LEAST)
		return refuse_landlock(version < 0 ? -version : 0, err);
	ruleset.files |= version >= 3 ? SYS_LANDLOCK_FS_TRUNCATE : 0;
	ruleset.files |= version >= 5 ? SYS_LANDLOCK_FS_IOCTL_DEV : 0;
	ruleset.network =
		version >= 4 ? SYS_LANDLOCK_NET_BIND_TCP | SYS_LANDLOCK_NET_CONNECT_TCP : 0;
	ruleset.scoped = version >= 6 ? SYS_LANDLOCK_SCOPE_ABSTRACT | SYS_LANDLOCK_SCOPE_SIGNAL : 0;
	fd = sys_landlock_create_ruleset(&ruleset, sizeof(ruleset), 0);
	if (fd < 0)
		return refuse_landlock(-fd, err);
	if (confine_unpacks(kind) && version >= 3)
		rule.access |= SYS_LANDLOCK_FS_TRUNCATE;
	r = has_dir ? sys_landlock_add_rule(fd, SYS_LANDLOCK_RULE_PATH_BENEATH, &rule) : 0;
	if (r == 0)
		r = sys_landlock_restrict_self(fd, 0);
	return r < 0 ? refuse_landlock(-r, err) : check_landlock(err);
}

/* Landlock knows no right to change owners, which root's unpacker has by its capability (cp -a): to
 * it there is no other path than those below its directory. */
static int confine_paths(enum confine_kind kind, int dir_fd, bool is_root, struct err *err)
{
	if (kind != CONFINE_UNPACK_CALLER || !is_root)
		return 0;
	return fchdir(dir_fd) != 0 || chroot(".") != 0
		       ? err_set(err, ERR_SETUP, errno, "the root directory of a worker")
		       : 0;
}

/* ---- capabilities ---- */

/* Of the worker's own user namespace for the unpacker, of the sandbox's for those inside, of the
 * host's for the others. */
static uint64_t wanted_caps(enum confine_kind kind, bool is_root)
{
	static const uint64_t unpacks = CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(FOWNER);

	switch (kind) {
	case CONFINE_PURE:
		return 0;
	case CONFINE_UNPACK:
		return is_root ? unpacks | CAP(FSETID) : 0;
	case CONFINE_PACK:
		return is_root ? CAP(DAC_READ_SEARCH) : 0;
	case CONFINE_UNPACK_INSIDE:
		return unpacks;
	case CONFINE_PACK_INSIDE:
		return CAP(DAC_READ_SEARCH);
	case CONFINE_UNPACK_CALLER:
		return is_root ? CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(FOWNER) : 0;
	}
	return 0;
}

static int confine_caps(enum confine_kind kind, bool is_root, struct err *err)
{
	uint64_t wanted = wanted_caps(kind, is_root);
	struct sys_caps caps = {.effective = wanted, .permitted = wanted}, now = {0};
	const gid_t last = STORE_FOREIGN_FIRST + STORE_FOREIGN_COUNT - 2;
	int r = 0;

	/* Ids that nobody has: a process of root's could be signalled by none, and could signal. */
	if (kind == CONFINE_PURE && is_root &&
	    (setgroups(0, NULL) != 0 || setresgid(last, last, last) != 0 ||
	     setresuid(last, last, last) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0))
		return err_set(err, ERR_SETUP, errno, "ids of a worker");
	r = sys_capset(&caps);
	if (r == 0)
		r = sys_capget(&now);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "capabilities of a worker");
	if (now.effective != wanted || now.permitted != wanted || now.inheritable != 0)
		return err_set(err, ERR_SETUP, 0, "capabilities of a worker: not given up");
	return 0;
}

/* ---- seccomp ---- */

static const int common_calls[] = {
	SCMP_SYS(read),         SCMP_SYS(write),           SCMP_SYS(readv),
	SCMP_SYS(writev),       SCMP_SYS(lseek),           SCMP_SYS(close),
	SCMP_SYS(fstat),        SCMP_SYS(newfstatat),      SCMP_SYS(brk),
	SCMP_SYS(munmap),       SCMP_SYS(mremap),          SCMP_SYS(madvise),
	SCMP_SYS(exit),         SCMP_SYS(exit_group),      SCMP_SYS(rt_sigreturn),
	SCMP_SYS(futex),        SCMP_SYS(getrandom),       SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday), SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(uname),        SCMP_SYS(sysinfo), /* qsort of glibc */
#ifdef __SANITIZE_ADDRESS__
	SCMP_SYS(sigaltstack), /* before it ends */
#endif
};
static const int unpack_calls[] = {
	SCMP_SYS(openat),    SCMP_SYS(openat2),   SCMP_SYS(mkdirat),   SCMP_SYS(mknodat),
	SCMP_SYS(symlinkat), SCMP_SYS(linkat),    SCMP_SYS(unlinkat),  SCMP_SYS(fchown),
	SCMP_SYS(fchownat),  SCMP_SYS(fchmod),    SCMP_SYS(utimensat), SCMP_SYS(fsetxattr),
	SCMP_SYS(pwrite64),  SCMP_SYS(ftruncate), SCMP_SYS(fcntl),
};
static const int pack_calls[] = {
	SCMP_SYS(openat),    SCMP_SYS(openat2), SCMP_SYS(getdents64), SCMP_SYS(readlinkat),
	SCMP_SYS(geteuid),   SCMP_SYS(getegid), SCMP_SYS(pread64),    SCMP_SYS(flistxattr),
	SCMP_SYS(fgetxattr), SCMP_SYS(fcntl),   SCMP_SYS(fstatfs),    SCMP_SYS(statx),
};

static int allow(scmp_filter_ctx filter, const int *calls, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	return r;
}

#define ALLOW(filter, calls) allow(filter, calls, sizeof(calls) / sizeof((calls)[0]))

/* Memory, but none that can be executed. */
static int allow_memory(scmp_filter_ctx filter)
{
	int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

	return r < 0 ? r
		     : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
					SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

static int confine_calls(enum confine_kind kind, struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r = filter == NULL ? -ENOMEM : ALLOW(filter, common_calls);

	if (r == 0)
		r = allow_memory(filter);
	if (r == 0 && confine_unpacks(kind))
		r = ALLOW(filter, unpack_calls);
	if (r == 0 && confine_packs(kind))
		r = ALLOW(filter, pack_calls);
	if (r == 0)
		r = seccomp_load(filter);
	if (filter != NULL)
		seccomp_release(filter);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "the filter of a worker") : 0;
}

/* ---- all ---- */

static int confine_resources(struct err *err)
{
	const struct {
		__rlimit_resource_t what;
		rlim_t value;
	} limits[] = {
		/* 1 keeps a core handler away as well: core(5). */
		{RLIMIT_CORE, 1},
		{RLIMIT_NOFILE, NOFILE},
#ifndef __SANITIZE_ADDRESS__
		{RLIMIT_DATA, MEMORY_MAX},
#endif
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit now;

		if (getrlimit(limits[i].what, &now) != 0)
			return err_set(err, ERR_SETUP, errno, "limits of a worker");
		if (now.rlim_max > limits[i].value)
			now.rlim_max = limits[i].value;
		now.rlim_cur = now.rlim_max;
		if (setrlimit(limits[i].what, &now) != 0)
			return err_set(err, ERR_SETUP, errno, "limits of a worker");
	}
	return 0;
}

int confine(enum confine_kind kind, int dir_fd, bool is_root, struct err *err)
{
	int r = confine_resources(err);

	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		r = err_set(err, ERR_SETUP, errno, "no_new_privs of a worker");
	if (r == 0)
		r = confine_files(kind, dir_fd, err);
	if (r == 0)
		r = confine_paths(kind, dir_fd, is_root, err);
	if (r == 0)
		r = confine_caps(kind, is_root, err);
	return r == 0 ? confine_calls(kind, err) : r;
}
