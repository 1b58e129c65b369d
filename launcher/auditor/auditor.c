/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads the kernel's audit stream while a sandbox runs, and keeps what Landlock and AppArmor denied
 * it (`cordon run --explain-denials`, where the caller may read that stream).
 *
 * Theory of operation. A record names paths that the workload has chosen, so nobody with a
 * privilege reads one. The keeper opens the socket and joins the group of readers before there is a
 * sandbox, which takes CAP_AUDIT_READ; then it executes this from a sealed memfd of mode 0111, as
 * it does the notifier, and closes its own copy. This process has the socket and one to the keeper,
 * and can do nothing but read, wait and answer once. It is not the notifier: whoever takes over a
 * reader of text must not hold the listener that answers denied calls.
 *
 * Which records are this sandbox's. Landlock's name a domain. The row `landlock` asks for one
 * denial before any byte of the workload runs (landlock_verify); with it the kernel says which
 * process took that domain on, and the keeper has said which one that is. A domain that the
 * workload takes on itself has another number and is not listed. AppArmor's name the profile, and
 * for files who asked: as root that is an id which nobody else has.
 *
 * The work for one record has a bound, and the list has. It ends with its keeper.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <linux/time_types.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "launcher/auditor_image.h"
#include "launcher/bare.h"
#include "launcher/bare_confine.h"

enum {
	RECORD_BYTES_MAX = 9216, /* MAX_AUDIT_MESSAGE_LENGTH of linux/audit.h is 8970 */
	/* The kernel sends records a moment after what they are about: how long none has to come
	 * until the last is taken to be there, how often that is waited for where a domain has not
	 * ended yet, and how many are read on a host whose stream never rests. */
	QUIET_NS = 100000000,
	QUIET_TIMES = 10,
	LAST_RECORDS_MAX = 8192,
};

struct auditor {
	struct audit_subject subject;
	uint64_t domain; /* the sandbox's; UINT64_MAX until it is known */
	uint64_t n_seen; /* its denials */
	bool has_ended;  /* the domain: no denial follows */
	struct access_denials denials;
	struct audit_record record;
	char bytes[RECORD_BYTES_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
};

/* ---- confinement ---- */

/* All that the auditor does from here on. */
static const struct sock_filter filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BARE_NATIVE_ARCH, 0, 6),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_read, 5, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 4, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ppoll, 3, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_recvmsg, 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static void confine(void)
{
	const struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]),
					   .filter = (struct sock_filter *)filter};

	bare_lower_priority();
	bare_no_more_of(RLIMIT_FSIZE, 0);
	bare_confine("cordon-auditor", AUDITOR_FDS, &program);
}

/* ---- whose ---- */

static bool is_same(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] != '\0' && a[i] == b[i])
		i++;
	return a[i] == b[i];
}

static bool is_own_uid(const struct audit_subject *subject, uint64_t uid)
{
	return uid >= subject->first_uid && uid - subject->first_uid < subject->n_uids;
}

/* Whether an AppArmor record can be this sandbox's, and whether it is no other's. */
static bool is_own_profile(const struct auditor *a, bool *ret_is_certain)
{
	const struct audit_record *record = &a->record;
	const struct audit_subject *subject = &a->subject;

	*ret_is_certain = record->pid == subject->pid;
	if (subject->profile[0] == '\0' || !is_same(subject->profile, record->profile))
		return false;
	if (subject->n_uids == 0 || record->uid == UINT64_MAX)
		return true;
	*ret_is_certain = is_own_uid(subject, record->uid);
	return *ret_is_certain;
}

/* ---- counting ---- */

static void copy_text(char *to, const char *from)
{
	size_t i = 0;

	do
		to[i] = from[i];
	while (from[i++] != '\0');
}

static bool is_again(const struct access_denial *one, const struct audit_record *record,
		     enum access_layer layer, bool is_certain)
{
	return one->layer == (uint32_t)layer && one->is_certain == (uint32_t)is_certain &&
	       one->port == record->port && is_same(one->what, record->what) &&
	       is_same(one->detail, record->detail) && is_same(one->path, record->path);
}

static void count(struct auditor *a, enum access_layer layer, bool is_certain)
{
	struct access_denials *denials = &a->denials;
	struct access_denial *one;

	for (uint32_t i = 0; i < denials->n; i++)
		if (is_again(&denials->list[i], &a->record, layer, is_certain)) {
			denials->list[i].count++;
			return;
		}
	if (denials->n == ACCESS_DENIALS_MAX) {
		denials->others++;
		return;
	}
	one = &denials->list[denials->n++];
	one->layer = layer;
	one->is_certain = is_certain;
	one->count = 1;
	one->port = a->record.port;
	copy_text(one->what, a->record.what);
	copy_text(one->detail, a->record.detail);
	copy_text(one->path, a->record.path);
}

