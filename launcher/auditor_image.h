/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The process that reads the audit stream, launcher/auditor/auditor.c: its bytes
 * (launcher/image.S), what it is started with, and all that it and the keeper say to each other. */
#ifndef CORDON_LAUNCHER_AUDITOR_IMAGE_H
#define CORDON_LAUNCHER_AUDITOR_IMAGE_H

#include <stdint.h>

#include "launcher/audit_record.h"

extern const char auditor_image[];
extern const unsigned int auditor_image_size;

/* Descriptors that the auditor is started with: these, and by RLIMIT_NOFILE no others. */
enum {
	AUDITOR_STREAM_FD,  /* netlink(7), NETLINK_AUDIT, member of the group of readers */
	AUDITOR_CONTROL_FD, /* SOCK_SEQPACKET; end-of-file: the keeper is gone */
	AUDITOR_FDS,
};

/* One message is one of these, as an int; but the keeper's first one is a struct audit_subject, and
 * the auditor's last one a struct access_denials. */
enum auditor_message {
	AUDITOR_FINISH = 1, /* from the keeper: say what was denied, exit */
	AUDITOR_CONFINED,   /* from the auditor: it can do no more than read */
	AUDITOR_WATCHES,    /* from the auditor: it knows whose denials are asked for */
};

/* Whose. */
struct audit_subject {
	uint32_t pid; /* of the process that takes the Landlock domain on, in the initial namespace
		       */
	uint32_t
		first_uid; /* ids that no other process of the host has; n_uids 0: none are known */
	uint32_t n_uids;
	char profile[AUDIT_PROFILE_MAX]; /* AppArmor's, "" for none */
};

enum { ACCESS_DENIALS_MAX = 64 };

enum access_layer { ACCESS_LANDLOCK, ACCESS_APPARMOR };

/* Denials of one kind at one place. The texts are as audit_record.h says. */
struct access_denial {
	uint32_t layer;
	uint32_t is_certain; /* 0: of this AppArmor profile, but perhaps of another sandbox */
	uint64_t count;
	uint64_t port; /* UINT64_MAX for none */
	char what[AUDIT_WHAT_MAX];
	char detail[AUDIT_DETAIL_MAX];
	char path[AUDIT_PATH_MAX];
};

/* In the order of their first. */
struct access_denials {
	uint32_t n;
	uint32_t is_lost;    /* not 0: the auditor ended before it could say */
	uint32_t has_domain; /* not 0: Landlock's records of this sandbox are in the stream */
	uint32_t n_gaps;     /* how often records were dropped, by the kernel or for their length */
	uint64_t others;     /* denials that found no place in the list */
	uint64_t unseen;     /* denials that Landlock counted and the stream did not have */
	struct access_denial list[ACCESS_DENIALS_MAX];
};

#endif
