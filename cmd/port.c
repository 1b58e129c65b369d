/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon port`: which ports of the host's are a sandbox's. The host's nf_tables are asked: what is
 * printed is what holds. */
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "cmd/life.h"
#include "cmd/print.h"
#include "net/endpoint.h"
#include "net/publish.h"

struct port_question {
	const char *port; /* "80/tcp"; NULL: all */
	size_t n;
};

static void tell(void *ctx, const char *inside, const char *outside)
{
	struct port_question *question = ctx;

	if (question->port == NULL)
		print_out("%s -> %s\n", inside, outside);
	else if (str_equal(question->port, inside))
		print_out("%s\n", outside);
	else
		return;
	question->n++;
}

static int ask(const struct sandbox_status *status, struct port_question *question, struct err *err)
{
	const struct publish_reader reader = {.each = tell, .ctx = question};
	struct netlink nft = {.fd = -EBADF};
	char port[IFNAMSIZ];
	int r = netlink_open(NETLINK_NETFILTER, &nft, err);

	/* Of whichever of its networks: all but the last digit is the run's. */
	endpoint_host_name(status->live.run_id, 0, port);
	port[strlen(port) - 1] = '\0';
	if (r == 0)
		r = publish_walk(&nft, port, &reader, err);
	netlink_close(&nft);
	return r;
}

static int port_of_one(const struct life *life, struct sandbox *sandbox, const char *ref)
{
	struct port_question question = {.port = life->how};
	struct sandbox_status status = {0};
	struct err err = {0};
	int r = status_read(life->records, sandbox, &status, &err);

	if (r == 0 && (status.state == SANDBOX_RUNNING || status.state == SANDBOX_PAUSED))
		r = ask(&status, &question, &err);
	status_release(&status);
	if (r == 0 && question.port != NULL && question.n == 0)
		r = err_set(&err, ERR_USAGE, 0, "sandbox %s: port %s is not published", ref,
			    question.port);
	return r < 0 ? life_say(&err) : 0;
}

int cmd_port(const struct cmd_context *context, int argc, char **argv)
{
	char *only[2] = {NULL, NULL};
	char port[32] = "";
	struct words words;
	int exit_code, n;

	(void)argc;
	n = life_parse("port", argv, 1, &words, &exit_code);
	if (n < 0)
		return exit_code;
	if (n > 2) {
		print_note("port takes a sandbox and a port, but was given %s as well", argv[3]);
		return EXIT_CORDON;
	}
	if (geteuid() != 0) {
		print_note("port: takes root in this build, as networks do");
		return EXIT_CORDON;
	}
	if (n == 2)
		str_format(port, sizeof(port), "%s%s", argv[2],
			   strchr(argv[2], '/') == NULL ? "/tcp" : "");
	only[0] = argv[1];
	return life_for_each(context, only, port_of_one, n == 2 ? port : NULL, true);
}
