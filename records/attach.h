/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The socket RUN/sandboxes/ID/attach: SOCK_SEQPACKET, of which the keeper listens, and the recorder
 * takes what is typed (launcher/recorder_image.h). It closes with the run. */
#ifndef CORDON_RECORDS_ATTACH_H
#define CORDON_RECORDS_ATTACH_H

#include "records/store.h"

/* Runs in the keeper, which holds the sandbox's lock. Returns the socket or -errno with err. */
int must_check attach_listen(const struct records *records, const char *id, struct err *err);

/* Returns a connection, or -errno with err: -ECONNREFUSED, -ENOENT where nobody listens. */
int must_check attach_connect(const struct records *records, const struct sandbox *sandbox,
			      struct err *err);

/* What is sent: one message each. 0 or -errno; -EAGAIN: later. */
int must_check attach_send_input(int fd, const char *bytes, size_t len);
int must_check attach_send_end(int fd);
int must_check attach_send_size(int fd, unsigned short rows, unsigned short columns);

#endif
