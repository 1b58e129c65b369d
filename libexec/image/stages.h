/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each confined process does (worker.h): from WORKER_IN to WORKER_OUT or WORKER_DIR. */
#ifndef CORDON_LIBEXEC_IMAGE_STAGES_H
#define CORDON_LIBEXEC_IMAGE_STAGES_H

#include <stddef.h>

#include "libexec/image/worker.h"

/* Any compression that libarchive reads by itself, or none, to none. */
int must_check stage_decompress(const struct worker_job *job, struct worker_report *report);

/* Whether that many bytes are more than that many compressed ones may be, and the error for it:
 * looked at by it, and where the input is a file by the importer as well. */
bool decompress_is_bomb(uint64_t compressed, uint64_t n_bytes);
int decompress_refuse_bomb(struct err *err);

/* A tar without compression to files below WORKER_DIR. Reads WORKER_IN to its end. job->argument:
 * enum unpack_kind. */
enum unpack_kind {
	UNPACK_LAYER,
	UNPACK_VOLUME, /* names that begin with .wh. are names, and all of user.* is kept */
};
int must_check stage_unpack(const struct worker_job *job, struct worker_report *report);

/*
 * The tree WORKER_DIR (PACK_COPY: or file, or link) as a tar: sorted, with numbers for owners, so
 * that equal trees give equal bytes. job->argument: enum pack_kind; WORKER_OWNERS: a layer's
 * `owners`, or -EBADF.
 */
enum pack_kind {
	PACK_HOST,  /* a directory of the host's, as it is */
	PACK_LAYER, /* a layer of the store: ids are those of the image, whiteouts are files */
	PACK_OUTER, /* files of ours: no owners, no times */
	/* A directory, a file or a link to be copied: numbers of ids as they are, with what is
	 * mounted below, but for what a kernel makes up (/proc and the like). */
	PACK_COPY,
	PACK_ROOT, /* a sandbox's root: likewise, and what is mounted on it stays empty */
	/* What an overlay wrote, as a layer: likewise, whiteouts are files. It may change. What a
	 * layer cannot have is left out, and stands in WORKER_SKIPPED. */
	PACK_UPPER,
	PACK_VOLUME,      /* a volume: ids are those inside. Ends with no more than the end mark */
	PACK_VOLUME_LIVE, /* the same while it changes: what is gone meanwhile is left out */
};
int must_check stage_pack(const struct worker_job *job, struct worker_report *report);

/*
 * A JSON document to lines "KEY VALUE". job->argument: enum parse_kind.
 *
 * docker     "image", then "config PATH", "tag NAME"... and "layer PATH"... of manifest.json
 * index      "manifest HEX SIZE NAME|-" and "index HEX SIZE NAME|-" for what runs here
 * manifest   "config HEX SIZE", "layer HEX SIZE"...
 * config     "os X", "architecture X", "diff HEX"..., "set KEY VALUE"... (image_record.h), "summary
 * JSON"
 */
enum parse_kind { PARSE_DOCKER, PARSE_INDEX, PARSE_MANIFEST, PARSE_CONFIG };
enum { PARSE_MAX_BYTES = 4 << 20 };
int must_check stage_parse(const struct worker_job *job, struct worker_report *report);

/* The configuration of an image that is made of another's, and what is different in it (compose.c).
 */
enum { COMPOSE_MAX_BYTES = 1 << 20 }; /* of what is different */
int must_check stage_compose(const struct worker_job *job, struct worker_report *report);

/* Both on memory, for tests/fuzz. */
struct parsed_text {
	char *buf;
	size_t size;
	size_t len; /* what was put into it */
};
int must_check parse_document(enum parse_kind kind, const char *text, size_t len,
			      struct parsed_text *ret, struct err *err);
int must_check compose_config(const char *text, size_t len, struct parsed_text *ret,
			      struct err *err);

#endif
