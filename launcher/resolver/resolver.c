/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The resolver of one sandbox: answers the DNS at 127.0.0.11 in its network namespace. Names of the
 * sandboxes in its networks it knows from the table of names (net/book.h), for others it asks the
 * host's name servers where a network of the sandbox's may leave the host.
 *
 * Theory of operation. The keeper opens everything: the sockets, bound in the sandbox's namespace
 * before the workload runs, and the table, to read. Then it executes this from a sealed memfd of
 * mode 0111, under the id of the sandbox's init. There are two processes:
 *
 *   watcher   this file. Reads no byte of anybody's. It forks the worker, and another one when that
 *             dies; each begins with the memory of a process that has seen nothing. For the worker
 *             it opens sockets of the host's namespace, connected to one of the name servers, of
 *             which it knows the addresses; it is asked for the number of one of them.
 *   worker    serve.h. Reads what the workload and the name servers send. It can open nothing, and
 *             connect to nothing: it has the sandbox's sockets, the table, and what the watcher
 *             hands it. No capability, no_new_privs, a Landlock domain that allows nothing, a
 *             filter of eleven system calls.
 *
 * The watcher ends when the keeper's end of the control socket is closed, and the worker with the
 * watcher. Nothing of one sandbox's questions is in the process that another one's reach.
 */
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
#include "launcher/resolver/serve_loop.h"
#include "launcher/resolver_image.h"

/* What the compiler and net/ may call, without libc; string.h has the names. */
#if defined(__x86_64__)
void *memcpy(void *dest, const void *src, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((char *)dest)[i] = ((const char *)src)[i];
	return dest;
}
#endif

void *memset(void *s, int c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((char *)s)[i] = (char)c;
	return s;
}

int memcmp(const void *s1, const void *s2, size_t n)
{
	const unsigned char *left = s1, *right = s2;

	for (size_t i = 0; i < n; i++)
		if (left[i] != right[i])
			return left[i] - right[i];
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	const unsigned char *bytes = s;

	for (size_t i = 0; i < n; i++)
		if (bytes[i] == (unsigned char)c)
			return (void *)(bytes + i);
	return NULL;
}

size_t strlen(const char *s)
{
	size_t len = 0;

	while (s[len] != '\0')
		len++;
	return len;
}

/* ---- the watcher's confinement ---- */

#define ALLOW(call)                                        \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* What it does, what it does on the way to the worker's confinement, and what the worker does: a
 * filter is inherited. */
static const struct sock_filter watcher_filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BARE_NATIVE_ARCH, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	ALLOW(SYS_ppoll),
	ALLOW(SYS_read),
	ALLOW(SYS_write),
	ALLOW(SYS_close),
	ALLOW(SYS_exit_group),
	ALLOW(SYS_connect),
	ALLOW(SYS_sendmsg),
	ALLOW(SYS_wait4),
	ALLOW(SYS_socketpair),
	/* the worker's way */
	ALLOW(SYS_prctl),
	ALLOW(SYS_prlimit64),
	ALLOW(SYS_landlock_create_ruleset),
	ALLOW(SYS_landlock_restrict_self),
	ALLOW(SYS_seccomp),
	/* the worker */
	ALLOW(SYS_recvmsg),
	ALLOW(SYS_accept4),
	ALLOW(SYS_pread64),
	ALLOW(SYS_getrandom),
	ALLOW(SYS_clock_gettime),
	/* socket: of IPv4 and IPv6 alone; clone: a process, with nothing new */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 4),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 4),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 2),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SIGCHLD, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

/* As bare_confine, but that it may fork, and connect to name servers. */
static void confine_watcher(void)
{
	const struct sock_fprog program = {.len = sizeof(watcher_filter) /
						  sizeof(watcher_filter[0]),
					   .filter = (struct sock_filter *)watcher_filter};

	if (bare_call(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    bare_call(SYS_prctl, PR_SET_NAME, (long)"cordon-resolver", 0, 0, 0) != 0 ||
	    bare_call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		bare_exit(125);
	bare_lower_priority();
	bare_forbid_files(RESOLVER_PORT);
	bare_no_more_of(RLIMIT_FSIZE, 0);
	bare_no_more_of(RLIMIT_NOFILE, SERVE_FDS_MAX);
	if (bare_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long)&program, 0, 0) != 0)
		bare_exit(125);
}

/* ---- name servers ---- */

struct upstream {
	uint8_t address[16];
	uint32_t scope;
};

struct watcher {
	const char *run;
	struct serve *memory; /* the worker's; nobody has written to it here */
	struct upstream upstreams[RESOLVER_UPSTREAMS_MAX];
	unsigned n_upstreams;
	int worker_fd;
	int worker_pid;
	bool has_said;
};

