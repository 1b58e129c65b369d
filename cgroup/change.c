/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Other limits for groups that are in use. Runs in `cordon update`, as their owner. What the files
 * said before is kept until all is done, and written back after a failure.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "cgroup/table.h"

enum {
	ROWS_MAX = 24,
	MEMORY_BITS = 1U << LIMIT_MEMORY | 1U << LIMIT_SWAP,
	FILE_MAX_BYTES = 8 << 10, /* io has a line for each block device */
};

/* ---- what there is ---- */

static bool has_row(const struct cgroup_place *place, const struct cgroup_limit_row *row)
{
	return row->version == place->version &&
	       (place->controllers & 1U << cgroup_controller_of(row->limit)) != 0;
}

void cgroup_widen(struct cgroup *group)
{
	for (size_t i = 0; i < group->n; i++) {
		struct cgroup_place *place = &group->places[i];

		for (size_t k = 0; k < cgroup_n_limit_rows; k++) {
			const struct cgroup_limit_row *row = &cgroup_limit_rows[k];

			if (row->version == place->version &&
			    faccessat(place->dir_fd, row->file, W_OK, 0) == 0)
				place->controllers |= 1U << cgroup_controller_of(row->limit);
		}
	}
}

bool cgroup_can_limit(const struct cgroup *group, enum spec_limit limit)
{
	enum cgroup_controller controller = cgroup_controller_of(limit);

	for (size_t i = 0; controller < CGROUP_CONTROLLERS && i < group->n; i++)
		if ((group->places[i].controllers & 1U << controller) != 0)
			return true;
	return false;
}

/* ---- what is in force ---- */

/* Values that stand for none. */
static struct spec_limits fill_in(const struct spec_limits *spec)
{
	struct spec_limits filled = *spec;

	if (spec->total[LIMIT_MEMORY].demand == DEMAND_NONE)
		filled.total[LIMIT_MEMORY].value = INT64_MAX;
	if (spec->total[LIMIT_SWAP].demand == DEMAND_NONE)
		filled.total[LIMIT_SWAP].value = INT64_MAX;
	if (spec->total[LIMIT_CPU_WEIGHT].demand == DEMAND_NONE)
		filled.total[LIMIT_CPU_WEIGHT].value = SPEC_USUAL_WEIGHT;
	return filled;
}

/* The first number of a limit's file; what is none is more than any. */
static uint64_t first_number(const char *text)
{
	char number[24];
	uint64_t value;

	str_format(number, sizeof(number), "%.*s", (int)strcspn(text, " \n"), text);
	return parse_u64(number, &value) < 0 || value > INT64_MAX / 2 ? UINT64_MAX : value;
}

/* Processors that are not among those of now. A group of v2 without a list has its parent's. */
static bool adds_processors(const char *wanted, const char *current)
{
	uint64_t after[SPEC_CPUS_MAX / 64] = {0}, before[SPEC_CPUS_MAX / 64] = {0};

	if (current[0] == '\0' || parse_cpu_list(current, before, SPEC_CPUS_MAX) < 0 ||
	    parse_cpu_list(wanted, after, SPEC_CPUS_MAX) < 0)
		return false;
	for (size_t i = 0; i < SPEC_CPUS_MAX / 64; i++)
		if ((after[i] & ~before[i]) != 0)
			return true;
	return false;
}

/* The bytes of one line of a file that has one for each device. */
static uint64_t device_bytes(const struct cgroup_limit_row *row, const char *line)
{
	const char *word = row->version == CGROUP_V1     ? " "
			   : row->limit == LIMIT_IO_READ ? " rbps="
							 : " wbps=";
	const char *at = strstr(line, word);

	return at != NULL && at < line + strcspn(line, "\n") ? first_number(at + strlen(word))
							     : UINT64_MAX;
}

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return line + (*line == '\n');
}

/* > 0: what is wanted is more than what the file says, < 0: less, 0: the same, or not known. */
static int compare(const struct cgroup_place *place, const struct cgroup_limit_row *row,
		   const struct spec_limits *wanted, uint32_t extra_tasks)
{
	char text[FILE_MAX_BYTES], value[CGROUP_VALUE_MAX];
	uint64_t after, before;

	if (io_read_text(place->dir_fd, row->file, text, sizeof(text)) < 0)
		return 0;
	if (row->format == NULL) {
		for (const char *line = text; *line != '\0'; line = next_line(line))
			if (device_bytes(row, line) < wanted->total[row->limit].value)
				return 1;
		return 0;
	}
	row->format(wanted, extra_tasks, value, sizeof(value));
	io_chomp(text);
	if (row->limit == LIMIT_CPUSET)
		return adds_processors(value, text);
	after = first_number(value);
	before = first_number(text);
	return after == before ? 0 : after > before ? 1 : -1;
}

