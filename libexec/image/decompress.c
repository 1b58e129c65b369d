/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The decompressor: see worker.h. Compressions for which libarchive starts a program are left out:
 * it could not. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "libexec/image/stages.h"

enum { BLOCK = 1 << 18, RATIO_MAX = 200, RATIO_FROM = 256 << 20 };

bool decompress_is_bomb(uint64_t compressed, uint64_t n_bytes)
{
	return n_bytes > RATIO_FROM && n_bytes / RATIO_MAX > compressed;
}

int decompress_refuse_bomb(struct err *err)
{
	err_set(err, ERR_SETUP, 0, "more than %d times as large as it was compressed", RATIO_MAX);
	return err_hint(err, "Where you trust it, decompress it first.");
}

static void archive_release(struct archive **archive)
{
	if (*archive != NULL)
		archive_read_free(*archive);
}

static bool supports(struct archive *archive)
{
	return archive_read_support_filter_none(archive) == ARCHIVE_OK &&
	       archive_read_support_filter_gzip(archive) == ARCHIVE_OK &&
	       archive_read_support_filter_bzip2(archive) == ARCHIVE_OK &&
	       archive_read_support_filter_compress(archive) == ARCHIVE_OK &&
	       archive_read_support_filter_lzip(archive) == ARCHIVE_OK &&
	       archive_read_support_filter_lzma(archive) == ARCHIVE_OK &&
	       archive_read_support_filter_xz(archive) == ARCHIVE_OK &&
	       archive_read_support_filter_lz4(archive) == ARCHIVE_OK &&
	       archive_read_support_filter_zstd(archive) == ARCHIVE_OK &&
	       archive_read_support_format_raw(archive) == ARCHIVE_OK;
}

static int refuse(struct archive *archive, struct err *err)
{
	const char *text = archive_error_string(archive);

	return err_set(err, ERR_SETUP, 0, "decompress: %s", text != NULL ? text : "not readable");
}

int stage_decompress(const struct worker_job *job, struct worker_report *report)
{
	__attribute__((cleanup(archive_release))) struct archive *archive = archive_read_new();
	_cleanup_free_ char *block = NULL;
	struct archive_entry *entry;
	la_ssize_t n;
	int r;

	(void)job;
	if (archive == NULL)
		return err_set(&report->err, ERR_SETUP, ENOMEM, "decompress");
	if (!supports(archive))
		return refuse(archive, &report->err);
	r = archive_read_open_fd(archive, WORKER_IN, BLOCK);
	if (r == ARCHIVE_OK)
		r = archive_read_next_header(archive, &entry);
	if (r == ARCHIVE_EOF)
		return err_set(&report->err, ERR_SETUP, 0, "an empty file");
	if (r != ARCHIVE_OK)
		return refuse(archive, &report->err);
	block = malloc(BLOCK);
	if (block == NULL)
		return err_set(&report->err, ERR_SETUP, ENOMEM, "decompress");
	while ((n = archive_read_data(archive, block, BLOCK)) > 0) {
		int w = io_write_all(WORKER_OUT, block, (size_t)n);

		if (w < 0)
			return err_set(&report->err, ERR_SETUP, -w, "decompress");
		report->n_bytes += (uint64_t)n;
		if (decompress_is_bomb((uint64_t)archive_filter_bytes(archive, -1),
				       report->n_bytes))
			return decompress_refuse_bomb(&report->err);
	}
	return n < 0 ? refuse(archive, &report->err) : 0;
}
