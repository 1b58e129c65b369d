/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Answers the system calls that the policy denies, and counts them (`cordon run
 * --explain-denials`).
 *
 * Theory of operation. In such a run the workload's filter does not answer errno(X) itself but asks
 * the listener. The keeper executes this from a sealed memfd of mode 0111, as it does the
 * terminal's monitor, and with the same that is given up (bare_confine.h). It has two descriptors:
 * the listener, and a socket to the keeper, which first sends the very program that the workload
 * has in other runs. Each call is answered with what that program says of it; so an answer is never
 * this process's decision. A call that is asked about never runs: the flag that would let it go on
 * (SECCOMP_USER_NOTIF_FLAG_CONTINUE) is not used, and what the program would admit is not asked
 * about in the first place; if it were, it is refused.
 *
 * All that it reads of the workload is six numbers a call. The workload waits for each answer, and
 * the work for one has a bound (the length of the program, and of the list), so that whoever makes
 * denied calls as fast as it can keeps one process of low priority busy.
 *
 * When the keeper dies it goes on until nobody is left who could ask.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "launcher/bare.h"
#include "launcher/bare_confine.h"
#include "launcher/notifier_image.h"

struct notifier {
	struct sock_filter program[BPF_MAXINSNS];
	uint32_t n_program;
	struct denials denials;
	bool keeper_gone;
	bool workload_gone; /* no process is left that has the filter */
};

/* ---- confinement ---- */

/* All that the notifier does from here on. */
static const struct sock_filter filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BARE_NATIVE_ARCH, 0, 9),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_read, 8, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 7, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ppoll, 6, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 5, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
	/* Not ADDFD, which puts descriptors into the workload. */
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)SECCOMP_IOCTL_NOTIF_RECV, 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)SECCOMP_IOCTL_NOTIF_SEND, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

/* A kernel whose structures are larger would write behind ours. */
static void check_sizes(void)
{
	struct seccomp_notif_sizes sizes = {0};

	if (bare_call(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, (long)&sizes, 0, 0) != 0 ||
	    sizes.seccomp_notif != sizeof(struct seccomp_notif) ||
	    sizes.seccomp_notif_resp != sizeof(struct seccomp_notif_resp))
		bare_exit(125);
}

static void confine(void)
{
	const struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]),
					   .filter = (struct sock_filter *)filter};

	check_sizes();
	bare_lower_priority();
	bare_no_more_of(RLIMIT_FSIZE, 0);
	bare_confine("cordon-notifier", NOTIFIER_FDS, &program);
}

/* ---- the program's answer ---- */

/* One word of what the kernel would show the program. False: it has no such word. */
static bool load(const struct seccomp_data *data, uint32_t offset, uint32_t *ret)
{
	uint64_t argument;
	uint32_t i;

	if (offset == offsetof(struct seccomp_data, nr)) {
		*ret = (uint32_t)data->nr;
		return true;
	}
	if (offset == offsetof(struct seccomp_data, arch)) {
		*ret = data->arch;
		return true;
	}
	i = offset - (uint32_t)offsetof(struct seccomp_data, args);
	if (offset < offsetof(struct seccomp_data, args) || i % 4 != 0 || i / 8 >= 6)
		return false;
	argument = data->args[i / 8];
	*ret = (uint32_t)(i % 8 == 0 ? argument : argument >> 32);
	return true;
}

/* The instructions that policy/seccomp.c writes. What is not one of them, or leads out of the
 * program, refuses: 0 is no errno's answer. *ret_at is where it ended. */
static uint32_t run(const struct notifier *n, const struct seccomp_data *data, uint32_t *ret_at)
{
	uint32_t a = 0;

	for (uint32_t at = 0; at < n->n_program; at++) {
		const struct sock_filter *now = &n->program[at];

		*ret_at = at;
		if (now->code == (BPF_RET | BPF_K))
			return now->k;
		else if (now->code == (BPF_ALU | BPF_AND | BPF_K))
			a &= now->k;
		else if (now->code == (BPF_JMP | BPF_JA) && now->k < n->n_program)
			at += now->k;
		else if (now->code == (BPF_JMP | BPF_JEQ | BPF_K))
			at += a == now->k ? now->jt : now->jf;
		else if (now->code == (BPF_JMP | BPF_JGE | BPF_K))
			at += a >= now->k ? now->jt : now->jf;
		else if (now->code == (BPF_JMP | BPF_JGT | BPF_K))
			at += a > now->k ? now->jt : now->jf;
		else if (now->code != (BPF_LD | BPF_W | BPF_ABS) || !load(data, now->k, &a))
			return 0;
	}
	return 0;
}

