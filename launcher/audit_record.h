/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One record of the kernel's audit stream, as the auditor reads it (launcher/auditor/auditor.c):
 * what Landlock or AppArmor refused. Without libc, without the heap, without a pointer kept: this
 * is the one place that reads bytes which the workload has chosen (paths and names).
 */
#ifndef CORDON_LAUNCHER_AUDIT_RECORD_H
#define CORDON_LAUNCHER_AUDIT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* linux/audit.h; the last two are of Linux 6.15. */
enum audit_type {
	AUDIT_TYPE_AVC = 1400, /* AppArmor's, and other modules' */
	AUDIT_TYPE_LANDLOCK_ACCESS = 1423,
	AUDIT_TYPE_LANDLOCK_DOMAIN = 1424,
};

enum {
	AUDIT_WHAT_MAX = 64,
	AUDIT_DETAIL_MAX = 64,
	AUDIT_PATH_MAX = 256,
	AUDIT_PROFILE_MAX = 256,
};

enum audit_kind {
	AUDIT_IS_OTHER, /* nothing of ours, or not understood */
	AUDIT_IS_LANDLOCK_DENIAL,
	AUDIT_IS_LANDLOCK_BIRTH, /* of a domain: pid */
	AUDIT_IS_LANDLOCK_DEATH, /* of a domain: denials */
	AUDIT_IS_APPARMOR_DENIAL,
};

/* Numbers that the record does not have are UINT64_MAX, texts are "". Each text ends in a NUL and
 * holds nothing but printable ASCII; another byte, and a backslash, stands as \xHH. One that is too
 * long ends in "...". */
struct audit_record {
	enum audit_kind kind;
	uint64_t domain;
	uint64_t pid;                    /* as the initial pid namespace sees it */
	uint64_t uid;                    /* AppArmor: who touched the file, on the host */
	uint64_t denials;                /* AUDIT_IS_LANDLOCK_DEATH: of all its life */
	uint64_t port;                   /* of TCP */
	char what[AUDIT_WHAT_MAX];       /* "fs.write_file,fs.truncate"; AppArmor: "open" */
	char detail[AUDIT_DETAIL_MAX];   /* AppArmor: "w", "net_admin", "inet raw create" */
	char path[AUDIT_PATH_MAX];       /* inside; AppArmor: also another name */
	char profile[AUDIT_PROFILE_MAX]; /* AppArmor */
};

/* text: "audit(1729738800.268:30): domain=...", of len bytes, without a NUL. Fills *ret whatever
 * there is. */
void audit_record_read(uint16_t type, const char *text, size_t len, struct audit_record *ret);

#endif
