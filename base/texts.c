/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See texts.h. */
#include "base/texts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 4096 };

int texts_add(struct texts *texts, const char *text, size_t *ret_at)
{
	size_t size = strlen(text) + 1;

	if (texts->room - texts->len < size) {
		size_t room = texts->room * 2 + size + FIRST_ROOM;
		char *more = realloc(texts->bytes, room);

		if (more == NULL)
			return -ENOMEM;
		texts->bytes = more;
		texts->room = room;
	}
	memcpy(texts->bytes + texts->len, text, size);
	*ret_at = texts->len;
	texts->len += size;
	return 0;
}

void texts_release(struct texts *texts)
{
	free(texts->bytes);
	*texts = (struct texts){0};
}
