/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cordon-image (libexec/image/), executed beside this process, with descriptors that are handed to
 * it. */
#ifndef CORDON_CMD_HELPER_H
#define CORDON_CMD_HELPER_H

#include <limits.h>

#include "launcher/cordon.h"

enum {
	HELPER_WORDS_MAX = 96,
	HELPER_WORD_SIZE = 1024,
	HELPER_FDS_MAX = CGROUP_HIERARCHIES_MAX + 4
};

/* About 100 KiB. */
struct helper {
	char store[PATH_MAX];
	char text[HELPER_WORDS_MAX][HELPER_WORD_SIZE];
	char *argv[HELPER_WORDS_MAX + 1];
	size_t n;
	int fds[HELPER_FDS_MAX];
	size_t n_fds;
	bool is_short; /* a word did not fit */
};

void helper_init(struct helper *helper, const char *store, const char *verb);
/* One word: key and value, one behind the other. */
void helper_put(struct helper *helper, const char *key, const char *value);
void helper_put_truth(struct helper *helper, const char *key, bool truth);
void helper_put_fd(struct helper *helper, const char *key, int fd);

/* Executes it, and waits. Returns the exit code: 0, or 125 and it has said why; or a negative errno
 * with err filled. */
int must_check helper_run(struct helper *helper, struct err *err);

#endif
