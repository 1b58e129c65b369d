/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See output.h. */
#include "libexec/image/output.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "libexec/image/importer.h"

int output_open(const char *path, mode_t mode, const char *command, struct output *ret,
		struct err *err)
{
	int r;

	*ret = (struct output){.fd = -EBADF, .file = WHOLE_FILE_NONE};
	if (str_equal(path, "-")) {
		if (isatty(STDOUT_FILENO) == 1) {
			err_set(err, ERR_USAGE, 0, "an archive is not for a terminal");
			return err_hint(err, "Name a file: cordon %s.", command);
		}
		ret->is_stdout = true;
		ret->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, COMMAND_FIRST_MARK);
		return ret->fd < 0 ? err_set(err, ERR_USAGE, errno, "standard output") : 0;
	}
	r = whole_file_open(path, mode, &ret->file, err);
	if (r == 0)
		ret->fd = ret->file.fd;
	return r;
}

int output_name(struct output *out, struct err *err)
{
	if (out->is_stdout)
		return 0;
	store_step("volume-"
		   "archived");
	return whole_file_name(&out->file, err);
}

void output_close(struct output *out)
{
	if (out->is_stdout)
		close_fd(&out->fd);
	whole_file_close(&out->file);
	out->fd = -EBADF;
}
