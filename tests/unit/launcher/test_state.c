/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * launcher/state.c: the run root, journals, claims of id blocks, and what gc does with the living
 * and the dead. Claims live in /run/cordon, so the tests have a /run of their own.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/state.h"
#include "tests/lib/scratch.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

struct state_case {
	struct scratch scratch;
	char path[PATH_MAX]; /* of the run root */
	struct state_root root;
	struct err err;
};

static int setup(void **state)
{
	struct state_case *c = calloc(1, sizeof(*c));

	scratch_make(&c->scratch);
	scratch_path(&c->scratch, "root/run", c->path);
	c->root = (struct state_root){.fd = -EBADF, .runs_fd = -EBADF};
	*state = c;
	return 0;
}

static int setup_open(void **state)
{
	struct state_case *c;

	setup(state);
	c = *state;
	return state_root_open(c->path, &c->root, &c->err);
}

static int teardown(void **state)
{
	struct state_case *c = *state;

	state_root_release(&c->root);
	scratch_remove(&c->scratch);
	free(c);
	return 0;
}

/* ---- the run root ---- */

static void chooses_the_place(void **state)
{
	static const struct {
		const char *root_dir;
		uint32_t euid;
		const char *runtime_dir, *want;
	} rows[] = {
		{NULL, 0, NULL, "/run/cordon"},
		{NULL, 0, "/run/user/0", "/run/cordon"},
		{NULL, 1000, "/run/user/1000", "/run/user/1000/cordon"},
		{NULL, 1000, NULL, "/tmp/cordon-1000"},
		{NULL, 1000, "", "/tmp/cordon-1000"},
		{NULL, 1000, "relative", "/tmp/cordon-1000"},
		{NULL, 4294967294, NULL, "/tmp/cordon-4294967294"},
		{"/srv/c", 0, NULL, "/srv/c/run"},
		{"/srv/c", 1000, "/run/user/1000", "/srv/c/run"},
		{"/srv//x/../c/", 1000, NULL, "/srv/c/run"},
	};
	char buf[PATH_MAX], cwd[PATH_MAX], want[2 * PATH_MAX], path[2 * PATH_MAX];
	struct err err;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		assert_int_equal(state_root_path(rows[i].root_dir, rows[i].euid,
						 rows[i].runtime_dir, buf, sizeof(buf), &err),
				 0);
		assert_string_equal(buf, rows[i].want);
	}
	assert_int_equal(state_root_path("rel", 0, NULL, buf, sizeof(buf), &err), 0);
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	snprintf(want, sizeof(want), "%s/rel/run", cwd);
	assert_string_equal(buf, want);
	/* Too long is refused, and never cut to another place. */
	for (size_t len = PATH_MAX - 8; len < PATH_MAX + 8; len++) {
		memset(path, 'p', len);
		path[0] = '/';
		path[len] = '\0';
		if (len + strlen("/run") < PATH_MAX) {
			assert_int_equal(state_root_path(path, 0, NULL, buf, sizeof(buf), &err), 0);
			continue;
		}
		assert_true(state_root_path(path, 0, NULL, buf, sizeof(buf), &err) < 0);
		assert_int_equal(err.kind, ERR_USAGE);
	}
}

