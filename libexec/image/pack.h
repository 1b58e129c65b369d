/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What pack.c, its other parts and links.c share. */
#ifndef CORDON_LIBEXEC_IMAGE_PACK_H
#define CORDON_LIBEXEC_IMAGE_PACK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/texts.h"
#include "libexec/image/owners.h"
#include "libexec/image/stages.h"

/* A hole of terabytes takes no time, and a file's content a little memory. */
enum { PACK_BLOCK = 1 << 18, PACK_ZEROS = 1 << 26 };

struct pack_file;

/* Files with several names that were written, by number: a table with open addressing. */
struct pack_links {
	struct pack_file *files;
	size_t n;
	size_t room; /* a power of 2 */
	struct texts names;
};

struct packing {
	struct archive *archive;
	enum pack_kind kind;
	bool is_root;
	uint64_t max_bytes;
	dev_t device;
	uint64_t mount; /* PACK_ROOT */
	struct owners owners;
	struct worker_report *report;
	char *block;
	const char *zeros; /* PACK_ZEROS of them, in no memory */
	struct pack_links links;
	bool lists;    /* what is left out, in WORKER_SKIPPED */
	size_t listed; /* bytes of such lines */
};

/* Whether it is a volume, whose names and attributes are kept as they are. */
bool pack_is_volume(const struct packing *p);
/* Those of a file that its kind of tree keeps, by name; what else it has is left out, and noted
 * where somebody asks. Uses the block. name: the file's. 0 or -errno. */
struct archive_entry;
int must_check pack_attributes(struct packing *p, int fd, const char *name,
			       struct archive_entry *entry);

/* Counts what is left out of an entry, or all of it, and lists it in WORKER_SKIPPED. what: one word
 * of printable characters. 0 or -errno. */
int must_check pack_skip(struct packing *p, const char *name, const char *what);

/* A part of a file that is no hole. */
struct pack_stretch {
	off_t from;
	off_t to;
};

/* The first one from `at` on, as far as it is within size, which the file may have by now or not.
 * False: there is none. */
bool pack_next_data(int fd, off_t at, off_t size, struct pack_stretch *ret);
/* Where a file's holes are, while it may grow; the writer leaves them out. */
void pack_add_holes(int fd, const struct stat *st, struct archive_entry *entry);
/* Maps the zeros. 0 or -errno. */
int must_check pack_make_zeros(struct packing *p);
/* What a file has from `at` on, as far as it is at hand: in the block, as by pread(2), or zeros
 * where it is a hole, which nobody reads. */
ssize_t must_check pack_read(struct packing *p, int fd, const struct stat *st, off_t at,
			     const char **ret);

/* The name under which that file was written already; NULL where it was not, and from now on it is,
 * under this one. Without memory each name becomes a file of its own. Valid until the next call. */
const char *pack_link(struct pack_links *links, dev_t dev, ino_t ino, const char *name);
void pack_links_release(struct pack_links *links);

#endif
