/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bytes of launcher/init/init.c as a static program, built into ours (launcher/image.S).
 */
#ifndef CORDON_LAUNCHER_INIT_IMAGE_H
#define CORDON_LAUNCHER_INIT_IMAGE_H

extern const char init_image[];
extern const unsigned int init_image_size;

/* Descriptors that init is started with. */
enum {
	INIT_STATUS_FD = 3,
	INIT_LIFELINE_FD = 4,
	INIT_LOCK_FD =
		5, /* the run's journal: held, never used, so that its lock lasts as long as init */
	INIT_TERMINAL_FD = 6, /* the pty's slave; only where there is a terminal */
	INIT_SPARE_FD = 10, /* from here on the setup process keeps what must not be overwritten */
};

/* What init writes to INIT_STATUS_FD when the workload has stopped or ended: 8 bytes, in one
 * write. Stopped by SIGTTIN or SIGTTOU and with a terminal: init has given it that, and continued
 * it. */
struct init_status {
	int code;   /* CLD_STOPPED, CLD_EXITED, CLD_KILLED, CLD_DUMPED: waitid(2) */
	int status; /* exit code or signal */
};

#endif
