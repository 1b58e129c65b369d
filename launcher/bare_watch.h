/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Programs without libc of two processes (resolver/resolver.c, relay/relay.c): a watcher, which
 * reads no byte of anybody's, and its worker, which reads what strangers send and can open nothing.
 *
 * The watcher forks the worker, and another one when that dies; each begins with the memory of a
 * process that has seen nothing. The worker asks it for a socket to one of a few places by the
 * number of that place; their addresses only the watcher knows, from its command line. It ends when
 * the keeper's end of the control socket is closed, and the worker with it.
 */
#ifndef CORDON_LAUNCHER_BARE_WATCH_H
#define CORDON_LAUNCHER_BARE_WATCH_H

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "launcher/bare.h"
#include "launcher/bare_confine.h"

/* What the watcher is asked for. It answers with a byte, and with a descriptor where that is 1. */
enum bare_wish_kind { BARE_READY, BARE_UDP, BARE_TCP, BARE_OTHER };
struct bare_wish {
	uint32_t kind;
	uint32_t which;
};

/* ---- confinement ---- */

/* What it does, what it does on the way to the worker's confinement, and (...) what the worker
 * does: a filter is inherited. Sockets are of IPv4 and IPv6 alone; clone makes a process, with
 * nothing new. */
#define BARE_WATCH_FILTER(...)                                                                    \
	{                                                                                         \
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),          \
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BARE_NATIVE_ARCH, 1, 0),              \
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),                      \
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),    \
			BARE_ALLOW(SYS_ppoll), BARE_ALLOW(SYS_read), BARE_ALLOW(SYS_write),       \
			BARE_ALLOW(SYS_close), BARE_ALLOW(SYS_exit_group),                        \
			BARE_ALLOW(SYS_connect), BARE_ALLOW(SYS_sendmsg), BARE_ALLOW(SYS_wait4),  \
			BARE_ALLOW(SYS_socketpair), BARE_ALLOW(SYS_prctl),                        \
			BARE_ALLOW(SYS_prlimit64), BARE_ALLOW(SYS_landlock_create_ruleset),       \
			BARE_ALLOW(SYS_landlock_restrict_self), BARE_ALLOW(SYS_seccomp),          \
			BARE_ALLOW(SYS_recvmsg), BARE_ALLOW(SYS_accept4), BARE_ALLOW(SYS_sendto), \
			BARE_ALLOW(SYS_clock_gettime), __VA_ARGS__,                               \
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 4),                    \
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS,                                        \
				 offsetof(struct seccomp_data, args[0])),                         \
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0),                       \
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 4),                      \
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),                             \
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 2),                     \
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS,                                        \
				 offsetof(struct seccomp_data, args[0])),                         \
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SIGCHLD, 1, 0),                       \
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),                      \
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),                             \
	}

struct bare_watch_limits {
	const char *name;
	const struct bare_ports *ports; /* of TCP, that may be connected to */
	uint64_t n_fds;
};

/* As bare_confine, but that it may fork, and connect. With the keeper it ends by the kernel's own
 * signal as well: it may be waiting for a worker that hears nothing. */
static inline void bare_watch_confine(const struct bare_watch_limits *limits,
				      const struct sock_fprog *filter)
{
	if (bare_call(SYS_prctl, PR_SET_PDEATHSIG, 9, 0, 0, 0) != 0 ||
	    bare_call(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    bare_call(SYS_prctl, PR_SET_NAME, (long)limits->name, 0, 0, 0) != 0 ||
	    bare_call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		bare_exit(125);
	bare_lower_priority();
	bare_forbid_files(limits->ports);
	bare_no_more_of(RLIMIT_FSIZE, 0);
	bare_no_more_of(RLIMIT_NOFILE, limits->n_fds);
	if (bare_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long)filter, 0, 0) != 0)
		bare_exit(125);
}

/* The worker's: besides, the kernel's own signal at the watcher's end; one that came before shows
 * as the end of the control socket. */
static inline void bare_work_confine(const char *name, uint64_t n_fds,
				     const struct sock_fprog *filter)
{
	if (bare_call(SYS_prctl, PR_SET_PDEATHSIG, 9, 0, 0, 0) != 0)
		bare_exit(125);
	bare_confine(name, n_fds, filter);
}

/* ---- sockets ---- */

struct bare_peer {
	uint8_t address[16]; /* of IPv6; of IPv4 ::ffff:a.b.c.d */
	uint32_t scope;
	uint16_t port;
};

static inline uint32_t bare_hex_digit(char c)
{
	return (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* n digits, at most 8. */
static inline uint32_t bare_hex(const char *text, unsigned n)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < n; i++)
		value = value << 4 | bare_hex_digit(text[i]);
	return value;
}

