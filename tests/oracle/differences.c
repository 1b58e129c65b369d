/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The list; see differences.h. compare.c fails for a difference that is not here, and for a line
 * that is none. */
#include "tests/oracle/differences.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define ALLOW        SECCOMP_RET_ALLOW
#define KILL_PROCESS SECCOMP_RET_KILL_PROCESS
#define KILL_THREAD  SECCOMP_RET_KILL_THREAD
#define ERRNO(e)     (SECCOMP_RET_ERRNO | (e))
/* Without its upper half, which libseccomp compares and the kernel does not read. */
#define LOW(data, i)  ((uint32_t)(data)->args[i])
#define HIGH(data, i) ((data)->args[i] >> 32)

enum { MODE_SETID = S_ISUID | S_ISGID, FOR_FEW = FOR_READ_ONLY | FOR_WRITABLE };

static bool is_refused_family(const struct seccomp_data *data)
{
	return HIGH(data, 0) != 0 && (LOW(data, 0) == AF_ALG || LOW(data, 0) == AF_VSOCK);
}

static bool is_permitted_persona(const struct seccomp_data *data)
{
	uint32_t persona = LOW(data, 0);

	return HIGH(data, 0) != 0 && (persona == UINT32_MAX || (persona & ~0x20008U) == 0);
}

static bool sets_id_at_1(const struct seccomp_data *data)
{
	return (data->args[1] & MODE_SETID) != 0;
}

static bool sets_id_at_2(const struct seccomp_data *data)
{
	return (data->args[2] & MODE_SETID) != 0;
}

static bool makes_file(uint64_t flags)
{
	enum { CREAT = 0100, TMPFILE = 020000000 };

	return (flags & (CREAT | TMPFILE)) != 0;
}

static bool open_sets_id(const struct seccomp_data *data)
{
	return makes_file(data->args[1]) && (data->args[2] & MODE_SETID) != 0;
}

static bool openat_sets_id(const struct seccomp_data *data)
{
	return makes_file(data->args[2]) && (data->args[3] & MODE_SETID) != 0;
}

#define NUMBERS(space, first, last, theirs, ours, why)                            \
	{                                                                         \
		FOR_ALL, space, NULL, first, last, NULL, theirs, ours, false, why \
	}
#define CALL(call, when, theirs, ours, why)                                       \
	{                                                                         \
		FOR_ALL, SPACE_X86_64, call, 0, 0, when, theirs, ours, false, why \
	}
#define NEW(policies, call, theirs, ours, why)                                    \
	{                                                                         \
		policies, SPACE_X86_64, call, 0, 0, NULL, theirs, ours, true, why \
	}
#define SETID(call, when, ours)                                                         \
	{                                                                               \
		FOR_WRITABLE, SPACE_X86_64, call, 0, 0, when, ALLOW, ours, false, setid \
	}

static const char native[] = "seccomp.architectures is [native]; archMap adds nothing to it";
static const char unknown[] = "the number of no call: seccomp.unknown, where runc knows later ones";
static const char listed[] = "the file permits it; this libseccomp has no number for it";
static const char refused[] = "the file does not list it; runc takes it for newer than the file";
static const char width[] = "the kernel reads 32 bits, libseccomp compares 64";
static const char setid[] = "setuid and setgid bits, where writes stay on the host";

const struct difference differences[] = {
	NUMBERS(SPACE_I386, 0, UINT32_MAX, ANY_VERDICT, KILL_PROCESS, native),
	NUMBERS(SPACE_X32, 0, UINT32_MAX, ANY_VERDICT, KILL_PROCESS, native),
	NUMBERS(SPACE_OTHER, 0, UINT32_MAX, KILL_THREAD, KILL_PROCESS,
		"neither permits it; the whole process ends, not one thread"),
	NUMBERS(SPACE_X86_64, 337, 423, ERRNO(EPERM), ERRNO(ENOSYS), unknown),
	CALL("socket", is_refused_family, ALLOW, ERRNO(EPERM), width),
	CALL("personality", is_permitted_persona, ERRNO(EPERM), ALLOW, width),
	NEW(FOR_ALL, "uretprobe", ERRNO(EPERM), ALLOW, listed),
	NEW(FOR_ALL, "statmount", ERRNO(ENOSYS), ALLOW, listed),
	NEW(FOR_ALL, "listmount", ERRNO(ENOSYS), ALLOW, listed),
	NEW(FOR_FEW, "lsm_get_self_attr", ERRNO(ENOSYS), ERRNO(EPERM), refused),
	NEW(FOR_SYS_ADMIN, "lsm_get_self_attr", ERRNO(ENOSYS), ALLOW, listed),
	NEW(FOR_FEW, "lsm_set_self_attr", ERRNO(ENOSYS), ERRNO(EPERM), refused),
	NEW(FOR_SYS_ADMIN, "lsm_set_self_attr", ERRNO(ENOSYS), ALLOW, listed),
	NEW(FOR_FEW, "lsm_list_modules", ERRNO(ENOSYS), ERRNO(EPERM), refused),
	NEW(FOR_SYS_ADMIN, "lsm_list_modules", ERRNO(ENOSYS), ALLOW, listed),
	NEW(FOR_ALL, "mseal", ERRNO(ENOSYS), ALLOW, listed),
	NEW(FOR_ALL, "setxattrat", ERRNO(ENOSYS), ALLOW, listed),
	NEW(FOR_ALL, "getxattrat", ERRNO(ENOSYS), ALLOW, listed),
	NEW(FOR_ALL, "listxattrat", ERRNO(ENOSYS), ALLOW, listed),
	NEW(FOR_ALL, "removexattrat", ERRNO(ENOSYS), ALLOW, listed),
	NEW(FOR_ALL, "open_tree_attr", ERRNO(ENOSYS), ERRNO(EPERM), refused),
	NEW(FOR_ALL, "file_getattr", ERRNO(ENOSYS), ERRNO(EPERM), refused),
	NEW(FOR_ALL, "file_setattr", ERRNO(ENOSYS), ERRNO(EPERM), refused),
	SETID("chmod", sets_id_at_1, ERRNO(EPERM)),
	SETID("fchmod", sets_id_at_1, ERRNO(EPERM)),
	SETID("fchmodat", sets_id_at_2, ERRNO(EPERM)),
	SETID("fchmodat2", sets_id_at_2, ERRNO(EPERM)),
	SETID("creat", sets_id_at_1, ERRNO(EPERM)),
	SETID("mknod", sets_id_at_1, ERRNO(EPERM)),
	SETID("mknodat", sets_id_at_2, ERRNO(EPERM)),
	SETID("open", open_sets_id, ERRNO(EPERM)),
	SETID("openat", openat_sets_id, ERRNO(EPERM)),
	SETID("openat2", NULL, ERRNO(ENOSYS)),
};

const size_t n_differences = sizeof(differences) / sizeof(differences[0]);
