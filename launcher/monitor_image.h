/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The terminal's relay, launcher/monitor/monitor.c: its bytes (launcher/image.S), what it is
 * started with, and all that it and the keeper say to each other. */
#ifndef CORDON_LAUNCHER_MONITOR_IMAGE_H
#define CORDON_LAUNCHER_MONITOR_IMAGE_H

extern const char monitor_image[];
extern const unsigned int monitor_image_size;

/* Descriptors that the monitor is started with: these, and by RLIMIT_NOFILE no others. */
enum {
	MONITOR_TTY_FD,     /* the caller's terminal */
	MONITOR_MASTER_FD,  /* the master of the sandbox's pty, non-blocking */
	MONITOR_CONTROL_FD, /* SOCK_SEQPACKET; end-of-file: the keeper is gone */
	MONITOR_FDS,
};

/* One message is one of these, as an int. */
enum monitor_message {
	/* from the keeper */
	MONITOR_RELAY = 1, /* raw mode; input may be asked for */
	MONITOR_HOLD,      /* the caller's modes are put back, no input; output goes on */
	MONITOR_READ,      /* answers MONITOR_INPUT: what is there may be read, once */
	MONITOR_RESIZE,    /* the window may have changed */
	MONITOR_FINISH,    /* pass on what is left, put the modes back, exit */
	/* from the monitor */
	MONITOR_CONFINED, /* nothing has been read yet, and it can do no more than this */
	MONITOR_HELD,     /* answers MONITOR_HOLD */
	MONITOR_INPUT,    /* somebody typed: may I read it? */
	MONITOR_HANGUP,   /* the caller's terminal is gone */
};

#endif
