/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The process that answers denied system calls, launcher/notifier/notifier.c: its bytes
 * (launcher/image.S), what it is started with, and all that it and the keeper say to each other. */
#ifndef CORDON_LAUNCHER_NOTIFIER_IMAGE_H
#define CORDON_LAUNCHER_NOTIFIER_IMAGE_H

#include <stdint.h>
#include <sys/syscall.h>

extern const char notifier_image[];
extern const unsigned int notifier_image_size;

/* Descriptors that the notifier is started with: these, and by RLIMIT_NOFILE no others. */
enum {
	NOTIFIER_LISTENER_FD, /* seccomp_unotify(2) */
	NOTIFIER_CONTROL_FD,  /* SOCK_SEQPACKET; end-of-file: the keeper is gone */
	NOTIFIER_FDS,
};

/*
 * The keeper's first message is the program whose answers are given: struct sock_filter[n]. Then
 * one message is one of these, as an int; but the last one of the notifier's is a struct denials.
 */
enum notifier_message {
	NOTIFIER_FINISH = 1, /* from the keeper: say what was denied, exit */
	NOTIFIER_CONFINED, /* from the notifier: it has the program, and can do no more than answer
			    */
};

enum {
	DENIALS_MAX = 256,
	DENIALS_PER_CALL = 32,       /* so that no call fills the table alone */
	DENIALS_OTHER_NUMBERS = 512, /* stands for every number from here on */
};

/* Calls that were denied by one line of the policy, and with one telling argument. */
struct denial {
	uint32_t number;
	uint32_t error; /* what they were told: an errno; 0 where nothing was done but success said
			 */
	uint32_t at;    /* where in the program */
	uint32_t is_rest; /* not 0: of several telling arguments, that have no place of their own */
	uint64_t is_second; /* not 0: a call of the second architecture (policy/arch.h) */
	uint64_t count;
	uint64_t args[6]; /* of the first one */
};

/* In the order of their first. Numbers alone: nothing here is the workload's text. */
struct denials {
	uint32_t n;
	uint32_t is_lost; /* not 0: the notifier ended before it could say */
	uint64_t others;  /* calls that found no place in the list */
	struct denial list[DENIALS_MAX];
};

/* The second architecture's numbers of the same calls: x86's on x86-64, arm's on aarch64. */
#ifdef __x86_64__
enum {
	SECOND_IOCTL = 54,
	SECOND_SOCKETCALL = 102,
	SECOND_IPC = 117,
	SECOND_PRCTL = 172,
	SECOND_KEYCTL = 288,
	SECOND_SOCKET = 359,
	SECOND_SOCKETPAIR = 360,
};
#else
enum {
	SECOND_IOCTL = 54,
	SECOND_SOCKETCALL = -1, /* there is none; nor of ipc */
	SECOND_IPC = -2,
	SECOND_PRCTL = 172,
	SECOND_KEYCTL = 311,
	SECOND_SOCKET = 281,
	SECOND_SOCKETPAIR = 288,
};
#endif

static inline int denial_telling_argument_of_second(uint32_t number)
{
	switch ((int)number) {
	case SECOND_SOCKET:
	case SECOND_SOCKETPAIR:
	case SECOND_PRCTL:
	case SECOND_KEYCTL:
	case SECOND_SOCKETCALL: /* which call it stands for */
	case SECOND_IPC:
		return 0;
	case SECOND_IOCTL:
		return 1;
	default:
		return -1;
	}
}

/* The argument that tells calls of one name apart, -1 for none. The kernel takes each of these as
 * 32 bits. */
static inline int denial_telling_argument(const struct denial *denial)
{
	if (denial->is_second != 0)
		return denial_telling_argument_of_second(denial->number);
	switch (denial->number) {
	case SYS_socket:     /* family */
	case SYS_socketpair: /* family */
	case SYS_prctl:      /* option */
	case SYS_keyctl:     /* operation */
		return 0;
	case SYS_ioctl: /* request */
		return 1;
	default:
		return -1;
	}
}

#endif
