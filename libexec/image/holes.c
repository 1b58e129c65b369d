/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a file has content, see pack.h. Source: lseek(2), SEEK_DATA. */
#include <unistd.h>

#include "libexec/image/pack.h"

bool pack_next_data(int fd, off_t at, off_t size, struct pack_stretch *ret)
{
	off_t from = at < size ? lseek(fd, at, SEEK_DATA) : -1;
	off_t to = from < 0 ? -1 : lseek(fd, from, SEEK_HOLE);

	if (from < 0 || from >= size || to <= from)
		return false;
	*ret = (struct pack_stretch){.from = from, .to = to < size ? to : size};
	return true;
}