/* 32 digits. */
static inline void bare_hex_address(const char *text, uint8_t ret[16])
{
	for (unsigned i = 0; i < 16; i++)
		ret[i] = (uint8_t)bare_hex(text + 2 * (size_t)i, 2);
}

static inline bool bare_is_ipv4(const struct bare_peer *peer)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(peer->address, mapped, sizeof(mapped)) == 0;
}

/* A socket whose other end is that one: who sends to it is that one, or lies about where it is. The
 * kernel chooses the port, at random. Returns it, or -errno. */
static inline long bare_connect(const struct bare_peer *peer, bool is_tcp)
{
	struct sockaddr_in ipv4 = {.sin_family = AF_INET,
				   .sin_port = __builtin_bswap16(peer->port)};
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6,
				    .sin6_port = __builtin_bswap16(peer->port),
				    .sin6_scope_id = peer->scope};
	bool short_one = bare_is_ipv4(peer);
	int type = (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
	long fd = bare_call(SYS_socket, short_one ? AF_INET : AF_INET6, type, 0, 0, 0);
	long r;

	if (fd < 0)
		return fd;
	memcpy(&ipv4.sin_addr, peer->address + 12, 4);
	memcpy(&ipv6.sin6_addr, peer->address, 16);
	if (short_one)
		r = bare_call(SYS_connect, fd, (long)&ipv4, sizeof(ipv4), 0, 0);
	else
		r = bare_call(SYS_connect, fd, (long)&ipv6, sizeof(ipv6), 0, 0);
	if (r != 0 && r != -EINPROGRESS) {
		bare_call(SYS_close, fd, 0, 0, 0, 0);
		return r;
	}
	return fd;
}

/* Answers with a byte, and the socket where there is one. */
static inline void bare_hand_over(int worker_fd, long fd)
{
	char byte = fd >= 0 ? 1 : 0;
	struct iovec part = {.iov_base = &byte, .iov_len = 1};
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.bytes = {0}};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (fd >= 0) {
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int));
		*(int *)CMSG_DATA(&control.head) = (int)fd;
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	bare_call(SYS_sendmsg, worker_fd, (long)&message, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0);
}

/* The worker's side: a socket to that place, or -1. */
static inline int bare_borrow(int watcher_fd, enum bare_wish_kind kind, uint32_t which)
{
	const struct bare_wish wish = {.kind = kind, .which = which};
	char byte = 0;
	struct iovec part = {.iov_base = &byte, .iov_len = 1};
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.bytes = {0}};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};

	if (bare_call(SYS_write, watcher_fd, (long)&wish, sizeof(wish), 0, 0) !=
		    (long)sizeof(wish) ||
	    bare_call(SYS_recvmsg, watcher_fd, (long)&message, MSG_CMSG_CLOEXEC, 0, 0) != 1)
		return -1;
	return byte == 1 && message.msg_controllen >= CMSG_LEN(sizeof(int))
		       ? *(const int *)CMSG_DATA(&control.head)
		       : -1;
}

static inline void bare_say_ready(int watcher_fd)
{
	const struct bare_wish ready = {.kind = BARE_READY};

	bare_call(SYS_write, watcher_fd, (long)&ready, sizeof(ready), 0, 0);
}

/* ---- the worker's small things ---- */

/* to: an address, or NULL: where the socket is connected to (bare_filter.h). */
static inline long bare_send(int fd, const void *bytes, size_t len, const void *to, size_t to_len)
{
	return bare_call6(SYS_sendto, fd, (long)bytes, (long)len, MSG_DONTWAIT | MSG_NOSIGNAL,
			  (long)to, (long)to_len);
}

static inline int64_t bare_clock_ms(void)
{
	int64_t now[2] = {0, 0};

	/* CLOCK_MONOTONIC is 1. */
	bare_call(SYS_clock_gettime, 1, (long)now, 0, 0, 0);
	return now[0] * 1000 + now[1] / 1000000;
}

static inline void bare_close(int *fd)
{
	if (*fd >= 0)
		bare_call(SYS_close, *fd, 0, 0, 0, 0);
	*fd = -1;
}

static inline void bare_sooner(int64_t until_ms, int64_t *ms)
{
	if (*ms < 0 || until_ms < *ms)
		*ms = until_ms;
}

static inline void bare_poll_for(struct pollfd *polled, int fd, short events)
{
	polled->fd = fd;
	polled->events = events;
	polled->revents = 0;
}

