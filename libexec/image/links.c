/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The packer's memory of files with several names; see pack.h. */
#include <stdlib.h>
#include <string.h>

#include "libexec/image/pack.h"

enum { FIRST_ROOM = 256 };

struct pack_file {
	dev_t dev;
	ino_t ino;
	size_t name; /* where it begins in the names, plus 1; 0: a free place */
};

static struct pack_file *place_of(struct pack_file *files, size_t room, dev_t dev, ino_t ino)
{
	size_t at = (size_t)(ino * 0x9e3779b97f4a7c15ULL ^ dev) & (room - 1);

	while (files[at].name != 0 && (files[at].ino != ino || files[at].dev != dev))
		at = (at + 1) & (room - 1);
	return &files[at];
}

static bool grow(struct pack_links *links)
{
	size_t room = links->room == 0 ? FIRST_ROOM : links->room * 2;
	struct pack_file *files = calloc(room, sizeof(*files));

	if (files == NULL)
		return false;
	for (size_t i = 0; i < links->room; i++) {
		const struct pack_file *file = &links->files[i];

		if (file->name != 0)
			*place_of(files, room, file->dev, file->ino) = *file;
	}
	free(links->files);
	links->files = files;
	links->room = room;
	return true;
}

const char *pack_link(struct pack_links *links, dev_t dev, ino_t ino, const char *name)
{
	struct pack_file *file;
	size_t at;

	/* A free place is left: without one the search would not end. */
	if (2 * links->n >= links->room && !grow(links))
		return NULL;
	file = place_of(links->files, links->room, dev, ino);
	if (file->name != 0)
		return links->names.bytes + file->name - 1;
	if (texts_add(&links->names, name, &at) < 0)
		return NULL;
	*file = (struct pack_file){.dev = dev, .ino = ino, .name = at + 1};
	links->n++;
	return NULL;
}

void pack_links_release(struct pack_links *links)
{
	free(links->files);
	texts_release(&links->names);
	*links = (struct pack_links){0};
}
