/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See ps.h: what is printed of the rows. Values are those of records and may be anything: none of
 * them drives the terminal, or looks like two. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cmd/look_json.h"
#include "cmd/ps.h"
#include "cmd/ps_line.h"
#include "cmd/table.h"

enum { SHORT_ID = 12, SHORT_COMMAND = 20, CELL_MAX = 256 };

const char ps_known[] = "{{.ID}}, {{.Names}}, {{.Image}}, {{.Command}}, {{.CreatedAt}}, "
			"{{.RunningFor}}, {{.Ports}}, {{.Status}}, {{.State}}, {{.Labels}}, "
			"{{.Label \"NAME\"}}, "
			"{{json .FIELD}} and {{json .}}";
const char ps_default_format[] = "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t"
				 "{{.Status}}\t{{.Ports}}\t{{.Names}}";

/* ---- values ---- */

void ps_cut(struct page *page, const char *text, size_t columns)
{
	char buf[CELL_MAX];

	if (table_width(text) <= columns)
		page_text(page, text);
	else
		page_put(page, buf, table_cut(text, columns, buf, sizeof(buf)));
}

void ps_put_id(const struct ps_list *list, const struct ps_row *row, struct page *page)
{
	page_format(page, "%.*s", list->no_trunc ? RUN_ID_LEN : SHORT_ID, row->id);
}

static void put_names(const struct ps_list *list, const struct ps_row *row, struct page *page)
{
	(void)list;
	page_text(page, row->record.name);
}

/* An image has its name; other roots say what they are. */
static const char *image_of(const struct record *record)
{
	static const char prefix[] = "image:";

	return record->rootfs + (str_has_prefix(record->rootfs, prefix) ? strlen(prefix) : 0);
}

static void put_image(const struct ps_list *list, const struct ps_row *row, struct page *page)
{
	(void)list;
	page_text(page, row->has_record ? image_of(&row->record) : "");
}

static void put_command(const struct ps_list *list, const struct ps_row *row, struct page *page)
{
	const char *const *argv = row->has_record ? row->record.command : NULL;
	struct page whole = {0}, shown = {0};

	for (size_t i = 0; argv != NULL && argv[i] != NULL; i++) {
		page_text(&whole, i > 0 ? " " : "");
		page_text(&whole, argv[i]);
	}
	/* Harmless first: what is cut through the middle of a character is one no more. */
	page_value(&shown, page_string(&whole));
	page_text(page, "\"");
	ps_cut(page, page_string(&shown), list->no_trunc ? SIZE_MAX : SHORT_COMMAND);
	page_text(page, "\"");
	page->failed |= whole.failed || shown.failed;
	page_free(&whole);
	page_free(&shown);
}

static void put_created_at(const struct ps_list *list, const struct ps_row *row, struct page *page)
{
	char text[64];

	(void)list;
	if (!row->has_record)
		return;
	look_date(row->record.created_ms, text, sizeof(text));
	page_text(page, text);
}

static void put_running_for(const struct ps_list *list, const struct ps_row *row, struct page *page)
{
	char text[64];

	if (!row->has_record)
		return;
	look_duration(list->now_ms - row->record.created_ms, text, sizeof(text));
	page_format(page, "%s ago", text);
}

static void put_status(const struct ps_list *list, const struct ps_row *row, struct page *page)
{
	(void)list;
	page_text(page, row->status);
}

static void put_state(const struct ps_list *list, const struct ps_row *row, struct page *page)
{
	(void)list;
	page_text(page, row->state);
}

static void put_ports(const struct ps_list *list, const struct ps_row *row, struct page *page)
{
	if (row->run_id[0] != '\0')
		ports_put_text(&list->ports, row->run_id, page);
}

static void put_labels(const struct ps_list *list, const struct ps_row *row, struct page *page)
{
	(void)list;
	for (size_t i = 0; row->has_record && row->record.labels[i] != NULL; i++) {
		page_text(page, i > 0 ? "," : "");
		page_text(page, row->record.labels[i]);
	}
}

/* In the order of {{json .}}. */
static const struct ps_field {
	const char *name;
	const char *heading;
	void (*put)(const struct ps_list *list, const struct ps_row *row, struct page *page);
} fields[] = {
	{"Command", "COMMAND", put_command},
	{"CreatedAt", "CREATED AT", put_created_at},
	{"ID", "ID", ps_put_id},
	{"Image", "IMAGE", put_image},
	{"Labels", "LABELS", put_labels},
	{"Names", "NAMES", put_names},
	{"Ports", "PORTS", put_ports},
	{"RunningFor", "CREATED", put_running_for},
	{"State", "STATE", put_state},
	{"Status", "STATUS", put_status},
};
enum { N_FIELDS = sizeof(fields) / sizeof(fields[0]) };

static const struct ps_field *find_field(const char *name)
{
	for (size_t i = 0; i < N_FIELDS; i++)
		if (str_equal(fields[i].name, name))
			return &fields[i];
	return NULL;
}

int ps_check_template(const struct template *template, struct err *err)
{
	for (size_t i = 0; i < template->n; i++) {
		const struct template_part *part = &template->parts[i];
		char action[128];

		if (part->kind == TEMPLATE_TEXT || part->kind == TEMPLATE_LABEL ||
		    (part->kind == TEMPLATE_JSON && part->word[0] == '\0') ||
		    find_field(part->word) != NULL)
			continue;
		str_format(action, sizeof(action), "{{%s.%s}}",
			   part->kind == TEMPLATE_JSON ? "json " : "", part->word);
		return template_refuse(action, ps_known, err);
	}
	return 0;
}

