/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See record.h. Runs in commands and in keepers, as the record's owner. */
#include "records/record.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/str.h"

/* ---- writing ---- */

static void put_list(struct fields_writer *writer, const char *key, const char *const *list)
{
	for (; list != NULL && *list != NULL; list++)
		fields_put(writer, key, *list);
}

/* Each flag is two fields: its name, and its text as it was typed. */
static void put_flags(struct fields_writer *writer, const struct policy_request *policy)
{
	for (size_t i = 0; i < policy->n_flags; i++) {
		fields_put(writer, "flag", policy_flag_name(policy->flags[i].kind));
		fields_put(writer, "flag_text", policy->flags[i].text);
	}
}

static void put_files(struct fields_writer *writer, const struct policy_files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		const struct policy_file *file = &files->list[i];

		fields_put(writer, "file", file->ref);
		fields_put(writer, "file_relative_to", file->relative_to);
		fields_put(writer, "file_path", file->path);
		fields_put(writer, "file_dir", file->dir);
		fields_put_bytes(writer, "file_text", file->text, file->len);
	}
}

int record_text(const struct record *record, struct fields_writer *writer)
{
	const struct run_request *request = &record->request;

	fields_begin(writer, "record", RECORD_FORMAT);
	fields_put(writer, "id", record->id);
	if (record->name[0] != '\0')
		fields_put(writer, "name", record->name);
	fields_put_number(writer, "created_ms", record->created_ms);
	fields_put_number(writer, "id_block", record->id_block);
	fields_put_number(writer, "removes_itself", record->removes_itself);
	fields_put(writer, "rootfs", record->rootfs);
	fields_put(writer, "restart", record->restart);
	put_list(writer, "label", record->labels);
	fields_put(writer, "cwd", record->cwd);
	if (request->home != NULL)
		fields_put(writer, "home", request->home);
	if (request->cgroup_parent != NULL)
		fields_put(writer, "cgroup_parent", request->cgroup_parent);
	if (request->policy.profile != NULL)
		fields_put(writer, "profile", request->policy.profile);
	if (request->keeps_stdin)
		fields_put_number(writer, "stdin", 1);
	if (request->keeps_terminal)
		fields_put_number(writer, "terminal", 1);
	if (request->image_id != NULL)
		fields_put(writer, "image_id", request->image_id);
	if (request->policy.entrypoint != NULL)
		fields_put(writer, "entrypoint", request->policy.entrypoint);
	put_list(writer, "arg", request->policy.argv);
	if (request->image_id != NULL)
		put_list(writer, "command", record->command);
	put_list(writer, "environment", request->environment);
	put_flags(writer, &request->policy);
	put_files(writer, &record->files);
	return fields_finish(writer);
}

/* ---- reading ---- */

/* Room for every list that the fields can hold. */
struct lists {
	const char **argv;
	const char **environment;
	const char **labels;
	const char **command;
	struct policy_flag *flags;
	size_t n_argv, n_environment, n_labels, n_command, n_flags;
};

static const char *text_or_null(const struct fields *fields, const char *key)
{
	for (size_t i = 0; i < fields->n; i++)
		if (str_equal(fields->list[i].key, key))
			return fields->list[i].value;
	return NULL;
}

static bool take_flag_kind(struct lists *lists, const char *name)
{
	for (int kind = 0; policy_flag_name((enum policy_flag_kind)kind)[0] != '\0'; kind++) {
		if (!str_equal(policy_flag_name((enum policy_flag_kind)kind), name))
			continue;
		lists->flags[lists->n_flags].kind = (enum policy_flag_kind)kind;
		lists->flags[lists->n_flags++].text = "";
		return true;
	}
	return false;
}

static bool take_file_part(struct policy_files *files, const struct field *field)
{
	struct policy_file *file;

	if (str_equal(field->key, "file")) {
		if (files->n == POLICY_FILES_MAX)
			return false;
		files->list[files->n++] = (struct policy_file){
			.ref = field->value, .relative_to = "", .path = "", .dir = "", .text = ""};
		return true;
	}
	if (files->n == 0)
		return false;
	file = &files->list[files->n - 1];
	if (str_equal(field->key, "file_relative_to"))
		file->relative_to = field->value;
	else if (str_equal(field->key, "file_path"))
		file->path = field->value;
	else if (str_equal(field->key, "file_dir"))
		file->dir = field->value;
	else if (str_equal(field->key, "file_text")) {
		file->text = field->value;
		file->len = field->len;
	}
	return true;
}

/* One field of those that are lists. False: it does not fit what stands before it. */
static bool take_field(struct record *record, struct lists *lists, const struct field *field)
{
	if (str_equal(field->key, "arg"))
		lists->argv[lists->n_argv++] = field->value;
	else if (str_equal(field->key, "environment"))
		lists->environment[lists->n_environment++] = field->value;
	else if (str_equal(field->key, "label"))
		lists->labels[lists->n_labels++] = field->value;
	else if (str_equal(field->key, "command"))
		lists->command[lists->n_command++] = field->value;
	else if (str_equal(field->key, "flag"))
		return take_flag_kind(lists, field->value);
	else if (str_equal(field->key, "flag_text") && lists->n_flags == 0)
		return false;
	else if (str_equal(field->key, "flag_text"))
		lists->flags[lists->n_flags - 1].text = field->value;
	else if (str_has_prefix(field->key, "file"))
		return take_file_part(&record->files, field);
	return true;
}

