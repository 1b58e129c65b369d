/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Injected faults of test builds; empty in every other. */
#include "launcher/fault.h"

#ifdef CORDON_FAULTS

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { SLOW_MS = 1000 };

struct fault fault_from_environment(void)
{
	static const struct {
		const char *name;
		enum fault_action action;
	} actions[] = {
		{":fail", FAULT_FAIL},
		{":skip", FAULT_SKIP},
		{":kill-keeper", FAULT_KILL_KEEPER},
		{":kill-init", FAULT_KILL_INIT},
		{":kill", FAULT_KILL},
		{":stop", FAULT_STOP},
		{":kill-parent", FAULT_KILL_PARENT},
	};
	const char *text = getenv("CORDON_FAULT");
	const char *colon = text != NULL ? strchr(text, ':') : NULL;

	for (size_t i = 0; colon != NULL && i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(colon, actions[i].name) == 0)
			return (struct fault){.row = text, .action = actions[i].action};
	return (struct fault){.row = NULL, .action = FAULT_NONE};
}

enum fault_action fault_at(const struct fault *fault, const char *row)
{
	size_t len = strlen(row);

	if (fault->row == NULL || strncmp(fault->row, row, len) != 0 || fault->row[len] != ':')
		return FAULT_NONE;
	return fault->action;
}

int fault_point(const char *name, const char *what)
{
	struct fault fault = fault_from_environment();
	char point[64];

	snprintf(point, sizeof(point), "%s%s%s", name, what != NULL ? "." : "",
		 what != NULL ? what : "");
	switch (fault_at(&fault, point)) {
	case FAULT_FAIL:
		return -EIO;
	case FAULT_KILL:
		kill(getpid(), SIGKILL);
		break;
	case FAULT_STOP:
		kill(getpid(), SIGSTOP);
		break;
	case FAULT_KILL_PARENT:
		kill(getppid(), SIGKILL);
		break;
	case FAULT_NONE:
	case FAULT_SKIP:
	case FAULT_KILL_KEEPER:
	case FAULT_KILL_INIT:
		break;
	}
	return 0;
}

void fault_slow(const struct fault *fault, const char *row)
{
	if (fault_at(fault, row) == FAULT_SKIP)
		poll(NULL, 0, SLOW_MS);
}

bool fault_replaces_filter(void **ret_program, size_t *ret_n)
{
	const char *path = getenv("CORDON_BENCH_FILTER");
	_cleanup_fd_ int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	struct sock_filter *program = fd >= 0 ? malloc(BPF_MAXINSNS * sizeof(*program)) : NULL;
	ssize_t size = program != NULL ? read(fd, program, BPF_MAXINSNS * sizeof(*program)) : -1;

	if (size <= 0) {
		free(program);
		return false;
	}
	*ret_program = program;
	*ret_n = (size_t)size / sizeof(*program);
	return true;
}

#else
/* ISO C wants a declaration in each file. */
extern int fault_is_compiled_out;
#endif