static int compare_limit(const struct cgroup *group, const struct spec_limits *wanted,
			 enum spec_limit limit, uint32_t extra_tasks)
{
	int result = 0;

	for (size_t i = 0; i < group->n; i++)
		for (size_t k = 0; result <= 0 && k < cgroup_n_limit_rows; k++) {
			const struct cgroup_limit_row *row = &cgroup_limit_rows[k];
			int r = row->limit == limit && has_row(&group->places[i], row)
					? compare(&group->places[i], row, wanted, extra_tasks)
					: 0;

			result = r != 0 ? r : result;
		}
	return result;
}

bool cgroup_would_loosen(const struct cgroup *group, const struct spec_limits *spec,
			 enum spec_limit limit, uint32_t extra_tasks)
{
	struct spec_limits wanted = fill_in(spec);
	bool is_memory = (MEMORY_BITS & 1U << limit) != 0;
	int result;

	if (!is_memory && limit != LIMIT_CPU_WEIGHT && spec->total[limit].demand == DEMAND_NONE)
		return true;
	/* Swap goes with memory, and counts where that stays. */
	result = compare_limit(group, &wanted, is_memory ? LIMIT_MEMORY : limit, extra_tasks);
	if (is_memory && result == 0)
		result = compare_limit(group, &wanted, LIMIT_SWAP, extra_tasks);
	return result > 0;
}

/* ---- the way back ---- */

struct saved {
	size_t n;
	struct {
		const struct cgroup_place *place;
		const struct cgroup_limit_row *row;
		char text[FILE_MAX_BYTES];
	} list[ROWS_MAX];
};

static void save(const struct cgroup *group, uint32_t limits, struct saved *ret)
{
	ret->n = 0;
	for (size_t i = 0; i < group->n; i++)
		for (size_t k = 0; k < cgroup_n_limit_rows && ret->n < ROWS_MAX; k++) {
			const struct cgroup_limit_row *row = &cgroup_limit_rows[k];
			const struct cgroup_place *place = &group->places[i];

			if ((limits & 1U << row->limit) == 0 || !has_row(place, row) ||
			    io_read_text(place->dir_fd, row->file, ret->list[ret->n].text,
					 sizeof(ret->list[0].text)) < 0)
				continue;
			ret->list[ret->n].place = place;
			ret->list[ret->n++].row = row;
		}
}

/* "MAJOR:MINOR" and a blank, the same in both lines. */
static bool is_same_device(const char *a, const char *b)
{
	size_t len = strcspn(a, " \n");

	return strncmp(a, b, len) == 0 && b[len] == ' ';
}

/* Each device that has a line gets the one that it had, or none. Returns -errno. */
static int set_devices(const struct cgroup_place *place, const struct cgroup_limit_row *row,
		       const char *had)
{
	const char *none = row->version == CGROUP_V1     ? "0"
			   : row->limit == LIMIT_IO_READ ? "rbps=max"
							 : "wbps=max";
	char text[FILE_MAX_BYTES], value[256];
	ssize_t n = io_read_text(place->dir_fd, row->file, text, sizeof(text));
	int r = n < 0 ? (int)n : 0;

	for (const char *line = text; r == 0 && *line != '\0'; line = next_line(line)) {
		const char *old = had;

		while (*old != '\0' && !is_same_device(line, old))
			old = next_line(old);
		if (*old != '\0')
			str_format(value, sizeof(value), "%.*s", (int)strcspn(old, "\n"), old);
		else
			str_format(value, sizeof(value), "%.*s %s", (int)strcspn(line, " \n"), line,
				   none);
		r = io_write_text(place->dir_fd, row->file, value);
	}
	return r;
}

/* Twice: where one bounds another, the second time there is room. */
static void restore(const struct saved *saved)
{
	for (size_t pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < saved->n; i++) {
			const struct cgroup_place *place = saved->list[i].place;
			const struct cgroup_limit_row *row = saved->list[i].row;
			const char *text = saved->list[i].text;

			ignore_result(row->format == NULL
					      ? set_devices(place, row, text)
					      : io_write_text(place->dir_fd, row->file, text),
				      "the error that is told of came first");
		}
}

