/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* launcher/result.c: exit codes, and a result that another JSON parser reads and that keeps to
 * docs/result.schema.json. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <json-c/json.h>

#include <cmocka.h>

#include "launcher/result.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

enum { TEXT_MAX = 8192 };

static const char digest[] =
	"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static struct run_result result_of(enum run_kind kind)
{
	return (struct run_result){.kind = kind,
				   .exit_code = RESULT_NONE,
				   .signal = RESULT_NONE,
				   .caller_signal = RESULT_NONE,
				   .wall_ms = 1500,
				   .cpu_user_ms = 0,
				   .cpu_system_ms = INT64_MAX,
				   .memory_peak_bytes = RESULT_NONE,
				   .pids_peak = RESULT_NONE};
}

static void chooses_exit_codes(void **state)
{
	static const struct {
		enum run_kind kind;
		int want;
		int64_t exit_code, signal;
	} rows[] = {
		{RUN_EXITED, 0, 0, RESULT_NONE},
		{RUN_EXITED, 1, 1, RESULT_NONE},
		{RUN_EXITED, 125, 125, RESULT_NONE},
		{RUN_EXITED, 255, 255, RESULT_NONE},
		{RUN_SIGNALLED, 129, RESULT_NONE, 1},
		{RUN_SIGNALLED, 137, RESULT_NONE, 9},
		{RUN_SIGNALLED, 192, RESULT_NONE, 64},
		{RUN_WALL_TIME, 137, RESULT_NONE, 9},
		{RUN_POLICY_KILL, 137, RESULT_NONE, 31},
		{RUN_SETUP_FAILED, 125, RESULT_NONE, RESULT_NONE},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct run_result r = result_of(rows[i].kind);

		r.exit_code = rows[i].exit_code;
		r.signal = rows[i].signal;
		assert_int_equal(result_exit_code(&r), rows[i].want);
	}
}

/* ---- the schema: as much of JSON Schema as docs/result.schema.json uses ---- */

static struct json_object *parse_strictly(const char *text, size_t len)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, text, (int)len);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
	    json_tokener_get_parse_end(tokener) != len) {
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tokener);
	return object;
}

static bool is_type(struct json_object *value, const char *type)
{
	static const struct {
		const char *name;
		enum json_type type;
	} types[] = {
		{"null", json_type_null},     {"integer", json_type_int},
		{"string", json_type_string}, {"array", json_type_array},
		{"object", json_type_object}, {"boolean", json_type_boolean},
	};

	for (size_t i = 0; i < N(types); i++)
		if (strcmp(types[i].name, type) == 0)
			return json_object_get_type(value) == types[i].type;
	fail_msg("the schema has the type %s, which is not known here", type);
	return false;
}

static bool type_fits(struct json_object *value, struct json_object *types)
{
	bool fits = false;

	if (json_object_get_type(types) == json_type_string)
		return is_type(value, json_object_get_string(types));
	for (size_t i = 0; i < json_object_array_length(types); i++)
		fits = fits ||
		       is_type(value, json_object_get_string(json_object_array_get_idx(types, i)));
	return fits;
}

static bool has_element(struct json_object *array, struct json_object *value)
{
	for (size_t i = 0; i < json_object_array_length(array); i++)
		if (json_object_equal(json_object_array_get_idx(array, i), value))
			return true;
	return false;
}

static const char *check(struct json_object *value, struct json_object *schema);

static const char *check_members(struct json_object *value, struct json_object *schema)
{
	struct json_object *properties = json_object_object_get(schema, "properties");
	struct json_object *required = json_object_object_get(schema, "required");

	for (size_t i = 0; i < json_object_array_length(required); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(required, i));

		if (!json_object_object_get_ex(value, name, NULL))
			return name;
	}
	json_object_object_foreach(value, key, member)
	{
		struct json_object *known;

		if (!json_object_object_get_ex(properties, key, &known))
			return key;
		if (check(member, known) != NULL)
			return key;
	}
	return NULL;
}