static int take_lists(struct record *record, const struct fields *fields)
{
	/* Five lists, each as long as all fields, with a NULL behind it. */
	size_t room = fields->n + 1;
	struct lists lists = {0};
	char *memory = calloc(room, 4 * sizeof(lists.argv[0]) + sizeof(lists.flags[0]));

	if (memory == NULL)
		return -ENOMEM;
	record->memory = memory;
	/* calloc's memory is aligned for any type, and so are its parts: pointers and structs of
	 * them. */
	lists.flags = (void *)memory;
	lists.argv = (void *)(memory + room * sizeof(struct policy_flag));
	lists.environment = lists.argv + room;
	lists.labels = lists.environment + room;
	lists.command = lists.labels + room;
	for (size_t i = 0; i < fields->n; i++)
		if (!take_field(record, &lists, &fields->list[i]))
			return -EBADMSG;
	record->request.policy.argv = lists.argv;
	record->request.policy.flags = lists.flags;
	record->request.policy.n_flags = lists.n_flags;
	record->request.environment = lists.environment;
	record->labels = lists.labels;
	record->command = lists.n_command > 0 ? lists.command : lists.argv;
	return 0;
}

static int take_numbers(struct record *record, const struct fields *fields)
{
	int64_t block = fields_number(fields, "id_block", -1);
	const char *name = fields_text(fields, "name");

	record->created_ms = fields_number(fields, "created_ms", -1);
	record->removes_itself = fields_number(fields, "removes_itself", 0) != 0;
	if (record->created_ms < 0 || block < 0 || block > UINT32_MAX ||
	    (name[0] != '\0' && !records_is_name(name)))
		return -EBADMSG;
	record->id_block = (uint32_t)block;
	str_format(record->name, sizeof(record->name), "%s", name);
	return 0;
}

int record_take(struct fields *fields, const char *id, struct record *ret)
{
	struct record record = {.fields = *fields};
	int r;

	*fields = (struct fields){0};
	str_format(record.id, sizeof(record.id), "%s", id);
	record.cwd = fields_text(&record.fields, "cwd");
	record.rootfs = fields_text(&record.fields, "rootfs");
	record.restart = fields_text(&record.fields, "restart");
	record.request.keeps_stdin = fields_number(&record.fields, "stdin", 0) != 0;
	record.request.keeps_terminal = fields_number(&record.fields, "terminal", 0) != 0;
	record.request.home = text_or_null(&record.fields, "home");
	record.request.cgroup_parent = text_or_null(&record.fields, "cgroup_parent");
	record.request.policy.profile = text_or_null(&record.fields, "profile");
	record.request.policy.entrypoint = text_or_null(&record.fields, "entrypoint");
	record.request.image_id = text_or_null(&record.fields, "image_id");
	r = take_numbers(&record, &record.fields);
	if (r == 0)
		r = take_lists(&record, &record.fields);
	if (r == 0 && !str_equal(fields_text(&record.fields, "id"), record.id))
		r = -EBADMSG;
	if (r < 0)
		record_free(&record);
	else
		*ret = record;
	return r;
}

int record_read(const struct records *records, const struct sandbox *sandbox, struct record *ret,
		struct err *err)
{
	char path[RECORDS_PATH_MAX + 16];
	struct fields fields;
	size_t len;
	int r;

	records_path(records, sandbox->id, sandbox->is_kept, path, sizeof(path));
	len = strlen(path);
	str_format(path + len, sizeof(path) - len, "/record");
	r = fields_read(sandbox->dir_fd, "record", "record", RECORD_FORMAT, path, &fields, err);
	if (r < 0)
		return r;
	r = record_take(&fields, sandbox->id, ret);
	if (r < 0) {
		err_set(err, ERR_SETUP, -r, "%s: is damaged", path);
		return err_hint(err, "`cordon rm -f %s` removes the sandbox.", sandbox->id);
	}
	ret->request.files = &ret->files;
	return 0;
}

void record_free(struct record *record)
{
	fields_free(&record->fields);
	free(record->memory);
	*record = (struct record){0};
}

void record_read_name(const struct sandbox *sandbox, char *buf, size_t size)
{
	struct fields fields;
	struct err err;

	buf[0] = '\0';
	if (fields_read(sandbox->dir_fd, "record", "record", RECORD_FORMAT, "", &fields, &err) < 0)
		return;
	str_format(buf, size, "%s", fields_text(&fields, "name"));
	fields_free(&fields);
}

int64_t record_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void record_keep(struct run_request *request)
{
	request->is_kept = true;
	request->keeps_output = true;
	request->counts_usage = true;
	request->wants_pause = true;
	memset(request->fds_closed, 0, sizeof(request->fds_closed));
}
