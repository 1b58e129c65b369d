/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The worker of a sandbox's resolver (resolver.c has the theory): the only part that reads what a
 * workload or a name server sends.
 *
 * It waits for nobody alone: one poll(2) of everything, each question with a deadline of its own,
 * so that a name server that is dead keeps up nothing but who asked it, and that for a few seconds.
 * All that can grow has a bound: questions a second, questions that wait for a name server,
 * connections. Who has used them up waits, or is told SERVFAIL; that is one sandbox, for another
 * one has a resolver of its own.
 */
#ifndef CORDON_LAUNCHER_RESOLVER_SERVE_H
#define CORDON_LAUNCHER_RESOLVER_SERVE_H

#include "launcher/bare_watch.h"
#include "launcher/resolver/serve_filter.h"
#include "launcher/resolver/serve_notes.h"
#include "launcher/resolver_image.h"
#include "net/answer.h"

enum {
	SERVE_ASKS_MAX = 64,   /* over UDP, that wait for a name server */
	SERVE_CLIENTS_MAX = 8, /* connections of the workload's */
	SERVE_POLLED_MAX = 3 + SERVE_ASKS_MAX + SERVE_CLIENTS_MAX,
	SERVE_FDS_MAX = RESOLVER_FDS + 2 + SERVE_ASKS_MAX + 2 * SERVE_CLIENTS_MAX + 8,
	/* How long one name server has, and how many are asked at least: before a libc gives up,
	 * which is after 5 s (resolv.conf(5)), it is told. */
	SERVE_TRY_MS = 1500,
	SERVE_TRIES = 2,
	SERVE_IDLE_MS = 10000,
	SERVE_BURST = 500, /* questions at once, and then one a millisecond */
	SERVE_REST_MS = 10,
	SERVE_ADMISSIONS = 200, /* addresses at once, and then one each SERVE_ADMISSION_MS */
	SERVE_ADMISSION_MS = 10,
	SERVE_AT_ONCE = 32,
	SERVE_QUESTION_MAX = 1500,
	SERVE_WRONG_MAX = 16, /* answers to something else, until the next server is asked */
};

/* Where a question is on its way to a name server. */
struct serve_way {
	int fd; /* -1: nowhere */
	uint16_t id;
	unsigned upstream;
	unsigned tries;
	unsigned wrong;
	int64_t until_ms;
	struct dns_query query;
};

struct serve_ask {
	struct serve_way way;
	struct sockaddr_in from;
};

enum serve_state { SERVE_READS, SERVE_ASKS, SERVE_HEARS, SERVE_WRITES };

struct serve_client {
	int fd; /* -1: none */
	enum serve_state state;
	struct serve_way way;
	size_t have; /* bytes read, or written */
	size_t size; /* to be written */
	int64_t until_ms;
	uint8_t bytes[2 + DNS_MESSAGE_MAX];
};

struct serve {
	const char *run;
	unsigned n_upstreams;
	unsigned preferred; /* the one that answered last */
	int watcher_fd;
	int64_t now_ms;
	int64_t left; /* questions that may be read now */
	struct book names;
	uint64_t generation; /* of those */
	unsigned table;      /* which text they are in */
	struct serve_ask asks[SERVE_ASKS_MAX];
	struct serve_client clients[SERVE_CLIENTS_MAX];
	uint8_t message[DNS_MESSAGE_MAX];
	struct answer answer; /* of what is being read */
	struct answer_rules rules;
	struct resolver_notes *notes;
	int64_t admissions; /* that may be asked for now */
	char rules_text[RESOLVER_RULES_MAX];
	char texts[2][BOOK_TEXT_MAX];
};

/* ---- confinement ---- */

static inline void serve_confine(void)
{
	const struct sock_fprog program = {.len = sizeof(serve_filter) / sizeof(serve_filter[0]),
					   .filter = (struct sock_filter *)serve_filter};

	bare_work_confine("cordon-dns", SERVE_FDS_MAX, &program);
}

static inline uint16_t serve_random(void)
{
	uint16_t id;

	if (bare_call(SYS_getrandom, (long)&id, sizeof(id), 0, 0, 0) != (long)sizeof(id))
		bare_exit(125);
	return id;
}

/* ---- the table of names ---- */

static inline long serve_read_at(void *ctx, void *buf, size_t size, uint64_t offset)
{
	(void)ctx;
	return bare_call(SYS_pread64, RESOLVER_NAMES_FD, (long)buf, (long)size, (long)offset, 0);
}

/* What is known stays where nothing newer is whole. */
static inline void serve_look_at_names(struct serve *s)
{
	const struct book_file file = {.read_at = serve_read_at};
	struct book_head head;
	unsigned slot;

	if (book_load(&file, s->generation, &head, s->texts[1 - s->table], &slot) != 1)
		return;
	s->table = 1 - s->table;
	s->generation = head.generation;
	s->names.text = s->texts[s->table];
	s->names.len = (size_t)head.length;
}

