/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The first word of `cordon run IMAGE`; see options.h. */
#include "base/str.h"
#include "cmd/options.h"

int options_take_image(struct options *options, struct err *err)
{
	if (options->entrypoint != NULL && (options->saw_separator || options->rest[0] == NULL)) {
		err_set(err, ERR_USAGE, 0, "--entrypoint is for an image");
		return err_hint(err,
				"Behind `--` stands the whole command: name the program there.");
	}
	if (options->saw_separator || options->rest[0] == NULL)
		return 0;
	if (options->n_flags == OPTIONS_FLAGS_MAX)
		return err_set(err, ERR_USAGE, 0, "more than %d flags", OPTIONS_FLAGS_MAX);
	options->flags[options->n_flags++] =
		(struct policy_flag){.kind = FLAG_IMAGE, .text = *options->rest++};
	if (options->rest[0] == NULL || !str_equal(options->rest[0], "--"))
		return 0;
	err_set(err, ERR_USAGE, 0, "-- stands behind the image %s, and is no program",
		options->rest[-1]);
	return err_hint(err, "Leave it out: IMAGE CMD. In front of a program of this host it takes "
			     "the image's place: -- CMD.");
}
