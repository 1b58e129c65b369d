/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All that the worker of a relay (carry.h) does once it is confined. */
#ifndef CORDON_LAUNCHER_RELAY_CARRY_FILTER_H
#define CORDON_LAUNCHER_RELAY_CARRY_FILTER_H

#include "launcher/bare_filter.h"

/* ports: how many there are, whose descriptors are the first; behind them is the control socket. */
#define CARRY_FILTER(ports)                                                                     \
	{                                                                                       \
		BARE_LOOK_AT_CALL, BARE_ALLOW(SYS_read), BARE_ALLOW(SYS_write),                 \
			BARE_ALLOW(SYS_ppoll), BARE_ALLOW(SYS_recvmsg), BARE_ALLOW_SEND(ports), \
			BARE_ALLOW(SYS_clock_gettime), BARE_ALLOW(SYS_shutdown),                \
			BARE_ALLOW_CLOSE((ports) + 1), BARE_ALLOW(SYS_accept4),                 \
			BARE_ALLOW(SYS_exit_group), BARE_KILL,                                  \
	}

#endif
