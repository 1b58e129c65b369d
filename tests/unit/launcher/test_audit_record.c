/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* launcher/audit_record.c: records as the kernel writes them, and what a workload would like them
 * to say. Landlock's examples are those of the kernel's Documentation/admin-guide/LSM/landlock.rst.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/audit_record.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define AT       "audit(1729738800.268:30): "

/* From a copy of exactly its length, so that a sanitizer sees a read behind it. */
static void read_copy(uint16_t type, const char *text, size_t len, struct audit_record *ret)
{
	char *copy = malloc(len + 1);

	assert_non_null(copy);
	memcpy(copy, text, len);
	audit_record_read(type, copy, len, ret);
	free(copy);
}

static struct audit_record read_text(uint16_t type, const char *text)
{
	struct audit_record record;

	read_copy(type, text, strlen(text), &record);
	return record;
}

struct row {
	uint16_t type;
	const char *text;
	enum audit_kind kind;
	const char *what, *detail, *path, *profile;
};

static const struct row rows[] = {
	{AUDIT_TYPE_LANDLOCK_ACCESS,
	 AT "domain=195ba459b blockers=fs.refer path=\"/usr/bin\" dev=\"vda2\" ino=351",
	 AUDIT_IS_LANDLOCK_DENIAL, "fs.refer", "", "/usr/bin", ""},
	{AUDIT_TYPE_LANDLOCK_ACCESS,
	 AT "domain=195ba459b blockers=fs.make_reg,fs.refer path=\"/usr/local\" dev=\"vda2\" "
	    "ino=365",
	 AUDIT_IS_LANDLOCK_DENIAL, "fs.make_reg,fs.refer", "", "/usr/local", ""},
	{AUDIT_TYPE_LANDLOCK_ACCESS,
	 AT "domain=1a6fdc66f blockers=scope.signal opid=1 ocomm=\"systemd\"",
	 AUDIT_IS_LANDLOCK_DENIAL, "scope.signal", "", "", ""},
	{AUDIT_TYPE_LANDLOCK_DOMAIN,
	 AT "domain=195ba459b status=allocated mode=enforcing pid=300 uid=0 "
	    "exe=\"/root/sandboxer\" comm=\"sandboxer\"",
	 AUDIT_IS_LANDLOCK_BIRTH, "", "", "", ""},
	{AUDIT_TYPE_LANDLOCK_DOMAIN, AT "domain=195ba459b status=deallocated denials=3",
	 AUDIT_IS_LANDLOCK_DEATH, "", "", "", ""},
	{AUDIT_TYPE_AVC,
	 AT "apparmor=\"DENIED\" operation=\"open\" class=\"file\" profile=\"cordon-workload\" "
	    "name=\"/proc/kallsyms\" pid=300 comm=\"head\" requested_mask=\"r\" "
	    "denied_mask=\"r\" fsuid=1000 ouid=0",
	 AUDIT_IS_APPARMOR_DENIAL, "open", "r", "/proc/kallsyms", "cordon-workload"},
	{AUDIT_TYPE_AVC,
	 AT "apparmor=\"DENIED\" operation=\"create\" class=\"net\" profile=\"p\" pid=300 "
	    "comm=\"call\" family=\"inet\" sock_type=\"raw\" protocol=1 "
	    "requested_mask=\"create\" denied_mask=\"create\"",
	 AUDIT_IS_APPARMOR_DENIAL, "create", "inet raw create", "", "p"},
	{AUDIT_TYPE_AVC,
	 AT "apparmor=\"DENIED\" operation=\"capable\" class=\"cap\" profile=\"p\" pid=300 "
	    "comm=\"x\" capability=12  capname=\"net_admin\"",
	 AUDIT_IS_APPARMOR_DENIAL, "capable", "net_admin", "", "p"},
	/* A profile that complains denies nothing, and others have no list. */
	{AUDIT_TYPE_AVC, AT "apparmor=\"ALLOWED\" operation=\"open\" profile=\"p\" name=\"/a\"",
	 AUDIT_IS_OTHER, "open", "", "/a", "p"},
	{AUDIT_TYPE_AVC, AT "avc:  denied  { read } for  pid=300 comm=\"x\" name=\"a\"",
	 AUDIT_IS_OTHER, "", "", "a", ""},
	{1300, AT "arch=c000003e syscall=257 success=no domain=1 blockers=fs.refer", AUDIT_IS_OTHER,
	 "", "", "", ""},
	{AUDIT_TYPE_LANDLOCK_ACCESS, AT "blockers=fs.refer path=\"/usr\"", AUDIT_IS_OTHER,
	 "fs.refer", "", "/usr", ""},
	{AUDIT_TYPE_LANDLOCK_ACCESS, AT "domain=xyz blockers=fs.refer", AUDIT_IS_OTHER, "fs.refer",
	 "", "", ""},
	{AUDIT_TYPE_LANDLOCK_ACCESS, AT "domain=11112222333344445 blockers=fs.refer",
	 AUDIT_IS_OTHER, "fs.refer", "", "", ""},
	{AUDIT_TYPE_LANDLOCK_DOMAIN, AT "domain=1 status=whatever", AUDIT_IS_OTHER, "", "", "", ""},
	{AUDIT_TYPE_LANDLOCK_ACCESS, "", AUDIT_IS_OTHER, "", "", "", ""},
	{AUDIT_TYPE_LANDLOCK_ACCESS, "=", AUDIT_IS_OTHER, "", "", "", ""},
	{AUDIT_TYPE_LANDLOCK_ACCESS, "domain", AUDIT_IS_OTHER, "", "", "", ""},
	{AUDIT_TYPE_LANDLOCK_ACCESS, "domain=1 blockers=\"", AUDIT_IS_LANDLOCK_DENIAL, "\"", "", "",
	 ""},
	/* The kernel writes names with a blank or a quote in them as hexadecimal digits; so what a
	 * workload puts into one is no key, and of a key that comes twice the first one counts. */
	{AUDIT_TYPE_LANDLOCK_ACCESS,
	 AT "domain=1 blockers=fs.make_reg path=2F612220646F6D61696E3D32206E",
	 AUDIT_IS_LANDLOCK_DENIAL, "fs.make_reg", "", "/a\" domain=2 n", ""},
	{AUDIT_TYPE_LANDLOCK_ACCESS,
	 AT "domain=1 blockers=fs.make_reg path=\"/a\" path=\"/b\" blockers=fs.refer",
	 AUDIT_IS_LANDLOCK_DENIAL, "fs.make_reg", "", "/a", ""},
	{AUDIT_TYPE_LANDLOCK_ACCESS, AT "domain=1 blockers=fs.make_reg path=2F1B5B336D0A5CC3A4",
	 AUDIT_IS_LANDLOCK_DENIAL, "fs.make_reg", "", "/\\x1b[3m\\x0a\\x5c\\xc3\\xa4", ""},
	/* Neither is hexadecimal: shown as it is. */
	{AUDIT_TYPE_LANDLOCK_ACCESS, AT "domain=1 blockers=fs.make_reg path=2F6",
	 AUDIT_IS_LANDLOCK_DENIAL, "fs.make_reg", "", "2F6", ""},
	{AUDIT_TYPE_LANDLOCK_ACCESS, AT "domain=1 blockers=fs.make_reg path=\"2F61\"",
	 AUDIT_IS_LANDLOCK_DENIAL, "fs.make_reg", "", "2F61", ""},
	/* comm is the workload's own word, and is not asked. */
	{AUDIT_TYPE_AVC,
	 AT "apparmor=\"DENIED\" operation=\"open\" profile=\"p\" name=\"/a\" pid=7 "
	    "comm=\"profile=q\" denied_mask=\"w\"",
	 AUDIT_IS_APPARMOR_DENIAL, "open", "w", "/a", "p"},
};

