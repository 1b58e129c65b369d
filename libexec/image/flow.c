/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bytes between two confined processes: a decompressor (or packer) writes, the importer counts
 * them and takes their digest, an unpacker reads. Runs in the importer, which looks at no byte.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "libexec/image/importer.h"
#include "libexec/image/patient.h"

enum {
	BLOCK = 1 << 20,
	END_MARK = 1024, /* two records of zeros */
	PROGRESS_MS = 200,
};

/* ---- digests ---- */

static void digest_release(EVP_MD_CTX **digest)
{
	EVP_MD_CTX_free(*digest);
}

#define _cleanup_digest_ __attribute__((cleanup(digest_release)))

static EVP_MD_CTX *digest_begin(void)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();

	if (digest != NULL && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1)
		return digest;
	EVP_MD_CTX_free(digest);
	return NULL;
}

static int digest_end(EVP_MD_CTX *digest, char ret_hex[STORE_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (EVP_DigestFinal_ex(digest, bytes, &n) != 1 || n * 2 + 1 != STORE_HEX_SIZE)
		return -EIO;
	for (size_t i = 0; i < n; i++) {
		ret_hex[2 * i] = digits[bytes[i] >> 4];
		ret_hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret_hex[STORE_HEX_SIZE - 1] = '\0';
	return 0;
}

void flow_digest_text(const void *data, size_t len, char ret_hex[STORE_HEX_SIZE])
{
	_cleanup_digest_ EVP_MD_CTX *digest = digest_begin();

	/* Never a digest that something could have. */
	memset(ret_hex, 'x', STORE_HEX_SIZE - 1);
	ret_hex[STORE_HEX_SIZE - 1] = '\0';
	if (digest != NULL && EVP_DigestUpdate(digest, data, len) == 1)
		ignore_result(digest_end(digest, ret_hex), "it stays none");
}

int flow_digest(struct importer *im, int fd, char ret_hex[STORE_HEX_SIZE], uint64_t *ret_bytes,
		struct err *err)
{
	_cleanup_digest_ EVP_MD_CTX *digest = digest_begin();
	_cleanup_free_ char *block = malloc(BLOCK);
	uint64_t total = 0;
	ssize_t n = 1;

	if (digest == NULL || block == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "%s: digest", im->what);
	while (n > 0) {
		if (importer_is_interrupted())
			return err_set(err, ERR_SETUP, EINTR, "%s", im->what);
		n = read(fd, block, BLOCK);
		if (n > 0 && EVP_DigestUpdate(digest, block, (size_t)n) != 1)
			return err_set(err, ERR_SETUP, EIO, "%s: digest", im->what);
		total += n > 0 ? (uint64_t)n : 0;
	}
	if (n < 0 || lseek(fd, 0, SEEK_SET) != 0)
		return err_set(err, ERR_SETUP, errno, "%s: read", im->what);
	if (digest_end(digest, ret_hex) < 0)
		return err_set(err, ERR_SETUP, EIO, "%s: digest", im->what);
	*ret_bytes = total;
	return 0;
}

/* ---- the copying ---- */

struct pump {
	struct importer *im;
	int from;
	int to;          /* -EBADF: only counted */
	bool is_outside; /* `to` is not a worker's */
	int ends;        /* patient.h */
	int input;       /* whose offset says how much was read, or -EBADF */
	EVP_MD_CTX *digest;
	uint64_t n_bytes;
	uint64_t n_zeros; /* at the end so far */
	int64_t shown_ms;
	struct flow_seal seal;
	bool keeps_tail; /* it is not passed on */
	const char *before;
	size_t n_before;
};

static void count_zeros(struct pump *pump, const char *block, size_t n)
{
	size_t zeros = 0;

	while (zeros < n && block[n - 1 - zeros] == '\0')
		zeros++;
	pump->n_zeros = zeros == n ? pump->n_zeros + n : zeros;
}

static int check_bounds(struct pump *pump, struct err *err)
{
	off_t at = pump->input >= 0 ? lseek(pump->input, 0, SEEK_CUR) : -1;

	if (pump->n_bytes > pump->im->limits.max_bytes) {
		err_set(err, ERR_SETUP, 0, "more bytes than are allowed");
		return err_hint(err, "Where you trust it: --max-size SIZE.");
	}
	/* Of what comes through a pipe only the decompressor knows how much it was. */
	if (at > 0 && decompress_is_bomb((uint64_t)at, pump->n_bytes))
		return decompress_refuse_bomb(err);
	return importer_is_interrupted() ? err_set(err, ERR_SETUP, EINTR, "the copying") : 0;
}

/* What was read. */
static int take_in(struct pump *pump, const char *data, size_t n, struct err *err)
{
	struct flow_seal *seal = &pump->seal;
	int64_t now = sys_monotonic_ms();

	pump->n_bytes += n;
	count_zeros(pump, data, n);
	if (seal->n_head < seal->head_size) {
		size_t room = seal->head_size - seal->n_head;

		memcpy(seal->head + seal->n_head, data, n < room ? n : room);
		seal->n_head += n < room ? n : room;
	}
	if (now - pump->shown_ms >= PROGRESS_MS) {
		pump->shown_ms = now;
		say_progress(pump->im, pump->n_bytes, false);
	}
	return check_bounds(pump, err);
}

/* 1: nobody reads any more. */
static int pass_on(struct pump *pump, const char *data, size_t n, struct err *err)
{
	int r = 0;

	if (pump->to >= 0 && n > 0)
		r = pump->is_outside ? patient_write(pump->ends, pump->to, data, n)
				     : io_write_all(pump->to, data, n);
	if (r == -EPIPE)
		return 1;
	return r < 0 ? err_set(err, ERR_SETUP, -r, "write") : 0;
}

static int digest_on(struct pump *pump, const char *data, size_t n, struct err *err)
{
	if (EVP_DigestUpdate(pump->digest, data, n) != 1)
		return err_set(err, ERR_SETUP, EIO, "digest");
	return pass_on(pump, data, n, err);
}

/* Returns 0 at the end of what is written; 1 where nobody reads any more. block: BLOCK bytes, and
 * as many as the tail has, which stays behind until it is known to be none. */
static int pump_run(struct pump *pump, char *block, struct flow_result *ret, struct err *err)
{
	size_t kept = 0;
	int r = digest_on(pump, pump->before, pump->n_before, err);

	while (r == 0) {
		ssize_t n = patient_read(pump->ends, pump->from, block + kept, BLOCK);
		size_t all = kept + (n > 0 ? (size_t)n : 0);
		size_t ready = all > pump->seal.tail_len ? all - pump->seal.tail_len : 0;

		if (n < 0)
			return err_set(err, ERR_SETUP, (int)-n, "read");
		if (n == 0)
			break;
		r = take_in(pump, block + kept, (size_t)n, err);
		if (r == 0)
			r = digest_on(pump, block, ready, err);
		kept = all - ready;
		memmove(block, block + ready, kept);
	}
	if (r == 0) {
		memcpy(ret->tail, block, kept);
		ret->n_tail = kept;
	}
	return r == 0 && !pump->keeps_tail ? pass_on(pump, block, kept, err) : r;
}

static int pump_all(struct pump *pump, struct flow_result *ret, struct err *err)
{
	_cleanup_digest_ EVP_MD_CTX *digest = digest_begin();
	_cleanup_free_ char *block = malloc(BLOCK + FLOW_TAIL_MAX);
	_cleanup_fd_ int ends = patient_open();
	int r;

	if (digest == NULL || block == NULL || ends < 0)
		return err_set(err, ERR_SETUP, ends < 0 ? -ends : ENOMEM, "the copying");
	pump->digest = digest;
	pump->ends = ends;
	pump->shown_ms = sys_monotonic_ms();
	r = pump_run(pump, block, ret, err);
	say_progress(pump->im, pump->n_bytes, true);
	if (r == 0 && digest_end(digest, ret->hex) < 0)
		r = err_set(err, ERR_SETUP, EIO, "digest");
	ret->n_bytes = pump->n_bytes;
	ret->has_end = pump->n_zeros >= END_MARK;
	return r;
}

/* ---- the processes ---- */

static int make_pipe(int ret[2], struct err *err)
{
	if (pipe2(ret, O_CLOEXEC) != 0)
		return err_set(err, ERR_SETUP, errno, "a pipe");
	ignore_result(fcntl(ret[0], F_SETPIPE_SZ, BLOCK), "a smaller one does as well");
	return 0;
}

static struct worker_job job_of(const struct importer *im, const char *what, enum confine_kind kind)
{
	struct worker_job job = {.what = what,
				 .kind = kind,
				 .is_root = im->is_root,
				 .limits = im->limits};

	for (int i = 0; i < WORKER_FDS; i++)
		job.fds[i] = -EBADF;
	return job;
}

static int start_source(struct importer *im, const struct flow *flow, int out, struct worker *ret,
			struct err *err)
{
	struct worker_job job = job_of(im, flow->is_dir ? "the packer" : "the decompressor",
				       flow->is_dir ? CONFINE_PACK : CONFINE_PURE);

	job.fds[flow->is_dir ? WORKER_DIR : WORKER_IN] = flow->input;
	job.fds[WORKER_OUT] = out;
	job.argument = (int)flow->kind;
	if (flow->is_dir && flow->kind == PACK_HOST)
		job.fds[WORKER_SKIPPED] = flow->skipped;
	if (flow->is_dir && flow->ends != NULL) {
		job.kind = flow->ends->pack;
		job.argument = (int)flow->ends->packs;
		job.as = flow->ends->as;
		job.inside = flow->ends->from_inside;
		job.fds[WORKER_SKIPPED] = flow->ends->packs == PACK_UPPER ? flow->skipped : -EBADF;
	}
	job.run = flow->is_dir ? stage_pack : stage_decompress;
	return worker_start(&job, ret, err);
}

static int start_sink(struct importer *im, const struct flow *flow, int in, struct worker *ret,
		      struct err *err)
{
	struct worker_job job = job_of(im, "the unpacker", CONFINE_UNPACK);

	job.fds[WORKER_IN] = in;
	job.fds[WORKER_DIR] = flow->into;
	job.fds[WORKER_OWNERS] = flow->owners;
	job.fds[WORKER_SKIPPED] = flow->skipped;
	job.argument = (int)flow->unpack;
	if (flow->ends != NULL) {
		job.kind = flow->ends->unpack;
		job.only = flow->ends->only;
		job.keeps_owners = flow->ends->keeps_owners;
		job.inside = flow->ends->to_inside;
	}
	job.run = stage_unpack;
	return worker_start(&job, ret, err);
}

struct pair {
	struct worker source;
	struct worker sink;
	int from; /* the source's output */
	int to;   /* the sink's input */
};

/* Where the unpacker stopped reading, its reason counts; where the source broke off, that one's. */
static int finish(struct pair *pair, bool is_cut, struct flow_result *ret, struct err *err)
{
	struct worker *source = &pair->source, *sink = &pair->sink;
	struct worker_report report;
	struct err sink_err;
	int r;

	if (is_cut) {
		worker_stop(source);
		r = worker_finish(sink, &ret->report, err);
		return r < 0 ? r : err_set(err, ERR_BUG, 0, "the unpacker stopped reading");
	}
	r = worker_finish(source, &report, err);
	if (r < 0) {
		worker_stop(sink);
		return r;
	}
	ret->n_left_out = report.n_skipped;
	close_fd(&pair->to);
	r = worker_finish(sink, &ret->report, &sink_err);
	if (r < 0)
		*err = sink_err;
	return r;
}

static int pump_pair(struct importer *im, const struct flow *flow, struct pair *pair,
		     struct flow_result *ret, struct err *err)
{
	struct pump pump = {.im = im,
			    .from = pair->from,
			    .to = pair->to,
			    .input = flow->is_dir ? -EBADF : flow->input};
	int r;

	if (flow->seal != NULL)
		pump.seal = *flow->seal;
	r = pump_all(&pump, ret, err);
	if (flow->seal != NULL)
		*flow->seal = pump.seal;
	if (r >= 0)
		return finish(pair, r == 1, ret, err);
	worker_stop(&pair->source);
	worker_stop(&pair->sink);
	return r;
}

int flow_run(struct importer *im, const struct flow *flow, struct flow_result *ret, struct err *err)
{
	_cleanup_fd_ int source_end = -EBADF, sink_end = -EBADF;
	struct pair pair = {.source = {.pid = -1, .report_fd = -EBADF},
			    .sink = {.pid = -1, .report_fd = -EBADF},
			    .from = -EBADF,
			    .to = -EBADF};
	int ends[2];
	int r = make_pipe(ends, err);

	memset(ret, 0, sizeof(*ret));
	if (r < 0)
		return r;
	pair.from = ends[0];
	source_end = ends[1];
	r = make_pipe(ends, err);
	if (r < 0) {
		close_fd(&pair.from);
		return r;
	}
	sink_end = ends[0];
	pair.to = ends[1];
	r = start_source(im, flow, source_end, &pair.source, err);
	close_fd(&source_end);
	if (r == 0)
		r = start_sink(im, flow, sink_end, &pair.sink, err);
	close_fd(&sink_end);
	if (r == 0)
		r = pump_pair(im, flow, &pair, ret, err);
	else
		worker_stop(&pair.source);
	close_fd(&pair.from);
	close_fd(&pair.to);
	return r;
}

int flow_pack(struct importer *im, const struct packed_tree *tree, int output,
	      struct flow_result *ret, struct err *err)
{
	struct worker_job job =
		job_of(im, "the packer", tree->inside != NULL ? CONFINE_PACK_INSIDE : CONFINE_PACK);
	struct worker worker = {.pid = -1, .report_fd = -EBADF};
	struct pump pump = {.im = im,
			    .to = output,
			    .is_outside = true,
			    .input = -EBADF,
			    .seal = {.tail_len = tree->tail_len},
			    .keeps_tail = true,
			    .before = tree->before,
			    .n_before = tree->n_before};
	_cleanup_fd_ int from = -EBADF, theirs = -EBADF;
	int ends[2];
	int r = make_pipe(ends, err);

	memset(ret, 0, sizeof(*ret));
	if (r < 0)
		return r;
	from = ends[0];
	theirs = ends[1];
	job.fds[WORKER_DIR] = tree->dir;
	job.fds[WORKER_OWNERS] = tree->owners;
	job.fds[WORKER_OUT] = theirs;
	job.argument = (int)tree->kind;
	job.as = tree->as;
	job.inside = tree->inside;
	job.run = stage_pack;
	r = worker_start(&job, &worker, err);
	close_fd(&theirs);
	pump.from = from;
	if (r == 0)
		r = pump_all(&pump, ret, err);
	if (r == 1)
		r = err_set(err, ERR_SETUP, EPIPE, "write");
	if (r < 0) {
		worker_stop(&worker);
		return r;
	}
	return worker_finish(&worker, &ret->report, err);
}
