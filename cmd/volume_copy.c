/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `cordon volume backup`, `restore` and `clone`. The copying is cordon-image's
 * (libexec/image/volume.c), a child; this process keeps others from the volume meanwhile, and those
 * who use it from writing to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/program.h"
#include "base/str.h"
#include "cmd/life.h"
#include "cmd/print.h"
#include "cmd/volume.h"
#include "cmd/volume_freeze.h"

enum { ARGV_MAX = 24, FIRST_MARK = 3, SPARE_FD = 100 };

struct copy {
	const struct cmd_context *context;
	const struct words *words;
	struct volume_place place;
	struct volume_gate gate;
	struct volume_freeze freeze;
	bool is_frozen;
	bool is_live; /* somebody may write to it meanwhile */
	char *argv[ARGV_MAX];
	size_t n;
	char marks[24];
};

static void hand(struct copy *copy, const char *word)
{
	if (copy->n + 1 < ARGV_MAX)
		copy->argv[copy->n++] = (char *)word;
}

/* ---- the child ---- */

/* From FIRST_MARK on, in order; whatever had those numbers is of no use to the child. */
static int place_marks(struct copy *copy)
{
	for (size_t i = 0; copy->is_frozen && i < copy->freeze.n; i++) {
		int *fd = &copy->freeze.list[i].mark_fd;

		*fd = fcntl(*fd, F_DUPFD_CLOEXEC, SPARE_FD);
		if (*fd < 0)
			return -errno;
	}
	for (size_t i = 0; copy->is_frozen && i < copy->freeze.n; i++)
		if (dup2(copy->freeze.list[i].mark_fd, FIRST_MARK + (int)i) < 0)
			return -errno;
	return 0;
}

static _Noreturn void child_main(struct copy *copy, int program, const sigset_t *mask, pid_t parent)
{
	char *none[] = {NULL};
	char *const *environment = none;
	int above = fcntl(program, F_DUPFD_CLOEXEC, SPARE_FD);
	int n_marks = copy->is_frozen ? (int)copy->freeze.n : 0;
	int marks[VOLUME_FREEZE_MAX];
	int r = above < 0 ? -errno : place_marks(copy);

	for (int i = 0; i < n_marks; i++)
		marks[i] = FIRST_MARK + i;

#ifdef CORDON_FAULTS
	environment = (char *const *)copy->context->environment;
#endif
	/* What it copies counts for nothing when the sandboxes go on. */
	if (r == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
		       sigprocmask(SIG_SETMASK, mask, NULL) != 0))
		r = -EINVAL;
	if (r == 0)
		r = program_exec_with(above, copy->argv, environment, marks, (size_t)n_marks);
	print_note("cordon-image: %s", strerror(-r));
	_exit(EXIT_CORDON);
}

/* Passes on what is meant for it. Returns its exit code. */
static int wait_for_child(pid_t child, const sigset_t *watched)
{
	int state = 0;

	while (waitpid(child, &state, WNOHANG) == 0) {
		int signo = sigwaitinfo(watched, NULL);

		if (signo > 0 && signo != SIGCHLD)
			ignore_result(kill(child, signo), "it may have ended already");
	}
	return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

static int run_child(struct copy *copy, struct err *err)
{
	_cleanup_fd_ int program = program_open("cordon-image");
	sigset_t watched, before;
	pid_t parent = getpid(), child;
	int code;

	if (program < 0) {
		err_set(err, ERR_SETUP, -program, "cordon-image");
		err_hint(err, "It is built with libarchive-dev, libssl-dev and libjson-c-dev, and "
			      "lies beside cordon or in libexec/cordon, writable for nobody else.");
		return life_say(err);
	}
	sigemptyset(&watched);
	sigaddset(&watched, SIGINT);
	sigaddset(&watched, SIGTERM);
	sigaddset(&watched, SIGHUP);
	sigaddset(&watched, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &watched, &before) != 0)
		return EXIT_CORDON;
	child = fork();
	if (child == 0)
		child_main(copy, program, &before, parent);
	if (child < 0) {
		err_set(err, ERR_SETUP, errno, "fork");
		return life_say(err);
	}
	code = wait_for_child(child, &watched);
	ignore_result(sigprocmask(SIG_SETMASK, &before, NULL), "as it was");
	return code;
}

