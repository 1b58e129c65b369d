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
#include "cmd/list_options.h"
#include "cmd/options_table.h"
#include "cmd/table.h"

enum { CGROUP_PARENT_MAX = 512, SAMPLE_LEAST_MS = 5, WORD_MAX = 64, NAMES_MAX = 160 };

/* ---- words into rows ---- */

/* What a flag is called in messages: as it was typed, without its value. */
struct typed {
	const struct option_def *def;
	bool is_letter;
};

/* "-e" of each letter, to be pointed to. */
static const char *letter_name(char letter)
{
	static const char names[] = "-a\0-b\0-c\0-d\0-e\0-f\0-g\0-h\0-i\0-j\0-k\0-l\0-m\0"
				    "-n\0-o\0-p\0-q\0-r\0-s\0-t\0-u\0-v\0-w\0-x\0-y\0-z";

	/* The one that is large. */
	if (letter == 'P')
		return "-P";
	return letter >= 'a' && letter <= 'z' ? names + 3 * (size_t)(letter - 'a') : "";
}

static const char *typed_name(struct typed typed)
{
	return typed.is_letter ? letter_name(typed.def->letter) : typed.def->name;
}

/* Rows that belong to commands with flags of their own are nobody else's. */
static bool is_known(const struct option_def *def, unsigned of)
{
	return (def->of & of) != 0 || (def->of & ~(unsigned)OPTIONS_OWN) != 0;
}

static const struct option_def *find_letter(char letter, unsigned of)
{
	const struct option_def *found = NULL;

	for (size_t i = 0; i < options_n; i++) {
		const struct option_def *def = &options_table[i];

		if (def->letter == letter && (def->of & of) != 0)
			return def;
		if (def->letter == letter && found == NULL && is_known(def, of))
			found = def;
	}
	return found;
}

/* "--name" or "--name=value". *ret_value is behind the '=', or NULL. */
static const struct option_def *find_long(const char *word, unsigned of, const char **ret_value)
{
	size_t len = strcspn(word, "=");

	for (size_t i = 0; i < options_n; i++) {
		if (strlen(options_table[i].name) != len || !is_known(&options_table[i], of) ||
		    strncmp(word, options_table[i].name, len) != 0)
			continue;
		*ret_value = word[len] == '=' ? word + len + 1 : NULL;
		return &options_table[i];
	}
	return NULL;
}

/* ---- what is no flag ---- */

static const char *command_of(unsigned of)
{
	return of & OPTION_LOGS     ? "logs"
	       : of & OPTION_ATTACH ? "attach"
	       : of & OPTION_UPDATE ? "update"
	       : of & OPTION_CREATE ? "create"
				    : "run";
}

static int refuse_later(const struct option_later *later, const char *word, struct err *err)
{
	bool is_short = later->letter != 0 && word[1] != '-';
	char name[WORD_MAX];

	if (is_short)
		str_format(name, sizeof(name), "-%c (%s)", later->letter, later->name);
	else
		str_format(name, sizeof(name), "%s", later->name);
	if (later->is_never)
		err_set(err, ERR_USAGE, 0, "%s is Docker's: cordon has no such flag", name);
	else
		err_set(err, ERR_USAGE, 0, "%s is not enforced by this build", name);
	return later->instead[0] != '\0' ? err_hint(err, "%s", later->instead) : -EINVAL;
}

static int hint_at_list(unsigned of, struct err *err)
{
	if (of & OPTIONS_ANYWHERE)
		return err_hint(err, "`cordon %s --help` lists its flags.", command_of(of));
	return err_hint(
		err,
		"`cordon %s --help` lists all. What belongs to the program stands behind `--`.",
		command_of(of));
}

static int refuse_letter(const char *word, char letter, unsigned of, struct err *err)
{
	char name[] = {'-', letter, '\0'};

	for (const struct option_later *later = options_later; later->name != NULL; later++)
		if (later->letter == letter && !(of & OPTIONS_OWN))
			return refuse_later(later, name, err);
	if (word[2] == '\0' || word[1] == letter)
		err_set(err, ERR_USAGE, 0, "unknown flag %s", word);
	else
		err_set(err, ERR_USAGE, 0, "unknown flag -%c in %s", letter, word);
	return hint_at_list(of, err);
}

