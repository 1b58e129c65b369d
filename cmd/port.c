/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon port`: which ports of the host's are a sandbox's. */
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "cmd/life.h"
#include "cmd/ports.h"
#include "cmd/print.h"

/* Returns how many there are. */
static size_t tell(const struct ports *ports, const char *run_id, const char *wanted)
{
	size_t n = 0;

	for (const struct ports_line *line = ports_next(ports, run_id, NULL); line != NULL;
	     line = ports_next(ports, run_id, line)) {
		char inside[16], outside[PUBLISH_TEXT_MAX];

		str_format(inside, sizeof(inside), "%u/%s", line->port.inside,
			   publish_protocol(line->port.protocol));
		publish_outside(&line->port, outside);
		if (wanted != NULL && !str_equal(wanted, inside))
			continue;
		n++;
		if (wanted == NULL)
			print_out("%s -> %s\n", inside, outside);
		else
			print_out("%s\n", outside);
	}
	return n;
}

static int port_of_one(const struct life *life, struct sandbox *sandbox, const char *ref)
{
	const char *wanted = life->how; /* "80/tcp"; NULL: all */
	struct sandbox_status status = {0};
	struct ports ports = {.n = 0};
	struct err err = {0};
	size_t n = 0;
	int r = status_read(life->records, sandbox, &status, &err);

	if (r == 0 && (status.state == SANDBOX_RUNNING || status.state == SANDBOX_PAUSED)) {
		r = ports_read(&ports, &err);
		n = r == 0 ? tell(&ports, status.live.run_id, wanted) : 0;
		ports_free(&ports);
	}
	status_release(&status);
	if (r == 0 && wanted != NULL && n == 0)
		r = err_set(&err, ERR_USAGE, 0, "sandbox %s: port %s is not published", ref,
			    wanted);
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
