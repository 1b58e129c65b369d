/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keeper in the background; see keeper.h.
 *
 * Theory of operation. keeper_start forks. The child leaves everything of its caller's (session,
 * descriptors, what it did with signals; the directory once the program runs, which may start in
 * it), opens the records anew, takes the keeper's lock and starts the sandbox. One message tells
 * the caller how that went; after it nobody waits for the child, and it is a child of process 1
 * when the caller has ended. The caller may be killed at any moment: the lock by which no other
 * command touches the sandbox is in the child's hands as well until it has its own.
 *
 * Where the policy may ask for another start, that child (the waiter) forks a process for each
 * start and waits for its end in poll(2): for its pidfd, and for SIGTERM, which it passes on. It
 * reads one message of fixed size from its child, which reads none of the workload's.
 */
#include "records/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/fault.h"
#include "records/attach.h"
#include "records/fresh.h"
#include "records/internal.h"
#include "records/links.h"
#include "records/logs.h"
#include "records/target.h"

enum {
	RESULT_JSON_MAX = 64 << 10,
	WORD_STARTED = 's', /* from a start to the waiter: its program runs; nothing else yet */
};

/* What the caller waits for. Smaller than PIPE_BUF: it is written whole. */
struct start_report {
	bool is_running;
	struct err err;
};

/* How one start ended, from the process that made it to the one that waits. The pointers in it lead
 * to constants, to the frozen decision and to shared memory, which are at the same place in both.
 */
struct end_report {
	bool has_run; /* to its end */
	bool is_output_lost;
	struct run_result result;
	struct err err;
};

_Static_assert(sizeof(struct start_report) <= 4096 && sizeof(struct end_report) <= 4096,
	       "PIPE_BUF of pipe(7): each is one message");

struct keeper {
	struct keep keep;
	const struct decision *decision;
	const struct run_request *roots;
	struct record_mark mark; /* which record was decided */
	int report_fd;           /* -EBADF once the caller knows */
	int waiter_fd; /* in the process of one start: the way to the one that waits; else -EBADF */
	bool is_told_to_end;
	/* Shared, for the process of a start writes what the one that waits reads; the result leads
	 * there. */
	struct reach_denials *reach;
	char result_json[RESULT_JSON_MAX];
};

/* ---- the caller's message ---- */

static void tell_caller(struct keeper *keeper, bool is_running, const struct err *err)
{
	struct start_report report = {.is_running = is_running};

	if (keeper->report_fd < 0)
		return;
	if (!is_running)
		report.err = *err;
	ignore_result(io_write_all(keeper->report_fd, &report, sizeof(report)),
		      "a caller that was killed");
	close_fd(&keeper->report_fd);
}

/* ---- one start ---- */

static void on_started(void *ctx, const struct run_started *started)
{
	struct keeper *keeper = ctx;
	char word = WORD_STARTED;

	keep_started(&keeper->keep, started);
	if (keeper->waiter_fd >= 0)
		ignore_result(io_write_all(keeper->waiter_fd, &word, 1), "its death is ours");
	ignore_result(fault_point("start.said", NULL), "nothing to fail");
	/* A stop may have come between the waiter's last look and now. */
	if (keeper->waiter_fd >= 0 && !status_is_wanted(keeper->keep.sandbox))
		kill(getpid(), SIGTERM);
	/* It holds nobody's file system any more. */
	ignore_result(chdir("/"), "a directory that stays busy");
	tell_caller(keeper, true, NULL);
}

static void on_output_lost(void *ctx)
{
	struct keeper *keeper = ctx;

	keep_output_lost(&keeper->keep);
}

static void on_helper_lost(void *ctx, const char *helper)
{
	struct keeper *keeper = ctx;

	keep_helper_lost(&keeper->keep, helper);
}

