/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The network of another sandbox, container:NAME; see network.h. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/launch.h"

static bool is_same_namespace(int fd, const char *path)
{
	struct stat theirs, ours;

	return fstat(fd, &theirs) == 0 && stat(path, &ours) == 0 && theirs.st_ino == ours.st_ino &&
	       theirs.st_dev == ours.st_dev;
}

int network_share(struct launch *launch, struct err *err)
{
	if (launch->shared_network_fd == NULL || *launch->shared_network_fd < 0)
		return err_set(err, ERR_BUG, 0, "network container:%s: was not opened",
			       launch->spec->network.sandbox);
	if (is_same_namespace(*launch->shared_network_fd, "/proc/self/ns/net")) {
		err_set(err, ERR_SETUP, EPERM, "network container:%s: is the caller's own",
			launch->spec->network.sandbox);
		return err_hint(err, "That takes a waiver: --network host --waive "
				     "'network.host=REASON'.");
	}
	launch->network.shared_fd = *launch->shared_network_fd;
	return 0;
}

int network_verify_shared(const struct launch *launch, struct err *err)
{
	char path[64];

	str_format(path, sizeof(path), "/proc/%d/ns/net", launch->init_pid);
	return is_same_namespace(*launch->shared_network_fd, path)
		       ? 0
		       : err_set(err, ERR_SETUP, 0, "read back: it is not in the network of %s",
				 launch->spec->network.sandbox);
}

int network_enter_shared(struct launch *launch, int *ret_home, struct err *err)
{
	_cleanup_fd_ int home = -EBADF;

	if (!network_is_shared(launch->decision) || launch->decision->enters)
		return 0;
	home = sys_openat(AT_FDCWD, "/proc/self/ns/net", O_RDONLY | O_CLOEXEC, 0);
	if (home < 0)
		return err_set(err, ERR_SETUP, -home, "the host's network namespace");
	if (launch->network.shared_fd >= 0 && setns(launch->network.shared_fd, CLONE_NEWNET) != 0)
		return err_set(err, ERR_SETUP, errno, "enter the network of %s",
			       launch->spec->network.sandbox);
	*ret_home = steal_fd(&home);
	return 0;
}

int network_return_home(int *home, struct err *err)
{
	int r = *home >= 0 && setns(*home, CLONE_NEWNET) != 0
			? err_set(err, ERR_SETUP, errno, "return to the host's network namespace")
			: 0;

	close_fd(home);
	return r;
}
