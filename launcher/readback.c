/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the sandbox's privileges back; see readback.h. Runs in the keeper at SYNC_READY. */
#include "launcher/readback.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

enum { STATUS_MAX = 8192 };

/* The text behind "Name:\t" up to the line's end; NULL where there is no such line. */
static const char *field(const char *text, const char *name, size_t *ret_len)
{
	size_t len = strlen(name);

	for (const char *line = text; *line != '\0';) {
		size_t line_len = strcspn(line, "\n");

		if (strncmp(line, name, len) == 0 && line[len] == ':') {
			const char *value = line + len + 1 + strspn(line + len + 1, " \t");

			*ret_len = (size_t)(line + line_len - value);
			return value;
		}
		line += line_len;
		line += *line == '\n';
	}
	return NULL;
}

static int expect(const char *text, const char *name, const char *want, struct err *err)
{
	size_t len = 0;
	const char *value = field(text, name, &len);

	/* The kernel ends some lists with a space. */
	while (value != NULL && len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
		len--;
	if (value != NULL && len == strlen(want) && strncmp(value, want, len) == 0)
		return 0;
	err_set(err, ERR_SETUP, 0, "read back: %s is '%.*s', not '%s'", name,
		value != NULL ? (int)len : 0, value != NULL ? value : "", want);
	err->sys_errno = 0;
	return -EPERM;
}

int readback_status(const char *text, const struct readback_want *want, struct err *err)
{
	static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
	size_t len = 0;
	const char *state = field(text, "State", &len);
	char ids[64];
	int r;

	if (state == NULL || len == 0 || *state == 'Z' || *state == 'X')
		return err_set(err, ERR_SETUP, ESRCH, "read back: it has ended");
	str_format(ids, sizeof(ids), "%u\t%u\t%u\t%u", want->uid, want->uid, want->uid, want->uid);
	r = expect(text, "Uid", ids, err);
	str_format(ids, sizeof(ids), "%u\t%u\t%u\t%u", want->gid, want->gid, want->gid, want->gid);
	if (r == 0)
		r = expect(text, "Gid", ids, err);
	if (r == 0 && want->no_groups)
		r = expect(text, "Groups", "", err);
	for (size_t i = 0; r == 0 && i < sizeof(sets) / sizeof(sets[0]); i++)
		if (!want->keeps_bounding_set || !str_equal(sets[i], "CapBnd"))
			r = expect(text, sets[i], "0000000000000000", err);
	if (r == 0)
		r = expect(text, "NoNewPrivs", "1", err);
	if (r == 0 && want->filtered)
		r = expect(text, "Seccomp", "2", err);
	return r;
}

int readback_process(pid_t pid, const struct readback_want *want, struct err *err)
{
	char path[64], text[STATUS_MAX];
	ssize_t n;

	str_format(path, sizeof(path), "/proc/%d/status", pid);
	n = io_read_text(AT_FDCWD, path, text, sizeof(text));
	if (n < 0)
		return err_set(err, ERR_SETUP, (int)-n, "read back %s", path);
	return readback_status(text, want, err);
}

static int read_namespace(pid_t pid, const char *name, char *buf, size_t size, struct err *err)
{
	char path[64];
	ssize_t n;

	str_format(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	n = readlink(path, buf, size - 1);
	if (n < 0)
		return err_set(err, ERR_SETUP, errno, "read back %s", path);
	buf[n] = '\0';
	return 0;
}

/* is_in_hosts: the host's network was asked for, by a waiver. */
static int check_namespaces(pid_t pid, const struct host_facts *facts, bool is_in_hosts,
			    struct err *err)
{
	for (size_t i = 0; i < FACTS_NAMESPACES; i++) {
		char theirs[FACTS_LINK_MAX];
		int r = read_namespace(pid, facts_namespace_names[i], theirs, sizeof(theirs), err);

		if (r < 0)
			return r;
		if (is_in_hosts && str_equal(facts_namespace_names[i], "net"))
			continue;
		/* What facts could not read would be unequal to everything. */
		if (!facts->namespaces[i] || str_equal(facts->own_namespaces[i], theirs)) {
			err_set(err, ERR_SETUP, 0,
				"read back: the workload is in the caller's %s namespace",
				facts_namespace_names[i]);
			return -EPERM;
		}
	}
	return 0;
}

static struct readback_want want_for(const struct launch *launch, uint32_t uid, uint32_t gid)
{
	const struct decision *d = launch->decision;

	if (d->plan.ids == IDS_ONE)
		return (struct readback_want){.uid = d->facts.euid, .gid = d->facts.egid};
	return (struct readback_want){.uid = launch->run.block_first + uid,
				      .gid = launch->run.block_first + gid,
				      .no_groups = true};
}

int readback_workload(const struct launch *launch, struct err *err)
{
	const struct spec_identity *id = &launch->spec->identity;
	struct readback_want want = want_for(launch, id->uid, id->gid);
	int r = readback_process(launch->workload_pid, &want, err);

	/* As a user nobody may look: until its exec it cannot be read, for it is in company. It has
	 * compared them itself (enter_child.c). */
	if (r == 0 && launch->decision->enters && launch->decision->plan.ids == IDS_ONE)
		return 0;
	if (r < 0)
		return err_wrap(err, "workload");
	r = check_namespaces(launch->workload_pid, &launch->decision->facts,
			     launch->spec->network.kind == NETWORK_OF_THE_HOST, err);
	if (r == 0 && network_is_shared(launch->decision) && !launch->decision->enters)
		r = network_verify_shared(launch, err);
	return r;
}

int readback_init(const struct launch *launch, struct err *err)
{
	const struct plan *plan = &launch->decision->plan;
	const struct spec_identity *id = &launch->spec->identity;
	bool enters = launch->decision->enters;
	struct readback_want want = want_for(launch, enters ? id->uid : plan->init_uid,
					     enters ? id->gid : plan->init_gid);
	int r;

	/* Beside the sandbox, and not in a user namespace of its own, where it could empty it. */
	want.keeps_bounding_set = enters && !facts_has_cap(&launch->decision->facts, CAP_SETPCAP);
	r = readback_process(launch->init_pid, &want, err);

	return r < 0 ? err_wrap(err, "init") : 0;
}

/* ---- init has gone ahead ---- */

/* The write end is held by the setup process alone, and closed by its exec of init's image. */
int readback_await_init(struct launch *launch, struct err *err)
{
	char byte;
	ssize_t n;

	do
		n = read(launch->init_gone_read, &byte, 1);
	while (n < 0 && errno == EINTR);
	return n != 0 ? err_set(err, ERR_SETUP, n < 0 ? errno : EPROTO, "wait for init") : 0;
}

int readback_verify_init(struct launch *launch, struct err *err)
{
	struct pollfd gone = {.fd = launch->init_gone_read, .events = POLLIN};

	if (poll(&gone, 1, 0) != 1 || (gone.revents & POLLHUP) == 0)
		return err_set(err, ERR_SETUP, 0, "init has not executed its own image yet");
	return readback_init(launch, err);
}
