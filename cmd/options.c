/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Command line flags; see options.h. Values of policy keys stay text here: the policy reads them.
 */
#include "cmd/options.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/str.h"
#include "cmd/table.h"

enum target {
	TO_POLICY,
	TO_PROFILE,
	TO_STATUS_FD,
	TO_FD,
	TO_REPORT,
	TO_QUIET,
	TO_JSON,
	TO_DENIALS,
	TO_CGROUP_PARENT,
	TO_SAMPLE,
	TO_TOP,
	TO_INPUT,
	TO_TERMINAL,
	TO_CALLS,
	TO_HELP,
	TO_IMAGE
};

enum { CGROUP_PARENT_MAX = 512, SAMPLE_LEAST_MS = 5 };
enum { OPTION_BOTH = OPTION_RUN | OPTION_EXPLAIN };

static const struct option_def {
	const char *name;
	const char *value; /* NULL: takes none */
	enum target target;
	enum policy_flag_kind flag; /* TO_POLICY */
	unsigned of;
	const char *help; /* NULL: another spelling, not listed */
} options[] = {
	{"--profile", "P", TO_PROFILE, 0, OPTION_BOTH,
	 "profile by name, or by path where it has a slash (default: default)"},
	{"--set", "KEY=VALUE", TO_POLICY, FLAG_SET, OPTION_BOTH,
	 "any policy key, as in a file: limits.nproc=16"},
	{"--waive", "NAME=REASON", TO_POLICY, FLAG_WAIVE, OPTION_BOTH,
	 "give up one protection, with the reason"},
	{"--ro", "PATH", TO_POLICY, FLAG_RO, OPTION_BOTH,
	 "show a host path read-only at the same place inside"},
	{"--rw", "PATH", TO_POLICY, FLAG_RW, OPTION_BOTH, "show a host path, writable"},
	{"-e", "NAME[=VALUE]", TO_POLICY, FLAG_ENV, OPTION_BOTH,
	 "environment variable; without a value the caller's"},
	{"-w", "DIR", TO_POLICY, FLAG_WORKING_DIR, OPTION_BOTH, "directory to start in"},
	{"-u", "USER[:GROUP]", TO_POLICY, FLAG_USER, OPTION_BOTH, "who the program is inside"},
	{"--hostname", "NAME", TO_POLICY, FLAG_HOSTNAME, OPTION_BOTH, "host name inside"},
	{"--timeout", "TIME", TO_POLICY, FLAG_TIMEOUT, OPTION_BOTH,
	 "end everything after this time (limits.wall_time): 10s"},
	{"--status-fd", "N", TO_STATUS_FD, 0, OPTION_RUN,
	 "write events and the result to this descriptor (3 or more), JSON lines"},
	{"--fd", "N", TO_FD, 0, OPTION_BOTH,
	 "pass this descriptor (3 or more) on at the same number; can be given again"},
	{"--report", "FILE", TO_REPORT, 0, OPTION_RUN,
	 "write the result to this file, one JSON document"},
	{"-t", NULL, TO_TERMINAL, 0, OPTION_RUN,
	 "insist on a terminal (where there is one, the program has one anyway)"},
	{"-i", NULL, TO_INPUT, 0, OPTION_RUN, "pass stdin on (done anyway); -it is both"},
	{"-it", NULL, TO_TERMINAL, 0, OPTION_RUN, NULL},
	{"-ti", NULL, TO_TERMINAL, 0, OPTION_RUN, NULL},
	{"--explain-denials", NULL, TO_DENIALS, 0, OPTION_RUN,
	 "list at the end what was denied (system calls; as root also by Landlock and AppArmor), "
	 "and what would allow it"},
	{"--cgroup-parent", "GROUP", TO_CGROUP_PARENT, 0, OPTION_BOTH | OPTION_DOCTOR,
	 "make the sandbox's control group in this one, limits or none (a path below the "
	 "hierarchies' roots)"},
	{"--sample", "TIME", TO_SAMPLE, 0, OPTION_RUN,
	 "write what is used to --status-fd as often, a JSON line each: 50ms"},
	{"--top", NULL, TO_TOP, 0, OPTION_RUN,
	 "show what is used against its limits in the terminal's last line, live"},
	{"-q", NULL, TO_QUIET, 0, OPTION_RUN | OPTION_IMAGE | OPTION_QUIET,
	 "no notes of cordon's own, errors excepted"},
	{"--calls", NULL, TO_CALLS, 0, OPTION_EXPLAIN, "each system call in a line of its own"},
	{"--json", NULL, TO_JSON, 0, OPTION_EXPLAIN | OPTION_DOCTOR,
	 "one JSON document instead of text"},
	{"--max-size", "SIZE", TO_IMAGE, 0, OPTION_IMAGE,
	 "how large a layer may be, as a tar and as files (default: 32GiB)"},
	{"--max-entries", "N", TO_IMAGE, 0, OPTION_IMAGE,
	 "how many entries a layer may have (default: 2000000)"},
	{"--help", NULL, TO_HELP, 0, OPTION_BOTH | OPTION_DOCTOR | OPTION_IMAGE | OPTION_QUIET,
	 "this text"},
};
enum { N_OPTIONS = sizeof(options) / sizeof(options[0]) };

