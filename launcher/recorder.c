/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See recorder.h. Runs in the keeper. */
#include "launcher/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/launch.h"
#include "launcher/monitor_image.h"

/* It waits for nothing but the disk of its files. */
#ifdef CORDON_FAULTS
enum { PING_EVERY_MS = 500, ANSWER_MS = 2000 };
#else
enum { PING_EVERY_MS = 30000, ANSWER_MS = 30000 };
#endif
enum { AT_ONCE = 1 << 20 };

_Static_assert((int)SPEC_LOG_FILES_MAX == (int)LOG_FILES_MAX &&
		       (int)SPEC_LOG_SIZE_LEAST == (int)LOG_SIZE_LEAST,
	       "what a policy may say is what there is room for");

int recorder_describe(const struct launch *launch, struct recorder_words *words,
		      struct confined_image *ret, struct err *err)
{
	const struct run_logs *logs = launch->logs;
	char *letter = words->letters;

	if (logs == NULL || logs->n == 0 || logs->n > LOG_FILES_MAX)
		return err_set(err, ERR_BUG, 0, "output is kept, and there is no log file");
	*ret = (struct confined_image){.name = "cordon-recorder",
				       .bytes = recorder_image,
				       .size = recorder_image_size,
				       .what = "the output's recorder",
				       .args = {words->output_max, words->letters,
						words->file_max}};
	if (launch->decision->keeps_terminal) {
		*letter++ = RECORDER_HAS_MASTER;
		ret->fds[ret->n_fds++] = launch->terminal.master_fd;
	}
	if (launch->decision->keeps_stdin) {
		*letter++ = RECORDER_HAS_STDIN;
		ret->fds[ret->n_fds++] = launch->output.input_write_fd;
	}
	for (size_t i = 0; i < output_n_pipes(launch->decision); i++) {
		*letter++ = i == 0 ? RECORDER_HAS_STDOUT : RECORDER_HAS_STDERR;
		ret->fds[ret->n_fds++] = launch->output.read_fd[i];
	}
	for (size_t i = 0; i < logs->n; i++) {
		*letter++ = RECORDER_HAS_LOG;
		ret->fds[ret->n_fds++] = logs->fds[i];
	}
	*letter = '\0';
	str_format(words->output_max, sizeof(words->output_max), "%llu",
		   (unsigned long long)output_limit(launch->decision));
	str_format(words->file_max, sizeof(words->file_max), "%llu",
		   (unsigned long long)logs->max_size);
	return 0;
}

bool recorder_may_be_lost(const struct launch *launch)
{
	return launch->decision->keeps_output &&
	       (launch->decision->limits.enforced & 1U << LIMIT_OUTPUT) == 0;
}

void recorder_lose(struct launch *launch)
{
	launch->recorder.is_lost = true;
	launch->recorder.answer_ms = 0;
	close_fd(&launch->terminal.control_fd);
	if (launch->terminal.monitor_pidfd >= 0)
		ignore_result(confined_end(&launch->terminal.monitor_pidfd, 0), "it is of no use");
}

/* One that does not answer, and may not be lost, shows as dead. */
static void give_up(struct launch *launch)
{
	if (recorder_may_be_lost(launch)) {
		recorder_lose(launch);
		return;
	}
	launch->recorder.answer_ms = 0;
	ignore_result(sys_pidfd_send_signal(launch->terminal.monitor_pidfd, SIGKILL, 0),
		      "it may have just ended");
}

void recorder_look(struct launch *launch, int64_t now_ms)
{
	struct recorder_watch *watch = &launch->recorder;

	if (!launch->decision->keeps_output || launch->terminal.control_fd < 0)
		return;
	if (watch->answer_ms != 0 && now_ms >= watch->answer_ms)
		give_up(launch);
	else if (watch->answer_ms == 0 && now_ms >= watch->next_ping_ms &&
		 confined_say(launch->terminal.control_fd, MONITOR_PING) == 0)
		watch->answer_ms = now_ms + ANSWER_MS;
	if (now_ms >= watch->next_ping_ms)
		watch->next_ping_ms = now_ms + PING_EVERY_MS;
}

int recorder_patience(const struct launch *launch, int64_t now_ms)
{
	const struct recorder_watch *watch = &launch->recorder;
	int64_t next = watch->answer_ms != 0 ? watch->answer_ms : watch->next_ping_ms;

	if (!launch->decision->keeps_output || launch->terminal.control_fd < 0)
		return -1;
	return next <= now_ms ? 0 : (int)(next - now_ms);
}

static int *unread_fd(struct launch *launch, size_t i)
{
	return i < OUTPUT_PIPES_MAX ? &launch->output.read_fd[i] : &launch->terminal.master_fd;
}

int recorder_unread(struct launch *launch, size_t i)
{
	struct pollfd fd = {.fd = *unread_fd(launch, i), .events = POLLIN};

	if (!launch->recorder.is_lost || fd.fd < 0)
		return -1;
	/* One that nobody writes to any more would be readable for ever. */
	if (poll(&fd, 1, 0) == 1 && (fd.revents & POLLIN) == 0)
		close_fd(unread_fd(launch, i));
	return *unread_fd(launch, i);
}

/* A terminal's bytes go by a pipe: splice(2) wants one at one of the two ends. The keeper's stdout
 * is /dev/null by now (give_up_stdio). */
void recorder_pass_over(struct launch *launch, size_t i)
{
	_cleanup_fd_ int read_fd = -EBADF, write_fd = -EBADF;
	int from = *unread_fd(launch, i);
	ssize_t n = AT_ONCE;
	int pair[2];

	if (i >= OUTPUT_PIPES_MAX) {
		if (pipe2(pair, O_CLOEXEC) != 0)
			return;
		read_fd = pair[0];
		write_fd = pair[1];
		n = splice(from, NULL, write_fd, NULL, AT_ONCE, SPLICE_F_NONBLOCK);
		from = read_fd;
	}
	if (n > 0)
		ignore_result(splice(from, NULL, STDOUT_FILENO, NULL, (size_t)n,
				     SPLICE_F_NONBLOCK) < 0,
			      "then the workload waits");
}
