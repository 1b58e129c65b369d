/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `cordon volume backup`, `restore` and `clone`: the files of a volume to a tar and back, by the
 * packer and the unpacker of images (worker.h), with a seal (seal.h).
 *
 * cordon starts this program and waits for it: it keeps others from the volume meanwhile. What it
 * has paused it gives a mark each, a file that goes when somebody lets the sandbox go on: then what
 * was copied is nothing, and is not kept.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "libexec/image/importer.h"
#include "libexec/image/output.h"
#include "libexec/image/patient.h"
#include "libexec/image/seal.h"

enum { DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, LINES_SHOWN = 10 };

/* Test builds only: a name of its own, for the steps of images are each met by an import. */
#define copy_step(name) store_step("volume-" name)

struct copying {
	const struct command *command;
	struct volumes volumes;
	struct importer im;
	struct flow_result result;
	char what[VOLUME_NAME_MAX + 16];
};

static void end(struct copying *c)
{
	volumes_release(&c->volumes);
}

static int begin(const struct command *command, bool makes, struct copying *ret, struct err *err)
{
	*ret = (struct copying){
		.command = command,
		.volumes = {.fd = -EBADF},
		.im = {.limits = command->limits,
		       .is_root = geteuid() == 0,
		       .shows_progress = !command->is_quiet && isatty(STDERR_FILENO) == 1,
		       .work = {.fd = -EBADF}},
	};
	str_format(ret->what, sizeof(ret->what), "volume %s", command->words[0]);
	return volumes_open(command->state, makes, &ret->volumes, err);
}

/* Its record, and its files. */
static int open_volume(const struct copying *c, const char *name, struct volume *ret,
		       struct err *err)
{
	_cleanup_fd_ int dir_fd = -EBADF;
	int r = volumes_find(&c->volumes, name, ret, err);

	if (r < 0)
		return r;
	dir_fd = sys_openat(c->volumes.fd, name, DIR_FLAGS, 0);
	if (dir_fd < 0)
		return err_set(err, ERR_SETUP, -dir_fd, "%s/%s", c->volumes.path, name);
	r = volumes_open_data(ret, dir_fd, err);
	return r < 0 ? err_wrap(err, "%s", c->what) : r;
}

/* What a copy has of it, beside its files. */
static void describe(const struct volume *from, struct volume *to)
{
	to->labels = from->labels;
	to->options = from->options;
}

/* Whether all that was paused still is. */
static int check_marks(const struct copying *c, struct err *err)
{
	for (size_t i = 0; i < c->command->n_marks; i++) {
		struct stat st;

		if (fstat(COMMAND_FIRST_MARK + (int)i, &st) == 0 && st.st_nlink > 0)
			continue;
		err_set(err, ERR_SETUP, 0, "%s: a sandbox that was paused for the copy went on",
			c->what);
		return err_hint(err, "Nothing is kept of it. Do it again, and let the sandbox be.");
	}
	return 0;
}

/* r: how the copy went. Where a sandbox went on, that is why it did not. */
static int check_copy(const struct copying *c, int r, struct err *err)
{
	if (r < 0)
		err_wrap(err, "%s", c->what);
	return check_marks(c, err) < 0 ? -EINVAL : r;
}

static void say_left_out(const struct copying *c, uint64_t n)
{
	if (n > 0)
		say_note("%s: %llu things that no backup has were left out: sockets, ACLs, "
			 "attributes of the system's",
			 c->what, (unsigned long long)n);
}

/* ---- backup ---- */

static int write_archive(struct copying *c, const struct seal_head *head, int data, int output,
			 struct err *err)
{
	_cleanup_free_ char *before = malloc(SEAL_HEAD_MAX);
	struct packed_tree packed = {
		.kind = c->command->is_live ? PACK_VOLUME_LIVE : PACK_VOLUME,
		.dir = data,
		.owners = -EBADF,
		.before = before,
		.tail_len = SEAL_END,
	};
	struct flow_result *result = &c->result;
	_cleanup_fd_ int ends = patient_open();
	char tail[SEAL_TAIL];
	int r;

	if (before == NULL || ends < 0)
		return err_set(err, ERR_SETUP, before == NULL ? ENOMEM : -ends, "%s", c->what);
	packed.n_before = seal_put_head(head, before);
	r = check_copy(c, flow_pack(&c->im, &packed, output, result, err), err);
	if (r < 0)
		return r;
	if (!seal_is_end(result->tail, result->n_tail))
		return err_set(err, ERR_BUG, 0, "the packer's tar has no end");
	seal_put_tail(result->hex, tail);
	r = patient_write(ends, output, tail, sizeof(tail));
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s: write", c->what) : 0;
}

