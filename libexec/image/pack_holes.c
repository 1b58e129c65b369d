/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holes of files that are packed; see pack.h. */
#include <archive_entry.h>
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libexec/image/pack.h"

static bool is_sparse(const struct stat *st)
{
	return (int64_t)st->st_blocks * 512 < st->st_size;
}

void pack_add_holes(int fd, const struct stat *st, struct archive_entry *entry)
{
	struct pack_stretch data = {0};

	if (!is_sparse(st))
		return;
	while (pack_next_data(fd, data.to, st->st_size, &data))
		archive_entry_sparse_add_entry(entry, data.from, data.to - data.from);
	/* Nothing but a hole. */
	if (data.to == 0)
		archive_entry_sparse_add_entry(entry, st->st_size, 0);
}

/* Only to be read: pages of it are the kernel's one page of zeros. */
int pack_make_zeros(struct packing *p)
{
	void *zeros = mmap(NULL, PACK_ZEROS, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (zeros == MAP_FAILED)
		return -errno;
	p->zeros = zeros;
	return 0;
}

ssize_t pack_read(struct packing *p, int fd, const struct stat *st, off_t at, const char **ret)
{
	off_t left = st->st_size - at, data = is_sparse(st) ? lseek(fd, at, SEEK_DATA) : at;

	if (data < 0 && errno == ENXIO)
		data = st->st_size;
	if (data <= at) {
		*ret = p->block;
		return pread(fd, p->block, left > PACK_BLOCK ? PACK_BLOCK : (size_t)left, at);
	}
	left = data - at < left ? data - at : left;
	*ret = p->zeros;
	return left > PACK_ZEROS ? PACK_ZEROS : (ssize_t)left;
}
