/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See forward.h. */
#include "net/forward.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "net/link.h"

/* Of either family: what says that the host forwards as a whole, and what a link of its own. */
static const struct family {
	int family;
	const char *name;
	const char *setting;
} families[] = {
	{AF_INET, "ipv4", "forwarding"},
	/* Linux 6.17; `forwarding` of one link alone forwards nothing, and makes it forget its
	 * routers (ip-sysctl.rst). */
	{AF_INET6, "ipv6", "force_forwarding"},
};

/* 1, 0; -ENOENT without err where the kernel has none. */
static int is_on(const struct family *family, const char *link, const char *setting,
		 struct err *err)
{
	_cleanup_fd_ int fd = -EBADF;
	char path[128], text[32];
	ssize_t n;

	str_format(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family->name, link, setting);
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd == -ENOENT)
		return fd;
	n = fd < 0 ? fd : io_read_fd(fd, text, sizeof(text));
	if (n < 0)
		return err_set(err, ERR_SETUP, (int)-n, "%s", path);
	return text[0] != '0';
}

/* ---- which links ---- */

struct finding {
	int family;
	int links[NFT_LENT_MAX]; /* indexes */
	size_t n;
	bool is_full;
};

static void find_link(struct finding *finding, int link)
{
	for (size_t i = 0; i < finding->n; i++)
		if (finding->links[i] == link)
			return;
	if (finding->n == NFT_LENT_MAX)
		finding->is_full = true;
	else
		finding->links[finding->n++] = link;
}

static int take_route(void *ctx, const struct netlink_message *message, struct err *err)
{
	struct finding *finding = ctx;
	struct net_route route;
	int r = link_read_route(message, &route);

	if (r < 0)
		return r == -EAFNOSUPPORT ? 0 : err_set(err, ERR_SETUP, -r, "list the routes");
	/* Every link has one of fe80::/10 where it has IPv6; that is no way anywhere. */
	if (route.link != 0 && route.type == RTN_UNICAST && route.to.family == finding->family &&
	    !(route.to.family == AF_INET6 && route.to.bytes[0] == 0xfe))
		find_link(finding, route.link);
	return 0;
}

static int find_links(const struct family *family, struct finding *ret, struct err *err)
{
	const struct netlink_reader reader = {.each = take_route, .ctx = ret};
	struct rtmsg head = {.rtm_family = (unsigned char)family->family};
	struct netlink netlink = {.fd = -EBADF};
	struct netlink_request request;
	int r = netlink_open(NETLINK_ROUTE, &netlink, err);

	*ret = (struct finding){.family = family->family};
	netlink_begin(&request, RTM_GETROUTE, NLM_F_DUMP, &head, sizeof(head));
	if (r == 0)
		r = netlink_ask(&netlink, &request, "list the routes", &reader, err);
	netlink_close(&netlink);
	if (r == 0 && ret->is_full)
		r = err_set(err, ERR_SETUP, ENOBUFS, "the host's routes name more than %d links",
			    NFT_LENT_MAX);
	return r;
}

/* ---- switching on ---- */

static int set(const struct family *family, const char *link, const char *value, struct err *err)
{
	return link_set(family->name, link, family->setting, value, err);
}

/* Returns 1 where it was switched on. */
static int lend(struct netlink *nft, const struct family *family, const char *link, struct err *err)
{
	int r = is_on(family, link, family->setting, err);

	/* A link that has gone meanwhile, or none of this family. */
	if (r != 0)
		return r == 1 || r == -ENOENT ? 0 : r;
	r = nft_is_bridge(nft, link, err);
	if (r != 0)
		return r == 1 ? 0 : r;
	r = nft_lend(nft, family->family, link, err);
	if (r == 0)
		r = set(family, link, "1", err);
	return r == 0 ? 1 : r == -ENOENT ? 0 : r;
}

static void say(char links[FORWARD_TEXT_MAX], const char *name)
{
	size_t len = strlen(links);

	if (strstr(links, name) == NULL)
		str_format(links + len, FORWARD_TEXT_MAX - len, "%s%s", len > 0 ? ", " : "", name);
}

static int lend_all(struct netlink *nft, const struct family *family, char links[FORWARD_TEXT_MAX],
		    struct err *err)
{
	struct finding finding;
	char name[IFNAMSIZ];
	int r = find_links(family, &finding, err);

	for (size_t i = 0; r >= 0 && i < finding.n; i++) {
		if (if_indextoname((unsigned)finding.links[i], name) == NULL ||
		    str_equal(name, "lo"))
			continue;
		r = lend(nft, family, name, err);
		if (r > 0)
			say(links, name);
	}
	return r < 0 ? r : 0;
}

static int take_back_all(struct netlink *nft, const struct family *family, bool switches_off,
			 struct err *err)
{
	struct nft_links lent;
	int r;

	/* What has no place in one list comes with the next. */
	do {
		r = nft_list_lent(nft, family->family, &lent, err);
		if (r == -ENOENT)
			return 0;
		for (size_t i = 0; r == 0 && i < lent.n; i++) {
			if (switches_off)
				r = set(family, lent.list[i], "0", err);
			if (r == 0 || r == -ENOENT)
				r = nft_take_back(nft, family->family, lent.list[i], err);
		}
	} while (r == 0 && lent.n == NFT_LENT_MAX);
	return r;
}