static void say_backup(const struct copying *c, const struct output *out)
{
	const struct flow_result *result = &c->result;
	char size[32];

	say_left_out(c, result->report.n_skipped);
	if (c->command->is_live)
		say_note("%s was in use while it was copied: the backup is not consistent",
			 c->what);
	if (out->is_stdout || c->command->is_quiet)
		return;
	say_size(result->n_bytes, size, sizeof(size));
	printf("%s sha256:%s %s\n", c->command->words[0], result->hex, size);
}

int command_volume_backup(const struct command *command, struct err *err)
{
	struct seal_head head = {.is_consistent = !command->is_live};
	struct volume volume;
	struct output out;
	struct copying c;
	_cleanup_fd_ int data = -EBADF;
	int r = begin(command, false, &c, err);

	if (r < 0)
		return r;
	c.im.what = c.what;
	data = open_volume(&c, command->words[0], &volume, err);
	if (data < 0) {
		end(&c);
		return data;
	}
	describe(&volume, &head.volume);
	head.volume.created_ms = volume.created_ms;
	str_format(head.volume.name, sizeof(head.volume.name), "%s", volume.name);
	r = output_open(command->words[1], 0600, "volume backup NAME FILE", &out, err);
	copy_step("opened");
	if (r == 0)
		r = write_archive(&c, &head, data, out.fd, err);
	if (r == 0)
		r = output_name(&out, err);
	if (r == 0)
		say_backup(&c, &out);
	output_close(&out);
	end(&c);
	return r;
}

/* ---- what both others end with ---- */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Where lines go that nobody keeps: a volume is what its files are. Owners are counted alone. */
static int make_list(struct flow *flow, struct err *err)
{
	flow->skipped = memfd_create("skipped", MFD_CLOEXEC);
	return flow->skipped < 0 ? err_set(err, ERR_SETUP, errno, "what is left out") : 0;
}

/* The first of what was left out, and how much it is. The names are fit to be shown (name.h). */
static void say_unpacked(const struct copying *c, const struct flow *flow,
			 const struct worker_report *report)
{
	char text[4096];
	ssize_t n = pread(flow->skipped, text, sizeof(text) - 1, 0);
	char *line = text;

	text[n > 0 ? n : 0] = '\0';
	for (int i = 0; i < LINES_SHOWN && strchr(line, '\n') != NULL; i++) {
		size_t len = strcspn(line, "\n");

		say_note("%s: left out: %.*s", c->what, (int)len, line);
		line += len + 1;
	}
	if (report->n_skipped > LINES_SHOWN)
		say_note("%s: %llu things in all were left out", c->what,
			 (unsigned long long)report->n_skipped);
	if (report->n_owners > 0)
		say_note(
			"%s: %llu files have other owners or bits than they were saved with, which "
			"%s",
			c->what, (unsigned long long)report->n_owners,
			c->im.is_root ? "no volume can have" : "only root can give");
}

/* To its name, when all of it is on the disk. */
static int keep(const struct copying *c, struct volume_work *work, struct err *err)
{
	int r;

	if (syncfs(work->data_fd) != 0 || fsync(work->dir_fd) != 0) {
		r = err_set(err, ERR_SETUP, errno, "%s: write to the disk", c->what);
		volumes_abort(&c->volumes, work);
		return r;
	}
	copy_step("copied");
	return volumes_commit(&c->volumes, work, c->command->replaces, err);
}

/* ---- restore ---- */

static int open_input(const char *path, struct err *err)
{
	bool is_dir = false;
	int fd;

	if (str_equal(path, "-") && isatty(STDIN_FILENO) == 1) {
		err_set(err, ERR_USAGE, 0, "an archive does not come from a terminal");
		return err_hint(err, "Name a file: cordon volume restore NAME FILE.");
	}
	fd = command_open(path, &is_dir, err);
	if (fd < 0 || !is_dir)
		return fd;
	close(fd);
	return err_set(err, ERR_USAGE, EISDIR, "%s", path);
}

/* 1: sealed; 0: a whole tar without a seal, where that will do. */
static int check_seal(const struct copying *c, const struct flow_result *result, struct err *err)
{
	char tail[SEAL_TAIL];

	seal_put_tail(result->hex, tail);
	if (result->n_tail == SEAL_TAIL && memcmp(result->tail, tail, SEAL_TAIL) == 0)
		return 1;
	if (c->command->is_unverified && result->has_end)
		return 0;
	if (c->command->is_unverified) {
		err_set(err, ERR_SETUP, 0, "%s: the archive ends without the mark of a tar's end",
			c->what);
		return err_hint(err, "It was cut short: get it once more.");
	}
	err_set(err, ERR_SETUP, 0,
		"%s: the archive does not end with the SHA-256 of what is in front of it: it was "
		"cut short or changed",
		c->what);
	return err_hint(err, "Get it once more. Of a tar that another program made: --no-verify.");
}

