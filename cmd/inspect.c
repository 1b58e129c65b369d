/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `cordon inspect`: finds the sandboxes, and prints the objects of inspect_json.c, or parts of them
 * (--format). Takes no lock and asks no process.
 */
#include "cmd/inspect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/str.h"
#include "cmd/document.h"
#include "cmd/kept.h"
#include "cmd/list_options.h"
#include "cmd/print.h"
#include "cmd/template.h"

enum { INDENT = 4, KNOWN_MAX = 480 };

struct inspect {
	const struct cmd_context *context;
	const struct template *template; /* NULL: all of it */
	struct records records;
	struct document document; /* room for one object */
	struct look look;
	struct page page;
	size_t n_shown;
	int exit_code;
};

/* ---- the array ---- */

static void put_indent(struct page *page, size_t depth)
{
	page_text(page, "\n");
	for (size_t i = 0; i < depth * INDENT; i++)
		page_text(page, " ");
}

/* Bytes of the string, or of the one character, at text. */
static size_t token_length(const char *text)
{
	size_t len = 1;

	if (text[0] != '"')
		return 1;
	for (; text[len] != '"' && text[len] != '\0'; len++)
		len += text[len] == '\\' && text[len + 1] != '\0';
	return len + (text[len] == '"');
}

/* The writer's own JSON, one member a line. */
static void put_indented(struct page *page, const char *text, size_t depth)
{
	for (size_t n; *text != '\0'; text += n) {
		bool is_empty =
			(text[0] == '{' && text[1] == '}') || (text[0] == '[' && text[1] == ']');
		bool opens = !is_empty && (text[0] == '{' || text[0] == '[');

		n = is_empty ? 2 : token_length(text);
		if (!is_empty && (text[0] == '}' || text[0] == ']'))
			put_indent(page, --depth);
		page_put(page, text, n);
		if (text[0] == ':')
			page_text(page, " ");
		if (opens)
			depth++;
		if (opens || text[0] == ',')
			put_indent(page, depth);
	}
}

static void put_element(struct inspect *inspect, const char *text)
{
	page_text(&inspect->page, inspect->n_shown > 0 ? "," : "[");
	put_indent(&inspect->page, 1);
	put_indented(&inspect->page, text, 1);
}

/* ---- --format ---- */

/* The names of an object's members, for a message. */
static void name_members(struct json_slice value, char *buf, size_t size)
{
	struct json_slice name, member;
	size_t at = 0, len = 0;

	buf[0] = '\0';
	while (json_next(value, &at, &name, &member) > 0)
		len += str_format(buf + len, size - len, "%s%.*s", len > 0 ? ", " : "",
				  (int)name.len - 2, name.text + 1);
	if (len == 0)
		str_format(buf, size, "it has no parts");
}

/* Follows "result.exit_code". null has no parts, and no mistakes: they are null. */
static int find_path(struct json_slice value, const char *path, struct json_slice *ret,
		     struct err *err)
{
	const char *at = path;

	while (*at != '\0' && value.text[0] != 'n') {
		size_t len = strcspn(at, ".");
		struct json_slice member;

		if (json_find(value, at, len, &member) < 0) {
			char known[KNOWN_MAX];

			name_members(value, known, sizeof(known));
			err_set(err, ERR_USAGE, 0, "--format: there is no .%.*s",
				(int)(at + len - path), path);
			return err_hint(err, "Known there: %s.", known);
		}
		value = member;
		at += len + (at[len] == '.');
	}
	*ret = value;
	return 0;
}

/* Docker's names of fields that are here. What ends in states is true in one of these. */
static const struct {
	const char *docker, *path, *states;
} docker_paths[] = {
	{"Id", "id", NULL},
	{"Name", "name", NULL},
	{"Created", "created_at", NULL},
	{"RestartCount", "restarts", NULL},
	{"State.Status", "state", NULL},
	{"State.Running", "state", " running paused restarting "},
	{"State.Paused", "state", " paused "},
	{"State.Restarting", "state", " restarting "},
	{"State.OOMKilled", "kind", " oom "},
	{"State.Pid", "workload_pid", NULL},
	{"State.ExitCode", "exit_code", NULL},
	{"State.Error", "reason", NULL},
	{"State.StartedAt", "started_at", NULL},
	{"State.FinishedAt", "finished_at", NULL},
	{"Config.Cmd", "command", NULL},
	{"Config.Labels", "labels", NULL},
	{"Mounts", "mounts", NULL},
};
enum { N_DOCKER_PATHS = sizeof(docker_paths) / sizeof(docker_paths[0]) };

static struct json_slice truth_of(struct json_slice state, const char *states)
{
	char word[32] = " ";
	size_t len = 1 + json_copy_text(state, word + 1, sizeof(word) - 2);
	bool is_one;

	str_format(word + len, sizeof(word) - len, " ");
	is_one = strstr(states, word) != NULL;
	return (struct json_slice){is_one ? "true" : "false", is_one ? 4 : 5};
}

/* A path as it stands in the format. None of ours begins with a capital letter. */
static int find_field(struct json_slice whole, const char *path, struct json_slice *ret,
		      struct err *err)
{
	int r;

	for (size_t i = 0; i < N_DOCKER_PATHS; i++) {
		if (!str_equal(docker_paths[i].docker, path))
			continue;
		r = find_path(whole, docker_paths[i].path, ret, err);
		if (r == 0 && docker_paths[i].states != NULL)
			*ret = truth_of(*ret, docker_paths[i].states);
		return r;
	}
	return find_path(whole, path, ret, err);
}

