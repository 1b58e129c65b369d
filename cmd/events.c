/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon events`: what happened, and what happens from now on. */
#include "records/events.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/fill.h"
#include "cmd/kept.h"
#include "cmd/moment.h"
#include "cmd/own_flags.h"
#include "cmd/print.h"

enum { LOOK_MS = 200, LONGEST_WAIT_MS = 60000, NS_IN_MS = 1000000, TEXT_MAX = 3 * EVENT_LINE_MAX };

struct asked {
	const char *since;
	const char *until;
	const char *format;
	struct own_list filters;
	bool json;
	int64_t since_ns;
	int64_t until_ns; /* INT64_MAX: never */
};

#define AT(member) offsetof(struct asked, member)

const struct own_flag events_flags[] = {
	{"--since", 0, "TIME", OWN_TEXT, AT(since),
	 "also what happened since then: 10m, 2026-11-29T11:38:44, seconds since 1970"},
	{"--until", 0, "TIME", OWN_TEXT, AT(until), "end with what happened until then"},
	{"--filter", 'f', "KEY=VALUE", OWN_LIST, AT(filters),
	 "only these: type, event, name, container (or sandbox), label; one key again is or"},
	{"--format", 0, "TEXT", OWN_TEXT, AT(format),
	 "{{.Time}} {{.TimeNano}} {{.Type}} {{.Action}} {{.ID}} {{.Name}} "
	 "{{.Actor.Attributes.exitCode}}, or json"},
	{"--json", 0, NULL, OWN_TRUTH, AT(json), "a JSON document a line"},
	{.name = NULL},
};

/* ---- filters ---- */

static const char *const filter_keys[] = {"type", "event", "name", "label", "container", "sandbox"};
enum { N_FILTER_KEYS = sizeof(filter_keys) / sizeof(filter_keys[0]) };

/* The key's place in the list; container and sandbox are one. N_FILTER_KEYS: none. */
static size_t filter_key(const char *filter)
{
	size_t len = strcspn(filter, "=");

	for (size_t i = 0; filter[len] == '=' && i < N_FILTER_KEYS; i++)
		if (strlen(filter_keys[i]) == len && strncmp(filter, filter_keys[i], len) == 0)
			return i == N_FILTER_KEYS - 1 ? i - 1 : i;
	return N_FILTER_KEYS;
}

static const char *attribute_of(const struct event *event, const char *key, size_t len)
{
	for (size_t i = 0; i < event->n_attributes; i++)
		if (strlen(event->attributes[i].key) == len &&
		    strncmp(event->attributes[i].key, key, len) == 0)
			return event->attributes[i].value;
	return NULL;
}

/* "KEY" or "KEY=VALUE". */
static bool has_label(const struct event *event, const char *label)
{
	size_t len = strcspn(label, "=");
	const char *value = attribute_of(event, label, len);

	return value != NULL && (label[len] == '\0' || str_equal(value, label + len + 1));
}

static bool is_match(const struct event *event, const char *filter)
{
	const char *equals = strchr(filter, '=');
	const char *value = equals != NULL ? equals + 1 : "";

	switch (filter_key(filter)) {
	case 0:
		return str_equal(event->type, value);
	case 1:
		return str_equal(event->action, value);
	case 2:
		return str_equal(event->name, value);
	case 3:
		return has_label(event, value);
	default:
		return str_equal(event->name, value) ||
		       (value[0] != '\0' && str_has_prefix(event->id, value));
	}
}

/* Of one key any has to match (of labels, all, as with Docker); of different ones, all. */
static bool is_wanted(const struct event *event, const struct own_list *filters)
{
	bool is_said[N_FILTER_KEYS] = {false}, matches[N_FILTER_KEYS] = {false};

	for (size_t i = 0; i < filters->n; i++) {
		size_t key = filter_key(filters->list[i]);

		if (key >= N_FILTER_KEYS)
			continue;
		if (is_match(event, filters->list[i]))
			matches[key] = true;
		else if (str_equal(filter_keys[key], "label"))
			return false;
		is_said[key] = true;
	}
	for (size_t key = 0; key < N_FILTER_KEYS; key++)
		if (is_said[key] && !matches[key])
			return false;
	return true;
}

/* ---- printing ---- */

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct event_attribute *)a)->key,
		      ((const struct event_attribute *)b)->key);
}

/* "TIME container die ID (exitCode=0, name=web)": Docker's line. */
static void print_text(const struct event *event)
{
	struct event_attribute sorted[EVENT_ATTRIBUTES_MAX + 1] = {{"", ""}};
	char time[64], text[TEXT_MAX];
	size_t n = 0, len = 0;

	if (event->name[0] != '\0')
		sorted[n++] = (struct event_attribute){"name", event->name};
	for (size_t i = 0; i < event->n_attributes; i++)
		sorted[n++] = event->attributes[i];
	qsort(sorted, n, sizeof(sorted[0]), by_key);
	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		len += str_format(text + len, sizeof(text) - len, "%s%s=%s", i > 0 ? ", " : "",
				  sorted[i].key, sorted[i].value);
	moment_text(event->time_ns, time, sizeof(time));
	print_out("%s %s %s %s (%s)\n", time, event->type, event->action, event->id, text);
}

struct fields_of {
	const struct event *event;
	char number[32];
};

static const char *look_up(void *ctx, const char *field)
{
	struct fields_of *of = ctx;
	static const char attributes[] = "Actor.Attributes.";
	const struct event *event = of->event;

	if (str_equal(field, "ID") || str_equal(field, "Actor.ID"))
		return event->id;
	if (str_equal(field, "Name") || str_equal(field, "Actor.Attributes.name"))
		return event->name;
	if (str_equal(field, "Type"))
		return event->type;
	if (str_equal(field, "Action") || str_equal(field, "Status"))
		return event->action;
	if (str_has_prefix(field, attributes)) {
		const char *key = field + strlen(attributes);
		const char *value = attribute_of(event, key, strlen(key));

		return value != NULL ? value : "";
	}
	if (!str_equal(field, "Time") && !str_equal(field, "TimeNano"))
		return NULL;
	str_format(of->number, sizeof(of->number), "%lld",
		   (long long)(str_equal(field, "Time") ? event->time_ns / 1000000000
							: event->time_ns));
	return of->number;
}

static int print_event(const struct event *event, const struct asked *asked, struct err *err)
{
	struct fields_of of = {.event = event};
	char text[TEXT_MAX];
	ssize_t len = 0;

	if (asked->json)
		len = event_to_line(event, text, sizeof(text));
	else if (asked->format != NULL)
		len = fill(asked->format, &(struct fill_fields){look_up, &of}, text, sizeof(text),
			   err);
	else
		print_text(event);
	if (len > 0)
		print_lines(text);
	return len < 0 ? (int)len : 0;
}

/* ---- following ---- */

/* Changes in the directory; -EBADF where the kernel has no watch left for this user. */
static int open_watch(const struct records *records)
{
	_cleanup_fd_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0 || inotify_add_watch(fd, records->home,
					IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0)
		return -EBADF;
	return steal_fd(&fd);
}

static void wait_for_more(int watch_fd, int64_t left_ms)
{
	struct pollfd fd = {.fd = watch_fd, .events = POLLIN};
	int64_t most = watch_fd >= 0 ? LONGEST_WAIT_MS : LOOK_MS;
	char dropped[4096];

	ignore_result(poll(&fd, 1, (int)(left_ms < most ? left_ms : most)),
		      "it is looked at again, whatever ended this");
	while (watch_fd >= 0 && read(watch_fd, dropped, sizeof(dropped)) > 0)
		;
}

/* Returns 0 at --until, or a negative errno with err filled. */
static int follow(const struct records *records, const struct asked *asked,
		  struct events_reader *reader, struct err *err)
{
	_cleanup_fd_ int watch_fd = open_watch(records);
	int r = events_open(records, asked->since == NULL, reader);

	for (reader->since_ns = asked->since_ns; r >= 0;) {
		struct event event;
		int64_t now_ns = moment_now_ns();

		r = events_next(reader, &event);
		if (r == 1 && event.time_ns > asked->until_ns)
			return 0;
		if (r == 1 && is_wanted(&event, &asked->filters) &&
		    print_event(&event, asked, err) < 0)
			return -EINVAL;
		if (r != 0)
			continue;
		if (now_ns >= asked->until_ns)
			return 0;
		wait_for_more(watch_fd, (asked->until_ns - now_ns) / NS_IN_MS + 1);
	}
	return err_set(err, ERR_SETUP, -r, "%s/" EVENTS_FILE, records->home);
}

/* ---- the command ---- */

static int read_moment(const char *flag, const char *text, int64_t *ret_ns, struct err *err)
{
	if (text == NULL || moment_read(text, moment_now_ns(), ret_ns) == 0)
		return 0;
	err_set(err, ERR_USAGE, 0, "%s %s: not a time", flag, text);
	return err_hint(err, "Write 10m (before now), 2026-11-29T11:38:44, or seconds since 1970.");
}

static int check(struct asked *asked, struct err *err)
{
	struct event none = {.type = "", .action = "", .id = "", .name = ""};
	struct fields_of of = {.event = &none};
	char text[TEXT_MAX];
	int r = read_moment("--since", asked->since, &asked->since_ns, err);

	if (r == 0)
		r = read_moment("--until", asked->until, &asked->until_ns, err);
	for (size_t i = 0; r == 0 && i < asked->filters.n; i++)
		if (filter_key(asked->filters.list[i]) == N_FILTER_KEYS) {
			err_set(err, ERR_USAGE, 0, "--filter %s: not a filter of events",
				asked->filters.list[i]);
			r = err_hint(err, "type=, event=, name=, container= and label= are: "
					  "--filter event=die.");
		}
	if (r == 0 && asked->format != NULL && fill_is_json(asked->format))
		asked->json = true;
	if (r == 0 && asked->format != NULL && !asked->json)
		r = fill(asked->format, &(struct fill_fields){look_up, &of}, text, sizeof(text),
			 err);
	return r < 0 ? r : 0;
}

/* reader: room for one, which is large. */
static int read_and_print(const struct cmd_context *context, struct events_reader *reader,
			  char **argv)
{
	struct asked asked = {.until_ns = INT64_MAX};
	struct records records;
	struct err err = {0};
	int exit_code = EXIT_CORDON, r, n;

	n = own_flags_parse("events", events_flags, argv + 1, &asked, &exit_code);
	if (n < 0)
		return exit_code;
	r = n > 0 ? err_set(&err, ERR_USAGE, 0, "events takes no arguments, but was given %s",
			    argv[1])
		  : check(&asked, &err);
	if (r < 0) {
		print_err(&err);
		return EXIT_CORDON;
	}
	if (kept_open(context, true, &records) < 0)
		return EXIT_CORDON;
	r = follow(&records, &asked, reader, &err);
	if (r < 0)
		print_err(&err);
	if (reader->n_broken > 0)
		print_note("%llu lines of %s/" EVENTS_FILE " are none, and were left out",
			   (unsigned long long)reader->n_broken, records.home);
	events_close(reader);
	kept_close(&records);
	return r < 0 ? err_exit_code(&err) : 0;
}

int cmd_events(const struct cmd_context *context, int argc, char **argv)
{
	struct events_reader *reader = calloc(1, sizeof(*reader));
	int exit_code = reader != NULL ? read_and_print(context, reader, argv) : EXIT_CORDON;

	(void)argc;
	free(reader);
	return exit_code;
}
