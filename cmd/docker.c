/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See docker.h. */
#include "cmd/docker.h"

#include <string.h>

#include "base/str.h"
#include "cmd/print.h"

/* Sentences for the hint, and for docs/DOCKER.md. What has the same name here has no row. */
const struct docker_command docker_commands[] = {
	{"build", "There is no build here: docker save IMAGE | cordon image load -"},
	{"container list", "cordon ps"},
	{"container ls", "cordon ps"},
	{"container *", "Leave `container` out: cordon *"},
	{"history", "cordon image inspect IMAGE"},
	{"image build", "There is no build here: docker save IMAGE | cordon image load -"},
	{"image history", "cordon image inspect IMAGE"},
	{"image push", "cordon image save IMAGE FILE, then skopeo copy oci-archive:FILE "
		       "docker://NAME."},
	{"image tag", "A name is given by load and import: cordon image save IMAGE - | cordon "
		      "image load - NAME."},
	{"images", "cordon image ls"},
	{"import", "cordon image import SOURCE NAME"},
	{"info", "cordon doctor"},
	{"load", "cordon image load SOURCE"},
	{"login", "Registries are skopeo's: skopeo login REGISTRY, then cordon image pull REF."},
	{"logout", "Registries are skopeo's: skopeo logout REGISTRY."},
	{"pull", "cordon image pull REF"},
	{"push", "cordon image save IMAGE FILE, then skopeo copy oci-archive:FILE docker://NAME."},
	{"rmi", "cordon image rm IMAGE"},
	{"save", "cordon image save IMAGE FILE"},
	{"search", "Registries are skopeo's: skopeo list-tags docker://NAME."},
	{"system df", "cordon ps -a and cordon image ls"},
	{"system events", "cordon events"},
	{"system info", "cordon doctor"},
	{"system prune", "cordon prune, cordon image prune and cordon gc"},
	{"tag", "A name is given by load and import: cordon image save IMAGE - | cordon image load "
		"- NAME."},
	{"version", "cordon --version"},
	{.name = NULL},
};

static const struct docker_command *find(const char *name)
{
	for (const struct docker_command *row = docker_commands; row->name != NULL; row++)
		if (str_equal(row->name, name))
			return row;
	return NULL;
}

bool docker_refuse(char *const *words, size_t n)
{
	const struct docker_command *row = NULL;
	char name[64], any[64];
	const char *second = n > 1 ? words[1] : "";

	if (n == 0)
		return false;
	str_format(name, sizeof(name), "%s %s", words[0], second);
	str_format(any, sizeof(any), "%s *", words[0]);
	if (n > 1)
		row = find(name);
	if (row == NULL && n > 1) {
		row = find(any);
		row = row != NULL && find(second) != NULL ? find(second) : row;
	}
	if (row == NULL) {
		row = find(words[0]);
		str_format(name, sizeof(name), "%s", words[0]);
	}
	if (row == NULL)
		return false;
	print_note("'%s' is a command of Docker's: cordon has none of that name", name);
	if (strchr(row->name, '*') != NULL)
		print_note("  hint: %.*s%s.", (int)strcspn(row->instead, "*"), row->instead,
			   second);
	else if (str_has_prefix(row->instead, "cordon ") && strchr(row->instead, ',') == NULL)
		print_note("  hint: `%s`", row->instead);
	else
		print_note("  hint: %s", row->instead);
	return true;
}