static bool number_fits(struct json_object *value, struct json_object *schema)
{
	struct json_object *bound;

	if (json_object_get_type(value) != json_type_int)
		return true;
	if (json_object_object_get_ex(schema, "minimum", &bound) &&
	    json_object_get_int64(value) < json_object_get_int64(bound))
		return false;
	return !json_object_object_get_ex(schema, "maximum", &bound) ||
	       json_object_get_int64(value) <= json_object_get_int64(bound);
}

/* NULL where value keeps to the schema, else what does not. */
static const char *check(struct json_object *value, struct json_object *schema)
{
	struct json_object *rule;

	if (json_object_object_get_ex(schema, "const", &rule) && !json_object_equal(value, rule))
		return "const";
	if (json_object_object_get_ex(schema, "enum", &rule) && !has_element(rule, value))
		return "enum";
	if (json_object_object_get_ex(schema, "type", &rule) && !type_fits(value, rule))
		return "type";
	if (!number_fits(value, schema))
		return "range";
	if (json_object_get_type(value) == json_type_array &&
	    json_object_object_get_ex(schema, "items", &rule))
		for (size_t i = 0; i < json_object_array_length(value); i++)
			if (check(json_object_array_get_idx(value, i), rule) != NULL)
				return "items";
	if (json_object_get_type(value) == json_type_object)
		return check_members(value, schema);
	return NULL;
}

static int setup(void **state)
{
	*state = json_object_from_file("docs/result.schema.json");
	if (*state == NULL)
		print_error("docs/result.schema.json: run from the root of the repository\n");
	return *state == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	json_object_put(*state);
	return 0;
}

/* The result as parsed, having passed the schema. */
static struct json_object *produce(struct json_object *schema, const struct run_result *result,
				   const struct sandbox_spec *spec, const char *error, int code)
{
	char text[TEXT_MAX];
	ssize_t len = result_to_json(result, spec, error, code, text, sizeof(text));
	struct json_object *object;
	const char *wrong;

	assert_true(len > 0);
	assert_int_equal(strlen(text), len);
	assert_null(strchr(text, '\n')); /* one line of a stream of lines */
	object = parse_strictly(text, (size_t)len);
	assert_non_null(object);
	wrong = check(object, schema);
	if (wrong != NULL)
		fail_msg("not as the schema says: %s in %s", wrong, text);
	return object;
}

static void assert_number(struct json_object *object, const char *name, int64_t want)
{
	struct json_object *value;

	assert_true(json_object_object_get_ex(object, name, &value));
	if (want == RESULT_NONE)
		assert_null(value);
	else
		assert_true(json_object_get_int64(value) == want);
}

static void assert_text(struct json_object *object, const char *name, const char *want)
{
	struct json_object *value;

	assert_true(json_object_object_get_ex(object, name, &value));
	if (want == NULL)
		assert_null(value);
	else
		assert_string_equal(json_object_get_string(value), want);
}

static void writes_each_kind(void **state)
{
	static const struct {
		enum run_kind kind;
		const char *name;
		int64_t exit_code, signal;
		const char *limit;
	} rows[] = {
		{RUN_EXITED, "exited", 3, RESULT_NONE, NULL},
		{RUN_SIGNALLED, "signalled", RESULT_NONE, 11, NULL},
		{RUN_WALL_TIME, "wall_time", RESULT_NONE, 9, "limits.wall_time"},
		{RUN_POLICY_KILL, "policy_kill", RESULT_NONE, 31, "seccomp"},
		{RUN_CPU_TIME, "cpu_time", RESULT_NONE, 9, "limits.cpu_time"},
		{RUN_IDLE_TIME, "idle_time", RESULT_NONE, 9, "limits.idle_time"},
		{RUN_OUTPUT, "output", RESULT_NONE, 9, "limits.output"},
		{RUN_OOM, "oom", RESULT_NONE, 9, "limits.memory"},
		{RUN_OOM, "oom", RESULT_NONE, 9, NULL},
		{RUN_PIDS, "pids", 2, RESULT_NONE, "limits.pids"},
		{RUN_PIDS, "pids", RESULT_NONE, 6, "limits.pids"},
		{RUN_FSIZE, "fsize", RESULT_NONE, 25, "limits.ulimits.fsize"},
		{RUN_DISK_FULL, "disk_full", 1, RESULT_NONE, NULL},
	};

	for (size_t i = 0; i < N(rows); i++) {
		struct run_result r = result_of(rows[i].kind);
		struct json_object *object;

		r.exit_code = rows[i].exit_code;
		r.signal = rows[i].signal;
		r.limit = rows[i].limit;
		r.caller_signal = i % 2 == 0 ? 15 : RESULT_NONE;
		object = produce(*state, &r, NULL, NULL, 0);
		assert_text(object, "schema", "cordon.result/1");
		assert_text(object, "kind", rows[i].name);
		assert_string_equal(result_kind_name(rows[i].kind), rows[i].name);
		assert_number(object, "exit_code", rows[i].exit_code);
		assert_number(object, "signal", rows[i].signal);
		assert_number(object, "caller_signal", r.caller_signal);
		assert_text(object, "limit", rows[i].limit);
		assert_text(object, "error", NULL);
		assert_number(object, "wall_ms", 1500);
		assert_number(object, "cpu_user_ms", 0);
		assert_number(object, "cpu_system_ms", INT64_MAX);
		assert_number(object, "memory_peak_bytes", RESULT_NONE);
		json_object_put(object);
	}
}