static void on_record(struct auditor *a)
{
	const struct audit_record *record = &a->record;
	bool is_certain;

	switch (record->kind) {
	case AUDIT_IS_OTHER:
		break;
	case AUDIT_IS_LANDLOCK_BIRTH:
		/* The first that this process has had: the workload's own come later. */
		if (a->domain == UINT64_MAX && record->pid == a->subject.pid) {
			a->domain = record->domain;
			a->denials.has_domain = 1;
		}
		break;
	case AUDIT_IS_LANDLOCK_DENIAL:
		if (a->domain == UINT64_MAX || record->domain != a->domain)
			break;
		a->n_seen++;
		count(a, ACCESS_LANDLOCK, true);
		break;
	case AUDIT_IS_LANDLOCK_DEATH:
		if (a->domain == UINT64_MAX || record->domain != a->domain)
			break;
		a->has_ended = true;
		/* One was asked for by the launcher, and came before the domain was known. */
		if (record->denials != UINT64_MAX && record->denials > a->n_seen + 1)
			a->denials.unseen = record->denials - a->n_seen - 1;
		break;
	case AUDIT_IS_APPARMOR_DENIAL:
		if (is_own_profile(a, &is_certain))
			count(a, ACCESS_APPARMOR, is_certain);
		break;
	}
}

/* ---- conversation ---- */

/* One message of the stream. False: there is none, or the socket is of no more use. */
static bool read_one(struct auditor *a)
{
	struct sockaddr_nl sender;
	struct iovec part;
	struct msghdr message;
	const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)a->bytes;
	long got;

	sender.nl_pid = UINT32_MAX; /* nobody's */
	part.iov_base = a->bytes;
	part.iov_len = sizeof(a->bytes);
	message.msg_name = &sender;
	message.msg_namelen = sizeof(sender);
	message.msg_iov = &part;
	message.msg_iovlen = 1;
	message.msg_control = NULL;
	message.msg_controllen = 0;
	message.msg_flags = 0;
	got = bare_call(SYS_recvmsg, AUDITOR_STREAM_FD, (long)&message, MSG_DONTWAIT, 0, 0);
	if (got == -ENOBUFS) { /* the kernel had more than fits; netlink(7) */
		a->denials.n_gaps++;
		return true;
	}
	if (got < 0)
		return got == -EINTR;
	/* From the kernel alone. */
	if (message.msg_namelen != sizeof(sender) || sender.nl_pid != 0)
		return true;
	if ((message.msg_flags & MSG_TRUNC) != 0 || got < (long)NLMSG_HDRLEN) {
		a->denials.n_gaps++;
		return true;
	}
	audit_record_read(header->nlmsg_type, a->bytes + NLMSG_HDRLEN, (size_t)got - NLMSG_HDRLEN,
			  &a->record);
	on_record(a);
	return true;
}

/* What is on its way. */
static void read_last(struct auditor *a)
{
	struct pollfd stream = {.fd = AUDITOR_STREAM_FD, .events = POLLIN};
	int n_quiet = 0;

	for (int n = 0; n < LAST_RECORDS_MAX && n_quiet < QUIET_TIMES; n++) {
		struct __kernel_timespec patience = {.tv_sec = 0, .tv_nsec = QUIET_NS};
		long ready;

		if (a->has_ended && a->subject.profile[0] == '\0')
			return;
		ready = bare_call(SYS_ppoll, (long)&stream, 1, (long)&patience, 0, 0);
		if (ready == 0 && (a->domain == UINT64_MAX || a->has_ended))
			return;
		if (ready == 0)
			n_quiet++;
		else if (ready != -EINTR && (ready < 0 || !read_one(a)))
			return;
	}
}

static void on_message(struct auditor *a)
{
	int message = 0;
	long size;

	if (bare_call(SYS_read, AUDITOR_CONTROL_FD, (long)&message, sizeof(message), 0, 0) !=
		    sizeof(message) ||
	    message != AUDITOR_FINISH)
		bare_exit(0); /* nobody is left who would ask */
	read_last(a);
	size = (long)(offsetof(struct access_denials, list) +
		      a->denials.n * sizeof(struct access_denial));
	bare_exit(bare_call(SYS_write, AUDITOR_CONTROL_FD, (long)&a->denials, size, 0, 0) == size
			  ? 0
			  : 125);
}

static void say(int message)
{
	bare_call(SYS_write, AUDITOR_CONTROL_FD, (long)&message, sizeof(message), 0, 0);
}

/* Waits for it; until then the records wait in the socket. */
static void take_subject(struct auditor *a)
{
	if (bare_call(SYS_read, AUDITOR_CONTROL_FD, (long)&a->subject, sizeof(a->subject), 0, 0) !=
	    sizeof(a->subject))
		bare_exit(125);
	a->subject.profile[sizeof(a->subject.profile) - 1] = '\0';
}

static void step(struct auditor *a)
{
	struct pollfd fds[2] = {
		{.fd = AUDITOR_STREAM_FD, .events = POLLIN},
		{.fd = AUDITOR_CONTROL_FD, .events = POLLIN},
	};
	long ready = bare_call(SYS_ppoll, (long)fds, 2, 0, 0, 0);

	if (ready < 0 && ready != -EINTR)
		bare_exit(125);
	if (ready <= 0)
		return;
	/* The keeper is heard also on a host whose stream never rests. */
	if (fds[1].revents != 0)
		on_message(a);
	if (fds[0].revents != 0 && !read_one(a) && (fds[0].revents & POLLIN) == 0)
		bare_exit(125);
}

_Noreturn void bare_main(long *stack)
{
	struct auditor a;

	(void)stack;
	a.domain = UINT64_MAX;
	a.n_seen = 0;
	a.has_ended = false;
	a.denials.n = a.denials.is_lost = a.denials.has_domain = a.denials.n_gaps = 0;
	a.denials.others = a.denials.unseen = 0;
	confine();
	say(AUDITOR_CONFINED);
	take_subject(&a);
	say(AUDITOR_WATCHES);
	for (;;)
		step(&a);
}
