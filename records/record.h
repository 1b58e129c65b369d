/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A record: what a sandbox is, and all that it takes to start it again as it was made. The policy's
 * files stand in it as they were read (a profile that changes later changes no sandbox), and so do
 * the flags, the caller's directory and the variables that the policy passes on. The host's ceiling
 * and what the host can do are looked at anew at each start.
 */
#ifndef CORDON_RECORDS_RECORD_H
#define CORDON_RECORDS_RECORD_H

#include "launcher/cordon.h"
#include "records/fields.h"
#include "records/store.h"

enum { RECORD_FORMAT = 1, RECORD_FLAGS_MAX = 512 };

struct record {
	char id[RUN_ID_LEN + 1];
	char name[SANDBOX_NAME_MAX + 1]; /* "": none */
	int64_t created_ms;              /* since 1970 */
	uint32_t id_block;               /* first host id, 0: none (a user's) */
	bool removes_itself;             /* --rm */
	/* What listings show and filter by, as the policy gave it. */
	const char *rootfs;         /* "host", "dir:PATH", "image:NAME", "empty" */
	const char *restart;        /* "no", "on-failure:3", ... */
	const char *const *labels;  /* "name=value", sorted, NULL-terminated */
	const char *const *command; /* what it runs: request.policy.argv, with the image's part */
	const struct spec_mount *mounts; /* the policy's; only while it is made */
	size_t n_mounts;
	const char *cwd; /* where it was made: "${cwd}", and where it may start */
	/* How to start it: policy, environment, home, cgroup_parent; `files` is the record's. The
	 * roots are those of whoever starts it. */
	struct run_request request;
	struct policy_files files;
	/* What the texts lie in, where it was read from a file. */
	struct fields fields;
	void *memory;
};

/* Reads the record of an open sandbox. Release with record_free. */
int must_check record_read(const struct records *records, const struct sandbox *sandbox,
			   struct record *ret, struct err *err);
/* The same of fields that have been read, which are taken over, also where they are refused
 * (-EBADMSG). request.files is the caller's to set. */
int must_check record_take(struct fields *fields, const char *id, struct record *ret);
void record_free(struct record *record);

/* Its file's text: writer->text is the caller's to free. 0 or -errno. */
int must_check record_text(const struct record *record, struct fields_writer *writer);

/* Only the name, for a look that costs little; "" where it cannot be read. */
void record_read_name(const struct sandbox *sandbox, char *buf, size_t size);

/* Now, in milliseconds since 1970. */
int64_t record_now_ms(void);

/* What every start of a kept sandbox asks for, whoever makes it: output that is kept, descriptors 0
 * to 2 of the keeper's own, numbers to look at, a group that can be paused. */
void record_keep(struct run_request *request);

#endif