static void reads_records(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct audit_record r = read_text(rows[i].type, rows[i].text);

		if (r.kind != rows[i].kind)
			fail_msg("%s: kind %d", rows[i].text, r.kind);
		assert_string_equal(r.what, rows[i].what);
		assert_string_equal(r.detail, rows[i].detail);
		assert_string_equal(r.path, rows[i].path);
		assert_string_equal(r.profile, rows[i].profile);
	}
}

static void reads_numbers(void **state)
{
	struct audit_record r = read_text(AUDIT_TYPE_LANDLOCK_DOMAIN, rows[3].text);

	(void)state;
	assert_int_equal(r.domain, 0x195ba459bULL);
	assert_int_equal(r.pid, 300);
	assert_int_equal(r.denials, UINT64_MAX);
	r = read_text(AUDIT_TYPE_LANDLOCK_DOMAIN, rows[4].text);
	assert_int_equal(r.denials, 3);
	assert_int_equal(r.pid, UINT64_MAX);
	r = read_text(AUDIT_TYPE_AVC, rows[5].text);
	assert_int_equal(r.uid, 1000);
	assert_int_equal(r.pid, 300);
	r = read_text(AUDIT_TYPE_LANDLOCK_ACCESS,
		      AT "domain=1 blockers=net.connect_tcp daddr=127.0.0.1 dest=80");
	assert_int_equal(r.port, 80);
	r = read_text(AUDIT_TYPE_LANDLOCK_ACCESS, AT "domain=1 blockers=net.bind_tcp src=8081");
	assert_int_equal(r.port, 8081);
	/* Numbers that are none, or too large. */
	r = read_text(AUDIT_TYPE_AVC, AT "apparmor=\"DENIED\" pid=-1 fsuid=99999999999999999999");
	assert_int_equal(r.pid, UINT64_MAX);
	assert_int_equal(r.uid, UINT64_MAX);
}

