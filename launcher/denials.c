/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keeper's part of listing denied calls, and what a line of the list says; see denials.h. */
#include "launcher/denials.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/confined.h"
#include "launcher/launch.h"
#include "policy/arch.h"
#include "policy/constants.h"
#include "policy/forms.h"
#include "policy/syscalls.h"

_Static_assert((int)DENIALS_OTHER_NUMBERS == (int)SYSCALLS_END,
	       "the numbers that have no line of their own are those that no call has");

static const char notifier_what[] = "the process that answers denied calls";

enum {
	START_MS = 5000,  /* until it is confined */
	ANSWER_MS = 5000, /* until it has said what it counted: it does not wait for anybody */
};

bool denials_are_explained(const struct decision *decision)
{
	return decision->explains_denials;
}

/* ---- start ---- */

/* The number is the word of a process that will be the workload's; what is behind it is not. */
static bool is_listener(int fd)
{
	uint64_t nobodys = 0;

	return ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &nobodys) != 0 && errno == ENOENT;
}

static int take_listener(struct launch *launch, struct err *err)
{
	struct notifier_process *notifier = &launch->notifier;

	notifier->listener_fd = sys_pidfd_getfd(launch->workload_pidfd, notifier->listener_number);
	if (notifier->listener_fd < 0) {
		err_set(err, ERR_SETUP, -notifier->listener_fd,
			"take the listener of denied calls");
		return err_hint(err, "Where kernel.yama.ptrace_scope is 3 no process may do that: "
				     "run without --explain-denials.");
	}
	return is_listener(notifier->listener_fd)
		       ? 0
		       : err_set(err, ERR_SETUP, 0, "the sandbox has no listener of denied calls");
}

int denials_start_notifier(struct launch *launch, struct err *err)
{
	struct notifier_process *notifier = &launch->notifier;
	size_t size = launch->n_filter * sizeof(struct sock_filter);
	struct confined started;
	int r = take_listener(launch, err);

	if (r < 0)
		return r;
	r = confined_start(launch,
			   &(struct confined_image){.name = "cordon-notifier",
						    .bytes = notifier_image,
						    .size = notifier_image_size,
						    .what = notifier_what,
						    .fds = {[NOTIFIER_LISTENER_FD] =
								    notifier->listener_fd},
						    .n_fds = NOTIFIER_CONTROL_FD},
			   &started, err);
	if (r < 0)
		return r;
	notifier->pid = started.pid;
	notifier->pidfd = started.pidfd;
	notifier->control_fd = started.control_fd;
	/* Without it nobody has one: then the kernel refuses. */
	close_fd(&notifier->listener_fd);
	if (send(notifier->control_fd, launch->filter, size, MSG_NOSIGNAL | MSG_DONTWAIT) !=
		    (ssize_t)size ||
	    confined_receive(notifier->control_fd, START_MS) != NOTIFIER_CONFINED)
		return err_set(err, ERR_SETUP, 0, "%s did not start", notifier_what);
	return 0;
}

int denials_verify_notifier(struct launch *launch, struct err *err)
{
	return confined_verify(launch, launch->notifier.pid, notifier_what, err);
}

/* ---- end ---- */

static bool receive(int control_fd, struct denials *ret)
{
	struct pollfd control = {.fd = control_fd, .events = POLLIN};
	ssize_t size;
	int n;

	do
		n = poll(&control, 1, ANSWER_MS);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	size = recv(control_fd, ret, sizeof(*ret), MSG_DONTWAIT);
	return size >= (ssize_t)offsetof(struct denials, list) && ret->n <= DENIALS_MAX &&
	       ret->is_lost == 0 &&
	       size == (ssize_t)(offsetof(struct denials, list) + ret->n * sizeof(struct denial));
}

void denials_finish(struct launch *launch, struct denials *ret)
{
	struct notifier_process *notifier = &launch->notifier;
	bool is_told;

	close_fd(&notifier->listener_fd);
	if (notifier->pidfd < 0)
		return;
	is_told = confined_say(notifier->control_fd, NOTIFIER_FINISH) == 0;
	if (ret != NULL && (!is_told || !receive(notifier->control_fd, ret)))
		*ret = (struct denials){.is_lost = 1};
	ignore_result(confined_end(&notifier->pidfd, is_told ? ANSWER_MS : 0),
		      "what it had to say has been read");
	close_fd(&notifier->control_fd);
}

/* ---- what a line says ---- */

/* The beginning of the names that an argument of a call has; NULL: it is a number. */
static const char *names_of(const struct denial *denial, uint32_t arg)
{
	static const struct {
		const char *call;
		uint32_t arg;
		const char *prefix;
	} rows[] = {
		{"socket", 0, "AF_"},
		{"socketpair", 0, "AF_"},
		{"ioctl", 1, "TIOC"},
		{"prctl", 0, "PR_"},
	};
	enum syscalls_abi abi = denial->is_second != 0 ? ABI_SECOND : ABI_NATIVE;
	const char *name = syscalls_name_on(abi, syscalls_place(abi, (int32_t)denial->number));

	if (name == NULL)
		return NULL;
	if (str_equal(name, "socket") && arg == 2 && (uint32_t)denial->args[0] == AF_NETLINK)
		return "NETLINK_";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (str_equal(rows[i].call, name) && rows[i].arg == arg)
			return rows[i].prefix;
	return NULL;
}