/* Finds "--name", "--name=value" or "-n". *ret_value is behind the '=', or NULL. */
static const struct option_def *find(const char *word, const char **ret_value)
{
	for (size_t i = 0; i < N_OPTIONS; i++) {
		size_t len = strlen(options[i].name);

		if (options[i].target == TO_IMAGE || strncmp(word, options[i].name, len) != 0)
			continue;
		if (word[len] == '\0') {
			*ret_value = NULL;
			return &options[i];
		}
		if (word[len] == '=' && word[1] == '-') {
			*ret_value = word + len + 1;
			return &options[i];
		}
	}
	return NULL;
}

static int refuse_unknown(const char *word, struct err *err)
{
	const char *names[N_OPTIONS];
	const char *nearest;
	char name[64];

	for (size_t i = 0; i < N_OPTIONS; i++)
		names[i] = strlen(options[i].name) > 3 && options[i].target != TO_IMAGE
				   ? options[i].name
				   : NULL;
	err_set(err, ERR_USAGE, 0, "unknown flag %s", word);
	/* Without the value, which is as long as it likes. */
	str_format(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
	nearest = str_nearest(name, names, N_OPTIONS);
	if (nearest != NULL)
		return err_hint(err, "Did you mean %s? `cordon run --help` lists all.", nearest);
	return err_hint(
		err,
		"`cordon run --help` lists all. What belongs to the program stands behind `--`.");
}

/* An open descriptor that is not the program's already. Returns it, or -EINVAL with err filled. */
static int read_fd(const char *flag, const char *value, const char *example, struct err *err)
{
	uint32_t fd;

	if (parse_u32(value, &fd) < 0 || fd > 1 << 20 || fcntl((int)fd, F_GETFD) < 0) {
		err_set(err, ERR_USAGE, 0, "%s %s: not an open descriptor", flag, value);
		return err_hint(err, "Open it first: cordon run %s 3 ... 3%s.", flag, example);
	}
	if (fd <= STDERR_FILENO) {
		err_set(err, ERR_USAGE, 0, "%s %s: descriptors 0 to 2 are the program's", flag,
			value);
		return err_hint(err, "Take another one: cordon run %s 3 ... 3%s.", flag, example);
	}
	return (int)fd;
}

static int take_status_fd(struct options *o, const char *value, struct err *err)
{
	int fd = read_fd("--status-fd", value, ">status.json", err);

	if (fd >= 0)
		o->status_fd = fd;
	return fd < 0 ? fd : 0;
}

static int take_fd(struct options *o, const char *value, struct err *err)
{
	int fd = read_fd("--fd", value, "<data", err);

	if (fd < 0)
		return fd;
	for (size_t i = 0; i < o->n_fds; i++)
		if (o->fds[i] == fd)
			return err_set(err, ERR_USAGE, 0, "--fd %d: said twice", fd);
	if (o->n_fds == SPEC_FDS_MAX)
		return err_set(err, ERR_USAGE, 0, "--fd %d: more than %d descriptors", fd,
			       SPEC_FDS_MAX);
	o->fds[o->n_fds++] = fd;
	return 0;
}

/* What cordon writes to is not the program's. */
static int check_fds(const struct options *o, struct err *err)
{
	if (o->sample_ms > 0 && o->status_fd < 0) {
		err_set(err, ERR_USAGE, 0, "--sample writes to --status-fd, and there is none");
		return err_hint(err, "cordon run --sample 50ms --status-fd 3 ... 3>samples.json.");
	}
	for (size_t i = 0; i < o->n_fds; i++)
		if (o->fds[i] == o->status_fd)
			return err_set(err, ERR_USAGE, 0,
				       "--fd %d: is --status-fd's, which is cordon's alone",
				       o->fds[i]);
	return 0;
}

static int take_sample(struct options *o, const char *value, struct err *err)
{
	if (parse_duration(value, &o->sample_ms) < 0 || o->sample_ms < SAMPLE_LEAST_MS) {
		err_set(err, ERR_USAGE, 0, "--sample %s: not a time of %d ms or more", value,
			SAMPLE_LEAST_MS);
		return err_hint(err, "Write it with its unit: --sample 50ms.");
	}
	return 0;
}

int options_check_cgroup_parent(const char *value, struct err *err)
{
	const char *first = value != NULL ? value + strspn(value, "/") : "";
	const char *word = first;
	size_t len;

	for (; *word != '\0'; word += len + strspn(word + len, "/")) {
		len = strcspn(word, "/");
		if ((len == 1 || len == 2) && strncmp(word, "..", len) == 0)
			break;
	}
	if (*word != '\0' || *first == '\0' || strlen(first) > CGROUP_PARENT_MAX)
		return err_set(
			err, ERR_USAGE, 0,
			"--cgroup-parent %s: not the path of a control group such as judges/a",
			value != NULL ? value : "");
	return 0;
}

static int take(struct options *o, const struct option_def *def, const char *value, struct err *err)
{
	switch (def->target) {
	case TO_POLICY:
		if (o->n_flags == OPTIONS_FLAGS_MAX)
			return err_set(err, ERR_USAGE, 0, "more than %d flags", OPTIONS_FLAGS_MAX);
		o->flags[o->n_flags].kind = def->flag;
		o->flags[o->n_flags++].text = value;
		return 0;
	case TO_PROFILE:
		o->profile = value;
		return 0;
	case TO_STATUS_FD:
		return take_status_fd(o, value, err);
	case TO_FD:
		return take_fd(o, value, err);
	case TO_REPORT:
		o->report = value;
		return 0;
	case TO_QUIET:
		o->quiet = true;
		return 0;
	case TO_JSON:
		o->json = true;
		return 0;
	case TO_DENIALS:
		o->explains_denials = true;
		return 0;
	case TO_SAMPLE:
		return take_sample(o, value, err);
	case TO_TOP:
		o->top = true;
		return 0;
	case TO_CGROUP_PARENT:
		o->cgroup_parent = value;
		return options_check_cgroup_parent(value, err);
	case TO_INPUT:
		return 0;
	case TO_TERMINAL:
		o->terminal = true;
		return 0;
	case TO_IMAGE:
		break; /* cmd/image.c hands it on; never found here */
	case TO_CALLS:
		o->calls = true;
		return 0;
	case TO_HELP:
		o->help = true;
		return 0;
	}
	return err_set(err, ERR_BUG, 0, "flag %s has no target", def->name);
}

int options_parse(char **argv, struct options *ret, struct err *err)
{
	memset(ret, 0, sizeof(*ret));
	ret->status_fd = -EBADF;
	for (; *argv != NULL && (*argv)[0] == '-' && (*argv)[1] != '\0'; argv++) {
		const struct option_def *def;
		const char *value = NULL;
		int r;

		if (str_equal(*argv, "--")) {
			ret->saw_separator = true;
			argv++;
			break;
		}
		def = find(*argv, &value);
		if (def == NULL)
			return refuse_unknown(*argv, err);
		if (def->value == NULL && value != NULL)
			return err_set(err, ERR_USAGE, 0, "%s takes no value", def->name);
		if (def->value != NULL && value == NULL && *++argv != NULL &&
		    !str_equal(*argv, "--"))
			value = *argv;
		if (def->value != NULL && value == NULL)
			return err_set(err, ERR_USAGE, 0, "%s wants a value: %s %s", def->name,
				       def->name, def->value);
		r = take(ret, def, value, err);
		if (r < 0)
			return r;
	}
	ret->rest = argv;
	return check_fds(ret, err);
}

struct option_view options_view(size_t index)
{
	const struct option_def *def = &options[index];

	if (index >= N_OPTIONS)
		return (struct option_view){.name = NULL};
	return (struct option_view){.name = def->name,
				    .value = def->value,
				    .help = def->help,
				    .of = def->of};
}

void options_print_help(unsigned of)
{
	for (size_t i = 0; i < N_OPTIONS; i++) {
		char left[64];

		if (options[i].help == NULL || (options[i].of & of) == 0)
			continue;
		str_format(left, sizeof(left), "  %s %s", options[i].name,
			   options[i].value != NULL ? options[i].value : "");
		table_row(TABLE_HELP_COLUMNS, 24, left, options[i].help);
	}
}