static inline enum answer_kind serve_decide(struct serve *s, const uint8_t *question, size_t len,
					    bool is_udp)
{
	const struct answer_way way = {.rules = s->rules.len > 0 ? &s->rules : NULL,
				       .names = &s->names,
				       .run = s->run,
				       .has_upstream = s->n_upstreams > 0,
				       .is_udp = is_udp};

	enum answer_kind kind;

	s->left--;
	kind = answer_query(&way, question, len, &s->answer);
	if (kind == ANSWER_SEND && s->answer.is_forbidden)
		serve_note_refused(s->notes, &s->answer.query);
	return kind;
}

/* The length of an answer that says only that something is wrong. */
static inline size_t serve_fail(struct serve *s, const struct dns_query *query)
{
	return answer_say(query, DNS_SERVFAIL, s->answer.bytes);
}

/* ---- names that are allowed ---- */

/* Whether the sandbox may reach it from now on. */
static inline bool serve_admit(struct serve *s, const struct resolver_wish *admit)
{
	const struct bare_wish wish = {.kind = BARE_OTHER};
	char byte = 0;

	if (s->admissions <= 0)
		return false;
	s->admissions--;
	return bare_call(SYS_write, s->watcher_fd, (long)&wish, sizeof(wish), 0, 0) ==
		       (long)sizeof(wish) &&
	       bare_call(SYS_write, s->watcher_fd, (long)admit, sizeof(*admit), 0, 0) ==
		       (long)sizeof(*admit) &&
	       bare_call(SYS_read, s->watcher_fd, (long)&byte, 1, 0, 0) == 1 && byte == 1;
}

static inline bool serve_admit_all(struct serve *s, const struct dns_query *query,
				   const struct answer_addresses *addresses)
{
	char name[DNS_TEXT_MAX];
	struct resolver_wish wish = {.ttl = addresses->ttl, .is_ipv6 = addresses->is_ipv6};
	unsigned groups =
		dns_plain_text(&query->name, name) ? answer_find_rules(&s->rules, name) : 0;

	for (size_t i = 0; i < addresses->n; i++) {
		memcpy(wish.address, addresses->list[i], sizeof(wish.address));
		for (wish.group = 0; groups >> wish.group != 0; wish.group++)
			if ((groups >> wish.group & 1) != 0 && !serve_admit(s, &wish))
				return false;
		serve_note_known(s->notes, name, wish.is_ipv6, wish.address);
	}
	return true;
}

/*
 * A name server's good answer in message, as the client gets it: as it is, or where names are
 * allowed one by one, written anew in s->answer with addresses that can be reached by then. Returns
 * its bytes.
 */
static inline uint8_t *serve_finish(struct serve *s, const struct dns_query *query,
				    uint8_t *message, size_t *len, size_t most)
{
	struct answer_addresses addresses;
	uint8_t *own = s->answer.bytes;

	if (s->rules.len == 0) {
		*len = dns_pass_on(message, *len, query, most);
		return message;
	}
	if ((message[3] & 0xfU) != DNS_NOERROR)
		*len = answer_say(query, (enum dns_rcode)(message[3] & 0xfU), own);
	else if (!answer_read_addresses(message, *len, query, &addresses))
		*len = answer_say(query, DNS_SERVFAIL, own);
	else if (!serve_admit_all(s, query, &addresses))
		*len = answer_say(query, DNS_REFUSED, own);
	else
		*len = answer_say_addresses(query, &addresses, most, own);
	return own;
}

/* ---- name servers ---- */

/* One that did not answer is not the first that is asked any more. */
static inline void serve_next(struct serve *s, struct serve_way *way)
{
	bare_close(&way->fd);
	if (s->preferred == way->upstream)
		s->preferred = (way->upstream + 1) % s->n_upstreams;
	way->upstream = (way->upstream + 1) % s->n_upstreams;
}

static inline void serve_begin(struct serve *s, struct serve_way *way)
{
	way->fd = -1;
	way->tries = way->wrong = 0;
	way->upstream = s->preferred;
}

/* Turns to the name server whose turn it is. False: each had its turns. */
static inline bool serve_reach(struct serve *s, struct serve_way *way, enum bare_wish_kind kind)
{
	while (way->tries < SERVE_TRIES || way->tries < s->n_upstreams) {
		way->tries++;
		way->fd = bare_borrow(s->watcher_fd, kind, way->upstream);
		if (way->fd >= 0) {
			way->id = serve_random();
			way->wrong = 0;
			way->until_ms = s->now_ms + SERVE_TRY_MS;
			return true;
		}
		serve_next(s, way);
	}
	return false;
}

/* Another one may know better. */
static inline bool serve_is_no_answer(const struct serve *s, const struct serve_way *way,
				      const uint8_t *message)
{
	unsigned rcode = message[3] & 0xfU;

	return way->tries < s->n_upstreams &&
	       (rcode == DNS_SERVFAIL || rcode == DNS_NOTIMP || rcode == DNS_REFUSED);
}

#endif
