/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has which address; see store.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "net/internal.h"
#include "net/store.h"

enum { DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

static int open_leases(const struct networks *networks, const char *name)
{
	char path[NETWORK_NAME_MAX + 16];

	if (networks->fd < 0)
		return -ENOENT;
	str_format(path, sizeof(path), "%s/leases", name);
	return sys_openat(networks->fd, path, DIR_FLAGS, 0);
}

static bool read_holder(int leases_fd, const char *address, char buf[LEASE_HOLDER_MAX])
{
	ssize_t n = readlinkat(leases_fd, address, buf, LEASE_HOLDER_MAX - 1);

	buf[n > 0 ? n : 0] = '\0';
	return n > 0;
}

bool lease_of(const struct network *network, const char *address, struct lease *ret)
{
	struct lease lease = {0};
	uint64_t number;

	if (address_parse(address, &lease.address) < 0 || lease.address.family != AF_INET)
		return false;
	number = address_number(&network->subnet, &lease.address);
	if (number == UINT64_MAX)
		return false;
	address_mac(&lease.address, lease.mac);
	lease.address.length = network->subnet.length;
	/* The same number in the other subnet; one that has fewer refuses what is behind its end.
	 */
	if (network->subnet6.family != 0) {
		if (!address_nth(&network->subnet6, number, &lease.address6) ||
		    address_equal(&lease.address6, &network->gateway6))
			return false;
		lease.address6.length = network->subnet6.length;
	}
	*ret = lease;
	return true;
}

/* Neither the subnet's own address, nor broadcast, nor the gateway. */
static bool can_lease(const struct network *network, const struct net_prefix *address)
{
	uint64_t number = address_number(&network->subnet, address);

	return number != 0 && number != address_count(&network->subnet) - 1 &&
	       !address_equal(address, &network->gateway);
}

/* ---- walking ---- */

int lease_walk(const struct networks *networks, const char *name, const struct lease_reader *reader,
	       struct err *err)
{
	_cleanup_fd_ int leases_fd = open_leases(networks, name);
	char holder[LEASE_HOLDER_MAX];
	struct dirent *entry;
	int copy, r = 0;
	DIR *dir;

	if (leases_fd == -ENOENT)
		return 0;
	copy = leases_fd < 0 ? -EBADF : sys_openat(leases_fd, ".", DIR_FLAGS, 0);
	dir = copy < 0 ? NULL : fdopendir(copy);
	if (dir == NULL)
		return err_set(err, ERR_SETUP, leases_fd < 0 ? -leases_fd : errno,
			       "%s/%s/leases: list", networks->path, name);
	while (r >= 0 && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.' && read_holder(leases_fd, entry->d_name, holder))
			r = reader->each(reader->ctx, entry->d_name, holder);
	closedir(dir);
	return r < 0 ? r : 0;
}

/* ---- taking ---- */

struct own {
	const char *holder;
	char address[ADDRESS_TEXT_MAX];
};

static int find_own(void *ctx, const char *address, const char *holder)
{
	struct own *own = ctx;

	if (str_equal(holder, own->holder))
		str_format(own->address, sizeof(own->address), "%s", address);
	return 0;
}

/* 1: leased; 0: another has it. */
static int try_lease(int leases_fd, const struct lease_request *request, const char *address,
		     struct err *err)
{
	char holder[LEASE_HOLDER_MAX];
	int r;