static int refuse_long(const char *word, unsigned of, struct err *err)
{
	const char *names[NAMES_MAX];
	const char *nearest;
	char name[WORD_MAX];
	size_t n = 0;

	/* Without the value, which is as long as it likes. */
	str_format(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
	for (const struct option_later *later = options_later; later->name != NULL; later++)
		if (str_equal(later->name, name) && !(of & OPTIONS_OWN))
			return refuse_later(later, word, err);
	for (size_t i = 0; i < options_n; i++)
		if (of == 0 ? is_known(&options_table[i], of) : (options_table[i].of & of) != 0)
			names[n++] = options_table[i].name;
	/* The nearest may be one that is only refused with more to say. */
	for (const struct option_later *later = options_later; later->name != NULL; later++)
		if (n < NAMES_MAX && (of & OPTIONS_ANYWHERE) == 0)
			names[n++] = later->name;
	err_set(err, ERR_USAGE, 0, "unknown flag %s", word);
	nearest = strlen(name) > 3 ? str_nearest(name, names, n) : NULL;
	if (nearest != NULL)
		return err_hint(err, "Did you mean %s? `cordon %s --help` lists all.", nearest,
				command_of(of));
	return hint_at_list(of, err);
}

/* ---- values ---- */

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

static bool asks_for_restart(const struct options *o)
{
	bool asks = false;

	for (size_t i = 0; i < o->n_flags; i++)
		if (o->flags[i].kind == FLAG_RESTART)
			asks = !str_equal(o->flags[i].text, "no");
	return asks;
}

/* What contradicts itself. What cordon writes to is not the program's. */
static int check_all(const struct options *o, struct err *err)
{
	if (o->sample_ms > 0 && o->status_fd < 0) {
		err_set(err, ERR_USAGE, 0, "--sample writes to --status-fd, and there is none");
		return err_hint(err, "cordon run --sample 50ms --status-fd 3 ... 3>samples.json.");
	}
	if (o->rm && asks_for_restart(o)) {
		err_set(err, ERR_USAGE, 0, "--rm and --restart contradict each other");
		return err_hint(err, "What is removed at its end cannot be started again.");
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

int options_check_name(const char *value, struct err *err)
{
	static const char all[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t len = value != NULL ? strlen(value) : 0;

	if (len >= 1 && strspn(value, all) == len && len <= OPTIONS_NAME_MAX &&
	    strchr("_.-", value[0]) == NULL)
		return 0;
	err_set(err, ERR_USAGE, 0, "--name %s: not a name", value != NULL ? value : "");
	return err_hint(
		err,
		"A name has 1 to %d letters, digits, '_', '.' and '-', and begins with a letter "
		"or digit: --name web-1.",
		OPTIONS_NAME_MAX);
}

/* Returns 0 or 1, or ERR_USAGE. value NULL: nothing was said. */
static int read_truth(struct typed typed, const char *value, struct err *err)
{
	bool truth = true;

	if (value == NULL || parse_bool(value, &truth) == 0)
		return truth ? 1 : 0;
	return err_set(err, ERR_USAGE, 0, "%s takes no value but =true or =false",
		       typed_name(typed));
}

static int take_policy(struct options *o, struct typed typed, const char *value, struct err *err)
{
	int truth = typed.def->value == NULL ? read_truth(typed, value, err) : 0;

	if (truth < 0)
		return truth;
	if (typed.def->value == NULL)
		value = truth == 1 ? "true" : "false";
	if (o->n_flags == OPTIONS_FLAGS_MAX)
		return err_set(err, ERR_USAGE, 0, "more than %d flags", OPTIONS_FLAGS_MAX);
	o->flags[o->n_flags++] = (struct policy_flag){.kind = (enum policy_flag_kind)typed.def->at,
						      .name = typed_name(typed),
						      .text = value};
	return 0;
}

/* value NULL: the flag takes none, and none was said. */
static int take(struct options *o, struct typed typed, const char *value, struct err *err)
{
	char *place = (char *)o + typed.def->at;
	int truth;

	o->said[typed.def - options_table] = true;
	switch (typed.def->target) {
	case TO_POLICY:
		return take_policy(o, typed, value, err);
	case TO_TEXT:
		memcpy(place, &value, sizeof(value));
		return 0;
	case TO_TRUTH:
		truth = read_truth(typed, value, err);
		if (truth >= 0)
			memcpy(place, &(bool){truth == 1}, sizeof(bool));
		return truth < 0 ? truth : 0;
	case TO_UNTRUTH:
		truth = read_truth(typed, value, err);
		if (truth >= 0)
			memcpy(place, &(bool){truth == 0}, sizeof(bool));
		return truth < 0 ? truth : 0;
	case TO_NAME:
		o->name = value;
		return options_check_name(value, err);
	case TO_STATUS_FD:
		return take_status_fd(o, value, err);
	case TO_FD:
		return take_fd(o, value, err);
	case TO_SAMPLE:
		return take_sample(o, value, err);
	case TO_CGROUP_PARENT:
		o->cgroup_parent = value;
		return options_check_cgroup_parent(value, err);
	}
	return err_set(err, ERR_BUG, 0, "flag %s has no target", typed.def->name);
}

/* ---- the command line ---- */

/* Takes a flag whose value is *value, or the next word of *argv. */
static int take_with_value(struct options *o, struct typed typed, const char *value, char ***argv,
			   struct err *err)
{
	if (value == NULL && (*argv)[1] != NULL && !str_equal((*argv)[1], "--"))
		value = *++*argv;
	if (value == NULL) {
		err_set(err, ERR_USAGE, 0, "%s wants a value: %s %s", typed_name(typed),
			typed_name(typed), typed.def->value);
		return typed.def->letter == 'h' && typed.is_letter
			       ? err_hint(err, "-h is the host name, as in Docker. Help: `cordon "
					       "run --help`.")
			       : -EINVAL;
	}
	return take(o, typed, value, err);
}

/* "-q", "-dit", "-eNAME=x", "-e=NAME=x", "-t=false" */
static int take_letters(struct options *o, char ***argv, struct err *err)
{
	const char *word = **argv;

	for (const char *at = word + 1; *at != '\0'; at++) {
		struct typed typed = {.def = find_letter(*at, o->of), .is_letter = true};
		const char *rest = at[1] == '=' ? at + 2 : at[1] != '\0' ? at + 1 : NULL;
		int r;

		if (typed.def == NULL)
			return refuse_letter(word, *at, o->of, err);
		if (typed.def->value != NULL)
			return take_with_value(o, typed, rest, argv, err);
		r = take(o, typed, at[1] == '=' ? rest : NULL, err);
		if (r < 0 || at[1] == '=')
			return r;
	}
	return 0;
}

static int take_word(struct options *o, char ***argv, struct err *err)
{
	const char *value = NULL;
	struct typed typed = {.is_letter = false};

	if ((**argv)[1] != '-')
		return take_letters(o, argv, err);
	typed.def = find_long(**argv, o->of, &value);
	if (typed.def == NULL)
		return refuse_long(**argv, o->of, err);
	if (typed.def->value != NULL)
		return take_with_value(o, typed, value, argv, err);
	return take(o, typed, value, err);
}

int options_parse(char **argv, struct options *ret, struct err *err)
{
	return options_parse_for(0, argv, ret, err);
}

/* Moves the n words in front of *word behind it. */
static void move_behind(char **word, size_t n)
{
	char *flag = *word;

	memmove(word - n + 1, word - n, n * sizeof(*word));
	*(word - n) = flag;
}

int options_parse_for(unsigned of, char **argv, struct options *ret, struct err *err)
{
	size_t n = 0; /* words that are no flags, right in front of argv */

	memset(ret, 0, sizeof(*ret));
	ret->of = of;
	ret->status_fd = -EBADF;
	for (; *argv != NULL; argv++) {
		char **first = argv;
		int r = 0;

		if ((*argv)[0] != '-' || (*argv)[1] == '\0') {
			if ((of & OPTIONS_ANYWHERE) == 0)
				break;
			n++;
			continue;
		}
		ret->saw_separator = str_equal(*argv, "--");
		if (!ret->saw_separator)
			r = take_word(ret, &argv, err);
		if (r < 0)
			return r;
		for (char **word = first; word <= argv; word++)
			move_behind(word, n);
		if (ret->saw_separator) {
			argv++;
			break;
		}
	}
	ret->rest = argv - n;
	return check_all(ret, err);
}

int options_check_command(const struct options *options, enum option_of of, const char *command,
			  struct err *err)
{
	for (size_t i = 0; i < options_n; i++) {
		if (!options->said[i] || (options_table[i].of & (unsigned)of) != 0)
			continue;
		err_set(err, ERR_USAGE, 0, "%s is not a flag of %s", options_table[i].name,
			command);
		return err_hint(err, "`cordon %s --help` lists its flags.", command);
	}
	return 0;
}

struct option_view options_view(size_t index)
{
	const struct option_def *def = &options_table[index];

	if (index >= options_n)
		return list_options_view(index - options_n);
	return (struct option_view){.name = def->name,
				    .letter = def->letter,
				    .value = def->value,
				    .help = def->help,
				    .keys = def->target == TO_POLICY
						    ? policy_flag_keys(
							      (enum policy_flag_kind)def->at)
						    : "",
				    .of = def->of};
}

void options_print_help(unsigned of)
{
	for (size_t i = 0; i < options_n; i++) {
		const struct option_def *def = &options_table[i];
		char left[64];
		size_t len;

		if (def->help == NULL || (def->of & of) == 0)
			continue;
		len = str_format(left, sizeof(left), "  ");
		if (def->letter != 0)
			len += str_format(left + len, sizeof(left) - len, "-%c, ", def->letter);
		str_format(left + len, sizeof(left) - len, "%s %s", def->name,
			   def->value != NULL ? def->value : "");
		table_row(TABLE_HELP_COLUMNS, 30, left, def->help);
	}
	list_options_print_help(of);
}