/* Until until_ms of the clock, which says now_ms; -1: for good. */
static inline long bare_poll(struct pollfd *polled, size_t n, int64_t until_ms, int64_t now_ms)
{
	int64_t wait_ms = until_ms - now_ms;
	long wait[2] = {0, 0};

	if (wait_ms > 0) {
		wait[0] = (long)(wait_ms / 1000);
		wait[1] = (long)(wait_ms % 1000 * 1000000);
	}
	return bare_call(SYS_ppoll, (long)polled, (long)n, until_ms < 0 ? 0 : (long)wait, 0, 0);
}

/* ---- the watcher ---- */

struct bare_watch {
	int control_fd; /* to the keeper */
	int confined;   /* the message that it is told once the worker is confined */
	/* Places that the worker may ask for. */
	const struct bare_peer *peers;
	unsigned n_peers;
	/* Begins the worker's life; memory: nobody who had read anything has written to it. */
	void (*work)(void *memory, int watcher_fd);
	void *memory;
	/* BARE_OTHER, what there is to it comes behind it. NULL: there is nothing else. */
	void (*other)(const struct bare_watch *w);
	int worker_fd;
	int worker_pid;
	bool has_said;
};

static inline void bare_watch_start(struct bare_watch *w)
{
	int pair[2] = {-1, -1};
	long pid;

	if (bare_call(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, (long)pair, 0) !=
	    0)
		bare_exit(125);
	pid = bare_call(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid < 0)
		bare_exit(125);
	if (pid == 0) {
		bare_call(SYS_close, pair[0], 0, 0, 0, 0);
		w->work(w->memory, pair[1]);
		bare_exit(125);
	}
	bare_call(SYS_close, pair[1], 0, 0, 0, 0);
	w->worker_fd = pair[0];
	w->worker_pid = (int)pid;
}

/* The worker sees the end of the keeper as well; a watcher that waits for one that does not is
 * killed, and the worker with it. */
static inline _Noreturn void bare_watch_finish(const struct bare_watch *w)
{
	bare_call(SYS_close, w->worker_fd, 0, 0, 0, 0);
	bare_call(SYS_wait4, w->worker_pid, 0, 0, 0, 0);
	bare_exit(0);
}

/* A moment later: whatever ends it may be there again. */
static inline void bare_watch_restart(struct bare_watch *w)
{
	struct pollfd keeper = {.fd = w->control_fd, .events = POLLIN};
	const long moment[2] = {0, 100000000};

	bare_call(SYS_close, w->worker_fd, 0, 0, 0, 0);
	bare_call(SYS_wait4, w->worker_pid, 0, 0, 0, 0);
	bare_call(SYS_ppoll, (long)&keeper, 1, (long)moment, 0, 0);
	if (keeper.revents != 0)
		bare_exit(0);
	bare_watch_start(w);
}

static inline void bare_watch_on_worker(struct bare_watch *w)
{
	struct bare_wish wish = {0};
	long fd = -EINVAL;
	long n = bare_call(SYS_read, w->worker_fd, (long)&wish, sizeof(wish), 0, 0);

	if (n == -EINTR)
		return;
	if (n != sizeof(wish)) {
		bare_watch_restart(w);
		return;
	}
	if (wish.kind == BARE_READY) {
		if (!w->has_said)
			bare_call(SYS_write, w->control_fd, (long)&w->confined, sizeof(w->confined),
				  0, 0);
		w->has_said = true;
		return;
	}
	if (wish.kind == BARE_OTHER && w->other != NULL) {
		w->other(w);
		return;
	}
	if (wish.which < w->n_peers)
		fd = bare_connect(&w->peers[wish.which], wish.kind == BARE_TCP);
	bare_hand_over(w->worker_fd, fd);
	if (fd >= 0)
		bare_call(SYS_close, fd, 0, 0, 0, 0);
}

static inline _Noreturn void bare_watch(struct bare_watch *w)
{
	bare_watch_start(w);
	for (;;) {
		struct pollfd fds[] = {{.fd = w->control_fd, .events = POLLIN},
				       {.fd = w->worker_fd, .events = POLLIN}};
		long ready = bare_call(SYS_ppoll, (long)fds, 2, 0, 0, 0);

		if (ready < 0 && ready != -EINTR)
			bare_exit(125);
		if (ready > 0 && fds[0].revents != 0)
			bare_watch_finish(w);
		if (ready > 0 && fds[1].revents != 0)
			bare_watch_on_worker(w);
	}
}

/* More than a stack may have. Zeroed, and there once it is touched. */
static inline void *bare_memory(size_t size)
{
	const long mask = 4095;
	long from = (bare_call(SYS_brk, 0, 0, 0, 0, 0) + mask) & ~mask;
	long to = from + (long)size;

	if (bare_call(SYS_brk, to, 0, 0, 0, 0) != to)
		bare_exit(125);
	return (void *)from;
}

#endif
