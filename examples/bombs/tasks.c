/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bombs of processes, threads and processor time. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "examples/bombs/bombs.h"

enum { THREAD_STACK = 64 << 10, MS_IN_S = 1000, NS_IN_MS = 1000000 };

/* No signal ends it but SIGKILL; time does. */
static _Noreturn void sleep_it_out(void)
{
	struct timespec left = {.tv_sec = BOMB_SECONDS};

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
	_exit(0);
}

/* The parent may have ended before the signal was asked for. */
static void end_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(0);
}

static int run_fork(struct charge *charge)
{
	pid_t parent = getpid();

	for (; charge->done < charge->count; charge->done++) {
		pid_t pid = fork();

		if (pid < 0)
			return errno;
		if (pid == 0) {
			end_with(parent);
			sleep_it_out();
		}
	}
	return 0;
}

/* Dead, and never reaped: each keeps its number. */
static int run_zombies(struct charge *charge)
{
	for (; charge->done < charge->count; charge->done++) {
		pid_t pid = fork();
		siginfo_t info;

		if (pid < 0)
			return errno;
		if (pid == 0)
			_exit(0);
		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) != 0)
			return errno;
	}
	return 0;
}

static void ignore_signals(void)
{
	for (int signo = 1; signo < NSIG; signo++)
		signal(signo, SIG_IGN); /* fails for SIGKILL, SIGSTOP and libc's own */
}

/* Each in a session of its own, an orphan, deaf to every signal: what a plain kill of a process, of
 * a group or of a session does not reach. */
static int run_survivors(struct charge *charge)
{
	for (; charge->done < charge->count; charge->done++) {
		int status;
		pid_t pid = fork();

		if (pid < 0)
			return errno;
		if (pid == 0) {
			setsid();
			ignore_signals();
			pid = fork();
			if (pid == 0)
				sleep_it_out();
			_exit(pid < 0 ? errno : 0);
		}
		if (waitpid(pid, &status, 0) != pid)
			return errno;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
	}
	return 0;
}

static void *thread_main(void *arg)
{
	(void)arg;
	sleep_it_out();
}

static int run_threads(struct charge *charge)
{
	pthread_attr_t attr;
	int error = pthread_attr_init(&attr);

	if (error == 0)
		error = pthread_attr_setstacksize(&attr, THREAD_STACK);
	for (; error == 0 && charge->done < charge->count; charge->done += error == 0) {
		pthread_t thread;

		error = pthread_create(&thread, &attr, thread_main, NULL);
	}
	return error;
}

static unsigned long used_ms(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (unsigned long)used.tv_sec * MS_IN_S + (unsigned long)used.tv_nsec / NS_IN_MS;
}

/* Two processes, so that a limit of one process alone is not enough. */
static int run_spin(struct charge *charge)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return errno;
	if (pid == 0)
		end_with(parent);
	while ((charge->done = used_ms()) < charge->count)
		;
	if (pid == 0)
		_exit(0);
	return 0;
}

const struct bomb bombs_of_tasks[] = {
	{"fork", "processes", 200, BOMB_PROCESSES, run_fork, "processes",
	 "limits.pids or limits.nproc: EAGAIN", NULL, NULL},
	{"threads", "threads", 200, BOMB_PROCESSES, run_threads, "threads of one process",
	 "limits.pids or limits.nproc: EAGAIN", NULL, NULL},
	{"zombies", "zombies", 200, BOMB_PROCESSES, run_zombies,
	 "dead processes that keep their numbers", "limits.pids or limits.nproc: EAGAIN", NULL,
	 NULL},
	{"survivors", "orphans", 100, BOMB_PROCESSES, run_survivors,
	 "nothing: orphans of own sessions that ignore every signal", "any end of the sandbox",
	 NULL, NULL},
	{"spin", "ms", 8000, 10000, run_spin, "processor time, in two processes",
	 "limits.cpu_time, ulimits.cpu or wall_time: the end; slowed by limits.cpus", NULL, NULL},
	{.name = NULL},
};