static void makes_the_root(void **state)
{
	struct state_case *c = *state;
	struct stat st;

	umask(0);
	assert_int_equal(state_root_open(c->path, &c->root, &c->err), 0);
	umask(022);
	assert_int_equal(fstatat(c->scratch.fd, "root/run", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(fstatat(c->scratch.fd, "root/run/runs", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(fcntl(c->root.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fcntl(c->root.runs_fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	/* Again, as it is there. */
	state_root_release(&c->root);
	assert_int_equal(c->root.fd, -EBADF);
	assert_int_equal(state_root_open(c->path, &c->root, &c->err), 0);
}

static void refuses_open_modes(void **state)
{
	static const mode_t modes[] = {0710, 0701, 0720, 0702, 0740, 0704, 0755, 0777, 01777};
	static const char *const names[] = {"root/run", "root/run/runs"};
	struct state_case *c = *state;

	assert_int_equal(state_root_open(c->path, &c->root, &c->err), 0);
	for (size_t i = 0; i < 2 * N(modes); i++) {
		struct state_root root = {.fd = 7, .runs_fd = 8};

		assert_int_equal(fchmodat(c->scratch.fd, names[i % 2], modes[i / 2], 0), 0);
		assert_true(state_root_open(c->path, &root, &c->err) < 0);
		assert_int_equal(c->err.kind, ERR_SETUP);
		assert_non_null(strstr(c->err.text, "not to you alone"));
		assert_non_null(strstr(c->err.hint, "--root"));
		assert_int_equal(root.fd, 7); /* untouched */
		assert_int_equal(fchmodat(c->scratch.fd, names[i % 2], 0700, 0), 0);
	}
	state_root_release(&c->root);
	assert_int_equal(state_root_open(c->path, &c->root, &c->err), 0);
}

static void refuses_another_owner(void **state)
{
	struct state_case *c = *state;

	scratch_dir(&c->scratch, "root", 0755);
	scratch_dir(&c->scratch, "root/run", 0700);
	if (chown(c->path, 12345, (gid_t)-1) != 0) {
		/* Not the initial root: nothing can be given away. The host's own directories are
		 * another's then, or ours too; either way they are open to others. */
		assert_true(state_root_open("/proc", &c->root, &c->err) < 0);
		return;
	}
	assert_true(state_root_open(c->path, &c->root, &c->err) < 0);
	assert_non_null(strstr(c->err.text, "belongs to uid 12345"));
	assert_int_equal(scratch_count(&c->scratch, "root/run"), 0);
}

static void refuses_links(void **state)
{
	struct state_case *c = *state;

	scratch_dir(&c->scratch, "root", 0755);
	scratch_dir(&c->scratch, "elsewhere", 0700);
	scratch_link(&c->scratch, "root/run", "../elsewhere");
	assert_true(state_root_open(c->path, &c->root, &c->err) < 0);
	assert_int_equal(scratch_count(&c->scratch, "elsewhere"), 0);
	assert_int_equal(unlinkat(c->scratch.fd, "root/run", 0), 0);
	scratch_dir(&c->scratch, "root/run", 0700);
	scratch_link(&c->scratch, "root/run/runs", "../../elsewhere");
	assert_true(state_root_open(c->path, &c->root, &c->err) < 0);
	assert_int_equal(scratch_count(&c->scratch, "elsewhere"), 0);
	assert_int_equal(unlinkat(c->scratch.fd, "root/run/runs", 0), 0);
	scratch_file(&c->scratch, "root/run/runs", 0600, "");
	assert_true(state_root_open(c->path, &c->root, &c->err) < 0);
}

/* ---- runs ---- */

static void makes_and_removes_runs(void **state)
{
	struct state_case *c = *state;
	struct state_run a, b;
	char path[128], text[64];
	struct stat st;
	int fd;

	assert_int_equal(state_run_create(&c->root, &a, &c->err), 0);
	assert_int_equal(state_run_create(&c->root, &b, &c->err), 0);
	assert_int_equal(strlen(a.id), RUN_ID_LEN);
	assert_int_equal(strspn(a.id, "0123456789abcdef"), RUN_ID_LEN);
	assert_string_not_equal(a.id, b.id);
	assert_int_equal(fcntl(a.journal_fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	snprintf(path, sizeof(path), "root/run/runs/%s/journal", a.id);
	assert_int_equal(fstatat(c->scratch.fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	/* Locked, and with its first line. */
	fd = openat(c->scratch.fd, path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	assert_int_equal(state_journal(&a, "something", &c->err), 0);
	memset(text, 0, sizeof(text));
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "begin run_directory\nbegin something\n");
	close(fd);

	assert_int_equal(state_run_remove(&c->root, a.id, true, &c->err), 0);
	assert_int_equal(state_run_remove(&c->root, a.id, true, &c->err), 0);
	assert_int_equal(scratch_count(&c->scratch, "root/run/runs"), 2);
	assert_int_equal(state_run_remove(&c->root, b.id, true, &c->err), 0);
	assert_int_equal(scratch_count(&c->scratch, "root/run/runs"), 0);
	close(a.journal_fd);
	close(b.journal_fd);
}

/* ---- gc ---- */

static void run_of(struct state_case *c, const char *id, const char *journal)
{
	char path[128];

	snprintf(path, sizeof(path), "root/run/runs/%s", id);
	scratch_dir(&c->scratch, path, 0700);
	snprintf(path, sizeof(path), "root/run/runs/%s/journal", id);
	if (journal != NULL)
		scratch_file(&c->scratch, path, 0600, journal);
}

static bool run_exists(struct state_case *c, const char *id)
{
	char path[128];

	snprintf(path, sizeof(path), "root/run/runs/%s", id);
	return faccessat(c->scratch.fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void gc_leaves_the_living(void **state)
{
	struct state_case *c = *state;
	struct gc_report report;
	struct state_run run;

	assert_int_equal(state_run_create(&c->root, &run, &c->err), 0);
	run_of(c, "0123456789abcdef", "begin run_directory\n");
	assert_int_equal(state_gc(&c->root, &report, &c->err), 0);
	assert_int_equal(report.n_runs_alive, 1);
	assert_int_equal(report.n_runs_removed, 1);
	assert_true(run_exists(c, run.id));
	assert_false(run_exists(c, "0123456789abcdef"));
	/* The keeper is gone: so is its lock. */
	close(run.journal_fd);
	assert_int_equal(state_gc(&c->root, &report, &c->err), 0);
	assert_int_equal(report.n_runs_alive, 0);
	assert_int_equal(report.n_runs_removed, 1);
	assert_false(run_exists(c, run.id));
	assert_int_equal(state_gc(&c->root, &report, &c->err), 0);
	assert_int_equal(report.n_runs_removed, 0);
}

/* A journal may hold anything after a crash; only known lines are acted on. */
static void gc_survives_corrupt_journals(void **state)
{
	static const char *const journals[] = {
		NULL,
		"",
		"begin",
		"begin id_block",
		"begin id_block ",
		"begin id_block \n",
		"begin id_block x\n",
		"begin id_block -1\n",
		"begin id_block 1/../../x\n",
		"begin id_block 18446744073709551615\n",
		"begin id_block 99999999999999999999999999999999999999\n",
		"begin id_block 7",
		"\n\n\nbegin id_block 7\n\n",
		"begin something_else 7\n",
		"\xff\xfe\x01 garbage",
	};
	struct state_case *c = *state;
	struct gc_report report;

	for (size_t i = 0; i < N(journals); i++) {
		run_of(c, "0123456789abcdef", journals[i]);
		assert_int_equal(state_gc(&c->root, &report, &c->err), 0);
		assert_int_equal(report.n_runs_removed, 1);
		assert_int_equal(report.n_blocks_freed, 0);
		assert_false(run_exists(c, "0123456789abcdef"));
	}
}

/* What gc cannot judge it leaves and reports, and goes on with the rest. */
static void gc_goes_on_after_a_failure(void **state)
{
	struct state_case *c = *state;
	struct gc_report report;
	char *longest = malloc(70000);

	memset(longest, 'x', 69999);
	longest[69999] = '\0';
	run_of(c, "1111111111111111", longest);
	scratch_file(&c->scratch, "root/run/runs/2222222222222222", 0600, "not a directory");
	scratch_dir(&c->scratch, "elsewhere", 0700);
	scratch_file(&c->scratch, "elsewhere/journal", 0600, "begin id_block 7\n");
	scratch_link(&c->scratch, "root/run/runs/3333333333333333", "../../../elsewhere");
	run_of(c, "4444444444444444", NULL);
	scratch_link(&c->scratch, "root/run/runs/4444444444444444/journal",
		     "../../../../elsewhere/journal");
	run_of(c, "5555555555555555", "begin run_directory\n");
	assert_true(state_gc(&c->root, &report, &c->err) < 0);
	assert_int_equal(report.n_runs_removed, 1);
	assert_false(run_exists(c, "5555555555555555"));
	assert_true(run_exists(c, "1111111111111111"));
	assert_true(run_exists(c, "4444444444444444"));
	assert_int_equal(scratch_count(&c->scratch, "elsewhere"), 1);
	free(longest);
}

/* ---- claims ---- */

static bool has_own_run;

static bool lacks_own_run(void)
{
	if (!has_own_run)
		print_message("no mount namespace of one's own can be made here\n");
	return !has_own_run;
}

static void links_of_claim(uint64_t number, char *buf, size_t size)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/run/cordon/ids/%llu", (unsigned long long)number);
	n = readlink(path, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
}

static void claims_and_gives_back(void **state)
{
	struct state_case *c = *state;
	char holder[PATH_MAX + 64], want[PATH_MAX + 64];
	struct state_run a, b;

	if (lacks_own_run())
		skip();
	assert_int_equal(state_run_create(&c->root, &a, &c->err), 0);
	assert_int_equal(state_run_create(&c->root, &b, &c->err), 0);
	assert_int_equal(state_block_claim(&c->root, &a, &c->err), 0);
	assert_int_equal(state_block_claim(&c->root, &b, &c->err), 0);
	assert_true(a.has_block && b.has_block);
	assert_int_not_equal(a.block_first, b.block_first);
	assert_true(a.block_first > 0);
	links_of_claim(a.block_number, holder, sizeof(holder));
	snprintf(want, sizeof(want), "%s/runs/%s", c->path, a.id);
	assert_string_equal(holder, want);

	/* Another's claim stays, whoever asks. */
	assert_int_equal(state_block_release(&c->root, b.id, a.block_number, &c->err), 0);
	assert_int_equal(state_block_release(&c->root, "", a.block_number, &c->err), 0);
	links_of_claim(a.block_number, holder, sizeof(holder));
	assert_string_equal(holder, want);
	assert_int_equal(state_block_release(&c->root, a.id, a.block_number, &c->err), 1);
	links_of_claim(a.block_number, holder, sizeof(holder));
	assert_string_equal(holder, "");
	assert_int_equal(state_block_release(&c->root, a.id, a.block_number, &c->err), 0);
	assert_int_equal(state_block_release(&c->root, b.id, b.block_number, &c->err), 1);
	close(a.journal_fd);
	close(b.journal_fd);
}

/* The journal names a block before the claim is made, so gc frees it; but only where the dead run
 * held it. */
static void gc_frees_blocks_of_the_dead(void **state)
{
	struct state_case *c = *state;
	char line[64], holder[PATH_MAX + 64];
	struct gc_report report;
	struct state_run dead, alive;

	if (lacks_own_run())
		skip();
	assert_int_equal(state_run_create(&c->root, &dead, &c->err), 0);
	assert_int_equal(state_run_create(&c->root, &alive, &c->err), 0);
	assert_int_equal(state_block_claim(&c->root, &dead, &c->err), 0);
	assert_int_equal(state_block_claim(&c->root, &alive, &c->err), 0);
	/* The dead one had tried the other's block first. */
	snprintf(line, sizeof(line), "id_block %llu", (unsigned long long)alive.block_number);
	assert_int_equal(state_journal(&dead, line, &c->err), 0);
	close(dead.journal_fd);
	assert_int_equal(state_gc(&c->root, &report, &c->err), 0);
	assert_int_equal(report.n_runs_alive, 1);
	assert_int_equal(report.n_runs_removed, 1);
	assert_int_equal(report.n_blocks_freed, 1);
	links_of_claim(dead.block_number, holder, sizeof(holder));
	assert_string_equal(holder, "");
	links_of_claim(alive.block_number, holder, sizeof(holder));
	assert_string_not_equal(holder, "");
	close(alive.journal_fd);
	assert_int_equal(state_gc(&c->root, &report, &c->err), 0);
	assert_int_equal(report.n_blocks_freed, 1);
}

/* Somebody removed the run's directory by hand: the claim is freed all the same, and no other's. */
static void gc_frees_claims_without_a_run(void **state)
{
	struct state_case *c = *state;
	char holder[PATH_MAX + 64];
	struct gc_report report;
	struct state_run lost, alive;

	if (lacks_own_run())
		skip();
	assert_int_equal(state_run_create(&c->root, &lost, &c->err), 0);
	assert_int_equal(state_run_create(&c->root, &alive, &c->err), 0);
	assert_int_equal(state_block_claim(&c->root, &lost, &c->err), 0);
	assert_int_equal(state_block_claim(&c->root, &alive, &c->err), 0);
	assert_int_equal(symlink("/elsewhere/runs/0", "/run/cordon/ids/1"), 0);
	close(lost.journal_fd);
	assert_int_equal(state_run_remove(&c->root, lost.id, true, &c->err), 0);
	assert_int_equal(state_gc(&c->root, &report, &c->err), 0);
	assert_int_equal(report.n_blocks_freed, 1);
	links_of_claim(lost.block_number, holder, sizeof(holder));
	assert_string_equal(holder, "");
	links_of_claim(alive.block_number, holder, sizeof(holder));
	assert_string_not_equal(holder, "");
	links_of_claim(1, holder, sizeof(holder));
	assert_string_equal(holder, "/elsewhere/runs/0");
	assert_int_equal(unlink("/run/cordon/ids/1"), 0);
	close(alive.journal_fd);
	assert_int_equal(state_gc(&c->root, &report, &c->err), 0);
}

/* The pool moves when somebody edits /etc/subuid: a block that overlaps another's claim is not
 * taken, also where it begins elsewhere. */
static void overlapping_blocks_are_not_taken(void **state)
{
	struct state_case *c = *state;
	struct state_run old, new;

	if (lacks_own_run())
		skip();
	scratch_file(&c->scratch, "before", 0600, "cordon:700000:65536\n");
	scratch_file(&c->scratch, "after", 0600, "cordon:732768:131072\n");
	if (scratch_cover(&c->scratch, "before", "/etc/subuid") < 0 ||
	    scratch_cover(&c->scratch, "before", "/etc/subgid") < 0) {
		print_message("this host has no /etc/subuid and /etc/subgid\n");
		skip();
	}
	assert_int_equal(state_run_create(&c->root, &old, &c->err), 0);
	assert_int_equal(state_run_create(&c->root, &new, &c->err), 0);
	assert_int_equal(state_block_claim(&c->root, &old, &c->err), 0);
	assert_int_equal(scratch_cover(&c->scratch, "after", "/etc/subuid"), 0);
	assert_int_equal(scratch_cover(&c->scratch, "after", "/etc/subgid"), 0);
	for (int i = 0; i < 16; i++) {
		assert_int_equal(state_block_claim(&c->root, &new, &c->err), 0);
		assert_int_equal(new.block_first, 732768 + 65536);
		assert_int_equal(state_block_release(&c->root, new.id, new.block_number, &c->err),
				 1);
	}
	assert_int_equal(state_block_release(&c->root, old.id, old.block_number, &c->err), 1);
	close(old.journal_fd);
	close(new.journal_fd);
	for (int i = 0; i < 2; i++) {
		scratch_uncover("/etc/subuid");
		scratch_uncover("/etc/subgid");
	}
}

/* Where every block is taken the claim fails, and takes none of them. The pool is made small by a
 * subuid file over the host's, in our own mounts. */
static void refuses_when_all_are_taken(void **state)
{
	struct state_case *c = *state;
	struct state_run runs[3];

	if (lacks_own_run())
		skip();
	scratch_file(&c->scratch, "subid", 0600, "cordon:700000:131072\n");
	if (scratch_cover(&c->scratch, "subid", "/etc/subuid") < 0 ||
	    scratch_cover(&c->scratch, "subid", "/etc/subgid") < 0) {
		print_message("this host has no /etc/subuid and /etc/subgid\n");
		skip();
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(state_run_create(&c->root, &runs[i], &c->err), 0);
	assert_int_equal(state_block_claim(&c->root, &runs[0], &c->err), 0);
	assert_int_equal(state_block_claim(&c->root, &runs[1], &c->err), 0);
	assert_int_equal(runs[0].block_first + runs[1].block_first, 700000 + 765536);
	assert_true(state_block_claim(&c->root, &runs[2], &c->err) < 0);
	assert_false(runs[2].has_block);
	/* The one that is given back is the one that is got. */
	assert_int_equal(state_block_release(&c->root, runs[0].id, runs[0].block_number, &c->err),
			 1);
	assert_int_equal(state_block_claim(&c->root, &runs[2], &c->err), 0);
	assert_int_equal(runs[2].block_first, runs[0].block_first);
	assert_int_equal(state_block_release(&c->root, runs[1].id, runs[1].block_number, &c->err),
			 1);
	assert_int_equal(state_block_release(&c->root, runs[2].id, runs[2].block_number, &c->err),
			 1);
	for (int i = 0; i < 3; i++)
		close(runs[i].journal_fd);
	scratch_uncover("/etc/subuid");
	scratch_uncover("/etc/subgid");
}

#define test(name)      cmocka_unit_test_setup_teardown(name, setup, teardown)
#define test_open(name) cmocka_unit_test_setup_teardown(name, setup_open, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses_the_place),
		test(makes_the_root),
		test(refuses_open_modes),
		test(refuses_another_owner),
		test(refuses_links),
		test_open(makes_and_removes_runs),
		test_open(gc_leaves_the_living),
		test_open(gc_survives_corrupt_journals),
		test_open(gc_goes_on_after_a_failure),
		test_open(claims_and_gives_back),
		test_open(gc_frees_blocks_of_the_dead),
		test_open(gc_frees_claims_without_a_run),
		test_open(overlapping_blocks_are_not_taken),
		test_open(refuses_when_all_are_taken),
	};

	has_own_run = scratch_own_run() == 0;
	return cmocka_run_group_tests_name("launcher/state", tests, NULL, NULL);
}
