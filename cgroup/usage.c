/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a sandbox used, read from the files of its groups. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/str.h"
#include "cgroup/cgroup.h"

enum { TEXT_MAX_BYTES = 8192 };

/* As the table says it. */
enum { NOW = CGROUP_NOW, TOTALS = CGROUP_TOTALS, BOTH = NOW | TOTALS };

/* Files of one number, or of lines "NAME NUMBER". */
static const struct usage_row {
	enum cgroup_controller controller;
	enum cgroup_version version;
	const char *file;
	const char *name;  /* NULL: the file is the number */
	size_t place;      /* in struct cgroup_usage */
	int64_t divide_by; /* the file has smaller units than ours */
	unsigned parts;    /* of what is asked for */
} rows[] = {
#define TO(member) offsetof(struct cgroup_usage, member)
	{CGROUP_MEMORY, CGROUP_V1, "memory.usage_in_bytes", NULL, TO(memory_bytes), 1, NOW},
	{CGROUP_MEMORY, CGROUP_V1, "memory.max_usage_in_bytes", NULL, TO(memory_peak_bytes), 1,
	 TOTALS},
	{CGROUP_MEMORY, CGROUP_V1, "memory.stat", "swap", TO(swap_bytes), 1, NOW},
	{CGROUP_MEMORY, CGROUP_V1, "memory.oom_control", "oom_kill", TO(oom_kills), 1, TOTALS},
	{CGROUP_MEMORY, CGROUP_V2, "memory.current", NULL, TO(memory_bytes), 1, NOW},
	{CGROUP_MEMORY, CGROUP_V2, "memory.peak", NULL, TO(memory_peak_bytes), 1, TOTALS},
	{CGROUP_MEMORY, CGROUP_V2, "memory.swap.current", NULL, TO(swap_bytes), 1, NOW},
	{CGROUP_MEMORY, CGROUP_V2, "memory.events", "oom_kill", TO(oom_kills), 1, TOTALS},
	{CGROUP_MEMORY, CGROUP_V2, "memory.events", "oom", TO(memory_limit_hits), 1, TOTALS},
	{CGROUP_PIDS, CGROUP_V1, "pids.current", NULL, TO(pids), 1, NOW},
	{CGROUP_PIDS, CGROUP_V1, "pids.peak", NULL, TO(pids_peak), 1, TOTALS},
	{CGROUP_PIDS, CGROUP_V1, "pids.events", "max", TO(pids_refused), 1, TOTALS},
	{CGROUP_PIDS, CGROUP_V2, "pids.current", NULL, TO(pids), 1, NOW},
	{CGROUP_PIDS, CGROUP_V2, "pids.peak", NULL, TO(pids_peak), 1, TOTALS},
	{CGROUP_PIDS, CGROUP_V2, "pids.events", "max", TO(pids_refused), 1, TOTALS},
	{CGROUP_CPUACCT, CGROUP_V1, "cpuacct.usage", NULL, TO(cpu_us), 1000, BOTH},
	{CGROUP_CPUACCT, CGROUP_V1, "cpuacct.usage_user", NULL, TO(cpu_user_us), 1000, TOTALS},
	{CGROUP_CPUACCT, CGROUP_V1, "cpuacct.usage_sys", NULL, TO(cpu_system_us), 1000, TOTALS},
	{CGROUP_CPUACCT, CGROUP_V2, "cpu.stat", "usage_usec", TO(cpu_us), 1, BOTH},
	{CGROUP_CPUACCT, CGROUP_V2, "cpu.stat", "user_usec", TO(cpu_user_us), 1, TOTALS},
	{CGROUP_CPUACCT, CGROUP_V2, "cpu.stat", "system_usec", TO(cpu_system_us), 1, TOTALS},
#undef TO
};

static int64_t to_number(const char *text)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);

	return end == text || value > INT64_MAX ? CGROUP_UNKNOWN : (int64_t)value;
}

/* The number behind a name at the beginning of a line. */
static int64_t named_number(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = text; *line != '\0';
	     line += strcspn(line, "\n"), line += *line == '\n')
		if (strncmp(line, name, len) == 0 && line[len] == ' ')
			return to_number(line + len + 1);
	return CGROUP_UNKNOWN;
}

