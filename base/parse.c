/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Strict readers; see parse.h. */
#include "base/parse.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

/* Reads decimal digits (at least one) and moves *text behind them. */
static int read_digits(const char **text, uint64_t *ret_value)
{
	const char *p = *text;
	uint64_t value = 0;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return -ERANGE;
	}
	*text = p;
	*ret_value = value;
	return 0;
}

int parse_u64(const char *text, uint64_t *ret_value)
{
	uint64_t value;
	int r = read_digits(&text, &value);

	if (r < 0)
		return r;
	if (*text != '\0')
		return -EINVAL;
	*ret_value = value;
	return 0;
}

int parse_u32(const char *text, uint32_t *ret_value)
{
	uint64_t value;
	int r = parse_u64(text, &value);

	if (r < 0)
		return r;
	if (value > UINT32_MAX)
		return -ERANGE;
	*ret_value = (uint32_t)value;
	return 0;
}

int parse_mode(const char *text, uint32_t *ret_mode)
{
	size_t len = strlen(text);
	uint32_t mode = 0;

	if (len < 3 || len > 4)
		return -EINVAL;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '7')
			return -EINVAL;
		mode = mode * 8 + (uint32_t)(*text - '0');
	}
	*ret_mode = mode;
	return 0;
}

int parse_bool(const char *text, bool *ret_value)
{
	bool is_true = str_equal(text, "true");

	if (!is_true && !str_equal(text, "false"))
		return -EINVAL;
	*ret_value = is_true;
	return 0;
}

/* A decimal number with an optional fraction, as numerator over a power of ten. */
struct decimal {
	uint64_t digits;
	uint64_t scale;
};

static int read_decimal(const char **text, struct decimal *ret)
{
	struct decimal d = {.scale = 1};
	int r = read_digits(text, &d.digits);

	if (r < 0 || **text != '.') {
		*ret = d;
		return r;
	}
	(*text)++;
	if (**text < '0' || **text > '9')
		return -EINVAL;
	for (; **text >= '0' && **text <= '9'; (*text)++) {
		if (__builtin_mul_overflow(d.digits, (uint64_t)10, &d.digits) ||
		    __builtin_add_overflow(d.digits, (uint64_t)(**text - '0'), &d.digits) ||
		    __builtin_mul_overflow(d.scale, (uint64_t)10, &d.scale))
			return -ERANGE;
	}
	*ret = d;
	return 0;
}