/* "" where there is none. */
static const char *find_label(const struct ps_row *row, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; row->has_record && row->record.labels[i] != NULL; i++) {
		const char *label = row->record.labels[i];

		if (strncmp(label, name, len) == 0 && label[len] == '=')
			return label + len + 1;
	}
	return "";
}

/* ---- a line ---- */

static void put_field_json(struct ps_line *line, const struct ps_row *row,
			   const struct ps_field *field, const char *name)
{
	struct page value = {0};

	if (field == NULL)
		return; /* no template names one that is not there */
	field->put(line->list, row, &value);
	json_text(&line->document.json, name, page_string(&value));
	line->page.failed |= value.failed;
	page_free(&value);
}

/* Of one field, or of all: an object. */
static void put_json(struct ps_line *line, const struct ps_row *row, const char *word)
{
	struct json *json = &line->document.json;
	ssize_t len;

	json_init(json, line->document.buf, json->size);
	if (word[0] != '\0') {
		put_field_json(line, row, find_field(word), NULL);
	} else {
		json_open(json, NULL, '{');
		for (size_t i = 0; i < N_FIELDS; i++)
			put_field_json(line, row, &fields[i], fields[i].name);
		json_close(json, '}');
	}
	len = json_finish(json);
	if (len >= 0)
		page_put(&line->page, line->document.buf, (size_t)len);
	else
		line->page.failed = true;
}

static void put_part(struct ps_line *line, const struct ps_row *row,
		     const struct template_part *part)
{
	const struct ps_field *field;
	struct page value = {0};

	switch (part->kind) {
	case TEMPLATE_TEXT:
		page_text(&line->page, part->word);
		return;
	case TEMPLATE_JSON:
		put_json(line, row, part->word);
		return;
	case TEMPLATE_LABEL:
		page_value(&line->page, find_label(row, part->word));
		return;
	case TEMPLATE_FIELD:
		field = find_field(part->word);
		if (field != NULL) /* the template was checked */
			field->put(line->list, row, &value);
		page_value(&line->page, page_string(&value));
		line->page.failed |= value.failed;
		page_free(&value);
		return;
	}
}

int ps_line_begin(struct ps_line *line, const struct ps_list *list)
{
	*line = (struct ps_line){.list = list};
	return document_alloc(&line->document);
}

void ps_line_end(struct ps_line *line)
{
	page_free(&line->page);
	document_free(&line->document);
}

void ps_line_put(struct ps_line *line, const struct ps_row *row, const struct template *template)
{
	for (size_t i = 0; i < template->n; i++)
		put_part(line, row, &template->parts[i]);
}

void ps_line_put_headings(struct ps_line *line, const struct template *template)
{
	for (size_t i = 0; i < template->n; i++) {
		const struct template_part *part = &template->parts[i];
		const struct ps_field *field = find_field(part->word);

		if (part->kind == TEMPLATE_TEXT || part->kind == TEMPLATE_LABEL)
			page_text(&line->page, part->word);
		else
			page_text(&line->page, field != NULL ? field->heading : "JSON");
	}
}

int ps_print_ids(const struct ps_list *list, int exit_code)
{
	struct page page = {0};

	for (size_t i = 0; i < list->n; i++) {
		ps_put_id(list, list->rows[i], &page);
		page_text(&page, "\n");
	}
	return page_print(&page, exit_code);
}

int ps_print_lines(const struct ps_list *list, const struct template *template, int exit_code)
{
	struct ps_line line;

	if (ps_line_begin(&line, list) < 0)
		return EXIT_CORDON;
	for (size_t i = 0; i < list->n; i++) {
		ps_line_put(&line, list->rows[i], template);
		page_text(&line.page, "\n");
	}
	exit_code = page_print(&line.page, exit_code);
	ps_line_end(&line);
	return exit_code;
}

/* ---- --json ---- */

static void put_record(struct json *json, const struct ps_row *row)
{
	const struct record *record = row->has_record ? &row->record : NULL;

	json_text(json, "name", record != NULL && record->name[0] != '\0' ? record->name : NULL);
	json_text(json, "rootfs", record != NULL ? record->rootfs : NULL);
	look_put_command(json, record);
	look_put_labels(json, record);
	json_text(json, "restart", record != NULL ? record->restart : NULL);
	look_put_time(json, "created_at", record != NULL ? record->created_ms : RESULT_NONE);
}

static void put_row(struct json *json, const struct ps_list *list, const struct ps_row *row)
{
	json_open(json, NULL, '{');
	json_text(json, "id", row->id);
	json_text(json, "state", row->state);
	json_text(json, "status", row->status);
	look_put_number(json, "exit_code", row->exit_code);
	json_text(json, "reason", row->reason[0] != '\0' ? row->reason : NULL);
	look_put_number(json, "restarts", row->restarts);
	look_put_time(json, "started_at", row->started_ms);
	look_put_time(json, "finished_at", row->finished_ms);
	ports_put_json(&list->ports, row->run_id, json);
	put_record(json, row);
	json_close(json, '}');
}

int ps_print_json(const struct ps_list *list, int exit_code)
{
	struct document document;

	if (document_begin(&document, "cordon.ps/1") < 0)
		return EXIT_CORDON;
	json_open(&document.json, "sandboxes", '[');
	for (size_t i = 0; i < list->n; i++)
		put_row(&document.json, list, list->rows[i]);
	json_close(&document.json, ']');
	return document_end(&document, exit_code);
}

char *ps_line_make(struct ps_line *line, const struct ps_row *row, const struct template *template)
{
	char *text;

	line->page.len = 0;
	if (row != NULL)
		ps_line_put(line, row, template);
	else
		ps_line_put_headings(line, template);
	text = strdup(line->page.len > 0 ? line->page.text : "");
	line->page.failed |= text == NULL;
	return text;
}