static void add_argument(const struct denial *denial, uint32_t arg, char *text)
{
	uint32_t value = (uint32_t)denial->args[arg];
	const char *prefix = names_of(denial, arg);
	const char *name = prefix != NULL ? constants_name(prefix, value) : NULL;
	size_t len = strlen(text);

	if (len > 0)
		len += str_format(text + len, DENIAL_TEXT_MAX - len, ", ");
	if (name != NULL)
		str_format(text + len, DENIAL_TEXT_MAX - len, "%s", name);
	else if (value < 1024)
		str_format(text + len, DENIAL_TEXT_MAX - len, "%u", value);
	else
		str_format(text + len, DENIAL_TEXT_MAX - len, "0x%x", value);
}

/* The telling one, then those that the rule looks at. */
static void describe_arguments(const struct denial *denial, const struct spec_call_rule *rule,
			       struct denial_view *view)
{
	int telling = denial_telling_argument(denial);
	bool is_said[6] = {false};

	if (denial->is_rest != 0) {
		str_format(view->argument, sizeof(view->argument), "(others)");
		return;
	}
	if (telling >= 0) {
		add_argument(denial, (uint32_t)telling, view->argument);
		is_said[telling] = true;
	}
	for (size_t i = 0; rule != NULL && i < rule->n_conds; i++) {
		const struct spec_cond *cond = &rule->conds[i];

		/* The others are addresses, which tell nobody anything. */
		if (!is_said[cond->arg] && cond->is_32bit)
			add_argument(denial, cond->arg, view->argument);
		is_said[cond->arg] = true;
	}
}

/* Where the policy has no parent its own list decides, and no waiver is needed. */
static bool is_own_list(const struct sandbox_spec *spec, const struct policy_seccomp_answer *answer)
{
	const struct spec_provenance *p = &spec->provenance;

	return answer->rule == NULL && p->n_profiles > 0 && answer->origin.file != NULL &&
	       str_equal(answer->origin.file, p->profiles[0].path) &&
	       !str_has_prefix(answer->origin.file, "profile ");
}

static bool has_rules(const struct spec_seccomp *seccomp, const struct denial *denial)
{
	const struct spec_calls native = {.calls = seccomp->calls, .n = seccomp->n_calls};
	const struct spec_calls calls = denial->is_second != 0 ? seccomp->second : native;

	for (size_t i = 0; i < calls.n; i++)
		if (calls.calls[i].number == (int32_t)denial->number)
			return calls.calls[i].n_rules > 0;
	return false;
}

static struct policy_seccomp_answer answer_to(const struct spec_seccomp *seccomp,
					      const struct denial *denial)
{
	if (denial->is_second != 0)
		return policy_seccomp_answer_second(seccomp, (int32_t)denial->number, denial->args);
	return policy_seccomp_answer(seccomp, (int32_t)denial->number, denial->args);
}

/* Which of a multiplexer's calls was refused in it; NULL: it is none, or refused as a whole. */
static const char *part_of(const struct denial *denial, const struct policy_seccomp_answer *answer)
{
	const struct forms_part *part = forms_parts();

	if (denial->is_second == 0 || answer->rule == NULL)
		return NULL;
	for (; part->call != NULL; part++)
		if (str_equal(part->multiplexer, answer->call) &&
		    ((uint32_t)denial->args[0] & part->mask) == part->number)
			return part->call;
	return NULL;
}

void denial_describe(const struct sandbox_spec *spec, const struct denial *denial,
		     struct denial_view *ret)
{
	struct policy_seccomp_answer answer = answer_to(&spec->seccomp, denial);
	const char *error = constants_errno_name(denial->error);
	const char *part = part_of(denial, &answer);

	*ret = (struct denial_view){.origin = answer.origin,
				    .architecture =
					    denial->is_second != 0 ? POLICY_SECOND_NAME : "",
				    .has_rules = has_rules(&spec->seccomp, denial),
				    .is_listable = is_own_list(spec, &answer)};
	if (answer.call != NULL)
		str_format(ret->call, sizeof(ret->call), "%s", answer.call);
	else if (denial->number == DENIALS_OTHER_NUMBERS)
		str_format(ret->call, sizeof(ret->call), "numbers from %u on", denial->number);
	else
		str_format(ret->call, sizeof(ret->call), "number %u", denial->number);
	if (error != NULL && denial->error != 0)
		str_format(ret->answer, sizeof(ret->answer), "%s", error);
	else
		str_format(ret->answer, sizeof(ret->answer), "%u", denial->error);
	if (answer.call != NULL && !answer.is_fixed)
		str_format(ret->waiver, sizeof(ret->waiver), "seccomp.call:%s",
			   part != NULL ? part : answer.call);
	if (part != NULL)
		str_format(ret->argument, sizeof(ret->argument), "%s", part);
	else
		describe_arguments(denial, answer.rule, ret);
}
