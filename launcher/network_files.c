/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See network_files.h. */
#include "launcher/network_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/launch.h"
#include "net/hosts.h"
#include "net/offers.h"

const char *const network_file_names[NAME_FILES] = {"hosts", "resolv.conf"};

/* ---- in the keeper ---- */

static size_t format_hosts(const struct launch *launch, char buf[HOSTS_TEXT_MAX])
{
	const struct sandbox_network *own = &launch->network;
	struct hosts_input input = {.spec = launch->spec,
				    .n_own = launch->spec->network.n_endpoints,
				    .gateway = own->endpoints[0].network.gateway};

	for (size_t i = 0; i < input.n_own; i++)
		input.own[i] = (struct hosts_own){.address = own->endpoints[i].lease.address,
						  .address6 = own->endpoints[i].lease.address6};
	return hosts_format(&input, buf);
}

static size_t format_resolv(const struct launch *launch, char buf[RESOLV_TEXT_MAX])
{
	static const char *const own[] = {RESOLVER_ADDRESS}, *const options[] = {"ndots:0"};
	const struct spec_network *network = &launch->spec->network;
	struct spec_network resolved = *network;
	bool has_way_out = false;
	char host[RESOLV_TEXT_MAX];

	for (size_t i = 0; i < network->n_endpoints; i++)
		has_way_out =
			has_way_out || endpoint_has_way_out(&launch->network.endpoints[i].network);
	/* Which asks those that the policy names. */
	if (resolver_is_wanted(launch->decision)) {
		resolved.dns = own;
		resolved.n_dns = 1;
		if (resolved.n_dns_options == 0) {
			resolved.dns_options = options;
			resolved.n_dns_options = 1;
		}
		return hosts_format_resolv(&resolved, "", has_way_out, buf);
	}
	if (io_read_text(AT_FDCWD, "/etc/resolv.conf", host, sizeof(host)) < 0)
		host[0] = '\0';
	return hosts_format_resolv(network, host, has_way_out, buf);
}

static int write_file(int dir_fd, const char *name, const char *text, size_t len)
{
	_cleanup_fd_ int fd =
		sys_openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			   0644);
	int r = fd < 0 ? fd : io_write_all(fd, text, len);

	/* Whoever the workload is may read it, whatever the caller's umask. */
	return r == 0 && fchmod(fd, 0644) != 0 ? -errno : r;
}

/* What others are linked to: for root alone. */
static int write_offers(const struct launch *launch, int dir_fd)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_fd_ int fd = -EBADF;
	ssize_t len = offers_format(launch->spec, &text);

	if (len < 0)
		return (int)len;
	fd = sys_openat(dir_fd, OFFERS_FILE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);
	return fd < 0 ? fd : io_write_all(fd, text, (size_t)len);
}

/* A mount that lies nowhere, for the child to attach. */
static int clone_file(int dir_fd, const char *name)
{
	const struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
						    MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC};
	_cleanup_fd_ int fd =
		sys_open_tree(dir_fd, name,
			      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	int r = fd < 0 ? fd : sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr);

	return r < 0 ? r : steal_fd(&fd);
}

int network_files_make(struct launch *launch, struct err *err)
{
	_cleanup_fd_ int dir_fd = sys_openat(launch->state.runs_fd, launch->run.id,
					     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	char hosts[HOSTS_TEXT_MAX], resolv[RESOLV_TEXT_MAX];
	const struct {
		const char *text;
		size_t len;
	} texts[NAME_FILES] = {{hosts, format_hosts(launch, hosts)},
			       {resolv, format_resolv(launch, resolv)}};
	int r = dir_fd < 0 ? dir_fd : write_offers(launch, dir_fd);

	for (size_t i = 0; r == 0 && i < NAME_FILES; i++) {
		r = write_file(dir_fd, network_file_names[i], texts[i].text, texts[i].len);
		if (r == 0)
			r = clone_file(dir_fd, network_file_names[i]);
		launch->network.file_fds[i] = r < 0 ? -EBADF : r;
		r = r < 0 ? r : 0;
	}
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s/runs/%s: files of names", launch->state.path,
			       launch->run.id)
		     : 0;
}

/* ---- in the setup process ---- */

/* The policy mounts something there itself, or above. */
static bool is_policys(const struct launch *launch, const char *target)
{
	for (size_t i = 0; i < launch->spec->n_mounts; i++)
		if (path_is_below(target, launch->spec->mounts[i].target) ||
		    str_equal(target, launch->spec->mounts[i].target))
			return true;
	return false;
}

static void target_of(size_t i, char *buf, size_t size)
{
	str_format(buf, size, "/etc/%s", network_file_names[i]);
}

int network_files_show(struct launch *launch, struct err *err)
{
	for (size_t i = 0; i < NAME_FILES; i++) {
		char target[32];
		struct tree_op op = {.stage = TREE_VOLUMES, .kind = TREE_SOURCE, .target = target};
		int r;

		target_of(i, target, sizeof(target));
		if (is_policys(launch, target))
			continue;
		r = rootfs_attach(&launch->rootfs, launch->network.file_fds[i], &op);
		if (r < 0)
			return err_set(err, ERR_SETUP, -r, "mount %s", target);
	}
	return 0;
}

int network_files_verify(struct launch *launch, struct err *err)
{
	for (size_t i = 0; i < NAME_FILES; i++) {
		_cleanup_fd_ int fd = -EBADF;
		struct stat ours, theirs;
		struct statvfs fs;
		char target[32];

		target_of(i, target, sizeof(target));
		if (is_policys(launch, target))
			continue;
		fd = sys_openat2(launch->rootfs.root_fd, target, O_PATH | O_CLOEXEC, 0,
				 RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
		if (fd < 0 || launch->network.file_fds[i] < 0 || fstat(fd, &theirs) != 0 ||
		    fstat(launch->network.file_fds[i], &ours) != 0 || fstatvfs(fd, &fs) != 0 ||
		    ours.st_dev != theirs.st_dev || ours.st_ino != theirs.st_ino)
			return err_set(err, ERR_SETUP, 0, "%s: read back: it is another file",
				       target);
		if ((fs.f_flag & ST_RDONLY) == 0)
			return err_set(err, ERR_SETUP, 0, "%s: read back: it can be written to",
				       target);
	}
	return 0;
}
