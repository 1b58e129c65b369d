/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See words.h. Pure: nothing is printed here. */
#include "cmd/words.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"

enum words_kind {
	WORDS_LISTED,
	WORDS_ALIAS, /* of the row above it: another spelling, not listed */
	WORDS_LATER, /* Docker's, whose machinery this build has not got */
};

static const char image_max_size[] =
	"how large a layer may be, as a tar and as files (default: 32GiB)";
static const char image_max_entries[] = "how many entries a layer may have (default: 2000000)";
static const char image_quiet[] = "no notes of cordon's own, errors excepted";
static const char volume_quiet[] = "print no name, and no progress";
static const char volume_live[] =
	"let who uses it go on: the copy may not be consistent, which is said in it";

static const struct words_row {
	const char *command;
	const char *name;
	const char *letter; /* NULL: none */
	const char *value;  /* NULL: takes none */
	enum words_kind kind;
	const char *help;
} rows[] = {
	{"start", "--all", NULL, NULL, WORDS_LISTED,
	 "start all that are wanted and have the restart policy always or unless-stopped: after a "
	 "boot, or a keeper that was killed"},
	{"start", "--attach", "-a", NULL, WORDS_LISTED,
	 "show what it prints from its first byte on, and end as it ends; of one sandbox"},
	{"start", "--interactive", "-i", NULL, WORDS_LISTED,
	 "and pass stdin on, where it was made with -i or -t"},
	{"start", "--detach-keys", NULL, "KEYS", WORDS_LISTED,
	 "keys that detach from a terminal: ctrl-p,ctrl-q unless said"},
	{"start", "--sig-proxy", NULL, NULL, WORDS_LISTED,
	 "pass signals on to the program; done unless =false is said"},
	{"start", "--checkpoint", NULL, "NAME", WORDS_LATER, ""},
	{"start", "--checkpoint-dir", NULL, "DIR", WORDS_LATER, ""},

	{"stop", "--all", NULL, NULL, WORDS_LISTED,
	 "end all that run, as a shutdown does: `start --all` brings back what is to be kept up"},
	{"stop", "--timeout", "-t", "SECONDS", WORDS_LISTED,
	 "kill what is left after these (default: process.stop_grace_period; -1: never)"},
	{"stop", "--time", NULL, "SECONDS", WORDS_ALIAS, ""},
	{"stop", "--signal", "-s", "SIGNAL", WORDS_LISTED,
	 "the signal that asks it to end (default: process.stop_signal)"},

	{"restart", "--timeout", "-t", "SECONDS", WORDS_LISTED,
	 "kill what is left after these (default: process.stop_grace_period; -1: never)"},
	{"restart", "--time", NULL, "SECONDS", WORDS_ALIAS, ""},
	{"restart", "--signal", "-s", "SIGNAL", WORDS_LISTED,
	 "the signal that asks it to end (default: process.stop_signal)"},

	{"kill", "--signal", "-s", "SIGNAL", WORDS_LISTED,
	 "send this one to the program, and nothing more (default: KILL, which ends all)"},

	{"rm", "--force", "-f", NULL, WORDS_LISTED, "kill it first where it runs"},
	{"rm", "--volumes", "-v", NULL, WORDS_LISTED, "its anonymous volumes as well"},
	{"rm", "--link", "-l", NULL, WORDS_LATER, ""},

	{"cp", "--archive", "-a", NULL, WORDS_LISTED, "keep the numbers of owners and groups"},
	{"cp", "--follow-link", "-L", NULL, WORDS_LISTED,
	 "copy what the source links to, where it is a link"},
	{"cp", "--quiet", "-q", NULL, WORDS_LISTED, "no notes of cordon's own, errors excepted"},

	{"commit", "--author", "-a", "TEXT", WORDS_LISTED, "who made the image"},
	{"commit", "--change", "-c", "TEXT", WORDS_LISTED,
	 "an instruction: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR; "
	 "can be given again"},
	{"commit", "--message", "-m", "TEXT", WORDS_LISTED, "what is noted of it"},
	{"commit", "--pause", "-p", NULL, WORDS_LISTED,
	 "a sandbox that runs stands still meanwhile; done unless =false is said"},
	{"commit", "--max-size", NULL, "SIZE", WORDS_LISTED, image_max_size},
	{"commit", "--max-entries", NULL, "N", WORDS_LISTED, image_max_entries},
	{"commit", "--quiet", "-q", NULL, WORDS_LISTED, image_quiet},

	{"export", "--output", "-o", "FILE", WORDS_LISTED,
	 "a new file to write to (default: standard output)"},

	{"prune", "--force", "-f", NULL, WORDS_LISTED, "do not ask"},
	{"prune", "--filter", NULL, "FILTER", WORDS_LISTED,
	 "only those with label=NAME[=VALUE], without it (label!=...), or made before a time: "
	 "until=24h, until=2026-01-31T12:00:00; can be given again"},

	{"image import", "--max-size", NULL, "SIZE", WORDS_LISTED, image_max_size},
	{"image import", "--max-entries", NULL, "N", WORDS_LISTED, image_max_entries},
	{"image import", "--quiet", "-q", NULL, WORDS_LISTED, image_quiet},
	{"image import", "--change", "-c", "TEXT", WORDS_LATER, ""},
	{"image import", "--message", "-m", "TEXT", WORDS_LATER, ""},
	{"image import", "--platform", NULL, "PLATFORM", WORDS_LATER, ""},

	{"image load", "--max-size", NULL, "SIZE", WORDS_LISTED, image_max_size},
	{"image load", "--max-entries", NULL, "N", WORDS_LISTED, image_max_entries},
	{"image load", "--quiet", "-q", NULL, WORDS_LISTED, image_quiet},
	{"image load", "--input", "-i", "FILE", WORDS_LISTED, "the archive, in place of SOURCE"},
	{"image load", "--platform", NULL, "PLATFORM", WORDS_LATER, ""},

	{"image pull", "--max-size", NULL, "SIZE", WORDS_LISTED, image_max_size},
	{"image pull", "--max-entries", NULL, "N", WORDS_LISTED, image_max_entries},
	{"image pull", "--quiet", "-q", NULL, WORDS_LISTED, image_quiet},
	{"image pull", "--all-tags", "-a", NULL, WORDS_LATER, ""},
	{"image pull", "--platform", NULL, "PLATFORM", WORDS_LATER, ""},

	{"image save", "--quiet", "-q", NULL, WORDS_LISTED, image_quiet},
	{"image save", "--output", "-o", "FILE", WORDS_LISTED,
	 "the new file, in place of the last word"},
	{"image save", "--platform", NULL, "PLATFORM", WORDS_LATER, ""},

	{"image ls", "--all", "-a", NULL, WORDS_LISTED, "those without a name as well"},
	{"image ls", "--digests", NULL, NULL, WORDS_LATER, ""},
	{"image ls", "--filter", "-f", "FILTER", WORDS_LISTED,
	 "reference=PATTERN (a name, with * and ?), dangling=true (those without a name) or "
	 "=false"},
	{"image ls", "--format", NULL, "TEXT", WORDS_LISTED,
	 "a line for each, with {{.Name}}, {{.ID}}, {{.Size}} and the like; \"table \" in front: "
	 "with headings; table; json"},
	{"image ls", "--no-trunc", NULL, NULL, WORDS_LISTED, "whole ids"},
	{"image ls", "--quiet", "-q", NULL, WORDS_LISTED, "ids alone"},

	{"image inspect", "--format", "-f", "TEMPLATE", WORDS_LATER, ""},

	{"image rm", "--quiet", "-q", NULL, WORDS_LISTED, image_quiet},
	{"image rm", "--force", "-f", NULL, WORDS_LISTED,
	 "also where a sandbox that is kept is to be started from it again"},
	{"image rm", "--no-prune", NULL, NULL, WORDS_LATER, ""},

	{"image prune", "--quiet", "-q", NULL, WORDS_LISTED, image_quiet},
	{"image prune", "--all", "-a", NULL, WORDS_LISTED,
	 "those with a name as well, which no sandbox is of"},
	{"image prune", "--filter", NULL, "FILTER", WORDS_LISTED,
	 "only those with label=NAME[=VALUE], without it (label!=...), or that came before a time: "
	 "until=24h, until=2026-01-31T12:00:00; can be given again"},
	{"image prune", "--force", "-f", NULL, WORDS_LISTED,
	 "do not ask; without --all nothing is asked"},

	{"network create", "--driver", "-d", "DRIVER", WORDS_LISTED, "bridge, and no other here"},
	{"network create", "--subnet", NULL, "SUBNET", WORDS_LISTED,
	 "10.99.0.0/24, fd00:99::/64: one of each (default: one that is free)"},
	{"network create", "--gateway", NULL, "ADDRESS", WORDS_LISTED,
	 "the bridge's own address (default: the subnet's first)"},
	{"network create", "--ip-range", NULL, "SUBNET", WORDS_LISTED,
	 "the part of the subnet that sandboxes get addresses of"},
	{"network create", "--internal", NULL, NULL, WORDS_LISTED,
	 "nothing beyond the host is reached"},
	{"network create", "--icc", NULL, NULL, WORDS_LISTED,
	 "its sandboxes reach one another; done unless =false is said"},
	{"network create", "--mtu", NULL, "N", WORDS_LISTED, "bytes of a packet (default: 1500)"},
	{"network create", "--bridge", NULL, "LINK", WORDS_LISTED,
	 "a bridge of the host's, which is left as it is"},
	{"network create", "--ipv6", NULL, NULL, WORDS_LISTED, "addresses of IPv6 as well"},
	{"network create", "--egress-rate", NULL, "RATE", WORDS_LISTED,
	 "how fast all its sandboxes together send beyond it: 10mbit"},
	{"network create", "--egress-burst", NULL, "SIZE", WORDS_LISTED,
	 "what they send at once after a pause: 64KiB"},
	{"network create", "--ingress-rate", NULL, "RATE", WORDS_LISTED,
	 "how fast they receive from beyond it"},
	{"network create", "--ingress-burst", NULL, "SIZE", WORDS_LISTED,
	 "what they receive at once after a pause"},
	{"network create", "--label", NULL, "NAME=VALUE", WORDS_LISTED, "can be given again"},
	{"network create", "--opt", "-o", "KEY=VALUE", WORDS_LATER, ""},
	{"network create", "--attachable", NULL, NULL, WORDS_LATER, ""},
	{"network create", "--aux-address", NULL, "MAP", WORDS_LATER, ""},
	{"network create", "--config-from", NULL, "NAME", WORDS_LATER, ""},
	{"network create", "--config-only", NULL, NULL, WORDS_LATER, ""},
	{"network create", "--ingress", NULL, NULL, WORDS_LATER, ""},
	{"network create", "--ipam-driver", NULL, "DRIVER", WORDS_LATER, ""},
	{"network create", "--ipam-opt", NULL, "MAP", WORDS_LATER, ""},
	{"network create", "--ipv4", NULL, NULL, WORDS_LATER, ""},
	{"network create", "--scope", NULL, "SCOPE", WORDS_LATER, ""},

	{"network ls", "--quiet", "-q", NULL, WORDS_LISTED, "ids alone"},
	{"network ls", "--no-trunc", NULL, NULL, WORDS_LISTED, "whole ids"},
	{"network ls", "--filter", "-f", "FILTER", WORDS_LISTED,
	 "driver=, id=, name= (parts), label=NAME[=VALUE], type=builtin or custom; can be given "
	 "again"},
	{"network ls", "--format", NULL, "TEMPLATE", WORDS_LATER, ""},

	{"network inspect", "--format", "-f", "TEMPLATE", WORDS_LATER, ""},
	{"network inspect", "--verbose", "-v", NULL, WORDS_LATER, ""},

	{"network connect", "--alias", NULL, "NAME", WORDS_LISTED,
	 "a further name by which others find it there; can be given again"},
	{"network connect", "--ip", NULL, "ADDRESS", WORDS_LISTED,
	 "its address there (default: the lowest free one)"},
	{"network connect", "--ip6", NULL, "ADDRESS", WORDS_LISTED, "likewise of IPv6"},
	{"network connect", "--link", NULL, "SANDBOX[:ALIAS]", WORDS_LISTED,
	 "what it calls another one there, which need not run yet; can be given again"},
	{"network connect", "--link-local-ip", NULL, "ADDRESS", WORDS_LATER, ""},
	{"network connect", "--driver-opt", NULL, "KEY=VALUE", WORDS_LATER, ""},
	{"network connect", "--gw-priority", NULL, "N", WORDS_LATER, ""},

	{"network disconnect", "--force", "-f", NULL, WORDS_LISTED,
	 "one that is not in it is no error"},

	{"network update", "--egress-rate", NULL, "RATE", WORDS_LISTED,
	 "how fast all its sandboxes together send beyond it: 10mbit, or unlimited"},
	{"network update", "--egress-burst", NULL, "SIZE", WORDS_LISTED,
	 "what they send at once after a pause: 64KiB, or default"},
	{"network update", "--ingress-rate", NULL, "RATE", WORDS_LISTED,
	 "how fast they receive from beyond it"},
	{"network update", "--ingress-burst", NULL, "SIZE", WORDS_LISTED,
	 "what they receive at once after a pause"},

	{"network rm", "--force", "-f", NULL, WORDS_LISTED, "one that is not there is no error"},

	{"network prune", "--force", "-f", NULL, WORDS_LISTED, "do not ask"},
	{"network prune", "--filter", NULL, "FILTER", WORDS_LISTED,
	 "only those with label=NAME[=VALUE]; can be given again"},

	{"volume create", "--driver", "-d", "DRIVER", WORDS_LISTED, "local, and no other here"},
	{"volume create", "--label", NULL, "NAME=VALUE", WORDS_LISTED, "can be given again"},
	{"volume create", "--opt", "-o", "KEY=VALUE", WORDS_LISTED,
	 "size=SIZE, inodes=N; store=image|project|auto: what holds them"},
	{"volume create", "--size", NULL, "SIZE", WORDS_LISTED,
	 "it takes no more: an ext4 of its own (64m, 10g); as root"},
	{"volume create", "--inodes", NULL, "N", WORDS_LISTED,
	 "files and directories that fit in it; one for each 16 KiB unless said"},

	{"volume ls", "--quiet", "-q", NULL, WORDS_LISTED, "names alone"},
	{"volume ls", "--filter", "-f", "FILTER", WORDS_LISTED,
	 "dangling=true or false, driver=, name= (parts), label=NAME[=VALUE], label!=; can be "
	 "given again"},
	{"volume ls", "--format", NULL, "TEMPLATE", WORDS_LISTED,
	 "a line each, like '{{.Name}} {{.Mountpoint}}', or json"},

	{"volume inspect", "--format", "-f", "TEMPLATE", WORDS_LISTED,
	 "a line each, like '{{.Mountpoint}}', or json"},

	{"volume rm", "--force", "-f", NULL, WORDS_LISTED,
	 "one that is not there is no error, nor is a damaged record"},

	{"volume prune", "--all", "-a", NULL, WORDS_LISTED, "those with a name as well"},
	{"volume prune", "--force", "-f", NULL, WORDS_LISTED, "do not ask"},
	{"volume prune", "--filter", NULL, "FILTER", WORDS_LISTED,
	 "only those with label=NAME[=VALUE], or without (label!=); can be given again"},

	{"volume backup", "--live", NULL, NULL, WORDS_LISTED, volume_live},
	{"volume backup", "--quiet", "-q", NULL, WORDS_LISTED, volume_quiet},

	{"volume restore", "--replace", NULL, NULL, WORDS_LISTED,
	 "in place of what is in a volume of that name, in one step"},
	{"volume restore", "--no-verify", NULL, NULL, WORDS_LISTED,
	 "take a tar without a SHA-256, of another program"},
	{"volume restore", "--max-size", NULL, "SIZE", WORDS_LISTED,
	 "refuse an archive of more (else the disk decides)"},
	{"volume restore", "--max-entries", NULL, "N", WORDS_LISTED, "refuse one of more files"},
	{"volume restore", "--quiet", "-q", NULL, WORDS_LISTED, volume_quiet},

	{"volume clone", "--live", NULL, NULL, WORDS_LISTED, volume_live},
	{"volume clone", "--quiet", "-q", NULL, WORDS_LISTED, volume_quiet},
};
enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

