/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See audit_record.h. The form is "KEY=VALUE" between blanks. The kernel writes a value that a
 * program has chosen either between quotes, where it holds neither a quote nor a blank nor a
 * control character, or as hexadecimal digits without quotes (audit_log_untrustedstring in its
 * kernel/audit.c): so no such value can look like a key. Of a key that comes twice the first one
 * counts.
 *
 * Compiled twice: into the auditor, which has no libc, and into libcordon for its tests.
 */
#include "launcher/audit_record.h"

/* Part of the record: from p on, len bytes. */
struct span {
	const char *p;
	size_t len;
};

static bool span_is(struct span span, const char *text)
{
	size_t i = 0;

	while (i < span.len && text[i] != '\0' && span.p[i] == text[i])
		i++;
	return i == span.len && text[i] == '\0';
}

/* ---- text ---- */

static size_t text_length(const char *text)
{
	size_t len = 0;

	while (text[len] != '\0')
		len++;
	return len;
}

/* Puts one byte behind len others, as it may be shown. Returns the new length, or 0 where the text
 * had to be cut. */
static size_t put_byte(char *text, size_t size, size_t len, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";
	static const char cut[] = "...";
	bool is_plain = byte >= 0x20 && byte < 0x7f && byte != '\\';

	/* Room is kept for the mark of a text that was cut. */
	if (len + (is_plain ? 1 : 4) + sizeof(cut) > size) {
		for (size_t i = 0; i < sizeof(cut); i++)
			text[len + i] = cut[i];
		return 0;
	}
	if (is_plain) {
		text[len++] = (char)byte;
	} else {
		text[len++] = '\\';
		text[len++] = 'x';
		text[len++] = digits[byte >> 4];
		text[len++] = digits[byte & 15];
	}
	text[len] = '\0';
	return len;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static bool is_hex(struct span value)
{
	for (size_t i = 0; i < value.len; i++)
		if (hex_value(value.p[i]) < 0)
			return false;
	return value.len > 0 && value.len % 2 == 0;
}

/* Behind what is there already, after a blank. is_foreign: without quotes it is hexadecimal. */
static void add_text(char *text, size_t size, struct span value, bool is_foreign)
{
	bool is_quoted = value.len >= 2 && value.p[0] == '"' && value.p[value.len - 1] == '"';
	size_t step = !is_quoted && is_foreign && is_hex(value) ? 2 : 1;
	size_t len = text_length(text);

	/* Full, or cut before. */
	if (len + sizeof("...") + 1 > size)
		return;
	if (is_quoted) {
		value.p++;
		value.len -= 2;
	}
	if (len > 0)
		len = put_byte(text, size, len, ' ');
	for (size_t i = 0; i < value.len && (len > 0 || i == 0); i += step) {
		int byte = step == 1 ? (unsigned char)value.p[i]
				     : hex_value(value.p[i]) * 16 + hex_value(value.p[i + 1]);

		len = put_byte(text, size, len, (unsigned char)byte);
	}
}

static void set_text(char *text, size_t size, struct span value, bool is_foreign)
{
	if (text[0] == '\0')
		add_text(text, size, value, is_foreign);
}

/* ---- numbers ---- */

static void set_number(uint64_t *number, struct span value, unsigned base)
{
	uint64_t sum = 0;

	if (*number != UINT64_MAX || value.len == 0)
		return;
	for (size_t i = 0; i < value.len; i++) {
		int digit = hex_value(value.p[i]);

		if (digit < 0 || (unsigned)digit >= base || sum > (UINT64_MAX - 15) / base)
			return;
		sum = sum * base + (unsigned)digit;
	}
	*number = sum;
}

/* ---- keys ---- */

/* What the kind of record is decided by. */
struct signs {
	bool is_denied;
	bool is_allocated;
	bool is_deallocated;
};

static void read_landlock(struct audit_record *record, struct signs *signs, struct span key,
			  struct span value)
{
	if (span_is(key, "domain"))
		set_number(&record->domain, value, 16);
	else if (span_is(key, "blockers"))
		set_text(record->what, sizeof(record->what), value, false);
	else if (span_is(key, "path") || span_is(key, "name"))
		set_text(record->path, sizeof(record->path), value, true);
	else if (span_is(key, "dest") || span_is(key, "src"))
		set_number(&record->port, value, 10);
	else if (span_is(key, "denials"))
		set_number(&record->denials, value, 10);
	else if (span_is(key, "pid"))
		set_number(&record->pid, value, 10);
	else if (span_is(key, "status")) {
		signs->is_allocated = span_is(value, "allocated");
		signs->is_deallocated = span_is(value, "deallocated");
	}
}

static void read_apparmor(struct audit_record *record, struct signs *signs, struct span key,
			  struct span value)
{
	if (span_is(key, "apparmor"))
		signs->is_denied = span_is(value, "\"DENIED\"");
	else if (span_is(key, "operation"))
		set_text(record->what, sizeof(record->what), value, false);
	else if (span_is(key, "profile"))
		set_text(record->profile, sizeof(record->profile), value, true);
	else if (span_is(key, "name"))
		set_text(record->path, sizeof(record->path), value, true);
	else if (span_is(key, "capname") || span_is(key, "family") || span_is(key, "sock_type") ||
		 span_is(key, "denied_mask") || span_is(key, "signal"))
		add_text(record->detail, sizeof(record->detail), value, false);
	else if (span_is(key, "peer"))
		add_text(record->detail, sizeof(record->detail), value, true);
	else if (span_is(key, "pid"))
		set_number(&record->pid, value, 10);
	else if (span_is(key, "fsuid"))
		set_number(&record->uid, value, 10);
}

/* ---- the record ---- */

/* The next KEY=VALUE of the text, which it takes away. False: none is left. */
static bool take_pair(struct span *text, struct span *ret_key, struct span *ret_value)
{
	size_t i = 0;
	size_t begin;
	bool is_quoted = false;

	while (i < text->len && text->p[i] == ' ')
		i++;
	begin = i;
	while (i < text->len && text->p[i] != ' ' && text->p[i] != '=')
		i++;
	*ret_key = (struct span){text->p + begin, i - begin};
	if (i < text->len && text->p[i] == '=')
		i++;
	begin = i;
	for (; i < text->len && (is_quoted || text->p[i] != ' '); i++)
		is_quoted = is_quoted != (text->p[i] == '"');
	*ret_value = (struct span){text->p + begin, i - begin};
	*text = (struct span){text->p + i, text->len - i};
	return ret_key->len > 0;
}

/* Field by field: no libc, so none of its memset either. */
static void clear(struct audit_record *record)
{
	record->kind = AUDIT_IS_OTHER;
	record->domain = record->pid = record->uid = UINT64_MAX;
	record->denials = record->port = UINT64_MAX;
	record->what[0] = record->detail[0] = record->path[0] = record->profile[0] = '\0';
}

static enum audit_kind kind_of(uint16_t type, const struct audit_record *record,
			       const struct signs *signs)
{
	bool has_domain = record->domain != UINT64_MAX;

	if (type == AUDIT_TYPE_AVC && signs->is_denied)
		return AUDIT_IS_APPARMOR_DENIAL;
	if (type == AUDIT_TYPE_LANDLOCK_ACCESS && has_domain && record->what[0] != '\0')
		return AUDIT_IS_LANDLOCK_DENIAL;
	if (type == AUDIT_TYPE_LANDLOCK_DOMAIN && has_domain && signs->is_allocated)
		return AUDIT_IS_LANDLOCK_BIRTH;
	if (type == AUDIT_TYPE_LANDLOCK_DOMAIN && has_domain && signs->is_deallocated)
		return AUDIT_IS_LANDLOCK_DEATH;
	return AUDIT_IS_OTHER;
}

void audit_record_read(uint16_t type, const char *text, size_t len, struct audit_record *ret)
{
	bool is_landlock = type == AUDIT_TYPE_LANDLOCK_ACCESS || type == AUDIT_TYPE_LANDLOCK_DOMAIN;
	struct signs signs = {false, false, false};
	struct span rest = {text, len};
	struct span key, value;

	clear(ret);
	if (!is_landlock && type != AUDIT_TYPE_AVC)
		return;
	/* "audit(TIME:SERIAL):" comes first, and is no pair. */
	while (take_pair(&rest, &key, &value)) {
		if (is_landlock)
			read_landlock(ret, &signs, key, value);
		else
			read_apparmor(ret, &signs, key, value);
	}
	ret->kind = kind_of(type, ret, &signs);
}