/* A text as it is, anything else as JSON. */
static void put_plain(struct page *page, struct json_slice value)
{
	char *text;

	if (value.text[0] != '"') {
		page_put(page, value.text, value.len);
		return;
	}
	text = malloc(value.len + 1);
	if (text == NULL) {
		page->failed = true;
		return;
	}
	json_copy_text(value, text, value.len + 1);
	page_value(page, text);
	free(text);
}

static int put_formatted(struct inspect *inspect, struct json_slice whole, struct err *err)
{
	for (size_t i = 0; i < inspect->template->n; i++) {
		const struct template_part *part = &inspect->template->parts[i];
		struct json_slice value = whole;
		int r;

		if (part->kind == TEMPLATE_TEXT) {
			page_text(&inspect->page, part->word);
			continue;
		}
		r = find_field(whole, part->word, &value, err);
		if (r < 0)
			return r;
		if (part->kind == TEMPLATE_JSON)
			page_put(&inspect->page, value.text, value.len);
		else
			put_plain(&inspect->page, value);
	}
	page_text(&inspect->page, "\n");
	return 0;
}

/* ---- the sandboxes ---- */

static int put_look(struct inspect *inspect, struct err *err)
{
	struct json *json = &inspect->document.json;
	struct json_slice whole;
	ssize_t len;
	int r = 0;

	json_init(json, inspect->document.buf, json->size);
	inspect_put(inspect->context, &inspect->look, json);
	len = json_finish(json);
	if (len < 0 || json_read(inspect->document.buf, (size_t)len, &whole) < 0)
		return err_set(err, ERR_SETUP, 0, "sandbox %s: too much to print",
			       inspect->look.id);
	if (inspect->template != NULL)
		r = put_formatted(inspect, whole, err);
	else
		put_element(inspect, inspect->document.buf);
	inspect->n_shown++;
	return r;
}

static int inspect_one(struct inspect *inspect, const char *ref, struct err *err)
{
	struct sandbox sandbox;
	int r = records_find(&inspect->records, ref, &sandbox, err);

	if (r < 0)
		return r;
	sandbox_release(&sandbox);
	if (look_read(&inspect->records, sandbox.id, &inspect->look) == 0)
		return err_set(err, ERR_USAGE, ENOENT, "sandbox %s: was removed meanwhile", ref);
	if (look_is_damaged(&inspect->look)) {
		print_err(&inspect->look.damage);
		inspect->exit_code = EXIT_CORDON;
	}
	r = put_look(inspect, err);
	look_release(&inspect->look);
	return r;
}

static int inspect_all(struct inspect *inspect, char *const *refs)
{
	for (; *refs != NULL; refs++) {
		struct err err = {0};

		if (inspect_one(inspect, *refs, &err) >= 0)
			continue;
		print_err(&err);
		inspect->exit_code = EXIT_CORDON;
	}
	if (inspect->template == NULL)
		page_text(&inspect->page, inspect->n_shown > 0 ? "\n]\n" : "[]\n");
	return page_print(&inspect->page, inspect->exit_code);
}

/* ---- the command ---- */

static int check_template(const struct template *template, const char *known, struct err *err)
{
	for (size_t i = 0; i < template->n; i++)
		if (template->parts[i].kind == TEMPLATE_LABEL)
			return template_refuse("{{.Label}}", known, err);
	if (template->is_table)
		return template_refuse("table", known, err);
	return 0;
}

static int read_options(char **argv, struct list_options *options, struct template *template,
			struct err *err)
{
	static const char known[] = "{{.state}}, {{.result.exit_code}} and the other fields of "
				    "docs/JSON.md, {{json .FIELD}} and {{json .}}";
	int r = list_options_parse("inspect", OPTION_INSPECT, argv, options, err);

	if (r < 0 || options->help)
		return r;
	if (options->n_words == 0) {
		err_set(err, ERR_USAGE, 0, "inspect wants a sandbox");
		return err_hint(err, "cordon inspect SANDBOX...; `cordon ps -a` lists them.");
	}
	if (options->format == NULL || str_equal(options->format, "json"))
		return 0;
	if (options->json)
		return err_set(err, ERR_USAGE, 0, "--json and --format are two forms: choose one");
	r = template_read(options->format, known, template, err);
	return r < 0 ? r : check_template(template, known, err);
}

int cmd_inspect(const struct cmd_context *context, int argc, char **argv)
{
	struct inspect *inspect;
	struct list_options options;
	struct template template = {.n = 0};
	struct err err = {0};
	int exit_code = EXIT_CORDON;

	(void)argc;
	if (read_options(argv + 1, &options, &template, &err) < 0) {
		print_err(&err);
		return EXIT_CORDON;
	}
	if (options.help)
		return command_print_help_of("inspect");
	inspect = calloc(1, sizeof(*inspect));
	if (inspect == NULL || document_alloc(&inspect->document) < 0) {
		free(inspect);
		return EXIT_CORDON;
	}
	inspect->context = context;
	inspect->template = template.n > 0 ? &template : NULL;
	if (kept_open(context, false, &inspect->records) == 0) {
		exit_code = inspect_all(inspect, options.words);
		records_release(&inspect->records);
	}
	document_free(&inspect->document);
	free(inspect);
	return exit_code;
}
