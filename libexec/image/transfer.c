/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `cordon cp` and `cordon export`: from one place to another, by a packer and an unpacker
 * (worker.h) of which the one that is in a sandbox has nothing but the sandbox's rights, and the
 * other one nothing but one directory. Both ends are descriptors that cordon has opened: no path of
 * the sandbox's is ever looked up here.
 *
 *	cordon-image - transfer KEY=VALUE...
 *
 *	from=FD      a directory, a file or a link, or with archive an archive
 *	to=FD        the directory to write to, or with output what the tar is written to
 *	archive      from is an archive
 *	output       the tar is what is asked for
 *	root         what is mounted on from stays empty
 *	as=NAME      what the copy is called; "": it is the content of the directory `to`
 *	from-inside  from is a sandbox's, whose are
 *	to-inside    to is
 *	userns=FD groups=FD,FD.. block
 *	owners       numbers of owners are kept
 *	shown=TEXT   for messages: what is read
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/str.h"
#include "libexec/image/importer.h"

enum { GROUPS_MAX = 16 };

struct transfer {
	int from;
	int to;
	bool is_archive, is_output, is_root, from_inside, to_inside, keeps_owners;
	const char *as;
	const char *shown;
	int groups[GROUPS_MAX];
	struct worker_inside inside;
};

static int read_fd(const char *text, int *ret)
{
	uint32_t fd;

	if (parse_u32(text, &fd) < 0 || fd > INT32_MAX)
		return -EINVAL;
	*ret = (int)fd;
	return 0;
}

static int read_groups(char *text, struct transfer *t)
{
	char *one;

	while ((one = strsep(&text, ",")) != NULL) {
		if (t->inside.n_groups == GROUPS_MAX ||
		    read_fd(one, &t->groups[t->inside.n_groups]) < 0)
			return -EINVAL;
		t->inside.n_groups++;
	}
	t->inside.groups = t->groups;
	return 0;
}

static int read_truth(const char *word, struct transfer *t)
{
	const struct {
		const char *word;
		bool *truth;
	} truths[] = {
		{"archive", &t->is_archive},     {"output", &t->is_output},
		{"root", &t->is_root},           {"from-inside", &t->from_inside},
		{"to-inside", &t->to_inside},    {"owners", &t->keeps_owners},
		{"block", &t->inside.has_block},
	};

	for (size_t i = 0; i < sizeof(truths) / sizeof(truths[0]); i++)
		if (str_equal(word, truths[i].word)) {
			*truths[i].truth = true;
			return 0;
		}
	return -EINVAL;
}

static int read_word(char *word, struct transfer *t)
{
	char *value = strchr(word, '=');

	if (value == NULL)
		return read_truth(word, t);
	*value++ = '\0';
	if (str_equal(word, "from"))
		return read_fd(value, &t->from);
	if (str_equal(word, "to"))
		return read_fd(value, &t->to);
	if (str_equal(word, "userns"))
		return read_fd(value, &t->inside.userns);
	if (str_equal(word, "groups"))
		return read_groups(value, t);
	if (str_equal(word, "as"))
		t->as = value;
	else if (str_equal(word, "shown"))
		t->shown = value;
	else
		return -EINVAL;
	return 0;
}

static int read_words(const struct command *command, struct transfer *t, struct err *err)
{
	for (size_t i = 0; i < command->n_words; i++)
		if (read_word(command->words[i], t) < 0)
			return err_set(err, ERR_BUG, EINVAL, "transfer: %s", command->words[i]);
	if (t->from < 0 || t->to < 0 || (t->is_archive && t->is_output) ||
	    ((t->from_inside || t->to_inside) && t->inside.userns < 0))
		return err_set(err, ERR_BUG, EINVAL, "transfer: words are missing");
	return 0;
}

static int run(struct importer *im, const struct transfer *t, struct flow_result *result,
	       struct err *err)
{
	const struct worker_inside *inside = &t->inside;
	const struct packed_tree packed = {.kind = t->is_root ? PACK_ROOT : PACK_COPY,
					   .dir = t->from,
					   .owners = -EBADF,
					   .as = t->as,
					   .inside = t->from_inside ? inside : NULL};
	const struct flow_ends ends = {
		.pack = t->from_inside ? CONFINE_PACK_INSIDE : CONFINE_PACK,
		.packs = packed.kind,
		.as = t->as,
		.from_inside = packed.inside,
		.unpack = t->to_inside ? CONFINE_UNPACK_INSIDE : CONFINE_UNPACK_CALLER,
		/* Of what comes out of a sandbox, and has a name, that name. */
		.only = t->as[0] != '\0' ? t->as : NULL,
		.keeps_owners = t->keeps_owners && (t->to_inside ? inside->has_block : im->is_root),
		.to_inside = t->to_inside ? inside : NULL,
	};
	const struct flow flow = {.input = t->from,
				  .is_dir = !t->is_archive,
				  .into = t->to,
				  .owners = -EBADF,
				  .skipped = -EBADF,
				  .ends = &ends};

	return t->is_output ? flow_pack(im, &packed, t->to, result, err)
			    : flow_run(im, &flow, result, err);
}

int command_transfer(const struct command *command, struct err *err)
{
	struct transfer t = {
		.from = -EBADF, .to = -EBADF, .as = "", .shown = "", .inside = {.userns = -EBADF}};
	struct importer im = {.is_root = geteuid() == 0,
			      /* How much there is was limited where it is from. */
			      .limits = {.max_bytes = INT64_MAX, .max_entries = UINT64_MAX},
			      .work = {.fd = -EBADF}};
	struct flow_result result;
	int r = read_words(command, &t, err);

	if (r < 0)
		return r;
	im.what = t.shown;
	im.is_quiet = command->is_quiet;
	im.shows_progress = !im.is_quiet && isatty(STDERR_FILENO) == 1;
	r = run(&im, &t, &result, err);
	if (r < 0)
		return t.shown[0] != '\0' ? err_wrap(err, "%s", t.shown) : r;
	if (result.report.n_skipped > 0 && !im.is_quiet)
		say_note("%s: left out: %llu device nodes, sockets, attributes and the like",
			 t.shown, (unsigned long long)result.report.n_skipped);
	return 0;
}
