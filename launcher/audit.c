/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keeper's part of listing what Landlock and AppArmor denied; see audit.h. It reads nothing of
 * the stream: at the end it is told texts of bounded length, and looks whether they are that. */
#include "launcher/audit.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/apparmor.h"
#include "launcher/confined.h"
#include "launcher/identity.h"
#include "launcher/landlock.h"
#include "launcher/launch.h"

static const char auditor_what[] = "the process that reads the audit stream";

enum {
	START_MS = 5000,            /* until it is confined, and until it knows whose */
	ANSWER_MS = 10000,          /* until it has read what was on its way */
	STREAM_BYTES_MAX = 4 << 20, /* records that wait: some thousands */
	GROUP_OF_READERS = 1U << (AUDIT_NLGRP_READLOG - 1), /* as bind(2) takes it */
};

/* ---- whether ---- */

static int open_stream(void)
{
	static const struct sockaddr_nl readers = {.nl_family = AF_NETLINK,
						   .nl_groups = GROUP_OF_READERS};
	_cleanup_fd_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
	int size = STREAM_BYTES_MAX;

	if (fd < 0)
		return -errno;
	/* Beyond the host's bound where that is possible. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) != 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&readers, sizeof(readers)) != 0)
		return -errno;
	return steal_fd(&fd);
}

/* The stream goes to the first network namespace, and its pids are those of the first pid
 * namespace (kauditd_send_multicast_skb in the kernel's kernel/audit.c, and who logs). The latter
 * has a number of its own, PROC_PID_INIT_INO of linux/proc_ns.h, and so has the former since
 * Linux 6.18 (NET_NS_INIT_INO); else it is that of process 1. */
static bool is_elsewhere(const struct host_facts *facts)
{
	char host_net[FACTS_LINK_MAX];
	const char *own_net = NULL, *own_pid = NULL;
	ssize_t n = readlink("/proc/1/ns/net", host_net, sizeof(host_net) - 1);

	for (size_t i = 0; i < FACTS_NAMESPACES; i++) {
		if (str_equal(facts_namespace_names[i], "net"))
			own_net = facts->own_namespaces[i];
		if (str_equal(facts_namespace_names[i], "pid"))
			own_pid = facts->own_namespaces[i];
	}
	host_net[n > 0 ? n : 0] = '\0';
	return own_pid == NULL || own_net == NULL || !str_equal(own_pid, "pid:[4026531836]") ||
	       (!str_equal(own_net, "net:[4026531833]") && !str_equal(own_net, host_net));
}

enum audit_state audit_probe(const struct host_facts *facts)
{
	_cleanup_fd_ int fd = open_stream();

	if (fd == -EPROTONOSUPPORT)
		return AUDIT_NO_KERNEL;
	if (fd < 0)
		return AUDIT_FORBIDDEN;
	return is_elsewhere(facts) ? AUDIT_ELSEWHERE : AUDIT_READABLE;
}

bool audit_has_landlock(const struct decision *decision)
{
	return landlock_is_wanted(decision) && decision->facts.landlock_abi >= LANDLOCK_ABI_LOG;
}

bool audit_has_apparmor(const struct decision *decision)
{
	return apparmor_is_wanted(decision);
}

bool audit_is_wanted(const struct decision *decision)
{
	return decision->explains_denials && decision->facts.audit == AUDIT_READABLE &&
	       (audit_has_landlock(decision) || audit_has_apparmor(decision));
}

/* ---- start ---- */

int audit_start_auditor(struct launch *launch, struct err *err)
{
	_cleanup_fd_ int stream = open_stream();
	struct confined started;
	int r;

	if (stream < 0)
		return err_set(err, ERR_SETUP, -stream, "open the audit stream");
	r = confined_start(launch,
			   &(struct confined_image){.name = "cordon-auditor",
						    .bytes = auditor_image,
						    .size = auditor_image_size,
						    .what = auditor_what,
						    .fds = {[AUDITOR_STREAM_FD] = stream},
						    .n_fds = AUDITOR_CONTROL_FD},
			   &started, err);
	if (r < 0)
		return r;
	launch->auditor = (struct auditor_process){.pid = started.pid,
						   .pidfd = started.pidfd,
						   .control_fd = started.control_fd};
	return confined_receive(started.control_fd, START_MS) == AUDITOR_CONFINED
		       ? 0
		       : err_set(err, ERR_SETUP, 0, "%s did not start", auditor_what);
}

int audit_verify_auditor(struct launch *launch, struct err *err)
{
	return confined_verify(launch, launch->auditor.pid, auditor_what, err);
}

int audit_tell_subject(struct launch *launch, struct err *err)
{
	const struct decision *d = launch->decision;
	struct audit_subject subject = {.pid = (uint32_t)launch->workload_pid};

	if (d->plan.ids == IDS_BLOCK) {
		subject.first_uid = launch->run.block_first;
		subject.n_uids = IDENTITY_BLOCK;
	}
	if (audit_has_apparmor(d))
		str_format(subject.profile, sizeof(subject.profile), "%s",
			   d->spec.apparmor.profile);
	return send(launch->auditor.control_fd, &subject, sizeof(subject),
		    MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof(subject)
		       ? 0
		       : err_set(err, ERR_SETUP, errno, "tell %s whose denials", auditor_what);
}

int audit_verify_subject(struct launch *launch, struct err *err)
{
	return confined_receive(launch->auditor.control_fd, START_MS) == AUDITOR_WATCHES
		       ? 0
		       : err_set(err, ERR_SETUP, 0, "%s does not know whose denials", auditor_what);
}

/* ---- end ---- */

/* As audit_record.h promises: it ends, and is printable ASCII. */
static bool is_sound_text(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	if (len == size)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	return true;
}

static bool is_sound(const struct access_denials *denials, ssize_t size)
{
	if (size < (ssize_t)offsetof(struct access_denials, list) ||
	    denials->n > ACCESS_DENIALS_MAX || denials->is_lost != 0 ||
	    size != (ssize_t)(offsetof(struct access_denials, list) +
			      denials->n * sizeof(struct access_denial)))
		return false;
	for (uint32_t i = 0; i < denials->n; i++) {
		const struct access_denial *one = &denials->list[i];

		if (one->layer > ACCESS_APPARMOR || !is_sound_text(one->what, sizeof(one->what)) ||
		    !is_sound_text(one->detail, sizeof(one->detail)) ||
		    !is_sound_text(one->path, sizeof(one->path)))
			return false;
	}
	return true;
}

static bool receive(int control_fd, struct access_denials *ret)
{
	struct pollfd control = {.fd = control_fd, .events = POLLIN};
	int n;

	do
		n = poll(&control, 1, ANSWER_MS);
	while (n < 0 && errno == EINTR);
	return n > 0 && is_sound(ret, recv(control_fd, ret, sizeof(*ret), MSG_DONTWAIT));
}

void audit_finish(struct launch *launch, struct access_denials *ret)
{
	struct auditor_process *auditor = &launch->auditor;
	bool is_asked;

	if (auditor->pidfd < 0)
		return;
	is_asked = ret != NULL && confined_say(auditor->control_fd, AUDITOR_FINISH) == 0;
	if (ret != NULL && (!is_asked || !receive(auditor->control_fd, ret)))
		*ret = (struct access_denials){.is_lost = 1};
	ignore_result(confined_end(&auditor->pidfd, is_asked ? START_MS : 0),
		      "what it had to say has been read");
	close_fd(&auditor->control_fd);
}
