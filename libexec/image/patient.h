/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading from and writing to what may stand still for as long as somebody else likes: a pipe whose
 * other end waits. SIGINT, SIGTERM and SIGHUP are blocked in this program, and looked at between
 * two blocks; here they end the waiting, too, or sandboxes that are paused for a copy stayed so.
 */
#ifndef CORDON_LIBEXEC_IMAGE_PATIENT_H
#define CORDON_LIBEXEC_IMAGE_PATIENT_H

#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

/* Which those are. */
void patient_signals(sigset_t *ret);

/* What tells of such a signal: a descriptor, to be closed. Returns it, or -errno. */
int patient_open(void);

/* read(2), until something is there. Returns as it does, -errno; -EINTR: such a signal came. */
ssize_t patient_read(int ends_fd, int fd, void *buf, size_t size);

/* All of it. Returns 0, -EINTR as above, or -errno. */
int patient_write(int ends_fd, int fd, const void *data, size_t n);

#endif
