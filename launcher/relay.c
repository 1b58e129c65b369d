/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See relay.h. */
#include "launcher/relay.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "launcher/confined.h"
#include "launcher/launch.h"

enum { START_MS = 10000, FINISH_MS = 2000 };

_Static_assert((int)RELAY_PORTS_MAX == 2 * (int)SPEC_PUBLISH_MAX, "IPv4 and IPv6");
_Static_assert((int)RELAY_PORTS_MAX <= (int)CONFINED_FDS_MAX, "a descriptor each");

static const char relay_what[] = "the relay of published ports";

bool relay_is_wanted(const struct decision *decision)
{
	return publish_is_looped(&decision->spec.network);
}

/* As relay_image.h has it. */
static void put_address(const struct net_prefix *address, char ret[RELAY_ADDRESS_DIGITS + 1])
{
	uint8_t bytes[16] = {[10] = 0xff, [11] = 0xff};

	memcpy(address->family == AF_INET ? bytes + 12 : bytes, address->bytes,
	       address->family == AF_INET ? 4 : sizeof(bytes));
	confined_put_hex(bytes, sizeof(bytes), ret);
	ret[RELAY_ADDRESS_DIGITS] = '\0';
}

static void add_socket(const struct publish_port *port, size_t family, struct confined_image *image,
		       char *places)
{
	char *place = places + image->n_fds * RELAY_PORT_DIGITS;
	const uint8_t number[2] = {(uint8_t)(port->inside >> 8), (uint8_t)port->inside};

	place[0] = publish_protocol(port->protocol)[0];
	place[1] = family == 0 ? '1' : '2';
	confined_put_hex(number, sizeof(number), place + 2);
	place[RELAY_PORT_DIGITS] = '\0';
	image->fds[image->n_fds++] = port->loop_fds[family];
}

int relay_start(struct launch *launch, struct err *err)
{
	struct publish *publish = &launch->network.publish;
	bool has_ipv6 = publish->target6.family != 0;
	char first[RELAY_ADDRESS_DIGITS + 1], second[RELAY_ADDRESS_DIGITS + 1];
	char places[RELAY_PORTS_MAX * RELAY_PORT_DIGITS + 1] = "";
	struct confined_image image = {.name = "cordon-relay",
				       .bytes = relay_image,
				       .size = relay_image_size,
				       .what = relay_what,
				       .args = {first, second, places}};
	struct confined started;
	int r;

	/* ::1 of a sandbox without IPv6 leads to what it has. */
	put_address(&publish->target, first);
	put_address(has_ipv6 ? &publish->target6 : &publish->target, second);
	for (size_t i = 0; i < publish->n; i++)
		for (size_t k = 0; k < 2; k++)
			if (publish->list[i].loop_fds[k] >= 0)
				add_socket(&publish->list[i], k, &image, places);
	r = confined_start(launch, &image, &started, err);
	if (r < 0)
		return r;
	launch->relay = (struct relay_process){.pid = started.pid,
					       .pidfd = started.pidfd,
					       .control_fd = started.control_fd};
	/* Without it nobody is kept waiting: the ports are closed. */
	publish_release_loops(publish);
	return 0;
}

int relay_verify(struct launch *launch, struct err *err)
{
	if (launch->relay.pid > 0 &&
	    confined_receive(launch->relay.control_fd, START_MS) != RELAY_CONFINED)
		return err_set(err, ERR_SETUP, 0, "%s did not start", relay_what);
	return confined_verify(launch, launch->relay.pid, relay_what, err);
}

int relay_watch_fd(const struct launch *launch)
{
	const struct relay_process *relay = &launch->relay;

	return relay->pid > 0 && !relay->is_lost ? relay->pidfd : -1;
}

void relay_finish(struct launch *launch)
{
	struct relay_process *relay = &launch->relay;

	if (relay->pid <= 0)
		return;
	relay->pid = 0;
	close_fd(&relay->control_fd);
	ignore_result(confined_end(&relay->pidfd, FINISH_MS), "the sandbox is gone");
}