/* A run that never was has no numbers, whatever stood in the result before. */
static void writes_a_failed_setup(void **state)
{
	static const char *const errors[] = {"", "/bin/x: \"quoted\" \\ \x1b[31m\n\xff", "plain"};
	struct run_result stale = result_of(RUN_EXITED);

	stale.exit_code = 0;
	for (size_t i = 0; i < 2 * N(errors); i++) {
		struct json_object *object =
			produce(*state, i % 2 == 0 ? NULL : &stale, NULL, errors[i / 2], 127);

		assert_text(object, "kind", "setup_failed");
		assert_number(object, "exit_code", 127);
		assert_number(object, "signal", RESULT_NONE);
		assert_number(object, "wall_ms", RESULT_NONE);
		assert_number(object, "cpu_system_ms", RESULT_NONE);
		assert_true(json_object_object_get(object, "error") != NULL);
		json_object_put(object);
	}
}

static void writes_provenance(void **state)
{
	static const struct spec_waiver waivers[] = {
		{.name = "host_root_write:/srv", .reason = "a \"reason\"\nof two lines"},
		{.name = "second", .reason = ""},
	};
	static const struct spec_profile profiles[] = {{"profile base", digest},
						       {"./p\xc3\xa4.yaml", digest}};
	static struct sandbox_spec spec;
	struct run_result r = result_of(RUN_EXITED);
	struct json_object *object, *list;

	spec.provenance = (struct spec_provenance){.profiles = profiles,
						   .n_profiles = 2,
						   .waivers = waivers,
						   .n_waivers = 2};
	r.exit_code = 0;
	object = produce(*state, &r, &spec, NULL, 0);
	list = json_object_object_get(object, "waivers");
	assert_int_equal(json_object_array_length(list), 2);
	assert_text(json_object_array_get_idx(list, 0), "reason", waivers[0].reason);
	assert_text(json_object_array_get_idx(list, 1), "name", "second");
	list = json_object_object_get(object, "profiles");
	assert_int_equal(json_object_array_length(list), 2);
	assert_text(json_object_array_get_idx(list, 0), "path", "profile base");
	assert_text(json_object_array_get_idx(list, 1), "path", profiles[1].path);
	assert_text(json_object_array_get_idx(list, 1), "digest", digest);
	json_object_put(object);
	/* What the spec no longer says is an empty list, not a missing one. */
	object = produce(*state, &r, NULL, NULL, 0);
	assert_int_equal(json_object_array_length(json_object_object_get(object, "waivers")), 0);
	json_object_put(object);
}