/* ---- memory ---- */

static const struct cgroup_place *memory_place(const struct cgroup *group)
{
	for (size_t i = 0; i < group->n; i++)
		if ((group->places[i].controllers & 1U << CGROUP_MEMORY) != 0)
			return &group->places[i];
	return NULL;
}

static int refuse_in_use(const struct spec_limits *spec, struct err *err)
{
	err_set(err, ERR_USAGE, EBUSY,
		"limits.memory: the sandbox uses more than %llu bytes, and they cannot be freed",
		(unsigned long long)spec->total[LIMIT_MEMORY].value);
	err_hint(err, "`cordon stats` shows what it uses. Nothing was changed.");
	return -EBUSY;
}

/*
 * v2 kills at once where memory.max is set below what is used. memory.high frees what can be freed
 * and kills nothing (cgroup-v2.rst, "Memory Interface Files"); it is lifted again when memory.max
 * is in force.
 */
static int free_memory(const struct cgroup_place *place, const struct spec_limits *spec,
		       struct err *err)
{
	uint64_t wanted = spec->total[LIMIT_MEMORY].value, used = 0;
	char text[64];
	int r;

	str_format(text, sizeof(text), "%llu", (unsigned long long)wanted);
	r = io_write_text(place->dir_fd, "memory.high", text);
	if (r == 0 && io_read_text(place->dir_fd, "memory.current", text, sizeof(text)) < 0)
		r = -EIO;
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s/memory.high", place->path);
	io_chomp(text);
	return parse_u64(text, &used) < 0 || used > wanted ? refuse_in_use(spec, err) : 0;
}

static bool counts_swap(const struct cgroup_place *place)
{
	return faccessat(place->dir_fd,
			 place->version == CGROUP_V1 ? "memory.memsw.limit_in_bytes"
						     : "memory.swap.max",
			 F_OK, 0) == 0;
}

static int change_memory_v2(struct cgroup *group, const struct cgroup_place *place,
			    const struct spec_limits *spec, bool is_looser, struct err *err)
{
	uint32_t limits = 1U << LIMIT_MEMORY | (counts_swap(place) ? 1U << LIMIT_SWAP : 0);
	int r = is_looser ? 0 : free_memory(place, spec, err);
	int lifted;

	if (r == 0)
		r = cgroup_limit(group, spec, limits, 0, err);
	/* Also that of one who was killed before this. */
	lifted = io_write_text(place->dir_fd, "memory.high", "max");
	if (r == 0 && lifted < 0)
		r = err_set(err, ERR_SETUP, -lifted, "%s/memory.high", place->path);
	return r;
}

/* v1: memory is not above memory and swap together at any time. */
static int change_memory_v1(struct cgroup *group, const struct cgroup_place *place,
			    const struct spec_limits *spec, bool is_looser, struct err *err)
{
	uint32_t first = 1U << LIMIT_MEMORY, second = counts_swap(place) ? 1U << LIMIT_SWAP : 0;
	int r;

	if (is_looser) {
		first = second;
		second = 1U << LIMIT_MEMORY;
	}
	r = cgroup_limit(group, spec, first, 0, err);
	if (r == 0)
		r = cgroup_limit(group, spec, second, 0, err);
	return r == -EBUSY ? refuse_in_use(spec, err) : r;
}

static int change_memory(struct cgroup *group, const struct spec_limits *spec, bool is_looser,
			 struct err *err)
{
	const struct cgroup_place *place = memory_place(group);

	if (place == NULL)
		return err_set(err, ERR_BUG, 0, "there is no group for memory");
	return place->version == CGROUP_V1 ? change_memory_v1(group, place, spec, is_looser, err)
					   : change_memory_v2(group, place, spec, is_looser, err);
}

/* ---- all of it ---- */

/* What a file says where there is no limit; NULL: it has no word for that. */
static const char *word_for_none(const struct cgroup_limit_row *row)
{
	if (row->limit == LIMIT_PIDS)
		return "max";
	if (row->limit != LIMIT_CPUS)
		return NULL;
	if (row->version == CGROUP_V2)
		return "max 100000";
	return strstr(row->file, "quota") != NULL ? "-1" : NULL;
}

static int lift_row(const struct cgroup_place *place, const struct cgroup_limit_row *row,
		    struct err *err)
{
	const char *word = word_for_none(row);
	int r;

