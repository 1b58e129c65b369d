/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All that the worker of a resolver (serve.h) does once it is confined. */
#ifndef CORDON_LAUNCHER_RESOLVER_SERVE_FILTER_H
#define CORDON_LAUNCHER_RESOLVER_SERVE_FILTER_H

#include "launcher/bare_filter.h"
#include "launcher/resolver_image.h"

_Static_assert(RESOLVER_UDP_FD == 0, "the one descriptor below 1");

static const struct sock_filter serve_filter[] = {
	BARE_LOOK_AT_CALL,
	BARE_ALLOW(SYS_read),
	BARE_ALLOW(SYS_write),
	BARE_ALLOW(SYS_ppoll),
	BARE_ALLOW(SYS_recvmsg),
	BARE_ALLOW_SEND(RESOLVER_UDP_FD + 1),
	BARE_ALLOW(SYS_clock_gettime),
	BARE_ALLOW(SYS_pread64),
	BARE_ALLOW_CLOSE(RESOLVER_FDS),
	BARE_ALLOW(SYS_accept4),
	BARE_ALLOW(SYS_getrandom),
	BARE_ALLOW(SYS_exit_group),
	BARE_KILL,
};

#endif
