/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The relay of terminal and output, launcher/monitor/monitor.c: its bytes (launcher/image.S), what
 * it is started with, and all that it and the keeper say to each other. */
#ifndef CORDON_LAUNCHER_MONITOR_IMAGE_H
#define CORDON_LAUNCHER_MONITOR_IMAGE_H

#include <stdint.h>

extern const char monitor_image[];
extern const unsigned int monitor_image_size;

/*
 * argv[1] is how many bytes of output it may pass on, in decimal. argv[2] has a letter for each
 * pair of descriptors, which stand at 0 and up in that order; behind them stands the control
 * socket, SOCK_SEQPACKET, whose end-of-file says that the keeper is gone. By RLIMIT_NOFILE there
 * are no others.
 *
 *     t   the caller's terminal; the master of the sandbox's pty, non-blocking
 *     p   the end of a pipe that the workload writes to, non-blocking; where that goes
 */
#define MONITOR_HAS_TERMINAL 't'
#define MONITOR_HAS_PIPE     'p'
enum {
	MONITOR_PIPES_MAX = 2,
	MONITOR_PAIRS_MAX = 1 + MONITOR_PIPES_MAX,
	MONITOR_FDS_MAX = 2 * MONITOR_PAIRS_MAX + 1,
};

/* One message is one of these, as an int. */
enum monitor_message {
	/* from the keeper */
	MONITOR_RELAY = 1, /* raw mode; input may be asked for */
	MONITOR_HOLD,      /* the caller's modes are put back, no input; output goes on */
	MONITOR_READ,      /* answers MONITOR_INPUT: what is there may be read, once */
	MONITOR_RESIZE,    /* the window may have changed */
	MONITOR_REPORT,    /* say MONITOR_OUTPUT, once, when there is some that was not reported */
	MONITOR_FINISH,    /* pass on what is left, put the modes back, exit */
	MONITOR_PING,      /* to a recorder: say MONITOR_PONG */
	MONITOR_CLIENT,    /* likewise: takes the socket that comes with it (recorder_image.h) */
	/* from the monitor */
	MONITOR_CONFINED, /* nothing has been read yet, and it can do no more than this */
	MONITOR_HELD,     /* answers MONITOR_HOLD */
	MONITOR_INPUT,    /* somebody typed: may I read it? */
	MONITOR_HANGUP,   /* the caller's terminal is gone */
	MONITOR_OUTPUT,   /* answers MONITOR_REPORT */
	MONITOR_EXCEEDED, /* there is more output than may be passed on; nothing more is read */
	MONITOR_DRAINED,  /* all that the pipes will bring has been passed on */
	MONITOR_PONG,     /* answers MONITOR_PING */
	/* And with the errno added: what a pipe brings could not be passed on. */
	MONITOR_UNWRITABLE = 0x1000,
	MONITOR_UNWRITABLE_MAX = MONITOR_UNWRITABLE + 0xfff,
};

/* Its last message, which is told from the others by its size. */
struct monitor_total {
	uint64_t bytes; /* of output, passed on */
};

#endif
