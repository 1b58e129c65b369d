/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See admission.h. */
#include "launcher/admission.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "launcher/confined.h"
#include "launcher/launch.h"

enum { SECONDS_LEAST = 60, SECONDS_MOST = 86400, LINE_MAX_BYTES = 260 };

/* What one question counts, and how far ahead of the clock it may be. Somewhat more than what the
 * worker asks by itself (SERVE_ADMISSIONS), which somebody may have taken over. */
enum { QUESTION_MS = 8, AHEAD_MS = 250 * QUESTION_MS };

static const char names_what[] = "network.egress: names for the resolver";

/* ---- what may be asked for ---- */

static int write_names(int fd, const struct spec_egress *egress)
{
	size_t total = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < egress->n_names; i++) {
		char line[LINE_MAX_BYTES];
		size_t len = str_format(line, sizeof(line), "%u %s\n", egress->names[i].group,
					egress->names[i].name);

		total += len;
		r = total > RESOLVER_RULES_MAX ? -E2BIG : io_write_all(fd, line, len);
	}
	return r;
}

int admission_write_rules(const struct spec_egress *egress, struct err *err)
{
	_cleanup_fd_ int fd = memfd_create("cordon-names", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : write_names(fd, egress);

	if (r == -E2BIG)
		return err_set(err, ERR_SETUP, E2BIG, "network.egress: names of more than %d bytes",
			       RESOLVER_RULES_MAX);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s", names_what) : steal_fd(&fd);
}

/* ---- which address ---- */

/* RFC 6890 and its like: what is not somebody's in the internet. */
static const char *const special[] = {
	"0.0.0.0/8",     "10.0.0.0/8",   "100.64.0.0/10",  "127.0.0.0/8",   "169.254.0.0/16",
	"172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
	"::/16",         "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16",     "fc00::/7",
	"fe80::/9",      "ff00::/8",
};

bool admission_is_public(const struct net_prefix *address)
{
	struct net_prefix prefix;

	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (address_parse_prefix(special[i], &prefix) < 0 ||
		    address_is_within(address, &prefix))
			return false;
	return true;
}

/* By its own rule it can be reached whoever says its name. */
static bool is_allowed(const struct spec_egress *egress, const struct net_prefix *address)
{
	for (size_t i = 0; i < egress->n_allow; i++) {
		const struct spec_egress_rule *rule = &egress->allow[i];
		struct net_prefix prefix = {.family = rule->family, .length = rule->length};

		memcpy(prefix.bytes, rule->address, sizeof(prefix.bytes));
		if (address_is_within(address, &prefix))
			return true;
	}
	return false;
}

static bool admit(struct launch *launch, const struct resolver_wish *wish)
{
	const struct spec_egress *egress = &launch->spec->network.reach;
	struct egress_admission admission = {.address = {.family = wish->is_ipv6 != 0 ? AF_INET6
										      : AF_INET},
					     .group = wish->group,
					     .seconds = wish->ttl < SECONDS_LEAST  ? SECONDS_LEAST
							: wish->ttl > SECONDS_MOST ? SECONDS_MOST
										   : wish->ttl};
	struct netlink nft = {.fd = -EBADF};
	struct err ignored;
	int r;

	admission.address.length = address_bits(&admission.address);
	memcpy(admission.address.bytes, wish->address, admission.address.length / 8U);
	if (wish->group >= egress->n_groups)
		return false;
	if (!admission_is_public(&admission.address))
		return is_allowed(egress, &admission.address);
	r = netlink_open(NETLINK_NETFILTER, &nft, &ignored);
	if (r == 0)
		r = egress_admit(&nft, launch->run.id, &admission, &ignored);
	netlink_close(&nft);
	return r == 0;
}

/* ---- the conversation ---- */

static bool is_asked(const struct launch *launch)
{
	return launch->spec->network.reach.n_names > 0 && launch->resolver.pid > 0 &&
	       launch->resolver.control_fd >= 0;
}

int admission_patience(const struct launch *launch, int64_t now_ms)
{
	int64_t ahead_ms = launch->resolver.busy_until_ms - now_ms;

	return is_asked(launch) && ahead_ms > AHEAD_MS ? (int)(ahead_ms - AHEAD_MS) : -1;
}

int admission_fd(const struct launch *launch, int64_t now_ms)
{
	return is_asked(launch) && admission_patience(launch, now_ms) < 0
		       ? launch->resolver.control_fd
		       : -EBADF;
}

void admission_answer(struct launch *launch, int64_t now_ms)
{
	struct resolver_process *resolver = &launch->resolver;
	struct resolver_wish wish;
	ssize_t n = recv(resolver->control_fd, &wish, sizeof(wish), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (resolver->busy_until_ms < now_ms)
		resolver->busy_until_ms = now_ms;
	resolver->busy_until_ms += QUESTION_MS;
	/* It is gone, or speaks another language. */
	if (n != (ssize_t)sizeof(wish) ||
	    confined_say(resolver->control_fd, admit(launch, &wish)) < 0)
		close_fd(&resolver->control_fd);
}