static int unpack(struct copying *c, const struct flow *flow, const char *head_buf,
		  struct volume_work *work, struct err *err)
{
	struct flow_result result;
	struct seal_head head;
	int r = flow_run(&c->im, flow, &result, err);

	if (r < 0)
		return err_wrap(err, "%s", c->what);
	copy_step("unpacked");
	r = check_seal(c, &result, err);
	if (r < 0)
		return r;
	if (r == 1 && seal_read_head(head_buf, flow->seal->n_head, &head) == 0) {
		if (!head.is_consistent)
			say_note("%s: its backup was made while it was in use, and is not "
				 "consistent",
				 c->what);
		if (work->volume.labels.len == 0 && work->volume.options.len == 0)
			r = volumes_describe(work, &head.volume, err);
	}
	if (r >= 0)
		say_unpacked(c, flow, &result.report);
	return r < 0 ? r : 0;
}

static int restore(struct copying *c, int input, struct err *err)
{
	_cleanup_free_ char *head = malloc(SEAL_HEAD_MAX);
	struct flow_seal seal = {.tail_len = SEAL_TAIL, .head = head, .head_size = SEAL_HEAD_MAX};
	struct flow flow = {.input = input,
			    .unpack = UNPACK_VOLUME,
			    .owners = -EBADF,
			    .skipped = -EBADF,
			    .seal = &seal};
	struct volume volume = {.created_ms = now_ms()};
	struct volume_work work = {.dir_fd = -EBADF, .data_fd = -EBADF};
	const char *name = c->command->words[0];
	int r = head == NULL ? err_set(err, ERR_SETUP, ENOMEM, "%s", c->what)
			     : volumes_read(&c->volumes, name, &volume, err);

	if (r == 0 && !c->command->replaces)
		return err_set(err, ERR_USAGE, EEXIST, "%s", c->what);
	if (r == -ENOENT)
		str_format(volume.name, sizeof(volume.name), "%s", name);
	else if (r < 0)
		return r;
	r = make_list(&flow, err);
	if (r == 0)
		r = volumes_begin(&c->volumes, &volume, &work, err);
	flow.into = work.data_fd;
	if (r == 0)
		r = unpack(c, &flow, head, &work, err);
	r = r < 0 ? r : keep(c, &work, err);
	if (r < 0)
		volumes_abort(&c->volumes, &work);
	close_fd(&flow.skipped);
	return r;
}

int command_volume_restore(const struct command *command, struct err *err)
{
	_cleanup_fd_ int input = open_input(command->words[1], err);
	struct copying c;
	int r = input < 0 ? input : begin(command, true, &c, err);

	if (r < 0)
		return r;
	c.im.what = c.what;
	r = restore(&c, input, err);
	end(&c);
	if (r == 0 && !command->is_quiet)
		printf("%s\n", command->words[0]);
	return r;
}

/* ---- clone ---- */

static int clone_to(struct copying *c, int data, const struct volume *volume, struct err *err)
{
	struct flow flow = {.input = data,
			    .is_dir = true,
			    .kind = c->command->is_live ? PACK_VOLUME_LIVE : PACK_VOLUME,
			    .unpack = UNPACK_VOLUME,
			    .owners = -EBADF,
			    .skipped = -EBADF};
	struct volume_work work = {.dir_fd = -EBADF, .data_fd = -EBADF};
	struct flow_result result;
	int r = make_list(&flow, err);

	if (r == 0)
		r = volumes_begin(&c->volumes, volume, &work, err);
	flow.into = work.data_fd;
	if (r == 0)
		r = check_copy(c, flow_run(&c->im, &flow, &result, err), err);
	if (r == 0) {
		say_left_out(c, result.n_left_out);
		say_unpacked(c, &flow, &result.report);
		if (c->command->is_live)
			say_note("%s was in use while it was copied: the copy is not consistent",
				 c->what);
	}
	r = r < 0 ? r : keep(c, &work, err);
	if (r < 0)
		volumes_abort(&c->volumes, &work);
	close_fd(&flow.skipped);
	return r;
}

int command_volume_clone(const struct command *command, struct err *err)
{
	struct volume volume, copy = {.created_ms = now_ms()};
	struct copying c;
	_cleanup_fd_ int data = -EBADF;
	int r = begin(command, false, &c, err);

	if (r < 0)
		return r;
	c.im.what = c.what;
	data = open_volume(&c, command->words[0], &volume, err);
	r = data < 0 ? data : 0;
	if (r == 0) {
		describe(&volume, &copy);
		copy.size_bytes = volume.size_bytes;
		copy.inodes = volume.inodes;
		copy.is_project = volume.is_project;
		str_format(copy.name, sizeof(copy.name), "%s", command->words[1]);
		r = clone_to(&c, data, &copy, err);
	}
	end(&c);
	if (r == 0 && !command->is_quiet)
		printf("%s\n", command->words[1]);
	return r;
}