static int begin(struct netlink *nft, const struct family *family, const struct network *network,
		 char links[FORWARD_TEXT_MAX], struct err *err)
{
	int r = is_on(family, "all", "forwarding", err);

	/* An administrator has switched it on for all: nothing is ours to bound any more. */
	if (r == 1)
		r = take_back_all(nft, family, false, err);
	else if (r == 0)
		r = lend_all(nft, family, links, err);
	if (r == 0)
		r = set(family, network->bridge, "1", err);
	/* Only the setting of one link can be missing, and is not needed where all forward. */
	if (r == -ENOENT && family->family == AF_INET6 &&
	    is_on(family, "all", "forwarding", err) == 1)
		return 0;
	if (r == -ENOENT) {
		err_set(err, ERR_SETUP, ENOSYS,
			"network %s: this kernel forwards IPv6 for all links or for none",
			network->name);
		return err_hint(err, "Switch it on: sysctl -w net.ipv6.conf.all.forwarding=1 (and "
				     "accept_ra=2 of links that have their routes from a router); "
				     "or make the network without --ipv6, or with --internal.");
	}
	return r;
}

int forward_begin(struct netlink *nft, const struct network *network,
		  char ret_links[FORWARD_TEXT_MAX], struct err *err)
{
	int r = begin(nft, &families[0], network, ret_links, err);

	if (r == 0 && network->subnet6.family != 0)
		r = begin(nft, &families[1], network, ret_links, err);
	return r;
}

/* ---- switching off ---- */

int forward_end(struct netlink *nft, struct err *err)
{
	size_t n;
	int r = nft_count_ways(nft, &n, err);

	for (size_t i = 0; r == 0 && n == 0 && i < sizeof(families) / sizeof(families[0]); i++) {
		int all = is_on(&families[i], "all", "forwarding", err);

		r = all < 0 && all != -ENOENT ? all
					      : take_back_all(nft, &families[i], all == 0, err);
	}
	return r;
}

/* ---- across a flush of nf_tables ---- */

enum { NOTE_MAX = 4096, BOOT_MAX = 64 };
static const char note_name[] = ".lent", note_new[] = ".lent-new";

/* "BOOT\n", and a line for each link: of another boot nothing is lent any more. */
static size_t begin_note(char buf[NOTE_MAX])
{
	char boot[BOOT_MAX];

	if (io_read_text(AT_FDCWD, "/proc/sys/kernel/random/boot_id", boot, sizeof(boot)) < 0)
		boot[0] = '\0';
	io_chomp(boot);
	return str_format(buf, NOTE_MAX, "%s\n", boot);
}

static int replace_note(int dir_fd, const char *text, size_t len)
{
	_cleanup_fd_ int fd =
		sys_openat(dir_fd, note_new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			   0600);
	int r = fd < 0 ? fd : io_write_all(fd, text, len);

	return r == 0 && renameat(dir_fd, note_new, dir_fd, note_name) != 0 ? -errno : r;
}

int forward_note(struct netlink *nft, int dir_fd, struct err *err)
{
	char text[NOTE_MAX];
	size_t first = begin_note(text), len = first;
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(families) / sizeof(families[0]); i++) {
		struct nft_links lent = {.n = 0};

		r = nft_list_lent(nft, families[i].family, &lent, err);
		r = r == -ENOENT ? 0 : r;
		for (size_t k = 0; r == 0 && k < lent.n; k++)
			len += str_format(text + len, sizeof(text) - len, "%s %s\n",
					  families[i].name, lent.list[k]);
	}
	if (r < 0)
		return r;
	if (len > first)
		r = replace_note(dir_fd, text, len);
	else if (unlinkat(dir_fd, note_name, 0) != 0 && errno != ENOENT)
		r = -errno;
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s: write", note_name) : 0;
}

/* Only what forwards still: else somebody has switched it off. */
static int lend_again(struct netlink *nft, const struct family *family, const char *link,
		      struct err *err)
{
	int all = is_on(family, "all", "forwarding", err);
	int one = all == 0 ? is_on(family, link, family->setting, err) : 0;

	if (all < 0 || one < 0)
		return all == -ENOENT || one == -ENOENT ? 0 : all < 0 ? all : one;
	return one == 1 ? nft_lend(nft, family->family, link, err) : 0;
}

int forward_restore(struct netlink *nft, int dir_fd, struct err *err)
{
	char text[NOTE_MAX], now[NOTE_MAX], *line, *rest = NULL;
	size_t first = begin_note(now);
	ssize_t n = io_read_text(dir_fd, note_name, text, sizeof(text));
	int r = 0;

	if (n == -ENOENT)
		return 0;
	if (n < 0)
		return err_set(err, ERR_SETUP, (int)-n, "%s: read", note_name);
	if (strncmp(text, now, first) != 0)
		return 0;
	for (line = strtok_r(text + first, "\n", &rest); r == 0 && line != NULL;
	     line = strtok_r(NULL, "\n", &rest))
		for (size_t i = 0; r == 0 && i < sizeof(families) / sizeof(families[0]); i++) {
			size_t len = strlen(families[i].name);

			if (str_has_prefix(line, families[i].name) && line[len] == ' ' &&
			    strlen(line + len + 1) < IFNAMSIZ)
				r = lend_again(nft, &families[i], line + len + 1, err);
		}
	return r;
}