static void writes_denials(void **state)
{
	static struct denials denials = {
		.n = 2,
		.others = 7,
		.list = {
			{.number = SYS_socket, .error = EAFNOSUPPORT, .count = 3, .args = {AF_ALG}},
			{.number = DENIALS_OTHER_NUMBERS, .error = ENOSYS, .count = 1}}};
	static struct sandbox_spec spec;
	struct run_result r = result_of(RUN_EXITED);
	struct json_object *object, *list;

	r.exit_code = 0;
	object = produce(*state, &r, &spec, NULL, 0);
	assert_text(object, "denials", NULL);
	assert_number(object, "denials_not_listed", RESULT_NONE);
	json_object_put(object);
	spec.seccomp.default_origin = (struct spec_origin){.file = "a \"file\"", .line = 9};
	r.denials = &denials;
	object = produce(*state, &r, &spec, NULL, 0);
	list = json_object_object_get(object, "denials");
	assert_int_equal(json_object_array_length(list), 2);
	assert_text(json_object_array_get_idx(list, 0), "call", "socket");
	assert_text(json_object_array_get_idx(list, 0), "argument", "AF_ALG");
	assert_text(json_object_array_get_idx(list, 0), "answer", "EAFNOSUPPORT");
	assert_text(json_object_array_get_idx(list, 0), "file", "a \"file\"");
	assert_text(json_object_array_get_idx(list, 0), "waiver", "seccomp.call:socket");
	assert_number(json_object_array_get_idx(list, 0), "line", 9);
	assert_number(json_object_array_get_idx(list, 0), "count", 3);
	assert_text(json_object_array_get_idx(list, 1), "waiver", NULL);
	assert_number(object, "denials_not_listed", 7);
	json_object_put(object);
	/* None is a list, too; one that was lost is none. */
	denials.n = 0;
	object = produce(*state, &r, &spec, NULL, 0);
	assert_int_equal(json_object_array_length(json_object_object_get(object, "denials")), 0);
	json_object_put(object);
	denials.is_lost = 1;
	object = produce(*state, &r, &spec, NULL, 0);
	assert_text(object, "denials", NULL);
	json_object_put(object);
}

static void writes_access_denials(void **state)
{
	static struct access_denials access = {
		.n = 1,
		.others = 2,
		.unseen = 3,
		.list = {{.what = "fs.refer", .path = "/a", .count = 4, .port = UINT64_MAX}}};
	static struct sandbox_spec spec = {.landlock = {.demand = DEMAND_REQUIRED}};
	struct run_result r = result_of(RUN_EXITED);
	struct json_object *one, *object;

	r.access = &access;
	object = produce(*state, &r, &spec, NULL, 0);
	one = json_object_array_get_idx(json_object_object_get(object, "access_denials"), 0);
	assert_text(one, "path", "/a");
	assert_number(one, "port", RESULT_NONE);
	assert_number(object, "access_denials_not_listed", 5);
	json_object_put(object);
	access.n = 0; /* and no domain of ours: nothing is known */
	object = produce(*state, &r, &spec, NULL, 0);
	assert_text(object, "access_denials", NULL);
	json_object_put(object);
}

static const struct spec_egress_rule reach_deny = {.family = AF_INET,
						   .address = {192, 0, 2, 4},
						   .length = 32,
						   .last = UINT16_MAX};

static const struct spec_egress_name reach_name = {.name = "*.example.org"};

static const struct reach_denials reach_sample = {
	.sent = {.n = 5,
		 .others = 9,
		 .list = {{.address = {AF_INET, {192, 0, 2, 1}, 32},
			   .protocol = 6,
			   .port = 443,
			   .count = 7},
			  {.address = {AF_INET, {192, 0, 2, 4}, 32},
			   .protocol = 17,
			   .port = 53,
			   .count = 1},
			  {.address = {AF_INET, {192, 0, 2, 1}, 32}, .protocol = 1, .count = 2},
			  {.address = {AF_INET6, {0xfd, [15] = 1}, 128},
			   .protocol = 17,
			   .port = 53,
			   .count = 1},
			  {.address = {AF_INET, {192, 0, 2, 1}, 32},
			   .protocol = 6,
			   .port = 80,
			   .count = 1}}},
	.names = {.n_refused = 1,
		  .others = 3,
		  .n_known = 1,
		  .refused = {{.count = 2, .name = "evil.test"}},
		  .known = {{.address = {192, 0, 2, 1}, .name = "a.example.org"}}}};