/* A text of every length: it fits, ends, says that it was cut, and nothing of another is cut. */
static void cuts_long_texts(void **state)
{
	(void)state;
	for (size_t n = 0; n < 4096; n += n < 300 ? 1 : 97) {
		char text[9000] = "domain=1 blockers=fs.refer path=";
		size_t len = strlen(text);
		struct audit_record r;

		/* In turns a letter and a byte that takes four. */
		for (size_t i = 0; i < n; i++) {
			text[len + 2 * i] = i % 2 == 0 ? '6' : '0';
			text[len + 2 * i + 1] = i % 2 == 0 ? '1' : 'A';
		}
		read_copy(AUDIT_TYPE_LANDLOCK_ACCESS, text, len + 2 * n, &r);
		assert_true(strnlen(r.path, sizeof(r.path)) < sizeof(r.path));
		assert_int_equal(strstr(r.path, "...") != NULL,
				 n / 2 * 5 + n % 2 > AUDIT_PATH_MAX - 4);
		assert_string_equal(r.what, "fs.refer");
	}
	for (size_t n = 0; n < 80; n++) {
		char text[512] = "apparmor=\"DENIED\" family=\"";
		struct audit_record r;

		memset(text + strlen(text), 'f', n);
		strcat(text, "\" sock_type=\"raw\" denied_mask=\"create\"");
		read_copy(AUDIT_TYPE_AVC, text, strlen(text), &r);
		assert_true(strnlen(r.detail, sizeof(r.detail)) < sizeof(r.detail));
		assert_int_equal(r.kind, AUDIT_IS_APPARMOR_DENIAL);
	}
}

/* Every beginning of every record. */
static void survives_any_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(rows); i++)
		for (size_t len = 0; len < strlen(rows[i].text); len++) {
			struct audit_record r;

			read_copy(rows[i].type, rows[i].text, len, &r);
			assert_true(strnlen(r.path, sizeof(r.path)) < sizeof(r.path));
		}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_records),
		cmocka_unit_test(reads_numbers),
		cmocka_unit_test(cuts_long_texts),
		cmocka_unit_test(survives_any_end),
	};

	return cmocka_run_group_tests_name("launcher/audit_record", tests, NULL, NULL);
}
