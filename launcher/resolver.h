/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows names and resolver: what a sandbox in a network is called there, and the process that
 * answers the DNS at 127.0.0.11 inside (resolver/resolver.c). As with Docker, the default bridge
 * has neither. Run in the keeper, as root. Internal to launcher/;
 * docs/decisions/037-a-resolver-for-each-sandbox.md has the reasons.
 *
 * Undo: the names are taken back. The process ends with the keeper's end of its control socket.
 */
#ifndef CORDON_LAUNCHER_RESOLVER_H
#define CORDON_LAUNCHER_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "launcher/resolver_image.h"

struct decision;
struct launch;

struct resolver_process {
	pid_t pid; /* of its watcher; 0: there is none */
	int pidfd;
	int control_fd;
	int notes_fd;          /* the keeper's own: reach.h */
	bool is_confined;      /* it has said so */
	bool is_lost;          /* it was killed, and that has been told */
	int64_t busy_until_ms; /* with what it has asked for: admission.c */
};

bool resolver_is_wanted(const struct decision *decision);

int must_check resolver_publish_names(struct launch *launch, struct err *err);
int must_check resolver_verify_names(struct launch *launch, struct err *err);
int must_check resolver_forget_names(struct launch *launch, struct err *err);

/* Started before the links are made, and waited for behind them: it needs its time to give up what
 * it can do without. */
int must_check resolver_start(struct launch *launch, struct err *err);
int must_check resolver_await(struct launch *launch, struct err *err);
int must_check resolver_verify(struct launch *launch, struct err *err);

/* Readable when its watcher has died; -1 where there is none, or that has been told. */
int resolver_watch_fd(const struct launch *launch);

/* It ends, and with it the last that holds the sandbox's network namespace. Idempotent. */
void resolver_finish(struct launch *launch);

/*
 * The name servers of a resolv.conf(5), as resolver_image.h has them on the command line. What is
 * none is passed over, as the libc does. text: ends with a NUL.
 */
enum { RESOLVER_UPSTREAMS_SIZE = RESOLVER_UPSTREAMS_MAX * RESOLVER_UPSTREAM_DIGITS + 1 };
void resolver_read_upstreams(const char *text, char ret[RESOLVER_UPSTREAMS_SIZE]);

#endif
