/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hostile program: it tries what a sandbox is there to stop, and does no harm where it gets
 * through. `./quickstart` runs it twice, without cordon and with it, and compares. Runs with
 * whatever privileges it finds.
 *
 *	hostile decoy NAME		be the victim: print "pid=N port=N shm=N", wait for the
 *					end of standard input
 *	hostile [KEY=VALUE...]		try everything; one line "attempt, outcome, detail" for
 *					each, separated by tabs
 *	hostile only=ATTEMPT ...	try one; exit 0 where it worked, 42 where it was stopped
 *
 * The outcome is "ok", the name of an errno or of the signal that killed the attempt, "unchanged"
 * (the call went through, nothing was won) or "untried" (no process could be made for it).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "examples/hostile/plan.h"

enum { EXIT_STOPPED = 42, ATTEMPT_SECONDS = 10 };

static int decoy_fail(const char *what)
{
	fprintf(stderr, "hostile: decoy: %s: %s\n", what, strerror(errno));
	return 1;
}

/* An abstract socket has no file: only a network namespace keeps others from it (unix(7)). */
static int decoy_abstract(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(name) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path + 1, name, strlen(name));
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 8) != 0)
		return -1;
	return fd;
}

static int decoy(const char *name)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int segment = shmget(IPC_PRIVATE, 4096, 0600);
	char byte;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, len) != 0 ||
	    listen(listener, 8) != 0 || getsockname(listener, (struct sockaddr *)&address, &len))
		return decoy_fail("listen on loopback");
	if (decoy_abstract(name) < 0)
		return decoy_fail("listen on an abstract socket");
	if (segment < 0 || shmat(segment, NULL, 0) == (void *)-1)
		return decoy_fail("shared memory");
	/* Marked for removal at once, so that it goes when the decoy does; until then its id can
	 * still be attached to (shmctl(2)). */
	shmctl(segment, IPC_RMID, NULL);
	/* Where Yama limits tracing to parents, this process agrees to be traced by anyone. */
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	printf("pid=%d port=%d shm=%d\n", getpid(), ntohs(address.sin_port), segment);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}

static const char *outcome_name(const struct outcome *outcome)
{
	const char *name = NULL;

	if (outcome->error == 0)
		return "ok";
	if (outcome->error == OUTCOME_UNCHANGED)
		return "unchanged";
	name = strerrorname_np(outcome->error);
	return name != NULL ? name : "unknown";
}

static void print_line(const char *name, const char *outcome, const char *detail)
{
	printf("%s\t%s\t%s\n", name, outcome, detail);
	fflush(stdout);
}

static void attempt_child(const struct attempt *attempt, const struct plan *plan, int report)
{
	struct outcome outcome = {0};
	ssize_t n;

	alarm(ATTEMPT_SECONDS);
	outcome.error = attempt->run(plan, outcome.detail, sizeof(outcome.detail));
	n = write(report, &outcome, sizeof(outcome));
	_exit(n == (ssize_t)sizeof(outcome) ? 0 : 1);
}

/* Returns true where the attempt worked. */
static bool try_one(const struct attempt *attempt, const struct plan *plan)
{
	struct outcome outcome;
	int report[2], status = 0;
	ssize_t n;
	pid_t pid;

	if (pipe(report) != 0) {
		print_line(attempt->name, "untried", strerror(errno));
		return false;
	}
	pid = fork();
	if (pid == 0) {
		close(report[0]);
		attempt_child(attempt, plan, report[1]);
	}
	close(report[1]);
	n = pid > 0 ? read(report[0], &outcome, sizeof(outcome)) : -1;
	close(report[0]);
	if (pid < 0) {
		print_line(attempt->name, "untried", strerror(errno));
		return false;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (n == (ssize_t)sizeof(outcome)) {
		print_line(attempt->name, outcome_name(&outcome), outcome.detail);
		return outcome.error == 0;
	}
	if (WIFSIGNALED(status)) {
		char name[32];

		snprintf(name, sizeof(name), "SIG%s", sigabbrev_np(WTERMSIG(status)));
		print_line(attempt->name, name, "the attempt's process was killed");
	} else {
		print_line(attempt->name, "untried", "the attempt's process said nothing");
	}
	return false;
}

static const char *value_of(const char *arg, const char *key)
{
	size_t len = strlen(key);

	return strncmp(arg, key, len) == 0 && arg[len] == '=' ? arg + len + 1 : NULL;
}

static bool read_argument(const char *arg, struct plan *plan, const char **only)
{
	const struct {
		const char *key;
		const char **text;
		int *number;
	} keys[] = {
		{"secret", &plan->secret, NULL},
		{"home", &plan->home, NULL},
		{"token", &plan->token, NULL},
		{"name", &plan->name, NULL},
		{"fd", NULL, &plan->fd},
		{"pid", NULL, &plan->pid},
		{"port", NULL, &plan->port},
		{"shm", NULL, &plan->shm},
		{"only", only, NULL},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *value = value_of(arg, keys[i].key);

		if (value == NULL)
			continue;
		if (keys[i].text != NULL)
			*keys[i].text = value;
		else
			*keys[i].number = (int)strtol(value, NULL, 10);
		return true;
	}
	return false;
}

/* Returns how many attempts of the list were made; *ret_won grows by those that worked. */
static int try_list(const struct attempt *list, const struct plan *plan, const char *only,
		    int *ret_won)
{
	int tried = 0;

	for (; list->name != NULL; list++) {
		if (only != NULL && strcmp(only, list->name) != 0)
			continue;
		tried++;
		*ret_won += try_one(list, plan);
	}
	return tried;
}

int main(int argc, char **argv)
{
	struct plan plan = {.secret = "", .home = "/root", .token = "", .name = "", .fd = -1};
	const char *only = NULL;
	int tried, won = 0;

	if (argc == 3 && strcmp(argv[1], "decoy") == 0)
		return decoy(argv[2]);
	for (int i = 1; i < argc; i++) {
		if (!read_argument(argv[i], &plan, &only)) {
			fprintf(stderr, "hostile: what is '%s'?\n", argv[i]);
			return 2;
		}
	}
	tried = try_list(attempts_on_user, &plan, only, &won) +
		try_list(attempts_on_kernel, &plan, only, &won);
	if (tried == 0) {
		fprintf(stderr, "hostile: no attempt is called '%s'\n", only);
		return 2;
	}
	return only != NULL && won == 0 ? EXIT_STOPPED : 0;
}