static uint32_t error_of(uint32_t answer)
{
	return (answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO ? answer & SECCOMP_RET_DATA
								       : EPERM;
}

/* ---- counting ---- */

static bool is_same_class(const struct denial *one, const struct seccomp_data *data, int telling)
{
	return telling < 0 || one->is_rest != 0 ||
	       (uint32_t)one->args[telling] == (uint32_t)data->args[telling];
}

/* One more with the same line and argument. Else *ret_n_same is how many the call has. */
static bool count_again(struct denials *denials, const struct seccomp_data *data,
			const struct denial *one, uint32_t *ret_n_same)
{
	int telling = denial_telling_argument(one);
	uint32_t n_same = 0;

	for (uint32_t i = 0; i < denials->n; i++) {
		struct denial *other = &denials->list[i];

		if (other->number != one->number || other->is_second != one->is_second)
			continue;
		n_same++;
		if (other->at == one->at && is_same_class(other, data, telling)) {
			other->count++;
			return true;
		}
	}
	*ret_n_same = n_same;
	return false;
}

static void count(struct denials *denials, const struct seccomp_data *data, uint32_t error,
		  uint32_t at)
{
	bool is_known = data->nr >= 0 && data->nr < DENIALS_OTHER_NUMBERS;
	struct denial one = {.number = is_known ? (uint32_t)data->nr : DENIALS_OTHER_NUMBERS,
			     .error = error,
			     .at = at,
			     .is_second = data->arch != BARE_NATIVE_ARCH,
			     .count = 1};
	uint32_t n_same = 0;

	if (count_again(denials, data, &one, &n_same))
		return;
	if (denials->n == DENIALS_MAX) {
		denials->others++;
		return;
	}
	/* Those of a call that has rules are few; arguments can be as many as it likes. */
	one.is_rest = n_same >= DENIALS_PER_CALL - 1 && denial_telling_argument(&one) >= 0;
	for (uint32_t i = 0; i < 6; i++)
		one.args[i] = data->args[i];
	denials->list[denials->n++] = one;
}

/* ---- conversation ---- */

static void answer_one(struct notifier *n)
{
	struct seccomp_notif request = {0};
	struct seccomp_notif_resp response = {0};
	uint32_t at = 0;

	/* ENOENT: a signal has ended the call meanwhile. */
	if (bare_call(SYS_ioctl, NOTIFIER_LISTENER_FD, (long)SECCOMP_IOCTL_NOTIF_RECV,
		      (long)&request, 0, 0) != 0)
		return;
	response.id = request.id;
	response.error = -(int32_t)error_of(run(n, &request.data, &at));
	bare_call(SYS_ioctl, NOTIFIER_LISTENER_FD, (long)SECCOMP_IOCTL_NOTIF_SEND, (long)&response,
		  0, 0);
	count(&n->denials, &request.data, (uint32_t)-response.error, at);
}

static void on_message(struct notifier *n)
{
	int message = 0;
	long got = bare_call(SYS_read, NOTIFIER_CONTROL_FD, (long)&message, sizeof(message), 0, 0);

	if (got == sizeof(message) && message == NOTIFIER_FINISH) {
		long size = (long)(offsetof(struct denials, list) +
				   n->denials.n * sizeof(struct denial));

		bare_exit(bare_call(SYS_write, NOTIFIER_CONTROL_FD, (long)&n->denials, size, 0,
				    0) == size
				  ? 0
				  : 125);
	}
	n->keeper_gone = n->keeper_gone || got != sizeof(message);
}

static void step(struct notifier *n)
{
	struct pollfd fds[2] = {
		{.fd = n->workload_gone ? -1 : NOTIFIER_LISTENER_FD, .events = POLLIN},
		{.fd = n->keeper_gone ? -1 : NOTIFIER_CONTROL_FD, .events = POLLIN},
	};
	long ready = bare_call(SYS_ppoll, (long)fds, 2, 0, 0, 0);

	if (ready < 0 && ready != -EINTR)
		bare_exit(125);
	if (ready <= 0)
		return;
	if (fds[0].revents & POLLIN)
		answer_one(n);
	else if (fds[0].revents != 0)
		n->workload_gone = true;
	if (fds[1].revents != 0)
		on_message(n);
}

static void take_program(struct notifier *n)
{
	long size = bare_call(SYS_read, NOTIFIER_CONTROL_FD, (long)n->program, sizeof(n->program),
			      0, 0);

	if (size <= 0 || size % (long)sizeof(n->program[0]) != 0)
		bare_exit(125);
	n->n_program = (uint32_t)((unsigned long)size / sizeof(n->program[0]));
}

_Noreturn void bare_main(long *stack)
{
	const int confined = NOTIFIER_CONFINED;
	struct notifier n;

	(void)stack;
	n.denials.n = n.denials.is_lost = 0;
	n.denials.others = 0;
	n.keeper_gone = n.workload_gone = false;
	confine();
	take_program(&n);
	bare_call(SYS_write, NOTIFIER_CONTROL_FD, (long)&confined, sizeof(confined), 0, 0);
	while (!n.keeper_gone || !n.workload_gone)
		step(&n);
	bare_exit(0);
}
