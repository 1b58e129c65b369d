/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which ports of the host's are sandboxes': as its nf_tables have them now, so what is printed is
 * what holds. And which ports a sandbox has that are nobody's outside (net/offers.h). */
#ifndef CORDON_CMD_PORTS_H
#define CORDON_CMD_PORTS_H

#include <limits.h>

#include "base/json.h"
#include "cmd/page.h"
#include "net/publish.h"

struct ports {
	struct ports_line *list; /* malloc, in the order in which they are printed */
	size_t n;
	char run[PATH_MAX]; /* the run root, below which runs say what they have; "": they do not */
};

struct ports_line {
	char owner[IFNAMSIZ]; /* the port of its bridge */
	struct publish_port port;
};

/* Free with ports_free, also where it failed. Needs: CAP_NET_ADMIN. */
int must_check ports_read(struct ports *ret, struct err *err);
void ports_free(struct ports *ports);

/* The next one of the run behind at (NULL: the first), or NULL. */
const struct ports_line *ports_next(const struct ports *ports, const char *run_id,
				    const struct ports_line *at);

/* "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp"; where the numbers are the same, ranges:
 * "0.0.0.0:80-82->80-82/tcp". Behind them those that are not published: "5432/tcp",
 * "8000-8002/tcp". */
void ports_put_text(const struct ports *ports, const char *run_id, struct page *page);
/* "ports", an array; of those that are not published host_address and host_port are null. */
void ports_put_json(const struct ports *ports, const char *run_id, struct json *json);

#endif