/* ---- what all begin and end with ---- */

static int begin(struct copy *copy, bool makes, struct err *err)
{
	copy->gate = (struct volume_gate){.record_fd = -EBADF, .dir_fd = -EBADF};
	return volume_place_open(copy->context, makes, &copy->place, err);
}

static void begin_words(struct copy *copy, const char *state, const char *verb)
{
	static const char *const passed[] = {"--replace", "--no-verify", "--quiet"};
	static const char *const valued[] = {"--max-size", "--max-entries"};

	hand(copy, "cordon-image");
	hand(copy, state);
	hand(copy, verb);
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		if (words_has(copy->words, passed[i]))
			hand(copy, passed[i]);
	for (size_t i = 0; i < sizeof(valued) / sizeof(valued[0]); i++) {
		const char *value = words_value(copy->words, valued[i]);

		if (value != NULL) {
			hand(copy, valued[i]);
			hand(copy, value);
		}
	}
	if (copy->is_live)
		hand(copy, "--live");
	if (copy->is_frozen) {
		str_format(copy->marks, sizeof(copy->marks), "%zu", copy->freeze.n);
		hand(copy, "--marks");
		hand(copy, copy->marks);
	}
	hand(copy, "--");
}

static int finish(struct copy *copy, const char *verb, const char *name, const char *to)
{
	char state[PATH_MAX], run[PATH_MAX];
	struct err err = {0};
	int code = volume_roots(copy->context, state, run, &err);

	if (code == 0) {
		begin_words(copy, state, verb);
		hand(copy, name);
		hand(copy, to);
		copy->argv[copy->n] = NULL;
		code = run_child(copy, &err);
	} else {
		code = life_say(&err);
	}
	/* Before they go on: one that was started anew meanwhile waits for it, with its lock held.
	 */
	volumes_open_gate(&copy->gate);
	if (copy->is_frozen && volume_thaw(&copy->freeze) < 0 && code == 0)
		code = EXIT_CORDON;
	volume_place_close(&copy->place);
	return code;
}

/* ---- from a volume ---- */