	/* Looked at first: a journal that named each that is tried would grow with them. */
	if (read_holder(leases_fd, address, holder))
		return 0;
	r = request->note != NULL ? request->note(request->ctx, address, err) : 0;
	if (r < 0)
		return r;
	if (symlinkat(request->holder, leases_fd, address) != 0)
		return err_set(err, ERR_SETUP, errno, "address %s: lease", address);
	if (request->is_kept && fsync(leases_fd) != 0)
		return err_set(err, ERR_SETUP, errno, "address %s: write to the disk", address);
	return 1;
}

static int take_lowest(int leases_fd, const struct network *network,
		       const struct lease_request *request, struct lease *ret, struct err *err)
{
	struct net_prefix address;

	for (uint64_t n = 0; address_nth(&network->range, n, &address); n++) {
		char text[ADDRESS_TEXT_MAX];
		int r;

		address_format(&address, text);
		if (!can_lease(network, &address) || !lease_of(network, text, ret))
			continue;
		r = try_lease(leases_fd, request, text, err);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	err_set(err, ERR_SETUP, EADDRNOTAVAIL, "network %s: no address is free", network->name);
	return err_hint(err, "`cordon gc` gives back what killed sandboxes had; a network with a "
			     "larger --subnet has more.");
}

/* ---- one that is asked for ---- */

static int refuse_wanted(const struct network *network, const char *address, const char *why,
			 struct err *err)
{
	return err_set(err, ERR_USAGE, EADDRNOTAVAIL, "network %s: address %s: %s", network->name,
		       address, why);
}

static int refuse_outside(const struct network *network, const char *address,
			  const struct net_prefix *subnet, struct err *err)
{
	char text[ADDRESS_TEXT_MAX], why[ADDRESS_TEXT_MAX + 24];

	address_format_prefix(subnet, text);
	str_format(why, sizeof(why), "is not in its subnet %s", text);
	return refuse_wanted(network, address, why, err);
}

static int check_wanted6(const struct network *network, const struct lease_request *request,
			 uint64_t number, uint64_t *ret_number, struct err *err)
{
	struct net_prefix ip6;
	uint64_t number6;

	if (address_parse(request->ip6, &ip6) < 0 || network->subnet6.family == 0)
		return refuse_wanted(network, request->ip6, "the network has no IPv6", err);
	number6 = address_number(&network->subnet6, &ip6);
	if (number6 == UINT64_MAX)
		return refuse_outside(network, request->ip6, &network->subnet6, err);
	if (number != UINT64_MAX && number != number6) {
		refuse_wanted(network, request->ip6, "has another number than --ip", err);
		return err_hint(err, "An address of IPv6 has the number in its subnet that the one "
				     "of IPv4 has: name one of the two.");
	}
	*ret_number = number6;
	return 0;
}

/* The address of IPv4 as text; "" where any will do. */
static int find_wanted(const struct network *network, const struct lease_request *request,
		       char ret[ADDRESS_TEXT_MAX], struct err *err)
{
	uint64_t number = UINT64_MAX;
	struct net_prefix address;
	struct lease lease;
	int r = 0;

	ret[0] = '\0';
	if (request->ip != NULL && request->ip[0] != '\0') {
		if (address_parse(request->ip, &address) == 0)
			number = address_number(&network->subnet, &address);
		if (number == UINT64_MAX)
			return refuse_outside(network, request->ip, &network->subnet, err);
	}
	if (request->ip6 != NULL && request->ip6[0] != '\0')
		r = check_wanted6(network, request, number, &number, err);
	if (r < 0 || number == UINT64_MAX)
		return r;
	if (!address_nth(&network->subnet, number, &address))
		return refuse_wanted(network, request->ip6,
				     "there is no such number in the subnet of IPv4", err);
	address_format(&address, ret);
	if (!can_lease(network, &address) || !lease_of(network, ret, &lease))
		return refuse_wanted(network, ret, "is the subnet's own, or the gateway's", err);
	return 0;
}

static int take_wanted(int leases_fd, const struct network *network,
		       const struct lease_request *request, const char *address, struct err *err)
{
	char holder[LEASE_HOLDER_MAX] = "";
	int r = try_lease(leases_fd, request, address, err);

	if (r != 0)
		return r < 0 ? r : 0;
	read_holder(leases_fd, address, holder);
	err_set(err, ERR_SETUP, EADDRINUSE, "network %s: address %s: %s has it", network->name,
		address, strrchr(holder, '/') != NULL ? strrchr(holder, '/') + 1 : holder);
	return err_hint(err, "`cordon network inspect %s` lists who has which.", network->name);
}

int lease_take(const struct networks *networks, const struct network *network,
	       const struct lease_request *request, struct lease *ret, struct err *err)
{
	_cleanup_fd_ int leases_fd = open_leases(networks, network->name);
	struct own own = {.holder = request->holder};
	const struct lease_reader reader = {.each = find_own, .ctx = &own};
	char wanted[ADDRESS_TEXT_MAX];
	int r;

	if (leases_fd < 0)
		return err_set(err, ERR_SETUP, -leases_fd, "%s/%s/leases: open", networks->path,
			       network->name);
	r = find_wanted(network, request, wanted, err);
	if (r < 0)
		return r;
	/* What ends with its run had none before. */
	r = request->is_kept ? lease_walk(networks, network->name, &reader, err) : 0;
	if (r < 0)
		return r;
	if (own.address[0] != '\0' && (wanted[0] == '\0' || str_equal(wanted, own.address)) &&
	    lease_of(network, own.address, ret))
		return 0;
	if (wanted[0] == '\0')
		return take_lowest(leases_fd, network, request, ret, err);
	r = take_wanted(leases_fd, network, request, wanted, err);
	/* The one that it had before. */
	if (r == 0 && own.address[0] != '\0')
		r = lease_release(networks, network->name, own.address, request->holder, err);
	if (r < 0)
		return r;
	return lease_of(network, wanted, ret) ? 0 : -EADDRNOTAVAIL;
}

int lease_release(const struct networks *networks, const char *name, const char *address,
		  const char *holder, struct err *err)
{
	_cleanup_fd_ int leases_fd = open_leases(networks, name);
	struct net_prefix parsed;
	char found[LEASE_HOLDER_MAX];

	if (leases_fd == -ENOENT)
		return 0;
	if (leases_fd < 0)
		return err_set(err, ERR_SETUP, -leases_fd, "%s/%s/leases: open", networks->path,
			       name);
	if (address_parse(address, &parsed) < 0 || !read_holder(leases_fd, address, found) ||
	    !str_equal(found, holder))
		return 0;
	if (unlinkat(leases_fd, address, 0) != 0 && errno != ENOENT)
		return err_set(err, ERR_SETUP, errno, "%s/%s/leases/%s: give back", networks->path,
			       name, address);
	return 1;
}

/* ---- sweeping ---- */

/* Whether the holder was right below one of the prefixes, and is gone. */
static bool is_orphan(const char *holder, const char *const *prefixes)
{
	for (; *prefixes != NULL; prefixes++)
		if (str_has_prefix(holder, *prefixes) &&
		    strchr(holder + strlen(*prefixes), '/') == NULL)
			return faccessat(AT_FDCWD, holder, F_OK, AT_SYMLINK_NOFOLLOW) != 0 &&
			       errno == ENOENT;
	return false;
}

struct sweep {
	int leases_fd;
	const char *const *prefixes;
	uint32_t n_removed;
};

static int sweep_one(void *ctx, const char *address, const char *holder)
{
	struct sweep *sweep = ctx;

	if (!is_orphan(holder, sweep->prefixes))
		return 0;
	if (unlinkat(sweep->leases_fd, address, 0) != 0 && errno != ENOENT)
		return -errno;
	sweep->n_removed++;
	return 0;
}

static int sweep_leases(const struct networks *networks, const char *name,
			const char *const *prefixes, uint32_t *n_removed, struct err *err)
{
	struct sweep sweep = {.leases_fd = open_leases(networks, name), .prefixes = prefixes};
	const struct lease_reader reader = {.each = sweep_one, .ctx = &sweep};
	int r;

	if (sweep.leases_fd == -ENOENT)
		return 0;
	r = sweep.leases_fd < 0 ? err_set(err, ERR_SETUP, -sweep.leases_fd, "%s/%s/leases: open",
					  networks->path, name)
				: lease_walk(networks, name, &reader, err);
	close_fd(&sweep.leases_fd);
	*n_removed += sweep.n_removed;
	return r;
}

static bool is_rubbish(const char *name)
{
	return str_has_prefix(name, ".new-") || str_has_prefix(name, ".old-");
}

int networks_sweep(const struct networks *networks, const char *const *prefixes,
		   uint32_t *n_removed, struct err *err)
{
	struct dirent *entry;
	int copy, result = 0;
	DIR *dir;

	if (networks->fd < 0)
		return 0;
	copy = sys_openat(networks->fd, ".", DIR_FLAGS, 0);
	dir = copy < 0 ? NULL : fdopendir(copy);
	if (dir == NULL)
		return err_set(err, ERR_SETUP, copy < 0 ? -copy : errno, "%s: list",
			       networks->path);
	while ((entry = readdir(dir)) != NULL) {
		int r = 0;

		if (is_rubbish(entry->d_name)) {
			r = network_remove_dir(networks->fd, entry->d_name);
			if (r < 0)
				err_set(err, ERR_SETUP, -r, "%s/%s: remove", networks->path,
					entry->d_name);
			else
				*n_removed += 1;
		} else if (network_is_name(entry->d_name)) {
			r = network_sweep_record(networks->fd, entry->d_name);
			*n_removed += r > 0;
			r = r < 0 ? err_set(err, ERR_SETUP, -r, "%s/%s: sweep", networks->path,
					    entry->d_name)
				  : sweep_leases(networks, entry->d_name, prefixes, n_removed, err);
		}
		result = r < 0 ? r : result;
	}
	closedir(dir);
	return result;
}