/* d times factor as a whole number; -EINVAL where a fraction remains. */
static int decimal_times(struct decimal d, uint64_t factor, uint64_t *ret_value)
{
	unsigned __int128 product = (unsigned __int128)d.digits * factor;

	if (product % d.scale != 0)
		return -EINVAL;
	product /= d.scale;
	if (product > UINT64_MAX)
		return -ERANGE;
	*ret_value = (uint64_t)product;
	return 0;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit size_units[] = {
	{"", 1},
	{"B", 1},
	{"KiB", 1ULL << 10},
	{"MiB", 1ULL << 20},
	{"GiB", 1ULL << 30},
	{"TiB", 1ULL << 40},
	{"k", 1ULL << 10},
	{"m", 1ULL << 20},
	{"g", 1ULL << 30},
	{"t", 1ULL << 40},
	{"kB", 1000},
	{"KB", 1000},
	{"MB", 1000000},
	{"GB", 1000000000},
	{"TB", 1000000000000},
};

static const struct unit bit_units[] = {
	{"bit", 1},        {"kbit", 1000},       {"Kbit", 1000},       {"mbit", 1000000},
	{"Mbit", 1000000}, {"gbit", 1000000000}, {"Gbit", 1000000000},
};

/* A number with one of n units behind it. */
static int parse_units(const char *text, const struct unit *units, size_t n, uint64_t *ret_value)
{
	struct decimal d;
	int r = read_decimal(&text, &d);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (str_equal(text, units[i].name))
			return decimal_times(d, units[i].factor, ret_value);
	return -EINVAL;
}

int parse_size(const char *text, uint64_t *ret_bytes)
{
	return parse_units(text, size_units, sizeof(size_units) / sizeof(size_units[0]), ret_bytes);
}

int parse_bit_rate(const char *text, uint64_t *ret_bits)
{
	return parse_units(text, bit_units, sizeof(bit_units) / sizeof(bit_units[0]), ret_bits);
}

int parse_rate(const char *text, uint64_t *ret_bytes)
{
	size_t len = strlen(text);
	char size[32];

	if (len < 3 || len >= sizeof(size) || !str_equal(text + len - 2, "/s"))
		return -EINVAL;
	str_format(size, sizeof(size), "%.*s", (int)(len - 2), text);
	return parse_size(size, ret_bytes);
}

int parse_millionths(const char *text, uint64_t *ret_value)
{
	struct decimal d;
	int r = read_decimal(&text, &d);

	if (r < 0)
		return r;
	return *text != '\0' ? -EINVAL : decimal_times(d, 1000000, ret_value);
}

/* "4" or "0-1", moved behind it. */
static int read_range(const char **text, uint64_t *ret_first, uint64_t *ret_last)
{
	int r = read_digits(text, ret_first);

	if (r < 0)
		return r;
	*ret_last = *ret_first;
	if (**text == '-') {
		(*text)++;
		r = read_digits(text, ret_last);
	}
	return r < 0 || *ret_last >= *ret_first ? r : -EINVAL;
}

int parse_cpu_list(const char *text, uint64_t *words, size_t max_cpus)
{
	const char *rest = text;
	uint64_t first, last;
	int r;

	/* Twice, so that the output is untouched on failure. */
	for (int pass = 0; pass < 2; pass++) {
		if (pass == 1)
			memset(words, 0, max_cpus / 64 * sizeof(*words));
		rest = text;
		do {
			rest += rest != text ? 1 : 0; /* the comma */
			r = read_range(&rest, &first, &last);
			if (r < 0)
				return r;
			if (last >= max_cpus)
				return -ERANGE;
			for (uint64_t i = first; pass == 1 && i <= last; i++)
				words[i / 64] |= 1ULL << (i % 64);
		} while (*rest == ',');
		if (*rest != '\0')
			return -EINVAL;
	}
	return 0;
}

static const struct unit time_units[] = {
	{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000},
};

/* The time unit that *text begins with, moved behind it; NULL where there is none. */
static const struct unit *read_time_unit(const char **text)
{
	for (size_t i = 0; i < sizeof(time_units) / sizeof(time_units[0]); i++) {
		size_t len = strlen(time_units[i].name);
		char next = (*text)[strnlen(*text, len)];

		if (!str_has_prefix(*text, time_units[i].name) || (next >= 'a' && next <= 'z'))
			continue;
		*text += len;
		return &time_units[i];
	}
	return NULL;
}

int parse_duration(const char *text, uint64_t *ret_ms)
{
	uint64_t last_factor = UINT64_MAX;
	uint64_t total = 0;

	if (str_equal(text, "0")) {
		*ret_ms = 0;
		return 0;
	}
	do {
		const struct unit *unit;
		struct decimal d;
		uint64_t part;
		int r = read_decimal(&text, &d);

		if (r < 0)
			return r;
		unit = read_time_unit(&text);
		/* Each unit smaller than the one before: "1m30s", never "30s1m" or "1s1s". */
		if (unit == NULL || unit->factor >= last_factor)
			return -EINVAL;
		last_factor = unit->factor;
		r = decimal_times(d, unit->factor, &part);
		if (r < 0)
			return r;
		if (__builtin_add_overflow(total, part, &total))
			return -ERANGE;
	} while (*text != '\0');
	*ret_ms = total;
	return 0;
}

int parse_ids(const char *text, uint32_t *ret_uid, uint32_t *ret_gid, bool *ret_has_gid)
{
	uint64_t uid, gid = 0;
	bool has_gid = false;
	int r = read_digits(&text, &uid);

	if (r < 0)
		return r;
	if (*text == ':') {
		text++;
		has_gid = true;
		r = read_digits(&text, &gid);
		if (r < 0)
			return r;
	}
	if (*text != '\0')
		return -EINVAL;
	/* (uid_t)-1 means "leave it" to setresuid(2). */
	if (uid >= UINT32_MAX || gid >= UINT32_MAX)
		return -ERANGE;
	*ret_uid = (uint32_t)uid;
	if (has_gid)
		*ret_gid = (uint32_t)gid;
	*ret_has_gid = has_gid;
	return 0;
}