/* What a file said last: rows of the same one stand together. */
struct last_file {
	const char *file;
	bool is_known;
	char text[TEXT_MAX_BYTES];
};

static int64_t read_row(const struct cgroup_place *place, const struct usage_row *row,
			struct last_file *last)
{
	const char *text = last->text;
	int64_t value;

	if (last->file == NULL || !str_equal(last->file, row->file)) {
		last->file = row->file;
		last->is_known =
			io_read_text(place->dir_fd, row->file, last->text, sizeof(last->text)) >= 0;
	}
	if (!last->is_known)
		return CGROUP_UNKNOWN;
	value = row->name == NULL ? to_number(text) : named_number(text, row->name);
	return value < 0 ? CGROUP_UNKNOWN : value / row->divide_by;
}

/* Sums of the numbers behind "Read"/"rbytes=", over all devices. */
static int64_t sum_behind(const char *text, const char *word)
{
	int64_t sum = 0;

	for (const char *p = strstr(text, word); p != NULL; p = strstr(p + 1, word)) {
		int64_t value = to_number(p + strlen(word));

		if (value > 0 && __builtin_add_overflow(sum, value, &sum))
			return INT64_MAX;
	}
	return sum;
}

static void read_io(const struct cgroup_place *place, struct cgroup_usage *ret)
{
	bool is_v1 = place->version == CGROUP_V1;
	char text[TEXT_MAX_BYTES];

	if (io_read_text(place->dir_fd, is_v1 ? "blkio.throttle.io_service_bytes" : "io.stat", text,
			 sizeof(text)) < 0)
		return;
	ret->io_read_bytes = sum_behind(text, is_v1 ? " Read " : " rbytes=");
	ret->io_write_bytes = sum_behind(text, is_v1 ? " Write " : " wbytes=");
}

void cgroup_read_usage(const struct cgroup *group, unsigned parts, struct cgroup_usage *ret)
{
	memset(ret, 0xff, sizeof(*ret)); /* CGROUP_UNKNOWN everywhere */
	for (size_t i = 0; i < group->n; i++) {
		const struct cgroup_place *place = &group->places[i];
		struct last_file last = {0};

		for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
			int64_t value;

			if (rows[k].version != place->version ||
			    (place->controllers & 1U << rows[k].controller) == 0 ||
			    (rows[k].parts & parts) == 0)
				continue;
			value = read_row(place, &rows[k], &last);
			memcpy((char *)ret + rows[k].place, &value, sizeof(value));
		}
		if ((place->controllers & 1U << CGROUP_IO) != 0)
			read_io(place, ret);
	}
}

/* v1 has the largest number of whole pages where v2 has "max". */
static int64_t read_bound(const struct cgroup_place *place, const char *file)
{
	char text[64];
	int64_t value;

	if (io_read_text(place->dir_fd, file, text, sizeof(text)) < 0)
		return CGROUP_UNKNOWN;
	value = str_has_prefix(text, "max") ? CGROUP_UNLIMITED : to_number(text);
	return value > CGROUP_UNLIMITED / 2 ? CGROUP_UNLIMITED : value;
}

struct cgroup_bounds cgroup_read_bounds(const struct cgroup *group)
{
	struct cgroup_bounds bounds = {CGROUP_UNKNOWN, CGROUP_UNKNOWN};

	for (size_t i = 0; i < group->n; i++) {
		const struct cgroup_place *place = &group->places[i];

		if ((place->controllers & 1U << CGROUP_MEMORY) != 0)
			bounds.memory_bytes = read_bound(place, place->version == CGROUP_V1
									? "memory.limit_in_bytes"
									: "memory.max");
		if ((place->controllers & 1U << CGROUP_PIDS) != 0)
			bounds.pids = read_bound(place, "pids.max");
	}
	return bounds;
}

int64_t cgroup_read_cpu_us(const struct cgroup *group)
{
	struct last_file last = {0};

	for (size_t i = 0; i < group->n; i++)
		for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++)
			if (rows[k].version == group->places[i].version &&
			    rows[k].place == offsetof(struct cgroup_usage, cpu_us) &&
			    (group->places[i].controllers & 1U << CGROUP_CPUACCT) != 0)
				return read_row(&group->places[i], &rows[k], &last);
	return CGROUP_UNKNOWN;
}
