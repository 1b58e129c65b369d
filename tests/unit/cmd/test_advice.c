/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd/advice.c: which programs are known, and when there is nothing to say about them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/advice.h"

/* A policy that answers EPERM, but for the one call. */
static struct sandbox_spec spec_allowing(const char *call, struct spec_call *ret_call)
{
	*ret_call = (struct spec_call){.name = call, .otherwise = {.kind = ACT_ALLOW}};
	return (struct sandbox_spec){.network = {.sandbox = ""},
				     .seccomp = {.default_action = {.kind = ACT_ERRNO},
						 .calls = ret_call,
						 .n_calls = 1}};
}

static const char *advice(const char *allowed, const char *const *argv, bool failed)
{
	static char text[512];
	struct spec_call call;
	struct sandbox_spec spec = spec_allowing(allowed, &call);

	return advice_text(&spec, argv, failed, text, sizeof(text)) ? text : "";
}

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

static void knows_programs_by_name(void **state)
{
	static const char gdb[] = "ptrace is denied by the policy; gdb needs --waive "
				  "\"seccomp.call:ptrace=REASON\"";

	(void)state;
	assert_string_equal(advice("read", ARGV("gdb", "./a.out"), true), gdb);
	assert_string_equal(advice("read", ARGV("/usr/bin/gdb"), true), gdb);
	assert_string_equal(advice("read", ARGV("gdb-13.1"), true), gdb);
	assert_non_null(strstr(advice("read", ARGV("../bin/lldb-14"), true), "; lldb needs"));
	assert_non_null(strstr(advice("read", ARGV("gdb-multiarch"), true), "; gdb-multiarch "));
	assert_non_null(strstr(advice("read", ARGV("sudo", "id"), true), "-u 0:0"));
	assert_non_null(strstr(advice("read", ARGV("ip", "a"), true),
			       "ip needs --waive \"seccomp.call:capset"));
	assert_string_equal(advice("capset", ARGV("ip", "a"), true), "");
	assert_non_null(strstr(advice("read", ARGV("ping"), true), "loopback"));
	assert_non_null(strstr(advice("read", ARGV("cordon"), true), "beside"));
}

static void is_silent_in_a_network(void **state)
{
	struct spec_call call;
	struct sandbox_spec spec = spec_allowing("read", &call);
	char text[512];

	(void)state;
	assert_true(advice_text(&spec, ARGV("curl"), true, text, sizeof(text)));
	spec.network.n_endpoints = 1;
	assert_false(advice_text(&spec, ARGV("curl"), true, text, sizeof(text)));
	assert_true(advice_text(&spec, ARGV("sudo"), true, text, sizeof(text)));
}

static void is_silent_about_others(void **state)
{
	static const char *const names[] = {"",     "gd",     "gdbx",  "x gdb",   "gdb ",
					    " gdb", "gdb/",   "gdb-x", "gdb-",    "-1",
					    "/",    "python", "su-1x", "gdb lldb"};
	static char long_name[8192];

	(void)state;
	memset(long_name, 'g', sizeof(long_name) - 1);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (advice("read", ARGV(names[i]), true)[0] != '\0')
			fail_msg("'%s' is known", names[i]);
	assert_string_equal(advice("read", ARGV(long_name), true), "");
	assert_string_equal(advice("read", (const char *const[]){NULL}, true), "");
}

static void is_silent_where_nothing_is_missing(void **state)
{
	(void)state;
	/* The call is allowed. */
	assert_string_equal(advice("ptrace", ARGV("gdb"), true), "");
	assert_string_equal(advice("ptrace", ARGV("strace"), true), "");
	/* It worked; a debugger does not say whether it did. */
	assert_string_equal(advice("read", ARGV("strace"), false), "");
	assert_string_equal(advice("read", ARGV("sudo"), false), "");
	assert_string_not_equal(advice("read", ARGV("gdb"), false), "");
}

static void browsers(void **state)
{
	(void)state;
	assert_non_null(strstr(advice("read", ARGV("chromium", "a"), true), "user namespaces"));
	assert_non_null(strstr(advice("capset", ARGV("chromium"), true), "user namespaces"));
	assert_non_null(
		strstr(advice("read", ARGV("chromium", "--no-sandbox"), true), "--no-zygote"));
	assert_string_equal(advice("capset", ARGV("chromium", "--no-sandbox"), true), "");
	assert_string_equal(advice("read", ARGV("chromium", "--no-sandbox", "--no-zygote"), true),
			    "");
	assert_string_equal(advice("read", ARGV("chromium", "a"), false), "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_programs_by_name),
		cmocka_unit_test(is_silent_in_a_network),
		cmocka_unit_test(is_silent_about_others),
		cmocka_unit_test(is_silent_where_nothing_is_missing),
		cmocka_unit_test(browsers),
	};

	return cmocka_run_group_tests_name("cmd/advice", tests, NULL, NULL);
}
