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
#include <sys/mman.h>

#include "launcher/bare_string.h"
#include "launcher/bare_watch.h"
#include "launcher/resolver/serve_loop.h"
#include "launcher/resolver_image.h"

static const struct sock_filter watcher_filter[] =
	BARE_WATCH_FILTER(BARE_ALLOW(SYS_pread64), BARE_ALLOW(SYS_getrandom));

static const uint16_t ports[] = {RESOLVER_PORT};

static unsigned parse_upstreams(const char *text, struct bare_peer *ret)
{
	for (unsigned n = 0; n < RESOLVER_UPSTREAMS_MAX; n++) {
		for (unsigned i = 0; i < RESOLVER_UPSTREAM_DIGITS; i++)
			if (text[i] == '\0')
				return n;
		bare_hex_address(text, ret[n].address);
		ret[n].scope = bare_hex(text + 32, RESOLVER_UPSTREAM_DIGITS - 32);
		ret[n].port = RESOLVER_PORT;
		text += RESOLVER_UPSTREAM_DIGITS;
	}
	return RESOLVER_UPSTREAMS_MAX;
}

/* It is the keeper's to look at the address: what is passed on here is numbers. */
static void admit(const struct bare_watch *w)
{
	struct resolver_wish wish = {0};
	int verdict = 0;
	char byte;

	if (bare_call(SYS_read, w->worker_fd, (long)&wish, sizeof(wish), 0, 0) !=
	    (long)sizeof(wish))
		return;
	if (bare_call(SYS_write, w->control_fd, (long)&wish, sizeof(wish), 0, 0) !=
		    (long)sizeof(wish) ||
	    bare_call(SYS_read, w->control_fd, (long)&verdict, sizeof(verdict), 0, 0) !=
		    (long)sizeof(verdict))
		bare_exit(0);
	byte = verdict == 1 ? 1 : 0;
	bare_call(SYS_write, w->worker_fd, (long)&byte, 1, 0, 0);
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

/* Each worker has it, and what another one has left there; the watcher never looks. */
static struct resolver_notes *map_notes(void)
{
	long at = bare_call6(SYS_mmap, 0, sizeof(struct resolver_notes), PROT_READ | PROT_WRITE,
			     MAP_SHARED, RESOLVER_NOTES_FD, 0);

	if (at < 0 && at > -4096)
		bare_exit(125);
	return (struct resolver_notes *)at;
}

_Noreturn void bare_main(long *stack)
{
	const struct bare_ports reached = {.list = ports, .n = 1};
	const struct bare_watch_limits limits = {.name = "cordon-resolver",
						 .ports = &reached,
						 .n_fds = SERVE_FDS_MAX};
	const struct sock_fprog program = {.len = sizeof(watcher_filter) /
						  sizeof(watcher_filter[0]),
					   .filter = (struct sock_filter *)watcher_filter};
	struct bare_peer upstreams[RESOLVER_UPSTREAMS_MAX];
	struct bare_watch w = {.control_fd = RESOLVER_CONTROL_FD,
			       .confined = RESOLVER_CONFINED,
			       .peers = upstreams,
			       .work = serve,
			       .other = admit};
	struct serve *memory = bare_memory(sizeof(*memory));

	if (stack[0] != 3)
		bare_exit(125);
	w.n_peers = parse_upstreams((const char *)stack[3], upstreams);
	memory->run = (const char *)stack[2];
	memory->n_upstreams = w.n_peers;
	w.memory = memory;
	read_rules(memory);
	memory->notes = map_notes();
	bare_watch_confine(&limits, &program);
	bare_watch(&w);
}