/* Nobody begins to use it from here on, and who uses it stands still; or --live. */
static int hold_still(struct copy *copy, const char *name, struct err *err)
{
	struct volume volume;
	int r = volumes_find(&copy->place.volumes, name, &volume, err);

	if (r < 0)
		return r;
	r = volumes_close_gate(&copy->place.volumes, name, &copy->gate, err);
	if (r < 0)
		return r;
	if (faccessat(copy->gate.dir_fd, VOLUME_FILLING, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		err_set(err, ERR_USAGE, 0,
			"volume %s: what it gets from its image is not whole: its first start was "
			"cut off",
			name);
		return err_hint(err, "Start a sandbox with it: that begins anew.");
	}
	if (copy->gate.n_holders == 0)
		return 0;
	copy->is_live = words_has(copy->words, "--live");
	if (copy->is_live)
		return 0;
	copy->freeze.name = name;
	copy->freeze.n_holders = copy->gate.n_holders;
	r = volume_freeze(copy->context, &copy->place, &copy->freeze, err);
	copy->is_frozen = r == 0;
	return r;
}

static int from_volume(struct copy *copy, const char *verb, const char *name, const char *to)
{
	struct err err = {0};
	int r = begin(copy, false, &err);

	if (r < 0)
		return life_say(&err);
	r = hold_still(copy, name, &err);
	if (r == 0)
		return finish(copy, verb, name, to);
	volumes_open_gate(&copy->gate);
	volume_place_close(&copy->place);
	return life_say(&err);
}

static int refuse_words(const char *command, const char *form)
{
	print_note("volume %s takes other words: cordon volume %s %s", command, command, form);
	print_note("  hint: `cordon help volume %s` says more.", command);
	return EXIT_CORDON;
}

int cmd_volume_backup(const struct cmd_context *context, int argc, char **argv)
{
	struct words words;
	struct copy copy = {.context = context, .words = &words};
	int exit_code, n;

	(void)argc;
	n = command_parse("volume backup", argv + 1, &words, &exit_code);
	if (n < 0)
		return exit_code;
	if (n < 1 || n > 2)
		return refuse_words("backup", "[FLAGS] VOLUME [FILE|-]");
	return from_volume(&copy, "volume-backup", argv[1], n == 2 ? argv[2] : "-");
}

static int refuse_name(const char *name)
{
	print_note("%s: no volume can be called that", name);
	print_note("  hint: A letter or digit, and then at least one more of letters, digits, _ . "
		   "and -; %d in all.",
		   VOLUME_NAME_MAX);
	return EXIT_CORDON;
}

int cmd_volume_clone(const struct cmd_context *context, int argc, char **argv)
{
	struct words words;
	struct copy copy = {.context = context, .words = &words};
	int exit_code, n;

	(void)argc;
	n = command_parse("volume clone", argv + 1, &words, &exit_code);
	if (n < 0)
		return exit_code;
	if (n != 2)
		return refuse_words("clone", "[FLAGS] VOLUME NEW");
	if (!volume_is_name(argv[2]))
		return refuse_name(argv[2]);
	return from_volume(&copy, "volume-clone", argv[1], argv[2]);
}

/* ---- to a volume ---- */

static int refuse_user(const struct copy *copy, const char *name, struct err *err)
{
	struct volume_uses uses = {.n = 0};
	struct records records;
	const char *by = "one without a record";
	int r = volume_uses_read(&copy->place, &uses, err);

	if (r < 0)
		return r;
	if (kept_open(copy->context, false, &records) == 0) {
		for (size_t i = 0; i < uses.n; i++)
			if (str_equal(uses.list[i].name, name) &&
			    records_is_id_running(&records, uses.list[i].sandbox))
				by = uses.list[i].sandbox;
		kept_close(&records);
	}
	err_set(err, ERR_USAGE, EBUSY, "volume %s: is in use by a sandbox that runs: %s", name, by);
	volume_uses_free(&uses);
	return err_hint(err, "Stop it first; what it wrote is replaced as well.");
}

static int check_target(const struct copy *copy, const char *name, struct err *err)
{
	struct volume volume;
	int r = volumes_read(&copy->place.volumes, name, &volume, err);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (!words_has(copy->words, "--replace")) {
		err_set(err, ERR_USAGE, EEXIST, "volume %s", name);
		return err_hint(err, "--replace puts the archive in place of what is in it.");
	}
	return volumes_is_held(&copy->place.volumes, name) ? refuse_user(copy, name, err) : 0;
}

int cmd_volume_restore(const struct cmd_context *context, int argc, char **argv)
{
	struct words words;
	struct copy copy = {.context = context, .words = &words};
	struct err err = {0};
	int exit_code, n, r;

	(void)argc;
	n = command_parse("volume restore", argv + 1, &words, &exit_code);
	if (n < 0)
		return exit_code;
	if (n < 1 || n > 2)
		return refuse_words("restore", "[FLAGS] VOLUME [FILE|-]");
	if (!volume_is_name(argv[1]))
		return refuse_name(argv[1]);
	r = begin(&copy, true, &err);
	if (r < 0)
		return life_say(&err);
	r = check_target(&copy, argv[1], &err);
	if (r == 0)
		return finish(&copy, "volume-restore", argv[1], n == 2 ? argv[2] : "-");
	volume_place_close(&copy.place);
	return life_say(&err);
}
