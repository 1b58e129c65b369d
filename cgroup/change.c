/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Other limits for groups that are in use. Runs in `cordon update`, as their owner. What the files
 * said before is kept until all is done, and written back after a failure.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "cgroup/table.h"

enum { ROWS_MAX = 24, MEMORY_BITS = 1U << LIMIT_MEMORY | 1U << LIMIT_SWAP };

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

/* The first number of a limit's file; UINT64_MAX for none. False where it cannot be compared. */
static bool read_current(const struct cgroup *group, enum spec_limit limit, uint64_t *ret)
{
	static const struct {
		enum spec_limit limit;
		enum cgroup_version version;
		const char *file;
	} files[] = {
		{LIMIT_PIDS, CGROUP_V1, "pids.max"},
		{LIMIT_PIDS, CGROUP_V2, "pids.max"},
		{LIMIT_MEMORY, CGROUP_V1, "memory.limit_in_bytes"},
		{LIMIT_MEMORY, CGROUP_V2, "memory.max"},
		{LIMIT_CPUS, CGROUP_V1, "cpu.cfs_quota_us"},
		{LIMIT_CPUS, CGROUP_V2, "cpu.max"},
	};

	for (size_t i = 0; i < group->n; i++)
		for (size_t k = 0; k < sizeof(files) / sizeof(files[0]); k++) {
			char text[64];

			if (files[k].limit != limit ||
			    files[k].version != group->places[i].version ||
			    io_read_text(group->places[i].dir_fd, files[k].file, text,
					 sizeof(text)) < 0)
				continue;
			text[strcspn(text, " \n")] = '\0';
			if (parse_u64(text, ret) < 0 || *ret > INT64_MAX / 2)
				*ret = UINT64_MAX; /* "max", "-1" */
			return true;
		}
	return false;
}

bool cgroup_would_loosen(const struct cgroup *group, const struct spec_limits *spec,
			 enum spec_limit limit)
{
	enum { CPUS_TO_QUOTA = 10 }; /* millionths to microseconds in 100 ms */
	const struct spec_total *total = &spec->total[limit];
	uint64_t wanted = total->value, current;

	/* Swap goes with memory. */
	if (!read_current(group, limit == LIMIT_SWAP ? LIMIT_MEMORY : limit, &current))
		return false;
	if (limit == LIMIT_SWAP) {
		total = &spec->total[LIMIT_MEMORY];
		wanted = total->value;
	}
	if (limit == LIMIT_CPUS)
		wanted /= CPUS_TO_QUOTA;
	return total->demand == DEMAND_NONE || wanted > current;
}

/* ---- the way back ---- */

struct saved {
	size_t n;
	struct {
		const struct cgroup_place *place;
		const struct cgroup_limit_row *row;
		char text[CGROUP_VALUE_MAX];
	} list[ROWS_MAX];
};

static void save(const struct cgroup *group, uint32_t limits, struct saved *ret)
{
	ret->n = 0;
	for (size_t i = 0; i < group->n; i++)
		for (size_t k = 0; k < cgroup_n_limit_rows && ret->n < ROWS_MAX; k++) {
			const struct cgroup_limit_row *row = &cgroup_limit_rows[k];
			const struct cgroup_place *place = &group->places[i];

			/* io has a line for each device: what is not written is not changed. */
			if ((limits & 1U << row->limit) == 0 || row->format == NULL ||
			    !has_row(place, row) ||
			    io_read_text(place->dir_fd, row->file, ret->list[ret->n].text,
					 sizeof(ret->list[0].text)) < 0)
				continue;
			ret->list[ret->n].place = place;
			ret->list[ret->n++].row = row;
		}
}

/* Twice: where one bounds another, the second time there is room. */
static void restore(const struct saved *saved)
{
	for (size_t pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < saved->n; i++)
			ignore_result(io_write_text(saved->list[i].place->dir_fd,
						    saved->list[i].row->file, saved->list[i].text),
				      "the error that is told of came first");
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
	lifted = is_looser ? 0 : io_write_text(place->dir_fd, "memory.high", "max");
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

/* Those whose files have a word for it. Returns 1 where there was one. */
static int lift(const struct cgroup *group, enum spec_limit limit, struct err *err)
{
	for (size_t i = 0; i < group->n; i++)
		for (size_t k = 0; k < cgroup_n_limit_rows; k++) {
			const struct cgroup_limit_row *row = &cgroup_limit_rows[k];
			const char *value = row->limit == LIMIT_PIDS             ? "max"
					    : row->version == CGROUP_V2          ? "max 100000"
					    : strstr(row->file, "quota") != NULL ? "-1"
										 : NULL;
			int r;

			if (row->limit != limit || !has_row(&group->places[i], row) ||
			    value == NULL)
				continue;
			r = cgroup_set_value(&group->places[i], row, value, err);
			if (r < 0)
				return r;
		}
	return 0;
}

static int change_one(struct cgroup *group, const struct spec_limits *spec, enum spec_limit limit,
		      uint32_t extra_tasks, struct err *err)
{
	if (spec->total[limit].demand != DEMAND_NONE || limit == LIMIT_CPU_WEIGHT)
		return cgroup_limit(group, spec, 1U << limit, extra_tasks, err);
	if (limit == LIMIT_PIDS || limit == LIMIT_CPUS)
		return lift(group, limit, err);
	err_set(err, ERR_USAGE, 0, "limits.%s cannot be lifted while the sandbox runs",
		spec_limit_names[limit]);
	return err_hint(err, "Stop it first, or give it another value.");
}

/* Values that stand for none. */
static void fill_in(struct spec_limits *spec)
{
	if (spec->total[LIMIT_MEMORY].demand == DEMAND_NONE)
		spec->total[LIMIT_MEMORY].value = INT64_MAX;
	if (spec->total[LIMIT_SWAP].demand == DEMAND_NONE)
		spec->total[LIMIT_SWAP].value = INT64_MAX;
	if (spec->total[LIMIT_CPU_WEIGHT].demand == DEMAND_NONE)
		spec->total[LIMIT_CPU_WEIGHT].value = SPEC_USUAL_WEIGHT;
}

int cgroup_change(struct cgroup *group, const struct spec_limits *spec, uint32_t limits,
		  uint32_t extra_tasks, struct err *err)
{
	bool is_looser = cgroup_would_loosen(group, spec, LIMIT_MEMORY);
	struct spec_limits filled = *spec;
	struct saved saved;
	int r = 0;

	if ((limits & MEMORY_BITS) != 0)
		limits |= MEMORY_BITS;
	save(group, limits, &saved);
	fill_in(&filled);
	if ((limits & MEMORY_BITS) != 0)
		r = change_memory(group, &filled, is_looser, err);
	for (enum spec_limit limit = 0; r == 0 && limit < SPEC_LIMITS; limit++)
		if ((limits & 1U << limit) != 0 && (MEMORY_BITS >> limit & 1) == 0)
			r = change_one(group, &filled, limit, extra_tasks, err);
	if (r < 0)
		restore(&saved);
	return r;
}