static int run_once(struct keeper *keeper, struct run_result *ret, struct err *err)
{
	const struct sandbox *sandbox = keeper->keep.sandbox;
	struct run_logs logs = {.n = 0};
	_cleanup_fd_ int network_fd = -EBADF;
	char holder[RECORDS_PATH_MAX];
	struct run_links links = {.n = 0};
	struct run_options options = {.started = on_started,
				      .ctx = keeper,
				      .id_block = keeper->keep.record->id_block,
				      .reach = keeper->reach,
				      .stops_in_order = true,
				      /* What removes itself has its record on a tmpfs. */
				      .layer_dir_fd = sandbox->is_kept ? &sandbox->dir_fd : NULL,
				      .logs = &logs,
				      .terminal_size = keeper->roots->terminal_size,
				      .output_lost = on_output_lost,
				      .helper_lost = on_helper_lost,
				      .attach_fd = -EBADF,
				      .network_holder = sandbox->is_kept ? holder : NULL,
				      .sandbox_name = keeper->keep.record->name,
				      .shared_network_fd = &network_fd,
				      .links = &links,
				      .sandbox_id = sandbox->id,
				      .keeps_volumes = sandbox->is_kept};
	int r = logs_open(keeper->keep.sandbox, &keeper->decision->spec.logging, &logs, err);

	records_path(keeper->keep.records, sandbox->id, sandbox->is_kept, holder, sizeof(holder));
	if (r == 0) {
		options.attach_fd = attach_listen(keeper->keep.records, sandbox->id, err);
		r = options.attach_fd < 0 ? options.attach_fd : 0;
	}
	if (r == 0)
		r = target_open_network(keeper->keep.records, &keeper->decision->spec.network,
					&network_fd, err);
	if (r == 0)
		r = links_find(keeper->keep.records, &keeper->decision->spec.network, &links, err);
	if (r == 0)
		r = cordon_run(keeper->decision, &options, ret, err);
	close_fd(&options.attach_fd);
	logs_release(&logs);
	return r;
}

static void finish(struct keeper *keeper, const struct end_report *end)
{
	struct err err;
	ssize_t len = -1;

	if (end->has_run)
		len = result_to_json(&end->result, &keeper->decision->spec, NULL, 0,
				     keeper->result_json, sizeof(keeper->result_json));
	ignore_result(keep_end(&keeper->keep, end->has_run ? &end->result : NULL,
			       len > 0 ? keeper->result_json : NULL,
			       end->has_run ? NULL : &end->err, &err),
		      "nobody listens; gc and the next command see that there is no keeper");
	tell_caller(keeper, false, &end->err);
}

/* ---- the waiter ---- */