/* Each with what would allow it, or nothing where nothing does. */
static void writes_egress_denials(void **state)
{
	static const char *const rules[] = {"a.example.org:443", NULL, NULL, "[fd00::1]:53/udp",
					    NULL};
	static struct sandbox_spec spec = {
		.network = {.reach = {.is_said = true,
				      .deny = &reach_deny,
				      .n_deny = 1,
				      .names = &reach_name,
				      .n_names = 1,
				      .groups = {{.protocol = 6, .first = 80, .last = 80}},
				      .n_groups = 1}}};
	static struct reach_denials reach;
	struct run_result r = result_of(RUN_EXITED);
	struct json_object *list, *object;

	reach = reach_sample;
	r.reach = &reach;
	object = produce(*state, &r, &spec, NULL, 0);
	list = json_object_object_get(object, "egress_denials");
	assert_int_equal(json_object_array_length(list), 5);
	for (size_t i = 0; i < 5; i++)
		assert_text(json_object_array_get_idx(list, i), "rule", rules[i]);
	assert_text(json_object_array_get_idx(list, 0), "name", "a.example.org");
	assert_text(json_object_array_get_idx(list, 2), "protocol", "icmp");
	assert_number(json_object_array_get_idx(list, 2), "port", RESULT_NONE);
	assert_number(object, "egress_denials_not_listed", 9);
	list = json_object_object_get(object, "egress_names_denied");
	assert_text(json_object_array_get_idx(list, 0), "name", "evil.test");
	assert_number(object, "egress_names_denied_not_listed", 3);
	json_object_put(object);
	/* Not known is not none. */
	reach.is_lost = true;
	object = produce(*state, &r, &spec, NULL, 0);
	assert_text(object, "egress_denials", NULL);
	assert_text(object, "egress_names_denied", NULL);
	json_object_put(object);
}

static void fits_or_refuses(void **state)
{
	struct run_result r = result_of(RUN_SIGNALLED);
	char whole[TEXT_MAX];
	ssize_t len = result_to_json(&r, NULL, NULL, 0, whole, sizeof(whole));

	(void)state;
	assert_true(len > 0);
	for (size_t size = 0; size <= (size_t)len + 1; size++) {
		char text[TEXT_MAX];

		memset(text, '#', sizeof(text));
		assert_int_equal(result_to_json(&r, NULL, NULL, 0, text, size),
				 size <= (size_t)len ? -ENOSPC : len);
		assert_int_equal(text[size], '#');
	}
}

/* The schema refuses what it should: each field left out, each added, each of another type. */
static void the_schema_can_fail(void **state)
{
	struct json_object *required = json_object_object_get(*state, "required");
	struct json_object *properties = json_object_object_get(*state, "properties");
	struct run_result r = result_of(RUN_SIGNALLED);

	assert_int_equal(json_object_array_length(required), json_object_object_length(properties));
	for (size_t i = 0; i < json_object_array_length(required); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(required, i));
		struct json_object *object = produce(*state, &r, NULL, NULL, 0);

		assert_true(json_object_object_get_ex(properties, name, NULL));
		json_object_object_add(object, name, json_object_new_double(0.5));
		assert_string_equal(check(object, *state), name);
		json_object_object_del(object, name);
		assert_string_equal(check(object, *state), name);
		json_object_put(object);
	}
	for (int i = 0; i < 2; i++) {
		struct json_object *object = produce(*state, &r, NULL, NULL, 0);
		const char *name = i == 0 ? "surprise" : "kind";

		json_object_object_add(object, name, json_object_new_string("other"));
		assert_string_equal(check(object, *state), name);
		json_object_put(object);
	}
	assert_null(parse_strictly("{\"a\":1,}", 8));
	assert_null(parse_strictly("{} x", 4));
	assert_null(parse_strictly("[1 2]", 5));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses_exit_codes),    cmocka_unit_test(writes_each_kind),
		cmocka_unit_test(writes_a_failed_setup), cmocka_unit_test(writes_provenance),
		cmocka_unit_test(writes_denials),        cmocka_unit_test(writes_access_denials),
		cmocka_unit_test(writes_egress_denials), cmocka_unit_test(fits_or_refuses),
		cmocka_unit_test(the_schema_can_fail),
	};

	return cmocka_run_group_tests_name("launcher/result", tests, setup, teardown);
}
