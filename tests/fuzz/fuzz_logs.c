/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as a log file behind its head. The reader comes to an end, gives no more than there is,
 * and the writer, which goes on in that file, finds the same end: what it adds is what is read
 * next.
 */
#include "tests/lib/bare_stub.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "launcher/recorder/log_writer.h"
#include "records/logs.h"
#include "tests/lib/scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FEW = 1 << 20 };

static struct scratch scratch;

static void remove_scratch(void)
{
	scratch_remove(&scratch);
}

/* How many bytes of frames there are. */
static size_t read_all(int dir_fd, struct log_reader *reader, struct log_piece *last)
{
	struct log_piece piece;
	size_t sum = 0;

	log_reader_init(reader, dir_fd);
	while (log_reader_next(reader, &piece) == 1) {
		if (piece.len == 0 || piece.len > LOG_FRAME_MAX)
			abort();
		sum += piece.len + sizeof(struct log_frame);
		*last = piece;
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct log_reader reader;
	static struct log_buffer buffer;
	const struct log_head head = {.magic = LOG_MAGIC, .number = 7};
	struct log_writer writer = {.n = 1, .max = FEW};
	struct log_piece last;
	size_t before;
	int fd;

	if (scratch.path[0] == '\0') {
		scratch_make(&scratch);
		atexit(remove_scratch);
	}
	fd = openat(scratch.fd, "log.0", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || pwrite(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
	    pwrite(fd, data, size, sizeof(head)) != (ssize_t)size)
		abort();
	before = read_all(scratch.fd, &reader, &last);
	log_reader_release(&reader);
	writer.fds[0] = fd;
	log_begin(&writer, &buffer);
	if (before > size || writer.number != 7 || writer.offset != sizeof(head) + before)
		abort();
	memcpy(buffer.bytes, "added", 5);
	log_put(&writer, &buffer, LOG_STDERR, 5);
	if (read_all(scratch.fd, &reader, &last) != before + sizeof(struct log_frame) + 5 ||
	    last.stream != LOG_STDERR || memcmp(last.bytes, "added", 5) != 0)
		abort();
	log_reader_release(&reader);
	close_fd(&fd);
	return 0;
}