static int open_signals(void)
{
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	return signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int send_term(int pidfd, const struct signalfd_siginfo *info)
{
	return info->ssi_code == SI_QUEUE ? sys_pidfd_send_value(pidfd, SIGTERM, info->ssi_ptr)
					  : sys_pidfd_send_signal(pidfd, SIGTERM, 0);
}

/* SIGTERM, if it has come; passed on to the start that is running (pidfd, or -EBADF). */
static void take_signals(struct keeper *keeper, int signal_fd, int pidfd)
{
	struct signalfd_siginfo info;

	while (read(signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		keeper->is_told_to_end = true;
		if (pidfd >= 0)
			ignore_result(send_term(pidfd, &info), "it may have just ended");
	}
}

static _Noreturn void start_main(struct keeper *keeper, int write_fd, pid_t waiter)
{
	struct end_report end = {.has_run = false};

	/* Without the waiter nobody would know how it ended. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != waiter)
		_exit(1);
	keeper->waiter_fd = write_fd;
	ignore_result(fault_point("start.begins", NULL), "nothing to fail");
	end.has_run = run_once(keeper, &end.result, &end.err) == 0;
	ignore_result(fault_point("start.ended", NULL), "nothing to fail");
	end.is_output_lost = keeper->keep.last.is_output_lost;
	ignore_result(io_write_all(write_fd, &end, sizeof(end)), "the waiter is gone");
	_exit(0);
}

static void lost_start(struct end_report *ret, const char *what, int error)
{
	ret->has_run = false;
	err_set(&ret->err, ERR_SETUP, error, "%s", what);
}

static void wait_for_end(struct keeper *keeper, int signal_fd, int pidfd)
{
	struct pollfd fds[] = {{.fd = pidfd, .events = POLLIN},
			       {.fd = signal_fd, .events = POLLIN}};
	siginfo_t info;

	while (fds[0].revents == 0) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		take_signals(keeper, signal_fd, pidfd);
	}
	ignore_result(sys_waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED, NULL), "our own child");
}

/* What the start has said, which has ended. */
static void read_end(struct keeper *keeper, int read_fd, struct end_report *ret)
{
	ssize_t n = read(read_fd, ret, sizeof(*ret));
	struct err err;

	/* It ran: from here on it is the policy's business. The start may have been killed before
	 * it told the caller, who reads one message. */
	if (n == 1) {
		tell_caller(keeper, true, NULL);
		n = read(read_fd, ret, sizeof(*ret));
	}
	if (n == (ssize_t)sizeof(*ret)) {
		keeper->keep.last.is_output_lost = ret->is_output_lost;
		return;
	}
	lost_start(ret, "the process that started it was killed", 0);
	ignore_result(status_clean_run(keeper->keep.records->run, keeper->keep.sandbox, &err),
		      "the next gc finishes it");
}

static void start_and_wait(struct keeper *keeper, int signal_fd, struct end_report *ret)
{
	_cleanup_fd_ int read_fd = -EBADF;
	_cleanup_fd_ int write_fd = -EBADF;
	_cleanup_fd_ int pidfd = -EBADF;
	pid_t waiter = getpid();
	int fds[2];
	pid_t pid;

	/* In packets: one message a read. */
	if (pipe2(fds, O_CLOEXEC | O_DIRECT) != 0) {
		lost_start(ret, "pipe", errno);
		return;
	}
	read_fd = fds[0];
	write_fd = fds[1];
	pid = fork();
	if (pid == 0)
		start_main(keeper, write_fd, waiter);
	if (pid < 0) {
		lost_start(ret, "fork", errno);
		return;
	}
	close_fd(&write_fd);
	ignore_result(fault_point("waiter.forked", NULL), "nothing to fail");
	pidfd = sys_pidfd_open(pid, 0);
	/* What could not be told to end is not kept. It is our child: the number is its own. */
	if (pidfd < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	} else {
		wait_for_end(keeper, signal_fd, pidfd);
	}
	read_end(keeper, read_fd, ret);
	ignore_result(fault_point("waiter.read", NULL), "nothing to fail");
}

/* What `cordon update` has changed counts from the next start on, and for whether there is one.
 * False: it cannot be decided any more, and *end says why. */
static bool look_at_record(struct keeper *keeper, struct end_report *end)
{
	struct keep *keep = &keeper->keep;
	struct fresh *fresh = NULL;
	struct err err;
	int r = fresh_look(keep, keeper->roots, &keeper->mark, &fresh, &err);

	if (r < 0) {
		end->has_run = false;
		end->err = err;
		return false;
	}
	/* The old ones stay: results lead to them. */
	if (r == 1) {
		keeper->decision = &fresh->decision;
		/* The record is the hold: nobody who removes images has to wait for the next start.
		 */
		cordon_let_images_go(keeper->decision);
		keep->record = &fresh->record;
	}
	return true;
}

static int64_t exit_code_of(const struct end_report *end)
{
	return end->has_run ? result_exit_code(&end->result) : err_exit_code(&end->err);
}

/* Sleeps until the next start, or until it is told to end. */
static void pause_until(struct keeper *keeper, int signal_fd, const struct end_report *end,
			int64_t ms)
{
	struct pollfd fd = {.fd = signal_fd, .events = POLLIN};

	keeper->keep.live.last_finished_ms = record_now_ms();
	keeper->keep.live.last_exit_code = exit_code_of(end);
	keeper->keep.live.restarts = keeper->keep.last.restarts;
	keeper->keep.live.next_start_ms = keeper->keep.live.last_finished_ms + ms;
	keeper->keep.live.workload = keeper->keep.live.init = (struct process_mark){0};
	ignore_result(status_write_live(keeper->keep.records, keeper->keep.sandbox->id,
					&keeper->keep.live),
		      "it shows as running meanwhile");
	ignore_result(fault_point("waiter.pauses", NULL), "nothing to fail");
	ignore_result(poll(&fd, 1, (int)ms), "earlier is no harm");
	take_signals(keeper, signal_fd, -EBADF);
	keeper->keep.live.next_start_ms = RESULT_NONE;
}

static bool starts_again(const struct keeper *keeper, const struct end_report *end)
{
	/* What never ran is the caller's to hear, who waits. */
	return !keeper->is_told_to_end && keeper->report_fd < 0 &&
	       status_is_wanted(keeper->keep.sandbox) &&
	       keeper_restarts(&keeper->decision->spec.supervision, exit_code_of(end),
			       keeper->keep.last.restarts);
}

static void keep_starting(struct keeper *keeper)
{
	_cleanup_fd_ int signal_fd = open_signals();
	struct end_report end = {.has_run = false};
	int64_t failures = 0;

	if (signal_fd < 0) {
		lost_start(&end, "signalfd", errno);
		finish(keeper, &end);
		return;
	}
	for (;;) {
		int64_t begin_ms = sys_monotonic_ms();

		keeper->keep.live.started_ms = record_now_ms();
		start_and_wait(keeper, signal_fd, &end);
		if (keeper->is_told_to_end || !look_at_record(keeper, &end) ||
		    !starts_again(keeper, &end))
			break;
		keep_note_end(&keeper->keep, end.has_run ? &end.result : NULL,
			      end.has_run ? NULL : &end.err);
		failures = keeper_failures(failures, sys_monotonic_ms() - begin_ms);
		pause_until(keeper, signal_fd, &end,
			    keeper_pause_ms(failures > 0 ? failures - 1 : 0));
		if (keeper->is_told_to_end || !status_is_wanted(keeper->keep.sandbox) ||
		    !look_at_record(keeper, &end))
			break;
		keep_note_restart(&keeper->keep);
	}
	finish(keeper, &end);
}

/* ---- the child ---- */

static int keep_sandbox(struct keeper *keeper, const struct run_request *roots,
			const struct record *record, struct err *err)
{
	struct records records;
	struct sandbox sandbox = {.dir_fd = -EBADF};
	struct end_report end = {.has_run = false};
	int r = records_open(roots, true, &records, err);

	if (r < 0)
		return r;
	r = records_open_id(&records, record->id, &sandbox);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "sandbox %s", record->id);
	keeper->reach = mmap(NULL, sizeof(*keeper->reach), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (keeper->reach == MAP_FAILED)
		return err_set(err, ERR_SETUP, errno, "sandbox %s: list of denials", record->id);
	r = keep_begin(&records, record, &sandbox, &keeper->keep, err);
	if (r < 0)
		return r;
	keeper->roots = roots;
	keeper->mark = record_mark_of(&sandbox);
	/* From here on it is the keeper's lock that keeps others away. */
	ignore_result(close(KEEPER_SANDBOX_FD), "a directory");
	if (keeper->decision->spec.supervision.restart != RESTART_NO) {
		keep_starting(keeper);
	} else {
		end.has_run = run_once(keeper, &end.result, &end.err) == 0;
		finish(keeper, &end);
	}
	return 0; /* everything that it holds goes with the process */
}

static _Noreturn void keeper_main(struct keeper *keeper, const struct run_request *roots,
				  const struct record *record, const struct sandbox *sandbox)
{
	struct err err = {0};
	int r = keeper_leave_caller(keeper->report_fd, sandbox->dir_fd, keeper->decision);

	if (r == 0)
		keeper->report_fd = KEEPER_REPORT_FD;
	if (r == 0)
		r = fault_point("keeper.left", NULL);
	if (r < 0) {
		err_set(&err, ERR_SETUP, -r, "sandbox %s: leave its caller", record->id);
		tell_caller(keeper, false, &err);
		_exit(125);
	}
	if (keep_sandbox(keeper, roots, record, &err) < 0)
		tell_caller(keeper, false, &err);
	_exit(0);
}

int keeper_start(const struct run_request *roots, const struct record *record,
		 const struct sandbox *sandbox, const struct decision *decision, pid_t *ret_pid,
		 struct err *err)
{
	_cleanup_free_ struct keeper *keeper = calloc(1, sizeof(*keeper));
	_cleanup_fd_ int read_fd = -EBADF;
	_cleanup_fd_ int write_fd = -EBADF;
	struct start_report report;
	ssize_t n;
	int fds[2];
	pid_t pid;

	if (keeper == NULL || pipe2(fds, O_CLOEXEC) != 0)
		return err_set(err, ERR_SETUP, errno, "sandbox %s: start its keeper", sandbox->id);
	read_fd = fds[0];
	write_fd = fds[1];
	*keeper = (struct keeper){.decision = decision, .report_fd = write_fd, .waiter_fd = -EBADF};
	/* The record says by now that the image is needed. The keeper leaves this lock behind. */
	cordon_let_images_go(decision);
	pid = fork();
	if (pid == 0)
		keeper_main(keeper, roots, record, sandbox);
	if (pid < 0)
		return err_set(err, ERR_SETUP, errno, "sandbox %s: fork its keeper", sandbox->id);
	close_fd(&write_fd);
	ignore_result(fault_point("client.forked", NULL), "nothing to fail");
	do
		n = read(read_fd, &report, sizeof(report));
	while (n < 0 && errno == EINTR);
	/* Then all that it did is done, and what it held is free. */
	if (n != (ssize_t)sizeof(report) || !report.is_running)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	if (n != (ssize_t)sizeof(report)) {
		err_set(err, ERR_SETUP, 0, "sandbox %s: its keeper was killed", sandbox->id);
		return err_hint(err, "Run `cordon gc`, then start it again.");
	}
	if (!report.is_running) {
		*err = report.err;
		return err->sys_errno > 0 ? -err->sys_errno : -EINVAL;
	}
	ignore_result(fault_point("client.told", NULL), "nothing to fail");
	*ret_pid = pid;
	return 0;
}