static uint32_t hex_digit(char c)
{
	return (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void parse_upstreams(struct watcher *w, const char *text)
{
	for (w->n_upstreams = 0; w->n_upstreams < RESOLVER_UPSTREAMS_MAX; w->n_upstreams++) {
		struct upstream *to = &w->upstreams[w->n_upstreams];

		for (unsigned i = 0; i < RESOLVER_UPSTREAM_DIGITS; i++)
			if (text[i] == '\0')
				return;
		for (size_t i = 0; i < sizeof(to->address); i++)
			to->address[i] =
				(uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
		to->scope = 0;
		for (unsigned i = 32; i < RESOLVER_UPSTREAM_DIGITS; i++)
			to->scope = to->scope << 4 | hex_digit(text[i]);
		text += RESOLVER_UPSTREAM_DIGITS;
	}
}

static bool is_ipv4(const struct upstream *upstream)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(upstream->address, mapped, sizeof(mapped)) == 0;
}

/* A socket whose other end is that name server: who sends to it is that one, or lies about where it
 * is. The kernel chooses the port, at random. Returns it, or -errno. */
static long connect_to(const struct upstream *upstream, bool is_tcp)
{
	struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = __builtin_bswap16(53)};
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = __builtin_bswap16(53)};
	bool short_one = is_ipv4(upstream);
	int type = (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
	long fd = bare_call(SYS_socket, short_one ? AF_INET : AF_INET6, type, 0, 0, 0);
	long r;

	if (fd < 0)
		return fd;
	memcpy(&ipv4.sin_addr, upstream->address + 12, 4);
	memcpy(&ipv6.sin6_addr, upstream->address, 16);
	ipv6.sin6_scope_id = upstream->scope;
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
static void hand_over(const struct watcher *w, long fd)
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
	bare_call(SYS_sendmsg, w->worker_fd, (long)&message, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0);
}

/* ---- the worker, as the watcher sees it ---- */

static void start_worker(struct watcher *w)
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
		w->memory->run = w->run;
		w->memory->n_upstreams = w->n_upstreams;
		serve(w->memory, pair[1]);
	}
	bare_call(SYS_close, pair[1], 0, 0, 0, 0);
	w->worker_fd = pair[0];
	w->worker_pid = (int)pid;
}

/* The worker sees the end of the keeper as well; a watcher that waits for one that does not is
 * killed, and the worker with it. */
static _Noreturn void finish(const struct watcher *w)
{
	bare_call(SYS_close, w->worker_fd, 0, 0, 0, 0);
	bare_call(SYS_wait4, w->worker_pid, 0, 0, 0, 0);
	bare_exit(0);
}

/* A moment later: whatever ends it may be there again. */
static void restart_worker(struct watcher *w)
{
	struct pollfd keeper = {.fd = RESOLVER_CONTROL_FD, .events = POLLIN};
	const long moment[2] = {0, 100000000};

	bare_call(SYS_close, w->worker_fd, 0, 0, 0, 0);
	bare_call(SYS_wait4, w->worker_pid, 0, 0, 0, 0);
	bare_call(SYS_ppoll, (long)&keeper, 1, (long)moment, 0, 0);
	if (keeper.revents != 0)
		bare_exit(0);
	start_worker(w);
}

/* It is the keeper's to look at the address: what is passed on here is numbers. */
static void admit(const struct watcher *w, const struct resolver_wish *wish)
{
	int verdict = 0;
	char byte;

	if (bare_call(SYS_write, RESOLVER_CONTROL_FD, (long)wish, sizeof(*wish), 0, 0) !=
		    (long)sizeof(*wish) ||
	    bare_call(SYS_read, RESOLVER_CONTROL_FD, (long)&verdict, sizeof(verdict), 0, 0) !=
		    (long)sizeof(verdict))
		bare_exit(0);
	byte = verdict == 1 ? 1 : 0;
	bare_call(SYS_write, w->worker_fd, (long)&byte, 1, 0, 0);
}

static void on_worker(struct watcher *w)
{
	struct serve_wish wish = {0};
	long fd = -EINVAL;
	long n = bare_call(SYS_read, w->worker_fd, (long)&wish, sizeof(wish), 0, 0);
	int message = RESOLVER_CONFINED;

	if (n == -EINTR)
		return;
	if (n != sizeof(wish)) {
		restart_worker(w);
		return;
	}
	if (wish.kind == SERVE_READY) {
		if (!w->has_said)
			bare_call(SYS_write, RESOLVER_CONTROL_FD, (long)&message, sizeof(message),
				  0, 0);
		w->has_said = true;
		return;
	}
	if (wish.kind == SERVE_ADMIT) {
		admit(w, &wish.admit);
		return;
	}
	if (wish.upstream < w->n_upstreams)
		fd = connect_to(&w->upstreams[wish.upstream], wish.kind == SERVE_TCP);
	hand_over(w, fd);
	if (fd >= 0)
		bare_call(SYS_close, fd, 0, 0, 0, 0);
}

/* More than a stack may have. Zeroed, and there once it is touched. */
static struct serve *get_memory(void)
{
	const long mask = 4095;
	long from = (bare_call(SYS_brk, 0, 0, 0, 0, 0) + mask) & ~mask;
	long to = from + (long)sizeof(struct serve);

	if (bare_call(SYS_brk, to, 0, 0, 0, 0) != to)
		bare_exit(125);
	return (struct serve *)from;
}

/* Before it gives up what it can do. */
static void read_rules(struct serve *memory)
{
	size_t len = 0;
	long n;

	do {
		n = bare_call(SYS_pread64, RESOLVER_RULES_FD, (long)(memory->rules_text + len),
			      (long)(sizeof(memory->rules_text) - len), (long)len, 0);
		if (n < 0)
			bare_exit(125);
		len += (size_t)n;
	} while (n > 0);
	memory->rules.text = memory->rules_text;
	memory->rules.len = len;
}

_Noreturn void bare_main(long *stack)
{
	struct watcher w;

	if (stack[0] != 3)
		bare_exit(125);
	w.run = (const char *)stack[2];
	w.has_said = false;
	w.memory = get_memory();
	read_rules(w.memory);
	parse_upstreams(&w, (const char *)stack[3]);
	confine_watcher();
	start_worker(&w);
	for (;;) {
		struct pollfd fds[] = {{.fd = RESOLVER_CONTROL_FD, .events = POLLIN},
				       {.fd = w.worker_fd, .events = POLLIN}};
		long ready = bare_call(SYS_ppoll, (long)fds, 2, 0, 0, 0);

		if (ready < 0 && ready != -EINTR)
			bare_exit(125);
		if (ready > 0 && fds[0].revents != 0)
			finish(&w);
		if (ready > 0 && fds[1].revents != 0)
			on_worker(&w);
	}
}
