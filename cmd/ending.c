/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ends in words; see ending.h. Pure. */
#include "cmd/ending.h"

#include <sys/resource.h>

#include "base/str.h"
#include "cmd/print.h"

/* ---- amounts ---- */

struct unit {
	uint64_t factor;
	const char *name;
};

static void put_amount(const struct unit *units, uint64_t value, char *buf, size_t size)
{
	while (units->factor > 1 && (value == 0 || value % units->factor != 0))
		units++;
	str_format(buf, size, "%llu %s", (unsigned long long)(value / units->factor), units->name);
}

void ending_size(uint64_t bytes, char *buf, size_t size)
{
	static const struct unit units[] = {
		{1ULL << 40, "TiB"}, {1ULL << 30, "GiB"}, {1ULL << 20, "MiB"},
		{1ULL << 10, "KiB"}, {1, "bytes"},
	};

	put_amount(units, bytes, buf, size);
}

void ending_duration(uint64_t ms, char *buf, size_t size)
{
	static const struct unit units[] = {
		{3600000, "h"},
		{60000, "min"},
		{1000, "s"},
		{1, "ms"},
	};

	put_amount(units, ms, buf, size);
}

/* ---- limits ---- */

static void put_limit(const char *key, const char *amount, struct spec_origin said, char *buf,
		      size_t size)
{
	char origin[512];

	str_format(buf, size, "ended by %s: %s (%s)", key, amount,
		   print_origin(said, origin, sizeof(origin)));
}

static void put_total(const struct run_result *result, const struct spec_total *total,
		      void (*put)(uint64_t, char *, size_t), char *buf, size_t size)
{
	char amount[ENDING_AMOUNT_MAX];

	put(total->value, amount, sizeof(amount));
	put_limit(result->limit, amount, total->origin, buf, size);
}

/* limit NULL: the sandbox's own was not reached. */
static void put_oom(const struct run_result *result, const struct sandbox_spec *spec, char *buf,
		    size_t size)
{
	if (result->limit != NULL)
		put_total(result, &spec->limits.total[LIMIT_MEMORY], ending_size, buf, size);
	else
		str_format(buf, size,
			   "ended by the kernel for want of memory: the host's, or that of a "
			   "control group above the sandbox's");
}

static void put_fsize(const struct run_result *result, const struct spec_limits *limits, char *buf,
		      size_t size)
{
	char amount[ENDING_AMOUNT_MAX];

	for (size_t i = 0; i < limits->n_rlimits; i++) {
		if (limits->rlimits[i].resource != RLIMIT_FSIZE)
			continue;
		ending_size(limits->rlimits[i].value, amount, sizeof(amount));
		put_limit(result->limit, amount, limits->rlimits[i].origin, buf, size);
	}
}

/* It went on, and failed by itself. */
static void put_pids(const struct run_result *result, const struct spec_total *total, char *buf,
		     size_t size)
{
	char origin[512];

	str_format(buf, size, "limits.pids (%llu) refused %lld %s (%s)",
		   (unsigned long long)total->value, (long long)result->pids_refused,
		   result->pids_refused == 1 ? "fork" : "forks",
		   print_origin(total->origin, origin, sizeof(origin)));
}

/* ---- stores ---- */

struct full {
	const char *key;
	char amount[ENDING_AMOUNT_MAX];
	struct spec_origin origin;
};

static bool is_full(const struct run_result *result, const struct spec_store *store,
		    const uint64_t sizes[2], struct full *ret)
{
	if (store->size_key == NULL)
		return false;
	ret->key = result->limit;
	if (str_equal(result->limit, store->size_key)) {
		ending_size(sizes[0], ret->amount, sizeof(ret->amount));
		ret->origin = store->size_origin;
		return true;
	}
	str_format(ret->amount, sizeof(ret->amount), "%llu", (unsigned long long)sizes[1]);
	ret->origin = store->inodes_origin;
	return str_equal(result->limit, store->inodes_key);
}

static void put_disk_full(const struct run_result *result, const struct sandbox_spec *spec,
			  char *buf, size_t size)
{
	const uint64_t root[2] = {spec->rootfs.size_bytes, spec->rootfs.inodes};
	struct full full;
	bool is_found = result->limit != NULL && is_full(result, &spec->rootfs.store, root, &full);

	if (result->limit == NULL)
		str_format(buf, size,
			   "the host's file system, on which rootfs.writable lies, was used up "
			   "when the program failed");
	for (size_t i = 0; !is_found && result->limit != NULL && i < spec->n_mounts; i++) {
		const uint64_t sizes[2] = {spec->mounts[i].size_bytes, spec->mounts[i].inodes};

		is_found = is_full(result, &spec->mounts[i].store, sizes, &full);
	}
	if (is_found) {
		char origin[512];

		str_format(buf, size, "%s (%s) was used up when the program failed (%s)", full.key,
			   full.amount, print_origin(full.origin, origin, sizeof(origin)));
	}
}

/* ---- all ---- */

void ending_text(const struct run_result *result, const struct spec_rlimit *cpu_limit,
		 const struct sandbox_spec *spec, char *buf, size_t size)
{
	const struct spec_limits *limits = &spec->limits;
	char amount[ENDING_AMOUNT_MAX];

	buf[0] = '\0';
	switch (result->kind) {
	case RUN_SETUP_FAILED:
	case RUN_EXITED:
		return;
	case RUN_SIGNALLED:
		if (cpu_limit == NULL)
			return;
		/* The kernel counts whole seconds. */
		str_format(amount, sizeof(amount), "%llu s", (unsigned long long)cpu_limit->value);
		put_limit(result->limit, amount, cpu_limit->origin, buf, size);
		return;
	case RUN_WALL_TIME:
		ending_duration(limits->wall_time_ms, amount, sizeof(amount));
		put_limit("limits.wall_time", amount, limits->wall_time_origin, buf, size);
		return;
	case RUN_POLICY_KILL:
		str_format(buf, size,
			   "ended by seccomp: the program made a system call that the policy "
			   "answers with kill");
		return;
	case RUN_CPU_TIME:
		put_total(result, &limits->total[LIMIT_CPU_TIME], ending_duration, buf, size);
		return;
	case RUN_IDLE_TIME:
		put_total(result, &limits->total[LIMIT_IDLE_TIME], ending_duration, buf, size);
		return;
	case RUN_OUTPUT:
		put_total(result, &limits->total[LIMIT_OUTPUT], ending_size, buf, size);
		return;
	case RUN_OOM:
		put_oom(result, spec, buf, size);
		return;
	case RUN_PIDS:
		put_pids(result, &limits->total[LIMIT_PIDS], buf, size);
		return;
	case RUN_FSIZE:
		put_fsize(result, limits, buf, size);
		return;
	case RUN_DISK_FULL:
		put_disk_full(result, spec, buf, size);
		return;
	}
}