	if (row->format != NULL)
		return word != NULL ? cgroup_set_value(place, row, word, err) : 0;
	r = set_devices(place, row, "");
	return r < 0 ? err_set(err, ERR_SETUP, -r, "limits.%s: lift %s/%s",
			       spec_limit_names[row->limit], place->path, row->file)
		     : 0;
}

static int lift(const struct cgroup *group, enum spec_limit limit, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < group->n; i++)
		for (size_t k = 0; r == 0 && k < cgroup_n_limit_rows; k++)
			if (cgroup_limit_rows[k].limit == limit &&
			    has_row(&group->places[i], &cgroup_limit_rows[k]))
				r = lift_row(&group->places[i], &cgroup_limit_rows[k], err);
	return r;
}

static int change_one(struct cgroup *group, const struct spec_limits *spec, enum spec_limit limit,
		      uint32_t extra_tasks, struct err *err)
{
	if (spec->total[limit].demand != DEMAND_NONE || limit == LIMIT_CPU_WEIGHT)
		return cgroup_limit(group, spec, 1U << limit, extra_tasks, err);
	if (limit != LIMIT_CPUSET)
		return lift(group, limit, err);
	err_set(err, ERR_USAGE, 0, "limits.%s cannot be lifted while the sandbox runs",
		spec_limit_names[limit]);
	return err_hint(err, "Stop it first, or give it another value.");
}

int cgroup_change(struct cgroup *group, const struct spec_limits *spec, uint32_t limits,
		  uint32_t extra_tasks, struct err *err)
{
	bool is_looser = cgroup_would_loosen(group, spec, LIMIT_MEMORY, extra_tasks);
	_cleanup_free_ struct saved *saved = malloc(sizeof(*saved));
	struct spec_limits filled = fill_in(spec);
	int r = 0;

	if (saved == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "limits");
	if ((limits & MEMORY_BITS) != 0)
		limits |= MEMORY_BITS;
	save(group, limits, saved);
	if ((limits & MEMORY_BITS) != 0)
		r = change_memory(group, &filled, is_looser, err);
	for (enum spec_limit limit = 0; r == 0 && limit < SPEC_LIMITS; limit++)
		if ((limits & 1U << limit) != 0 && (MEMORY_BITS >> limit & 1) == 0)
			r = change_one(group, &filled, limit, extra_tasks, err);
	if (r < 0)
		restore(saved);
	return r;
}

/* ---- what was changed ---- */

static bool is_in_force(const struct cgroup_place *place, const struct cgroup_limit_row *row,
			const struct spec_limits *wanted, uint32_t extra_tasks)
{
	bool is_asked_for = wanted->total[row->limit].demand != DEMAND_NONE;
	uint64_t bytes = is_asked_for ? wanted->total[row->limit].value : UINT64_MAX;
	char text[FILE_MAX_BYTES], value[CGROUP_VALUE_MAX];

	/* With the run its groups are gone, and what they said. */
	if (io_read_text(place->dir_fd, row->file, text, sizeof(text)) < 0)
		return true;
	if (row->format == NULL) {
		for (const char *line = text; *line != '\0'; line = next_line(line))
			if (device_bytes(row, line) != bytes)
				return false;
		return true;
	}
	if (!is_asked_for && (MEMORY_BITS >> row->limit & 1) == 0 &&
	    row->limit != LIMIT_CPU_WEIGHT) {
		const char *word = word_for_none(row);

		str_format(value, sizeof(value), "%s", word != NULL ? word : "");
		if (word == NULL)
			return true;
	} else {
		row->format(wanted, extra_tasks, value, sizeof(value));
	}
	io_chomp(text);
	return cgroup_reads_back(value, text, row->in_pages);
}

int cgroup_verify_change(const struct cgroup *group, const struct spec_limits *spec,
			 uint32_t limits, uint32_t extra_tasks, struct err *err)
{
	struct spec_limits wanted = fill_in(spec);

	for (size_t i = 0; i < group->n; i++)
		for (size_t k = 0; k < cgroup_n_limit_rows; k++) {
			const struct cgroup_limit_row *row = &cgroup_limit_rows[k];
			const struct cgroup_place *place = &group->places[i];

			if ((limits & 1U << row->limit) != 0 && has_row(place, row) &&
			    !is_in_force(place, row, &wanted, extra_tasks))
				return err_set(err, ERR_SETUP, 0,
					       "limits.%s: %s/%s does not say what it was set to",
					       spec_limit_names[row->limit], place->path,
					       row->file);
		}
	return 0;
}
