/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The live line. The terminal scrolls above it (DECSTBM keeps the last row out of the scrolling
 * region), and the cursor is put back after each drawing, so that what the program prints stays as
 * it is. Nothing here waits: a terminal that is held by ^S misses some lines.
 */
#include "cmd/top.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

enum { LEAST_ROWS = 3, OUT_MAX = 1024 };

static bool find_size(struct top *top)
{
	struct winsize size;

	if (ioctl(top->fd, TIOCGWINSZ, &size) != 0 || size.ws_row < LEAST_ROWS)
		return false;
	top->rows = size.ws_row;
	top->columns = size.ws_col;
	return true;
}

int top_check(int fd, struct err *err)
{
	struct top top = {.fd = fd};

	if (find_size(&top))
		return 0;
	err_set(err, ERR_USAGE, 0,
		"--top draws on the terminal at stderr, and there is none of %d lines or more",
		LEAST_ROWS);
	return err_hint(err, "For programs: --sample 50ms --status-fd 3.");
}

static void put(const struct top *top, const char *text, size_t len)
{
	struct pollfd out = {.fd = top->fd, .events = POLLOUT};

	if (poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0)
		ignore_result(io_write_all(top->fd, text, len), "a terminal that has gone");
}

static void reserve_line(const struct top *top)
{
	char out[OUT_MAX];
	/* A new line first, so that the last row is free; the region's change moves the cursor. */
	size_t len = str_format(out, sizeof(out), "\n\033[A\0337\033[1;%ur\0338", top->rows - 1);

	put(top, out, len);
}

void top_start(struct top *top, int fd)
{
	*top = (struct top){.fd = fd};
	if (find_size(top))
		reserve_line(top);
	else
		top->fd = -EBADF;
}

void top_draw(struct top *top, const struct run_sample *sample, const struct sandbox_spec *spec)
{
	char text[TOP_LINE_MAX], out[OUT_MAX];
	unsigned rows = top->rows;
	size_t len;

	if (top->fd < 0)
		return;
	len = top_text(sample, top->has_last ? &top->last : NULL, spec, text, sizeof(text));
	top->last = *sample;
	top->has_last = true;
	if (!find_size(top))
		return;
	if (rows != top->rows)
		reserve_line(top);
	if (len >= top->columns && top->columns > 0)
		text[top->columns - 1] = '\0';
	len = str_format(out, sizeof(out), "\0337\033[%u;1H\033[2K%s\0338", top->rows, text);
	put(top, out, len);
}

void top_stop(struct top *top)
{
	char out[OUT_MAX];
	size_t len;

	if (top->fd < 0)
		return;
	len = str_format(out, sizeof(out), "\0337\033[r\033[%u;1H\033[2K\0338", top->rows);
	put(top, out, len);
	top->fd = -EBADF;
}

/* ---- text ---- */

/* "12.3 MiB", "64 MiB". */
static size_t put_bytes(int64_t bytes, char *buf, size_t size)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	int64_t scaled = bytes * 10;
	size_t unit = 0;

	if (bytes > INT64_MAX / 10)
		return str_format(buf, size, "a lot");
	while (scaled >= 10240 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		scaled /= 1024;
		unit++;
	}
	if (unit == 0)
		return str_format(buf, size, "%lld B", (long long)bytes);
	if (scaled % 10 == 0)
		return str_format(buf, size, "%lld %s", (long long)(scaled / 10), units[unit]);
	return str_format(buf, size, "%lld.%lld %s", (long long)(scaled / 10),
			  (long long)(scaled % 10), units[unit]);
}

static bool is_limited(const struct sandbox_spec *spec, enum spec_limit limit)
{
	return spec->limits.total[limit].demand != DEMAND_NONE;
}

static size_t put_of_bytes(const struct sandbox_spec *spec, enum spec_limit limit, char *buf,
			   size_t size)
{
	size_t len = 0;

	if (!is_limited(spec, limit))
		return 0;
	len = str_format(buf, size, "/");
	return len + put_bytes((int64_t)spec->limits.total[limit].value, buf + len, size - len);
}

/* Processors' worth of time between two samples, in hundredths. */
static int64_t cpu_hundredths(const struct run_sample *sample, const struct run_sample *last)
{
	int64_t elapsed_ms = sample->wall_ms - (last != NULL ? last->wall_ms : 0);
	int64_t used_us = sample->cpu_us - (last != NULL ? last->cpu_us : 0);

	return elapsed_ms > 0 && used_us > 0 ? used_us / 10 / elapsed_ms : 0;
}

/* "1.50". */
static size_t put_hundredths(uint64_t value, char *buf, size_t size)
{
	return str_format(buf, size, "%llu.%llu%llu", (unsigned long long)(value / 100),
			  (unsigned long long)(value / 10 % 10), (unsigned long long)(value % 10));
}

static size_t put_cpu(const struct run_sample *sample, const struct run_sample *last,
		      const struct sandbox_spec *spec, char *buf, size_t size)
{
	const struct spec_total *total = spec->limits.total;
	size_t len = str_format(buf, size, " | cpu ");

	len += put_hundredths((uint64_t)cpu_hundredths(sample, last), buf + len, size - len);
	if (is_limited(spec, LIMIT_CPUS)) {
		len += str_format(buf + len, size - len, "/");
		len += put_hundredths(total[LIMIT_CPUS].value / 10000, buf + len, size - len);
	}
	len += str_format(buf + len, size - len, " | %lld.%lld",
			  (long long)(sample->cpu_us / 1000000),
			  (long long)(sample->cpu_us / 100000 % 10));
	if (is_limited(spec, LIMIT_CPU_TIME))
		len += str_format(buf + len, size - len, "/%llu.%llu",
				  (unsigned long long)(total[LIMIT_CPU_TIME].value / 1000),
				  (unsigned long long)(total[LIMIT_CPU_TIME].value / 100 % 10));
	return len + str_format(buf + len, size - len, " s");
}

static size_t put_io(const struct run_sample *sample, char *buf, size_t size)
{
	size_t len;

	if (sample->io_read_bytes == RESULT_NONE || sample->io_write_bytes == RESULT_NONE)
		return 0;
	len = str_format(buf, size, " | read ");
	len += put_bytes(sample->io_read_bytes, buf + len, size - len);
	len += str_format(buf + len, size - len, ", written ");
	return len + put_bytes(sample->io_write_bytes, buf + len, size - len);
}

/* Used/limit. Under the limits of the profile judge it fits in 80 columns, whatever is used. */
size_t top_text(const struct run_sample *sample, const struct run_sample *last,
		const struct sandbox_spec *spec, char *buf, size_t size)
{
	size_t len = str_format(buf, size, "%lld.%lld s", (long long)(sample->wall_ms / 1000),
				(long long)(sample->wall_ms / 100 % 10));

	if (sample->memory_bytes != RESULT_NONE) {
		len += str_format(buf + len, size - len, " | memory ");
		len += put_bytes(sample->memory_bytes, buf + len, size - len);
		len += put_of_bytes(spec, LIMIT_MEMORY, buf + len, size - len);
	}
	if (sample->pids != RESULT_NONE)
		len += str_format(buf + len, size - len, " | tasks %lld", (long long)sample->pids);
	if (sample->pids != RESULT_NONE && is_limited(spec, LIMIT_PIDS))
		len += str_format(buf + len, size - len, "/%llu",
				  (unsigned long long)spec->limits.total[LIMIT_PIDS].value);
	if (sample->cpu_us != RESULT_NONE)
		len += put_cpu(sample, last, spec, buf + len, size - len);
	return len + put_io(sample, buf + len, size - len);
}
