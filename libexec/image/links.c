/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The packer's memory of files with several names; see pack.h. */
#include <stdlib.h>
#include <string.h>

#include "libexec/image/pack.h"

struct pack_file {
	dev_t dev;
	ino_t ino;
	char *name; /* NULL: a free place */
};

static struct pack_file *place_of(struct pack_file *files, size_t room, dev_t dev, ino_t ino)
{
	size_t at = (size_t)(ino * 0x9e3779b97f4a7c15ULL ^ dev) & (room - 1);

	while (files[at].name != NULL && (files[at].ino != ino || files[at].dev != dev))
		at = (at + 1) & (room - 1);
	return &files[at];
}

static bool grow(struct packing *p)
{
	size_t room = p->room_files == 0 ? 256 : p->room_files * 2;
	struct pack_file *files = calloc(room, sizeof(*files));

	if (files == NULL)
		return false;
	for (size_t i = 0; i < p->room_files; i++)
		if (p->files[i].name != NULL)
			*place_of(files, room, p->files[i].dev, p->files[i].ino) = p->files[i];
	free(p->files);
	p->files = files;
	p->room_files = room;
	return true;
}

const char *pack_link(struct packing *p, dev_t dev, ino_t ino, const char *name)
{
	struct pack_file *file;

	if (2 * p->n_files >= p->room_files && !grow(p))
		return NULL;
	file = place_of(p->files, p->room_files, dev, ino);
	if (file->name != NULL)
		return file->name;
	file->name = strdup(name);
	file->dev = dev;
	file->ino = ino;
	p->n_files += file->name != NULL;
	return NULL;
}

void pack_links_release(struct packing *p)
{
	for (size_t i = 0; i < p->room_files; i++)
		free(p->files[i].name);
	free(p->files);
}