struct words_view words_view(const char *command, size_t index)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		if (rows[i].kind != WORDS_LISTED || !str_equal(rows[i].command, command))
			continue;
		if (index-- == 0)
			return (struct words_view){rows[i].name, rows[i].letter, rows[i].value,
						   rows[i].help};
	}
	return (struct words_view){0};
}

/* ---- finding ---- */

static const struct words_row *find_name(const char *command, const char *word, size_t len)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (str_equal(rows[i].command, command) && strlen(rows[i].name) == len &&
		    strncmp(rows[i].name, word, len) == 0)
			return &rows[i];
	return NULL;
}

static const struct words_row *find_letter(const char *command, char letter)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (str_equal(rows[i].command, command) && rows[i].letter != NULL &&
		    rows[i].letter[1] == letter)
			return &rows[i];
	return NULL;
}

static int refuse_unknown(const char *command, bool has_json, const char *word, struct err *err)
{
	const char *names[N_ROWS + 2] = {"--help", has_json ? "--json" : NULL};
	const char *nearest;
	char name[64];

	for (size_t i = 0; i < N_ROWS; i++)
		if (str_equal(rows[i].command, command) && rows[i].kind != WORDS_LATER)
			names[i + 2] = rows[i].name;
	err_set(err, ERR_USAGE, 0, "unknown flag %s of %s", word, command);
	str_format(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
	nearest = word[1] == '-' ? str_nearest(name, names, N_ROWS + 2) : NULL;
	if (nearest != NULL)
		return err_hint(err, "Did you mean %s? `cordon help %s` lists its flags.", nearest,
				command);
	return err_hint(err, "`cordon help %s` lists its flags.", command);
}

static int refuse_later(const struct words_row *row, struct err *err)
{
	err_set(err, ERR_USAGE, 0, "%s of %s: not enforced by this build", row->name, row->command);
	return err_hint(err, "Leave it out.");
}

/* ---- reading ---- */

static int take(struct words *words, const struct words_row *row, const char *value,
		struct err *err)
{
	bool truth = true;

	if (row->kind == WORDS_LATER)
		return refuse_later(row, err);
	if (row->value != NULL && value == NULL) {
		err_set(err, ERR_USAGE, 0, "%s wants a value", row->name);
		return err_hint(err, "%s %s", row->name, row->value);
	}
	if (row->value == NULL && value != NULL && parse_bool(value, &truth) < 0) {
		err_set(err, ERR_USAGE, 0, "%s takes no value, but was given %s", row->name, value);
		return err_hint(err, "Leave it out: %s. =true and =false are taken.", row->name);
	}
	if (words->n_flags == WORDS_FLAGS_MAX)
		return err_set(err, ERR_USAGE, 0, "more than %d flags", WORDS_FLAGS_MAX);
	while (row->kind == WORDS_ALIAS)
		row--;
	words->flags[words->n_flags].name = row->name;
	words->flags[words->n_flags].is_off = !truth;
	words->flags[words->n_flags++].value = value;
	return 0;
}

/* "-fv", "-t3", "-t 3". next: the word behind it. Returns how many words it took. */
static int take_letters(const char *command, const char *word, const char *next,
			struct words *words, struct err *err)
{
	for (const char *at = word + 1; *at != '\0'; at++) {
		const struct words_row *row = find_letter(command, *at);
		const char *behind = at[1] == '=' ? at + 2 : at + 1;
		int r;

		if (row == NULL)
			return refuse_unknown(command, false, word, err);
		if (row->value == NULL) {
			r = take(words, row, at[1] == '=' ? behind : NULL, err);
			if (r < 0 || at[1] == '=')
				return r < 0 ? r : 1;
			continue;
		}
		r = take(words, row, at[1] != '\0' ? behind : next, err);
		return r < 0 ? r : at[1] != '\0' ? 1 : 2;
	}
	return 1;
}

static int take_name(const char *command, bool has_json, char *const *argv, struct words *words,
		     struct err *err)
{
	size_t len = strcspn(argv[0], "=");
	const struct words_row *row = find_name(command, argv[0], len);
	const char *value = argv[0][len] == '=' ? argv[0] + len + 1 : NULL;
	bool takes_next = row != NULL && row->value != NULL && value == NULL;
	int r;

	if (row == NULL)
		return refuse_unknown(command, has_json, argv[0], err);
	r = take(words, row, takes_next ? argv[1] : value, err);
	return r < 0 ? r : takes_next ? 2 : 1;
}

int words_parse(const char *command, bool has_json, char **argv, struct words *ret, struct err *err)
{
	bool only_words = false;
	int n = 0;

	*ret = (struct words){0};
	for (char **word = argv; *word != NULL;) {
		int taken = 1;

		if (only_words || (*word)[0] != '-' || str_equal(*word, "-"))
			argv[n++] = *word;
		else if (str_equal(*word, "--"))
			only_words = true;
		else if (str_equal(*word, "--help") || str_equal(*word, "-h"))
			ret->wants_help = true;
		else if (has_json && str_equal(*word, "--json"))
			ret->wants_json = true;
		else if ((*word)[1] == '-')
			taken = take_name(command, has_json, word, ret, err);
		else
			taken = take_letters(command, *word, word[1], ret, err);
		/* What is asked for first counts: help, or the mistake. */
		if (ret->wants_help)
			return 0;
		if (taken < 0)
			return taken;
		word += taken;
	}
	argv[n] = NULL;
	ret->n = n;
	return 0;
}

bool words_has(const struct words *words, const char *name)
{
	bool has = false;

	for (size_t i = 0; i < words->n_flags; i++)
		if (str_equal(words->flags[i].name, name))
			has = !words->flags[i].is_off;
	return has;
}

bool words_said(const struct words *words, const char *name)
{
	for (size_t i = 0; i < words->n_flags; i++)
		if (str_equal(words->flags[i].name, name))
			return true;
	return false;
}

const char *words_value(const struct words *words, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < words->n_flags; i++)
		if (str_equal(words->flags[i].name, name))
			value = words->flags[i].value;
	return value;
}
